//! What a remote advertises, and which commit a revision means [F4.15].

use std::collections::BTreeMap;

use pintle_gotmpl::semver::{Constraints, Version};

use crate::chart::is_whole;

/// The refs of a remote at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refs {
    /// Full ref name to commit; annotated tags are peeled.
    refs: BTreeMap<String, String>,
}

/// What a revision means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// This commit, by this ref.
    Ref {
        /// Full name, for example `refs/heads/main`.
        name: String,
        /// Full commit id.
        commit: String,
    },
    /// A full commit id, taken as it is.
    Commit(String),
    /// The beginning of a commit id; which one is known once the objects are here.
    Abbreviated(String),
}

/// Why a revision means nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownRevision {
    /// Not a ref, not a commit id, not a range.
    #[error("unable to resolve {revision:?} to a commit: no branch, tag or commit of that name in {url}{hint}")]
    NoSuchRef {
        /// What was asked for.
        revision: String,
        /// Where.
        url: String,
        /// A name that is close, as a question; or empty.
        hint: String,
    },
    /// A semver range that no tag satisfies.
    #[error("no tag of {url} satisfies the version range {revision:?}")]
    NoTagInRange {
        /// The range.
        revision: String,
        /// Where.
        url: String,
    },
    /// Something a ref name cannot be.
    #[error("{0:?} is no revision: revisions do not begin with `-` or hold control characters")]
    Malformed(String),
}

impl Refs {
    /// Reads the output of `git ls-remote`: an id, a tab, a name per line; `name^{}` is what an annotated tag points at.
    pub fn parse(output: &str) -> Self {
        let mut refs = BTreeMap::new();
        let mut peeled = BTreeMap::new();
        for line in output.lines() {
            let Some((id, name)) = line.split_once('\t') else {
                continue;
            };
            if !is_commit_id(id) {
                continue;
            }
            match name.strip_suffix("^{}") {
                Some(tag) => peeled.insert(tag.to_owned(), id.to_owned()),
                None => refs.insert(name.to_owned(), id.to_owned()),
            };
        }
        refs.extend(peeled);
        Self { refs }
    }

    /// Refs by full name; of two with one name the last counts.
    pub fn of(refs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self {
            refs: refs.into_iter().collect(),
        }
    }

    /// Names of the tags, without `refs/tags/`.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        self.refs.keys().filter_map(|name| name.strip_prefix("refs/tags/"))
    }

    /// Names of the branches, without `refs/heads/`.
    pub fn branches(&self) -> impl Iterator<Item = &str> {
        self.refs.keys().filter_map(|name| name.strip_prefix("refs/heads/"))
    }

    /// Whether some ref stands at this commit.
    pub fn has_commit(&self, commit: &str) -> bool {
        self.refs.values().any(|c| c == commit)
    }

    /// What a revision means. In this order: a full commit id as it is; a semver range over tags (after `tag_prefix`); a full or short ref
    /// name; the beginning of a commit id.
    pub fn resolve(&self, revision: &str, tag_prefix: &str, url: &str) -> Result<Resolution, UnknownRevision> {
        let revision = if revision.is_empty() { "HEAD" } else { revision };
        if revision.starts_with('-') || revision.chars().any(char::is_control) {
            return Err(UnknownRevision::Malformed(revision.to_owned()));
        }
        if is_commit_id(revision) {
            return Ok(Resolution::Commit(revision.to_ascii_lowercase()));
        }
        let by_name = ["", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/"]
            .iter()
            .find_map(|prefix| {
                let name = format!("{prefix}{revision}");
                self.refs.get(&name).map(|commit| Resolution::Ref {
                    name,
                    commit: commit.clone(),
                })
            });
        // `1.2.3` is both a version and, very often, a tag's name: an exact name wins, as the range it also is has the same answer.
        if let Ok(range) = Constraints::parse(revision)
            && (by_name.is_none() || !is_whole(revision))
        {
            if let Some(found) = self.best_tag(&range, tag_prefix) {
                return Ok(found);
            }
            if by_name.is_none() && !is_abbreviated_id(revision) {
                return Err(UnknownRevision::NoTagInRange {
                    revision: revision.to_owned(),
                    url: url.to_owned(),
                });
            }
        }
        if let Some(found) = by_name {
            return Ok(found);
        }
        if is_abbreviated_id(revision) {
            return Ok(Resolution::Abbreviated(revision.to_ascii_lowercase()));
        }
        let hint = self
            .closest(revision)
            .map_or_else(String::new, |name| format!("; did you mean {name:?}?"));
        Err(UnknownRevision::NoSuchRef {
            revision: revision.to_owned(),
            url: url.to_owned(),
            hint,
        })
    }

    fn best_tag(&self, range: &Constraints, tag_prefix: &str) -> Option<Resolution> {
        let versions = self
            .tags()
            .filter_map(|tag| Some((Version::parse(tag.strip_prefix(tag_prefix)?).ok()?, tag)));
        let (_, tag) = versions
            .filter(|(v, _)| range.check(v))
            .max_by(|a, b| a.0.compare(&b.0).then_with(|| a.1.cmp(b.1)))?;
        let name = format!("refs/tags/{tag}");
        let commit = self.refs.get(&name)?.clone();
        Some(Resolution::Ref { name, commit })
    }

    /// A branch or tag at an edit distance of at most two.
    fn closest(&self, revision: &str) -> Option<&str> {
        let near = |name: &&str| name.len().abs_diff(revision.len()) <= 2 && distance(name, revision) <= 2;
        self.branches().chain(self.tags()).find(near)
    }
}

/// Levenshtein distance of two short strings.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (j, y) in b.iter().enumerate() {
            let up = row.get(j + 1).copied().unwrap_or(usize::MAX);
            let best = (diagonal + usize::from(x != *y)).min(left + 1).min(up + 1);
            diagonal = up;
            if let Some(cell) = row.get_mut(j) {
                *cell = left;
            }
            left = best;
        }
        if let Some(last) = row.last_mut() {
            *last = left;
        }
    }
    row.last().copied().unwrap_or(0)
}

/// Whether a text is a whole object id: 40 (SHA-1) or 64 (SHA-256) hexadecimal digits.
pub fn is_commit_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Whether a text could be the beginning of an object id; Git itself wants four digits, the peer seven.
fn is_abbreviated_id(text: &str) -> bool {
    (7..40).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> String {
        format!("{n:040x}")
    }

    fn refs() -> Refs {
        let lines = [
            (1, "HEAD"),
            (1, "refs/heads/main"),
            (2, "refs/heads/feature"),
            (3, "refs/tags/v1.0.0"),
            (9, "refs/tags/v1.2.0"),
            (4, "refs/tags/v1.2.0^{}"),
            (5, "refs/tags/v2.0.0-rc.1"),
            (6, "refs/tags/app-3.1.0"),
            (7, "refs/pull/1/head"),
        ];
        Refs::parse(&lines.map(|(n, name)| format!("{}\t{name}\n", id(n))).concat())
    }

    fn check(revision: &str, prefix: &str, expected: &str) {
        let said = match refs().resolve(revision, prefix, "http://git/x") {
            Ok(Resolution::Ref { name, commit }) => format!("{name} {}", u128::from_str_radix(&commit, 16).unwrap()),
            Ok(Resolution::Commit(_)) => "commit".to_owned(),
            Ok(Resolution::Abbreviated(_)) => "abbreviated".to_owned(),
            Err(e) => e.to_string(),
        };
        assert_eq!(said, expected, "{revision}");
    }

    #[test]
    fn revisions_resolve_as_the_peer_resolves_them() {
        check("", "", "HEAD 1");
        check("main", "", "refs/heads/main 1");
        check("refs/heads/feature", "", "refs/heads/feature 2");
        check("pull/1/head", "", "refs/pull/1/head 7");
        check("v1.2.0", "", "refs/tags/v1.2.0 4");
        check("1.x", "", "refs/tags/v1.2.0 4");
        check("^1.0.0", "", "refs/tags/v1.2.0 4");
        check(">=1.0.0", "", "refs/tags/v1.2.0 4");
        check(">=2.0.0-0", "", "refs/tags/v2.0.0-rc.1 5");
        check(">=1.0.0-0 <3.0.0", "", "refs/tags/v2.0.0-rc.1 5");
        check("3.*", "app-", "refs/tags/app-3.1.0 6");
        check("9.*", "", "no tag of http://git/x satisfies the version range \"9.*\"");
        check(&id(8), "", "commit");
        check("abcdef1", "", "abbreviated");
        check("1234567", "", "abbreviated");
        check(
            "mian",
            "",
            "unable to resolve \"mian\" to a commit: no branch, tag or commit of that name in http://git/x; did you mean \"main\"?",
        );
        check(
            "--upload-pack=x",
            "",
            "\"--upload-pack=x\" is no revision: revisions do not begin with `-` or hold control characters",
        );
    }

    #[test]
    fn distances() {
        for (a, b, n) in [
            ("main", "main", 0),
            ("mian", "main", 2),
            ("mai", "main", 1),
            ("", "abc", 3),
            ("abc", "", 3),
        ] {
            assert_eq!(distance(a, b), n, "{a} {b}");
        }
    }
}
