//! Checks with foreign tools; they are in `tests/`, and run by `cargo conformance`.

pub mod tool;
