//! Core `Event` objects, repeated ones counted, the number bounded.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use pintle_model::{Gvk, Object, Value};

use super::driver::Context;
use super::table;
use crate::clock::rfc3339;
use crate::store::Name;

/// Events kept by all controllers together; the oldest goes first. A real API server drops them after an hour; a bound on the number keeps
/// a thousand applications from filling the memory instead.
const MAX_EVENTS: usize = 4096;

/// What an event is about.
pub(super) struct About<'a> {
    object: &'a Object,
    field_path: String,
}

impl<'a> About<'a> {
    /// The object as a whole.
    pub(super) fn object(object: &'a Object) -> Self {
        Self {
            object,
            field_path: String::new(),
        }
    }

    /// One container of a Pod; `list` is `containers` or `initContainers`.
    pub(super) fn container(pod: &'a Object, list: &str, container: &str) -> Self {
        Self {
            object: pod,
            field_path: format!("spec.{list}{{{container}}}"),
        }
    }
}

/// Writes events; shared by all controllers of one simulation.
#[derive(Default)]
pub(super) struct Recorder(Mutex<Written>);

#[derive(Default)]
struct Written {
    /// Oldest first, at most [`MAX_EVENTS`].
    order: VecDeque<(Key, Name)>,
    by_key: HashMap<Key, Name>,
    count: u64,
}

/// UID, field path, reason, message: an event equal in all of them is counted up.
type Key = (String, String, String, String);

impl Recorder {
    /// Writes or counts up an event. A failure is dropped, as the client library of the real controllers does after some tries.
    pub(super) fn record(
        &self,
        cx: &Context<'_>,
        about: &About<'_>,
        (kind, reason): (&str, &str),
        message: &str,
        source: &str,
    ) {
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (
            about.object.uid().to_owned(),
            about.field_path.clone(),
            reason.to_owned(),
            message.to_owned(),
        );
        let now = rfc3339(cx.now);
        if let Some((namespace, name)) = written.by_key.get(&key) {
            let counted = cx.store.modify(&table::EVENTS, namespace, name, |event| {
                let count = event.value().i64_at(&["count"]).unwrap_or(1);
                event.value_mut().set_at(&["count"], count.saturating_add(1).into());
                event.value_mut().set_at(&["lastTimestamp"], now.as_str().into());
            });
            if counted.is_ok() {
                return;
            }
        }
        written.count += 1;
        // As client-go: the object's name and a number in hexadecimal, here a counter instead of the time so that runs repeat.
        let name = format!("{}.{:016x}", about.object.name(), written.count);
        let event = event(about, &name, (kind, reason), message, (source, &now));
        let place: Name = (event.namespace().into(), name.as_str().into());
        if cx.create(&table::EVENTS, event).is_err() {
            return;
        }
        written.by_key.insert(key.clone(), place.clone());
        written.order.push_back((key, place));
        while written.order.len() > MAX_EVENTS {
            let Some((key, (namespace, name))) = written.order.pop_front() else {
                break;
            };
            if written
                .by_key
                .get(&key)
                .is_some_and(|(n, m)| (n, m) == (&namespace, &name))
            {
                written.by_key.remove(&key);
            }
            // Gone already with its namespace, perhaps.
            let _ = cx.store.delete(&table::EVENTS, &namespace, &name, &Default::default());
        }
    }
}

fn event(
    about: &About<'_>,
    name: &str,
    (kind, reason): (&str, &str),
    message: &str,
    (source, now): (&str, &str),
) -> Object {
    let object = about.object;
    let namespace = if object.namespace().is_empty() {
        "default"
    } else {
        object.namespace()
    };
    let mut event = Object::bare(&Gvk::new("", "v1", "Event"), namespace, name);
    let value = event.value_mut();
    for (field, text) in [
        ("apiVersion", object.api_version()),
        ("kind", object.kind()),
        ("name", object.name()),
        ("namespace", object.namespace()),
        ("resourceVersion", object.resource_version()),
        ("uid", object.uid()),
        ("fieldPath", &about.field_path),
    ] {
        if !text.is_empty() {
            value.set_at(&["involvedObject", field], text.into());
        }
    }
    value.set_at(&["reason"], reason.into());
    value.set_at(&["message"], message.into());
    value.set_at(&["type"], kind.into());
    value.set_at(&["count"], 1.into());
    value.set_at(&["firstTimestamp"], now.into());
    value.set_at(&["lastTimestamp"], now.into());
    value.set_at(&["eventTime"], Value::Null);
    value.set_at(&["source", "component"], source.into());
    value.set_at(&["reportingComponent"], source.into());
    value.set_at(&["reportingInstance"], "".into());
    event
}
