//! One object that a cluster serves in two API groups, as it does an Ingress of `extensions` and of `networking.k8s.io`.
//!
//! A label marks it in both, so the one that nobody wants looks like a leftover. Deleting it would delete the wanted one.

use std::collections::BTreeMap;
use std::sync::Arc;

use pintle_model::{Object, ResourceKey};

/// What is known of the live object of a wanted one.
pub enum Known<'a> {
    /// Its UID.
    Uid(&'a str),
    /// It is not there.
    Absent,
    /// Nobody can say.
    Unknown,
}

type Place = (Arc<str>, Arc<str>, Arc<str>);

/// The extras that are, or may be, a wanted object under another group's name. Where the wanted one cannot be read, they may be.
pub fn of_extras<'o, 'k, 'l>(
    extras: impl IntoIterator<Item = &'o Object>,
    wanted: impl IntoIterator<Item = &'k ResourceKey>,
    known: impl Fn(&ResourceKey) -> Known<'l>,
) -> Vec<&'o Object> {
    let mut extras = extras.into_iter().peekable();
    // Mostly there are none, and then what is wanted need not be sorted.
    if extras.peek().is_none() {
        return Vec::new();
    }
    let mut by_place: BTreeMap<Place, Vec<&ResourceKey>> = BTreeMap::new();
    for key in wanted {
        by_place.entry(place(key)).or_default().push(key);
    }
    let is_twin = |live: &&Object| {
        let key = live.key();
        let others = by_place.get(&place(&key)).into_iter().flatten();
        others
            .filter(|other| other.group != key.group)
            .any(|other| match known(other) {
                Known::Uid(uid) => uid == live.uid(),
                Known::Absent => false,
                Known::Unknown => true,
            })
    };
    extras.filter(is_twin).collect()
}

/// What twins have in common: kind, namespace and name.
fn place(key: &ResourceKey) -> Place {
    (Arc::clone(&key.kind), Arc::clone(&key.namespace), Arc::clone(&key.name))
}

#[cfg(test)]
mod tests {
    use pintle_model::Gvk;

    use super::*;

    fn ingress(group: &str) -> Object {
        let mut object = Object::bare(&Gvk::new(group, "v1", "Ingress"), "shop", "web");
        object.value_mut().set_at(&["metadata", "uid"], "u1".into());
        object
    }

    #[track_caller]
    fn check(wanted: &Object, live: &Object, known: Known<'static>, expected: bool) {
        let known = std::cell::Cell::new(Some(known));
        let found = of_extras([live], [&wanted.key()], |_| known.take().unwrap_or(Known::Absent));
        assert_eq!(!found.is_empty(), expected);
    }

    #[test]
    fn the_same_uid_in_another_group_is_the_same_object() {
        let (new, old) = (ingress("networking.k8s.io"), ingress("extensions"));
        check(&new, &old, Known::Uid("u1"), true);
        check(&new, &old, Known::Uid("u2"), false);
        check(&new, &old, Known::Absent, false);
        check(&new, &old, Known::Unknown, true);
        let mut other = ingress("extensions");
        other.value_mut().set_at(&["metadata", "name"], "api".into());
        check(&new, &other, Known::Uid("u1"), false);
    }
}
