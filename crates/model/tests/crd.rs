//! The committed CustomResourceDefinitions are the ones the types make, and the API server can take them.

// Test helpers outside a test function may stop the test too.
#![allow(clippy::expect_used, clippy::panic)]

use std::path::Path;

use pintle_model::{Value, crd, to_json, to_json_string, yaml_objects};

fn committed(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../manifests/crds")
        .join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[test]
fn the_committed_files_are_up_to_date() {
    for (file, text) in crd::crds() {
        assert!(
            committed(file) == text,
            "manifests/crds/{file} is out of date: run `cargo xtask codegen crds`"
        );
    }
}

/// What a schema names at a path of fields; `[]` steps into items.
fn at<'a>(crd: &'a Value, path: &str) -> &'a Value {
    let root = &crd.list_at(&["spec", "versions"])[0];
    let mut here = root.at(&["schema", "openAPIV3Schema"]).expect("a schema");
    for step in path.split('.') {
        let next = if step == "[]" {
            here.get("items")
        } else {
            here.at(&["properties", step])
        };
        here = next.unwrap_or_else(|| panic!("{step} of {path} is not in the schema"));
    }
    here
}

/// Walks a schema as the API server's structural check does (apiextensions pkg/apiserver/schema/validation.go), as far as ours can fail it.
fn check_structural(schema: &Value, path: &str, count: &mut usize) {
    *count += 1;
    if path == ".metadata" {
        assert_eq!(
            to_json_string(schema),
            r#"{"type":"object"}"#,
            "the API server refuses more"
        );
    }
    let map = schema.as_map().unwrap_or_else(|| panic!("{path}: no schema"));
    let int_or_string = schema.bool_at(&["x-kubernetes-int-or-string"]) == Some(true);
    let kind = schema.str_at(&["type"]);
    let is_open = schema.bool_at(&["x-kubernetes-preserve-unknown-fields"]) == Some(true);
    if int_or_string || !is_open {
        assert_eq!(
            kind.is_none(),
            int_or_string,
            "{path}: a type, unless int-or-string or anything"
        );
    }
    for key in map.keys() {
        let known = matches!(
            &**key,
            "type"
                | "format"
                | "description"
                | "properties"
                | "required"
                | "items"
                | "additionalProperties"
                | "x-kubernetes-int-or-string"
                | "x-kubernetes-preserve-unknown-fields"
        );
        assert!(known || (int_or_string && &**key == "anyOf"), "{path}: {key}");
    }
    let description = schema.str_at(&["description"]).unwrap_or_default();
    assert!(
        !description.contains("[F") && !description.contains("[`"),
        "{path}: {description}"
    );
    match kind {
        Some("array") => check_structural(schema.get("items").expect(path), &format!("{path}[]"), count),
        Some("object") => {
            let fields = schema.get("properties").and_then(Value::as_map);
            for (name, field) in fields.into_iter().flat_map(|m| m.iter()) {
                check_structural(field, &format!("{path}.{name}"), count);
            }
            for required in schema.list_at(&["required"]) {
                let name = required.as_str().expect(path);
                assert!(
                    fields.is_some_and(|f| f.contains_key(name)),
                    "{path}: {name} is required but not there"
                );
            }
            if let Some(values) = schema.get("additionalProperties") {
                assert!(
                    fields.is_none(),
                    "{path}: properties and additionalProperties exclude each other"
                );
                check_structural(values, &format!("{path}.*"), count);
            }
            let open = schema.bool_at(&["x-kubernetes-preserve-unknown-fields"]) == Some(true);
            assert!(
                open || fields.is_some() || map.contains_key("additionalProperties") || path == ".metadata",
                "{path}: would be pruned empty"
            );
        }
        _ => {}
    }
}

#[test]
fn schemas_are_structural_and_small() {
    for (file, text) in crd::crds() {
        assert!(text.len() < crd::MAX_SIZE, "{file} has {} bytes", text.len());
    }
    for (file, crd) in crd::definitions() {
        assert!(to_json(&crd).len() < crd::MAX_SIZE, "{file}");
        let mut count = 0;
        check_structural(
            crd.list_at(&["spec", "versions"])[0]
                .at(&["schema", "openAPIV3Schema"])
                .expect("a schema"),
            "",
            &mut count,
        );
        assert!(count > 60, "{file} has only {count} schemas");
    }
}

#[test]
fn the_contract_is_in_them() {
    let [(_, application), (_, project)] = crd::definitions();
    assert_eq!(
        application.str_at(&["metadata", "name"]),
        Some("applications.argoproj.io")
    );
    assert!(
        application.list_at(&["spec", "versions"])[0]
            .get("subresources")
            .is_none(),
        "no status subresource"
    );
    let columns = application.list_at(&["spec", "versions"])[0].list_at(&["additionalPrinterColumns"]);
    assert_eq!(columns.len(), 4);
    let kinds = |path: &str| at(&application, path).str_at(&["type"]).map(str::to_owned);
    assert_eq!(
        kinds("spec.sources.[].helm.parameters.[].forceString").as_deref(),
        Some("boolean")
    );
    assert_eq!(kinds("operation.sync.resources.[].kind").as_deref(), Some("string"));
    assert_eq!(
        kinds("status.operationState.syncResult.resources.[].hookPhase").as_deref(),
        Some("string")
    );
    assert_eq!(
        at(&application, "status.reconciledAt").str_at(&["format"]),
        Some("date-time")
    );
    assert_eq!(
        at(&application, "spec.source.helm.valuesObject").bool_at(&["x-kubernetes-preserve-unknown-fields"]),
        Some(true)
    );
    assert_eq!(
        at(&application, "spec.source.kustomize.replicas.[].count").bool_at(&["x-kubernetes-int-or-string"]),
        Some(true)
    );
    assert!(at(&application, "spec.destination").list_at(&["required"]).is_empty());
    assert_eq!(at(&application, "spec.source").list_at(&["required"]).len(), 1);
    assert_eq!(
        at(&project, "status.jwtTokensByRole").str_at(&["additionalProperties", "type"]),
        Some("object")
    );
    assert_eq!(
        at(&project, "spec.namespaceResourceWhitelist").str_at(&["type"]),
        Some("array")
    );
}

/// Every field of the whole test documents is in the schema, so that the API server prunes none of them.
fn check_not_pruned(value: &Value, schema: &Value, path: &str) {
    if schema.bool_at(&["x-kubernetes-preserve-unknown-fields"]) == Some(true) || path == ".metadata" {
        return;
    }
    for (i, item) in value.as_list().unwrap_or_default().iter().enumerate() {
        check_not_pruned(item, schema.get("items").expect(path), &format!("{path}[{i}]"));
    }
    for (name, field) in value.as_map().into_iter().flat_map(|m| m.iter()) {
        let below = schema
            .at(&["properties", name])
            .or_else(|| schema.get("additionalProperties"));
        check_not_pruned(
            field,
            below.unwrap_or_else(|| panic!("{path}.{name} would be pruned")),
            &format!("{path}.{name}"),
        );
    }
}

#[test]
fn nothing_of_a_whole_application_is_pruned() {
    let [(_, application), _] = crd::definitions();
    let whole = yaml_objects(include_str!("../testdata/application.json"))
        .remove(0)
        .result
        .expect("an object");
    let schema = application.list_at(&["spec", "versions"])[0]
        .at(&["schema", "openAPIV3Schema"])
        .expect("a schema");
    check_not_pruned(whole.value(), schema, "");
}
