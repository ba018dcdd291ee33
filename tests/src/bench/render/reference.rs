//! The programs that are measured beside us, and how they are called.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use super::super::Result;
use super::corpus::ChartCase;
use super::usage::{Used, run};
use crate::{
    go_tools::{GoTools, pinned_version},
    oracle::helm_tools,
};

/// `helm` and `kustomize`, built from pinned modules.
pub(super) struct References {
    pub helm: PathBuf,
    pub helm_version: String,
    pub kustomize: PathBuf,
    pub kustomize_version: String,
}

impl References {
    /// Builds them if need be: minutes, once.
    pub(super) fn locate_or_build() -> Result<Self> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let module = here.join("kustomize");
        let package = "sigs.k8s.io/kustomize/kustomize/v5";
        let kustomize_version = pinned_version(&module, package)?;
        let kustomize = GoTools {
            what: format!("Kustomize {kustomize_version}"),
            cache: "kustomize-program",
            module,
            sources: &[],
            programs: &[("sigs.k8s.io/kustomize/kustomize/v5", "kustomize")],
            ldflags: "-s -w".into(),
        };
        Ok(Self {
            helm: helm_tools()?.join("helm"),
            helm_version: pinned_version(&here.join("helm"), "helm.sh/helm/v4")?,
            kustomize: kustomize.locate_or_build()?.join("kustomize"),
            kustomize_version,
        })
    }

    /// `helm template` with the flags of the corpus, in its directory.
    pub(super) fn helm_template(&self, corpus: &Path, case: &ChartCase, home: &Path) -> Command {
        let mut helm = plain(&self.helm, home);
        helm.current_dir(corpus).args(["template", "rel", &case.chart]);
        helm.args(["--namespace", "ns", "--include-crds", "--kube-version", "1.36.1"]);
        if let Some(values) = &case.values {
            helm.args(["-f", values]);
        }
        helm
    }

    /// `kustomize build` of a directory.
    pub(super) fn kustomize_build(&self, directory: &Path, home: &Path) -> Command {
        let mut kustomize = plain(&self.kustomize, home);
        kustomize.arg("build").arg(directory);
        kustomize
    }
}

/// Without the user's plugins, repositories and settings, which would cost time.
fn plain(program: &Path, home: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("HOME", home).env("TZ", "UTC");
    // Kustomize asks for the path where it looks for programs that charts and plugins would need.
    command.env("PATH", "/usr/bin:/bin");
    command
}

/// What several runs of one command cost, each by itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Runs {
    pub cpu: Vec<Duration>,
    pub memory_bytes: u64,
    /// Whether all succeeded.
    pub success: bool,
    /// What the last one printed; its complaints if it failed.
    pub text: String,
}

/// Runs a command `samples` times.
pub(super) fn repeat(samples: usize, output: &Path, command: impl Fn() -> Command) -> Result<Runs> {
    let mut runs = Runs {
        success: true,
        ..Runs::default()
    };
    let complaints = output.with_extension("complaints");
    for _ in 0..samples {
        let Used {
            cpu,
            memory_bytes,
            success,
        } = run(&mut command(), output, &complaints)?;
        runs.cpu.push(cpu);
        runs.memory_bytes = runs.memory_bytes.max(memory_bytes);
        runs.success &= success;
    }
    let said = if runs.success { output } else { &complaints };
    runs.text = String::from_utf8_lossy(&fs::read(said)?).into_owned();
    Ok(runs)
}
