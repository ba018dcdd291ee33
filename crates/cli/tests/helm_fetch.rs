//! `pintle helm` with charts from repositories and registries, as a person types it.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test starts programs and fails by panicking"
)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use pintle_tests::chart_files::ChartFiles;
use pintle_tests::web_server::{Reply, Seen, Server};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// An index of one chart, `web`: version, URL and digest (`-` for none) each.
fn index(versions: &[(&str, &str, &str)]) -> String {
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
fn basic(password: &str) -> String {
    use base64::Engine as _;
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("me:{password}"));
    format!("Basic {pair}")
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// A packed chart `web` with a ConfigMap that tells its version.
fn packed(version: &str) -> Vec<u8> {
    ChartFiles::new("web", version)
        .with("values.yaml", "greeting: hello\n")
        .with(
            "templates/a.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  version: {{ .Chart.Version }}\n  greeting: {{ \
             .Values.greeting }}\n",
        )
        .packed()
}

fn pintle(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pintle"))
        .arg("helm")
        .args(arguments)
        .current_dir(directory)
        .output()
        .unwrap()
}

/// What a command that succeeds prints.
fn said(directory: &Path, arguments: &[&str]) -> String {
    let output = pintle(directory, arguments);
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {err}");
    String::from_utf8(output.stdout).unwrap()
}

/// A repository of `web` 1.0.0 and 1.2.0 for who knows the password.
fn repository(seen: &Seen) -> Reply {
    if seen.authorization() != Some(&*basic("right")) {
        return Reply::status(401).with("WWW-Authenticate", "Basic realm=\"charts\"");
    }
    match &*seen.path {
        "/charts/index.yaml" => {
            let digests = ["1.0.0", "1.2.0"].map(|v| sha256(&packed(v)));
            Reply::ok(index(&[
                ("1.0.0", "web-1.0.0.tgz", &digests[0]),
                ("1.2.0", "web-1.2.0.tgz", &digests[1]),
                ("2.0.0-rc1", "web-2.0.0-rc1.tgz", "-"),
            ]))
        }
        path => match path.strip_prefix("/charts/web-").and_then(|p| p.strip_suffix(".tgz")) {
            Some(version) => Reply::ok(packed(version)),
            None => Reply::status(404),
        },
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chart_of_a_repository_with_a_password() {
    let server = Server::start(repository).await;
    let directory = tempfile::tempdir().unwrap();
    let url = server.url("/charts");
    let access = ["--repo", &url, "--username", "me", "--password", "right"];
    let with = |more: &[&str]| {
        let words: Vec<&str> = more.iter().copied().chain(access).collect();
        said(directory.path(), &words)
    };
    let latest = with(&["template", "rel", "web", "--set", "greeting=bye"]);
    assert!(latest.contains("version: 1.2.0\n  greeting: bye"), "{latest}");
    assert!(with(&["template", "web", "--version", "~1.0"]).contains("version: 1.0.0"));
    assert!(with(&["template", "web", "--devel"]).contains("version: 2.0.0-rc1"));
    assert_eq!(with(&["show", "values", "web"]), "greeting: hello\n\n");

    for (words, expected) in [
        (&["template", "web", "--repo", &url][..], "401"),
        (
            &[
                "template",
                "web",
                "--repo",
                &url,
                "--username",
                "me",
                "--password",
                "wrong",
            ],
            "401",
        ),
        (
            &[
                "template",
                "webb",
                "--repo",
                &url,
                "--username",
                "me",
                "--password",
                "right",
            ],
            "did you mean \"web\"",
        ),
        (
            &[
                "template",
                "web",
                "--version",
                ">3",
                "--repo",
                &url,
                "--username",
                "me",
                "--password",
                "right",
            ],
            "there are",
        ),
        (&["template", "web"], "--repo URL"),
    ] {
        let output = pintle(directory.path(), words);
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{words:?}: {err}");
        assert!(err.contains(expected), "{words:?}: {err}");
        assert!(output.stdout.is_empty(), "{words:?}");
        assert!(!err.contains("wrong") && !err.contains("right"), "{err}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_stay_with_the_repository_unless_told_otherwise() {
    let files = Server::start(|_| Reply::ok(packed("1.0.0"))).await;
    let archive = files.url("/web-1.0.0.tgz");
    let lists = Server::start(move |_| Reply::ok(index(&[("1.0.0", &archive, "-")]))).await;
    let directory = tempfile::tempdir().unwrap();
    let url = lists.url("");
    let words = [
        "template",
        "web",
        "--repo",
        &url,
        "--username",
        "me",
        "--password",
        "right",
    ];
    said(directory.path(), &words);
    let passing: Vec<&str> = words.into_iter().chain(["--pass-credentials"]).collect();
    said(directory.path(), &passing);
    let given: Vec<bool> = files.seen().iter().map(|s| s.authorization().is_some()).collect();
    assert_eq!(given, [false, true]);
    assert!(lists.seen().iter().any(|s| s.authorization().is_some()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_authority_is_named_or_nothing_is_checked() {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let authority_pem = authority.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(authority, key);
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = leaf.signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let server = Server::start_with(Some(TlsAcceptor::from(Arc::new(config))), |seen| match &*seen.path {
        "/index.yaml" => Reply::ok(index(&[("1.0.0", "web-1.0.0.tgz", "-")])),
        _ => Reply::ok(packed("1.0.0")),
    })
    .await;
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("ca.pem"), authority_pem).unwrap();
    let url = format!("https://127.0.0.1:{}", server.port);
    for flags in [&["--ca-file", "ca.pem"][..], &["--insecure-skip-tls-verify"]] {
        let words: Vec<&str> = ["template", "web", "--repo", &url]
            .into_iter()
            .chain(flags.iter().copied())
            .collect();
        assert!(said(directory.path(), &words).contains("version: 1.0.0"));
    }
    let archive = format!("{url}/web-1.0.0.tgz");
    let by_url = said(directory.path(), &["template", &archive, "--ca-file", "ca.pem"]);
    assert!(by_url.contains("version: 1.0.0"), "{by_url}");
    let output = pintle(directory.path(), &["template", "web", "--repo", &url]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("certificate"));
}

/// A registry with `charts/web`.
fn registry(seen: &Seen) -> Reply {
    let blob = |version: &str| packed(version);
    match &*seen.path {
        path if path.starts_with("/v2/charts/web/tags/list") => {
            Reply::ok(r#"{"name":"charts/web","tags":["1.0.0","1.2.0"]}"#).with("Content-Type", "application/json")
        }
        path => {
            for version in ["1.0.0", "1.2.0"] {
                let layer = blob(version);
                let digest = sha256(&layer);
                if path == format!("/v2/charts/web/manifests/{version}") {
                    let manifest = format!(
                        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":"sha256:{}","size":2}},"layers":[{{"mediaType":"application/vnd.cncf.helm.chart.content.v1.tar+gzip","digest":"sha256:{digest}","size":{}}}]}}"#,
                        sha256(b"{}"),
                        layer.len()
                    );
                    return Reply::ok(manifest).with("Content-Type", "application/vnd.oci.image.manifest.v1+json");
                }
                if path == format!("/v2/charts/web/blobs/sha256:{digest}") {
                    return Reply::ok(layer);
                }
            }
            Reply::status(404)
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chart_of_a_registry() {
    let server = Server::start(registry).await;
    let directory = tempfile::tempdir().unwrap();
    let home = format!("oci://127.0.0.1:{}/charts/web", server.port);
    let tagged = format!("{home}:1.0.0");
    for (words, version) in [
        (&["template", "rel", &home, "--plain-http"][..], "1.2.0"),
        (
            &["template", "rel", &home, "--plain-http", "--version", "1.0.x"],
            "1.0.0",
        ),
        (&["template", "rel", &tagged, "--plain-http"], "1.0.0"),
    ] {
        let text = said(directory.path(), words);
        assert!(text.contains(&format!("version: {version}\n")), "{words:?}: {text}");
    }
    let output = pintle(
        directory.path(),
        &["template", &tagged, "--plain-http", "--version", "1.2.0"],
    );
    assert!(String::from_utf8_lossy(&output.stderr).contains("mismatch"));
}

#[tokio::test(flavor = "multi_thread")]
async fn dependencies_are_chosen_locked_and_built_again() {
    let server = Server::start(registry).await;
    let open = Server::start(|seen| {
        let mut seen = seen.clone();
        seen.path = seen.path.clone();
        match &*seen.path {
            "/index.yaml" => Reply::ok(index(&[
                ("1.0.0", "web-1.0.0.tgz", "-"),
                ("1.2.0", "web-1.2.0.tgz", "-"),
            ])),
            path => match path.strip_prefix("/web-").and_then(|p| p.strip_suffix(".tgz")) {
                Some(version) => Reply::ok(packed(version)),
                None => Reply::status(404),
            },
        }
    })
    .await;
    let directory = tempfile::tempdir().unwrap();
    let at = |path: &str| directory.path().join(path);
    fs::create_dir_all(at("near/templates")).unwrap();
    fs::write(at("near/Chart.yaml"), "apiVersion: v2\nname: near\nversion: 0.3.1\n").unwrap();
    fs::write(at("near/.helmignore"), "*.bak\n").unwrap();
    fs::write(at("near/x.bak"), "not packed").unwrap();
    fs::create_dir_all(at("app/charts")).unwrap();
    let chart = |range: &str| {
        format!(
            "apiVersion: v2\nname: app\nversion: 0.1.0\ndependencies:\n- {{name: near, version: 0.x, repository: 'file://../near'}}\n\
             - {{name: web, version: '{range}', repository: 'oci://127.0.0.1:{}/charts'}}\n- {{name: web, alias: old, version: 1.0.x, repository: \
             '{}'}}\n",
            server.port,
            open.url("")
        )
    };
    fs::write(at("app/Chart.yaml"), chart("1.2.x")).unwrap();
    fs::write(at("app/charts/stale-1.0.0.tgz"), packed("0.0.1")).unwrap();

    let output = pintle(directory.path(), &["template", "app"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("missing in charts/ directory: near"));
    let updated = said(directory.path(), &["dependency", "update", "app", "--plain-http"]);
    assert!(updated.contains("Saving 3 charts\n"), "{updated}");
    assert!(updated.ends_with("Deleting outdated charts\n"), "{updated}");
    let mut names: Vec<String> = fs::read_dir(at("app/charts"))
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["near-0.3.1.tgz", "web-1.0.0.tgz", "web-1.2.0.tgz"]);
    let lock = fs::read_to_string(at("app/Chart.lock")).unwrap();
    assert!(
        lock.contains("version: 1.2.0\n") && lock.contains("digest: sha256:"),
        "{lock}"
    );
    let rendered = said(directory.path(), &["template", "app"]);
    assert!(
        rendered.contains("version: 1.2.0") && rendered.contains("version: 1.0.0"),
        "{rendered}"
    );

    // Nothing changes, so that nothing is written.
    said(directory.path(), &["dependency", "update", "app", "--plain-http"]);
    assert_eq!(fs::read_to_string(at("app/Chart.lock")).unwrap(), lock);

    fs::remove_dir_all(at("app/charts")).unwrap();
    said(directory.path(), &["dependency", "build", "app", "--plain-http"]);
    assert!(at("app/charts/web-1.2.0.tgz").exists());
    let listed = said(directory.path(), &["dependency", "list", "app"]);
    assert_eq!(
        listed.lines().filter(|l| l.trim_end().ends_with("ok")).count(),
        1,
        "{listed}"
    );
    assert_eq!(
        listed
            .lines()
            .filter(|l| l.trim_end().ends_with("too many matches"))
            .count(),
        2,
        "{listed}"
    );

    fs::write(at("app/Chart.yaml"), chart("1.0.x")).unwrap();
    let output = pintle(directory.path(), &["dependency", "build", "app", "--plain-http"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("out of sync"));
    fs::write(at("app/Chart.yaml"), chart("9.x")).unwrap();
    let output = pintle(directory.path(), &["dependency", "update", "app", "--plain-http"]);
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        err.contains("can't get a valid version for 1 subchart(s): \"web\""),
        "{err}"
    );
    assert!(
        at("app/charts/web-1.2.0.tgz").exists(),
        "nothing is taken away by what fails"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_dependencies_come_with_the_render() {
    let server = Server::start(registry).await;
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("app")).unwrap();
    let chart = format!(
        "apiVersion: v2\nname: app\nversion: 0.1.0\ndependencies:\n- {{name: web, version: 1.0.x, repository: 'oci://127.0.0.1:{}/charts'}}\n",
        server.port
    );
    fs::write(directory.path().join("app/Chart.yaml"), chart).unwrap();
    let text = said(
        directory.path(),
        &["template", "app", "--dependency-update", "--plain-http"],
    );
    assert!(text.contains("# Source: app/charts/web/templates/a.yaml"), "{text}");
}
