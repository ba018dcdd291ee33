//! CustomResourceDefinition objects themselves.

use pintle_model::{Object, Value};

use crate::error::Cause;

/// Holds a definition until its instances are gone.
pub const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";

/// Fills in what kube-apiserver fills in.
pub fn default(value: &mut Value, new: bool) {
    let kind = value.str_at(&["spec", "names", "kind"]).unwrap_or_default().to_owned();
    let fill = |value: &mut Value, path: &[&str], text: String| {
        if value.str_at(path).is_none_or(str::is_empty) {
            value.set_at(path, text.into());
        }
    };
    if !kind.is_empty() {
        fill(value, &["spec", "names", "listKind"], format!("{kind}List"));
        fill(value, &["spec", "names", "singular"], kind.to_lowercase());
    }
    fill(value, &["spec", "conversion", "strategy"], "None".into());
    if new {
        let mut finalizers = value.list_at(&["metadata", "finalizers"]).to_vec();
        if !finalizers.iter().any(|f| f.as_str() == Some(CLEANUP)) {
            finalizers.push(CLEANUP.into());
        }
        value.set_at(&["metadata", "finalizers"], Value::list(finalizers));
        let stored = value
            .list_at(&["spec", "versions"])
            .iter()
            .filter(|v| v.bool_at(&["storage"]) == Some(true));
        let stored: Vec<Value> = stored.filter_map(|v| v.get("name").cloned()).collect();
        value.set_at(&["status", "storedVersions"], Value::list(stored));
        value.set_at(&["status", "conditions"], Value::list(Vec::new()));
        value.set_at(&["status", "acceptedNames"], Value::map());
    }
}

/// Checks a definition.
pub fn check(object: &Object) -> Vec<Cause> {
    let value = object.value();
    let mut causes = Vec::new();
    for path in [
        &["spec", "group"][..],
        &["spec", "names", "plural"],
        &["spec", "names", "kind"],
        &["spec", "scope"],
    ] {
        if value.str_at(path).is_none_or(str::is_empty) {
            causes.push(Cause::required(path.join("."), ""));
        }
    }
    let expected = format!(
        "{}.{}",
        value.str_at(&["spec", "names", "plural"]).unwrap_or_default(),
        value.str_at(&["spec", "group"]).unwrap_or_default()
    );
    if causes.is_empty() && object.name() != expected {
        let detail = "must be spec.names.plural+\".\"+spec.group";
        causes.push(Cause::invalid("metadata.name", format!("{:?}", object.name()), detail));
    }
    let versions = value.list_at(&["spec", "versions"]);
    if versions.is_empty() {
        causes.push(Cause::required("spec.versions", ""));
    } else if versions
        .iter()
        .filter(|v| v.bool_at(&["storage"]) == Some(true))
        .count()
        != 1
    {
        let detail = "must have exactly one version marked as storage version";
        causes.push(Cause::invalid("spec.versions", "[]", detail));
    }
    for (i, version) in versions.iter().enumerate() {
        let at = format!("spec.versions[{i}].schema.openAPIV3Schema");
        match version.at(&["schema", "openAPIV3Schema"]) {
            None => causes.push(Cause::required(at, "schemas are required")),
            Some(schema) if schema.str_at(&["type"]) != Some("object") => {
                let detail = "must be object at the root";
                causes.push(Cause::invalid(
                    format!("{at}.type"),
                    format!("{:?}", schema.str_at(&["type"]).unwrap_or_default()),
                    detail,
                ));
            }
            Some(_) => {}
        }
    }
    let strategy = value.str_at(&["spec", "conversion", "strategy"]).unwrap_or("None");
    if strategy != "None" {
        let detail = "conversion webhooks are not called by the evaluation control plane";
        causes.push(Cause::invalid(
            "spec.conversion.strategy",
            format!("{strategy:?}"),
            detail,
        ));
    }
    causes
}
