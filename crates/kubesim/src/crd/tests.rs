use pintle_model::{Value, to_json_string};

const SCHEMA: &str = r#"{"type":"object","properties":{
    "spec":{"type":"object","required":["size"],"properties":{
        "size":{"type":"integer","minimum":1},
        "mode":{"type":"string","enum":["a","b"],"default":"a"},
        "port":{"x-kubernetes-int-or-string":true,"anyOf":[{"type":"integer"},{"type":"string"}]},
        "free":{"type":"object","x-kubernetes-preserve-unknown-fields":true},
        "labels":{"type":"object","additionalProperties":{"type":"string"}},
        "items":{"type":"array","items":{"type":"object","properties":{"n":{"type":"integer","default":7}}}},
        "sub":{"type":"object","default":{},"properties":{"x":{"type":"string","default":"y"}}},
        "template":{"type":"object","x-kubernetes-embedded-resource":true,"x-kubernetes-preserve-unknown-fields":true}
    }}}}"#;

fn run(object: &str) -> (String, Vec<String>, Vec<String>) {
    let schema = Value::from_json(SCHEMA.as_bytes()).expect("JSON");
    let mut value = Value::from_json(object.as_bytes()).expect("JSON");
    let dropped = super::prune::prune(&mut value, &schema);
    super::default::apply(&mut value, &schema);
    let causes = super::validate::check(&value, &schema);
    (
        to_json_string(&value),
        dropped,
        causes.iter().map(|c| format!("{}: {}", c.field, c.message)).collect(),
    )
}

#[test]
fn unknown_fields_go_and_defaults_come() {
    let (json, dropped, causes) = run(
        r#"{"apiVersion":"x/v1","kind":"T","metadata":{"name":"t"},"spec":{"size":2,"zz":1,"mode":null,"free":{"a":{"b":1}},"items":[{},{"q":1}]},"other":1}"#,
    );
    assert_eq!(
        json,
        r#"{"apiVersion":"x/v1","kind":"T","metadata":{"name":"t"},"spec":{"free":{"a":{"b":1}},"items":[{"n":7},{"n":7}],"mode":"a","size":2,"sub":{"x":"y"}}}"#
    );
    assert_eq!(dropped, ["other", "spec.items[1].q", "spec.zz"]);
    assert!(causes.is_empty(), "{causes:?}");
}

#[test]
fn values_outside_the_schema_are_named() {
    let (_, _, causes) = run(r#"{"spec":{"size":0,"mode":"c","port":true,"labels":{"a":1},"template":{}}}"#);
    assert_eq!(
        causes,
        [
            r#"spec.labels.a: Invalid value: "integer": spec.labels.a in body must be of type string: "integer""#,
            r#"spec.mode: Unsupported value: "c": supported values: "a", "b""#,
            r#"spec.port: Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean""#,
            "spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1",
            "spec.template.apiVersion: Required value: must not be empty",
            "spec.template.kind: Required value: must not be empty",
        ]
    );
    let (_, _, causes) = run(r#"{"spec":{}}"#);
    assert_eq!(causes, ["spec.size: Required value"]);
}
