//! The terminal. Errors are ignored, so that a closed terminal or pipe does not prevent the cleanup.

use std::io::Write as _;

/// Prints a line on standard output.
pub fn say(line: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
}

/// Prints a line on standard error.
pub fn complain(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
