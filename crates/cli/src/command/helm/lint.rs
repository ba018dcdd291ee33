//! `pintle helm lint`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use pintle_render::helm::{self, Capabilities, ChartSource, KubeVersion, Limits, LintMessage, LintSeverity, Options};

use super::template::with_ambient;
use super::{failed, on_a_big_stack, values};
use crate::args::HelmLintArgs;
use crate::exit::CliError;
use crate::output;

/// Directories below `charts/`; a deeper one is a link that leads back.
const MAX_DEPTH: usize = 32;

/// Examines charts and says what is wrong with each.
pub(super) async fn run(args: HelmLintArgs, namespace: String) -> Result<ExitCode, CliError> {
    let mut capabilities = Capabilities::default();
    if let Some(version) = &args.kube_version {
        capabilities.kube_version = KubeVersion::parse(version).map_err(failed)?;
    }
    let options = Options {
        namespace,
        values: values::read(&args.values)?,
        capabilities,
        skip_schema_validation: args.skip_schema_validation,
        ..Options::default()
    };
    let mut paths = args.paths.clone();
    if args.with_subcharts {
        for path in &args.paths {
            subcharts(&Path::new(path).join("charts"), 0, &mut paths);
        }
    }
    on_a_big_stack(options.limits, move || {
        let tolerated = if args.strict {
            LintSeverity::Info
        } else {
            LintSeverity::Warning
        };
        let (mut text, mut bad, mut worth_saying) = (String::new(), 0, false);
        for path in &paths {
            let examined = examine(Path::new(path), &options);
            let is_bad = match &examined {
                Ok(messages) => messages.iter().any(|m| m.severity > tolerated),
                Err(_) => true,
            };
            let is_noted = match &examined {
                Ok(messages) => messages.iter().any(|m| m.severity > LintSeverity::Info),
                Err(_) => true,
            };
            bad += usize::from(is_bad);
            worth_saying |= is_noted;
            if args.quiet && !is_noted {
                continue;
            }
            text.push_str(&format!("==> Linting {path}\n"));
            match examined {
                Err(error) => text.push_str(&format!("Error {}\n", error.message)),
                Ok(messages) => {
                    for message in messages {
                        if !args.quiet || message.severity > LintSeverity::Info {
                            text.push_str(&format!("{message}\n"));
                        }
                    }
                }
            }
            text.push('\n');
        }
        let summary = format!("{} chart(s) linted, {bad} chart(s) failed", paths.len());
        if bad > 0 {
            output::print(&text)?;
            return Err(failed(summary));
        }
        if !args.quiet || worth_saying {
            text.push_str(&summary);
            text.push('\n');
        }
        output::print(&text)?;
        Ok(ExitCode::SUCCESS)
    })
    .await
}

/// Charts below `charts/`, unpacked or not, in the order of a walk.
fn subcharts(directory: &Path, depth: usize, found: &mut Vec<String>) {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return;
    };
    if depth > MAX_DEPTH {
        return;
    }
    let mut entries: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name == "Chart.yaml" {
            found.push(directory.display().to_string());
        } else if name.ends_with(".tgz") || name.ends_with(".tar.gz") {
            found.push(path.display().to_string());
        } else if path.is_dir() {
            subcharts(&path, depth + 1, found);
        }
    }
}

fn examine(at: &Path, options: &Options) -> Result<Vec<LintMessage>, CliError> {
    let limits = Limits::default();
    let shown = at.display().to_string();
    let (source, has_templates) = if shown.ends_with(".tgz") || shown.ends_with(".tar.gz") {
        let packed = std::fs::read(at).map_err(|e| failed(format!("unable to open tarball: {e}")))?;
        let source = ChartSource::from_archive(&packed, &limits)
            .map_err(|e| failed(format!("unable to extract tarball: {e}")))?;
        let has_templates = source.files().any(|(name, _)| name.starts_with("templates/"));
        (source, has_templates)
    } else {
        let file = at.join("Chart.yaml");
        if !file.exists() {
            return Err(failed(format!(
                "unable to check Chart.yaml file in chart: stat {}: no such file or directory",
                file.display()
            )));
        }
        (
            super::chart::read_directory(at, &limits)?,
            at.join("templates").is_dir(),
        )
    };
    let directory = std::path::absolute(at).unwrap_or_else(|_| at.to_owned());
    with_ambient(|ambient| {
        helm::lint(
            &source,
            &directory.display().to_string(),
            has_templates,
            options,
            ambient,
        )
    })?
    .map_err(failed)
}
