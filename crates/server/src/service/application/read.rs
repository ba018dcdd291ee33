//! Reading and following Applications, and asking for a fresh look.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use pintle_cluster::Scope;
use pintle_engine::health::health;
use pintle_model::annotation::{HYDRATE, HYDRATE_TIMESTAMP, REFRESH, REFRESH_TIMESTAMP};
use pintle_model::application::{Application, GROUP, HealthStatus, HealthStatusCode, ResourceHealthSource};
use pintle_model::{Object, ResourceKey, Time};

use super::delete::roots;
use crate::api::{AppRef, ApplicationQuery, EventsQuery, RefreshRequest, ResourceEvent, WatchKind};
use crate::core::{Core, now};
use crate::error::{ApiError, Code};
use crate::query::Filter;
use crate::store::StoreEvent;

impl Core {
    pub(super) async fn list_apps(&self, query: ApplicationQuery) -> Result<Vec<Application>, ApiError> {
        let kind = self.kind(GROUP, Application::KIND).await?;
        let scope = Scope::namespace(self.namespace(&query.app_namespace));
        let filter = Filter::new(query)?;
        let listed = self.store().list(&kind, &scope).await?;
        for unreadable in &listed.unreadable {
            tracing::warn!(
                name = unreadable.name,
                why = unreadable.message,
                "unreadable application"
            );
        }
        let mut apps: Vec<Application> = listed.objects.iter().filter_map(readable).collect();
        apps.retain(|app| filter.selects(app));
        apps.sort_by(|a, b| (&a.metadata.namespace, &a.metadata.name).cmp(&(&b.metadata.namespace, &b.metadata.name)));
        Ok(apps)
    }

    pub(super) async fn get_app(&self, app: AppRef, refresh: Option<RefreshRequest>) -> Result<Application, ApiError> {
        let app = match refresh {
            None => self.read_app(&app).await?.1,
            Some(refresh) => self.refreshed(app, refresh).await?,
        };
        Ok(self.with_health(app).await)
    }

    /// Fills in the health of single objects where the status leaves it to the tree [F1.12]. Where they cannot be read, it stays open.
    async fn with_health(&self, mut app: Application) -> Application {
        if app.status.resource_health_source != ResourceHealthSource::AppTree || app.status.resources.is_empty() {
            return app;
        }
        let live = match self.parts.live.objects(&app, &roots(&app)).await {
            Ok(live) => live,
            Err(error) => {
                tracing::debug!(%error, "health of single objects");
                return app;
            }
        };
        let live: BTreeMap<ResourceKey, Object> = live.into_iter().map(|object| (object.key(), object)).collect();
        for resource in app.status.resources.iter_mut().filter(|r| r.health.is_none()) {
            let (status, message) = match live.get(&resource.key()) {
                None => (HealthStatusCode::Missing, String::new()),
                Some(object) => match health(object) {
                    Some(health) => (health.status.as_str().into(), health.message.to_string()),
                    None => continue,
                },
            };
            resource.health = Some(HealthStatus {
                status,
                message,
                ..HealthStatus::default()
            });
        }
        app
    }

    /// Sets the refresh annotation and waits until the controller takes it away [F5.14].
    async fn refreshed(&self, app: AppRef, refresh: RefreshRequest) -> Result<Application, ApiError> {
        // Followed from before the annotation is set, so that the controller cannot be too quick to be seen.
        let query = ApplicationQuery {
            name: app.name.clone(),
            app_namespace: app.namespace.clone(),
            ..ApplicationQuery::default()
        };
        let mut changes = self.watch_apps(query).await?;
        let asked = self
            .update_app(&app, |app| {
                let at = Time::new(now()).to_string();
                let set = &mut app.metadata.annotations;
                set.insert(REFRESH.into(), refresh.kind.as_str().into());
                set.insert(REFRESH_TIMESTAMP.into(), at.clone());
                if app.spec.source_hydrator.is_some() {
                    set.insert(HYDRATE.into(), "normal".into());
                    set.insert(HYDRATE_TIMESTAMP.into(), at);
                }
                Ok(())
            })
            .await?;
        let since = version(&asked);
        let seen = async {
            while let Some(change) = changes.next().await {
                match change {
                    Ok((WatchKind::Deleted, _)) => {
                        return Err(ApiError::not_found(format!("application {:?} was deleted", app.name)));
                    }
                    // States from before the request are not an answer to it.
                    Ok((_, now)) if version(&now) > since && now.metadata.annotation(REFRESH).is_none() => {
                        return Ok(now);
                    }
                    Ok(_) => {}
                    Err(error) => tracing::debug!(%error, "watch"),
                }
            }
            Err(ApiError::new(Code::Unavailable, "the watch ended"))
        };
        match tokio::time::timeout(refresh.wait, seen).await {
            Ok(answer) => answer,
            Err(_) => Err(ApiError::new(
                Code::DeadlineExceeded,
                format!(
                    "application refresh deadline exceeded: nobody looked at {:?} for {} s",
                    app.name,
                    seconds(refresh.wait)
                ),
            )
            .with_hint("is a controller running? `pintle serve` starts one")),
        }
    }

    pub(super) async fn watch_apps(
        &self,
        query: ApplicationQuery,
    ) -> Result<BoxStream<'static, Result<(WatchKind, Application), ApiError>>, ApiError> {
        let kind = self.kind(GROUP, Application::KIND).await?;
        let mut scope = Scope::namespace(self.namespace(&query.app_namespace));
        if !query.name.is_empty() {
            scope.field_selector = format!("metadata.name={}", query.name);
        }
        let is_one = !query.name.is_empty();
        let filter = Arc::new(Filter::new(query)?);
        let events = self.store().watch(Arc::clone(&kind), scope);
        // What was sent, so that a new listing after a broken watch is told as what changed, and a message equal to the last one is not
        // sent again [F5.4].
        let known: BTreeMap<String, Application> = BTreeMap::new();
        let changes = events.scan((known, filter), |(known, filter), event| {
            future::ready(Some(stream::iter(changes(known, filter, event))))
        });
        let changes = changes.flatten();
        if !is_one {
            return Ok(changes.boxed());
        }
        // One followed Application is shown whole; of many, only what their status says.
        let core = self.clone();
        let whole = changes.then(move |change| {
            let core = core.clone();
            async move {
                match change {
                    Ok((kind, app)) if kind != WatchKind::Deleted => Ok((kind, core.with_health(app).await)),
                    other => other,
                }
            }
        });
        Ok(whole.boxed())
    }

    pub(super) async fn events(&self, query: EventsQuery) -> Result<Vec<ResourceEvent>, ApiError> {
        let (object, app) = self.read_app(&query.app).await?;
        let (namespace, name, uid) = if query.resource_name.is_empty() {
            (
                app.metadata.namespace.as_str(),
                app.metadata.name.as_str(),
                object.uid(),
            )
        } else {
            (
                query.resource_namespace.as_str(),
                query.resource_name.as_str(),
                query.resource_uid.as_str(),
            )
        };
        let kind = self.kind("", "Event").await?;
        let mut selector = format!("involvedObject.name={name}");
        if !uid.is_empty() {
            selector.push_str(&format!(",involvedObject.uid={uid}"));
        }
        let scope = Scope {
            field_selector: selector,
            ..Scope::namespace(namespace)
        };
        let listed = self.store().list(&kind, &scope).await?;
        let mut events: Vec<ResourceEvent> = listed.objects.iter().map(event).collect();
        events.sort_by_key(|e| e.last_seen);
        Ok(events)
    }
}

fn event(object: &Object) -> ResourceEvent {
    let value = object.value();
    let text = |field: &str| value.str_at(&[field]).unwrap_or_default().to_owned();
    let time = ["lastTimestamp", "eventTime", "firstTimestamp"]
        .iter()
        .find_map(|field| text(field).parse().ok());
    ResourceEvent {
        kind: text("type"),
        reason: text("reason"),
        message: text("message"),
        last_seen: time,
        count: value.i64_at(&["count"]).unwrap_or(1),
    }
}

/// An Application that can be read; the others are reported and left out, so that one broken record hides no other.
fn readable(object: &Object) -> Option<Application> {
    Application::from_object(object)
        .inspect_err(|error| tracing::warn!(name = object.name(), %error, "unreadable application"))
        .ok()
}

type Change = Result<(WatchKind, Application), ApiError>;

fn changes(known: &mut BTreeMap<String, Application>, filter: &Filter, event: StoreEvent) -> Vec<Change> {
    let mut told = Vec::new();
    match event {
        StoreEvent::Failed(error) => told.push(Err(error)),
        StoreEvent::Applied(object) => told.extend(readable(&object).and_then(|app| put(known, filter, app))),
        StoreEvent::Deleted(object) => {
            if let Some(app) = known.remove(&key(object.namespace(), object.name())) {
                told.push(Ok((WatchKind::Deleted, readable(&object).unwrap_or(app))));
            }
        }
        StoreEvent::Reset(objects) => {
            let listed: Vec<Application> = objects.iter().filter_map(readable).collect();
            let is_listed = |name: &String| {
                listed
                    .iter()
                    .any(|a| key(&a.metadata.namespace, &a.metadata.name) == *name)
            };
            let gone: Vec<String> = known.keys().filter(|name| !is_listed(name)).cloned().collect();
            for name in gone {
                told.extend(known.remove(&name).map(|app| Ok((WatchKind::Deleted, app))));
            }
            told.extend(listed.into_iter().filter_map(|app| put(known, filter, app)));
        }
    }
    told
}

fn put(known: &mut BTreeMap<String, Application>, filter: &Filter, app: Application) -> Option<Change> {
    let name = key(&app.metadata.namespace, &app.metadata.name);
    if !filter.selects(&app) {
        // Left the selection, for instance by a label: the same as gone, for who follows it.
        return known.remove(&name).map(|_| Ok((WatchKind::Deleted, app)));
    }
    let before = known.insert(name, app.clone());
    match before {
        None => Some(Ok((WatchKind::Added, app))),
        Some(before) if before == app => None,
        Some(_) => Some(Ok((WatchKind::Modified, app))),
    }
}

fn key(namespace: &str, name: &str) -> String {
    format!("{namespace}/{name}")
}

/// resourceVersions of one kind are numbers that grow (KEP-5504); anything else counts as oldest.
fn version(app: &Application) -> u64 {
    app.metadata.resource_version.parse().unwrap_or(0)
}

fn seconds(duration: Duration) -> u64 {
    duration.as_secs()
}
