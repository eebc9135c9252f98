//! The requests to Pinecone for one restore, by a simulated clock.

use std::time::Duration;

use index_restore_operator::restore::Intervals;

/// The index and the backup are read before the claim, one request creates the index, and one reads it once the job is complete.
const OTHERS: u32 = 4;

/// The defaults of `--poll-min` and `--poll-max`.
pub const DEFAULT: Intervals = Intervals {
    poll_min: Duration::from_secs(2),
    poll_max: Duration::from_secs(60),
};

/// Lengths of a restore from 1 s to 5 h, about equally far apart on a logarithmic scale.
pub fn lengths() -> Vec<Duration> {
    let seconds = [
        1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 10_800, 18_000,
    ];
    seconds.map(Duration::from_secs).to_vec()
}

/// Returns the number of requests for a restore of that length which is not disturbed.
pub fn requests(intervals: Intervals, length: Duration) -> u32 {
    let mut age = Duration::ZERO;
    let mut polls = 0;
    while polls == 0 || age < length {
        age += intervals.poll(age);
        polls += 1;
    }
    OTHERS + polls
}
