//! From rendered objects to what an application wants in its cluster [F3.41].

use std::collections::BTreeMap;

use pintle_model::application::ConditionType;
use pintle_model::{Object, ResourceKey};

use super::condition::Conditions;
use crate::complete::{Complete, Rendered};
use crate::kinds::{KindTable, Scope};
use crate::live::exclusion::KindFilter;
use crate::track::Tracking;

/// Objects wanted in a cluster: each with its namespace and its mark, no two with one identity.
pub struct Targets {
    /// The objects, in the order of the sources.
    pub objects: Vec<Object>,
    /// What was found on the way.
    pub conditions: Conditions,
}

/// What targets depend on besides the rendered objects.
#[derive(Clone, Copy)]
pub struct TargetRules<'a> {
    /// Instance name of the application.
    pub app: &'a str,
    /// Destination namespace; may be empty.
    pub namespace: &'a str,
    /// URL of the destination cluster, for exclusions.
    pub cluster: &'a str,
    /// How objects are marked.
    pub tracking: &'a Tracking,
    /// Kinds that are neither watched nor managed.
    pub filter: &'a KindFilter,
    /// What the cluster serves.
    pub kinds: &'a KindTable,
}

/// Turns complete renders into complete targets: nothing is left out but what a condition names.
pub fn targets(rendered: Complete<Rendered>, rules: TargetRules<'_>) -> Complete<Targets> {
    rendered.map(|rendered| prepare(rendered.objects, rules))
}

fn prepare(rendered: Vec<Object>, rules: TargetRules<'_>) -> Targets {
    let mut conditions = Conditions::default();
    let mut objects: Vec<Object> = Vec::with_capacity(rendered.len());
    let mut seen: BTreeMap<ResourceKey, (usize, usize)> = BTreeMap::new();
    for mut object in rendered {
        if rules.filter.is_excluded(object.group(), object.kind(), rules.cluster) {
            let message = format!("Resource {} is excluded in the settings", object.key());
            conditions.add(ConditionType::ExcludedResourceWarning, message);
            continue;
        }
        place(&mut object, rules, &mut conditions);
        if let Err(e) = rules.tracking.set(&mut object, rules.app, rules.namespace) {
            conditions.add(ConditionType::ComparisonError, e.to_string());
            continue;
        }
        // Objects that only have `generateName` are all different.
        if object.name().is_empty() {
            objects.push(object);
            continue;
        }
        let next = (objects.len(), 1);
        match seen.entry(object.key()) {
            std::collections::btree_map::Entry::Vacant(new) => {
                new.insert(next);
                objects.push(object);
            }
            std::collections::btree_map::Entry::Occupied(mut known) => {
                let (at, times) = known.get_mut();
                *times += 1;
                // The last one counts, as when the same file is applied twice.
                if let Some(slot) = objects.get_mut(*at) {
                    *slot = object;
                }
            }
        }
    }
    for (key, (_, times)) in seen.iter().filter(|(_, (_, times))| *times > 1) {
        let message = format!("Resource {key} appeared {times} times among application resources.");
        conditions.add(ConditionType::RepeatedResourceWarning, message);
    }
    Targets { objects, conditions }
}

/// Gives a namespaced object the destination's namespace where it has none, and takes a cluster-scoped one's away.
fn place(object: &mut Object, rules: TargetRules<'_>, conditions: &mut Conditions) {
    let gvk = object.gvk();
    match rules.kinds.scope(&gvk.group_kind()) {
        Some(Scope::Cluster) => object.set_namespace(""),
        // A kind that is not served yet is taken for namespaced: most are, and it is placed again once the cluster says.
        Some(Scope::Namespaced) | None => {
            if object.namespace().is_empty() && !rules.namespace.is_empty() {
                object.set_namespace(rules.namespace);
            }
            if object.namespace().is_empty() && rules.kinds.scope(&gvk.group_kind()).is_some() {
                let message = format!(
                    "Namespace for {} {gvk} is missing. Set metadata.namespace in the manifest or spec.destination.namespace.",
                    object.name()
                );
                conditions.add(ConditionType::InvalidSpecError, message);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use pintle_model::{GroupKind, Gvk};

    use super::*;
    use crate::complete::SourceRender;
    use crate::kinds::ServedKind;

    fn served(scope: Scope) -> ServedKind {
        ServedKind {
            scope,
            version: "v1".into(),
            versions: vec!["v1".into()],
            plural: "x".into(),
            verbs: vec![],
        }
    }

    fn check(objects: &[(&str, &str, &str)], namespace: &str, expected: &str) {
        let kinds = KindTable::new(
            [
                (GroupKind::new("", "ConfigMap"), served(Scope::Namespaced)),
                (GroupKind::new("", "Namespace"), served(Scope::Cluster)),
            ],
            [],
        );
        let (tracking, filter) = (Tracking::default(), KindFilter::default());
        let objects = objects
            .iter()
            .map(|(kind, ns, name)| Object::bare(&Gvk::new("", "v1", *kind), ns, name))
            .collect();
        let source = SourceRender {
            source: "s".into(),
            revision: "r".into(),
            objects: Ok(objects),
            blocking: vec![],
        };
        let rendered = Complete::rendered(vec![source], Timestamp::UNIX_EPOCH).unwrap();
        let rules = TargetRules {
            app: "shop",
            namespace,
            cluster: "c",
            tracking: &tracking,
            filter: &filter,
            kinds: &kinds,
        };
        let made = targets(rendered, rules);
        let mut lines: Vec<String> = made
            .get()
            .objects
            .iter()
            .map(|o| {
                format!(
                    "{} {}",
                    o.key(),
                    o.annotation("argocd.argoproj.io/tracking-id").unwrap_or("-")
                )
            })
            .collect();
        lines.extend(
            made.get()
                .conditions
                .iter()
                .map(|(kind, message)| format!("{kind}: {message}")),
        );
        assert_eq!(lines.join("\n"), expected);
    }

    #[test]
    fn objects_get_their_place_and_mark() {
        check(
            &[
                ("ConfigMap", "", "a"),
                ("Namespace", "x", "n"),
                ("ConfigMap", "other", "b"),
            ],
            "dev",
            "/ConfigMap/dev/a shop:/ConfigMap:dev/a\n/Namespace//n shop:/Namespace:dev/n\n/ConfigMap/other/b shop:/ConfigMap:other/b",
        );
        check(
            &[("ConfigMap", "", "a")],
            "",
            "/ConfigMap//a shop:/ConfigMap:/a\nInvalidSpecError: Namespace for a /v1, Kind=ConfigMap is missing. Set metadata.namespace in the manifest or \
             spec.destination.namespace.",
        );
    }

    #[test]
    fn the_last_of_equal_ones_counts_and_it_is_said() {
        check(
            &[("ConfigMap", "", "a"), ("ConfigMap", "dev", "a")],
            "dev",
            "/ConfigMap/dev/a shop:/ConfigMap:dev/a\nRepeatedResourceWarning: Resource /ConfigMap/dev/a appeared 2 times among application resources.",
        );
    }

    #[test]
    fn excluded_kinds_are_left_out_and_named() {
        check(
            &[("Event", "dev", "e")],
            "dev",
            "ExcludedResourceWarning: Resource /Event/dev/e is excluded in the settings",
        );
    }
}
