//! Finds a secret in text, whichever way its characters are encoded.

use std::borrow::Cow;

/// Replaces the secret.
pub(super) const REDACTED: &str = "[REDACTED]";

/// Returns `text` without `secret`. Each character of the secret may be plain,
/// percent-encoded (`%5F`, also `%255F`) or escaped (`\u005f`, `\x5f`, `\/`), so
/// that text need not be decoded first: an error page may quote any encoding.
///
/// This protects against servers and proxies that echo a request. It cannot protect
/// against one that hides the key on purpose, and that one was sent the key anyway.
pub(super) fn redact<'a>(secret: &str, text: &'a str) -> Cow<'a, str> {
    let mut redacted = String::new();
    // Everything before this offset is in `redacted`.
    let mut copied = 0;
    for (at, _) in text.char_indices() {
        if at < copied {
            continue;
        }
        if let Some(length) = length_at_start(secret.as_bytes(), &text.as_bytes()[at..]) {
            redacted.push_str(&text[copied..at]);
            redacted.push_str(REDACTED);
            copied = at + length;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    redacted.push_str(&text[copied..]);
    Cow::Owned(redacted)
}

/// How many bytes of `text` the secret takes, where `text` starts with it.
fn length_at_start(secret: &[u8], text: &[u8]) -> Option<usize> {
    let ([wanted, ..], [next, ..]) = (secret, text) else {
        return None;
    };
    // Rules out nearly every position of a long text at once.
    if next != wanted && !matches!(next, b'%' | b'\\') {
        return None;
    }
    // One encoding can be the beginning of another: every possible end is followed.
    let mut ends = vec![0];
    for wanted in secret {
        let longer = ends
            .iter()
            .flat_map(|end| encodings(*wanted, &text[*end..]).map(move |length| end + length));
        ends = longer.collect();
        ends.sort_unstable();
        ends.dedup();
        if ends.is_empty() {
            return None;
        }
    }
    ends.last().copied()
}

/// The lengths of the encodings of `wanted` with which `text` starts.
fn encodings(wanted: u8, text: &[u8]) -> impl Iterator<Item = usize> {
    let plain = (text.first() == Some(&wanted)).then_some(1);
    let quoted = text.starts_with(&[b'\\', wanted]).then_some(2);
    let encoded = [percent_encoded(wanted, text), escaped(wanted, text)];
    [plain, quoted].into_iter().chain(encoded).flatten()
}

/// `%5F`, `%255F`, and so on.
fn percent_encoded(wanted: u8, text: &[u8]) -> Option<usize> {
    let mut digits = text.strip_prefix(b"%")?;
    loop {
        if hex(digits, 2) == Some(wanted.into()) {
            return Some(text.len() - digits.len() + 2);
        }
        digits = digits.strip_prefix(b"25")?;
    }
}

/// `\u005f` or `\x5f`, with any number of backslashes.
fn escaped(wanted: u8, text: &[u8]) -> Option<usize> {
    let backslashes = text.iter().take_while(|byte| **byte == b'\\').count();
    let (kind, digits) = text[backslashes..].split_first()?;
    let count = match kind {
        b'u' if backslashes > 0 => 4,
        b'x' if backslashes > 0 => 2,
        _ => return None,
    };
    (hex(digits, count)? == u32::from(wanted)).then_some(backslashes + 1 + count)
}

fn hex(text: &[u8], count: usize) -> Option<u32> {
    text.get(..count)?.iter().try_fold(0, |value, digit| {
        Some(value * 16 + char::from(*digit).to_digit(16)?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_secret_in_every_encoding() {
        for text in [
            "pcsk_a/1",
            "%70csk_a/1",
            "pcsk%5Fa%2F1",
            "pcsk%5fa%2f1",
            "pcsk%255Fa%25252F1",
            "pcsk_a\\/1",
            "\\u0070csk\\u005Fa/1",
            "\\\\u0070csk_a\\x2f1",
            "%70%63%73%6b%5f%61%2f%31",
        ] {
            let redacted = redact("pcsk_a/1", text);
            assert_eq!(redacted, REDACTED, "{text}");
            let around = format!("\u{e9} {text}, {text}\u{e9}");
            let redacted = redact("pcsk_a/1", &around);
            assert_eq!(redacted, "\u{e9} [REDACTED], [REDACTED]\u{e9}", "{text}");
        }
    }

    #[test]
    fn follows_encodings_that_begin_alike() {
        assert_eq!(redact("a%b", "a%b a%25b"), "[REDACTED] [REDACTED]");
        assert_eq!(redact("a\\b", "a\\b a\\\\b"), "[REDACTED] [REDACTED]");
        assert_eq!(redact("\\\\", "\\\\\\\\"), REDACTED);
    }

    #[test]
    fn leaves_other_text_unchanged() {
        for text in [
            "",
            "p",
            "pcsk",
            "pcsk_b",
            "%",
            "%7",
            "%25",
            "%2",
            "\\",
            "\\u",
            "\\u00",
            "\\x",
            "\\n",
            "u0070",
            "x70",
            "%+70",
            "pcsk%5",
            "\u{e9}%\u{e9}\\\u{e9}",
            "\\u\u{e9}00",
        ] {
            assert!(
                matches!(redact("pcsk_a", text), Cow::Borrowed(same) if same == text),
                "{text}"
            );
        }
        assert_eq!(redact("", "text"), "text");
    }
}
