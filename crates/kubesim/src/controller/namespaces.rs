//! Namespaces: what every one contains, and how one goes away.

use std::collections::BTreeSet;

use jiff::Timestamp;
use pintle_model::{Gvk, Object, Value};

use crate::clock::rfc3339;
use crate::resource::GroupResource;
use crate::simulate::Controller;
use crate::store::{DeleteOptions, Store};

/// Gives each namespace its ServiceAccount and root certificate, and empties those that are being deleted.
pub struct Namespaces {
    seen: u64,
    /// The certificate in `kube-root-ca.crt`, once there is one.
    root_ca: Box<dyn Fn() -> String + Send>,
}

impl Namespaces {
    /// Returns the controller; `root_ca` gives PEM text, empty as long as nothing listens.
    pub fn new(root_ca: impl Fn() -> String + Send + 'static) -> Self {
        Self {
            seen: 0,
            root_ca: Box::new(root_ca),
        }
    }

    fn furnish(&self, store: &Store, namespace: &str) {
        let accounts = GroupResource::new("", "serviceaccounts");
        if store.get(&accounts, namespace, "default").is_err() {
            let _ = store.create(
                &accounts,
                Object::bare(&Gvk::new("", "v1", "ServiceAccount"), namespace, "default"),
            );
        }
        let maps = GroupResource::new("", "configmaps");
        if store.get(&maps, namespace, "kube-root-ca.crt").is_err() {
            let mut map = Object::bare(&Gvk::new("", "v1", "ConfigMap"), namespace, "kube-root-ca.crt");
            map.value_mut().set_at(&["data", "ca.crt"], (self.root_ca)().into());
            let _ = store.create(&maps, map);
        }
    }
}

impl Controller for Namespaces {
    fn name(&self) -> &'static str {
        "namespaces"
    }

    fn step(&mut self, store: &Store, now: Timestamp) -> Option<Timestamp> {
        let upto = store.resource_version();
        if upto == self.seen {
            return None;
        }
        let table = GroupResource::new("", "namespaces");
        let touched: Option<BTreeSet<String>> = store.events_since(self.seen).ok().map(|events| {
            let name = |e: &crate::store::Event| {
                if e.gr == table {
                    e.key.1.to_string()
                } else {
                    e.key.0.to_string()
                }
            };
            events.iter().map(name).collect()
        });
        self.seen = upto;
        for namespace in store.list(&table, None).objects {
            if touched.as_ref().is_some_and(|t| !t.contains(namespace.name())) {
                continue;
            }
            if namespace.deletion_timestamp().is_none() {
                self.furnish(store, namespace.name());
            } else {
                empty(store, &table, &namespace, now);
            }
        }
        None
    }
}

/// Deletes what a namespace contains, and lets it go once nothing is left.
fn empty(store: &Store, table: &GroupResource, namespace: &Object, now: Timestamp) {
    let name = namespace.name();
    let mut left = 0_usize;
    let mut finalizers = BTreeSet::new();
    for gr in store.populated() {
        if !store.resources().get(&gr).is_some_and(|r| r.namespaced) {
            continue;
        }
        for object in store.list(&gr, Some(name)).objects {
            if object.deletion_timestamp().is_none() {
                let options = DeleteOptions {
                    uid: Some(object.uid().into()),
                    ..DeleteOptions::default()
                };
                let _ = store.delete(&gr, name, object.name(), &options);
            }
            if let Ok(held) = store.get(&gr, name, object.name()) {
                left += 1;
                finalizers.extend(held.finalizers().map(str::to_owned));
            }
        }
    }
    let _ = store.modify(table, "", name, |o| {
        if left == 0 {
            o.value_mut().remove_at(&["spec", "finalizers"]);
            return;
        }
        let shown: Vec<&str> = finalizers.iter().map(String::as_str).collect();
        let conditions = [
            (
                "NamespaceContentRemaining",
                "SomeResourcesRemain",
                format!("Some resources are remaining: {left} in all"),
            ),
            (
                "NamespaceFinalizersRemaining",
                if shown.is_empty() {
                    "ContentHasNoFinalizers"
                } else {
                    "SomeFinalizersRemain"
                },
                if shown.is_empty() {
                    "All content-preserving finalizers finished".to_owned()
                } else {
                    format!(
                        "Some content in the namespace has finalizers remaining: {}",
                        shown.join(", ")
                    )
                },
            ),
        ];
        // Unchanged conditions keep their time, or every look would be a write.
        let same = |text: &str, kind: &str| {
            o.value()
                .list_at(&["status", "conditions"])
                .iter()
                .any(|c| c.str_at(&["type"]) == Some(kind) && c.str_at(&["message"]) == Some(text))
        };
        if conditions.iter().all(|(kind, _, text)| same(text, kind)) {
            return;
        }
        let list = conditions.into_iter().map(|(kind, reason, message)| {
            let status = if matches!(reason, "ContentHasNoFinalizers") {
                "False"
            } else {
                "True"
            };
            let mut c = Value::map();
            c.set_at(&["type"], kind.into());
            c.set_at(&["status"], status.into());
            c.set_at(&["reason"], reason.into());
            c.set_at(&["message"], message.into());
            c.set_at(&["lastTransitionTime"], rfc3339(now).into());
            c
        });
        let list = Value::list(list.collect());
        o.value_mut().set_at(&["status", "conditions"], list);
    });
}
