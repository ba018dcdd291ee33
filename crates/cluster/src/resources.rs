//! Reading what Pintle itself lives on, and the effects on its own records: Applications, AppProjects, settings, Events, Pods' logs.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use kube::client::Body;
use pintle_engine::effect::{Action, Effect, FailureKind, Permitted};
use pintle_model::{GroupKind, Gvk, Object, Value};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::client::{Call, Cluster};
use crate::error::{ApiError, Asked, Verb};
use crate::list::{Listed, Scope};
use crate::path;
use crate::watch::ClusterEvent;
use crate::watcher::Watcher;

/// A log that is not followed ends by itself; one that stalls for this long is broken off.
const LOG_IDLE: Duration = Duration::from_secs(60);

/// The Application kind.
pub fn application_kind() -> GroupKind {
    GroupKind::new("argoproj.io", "Application")
}

/// The AppProject kind.
pub fn project_kind() -> GroupKind {
    GroupKind::new("argoproj.io", "AppProject")
}

/// The ConfigMap kind.
pub fn config_map_kind() -> GroupKind {
    GroupKind::new("", "ConfigMap")
}

/// The Secret kind.
pub fn secret_kind() -> GroupKind {
    GroupKind::new("", "Secret")
}

impl Cluster {
    /// Reads one object of a kind at its preferred version; `None` where the server itself says that it is not there.
    pub async fn find_kind(&self, kind: &GroupKind, namespace: &str, name: &str) -> Result<Option<Object>, ApiError> {
        let kind = self.served_kind(kind).await?;
        self.find(&kind, namespace, name).await
    }

    /// Reads a collection of a kind at its preferred version, whole.
    pub async fn list_kind(&self, kind: &GroupKind, scope: &Scope) -> Result<Listed, ApiError> {
        let kind = self.served_kind(kind).await?;
        self.list(&kind, scope).await
    }

    /// Watches a kind at its preferred version in one scope, until the watcher is dropped.
    pub async fn watch_kind(
        &self,
        kind: &GroupKind,
        scope: Scope,
        events: mpsc::Sender<ClusterEvent>,
    ) -> Result<Watcher, ApiError> {
        let kind = self.served_kind(kind).await?;
        Ok(Watcher::start_kind(self.clone(), kind, scope, events))
    }

    /// Opens the log of a container. With `follow` it goes on for as long as the container does.
    pub async fn pod_log(&self, namespace: &str, pod: &str, options: &LogOptions) -> Result<LogStream, ApiError> {
        let kind = self.served_kind(&GroupKind::new("", "Pod")).await?;
        let asked = self.asked(Verb::Get, format!("log of {}", kind.describe(namespace, pod)));
        let path =
            path::object(&kind, namespace, pod).map_err(|e| asked.failed(FailureKind::Invalid, e.to_string()))?;
        let query = options.query();
        let query: Vec<(&str, &str)> = query.iter().map(|(k, v)| (*k, v.as_str())).collect();
        let uri = format!("{path}/log{}", path::query(&query));
        let body = self
            .open(
                &asked,
                &Call {
                    uri: &uri,
                    accept: "*/*",
                    ..Call::get()
                },
            )
            .await?;
        Ok(LogStream {
            asked,
            body,
            idle: (!options.follow).then_some(LOG_IDLE),
        })
    }
}

/// What part of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogOptions {
    /// The container; empty means the only one.
    pub container: String,
    /// Go on as lines are written.
    pub follow: bool,
    /// The container that ran before the present one.
    pub previous: bool,
    /// Put the time before each line.
    pub timestamps: bool,
    /// Only the last so many lines.
    pub tail_lines: Option<u64>,
    /// Only what is at most so many seconds old.
    pub since_seconds: Option<u64>,
    /// Only what was written from this time on.
    pub since_time: Option<Timestamp>,
}

impl LogOptions {
    fn query(&self) -> Vec<(&'static str, String)> {
        let mut query = Vec::new();
        if !self.container.is_empty() {
            query.push(("container", self.container.clone()));
        }
        for (name, is_set) in [
            ("follow", self.follow),
            ("previous", self.previous),
            ("timestamps", self.timestamps),
        ] {
            if is_set {
                query.push((name, "true".to_owned()));
            }
        }
        query.extend(self.tail_lines.map(|n| ("tailLines", n.to_string())));
        query.extend(self.since_seconds.map(|n| ("sinceSeconds", n.to_string())));
        query.extend(self.since_time.map(|t| ("sinceTime", t.to_string())));
        query
    }
}

/// A log as it arrives: bytes, cut anywhere.
pub struct LogStream {
    asked: Asked,
    body: Body,
    idle: Option<Duration>,
}

impl LogStream {
    /// The next piece; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ApiError> {
        loop {
            let frame = match self.idle {
                None => self.body.frame().await,
                Some(idle) => match timeout(idle, self.body.frame()).await {
                    Ok(frame) => frame,
                    Err(_) => {
                        return Err(self
                            .asked
                            .failed(FailureKind::Unknown, format!("nothing for {} s", idle.as_secs())));
                    }
                },
            };
            match frame {
                None => return Ok(None),
                Some(Err(e)) => return Err(self.asked.lost_midway(&e)),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
            }
        }
    }
}

/// How serious an Event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventType {
    /// `Normal`.
    Normal,
    /// `Warning`.
    Warning,
}

/// Something that happened to an own record, told by a Kubernetes Event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventNote {
    /// How serious.
    pub event_type: EventType,
    /// `OperationStarted`, `ResourceUpdated`, …
    pub reason: String,
    /// One sentence.
    pub message: String,
    /// Who tells, as the `source.component`.
    pub component: String,
    /// When.
    pub at: Timestamp,
}

impl EventNote {
    /// The effect that creates the Event about `about`, in its namespace. `None` for an object of another cluster than Pintle's own.
    pub fn effect(&self, cluster: &Cluster, about: &Object) -> Option<Permitted<Effect>> {
        let kind = Gvk::new("", "v1", "Event");
        // As client-go names Events: the object and the time in hexadecimal nanoseconds.
        let name = format!("{}.{:x}", about.name(), self.at.as_nanosecond());
        let mut event = Object::bare(&kind, about.namespace(), &name);
        let value = event.value_mut();
        let time: Value = format!("{:.0}", self.at).into();
        let event_type = match self.event_type {
            EventType::Normal => "Normal",
            EventType::Warning => "Warning",
        };
        for (field, text) in [
            ("apiVersion", about.api_version()),
            ("kind", about.kind()),
            ("namespace", about.namespace()),
            ("name", about.name()),
            ("uid", about.uid()),
            ("resourceVersion", about.resource_version()),
        ] {
            value.set_at(&["involvedObject", field], text.into());
        }
        value.set_at(&["type"], event_type.into());
        value.set_at(&["reason"], self.reason.as_str().into());
        value.set_at(&["message"], self.message.as_str().into());
        value.set_at(&["source", "component"], self.component.as_str().into());
        value.set_at(&["firstTimestamp"], time.clone());
        value.set_at(&["lastTimestamp"], time);
        value.set_at(&["count"], Value::Int(1));
        let effect = Effect {
            cluster: cluster.id().clone(),
            gvk: kind,
            namespace: about.namespace().into(),
            name: Arc::from(name),
            action: Action::Create { object: event },
            dry_run: false,
        };
        Permitted::own_record(effect).ok()
    }
}
