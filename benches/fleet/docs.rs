//! The generated part of `docs/performance.md`, and its pictures.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::picture::{Chart, Line};
use crate::polls::{DEFAULT, lengths, requests};
use crate::results::{Figure, Report, Row, median};
use crate::table;

const BEGIN: &str = "<!-- Written by `cargo bench --bench fleet -- --docs`. -->\n";
const END: &str = "<!-- End of the written part. -->\n";

/// Objects on one key, of the rows in the pictures: with another share, the rate limit of a key would bend the lines.
const OBJECTS_ON_A_KEY: u32 = 100;

/// A picture of a figure against the number of restores.
struct Picture {
    file: &'static str,
    title: &'static str,
    figure: &'static str,
    unit: &'static str,
}

const PICTURES: [Picture; 3] = [
    Picture {
        file: "wall.svg",
        title: "Time until all restores are ready",
        figure: "until all are ready",
        unit: "s",
    },
    Picture {
        file: "cpu.svg",
        title: "Own CPU time of one restore",
        figure: "own CPU of one restore",
        unit: "ms",
    },
    Picture {
        file: "rss.svg",
        title: "Peak RSS of the operator",
        figure: "RSS peak",
        unit: "MiB",
    },
];

/// Puts the rows into `docs/performance/fleet.json`, and writes the tables and pictures from all rows there.
pub fn update(measured: &Report) -> Result<()> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let folder = docs.join("performance");
    fs::create_dir_all(&folder)?;
    let stored = folder.join("fleet.json");
    let mut report = match stored.is_file() {
        true => crate::read(&stored)?,
        false => Report::default(),
    };
    for row in &measured.rows {
        report.put(row.clone());
    }
    crate::write(&stored, &report)?;
    fs::write(folder.join("requests.svg"), requests_picture())?;
    let mut rows: Vec<&Row> = report.rows.iter().filter(|row| is_drawn(row)).collect();
    rows.sort_by_key(|row| row.objects);
    let mut part = format!("\n{}\n\n", table::figures(&report));
    if !rows.is_empty() {
        for picture in &PICTURES {
            fs::write(folder.join(picture.file), picture.svg(&rows))?;
            part += &picture.link();
        }
    }
    part += "When and how each row was measured:\n\n";
    part += &format!("{}\n\n", table::circumstances(&report));
    replace_part(&docs.join("performance.md"), &part)
}

fn replace_part(page: &Path, part: &str) -> Result<()> {
    let text = fs::read_to_string(page)?;
    let before = text.split_once(BEGIN);
    let (before, rest) = before.context("docs/performance.md has no begin of the written part")?;
    let after = rest.split_once(END);
    let (_, after) = after.context("docs/performance.md has no end of the written part")?;
    let text = format!("{before}{BEGIN}{part}{END}{after}");
    fs::write(page, text).context("writing docs/performance.md")
}

fn is_drawn(row: &Row) -> bool {
    row.name.starts_with("wall-") && row.objects == row.keys * OBJECTS_ON_A_KEY
}

impl Picture {
    fn svg(&self, rows: &[&Row]) -> String {
        let points = |values: fn(&Figure) -> &[f64]| -> Vec<(f64, f64)> {
            let point = |row: &&Row| {
                let value = median(values(row.figure(self.figure)?))?;
                Some((f64::from(row.objects), value))
            };
            rows.iter().filter_map(point).collect()
        };
        let operator = points(|figure| &figure.operator);
        let floor = points(|figure| &figure.floor);
        let lines = [("operator", operator), ("floor", floor)];
        let lines = lines.into_iter().filter(|(_, points)| !points.is_empty());
        let tick = |row: &&Row| (f64::from(row.objects), row.objects.to_string());
        Chart {
            title: self.title,
            x: "restores of 1 s at once, 100 on each API key",
            y: self.unit,
            ticks: rows.iter().map(tick).collect(),
            lines: lines.map(|(name, points)| Line { name, points }).collect(),
        }
        .svg()
    }

    fn link(&self) -> String {
        format!(
            "![{}, for restores of 1 s with 100 on each API key](performance/{})\n\n",
            self.title, self.file
        )
    }
}

fn requests_picture() -> String {
    let point = |length: &std::time::Duration| {
        (length.as_secs_f64(), f64::from(requests(DEFAULT, *length)))
    };
    let ticks = [
        (1.0, "1 s"),
        (10.0, "10 s"),
        (60.0, "1 min"),
        (600.0, "10 min"),
        (3_600.0, "1 h"),
        (18_000.0, "5 h"),
    ];
    Chart {
        title: "Requests to Pinecone for one restore",
        x: "length of the restore (simulated clock)",
        y: "requests",
        ticks: ticks.map(|(at, label)| (at, label.to_owned())).to_vec(),
        lines: vec![Line {
            name: "operator",
            points: lengths().iter().map(point).collect(),
        }],
    }
    .svg()
}
