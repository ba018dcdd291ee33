//! For a comment on a pull request, whose length is bounded.

use pintle_engine::app::change::{ObjectChange, What};

use super::{difference, named, one_line, word};
use crate::command::diff::report::{AppReport, Known, Report, image, plural};

/// Characters of one comment: GitHub takes 65,536, and a bot may put a line of its own around ours.
pub(super) const MAX_CHARACTERS: usize = 65_000;
/// Characters kept for the sentence that says what was cut.
const LAST_WORDS: usize = 400;
/// Characters of the table and the asides together; the rest is for diffs.
const TABLE: usize = 30_000;
/// Characters of one cell.
const CELL: usize = 300;

/// A summary, a table of the Applications, and their diffs as far as they fit. What does not fit is counted at the end.
pub(crate) fn markdown(report: &Report) -> String {
    let mut page = Page::default();
    page.add(&format!(
        "### What this change would do\n\n{} → {}\n\n{}\n",
        code(&report.base.shown()),
        code(&report.head.shown()),
        escaped(&report.line())
    ));
    let mut cut = Cut::default();
    asides(&mut page, report, &mut cut);
    let details = details(report);
    table(&mut page, report, &details, &mut cut);
    for one in &details {
        one.add_to(&mut page, &mut cut);
    }
    if let Some(sentence) = cut.sentence() {
        page.add_anyway(&sentence);
    }
    page.text
}

/// Text with its length in characters, which does not grow past [`MAX_CHARACTERS`].
#[derive(Default)]
struct Page {
    text: String,
    characters: usize,
}

impl Page {
    /// Adds a piece whole if there is room, and says whether there was.
    fn add(&mut self, piece: &str) -> bool {
        self.add_within(piece, MAX_CHARACTERS - LAST_WORDS)
    }

    fn add_within(&mut self, piece: &str, limit: usize) -> bool {
        let more = piece.chars().count();
        let fits = self.characters + more <= limit;
        if fits {
            self.text.push_str(piece);
            self.characters += more;
        }
        fits
    }

    /// Adds the last words, for which room was kept.
    fn add_anyway(&mut self, piece: &str) {
        let room = MAX_CHARACTERS.saturating_sub(self.characters);
        self.text.extend(piece.chars().take(room));
    }
}

/// What did not fit.
#[derive(Default)]
struct Cut {
    rows: usize,
    asides: usize,
    apps: usize,
    objects: usize,
}

impl Cut {
    fn sentence(&self) -> Option<String> {
        let parts: Vec<String> = [
            (self.asides, "note"),
            (self.rows, "row of the table"),
            (self.apps, "Application with its diffs"),
            (self.objects, "diff"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| match what {
            "row of the table" => format!("{count} {} of the table", plural(count, "row")),
            "Application with its diffs" => format!("the diffs of {count} {}", plural(count, "Application")),
            other => format!("{count} further {}", plural(count, other)),
        })
        .collect();
        (!parts.is_empty()).then(|| {
            format!(
                "\n**Cut to fit a comment of {MAX_CHARACTERS} characters:** {} left out. `pintle diff` prints everything.\n",
                parts.join(", ")
            )
        })
    }
}

fn asides(page: &mut Page, report: &Report, cut: &mut Cut) {
    for aside in report.asides() {
        let piece = format!("\n> {}\n", cell(&aside));
        if !page.add_within(&piece, TABLE / 3) {
            cut.asides += 1;
        }
    }
}

fn table(page: &mut Page, report: &Report, details: &[Details], cut: &mut Cut) {
    if report.apps.is_empty() {
        return;
    }
    page.add("\n| Application | | Objects | Removed | Images |\n| --- | --- | --- | --- | --- |\n");
    // What failed and what deletes something is never what is left out.
    // What only another one's failure hides is said in that one's row.
    let mut order: Vec<&AppReport> = report.apps.iter().filter(|app| app.because.is_none()).collect();
    order.sort_by_key(|app| rank(app));
    // What the diffs do not need is the table's.
    let needed: usize = details.iter().map(Details::length).sum();
    let limit = TABLE.max((MAX_CHARACTERS - LAST_WORDS).saturating_sub(needed));
    for app in order {
        if cut.rows > 0 || !page.add_within(&row(app), limit) {
            cut.rows += 1;
        }
    }
}

/// What a reader has to see first: failures, then what deletes, then the rest.
fn rank(app: &AppReport) -> u8 {
    let change = &app.change;
    if !change.failure.is_none() {
        0
    } else if change.what == What::Removed {
        1
    } else if change.objects.iter().any(|o| o.fate.is_some()) {
        2
    } else {
        3
    }
}

fn row(app: &AppReport) -> String {
    let change = &app.change;
    let name = cell(&app.name);
    let what = match app.known() {
        Known::Nothing => "**could not be compared**".to_owned(),
        Known::NotItsObjects if change.what == What::Added => "**added, cannot be rendered**".to_owned(),
        Known::All | Known::NotItsObjects => word(change.what).to_owned(),
    };
    if let Some(remark) = app.remark() {
        let dependents = app.dependents_line();
        let dependents = dependents.map(|line| format!("; {}", cell(&line))).unwrap_or_default();
        return format!("| {name} | {what} | {}{dependents} | | |\n", cell(&remark));
    }
    let [added, changed, removed] = change.counts();
    let objects: Vec<String> = [(added, '+'), (changed, '~'), (removed, '-')]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, sign)| format!("{sign}{count}"))
        .collect();
    let going = change.objects.iter();
    let mut fates: Vec<_> = going.filter_map(|o| Some((o.fate.as_ref()?, o.remark()?))).collect();
    fates.sort();
    fates.dedup();
    let fates: Vec<String> = fates.into_iter().map(|(_, remark)| remark).collect();
    let images: Vec<String> = change.images.iter().map(image).collect();
    let moved = change.moved.as_ref();
    let moved = moved
        .map(|m| format!(", moves from {} to {}", m.from, m.to))
        .unwrap_or_default();
    format!(
        "| {name} | {} | {} | {} | {} |\n",
        cell(&format!("{what}{moved}")),
        objects.join(" "),
        cell(&fates.join("; ")),
        cell(&images.join(", "))
    )
}

const CLOSING: &str = "\n</details>\n";

/// The diffs of one Application.
struct Details {
    opening: String,
    pieces: Vec<Piece>,
}

/// What becomes of one object.
struct Piece {
    text: String,
    /// Characters of the text.
    length: usize,
    /// The same without its diff, for where that does not fit.
    name: String,
}

/// Those of every Application that has any.
fn details(report: &Report) -> Vec<Details> {
    let known = report.apps.iter().filter(|app| app.known() != Known::Nothing);
    let details = known.map(|app| {
        let shown = app.change.manifest.iter().chain(&app.change.objects);
        Details {
            opening: format!(
                "\n<details><summary>{} {}</summary>\n",
                html(&one_line(&app.name)),
                word(app.change.what)
            ),
            pieces: shown.map(Piece::of).collect(),
        }
    });
    details.filter(|one| !one.pieces.is_empty()).collect()
}

impl Details {
    /// Characters around the diffs.
    fn frame(&self) -> usize {
        self.opening.chars().count() + CLOSING.chars().count()
    }

    /// Characters of all.
    fn length(&self) -> usize {
        self.frame() + self.pieces.iter().map(|piece| piece.length).sum::<usize>()
    }

    fn add_to(&self, page: &mut Page, cut: &mut Cut) {
        let room = (MAX_CHARACTERS - LAST_WORDS).saturating_sub(page.characters + self.frame());
        let mut body = String::new();
        let (mut used, mut left_out) = (0, 0);
        for piece in &self.pieces {
            if used + piece.length <= room {
                used += piece.length;
                body.push_str(&piece.text);
                continue;
            }
            left_out += 1;
            let length = piece.name.chars().count();
            if used + length <= room {
                used += length;
                body.push_str(&piece.name);
            }
        }
        if body.is_empty() {
            cut.apps += 1;
            return;
        }
        cut.objects += left_out;
        page.add(&format!("{}{body}{CLOSING}", self.opening));
    }
}

impl Piece {
    fn of(object: &ObjectChange) -> Self {
        let fate = object.remark().map(|r| format!(": {r}")).unwrap_or_default();
        let diff = difference(object);
        let fence = fence(&diff);
        let name = format!("\n{} {}{}\n", word(object.what), code(&named(object)), escaped(&fate));
        let text = format!("{name}\n{fence}diff\n{diff}{fence}\n");
        Self {
            length: text.chars().count(),
            text,
            name,
        }
    }
}

/// A fence that the text cannot end: longer than any run of backticks in it.
fn fence(text: &str) -> String {
    let (mut longest, mut run) = (0_usize, 0_usize);
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    "`".repeat(longest.max(2) + 1)
}

/// Text as code in a line.
fn code(text: &str) -> String {
    let text = one_line(text);
    let fence = fence(&text);
    // Three or more would begin a block; in a line any length that the text lacks will do.
    if text.contains('`') {
        format!("{fence} {text} {fence}")
    } else {
        format!("`{text}`")
    }
}

/// Text of a cell: one line, of bounded length, that means nothing to Markdown or HTML.
fn cell(text: &str) -> String {
    let text = one_line(text);
    let mut short: String = text.chars().take(CELL).collect();
    if text.chars().count() > CELL {
        short.push('…');
    }
    escaped(&short)
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '@' => {
                out.push('\\');
                out.push(c);
            }
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            other => out.push(other),
        }
    }
    out
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
