use super::super::table::{CRON_JOBS, JOBS};
use super::*;
use crate::store::DeleteOptions;

fn job(name: &str, image: &str, spec: &str) -> String {
    format!(
        r#"{{"apiVersion":"batch/v1","kind":"Job","metadata":{{"name":"{name}","namespace":"default"}},
        "spec":{{{spec}"template":{{"spec":{{"restartPolicy":"Never","containers":[{{"name":"task","image":"{image}"}}]}}}}}}}}"#
    )
}

fn phases(world: &World) -> Vec<String> {
    let phase = |p: &Object| p.value().str_at(&["status", "phase"]).unwrap_or_default().to_owned();
    world.pods().iter().map(phase).collect()
}

#[test]
fn a_job_completes() {
    let mut world = World::new();
    world.put(
        &JOBS,
        &job("migrate", "shop:1.4", r#""completions":3,"parallelism":2,"#),
    );
    world.run(500);
    let j = world.get(&JOBS, "migrate");
    assert_eq!(j.value().i64_at(&["status", "active"]), Some(2));
    world.run(5_000);
    let j = world.get(&JOBS, "migrate");
    assert_eq!(
        conditions(&j),
        [
            "SuccessCriteriaMet=True CompletionsReached",
            "Complete=True CompletionsReached"
        ]
    );
    assert_eq!(j.value().i64_at(&["status", "succeeded"]), Some(3));
    assert!(j.value().str_at(&["status", "completionTime"]).is_some());
    assert_eq!(phases(&world), ["Succeeded", "Succeeded", "Succeeded"]);
    assert!(world.pods().iter().all(|p| p.finalizers().next().is_none()));
    assert!(world.said("migrate").contains(&"Completed".to_owned()));
    world.rests(3_600_000);
}

#[test]
fn a_job_that_fails_too_often_has_failed() {
    let mut world = World::new();
    world.put(
        &JOBS,
        &job(
            "migrate",
            "shop:fail",
            r#""backoffLimit":2,"completions":1,"parallelism":1,"#,
        ),
    );
    world.run(20_000);
    let j = world.get(&JOBS, "migrate");
    assert_eq!(
        conditions(&j),
        [
            "FailureTarget=True BackoffLimitExceeded",
            "Failed=True BackoffLimitExceeded"
        ]
    );
    assert_eq!(j.value().i64_at(&["status", "failed"]), Some(3));
    assert_eq!(phases(&world), ["Failed", "Failed", "Failed"]);
    world.rests(600_000);
}

#[test]
fn a_job_that_is_never_pulled_runs_into_its_deadline() {
    let mut world = World::new();
    world.put(&JOBS, &job("migrate", "shop:broken", r#""activeDeadlineSeconds":4,"#));
    world.run(3_000);
    assert_eq!(phases(&world), ["Pending"]);
    world.run(3_000);
    let j = world.get(&JOBS, "migrate");
    assert_eq!(
        conditions(&j),
        ["FailureTarget=True DeadlineExceeded", "Failed=True DeadlineExceeded"]
    );
    assert!(world.pods().is_empty());
    world.rests(60_000);
}

#[test]
fn a_suspended_job_waits() {
    let mut world = World::new();
    world.put(&JOBS, &job("migrate", "shop:1", r#""suspend":true,"#));
    world.run(2_000);
    assert!(world.pods().is_empty());
    assert_eq!(
        conditions(&world.get(&JOBS, "migrate")),
        ["Suspended=True JobSuspended"]
    );
    world.rests(60_000);
    world.edit(&JOBS, "migrate", |j| j.set_at(&["spec", "suspend"], false.into()));
    world.run(3_000);
    assert!(conditions(&world.get(&JOBS, "migrate")).contains(&"Complete=True CompletionsReached".to_owned()));
}

#[test]
fn a_pod_deleted_while_it_runs_counts_as_failed_and_is_replaced() {
    let mut world = World::new();
    world.put(&JOBS, &job("migrate", "shop:1", ""));
    world.run(400);
    let pod = world.pods().remove(0);
    assert_eq!(phases(&world), ["Running"]);
    world
        .store
        .delete(&PODS, "default", pod.name(), &DeleteOptions::default())
        .expect("deleted");
    world.run(5_000);
    let j = world.get(&JOBS, "migrate");
    assert_eq!(j.value().i64_at(&["status", "failed"]), Some(1));
    assert_eq!(j.value().i64_at(&["status", "succeeded"]), Some(1));
    assert_eq!(phases(&world), ["Succeeded"]);
}

#[test]
fn a_finished_job_goes_when_its_time_is_over() {
    let mut world = World::new();
    world.put(&JOBS, &job("migrate", "shop:1", r#""ttlSecondsAfterFinished":10,"#));
    world.run(8_000);
    assert!(world.get(&JOBS, "migrate").deletion_timestamp().is_none());
    world.run(6_000);
    assert!(world.store.get(&JOBS, "default", "migrate").is_err());
    assert!(world.pods().is_empty());
    world.rests(60_000);
}

#[test]
fn pods_of_a_deleted_job_are_not_held() {
    let mut world = World::new();
    world.put(&JOBS, &job("migrate", "shop:broken", ""));
    world.run(1_000);
    world
        .store
        .delete(&JOBS, "default", "migrate", &DeleteOptions::default())
        .expect("deleted");
    world.run(1_000);
    assert!(world.pods().is_empty());
}

fn cron(policy: &str, image: &str) -> String {
    format!(
        r#"{{"apiVersion":"batch/v1","kind":"CronJob","metadata":{{"name":"report","namespace":"default"}},
        "spec":{{"schedule":"*/2 * * * *","concurrencyPolicy":"{policy}","successfulJobsHistoryLimit":2,
        "jobTemplate":{{"metadata":{{"labels":{{"a":"b"}}}},"spec":{{"template":{{"spec":{{"restartPolicy":"Never",
        "containers":[{{"name":"task","image":"{image}"}}]}}}}}}}}}}}}"#
    )
}

fn job_names(world: &World) -> Vec<String> {
    world
        .list(&JOBS)
        .iter()
        .filter(|j| j.deletion_timestamp().is_none())
        .map(|j| j.name().to_owned())
        .collect()
}

#[test]
fn a_cron_job_starts_jobs_on_time_and_keeps_a_short_history() {
    let mut world = World::new();
    world.put(&CRON_JOBS, &cron("Allow", "shop:1"));
    world.run(119_000);
    assert!(job_names(&world).is_empty());
    world.run(2_000);
    // Minutes since 1970 at 2026-01-01T00:02:00Z.
    assert_eq!(job_names(&world), ["report-29453762"]);
    let c = world.get(&CRON_JOBS, "report");
    assert_eq!(
        c.value().str_at(&["status", "lastScheduleTime"]),
        Some("2026-01-01T00:02:00Z")
    );
    world.run(480_000);
    assert_eq!(job_names(&world), ["report-29453768", "report-29453770"]);
    let c = world.get(&CRON_JOBS, "report");
    assert!(c.value().str_at(&["status", "lastSuccessfulTime"]).is_some());
    assert!(c.value().list_at(&["status", "active"]).is_empty());
    let seen = world.said("report");
    assert!(seen.contains(&"SawCompletedJob".to_owned()) && seen.contains(&"SuccessfulDelete".to_owned()));
    world.edit(&CRON_JOBS, "report", |c| c.set_at(&["spec", "suspend"], true.into()));
    world.run(1_000);
    world.rests(600_000);
}

#[test]
fn concurrency_is_as_the_policy_says() {
    let after = |policy: &str| {
        let mut world = World::new();
        world.put(&CRON_JOBS, &cron(policy, "shop:broken"));
        world.run(250_000);
        job_names(&world)
    };
    assert_eq!(after("Allow").len(), 2);
    assert_eq!(after("Forbid"), ["report-29453762"]);
    assert_eq!(after("Replace"), ["report-29453764"]);
}
