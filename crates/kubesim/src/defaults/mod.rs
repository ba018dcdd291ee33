//! What kube-apiserver fills in for built-in kinds when a client leaves it out.

mod network;
mod pod;
mod workload;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pintle_model::{Object, Value};

use crate::crd;
use crate::resource::Resource;
use crate::store::Store;

pub(crate) use workload::job_identity;

/// Fills in an object in storage version. `old` is what it replaces; the store is asked for free cluster IPs only.
pub fn apply(store: &Store, resource: &Resource, object: &mut Object, old: Option<&Object>) {
    if let Some(custom) = &resource.custom {
        if let Some(version) = custom.versions.get(&*resource.storage_version) {
            crd::default::apply(object.value_mut(), &version.schema);
        }
        return;
    }
    let name = object.name().to_owned();
    let value = object.value_mut();
    match (&*resource.gr.group, &*resource.gr.resource) {
        ("", "pods") => pod::pod(value),
        ("", "podtemplates") => pod::template(value, &["template"]),
        ("", "services") => network::service(store, value, old.map(Object::value)),
        ("", "secrets") => secret(value),
        ("", "namespaces") => namespace(value, &name, old.is_none()),
        ("", "nodes") => {
            set(value, &["status"], Value::map());
        }
        ("", "persistentvolumeclaims") => {
            set(value, &["spec", "volumeMode"], "Filesystem".into());
            set(value, &["status", "phase"], "Pending".into());
        }
        ("", "persistentvolumes") => {
            set(value, &["spec", "volumeMode"], "Filesystem".into());
            set(value, &["spec", "persistentVolumeReclaimPolicy"], "Retain".into());
            set(value, &["status", "phase"], "Pending".into());
        }
        ("", "resourcequotas") => set(value, &["status"], Value::map()),
        ("apps", "deployments") => workload::deployment(value),
        ("apps", "replicasets") => workload::replica_set(value),
        ("apps", "statefulsets") => workload::stateful_set(value),
        ("apps", "daemonsets") => workload::daemon_set(value),
        ("batch", "jobs") => workload::job(value, old.map(Object::value)),
        ("batch", "cronjobs") => workload::cron_job(value),
        ("autoscaling", _) => workload::autoscaler(value),
        ("networking.k8s.io", "ingresses") => set(value, &["status", "loadBalancer"], Value::map()),
        ("networking.k8s.io", "networkpolicies") => network::policy(value),
        ("policy", "poddisruptionbudgets") => set(value, &["status"], Value::map()),
        ("rbac.authorization.k8s.io", "rolebindings" | "clusterrolebindings") => binding(value),
        ("rbac.authorization.k8s.io", "roles" | "clusterroles") => {
            // `rules` is written even when there are none.
            set(value, &["rules"], Value::Null);
        }
        ("storage.k8s.io", "storageclasses") => {
            set(value, &["reclaimPolicy"], "Delete".into());
            set(value, &["volumeBindingMode"], "Immediate".into());
        }
        ("scheduling.k8s.io", "priorityclasses") => set(value, &["preemptionPolicy"], "PreemptLowerPriority".into()),
        ("apiregistration.k8s.io", "apiservices") => set(value, &["status"], Value::map()),
        ("apiextensions.k8s.io", "customresourcedefinitions") => crd::definition::default(value, old.is_none()),
        _ => {}
    }
}

/// Puts `new` at `path` if nothing is there.
fn set(value: &mut Value, path: &[&str], new: Value) {
    if value.at(path).is_none_or(Value::is_null) {
        value.set_at(path, new);
    }
}

/// Calls `change` for every element of the list at `path`.
fn each(value: &mut Value, path: &[&str], change: impl FnMut(&mut Value)) {
    if value.list_at(path).is_empty() {
        return;
    }
    value
        .at_mut(path)
        .and_then(Value::as_list_mut)
        .into_iter()
        .flatten()
        .for_each(change);
}

/// `stringData` is write-only: it goes into `data`.
fn secret(value: &mut Value) {
    let clear = value.remove_at(&["stringData"]);
    for (key, text) in clear
        .as_ref()
        .and_then(Value::as_map)
        .into_iter()
        .flat_map(|m| m.iter())
    {
        value.set_at(
            &["data", key],
            STANDARD.encode(text.as_str().unwrap_or_default()).into(),
        );
    }
    set(value, &["type"], "Opaque".into());
}

fn namespace(value: &mut Value, name: &str, new: bool) {
    value.set_at(&["metadata", "labels", "kubernetes.io/metadata.name"], name.into());
    if new {
        value.set_at(&["spec", "finalizers"], Value::list(vec!["kubernetes".into()]));
    }
    set(value, &["status", "phase"], "Active".into());
}

fn binding(value: &mut Value) {
    set(value, &["roleRef", "apiGroup"], "rbac.authorization.k8s.io".into());
    each(value, &["subjects"], |subject| {
        if let Some("User" | "Group") = subject.str_at(&["kind"]) {
            set(subject, &["apiGroup"], "rbac.authorization.k8s.io".into())
        }
    });
}
