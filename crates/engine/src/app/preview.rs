//! What an object would become if it were applied now, for people to read.

use pintle_merge::compare::{CompareRules, compare};
use pintle_model::application::IgnoreDifferences;
use pintle_model::glob::Glob;
use pintle_model::{Object, ResourceKey};

/// One object as it is and as it would be, both in the canonical form of a comparison. Holds objects, which may be secret: show them
/// masked only.
pub struct Preview {
    /// Whether applying would change, create or (where nothing is desired) remove it.
    pub modified: bool,
    /// What applying would make of it; `None` where nothing is desired.
    pub predicted: Option<Object>,
    /// What is there; `None` where nothing is.
    pub live: Option<Object>,
}

/// Compares one object under the application's own `ignoreDifferences` (their JSON pointers; the other forms make nothing ignored here).
pub fn preview(
    desired: Option<&Object>,
    live: Option<&Object>,
    key: &ResourceKey,
    ignore: &[IgnoreDifferences],
) -> Preview {
    let rules = CompareRules {
        ignore: ignore
            .iter()
            .filter(|rule| concerns(rule, key))
            .flat_map(|rule| rule.json_pointers.iter().cloned())
            .collect(),
        ..CompareRules::default()
    };
    let diff = compare(desired, live, &rules);
    Preview {
        modified: diff.modified,
        predicted: diff.predicted,
        live: diff.live,
    }
}

/// Group and kind are globs, name and namespace are exact where they are given [F1.9].
fn concerns(rule: &IgnoreDifferences, key: &ResourceKey) -> bool {
    let glob = |pattern: &str, text: &str| pattern == text || Glob::new(pattern).is_ok_and(|g| g.is_match(text));
    let exact = |wanted: &str, is: &str| wanted.is_empty() || wanted == is;
    glob(&rule.group, &key.group)
        && glob(&rule.kind, &key.kind)
        && exact(&rule.name, &key.name)
        && exact(&rule.namespace, &key.namespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_fields_are_no_difference_for_the_objects_the_rule_names() {
        let object = |n: u8| {
            let text = format!(
                r#"{{"apiVersion":"apps/v1","kind":"Deployment","metadata":{{"name":"web","namespace":"dev"}},"spec":{{"replicas":{n}}}}}"#
            );
            Object::from_json(text.as_bytes()).ok().unwrap()
        };
        let (desired, live) = (object(1), object(3));
        let modified =
            |ignore: &[IgnoreDifferences]| preview(Some(&desired), Some(&live), &live.key(), ignore).modified;
        assert!(modified(&[]));
        let rule = |name: &str| IgnoreDifferences {
            group: "*".into(),
            kind: "Deployment".into(),
            name: name.into(),
            json_pointers: vec!["/spec/replicas".into()],
            ..IgnoreDifferences::default()
        };
        assert!(!modified(&[rule("")]));
        assert!(modified(&[rule("api")]));
    }
}
