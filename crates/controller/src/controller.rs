//! The controller as its starter sees it.

use pintle_cluster::Watcher;
use pintle_model::settings::Settings;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::config::ControllerConfig;
use crate::event::Event;
use crate::hub::Hub;
use crate::query::{Query, QueryError, QueryKind, Reply};

/// Events waiting for the hub. A full queue makes watches and jobs wait; the hub itself never waits on it.
const QUEUE: usize = 4096;

/// Why a controller did not start.
#[derive(Debug, thiserror::Error)]
pub enum ControllerError {
    /// The settings cannot be read.
    #[error("the settings in namespace {namespace} cannot be used: {message}")]
    Settings {
        /// Control namespace.
        namespace: String,
        /// What is wrong, and where.
        message: String,
    },
    /// The API server cannot be asked.
    #[error(transparent)]
    Api(#[from] pintle_cluster::ApiError),
}

/// A running controller. Dropping it stops it without ceremony; [`Controller::shutdown`] waits until it has stopped.
pub struct Controller {
    events: mpsc::Sender<Event>,
    task: Option<JoinHandle<()>>,
    _watcher: Watcher,
}

impl Controller {
    /// Starts a controller: reads the settings, then watches everything.
    pub async fn start(config: ControllerConfig) -> Result<Self, ControllerError> {
        let settings = crate::intake::read_settings(&config).await?;
        let (events, received) = mpsc::channel(QUEUE);
        let watcher = watch(&config, &settings, events.clone());
        let (calm, calmed) = mpsc::channel(QUEUE);
        let hub = Hub::new(config, settings, events.clone(), calm);
        let task = tokio::spawn(hub.run(received, calmed));
        Ok(Self {
            events,
            task: Some(task),
            _watcher: watcher,
        })
    }

    /// Says that a repository may have moved. Applications of it are resolved again at once.
    pub fn hint(&self, repo_url: &str) {
        // A full queue holds work enough; the poll finds the change later.
        let _ = self.events.try_send(Event::RepositoryHint {
            url: repo_url.to_owned(),
            at: Instant::now(),
        });
    }

    /// What is known of one application right now.
    pub async fn query(&self, namespace: &str, name: &str, kind: QueryKind) -> Result<Reply, QueryError> {
        let (query, answer) = Query::new(namespace, name, kind);
        self.events
            .send(Event::Query(query))
            .await
            .map_err(|_| QueryError::Stopped)?;
        answer.await.map_err(|_| QueryError::Stopped)?
    }

    /// Stops deciding, lets writes that are under way end, and returns.
    pub async fn shutdown(mut self) {
        // A closed channel means it has stopped already.
        let _ = self.events.send(Event::Shutdown).await;
        if let Some(task) = self.task.take() {
            // A panic of the hub was logged where it happened.
            let _ = task.await;
        }
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// Watches every kind that is not excluded, without managedFields: nothing here reads them, and they are half of many objects.
fn watch(config: &ControllerConfig, settings: &Settings, events: mpsc::Sender<Event>) -> Watcher {
    let (filter, warnings) = pintle_engine::live::exclusion::KindFilter::from_settings(&settings.resource_filter);
    for warning in warnings {
        tracing::warn!(warning, "resource.exclusions or resource.inclusions");
    }
    let server = config.cluster.id().to_string();
    for kind in ["Application", "AppProject"] {
        if filter.is_excluded("argoproj.io", kind, &server) {
            tracing::error!(
                kind,
                "resource.inclusions or resource.exclusions in argocd-cm leave out argoproj.io, and with it what this program works on: nothing is \
                 managed. Add the apiGroup argoproj.io to the inclusions, or take it out of the exclusions, and restart"
            );
        }
    }
    let (cluster_events, mut seen) = mpsc::channel(QUEUE);
    tokio::spawn(async move {
        while let Some(event) = seen.recv().await {
            if events.send(Event::Cluster(event)).await.is_err() {
                return;
            }
        }
    });
    Watcher::start_trimmed(
        config.cluster.clone(),
        move |kind| !filter.is_excluded(&kind.gvk.group, &kind.gvk.kind, &server),
        |_, mut object| {
            object.value_mut().remove_at(&["metadata", "managedFields"]);
            object
        },
        cluster_events,
    )
}
