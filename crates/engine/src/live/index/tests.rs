//! Event sequences against what they should leave behind.

use super::*;
use crate::live::tree::managed_tree;
use pintle_model::Value;

/// An object from one line: `kind ns/name uid rv [app=…] [owner=uid,uid] [rest as YAML flow mappings `spec: …; status: …`]`.
fn object(line: &str) -> Object {
    let (head, rest) = line.split_once(" | ").unwrap_or((line, ""));
    let mut words = head.split_whitespace();
    let (kind, id, uid, rv) = (
        words.next().unwrap(),
        words.next().unwrap(),
        words.next().unwrap(),
        words.next().unwrap(),
    );
    let (namespace, name) = id.split_once('/').unwrap();
    let api_version = match kind {
        "Deployment" | "ReplicaSet" | "StatefulSet" => "apps/v1",
        _ => "v1",
    };
    let mut value = Value::from(pintle_yaml::parse(&rest.replace("; ", "\n")).unwrap());
    for (path, text) in [
        ("name", name),
        ("namespace", namespace),
        ("uid", uid),
        ("resourceVersion", rv),
    ] {
        if !text.is_empty() {
            value.set_at(&["metadata", path], text.into());
        }
    }
    value.set_at(&["apiVersion"], api_version.into());
    value.set_at(&["kind"], kind.into());
    let mut object = Object::new(value).ok().unwrap();
    for word in words {
        match word.split_once('=').unwrap() {
            ("app", app) => Tracking::default().set(&mut object, app, "ns").unwrap(),
            ("owner", uids) => {
                let owners = uids.split(',').map(|uid| {
                    Value::from_json(format!(r#"{{"apiVersion":"v1","kind":"X","name":"x","uid":"{uid}"}}"#).as_bytes())
                        .unwrap()
                });
                object
                    .value_mut()
                    .set_at(&["metadata", "ownerReferences"], Value::list(owners.collect()));
            }
            (other, _) => panic!("{other}"),
        }
    }
    object
}

fn index() -> LiveIndex {
    LiveIndex::new(IndexRules::default())
}

/// `managed a b, tree a, unclaimed ns`.
fn show(touched: &Touched) -> String {
    let part = |name: &str, set: &BTreeSet<Arc<str>>| {
        let words: Vec<&str> = set.iter().map(|s| &**s).collect();
        (!words.is_empty()).then(|| format!("{name} {}", words.join(" ")))
    };
    let parts = [
        part("managed", &touched.managed),
        part("tree", &touched.tree),
        part("unclaimed", &touched.unclaimed),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// The tree of an application: `kind/name(<parents)` per node.
fn show_tree(index: &LiveIndex, app: &str) -> String {
    let nodes = managed_tree(index, app).into_iter().map(|node| {
        let name = |e: &Entry| format!("{}/{}", e.key().kind, e.key().name);
        let parents: Vec<String> = node.parents.iter().map(|e| name(e)).collect();
        let parents = if parents.is_empty() {
            String::new()
        } else {
            format!("<{}", parents.join("+"))
        };
        format!("{}{parents}", name(node.entry))
    });
    nodes.collect::<Vec<_>>().join(" ")
}

fn check(index: &mut LiveIndex, line: &str, expected: &str) {
    assert_eq!(show(&index.apply(object(line))), expected, "{line}");
}

#[test]
fn only_meaningful_changes_touch() {
    let mut index = index();
    check(
        &mut index,
        "Deployment ns/web d 1 app=shop | spec: {replicas: 0}",
        "managed shop, tree shop",
    );
    check(&mut index, "Deployment ns/web d 2 app=shop | spec: {replicas: 0}", "");
    check(
        &mut index,
        "Deployment ns/web d 3 app=shop | spec: {replicas: 0, x: 1}",
        "managed shop",
    );
    check(
        &mut index,
        "Deployment ns/web d 4 app=shop | spec: {replicas: 0, x: 1}; status: {replicas: 0}",
        "",
    );
    check(
        &mut index,
        "Deployment ns/web d 5 app=shop | spec: {replicas: 0, x: 1}; status: {updatedReplicas: 2}",
        "managed shop, tree shop",
    );
    check(&mut index, "ReplicaSet ns/web-1 r 6 owner=d", "tree shop");
    check(&mut index, "Pod ns/web-1-a p 7 owner=r", "tree shop");
    check(
        &mut index,
        "Pod ns/web-1-a p 8 owner=r | spec: {nodeName: n1}",
        "tree shop",
    );
    check(
        &mut index,
        "Pod ns/web-1-a p 9 owner=r | spec: {nodeName: n1, x: 1}",
        "",
    );
    assert_eq!(
        show_tree(&index, "shop"),
        "Pod/web-1-a<ReplicaSet/web-1 Deployment/web ReplicaSet/web-1<Deployment/web"
    );
    assert!(
        index
            .get(&object("Pod ns/web-1-a p 9").key())
            .unwrap()
            .object()
            .is_none(),
        "a pod is kept slim"
    );
    check(&mut index, "ConfigMap ns/loose c 10", "unclaimed ns");
    // A kind without built-in health: its status may be what somebody waits for.
    check(&mut index, "Widget ns/w w 11 app=shop", "managed shop, tree shop");
    check(
        &mut index,
        "Widget ns/w w 12 app=shop | status: {ready: true}",
        "managed shop",
    );
    assert_eq!(
        show(&index.delete(&object("ReplicaSet ns/web-1 r 6").key(), "r")),
        "tree shop"
    );
    assert_eq!(show_tree(&index, "shop"), "Widget/w Deployment/web");
}

#[test]
fn older_states_and_earlier_incarnations_change_nothing() {
    let mut index = index();
    check(
        &mut index,
        "Deployment ns/web new 9 app=shop",
        "managed shop, tree shop",
    );
    check(&mut index, "Deployment ns/web new 8 app=other", "");
    check(&mut index, "Deployment ns/web old 7 app=other", "");
    let key = object("Deployment ns/web new 9").key();
    assert!(index.delete(&key, "old").is_empty());
    assert!(index.get(&key).is_some());
    check(
        &mut index,
        "Deployment ns/web third 10 app=other",
        "managed other shop, tree other shop",
    );
    // Versions that are not numbers: the last one wins.
    check(
        &mut index,
        "Deployment ns/web third x app=shop",
        "managed other shop, tree other shop",
    );
    check(
        &mut index,
        "Deployment ns/web third 1 app=other",
        "managed other shop, tree other shop",
    );
}

#[test]
fn a_list_replaces_its_scope_only() {
    let mut index = index();
    for line in [
        "ConfigMap a/x x1 1 app=shop",
        "ConfigMap b/y y1 2 app=shop",
        "Secret a/s s1 3 app=shop",
    ] {
        index.apply(object(line));
    }
    let kind = GroupKind::new("", "ConfigMap");
    let in_a = WatchScope {
        kind: kind.clone(),
        namespace: Some("a".into()),
    };
    assert_eq!(show(&index.reset(&in_a, "5", vec![])), "managed shop, tree shop");
    assert_eq!(show_tree(&index, "shop"), "ConfigMap/y Secret/s");
    // An answer to a write is newer than the list that ran beside it.
    index.apply(object("ConfigMap a/z z1 9 app=shop"));
    let all = WatchScope::cluster_wide(kind);
    assert_eq!(
        show(&index.reset(&all, "7", vec![object("ConfigMap b/y y1 2 app=shop")])),
        ""
    );
    assert_eq!(show_tree(&index, "shop"), "ConfigMap/z ConfigMap/y Secret/s");
    // The cluster was restored from a backup: numbers start lower, the list alone counts.
    index.reset(&all, "3", vec![object("ConfigMap b/y y1 1 app=other")]);
    assert_eq!(show_tree(&index, "shop"), "Secret/s");
    assert_eq!(show_tree(&index, "other"), "ConfigMap/y");
    assert_eq!(
        show(&index.forget(&GroupKind::new("", "Secret"))),
        "managed shop, tree shop"
    );
}

#[test]
fn inferred_owners() {
    let mut index = index();
    let lines = [
        "Endpoints ns/web e 1",
        "PersistentVolumeClaim ns/data-db-0 c0 2",
        "PersistentVolumeClaim ns/xdata-db-0 c1 3",
        "PersistentVolumeClaim ns/data-db- c2 4",
        "Secret ns/token t 5 | type: kubernetes.io/service-account-token; metadata: {annotations: {kubernetes.io/service-account.name: bot, kubernetes.io/service-account.uid: sa}}",
        "Service ns/web s 6 app=shop",
        "ServiceAccount ns/bot sa 7 app=shop",
        "StatefulSet ns/db d 8 app=shop | spec: {volumeClaimTemplates: [{metadata: {name: data}}]}",
    ];
    for line in lines {
        index.apply(object(line));
    }
    assert_eq!(
        show_tree(&index, "shop"),
        "Endpoints/web<Service/web PersistentVolumeClaim/data-db-0<StatefulSet/db Secret/token<ServiceAccount/bot \
         Service/web ServiceAccount/bot StatefulSet/db"
    );
    check(
        &mut index,
        "PersistentVolumeClaim ns/data-db-0 c0 9 | status: {phase: Bound}",
        "tree shop",
    );
    let children = |uid: &str| {
        index
            .children(uid)
            .iter()
            .map(|e| e.key().to_string())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(children("d"), "/PersistentVolumeClaim/ns/data-db-0");
    assert_eq!(children("s"), "/Endpoints/ns/web");
    assert_eq!(children("nobody"), "");
}

#[test]
fn owners_in_other_namespaces_do_not_count_and_circles_end() {
    let mut index = index();
    index.apply(object("Widget other/o o 1 app=shop"));
    check(&mut index, "Widget ns/x x 2 owner=o", "unclaimed ns");
    check(
        &mut index,
        "Widget ns/a a 3 owner=b app=shop",
        "managed shop, tree shop",
    );
    check(&mut index, "Widget ns/b b 4 owner=a", "tree shop");
    assert_eq!(
        show_tree(&index, "shop"),
        "Widget/a<Widget/b Widget/b<Widget/a Widget/o"
    );
}

#[test]
fn what_is_asked_for_is_kept_whole() {
    let mut index = index();
    index.apply(object("Namespace /prod n 1"));
    let key = object("Namespace /prod n 1").key();
    let missing = index.retain_full("shop", [key.clone(), object("Namespace /later l 1").key()]);
    assert_eq!(missing, std::slice::from_ref(&key));
    check(&mut index, "Namespace /prod n 1", "managed shop");
    assert!(index.get(&key).unwrap().object().is_some());
    check(&mut index, "Namespace /prod n 2 | spec: {x: 1}", "managed shop");
    check(&mut index, "Namespace /later l 3", "managed shop, tree shop");
    assert!(index.retain_full("other", [key.clone()]).is_empty());
    index.retain_full("shop", []);
    assert!(
        index.get(&key).unwrap().object().is_some(),
        "another application still wants it"
    );
    index.retain_full("other", []);
    assert!(index.get(&key).unwrap().object().is_none());
}

#[test]
fn only_known_kinds_are_complete() {
    let mut index = index();
    for line in [
        "ConfigMap ns/x x 1 app=shop",
        "Secret ns/s s 2 app=shop",
        "Service ns/v v 3 app=shop",
    ] {
        index.apply(object(line));
    }
    let kinds: BTreeSet<GroupKind> = ["ConfigMap", "Secret", "Service", "Pod"]
        .iter()
        .map(|k| GroupKind::new("", *k))
        .collect();
    let at = |seconds: i64| Timestamp::from_second(seconds).unwrap();
    let scope = |kind: &str| WatchScope::cluster_wide(GroupKind::new("", kind));
    index.mark_synced(&scope("ConfigMap"), at(100));
    index.mark_synced(&scope("Secret"), at(100));
    index.mark_failed(&scope("Secret"), "forbidden");
    index.mark_synced(&scope("Service"), at(10));
    let (complete, incomplete) = index.complete_view("shop", &kinds, at(110), SignedDuration::from_secs(60));
    assert_eq!(
        incomplete.to_string(),
        "Pod: it is not watched; Secret: it cannot be read: forbidden; Service: its watch was last heard of at 1970-01-01T00:00:10Z"
    );
    let set = complete.get();
    let managed: Vec<String> = set
        .managed()
        .iter()
        .map(|r| format!("{} {} {}", r.key, r.uid, r.resource_version))
        .collect();
    assert_eq!(managed, ["/ConfigMap/ns/x x 1"]);
    assert!(set.covers(&GroupKind::new("", "ConfigMap")) && !set.covers(&GroupKind::new("", "Secret")));
    index.mark_synced(&scope("Secret"), at(111));
    assert!(
        index
            .complete_view("shop", &kinds, at(111), SignedDuration::from_secs(60))
            .0
            .get()
            .managed()
            .len()
            == 2
    );
}

#[test]
fn an_unreadable_object_keeps_its_kind_incomplete_until_it_is_gone_or_read() {
    let mut index = index();
    let (kind, now, age) = (
        GroupKind::new("", "Secret"),
        Timestamp::UNIX_EPOCH,
        SignedDuration::from_secs(1),
    );
    let (scope, kinds) = (WatchScope::cluster_wide(kind.clone()), BTreeSet::from([kind.clone()]));
    index.apply(object("Secret ns/a a 1 app=shop"));
    index.mark_synced(&scope, now);
    let bad = object("Secret ns/a a 1").key();
    let incomplete = |index: &LiveIndex| index.complete_view("shop", &kinds, now, age).1.to_string();
    assert_eq!(incomplete(&index), "");
    assert_eq!(
        show(&index.mark_unreadable(bad.clone(), "too deep")),
        "managed shop, tree shop"
    );
    index.mark_synced(&scope, now);
    assert_eq!(
        incomplete(&index),
        "Secret: /Secret/ns/a exists and cannot be read: too deep"
    );
    assert_eq!(index.check_fresh(&kind, None, now, age), Ok(()), "the others are known");
    index.apply(object("Secret ns/a a 2 app=shop"));
    assert_eq!(incomplete(&index), "");
    index.mark_unreadable(bad, "too deep");
    index.reset(&scope, "3", vec![]);
    assert_eq!(incomplete(&index), "");
}

#[test]
fn a_kind_watched_by_namespaces_needs_all_of_them() {
    let mut index = index();
    let scope = |ns: &str| WatchScope {
        kind: GroupKind::new("", "Pod"),
        namespace: Some(ns.into()),
    };
    let now = Timestamp::UNIX_EPOCH;
    let pod = GroupKind::new("", "Pod");
    index.expect(&scope("a"));
    index.expect(&scope("b"));
    index.mark_synced(&scope("a"), now);
    let age = SignedDuration::from_secs(1);
    assert_eq!(index.check_fresh(&pod, None, now, age), Err(NotFresh::NotSynced));
    assert_eq!(index.check_fresh(&pod, Some("a"), now, age), Ok(()));
    assert_eq!(index.check_fresh(&pod, Some("c"), now, age), Err(NotFresh::NotWatched));
    index.mark_synced(&scope("b"), now);
    assert_eq!(index.check_fresh(&pod, None, now, age), Ok(()));
}

/// Everything that can be asked of an index, as text.
fn dump(index: &LiveIndex) -> String {
    let entries = index.iter().map(|e| {
        let children: Vec<String> = index.children(e.uid()).iter().map(|c| c.key().to_string()).collect();
        let whole = e
            .object()
            .map(|o| pintle_model::to_json_string(o.value()))
            .unwrap_or_default();
        let health = e.health().map(ToString::to_string).unwrap_or_default();
        format!(
            "{} {} {:?} {health} {:?} {whole}\n",
            e.key(),
            e.uid(),
            e.app(),
            children
        )
    });
    let entries: String = entries.collect();
    let apps: Vec<String> = index
        .apps()
        .map(|app| format!("{app}: {}", show_tree(index, app)))
        .collect();
    format!(
        "{entries}{}\n{} {} {}",
        apps.join("\n"),
        index.by_uid.len(),
        index.seekers.len(),
        index.claimers.len()
    )
}

/// What an application's tree shows, with all that is shown of each node.
fn shown(index: &LiveIndex, app: &str) -> String {
    let nodes = managed_tree(index, app).into_iter().map(|n| {
        let health = n.entry.health().map(ToString::to_string).unwrap_or_default();
        let parents: Vec<String> = n.parents.iter().map(|p| p.key().to_string()).collect();
        format!("{} {health} {:?} {parents:?}\n", n.entry.key(), n.entry.info())
    });
    nodes.collect()
}

struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

#[test]
fn any_sequence_of_events_leaves_what_the_final_objects_alone_would() {
    for seed in 0..60 {
        let mut random = Random(seed);
        let mut index = index();
        // The truth: the newest object per key, and every older one for events that come late.
        let mut truth: BTreeMap<ResourceKey, Object> = BTreeMap::new();
        let mut past: Vec<Object> = Vec::new();
        for version in 1..120 {
            let before: Vec<(String, String)> = ["red", "blue"]
                .iter()
                .map(|app| ((*app).to_owned(), shown(&index, app)))
                .collect();
            let new = random_object(&mut random, version);
            let touched = match random.below(10) {
                0..6 => {
                    truth.insert(new.key(), new.clone());
                    past.push(new.clone());
                    index.apply(new)
                }
                6 if !past.is_empty() => {
                    // A late event: older than the newest known one of that key, or of an object that is gone.
                    let late = past[random.below(past.len() as u64) as usize].clone();
                    if truth.contains_key(&late.key()) {
                        index.apply(late)
                    } else {
                        Touched::default()
                    }
                }
                7 => {
                    let key = new.key();
                    let uid = truth.remove(&key).map(|o| o.uid().to_owned()).unwrap_or_default();
                    index.delete(&key, &uid)
                }
                8 => index.delete(&new.key(), "of-an-earlier-object"),
                _ => {
                    // A list that misses some objects: they are gone.
                    let kind = new.key().group_kind();
                    let keep = random.below(3);
                    truth.retain(|key, o| {
                        key.group_kind() != kind || o.resource_version().parse::<u64>().unwrap() % 3 != keep
                    });
                    let listed = truth
                        .values()
                        .filter(|o| o.key().group_kind() == kind)
                        .cloned()
                        .collect();
                    index.reset(&WatchScope::cluster_wide(kind), &version.to_string(), listed)
                }
            };
            for (app, before) in before {
                let changed = shown(&index, &app) != before;
                assert!(
                    !changed || touched.apps().contains(&Arc::from(app.as_str())),
                    "seed {seed} at {version}: {app} was not told"
                );
            }
        }
        let mut fresh = self::index();
        for object in truth.into_values() {
            fresh.apply(object);
        }
        assert_eq!(dump(&index), dump(&fresh), "seed {seed}");
    }
}

/// An object among few names, kinds, owners and applications, so that everything meets.
fn random_object(random: &mut Random, version: u64) -> Object {
    let kinds = [
        "Deployment",
        "ReplicaSet",
        "Pod",
        "Service",
        "Endpoints",
        "StatefulSet",
        "PersistentVolumeClaim",
    ];
    let kind = kinds[random.below(7) as usize];
    let namespace = ["a", "b"][random.below(2) as usize];
    let name = ["web", "db", "d-db-0"][random.below(3) as usize];
    // An incarnation in four gets another UID.
    let uid = |random: &mut Random, kind: &str, name: &str| {
        format!("{kind}-{namespace}-{name}-{}", u64::from(random.below(4) == 0))
    };
    let own = uid(random, kind, name);
    let mut line = format!("{kind} {namespace}/{name} {own} {version}");
    if random.below(3) == 0 {
        line += &format!(" app={}", ["red", "blue"][random.below(2) as usize]);
    }
    if random.below(2) == 0 {
        let owner = kinds[random.below(7) as usize];
        let owner_name = ["web", "db"][random.below(2) as usize];
        line += &format!(" owner={}", uid(random, owner, owner_name));
    }
    line += &match kind {
        "StatefulSet" if random.below(2) == 0 => " | spec: {volumeClaimTemplates: [{metadata: {name: d}}]}".to_owned(),
        "Pod" => format!(
            " | status: {{phase: {}}}",
            ["Pending", "Running", "Failed"][random.below(3) as usize]
        ),
        "Deployment" => format!(" | spec: {{replicas: {}}}", random.below(3)),
        _ => String::new(),
    };
    object(&line)
}
