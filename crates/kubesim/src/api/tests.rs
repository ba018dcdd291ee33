//! The API through its service, as a client sees it.

use std::time::Duration;

use futures_util::StreamExt as _;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use pintle_model::{Object, Value, to_json_string};
use tower::ServiceExt as _;

use super::*;
use crate::clock::Clock;
use crate::resource::GroupResource;
use crate::sim::KubeSim;

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";
const MAPS: &str = "/api/v1/namespaces/default/configmaps";
const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";

fn sim() -> KubeSim {
    let sim = KubeSim::new(Clock::manual("2026-01-01T00:00:00Z".parse().expect("a time")), 7);
    sim.settle();
    sim
}

fn request(method: &str, uri: &str, content_type: &str, body: &str) -> Request<Full<Bytes>> {
    let request = Request::builder()
        .method(method)
        .uri(uri)
        .header("content-type", content_type)
        .header("user-agent", "test");
    request
        .body(Full::new(Bytes::copy_from_slice(body.as_bytes())))
        .expect("a request")
}

async fn call(sim: &KubeSim, method: &str, uri: &str, body: &str) -> (u16, Value) {
    send(sim, request(method, uri, "application/json", body)).await
}

async fn patch(sim: &KubeSim, uri: &str, kind: &str, body: &str) -> (u16, Value) {
    send(sim, request("PATCH", uri, &format!("application/{kind}"), body)).await
}

async fn send(sim: &KubeSim, request: Request<Full<Bytes>>) -> (u16, Value) {
    let response = sim.service().oneshot(request).await.expect("answered");
    let code = response.status().as_u16();
    let bytes = response.into_body().collect().await.expect("a body").to_bytes();
    (code, Value::from_json(&bytes).expect("JSON"))
}

async fn get(sim: &KubeSim, uri: &str, accept: &str) -> Value {
    let request = Request::get(uri)
        .header("accept", accept)
        .body(Full::new(Bytes::new()))
        .expect("a request");
    send(sim, request).await.1
}

fn message(answer: &(u16, Value)) -> (u16, &str, &str) {
    (
        answer.0,
        answer.1.str_at(&["reason"]).unwrap_or_default(),
        answer.1.str_at(&["message"]).unwrap_or_default(),
    )
}

fn map(name: &str) -> String {
    format!(r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"{name}"}},"data":{{"a":"b"}}}}"#)
}

fn deployment(name: &str) -> String {
    format!(
        r#"{{"apiVersion":"apps/v1","kind":"Deployment","metadata":{{"name":"{name}"}},"spec":{{"selector":{{"matchLabels":{{"app":"web"}}}},
        "template":{{"metadata":{{"labels":{{"app":"web"}}}},"spec":{{"containers":[{{"name":"c","image":"nginx"}}]}}}}}}}}"#
    )
}

#[tokio::test]
async fn objects_are_created_defaulted_read_and_deleted() {
    let sim = sim();
    let (code, made) = call(&sim, "POST", DEPLOYMENTS, &deployment("web")).await;
    assert_eq!(code, 201);
    assert_eq!(made.i64_at(&["spec", "replicas"]), Some(1));
    assert_eq!(
        made.str_at(&["spec", "strategy", "rollingUpdate", "maxSurge"]),
        Some("25%")
    );
    let container = made
        .list_at(&["spec", "template", "spec", "containers"])
        .first()
        .expect("one");
    assert_eq!(container.str_at(&["imagePullPolicy"]), Some("Always"));
    let taken = call(&sim, "POST", DEPLOYMENTS, &deployment("web")).await;
    assert_eq!(
        message(&taken),
        (409, "AlreadyExists", r#"deployments.apps "web" already exists"#)
    );
    let (code, status) = call(&sim, "DELETE", &format!("{DEPLOYMENTS}/web"), "").await;
    assert_eq!((code, status.str_at(&["status"])), (200, Some("Success")));
    let gone = call(&sim, "GET", &format!("{DEPLOYMENTS}/web"), "").await;
    assert_eq!(message(&gone), (404, "NotFound", r#"deployments.apps "web" not found"#));
}

#[tokio::test]
async fn nonsense_is_refused_in_kube_apiservers_words() {
    let sim = sim();
    let lost = call(&sim, "POST", "/api/v1/namespaces/nope/configmaps", &map("a")).await;
    assert_eq!(message(&lost), (404, "NotFound", r#"namespaces "nope" not found"#));
    let empty = r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{}}"#;
    let invalid = call(&sim, "POST", DEPLOYMENTS, empty).await;
    assert_eq!(
        message(&invalid),
        (
            422,
            "Invalid",
            r#"Deployment.apps "web" is invalid: [spec.selector: Required value, spec.template.spec.containers: Required value]"#
        )
    );
    let typo = deployment("web").replace("\"selector\"", "\"replicaz\":1,\"selector\"");
    let strict = call(&sim, "POST", &format!("{DEPLOYMENTS}?fieldValidation=Strict"), &typo).await;
    assert_eq!(
        message(&strict).2,
        r#"Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spec.replicaz""#
    );
    let response = sim
        .service()
        .oneshot(request("POST", DEPLOYMENTS, "application/json", &typo))
        .await
        .expect("answered");
    assert_eq!(response.status(), 201);
    assert_eq!(
        response.headers().get("warning").and_then(|w| w.to_str().ok()),
        Some(r#"299 - "unknown field \"spec.replicaz\"""#)
    );
    let immutable = patch(
        &sim,
        &format!("{DEPLOYMENTS}/web"),
        "merge-patch+json",
        r#"{"spec":{"selector":{"matchLabels":{"x":"y"}},"template":{"metadata":{"labels":{"x":"y"}}}}}"#,
    )
    .await;
    assert_eq!(immutable.0, 422);
    assert!(
        message(&immutable).2.ends_with("field is immutable"),
        "{}",
        message(&immutable).2
    );
    let apply = patch(
        &sim,
        &format!("{DEPLOYMENTS}/web?fieldManager=x"),
        "apply-patch+yaml",
        "a: b",
    )
    .await;
    assert_eq!((apply.0, message(&apply).1), (415, "UnsupportedMediaType"));
}

#[tokio::test]
async fn every_patch_format_applies() {
    let sim = sim();
    call(&sim, "POST", DEPLOYMENTS, &deployment("web")).await;
    let uri = format!("{DEPLOYMENTS}/web");
    let strategic =
        r#"{"spec":{"template":{"spec":{"containers":[{"name":"c","image":"nginx:2"},{"name":"d","image":"x:1"}]}}}}"#;
    let (code, patched) = patch(&sim, &uri, "strategic-merge-patch+json", strategic).await;
    assert_eq!(code, 200);
    let names: Vec<_> = patched
        .list_at(&["spec", "template", "spec", "containers"])
        .iter()
        .filter_map(|c| c.str_at(&["image"]))
        .collect();
    assert!(names.contains(&"nginx:2") && names.contains(&"x:1"), "{names:?}");
    let (_, patched) = patch(
        &sim,
        &uri,
        "json-patch+json",
        r#"[{"op":"replace","path":"/spec/replicas","value":4}]"#,
    )
    .await;
    assert_eq!(patched.i64_at(&["spec", "replicas"]), Some(4));
    let (_, patched) = patch(&sim, &uri, "merge-patch+json", r#"{"metadata":{"labels":{"a":"b"}}}"#).await;
    assert_eq!(
        patched.i64_at(&["metadata", "generation"]),
        Some(3),
        "labels are no change of the desired state"
    );
    let (_, scale) = patch(
        &sim,
        &format!("{uri}/scale"),
        "merge-patch+json",
        r#"{"spec":{"replicas":2}}"#,
    )
    .await;
    assert_eq!(
        (scale.str_at(&["kind"]), scale.i64_at(&["spec", "replicas"])),
        (Some("Scale"), Some(2))
    );
    assert_eq!(scale.str_at(&["status", "selector"]), Some("app=web"));
    let (code, status) = patch(
        &sim,
        &format!("{uri}/status"),
        "merge-patch+json",
        r#"{"status":{"replicas":2},"spec":{"replicas":9}}"#,
    )
    .await;
    assert_eq!(
        (
            code,
            status.i64_at(&["status", "replicas"]),
            status.i64_at(&["spec", "replicas"])
        ),
        (200, Some(2), Some(2))
    );
}

#[tokio::test]
async fn stale_writes_conflict_and_dry_runs_write_nothing() {
    let sim = sim();
    let (_, made) = call(&sim, "POST", MAPS, &map("a")).await;
    let uri = format!("{MAPS}/a");
    patch(&sim, &uri, "merge-patch+json", r#"{"data":{"a":"c"}}"#).await;
    let stale = call(&sim, "PUT", &uri, &to_json_string(&made)).await;
    assert_eq!((stale.0, message(&stale).1), (409, "Conflict"));
    let before = sim.store().resource_version();
    let (code, made) = call(&sim, "POST", &format!("{MAPS}?dryRun=All"), &map("b")).await;
    assert_eq!((code, made.str_at(&["metadata", "uid"]).map(str::len)), (201, Some(36)));
    let (_, changed) = patch(
        &sim,
        &format!("{uri}?dryRun=All"),
        "merge-patch+json",
        r#"{"data":{"a":"z"}}"#,
    )
    .await;
    assert_eq!(changed.str_at(&["data", "a"]), Some("z"));
    call(&sim, "DELETE", &format!("{uri}?dryRun=All"), "").await;
    assert_eq!(sim.store().resource_version(), before);
}

#[tokio::test]
async fn lists_are_paged_selected_and_expire() {
    let sim = sim();
    for name in ["a", "b", "c"] {
        call(
            &sim,
            "POST",
            MAPS,
            &map(name).replace(
                "\"metadata\":{",
                &format!("\"metadata\":{{\"labels\":{{\"n\":\"{name}\"}},"),
            ),
        )
        .await;
    }
    let (_, page) = call(&sim, "GET", &format!("{MAPS}?limit=2"), "").await;
    let names = |v: &Value| {
        v.list_at(&["items"])
            .iter()
            .filter_map(|i| i.str_at(&["metadata", "name"]).map(str::to_owned))
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&page), ["a", "b"]);
    assert_eq!(page.i64_at(&["metadata", "remainingItemCount"]), Some(2));
    assert!(
        page.list_at(&["items"]).iter().all(|i| i.get("kind").is_none()),
        "typed lists leave the kind out"
    );
    let token = page.str_at(&["metadata", "continue"]).expect("more").to_owned();
    // A later write does not show in the pages that follow.
    call(&sim, "POST", MAPS, &map("bb")).await;
    let (_, rest) = call(&sim, "GET", &format!("{MAPS}?limit=5&continue={token}"), "").await;
    assert_eq!(names(&rest), ["c", "kube-root-ca.crt"]);
    assert!(rest.at(&["metadata", "continue"]).is_none());
    let (_, some) = call(&sim, "GET", &format!("{MAPS}?labelSelector=n%20in%20(a,c)"), "").await;
    assert_eq!(names(&some), ["a", "c"]);
    sim.store().compact();
    let expired = call(&sim, "GET", &format!("{MAPS}?continue={token}"), "").await;
    assert_eq!((expired.0, message(&expired).1), (410, "Expired"));
}

/// Reads the lines of a watch that ends by itself.
async fn watch(sim: &KubeSim, uri: &str, accept: &str) -> Vec<Value> {
    let request = Request::get(uri)
        .header("accept", accept)
        .body(Full::new(Bytes::new()))
        .expect("a request");
    let response = sim.service().oneshot(request).await.expect("answered");
    let bytes = response.into_body().collect().await.expect("a body").to_bytes();
    bytes
        .split(|b| *b == b'\n')
        .filter(|l| !l.is_empty())
        .map(|l| Value::from_json(l).expect("JSON"))
        .collect()
}

fn shown(events: &[Value]) -> Vec<String> {
    let text = |e: &Value| {
        format!(
            "{} {}",
            e.str_at(&["type"]).unwrap_or_default(),
            e.str_at(&["object", "metadata", "name"]).unwrap_or("-")
        )
    };
    events.iter().map(text).collect()
}

#[tokio::test]
async fn a_watch_shows_what_a_selector_lets_through() {
    let sim = sim();
    let from = sim.store().resource_version();
    let uri = format!("{MAPS}?watch=1&labelSelector=on&resourceVersion={from}&timeoutSeconds=10");
    let request = Request::get(uri).body(Full::new(Bytes::new())).expect("a request");
    let mut lines = sim
        .service()
        .oneshot(request)
        .await
        .expect("answered")
        .into_body()
        .into_data_stream();
    call(&sim, "POST", MAPS, &map("a")).await;
    patch(
        &sim,
        &format!("{MAPS}/a"),
        "merge-patch+json",
        r#"{"metadata":{"labels":{"on":"1"}}}"#,
    )
    .await;
    patch(&sim, &format!("{MAPS}/a"), "merge-patch+json", r#"{"data":{"a":"x"}}"#).await;
    patch(
        &sim,
        &format!("{MAPS}/a"),
        "merge-patch+json",
        r#"{"metadata":{"labels":{"on":null}}}"#,
    )
    .await;
    let chunk = lines.next().await.expect("events").expect("bytes");
    let events: Vec<Value> = chunk
        .split(|b| *b == b'\n')
        .filter(|l| !l.is_empty())
        .map(|l| Value::from_json(l).expect("JSON"))
        .collect();
    assert_eq!(shown(&events), ["ADDED a", "MODIFIED a", "DELETED a"]);
    // Past the timeout the stream ends.
    sim.advance(Duration::from_secs(11));
    assert!(lines.next().await.is_none());
}

#[tokio::test]
async fn a_streaming_list_ends_in_its_bookmark_and_a_stale_watch_in_410() {
    let sim = sim();
    call(&sim, "POST", MAPS, &map("a")).await;
    let uri = format!(
        "{MAPS}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=10"
    );
    let request = Request::get(uri).body(Full::new(Bytes::new())).expect("a request");
    let mut lines = sim
        .service()
        .oneshot(request)
        .await
        .expect("answered")
        .into_body()
        .into_data_stream();
    let chunk = lines.next().await.expect("events").expect("bytes");
    let last = chunk
        .split(|b| *b == b'\n')
        .rfind(|l| !l.is_empty())
        .map(|l| Value::from_json(l).expect("JSON"))
        .expect("a line");
    assert_eq!(last.str_at(&["type"]), Some("BOOKMARK"));
    assert_eq!(
        last.str_at(&["object", "metadata", "annotations", "k8s.io/initial-events-end"]),
        Some("true")
    );
    let old = sim.store().resource_version() - 1;
    sim.store().compact();
    let events = watch(
        &sim,
        &format!("{MAPS}?watch=1&resourceVersion={old}"),
        "application/json",
    )
    .await;
    let error = events.first().expect("one");
    assert_eq!(
        (error.str_at(&["type"]), error.i64_at(&["object", "code"])),
        (Some("ERROR"), Some(410))
    );
}

#[tokio::test]
async fn tables_have_the_columns_kubectl_prints() {
    let sim = sim();
    call(&sim, "POST", DEPLOYMENTS, &deployment("web")).await;
    let table = get(&sim, DEPLOYMENTS, TABLE).await;
    let columns: Vec<_> = table
        .list_at(&["columnDefinitions"])
        .iter()
        .filter_map(|c| c.str_at(&["name"]))
        .collect();
    assert_eq!(
        columns,
        [
            "Name",
            "Ready",
            "Up-to-date",
            "Available",
            "Age",
            "Containers",
            "Images",
            "Selector"
        ]
    );
    let row = table.list_at(&["rows"]).first().expect("one");
    assert_eq!(
        row.at(&["cells"]).map(to_json_string).as_deref(),
        Some(r#"["web","0/1",0,0,"0s","c","nginx","app=web"]"#)
    );
    assert_eq!(row.str_at(&["object", "kind"]), Some("PartialObjectMetadata"));
    let events = get(&sim, "/api/v1/events", TABLE).await;
    let columns = events.list_at(&["columnDefinitions"]);
    assert_eq!(columns.first().and_then(|c| c.str_at(&["name"])), Some("Last Seen"));
    // Every served kind prints as many cells as it has columns.
    for resource in sim.store().resources().iter().filter(|r| !r.review) {
        for version in &resource.versions {
            let bare = Object::bare(&resource.storage_gvk(), "", "x");
            let printer = table::printer(resource, version);
            let columns = printer.definitions().as_list().map_or(0, <[Value]>::len);
            assert_eq!(
                printer.cells(&bare, sim.clock().now()).len(),
                columns,
                "{}",
                resource.gr
            );
        }
    }
}

#[tokio::test]
async fn custom_resources_come_and_go_with_their_definition() {
    let sim = sim();
    let crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    let definition = r#"{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"things.x.y"},"spec":{
        "group":"x.y","scope":"Namespaced","names":{"plural":"things","kind":"Thing","shortNames":["th"]},"versions":[
        {"name":"v1","served":true,"storage":true,"subresources":{"status":{}},
         "additionalPrinterColumns":[{"name":"Size","type":"integer","jsonPath":".spec.size"}],
         "schema":{"openAPIV3Schema":{"type":"object","properties":{
            "spec":{"type":"object","properties":{"size":{"type":"integer"},"mode":{"type":"string","default":"a"}}},
            "status":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}}},
        {"name":"v1beta1","served":true,"storage":false,"schema":{"openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}]}}"#;
    let defined = call(&sim, "POST", crds, definition).await;
    assert_eq!(defined.0, 201, "{}", message(&defined).2);
    let things = "/apis/x.y/v1/namespaces/default/things";
    let thing = r#"{"apiVersion":"x.y/v1","kind":"Thing","metadata":{"name":"t"},"spec":{"size":3,"extra":1},"status":{"a":1}}"#;
    assert_eq!(call(&sim, "POST", things, thing).await.0, 404, "not established yet");
    sim.settle();
    sim.advance(Duration::from_secs(1));
    let (code, made) = call(&sim, "POST", things, thing).await;
    assert_eq!(
        (code, made.at(&["spec"]).map(to_json_string).as_deref()),
        (201, Some(r#"{"mode":"a","size":3}"#))
    );
    assert!(made.get("status").is_none());
    let (_, with_status) = patch(
        &sim,
        &format!("{things}/t/status"),
        "merge-patch+json",
        r#"{"status":{"phase":"ok"}}"#,
    )
    .await;
    assert_eq!(with_status.str_at(&["status", "phase"]), Some("ok"));
    let (_, beta) = call(&sim, "GET", "/apis/x.y/v1beta1/namespaces/default/things/t", "").await;
    assert_eq!(beta.str_at(&["apiVersion"]), Some("x.y/v1beta1"));
    let wrong = call(
        &sim,
        "POST",
        things,
        r#"{"apiVersion":"x.y/v1","kind":"Thing","metadata":{"name":"u"},"spec":{"size":"3"}}"#,
    )
    .await;
    assert_eq!(
        message(&wrong),
        (
            422,
            "Invalid",
            r#"Thing.x.y "u" is invalid: spec.size: Invalid value: "string": spec.size in body must be of type integer: "string""#
        )
    );
    let table = get(&sim, things, TABLE).await;
    let cells = table
        .list_at(&["rows"])
        .first()
        .and_then(|r| r.get("cells"))
        .map(to_json_string);
    assert_eq!(cells.as_deref(), Some(r#"["t",3]"#));
    let document = get(&sim, "/apis", discovery::AGGREGATED).await;
    assert!(to_json_string(&document).contains(r#""shortNames":["th"]"#));
    call(&sim, "DELETE", &format!("{crds}/things.x.y"), "").await;
    sim.settle();
    assert_eq!(call(&sim, "GET", things, "").await.0, 404);
}

#[tokio::test]
async fn a_terminating_namespace_takes_nothing_new() {
    let sim = sim();
    let namespace = r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"demo"}}"#;
    let (_, made) = call(&sim, "POST", "/api/v1/namespaces", namespace).await;
    assert_eq!(
        made.str_at(&["metadata", "labels", "kubernetes.io/metadata.name"]),
        Some("demo")
    );
    let (code, marked) = call(&sim, "DELETE", "/api/v1/namespaces/demo", "").await;
    assert_eq!((code, marked.str_at(&["status", "phase"])), (200, Some("Terminating")));
    let refused = call(&sim, "POST", "/api/v1/namespaces/demo/configmaps", &map("a")).await;
    assert_eq!(
        message(&refused),
        (
            403,
            "Forbidden",
            r#"configmaps "a" is forbidden: unable to create new content in namespace demo because it is being terminated"#
        )
    );
    sim.settle();
    assert_eq!(call(&sim, "GET", "/api/v1/namespaces/demo", "").await.0, 404);
}

#[tokio::test]
async fn any_write_can_be_broken_and_is_logged() {
    let sim = sim();
    let maps = GroupResource::new("", "configmaps");
    sim.writes()
        .set_faults(Some(Arc::new(|w: &Write| match w.name.as_str() {
            "refused" => Some(Fault::Refuse(ApiError::too_many_requests("slow down", 3))),
            "lost" => Some(Fault::AnswerLost),
            "never" => Some(Fault::RequestLost),
            _ => None,
        })));
    let refused = call(&sim, "POST", MAPS, &map("refused")).await;
    assert_eq!(message(&refused), (429, "TooManyRequests", "slow down"));
    for name in ["lost", "never"] {
        let broken = sim
            .service()
            .oneshot(request("POST", MAPS, "application/json", &map(name)))
            .await;
        assert!(broken.is_err());
        assert_eq!(sim.store().get(&maps, "default", name).is_ok(), name == "lost");
    }
    call(&sim, "POST", &format!("{MAPS}?fieldManager=me"), &map("fine")).await;
    let log: Vec<_> = sim
        .writes()
        .log()
        .into_iter()
        .map(|l| (l.write.nth, l.write.name, l.write.who, l.code))
        .collect();
    let entry = |nth, name: &str, who: &str, code| (nth, name.to_owned(), who.to_owned(), code);
    assert_eq!(
        log,
        [
            entry(0, "refused", "test", 429),
            entry(1, "lost", "test", 201),
            entry(2, "never", "test", 0),
            entry(3, "fine", "me", 201)
        ]
    );
}

#[tokio::test]
async fn hpa_and_events_convert_between_their_versions() {
    let sim = sim();
    let hpa = r#"{"apiVersion":"autoscaling/v1","kind":"HorizontalPodAutoscaler","metadata":{"name":"h"},"spec":{"maxReplicas":3,
        "scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"web"},"targetCPUUtilizationPercentage":50}}"#;
    let (code, v1) = call(
        &sim,
        "POST",
        "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers",
        hpa,
    )
    .await;
    assert_eq!(
        (code, v1.i64_at(&["spec", "targetCPUUtilizationPercentage"])),
        (201, Some(50))
    );
    let (_, v2) = call(
        &sim,
        "GET",
        "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers/h",
        "",
    )
    .await;
    let target = v2
        .list_at(&["spec", "metrics"])
        .first()
        .and_then(|m| m.i64_at(&["resource", "target", "averageUtilization"]));
    assert_eq!(target, Some(50));
    let event = r#"{"apiVersion":"v1","kind":"Event","metadata":{"name":"e"},"involvedObject":{"kind":"Pod","name":"p"},"message":"m","reason":"R"}"#;
    assert_eq!(
        call(&sim, "POST", "/api/v1/namespaces/default/events", event).await.0,
        201
    );
    let (_, new) = call(&sim, "GET", "/apis/events.k8s.io/v1/namespaces/default/events/e", "").await;
    assert_eq!(
        (new.str_at(&["note"]), new.str_at(&["regarding", "name"])),
        (Some("m"), Some("p"))
    );
}

#[tokio::test]
async fn services_get_an_address_that_stays() {
    let sim = sim();
    let services = "/api/v1/namespaces/default/services";
    let service = r#"{"apiVersion":"v1","kind":"Service","metadata":{"name":"s"},"spec":{"ports":[{"port":80}]}}"#;
    let (_, made) = call(&sim, "POST", services, service).await;
    assert_eq!(made.str_at(&["spec", "clusterIP"]), Some("10.96.0.10"));
    let (code, kept) = call(&sim, "PUT", &format!("{services}/s"), service).await;
    assert_eq!((code, kept.str_at(&["spec", "clusterIP"])), (200, Some("10.96.0.10")));
    let moved = patch(
        &sim,
        &format!("{services}/s"),
        "merge-patch+json",
        r#"{"spec":{"clusterIP":"10.96.0.99"}}"#,
    )
    .await;
    assert_eq!(moved.0, 422);
    assert!(message(&moved).2.contains("may not change once set"));
}

#[tokio::test]
async fn too_large_a_body_is_refused() {
    let sim = sim();
    let huge = "x".repeat(MAX_BODY_BYTES + 1);
    assert_eq!(call(&sim, "POST", MAPS, &huge).await.0, 413);
}
