//! Registries that ask for tokens, page their tags, redirect, and lie: what a real one does only on a bad day.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

#[allow(dead_code, reason = "shared with the tests of chart repositories")]
mod web;

use std::sync::Arc;

use pintle_repo::{ChartArchive, ChartError, ChartRef, Charts};
use tokio::time::Instant;
use web::{Client, Reply, Seen, Server, archive, basic, chart, client, index, secret, sha256};

const LAYER: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";

fn manifest(layer: &str, bytes: &[u8]) -> String {
    format!(
        r#"{{"schemaVersion":2,"config":{{"mediaType":"application/vnd.cncf.helm.config.v1+json"}},"layers":[{{"mediaType":"{layer}","digest":"sha256:{}","size":{}}}]}}"#,
        sha256(bytes),
        bytes.len()
    )
}

/// What a registry without a lock answers for `charts/web`.
fn answer(seen: &Seen) -> Reply {
    let path = seen.path.as_str();
    let known = manifest(LAYER, &archive(3000));
    match path.strip_prefix("/v2/charts/web/").unwrap_or_default() {
        "tags/list?n=1000" => Reply::ok(r#"{"name":"charts/web","tags":["1.0.0","1.2.0_b1","latest"]}"#)
            .with("Link", "</v2/charts/web/tags/list?n=1000&last=latest>; rel=\"next\""),
        "tags/list?n=1000&last=latest" => Reply::ok(r#"{"name":"charts/web","tags":["1.1.0","2.0.0-rc1"]}"#),
        "manifests/1.0.0" | "manifests/1.1.0" | "manifests/1.2.0_b1" => Reply::ok(known),
        m if m == format!("manifests/sha256:{}", sha256(known.as_bytes())) => Reply::ok(known),
        m if m == format!("manifests/sha256:{}", "ab".repeat(32)) => Reply::ok(known),
        "manifests/2.0.0-rc1" => Reply::ok(manifest("application/x", b"")),
        m if m == format!("blobs/sha256:{}", sha256(&archive(3000))) => Reply::ok(archive(3000)),
        _ => Reply::status(404).with("Content-Type", "application/json"),
    }
}

/// The fake speaks plain HTTP, so its Secret says so.
fn plain(server: &Server, more: &str) -> String {
    format!(
        r#""url":"oci://127.0.0.1:{}/charts","type":"helm","enableOCI":"true","insecureOCIForceHttp":"true"{more}"#,
        server.port
    )
}

fn with_password(server: &Server, password: &str) -> Client {
    client(&[plain(server, &format!(r#","username":"me","password":"{password}""#))])
}

fn web_chart(server: &Server) -> ChartRef {
    chart(&format!("oci://127.0.0.1:{}/charts", server.port), "web")
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
async fn versions_come_from_all_pages_and_a_range_takes_the_highest() {
    let server = Server::start(answer).await;
    let client = client(&[plain(&server, "")]);
    let web = web_chart(&server);
    let versions = client.charts.versions(&web, Instant::now()).await.unwrap();
    assert_eq!(versions, ["1.0.0", "1.2.0+b1", "latest", "1.1.0", "2.0.0-rc1"]);
    for (revision, version) in [
        ("^1.0.0", "1.2.0+b1"),
        ("1.1.0", "1.1.0"),
        ("1.2.0+b1", "1.2.0+b1"),
        ("~1.1", "1.1.0"),
    ] {
        let fetched = get(&client.charts, &web, revision).await.unwrap();
        assert_eq!(fetched.version, version, "{revision}");
        assert_eq!((&*fetched.bytes, fetched.media_type.as_str()), (&*archive(3000), LAYER));
    }
    // One archive, however many versions have it.
    assert_eq!(client.charts.counts().downloads, 1);
    // Also without a scheme, for the Secret says what it is.
    let bare = chart(&format!("127.0.0.1:{}/charts", server.port), "web");
    get(&client.charts, &bare, "1.0.0").await.unwrap();
}

#[tokio::test]
async fn a_whole_version_asks_for_no_list_and_a_missing_one_says_which_exist() {
    let server = Server::start(answer).await;
    let client = client(&[plain(&server, "")]);
    get(&client.charts, &web_chart(&server), "1.0.0").await.unwrap();
    assert!(
        server.paths().iter().all(|p| !p.contains("tags")),
        "{:?}",
        server.paths()
    );
    for missing in ["3.0.0", ">=3"] {
        let said = error(get(&client.charts, &web_chart(&server), missing).await);
        assert!(
            said.contains("there are 2.0.0-rc1, 1.2.0+b1, 1.1.0, 1.0.0, latest"),
            "{said}"
        );
    }
    let mut other = web_chart(&server);
    other.chart = "wep".into();
    let said = error(get(&client.charts, &other, "1.0.0").await);
    assert!(said.contains("no chart \"wep\""), "{said}");
}

#[tokio::test]
async fn a_digest_is_held_to() {
    let server = Server::start(answer).await;
    let client = client(&[plain(&server, "")]);
    let digest = sha256(manifest(LAYER, &archive(3000)).as_bytes());
    let fetched = get(&client.charts, &web_chart(&server), &format!("sha256:{digest}"))
        .await
        .unwrap();
    assert_eq!(*fetched.bytes, *archive(3000));
    let wrong = format!("sha256:{}", "ab".repeat(32));
    let said = error(get(&client.charts, &web_chart(&server), &wrong).await);
    assert!(said.contains(&digest) && said.contains(&wrong), "{said}");
    let said = error(get(&client.charts, &web_chart(&server), "2.0.0-rc1").await);
    assert!(
        said.contains("no layer of type") && said.contains("application/x"),
        "{said}"
    );
}

#[tokio::test]
async fn a_layer_that_was_changed_is_refused() {
    let server = Server::start(|seen| {
        let mut reply = answer(seen);
        if seen.path.contains("/blobs/") {
            reply.body[100] ^= 1;
        }
        reply
    })
    .await;
    let said = error(get(&client(&[plain(&server, "")]).charts, &web_chart(&server), "1.0.0").await);
    assert!(said.contains("was promised"), "{said}");
}

#[tokio::test]
async fn without_the_setting_nothing_is_sent_in_plain_text() {
    let server = Server::start(answer).await;
    let said = error(get(&client(&[]).charts, &web_chart(&server), "1.0.0").await);
    assert!(said.contains("https://127.0.0.1"), "{said}");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn an_artifact_named_by_its_url_has_one_layer_of_an_allowed_type() {
    let server = Server::start(answer).await;
    let url = format!("oci://127.0.0.1:{}/charts/web", server.port);
    let secrets = [format!(r#""url":"{url}","type":"oci","insecureOCIForceHttp":"true""#)];
    let client = client(&secrets);
    let resolved = client
        .charts
        .resolve(&chart(&url, ""), "1.x", Instant::now())
        .await
        .unwrap();
    assert_eq!(
        resolved.digest,
        Some(format!("sha256:{}", sha256(manifest(LAYER, &archive(3000)).as_bytes())))
    );
    let fetched = client.charts.fetch(&chart(&url, ""), &resolved).await.unwrap();
    assert_eq!(*fetched.bytes, *archive(3000));
    let said = error(get(&client.charts, &chart(&url, ""), "2.0.0-rc1").await);
    assert!(said.contains("vnd.oci.image.layer"), "{said}");
}

/// A registry that wants a token from `realm`.
async fn token_registry(realm: String) -> Server {
    Server::start(move |seen| match seen.authorization() {
        Some("Bearer t0ken") => answer(seen),
        _ => Reply::status(401).with(
            "WWW-Authenticate",
            &format!(r#"Bearer realm="{realm}",service="reg",scope="repository:charts/web:pull""#),
        ),
    })
    .await
}

async fn token_service() -> Server {
    Server::start(|seen| {
        if seen.authorization() == Some(basic("right").as_str()) {
            Reply::ok(r#"{"access_token":"t0ken","expires_in":300}"#)
        } else {
            Reply::status(401)
        }
    })
    .await
}

#[tokio::test]
async fn a_token_service_elsewhere_gets_credentials_only_if_they_are_passed() {
    let service = token_service().await;
    let server = token_registry(service.url("/token?a=b")).await;
    let mut web = web_chart(&server);
    let said = error(get(&with_password(&server, "right").charts, &web, "1.0.0").await);
    assert!(said.contains("401") && said.contains("passCredentials"), "{said}");
    assert_eq!(service.seen()[0].authorization(), None);

    web.pass_credentials = true;
    let client = with_password(&server, "right");
    get(&client.charts, &web, "^1.0.0").await.unwrap();
    let asked = service.seen();
    assert_eq!(asked.len(), 2, "one token serves them all: {asked:?}");
    assert_eq!(
        asked[1].path,
        "/token?a=b&scope=repository%3Acharts%2Fweb%3Apull&service=reg"
    );
    // The password went to the token service, and to the registry never.
    assert!(
        server
            .seen()
            .iter()
            .all(|s| s.authorization() != Some(basic("right").as_str()))
    );

    let said = error(get(&with_password(&server, "wrong").charts, &web, "1.0.0").await);
    assert!(
        said.contains("401") && said.contains("check username and password"),
        "{said}"
    );
}

#[tokio::test]
async fn a_token_is_had_anonymously_where_nothing_is_asked() {
    let service = Server::start(|seen| {
        assert_eq!(seen.authorization(), None);
        Reply::ok(r#"{"token":"t0ken"}"#)
    })
    .await;
    let server = token_registry(service.url("/")).await;
    get(&client(&[plain(&server, "")]).charts, &web_chart(&server), "1.0.0")
        .await
        .unwrap();
}

#[tokio::test]
async fn a_token_service_that_answers_nonsense_is_named() {
    for (reply, words) in [
        (Reply::ok("<html>login</html>"), "web page"),
        (Reply::ok(r#"{"expires_in":1}"#), "neither token nor access_token"),
        (Reply::ok("canary"), "line 1"),
    ] {
        let service = Server::start(move |_| reply.clone()).await;
        let server = token_registry(service.url("/")).await;
        let said = error(get(&client(&[plain(&server, "")]).charts, &web_chart(&server), "1.0.0").await);
        assert!(said.contains(words) && !said.contains("canary"), "{said}");
    }
    let server = token_registry("file:///etc/passwd".into()).await;
    let said = error(get(&client(&[plain(&server, "")]).charts, &web_chart(&server), "1.0.0").await);
    assert!(said.contains("only http and https"), "{said}");
}

#[tokio::test]
async fn a_token_that_ran_out_is_replaced() {
    let tokens = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let given = Arc::clone(&tokens);
    let service = Server::start(move |_| {
        let n = given.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Reply::ok(format!(r#"{{"token":"t{n}","expires_in":300}}"#))
    })
    .await;
    let realm = service.url("/");
    // The first token is good for the manifest only.
    let server = Server::start(move |seen| {
        let good = if seen.path.contains("/blobs/") {
            "Bearer t1"
        } else {
            "Bearer t0"
        };
        if seen.authorization() == Some(good) {
            answer(seen)
        } else {
            Reply::status(401).with("WWW-Authenticate", &format!("Bearer realm=\"{realm}\""))
        }
    })
    .await;
    get(&client(&[plain(&server, "")]).charts, &web_chart(&server), "1.0.0")
        .await
        .unwrap();
    assert_eq!(tokens.load(std::sync::atomic::Ordering::SeqCst), 2);
}

#[tokio::test]
async fn layers_elsewhere_are_fetched_without_credentials() {
    let store = Server::start(|_| Reply::ok(archive(3000))).await;
    let target = store.url("/signed?sig=canary");
    let server = Server::start(move |seen| {
        if seen.authorization() != Some(basic("right").as_str()) {
            return Reply::status(401).with("WWW-Authenticate", "Basic realm=\"r\"");
        }
        if seen.path.contains("/blobs/") {
            return Reply::to(&target);
        }
        answer(seen)
    })
    .await;
    get(&with_password(&server, "right").charts, &web_chart(&server), "1.0.0")
        .await
        .unwrap();
    assert_eq!(store.seen()[0].authorization(), None);
}

#[tokio::test]
async fn a_list_of_tags_that_leads_elsewhere_or_never_ends_is_refused() {
    let elsewhere = Server::start(answer).await;
    let next = elsewhere.url("/v2/charts/web/tags/list?n=1000");
    let server =
        Server::start(move |_| Reply::ok(r#"{"tags":["1.0.0"]}"#).with("Link", &format!("<{next}>; rel=\"next\"")))
            .await;
    let said = error(get(&with_password(&server, "p").charts, &web_chart(&server), "^1").await);
    assert!(said.contains("not on this registry"), "{said}");
    assert!(elsewhere.seen().is_empty());

    let server =
        Server::start(|seen| Reply::ok(r#"{"tags":["1.0.0"]}"#).with("Link", &format!("<{}>; rel=next", seen.path)))
            .await;
    let said = error(get(&with_password(&server, "p").charts, &web_chart(&server), "^1").await);
    assert!(said.contains("1000 pages"), "{said}");
}

#[tokio::test]
async fn an_index_may_list_what_a_registry_holds() {
    let registry = Server::start(answer).await;
    let target = format!("oci://127.0.0.1:{}/charts/web:1.0.0", registry.port);
    let server = Server::start(move |_| Reply::ok(index(&[("1.0.0", &target, &"cd".repeat(32))]))).await;
    let prefix = format!(
        r#""url":"oci://127.0.0.1:{}/charts/web","type":"oci","insecureOCIForceHttp":"true""#,
        registry.port
    );
    let client = client(&[secret(&server.url(""), "p", ""), prefix]);
    let fetched = get(&client.charts, &chart(&server.url(""), "web"), "*").await.unwrap();
    assert_eq!(*fetched.bytes, *archive(3000));
    assert!(registry.seen().iter().all(|s| s.authorization().is_none()));
}
