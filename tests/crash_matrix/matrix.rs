//! Which cells there are.

use std::collections::BTreeMap;

use index_restore_operator::runtime::failpoint::{Side, Site};

use crate::cell::{Cell, Point, Recovery};
use crate::story::Story;

/// Each I/O of a restore in the story in which it happens, and when it happens
/// there for which time.
const SITES: &[(Story, &[(Site, u32)])] = &[
    (
        Story::Accepted,
        &[
            (Site::LeaseGet, 1),
            (Site::LeasePut, 1),
            (Site::LeasePut, 2),
            (Site::SecretGet, 1),
            (Site::IndexGet, 1),
            (Site::BackupGet, 1),
            (Site::ClaimPut, 1),
            (Site::CreatePost, 1),
            (Site::RecordPut, 1),
            (Site::EventPost, 1),
            (Site::JobGet, 1),
            (Site::ReportPut, 1),
        ],
    ),
    (
        Story::Followed,
        &[
            (Site::IndexGet, 2),
            (Site::ReportPut, 2),
            (Site::EventPost, 2),
            (Site::IndexesList, 1),
        ],
    ),
    (
        Story::AnswerLost,
        &[
            (Site::RecordPut, 1),
            (Site::EventPost, 1),
            (Site::RivalsList, 1),
            (Site::JobsList, 1),
            (Site::IndexGet, 2),
            (Site::BackupGet, 2),
            (Site::ReportPut, 1),
            (Site::EventPost, 2),
        ],
    ),
    (
        Story::MadeBefore,
        &[
            (Site::JobsList, 1),
            (Site::JobConfirm, 1),
            (Site::ReportPut, 1),
            (Site::EventPost, 1),
        ],
    ),
    (
        Story::ChangedBeforeClaim,
        &[
            (Site::ClaimPut, 1),
            (Site::ClaimGet, 1),
            (Site::ObjectGet, 1),
        ],
    ),
    (
        Story::ChangedBeforeRecord,
        &[
            (Site::RecordPut, 1),
            (Site::RecordGet, 1),
            (Site::RecordPut, 2),
        ],
    ),
    (Story::Refused, &[(Site::RecordPut, 1)]),
    (Story::HandedOver, &[(Site::LeaseRelease, 1)]),
];

/// Around the request.
const POST: [(Site, Side); 4] = [
    (Site::ClaimPut, Side::After),
    (Site::CreatePost, Side::Before),
    (Site::CreatePost, Side::After),
    (Site::RecordPut, Side::Before),
];

/// What the request can be answered with.
const ANSWERS: [Story; 6] = [
    Story::Accepted,
    Story::AnswerLost,
    Story::ConflictWithItself,
    Story::NameTaken,
    Story::FailedExecuted,
    Story::FailedNotExecuted,
];

/// All cells, each once.
pub fn cells() -> Vec<Cell> {
    let sites = SITES.iter().flat_map(|(story, sites)| {
        let points = sites.iter().flat_map(|(site, nth)| {
            Side::BOTH.map(|side| Point {
                site: *site,
                side,
                nth: *nth,
            })
        });
        points.map(|point| (*story, point))
    });
    let answers = ANSWERS
        .into_iter()
        .flat_map(|story| POST.map(|(site, side)| (story, Point { site, side, nth: 1 })));
    let mut cells = BTreeMap::new();
    for (story, point) in sites.chain(answers) {
        for recovery in Recovery::ALL {
            let cell = Cell {
                story,
                point,
                recovery,
            };
            cells.insert(cell.name(), cell);
        }
    }
    cells.into_values().collect()
}
