//! From targets and live objects to tasks in order [F3.1-F3.4, F3.10, F3.11].

use std::collections::{BTreeMap, BTreeSet};

use pintle_model::application::{HookType, ManagedNamespaceMetadata, SyncPhase};
use pintle_model::{GroupKind, Gvk, Object, ResourceKey, annotation};

use super::dependency::{self, is_crd};
use super::hook::{self, Role, role};
use super::op::SyncOp;
use super::options::of_object;
use super::order;
use super::prune;
use super::task::{Pair, Task, pair};
use super::view::{Live, Served, SyncView};
use super::wave::wave_of;
use crate::twin::{Known, of_extras};

/// Returns every task of an operation in order, SyncFail hooks last. Tasks that cannot run say so in [`Task::invalid`].
pub fn plan(op: &SyncOp, view: &SyncView<'_>) -> Vec<Task> {
    let crds = Crds::of(&op.targets);
    let mut tasks = Vec::new();
    // Hooks and skipped objects have no ordinary task, but their live objects are not pruned either.
    let mut unpruned: BTreeSet<ResourceKey> = BTreeSet::new();
    let mut plain = Vec::new();
    for target in &op.targets {
        let target = placed(target.clone(), op, view, &crds);
        match role(&target) {
            Role::Plain => plain.push(target),
            Role::Skipped => {
                unpruned.insert(target.key());
            }
            Role::Hook(types) => {
                unpruned.insert(target.key());
                if op.runs_hooks() {
                    tasks.extend(types.iter().filter_map(|hook_type| hook_task(&target, hook_type, op)));
                }
            }
        }
    }
    let candidates = view.cluster.managed().into_iter().filter(|live| {
        // What has an owner goes with its owner.
        role(live) == Role::Plain && live.owner_references().next().is_none() && !unpruned.contains(&live.key())
    });
    let pairs = pair(plain, candidates);
    let twins = twins(&pairs, &unpruned, view);
    for Pair { key, target, live } in pairs {
        if op.selects(&key) && !twins.contains(&key) {
            tasks.push(plain_task(key, target, live));
        }
    }
    tasks.extend(namespace_task(op, view));
    for task in &mut tasks {
        check(task, op, view, &crds);
        if task.target.is_some() {
            let live = view.cluster.live(&task.key);
            task.see(live);
        }
    }
    prune::assign_waves(&mut tasks, op);
    order::sort(&mut tasks);
    dependency::adjust(&mut tasks);
    tasks
}

/// Live objects without a target that are wanted under another group's name, and so are no leftovers.
fn twins(pairs: &[Pair], unpruned: &BTreeSet<ResourceKey>, view: &SyncView<'_>) -> BTreeSet<ResourceKey> {
    let extras = pairs
        .iter()
        .filter(|p| p.target.is_none())
        .filter_map(|p| p.live.as_ref());
    let targets = pairs.iter().filter(|p| p.target.is_some()).map(|p| &p.key);
    let found = of_extras(extras, targets.chain(unpruned), |key| match view.cluster.live(key) {
        Live::Present(live) => Known::Uid(live.uid()),
        Live::Absent => Known::Absent,
        Live::Unknown(_) => Known::Unknown,
    });
    found.into_iter().map(Object::key).collect()
}

/// The kinds that CustomResourceDefinitions among the targets will serve, and whether in namespaces.
struct Crds(BTreeMap<GroupKind, bool>);

impl Crds {
    fn of(targets: &[Object]) -> Self {
        let kinds = targets.iter().filter(|t| is_crd(t)).filter_map(|crd| {
            let spec = crd.value().get("spec")?;
            let kind = GroupKind::new(spec.str_at(&["group"])?, spec.str_at(&["names", "kind"])?);
            Some((kind, spec.str_at(&["scope"]) != Some("Cluster")))
        });
        Self(kinds.collect())
    }
}

/// Whether objects of a kind live in namespaces; `None` where neither the cluster nor a target tells.
fn is_namespaced(gvk: &Gvk, view: &SyncView<'_>, crds: &Crds) -> Option<bool> {
    match view.cluster.served(gvk) {
        Served::Namespaced => Some(true),
        Served::Cluster => Some(false),
        Served::No | Served::Unknown(_) => crds.0.get(&gvk.group_kind()).copied(),
    }
}

/// Returns the target with the namespace it will live in [F3.41].
fn placed(mut target: Object, op: &SyncOp, view: &SyncView<'_>, crds: &Crds) -> Object {
    match is_namespaced(&target.gvk(), view, crds) {
        Some(false) if !target.namespace().is_empty() => target.set_namespace(""),
        Some(true) if target.namespace().is_empty() => target.set_namespace(&op.namespace),
        _ => {}
    }
    target
}

fn plain_task(key: ResourceKey, target: Option<Object>, live: Option<Object>) -> Task {
    let object = target.as_ref().or(live.as_ref());
    Task {
        version: object.map(|o| o.version().to_owned()).unwrap_or_default(),
        wave: object.map(wave_of).unwrap_or_default(),
        key,
        phase: SyncPhase::Sync,
        hook: None,
        target,
        live,
        blind: None,
        delete_policies: BTreeSet::new(),
        stamp: String::new(),
        kind_missing: false,
        invalid: None,
    }
}

fn hook_task(target: &Object, hook_type: &HookType, op: &SyncOp) -> Option<Task> {
    let phase = hook::phase_of(hook_type)?;
    let mut target = target.clone();
    if target.name().is_empty() && !target.generate_name().is_empty() {
        let name = hook::generated_name(target.generate_name(), &op.revision, phase.as_str(), op.started_at);
        target.value_mut().set_at(&["metadata", "name"], name.into());
        target.value_mut().remove_at(&["metadata", "generateName"]);
    }
    let stamp = hook::stamp(op.started_at, op.attempt, phase.as_str());
    let target = hook::dressed(target, &stamp);
    Some(Task {
        hook: Some(hook_type.clone()),
        phase,
        delete_policies: hook::delete_policies(&target),
        stamp,
        ..plain_task(target.key(), Some(target), None)
    })
}

/// The task that makes the destination namespace, where `CreateNamespace=true` asks for it and no target is that namespace [F3.26].
fn namespace_task(op: &SyncOp, view: &SyncView<'_>) -> Option<Task> {
    if !op.options.create_namespace || op.namespace.is_empty() || op.targets.iter().any(|t| is_namespace(t, op)) {
        return None;
    }
    let key = ResourceKey::new("", "Namespace", "", op.namespace.as_str());
    let recorded = view.results.iter().any(|r| {
        r.group.is_empty() && r.kind == "Namespace" && r.name == op.namespace && r.sync_phase == SyncPhase::PreSync
    });
    let mut invalid = None;
    match view.cluster.live(&key) {
        Live::Absent => {}
        Live::Present(_) if recorded || op.namespace_metadata.is_some() => {}
        Live::Present(_) => return None,
        Live::Unknown(why) => invalid = Some(format!("namespace auto creation failed: {why}")),
    }
    let mut target = Object::bare(&Gvk::new("", "v1", "Namespace"), "", &op.namespace);
    if let Some(metadata) = &op.namespace_metadata {
        dress_namespace(&mut target, metadata);
    }
    Some(Task {
        phase: SyncPhase::PreSync,
        invalid,
        ..plain_task(key, Some(target), None)
    })
}

/// Puts managed metadata on the namespace, applied on the server's side so that labels and annotations of others stay.
fn dress_namespace(namespace: &mut Object, metadata: &ManagedNamespaceMetadata) {
    for (name, value) in &metadata.labels {
        namespace.set_label(name, value.as_str());
    }
    for (name, value) in &metadata.annotations {
        namespace.set_annotation(name, value.as_str());
    }
    let option = "ServerSideApply=true";
    let options = match namespace.annotation(annotation::SYNC_OPTIONS) {
        Some(options) if of_object(namespace).server_side_apply.is_none() => format!("{options},{option}"),
        Some(options) => options.to_owned(),
        None => option.to_owned(),
    };
    namespace.set_annotation(annotation::SYNC_OPTIONS, options);
}

/// Whether an object is the destination namespace.
pub fn is_namespace(object: &Object, op: &SyncOp) -> bool {
    object.kind() == "Namespace" && object.group().is_empty() && object.name() == op.namespace
}

/// Finds out whether a task can run: its kind is served, it has name and namespace, the project permits it.
fn check(task: &mut Task, op: &SyncOp, view: &SyncView<'_>, crds: &Crds) {
    if task.invalid.is_some() {
        return;
    }
    let gvk = task.gvk();
    let key = &task.key;
    let served = view.cluster.served(&gvk);
    let comes = crds.0.contains_key(&gvk.group_kind());
    let skips = op.options.skip_dry_run_on_missing_resource
        || task
            .target
            .as_ref()
            .is_some_and(|t| of_object(t).skip_dry_run_on_missing_resource);
    task.invalid = match &served {
        _ if key.name.is_empty() => Some("resource name may not be empty".into()),
        Served::Unknown(why) => Some(format!("whether {} is served is unknown: {why}", gvk.group_kind())),
        Served::No if !comes && !skips => Some(format!(
            "The Kubernetes API could not find {}/{} for requested resource {}/{}. Make sure the {:?} CRD is installed on the \
             destination cluster.",
            key.group, key.kind, key.namespace, key.name, key.kind
        )),
        Served::Namespaced if key.namespace.is_empty() => Some(format!("Namespace for {} {gvk} is missing.", key.name)),
        _ => view.cluster.permit(&gvk, &key.namespace, &key.name).err(),
    };
    task.kind_missing = served == Served::No;
}
