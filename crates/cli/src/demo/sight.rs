//! What can be seen of the demo's cluster, kept up to date by watches, and waiting until something is seen.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::time::Duration;

use pintle_cluster::{Cluster, ClusterEvent, ServedKind, Watcher};
use pintle_model::application::{Application, HealthStatusCode, OperationPhase, SyncStatusCode};
use pintle_model::{GroupKind, Object, ResourceKey, Value};
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout_at};

use super::manifests::CONTROL_NAMESPACE;

/// Kinds the demo looks at.
const KINDS: [(&str, &str); 6] = [
    ("argoproj.io", "Application"),
    ("apps", "Deployment"),
    ("apps", "ReplicaSet"),
    ("", "Pod"),
    ("", "Service"),
    ("", "ConfigMap"),
];
/// Events that wait for this task, which does nothing but put them into a map.
const EVENT_BUFFER: usize = 1000;
/// Changes of Applications kept to look back at: a story makes about a hundred.
const TRAIL_LIMIT: usize = 2000;

/// What an Application says about itself in three words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppState {
    /// Whether live objects are as the source says.
    pub sync: SyncStatusCode,
    /// Health.
    pub health: HealthStatusCode,
    /// The last operation.
    pub phase: OperationPhase,
}

impl AppState {
    fn of(app: &Application) -> Self {
        let phase = app.status.operation_state.as_ref().map(|s| s.phase.clone());
        Self {
            sync: app.status.sync.status.clone(),
            health: app.status.health.status.clone(),
            phase: phase.unwrap_or_default(),
        }
    }
}

impl fmt::Display for AppState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |text: &str| {
            if text.is_empty() {
                "-".to_owned()
            } else {
                text.to_owned()
            }
        };
        let (sync, health) = (word(self.sync.as_str()), word(self.health.as_str()));
        write!(f, "{sync}, {health}")?;
        if !self.phase.is_unset() {
            write!(f, ", operation {}", self.phase)?;
        }
        Ok(())
    }
}

/// One change of an Application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppChange {
    /// Which.
    pub name: String,
    /// What it says now; `None`: it is gone.
    pub state: Option<AppState>,
}

/// The objects as last seen.
#[derive(Default)]
pub struct Sight {
    objects: BTreeMap<ResourceKey, Object>,
    failures: BTreeMap<GroupKind, String>,
    trail: VecDeque<AppChange>,
    forgotten: usize,
}

impl Sight {
    /// One object.
    pub fn object(&self, group: &str, kind: &str, namespace: &str, name: &str) -> Option<&Object> {
        self.objects.get(&ResourceKey::new(group, kind, namespace, name))
    }

    /// The objects of a namespace, in order of their keys.
    pub fn in_namespace<'a>(&'a self, namespace: &'a str) -> impl Iterator<Item = (&'a ResourceKey, &'a Object)> {
        self.objects.iter().filter(move |(key, _)| &*key.namespace == namespace)
    }

    /// The Pods of a namespace that are there to stay.
    pub fn pods<'a>(&'a self, namespace: &'a str) -> impl Iterator<Item = &'a Object> {
        self.in_namespace(namespace)
            .map(|(_, object)| object)
            .filter(|object| object.kind() == "Pod" && object.deletion_timestamp().is_none())
    }

    /// An Application; an error says why it cannot be read.
    pub fn application(&self, name: &str) -> Result<Application, String> {
        match self.object("argoproj.io", "Application", CONTROL_NAMESPACE, name) {
            Some(object) => Application::from_object(object).map_err(|e| e.to_string()),
            None => Err(format!("there is no Application {name}")),
        }
    }

    /// What of the cluster cannot be seen at the moment.
    pub fn failures(&self) -> Option<String> {
        let all: Vec<String> = self
            .failures
            .iter()
            .map(|(kind, why)| format!("{}: {why}", kind.kind))
            .collect();
        (!all.is_empty()).then(|| all.join("; "))
    }

    /// A place in the trail of changes: its end.
    pub fn mark(&self) -> usize {
        self.forgotten + self.trail.len()
    }

    /// The changes of Applications after a mark, oldest first. Only the last two thousand are kept.
    pub fn since(&self, mark: usize) -> impl Iterator<Item = &AppChange> {
        self.trail.iter().skip(mark.saturating_sub(self.forgotten))
    }

    /// A sight of these objects and nothing else.
    #[cfg(test)]
    pub fn of(objects: impl IntoIterator<Item = Object>) -> Self {
        let mut sight = Self::default();
        objects.into_iter().for_each(|object| sight.put(object));
        sight
    }

    fn take(&mut self, event: ClusterEvent) {
        match event {
            ClusterEvent::Reset { kind, objects, .. } => {
                self.forget_kind(&kind.gvk.group_kind());
                for object in objects {
                    self.put(object);
                }
            }
            ClusterEvent::Applied { object, .. } => self.put(object),
            ClusterEvent::Deleted { object, .. } => {
                let key = object.key();
                self.objects.remove(&key);
                if is_application(&key) {
                    self.walk(key.name.to_string(), None);
                }
            }
            ClusterEvent::KindSynced { kind, .. } => {
                self.failures.remove(&kind.gvk.group_kind());
            }
            ClusterEvent::KindFailed { kind, error } => {
                self.failures.insert(kind.gvk.group_kind(), error.to_string());
            }
            ClusterEvent::Unreadable { kind, object } => {
                self.failures
                    .insert(kind.gvk.group_kind(), format!("{}: {}", object.name, object.message));
            }
            ClusterEvent::KindGone { kind } => self.forget_kind(&kind.gvk.group_kind()),
            ClusterEvent::Discovery(_) | ClusterEvent::DiscoveryFailed(_) => {}
        }
    }

    fn forget_kind(&mut self, kind: &GroupKind) {
        self.objects.retain(|key, _| !kind.is(&key.group, &key.kind));
    }

    fn put(&mut self, object: Object) {
        let key = object.key();
        if is_application(&key)
            && let Ok(app) = Application::from_object(&object)
        {
            self.walk(key.name.to_string(), Some(AppState::of(&app)));
        }
        self.objects.insert(key, object);
    }

    fn walk(&mut self, name: String, state: Option<AppState>) {
        let last = self.trail.iter().rev().find(|change| change.name == name);
        if last.map(|change| &change.state) == Some(&state) {
            return;
        }
        self.trail.push_back(AppChange { name, state });
        if self.trail.len() > TRAIL_LIMIT {
            self.trail.pop_front();
            self.forgotten += 1;
        }
    }
}

fn is_application(key: &ResourceKey) -> bool {
    &*key.group == "argoproj.io" && &*key.kind == "Application"
}

/// Watches the cluster until it is dropped.
pub struct Lookout {
    sight: watch::Receiver<Sight>,
    task: AbortHandle,
}

impl Drop for Lookout {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Lookout {
    /// Begins to watch.
    pub fn start(cluster: &Cluster) -> Self {
        let (events, mut incoming) = mpsc::channel(EVENT_BUFFER);
        let wanted = |kind: &ServedKind| {
            KINDS
                .iter()
                .any(|(g, k)| *g == &*kind.gvk.group && *k == &*kind.gvk.kind)
        };
        let watcher = Watcher::start(cluster.clone(), wanted, events);
        let (changed, sight) = watch::channel(Sight::default());
        let task = tokio::spawn(async move {
            let _watcher = watcher;
            while let Some(event) = incoming.recv().await {
                changed.send_modify(|sight| sight.take(event));
            }
        });
        Self {
            sight,
            task: task.abort_handle(),
        }
    }

    /// Looks once.
    pub fn look<T>(&self, at: impl FnOnce(&Sight) -> T) -> T {
        at(&self.sight.borrow())
    }

    /// A second pair of eyes on the same watches.
    pub fn watch(&self) -> watch::Receiver<Sight> {
        self.sight.clone()
    }

    /// Looks at every change until `check` finds what it looks for. Otherwise, at the deadline, what it said last.
    pub async fn until<T>(
        &self,
        within: Duration,
        mut check: impl FnMut(&Sight) -> Result<T, String>,
    ) -> Result<T, String> {
        let deadline = Instant::now() + within;
        let mut sight = self.sight.clone();
        loop {
            let last = {
                let now = sight.borrow_and_update();
                match check(&now) {
                    Ok(found) => return Ok(found),
                    Err(last) => match now.failures() {
                        Some(failures) => format!("{last} (cannot be seen: {failures})"),
                        None => last,
                    },
                }
            };
            match timeout_at(deadline, sight.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Err(format!("{last} (the watch has ended)")),
                Err(_) => return Err(last),
            }
        }
    }

    /// Looks at every change for a while; `check` must hold at each. Otherwise, at once, what it said.
    pub async fn throughout(
        &self,
        time: Duration,
        mut check: impl FnMut(&Sight) -> Result<(), String>,
    ) -> Result<(), String> {
        let end = Instant::now() + time;
        let mut sight = self.sight.clone();
        loop {
            check(&sight.borrow_and_update())?;
            match timeout_at(end, sight.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Err("the watch has ended".to_owned()),
                Err(_) => return Ok(()),
            }
        }
    }
}

/// The image of an object's first container: of a Pod, or of a workload's Pods.
pub fn image(object: &Object) -> &str {
    let spec: &[&str] = if object.kind() == "Pod" {
        &["spec"]
    } else {
        &["spec", "template", "spec"]
    };
    let containers = object.value().at(spec).map(|spec| spec.list_at(&["containers"]));
    containers
        .and_then(|c| c.first())
        .and_then(|c| c.str_at(&["image"]))
        .unwrap_or_default()
}

/// A condition of an object by its type.
pub fn condition<'a>(object: &'a Object, kind: &str) -> Option<&'a Value> {
    object
        .value()
        .list_at(&["status", "conditions"])
        .iter()
        .find(|c| c.str_at(&["type"]) == Some(kind))
}

/// Whether a Pod is ready.
pub fn is_ready(pod: &Object) -> bool {
    condition(pod, "Ready").and_then(|c| c.str_at(&["status"])) == Some("True")
}

/// Why a Pod's first container waits, if it does: `ErrImagePull`.
pub fn waiting_reason(pod: &Object) -> Option<&str> {
    let containers = pod.value().list_at(&["status", "containerStatuses"]);
    containers
        .first()
        .and_then(|c| c.str_at(&["state", "waiting", "reason"]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::manifests::read;

    fn app(sync: &str) -> Object {
        read(&format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: a, namespace: argocd}}\nspec: {{}}\nstatus: {{sync: {{status: {sync}}}}}\n"
        ))
        .unwrap()
    }

    #[test]
    fn the_trail_holds_each_change_once() {
        let mut sight = Sight::default();
        sight.put(app("Synced"));
        let mark = sight.mark();
        sight.put(app("Synced"));
        assert_eq!(sight.since(mark).count(), 0);
        sight.put(app("OutOfSync"));
        sight.put(app("Synced"));
        let seen: Vec<String> = sight
            .since(mark)
            .filter_map(|c| c.state.as_ref())
            .map(|s| s.to_string())
            .collect();
        assert_eq!(seen, ["OutOfSync, -", "Synced, -"]);
        assert_eq!(
            sight.application("a").unwrap().status.sync.status,
            SyncStatusCode::Synced
        );
        assert!(sight.application("b").is_err());
    }

    #[test]
    fn the_trail_is_bounded_and_marks_stay_right() {
        let mut sight = Sight::default();
        for i in 0..TRAIL_LIMIT + 10 {
            sight.put(app(if i % 2 == 0 { "Synced" } else { "OutOfSync" }));
        }
        let mark = sight.mark();
        sight.put(app("Unknown"));
        assert_eq!(sight.since(mark).count(), 1);
        assert_eq!(sight.since(0).count(), TRAIL_LIMIT);
    }
}
