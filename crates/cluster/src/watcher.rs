//! Keeps a cluster in view: one task per kind, following what the server serves.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use pintle_model::{Gvk, Object};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

use crate::backoff::{Backoff, spread};
use crate::client::Cluster;
use crate::discovery::{KindTable, ServedKind};
use crate::list::{Scope, Trim};
use crate::watch::{ClusterEvent, Doing, KindWatch, Progress};

/// A change of definitions is followed after this much quiet: an operator installs a dozen at once.
const DEBOUNCE: Duration = Duration::from_millis(500);
/// Definitions that keep changing are followed after this long all the same.
const DEBOUNCE_LONGEST: Duration = Duration::from_secs(3);
/// Asked once more this much later: the server's discovery trails its definitions by a second or so.
const SECOND_LOOK: Duration = Duration::from_secs(5);
/// Asked without any sign of change this often, so that a missed sign costs time and nothing else (I-14).
const PERIODIC: Duration = Duration::from_secs(10 * 60);
/// Discovery that fails is tried again after waits of this range.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// A task that has neither moved nor waited on its consumer for this long is replaced. Every request it makes ends sooner by itself,
/// so this catches our own mistakes.
const WATCHDOG: Duration = Duration::from_secs(12 * 60);
/// How often the watchdog looks.
const WATCHDOG_TICK: Duration = Duration::from_secs(60);
/// A task that ended by a panic comes back after this, so that one poisonous object does not become a busy loop (I-19).
const RESTART_AFTER_PANIC: Duration = Duration::from_secs(30);

/// The kinds whose objects decide what is served.
const DISCOVERY_SOURCES: [(&str, &str); 2] = [
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ("apiregistration.k8s.io", "APIService"),
];

/// Watches a cluster until it is dropped.
pub struct Watcher {
    task: JoinHandle<()>,
}

type Filter = dyn Fn(&ServedKind) -> bool + Send + Sync;

impl Watcher {
    /// Starts watching every listable and watchable kind that `filter` takes, at its preferred version, and sends what it sees to `events`.
    ///
    /// The channel's bound is the consumer's: a full one makes watches wait, and the server ends the ones that wait too long, which are
    /// resumed or listed again. Call it within a tokio runtime.
    pub fn start(
        cluster: Cluster,
        filter: impl Fn(&ServedKind) -> bool + Send + Sync + 'static,
        events: mpsc::Sender<ClusterEvent>,
    ) -> Self {
        Self::spawn(cluster, Box::new(filter), None, events)
    }

    /// As [`Watcher::start`], changing each object by `trim` where it arrives, so that a large cluster is never held whole in memory.
    pub fn start_trimmed(
        cluster: Cluster,
        filter: impl Fn(&ServedKind) -> bool + Send + Sync + 'static,
        trim: impl Fn(&ServedKind, Object) -> Object + Send + Sync + 'static,
        events: mpsc::Sender<ClusterEvent>,
    ) -> Self {
        Self::spawn(cluster, Box::new(filter), Some(Arc::new(trim)), events)
    }

    fn spawn(
        cluster: Cluster,
        filter: Box<Filter>,
        trim: Option<Arc<Trim>>,
        events: mpsc::Sender<ClusterEvent>,
    ) -> Self {
        let supervisor = Supervisor {
            cluster,
            filter,
            trim,
            events,
            tasks: JoinSet::new(),
            kinds: BTreeMap::new(),
        };
        Self {
            task: tokio::spawn(supervisor.run()),
        }
    }

    /// Watches one kind in one scope, without following discovery: for a component's own records. Sends `Reset`, `Applied`, `Deleted`,
    /// `Unreadable`, `KindSynced` and `KindFailed`.
    pub fn start_kind(
        cluster: Cluster,
        kind: Arc<ServedKind>,
        scope: Scope,
        events: mpsc::Sender<ClusterEvent>,
    ) -> Self {
        let watch = KindWatch {
            cluster,
            kind,
            scope,
            trim: None,
            events: Some(events),
            is_discovery_source: false,
            progress: Progress::new(),
        };
        Self {
            task: tokio::spawn(watch.run()),
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        // The kinds' tasks belong to the supervisor's set and end with it.
        self.task.abort();
    }
}

struct Supervisor {
    cluster: Cluster,
    filter: Box<Filter>,
    trim: Option<Arc<Trim>>,
    events: mpsc::Sender<ClusterEvent>,
    tasks: JoinSet<()>,
    kinds: BTreeMap<Gvk, Running>,
}

struct Running {
    kind: Arc<ServedKind>,
    progress: Arc<Progress>,
    task: AbortHandle,
    /// Whether the consumer hears of this kind, or it is only watched for discovery's sake.
    is_wanted: bool,
    /// Set where the task panicked: when it comes back.
    restart_at: Option<Instant>,
}

impl Supervisor {
    async fn run(mut self) {
        let mut changes = self.cluster.kinds_changes();
        let mut retry = Backoff::new(RETRY.0, RETRY.1);
        let mut schedule = Schedule {
            next: Instant::now(),
            hinted_since: None,
            second_look: None,
        };
        let mut watchdog = Instant::now() + WATCHDOG_TICK;
        // A table read before this watcher started is as good as a new one for a start.
        if changes.borrow_and_update().is_some() {
            self.follow(&changes).await;
        }
        loop {
            tokio::select! {
                () = self.events.closed() => return,
                () = self.cluster.discovery_hinted() => schedule.hint(Instant::now()),
                changed = changes.changed() => match changed {
                    Ok(()) => self.follow(&changes).await,
                    Err(_) => return,
                },
                () = sleep_until(schedule.next) => {
                    let result = self.cluster.discover().await;
                    match result {
                        // A changed table arrives by `changes`.
                        Ok(_) => {
                            retry.reset();
                            schedule.done(Instant::now());
                        }
                        Err(error) => {
                            let _ = self.events.send(ClusterEvent::DiscoveryFailed(error)).await;
                            schedule.next = Instant::now() + retry.next();
                        }
                    }
                }
                Some(ended) = self.tasks.join_next_with_id() => self.task_ended(ended),
                () = sleep_until(watchdog) => {
                    watchdog = Instant::now() + WATCHDOG_TICK;
                    self.look_after_tasks();
                }
            }
        }
    }

    /// Starts what is newly served and ends what is not any more.
    async fn follow(&mut self, changes: &tokio::sync::watch::Receiver<Option<Arc<KindTable>>>) {
        let Some(table) = changes.borrow().clone() else { return };
        let wanted: BTreeMap<Gvk, (Arc<ServedKind>, bool)> = table
            .watchable()
            .filter_map(|kind| {
                let is_wanted = (self.filter)(kind);
                (is_wanted || is_discovery_source(kind)).then(|| (kind.gvk.clone(), (Arc::clone(kind), is_wanted)))
            })
            .collect();
        let mut gone = Vec::new();
        self.kinds.retain(|gvk, running| {
            // A kind whose plural or scope changed is another kind.
            let stays = wanted.get(gvk).is_some_and(|(kind, _)| {
                kind.plural == running.kind.plural && kind.namespaced == running.kind.namespaced
            });
            if !stays {
                running.task.abort();
                if running.is_wanted {
                    gone.push(Arc::clone(&running.kind));
                }
            }
            stays
        });
        // The consumer knows the new kinds before it hears of their objects, and loses the old ones before they come at a new version.
        let _ = self.events.send(ClusterEvent::Discovery(Arc::clone(&table))).await;
        for kind in gone {
            let _ = self.events.send(ClusterEvent::KindGone { kind }).await;
        }
        for (gvk, (kind, is_wanted)) in wanted {
            if !self.kinds.contains_key(&gvk) {
                let running = self.start(kind, is_wanted);
                self.kinds.insert(gvk, running);
            }
        }
    }

    fn start(&mut self, kind: Arc<ServedKind>, is_wanted: bool) -> Running {
        let progress = Progress::new();
        let watch = KindWatch {
            cluster: self.cluster.clone(),
            kind: Arc::clone(&kind),
            scope: Scope::default(),
            trim: self.trim.clone(),
            events: is_wanted.then(|| self.events.clone()),
            is_discovery_source: is_discovery_source(&kind),
            progress: Arc::clone(&progress),
        };
        let task = self.tasks.spawn(watch.run());
        Running {
            kind,
            progress,
            task,
            is_wanted,
            restart_at: None,
        }
    }

    fn task_ended(&mut self, ended: Result<(tokio::task::Id, ()), tokio::task::JoinError>) {
        let Err(error) = ended else { return };
        if !error.is_panic() {
            return;
        }
        if let Some(running) = self.kinds.values_mut().find(|r| r.task.id() == error.id()) {
            tracing::error!(server = self.cluster.server(), kind = %running.kind.gvk, "the watch of a kind panicked; it comes back in 30 s");
            running.restart_at = Some(Instant::now() + RESTART_AFTER_PANIC);
        }
    }

    /// Replaces tasks that hang or have panicked.
    fn look_after_tasks(&mut self) {
        let now = Instant::now();
        let mut restart = Vec::new();
        for (gvk, running) in &self.kinds {
            let (since, doing) = running.progress.since();
            let stood_still = now.duration_since(since);
            let is_over = running.restart_at.is_some_and(|at| at <= now);
            if !is_over && (running.restart_at.is_some() || stood_still < WATCHDOG) {
                continue;
            }
            let (server, minutes) = (self.cluster.server(), stood_still.as_secs() / 60);
            if doing == Doing::HandingOver && !is_over {
                tracing::error!(server, kind = %gvk, minutes, "an event has not been taken");
                continue;
            }
            tracing::error!(server, kind = %gvk, minutes, "the watch of a kind hangs or has ended; starting it anew");
            running.task.abort();
            restart.push((gvk.clone(), Arc::clone(&running.kind), running.is_wanted));
        }
        for (gvk, kind, is_wanted) in restart {
            let running = self.start(kind, is_wanted);
            self.kinds.insert(gvk, running);
        }
    }
}

/// When to ask for the served kinds next.
struct Schedule {
    next: Instant,
    /// Since when changes have been signalled that no answer covers yet.
    hinted_since: Option<Instant>,
    second_look: Option<Instant>,
}

impl Schedule {
    fn hint(&mut self, now: Instant) {
        let since = *self.hinted_since.get_or_insert(now);
        let latest = since + DEBOUNCE_LONGEST;
        // A hint during a retry's wait may shorten it: the definition that changed may be what was broken.
        self.next = (now + DEBOUNCE).min(latest);
        self.second_look = Some(now + SECOND_LOOK);
    }

    fn done(&mut self, now: Instant) {
        self.hinted_since = None;
        self.next = self
            .second_look
            .take()
            .filter(|t| *t > now)
            .unwrap_or_else(|| now + spread(PERIODIC, 0.1));
    }
}

fn is_discovery_source(kind: &ServedKind) -> bool {
    DISCOVERY_SOURCES
        .iter()
        .any(|(group, name)| *group == &*kind.gvk.group && *name == &*kind.gvk.kind)
}
