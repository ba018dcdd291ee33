//! One Git repository on this machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::Result;

pub(super) struct Monorepo {
    dir: TempDir,
}

impl Monorepo {
    /// Makes a repository without a commit.
    pub(super) fn empty() -> Result<Self> {
        let repo = Self {
            dir: tempfile::Builder::new().prefix("pintle-bench-git-").tempdir()?,
        };
        repo.git(&["init", "--quiet", "--initial-branch=main", "."])?;
        Ok(repo)
    }

    pub(super) fn directory(&self) -> &Path {
        self.dir.path()
    }

    /// Packs everything, as a clone has it.
    pub(super) fn pack(&self) -> Result<()> {
        self.git(&["gc", "--quiet"]).map(drop)
    }

    pub(super) fn url(&self) -> String {
        format!("file://{}", self.dir.path().display())
    }

    pub(super) fn write_all(&self, files: &[(String, String)]) -> Result<()> {
        files.iter().try_for_each(|(path, text)| self.write(path, text))
    }

    /// Tags the commit that is checked out so many times.
    pub(super) fn tag(&self, tags: usize) -> Result<()> {
        (0..tags).try_for_each(|number| self.git(&["tag", &format!("v0.0.{number}")]).map(drop))
    }

    pub(super) fn write(&self, path: &str, text: &str) -> Result<()> {
        let path = self.dir.path().join(path);
        fs::create_dir_all(path.parent().map(PathBuf::from).unwrap_or_default())?;
        Ok(fs::write(path, text)?)
    }

    /// Commits everything; returns the commit.
    pub(super) fn commit(&self, message: &str) -> Result<String> {
        self.git(&["add", "--all"])?;
        self.git(&["commit", "--quiet", "--message", message])?;
        self.head()
    }

    /// The commit that is checked out.
    pub(super) fn head(&self) -> Result<String> {
        self.git(&["rev-parse", "HEAD"])
    }

    pub(super) fn git(&self, arguments: &[&str]) -> Result<String> {
        let out = Command::new("git")
            .current_dir(self.dir.path())
            .args([
                "-c",
                "user.name=bench",
                "-c",
                "user.email=bench@example.com",
                "-c",
                "gc.auto=0",
            ])
            .args(arguments)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()?;
        if !out.status.success() {
            return Err(format!("git {}: {}", arguments.join(" "), String::from_utf8_lossy(&out.stderr)).into());
        }
        Ok(String::from_utf8_lossy(&out.stdout).trim().to_owned())
    }
}
