//! Patches compared with what Kubernetes' own Go code answered, recorded in `testdata/patches.json` with its versions.

use pintle_merge::{Schema, json_merge, json_patch, strategic};
use pintle_model::{Gvk, Value, to_json_string};

#[test]
fn patches_are_what_the_go_code_makes() {
    let recorded = Value::from_json(include_bytes!("../testdata/patches.json")).expect("testdata is JSON");
    let cases = recorded.list_at(&["cases"]);
    assert!(cases.len() > 130);
    let wrong: Vec<String> = cases.iter().filter_map(difference).collect();
    assert!(
        wrong.is_empty(),
        "{} of {} differ:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}

/// Runs one case; says how it differs from the recorded answer, if it does.
fn difference(case: &Value) -> Option<String> {
    let part = |name: &str| case.get(name).unwrap_or(&Value::Null);
    let name = format!("{} {}", case.str_at(&["op"])?, case.str_at(&["name"])?);
    let kind = case.str_at(&["kind"]).unwrap_or_default();
    let gvk: Vec<&str> = kind.split('/').collect();
    let of = match gvk.as_slice() {
        [group, version, kind] => Schema::builtin().type_of(&Gvk::new(*group, *version, *kind)),
        _ => None,
    };
    let (original, modified, current, patch) = (part("original"), part("modified"), part("current"), part("patch"));
    let answer: Result<Value, String> = match (case.str_at(&["op"])?, of) {
        ("apply", Some(of)) => strategic::apply(original, patch, of).map_err(|e| e.to_string()),
        ("diff", Some(of)) => strategic::diff(original, modified, of).map_err(|e| e.to_string()),
        ("three_way", Some(of)) => {
            strategic::create_three_way(Some(original), modified, current, of).map_err(|e| e.to_string())
        }
        ("json_diff", _) => json_merge::diff(original, modified).map_err(|e| e.to_string()),
        ("json_apply", _) => json_merge::apply(original, patch).map_err(|e| e.to_string()),
        ("json_three_way", _) => {
            json_merge::create_three_way(Some(original), modified, current).map_err(|e| e.to_string())
        }
        ("json_patch", _) => json_patch::apply(original, patch).map_err(|e| e.to_string()),
        (op, _) => return Some(format!("{name}: no such operation {op} or kind {kind}")),
    };
    let expected = case.get("expected").map(to_json_string);
    match (answer.as_ref().map(to_json_string), expected) {
        (Ok(got), Some(expected)) if got == expected => None,
        (Err(_), None) => None,
        (got, expected) => {
            let expected = expected.unwrap_or_else(|| case.str_at(&["error"]).unwrap_or_default().to_owned());
            Some(format!("{name}:\n  expected {expected}\n  got      {got:?}"))
        }
    }
}
