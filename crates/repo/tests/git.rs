//! Real Git repositories over `file://`: resolving, fetching once, rendering only what a commit touched.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

use std::path::{Path, PathBuf};

use pintle_model::application::Source;
use pintle_repo::{Ask, RepoError, Repositories, SourceRender};
use pintle_tests::checkout::git;
use tokio::time::Instant;

struct Upstream {
    directory: tempfile::TempDir,
}

impl Upstream {
    fn new() -> Self {
        let upstream = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        upstream.git(&["init", "--quiet", "--initial-branch=main", "."]);
        upstream
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn git(&self, arguments: &[&str]) -> String {
        git(self.path(), arguments).unwrap()
    }

    fn commit(&self, files: &[(&str, &str)]) -> String {
        for (path, content) in files {
            let file = self.path().join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, content).unwrap();
        }
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "change"]);
        self.git(&["rev-parse", "HEAD"])
    }

    fn source(&self, path: &str, revision: &str) -> Source {
        Source {
            repo_url: format!("file://{}", self.path().display()),
            path: path.into(),
            target_revision: revision.into(),
            ..Source::default()
        }
    }
}

fn config_map(name: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n")
}

fn repositories() -> (tempfile::TempDir, Repositories) {
    let directory = tempfile::tempdir().unwrap();
    let repositories = Repositories::new(PathBuf::from(directory.path()));
    (directory, repositories)
}

async fn render(repositories: &Repositories, source: &Source) -> Result<SourceRender, RepoError> {
    one(repositories, Ask::plain(vec![source.clone()])).await
}

async fn one(repositories: &Repositories, ask: Ask) -> Result<SourceRender, RepoError> {
    repositories.render(&ask).await.remove(0)
}

fn names(render: &SourceRender) -> Vec<String> {
    render
        .rendered
        .objects
        .iter()
        .map(|o| o.object.name().to_owned())
        .collect()
}

fn message(result: Result<SourceRender, RepoError>) -> String {
    result.map(|_| "rendered".to_owned()).unwrap_or_else(|e| e.to_string())
}

#[tokio::test]
async fn every_sort_of_revision_finds_its_commit() {
    let upstream = Upstream::new();
    let first = upstream.commit(&[("app/a.yaml", &config_map("one"))]);
    upstream.git(&["tag", "v1.0.0"]);
    upstream.git(&["tag", "--annotate", "--message", "x", "v1.1.0"]);
    upstream.git(&["checkout", "--quiet", "-b", "side"]);
    let side = upstream.commit(&[("app/a.yaml", &config_map("side"))]);
    upstream.git(&["checkout", "--quiet", "main"]);
    let second = upstream.commit(&[("app/a.yaml", &config_map("two"))]);

    let (_directory, repositories) = repositories();
    for (revision, commit, name) in [
        ("", &second, "two"),
        ("HEAD", &second, "two"),
        ("main", &second, "two"),
        ("refs/heads/side", &side, "side"),
        ("v1.0.0", &first, "one"),
        ("1.x", &first, "one"),
        (&first, &first, "one"),
        (&side[..8], &side, "side"),
    ] {
        let got = render(&repositories, &upstream.source("app", revision)).await.unwrap();
        assert_eq!(
            (&got.revision, names(&got)),
            (commit, vec![name.to_owned()]),
            "{revision:?}"
        );
    }
    let unknown = message(render(&repositories, &upstream.source("app", "mian")).await);
    assert!(unknown.contains("did you mean \"main\""), "{unknown}");
    let nowhere = message(render(&repositories, &upstream.source("app", &"0".repeat(40))).await);
    assert!(nowhere.contains("unable to resolve"), "{nowhere}");
}

#[tokio::test]
async fn a_commit_renders_only_what_it_touched_and_is_fetched_once() {
    let upstream = Upstream::new();
    let files: Vec<(String, String)> = (0..20)
        .map(|n| (format!("apps/{n}/a.yaml"), config_map(&format!("m{n}"))))
        .collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(p, c)| (p.as_str(), c.as_str())).collect();
    upstream.commit(&files);
    let (_directory, repositories) = repositories();
    let all = async |hint: Instant| {
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..20 {
            let (repositories, source) = (repositories.clone(), upstream.source(&format!("apps/{n}"), "main"));
            tasks.spawn(async move {
                let mut ask = Ask::plain(vec![source]);
                ask.not_before = hint;
                one(&repositories, ask).await.unwrap().revision
            });
        }
        let revisions: std::collections::BTreeSet<String> = tasks.join_all().await.into_iter().collect();
        revisions
    };
    let before = repositories.counts();
    assert_eq!(all(Instant::now()).await.len(), 1);
    let after = repositories.counts();
    assert_eq!(
        (
            after.ls_remotes - before.ls_remotes,
            after.fetches - before.fetches,
            after.renders - before.renders
        ),
        (1, 1, 20)
    );

    let commit = upstream.commit(&[("apps/7/a.yaml", &config_map("new"))]);
    let before = repositories.counts();
    assert_eq!(all(Instant::now()).await.into_iter().collect::<Vec<_>>(), [commit]);
    let after = repositories.counts();
    assert_eq!(
        (
            after.ls_remotes - before.ls_remotes,
            after.fetches - before.fetches,
            after.renders - before.renders
        ),
        (1, 1, 1)
    );

    upstream.commit(&[("README.md", "hello")]);
    let before = repositories.counts();
    all(Instant::now()).await;
    let after = repositories.counts();
    assert_eq!(
        (
            after.ls_remotes - before.ls_remotes,
            after.fetches - before.fetches,
            after.renders - before.renders
        ),
        (1, 1, 0)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_asks_the_same_at_once_shares_one_render() {
    let upstream = Upstream::new();
    let overlay = "resources: [a.yaml]\nnamePrefix: x-\n";
    let chart = "{kind: ConfigMap, apiVersion: v1, metadata: {name: '{{ .Release.Name }}'}}\n";
    upstream.commit(&[
        ("plain/a.yaml", &config_map("a")),
        ("overlay/a.yaml", &config_map("a")),
        ("overlay/kustomization.yaml", overlay),
        ("chart/Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n"),
        ("chart/templates/a.yaml", chart),
    ]);
    let (_directory, repositories) = repositories();
    // A manifest is no one's; what a chart says depends on its release, so each application has its own.
    for (path, applications, renders) in [("plain", 40, 1), ("overlay", 40, 1), ("chart", 10, 10)] {
        let before = repositories.counts().renders;
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..applications {
            let mut ask = Ask::plain(vec![upstream.source(path, "main")]);
            ask.app.name = format!("app-{n}");
            ask.app.instance = ask.app.name.clone();
            let repositories = repositories.clone();
            tasks.spawn(async move { names(&one(&repositories, ask).await.unwrap()) });
        }
        let mut seen = tasks.join_all().await;
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), renders, "{path}: {seen:?}");
        assert_eq!(repositories.counts().renders - before, renders as u64, "{path}");
    }
}

#[tokio::test]
async fn a_commit_without_its_trees_is_not_taken_for_one_that_is_here() {
    let upstream = Upstream::new();
    upstream.commit(&[("app/a.yaml", &config_map("one"))]);
    let (directory, repositories) = repositories();
    render(&repositories, &upstream.source("app", "main")).await.unwrap();
    let commit = upstream.commit(&[("app/a.yaml", &config_map("two"))]);
    // As a fetch looks while it is under way, or after it was killed: Git writes commits first.
    let store = std::fs::read_dir(directory.path().join("git")).unwrap().next().unwrap();
    let object = format!("objects/{}/{}", &commit[..2], &commit[2..]);
    let here = store.unwrap().path().join(&object);
    std::fs::create_dir_all(here.parent().unwrap()).unwrap();
    std::fs::copy(upstream.path().join(".git").join(&object), here).unwrap();
    let fetches = repositories.counts().fetches;
    let got = render(&repositories, &upstream.source("app", &commit)).await.unwrap();
    assert_eq!((&got.revision, names(&got)), (&commit, vec!["two".to_owned()]));
    assert_eq!(repositories.counts().fetches, fetches + 1);
}

#[tokio::test]
async fn a_force_push_is_followed() {
    let upstream = Upstream::new();
    upstream.commit(&[("app/a.yaml", &config_map("one"))]);
    let (_directory, repositories) = repositories();
    render(&repositories, &upstream.source("app", "main")).await.unwrap();
    upstream.git(&["commit", "--quiet", "--amend", "--message", "rewritten"]);
    let rewritten = upstream.git(&["rev-parse", "HEAD"]);
    assert_eq!(
        render(&repositories, &upstream.source("app", "main"))
            .await
            .unwrap()
            .revision,
        rewritten
    );
}

#[tokio::test]
async fn bad_places_are_named() {
    let upstream = Upstream::new();
    upstream.commit(&[("app/a.yaml", &config_map("one"))]);
    let (directory, repositories) = repositories();
    let missing = render(&repositories, &upstream.source("nope", "main")).await.unwrap();
    assert!(!missing.rendered.is_complete());
    let outside = message(render(&repositories, &upstream.source("../../etc", "main")).await);
    assert!(outside.contains("above the root"), "{outside}");
    let mut source = upstream.source("app", "main");
    source.repo_url = format!("file://{}/nothing-here", directory.path().display());
    let unreachable = message(render(&repositories, &source).await);
    assert!(unreachable.contains("listing the refs"), "{unreachable}");
    source.repo_url = "ext::sh".into();
    assert!(message(render(&repositories, &source).await).contains("remote helper"));
}

#[tokio::test]
async fn what_a_killed_git_left_behind_is_swept() {
    let upstream = Upstream::new();
    let commit = upstream.commit(&[("app/a.yaml", &config_map("one"))]);
    let directory = tempfile::tempdir().unwrap();
    let first = Repositories::new(directory.path().to_owned());
    render(&first, &upstream.source("app", "main")).await.unwrap();
    let store = std::fs::read_dir(directory.path().join("git"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    std::fs::write(store.join("objects/pack/tmp_pack_abc"), b"half").unwrap();
    std::fs::write(store.join("packed-refs.lock"), b"").unwrap();
    let again = Repositories::new(directory.path().to_owned());
    assert_eq!(
        render(&again, &upstream.source("app", &commit)).await.unwrap().revision,
        commit
    );
    assert!(!store.join("packed-refs.lock").exists());
    assert_eq!(again.counts().fetches, 0, "a restart does not fetch what is there");
}

/// Answers every request with text that does not end, and counts what was taken of it.
async fn endless(taken: std::sync::Arc<std::sync::atomic::AtomicU64>) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/o/r.git", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let taken = std::sync::Arc::clone(&taken);
            tokio::spawn(async move {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let head = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\n\r\n";
                let piece = vec![b'x'; 1 << 20];
                let mut sent = stream.write_all(head).await;
                while sent.is_ok() {
                    taken.fetch_add(1 << 20, std::sync::atomic::Ordering::Relaxed);
                    sent = stream.write_all(&piece).await;
                }
            });
        }
    });
    url
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_sends_without_end_costs_bounded_memory() {
    let taken = std::sync::Arc::default();
    let url = endless(std::sync::Arc::clone(&taken)).await;
    let (_directory, repositories) = repositories();
    let source = Source {
        repo_url: url.clone(),
        path: ".".into(),
        ..Source::default()
    };
    let Err(error) = render(&repositories, &source).await else {
        panic!("text without end is no repository");
    };
    let said = format!(
        "{error}: {}",
        std::error::Error::source(&error)
            .map(ToString::to_string)
            .unwrap_or_default()
    );
    assert!(
        said.contains(&url) && said.contains("larger than any list of refs"),
        "{said}"
    );
    // Git keeps all that it is sent.
    let taken = taken.load(std::sync::atomic::Ordering::Relaxed);
    assert!(taken < 1 << 30, "{taken} bytes were taken");
}
