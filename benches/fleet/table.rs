//! Markdown tables of a report. Pure.

use crate::results::{Figure, Report, median};

/// Returns the medians and ratios of all rows.
pub fn figures(report: &Report) -> String {
    let mut lines = vec![
        "| row | | floor | operator | ratio |".to_owned(),
        "|---|---|---:|---:|---:|".to_owned(),
    ];
    for row in &report.rows {
        for (number, figure) in row.figures.iter().enumerate() {
            let name = if number == 0 { row.title.as_str() } else { "" };
            lines.push(line(name, figure));
        }
    }
    lines.join("\n")
}

fn line(row: &str, figure: &Figure) -> String {
    let cell = |values: &[f64]| median(values).map_or_else(String::new, number);
    let ratio = figure.ratio().map_or_else(String::new, number);
    let unit = match figure.unit.as_str() {
        "" => String::new(),
        unit => format!(", {unit}"),
    };
    format!(
        "| {row} | {}{unit} | {} | {} | {ratio} |",
        figure.name,
        cell(&figure.floor),
        cell(&figure.operator)
    )
}

/// Returns when and under which load each row was measured.
pub fn circumstances(report: &Report) -> String {
    let mut lines = vec![
        "| row | `--only` | measured | rounds | other load, cores | binary | machine |".to_owned(),
        "|---|---|---|---:|---:|---|---|".to_owned(),
    ];
    for row in &report.rows {
        let rounds = row.figures.iter().map(|figure| figure.operator.len());
        lines.push(format!(
            "| {} | `{}` | {} | {} | {} | {} | {} |",
            row.title,
            row.name,
            row.measured,
            rounds.max().unwrap_or_default(),
            median(&row.other_load).map_or_else(String::new, number),
            row.binary,
            row.machine
        ));
    }
    lines.join("\n")
}

/// Three significant digits.
pub fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size < 0.01 => format!("{value:.4}"),
        size if size < 1.0 => format!("{value:.3}"),
        size if size < 10.0 => format!("{value:.2}"),
        size if size < 100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}
