//! A cluster small enough to read, to try steps on: it carries out effects, keeps incarnations apart, and can refuse or lose things.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use pintle_model::{GroupKind, Gvk, Object, ResourceKey, Value, annotation};

use super::super::dependency::{is_crd, is_established};
use super::super::view::{ClusterView, Incomplete, Live, Served};
use crate::effect::{Action, Effect, Failure, FailureKind, Outcome};
use crate::health::{Health, HealthCode};

/// What marks an object as this application's.
pub const TRACKING: &str = "app";

/// The cluster.
#[derive(Default)]
pub struct World {
    pub objects: BTreeMap<ResourceKey, Object>,
    /// Next UID and resourceVersion.
    pub serial: u64,
    /// Refusals of the next write to an object: dry run or not.
    pub refusals: BTreeMap<(ResourceKey, bool), Failure>,
    /// Objects that stay a while when deleted.
    pub lingering: BTreeSet<ResourceKey>,
    /// Kinds that cannot be read, and why.
    pub unreadable: BTreeMap<String, String>,
    /// Kinds the project does not permit.
    pub forbidden: BTreeSet<String>,
    /// Objects the comparison found equal.
    pub in_sync: BTreeSet<ResourceKey>,
    /// Whether new objects are healthy at once.
    pub is_quick: bool,
    /// Every write that changed something, as `verb key`, newest last.
    pub log: Vec<(&'static str, ResourceKey)>,
}

/// Group and version of the kinds used in tests; others are `example.com/v1`.
pub fn api_version(kind: &str) -> &'static str {
    match kind {
        "Namespace" | "ConfigMap" | "Secret" | "Service" | "Pod" | "ServiceAccount" => "v1",
        "Deployment" => "apps/v1",
        "Job" => "batch/v1",
        "CustomResourceDefinition" => "apiextensions.k8s.io/v1",
        "ClusterRole" => "rbac.authorization.k8s.io/v1",
        _ => "example.com/v1",
    }
}

/// `Kind/name` in the destination namespace, or cluster-scoped.
pub fn key(name: &str) -> ResourceKey {
    let (kind, name) = name.split_once('/').expect("Kind/name");
    let gvk = Gvk::from_api_version(api_version(kind), kind);
    let namespace = if is_cluster_scoped(kind) { "" } else { "shop" };
    ResourceKey::new(gvk.group, gvk.kind, namespace, name)
}

/// A bare object of `Kind/name`.
pub fn object(name: &str) -> Object {
    let key = key(name);
    Object::bare(
        &Gvk::from_api_version(api_version(&key.kind), &key.kind),
        &key.namespace,
        &key.name,
    )
}

fn is_cluster_scoped(kind: &str) -> bool {
    matches!(kind, "Namespace" | "CustomResourceDefinition" | "ClusterRole")
}

impl World {
    fn next(&mut self) -> String {
        self.serial += 1;
        self.serial.to_string()
    }

    /// Stores an object as a new incarnation or a new version.
    pub fn put(&mut self, mut object: Object) -> Object {
        let key = object.key();
        let uid = match self.objects.get(&key) {
            Some(old) => old.uid().to_owned(),
            None => format!("u{}", self.next()),
        };
        let version = self.next();
        object.value_mut().set_at(&["metadata", "uid"], uid.into());
        object
            .value_mut()
            .set_at(&["metadata", "resourceVersion"], version.into());
        self.objects.insert(key, object.clone());
        object
    }

    /// Serves a live object in another API group too, as the same object.
    pub fn mirror(&mut self, key: &ResourceKey, group: &str) {
        let mut twin = self.objects[key].clone();
        twin.value_mut().set_at(&["apiVersion"], format!("{group}/v1").into());
        self.objects.insert(twin.key(), twin);
    }

    /// Sets the health of a live object.
    pub fn set_health(&mut self, key: &ResourceKey, health: &str) {
        let mut live = self
            .objects
            .get(key)
            .unwrap_or_else(|| panic!("{key} is not live"))
            .clone();
        live.value_mut().set_at(&["status", "health"], health.into());
        self.put(live);
    }

    /// Takes an object away, whatever holds it.
    pub fn remove(&mut self, key: &ResourceKey) {
        self.objects.remove(key);
    }

    /// Carries out an effect.
    pub fn execute(&mut self, effect: &Effect, now: Timestamp) -> Outcome {
        let key = effect.key();
        if let Some(failure) = self.refusals.remove(&(key.clone(), effect.dry_run)) {
            return Outcome::Failed(failure);
        }
        let failed = |kind, message: &str| {
            Outcome::Failed(Failure {
                kind,
                message: message.into(),
            })
        };
        let live = self.objects.get(&key).cloned();
        match &effect.action {
            Action::Create { .. } if live.is_some() => failed(FailureKind::AlreadyExists, "already exists"),
            Action::Create { object } | Action::Apply { object, .. } | Action::Replace { object, .. } => {
                if !key.namespace.is_empty()
                    && !self
                        .objects
                        .contains_key(&self::key(&format!("Namespace/{}", key.namespace)))
                {
                    return failed(FailureKind::NotFound, "namespaces \"shop\" not found");
                }
                if self.served(&effect.gvk) == Served::No {
                    return failed(
                        FailureKind::NotFound,
                        "the server could not find the requested resource",
                    );
                }
                let is_new = live.is_none();
                let mut stored = object.clone();
                if let Some(live) = &live {
                    for kept in ["deletionTimestamp", "creationTimestamp"] {
                        if let Some(value) = live.value().at(&["metadata", kept]) {
                            stored.value_mut().set_at(&["metadata", kept], value.clone());
                        }
                    }
                    if let Some(status) = live.value().get("status") {
                        stored.value_mut().set_at(&["status"], status.clone());
                    }
                } else if self.is_quick {
                    stored.value_mut().set_at(&["status", "health"], "Healthy".into());
                }
                if effect.dry_run {
                    return if is_new {
                        Outcome::Created(stored)
                    } else {
                        Outcome::Configured(stored)
                    };
                }
                self.log.push(("apply", key));
                let stored = self.put(stored);
                if is_new {
                    Outcome::Created(stored)
                } else {
                    Outcome::Configured(stored)
                }
            }
            Action::Delete {
                uid, resource_version, ..
            } => {
                let Some(mut live) = live else {
                    return failed(FailureKind::NotFound, "not found");
                };
                if live.uid() != &**uid
                    || resource_version
                        .as_ref()
                        .is_some_and(|v| **v != *live.resource_version())
                {
                    return failed(FailureKind::Conflict, "precondition failed");
                }
                self.log.push(("delete", key.clone()));
                if live.finalizers().next().is_some() || self.lingering.contains(&key) {
                    if live.deletion_timestamp().is_none() {
                        live.value_mut()
                            .set_at(&["metadata", "deletionTimestamp"], format!("{now:.0}").into());
                        self.put(live);
                    }
                } else {
                    self.objects.remove(&key);
                }
                Outcome::Deleted
            }
            Action::MergePatch {
                patch,
                resource_version,
            } => {
                let Some(mut live) = live else {
                    return failed(FailureKind::NotFound, "not found");
                };
                if resource_version
                    .as_ref()
                    .is_some_and(|v| **v != *live.resource_version())
                {
                    return failed(FailureKind::Conflict, "the object has been modified");
                }
                self.log.push(("patch", key.clone()));
                match patch.at(&["metadata", "finalizers"]) {
                    Some(Value::Null) => live.value_mut().remove_at(&["metadata", "finalizers"]),
                    Some(list) => {
                        live.value_mut().set_at(&["metadata", "finalizers"], list.clone());
                        None
                    }
                    None => None,
                };
                if live.deletion_timestamp().is_some() && live.finalizers().next().is_none() {
                    self.objects.remove(&key);
                    return Outcome::Configured(live);
                }
                Outcome::Configured(self.put(live))
            }
        }
    }
}

impl ClusterView for World {
    fn live(&self, key: &ResourceKey) -> Live<'_> {
        match (self.unreadable.get(&*key.kind), self.objects.get(key)) {
            (Some(why), _) => Live::Unknown(why.clone()),
            (None, Some(object)) => Live::Present(object),
            (None, None) => Live::Absent,
        }
    }

    fn managed(&self) -> Vec<&Object> {
        self.objects.values().filter(|o| self.is_tracked(o)).collect()
    }

    fn is_tracked(&self, live: &Object) -> bool {
        live.annotation(annotation::TRACKING_ID) == Some(TRACKING)
    }

    fn health(&self, live: &Object) -> Option<Health> {
        let code = match live.value().str_at(&["status", "health"]) {
            Some("Healthy") => HealthCode::Healthy,
            Some("Degraded") => HealthCode::Degraded,
            Some("Suspended") => HealthCode::Suspended,
            Some("Unknown") => HealthCode::Unknown,
            _ => HealthCode::Progressing,
        };
        let message = live.value().str_at(&["status", "message"]).unwrap_or_default();
        matches!(live.kind(), "Job" | "Pod" | "Deployment").then(|| Health::new(code, message))
    }

    fn served(&self, gvk: &Gvk) -> Served {
        match &*gvk.kind {
            "Mystery" => Served::Unknown("discovery of example.com failed".into()),
            kind if &*gvk.group != "example.com" => {
                if is_cluster_scoped(kind) {
                    Served::Cluster
                } else {
                    Served::Namespaced
                }
            }
            kind => {
                let crd = self.objects.values().find(|o| {
                    is_crd(o) && is_established(o) && o.value().str_at(&["spec", "names", "kind"]) == Some(kind)
                });
                if crd.is_some() { Served::Namespaced } else { Served::No }
            }
        }
    }

    fn permit(&self, gvk: &Gvk, _: &str, _: &str) -> Result<(), String> {
        if self.forbidden.contains(&*gvk.kind) {
            return Err(format!(
                "resource {}:{} is not permitted in project shop",
                gvk.group, gvk.kind
            ));
        }
        Ok(())
    }

    fn prune_ok(&self, kind: &GroupKind) -> Result<(), Incomplete> {
        self.unreadable
            .get(&*kind.kind)
            .map_or(Ok(()), |why| Err(Incomplete(why.clone())))
    }

    fn is_in_sync(&self, key: &ResourceKey) -> bool {
        self.in_sync.contains(key)
    }
}
