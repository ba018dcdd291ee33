//! A repository over HTTP and the clone a scenario pushes from.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pintle::demo::git_server::{GitServer, GitServerConfig};
use tokio::process::Command;
use tokio::sync::mpsc;

/// A push over loopback takes milliseconds; the machine may be busy.
const PUSH_WITHIN: Duration = Duration::from_secs(30);

/// The repository `shop.git`, its server and a clone.
pub struct Git {
    root: PathBuf,
    clone: PathBuf,
    address: SocketAddr,
    server: Option<GitServer>,
    pushed: mpsc::Receiver<String>,
}

impl Git {
    /// Makes an empty repository under `directory` and serves it on a free port.
    pub async fn start(directory: &Path) -> Self {
        let (root, clone) = (directory.join("git"), directory.join("clone"));
        std::fs::create_dir_all(&root).expect("a scratch folder can be written");
        std::fs::create_dir_all(&clone).expect("a scratch folder can be written");
        run(
            &root,
            &["init", "--quiet", "--bare", "--initial-branch=main", "shop.git"],
        )
        .await;
        run(&root.join("shop.git"), &["config", "http.receivepack", "true"]).await;
        let (server, pushed) = serve(&root, SocketAddr::from(([127, 0, 0, 1], 0))).await;
        run(&clone, &["init", "--quiet", "--initial-branch=main", "."]).await;
        run(&clone, &["remote", "add", "origin", &server.url("shop.git")]).await;
        Self {
            root,
            clone,
            address: server.address(),
            server: Some(server),
            pushed,
        }
    }

    /// The clone URL.
    pub fn url(&self) -> String {
        format!("http://{}/shop.git", self.address)
    }

    /// Commits files (`None` removes one) and pushes them; returns the commit.
    pub async fn push(&mut self, files: &[(&str, Option<&str>)]) -> String {
        for (path, content) in files {
            let file = self.clone.join(path);
            match content {
                Some(content) => {
                    let parent = file.parent().expect("a file in a folder");
                    std::fs::create_dir_all(parent).expect("a scratch folder can be written");
                    std::fs::write(&file, content).expect("a scratch folder can be written");
                }
                None => std::fs::remove_file(&file).expect("the file is there"),
            }
        }
        run(&self.clone, &["add", "--all"]).await;
        run(&self.clone, &["commit", "--quiet", "--message", "change"]).await;
        self.send().await
    }

    /// Undoes the last commit by a new one, and pushes it; returns the new commit.
    pub async fn revert(&mut self) -> String {
        run(&self.clone, &["revert", "--no-edit", "HEAD"]).await;
        self.send().await
    }

    /// Pushes a tag of the last commit.
    pub async fn tag(&mut self, name: &str) {
        run(&self.clone, &["tag", name]).await;
        run(&self.clone, &["push", "--quiet", "origin", name]).await;
        self.told().await;
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

    async fn send(&mut self) -> String {
        run(&self.clone, &["push", "--quiet", "origin", "main"]).await;
        self.told().await;
        run(&self.clone, &["rev-parse", "HEAD"]).await
    }

    /// The server tells of each push: the hint that the controller is given.
    async fn told(&mut self) {
        let told = tokio::time::timeout(PUSH_WITHIN, self.pushed.recv()).await;
        assert_eq!(told.ok().flatten().as_deref(), Some("shop.git"), "the push is told");
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
