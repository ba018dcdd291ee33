//! Kustomizations are built as Kustomize builds them: the recorded ones without Go, fresh ones where it is there.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::{path::Path, time::Duration};

use pintle_tests::{
    oracle::{
        Answer, Fuzz, Reference as _, fuzz,
        kustomize::{Case, Kustomize, differs, ours, survive},
        read_table,
    },
    require_or_step_aside,
};

fn rows() -> Vec<(Case, Answer)> {
    let table = Path::new(env!("CARGO_MANIFEST_DIR")).join("kustomize/cases.jsonl");
    let rows = read_table::<Kustomize>(&table).expect("the table is there");
    assert!(rows.len() >= 100, "{} rows", rows.len());
    let answer = |output: Option<String>| output.map_or_else(|| Answer::Error("it fails".into()), Answer::Output);
    rows.into_iter().map(|row| (row.case, answer(row.output))).collect()
}

#[test]
fn the_recorded_cases_are_built_alike() {
    for (case, theirs) in rows() {
        let own = ours(&case);
        assert!(!matches!(own, Answer::Nothing(_)), "{}: {own:?}", case.id);
        assert!(!differs(&theirs, &own), "{}: {theirs:?}\n{own:?}", case.id);
    }
}

#[test]
fn damaged_files_are_answered() {
    let lost = survive(7, 2000);
    assert!(lost.is_empty(), "{lost:#?}");
}

#[test]
fn the_recorded_answers_are_those_of_kustomize() {
    let Some(mut kustomize) = require_or_step_aside("kustomize_oracle", Kustomize::locate_or_build()) else {
        return;
    };
    for (case, recorded) in rows() {
        let said = kustomize.ask(&case).expect("Kustomize answers");
        assert!(!differs(&recorded, &said), "{}: {recorded:?}\n{said:?}", case.id);
    }
}

/// A minute of cases of one seed, the same every time: others are for `cargo xtask fuzz kustomize`.
#[test]
fn fresh_cases_are_built_alike() {
    let Some(mut kustomize) = require_or_step_aside("kustomize_oracle", Kustomize::locate_or_build()) else {
        return;
    };
    let seed = 41;
    let options = Fuzz {
        seed,
        within: Duration::from_secs(60),
        cases: 1500,
        findings: 3,
    };
    let (_, findings) = fuzz(&mut kustomize, options).expect("Kustomize answers");
    assert!(findings.is_empty(), "seed {seed}: {findings:#?}");
}
