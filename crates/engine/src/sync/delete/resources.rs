//! The cascade: what an Application manages goes, later waves first.

use std::collections::BTreeSet;

use pintle_model::annotation::{self, Cascade};
use pintle_model::application::HookType;
use pintle_model::sync_option::{Permission, SyncOptions};
use pintle_model::{Object, ResourceKey};

use super::super::effects;
use super::super::hook::{self, Role};
use super::super::options::delete_permission;
use super::super::task::{Task, Verb};
use super::super::view::Served;
use super::super::waiting::{Waited, WaitingOn};
use super::super::wave::wave_of;
use super::{BACKSTOP, Progress, Run, stage_phase};
use crate::effect::{Action, Effect, Propagation};
use crate::track::is_crd;

impl Run<'_> {
    pub(super) fn delete_resources(&self) -> Progress {
        let managed = self.view.managed();
        let doomed: Vec<Task> = managed
            .into_iter()
            .filter(|live| self.goes(live))
            .map(as_task)
            .collect();
        let permission = |t: &Task| t.live.as_ref().map(|live| delete_permission(live, &self.op.options));
        let unconfirmed = doomed.iter().filter(|t| permission(t) == Some(Permission::Confirm));
        if !self.op.is_approved()
            && let Some(waited) = Waited::of(unconfirmed)
        {
            return Progress::Wait(WaitingOn::DeleteConfirmation(waited), BACKSTOP, None);
        }
        let Some(last) = doomed.iter().map(|t| t.wave).max() else {
            return self.confirm_empty();
        };
        let wave: Vec<&Task> = doomed.iter().filter(|t| t.wave == last).collect();
        let Some(waited) = Waited::of(wave.iter().copied()) else {
            return self.confirm_empty();
        };
        let unknown = wave
            .iter()
            .find_map(|t| Some((t.display_name(), self.view.prune_ok(&t.key.group_kind()).err()?)));
        if let Some((name, why)) = unknown {
            return Progress::blocked(format!("{name} is not deleted: {why}"));
        }
        let effects = wave.iter().filter_map(|task| self.next_effect(task)).collect();
        self.send_or(effects, WaitingOn::Deletion(waited))
    }

    /// Nothing is left to see; that counts only where it could be seen (I-1, I-15). What the cluster no longer serves is gone.
    fn confirm_empty(&self) -> Progress {
        let unknown = self.op.kinds.iter().find_map(|gvk| match self.view.served(gvk) {
            Served::No => None,
            Served::Unknown(why) => Some((gvk, why)),
            Served::Namespaced | Served::Cluster => self
                .view
                .prune_ok(&gvk.group_kind())
                .err()
                .map(|why| (gvk, why.to_string())),
        });
        match unknown {
            None => Progress::Done,
            Some((gvk, why)) => Progress::blocked(format!(
                "cannot tell whether any {} is left to delete: {why}",
                gvk.group_kind()
            )),
        }
    }

    /// Whether an object goes with its Application [F3.37].
    fn goes(&self, live: &Object) -> bool {
        let key = live.key();
        let is_kept = key == self.op.application || kept(live, &self.op.options).is_some();
        // What has an owner goes with its owner; PostDelete hooks have their own stage.
        let is_owned = live.owner_references().next().is_some();
        let is_post_delete = matches!(hook::role(live), Role::Hook(types) if types.contains(&HookType::PostDelete));
        !is_kept && !is_owned && !is_post_delete && self.view.is_tracked(live) && self.is_permitted(live, &key)
    }

    fn is_permitted(&self, live: &Object, key: &ResourceKey) -> bool {
        self.view.permit(&live.gvk(), &key.namespace, &key.name).is_ok()
    }

    /// The hook finalizer off, then DELETE; nothing for what is on its way.
    fn next_effect(&self, task: &Task) -> Option<(super::TaskId, Effect)> {
        let live = task.live.as_ref()?;
        if hook::has_finalizer(live) {
            return Some((task.id(Verb::Release), effects::release(&self.sync, task)?));
        }
        if live.deletion_timestamp().is_some() {
            return None;
        }
        let mut effect = effects::prune(&self.sync, task)?;
        if let Action::Delete { propagation, .. } = &mut effect.action {
            *propagation = match Cascade::from_finalizers(self.op.finalizers.iter().map(String::as_str)) {
                Cascade::Background => Propagation::Background,
                Cascade::Foreground | Cascade::Orphan => Propagation::Foreground,
            };
        }
        Some((task.id(Verb::Prune), effect))
    }
}

/// Why an object stays when its Application is deleted with what it owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// A CustomResourceDefinition outlives Applications.
    Crd,
    /// `helm.sh/resource-policy: keep`, or `Delete=false` on it or on its Application.
    Asked,
}

/// Tells whether an object stays when its Application is deleted with what it owns, by what is written in the two [F3.37].
pub(crate) fn kept(object: &Object, application: &SyncOptions) -> Option<Kept> {
    if is_crd(object) {
        return Some(Kept::Crd);
    }
    let is_asked = object.annotation(annotation::HELM_RESOURCE_POLICY) == Some("keep")
        || delete_permission(object, application) == Permission::No;
    is_asked.then_some(Kept::Asked)
}

fn as_task(live: &Object) -> Task {
    Task {
        key: live.key(),
        version: live.version().to_owned(),
        phase: stage_phase("Delete"),
        wave: wave_of(live),
        hook: None,
        target: None,
        live: Some(live.clone()),
        blind: None,
        delete_policies: BTreeSet::new(),
        stamp: String::new(),
        kind_missing: false,
        invalid: None,
    }
}
