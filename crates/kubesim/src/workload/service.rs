//! Services: EndpointSlices and Endpoints of the Pods they select, and addresses of load balancers.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use pintle_model::{Gvk, Map, Object, Value};

use super::condition;
use super::driver::{Context, Queue, Reconcile, Wake};
use super::owner::{controlled, controller_reference};
use super::selector::Selector;
use super::table::{ENDPOINT_SLICES, ENDPOINTS, PODS, SERVICES};
use super::timing::LOAD_BALANCER;
use crate::clock::later;
use crate::error::ApiError;
use crate::resource::GroupResource;
use crate::store::{Event, EventKind, Name, Store};

/// Endpoints of one Service at most: the limit of one EndpointSlice object. The real controller starts another slice after 100.
const MAX_ENDPOINTS: usize = 1000;

/// The controller. Both indexes are by namespace, label and value, so that neither a Pod nor a Service ever looks at all of the others.
#[derive(Default)]
pub(super) struct Services {
    /// Pods by each of their labels.
    pods: HashMap<Label, BTreeSet<Arc<str>>>,
    /// Services by the first label of their selector.
    services: HashMap<Label, BTreeSet<Arc<str>>>,
    /// When the load balancer of a Service that has no address yet gets it.
    addresses: HashMap<Name, jiff::Timestamp>,
}

/// Namespace, key and value.
type Label = (Arc<str>, String, String);

impl Reconcile for Services {
    fn name(&self) -> &'static str {
        "endpoint-slice-controller"
    }

    fn watches(&self) -> Vec<&'static GroupResource> {
        vec![&SERVICES, &PODS, &ENDPOINT_SLICES, &ENDPOINTS]
    }

    fn observe(&mut self, _store: &Store, event: &Event, queue: &mut Queue) {
        let after = (event.kind != EventKind::Deleted).then_some(&event.object);
        let before = event.previous.as_ref();
        if event.gr == *SERVICES {
            let first = |s: &Object| first_label(s, &event.key.0);
            index(
                &mut self.services,
                &event.key,
                before.and_then(first),
                after.and_then(first),
            );
            queue.push(&event.key);
        } else if event.gr == *PODS {
            self.observe_pod(event, before, after, queue);
        } else if event.kind != EventKind::Added {
            // Somebody meddled with a result; what this controller writes itself leads to one look without a write.
            let name = event.object.label("kubernetes.io/service-name");
            queue.push_name(&event.key.0, name.unwrap_or(&event.key.1));
        }
    }

    fn forget(&mut self) {
        self.pods.clear();
        self.services.clear();
    }

    fn reconcile(&mut self, cx: &Context<'_>, key: &Name) -> Result<Wake, ApiError> {
        let service = match cx.store.get(&SERVICES, &key.0, &key.1) {
            Ok(service) => service,
            Err(_) => {
                self.addresses.remove(key);
                return remove_endpoints(cx, key).map(|()| None);
            }
        };
        if service.deletion_timestamp().is_some() {
            return Ok(None);
        }
        let selector = selector(&service);
        let is_external = service.value().str_at(&["spec", "type"]) == Some("ExternalName");
        if !selector.pairs().is_empty() && !is_external {
            let pods = self.selected(cx.store, &key.0, &selector);
            write_slice(cx, &service, &pods)?;
            write_endpoints(cx, &service, &pods)?;
        }
        self.balance(cx, key, &service)
    }
}

impl Services {
    fn observe_pod(&mut self, event: &Event, before: Option<&Object>, after: Option<&Object>, queue: &mut Queue) {
        let namespace = &event.key.0;
        let labels = |p: Option<&Object>| p.map(|p| labels(p, namespace)).unwrap_or_default();
        let (old, new) = (labels(before), labels(after));
        if old != new || before.is_none() {
            for label in &old {
                index(&mut self.pods, &event.key, Some(label.clone()), None);
            }
            for label in &new {
                index(&mut self.pods, &event.key, None, Some(label.clone()));
            }
        }
        if old == new && before.map(face) == after.map(face) {
            return;
        }
        for label in old.iter().chain(&new) {
            for service in self.services.get(label).into_iter().flatten() {
                queue.push_name(namespace, service);
            }
        }
    }

    /// The Pods with an address that the selector takes, by name.
    fn selected(&self, store: &Store, namespace: &Arc<str>, selector: &Selector) -> Vec<Object> {
        let sets = selector
            .pairs()
            .iter()
            .map(|(k, v)| self.pods.get(&(Arc::clone(namespace), k.clone(), v.clone())));
        // The rarest label; one that no Pod has selects nothing.
        let Some(rarest) = sets.min_by_key(|set| set.map_or(0, BTreeSet::len)).flatten() else {
            return Vec::new();
        };
        rarest
            .iter()
            .filter_map(|name| store.get(&PODS, namespace, name).ok())
            .filter(|pod| selector.matches(pod) && face(pod).address.is_some())
            .take(MAX_ENDPOINTS)
            .collect()
    }

    /// Gives a load balancer its address after a moment, and takes it from a Service that is none any more.
    fn balance(&mut self, cx: &Context<'_>, key: &Name, service: &Object) -> Result<Wake, ApiError> {
        let has = !service
            .value()
            .list_at(&["status", "loadBalancer", "ingress"])
            .is_empty();
        if service.value().str_at(&["spec", "type"]) != Some("LoadBalancer") {
            self.addresses.remove(key);
            if has {
                cx.modify(&SERVICES, service, |s| {
                    s.value_mut().set_at(&["status", "loadBalancer"], Value::map());
                })?;
            }
            return Ok(None);
        }
        if has {
            return Ok(None);
        }
        let who = format!("{}/{}", key.0, key.1);
        let wait = cx.jitter.pick(LOAD_BALANCER, &who);
        let at = *self.addresses.entry(key.clone()).or_insert_with(|| {
            cx.record_as(
                "service-controller",
                &super::recorder::About::object(service),
                "Normal",
                "EnsuringLoadBalancer",
                "Ensuring load balancer",
            );
            later(cx.now, wait)
        });
        if at > cx.now {
            return Ok(Some(at));
        }
        self.addresses.remove(key);
        let mut ingress = Value::map();
        ingress.set_at(&["ip"], public_address(cx, &who).into());
        ingress.set_at(&["ipMode"], "VIP".into());
        cx.modify(&SERVICES, service, |s| {
            s.value_mut()
                .set_at(&["status", "loadBalancer", "ingress"], vec![ingress].into());
        })?;
        cx.record_as(
            "service-controller",
            &super::recorder::About::object(service),
            "Normal",
            "EnsuredLoadBalancer",
            "Ensured load balancer",
        );
        Ok(None)
    }
}

/// An address for a load balancer or an ingress; two may share one.
pub(super) fn public_address(cx: &Context<'_>, who: &str) -> String {
    let n = cx.jitter.number(who);
    // 192.0.2.0/24 is for documentation: nobody can mistake it for a place to go.
    format!("192.0.2.{}", n % 253 + 1)
}

fn index(by_label: &mut HashMap<Label, BTreeSet<Arc<str>>>, key: &Name, before: Option<Label>, after: Option<Label>) {
    if let Some(before) = before
        && let Some(set) = by_label.get_mut(&before)
    {
        set.remove(&key.1);
        if set.is_empty() {
            by_label.remove(&before);
        }
    }
    if let Some(after) = after {
        by_label.entry(after).or_default().insert(Arc::clone(&key.1));
    }
}

fn selector(service: &Object) -> Selector {
    Selector::plain(service.value().at(&["spec", "selector"]).and_then(Value::as_map))
}

fn first_label(service: &Object, namespace: &Arc<str>) -> Option<Label> {
    let (key, value) = selector(service).pairs().first().cloned()?;
    Some((Arc::clone(namespace), key, value))
}

fn labels(pod: &Object, namespace: &Arc<str>) -> Vec<Label> {
    let labels = pod.labels().into_iter().flat_map(Map::iter);
    labels
        .filter_map(|(k, v)| Some((Arc::clone(namespace), k.to_owned(), v.as_str()?.to_owned())))
        .collect()
}

/// What of a Pod shows in an endpoint.
#[derive(PartialEq)]
struct Face<'a> {
    address: Option<&'a str>,
    node: Option<&'a str>,
    is_ready: bool,
    is_terminating: bool,
}

fn face(pod: &Object) -> Face<'_> {
    let value = pod.value();
    let is_over = matches!(value.str_at(&["status", "phase"]), Some("Succeeded" | "Failed"));
    Face {
        address: value.str_at(&["status", "podIP"]).filter(|_| !is_over),
        node: value.str_at(&["spec", "nodeName"]),
        is_ready: condition::is_true(pod, "Ready"),
        is_terminating: pod.deletion_timestamp().is_some(),
    }
}

/// The ports of a Service as endpoints have them. A target port by name is looked up in the first Pod.
fn ports(service: &Object, pods: &[Object], with_protocol_only: bool) -> Vec<Value> {
    let target = |port: &Value| match port.get("targetPort") {
        Some(Value::Str(name)) => pods.first().and_then(|p| container_port(p, name)),
        Some(Value::Int(number)) => Some(*number),
        _ => port.i64_at(&["port"]),
    };
    let all = service.value().list_at(&["spec", "ports"]).iter();
    all.filter_map(|port| {
        let mut out = Value::map();
        let name = port.str_at(&["name"]).unwrap_or_default();
        if !name.is_empty() || !with_protocol_only {
            out.set_at(&["name"], name.into());
        }
        out.set_at(&["port"], target(port)?.into());
        out.set_at(&["protocol"], port.str_at(&["protocol"]).unwrap_or("TCP").into());
        if let Some(protocol) = port.get("appProtocol") {
            out.set_at(&["appProtocol"], protocol.clone());
        }
        Some(out)
    })
    .collect()
}

fn container_port(pod: &Object, name: &str) -> Option<i64> {
    let containers = pod.value().list_at(&["spec", "containers"]).iter();
    let mut ports = containers.flat_map(|c| c.list_at(&["ports"]));
    ports
        .find(|p| p.str_at(&["name"]) == Some(name))?
        .i64_at(&["containerPort"])
}

fn pod_reference(pod: &Object) -> Value {
    let mut reference = Value::map();
    for (field, text) in [
        ("kind", "Pod"),
        ("name", pod.name()),
        ("namespace", pod.namespace()),
        ("uid", pod.uid()),
    ] {
        reference.set_at(&[field], text.into());
    }
    reference
}

/// The labels of results: those of the Service, and who made them.
fn result_labels(service: &Object, own: &[(&str, &str)]) -> Value {
    let mut labels = Value::from(service.labels().cloned().unwrap_or_default());
    for (key, value) in own {
        labels.set_at(&[key], (*value).into());
    }
    if service.value().str_at(&["spec", "clusterIP"]) == Some("None") {
        labels.set_at(&["service.kubernetes.io/headless"], "".into());
    }
    labels
}

fn write_slice(cx: &Context<'_>, service: &Object, pods: &[Object]) -> Result<(), ApiError> {
    let endpoints: Vec<Value> = pods.iter().map(endpoint).collect();
    let labels = result_labels(
        service,
        &[
            (
                "endpointslice.kubernetes.io/managed-by",
                "endpointslice-controller.k8s.io",
            ),
            ("kubernetes.io/service-name", service.name()),
        ],
    );
    let ports = ports(service, pods, false);
    let fill = |slice: &mut Object| {
        let value = slice.value_mut();
        value.set_at(&["metadata", "labels"], labels);
        value.set_at(&["endpoints"], endpoints.into());
        value.set_at(&["ports"], ports.into());
    };
    let mut existing = controlled(cx.store, &ENDPOINT_SLICES, service).into_iter();
    if let Some(slice) = existing.next() {
        cx.modify(&ENDPOINT_SLICES, &slice, fill)?;
        for extra in existing {
            cx.delete(&ENDPOINT_SLICES, &extra)?;
        }
        return Ok(());
    }
    let gvk = Gvk::new("discovery.k8s.io", "v1", "EndpointSlice");
    let mut slice = Object::bare(&gvk, service.namespace(), "");
    let value = slice.value_mut();
    value.remove_at(&["metadata", "name"]);
    value.set_at(&["metadata", "generateName"], format!("{}-", service.name()).into());
    let owner = controller_reference(service);
    value.set_at(&["metadata", "ownerReferences"], vec![owner].into());
    value.set_at(&["addressType"], "IPv4".into());
    fill(&mut slice);
    cx.create(&ENDPOINT_SLICES, slice)?;
    Ok(())
}

fn endpoint(pod: &Object) -> Value {
    let face = face(pod);
    let mut endpoint = Value::map();
    let address = Value::from(face.address.unwrap_or_default());
    endpoint.set_at(&["addresses"], vec![address].into());
    for (condition, value) in [
        ("ready", face.is_ready && !face.is_terminating),
        ("serving", face.is_ready),
        ("terminating", face.is_terminating),
    ] {
        endpoint.set_at(&["conditions", condition], value.into());
    }
    if let Some(node) = face.node {
        endpoint.set_at(&["nodeName"], node.into());
    }
    endpoint.set_at(&["targetRef"], pod_reference(pod));
    endpoint
}

fn write_endpoints(cx: &Context<'_>, service: &Object, pods: &[Object]) -> Result<(), ApiError> {
    let (ready, not_ready): (Vec<&Object>, Vec<&Object>) = pods
        .iter()
        .filter(|p| p.deletion_timestamp().is_none())
        .partition(|p| face(p).is_ready);
    let mut subset = Value::map();
    for (field, pods) in [("addresses", ready), ("notReadyAddresses", not_ready)] {
        if !pods.is_empty() {
            subset.set_at(&[field], pods.into_iter().map(address).collect::<Vec<_>>().into());
        }
    }
    let is_empty = subset.is_empty();
    let ports = ports(service, pods, true);
    if !ports.is_empty() {
        subset.set_at(&["ports"], ports.into());
    }
    let labels = result_labels(
        service,
        &[("endpoints.kubernetes.io/managed-by", "endpoint-controller")],
    );
    let fill = |endpoints: &mut Object| {
        endpoints.value_mut().set_at(&["metadata", "labels"], labels);
        if is_empty {
            endpoints.value_mut().remove_at(&["subsets"]);
        } else {
            endpoints.value_mut().set_at(&["subsets"], vec![subset].into());
        }
    };
    match cx.store.get(&ENDPOINTS, service.namespace(), service.name()) {
        Ok(endpoints) => cx.modify(&ENDPOINTS, &endpoints, fill)?,
        Err(_) => {
            let gvk = Gvk::new("", "v1", "Endpoints");
            let mut endpoints = Object::bare(&gvk, service.namespace(), service.name());
            fill(&mut endpoints);
            cx.create(&ENDPOINTS, endpoints)?
        }
    };
    Ok(())
}

fn address(pod: &Object) -> Value {
    let face = face(pod);
    let mut address = Value::map();
    address.set_at(&["ip"], face.address.unwrap_or_default().into());
    if let Some(node) = face.node {
        address.set_at(&["nodeName"], node.into());
    }
    address.set_at(&["targetRef"], pod_reference(pod));
    address
}

/// Endpoints have no owner reference: their controller removes them, those it made.
fn remove_endpoints(cx: &Context<'_>, key: &Name) -> Result<(), ApiError> {
    let Ok(endpoints) = cx.store.get(&ENDPOINTS, &key.0, &key.1) else {
        return Ok(());
    };
    if endpoints.label("endpoints.kubernetes.io/managed-by") == Some("endpoint-controller") {
        cx.delete(&ENDPOINTS, &endpoints)?;
    }
    Ok(())
}
