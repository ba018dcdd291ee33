//! What holds on every API server, whether real or simulated.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests: they fail by panicking"
)]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pintle_cluster::{Cluster, ClusterEvent, Clusters, Executor, LeaseGuard, ProjectVersionMap, Watcher};
use pintle_engine::app::project::{ClusterNames, Scope, permit};
use pintle_engine::{Action, ApplyMode, ClusterId, Effect, Outcome, Propagation};
use pintle_model::project::AppProject;
use pintle_model::{Gvk, Object, to_json_string};
use tokio::sync::mpsc;
use tokio::time::timeout;

pub const WITHIN: Duration = Duration::from_secs(60);

const DEPLOYMENT: &str = r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","namespace":"default"},
 "spec":{"replicas":1,"selector":{"matchLabels":{"app":"web"}},"template":{"metadata":{"labels":{"app":"web"}},
 "spec":{"containers":[{"name":"web","image":"shop/web:1.5","ports":[{"containerPort":80}],"env":[{"name":"A","value":"1"}]}]}}}}"#;

const SHOPS: &str = r#"{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"shops.example.com"},
 "spec":{"group":"example.com","scope":"Namespaced","names":{"plural":"shops","singular":"shop","kind":"Shop"},
 "versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","properties":
 {"spec":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}}}]}}"#;

/// Takes JSON, answers what kubectl says.
pub type KubectlApply = Box<dyn Fn(&str) -> String + Send + Sync>;

/// What differs between servers.
pub struct Server {
    /// `kubectl apply -f -` against the same server, where there is one.
    pub kubectl_apply: Option<KubectlApply>,
    /// Whether it has server-side apply.
    pub has_server_side_apply: bool,
    /// How many watchable kinds it serves at least.
    pub kinds: usize,
}

fn object(json: &str) -> Object {
    Object::from_json(json.as_bytes()).expect("test input is an object")
}

fn changed(json: &str, from: &str, to: &str) -> Object {
    assert!(json.contains(from), "{from}");
    object(&json.replace(from, to))
}

/// Effects on everything, permitted by a project that allows all.
struct Hand {
    executor: Executor,
    project: AppProject,
    cluster: Cluster,
}

impl Hand {
    fn new(cluster: &Cluster) -> Self {
        let projects = ProjectVersionMap::default();
        projects.set("default", "1");
        let mut project = AppProject::allow_all("argocd");
        project.metadata.resource_version = "1".into();
        let executor = Executor::new(
            Clusters::of(cluster.clone()),
            Arc::new(projects),
            LeaseGuard::not_needed(),
        );
        Self {
            executor,
            project,
            cluster: cluster.clone(),
        }
    }

    async fn run(&self, of: &Object, action: Action, dry_run: bool) -> Outcome {
        let effect = Effect {
            cluster: ClusterId::in_cluster(),
            gvk: of.gvk(),
            namespace: of.namespace().into(),
            name: of.name().into(),
            action,
            dry_run,
        };
        // Found before the permission, as the engine does.
        let kind = self.cluster.served(&effect.gvk).await;
        let scope = kind.ok().map(|k| {
            if k.namespaced {
                Scope::Namespaced
            } else {
                Scope::Cluster
            }
        });
        let names = ClusterNames {
            server: "https://kubernetes.default.svc",
            name: "in-cluster",
        };
        let permitted = permit(effect, &self.project, names, scope, None).unwrap_or_else(|e| panic!("{e}"));
        self.executor.execute(permitted).await
    }

    async fn apply(&self, object: &Object) -> String {
        self.apply_as(object, ApplyMode::ClientSide { force: false }, false)
            .await
    }

    async fn apply_as(&self, object: &Object, mode: ApplyMode, dry_run: bool) -> String {
        line(
            &self
                .run(
                    object,
                    Action::Apply {
                        object: object.clone(),
                        mode,
                        validate: true,
                    },
                    dry_run,
                )
                .await,
        )
    }

    async fn delete(&self, of: &Object, uid: &str) -> String {
        let propagation = Propagation::Foreground;
        line(
            &self
                .run(
                    of,
                    Action::Delete {
                        uid: uid.into(),
                        resource_version: None,
                        propagation,
                    },
                    false,
                )
                .await,
        )
    }
}

fn line(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Created(_) => "created".to_owned(),
        Outcome::Configured(_) => "configured".to_owned(),
        Outcome::Unchanged(_) => "unchanged".to_owned(),
        Outcome::Deleted => "deleted".to_owned(),
        Outcome::Skipped(why) => format!("skipped: {why}"),
        Outcome::Failed(f) => format!("{:?}: {}", f.kind, f.message),
    }
}

async fn live(cluster: &Cluster, of: &Object) -> Option<Object> {
    let kind = cluster.served(&of.gvk()).await.unwrap_or_else(|e| panic!("{e}"));
    cluster
        .find(&kind, of.namespace(), of.name())
        .await
        .unwrap_or_else(|e| panic!("{e}"))
}

/// Applies, replaces and deletes, and looks at what came of it.
pub async fn effects_do_what_they_say(cluster: &Cluster, server: &Server) {
    let hand = Hand::new(cluster);
    let web = object(DEPLOYMENT);

    assert_eq!(
        hand.apply_as(&web, ApplyMode::ClientSide { force: false }, true).await,
        "created"
    );
    assert!(live(cluster, &web).await.is_none(), "a dry run stores nothing");
    assert_eq!(hand.apply(&web).await, "created");
    assert_eq!(hand.apply(&web).await, "unchanged");
    let newer = changed(DEPLOYMENT, "web:1.5", "web:1.6");
    assert_eq!(
        hand.apply_as(&newer, ApplyMode::ClientSide { force: false }, true)
            .await,
        "configured"
    );
    assert_eq!(hand.apply(&newer).await, "configured");
    assert_eq!(hand.apply(&newer).await, "unchanged");
    // What was applied and is no longer wanted goes; kubectl agrees that nothing is left to do.
    let without_env = changed(
        &DEPLOYMENT.replace("web:1.5", "web:1.6"),
        r#","env":[{"name":"A","value":"1"}]"#,
        "",
    );
    assert_eq!(hand.apply(&without_env).await, "configured");
    let now = live(cluster, &web).await.expect("is stored");
    assert!(!to_json_string(now.value().at(&["spec", "template", "spec"]).expect("has one")).contains("\"env\""));
    if let Some(kubectl_apply) = &server.kubectl_apply {
        let said = kubectl_apply(&to_json_string(without_env.value()));
        assert!(said.contains("unchanged"), "{said}");
    }

    // Strict validation names the field; `Validate=false` lets it pass.
    let typo = changed(DEPLOYMENT, r#""replicas":1"#, r#""replicas":1,"replicsa":2"#);
    let refused = hand.apply(&typo).await;
    assert!(
        refused.starts_with("Invalid: ") && refused.contains("replicsa"),
        "{refused}"
    );

    // Immutable: refused, then recreated by force, and only then.
    let uid = now.uid().to_owned();
    let moved = object(&DEPLOYMENT.replace(r#""app":"web""#, r#""app":"moved""#));
    let refused = hand.apply(&moved).await;
    assert!(
        refused.starts_with("Invalid: ") && refused.contains("immutable"),
        "{refused}"
    );
    assert_eq!(
        hand.apply_as(&moved, ApplyMode::ClientSide { force: true }, false)
            .await,
        "configured"
    );
    let now = live(cluster, &web).await.expect("is stored");
    assert_ne!(now.uid(), uid);

    // Server-side apply owns its fields by the peer's name.
    let mine = object(
        r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"mine","namespace":"default"},"data":{"k":"1"}}"#,
    );
    let said = hand.apply_as(&mine, ApplyMode::ServerSide, false).await;
    if server.has_server_side_apply {
        assert_eq!(said, "created");
        let owned = live(cluster, &mine).await.expect("is stored");
        assert!(to_json_string(owned.value()).contains(r#""manager":"argocd-controller","operation":"Apply""#));
    } else {
        assert!(said.starts_with("Invalid: "), "{said}");
        assert_eq!(hand.apply(&mine).await, "created");
    }
    let owned = live(cluster, &mine).await.expect("is stored");

    // Replace.
    let action = |value: &str| Action::Replace {
        object: changed(
            &to_json_string(mine.value()),
            r#""k":"1""#,
            &format!(r#""k":"{value}""#),
        ),
        force: false,
    };
    assert_eq!(line(&hand.run(&mine, action("2"), false).await), "configured");
    assert_eq!(line(&hand.run(&mine, action("2"), false).await), "unchanged");

    // Deletes hit one incarnation.
    assert!(
        hand.delete(&mine, "6b3f9e6c-0000-0000-0000-000000000000")
            .await
            .starts_with("Conflict: ")
    );
    assert_eq!(hand.delete(&mine, owned.uid()).await, "deleted");
    assert_eq!(hand.delete(&mine, owned.uid()).await, "deleted");
    assert_eq!(hand.delete(&now, now.uid()).await, "deleted");

    // Built-in kinds that servers default and rewrite most.
    for text in [
        r#"{"apiVersion":"v1","kind":"Service","metadata":{"name":"web","namespace":"default"},"spec":{"selector":{"app":"web"},"ports":[{"name":"tcp","port":80,"targetPort":80},{"name":"udp","port":80,"protocol":"UDP"}]}}"#,
        r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s","namespace":"default"},"stringData":{"a":"b"}}"#,
        r#"{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"test:reader"},"rules":[{"apiGroups":[""],"resources":["pods"],"verbs":["get"]}]}"#,
        r#"{"apiVersion":"batch/v1","kind":"CronJob","metadata":{"name":"c","namespace":"default"},"spec":{"schedule":"0 0 1 1 *","jobTemplate":{"spec":{"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"c:1","resources":{"requests":{"cpu":"0.1","memory":"1000Mi"}}}]}}}}}}"#,
        r#"{"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"p","namespace":"default"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}"#,
    ] {
        let object = object(text);
        assert_eq!(hand.apply(&object).await, "created", "{text}");
        let again = hand.apply(&object).await;
        assert!(again == "unchanged", "{again}: {text}");
    }
}

/// Watches everything, and follows a kind that comes and goes.
pub async fn every_kind_is_kept_in_view(cluster: &Cluster, server: &Server) {
    let hand = Hand::new(cluster);
    let (tx, mut events) = mpsc::channel(1024);
    let started = Instant::now();
    let _watcher = Watcher::start(cluster.clone(), |_| true, tx);
    let mut waiting = BTreeSet::new();
    let mut is_discovered = false;
    while !is_discovered || !waiting.is_empty() {
        match timeout(WITHIN, events.recv()).await.ok().flatten() {
            Some(ClusterEvent::Discovery(table)) if !is_discovered => {
                is_discovered = true;
                waiting = table.watchable().map(|k| k.gvk.clone()).collect();
                assert!(waiting.len() >= server.kinds, "{}", waiting.len());
            }
            Some(ClusterEvent::KindSynced { kind, .. }) => drop(waiting.remove(&kind.gvk)),
            Some(ClusterEvent::KindFailed { kind, error }) => panic!("{}: {error}", kind.gvk),
            Some(_) => {}
            None => panic!("never synced: {waiting:?}"),
        }
    }
    eprintln!("every kind was in view after {:.1?}", started.elapsed());

    // A kind that is defined now is followed, and can be applied at once.
    let shops = object(SHOPS);
    assert_eq!(hand.apply(&shops).await, "created");
    let shop = object(
        r#"{"apiVersion":"example.com/v1","kind":"Shop","metadata":{"name":"s","namespace":"default"},"spec":{"a":[1]}}"#,
    );
    let deadline = Instant::now() + WITHIN;
    while cluster.served(&shop.gvk()).await.is_err() {
        assert!(Instant::now() < deadline, "the kind is never served");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(hand.apply(&shop).await, "created");
    assert_eq!(hand.apply(&shop).await, "unchanged");
    let is_shop = |gvk: &Gvk| &*gvk.kind == "Shop";
    wait_for(&mut events, |e| match e {
        ClusterEvent::Applied { kind, object } => is_shop(&kind.gvk) && object.name() == "s",
        ClusterEvent::Reset { kind, objects, .. } => is_shop(&kind.gvk) && objects.iter().any(|o| o.name() == "s"),
        _ => false,
    })
    .await;
    let uid = live(cluster, &shops).await.expect("is stored").uid().to_owned();
    assert_eq!(hand.delete(&shops, &uid).await, "deleted");
    wait_for(
        &mut events,
        |e| matches!(e, ClusterEvent::KindGone { kind } if is_shop(&kind.gvk)),
    )
    .await;
}

async fn wait_for(events: &mut mpsc::Receiver<ClusterEvent>, is_it: impl Fn(&ClusterEvent) -> bool) {
    let end = tokio::time::Instant::now() + WITHIN;
    loop {
        match tokio::time::timeout_at(end, events.recv()).await {
            Ok(Some(event)) if is_it(&event) => return,
            Ok(Some(_)) => {}
            _ => panic!("the event never came"),
        }
    }
}
