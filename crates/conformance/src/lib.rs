//! Checks with third-party tools. They are in `tests/`; `cargo conformance` runs them.

pub mod tool;
