//! What is deleted, and what is not.

use super::scenario::check;

#[test]
fn prune_is_off_unless_asked_for() {
    check(
        "live ConfigMap/old tracked
         run
         results",
        "Succeeded: successfully synced (all tasks run)
         ConfigMap/old Sync PruneSkipped Succeeded ignored (requires pruning)",
    );
}

#[test]
fn only_tracked_plain_unowned_objects_are_pruned() {
    check(
        "op prune
         target ConfigMap/kept
         target ConfigMap/skipped hook=Skip
         target Job/hooked hook=PostSync
         live ConfigMap/kept tracked
         live ConfigMap/skipped tracked
         live ConfigMap/foreign
         live ConfigMap/owned tracked owned
         live Job/hooked tracked
         live Job/old-hook tracked hook=PreSync
         live ConfigMap/old tracked
         live ConfigMap/never tracked opt=Prune=false
         live ConfigMap/own-skip tracked hook=Skip
         op skip-hooks
         run
         results",
        "dry-run: ConfigMap/kept
         prune: ConfigMap/old
         apply: ConfigMap/kept
         Succeeded: successfully synced (all tasks run)
         ConfigMap/never Sync PruneSkipped Succeeded ignored (no prune)
         ConfigMap/old Sync Pruned Succeeded pruned
         ConfigMap/kept Sync Synced Running configmap/kept configured",
    );
}

#[test]
fn an_object_served_in_two_groups_is_not_pruned_in_the_other() {
    check(
        "op prune
         target ConfigMap/a
         live ConfigMap/a tracked
         live ConfigMap/b tracked
         mirror ConfigMap/a extensions
         run",
        "dry-run: ConfigMap/a
         prune: ConfigMap/b
         apply: ConfigMap/a
         Succeeded: successfully synced (all tasks run)",
    );
}

#[test]
fn an_object_may_ask_for_what_its_application_declines() {
    check(
        "op prune opt:Prune=false
         live ConfigMap/a tracked opt=Prune=true
         live ConfigMap/b tracked
         run
         results",
        "prune: ConfigMap/a
         Succeeded: successfully synced (all tasks run)
         ConfigMap/b Sync PruneSkipped Succeeded ignored (no prune)
         ConfigMap/a Sync Pruned Succeeded pruned",
    );
}

#[test]
fn a_kind_that_cannot_be_read_is_not_pruned_and_the_others_are() {
    check(
        "op prune
         live Secret/s tracked
         live ConfigMap/c tracked
         unreadable Secret the watch of Secret failed: forbidden
         run
         results",
        "prune: ConfigMap/c
         Succeeded: successfully synced (all tasks run)
         Secret/s Sync PruneSkipped Succeeded ignored (not pruned: the watch of Secret failed: forbidden)
         ConfigMap/c Sync Pruned Succeeded pruned",
    );
}

#[test]
fn prune_waves_are_mirrored_and_waited_for() {
    check(
        "op prune
         live ConfigMap/first tracked wave=0
         live ConfigMap/second tracked wave=1
         live ConfigMap/third tracked wave=2
         linger ConfigMap/third
         run
         gone ConfigMap/third
         run",
        "prune: ConfigMap/third
         Running: waiting for deletion of /ConfigMap/third
         prune: ConfigMap/second
         prune: ConfigMap/first
         Succeeded: successfully synced (all tasks run)",
    );
}

#[test]
fn prune_last() {
    check(
        "op prune opt:PruneLast=true
         target ConfigMap/late wave=7
         target Deployment/web
         live ConfigMap/old tracked wave=-5
         run
         health Deployment/web Healthy
         run",
        "dry-run: Deployment/web ConfigMap/late
         apply: Deployment/web
         Running: waiting for healthy state of apps/Deployment/web
         apply: ConfigMap/late
         prune: ConfigMap/old
         Succeeded: successfully synced (all tasks run)",
    );
    check(
        "op prune
         target ConfigMap/late wave=7
         live ConfigMap/old tracked opt=PruneLast=true
         run",
        "dry-run: ConfigMap/late
         apply: ConfigMap/late
         prune: ConfigMap/old
         Succeeded: successfully synced (all tasks run)",
    );
}

#[test]
fn a_person_confirms() {
    check(
        "op prune
         target ConfigMap/new
         live ConfigMap/a tracked opt=Prune=confirm
         live ConfigMap/b tracked opt=Prune=confirm
         run
         op approve
         run",
        "dry-run: ConfigMap/new
         Running: waiting for pruning confirmation of /ConfigMap/a and 1 more resources
         prune: ConfigMap/a ConfigMap/b
         apply: ConfigMap/new
         Succeeded: successfully synced (all tasks run)",
    );
}

#[test]
fn another_incarnation_is_looked_at_again() {
    check(
        "op prune
         live ConfigMap/old tracked
         refuse write ConfigMap/old Conflict the UID in the precondition does not match
         run
         tick 1
         run",
        "prune: ConfigMap/old
         Running: trying /ConfigMap/old again: the UID in the precondition does not match
         prune: ConfigMap/old
         Succeeded: successfully synced (all tasks run)",
    );
}

#[test]
fn a_refused_prune_fails_the_sync_before_anything_is_applied() {
    check(
        "op prune
         target ConfigMap/new
         live Secret/old tracked
         refuse write Secret/old Forbidden secrets \"old\" is forbidden
         run",
        "dry-run: ConfigMap/new
         prune: Secret/old
         Failed: one or more objects failed to apply, reason: secrets \"old\" is forbidden",
    );
}

#[test]
fn automation_does_not_wipe_everything_out() {
    check(
        "op automated prune
         live ConfigMap/a tracked
         run",
        "Error: auto-sync will wipe out all resources",
    );
    check(
        "op automated prune allow-empty
         live ConfigMap/a tracked
         run",
        "prune: ConfigMap/a
         Succeeded: successfully synced (all tasks run)",
    );
    // Nothing would really go.
    check(
        "op automated prune
         live ConfigMap/a tracked opt=Prune=false
         run",
        "Succeeded: successfully synced (all tasks run)",
    );
}
