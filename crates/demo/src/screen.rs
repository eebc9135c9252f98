//! The output: on a terminal a table that is redrawn below the text, otherwise plain lines.

use std::io::{IsTerminal as _, Write as _};

use crate::table::Table;

const WIDEST: usize = 100;

const BOLD: &str = "1";
const GREEN: &str = "32";
const RED: &str = "31";

pub struct Screen {
    in_place: bool,
    colours: bool,
    /// The lines of the table that is shown now.
    drawn: Vec<String>,
    /// The rows printed last, if nothing can be redrawn.
    printed: Vec<String>,
}

impl Screen {
    pub fn new() -> Self {
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        let in_place = std::io::stdout().is_terminal() && !dumb;
        Self {
            in_place,
            colours: in_place && !is_set("NO_COLOR"),
            drawn: Vec::new(),
            printed: Vec::new(),
        }
    }

    pub fn heading(&mut self, text: &str) {
        let text = format!("\n{}", self.coloured(BOLD, text));
        self.above(&[text]);
    }

    /// Prints text above the table, wrapped and indented.
    pub fn say(&mut self, text: &str) {
        self.above(&wrapped(text, "  ", "  "));
    }

    /// Prints a message of another program.
    pub fn quote(&mut self, who: &str, words: &str) {
        let lines = wrapped(&format!("{who}: {words}"), "    ", "    ");
        self.above(&lines);
    }

    /// Prints lines unchanged.
    pub fn lines(&mut self, lines: &[String]) {
        self.above(lines);
    }

    pub fn success(&mut self, text: &str) {
        self.marked(GREEN, "✓", text);
    }

    pub fn failure(&mut self, text: &str) {
        self.marked(RED, "✗", text);
    }

    /// Shows the current table.
    pub fn table(&mut self, table: &Table) {
        if self.in_place {
            let mut lines = vec![
                String::new(),
                self.coloured(BOLD, &clipped(&table.header())),
            ];
            lines.extend(table.lines().iter().map(|line| clipped(line)));
            if lines != self.drawn {
                let erase = self.erase();
                self.print(&format!("{erase}{}\n", lines.join("\n")));
                self.drawn = lines;
            }
            return;
        }
        let states = table.states();
        if self.printed.is_empty() && !states.is_empty() {
            self.print(&format!("{}\n", table.header()));
        }
        for (line, state) in table.lines().iter().zip(&states) {
            if !self.printed.contains(state) {
                self.print(&format!("{line}\n"));
            }
        }
        self.printed = states;
    }

    /// Keeps the table where it is; the next one is drawn below.
    pub fn keep_table(&mut self) {
        self.drawn.clear();
    }

    fn marked(&mut self, colour: &str, mark: &str, text: &str) {
        let mut lines = wrapped(text, "    ", "    ");
        if let Some(first) = lines.first_mut() {
            *first = format!("  {} {}", self.coloured(colour, mark), first.trim_start());
        }
        self.above(&lines);
    }

    fn above(&mut self, lines: &[String]) {
        let erase = self.erase();
        let table: String = self.drawn.iter().map(|line| format!("{line}\n")).collect();
        self.print(&format!("{erase}{}\n{table}", lines.join("\n")));
    }

    /// Returns the escape sequence that erases the table.
    fn erase(&self) -> String {
        match self.drawn.len() {
            0 => String::new(),
            lines => format!("\x1b[{lines}A\x1b[J"),
        }
    }

    fn coloured(&self, colour: &str, text: &str) -> String {
        match self.colours {
            true => format!("\x1b[{colour}m{text}\x1b[0m"),
            false => text.to_owned(),
        }
    }

    /// Ignores a closed output: the exit code still shows the result.
    fn print(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}

/// Returns the width of the terminal.
fn columns() -> usize {
    let size = rustix::termios::tcgetwinsize(std::io::stdout());
    size.map_or(WIDEST, |size| usize::from(size.ws_col)).max(40)
}

/// Clips a line to the terminal: only half of a wrapped line would be erased.
fn clipped(line: &str) -> String {
    line.chars().take(columns() - 1).collect()
}

/// Wraps text into indented lines.
fn wrapped(text: &str, first: &str, indent: &str) -> Vec<String> {
    let width = columns().min(WIDEST);
    let mut lines = vec![first.to_owned()];
    for word in text.split_whitespace() {
        let Some(line) = lines.last_mut() else { break };
        let is_empty = line.trim().is_empty();
        if !is_empty && line.chars().count() + 1 + word.chars().count() >= width {
            lines.push(format!("{indent}{word}"));
        } else {
            line.push_str(if is_empty { "" } else { " " });
            line.push_str(word);
        }
    }
    lines
}
