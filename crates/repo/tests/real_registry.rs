//! The real distribution registry: passwords over TLS with a private authority, and nothing at all.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

#[allow(dead_code, reason = "shared with the tests of chart repositories")]
mod web;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use pintle_repo::{ChartArchive, ChartError, ChartRef, Charts};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tokio::time::Instant;
use web::{archive, chart, client_with, settings, sha256};

/// `me` with the password `right`, as htpasswd files hold it (bcrypt, cost 5).
const HTPASSWD: &str = "me:$2y$05$abcdefghijklmnopqrstuu8xaCxxL82bnl.UY74PMksDxIJShppPC\n";
const LAYER: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
const CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";

/// The registry program for the pins of `tests/registry/go.mod`, built once into the cache; `None` where go or the modules are missing.
fn program() -> Option<PathBuf> {
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/registry");
    let pins = std::fs::read(module.join("go.sum")).unwrap();
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")))?
        .join("pintle/registry");
    std::fs::create_dir_all(&cache).unwrap();
    let program = cache.join(format!("registry-{}", &sha256(&pins)[..12]));
    let lock = std::fs::File::create(cache.join("build.lock")).unwrap();
    lock.lock().unwrap();
    if program.exists() {
        return Some(program);
    }
    let go = |arguments: &[&str]| {
        let mut go = Command::new("go");
        go.current_dir(&module)
            .args(arguments)
            .arg("github.com/distribution/distribution/v3/cmd/registry")
            .env("GOFLAGS", "-mod=readonly")
            .env("GOWORK", "off")
            .env("CGO_ENABLED", "0");
        go.output()
    };
    // First only the sources: if this fails the machine lacks something, if the build fails the pins are wrong.
    let lacking = match go(&["list", "-deps", "-f", ""]) {
        Ok(out) if out.status.success() => None,
        Ok(out) => Some(String::from_utf8_lossy(&out.stderr).into_owned()),
        Err(e) => Some(e.to_string()),
    };
    if let Some(reason) = lacking {
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "the registry cannot be built, and with CI=true nothing steps aside: {reason}"
        );
        // Past the test runner's capture.
        let _ = writeln!(std::io::stderr(), "stepped aside: real_registry: {reason}");
        return None;
    }
    // Beside its final place, then renamed: a killed build leaves nothing that looks whole.
    let fresh = program.with_extension("building");
    let built = go(&[
        "build",
        "-buildvcs=false",
        "-ldflags",
        "-s -w",
        "-o",
        fresh.to_str().unwrap(),
    ])
    .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    std::fs::rename(&fresh, &program).unwrap();
    Some(program)
}

/// A private authority and a certificate for loopback from it.
struct Tls {
    authority_pem: String,
    certificate_pem: String,
    key_pem: String,
}

impl Tls {
    fn new() -> Self {
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let authority_pem = authority.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(authority, key);
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        Self {
            authority_pem,
            certificate_pem: leaf.signed_by(&key, &issuer).unwrap().pem(),
            key_pem: key.serialize_pem(),
        }
    }
}

/// A registry on a free port of loopback; ends with this process, however that ends.
struct Registry {
    shell: Child,
    base: String,
    host: String,
    pusher: reqwest::Client,
    password: Option<&'static str>,
    _directory: tempfile::TempDir,
}

impl Drop for Registry {
    fn drop(&mut self) {
        // The shell ends the registry when its standard input closes.
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

impl Registry {
    async fn start(program: &Path, tls: Option<&Tls>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let mut config = format!(
            "version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: 127.0.0.1:{port}\n",
            at("data").display()
        );
        if let Some(tls) = tls {
            std::fs::write(at("cert.pem"), &tls.certificate_pem).unwrap();
            std::fs::write(at("key.pem"), &tls.key_pem).unwrap();
            std::fs::write(at("htpasswd"), HTPASSWD).unwrap();
            config.push_str(&format!(
                "  tls:\n    certificate: {}\n    key: {}\nauth:\n  htpasswd:\n    realm: tests\n    path: {}\n",
                at("cert.pem").display(),
                at("key.pem").display(),
                at("htpasswd").display()
            ));
        }
        std::fs::write(at("config.yml"), config).unwrap();
        let log = std::fs::File::create(at("log")).unwrap();
        let shell = Command::new("sh")
            .args(["-c", r#""$0" serve "$1" </dev/null & read -r _; kill $!"#])
            .arg(program)
            .arg(at("config.yml"))
            .env("OTEL_TRACES_EXPORTER", "none")
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut roots = rustls::RootCertStore::empty();
        if let Some(tls) = tls {
            roots
                .add(CertificateDer::from_pem_slice(tls.authority_pem.as_bytes()).unwrap())
                .unwrap();
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let registry = Self {
            shell,
            base: format!("{}://127.0.0.1:{port}", if tls.is_some() { "https" } else { "http" }),
            host: format!("127.0.0.1:{port}"),
            pusher: reqwest::Client::builder()
                .tls_backend_preconfigured(config)
                .no_proxy()
                .build()
                .unwrap(),
            password: tls.map(|_| "right"),
            _directory: directory,
        };
        let deadline = Instant::now() + Duration::from_secs(30);
        while registry
            .pusher
            .get(format!("{}/v2/", registry.base))
            .send()
            .await
            .is_err()
        {
            let log = std::fs::read_to_string(registry._directory.path().join("log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "the registry does not answer: {log}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        registry
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> reqwest::Response {
        let request = match self.password {
            Some(password) => request.basic_auth("me", Some(password)),
            None => request,
        };
        let response = request.send().await.unwrap();
        assert!(response.status().is_success(), "{}", response.status());
        response
    }

    async fn push_blob(&self, repository: &str, bytes: Vec<u8>) -> String {
        let digest = format!("sha256:{}", sha256(&bytes));
        let uploads = format!("{}/v2/{repository}/blobs/uploads/", self.base);
        let begun = self.send(self.pusher.post(&uploads)).await;
        let location = begun.headers()["location"].to_str().unwrap().to_owned();
        let mut to = reqwest::Url::parse(&uploads).unwrap().join(&location).unwrap();
        to.query_pairs_mut().append_pair("digest", &digest);
        self.send(
            self.pusher
                .put(to)
                .header("Content-Type", "application/octet-stream")
                .body(bytes),
        )
        .await;
        digest
    }

    /// Pushes a chart as `helm push` does.
    async fn push(&self, repository: &str, tag: &str, bytes: &[u8]) {
        let config = br#"{"name":"web"}"#;
        let config_digest = self.push_blob(repository, config.to_vec()).await;
        let layer_digest = self.push_blob(repository, bytes.to_vec()).await;
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"{CONFIG}","digest":"{config_digest}","size":{}}},"layers":[{{"mediaType":"{LAYER}","digest":"{layer_digest}","size":{}}}]}}"#,
            config.len(),
            bytes.len()
        );
        let to = format!("{}/v2/{repository}/manifests/{tag}", self.base);
        let put = self
            .pusher
            .put(to)
            .header("Content-Type", "application/vnd.oci.image.manifest.v1+json");
        self.send(put.body(manifest)).await;
    }

    fn secret(&self, more: &str) -> String {
        format!(r#""url":"{}/charts","type":"helm","enableOCI":"true"{more}"#, self.host)
    }

    fn web(&self) -> ChartRef {
        chart(&format!("oci://{}/charts", self.host), "web")
    }
}

async fn get(charts: &Charts, of: &ChartRef, revision: &str) -> Result<ChartArchive, ChartError> {
    let resolved = charts.resolve(of, revision, Instant::now()).await?;
    charts.fetch(of, &resolved).await
}

fn error<T>(result: Result<T, ChartError>) -> String {
    match result {
        Ok(_) => panic!("it worked"),
        Err(e) => e.to_string(),
    }
}

#[tokio::test]
async fn charts_behind_a_password_and_a_private_authority() {
    let Some(program) = program() else { return };
    let tls = Tls::new();
    let registry = Registry::start(&program, Some(&tls)).await;
    // More than one piece on the wire.
    let newest = archive(300_000);
    for (tag, bytes) in [
        ("1.2.0", archive(1000)),
        ("1.3.0_b2", newest.clone()),
        ("2.0.0-rc1", archive(500)),
    ] {
        registry.push("charts/web", tag, &bytes).await;
    }
    let trusted = vec![("127.0.0.1".to_owned(), tls.authority_pem.clone())];
    let with = |password: &str, authorities: &[(String, String)], more: &str| {
        let more = format!(r#","username":"me","password":"{password}"{more}"#);
        client_with(&[registry.secret(&more)], authorities.to_vec(), settings())
    };

    let client = with("right", &trusted, "");
    let fetched = get(&client.charts, &registry.web(), "^1").await.unwrap();
    assert_eq!(fetched.version, "1.3.0+b2");
    assert_eq!(*fetched.bytes, *newest);
    let fetched = get(&client.charts, &registry.web(), "1.2.0").await.unwrap();
    assert_eq!(*fetched.bytes, *archive(1000));

    let said = error(get(&client.charts, &registry.web(), "9.9.9").await);
    assert!(said.contains("there are 2.0.0-rc1, 1.3.0+b2, 1.2.0"), "{said}");
    let mut absent = registry.web();
    absent.chart = "absent".into();
    let said = error(get(&client.charts, &absent, "*").await);
    assert!(said.contains("no chart \"absent\""), "{said}");

    let said = error(get(&with("wrong", &trusted, "").charts, &registry.web(), "1.2.0").await);
    assert!(
        said.contains("401") && said.contains("check username and password"),
        "{said}"
    );
    let nobody = client_with(&[], trusted.clone(), settings());
    let said = error(get(&nobody.charts, &registry.web(), "1.2.0").await);
    assert!(said.contains("401") && said.contains("wants credentials"), "{said}");

    let said = error(get(&with("right", &[], "").charts, &registry.web(), "1.2.0").await);
    assert!(
        said.contains("UnknownIssuer") && said.contains("argocd-tls-certs-cm"),
        "{said}"
    );
    let insecure = with("right", &[], r#","insecure":"true""#);
    get(&insecure.charts, &registry.web(), "1.2.0").await.unwrap();
    let forced = with("right", &trusted, r#","forceHttpBasicAuth":"true""#);
    get(&forced.charts, &registry.web(), "1.2.0").await.unwrap();
}

#[tokio::test]
async fn charts_without_any_lock() {
    let Some(program) = program() else { return };
    let registry = Registry::start(&program, None).await;
    registry.push("charts/web", "0.1.0", &archive(1000)).await;
    let plain = client_with(
        &[registry.secret(r#","insecureOCIForceHttp":"true""#)],
        Vec::new(),
        settings(),
    );
    let fetched = get(&plain.charts, &registry.web(), "*").await.unwrap();
    assert_eq!((fetched.version.as_str(), &*fetched.bytes), ("0.1.0", &*archive(1000)));
    // A registry that speaks no TLS, and no setting that allows that.
    let said = error(get(&client_with(&[], Vec::new(), settings()).charts, &registry.web(), "*").await);
    assert!(said.contains("https://"), "{said}");
}
