//! Cases with Kustomize's answers, kept in a file for tests that have no Go.

use std::{collections::BTreeMap, fs, io, path::Path};

use serde::{Deserialize, Serialize};

use super::{Answer, Case, Category, Kustomize, KustomizeError, fuzz::is_stable, generate};

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The case.
    pub case: Case,
    /// What `kustomize build` prints; `None` if it fails.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub output: Option<String>,
}

/// A longer answer is no small case.
const LONGEST_ANSWER: usize = 6000;

/// Writes the table: of each category up to `each` cases that Kustomize builds and `each` that it refuses. Returns the number of rows.
pub fn record_table(kustomize: &mut Kustomize, seed: u64, each: usize, path: &Path) -> Result<usize, KustomizeError> {
    let mut rows: BTreeMap<(Category, bool), Vec<String>> = BTreeMap::new();
    for number in 0..20_000 {
        let (category, case) = generate(seed, number);
        let answer = kustomize.ask(&case)?;
        let output = match &answer {
            Answer::Output(text) if text.len() <= LONGEST_ANSWER => Some(text.clone()),
            Answer::Error(_) => None,
            _ => continue,
        };
        let found = rows.entry((category, output.is_some())).or_default();
        if found.len() < each && is_stable(kustomize, &case, &answer)? {
            found.push(serde_json::to_string(&Row { case, output }).map_err(io::Error::other)?);
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
