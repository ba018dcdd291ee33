//! The built programs of the control plane: found in the cache, or built into it.

use std::{
    env,
    fmt::Write as _,
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use sha2::{Digest, Sha256};

use crate::process;

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

/// Raised when the way of building changes, so that older binaries are not taken for these.
const RECIPE: &str = "1";

/// An unpacked module cache comes from the network once: 15 min is a slow line, not a dead one.
const LOAD_WITHIN: Duration = Duration::from_secs(15 * 60);

/// Six minutes were seen on two idle cores; a shared machine takes a multiple of it.
const BUILD_WITHIN: Duration = Duration::from_secs(60 * 60);

/// Older builds kept beside the current one, for other checkouts; each takes about 0.4 GB.
const OLDER_BUILDS_KEPT: usize = 2;

/// The programs of one control plane, built and ready to run.
#[derive(Debug, Clone)]
pub struct Tools {
    bin: PathBuf,
    version: String,
}

/// Why this machine cannot have a control plane. Not a fault: a test may step aside.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    /// There is no `go` on the path.
    #[error("no `go` on the PATH to build the control plane with")]
    GoMissing,
    /// The pinned modules cannot be had: no network and an empty module cache, or a Go too old for them.
    #[error("go cannot load the control plane's modules: {said}")]
    ModulesMissing {
        /// The last line of what `go list` said.
        said: String,
    },
}

/// Why there are no tools.
#[derive(Debug, thiserror::Error)]
pub enum ToolsError {
    /// The machine lacks what they are built with.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The modules are there and do not build.
    #[error("go build of the control plane failed: {said}")]
    Build {
        /// The end of what `go build` said.
        said: String,
    },
    /// Another process holds the build lock for longer than a build may take.
    #[error("waited {0:?} for another process to build the control plane")]
    Locked(Duration),
    /// `go` did not answer.
    #[error("run go")]
    Go(#[from] process::RunError),
    /// A file of the cache or the module is unreachable, or there is no home for the cache.
    #[error("{path}: {source}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl ToolsError {
    /// Returns whether the machine merely lacks something, so that a test may step aside.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

impl Tools {
    /// Returns the tools for the pins of `tests/controlplane/go.mod`, building them if need be.
    ///
    /// The build happens once per pins, under a file lock, into
    /// `$XDG_CACHE_HOME/pintle/controlplane/<pins>/bin` (`~/.cache` by default): outside the
    /// checkout, so that the next clone finds it. A build takes minutes and says so on standard error.
    pub fn locate_or_build() -> Result<Self, ToolsError> {
        let module = module_dir();
        let pins = Pins::read(&module)?;
        let cache = cache_dir()?;
        let home = cache.join(&pins.hash);
        let tools = Self {
            bin: home.join("bin"),
            version: pins.kubernetes.clone(),
        };
        if tools.all_there() {
            return Ok(tools);
        }
        if !go_is_there() {
            return Err(Unavailable::GoMissing.into());
        }

        fs::create_dir_all(&cache).map_err(at(&cache))?;
        let lock_path = cache.join("build.lock");
        let lock = File::create(&lock_path).map_err(at(&lock_path))?;
        lock_within(&lock, &lock_path, BUILD_WITHIN)?;
        // Another process may have built them while this one waited.
        if !tools.all_there() {
            build(&module, &pins, &home)?;
            forget_older_builds(&cache, &pins.hash);
        }
        Ok(tools)
    }

    /// Returns the Kubernetes version the programs report, such as `v1.36.3`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Returns where `program` is; names as in a cluster (`etcd`, `kube-apiserver`, `kubectl`, …).
    pub fn path(&self, program: &str) -> PathBuf {
        self.bin.join(program)
    }

    fn all_there(&self) -> bool {
        PROGRAMS.iter().all(|(_, name)| self.path(name).is_file())
    }
}

/// The Go module with the pins, and the files the control plane is started with.
pub(super) fn module_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("controlplane")
}

struct Pins {
    hash: String,
    kubernetes: String,
}

impl Pins {
    fn read(module: &Path) -> Result<Self, ToolsError> {
        let read = |name: &str| {
            let path = module.join(name);
            fs::read_to_string(&path).map_err(at(&path))
        };
        let (go_mod, go_sum) = (read("go.mod")?, read("go.sum")?);
        let kubernetes = pinned(&go_mod, "k8s.io/kubernetes").ok_or_else(|| ToolsError::File {
            path: module.join("go.mod"),
            source: io::Error::new(io::ErrorKind::InvalidData, "no `k8s.io/kubernetes vX.Y.Z` line"),
        })?;
        let digest = Sha256::new()
            .chain_update(RECIPE)
            .chain_update(&go_mod)
            .chain_update(&go_sum)
            .finalize();
        let mut hash = String::new();
        for byte in digest.iter().take(6) {
            // Writing to a String cannot fail.
            let _ = write!(hash, "{byte:02x}");
        }
        Ok(Self {
            hash,
            kubernetes: kubernetes.to_owned(),
        })
    }
}

/// Returns the version that `go_mod` requires of `module`.
fn pinned<'a>(go_mod: &'a str, module: &str) -> Option<&'a str> {
    go_mod.lines().find_map(|line| {
        let mut words = line.trim().trim_start_matches("require ").split_whitespace();
        (words.next() == Some(module))
            .then(|| words.next())
            .flatten()
            .filter(|word| word.starts_with('v'))
    })
}

fn cache_dir() -> Result<PathBuf, ToolsError> {
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_CACHE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
        .map(|cache| cache.join("pintle/controlplane"))
        .ok_or_else(|| ToolsError::File {
            path: PathBuf::from("$HOME/.cache"),
            source: io::Error::new(
                io::ErrorKind::NotFound,
                "neither XDG_CACHE_HOME nor HOME is an absolute path",
            ),
        })
}

fn go_is_there() -> bool {
    let version = Command::new("go")
        .arg("version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status();
    version.is_ok_and(|status| status.success())
}

/// `go` in the module, free of what the caller's environment would change about the build.
fn go(module: &Path) -> Command {
    let mut go = Command::new("go");
    // Without cgo no C compiler is needed, and the programs are static.
    go.current_dir(module)
        .env("GOFLAGS", "-mod=readonly")
        .env("GOWORK", "off")
        .env("CGO_ENABLED", "0");
    go
}

fn build(module: &Path, pins: &Pins, home: &Path) -> Result<(), ToolsError> {
    let packages = PROGRAMS.map(|(package, _)| package);
    // First only the sources: if this fails the machine lacks something, if the build fails the pins are wrong.
    let loaded = process::run(
        go(module).args(["list", "-deps", "-f", ""]).args(packages),
        "",
        LOAD_WITHIN,
    )?;
    if !loaded.status.success() {
        return Err(Unavailable::ModulesMissing {
            said: process::tail(&loaded.stderr, 1),
        }
        .into());
    }

    say(&format!(
        "building etcd, Kubernetes {} and kwok with go into {} (minutes, once)",
        pins.kubernetes,
        home.display()
    ));
    let started = Instant::now();
    // Beside its final place, then renamed: a killed build leaves nothing that looks whole.
    let fresh = home.with_extension("building");
    if fresh.exists() {
        fs::remove_dir_all(&fresh).map_err(at(&fresh))?;
    }
    let bin = fresh.join("bin");
    fs::create_dir_all(&bin).map_err(at(&bin))?;
    // The trailing slash makes `go build` put each program into the folder.
    let out = format!("{}/", bin.display());
    let built = process::run(
        go(module)
            .args([
                "build",
                "-buildvcs=false",
                "-ldflags",
                &ldflags(&pins.kubernetes),
                "-o",
                &out,
            ])
            .args(packages),
        "",
        BUILD_WITHIN,
    )?;
    if !built.status.success() {
        return Err(ToolsError::Build {
            said: process::tail(&built.stderr, 20),
        });
    }
    let (server, etcd) = (bin.join("server"), bin.join("etcd"));
    fs::rename(&server, &etcd).map_err(at(&server))?;
    if home.exists() {
        fs::remove_dir_all(home).map_err(at(home))?;
    }
    fs::rename(&fresh, home).map_err(at(home))?;
    say(&format!("built in {:?}", started.elapsed()));
    Ok(())
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

fn lock_within(lock: &File, path: &Path, within: Duration) -> Result<(), ToolsError> {
    let started = Instant::now();
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if started.elapsed() >= within => return Err(ToolsError::Locked(within)),
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(200)),
            Err(TryLockError::Error(source)) => return Err(at(path)(source)),
        }
    }
}

/// Removes all but the newest [`OLDER_BUILDS_KEPT`] builds of other pins. Failing to is only untidy.
fn forget_older_builds(cache: &Path, current: &str) {
    let Ok(entries) = fs::read_dir(cache) else { return };
    let mut others: Vec<_> = entries
        .flatten()
        .filter(|entry| entry.file_name() != current && entry.path().join("bin").is_dir())
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    others.sort();
    for (_, path) in others.iter().rev().skip(OLDER_BUILDS_KEPT) {
        let _ = fs::remove_dir_all(path);
    }
}

/// Past the test runner's capture: whoever waits for minutes wants to know why.
fn say(what: &str) {
    let _ = io::Write::write_fmt(&mut io::stderr(), format_args!("control plane: {what}\n"));
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> ToolsError {
    let path = path.to_owned();
    move |source| ToolsError::File { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_comes_from_the_require_line() {
        let go_mod = "require (\n\tk8s.io/kubernetes v1.36.3\n)\nreplace k8s.io/api => k8s.io/api v0.36.3\n";
        assert_eq!(pinned(go_mod, "k8s.io/kubernetes"), Some("v1.36.3"));
        assert_eq!(
            pinned("require k8s.io/kubernetes v1.2.3", "k8s.io/kubernetes"),
            Some("v1.2.3")
        );
        assert_eq!(pinned(go_mod, "k8s.io/api"), None);
    }

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
