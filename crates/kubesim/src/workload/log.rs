//! What simulated containers print, worked out from the Pod whenever it is asked for.

use std::time::Duration;

use jiff::Timestamp;
use pintle_model::{Object, Value};

use super::pod::behaviour::{Behaviour, Role, tag};
use crate::clock::{later, parse_time};
use crate::logs::{LogLine, PodLogs};

/// Between two lines of a container that serves.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// Lines of one answer at most; older ones have been rotated away.
const MAX_LINES: usize = 2_000;

/// The lines of every container.
pub(super) struct Lines;

impl PodLogs for Lines {
    fn lines(&self, pod: &Object, container: &str, previous: bool, until: Timestamp) -> Option<Vec<LogLine>> {
        let (spec, role, status) = find(pod, container)?;
        let run = Run::of(status, previous)?;
        let image = spec.str_at(&["image"]).unwrap_or_default();
        let behaviour = Behaviour::of(spec, pod, role);
        let end = run.end.map_or(until, |(at, _)| at.min(until));
        let mut lines = vec![line(
            run.start,
            format!("{container}: starting {image} (version {})", tag(image)),
        )];
        if behaviour.end(role).is_none() {
            let port = spec
                .list_at(&["ports"])
                .first()
                .and_then(|p| p.i64_at(&["containerPort"]));
            let text = match port {
                Some(port) => format!("{container}: listening on :{port}"),
                None => format!("{container}: running"),
            };
            lines.push(line(run.start, text));
            lines.extend(heartbeats(container, run.start, end));
        }
        if let Some((at, exit_code)) = run.end {
            lines.extend(
                last_words(container, behaviour, exit_code)
                    .into_iter()
                    .map(|t| line(at, t)),
            );
        }
        lines.retain(|l| l.at <= until);
        Some(lines)
    }
}

/// The container of that name, its role and its status.
fn find<'a>(pod: &'a Object, name: &str) -> Option<(&'a Value, Role, &'a Value)> {
    let value = pod.value();
    [
        ("containers", "containerStatuses"),
        ("initContainers", "initContainerStatuses"),
    ]
    .into_iter()
    .find_map(|(list, statuses)| {
        let is = |v: &&Value| v.str_at(&["name"]) == Some(name);
        let spec = value.list_at(&["spec", list]).iter().find(is)?;
        let status = value.list_at(&["status", statuses]).iter().find(is)?;
        let role = if list == "containers" {
            Role::Main
        } else {
            Role::of_init(spec)
        };
        Some((spec, role, status))
    })
}

/// One run of a container: its start, and its end with the exit code.
struct Run {
    start: Timestamp,
    end: Option<(Timestamp, i64)>,
}

impl Run {
    /// The current run, which in a crash loop is the one that has just ended; or the one before.
    fn of(status: &Value, previous: bool) -> Option<Self> {
        let ended = |v: &Value| {
            let time = |f: &str| v.str_at(&[f]).and_then(parse_time);
            Some(Self {
                start: time("startedAt")?,
                end: Some((time("finishedAt")?, v.i64_at(&["exitCode"]).unwrap_or(0))),
            })
        };
        let last = || status.at(&["lastState", "terminated"]).and_then(ended);
        if previous {
            return last();
        }
        if let Some(running) = status.at(&["state", "running"]) {
            let start = running.str_at(&["startedAt"]).and_then(parse_time)?;
            return Some(Self { start, end: None });
        }
        status.at(&["state", "terminated"]).and_then(ended).or_else(last)
    }
}

/// A line every [`HEARTBEAT`], the newest [`MAX_LINES`].
fn heartbeats(container: &str, start: Timestamp, end: Timestamp) -> impl Iterator<Item = LogLine> {
    let alive = Duration::try_from(end.duration_since(start)).unwrap_or_default();
    let count = alive.as_secs() / HEARTBEAT.as_secs();
    let first = count.saturating_sub(MAX_LINES as u64) + 1;
    (first..=count).map(move |n| {
        let at = later(start, Duration::from_secs(n.saturating_mul(HEARTBEAT.as_secs())));
        line(at, format!("{container}: alive, {} requests served", n * 7 % 1000))
    })
}

fn last_words(container: &str, behaviour: Behaviour, exit_code: i64) -> Vec<String> {
    match (behaviour, exit_code) {
        (Behaviour::Crash, _) => vec![
            "panic: runtime error: invalid memory address or nil pointer dereference".into(),
            format!("{container}: exit code {exit_code}"),
        ],
        (_, 0) => vec![format!("{container}: done")],
        (_, 143) => vec![format!("{container}: terminated")],
        _ => vec![format!("{container}: error: failed with exit code {exit_code}")],
    }
}

fn line(at: Timestamp, text: String) -> LogLine {
    LogLine { at, text }
}
