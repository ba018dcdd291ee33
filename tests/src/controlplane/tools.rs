//! The built programs of the control plane.

use std::path::{Path, PathBuf};

use crate::go_tools::{GoTools, pinned_version};
pub use crate::go_tools::{ToolsError, Unavailable};

/// The Go packages, and the name each program gets: `go build` would call etcd `server`.
const PROGRAMS: [(&str, &str); 6] = [
    ("go.etcd.io/etcd/server/v3", "etcd"),
    ("k8s.io/kubernetes/cmd/kube-apiserver", "kube-apiserver"),
    (
        "k8s.io/kubernetes/cmd/kube-controller-manager",
        "kube-controller-manager",
    ),
    ("k8s.io/kubernetes/cmd/kube-scheduler", "kube-scheduler"),
    ("k8s.io/kubernetes/cmd/kubectl", "kubectl"),
    ("sigs.k8s.io/kwok/cmd/kwok", "kwok"),
];

/// The programs of one control plane, built and ready to run.
#[derive(Debug, Clone)]
pub struct Tools {
    bin: PathBuf,
    version: String,
}

impl Tools {
    /// Returns the tools for the pins of `tests/controlplane/go.mod`, building them if need be
    /// (see [`GoTools::locate_or_build`]), into `$XDG_CACHE_HOME/pintle/controlplane/<pins>/bin`.
    pub fn locate_or_build() -> Result<Self, ToolsError> {
        let module = module_dir();
        let version = pinned_version(&module, "k8s.io/kubernetes")?;
        let bin = GoTools {
            what: format!("control plane (etcd, Kubernetes {version}, kwok)"),
            cache: "controlplane",
            ldflags: ldflags(&version),
            module,
            sources: &[],
            programs: &PROGRAMS,
        }
        .locate_or_build()?;
        Ok(Self { bin, version })
    }

    /// Returns the Kubernetes version the programs report, such as `v1.36.3`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Returns where `program` is; names as in a cluster (`etcd`, `kube-apiserver`, `kubectl`, …).
    pub fn path(&self, program: &str) -> PathBuf {
        self.bin.join(program)
    }
}

/// The Go module with the pins, and the files the control plane is started with.
pub(super) fn module_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("controlplane")
}

/// Clients decide by the server's version, so the programs must report the one they are.
fn ldflags(version: &str) -> String {
    let (major, minor) = {
        let mut parts = version.trim_start_matches('v').split('.');
        (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
    };
    let package = "k8s.io/component-base/version";
    format!(
        "-s -w -X {package}.gitVersion={version} -X {package}.gitMajor={major} -X {package}.gitMinor={minor} \
         -X {package}.gitTreeState=clean"
    )
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn every_program_is_a_pinned_tool() {
        let go_mod = fs::read_to_string(module_dir().join("go.mod")).expect("go.mod is there");
        for (package, _) in PROGRAMS {
            assert!(
                go_mod.lines().any(|line| line.trim() == package),
                "{package} has no tool line"
            );
        }
    }

    #[test]
    fn ldflags_carry_the_minor() {
        assert!(ldflags("v1.36.3").contains("gitMinor=36 "));
    }
}
