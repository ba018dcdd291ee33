//! Desired against live, for one application [F3.41–F3.54].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pintle_merge::{CompareRules, compare};
use pintle_model::application::{
    ApplicationSummary, ConditionType, HealthStatus, HealthStatusCode, IgnoreDifferences, ResourceStatus,
    SyncStatusCode,
};
use pintle_model::glob::Glob;
use pintle_model::settings::{CompareOptions, IgnoreStatus};
use pintle_model::{Object, ResourceKey};

use super::condition::Conditions;
use crate::complete::Complete;
use crate::health::app::{Member, aggregate};
use crate::health::{Health, HealthCode};
use crate::sync::hook::{Role, role};
use crate::sync::wave::wave_of;
use crate::track::Tracking;
use crate::twin::{Known, of_extras};
use crate::view::{Live, View};

use super::targets::Targets;

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The verdict; `Unknown` if desired or live state is not known.
    pub sync: SyncStatusCode,
    /// Per object: targets in order of their keys, then what has to be pruned.
    pub resources: Vec<ResourceStatus>,
    /// Health of the whole.
    pub health: Health,
    /// Images of everything the application runs, and whether it holds Applications.
    pub summary: ApplicationSummary,
    /// What was found on the way.
    pub conditions: Conditions,
    /// Live objects that are wanted but not kept whole: they are read once and kept from then on.
    pub to_read: Vec<ResourceKey>,
    /// Objects that another application has claimed as well: this application does not sync by itself while there are any (I-17).
    pub shared: Vec<(ResourceKey, Arc<str>)>,
}

impl Comparison {
    /// Whether every object is equal to its target, hooks aside.
    pub fn in_sync(&self) -> BTreeSet<ResourceKey> {
        self.resources
            .iter()
            .filter(|r| r.status == SyncStatusCode::Synced)
            .map(ResourceStatus::key)
            .collect()
    }
}

/// Verdicts that are still true: one object against one target is compared once per change of either.
///
/// Bound: one entry per target and managed object of the application; cleared when the targets change.
#[derive(Default)]
pub struct CompareCache {
    verdicts: BTreeMap<ResourceKey, (Arc<str>, bool)>,
}

impl CompareCache {
    /// Forgets everything: the targets or the rules changed.
    pub fn clear(&mut self) {
        self.verdicts.clear();
    }
}

/// What a comparison reads.
#[derive(Clone, Copy)]
pub struct CompareInput<'a> {
    /// Instance name of the application.
    pub app: &'a str,
    /// Key of the Application itself, which may be among its own resources.
    pub own: &'a ResourceKey,
    /// What is wanted.
    pub targets: &'a Complete<Targets>,
    /// What is there.
    pub view: View<'a>,
    /// How objects are marked.
    pub tracking: &'a Tracking,
    /// `spec.ignoreDifferences`.
    pub ignore: &'a [IgnoreDifferences],
    /// `resource.compareoptions`.
    pub options: CompareOptions,
    /// Another application that claims an object, if there is one.
    pub claimed_by_other: &'a dyn Fn(&ResourceKey) -> Option<Arc<str>>,
    /// Whether the project lets an object be written; a refused one is `Unknown`.
    pub permitted: &'a dyn Fn(&Object) -> bool,
}

/// Compares everything one application wants with everything it has.
pub fn compare_app(input: CompareInput<'_>, cache: &mut CompareCache) -> Comparison {
    let mut found = Found {
        input,
        cache,
        resources: Vec::new(),
        conditions: input.targets.get().conditions.clone(),
        to_read: Vec::new(),
        shared: Vec::new(),
        members: Vec::new(),
        unknown: false,
        out_of_sync: false,
    };
    let mut wanted = BTreeSet::new();
    for target in &input.targets.get().objects {
        wanted.insert(target.key());
        found.target(target);
    }
    found.extras(&wanted);
    found.finish()
}

struct Found<'a, 'c> {
    input: CompareInput<'a>,
    cache: &'c mut CompareCache,
    resources: Vec<ResourceStatus>,
    conditions: Conditions,
    to_read: Vec<ResourceKey>,
    shared: Vec<(ResourceKey, Arc<str>)>,
    members: Vec<(ResourceKey, Option<&'a Object>, Option<Health>)>,
    unknown: bool,
    out_of_sync: bool,
}

impl<'a> Found<'a, '_> {
    fn target(&mut self, target: &'a Object) {
        let key = target.key();
        let mut status = resource(target, &key);
        let hook = match role(target) {
            Role::Plain => false,
            // Applied never, compared never.
            Role::Skipped => return,
            Role::Hook(_) => true,
        };
        let (live, slim) = match self.input.view.live(&key) {
            Live::Full(live) => (Some(live), false),
            Live::Absent => (None, false),
            Live::Slim(_) => {
                self.to_read.push(key.clone());
                (None, true)
            }
            Live::Unknown(why) => {
                self.conditions.add(
                    ConditionType::ComparisonError,
                    format!("live state is not known: {why}"),
                );
                status.status = SyncStatusCode::Unknown;
                self.unknown = true;
                self.resources.push(status);
                return;
            }
        };
        if hook {
            status.hook = true;
            self.resources.push(status);
            return;
        }
        let health = live.and_then(|o| self.input.view.health(o));
        if !(self.input.permitted)(target) {
            status.status = SyncStatusCode::Unknown;
            self.resources.push(status);
            return;
        }
        if slim {
            // Its body is on the way; until it is here nothing is said of it.
            status.status = SyncStatusCode::Unknown;
            self.unknown = true;
            self.resources.push(status);
            return;
        }
        self.share(&key, live);
        let synced = live.is_some_and(|live| !self.differs(&key, target, live));
        status.status = if synced {
            SyncStatusCode::Synced
        } else {
            SyncStatusCode::OutOfSync
        };
        self.out_of_sync |= !synced;
        self.members.push((key, live, health));
        self.resources.push(status);
    }

    /// Two applications that want one object: said on both, and neither takes it from the other by itself.
    fn share(&mut self, key: &ResourceKey, live: Option<&Object>) {
        let owner = live
            .and_then(|o| self.input.tracking.app_of(o))
            .filter(|owner| *owner != self.input.app);
        let other = (self.input.claimed_by_other)(key);
        let Some(other) = other.or_else(|| owner.map(Arc::from)) else {
            return;
        };
        let (first, second) = if *other < *self.input.app {
            (&*other, self.input.app)
        } else {
            (self.input.app, &*other)
        };
        let message = format!("{}/{} is part of applications {first} and {second}", key.kind, key.name);
        self.conditions.add(ConditionType::SharedResourceWarning, message);
        // Only who does not own it holds back: the owner goes on as before.
        if owner.is_some() {
            self.shared.push((key.clone(), other));
        }
    }

    fn differs(&mut self, key: &ResourceKey, target: &Object, live: &Object) -> bool {
        let version: Arc<str> = live.resource_version().into();
        if let Some((seen, verdict)) = self.cache.verdicts.get(key)
            && *seen == version
            && !version.is_empty()
        {
            return *verdict;
        }
        let verdict = compare(Some(target), Some(live), &rules(self.input, target)).modified;
        self.cache.verdicts.insert(key.clone(), (version, verdict));
        verdict
    }

    /// Managed objects that nothing wants any more.
    fn extras(&mut self, wanted: &BTreeSet<ResourceKey>) {
        let view = self.input.view;
        let managed = view.index.managed_by(self.input.app);
        let extras: Vec<&Object> = managed
            .filter(|e| !e.has_owners() && !wanted.contains(e.key()))
            .filter_map(|e| e.object())
            .collect();
        let twins = of_extras(extras.iter().copied(), wanted, |key| match view.live(key) {
            Live::Full(live) => Known::Uid(live.uid()),
            Live::Slim(entry) => Known::Uid(entry.uid()),
            Live::Absent => Known::Absent,
            Live::Unknown(_) => Known::Unknown,
        });
        let is_twin = |live: &Object| twins.iter().any(|twin| std::ptr::eq(*twin, live));
        for live in extras.into_iter().filter(|live| !is_twin(live)) {
            let key = live.key();
            let mut status = resource(live, &key);
            if !matches!(role(live), Role::Plain) {
                status.hook = true;
                self.resources.push(status);
                continue;
            }
            status.requires_pruning = true;
            status.status = SyncStatusCode::OutOfSync;
            let excused = lists(live, "argocd.argoproj.io/compare-options", "IgnoreExtraneous");
            if excused {
                status.status = SyncStatusCode::Synced;
            }
            self.out_of_sync |= !excused;
            let health = self.input.view.health(live);
            self.members.push((key, Some(live), health));
            self.resources.push(status);
        }
    }

    fn finish(mut self) -> Comparison {
        let sync = if self.unknown || self.conditions.forbid_sync() {
            SyncStatusCode::Unknown
        } else if self.out_of_sync {
            SyncStatusCode::OutOfSync
        } else {
            SyncStatusCode::Synced
        };
        let members: Vec<Member<'_>> = self
            .members
            .iter()
            .map(|(key, live, health)| Member {
                key,
                live: *live,
                health: health.as_ref(),
            })
            .collect();
        let health = aggregate(&members, self.input.own);
        self.resources.sort_by_cached_key(|r| (r.requires_pruning, r.key()));
        Comparison {
            sync,
            health,
            summary: summary(self.input),
            resources: self.resources,
            conditions: self.conditions,
            to_read: self.to_read,
            shared: self.shared,
        }
    }
}

fn resource(object: &Object, key: &ResourceKey) -> ResourceStatus {
    ResourceStatus {
        group: key.group.to_string(),
        version: object.version().to_owned(),
        kind: key.kind.to_string(),
        namespace: key.namespace.to_string(),
        name: key.name.to_string(),
        sync_wave: wave_of(object),
        ..ResourceStatus::default()
    }
}

fn lists(object: &Object, annotation: &str, item: &str) -> bool {
    object
        .annotation(annotation)
        .is_some_and(|list| list.split(',').any(|i| i.trim() == item))
}

/// What is left out when this object is compared [F3.46].
pub fn rules(input: CompareInput<'_>, target: &Object) -> CompareRules {
    compare_rules(input.options, input.ignore, target)
}

/// As [`rules`], from the settings alone.
pub fn compare_rules(options: CompareOptions, ignore: &[IgnoreDifferences], target: &Object) -> CompareRules {
    let glob = |pattern: &str, text: &str| pattern == text || Glob::new(pattern).is_ok_and(|g| g.is_match(text));
    let is_for = |rule: &&IgnoreDifferences| {
        glob(&rule.group, target.group())
            && glob(&rule.kind, target.kind())
            && (rule.name.is_empty() || rule.name == target.name())
            && (rule.namespace.is_empty() || rule.namespace == target.namespace())
    };
    let ignore_status = match options.ignore_resource_status_field {
        IgnoreStatus::All => true,
        IgnoreStatus::Crd => crate::track::is_crd(target),
        IgnoreStatus::None => false,
    };
    CompareRules {
        ignore_status,
        ignore: ignore
            .iter()
            .filter(is_for)
            .flat_map(|r| r.json_pointers.iter().cloned())
            .collect(),
        ignore_aggregated_roles: options.ignore_aggregated_roles,
    }
}

fn summary(input: CompareInput<'_>) -> ApplicationSummary {
    let mut images: BTreeSet<&str> = BTreeSet::new();
    let mut is_app_of_apps = false;
    for node in crate::live::tree::managed_tree(input.view.index, input.app) {
        images.extend(node.entry.images().iter().map(|i| &**i));
        let key = node.entry.key();
        is_app_of_apps |= &*key.group == "argoproj.io" && &*key.kind == "Application";
    }
    ApplicationSummary {
        images: images.into_iter().map(str::to_owned).collect(),
        is_app_of_apps,
        ..ApplicationSummary::default()
    }
}

/// The health to write, keeping the time of the last change [F3.54].
pub fn health_status(old: &HealthStatus, new: &Health, now: pintle_model::Time) -> HealthStatus {
    let status = HealthStatusCode::from(new.status);
    let since = if old.status == status {
        old.last_transition_time.or(Some(now))
    } else {
        Some(now)
    };
    HealthStatus {
        status,
        message: new.message.to_string(),
        last_transition_time: since,
        ..HealthStatus::default()
    }
}

/// Health of an application whose objects are not known.
pub fn unknown_health(message: &str) -> Health {
    Health::new(HealthCode::Unknown, message)
}
