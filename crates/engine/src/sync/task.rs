//! One thing a sync does to one object in one phase.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use pintle_model::application::{HookType, SyncPhase};
use pintle_model::{Gvk, Object, ResourceKey};

use super::hook::{DeletePolicy, STAMP_ANNOTATION};
use super::order::phase_rank;
use super::view::Live;

/// One object in one phase.
#[derive(Clone)]
pub struct Task {
    /// Identity of the object.
    pub key: ResourceKey,
    /// API version it is written with.
    pub version: String,
    /// Phase it runs in.
    pub phase: SyncPhase,
    /// Wave inside the phase.
    pub wave: i64,
    /// As which hook; `None` for ordinary objects.
    pub hook: Option<HookType>,
    /// What it should be; `None` to prune it.
    pub target: Option<Object>,
    /// What it is; `None` where it is not there, or where [`Task::blind`] says that nobody knows.
    pub live: Option<Object>,
    /// Why the live object cannot be seen.
    pub blind: Option<String>,
    /// When the hook is deleted; empty for ordinary objects.
    pub delete_policies: BTreeSet<DeletePolicy>,
    /// The run a hook is made for; empty for ordinary objects.
    pub stamp: String,
    /// Its kind is not served yet, so that no dry run of it can be made.
    pub kind_missing: bool,
    /// Why it cannot be run at all.
    pub invalid: Option<String>,
}

impl Task {
    /// Whether the object left the source.
    pub fn is_prune(&self) -> bool {
        self.target.is_none()
    }

    /// Whether it is a hook.
    pub fn is_hook(&self) -> bool {
        self.hook.is_some()
    }

    /// Whether the live object is the hook that this attempt of this operation made.
    pub fn is_own_run(&self) -> bool {
        self.is_hook()
            && self
                .live
                .as_ref()
                .is_some_and(|live| live.annotation(STAMP_ANNOTATION) == Some(&self.stamp))
    }

    /// Whether the live object is a hook made for another run. One without stamp is not: the peer may have made it for this operation.
    pub fn is_other_run(&self) -> bool {
        self.live
            .as_ref()
            .and_then(|live| live.annotation(STAMP_ANNOTATION))
            .is_some_and(|stamp| stamp != self.stamp)
    }

    /// Whether a live object of an earlier run has to go before this hook is made.
    pub fn must_go_first(&self) -> bool {
        self.is_hook()
            && self.live.is_some()
            && self.delete_policies.contains(&DeletePolicy::BeforeHookCreation)
            && !self.is_own_run()
    }

    /// Phase and wave, comparable.
    pub fn place(&self) -> (u8, i64) {
        (phase_rank(&self.phase), self.wave)
    }

    /// Takes over what a view knows of the live object.
    pub fn see(&mut self, live: Live<'_>) {
        self.blind = None;
        self.live = match live {
            Live::Present(object) => Some(object.clone()),
            Live::Absent => None,
            Live::Unknown(why) => {
                self.blind = Some(why);
                None
            }
        };
    }

    /// Group, version, kind.
    pub fn gvk(&self) -> Gvk {
        Gvk::new(self.key.group.clone(), self.version.as_str(), self.key.kind.clone())
    }

    /// `group/kind/name`, as the messages name it [F3.28].
    pub fn display_name(&self) -> String {
        format!("{}/{}/{}", self.key.group, self.key.kind, self.key.name)
    }

    /// The id of one verb on this task.
    pub fn id(&self, verb: Verb) -> TaskId {
        TaskId {
            phase: self.phase.clone(),
            key: self.key.clone(),
            version: self.version.clone(),
            verb,
        }
    }
}

/// What an effect does for its task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// Validates without storing.
    DryRun,
    /// Applies, replaces or creates the object.
    Apply,
    /// Deletes an object that left the source.
    Prune,
    /// Takes the hook finalizer off.
    Release,
    /// Deletes a hook: one of an earlier run, or by its delete policy, or because the operation is terminated.
    Delete,
}

/// Names an effect of one operation, so that its outcome finds its way back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId {
    /// Phase of the task.
    pub phase: SyncPhase,
    /// Object of the task.
    pub key: ResourceKey,
    /// API version it is written with.
    pub version: String,
    /// What the effect does.
    pub verb: Verb,
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {} in {}", self.verb, self.key, self.phase)
    }
}

/// A target and the live object of the same identity; at least one is there.
#[derive(Clone)]
pub struct Pair {
    /// Identity of both.
    pub key: ResourceKey,
    /// What should be.
    pub target: Option<Object>,
    /// What is.
    pub live: Option<Object>,
}

/// Pairs ordinary targets with the live objects an application tracks. Of several targets with one identity the last counts [F3.41].
pub fn pair<'a>(targets: impl IntoIterator<Item = Object>, live: impl IntoIterator<Item = &'a Object>) -> Vec<Pair> {
    let mut pairs: BTreeMap<ResourceKey, Pair> = BTreeMap::new();
    for target in targets {
        let key = target.key();
        pairs.insert(
            key.clone(),
            Pair {
                key,
                target: Some(target),
                live: None,
            },
        );
    }
    for object in live {
        let key = object.key();
        pairs
            .entry(key.clone())
            .or_insert(Pair {
                key,
                target: None,
                live: None,
            })
            .live = Some(object.clone());
    }
    pairs.into_values().collect()
}
