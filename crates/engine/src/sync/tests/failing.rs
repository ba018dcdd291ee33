//! Refusals, failures, dry runs, termination.

use super::scenario::check;

#[test]
fn one_refused_dry_run_stops_everything() {
    check(
        "target ConfigMap/a
         target Deployment/web
         refuse dry-run Deployment/web Invalid spec.replicas: Invalid value: -1
         run
         results",
        "dry-run: ConfigMap/a Deployment/web
         Failed: one or more objects failed to apply (dry run)
         Deployment/web Sync SyncFailed Failed spec.replicas: Invalid value: -1",
    );
}

#[test]
fn dry_runs_that_say_nothing_about_the_object() {
    check(
        "target Pod/p
         target ServiceAccount/sa
         target Deployment/web
         refuse dry-run Pod/p Forbidden error looking up service account shop/sa: serviceaccount \"sa\" not found
         refuse dry-run Deployment/web Invalid admission webhook \"x\" does not support dry run
         run",
        "dry-run: ServiceAccount/sa Pod/p Deployment/web
         apply: ServiceAccount/sa
         apply: Pod/p
         apply: Deployment/web
         Succeeded: successfully synced (all tasks run)",
    );
}

#[test]
fn a_dry_run_operation_writes_nothing() {
    check(
        "op dry-run prune
         target Job/pre hook=PreSync
         target ConfigMap/a
         target Widget/w
         target CustomResourceDefinition/widgets defines=Widget
         live ConfigMap/a tracked
         live ConfigMap/old tracked
         run
         results",
        "dry-run: Job/pre ConfigMap/a CustomResourceDefinition/widgets
         Succeeded: successfully synced (no more tasks)
         Job/pre hook PreSync PreSync Synced Succeeded job.batch/pre created (dry run)
         ConfigMap/a Sync Synced Succeeded configmap/a configured (dry run)
         CustomResourceDefinition/widgets Sync Synced Succeeded \
         customresourcedefinition.apiextensions.k8s.io/widgets created (dry run)
         ConfigMap/old Sync Pruned Succeeded pruned (dry run)
         Widget/w Sync Synced Succeeded widget.example.com/w created (dry run)",
    );
}

#[test]
fn a_refused_object_does_not_keep_its_wave_back_but_the_next() {
    check(
        "target ConfigMap/a
         target Secret/s
         target ConfigMap/later wave=1
         refuse write Secret/s Invalid data: too long
         run
         results",
        "dry-run: Secret/s ConfigMap/a ConfigMap/later
         apply: Secret/s
         apply: ConfigMap/a
         Failed: one or more objects failed to apply, reason: data: too long
         Secret/s Sync SyncFailed Failed data: too long
         ConfigMap/a Sync Synced Running configmap/a created",
    );
}

#[test]
fn degraded_objects_stop_the_next_wave() {
    check(
        "target Deployment/a
         target Deployment/b
         target ConfigMap/later wave=1
         run
         health Deployment/a Degraded
         run
         health Deployment/b Healthy
         run",
        "dry-run: Deployment/a Deployment/b ConfigMap/later
         apply: Deployment/a Deployment/b
         Running: waiting for healthy state of apps/Deployment/a and 1 more resources
         Running: waiting for healthy state of apps/Deployment/b
         Failed: one or more synchronization tasks completed unsuccessfully",
    );
}

#[test]
fn sync_fail_hooks_run_after_a_failure_only() {
    check(
        "target ConfigMap/a
         target Job/alarm hook=SyncFail policy=HookSucceeded
         refuse write ConfigMap/a Invalid no
         run
         health Job/alarm Healthy
         run",
        "dry-run: ConfigMap/a Job/alarm
         apply: ConfigMap/a
         apply: Job/alarm
         Running: waiting for completion of hook batch/Job/alarm
         release: Job/alarm
         delete: Job/alarm
         Failed: one or more synchronization tasks completed unsuccessfully, reason: no",
    );
    check(
        "target ConfigMap/a
         target Job/alarm hook=SyncFail
         run",
        "dry-run: ConfigMap/a Job/alarm
         apply: ConfigMap/a
         Succeeded: successfully synced (all tasks run)",
    );
    check(
        "target ConfigMap/a
         target Job/alarm hook=SyncFail
         refuse write ConfigMap/a Invalid no
         refuse write Job/alarm Forbidden not you
         run",
        "dry-run: ConfigMap/a Job/alarm
         apply: ConfigMap/a
         apply: Job/alarm
         Failed: one or more synchronization tasks completed unsuccessfully, reason: no
         one or more SyncFail hooks failed, reason: not you",
    );
}

#[test]
fn a_failure_does_not_wait_for_a_hook_that_must_go_first() {
    check(
        "target Job/a hook=Sync
         target Job/b hook=Sync
         live Job/a old
         live Job/b old
         linger Job/b
         refuse write Job/a Forbidden jobs \"a\" is forbidden
         run",
        "dry-run: Job/a Job/b
         delete: Job/a Job/b
         Failed: one or more synchronization tasks completed unsuccessfully",
    );
}

#[test]
fn not_permitted_and_unknown_kinds() {
    check(
        "target ConfigMap/a
         target Mystery/m
         target Deployment/web
         target Deployment/web2
         forbid Deployment
         run
         results",
        "Failed: one or more synchronization tasks are not valid: resource apps:Deployment is not permitted in project shop; whether \
         Mystery.example.com is served is unknown: discovery of example.com failed
         Deployment/web Sync SyncFailed  resource apps:Deployment is not permitted in project shop
         Deployment/web2 Sync SyncFailed  resource apps:Deployment is not permitted in project shop
         Mystery/m Sync SyncFailed  whether Mystery.example.com is served is unknown: discovery of example.com failed",
    );
}

#[test]
fn a_project_made_stricter_stops_the_next_wave() {
    check(
        "target Deployment/a
         target Secret/b wave=1
         run
         forbid Secret
         run",
        "dry-run: Deployment/a Secret/b
         apply: Deployment/a
         Running: waiting for healthy state of apps/Deployment/a
         Failed: one or more synchronization tasks are not valid: resource :Secret is not permitted in project shop",
    );
}

#[test]
fn the_namespace_is_made_before_the_dry_run() {
    check(
        "gone Namespace/shop
         op opt:CreateNamespace=true label:team
         target ConfigMap/a
         target Job/pre hook=PreSync wave=-3
         quick
         run
         results
         content Namespace/shop",
        "apply: Namespace/shop
         dry-run: Job/pre ConfigMap/a
         apply: Job/pre
         release: Job/pre
         apply: ConfigMap/a
         Succeeded: successfully synced (all tasks run)
         Namespace/shop PreSync Synced Succeeded namespace/shop serverside-applied
         Job/pre hook PreSync PreSync Synced Succeeded job.batch/pre created
         ConfigMap/a Sync Synced Running configmap/a created
         {\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"annotations\":{\"argocd.argoproj.io/sync-options\":\
         \"ServerSideApply=true\"},\"labels\":{\"team\":\"yes\"},\"name\":\"shop\",\"resourceVersion\":\"4\",\"uid\":\"u3\"},\
         \"status\":{\"health\":\"Healthy\"}}",
    );
    check(
        "gone Namespace/shop
         op opt:CreateNamespace=true
         target ConfigMap/a
         refuse write Namespace/shop Forbidden namespaces is forbidden
         run",
        "apply: Namespace/shop
         Failed: the namespace failed to apply, reason: namespaces is forbidden",
    );
    // Its own manifest takes the place of the option.
    check(
        "gone Namespace/shop
         op opt:CreateNamespace=true
         target Namespace/shop wave=4
         target ConfigMap/a
         run",
        "apply: Namespace/shop
         dry-run: ConfigMap/a
         apply: ConfigMap/a
         Succeeded: successfully synced (all tasks run)",
    );
    // It is there already.
    check(
        "op opt:CreateNamespace=true
         target ConfigMap/a
         run",
        "dry-run: ConfigMap/a
         apply: ConfigMap/a
         Succeeded: successfully synced (all tasks run)",
    );
}

#[test]
fn shared_resources_fail_if_asked() {
    check(
        "op opt:FailOnSharedResource=true shared:ConfigMap/a
         target ConfigMap/a
         run",
        "Failed: Shared resource found: ConfigMap/a",
    );
}

#[test]
fn termination_deletes_running_hooks_and_lets_finished_ones_go() {
    check(
        "target Job/done hook=PreSync wave=-1
         target Job/a hook=PreSync
         target Job/b hook=PreSync
         target ConfigMap/c
         run
         health Job/done Healthy
         run
         op terminate
         run
         results",
        "dry-run: Job/done Job/a Job/b ConfigMap/c
         apply: Job/done
         Running: waiting for completion of hook batch/Job/done
         release: Job/done
         apply: Job/a Job/b
         Running: waiting for completion of hook batch/Job/a and 1 more hooks
         release: Job/a Job/b
         delete: Job/a Job/b
         Failed: Operation terminated
         Job/done hook PreSync PreSync Synced Succeeded job.batch/done created
         Job/a hook PreSync PreSync Synced Succeeded Deleted
         Job/b hook PreSync PreSync Synced Succeeded Deleted",
    );
    check("target ConfigMap/a\nop terminate\nrun", "Failed: Operation terminated");
    check(
        "target Job/a hook=PreSync
         run
         op timeout
         refuse write Job/a Forbidden no
         run",
        "dry-run: Job/a
         apply: Job/a
         Running: waiting for completion of hook batch/Job/a
         release: Job/a
         Error: Operation termination had errors, triggered by controller sync timeout",
    );
}

#[test]
fn retryable_trouble_with_a_hook_is_tried_again_slowly() {
    check(
        "target Job/a hook=PreSync
         quick
         refuse write Job/a Unavailable etcd is down
         run
         op retry
         run
         ",
        "dry-run: Job/a
         apply: Job/a
         Failed: one or more objects failed to apply, reason: etcd is down
         dry-run: Job/a
         apply: Job/a
         release: Job/a
         Succeeded: successfully synced (no more tasks)",
    );
}
