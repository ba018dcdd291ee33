//! `pintle helm dependency list`.

use std::path::Path;

use pintle_gotmpl::semver::Version;
use pintle_render::helm::{Dependency, Limits};

use super::{inside, status};
use crate::args::HelmDependencyListArgs;
use crate::command::helm::chart::{Loaded, load};
use crate::exit::CliError;

/// The table, and what lies in `charts/` without being asked for.
pub(super) fn list(args: &HelmDependencyListArgs) -> Result<String, CliError> {
    let at = Path::new(&args.chart);
    let loaded = load(at, &Limits::default())?;
    let Some(dependencies) = &loaded.chart.metadata().dependencies else {
        return Ok(format!("WARNING: no dependencies at {}\n", join(&args.chart, "charts")));
    };
    let mut rows = vec![["NAME", "VERSION", "REPOSITORY", "STATUS"].map(str::to_owned)];
    for dependency in dependencies {
        rows.push([
            dependency.name.clone(),
            dependency.version.clone(),
            dependency.repository.clone(),
            dependency_status(at, dependency, &loaded).to_owned(),
        ]);
    }
    let mut text = table(&rows, args.max_col_width);
    text.push('\n');
    for (path, name) in charts(at, &args.chart) {
        match name {
            None => text.push_str(&format!("WARNING: {path:?} is not a chart.\n")),
            Some(name) if !dependencies.iter().any(|d| d.name == name) => {
                text.push_str(&format!("WARNING: {path:?} is not in Chart.yaml.\n"));
            }
            Some(_) => {}
        }
    }
    Ok(text)
}

/// Go's `filepath.Join` of a directory as it was typed.
fn join(directory: &str, name: &str) -> String {
    let directory = directory.trim_end_matches('/');
    let directory = directory.strip_prefix("./").unwrap_or(directory);
    match directory {
        "." | "" => name.to_owned(),
        directory => format!("{directory}/{name}"),
    }
}

/// Directories and archives of `charts/` in order of their names, with the name of the chart in each.
fn charts(at: &Path, shown: &str) -> Vec<(String, Option<String>)> {
    let mut names: Vec<String> = std::fs::read_dir(at.join("charts"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    let looked_at = names.into_iter().filter_map(|name| {
        let path = at.join("charts").join(&name);
        if !path.is_dir() && !name.ends_with(".tgz") {
            return None;
        }
        let found = load(&path, &Limits::default()).ok();
        Some((
            join(shown, &format!("charts/{name}")),
            found.map(|l| l.chart.metadata().name.clone()),
        ))
    });
    looked_at.collect()
}

/// An archive in `charts/` goes before a directory, as in Helm.
fn dependency_status(at: &Path, dependency: &Dependency, loaded: &Loaded) -> &'static str {
    let archives: Vec<String> = std::fs::read_dir(at.join("charts"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| version_in(name, &dependency.name).is_some())
        .collect();
    let named: Vec<&String> = match &*archives {
        [only] => vec![only],
        several => several
            .iter()
            .filter(|name| version_in(name, &dependency.name).is_some_and(|v| Version::parse_strict(v).is_ok()))
            .collect(),
    };
    match &*named {
        [] => {}
        [only] => {
            return match load(&at.join("charts").join(only), &Limits::default()) {
                Err(_) => "corrupt",
                Ok(found) if found.chart.metadata().name != dependency.name => "misnamed",
                Ok(found) => status(found.chart.metadata(), dependency, "ok"),
            };
        }
        _ => return "too many matches",
    }
    match inside(&loaded.chart, &dependency.name) {
        None => "missing",
        Some(found) => status(found, dependency, "unpacked"),
    }
}

/// What stands for the version in the name of an archive: `1.2` in `web-1.2.tgz`.
fn version_in<'a>(file: &'a str, name: &str) -> Option<&'a str> {
    file.strip_suffix(".tgz")?.strip_prefix(name)?.strip_prefix('-')
}

/// Columns of one width, a blank-filled cell and a tab each; longer cells are cut.
fn table<const N: usize>(rows: &[[String; N]], longest: usize) -> String {
    let cut = |cell: &str| {
        if cell.chars().count() <= longest {
            return cell.to_owned();
        }
        let kept: String = cell.chars().take(longest.saturating_sub(3)).collect();
        format!("{kept}...")
    };
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().map(|cell| cut(cell)).collect())
        .collect();
    let mut widths = [0; N];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in &rows {
        let cells: Vec<String> = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        text.push_str(&cells.join("\t"));
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_filled_and_cut() {
        let rows = [["NAME", "V"], ["longer-than-that", "1"]].map(|r| r.map(str::to_owned));
        assert_eq!(table(&rows, 8), "NAME    \tV\nlonge...\t1\n");
    }

    #[test]
    fn names_are_joined_as_go_joins_them() {
        for (directory, joined) in [(".", "charts"), ("./a/", "a/charts"), ("/x/a", "/x/a/charts")] {
            assert_eq!(join(directory, "charts"), joined);
        }
    }
}
