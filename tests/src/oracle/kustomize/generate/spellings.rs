//! Kustomizations written otherwise: fields in another case, `null`, unknown fields, values of another kind.

use serde_json::{Map, Value, json};

use super::super::super::random::Random;
use super::yaml::{is_text, raw};

/// Changes a few places of a kustomization.
pub(super) fn respell(random: &mut Random, kustomization: &mut Map<String, Value>) {
    if random.chance(10) {
        return take_away(random, kustomization);
    }
    for _ in 0..=random.below(2) {
        let mut whole = Value::Object(std::mem::take(kustomization));
        change(random, &mut whole);
        if let Value::Object(changed) = whole {
            *kustomization = changed;
        }
    }
}

/// Says `null` for a field in another spelling. What stands there is read before, and may be refused, which ours does not see: only lists of
/// texts are never wrong.
fn take_away(random: &mut Random, kustomization: &mut Map<String, Value>) {
    let is_right = |value: &Value| value.as_array().is_some_and(|list| list.iter().all(is_text));
    let lists = kustomization.iter().filter(|(_, value)| is_right(value));
    let lists: Vec<String> = lists.map(|(key, _)| key.clone()).collect();
    if let Some(key) = lists.get(random.below(lists.len())) {
        kustomization.insert(other_case(random, key), Value::Null);
    }
}

/// Changes something somewhere below; a map stays a map.
fn change(random: &mut Random, value: &mut Value) {
    match value {
        Value::Object(map) => {
            let keys: Vec<String> = map.keys().cloned().collect();
            let Some(key) = keys.get(random.below(keys.len())) else {
                return add(random, map);
            };
            match random.below(12) {
                0 => add(random, map),
                1..=3 => {
                    let inner = map.remove(key).unwrap_or_default();
                    map.insert(other_case(random, key), inner);
                }
                // Both spellings, which go to the decoder in the order of their bytes.
                4 => {
                    let inner = map.get(key).cloned().unwrap_or_default();
                    map.insert(other_case(random, key), inner);
                }
                5 | 6 => {
                    map.insert(key.clone(), odd(random));
                }
                _ => {
                    if let Some(inner) = map.get_mut(key) {
                        below(random, inner);
                    }
                }
            }
        }
        Value::Array(list) if list.is_empty() || random.chance(15) => {
            let at = random.below(list.len() + 1);
            list.insert(at, odd(random));
        }
        Value::Array(list) => {
            let at = random.below(list.len());
            below(random, &mut list[at]);
        }
        other => *other = odd(random),
    }
}

fn below(random: &mut Random, value: &mut Value) {
    if random.chance(10) {
        *value = odd(random);
    } else {
        change(random, value);
    }
}

fn add(random: &mut Random, map: &mut Map<String, Value>) {
    let key = random.pick(&[
        "unknown", "name", "kind", "path", "options", "metadata", "Target", "fields",
    ]);
    map.insert(key.to_owned(), odd(random));
}

fn other_case(random: &mut Random, key: &str) -> String {
    match random.below(5) {
        0 => key.to_uppercase(),
        1 => key.to_lowercase(),
        2 => key.replacen('s', "\u{17f}", 1),
        3 => key.replacen('k', "\u{212a}", 1),
        _ => {
            let mut letters = key.chars();
            let first: String = letters.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
            first + letters.as_str()
        }
    }
}

fn odd(random: &mut Random) -> Value {
    match random.below(9) {
        0..=3 => Value::Null,
        4 => raw(random.pick(&["1", "1.0", "0x1F", "1e3", "yes", "2020-01-02", "-0", "1.5", "''"])),
        5 => json!({}),
        6 => json!([]),
        7 => json!(true),
        _ => json!("a"),
    }
}
