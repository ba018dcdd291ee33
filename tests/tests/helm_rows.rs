//! Our renderer gives what Helm gave when the table was recorded; needs no Go.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::{collections::BTreeSet, path::Path};

use pintle_tests::oracle::{Category, Helm, ours, read_table};

#[test]
fn every_row_is_what_helm_said() {
    let table = Path::new(env!("CARGO_MANIFEST_DIR")).join("helm/cases.jsonl");
    let rows = read_table::<Helm>(&table).expect("the table is there");
    let mut categories = BTreeSet::new();
    let mut differing = Vec::new();
    for row in &rows {
        let recorded = row.answer().expect("a row has one answer");
        let own = ours(&row.case);
        categories.extend(row.case.id.split('-').next());
        if recorded.differs(&own) {
            differing.push(format!("{}:\n  Helm {recorded:?}\n  ours {own:?}", row.case.id));
        }
    }
    // A table that was cut short must not pass.
    assert!(rows.len() >= 240, "{} rows", rows.len());
    for category in Category::ALL {
        assert!(categories.contains(category.name()), "no row of {}", category.name());
    }
    assert!(
        differing.is_empty(),
        "{} of {} rows differ\n{}",
        differing.len(),
        rows.len(),
        differing.join("\n")
    );
}

#[test]
fn what_differs_is_seen() {
    let table = Path::new(env!("CARGO_MANIFEST_DIR")).join("helm/cases.jsonl");
    let rows = read_table::<Helm>(&table).expect("the table is there");
    let row = rows.iter().find(|row| row.output.is_some()).expect("one row renders");
    let mut case = row.case.clone();
    case.release = "another".to_owned();
    case.files.insert(
        "templates/more.yaml".to_owned(),
        "name: {{ .Release.Name }}\n".to_owned(),
    );
    let recorded = row.answer().expect("a row has one answer");
    assert!(recorded.differs(&ours(&case)));
}
