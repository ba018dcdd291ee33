//! What the demo prints: plain lines, coloured where a person reads them.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

/// Standard output, with or without colour.
#[derive(Clone, Copy, Debug)]
pub struct Say {
    colour: bool,
}

impl Say {
    /// Colours only where a person reads: never in `headless` mode, in a pipe or a file.
    pub fn new(headless: bool) -> Self {
        Self {
            colour: !headless && io::stdout().is_terminal(),
        }
    }

    /// One line, or several.
    pub fn line(self, text: &str) {
        self.write(text, "");
    }

    /// A line that begins something.
    pub fn title(self, text: &str) {
        self.write(text, "1");
    }

    /// A line beside the matter.
    pub fn note(self, text: &str) {
        self.write(text, "2");
    }

    /// A thing that was seen to be so.
    pub fn good(self, text: &str) {
        self.write(text, "32");
    }

    /// A thing that was not.
    pub fn bad(self, text: &str) {
        self.write(text, "31");
    }

    /// A diff: lines taken away red, lines added green.
    pub fn diff(self, text: &str) {
        for line in text.lines() {
            let colour = match line.as_bytes().first() {
                Some(b'-') => "31",
                Some(b'+') => "32",
                _ => "",
            };
            self.write(&format!("    {line}"), colour);
        }
    }

    fn write(self, text: &str, colour: &str) {
        let mut out = io::stdout().lock();
        // Whoever read this may have gone away (`pintle demo | head`): the demo goes on, and its exit code still tells.
        let _ = if self.colour && !colour.is_empty() {
            writeln!(out, "\x1b[{colour}m{text}\x1b[0m")
        } else {
            writeln!(out, "{text}")
        };
        let _ = out.flush();
    }
}

/// Seconds with one decimal, as the demo prints every time.
pub fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

/// Rows as columns, two spaces between them; the last column is not padded.
pub fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
    };
    let widths: Vec<usize> = (0..N).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(&format!("{cell:width$}  "));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text.pop();
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["NAME", "SYNC"], ["shop-staging", "Synced"], ["a", "OutOfSync"]];
        let rows = rows.map(|row| row.map(str::to_owned));
        assert_eq!(
            columns(&rows),
            "NAME          SYNC\nshop-staging  Synced\na             OutOfSync"
        );
    }
}
