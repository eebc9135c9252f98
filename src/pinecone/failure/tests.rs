use super::super::untrusted::MAX_WORDS;
use super::*;

fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> Failure {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, value.parse().unwrap());
    }
    let now = "2026-11-22T10:00:00Z".parse().unwrap();
    let status = StatusCode::from_u16(status).unwrap();
    let key = ApiKey::new(b"pcsk_canary").unwrap();
    Failure::from_answer(status, &map, body, &key, now)
}

fn own(status: u16, code: &str) -> Failure {
    let body = format!(r#"{{"status":{status},"error":{{"code":"{code}","message":"words"}}}}"#);
    answer(status, &[("content-type", "application/json")], &body)
}

#[test]
fn pinecones_own_form_says_what_happened() {
    for (status, kind) in [
        (400, FailureKind::Invalid),
        (401, FailureKind::Unauthorized),
        (402, FailureKind::PaymentRequired),
        (403, FailureKind::Forbidden),
        (404, FailureKind::NotFound),
        (409, FailureKind::AlreadyExists),
        (412, FailureKind::PreconditionFailed),
        (422, FailureKind::Invalid),
        (429, FailureKind::RateLimited),
        (408, FailureKind::Unavailable),
        (500, FailureKind::Unavailable),
        (503, FailureKind::Unavailable),
    ] {
        assert_eq!(own(status, "CODE").kind, kind, "{status}");
    }
}

#[test]
fn distinguishes_a_missing_permission_from_a_quota() {
    let kind = own(403, "PERMISSION_DENIED").kind;
    assert_eq!(kind, FailureKind::PermissionDenied);
}

#[test]
fn a_400_about_the_api_version_is_not_an_invalid_request() {
    for (message, kind) in [
        (
            "Unsupported API version: 2031-01",
            FailureKind::UnsupportedVersion,
        ),
        (
            "Invalid header X-Pinecone-Api-Version",
            FailureKind::UnsupportedVersion,
        ),
        ("Invalid metric", FailureKind::Invalid),
    ] {
        let body = format!(r#"{{"error":{{"code":"INVALID_ARGUMENT","message":"{message}"}}}}"#);
        assert_eq!(answer(400, &[], &body).kind, kind, "{message}");
    }
}

#[test]
fn another_form_is_nobodys_word_but_for_the_plain_401() {
    for status in [400, 402, 403, 404, 409, 412, 422, 429] {
        let proxy = answer(status, &[], "<html>denied</html>");
        assert_eq!(proxy.kind, FailureKind::Unavailable, "{status}");
        assert_eq!(proxy.words, "an HTML page instead of an API answer");
    }
    assert_eq!(
        answer(401, &[], "Invalid API key").kind,
        FailureKind::Unauthorized
    );
    assert_eq!(
        answer(401, &[], "<html>log in</html>").kind,
        FailureKind::Unavailable
    );
}

#[test]
fn parses_both_forms_of_retry_after_and_limits_it() {
    let seconds = |value| answer(503, &[("retry-after", value)], "").retry_after;
    assert_eq!(seconds("7"), Some(Duration::from_secs(7)));
    assert_eq!(
        seconds("Sun, 22 Nov 2026 10:00:30 GMT"),
        Some(Duration::from_secs(30))
    );
    assert_eq!(
        seconds("Sun, 22 Nov 2026 09:00:00 GMT"),
        Some(Duration::ZERO)
    );
    assert_eq!(seconds("999999999"), Some(MAX_RETRY_AFTER));
    assert_eq!(seconds("soon"), None);
    assert_eq!(
        seconds("Fri, 31 Dec 9999 23:59:59 GMT"),
        None,
        "no such time"
    );
    assert_eq!(
        answer(503, &[("retry-after", "\u{e9}")], "").retry_after,
        None
    );
    assert_eq!(answer(503, &[], "").retry_after, None);
}

#[test]
fn obeys_retry_after_only_on_429_and_5xx() {
    let asked = |status| answer(status, &[("retry-after", "3600")], "").retry_after;
    for status in [429, 500, 502, 503, 504] {
        assert_eq!(asked(status), Some(MAX_RETRY_AFTER), "{status}");
    }
    for status in [307, 400, 401, 402, 403, 404, 408, 409, 412, 422] {
        assert_eq!(asked(status), None, "{status}");
    }
}

#[test]
fn a_failure_shows_status_code_and_words() {
    assert_eq!(
        own(409, "ALREADY_EXISTS").to_string(),
        "HTTP 409 ALREADY_EXISTS: words"
    );
    assert_eq!(answer(503, &[], "busy.").to_string(), "HTTP 503: busy");
    assert_eq!(answer(503, &[], "").to_string(), "HTTP 503");
    let nobody = Failure::without_answer(FailureKind::NotConnected, "refused");
    assert_eq!(nobody.to_string(), "no answer: refused");
    let labels = FailureKind::ALL.map(FailureKind::label);
    let distinct: std::collections::HashSet<_> = labels.into_iter().collect();
    assert_eq!(distinct.len(), labels.len());
}

#[test]
fn untrusted_text_is_one_line_and_cut() {
    let body = format!("a\r\n\u{1b}[31mb {}", "x".repeat(1_000));
    let failure = answer(500, &[("x-request-id", "r-1")], &body);
    assert!(failure.words.starts_with("a [31mb x"));
    assert!(failure.words.chars().count() <= MAX_WORDS + 1);
    assert!(failure.to_string().ends_with(", request ID r-1"));
}

#[test]
fn an_echoed_key_is_in_no_part_of_a_failure() {
    let escaped = r#"{"error":{"code":"\u0070csk_canary","message":"\u0070csk_canary\u202e"}}"#;
    for (body, words) in [
        (escaped, "HTTP 401 [REDACTED]: [REDACTED]"),
        ("pcsk%5Fcanary", "HTTP 401: [REDACTED]"),
        (r#"{"\u0070csk_canary":1}"#, "HTTP 401: {\"[REDACTED]\":1}"),
    ] {
        for header in ["x-request-id", "x-pinecone-request-id"] {
            let failure = answer(401, &[(header, "pcsk_canary%0A")], body);
            let expected = format!("{words}, request ID [REDACTED]%0A");
            assert_eq!(failure.to_string(), expected);
        }
    }
    // The cut must not leave a part of the key that is no longer recognised.
    let long = format!("{}pcsk_canary", "x".repeat(MAX_WORDS - 5));
    assert!(!answer(500, &[], &long).words.contains("pcsk"));
    let id = format!("{}pcsk_canary", "x".repeat(60));
    let failure = answer(500, &[("x-request-id", &id)], "");
    assert!(!failure.to_string().contains("pcs"), "{failure}");
}
