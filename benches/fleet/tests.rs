//! Tests of the computing parts of the fleet bench: Cargo runs no unit tests in a bench without harness.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod limit_use;
mod picture;
mod polls;
mod results;
mod table;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use limit_use::{LimitUse, TOO_MANY_REQUESTS};
use picture::{Chart, Line};
use polls::{DEFAULT, lengths, requests};
use results::{Cost, Report, Row, Side, comparisons, median, percentile};

fn row(name: &str) -> Row {
    Row {
        name: name.to_owned(),
        title: "100 restores".to_owned(),
        objects: 100,
        keys: 1,
        measured: "2026-01-01".to_owned(),
        machine: "2 cores".to_owned(),
        binary: "gnu".to_owned(),
        other_load: vec![0.5],
        figures: Vec::new(),
    }
}

fn with_ratio(floor: f64, operator: f64) -> Report {
    let mut row = row("wall-100");
    row.add(Side::Floor, "wall", "s", floor);
    row.add(Side::Operator, "wall", "s", operator);
    Report::of(row)
}

#[test]
fn requests_grow_with_the_logarithm_of_the_length_until_poll_max() {
    let of = |seconds| requests(DEFAULT, Duration::from_secs(seconds));
    // Preflight of two, the create, one poll, and the index.
    assert_eq!(of(1), 5);
    assert_eq!(of(2), 5);
    // Every two seconds up to 16 s.
    assert_eq!(of(16), 4 + 8);
    // From 480 s on one each minute.
    assert_eq!(of(7200) - of(3600), 60);
    let all: Vec<u32> = lengths()
        .iter()
        .map(|length| requests(DEFAULT, *length))
        .collect();
    assert!(all.is_sorted(), "{all:?}");
    assert!((300..350).contains(all.last().unwrap()), "{all:?}");
}

#[test]
fn a_median_is_in_the_middle_and_a_percentile_at_its_rank() {
    assert_eq!(median(&[]), None);
    assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
    assert_eq!(median(&[4.0, 1.0]), Some(2.5));
    let values: Vec<f64> = (1..=100).map(f64::from).collect();
    assert_eq!(percentile(&values, 0.5), Some(50.0));
    assert_eq!(percentile(&values, 0.99), Some(99.0));
    assert_eq!(percentile(&[7.0], 0.99), Some(7.0));
    assert_eq!(percentile(&[], 0.5), None);
}

#[test]
fn a_ratio_may_rise_by_a_fifth_and_no_further() {
    let before = with_ratio(2.0, 4.0);
    let compare = |report: Report| comparisons(&report, &before);
    assert!(!compare(with_ratio(1.0, 2.39))[0].is_regression());
    let worse = compare(with_ratio(1.0, 2.41));
    assert!(worse.len() == 1 && worse[0].is_regression());
    let reported = worse[0].to_string();
    assert_eq!(
        reported,
        "wall-100, wall: 2.00 × the floor before, now 2.41"
    );
    // A figure without a floor, and a row that is new, have nothing to compare.
    let mut other = row("start");
    other.add(Side::Operator, "wall", "s", 9.0);
    assert_eq!(compare(Report::of(other)), []);
}

#[test]
fn the_slowest_of_some_hundred_are_not_compared() {
    let with_tail = |operator| {
        let mut row = row("latency");
        row.add(Side::Floor, "from create, p99", "ms", 1.0);
        row.add(Side::Operator, "from create, p99", "ms", operator);
        Report::of(row)
    };
    assert_eq!(comparisons(&with_tail(9.0), &with_tail(1.0)), []);
}

#[test]
fn a_row_that_is_measured_again_takes_the_place_of_the_earlier_one() {
    let mut report = with_ratio(1.0, 2.0);
    report.put(with_ratio(1.0, 3.0).rows.remove(0));
    report.put(row("start"));
    assert_eq!(report.rows.len(), 2);
    let wall = report.row("wall-100").unwrap().figure("wall").unwrap();
    assert_eq!(wall.ratio(), Some(3.0));
}

#[test]
fn the_tables_have_a_line_for_each_figure_and_each_row() {
    let mut report = with_ratio(2.0, 130.4);
    let only_operator = (Side::Operator, "peak RSS", "MiB", 0.0);
    let (side, name, unit, value) = only_operator;
    report.rows[0].add(side, name, unit, value);
    let figures = table::figures(&report);
    let lines: Vec<&str> = figures.lines().skip(2).collect();
    let wall = "| 100 restores | wall, s | 2.00 | 130 | 65.2 |";
    assert_eq!(lines, [wall, "|  | peak RSS, MiB |  | 0 |  |"]);
    let circumstances = table::circumstances(&report);
    let last = circumstances.lines().last().unwrap();
    let expected = "| 100 restores | `wall-100` | 2026-01-01 | 1 | 0.500 | gnu | 2 cores |";
    assert_eq!(last, expected);
}

#[test]
fn a_chart_spans_its_points_and_escapes_its_texts() {
    let chart = Chart {
        title: "a < b & c",
        x: "objects",
        y: "s",
        ticks: vec![(100.0, "100".to_owned()), (10_000.0, "10,000".to_owned())],
        lines: vec![Line {
            name: "operator",
            points: vec![(100.0, 0.0), (1_000.0, 3.0), (10_000.0, 4.0)],
        }],
    };
    let svg = chart.svg();
    assert!(svg.contains("a &lt; b &amp; c"), "{svg}");
    // From the left below to the right above; the middle of a logarithmic axis between.
    assert!(
        svg.contains("points=\"64.0,304.0 340.0,112.0 616.0,48.0\""),
        "{svg}"
    );
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
}

#[test]
fn a_cost_has_both_values_and_their_ratio_and_is_not_compared_with_the_floor() {
    let mut report = Report::of(row("fair"));
    report.rows[0].add_cost(&Cost {
        what: "40 restores",
        unit: "s",
        alone: 2.0,
        trouble: "1,500 rejected",
        beside: 3.0,
        most: 1.5,
    });
    let figures = table::figures(&report);
    let lines: Vec<&str> = figures.lines().skip(2).collect();
    let expected = [
        "| 100 restores | 40 restores, alone, s |  | 2.00 |  |",
        "|  | 40 restores, beside 1,500 rejected, s |  | 3.00 |  |",
        "|  | 40 restores, ratio (target: at most 1.5) |  | 1.50 |  |",
    ];
    assert_eq!(lines, expected);
    assert_eq!(comparisons(&report, &report), []);
}

#[test]
fn a_cost_of_nothing_has_no_ratio() {
    let mut row = row("fair");
    row.add_cost(&Cost {
        what: "writes",
        unit: "",
        alone: 0.0,
        trouble: "trouble",
        beside: 3.0,
        most: 1.0,
    });
    assert_eq!(row.figures.len(), 2);
}

#[test]
fn the_use_of_a_limit_counts_accepted_requests_against_a_burst_and_the_rate() {
    let at = |second| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second);
    assert_eq!(LimitUse::of(&[], 2), None);
    // A burst of two, then two each second for four seconds: ten were allowed.
    let mut requests = vec![(at(0), 200); 4];
    requests.extend([(at(1), TOO_MANY_REQUESTS); 2]);
    requests.extend([(at(4), 202); 4]);
    let used = LimitUse::of(&requests, 2).unwrap();
    assert!((used.unused - 20.0).abs() < 1e-9, "{used:?}");
    assert!((used.limited - 20.0).abs() < 1e-9, "{used:?}");
}
