//! Cases with Helm's answers, kept in a file for tests that have no Go.

use std::{collections::BTreeMap, fs, io, path::Path};

use serde::{Deserialize, Serialize};

use super::{Answer, Case, Category, Helm, HelmError, fuzz::is_stable, generate};

/// One line of the table.
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

/// A longer answer is no small case.
const LONGEST_ANSWER: usize = 6000;

/// Writes the table: of each category up to `each` cases that Helm renders and `each` that it refuses. Returns the number of rows.
pub fn record_table(helm: &mut Helm, seed: u64, each: usize, path: &Path) -> Result<usize, HelmError> {
    let mut rows: BTreeMap<(Category, bool), Vec<String>> = BTreeMap::new();
    for number in 0..20_000 {
        let (category, case) = generate(seed, number);
        let answer = helm.ask(&case)?;
        let (output, error) = match &answer {
            Answer::Output(text) if text.len() <= LONGEST_ANSWER => (Some(text.clone()), None),
            Answer::Error(text) if text.len() <= LONGEST_ANSWER => (None, Some(text.clone())),
            _ => continue,
        };
        let found = rows.entry((category, output.is_some())).or_default();
        if found.len() < each && is_stable(helm, &case, &answer)? {
            let row = Row { case, output, error };
            found.push(serde_json::to_string(&row).map_err(io::Error::other)?);
        }
        if rows.len() == 2 * Category::ALL.len() && rows.values().all(|found| found.len() == each) {
            break;
        }
    }
    let lines: Vec<String> = rows.into_values().flatten().collect();
    fs::write(path, lines.join("\n") + "\n")?;
    Ok(lines.len())
}

/// Reads a table: one row per line.
pub fn read_table(path: &Path) -> io::Result<Vec<Row>> {
    let text = fs::read_to_string(path)?;
    text.lines()
        .map(|line| serde_json::from_str(line).map_err(io::Error::other))
        .collect()
}
