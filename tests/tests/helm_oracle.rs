//! The table of Helm's answers is what Helm answers.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::path::Path;

use pintle_tests::{
    oracle::{Helm, Reference as _, read_table},
    require_or_step_aside,
};

#[test]
fn the_recorded_answers_are_those_of_helm() {
    let table = Path::new(env!("CARGO_MANIFEST_DIR")).join("helm/cases.jsonl");
    let rows = read_table::<Helm>(&table).expect("the table is there");
    assert!(rows.len() >= 200, "{} rows", rows.len());
    let Some(mut helm) = require_or_step_aside("helm_oracle", Helm::locate_or_build()) else {
        return;
    };
    for row in rows {
        let recorded = row.answer().expect("a row has one answer");
        let said = helm.ask(&row.case).expect("Helm answers");
        assert_eq!(said, recorded, "{}", row.case.id);
    }
}
