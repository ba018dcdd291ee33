//! What the engine wants done, and what came of it: the only way anything is written to a cluster.
//!
//! An [`Effect`] is data. [`Permitted`] wraps one that a project allows (or that concerns Pintle's own records); `cluster::execute` takes
//! nothing else, and answers with an [`Outcome`].

use std::fmt;
use std::sync::Arc;

use pintle_model::annotation::LABEL_SECRET_TYPE;
use pintle_model::{Gvk, Object, ResourceKey, Value};

/// Names a cluster by its API server URL; the cluster Pintle runs in is `https://kubernetes.default.svc` [F1.19].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClusterId(pub Arc<str>);

impl ClusterId {
    /// The cluster Pintle itself runs in.
    pub fn in_cluster() -> Self {
        Self("https://kubernetes.default.svc".into())
    }
}

impl fmt::Display for ClusterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One write to one object of one cluster.
#[derive(Clone)]
pub struct Effect {
    /// Where.
    pub cluster: ClusterId,
    /// The object's group, version and kind.
    pub gvk: Gvk,
    /// Namespace; empty for cluster-scoped kinds.
    pub namespace: Arc<str>,
    /// Name; empty only for [`Action::Create`] of an object with `generateName`.
    pub name: Arc<str>,
    /// What to do.
    pub action: Action,
    /// Ask the API server to check without storing (`dryRun=All`).
    pub dry_run: bool,
}

impl Effect {
    /// The identity of the object written.
    pub fn key(&self) -> ResourceKey {
        ResourceKey::new(
            Arc::clone(&self.gvk.group),
            Arc::clone(&self.gvk.kind),
            Arc::clone(&self.namespace),
            Arc::clone(&self.name),
        )
    }
}

/// The kinds of write.
#[derive(Clone)]
pub enum Action {
    /// POST; fails if the object exists.
    Create {
        /// The object.
        object: Object,
    },
    /// Create or update to this desired state.
    Apply {
        /// The desired object.
        object: Object,
        /// How fields are merged.
        mode: ApplyMode,
        /// Whether the server validates fields strictly (`fieldValidation`); `Validate=false` turns it off [F3.23].
        validate: bool,
    },
    /// PUT over what is there, or create [F3.24].
    Replace {
        /// The object.
        object: Object,
        /// Delete and recreate instead of updating.
        force: bool,
    },
    /// DELETE, only that incarnation (I-6).
    Delete {
        /// UID the object must have; a DELETE without it is never sent.
        uid: Arc<str>,
        /// resourceVersion the object must have, where the decision read one.
        resource_version: Option<Arc<str>>,
        /// What happens to dependents.
        propagation: Propagation,
    },
    /// JSON merge patch, used for Pintle's own records and for finalizers.
    MergePatch {
        /// The patch.
        patch: Value,
        /// resourceVersion the object must have; `None` means any.
        resource_version: Option<Arc<str>>,
    },
}

/// How an apply merges fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApplyMode {
    /// Three-way merge with `kubectl.kubernetes.io/last-applied-configuration`.
    ClientSide {
        /// Delete and recreate where the update is refused as immutable.
        force: bool,
    },
    /// Server-side apply as `argocd-controller`, conflicts forced [F3.25].
    ServerSide,
}

/// `propagationPolicy` of a DELETE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Propagation {
    /// Dependents first.
    Foreground,
    /// Dependents afterwards.
    Background,
    /// Dependents stay.
    Orphan,
}

/// What came of an [`Effect`].
#[derive(Clone)]
pub enum Outcome {
    /// The object is new; as the server returned it.
    Created(Object),
    /// The object changed; as the server returned it.
    Configured(Object),
    /// Nothing had to change; as the server returned it.
    Unchanged(Object),
    /// The DELETE was accepted, or the object was already gone.
    Deleted,
    /// Deliberately not sent.
    Skipped(Skipped),
    /// The server refused, or could not be asked.
    Failed(Failure),
}

impl Outcome {
    /// The object as stored after the write, where there is one.
    pub fn object(&self) -> Option<&Object> {
        match self {
            Self::Created(o) | Self::Configured(o) | Self::Unchanged(o) => Some(o),
            Self::Deleted | Self::Skipped(_) | Self::Failed(_) => None,
        }
    }
}

/// Why an effect was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Skipped {
    /// The project changed after the permission was given; the engine decides again (I-5).
    #[error("project {project} changed since this write was permitted; deciding again")]
    ProjectChanged {
        /// Name of the project.
        project: Arc<str>,
    },
    /// This process no longer holds the lease.
    #[error("another controller holds the lease {lease}")]
    NotLeader {
        /// Namespace and name of the lease.
        lease: Arc<str>,
    },
}

/// A write that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What sort of failure.
    pub kind: FailureKind,
    /// The server's own words, or what could not be reached; never object data.
    pub message: String,
}

/// Sorts of failure, by what can be done about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// 409 on a precondition or a concurrent change: read again and decide again.
    Conflict,
    /// 409 AlreadyExists.
    AlreadyExists,
    /// 404: the object, its namespace or its kind is not there.
    NotFound,
    /// 401 or 403.
    Forbidden,
    /// 400, 413, 415 or 422: the request is wrong and will stay wrong.
    Invalid,
    /// 429 or 5xx: the server asks for another try; nothing was written.
    Unavailable,
    /// The request may or may not have been carried out (time-out, connection lost).
    Unknown,
}

impl FailureKind {
    /// Whether the same write may succeed later without anyone changing anything.
    pub fn is_retryable(self) -> bool {
        matches!(self, Self::Conflict | Self::Unavailable | Self::Unknown)
    }
}

/// An effect that may be executed.
///
/// Made only by `engine::app::project` for managed objects, and by [`Permitted::own_record`] for Pintle's own records.
#[derive(Clone)]
pub struct Permitted<E> {
    effect: E,
    grant: Grant,
}

/// On whose word an effect is permitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// A project at a resourceVersion; a newer project makes `execute` answer [`Skipped::ProjectChanged`].
    Project {
        /// Name of the AppProject.
        name: Arc<str>,
        /// resourceVersion of the AppProject that was checked.
        resource_version: Arc<str>,
    },
    /// Pintle's own records: Applications, AppProjects, Events, Leases in the control namespace.
    OwnRecord,
}

/// The kinds Pintle writes on its own account.
const OWN_KINDS: [(&str, &str); 5] = [
    ("argoproj.io", "Application"),
    ("argoproj.io", "AppProject"),
    ("", "Event"),
    ("events.k8s.io", "Event"),
    ("coordination.k8s.io", "Lease"),
];

/// Name of the Secret in the control namespace that what charts draw at random depends on, under [`INSTALLATION_KEY`].
pub const INSTALLATION_SECRET: &str = "pintle-installation";
/// The field of [`INSTALLATION_SECRET`]: random bytes.
pub const INSTALLATION_KEY: &str = "renderKey";

/// Values of the label on the Secrets that hold repositories and their credentials [F2.24].
const REPOSITORY_SECRETS: [&str; 4] = ["repository", "repo-creds", "repository-write", "repo-write-creds"];

impl Permitted<Effect> {
    /// Permits a write to one of Pintle's own records in its own cluster; gives the effect back if it is anything else.
    #[allow(clippy::result_large_err, reason = "the refused effect is given back whole")]
    pub fn own_record(effect: Effect) -> Result<Self, Effect> {
        let own = effect.cluster == ClusterId::in_cluster()
            && OWN_KINDS
                .iter()
                .any(|(group, kind)| *group == &*effect.gvk.group && *kind == &*effect.gvk.kind);
        if own {
            Ok(Self {
                effect,
                grant: Grant::OwnRecord,
            })
        } else {
            Err(effect)
        }
    }

    /// Permits a write to the Secret of a repository in the control namespace; gives the effect back if it is anything else.
    ///
    /// What is written must say so itself: created and replaced objects, and merge patches of their metadata, must keep the label
    /// `argocd.argoproj.io/secret-type` at one of the repository types. `live` is the Secret that a delete or a patch is about, as just
    /// read; without it, or with one of another kind, they are refused.
    #[allow(clippy::result_large_err, reason = "the refused effect is given back whole")]
    pub fn repository_secret(effect: Effect, control_namespace: &str, live: Option<&Object>) -> Result<Self, Effect> {
        let is_one = |object: &Object| {
            object
                .label(LABEL_SECRET_TYPE)
                .is_some_and(|kind| REPOSITORY_SECRETS.contains(&kind))
                && (object.kind(), object.group()) == ("Secret", "")
                && object.namespace() == control_namespace
        };
        let here = effect.cluster == ClusterId::in_cluster()
            && effect.gvk.group_kind().is("", "Secret")
            && &*effect.namespace == control_namespace;
        let live_is_one = live.is_some_and(|l| is_one(l) && l.name() == &*effect.name);
        let permitted = match &effect.action {
            Action::Create { object } => is_one(object),
            Action::Replace { object, .. } | Action::Apply { object, .. } => is_one(object) && live_is_one,
            Action::MergePatch { patch, .. } => live_is_one && patch.at(&["metadata", "labels"]).is_none(),
            Action::Delete { uid, .. } => live_is_one && live.is_some_and(|l| l.uid() == &**uid),
        };
        if here && permitted {
            Ok(Self {
                effect,
                grant: Grant::OwnRecord,
            })
        } else {
            Err(effect)
        }
    }

    /// Permits making the Secret [`INSTALLATION_SECRET`] of the control namespace; gives the effect back if it is anything else. It is never
    /// changed: what charts drew at random depends on it.
    #[allow(clippy::result_large_err, reason = "the refused effect is given back whole")]
    pub fn installation_secret(effect: Effect, control_namespace: &str) -> Result<Self, Effect> {
        let is_it = effect.cluster == ClusterId::in_cluster()
            && effect.gvk.group_kind().is("", "Secret")
            && &*effect.namespace == control_namespace
            && &*effect.name == INSTALLATION_SECRET
            && matches!(effect.action, Action::Create { .. });
        if is_it {
            Ok(Self {
                effect,
                grant: Grant::OwnRecord,
            })
        } else {
            Err(effect)
        }
    }

    /// Only the project check calls this.
    #[allow(dead_code)]
    pub(crate) fn by_project(effect: Effect, name: Arc<str>, resource_version: Arc<str>) -> Self {
        Self {
            effect,
            grant: Grant::Project { name, resource_version },
        }
    }
}

impl<E> Permitted<E> {
    /// The effect.
    pub fn effect(&self) -> &E {
        &self.effect
    }

    /// On whose word.
    pub fn grant(&self) -> &Grant {
        &self.grant
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(namespace: &str, kind: Option<&str>) -> Object {
        let mut object = Object::bare(&Gvk::new("", "v1", "Secret"), namespace, "repo-1");
        object.value_mut().set_at(&["metadata", "uid"], "u1".into());
        if let Some(kind) = kind {
            object.set_label(LABEL_SECRET_TYPE, kind);
        }
        object
    }

    fn effect(namespace: &str, action: Action) -> Effect {
        Effect {
            cluster: ClusterId::in_cluster(),
            gvk: Gvk::new("", "v1", "Secret"),
            namespace: namespace.into(),
            name: "repo-1".into(),
            action,
            dry_run: false,
        }
    }

    #[test]
    fn the_secret_of_the_installation_is_made_and_never_changed() {
        let named = |name: &str, action| Effect {
            name: name.into(),
            ..effect("argocd", action)
        };
        let make = || Action::Create {
            object: secret("argocd", None),
        };
        let allowed = |effect| Permitted::installation_secret(effect, "argocd").is_ok();
        assert!(allowed(named(INSTALLATION_SECRET, make())));
        assert!(!allowed(named("other", make())));
        assert!(!allowed(named(INSTALLATION_SECRET, delete("u1"))));
        assert!(Permitted::installation_secret(named(INSTALLATION_SECRET, make()), "other").is_err());
    }

    fn delete(uid: &str) -> Action {
        Action::Delete {
            uid: uid.into(),
            resource_version: None,
            propagation: Propagation::Background,
        }
    }

    #[test]
    fn only_repository_secrets_of_the_control_namespace_are_permitted() {
        let allowed = |effect, live: Option<&Object>| Permitted::repository_secret(effect, "argocd", live).is_ok();
        let ours = secret("argocd", Some("repository"));
        let create = |object: Object| Action::Create { object };
        assert!(allowed(effect("argocd", create(ours.clone())), None));
        assert!(!allowed(effect("argocd", create(secret("argocd", None))), None));
        assert!(!allowed(
            effect("argocd", create(secret("argocd", Some("cluster")))),
            None
        ));
        assert!(!allowed(
            effect("kube-system", create(secret("kube-system", Some("repository")))),
            None
        ));
        assert!(allowed(effect("argocd", delete("u1")), Some(&ours)));
        assert!(!allowed(effect("argocd", delete("u1")), None));
        assert!(!allowed(effect("argocd", delete("u2")), Some(&ours)));
        assert!(!allowed(effect("argocd", delete("u1")), Some(&secret("argocd", None))));
        let relabel = Value::from_json(br#"{"metadata":{"labels":{"x":"y"}}}"#).ok().unwrap();
        let patch = Action::MergePatch {
            patch: relabel,
            resource_version: None,
        };
        assert!(!allowed(effect("argocd", patch), Some(&ours)));
    }
}
