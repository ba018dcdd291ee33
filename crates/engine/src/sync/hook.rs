//! What makes an object a hook, when it runs, what it is called, and when it goes [F3.15-F3.18].

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use pintle_model::application::{HookType, SyncPhase};
use pintle_model::{Object, Value, annotation};

/// Annotation with the operation attempt and phase a hook was made for (see [`stamp`]). An addition to the peer's contract.
pub const STAMP_ANNOTATION: &str = "pintle.dev/hook-run";

/// When a hook is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeletePolicy {
    /// After it succeeded.
    HookSucceeded,
    /// After it failed.
    HookFailed,
    /// Before it is made again.
    BeforeHookCreation,
}

/// What an object is to a sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// An ordinary object.
    Plain,
    /// Never applied, never pruned: `Skip`.
    Skipped,
    /// A hook of these types; none of them for hooks that never run here, such as Helm's `test`.
    Hook(Vec<HookType>),
}

/// Returns what an object is.
///
/// The Argo annotation hides Helm's even where its value is unknown. `crd-install` is an ordinary object.
pub fn role(object: &Object) -> Role {
    if let Some(list) = object.annotation(annotation::HOOK) {
        let mut types = Vec::new();
        let mut skip = false;
        for item in list.split(',').map(str::trim) {
            match HookType::from(item) {
                HookType::Skip => skip = true,
                HookType::Unset | HookType::Other(_) => {}
                known => push_new(&mut types, known),
            }
        }
        return if types.is_empty() && skip {
            Role::Skipped
        } else {
            Role::Hook(types)
        };
    }
    let Some(list) = object.annotation(annotation::HELM_HOOK) else {
        return Role::Plain;
    };
    let mut types = Vec::new();
    for item in list.split(',').map(str::trim) {
        match item {
            "crd-install" => return Role::Plain,
            "pre-install" | "pre-upgrade" => push_new(&mut types, HookType::PreSync),
            "post-install" | "post-upgrade" => push_new(&mut types, HookType::PostSync),
            "pre-delete" => push_new(&mut types, HookType::PreDelete),
            "post-delete" => push_new(&mut types, HookType::PostDelete),
            _ => {}
        }
    }
    Role::Hook(types)
}

fn push_new(types: &mut Vec<HookType>, new: HookType) {
    if !types.contains(&new) {
        types.push(new);
    }
}

/// Whether an object is a hook of any type.
pub fn is_hook(object: &Object) -> bool {
    matches!(role(object), Role::Hook(_))
}

/// The sync phase a hook type runs in; `None` for those that no sync runs.
pub fn phase_of(hook: &HookType) -> Option<SyncPhase> {
    match hook {
        HookType::PreSync => Some(SyncPhase::PreSync),
        HookType::Sync => Some(SyncPhase::Sync),
        HookType::PostSync => Some(SyncPhase::PostSync),
        HookType::SyncFail => Some(SyncPhase::SyncFail),
        _ => None,
    }
}

/// The delete policies of a hook; `BeforeHookCreation` where none is given [F3.16].
pub fn delete_policies(object: &Object) -> BTreeSet<DeletePolicy> {
    let items = |name| {
        object
            .annotation(name)
            .into_iter()
            .flat_map(|list| list.split(',').map(str::trim))
    };
    let argo = items(annotation::HOOK_DELETE_POLICY).filter_map(|item| match item {
        "HookSucceeded" => Some(DeletePolicy::HookSucceeded),
        "HookFailed" => Some(DeletePolicy::HookFailed),
        "BeforeHookCreation" => Some(DeletePolicy::BeforeHookCreation),
        _ => None,
    });
    let helm = items(annotation::HELM_HOOK_DELETE_POLICY).filter_map(|item| match item {
        "hook-succeeded" => Some(DeletePolicy::HookSucceeded),
        "hook-failed" => Some(DeletePolicy::HookFailed),
        "before-hook-creation" => Some(DeletePolicy::BeforeHookCreation),
        _ => None,
    });
    let mut policies: BTreeSet<_> = argo.chain(helm).collect();
    if policies.is_empty() {
        policies.insert(DeletePolicy::BeforeHookCreation);
    }
    policies
}

/// The name of a hook that has only `generateName`: the same in every step of one operation [F3.17].
pub fn generated_name(generate_name: &str, revision: &str, phase: &str, started_at: Timestamp) -> String {
    let short: String = if revision.chars().count() >= 8 {
        revision.chars().take(7).collect()
    } else {
        revision.into()
    };
    let suffix = format!("{short}-{phase}-{}", started_at.as_second()).to_lowercase();
    format!("{generate_name}{suffix}")
}

/// Names the run a hook is made for: operation start, attempt, phase.
///
/// After a crash between making a hook and recording it, the live hook's stamp tells it from one of an earlier operation, so that it is
/// neither deleted and run again nor mistaken for done.
pub fn stamp(started_at: Timestamp, attempt: i64, phase: &str) -> String {
    format!("{}.{attempt}.{phase}", started_at.as_second())
}

/// Returns the hook as it is applied: with stamp and finalizer.
pub fn dressed(mut hook: Object, stamp: &str) -> Object {
    hook.set_annotation(STAMP_ANNOTATION, Arc::<str>::from(stamp));
    if !has_finalizer(&hook) {
        let mut finalizers = hook.value().list_at(&["metadata", "finalizers"]).to_vec();
        finalizers.push(annotation::FINALIZER_HOOK.into());
        hook.value_mut()
            .set_at(&["metadata", "finalizers"], Value::list(finalizers));
    }
    hook
}

/// Whether an object carries the hook finalizer.
pub fn has_finalizer(object: &Object) -> bool {
    object.finalizers().any(|f| f == annotation::FINALIZER_HOOK)
}

/// The merge patch that takes the hook finalizer off and leaves the others.
pub fn finalizer_release(live: &Object) -> Value {
    let kept: Vec<Value> = live
        .finalizers()
        .filter(|f| *f != annotation::FINALIZER_HOOK)
        .map(Value::from)
        .collect();
    let mut patch = Value::map();
    let value = if kept.is_empty() {
        Value::Null
    } else {
        Value::list(kept)
    };
    patch.set_at(&["metadata", "finalizers"], value);
    patch
}
