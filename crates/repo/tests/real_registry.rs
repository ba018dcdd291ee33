//! The real distribution registry: passwords over TLS with a private authority, and nothing at all.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

#[allow(dead_code, reason = "shared with the tests of chart repositories")]
mod web;

use pintle_repo::{ChartArchive, ChartError, ChartRef, Charts};
use pintle_tests::registry::{Registry, Tls};
use tokio::time::Instant;
use web::{archive, chart, client_with, settings};

fn secret(registry: &Registry, more: &str) -> String {
    format!(
        r#""url":"{}/charts","type":"helm","enableOCI":"true"{more}"#,
        registry.host
    )
}

fn web(registry: &Registry) -> ChartRef {
    chart(&format!("oci://{}/charts", registry.host), "web")
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
    let tls = Tls::new();
    let Some(registry) = Registry::start("charts_behind_a_password_and_a_private_authority", Some(&tls)).await else {
        return;
    };
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
        client_with(&[secret(&registry, &more)], authorities.to_vec(), settings())
    };

    let client = with("right", &trusted, "");
    let fetched = get(&client.charts, &web(&registry), "^1").await.unwrap();
    assert_eq!(fetched.version, "1.3.0+b2");
    assert_eq!(*fetched.bytes, *newest);
    let fetched = get(&client.charts, &web(&registry), "1.2.0").await.unwrap();
    assert_eq!(*fetched.bytes, *archive(1000));

    let said = error(get(&client.charts, &web(&registry), "9.9.9").await);
    assert!(said.contains("there are 2.0.0-rc1, 1.3.0+b2, 1.2.0"), "{said}");
    let mut absent = web(&registry);
    absent.chart = "absent".into();
    let said = error(get(&client.charts, &absent, "*").await);
    assert!(said.contains("no chart \"absent\""), "{said}");

    let said = error(get(&with("wrong", &trusted, "").charts, &web(&registry), "1.2.0").await);
    assert!(
        said.contains("401") && said.contains("check username and password"),
        "{said}"
    );
    let nobody = client_with(&[], trusted.clone(), settings());
    let said = error(get(&nobody.charts, &web(&registry), "1.2.0").await);
    assert!(said.contains("401") && said.contains("wants credentials"), "{said}");

    let said = error(get(&with("right", &[], "").charts, &web(&registry), "1.2.0").await);
    assert!(
        said.contains("UnknownIssuer") && said.contains("argocd-tls-certs-cm"),
        "{said}"
    );
    let insecure = with("right", &[], r#","insecure":"true""#);
    get(&insecure.charts, &web(&registry), "1.2.0").await.unwrap();
    let forced = with("right", &trusted, r#","forceHttpBasicAuth":"true""#);
    get(&forced.charts, &web(&registry), "1.2.0").await.unwrap();
}

#[tokio::test]
async fn charts_without_any_lock() {
    let Some(registry) = Registry::start("charts_without_any_lock", None).await else {
        return;
    };
    registry.push("charts/web", "0.1.0", &archive(1000)).await;
    let plain = client_with(
        &[secret(&registry, r#","insecureOCIForceHttp":"true""#)],
        Vec::new(),
        settings(),
    );
    let fetched = get(&plain.charts, &web(&registry), "*").await.unwrap();
    assert_eq!((fetched.version.as_str(), &*fetched.bytes), ("0.1.0", &*archive(1000)));
    // A registry that speaks no TLS, and no setting that allows that.
    let said = error(get(&client_with(&[], Vec::new(), settings()).charts, &web(&registry), "*").await);
    assert!(said.contains("https://"), "{said}");
}
