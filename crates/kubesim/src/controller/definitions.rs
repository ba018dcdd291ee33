//! Custom resource definitions: served a moment after they are made, emptied before they go.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use pintle_model::{Object, Value};

use super::garbage::remove_finalizer;
use crate::clock::{later, parse_time, rfc3339};
use crate::crd::definition::CLEANUP;
use crate::crd::resource_of;
use crate::resource::GroupResource;
use crate::simulate::Controller;
use crate::store::{DeleteOptions, EventKind, Store};

/// Between the creation of a definition and its being served: real API servers take about this long, and callers that do not wait for
/// `Established` are caught by it.
const DELAY: Duration = Duration::from_millis(100);

/// Serves what definitions define.
#[derive(Default)]
pub struct Definitions {
    seen: u64,
    /// Definitions not served yet, and when they will be.
    due: BTreeMap<String, Timestamp>,
    /// The resources that are served, by the name of their definition.
    served: BTreeMap<String, GroupResource>,
}

impl Controller for Definitions {
    fn name(&self) -> &'static str {
        "custom-resource-definitions"
    }

    fn step(&mut self, store: &Store, now: Timestamp) -> Option<Timestamp> {
        let table = GroupResource::new("apiextensions.k8s.io", "customresourcedefinitions");
        let touched: BTreeSet<String> = match store.events_since(self.seen) {
            Ok(events) => {
                self.seen = events.last().map_or(self.seen, |e| e.revision);
                let ours = events.iter().filter(|e| e.gr == table);
                let mut names: BTreeSet<String> = ours.map(|e| e.key.1.to_string()).collect();
                // The last instance of a definition that is going away is gone.
                for event in events.iter().filter(|e| e.kind == EventKind::Deleted) {
                    names.extend(
                        self.served
                            .iter()
                            .filter(|(_, gr)| **gr == event.gr)
                            .map(|(name, _)| name.clone()),
                    );
                }
                names
            }
            Err(_) => {
                let listing = store.list(&table, None);
                self.seen = listing.revision;
                let mut names: BTreeSet<String> = listing.objects.iter().map(|o| o.name().to_owned()).collect();
                names.extend(self.served.keys().cloned());
                names
            }
        };
        for name in touched {
            self.look(store, &table, &name, now);
        }
        let due: Vec<String> = self
            .due
            .iter()
            .filter(|(_, at)| **at <= now)
            .map(|(n, _)| n.clone())
            .collect();
        for name in due {
            self.due.remove(&name);
            if let Ok(definition) = store.get(&table, "", &name) {
                self.serve(store, &table, &definition, now);
            }
        }
        self.due.values().min().copied()
    }
}

impl Definitions {
    fn look(&mut self, store: &Store, table: &GroupResource, name: &str, now: Timestamp) {
        let Ok(definition) = store.get(table, "", name) else {
            self.due.remove(name);
            if let Some(gr) = self.served.remove(name) {
                store.change_resources(|r| {
                    r.remove(&gr);
                });
            }
            return;
        };
        if definition.deletion_timestamp().is_some() {
            self.clean(store, table, &definition);
        } else if self.served.contains_key(name) {
            // A changed schema is in force at once.
            if let Some(resource) = resource_of(&definition) {
                store.change_resources(|r| r.insert(resource));
            }
        } else {
            let created = parse_time(definition.creation_timestamp()).unwrap_or(now).max(now);
            self.due.entry(name.to_owned()).or_insert_with(|| later(created, DELAY));
        }
    }

    fn serve(&mut self, store: &Store, table: &GroupResource, definition: &Object, now: Timestamp) {
        let Some(resource) = resource_of(definition) else {
            return;
        };
        let taken = store
            .resources()
            .iter()
            .any(|r| r.gr.group == resource.gr.group && r.gr != resource.gr && r.kind == resource.kind);
        if !taken {
            self.served.insert(definition.name().to_owned(), resource.gr.clone());
            store.change_resources(|r| r.insert(resource));
        }
        let _ = store.modify(table, "", definition.name(), |o| {
            let names = o.value().at(&["spec", "names"]).cloned().unwrap_or_else(Value::map);
            let accepted = if taken { "False" } else { "True" };
            let conditions = vec![
                condition(
                    "NamesAccepted",
                    accepted,
                    if taken { "KindConflict" } else { "NoConflicts" },
                    if taken {
                        "the kind is already in use"
                    } else {
                        "no conflicts found"
                    },
                    now,
                ),
                condition(
                    "Established",
                    accepted,
                    if taken { "NotAccepted" } else { "InitialNamesAccepted" },
                    if taken {
                        "not all names are accepted"
                    } else {
                        "the initial names have been accepted"
                    },
                    now,
                ),
            ];
            o.value_mut().set_at(&["status", "conditions"], Value::list(conditions));
            if !taken {
                o.value_mut().set_at(&["status", "acceptedNames"], names);
            }
        });
    }

    /// Deletes the instances, and the definition after the last of them.
    fn clean(&mut self, store: &Store, table: &GroupResource, definition: &Object) {
        let instances = self
            .served
            .get(definition.name())
            .map(|gr| (gr, store.list(gr, None).objects));
        let mut left = false;
        for (gr, object) in instances
            .into_iter()
            .flat_map(|(gr, objects)| objects.into_iter().map(move |o| (gr, o)))
        {
            if object.deletion_timestamp().is_none() {
                let _ = store.delete(gr, object.namespace(), object.name(), &DeleteOptions::default());
            }
            left |= store.get(gr, object.namespace(), object.name()).is_ok();
        }
        if !left {
            let _ = store.modify(table, "", definition.name(), |o| remove_finalizer(o, CLEANUP));
        }
    }
}

fn condition(kind: &str, status: &str, reason: &str, message: &str, now: Timestamp) -> Value {
    let mut c = Value::map();
    c.set_at(&["type"], kind.into());
    c.set_at(&["status"], status.into());
    c.set_at(&["reason"], reason.into());
    c.set_at(&["message"], message.into());
    c.set_at(&["lastTransitionTime"], rfc3339(now).into());
    c
}
