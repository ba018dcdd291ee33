//! Ingresses: an ingress controller that is always there.

use std::collections::HashMap;

use jiff::Timestamp;
use pintle_model::Value;

use super::driver::{Context, Queue, Reconcile, Wake};
use super::service::public_address;
use super::table::INGRESSES;
use super::timing::LOAD_BALANCER;
use crate::clock::later;
use crate::error::ApiError;
use crate::resource::GroupResource;
use crate::store::{Event, Name, Store};

/// The controller.
#[derive(Default)]
pub(super) struct Ingresses {
    due: HashMap<Name, Timestamp>,
}

impl Reconcile for Ingresses {
    fn name(&self) -> &'static str {
        "ingress-controller"
    }

    fn watches(&self) -> Vec<&'static GroupResource> {
        vec![&INGRESSES]
    }

    fn observe(&mut self, _store: &Store, event: &Event, queue: &mut Queue) {
        queue.push(&event.key);
    }

    fn reconcile(&mut self, cx: &Context<'_>, key: &Name) -> Result<Wake, ApiError> {
        let ingress = cx.store.get(&INGRESSES, &key.0, &key.1).inspect_err(|_| {
            self.due.remove(key);
        })?;
        let has = !ingress
            .value()
            .list_at(&["status", "loadBalancer", "ingress"])
            .is_empty();
        if has || ingress.deletion_timestamp().is_some() {
            self.due.remove(key);
            return Ok(None);
        }
        let who = format!("{}/{}", key.0, key.1);
        let first = later(cx.now, cx.jitter.pick(LOAD_BALANCER, &who));
        let at = *self.due.entry(key.clone()).or_insert(first);
        if at > cx.now {
            return Ok(Some(at));
        }
        self.due.remove(key);
        let mut entry = Value::map();
        // One controller, one address for all.
        entry.set_at(&["ip"], public_address(cx, "ingress").into());
        cx.modify(&INGRESSES, &ingress, |i| {
            i.value_mut()
                .set_at(&["status", "loadBalancer", "ingress"], vec![entry].into());
        })?;
        cx.normal(&ingress, "Sync", "Scheduled for sync");
        Ok(None)
    }
}
