//! Pods from pod templates, and the hash that names a template.

use pintle_model::{Gvk, Object, Value, to_json};
use sha2::{Digest, Sha256};

use super::owner::controller_reference;

/// The characters of generated names.
const SAFE: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// Names a template: eight to ten characters, the same for equal content. (kube-controller-manager hashes Go's print of its structs; nobody
/// may depend on the value.)
pub(super) fn hash(template: &Value) -> String {
    let digest = Sha256::digest(to_json(template));
    let number = digest.iter().take(4).fold(0_u32, |n, b| (n << 8) | u32::from(*b));
    let digits = number.to_string();
    digits
        .bytes()
        .filter_map(|d| SAFE.get(usize::from(d) % SAFE.len()).copied().map(char::from))
        .collect()
}

/// A Pod of `owner` from its `template`. An empty `name` means a generated one.
pub(super) fn pod(owner: &Object, template: &Value, name: &str) -> Object {
    let mut pod = Object::bare(&Gvk::new("", "v1", "Pod"), owner.namespace(), name);
    let value = pod.value_mut();
    if name.is_empty() {
        value.remove_at(&["metadata", "name"]);
        value.set_at(&["metadata", "generateName"], format!("{}-", owner.name()).into());
    }
    for field in ["labels", "annotations", "finalizers"] {
        if let Some(given) = template.at(&["metadata", field]).filter(|v| !v.is_empty()) {
            value.set_at(&["metadata", field], given.clone());
        }
    }
    value.set_at(
        &["metadata", "ownerReferences"],
        vec![controller_reference(owner)].into(),
    );
    let spec = template.get("spec").cloned().unwrap_or_else(Value::map);
    value.set_at(&["spec"], spec);
    pod
}
