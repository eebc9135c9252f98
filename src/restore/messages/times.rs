//! How messages name times. Each is a bound or a period that stays the same from one retry to the
//! next: a text that changed with each retry would be a status write and an event each time. The
//! schedule adds up to a tenth to every wait, and messages do not repeat that.

use std::time::Duration;

use jiff::Timestamp;

use crate::api::conditions::whole_seconds;
use crate::pinecone::MAX_RETRY_AFTER;

/// Returns a duration with the largest unit that shows it exactly: `500 ms`, `20 s`, `5 min`, `1 h`.
/// One minute is `60 s`.
pub(super) fn length(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match duration.subsec_nanos() {
        0 if seconds > 0 && seconds.is_multiple_of(3_600) => format!("{} h", seconds / 3_600),
        0 if seconds > 60 && seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        0 => format!("{seconds} s"),
        _ => format!("{} ms", duration.as_millis()),
    }
}

/// Returns the longest time until the next try, such as `at least every 5 min`.
pub(super) fn at_least_every(longest: Duration) -> String {
    format!("at least every {}", length(longest))
}

/// As [`at_least_every`], for requests whose answer can have a Retry-After.
pub(super) fn at_least_every_unless_paused(longest: Duration) -> String {
    let pause = length(MAX_RETRY_AFTER);
    format!(
        "at least every {}, unless Pinecone asks for a longer pause (up to {pause})",
        length(longest)
    )
}

/// Returns a time as a status spells it, in whole seconds.
pub(super) fn at(time: Timestamp) -> String {
    whole_seconds(time).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_their_largest_exact_unit() {
        for (milliseconds, named) in [
            (0, "0 s"),
            (500, "500 ms"),
            (1_500, "1500 ms"),
            (20_000, "20 s"),
            (60_000, "60 s"),
            (90_000, "90 s"),
            (300_000, "5 min"),
            (3_600_000, "1 h"),
            (5_400_000, "90 min"),
        ] {
            assert_eq!(length(Duration::from_millis(milliseconds)), named);
        }
    }
}
