//! Metrics of the process under the names of all Prometheus client libraries. Where there is no
//! `/proc`, those that are read from it are absent.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};
use rustix::time::{ClockId, clock_gettime};

use super::clock::BootTime;

/// Milliseconds of a tick in `/proc`, which Linux shows in hundredths of a second on every
/// architecture.
const TICK_MILLIS: u64 = 10;

/// Returns a registry of the process's metrics, without a prefix.
pub fn registry() -> Registry {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Process {
        start_time: start_time(),
    }));
    registry
}

/// The process, read at each scrape.
#[derive(Debug)]
struct Process {
    /// Seconds since 1970.
    start_time: Option<f64>,
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let cpu = ConstCounter::new(cpu_seconds());
        let help = "CPU time that the process has used, in user and system mode.";
        encode(&mut encoder, "process_cpu", help, Some(Unit::Seconds), &cpu)?;
        if let Some(start) = self.start_time.map(ConstGauge::new) {
            let (name, help) = (
                "process_start_time",
                "When the process started, since 1970.",
            );
            encode(&mut encoder, name, help, Some(Unit::Seconds), &start)?;
        }
        if let Some(resident) = resident_bytes().map(ConstGauge::new) {
            let (name, help) = ("process_resident_memory", "Memory of the process in RAM.");
            encode(&mut encoder, name, help, Some(Unit::Bytes), &resident)?;
        }
        if let Some(open) = open_fds().map(ConstGauge::new) {
            let help = "Open file descriptors of the process.";
            encode(&mut encoder, "process_open_fds", help, None, &open)?;
        }
        if let Some(most) = max_fds().map(ConstGauge::new) {
            let help = "Most file descriptors that the process may open.";
            encode(&mut encoder, "process_max_fds", help, None, &most)?;
        }
        Ok(())
    }
}

fn encode(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    unit: Option<Unit>,
    metric: &impl EncodeMetric,
) -> Result<(), std::fmt::Error> {
    let kind = metric.metric_type();
    metric.encode(encoder.encode_descriptor(name, help, unit.as_ref(), kind)?)
}

fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn start_time() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let age = BootTime::now().since(started_after_boot(&stat)?);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    Some(now.saturating_sub(age).as_secs_f64())
}

/// The 22nd field of `/proc/self/stat`. The second, the program's name, may contain spaces and
/// parentheses.
fn started_after_boot(stat: &str) -> Option<BootTime> {
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks: u64 = fields.split_whitespace().nth(19)?.parse().ok()?;
    let elapsed = Duration::from_millis(ticks.saturating_mul(TICK_MILLIS));
    Some(BootTime::after_boot(elapsed))
}

fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let kib = value_of(&status, "VmRSS:")?.parse::<u64>().ok()?;
    Some(kib.saturating_mul(1024))
}

fn open_fds() -> Option<u64> {
    let listed = std::fs::read_dir("/proc/self/fd").ok()?.count();
    // Without the one by which they are listed.
    u64::try_from(listed.saturating_sub(1)).ok()
}

/// None where there is no limit.
fn max_fds() -> Option<u64> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    value_of(&limits, "Max open files")?.parse().ok()
}

/// The first word after `name`, at the start of a line.
fn value_of<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_is_read_after_a_program_name_with_spaces_and_parentheses() {
        let fields: Vec<_> = (3..=52).map(|field| field.to_string()).collect();
        let stat = format!("1 (a) b (c) {}\n", fields.join(" "));
        let started = started_after_boot(&stat);
        let expected = BootTime::after_boot(Duration::from_millis(220));
        assert_eq!(started, Some(expected));
        assert_eq!(started_after_boot(""), None);
        assert_eq!(started_after_boot("1 (a) S"), None);
    }

    #[test]
    fn values_are_read_by_the_name_at_the_start_of_a_line() {
        let status = "Name:\tVmRSS:\nVmHWM:\t  900 kB\nVmRSS:\t  800 kB\n";
        assert_eq!(value_of(status, "VmRSS:"), Some("800"));
        let limits =
            "Max processes  1  2  processes\nMax open files            1024       4096  files\n";
        assert_eq!(value_of(limits, "Max open files"), Some("1024"));
        assert_eq!(value_of(limits, "Max locked memory"), None);
    }
}
