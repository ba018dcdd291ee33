//! Repositories over HTTP and the clones a scenario pushes from.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pintle::demo::git_server::{GitServer, GitServerConfig};
use tokio::process::Command;
use tokio::sync::mpsc;

/// A push over loopback takes milliseconds; the machine may be busy.
const PUSH_WITHIN: Duration = Duration::from_secs(30);

/// The repository that most scenarios have alone.
pub const SHOP: &str = "shop.git";

/// The repository [`SHOP`], others beside it, their server and a clone of each.
pub struct Git {
    root: PathBuf,
    clones: PathBuf,
    address: SocketAddr,
    server: Option<GitServer>,
    pushed: mpsc::Receiver<String>,
}

impl Git {
    /// Makes an empty repository [`SHOP`] under `directory` and serves it on a free port.
    pub async fn start(directory: &Path) -> Self {
        let (root, clones) = (directory.join("git"), directory.join("clones"));
        std::fs::create_dir_all(&root).expect("a scratch folder can be written");
        let (server, pushed) = serve(&root, SocketAddr::from(([127, 0, 0, 1], 0))).await;
        let git = Self {
            root,
            clones,
            address: server.address(),
            server: Some(server),
            pushed,
        };
        git.make(SHOP).await;
        git
    }

    /// Makes one more empty repository.
    pub async fn make(&self, repository: &str) {
        let clone = self.clones.join(repository);
        std::fs::create_dir_all(&clone).expect("a scratch folder can be written");
        run(
            &self.root,
            &["init", "--quiet", "--bare", "--initial-branch=main", repository],
        )
        .await;
        run(&self.root.join(repository), &["config", "http.receivepack", "true"]).await;
        run(&clone, &["init", "--quiet", "--initial-branch=main", "."]).await;
        run(&clone, &["remote", "add", "origin", &self.url(repository)]).await;
    }

    /// The clone URL of a repository.
    pub fn url(&self, repository: &str) -> String {
        format!("http://{}/{repository}", self.address)
    }

    /// Where the scenario's own clone of a repository is, to put there what is no text file.
    pub fn clone_of(&self, repository: &str) -> PathBuf {
        self.clones.join(repository)
    }

    /// Commits files (`None` removes one) and pushes them; returns the commit.
    pub async fn push(&mut self, repository: &str, files: &[(&str, Option<&str>)]) -> String {
        let clone = self.clones.join(repository);
        for (path, content) in files {
            let file = clone.join(path);
            match content {
                Some(content) => {
                    let parent = file.parent().expect("a file in a folder");
                    std::fs::create_dir_all(parent).expect("a scratch folder can be written");
                    std::fs::write(&file, content).expect("a scratch folder can be written");
                }
                None => std::fs::remove_file(&file).expect("the file is there"),
            }
        }
        run(&clone, &["add", "--all"]).await;
        run(&clone, &["commit", "--quiet", "--message", "change"]).await;
        self.send(repository).await
    }

    /// Undoes the last commit of [`SHOP`] by a new one, and pushes it; returns the new commit.
    pub async fn revert(&mut self) -> String {
        run(&self.clones.join(SHOP), &["revert", "--no-edit", "HEAD"]).await;
        self.send(SHOP).await
    }

    /// Pushes a tag of the last commit of [`SHOP`].
    pub async fn tag(&mut self, name: &str) {
        let clone = self.clones.join(SHOP);
        run(&clone, &["tag", name]).await;
        run(&clone, &["push", "--quiet", "origin", name]).await;
        self.told(SHOP).await;
    }

    /// Pushes tags of the last commit of [`SHOP`], all at once.
    pub async fn tags(&mut self, names: &[String]) {
        let refs: Vec<String> = names.iter().map(|name| format!("HEAD:refs/tags/{name}")).collect();
        let mut arguments = vec!["push", "--quiet", "origin"];
        arguments.extend(refs.iter().map(String::as_str));
        run(&self.clones.join(SHOP), &arguments).await;
        self.told(SHOP).await;
    }

    /// Stops serving: connections are refused.
    pub fn stop(&mut self) {
        self.server = None;
    }

    /// Serves again, at the same address.
    pub async fn resume(&mut self) {
        (self.server, self.pushed) = {
            let (server, pushed) = serve(&self.root, self.address).await;
            (Some(server), pushed)
        };
    }

    async fn send(&mut self, repository: &str) -> String {
        let clone = self.clones.join(repository);
        run(&clone, &["push", "--quiet", "origin", "main"]).await;
        self.told(repository).await;
        run(&clone, &["rev-parse", "HEAD"]).await
    }

    /// The server tells of each push: the hint that the controller is given.
    async fn told(&mut self, repository: &str) {
        let told = tokio::time::timeout(PUSH_WITHIN, self.pushed.recv()).await;
        assert_eq!(told.ok().flatten().as_deref(), Some(repository), "the push is told");
    }
}

async fn serve(root: &Path, address: SocketAddr) -> (GitServer, mpsc::Receiver<String>) {
    let (told, pushed) = mpsc::channel(64);
    let config = GitServerConfig {
        root: root.to_owned(),
        address,
        credentials: None,
    };
    // A port that was just let go of may be held for a moment more.
    for _ in 0..50 {
        if let Ok(server) = GitServer::start(config.clone(), told.clone()).await {
            return (server, pushed);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the Git server cannot listen on {address}");
}

async fn run(directory: &Path, arguments: &[&str]) -> String {
    let out = Command::new("git")
        .current_dir(directory)
        .args([
            "-c",
            "user.name=Dev",
            "-c",
            "user.email=dev@shop.example",
            "-c",
            "commit.gpgSign=false",
        ])
        .args(arguments)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .output()
        .await
        .expect("git runs");
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "git {arguments:?}: {said}");
    String::from_utf8_lossy(&out.stdout).trim().to_owned()
}
