//! Hooks that run before or after an Application's objects are deleted [F3.21].

use std::time::Duration;

use jiff::Timestamp;
use pintle_model::application::HookType;
use pintle_model::{Gvk, Object};

use super::super::effects;
use super::super::hook::{self, DeletePolicy, Role};
use super::super::task::{Task, TaskId, Verb};
use super::super::view::Served;
use super::super::waiting::{Waited, WaitingOn};
use super::super::wave::wave_of;
use super::{BACKSTOP, Progress, Run, stage_phase};
use crate::effect::Effect;
use crate::health::HealthCode;

/// The least time between two runs of a failing hook, so that one that fails at once does not keep the cluster busy.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// How a live hook got on.
enum End {
    Running,
    Good,
    Bad(String),
}

impl Run<'_> {
    /// Runs the hooks, wave by wave, until all have succeeded. A failed one is deleted and made again.
    pub(super) fn run_hooks(&self, hook_type: &HookType) -> Progress {
        let hooks = match self.hooks(hook_type) {
            Ok(hooks) => hooks,
            Err(why) => return Progress::blocked(why),
        };
        let Some(wave) = hooks.iter().filter(|t| !self.has_succeeded(t)).map(|t| t.wave).min() else {
            return Progress::Done;
        };
        let open: Vec<&Task> = hooks
            .iter()
            .filter(|t| t.wave == wave && !self.has_succeeded(t))
            .collect();
        if let Some((name, why)) = open.iter().find_map(|t| Some((t.display_name(), t.blind.clone()?))) {
            return Progress::Wait(WaitingOn::View { name, why }, BACKSTOP, None);
        }
        let Some(waited) = Waited::of(open.iter().copied()) else {
            return Progress::Done;
        };
        let mut failure = None;
        let mut effects: Vec<(TaskId, Effect)> = Vec::new();
        for task in open {
            if task.live.is_none() || (task.is_other_run() && !task.must_go_first()) {
                effects.extend(effects::apply(&self.sync, task).map(|e| (task.id(Verb::Apply), e)));
            } else if task.must_go_first() {
                effects.extend(self.removal(task));
            } else if let End::Bad(message) = self.end(task) {
                failure.get_or_insert(format!("{} hook {} failed: {message}", hook_type, task.display_name()));
                if task
                    .live
                    .as_ref()
                    .is_some_and(|live| is_older(live, RETRY_AFTER, self.now))
                {
                    effects.extend(self.removal(task));
                }
            }
        }
        let is_retrying = failure.is_some();
        match self.send_or(effects, WaitingOn::HookRunning(waited)) {
            Progress::Wait(waiting, _, None) if is_retrying => Progress::Wait(waiting, RETRY_AFTER, failure),
            other => other,
        }
    }

    /// Takes the finalizer off the hooks and deletes those whose policy says so.
    pub(super) fn clean_up_hooks(&self, hook_type: &HookType) -> Progress {
        let hooks = match self.hooks(hook_type) {
            Ok(hooks) => hooks,
            Err(why) => return Progress::blocked(why),
        };
        if let Some((name, why)) = hooks.iter().find_map(|t| Some((t.display_name(), t.blind.clone()?))) {
            return Progress::Wait(WaitingOn::View { name, why }, BACKSTOP, None);
        }
        let goes = |task: &Task| match self.end(task) {
            End::Good => task.delete_policies.contains(&DeletePolicy::HookSucceeded),
            End::Bad(_) => task.delete_policies.contains(&DeletePolicy::HookFailed),
            End::Running => false,
        };
        let is_held = |task: &Task| task.live.as_ref().is_some_and(hook::has_finalizer);
        let own = hooks.iter().filter(|t| t.live.is_some() && !t.is_other_run());
        let open: Vec<&Task> = own.filter(|t| is_held(t) || goes(t)).collect();
        let Some(waited) = Waited::of(open.iter().copied()) else {
            return Progress::Done;
        };
        let effects = open
            .iter()
            .filter_map(|task| {
                if is_held(task) {
                    self.release(task)
                } else {
                    self.removal(task)
                }
            })
            .collect();
        self.send_or(effects, WaitingOn::Deletion(waited))
    }

    /// The hooks of one type with their live objects, or why they cannot be run.
    fn hooks(&self, hook_type: &HookType) -> Result<Vec<Task>, String> {
        let targets = self
            .op
            .targets
            .as_ref()
            .map_err(|why| format!("the {hook_type} hooks are not known: {why}"))?;
        let is_it = |t: &&Object| matches!(hook::role(t), Role::Hook(types) if types.contains(hook_type));
        targets
            .iter()
            .filter(is_it)
            .map(|target| self.hook_task(target, hook_type))
            .collect()
    }

    fn hook_task(&self, target: &Object, hook_type: &HookType) -> Result<Task, String> {
        let mut target = target.clone();
        if target.name().is_empty() && !target.generate_name().is_empty() {
            let name = hook::generated_name(
                target.generate_name(),
                &self.op.revision,
                hook_type.as_str(),
                self.op.deleted_at,
            );
            target.value_mut().set_at(&["metadata", "name"], name.into());
            target.value_mut().remove_at(&["metadata", "generateName"]);
        }
        let gvk: Gvk = target.gvk();
        match self.view.served(&gvk) {
            Served::Cluster => target.set_namespace(""),
            Served::Namespaced if target.namespace().is_empty() => target.set_namespace(&self.op.namespace),
            Served::Namespaced => {}
            Served::No => {
                return Err(format!(
                    "{hook_type} hook {}: the cluster does not serve {gvk}",
                    target.name()
                ));
            }
            Served::Unknown(why) => return Err(format!("{hook_type} hook {}: {why}", target.name())),
        }
        let stamp = hook::stamp(self.op.deleted_at, 0, hook_type.as_str());
        let target = hook::dressed(target, &stamp);
        let key = target.key();
        self.view
            .permit(&gvk, &key.namespace, &key.name)
            .map_err(|why| format!("{hook_type} hook {}: {why}", key.name))?;
        let mut task = Task {
            version: gvk.version.to_string(),
            phase: stage_phase(hook_type.as_str()),
            wave: wave_of(&target),
            hook: Some(hook_type.clone()),
            live: None,
            blind: None,
            delete_policies: hook::delete_policies(&target),
            stamp,
            kind_missing: false,
            invalid: None,
            target: Some(target),
            key,
        };
        let live = self.view.live(&task.key);
        task.see(live);
        Ok(task)
    }

    fn has_succeeded(&self, task: &Task) -> bool {
        task.live.is_some() && !task.is_other_run() && matches!(self.end(task), End::Good)
    }

    fn end(&self, task: &Task) -> End {
        let Some(live) = &task.live else { return End::Running };
        match self.view.health(live) {
            None => End::Good,
            Some(health) => match health.status {
                HealthCode::Healthy => End::Good,
                HealthCode::Degraded | HealthCode::Unknown => End::Bad(health.message.to_string()),
                _ => End::Running,
            },
        }
    }

    fn release(&self, task: &Task) -> Option<(TaskId, Effect)> {
        Some((task.id(Verb::Release), effects::release(&self.sync, task)?))
    }

    /// The next effect towards the end of a live hook.
    fn removal(&self, task: &Task) -> Option<(TaskId, Effect)> {
        let live = task.live.as_ref()?;
        if hook::has_finalizer(live) {
            return self.release(task);
        }
        if live.deletion_timestamp().is_some() {
            return None;
        }
        Some((task.id(Verb::Delete), effects::delete_hook(&self.sync, task)?))
    }
}

/// Whether an object was made so long ago; one that does not say when counts as old.
fn is_older(live: &Object, age: Duration, now: Timestamp) -> bool {
    let made: Option<Timestamp> = live.creation_timestamp().parse().ok();
    made.and_then(|made| made.checked_add(age).ok())
        .is_none_or(|until| until <= now)
}
