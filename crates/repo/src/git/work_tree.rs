//! The files of a checkout as they stand, as a commit of a store beside it.
//!
//! The checkout's own repository is not written to: a bare store in a directory of ours borrows its objects, and Git adds to that store what
//! differs from them. What the checkout ignores stays out.

use std::path::Path;
use std::time::Duration;

use super::local::{LocalError, LocalRepository};
use crate::process::{Bounds, GitRun};

/// Reading every file of a large checkout takes seconds.
const READING: Bounds = Bounds {
    deadline: Duration::from_secs(10 * 60),
    memory_bytes: Bounds::PACKS,
};

impl LocalRepository {
    /// The checkout with everything that is not committed, changed and new files alike: a commit, and the repository that has it. `store` is a
    /// directory of ours, empty or not there yet.
    pub async fn with_work_tree(&self, store: &Path) -> Result<(Self, String), LocalError> {
        let Some(work_tree) = self.work_dir() else {
            return Err(self.failed("it is bare and has no files; name a revision".into()));
        };
        let told = |e: std::io::Error| self.failed(format!("no store beside it: {e}"));
        std::fs::create_dir_all(store).map_err(told)?;
        let own = self.repository().to_thread_local();
        let run = async |arguments: &[&str]| {
            let run = GitRun {
                directory: store,
                config: None,
                what: format!("reading the files of {}", work_tree.display()),
                bounds: READING,
            };
            let out = run.output(arguments).await?;
            Ok::<_, LocalError>(String::from_utf8_lossy(&out).trim().to_owned())
        };
        run(&["init", "--quiet", "--bare", "--template=", "."]).await?;
        let objects = own.common_dir().join("objects").canonicalize().map_err(told)?;
        let mut alternates = objects.display().to_string();
        alternates.push('\n');
        let info = store.join("objects/info");
        std::fs::create_dir_all(&info).map_err(told)?;
        std::fs::write(info.join("alternates"), alternates).map_err(told)?;
        // With the index Git need not read files that it knows; without it, it reads them.
        let index = store.join("index");
        if copy_with_time(&own.index_path(), &index).is_err() {
            let _ = std::fs::remove_file(&index);
        }
        let excludes = format!("core.excludesFile={}", own.common_dir().join("info/exclude").display());
        let git_dir = format!("--git-dir={}", store.display());
        let top = work_tree.display().to_string();
        let files = format!("--work-tree={top}");
        run(&["-C", &top, "-c", &excludes, &git_dir, &files, "add", "--all"]).await?;
        let tree = run(&[&git_dir, "write-tree"]).await?;
        let who = ["-c", "user.name=pintle", "-c", "user.email=pintle@localhost"];
        let commit = [&who[..], &[&git_dir, "commit-tree", "-m", "files as they stand", &tree]].concat();
        let commit = run(&commit).await?;
        let opened = gix::open::Options::isolated().open(store);
        let opened = opened.map_err(|e| self.failed(e.to_string()))?;
        Ok((self.over(opened), commit))
    }
}

/// Git looks at the content of files that are not older than the index, for they may have changed within the second that both are dated by. A
/// copy with a time of its own would hide those changes.
fn copy_with_time(from: &Path, to: &Path) -> std::io::Result<()> {
    let modified = std::fs::metadata(from)?.modified()?;
    std::fs::copy(from, to)?;
    std::fs::File::options().write(true).open(to)?.set_modified(modified)
}
