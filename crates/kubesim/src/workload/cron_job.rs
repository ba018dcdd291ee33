//! CronJobs: a Job at every time of a schedule.

use std::time::Duration;

use jiff::Timestamp;
use pintle_model::{Gvk, Map, Object, Value};

use super::condition;
use super::driver::{Context, Queue, Reconcile, Wake};
use super::job::is_finished;
use super::owner::{controlled, controller_reference};
use super::schedule::{Schedule, last_between};
use super::table::{CRON_JOBS, JOBS};
use crate::clock::{later, parse_time, rfc3339};
use crate::error::ApiError;
use crate::resource::GroupResource;
use crate::store::{Event, Name, Propagation, Store};

/// The controller.
#[derive(Default)]
pub(super) struct CronJobs;

impl Reconcile for CronJobs {
    fn name(&self) -> &'static str {
        "cronjob-controller"
    }

    fn watches(&self) -> Vec<&'static GroupResource> {
        vec![&CRON_JOBS, &JOBS]
    }

    fn observe(&mut self, _store: &Store, event: &Event, queue: &mut Queue) {
        if event.gr == *CRON_JOBS {
            queue.push(&event.key);
        } else {
            queue.push_owners(event, "batch", "CronJob");
        }
    }

    fn reconcile(&mut self, cx: &Context<'_>, key: &Name) -> Result<Wake, ApiError> {
        let cron = cx.store.get(&CRON_JOBS, &key.0, &key.1)?;
        if cron.deletion_timestamp().is_some() {
            return Ok(None);
        }
        let mut jobs = controlled(cx.store, &JOBS, &cron);
        note_ends(cx, &cron, &jobs)?;
        clean_up(cx, &cron, &jobs)?;
        let wake = run(cx, &cron, &mut jobs)?;
        write_status(cx, &cron, &jobs)?;
        Ok(wake)
    }
}

/// Starts the Job that is due; when to look again.
fn run(cx: &Context<'_>, cron: &Object, jobs: &mut Vec<Object>) -> Result<Wake, ApiError> {
    let value = cron.value();
    if value.bool_at(&["spec", "suspend"]).unwrap_or(false) {
        return Ok(None);
    }
    let text = value.str_at(&["spec", "schedule"]).unwrap_or_default();
    let schedule = match Schedule::parse(text) {
        Ok(schedule) => schedule,
        Err(why) => {
            cx.warning(
                cron,
                "UnparseableSchedule",
                &format!("unparseable schedule: {text:?} : {why}"),
            );
            return Ok(None);
        }
    };
    if let Some(zone) = value.str_at(&["spec", "timeZone"])
        && !matches!(zone, "UTC" | "Etc/UTC" | "GMT" | "Etc/GMT")
    {
        // No time zone database in here.
        cx.warning(
            cron,
            "UnknownTimeZone",
            &format!("invalid timeZone: {zone:?}: only UTC is simulated"),
        );
        return Ok(None);
    }
    let next = schedule.next(cx.now);
    let time = |text: Option<&str>| text.and_then(parse_time);
    let last = time(value.str_at(&["status", "lastScheduleTime"]));
    let since = last.or_else(|| time(Some(cron.creation_timestamp()))).unwrap_or(cx.now);
    let Some((due, _)) = last_between(&schedule, since, cx.now) else {
        return Ok(next);
    };
    let patience = value
        .i64_at(&["spec", "startingDeadlineSeconds"])
        .and_then(|s| u64::try_from(s).ok());
    if patience.is_some_and(|s| later(due, Duration::from_secs(s)) < cx.now) {
        cx.warning(
            cron,
            "MissSchedule",
            &format!("Missed scheduled time to start a job: {}", rfc3339(due)),
        );
        return Ok(next);
    }
    match value.str_at(&["spec", "concurrencyPolicy"]) {
        Some("Forbid") if jobs.iter().any(|j| !is_finished(j)) => {
            // The end of the running Job wakes this again.
            let message = "Not starting job because prior execution is running and concurrency policy is Forbid";
            cx.normal(cron, "JobAlreadyActive", message);
            return Ok(next);
        }
        Some("Replace") => {
            for job in jobs.iter().filter(|j| !is_finished(j)) {
                cx.delete_with(&JOBS, job, Some(Propagation::Background), None)?;
                cx.normal(cron, "SuccessfulDelete", &format!("Deleted job {}", job.name()));
            }
            jobs.retain(is_finished);
        }
        _ => {}
    }
    let job = match cx.create(&JOBS, job(cron, due)) {
        // Made before, by a look whose status was lost.
        Err(e) if e.reason == "AlreadyExists" => None,
        made => Some(made?),
    };
    if let Some(job) = job {
        cx.normal(cron, "SuccessfulCreate", &format!("Created job {}", job.name()));
        jobs.push(job);
    }
    cx.modify(&CRON_JOBS, cron, |c| {
        c.value_mut()
            .set_at(&["status", "lastScheduleTime"], rfc3339(due).into());
    })?;
    Ok(next)
}

fn job(cron: &Object, due: Timestamp) -> Object {
    let minutes = due.as_second().div_euclid(60);
    let name = format!("{}-{minutes}", cron.name());
    let mut job = Object::bare(&Gvk::new("batch", "v1", "Job"), cron.namespace(), &name);
    let template = cron.value().at(&["spec", "jobTemplate"]);
    for field in ["labels", "annotations"] {
        if let Some(given) = template.and_then(|t| t.at(&["metadata", field])) {
            job.value_mut().set_at(&["metadata", field], given.clone());
        }
    }
    job.set_annotation("batch.kubernetes.io/cronjob-scheduled-timestamp", rfc3339(due));
    let owner = controller_reference(cron);
    let spec = template.and_then(|t| t.get("spec")).cloned().unwrap_or_else(Value::map);
    let value = job.value_mut();
    value.set_at(&["metadata", "ownerReferences"], vec![owner].into());
    value.set_at(&["spec"], spec);
    job
}

/// Says once that a Job it started is over.
fn note_ends(cx: &Context<'_>, cron: &Object, jobs: &[Object]) -> Result<(), ApiError> {
    let active = cron.value().list_at(&["status", "active"]);
    for job in jobs.iter().filter(|j| is_finished(j)) {
        if active.iter().any(|a| a.str_at(&["uid"]) == Some(job.uid())) {
            let status = if condition::is_true(job, "Complete") {
                "Complete"
            } else {
                "Failed"
            };
            let message = format!("Saw completed job: {}, condition: {status}", job.name());
            cx.normal(cron, "SawCompletedJob", &message);
        }
    }
    let completed = |j: &&Object| condition::is_true(j, "Complete");
    let times = jobs
        .iter()
        .filter(completed)
        .filter_map(|j| j.value().str_at(&["status", "completionTime"]));
    let Some(last) = times.max().map(str::to_owned) else {
        return Ok(());
    };
    cx.modify(&CRON_JOBS, cron, |c| {
        let known = c.value().str_at(&["status", "lastSuccessfulTime"]);
        if known.is_none_or(|k| *k < *last) {
            c.value_mut().set_at(&["status", "lastSuccessfulTime"], last.into());
        }
    })?;
    Ok(())
}

/// Removes the oldest finished Jobs beyond the limits.
fn clean_up(cx: &Context<'_>, cron: &Object, jobs: &[Object]) -> Result<(), ApiError> {
    for (kind, field, default) in [
        ("Complete", "successfulJobsHistoryLimit", 3),
        ("Failed", "failedJobsHistoryLimit", 1),
    ] {
        let limit = cron.value().i64_at(&["spec", field]).unwrap_or(default);
        let limit = usize::try_from(limit).unwrap_or(0);
        let mut over: Vec<&Object> = jobs
            .iter()
            .filter(|j| condition::is_true(j, kind) && j.deletion_timestamp().is_none())
            .collect();
        over.sort_by_key(|j| {
            (
                j.value().str_at(&["status", "startTime"]).map(str::to_owned),
                j.name().to_owned(),
            )
        });
        let excess = over.len().saturating_sub(limit);
        for job in over.into_iter().take(excess) {
            cx.delete_with(&JOBS, job, Some(Propagation::Background), None)?;
            cx.normal(cron, "SuccessfulDelete", &format!("Deleted job {}", job.name()));
        }
    }
    Ok(())
}

fn write_status(cx: &Context<'_>, cron: &Object, jobs: &[Object]) -> Result<(), ApiError> {
    let active: Vec<Value> = jobs.iter().filter(|j| !is_finished(j)).map(reference).collect();
    cx.modify(&CRON_JOBS, cron, |c| {
        let value = c.value_mut();
        if active.is_empty() {
            value.remove_at(&["status", "active"]);
        } else {
            value.set_at(&["status", "active"], active.into());
        }
        if value.get("status").is_none() {
            value.set_at(&["status"], Map::new().into());
        }
    })?;
    Ok(())
}

fn reference(job: &Object) -> Value {
    let mut reference = Value::map();
    for (field, text) in [
        ("apiVersion", job.api_version()),
        ("kind", job.kind()),
        ("name", job.name()),
        ("namespace", job.namespace()),
        ("uid", job.uid()),
    ] {
        reference.set_at(&[field], text.into());
    }
    reference
}
