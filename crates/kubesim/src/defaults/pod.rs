//! Pods and pod templates.

use pintle_model::Value;

use super::{each, set};

/// A Pod: its spec, and the status it is born with.
pub(super) fn pod(value: &mut Value) {
    spec(value, &["spec"]);
    set(value, &["spec", "enableServiceLinks"], true.into());
    set(value, &["spec", "preemptionPolicy"], "PreemptLowerPriority".into());
    set(value, &["spec", "priority"], 0.into());
    each(value, &["spec", "containers"], requests_from_limits);
    each(value, &["spec", "initContainers"], requests_from_limits);
    set(value, &["spec", "serviceAccountName"], "default".into());
    if let Some(account) = value.at(&["spec", "serviceAccountName"]).cloned() {
        set(value, &["spec", "serviceAccount"], account);
    }
    let class = quality(value);
    set(value, &["status", "phase"], "Pending".into());
    set(value, &["status", "qosClass"], class.into());
}

/// A pod template at `path`.
pub(super) fn template(value: &mut Value, path: &[&str]) {
    let mut at = path.to_vec();
    if value.at(&at).is_none_or(|t| t.as_map().is_none()) {
        return;
    }
    at.push("spec");
    spec(value, &at);
}

fn spec(value: &mut Value, path: &[&str]) {
    let Some(spec) = value.at_mut(path).filter(|s| s.as_map().is_some()) else {
        return;
    };
    set(spec, &["restartPolicy"], "Always".into());
    set(spec, &["terminationGracePeriodSeconds"], 30.into());
    set(spec, &["dnsPolicy"], "ClusterFirst".into());
    set(spec, &["securityContext"], Value::map());
    set(spec, &["schedulerName"], "default-scheduler".into());
    // The old and the new name of one field.
    let (old, new) = (
        spec.get("serviceAccount").cloned(),
        spec.get("serviceAccountName").cloned(),
    );
    match (old, new) {
        (Some(name), None) => spec.set_at(&["serviceAccountName"], name),
        (_, Some(name)) => spec.set_at(&["serviceAccount"], name),
        (None, None) => {}
    }
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        each(spec, &[list], container);
    }
    each(spec, &["volumes"], volume);
}

fn container(c: &mut Value) {
    let image = c.str_at(&["image"]).unwrap_or_default();
    let policy = if tag_of(image) == "latest" {
        "Always"
    } else {
        "IfNotPresent"
    };
    set(c, &["imagePullPolicy"], policy.into());
    set(c, &["terminationMessagePath"], "/dev/termination-log".into());
    set(c, &["terminationMessagePolicy"], "File".into());
    set(c, &["resources"], Value::map());
    each(c, &["ports"], |p| set(p, &["protocol"], "TCP".into()));
    each(c, &["env"], |e| {
        if e.at(&["valueFrom", "fieldRef"]).is_some() {
            set(e, &["valueFrom", "fieldRef", "apiVersion"], "v1".into());
        }
    });
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(p) = c.at_mut(&[probe]) {
            set(p, &["timeoutSeconds"], 1.into());
            set(p, &["periodSeconds"], 10.into());
            set(p, &["successThreshold"], 1.into());
            set(p, &["failureThreshold"], 3.into());
            http_get(p);
            if p.get("grpc").is_some() {
                set(p, &["grpc", "service"], "".into());
            }
        }
    }
    for hook in ["postStart", "preStop"] {
        if let Some(h) = c.at_mut(&["lifecycle", hook]) {
            http_get(h);
        }
    }
}

fn http_get(handler: &mut Value) {
    if handler.get("httpGet").is_some() {
        set(handler, &["httpGet", "path"], "/".into());
        set(handler, &["httpGet", "scheme"], "HTTP".into());
    }
}

/// The tag of an image: `latest` if it has neither tag nor digest, empty for a digest.
fn tag_of(image: &str) -> &str {
    if image.contains('@') {
        return "";
    }
    // A colon before the last slash belongs to a registry's port.
    let last = image.rsplit('/').next().unwrap_or(image);
    last.split_once(':').map_or("latest", |(_, tag)| tag)
}

fn volume(v: &mut Value) {
    for (source, mode) in [
        ("secret", "defaultMode"),
        ("configMap", "defaultMode"),
        ("projected", "defaultMode"),
        ("downwardAPI", "defaultMode"),
    ] {
        if v.get(source).is_some() {
            set(v, &[source, mode], 0o644.into());
        }
    }
    if v.get("hostPath").is_some() {
        set(v, &["hostPath", "type"], "".into());
    }
    each(v, &["projected", "sources"], |s| {
        if s.get("serviceAccountToken").is_some() {
            set(s, &["serviceAccountToken", "expirationSeconds"], 3600.into());
        }
    });
    // A volume without a source is an empty directory.
    if v.as_map().is_some_and(|m| m.len() == 1) {
        v.set_at(&["emptyDir"], Value::map());
    }
}

/// Of a Pod, not of a template: what is limited and not requested is requested.
fn requests_from_limits(c: &mut Value) {
    let limits: Vec<(String, Value)> = c
        .at(&["resources", "limits"])
        .and_then(Value::as_map)
        .into_iter()
        .flat_map(|m| m.iter())
        .map(|(k, v)| (k.to_owned(), v.clone()))
        .collect();
    for (kind, limit) in limits {
        set(c, &["resources", "requests", &kind], limit);
    }
}

fn quality(pod: &Value) -> &'static str {
    let containers = || {
        ["initContainers", "containers"]
            .into_iter()
            .flat_map(|l| pod.list_at(&["spec", l]))
    };
    let all = |c: &Value| {
        ["cpu", "memory"].iter().all(|kind| {
            let limit = c.at(&["resources", "limits", kind]);
            limit.is_some() && limit == c.at(&["resources", "requests", kind])
        })
    };
    let none = |c: &Value| {
        ["limits", "requests"].iter().all(|l| {
            ["cpu", "memory"]
                .iter()
                .all(|kind| c.at(&["resources", l, kind]).is_none())
        })
    };
    if containers().all(none) {
        "BestEffort"
    } else if containers().all(all) {
        "Guaranteed"
    } else {
        "Burstable"
    }
}

#[cfg(test)]
mod tests {
    use pintle_model::to_json_string;

    use super::*;

    #[test]
    fn the_tag_decides_the_pull_policy() {
        for (image, tag) in [
            ("nginx", "latest"),
            ("nginx:1.25", "1.25"),
            ("localhost:5000/nginx", "latest"),
            ("localhost:5000/nginx:2", "2"),
            ("nginx@sha256:abc", ""),
        ] {
            assert_eq!(tag_of(image), tag, "{image}");
        }
    }

    #[test]
    fn a_bare_pod_gets_what_kube_apiserver_gives_it() {
        let mut value = Value::from_json(br#"{"spec":{"containers":[{"name":"c","image":"a:1","resources":{"limits":{"cpu":"1","memory":"1Gi"}}}]}}"#)
            .expect("JSON");
        pod(&mut value);
        assert_eq!(value.str_at(&["status", "qosClass"]), Some("Guaranteed"));
        let c = value.list_at(&["spec", "containers"]).first().map(to_json_string);
        assert_eq!(
            c.as_deref(),
            Some(
                r#"{"image":"a:1","imagePullPolicy":"IfNotPresent","name":"c","resources":{"limits":{"cpu":"1","memory":"1Gi"},"requests":{"cpu":"1","memory":"1Gi"}},"terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File"}"#
            )
        );
    }
}
