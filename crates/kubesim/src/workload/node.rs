//! The simulated nodes.

use pintle_model::{Gvk, Object, Value};

use super::condition;
use super::driver::Context;
use super::table::NODES;
use crate::clock::rfc3339;
use crate::error::ApiError;

/// Names and addresses of the nodes.
const NAMES: [(&str, &str); 2] = [("sim-node-1", "172.18.0.2"), ("sim-node-2", "172.18.0.3")];

/// Creates the nodes that are not there. They are Ready for good: nothing beats their heart, so that a settled store rests.
pub(super) fn create(cx: &Context<'_>) -> Result<(), ApiError> {
    for (i, (name, address)) in NAMES.into_iter().enumerate() {
        match cx.create(&NODES, node(name, address, i, &rfc3339(cx.now))) {
            Err(e) if e.code != 409 => return Err(e),
            _ => {}
        }
    }
    Ok(())
}

fn node(name: &str, address: &str, index: usize, now: &str) -> Object {
    let mut node = Object::bare(&Gvk::new("", "v1", "Node"), "", name);
    for (label, text) in [
        ("beta.kubernetes.io/arch", "amd64"),
        ("beta.kubernetes.io/os", "linux"),
        ("kubernetes.io/arch", "amd64"),
        ("kubernetes.io/hostname", name),
        ("kubernetes.io/os", "linux"),
    ] {
        node.set_label(label, text);
    }
    let value = node.value_mut();
    let range = Value::str(format!("10.244.{index}.0/24"));
    value.set_at(&["spec", "podCIDR"], range.clone());
    value.set_at(&["spec", "podCIDRs"], vec![range].into());
    value.set_at(&["spec", "providerID"], format!("kubesim://{name}").into());
    let entry = |kind: &str, text: &str| {
        let mut entry = Value::map();
        entry.set_at(&["type"], kind.into());
        entry.set_at(&["address"], text.into());
        entry
    };
    let addresses = vec![entry("InternalIP", address), entry("Hostname", name)];
    value.set_at(&["status", "addresses"], addresses.into());
    for list in ["capacity", "allocatable"] {
        for (resource, amount) in [
            ("cpu", "16"),
            ("ephemeral-storage", "100Gi"),
            ("memory", "64Gi"),
            // Thousands of applications run on two nodes here.
            ("pods", "10000"),
        ] {
            value.set_at(&["status", list, resource], amount.into());
        }
    }
    for (field, text) in [
        ("architecture", "amd64"),
        ("containerRuntimeVersion", "kubesim://0"),
        ("kubeletVersion", "v1.36.0"),
        ("operatingSystem", "linux"),
        ("osImage", "Simulated"),
        ("kernelVersion", "0"),
    ] {
        value.set_at(&["status", "nodeInfo", field], text.into());
    }
    let mut conditions = Vec::new();
    for (kind, is_true, reason, message) in [
        (
            "MemoryPressure",
            false,
            "KubeletHasSufficientMemory",
            "kubelet has sufficient memory available",
        ),
        (
            "DiskPressure",
            false,
            "KubeletHasNoDiskPressure",
            "kubelet has no disk pressure",
        ),
        (
            "PIDPressure",
            false,
            "KubeletHasSufficientPID",
            "kubelet has sufficient PID available",
        ),
        ("Ready", true, "KubeletReady", "kubelet is posting ready status"),
    ] {
        let mut condition = condition::new(kind, is_true, reason, message);
        condition.set_at(&["lastHeartbeatTime"], now.into());
        condition::put(&mut conditions, condition, now);
    }
    value.set_at(&["status", "conditions"], conditions.into());
    node
}

/// The address of a node for its Pods' `hostIP`.
pub(super) fn address(node: &Object) -> &str {
    node.value()
        .list_at(&["status", "addresses"])
        .iter()
        .find(|a| a.str_at(&["type"]) == Some("InternalIP"))
        .and_then(|a| a.str_at(&["address"]))
        .unwrap_or("172.18.0.1")
}
