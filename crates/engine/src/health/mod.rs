//! Whether a live object works, as its own status tells [F3.53].
//!
//! Statuses and messages are those of the peer (gitops-engine pkg/health at Argo CD 3.6), read from the object as a value.

pub mod app;

mod api_service;
mod autoscaler;
mod claim;
mod daemon_set;
mod deployment;
mod ingress;
mod job;
mod pod;
mod replica_set;
mod service;
mod stateful_set;
mod workflow;

use std::fmt;
use std::sync::Arc;

use pintle_model::application::HealthStatusCode;
use pintle_model::{Object, Value};

use crate::sync::hook::has_finalizer;

/// How well something is, from best to worst: the order decides which resource speaks for its application [F3.54].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HealthCode {
    /// It works.
    Healthy,
    /// Someone paused it.
    Suspended,
    /// It does not work yet, but may.
    Progressing,
    /// It is not in the cluster.
    Missing,
    /// It failed, or did not become healthy in its time.
    Degraded,
    /// It could not be judged.
    Unknown,
}

impl HealthCode {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "Healthy",
            Self::Suspended => "Suspended",
            Self::Progressing => "Progressing",
            Self::Missing => "Missing",
            Self::Degraded => "Degraded",
            Self::Unknown => "Unknown",
        }
    }
}

impl From<HealthCode> for HealthStatusCode {
    fn from(code: HealthCode) -> Self {
        match code {
            HealthCode::Healthy => Self::Healthy,
            HealthCode::Suspended => Self::Suspended,
            HealthCode::Progressing => Self::Progressing,
            HealthCode::Missing => Self::Missing,
            HealthCode::Degraded => Self::Degraded,
            HealthCode::Unknown => Self::Unknown,
        }
    }
}

impl fmt::Display for HealthCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A judgement and its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// The judgement.
    pub status: HealthCode,
    /// Why; empty where the status says it all.
    pub message: Arc<str>,
}

impl Health {
    /// Returns the pair.
    pub fn new(status: HealthCode, message: impl Into<Arc<str>>) -> Self {
        Self {
            status,
            message: message.into(),
        }
    }

    fn bare(status: HealthCode) -> Self {
        Self::new(status, "")
    }

    fn healthy() -> Self {
        Self::bare(HealthCode::Healthy)
    }

    fn progressing(message: impl Into<Arc<str>>) -> Self {
        Self::new(HealthCode::Progressing, message)
    }

    fn degraded(message: impl Into<Arc<str>>) -> Self {
        Self::new(HealthCode::Degraded, message)
    }
}

impl fmt::Display for Health {
    /// `Degraded: the reason`, or the status alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.message.is_empty() {
            self.status.fmt(f)
        } else {
            write!(f, "{}: {}", self.status, self.message)
        }
    }
}

type Check = fn(&Object) -> Health;

/// The health of a live object; `None` for kinds that have none. An object on its way out is `Progressing`, hooks aside, whatever its kind.
pub fn health(object: &Object) -> Option<Health> {
    if object.deletion_timestamp().is_some() && !has_finalizer(object) {
        return Some(Health::progressing("Pending deletion"));
    }
    let (versions, check): (&[&str], Check) = match (object.group(), object.kind()) {
        ("apps", "Deployment") => (&["v1"], deployment::check),
        ("apps", "StatefulSet") => (&["v1"], stateful_set::check),
        ("apps", "DaemonSet") => (&["v1"], daemon_set::check),
        ("apps", "ReplicaSet") => (&["v1"], replica_set::check),
        ("", "Pod") => (&["v1"], pod::check),
        ("", "Service") => (&["v1"], service::check),
        ("", "PersistentVolumeClaim") => (&["v1"], claim::check),
        ("batch", "Job") => (&["v1"], job::check),
        ("extensions" | "networking.k8s.io", "Ingress") => (&[], ingress::check),
        ("autoscaling", "HorizontalPodAutoscaler") => (&["v1", "v2"], autoscaler::check),
        ("apiregistration.k8s.io", "APIService") => (&["v1", "v1beta1"], api_service::check),
        ("argoproj.io", "Workflow") => (&[], workflow::check),
        _ => return None,
    };
    if !versions.is_empty() && !versions.contains(&object.version()) {
        let kind = if object.kind() == "HorizontalPodAutoscaler" {
            "HPA"
        } else {
            object.kind()
        };
        return Some(Health::new(
            HealthCode::Unknown,
            format!("unsupported {kind} GVK: {}", object.gvk()),
        ));
    }
    Some(check(object))
}

/// The number at a path; 0 where there is none, as in the peer's typed structs.
fn int(object: &Object, path: &[&str]) -> i64 {
    object.value().i64_at(path).unwrap_or(0)
}

/// The string at a path; empty where there is none.
fn text<'a>(value: &'a Value, path: &[&str]) -> &'a str {
    value.str_at(path).unwrap_or_default()
}

/// `status.conditions`.
fn conditions(object: &Object) -> &[Value] {
    object.value().list_at(&["status", "conditions"])
}

/// The first condition of a type.
fn condition<'a>(object: &'a Object, name: &str) -> Option<&'a Value> {
    conditions(object).iter().find(|c| text(c, &["type"]) == name)
}

/// Whether the controller of the object has not seen its newest spec.
fn is_behind(object: &Object) -> bool {
    object.generation().unwrap_or(0) > int(object, &["status", "observedGeneration"])
}

#[cfg(test)]
mod tests;
