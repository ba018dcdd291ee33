//! Custom resources: `additionalPrinterColumns`.

use jiff::Timestamp;
use pintle_model::{Object, Value, to_json_string};

use super::{age, definition, since};
use crate::resource::Resource;

fn columns<'r>(resource: &'r Resource, version: &str) -> &'r [Value] {
    let columns = resource
        .custom
        .as_ref()
        .and_then(|c| c.versions.get(version))
        .and_then(|v| v.columns.as_list());
    columns.unwrap_or_default()
}

pub(super) fn definitions(resource: &Resource, version: &str) -> Value {
    let mut all = vec![definition("Name", "string", "name", "", 0)];
    let columns = columns(resource, version);
    if columns.is_empty() {
        all.push(definition("Age", "date", "", "", 0));
    }
    all.extend(columns.iter().map(|c| {
        let text = |field: &str| c.str_at(&[field]).unwrap_or_default();
        definition(
            text("name"),
            text("type"),
            text("format"),
            text("description"),
            c.i64_at(&["priority"]).unwrap_or(0),
        )
    }));
    Value::list(all)
}

pub(super) fn cells(resource: &Resource, version: &str, object: &Object, now: Timestamp) -> Vec<Value> {
    let mut cells = vec![object.name().into()];
    let columns = columns(resource, version);
    if columns.is_empty() {
        cells.push(age(object, now));
    }
    cells.extend(columns.iter().map(|c| {
        let found = find(object.value(), c.str_at(&["jsonPath"]).unwrap_or_default());
        match (c.str_at(&["type"]).unwrap_or_default(), found) {
            (_, None) => Value::Null,
            ("date", Some(v)) => since(v.as_str(), now).into(),
            ("integer", Some(v)) => v.as_i64().map_or(Value::Null, Value::from),
            ("number" | "boolean", Some(v)) => v,
            (_, Some(Value::Str(s))) => Value::Str(s),
            (_, Some(v)) => to_json_string(&v).into(),
        }
    }));
    cells
}

/// Evaluates the JSON paths that printer columns use: `.a.b`, `.a[0].b`, `.a['b.c']`, `.a[?(@.type=="Ready")].status`, `.a[*].b` (joined).
fn find(root: &Value, path: &str) -> Option<Value> {
    let mut here: Vec<Value> = vec![root.clone()];
    let mut rest = path.trim();
    while !rest.is_empty() {
        if let Some(tail) = rest.strip_prefix('[') {
            let end = closing(tail)?;
            let (inside, after) = (tail.get(..end)?, tail.get(end + 1..)?);
            here = here.iter().flat_map(|v| index(v, inside)).collect();
            rest = after;
        } else {
            let tail = rest.strip_prefix('.').unwrap_or(rest);
            let mut end = tail.len();
            let mut escaped = false;
            for (i, c) in tail.char_indices() {
                if !escaped && matches!(c, '.' | '[') {
                    end = i;
                    break;
                }
                escaped = c == '\\' && !escaped;
            }
            let key = tail.get(..end)?.replace('\\', "");
            here = here.iter().filter_map(|v| v.get(&key).cloned()).collect();
            rest = tail.get(end..)?;
        }
    }
    match here.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        many => {
            let texts: Vec<String> = many
                .iter()
                .map(|v| v.as_str().map_or_else(|| to_json_string(v), str::to_owned))
                .collect();
            Some(texts.join(" ").into())
        }
    }
}

/// The index of the bracket that closes the one just opened, quotes aside.
fn closing(text: &str) -> Option<usize> {
    let mut quote = None;
    for (i, c) in text.char_indices() {
        match (c, quote) {
            ('\'' | '"', None) => quote = Some(c),
            (c, Some(q)) if c == q => quote = None,
            (']', None) => return Some(i),
            _ => {}
        }
    }
    None
}

fn index(value: &Value, inside: &str) -> Vec<Value> {
    let inside = inside.trim();
    if inside == "*" {
        return match value {
            Value::Map(m) => m.values().cloned().collect(),
            other => other.as_list().unwrap_or_default().to_vec(),
        };
    }
    if let Some(filter) = inside.strip_prefix("?(").and_then(|f| f.strip_suffix(')')) {
        let (equal, (left, right)) = match filter.split_once("==") {
            Some(sides) => (true, sides),
            None => match filter.split_once("!=") {
                Some(sides) => (false, sides),
                None => return Vec::new(),
            },
        };
        let (path, wanted) = (
            left.trim().trim_start_matches('@'),
            right.trim().trim_matches(['"', '\'']),
        );
        let matches = |item: &&Value| {
            let found = find(item, path).map(|v| v.as_str().map_or_else(|| to_json_string(&v), str::to_owned));
            (found.as_deref() == Some(wanted)) == equal
        };
        return value
            .as_list()
            .unwrap_or_default()
            .iter()
            .filter(matches)
            .cloned()
            .collect();
    }
    if let Ok(n) = inside.parse::<i64>() {
        let list = value.as_list().unwrap_or_default();
        let at = if n < 0 {
            i64::try_from(list.len()).unwrap_or(0) + n
        } else {
            n
        };
        return usize::try_from(at)
            .ok()
            .and_then(|i| list.get(i))
            .cloned()
            .into_iter()
            .collect();
    }
    value
        .get(inside.trim_matches(['"', '\'']))
        .cloned()
        .into_iter()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printer_column_paths() {
        let v = Value::from_json(
            br#"{"a":{"b":[{"type":"Ready","status":"True"},{"type":"X","status":"False"}],"c.d":"e"},"n":3}"#,
        )
        .expect("JSON");
        let text = |path: &str| find(&v, path).map(|v| v.as_str().map_or_else(|| to_json_string(&v), str::to_owned));
        assert_eq!(text(r#".a.b[?(@.type=="Ready")].status"#).as_deref(), Some("True"));
        assert_eq!(text(".a.b[1].status").as_deref(), Some("False"));
        assert_eq!(text(".a['c.d']").as_deref(), Some("e"));
        assert_eq!(text(r".a.c\.d").as_deref(), Some("e"));
        assert_eq!(text(".a.b[*].type").as_deref(), Some("Ready X"));
        assert_eq!(text(".n").as_deref(), Some("3"));
        assert_eq!(text(".zz.y"), None);
    }
}
