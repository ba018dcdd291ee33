//! What kubelet does with a Pod on its node: init containers in turn, then all others; starts again what ended.

use std::time::Duration;

use pintle_model::{Object, Value};

use super::behaviour::{Behaviour, Role, restart_policy};
use super::container::{self, Container, State, containers};
use super::{Look, PODS, reference};
use crate::clock::rfc3339;
use crate::error::ApiError;
use crate::workload::condition;
use crate::workload::recorder::About;
use crate::workload::timing::{self, CRASH_PAUSE, CRASH_PAUSE_MOST, LOOK_AGAIN};

/// An event that goes with a step: kind, reason, message.
type Said = (&'static str, &'static str, String);

/// Takes every container its due step further, and writes the Pod's status if any moved.
pub(super) fn step(look: &mut Look<'_>, addresses: &mut u32) -> Result<(), ApiError> {
    let pod = look.pod;
    let mut all = containers(pod);
    let mut said: Vec<(usize, Said)> = Vec::new();
    for (i, c) in all.iter_mut().enumerate() {
        said.extend(advance(look, c).into_iter().map(|s| (i, s)));
        if !lets_next_start(c) {
            break;
        }
    }
    let now = rfc3339(look.cx.now);
    let statuses: Vec<(Role, Value)> = all.iter().map(|c| (c.role, c.status.clone())).collect();
    let has_started = all.iter().any(|c| !matches!(c.state(), State::Waiting(_)));
    let address = (has_started && pod.value().str_at(&["status", "podIP"]).is_none()).then(|| address(pod, addresses));
    look.cx.modify(&PODS, pod, |p| {
        if let Some(address) = address {
            let mut entry = Value::map();
            entry.set_at(&["ip"], address.as_str().into());
            p.value_mut().set_at(&["status", "podIPs"], vec![entry].into());
            p.value_mut().set_at(&["status", "podIP"], address.into());
        }
        container::write(p, statuses);
        summarize(p, &now);
    })?;
    for (i, (kind, reason, message)) in said {
        let Some(c) = all.get(i) else { continue };
        look.cx
            .record(&About::container(pod, c.list(), c.name()), kind, reason, &message);
    }
    Ok(())
}

/// Whether the containers after this one may start.
fn lets_next_start(c: &Container<'_>) -> bool {
    match c.role {
        Role::Main => true,
        Role::Init => c.state() == State::Terminated(0),
        Role::Sidecar => c.is_ready(),
    }
}

/// Takes one container further if its time has come; what to say about it.
fn advance(look: &mut Look<'_>, c: &mut Container<'_>) -> Vec<Said> {
    let image = c.image().to_owned();
    // The number of the run keeps the steps of a restarted container apart.
    let step = |what: &str, c: &Container<'_>| format!("{what} {} {}", c.name(), c.restarts());
    match c.state() {
        State::Waiting("ErrImagePull") => {
            if look.is_due(&step("back-off", c), timing::PULL_BACK_OFF) {
                let why = pull_error(&image);
                c.wait(
                    "ImagePullBackOff",
                    &format!("Back-off pulling image {image:?}: ErrImagePull: {why}"),
                );
                return vec![
                    ("Normal", "BackOff", format!("Back-off pulling image {image:?}")),
                    ("Warning", "Failed", "Error: ImagePullBackOff".into()),
                ];
            }
            Vec::new()
        }
        // It would be tried again and again, with the same end.
        State::Waiting("ImagePullBackOff") => Vec::new(),
        State::Waiting("CrashLoopBackOff") => {
            if look.is_due_after(&step("restart", c), pause(c.restarts())) {
                return start(look, c, false);
            }
            Vec::new()
        }
        State::Waiting(_) => {
            let pull = step("pull", c);
            let is_first_look = !look.run.due.contains_key(&pull);
            if look.is_due(&pull, timing::PULL) {
                return start(look, c, true);
            }
            if is_first_look && c.status.str_at(&["state", "waiting", "reason"]) != Some("CreateContainerConfigError") {
                return vec![("Normal", "Pulling", format!("Pulling image {image:?}"))];
            }
            Vec::new()
        }
        State::Running => match c.behaviour.end(c.role) {
            Some((span, exit_code)) => {
                if c.behaviour == Behaviour::Task && c.role == Role::Main && !c.is_ready() {
                    // A task has no readiness to wait for.
                    c.ready();
                }
                if look.is_due(&step("end", c), span) {
                    c.end(exit_code, &rfc3339(look.cx.now));
                    return after_end(look, c, exit_code);
                }
                Vec::new()
            }
            None => {
                if !c.is_ready() && look.is_due(&step("ready", c), c.behaviour.ready_after()) {
                    c.ready();
                }
                Vec::new()
            }
        },
        State::Terminated(exit_code) => {
            if restarts(look.pod, c.role, exit_code) && look.is_due(&step("restart", c), timing::PULL) {
                return start(look, c, false);
            }
            Vec::new()
        }
    }
}

/// The first end is followed by an immediate restart, each later one by a pause that doubles.
fn after_end(look: &mut Look<'_>, c: &mut Container<'_>, exit_code: i64) -> Vec<Said> {
    if !restarts(look.pod, c.role, exit_code) {
        return Vec::new();
    }
    if c.restarts() == 0 {
        look.is_due(&format!("restart {} 0", c.name()), timing::PULL);
        return Vec::new();
    }
    let (namespace, pod, uid) = (look.pod.namespace(), look.pod.name(), look.pod.uid());
    let name = c.name().to_owned();
    let wait = pause(c.restarts());
    c.remember_end();
    let message = format!(
        "back-off {} restarting failed container={name} pod={pod}_{namespace}({uid})",
        shown(wait)
    );
    c.wait("CrashLoopBackOff", &message);
    look.is_due_after(&format!("restart {name} {}", c.restarts()), wait);
    let message = format!("Back-off restarting failed container {name} in pod {pod}_{namespace}({uid})");
    vec![("Warning", "BackOff", message)]
}

/// Starts a container, or says what it lacks.
fn start(look: &mut Look<'_>, c: &mut Container<'_>, pulls: bool) -> Vec<Said> {
    let (cx, pod) = (look.cx, look.pod);
    let image = c.image().to_owned();
    if pulls && let Some(why) = reference::missing_volume(cx.store, pod) {
        look.is_due_after(&format!("pull {} {}", c.name(), c.restarts()), LOOK_AGAIN);
        if look.run.complaint == why {
            return Vec::new();
        }
        look.run.complaint.clone_from(&why);
        return vec![("Warning", "FailedMount", why)];
    }
    if c.behaviour == Behaviour::NoImage {
        let why = pull_error(&image);
        c.wait("ErrImagePull", &why);
        look.is_due(
            &format!("back-off {} {}", c.name(), c.restarts()),
            timing::PULL_BACK_OFF,
        );
        return vec![
            ("Warning", "Failed", format!("Failed to pull image {image:?}: {why}")),
            ("Warning", "Failed", "Error: ErrImagePull".into()),
        ];
    }
    let pulled = if pulls {
        let took = cx.jitter.pick(timing::PULL, &image).as_millis();
        format!("Successfully pulled image {image:?} in {took}ms ({took}ms including waiting)")
    } else {
        format!("Container image {image:?} already present on machine")
    };
    if let Some(why) = reference::missing_environment(cx.store, pod, c.spec) {
        look.is_due_after(&format!("pull {} {}", c.name(), c.restarts()), LOOK_AGAIN);
        if c.state() == State::Waiting("CreateContainerConfigError") {
            return Vec::new();
        }
        c.wait("CreateContainerConfigError", &why);
        return vec![
            ("Normal", "Pulled", pulled),
            ("Warning", "Failed", format!("Error: {why}")),
        ];
    }
    c.run(pod, &rfc3339(cx.now));
    let name = c.name();
    vec![
        ("Normal", "Pulled", pulled),
        ("Normal", "Created", format!("Created container: {name}")),
        ("Normal", "Started", format!("Started container {name}")),
    ]
}

fn pull_error(image: &str) -> String {
    format!(
        "rpc error: code = NotFound desc = failed to pull and unpack image {image:?}: failed to resolve reference {image:?}: {image}: not found"
    )
}

/// Whether a container that ended with `exit_code` is started again.
fn restarts(pod: &Object, role: Role, exit_code: i64) -> bool {
    match (role, restart_policy(pod)) {
        (Role::Sidecar, _) => true,
        (Role::Init, policy) => exit_code != 0 && policy != "Never",
        (Role::Main, "Never") => false,
        (Role::Main, "OnFailure") => exit_code != 0,
        (Role::Main, _) => true,
    }
}

/// The pause before the next start of a container that was restarted `restarts` times.
fn pause(restarts: i64) -> Duration {
    let doubled = u32::try_from(restarts.saturating_sub(1)).unwrap_or(0).min(10);
    CRASH_PAUSE.saturating_mul(1 << doubled).min(CRASH_PAUSE_MOST)
}

/// As Go prints a duration of whole seconds.
fn shown(time: Duration) -> String {
    let (minutes, seconds) = (time.as_secs() / 60, time.as_secs() % 60);
    if minutes == 0 {
        format!("{seconds}s")
    } else {
        format!("{minutes}m{seconds}s")
    }
}

/// The next address of the Pods' network, or the node's.
fn address(pod: &Object, given: &mut u32) -> String {
    let value = pod.value();
    if value.bool_at(&["spec", "hostNetwork"]).unwrap_or(false) {
        return value.str_at(&["status", "hostIP"]).unwrap_or_default().to_owned();
    }
    let n = *given;
    *given = given.wrapping_add(1);
    // 250 addresses a block, 256 blocks, then the next network: addresses come again after half a million Pods.
    format!("10.{}.{}.{}", 244 + (n / 64_000) % 8, (n / 250) % 256, n % 250 + 2)
}

/// Ends all running containers of a Pod that is stopped.
pub(super) fn stop(pod: &mut Object, now: &str) {
    let mut statuses: Vec<(Role, Value)> = containers(pod).into_iter().map(|c| (c.role, c.status)).collect();
    for (_, status) in &mut statuses {
        if status.at(&["state", "terminated"]).is_none() {
            // As by SIGTERM to a program that does not handle it.
            container::end(status, 143, now);
        }
    }
    container::write(pod, statuses);
    pod.value_mut().set_at(&["status", "phase"], "Failed".into());
    let mut conditions = pod.value().list_at(&["status", "conditions"]).to_vec();
    for kind in ["Ready", "ContainersReady"] {
        condition::put(&mut conditions, condition::new(kind, false, "PodFailed", ""), now);
    }
    pod.value_mut().set_at(&["status", "conditions"], conditions.into());
}

/// Phase and conditions from the container statuses.
pub(super) fn summarize(pod: &mut Object, now: &str) {
    let (phase, conditions) = {
        let all = containers(pod);
        let phase = phase(pod, &all);
        (phase, conditions(&all, phase))
    };
    let mut list = pod.value().list_at(&["status", "conditions"]).to_vec();
    for mut condition in conditions {
        condition.set_at(&["lastProbeTime"], Value::Null);
        condition::put(&mut list, condition, now);
    }
    list.sort_by(|a, b| a.str_at(&["type"]).cmp(&b.str_at(&["type"])));
    pod.value_mut().set_at(&["status", "conditions"], list.into());
    pod.value_mut().set_at(&["status", "phase"], phase.into());
}

fn phase(pod: &Object, all: &[Container<'_>]) -> &'static str {
    let is_over = |c: &Container<'_>| match c.state() {
        State::Terminated(code) => !restarts(pod, c.role, code),
        _ => false,
    };
    for init in all.iter().filter(|c| c.role == Role::Init) {
        match init.state() {
            State::Terminated(0) => {}
            State::Terminated(_) if is_over(init) => return "Failed",
            _ => return "Pending",
        }
    }
    let main = || all.iter().filter(|c| c.role == Role::Main);
    if main().all(is_over) {
        let failed = main().any(|c| c.state() != State::Terminated(0));
        return if failed { "Failed" } else { "Succeeded" };
    }
    let never_ran = |c: &Container<'_>| {
        matches!(c.state(), State::Waiting(_)) && c.status.at(&["lastState", "terminated"]).is_none()
    };
    if main().any(never_ran) { "Pending" } else { "Running" }
}

fn conditions(all: &[Container<'_>], phase: &str) -> Vec<Value> {
    let names = |of: &dyn Fn(&&Container<'_>) -> bool| all.iter().filter(of).map(Container::name).collect::<Vec<_>>();
    let unfinished = names(&|c| c.role != Role::Main && !lets_next_start(c));
    let unready = names(&|c| c.role != Role::Init && !c.is_ready());
    // The sandbox stays while containers wait for their next start.
    let started = all.iter().any(|c| c.status.get("containerID").is_some());
    let listed = |what: &str, names: &[&str]| format!("containers with {what} status: [{}]", names.join(" "));
    let mut found = vec![condition::new("PodReadyToStartContainers", started, "", "")];
    found.push(if unfinished.is_empty() {
        let reason = if phase == "Succeeded" { "PodCompleted" } else { "" };
        condition::new("Initialized", true, reason, "")
    } else {
        let message = listed("incomplete", &unfinished);
        condition::new("Initialized", false, "ContainersNotInitialized", &message)
    });
    for kind in ["Ready", "ContainersReady"] {
        found.push(match phase {
            "Succeeded" => condition::new(kind, false, "PodCompleted", ""),
            "Failed" => condition::new(kind, false, "PodFailed", ""),
            _ if unready.is_empty() => condition::new(kind, true, "", ""),
            _ => condition::new(kind, false, "ContainersNotReady", &listed("unready", &unready)),
        });
    }
    found
}
