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
