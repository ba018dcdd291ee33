//! ControllerRevisions: the templates a StatefulSet or a DaemonSet has had.

use pintle_model::{Gvk, Object, Value};

use super::driver::Context;
use super::owner::{controlled, controller_of, controller_reference};
use super::table::CONTROLLER_REVISIONS;
use super::template::hash;
use crate::error::ApiError;

/// The label of a Pod that says which template it is of.
pub(super) const REVISION_HASH: &str = "controller-revision-hash";
/// The same on the ControllerRevision, for StatefulSets.
const HASH: &str = "controller.kubernetes.io/hash";

/// The revisions of one owner, oldest first; the last is the current template's.
pub(super) struct History {
    revisions: Vec<Object>,
}

impl History {
    /// Finds or makes the revision of the current template, and gives it the highest number.
    pub(super) fn of(cx: &Context<'_>, owner: &Object) -> Result<Self, ApiError> {
        let template = owner
            .value()
            .at(&["spec", "template"])
            .cloned()
            .unwrap_or_else(Value::map);
        let mut data = template.clone();
        data.set_at(&["$patch"], "replace".into());
        let mut revisions = controlled(cx.store, &CONTROLLER_REVISIONS, owner);
        revisions.sort_by_key(number);
        let highest = revisions.last().map_or(0, number);
        let known = revisions
            .iter()
            .position(|r| r.value().at(&["data", "spec", "template"]) == Some(&data));
        let current = match known {
            Some(i) => {
                let revision = revisions.remove(i);
                if number(&revision) < highest {
                    cx.modify(&CONTROLLER_REVISIONS, &revision, |r| {
                        r.value_mut().set_at(&["revision"], (highest + 1).into());
                    })?
                } else {
                    revision
                }
            }
            None => {
                let hash = hash(&template);
                let gvk = Gvk::new("apps", "v1", "ControllerRevision");
                let name = format!("{}-{hash}", owner.name());
                let mut revision = Object::bare(&gvk, owner.namespace(), &name);
                let value = revision.value_mut();
                if let Some(labels) = template.at(&["metadata", "labels"]) {
                    value.set_at(&["metadata", "labels"], labels.clone());
                }
                let label = if owner.kind() == "DaemonSet" {
                    REVISION_HASH
                } else {
                    HASH
                };
                value.set_at(&["metadata", "labels", label], hash.into());
                let reference = controller_reference(owner);
                value.set_at(&["metadata", "ownerReferences"], vec![reference].into());
                value.set_at(&["data", "spec", "template"], data);
                value.set_at(&["revision"], (highest + 1).into());
                create_or_adopt(cx, revision)?
            }
        };
        revisions.push(current);
        Ok(Self { revisions })
    }

    /// The revision of the current template.
    pub(super) fn current(&self) -> Option<&Object> {
        self.revisions.last()
    }

    /// What a Pod of the current template carries in [`REVISION_HASH`]: the name for a StatefulSet, the bare hash for a DaemonSet.
    pub(super) fn current_label(&self, owner: &Object) -> String {
        let name = self.current().map_or("", Object::name);
        if owner.kind() == "DaemonSet" {
            let prefix = format!("{}-", owner.name());
            return name.strip_prefix(&prefix).unwrap_or(name).to_owned();
        }
        name.to_owned()
    }

    /// The template of a revision by name, if it is still kept.
    pub(super) fn template(&self, name: &str) -> Option<Value> {
        let revision = self.revisions.iter().find(|r| r.name() == name)?;
        let mut template = revision.value().at(&["data", "spec", "template"]).cloned()?;
        template.remove_at(&["$patch"]);
        Some(template)
    }

    /// Removes the oldest revisions beyond `revisionHistoryLimit` that `is_used` does not hold.
    pub(super) fn clean_up(
        &self,
        cx: &Context<'_>,
        owner: &Object,
        is_used: impl Fn(&Object) -> bool,
    ) -> Result<(), ApiError> {
        let limit = owner.value().i64_at(&["spec", "revisionHistoryLimit"]).unwrap_or(10);
        let limit = usize::try_from(limit).unwrap_or(0);
        let old: Vec<&Object> = self.revisions.iter().rev().skip(1).filter(|r| !is_used(r)).collect();
        for revision in old.into_iter().skip(limit) {
            cx.delete(&CONTROLLER_REVISIONS, revision)?;
        }
        Ok(())
    }
}

/// A revision of that name may have been left behind by an owner that was deleted without it.
fn create_or_adopt(cx: &Context<'_>, revision: Object) -> Result<Object, ApiError> {
    let (wanted, namespace) = (revision.clone(), revision.namespace().to_owned());
    match cx.create(&CONTROLLER_REVISIONS, revision) {
        Err(e) if e.reason == "AlreadyExists" => {
            let found = cx.store.get(&CONTROLLER_REVISIONS, &namespace, wanted.name())?;
            if controller_of(&found).is_some() {
                return Err(e);
            }
            cx.modify(&CONTROLLER_REVISIONS, &found, |r| {
                for path in [&["metadata", "ownerReferences"][..], &["data"], &["revision"]] {
                    if let Some(content) = wanted.value().at(path) {
                        r.value_mut().set_at(path, content.clone());
                    }
                }
            })
        }
        made => made,
    }
}

fn number(revision: &Object) -> i64 {
    revision.value().i64_at(&["revision"]).unwrap_or(0)
}
