//! One repository of many applications, a third each plain, Helm and Kustomize: what a commit costs, as Pintle's own counters tell. On kubesim
//! always, and on the real control plane wherever Go is present. The same with 1000 applications is `cargo xtask bench --sources thirds`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use pintle_repo::Counts;
use pintle_tests::thirds::{self, LEVEL, Sort};
use pintle_tests::{World, on_both_planes};
use serde_json::{Value, json};

on_both_planes!(a_commit_renders_what_it_touched_and_nothing_else,);

/// Ten of each sort.
const APPS: usize = 30;
/// Applications that deploy the files of the first plain one and of the first overlay once more, to namespaces of their own.
const TWINS: [(&str, usize); 3] = [("twin-plain", 0), ("twin-overlay", 2), ("third-overlay", 2)];
/// Nothing is put off for longer than this.
const REST: Duration = Duration::from_millis(2500);
/// After this long without rest something goes in circles.
const REST_WITHIN: Duration = Duration::from_secs(60);

/// Name and number of every application; twins have the number of what they are twins of.
fn applications() -> impl Iterator<Item = (String, usize)> {
    let twins = TWINS.iter().map(|(name, index)| ((*name).to_owned(), *index));
    (0..APPS).map(|index| (thirds::name(index), index)).chain(twins)
}

/// Renders and fetches from one moment to another.
fn since(before: Counts, now: Counts) -> (u64, u64) {
    (now.renders - before.renders, now.fetches - before.fetches)
}

/// Waits until every application is Synced and Healthy at a commit, and then until nothing more is counted or written.
async fn at_rest(world: &World, commit: &str) {
    for (name, _) in applications() {
        world.until_settled(&name, commit).await;
    }
    let moving = |world: &World| {
        let counts = world.counts();
        let writes = if world.sees_writes() { world.writes().len() } else { 0 };
        (counts.renders, counts.fetches, writes)
    };
    let since = Instant::now();
    loop {
        let before = moving(world);
        tokio::time::sleep(REST).await;
        if moving(world) == before {
            return;
        }
        assert!(since.elapsed() < REST_WITHIN, "the fleet does not come to rest");
    }
}

/// Writes of each Application since the first `before` writes; empty where writes are not seen.
fn writes_of_applications(world: &World, before: usize) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    if world.sees_writes() {
        for write in world.writes().split_off(before) {
            if let Some((_, name)) = write.path.split_once("/applications/") {
                let name = name.trim_end_matches("/status").to_owned();
                *counts.entry(name).or_default() += 1;
            }
        }
    }
    counts
}

fn writes_so_far(world: &World) -> usize {
    if world.sees_writes() { world.writes().len() } else { 0 }
}

/// The notes in the ConfigMaps of an application.
async fn notes(world: &World, app: &str) -> Vec<String> {
    let maps = world.list("ConfigMap", app).await;
    maps.iter()
        .filter_map(|map| Some(map["data"]["note"].as_str()?.to_owned()))
        .collect()
}

/// The level of the Service of an application.
async fn level(world: &World, app: &str) -> String {
    let services: Vec<Value> = world.list("Service", app).await;
    let [service] = services.as_slice() else {
        panic!("{app} has {} services", services.len());
    };
    service["metadata"]["annotations"][LEVEL].as_str().unwrap().to_owned()
}

async fn a_commit_renders_what_it_touched_and_nothing_else(mut world: World) {
    let first = world.push_files(&thirds::all(APPS, "first")).await;
    let url = world.repo_url();
    for (name, index) in applications() {
        let spec = json!({
            "source": thirds::source(index, &url),
            "syncPolicy": {"automated": {"prune": true, "selfHeal": true}},
        });
        world.application(&name, spec).await;
    }
    world.start().await;
    at_rest(&world, &first).await;

    // One fetch for everybody. Twins ask for what another is given, so they cost no render.
    let done = since(Counts::default(), world.counts());
    assert_eq!(done, (APPS as u64, 1), "the first look");
    for (name, _) in applications() {
        assert_eq!(notes(&world, &name).await, ["first"], "{name}");
    }

    // f1: one application is touched, of each sort in turn. One render, for its twins as well.
    for (index, twins) in [
        (0, vec!["twin-plain"]),
        (1, vec![]),
        (2, vec!["twin-overlay", "third-overlay"]),
        (14, vec![]),
    ] {
        let touched = thirds::name(index);
        let (before, written) = (world.counts(), writes_so_far(&world));
        let commit = world.push_files(&thirds::files(index, "touched")).await;
        at_rest(&world, &commit).await;
        let done = since(before, world.counts());
        assert_eq!(done, (1, 1), "{touched} is touched");
        for name in std::iter::once(touched.as_str()).chain(twins.iter().copied()) {
            assert_eq!(notes(&world, name).await, ["touched"], "{name}");
        }
        let deployed: Vec<String> = std::iter::once(touched.as_str())
            .chain(twins)
            .map(|name| world.own(name))
            .collect();
        for (name, writes) in writes_of_applications(&world, written) {
            assert!(writes == 1 || deployed.contains(&name), "{name}: {writes} writes");
        }
    }

    // f2: what a third shares is touched. A chart's output has the release's name, so each application has a render of its own; of the
    // overlays, two ask for what the first is given.
    for (sort, files) in [
        (Sort::Chart, thirds::chart("second")),
        (Sort::Overlay, thirds::base("second")),
    ] {
        let before = world.counts();
        let commit = world.push_files(&files).await;
        at_rest(&world, &commit).await;
        let done = since(before, world.counts());
        assert_eq!(done, (10, 1), "what {sort:?} shares is touched");
        for (name, index) in applications().filter(|(_, index)| Sort::of(*index) == sort) {
            assert_eq!(level(&world, &name).await, "second", "{name} ({index})");
        }
    }
    assert_eq!(level(&world, &thirds::name(0)).await, "own");

    // f3: tags alone are listed, and nothing is fetched for them.
    let (before, written) = (world.counts(), writes_so_far(&world));
    let tags: Vec<String> = (0..500).map(|n| format!("v0.0.{n}")).collect();
    world.tags(&tags).await;
    world
        .until_true("refs are listed again", async || {
            world.counts().ls_remotes > before.ls_remotes
        })
        .await;
    tokio::time::sleep(REST).await;
    let done = since(before, world.counts());
    assert_eq!(done, (0, 0), "500 new tags");
    assert_eq!(writes_of_applications(&world, written), BTreeMap::new(), "500 new tags");

    // A file that nobody reads: the revision of everyone, and no more.
    let (before, written) = (world.counts(), writes_so_far(&world));
    let commit = world.push(&[("README.md", Some("All applications.\n"))]).await;
    at_rest(&world, &commit).await;
    let done = since(before, world.counts());
    assert_eq!(done, (0, 1), "README only");
    if world.sees_writes() {
        let writes = writes_of_applications(&world, written);
        assert_eq!(writes.len(), applications().count(), "{writes:?}");
        assert!(writes.values().all(|n| *n == 1), "{writes:?}");
        let others = world.writes().split_off(written);
        let others: Vec<_> = others.iter().filter(|w| !w.path.contains("/applications/")).collect();
        assert!(others.is_empty(), "{others:?}");
    }
}
