//! Asking repositories for manifests, and making targets of them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use pintle_engine::app::operation::{Wanted, wanted};
use pintle_engine::app::project::source_permitted;
use pintle_engine::app::recorded::is_repeatable;
use pintle_engine::app::targets::{TargetRules, targets};
use pintle_engine::complete::{Complete, SourceRender};
use pintle_engine::track::instance_name;
use pintle_model::application::{Application, SyncOperation};
use pintle_model::{Object, ResourceKey};
use pintle_render::AppIdentity;
use pintle_repo::Ask;
use tokio::time::Instant;

use super::after;
use crate::app_state::{AppState, Prepared, RenderSlot};
use crate::event::{AppKey, SourceResult};
use crate::hub::Hub;
use crate::jobs::{self};

/// A failed render is tried again after this long, doubled with each failure up to [`RENDER_RETRY_LONGEST`].
const RENDER_RETRY: Duration = Duration::from_secs(3);

const RENDER_RETRY_LONGEST: Duration = Duration::from_secs(180);

/// Refs listed this recently are good enough for a poll, or a quarter of the interval of polls if that is less: applications of one repository
/// share a listing.
const POLL_SHARES: Duration = Duration::from_secs(30);

impl Hub {
    /// Starts a render where the spec, a hint, a poll or a retry asks for one.
    pub(super) fn ask_for_render(&mut self, key: &AppKey, state: &mut AppState, wanted: &Wanted, now: Timestamp) {
        if wanted.sources.is_empty() {
            state.poll_at = None;
            state.render.retry_at = None;
            return;
        }
        if state.render.in_flight.is_some() {
            return;
        }
        let is_new = state.render.result.as_ref().is_none_or(|(of, _)| of != wanted);
        let polled = state.poll_at.is_some_and(|at| at <= now);
        let retried = state.render.retry_at.is_some_and(|at| at <= now);
        let asked = state.render.not_before.take();
        if !(is_new || polled || retried || asked.is_some()) {
            return self.wake_for_render(key, state);
        }
        let interval = self.settings.controller.reconciliation.map(|wait| wait.to_std() / 4);
        let shares = interval.unwrap_or(POLL_SHARES).min(POLL_SHARES);
        let shared = Instant::now().checked_sub(shares).unwrap_or_else(Instant::now);
        let not_before = asked.unwrap_or_else(|| state.render.as_of.map_or(shared, |at| at.max(shared)));
        state.render.retry_at = None;
        state.poll_at = None;
        self.start_render(key, &state.app, &mut state.render, wanted.clone(), not_before, false);
    }

    pub(super) fn wake_for_render(&mut self, key: &AppKey, state: &AppState) {
        for at in [state.poll_at, state.render.retry_at].into_iter().flatten() {
            self.schedule(key, at);
        }
    }

    pub(super) fn start_render(
        &self,
        key: &AppKey,
        app: &Application,
        slot: &mut RenderSlot,
        wanted: Wanted,
        not_before: Instant,
        for_operation: bool,
    ) {
        slot.in_flight = Some(wanted.clone());
        slot.as_of = Some(not_before);
        let name = app.spec.project_or_default();
        let project = self.projects.get(name).cloned();
        let ask = Ask {
            sources: wanted.sources.clone(),
            revisions: wanted.revisions.clone(),
            app: AppIdentity {
                name: app.metadata.name.clone(),
                instance: instance_name(&key.namespace, &key.name, &self.config.control_namespace),
                namespace: app.spec.destination.namespace.clone(),
                uid: app.metadata.uid.clone(),
            },
            project: name.to_owned(),
            // A project that is not there permits nothing.
            permits: Arc::new(move |url| project.as_ref().is_some_and(|p| source_permitted(p, url))),
            capabilities: Arc::clone(&self.capabilities),
            settings: Arc::clone(&self.rendering),
            now: None,
            secret: self.installation.clone(),
            not_before,
            near: Arc::default(),
        };
        let repositories = self.config.repositories.clone();
        let (events, calm) = (self.events.clone(), self.calm.clone());
        let key = key.clone();
        tokio::spawn(jobs::render(
            repositories,
            key,
            wanted,
            ask,
            for_operation,
            events,
            calm,
        ));
    }

    pub(crate) fn rendered(&mut self, key: &AppKey, wanted: Wanted, for_operation: bool, sources: Vec<SourceResult>) {
        let now = crate::clock::now();
        let poll = self.poll_interval(key);
        let Some(state) = self.apps.get_mut(key) else { return };
        let slot = if for_operation {
            match &mut state.op_render {
                Some(slot) => slot,
                None => return,
            }
        } else {
            &mut state.render
        };
        slot.in_flight = None;
        // Whether each failure may go away by itself.
        let failed: Vec<bool> = sources
            .iter()
            .filter_map(|source| match &source.rendered {
                Ok(rendered) => rendered.is_transient.then_some(true),
                Err(failure) => Some(failure.is_retryable),
            })
            .collect();
        if failed.is_empty() {
            slot.as_of = None;
            slot.failures = 0;
            slot.retry_at = None;
        } else if failed.contains(&true) {
            let wait = RENDER_RETRY
                .saturating_mul(1 << slot.failures.min(6))
                .min(RENDER_RETRY_LONGEST);
            slot.failures = slot.failures.saturating_add(1);
            slot.retry_at = Some(after(now, wait));
        }
        let prepared = if for_operation {
            &mut state.op_prepared
        } else {
            &mut state.prepared
        };
        let is_same = slot
            .result
            .as_ref()
            .is_some_and(|known| renders_same(known, &wanted, &sources));
        if !(is_same && prepared.as_mut().is_some_and(|p| p.move_on(&sources, now))) {
            *prepared = None;
        }
        slot.result = Some((wanted, sources));
        if !for_operation {
            state.poll_at = poll.map(|wait| after(now, wait));
        }
    }

    /// `timeout.reconciliation` plus jitter; the jitter is a function of the name, so that it needs no randomness and spreads all the same.
    pub(super) fn poll_interval(&self, key: &AppKey) -> Option<Duration> {
        let base = self.settings.controller.reconciliation?.to_std();
        let jitter = self.settings.controller.reconciliation_jitter.to_std();
        let spread = key
            .name
            .bytes()
            .fold(7u32, |h, b| h.wrapping_mul(31).wrapping_add(u32::from(b)))
            % 1000;
        Some(base + jitter * spread / 1000)
    }

    /// Makes targets out of renders, where renders, kinds or settings have changed. Returns what is wanted now, where that is new.
    ///
    /// A spec that has changed has no targets until it is rendered: nothing is compared or synced by what another source said.
    pub(super) fn prepare(&self, state: &mut AppState) -> Option<BTreeSet<ResourceKey>> {
        let namespace = &state.app.spec.destination.namespace;
        let fresh = |p: &Option<Prepared>| {
            p.as_ref()
                .is_some_and(|p| p.generation == self.generation && p.namespace == *namespace)
        };
        let now_wanted = spec_wanted(&state.app);
        if state.prepared.as_ref().is_some_and(|p| p.wanted != now_wanted) {
            state.prepared = None;
        }
        let mut claims = None;
        if !fresh(&state.prepared)
            && let Some((wanted, sources)) = state.render.result.as_ref().filter(|(of, _)| *of == now_wanted)
        {
            state.prepared = Some(self.prepared(&state.app, &state.instance, wanted, sources));
            state.cache.clear();
            let objects = state.prepared.as_ref().map(Prepared::objects).unwrap_or_default();
            claims = Some(objects.iter().map(Object::key).collect());
        }
        if let Some(slot) = &state.op_render
            && !fresh(&state.op_prepared)
            && let Some((wanted, sources)) = &slot.result
        {
            state.op_prepared = Some(self.prepared(&state.app, &state.instance, wanted, sources));
        }
        claims
    }

    pub(super) fn prepared(
        &self,
        app: &Application,
        instance: &str,
        wanted: &Wanted,
        sources: &[SourceResult],
    ) -> Prepared {
        let now = crate::clock::now();
        let several = sources.len() > 1;
        let named = sources.iter().enumerate().map(|(i, s)| {
            let source = wanted.sources.get(i).map_or("", |s| s.repo_url.as_str());
            let name = if several {
                format!("source {} of {} ({source})", i + 1, sources.len())
            } else {
                source.to_owned()
            };
            match &s.rendered {
                Ok(rendered) => SourceRender {
                    source: name.into(),
                    revision: s.revision.as_str().into(),
                    objects: Ok(rendered.objects.iter().map(|o| o.object.clone()).collect()),
                    blocking: rendered
                        .diagnostics
                        .iter()
                        .filter(|d| d.severity == pintle_render::Severity::Error)
                        .map(|d| d.to_string().into())
                        .collect(),
                },
                Err(failure) => SourceRender {
                    source: name.into(),
                    revision: "".into(),
                    objects: Err(Arc::clone(&failure.message)),
                    blocking: Vec::new(),
                },
            }
        });
        let rules = TargetRules {
            app: instance,
            namespace: &app.spec.destination.namespace,
            cluster: &self.server(),
            tracking: &self.tracking,
            filter: &self.filter,
            kinds: &self.kinds,
        };
        let made = match Complete::rendered(named.collect(), now) {
            Ok(rendered) => Ok(targets(rendered, rules)),
            Err(incomplete) => Err(Arc::from(format!("Failed to load target state: {incomplete}").as_str())),
        };
        Prepared {
            repeatable: made.as_ref().is_ok_and(|m| is_repeatable(&m.get().objects)),
            targets: made,
            warnings: warnings(sources),
            revisions: sources.iter().map(|s| s.revision.clone()).collect(),
            wanted: wanted.clone(),
            namespace: app.spec.destination.namespace.clone(),
            generation: self.generation,
        }
    }
}

/// What is worth saying of sources, each once.
fn warnings(sources: &[SourceResult]) -> Vec<String> {
    /// Of an Application: who has more mends these first.
    const SHOWN: usize = 10;
    let rendered = sources.iter().filter_map(|s| s.rendered.as_ref().ok());
    let all = rendered.flat_map(|r| &r.diagnostics);
    let mut said: Vec<String> = all
        .filter(|d| d.severity == pintle_render::Severity::Warning)
        .map(ToString::to_string)
        .collect();
    let more = said.len().saturating_sub(SHOWN);
    said.truncate(SHOWN);
    if more > 0 {
        said.push(format!("{more} more, which `pintle render` shows"));
    }
    said
}

/// Whether every source gave the very render that is known: nothing that it read has changed.
fn renders_same(known: &(Wanted, Vec<SourceResult>), wanted: &Wanted, sources: &[SourceResult]) -> bool {
    let same = |(a, b): (&SourceResult, &SourceResult)| match (&a.rendered, &b.rendered) {
        (Ok(a), Ok(b)) => Arc::ptr_eq(a, b),
        _ => false,
    };
    known.0 == *wanted && known.1.len() == sources.len() && known.1.iter().zip(sources).all(same)
}

impl Prepared {
    /// Takes the same renders at later revisions over; `false` where there are no targets to keep.
    fn move_on(&mut self, sources: &[SourceResult], now: Timestamp) -> bool {
        let revisions: Vec<String> = sources.iter().map(|s| s.revision.clone()).collect();
        let moved = self
            .targets
            .as_mut()
            .is_ok_and(|targets| targets.move_on(&revisions, now));
        if moved {
            self.revisions = revisions;
        }
        moved
    }
}

/// What the spec wants rendered.
pub(super) fn spec_wanted(app: &Application) -> Wanted {
    wanted(app, &SyncOperation::default())
}
