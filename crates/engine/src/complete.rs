//! The proof that something was really computed: without it nothing is pruned, cascaded or released (invariant I-1).
//!
//! A [`Complete`] is made in two ways only, and by this crate only: from the renders of every source, all without error
//! ([`Complete::rendered`]), and from watches that are synced and alive ([`LiveIndex::complete_view`](crate::live::LiveIndex::complete_view)).
//! It cannot be copied, defaulted, read from a document or put together:
//!
//! ```
//! # use pintle_engine::complete::{Complete, LiveSet, Rendered};
//! // What can be done, and the bounds that the examples below fail.
//! fn needs_clone<T: Clone>() {}
//! fn needs_default<T: Default>() {}
//! fn needs_deserialize<T: for<'a> serde::Deserialize<'a>>() {}
//! needs_clone::<String>();
//! needs_default::<String>();
//! needs_deserialize::<String>();
//! fn read(proof: &Complete<Rendered>) -> usize { proof.get().objects.len() }
//! assert!(Complete::rendered(Vec::new(), jiff::Timestamp::UNIX_EPOCH).is_err());
//! ```
//! ```compile_fail,E0277
//! # use pintle_engine::complete::{Complete, Rendered};
//! fn needs_clone<T: Clone>() {}
//! needs_clone::<Complete<Rendered>>();
//! ```
//! ```compile_fail,E0277
//! # use pintle_engine::complete::{Complete, Rendered};
//! fn needs_default<T: Default>() {}
//! needs_default::<Complete<Rendered>>();
//! ```
//! ```compile_fail,E0277
//! # use pintle_engine::complete::{Complete, LiveSet};
//! fn needs_deserialize<T: for<'a> serde::Deserialize<'a>>() {}
//! needs_deserialize::<Complete<LiveSet>>();
//! ```
//! ```compile_fail,E0451
//! # use pintle_engine::complete::Complete;
//! let forged = Complete { value: 1, revisions: Vec::new(), at: jiff::Timestamp::UNIX_EPOCH };
//! ```
//! ```compile_fail,E0624
//! # use pintle_engine::complete::{Complete, LiveSet};
//! # fn f(set: LiveSet, now: jiff::Timestamp) {
//! let forged = Complete::live(set, now);
//! # }
//! ```
//! ```compile_fail,E0624
//! # use pintle_engine::complete::{Complete, Rendered};
//! # fn f(proof: Complete<Rendered>) {
//! let forged = proof.map(|_| "something else");
//! # }
//! ```

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use pintle_model::{GroupKind, Object, ResourceKey};

use crate::app::targets::Targets;

/// A value that a finished, error-free and fresh computation made, with the revisions and the time it stands for.
pub struct Complete<T> {
    value: T,
    revisions: Vec<Arc<str>>,
    at: Timestamp,
}

impl<T> Complete<T> {
    /// The value.
    pub fn get(&self) -> &T {
        &self.value
    }

    /// The value alone; the proof is gone with it.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// The pinned revision of every source, in the order of the sources; empty for what was read from a cluster.
    pub fn revisions(&self) -> &[Arc<str>] {
        &self.revisions
    }

    /// When it was true.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Works on the value without loss of proof. The function must not leave anything out because of a failure.
    #[allow(dead_code, reason = "the comparison turns rendered objects into targets with it")]
    pub(crate) fn map<U>(self, f: impl FnOnce(T) -> U) -> Complete<U> {
        Complete {
            value: f(self.value),
            revisions: self.revisions,
            at: self.at,
        }
    }
}

impl Complete<Targets> {
    /// The same targets at later revisions, whose every source was found to render exactly the same: one revision per source, none empty.
    /// Anything else leaves them as they were, and answers `false`.
    pub fn move_on(&mut self, revisions: &[String], at: Timestamp) -> bool {
        let fits = revisions.len() == self.revisions.len() && revisions.iter().all(|r| !r.is_empty());
        if fits {
            self.revisions = revisions.iter().map(|r| r.as_str().into()).collect();
            self.at = at;
        }
        fits
    }
}

/// What came of rendering one source at its pinned revision.
pub struct SourceRender {
    /// What the source is called in messages: its name, or `source 1 of 2`.
    pub source: Arc<str>,
    /// The resolved revision that was rendered: a commit SHA, a chart version, a digest. Never a branch.
    pub revision: Arc<str>,
    /// Its objects, or why there are none.
    pub objects: Result<Vec<Object>, Arc<str>>,
    /// Diagnostics that make the objects unreliable although there are some: one broken manifest among good ones, a limit that was reached.
    pub blocking: Vec<Arc<str>>,
}

/// The objects of all sources of an application, in the order of the sources.
pub struct Rendered {
    /// The objects.
    pub objects: Vec<Object>,
}

/// Why renders do not add up to a complete set: every reason, in the order of the sources.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.reasons())]
pub struct IncompleteRender {
    /// Pairs of source and reason.
    pub failed: Vec<(Arc<str>, Arc<str>)>,
}

impl IncompleteRender {
    fn reasons(&self) -> String {
        let all: Vec<String> = self
            .failed
            .iter()
            .map(|(source, reason)| format!("{source}: {reason}"))
            .collect();
        if all.is_empty() {
            "there is no source to render".to_owned()
        } else {
            all.join("; ")
        }
    }
}

impl Complete<Rendered> {
    /// Joins the renders of every source of an application. Fails if there is none, if any failed or has a blocking diagnostic, or if one does
    /// not say which revision it was made from.
    pub fn rendered(sources: Vec<SourceRender>, at: Timestamp) -> Result<Self, IncompleteRender> {
        let mut failed: Vec<(Arc<str>, Arc<str>)> = Vec::new();
        let (mut all, mut revisions) = (Vec::new(), Vec::with_capacity(sources.len()));
        for SourceRender {
            source,
            revision,
            objects,
            blocking,
        } in sources
        {
            failed.extend(blocking.into_iter().map(|reason| (Arc::clone(&source), reason)));
            match objects {
                Ok(_) if revision.is_empty() => failed.push((source, "its revision was not resolved".into())),
                Ok(objects) => all.extend(objects),
                Err(reason) => failed.push((source, reason)),
            }
            revisions.push(revision);
        }
        if revisions.is_empty() || !failed.is_empty() {
            return Err(IncompleteRender { failed });
        }
        Ok(Self {
            value: Rendered { objects: all },
            revisions,
            at,
        })
    }
}

/// One live object as it was seen: what a delete needs as preconditions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveRef {
    /// Which object.
    pub key: ResourceKey,
    /// Its incarnation.
    pub uid: Arc<str>,
    /// Its state.
    pub resource_version: Arc<str>,
}

/// Everything an application manages of some kinds.
#[derive(Debug)]
pub struct LiveSet {
    app: Arc<str>,
    kinds: BTreeSet<GroupKind>,
    managed: Vec<LiveRef>,
}

impl LiveSet {
    pub(crate) fn new(app: Arc<str>, kinds: BTreeSet<GroupKind>, managed: Vec<LiveRef>) -> Self {
        Self { app, kinds, managed }
    }

    /// Instance name of the application.
    pub fn app(&self) -> &str {
        &self.app
    }

    /// Whether everything of a kind is in here; if not, its absence means nothing.
    pub fn covers(&self, kind: &GroupKind) -> bool {
        self.kinds.contains(kind)
    }

    /// The managed objects of the covered kinds, in order of their keys.
    pub fn managed(&self) -> &[LiveRef] {
        &self.managed
    }
}

impl Complete<LiveSet> {
    pub(crate) fn live(set: LiveSet, at: Timestamp) -> Self {
        Self {
            value: set,
            revisions: Vec::new(),
            at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pintle_model::Gvk;

    fn render(source: &str, revision: &str, objects: Result<usize, &str>, blocking: &[&str]) -> SourceRender {
        let object = Object::bare(&Gvk::new("", "v1", "ConfigMap"), "ns", "a");
        SourceRender {
            source: source.into(),
            revision: revision.into(),
            objects: objects.map(|n| vec![object; n]).map_err(Into::into),
            blocking: blocking.iter().map(|b| (*b).into()).collect(),
        }
    }

    fn check(sources: Vec<SourceRender>, expected: &str) {
        let found = match Complete::rendered(sources, Timestamp::UNIX_EPOCH) {
            Ok(complete) => format!(
                "{} objects of {}",
                complete.get().objects.len(),
                complete.revisions().join(",")
            ),
            Err(e) => e.to_string(),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn targets_move_on_to_revisions_of_every_source_or_not_at_all() {
        let targets = Targets {
            objects: Vec::new(),
            conditions: Default::default(),
        };
        let rendered = Complete::rendered(vec![render("a", "r1", Ok(0), &[])], Timestamp::UNIX_EPOCH).unwrap();
        let mut made = rendered.map(|_| targets);
        let mut check = |revisions: &[&str], moved: bool, after: &str| {
            let revisions: Vec<String> = revisions.iter().map(|r| (*r).to_owned()).collect();
            assert_eq!(made.move_on(&revisions, Timestamp::MAX), moved);
            assert_eq!(made.revisions().join(","), after);
        };
        check(&[], false, "r1");
        check(&["r2", "x"], false, "r1");
        check(&[""], false, "r1");
        check(&["r2"], true, "r2");
    }

    #[test]
    fn only_error_free_renders_of_all_sources_are_complete() {
        check(
            vec![render("a", "r1", Ok(2), &[]), render("b", "r2", Ok(0), &[])],
            "2 objects of r1,r2",
        );
        check(vec![render("a", "r1", Ok(0), &[])], "0 objects of r1");
        check(vec![], "there is no source to render");
        check(
            vec![
                render("a", "r1", Ok(1), &[]),
                render("b", "r2", Err("no such path"), &[]),
            ],
            "b: no such path",
        );
        check(
            vec![render("a", "r1", Ok(1), &["x.yaml: broken", "y.yaml: broken"])],
            "a: x.yaml: broken; a: y.yaml: broken",
        );
        check(vec![render("a", "", Ok(1), &[])], "a: its revision was not resolved");
    }
}
