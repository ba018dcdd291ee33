//! Moves what others need in front of them [F3.3].

use std::collections::BTreeMap;

use pintle_model::Object;

use super::task::Task;

/// What an object provides to others, or needs of others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Thing {
    Namespace(String),
    Kind(String, String),
}

/// Moves Namespace tasks before the first task in that namespace, and CRD tasks before the first task of that kind; they take over its phase
/// and wave. Expects tasks in order.
pub fn adjust(tasks: &mut Vec<Task>) {
    // Namespaces first, then kinds, in two passes as in the peer: a CRD may then move in front of a Namespace, which it does not need.
    adjust_one(tasks, provides_namespace, needs_namespace);
    adjust_one(tasks, provides_kind, needs_kind);
}

fn adjust_one(tasks: &mut Vec<Task>, provides: fn(&Object) -> Option<Thing>, needs: fn(&Task) -> Option<Thing>) {
    let mut first_need: BTreeMap<Thing, usize> = BTreeMap::new();
    for at in 0..tasks.len() {
        let Some(task) = tasks.get(at) else { break };
        let Some(target) = &task.target else { continue };
        if let Some(thing) = provides(target) {
            let Some(&before) = first_need.get(&thing) else {
                continue;
            };
            let Some((phase, wave)) = tasks.get(before).map(|t| (t.phase.clone(), t.wave)) else {
                continue;
            };
            let mut moved = tasks.remove(at);
            moved.phase = phase;
            moved.wave = wave;
            tasks.insert(before, moved);
            for index in first_need.values_mut().filter(|index| **index >= before) {
                *index += 1;
            }
        } else if let Some(thing) = needs(task) {
            first_need.entry(thing).or_insert(at);
        }
    }
}

fn provides_namespace(object: &Object) -> Option<Thing> {
    (object.kind() == "Namespace" && object.group().is_empty()).then(|| Thing::Namespace(object.name().into()))
}

fn needs_namespace(task: &Task) -> Option<Thing> {
    (!task.key.namespace.is_empty()).then(|| Thing::Namespace(task.key.namespace.to_string()))
}

fn provides_kind(object: &Object) -> Option<Thing> {
    is_crd(object).then(|| {
        let text = |path: &[&str]| object.value().str_at(path).unwrap_or_default().to_string();
        Thing::Kind(text(&["spec", "group"]), text(&["spec", "names", "kind"]))
    })
}

fn needs_kind(task: &Task) -> Option<Thing> {
    Some(Thing::Kind(task.key.group.to_string(), task.key.kind.to_string()))
}

/// Whether an object is a CustomResourceDefinition.
pub fn is_crd(object: &Object) -> bool {
    object.kind() == "CustomResourceDefinition" && object.group() == "apiextensions.k8s.io"
}

/// Whether a CustomResourceDefinition says that its kinds are served.
pub fn is_established(crd: &Object) -> bool {
    crd.value()
        .list_at(&["status", "conditions"])
        .iter()
        .any(|c| c.str_at(&["type"]) == Some("Established") && c.str_at(&["status"]) == Some("True"))
}
