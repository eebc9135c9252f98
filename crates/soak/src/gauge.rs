//! Memory and file descriptors of the replicas over time, and whether they grow.

use std::path::Path;
use std::time::Duration;

/// What a process held at one time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Since the process was started.
    pub age: Duration,
    pub rss_kib: u64,
    pub descriptors: u64,
}

/// A process reads all objects first; only what it takes after that is growth.
const WARM: Duration = Duration::from_secs(20);
/// A shorter time is no measure: a process that is killed within a minute or two is a standby first and then the leader.
/// A sample is taken every two seconds.
const ENOUGH: usize = 60;

/// What growth is allowed: a share of what was held before, and an amount.
const RSS_SHARE: f64 = 0.15;
const RSS_KIB: f64 = 6.0 * 1024.0;
/// A standby that becomes the leader has up to two connections more for each restore it works on.
const DESCRIPTORS: f64 = 80.0;

impl Sample {
    /// What several processes hold together; as old as the youngest.
    pub fn sum(all: &[Self]) -> Option<Self> {
        Some(Self {
            age: all.iter().map(|sample| sample.age).min()?,
            rss_kib: all.iter().map(|sample| sample.rss_kib).sum(),
            descriptors: all.iter().map(|sample| sample.descriptors).sum(),
        })
    }
}

/// Reads what a process holds; nothing if it is gone.
pub fn sample(pid: u32, age: Duration) -> Option<Sample> {
    let folder = Path::new("/proc").join(pid.to_string());
    let status = std::fs::read_to_string(folder.join("status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let rss_kib = line.split_whitespace().nth(1)?.parse().ok()?;
    let descriptors = std::fs::read_dir(folder.join("fd")).ok()?.count();
    Some(Sample {
        age,
        rss_kib,
        descriptors: descriptors as u64,
    })
}

/// The medians of the second and of the last quarter of some samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trend {
    pub rss_kib: (f64, f64),
    pub descriptors: (f64, f64),
}

impl Trend {
    /// Of samples in the order of time, those of a cold process left out; nothing if they are few.
    pub fn of(samples: &[Sample]) -> Option<Self> {
        let warm: Vec<Sample> = samples.iter().filter(|s| s.age >= WARM).copied().collect();
        let quarter = warm.len() / 4;
        (warm.len() >= ENOUGH).then(|| {
            let (second, last) = (&warm[quarter..2 * quarter], &warm[3 * quarter..]);
            let both = |of: fn(&Sample) -> u64| (median(second, of), median(last, of));
            Self {
                rss_kib: both(|sample| sample.rss_kib),
                descriptors: both(|sample| sample.descriptors),
            }
        })
    }

    /// Whether neither grew beyond its bound.
    pub fn is_flat(&self) -> bool {
        let (before, after) = self.rss_kib;
        let is_flat = after <= before * (1.0 + RSS_SHARE) + RSS_KIB;
        is_flat && self.descriptors.1 <= self.descriptors.0 + DESCRIPTORS
    }

    pub fn describe(&self) -> String {
        format!(
            "RSS {:.1} -> {:.1} MiB, descriptors {:.0} -> {:.0}",
            self.rss_kib.0 / 1024.0,
            self.rss_kib.1 / 1024.0,
            self.descriptors.0,
            self.descriptors.1
        )
    }
}

fn median(samples: &[Sample], of: fn(&Sample) -> u64) -> f64 {
    let mut values: Vec<u64> = samples.iter().map(of).collect();
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or(0) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(rss: impl Fn(u64) -> u64, descriptors: impl Fn(u64) -> u64) -> Vec<Sample> {
        let at = |second| Sample {
            age: Duration::from_secs(second),
            rss_kib: rss(second),
            descriptors: descriptors(second),
        };
        (0..120).map(at).collect()
    }

    #[test]
    fn a_flat_process_is_flat_and_its_start_does_not_count() {
        let start = |second: u64| 20_000 + second.min(19) * 2_000;
        assert!(Trend::of(&samples(start, |_| 20)).unwrap().is_flat());
    }

    #[test]
    fn growth_is_found() {
        let memory = samples(|second| 40_000 + second * 400, |_| 20);
        assert!(!Trend::of(&memory).unwrap().is_flat());
        let descriptors = samples(|_| 40_000, |second| 20 + 4 * second);
        assert!(!Trend::of(&descriptors).unwrap().is_flat());
    }

    #[test]
    fn a_short_life_says_nothing() {
        assert_eq!(Trend::of(&samples(|_| 1, |_| 1)[..70]), None);
    }
}
