//! One kind as a watch shows it, boiled down to what is waited for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pintle_cluster::{Cluster, ClusterEvent, Scope, Watcher};
use pintle_model::{GroupKind, Object};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout_at};

use super::Result;

/// Conditions on a whole fleet are looked at this often at most: looking costs time that belongs to the measured.
const FLEET_EVERY: Duration = Duration::from_millis(10);

/// Objects of one kind by name, as `T`.
pub(super) struct Watched<T> {
    seen: Arc<Mutex<Seen<T>>>,
    changes: watch::Receiver<u64>,
    _watcher: Watcher,
}

struct Seen<T> {
    objects: HashMap<String, T>,
    /// Versions of objects that arrived after the first list.
    events: u64,
}

impl<T: Send + 'static> Watched<T> {
    /// Starts to watch; returns once the kind has been listed.
    pub(super) async fn start(
        cluster: &Cluster,
        kind: &GroupKind,
        namespace: &str,
        read: fn(&Object) -> T,
    ) -> Result<Self> {
        let (events, mut received) = mpsc::channel(4096);
        let watcher = cluster.watch_kind(kind, Scope::namespace(namespace), events).await?;
        let seen = Arc::new(Mutex::new(Seen {
            objects: HashMap::new(),
            events: 0,
        }));
        let (changed, mut changes) = watch::channel(0);
        let kept = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Some(event) = received.recv().await {
                {
                    let mut seen = kept.lock().unwrap_or_else(PoisonError::into_inner);
                    match event {
                        ClusterEvent::Reset { objects, .. } => {
                            seen.objects = objects.iter().map(|o| (o.name().to_owned(), read(o))).collect();
                        }
                        ClusterEvent::Applied { object, .. } => {
                            seen.events += 1;
                            seen.objects.insert(object.name().to_owned(), read(&object));
                        }
                        ClusterEvent::Deleted { object, .. } => {
                            seen.objects.remove(object.name());
                        }
                        _ => continue,
                    }
                }
                changed.send_modify(|n| *n += 1);
            }
        });
        changes.changed().await?;
        Ok(Self {
            seen,
            changes,
            _watcher: watcher,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Seen<T>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Versions that arrived so far.
    pub(super) fn events(&self) -> u64 {
        self.lock().events
    }

    /// Waits until `is_met` of one object, looking at every change.
    pub(super) async fn until_one(&mut self, name: &str, within: Duration, is_met: impl Fn(&T) -> bool) -> Result<()> {
        let deadline = Instant::now() + within;
        loop {
            if self.lock().objects.get(name).is_some_and(&is_met) {
                return Ok(());
            }
            if timeout_at(deadline, self.changes.changed()).await.is_err() {
                return Err(format!("{name} did not get there within {within:?}").into());
            }
        }
    }

    /// Waits until `count` objects are there and all of them satisfy `is_met`.
    pub(super) async fn until_all(
        &mut self,
        count: usize,
        within: Duration,
        is_met: impl Fn(&T) -> bool,
    ) -> Result<()> {
        let deadline = Instant::now() + within;
        loop {
            let met = {
                let seen = self.lock();
                seen.objects.values().filter(|o| is_met(o)).count()
            };
            if met >= count {
                return Ok(());
            }
            if timeout_at(deadline, self.changes.changed()).await.is_err() {
                return Err(format!("{met} of {count} got there within {within:?}").into());
            }
            tokio::time::sleep(FLEET_EVERY).await;
        }
    }
}
