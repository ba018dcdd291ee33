//! Figures as Markdown.

use super::machine;
use crate::Tools;

/// What was measured so far.
pub(super) struct Report {
    head: Vec<(&'static str, String)>,
    rows: Vec<[String; 4]>,
    requests: Vec<String>,
}

/// Whether a figure reaches its target.
pub(super) enum Verdict {
    /// There is no target for it.
    None,
    /// The target in words, and whether it is reached.
    Target(&'static str, bool),
}

impl Report {
    pub(super) fn new(tools: &Tools) -> Self {
        let mut head = machine::description();
        head.push((
            "control plane",
            format!("Kubernetes {}, etcd without fsync, kwok", tools.version()),
        ));
        Self {
            head,
            rows: Vec::new(),
            requests: Vec::new(),
        }
    }

    /// Adds a figure, and shows it at once to whoever waits.
    pub(super) fn add(&mut self, id: &str, what: impl Into<String>, seen: impl Into<String>, verdict: Verdict) {
        let (what, seen) = (what.into(), seen.into());
        eprintln!("bench: {id}: {what}: {seen}");
        let verdict = match verdict {
            Verdict::None => String::new(),
            Verdict::Target(target, true) => format!("{target}: met"),
            Verdict::Target(target, false) => format!("{target}: **missed**"),
        };
        self.rows.push([id.to_owned(), what, seen, verdict]);
    }

    /// Adds a table of requests per application.
    pub(super) fn add_requests(&mut self, markdown: String) {
        self.requests.push(markdown);
    }

    pub(super) fn markdown(&self) -> String {
        let mut text = String::from("| | |\n| --- | --- |\n");
        for (name, value) in &self.head {
            text += &format!("| {name} | {value} |\n");
        }
        text += "\n| id | what | seen | target |\n| --- | --- | --- | --- |\n";
        for row in &self.rows {
            text += &format!("| {} |\n", row.join(" | "));
        }
        for table in &self.requests {
            text += "\n";
            text += table;
        }
        text
    }
}
