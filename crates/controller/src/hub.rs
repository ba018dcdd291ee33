//! The one task that owns all state: takes events in, gives applications their turns.

mod control;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use pintle_cluster::{ClusterEvent, Clusters, Executor, ProjectVersionMap, ServedKind};
use pintle_engine::kinds::{KindTable, Scope, ServedVersion};
use pintle_engine::live::exclusion::KindFilter;
use pintle_engine::live::{IndexRules, LiveIndex, NotFresh, Touched, WatchScope};
use pintle_engine::sync::Verb;
use pintle_engine::track::Tracking;
use pintle_model::project::AppProject;
use pintle_model::settings::Settings;
use pintle_model::{Gvk, Object, ResourceKey, Sensitive};
use pintle_render::helm::Capabilities;
use pintle_render::{Need, RenderSettings};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;

use crate::announcer::Announcer;
use crate::app_state::{AppState, RenderSlot};
use crate::clock;
use crate::config::ControllerConfig;
use crate::event::{AppKey, Event};
use crate::installation;
use crate::intake::Credentials;
use crate::jobs;
use crate::quiet::Quiet;
use crate::turn::Lane;
use crate::writers::Writers;

/// Events taken in before applications get their turns: a burst of watch events becomes one turn per application.
const BATCH: usize = 512;
/// Turns between two looks at the events: when a thousand applications are due, what comes for one of them does not wait for all.
const TURNS: usize = 64;
/// Answers that change nothing, taken in one idle round.
const CALM_BATCH: usize = 32;
/// They do not wait for good: however busy the hub is, some are taken after so many rounds.
const CALM_ROUNDS: u32 = 64;
/// A touched application has its turn this much later, so that the events of one change come together.
const SETTLE_MS: i64 = 15;
/// A wanted object that could not be read is read again this much later.
const READ_RETRY_SECONDS: i64 = 5;
/// Kinds that could not be listed after this long no longer hold back the start: their applications say so instead.
const START_PATIENCE_SECONDS: i64 = 20;

pub(crate) struct Hub {
    pub config: ControllerConfig,
    pub settings: Settings,
    pub tracking: Tracking,
    pub filter: KindFilter,
    pub executor: Executor,
    pub projects_seen: ProjectVersionMap,
    pub index: LiveIndex,
    pub kinds: KindTable,
    /// Counts changes of kinds and settings: targets are made anew when it moves.
    pub generation: u64,
    pub apps: BTreeMap<AppKey, AppState>,
    pub by_instance: BTreeMap<Arc<str>, AppKey>,
    pub projects: BTreeMap<String, AppProject>,
    /// Which applications want an object, by instance name: two of them share it.
    pub claims: BTreeMap<ResourceKey, BTreeSet<Arc<str>>>,
    /// The same the other way round: what an application has claimed.
    wanted_by: BTreeMap<Arc<str>, BTreeSet<ResourceKey>>,
    pub events: mpsc::Sender<Event>,
    /// For answers that change nothing: they are taken when nothing else is to be done.
    pub calm: mpsc::Sender<Event>,
    /// Counts operations and deletions, to tell their answers apart.
    pub runs: u64,
    /// Whose stored status lags by nothing that anybody waits for.
    pub quiet: Quiet,
    /// Who writes its Application next.
    pub writers: Writers,
    /// Places of effects, of the one cluster that is deployed to.
    pub effects: Arc<Semaphore>,
    pub announcer: Announcer,
    /// What charts are told of the cluster.
    pub capabilities: Arc<Capabilities>,
    /// What sources are rendered with.
    pub rendering: Arc<RenderSettings>,
    /// What charts' randomness depends on; `None` until it was read.
    pub installation: Option<Arc<Sensitive<Vec<u8>>>>,
    credentials: Credentials,
    due: BTreeSet<(Timestamp, AppKey)>,
    due_at: BTreeMap<AppKey, Timestamp>,
    started_at: Timestamp,
    is_started: bool,
}

impl Hub {
    pub fn new(
        config: ControllerConfig,
        settings: Settings,
        events: mpsc::Sender<Event>,
        calm: mpsc::Sender<Event>,
    ) -> Self {
        let projects_seen = ProjectVersionMap::default();
        let executor = Executor::new(
            Clusters::of(config.cluster.clone()),
            Arc::new(projects_seen.clone()),
            config.lease.clone(),
        );
        let announcer = Announcer::start(executor.clone(), config.cluster.id().clone(), config.identity.clone());
        for problem in &settings.problems {
            tracing::warn!(problem = %problem, "a setting cannot be read; its default counts");
        }
        let (filter, _) = KindFilter::from_settings(&settings.resource_filter);
        tokio::spawn(installation::find(config.clone(), executor.clone(), events.clone()));
        let rendering = Arc::new(RenderSettings::from(&settings.rendering));
        Self {
            tracking: Tracking::from(&settings),
            filter,
            index: LiveIndex::new(IndexRules::from(&settings)),
            executor,
            projects_seen,
            config,
            settings,
            kinds: KindTable::default(),
            generation: 0,
            apps: BTreeMap::new(),
            by_instance: BTreeMap::new(),
            projects: BTreeMap::new(),
            claims: BTreeMap::new(),
            wanted_by: BTreeMap::new(),
            events,
            calm,
            runs: 0,
            quiet: Quiet::default(),
            writers: Writers::default(),
            effects: Arc::new(Semaphore::new(jobs::EFFECTS)),
            announcer,
            capabilities: Arc::default(),
            rendering,
            installation: None,
            credentials: Credentials::default(),
            due: BTreeSet::new(),
            due_at: BTreeMap::new(),
            started_at: clock::now(),
            is_started: false,
        }
    }

    /// Runs until told to stop.
    pub async fn run(mut self, mut events: mpsc::Receiver<Event>, mut calm: mpsc::Receiver<Event>) {
        let mut batch = Vec::with_capacity(BATCH);
        let mut calmly = Vec::with_capacity(CALM_BATCH + 1);
        let mut since_calm = 0;
        loop {
            let wait = self.next_due();
            tokio::select! {
                biased;
                taken = events.recv_many(&mut batch, BATCH) => if taken == 0 { return },
                () = sleep_until(wait) => {}
                // The hub itself holds a sender, so there is always another.
                first = calm.recv() => {
                    calmly.extend(first);
                    since_calm = CALM_ROUNDS;
                }
            }
            since_calm += 1;
            if since_calm > CALM_ROUNDS {
                since_calm = 0;
                calmly.extend(std::iter::from_fn(|| calm.try_recv().ok()).take(CALM_BATCH));
            }
            batch.append(&mut calmly);
            for event in batch.drain(..) {
                if matches!(event, Event::Shutdown) {
                    tracing::info!("controller stops");
                    return;
                }
                self.take(event);
            }
            self.turns();
            self.write_turns();
            self.quiet_turn(events.is_empty());
        }
    }

    fn next_due(&self) -> Option<Timestamp> {
        let first = self.due.first().map(|(at, _)| *at);
        if self.is_started && self.writers.can_call() {
            return Some(Timestamp::MIN);
        }
        if self.is_started {
            return [first, self.quiet.next_due(self.has_time())]
                .into_iter()
                .flatten()
                .min();
        }
        // Before the start only patience runs out.
        Some(
            self.started_at
                .saturating_add(jiff::SignedDuration::from_secs(START_PATIENCE_SECONDS))
                .unwrap_or(Timestamp::MAX),
        )
    }

    fn turns(&mut self) {
        let now = clock::now();
        if !self.is_started && !self.may_start(now) {
            return;
        }
        // Taken out first: what a turn schedules waits for the next round, after the events that have come meanwhile (I-12).
        let mut ready = Vec::new();
        while let Some((at, key)) = self.due.first().cloned() {
            if at > now || ready.len() >= TURNS {
                break;
            }
            self.due.remove(&(at, key.clone()));
            self.due_at.remove(&key);
            ready.push(key);
        }
        for key in ready {
            self.turn(&key, now, Lane::Usual);
        }
    }

    /// Gives a turn to those who wait to write, as long as there are places.
    fn write_turns(&mut self) {
        let now = clock::now();
        for _ in 0..TURNS {
            let Some(key) = self.writers.call() else { return };
            self.turn(&key, now, Lane::Usual);
            self.writers.dismiss();
        }
    }

    /// Gives one application of the low lane its turn, if nothing else is to be done or it has waited for long.
    fn quiet_turn(&mut self, no_events: bool) {
        let now = clock::now();
        let nobody_is_due = self.due.first().is_none_or(|(at, _)| *at > now);
        let is_idle = no_events && nobody_is_due && self.has_time();
        if self.is_started
            && let Some(key) = self.quiet.take(now, is_idle)
        {
            self.turn(&key, now, Lane::Quiet);
        }
    }

    /// Whether the API server is not kept busy from here.
    fn has_time(&self) -> bool {
        self.effects.available_permits() >= jobs::EFFECTS / 2 && self.writers.has_time()
    }

    /// Nothing is decided before every watched kind was listed once, or has failed to be (I-13).
    fn may_start(&mut self, now: Timestamp) -> bool {
        let waiting: Vec<String> = self
            .index
            .scopes()
            .filter(|(scope, _)| {
                matches!(
                    self.index
                        .check_fresh(&scope.kind, None, now, pintle_engine::view::MAX_AGE),
                    Err(NotFresh::NotSynced)
                )
            })
            .map(|(scope, _)| scope.kind.to_string())
            .collect();
        let patience = now.duration_since(self.started_at).as_secs() >= START_PATIENCE_SECONDS;
        let discovered = self.kinds.iter().next().is_some();
        if !discovered || (!waiting.is_empty() && !patience) {
            return false;
        }
        if !waiting.is_empty() {
            tracing::warn!(
                kinds = waiting.join(", "),
                "starting although these kinds are not listed yet; applications that have any of them wait"
            );
        }
        tracing::info!(
            applications = self.apps.len(),
            objects = self.index.len(),
            "every kind is listed; deciding begins"
        );
        self.is_started = true;
        let all: Vec<AppKey> = self.apps.keys().cloned().collect();
        for key in all {
            self.schedule(&key, now);
        }
        true
    }

    /// Gives an application its turn at `at`, or earlier if it is due earlier.
    pub fn schedule(&mut self, key: &AppKey, at: Timestamp) {
        match self.due_at.get(key) {
            Some(known) if *known <= at => return,
            Some(known) => {
                self.due.remove(&(*known, key.clone()));
            }
            None => {}
        }
        self.due.insert((at, key.clone()));
        self.due_at.insert(key.clone(), at);
    }

    fn soon(&mut self, key: &AppKey) {
        let at = clock::now()
            .saturating_add(jiff::SignedDuration::from_millis(SETTLE_MS))
            .unwrap_or(Timestamp::MAX);
        self.schedule(key, at);
    }

    pub fn touched(&mut self, touched: &Touched) {
        let keys: Vec<AppKey> = touched
            .apps()
            .into_iter()
            .filter_map(|app| self.by_instance.get(app).cloned())
            .collect();
        for key in keys {
            self.soon(&key);
        }
    }

    fn all_soon(&mut self) {
        let all: Vec<AppKey> = self.apps.keys().cloned().collect();
        for key in all {
            self.soon(&key);
        }
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Cluster(event) => self.cluster_event(event),
            Event::RepositoryHint { url, at } => self.hint(&url, at),
            Event::Rendered {
                app,
                wanted,
                for_operation,
                sources,
            } => {
                self.rendered(&app, wanted, for_operation, sources);
                let now = clock::now();
                if for_operation || !self.is_at_rest(&app) {
                    self.schedule(&app, now);
                } else {
                    self.revision_may_have_moved(&app, now);
                }
            }
            Event::Executed { app, run, outcomes } => {
                // A dry run's answer is not the object's state.
                for (_, outcome) in outcomes.iter().filter(|(id, _)| id.verb != Verb::DryRun) {
                    if let Some(object) = outcome.object() {
                        self.own_write(object);
                    }
                }
                self.executed(&app, run, outcomes);
                self.schedule(&app, clock::now());
            }
            Event::Written { app, outcome } => {
                if self.written(&app, outcome) {
                    // Nothing comes together with an own write, so there is nothing to wait for.
                    self.schedule(&app, clock::now());
                }
            }
            Event::Read { app, key, object } => {
                if let Some(state) = self.apps.get_mut(&app) {
                    state.reading.remove(&key);
                }
                let touched = match object {
                    Some(object) => self.index.apply(trimmed(object)),
                    None => self.index.delete(&key, ""),
                };
                self.touched(&touched);
                self.soon(&app);
            }
            Event::ReadFailed { app, key } => {
                if let Some(state) = self.apps.get_mut(&app) {
                    state.reading.remove(&key);
                }
                let later = clock::now().saturating_add(jiff::SignedDuration::from_secs(READ_RETRY_SECONDS));
                self.schedule(&app, later.unwrap_or(Timestamp::MAX));
            }
            Event::Installation(secret) => {
                self.installation = Some(secret);
                // Charts that drew before it was known have failed, and try again.
                self.all_soon();
            }
            Event::Query(query) => self.answer(query),
            Event::Shutdown => {}
        }
    }

    /// Takes over what a write returned, so that no decision is older than this process's own writes.
    fn own_write(&mut self, object: &Object) {
        if object.resource_version().is_empty() || object.uid().is_empty() {
            return;
        }
        let touched = if object.is_released() {
            // The write took the last finalizer off. The watch may have said that it is gone before the answer is here.
            self.index.delete(&object.key(), object.uid())
        } else {
            self.index.apply(trimmed(object.clone()))
        };
        self.touched(&touched);
    }

    fn hint(&mut self, url: &str, at: Instant) {
        let normal = pintle_repo::url::normalize(url);
        let now = clock::now();
        let hit: Vec<AppKey> = self
            .apps
            .iter()
            .filter(|(_, state)| reads_from(state, &normal))
            .map(|(key, _)| key.clone())
            .collect();
        tracing::debug!(url, applications = hit.len(), "a repository may have moved");
        for key in hit {
            if let Some(state) = self.apps.get_mut(&key) {
                state.render.ask(at);
            }
            // Before the start a turn asks.
            if self.is_started {
                self.look_at_sources(&key, now);
            } else {
                self.schedule(&key, now);
            }
        }
    }

    fn cluster_event(&mut self, event: ClusterEvent) {
        let now = clock::now();
        match event {
            ClusterEvent::Discovery(table) => self.discovered(&table),
            ClusterEvent::DiscoveryFailed(error) => {
                tracing::warn!(error = %error, "the kinds of the cluster cannot be read; what is known stays")
            }
            ClusterEvent::Reset {
                kind,
                objects,
                resource_version,
            } => {
                self.control_reset(&kind, &objects);
                let touched = self.index.reset(&scope(&kind), &resource_version, objects);
                self.touched(&touched);
            }
            ClusterEvent::Applied { kind, object } => {
                self.index.mark_event(&scope(&kind), now);
                self.control_applied(&object);
                let touched = self.index.apply(object);
                self.touched(&touched);
            }
            ClusterEvent::Deleted { kind, object } => {
                self.index.mark_event(&scope(&kind), now);
                self.control_deleted(&object);
                let touched = self.index.delete(&object.key(), object.uid());
                self.touched(&touched);
            }
            ClusterEvent::Unreadable { kind, object } => {
                let group_kind = kind.gvk.group_kind();
                let key = ResourceKey::new(
                    group_kind.group,
                    group_kind.kind,
                    object.namespace.as_str(),
                    object.name.as_str(),
                );
                tracing::warn!(object = %key, reason = object.message, "an object exists and cannot be read");
                let touched = self.index.mark_unreadable(key, object.message.as_str());
                self.touched(&touched);
            }
            ClusterEvent::KindSynced { kind, .. } => {
                let scope = scope(&kind);
                let is_news = self
                    .index
                    .state(&scope)
                    .is_none_or(|s| s.synced_at.is_none() || s.error.is_some());
                self.index.mark_synced(&scope, now);
                self.index.mark_event(&scope, now);
                if is_news && self.is_started {
                    // A kind that is new since the start, or that can be read again: whoever waited for it looks again.
                    self.all_soon();
                }
            }
            ClusterEvent::KindFailed { kind, error } => {
                tracing::warn!(kind = %kind.gvk.group_kind(), error = %error, "a kind cannot be read; applications that have it are not pruned");
                self.index.mark_failed(&scope(&kind), error.to_string().as_str());
                self.all_soon();
            }
            ClusterEvent::KindGone { kind } => {
                let touched = self.index.forget(&kind.gvk.group_kind());
                self.touched(&touched);
            }
        }
    }

    fn discovered(&mut self, table: &pintle_cluster::KindTable) {
        let versions = table.kinds.iter().map(|k| ServedVersion {
            gvk: k.gvk.clone(),
            scope: if k.namespaced {
                Scope::Namespaced
            } else {
                Scope::Cluster
            },
            plural: Arc::clone(&k.plural),
            verbs: k.verbs.clone(),
            preferred: k.preferred,
        });
        let failed = table
            .failed
            .iter()
            .map(|f| (Arc::clone(&f.group), Arc::from(f.message.as_str())));
        self.kinds = KindTable::from_versions(versions, failed);
        self.tell_charts(table);
        let server = self.config.cluster.id().to_string();
        for kind in table
            .watchable()
            .filter(|k| !self.filter.is_excluded(&k.gvk.group, &k.gvk.kind, &server))
        {
            let scope = scope(kind);
            if self.index.state(&scope).is_none() {
                self.index.expect(&scope);
            }
        }
        self.generation += 1;
        self.all_soon();
    }

    /// Charts that asked what the cluster serves are rendered again where that has changed.
    fn tell_charts(&mut self, table: &pintle_cluster::KindTable) {
        let (served, unreadable) = table.api_versions();
        let capabilities = match Capabilities::of_cluster(&table.version, served, unreadable) {
            Ok(capabilities) => Arc::new(capabilities),
            Err(e) => {
                tracing::error!(version = &*table.version, error = %e, "the cluster's version is none; charts are told what was known");
                return;
            }
        };
        if self.capabilities == capabilities {
            return;
        }
        self.capabilities = capabilities;
        let now = Instant::now();
        for state in self.apps.values_mut() {
            let depends = |slot: &RenderSlot| {
                let results = slot.result.iter().flat_map(|(_, sources)| sources);
                let mut rendered = results.filter_map(|s| s.rendered.as_ref().ok());
                rendered.any(|r| r.used.depends_on_cluster())
            };
            if depends(&state.render) {
                state.render.ask(now);
            }
        }
    }

    /// Notes which objects an application wants; whoever shares one of them looks again.
    pub fn claim(&mut self, instance: &Arc<str>, wanted: &BTreeSet<ResourceKey>) {
        let mut others = BTreeSet::new();
        let before = self.wanted_by.remove(instance).unwrap_or_default();
        for key in before.difference(wanted) {
            let Some(apps) = self.claims.get_mut(key) else { continue };
            apps.remove(instance);
            others.extend(apps.iter().cloned());
            if apps.is_empty() {
                self.claims.remove(key);
            }
        }
        for key in wanted.difference(&before) {
            let apps = self.claims.entry(key.clone()).or_default();
            others.extend(apps.iter().cloned());
            apps.insert(Arc::clone(instance));
        }
        if !wanted.is_empty() {
            self.wanted_by.insert(Arc::clone(instance), wanted.clone());
        }
        let keys: Vec<AppKey> = others
            .iter()
            .filter_map(|app| self.by_instance.get(app).cloned())
            .collect();
        for key in keys {
            self.soon(&key);
        }
    }

    /// The cluster as projects name it.
    pub fn server(&self) -> String {
        self.config.cluster.id().to_string()
    }

    pub fn scope_of(&self, gvk: &Gvk) -> Option<Scope> {
        self.kinds.scope(&gvk.group_kind())
    }
}

async fn sleep_until(at: Option<Timestamp>) {
    match at {
        None => std::future::pending().await,
        Some(at) => {
            let wait = at.duration_since(clock::now());
            tokio::time::sleep(wait.try_into().unwrap_or_default()).await;
        }
    }
}

fn scope(kind: &ServedKind) -> WatchScope {
    WatchScope::cluster_wide(kind.gvk.group_kind())
}

fn trimmed(mut object: Object) -> Object {
    object.value_mut().remove_at(&["metadata", "managedFields"]);
    object
}

/// Whether resourceVersion `a` is certainly older than `b`.
pub(crate) fn is_older(a: &str, b: &str) -> bool {
    matches!((a.parse::<u64>(), b.parse::<u64>()), (Ok(a), Ok(b)) if a < b)
}

/// Whether an application reads from a repository: as a source, or as a remote base of what was rendered last.
fn reads_from(state: &AppState, normal: &str) -> bool {
    let is_it = |url: &str| pintle_repo::url::normalize(url) == normal;
    let results = state.render.result.iter().flat_map(|(_, sources)| sources);
    let mut needs = results
        .filter_map(|s| s.rendered.as_ref().ok())
        .flat_map(|rendered| rendered.answers.keys());
    state.app.spec.effective_sources().iter().any(|s| is_it(&s.repo_url))
        || needs.any(|need| match need {
            Need::Remote(fetch) => fetch.git.as_ref().is_some_and(|base| is_it(&base.repository)),
            Need::Chart { repository, .. } => is_it(repository),
            Need::File { .. } => false,
        })
}
