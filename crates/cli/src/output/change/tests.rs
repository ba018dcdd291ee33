use pintle_engine::app::change::{AppChange, Departure, Failure, Fate, ImageChange, ObjectChange, What};
use pintle_model::{Masked, Object, ResourceKey, to_json_string};

use super::markdown::MAX_CHARACTERS;
use super::*;
use crate::command::diff::report::{AppReport, Report, Revision};
use crate::command::preview::definition::{AppKey, Origin};

fn config(text: &str) -> Masked {
    let json = format!(r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"c"}},"data":{{"k":{text:?}}}}}"#);
    Masked::new(
        &Object::from_json(json.as_bytes()).unwrap_or_else(|e| panic!("{e}")),
        &[],
    )
}

fn object(name: &str, before: Option<&str>, after: Option<&str>, fate: Option<Fate>) -> ObjectChange {
    ObjectChange {
        key: ResourceKey::new("", "ConfigMap", "shop", name),
        what: match (before, after) {
            (None, _) => What::Added,
            (_, None) => What::Removed,
            _ => What::Changed,
        },
        fate,
        is_hook: false,
        before: before.map(config),
        after: after.map(config),
        other: None,
    }
}

fn app(name: &str, objects: Vec<ObjectChange>, failure: Failure) -> AppReport {
    AppReport {
        name: format!("argocd/{name}"),
        key: AppKey {
            namespace: "argocd".into(),
            name: name.into(),
            file: None,
        },
        origin: Origin::File {
            path: "a.yaml".into(),
            line: 1,
        },
        change: AppChange {
            what: What::Changed,
            manifest: None,
            objects,
            images: vec![ImageChange {
                before: Some("shop:1".into()),
                after: Some("shop:2".into()),
            }],
            failure,
            moved: None,
            departure: None,
        },
        because: None,
        dependents: Vec::new(),
    }
}

fn report(apps: Vec<AppReport>) -> Report {
    let revision = |given: &str| Revision {
        given: given.into(),
        commit: "0123456789012345678901234567890123456789".into(),
    };
    Report {
        base: revision("main"),
        head: revision("feature"),
        apps,
        unchanged: 7,
        ..Report::default()
    }
}

fn failed() -> Failure {
    Failure {
        base: None,
        head: Some("chart/templates/x.yaml: it | is <b>`broken`</b>\nand goes on".into()),
    }
}

const ADDED: Option<Fate> = None;

#[test]
fn a_terminal_gets_a_block_for_each_application_and_a_line_that_sums_up() {
    let report = report(vec![
        app(
            "web",
            vec![object("c", Some("1"), Some("2"), ADDED)],
            Failure::default(),
        ),
        app("bad", vec![], failed()),
    ]);
    let expected = "Application argocd/web changed  a.yaml:1
  image shop:1 → shop:2
  ~ ConfigMap shop/c
===== /ConfigMap shop/c ======
--- base
+++ head
@@ -1,6 +1,6 @@
 apiVersion: v1
 data:
-  k: \"1\"
+  k: \"2\"
 kind: ConfigMap
 metadata:
   name: c

Application argocd/bad could not be compared  a.yaml:1
  at head: chart/templates/x.yaml: it | is <b>`broken`</b> and goes on

9 Applications: 0 added, 1 changed, 0 removed, 7 unchanged, 1 could not be compared. Objects: 0 added, 1 changed, 0 removed, of which 0 would be deleted.
";
    assert_eq!(text(&report, false), expected);
    assert!(text(&report, true).contains("\x1b[31m-  k: \"1\"\x1b[0m"));
    assert!(report.has_failed() && report.has_changes());
}

#[test]
fn names_cannot_drive_a_terminal() {
    let mut bad = app(
        "x\u{1b}[2J",
        vec![object("c\r\u{1b}]0;", Some("1"), None, Some(Fate::Pruned))],
        Failure::default(),
    );
    bad.origin = Origin::File {
        path: "a\u{1b}.yaml".into(),
        line: 1,
    };
    let mut report = report(vec![bad]);
    report.notes.insert("note\u{7}\u{1b}".into());
    let printed = text(&report, false);
    assert!(!printed.chars().any(|c| c.is_control() && c != '\n'), "{printed:?}");
}

#[test]
fn markdown_means_nothing_but_itself() {
    let page = markdown(&report(vec![app("bad", vec![], failed())]));
    assert!(
        page.contains(
            "| argocd/bad | **could not be compared** | at head: chart/templates/x.yaml: it \\| is &lt;b&gt;\\`broken\\`&lt;/b&gt; and goes on | | |\n"
        ),
        "{page}"
    );
    assert!(!page.contains("<details>"));
    let named = markdown(&report(vec![app(
        "web",
        vec![object("c`d", Some("1"), Some("2"), ADDED)],
        Failure::default(),
    )]));
    assert!(named.contains("``` ConfigMap shop/c`d ```"), "{named}");
}

#[test]
fn a_page_never_grows_past_its_bound_and_says_what_it_lacks() {
    for (apps, characters) in [(1, 200_000), (30, 5_000), (3_000, 10), (3_000, 0)] {
        // Four bytes each: the bound is of characters.
        let long = "𝕏\n".repeat(characters / 2);
        let mut all: Vec<AppReport> = (0..apps)
            .map(|i| {
                let changed = object("c", Some("1"), Some(&format!("{long}{i}")), ADDED);
                app(&format!("𝕏-{i:05}"), vec![changed], Failure::default())
            })
            .collect();
        all.push(app("zz-bad", vec![], failed()));
        let page = markdown(&report(all));
        let count = page.chars().count();
        assert!(count <= MAX_CHARACTERS, "{apps} {characters}: {count}");
        assert!(
            page.contains("**Cut to fit a comment of 65000 characters:**"),
            "{apps} {characters}"
        );
        // What failed is seen however much there is.
        assert!(page.contains("argocd/zz-bad"), "{apps} {characters}");
        assert_eq!(page.matches("<details>").count(), page.matches("</details>").count());
    }
}

#[test]
fn an_object_whose_diff_does_not_fit_is_named() {
    let huge = "line\n".repeat(40_000);
    let objects = vec![
        object("huge", Some("1"), Some(&huge), ADDED),
        object("small", Some("1"), Some("2"), ADDED),
    ];
    let page = markdown(&report(vec![app("web", objects, Failure::default())]));
    assert!(page.chars().count() <= MAX_CHARACTERS);
    assert!(
        page.contains("changed `ConfigMap shop/huge`") && page.contains("changed `ConfigMap shop/small`"),
        "{page}"
    );
    assert!(page.contains("1 further diff left out"), "{page}");
}

#[test]
fn thousands_of_notes_leave_room_for_the_table() {
    let mut report = report(vec![app(
        "web",
        vec![object("c", Some("1"), Some("2"), ADDED)],
        Failure::default(),
    )]);
    report.notes = (0..5_000).map(|i| format!("note {i} {}", "n".repeat(100))).collect();
    let page = markdown(&report);
    assert!(page.chars().count() <= MAX_CHARACTERS);
    assert!(page.contains("| argocd/web | changed |") && page.contains("further notes left out"));
}

#[test]
fn programs_are_told_the_same() {
    let value = json(&report(vec![
        app(
            "web",
            vec![object("c", Some("1"), None, Some(Fate::Pruned))],
            Failure::default(),
        ),
        app("bad", vec![], failed()),
    ]));
    let text = to_json_string(&value);
    for part in [
        r#""failed":true"#,
        r#""change":"unknown""#,
        r#""errors":{"head":"#,
        r#""images":[{"base":"shop:1","head":"shop:2"}]"#,
        r#""removal":{"deleted":true,"message":"pruned by automated sync","reason":"Pruned"}"#,
        r#""applications":{"added":0,"changed":1,"failed":1,"kept":0,"objectsNotKnown":0,"removed":0,"unchanged":7}"#,
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

/// An Application that comes or goes and cannot be rendered.
fn unrendered(name: &str, what: What, departure: Option<Departure>) -> AppReport {
    let mut app = app(name, vec![], failed());
    app.change.what = what;
    app.change.departure = departure;
    app.change.images.clear();
    app
}

#[test]
fn what_comes_or_goes_and_cannot_be_rendered_is_counted() {
    let report = report(vec![
        unrendered("new", What::Added, None),
        unrendered("gone", What::Removed, Some(Departure::WithObjects)),
    ]);
    let text = text(&report, false);
    for part in [
        "Application argocd/new added  a.yaml:1\n  it cannot be rendered, at head: chart/",
        "Application argocd/gone removed  a.yaml:1\n  with finalizer: everything it owns is deleted; which objects is not known, at head: chart/",
        "9 Applications: 1 added, 0 changed, 1 removed, 7 unchanged. Objects: 0 added, 0 changed, 0 removed, of which 0 would be deleted; those of 2 Applications are not known.\n",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    let page = markdown(&report);
    for part in [
        "| argocd/new | **added, cannot be rendered** | it cannot be rendered, at head: ",
        "| argocd/gone | removed | with finalizer: everything it owns is deleted; which objects is not known",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    let json = to_json_string(&json(&report));
    for part in [
        r#""change":"removed""#,
        r#""removal":{"deleted":true,"message":"with finalizer: everything it owns is deleted","reason":"WithFinalizer"}"#,
    ] {
        assert!(json.contains(part), "{part} is not in {json}");
    }
}

#[test]
fn what_stays_is_not_counted_as_removed() {
    let mut app = app("kept", vec![object("c", Some("1"), None, Some(Fate::Pruned))], failed());
    app.change.keep("nobody deletes it".into());
    let report = report(vec![app]);
    let text = text(&report, false);
    assert!(
        text.starts_with("Application argocd/kept stays  a.yaml:1\n  with what it owns"),
        "{text}"
    );
    assert!(
        text.contains("0 removed, 7 unchanged, 1 no longer in Git and kept. Objects: 0 added, 0 changed, 0 removed, of which 0 would be deleted.\n"),
        "{text}"
    );
    assert!(markdown(&report).contains("| argocd/kept | stays | with what it owns"));
    let json = to_json_string(&json(&report));
    assert!(
        json.contains(r#""change":"stays""#) && json.contains(r#""removal":{"deleted":false,"#),
        "{json}"
    );
}

#[test]
fn one_cause_stands_before_all_that_depends_on_it() {
    let mut root = app("zz-root", vec![], failed());
    root.dependents = (0..5_000).map(|i| format!("argocd/child-{i:04}")).collect();
    let mut apps: Vec<AppReport> = (0..5_000)
        .map(|i| {
            let mut child = app(&format!("child-{i:04}"), vec![], failed());
            child.because = Some(root.key.clone());
            child
        })
        .collect();
    apps.push(root);
    let report = report(apps);
    let named = "and 5000 Applications that it renders: argocd/child-0000, argocd/child-0001, ";
    for all in [text(&report, false), markdown(&report)] {
        assert!(
            all.chars().count() < 2_000 && all.contains("it | is") || all.contains("it \\| is"),
            "{all}"
        );
        assert!(all.contains(named) && all.contains("argocd/child-0009, …"), "{all}");
        assert!(
            all.contains("5001 could not be compared") && !all.contains("Cut to fit"),
            "{all}"
        );
    }
    assert!(
        to_json_string(&json(&report))
            .matches(r#""causedBy":"argocd/zz-root""#)
            .count()
            == 5_000
    );
}

#[test]
fn the_table_takes_what_the_diffs_leave() {
    let bare = |i: usize| {
        let mut app = app(&format!("{}-{i:04}", "n".repeat(60)), vec![], Failure::default());
        app.change.images.clear();
        app
    };
    let page = markdown(&report((0..500).map(bare).collect()));
    let count = page.chars().count();
    assert!(
        count > 40_000 && count <= MAX_CHARACTERS && !page.contains("Cut to fit"),
        "{count}"
    );
    // Where they need the room, they have it.
    let mut apps: Vec<AppReport> = (0..500).map(bare).collect();
    let long = "x\n".repeat(3_000);
    apps.extend((0..3).map(|i| {
        let changed = object("c", Some("1"), Some(&format!("{long}{i}")), ADDED);
        app(&format!("zz-{i}"), vec![changed], Failure::default())
    }));
    let page = markdown(&report(apps));
    assert!(page.chars().count() <= MAX_CHARACTERS && page.contains("rows of the table") && page.contains("<details>"));
}
