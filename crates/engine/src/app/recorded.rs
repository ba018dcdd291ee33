//! How much of a running operation has to be stored before it goes on.

use std::collections::{BTreeMap, BTreeSet};

use pintle_model::Object;
use pintle_model::application::{Application, OperationState, ResourceResult, ResultCode, SyncOperation, SyncStrategy};

use super::operation::options;
use crate::sync::options::of_object;

/// Whether enough of a running operation is stored to go on: after a crash now, the operation would end the same.
///
/// Where `repeatable` (see [`is_repeatable`]), objects that were applied may be missing from the record, as long as the record says at which
/// revision: they are applied again with the same content, and found unchanged. Everything else (hooks, prunes, failures) is stored before the
/// next step, because it cannot be found out again from the cluster (I-9, I-11).
pub fn is_recorded(stored: Option<&OperationState>, now: &OperationState, repeatable: bool) -> bool {
    let stored = stored
        .filter(|s| s.started_at == now.started_at && s.retry_count == now.retry_count)
        .and_then(|s| s.sync_result.as_ref());
    let Some(now) = now.sync_result.as_ref() else {
        return stored.is_none_or(|s| s.resources.is_empty());
    };
    let Some(stored) = stored else {
        return now.resources.is_empty();
    };
    let same_place = stored.revision == now.revision
        && stored.revisions == now.revisions
        && stored.source == now.source
        && stored.sources == now.sources;
    if !same_place {
        return now.resources.is_empty() && stored.resources.is_empty();
    }
    let is_plain = |r: &ResourceResult| {
        repeatable && r.hook_type.is_unset() && r.status == ResultCode::Synced && !r.hook_phase.is_failed()
    };
    let known: BTreeMap<ResultId<'_>, &ResourceResult> =
        stored.resources.iter().map(|r| (ResultId::of(r), r)).collect();
    let is_stored = |r: &ResourceResult| known.get(&ResultId::of(r)).is_some_and(|s| *s == r);
    let said: BTreeSet<ResultId<'_>> = now.resources.iter().map(ResultId::of).collect();
    // What is stored and no longer said would come back after a crash.
    known.keys().all(|id| said.contains(id)) && now.resources.iter().all(|r| is_stored(r) || is_plain(r))
}

/// Whether applying these objects a second time finds them as the first time left them: nothing is replaced, deleted and made anew, or made
/// under a name that the server chooses.
pub fn is_repeatable(objects: &[Object]) -> bool {
    objects.iter().all(|object| {
        let own = of_object(object);
        !(own.replace || own.force || object.name().is_empty())
    })
}

/// Whether the options of an operation leave its objects repeatable; see [`is_repeatable`].
pub fn has_repeatable_options(app: &Application, sync: &SyncOperation) -> bool {
    let options = options(app, sync);
    let forced = sync.sync_strategy.as_ref().is_some_and(SyncStrategy::force);
    !(forced || options.replace || options.force)
}

/// Names one result of an operation.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct ResultId<'a>(&'a str, &'a str, &'a str, &'a str, &'a str);

impl<'a> ResultId<'a> {
    fn of(r: &'a ResourceResult) -> Self {
        Self(&r.group, &r.kind, &r.namespace, &r.name, r.sync_phase.as_str())
    }
}

#[cfg(test)]
mod tests {
    use pintle_model::application::{HookType, OperationPhase, SyncResult};
    use pintle_model::{Gvk, annotation};

    use super::*;

    fn result(name: &str, status: ResultCode) -> ResourceResult {
        ResourceResult {
            kind: "ConfigMap".into(),
            name: name.into(),
            status,
            ..ResourceResult::default()
        }
    }

    fn at(revision: &str, resources: Vec<ResourceResult>) -> OperationState {
        OperationState {
            started_at: "2026-01-01T00:00:00Z".parse().ok(),
            sync_result: Some(SyncResult {
                revision: revision.into(),
                resources,
                ..SyncResult::default()
            }),
            ..OperationState::default()
        }
    }

    #[track_caller]
    fn check(stored: &OperationState, now: &OperationState, repeatable: bool, expected: bool) {
        assert_eq!(is_recorded(Some(stored), now, repeatable), expected);
    }

    #[test]
    fn what_was_applied_may_lag_where_it_can_be_applied_again() {
        let a = || result("a", ResultCode::Synced);
        check(&at("r", vec![]), &at("r", vec![a()]), true, true);
        check(&at("r", vec![]), &at("r", vec![a()]), false, false);
        check(&at("r", vec![a()]), &at("r", vec![a()]), false, true);
        let healthy = ResourceResult {
            hook_phase: OperationPhase::Succeeded,
            ..a()
        };
        check(&at("r", vec![a()]), &at("r", vec![healthy]), true, true);
    }

    #[test]
    fn hooks_prunes_and_failures_are_stored_first() {
        let hook = ResourceResult {
            hook_type: HookType::PreSync,
            ..result("h", ResultCode::Synced)
        };
        for r in [
            hook,
            result("p", ResultCode::Pruned),
            result("f", ResultCode::SyncFailed),
        ] {
            check(&at("r", vec![]), &at("r", vec![r.clone()]), true, false);
            check(&at("r", vec![r.clone()]), &at("r", vec![r.clone()]), true, true);
            check(&at("r", vec![r]), &at("r", vec![]), true, false);
        }
    }

    #[test]
    fn nothing_is_applied_before_its_revision_is_stored() {
        let a = || result("a", ResultCode::Synced);
        check(&OperationState::default(), &at("r", vec![a()]), true, false);
        check(&at("q", vec![a()]), &at("r", vec![a()]), true, false);
        let of_another_run = OperationState {
            retry_count: 1,
            ..at("r", vec![a()])
        };
        check(&of_another_run, &at("r", vec![a()]), true, false);
        assert!(!is_recorded(None, &at("r", vec![a()]), true));
        assert!(
            is_recorded(None, &at("r", vec![]), true),
            "a dry run may go out side by side with it"
        );
    }

    #[test]
    fn what_is_replaced_or_named_by_the_server_is_not_repeatable() {
        let object = |name: &str, options: &str| {
            let mut object = Object::bare(&Gvk::new("", "v1", "ConfigMap"), "ns", name);
            if !options.is_empty() {
                object.set_annotation(annotation::SYNC_OPTIONS, options);
            }
            object
        };
        assert!(is_repeatable(&[
            object("a", ""),
            object("b", "Prune=false,ServerSideApply=true")
        ]));
        for bad in [object("a", "Replace=true"), object("a", "Force=true"), object("", "")] {
            assert!(!is_repeatable(&[object("a", ""), bad]));
        }
        let app = Application::default();
        let with = |options: &[&str]| SyncOperation {
            sync_options: options.iter().map(|o| (*o).to_owned()).collect(),
            ..SyncOperation::default()
        };
        assert!(has_repeatable_options(&app, &with(&["CreateNamespace=true"])));
        assert!(!has_repeatable_options(&app, &with(&["Replace=true"])));
    }
}
