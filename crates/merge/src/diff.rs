//! Where two values differ, as JSON pointers.

use pintle_model::Value;

/// At most this many places are named: enough to see why, and no more than a status can carry.
pub const MAX_PATHS: usize = 100;

/// Returns the JSON pointers of the places where `a` and `b` differ, in order, at most [`MAX_PATHS`]; empty if they are equal. `1` and
/// `1.0` are equal. Lists of different lengths are one place.
pub fn paths(a: &Value, b: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(a, b, &mut String::new(), &mut found);
    found
}

fn collect(a: &Value, b: &Value, at: &mut String, found: &mut Vec<String>) {
    if found.len() >= MAX_PATHS {
        return;
    }
    match (a, b) {
        (Value::Map(a), Value::Map(b)) => {
            if std::sync::Arc::ptr_eq(a, b) {
                return;
            }
            let only_b = b
                .iter()
                .filter(|(key, _)| !a.contains_key(key))
                .map(|(key, item)| (key, None, Some(item)));
            let in_a = a.iter().map(|(key, item)| (key, Some(item), b.get(key)));
            let mut all: Vec<_> = in_a.chain(only_b).collect();
            all.sort_by_key(|(key, _, _)| *key);
            for (key, a, b) in all {
                let length = at.len();
                at.push('/');
                at.push_str(&key.replace('~', "~0").replace('/', "~1"));
                match (a, b) {
                    (Some(a), Some(b)) => collect(a, b, at, found),
                    // What is only on one side is named field by field.
                    (Some(one @ Value::Map(fields)), None) | (None, Some(one @ Value::Map(fields)))
                        if !fields.is_empty() =>
                    {
                        collect(one, &Value::map(), at, found);
                    }
                    _ if found.len() < MAX_PATHS => found.push(at.clone()),
                    _ => {}
                }
                at.truncate(length);
            }
        }
        (Value::List(a), Value::List(b)) if a.len() == b.len() => {
            if std::sync::Arc::ptr_eq(a, b) {
                return;
            }
            for (i, (a, b)) in a.iter().zip(b.iter()).enumerate() {
                let length = at.len();
                at.push_str(&format!("/{i}"));
                collect(a, b, at, found);
                at.truncate(length);
            }
        }
        (Value::Int(_), Value::Float(_)) | (Value::Float(_), Value::Int(_)) if a.as_f64() == b.as_f64() => {}
        (a, b) if a == b => {}
        _ => found.push(at.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test::json;

    #[test]
    fn names_places_and_never_values() {
        let check = |a: &str, b: &str, expected: &[&str]| assert_eq!(paths(&json(a), &json(b)), expected);
        check(r#"{"a":1,"b":[1,{"c":2}]}"#, r#"{"a":1.0,"b":[1,{"c":2}]}"#, &[]);
        check(
            r#"{"a":1,"b":[1,{"c":2}]}"#,
            r#"{"b":[1,{"c":3}],"z/~":0}"#,
            &["/a", "/b/1/c", "/z~1~0"],
        );
        check(r#"{"a":[1,2]}"#, r#"{"a":[1]}"#, &["/a"]);
        check("1", "2", &[""]);
    }

    #[test]
    fn the_number_of_places_is_bounded() {
        let list = |x: &str| json(&format!("[{}]", vec![x; 500].join(",")));
        assert_eq!(paths(&list("1"), &list("2")).len(), MAX_PATHS);
    }
}
