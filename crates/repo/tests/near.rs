//! Repositories on this machine answer for their URLs: nothing is dialled, nothing of them is written.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

use std::path::Path;
use std::sync::Arc;

use pintle_model::application::Source;
use pintle_repo::git::LocalRepository;
use pintle_repo::url::place;
use pintle_repo::{Ask, Near, NearRepository, RepoError, Repositories, SourceRender, Stand};
use pintle_tests::checkout::git;
use tempfile::TempDir;

const URL: &str = "https://git.invalid/o/r.git";

struct Checkout {
    directory: TempDir,
}

impl Checkout {
    fn new() -> Self {
        let checkout = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        checkout.git(&["init", "--quiet", "--initial-branch=main", "."]);
        checkout.git(&["remote", "add", "up/stream", URL]);
        checkout
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn git(&self, arguments: &[&str]) -> String {
        git(self.path(), arguments).unwrap()
    }

    fn write(&self, path: &str, text: &str) {
        let file = self.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    fn commit(&self, files: &[(&str, &str)]) -> String {
        files.iter().for_each(|(path, text)| self.write(path, text));
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "change"]);
        self.git(&["rev-parse", "HEAD"])
    }

    fn local(&self) -> LocalRepository {
        LocalRepository::open(self.path()).unwrap()
    }

    /// The repository with the files of its work tree as a commit, whose objects are below `store`.
    async fn as_it_stands(&self, store: &Path) -> (LocalRepository, String) {
        self.local().with_work_tree(&store.join("files")).await.unwrap()
    }
}

fn config(name: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n")
}

/// The checkout stands for [`URL`], and nothing is fetched.
fn near(repository: LocalRepository, stand: Option<(&str, &str)>) -> Arc<Near> {
    Arc::new(Near {
        repositories: vec![NearRepository {
            repository: Arc::new(repository),
            places: [place(URL)].into(),
            stand: stand.map(|(commit, branch)| Stand {
                commit: commit.to_owned(),
                revision: commit.to_owned(),
                branches: [branch.to_owned()].into(),
                head: None,
            }),
        }],
        offline: true,
    })
}

fn source(url: &str, path: &str, revision: &str) -> Source {
    Source {
        repo_url: url.into(),
        path: path.into(),
        target_revision: revision.into(),
        ..Source::default()
    }
}

async fn render(repositories: &Repositories, near: &Arc<Near>, source: Source) -> Result<SourceRender, RepoError> {
    let ask = Ask {
        near: Arc::clone(near),
        ..Ask::plain(vec![source])
    };
    repositories.render(&ask).await.pop().unwrap()
}

fn names(render: &SourceRender) -> String {
    assert!(render.rendered.is_complete(), "{:?}", render.rendered.diagnostics);
    let names: Vec<&str> = render.rendered.objects.iter().map(|o| o.object.name()).collect();
    names.join(" ")
}

struct Service {
    _directory: TempDir,
    repositories: Repositories,
}

fn service() -> Service {
    let directory = tempfile::tempdir().unwrap();
    Service {
        repositories: Repositories::new(directory.path().to_owned()),
        _directory: directory,
    }
}

#[tokio::test]
async fn a_commit_stands_for_head_and_its_branch_over_every_transport() {
    let (checkout, service) = (Checkout::new(), service());
    let old = checkout.commit(&[("a/x.yaml", &config("old"))]);
    checkout.git(&["tag", "v1.2.0"]);
    let new = checkout.commit(&[("a/x.yaml", &config("new"))]);
    checkout.git(&["update-ref", "refs/remotes/up/stream/release", &old]);
    checkout.git(&["update-ref", "refs/heads/release", &new]);
    let near = near(checkout.local(), Some((&new, "main")));
    for (url, revision, expected) in [
        (URL, "", "new"),
        ("git@git.invalid:o/r", "HEAD", "new"),
        ("ssh://git@git.invalid/o/r.git", "main", "new"),
        (URL, "refs/heads/main", "new"),
        (URL, "v1.2.0", "old"),
        (URL, "1.x", "old"),
        (URL, &old, "old"),
        (URL, &old[..8], "old"),
        // What the remote calls so, not what somebody made here.
        (URL, "release", "old"),
    ] {
        let rendered = render(&service.repositories, &near, source(url, "a", revision))
            .await
            .unwrap();
        assert_eq!(names(&rendered), expected, "{url} {revision}");
    }
    let counts = service.repositories.counts();
    assert_eq!((counts.ls_remotes, counts.fetches), (0, 0));
    let unknown = render(&service.repositories, &near, source(URL, "a", "nowhere")).await;
    assert!(matches!(unknown, Err(RepoError::Near(_))));
}

#[tokio::test]
async fn two_states_share_what_neither_touches() {
    let (checkout, service) = (Checkout::new(), service());
    let old = checkout.commit(&[("a/x.yaml", &config("a")), ("b/x.yaml", &config("b"))]);
    let new = checkout.commit(&[("b/x.yaml", &config("c"))]);
    let mut seen = Vec::new();
    for commit in [&old, &new] {
        let near = near(checkout.local(), Some((commit, "main")));
        for path in ["a", "b"] {
            let rendered = render(&service.repositories, &near, source(URL, path, "main"))
                .await
                .unwrap();
            seen.push(format!("{} {}", names(&rendered), rendered.is_known));
        }
    }
    assert_eq!(seen, ["a false", "b false", "a true", "c false"]);
    assert_eq!(service.repositories.counts().renders, 3);
}

#[tokio::test]
async fn the_files_as_they_stand_are_a_commit_that_the_checkout_does_not_have() {
    let (checkout, service) = (Checkout::new(), service());
    let head = checkout.commit(&[
        ("a/x.yaml", &config("x")),
        ("a/gone.yaml", &config("gone")),
        (".gitignore", "*.log\n"),
    ]);
    checkout.write("a/x.yaml", &config("edited"));
    checkout.write("a/new.yaml", &config("new"));
    checkout.write("a/z.yaml.log", "ignored");
    std::fs::remove_file(checkout.path().join("a/gone.yaml")).unwrap();
    let before = checkout.git(&["status", "--porcelain"]);
    let objects = checkout.git(&["count-objects"]);
    let store = tempfile::tempdir().unwrap();
    let (files, commit) = checkout.as_it_stands(store.path()).await;
    assert_eq!(checkout.git(&["status", "--porcelain"]), before);
    assert_eq!(checkout.git(&["count-objects"]), objects);
    let near = near(files, Some((&commit, "main")));
    let rendered = render(&service.repositories, &near, source(URL, "a", "main"))
        .await
        .unwrap();
    assert_eq!(names(&rendered), "new edited");
    // Older commits are still there.
    let rendered = render(&service.repositories, &near, source(URL, "a", &head))
        .await
        .unwrap();
    assert_eq!(names(&rendered), "gone x");
}

#[tokio::test]
async fn a_file_that_changed_in_the_second_of_the_index_is_read() {
    let (checkout, service) = (Checkout::new(), service());
    let file = checkout.path().join("a/x.yaml");
    let second = |path: &Path| {
        let modified = std::fs::metadata(path).unwrap().modified().unwrap();
        modified.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
    };
    // Same length, same file, same second.
    let mut tries = 0;
    while tries == 0 || second(&file) != second(&checkout.path().join(".git/index")) {
        checkout.commit(&[("a/x.yaml", &config("one")), ("tries", &tries.to_string())]);
        checkout.write("a/x.yaml", &config("two"));
        tries += 1;
        assert!(tries < 100, "no commit within one second");
    }
    let clock = checkout.path().join(".git/clock");
    let later = || {
        std::fs::write(&clock, "").unwrap();
        second(&clock) > second(&file)
    };
    while !later() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let store = tempfile::tempdir().unwrap();
    let (files, commit) = checkout.as_it_stands(store.path()).await;
    let near = near(files, Some((&commit, "main")));
    let rendered = render(&service.repositories, &near, source(URL, "a", "main"))
        .await
        .unwrap();
    assert_eq!(names(&rendered), "two");
}

#[tokio::test]
async fn nothing_else_is_fetched_offline() {
    let (checkout, service) = (Checkout::new(), service());
    checkout.commit(&[
        (
            "a/kustomization.yaml",
            "resources: ['https://git.invalid/o/r//base?ref=main']\n",
        ),
        (
            "far/kustomization.yaml",
            "resources: ['https://elsewhere.invalid/o/r//base?ref=main']\n",
        ),
        ("base/kustomization.yaml", "resources: [x.yaml]\n"),
        ("base/x.yaml", &config("x")),
    ]);
    let near = near(checkout.local(), None);
    let base = render(&service.repositories, &near, source(URL, "a", "main"))
        .await
        .unwrap();
    assert_eq!(names(&base), "x");
    let far = render(&service.repositories, &near, source(URL, "far", "main"))
        .await
        .unwrap();
    let said: Vec<String> = far.rendered.diagnostics.iter().map(ToString::to_string).collect();
    assert!(
        !far.rendered.is_complete() && said.concat().contains("--offline"),
        "{said:?}"
    );
    let chart = Source {
        chart: "web".into(),
        ..source("https://charts.invalid", "", "1.0.0")
    };
    for refused in [source("https://elsewhere.invalid/x", "a", "main"), chart] {
        let answer = render(&service.repositories, &near, refused).await;
        assert!(matches!(answer, Err(RepoError::Offline { .. })));
    }
}

#[test]
fn branches_are_known_by_their_names_here_and_at_remotes() {
    let checkout = Checkout::new();
    let first = checkout.commit(&[("a", "1")]);
    checkout.git(&["update-ref", "refs/remotes/up/stream/main", &first]);
    checkout.git(&[
        "symbolic-ref",
        "refs/remotes/up/stream/HEAD",
        "refs/remotes/up/stream/main",
    ]);
    checkout.git(&["checkout", "--quiet", "-b", "feature"]);
    let second = checkout.commit(&[("a", "2")]);
    let local = checkout.local();
    let one = |names: std::collections::BTreeSet<String>| names.into_iter().collect::<Vec<_>>().join(" ");
    assert_eq!(one(local.branches("up/stream/main")), "main");
    assert_eq!(one(local.branches("main")), "main");
    assert_eq!(one(local.branches("HEAD")), "feature");
    assert_eq!(one(local.branches("HEAD~1")), "");
    assert_eq!(one(local.branches_at(&first)), "main");
    assert_eq!(one(local.default_branches()), "main");
    assert_eq!(local.commit("feature~1").unwrap(), first);
    assert_eq!(local.merge_base(&first, &second).unwrap(), first);
    assert!(local.commit("nowhere").is_err());
    assert_eq!(local.remotes(), [("up/stream".to_owned(), URL.to_owned())]);
    // From a folder in it, and from a linked work tree.
    std::fs::create_dir(checkout.path().join("folder")).unwrap();
    assert_eq!(
        LocalRepository::open(&checkout.path().join("folder"))
            .unwrap()
            .directory(),
        local.directory()
    );
    let other = tempfile::tempdir().unwrap();
    let linked = other.path().join("linked");
    checkout.git(&["worktree", "add", "--quiet", linked.to_str().unwrap(), "main"]);
    let linked = LocalRepository::open(&linked).unwrap();
    assert_eq!(linked.commit("HEAD").unwrap(), first);
    assert_eq!(linked.remotes().len(), 1);
    assert!(LocalRepository::open(Path::new("/")).is_err());
}
