//! One Git repository with a directory per application.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::{Result, fleet};

pub(super) struct Monorepo {
    dir: TempDir,
}

impl Monorepo {
    /// Makes the repository with one commit.
    pub(super) fn new(apps: usize) -> Result<Self> {
        let repo = Self::empty()?;
        repo.write("README.md", "All applications.\n")?;
        for index in 0..apps {
            repo.write_app(index, "first")?;
        }
        repo.commit("all applications")?;
        Ok(repo)
    }

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

    /// Writes the manifests of one application: a file for each object.
    pub(super) fn write_app(&self, index: usize, note: &str) -> Result<()> {
        for object in fleet::objects(index, note) {
            let kind = object.get("kind").and_then(|k| k.as_str()).unwrap_or_default();
            let path = format!("apps/{}/{}.yaml", fleet::name(index), kind.to_lowercase());
            // JSON is YAML; a person's YAML has a line for each field as well.
            self.write(&path, &serde_json::to_string_pretty(&object)?)?;
        }
        Ok(())
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
