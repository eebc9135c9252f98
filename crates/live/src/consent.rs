//! What a run will do, and the question whether it may.

use std::io::{IsTerminal as _, Write as _};

use anyhow::{Context as _, Result, bail};

use crate::checks::Backup;
use crate::screen::say;

/// Describes the backup's size.
pub fn size(backup: &Backup) -> String {
    let records = backup.records().map(|count| format!("{count} records"));
    let bytes = backup.bytes().map(|bytes| match bytes {
        0..10_000_000 => format!("{bytes} bytes"),
        _ => format!("{:.2} GB", bytes as f64 / 1e9),
    });
    let known: Vec<String> = [records, bytes].into_iter().flatten().collect();
    match known.is_empty() {
        true => "size not shown by Pinecone".to_owned(),
        false => known.join(", "),
    }
}

/// Prints what will be created and what it may cost.
pub fn announce(host: &str, backup: &Backup, prefix: &str, minutes: u64) {
    let (id, size) = (&backup.id, size(backup));
    say(&format!(
        "This run sends requests to {host} and restores the backup {id} ({size}) three times, one after the other:

  1. into a new index {prefix}-1
  2. into a new index {prefix}-2, which is then deleted
  3. into {prefix}-2 again

At most two of these indexes exist at a time, and all are deleted at the end, also after an error, Ctrl-C or the time limit
of {minutes} minutes. Nothing else in the project is changed.

Cost: Pinecone may bill each of the three restores by the size of the backup, and the storage of the indexes while they exist.
See your plan and https://www.pinecone.io/pricing for prices. Use a small backup of test data.
"
    ));
}

/// Asks on the terminal.
///
/// # Errors
/// If the answer is not yes, or there is no terminal to ask on.
pub fn ask() -> Result<()> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        bail!(
            "There is no terminal to ask on, so nothing was created. Use --yes to start without a question."
        );
    }
    print!("Create these indexes? [y/N] ");
    std::io::stdout().flush().context("asking")?;
    let mut answer = String::new();
    stdin.read_line(&mut answer).context("asking")?;
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => bail!("Nothing was created."),
    }
}
