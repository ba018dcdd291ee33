//! DaemonSets: one Pod on every node that suits.

use std::collections::BTreeMap;

use pintle_model::{Object, Value};

use super::driver::{Context, Queue, Reconcile, Wake};
use super::history::{History, REVISION_HASH};
use super::owner::{self, Orphans};
use super::pod::suits;
use super::replica_set::{Tally, count, min_ready, set_count};
use super::selector::Selector;
use super::table::{DAEMON_SETS, NODES, PODS};
use super::template;
use crate::error::ApiError;
use crate::resource::GroupResource;
use crate::store::{Event, EventKind, Name, Store};

/// The controller.
#[derive(Default)]
pub(super) struct DaemonSets {
    orphans: Orphans,
}

impl Reconcile for DaemonSets {
    fn name(&self) -> &'static str {
        "daemonset-controller"
    }

    fn watches(&self) -> Vec<&'static GroupResource> {
        vec![&DAEMON_SETS, &PODS, &NODES]
    }

    fn observe(&mut self, store: &Store, event: &Event, queue: &mut Queue) {
        if event.gr == *DAEMON_SETS {
            queue.push(&event.key);
        } else if event.gr == *PODS {
            queue.push_owners(event, "apps", "DaemonSet");
            self.orphans.observe(store, event, &DAEMON_SETS, queue);
        } else if event.kind == EventKind::Deleted
            || event
                .previous
                .as_ref()
                .is_none_or(|p| p.labels() != event.object.labels())
        {
            for set in store.list(&DAEMON_SETS, None).objects {
                queue.push_name(set.namespace(), set.name());
            }
        }
    }

    fn forget(&mut self) {
        self.orphans.forget();
    }

    fn reconcile(&mut self, cx: &Context<'_>, key: &Name) -> Result<Wake, ApiError> {
        let set = cx.store.get(&DAEMON_SETS, &key.0, &key.1)?;
        if set.deletion_timestamp().is_some() {
            return Ok(None);
        }
        let pods = owner::claim(cx, &PODS, &set, &Selector::of(&set), &self.orphans)?;
        let history = History::of(cx, &set)?;
        let hash = history.current_label(&set);
        let mut by_node: BTreeMap<String, Vec<Object>> = BTreeMap::new();
        for pod in pods {
            by_node.entry(node_of(&pod).to_owned()).or_default().push(pod);
        }
        let probe = template::pod(
            &set,
            set.value().at(&["spec", "template"]).unwrap_or(&Value::Null),
            "probe",
        );
        let nodes: Vec<Object> = cx.store.list(&NODES, None).objects;
        let (wanted, unwanted): (Vec<Object>, Vec<Object>) = nodes.into_iter().partition(|n| suits(&probe, n));
        for node in &wanted {
            place(
                cx,
                &set,
                node,
                &hash,
                by_node.entry(node.name().to_owned()).or_default(),
            )?;
        }
        let misplaced: Vec<&str> = unwanted.iter().map(Object::name).collect();
        for (node, pods) in &by_node {
            if !wanted.iter().any(|n| n.name() == node) {
                for pod in pods.iter().filter(|p| p.deletion_timestamp().is_none()) {
                    remove(cx, &set, pod)?;
                }
            }
        }
        let names: Vec<&str> = wanted.iter().map(Object::name).collect();
        replace_old(cx, &set, &hash, &names, &by_node)?;
        let wake = write_status(cx, &set, &hash, &names, &misplaced, &by_node)?;
        history.clean_up(cx, &set, |revision| {
            let mut pods = by_node.values().flatten();
            pods.any(|p| p.label(REVISION_HASH) == revision.label(REVISION_HASH))
        })?;
        Ok(wake)
    }
}

/// Where a DaemonSet's affinity names the node.
const TERMS: [&str; 5] = [
    "spec",
    "affinity",
    "nodeAffinity",
    "requiredDuringSchedulingIgnoredDuringExecution",
    "nodeSelectorTerms",
];

/// The node a Pod is on, or is meant for.
fn node_of(pod: &Object) -> &str {
    let bound = pod.value().str_at(&["spec", "nodeName"]).filter(|n| !n.is_empty());
    bound.or_else(|| meant_for(pod)).unwrap_or_default()
}

fn meant_for(pod: &Object) -> Option<&str> {
    let field = pod.value().list_at(&TERMS).first()?.list_at(&["matchFields"]).first()?;
    field.list_at(&["values"]).first()?.as_str()
}

/// Sees to it that there is one living Pod on a node.
fn place(cx: &Context<'_>, set: &Object, node: &Object, hash: &str, pods: &mut Vec<Object>) -> Result<(), ApiError> {
    let is_over = |p: &Object| p.value().str_at(&["status", "phase"]) == Some("Failed");
    for pod in pods.iter().filter(|p| is_over(p) && p.deletion_timestamp().is_none()) {
        cx.warning(
            set,
            "FailedDaemonPod",
            &format!(
                "Found failed daemon pod {}/{} on node {}, will try to kill it",
                pod.namespace(),
                pod.name(),
                node.name()
            ),
        );
        remove(cx, set, pod)?;
    }
    if !pods.is_empty() {
        return Ok(());
    }
    let template = set
        .value()
        .at(&["spec", "template"])
        .cloned()
        .unwrap_or_else(Value::map);
    let mut pod = template::pod(set, &template, "");
    pod.set_label(REVISION_HASH, hash);
    pod.set_label("pod-template-generation", set.generation().unwrap_or(1).to_string());
    let mut field = Value::map();
    field.set_at(&["key"], "metadata.name".into());
    field.set_at(&["operator"], "In".into());
    field.set_at(&["values"], vec![node.name().into()].into());
    let mut term = Value::map();
    term.set_at(&["matchFields"], vec![field].into());
    pod.value_mut().set_at(&TERMS, vec![term].into());
    let pod = cx.create(&PODS, pod)?;
    cx.normal(set, "SuccessfulCreate", &format!("Created pod: {}", pod.name()));
    pods.push(pod);
    Ok(())
}

fn remove(cx: &Context<'_>, set: &Object, pod: &Object) -> Result<(), ApiError> {
    cx.delete(&PODS, pod)?;
    cx.normal(set, "SuccessfulDelete", &format!("Deleted pod: {}", pod.name()));
    Ok(())
}

/// Takes Pods of older templates away, as many at a time as may be unavailable.
fn replace_old(
    cx: &Context<'_>,
    set: &Object,
    hash: &str,
    nodes: &[&str],
    by_node: &BTreeMap<String, Vec<Object>>,
) -> Result<(), ApiError> {
    let strategy = set.value().at(&["spec", "updateStrategy"]);
    if strategy.and_then(|s| s.str_at(&["type"])) == Some("OnDelete") {
        return Ok(());
    }
    let one = Value::Int(1);
    let most = strategy
        .and_then(|s| s.at(&["rollingUpdate", "maxUnavailable"]))
        .unwrap_or(&one);
    let most = super::deployment::share(most, count(nodes.len()), true).max(1);
    let mut room = most;
    let mut old: Vec<(&Object, bool)> = Vec::new();
    for node in nodes {
        let pods: Vec<&Object> = by_node.get(*node).into_iter().flatten().collect();
        let alive = pods.iter().find(|p| p.deletion_timestamp().is_none());
        let is_available = Tally::of(alive.copied(), min_ready(set), cx.now).available > 0;
        if !is_available {
            room -= 1;
        }
        if let Some(pod) = alive.filter(|p| p.label(REVISION_HASH) != Some(hash)) {
            old.push((pod, is_available));
        }
    }
    // What does not work anyway goes at once.
    for (pod, is_available) in old {
        if !is_available {
            remove(cx, set, pod)?;
        } else if room > 0 {
            remove(cx, set, pod)?;
            room -= 1;
        }
    }
    Ok(())
}

fn write_status(
    cx: &Context<'_>,
    set: &Object,
    hash: &str,
    nodes: &[&str],
    misplaced: &[&str],
    by_node: &BTreeMap<String, Vec<Object>>,
) -> Result<Wake, ApiError> {
    let on = |node: &&str| {
        let pods = by_node.get(*node).into_iter().flatten();
        pods.filter(|p| p.deletion_timestamp().is_none()).collect::<Vec<_>>()
    };
    let scheduled = count(nodes.iter().filter(|n| !on(n).is_empty()).count());
    let stray = count(misplaced.iter().filter(|n| !on(n).is_empty()).count());
    let living: Vec<&Object> = nodes.iter().flat_map(on).collect();
    let updated = count(living.iter().filter(|p| p.label(REVISION_HASH) == Some(hash)).count());
    let tally = Tally::of(living, min_ready(set), cx.now);
    let wanted = count(nodes.len());
    cx.modify(&DAEMON_SETS, set, |s| {
        let value = s.value_mut();
        for (field, n) in [
            ("observedGeneration", set.generation().unwrap_or(0)),
            ("currentNumberScheduled", scheduled),
            ("desiredNumberScheduled", wanted),
            ("numberMisscheduled", stray),
            ("numberReady", tally.ready),
        ] {
            value.set_at(&["status", field], n.into());
        }
        set_count(value, "numberAvailable", tally.available);
        set_count(value, "numberUnavailable", wanted - tally.available);
        set_count(value, "updatedNumberScheduled", updated);
    })?;
    Ok(tally.wake)
}
