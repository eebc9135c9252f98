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
            (Site::LEASE_GET, 1),
            (Site::LEASE_PUT, 1),
            (Site::LEASE_PUT, 2),
            (Site::SECRET_GET, 1),
            (Site::INDEX_GET, 1),
            (Site::BACKUP_GET, 1),
            (Site::CLAIM_PUT, 1),
            (Site::CREATE_POST, 1),
            (Site::RECORD_PUT, 1),
            (Site::EVENT_POST, 1),
            (Site::JOB_GET, 1),
            (Site::REPORT_PUT, 1),
        ],
    ),
    (
        Story::Followed,
        &[
            (Site::INDEX_GET, 2),
            (Site::REPORT_PUT, 2),
            (Site::EVENT_POST, 2),
            (Site::INDEXES_LIST, 1),
        ],
    ),
    (
        Story::AnswerLost,
        &[
            (Site::RECORD_PUT, 1),
            (Site::EVENT_POST, 1),
            (Site::RIVALS_LIST, 1),
            (Site::JOBS_LIST, 1),
            (Site::INDEX_GET, 2),
            (Site::BACKUP_GET, 2),
            (Site::REPORT_PUT, 1),
            (Site::EVENT_POST, 2),
        ],
    ),
    (
        Story::MadeBefore,
        &[
            (Site::JOBS_LIST, 1),
            (Site::JOB_CONFIRM, 1),
            (Site::REPORT_PUT, 1),
            (Site::EVENT_POST, 1),
        ],
    ),
    (
        Story::ChangedBeforeClaim,
        &[
            (Site::CLAIM_PUT, 1),
            (Site::CLAIM_GET, 1),
            (Site::OBJECT_GET, 1),
        ],
    ),
    (
        Story::ChangedBeforeRecord,
        &[
            (Site::RECORD_PUT, 1),
            (Site::RECORD_GET, 1),
            (Site::RECORD_PUT, 2),
        ],
    ),
    (Story::Refused, &[(Site::RECORD_PUT, 1)]),
    (Story::HandedOver, &[(Site::LEASE_RELEASE, 1)]),
];

/// Around the request.
const POST: [(Site, Side); 4] = [
    (Site::CLAIM_PUT, Side::After),
    (Site::CREATE_POST, Side::Before),
    (Site::CREATE_POST, Side::After),
    (Site::RECORD_PUT, Side::Before),
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
