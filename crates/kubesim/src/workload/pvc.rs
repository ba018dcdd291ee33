//! PersistentVolumeClaims: a provisioner that makes a volume for every claim. Claims of all classes are bound at once; to wait for the first
//! consumer is not simulated.

use std::collections::HashMap;

use jiff::Timestamp;
use pintle_model::{Gvk, Object, Value};

use super::driver::{Context, Queue, Reconcile, Wake};
use super::table::{PVCS, PVS};
use super::timing::BIND_VOLUME;
use crate::clock::later;
use crate::error::ApiError;
use crate::resource::GroupResource;
use crate::store::{Event, EventKind, Name, Store};

/// The controller.
#[derive(Default)]
pub(super) struct Claims {
    due: HashMap<Name, Timestamp>,
    /// Claims that went: the volumes that were theirs, by key.
    released: HashMap<Name, String>,
}

impl Reconcile for Claims {
    fn name(&self) -> &'static str {
        "persistentvolume-controller"
    }

    fn watches(&self) -> Vec<&'static GroupResource> {
        vec![&PVCS, &PVS]
    }

    fn observe(&mut self, _store: &Store, event: &Event, queue: &mut Queue) {
        if event.gr == *PVCS {
            if event.kind == EventKind::Deleted
                && let Some(volume) = event.object.value().str_at(&["spec", "volumeName"])
            {
                self.released.insert(event.key.clone(), volume.to_owned());
            }
            queue.push(&event.key);
            return;
        }
        // A volume whose claim is gone is looked at through the name of the claim.
        let claim = event.object.value().at(&["spec", "claimRef"]);
        let text = |f: &str| claim.and_then(|c| c.str_at(&[f])).unwrap_or_default();
        if !text("name").is_empty() {
            let key: Name = (text("namespace").into(), text("name").into());
            if event.kind != EventKind::Deleted {
                self.released
                    .entry(key.clone())
                    .or_insert_with(|| event.object.name().to_owned());
            }
            queue.push(&key);
        }
    }

    fn reconcile(&mut self, cx: &Context<'_>, key: &Name) -> Result<Wake, ApiError> {
        let claim = cx.store.get(&PVCS, &key.0, &key.1).ok();
        if let Some(volume) = self.released.remove(key)
            && let Ok(volume) = cx.store.get(&PVS, "", &volume)
        {
            let owner = volume.value().str_at(&["spec", "claimRef", "uid"]);
            if owner.is_some() && owner != claim.as_ref().map(Object::uid) {
                release(cx, &volume)?;
            }
        }
        let Some(claim) = claim else {
            self.due.remove(key);
            return Ok(None);
        };
        if claim.deletion_timestamp().is_some() || claim.value().str_at(&["status", "phase"]) == Some("Bound") {
            self.due.remove(key);
            return Ok(None);
        }
        let first = later(cx.now, cx.jitter.pick(BIND_VOLUME, &format!("{}/{}", key.0, key.1)));
        let at = *self.due.entry(key.clone()).or_insert(first);
        if at > cx.now {
            if claim.value().at(&["status", "phase"]).is_none() {
                cx.modify(&PVCS, &claim, |c| {
                    c.value_mut().set_at(&["status", "phase"], "Pending".into());
                })?;
            }
            return Ok(Some(at));
        }
        self.due.remove(key);
        bind(cx, &claim)?;
        Ok(None)
    }
}

/// Makes the volume unless the claim names one that is there, and binds the two.
fn bind(cx: &Context<'_>, claim: &Object) -> Result<(), ApiError> {
    let asked = claim.value().str_at(&["spec", "volumeName"]).filter(|n| !n.is_empty());
    let name = asked.map_or_else(|| format!("pvc-{}", claim.uid()), str::to_owned);
    let mut reference = Value::map();
    for (field, text) in [
        ("apiVersion", "v1"),
        ("kind", "PersistentVolumeClaim"),
        ("name", claim.name()),
        ("namespace", claim.namespace()),
        ("uid", claim.uid()),
    ] {
        reference.set_at(&[field], text.into());
    }
    let volume = match cx.store.get(&PVS, "", &name) {
        Ok(volume) => cx.modify(&PVS, &volume, |v| {
            v.value_mut().set_at(&["spec", "claimRef"], reference);
            v.value_mut().set_at(&["status", "phase"], "Bound".into());
        })?,
        Err(_) => {
            let volume = cx.create(&PVS, volume(claim, &name, reference))?;
            let message = format!("Successfully provisioned volume {name}");
            cx.normal(claim, "ProvisioningSucceeded", &message);
            volume
        }
    };
    cx.modify(&PVCS, claim, |c| {
        for annotation in ["bind-completed", "bound-by-controller"] {
            c.set_annotation(&format!("pv.kubernetes.io/{annotation}"), "yes");
        }
        let value = c.value_mut();
        value.set_at(&["spec", "volumeName"], name.into());
        value.set_at(&["status", "phase"], "Bound".into());
        for field in ["accessModes", "capacity"] {
            if let Some(content) = volume.value().at(&["spec", field]) {
                value.set_at(&["status", field], content.clone());
            }
        }
    })?;
    Ok(())
}

fn volume(claim: &Object, name: &str, reference: Value) -> Object {
    let mut volume = Object::bare(&Gvk::new("", "v1", "PersistentVolume"), "", name);
    volume.set_annotation("pv.kubernetes.io/provisioned-by", "kubesim");
    let value = volume.value_mut();
    let of = |path: &[&str]| claim.value().at(path).cloned();
    let size = of(&["spec", "resources", "requests", "storage"]).unwrap_or_else(|| "1Gi".into());
    value.set_at(&["spec", "capacity", "storage"], size);
    let modes = of(&["spec", "accessModes"]).unwrap_or_else(|| vec!["ReadWriteOnce".into()].into());
    value.set_at(&["spec", "accessModes"], modes);
    value.set_at(&["spec", "claimRef"], reference);
    value.set_at(&["spec", "persistentVolumeReclaimPolicy"], "Delete".into());
    for (field, default) in [("storageClassName", ""), ("volumeMode", "Filesystem")] {
        let content = of(&["spec", field]).unwrap_or_else(|| default.into());
        value.set_at(&["spec", field], content);
    }
    value.set_at(&["spec", "hostPath", "path"], format!("/var/lib/kubesim/{name}").into());
    value.set_at(&["status", "phase"], "Bound".into());
    volume
}

/// What happens to a volume whose claim is gone.
fn release(cx: &Context<'_>, volume: &Object) -> Result<(), ApiError> {
    if volume.value().str_at(&["spec", "persistentVolumeReclaimPolicy"]) == Some("Delete") {
        return cx.delete(&PVS, volume);
    }
    cx.modify(&PVS, volume, |v| {
        v.value_mut().set_at(&["status", "phase"], "Released".into());
    })?;
    Ok(())
}
