//! Charts from repositories and registries, with what the command line says of access.

use std::path::Path;

use pintle_model::Sensitive;
use pintle_model::settings::{RepositoryCredentials, RepositorySecret, RepositoryType, SecretType};
use pintle_repo::{ChartArchive, ChartError, ChartRef, ChartSettings, Charts, CredentialBook};
use tempfile::TempDir;
use tokio::time::Instant;

use super::failed;
use crate::args::{AccessFlags, ChartFlags};
use crate::exit::CliError;

/// Certificates and keys are some KB.
const MAX_PEM_BYTES: u64 = 1 << 20;

/// Repositories and registries for as long as one command runs; archives are kept in a directory that goes with it.
pub(super) struct Fetcher {
    pub charts: Charts,
    began: Instant,
    _directory: TempDir,
}

impl Fetcher {
    /// Knows the repositories at `urls`, each with the credentials of the flags if `gives` says so.
    pub(super) fn new<'a>(
        urls: impl IntoIterator<Item = &'a str>,
        access: &AccessFlags,
        gives: impl Fn(&str) -> bool,
    ) -> Result<Self, CliError> {
        let directory = tempfile::tempdir()?;
        let mut settings = ChartSettings::default();
        settings.http.environment_proxy = true;
        let charts = Charts::new(directory.path().to_owned(), settings);
        let credentials = RepositoryCredentials {
            username: access.username.clone().unwrap_or_default(),
            password: access.password.clone().map(Sensitive::new),
            tls_client_cert_data: access.cert_file.as_deref().map(pem).transpose()?.map(Sensitive::new),
            tls_client_cert_key: access.key_file.as_deref().map(pem).transpose()?.map(Sensitive::new),
            ..RepositoryCredentials::default()
        };
        let authority = access.ca_file.as_deref().map(pem).transpose()?;
        let (mut secrets, mut authorities) = (Vec::new(), Vec::new());
        for url in urls {
            if let (Some(pem), Some(host)) = (&authority, host(url)) {
                authorities.push((host.to_owned(), pem.clone()));
            }
            let credentials = if gives(url) {
                credentials.clone()
            } else {
                RepositoryCredentials::default()
            };
            secrets.push(secret(url, access, credentials));
        }
        charts.set_credentials(CredentialBook::new(secrets, authorities).into());
        Ok(Self {
            charts,
            began: Instant::now(),
            _directory: directory,
        })
    }

    /// The version that `revision` means, and its archive; empty means the latest.
    pub(super) async fn fetch(&self, of: &ChartRef, revision: &str) -> Result<ChartArchive, ChartError> {
        let resolved = self.charts.resolve(of, revision, self.began).await?;
        self.charts.fetch(of, &resolved).await
    }

    /// The version that `revision` means.
    pub(super) async fn version(&self, of: &ChartRef, revision: &str) -> Result<String, ChartError> {
        Ok(self.charts.resolve(of, revision, self.began).await?.version)
    }
}

/// The chart that `name` means under the flags, packed: in `--repo`, at `oci://…`, or at the URL of an archive.
pub(super) async fn chart(name: &str, flags: &ChartFlags) -> Result<Vec<u8>, CliError> {
    let mut revision = flags.version.as_deref().unwrap_or_default().trim().to_owned();
    if revision.is_empty() && flags.devel {
        revision = ">0.0.0-0".to_owned();
    }
    let mut of = ChartRef {
        pass_credentials: flags.pass_credentials,
        ..ChartRef::default()
    };
    if let Some(repo) = &flags.repo {
        of.repo_url = repo.clone();
        of.chart = name.to_owned();
    } else if is_oci(name) {
        let (home, chart, tag) = split_oci(name);
        if let Some(tag) = tag {
            if !revision.is_empty() && revision != tag {
                return Err(failed(format!(
                    "chart reference and version mismatch: {revision} is not {tag}"
                )));
            }
            revision = tag.to_owned();
        }
        of.repo_url = home.to_owned();
        of.chart = chart.to_owned();
    } else if name.contains("://") {
        of.repo_url = name.to_owned();
        let fetcher = Fetcher::new([name], &flags.access, |_| true)?;
        let archive = fetcher.charts.fetch(&of, &of.archive().map_err(failed)?).await;
        return Ok(archive.map_err(failed)?.bytes.to_vec());
    } else {
        return Err(failed(format!(
            "{name:?} is neither a file nor a directory; name the repository it is in with --repo URL, or a registry with oci://…"
        )));
    }
    let fetcher = Fetcher::new([&*of.repo_url], &flags.access, |_| true)?;
    Ok(fetcher.fetch(&of, &revision).await.map_err(failed)?.bytes.to_vec())
}

/// Whether a URL names a registry.
pub(super) fn is_oci(url: &str) -> bool {
    url.split_once("://")
        .is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("oci"))
}

/// `oci://host:5000/charts/web:1.2` as the URL of what holds the chart, its name, and the tag or digest if there is one.
fn split_oci(reference: &str) -> (&str, &str, Option<&str>) {
    let (home, last) = reference.rsplit_once('/').unwrap_or((reference, ""));
    match last.split_once('@').or_else(|| last.split_once(':')) {
        Some((name, tag)) => (home, name, Some(tag)),
        None => (home, last, None),
    }
}

fn secret(url: &str, access: &AccessFlags, credentials: RepositoryCredentials) -> RepositorySecret {
    RepositorySecret {
        secret_namespace: String::new(),
        secret_name: "command line".into(),
        resource_version: String::new(),
        secret_type: SecretType::Repository,
        url: url.to_owned(),
        name: String::new(),
        project: String::new(),
        kind: RepositoryType::Helm,
        credentials,
        insecure: access.insecure_skip_tls_verify,
        enable_lfs: false,
        enable_oci: is_oci(url),
        insecure_oci_force_http: access.plain_http,
        proxy: None,
        no_proxy: String::new(),
        depth: None,
        webhook_manifest_cache_warm_disabled: false,
    }
}

/// The host of a URL, without its port.
fn host(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if host.starts_with('[') {
        return host.split_once(']').map(|(name, _)| name.trim_start_matches('['));
    }
    host.split(':').next()
}

fn pem(path: &Path) -> Result<String, CliError> {
    let unreadable = |e: std::io::Error| failed(format!("cannot read {}: {e}", path.display()));
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > MAX_PEM_BYTES {
        return Err(failed(format!("{} has {size} bytes, too many for PEM", path.display())));
    }
    std::fs::read_to_string(path).map_err(unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_comes_apart() {
        for (reference, parts) in [
            ("oci://h:5000/a/web", ("oci://h:5000/a", "web", None)),
            ("oci://h:5000/web:1.2", ("oci://h:5000", "web", Some("1.2"))),
            ("oci://h/a/web@sha256:ab", ("oci://h/a", "web", Some("sha256:ab"))),
        ] {
            assert_eq!(split_oci(reference), parts);
        }
    }

    #[test]
    fn hosts_lose_ports_and_users() {
        for (url, expected) in [
            ("https://h:8443/x", "h"),
            ("oci://me@h/x", "h"),
            ("https://[::1]:80/", "::1"),
        ] {
            assert_eq!(host(url), Some(expected), "{url}");
        }
    }
}
