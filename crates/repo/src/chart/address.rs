//! Which chart repository or registry a URL means, and which are refused at the door [I-30].

use reqwest::Url;

use super::access::{ChartAccess, strip_oci};

/// Where a chart is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// A repository with an index.
    Repository(Url),
    /// A repository of a registry.
    Registry(RegistryAddress),
}

/// One repository of a registry.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct RegistryAddress {
    /// `https://host:port/`.
    pub base: Url,
    /// Its name, such as `charts/web`.
    pub repository: String,
}

/// Why a URL is refused, before anything is dialled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressRefused {
    /// Empty.
    #[error("the URL of the chart repository is empty")]
    Empty,
    /// Blanks or control characters, or no host.
    #[error("chart repository {0:?} is no URL")]
    NoUrl(String),
    /// No scheme, and nothing says that it is a registry.
    #[error(
        "chart repository {0:?} has no scheme; write https:// or oci:// in front of it, or set enableOCI in its repository Secret"
    )]
    NoScheme(String),
    /// Some other scheme.
    #[error("chart repository {0:?} has a scheme that is not allowed; use https://, http:// or oci://")]
    Scheme(String),
    /// `https://user:password@host/…`.
    #[error(
        "the URL of the chart repository holds a user or password; put them into a repository Secret (`pintle repo add`) instead"
    )]
    Password,
    /// Not a name registries have.
    #[error(
        "{0:?} is no name of a repository in a registry: only lower-case letters, digits and single separators (. _ - /) are"
    )]
    RepositoryName(String),
}

impl Address {
    /// Reads where `chart` of `repo_url` is. An empty chart means that the URL names the repository of a registry itself.
    pub(crate) fn parse(repo_url: &str, chart: &str, access: &ChartAccess) -> Result<Self, AddressRefused> {
        let text = repo_url.trim();
        if text.is_empty() {
            return Err(AddressRefused::Empty);
        }
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(AddressRefused::NoUrl(text.to_owned()));
        }
        if let Some(rest) = strip_oci(text) {
            return RegistryAddress::parse(rest, chart, access.is_plain_http()).map(Self::Registry);
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            if access.is_oci() {
                return RegistryAddress::parse(text, chart, access.is_plain_http()).map(Self::Registry);
            }
            if text.split('/').next().is_some_and(|a| a.contains('@')) {
                return Err(AddressRefused::Password);
            }
            return Err(AddressRefused::NoScheme(text.to_owned()));
        };
        if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
            return Err(AddressRefused::Scheme(text.to_owned()));
        }
        if rest.split('/').next().is_some_and(|authority| authority.contains('@')) {
            return Err(AddressRefused::Password);
        }
        if access.is_oci() {
            return RegistryAddress::parse(rest, chart, access.is_plain_http()).map(Self::Registry);
        }
        let mut url = Url::parse(text).map_err(|_| AddressRefused::NoUrl(text.to_owned()))?;
        url.set_fragment(None);
        Ok(Self::Repository(url))
    }
}

impl RegistryAddress {
    /// Reads `host[:port]/path` and puts the chart behind it.
    pub(crate) fn parse(rest: &str, chart: &str, plain_http: bool) -> Result<Self, AddressRefused> {
        let rest = rest.trim_end_matches('/');
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        if authority.contains('@') {
            return Err(AddressRefused::Password);
        }
        // The name people write for Docker's registry is not the one that serves it.
        let authority = match authority {
            "docker.io" | "index.docker.io" => "registry-1.docker.io",
            other => other,
        };
        let scheme = if plain_http { "http" } else { "https" };
        let no_url = || AddressRefused::NoUrl(rest.to_owned());
        if authority.is_empty() || authority.contains(['?', '#', '\\']) {
            return Err(no_url());
        }
        let base = Url::parse(&format!("{scheme}://{authority}/")).map_err(|_| no_url())?;
        let repository = match (path, chart) {
            (path, "") => path.to_owned(),
            ("", chart) => chart.to_owned(),
            (path, chart) => format!("{path}/{chart}"),
        };
        if !is_repository_name(&repository) {
            return Err(AddressRefused::RepositoryName(repository));
        }
        Ok(Self { base, repository })
    }

    /// For people: `oci://host/name`.
    pub(crate) fn shown(&self) -> String {
        let host = self.base.host_str().unwrap_or_default();
        match self.base.port() {
            Some(port) => format!("oci://{host}:{port}/{}", self.repository),
            None => format!("oci://{host}/{}", self.repository),
        }
    }
}

/// The grammar of names in the distribution specification, a little wider in which separators may follow one another.
fn is_repository_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.len() <= 255
        && name.split('/').all(|part| {
            part.starts_with(plain)
                && part.ends_with(plain)
                && part.chars().all(|c| plain(c) || matches!(c, '.' | '_' | '-'))
                && !part.contains("..")
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::CredentialBook;

    fn parse(url: &str, chart: &str) -> Result<Address, AddressRefused> {
        Address::parse(url, chart, &CredentialBook::default().chart_access(url, ""))
    }

    #[test]
    fn registries_and_repositories_are_told_apart() {
        for (url, chart, shown) in [
            ("oci://Harbor.local/charts", "web", "oci://harbor.local/charts/web"),
            ("OCI://h:5000", "web", "oci://h:5000/web"),
            ("oci://h/a/b/", "", "oci://h/a/b"),
            (
                "oci://docker.io/bitnamicharts",
                "nginx",
                "oci://registry-1.docker.io/bitnamicharts/nginx",
            ),
        ] {
            match parse(url, chart).unwrap() {
                Address::Registry(address) => assert_eq!(address.shown(), shown),
                Address::Repository(_) => panic!("{url} is a registry"),
            }
        }
        assert!(matches!(
            parse("https://h/charts", "web").unwrap(),
            Address::Repository(_)
        ));
    }

    #[test]
    fn what_is_refused_and_why() {
        for (url, chart, word) in [
            ("", "a", "empty"),
            ("https://h/a b", "a", "no URL"),
            ("harbor.local/charts", "a", "enableOCI"),
            ("file:///etc", "a", "scheme"),
            ("ftp://h/a", "a", "scheme"),
            ("https://u:p@h/a", "a", "Secret"),
            ("oci://u:p@h/a", "a", "Secret"),
            ("https://", "a", "no URL"),
            ("oci:///a", "a", "no URL"),
            ("oci://h/a", "../x", "no name"),
            ("oci://h/a", "x?y=z", "no name"),
            ("oci://h/A", "x", "no name"),
            ("oci://h", "", "no name"),
        ] {
            let refused = parse(url, chart).unwrap_err().to_string();
            assert!(refused.contains(word), "{url:?}: {refused}");
            assert!(!refused.contains("u:p"), "{refused}");
        }
    }
}
