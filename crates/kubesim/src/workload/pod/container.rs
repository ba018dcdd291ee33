//! Container statuses, as kubelet writes them.

use pintle_model::{Object, Value, to_json};
use sha2::{Digest, Sha256};

use super::behaviour::{Behaviour, Role};
use crate::workload::condition;

/// One container of a Pod with its status.
pub(super) struct Container<'a> {
    pub(super) spec: &'a Value,
    pub(super) role: Role,
    pub(super) behaviour: Behaviour,
    pub(super) status: Value,
}

/// What a status says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State<'a> {
    /// Not started, or not started again yet; the reason.
    Waiting(&'a str),
    Running,
    /// Ended with an exit code.
    Terminated(i64),
}

impl Container<'_> {
    pub(super) fn name(&self) -> &str {
        self.spec.str_at(&["name"]).unwrap_or_default()
    }

    pub(super) fn image(&self) -> &str {
        self.spec.str_at(&["image"]).unwrap_or_default()
    }

    /// The list of the spec this container is in.
    pub(super) fn list(&self) -> &'static str {
        if self.role == Role::Main {
            "containers"
        } else {
            "initContainers"
        }
    }

    pub(super) fn state(&self) -> State<'_> {
        let state = |of: &str| self.status.at(&["state", of]);
        if let Some(ended) = state("terminated") {
            State::Terminated(ended.i64_at(&["exitCode"]).unwrap_or(0))
        } else if state("running").is_some() {
            State::Running
        } else {
            State::Waiting(self.status.str_at(&["state", "waiting", "reason"]).unwrap_or_default())
        }
    }

    pub(super) fn is_ready(&self) -> bool {
        self.status.bool_at(&["ready"]).unwrap_or(false)
    }

    pub(super) fn restarts(&self) -> i64 {
        self.status.i64_at(&["restartCount"]).unwrap_or(0)
    }

    pub(super) fn wait(&mut self, reason: &str, message: &str) {
        let mut waiting = Value::map();
        waiting.set_at(&["reason"], reason.into());
        if !message.is_empty() {
            waiting.set_at(&["message"], message.into());
        }
        self.set_state("waiting", waiting);
    }

    pub(super) fn run(&mut self, pod: &Object, now: &str) {
        if matches!(self.state(), State::Terminated(_)) || self.status.at(&["lastState", "terminated"]).is_some() {
            let restarts = self.restarts().saturating_add(1);
            self.status.set_at(&["restartCount"], restarts.into());
        }
        self.remember_end();
        let mut running = Value::map();
        running.set_at(&["startedAt"], now.into());
        self.set_state("running", running);
        self.status.set_at(&["started"], true.into());
        let id = digest(&format!("{}/{}/{}", pod.uid(), self.name(), self.restarts()));
        self.status
            .set_at(&["containerID"], format!("containerd://{id}").into());
        let image_id = image_id(self.image());
        self.status.set_at(&["imageID"], image_id.into());
    }

    pub(super) fn ready(&mut self) {
        self.status.set_at(&["ready"], true.into());
    }

    pub(super) fn end(&mut self, exit_code: i64, now: &str) {
        end(&mut self.status, exit_code, now);
    }

    /// Moves the end of a run to `lastState`.
    pub(super) fn remember_end(&mut self) {
        if let Some(ended) = self.status.at(&["state", "terminated"]).cloned() {
            self.status.set_at(&["lastState", "terminated"], ended);
        }
    }

    fn set_state(&mut self, state: &str, content: Value) {
        let mut map = Value::map();
        map.set_at(&[state], content);
        self.status.set_at(&["state"], map);
        self.status.set_at(&["ready"], false.into());
        self.status.set_at(&["started"], false.into());
    }
}

/// Ends the container of a status.
pub(super) fn end(status: &mut Value, exit_code: i64, now: &str) {
    let mut ended = Value::map();
    ended.set_at(&["exitCode"], exit_code.into());
    ended.set_at(&["reason"], if exit_code == 0 { "Completed" } else { "Error" }.into());
    let started = status
        .str_at(&["state", "running", "startedAt"])
        .unwrap_or(now)
        .to_owned();
    ended.set_at(&["startedAt"], started.into());
    ended.set_at(&["finishedAt"], now.into());
    if let Some(id) = status.get("containerID").cloned() {
        ended.set_at(&["containerID"], id);
    }
    let mut state = Value::map();
    state.set_at(&["terminated"], ended);
    status.set_at(&["state"], state);
    status.set_at(&["ready"], false.into());
    status.set_at(&["started"], false.into());
}

/// The containers of a Pod with their statuses; a container without a status waits.
pub(super) fn containers(pod: &Object) -> Vec<Container<'_>> {
    let value = pod.value();
    let init = value.list_at(&["spec", "initContainers"]);
    let waiting = if init.is_empty() {
        "ContainerCreating"
    } else {
        "PodInitializing"
    };
    let init = init
        .iter()
        .map(|spec| (spec, Role::of_init(spec), "initContainerStatuses"));
    let main = value.list_at(&["spec", "containers"]).iter();
    init.chain(main.map(|spec| (spec, Role::Main, "containerStatuses")))
        .map(|(spec, role, list)| {
            let statuses = value.list_at(&["status", list]);
            let name = spec.str_at(&["name"]).unwrap_or_default();
            let found = statuses.iter().find(|s| s.str_at(&["name"]) == Some(name));
            Container {
                spec,
                role,
                behaviour: Behaviour::of(spec, pod, role),
                status: found.cloned().unwrap_or_else(|| first_status(spec, name, waiting)),
            }
        })
        .collect()
}

fn first_status(spec: &Value, name: &str, waiting: &str) -> Value {
    let mut status = Value::map();
    status.set_at(&["name"], name.into());
    status.set_at(&["image"], spec.str_at(&["image"]).unwrap_or_default().into());
    status.set_at(&["imageID"], "".into());
    status.set_at(&["lastState"], Value::map());
    status.set_at(&["ready"], false.into());
    status.set_at(&["restartCount"], 0.into());
    status.set_at(&["started"], false.into());
    status.set_at(&["state", "waiting", "reason"], waiting.into());
    status
}

/// What kubelet writes when a Pod reaches its node.
pub(super) fn accept(pod: &mut Object, node: &Object, now: &str) {
    let address = crate::workload::node::address(node).to_owned();
    let value = pod.value_mut();
    value.set_at(&["status", "phase"], "Pending".into());
    value.set_at(&["status", "startTime"], now.into());
    value.set_at(&["status", "hostIP"], address.as_str().into());
    let mut host = Value::map();
    host.set_at(&["ip"], address.into());
    value.set_at(&["status", "hostIPs"], vec![host].into());
    let mut conditions = value.list_at(&["status", "conditions"]).to_vec();
    let mut scheduled = condition::new("PodScheduled", true, "", "");
    scheduled.set_at(&["lastProbeTime"], Value::Null);
    condition::put(&mut conditions, scheduled, now);
    value.set_at(&["status", "conditions"], conditions.into());
    let containers: Vec<(Role, Value)> = containers(pod).into_iter().map(|c| (c.role, c.status)).collect();
    write(pod, containers);
    super::life::summarize(pod, now);
}

/// Puts container statuses into the status of their Pod.
pub(super) fn write(pod: &mut Object, statuses: Vec<(Role, Value)>) {
    let (main, init): (Vec<_>, Vec<_>) = statuses.into_iter().partition(|(role, _)| *role == Role::Main);
    for (list, statuses) in [("initContainerStatuses", init), ("containerStatuses", main)] {
        if !statuses.is_empty() {
            let statuses: Vec<Value> = statuses.into_iter().map(|(_, s)| s).collect();
            pod.value_mut().set_at(&["status", list], statuses.into());
        }
    }
}

fn digest(text: &str) -> String {
    Sha256::digest(to_json(&Value::str(text)))
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect()
}

fn image_id(image: &str) -> String {
    match image.split_once('@') {
        Some(_) => image.to_owned(),
        None => {
            let last = image.rfind('/').map_or(0, |i| i + 1);
            let end = image
                .get(last..)
                .and_then(|l| l.find(':'))
                .map_or(image.len(), |i| last + i);
            format!("{}@sha256:{}", image.get(..end).unwrap_or(image), digest(image))
        }
    }
}
