//! `/metrics`: what it shows, and in which format.

use testkit::scene::{Running, Scene};

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_operator_shows_its_counters_at_zero() {
    let scene = Scene::new().await;
    let operator = scene.start().await;
    let text = operator.get("/metrics").await.unwrap().1;
    let mut expected = vec![
        "indexrestore_orphaned_total".to_owned(),
        "indexrestore_status_write_conflicts_total".to_owned(),
        "indexrestore_watch_errors_total".to_owned(),
        "indexrestore_reconcile_duration_seconds_count".to_owned(),
    ];
    for outcome in ["accepted", "no_effect", "taken", "unknown", "unsent"] {
        expected.push(format!(
            "indexrestore_submissions_total{{outcome=\"{outcome}\"}}"
        ));
    }
    for outcome in [
        "ok",
        "malformed",
        "kubernetes_forbidden",
        "kubernetes_not_found",
        "kubernetes_conflict",
        "kubernetes_invalid",
        "kubernetes_error",
        "kubernetes_unavailable",
    ] {
        expected.push(format!(
            "indexrestore_reconciles_total{{outcome=\"{outcome}\"}}"
        ));
    }
    for (operation, success) in [
        ("create_index_from_backup", 202),
        ("describe_backup", 200),
        ("describe_index", 200),
        ("list_indexes", 200),
        ("describe_restore_job", 200),
        ("list_restore_jobs", 200),
    ] {
        for code in [success, 0, 429, 500, 502, 503, 504] {
            expected.push(format!(
                "indexrestore_pinecone_requests_total{{operation=\"{operation}\",code=\"{code}\"}}"
            ));
        }
        expected.push(format!(
            "indexrestore_pinecone_request_duration_seconds_count{{operation=\"{operation}\"}}"
        ));
    }
    for series in expected {
        let line = format!("{series} 0");
        assert!(
            text.lines().any(|shown| shown == line),
            "{line} is missing from\n{text}"
        );
    }
}

const OPEN_METRICS: &str = "application/openmetrics-text";

/// GETs the metrics: the Content-Type and the text.
async fn scrape(operator: &Running, accept: &[&str]) -> (String, String) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = client.get(format!("http://{}/metrics", operator.address));
    for value in accept {
        request = request.header("accept", *value);
    }
    let response = request.send().await.unwrap();
    let content_type = response.headers()["content-type"].to_str().unwrap();
    (content_type.to_owned(), response.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_have_the_format_that_the_scraper_asks_for() {
    let scene = Scene::new().await;
    let operator = scene.start().await;
    let prometheus = "application/openmetrics-text;version=1.0.0;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.3";
    for accept in [
        &[prometheus][..],
        &[OPEN_METRICS],
        &["*/*;q=0.1", OPEN_METRICS],
    ] {
        let (content_type, text) = scrape(&operator, accept).await;
        let expected = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        assert_eq!(content_type, expected, "{accept:?}");
        assert!(text.ends_with("\n# EOF\n"), "{text}");
        assert!(
            text.contains("# TYPE indexrestore_orphaned counter\n"),
            "{text}"
        );
        assert!(
            text.contains("# UNIT process_cpu_seconds seconds\n"),
            "{text}"
        );
    }
    let only_old = format!("{OPEN_METRICS};version=0.0.1");
    for accept in [&[][..], &["*/*"], &["text/plain"], &[&only_old]] {
        let (content_type, text) = scrape(&operator, accept).await;
        let expected = "text/plain; version=0.0.4; charset=utf-8";
        assert_eq!(content_type, expected, "{accept:?}");
        for line in [
            "# TYPE indexrestore_orphaned_total counter",
            "# TYPE indexrestore_build_info gauge",
            "# TYPE process_cpu_seconds_total counter",
            "indexrestore_orphaned_total 0",
        ] {
            assert!(text.lines().any(|shown| shown == line), "{line}\n{text}");
        }
        assert!(
            !text.contains("# EOF") && !text.contains("# UNIT"),
            "{text}"
        );
    }
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn metrics_show_the_process() {
    let before = jiff::Timestamp::now().as_second() as f64;
    let scene = Scene::new().await;
    let operator = scene.start().await;
    let text = operator.get("/metrics").await.unwrap().1;
    let after = jiff::Timestamp::now().as_second() as f64;
    let value = |name: &str| -> f64 {
        let mut values = text.lines().filter_map(|line| line.strip_prefix(name));
        let value = values.next().unwrap_or_else(|| panic!("no {name}\n{text}"));
        value.trim().parse().unwrap()
    };
    let cpu = value("process_cpu_seconds_total ");
    assert!(cpu > 0.0 && cpu < after - before + 2.0, "{cpu}");
    let start = value("process_start_time_seconds ");
    assert!((before - 1.0..=after + 1.0).contains(&start), "{start}");
    let process = std::path::Path::new("/proc").join(operator.process.pid().to_string());
    let status = std::fs::read_to_string(process.join("status")).unwrap();
    let shown = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let shown = shown.unwrap().trim().trim_end_matches(" kB");
    let ratio = value("process_resident_memory_bytes ") / (shown.parse::<f64>().unwrap() * 1024.0);
    assert!((0.5..2.0).contains(&ratio), "{ratio} of {shown} KiB");
    let open = std::fs::read_dir(process.join("fd")).unwrap().count() as f64;
    let counted = value("process_open_fds ");
    assert!((counted - open).abs() < 10.0, "{counted} instead of {open}");
    assert!(value("process_max_fds ") >= counted);
}
