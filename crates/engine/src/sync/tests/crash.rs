//! The process dies between any two effects, and the operation goes on.

use super::scenario::check;

#[test]
fn a_lost_dry_run_is_made_again() {
    check(
        "target ConfigMap/a
         step
         crash
         run",
        "dry-run: ConfigMap/a
         dry-run: ConfigMap/a
         apply: ConfigMap/a
         Succeeded: successfully synced (all tasks run)",
    );
}

#[test]
fn a_hook_that_was_made_but_not_recorded_is_taken_up() {
    // It is neither deleted as one of an earlier run, nor made twice.
    check(
        "target Job/pre hook=PreSync
         target ConfigMap/a
         step
         step
         crash
         run
         health Job/pre Healthy
         run
         results",
        "dry-run: Job/pre ConfigMap/a
         apply: Job/pre
         Running: waiting for completion of hook batch/Job/pre
         release: Job/pre
         apply: ConfigMap/a
         Succeeded: successfully synced (all tasks run)
         Job/pre hook PreSync PreSync Synced Succeeded job.batch/pre created
         ConfigMap/a Sync Synced Running configmap/a created",
    );
}

#[test]
fn the_dry_run_follows_the_namespace_even_after_a_crash() {
    check(
        "gone Namespace/shop
         op opt:CreateNamespace=true
         target ConfigMap/a
         step
         step
         crash
         run",
        "apply: Namespace/shop
         dry-run: ConfigMap/a
         dry-run: ConfigMap/a
         apply: ConfigMap/a
         Succeeded: successfully synced (all tasks run)",
    );
}

#[test]
fn clean_up_goes_on() {
    check(
        "target Job/pre hook=PreSync policy=HookSucceeded
         quick
         step
         step
         step
         crash
         step
         crash
         run",
        "dry-run: Job/pre
         apply: Job/pre
         release: Job/pre
         delete: Job/pre
         Succeeded: successfully synced (no more tasks)",
    );
}

#[test]
fn a_lost_apply_is_made_again_with_the_same_content() {
    // The linter compares the content.
    check(
        "target ConfigMap/a
         target ConfigMap/b wave=1
         step
         step
         step
         crash
         run",
        "dry-run: ConfigMap/a ConfigMap/b
         apply: ConfigMap/a
         apply: ConfigMap/b
         apply: ConfigMap/b
         Succeeded: successfully synced (all tasks run)",
    );
}

#[test]
fn a_lost_prune_needs_no_other() {
    check(
        "op prune
         target ConfigMap/a wave=-1
         target ConfigMap/c wave=3
         live ConfigMap/old tracked
         step
         step
         step
         crash
         run",
        "dry-run: ConfigMap/a ConfigMap/c
         apply: ConfigMap/a
         prune: ConfigMap/old
         apply: ConfigMap/c
         Succeeded: successfully synced (all tasks run)",
    );
}

#[test]
fn termination_goes_on() {
    check(
        "target Job/a hook=PreSync
         run
         op terminate
         step
         crash
         step
         crash
         run",
        "dry-run: Job/a
         apply: Job/a
         Running: waiting for completion of hook batch/Job/a
         release: Job/a
         delete: Job/a
         Failed: Operation terminated",
    );
}

#[test]
fn what_destroys_evidence_waits_for_the_record() {
    // The finalizer was taken off, and the Job's TTL deleted it, before a restart.
    check(
        "target Job/pre hook=PreSync
         target ConfigMap/a
         run
         health Job/pre Healthy
         step
         forget
         gone Job/pre
         run",
        "dry-run: Job/pre ConfigMap/a
         apply: Job/pre
         Running: waiting for completion of hook batch/Job/pre
         release: Job/pre
         apply: ConfigMap/a
         Succeeded: successfully synced (all tasks run)",
    );
    // A SyncFail hook was made; the failure it was made for is known.
    check(
        "target ConfigMap/a
         target Job/alarm hook=SyncFail
         refuse write ConfigMap/a Invalid no
         step
         step
         step
         forget
         health Job/alarm Healthy
         run",
        "dry-run: ConfigMap/a Job/alarm
         apply: ConfigMap/a
         apply: Job/alarm
         release: Job/alarm
         Failed: one or more synchronization tasks completed unsuccessfully, reason: no",
    );
}
