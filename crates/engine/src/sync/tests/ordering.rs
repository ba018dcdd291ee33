//! What runs when.

use super::scenario::check;

#[test]
fn one_wave_ends_when_applied() {
    check(
        "target Deployment/web image=shop:1.6
         target ConfigMap/settings
         target Secret/key
         run
         results",
        "dry-run: Secret/key ConfigMap/settings Deployment/web
         apply: Secret/key
         apply: ConfigMap/settings
         apply: Deployment/web
         Succeeded: successfully synced (all tasks run)
         Secret/key Sync Synced Running secret/key created
         ConfigMap/settings Sync Synced Running configmap/settings created
         Deployment/web Sync Synced Running deployment.apps/web created [shop:1.6]",
    );
}

#[test]
fn phases_and_waves_wait_for_health() {
    check(
        "target Job/migrate hook=PreSync
         target Deployment/db wave=-1
         target Deployment/web
         target ConfigMap/a
         target Job/smoke hook=PostSync
         run
         health Job/migrate Healthy
         run
         health Deployment/db Healthy
         run
         health Deployment/web Healthy
         run
         health Job/smoke Healthy
         run",
        "dry-run: Job/migrate Deployment/db ConfigMap/a Deployment/web Job/smoke
         apply: Job/migrate
         Running: waiting for completion of hook batch/Job/migrate
         release: Job/migrate
         apply: Deployment/db
         Running: waiting for healthy state of apps/Deployment/db
         apply: ConfigMap/a
         apply: Deployment/web
         Running: waiting for healthy state of apps/Deployment/web
         apply: Job/smoke
         Running: waiting for completion of hook batch/Job/smoke
         release: Job/smoke
         Succeeded: successfully synced (no more tasks)",
    );
}

#[test]
fn kinds_then_names_inside_a_wave() {
    check(
        "target Ingress/a
         target Service/b
         target Service/a
         target Widget/a
         target CustomResourceDefinition/widgets defines=Widget
         target Namespace/other
         op skip-hooks
         run",
        // Ingress of tests is example.com, which nothing serves.
        "Failed: one or more synchronization tasks are not valid: The Kubernetes API could not find example.com/Ingress for requested \
         resource shop/a. Make sure the \"Ingress\" CRD is installed on the destination cluster.",
    );
    check(
        "target Service/b
         target Service/a
         target Pod/z
         target Job/j
         target ClusterRole/r
         target Secret/s
         run",
        "dry-run: Secret/s ClusterRole/r Service/a Service/b Pod/z Job/j
         apply: Secret/s
         apply: ClusterRole/r
         apply: Service/a Service/b
         apply: Pod/z
         apply: Job/j
         Succeeded: successfully synced (all tasks run)",
    );
}

#[test]
fn what_others_need_comes_before_them() {
    // The CRD has a later wave than the Widget hook that needs it, the Namespace a later one than its Secret: both take their places over.
    check(
        "target CustomResourceDefinition/widgets wave=5 defines=Widget
         target Widget/w hook=PreSync
         target Namespace/other wave=3
         target Secret/inside namespace=other wave=-2
         run
         established CustomResourceDefinition/widgets
         run",
        "dry-run: CustomResourceDefinition/widgets Namespace/other
         apply: CustomResourceDefinition/widgets
         Running: waiting for CustomResourceDefinition widgets to be established
         apply: Widget/w
         release: Widget/w
         apply: Namespace/other
         apply: Secret/inside
         Succeeded: successfully synced (all tasks run)",
    );
}

#[test]
fn a_crd_is_waited_for_three_seconds() {
    check(
        "target CustomResourceDefinition/widgets defines=Widget
         target Widget/w
         run
         tick 2.9
         run
         tick 0.1
         run",
        "dry-run: CustomResourceDefinition/widgets
         apply: CustomResourceDefinition/widgets
         Running: waiting for CustomResourceDefinition widgets to be established
         Running: waiting for CustomResourceDefinition widgets to be established
         apply: Widget/w
         Failed: one or more objects failed to apply, reason: the server could not find the requested resource",
    );
}

#[test]
fn a_pause_between_waves_but_not_after_the_last() {
    check(
        "quick
         op delay:2
         target ConfigMap/a wave=1
         target ConfigMap/b wave=2
         target ConfigMap/c wave=3
         run
         tick 1.5
         run
         tick 0.5
         run
         crash
         run",
        "dry-run: ConfigMap/a ConfigMap/b ConfigMap/c
         apply: ConfigMap/a
         Running: waiting until 2026-01-02T03:04:07Z before the next wave
         Running: waiting until 2026-01-02T03:04:07Z before the next wave
         apply: ConfigMap/b
         Running: waiting until 2026-01-02T03:04:09Z before the next wave
         apply: ConfigMap/c
         Succeeded: successfully synced (all tasks run)",
    );
}

#[test]
fn helm_weights_and_bad_waves() {
    check(
        "target ConfigMap/a wave=soon weight=3
         target ConfigMap/b weight=-3
         target ConfigMap/c wave=x
         quick
         run",
        "dry-run: ConfigMap/b ConfigMap/c ConfigMap/a
         apply: ConfigMap/b
         apply: ConfigMap/c
         apply: ConfigMap/a
         Succeeded: successfully synced (all tasks run)",
    );
}

#[test]
fn nothing_to_do() {
    check("run", "Succeeded: successfully synced (no more tasks)");
}

#[test]
fn only_what_is_selected_without_hooks() {
    check(
        "target Job/pre hook=PreSync
         target ConfigMap/a
         target ConfigMap/b
         live ConfigMap/old tracked
         op prune select:ConfigMap/b
         run",
        "dry-run: ConfigMap/b
         apply: ConfigMap/b
         Succeeded: successfully synced (all tasks run)",
    );
}

#[test]
fn only_what_is_out_of_sync() {
    check(
        "target ConfigMap/a wave=1
         target ConfigMap/b wave=2
         target ConfigMap/gone wave=3
         target Job/pre hook=PreSync
         live ConfigMap/a tracked
         live ConfigMap/b tracked
         in-sync ConfigMap/a
         in-sync ConfigMap/gone
         quick
         op opt:ApplyOutOfSyncOnly=true
         run",
        "dry-run: Job/pre ConfigMap/b ConfigMap/gone
         apply: Job/pre
         release: Job/pre
         apply: ConfigMap/b
         apply: ConfigMap/gone
         Succeeded: successfully synced (all tasks run)",
    );
}
