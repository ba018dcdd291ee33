//! The real distribution registry on loopback: passwords over TLS with a private authority, or nothing at all.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "called by tests: a panic is how a test fails"
)]

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use sha2::{Digest as _, Sha256};

use crate::background::{Background, free_port};
use crate::go_tools::{GoTools, ToolsError, pinned_version};
use crate::step_aside::require_or_step_aside;

/// The user of a registry with a lock.
pub const USER: &str = "me";
/// The password of [`USER`].
pub const PASSWORD: &str = "right";
/// Both as htpasswd files hold them (bcrypt, cost 5).
const HTPASSWD: &str = "me:$2y$05$abcdefghijklmnopqrstuu8xaCxxL82bnl.UY74PMksDxIJShppPC\n";

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";
const LAYER: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";

/// The registry answers in a tenth of a second; the machine may be busy.
const START_WITHIN: Duration = Duration::from_secs(30);

/// The registry program, built once per pins of `tests/registry` into `$XDG_CACHE_HOME/pintle/registry/<pins>/bin`.
pub fn registry_tools() -> Result<PathBuf, ToolsError> {
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("registry");
    let version = pinned_version(&module, "github.com/distribution/distribution/v3")?;
    let tools = GoTools {
        what: format!("the distribution registry {version}"),
        cache: "registry",
        module,
        sources: &[],
        programs: &[("github.com/distribution/distribution/v3/cmd/registry", "registry")],
        ldflags: "-s -w".into(),
    };
    Ok(tools.locate_or_build()?.join("registry"))
}

/// A private authority and a certificate for loopback from it.
pub struct Tls {
    /// The authority, PEM.
    pub authority_pem: String,
    certificate_pem: String,
    key_pem: String,
}

impl Tls {
    /// Makes both anew.
    pub fn new() -> Self {
        let mut authority = CertificateParams::new(Vec::new()).expect("no name is wrong");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("keys can be made");
        let authority_pem = authority.self_signed(&key).expect("it signs itself").pem();
        let issuer = Issuer::new(authority, key);
        let key = KeyPair::generate().expect("keys can be made");
        let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("an address is a name");
        Self {
            authority_pem,
            certificate_pem: leaf.signed_by(&key, &issuer).expect("the authority signs").pem(),
            key_pem: key.serialize_pem(),
        }
    }
}

impl Default for Tls {
    fn default() -> Self {
        Self::new()
    }
}

/// A running registry.
pub struct Registry {
    /// `127.0.0.1:<port>`.
    pub host: String,
    base: String,
    pusher: reqwest::Client,
    has_lock: bool,
    _program: Background,
    _directory: tempfile::TempDir,
}

impl Registry {
    /// Starts an empty registry: with `tls` behind [`USER`] and [`PASSWORD`], without it open and in plain text. `None` where `test` must step
    /// aside because it cannot be built here.
    pub async fn start(test: &str, tls: Option<&Tls>) -> Option<Self> {
        // Building takes a minute, and waits for another process that builds.
        let tools = tokio::task::spawn_blocking(registry_tools).await;
        let program = require_or_step_aside(test, tools.expect("looking for it does not panic"))?;
        let directory = tempfile::tempdir().expect("a scratch folder can be made");
        let at = |name: &str| directory.path().join(name);
        let write = |name: &str, text: &str| fs::write(at(name), text).expect("a scratch folder can be written");
        let port = free_port().expect("loopback has a free port");
        let mut config = format!(
            "version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: 127.0.0.1:{port}\n",
            at("data").display()
        );
        if let Some(tls) = tls {
            write("cert.pem", &tls.certificate_pem);
            write("key.pem", &tls.key_pem);
            write("htpasswd", HTPASSWD);
            // Writing to a String cannot fail.
            let _ = writeln!(
                config,
                "  tls:\n    certificate: {}\n    key: {}\nauth:\n  htpasswd:\n    realm: tests\n    path: {}",
                at("cert.pem").display(),
                at("key.pem").display(),
                at("htpasswd").display()
            );
        }
        write("config.yml", &config);
        let file = at("config.yml");
        let running = Background::start(&program, &[OsStr::new("serve"), file.as_os_str()], directory.path());
        let registry = Self {
            host: format!("127.0.0.1:{port}"),
            base: format!("{}://127.0.0.1:{port}", if tls.is_some() { "https" } else { "http" }),
            pusher: pusher(tls),
            has_lock: tls.is_some(),
            _program: running.expect("sh starts"),
            _directory: directory,
        };
        let since = Instant::now();
        let hello = format!("{}/v2/", registry.base);
        while registry.pusher.get(&hello).send().await.is_err() {
            let said = registry._program.said();
            assert!(since.elapsed() < START_WITHIN, "the registry does not answer: {said}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Some(registry)
    }

    /// Pushes a chart's archive as `helm push` does.
    pub async fn push(&self, repository: &str, tag: &str, archive: &[u8]) {
        let config = br#"{"name":"web"}"#;
        let config_digest = self.push_blob(repository, config.to_vec()).await;
        let layer_digest = self.push_blob(repository, archive.to_vec()).await;
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{{"mediaType":"{CONFIG}","digest":"{config_digest}","size":{}}},"layers":[{{"mediaType":"{LAYER}","digest":"{layer_digest}","size":{}}}]}}"#,
            config.len(),
            archive.len()
        );
        let to = format!("{}/v2/{repository}/manifests/{tag}", self.base);
        let put = self.pusher.put(to).header("Content-Type", MANIFEST);
        self.send(put.body(manifest)).await;
    }

    async fn push_blob(&self, repository: &str, bytes: Vec<u8>) -> String {
        let mut digest = String::from("sha256:");
        for byte in Sha256::digest(&bytes) {
            // Writing to a String cannot fail.
            let _ = write!(digest, "{byte:02x}");
        }
        let uploads = format!("{}/v2/{repository}/blobs/uploads/", self.base);
        let begun = self.send(self.pusher.post(&uploads)).await;
        let location = begun.headers().get("location").and_then(|l| l.to_str().ok());
        let uploads = reqwest::Url::parse(&uploads).expect("a URL of ours");
        let mut to = uploads
            .join(location.expect("an upload has a place"))
            .expect("the registry writes URLs");
        to.query_pairs_mut().append_pair("digest", &digest);
        let put = self.pusher.put(to).header("Content-Type", "application/octet-stream");
        self.send(put.body(bytes)).await;
        digest
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> reqwest::Response {
        let request = if self.has_lock {
            request.basic_auth(USER, Some(PASSWORD))
        } else {
            request
        };
        let response = request.send().await.expect("the registry answers");
        assert!(response.status().is_success(), "{}", response.status());
        response
    }
}

/// A client that trusts this authority alone.
fn pusher(tls: Option<&Tls>) -> reqwest::Client {
    let mut roots = rustls::RootCertStore::empty();
    if let Some(tls) = tls {
        let authority = CertificateDer::from_pem_slice(tls.authority_pem.as_bytes()).expect("PEM of ours");
        roots.add(authority).expect("an authority of ours");
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has them")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let client = reqwest::Client::builder().tls_backend_preconfigured(config).no_proxy();
    client.build().expect("a client can be made")
}
