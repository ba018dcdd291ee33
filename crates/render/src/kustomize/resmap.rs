//! The objects of a build as a list without repetitions.

use std::collections::HashSet;

use pintle_yaml::Node;

use super::error::{Failure, Reason, Result};
use super::id::ResId;
use super::origin::ORIGIN;
use super::resource::{Behavior, Resource};

/// Fails if two objects have one id.
pub(super) fn ensure_unique(resources: &[Resource]) -> Result<()> {
    match repeated(resources) {
        Some((_, failure)) => Err(failure),
        None => Ok(()),
    }
}

/// Where the first object stands whose id another one before it has, and what is wrong with it.
pub(super) fn repeated(resources: &[Resource]) -> Option<(usize, Failure)> {
    let mut seen = HashSet::with_capacity(resources.len());
    let (at, resource) = resources
        .iter()
        .enumerate()
        .find(|(_, resource)| !seen.insert(resource.key()))?;
    Some((at, registered(&resource.id())))
}

fn registered(id: &ResId) -> Failure {
    Failure::new(
        Reason::Conflict,
        format!("may not add resource with an already registered id: {id}: two entries give the same object"),
    )
}

/// Adds objects; an id that is there already is an error.
pub(super) fn append_all(into: &mut Vec<Resource>, more: Vec<Resource>) -> Result<()> {
    into.extend(more);
    ensure_unique(into)
}

/// The one object that has or had an id.
pub(super) fn find_one(resources: &[Resource], id: &ResId) -> Result<usize> {
    let mut found = resources
        .iter()
        .enumerate()
        .filter(|(_, r)| !r.node.is_nil_or_empty() && r.any_id(|other| id.same(other)));
    match (found.next(), found.next()) {
        (Some((at, _)), None) => Ok(at),
        (Some(_), Some(_)) => Err(Failure::new(
            Reason::NoMatch,
            format!("multiple matches for Id {id}; failed to find unique target for patch {id}"),
        )),
        (None, _) => Err(Failure::new(
            Reason::NoMatch,
            format!("no matches for Id {id}; failed to find unique target for patch {id}"),
        )),
    }
}

/// Adds a generated object, or lets it replace or extend the one that is there.
pub(super) fn absorb(resources: &mut Vec<Resource>, mut new: Resource) -> Result<()> {
    let id = new.id();
    let found: Vec<usize> = resources
        .iter()
        .enumerate()
        .filter(|(_, r)| !r.node.is_nil_or_empty() && r.any_id(|other| id.same(other)))
        .map(|(at, _)| at)
        .collect();
    let at = match found.as_slice() {
        [] if matches!(new.behavior, Behavior::Merge | Behavior::Replace) => {
            return Err(Failure::new(
                Reason::Conflict,
                format!("id {id} does not exist; cannot merge or replace"),
            ));
        }
        [] => return append_all(resources, vec![new]),
        [at] => *at,
        _ => {
            return Err(Failure::new(
                Reason::Conflict,
                format!("found multiple objects that could accept merge of {id}"),
            ));
        }
    };
    let Some(old) = resources.get_mut(at) else {
        return Ok(());
    };
    match new.behavior {
        Behavior::Replace => take_metadata(&mut new, old),
        Behavior::Merge => {
            let origin = old.metadata_map("annotations").remove(ORIGIN);
            take_metadata(&mut new, old);
            if let Some(origin) = origin {
                let mut annotations = new.metadata_map("annotations");
                annotations.insert(ORIGIN.to_owned(), origin);
                new.set_metadata_map("annotations", &annotations);
            }
            for field in ["data", "binaryData"] {
                let as_text = |(key, value): &(String, Node)| {
                    let text = if value.is_null() {
                        ""
                    } else {
                        value.text().unwrap_or_default()
                    };
                    (key.clone(), Node::string(text))
                };
                let mut fields: Vec<(String, Node)> = old
                    .node
                    .get(field)
                    .into_iter()
                    .flat_map(Node::readable)
                    .map(as_text)
                    .collect();
                for (key, value) in new.node.get(field).map(Node::fields).unwrap_or_default() {
                    match fields.iter_mut().find(|(k, _)| k == key) {
                        Some(slot) => slot.1 = value.clone(),
                        None => fields.push((key.clone(), value.clone())),
                    }
                }
                if fields.is_empty() {
                    new.node.remove(field);
                } else {
                    new.node.set(field, Node::Map(fields));
                }
            }
        }
        Behavior::Unspecified | Behavior::Create => {
            return Err(Failure::new(
                Reason::Conflict,
                format!("id {id} exists; behavior must be merge or replace: set `behavior` of the generator"),
            ));
        }
    }
    *old = new;
    ensure_unique(resources)
}

/// Labels, annotations, names and history of the object that was there, with the new one's own labels and annotations.
fn take_metadata(new: &mut Resource, old: &Resource) {
    for field in ["labels", "annotations"] {
        let mut map = old.metadata_map(field);
        map.extend(new.metadata_map(field));
        new.set_metadata_map(field, &map);
    }
    new.set_name(old.name());
    new.set_namespace(old.namespace());
    new.previous.clone_from(&old.previous);
    new.prefixes.clone_from(&old.prefixes);
    new.suffixes.clone_from(&old.suffixes);
    new.vars.clone_from(&old.vars);
    new.behavior = old.behavior;
    new.generated = old.generated;
    // The hash stays only where both ask for it.
    new.needs_hash &= old.needs_hash;
    new.allow_name_change = old.allow_name_change;
    new.allow_kind_change = old.allow_kind_change;
}
