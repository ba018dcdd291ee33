//! `pintle serve`: every component against the current kubeconfig.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use pintle_cluster::{Cluster, Clusters, Elector, Executor, LeaseConfig, LeaseGuard, ProjectVersionMap, detect_peer};
use pintle_controller::{Controller, ControllerConfig};
use pintle_engine::{Action, Effect, FailureKind, Outcome, Permitted};
use pintle_model::project::AppProject;
use pintle_repo::{Repositories, RepositoryLimits};
use tempfile::TempDir;

use super::stopped;
use crate::args::ServeArgs;
use crate::exit::CliError;

/// Name of the Lease that only one controller of a namespace holds.
const LEASE: &str = "pintle-controller";

/// Runs until it is told to stop, or until another controller has the lease.
pub async fn run(args: ServeArgs) -> Result<ExitCode, CliError> {
    let (cluster, namespace) = crate::wiring::open(&args.namespace, "controller").await?;
    let failed = |what: &str, e: &dyn std::fmt::Display| CliError::error(format!("{what}: {e}"));
    if let Some(peer) = detect_peer(&cluster, &namespace)
        .await
        .map_err(|e| failed("cannot look for another controller", &e))?
    {
        return Err(CliError::error(peer.to_string())
            .with_hint("two controllers on the same Applications undo each other's work; scale that one to 0 first"));
    }
    let (directory, temporary) = directory(args.directory)?;
    let limits = RepositoryLimits {
        // What is kept in a directory that goes with the process is of no use to the next one.
        renders: temporary.is_none().then(|| directory.join("renders")),
        ..RepositoryLimits::default()
    };
    let identity = identity();
    let config = LeaseConfig {
        namespace: namespace.as_str().into(),
        name: LEASE.into(),
        identity: identity.as_str().into(),
    };
    let elector = Elector::start(cluster.clone(), config);
    let mut leadership = elector.leadership();
    eprintln!(
        "{} in namespace {namespace}: waiting for the lease {LEASE}",
        cluster.server()
    );
    tokio::select! {
        leading = leadership.wait_for(|l| l.is_leading()) => drop(leading.map_err(|e| failed("the lease cannot be held", &e))?),
        () = stopped() => return Ok(ExitCode::SUCCESS),
    }
    default_project(&cluster, &namespace, elector.guard()).await?;
    let controller = Controller::start(ControllerConfig {
        cluster,
        repositories: Repositories::with_limits(directory, limits),
        control_namespace: namespace,
        identity,
        lease: elector.guard(),
    });
    let controller = controller
        .await
        .map_err(|e| failed("the controller did not start", &e))?;
    eprintln!("the controller runs; Ctrl-C ends it");
    let lost = tokio::select! {
        _ = leadership.wait_for(|l| !l.is_leading()) => true,
        () = stopped() => false,
    };
    controller.shutdown().await;
    if lost {
        return Err(CliError::error(format!(
            "another controller took the lease {LEASE}; nothing more is written by this one"
        )));
    }
    elector.release().await;
    Ok(ExitCode::SUCCESS)
}

/// Where repositories are kept: a directory that stays, or one that goes with the process.
fn directory(asked: Option<PathBuf>) -> Result<(PathBuf, Option<TempDir>), CliError> {
    let failed = |e: std::io::Error| CliError::error(format!("no directory for repositories: {e}"));
    match asked {
        Some(path) => {
            std::fs::create_dir_all(&path).map_err(failed)?;
            Ok((path, None))
        }
        None => {
            let temporary = TempDir::with_prefix("pintle-").map_err(failed)?;
            Ok((temporary.path().to_owned(), Some(temporary)))
        }
    }
}

/// Makes the project `default` where there is none [F1.20].
async fn default_project(cluster: &Cluster, namespace: &str, lease: LeaseGuard) -> Result<(), CliError> {
    let project = AppProject::allow_all(namespace).to_object();
    let effect = Effect {
        cluster: cluster.id().clone(),
        gvk: AppProject::gvk(),
        namespace: namespace.into(),
        name: project.name().into(),
        action: Action::Create { object: project },
        dry_run: false,
    };
    let Ok(permitted) = Permitted::own_record(effect) else {
        return Ok(());
    };
    let executor = Executor::new(
        Clusters::of(cluster.clone()),
        Arc::new(ProjectVersionMap::default()),
        lease,
    );
    match executor.execute(permitted).await {
        Outcome::Failed(failure) if failure.kind != FailureKind::AlreadyExists => Err(CliError::error(format!(
            "the project default cannot be made: {failure}"
        ))
        .with_hint("are the CustomResourceDefinitions installed? kubectl apply -f manifests/crds")),
        _ => Ok(()),
    }
}

/// Who this process is in the lease and in Events: the host's name (a Pod's name in a cluster) and the process.
#[allow(clippy::disallowed_methods, reason = "the door of the daemon")]
fn identity() -> String {
    let host = std::env::var("HOSTNAME")
        .ok()
        .filter(|h| !h.is_empty())
        .unwrap_or_else(|| "pintle".to_owned());
    format!("{host}_{}", std::process::id())
}
