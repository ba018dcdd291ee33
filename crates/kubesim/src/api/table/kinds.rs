//! Columns and cells of the built-in kinds, the name aside.

use jiff::Timestamp;
use pintle_model::{Object, Value};

use super::{Column, age, human_duration, or_none, pod, since};
use crate::api::scale::selector_text;
use crate::clock::parse_time;
use crate::resource::Resource;

const fn shown(name: &'static str) -> Column {
    Column {
        name,
        kind: "string",
        format: "",
        priority: 0,
    }
}

const fn wide(name: &'static str) -> Column {
    Column {
        name,
        kind: "string",
        format: "",
        priority: 1,
    }
}

const fn number(name: &'static str) -> Column {
    Column {
        name,
        kind: "integer",
        format: "",
        priority: 0,
    }
}

/// Columns of a workload's containers, for `-o wide`.
const AGE: Column = shown("Age");

static POD: [Column; 8] = [
    shown("Ready"),
    shown("Status"),
    shown("Restarts"),
    AGE,
    wide("IP"),
    wide("Node"),
    wide("Nominated Node"),
    wide("Readiness Gates"),
];
static DEPLOYMENT: [Column; 7] = [
    shown("Ready"),
    number("Up-to-date"),
    number("Available"),
    AGE,
    wide("Containers"),
    wide("Images"),
    wide("Selector"),
];
static REPLICA_SET: [Column; 7] = [
    number("Desired"),
    number("Current"),
    number("Ready"),
    AGE,
    wide("Containers"),
    wide("Images"),
    wide("Selector"),
];
static STATEFUL_SET: [Column; 4] = [shown("Ready"), AGE, wide("Containers"), wide("Images")];
static DAEMON_SET: [Column; 10] = [
    number("Desired"),
    number("Current"),
    number("Ready"),
    number("Up-to-date"),
    number("Available"),
    shown("Node Selector"),
    AGE,
    wide("Containers"),
    wide("Images"),
    wide("Selector"),
];
static JOB: [Column; 7] = [
    shown("Status"),
    shown("Completions"),
    shown("Duration"),
    AGE,
    wide("Containers"),
    wide("Images"),
    wide("Selector"),
];
static CRON_JOB: [Column; 9] = [
    shown("Schedule"),
    shown("Timezone"),
    Column {
        name: "Suspend",
        kind: "boolean",
        format: "",
        priority: 0,
    },
    number("Active"),
    shown("Last Schedule"),
    AGE,
    wide("Containers"),
    wide("Images"),
    wide("Selector"),
];
static SERVICE: [Column; 6] = [
    shown("Type"),
    shown("Cluster-IP"),
    shown("External-IP"),
    shown("Port(s)"),
    AGE,
    wide("Selector"),
];
static CONFIG_MAP: [Column; 2] = [number("Data"), AGE];
static SECRET: [Column; 3] = [shown("Type"), number("Data"), AGE];
static NAMESPACE: [Column; 2] = [shown("Status"), AGE];
static NODE: [Column; 9] = [
    shown("Status"),
    shown("Roles"),
    AGE,
    shown("Version"),
    wide("Internal-IP"),
    wide("External-IP"),
    wide("OS-Image"),
    wide("Kernel-Version"),
    wide("Container-Runtime"),
];
static EVENT: [Column; 9] = [
    shown("Last Seen"),
    shown("Type"),
    shown("Reason"),
    shown("Object"),
    wide("Subobject"),
    wide("Source"),
    shown("Message"),
    wide("First Seen"),
    wide("Count"),
];
static CLAIM: [Column; 8] = [
    shown("Status"),
    shown("Volume"),
    shown("Capacity"),
    shown("Access Modes"),
    shown("StorageClass"),
    shown("VolumeAttributesClass"),
    AGE,
    wide("VolumeMode"),
];
static INGRESS: [Column; 5] = [shown("Class"), shown("Hosts"), shown("Address"), shown("Ports"), AGE];
static AUTOSCALER: [Column; 6] = [
    shown("Reference"),
    shown("Targets"),
    shown("MinPods"),
    shown("MaxPods"),
    number("Replicas"),
    AGE,
];
static ENDPOINTS: [Column; 2] = [shown("Endpoints"), AGE];
static SLICE: [Column; 4] = [shown("AddressType"), shown("Ports"), shown("Endpoints"), AGE];
static LEASE: [Column; 2] = [shown("Holder"), AGE];
static BUDGET: [Column; 4] = [
    shown("Min Available"),
    shown("Max Unavailable"),
    number("Allowed Disruptions"),
    AGE,
];
static DEFINITION: [Column; 1] = [Column {
    name: "Created At",
    kind: "date",
    format: "date-time",
    priority: 0,
}];
static API_SERVICE: [Column; 3] = [shown("Service"), shown("Available"), AGE];
static BINDING: [Column; 2] = [shown("Role"), AGE];
static ROLE: [Column; 1] = [Column {
    name: "Created At",
    kind: "date",
    format: "date-time",
    priority: 0,
}];
static REVISION: [Column; 3] = [shown("Controller"), number("Revision"), AGE];
static PLAIN: [Column; 1] = [AGE];

pub(super) fn columns(resource: &Resource) -> &'static [Column] {
    match (&*resource.gr.group, &*resource.gr.resource) {
        ("", "pods") => &POD,
        ("apps", "deployments") => &DEPLOYMENT,
        ("apps", "replicasets") | ("", "replicationcontrollers") => &REPLICA_SET,
        ("apps", "statefulsets") => &STATEFUL_SET,
        ("apps", "daemonsets") => &DAEMON_SET,
        ("apps", "controllerrevisions") => &REVISION,
        ("batch", "jobs") => &JOB,
        ("batch", "cronjobs") => &CRON_JOB,
        ("", "services") => &SERVICE,
        ("", "configmaps") => &CONFIG_MAP,
        ("", "secrets") => &SECRET,
        ("", "namespaces") => &NAMESPACE,
        ("", "nodes") => &NODE,
        ("" | "events.k8s.io", "events") => &EVENT,
        ("", "persistentvolumeclaims") => &CLAIM,
        ("", "endpoints") => &ENDPOINTS,
        ("discovery.k8s.io", "endpointslices") => &SLICE,
        ("networking.k8s.io", "ingresses") => &INGRESS,
        ("autoscaling", _) => &AUTOSCALER,
        ("coordination.k8s.io", "leases") => &LEASE,
        ("policy", "poddisruptionbudgets") => &BUDGET,
        ("apiextensions.k8s.io", _) => &DEFINITION,
        ("apiregistration.k8s.io", _) => &API_SERVICE,
        ("rbac.authorization.k8s.io", "rolebindings" | "clusterrolebindings") => &BINDING,
        ("rbac.authorization.k8s.io", _) => &ROLE,
        _ => &PLAIN,
    }
}

pub(super) fn cells(resource: &Resource, object: &Object, now: Timestamp) -> Vec<Value> {
    let v = object.value();
    let int = |path: &[&str]| Value::from(v.i64_at(path).unwrap_or(0));
    let age = || age(object, now);
    let containers = || container_texts(v, &["spec", "template", "spec"]);
    let selector = || {
        or_none(
            v.at(&["spec", "selector"]).map(selector_text).unwrap_or_default(),
            "<none>",
        )
    };
    match (&*resource.gr.group, &*resource.gr.resource) {
        ("", "pods") => pod::cells(object, now),
        ("apps", "deployments") => {
            let (names, images) = containers();
            let ready = format!(
                "{}/{}",
                count(v, &["status", "readyReplicas"]),
                count(v, &["spec", "replicas"])
            );
            vec![
                ready.into(),
                int(&["status", "updatedReplicas"]),
                int(&["status", "availableReplicas"]),
                age(),
                names,
                images,
                selector(),
            ]
        }
        ("apps", "replicasets") => {
            let (names, images) = containers();
            vec![
                int(&["spec", "replicas"]),
                int(&["status", "replicas"]),
                int(&["status", "readyReplicas"]),
                age(),
                names,
                images,
                selector(),
            ]
        }
        ("", "replicationcontrollers") => {
            let (names, images) = containers();
            let selector = or_none(labels_text(v.at(&["spec", "selector"])), "<none>");
            let counts = [
                int(&["spec", "replicas"]),
                int(&["status", "replicas"]),
                int(&["status", "readyReplicas"]),
            ];
            counts.into_iter().chain([age(), names, images, selector]).collect()
        }
        ("apps", "statefulsets") => {
            let (names, images) = containers();
            let ready = format!(
                "{}/{}",
                count(v, &["status", "readyReplicas"]),
                count(v, &["spec", "replicas"])
            );
            vec![ready.into(), age(), names, images]
        }
        ("apps", "daemonsets") => {
            let (names, images) = containers();
            let nodes = or_none(
                labels_text(v.at(&["spec", "template", "spec", "nodeSelector"])),
                "<none>",
            );
            vec![
                int(&["status", "desiredNumberScheduled"]),
                int(&["status", "currentNumberScheduled"]),
                int(&["status", "numberReady"]),
                int(&["status", "updatedNumberScheduled"]),
                int(&["status", "numberAvailable"]),
                nodes,
                age(),
                names,
                images,
                selector(),
            ]
        }
        ("apps", "controllerrevisions") => {
            let owner = object.owner_references().find(|o| o.controller);
            let owner = owner
                .map(|o| format!("{}/{}", o.kind.to_lowercase(), o.name))
                .unwrap_or_default();
            vec![or_none(owner, "<none>"), int(&["revision"]), age()]
        }
        ("batch", "jobs") => {
            let (names, images) = containers();
            vec![
                job_status(v).into(),
                completions(v).into(),
                job_duration(v, now),
                age(),
                names,
                images,
                selector(),
            ]
        }
        ("batch", "cronjobs") => {
            let (names, images) = container_texts(v, &["spec", "jobTemplate", "spec", "template", "spec"]);
            let last = v.str_at(&["status", "lastScheduleTime"]);
            vec![
                text(v, &["spec", "schedule"], ""),
                text(v, &["spec", "timeZone"], "<none>"),
                v.bool_at(&["spec", "suspend"]).unwrap_or(false).to_string().into(),
                i64::try_from(v.list_at(&["status", "active"]).len())
                    .unwrap_or(0)
                    .into(),
                last.map_or_else(|| "<none>".into(), |l| since(Some(l), now).into()),
                age(),
                names,
                images,
                or_none(
                    v.at(&["spec", "jobTemplate", "spec", "selector"])
                        .map(selector_text)
                        .unwrap_or_default(),
                    "<none>",
                ),
            ]
        }
        ("", "services") => vec![
            text(v, &["spec", "type"], "ClusterIP"),
            text(v, &["spec", "clusterIP"], "<none>"),
            external_address(v).into(),
            ports(v).into(),
            age(),
            or_none(labels_text(v.at(&["spec", "selector"])), "<none>"),
        ],
        ("", "configmaps") => vec![(size(v.get("data")) + size(v.get("binaryData"))).into(), age()],
        ("", "secrets") => vec![text(v, &["type"], "Opaque"), size(v.get("data")).into(), age()],
        ("", "namespaces") => vec![text(v, &["status", "phase"], "Active"), age()],
        ("", "nodes") => node(object, now),
        ("" | "events.k8s.io", "events") => event(v, now),
        ("", "persistentvolumeclaims") => vec![
            if object.deletion_timestamp().is_some() {
                "Terminating".into()
            } else {
                text(v, &["status", "phase"], "")
            },
            text(v, &["spec", "volumeName"], ""),
            text(v, &["status", "capacity", "storage"], ""),
            access_modes(v).into(),
            text(v, &["spec", "storageClassName"], ""),
            text(v, &["spec", "volumeAttributesClassName"], "<unset>"),
            age(),
            text(v, &["spec", "volumeMode"], "Filesystem"),
        ],
        ("", "endpoints") => vec![endpoints(v), age()],
        ("discovery.k8s.io", "endpointslices") => slice(v, age()),
        ("networking.k8s.io", "ingresses") => {
            let tls = if v.list_at(&["spec", "tls"]).is_empty() {
                "80"
            } else {
                "80, 443"
            };
            let hosts = v.list_at(&["spec", "rules"]).iter().filter_map(|r| r.str_at(&["host"]));
            let hosts: Vec<&str> = hosts.collect();
            let hosts = if hosts.is_empty() {
                "*".to_owned()
            } else {
                hosts.join(",")
            };
            vec![
                text(v, &["spec", "ingressClassName"], "<none>"),
                hosts.into(),
                load_balancer(v).into(),
                tls.into(),
                age(),
            ]
        }
        ("autoscaling", _) => {
            let reference = format!(
                "{}/{}",
                v.str_at(&["spec", "scaleTargetRef", "kind"]).unwrap_or_default(),
                v.str_at(&["spec", "scaleTargetRef", "name"]).unwrap_or_default()
            );
            vec![
                reference.into(),
                targets(v).into(),
                v.i64_at(&["spec", "minReplicas"])
                    .map_or_else(|| "<unset>".into(), |n| n.to_string().into()),
                int(&["spec", "maxReplicas"]),
                int(&["status", "currentReplicas"]),
                age(),
            ]
        }
        ("coordination.k8s.io", "leases") => vec![text(v, &["spec", "holderIdentity"], ""), age()],
        ("policy", "poddisruptionbudgets") => vec![
            scalar(v.at(&["spec", "minAvailable"]), "N/A"),
            scalar(v.at(&["spec", "maxUnavailable"]), "N/A"),
            int(&["status", "disruptionsAllowed"]),
            age(),
        ],
        ("apiregistration.k8s.io", _) => {
            let service = match (
                v.str_at(&["spec", "service", "namespace"]),
                v.str_at(&["spec", "service", "name"]),
            ) {
                (Some(namespace), Some(name)) => format!("{namespace}/{name}"),
                _ => "Local".to_owned(),
            };
            let available = condition(v, "Available").map_or_else(|| "Unknown".to_owned(), str::to_owned);
            vec![service.into(), available.into(), age()]
        }
        ("rbac.authorization.k8s.io", "rolebindings" | "clusterrolebindings") => {
            let kind = v.str_at(&["roleRef", "kind"]).unwrap_or_default();
            vec![
                format!("{kind}/{}", v.str_at(&["roleRef", "name"]).unwrap_or_default()).into(),
                age(),
            ]
        }
        ("rbac.authorization.k8s.io" | "apiextensions.k8s.io", _) => vec![object.creation_timestamp().into()],
        _ => vec![age()],
    }
}

fn count(v: &Value, path: &[&str]) -> i64 {
    v.i64_at(path).unwrap_or(0)
}

fn text(v: &Value, path: &[&str], absent: &str) -> Value {
    or_none(v.str_at(path).unwrap_or_default().to_owned(), absent)
}

fn scalar(value: Option<&Value>, absent: &str) -> Value {
    match value {
        Some(Value::Int(i)) => i.to_string().into(),
        Some(Value::Str(s)) => Value::Str(s.clone()),
        _ => absent.into(),
    }
}

fn size(value: Option<&Value>) -> i64 {
    i64::try_from(value.and_then(Value::as_map).map_or(0, pintle_model::Map::len)).unwrap_or(i64::MAX)
}

fn condition<'v>(v: &'v Value, kind: &str) -> Option<&'v str> {
    v.list_at(&["status", "conditions"])
        .iter()
        .find(|c| c.str_at(&["type"]) == Some(kind))?
        .str_at(&["status"])
}

fn labels_text(labels: Option<&Value>) -> String {
    let entries = labels.and_then(Value::as_map).into_iter().flat_map(|m| m.iter());
    let terms: Vec<String> = entries
        .map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or_default()))
        .collect();
    terms.join(",")
}

fn container_texts(v: &Value, pod_spec: &[&str]) -> (Value, Value) {
    let containers = v.at(pod_spec).map(|s| s.list_at(&["containers"])).unwrap_or_default();
    let join = |field: &str| {
        let all: Vec<&str> = containers.iter().filter_map(|c| c.str_at(&[field])).collect();
        Value::from(all.join(","))
    };
    (join("name"), join("image"))
}

fn job_status(v: &Value) -> &'static str {
    let is = |kind: &str| condition(v, kind) == Some("True");
    if is("Complete") {
        "Complete"
    } else if is("Failed") {
        "Failed"
    } else if v.at(&["metadata", "deletionTimestamp"]).is_some() {
        "Terminating"
    } else if is("Suspended") {
        "Suspended"
    } else if is("FailureTarget") {
        "FailureTarget"
    } else if is("SuccessCriteriaMet") {
        "SuccessCriteriaMet"
    } else {
        "Running"
    }
}

fn completions(v: &Value) -> String {
    let succeeded = count(v, &["status", "succeeded"]);
    match (
        v.i64_at(&["spec", "completions"]),
        v.i64_at(&["spec", "parallelism"]).unwrap_or(1),
    ) {
        (Some(wanted), _) => format!("{succeeded}/{wanted}"),
        (None, parallel) if parallel > 1 => format!("{succeeded}/1 of {parallel}"),
        (None, _) => format!("{succeeded}/1"),
    }
}

fn job_duration(v: &Value, now: Timestamp) -> Value {
    let Some(start) = v.str_at(&["status", "startTime"]).and_then(parse_time) else {
        return "".into();
    };
    let end = v
        .str_at(&["status", "completionTime"])
        .and_then(parse_time)
        .unwrap_or(now);
    human_duration(end.duration_since(start).as_secs()).into()
}

fn load_balancer(v: &Value) -> String {
    let found = v.list_at(&["status", "loadBalancer", "ingress"]).iter();
    let found: Vec<&str> = found
        .filter_map(|i| i.str_at(&["ip"]).or(i.str_at(&["hostname"])))
        .collect();
    found.join(",")
}

fn external_address(v: &Value) -> String {
    let mut external: Vec<&str> = v
        .list_at(&["spec", "externalIPs"])
        .iter()
        .filter_map(Value::as_str)
        .collect();
    match v.str_at(&["spec", "type"]).unwrap_or("ClusterIP") {
        "ExternalName" => v.str_at(&["spec", "externalName"]).unwrap_or_default().to_owned(),
        "LoadBalancer" => {
            let balancer = load_balancer(v);
            if !balancer.is_empty() {
                external.insert(0, &balancer);
            }
            if external.is_empty() {
                "<pending>".to_owned()
            } else {
                external.join(",")
            }
        }
        _ if external.is_empty() => "<none>".to_owned(),
        _ => external.join(","),
    }
}

fn ports(v: &Value) -> String {
    let each = v.list_at(&["spec", "ports"]).iter().map(|p| {
        let (port, protocol) = (count(p, &["port"]), p.str_at(&["protocol"]).unwrap_or("TCP"));
        match p.i64_at(&["nodePort"]).filter(|n| *n > 0) {
            Some(node) => format!("{port}:{node}/{protocol}"),
            None => format!("{port}/{protocol}"),
        }
    });
    let all: Vec<String> = each.collect();
    if all.is_empty() {
        "<none>".to_owned()
    } else {
        all.join(",")
    }
}

fn access_modes(v: &Value) -> String {
    let short = |mode: &Value| match mode.as_str() {
        Some("ReadWriteOnce") => "RWO",
        Some("ReadOnlyMany") => "ROX",
        Some("ReadWriteMany") => "RWX",
        Some("ReadWriteOncePod") => "RWOP",
        _ => "",
    };
    let modes: Vec<&str> = v.list_at(&["status", "accessModes"]).iter().map(short).collect();
    modes.join(",")
}

/// At most three of a list, and how many more there are.
fn few(all: &[String]) -> Value {
    match all {
        [] => "<none>".into(),
        [a, b, c, rest @ ..] if !rest.is_empty() => format!("{a},{b},{c} + {} more...", rest.len()).into(),
        all => all.join(",").into(),
    }
}

fn endpoints(v: &Value) -> Value {
    let mut all = Vec::new();
    for subset in v.list_at(&["subsets"]) {
        for port in subset.list_at(&["ports"]) {
            for address in subset.list_at(&["addresses"]) {
                all.push(format!(
                    "{}:{}",
                    address.str_at(&["ip"]).unwrap_or_default(),
                    count(port, &["port"])
                ));
            }
        }
    }
    few(&all)
}

fn slice(v: &Value, age: Value) -> Vec<Value> {
    let ports: Vec<String> = v
        .list_at(&["ports"])
        .iter()
        .filter_map(|p| p.i64_at(&["port"]))
        .map(|p| p.to_string())
        .collect();
    let addresses: Vec<String> = v
        .list_at(&["endpoints"])
        .iter()
        .flat_map(|e| e.list_at(&["addresses"]))
        .filter_map(|a| a.as_str().map(str::to_owned))
        .collect();
    let unset = |all: &[String]| if all.is_empty() { "<unset>".into() } else { few(all) };
    vec![text(v, &["addressType"], ""), unset(&ports), unset(&addresses), age]
}

fn targets(v: &Value) -> String {
    let mut all = Vec::new();
    for (i, metric) in v.list_at(&["spec", "metrics"]).iter().enumerate() {
        let current = v.list_at(&["status", "currentMetrics"]).get(i);
        let name = metric.str_at(&["resource", "name"]).unwrap_or("metric");
        if let Some(wanted) = metric.i64_at(&["resource", "target", "averageUtilization"]) {
            let now = current.and_then(|c| c.i64_at(&["resource", "current", "averageUtilization"]));
            let now = now.map_or_else(|| "<unknown>".to_owned(), |n| format!("{n}%"));
            all.push(format!("{name}: {now}/{wanted}%"));
        } else {
            let wanted = metric
                .str_at(&["resource", "target", "averageValue"])
                .unwrap_or("<auto>");
            all.push(format!("{name}: <unknown>/{wanted}"));
        }
    }
    if let Some(wanted) = v.i64_at(&["spec", "targetCPUUtilizationPercentage"]) {
        let now = v.i64_at(&["status", "currentCPUUtilizationPercentage"]);
        let now = now.map_or_else(|| "<unknown>".to_owned(), |n| format!("{n}%"));
        all.push(format!("cpu: {now}/{wanted}%"));
    }
    if all.is_empty() {
        "<none>".to_owned()
    } else {
        all.join(", ")
    }
}

fn node(object: &Object, now: Timestamp) -> Vec<Value> {
    let v = object.value();
    let mut status = match condition(v, "Ready") {
        Some("True") => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    }
    .to_owned();
    if v.bool_at(&["spec", "unschedulable"]) == Some(true) {
        status.push_str(",SchedulingDisabled");
    }
    let labels = object.labels().into_iter().flat_map(|m| m.iter());
    let roles: Vec<&str> = labels
        .filter_map(|(k, _)| k.strip_prefix("node-role.kubernetes.io/"))
        .collect();
    let address = |kind: &str| {
        let found = v
            .list_at(&["status", "addresses"])
            .iter()
            .find(|a| a.str_at(&["type"]) == Some(kind));
        or_none(
            found
                .and_then(|a| a.str_at(&["address"]))
                .unwrap_or_default()
                .to_owned(),
            "<none>",
        )
    };
    let info = |field: &str, absent: &str| text(v, &["status", "nodeInfo", field], absent);
    vec![
        status.into(),
        or_none(roles.join(","), "<none>"),
        age(object, now),
        info("kubeletVersion", ""),
        address("InternalIP"),
        address("ExternalIP"),
        info("osImage", "<unknown>"),
        info("kernelVersion", "<unknown>"),
        info("containerRuntimeVersion", "<unknown>"),
    ]
}

fn event(v: &Value, now: Timestamp) -> Vec<Value> {
    let first_of = |paths: &[&[&str]]| {
        paths
            .iter()
            .find_map(|p| v.str_at(p).filter(|s| !s.is_empty()))
            .map(str::to_owned)
    };
    let first = first_of(&[&["firstTimestamp"], &["deprecatedFirstTimestamp"], &["eventTime"]]);
    let last = first_of(&[
        &["series", "lastObservedTime"],
        &["lastTimestamp"],
        &["deprecatedLastTimestamp"],
        &["eventTime"],
    ]);
    let about = v.get("involvedObject").or(v.get("regarding"));
    let kind = about
        .and_then(|o| o.str_at(&["kind"]))
        .unwrap_or_default()
        .to_lowercase();
    let name = about.and_then(|o| o.str_at(&["name"])).unwrap_or_default();
    let source = first_of(&[
        &["source", "component"],
        &["reportingComponent"],
        &["reportingController"],
    ])
    .unwrap_or_default();
    let count = v
        .i64_at(&["series", "count"])
        .or(v.i64_at(&["count"]))
        .or(v.i64_at(&["deprecatedCount"]))
        .unwrap_or(1);
    vec![
        since(last.as_deref(), now).into(),
        text(v, &["type"], ""),
        text(v, &["reason"], ""),
        format!("{kind}/{name}").into(),
        about.map(|o| text(o, &["fieldPath"], "")).unwrap_or_else(|| "".into()),
        source.into(),
        first_of(&[&["message"], &["note"]]).unwrap_or_default().trim().into(),
        since(first.as_deref(), now).into(),
        count.into(),
    ]
}
