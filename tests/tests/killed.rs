//! Pintle is killed in the middle of a sync with three waves and hooks, at ten different writes, before or after they happen: the next
//! process ends the operation, the objects are those of an undisturbed run, and nothing is applied twice with different content.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::time::Duration;

use pintle_model::application::{OperationPhase, SyncStatusCode};
use pintle_tests::World;
use pintle_tests::manifests::{config_map, deployment, hook, job, wave};
use pintle_tests::world::{Death, SentWrite, is_refusal};
use serde_json::{Value, json};

/// Runs at a time: they wait for pods far more than they compute.
const SIDE_BY_SIDE: usize = 5;

const OBJECTS: &[(&str, &str)] = &[
    ("Job", "migrate"),
    ("ConfigMap", "one"),
    ("ConfigMap", "two"),
    ("Deployment", "web"),
    ("ConfigMap", "three"),
    ("Job", "smoke"),
];

/// A world whose application wants three waves between two hooks, and the commit that says so.
async fn wanted() -> (World, String) {
    let mut world = World::simulated().await;
    let commit = world
        .push(&[
            ("dev/migrate.json", Some(&hook(&job("migrate"), "PreSync"))),
            ("dev/one.json", Some(&config_map("one", "1"))),
            ("dev/two.json", Some(&config_map("two", "2"))),
            ("dev/web.json", Some(&wave(&deployment("web", "shop:1.5"), 1))),
            ("dev/three.json", Some(&wave(&config_map("three", "3"), 2))),
            ("dev/smoke.json", Some(&hook(&job("smoke"), "PostSync"))),
        ])
        .await;
    let policy = json!({"syncPolicy": {"automated": {"prune": true, "selfHeal": true}}});
    world.application("dev", policy).await;
    (world, commit)
}

/// Waits for the end that every run must have, and returns what is there then.
async fn end(world: &World, commit: &str) -> BTreeMap<String, Value> {
    let app = world.until_ended("dev", commit, OperationPhase::Succeeded).await;
    assert_eq!(app.status.history.len(), 1, "one deployment, however often Pintle died");
    world
        .until_app("dev", "dev is Synced, with nothing under way", |app| {
            app.status.sync.status == SyncStatusCode::Synced && app.operation.is_none()
        })
        .await;
    let mut found = BTreeMap::new();
    for (kind, name) in OBJECTS {
        let object = world.get(kind, "dev", name).await;
        let object = object.unwrap_or_else(|| panic!("{kind} {name} is not there"));
        found.insert(format!("{kind}/{name}"), without_incarnation(object, world));
    }
    found
}

/// The object without what differs from run to run: identities, times (a hook says which operation ran it), names of the scenario's own,
/// and status.
fn without_incarnation(mut object: Value, world: &World) -> Value {
    let run = object["metadata"]["annotations"]["pintle.dev/hook-run"].as_str();
    let started = run.and_then(|r| r.split('.').next()).unwrap_or("no hook").to_owned();
    let uid = object["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
    for field in ["uid", "resourceVersion", "creationTimestamp", "managedFields"] {
        object["metadata"].as_object_mut().unwrap().remove(field);
    }
    object.as_object_mut().unwrap().remove("status");
    let text = object
        .to_string()
        .replace(&world.own("dev"), "dev")
        .replace(&uid, "uid")
        .replace(&started, "start");
    serde_json::from_str(&text).unwrap()
}

/// What a write applies: the manifest it records as last applied, or what it creates. `None` for writes that apply nothing new: a patch
/// that leaves the record alone applies the manifest that is recorded.
fn content(write: &SentWrite) -> Option<String> {
    let body: Value = serde_json::from_str(&write.body).ok()?;
    let last = &body["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"];
    match last.as_str() {
        Some(text) => Some(text.to_owned()),
        None => matches!(write.method.as_str(), "POST" | "PUT").then(|| body.to_string()),
    }
}

/// Checks the writes of all processes of a run.
fn check_writes(writes: &[SentWrite], dev: &str) {
    let mut applied: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut created: BTreeMap<String, usize> = BTreeMap::new();
    for write in writes
        .iter()
        .filter(|w| w.path.contains(&format!("/namespaces/{dev}/")))
    {
        let done = write.code != 0 && !is_refusal(write.code);
        assert_ne!(write.method, "DELETE", "nothing is deleted: {write:?}");
        let Some(content) = content(write) else { continue };
        let body: Value = serde_json::from_str(&write.body).unwrap();
        let object = match body["metadata"]["name"].as_str() {
            Some(name) if write.method == "POST" => format!("{}/{name}", write.path),
            _ => write.path.clone(),
        };
        if write.method == "POST" && done {
            *created.entry(object.clone()).or_default() += 1;
        }
        applied.entry(object).or_default().push(content);
    }
    for (object, contents) in applied {
        assert!(
            contents.windows(2).all(|pair| pair[0] == pair[1]),
            "{object} is applied with different contents: {contents:#?}"
        );
    }
    for (object, times) in created {
        assert_eq!(times, 1, "{object} is created {times} times");
    }
}

#[test]
fn killed_at_ten_writes_it_ends_as_if_nothing_had_happened() {
    let (undisturbed, total) = in_a_runtime(undisturbed());
    assert!(total >= 10, "a sync of six objects makes at least ten writes: {total}");
    // Ten writes spread over the whole sync, each in both ways.
    let deaths: Vec<Death> = (0..10)
        .flat_map(|i| {
            let at = i * (total - 1) / 9;
            [false, true].map(|after| Death { at, after })
        })
        .collect();
    let mut died = 0;
    for few in deaths.chunks(SIDE_BY_SIDE) {
        std::thread::scope(|scope| {
            let runs: Vec<_> = few
                .iter()
                .map(|death| (death, scope.spawn(|| in_a_runtime(one_run(*death)))))
                .collect();
            for (death, run) in runs {
                let (found, has_died) = run.join().unwrap_or_else(|_| panic!("{death:?}: see above"));
                died += usize::from(has_died);
                for (name, object) in &undisturbed {
                    assert_eq!(found.get(name), Some(object), "{death:?}: {name}");
                }
            }
        });
    }
    // A run may need a write or two fewer than the undisturbed one, where changes of the status fall together.
    assert!(died + 4 >= deaths.len(), "only {died} of {} died", deaths.len());
}

fn in_a_runtime<T>(run: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(run)
}

async fn undisturbed() -> (BTreeMap<String, Value>, usize) {
    let (mut world, commit) = wanted().await;
    world.start().await;
    let found = end(&world, &commit).await;
    let writes = world.writes();
    check_writes(&writes, &world.own("dev"));
    (found, writes.len())
}

/// Returns what is there at the end, and whether the first process really died where it should.
async fn one_run(death: Death) -> (BTreeMap<String, Value>, bool) {
    let (mut world, commit) = wanted().await;
    world.start_to_die(Some(death)).await;
    let died = world.died(Duration::from_secs(15)).await;
    world.kill();
    world.start().await;
    let found = end(&world, &commit).await;
    check_writes(&world.writes(), &world.own("dev"));
    (found, died)
}
