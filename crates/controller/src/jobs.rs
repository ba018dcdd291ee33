//! Work that waits on the outside: each job ends with one event.

use std::sync::Arc;

use pintle_cluster::{Executor, Seen};
use pintle_engine::app::operation::Wanted;
use pintle_engine::sync::TaskId;
use pintle_engine::{Effect, Outcome, Permitted};
use pintle_repo::{Ask, Repositories};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use crate::event::{AppKey, Event, RenderFailure, SourceResult};

/// Effects of one application carried out at once.
const PARALLEL_EFFECTS: usize = 10;
/// Effects of all applications carried out at once. The rest waits here in order of arrival, and not inside the client, where the writes of
/// Applications would wait behind it.
pub(crate) const EFFECTS: usize = 20;

/// Renders every source of `wanted`. That nothing has changed goes the calm way: a push concerns one application and not the thousand others
/// of its repository.
pub(crate) async fn render(
    repositories: Repositories,
    app: AppKey,
    wanted: Wanted,
    ask: Ask,
    for_operation: bool,
    events: mpsc::Sender<Event>,
    calm: mpsc::Sender<Event>,
) {
    let results = repositories.render(&ask).await;
    let is_known = results.iter().all(|r| r.as_ref().is_ok_and(|render| render.is_known));
    let way = if is_known && !for_operation { calm } else { events };
    let sources = results
        .into_iter()
        .map(|result| match result {
            Ok(render) => SourceResult {
                revision: render.revision,
                rendered: Ok(render.rendered),
            },
            Err(e) => SourceResult {
                revision: String::new(),
                rendered: Err(RenderFailure {
                    message: e.to_string().into(),
                    is_retryable: e.is_retryable(),
                }),
            },
        })
        .collect();
    // A closed channel: the process ends.
    let _ = way
        .send(Event::Rendered {
            app,
            wanted,
            for_operation,
            sources,
        })
        .await;
}

/// One effect on its way, with the live object as the hub last saw it.
pub(crate) struct Write {
    pub id: TaskId,
    pub permitted: Result<Permitted<Effect>, Outcome>,
    pub live: Seen,
}

/// Carries out all effects of one step and reports all answers together.
pub(crate) async fn execute(
    executor: Executor,
    app: AppKey,
    run: u64,
    writes: Vec<Write>,
    of_all: Arc<Semaphore>,
    events: mpsc::Sender<Event>,
) {
    let places = Arc::new(Semaphore::new(PARALLEL_EFFECTS));
    let mut running = JoinSet::new();
    let mut outcomes = Vec::with_capacity(writes.len());
    for write in writes {
        match write.permitted {
            Err(outcome) => outcomes.push((write.id, outcome)),
            Ok(permitted) => {
                let (executor, places, of_all) = (executor.clone(), Arc::clone(&places), Arc::clone(&of_all));
                running.spawn(async move {
                    // The semaphores are never closed.
                    let _place = places.acquire().await;
                    let _place_of_all = of_all.acquire().await;
                    (write.id, executor.execute_on(permitted, write.live).await)
                });
            }
        }
    }
    while let Some(ended) = running.join_next().await {
        match ended {
            Ok(outcome) => outcomes.push(outcome),
            Err(e) => {
                tracing::error!(app = %app.name, error = %e, "an effect ended without an answer; it is decided again")
            }
        }
    }
    let _ = events.send(Event::Executed { app, run, outcomes }).await;
}

/// Writes the Application itself.
pub(crate) async fn write(executor: Executor, app: AppKey, effect: Permitted<Effect>, events: mpsc::Sender<Event>) {
    let outcome = executor.execute(effect).await;
    let _ = events.send(Event::Written { app, outcome }).await;
}
