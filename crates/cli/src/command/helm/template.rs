//! `pintle helm template`.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use pintle_render::helm::{self, Capabilities, HelmError, KubeVersion, Limits, Now, Options, Output, RandomAmbient};

use super::chart::locate;
use super::{dependency, failed, on_a_big_stack, values};
use crate::args::HelmTemplateArgs;
use crate::exit::CliError;
use crate::output;

/// Renders a chart and prints it or writes it into files.
pub(super) async fn run(args: HelmTemplateArgs, namespace: String) -> Result<ExitCode, CliError> {
    if args.idle.post_renderer.is_some() {
        return Err(
            CliError::unsupported("starting a program on what was rendered (--post-renderer)")
                .with_hint("pipe the output into it"),
        );
    }
    let limits = Limits::default();
    let mut capabilities = Capabilities::default();
    if let Some(version) = &args.kube_version {
        capabilities.kube_version = KubeVersion::parse(version).map_err(failed)?;
    }
    capabilities.api_versions.extend(args.api_versions.iter().cloned());
    let (name, reference) = name_and_chart(&args).await?;
    let mut loaded = locate(&reference, &args.chart, &limits).await?;
    let values = values::read(&args.values)?;
    if args.dependency_update && !loaded.chart.missing_dependencies().is_empty() {
        dependency::update(Path::new(&reference), &args.chart.access).await?;
        loaded = super::chart::load(Path::new(&reference), &limits)?;
    }
    let options = Options {
        release_name: name,
        namespace,
        values,
        capabilities,
        include_crds: args.include_crds,
        skip_tests: args.skip_tests,
        no_hooks: args.no_hooks,
        is_upgrade: args.is_upgrade,
        skip_schema_validation: args.skip_schema_validation,
        show_only: args.show_only.clone(),
        limits,
        ..Options::default()
    };
    on_a_big_stack(limits, move || {
        let rendered = with_ambient(|ambient| helm::template(&loaded.chart, &options, ambient))?;
        let rendered = rendered.map_err(not_rendered)?;
        match &args.output_dir {
            None => output::print(&rendered.text)?,
            Some(directory) => write(&rendered, &options, &args, directory)?,
        }
        Ok(ExitCode::SUCCESS)
    })
    .await
}

/// What Helm says of a chart that does not render; it adds a hint once there is something that could be looked at.
fn not_rendered(error: HelmError) -> CliError {
    match error {
        HelmError::Template(_) | HelmError::KubeVersion { .. } => {
            failed(format!("{error}\n\nUse --debug flag to render out invalid YAML"))
        }
        other => failed(other),
    }
}

/// As Helm: two words are name and chart; one is the chart, of a release named by a template or `release-name`.
async fn name_and_chart(args: &HelmTemplateArgs) -> Result<(String, String), CliError> {
    let Some(chart) = &args.second else {
        let name = match args.name_template.as_deref() {
            None | Some("") => "release-name".to_owned(),
            Some(template) => {
                let template = template.to_owned();
                on_a_big_stack(Limits::default(), move || release_name(&template)).await?
            }
        };
        return Ok((name, args.first.clone()));
    };
    for (given, flag) in [
        (args.generate_name, "--generate-name"),
        (args.name_template.is_some(), "--name-template"),
    ] {
        if given {
            return Err(failed(format!("cannot set {flag} and also specify a name")));
        }
    }
    Ok((args.first.clone(), chart.clone()))
}

/// The name that a template gives.
fn release_name(template: &str) -> Result<String, CliError> {
    with_ambient(|ambient| {
        pintle_render::helm::release_name(template, ambient, &Limits::default()).map_err(|e| failed(e.to_string()))
    })?
}

/// Runs work with the system's time and randomness.
pub(super) fn with_ambient<T>(work: impl FnOnce(&dyn helm::Ambient) -> T) -> Result<T, CliError> {
    let no_entropy = Cell::new(false);
    let ambient = RandomAmbient::new(clock(), |out: &mut [u8]| {
        if aws_lc_rs::rand::fill(out).is_err() {
            no_entropy.set(true);
        }
    });
    let done = work(&ambient);
    if no_entropy.get() {
        return Err(failed("the system gives no random bytes, and a chart asks for some"));
    }
    Ok(done)
}

/// The time templates see, in UTC.
pub(in crate::command) fn clock() -> Now {
    let now = output::time::now();
    Now {
        seconds: now.as_second(),
        nanos: now.subsec_nanosecond().unsigned_abs(),
        offset_seconds: 0,
    }
}

/// Writes every manifest into the file it comes from, and says which.
fn write(rendered: &Output, options: &Options, args: &HelmTemplateArgs, directory: &Path) -> Result<(), CliError> {
    let below = if args.release_name {
        directory.join(&options.release_name)
    } else {
        directory.to_owned()
    };
    let mut files = Files::default();
    for manifest in &rendered.manifests {
        // CRDs are not put below the release's name, as in Helm.
        let into = if is_crd(&manifest.path) { directory } else { &below };
        files.add(into, &manifest.path, &manifest.text)?;
    }
    if !options.no_hooks {
        for hook in rendered.hooks.iter().filter(|h| !(options.skip_tests && h.is_test())) {
            files.add(&below, &hook.path, &hook.text)?;
        }
    }
    // Helm prints the manifests that are not in files after that: none.
    output::print("\n")
}

/// Whether a path is one of `crds/`: of the chart, or of one inside of it.
fn is_crd(path: &str) -> bool {
    let mut inside = path.split_once('/').map_or("", |(_, rest)| rest);
    while let Some(below) = inside.strip_prefix("charts/") {
        inside = below.split_once('/').map_or("", |(_, rest)| rest);
    }
    inside.starts_with("crds/")
}

/// Files written by this command; what is already there from an earlier one is replaced.
#[derive(Default)]
struct Files {
    written: BTreeSet<PathBuf>,
}

impl Files {
    fn add(&mut self, directory: &Path, name: &str, text: &str) -> Result<(), CliError> {
        // Names of templates come from the chart, and the chart may come from anywhere.
        if name.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(failed(format!(
                "{name:?} is no name of a file below {}",
                directory.display()
            )));
        }
        let path = directory.join(name);
        let unwritable = |e: std::io::Error| failed(format!("cannot write {}: {e}", path.display()));
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(unwritable)?;
        }
        let mut file = if self.written.contains(&path) {
            std::fs::OpenOptions::new().append(true).open(&path)
        } else {
            std::fs::File::create(&path)
        }
        .map_err(unwritable)?;
        write!(file, "---\n# Source: {name}\n{text}\n").map_err(unwritable)?;
        output::print(&format!("wrote {}/{name}\n", directory.display()))?;
        self.written.insert(path);
        Ok(())
    }
}
