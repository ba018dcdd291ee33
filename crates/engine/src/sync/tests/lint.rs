//! What every step must keep to, whatever led to it.

use std::collections::BTreeMap;

use pintle_model::application::{OperationPhase, SyncPhase};
use pintle_model::to_json_string;

use super::super::plan::plan;
use super::super::progress::{Progress, State};
use super::super::{ClusterView, Step, SyncOp, SyncView, TaskId, Verb};
use super::world::World;
use crate::effect::Action;

/// What was applied so far in one attempt of one operation, crashes or not.
#[derive(Default)]
pub struct Linter {
    applied: BTreeMap<TaskId, String>,
}

impl Linter {
    /// Panics where a step breaks an invariant. `view` is what the step saw; the results judged are those the step returned.
    pub fn check(&mut self, op: &SyncOp, world: &World, view: &SyncView<'_>, step: &Step) {
        let is_final = step.phase.is_completed();
        assert_eq!(
            step.waiting_on.is_none(),
            is_final,
            "{}: waits exactly while it runs",
            step.message
        );
        assert!(!step.message.is_empty());
        if is_final {
            assert!(
                step.effects.is_empty() && step.wake_at.is_none(),
                "{}: an ended operation does nothing",
                step.message
            );
        } else {
            assert!(
                !step.effects.is_empty() || step.wake_at.is_some(),
                "{}: someone must wake it",
                step.message
            );
            let expected = if op.terminate.is_some() {
                OperationPhase::Terminating
            } else {
                OperationPhase::Running
            };
            assert_eq!(step.phase, expected);
        }
        for (id, effect) in &step.effects {
            assert_eq!(effect.key(), id.key, "{id}");
            assert_eq!(effect.dry_run, id.verb == Verb::DryRun || op.dry_run, "{id}");
            if let Action::Delete { uid, .. } = &effect.action {
                let live = world
                    .objects
                    .get(&id.key)
                    .unwrap_or_else(|| panic!("{id}: deletes what is not there"));
                assert_eq!(&**uid, live.uid(), "{id}: deletes another incarnation (I-16)");
            }
            match id.verb {
                Verb::Prune => {
                    let live = &world.objects[&id.key];
                    assert!(op.prune, "{id}: prune is off");
                    assert!(world.is_tracked(live), "{id}: prunes what is not ours (I-6)");
                    assert!(
                        world.prune_ok(&id.key.group_kind()).is_ok(),
                        "{id}: prunes on incomplete knowledge (I-1)"
                    );
                    assert!(!op.targets.iter().any(|t| t.key() == id.key), "{id}: prunes a target");
                }
                Verb::Apply => {
                    let (Action::Apply { object, .. } | Action::Replace { object, .. } | Action::Create { object }) =
                        &effect.action
                    else {
                        panic!("{id}: not an apply")
                    };
                    let content = to_json_string(object.value());
                    let before = self.applied.entry(id.clone()).or_insert_with(|| content.clone());
                    assert_eq!(*before, content, "{id}: applied twice with different content");
                }
                Verb::DryRun | Verb::Release | Verb::Delete => {}
            }
            if matches!(id.verb, Verb::Prune | Verb::Apply) {
                Self::check_waves(op, view, step, id);
            }
        }
    }

    /// Nothing of a later wave while an earlier one is not applied and healthy; SyncFail hooks only after a failure.
    fn check_waves(op: &SyncOp, view: &SyncView<'_>, step: &Step, id: &TaskId) {
        let progress = Progress::new(&step.results);
        let tasks = plan(op, view);
        let main = || tasks.iter().filter(|t| t.phase != SyncPhase::SyncFail);
        if id.phase == SyncPhase::SyncFail {
            assert!(progress.failures(false).next().is_some(), "{id}: nothing failed");
            return;
        }
        let task = tasks.iter().find(|t| t.key == id.key && t.phase == id.phase);
        let place = task.unwrap_or_else(|| panic!("{id}: not in the plan")).place();
        for earlier in main().filter(|t| t.place() < place) {
            let is_skipped = op.options.apply_out_of_sync_only && view.cluster.is_in_sync(&earlier.key);
            let state = progress.state(earlier);
            assert!(
                is_skipped || state == State::Succeeded,
                "{id}: {} of an earlier wave is {state:?}",
                earlier.display_name()
            );
        }
    }
}
