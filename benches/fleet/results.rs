//! What was measured: rows of figures, their medians and ratios, and what became worse. Pure.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How much higher a ratio may become.
const TOLERANCE: f64 = 1.2;

/// Ends the name of a figure that is not compared with an earlier report: the slowest of some hundred.
pub const TAIL: &str = "p99";

/// All rows that were measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub rows: Vec<Row>,
}

/// One scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    pub name: String,
    pub title: String,
    /// Restores in it, and the API keys that they share equally.
    pub objects: u32,
    pub keys: u32,
    /// The day, in UTC.
    pub measured: String,
    /// Cores and processor.
    pub machine: String,
    /// Which binary of the operator.
    pub binary: String,
    /// Cores that unrelated processes used meanwhile, one value for each window.
    pub other_load: Vec<f64>,
    pub figures: Vec<Figure>,
}

/// One quantity, with one value for each round. Less is better.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    pub name: String,
    pub unit: String,
    /// Empty where the floor has no such quantity.
    pub floor: Vec<f64>,
    pub operator: Vec<f64>,
}

/// What a quantity costs beside another tenant's trouble.
pub struct Cost<'a> {
    pub what: &'a str,
    pub unit: &'a str,
    pub alone: f64,
    /// Such as `1,500 rejected`.
    pub trouble: &'a str,
    pub beside: f64,
    /// Target of the ratio.
    pub most: f64,
}

/// Whose value it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Floor,
    Operator,
}

impl Report {
    pub fn of(row: Row) -> Self {
        Self { rows: vec![row] }
    }

    /// Adds a row, in place of one of that name.
    pub fn put(&mut self, row: Row) {
        match self.rows.iter_mut().find(|known| known.name == row.name) {
            Some(known) => *known = row,
            None => self.rows.push(row),
        }
    }

    pub fn row(&self, name: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.name == name)
    }
}

impl Row {
    /// Adds the value of one round.
    pub fn add(&mut self, side: Side, name: &str, unit: &str, value: f64) {
        let known = self.figures.iter().position(|figure| figure.name == name);
        let index = known.unwrap_or_else(|| {
            self.figures.push(Figure {
                name: name.to_owned(),
                unit: unit.to_owned(),
                floor: Vec::new(),
                operator: Vec::new(),
            });
            self.figures.len() - 1
        });
        let figure = &mut self.figures[index];
        match side {
            Side::Floor => figure.floor.push(value),
            Side::Operator => figure.operator.push(value),
        }
    }

    /// Adds both values of one round and their ratio: with an empty floor, because neither is one.
    pub fn add_cost(&mut self, cost: &Cost<'_>) {
        let Cost { what, unit, .. } = cost;
        let (alone, beside) = (cost.alone, cost.beside);
        let mut add = |name: String, unit, value| self.add(Side::Operator, &name, unit, value);
        add(format!("{what}, alone"), unit, alone);
        add(format!("{what}, beside {}", cost.trouble), unit, beside);
        if alone > 0.0 {
            let name = format!("{what}, ratio (target: at most {})", cost.most);
            add(name, "", beside / alone);
        }
    }

    pub fn figure(&self, name: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.name == name)
    }
}

impl Figure {
    /// The operator's median by the floor's, unless there is none or it is 0.
    pub fn ratio(&self) -> Option<f64> {
        let floor = median(&self.floor).filter(|floor| *floor > 0.0)?;
        Some(median(&self.operator)? / floor)
    }
}

/// Returns the value in the middle, or the mean of the two there.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = sorted.get(sorted.len() / 2)?;
    let lower = sorted.get(sorted.len().saturating_sub(1) / 2)?;
    Some(f64::midpoint(*lower, *upper))
}

/// Returns the value that `share` of the others do not exceed: the nearest rank.
pub fn percentile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

/// A ratio now, and in an earlier report.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    pub row: String,
    pub figure: String,
    pub before: f64,
    pub now: f64,
}

impl Comparison {
    /// Whether it is more than 20 % above the earlier one.
    pub fn is_regression(&self) -> bool {
        self.now > self.before * TOLERANCE
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            row,
            figure,
            before,
            now,
        } = self;
        write!(
            f,
            "{row}, {figure}: {before:.2} × the floor before, now {now:.2}"
        )
    }
}

/// Returns the ratios that both reports have, but those of a [`TAIL`].
pub fn comparisons(report: &Report, before: &Report) -> Vec<Comparison> {
    let mut all = Vec::new();
    for row in &report.rows {
        let known = before.row(&row.name);
        let compared = row.figures.iter();
        for figure in compared.filter(|figure| !figure.name.ends_with(TAIL)) {
            let earlier = known.and_then(|known| known.figure(&figure.name)?.ratio());
            if let (Some(before), Some(now)) = (earlier, figure.ratio()) {
                all.push(Comparison {
                    row: row.name.clone(),
                    figure: figure.name.clone(),
                    before,
                    now,
                });
            }
        }
    }
    all
}
