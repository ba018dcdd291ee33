//! `pintle kustomize …`.

pub(super) mod disk;
mod edit;

use std::cell::Cell;
use std::path::Path;
use std::process::ExitCode;

use pintle_model::tree::Reader;
use pintle_model::{Object, Value};
use pintle_render::helm::{Limits, RandomAmbient};
use pintle_render::kustomize::{Built, Charts, Options, build_with};

use crate::args::{KustomizeBuildArgs, KustomizeCommand, LoadRestrictor, Reorder};
use crate::exit::CliError;
use crate::output;
use disk::Disk;

/// Bases nest on the stack, a hundred of them at most, and so do fields; templates of charts come on top of them.
const STACK_BYTES: usize = 64 << 20;

/// Runs a command of the group.
pub(crate) async fn run(command: KustomizeCommand) -> Result<ExitCode, CliError> {
    match command {
        KustomizeCommand::Build(args) => {
            let builder = std::thread::Builder::new()
                .name("build".into())
                .stack_size(STACK_BYTES + Limits::default().stack_bytes());
            let (done, ended) = tokio::sync::oneshot::channel();
            builder
                .spawn(move || done.send(build(&args)))
                .map_err(|e| CliError::error(format!("cannot start the thread that builds: {e}")))?;
            // The channel closes without an answer only if the thread panicked.
            ended
                .await
                .map_err(|_| CliError::error("the build stopped unexpectedly; please report it"))??;
            Ok(ExitCode::SUCCESS)
        }
        KustomizeCommand::Edit(command) => {
            edit::run(command)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn build(args: &KustomizeBuildArgs) -> Result<(), CliError> {
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
    if args.directory.contains("://") {
        return Err(failed(format!(
            "{}: a remote kustomization cannot be fetched by this version; clone it and name its directory",
            args.directory
        )));
    }
    let (disk, path) = Disk::at(Path::new(&args.directory))
        .map_err(|e| failed(format!("cannot read the directory {}: {e}", args.directory)))?;
    let options = Options {
        load_anywhere: args.load_restrictor == LoadRestrictor::None,
        keep_order: args.reorder == Reorder::None,
        managed_by_label: args.enable_managedby_label,
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
    let built = build_with(&Reader::new(&disk), &path, &options, charts.as_ref());
    if no_entropy.get() {
        return Err(failed("the system gives no random bytes, and a chart asks for some"));
    }
    let (objects, text) = match built {
        Built::Ok { objects, text } => (objects, text),
        Built::Failed(failure) => return Err(failed(failure)),
        Built::Needs(needs) => {
            let urls: Vec<&str> = needs.iter().map(|fetch| fetch.url.as_str()).collect();
            return Err(failed(format!(
                "remote content cannot be fetched by this version: {}; clone it and name its directory",
                urls.join(", ")
            )));
        }
    };
    match &args.output {
        None => output::print(&text),
        Some(folder) if folder.is_dir() => files(folder, objects),
        Some(file) => write(file, &text),
    }
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
