//! `pintle helm …`.

use std::cell::Cell;
use std::path::Path;
use std::process::ExitCode;

use pintle_model::tree::{MemoryTree, Reader, TreePath};
use pintle_render::helm::{
    self, Capabilities, Chart, KubeVersion, Limits, Now, Options, Output, RandomAmbient, ValueOptions,
};

use super::file;
use crate::args::{HelmCommand, HelmTemplateArgs};
use crate::exit::CliError;
use crate::output;

/// Directories inside a chart; a deeper one is a link that leads back.
const MAX_DEPTH: usize = 64;

/// Runs a command of the group.
pub(crate) async fn run(command: HelmCommand) -> Result<ExitCode, CliError> {
    match command {
        HelmCommand::Template(args) => {
            let limits = Limits::default();
            // Templates nest on the stack: their depth is bounded so that this much is enough.
            let renderer = std::thread::Builder::new()
                .name("render".into())
                .stack_size(limits.stack_bytes());
            let (done, ended) = tokio::sync::oneshot::channel();
            renderer
                .spawn(move || done.send(template(&args, limits)))
                .map_err(|e| CliError::error(format!("cannot start the thread that renders: {e}")))?;
            // The channel closes without an answer only if the thread panicked.
            let text = ended
                .await
                .map_err(|_| CliError::error("rendering stopped unexpectedly; please report it"))??;
            output::print(&text)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn template(args: &HelmTemplateArgs, limits: Limits) -> Result<String, CliError> {
    let (name, chart) = match &args.second {
        Some(chart) => (args.first.as_str(), chart.as_str()),
        None => ("release-name", args.first.as_str()),
    };
    if chart.contains("://") {
        return Err(failed(format!(
            "{chart}: charts of repositories and registries cannot be fetched by this version; unpack the chart and name its directory"
        )));
    }
    let chart = load(chart, &limits)?;
    let mut capabilities = Capabilities::default();
    if let Some(version) = &args.kube_version {
        capabilities.kube_version = KubeVersion::parse(version).map_err(failed)?;
    }
    capabilities.api_versions.extend(args.api_versions.iter().cloned());
    let options = Options {
        release_name: name.to_owned(),
        namespace: args.namespace.clone(),
        values: values(args)?,
        capabilities,
        include_crds: args.include_crds && !args.skip_crds,
        skip_tests: args.skip_tests,
        no_hooks: args.no_hooks,
        is_upgrade: args.is_upgrade,
        skip_schema_validation: args.skip_schema_validation,
        show_only: args.show_only.clone(),
        limits,
        cancelled: None,
    };
    let no_entropy = Cell::new(false);
    let ambient = RandomAmbient::new(clock(), |out: &mut [u8]| {
        if aws_lc_rs::rand::fill(out).is_err() {
            no_entropy.set(true);
        }
    });
    let rendered: Result<Output, _> = helm::template(&chart, &options, &ambient);
    if no_entropy.get() {
        return Err(failed("the system gives no random bytes, and a chart asks for some"));
    }
    Ok(rendered.map_err(failed)?.text)
}

/// The time templates see, in UTC.
pub(super) fn clock() -> Now {
    let now = output::time::now();
    Now {
        seconds: now.as_second(),
        nanos: now.subsec_nanosecond().unsigned_abs(),
        offset_seconds: 0,
    }
}

/// As Helm says it, with its exit code.
fn failed(error: impl std::fmt::Display) -> CliError {
    CliError::usage(error.to_string())
}

fn values(args: &HelmTemplateArgs) -> Result<ValueOptions, CliError> {
    let mut files = Vec::with_capacity(args.values.len());
    for name in &args.values {
        files.push((name.clone(), file::text(name)?));
    }
    let mut from_files = Vec::with_capacity(args.set_file.len());
    for line in &args.set_file {
        let mut texts = Vec::new();
        for name in ValueOptions::names_in(line).map_err(failed)? {
            let text = file::text(&name)?;
            texts.push((name, text));
        }
        from_files.push((line.clone(), texts));
    }
    Ok(ValueOptions {
        files,
        json: args.set_json.clone(),
        set: args.set.clone(),
        strings: args.set_string.clone(),
        from_files,
        literals: args.set_literal.clone(),
    })
}

/// Reads a chart's directory or archive.
fn load(path: &str, limits: &Limits) -> Result<std::sync::Arc<Chart>, CliError> {
    let unreadable = |e: std::io::Error| failed(format!("cannot read the chart {path}: {e}"));
    let at = Path::new(path);
    let metadata = std::fs::metadata(at).map_err(unreadable)?;
    if metadata.is_dir() {
        let mut files = Files {
            tree: MemoryTree::new(),
            left: limits.archive.total_bytes,
        };
        files.walk(at, &TreePath::root(), 0)?;
        return Chart::load(&Reader::new(&files.tree), &TreePath::root(), limits).map_err(failed);
    }
    if metadata.len() > limits.archive.total_bytes {
        return Err(failed(format!(
            "{path} has {} bytes, more than the limit of {} for a chart",
            metadata.len(),
            limits.archive.total_bytes
        )));
    }
    Chart::from_archive(&std::fs::read(at).map_err(unreadable)?, limits).map_err(failed)
}

/// A directory on its way into memory. Links are followed, as Helm follows them on the user's own machine.
struct Files {
    tree: MemoryTree,
    left: u64,
}

impl Files {
    fn walk(&mut self, directory: &Path, at: &TreePath, depth: usize) -> Result<(), CliError> {
        if depth > MAX_DEPTH {
            return Err(failed(format!(
                "{}: more than {MAX_DEPTH} directories inside one another",
                directory.display()
            )));
        }
        let unreadable = |path: &Path, e: std::io::Error| failed(format!("cannot read {}: {e}", path.display()));
        for entry in std::fs::read_dir(directory).map_err(|e| unreadable(directory, e))? {
            let entry = entry.map_err(|e| unreadable(directory, e))?;
            let path = entry.path();
            let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
                return Err(failed(format!("{}: its name is not UTF-8", path.display())));
            };
            let metadata = std::fs::metadata(&path).map_err(|e| unreadable(&path, e))?;
            let inside = at.child(&name);
            if metadata.is_dir() {
                self.walk(&path, &inside, depth + 1)?;
            } else if metadata.is_file() {
                let Some(left) = self.left.checked_sub(metadata.len()) else {
                    return Err(failed(format!(
                        "{}: the chart's files exceed the limit for a chart",
                        path.display()
                    )));
                };
                self.left = left;
                let bytes = std::fs::read(&path).map_err(|e| unreadable(&path, e))?;
                self.tree = std::mem::take(&mut self.tree).with_file(inside, bytes);
            }
        }
        Ok(())
    }
}
