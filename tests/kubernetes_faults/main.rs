//! What the operator promises while the API server answers wrongly, shows an old
//! world, or is away. Run by name, see docs/design/kubernetes-faults.md; its quick
//! part is in `tests/promises`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod absence;
mod answers;
mod stalled;
mod travel;
mod views;
