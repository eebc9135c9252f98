//! How an API key used the limit of its requests. Pure.

use jiff::Timestamp;

pub const TOO_MANY_REQUESTS: u16 = 429;

/// Shares in percent, of which less is better.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LimitUse {
    /// Of the requests that the limit allowed from the first request to the last, those that were not made.
    pub unused: f64,
    /// Of all requests, those that were answered 429.
    pub limited: f64,
}

impl LimitUse {
    /// Of a key that may make `per_second` requests, and as many in one burst, by its requests and their answers.
    pub fn of(requests: &[(Timestamp, u16)], per_second: u32) -> Option<Self> {
        let (first, last) = (requests.first()?.0, requests.last()?.0);
        let seconds = last.duration_since(first).as_secs_f64();
        let allowed = f64::from(per_second) * (seconds + 1.0);
        let is_limited = |request: &&(Timestamp, u16)| request.1 == TOO_MANY_REQUESTS;
        let limited = requests.iter().filter(is_limited).count() as f64;
        let all = requests.len() as f64;
        Some(Self {
            unused: 100.0 * (1.0 - (all - limited) / allowed),
            limited: 100.0 * limited / all,
        })
    }
}
