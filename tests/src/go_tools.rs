//! Programs built with Go from pinned modules: found in the cache, or built into it.

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

/// Raised when the way of building changes, so that older binaries are not taken for these.
const RECIPE: &str = "1";

/// An unpacked module cache comes from the network once: 15 min is a slow line, not a dead one.
const LOAD_WITHIN: Duration = Duration::from_secs(15 * 60);

/// Six minutes were seen on two idle cores for the control plane; a shared machine takes a multiple of it.
const BUILD_WITHIN: Duration = Duration::from_secs(60 * 60);

/// Older builds kept beside the current one, for other checkouts; the control plane takes about 0.4 GB.
const OLDER_BUILDS_KEPT: usize = 2;

/// What to build, and where it is kept.
#[derive(Debug, Clone)]
pub struct GoTools {
    /// What it is called on standard error.
    pub what: String,
    /// The folder of the cache it is kept in: `$XDG_CACHE_HOME/pintle/<cache>/<pins>/bin`.
    pub cache: &'static str,
    /// The folder of the Go module.
    pub module: PathBuf,
    /// Go sources of ours inside the module, relative to it.
    pub sources: &'static [&'static str],
    /// The Go packages, and the name each program gets.
    pub programs: &'static [(&'static str, &'static str)],
    /// Flags for the linker.
    pub ldflags: String,
}

/// Why this machine cannot have the programs. Not a fault: a test may step aside.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    /// There is no `go` on the path.
    #[error("no `go` on the PATH to build the reference programs with")]
    GoMissing,
    /// The pinned modules cannot be had: no network and an empty module cache, or a Go too old for them.
    #[error("go cannot load the pinned modules: {said}")]
    ModulesMissing {
        /// The last line of what `go list` said.
        said: String,
    },
    /// A program that distributions have.
    #[error("no `{program}` on the PATH or in /usr/sbin; on Debian the package is {package}")]
    ProgramMissing {
        /// The program.
        program: &'static str,
        /// Debian's package of it.
        package: &'static str,
    },
}

/// Why there are no programs.
#[derive(Debug, thiserror::Error)]
pub enum ToolsError {
    /// The machine lacks what they are built with.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The modules are there and do not build.
    #[error("go build failed: {said}")]
    Build {
        /// The end of what `go build` said.
        said: String,
    },
    /// Another process holds the build lock for longer than a build may take.
    #[error("waited {0:?} for another process to build the same programs")]
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

impl GoTools {
    /// Returns the folder with the built programs, building them if need be.
    ///
    /// The build happens once per pins and sources, under a file lock, outside the checkout,
    /// so that the next clone finds it. It takes minutes and says so on standard error.
    pub fn locate_or_build(&self) -> Result<PathBuf, ToolsError> {
        let hash = self.hash()?;
        let cache = cache_dir()?.join(self.cache);
        let home = cache.join(&hash);
        let bin = home.join("bin");
        if self.all_there(&bin) {
            return Ok(bin);
        }
        if !go_is_there() {
            return Err(Unavailable::GoMissing.into());
        }

        fs::create_dir_all(&cache).map_err(at(&cache))?;
        let lock_path = cache.join("build.lock");
        let lock = File::create(&lock_path).map_err(at(&lock_path))?;
        lock_within(&lock, &lock_path, BUILD_WITHIN)?;
        // Another process may have built them while this one waited.
        if !self.all_there(&bin) {
            self.build(&home)?;
            forget_older_builds(&cache, &hash);
        }
        Ok(bin)
    }

    fn all_there(&self, bin: &Path) -> bool {
        self.programs.iter().all(|(_, name)| bin.join(name).is_file())
    }

    fn hash(&self) -> Result<String, ToolsError> {
        let mut digest = Sha256::new().chain_update(RECIPE);
        for name in ["go.mod", "go.sum"].iter().chain(self.sources) {
            let path = self.module.join(name);
            digest.update(fs::read(&path).map_err(at(&path))?);
        }
        let mut hash = String::new();
        for byte in digest.finalize().iter().take(6) {
            // Writing to a String cannot fail.
            let _ = write!(hash, "{byte:02x}");
        }
        Ok(hash)
    }

    /// `go` in the module, free of what the caller's environment would change about the build.
    fn go(&self) -> Command {
        let mut go = Command::new("go");
        // Without cgo no C compiler is needed, and the programs are static.
        go.current_dir(&self.module)
            .env("GOFLAGS", "-mod=readonly")
            .env("GOWORK", "off")
            .env("CGO_ENABLED", "0");
        go
    }

    fn build(&self, home: &Path) -> Result<(), ToolsError> {
        let packages = || self.programs.iter().map(|(package, _)| package);
        // First only the sources: if this fails the machine lacks something, if the build fails the pins are wrong.
        let loaded = process::run(
            self.go().args(["list", "-deps", "-f", ""]).args(packages()),
            "",
            LOAD_WITHIN,
        )?;
        if !loaded.status.success() {
            return Err(Unavailable::ModulesMissing {
                said: process::tail(&loaded.stderr, 1),
            }
            .into());
        }

        self.say(&format!("building with go into {} (minutes, once)", home.display()));
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
            self.go()
                .args(["build", "-buildvcs=false", "-ldflags", &self.ldflags, "-o", &out])
                .args(packages()),
            "",
            BUILD_WITHIN,
        )?;
        if !built.status.success() {
            return Err(ToolsError::Build {
                said: process::tail(&built.stderr, 20),
            });
        }
        for (package, name) in self.programs {
            let (from, to) = (bin.join(default_name(package)), bin.join(name));
            if from != to {
                fs::rename(&from, &to).map_err(at(&from))?;
            }
        }
        if home.exists() {
            fs::remove_dir_all(home).map_err(at(home))?;
        }
        fs::rename(&fresh, home).map_err(at(home))?;
        self.say(&format!("built in {:?}", started.elapsed()));
        Ok(())
    }

    /// Past the test runner's capture: whoever waits for minutes wants to know why.
    fn say(&self, what: &str) {
        let _ = io::Write::write_fmt(&mut io::stderr(), format_args!("{}: {what}\n", self.what));
    }
}

/// Returns the version that the `go.mod` of `module` requires of `required`.
pub fn pinned_version(module: &Path, required: &str) -> Result<String, ToolsError> {
    let path = module.join("go.mod");
    let go_mod = fs::read_to_string(&path).map_err(at(&path))?;
    pinned(&go_mod, required)
        .map(str::to_owned)
        .ok_or_else(|| ToolsError::File {
            path,
            source: io::Error::new(io::ErrorKind::InvalidData, format!("no `{required} vX.Y.Z` line")),
        })
}

fn pinned<'a>(go_mod: &'a str, module: &str) -> Option<&'a str> {
    go_mod.lines().find_map(|line| {
        let mut words = line.trim().trim_start_matches("require ").split_whitespace();
        (words.next() == Some(module))
            .then(|| words.next())
            .flatten()
            .filter(|word| word.starts_with('v'))
    })
}

/// What `go build` calls the program of `package`: its last word that is no major version.
fn default_name(package: &str) -> &str {
    let is_major = |word: &str| {
        word.strip_prefix('v')
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
    };
    package.rsplit('/').find(|word| !is_major(word)).unwrap_or(package)
}

/// `$XDG_CACHE_HOME/pintle`, `~/.cache/pintle` by default.
pub fn cache_dir() -> Result<PathBuf, ToolsError> {
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_CACHE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
        .map(|cache| cache.join("pintle"))
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
    fn a_program_is_named_as_go_names_it() {
        assert_eq!(default_name("go.etcd.io/etcd/server/v3"), "server");
        assert_eq!(default_name("k8s.io/kubernetes/cmd/kubectl"), "kubectl");
        assert_eq!(default_name("./oracle"), "oracle");
    }
}
