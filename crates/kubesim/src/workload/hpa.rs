//! HorizontalPodAutoscalers: shown as working, and never scaling, for there is no load.

use pintle_model::{Gvk, Object};

use super::condition;
use super::driver::{Context, Queue, Reconcile, Wake};
use super::replica_set::replicas;
use super::table::HPAS;
use super::timing::LOOK_AGAIN;
use crate::clock::{later, rfc3339};
use crate::error::ApiError;
use crate::resource::GroupResource;
use crate::store::{Event, Name, Store};

/// The controller.
#[derive(Default)]
pub(super) struct Autoscalers;

impl Reconcile for Autoscalers {
    fn name(&self) -> &'static str {
        "horizontal-pod-autoscaler"
    }

    fn watches(&self) -> Vec<&'static GroupResource> {
        vec![&HPAS]
    }

    fn observe(&mut self, _store: &Store, event: &Event, queue: &mut Queue) {
        queue.push(&event.key);
    }

    fn reconcile(&mut self, cx: &Context<'_>, key: &Name) -> Result<Wake, ApiError> {
        let scaler = cx.store.get(&HPAS, &key.0, &key.1)?;
        if scaler.deletion_timestamp().is_some() {
            return Ok(None);
        }
        let target = target(cx.store, &scaler);
        let size = target.as_ref().map(replicas);
        let (able, active) = match size {
            None => (
                (
                    "FailedGetScale",
                    "the HPA controller was unable to get the target's current scale",
                ),
                None,
            ),
            Some(0) => (
                (
                    "SucceededGetScale",
                    "the HPA controller was able to get the target's current scale",
                ),
                Some((
                    false,
                    "ScalingDisabled",
                    "scaling is disabled since the replica count of the target is zero",
                )),
            ),
            Some(_) => (
                ("ReadyForNewScale", "recommended size matches current size"),
                Some((
                    true,
                    "ValidMetricFound",
                    "the HPA was able to successfully calculate a replica count",
                )),
            ),
        };
        let now = rfc3339(cx.now);
        cx.modify(&HPAS, &scaler, |s| {
            let mut conditions = s.value().list_at(&["status", "conditions"]).to_vec();
            let able = condition::new("AbleToScale", size.is_some(), able.0, able.1);
            condition::put(&mut conditions, able, &now);
            if let Some((is_active, reason, message)) = active {
                let active = condition::new("ScalingActive", is_active, reason, message);
                condition::put(&mut conditions, active, &now);
                let message = "the desired count is within the acceptable range";
                let limited = condition::new("ScalingLimited", false, "DesiredWithinRange", message);
                condition::put(&mut conditions, limited, &now);
            }
            let value = s.value_mut();
            value.set_at(&["status", "conditions"], conditions.into());
            if let Some(size) = size {
                value.set_at(&["status", "currentReplicas"], size.into());
                value.set_at(&["status", "desiredReplicas"], size.into());
            }
        })?;
        // Targets are of any kind: they are looked at instead of watched, at the pace of the real controller when all is well.
        let pause = if size.is_some() { 15 * 4 } else { 4 };
        Ok(Some(later(cx.now, LOOK_AGAIN.saturating_mul(pause))))
    }
}

fn target(store: &Store, scaler: &Object) -> Option<Object> {
    let target = scaler.value().at(&["spec", "scaleTargetRef"])?;
    let api_version = target.str_at(&["apiVersion"]).unwrap_or_default();
    let gvk = Gvk::from_api_version(api_version, target.str_at(&["kind"])?);
    let resource = store.resources().by_kind(&gvk.group, &gvk.kind).cloned()?;
    store
        .get(&resource.gr, scaler.namespace(), target.str_at(&["name"])?)
        .ok()
}
