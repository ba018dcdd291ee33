//! Chart repositories over HTTP: what is asked for, who sees credentials, and what bad days look like.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

#[allow(dead_code, reason = "shared with the tests of registries")]
mod web;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use pintle_repo::{ChartArchive, ChartError, ChartRef, ChartSettings, Charts, HttpError, REVISION_CACHE};
use tokio::time::Instant;
use web::{Reply, Seen, Server, archive, basic, chart, client, client_with, index, secret, settings, sha256};

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

/// A repository of one chart with three versions.
async fn repository() -> Server {
    let body = archive(5000);
    let digest = sha256(&body);
    Server::start(move |seen| match seen.path.as_str() {
        "/charts/index.yaml" => {
            if seen.header("if-none-match") == Some("\"v1\"") {
                return Reply::status(304);
            }
            let text = index(&[
                ("1.2.0", "web-1.2.0.tgz", &digest),
                ("1.3.0", "web-1.3.0.tgz", &digest),
                ("2.0.0-rc1", "web-2.0.0-rc1.tgz", "-"),
            ]);
            Reply::ok(text).with("ETag", "\"v1\"")
        }
        path if path.starts_with("/charts/web-") => Reply::ok(body.clone()),
        _ => Reply::status(404),
    })
    .await
}

#[tokio::test]
async fn an_index_is_asked_once_and_an_archive_is_fetched_once() {
    let server = repository().await;
    let client = client(&[]);
    let web = chart(&server.url("/charts"), "web");
    let fetched = get(&client.charts, &web, "^1.2").await.unwrap();
    assert_eq!(fetched.version, "1.3.0");
    assert_eq!(*fetched.bytes, *archive(5000));
    assert_eq!(fetched.digest, format!("sha256:{}", sha256(&archive(5000))));
    assert_eq!(server.paths(), ["/charts/index.yaml", "/charts/web-1.3.0.tgz"]);

    // Within its age the index is believed; the archive comes from disk.
    let before = Instant::now().checked_sub(REVISION_CACHE).unwrap();
    let resolved = client.charts.resolve(&web, "1.3.0", before).await.unwrap();
    client.charts.fetch(&web, &resolved).await.unwrap();
    assert_eq!(server.paths().len(), 2);

    // Past it the server is asked whether it still holds.
    let versions = client.charts.versions(&web, Instant::now()).await.unwrap();
    assert_eq!(versions, ["1.2.0", "1.3.0", "2.0.0-rc1"]);
    let last = server.seen().pop().unwrap();
    assert_eq!(
        (last.path.as_str(), last.header("if-none-match")),
        ("/charts/index.yaml", Some("\"v1\""))
    );

    // Another process finds the archive on disk.
    let again = Charts::new(client.directory.path().to_owned(), settings());
    get(&again, &web, "1.3.0").await.unwrap();
    assert_eq!(again.counts().downloads, 0);

    // What was changed on disk is fetched again.
    let file = std::fs::read_dir(client.directory.path().join("archives"))
        .unwrap()
        .next()
        .unwrap();
    std::fs::write(file.unwrap().path(), b"evil").unwrap();
    let fetched = get(&again, &web, "1.3.0").await.unwrap();
    assert_eq!(*fetched.bytes, *archive(5000));
    assert_eq!(again.counts().downloads, 1);
}

#[tokio::test]
async fn many_at_once_share_one_answer() {
    let server = repository().await;
    let client = client(&[]);
    let before = Instant::now();
    let all = (0..20).map(|_| {
        let (charts, web) = (client.charts.clone(), chart(&server.url("/charts/"), "web"));
        tokio::spawn(async move {
            let resolved = charts.resolve(&web, "*", before).await.unwrap();
            charts.fetch(&web, &resolved).await.unwrap();
        })
    });
    for one in all.collect::<Vec<_>>() {
        one.await.unwrap();
    }
    assert_eq!(server.paths().len(), 2, "{:?}", server.paths());
}

#[tokio::test]
async fn says_which_versions_and_charts_exist() {
    let server = repository().await;
    let client = client(&[]);
    let said = error(get(&client.charts, &chart(&server.url("/charts"), "web"), ">=2").await);
    assert!(
        said.contains("satisfies \">=2\"; there are 2.0.0-rc1, 1.3.0, 1.2.0"),
        "{said}"
    );
    let said = error(get(&client.charts, &chart(&server.url("/charts"), "wep"), "*").await);
    assert!(
        said.contains("no chart \"wep\"") && said.contains("did you mean \"web\"?"),
        "{said}"
    );
    let said = error(get(&client.charts, &chart(&server.url("/nothing"), "web"), "*").await);
    assert!(
        said.contains("404") && said.contains("no index.yaml") && said.contains("oci://"),
        "{said}"
    );
}

/// A repository behind a password, with archives where `archives` says.
async fn guarded(archives: String, digest: String) -> Server {
    Server::start(move |seen| {
        if seen.authorization() != Some(basic("right").as_str()) {
            return Reply::status(401).with("WWW-Authenticate", "Basic realm=\"x\"");
        }
        match seen.path.as_str() {
            "/index.yaml" => Reply::ok(index(&[("1.0.0", &archives, &digest)])),
            "/moved.tgz" => Reply::to(&archives.replace("moved", "web")),
            "/web.tgz" => Reply::ok(archive(100)),
            _ => Reply::status(404),
        }
    })
    .await
}

#[tokio::test]
async fn a_wrong_password_and_none_are_told_apart() {
    let server = guarded("web.tgz".into(), sha256(&archive(100))).await;
    let url = server.url("");
    get(
        &client(&[secret(&url, "right", "")]).charts,
        &chart(&url, "web"),
        "1.0.0",
    )
    .await
    .unwrap();
    let said = error(get(&client(&[secret(&url, "wrong", "")]).charts, &chart(&url, "web"), "*").await);
    assert!(
        said.contains("401") && said.contains("check username and password"),
        "{said}"
    );
    assert!(!said.contains("wrong"), "{said}");
    let said = error(get(&client(&[]).charts, &chart(&url, "web"), "*").await);
    assert!(
        said.contains("401") && said.contains("add them with a repository Secret"),
        "{said}"
    );
    // A Secret of one project serves no other.
    let mine = client(&[secret(&url, "right", r#","project":"mine""#)]);
    let mut web = chart(&url, "web");
    web.project = "theirs".into();
    assert!(error(get(&mine.charts, &web, "*").await).contains("401"));
    web.project = "mine".into();
    get(&mine.charts, &web, "*").await.unwrap();
}

#[tokio::test]
async fn credentials_stay_with_their_origin_unless_they_are_passed() {
    for redirected in [false, true] {
        let cdn = Server::start(|_| Reply::ok(archive(100))).await;
        let target = cdn.url("/web.tgz");
        let server = if redirected {
            let digest = sha256(&archive(100));
            Server::start(move |seen| match seen.path.as_str() {
                "/index.yaml" => Reply::ok(index(&[("1.0.0", "moved.tgz", &digest)])),
                _ => Reply::to(&target),
            })
            .await
        } else {
            guarded(target, sha256(&archive(100))).await
        };
        let url = server.url("");
        let secrets = [secret(&url, "right", "")];
        let mut web = chart(&url, "web");
        get(&client(&secrets).charts, &web, "1.0.0").await.unwrap();
        assert!(server.seen().iter().all(|s| s.authorization().is_some()));
        assert_eq!(cdn.seen().len(), 1);
        assert_eq!(cdn.seen()[0].authorization(), None, "redirected: {redirected}");

        web.pass_credentials = true;
        get(&client(&secrets).charts, &web, "1.0.0").await.unwrap();
        assert_eq!(cdn.seen()[1].authorization(), Some(basic("right").as_str()));
    }
}

#[tokio::test]
async fn a_redirect_leads_to_http_only_and_not_for_ever() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/file/index.yaml" => Reply::to("file:///etc/passwd"),
        "/none/index.yaml" => Reply::status(302),
        _ => Reply::to("/loop/index.yaml"),
    })
    .await;
    for (path, said_) in [
        ("/file", "only http and https"),
        ("/none", "no Location"),
        ("/loop", "ten redirects"),
    ] {
        let said = error(get(&client(&[]).charts, &chart(&server.url(path), "web"), "*").await);
        assert!(said.contains(said_), "{said}");
    }
}

#[tokio::test]
async fn what_passes_by_itself_is_waited_for() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let server = Server::start(
        move |seen| match (seen.path.as_str(), count.fetch_add(1, Ordering::SeqCst)) {
            ("/long/index.yaml", _) => Reply::status(429).with("Retry-After", "3600"),
            ("/ever/index.yaml", _) => Reply::status(503),
            (_, 0) => Reply::status(429).with("Retry-After", "1"),
            (_, 1) => Reply::status(502),
            _ => Reply::ok(index(&[("1.0.0", "a.tgz", "-")])),
        },
    )
    .await;
    let client = client(&[]);
    let began = Instant::now();
    let web = chart(&server.url("/a"), "web");
    assert_eq!(client.charts.versions(&web, began).await.unwrap(), ["1.0.0"]);
    assert_eq!(asked.load(Ordering::SeqCst), 3);
    assert!(began.elapsed() >= Duration::from_secs(1));

    let began = Instant::now();
    let failed = client
        .charts
        .versions(&chart(&server.url("/long"), "web"), began)
        .await
        .unwrap_err();
    assert!(failed.is_retryable());
    assert!(
        failed.to_string().contains("429") && failed.to_string().contains("come back in 3600 s"),
        "{failed}"
    );
    assert!(began.elapsed() < Duration::from_secs(1));

    let before = asked.load(Ordering::SeqCst);
    let failed = client
        .charts
        .versions(&chart(&server.url("/ever"), "web"), began)
        .await
        .unwrap_err();
    assert!(failed.to_string().contains("503"), "{failed}");
    assert_eq!(asked.load(Ordering::SeqCst) - before, 4);
}

#[tokio::test]
async fn a_page_is_no_index_and_no_archive() {
    let page = "\n<!DOCTYPE html><html><body>Please log in</body></html>";
    let server = Server::start(move |seen| match seen.path.as_str() {
        "/ok/index.yaml" => Reply::ok(index(&[("1.0.0", "page.tgz", "-"), ("1.0.1", "text.tgz", "-")])),
        "/ok/text.tgz" => Reply::ok("no archive"),
        "/yaml/index.yaml" => Reply::ok("a: b: c"),
        "/list/index.yaml" => Reply::ok("- a"),
        _ => Reply::ok(page).with("Content-Type", "text/html"),
    })
    .await;
    let client = client(&[]);
    for (path, revision, words) in [
        ("/", "*", ["web page (HTML) instead of an index", "login page"]),
        (
            "/ok",
            "1.0.0",
            ["web page (HTML) instead of a chart archive", "page.tgz"],
        ),
        ("/ok", "1.0.1", ["text.tgz is no chart archive", "gzip"]),
        ("/yaml", "*", ["/yaml/index.yaml is no index of charts", "yaml:"]),
        ("/list", "*", ["/list/index.yaml is no index of charts", "line 1"]),
    ] {
        let said = error(get(&client.charts, &chart(&server.url(path), "web"), revision).await);
        assert!(words.iter().all(|w| said.contains(w)), "{path}: {said}");
    }
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up() {
    let server = Server::start(|_| Reply {
        hangs: true,
        ..Reply::default()
    })
    .await;
    let mut short = settings();
    short.http.request = Duration::from_secs(1);
    let client = client_with(&[], Vec::new(), short);
    let began = Instant::now();
    let failed = get(&client.charts, &chart(&server.url(""), "web"), "*")
        .await
        .map(drop)
        .unwrap_err();
    assert!(
        matches!(failed, ChartError::Http(HttpError::TimedOut { .. })),
        "{failed}"
    );
    assert!(failed.to_string().contains("no complete answer within"), "{failed}");
    assert!(began.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let gone = Server::start(|_| Reply::default()).await;
    let url = gone.url("/charts?token=canary");
    drop(gone);
    let said = error(get(&client(&[]).charts, &chart(&url, "web"), "*").await);
    assert!(
        said.contains("/charts/index.yaml") && said.contains("refused"),
        "{said}"
    );
    assert!(!said.contains("canary"), "{said}");
}

/// Serves the archive by ranges, breaking off every first answer to a range.
fn breaking(seen: &Seen, body: &[u8], etag: Option<&str>) -> Reply {
    let from = seen
        .header("range")
        .and_then(|r| r.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
    let mut reply = match from {
        Some(from) => {
            let mut part = Reply::ok(&body[from..]);
            part.status = 206;
            part.with(
                "Content-Range",
                &format!("bytes {from}-{}/{}", body.len() - 1, body.len()),
            )
        }
        None => Reply::ok(body),
    };
    if let Some(etag) = etag {
        reply = reply.with("ETag", etag);
    }
    reply
}

#[tokio::test]
async fn a_broken_download_is_taken_up_where_it_broke() {
    for (etag, digest, resumes) in [
        (Some("\"e\""), true, true),
        (Some("\"e\""), false, true),
        // A digest tells whether the pieces fit, so nothing else is needed.
        (None, true, true),
        // Nothing tells two versions of the file apart: from the start.
        (None, false, false),
        (Some("W/\"weak\""), false, false),
    ] {
        let body = archive(100_000);
        let promised = if digest { sha256(&body) } else { "-".into() };
        let times = AtomicUsize::new(0);
        let served = body.clone();
        let server = Server::start(move |seen| match seen.path.as_str() {
            "/index.yaml" => Reply::ok(index(&[("1.0.0", "web.tgz", &promised)])),
            _ => {
                let mut reply = breaking(seen, &served, etag);
                if times.fetch_add(1, Ordering::SeqCst) < 2 {
                    reply.cut_after = Some(30_000);
                }
                reply
            }
        })
        .await;
        let fetched = get(&client(&[]).charts, &chart(&server.url(""), "web"), "*")
            .await
            .unwrap();
        assert_eq!(*fetched.bytes, *body);
        let ranges: Vec<Option<String>> = server.seen()[1..]
            .iter()
            .map(|s| s.header("range").map(Into::into))
            .collect();
        assert_eq!(ranges.len(), 3, "{ranges:?}");
        assert_eq!(
            ranges[2].is_some(),
            resumes,
            "etag {etag:?}, digest {digest}: {ranges:?}"
        );
        if etag == Some("\"e\"") {
            assert_eq!(server.seen()[2].header("if-range"), Some("\"e\""));
        }
    }
}

#[tokio::test]
async fn a_download_that_always_breaks_ends() {
    let body = archive(1000);
    let digest = sha256(&body);
    let server = Server::start(move |seen| match seen.path.as_str() {
        "/index.yaml" => Reply::ok(index(&[("1.0.0", "web.tgz", &digest)])),
        _ => Reply {
            cut_after: Some(10),
            ..breaking(seen, &body, None)
        },
    })
    .await;
    let said = error(get(&client(&[]).charts, &chart(&server.url(""), "web"), "*").await);
    assert!(
        said.contains("broke off 4 times") && said.contains("after 40 bytes"),
        "{said}"
    );
}

#[tokio::test]
async fn what_is_not_what_was_promised_is_refused_and_not_kept() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/index.yaml" => Reply::ok(index(&[
            ("1.0.0", "web.tgz", &"ab".repeat(32)),
            ("2.0.0", "file:///etc/passwd", "-"),
        ])),
        _ => Reply::ok(archive(2000)),
    })
    .await;
    let client = client(&[]);
    let web = chart(&server.url(""), "web");
    let said = error(get(&client.charts, &web, "1.0.0").await);
    assert!(
        said.contains(&"ab".repeat(32)) && said.contains(&sha256(&archive(2000))),
        "{said}"
    );
    assert!(!client.directory.path().join("archives").exists());
    let left = std::fs::read_dir(client.directory.path().join("unfinished"))
        .unwrap()
        .count();
    assert_eq!(left, 0);
    assert!(error(get(&client.charts, &web, "2.0.0").await).contains("only http, https and oci"));
}

#[tokio::test]
async fn sizes_are_bounded() {
    let server = repository().await;
    let web = chart(&server.url("/charts"), "web");
    let small = |max_index_bytes, max_archive_bytes| {
        let settings = ChartSettings {
            max_index_bytes,
            max_archive_bytes,
            ..settings()
        };
        client_with(&[], Vec::new(), settings)
    };
    let said = error(get(&small(100, 1 << 20).charts, &web, "*").await);
    assert!(
        said.contains("more than 100 bytes") && said.contains("an index"),
        "{said}"
    );
    let said = error(get(&small(1 << 20, 4999).charts, &web, "*").await);
    assert!(
        said.contains("more than 4999 bytes") && said.contains("a chart archive"),
        "{said}"
    );
    get(&small(1 << 20, 5000).charts, &web, "*").await.unwrap();
}

#[tokio::test]
async fn a_proxy_is_used_where_it_should_be() {
    let server = repository().await;
    let proxy = Server::start(|_| Reply::ok(index(&[("7.0.0", "a.tgz", "-")]))).await;
    let more = format!(r#","proxy":"{}","noProxy":"127.0.0.1""#, proxy.url(""));
    let far = "http://charts.invalid/x";
    let client = client(&[secret(far, "p", &more), secret(&server.url("/charts"), "p", &more)]);
    let versions = client
        .charts
        .versions(&chart(far, "web"), Instant::now())
        .await
        .unwrap();
    assert_eq!(versions, ["7.0.0"]);
    assert_eq!(proxy.paths(), ["http://charts.invalid/x/index.yaml"]);
    get(&client.charts, &chart(&server.url("/charts"), "web"), "*")
        .await
        .unwrap();
    assert_eq!(proxy.paths().len(), 1);
}

/// A private authority, and TLS on loopback that only those with a certificate from it get through.
fn mutual_tls() -> (String, tokio_rustls::TlsAcceptor, String, String) {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    use rustls::pki_types::PrivateKeyDer;
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let certificate = authority.self_signed(&key).unwrap();
    let issuer = Issuer::new(authority, key);
    let leaf = || {
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        (leaf.signed_by(&key, &issuer).unwrap(), key)
    };
    let ((server, server_key), (client, client_key)) = (leaf(), leaf());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(&provider));
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(
            vec![server.der().clone()],
            PrivateKeyDer::try_from(server_key.serialize_der()).unwrap(),
        )
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    (certificate.pem(), acceptor, client.pem(), client_key.serialize_pem())
}

#[tokio::test]
async fn a_client_certificate_is_shown_to_its_own_origin_only() {
    let (authority, acceptor, certificate, key) = mutual_tls();
    let strict = Server::start_with(Some(acceptor.clone()), |_| Reply::ok(archive(200))).await;
    let elsewhere = format!("https://127.0.0.1:{}/web.tgz", strict.port);
    let (digest, other) = (sha256(&archive(100)), sha256(&archive(200)));
    let server = Server::start_with(Some(acceptor), move |seen| match seen.path.as_str() {
        "/index.yaml" => Reply::ok(index(&[("1.0.0", "web.tgz", &digest), ("2.0.0", &elsewhere, &other)])),
        _ => Reply::ok(archive(100)),
    })
    .await;
    let url = format!("https://127.0.0.1:{}", server.port);
    let trusted = vec![("127.0.0.1".to_owned(), authority)];
    let line = |pem: &str| pem.replace('\n', "\\n").replace('\r', "");
    let more = format!(
        r#","tlsClientCertData":"{}","tlsClientCertKey":"{}""#,
        line(&certificate),
        line(&key)
    );
    let with = client_with(&[secret(&url, "p", &more)], trusted.clone(), settings());
    let mut web = chart(&url, "web");
    get(&with.charts, &web, "1.0.0").await.unwrap();
    // The other port wants a certificate too, and gets none.
    error(get(&with.charts, &web, "2.0.0").await);
    assert!(strict.seen().is_empty());
    let without = client_with(&[secret(&url, "p", "")], trusted.clone(), settings());
    error(get(&without.charts, &web, "1.0.0").await);
    web.pass_credentials = true;
    let passing = client_with(&[secret(&url, "p", &more)], trusted.clone(), settings());
    get(&passing.charts, &web, "2.0.0").await.unwrap();
    assert_eq!(strict.seen().len(), 1);

    let broken = secret(
        &url,
        "p",
        r#","tlsClientCertData":"canary","tlsClientCertKey":"canary""#,
    );
    let said = error(get(&client_with(&[broken], trusted, settings()).charts, &web, "1.0.0").await);
    assert!(said.contains("tlsClientCert") && !said.contains("canary"), "{said}");
}
