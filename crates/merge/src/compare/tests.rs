//! Comparison against objects that a real API server returned, and the cases that no server was needed for.

use pintle_model::{Map, Object, Value, to_json_string};

use super::*;
use crate::test::json;
use crate::three_way::{LAST_APPLIED, three_way, with_last_applied};

fn object(text: &str) -> Object {
    Object::new(json(text)).expect("test input is an object")
}

/// What was applied and what came back, for every recorded object.
fn recorded() -> Vec<(Object, Object)> {
    let recorded = json(include_str!("../../testdata/live.json"));
    let pairs: Vec<_> = recorded
        .list_at(&["objects"])
        .iter()
        .map(|live| {
            let live = Object::new(live.clone()).expect("recorded objects are objects");
            let desired = last_applied(&live)
                .and_then(|v| Object::new(v).ok())
                .expect("kubectl recorded it");
            (desired, live)
        })
        .collect();
    assert!(pairs.len() > 40);
    pairs
}

fn paths_of(desired: &Object, live: &Object) -> Vec<String> {
    let difference = compare(Some(desired), Some(live), &CompareRules::default());
    assert_eq!(difference.modified, !difference.paths.is_empty());
    difference.paths
}

fn without_annotation(live: &Object) -> Object {
    let mut live = live.clone();
    live.remove_annotation(LAST_APPLIED);
    live
}

#[test]
fn what_was_applied_equals_what_the_server_made_of_it() {
    let wrong: Vec<String> = recorded()
        .iter()
        .flat_map(|(desired, live)| {
            let name = live.key().to_string();
            let three = paths_of(desired, live);
            let two = paths_of(desired, &without_annotation(live));
            [
                format!("three-way {name}: {three:?}"),
                format!("two-way {name}: {two:?}"),
            ]
            .into_iter()
            .zip([three.is_empty(), two.is_empty()])
            .filter_map(|(text, equal)| (!equal).then_some(text))
            .collect::<Vec<_>>()
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_recorded_configuration_is_written_as_kubectl_writes_it() {
    for (desired, live) in recorded() {
        let mut bare = desired.clone();
        if bare.annotations().is_some_and(Map::is_empty) {
            bare.value_mut().remove_at(&["metadata", "annotations"]);
        }
        let written = with_last_applied(&bare);
        let theirs = live.annotation(LAST_APPLIED).expect("kubectl recorded it");
        // Left out on purpose, see `with_last_applied`.
        let theirs = theirs
            .replace(r#""annotations":{},"creationTimestamp":null,"#, r#""annotations":{},"#)
            .replace(r#","status":{}"#, "");
        assert_eq!(
            written.annotation(LAST_APPLIED),
            Some(theirs.as_str()),
            "{}",
            live.key()
        );
    }
}

/// Every scalar of a value with the way to it: map keys and list places.
fn leaves(value: &Value, at: &mut Vec<Step>, found: &mut Vec<(Vec<Step>, Value)>) {
    match value {
        Value::Map(map) => {
            for (key, item) in map.iter() {
                at.push(Step::Key(key.to_owned()));
                leaves(item, at, found);
                at.pop();
            }
        }
        Value::List(items) => {
            for (i, item) in items.iter().enumerate() {
                at.push(Step::Place(i));
                leaves(item, at, found);
                at.pop();
            }
        }
        Value::Null => {}
        scalar => found.push((at.clone(), scalar.clone())),
    }
}

#[derive(Clone)]
enum Step {
    Key(String),
    Place(usize),
}

fn slot<'v>(value: &'v mut Value, way: &[Step]) -> Option<&'v mut Value> {
    way.iter().try_fold(value, |here, step| match step {
        Step::Key(key) => here.as_map_mut()?.get_mut(key),
        Step::Place(i) => here.as_list_mut()?.get_mut(*i),
    })
}

fn other(value: &Value) -> Value {
    match value {
        Value::Bool(b) => (!b).into(),
        Value::Int(i) => (i + 1).into(),
        Value::Float(f) => Value::Float(f + 1.0),
        // Doubles quantities, and is another word otherwise.
        Value::Str(s) if s.starts_with(|c: char| c.is_ascii_digit()) => format!("2{s}").into(),
        Value::Str(s) => format!("{s}x").into(),
        other => other.clone(),
    }
}

#[test]
fn every_change_of_what_is_desired_is_seen() {
    let (mut changed, mut unseen) = (0, Vec::new());
    for (desired, live) in recorded() {
        let mut found = Vec::new();
        leaves(desired.value(), &mut Vec::new(), &mut found);
        for (way, value) in found {
            let top = way
                .iter()
                .take(2)
                .map(|s| if let Step::Key(k) = s { k.as_str() } else { "" });
            if matches!(
                top.collect::<Vec<_>>().as_slice(),
                ["apiVersion" | "kind" | "status", ..] | ["metadata", "name" | "namespace"]
            ) {
                continue;
            }
            // The server puts its own there.
            let place = show(&way);
            if place.starts_with("/spec/volumeClaimTemplates/")
                && (place.ends_with("/kind") || place.ends_with("/apiVersion"))
                && way.len() == 4
            {
                continue;
            }
            let original = &desired;
            let mut desired = desired.clone();
            *slot(desired.value_mut(), &way).expect("just found") = other(&value);
            changed += 1;
            let mut drifted = live.clone();
            if let Some(slot) = slot(drifted.value_mut(), &way)
                && !matches!(slot, Value::Map(_) | Value::List(_))
            {
                *slot = other(slot);
                if paths_of(original, &drifted).is_empty() {
                    unseen.push(format!("{} {place} of the live object", live.key()));
                }
            }
            for live in [&live, &without_annotation(&live)] {
                if paths_of(&desired, live).is_empty() {
                    unseen.push(format!("{} {place}", live.key()));
                }
            }
        }
    }
    assert!(changed > 300, "{changed} changes were tried");
    // FIXME: strategic merge tells a Service's ports apart by their number alone, so of two ports of one number (UDP and TCP) it
    // loses one, and applying would not mend it either. kubectl and the peer do the same.
    assert_eq!(unseen, ["/Service/default/web /spec/ports/2/port of the live object"]);
}

#[test]
fn every_removal_of_what_was_applied_is_seen() {
    let mut unseen = Vec::new();
    for (desired, live) in recorded() {
        for section in ["spec", "data", "rules", "webhooks", "subjects"] {
            let keys: Vec<String> = match desired.value().get(section) {
                Some(Value::Map(map)) => map.iter().map(|(k, _)| k.to_owned()).collect(),
                _ => continue,
            };
            for key in keys {
                let mut desired = desired.clone();
                let old = desired.value_mut().remove_at(&[section, &key]);
                // What the server dropped, or puts there by itself, makes no difference when it goes.
                let same = old
                    .as_ref()
                    .is_none_or(|v| v.is_empty() || *v == Value::Bool(false) || *v == Value::Int(0));
                if !same && paths_of(&desired, &live).is_empty() {
                    unseen.push(format!("{} {section}.{key}", live.key()));
                }
            }
        }
    }
    // What was written there is the default, so it comes back the same.
    let defaults = [
        "apps/Deployment/default/web spec.strategy",
        "/Service/default/web spec.type",
        "/Service/default/lb spec.sessionAffinity",
    ];
    assert_eq!(unseen, defaults);
}

fn show(way: &[Step]) -> String {
    way.iter()
        .map(|s| match s {
            Step::Key(k) => format!("/{k}"),
            Step::Place(i) => format!("/{i}"),
        })
        .collect()
}

#[test]
fn a_prediction_equals_itself_and_applying_reaches_it() {
    for (desired, live) in recorded() {
        let mut drifted = live.clone();
        drifted.set_label("added-by-hand", "x");
        if let Some(replicas) = drifted.value_mut().at_mut(&["spec", "replicas"]) {
            *replicas = 7.into();
        }
        let first = compare(Some(&desired), Some(&drifted), &CompareRules::default());
        let predicted = first.predicted.expect("something is desired");
        assert!(paths_of(&desired, &predicted).is_empty(), "{}", live.key());

        let configured = with_last_applied(&desired);
        let of = type_of(&desired);
        let merged = three_way(last_applied(&drifted).as_ref(), configured.value(), drifted.value(), of);
        let merged = merged.unwrap_or_else(|e| panic!("{}: {e}", live.key()));
        let applied = Object::new(merged.predicted).expect("still an object");
        assert!(paths_of(&desired, &applied).is_empty(), "{}", live.key());
        assert_eq!(applied.label("added-by-hand"), Some("x"));
        // Applied again, nothing is left to do.
        let again = three_way(last_applied(&applied).as_ref(), configured.value(), applied.value(), of);
        assert!(
            !again.unwrap_or_else(|e| panic!("{}: {e}", live.key())).changed,
            "{}",
            live.key()
        );
    }
}

fn check(desired: &str, live: &str, expected: &[&str]) {
    assert_eq!(paths_of(&object(desired), &object(live)), expected, "{desired}\n{live}");
}

#[test]
fn drift_in_lists_without_keys_is_seen() {
    let policy = |ingress: &str| {
        format!(
            r#"{{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{{"name":"a"}},"spec":{{"ingress":{ingress}}}}}"#
        )
    };
    let desired = policy(r#"[{"ports":[{"port":80}],"from":[{"podSelector":{"matchLabels":{"a":"b"}}}]}]"#);
    let same =
        policy(r#"[{"ports":[{"port":80,"protocol":"TCP"}],"from":[{"podSelector":{"matchLabels":{"a":"b"}}}]}]"#);
    let wider = policy(
        r#"[{"ports":[{"port":80,"protocol":"TCP"}],"from":[{"podSelector":{"matchLabels":{"a":"b"}},"namespaceSelector":{}}]}]"#,
    );
    let protocol =
        policy(r#"[{"ports":[{"port":80,"protocol":"UDP"}],"from":[{"podSelector":{"matchLabels":{"a":"b"}}}]}]"#);
    check(&desired, &same, &[]);
    check(&desired, &wider, &["/spec/ingress/0/from/0/namespaceSelector"]);
    check(&desired, &protocol, &["/spec/ingress/0/ports/0/protocol"]);
}

#[test]
fn zero_values_are_told_apart_where_the_server_does() {
    let pod = |spec: &str| format!(r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"a"}},"spec":{spec}}}"#);
    check(&pod(r#"{"hostNetwork":false}"#), &pod("{}"), &[]);
    check(
        &pod(r#"{"hostNetwork":false}"#),
        &pod(r#"{"hostNetwork":true}"#),
        &["/spec/hostNetwork"],
    );
    check(
        &pod(r#"{"automountServiceAccountToken":false}"#),
        &pod("{}"),
        &["/spec/automountServiceAccountToken"],
    );
    check(&pod(r#"{"nodeSelector":{},"tolerations":[]}"#), &pod("{}"), &[]);
    check(
        &pod(r#"{"nodeSelector":null}"#),
        &pod(r#"{"nodeSelector":{"a":"b"}}"#),
        &[],
    );
    check(
        &pod(r#"{"tolerations":[]}"#),
        &pod(r#"{"tolerations":[{"key":"a"}]}"#),
        &["/spec/tolerations"],
    );
}

#[test]
fn custom_kinds_keep_what_others_add_even_inside_lists() {
    let widget =
        |spec: &str| format!(r#"{{"apiVersion":"x.io/v1","kind":"Widget","metadata":{{"name":"a"}},"spec":{spec}}}"#);
    check(
        &widget(r#"{"l":[{"a":1}],"z":0}"#),
        &widget(r#"{"l":[{"a":1,"b":2}],"more":1,"z":0}"#),
        &[],
    );
    check(
        &widget(r#"{"l":[{"a":1}]}"#),
        &widget(r#"{"l":[{"a":1},{"a":2}]}"#),
        &["/spec/l"],
    );
    check(
        &widget(r#"{"l":[{"a":1}]}"#),
        &widget(r#"{"l":[{"a":3,"b":2}]}"#),
        &["/spec/l/0/a", "/spec/l/0/b"],
    );
    check(&widget(r#"{"flag":false}"#), &widget("{}"), &["/spec/flag"]);
}

#[test]
fn what_was_applied_and_is_no_longer_desired_is_a_difference() {
    let live = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"n","labels":{"x":"1","theirs":"1"},"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"a\",\"labels\":{\"x\":\"1\"}},\"data\":{\"k\":\"v\",\"old\":\"v\"}}\n"}},"data":{"k":"v","old":"v","theirs":"v"}}"#;
    check(
        r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","labels":{}},"data":{"k":"v"}}"#,
        live,
        &["/data/old", "/metadata/labels/x"],
    );
    // As kubectl does: a map that is gone from the manifest takes with it what others put there.
    check(
        r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"k":"v"}}"#,
        live,
        &["/data/old", "/metadata/labels/theirs", "/metadata/labels/x"],
    );
    let broken = live.replace("\\n\"}", "{\"}");
    check(
        r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"k":"v"}}"#,
        &broken,
        &[],
    );
}

#[test]
fn rules_leave_fields_out() {
    let desired = object(
        r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a"},"spec":{"replicas":1,"template":{"spec":{"containers":[{"name":"c","image":"a"}]}}},"status":{"x":1}}"#,
    );
    let live = object(
        r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a"},"spec":{"replicas":5,"template":{"spec":{"containers":[{"name":"c","image":"b"}]}}},"status":{"replicas":5}}"#,
    );
    let check = |ignore: &[&str], expected: &[&str]| {
        let rules = CompareRules {
            ignore: ignore.iter().map(|s| (*s).to_owned()).collect(),
            ..CompareRules::default()
        };
        assert_eq!(compare(Some(&desired), Some(&live), &rules).paths, expected);
    };
    check(&[], &["/spec/replicas", "/spec/template/spec/containers/0/image"]);
    check(
        &["/spec/replicas", "/nowhere", "", "/kind"],
        &["/spec/template/spec/containers/0/image"],
    );
    check(&["/spec/template/spec/containers/0/image", "/spec/replicas"], &[]);
    check(&["/spec"], &[]);

    let role = |rules: &str| {
        object(&format!(
            r#"{{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{{"name":"a"}},"aggregationRule":{{}},"rules":{rules}}}"#
        ))
    };
    let aggregated = CompareRules {
        ignore_aggregated_roles: true,
        ..CompareRules::default()
    };
    let (empty, filled) = (role("[]"), role(r#"[{"verbs":["get"]}]"#));
    assert!(compare(Some(&empty), Some(&filled), &CompareRules::default()).modified);
    assert!(!compare(Some(&empty), Some(&filled), &aggregated).modified);
}

#[test]
fn one_side_missing() {
    let one = object(r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}"#);
    let rules = CompareRules::default();
    let (create, delete, nothing) = (
        compare(Some(&one), None, &rules),
        compare(None, Some(&one), &rules),
        compare(None, None, &rules),
    );
    assert!(create.modified && create.predicted.is_some() && create.live.is_none());
    assert!(delete.modified && delete.predicted.is_none() && delete.live.is_some());
    assert!(!nothing.modified);
}

#[test]
fn patches_fall_back_where_strategic_ones_cannot_reach() {
    let pod = |spec: &str| {
        json(&format!(
            r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"a"}},"spec":{spec}}}"#
        ))
    };
    let of = Schema::builtin().type_named("core.v1.Pod");
    let merged = three_way(None, &pod(r#"{"unknown":{"a":1}}"#), &pod(r#"{"unknown":{"a":2}}"#), of).expect("a patch");
    assert_eq!(merged.patch_kind.content_type(), "application/merge-patch+json");
    assert_eq!(to_json_string(&merged.patch), r#"{"spec":{"unknown":{"a":1}}}"#);
    let other = json(r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"b"}}"#);
    assert!(three_way(None, &other, &pod("{}"), of).is_err());
}
