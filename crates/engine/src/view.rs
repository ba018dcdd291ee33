//! What decisions see of a cluster: the index and the discovery of one moment.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use pintle_model::{GroupKind, Object, ResourceKey};

use crate::complete::{Complete, LiveSet};
use crate::health::{Health, health};
use crate::kinds::{KindTable, Scope, Served};
use crate::live::{Entry, Incomplete, LiveIndex, NotFresh};

/// How old the last sign of life of a watch may be before its kind no longer counts as known: API servers send bookmarks about once a
/// minute, so three are missed.
pub const MAX_AGE: SignedDuration = SignedDuration::from_mins(3);

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
#[derive(Clone, Copy)]
pub enum Live<'a> {
    /// It is there.
    Full(&'a Object),
    /// It is there, but not kept whole: ask for it with [`LiveIndex::retain_full`] and read it.
    Slim(&'a Entry),
    /// It is not there: its kind is known and alive, or the cluster does not serve it at all.
    Absent,
    /// Nobody knows.
    Unknown(Unknown<'a>),
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

/// A key that is not known, from which the reason can be asked.
#[derive(Clone, Copy)]
pub struct Unknown<'a> {
    view: View<'a>,
    key: &'a ResourceKey,
}
