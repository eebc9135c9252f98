//! The rows: what is measured, and which of it by default.

mod fair;
mod finished;
mod single;
mod wall;

use std::time::Duration;

use anyhow::Result;
use clap::builder::PossibleValuesParser;
use jiff::Timestamp;

use self::fair::Trouble;
use crate::binary::Binary;
use crate::machine;
use crate::results::{Row, Side};

/// What all rows share.
pub struct Session {
    pub binary: Binary,
    pub api_version: String,
    pub rounds: u16,
}

/// One row.
pub struct Plan {
    pub name: &'static str,
    kind: Kind,
    objects: u32,
    keys: u32,
    /// Whether `--quick` measures it, or a whole run.
    is_quick: bool,
}

#[derive(Clone, Copy)]
enum Kind {
    /// Size of the binary.
    Binary,
    /// First create request after a start.
    Start,
    /// From creating an object to its create request, on an idle operator.
    Latency,
    /// Peak of memory with large annotations.
    Annotations,
    /// Many objects at once, beside the floor.
    Wall,
    /// Start and steady state with many finished objects.
    Finished,
    /// What the trouble of one API key costs the others.
    Fair(Trouble),
}

const fn plan(name: &'static str, kind: Kind, objects: u32, keys: u32) -> Plan {
    Plan {
        name,
        kind,
        objects,
        keys,
        is_quick: false,
    }
}

const fn quick(plan: Plan) -> Plan {
    Plan {
        is_quick: true,
        ..plan
    }
}

/// The rows of `--quick`, and all others.
static ROWS: [Plan; 20] = [
    plan("binary", Kind::Binary, 0, 0),
    plan("start", Kind::Start, 1, 1),
    plan("latency", Kind::Latency, 200, 4),
    plan("annotations-300", Kind::Annotations, 300, 3),
    plan("wall-500", Kind::Wall, 500, 1),
    plan("wall-100", Kind::Wall, 100, 1),
    plan("wall-300", Kind::Wall, 300, 3),
    plan("wall-1000", Kind::Wall, 1_000, 10),
    plan("wall-3000", Kind::Wall, 3_000, 30),
    plan("wall-10000", Kind::Wall, 10_000, 100),
    plan("finished-10000", Kind::Finished, 10_000, 100),
    plan("fair-refused", Kind::Fair(Trouble::Rejected), 1_500, 3),
    plan("fair-hanging", Kind::Fair(Trouble::Hanging), 60, 3),
    plan("fair-missing", Kind::Fair(Trouble::Missing), 10_000, 1),
    plan("fair-pace", Kind::Fair(Trouble::Limited), 300, 3),
    quick(plan("quick-latency", Kind::Latency, 10, 1)),
    quick(plan("quick-annotations", Kind::Annotations, 10, 1)),
    quick(plan("quick-wall", Kind::Wall, 50, 5)),
    quick(plan("quick-finished", Kind::Finished, 50, 5)),
    quick(plan("quick-fair", Kind::Fair(Trouble::Rejected), 100, 3)),
];

/// Returns a parser of the rows' names.
pub fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(ROWS.iter().map(|plan| plan.name))
}

/// Returns the rows with these names; without names, those of `--quick` or those of a whole run.
pub fn selected(quick: bool, names: &[String]) -> Vec<&'static Plan> {
    let is_selected = |plan: &&Plan| match names.is_empty() {
        true => plan.is_quick == quick,
        false => names.iter().any(|name| name == plan.name),
    };
    ROWS.iter().filter(is_selected).collect()
}

impl Plan {
    pub fn title(&self) -> String {
        let (objects, keys) = (thousands(self.objects), self.keys);
        let on = match keys {
            1 => "1 API key".to_owned(),
            keys => format!("{keys} API keys"),
        };
        match self.kind {
            Kind::Binary => "release binary".to_owned(),
            Kind::Start => "start with one new object".to_owned(),
            Kind::Latency => format!("{objects} objects one after the other"),
            Kind::Annotations => format!("{objects} objects with 250 KB of annotations each"),
            Kind::Wall => format!("{objects} restores on {on}"),
            Kind::Finished => format!("{objects} finished restores on {on}"),
            Kind::Fair(trouble) => trouble.title(&objects),
        }
    }

    pub async fn measure(&self, session: &Session) -> Result<Row> {
        let mut row = Row {
            name: self.name.to_owned(),
            title: self.title(),
            objects: self.objects,
            keys: self.keys,
            measured: Timestamp::now().strftime("%Y-%m-%d").to_string(),
            machine: machine::description(),
            binary: session.binary.description.to_owned(),
            other_load: Vec::new(),
            figures: Vec::new(),
        };
        match self.kind {
            Kind::Binary => row.add(Side::Operator, "size", "MiB", session.binary.mib()?),
            Kind::Finished => finished::measure(self, session, &mut row).await?,
            Kind::Fair(trouble) => trouble.measure(self, session, &mut row).await?,
            kind => {
                for round in 0..session.rounds {
                    self.round(kind, session, round, &mut row).await?;
                }
            }
        }
        Ok(row)
    }

    async fn round(&self, kind: Kind, session: &Session, round: u16, row: &mut Row) -> Result<()> {
        match kind {
            Kind::Start => single::start(self, session, row).await,
            Kind::Latency => single::latency(self, session, row).await,
            Kind::Annotations => single::annotations(self, session, row).await,
            _ => wall::round(self, session, round, row).await,
        }
    }

    /// How long all restores may take, on a machine that does much else.
    fn patience(&self) -> Duration {
        let of_a_key = self.objects / self.keys.max(1);
        Duration::from_secs(120)
            + Duration::from_secs(1) * of_a_key
            + Duration::from_millis(100) * self.objects
    }
}

fn thousands(number: u32) -> String {
    match number {
        1_000.. => format!("{},{:03}", number / 1_000, number % 1_000),
        _ => number.to_string(),
    }
}
