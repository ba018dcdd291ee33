//! What becomes of an object that is not wanted any more.

use pintle_model::Object;
use pintle_model::annotation;
use pintle_model::application::Application;
use pintle_model::sync_option::{Permission, SyncOptions};

use super::cluster_name;
use crate::sync::hook::{Role, role};
use crate::sync::options::{delete_permission, prune_permission};

/// What happens to an object that the new state does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// Automated sync deletes it.
    Pruned,
    /// Automated sync is on and does not prune: it stays until a person syncs with pruning.
    NoAutomatedPrune,
    /// There is no automated sync: it goes with the next sync that prunes.
    BySyncWithPrune,
    /// `Prune=false`, on it or on its Application: it stays.
    Kept,
    /// `Prune=confirm` or `Delete=confirm`: it stays until a person approves.
    AfterApproval,
    /// Nothing would be left, and automated sync does not empty an Application without `allowEmpty`.
    WouldEmpty,
    /// A hook is made anew by each sync and not pruned.
    Hook,
    /// Another group has an object of this kind and name, which may be the same one: then it stays.
    SameInOtherGroup,
    /// The Application goes and has a finalizer: it is deleted with it.
    WithApplication,
    /// The Application goes and has no finalizer, or the object is to outlive it: it stays and nobody manages it.
    LeftBehind,
    /// The Application goes to another cluster: it stays where it is and nobody manages it.
    InOldCluster,
}

impl Fate {
    /// Whether the object is deleted without anybody doing more than what is compared.
    pub fn is_deleted(self) -> bool {
        matches!(self, Self::Pruned | Self::WithApplication)
    }

    /// One word for programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pruned => "Pruned",
            Self::NoAutomatedPrune => "NoAutomatedPrune",
            Self::BySyncWithPrune => "BySyncWithPrune",
            Self::Kept => "Kept",
            Self::AfterApproval => "AfterApproval",
            Self::WouldEmpty => "WouldEmpty",
            Self::Hook => "Hook",
            Self::SameInOtherGroup => "SameInOtherGroup",
            Self::WithApplication => "WithApplication",
            Self::LeftBehind => "LeftBehind",
            Self::InOldCluster => "InOldCluster",
        }
    }

    /// A sentence for people.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Pruned => "pruned by automated sync",
            Self::NoAutomatedPrune => "stays: automated sync is on without prune",
            Self::BySyncWithPrune => "stays until a sync with --prune: there is no automated sync",
            Self::Kept => "stays: Prune=false",
            Self::AfterApproval => "stays until a person approves",
            Self::WouldEmpty => "stays: automated sync does not empty an Application without allowEmpty",
            Self::Hook => "a hook, which is not pruned",
            Self::SameInOtherGroup => "stays if the object of the other API group is the same one",
            Self::WithApplication => "deleted with its Application, which has a finalizer",
            Self::LeftBehind => "left behind: its Application goes and does not take it along",
            Self::InOldCluster => "left behind in the old cluster",
        }
    }
}

/// The clusters an Application comes from and goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Where its objects are.
    pub from: String,
    /// Where they will be.
    pub to: String,
}

impl Moved {
    /// Tells whether two states of an Application have different clusters. A name and a URL may mean the same one, which nobody can say here:
    /// but for the names of the cluster Argo CD runs in they count as different.
    pub(super) fn between(base: &Application, head: &Application) -> Option<Self> {
        let (from, to) = (cluster_name(base), cluster_name(head));
        let both_here = base.spec.destination.is_in_cluster() && head.spec.destination.is_in_cluster();
        (from != to && !both_here).then_some(Self { from, to })
    }
}

/// An object that is not wanted any more, and what decides over it.
pub(super) struct Removal<'a> {
    pub object: &'a Object,
    pub base: &'a Application,
    /// `None`: the Application goes as well.
    pub head: Option<&'a Application>,
    /// The new state has no object at all.
    pub leaves_nothing: bool,
    /// The new state has one of the same kind and name in another group.
    pub has_twin: bool,
}

impl Removal<'_> {
    pub fn fate(&self) -> Fate {
        let Some(head) = self.head else {
            return self.with_application();
        };
        if Moved::between(self.base, head).is_some() {
            return Fate::InOldCluster;
        }
        if !matches!(role(self.object), Role::Plain) {
            return Fate::Hook;
        }
        if self.has_twin {
            return Fate::SameInOtherGroup;
        }
        match prune_permission(self.object, &options(head)) {
            Permission::No => return Fate::Kept,
            Permission::Confirm => return Fate::AfterApproval,
            Permission::Yes => {}
        }
        match head.spec.automated() {
            None => Fate::BySyncWithPrune,
            Some(automated) if !automated.prunes() => Fate::NoAutomatedPrune,
            Some(automated) if self.leaves_nothing && !automated.allows_empty() => Fate::WouldEmpty,
            Some(_) => Fate::Pruned,
        }
    }

    fn with_application(&self) -> Fate {
        let finalizers = [
            annotation::FINALIZER,
            annotation::FINALIZER_FOREGROUND,
            annotation::FINALIZER_BACKGROUND,
        ];
        if !finalizers.iter().any(|f| self.base.metadata.has_finalizer(f)) {
            return Fate::LeftBehind;
        }
        if !matches!(role(self.object), Role::Plain) {
            return Fate::Hook;
        }
        if self.object.annotation(annotation::HELM_RESOURCE_POLICY) == Some("keep") {
            return Fate::LeftBehind;
        }
        match delete_permission(self.object, &options(self.base)) {
            Permission::No => Fate::LeftBehind,
            Permission::Confirm => Fate::AfterApproval,
            Permission::Yes => Fate::WithApplication,
        }
    }
}

fn options(app: &Application) -> SyncOptions {
    app.spec
        .sync_policy
        .as_ref()
        .map(|policy| SyncOptions::of_application(&policy.sync_options))
        .unwrap_or_default()
}
