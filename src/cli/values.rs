//! Parsers of the values of flags.

use std::time::Duration;

use jiff::SignedDuration;

/// A flag's value that is not a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a duration above zero, such as 500ms, 30s or 2m")]
pub struct InvalidDuration;

/// A flag's value that Kubernetes does not accept as a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be lowercase letters, digits and '-', and begin and end with a letter or digit")]
pub struct InvalidName;

/// Parses a duration above zero.
pub fn duration(text: &str) -> Result<Duration, InvalidDuration> {
    let duration: SignedDuration = text.parse().map_err(|_| InvalidDuration)?;
    Duration::try_from(duration)
        .ok()
        .filter(|duration| !duration.is_zero())
        .ok_or(InvalidDuration)
}

/// Parses a duration, or 0.
pub fn duration_or_none(text: &str) -> Result<Duration, InvalidDuration> {
    match text {
        "0" | "0s" => Ok(Duration::ZERO),
        _ => duration(text),
    }
}

/// Parses the name of a namespace. An empty one counts as not set.
pub fn namespace(text: &str) -> Result<String, InvalidName> {
    match text.is_empty() || (text.len() <= 63 && is_label(text)) {
        true => Ok(text.to_owned()),
        false => Err(InvalidName),
    }
}

/// Parses the name of a Lease: labels that are separated by dots.
pub fn lease_name(text: &str) -> Result<String, InvalidName> {
    match text.len() <= 253 && text.split('.').all(is_label) {
        true => Ok(text.to_owned()),
        false => Err(InvalidName),
    }
}

fn is_label(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    let (first, last) = (bytes.first().copied(), bytes.last().copied());
    first.is_some_and(plain)
        && last.is_some_and(plain)
        && bytes.iter().all(|byte| plain(*byte) || *byte == b'-')
}
