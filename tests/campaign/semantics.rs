//! What the schema cannot express: its rules in CEL, and Pinecone's own. Written from
//! the reference, not from the definition, so that a rule that is lost is missed.

/// Texts that break naive checks.
pub const PROBES: [&str; 34] = [
    "A",
    "Mixed-Case",
    "under_score",
    "dot.ted",
    "-lead",
    "trail-",
    "double--dash",
    "0",
    "a b",
    " lead",
    "trail ",
    "tab\tbed",
    "line\nbreak",
    "nul\u{0}",
    "\u{7f}",
    "sl/ash",
    "../up",
    "back\\slash",
    ".",
    "..",
    "a..b",
    "%2F",
    "q?x=1#f",
    "émigré",
    "e\u{301}",
    "日本",
    "אב",
    "😀",
    "\u{200b}",
    "a\u{a0}b",
    "\"quoted\"",
    "null",
    "${HOME}",
    "a;b@c_d.e+f",
];

/// Whether the field may have that value, lengths aside; `None`: nothing is known of
/// such a field.
pub fn is_legal(field: &str, text: &str) -> Option<bool> {
    let plain = |c: char| c.is_ascii_alphanumeric();
    let lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let framed = |extra: &str| {
        let inner = text.chars().all(|c| lower(c) || extra.contains(c));
        inner && text.starts_with(lower) && text.ends_with(lower)
    };
    // Zero-width and private characters count as control characters.
    let is_seen = |c: char| !c.is_whitespace() && !c.is_control() && c != '\u{200b}' && c != '/';
    match field {
        "backupId" => Some(text.chars().all(is_seen) && text != "." && text != ".."),
        "indexName" => Some(framed("-")),
        "tags{}" => Some(text.chars().all(|c| plain(c) || ";@_.+ -".contains(c))),
        "tags{key}" => {
            let fits = (1..=80).contains(&text.chars().count());
            Some(fits && text.chars().all(|c| plain(c) || "_-".contains(c)))
        }
        "apiKeySecretRef.name" => Some(framed("-.")),
        "apiKeySecretRef.key" => Some(text.chars().all(|c| plain(c) || "-_.".contains(c))),
        _ => None,
    }
}

/// What may not be changed once the restore was submitted.
pub const FROZEN: [&str; 4] = ["backupId", "indexName", "tags", "deletionProtection"];
