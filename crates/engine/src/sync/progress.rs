//! The persisted progress of an operation: one result for each task that has begun [F3.6].

use std::collections::BTreeMap;

use pintle_model::application::{OperationPhase, ResourceResult, ResultCode, SyncPhase};
use pintle_model::{Object, ResourceKey, Value};

use super::op::SyncOp;
use super::task::{Task, TaskId};

/// How far a task is, by its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No result: nothing was done.
    Pending,
    /// Applied; its end or health is not known.
    Running,
    /// Ended well.
    Succeeded,
    /// Ended, but not well.
    Failed,
}

/// The results, in the order tasks began.
#[derive(Default)]
pub struct Progress {
    results: Vec<ResourceResult>,
    /// Places in `results` by object; an object may have one for each phase.
    places: BTreeMap<ResourceKey, Vec<usize>>,
}

impl Progress {
    /// Takes up persisted results.
    pub fn new(results: &[ResourceResult]) -> Self {
        let mut progress = Self::default();
        for result in results {
            progress.push(result.clone());
        }
        progress
    }

    fn push(&mut self, result: ResourceResult) -> usize {
        let at = self.results.len();
        let key = ResourceKey::new(&*result.group, &*result.kind, &*result.namespace, &*result.name);
        self.places.entry(key).or_default().push(at);
        self.results.push(result);
        at
    }

    /// The results to persist.
    pub fn into_results(self) -> Vec<ResourceResult> {
        self.results
    }

    /// Whether nothing has begun.
    pub fn is_empty(&self) -> bool {
        self.results.is_empty()
    }

    /// Whether anything besides the destination namespace has begun; that one is made before the dry run.
    pub fn is_started(&self, op: &SyncOp) -> bool {
        self.results
            .iter()
            .any(|r| !(r.group.is_empty() && r.kind == "Namespace" && r.name == op.namespace))
    }

    /// The result of a task.
    pub fn of(&self, task: &Task) -> Option<&ResourceResult> {
        self.results.get(self.place(&task.key, &task.phase)?)
    }

    fn place(&self, key: &ResourceKey, phase: &SyncPhase) -> Option<usize> {
        let is_phase = |at: &usize| self.results.get(*at).is_some_and(|r| r.sync_phase == *phase);
        self.places.get(key)?.iter().copied().find(is_phase)
    }

    /// How far a task is.
    pub fn state(&self, task: &Task) -> State {
        self.of(task).map_or(State::Pending, state_of)
    }

    /// Results of SyncFail hooks, or of all others, that ended badly; also of prunes whose objects, and so whose tasks, are gone.
    pub fn failures(&self, of_sync_fail_hooks: bool) -> impl Iterator<Item = &ResourceResult> {
        self.results.iter().filter(move |r| {
            (r.sync_phase == SyncPhase::SyncFail) == of_sync_fail_hooks && state_of(r) == State::Failed
        })
    }

    /// Records a task. An unset code or an empty message keeps what was recorded before.
    pub fn record(&mut self, task: &Task, code: ResultCode, phase: OperationPhase, message: &str) {
        self.change(&task.key, &task.version, &task.phase, |result| {
            result.hook_type = task.hook.clone().unwrap_or_default();
            result.hook_phase = phase;
            if !code.is_unset() {
                result.status = code;
            }
            if !message.is_empty() {
                result.message = message.to_owned();
            }
            if let Some(target) = &task.target {
                result.images = images(target);
            }
        });
    }

    /// Records a prune, whose task may be gone with its object.
    pub fn record_pruned(&mut self, id: &TaskId, code: ResultCode, phase: OperationPhase, message: &str) {
        self.change(&id.key, &id.version, &id.phase, |result| {
            result.status = code;
            result.hook_phase = phase;
            result.message = message.to_owned();
        });
    }

    fn change(&mut self, key: &ResourceKey, version: &str, phase: &SyncPhase, with: impl FnOnce(&mut ResourceResult)) {
        let at = self.place(key, phase).unwrap_or_else(|| {
            self.push(ResourceResult {
                group: key.group.to_string(),
                version: version.to_owned(),
                kind: key.kind.to_string(),
                namespace: key.namespace.to_string(),
                name: key.name.to_string(),
                sync_phase: phase.clone(),
                ..ResourceResult::default()
            })
        });
        if let Some(result) = self.results.get_mut(at) {
            with(result);
        }
    }
}

fn state_of(result: &ResourceResult) -> State {
    match (&result.hook_phase, &result.status) {
        (OperationPhase::Succeeded, _) => State::Succeeded,
        (OperationPhase::Failed | OperationPhase::Error, _) | (_, ResultCode::SyncFailed) => State::Failed,
        (OperationPhase::Unset, ResultCode::Unset) => State::Pending,
        _ => State::Running,
    }
}

/// The images of an object's containers, each once, in order.
fn images(object: &Object) -> Vec<String> {
    const POD_SPECS: [&[&str]; 3] = [
        &["spec"],
        &["spec", "template", "spec"],
        &["spec", "jobTemplate", "spec", "template", "spec"],
    ];
    let mut images: Vec<String> = Vec::new();
    let specs = POD_SPECS.iter().filter_map(|path| object.value().at(path));
    for container in specs.flat_map(|s| s.list_at(&["initContainers"]).iter().chain(s.list_at(&["containers"]))) {
        if let Some(image) = container.get("image").and_then(Value::as_str)
            && !images.iter().any(|known| known == image)
        {
            images.push(image.to_owned());
        }
    }
    images
}
