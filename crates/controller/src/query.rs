//! Questions about an application, answered out of the hub's memory.

use pintle_engine::app::compare::compare_rules;
use pintle_merge::compare;
use pintle_model::{Object, ResourceKey};
use tokio::sync::oneshot;

use crate::app_state::AppState;
use crate::event::AppKey;
use crate::hub::Hub;

/// A question and where the answer goes.
pub(crate) struct Query {
    pub app: AppKey,
    pub kind: QueryKind,
    pub answer: oneshot::Sender<Result<Reply, QueryError>>,
}

impl Query {
    pub fn new(namespace: &str, name: &str, kind: QueryKind) -> (Self, oneshot::Receiver<Result<Reply, QueryError>>) {
        let (answer, receiver) = oneshot::channel();
        let app = AppKey {
            namespace: namespace.into(),
            name: name.into(),
        };
        (Self { app, kind, answer }, receiver)
    }
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryKind {
    /// Desired and live state of every object.
    ManagedResources,
    /// The objects as they would be applied.
    Manifests,
    /// Why automated sync does nothing.
    Why,
}

/// The answer.
pub enum Reply {
    /// To [`QueryKind::ManagedResources`].
    ManagedResources(Vec<ManagedResource>),
    /// To [`QueryKind::Manifests`].
    Manifests(Vec<Object>),
    /// To [`QueryKind::Why`].
    Why(String),
}

/// One object of an application, desired and live.
pub struct ManagedResource {
    /// Which.
    pub key: ResourceKey,
    /// As it would be applied; `None` if nothing wants it any more.
    pub target: Option<Object>,
    /// As it is; `None` if it is not there.
    pub live: Option<Object>,
    /// What applying would make of it, normalised.
    pub predicted: Option<Object>,
    /// The live object, normalised likewise.
    pub normalized_live: Option<Object>,
    /// Whether they differ.
    pub modified: bool,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// No such Application here.
    #[error("application {0} is not known to the controller")]
    NotFound(String),
    /// Desired state is not known (yet).
    #[error("the manifests of the application are not known: {0}")]
    NotRendered(String),
    /// The controller has stopped.
    #[error("the controller has stopped")]
    Stopped,
}

impl Hub {
    pub(crate) fn answer(&self, query: Query) {
        let reply = match self.apps.get(&query.app) {
            None => Err(QueryError::NotFound(format!(
                "{}/{}",
                query.app.namespace, query.app.name
            ))),
            Some(state) => self.reply(state, query.kind),
        };
        // Whoever asked may have gone.
        let _ = query.answer.send(reply);
    }

    fn reply(&self, state: &AppState, kind: QueryKind) -> Result<Reply, QueryError> {
        if kind == QueryKind::Why {
            return Ok(Reply::Why(state.why.clone()));
        }
        let objects = match &state.prepared {
            None => return Err(QueryError::NotRendered("they are being rendered".to_owned())),
            Some(prepared) => match &prepared.targets {
                Ok(targets) => &targets.get().objects,
                Err(why) => return Err(QueryError::NotRendered(why.to_string())),
            },
        };
        match kind {
            QueryKind::Manifests => Ok(Reply::Manifests(objects.clone())),
            _ => Ok(Reply::ManagedResources(self.managed_resources(state, objects))),
        }
    }

    fn managed_resources(&self, state: &AppState, targets: &[Object]) -> Vec<ManagedResource> {
        let mut all: Vec<ManagedResource> = targets.iter().map(|t| self.managed(state, t.key(), Some(t))).collect();
        let extra = self.index.managed_by(&state.instance).filter(|e| !e.has_owners());
        for entry in extra.filter(|e| !targets.iter().any(|t| t.key() == *e.key())) {
            all.push(self.managed(state, entry.key().clone(), None));
        }
        all
    }

    fn managed(&self, state: &AppState, key: ResourceKey, target: Option<&Object>) -> ManagedResource {
        let live = self.index.get(&key).and_then(|e| e.object());
        let rules = target
            .or(live)
            .map(|o| compare_rules(self.settings.compare_options, &state.app.spec.ignore_differences, o));
        let diff = compare(target, live, &rules.unwrap_or_default());
        ManagedResource {
            key,
            target: target.cloned(),
            live: live.cloned(),
            predicted: diff.predicted,
            normalized_live: diff.live,
            modified: diff.modified,
        }
    }
}
