//! Effects carried out: the only code of Pintle that writes to a cluster. No decisions: what to do comes in, what came of it goes out.
//!
//! ```text
//! Permitted<Effect> -> cluster -> served kind -> same object? -> [lease, project] -> one write -> Outcome
//!                                                                 ^ asked again before every single write
//! ```
//!
//! Effects to one object are serialised by the caller. Nothing is sent twice without knowing that the first did nothing: a write
//! whose answer is lost ends as [`FailureKind::Unknown`], and the engine looks before it decides again.

mod apply;
mod last_applied;
mod request;

use std::sync::Arc;

use pintle_engine::effect::{Action, Effect, Failure, FailureKind, Grant, Outcome, Permitted, Propagation};
use pintle_model::{Object, Value};

use self::request::{Stop, Write, refuse};
use crate::client::{Cluster, JSON};
use crate::clusters::Clusters;
use crate::discovery::ServedKind;
use crate::error::Verb;
use crate::guard::{LeaseGuard, ProjectVersions};

/// Takes the server's words out of the refusal of a Secret: they may quote what it holds, and they end in conditions, Events and logs (I-26).
///
/// Conflicts and misses say nothing of content, and whether a dry run is supported is judged by its wording.
fn quiet_about_secrets(effect: &Effect, outcome: Outcome) -> Outcome {
    let is_secret = effect.gvk.group.is_empty() && &*effect.gvk.kind == "Secret";
    match outcome {
        Outcome::Failed(failure)
            if is_secret
                && matches!(
                    failure.kind,
                    FailureKind::Invalid | FailureKind::Forbidden | FailureKind::Unavailable
                )
                && !failure.message.contains("dry run") =>
        {
            Outcome::Failed(Failure {
                kind: failure.kind,
                message: format!(
                    "the API server refused Secret {}/{} ({:?}); its words are not shown because they may quote the Secret",
                    effect.namespace, effect.name, failure.kind
                ),
            })
        }
        other => other,
    }
}

/// What a caller knows of the object it writes.
#[derive(Clone, Default)]
pub enum Seen {
    /// Nothing: it is read first.
    #[default]
    Unknown,
    /// It is not there: it is created, and read only if it is there after all.
    Absent,
    /// It is there, in this state.
    Present(Object),
}

/// Carries out effects. Cheap to clone.
#[derive(Clone)]
pub struct Executor {
    clusters: Clusters,
    projects: Arc<dyn ProjectVersions>,
    lease: LeaseGuard,
}

impl Executor {
    /// Returns a hand for these clusters, which checks every write against the projects and the lease as they are at that moment.
    pub fn new(clusters: Clusters, projects: Arc<dyn ProjectVersions>, lease: LeaseGuard) -> Self {
        Self {
            clusters,
            projects,
            lease,
        }
    }

    /// Carries out one effect.
    pub async fn execute(&self, permitted: Permitted<Effect>) -> Outcome {
        self.execute_on(permitted, Seen::Unknown).await
    }

    /// As [`Executor::execute`], with the live object as the caller last saw it: it saves an apply or replace the read, and tells a
    /// server-side apply that changed nothing. If it is out of date the object is read after all.
    pub async fn execute_on(&self, permitted: Permitted<Effect>, live: Seen) -> Outcome {
        self.carry_out(permitted.effect(), permitted.grant(), live).await
    }

    pub(crate) async fn carry_out(&self, effect: &Effect, grant: &Grant, live: Seen) -> Outcome {
        let outcome = quiet_about_secrets(effect, self.attempt(effect, grant, live).await);
        let what = describe(&outcome);
        tracing::debug!(cluster = %effect.cluster, object = %effect.key(), dry_run = effect.dry_run, outcome = what, "effect");
        outcome
    }

    async fn attempt(&self, effect: &Effect, grant: &Grant, live: Seen) -> Outcome {
        let Some(cluster) = self.clusters.get(&effect.cluster) else {
            return refuse(
                FailureKind::NotFound,
                format!("cluster {} is not configured", effect.cluster),
            );
        };
        let kind = match cluster.served(&effect.gvk).await {
            Ok(kind) => kind,
            // A fresh and successful discovery without the kind: with the kind its objects are gone.
            Err(error) if error.kind == FailureKind::NotFound && matches!(effect.action, Action::Delete { .. }) => {
                return Outcome::Deleted;
            }
            Err(error) => return Outcome::Failed(error.before_writing().into_failure()),
        };
        if let Err(message) = check_target(effect, &kind) {
            return refuse(FailureKind::Invalid, message);
        }
        // What the caller saw is of use only if it is this object in this version: patches are made against it.
        let live = match live {
            Seen::Present(l) if l.gvk() != effect.gvk || l.key() != effect.key() || l.uid().is_empty() => Seen::Unknown,
            live => live,
        };
        let run = Run {
            executor: self,
            cluster,
            kind,
            effect,
            grant,
        };
        match run.act(live).await {
            Ok(outcome) => outcome,
            Err(stop) => {
                if stop
                    .error()
                    .is_some_and(|e| e.status == Some(404) && !e.says_object_is_gone())
                {
                    run.cluster.hint_discovery();
                }
                stop.into_outcome()
            }
        }
    }
}

/// One effect under way.
struct Run<'a> {
    executor: &'a Executor,
    cluster: Cluster,
    kind: Arc<ServedKind>,
    effect: &'a Effect,
    grant: &'a Grant,
}

impl Run<'_> {
    async fn act(&self, live: Seen) -> Result<Outcome, Stop> {
        match &self.effect.action {
            Action::Create { object } => self.create(&self.placed(object), &[]).await,
            Action::Apply { object, mode, validate } => self.apply(&self.placed(object), *mode, *validate, live).await,
            Action::Replace { object, force } => self.replace(&self.placed(object), *force, live).await,
            Action::Delete {
                uid,
                resource_version,
                propagation,
            } => self.delete(uid, resource_version.as_deref(), *propagation).await,
            Action::MergePatch {
                patch,
                resource_version,
            } => self.merge_patch(patch, resource_version.as_deref()).await,
        }
    }

    /// The object with the namespace the effect names; it may have none of its own.
    fn placed(&self, object: &Object) -> Object {
        let mut object = object.clone();
        object.set_namespace(&self.effect.namespace);
        object
    }

    /// Reads the object as it is before anything is written.
    async fn look(&self) -> Result<Option<Object>, Stop> {
        let live = self
            .cluster
            .find(&self.kind, &self.effect.namespace, &self.effect.name)
            .await;
        live.map_err(|e| Stop::Failed(e.before_writing()))
    }

    async fn delete(
        &self,
        uid: &str,
        resource_version: Option<&str>,
        propagation: Propagation,
    ) -> Result<Outcome, Stop> {
        let mut options = Value::map();
        options.set_at(&["apiVersion"], "v1".into());
        options.set_at(&["kind"], "DeleteOptions".into());
        options.set_at(&["preconditions", "uid"], uid.into());
        if let Some(version) = resource_version {
            options.set_at(&["preconditions", "resourceVersion"], version.into());
        }
        let policy = match propagation {
            Propagation::Foreground => "Foreground",
            Propagation::Background => "Background",
            Propagation::Orphan => "Orphan",
        };
        options.set_at(&["propagationPolicy"], policy.into());
        if self.effect.dry_run {
            options.set_at(&["dryRun"], vec!["All".into()].into());
        }
        let write = Write {
            verb: Verb::Delete,
            media_type: JSON,
            body: &options,
            query: &[],
        };
        match self.write(&write).await {
            Ok(_) => Ok(Outcome::Deleted),
            Err(Stop::Failed(error)) if error.says_object_is_gone() => Ok(Outcome::Deleted),
            Err(Stop::Failed(mut error)) => {
                if error.status == Some(404) {
                    // Not the API server's word on the object: a proxy's page, or a path it does not serve just now.
                    error.kind = FailureKind::Unavailable;
                }
                Err(error.into())
            }
            Err(skipped) => Err(skipped),
        }
    }
}

/// Checks that the effect writes what its permission was given for (I-28): the kind's present scope, the object's own name.
fn check_target(effect: &Effect, kind: &ServedKind) -> Result<(), String> {
    let what = kind.describe(&effect.namespace, &effect.name);
    match (kind.namespaced, effect.namespace.is_empty()) {
        (true, true) => {
            return Err(format!(
                "{what}: not sent: the kind is namespaced and no namespace is given"
            ));
        }
        (false, false) => {
            return Err(format!(
                "{what}: not sent: the kind is cluster-scoped and a namespace is given"
            ));
        }
        _ => {}
    }
    let object = match &effect.action {
        Action::Create { object } | Action::Apply { object, .. } | Action::Replace { object, .. } => Some(object),
        Action::Delete { uid, .. } if uid.is_empty() => {
            return Err(format!(
                "{what}: not sent: a delete needs the UID of the object it is meant for"
            ));
        }
        Action::Delete { .. } | Action::MergePatch { .. } => None,
    };
    let Some(object) = object else { return Ok(()) };
    let is_placed = object.namespace().is_empty() || object.namespace() == &*effect.namespace;
    if object.gvk() != effect.gvk || object.name() != &*effect.name || !is_placed {
        return Err(format!(
            "{what}: not sent: the object is {} {}, another one",
            object.gvk(),
            object.key()
        ));
    }
    let is_generated = matches!(effect.action, Action::Create { .. }) && !object.generate_name().is_empty();
    if effect.name.is_empty() && !is_generated {
        return Err(format!("{what}: not sent: the object has no name"));
    }
    Ok(())
}

/// The outcome without the object, for logs.
fn describe(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Created(_) => "created".to_owned(),
        Outcome::Configured(_) => "configured".to_owned(),
        Outcome::Unchanged(_) => "unchanged".to_owned(),
        Outcome::Deleted => "deleted".to_owned(),
        Outcome::Skipped(why) => format!("skipped: {why}"),
        Outcome::Failed(failure) => format!("failed: {failure}"),
    }
}
