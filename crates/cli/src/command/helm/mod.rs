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

use pintle_cluster::KubeconfigSource;
use pintle_render::helm::Limits;

use crate::args::{GlobalArgs, HelmArgs, HelmCommand};
use crate::exit::CliError;
use crate::output::note;

/// Runs a command of the group.
pub(crate) async fn run(args: HelmArgs, global: &GlobalArgs) -> Result<ExitCode, CliError> {
    let flags = &args.global;
    for (flag, given) in [
        ("--registry-config", &flags.registry_config),
        ("--repository-config", &flags.repository_config),
    ] {
        if given.is_some() {
            note(&format!(
                "note: {flag} has no effect: name the repository by its URL, and use --username and --password"
            ));
        }
    }
    let kubeconfig = KubeconfigSource {
        path: flags.kubeconfig.clone(),
        context: global.kube_context.clone(),
    };
    match args.command {
        HelmCommand::Template(args) => {
            let namespace = namespace(args.namespace.as_deref(), kubeconfig).await;
            template::run(*args, namespace).await
        }
        HelmCommand::Show(command) => show::run(command).await,
        HelmCommand::Dependency(command) => dependency::run(command).await,
        HelmCommand::Lint(args) => {
            let namespace = namespace(args.namespace.as_deref(), kubeconfig).await;
            lint::run(*args, namespace).await
        }
    }
}

/// The namespace that was named, else that of the kubeconfig's context. Nothing is asked of the cluster, and a kubeconfig that cannot be read
/// counts for nothing, as in Helm.
async fn namespace(named: Option<&str>, kubeconfig: KubeconfigSource) -> String {
    if let Some(named) = named.filter(|name| !name.is_empty()) {
        return named.to_owned();
    }
    let context = kubeconfig.namespace().await;
    context.unwrap_or_else(|_| "default".to_owned())
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
