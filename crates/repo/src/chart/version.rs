//! Which of a chart's versions a revision means.

use std::fmt::Write as _;

use pintle_gotmpl::semver::{Constraints, Version};

/// Versions named in an error: enough to see the pattern.
const SHOWN: usize = 10;

/// The version a revision means: the one that is written so, or else the highest that satisfies it as a range. Empty means any release.
///
/// A pin such as `1.2` that is nobody's version is a range too, as Helm reads `--version`.
pub(crate) fn choose<'a>(versions: impl Iterator<Item = &'a str> + Clone, revision: &str) -> Option<&'a str> {
    let revision = revision.trim();
    if let Some(exact) = versions.clone().find(|v| *v == revision) {
        return Some(exact);
    }
    let range = Constraints::parse(if revision.is_empty() { "*" } else { revision }).ok()?;
    let mut best: Option<(Version, &str)> = None;
    for text in versions {
        let Ok(version) = Version::parse(text) else { continue };
        // Of equals the first stays: they differ in build metadata only.
        if range.check(&version) && best.as_ref().is_none_or(|(b, _)| version.compare(b).is_gt()) {
            best = Some((version, text));
        }
    }
    best.map(|(_, text)| text)
}

/// Whether a revision is a version with all three numbers, which registries can be asked for directly.
pub(crate) fn is_whole(revision: &str) -> bool {
    let core = revision.split(['-', '+']).next().unwrap_or_default();
    core.split('.').count() == 3 && Version::parse(revision).is_ok()
}

/// Which versions there are, highest first, in words.
pub(crate) fn existing<'a>(versions: impl Iterator<Item = &'a str>) -> String {
    let mut parsed: Vec<(Option<Version>, &str)> = versions.map(|v| (Version::parse(v).ok(), v)).collect();
    if parsed.is_empty() {
        return "there are no versions at all".into();
    }
    parsed.sort_by(|(a, x), (b, y)| match (a, b) {
        (Some(a), Some(b)) => b.compare(a).then_with(|| y.cmp(x)),
        _ => b.is_some().cmp(&a.is_some()).then_with(|| y.cmp(x)),
    });
    let mut text = String::from("there are ");
    for (i, (_, version)) in parsed.iter().take(SHOWN).enumerate() {
        // Writing to a string cannot fail.
        let _ = write!(text, "{}{version}", if i == 0 { "" } else { ", " });
    }
    if let Some(more) = parsed.len().checked_sub(SHOWN).filter(|n| *n > 0) {
        let _ = write!(text, " and {more} more");
    }
    text
}

/// Names close to one that does not exist: ` (did you mean …?)`, or nothing.
pub(crate) fn did_you_mean<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> String {
    // Longer names are compared by their first characters only: the table is quadratic.
    const LONGEST: usize = 64;
    let wanted: Vec<char> = wanted.chars().take(LONGEST).collect();
    let closest = names
        .map(|name| (distance(&wanted, &name.chars().take(LONGEST).collect::<Vec<_>>()), name))
        .filter(|(distance, _)| *distance <= 1 + wanted.len() / 4)
        .min();
    match closest {
        Some((_, name)) => format!("; did you mean {name:?}?"),
        None => "; check the name, and that the repository URL is the one it is published in".into(),
    }
}

/// Insertions, deletions and replacements between two names.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (y, cell) in b.iter().zip(row.iter_mut().skip(1)) {
            let replaced = diagonal + usize::from(x != y);
            diagonal = *cell;
            left = replaced.min(diagonal + 1).min(left + 1);
            *cell = left;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSIONS: [&str; 7] = ["1.2.0", "1.2.3+b2", "2.0.0-rc1", "1.10.0", "v0.9.0", "latest", "1.2"];

    #[test]
    fn exact_first_then_the_highest_in_range() {
        for (revision, chosen) in [
            ("1.2.0", Some("1.2.0")),
            ("1.2", Some("1.2")),
            ("1.2.3", Some("1.2.3+b2")),
            ("^1.2", Some("1.10.0")),
            ("~1.2.0", Some("1.2.3+b2")),
            ("*", Some("1.10.0")),
            ("", Some("1.10.0")),
            (">=2.0.0-0", Some("2.0.0-rc1")),
            ("0.9.0", Some("v0.9.0")),
            ("latest", Some("latest")),
            ("main", None),
            (">=3", None),
            // One comparison that names a pre-release lets them into the whole range.
            (">=2.0.0-0, <3", Some("2.0.0-rc1")),
            ("<3", Some("1.10.0")),
            (">= 1.2.0 < 1.10 || 9", Some("1.2.3+b2")),
        ] {
            assert_eq!(choose(VERSIONS.iter().copied(), revision), chosen, "{revision}");
        }
    }

    #[test]
    fn says_which_exist() {
        assert_eq!(
            existing(VERSIONS.iter().copied()),
            "there are 2.0.0-rc1, 1.10.0, 1.2.3+b2, 1.2.0, 1.2, v0.9.0, latest"
        );
        let many: Vec<String> = (0..14).map(|i| format!("1.{i}.0")).collect();
        assert!(existing(many.iter().map(String::as_str)).ends_with("1.4.0 and 4 more"));
        assert_eq!(existing([].into_iter()), "there are no versions at all");
    }

    #[test]
    fn suggests_what_is_close() {
        let names = ["redis", "postgresql", "nginx"];
        assert_eq!(
            did_you_mean("postgres", names.into_iter()),
            "; did you mean \"postgresql\"?"
        );
        assert_eq!(did_you_mean("ngnix", names.into_iter()), "; did you mean \"nginx\"?");
        assert!(!did_you_mean("kafka", names.into_iter()).contains("mean"));
    }
}
