//! `pintle helm …`: charts, as the commands of Helm 4 take and show them.

mod chart;
mod dependency;
mod fetch;
mod lint;
mod lock;
mod pack;
mod show;
pub(super) mod template;
mod values;

use std::process::ExitCode;

use pintle_render::helm::Limits;

use crate::args::HelmCommand;
use crate::exit::CliError;

/// Runs a command of the group.
pub(crate) async fn run(command: HelmCommand) -> Result<ExitCode, CliError> {
    match command {
        HelmCommand::Template(args) => template::run(*args).await,
        HelmCommand::Show(command) => show::run(command).await,
        HelmCommand::Dependency(command) => dependency::run(command).await,
        HelmCommand::Lint(args) => lint::run(*args).await,
    }
}

/// As Helm says it, with its exit code.
fn failed(error: impl std::fmt::Display) -> CliError {
    CliError::usage(error.to_string())
}

/// Runs work that renders on a thread with the stack that templates may need: their depth is bounded so that this much is enough.
async fn on_a_big_stack<T: Send + 'static>(
    limits: Limits,
    work: impl FnOnce() -> Result<T, CliError> + Send + 'static,
) -> Result<T, CliError> {
    let renderer = std::thread::Builder::new()
        .name("render".into())
        .stack_size(limits.stack_bytes());
    let (done, ended) = tokio::sync::oneshot::channel();
    renderer
        .spawn(move || done.send(work()))
        .map_err(|e| CliError::error(format!("cannot start the thread that renders: {e}")))?;
    // The channel closes without an answer only if the thread panicked.
    ended
        .await
        .map_err(|_| CliError::error("rendering stopped unexpectedly; please report it"))?
}
