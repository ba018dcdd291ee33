//! Following one application until it is as wanted: the common part of `sync`, `wait`, `rollback` and `delete --wait`.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use futures_util::StreamExt as _;
use pintle_model::ResourceKey;
use pintle_model::application::{Application, HealthStatusCode, SyncStatusCode};
use pintle_server::api::{AppRef, ApplicationQuery, WatchKind};
use tokio::time::Instant;

use super::select::{Selected, is_selected};
use super::shown;
use crate::exit::CliError;
use crate::output::app::{ResourceState, operation, progress_header, progress_line, resource_states, summary};
use crate::output::{self, print, time};
use crate::wiring::Session;

/// After an operation the controller compares again; its result is waited for this long, since a comparison that changes nothing is not
/// written.
const SETTLE: Duration = Duration::from_secs(3);
/// How often the waiting line of a terminal moves.
const TICK: Duration = Duration::from_millis(500);

/// What is waited for; all that is set must hold at once, but `suspended` and `degraded` count as other ways of being healthy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Until {
    pub sync: bool,
    pub health: bool,
    pub suspended: bool,
    pub degraded: bool,
    pub operation: bool,
    pub delete: bool,
}

impl Until {
    fn judges_health(self) -> bool {
        self.health || self.suspended || self.degraded
    }

    fn health_is(self, code: &HealthStatusCode) -> bool {
        !self.judges_health()
            || (self.health && matches!(code, HealthStatusCode::Healthy | HealthStatusCode::Unset))
            || (self.suspended && *code == HealthStatusCode::Suspended)
            || (self.degraded && *code == HealthStatusCode::Degraded)
    }

    /// Whether an Application (or the objects selected of it) is as wanted.
    fn holds(self, app: &Application, selected: &[Selected]) -> bool {
        if self.delete || (self.operation && app.is_operating()) {
            return false;
        }
        if selected.is_empty() {
            return (!self.sync || app.status.sync.status == SyncStatusCode::Synced)
                && self.health_is(&app.status.health.status);
        }
        let mut objects = app
            .status
            .resources
            .iter()
            .filter(|r| is_selected(selected, &r.key()))
            .peekable();
        // Objects that are not known yet are not ready.
        objects.peek().is_some()
            && objects.all(|r| {
                let health = r.health.as_ref().map(|h| h.status.clone()).unwrap_or_default();
                (!self.sync || r.status == SyncStatusCode::Synced) && self.health_is(&health)
            })
    }
}

/// Whether the comparison after the last operation has been written.
fn is_settled(app: &Application) -> bool {
    let finished = app.status.operation_state.as_ref().and_then(|s| s.finished_at);
    match (finished, app.status.reconciled_at) {
        (Some(finished), Some(reconciled)) => reconciled >= finished,
        (Some(_), None) => false,
        (None, _) => true,
    }
}

/// Follows an Application until it is as wanted; prints a line for each object that changes. `None` where it is gone, and that was wanted.
pub(super) async fn follow(
    session: &Session,
    app: &AppRef,
    until: Until,
    selected: &[Selected],
    timeout_seconds: u64,
    quiet: bool,
) -> Result<Option<Application>, CliError> {
    let query = ApplicationQuery {
        name: app.name.clone(),
        app_namespace: app.namespace.clone(),
        ..ApplicationQuery::default()
    };
    if until.delete
        && session
            .apps
            .get(app.clone(), None)
            .await
            .is_err_and(|e| e.code == pintle_server::Code::NotFound)
    {
        return Ok(None);
    }
    let mut events = session.apps.watch(query).await?;
    let deadline = (timeout_seconds > 0).then(|| Instant::now() + Duration::from_secs(timeout_seconds));
    let mut progress = Progress::new(quiet);
    let mut last: Option<Application> = None;
    let mut held_since: Option<Instant> = None;
    let mut tick = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            event = events.next() => match event {
                Some(Ok((WatchKind::Deleted, _))) if until.delete => {
                    progress.clear();
                    return Ok(None);
                }
                Some(Ok((WatchKind::Deleted, _))) => {
                    return Err(CliError::error(format!("application {:?} was deleted", app.name)));
                }
                Some(Ok((_, now))) => {
                    progress.show(&now, selected, until)?;
                    last = Some(now);
                }
                // The watch comes back by itself; the deadline ends the waiting.
                Some(Err(error)) => output::note(&format!("warning: {error}; trying again")),
                None => return Err(CliError::error("the watch ended")),
            },
            _ = tick.tick() => progress.waiting(last.as_ref()),
            () = at(deadline) => {
                progress.clear();
                return Err(CliError::error(format!(
                    "timed out ({timeout_seconds}s) waiting for app {:?} match desired state", app.name
                )).with_hint(format!("`app get {} --show-operation` shows what it waits for", app.name)));
            }
        }
        let Some(state) = last.as_ref().filter(|state| until.holds(state, selected)) else {
            held_since = None;
            continue;
        };
        let since = *held_since.get_or_insert_with(Instant::now);
        if is_settled(state) || since.elapsed() >= SETTLE {
            progress.clear();
            return Ok(last);
        }
    }
}

async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// The lines printed while waiting [F6.8], and on a terminal one that moves.
struct Progress {
    quiet: bool,
    is_terminal: bool,
    began: bool,
    started: Instant,
    line_width: usize,
    known: BTreeMap<(ResourceKey, String), ResourceState>,
}

impl Progress {
    fn new(quiet: bool) -> Self {
        Self {
            quiet,
            is_terminal: std::io::stderr().is_terminal() && std::io::stdout().is_terminal(),
            began: false,
            started: Instant::now(),
            line_width: 0,
            known: BTreeMap::new(),
        }
    }

    /// Prints what changed. An object that turns Degraded ends waiting for health.
    fn show(&mut self, app: &Application, selected: &[Selected], until: Until) -> Result<(), CliError> {
        for state in resource_states(app) {
            if !is_selected(selected, &state.key) {
                continue;
            }
            let key = (state.key.clone(), state.hook.clone());
            let before = self.known.insert(key, state.clone());
            if before.as_ref() == Some(&state) {
                continue;
            }
            self.print(&state)?;
            let Some(before) = before else { continue };
            let was_well = !matches!(before.health.as_str(), "Unknown" | "Degraded");
            if until.health && !until.degraded && was_well && state.health == "Degraded" {
                self.clear();
                return Err(CliError::error(format!(
                    "application '{}' health state has transitioned from {} to {}",
                    app.metadata.name, before.health, state.health
                )));
            }
        }
        Ok(())
    }

    fn print(&mut self, state: &ResourceState) -> Result<(), CliError> {
        if self.quiet {
            return Ok(());
        }
        self.clear();
        if !self.began {
            self.began = true;
            print(&progress_header())?;
        }
        print(&progress_line(state, time::now()))
    }

    fn waiting(&mut self, app: Option<&Application>) {
        let Some(app) = app.filter(|_| self.is_terminal && !self.quiet) else {
            return;
        };
        let status = &app.status;
        let operation = status.operation_state.as_ref();
        let what = match operation.filter(|_| app.is_operating()) {
            Some(state) if !state.message.is_empty() => state.message.lines().next().unwrap_or_default().to_owned(),
            Some(state) => format!("operation {}", state.phase),
            None if app.is_operating() => "the operation has not begun".to_owned(),
            None => format!("{} and {}", status.sync.status, status.health.status),
        };
        let line: String = format!("waiting: {what} ({}s)", self.started.elapsed().as_secs())
            .chars()
            .take(110)
            .collect();
        self.clear();
        self.line_width = line.chars().count();
        // A terminal that goes away ends the process by itself.
        let _ = write!(std::io::stderr(), "{line}");
    }

    fn clear(&mut self) {
        if self.line_width > 0 {
            let _ = write!(std::io::stderr(), "\r{}\r", " ".repeat(self.line_width));
            self.line_width = 0;
        }
    }
}

/// What is printed at the end of `sync`, `wait` and `rollback`.
pub(super) async fn final_status(
    session: &Session,
    app: &Application,
    format: &str,
    with_operation: bool,
) -> Result<(), CliError> {
    let mut header = format!("\n{}", summary(app));
    if with_operation && let Some(state) = &app.status.operation_state {
        header.push('\n');
        header.push_str(&operation(state, time::now()));
    }
    print(&shown(session, app, format, header).await?)
}

#[cfg(test)]
mod tests {
    use pintle_model::application::{Operation, ResourceStatus};

    use super::*;
    use crate::command::app::select::resources;

    #[test]
    fn what_is_waited_for_must_hold_at_once() {
        let mut app = Application::default();
        app.status.sync.status = SyncStatusCode::Synced;
        app.status.health.status = HealthStatusCode::Degraded;
        let all = Until {
            sync: true,
            health: true,
            operation: true,
            ..Until::default()
        };
        assert!(!all.holds(&app, &[]));
        assert!(
            Until {
                degraded: true,
                ..Until::default()
            }
            .holds(&app, &[])
        );
        app.status.health.status = HealthStatusCode::Healthy;
        assert!(all.holds(&app, &[]));
        app.operation = Some(Operation::default());
        assert!(!all.holds(&app, &[]));
        app.operation = None;
        let web = resources(&["apps:Deployment:web".to_owned()]).unwrap();
        assert!(!all.holds(&app, &web), "an object that is not known yet is not ready");
        app.status.resources.push(ResourceStatus {
            group: "apps".into(),
            kind: "Deployment".into(),
            name: "web".into(),
            status: SyncStatusCode::Synced,
            ..ResourceStatus::default()
        });
        assert!(all.holds(&app, &web));
    }
}
