//! Pods: the scheduler and the kubelets in one.
//!
//! ```text
//! created ─► bound to a node ─► (init containers one by one) ─► containers start ─► ready
//!                                                                   └─► ended: Succeeded, Failed, or started again
//! deletionTimestamp ─► containers stop ─► gone
//! ```
//!
//! Where a Pod stands is read from its status; only the time of its next step is kept here, and is drawn anew when it is lost.

pub(super) mod behaviour;
mod container;
mod life;
mod reference;
mod schedule;

pub(super) use schedule::suits;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use jiff::Timestamp;
use pintle_model::Object;

use super::driver::{Context, Queue, Reconcile, Wake};
use super::recorder::About;
use super::table::{NODES, PODS};
use super::timing::{self, Span};
use crate::clock::{later, rfc3339};
use crate::error::ApiError;
use crate::resource::GroupResource;
use crate::store::{Event, EventKind, Name, Store};

/// The controller.
#[derive(Default)]
pub(super) struct Pods {
    runs: HashMap<Name, Run>,
    /// Pods bound so far: spreads them over the nodes.
    bound: usize,
    /// Addresses given out so far.
    addresses: u32,
}

/// What is going on with one Pod and is not in its status.
struct Run {
    uid: String,
    /// When each step that has been decided happens, by a name of the step.
    due: BTreeMap<String, Timestamp>,
    /// The last complaint that was made, to make it once. (kubelet repeats it every two minutes, but a store that waits should rest.)
    complaint: String,
}

/// One look at one Pod: asks [`Run`] what is due, and collects when to look again.
pub(super) struct Look<'a> {
    cx: &'a Context<'a>,
    pod: &'a Object,
    run: &'a mut Run,
    wake: Wake,
}

impl Look<'_> {
    /// Whether the time of `step` has come: it is drawn from `span` when first asked for.
    fn is_due(&mut self, step: &str, span: Span) -> bool {
        let pod = self.pod;
        let after = || {
            self.cx
                .jitter
                .pick(span, &format!("{}/{} {step}", pod.namespace(), pod.name()))
        };
        let at = match self.run.due.get(step) {
            Some(at) => *at,
            None => later(self.cx.now, after()),
        };
        self.reached(step, at)
    }

    /// As [`Look::is_due`] with a fixed time to wait.
    fn is_due_after(&mut self, step: &str, wait: Duration) -> bool {
        let at = self
            .run
            .due
            .get(step)
            .copied()
            .unwrap_or_else(|| later(self.cx.now, wait));
        self.reached(step, at)
    }

    fn reached(&mut self, step: &str, at: Timestamp) -> bool {
        if at <= self.cx.now {
            self.run.due.remove(step);
            return true;
        }
        self.run.due.insert(step.to_owned(), at);
        self.wake_at(at);
        false
    }

    fn wake_at(&mut self, at: Timestamp) {
        self.wake = Some(self.wake.map_or(at, |w| w.min(at)));
    }
}

impl Reconcile for Pods {
    fn name(&self) -> &'static str {
        "kubelet"
    }

    fn watches(&self) -> Vec<&'static GroupResource> {
        vec![&PODS]
    }

    fn observe(&mut self, _store: &Store, event: &Event, queue: &mut Queue) {
        if event.kind == EventKind::Deleted {
            self.runs.remove(&event.key);
        }
        queue.push(&event.key);
    }

    fn forget(&mut self) {
        self.runs.clear();
    }

    fn start(&mut self, cx: &Context<'_>) -> Result<(), ApiError> {
        super::node::create(cx)
    }

    fn reconcile(&mut self, cx: &Context<'_>, key: &Name) -> Result<Wake, ApiError> {
        let pod = match cx.store.get(&PODS, &key.0, &key.1) {
            Ok(pod) => pod,
            Err(e) => {
                self.runs.remove(key);
                return Err(e);
            }
        };
        if matches!(pod.value().str_at(&["status", "phase"]), Some("Succeeded" | "Failed")) {
            return finish(cx, &pod);
        }
        let fresh = || Run {
            uid: pod.uid().to_owned(),
            due: BTreeMap::new(),
            complaint: String::new(),
        };
        let mut run = self
            .runs
            .remove(key)
            .filter(|r| r.uid == pod.uid())
            .unwrap_or_else(fresh);
        let mut look = Look {
            cx,
            pod: &pod,
            run: &mut run,
            wake: None,
        };
        let done = if pod.deletion_timestamp().is_some() {
            terminate(&mut look)
        } else if pod.value().str_at(&["spec", "nodeName"]).is_none_or(str::is_empty) {
            schedule::step(&mut look, &mut self.bound)
        } else {
            life::step(&mut look, &mut self.addresses)
        };
        let wake = look.wake;
        self.runs.insert(key.clone(), run);
        done.map(|()| wake)
    }
}

/// A Pod whose containers have ended only waits to be deleted.
fn finish(cx: &Context<'_>, pod: &Object) -> Result<Wake, ApiError> {
    let grace = pod.value().i64_at(&["metadata", "deletionGracePeriodSeconds"]);
    if pod.deletion_timestamp().is_some() && grace != Some(0) {
        cx.delete_with(&PODS, pod, None, Some(0))?;
    }
    Ok(None)
}

/// Stops the containers, then lets the Pod go.
fn terminate(look: &mut Look<'_>) -> Result<(), ApiError> {
    let (cx, pod) = (look.cx, look.pod);
    let statuses = pod.value().list_at(&["status", "containerStatuses"]);
    let bound = pod.value().str_at(&["spec", "nodeName"]).is_some_and(|n| !n.is_empty());
    let grace = pod
        .value()
        .i64_at(&["metadata", "deletionGracePeriodSeconds"])
        .unwrap_or(0);
    if bound && grace > 0 {
        if !look.run.due.contains_key("terminate") {
            for status in statuses.iter().filter(|s| s.at(&["state", "running"]).is_some()) {
                let name = status.str_at(&["name"]).unwrap_or_default();
                let about = About::container(pod, "containers", name);
                cx.record(&about, "Normal", "Killing", &format!("Stopping container {name}"));
            }
        }
        if !look.is_due("terminate", timing::TERMINATE) {
            return Ok(());
        }
    }
    if pod.finalizers().next().is_some() && bound {
        // Somebody else still looks at it: it sees containers that have ended.
        let now = rfc3339(cx.now);
        cx.modify(&PODS, pod, |p| life::stop(p, &now))?;
    }
    if grace > 0 || pod.finalizers().next().is_none() {
        cx.delete_with(&PODS, pod, None, Some(0))?;
    }
    Ok(())
}
