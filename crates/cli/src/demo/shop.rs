//! The shop: a Git repository with one chart and a values file for each environment, and a clone to change it from.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use std::{fmt, io};

use tokio::time::timeout;

use crate::process;

/// The repository's name on the Git server.
pub const REPOSITORY: &str = "shop.git";
/// The branch people push to.
pub const BRANCH: &str = "main";

/// A git command on a repository of a few kilobytes takes milliseconds, over loopback too; a hanging one ends the demo with a reason.
const GIT_DEADLINE: Duration = Duration::from_secs(30);

/// One environment of the shop: a values file, a namespace and an Application each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Environment {
    /// Follows Git by itself.
    Dev,
    /// Follows Git by itself.
    Staging,
    /// Waits for a person.
    Prod,
}

impl Environment {
    /// All of them, in the order in which a change goes through them.
    pub const ALL: [Self; 3] = [Self::Dev, Self::Staging, Self::Prod];

    /// Its values file, in the chart's directory.
    pub fn values_file(self) -> &'static str {
        match self {
            Self::Dev => "values-dev.yaml",
            Self::Staging => "values-staging.yaml",
            Self::Prod => "values-prod.yaml",
        }
    }

    /// The name of its Application, which is its namespace's name too.
    pub fn application(self) -> &'static str {
        match self {
            Self::Dev => "shop-dev",
            Self::Staging => "shop-staging",
            Self::Prod => "shop-prod",
        }
    }

    /// How many Pods its Deployment asks for.
    pub fn replicas(self) -> i64 {
        match self {
            Self::Dev | Self::Staging => 2,
            Self::Prod => 3,
        }
    }

    /// Whether it follows Git without a person.
    pub fn is_automated(self) -> bool {
        self != Self::Prod
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Dev => "dev",
            Self::Staging => "staging",
            Self::Prod => "prod",
        })
    }
}

/// Why the repository could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum ShopError {
    /// The git program is missing.
    #[error("git cannot be started: install the git program, version 2.30 or later")]
    NoGit(#[source] io::Error),
    /// This git cannot serve repositories.
    #[error(
        "{path} is missing: install the whole of git; some systems put its HTTP backend into a package of its own (git-daemon)"
    )]
    NoHttpBackend {
        /// Where it is looked for.
        path: PathBuf,
    },
    /// Git refused.
    #[error("git {command} failed: {message}")]
    Git {
        /// Its first arguments.
        command: String,
        /// What it printed.
        message: String,
    },
    /// A file cannot be read or written.
    #[error("cannot use {path}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Somebody changed a file so that the demo does not know its way in it any more.
    #[error("{path} has no line that sets the tag of the shop's image")]
    NoImage {
        /// Which.
        path: PathBuf,
    },
}

/// A clone of the shop's repository.
pub struct Shop {
    clone: PathBuf,
}

impl Shop {
    /// Makes the bare repository that the Git server serves, empty.
    pub async fn init_bare(root: &Path) -> Result<(), ShopError> {
        std::fs::create_dir_all(root).map_err(|e| file_error(root, e))?;
        let programs = git(root, &["--exec-path"]).await?;
        let backend = Path::new(programs.trim()).join("git-http-backend");
        if !backend.is_file() {
            return Err(ShopError::NoHttpBackend { path: backend });
        }
        git(
            root,
            &["init", "--quiet", "--bare", "--initial-branch", BRANCH, REPOSITORY],
        )
        .await?;
        let bare = root.join(REPOSITORY);
        git(&bare, &["config", "http.receivepack", "true"]).await?;
        Ok(())
    }

    /// Clones the empty repository at `url` into `clone` and pushes the first commit: every environment at `tag`. Returns the commit too.
    pub async fn begin(url: &str, clone: &Path, tag: &str) -> Result<(Self, String), ShopError> {
        std::fs::create_dir_all(clone).map_err(|e| file_error(clone, e))?;
        let shop = Self {
            clone: clone.to_owned(),
        };
        shop.git(&["init", "--quiet", "--initial-branch", BRANCH]).await?;
        shop.git(&["config", "user.name", "Demo"]).await?;
        shop.git(&["config", "user.email", "demo@shop.example"]).await?;
        shop.git(&["config", "commit.gpgSign", "false"]).await?;
        shop.git(&["remote", "add", "origin", url]).await?;
        write(&shop.clone.join("README.md"), README)?;
        let chart = shop.clone.join(CHART);
        let templates = chart.join("templates");
        std::fs::create_dir_all(&templates).map_err(|e| file_error(&templates, e))?;
        for (name, content) in FILES {
            write(&chart.join(name), content)?;
        }
        for environment in Environment::ALL {
            write(&chart.join(environment.values_file()), &values(environment, tag))?;
        }
        let commit = shop.commit_and_push(&format!("shop {tag}: dev, staging, prod")).await?;
        Ok((shop, commit))
    }

    /// Sets the image tag of some environments, commits and pushes; returns the commit. Takes over first what others have pushed.
    pub async fn release(&self, environments: &[Environment], tag: &str) -> Result<String, ShopError> {
        self.pull().await?;
        for environment in environments {
            let path = self.clone.join(CHART).join(environment.values_file());
            let old = std::fs::read_to_string(&path).map_err(|e| file_error(&path, e))?;
            let new = with_tag(&old, tag).ok_or_else(|| ShopError::NoImage { path: path.clone() })?;
            write(&path, &new)?;
        }
        self.commit_and_push(&format!("image {tag}")).await
    }

    /// Reverts the last commit and pushes; returns the new commit.
    pub async fn revert_last(&self) -> Result<String, ShopError> {
        self.pull().await?;
        self.git(&["revert", "--no-edit", "HEAD"]).await?;
        self.push().await
    }

    async fn pull(&self) -> Result<(), ShopError> {
        self.git(&["pull", "--quiet", "--ff-only", "origin", BRANCH])
            .await
            .map(drop)
    }

    async fn commit_and_push(&self, message: &str) -> Result<String, ShopError> {
        self.git(&["add", "--all"]).await?;
        self.git(&["commit", "--quiet", "--message", message]).await?;
        self.push().await
    }

    async fn push(&self) -> Result<String, ShopError> {
        self.git(&["push", "--quiet", "origin", BRANCH]).await?;
        let head = self.git(&["rev-parse", "HEAD"]).await?;
        Ok(head.trim().to_owned())
    }

    async fn git(&self, arguments: &[&str]) -> Result<String, ShopError> {
        git(&self.clone, arguments).await
    }
}

async fn git(directory: &Path, arguments: &[&str]) -> Result<String, ShopError> {
    let failed = |message: String| ShopError::Git {
        command: arguments.iter().take(2).copied().collect::<Vec<_>>().join(" "),
        message,
    };
    let child = process::git(directory)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(ShopError::NoGit)?;
    match timeout(GIT_DEADLINE, child.wait_with_output()).await {
        Ok(Ok(output)) if output.status.success() => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        Ok(Ok(output)) => Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned())),
        Ok(Err(e)) => Err(failed(e.to_string())),
        Err(_) => Err(failed(format!("no end within {} s", GIT_DEADLINE.as_secs()))),
    }
}

fn write(path: &Path, content: &str) -> Result<(), ShopError> {
    std::fs::write(path, content).map_err(|e| file_error(path, e))
}

fn file_error(path: &Path, source: io::Error) -> ShopError {
    ShopError::File {
        path: path.to_owned(),
        source,
    }
}

/// The chart's directory in the repository.
pub const CHART: &str = "chart";

const README: &str = "# The shop\n\n\
    One chart, and a values file for each environment. Change `tag:` in `chart/values-dev.yaml`, commit and push: dev follows by itself.\n\n\
    Tags that end in `broken` name an image that cannot be pulled, `crash` one that panics, `slow` one that is ready late.\n";

/// The chart's files.
const FILES: [(&str, &str); 6] = [
    ("Chart.yaml", include_str!("chart/Chart.yaml")),
    ("values.yaml", include_str!("chart/values.yaml")),
    ("templates/_helpers.tpl", include_str!("chart/templates/_helpers.tpl")),
    (
        "templates/deployment.yaml",
        include_str!("chart/templates/deployment.yaml"),
    ),
    ("templates/service.yaml", include_str!("chart/templates/service.yaml")),
    (
        "templates/configmap.yaml",
        include_str!("chart/templates/configmap.yaml"),
    ),
];

/// The values of one environment.
fn values(environment: Environment, tag: &str) -> String {
    let replicas = environment.replicas();
    format!("environment: {environment}\nimage:\n  tag: {tag:?}\nreplicas: {replicas}\n")
}

/// The values with the image's tag changed; `None` if no line sets it.
fn with_tag(values: &str, tag: &str) -> Option<String> {
    let mut found = false;
    let lines: Vec<String> = values
        .lines()
        .map(|line| match line.split_once("tag: ") {
            Some((before, _)) => {
                found = true;
                format!("{before}tag: {tag:?}")
            }
            None => line.to_owned(),
        })
        .collect();
    found.then(|| lines.join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use pintle_model::tree::{MemoryTree, Reader, TreePath};
    use pintle_render::helm::{Chart, Limits, Now, Options, RandomAmbient, ValueOptions, template};

    #[test]
    fn the_chart_renders_three_objects_for_every_environment() {
        let tree = FILES.iter().fold(MemoryTree::new(), |tree, (name, content)| {
            tree.with_file(TreePath::new(name).unwrap(), content.as_bytes())
        });
        let chart = Chart::load(&Reader::new(&tree), &TreePath::root(), &Limits::default()).unwrap();
        let now = Now {
            seconds: 0,
            nanos: 0,
            offset_seconds: 0,
        };
        for environment in Environment::ALL {
            let options = Options {
                values: ValueOptions {
                    files: vec![(environment.values_file().into(), values(environment, "1.4"))],
                    ..ValueOptions::default()
                },
                ..Options::default()
            };
            let ambient = RandomAmbient::new(now, |_: &mut [u8]| {});
            // Templates nest on the stack.
            let text = std::thread::scope(|threads| {
                let work = || template(&chart, &options, &ambient).map(|o| o.text);
                let thread = std::thread::Builder::new().stack_size(Limits::default().stack_bytes());
                let thread = thread.spawn_scoped(threads, work).unwrap();
                thread.join().unwrap().unwrap()
            });
            let objects = pintle_model::yaml_objects(&text);
            assert_eq!(objects.len(), 3, "{environment}");
            assert!(objects.iter().all(|o| o.result.is_ok()), "{environment}: {text}");
            assert!(text.contains("image: shop:1.4\n"), "{text}");
        }
    }

    #[test]
    fn a_release_changes_the_tag_and_nothing_else() {
        let [before, after] = ["1.4", "1.5"].map(|tag| values(Environment::Dev, tag));
        assert_eq!(with_tag(&before, "1.5"), Some(after));
        assert_eq!(with_tag("replicas: 2\n", "1.5"), None);
    }

    #[tokio::test]
    async fn releases_and_reverts_reach_the_repository() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("git");
        Shop::init_bare(&root).await.unwrap();
        let url = root.join(REPOSITORY);
        let (shop, first) = Shop::begin(url.to_str().unwrap(), &directory.path().join("shop"), "1.4")
            .await
            .unwrap();
        let second = shop.release(&[Environment::Dev], "1.5").await.unwrap();
        assert_ne!(first, second);
        let at = |revision: &str, environment: &str| format!("{revision}:chart/values-{environment}.yaml");
        let dev = git(&url, &["show", &at(BRANCH, "dev")]).await.unwrap();
        let prod = git(&url, &["show", &at(BRANCH, "prod")]).await.unwrap();
        assert!(dev.contains("tag: \"1.5\"") && prod.contains("tag: \"1.4\""));
        shop.revert_last().await.unwrap();
        let dev = git(&url, &["show", &at(BRANCH, "dev")]).await.unwrap();
        assert!(dev.contains("tag: \"1.4\""));
        let author = git(&url, &["log", "-1", "--format=%an <%ae>", BRANCH]).await.unwrap();
        assert_eq!(author.trim(), "Demo <demo@shop.example>");
    }
}
