//! What tests of charts share: a server that answers as it is told, clients, charts.

use std::sync::Arc;
use std::time::Duration;

use pintle_model::Object;
use pintle_model::settings::RepositorySecret;
use pintle_repo::{ChartRef, ChartSettings, Charts, CredentialBook, HttpSettings};
#[allow(unused_imports, reason = "not every file of tests needs a server of its own")]
pub use pintle_tests::web_server::{Reply, Seen, Server};
use sha2::{Digest as _, Sha256};

/// Deadlines for a loopback that answers in a millisecond.
pub fn settings() -> ChartSettings {
    ChartSettings {
        http: HttpSettings {
            request: Duration::from_secs(5),
            download: Duration::from_secs(5),
            stall: Duration::from_millis(700),
            connect: Duration::from_millis(300),
            pause: Duration::from_millis(10),
            longest_pause: Duration::from_secs(2),
            ..HttpSettings::default()
        },
        ..ChartSettings::default()
    }
}

pub struct Client {
    pub charts: Charts,
    pub directory: tempfile::TempDir,
}

/// Charts with repository Secrets, each given as its fields in JSON.
pub fn client(secrets: &[String]) -> Client {
    client_with(secrets, Vec::new(), settings())
}

pub fn client_with(secrets: &[String], authorities: Vec<(String, String)>, settings: ChartSettings) -> Client {
    let directory = tempfile::tempdir().unwrap();
    let charts = Charts::new(directory.path().to_owned(), settings);
    charts.set_credentials(Arc::new(book(secrets, authorities)));
    Client { charts, directory }
}

pub fn book(secrets: &[String], authorities: Vec<(String, String)>) -> CredentialBook {
    let secret = |fields: &String| {
        let json = format!(
            r#"{{"apiVersion":"v1","kind":"Secret","metadata":{{"name":"s","labels":{{"argocd.argoproj.io/secret-type":"repository"}}}},"stringData":{{{fields}}}}}"#
        );
        let object = Object::from_json(json.as_bytes()).ok().unwrap();
        RepositorySecret::from_secret(&object).unwrap().unwrap()
    };
    CredentialBook::new(secrets.iter().map(secret), authorities)
}

/// Fields of a Secret with the user `me`.
pub fn secret(url: &str, password: &str, more: &str) -> String {
    format!(r#""url":"{url}","type":"helm","username":"me","password":"{password}"{more}"#)
}

pub fn chart(repo_url: &str, chart: &str) -> ChartRef {
    ChartRef {
        repo_url: repo_url.into(),
        chart: chart.into(),
        ..ChartRef::default()
    }
}

/// Bytes that begin as an archive does.
pub fn archive(size: usize) -> Vec<u8> {
    let mut bytes = vec![0x1f, 0x8b];
    bytes.extend((2..size).map(|i| u8::try_from(i * 7 % 251).unwrap()));
    bytes
}

pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// An index of one chart, `web`: version, URL and digest (`-` for none) each.
pub fn index(versions: &[(&str, &str, &str)]) -> String {
    let mut text = String::from("apiVersion: v1\nentries:\n  web:\n");
    for (version, url, digest) in versions {
        text.push_str(&format!(
            "  - name: web\n    version: \"{version}\"\n    urls: [\"{url}\"]\n"
        ));
        if *digest != "-" {
            text.push_str(&format!("    digest: {digest}\n"));
        }
    }
    text
}

/// `me:<password>` as it goes over the wire.
pub fn basic(password: &str) -> String {
    use base64::Engine as _;
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("me:{password}"));
    format!("Basic {pair}")
}
