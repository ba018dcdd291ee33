//! What single built-in kinds require.

use pintle_model::{Object, Value, to_json_string};

use super::metadata::is_label;
use super::pod;
use crate::api::selector::LabelSelector;
use crate::error::Cause;
use crate::resource::Resource;

/// Checks the spec of a built-in kind; kinds not named here take anything their types take.
pub(super) fn check(resource: &Resource, object: &Object) -> Vec<Cause> {
    let value = object.value();
    match (&*resource.gr.group, &*resource.gr.resource) {
        ("", "pods") => pod::check(value.get("spec"), "spec", &["Always", "OnFailure", "Never"]),
        ("", "services") => service(value),
        ("", "configmaps") => config_map(value),
        ("", "secrets") => secret(value),
        ("", "persistentvolumeclaims") => claim(value),
        ("apps", "deployments" | "replicasets" | "statefulsets" | "daemonsets") => workload(value),
        ("batch", "jobs") => job(value.get("spec"), "spec"),
        ("batch", "cronjobs") => cron_job(value),
        ("autoscaling", _) => autoscaler(value),
        ("networking.k8s.io", "ingresses") => ingress(value),
        ("rbac.authorization.k8s.io", "rolebindings" | "clusterrolebindings") => binding(value),
        ("apiextensions.k8s.io", "customresourcedefinitions") => crate::crd::definition::check(object),
        _ => Vec::new(),
    }
}

fn non_negative(value: &Value, path: &[&str], causes: &mut Vec<Cause>) {
    if let Some(number) = value.i64_at(path).filter(|n| *n < 0) {
        causes.push(Cause::invalid(
            path.join("."),
            number,
            "must be greater than or equal to 0",
        ));
    }
}

fn workload(value: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    non_negative(value, &["spec", "replicas"], &mut causes);
    non_negative(value, &["spec", "minReadySeconds"], &mut causes);
    non_negative(value, &["spec", "revisionHistoryLimit"], &mut causes);
    let selector = value.at(&["spec", "selector"]);
    let labels = value.at(&["spec", "template", "metadata", "labels"]);
    match selector {
        None => causes.push(Cause::required("spec.selector", "")),
        Some(selector) if LabelSelector::from_value(selector).is_empty() => {
            let detail = "empty selector is invalid for deployment";
            causes.push(Cause::invalid("spec.selector", to_json_string(selector), detail));
        }
        Some(selector) if !LabelSelector::from_value(selector).matches(labels) => {
            let shown = labels.map_or_else(|| "null".to_owned(), to_json_string);
            let detail = "`selector` does not match template `labels`";
            causes.push(Cause::invalid("spec.template.metadata.labels", shown, detail));
        }
        Some(_) => {}
    }
    causes.extend(pod::check(
        value.at(&["spec", "template", "spec"]),
        "spec.template.spec",
        &["Always"],
    ));
    let deadline = value.i64_at(&["spec", "progressDeadlineSeconds"]);
    let ready = value.i64_at(&["spec", "minReadySeconds"]).unwrap_or(0);
    if let Some(deadline) = deadline.filter(|d| *d <= ready) {
        causes.push(Cause::invalid(
            "spec.progressDeadlineSeconds",
            deadline,
            "must be greater than minReadySeconds",
        ));
    }
    for strategy in ["strategy", "updateStrategy"] {
        let kind = value.str_at(&["spec", strategy, "type"]);
        if strategy == "strategy"
            && kind == Some("Recreate")
            && value.at(&["spec", strategy, "rollingUpdate"]).is_some()
        {
            let detail = "may not be specified when strategy `type` is 'Recreate'";
            causes.push(Cause::forbidden("spec.strategy.rollingUpdate", detail));
        }
    }
    causes
}

fn job(spec: Option<&Value>, path: &str) -> Vec<Cause> {
    let empty = Value::map();
    let spec = spec.unwrap_or(&empty);
    let mut causes = Vec::new();
    for field in [
        "parallelism",
        "completions",
        "backoffLimit",
        "activeDeadlineSeconds",
        "ttlSecondsAfterFinished",
    ] {
        if let Some(number) = spec.i64_at(&[field]).filter(|n| *n < 0) {
            causes.push(Cause::invalid(
                format!("{path}.{field}"),
                number,
                "must be greater than or equal to 0",
            ));
        }
    }
    let pod_path = format!("{path}.template.spec");
    causes.extend(pod::check(
        spec.at(&["template", "spec"]),
        &pod_path,
        &["OnFailure", "Never"],
    ));
    causes
}

fn cron_job(value: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    match value.str_at(&["spec", "schedule"]).unwrap_or_default() {
        "" => causes.push(Cause::required("spec.schedule", "")),
        schedule => {
            let fields = schedule.split_whitespace().count();
            if fields != 5 && !schedule.starts_with('@') {
                let detail = format!("expected exactly 5 fields, found {fields}: [{schedule}]");
                causes.push(Cause::invalid("spec.schedule", format!("{schedule:?}"), &detail));
            }
        }
    }
    causes.extend(job(value.at(&["spec", "jobTemplate", "spec"]), "spec.jobTemplate.spec"));
    causes
}

fn service(value: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let spec = |path: &[&str]| value.at(&["spec"]).and_then(|s| s.at(path));
    let kind = spec(&["type"]).and_then(Value::as_str).unwrap_or("ClusterIP");
    let allowed = &["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
    if !allowed.contains(&kind) {
        causes.push(Cause::unsupported("spec.type", format!("{kind:?}"), allowed));
    }
    let ports = value.list_at(&["spec", "ports"]);
    let headless = spec(&["clusterIP"]).and_then(Value::as_str) == Some("None");
    if ports.is_empty() && kind != "ExternalName" && !headless {
        causes.push(Cause::required("spec.ports", ""));
    }
    if kind == "ExternalName"
        && spec(&["externalName"])
            .and_then(Value::as_str)
            .is_none_or(str::is_empty)
    {
        causes.push(Cause::required("spec.externalName", ""));
    }
    for (i, port) in ports.iter().enumerate() {
        let number = port.i64_at(&["port"]).unwrap_or(0);
        if !(1..=65_535).contains(&number) {
            causes.push(Cause::invalid(
                format!("spec.ports[{i}].port"),
                number,
                "must be between 1 and 65535, inclusive",
            ));
        }
        let name = port.str_at(&["name"]).unwrap_or_default();
        if name.is_empty() && ports.len() > 1 {
            causes.push(Cause::required(format!("spec.ports[{i}].name"), ""));
        } else if !name.is_empty() && !is_label(name) {
            causes.push(Cause::invalid(
                format!("spec.ports[{i}].name"),
                format!("{name:?}"),
                "a lowercase RFC 1123 label is required",
            ));
        }
        let earlier = ports.iter().take(i);
        if !name.is_empty() && earlier.clone().any(|p| p.str_at(&["name"]) == Some(name)) {
            causes.push(Cause::duplicate(format!("spec.ports[{i}].name"), format!("{name:?}")));
        }
    }
    causes
}

fn config_map(value: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let mut bytes = 0;
    for field in ["data", "binaryData"] {
        for (key, item) in value
            .get(field)
            .and_then(Value::as_map)
            .into_iter()
            .flat_map(|m| m.iter())
        {
            check_data_key(field, key, &mut causes);
            bytes += item.as_str().map_or(0, str::len);
        }
    }
    too_long(bytes, &mut causes);
    causes
}

fn secret(value: &Value) -> Vec<Cause> {
    use base64::Engine as _;
    let mut causes = Vec::new();
    let mut bytes = 0;
    for (key, item) in value
        .get("data")
        .and_then(Value::as_map)
        .into_iter()
        .flat_map(|m| m.iter())
    {
        check_data_key("data", key, &mut causes);
        let text = item.as_str().unwrap_or_default();
        match base64::engine::general_purpose::STANDARD.decode(text) {
            Ok(decoded) => bytes += decoded.len(),
            // The value stays out of the message: it may be a secret in clear.
            Err(_) => causes.push(Cause::invalid(
                format!("data[{key}]"),
                "\"(hidden)\"",
                "illegal base64 data",
            )),
        }
    }
    too_long(bytes, &mut causes);
    let required: &[&str] = match value.str_at(&["type"]).unwrap_or_default() {
        "kubernetes.io/tls" => &["tls.crt", "tls.key"],
        "kubernetes.io/dockerconfigjson" => &[".dockerconfigjson"],
        "kubernetes.io/ssh-auth" => &["ssh-privatekey"],
        _ => &[],
    };
    for key in required {
        if value.at(&["data", key]).is_none() {
            causes.push(Cause::required(format!("data[{key}]"), ""));
        }
    }
    causes
}

fn check_data_key(field: &str, key: &str, causes: &mut Vec<Cause>) {
    let fine = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if key.is_empty() || key.len() > 253 || !key.bytes().all(fine) || key == "." || key.starts_with("..") {
        let detail = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  \
                      or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
        causes.push(Cause::invalid(format!("{field}[{key}]"), format!("{key:?}"), detail));
    }
}

fn too_long(bytes: usize, causes: &mut Vec<Cause>) {
    if bytes > 1024 * 1024 {
        let message = "Too long: may not be more than 1048576 bytes".to_owned();
        causes.push(Cause {
            reason: "FieldValueTooLong",
            message,
            field: String::new(),
        });
    }
}

fn claim(value: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    if value.list_at(&["spec", "accessModes"]).is_empty() {
        causes.push(Cause::required(
            "spec.accessModes",
            "at least 1 access mode is required",
        ));
    }
    if value.at(&["spec", "resources", "requests", "storage"]).is_none() {
        causes.push(Cause::required("spec.resources[storage]", ""));
    }
    causes
}

fn autoscaler(value: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let max = value.i64_at(&["spec", "maxReplicas"]).unwrap_or(0);
    let min = value.i64_at(&["spec", "minReplicas"]).unwrap_or(1);
    if max < 1 {
        causes.push(Cause::invalid("spec.maxReplicas", max, "must be greater than 0"));
    } else if max < min {
        causes.push(Cause::invalid(
            "spec.maxReplicas",
            max,
            "must be greater than or equal to `minReplicas`",
        ));
    }
    for field in ["kind", "name"] {
        if value
            .str_at(&["spec", "scaleTargetRef", field])
            .is_none_or(str::is_empty)
        {
            causes.push(Cause::required(format!("spec.scaleTargetRef.{field}"), ""));
        }
    }
    causes
}

fn ingress(value: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    if value.list_at(&["spec", "rules"]).is_empty() && value.at(&["spec", "defaultBackend"]).is_none() {
        let detail = "either `defaultBackend` or `rules` must be specified";
        causes.push(Cause::invalid("spec", "[]", detail));
    }
    for (i, rule) in value.list_at(&["spec", "rules"]).iter().enumerate() {
        for (j, path) in rule.list_at(&["http", "paths"]).iter().enumerate() {
            let at = format!("spec.rules[{i}].http.paths[{j}]");
            match path.str_at(&["pathType"]).unwrap_or_default() {
                "" => causes.push(Cause::required(format!("{at}.pathType"), "pathType must be specified")),
                "Exact" | "Prefix" | "ImplementationSpecific" => {}
                other => {
                    let allowed = &["Exact", "ImplementationSpecific", "Prefix"];
                    causes.push(Cause::unsupported(
                        format!("{at}.pathType"),
                        format!("{other:?}"),
                        allowed,
                    ));
                }
            }
            if path.str_at(&["backend", "service", "name"]).is_none_or(str::is_empty)
                && path.at(&["backend", "resource"]).is_none()
            {
                causes.push(Cause::required(format!("{at}.backend.service.name"), ""));
            }
        }
    }
    causes
}

fn binding(value: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    if !matches!(value.str_at(&["roleRef", "kind"]), Some("Role" | "ClusterRole")) {
        let shown = format!("{:?}", value.str_at(&["roleRef", "kind"]).unwrap_or_default());
        causes.push(Cause::unsupported("roleRef.kind", shown, &["Role", "ClusterRole"]));
    }
    if value.str_at(&["roleRef", "name"]).is_none_or(str::is_empty) {
        causes.push(Cause::required("roleRef.name", ""));
    }
    causes
}
