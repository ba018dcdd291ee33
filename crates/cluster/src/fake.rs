//! A small API server in memory for this crate's tests: enough of lists, watches and writes, and faults on demand.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::{Method, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use kube::client::Body;
use pintle_engine::effect::ClusterId;
use pintle_model::{Value, to_json};
use tokio::sync::mpsc;

use crate::client::Cluster;
use crate::discovery::{ServedKind, kind_for_tests};

type Answer = Response<UnsyncBoxBody<Bytes, io::Error>>;
type Line = Result<http_body::Frame<Bytes>, io::Error>;

/// What goes wrong with a request.
#[derive(Clone)]
pub(crate) enum Fault {
    /// Answered with this status and body, without effect.
    Answer(u16, String),
    /// Carried out, but the connection breaks before the answer.
    LoseAnswer,
    /// Never answered.
    Hang,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) kinds: Vec<Arc<ServedKind>>,
    /// Discovery in the old form, without aggregation.
    pub(crate) legacy_discovery: bool,
    pub(crate) objects: BTreeMap<String, Value>,
    /// `METHOD uri body` of every request.
    pub(crate) log: Vec<String>,
    resource_version: u64,
    history: Vec<(u64, &'static str, String, Value)>,
    /// Watches from before this get 410.
    compacted: u64,
    watches: Vec<(String, mpsc::UnboundedSender<Line>)>,
    /// Method, part of the URI, how many more times, what.
    faults: Vec<(Method, String, usize, Fault)>,
}

#[derive(Clone, Default)]
pub(crate) struct Fake(Arc<Mutex<State>>);

impl Fake {
    /// A server of ConfigMaps, Deployments, Applications, Leases and a cluster-scoped kind.
    pub(crate) fn new() -> Self {
        let fake = Self::default();
        fake.with(|s| {
            s.kinds = vec![
                kind_for_tests("v1", "ConfigMap", "configmaps", true),
                kind_for_tests("v1", "Namespace", "namespaces", false),
                kind_for_tests("apps/v1", "Deployment", "deployments", true),
                kind_for_tests("argoproj.io/v1alpha1", "Application", "applications", true),
                kind_for_tests("coordination.k8s.io/v1", "Lease", "leases", true),
            ];
            s.resource_version = 10;
        });
        fake
    }

    pub(crate) fn with<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        f(&mut self.0.lock().unwrap())
    }

    pub(crate) fn cluster(&self) -> Cluster {
        Cluster::from_client(ClusterId::in_cluster(), "https://fake", self.client(), "test")
    }

    pub(crate) fn client(&self) -> kube::Client {
        let fake = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let fake = fake.clone();
            async move { fake.answer(request).await }
        });
        kube::Client::new(service, "default")
    }

    pub(crate) fn kind(&self, kind: &str) -> Arc<ServedKind> {
        self.with(|s| Arc::clone(s.kinds.iter().find(|k| &*k.gvk.kind == kind).unwrap()))
    }

    pub(crate) fn fault(&self, method: Method, uri_part: &str, times: usize, fault: Fault) {
        self.with(|s| s.faults.push((method, uri_part.to_owned(), times, fault)));
    }

    /// Requests so far whose log line contains `part`.
    pub(crate) fn count(&self, part: &str) -> usize {
        self.with(|s| s.log.iter().filter(|l| l.contains(part)).count())
    }

    pub(crate) fn put(&self, path: &str, json: &str) {
        let value = Value::from_json(json.as_bytes()).ok().unwrap();
        self.with(|s| s.store(path, value));
    }

    pub(crate) fn get(&self, path: &str) -> Option<Value> {
        self.with(|s| s.objects.get(path).cloned())
    }

    pub(crate) fn remove(&self, path: &str) {
        self.with(|s| s.delete(path));
    }

    /// Ends every open watch, as a restarting server does.
    pub(crate) fn end_watches(&self) {
        self.with(|s| s.watches.clear());
    }

    /// Forgets history, so that older watches get 410.
    pub(crate) fn compact(&self) {
        self.with(|s| s.compacted = s.resource_version);
    }

    pub(crate) fn bookmark(&self) {
        self.with(|s| {
            let line = format!(
                r#"{{"type":"BOOKMARK","object":{{"metadata":{{"resourceVersion":"{}"}}}}}}"#,
                s.resource_version
            );
            s.watches.retain(|(_, w)| w.send(frame(line.as_bytes())).is_ok());
        });
    }

    async fn answer(&self, request: Request<Body>) -> Result<Answer, io::Error> {
        let (parts, body) = request.into_parts();
        let body = body.collect_bytes().await.map_err(io::Error::other)?;
        let uri = parts.uri.to_string();
        let fault = self.with(|s| {
            s.log
                .push(format!("{} {uri} {}", parts.method, String::from_utf8_lossy(&body)));
            let fault = s
                .faults
                .iter_mut()
                .find(|f| f.0 == parts.method && uri.contains(&f.1) && f.2 > 0)?;
            fault.2 -= 1;
            Some(fault.3.clone())
        });
        match fault {
            Some(Fault::Answer(code, text)) => return Ok(json(code, text.into())),
            Some(Fault::Hang) => {
                tokio::time::sleep(Duration::from_secs(100_000)).await;
            }
            _ => {}
        }
        let content_type = parts
            .headers
            .get("content-type")
            .map(|v| v.to_str().unwrap().to_owned());
        let answer = self.with(|s| s.serve(&parts.method, &parts.uri, content_type.as_deref(), &body));
        if matches!(fault, Some(Fault::LoseAnswer)) {
            return Err(io::Error::new(io::ErrorKind::ConnectionReset, "connection reset"));
        }
        Ok(answer)
    }
}

impl State {
    fn serve(&mut self, method: &Method, uri: &http::Uri, content_type: Option<&str>, body: &[u8]) -> Answer {
        let path = uri.path().to_owned();
        let query: BTreeMap<String, String> = uri
            .query()
            .unwrap_or_default()
            .split('&')
            .filter_map(|p| p.split_once('='))
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .collect();
        if path == "/version" {
            return json(200, r#"{"gitVersion":"v1.36.3"}"#.into());
        }
        if path == "/api" || path == "/apis" || self.is_group_version(&path) {
            return self.discovery(&path);
        }
        let Some((kind, is_collection)) = self.kind_at(&path) else {
            return json(404, Bytes::from_static(b"404 page not found"));
        };
        let is_dry_run = query.get("dryRun").is_some_and(|v| v == "All");
        let sent = Value::from_json(body).ok().unwrap_or_else(Value::map);
        match *method {
            Method::GET if is_collection && query.contains_key("watch") => self.watch(&path, &query),
            Method::GET if is_collection => self.list(&kind, &path, &query),
            Method::GET => match self.objects.get(&path) {
                Some(value) => json(200, to_json(value).into()),
                None => not_found(&path),
            },
            Method::POST => {
                let name = sent.str_at(&["metadata", "name"]).unwrap_or("generated-x").to_owned();
                let path = format!("{path}/{name}");
                if self.objects.contains_key(&path) {
                    return status(409, "AlreadyExists", "already exists");
                }
                self.save(&path, sent, is_dry_run, 201)
            }
            Method::PUT | Method::PATCH => {
                let Some(live) = self.objects.get(&path).cloned() else {
                    if content_type == Some("application/apply-patch+yaml") {
                        return self.save(&path, sent, is_dry_run, 201);
                    }
                    return not_found(&path);
                };
                for field in ["resourceVersion", "uid"] {
                    let wanted = sent.str_at(&["metadata", field]);
                    if wanted.is_some() && wanted != live.str_at(&["metadata", field]) {
                        return status(409, "Conflict", "the object has been modified");
                    }
                }
                let mut new = if *method == Method::PUT {
                    sent
                } else {
                    merge_patch(live.clone(), &sent)
                };
                for field in ["resourceVersion", "uid", "creationTimestamp"] {
                    if let Some(old) = live.at(&["metadata", field]) {
                        new.set_at(&["metadata", field], old.clone());
                    }
                }
                if new == live {
                    json(200, to_json(&live).into())
                } else {
                    self.save(&path, new, is_dry_run, 200)
                }
            }
            Method::DELETE => {
                let Some(live) = self.objects.get(&path) else {
                    return not_found(&path);
                };
                for field in ["resourceVersion", "uid"] {
                    let wanted = sent.str_at(&["preconditions", field]);
                    if wanted.is_some() && wanted != live.str_at(&["metadata", field]) {
                        return status(409, "Conflict", "Precondition failed");
                    }
                }
                // A DELETE says so in its body.
                if sent.list_at(&["dryRun"]).is_empty() {
                    self.delete(&path);
                }
                json(200, Bytes::from_static(br#"{"kind":"Status","status":"Success"}"#))
            }
            _ => status(405, "MethodNotAllowed", "no"),
        }
    }

    fn save(&mut self, path: &str, value: Value, is_dry_run: bool, code: u16) -> Answer {
        if is_dry_run {
            return json(code, to_json(&value).into());
        }
        self.store(path, value);
        json(code, to_json(&self.objects[path]).into())
    }

    fn store(&mut self, path: &str, mut value: Value) {
        self.resource_version += 1;
        if value.at(&["metadata", "uid"]).is_none() {
            value.set_at(&["metadata", "uid"], format!("uid-{}", self.resource_version).into());
        }
        value.set_at(
            &["metadata", "resourceVersion"],
            self.resource_version.to_string().into(),
        );
        let change = if self.objects.contains_key(path) {
            "MODIFIED"
        } else {
            "ADDED"
        };
        self.objects.insert(path.to_owned(), value.clone());
        self.tell(change, path, value);
    }

    fn delete(&mut self, path: &str) {
        if let Some(mut value) = self.objects.remove(path) {
            self.resource_version += 1;
            value.set_at(
                &["metadata", "resourceVersion"],
                self.resource_version.to_string().into(),
            );
            self.tell("DELETED", path, value);
        }
    }

    fn tell(&mut self, change: &'static str, path: &str, value: Value) {
        let line = event(change, &value);
        self.watches
            .retain(|(collection, w)| !covers(collection, path) || w.send(frame(&line)).is_ok());
        self.history
            .push((self.resource_version, change, path.to_owned(), value));
    }

    fn list(&self, kind: &ServedKind, path: &str, query: &BTreeMap<String, String>) -> Answer {
        let start: usize = query.get("continue").map_or(0, |t| t.parse().unwrap());
        let limit: usize = query.get("limit").map_or(usize::MAX, |t| t.parse().unwrap());
        let all: Vec<&Value> = self
            .objects
            .iter()
            .filter(|(p, _)| covers(path, p))
            .map(|(_, v)| v)
            .collect();
        let end = start.saturating_add(limit).min(all.len());
        let items: Vec<Value> = all[start..end]
            .iter()
            .map(|v| {
                let mut v = (*v).clone();
                // As built-in lists do.
                v.remove_at(&["apiVersion"]);
                v.remove_at(&["kind"]);
                v
            })
            .collect();
        let mut list = Value::map();
        list.set_at(&["kind"], format!("{}List", kind.gvk.kind).into());
        list.set_at(
            &["metadata", "resourceVersion"],
            self.resource_version.to_string().into(),
        );
        if end < all.len() {
            list.set_at(&["metadata", "continue"], end.to_string().into());
        }
        list.set_at(&["items"], items.into());
        json(200, to_json(&list).into())
    }

    fn watch(&mut self, path: &str, query: &BTreeMap<String, String>) -> Answer {
        let from: u64 = query["resourceVersion"].parse().unwrap();
        let (tx, mut rx) = mpsc::unbounded_channel();
        if from < self.compacted {
            let gone =
                r#"{"type":"ERROR","object":{"kind":"Status","reason":"Expired","code":410,"message":"too old"}}"#;
            tx.send(frame(gone.as_bytes())).unwrap();
        } else {
            for (_, change, _, value) in self.history.iter().filter(|h| h.0 > from && covers(path, &h.2)) {
                tx.send(frame(&event(change, value))).unwrap();
            }
            self.watches.push((path.to_owned(), tx));
        }
        let lines = stream::poll_fn(move |cx| rx.poll_recv(cx));
        Response::new(StreamBody::new(lines).boxed_unsync())
    }

    fn is_group_version(&self, path: &str) -> bool {
        path == "/api/v1"
            || path
                .strip_prefix("/apis/")
                .is_some_and(|rest| rest.split('/').count() == 2)
    }

    fn discovery(&self, path: &str) -> Answer {
        let mut groups: BTreeMap<&str, BTreeMap<&str, Vec<&Arc<ServedKind>>>> = BTreeMap::new();
        for kind in self
            .kinds
            .iter()
            .filter(|k| (path == "/api") == k.gvk.group.is_empty() || self.is_group_version(path))
        {
            groups
                .entry(&kind.gvk.group)
                .or_default()
                .entry(&kind.gvk.version)
                .or_default()
                .push(kind);
        }
        let verbs = |k: &ServedKind| {
            format!(
                r#"["{}"]"#,
                k.verbs.iter().map(|v| &**v).collect::<Vec<_>>().join(r#"",""#)
            )
        };
        if self.is_group_version(path) {
            let resources: Vec<String> = self
                .kinds
                .iter()
                .filter(|k| root_of(k) == path)
                .map(|k| {
                    let (plural, kind, ns) = (&k.plural, &k.gvk.kind, k.namespaced);
                    format!(r#"{{"name":"{plural}","kind":"{kind}","namespaced":{ns},"verbs":{}}},{{"name":"{plural}/status","kind":"{kind}","namespaced":{ns},"verbs":[]}}"#, verbs(k))
                })
                .collect();
            return json(200, format!(r#"{{"resources":[{}]}}"#, resources.join(",")).into());
        }
        if self.legacy_discovery {
            let text = if path == "/api" {
                r#"{"kind":"APIVersions","versions":["v1"]}"#.to_owned()
            } else {
                let groups: Vec<String> = groups
                    .iter()
                    .map(|(g, versions)| {
                        let list: Vec<String> = versions.keys().map(|v| format!(r#"{{"version":"{v}"}}"#)).collect();
                        format!(
                            r#"{{"name":"{g}","versions":[{}],"preferredVersion":{}}}"#,
                            list.join(","),
                            list[0]
                        )
                    })
                    .collect();
                format!(r#"{{"groups":[{}]}}"#, groups.join(","))
            };
            return json(200, text.into());
        }
        let items: Vec<String> = groups
            .iter()
            .map(|(group, versions)| {
                let versions: Vec<String> = versions
                    .iter()
                    .map(|(version, kinds)| {
                        let resources: Vec<String> = kinds
                            .iter()
                            .map(|k| {
                                let scope = if k.namespaced { "Namespaced" } else { "Cluster" };
                                format!(r#"{{"resource":"{}","responseKind":{{"kind":"{}"}},"scope":"{scope}","verbs":{}}}"#, k.plural, k.gvk.kind, verbs(k))
                            })
                            .collect();
                        format!(r#"{{"version":"{version}","freshness":"Current","resources":[{}]}}"#, resources.join(","))
                    })
                    .collect();
                format!(r#"{{"metadata":{{"name":"{group}"}},"versions":[{}]}}"#, versions.join(","))
            })
            .collect();
        let mut answer = json(200, format!(r#"{{"items":[{}]}}"#, items.join(",")).into());
        let media = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
        answer.headers_mut().insert("content-type", media.parse().unwrap());
        answer
    }

    fn kind_at(&self, path: &str) -> Option<(Arc<ServedKind>, bool)> {
        self.kinds.iter().find_map(|k| {
            let rest = path.strip_prefix(&root_of(k))?.strip_prefix('/')?;
            let parts: Vec<&str> = rest.split('/').collect();
            match parts.as_slice() {
                [plural] if *plural == &*k.plural => Some((Arc::clone(k), true)),
                [plural, _] if *plural == &*k.plural && !k.namespaced => Some((Arc::clone(k), false)),
                ["namespaces", _, plural] if *plural == &*k.plural => Some((Arc::clone(k), true)),
                ["namespaces", _, plural, _] if *plural == &*k.plural => Some((Arc::clone(k), false)),
                _ => None,
            }
        })
    }
}

fn root_of(kind: &ServedKind) -> String {
    let root = if kind.gvk.group.is_empty() { "/api" } else { "/apis" };
    format!("{root}/{}", kind.gvk.api_version())
}

/// Whether an object at `path` belongs to a collection, of one namespace or of all.
fn covers(collection: &str, path: &str) -> bool {
    let (parent, _) = path.rsplit_once('/').unwrap();
    if parent == collection {
        return true;
    }
    let Some((head, tail)) = parent.split_once("/namespaces/") else {
        return false;
    };
    tail.split_once('/')
        .is_some_and(|(_, plural)| collection == format!("{head}/{plural}"))
}

fn merge_patch(mut base: Value, patch: &Value) -> Value {
    let Some(entries) = patch.as_map() else {
        return patch.clone();
    };
    if base.as_map().is_none() {
        base = Value::map();
    }
    for (key, value) in entries.iter() {
        if value.is_null() {
            base.remove_at(&[key]);
        } else {
            let old = base.get(key).cloned().unwrap_or(Value::Null);
            base.set_at(&[key], merge_patch(old, value));
        }
    }
    base
}

fn event(change: &str, value: &Value) -> Vec<u8> {
    let mut line = format!(r#"{{"type":"{change}","object":"#).into_bytes();
    line.extend(to_json(value));
    line.push(b'}');
    line
}

fn frame(line: &[u8]) -> Line {
    let mut line = line.to_vec();
    line.push(b'\n');
    Ok(http_body::Frame::data(line.into()))
}

fn json(code: u16, body: Bytes) -> Answer {
    let body = Full::new(body).map_err(|e| match e {}).boxed_unsync();
    Response::builder()
        .status(code)
        .header("content-type", "application/json")
        .body(body)
        .unwrap()
}

fn status(code: u16, reason: &str, message: &str) -> Answer {
    json(
        code,
        format!(r#"{{"kind":"Status","code":{code},"reason":"{reason}","message":"{message}"}}"#).into(),
    )
}

fn not_found(path: &str) -> Answer {
    status(
        404,
        "NotFound",
        &format!("{} not found", path.rsplit('/').next().unwrap_or_default()),
    )
}
