//! The Lease object, and the calls on it.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::Api;
use kube::api::{ObjectMeta, PostParams};

use super::evaluate::LeaseRecord;
use crate::runtime::api_server::{Error, call_within};
use crate::runtime::failpoint::Site;

pub async fn read(
    api: &Api<Lease>,
    name: &str,
    deadline: Duration,
) -> Result<Option<Lease>, Error> {
    call_within(deadline, Site::LEASE_GET, api.get_opt(name)).await
}

/// Writes the record over `before`, or creates the lease. The write conflicts if `before` is not the
/// current version.
pub async fn write(
    site: Site,
    api: &Api<Lease>,
    name: &str,
    before: Option<&Lease>,
    record: &LeaseRecord,
    deadline: Duration,
) -> Result<Lease, Error> {
    let params = PostParams::default();
    match before {
        Some(before) => {
            let lease = with(before.clone(), record);
            let put = api.replace(name, &params, &lease);
            call_within(deadline, site, put).await
        }
        None => {
            let metadata = ObjectMeta {
                name: Some(name.into()),
                ..ObjectMeta::default()
            };
            let lease = Lease {
                metadata,
                spec: None,
            };
            let lease = with(lease, record);
            let post = api.create(&params, &lease);
            call_within(deadline, site, post).await
        }
    }
}

/// Returns the record of a lease; with `duration` if the lease names none.
pub fn record(lease: &Lease, duration: Duration) -> LeaseRecord {
    let spec = lease.spec.clone().unwrap_or_default();
    let seconds = spec.lease_duration_seconds.map(u64::try_from);
    let seconds = seconds.and_then(Result::ok).filter(|seconds| *seconds > 0);
    LeaseRecord {
        holder: spec.holder_identity.unwrap_or_default(),
        duration: seconds.map_or(duration, Duration::from_secs),
        acquired: spec.acquire_time.map(|time| time.0),
        renewed: spec.renew_time.map(|time| time.0),
        transitions: spec.lease_transitions.unwrap_or(0),
    }
}

/// Returns the lease with this record. Fields that others wrote stay.
fn with(mut lease: Lease, record: &LeaseRecord) -> Lease {
    // Rounded up: a candidate may wait too long, but not too short.
    let seconds = record.duration.as_millis().div_ceil(1_000);
    lease.spec = Some(LeaseSpec {
        holder_identity: Some(record.holder.clone()),
        lease_duration_seconds: Some(i32::try_from(seconds).unwrap_or(i32::MAX)),
        acquire_time: record.acquired.map(MicroTime),
        renew_time: record.renewed.map(MicroTime),
        lease_transitions: Some(record.transitions),
        ..lease.spec.unwrap_or_default()
    });
    lease
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn a_record_survives_the_lease_and_its_duration_is_never_shortened() {
        let written = LeaseRecord {
            holder: "me".into(),
            duration: Duration::from_millis(2_500),
            acquired: Some(Timestamp::from_second(1).unwrap()),
            renewed: Some(Timestamp::from_second(2).unwrap()),
            transitions: 3,
        };
        let lease = with(Lease::default(), &written);
        let read = record(&lease, Duration::from_secs(15));
        assert_eq!(read.duration, Duration::from_secs(3));
        let rounded = LeaseRecord {
            duration: read.duration,
            ..written
        };
        assert_eq!(read, rounded);
    }

    #[test]
    fn an_empty_lease_is_free_and_one_without_duration_uses_our_own() {
        let own = Duration::from_secs(15);
        assert_eq!(record(&Lease::default(), own).holder, "");
        for odd in [None, Some(0), Some(-1)] {
            let spec = LeaseSpec {
                lease_duration_seconds: odd,
                ..LeaseSpec::default()
            };
            let lease = Lease {
                spec: Some(spec),
                ..Lease::default()
            };
            assert_eq!(record(&lease, own).duration, own, "{odd:?}");
        }
    }
}
