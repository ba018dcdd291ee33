//! Repository URLs: which are let through, and which spellings mean the same [I-30].

use std::fmt;

/// A repository URL that passed the door: an allowed scheme, no credentials in it, nothing a program could take for an option.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RepoUrl {
    text: String,
    scheme: Scheme,
}

/// Transports that are spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scheme {
    /// `https://`
    Https,
    /// `http://`
    Http,
    /// `file://`
    File,
}

/// Why a URL is refused, before anything is dialled or started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlRefused {
    /// Empty.
    #[error("the repository URL is empty")]
    Empty,
    /// A remote-helper URL such as `ext::sh -c …`, which Git would run.
    #[error("repository URL {0:?} names a remote helper, which is never run; use https://, http:// or file://")]
    RemoteHelper(String),
    /// Begins with `-`, holds control characters or blanks.
    #[error("repository URL {0:?} holds characters that no URL has")]
    Characters(String),
    /// SSH: known, but not spoken yet.
    #[error("repository URL {0:?}: SSH is not supported by this version; use https://")]
    SshNotYet(String),
    /// OCI: known, but not spoken yet.
    #[error("repository URL {0:?}: OCI registries are not supported by this version; use a Git repository")]
    OciNotYet(String),
    /// Some other scheme.
    #[error("repository URL {0:?} has a scheme that is not allowed; use https://, http:// or file://")]
    Scheme(String),
    /// `https://user:password@host/…`.
    #[error("the repository URL holds a password; put it into a repository Secret (`pintle repo add`) instead")]
    Password,
}

impl RepoUrl {
    /// Lets a URL in, or says why not.
    pub fn parse(text: &str) -> Result<Self, UrlRefused> {
        let text = text.trim();
        if text.is_empty() {
            return Err(UrlRefused::Empty);
        }
        if text.starts_with('-') || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(UrlRefused::Characters(shown(text)));
        }
        // `ext::…`, `fd::…`, `foo::bar`: Git runs `git-remote-foo`.
        if let Some((helper, _)) = text.split_once("::")
            && helper
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        {
            return Err(UrlRefused::RemoteHelper(shown(text)));
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            // `git@host:path` is SSH in short.
            let short_ssh = text.contains('@') && text.contains(':');
            let refused = if short_ssh {
                UrlRefused::SshNotYet
            } else {
                UrlRefused::Scheme
            };
            return Err(refused(shown(text)));
        };
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "https" => Scheme::Https,
            "http" => Scheme::Http,
            "file" => Scheme::File,
            "ssh" | "git+ssh" => return Err(UrlRefused::SshNotYet(shown(text))),
            "oci" => return Err(UrlRefused::OciNotYet(shown(text))),
            _ => return Err(UrlRefused::Scheme(shown(text))),
        };
        let authority = rest.split('/').next().unwrap_or_default();
        if authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':')) {
            return Err(UrlRefused::Password);
        }
        if rest.is_empty() || authority.starts_with('-') || (scheme != Scheme::File && authority.is_empty()) {
            return Err(UrlRefused::Characters(shown(text)));
        }
        Ok(Self {
            text: text.to_owned(),
            scheme,
        })
    }

    /// The URL as given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The transport.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The spelling by which URLs are compared: scheme and host in lower case, no user, no trailing `/` or `.git`.
    pub fn normalized(&self) -> String {
        normalize(&self.text)
    }
}

/// Without what may stand at the end of a repository's path or not.
fn without_end(path: &str) -> &str {
    let end = |c: char| c == '/' || c.is_whitespace();
    let path = path.trim_end_matches(end);
    path.strip_suffix(".git").unwrap_or(path).trim_end_matches(end)
}

/// Characters of a refused URL that are shown.
const SHOWN: usize = 200;

/// A refused text as it may be told: what may be a password is left out, and there is an end to it.
fn shown(text: &str) -> String {
    let is_scheme = |part: &str| part.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    let (mut out, rest) = match text.split_once("://") {
        Some((scheme, rest)) if is_scheme(scheme) => (format!("{scheme}://"), rest),
        _ => (String::new(), text),
    };
    match rest.rsplit_once('@') {
        Some((user, host)) if user.contains(':') => {
            let name = user.split(':').next().unwrap_or_default();
            out.push_str(&format!("{name}:…@{host}"));
        }
        _ => out.push_str(rest),
    }
    match out.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", out.get(..at).unwrap_or_default()),
        None => out,
    }
}

impl fmt::Display for RepoUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// As [`RepoUrl::normalized`], for any text: URL patterns of repo-creds Secrets are prefixes and need not be whole URLs.
pub fn normalize(url: &str) -> String {
    let url = url.trim();
    let Some((scheme, rest)) = url.split_once("://") else {
        return without_end(url).to_owned();
    };
    let rest = without_end(rest);
    let (authority, path) = rest.split_once('/').map_or((rest, None), |(a, p)| (a, Some(p)));
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host)
        .to_ascii_lowercase();
    let scheme = scheme.to_ascii_lowercase();
    match path {
        Some(path) => format!("{scheme}://{host}/{path}"),
        None => format!("{scheme}://{host}"),
    }
}

/// Where a repository is, whatever transport its URL names: `github.com/o/r` for `git@github.com:o/r.git` and `https://github.com/o/r`. For
/// telling whether a checkout is the one that a URL means; never for credentials.
pub fn place(url: &str) -> String {
    let normal = normalize(url);
    let (authority, path) = match normal.split_once("://") {
        Some((scheme, rest)) if scheme != "file" => match rest.split_once('/') {
            Some((authority, path)) => (authority.to_owned(), path.to_owned()),
            None => return normal,
        },
        Some(_) => return normal,
        // `git@host:path`: SSH in short.
        None => match normal.split_once(':') {
            Some((host, path)) if !host.contains('/') && !path.is_empty() => {
                let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
                (host.to_ascii_lowercase(), path.trim_start_matches('/').to_owned())
            }
            _ => return normal,
        },
    };
    format!("{authority}/{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_and_why() {
        for (url, word) in [
            ("", "empty"),
            ("ext::sh -c touch% /tmp/x", "characters"),
            ("ext::sh", "remote helper"),
            ("-uX", "characters"),
            ("--upload-pack=x", "characters"),
            ("https://-oProxyCommand=x/y", "characters"),
            ("git@host:a/b", "SSH"),
            ("ssh://host/a", "SSH"),
            ("oci://host/a", "OCI"),
            ("ftp://host/a", "scheme"),
            ("/etc", "scheme"),
            ("https://u:p@host/a", "password"),
            ("https:///a", "characters"),
            ("https://host/a\nb", "characters"),
        ] {
            let refused = RepoUrl::parse(url).map(|u| u.to_string()).unwrap_err().to_string();
            assert!(refused.contains(word), "{url:?}: {refused}");
        }
    }

    #[test]
    fn spellings_of_one_repository_compare_equal() {
        let same = |a: &str, b: &str| {
            assert_eq!(
                RepoUrl::parse(a).unwrap().normalized(),
                RepoUrl::parse(b).unwrap().normalized()
            )
        };
        same("https://Host/a/b.git", "https://host/a/b");
        same("HTTPS://user@host/a/b/", "https://host/a/b");
        assert_ne!(
            RepoUrl::parse("http://h/a").unwrap().normalized(),
            RepoUrl::parse("https://h/a").unwrap().normalized()
        );
        assert_ne!(
            RepoUrl::parse("http://h/a").unwrap().normalized(),
            RepoUrl::parse("http://h/A").unwrap().normalized()
        );
    }

    #[test]
    fn a_place_is_the_same_over_every_transport() {
        for url in [
            "https://github.com/o/r.git",
            "git@GitHub.com:o/r",
            "ssh://git@github.com/o/r.git",
            "http://user@github.com/o/r/",
        ] {
            assert_eq!(place(url), "github.com/o/r", "{url}");
        }
        assert_eq!(place("file:///srv/r.git"), "file:///srv/r");
        assert_eq!(place("/srv/r"), "/srv/r");
        assert_ne!(place("https://github.com/o/r"), place("https://gitlab.com/o/r"));
    }
}
