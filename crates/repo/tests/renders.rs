//! A restart remembers what was rendered: a new [`Repositories`] over the same directory of renders.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pintle_model::Sensitive;
use pintle_model::application::Source;
use pintle_model::value::to_json_string;
use pintle_render::AppIdentity;
use pintle_repo::git::LocalRepository;
use pintle_repo::url::place;
use pintle_repo::{Ask, Near, NearRepository, Repositories, RepositoryLimits};
use pintle_tests::checkout::git;
use tempfile::TempDir;

const URL: &str = "https://git.invalid/o/r.git";
/// Applications of [`World::new`].
const APPS: [&str; 3] = ["chart", "overlay", "plain"];

struct World {
    checkout: TempDir,
    renders: TempDir,
}

/// A process leaves no more renders from this application on.
const LAST: &str = "last";

/// What one process gave.
#[derive(Debug, PartialEq)]
struct Given {
    objects: Vec<String>,
    renders: u64,
}

impl World {
    /// A checkout with an application of each sort.
    fn new() -> Self {
        let world = Self {
            checkout: tempfile::tempdir().unwrap(),
            renders: tempfile::tempdir().unwrap(),
        };
        world.git(&["init", "--quiet", "--initial-branch=main", "."]);
        world.write("plain/x.yaml", &config("plain"));
        world.write("chart/Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n");
        world.write("chart/templates/x.yaml", &config("'{{ .Release.Name }}'"));
        world.write("base/x.yaml", &config("base"));
        world.write("base/kustomization.yaml", "resources: [x.yaml]\n");
        world.write(
            "overlay/kustomization.yaml",
            "resources: [../base]\nnamePrefix: prod-\n",
        );
        world.commit();
        world
    }

    fn git(&self, arguments: &[&str]) {
        git(self.checkout.path(), arguments).unwrap();
    }

    fn write(&self, path: &str, text: &str) {
        let file = self.checkout.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "change"]);
    }

    fn directory(&self) -> PathBuf {
        self.renders.path().join("renders")
    }

    fn files(&self) -> Vec<PathBuf> {
        let listing = std::fs::read_dir(self.directory()).unwrap();
        listing.map(|entry| entry.unwrap().path()).collect()
    }

    /// What a new process gives for applications at these paths.
    async fn start(&self, apps: &[&str]) -> Given {
        self.start_with(&self.directory(), apps, |_| {}).await
    }

    async fn start_with(&self, renders: &Path, apps: &[&str], change: impl Fn(&mut Ask)) -> Given {
        let scratch = tempfile::tempdir().unwrap();
        let limits = RepositoryLimits {
            renders: Some(renders.to_owned()),
            ..RepositoryLimits::default()
        };
        let repositories = Repositories::with_limits(scratch.path().to_owned(), limits);
        let near = Arc::new(Near {
            repositories: vec![NearRepository {
                repository: Arc::new(LocalRepository::open(self.checkout.path()).unwrap()),
                places: [place(URL)].into(),
                stand: None,
            }],
            offline: true,
        });
        let mut objects = Vec::new();
        for name in apps {
            let source = Source {
                repo_url: URL.into(),
                path: (*name).into(),
                ..Source::default()
            };
            let mut ask = Ask {
                near: Arc::clone(&near),
                app: AppIdentity {
                    name: (*name).into(),
                    instance: (*name).into(),
                    ..AppIdentity::default()
                },
                secret: Some(Arc::new(Sensitive::new(b"of the installation".to_vec()))),
                ..Ask::plain(vec![source])
            };
            change(&mut ask);
            if *name == LAST {
                repositories.leave_no_more_renders();
            }
            let given = repositories.render(&ask).await.pop().unwrap().unwrap();
            assert!(given.rendered.is_complete(), "{:?}", given.rendered.diagnostics);
            let all = given.rendered.objects.iter();
            objects.extend(all.map(|o| format!("{}:{} {}", o.path, o.line, to_json_string(o.object.value()))));
        }
        Given {
            objects,
            renders: repositories.counts().renders,
        }
    }
}

fn config(name: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{n: '1'}}\n")
}

#[tokio::test]
async fn a_restart_renders_only_what_was_touched() {
    let world = World::new();
    let first = world.start(&APPS).await;
    assert_eq!((first.objects.len(), first.renders), (3, 3));
    let again = world.start(&APPS).await;
    assert_eq!(again.objects, first.objects);
    assert_eq!(again.renders, 0);
    world.write("base/x.yaml", &config("changed"));
    world.write("README.md", "of no interest to anybody\n");
    world.commit();
    let touched = world.start(&APPS).await;
    assert_eq!(touched.renders, 1);
    assert!(touched.objects[1].contains("prod-changed"), "{touched:?}");
    assert_eq!(world.start(&APPS).await.renders, 0);
    // Fields beside the manifests that are this application's own, where what is kept is right for all.
    let own = "directory: {exclude: '{x.yaml,.argocd-source-plain.yaml}'}\n";
    world.write("plain/.argocd-source-plain.yaml", own);
    world.commit();
    let own = world.start(&APPS).await;
    assert_eq!((own.objects.len(), own.renders), (2, 1), "{own:?}");
    assert_eq!(world.start(&APPS).await, Given { renders: 0, ..own });
}

#[tokio::test]
async fn what_is_not_to_be_left_is_not() {
    let world = World::new();
    world.write("last/x.yaml", &config("last"));
    world.commit();
    let renders = async |apps: &[&str]| world.start(apps).await.renders;
    assert_eq!(renders(&["plain", LAST, "chart"]).await, 3);
    // What was left before is still taken.
    assert_eq!(renders(&[LAST, "plain"]).await, 1);
    assert_eq!(renders(&["plain", "chart"]).await, 1);
}

#[tokio::test]
async fn a_flipped_byte_anywhere_costs_one_render() {
    let world = World::new();
    let first = world.start(&APPS).await;
    let files = world.files();
    assert_eq!(files.len(), 3);
    for file in files {
        let whole = std::fs::read(&file).unwrap();
        // Head, nonce, body, tag.
        for at in [3, 40, 75, whole.len() / 2, whole.len() - 1] {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x10;
            std::fs::write(&file, damaged).unwrap();
            let given = world.start(&APPS).await;
            assert_eq!((&given.objects, given.renders), (&first.objects, 1), "byte {at}");
            assert_eq!(world.start(&APPS).await.renders, 0, "byte {at}");
        }
    }
    std::fs::remove_dir_all(world.directory()).unwrap();
    let given = world.start(&APPS).await;
    assert_eq!((given.objects, given.renders), (first.objects, 3));
}

#[tokio::test]
async fn what_is_secret_never_reaches_the_disk() {
    let world = World::new();
    world.write(
        "secret/x.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {p: canary}\n",
    );
    world.write(
        "generated/kustomization.yaml",
        "secretGenerator: [{name: s, literals: [p=canary]}]\n",
    );
    world.write("random/Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n");
    world.write("random/templates/x.yaml", &config("x{{ randAlphaNum 8 | lower }}"));
    world.commit();
    let secrets = ["secret", "generated", "random"];
    let first = world.start(&secrets).await;
    assert_eq!((first.objects.len(), first.renders), (3, 3));
    assert_eq!(world.files(), Vec::<PathBuf>::new());
    let again = world.start(&secrets).await;
    assert_eq!(again, first);
    // What is kept cannot be read by who has the disk alone.
    world.start(&["plain"]).await;
    let kept = std::fs::read(&world.files()[0]).unwrap();
    assert!(!kept.windows(9).any(|w| w == b"ConfigMap"));
}

#[tokio::test]
async fn another_question_is_not_answered() {
    let world = World::new();
    let renders =
        async |change: &dyn Fn(&mut Ask)| world.start_with(&world.directory(), &["chart"], change).await.renders;
    let as_it_is = |_: &mut Ask| {};
    assert_eq!((renders(&as_it_is).await, renders(&as_it_is).await), (1, 0));
    // Each is another one, and known from then on.
    let other_app = |ask: &mut Ask| ask.app.name = "other".into();
    assert_eq!((renders(&other_app).await, renders(&other_app).await), (1, 0));
    let other_cluster = |ask: &mut Ask| {
        let mut capabilities = pintle_render::helm::Capabilities::default();
        capabilities.api_versions.push("x.example/v1".into());
        ask.capabilities = Arc::new(capabilities);
    };
    assert_eq!((renders(&other_cluster).await, renders(&other_cluster).await), (1, 0));
    let other_secret = |ask: &mut Ask| ask.secret = Some(Arc::new(Sensitive::new(b"of another".to_vec())));
    assert_eq!((renders(&other_secret).await, renders(&other_secret).await), (1, 0));
    // Without a secret nothing can be trusted to be ours.
    let no_secret = |ask: &mut Ask| ask.secret = None;
    assert_eq!((renders(&no_secret).await, renders(&no_secret).await), (1, 1));
    // The last one for the other cluster took the place of the first.
    assert_eq!((renders(&as_it_is).await, renders(&as_it_is).await), (1, 0));
}

#[tokio::test]
async fn a_directory_that_cannot_be_written_costs_renders_only() {
    let world = World::new();
    let file = tempfile::NamedTempFile::new().unwrap();
    for _ in 0..2 {
        let given = world.start_with(&file.path().join("renders"), &APPS, |_| {}).await;
        assert_eq!((given.objects.len(), given.renders), (3, 3));
    }
}
