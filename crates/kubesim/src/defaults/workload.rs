//! Deployments, ReplicaSets, StatefulSets, DaemonSets, Jobs, CronJobs, HorizontalPodAutoscalers.

use pintle_model::{Object, Value};

use super::{each, pod, set};

pub(super) fn deployment(value: &mut Value) {
    set(value, &["spec", "replicas"], 1.into());
    set(value, &["spec", "revisionHistoryLimit"], 10.into());
    set(value, &["spec", "progressDeadlineSeconds"], 600.into());
    set(value, &["spec", "strategy", "type"], "RollingUpdate".into());
    if value.str_at(&["spec", "strategy", "type"]) == Some("RollingUpdate") {
        set(
            value,
            &["spec", "strategy", "rollingUpdate", "maxUnavailable"],
            "25%".into(),
        );
        set(value, &["spec", "strategy", "rollingUpdate", "maxSurge"], "25%".into());
    }
    pod::template(value, &["spec", "template"]);
    set(value, &["status"], Value::map());
}

pub(super) fn replica_set(value: &mut Value) {
    set(value, &["spec", "replicas"], 1.into());
    pod::template(value, &["spec", "template"]);
    set(value, &["status", "replicas"], 0.into());
}

pub(super) fn stateful_set(value: &mut Value) {
    set(value, &["spec", "replicas"], 1.into());
    set(value, &["spec", "revisionHistoryLimit"], 10.into());
    set(value, &["spec", "podManagementPolicy"], "OrderedReady".into());
    set(value, &["spec", "updateStrategy", "type"], "RollingUpdate".into());
    if value.str_at(&["spec", "updateStrategy", "type"]) == Some("RollingUpdate") {
        set(
            value,
            &["spec", "updateStrategy", "rollingUpdate", "partition"],
            0.into(),
        );
    }
    let policy = &["spec", "persistentVolumeClaimRetentionPolicy"];
    for when in ["whenDeleted", "whenScaled"] {
        set(value, &[policy[0], policy[1], when], "Retain".into());
    }
    each(value, &["spec", "volumeClaimTemplates"], |claim| {
        set(claim, &["apiVersion"], "v1".into());
        set(claim, &["kind"], "PersistentVolumeClaim".into());
        set(claim, &["spec", "volumeMode"], "Filesystem".into());
        set(claim, &["status", "phase"], "Pending".into());
    });
    pod::template(value, &["spec", "template"]);
    set(value, &["status", "replicas"], 0.into());
    set(value, &["status", "availableReplicas"], 0.into());
}

pub(super) fn daemon_set(value: &mut Value) {
    set(value, &["spec", "revisionHistoryLimit"], 10.into());
    set(value, &["spec", "updateStrategy", "type"], "RollingUpdate".into());
    if value.str_at(&["spec", "updateStrategy", "type"]) == Some("RollingUpdate") {
        set(
            value,
            &["spec", "updateStrategy", "rollingUpdate", "maxUnavailable"],
            1.into(),
        );
        set(
            value,
            &["spec", "updateStrategy", "rollingUpdate", "maxSurge"],
            0.into(),
        );
    }
    pod::template(value, &["spec", "template"]);
    for field in [
        "currentNumberScheduled",
        "desiredNumberScheduled",
        "numberMisscheduled",
        "numberReady",
    ] {
        set(value, &["status", field], 0.into());
    }
}

pub(super) fn job(value: &mut Value, old: Option<&Value>) {
    job_spec(value, &["spec"]);
    // The selector is made from the UID once the object has one: see [`job_identity`]. An update that leaves it out keeps the old one.
    if let Some(old) = old
        && value.bool_at(&["spec", "manualSelector"]) != Some(true)
    {
        if let Some(selector) = old.at(&["spec", "selector"]) {
            set(value, &["spec", "selector"], selector.clone());
        }
        for label in JOB_LABELS {
            if let Some(kept) = old.at(&["spec", "template", "metadata", "labels", label]) {
                set(value, &["spec", "template", "metadata", "labels", label], kept.clone());
            }
        }
    }
    set(value, &["status"], Value::map());
}

/// Labels that tie a Job's Pods to it: two by UID, two by name, the older ones kept for who still selects on them.
const JOB_LABELS: [&str; 4] = [
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-name",
    "controller-uid",
    "job-name",
];

/// Gives a new Job, once it has a UID, the selector and labels that tie its Pods to it.
pub(crate) fn job_identity(job: &mut Object) {
    if job.value().bool_at(&["spec", "manualSelector"]) == Some(true) {
        return;
    }
    let (uid, name) = (job.uid().to_owned(), job.name().to_owned());
    let value = job.value_mut();
    for (label, text) in JOB_LABELS.iter().zip([&uid, &name, &uid, &name]) {
        value.set_at(&["spec", "template", "metadata", "labels", label], text.as_str().into());
    }
    value.set_at(&["spec", "selector", "matchLabels", JOB_LABELS[0]], uid.into());
}

fn job_spec(value: &mut Value, path: &[&str]) {
    let Some(spec) = value.at_mut(path).filter(|s| s.as_map().is_some()) else {
        return;
    };
    if spec.get("completions").is_none() && spec.get("parallelism").is_none() {
        set(spec, &["completions"], 1.into());
    }
    set(spec, &["parallelism"], 1.into());
    set(spec, &["backoffLimit"], 6.into());
    set(spec, &["completionMode"], "NonIndexed".into());
    set(spec, &["suspend"], false.into());
    set(spec, &["manualSelector"], false.into());
    set(spec, &["podReplacementPolicy"], "TerminatingOrFailed".into());
    pod::template(spec, &["template"]);
}

pub(super) fn cron_job(value: &mut Value) {
    set(value, &["spec", "concurrencyPolicy"], "Allow".into());
    set(value, &["spec", "suspend"], false.into());
    set(value, &["spec", "successfulJobsHistoryLimit"], 3.into());
    set(value, &["spec", "failedJobsHistoryLimit"], 1.into());
    // Of a job template only the pod template is filled in: the rest is when the Job is made.
    pod::template(value, &["spec", "jobTemplate", "spec", "template"]);
    set(value, &["status"], Value::map());
}

pub(super) fn autoscaler(value: &mut Value) {
    set(value, &["spec", "minReplicas"], 1.into());
    if value.list_at(&["spec", "metrics"]).is_empty() {
        let text = br#"[{"type":"Resource","resource":{"name":"cpu","target":{"type":"Utilization","averageUtilization":80}}}]"#;
        if let Ok(metrics) = Value::from_json(text) {
            value.set_at(&["spec", "metrics"], metrics);
        }
    }
    set(value, &["status", "desiredReplicas"], 0.into());
}
