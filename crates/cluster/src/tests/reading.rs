//! Discovery, lists and single objects.

use http::Method;
use pintle_engine::effect::FailureKind;
use pintle_model::Gvk;

use super::{config_map, text};
use crate::Scope;
use crate::discovery::kind_for_tests;
use crate::fake::{Fake, Fault};

#[tokio::test(start_paused = true)]
async fn a_list_is_read_page_by_page_and_items_get_their_kind() {
    let fake = Fake::new();
    for i in 0..1234 {
        fake.put(
            &format!("/api/v1/namespaces/shop/configmaps/c{i:04}"),
            &config_map(&format!("c{i:04}"), "x"),
        );
    }
    let cluster = fake.cluster();
    let listed = cluster
        .list(&fake.kind("ConfigMap"), &Scope::default())
        .await
        .unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(listed.objects.len(), 1234);
    assert_eq!(fake.count("GET /api/v1/configmaps?limit=500"), 3);
    assert!(text(&listed.objects[1233]).starts_with(r#"{"apiVersion":"v1","data":{"k":"x"},"kind":"ConfigMap""#));
}

#[tokio::test(start_paused = true)]
async fn an_expired_continue_token_starts_the_list_over() {
    let fake = Fake::new();
    for i in 0..700 {
        fake.put(
            &format!("/api/v1/namespaces/shop/configmaps/c{i:04}"),
            &config_map(&format!("c{i:04}"), "x"),
        );
    }
    let gone = r#"{"kind":"Status","code":410,"reason":"Expired","message":"token too old"}"#;
    fake.fault(Method::GET, "continue=", 1, Fault::Answer(410, gone.to_owned()));
    let listed = fake.cluster().list(&fake.kind("ConfigMap"), &Scope::default()).await;
    assert_eq!(
        listed.map(|l| l.objects.len()).ok(),
        Some(700),
        "no object twice and none missing"
    );
    fake.fault(Method::GET, "continue=", 9, Fault::Answer(410, gone.to_owned()));
    let error = fake
        .cluster()
        .list(&fake.kind("ConfigMap"), &Scope::default())
        .await
        .err()
        .expect("fails whole");
    assert!(error.is_expired());
}

#[tokio::test(start_paused = true)]
async fn one_object_that_cannot_be_read_is_one_object() {
    let fake = Fake::new();
    fake.put("/api/v1/namespaces/shop/configmaps/good", &config_map("good", "x"));
    let deep = format!("{}1{}", r#"{"a":"#.repeat(110), "}".repeat(110));
    let list = format!(
        r#"{{"metadata":{{"resourceVersion":"7"}},"items":[{},{{"metadata":{{"name":"bad","namespace":"shop"}},"data":{deep}}}]}}"#,
        config_map("good", "x")
    );
    fake.fault(Method::GET, "configmaps?", 1, Fault::Answer(200, list));
    let listed = fake
        .cluster()
        .list(&fake.kind("ConfigMap"), &Scope::default())
        .await
        .unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(listed.objects.len(), 1);
    assert_eq!(listed.unreadable.len(), 1);
    assert_eq!(
        (&*listed.unreadable[0].namespace, &*listed.unreadable[0].name),
        ("shop", "bad")
    );
}

#[tokio::test(start_paused = true)]
async fn errors_name_server_verb_and_object() {
    let fake = Fake::new();
    let cluster = fake.cluster();
    let error = cluster
        .get(&fake.kind("Deployment"), "shop", "web")
        .await
        .err()
        .expect("is not there");
    assert_eq!(
        error.to_string(),
        "get Deployment.apps shop/web on https://fake: web not found"
    );
    assert!(error.says_object_is_gone());
    let error = cluster
        .get(&fake.kind("Deployment"), "", "web")
        .await
        .err()
        .expect("has no namespace");
    assert_eq!(error.kind, FailureKind::Invalid);
    fake.fault(Method::GET, "/deployments/web", 1, Fault::Hang);
    let error = cluster
        .get(&fake.kind("Deployment"), "shop", "web")
        .await
        .err()
        .expect("hangs");
    assert_eq!(
        error.to_string(),
        "get Deployment.apps shop/web on https://fake: no answer within 30 s"
    );
}

#[tokio::test(start_paused = true)]
async fn both_forms_of_discovery_say_the_same() {
    let fake = Fake::new();
    fake.with(|s| {
        s.kinds
            .push(kind_for_tests("apps/v1beta1", "Deployment", "deployments", true))
    });
    let new = fake.cluster().discover().await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(fake.count("GET "), 3, "two lists and the version");
    fake.with(|s| s.legacy_discovery = true);
    let old = fake.cluster().discover().await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(new, old);
    assert_eq!(new.kinds.len(), 6);
    assert_eq!(new.watchable().count(), 5, "a kind at two versions is watched once");
    let deployment = new
        .preferred(&Gvk::from_api_version("apps/v1", "Deployment").group_kind())
        .expect("is served");
    assert_eq!(&*deployment.gvk.version, "v1");
}

#[tokio::test(start_paused = true)]
async fn a_group_that_cannot_be_read_keeps_its_kinds_and_is_reported() {
    let fake = Fake::new();
    fake.with(|s| s.legacy_discovery = true);
    let cluster = fake.cluster();
    let before = cluster.discover().await.unwrap_or_else(|e| panic!("{e}"));
    fake.fault(
        Method::GET,
        "/apis/apps/v1",
        1,
        Fault::Answer(503, "no endpoints".to_owned()),
    );
    let after = cluster.discover().await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(before.kinds, after.kinds);
    assert!(after.is_group_failed("apps") && !after.is_group_failed(""));
    // A server never seen before with a broken group: nobody knows, which is not the same as not served.
    fake.fault(
        Method::GET,
        "/apis/apps/v1",
        9,
        Fault::Answer(503, "no endpoints".to_owned()),
    );
    let error = fake
        .cluster()
        .served(&Gvk::from_api_version("apps/v1", "Deployment"))
        .await
        .expect_err("unknown");
    assert_eq!(error.kind, FailureKind::Unavailable);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_kind_is_asked_for_again() {
    let fake = Fake::new();
    let cluster = fake.cluster();
    let shop = Gvk::new("example.com", "v1", "Shop");
    let error = cluster.served(&shop).await.expect_err("not served");
    assert_eq!(error.kind, FailureKind::NotFound);
    fake.with(|s| s.kinds.push(kind_for_tests("example.com/v1", "Shop", "shops", true)));
    assert!(cluster.served(&shop).await.is_ok());
    let requests = fake.count("GET ");
    assert!(cluster.served(&shop).await.is_ok());
    assert_eq!(fake.count("GET "), requests, "known kinds cost no request");
}
