//! What decisions see of a cluster: the index and the discovery of one moment.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use pintle_model::{GroupKind, Gvk, Object, ResourceKey};

use crate::complete::{Complete, LiveSet};
use crate::health::{Health, health};
use crate::kinds::{KindTable, Scope, Served};
use crate::live::{Entry, Incomplete, LiveIndex, NotFresh};

/// How old the last sign of life of a watch may be before its kind no longer counts as known. API servers send bookmarks about once a
/// minute, aggregated ones none at all; the feeder takes a watch for dead after at most 12 minutes of silence and says so, and this is a
/// minute more: it speaks only where the feeder itself is stuck.
pub const MAX_AGE: SignedDuration = SignedDuration::from_mins(13);

/// One cluster at one moment.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// Its objects.
    pub index: &'a LiveIndex,
    /// Its kinds.
    pub kinds: &'a KindTable,
    /// The moment.
    pub now: Timestamp,
    /// How old knowledge may be; [`MAX_AGE`] unless a test says otherwise.
    pub max_age: SignedDuration,
}

/// What is known of one object. "Not known" is never "not there".
#[derive(Clone)]
pub enum Live<'a> {
    /// It is there.
    Full(&'a Object),
    /// It is there, but not kept whole: ask for it with [`LiveIndex::retain_full`] and read it.
    Slim(&'a Entry),
    /// It is not there: its kind is known and alive, or the cluster does not serve it at all.
    Absent,
    /// Nobody knows.
    Unknown(UnknownReason),
}

/// Why an object is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownReason {
    /// The watch of its kind is not set up, failed, or silent.
    #[error("{kind}: {reason}")]
    Kind {
        /// The kind.
        kind: GroupKind,
        /// What is wrong.
        reason: NotFresh,
    },
    /// Discovery of its group failed.
    #[error("{kind}: the cluster does not say whether it serves this kind: {reason}")]
    Discovery {
        /// The kind.
        kind: GroupKind,
        /// The server's words.
        reason: String,
    },
}

impl<'a> View<'a> {
    /// Returns the view of a moment with the usual [`MAX_AGE`].
    pub fn new(index: &'a LiveIndex, kinds: &'a KindTable, now: Timestamp) -> Self {
        Self {
            index,
            kinds,
            now,
            max_age: MAX_AGE,
        }
    }

    /// What is known of an object, whoever owns it. One that was seen is there even if its kind is no longer fresh: the write that acts on it
    /// has preconditions.
    pub fn live(&self, key: &ResourceKey) -> Live<'a> {
        if let Some(reason) = self.index.unreadable(key) {
            let reason = NotFresh::Unreadable {
                key: key.clone(),
                reason: Arc::clone(reason),
            };
            return Live::Unknown(UnknownReason::Kind {
                kind: key.group_kind(),
                reason,
            });
        }
        if let Some(entry) = self.index.get(key) {
            return entry.object().map_or(Live::Slim(entry), Live::Full);
        }
        let kind = key.group_kind();
        match self.kinds.served(&kind) {
            Served::No => return Live::Absent,
            Served::Unknown { reason } => {
                return Live::Unknown(UnknownReason::Discovery {
                    kind,
                    reason: reason.to_owned(),
                });
            }
            Served::Yes(_) => {}
        }
        let namespace = (!key.namespace.is_empty()).then_some(&*key.namespace);
        match self.index.check_fresh(&kind, namespace, self.now, self.max_age) {
            Ok(()) => Live::Absent,
            Err(reason) => Live::Unknown(UnknownReason::Kind { kind, reason }),
        }
    }

    /// The whole object, where the index keeps it whole; `None` says nothing about whether it exists (see [`View::live`]).
    pub fn object(&self, key: &ResourceKey) -> Option<&'a Object> {
        self.index.get(key)?.object()
    }

    /// The health of a live object by the built-in checks; `None` for kinds that have none.
    pub fn health(&self, live: &Object) -> Option<Health> {
        health(live)
    }

    /// Whether a kind is served in this version. A version that is not served counts as a kind that is not.
    pub fn served(&self, gvk: &Gvk) -> Served<'a> {
        match self.kinds.served(&gvk.group_kind()) {
            Served::Yes(kind) if !kind.versions.contains(&gvk.version) => Served::No,
            served => served,
        }
    }

    /// The scope of a kind, if it is served.
    pub fn scope(&self, kind: &GroupKind) -> Option<Scope> {
        self.kinds.scope(kind)
    }

    /// The whole objects that carry the mark of an application and are the ones it was made for.
    pub fn managed(&self, app: &str) -> impl Iterator<Item = &'a Object> {
        self.index.managed_by(app).filter_map(Entry::object)
    }

    /// What an application manages of these kinds, as far as they are known (see [`LiveIndex::complete_view`]). A kind the cluster
    /// certainly does not serve has no objects, and is left out of both answers.
    pub fn complete(&self, app: &str, kinds: &BTreeSet<GroupKind>) -> (Complete<LiveSet>, Incomplete) {
        let asked = kinds
            .iter()
            .filter(|kind| self.kinds.served(kind) != Served::No)
            .cloned()
            .collect();
        self.index.complete_view(app, &asked, self.now, self.max_age)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::ServedKind;
    use crate::live::{IndexRules, WatchScope};

    fn served(version: &str) -> ServedKind {
        ServedKind {
            scope: Scope::Namespaced,
            version: version.into(),
            versions: vec![version.into()],
            plural: "things".into(),
            verbs: vec!["list".into(), "watch".into()],
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn not_known_is_not_absent() {
        let kind = GroupKind::new("", "ConfigMap");
        let kinds = KindTable::new(
            [(kind.clone(), served("v1"))],
            [(Arc::from("metrics.example.com"), Arc::from("connection refused"))],
        );
        let scope = WatchScope::cluster_wide(kind.clone());
        let mut index = LiveIndex::new(IndexRules::default());
        let key = ResourceKey::new("", "ConfigMap", "ns", "a");
        let check = |index: &LiveIndex, kinds: &KindTable, key: &ResourceKey, now: i64, expected: &str| {
            let found = match View::new(index, kinds, at(now)).live(key) {
                Live::Full(_) => "full".to_owned(),
                Live::Slim(_) => "slim".to_owned(),
                Live::Absent => "absent".to_owned(),
                Live::Unknown(reason) => reason.to_string(),
            };
            assert_eq!(found, expected);
        };
        check(&index, &kinds, &key, 0, "ConfigMap: it is not watched");
        index.expect(&scope);
        check(&index, &kinds, &key, 0, "ConfigMap: it has not been listed yet");
        index.mark_synced(&scope, at(0));
        check(&index, &kinds, &key, 100, "absent");
        check(
            &index,
            &kinds,
            &key,
            781,
            "ConfigMap: its watch was last heard of at 1970-01-01T00:00:00Z",
        );
        index.mark_event(&scope, at(700));
        check(&index, &kinds, &key, 781, "absent");
        index.mark_failed(&scope, "forbidden");
        check(&index, &kinds, &key, 781, "ConfigMap: it cannot be read: forbidden");
        index.apply(
            Object::from_json(
                br#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"ns","uid":"u"}}"#,
            )
            .unwrap(),
        );
        check(&index, &kinds, &key, 781, "slim");
        index.mark_unreadable(key.clone(), "too deep");
        check(
            &index,
            &kinds,
            &key,
            781,
            "ConfigMap: /ConfigMap/ns/a exists and cannot be read: too deep",
        );
        let gone = ResourceKey::new("example.com", "Widget", "ns", "a");
        check(&index, &kinds, &gone, 0, "absent");
        check(
            &index,
            &KindTable::default(),
            &gone,
            0,
            "Widget.example.com: the cluster does not say whether it serves this kind: the cluster has not been discovered yet",
        );
        let down = ResourceKey::new("metrics.example.com", "Metric", "ns", "a");
        check(
            &index,
            &kinds,
            &down,
            0,
            "Metric.metrics.example.com: the cluster does not say whether it serves this kind: connection refused",
        );
        let view = View::new(&index, &kinds, at(0));
        assert_eq!(view.served(&Gvk::new("", "v2", "ConfigMap")), Served::No);
        assert!(matches!(view.served(&Gvk::new("", "v1", "ConfigMap")), Served::Yes(_)));
    }
}
