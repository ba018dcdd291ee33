//! Differences of objects, readable.

use pintle_model::{Masked, ResourceKey};
use similar::TextDiff;

/// The header of one object [F6.9].
pub(crate) fn header(key: &ResourceKey) -> String {
    format!(
        "\n===== {}/{} {}/{} ======\n",
        key.group, key.kind, key.namespace, key.name
    )
}

/// One object may differ in so many lines that comparing them takes long; then the diff is right and not the shortest.
const LONGEST_COMPARISON: std::time::Duration = std::time::Duration::from_millis(500);

/// What changes from what is live to what is desired, both as YAML, like `diff -u`; empty where nothing does.
pub(crate) fn unified(before: Option<&Masked>, after: Option<&Masked>) -> String {
    unified_as(("live", "desired"), before, after)
}

/// As [`unified`], with names for both sides.
pub(crate) fn unified_as(names: (&str, &str), before: Option<&Masked>, after: Option<&Masked>) -> String {
    let text = |object: Option<&Masked>| object.map(|o| super::yaml(o.value())).unwrap_or_default();
    let (before, after) = (text(before), text(after));
    if before == after {
        return String::new();
    }
    TextDiff::configure()
        .timeout(LONGEST_COMPARISON)
        .diff_lines(&before, &after)
        .unified_diff()
        .context_radius(3)
        .header(names.0, names.1)
        .to_string()
}

#[cfg(test)]
mod tests {
    use pintle_model::Object;

    use super::*;

    #[test]
    fn a_diff_shows_the_change_with_its_surroundings() {
        let object = |image: &str| {
            let text = format!(
                r#"{{"apiVersion":"apps/v1","kind":"Deployment","metadata":{{"name":"web"}},"spec":{{"image":"{image}","replicas":2}}}}"#
            );
            Masked::new(&Object::from_json(text.as_bytes()).ok().unwrap(), &[])
        };
        assert_eq!(
            unified(Some(&object("web:1.5")), Some(&object("web:1.6"))),
            "--- live\n+++ desired\n@@ -3,5 +3,5 @@\n metadata:\n   name: web\n spec:\n-  image: web:1.5\n+  image: web:1.6\n   replicas: 2\n"
        );
        assert_eq!(unified(Some(&object("a")), Some(&object("a"))), "");
        assert!(unified(None, Some(&object("a"))).contains("+kind: Deployment"));
        assert_eq!(
            header(&ResourceKey::new("apps", "Deployment", "dev", "web")),
            "\n===== apps/Deployment dev/web ======\n"
        );
    }
}
