//! `pintle kustomize …`.

pub(super) mod disk;
mod edit;
mod remote;

use std::cell::Cell;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use pintle_model::tree::{MountedTree, Reader, TreePath};
use pintle_model::{Object, Value};
use pintle_render::Need;
use pintle_render::helm::{Limits, RandomAmbient};
use pintle_render::kustomize::{Built, Charts, Fetch, Options, build_with};
use pintle_repo::{MAX_ROUNDS, RepoError};

use crate::args::{KustomizeBuildArgs, KustomizeCommand, LoadRestrictor, Reorder};
use crate::exit::CliError;
use crate::output;
use disk::Disk;
use remote::{Answers, Remotes};

/// Bases nest on the stack, a hundred of them at most, and so do fields; templates of charts come on top of them.
const STACK_BYTES: usize = 64 << 20;

/// Runs a command of the group.
pub(crate) async fn run(command: KustomizeCommand) -> Result<ExitCode, CliError> {
    match command {
        KustomizeCommand::Build(args) => build(Arc::from(args)).await?,
        KustomizeCommand::Edit(command) => edit::run(command)?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn build(args: Arc<KustomizeBuildArgs>) -> Result<(), CliError> {
    for (is_set, flag) in [
        (args.enable_alpha_plugins, "--enable-alpha-plugins"),
        (args.enable_exec, "--enable-exec"),
        (args.enable_star, "--enable-star"),
    ] {
        if is_set {
            return Err(failed(format!(
                "{flag}: nothing but built-in generators and transformers runs here, for a plugin could do anything with this machine"
            ))
            .with_hint("leave the flag out; kinds of apiVersion builtin work without it"));
        }
    }
    let mut remotes = Remotes::default();
    let mut round = match Fetch::of(&args.directory) {
        // As Kustomize: what reads as a repository is one, and its files cannot reach for those of this machine.
        Some(fetch) => {
            let (tree, path, answers) = remotes.root(fetch).await?;
            Round { tree, path, answers }
        }
        None => {
            let (disk, path) = Disk::at(Path::new(&args.directory))
                .map_err(|e| failed(format!("cannot read the directory {}: {e}", args.directory)))?;
            Round {
                tree: MountedTree::new(Arc::new(disk)),
                path,
                answers: Answers::new(),
            }
        }
    };
    let mut what = String::new();
    for _ in 0..MAX_ROUNDS {
        let built;
        (round, built) = on_a_thread(round, Arc::clone(&args)).await?;
        match built? {
            Built::Ok { objects, text } => {
                return match &args.output {
                    None => output::print(&text),
                    Some(folder) if folder.is_dir() => files(folder, objects),
                    Some(file) => write(file, &text),
                };
            }
            Built::Failed(failure) => return Err(failed(failure)),
            Built::Needs(fetches) => {
                for need in fetches.into_iter().map(Need::from) {
                    what = need.name();
                    let answer = remotes.fetch(&need, &mut round.tree).await?;
                    round.answers.insert(need, answer);
                }
            }
        }
    }
    Err(failed(RepoError::Endless {
        rounds: MAX_ROUNDS,
        what,
    }))
}

/// What one round of a build works on.
struct Round {
    tree: MountedTree,
    path: TreePath,
    answers: Answers,
}

/// Builds with a stack for it.
async fn on_a_thread(
    round: Round,
    args: Arc<KustomizeBuildArgs>,
) -> Result<(Round, Result<Built, CliError>), CliError> {
    let builder = std::thread::Builder::new()
        .name("build".into())
        .stack_size(STACK_BYTES + Limits::default().stack_bytes());
    let (done, ended) = tokio::sync::oneshot::channel();
    let work = move || {
        let built = once(&round, &args);
        // Who asked may be gone; nobody needs the answer then.
        let _ = done.send((round, built));
    };
    builder
        .spawn(work)
        .map_err(|e| CliError::error(format!("cannot start the thread that builds: {e}")))?;
    // The channel closes without an answer only if the thread panicked.
    ended
        .await
        .map_err(|_| CliError::error("the build stopped unexpectedly; please report it"))
}

fn once(round: &Round, args: &KustomizeBuildArgs) -> Result<Built, CliError> {
    let reader = Reader::new(&round.tree);
    let options = Options {
        load_anywhere: args.load_restrictor == LoadRestrictor::None,
        keep_order: args.reorder == Reorder::None,
        managed_by_label: args.enable_managedby_label,
        remotes: pintle_render::remotes(&reader, &round.answers).map_err(failed)?,
        ..Options::default()
    };
    let no_entropy = Cell::new(false);
    let ambient = RandomAmbient::new(super::helm::template::clock(), |out: &mut [u8]| {
        if aws_lc_rs::rand::fill(out).is_err() {
            no_entropy.set(true);
        }
    });
    let charts = args.enable_helm.then(|| Charts {
        ambient: &ambient,
        kube_version: args.helm_kube_version.clone(),
        api_versions: args.helm_api_versions.clone(),
        limits: Limits::default(),
        generated_suffix: None,
        cancelled: None,
        rendered: Cell::new(false),
    });
    let built = build_with(&reader, &round.path, &options, charts.as_ref());
    if no_entropy.get() {
        return Err(failed("the system gives no random bytes, and a chart asks for some"));
    }
    Ok(built)
}

/// As Kustomize says it, with its exit code.
fn failed(error: impl std::fmt::Display) -> CliError {
    CliError::usage(error.to_string())
}

fn write(path: &Path, text: &str) -> Result<(), CliError> {
    std::fs::write(path, text).map_err(|e| failed(format!("cannot write {}: {e}", path.display())))
}

/// Writes one file for each object, named as Kustomize names them: the namespace stands in front where there are several.
fn files(folder: &Path, objects: Vec<Value>) -> Result<(), CliError> {
    let mut named = Vec::with_capacity(objects.len());
    for value in objects {
        let yaml = pintle_yaml::Yaml::from(&value);
        let text = pintle_yaml::to_string(&yaml);
        let object = Object::new(value).map_err(|e| failed(format!("an object without a name: {e}")))?;
        let (group, version) = object
            .api_version()
            .split_once('/')
            .unwrap_or(("", object.api_version()));
        let parts = [group, version, object.kind(), object.name()];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let name = format!("{}.yaml", parts.join("_")).to_lowercase();
        let is_clusters = pintle_render::kustomize::is_cluster_scoped(object.api_version(), object.kind());
        let namespace = match object.namespace() {
            _ if is_clusters => None,
            "" => Some("default".to_owned()),
            other => Some(other.to_lowercase()),
        };
        named.push((namespace, name, text));
    }
    let namespaces: std::collections::BTreeSet<&String> = named.iter().filter_map(|(ns, _, _)| ns.as_ref()).collect();
    let several = namespaces.len() > 1;
    for (namespace, name, text) in &named {
        let name = match namespace {
            Some(namespace) if several => format!("{namespace}_{name}"),
            _ => name.clone(),
        };
        if name.contains('/') {
            return Err(failed(format!(
                "{name:?}: an object whose name holds a `/` has no file"
            )));
        }
        write(&folder.join(name), text)?;
    }
    Ok(())
}
