//! Defaults that API servers fill in by code, where a comparison would otherwise see them as a difference.
//!
//! A field that the server adds to an object is no difference as long as patches merge around it. It is one where a patch replaces:
//! inside lists without a merge key (the ports of a NetworkPolicy, the sources of a projected volume, …) and in fields of the
//! `retainKeys` strategy. And it is one where a manifest writes a zero value (`periodSeconds: 0`) that the server takes for unset.
//! Those defaults are here, as in Kubernetes 1.36 `pkg/apis/*/v*/defaults.go`; a field that somebody else adds in a list without a
//! merge key stays a difference.

use pintle_model::{Map, Value};

use crate::schema::TypeRef;

/// Fills in the defaults of one struct of type `of`; whether anything was added.
pub(crate) fn complete(map: &mut Map, of: TypeRef<'_>) -> bool {
    let before = map.len();
    for (name, field) in of.fields() {
        if let Some(default) = field.default_value()
            && !map.contains_key(name)
        {
            map.insert(name, default.clone());
        }
    }
    by_code(map, of.name().unwrap_or_default()) || map.len() != before
}

fn by_code(map: &mut Map, type_name: &str) -> bool {
    match type_name {
        "core.v1.Probe" => {
            missing(map, "periodSeconds", 10)
                | missing(map, "timeoutSeconds", 1)
                | missing(map, "successThreshold", 1)
                | missing(map, "failureThreshold", 3)
        }
        "core.v1.Container" | "core.v1.EphemeralContainer" => {
            let image = text(map, "image").unwrap_or_default();
            let policy = if is_latest(image) { "Always" } else { "IfNotPresent" };
            missing(map, "imagePullPolicy", policy)
                | missing(map, "terminationMessagePath", "/dev/termination-log")
                | missing(map, "terminationMessagePolicy", "File")
        }
        "core.v1.PodSpec" => {
            missing(map, "restartPolicy", "Always")
                | missing(map, "dnsPolicy", "ClusterFirst")
                | missing(map, "schedulerName", "default-scheduler")
        }
        "core.v1.ServiceSpec" => missing(map, "type", "ClusterIP") | missing(map, "sessionAffinity", "None"),
        "core.v1.HTTPGetAction" => missing(map, "path", "/") | missing(map, "scheme", "HTTP"),
        "core.v1.Secret" => missing(map, "type", "Opaque"),
        "core.v1.PersistentVolumeSpec" => missing(map, "persistentVolumeReclaimPolicy", "Retain"),
        "batch.v1.CronJobSpec" => missing(map, "concurrencyPolicy", "Allow"),
        "networking.v1.NetworkPolicyPort" | "core.v1.EndpointPort" => missing(map, "protocol", "TCP"),
        "discovery.v1.EndpointPort" => missing(map, "protocol", "TCP") | missing(map, "name", ""),
        "core.v1.ObjectFieldSelector" => missing(map, "apiVersion", "v1"),
        "core.v1.ServiceAccountTokenProjection" => missing(map, "expirationSeconds", 3600),
        "core.v1.PersistentVolumeClaimSpec" => missing(map, "volumeMode", "Filesystem"),
        "batch.v1.PodFailurePolicyOnPodConditionsPattern" => missing(map, "status", "True"),
        "resource.v1.ExactDeviceRequest" | "resource.v1.DeviceSubRequest" => {
            let mode = missing(map, "allocationMode", "ExactCount");
            let exact = text(map, "allocationMode") == Some("ExactCount");
            (exact && missing(map, "count", 1)) | mode
        }
        "rbac.v1.Subject" if matches!(text(map, "kind"), Some("User" | "Group")) => {
            missing(map, "apiGroup", "rbac.authorization.k8s.io")
        }
        "core.v1.Volume" if map.len() == 1 && map.contains_key("name") => missing(map, "emptyDir", Map::new()),
        "core.v1.LimitRangeItem" if text(map, "type") == Some("Container") => limit_range_item(map),
        "apps.v1.DeploymentSpec" => deployment_strategy(map),
        "apps.v1.StatefulSetSpec" => claim_templates(map) | missing(map, "podManagementPolicy", "OrderedReady"),
        name if name.starts_with("admissionregistration.") && name.ends_with("RuleWithOperations") => {
            missing(map, "scope", "*")
        }
        _ => false,
    }
}

/// Sets a field that is not there; whether it was set.
fn missing(map: &mut Map, field: &str, default: impl Into<Value>) -> bool {
    let absent = !map.contains_key(field);
    if absent {
        map.insert(field, default);
    }
    absent
}

fn text<'m>(map: &'m Map, field: &str) -> Option<&'m str> {
    map.get(field)?.as_str()
}

/// Whether an image is pulled anew each time: it has the tag `latest`, or neither tag nor digest.
fn is_latest(image: &str) -> bool {
    let (name, digest) = image
        .split_once('@')
        .map_or((image, None), |(name, digest)| (name, Some(digest)));
    let last = name.rsplit_once('/').map_or(name, |(_, last)| last);
    match last.split_once(':') {
        Some((_, tag)) => tag == "latest",
        None => digest.is_none(),
    }
}

/// `rollingUpdate` is cleared by a patch that names only the type, and comes back with its defaults.
fn deployment_strategy(spec: &mut Map) -> bool {
    let Some(strategy) = spec.get_or_insert_with("strategy", Value::map).as_map_mut() else {
        return false;
    };
    missing(strategy, "type", "RollingUpdate");
    if text(strategy, "type") == Some("RollingUpdate")
        && let Some(rolling) = strategy.get_or_insert_with("rollingUpdate", Value::map).as_map_mut()
    {
        missing(rolling, "maxSurge", "25%");
        missing(rolling, "maxUnavailable", "25%");
    }
    true
}

/// Claim templates come back from the server as whole claims, with a kind and a status.
fn claim_templates(spec: &mut Map) -> bool {
    let Some(templates) = spec.get_mut("volumeClaimTemplates").and_then(Value::as_list_mut) else {
        return false;
    };
    for template in templates.iter_mut().filter_map(Value::as_map_mut) {
        for field in ["apiVersion", "kind", "status"] {
            template.remove(field);
        }
    }
    true
}

/// A container's default limit is its maximum; its default request is its default limit, else its minimum.
fn limit_range_item(item: &mut Map) -> bool {
    for (from, to) in [
        ("max", "default"),
        ("default", "defaultRequest"),
        ("min", "defaultRequest"),
    ] {
        let Some(source) = item.get(from).and_then(Value::as_map).cloned() else {
            continue;
        };
        if let Some(target) = item.get_or_insert_with(to, Value::map).as_map_mut() {
            for (resource, amount) in source.iter() {
                missing(target, resource, amount.clone());
            }
        }
    }
    true
}
