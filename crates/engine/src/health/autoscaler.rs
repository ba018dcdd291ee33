//! Health of a HorizontalPodAutoscaler.

use pintle_model::{Object, Value};

use super::{Health, HealthCode, conditions, text};

const FAILING: [(&str, &str); 8] = [
    ("AbleToScale", "FailedGetScale"),
    ("AbleToScale", "FailedUpdateScale"),
    ("ScalingActive", "FailedGetResourceMetric"),
    ("ScalingActive", "FailedGetObjectMetric"),
    ("ScalingActive", "FailedGetPodsMetric"),
    ("ScalingActive", "FailedGetExternalMetric"),
    ("ScalingActive", "FailedComputeMetricsReplicas"),
    ("ScalingActive", "InvalidSelector"),
];

pub(super) fn check(object: &Object) -> Health {
    if object.version() != "v1" {
        return judge(conditions(object));
    }
    // v1 has its conditions as JSON in an annotation.
    let Some(json) = object.annotation("autoscaling.alpha.kubernetes.io/conditions") else {
        return judge(&[]);
    };
    match Value::from_json(json.as_bytes()) {
        Ok(list) => judge(list.as_list().unwrap_or(&[])),
        Err(e) => Health::new(
            HealthCode::Unknown,
            format!("failed to convert conditions annotation to typed: {e}"),
        ),
    }
}

fn judge(conditions: &[Value]) -> Health {
    let fails = |c: &&Value| FAILING.contains(&(text(c, &["type"]), text(c, &["reason"])));
    let works =
        |c: &&Value| matches!(text(c, &["type"]), "AbleToScale" | "ScalingLimited") && text(c, &["status"]) == "True";
    if let Some(condition) = conditions.iter().find(fails) {
        Health::degraded(text(condition, &["message"]))
    } else if let Some(condition) = conditions.iter().find(works) {
        Health::new(HealthCode::Healthy, text(condition, &["message"]))
    } else {
        Health::progressing("Waiting to Autoscale")
    }
}
