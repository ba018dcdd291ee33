//! How much the index knows of each kind, and since when (invariant I-13).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use pintle_model::{GroupKind, ResourceKey};

/// What one LIST and its watch cover.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WatchScope {
    /// The kind.
    pub kind: GroupKind,
    /// One namespace, or `None` for all of the cluster.
    pub namespace: Option<Arc<str>>,
}

impl WatchScope {
    /// The kind in the whole cluster.
    pub fn cluster_wide(kind: GroupKind) -> Self {
        Self { kind, namespace: None }
    }

    /// Whether an object with this key is in it.
    pub(super) fn covers(&self, key: &ResourceKey) -> bool {
        key.group == self.kind.group
            && key.kind == self.kind.kind
            && self
                .namespace
                .as_ref()
                .is_none_or(|namespace| key.namespace == *namespace)
    }
}

/// What is known of one scope.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KindState {
    /// When it was last complete: a LIST ended, or a broken watch was taken up again without a gap.
    pub synced_at: Option<Timestamp>,
    /// When its watch last showed a sign of life (event or bookmark).
    pub last_event_at: Option<Timestamp>,
    /// Why it cannot be read now; what was known before is still in the index.
    pub error: Option<Arc<str>>,
    /// resourceVersion of the last LIST.
    pub(super) listed_version: Option<u64>,
}

/// Why a kind does not count as known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotFresh {
    /// The kind is excluded, not served, or its watch has not been set up.
    #[error("it is not watched")]
    NotWatched,
    /// The first LIST has not ended.
    #[error("it has not been listed yet")]
    NotSynced,
    /// The API server refuses or fails to list or watch it.
    #[error("it cannot be read: {reason}")]
    Failed {
        /// The server's words.
        reason: Arc<str>,
    },
    /// One of its objects cannot be parsed.
    #[error("{key} exists and cannot be read: {reason}")]
    Unreadable {
        /// Which one.
        key: ResourceKey,
        /// What is wrong with it; never what it holds.
        reason: Arc<str>,
    },
    /// Its watch has been silent for too long.
    #[error("its watch was last heard of at {last}")]
    TooOld {
        /// The last sign of life.
        last: Timestamp,
    },
}

/// Kinds that could not be taken into account, each with its reason; empty if there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Incomplete {
    /// In order of group and kind.
    pub kinds: Vec<(GroupKind, NotFresh)>,
}

impl Incomplete {
    /// Whether every kind asked for is known.
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }
}

impl fmt::Display for Incomplete {
    /// `Secret: it cannot be read: forbidden; Widget.example.com: it is not watched`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (kind, reason)) in self.kinds.iter().enumerate() {
            write!(f, "{}{kind}: {reason}", if i > 0 { "; " } else { "" })?;
        }
        Ok(())
    }
}

/// The states of all scopes that are watched or meant to be.
#[derive(Default)]
pub(super) struct Freshness {
    scopes: BTreeMap<WatchScope, KindState>,
}

impl Freshness {
    pub(super) fn state_mut(&mut self, scope: &WatchScope) -> &mut KindState {
        self.scopes.entry(scope.clone()).or_default()
    }

    pub(super) fn state(&self, scope: &WatchScope) -> Option<&KindState> {
        self.scopes.get(scope)
    }

    pub(super) fn scopes(&self) -> impl Iterator<Item = (&WatchScope, &KindState)> {
        self.scopes.iter()
    }

    pub(super) fn forget(&mut self, kind: &GroupKind) {
        self.scopes.retain(|scope, _| scope.kind != *kind);
    }

    /// Whether every scope of a kind that matters for `namespace` (`None`: all of them) is known and alive.
    pub(super) fn check(
        &self,
        kind: &GroupKind,
        namespace: Option<&str>,
        now: Timestamp,
        max_age: SignedDuration,
    ) -> Result<(), NotFresh> {
        let mut found = false;
        let first = WatchScope::cluster_wide(kind.clone());
        for (scope, state) in self.scopes.range(first..).take_while(|(scope, _)| scope.kind == *kind) {
            if namespace.is_some() && scope.namespace.is_some() && scope.namespace.as_deref() != namespace {
                continue;
            }
            found = true;
            if let Some(reason) = &state.error {
                return Err(NotFresh::Failed {
                    reason: Arc::clone(reason),
                });
            }
            let synced = state.synced_at.ok_or(NotFresh::NotSynced)?;
            let last = state.last_event_at.map_or(synced, |event| event.max(synced));
            if now.duration_since(last) > max_age {
                return Err(NotFresh::TooOld { last });
            }
        }
        if found { Ok(()) } else { Err(NotFresh::NotWatched) }
    }
}
