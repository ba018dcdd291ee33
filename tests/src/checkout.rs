//! Git repositories on this machine, made by what is tested or measured with them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Runs Git in a directory, as nobody in particular and without anybody's configuration; answers what it printed.
pub fn git(directory: &Path, arguments: &[&str]) -> Result<String> {
    let out = Command::new("git")
        .current_dir(directory)
        .args(["-c", "user.name=t", "-c", "user.email=t@t"])
        .args(["-c", "gc.auto=0", "-c", "commit.gpgsign=false"])
        .args(arguments)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()?;
    if !out.status.success() {
        return Err(format!("git {}: {}", arguments.join(" "), String::from_utf8_lossy(&out.stderr)).into());
    }
    Ok(String::from_utf8(out.stdout)?.trim().to_owned())
}

/// A repository of its own with a work tree, gone with this.
pub struct Checkout {
    dir: TempDir,
}

impl Checkout {
    /// Makes a repository without a commit.
    pub fn empty() -> Result<Self> {
        let repo = Self {
            dir: tempfile::Builder::new().prefix("pintle-checkout-").tempdir()?,
        };
        repo.git(&["init", "--quiet", "--initial-branch=main", "."])?;
        Ok(repo)
    }

    /// Where its files are.
    pub fn directory(&self) -> &Path {
        self.dir.path()
    }

    /// Packs everything, as a clone has it.
    pub fn pack(&self) -> Result<()> {
        self.git(&["gc", "--quiet"]).map(drop)
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("file://{}", self.dir.path().display())
    }

    /// Writes files.
    pub fn write_all(&self, files: &[(String, String)]) -> Result<()> {
        files.iter().try_for_each(|(path, text)| self.write(path, text))
    }

    /// Tags the commit that is checked out so many times.
    pub fn tag(&self, tags: usize) -> Result<()> {
        (0..tags).try_for_each(|number| self.git(&["tag", &format!("v0.0.{number}")]).map(drop))
    }

    /// Writes a file, and makes the folders above it.
    pub fn write(&self, path: &str, text: &str) -> Result<()> {
        let path = self.dir.path().join(path);
        fs::create_dir_all(path.parent().map(PathBuf::from).unwrap_or_default())?;
        Ok(fs::write(path, text)?)
    }

    /// Commits everything; returns the commit.
    pub fn commit(&self, message: &str) -> Result<String> {
        self.git(&["add", "--all"])?;
        self.git(&["commit", "--quiet", "--message", message])?;
        self.head()
    }

    /// The commit that is checked out.
    pub fn head(&self) -> Result<String> {
        self.git(&["rev-parse", "HEAD"])
    }

    /// Runs Git in it; see [`git`].
    pub fn git(&self, arguments: &[&str]) -> Result<String> {
        git(self.dir.path(), arguments)
    }
}
