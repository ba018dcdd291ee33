//! Kubernetes Events about Applications, for people [F3.34].
//!
//! They are written side by side with everything else, a few at once, and late rather than in the way: an Event carries the time of what it
//! tells. One that is lost is no harm, because the status says the same.

use jiff::Timestamp;
use pintle_cluster::Executor;
use pintle_engine::{Action, ClusterId, Effect, Permitted};
use pintle_model::application::{Application, OperationState};
use pintle_model::{Gvk, Object, Value};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};

use crate::event::AppKey;

/// Events under way at once.
const AT_ONCE: usize = 2;
/// Events waiting: three for each of several thousand applications that are installed at once. Past that new ones are dropped, and it is said.
const QUEUE: usize = 20_000;

/// Takes announcements and writes them. Dropping it drops what waits.
pub(crate) struct Announcer {
    notes: mpsc::Sender<Note>,
    task: JoinHandle<()>,
}

/// One Event to be.
struct Note {
    app: AppKey,
    uid: String,
    resource_version: String,
    announcement: Announcement,
    at: Timestamp,
    /// Tells it from others of the same moment.
    index: i128,
}

struct Announcement {
    reason: &'static str,
    is_warning: bool,
    message: String,
}

impl Announcer {
    /// Starts to write what is announced, as `identity`.
    pub fn start(executor: Executor, cluster: ClusterId, identity: String) -> Self {
        let (notes, mut waiting) = mpsc::channel::<Note>(QUEUE);
        let task = tokio::spawn(async move {
            let mut under_way = JoinSet::new();
            while let Some(note) = waiting.recv().await {
                if under_way.len() >= AT_ONCE {
                    under_way.join_next().await;
                }
                if let Some(permitted) = note.effect(&cluster, &identity) {
                    let executor = executor.clone();
                    under_way.spawn(async move { drop(executor.execute(permitted).await) });
                }
            }
        });
        Self { notes, task }
    }

    /// Announces what a stored write changed.
    pub fn announce(&self, key: &AppKey, old: &Application, new: &Application, now: Timestamp) {
        for (index, announcement) in (0..).zip(announcements(old, new)) {
            let note = Note {
                app: key.clone(),
                uid: new.metadata.uid.clone(),
                resource_version: new.metadata.resource_version.clone(),
                announcement,
                at: now,
                index,
            };
            if let Err(refused) = self.notes.try_send(note) {
                tracing::warn!(application = %key.name, reason = %refused, "an Event is not written");
            }
        }
    }
}

impl Drop for Announcer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Note {
    fn effect(&self, cluster: &ClusterId, identity: &str) -> Option<Permitted<Effect>> {
        let event = self.object(identity)?;
        let effect = Effect {
            cluster: cluster.clone(),
            gvk: Gvk::new("", "v1", "Event"),
            namespace: self.app.namespace.clone(),
            name: event.name().into(),
            action: Action::Create { object: event },
            dry_run: false,
        };
        Permitted::own_record(effect).ok()
    }

    fn object(&self, identity: &str) -> Option<Object> {
        let Announcement {
            reason,
            is_warning,
            message,
        } = &self.announcement;
        // As client-go names them: unique enough for one object at one nanosecond.
        let number = self.at.as_nanosecond().saturating_add(self.index);
        let name = format!("{}.{number:x}.{}", self.app.name, reason.to_lowercase());
        let mut event = Value::map();
        event.set_at(&["apiVersion"], "v1".into());
        event.set_at(&["kind"], "Event".into());
        event.set_at(&["metadata", "name"], name.into());
        event.set_at(&["metadata", "namespace"], (&*self.app.namespace).into());
        for (field, text) in [
            ("apiVersion", "argoproj.io/v1alpha1"),
            ("kind", "Application"),
            ("namespace", &self.app.namespace),
            ("name", &self.app.name),
            ("uid", self.uid.as_str()),
            ("resourceVersion", self.resource_version.as_str()),
        ] {
            event.set_at(&["involvedObject", field], text.into());
        }
        let time = pintle_model::Time::new(self.at).to_string();
        event.set_at(&["reason"], (*reason).into());
        event.set_at(&["message"], message.as_str().into());
        event.set_at(&["type"], if *is_warning { "Warning" } else { "Normal" }.into());
        event.set_at(&["source", "component"], identity.into());
        event.set_at(&["firstTimestamp"], time.as_str().into());
        event.set_at(&["lastTimestamp"], time.as_str().into());
        event.set_at(&["count"], Value::Int(1));
        Object::new(event).ok()
    }
}

fn announcements(old: &Application, new: &Application) -> Vec<Announcement> {
    let mut found = Vec::new();
    let mut add = |reason, is_warning, message| {
        found.push(Announcement {
            reason,
            is_warning,
            message,
        });
    };
    let (before, after) = (old.status.operation_state.as_ref(), new.status.operation_state.as_ref());
    let same_run = before.map(|s| s.started_at) == after.map(|s| s.started_at);
    if let Some(state) = after {
        let what = |verb: &str| {
            let by = if state.operation.initiated_by.automated {
                "automated sync".to_owned()
            } else {
                state.operation.initiated_by.username.clone()
            };
            let revision = state.sync_result.as_ref().map_or("", |r| r.revision.as_str());
            let by = if by.is_empty() { "unknown user".to_owned() } else { by };
            format!("{by} {verb} sync to {revision}")
        };
        if !same_run || before.is_none() {
            add("OperationStarted", false, what("initiated"));
        }
        if state.phase.is_completed() && before.is_none_or(|s| !s.phase.is_completed() || !same_run) {
            let message = format!(
                "Sync operation to {} {}: {}",
                state.sync_result.as_ref().map_or("", |r| r.revision.as_str()),
                phase_word(state),
                state.message
            );
            add("OperationCompleted", state.phase.is_failed(), message);
        }
    }
    let (sync_old, sync_new) = (&old.status.sync.status, &new.status.sync.status);
    if sync_old != sync_new {
        let message = format!("Updated sync status: {sync_old} -> {sync_new}");
        add("ResourceUpdated", false, message);
    }
    let (health_old, health_new) = (&old.status.health.status, &new.status.health.status);
    if health_old != health_new {
        let message = format!("Updated health status: {health_old} -> {health_new}");
        add("ResourceUpdated", false, message);
    }
    found
}

fn phase_word(state: &OperationState) -> &'static str {
    if state.phase.is_successful() {
        "succeeded"
    } else {
        "failed"
    }
}

#[cfg(test)]
mod tests {
    use pintle_model::application::{HealthStatusCode, SyncStatusCode};

    use super::*;

    #[test]
    fn what_one_write_changed_is_told_by_events_of_different_names() {
        let old = Application::default();
        let mut new = old.clone();
        new.status.sync.status = SyncStatusCode::Synced;
        new.status.health.status = HealthStatusCode::Healthy;
        let notes = (0..).zip(announcements(&old, &new)).map(|(index, announcement)| Note {
            app: AppKey {
                namespace: "argocd".into(),
                name: "shop".into(),
            },
            uid: "u".to_owned(),
            resource_version: "7".to_owned(),
            announcement,
            at: Timestamp::from_second(1).unwrap(),
            index,
        });
        let events: Vec<Object> = notes.map(|n| n.object("us").unwrap()).collect();
        let told: Vec<&str> = events.iter().filter_map(|e| e.value().str_at(&["message"])).collect();
        assert_eq!(
            told,
            ["Updated sync status:  -> Synced", "Updated health status:  -> Healthy"]
        );
        let names: Vec<&str> = events.iter().map(Object::name).collect();
        assert_eq!(
            names,
            ["shop.3b9aca00.resourceupdated", "shop.3b9aca01.resourceupdated"]
        );
    }
}
