//! Fields that cannot change once they are set.

use pintle_model::{Object, Value, to_json_string};

use crate::error::Cause;
use crate::resource::Resource;

/// Refuses changes of what must stay.
pub(super) fn check(resource: &Resource, old: &Object, new: &Object) -> Vec<Cause> {
    let mut causes = Vec::new();
    let (old, new) = (old.value(), new.value());
    match (&*resource.gr.group, &*resource.gr.resource) {
        ("apps", "deployments" | "replicasets" | "daemonsets") => stays(old, new, &["spec", "selector"], &mut causes),
        ("apps", "statefulsets") => stateful_set(old, new, &mut causes),
        ("batch", "jobs") => {
            for field in ["selector", "completionMode", "manualSelector", "podFailurePolicy"] {
                stays(old, new, &["spec", field], &mut causes);
            }
            // A suspended job's scheduling directives may change; nothing here reads them, so the whole template stays.
            stays(old, new, &["spec", "template"], &mut causes);
            let indexed = new.str_at(&["spec", "completionMode"]) == Some("Indexed");
            if !indexed {
                stays(old, new, &["spec", "completions"], &mut causes);
            }
        }
        ("", "services") => service(old, new, &mut causes),
        ("", "configmaps") => sealed(old, new, &["data", "binaryData"], &mut causes),
        ("", "secrets") => {
            stays(old, new, &["type"], &mut causes);
            sealed(old, new, &["data"], &mut causes);
        }
        ("", "pods") => pod(old, new, &mut causes),
        ("", "persistentvolumeclaims") => claim(old, new, &mut causes),
        ("rbac.authorization.k8s.io", "rolebindings" | "clusterrolebindings")
            if old.get("roleRef") != new.get("roleRef") =>
        {
            causes.push(Cause::invalid(
                "roleRef",
                shown(new.get("roleRef")),
                "cannot change roleRef",
            ));
        }
        ("storage.k8s.io", "storageclasses") => {
            for field in ["provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"] {
                if old.get(field) != new.get(field) {
                    causes.push(Cause::forbidden(field, &format!("updates to {field} are forbidden.")));
                }
            }
        }
        _ => {}
    }
    causes
}

fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "null".to_owned(), to_json_string)
}

fn stays(old: &Value, new: &Value, path: &[&str], causes: &mut Vec<Cause>) {
    if old.at(path) != new.at(path) {
        // A Secret passes here only with its type; templates of Jobs are no secrets either.
        causes.push(Cause::invalid(
            path.join("."),
            shown(new.at(path)),
            "field is immutable",
        ));
    }
}

/// `immutable: true` cannot be taken back, and seals the data.
fn sealed(old: &Value, new: &Value, fields: &[&str], causes: &mut Vec<Cause>) {
    if old.bool_at(&["immutable"]) != Some(true) {
        return;
    }
    let detail = "field is immutable when `immutable` is set";
    if new.bool_at(&["immutable"]) != Some(true) {
        causes.push(Cause::forbidden("immutable", detail));
    }
    for field in fields {
        if old.get(field) != new.get(field) {
            causes.push(Cause::forbidden(*field, detail));
        }
    }
}

fn without(value: &Value, at: &[&str], fields: &[&str]) -> Value {
    let mut rest = value.at(at).cloned().unwrap_or(Value::Null);
    for field in fields {
        rest.remove_at(&[field]);
    }
    rest
}

fn stateful_set(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    let free = &[
        "replicas",
        "ordinals",
        "template",
        "updateStrategy",
        "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy",
        "minReadySeconds",
    ];
    if without(old, &["spec"], free) != without(new, &["spec"], free) {
        let detail = "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', \
                      'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
        causes.push(Cause::forbidden("spec", detail));
    }
}

fn service(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    let (before, after) = (old.str_at(&["spec", "clusterIP"]), new.str_at(&["spec", "clusterIP"]));
    let leaves_or_enters_external = [old, new]
        .iter()
        .any(|v| v.str_at(&["spec", "type"]) == Some("ExternalName"));
    if before.is_some_and(|b| !b.is_empty()) && before != after && !leaves_or_enters_external {
        let detail = if after.is_none_or(str::is_empty) {
            "primary clusterIP can not be unset"
        } else {
            "may not change once set"
        };
        let shown = format!("[{:?}]", after.unwrap_or_default());
        causes.push(Cause::invalid("spec.clusterIPs[0]", shown, detail));
    }
}

/// Of a running Pod only images, the deadline, and additions to tolerations change.
fn pod(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    let fixed = |value: &Value| {
        let mut rest = without(
            value,
            &["spec"],
            &[
                "activeDeadlineSeconds",
                "tolerations",
                "terminationGracePeriodSeconds",
                "schedulingGates",
            ],
        );
        for list in ["containers", "initContainers"] {
            for container in rest.at_mut(&[list]).and_then(Value::as_list_mut).into_iter().flatten() {
                container.remove_at(&["image"]);
            }
        }
        rest
    };
    if fixed(old) != fixed(new) {
        let detail = "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,\
                      `spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),\
                      `spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";
        causes.push(Cause::forbidden("spec", detail));
    }
}

fn claim(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    let free = &["resources", "volumeName", "volumeAttributesClassName"];
    if without(old, &["spec"], free) != without(new, &["spec"], free) {
        let detail =
            "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
        causes.push(Cause::forbidden("spec", detail));
    }
}
