//! What counts as a remote file or base. Nothing here dials: remote content is asked for and given by the caller.

/// Something a build needs from elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fetch {
    /// As written in the kustomization file; the key under which the answer is given.
    pub url: String,
    /// The file is to be fetched over HTTP first; only what is no file is cloned.
    pub http: bool,
    /// The repository, the directory in it and the revision, if the text names one.
    pub git: Option<GitBase>,
    /// A chart of a repository; nothing else is said then.
    pub chart: Option<ChartBase>,
}

/// A chart in a repository of charts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChartBase {
    /// URL of the repository, or `oci://…`.
    pub repository: String,
    /// Name of the chart.
    pub name: String,
    /// Its version; empty for the newest.
    pub version: String,
}

impl ChartBase {
    /// What stands for the chart in [`Fetch::url`].
    pub fn url(&self) -> String {
        Self::url_of(&self.repository, &self.name, &self.version)
    }

    /// As [`ChartBase::url`], of the parts.
    pub fn url_of(repository: &str, name: &str, version: &str) -> String {
        format!("chart {repository} {name} {version}")
    }
}

/// A base in another repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GitBase {
    /// What to clone: `https://github.com/org/repo`, `git@host:org/repo`.
    pub repository: String,
    /// The directory in it; empty for its root.
    pub path: String,
    /// Branch, tag or commit; empty for the default branch.
    pub revision: String,
}

impl Fetch {
    /// What the argument of `kustomize build` or a text in `resources` asks for from elsewhere; `None` for a path.
    pub fn of(text: &str) -> Option<Self> {
        let http = is_http(text);
        let git = git_base(text);
        (http || git.is_some()).then(|| Self {
            url: text.to_owned(),
            http,
            git,
            chart: None,
        })
    }
}

pub(super) fn is_http(text: &str) -> bool {
    ["http://", "https://"]
        .iter()
        .any(|scheme| strip_prefix(text, scheme).is_some())
}

fn strip_prefix<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix)
        .then(|| text.get(prefix.len()..).unwrap_or_default())
}

/// Reads the ways to name a repository that Kustomize knows.
fn git_base(text: &str) -> Option<GitBase> {
    if text.starts_with('/') {
        return None;
    }
    let (text, query) = text.split_once('?').unwrap_or((text, ""));
    let text = strip_prefix(text, "git::").unwrap_or(text);
    let (scheme, rest) = ["ssh://", "https://", "http://", "file://"]
        .iter()
        .find_map(|s| strip_prefix(text, s).map(|rest| (*s, rest)))
        .unwrap_or(("", text));
    let (user, rest) = match rest.split_once('@') {
        Some((user, after))
            if user.starts_with(|c: char| c.is_ascii_alphabetic())
                && user.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') =>
        {
            (format!("{user}@"), after)
        }
        _ => (String::new(), rest),
    };
    let github = strip_prefix(rest, "github.com/").is_some() || strip_prefix(rest, "github.com:").is_some();
    let scp = scheme.is_empty() && (!user.is_empty() || github);
    if scheme.is_empty() && !scp {
        return None;
    }
    let (host, path) = if scheme == "file://" {
        (scheme.to_owned(), format!("{user}{rest}"))
    } else {
        let slash = rest.find('/');
        let at = match rest.find(':') {
            Some(colon) if scp && colon > 0 && slash.is_none_or(|s| colon < s) => Some(colon),
            _ => slash,
        };
        let (host, path) = at.map_or((rest, ""), |at| {
            (
                rest.get(..=at).unwrap_or_default(),
                rest.get(at + 1..).unwrap_or_default(),
            )
        });
        let host = match github {
            true if scheme == "ssh://" || !user.is_empty() => format!("{user}github.com:"),
            true => "https://github.com/".to_owned(),
            false if host.is_empty() => return None,
            false => format!("{scheme}{user}{host}"),
        };
        (host, path.to_owned())
    };
    let (repository, path) = split_repository(&path, scheme == "file://")?;
    let path = path.trim_start_matches('/');
    let mut depth = 0i64;
    for part in path.split('/') {
        depth += match part {
            "" | "." => 0,
            ".." => -1,
            _ => 1,
        };
        if depth < 0 {
            return None;
        }
    }
    let value = |name: &str| {
        let mut pairs = query.split('&').filter_map(|p| p.split_once('='));
        pairs
            .find(|(k, v)| *k == name && !v.is_empty())
            .map(|(_, v)| v.to_owned())
    };
    Some(GitBase {
        repository: format!("{host}{repository}"),
        path: path.to_owned(),
        revision: value("ref").or_else(|| value("version")).unwrap_or_default(),
    })
}

/// Where the repository's path ends: at `_git/NAME`, `//`, `.git`, or after two parts.
fn split_repository(path: &str, whole: bool) -> Option<(String, String)> {
    let cut = |at: usize, skip: usize| {
        let head = path.get(..at).unwrap_or_default().to_owned();
        (!head.is_empty()).then(|| (head, path.get(at + skip..).unwrap_or_default().to_owned()))
    };
    if let Some(at) = path.find("_git/") {
        let after = at + "_git/".len();
        let end = path.get(after..)?.find('/').map_or(path.len(), |i| after + i);
        return cut(end, 0);
    }
    if let Some(at) = path.find("//") {
        return cut(at, 2);
    }
    if let Some(at) = path.find(".git") {
        return cut(at + ".git".len(), 0);
    }
    if whole {
        return cut(path.len(), 0);
    }
    let second = path.match_indices('/').nth(1).map(|(at, _)| at);
    if second.is_none() && !path.contains('/') {
        return None;
    }
    cut(second.unwrap_or(path.len()), 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Option<(String, String, String)> {
        git_base(text).map(|b| (b.repository, b.path, b.revision))
    }

    #[test]
    fn tells_repositories_from_paths() {
        let of = |a: &str, b: &str, c: &str| Some((a.to_owned(), b.to_owned(), c.to_owned()));
        assert_eq!(
            parts("github.com/org/repo/sub/dir?ref=v1"),
            of("https://github.com/org/repo", "sub/dir", "v1")
        );
        assert_eq!(
            parts("git@github.com:org/repo.git//deploy"),
            of("git@github.com:org/repo.git", "deploy", "").map(|(_, b, c)| (
                "git@github.com:org/repo.git".into(),
                b,
                c
            ))
        );
        assert_eq!(
            parts("https://host.example/org/repo//x?version=a"),
            of("https://host.example/org/repo", "x", "a")
        );
        assert_eq!(parts("../base"), None);
        assert_eq!(parts("dir/file.yaml"), None);
        assert_eq!(parts("https://github.com/org/repo//../../x"), None);
        assert!(Fetch::of("HTTPS://example.com/a.yaml").is_some_and(|f| f.http));
    }
}
