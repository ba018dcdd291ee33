//! What another desired state would do to an Application: two renders of it, compared without a cluster.
//!
//! ```text
//! Side (base) ─┐                       ┌─ objects: added, changed, removed with their Fate
//!              ├─ change() ─> AppChange ┼─ images
//! Side (head) ─┘                       └─ the Application itself
//! ```
//!
//! A side that could not be rendered is an error in the answer and never an empty one: nothing is called added or removed then (I-1). The answer
//! holds no secret: objects are masked where they come in.

mod fate;
mod images;

use std::collections::{BTreeMap, BTreeSet};

use pintle_model::application::{Application, ClusterRef};
use pintle_model::{Masked, Object, ResourceKey};

pub use fate::{Departure, Fate, Moved};
pub use images::ImageChange;

use crate::sync::hook::{Role, role};

/// One Application as one revision describes it.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    /// The Application.
    pub app: &'a Application,
    /// It as it is written down.
    pub manifest: &'a Object,
    /// What it renders to, or why that is not known.
    pub objects: Result<&'a [&'a Object], &'a str>,
}

/// What becomes of one Application.
#[derive(Clone, PartialEq)]
pub struct AppChange {
    /// Whether it comes, goes or stays.
    pub what: What,
    /// Its own manifest before and after, where it differs or there is only one.
    pub manifest: Option<ObjectChange>,
    /// What becomes of its objects, in order of their identities. Empty where a side is not known.
    pub objects: Vec<ObjectChange>,
    /// Images that its objects run.
    pub images: Vec<ImageChange>,
    /// Why a side is not known.
    pub failure: Failure,
    /// The Application goes to another cluster: what it has made in the old one stays there.
    pub moved: Option<Moved>,
    /// What becomes of it where the new state does not have it.
    pub departure: Option<Departure>,
}

/// Why a side of a comparison is not known; empty where both are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// Of the state before.
    pub base: Option<String>,
    /// Of the state after.
    pub head: Option<String>,
}

impl Failure {
    /// Whether both sides are known.
    pub fn is_none(&self) -> bool {
        self.base.is_none() && self.head.is_none()
    }
}

/// Whether a thing comes, goes or stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// Only the new state has it.
    Added,
    /// Both have it, and it differs.
    Changed,
    /// Only the old state has it.
    Removed,
    /// Both have it, and it is the same.
    Same,
    /// Only the old state has it, and the cluster keeps it.
    Stays,
}

/// What becomes of one object.
#[derive(Clone, PartialEq)]
pub struct ObjectChange {
    /// Group, kind, namespace and name. The name of one that only has `generateName` ends in `*`.
    pub key: ResourceKey,
    /// Whether it comes, goes or differs.
    pub what: What,
    /// What happens to it in the cluster if it goes.
    pub fate: Option<Fate>,
    /// Whether it is a hook.
    pub is_hook: bool,
    /// It before, masked.
    pub before: Option<Masked>,
    /// It after, masked so that a secret value that differs shows that it does.
    pub after: Option<Masked>,
    /// The Application that gains it in the same change where this one loses it, or loses it where this one gains it.
    pub other: Option<String>,
}

impl ObjectChange {
    /// What happens to it in the cluster if it goes, and where it goes to or comes from.
    ///
    /// An automated sync takes no object from the Application whose mark it carries: it waits until the object is gone (I-17). A sync by hand puts
    /// its own mark on it, and the old Application prunes nothing that carries the mark of another.
    pub fn remark(&self) -> Option<String> {
        let Some(other) = &self.other else {
            return self.fate.as_ref().map(|fate| fate.sentence().into_owned());
        };
        let Some(fate) = &self.fate else {
            return Some(format!("comes from {other}"));
        };
        let said = fate.sentence();
        Some(match fate {
            Fate::Crd => format!("moves to {other}"),
            fate if fate.is_deleted() => format!(
                "{said}; moves to {other}, whose next sync after that makes it anew; a sync of it by hand before that takes it over instead"
            ),
            _ => format!("{said}; moves to {other}, which takes it over only with a sync by hand"),
        })
    }
}

impl AppChange {
    /// Whether anything at all becomes of the Application.
    pub fn is_none(&self) -> bool {
        self.what == What::Same && self.failure.is_none()
    }

    /// Takes note that the cluster keeps the Application, with what it owns, though the new state does not have it.
    pub fn keep(&mut self, why: String) {
        self.what = What::Stays;
        self.departure = Some(Departure::Stays(why));
        self.failure = Failure::default();
        self.objects.clear();
        self.images.clear();
    }

    /// How many objects come, differ, and go.
    pub fn counts(&self) -> [usize; 3] {
        let count = |what| self.objects.iter().filter(|o| o.what == what).count();
        [count(What::Added), count(What::Changed), count(What::Removed)]
    }
}

/// Compares two states of one Application. `is_cluster_scoped` tells objects that have no namespace from those that get the destination's.
pub fn change(
    base: Option<Side<'_>>,
    head: Option<Side<'_>>,
    is_cluster_scoped: &dyn Fn(&Object) -> bool,
) -> AppChange {
    let reason = |side: Option<Side<'_>>| side.and_then(|s| s.objects.err().map(str::to_owned));
    let failure = Failure {
        base: reason(base),
        head: reason(head),
    };
    let moved = match (base, head) {
        (Some(base), Some(head)) => Moved::between(base.app, head.app),
        _ => None,
    };
    let (objects, images) = if failure.is_none() {
        let (before, after) = (identified(base, is_cluster_scoped), identified(head, is_cluster_scoped));
        let images = images::changes(before.values().copied(), after.values().copied());
        let sides = Sides {
            base,
            head,
            before,
            after,
        };
        (sides.objects(moved.is_some()), images)
    } else {
        (Vec::new(), Vec::new())
    };
    let manifest = match (base.map(|s| s.manifest), head.map(|s| s.manifest)) {
        (Some(before), Some(after)) if before == after => None,
        (None, None) => None,
        (before, after) => Some(pair(own_key(base.or(head)), before, after, None)),
    };
    let what = match (base, head) {
        (None, Some(_)) => What::Added,
        (Some(_), None) => What::Removed,
        _ if manifest.is_some() || !objects.is_empty() => What::Changed,
        _ => What::Same,
    };
    let departure = match (base, head) {
        (Some(base), None) => Some(Departure::of(base.app)),
        _ => None,
    };
    AppChange {
        what,
        manifest,
        objects,
        images,
        failure,
        moved,
        departure,
    }
}

fn own_key(side: Option<Side<'_>>) -> ResourceKey {
    side.map_or_else(|| ResourceKey::new("", "", "", ""), |s| s.manifest.key())
}

type Identified<'a> = BTreeMap<ResourceKey, &'a Object>;

struct Sides<'a> {
    base: Option<Side<'a>>,
    head: Option<Side<'a>>,
    before: Identified<'a>,
    after: Identified<'a>,
}

impl Sides<'_> {
    fn objects(&self, moved: bool) -> Vec<ObjectChange> {
        let mut found = Vec::new();
        let keys: BTreeSet<&ResourceKey> = self.before.keys().chain(self.after.keys()).collect();
        for key in keys {
            let (before, after) = (self.before.get(key).copied(), self.after.get(key).copied());
            // In another cluster it is another object.
            if moved && let (Some(before), Some(after)) = (before, after) {
                found.push(pair(key.clone(), Some(before), None, self.fate(key, before)));
                found.push(pair(key.clone(), None, Some(after), None));
                continue;
            }
            if before == after {
                continue;
            }
            let fate = match (before, after) {
                (Some(before), None) => self.fate(key, before),
                _ => None,
            };
            found.push(pair(key.clone(), before, after, fate));
        }
        found
    }

    fn fate(&self, key: &ResourceKey, object: &Object) -> Option<Fate> {
        let base = self.base?;
        let is_twin = |other: &ResourceKey| {
            other.group != key.group
                && (&other.kind, &other.namespace, &other.name) == (&key.kind, &key.namespace, &key.name)
        };
        let removal = fate::Removal {
            object,
            base: base.app,
            head: self.head.map(|h| h.app),
            leaves_nothing: self.after.is_empty(),
            has_twin: self.after.keys().any(is_twin),
        };
        Some(removal.fate())
    }
}

fn pair(key: ResourceKey, before: Option<&Object>, after: Option<&Object>, fate: Option<Fate>) -> ObjectChange {
    let what = match (before, after) {
        (None, _) => What::Added,
        (_, None) => What::Removed,
        _ => What::Changed,
    };
    let is_hook = after.or(before).is_some_and(|o| matches!(role(o), Role::Hook(_)));
    let (before, after) = match (before, after) {
        (Some(before), Some(after)) => {
            let (before, after) = Masked::pair(before, after, &[]);
            (Some(before), Some(after))
        }
        (before, after) => {
            let masked = |o: &Object| Masked::new(o, &[]);
            (before.map(masked), after.map(masked))
        }
    };
    ObjectChange {
        key,
        what,
        fate,
        is_hook,
        before,
        after,
        other: None,
    }
}

/// Objects by what they are in a cluster. Of two with one identity the last counts, as it does when they are applied; objects that only have
/// `generateName` are told apart by their order.
fn identified<'a>(side: Option<Side<'a>>, is_cluster_scoped: &dyn Fn(&Object) -> bool) -> Identified<'a> {
    let mut found = Identified::new();
    let Some(side) = side else { return found };
    let mut generated: BTreeMap<ResourceKey, usize> = BTreeMap::new();
    for object in side.objects.unwrap_or_default() {
        let namespace = match object.namespace() {
            _ if is_cluster_scoped(object) => "",
            "" => &side.app.spec.destination.namespace,
            own => own,
        };
        let (group, kind) = (object.group(), object.kind());
        let mut key = ResourceKey::new(group, kind, namespace, object.name());
        if object.name().is_empty() {
            let prefix = object.generate_name();
            let count = generated
                .entry(ResourceKey::new(group, kind, namespace, prefix))
                .or_default();
            *count += 1;
            let name = if *count == 1 {
                format!("{prefix}*")
            } else {
                format!("{prefix}*{count}")
            };
            key = ResourceKey::new(group, kind, namespace, name);
        }
        found.insert(key, object);
    }
    found
}

/// A cluster as people call it.
fn cluster_name(app: &Application) -> String {
    match app.spec.destination.cluster() {
        Ok(ClusterRef::Server(name) | ClusterRef::Name(name)) => name.to_owned(),
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests;
