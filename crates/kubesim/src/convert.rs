//! Served versions: what is stored in one version and read in another.
//!
//! Most kinds differ in `apiVersion` only. Two differ in shape: HorizontalPodAutoscaler v1 and the two groups of Event.

use pintle_model::{Object, Value};

use crate::resource::Resource;

/// Returns a stored object as `version` of `resource` shows it.
pub fn to_served(object: Object, resource: &Resource, version: &str) -> Object {
    let mut object = object;
    if resource.gr.is("autoscaling", "horizontalpodautoscalers") && version == "v1" {
        hpa_to_v1(object.value_mut());
    }
    if resource.gr.is("events.k8s.io", "events") {
        rename(object.value_mut(), EVENT_FIELDS, Direction::Out);
        split_source(object.value_mut());
    }
    set_api_version(&mut object, &resource.gr.group, version);
    object
}

/// Returns an object that a client sent in a served version as it is stored.
pub fn to_stored(object: Object, resource: &Resource) -> Object {
    let mut object = object;
    if resource.gr.is("autoscaling", "horizontalpodautoscalers") && object.version() == "v1" {
        hpa_from_v1(object.value_mut());
    }
    if resource.gr.is("events.k8s.io", "events") {
        join_source(object.value_mut());
        rename(object.value_mut(), EVENT_FIELDS, Direction::In);
        set_api_version(&mut object, "", "v1");
        return object;
    }
    set_api_version(&mut object, &resource.gr.group, &resource.storage_version);
    object
}

fn set_api_version(object: &mut Object, group: &str, version: &str) {
    let text = if group.is_empty() {
        version.to_owned()
    } else {
        format!("{group}/{version}")
    };
    if object.api_version() != text {
        object.value_mut().set_at(&["apiVersion"], text.into());
    }
}

/// Fields of Event: name in core/v1 (stored), name in events.k8s.io/v1.
const EVENT_FIELDS: &[(&str, &str)] = &[
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("reportingComponent", "reportingController"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
    ("source", "deprecatedSource"),
];

#[derive(Clone, Copy)]
enum Direction {
    In,
    Out,
}

fn rename(value: &mut Value, fields: &[(&str, &str)], direction: Direction) {
    for &(stored, served) in fields {
        let (from, to) = match direction {
            Direction::Out => (stored, served),
            Direction::In => (served, stored),
        };
        if let Some(moved) = value.remove_at(&[from]) {
            value.set_at(&[to], moved);
        }
    }
}

/// Old-style events name only a source component; the new group shows it as the reporting controller too.
fn split_source(value: &mut Value) {
    if value.str_at(&["reportingController"]).is_none_or(str::is_empty)
        && let Some(component) = value.at(&["deprecatedSource", "component"]).cloned()
    {
        value.set_at(&["reportingController"], component);
    }
}

/// New-style events name a reporting controller; `kubectl get events` shows `source.component`.
fn join_source(value: &mut Value) {
    if value.at(&["deprecatedSource", "component"]).is_none()
        && let Some(controller) = value.get("reportingController").cloned()
    {
        value.set_at(&["deprecatedSource", "component"], controller);
    }
}

/// v1 has one number where v2 has a list of metrics.
fn hpa_to_v1(value: &mut Value) {
    let metrics = value.list_at(&["spec", "metrics"]).to_vec();
    let is_cpu = |m: &Value| {
        m.str_at(&["type"]) == Some("Resource")
            && m.str_at(&["resource", "name"]) == Some("cpu")
            && m.i64_at(&["resource", "target", "averageUtilization"]).is_some()
    };
    let (cpu, others): (Vec<Value>, Vec<Value>) = metrics.into_iter().partition(is_cpu);
    value.remove_at(&["spec", "metrics"]);
    if let Some(target) = cpu
        .first()
        .and_then(|m| m.at(&["resource", "target", "averageUtilization"]))
    {
        value.set_at(&["spec", "targetCPUUtilizationPercentage"], target.clone());
    }
    if !others.is_empty() {
        let text = pintle_model::to_json_string(&Value::list(others));
        value.set_at(&["metadata", "annotations", HPA_METRICS], text.into());
    }
    let current = value
        .list_at(&["status", "currentMetrics"])
        .iter()
        .find_map(|m| m.at(&["resource", "current", "averageUtilization"]).cloned());
    value.remove_at(&["status", "currentMetrics"]);
    value.remove_at(&["status", "conditions"]);
    if let Some(current) = current {
        value.set_at(&["status", "currentCPUUtilizationPercentage"], current);
    }
}

/// Where v1 keeps the metrics it has no field for.
const HPA_METRICS: &str = "autoscaling.alpha.kubernetes.io/metrics";

fn hpa_from_v1(value: &mut Value) {
    let mut metrics = Vec::new();
    if let Some(target) = value.remove_at(&["spec", "targetCPUUtilizationPercentage"]) {
        let mut metric = Value::map();
        metric.set_at(&["type"], "Resource".into());
        metric.set_at(&["resource", "name"], "cpu".into());
        metric.set_at(&["resource", "target", "type"], "Utilization".into());
        metric.set_at(&["resource", "target", "averageUtilization"], target);
        metrics.push(metric);
    }
    if let Some(text) = value.remove_at(&["metadata", "annotations", HPA_METRICS]) {
        let others = text.as_str().and_then(|t| Value::from_json(t.as_bytes()).ok());
        metrics.extend(others.iter().filter_map(Value::as_list).flatten().cloned());
    }
    if !metrics.is_empty() {
        value.set_at(&["spec", "metrics"], Value::list(metrics));
    }
    value.remove_at(&["status", "currentCPUUtilizationPercentage"]);
}
