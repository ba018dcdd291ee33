//! Keeps one kind in view: LIST, then WATCH from there, and on from where the last watch ended.
//!
//! ```text
//!            +--------- 410, or five failures in a row at one place --------+
//!            v                                                              |
//!   List --ok--> Reset, Synced --> Watch --ended by the server--> Watch ... |
//!    | error                        | error: wait, same resourceVersion ----+
//!    +-- Failed, wait (slowly where access is refused), List
//! ```

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pintle_engine::effect::FailureKind;
use pintle_model::Object;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};

use crate::backoff::{Backoff, between};
use crate::client::{Call, Cluster};
use crate::discovery::{KindTable, ServedKind};
use crate::error::{ApiError, Verb};
use crate::list::{Scope, Trim, Unreadable};
use crate::path;
use crate::watch_stream::{Change, Next, WatchStream};

/// The server is asked to end each watch after a while of this range, so that load spreads when servers come and go. As client-go does.
const WATCH_SHORTEST: Duration = Duration::from_secs(5 * 60);
/// See [`WATCH_SHORTEST`].
const WATCH_LONGEST: Duration = Duration::from_secs(10 * 60);
/// A watch that the server did not end by itself is ended here this much later: its connection is dead.
const WATCH_GRACE: Duration = Duration::from_secs(30);
/// A server that sends bookmarks sends them at most two minutes apart (measured on Kubernetes 1.36): silence for longer is a dead connection.
const IDLE_WITH_BOOKMARKS: Duration = Duration::from_secs(3 * 60);
/// Some kinds have no bookmarks (Events, aggregated APIs), and silence proves nothing. Their watch is opened anew after this long, which shows
/// that the position still holds; sooner than the engine's bound on the age of what it knows (three minutes).
const IDLE_WITHOUT_BOOKMARKS: Duration = Duration::from_secs(150);
/// A watch that is opened at an old position and hears no error for this long holds it.
const POSITION_HOLDS: Duration = Duration::from_secs(1);
/// Waits after failures that pass by themselves; client-go's reflector waits as long.
const RETRY: (Duration, Duration) = (Duration::from_millis(800), Duration::from_secs(30));
/// Waits after 401, 403 or 404: someone has to change something first.
const RETRY_REFUSED: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(5 * 60));
/// A server asking for a longer pause than this is asked again anyway.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(60);
/// Watches failing this often at one resourceVersion without one event are given up for a new LIST.
const FAILURES_BEFORE_RELIST: u32 = 5;
/// A watch that ends sooner than this without an event counts as failed, or the two sides would spin.
const SHORTEST_USEFUL_WATCH: Duration = Duration::from_secs(1);

/// What is seen of a cluster. Events of one kind arrive in order; kinds are independent of each other.
#[derive(Clone)]
pub enum ClusterEvent {
    /// The kinds served changed, or are known for the first time.
    Discovery(Arc<KindTable>),
    /// The kinds served cannot be read at all: the cluster cannot be reached, or refuses the credentials. Nothing known is withdrawn.
    DiscoveryFailed(ApiError),
    /// All objects of the kind as of one moment; whatever else was known of the kind is gone.
    Reset {
        /// The kind.
        kind: Arc<ServedKind>,
        /// Its objects.
        objects: Vec<Object>,
        /// As of when.
        resource_version: Arc<str>,
    },
    /// An object is new or different.
    Applied {
        /// The kind.
        kind: Arc<ServedKind>,
        /// The object.
        object: Object,
    },
    /// An object is gone.
    Deleted {
        /// The kind.
        kind: Arc<ServedKind>,
        /// Its last state.
        object: Object,
    },
    /// An object exists and cannot be read. The kind is not completely known until a `Reset` without this one.
    Unreadable {
        /// The kind.
        kind: Arc<ServedKind>,
        /// Which, and why.
        object: Unreadable,
    },
    /// Everything that happened to the kind up to about now has been sent: after a `Reset`, at each bookmark, and when a watch is back.
    KindSynced {
        /// The kind.
        kind: Arc<ServedKind>,
        /// As of when.
        resource_version: Arc<str>,
    },
    /// The kind cannot be read at the moment and is tried again; what is known of it grows old.
    KindFailed {
        /// The kind.
        kind: Arc<ServedKind>,
        /// Why.
        error: ApiError,
    },
    /// The server, asked successfully, no longer serves the kind: its objects are gone with it.
    KindGone {
        /// The kind.
        kind: Arc<ServedKind>,
    },
}

/// What a task is doing, for the watchdog.
pub(crate) struct Progress {
    state: Mutex<(Instant, Doing)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doing {
    /// Asking or waiting for the server; has deadlines of its own.
    Asking,
    /// Handing an event over to a consumer that has not taken it.
    HandingOver,
    /// Waiting to try again.
    Waiting,
}

impl Progress {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new((Instant::now(), Doing::Asking)),
        })
    }

    fn now(&self, doing: Doing) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = (Instant::now(), doing);
    }

    /// Since when, and what.
    pub(crate) fn since(&self) -> (Instant, Doing) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The task of one kind.
pub(crate) struct KindWatch {
    pub(crate) cluster: Cluster,
    pub(crate) kind: Arc<ServedKind>,
    pub(crate) scope: Scope,
    pub(crate) trim: Option<Arc<Trim>>,
    /// Where events go; `None` watches only for the sake of discovery.
    pub(crate) events: Option<mpsc::Sender<ClusterEvent>>,
    /// Whether changes of this kind change what is served.
    pub(crate) is_discovery_source: bool,
    pub(crate) progress: Arc<Progress>,
}

/// The consumer is gone: nothing is left to do.
struct ConsumerGone;

/// How a watch ended well.
struct Ended {
    /// Where the next one goes on.
    resource_version: Arc<str>,
    /// Whether it was of any use, so that there is no need to wait.
    is_useful: bool,
    /// Whether it was ended here because nothing proved that it was alive.
    was_silent: bool,
}

/// How a watch ended badly.
struct Broken {
    resource_version: Arc<str>,
    error: ApiError,
    /// Whether anything arrived before.
    is_useful: bool,
}

impl KindWatch {
    /// Runs until the consumer is gone or the task is ended from outside.
    pub(crate) async fn run(self) {
        // The only early way out is a consumer that is gone.
        let _ = self.keep_in_view().await;
    }

    async fn keep_in_view(&self) -> Result<(), ConsumerGone> {
        let mut position: Option<Arc<str>> = None;
        let mut retry = Backoff::new(RETRY.0, RETRY.1);
        let mut retry_refused = Backoff::new(RETRY_REFUSED.0, RETRY_REFUSED.1);
        let mut is_failing = false;
        let mut is_first_list = true;
        // Whether to say that the kind is in view as soon as the next watch holds.
        let mut announce = false;
        loop {
            self.progress.now(Doing::Asking);
            let error = match position.take() {
                None => match self.list(is_first_list).await? {
                    Ok(resource_version) => {
                        position = Some(resource_version);
                        is_first_list = false;
                        is_failing = false;
                        announce = false;
                        retry.reset();
                        retry_refused.reset();
                        continue;
                    }
                    Err(error) => error,
                },
                Some(from) => match self.watch(from, announce || is_failing).await? {
                    Ok(ended) => {
                        position = Some(ended.resource_version);
                        is_failing = false;
                        announce = ended.was_silent;
                        if ended.is_useful {
                            retry.reset();
                            retry_refused.reset();
                        } else {
                            self.wait(retry.next()).await;
                        }
                        continue;
                    }
                    Err(broken) => {
                        if broken.is_useful {
                            retry.reset();
                            is_failing = false;
                        }
                        let is_lost = broken.error.is_expired() || retry.failures() >= FAILURES_BEFORE_RELIST;
                        if broken.error.is_expired() && broken.is_useful {
                            // Nothing is wrong: the server compacted its history. List at once.
                            continue;
                        }
                        position = (!is_lost).then_some(broken.resource_version);
                        broken.error
                    }
                },
            };
            if error.status == Some(404) {
                self.cluster.hint_discovery();
            }
            let is_refused = matches!(
                error.kind,
                FailureKind::Forbidden | FailureKind::NotFound | FailureKind::Invalid
            );
            let wait = if is_refused { retry_refused.next() } else { retry.next() };
            let asked_for = error.retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER);
            // One lost connection is no news: the watch is back within a second. An expired position is none either.
            let is_news = position.is_none() && !error.is_expired() || retry.failures() > 1 || is_refused;
            if is_news {
                is_failing = true;
                self.send(ClusterEvent::KindFailed {
                    kind: Arc::clone(&self.kind),
                    error,
                })
                .await?;
            }
            self.wait(wait.max(asked_for)).await;
        }
    }

    /// Lists the kind and sends it; answers where to watch from.
    async fn list(&self, is_first: bool) -> Result<Result<Arc<str>, ApiError>, ConsumerGone> {
        let listed = match self
            .cluster
            .list_trimmed(&self.kind, &self.scope, self.trim.as_deref())
            .await
        {
            Ok(listed) => listed,
            Err(error) => return Ok(Err(error)),
        };
        if self.is_discovery_source && !is_first {
            self.cluster.hint_discovery();
        }
        let resource_version = listed.resource_version;
        self.send(ClusterEvent::Reset {
            kind: Arc::clone(&self.kind),
            objects: listed.objects,
            resource_version: Arc::clone(&resource_version),
        })
        .await?;
        for object in listed.unreadable {
            self.send(ClusterEvent::Unreadable {
                kind: Arc::clone(&self.kind),
                object,
            })
            .await?;
        }
        self.synced(&resource_version).await?;
        Ok(Ok(resource_version))
    }

    /// Watches from a resourceVersion until the watch ends.
    async fn watch(&self, from: Arc<str>, mut announce: bool) -> Result<Result<Ended, Broken>, ConsumerGone> {
        let asked = self
            .cluster
            .asked(Verb::Watch, self.kind.describe(&self.scope.namespace, ""));
        let mut at = from;
        let mut is_useful = false;
        macro_rules! broken {
            ($error:expr) => {
                return Ok(Err(Broken {
                    resource_version: at,
                    error: $error,
                    is_useful,
                }))
            };
        }
        let lifetime = between(WATCH_SHORTEST, WATCH_LONGEST);
        let started = Instant::now();
        let end = started + lifetime + WATCH_GRACE;
        let mut epoch = self.cluster.epoch();
        let uri = match self.watch_uri(&at, lifetime) {
            Ok(uri) => uri,
            Err(e) => broken!(asked.failed(FailureKind::Invalid, e.to_string())),
        };
        let body = match self
            .cluster
            .open(
                &asked,
                &Call {
                    uri: &uri,
                    ..Call::get()
                },
            )
            .await
        {
            Ok(body) => body,
            Err(error) => {
                if error.is_unauthorized() {
                    self.cluster.reauthenticate().await;
                }
                broken!(error)
            }
        };
        let mut stream = WatchStream::new(asked.clone(), &self.kind, body);
        let mut has_bookmarks = false;
        let mut was_silent = false;
        loop {
            self.progress.now(Doing::Asking);
            let idle = match (announce, has_bookmarks) {
                (true, _) => POSITION_HOLDS,
                (false, true) => IDLE_WITH_BOOKMARKS,
                (false, false) => IDLE_WITHOUT_BOOKMARKS,
            };
            let next = tokio::select! {
                next = stream.next(idle) => next,
                // New credentials: what the old ones opened is not trusted any longer (I-23).
                _ = epoch.changed() => break,
                () = sleep_until(end) => {
                    broken!(asked.failed(FailureKind::Unknown, "the server did not end the watch when it was asked to"))
                }
            };
            let change = match next {
                Ok(Next::Change(change)) => change,
                Ok(Next::Ended) => break,
                Ok(Next::Silent) if announce => {
                    announce = false;
                    self.synced(&at).await?;
                    continue;
                }
                Ok(Next::Silent) if has_bookmarks => {
                    let silent = idle.as_secs();
                    broken!(asked.failed(FailureKind::Unknown, format!("the watch was silent for {silent} s")))
                }
                Ok(Next::Silent) => {
                    was_silent = true;
                    break;
                }
                Err(error) => broken!(error),
            };
            is_useful = true;
            if std::mem::take(&mut announce) && !matches!(change, Change::Bookmark(_)) {
                self.synced(&at).await?;
            }
            match change {
                Change::Applied(object) => {
                    move_to(&mut at, object.resource_version());
                    let object = self.trimmed(object);
                    self.changed(ClusterEvent::Applied {
                        kind: Arc::clone(&self.kind),
                        object,
                    })
                    .await?;
                }
                Change::Deleted(object) => {
                    move_to(&mut at, object.resource_version());
                    let object = self.trimmed(object);
                    self.changed(ClusterEvent::Deleted {
                        kind: Arc::clone(&self.kind),
                        object,
                    })
                    .await?;
                }
                Change::Unreadable(object, resource_version) => {
                    move_to(&mut at, &resource_version);
                    self.changed(ClusterEvent::Unreadable {
                        kind: Arc::clone(&self.kind),
                        object,
                    })
                    .await?;
                }
                Change::Bookmark(resource_version) => {
                    move_to(&mut at, &resource_version);
                    has_bookmarks = true;
                    self.synced(&at).await?;
                }
            }
        }
        let is_useful = is_useful || started.elapsed() > SHORTEST_USEFUL_WATCH;
        Ok(Ok(Ended {
            resource_version: at,
            is_useful,
            was_silent,
        }))
    }

    fn watch_uri(&self, from: &str, lifetime: Duration) -> Result<String, path::BadName> {
        let seconds = lifetime.as_secs().to_string();
        let mut query = self.scope.query();
        query.extend([
            ("watch", "true"),
            ("allowWatchBookmarks", "true"),
            ("resourceVersion", from),
            ("timeoutSeconds", &seconds),
        ]);
        Ok(format!(
            "{}{}",
            path::collection(&self.kind, &self.scope.namespace)?,
            path::query(&query)
        ))
    }

    fn trimmed(&self, object: Object) -> Object {
        match &self.trim {
            Some(trim) => trim(&self.kind, object),
            None => object,
        }
    }

    async fn changed(&self, event: ClusterEvent) -> Result<(), ConsumerGone> {
        if self.is_discovery_source {
            self.cluster.hint_discovery();
        }
        self.send(event).await
    }

    async fn synced(&self, resource_version: &Arc<str>) -> Result<(), ConsumerGone> {
        let (kind, resource_version) = (Arc::clone(&self.kind), Arc::clone(resource_version));
        self.send(ClusterEvent::KindSynced { kind, resource_version }).await
    }

    async fn send(&self, event: ClusterEvent) -> Result<(), ConsumerGone> {
        let Some(events) = &self.events else { return Ok(()) };
        self.progress.now(Doing::HandingOver);
        let sent = events.send(event).await.map_err(|_| ConsumerGone);
        self.progress.now(Doing::Asking);
        sent
    }

    /// Waits, or less where new credentials arrive meanwhile.
    async fn wait(&self, longest: Duration) {
        self.progress.now(Doing::Waiting);
        let mut epoch = self.cluster.epoch();
        tokio::select! {
            () = sleep(longest) => {}
            _ = epoch.changed() => {}
        }
    }
}

/// Moves a position on. An event without one leaves it: an empty resourceVersion would mean "from anywhere".
fn move_to(at: &mut Arc<str>, resource_version: &str) {
    if !resource_version.is_empty() {
        *at = resource_version.into();
    }
}
