//! What becomes of an object that is not wanted any more.

use std::borrow::Cow;

use pintle_model::Object;
use pintle_model::annotation::Cascade;
use pintle_model::application::Application;
use pintle_model::sync_option::{Permission, SyncOptions};

use super::cluster_name;
use crate::app::fail_closed::{is_suspended, not_acted_on};
use crate::sync::delete::{Kept, kept};
use crate::sync::hook::{Role, role};
use crate::sync::options::{delete_permission, prune_permission};
use crate::track::is_crd;

/// What happens to an object that the new state does not have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// Automated sync deletes it.
    Pruned,
    /// Automated sync is on and does not prune: it stays until a person syncs with pruning.
    NoAutomatedPrune,
    /// There is no automated sync: it goes with the next sync that prunes.
    BySyncWithPrune,
    /// Automated sync is on and blocked by these fields of the Application, which this version does not act on.
    AutomatedSyncBlocked(String),
    /// The Application is suspended with `skip-reconcile`: nothing is pruned, and nothing deleted with it.
    Suspended,
    /// A CustomResourceDefinition: it carries no mark of its Application and outlives it.
    Crd,
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
    pub fn is_deleted(&self) -> bool {
        matches!(self, Self::Pruned | Self::WithApplication)
    }

    /// One word for programs.
    pub fn word(&self) -> &'static str {
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
            Self::AutomatedSyncBlocked(_) => "AutomatedSyncBlocked",
            Self::Suspended => "Suspended",
            Self::Crd => "CustomResourceDefinition",
        }
    }

    /// A sentence for people.
    pub fn sentence(&self) -> Cow<'static, str> {
        let said = match self {
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
            Self::AutomatedSyncBlocked(fields) => {
                return format!("stays until a sync with --prune: automated sync is blocked by {fields}").into();
            }
            Self::Suspended => "stays: its Application is suspended by argocd.argoproj.io/skip-reconcile",
            Self::Crd => "stays: a CustomResourceDefinition is not pruned and outlives its Application",
        };
        said.into()
    }
}

/// What becomes of an Application that the new state does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Departure {
    /// It has a finalizer: what it owns is deleted with it.
    WithObjects,
    /// It has none: what it owns stays and nobody manages it.
    Alone,
    /// It has one and is suspended with `skip-reconcile`: its deletion waits, and what it owns stays.
    Suspended,
    /// The cluster keeps it, with what it owns, for this reason: whoever renders it does not delete it.
    Stays(String),
}

impl Departure {
    /// Of an Application that is deleted.
    pub(super) fn of(base: &Application) -> Self {
        let finalizers = base.metadata.finalizers.iter().map(String::as_str);
        if Cascade::from_finalizers(finalizers) == Cascade::Orphan {
            Self::Alone
        } else if is_suspended(base) {
            Self::Suspended
        } else {
            Self::WithObjects
        }
    }

    /// Whether what it owns is deleted without anybody doing more than what is compared.
    pub fn is_deleting(&self) -> bool {
        matches!(self, Self::WithObjects)
    }

    /// One word for programs.
    pub fn word(&self) -> &'static str {
        match self {
            Self::WithObjects => "WithFinalizer",
            Self::Alone => "WithoutFinalizer",
            Self::Suspended => "Suspended",
            Self::Stays(_) => "Stays",
        }
    }

    /// A sentence for people.
    pub fn sentence(&self) -> Cow<'static, str> {
        match self {
            Self::WithObjects => "with finalizer: everything it owns is deleted".into(),
            Self::Alone => "without finalizer: everything it owns is left behind".into(),
            Self::Suspended => {
                "with finalizer, and suspended by argocd.argoproj.io/skip-reconcile: what it owns stays".into()
            }
            Self::Stays(why) => format!("with what it owns, and is not compared further: {why}").into(),
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
        if is_crd(self.object) {
            return Fate::Crd;
        }
        if self.has_twin {
            return Fate::SameInOtherGroup;
        }
        match prune_permission(self.object, &options(head)) {
            Permission::No => return Fate::Kept,
            Permission::Confirm => return Fate::AfterApproval,
            Permission::Yes => {}
        }
        if is_suspended(head) {
            return Fate::Suspended;
        }
        let Some(automated) = head.spec.automated() else {
            return Fate::BySyncWithPrune;
        };
        // Its project and the settings are not known here; what the Application says itself is enough to block.
        let blocking = not_acted_on(head, None);
        if !blocking.is_empty() {
            let fields: Vec<&str> = blocking.iter().map(|b| b.field.as_str()).collect();
            return Fate::AutomatedSyncBlocked(fields.join(", "));
        }
        if !automated.prunes() {
            Fate::NoAutomatedPrune
        } else if self.leaves_nothing && !automated.allows_empty() {
            Fate::WouldEmpty
        } else {
            Fate::Pruned
        }
    }

    fn with_application(&self) -> Fate {
        match Departure::of(self.base) {
            Departure::Alone => return Fate::LeftBehind,
            Departure::Suspended => return Fate::Suspended,
            Departure::WithObjects | Departure::Stays(_) => {}
        }
        if !matches!(role(self.object), Role::Plain) {
            return Fate::Hook;
        }
        let options = options(self.base);
        match kept(self.object, &options) {
            Some(Kept::Crd) => return Fate::Crd,
            Some(Kept::Asked) => return Fate::LeftBehind,
            None => {}
        }
        match delete_permission(self.object, &options) {
            Permission::Confirm => Fate::AfterApproval,
            Permission::No | Permission::Yes => Fate::WithApplication,
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
