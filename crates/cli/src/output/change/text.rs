//! For a terminal.

use pintle_engine::app::change::ObjectChange;

use super::{difference, named, one_line, sign, word};
use crate::command::diff::report::{AppReport, Known, Report, image};
use crate::output::diff::header;

/// Colours of a terminal.
struct Paint {
    is_on: bool,
}

impl Paint {
    fn paint(&self, code: &str, text: &str) -> String {
        if self.is_on {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    fn bold(&self, text: &str) -> String {
        self.paint("1", text)
    }

    /// A line of a diff, by its first character.
    fn line(&self, line: &str) -> String {
        let code = match line.chars().next() {
            Some('+') => "32",
            Some('-') => "31",
            Some('@') => "36",
            _ => return line.to_owned(),
        };
        self.paint(code, line)
    }
}

/// Everything: a block for each Application with its diffs, asides, a line that sums up.
pub(crate) fn text(report: &Report, colours: bool) -> String {
    let paint = Paint { is_on: colours };
    let mut text = String::new();
    // What one Application's failure hides is said with it, not once for each.
    for app in report.apps.iter().filter(|app| app.because.is_none()) {
        block(&mut text, app, &paint);
    }
    for aside in report.asides() {
        text.push_str(&format!("note: {}\n", one_line(&aside)));
    }
    text.push_str(&paint.bold(&report.line()));
    text.push('\n');
    text
}

fn block(text: &mut String, app: &AppReport, paint: &Paint) {
    let change = &app.change;
    let what = match app.known() {
        Known::Nothing => "could not be compared",
        Known::All | Known::NotItsObjects => word(change.what),
    };
    text.push_str(&paint.bold(&format!("Application {} {what}", one_line(&app.name))));
    text.push_str(&format!("  {}\n", one_line(&app.origin.to_string())));
    if let Some(remark) = app.remark() {
        let code = if change.failure.is_none() { "33" } else { "31" };
        text.push_str(&format!("  {}\n", paint.paint(code, &one_line(&remark))));
    }
    if let Some(line) = app.dependents_line() {
        text.push_str(&format!("  {}\n", one_line(&line)));
    }
    if app.known() == Known::Nothing {
        text.push('\n');
        return;
    }
    if let Some(moved) = &change.moved {
        let line = format!("  moves from cluster {} to {}\n", moved.from, moved.to);
        text.push_str(&one_line(line.trim_end()));
        text.push('\n');
    }
    for pair in &change.images {
        text.push_str(&format!("  image {}\n", one_line(&image(pair))));
    }
    for object in &change.objects {
        text.push_str(&format!("  {} {}{}\n", sign(object.what), named(object), note(object)));
    }
    for object in change.manifest.iter().chain(&change.objects) {
        text.push_str(&one_line(header(&object.key).trim()));
        text.push('\n');
        for line in difference(object).lines() {
            text.push_str(&paint.line(line));
            text.push('\n');
        }
    }
    text.push('\n');
}

fn note(object: &ObjectChange) -> String {
    match object.remark() {
        Some(remark) => format!("  ({})", one_line(&remark)),
        None if object.is_hook => "  (a hook)".into(),
        None => String::new(),
    }
}
