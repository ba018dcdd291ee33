//! Services and network policies.

use std::collections::HashSet;

use pintle_model::Value;

use super::{each, set};
use crate::resource::GroupResource;
use crate::store::Store;

/// First of the node ports, and how many there are, as kube-apiserver's default range.
const NODE_PORTS: std::ops::RangeInclusive<i64> = 30_000..=32_767;

pub(super) fn service(store: &Store, value: &mut Value, old: Option<&Value>) {
    set(value, &["spec", "type"], "ClusterIP".into());
    set(value, &["spec", "sessionAffinity"], "None".into());
    if value.str_at(&["spec", "sessionAffinity"]) == Some("ClientIP") {
        set(
            value,
            &["spec", "sessionAffinityConfig", "clientIP", "timeoutSeconds"],
            10_800.into(),
        );
    }
    each(value, &["spec", "ports"], |p| {
        set(p, &["protocol"], "TCP".into());
        if let Some(port) = p.get("port").cloned() {
            set(p, &["targetPort"], port);
        }
    });
    set(value, &["status", "loadBalancer"], Value::map());
    let kind = value.str_at(&["spec", "type"]).unwrap_or_default().to_owned();
    if kind == "ExternalName" {
        for field in [
            "clusterIP",
            "clusterIPs",
            "ipFamilies",
            "ipFamilyPolicy",
            "internalTrafficPolicy",
        ] {
            value.remove_at(&["spec", field]);
        }
        return;
    }
    set(value, &["spec", "internalTrafficPolicy"], "Cluster".into());
    keep(value, old, &["spec", "clusterIP"]);
    keep(value, old, &["spec", "clusterIPs"]);
    keep(value, old, &["spec", "healthCheckNodePort"]);
    if value.str_at(&["spec", "clusterIP"]).is_none_or(str::is_empty) {
        value.set_at(&["spec", "clusterIP"], free_address(store).into());
        value.remove_at(&["spec", "clusterIPs"]);
    }
    if let Some(address) = value.at(&["spec", "clusterIP"]).cloned() {
        set(value, &["spec", "clusterIPs"], Value::list(vec![address]));
    }
    set(value, &["spec", "ipFamilies"], Value::list(vec!["IPv4".into()]));
    set(value, &["spec", "ipFamilyPolicy"], "SingleStack".into());
    if matches!(kind.as_str(), "NodePort" | "LoadBalancer") {
        set(value, &["spec", "externalTrafficPolicy"], "Cluster".into());
        node_ports(store, value, old);
    }
    if kind == "LoadBalancer" {
        set(value, &["spec", "allocateLoadBalancerNodePorts"], true.into());
    }
}

fn keep(value: &mut Value, old: Option<&Value>, path: &[&str]) {
    // An explicitly changed one is not kept: validation refuses it.
    if let Some(kept) = old.and_then(|o| o.at(path))
        && value.at(path).is_none_or(Value::is_empty)
    {
        value.set_at(path, kept.clone());
    }
}

/// The lowest free address of 10.96.0.0/16 from .0.10 on; .0.1 is the API server's.
fn free_address(store: &Store) -> String {
    let services = store.list(&GroupResource::new("", "services"), None).objects;
    let used: HashSet<&str> = services
        .iter()
        .filter_map(|s| s.value().str_at(&["spec", "clusterIP"]))
        .collect();
    (10_u32..0xffff)
        .map(|n| format!("10.96.{}.{}", n >> 8, n & 0xff))
        .find(|a| !used.contains(a.as_str()))
        .unwrap_or_else(|| "10.96.255.255".to_owned())
}

fn node_ports(store: &Store, value: &mut Value, old: Option<&Value>) {
    let services = store.list(&GroupResource::new("", "services"), None).objects;
    let mut used: HashSet<i64> = services
        .iter()
        .flat_map(|s| s.value().list_at(&["spec", "ports"]))
        .chain(value.list_at(&["spec", "ports"]))
        .filter_map(|p| p.i64_at(&["nodePort"]))
        .collect();
    let before: Vec<Value> = old.map(|o| o.list_at(&["spec", "ports"]).to_vec()).unwrap_or_default();
    each(value, &["spec", "ports"], |port| {
        if port.i64_at(&["nodePort"]).is_some_and(|n| n > 0) {
            return;
        }
        let same = before
            .iter()
            .find(|b| b.get("port") == port.get("port") && b.get("protocol") == port.get("protocol"));
        let kept = same.and_then(|b| b.i64_at(&["nodePort"])).filter(|n| *n > 0);
        let number = kept.or_else(|| NODE_PORTS.into_iter().find(|n| !used.contains(n)));
        if let Some(number) = number {
            used.insert(number);
            port.set_at(&["nodePort"], number.into());
        }
    });
}

pub(super) fn policy(value: &mut Value) {
    if value.list_at(&["spec", "policyTypes"]).is_empty() {
        let mut types = vec!["Ingress".into()];
        if !value.list_at(&["spec", "egress"]).is_empty() {
            types.push("Egress".into());
        }
        value.set_at(&["spec", "policyTypes"], Value::list(types));
    }
    for rules in ["ingress", "egress"] {
        each(value, &["spec", rules], |rule| {
            each(rule, &["ports"], |p| set(p, &["protocol"], "TCP".into()))
        });
    }
}
