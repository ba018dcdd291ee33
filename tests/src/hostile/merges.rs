//! F3: patches and comparisons of objects that no API server would let in.

use pintle_merge::{CompareRules, Schema, TypeRef, compare, json_merge, json_patch, normalize, strategic, three_way};
use pintle_model::{Map, Masked, Object, Value, to_json_string};

use crate::oracle::random::Random;

/// Objects of kinds that merge in many ways, and of one that nobody knows.
const SEEDS: &[&str] = &[
    r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a","namespace":"n","labels":{"app":"a"},"finalizers":["x","y"],
        "ownerReferences":[{"apiVersion":"v1","kind":"K","name":"o","uid":"1"}]},"spec":{"replicas":1,"strategy":{"type":"RollingUpdate",
        "rollingUpdate":{"maxSurge":1}},"template":{"spec":{"containers":[{"name":"c","image":"i","ports":[{"containerPort":80,"protocol":"TCP"},
        {"containerPort":80,"protocol":"UDP"}],"env":[{"name":"A","value":"1"},{"name":"B"}],"resources":{"limits":{"cpu":"1000m"}}}],
        "volumes":[{"name":"v","emptyDir":{}}],"tolerations":[{"key":"k"}],"hostNetwork":false}}}}"#,
    r#"{"apiVersion":"v1","kind":"Service","metadata":{"name":"a"},"spec":{"ports":[{"port":53,"protocol":"TCP","targetPort":"dns"},
        {"port":53,"protocol":"UDP"}],"selector":{"a":"b"},"clusterIP":"None"}}"#,
    r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a","annotations":{"note":"n"}},"data":{"k":"aGVsbG8="},"stringData":{"s":"t"}}"#,
    r#"{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"a"},"secrets":[{"name":"s"}],"imagePullSecrets":[{"name":"p"}]}"#,
    r#"{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"a"},"aggregationRule":{},"rules":[{"verbs":["*"]}]}"#,
    r#"{"apiVersion":"x.io/v1","kind":"Thing","metadata":{"name":"a"},"spec":{"list":[1,"a",{"name":"n"},[[]]],"deep":{"er":{"value":0.5}}}}"#,
];

/// Keys that mean something to a merge.
const KEYS: &[&str] = &[
    "name",
    "$patch",
    "$retainKeys",
    "$deleteFromPrimitiveList/finalizers",
    "$setElementOrder/containers",
    "$setElementOrder/ports",
    "metadata",
    "spec",
    "data",
    "stringData",
    "containerPort",
    "port",
    "",
    "a/b~c",
    "status",
    "kubectl.kubernetes.io/last-applied-configuration",
];

/// What secrets hold here: it may stand in no masked output.
const CANARY: &str = "canary-7f3a";

pub(super) fn run(random: &mut Random) -> Result<(), String> {
    let seed = random.pick(SEEDS);
    let parse = |text: &str| Value::from_json(text.as_bytes()).map_err(|e| format!("a seed: {e}"));
    let base = parse(seed)?;
    let changed = |random: &mut Random, value: &Value| {
        let mut copy = value.clone();
        for _ in 0..=random.below(6) {
            change(random, &mut copy, 0);
        }
        copy
    };
    let a = changed(random, &base);
    let b = changed(random, &a);
    let c = changed(random, &base);
    let patch = changed(random, &b);
    let of = type_of(&base);

    merge_patches(&a, &b)?;
    // Whatever a patch is, it is applied or refused.
    let _ = json_merge::apply(&a, &patch);
    let _ = json_patch::apply(&a, &operations(random, &a));
    if let Some(of) = of {
        let _ = strategic::apply(&a, &patch, of);
        if let Ok(patch) = strategic::diff(&a, &b, of) {
            let _ = strategic::apply(&a, &patch, of);
            let _ = strategic::apply(&c, &patch, of);
        }
    }
    for last in [None, Some(&c)] {
        if let Ok(merged) = three_way::three_way(last, &b, &a, of)
            && !merged.changed
            && merged.predicted != a
        {
            return Err("a three-way patch that changes something and says it does not".to_owned());
        }
    }
    let (Ok(desired), Ok(live)) = (Object::new(b), Object::new(a)) else {
        return Ok(());
    };
    compared(&desired, &live, of)?;
    masked(random, desired, live)
}

fn type_of(value: &Value) -> Option<TypeRef<'static>> {
    let object = Object::new(value.clone()).ok()?;
    Schema::builtin().type_of(&object.gvk())
}

/// What a merge patch of two objects makes of the first is the second, where that has no nulls, which such a patch cannot say.
fn merge_patches(a: &Value, b: &Value) -> Result<(), String> {
    let Ok(patch) = json_merge::diff(a, b) else {
        return Ok(());
    };
    let applied = json_merge::apply(a, &patch).map_err(|e| format!("a patch that was made does not apply: {e}"))?;
    let again = json_merge::apply(&applied, &patch).map_err(|e| format!("a patch does not apply twice: {e}"))?;
    // A null inside something new is kept the first time and taken for a removal the second time, as in the peer.
    if !has_null(b) && again != applied {
        return Err("a merge patch changes something when it is applied again".to_owned());
    }
    if !has_null(a) && !has_null(b) && applied != *b {
        return Err("apply(diff(a, b), a) is not b".to_owned());
    }
    Ok(())
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::List(items) => items.iter().any(has_null),
        Value::Map(fields) => fields.iter().any(|(_, value)| has_null(value)),
        _ => false,
    }
}

/// Normalising what is normal changes nothing, and what is predicted is no difference.
fn compared(desired: &Object, live: &Object, of: Option<TypeRef<'_>>) -> Result<(), String> {
    let canonical = normalize::canonical(desired, of);
    if normalize::canonical(&canonical, of).value() != canonical.value() {
        return Err("canonical(canonical(x)) is not canonical(x)".to_owned());
    }
    let settled = normalize::settled(canonical.value(), of);
    if normalize::settled(&settled, of) != settled {
        return Err("settled(settled(x)) is not settled(x)".to_owned());
    }
    let rules = CompareRules::default();
    let first = compare(Some(desired), Some(live), &rules);
    let second = compare(Some(desired), Some(live), &rules);
    if first.modified != second.modified || first.paths != second.paths {
        return Err("one comparison gave two answers".to_owned());
    }
    if first.modified == first.paths.is_empty() {
        return Err(format!(
            "modified is {}, and there are {} paths",
            first.modified,
            first.paths.len()
        ));
    }
    Ok(())
}

/// No value of a Secret is told, whatever else stands in the object.
fn masked(random: &mut Random, mut desired: Object, mut live: Object) -> Result<(), String> {
    for object in [&mut desired, &mut live] {
        let value = object.value_mut();
        let Some(map) = value.as_map_mut() else { continue };
        map.insert("apiVersion", Value::from("v1"));
        map.insert("kind", Value::from("Secret"));
        let secret = match random.below(4) {
            0 => Value::from(CANARY),
            1 => Value::list(vec![Value::from(CANARY)]),
            2 => [("deep", Value::from(CANARY))].into_iter().collect::<Map>().into(),
            _ => [("k", [("k", Value::from(CANARY))].into_iter().collect::<Map>().into())]
                .into_iter()
                .collect::<Map>()
                .into(),
        };
        map.insert(random.pick(&["data", "stringData"]), secret);
    }
    let (first, second) = Masked::pair(&desired, &live, &[]);
    for object in [first, second] {
        if to_json_string(object.value()).contains(CANARY) {
            return Err("a masked Secret holds its value".to_owned());
        }
    }
    Ok(())
}

/// Operations of a JSON patch, some of them none.
fn operations(random: &mut Random, value: &Value) -> Value {
    let count = random.below(5);
    let list = (0..count).map(|_| {
        let mut operation = Map::new();
        let op = random.pick(&["add", "remove", "replace", "move", "copy", "test", "", "ADD"]);
        operation.insert("op", Value::from(op));
        for field in ["path", "from"] {
            let path = pointer(random, value);
            operation.insert(
                field,
                if random.chance(3) {
                    Value::Null
                } else {
                    Value::from(path.as_str())
                },
            );
        }
        operation.insert("value", some(random));
        Value::from(operation)
    });
    Value::list(list.collect())
}

fn pointer(random: &mut Random, value: &Value) -> String {
    let mut out = String::new();
    let mut here = value;
    for _ in 0..random.below(8) {
        match here {
            Value::Map(map) if !map.is_empty() => {
                let Some((key, inner)) = map.iter().nth(random.below(map.len())) else {
                    break;
                };
                out.push('/');
                out.push_str(&key.replace('~', "~0").replace('/', "~1"));
                here = inner;
            }
            Value::List(list) if !list.is_empty() => {
                let at = random.below(list.len());
                out.push_str(&format!("/{at}"));
                here = &list[at];
            }
            _ => break,
        }
    }
    match random.below(10) {
        0 => out.push_str("/-"),
        1 => out.push_str("/99999999999999999999"),
        2 => out.push_str("/~2"),
        3 => out.push('x'),
        4 => out.push_str("/-1"),
        5 => out.push_str("/01"),
        _ => {}
    }
    out
}

/// A value that may not belong where it is put.
fn some(random: &mut Random) -> Value {
    match random.below(12) {
        0 => Value::Null,
        1 => Value::from(true),
        2 => Value::Int(i64::MIN),
        3 => Value::Float(1e300),
        4 => Value::list(Vec::new()),
        5 => Value::from(Map::new()),
        6 => Value::list(vec![Value::Null, Value::Int(1), Value::from("a")]),
        7 => Value::from(random.pick(&[
            "delete",
            "replace",
            "merge",
            "retainKeys",
            "1000m",
            "1e3",
            "-",
            "9999999999999999999Ei",
        ])),
        8 => nested(random),
        9 => [("name", Value::from("c"))].into_iter().collect::<Map>().into(),
        10 => Value::list(vec![
            [("name", Value::from("c"))].into_iter().collect::<Map>().into();
            3
        ]),
        _ => Value::from("text"),
    }
}

/// Nesting deeper than any object has.
fn nested(random: &mut Random) -> Value {
    let mut value = Value::from("deep");
    for _ in 0..random.pick(&[5, 60, 400]) {
        value = match random.below(2) {
            0 => Value::list(vec![value]),
            _ => [("name", value)].into_iter().collect::<Map>().into(),
        };
    }
    value
}

/// Changes a value somewhere inside.
fn change(random: &mut Random, value: &mut Value, depth: usize) {
    let stop = depth > 12 || random.chance(12);
    match value {
        Value::Map(_) if !stop => {
            let Some(map) = value.as_map_mut() else { return };
            let keys: Vec<String> = map.iter().map(|(key, _)| key.to_owned()).collect();
            match random.below(8) {
                0 => {
                    map.insert(random.pick(KEYS), some(random));
                }
                1 if depth > 0 && !keys.is_empty() => {
                    map.remove(&keys[random.below(keys.len())]);
                }
                _ if !keys.is_empty() => {
                    if let Some(inner) = map.get_mut(&keys[random.below(keys.len())]) {
                        change(random, inner, depth + 1);
                    }
                }
                _ => {
                    map.insert("new", some(random));
                }
            }
        }
        Value::List(_) if !stop => {
            let Some(list) = value.as_list_mut() else { return };
            let at = random.below(list.len() + 1);
            match random.below(5) {
                0 => list.insert(at, some(random)),
                1 if at < list.len() => {
                    list.remove(at);
                }
                2 if at < list.len() => {
                    let copy = list[at].clone();
                    list.push(copy);
                }
                3 => list.reverse(),
                _ => {
                    if let Some(inner) = list.get_mut(at) {
                        change(random, inner, depth + 1);
                    }
                }
            }
        }
        _ if depth == 0 => {}
        other => *other = some(random),
    }
}
