//! The services against the embedded control plane, without a controller: the test plays its part where one is needed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests: they fail by panicking"
)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt as _;
use pintle_cluster::Cluster;
use pintle_engine::effect::ClusterId;
use pintle_engine::record::PatchType;
use pintle_engine::track::Tracking;
use pintle_kubesim::{Clock, GroupResource, KubeSim};
use pintle_model::annotation::{FINALIZER, FINALIZER_BACKGROUND, REFRESH, Refresh};
use pintle_model::application::{Application, OperationPhase, OperationState, RevisionHistory, SyncPolicy};
use pintle_model::project::AppProject;
use pintle_model::{Object, Sensitive, Value, to_json_string, yaml_objects};
use pintle_server::api::{
    Answer, AppRef, ApplicationQuery, ApplicationService, DeleteRequest, EventsQuery, ManifestSource, PatchRequest,
    ProjectService, RefreshRequest, RenderedManifests, RepoAccess, Repository, RepositoryService,
    ResourceDeleteRequest, ResourcesQuery, RollbackRequest, SyncRequest, WatchKind,
};
use pintle_server::cluster_store::ClusterStore;
use pintle_server::store::Store;
use pintle_server::{ApiError, ClusterLiveState, Code, Core, CoreConfig, Parts};
use tokio::time::timeout;

const WITHIN: Duration = Duration::from_secs(20);

/// What every source renders to, or the error; and repositories whose URL has `broken` in it do not answer.
#[derive(Clone, Default)]
struct Rendered(Arc<Mutex<String>>);

impl ManifestSource for Rendered {
    fn manifests<'a>(&'a self, app: &'a Application, _: &'a [String]) -> Answer<'a, RenderedManifests> {
        Box::pin(async move {
            if app.spec.effective_sources().iter().any(|s| s.path == "missing") {
                return Err(ApiError::precondition("missing: app path does not exist"));
            }
            let text = self.0.lock().unwrap().clone();
            let objects = yaml_objects(&text).into_iter().map(|o| o.result.unwrap()).collect();
            Ok(RenderedManifests {
                objects,
                revisions: vec!["f".repeat(40)],
            })
        })
    }
}

impl RepoAccess for Rendered {
    fn check<'a>(&'a self, repository: &'a Repository) -> Answer<'a, ()> {
        Box::pin(async move {
            if repository.repo.contains("broken") {
                Err(ApiError::new(Code::Unavailable, "no answer"))
            } else {
                Ok(())
            }
        })
    }
}

struct World {
    sim: KubeSim,
    core: Core,
    rendered: Rendered,
}

impl World {
    async fn new() -> Self {
        let sim = KubeSim::new(Clock::real(), 1);
        sim.settle();
        for crd in [
            include_str!("../../../manifests/crds/application-crd.yaml"),
            include_str!("../../../manifests/crds/appproject-crd.yaml"),
        ] {
            for object in yaml_objects(crd) {
                create(
                    &sim,
                    "apiextensions.k8s.io",
                    "customresourcedefinitions",
                    object.result.unwrap(),
                );
            }
        }
        for namespace in ["argocd", "dev"] {
            let text = format!("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {namespace}\n");
            create(&sim, "", "namespaces", yaml_objects(&text).remove(0).result.unwrap());
        }
        sim.settle();
        let running = sim.clone();
        tokio::spawn(async move { running.run().await });
        let client = kube::Client::new(sim.service(), "argocd");
        let cluster = Cluster::from_client(ClusterId::in_cluster(), "https://kubesim", client, "test");
        let store: Arc<dyn Store> = Arc::new(ClusterStore::new(cluster));
        let rendered = Rendered::default();
        let parts = Parts {
            store: Arc::clone(&store),
            live: Arc::new(ClusterLiveState::new(store, Tracking::default())),
            manifests: Arc::new(rendered.clone()),
            repositories: Arc::new(rendered.clone()),
        };
        let config = CoreConfig {
            control_namespace: "argocd".into(),
            username: "ada".into(),
            tracking: Tracking::default(),
        };
        Self {
            core: Core::new(parts, config),
            sim,
            rendered,
        }
    }

    fn apps(&self) -> &dyn ApplicationService {
        &self.core
    }

    async fn create(&self, app: Application) -> Application {
        self.apps().create(app, false, true).await.expect("created")
    }

    fn stored(&self, name: &str) -> Application {
        Application::from_object(&self.get("argoproj.io", "applications", "argocd", name).expect("stored")).unwrap()
    }

    fn get(&self, group: &str, plural: &str, namespace: &str, name: &str) -> Option<Object> {
        self.sim
            .store()
            .get(&GroupResource::new(group, plural), namespace, name)
            .ok()
    }

    /// Writes an Application as the controller would.
    fn control(&self, name: &str, change: impl Fn(&mut Application)) {
        let resource = GroupResource::new("argoproj.io", "applications");
        for _ in 0..20 {
            let mut app = self.stored(name);
            change(&mut app);
            if self.sim.store().update(&resource, app.to_object()).is_ok() {
                return;
            }
        }
        panic!("could not write {name}");
    }
}

fn create(sim: &KubeSim, group: &str, plural: &str, object: Object) {
    if let Err(e) = sim.store().create(&GroupResource::new(group, plural), object) {
        panic!("{e}");
    }
}

fn application(name: &str) -> Application {
    let text = format!(
        r#"{{"apiVersion":"argoproj.io/v1alpha1","kind":"Application","metadata":{{"name":"{name}"}},"spec":{{"project":"default",
            "source":{{"repoURL":"https://git/shop","path":"dev"}},
            "destination":{{"server":"https://kubernetes.default.svc","namespace":"dev"}}}}}}"#
    );
    Application::from_object(&Object::from_json(text.as_bytes()).ok().unwrap()).unwrap()
}

fn at() -> Option<pintle_model::Time> {
    "2026-01-02T03:04:05Z".parse().ok()
}

fn state(phase: OperationPhase) -> OperationState {
    OperationState {
        phase,
        started_at: at(),
        ..OperationState::default()
    }
}

fn code<T>(answer: Result<T, ApiError>) -> (Code, String) {
    match answer {
        Ok(_) => panic!("expected an error"),
        Err(e) => (e.code, format!("{} | {}", e.message, e.hint.unwrap_or_default())),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn applications_are_created_once_and_replaced_only_when_asked() {
    let world = World::new().await;
    let made = world.create(application("shop-dev")).await;
    assert_eq!(made.metadata.namespace, "argocd");
    // The project `default` is made on the way.
    assert!(world.get("argoproj.io", "appprojects", "argocd", "default").is_some());

    // Equal: as it is. Different: refused, then replaced; operation and status stay.
    assert_eq!(world.create(application("shop-dev")).await, made);
    world.control("shop-dev", |app| app.status.sync.revision = "abc".into());
    let mut other = application("shop-dev");
    other.spec.source.as_mut().unwrap().path = "other".into();
    let refused = code(world.apps().create(other.clone(), false, true).await);
    assert_eq!(refused.0, Code::InvalidArgument);
    assert!(
        refused
            .1
            .starts_with("existing application spec is different, use upsert flag to force update"),
        "{}",
        refused.1
    );
    let replaced = world.apps().create(other, true, true).await.expect("upserted");
    assert_eq!(
        (
            replaced.spec.sources()[0].path.as_str(),
            replaced.status.sync.revision.as_str()
        ),
        ("other", "abc")
    );

    // What cannot be acted on is refused with every reason.
    let mut nowhere = application("b");
    nowhere.spec.destination = Default::default();
    assert!(
        code(world.apps().create(nowhere, false, true).await)
            .1
            .contains("Destination server missing from app spec")
    );
    let mut stranger = application("b");
    stranger.spec.project = "none".into();
    let said = code(world.apps().create(stranger, false, true).await).1;
    assert!(
        said.contains("references project none which does not exist") && said.contains("proj create none"),
        "{said}"
    );
    let mut missing = application("b");
    missing.spec.source.as_mut().unwrap().path = "missing".into();
    let said = code(world.apps().create(missing.clone(), false, true).await).1;
    assert!(
        said.contains("Unable to generate manifests in missing: missing: app path does not exist"),
        "{said}"
    );
    world
        .apps()
        .create(missing, false, false)
        .await
        .expect("without validation");

    let said = code(world.apps().get(AppRef::named("shop-dve"), None).await);
    assert_eq!(said.0, Code::NotFound);
    assert!(said.1.ends_with("Did you mean \"shop-dev\"?"), "{}", said.1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_is_started_once_and_clears_the_last_one() {
    let world = World::new().await;
    world.create(application("a")).await;
    world.control("a", |app| {
        app.status.operation_state = Some(state(OperationPhase::Succeeded));
    });
    let request = SyncRequest {
        app: AppRef::named("a"),
        revision: "v1".into(),
        prune: true,
        ..SyncRequest::default()
    };
    let started = world.apps().sync(request.clone()).await.expect("started");
    let operation = started.operation.clone().expect("an operation");
    assert_eq!(operation.initiated_by.username, "ada");
    let sync = operation.sync.expect("a sync");
    assert_eq!((sync.revision.as_str(), sync.prune), ("v1", true));
    assert_eq!(
        started.status.operation_state, None,
        "the last one is cleared in the same write"
    );

    let refused = code(world.apps().sync(request).await);
    assert_eq!(refused.0, Code::FailedPrecondition);
    assert!(
        refused.1.starts_with("another operation is already in progress"),
        "{}",
        refused.1
    );

    // Nothing runs yet, so there is nothing to stop; once the controller has taken it up, there is.
    assert_eq!(
        code(world.apps().terminate_operation(AppRef::named("a")).await).0,
        Code::InvalidArgument
    );
    world.control("a", |app| {
        app.status.operation_state = Some(state(OperationPhase::Running));
    });
    world
        .apps()
        .terminate_operation(AppRef::named("a"))
        .await
        .expect("terminated");
    assert_eq!(
        world.stored("a").status.operation_state.unwrap().phase,
        OperationPhase::Terminating
    );

    let events = world
        .apps()
        .list_resource_events(EventsQuery {
            app: AppRef::named("a"),
            ..EventsQuery::default()
        })
        .await;
    let events: Vec<String> = events
        .expect("events")
        .into_iter()
        .map(|e| format!("{}: {}", e.reason, e.message))
        .collect();
    assert!(
        events.contains(&"OperationStarted: ada initiated sync to v1".to_owned()),
        "{events:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_writes_of_the_controller_do_not_lose_an_operation() {
    let world = Arc::new(World::new().await);
    world.create(application("a")).await;
    let busy = Arc::clone(&world);
    let writer = tokio::spawn(async move {
        for n in 0..60 {
            busy.control("a", |app| app.status.sync.revision = format!("r{n}"));
            tokio::task::yield_now().await;
        }
    });
    // The bound may be reached when every attempt loses; then it says so, and asking again is right.
    let mut answer = world
        .apps()
        .sync(SyncRequest {
            app: AppRef::named("a"),
            ..SyncRequest::default()
        })
        .await;
    for _ in 0..20 {
        match answer {
            Err(ref e) if e.code == Code::Aborted => {}
            _ => break,
        }
        answer = world
            .apps()
            .sync(SyncRequest {
                app: AppRef::named("a"),
                ..SyncRequest::default()
            })
            .await;
    }
    answer.expect("started");
    writer.await.unwrap();
    let stored = world.stored("a");
    assert!(stored.operation.is_some());
    assert_eq!(
        stored.status.sync.revision, "r59",
        "and it undid nothing of the controller's"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn automated_applications_go_where_their_source_says() {
    let world = World::new().await;
    let mut app = application("a");
    app.spec.sync_policy = Some(SyncPolicy {
        automated: Some(Default::default()),
        ..SyncPolicy::default()
    });
    world.create(app).await;
    let elsewhere = SyncRequest {
        app: AppRef::named("a"),
        revision: "v1".into(),
        ..SyncRequest::default()
    };
    let refused = code(world.apps().sync(elsewhere.clone()).await);
    assert!(
        refused
            .1
            .starts_with("Cannot sync to v1: auto-sync currently set to HEAD"),
        "{}",
        refused.1
    );
    let rollback = RollbackRequest {
        app: AppRef::named("a"),
        ..RollbackRequest::default()
    };
    assert_eq!(
        code(world.apps().rollback(rollback.clone()).await).0,
        Code::FailedPrecondition
    );
    world
        .apps()
        .sync(SyncRequest {
            dry_run: true,
            ..elsewhere
        })
        .await
        .expect("a dry run may look anywhere");

    let off = PatchRequest {
        app: AppRef::named("a"),
        patch: r#"[{"op":"remove","path":"/spec/syncPolicy"}]"#.into(),
        patch_type: PatchType::Json,
    };
    world.apps().patch(off).await.expect("patched");
    world.control("a", |app| {
        app.operation = None;
        app.status.history = [(4, "one"), (5, "two")]
            .map(|(id, revision)| RevisionHistory {
                id,
                revision: revision.into(),
                deployed_at: at(),
                ..RevisionHistory::default()
            })
            .into();
    });
    let back = world.apps().rollback(rollback).await.expect("rolled back");
    assert_eq!(back.operation.unwrap().sync.unwrap().revision, "one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_waits_for_the_controller_and_not_for_ever() {
    let world = Arc::new(World::new().await);
    world.create(application("a")).await;
    let ask = |millis| {
        Some(RefreshRequest {
            kind: Refresh::Hard,
            wait: Duration::from_millis(millis),
        })
    };
    let nobody = code(world.apps().get(AppRef::named("a"), ask(200)).await);
    assert_eq!(nobody.0, Code::DeadlineExceeded);
    assert_eq!(world.stored("a").metadata.annotation(REFRESH), Some("hard"));

    let controller = Arc::clone(&world);
    world.control("a", |app| {
        app.metadata.annotations.clear();
    });
    tokio::spawn(async move {
        while controller.stored("a").metadata.annotation(REFRESH).is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        controller.control("a", |app| {
            app.metadata.annotations.remove(REFRESH);
            app.status.sync.revision = "looked".into();
        });
    });
    let seen = world
        .apps()
        .get(AppRef::named("a"), ask(20_000))
        .await
        .expect("refreshed");
    assert_eq!(seen.status.sync.revision, "looked");
}

#[tokio::test(flavor = "multi_thread")]
async fn deletion_cascades_as_asked() {
    let world = World::new().await;
    let ask = |name: &str, cascade, policy: &str| DeleteRequest {
        app: AppRef::named(name),
        cascade,
        propagation_policy: policy.into(),
    };
    for (name, cascade, policy, finalizers) in [
        ("a", true, "", vec![FINALIZER]),
        ("b", true, "Background", vec![FINALIZER_BACKGROUND]),
    ] {
        world.create(application(name)).await;
        world.apps().delete(ask(name, cascade, policy)).await.expect("deleted");
        let left = world.stored(name);
        assert_eq!(left.metadata.finalizers, finalizers);
        assert!(left.metadata.deletion_timestamp.is_some());
        let sync = world
            .apps()
            .sync(SyncRequest {
                app: AppRef::named(name),
                ..SyncRequest::default()
            })
            .await;
        assert!(code(sync).1.starts_with("application is deleting"));
    }
    let mut app = application("c");
    app.metadata.finalizers = vec![FINALIZER.into()];
    world.create(app).await;
    assert_eq!(
        code(world.apps().delete(ask("c", true, "orphan")).await).0,
        Code::InvalidArgument
    );
    world.apps().delete(ask("c", false, "")).await.expect("deleted");
    assert!(
        world.get("argoproj.io", "applications", "argocd", "c").is_none(),
        "gone at once, leaving its objects"
    );
}

const MANIFESTS: &str = "
apiVersion: v1
kind: ConfigMap
metadata: {name: web}
data: {color: blue}
---
apiVersion: v1
kind: Secret
metadata: {name: key}
stringData: {token: CANARY-NEW}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: hook, annotations: {argocd.argoproj.io/hook: PreSync}}
";

#[tokio::test(flavor = "multi_thread")]
async fn differences_are_shown_and_secrets_are_not() {
    let world = World::new().await;
    *world.rendered.0.lock().unwrap() = MANIFESTS.into();
    world.create(application("a")).await;
    for (plural, text) in [
        (
            "configmaps",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web, namespace: dev}\ndata: {color: red, theirs: x}\n",
        ),
        (
            "secrets",
            "apiVersion: v1\nkind: Secret\nmetadata: {name: key, namespace: dev}\ndata: {token: Q0FOQVJZLU9MRA==}\n",
        ),
        (
            "configmaps",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: left, namespace: dev}\n",
        ),
    ] {
        create(&world.sim, "", plural, yaml_objects(text).remove(0).result.unwrap());
    }
    world.control("a", |app| {
        let left = r#"[{"kind":"ConfigMap","namespace":"dev","name":"left","version":"v1","requiresPruning":true}]"#;
        let mut object = app.to_object();
        object.value_mut().set_at(
            &["status", "resources"],
            Value::from_json(left.as_bytes()).ok().unwrap(),
        );
        *app = Application::from_object(&object).unwrap();
    });
    let query = ResourcesQuery {
        app: AppRef::named("a"),
        ..ResourcesQuery::default()
    };
    let items = world.apps().managed_resources(query.clone()).await.expect("diffs");
    let said: Vec<String> = items
        .iter()
        .map(|i| format!("{} {} {} {}", i.key, i.modified, i.hook, i.target.is_some()))
        .collect();
    assert_eq!(
        said,
        [
            "/ConfigMap/dev/hook true true true",
            "/ConfigMap/dev/left true false false",
            "/ConfigMap/dev/web true false true",
            "/Secret/dev/key true false true"
        ]
    );
    let web = &items[2];
    let text = |masked: &Option<pintle_model::Masked>| to_json_string(masked.as_ref().unwrap().value());
    assert!(
        text(&web.predicted_live).contains(r#""data":{"color":"blue","theirs":"x"}"#),
        "{}",
        text(&web.predicted_live)
    );
    assert!(
        text(&web.target).contains("a:/ConfigMap:dev/web"),
        "the target carries the mark: {}",
        text(&web.target)
    );
    for masked in [
        &items[3].target,
        &items[3].live,
        &items[3].predicted_live,
        &items[3].normalized_live,
    ] {
        let shown = text(masked);
        assert!(!shown.contains("CANARY") && !shown.contains("Q0FOQVJZ"), "{shown}");
    }
    assert_ne!(
        text(&items[3].predicted_live),
        text(&items[3].normalized_live),
        "that it differs is shown"
    );

    let manifests = world
        .apps()
        .manifests(AppRef::named("a"), Vec::new())
        .await
        .expect("manifests");
    assert_eq!(manifests.manifests.len(), 3);
    assert!(manifests.manifests.iter().all(|m| !m.to_string().contains("CANARY")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tree_is_what_came_of_the_managed_objects_and_only_that_is_deleted() {
    let world = World::new().await;
    world.create(application("a")).await;
    let config = |name: &str, extra: &str| {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: dev{extra}}}\n")
    };
    create(
        &world.sim,
        "",
        "configmaps",
        yaml_objects(&config("root", "")).remove(0).result.unwrap(),
    );
    let uid = world.get("", "configmaps", "dev", "root").unwrap().uid().to_owned();
    let owned = format!(", ownerReferences: [{{apiVersion: v1, kind: ConfigMap, name: root, uid: {uid}}}]");
    for text in [config("child", &owned), config("stranger", "")] {
        create(
            &world.sim,
            "",
            "configmaps",
            yaml_objects(&text).remove(0).result.unwrap(),
        );
    }
    world.control("a", |app| {
        let root = r#"[{"kind":"ConfigMap","namespace":"dev","name":"root","version":"v1"}]"#;
        let mut object = app.to_object();
        object.value_mut().set_at(
            &["status", "resources"],
            Value::from_json(root.as_bytes()).ok().unwrap(),
        );
        *app = Application::from_object(&object).unwrap();
    });
    let query = ResourcesQuery {
        app: AppRef::named("a"),
        ..ResourcesQuery::default()
    };
    let tree = world.apps().resource_tree(query).await.expect("a tree");
    let names: Vec<String> = tree
        .nodes
        .iter()
        .map(|n| {
            format!(
                "{} < {}",
                n.reference.key.name,
                n.parents.iter().map(|p| &*p.key.name).collect::<String>()
            )
        })
        .collect();
    assert_eq!(names, ["child < root", "root < "]);
    assert_eq!(tree.unreadable, Vec::<String>::new());

    let delete = |name: &str| ResourceDeleteRequest {
        app: AppRef::named("a"),
        key: pintle_model::ResourceKey::new("", "ConfigMap", "dev", name),
        version: "v1".into(),
        force: true,
        orphan: false,
    };
    assert_eq!(
        code(world.apps().delete_resource(delete("stranger")).await).0,
        Code::NotFound
    );
    world.apps().delete_resource(delete("child")).await.expect("deleted");
    assert!(
        world.get("", "configmaps", "dev", "child").is_none()
            && world.get("", "configmaps", "dev", "stranger").is_some()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_begins_with_what_is_there_and_tells_changes_once() {
    let world = World::new().await;
    world.create(application("a")).await;
    let mut labelled = application("b");
    labelled.metadata.labels.insert("team".into(), "shop".into());
    world.create(labelled).await;
    let query = ApplicationQuery {
        selector: "team=shop".into(),
        ..ApplicationQuery::default()
    };
    let listed = world.apps().list(query.clone()).await.expect("listed");
    assert_eq!(
        listed.iter().map(|a| a.metadata.name.as_str()).collect::<Vec<_>>(),
        ["b"]
    );
    let mut events = world.apps().watch(query).await.expect("a watch");
    let mut next = async || {
        let event = timeout(WITHIN, events.next())
            .await
            .expect("in time")
            .expect("an event")
            .expect("no error");
        (event.0, event.1.metadata.name)
    };
    assert_eq!(next().await, (WatchKind::Added, "b".to_owned()));
    world.control("a", |app| {
        app.metadata.labels.insert("team".into(), "shop".into());
    });
    assert_eq!(next().await, (WatchKind::Added, "a".to_owned()));
    world.control("b", |app| app.status.sync.revision = "x".into());
    assert_eq!(next().await, (WatchKind::Modified, "b".to_owned()));
    world.control("b", |app| app.metadata.labels.clear());
    assert_eq!(
        next().await,
        (WatchKind::Deleted, "b".to_owned()),
        "it left the selection"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn projects_are_kept_while_they_are_used() {
    let world = World::new().await;
    let projects: &dyn ProjectService = &world.core;
    let mut shop = AppProject::allow_all("argocd");
    shop.metadata.name = "shop".into();
    projects.create(shop.clone(), false).await.expect("created");
    projects
        .create(shop.clone(), false)
        .await
        .expect("an equal one is fine");
    shop.spec.description = "the shop".into();
    assert_eq!(
        code(projects.create(shop.clone(), false).await).0,
        Code::InvalidArgument
    );
    projects.create(shop, true).await.expect("upserted");
    let mut app = application("a");
    app.spec.project = "shop".into();
    world.create(app).await;
    let refused = code(projects.delete("shop".into()).await).1;
    assert!(
        refused.starts_with("project is referenced by 1 applications"),
        "{refused}"
    );
    world
        .apps()
        .delete(DeleteRequest {
            app: AppRef::named("a"),
            cascade: false,
            propagation_policy: String::new(),
        })
        .await
        .expect("deleted");
    projects.delete("shop".into()).await.expect("deleted");
    assert_eq!(code(projects.get("shop".into()).await).0, Code::NotFound);
    assert_eq!(code(projects.delete("default".into()).await).0, Code::InvalidArgument);
}

#[tokio::test(flavor = "multi_thread")]
async fn repositories_are_secrets_and_their_secrets_stay_there() {
    let world = World::new().await;
    let repositories: &dyn RepositoryService = &world.core;
    let shop = |password: &str| Repository {
        repo: "https://git/shop".into(),
        username: "ada".into(),
        password: Some(Sensitive::new(password.to_owned())),
        ..Repository::default()
    };
    let added = repositories.create(shop("CANARY"), false).await.expect("added");
    assert_eq!(added.password.map(|p| p.expose().clone()), Some(String::new()));
    let secret = || {
        let found = world
            .sim
            .store()
            .list(&GroupResource::new("", "secrets"), Some("argocd"));
        found
            .objects
            .into_iter()
            .find(|s| s.label("argocd.argoproj.io/secret-type") == Some("repository"))
            .expect("a Secret")
    };
    assert_eq!(secret().value().str_at(&["data", "password"]), Some("Q0FOQVJZ"));
    assert!(secret().name().starts_with("repo-"));

    repositories
        .create(shop("CANARY"), false)
        .await
        .expect("an equal one is fine");
    assert_eq!(
        code(repositories.create(shop("OTHER"), false).await).0,
        Code::InvalidArgument
    );
    repositories.create(shop("OTHER"), true).await.expect("upserted");
    assert_eq!(secret().value().str_at(&["data", "password"]), Some("T1RIRVI="));
    let broken = Repository {
        repo: "https://git/broken".into(),
        ..Repository::default()
    };
    let said = code(repositories.create(broken, false).await).1;
    assert!(
        said.starts_with("error testing repository connectivity: no answer"),
        "{said}"
    );

    let listed = repositories.list(true).await.expect("listed");
    assert_eq!(
        (listed.len(), listed[0].connection.as_str(), listed[0].has_credentials()),
        (1, "Successful", true)
    );
    assert!(
        listed
            .iter()
            .all(|r| r.password.as_ref().is_none_or(|p| p.expose().is_empty()))
    );
    repositories
        .delete("https://git/shop.git".into(), String::new())
        .await
        .expect("deleted");
    assert_eq!(repositories.list(false).await.expect("listed"), Vec::new());
    assert_eq!(
        code(repositories.delete("https://git/shop".into(), String::new()).await).0,
        Code::NotFound
    );
}
