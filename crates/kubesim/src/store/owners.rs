//! Which UIDs exist, and who names whom as owner: kept with every write so that garbage collection never scans.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use pintle_model::Object;

use super::Name;
use crate::resource::GroupResource;

#[derive(Default)]
pub(super) struct Owners {
    existing: HashSet<Arc<str>>,
    dependents: HashMap<Arc<str>, BTreeSet<(GroupResource, Name)>>,
}

impl Owners {
    pub(super) fn exists(&self, uid: &str) -> bool {
        self.existing.contains(uid)
    }

    pub(super) fn dependents(&self, uid: &str) -> impl Iterator<Item = (&GroupResource, &Name)> {
        self.dependents
            .get(uid)
            .into_iter()
            .flatten()
            .map(|(gr, key)| (gr, key))
    }

    pub(super) fn update(&mut self, gr: &GroupResource, key: &Name, before: Option<&Object>, after: Option<&Object>) {
        if let Some(before) = before {
            for owner in before.owner_references() {
                if let Some(set) = self.dependents.get_mut(owner.uid) {
                    set.remove(&(gr.clone(), key.clone()));
                    if set.is_empty() {
                        self.dependents.remove(owner.uid);
                    }
                }
            }
            if after.is_none_or(|a| a.uid() != before.uid()) {
                self.existing.remove(before.uid());
            }
        }
        if let Some(after) = after {
            self.existing.insert(after.uid().into());
            for owner in after.owner_references() {
                self.dependents
                    .entry(owner.uid.into())
                    .or_default()
                    .insert((gr.clone(), key.clone()));
            }
        }
    }
}
