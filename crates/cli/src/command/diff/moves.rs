//! Objects that one Application loses and another gains in the same change.

use std::collections::{BTreeMap, BTreeSet};

use pintle_engine::app::change::{ObjectChange, What};
use pintle_model::ResourceKey;
use pintle_model::application::{ClusterRef, Destination};

use super::report::{AppReport, State};

/// An object of a cluster.
type Place = (String, ResourceKey);

/// Tells of each object that moves which Application it goes to, and which it comes from.
pub(super) fn tell(base: State<'_>, head: State<'_>, apps: &mut [AppReport]) {
    let gained = places(head, apps, What::Added);
    let lost = places(base, apps, What::Removed);
    let both: BTreeSet<&Place> = gained.keys().filter(|place| lost.contains_key(*place)).collect();
    if both.is_empty() {
        return;
    }
    for app in apps {
        for (state, what, others) in [(base, What::Removed, &gained), (head, What::Added, &lost)] {
            let Some(cluster) = cluster(state, app) else { continue };
            for object in app.change.objects.iter_mut().filter(|o| o.what == what && is_one(o)) {
                let other = others.get(&(cluster.clone(), object.key.clone()));
                object.other = other.filter(|other| **other != app.name).cloned();
            }
        }
    }
}

/// Where objects come or go, each with the first Application that it comes to or goes from.
fn places(state: State<'_>, apps: &[AppReport], what: What) -> BTreeMap<Place, String> {
    let mut places = BTreeMap::new();
    for app in apps {
        let Some(cluster) = cluster(state, app) else { continue };
        for object in app.change.objects.iter().filter(|o| o.what == what && is_one(o)) {
            places
                .entry((cluster.clone(), object.key.clone()))
                .or_insert_with(|| app.name.clone());
        }
    }
    places
}

/// Whether two manifests with this identity are one object: hooks are made anew, and so is what only has `generateName`.
fn is_one(object: &ObjectChange) -> bool {
    !object.is_hook && !object.key.name.contains('*')
}

/// The cluster of an Application in a state; `None` where it has none, or is not in the state.
fn cluster(state: State<'_>, app: &AppReport) -> Option<String> {
    let destination: &Destination = &state.fleet.members.get(&app.key)?.definition.app.spec.destination;
    if destination.is_in_cluster() {
        return Some(String::new());
    }
    match destination.cluster().ok()? {
        ClusterRef::Server(server) => Some(format!("server {server}")),
        ClusterRef::Name(name) => Some(format!("name {name}")),
    }
}
