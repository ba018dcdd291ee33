//! ConfigMaps and Secrets that a Pod needs before its containers can start.

use std::sync::LazyLock;

use pintle_model::{Object, Value};

use crate::resource::GroupResource;
use crate::store::Store;

static CONFIG_MAPS: LazyLock<GroupResource> = LazyLock::new(|| GroupResource::new("", "configmaps"));
static SECRETS: LazyLock<GroupResource> = LazyLock::new(|| GroupResource::new("", "secrets"));

/// Why the first volume that cannot be mounted cannot, as kubelet says it: its containers stay in `ContainerCreating`.
pub(super) fn missing_volume(store: &Store, pod: &Object) -> Option<String> {
    for volume in pod.value().list_at(&["spec", "volumes"]) {
        let name = volume.str_at(&["name"]).unwrap_or_default();
        let projected = volume.list_at(&["projected", "sources"]).iter();
        let configs = std::iter::once(volume).chain(projected.clone()).filter_map(|v| {
            let source = v.get("configMap")?;
            needed(store, pod, &CONFIG_MAPS, source, "name")
        });
        let secrets = volume
            .get("secret")
            .and_then(|s| needed(store, pod, &SECRETS, s, "secretName"))
            .into_iter();
        let projected = projected.filter_map(|v| needed(store, pod, &SECRETS, v.get("secret")?, "name"));
        if let Some(what) = configs.chain(secrets).chain(projected).next() {
            return Some(format!("MountVolume.SetUp failed for volume {name:?} : {what}"));
        }
    }
    None
}

/// The first ConfigMap or Secret that the environment of `container` needs and that is not there.
pub(super) fn missing_environment(store: &Store, pod: &Object, container: &Value) -> Option<String> {
    let whole = container.list_at(&["envFrom"]).iter().filter_map(|e| {
        let config = e.get("configMapRef").map(|s| (&CONFIG_MAPS, s));
        let (gr, source) = config.or_else(|| Some((&SECRETS, e.get("secretRef")?)))?;
        needed(store, pod, gr, source, "name")
    });
    let single = container.list_at(&["env"]).iter().filter_map(|e| {
        let from = e.get("valueFrom")?;
        let config = from.get("configMapKeyRef").map(|s| (&CONFIG_MAPS, s));
        let (gr, source) = config.or_else(|| Some((&SECRETS, from.get("secretKeyRef")?)))?;
        needed(store, pod, gr, source, "name").or_else(|| missing_key(store, pod, gr, source))
    });
    whole.chain(single).next()
}

fn needed(store: &Store, pod: &Object, gr: &GroupResource, source: &Value, field: &str) -> Option<String> {
    let name = source.str_at(&[field]).filter(|n| !n.is_empty())?;
    if source.bool_at(&["optional"]).unwrap_or(false) || store.get(gr, pod.namespace(), name).is_ok() {
        return None;
    }
    Some(format!("{} {name:?} not found", gr.resource.trim_end_matches('s')))
}

fn missing_key(store: &Store, pod: &Object, gr: &GroupResource, source: &Value) -> Option<String> {
    let (name, key) = (source.str_at(&["name"])?, source.str_at(&["key"])?);
    if source.bool_at(&["optional"]).unwrap_or(false) {
        return None;
    }
    let object = store.get(gr, pod.namespace(), name).ok()?;
    let has = ["data", "binaryData", "stringData"]
        .iter()
        .any(|field| object.value().at(&[field, key]).is_some());
    let kind = object.kind();
    (!has).then(|| format!("couldn't find key {key} in {kind} {}/{name}", pod.namespace()))
}
