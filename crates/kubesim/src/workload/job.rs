//! Jobs: Pods that run until enough of them have succeeded.
//!
//! A Pod is counted once: the finalizer that it is created with is taken away in the same step that counts it, so that a Pod that is gone has
//! been counted, and one that is there without the finalizer is not counted again.

use std::time::Duration;

use jiff::Timestamp;
use pintle_model::{Object, Value};

use super::condition;
use super::driver::{Context, Queue, Reconcile, Wake};
use super::owner::{controlled, controller_of};
use super::replica_set::{count, is_active, set_count};
use super::table::{JOBS, PODS};
use super::template;
use super::timing::{JOB_PAUSE, JOB_PAUSE_MOST};
use crate::clock::{later, parse_time, rfc3339};
use crate::error::ApiError;
use crate::resource::GroupResource;
use crate::store::{Event, EventKind, Name, Propagation, Store};

/// Holds a Pod until its end has been counted.
const TRACKING: &str = "batch.kubernetes.io/job-tracking";

/// The controller.
#[derive(Default)]
pub(super) struct Jobs {
    /// When the Pods that follow a failure may be created, by Job.
    pauses: std::collections::HashMap<Name, Timestamp>,
}

impl Reconcile for Jobs {
    fn name(&self) -> &'static str {
        "job-controller"
    }

    fn watches(&self) -> Vec<&'static GroupResource> {
        vec![&JOBS, &PODS]
    }

    fn observe(&mut self, _store: &Store, event: &Event, queue: &mut Queue) {
        if event.gr == *JOBS {
            queue.push(&event.key);
        } else {
            queue.push_owners(event, "batch", "Job");
        }
    }

    fn reconcile(&mut self, cx: &Context<'_>, key: &Name) -> Result<Wake, ApiError> {
        let job = cx.store.get(&JOBS, &key.0, &key.1).inspect_err(|_| {
            self.pauses.remove(key);
        })?;
        if is_finished(&job) {
            self.pauses.remove(key);
            return expire(cx, &job);
        }
        if job.deletion_timestamp().is_some() {
            return Ok(None);
        }
        let mut turn = Turn::new(cx, &job);
        let counted = turn.count_ends();
        let wake = counted.and_then(|()| turn.act(&mut self.pauses, key));
        // Whatever failed: what has been counted must be written down.
        turn.write_status()?;
        wake
    }
}

/// `Complete` or `Failed`.
pub(super) fn is_finished(job: &Object) -> bool {
    condition::is_true(job, "Complete") || condition::is_true(job, "Failed")
}

/// One look at one Job that is not over.
struct Turn<'a> {
    cx: &'a Context<'a>,
    job: &'a Object,
    pods: Vec<Object>,
    succeeded: i64,
    failed: i64,
    /// Whether a Pod has failed just now.
    has_new_failure: bool,
    /// Conditions that this look adds.
    new: Vec<Value>,
    completion: Option<Timestamp>,
}

impl<'a> Turn<'a> {
    fn new(cx: &'a Context<'a>, job: &'a Object) -> Self {
        let status = |field: &str| job.value().i64_at(&["status", field]).unwrap_or(0);
        Self {
            cx,
            job,
            pods: controlled(cx.store, &PODS, job),
            succeeded: status("succeeded"),
            failed: status("failed"),
            has_new_failure: false,
            new: Vec::new(),
            completion: None,
        }
    }

    fn number(&self, field: &str) -> Option<i64> {
        self.job.value().i64_at(&["spec", field])
    }

    fn active(&self) -> impl Iterator<Item = &Object> {
        self.pods.iter().filter(|p| is_active(p))
    }

    /// Counts the Pods that have ended and lets them go.
    fn count_ends(&mut self) -> Result<(), ApiError> {
        for pod in &self.pods {
            if !pod.finalizers().any(|f| f == TRACKING) {
                continue;
            }
            match pod.value().str_at(&["status", "phase"]) {
                Some("Succeeded") => self.succeeded += 1,
                Some("Failed") => {
                    self.failed += 1;
                    self.has_new_failure = true;
                }
                // One that was deleted before it ran counts as failed.
                _ if pod.deletion_timestamp().is_some() && !is_bound(pod) => {
                    self.failed += 1;
                    self.has_new_failure = true;
                }
                _ => continue,
            }
            release(self.cx, pod)?;
        }
        Ok(())
    }

    /// Ends the Job, or creates the Pods that are missing.
    fn act(&mut self, pauses: &mut std::collections::HashMap<Name, Timestamp>, key: &Name) -> Result<Wake, ApiError> {
        let parallelism = self.number("parallelism").unwrap_or(1).max(0);
        // Neither given means one; only `parallelism` given means a work queue.
        let is_single = self.number("parallelism").is_none();
        let completions = self.number("completions").or(is_single.then_some(1));
        let limit = self.number("backoffLimit").unwrap_or(6);
        let now = self.cx.now;
        let end = self.deadline();
        if condition::is_true(self.job, "FailureTarget") {
            self.finish_failure()?;
            return Ok(None);
        }
        let restarts: i64 = self.active().map(restarts).sum();
        if self.failed > limit || (restarts > 0 && restarts >= limit) {
            let message = "Job has reached the specified backoff limit";
            self.fail("BackoffLimitExceeded", message)?;
            return Ok(None);
        }
        if end.is_some_and(|end| end <= now) {
            self.fail("DeadlineExceeded", "Job was active longer than specified deadline")?;
            return Ok(None);
        }
        let is_done = match completions {
            Some(wanted) => self.succeeded >= wanted,
            // A work queue: one success means that there is nothing left to do.
            None => self.succeeded > 0 && self.active().next().is_none(),
        };
        if is_done {
            self.complete();
            return Ok(None);
        }
        if self.job.value().bool_at(&["spec", "suspend"]).unwrap_or(false) {
            self.suspend()?;
            return Ok(None);
        }
        if condition::is_true(self.job, "Suspended") {
            self.new
                .push(condition::new("Suspended", false, "JobResumed", "Job resumed"));
            self.cx.normal(self.job, "Resumed", "Job resumed");
        }
        let pause = self.pause(pauses, key);
        if pause.is_none() {
            let left = completions.map_or(parallelism, |c| (c - self.succeeded).max(0));
            // Once a work queue has had a success, no more Pods are added to it.
            let left = if completions.is_none() && self.succeeded > 0 {
                0
            } else {
                left
            };
            self.create(left.min(parallelism))?;
        }
        Ok(match (pause, end) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        })
    }

    /// When `activeDeadlineSeconds` end.
    fn deadline(&self) -> Option<Timestamp> {
        let seconds = u64::try_from(self.number("activeDeadlineSeconds")?).ok()?;
        let start = self.job.value().str_at(&["status", "startTime"]).and_then(parse_time);
        Some(later(start.unwrap_or(self.cx.now), Duration::from_secs(seconds)))
    }

    /// Until when no Pod may follow a failure.
    fn pause(&self, pauses: &mut std::collections::HashMap<Name, Timestamp>, key: &Name) -> Wake {
        if self.has_new_failure {
            let doubled = u32::try_from(self.failed.saturating_sub(1)).unwrap_or(0).min(10);
            let wait = JOB_PAUSE.saturating_mul(1 << doubled).min(JOB_PAUSE_MOST);
            pauses.insert(key.clone(), later(self.cx.now, wait));
        }
        let at = pauses.get(key).copied().filter(|at| *at > self.cx.now);
        if at.is_none() {
            pauses.remove(key);
        }
        at
    }

    fn create(&mut self, wanted: i64) -> Result<(), ApiError> {
        let empty = Value::map();
        let template = self.job.value().at(&["spec", "template"]).unwrap_or(&empty);
        let running = count(self.active().count());
        for _ in running..wanted {
            let mut pod = template::pod(self.job, template, "");
            let mut finalizers = pod.value().list_at(&["metadata", "finalizers"]).to_vec();
            finalizers.push(TRACKING.into());
            pod.value_mut().set_at(&["metadata", "finalizers"], finalizers.into());
            let pod = self.cx.create(&PODS, pod)?;
            self.cx
                .normal(self.job, "SuccessfulCreate", &format!("Created pod: {}", pod.name()));
            self.pods.push(pod);
        }
        // Fewer than there are: parallelism was lowered.
        let excess: Vec<Object> = self
            .active()
            .skip(usize::try_from(wanted).unwrap_or(0))
            .cloned()
            .collect();
        for pod in excess {
            self.remove(&pod)?;
        }
        Ok(())
    }

    fn remove(&self, pod: &Object) -> Result<(), ApiError> {
        release(self.cx, pod)?;
        self.cx.delete(&PODS, pod)?;
        self.cx
            .normal(self.job, "SuccessfulDelete", &format!("Deleted pod: {}", pod.name()));
        Ok(())
    }

    fn remove_active(&mut self) -> Result<i64, ApiError> {
        let active: Vec<Object> = self.active().cloned().collect();
        for pod in &active {
            self.remove(pod)?;
        }
        self.pods = controlled(self.cx.store, &PODS, self.job);
        Ok(count(active.len()))
    }

    fn suspend(&mut self) -> Result<(), ApiError> {
        self.remove_active()?;
        if !condition::is_true(self.job, "Suspended") {
            self.new
                .push(condition::new("Suspended", true, "JobSuspended", "Job suspended"));
            self.cx.normal(self.job, "Suspended", "Job suspended");
        }
        Ok(())
    }

    fn complete(&mut self) {
        let message = "Reached expected number of succeeded pods";
        for kind in ["SuccessCriteriaMet", "Complete"] {
            self.new.push(condition::new(kind, true, "CompletionsReached", message));
        }
        self.completion = Some(self.cx.now);
        self.cx.normal(self.job, "Completed", "Job completed");
    }

    /// Stops what runs; the Job has failed when all of it has ended.
    fn fail(&mut self, reason: &str, message: &str) -> Result<(), ApiError> {
        self.new.push(condition::new("FailureTarget", true, reason, message));
        self.failed += self.remove_active()?;
        self.finish_failure_as(reason, message);
        Ok(())
    }

    fn finish_failure(&mut self) -> Result<(), ApiError> {
        let Some(target) = condition::find(self.job, "FailureTarget") else {
            return Ok(());
        };
        let text = |field: &str| target.str_at(&[field]).unwrap_or_default().to_owned();
        let (reason, message) = (text("reason"), text("message"));
        self.failed += self.remove_active()?;
        self.finish_failure_as(&reason, &message);
        Ok(())
    }

    fn finish_failure_as(&mut self, reason: &str, message: &str) {
        let still = |p: &&Object| !matches!(p.value().str_at(&["status", "phase"]), Some("Succeeded" | "Failed"));
        if self.pods.iter().any(|p| still(&p)) {
            return;
        }
        self.new.push(condition::new("Failed", true, reason, message));
        self.cx.warning(self.job, reason, message);
    }

    fn write_status(&self) -> Result<(), ApiError> {
        let now = rfc3339(self.cx.now);
        let active = count(self.active().count());
        let ready = count(self.active().filter(|p| condition::is_true(p, "Ready")).count());
        let ends =
            |p: &&Object| p.deletion_timestamp().is_some() && p.value().str_at(&["status", "phase"]) == Some("Running");
        let terminating = count(self.pods.iter().filter(ends).count());
        let is_over = self
            .new
            .iter()
            .any(|c| matches!(c.str_at(&["type"]), Some("Complete" | "Failed")));
        let is_suspended = self.job.value().bool_at(&["spec", "suspend"]).unwrap_or(false);
        self.cx.modify(&JOBS, self.job, |j| {
            let value = j.value_mut();
            if is_suspended {
                value.remove_at(&["status", "startTime"]);
            } else if value.at(&["status", "startTime"]).is_none() {
                value.set_at(&["status", "startTime"], now.as_str().into());
            }
            value.set_at(&["status", "uncountedTerminatedPods"], Value::map());
            value.set_at(&["status", "ready"], if is_over { 0 } else { ready }.into());
            value.set_at(&["status", "terminating"], terminating.into());
            set_count(value, "active", if is_over { 0 } else { active });
            set_count(value, "succeeded", self.succeeded);
            set_count(value, "failed", self.failed);
            if let Some(at) = self.completion {
                value.set_at(&["status", "completionTime"], rfc3339(at).into());
            }
            if self.new.is_empty() {
                return;
            }
            let mut conditions = value.list_at(&["status", "conditions"]).to_vec();
            for mut condition in self.new.iter().cloned() {
                condition.set_at(&["lastProbeTime"], now.as_str().into());
                condition::put(&mut conditions, condition, &now);
            }
            value.set_at(&["status", "conditions"], conditions.into());
        })?;
        Ok(())
    }
}

fn is_bound(pod: &Object) -> bool {
    pod.value().str_at(&["spec", "nodeName"]).is_some_and(|n| !n.is_empty())
}

fn restarts(pod: &Object) -> i64 {
    let statuses = pod.value().list_at(&["status", "containerStatuses"]).iter();
    statuses.filter_map(|s| s.i64_at(&["restartCount"])).sum()
}

/// Takes the tracking finalizer from a Pod.
fn release(cx: &Context<'_>, pod: &Object) -> Result<(), ApiError> {
    let released = cx.modify(&PODS, pod, |p| {
        let rest: Vec<Value> = p.finalizers().filter(|f| *f != TRACKING).map(Value::from).collect();
        if rest.is_empty() {
            p.value_mut().remove_at(&["metadata", "finalizers"]);
        } else {
            p.value_mut().set_at(&["metadata", "finalizers"], rest.into());
        }
    });
    match released {
        Err(e) if !e.is_not_found() => Err(e),
        _ => Ok(()),
    }
}

/// Deletes a Job that is over when its `ttlSecondsAfterFinished` have passed.
fn expire(cx: &Context<'_>, job: &Object) -> Result<Wake, ApiError> {
    let seconds = job.value().i64_at(&["spec", "ttlSecondsAfterFinished"]);
    let Some(seconds) = seconds.and_then(|s| u64::try_from(s).ok()) else {
        return Ok(None);
    };
    if job.deletion_timestamp().is_some() {
        return Ok(None);
    }
    let over = ["Complete", "Failed"].iter().find_map(|kind| {
        let condition = condition::find(job, kind).filter(|_| condition::is_true(job, kind))?;
        parse_time(condition.str_at(&["lastTransitionTime"])?)
    });
    let at = later(over.unwrap_or(cx.now), Duration::from_secs(seconds));
    if at > cx.now {
        return Ok(Some(at));
    }
    cx.delete_with(&JOBS, job, Some(Propagation::Foreground), None)?;
    Ok(None)
}

/// Frees Pods whose Job is gone or over: nobody would count them any more.
#[derive(Default)]
pub(super) struct JobPods;

impl Reconcile for JobPods {
    fn name(&self) -> &'static str {
        "job-pod-finalizer"
    }

    fn watches(&self) -> Vec<&'static GroupResource> {
        vec![&PODS, &JOBS]
    }

    fn observe(&mut self, store: &Store, event: &Event, queue: &mut Queue) {
        if event.gr == *PODS {
            if event.object.finalizers().any(|f| f == TRACKING) {
                queue.push(&event.key);
            }
        } else if event.kind == EventKind::Deleted
            || event.object.deletion_timestamp().is_some()
            || is_finished(&event.object)
        {
            for (gr, pod) in store.dependents(event.object.uid()) {
                if gr == *PODS {
                    queue.push_name(pod.namespace(), pod.name());
                }
            }
        }
    }

    fn reconcile(&mut self, cx: &Context<'_>, key: &Name) -> Result<Wake, ApiError> {
        let pod = cx.store.get(&PODS, &key.0, &key.1)?;
        let job = controller_of(&pod).filter(|o| o.kind == "Job");
        let job = job.and_then(|o| Some((cx.store.get(&JOBS, &key.0, o.name).ok()?, o.uid)));
        let counts = job.is_some_and(|(j, uid)| j.uid() == uid && j.deletion_timestamp().is_none() && !is_finished(&j));
        if !counts && pod.finalizers().any(|f| f == TRACKING) {
            release(cx, &pod)?;
        }
        Ok(None)
    }
}
