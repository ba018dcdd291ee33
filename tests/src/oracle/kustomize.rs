//! What Kustomize itself makes of a folder, to compare `render::kustomize` with.
//!
//! ```text
//! generate(seed, n) ─> Case ─┬─> Kustomize (a Go program, one JSON line per case) ─> Answer ─┐
//!                            └─> pintle_render::kustomize::build ─────────────────> Answer ──┴─> differ? ─> shrink ─> Finding
//! ```
//!
//! Output is compared byte for byte. Of failures only that both fail: the words are Kustomize's own affair.

mod damage;
mod generate;
mod ours;
mod reference;
mod shrink;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Answer, is_false};

pub use damage::{damaged, survive};
pub use generate::{Category, generate};
pub use ours::ours;
pub use reference::{Kustomize, kustomize_tools};

/// A folder, what is built of it, and how. Field names are those of the Go program.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Case {
    /// Names the case; its category before the first `-`.
    pub id: String,
    /// The files by path.
    pub files: BTreeMap<String, String>,
    /// The directory that is built.
    pub path: String,
    /// `--load-restrictor LoadRestrictionsNone`.
    #[serde(skip_serializing_if = "is_false")]
    pub load_anywhere: bool,
    /// `--reorder none`.
    #[serde(skip_serializing_if = "is_false")]
    pub keep_order: bool,
    /// Arguments of `kustomize edit`, run one after another in the directory before it is built.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub edits: Vec<Vec<String>>,
    /// Entries added to `patches` behind the edits.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub patches: Vec<serde_json::Value>,
    /// Asks for the kustomization file after the edits instead of a build.
    #[serde(skip_serializing_if = "is_false")]
    pub show: bool,
}

/// One line of the table of Kustomize's answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The case.
    pub case: Case,
    /// What `kustomize build` prints; `None` if it fails.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub output: Option<String>,
}

/// Whether two answers differ: in their text, or in whether there is one.
pub fn differs(theirs: &Answer, own: &Answer) -> bool {
    match (theirs, own) {
        (Answer::Nothing(_), _) | (_, Answer::Nothing(_)) | (Answer::Error(_), Answer::Error(_)) => false,
        (Answer::Error(theirs), _) if compares_memory(theirs) || loses_text(theirs) => false,
        (theirs, own) => theirs != own,
    }
}

/// Kustomize says that a validator has changed an object, and prints the same object twice: an empty list in memory is not a missing one to it.
fn compares_memory(error: &str) -> bool {
    let both = error.split_once("nodes unequal: \n -- ").map(|(_, both)| both);
    let sides = both.and_then(|both| both.split_once("\n\n--")?.0.split_once(",\n -- "));
    sides.is_some_and(|(before, after)| before == after)
}

/// A name that Kustomize was given as text (of a path, or of a literal) became a key that reads as a number, `true` or nothing, which it
/// cannot print; here it stays the text (docs/kustomize.md). That such a key in a file fails is in the rows.
fn loses_text(error: &str) -> bool {
    error.contains("json: unsupported type: map[interface {}]interface {}")
}
