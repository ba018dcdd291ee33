//! An Application goes through its type and comes back as it was.

// Test helpers outside a test function may stop the test too.
#![allow(clippy::expect_used, clippy::panic)]

use pintle_model::application::*;
use pintle_model::{Application, Object, Value, to_json_string};

const WHOLE: &str = include_str!("../testdata/application.json");

fn object(text: &str) -> Object {
    Object::from_json(text.as_bytes()).expect("test input is an object")
}

fn value(text: &str) -> Value {
    Value::from_json(text.as_bytes()).expect("test input is JSON")
}

fn pretty(value: &Value) -> String {
    let json: serde_json::Value = serde_json::from_str(&to_json_string(value)).expect("own output is JSON");
    format!("{json:#}")
}

fn check_round_trip(before: &Object) -> Application {
    let app = Application::from_object(before).expect("decodes");
    let after = app.to_object();
    assert!(
        before == &after,
        "{}",
        similar(&pretty(before.value()), &pretty(after.value()))
    );
    app
}

/// The lines that differ, enough for a failing test.
fn similar(before: &str, after: &str) -> String {
    let (before, after): (Vec<_>, Vec<_>) = (before.lines().collect(), after.lines().collect());
    let lost = before.iter().filter(|l| !after.contains(l)).map(|l| format!("- {l}\n"));
    let new = after.iter().filter(|l| !before.contains(l)).map(|l| format!("+ {l}\n"));
    lost.chain(new).collect()
}

#[test]
fn every_field_comes_back() {
    let app = check_round_trip(&object(WHOLE));
    assert!(app.unknown.is_empty() && app.spec.unknown.is_empty() && app.status.unknown.is_empty());
    assert_eq!(app.spec.sources().len(), 5);
    assert_eq!(app.status.sync.status, SyncStatusCode::OutOfSync);
    assert_eq!(app.status.next_history_id(), 5);
    assert_eq!(app.spec.history_limit(), 0);
    assert!(app.spec.automated().is_some_and(|a| a.prunes() && !a.self_heals()));
    assert!(app.spec.destination.is_in_cluster());
}

/// Maps whose keys are the user's own: an unknown entry is no unknown field there.
const OPEN: &[&str] = &[
    "labels",
    "annotations",
    "valuesObject",
    "commonLabels",
    "commonAnnotations",
    "map",
    "options",
    "managedFields",
];

/// Puts an unknown field into every object below `value`, and counts them.
fn salt(value: &mut Value, count: &mut usize) {
    if let Some(items) = value.as_list_mut() {
        items.iter_mut().for_each(|item| salt(item, count));
    } else if let Some(map) = value.as_map_mut() {
        map.iter_mut()
            .filter(|(key, _)| !OPEN.contains(key))
            .for_each(|(_, below)| salt(below, count));
        map.insert(
            "unheardOf",
            self::value(r#"{"a":null,"b":[1,1.5,"x",{"c":[]}],"d":-9223372036854775808}"#),
        );
        *count += 1;
    }
}

#[test]
fn unknown_fields_are_kept_at_every_level() {
    let mut salted = object(WHOLE);
    let mut count = 0;
    salt(salted.value_mut(), &mut count);
    assert!(count > 70, "only {count} objects were salted");
    check_round_trip(&salted);
}

#[test]
fn a_minimal_application_stays_minimal() {
    let app = check_round_trip(&object(
        r#"{"apiVersion":"argoproj.io/v1alpha1","kind":"Application","metadata":{"name":"a"},
            "spec":{"destination":{},"project":""}}"#,
    ));
    assert_eq!(app.spec.project_or_default(), "default");
    assert_eq!(app.spec.history_limit(), 10);
    assert!(app.spec.sources().is_empty());
}

#[test]
fn null_stands_for_the_zero_value() {
    let app = Application::from_object(&object(
        r#"{"apiVersion":"argoproj.io/v1alpha1","kind":"Application","metadata":{"name":"a","labels":null,"creationTimestamp":null},
            "spec":{"source":{"repoURL":null,"helm":{"skipCrds":null,"valuesObject":null}},"sources":null,"destination":null,"project":null,
            "syncPolicy":{"retry":{"limit":null}}},"status":{"history":[{"id":1,"deployedAt":null}]},"operation":null}"#,
    ))
    .expect("nulls decode");
    assert_eq!(
        app.spec.source,
        Some(Source {
            helm: Some(Helm::default()),
            ..Source::default()
        })
    );
    assert_eq!(app.operation, None);
}

#[test]
fn unknown_codes_are_kept() {
    let before = object(
        r#"{"apiVersion":"argoproj.io/v1alpha1","kind":"Application","metadata":{"name":"a"},"spec":{"destination":{},"project":""},
            "status":{"health":{"status":"Confused"},"sync":{"status":"Later"},"conditions":[{"type":"NewWarning","message":""}]}}"#,
    );
    let app = check_round_trip(&before);
    assert_eq!(app.status.health.status, HealthStatusCode::Other("Confused".into()));
    assert!(app.status.health.status.is_worse_than(&HealthStatusCode::Unknown));
}

#[test]
fn a_wrong_type_names_the_object_and_the_field() {
    for (text, expected) in [
        (
            r#"{"spec":{"sources":[{"repoURL":"a"},{"helm":{"parameters":[{"name":1}]}}]}}"#,
            "Application ns/a: spec.sources[1].helm.parameters[0].name: invalid type: integer `1`, expected a string",
        ),
        (
            r#"{"status":{"reconciledAt":"yesterday"}}"#,
            r#"Application ns/a: status.reconciledAt: "yesterday" is not an RFC 3339 time"#,
        ),
        (
            r#"{"metadata":{"annotations":{"argocd.argoproj.io/refresh":true}}}"#,
            r#"Application ns/a: metadata.annotations["argocd.argoproj.io/refresh"]: invalid type: boolean `true`, expected a string"#,
        ),
        (
            r#"{"kind":"AppProject"}"#,
            r#"AppProject ns/a: expected kind Application of group argoproj.io, found argoproj.io/v1alpha1, Kind=AppProject"#,
        ),
    ] {
        let mut base = value(
            r#"{"apiVersion":"argoproj.io/v1alpha1","kind":"Application","metadata":{"name":"a","namespace":"ns"}}"#,
        );
        for (key, part) in value(text).as_map().expect("a map").iter() {
            for (inner, v) in part.as_map().into_iter().flat_map(|m| m.iter()) {
                base.set_at(&[key, inner], v.clone());
            }
            if part.as_str().is_some() {
                base.set_at(&[key], part.clone());
            }
        }
        let error = Application::from_object(&Object::new(base).expect("an object")).expect_err("is refused");
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn every_code_prints_and_parses_as_itself() {
    macro_rules! check {
        ($($name:ident: $($text:literal)+;)+) => {$(
            let known: Vec<&str> = $name::KNOWN.iter().map($name::as_str).collect();
            assert_eq!(known, [$($text),+], stringify!($name));
            for code in $name::KNOWN {
                assert_eq!($name::from(code.as_str()), *code);
                assert_eq!(serde_json::to_string(code).expect("serialises"), format!("{:?}", code.as_str()));
            }
            assert!($name::from("").is_unset());
            assert_eq!($name::from("other").as_str(), "other");
        )+};
    }
    check! {
        SyncStatusCode: "Unknown" "Synced" "OutOfSync";
        HealthStatusCode: "Healthy" "Suspended" "Progressing" "Missing" "Degraded" "Unknown";
        OperationPhase: "Running" "Terminating" "Failed" "Error" "Succeeded";
        ResultCode: "Synced" "SyncFailed" "Pruned" "PruneSkipped";
        HookType: "PreSync" "Sync" "PostSync" "Skip" "SyncFail" "PreDelete" "PostDelete";
        SyncPhase: "PreSync" "Sync" "PostSync" "SyncFail";
        ConditionType: "DeletionError" "InvalidSpecError" "ComparisonError" "SyncError" "UnknownError" "SharedResourceWarning"
            "RepeatedResourceWarning" "ExcludedResourceWarning" "OrphanedResourceWarning" "SourceWarning";
        SourceType: "Helm" "Kustomize" "Directory" "Plugin";
        ResourceHealthSource: "appTree";
        HydratePhase: "Hydrating" "Failed" "Hydrated";
    }
    assert!(HealthStatusCode::KNOWN.is_sorted(), "best to worst");
    assert!(SyncPhase::KNOWN.is_sorted(), "in the order they run");
}

#[test]
fn sources_and_destinations() {
    let mut spec = ApplicationSpec {
        source: Some(Source {
            path: "one".into(),
            ..Source::default()
        }),
        ..ApplicationSpec::default()
    };
    assert_eq!(spec.sources()[0].path, "one");
    spec.sources.push(Source {
        path: "many".into(),
        ..Source::default()
    });
    assert_eq!((spec.sources().len(), spec.sources()[0].path.as_str()), (1, "many"));

    let destination = |server: &str, name: &str| Destination {
        server: server.into(),
        name: name.into(),
        ..Destination::default()
    };
    assert_eq!(
        destination("https://a/", "").cluster(),
        Ok(ClusterRef::Server("https://a"))
    );
    assert_eq!(
        destination("", "in-cluster").cluster(),
        Ok(ClusterRef::Name("in-cluster"))
    );
    assert_eq!(destination("", "").cluster(), Err(DestinationError::Missing));
    assert_eq!(
        destination("s", "n").cluster().expect_err("both").to_string(),
        "application destination can't have both name and server defined: n s"
    );
}
