//! Cases with the answers of a reference, kept in a file for tests that have no Go.

use std::{collections::BTreeMap, fs, io, path::Path};

use super::{Answer, OracleError, fuzz::is_stable, reference::Reference};

/// Writes the table: of each category up to `each` cases that the reference renders and `each` that it refuses. Returns the number of rows.
pub fn record_table<R: Reference>(
    reference: &mut R,
    seed: u64,
    each: usize,
    path: &Path,
) -> Result<usize, OracleError> {
    let mut rows: BTreeMap<(R::Category, bool), Vec<String>> = BTreeMap::new();
    for number in 0..20_000 {
        let (category, case) = R::generate(seed, number);
        let answer = reference.ask(&case)?;
        let Some(row) = R::row(case.clone(), &answer) else {
            continue;
        };
        let is_rendered = matches!(answer, Answer::Output(_));
        let found = rows.entry((category, is_rendered)).or_default();
        if found.len() < each && is_stable(reference, &case, &answer)? {
            found.push(serde_json::to_string(&row).map_err(io::Error::other)?);
        }
        if rows.len() == 2 * R::CATEGORIES.len() && rows.values().all(|found| found.len() == each) {
            break;
        }
    }
    let lines: Vec<String> = rows.into_values().flatten().collect();
    fs::write(path, lines.join("\n") + "\n")?;
    Ok(lines.len())
}

/// Adds cases to the table, those that are there already and those that say nothing left out. Returns the number of rows that are new.
pub fn add_to_table<R: Reference>(reference: &mut R, cases: Vec<R::Case>, path: &Path) -> Result<usize, OracleError> {
    let mut text = fs::read_to_string(path)?;
    let mut added = 0;
    for case in cases {
        let answer = reference.ask(&case)?;
        let Some(row) = R::row(case.clone(), &answer) else {
            continue;
        };
        let line = serde_json::to_string(&row).map_err(io::Error::other)?;
        if !text.lines().any(|known| known == line) && is_stable(reference, &case, &answer)? {
            text.push_str(&line);
            text.push('\n');
            added += 1;
        }
    }
    fs::write(path, text)?;
    Ok(added)
}

/// Reads a table: one row per line.
pub fn read_table<R: Reference>(path: &Path) -> io::Result<Vec<R::Row>> {
    let text = fs::read_to_string(path)?;
    text.lines()
        .map(|line| serde_json::from_str(line).map_err(io::Error::other))
        .collect()
}
