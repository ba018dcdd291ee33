//! For programs.

use pintle_engine::app::change::{Fate, ObjectChange, What};
use pintle_model::{Masked, Value};

use super::word;
use crate::command::diff::report::{AppReport, Known, Report, Revision};

/// Everything as one value. Secrets are masked as everywhere.
pub(crate) fn json(report: &Report) -> Value {
    let totals = report.totals();
    let mut value = Value::map();
    value.set_at(&["base"], revision(&report.base));
    value.set_at(&["head"], revision(&report.head));
    let tracked: Vec<Value> = report.tracked.iter().map(|name| name.as_str().into()).collect();
    value.set_at(&["branches"], Value::list(tracked));
    for (path, count) in [
        (["summary", "applications", "added"], totals.apps_added),
        (["summary", "applications", "changed"], totals.apps_changed),
        (["summary", "applications", "removed"], totals.apps_removed),
        (["summary", "applications", "unchanged"], report.unchanged),
        (["summary", "applications", "failed"], totals.apps_failed),
        (["summary", "applications", "kept"], totals.apps_staying),
        (
            ["summary", "applications", "objectsNotKnown"],
            totals.apps_without_objects,
        ),
        (["summary", "objects", "added"], totals.objects_added),
        (["summary", "objects", "changed"], totals.objects_changed),
        (["summary", "objects", "removed"], totals.objects_removed),
        (["summary", "objects", "deleted"], totals.objects_deleted),
    ] {
        value.set_at(&path, number(count));
    }
    value.set_at(&["failed"], Value::Bool(report.has_failed()));
    value.set_at(
        &["applications"],
        Value::list(report.apps.iter().map(application).collect()),
    );
    let [before, after] = report.sets;
    value.set_at(&["applicationSets", "base"], number(before));
    value.set_at(&["applicationSets", "head"], number(after));
    for (files, state) in report.unreadable.iter().zip(["base", "head"]) {
        let mut list = Vec::new();
        for (file, why) in files {
            let mut entry = Value::map();
            entry.set_at(&["file"], file.as_str().into());
            entry.set_at(&["error"], why.as_str().into());
            list.push(entry);
        }
        value.set_at(&["unreadable", state], Value::list(list));
    }
    for (revision, count) in &report.pinned {
        value.set_at(&["pinned", revision], number(*count));
    }
    let notes: Vec<Value> = report.notes.iter().map(|note| note.as_str().into()).collect();
    value.set_at(&["notes"], Value::list(notes));
    value
}

fn revision(of: &Revision) -> Value {
    let mut value = Value::map();
    value.set_at(&["revision"], of.given.as_str().into());
    value.set_at(&["commit"], of.commit.as_str().into());
    value
}

fn number(count: usize) -> Value {
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

fn application(app: &AppReport) -> Value {
    let change = &app.change;
    let mut value = Value::map();
    value.set_at(&["namespace"], (&*app.key.namespace).into());
    value.set_at(&["name"], (&*app.key.name).into());
    value.set_at(&["definedIn"], app.origin.to_string().into());
    let what = match app.known() {
        Known::Nothing => "unknown",
        Known::All | Known::NotItsObjects => word(change.what),
    };
    value.set_at(&["change"], what.into());
    for (state, why) in [("base", &change.failure.base), ("head", &change.failure.head)] {
        if let Some(why) = why {
            value.set_at(&["errors", state], why.as_str().into());
        }
    }
    if let Some(cause) = &app.because {
        value.set_at(&["causedBy"], cause.to_string().into());
    }
    if let Some(departure) = &change.departure {
        value.set_at(&["removal", "deleted"], Value::Bool(departure.is_deleting()));
        value.set_at(&["removal", "reason"], departure.word().into());
        value.set_at(&["removal", "message"], departure.sentence().into_owned().into());
    }
    if let Some(moved) = &change.moved {
        value.set_at(&["moved", "from"], moved.from.as_str().into());
        value.set_at(&["moved", "to"], moved.to.as_str().into());
    }
    let images = change.images.iter().map(|image| {
        let mut value = Value::map();
        for (state, image) in [("base", &image.before), ("head", &image.after)] {
            if let Some(image) = image {
                value.set_at(&[state], image.as_str().into());
            }
        }
        value
    });
    value.set_at(&["images"], Value::list(images.collect()));
    if let Some(manifest) = &change.manifest {
        value.set_at(&["manifest"], object(manifest));
    }
    value.set_at(&["objects"], Value::list(change.objects.iter().map(object).collect()));
    value
}

fn object(change: &ObjectChange) -> Value {
    let mut value = Value::map();
    let key = &change.key;
    for (field, text) in [
        ("group", &key.group),
        ("kind", &key.kind),
        ("namespace", &key.namespace),
        ("name", &key.name),
    ] {
        value.set_at(&[field], (&**text).into());
    }
    value.set_at(&["change"], word(change.what).into());
    value.set_at(&["hook"], Value::Bool(change.is_hook));
    if let Some(fate) = &change.fate {
        fate_of(&mut value, fate);
    }
    if let Some(other) = &change.other {
        let direction = if change.what == What::Removed { "to" } else { "from" };
        value.set_at(&["moves", direction], other.as_str().into());
    }
    for (state, object) in [("base", &change.before), ("head", &change.after)] {
        if let Some(object) = object.as_ref().map(Masked::value) {
            value.set_at(&[state], object.clone());
        }
    }
    value
}

fn fate_of(value: &mut Value, fate: &Fate) {
    value.set_at(&["removal", "deleted"], Value::Bool(fate.is_deleted()));
    value.set_at(&["removal", "reason"], fate.word().into());
    value.set_at(&["removal", "message"], fate.sentence().into_owned().into());
}
