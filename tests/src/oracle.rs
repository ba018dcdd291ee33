//! What Helm itself makes of a chart, and Kustomize of a folder, to compare a renderer with: see [`Reference`].
//!
//! ```text
//! generate(seed, n) ─> Case ─┬─> Helm (a Go program, one JSON line per case) ─> Answer ─┐
//!                            └─> the renderer under test ─────────────────────> Answer ─┴─> differ? ─> shrink ─> Finding
//! ```
//!
//! Helm's engine runs in the program of `tests/helm/oracle`, built once from the pinned module. A case that Helm answers
//! differently when asked again (map order, time) says nothing and is dropped. What is found becomes a case of the table
//! in `tests/helm/cases.jsonl`, which the renderer is held to where there is no Go.

mod fuzz;
pub(crate) mod generate;
mod helm;
pub mod kustomize;
mod ours;
mod program;
pub(crate) mod random;
mod reference;
mod shrink;
mod table;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use fuzz::{Compared, Finding, Fuzz, Tally, fuzz};
pub use generate::{Category, generate};
pub use helm::{Helm, helm_tools};
pub use ours::ours;
pub use program::OracleError;
pub use reference::{Reference, Step};
pub use shrink::shrink;
pub use table::{add_to_table, read_table, record_table};

/// One chart and the flags it is rendered with. Field names are those of the Go program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Case {
    /// Names the case; its category before the first `-`.
    pub id: String,
    /// The chart's files, by path inside the chart.
    pub files: BTreeMap<String, String>,
    /// Values files (`-f`), in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// `--set`, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub set: Vec<String>,
    /// `--set-string`, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub set_string: Vec<String>,
    /// The release's name.
    pub release: String,
    /// Its namespace.
    pub namespace: String,
    /// `--kube-version`; empty means Helm's default.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kube_version: String,
    /// `--api-versions`, beside Helm's defaults.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub api_versions: Vec<String>,
    /// `--is-upgrade`.
    #[serde(skip_serializing_if = "is_false")]
    pub is_upgrade: bool,
    /// `--include-crds`.
    #[serde(skip_serializing_if = "is_false")]
    pub include_crds: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// One line of the table of Helm's answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The case.
    pub case: Case,
    /// What `helm template` prints, if it succeeds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub output: Option<String>,
    /// Why it fails, otherwise.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<String>,
}

impl Row {
    /// Helm's answer; `None` for a row with none or two, which is a fault of the table.
    pub fn answer(&self) -> Option<Answer> {
        match (&self.output, &self.error) {
            (Some(output), None) => Some(Answer::Output(output.clone())),
            (None, Some(error)) => Some(Answer::Error(error.clone())),
            _ => None,
        }
    }
}

/// What a renderer makes of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// What `helm template` prints.
    Output(String),
    /// Why it fails, without the `Error: ` that the program puts before.
    Error(String),
    /// Neither: it panicked, did not end, or took too much memory. Says nothing that could be compared.
    Nothing(String),
}

impl Answer {
    /// Whether a renderer that gives `ours` differs from Helm, which gives `self`. `Nothing` differs from nothing.
    pub fn differs(&self, ours: &Self) -> bool {
        match (self, ours) {
            (Self::Nothing(_), _) | (_, Self::Nothing(_)) => false,
            (theirs, ours) if known_to_differ(theirs, ours) => false,
            (Self::Error(theirs), Self::Error(ours)) => theirs != ours && on_purpose(theirs) != *ours,
            (theirs, ours) => theirs != ours,
        }
    }
}

/// Helm's error without the contents of documents that it quotes and we do not, for they may be secret: a mapping's key that is no
/// scalar and its value, and more than a few letters of a scalar that does not fit its place.
fn on_purpose(error: &str) -> String {
    if let Some((before, _)) = error.split_once(", key: ")
        && before.contains("unsupported map key of type: ")
    {
        return before.to_owned();
    }
    if let Some((before, _)) = error.split_once("yaml: invalid map key: ") {
        return format!("{before}yaml: invalid map key");
    }
    error.to_owned()
}

/// What is known to differ, and not to be mended: both must say that it fails for this reason, in words of their own.
fn known_to_differ(theirs: &Answer, ours: &Answer) -> bool {
    let both = |error: &str, other: &str| {
        let says = |answer: &Answer, part: &str| matches!(answer, Answer::Error(text) if text.contains(part));
        says(theirs, error) && says(ours, other)
    };
    // A schema that is itself wrong: each validator has words of its own for what its meta-schema says.
    both("is not valid against metaschema", "values.schema.json: ")
        // Helm's validator adds why a text is not of its format.
        || both(" is not valid ", " is not valid ")
        // Go takes a slice up to its spare capacity, which depends on how the list was made; sprig's `slice` then shows nils.
        || matches!(ours, Answer::Error(text) if text.contains("reflect.Value.Slice: slice index out of bounds"))
}
