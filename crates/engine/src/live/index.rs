//! The live index of one cluster: events in, answers and the applications they matter to out.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use pintle_model::settings::{IgnoreStatus, Settings};
use pintle_model::{GroupKind, Object, ResourceKey};

use super::entry::Entry;
use super::freshness::{Freshness, Incomplete, KindState, NotFresh, WatchScope};
use super::intern::Interner;
use super::link::Link;
use super::touched::Touched;
use crate::complete::{Complete, LiveRef, LiveSet};
use crate::track::Tracking;

/// Most owners followed upwards from one object: real chains have under ten; hand-written references may form nets and circles.
const MAX_ANCESTORS: usize = 256;

/// What decides which objects are kept whole and what is shown of them. An index lives with one set of rules; when the settings change
/// them, the feeder makes a new index.
#[derive(Clone, Debug, Default)]
pub struct IndexRules {
    /// How managed objects are marked.
    pub tracking: Tracking,
    /// `resource.customLabels`: shown as info items.
    pub custom_labels: Vec<Arc<str>>,
    /// Whether a status alone can make an object differ (`resource.compareoptions.ignoreResourceStatusField` is not `all`).
    pub compare_status: bool,
}

impl From<&Settings> for IndexRules {
    /// `resource.customLabels` is not among the settings yet; no label is shown.
    fn from(settings: &Settings) -> Self {
        let ignored = settings.compare_options.ignore_resource_status_field;
        Self {
            tracking: Tracking::from(settings),
            custom_labels: Vec::new(),
            compare_status: ignored != IgnoreStatus::All,
        }
    }
}

/// All watched objects of one cluster, by key.
#[derive(Default)]
pub struct LiveIndex {
    rules: IndexRules,
    interner: Interner,
    entries: BTreeMap<ResourceKey, Entry>,
    by_uid: HashMap<Arc<str>, BTreeSet<ResourceKey>>,
    by_app: BTreeMap<Arc<str>, BTreeSet<ResourceKey>>,
    /// Children by the owner they seek, present or not.
    seekers: HashMap<Link, BTreeSet<ResourceKey>>,
    /// StatefulSets by the claims they make.
    claimers: HashMap<Link, BTreeSet<ResourceKey>>,
    /// Who asked for an object to be kept whole.
    retained: BTreeMap<ResourceKey, BTreeSet<Arc<str>>>,
    freshness: Freshness,
    /// Objects that exist and could not be parsed, with the reason. Bounded by the objects the cluster holds.
    unreadable: BTreeMap<ResourceKey, Arc<str>>,
}

impl LiveIndex {
    /// Returns an index that knows nothing: no kind is synced.
    pub fn new(rules: IndexRules) -> Self {
        Self {
            rules,
            ..Self::default()
        }
    }

    /// Takes over the state of one object, from a watch event, a GET, or the answer to a write. An older state than the known one of the
    /// same object changes nothing.
    pub fn apply(&mut self, object: Object) -> Touched {
        let key = self
            .interner
            .key(object.group(), object.kind(), object.namespace(), object.name());
        let keep_whole = self.retained.contains_key(&key);
        if let Some(known) = self.entries.get(&key) {
            let (old, new) = (version(&known.resource_version), version(object.resource_version()));
            let fills_in = keep_whole && known.object.is_none();
            match (old, new) {
                (Some(old), Some(new)) if new < old => return Touched::default(),
                (Some(old), Some(new)) if new == old && *known.uid == *object.uid() && !fills_in => {
                    return Touched::default();
                }
                _ => {}
            }
        }
        self.unreadable.remove(&key);
        let entry = Entry::new(object, key, keep_whole, &self.rules, &mut self.interner);
        self.replace(entry)
    }

    /// Takes an object out, from a watch event or a confirmed delete. A UID other than the known one means an earlier object of that name, and changes
    /// nothing; an empty `uid` means whichever.
    pub fn delete(&mut self, key: &ResourceKey, uid: &str) -> Touched {
        match self.entries.get(key) {
            None => {
                self.unreadable.remove(key);
                Touched::default()
            }
            Some(known) if uid.is_empty() || *known.uid == *uid => {
                self.unreadable.remove(key);
                self.remove(key)
            }
            _ => Touched::default(),
        }
    }

    /// Takes over a complete LIST of one scope: what it does not contain is gone, except objects newer than the LIST (a write was answered
    /// while it ran). `list_version` is the resourceVersion of the list; if it went backwards since the last one, the cluster was
    /// restored, and the list alone counts.
    pub fn reset(&mut self, scope: &WatchScope, list_version: &str, objects: Vec<Object>) -> Touched {
        let list_version = version(list_version);
        let state = self.freshness.state_mut(scope);
        let restored = matches!((state.listed_version, list_version), (Some(last), Some(now)) if now < last);
        state.listed_version = list_version;
        let listed: BTreeSet<ResourceKey> = objects.iter().map(Object::key).collect();
        let gone: Vec<ResourceKey> = self
            .keys_of(scope)
            .filter(|key| !listed.contains(*key))
            .filter(|key| {
                let known = self.entries.get(*key).and_then(|e| version(&e.resource_version));
                let newer = matches!((known, list_version), (Some(known), Some(list)) if known > list);
                restored || !newer
            })
            .cloned()
            .collect();
        self.unreadable.retain(|key, _| !scope.covers(key));
        let mut touched = Touched::default();
        for key in gone {
            touched.merge(self.remove(&key));
        }
        for object in objects {
            if restored && let Some(known) = self.entries.get_mut(&object.key()) {
                // Versions before and after a restore do not compare.
                known.resource_version = "".into();
            }
            touched.merge(self.apply(object));
        }
        touched
    }

    /// Forgets a kind that is no longer served or watched, with all its objects.
    pub fn forget(&mut self, kind: &GroupKind) -> Touched {
        self.freshness.forget(kind);
        self.unreadable.retain(|key, _| key.group_kind() != *kind);
        let keys: Vec<ResourceKey> = self.keys_of(&WatchScope::cluster_wide(kind.clone())).cloned().collect();
        let mut touched = Touched::default();
        for key in keys {
            touched.merge(self.remove(&key));
        }
        touched
    }

    /// Announces a scope before its first LIST. All scopes of a kind are announced before one of them is synced, or the kind would count
    /// as known too early.
    pub fn expect(&mut self, scope: &WatchScope) {
        self.freshness.state_mut(scope);
    }

    /// Notes that a scope is complete as of `now`: its LIST was taken over, or its watch was resumed without a gap.
    pub fn mark_synced(&mut self, scope: &WatchScope, now: Timestamp) {
        let state = self.freshness.state_mut(scope);
        state.synced_at = Some(now);
        state.error = None;
    }

    /// Notes a sign of life of a scope's watch: an event or a bookmark.
    pub fn mark_event(&mut self, scope: &WatchScope, now: Timestamp) {
        self.freshness.state_mut(scope).last_event_at = Some(now);
    }

    /// Notes that a scope cannot be read; what is known of it stays, but no longer counts as complete.
    pub fn mark_failed(&mut self, scope: &WatchScope, reason: impl Into<Arc<str>>) {
        self.freshness.state_mut(scope).error = Some(reason.into());
    }

    /// Notes that an object exists and cannot be parsed, until it can, is deleted, or a LIST comes without it. Nothing is said of it
    /// meanwhile, and its kind does not count as completely known.
    pub fn mark_unreadable(&mut self, key: ResourceKey, reason: impl Into<Arc<str>>) -> Touched {
        let mut touched = Touched::default();
        self.touch(&key, true, true, &mut touched);
        touched
            .managed
            .extend(self.retained.get(&key).into_iter().flatten().cloned());
        self.unreadable.insert(key, reason.into());
        touched
    }

    /// Why an object that exists cannot be parsed, if so.
    pub fn unreadable(&self, key: &ResourceKey) -> Option<&Arc<str>> {
        self.unreadable.get(key)
    }

    /// The state of a scope, if it was ever announced.
    pub fn state(&self, scope: &WatchScope) -> Option<&KindState> {
        self.freshness.state(scope)
    }

    /// All announced scopes with their states, in order.
    pub fn scopes(&self) -> impl Iterator<Item = (&WatchScope, &KindState)> {
        self.freshness.scopes()
    }

    /// Whether a kind is known and alive at `now`; with `namespace`, in that namespace only. Single objects that cannot be parsed do
    /// not matter here, see [`LiveIndex::unreadable`].
    pub fn check_fresh(
        &self,
        kind: &GroupKind,
        namespace: Option<&str>,
        now: Timestamp,
        max_age: SignedDuration,
    ) -> Result<(), NotFresh> {
        self.freshness.check(kind, namespace, now, max_age)
    }

    /// Keeps these objects whole for `app` from now on, in place of those it asked for before, and answers which of them are known but
    /// not whole: the feeder reads them again.
    pub fn retain_full(&mut self, app: &str, keys: impl IntoIterator<Item = ResourceKey>) -> Vec<ResourceKey> {
        let app = self.interner.get(app);
        let wanted: BTreeSet<ResourceKey> = keys.into_iter().collect();
        let mut released = Vec::new();
        self.retained.retain(|key, apps| {
            if !wanted.contains(key) && apps.remove(&app) && apps.is_empty() {
                released.push(key.clone());
            }
            !apps.is_empty()
        });
        for key in released {
            if let Some(entry) = self.entries.get_mut(&key).filter(|e| e.app.is_none()) {
                entry.object = None;
            }
        }
        let mut missing = Vec::new();
        for key in wanted {
            if self.entries.get(&key).is_some_and(|e| e.object.is_none()) {
                missing.push(key.clone());
            }
            self.retained.entry(key).or_default().insert(Arc::clone(&app));
        }
        missing
    }

    /// The rules it was made with.
    pub fn rules(&self) -> &IndexRules {
        &self.rules
    }

    /// One object.
    pub fn get(&self, key: &ResourceKey) -> Option<&Entry> {
        self.entries.get(key)
    }

    /// The objects with a UID: one, or several where the same object is served in two API groups.
    pub fn by_uid(&self, uid: &str) -> impl Iterator<Item = &Entry> {
        self.by_uid
            .get(uid)
            .into_iter()
            .flatten()
            .filter_map(|key| self.entries.get(key))
    }

    /// The objects that carry the mark of an application, in order of their keys.
    pub fn managed_by(&self, app: &str) -> impl Iterator<Item = &Entry> {
        self.by_app
            .get(app)
            .into_iter()
            .flatten()
            .filter_map(|key| self.entries.get(key))
    }

    /// The instance names of all applications that manage anything here.
    pub fn apps(&self) -> impl Iterator<Item = &Arc<str>> {
        self.by_app.keys()
    }

    /// All objects, in order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The objects owned by the object with this UID, in order of their keys.
    pub fn children(&self, uid: &str) -> Vec<&Entry> {
        let keys: BTreeSet<&ResourceKey> = self
            .by_uid(uid)
            .flat_map(|owner| self.children_of(owner))
            .map(|c| &c.key)
            .collect();
        keys.into_iter().filter_map(|key| self.entries.get(key)).collect()
    }

    /// The objects owned by this entry; may name one twice if it is linked twice.
    pub(super) fn children_of<'a>(&'a self, owner: &'a Entry) -> impl Iterator<Item = &'a Entry> {
        owner
            .offers()
            .filter_map(|link| self.seekers.get(&link))
            .flatten()
            .filter_map(|key| self.entries.get(key))
            .filter(|child| may_own(&owner.key, &child.key))
    }

    /// The owners of this entry that exist.
    pub(super) fn owners_of<'a>(&'a self, child: &'a Entry) -> impl Iterator<Item = &'a Entry> {
        let keys = child
            .seeks
            .iter()
            .flat_map(|link| -> Box<dyn Iterator<Item = &'a ResourceKey> + 'a> {
                match link {
                    Link::Uid(uid) => Box::new(self.by_uid.get(uid).into_iter().flatten()),
                    Link::Key(key) => Box::new(std::iter::once(key)),
                    Link::Claim { .. } => Box::new(self.claimers.get(link).into_iter().flatten()),
                }
            });
        keys.filter_map(|key| self.entries.get(key))
            .filter(|owner| may_own(&owner.key, &child.key))
    }

    /// Whether every object of a kind could be read; names the first that could not.
    pub fn check_readable(&self, kind: &GroupKind) -> Result<(), NotFresh> {
        match self.unreadable.iter().find(|(key, _)| key.group_kind() == *kind) {
            Some((key, reason)) => Err(NotFresh::Unreadable {
                key: key.clone(),
                reason: Arc::clone(reason),
            }),
            None => Ok(()),
        }
    }

    /// What `app` manages of the kinds asked for, as far as they are known and alive at `now`; the other kinds come back with their
    /// reasons and are not covered, so nothing of them can be pruned on this word.
    pub fn complete_view(
        &self,
        app: &str,
        kinds: &BTreeSet<GroupKind>,
        now: Timestamp,
        max_age: SignedDuration,
    ) -> (Complete<LiveSet>, Incomplete) {
        let (mut covered, mut incomplete) = (BTreeSet::new(), Incomplete::default());
        for kind in kinds {
            match self
                .check_fresh(kind, None, now, max_age)
                .and_then(|()| self.check_readable(kind))
            {
                Ok(()) => {
                    covered.insert(kind.clone());
                }
                Err(reason) => incomplete.kinds.push((kind.clone(), reason)),
            }
        }
        let managed = self
            .managed_by(app)
            .filter(|entry| covered.contains(&entry.key.group_kind()))
            .map(|entry| LiveRef {
                key: entry.key.clone(),
                uid: Arc::clone(&entry.uid),
                resource_version: Arc::clone(&entry.resource_version),
            })
            .collect();
        (
            Complete::live(LiveSet::new(app.into(), covered, managed), now),
            incomplete,
        )
    }

    fn replace(&mut self, entry: Entry) -> Touched {
        let key = entry.key.clone();
        let mut touched = Touched::default();
        let (mut shown, mut compared) = (true, true);
        if let Some(old) = self.entries.get(&key) {
            shown = !entry.shows_like(old);
            // Without a built-in check, health may be in the status.
            let with_status = self.rules.compare_status || entry.health.is_none();
            compared = entry.health != old.health || entry.app != old.app || !entry.compares_like(old, with_status);
            if shown || compared {
                self.touch(&key, shown, compared, &mut touched);
            }
            self.unlink(&key);
        }
        self.link(entry);
        if shown || compared {
            self.touch(&key, shown, compared, &mut touched);
        }
        touched
    }

    fn remove(&mut self, key: &ResourceKey) -> Touched {
        let mut touched = Touched::default();
        self.touch(key, true, true, &mut touched);
        self.unlink(key);
        touched
    }

    /// Adds whom a change of this object, as it stands now, matters to.
    fn touch(&self, key: &ResourceKey, shown: bool, compared: bool, touched: &mut Touched) {
        let Some(entry) = self.entries.get(key) else { return };
        if compared {
            touched.managed.extend(entry.app.iter().cloned());
            touched
                .managed
                .extend(self.retained.get(key).into_iter().flatten().cloned());
        }
        if !shown {
            return;
        }
        // Breadth first; the queue holds each object once.
        let mut seen = BTreeSet::from([&entry.key]);
        let mut queue = VecDeque::from([entry]);
        let mut claimed = self.retained.contains_key(key);
        while let Some(here) = queue.pop_front() {
            if let Some(app) = &here.app {
                claimed = true;
                touched.tree.insert(Arc::clone(app));
            }
            // An application may show what it does not manage but asked for (its CRDs).
            touched
                .tree
                .extend(self.retained.get(&here.key).into_iter().flatten().cloned());
            for owner in self.owners_of(here) {
                if seen.len() < MAX_ANCESTORS && seen.insert(&owner.key) {
                    queue.push_back(owner);
                }
            }
        }
        if !claimed && !key.namespace.is_empty() {
            touched.unclaimed.insert(Arc::clone(&key.namespace));
        }
    }

    fn link(&mut self, entry: Entry) {
        let key = &entry.key;
        self.by_uid
            .entry(Arc::clone(&entry.uid))
            .or_default()
            .insert(key.clone());
        if let Some(app) = &entry.app {
            self.by_app.entry(Arc::clone(app)).or_default().insert(key.clone());
        }
        for link in &entry.seeks {
            self.seekers.entry(link.clone()).or_default().insert(key.clone());
        }
        for link in &entry.claims {
            self.claimers.entry(link.clone()).or_default().insert(key.clone());
        }
        self.entries.insert(key.clone(), entry);
    }

    fn unlink(&mut self, key: &ResourceKey) {
        let Some(entry) = self.entries.remove(key) else { return };
        forget_in(&mut self.by_uid, &entry.uid, key);
        if let Some(app) = &entry.app
            && let Some(keys) = self.by_app.get_mut(app)
        {
            keys.remove(key);
            if keys.is_empty() {
                self.by_app.remove(app);
            }
        }
        for link in &entry.seeks {
            forget_in(&mut self.seekers, link, key);
        }
        for link in &entry.claims {
            forget_in(&mut self.claimers, link, key);
        }
    }

    /// The known keys of one scope.
    fn keys_of<'a>(&'a self, scope: &'a WatchScope) -> impl Iterator<Item = &'a ResourceKey> {
        let GroupKind { group, kind } = &scope.kind;
        let first = ResourceKey::new(Arc::clone(group), Arc::clone(kind), "", "");
        self.entries
            .range(first..)
            .map(|(key, _)| key)
            .take_while(move |key| key.group == *group && key.kind == *kind)
            .filter(move |key| {
                scope
                    .namespace
                    .as_ref()
                    .is_none_or(|namespace| key.namespace == *namespace)
            })
    }
}

/// A namespaced object owns only in its own namespace, as the garbage collector sees it; a reference to another namespace is a
/// mistake or a trick.
fn may_own(owner: &ResourceKey, child: &ResourceKey) -> bool {
    owner.namespace.is_empty() || owner.namespace == child.namespace
}

/// A resourceVersion as a number, where it is one.
fn version(text: &str) -> Option<u64> {
    text.parse().ok()
}

fn forget_in<K: std::hash::Hash + Eq>(map: &mut HashMap<K, BTreeSet<ResourceKey>>, at: &K, key: &ResourceKey) {
    if let Some(keys) = map.get_mut(at) {
        keys.remove(key);
        if keys.is_empty() {
            map.remove(at);
        }
    }
}

#[cfg(test)]
mod tests;
