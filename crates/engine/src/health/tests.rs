//! Statuses and messages as the peer gives them, one line of YAML each.

use pintle_model::{Object, Value};

use super::*;

fn object(head: &str, body: &str) -> Object {
    let (api_version, kind) = head.rsplit_once('/').unwrap();
    let text = format!("apiVersion: {api_version}\nkind: {kind}\n{body}");
    let docs = pintle_yaml::parse(&text).unwrap();
    Object::new(Value::from(docs)).ok().unwrap()
}

fn check(head: &str, body: &str, expected: &str) {
    let found = health(&object(head, body)).map_or_else(|| "none".to_owned(), |h| h.to_string());
    assert_eq!(found, expected, "{head}: {body}");
}

#[test]
fn deployment() {
    let check = |spec: &str, status: &str, expected: &str| {
        let body = format!("metadata: {{name: web, generation: 2}}\nspec: {{{spec}}}\nstatus: {{{status}}}");
        super::tests::check("apps/v1/Deployment", &body, expected);
    };
    check("paused: true", "", "Suspended: Deployment is paused");
    check(
        "replicas: 3",
        "observedGeneration: 1",
        "Progressing: Waiting for rollout to finish: observed deployment generation less than desired generation",
    );
    check(
        "replicas: 3",
        "observedGeneration: 2, updatedReplicas: 1",
        "Progressing: Waiting for rollout to finish: 1 out of 3 new replicas have been updated...",
    );
    check(
        "replicas: 3",
        "observedGeneration: 2, updatedReplicas: 3, replicas: 4",
        "Progressing: Waiting for rollout to finish: 1 old replicas are pending termination...",
    );
    check(
        "replicas: 3",
        "observedGeneration: 2, updatedReplicas: 3, replicas: 3, availableReplicas: 1",
        "Progressing: Waiting for rollout to finish: 1 of 3 updated replicas are available...",
    );
    check(
        "replicas: 3",
        "observedGeneration: 2, updatedReplicas: 3, replicas: 3, availableReplicas: 3",
        "Healthy",
    );
    check(
        "replicas: 3",
        "observedGeneration: 2, conditions: [{type: Progressing, reason: ProgressDeadlineExceeded}]",
        "Degraded: Deployment \"web\" exceeded its progress deadline",
    );
}

#[test]
fn replica_set() {
    let check = |status: &str, expected: &str| {
        let body = format!("metadata: {{name: web, generation: 1}}\nspec: {{replicas: 2}}\nstatus: {{{status}}}");
        super::tests::check("apps/v1/ReplicaSet", &body, expected);
    };
    check(
        "",
        "Progressing: Waiting for rollout to finish: observed replica set generation less than desired generation",
    );
    check(
        "observedGeneration: 1, availableReplicas: 1",
        "Progressing: Waiting for rollout to finish: 1 out of 2 new replicas are available...",
    );
    check(
        "observedGeneration: 1, conditions: [{type: ReplicaFailure, status: 'True', message: quota}]",
        "Degraded: quota",
    );
    check("observedGeneration: 1, availableReplicas: 2", "Healthy");
}

#[test]
fn stateful_set() {
    let check = |spec: &str, status: &str, expected: &str| {
        let body =
            format!("metadata: {{name: db, generation: 2}}\nspec: {{replicas: 3, {spec}}}\nstatus: {{{status}}}");
        super::tests::check("apps/v1/StatefulSet", &body, expected);
    };
    check(
        "",
        "",
        "Progressing: Waiting for statefulset spec update to be observed...",
    );
    check(
        "",
        "observedGeneration: 2, readyReplicas: 1",
        "Progressing: Waiting for 2 pods to be ready...",
    );
    check(
        "updateStrategy: {type: RollingUpdate, rollingUpdate: {partition: 1}}",
        "observedGeneration: 2, readyReplicas: 3, updatedReplicas: 1",
        "Progressing: Waiting for partitioned roll out to finish: 1 out of 2 new pods have been updated...",
    );
    check(
        "updateStrategy: {type: RollingUpdate, rollingUpdate: {partition: 0}}",
        "observedGeneration: 2, readyReplicas: 3, updatedReplicas: 3",
        "Healthy: partitioned roll out complete: 3 new pods have been updated...",
    );
    check(
        "updateStrategy: {type: OnDelete}",
        "observedGeneration: 2, readyReplicas: 3",
        "Healthy: statefulset has 3 ready pods",
    );
    check(
        "",
        "observedGeneration: 2, readyReplicas: 3, updatedReplicas: 1, updateRevision: b, currentRevision: a",
        "Progressing: waiting for statefulset rolling update to complete 1 pods at revision b...",
    );
    check(
        "",
        "observedGeneration: 2, readyReplicas: 3, currentReplicas: 3, updateRevision: b, currentRevision: b",
        "Healthy: statefulset rolling update complete 3 pods at revision b...",
    );
}

#[test]
fn daemon_set() {
    let check = |spec: &str, status: &str, expected: &str| {
        let body = format!("metadata: {{name: log, generation: 2}}\nspec: {{{spec}}}\nstatus: {{{status}}}");
        super::tests::check("apps/v1/DaemonSet", &body, expected);
    };
    check(
        "",
        "observedGeneration: 1",
        "Progressing: Waiting for rollout to finish: observed daemon set generation less than desired generation",
    );
    check(
        "updateStrategy: {type: OnDelete}",
        "observedGeneration: 2, updatedNumberScheduled: 1, desiredNumberScheduled: 3",
        "Healthy: daemon set 1 out of 3 new pods have been updated",
    );
    check(
        "",
        "observedGeneration: 2, updatedNumberScheduled: 1, desiredNumberScheduled: 3",
        "Progressing: Waiting for daemon set \"log\" rollout to finish: 1 out of 3 new pods have been updated...",
    );
    check(
        "",
        "observedGeneration: 2, updatedNumberScheduled: 3, desiredNumberScheduled: 3, numberAvailable: 2",
        "Progressing: Waiting for daemon set \"log\" rollout to finish: 2 of 3 updated pods are available...",
    );
    check(
        "",
        "observedGeneration: 2, updatedNumberScheduled: 3, desiredNumberScheduled: 3, numberAvailable: 3",
        "Healthy",
    );
}

#[test]
fn pod() {
    let check = |meta: &str, policy: &str, status: &str, expected: &str| {
        let body = format!("metadata: {{name: p, {meta}}}\nspec: {{restartPolicy: {policy}}}\nstatus: {{{status}}}");
        super::tests::check("v1/Pod", &body, expected);
    };
    let back_off =
        "phase: Pending, containerStatuses: [{state: {waiting: {reason: ImagePullBackOff, message: no image}}}]";
    let ready = "phase: Running, conditions: [{type: Ready, status: 'True'}]";
    check("", "Always", back_off, "Degraded: no image");
    check("", "Never", back_off, "Progressing");
    check(
        "annotations: {argocd.argoproj.io/ignore-restart-policy: 'true'}",
        "Never",
        back_off,
        "Degraded: no image",
    );
    check(
        "annotations: {argocd.argoproj.io/ignore-restart-policy: 'true', argocd.argoproj.io/hook: PreSync}",
        "Never",
        back_off,
        "Progressing",
    );
    check("", "Always", "phase: Pending, message: soon", "Progressing: soon");
    check("", "Always", ready, "Healthy");
    check("", "Never", ready, "Progressing");
    check("", "Always", "phase: Running", "Progressing");
    check(
        "",
        "Always",
        "phase: Running, containerStatuses: [{lastState: {terminated: {exitCode: 1}}}]",
        "Degraded",
    );
    check("", "Always", "phase: Succeeded", "Healthy");
    check("", "Never", "phase: Failed, message: evicted", "Degraded: evicted");
    check(
        "",
        "Never",
        "phase: Failed, containerStatuses: [{name: a, state: {terminated: {exitCode: 0}}}, {name: b, state: {terminated: {exitCode: 3}}}]",
        "Degraded: container \"b\" failed with exit code 3",
    );
    check(
        "",
        "Never",
        "phase: Failed, initContainerStatuses: [{name: a, state: {terminated: {exitCode: 137, reason: OOMKilled}}}]",
        "Degraded: OOMKilled",
    );
    check("", "Always", "phase: Unknown", "Unknown");
}

#[test]
fn deletion_comes_first_but_not_for_hooks() {
    let deleting = "metadata: {name: x, deletionTimestamp: '2026-01-01T00:00:00Z'}\nstatus: {phase: Bound}";
    check("v1/PersistentVolumeClaim", deleting, "Progressing: Pending deletion");
    check("v1/ConfigMap", deleting, "Progressing: Pending deletion");
    let hook = "metadata: {name: x, deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: [argocd.argoproj.io/hook-finalizer]}\n\
                status: {conditions: [{type: Complete, status: 'True'}]}";
    check("batch/v1/Job", hook, "Healthy");
}

#[test]
fn job() {
    let check = |conditions: &str, expected: &str| {
        super::tests::check(
            "batch/v1/Job",
            &format!("status: {{conditions: [{conditions}]}}"),
            expected,
        );
    };
    check("", "Progressing");
    check("{type: Failed, status: 'True', message: backoff}", "Degraded: backoff");
    check("{type: Complete, status: 'True', message: done}", "Healthy: done");
    check(
        "{type: Suspended, status: 'True', message: Job suspended}",
        "Suspended: Job suspended",
    );
    check(
        "{type: Suspended, status: 'False', message: Job resumed}",
        "Healthy: Job resumed",
    );
    check("{type: FailureTarget, status: 'True'}", "Progressing");
}

#[test]
fn claims_services_and_ingresses() {
    check("v1/PersistentVolumeClaim", "status: {phase: Bound}", "Healthy");
    check("v1/PersistentVolumeClaim", "status: {phase: Pending}", "Progressing");
    check("v1/PersistentVolumeClaim", "status: {phase: Lost}", "Degraded");
    check("v1/PersistentVolumeClaim", "", "Unknown");
    check("v1/Service", "spec: {type: ClusterIP}", "Healthy");
    check("v1/Service", "spec: {type: LoadBalancer}", "Progressing");
    check(
        "v1/Service",
        "spec: {type: LoadBalancer}\nstatus: {loadBalancer: {ingress: [{ip: 1.2.3.4}]}}",
        "Healthy",
    );
    check("networking.k8s.io/v1/Ingress", "", "Progressing");
    check(
        "extensions/v1beta1/Ingress",
        "status: {loadBalancer: {ingress: [{}]}}",
        "Healthy",
    );
}

#[test]
fn autoscaler() {
    let check = |conditions: &str, expected: &str| {
        let body = format!("status: {{conditions: [{conditions}]}}");
        super::tests::check("autoscaling/v2/HorizontalPodAutoscaler", &body, expected);
    };
    let works = "{type: AbleToScale, status: 'True', message: fine}";
    check("", "Progressing: Waiting to Autoscale");
    check(works, "Healthy: fine");
    check(
        &format!("{works}, {{type: ScalingActive, reason: FailedGetResourceMetric, message: no metrics}}"),
        "Degraded: no metrics",
    );
    let v1 = "autoscaling/v1/HorizontalPodAutoscaler";
    super::tests::check(v1, "", "Progressing: Waiting to Autoscale");
    let annotated =
        |json: &str| format!("metadata: {{annotations: {{autoscaling.alpha.kubernetes.io/conditions: '{json}'}}}}");
    super::tests::check(
        v1,
        &annotated(r#"[{"type":"AbleToScale","status":"True","message":"m"}]"#),
        "Healthy: m",
    );
    super::tests::check(
        v1,
        &annotated("{"),
        "Unknown: failed to convert conditions annotation to typed: invalid JSON at line 1 column 1: EOF while parsing an object",
    );
}

#[test]
fn api_services_workflows_and_foreign_versions() {
    let api = "apiregistration.k8s.io/v1/APIService";
    check(api, "", "Progressing: Waiting to be processed");
    check(
        api,
        "status: {conditions: [{type: Available, status: 'True', reason: Local, message: here}]}",
        "Healthy: Local: here",
    );
    check(
        api,
        "status: {conditions: [{type: Available, status: 'False', reason: Down, message: gone}]}",
        "Progressing: Down: gone",
    );
    check(
        "argoproj.io/v1alpha1/Workflow",
        "status: {phase: Failed, message: m}",
        "Degraded: m",
    );
    check("argoproj.io/v1alpha1/Workflow", "", "Progressing");
    check(
        "apps/v1beta1/Deployment",
        "",
        "Unknown: unsupported Deployment GVK: apps/v1beta1, Kind=Deployment",
    );
    check(
        "autoscaling/v2beta2/HorizontalPodAutoscaler",
        "",
        "Unknown: unsupported HPA GVK: autoscaling/v2beta2, Kind=HorizontalPodAutoscaler",
    );
    check("v1/ConfigMap", "", "none");
}
