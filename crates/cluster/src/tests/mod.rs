//! Tests against the API server of [`crate::fake`], on paused time.

mod connecting;
mod leading;
mod reading;
mod records;
mod watching;
mod writing;

use std::time::Duration;

use pintle_model::{Object, to_json_string};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::ClusterEvent;

/// A ConfigMap's JSON.
fn config_map(name: &str, value: &str) -> String {
    format!(
        r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"{name}","namespace":"shop"}},"data":{{"k":"{value}"}}}}"#
    )
}

fn object(json: &str) -> Object {
    Object::from_json(json.as_bytes()).expect("test input is an object")
}

fn text(object: &Object) -> String {
    to_json_string(object.value())
}

/// One line per event: `reset ConfigMap a,b @12`.
fn line(event: &ClusterEvent) -> String {
    match event {
        ClusterEvent::Discovery(table) => format!(
            "discovery of {} kinds, {} failed",
            table.kinds.len(),
            table.failed.len()
        ),
        ClusterEvent::DiscoveryFailed(error) => format!("discovery failed: {error}"),
        ClusterEvent::Reset { kind, objects, .. } => {
            let names: Vec<&str> = objects.iter().map(Object::name).collect();
            format!("reset {} [{}]", kind.gvk.kind, names.join(","))
        }
        ClusterEvent::Applied { kind, object } => format!("applied {} {}", kind.gvk.kind, object.name()),
        ClusterEvent::Deleted { kind, object } => format!("deleted {} {}", kind.gvk.kind, object.name()),
        ClusterEvent::Unreadable { kind, object } => {
            format!("unreadable {} {}/{}", kind.gvk.kind, object.namespace, object.name)
        }
        ClusterEvent::KindSynced { kind, .. } => format!("synced {}", kind.gvk.kind),
        ClusterEvent::KindFailed { kind, error } => format!("failed {}: {error}", kind.gvk.kind),
        ClusterEvent::KindGone { kind } => format!("gone {}", kind.gvk.kind),
    }
}

/// The next event as a line; paused time passes while nothing else can happen.
async fn next(events: &mut mpsc::Receiver<ClusterEvent>) -> String {
    match timeout(Duration::from_secs(3600), events.recv()).await {
        Ok(Some(event)) => line(&event),
        Ok(None) => "closed".to_owned(),
        Err(_) => "nothing for an hour".to_owned(),
    }
}

/// Reads events until one of them is `wanted`; answers all of them.
async fn until(events: &mut mpsc::Receiver<ClusterEvent>, wanted: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for _ in 0..200 {
        lines.push(next(events).await);
        if lines.last().is_some_and(|l| l.starts_with(wanted)) {
            return lines;
        }
    }
    panic!("{wanted:?} never came: {lines:#?}");
}
