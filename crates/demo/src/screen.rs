//! What the demo prints: on a terminal a table that is redrawn in place below the story, elsewhere plain lines.

use std::io::{IsTerminal as _, Write as _};

use crate::table::Table;

const WIDEST: usize = 100;

const BOLD: &str = "1";
const GREEN: &str = "32";
const RED: &str = "31";

pub struct Screen {
    in_place: bool,
    colours: bool,
    /// The table that stands at the end of the terminal now.
    drawn: Vec<String>,
    /// The states printed last, where nothing can be redrawn.
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

    /// Text, wrapped and indented, above the table.
    pub fn say(&mut self, text: &str) {
        self.above(&wrapped(text, "  ", "  "));
    }

    /// Words of somebody else.
    pub fn quote(&mut self, who: &str, words: &str) {
        let lines = wrapped(&format!("{who}: {words}"), "    ", "    ");
        self.above(&lines);
    }

    /// Lines that are printed as they are.
    pub fn lines(&mut self, lines: &[String]) {
        self.above(lines);
    }

    pub fn success(&mut self, text: &str) {
        self.marked(GREEN, "✓", text);
    }

    pub fn failure(&mut self, text: &str) {
        self.marked(RED, "✗", text);
    }

    /// Shows the table as it is now.
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

    /// Leaves the table where it is; the next one is drawn below.
    pub fn settle(&mut self) {
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

    /// Takes the table off the terminal.
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

    /// A reader that went away is no reason to stop: the exit code still tells.
    fn print(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}

/// The width of the terminal, if there is one.
fn columns() -> usize {
    let size = rustix::termios::tcgetwinsize(std::io::stdout());
    size.map_or(WIDEST, |size| usize::from(size.ws_col)).max(40)
}

/// A line that wraps would take two, and be erased by half.
fn clipped(line: &str) -> String {
    line.chars().take(columns() - 1).collect()
}

/// Words in lines that fit, the first with its own indent.
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
