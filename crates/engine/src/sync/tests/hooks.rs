//! Hooks: when they run, what they are called, how they end, and when they go.

use super::scenario::check;

#[test]
fn helm_hooks() {
    check(
        "target Job/before helm=pre-install,pre-upgrade
         target Job/after helm=post-upgrade
         target Job/tried helm=test
         target Job/back helm=post-rollback
         target Job/unloved helm=pre-install hook=Skip
         target ConfigMap/crd helm=crd-install
         quick
         run",
        "dry-run: Job/before ConfigMap/crd Job/after
         apply: Job/before
         release: Job/before
         apply: ConfigMap/crd
         apply: Job/after
         release: Job/after
         Succeeded: successfully synced (no more tasks)",
    );
}

#[test]
fn a_hook_of_two_phases_is_made_twice() {
    check(
        "target Job/both hook=PreSync,PostSync
         target ConfigMap/a
         quick
         run
         results",
        "dry-run: Job/both ConfigMap/a Job/both
         apply: Job/both
         release: Job/both
         apply: ConfigMap/a
         delete: Job/both
         apply: Job/both
         release: Job/both
         Succeeded: successfully synced (no more tasks)
         Job/both hook PreSync PreSync Synced Succeeded job.batch/both created
         ConfigMap/a Sync Synced Succeeded configmap/a created
         Job/both hook PostSync PostSync Synced Succeeded job.batch/both created",
    );
}

#[test]
fn generated_names_stay_the_same_in_one_operation() {
    check(
        "target Job/x generate=migrate-DB- hook=PreSync
         quick
         run
         results",
        "dry-run: Job/migrate-DB-0123456-presync-1767323045
         apply: Job/migrate-DB-0123456-presync-1767323045
         release: Job/migrate-DB-0123456-presync-1767323045
         Succeeded: successfully synced (no more tasks)
         Job/migrate-DB-0123456-presync-1767323045 hook PreSync PreSync Synced Succeeded \
         job.batch/migrate-DB-0123456-presync-1767323045 created",
    );
}

#[test]
fn a_hook_of_an_earlier_run_goes_first() {
    check(
        "target Job/pre hook=PreSync
         live Job/pre old finalizer health=Healthy
         linger Job/pre
         run
         gone Job/pre
         run
         health Job/pre Healthy
         run",
        "dry-run: Job/pre
         release: Job/pre
         delete: Job/pre
         Running: waiting for deletion of hook batch/Job/pre
         apply: Job/pre
         Running: waiting for completion of hook batch/Job/pre
         release: Job/pre
         Succeeded: successfully synced (no more tasks)",
    );
}

#[test]
fn without_before_hook_creation_it_is_applied_over() {
    check(
        "target Job/pre hook=PreSync policy=HookSucceeded
         live Job/pre old
         run
         health Job/pre Healthy
         run",
        "dry-run: Job/pre
         apply: Job/pre
         Running: waiting for completion of hook batch/Job/pre
         release: Job/pre
         delete: Job/pre
         Succeeded: successfully synced (no more tasks)",
    );
}

#[test]
fn delete_policies_by_result() {
    check(
        "target Job/a hook=PreSync policy=HookFailed
         target Job/b hook=PreSync policy=HookSucceeded
         target Job/c hook=PreSync policy=HookSucceeded helm-policy=hook-failed,nonsense
         run
         health Job/a Healthy
         health Job/b Healthy
         health Job/c Degraded
         run",
        "dry-run: Job/a Job/b Job/c
         apply: Job/a Job/b Job/c
         Running: waiting for completion of hook batch/Job/a and 2 more hooks
         release: Job/a Job/b Job/c
         delete: Job/b Job/c
         Failed: one or more synchronization tasks completed unsuccessfully",
    );
}

#[test]
fn health_decides_and_kinds_without_health_succeed_at_once() {
    check(
        "target ConfigMap/plain hook=PreSync
         target Job/suspended hook=PreSync
         target Job/unknown hook=Sync
         run
         health Job/suspended Suspended
         run
         health Job/suspended Healthy
         run
         health Job/unknown Unknown
         message Job/unknown BackoffLimitExceeded
         run
         results",
        "dry-run: ConfigMap/plain Job/suspended Job/unknown
         apply: ConfigMap/plain
         apply: Job/suspended
         Running: waiting for completion of hook batch/Job/suspended
         Running: waiting for completion of hook batch/Job/suspended
         release: ConfigMap/plain Job/suspended
         apply: Job/unknown
         Running: waiting for completion of hook batch/Job/unknown
         release: Job/unknown
         Failed: one or more synchronization tasks completed unsuccessfully
         ConfigMap/plain hook PreSync PreSync Synced Succeeded configmap/plain created
         Job/suspended hook PreSync PreSync Synced Succeeded job.batch/suspended created
         Job/unknown hook Sync Sync Synced Failed BackoffLimitExceeded",
    );
}

#[test]
fn a_vanished_hook_failed() {
    check(
        "target Job/pre hook=PreSync
         target ConfigMap/a
         run
         gone Job/pre
         run
         results",
        "dry-run: Job/pre ConfigMap/a
         apply: Job/pre
         Running: waiting for completion of hook batch/Job/pre
         Failed: one or more synchronization tasks completed unsuccessfully
         Job/pre hook PreSync PreSync Synced Failed Resource batch/Job/pre is missing, it might have been deleted",
    );
}

#[test]
fn a_hook_that_is_not_seen_is_not_gone() {
    check(
        "target Job/pre hook=PreSync
         run
         unreadable Job the watch of jobs is behind
         run
         readable Job
         health Job/pre Healthy
         run",
        "dry-run: Job/pre
         apply: Job/pre
         Running: waiting for completion of hook batch/Job/pre
         Running: waiting to see batch/Job/pre: the watch of jobs is behind
         release: Job/pre
         Succeeded: successfully synced (no more tasks)",
    );
}

#[test]
fn a_finished_hook_that_is_deleted_early_is_still_seen() {
    // The finalizer holds a Job that its TTL deletes right after it completed.
    check(
        "target Job/pre hook=PreSync
         run
         live Job/pre stamp=PreSync finalizer hook=PreSync health=Healthy deleting=2026-01-02T03:04:05Z
         run",
        "dry-run: Job/pre
         apply: Job/pre
         Running: waiting for completion of hook batch/Job/pre
         release: Job/pre
         Succeeded: successfully synced (no more tasks)",
    );
}

#[test]
fn a_running_hook_that_someone_deletes_fails_and_is_let_go() {
    check(
        "target Job/pre hook=PreSync
         run
         live Job/pre stamp=PreSync finalizer hook=PreSync deleting=2026-01-02T03:04:35Z
         run
         tick 30
         run",
        "dry-run: Job/pre
         apply: Job/pre
         Running: waiting for completion of hook batch/Job/pre
         Running: waiting for completion of hook batch/Job/pre
         release: Job/pre
         Failed: one or more synchronization tasks completed unsuccessfully",
    );
}

#[test]
fn hooks_and_objects_waited_for_together() {
    check(
        "target ConfigMap/early wave=-1
         target Job/a hook=Sync
         target Deployment/web
         run
         health Job/a Healthy
         run
         health Deployment/web Healthy
         run",
        "dry-run: ConfigMap/early Deployment/web Job/a
         apply: ConfigMap/early
         apply: Deployment/web
         apply: Job/a
         Running: waiting for healthy state of apps/Deployment/web and 1 more resources
         Running: waiting for healthy state of apps/Deployment/web
         release: Job/a
         Succeeded: successfully synced (no more tasks)",
    );
}

#[test]
fn a_retry_runs_its_hooks_again() {
    check(
        "target Job/pre hook=PreSync
         run
         health Job/pre Degraded
         run
         op retry
         run",
        "dry-run: Job/pre
         apply: Job/pre
         Running: waiting for completion of hook batch/Job/pre
         release: Job/pre
         Failed: one or more synchronization tasks completed unsuccessfully
         dry-run: Job/pre
         delete: Job/pre
         apply: Job/pre
         Running: waiting for completion of hook batch/Job/pre",
    );
}
