//! The summary of a run.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::gauge::Trend;
use crate::observer::Observer;
use crate::population::Population;
use crate::replicas::Account;
use crate::rest::Rest;
use crate::schedule::Planned;
use crate::screen::clock;

pub struct Summary<'a> {
    pub seed: u64,
    pub minutes: f64,
    pub took: Duration,
    pub plan: &'a [Planned],
    pub population: &'a Population,
    pub account: &'a Account,
    pub rest: Option<&'a Rest>,
    pub observer: &'a Observer,
}

impl Summary<'_> {
    /// Prints it; whether all was well.
    pub fn print(&self) -> bool {
        println!(
            "\nseed {}, {} minutes of faults, {} in all",
            self.seed,
            self.minutes,
            clock(self.took)
        );
        self.print_lives();
        self.print_faults();
        let is_flat = self.print_growth();
        match self.rest {
            Some(rest) => println!(
                "at rest      {} ready; nothing written, and {} lists of indexes asked for in a minute",
                rest.ready, rest.lists
            ),
            None => println!("at rest      not reached"),
        }
        let known = self.observer.lock();
        let rules: Vec<_> = known
            .judge
            .violations
            .iter()
            .map(|violation| violation.rule)
            .collect();
        for rule in &rules {
            println!("BROKEN       {rule}");
        }
        let is_well = rules.is_empty() && is_flat && self.rest.is_some();
        println!("{}", if is_well { "all rules held" } else { "FAILED" });
        is_well
    }

    fn print_lives(&self) {
        let lived = self.population.lived.load(Ordering::Relaxed);
        let hourly = lived as f64 * 60.0 / self.minutes;
        println!("lives        {lived} ({hourly:.0} an hour)");
        let known = self.observer.lock();
        let counts = known.counts;
        let restores = known
            .judge
            .lives
            .values()
            .filter(|life| !life.accepted.is_empty());
        println!(
            "creates      {} requested, {} accepted == {} distinct restores",
            counts.create_requests,
            counts.accepted,
            restores.count()
        );
        println!(
            "judged       {} versions and {} events in etcd, {} requests in Pinecone's journal",
            counts.transitions, counts.event_writes, counts.requests
        );
        println!(
            "for a while  {} versions disowned an index of one's own",
            known.judge.disowned
        );
    }

    fn print_faults(&self) {
        let mut kinds: BTreeMap<String, u32> = BTreeMap::new();
        let begun = self.plan.iter().filter(|planned| planned.at < self.took);
        for planned in begun {
            let kind = planned.name.trim_end_matches(|c: char| c.is_ascii_digit());
            let kind = kind.split(',').next().unwrap_or(kind).trim();
            *kinds.entry(kind.to_owned()).or_default() += 1;
        }
        let counts: Vec<_> = kinds
            .iter()
            .map(|(kind, times)| format!("{kind} {times}"))
            .collect();
        println!("faults       {}", counts.join("; "));
        let Account { kills, starts, .. } = self.account;
        println!("replicas     {kills} killed, {starts} starts");
    }

    /// The medians of the second and last quarter; whether they are flat.
    fn print_growth(&self) -> bool {
        let account = self.account;
        println!(
            "peaks        RSS {:.1} MiB, {} descriptors, all together",
            account.peak_rss_kib as f64 / 1024.0,
            account.peak_descriptors
        );
        let overall = account.overall.as_ref();
        match overall {
            Some(trend) => println!("all together {}{}", trend.describe(), mark(trend)),
            None => println!("all together the run was too short"),
        }
        let each = &account.each;
        if each.is_empty() {
            println!("one process  none lived long enough");
        }
        let worst = |of: fn(&Trend) -> f64| each.iter().max_by(|a, b| of(a).total_cmp(&of(b)));
        if let Some(trend) = worst(|trend| trend.rss_kib.1 - trend.rss_kib.0) {
            println!(
                "one process  {} (most memory of {}){}",
                trend.describe(),
                each.len(),
                mark(trend)
            );
        }
        if let Some(trend) = worst(|trend| trend.descriptors.1 - trend.descriptors.0) {
            println!(
                "one process  {} (most descriptors){}",
                trend.describe(),
                mark(trend)
            );
        }
        each.iter().chain(overall).all(Trend::is_flat)
    }
}

fn mark(trend: &Trend) -> &'static str {
    if trend.is_flat() { "" } else { "  NOT FLAT" }
}
