//! `pods/{name}/log`.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use jiff::Timestamp;
use pintle_model::{Object, Value};

use super::path::Target;
use super::query::Query;
use crate::clock::{later, parse_time};
use crate::error::ApiError;
use crate::logs::{LogLine, PodLogs};
use crate::store::Store;
use std::sync::Arc;

/// How often a followed log is looked at; a simulated container prints a line every few seconds.
const FOLLOW_EVERY: Duration = Duration::from_millis(500);

/// Which lines were asked for.
struct Wanted {
    container: String,
    previous: bool,
    follow: bool,
    timestamps: bool,
    tail: Option<usize>,
    since: Option<Timestamp>,
    limit_bytes: Option<usize>,
}

/// Reads, and with `follow` goes on reading, a container's log.
pub fn read(
    store: &Store,
    logs: Arc<dyn PodLogs>,
    target: &Target,
    query: &Query,
) -> Result<impl Stream<Item = Bytes> + Send + use<>, ApiError> {
    let pod = store.get(target.gr(), target.ns(), target.name())?;
    let now = store.clock().now();
    let count = |key| query.number(key).map(|n| n.and_then(|n| usize::try_from(n).ok()));
    let since_seconds = query.number("sinceSeconds")?.and_then(|s| u64::try_from(s).ok());
    let ago = since_seconds.and_then(|s| jiff::SignedDuration::try_from(Duration::from_secs(s)).ok());
    let wanted = Wanted {
        container: container_of(&pod, query.get("container"))?,
        previous: query.flag("previous"),
        follow: query.flag("follow") && !query.flag("previous"),
        timestamps: query.flag("timestamps"),
        tail: count("tailLines")?,
        since: ago
            .and_then(|a| now.checked_sub(a).ok())
            .or_else(|| parse_time(query.get("sinceTime"))),
        limit_bytes: count("limitBytes")?,
    };
    let Some(lines) = logs.lines(&pod, &wanted.container, wanted.previous, now) else {
        return Err(not_started(&pod, &wanted));
    };
    let skip = wanted.tail.map_or(0, |tail| lines.len().saturating_sub(tail));
    let first = render(
        lines
            .iter()
            .skip(skip)
            .filter(|l| wanted.since.is_none_or(|s| l.at >= s)),
        &wanted,
    );
    let seen = lines.len();
    let rest = wanted
        .follow
        .then(|| follow(store.clone(), logs, target.clone(), wanted, pod.uid().to_owned(), seen));
    let head = stream::iter((!first.is_empty()).then_some(first));
    Ok(head.chain(stream::iter(rest).flatten()))
}

fn follow(
    store: Store,
    logs: Arc<dyn PodLogs>,
    target: Target,
    wanted: Wanted,
    uid: String,
    seen: usize,
) -> impl Stream<Item = Bytes> + Send {
    stream::unfold((wanted, seen), move |(wanted, seen)| {
        let (store, logs, target, uid) = (store.clone(), Arc::clone(&logs), target.clone(), uid.clone());
        async move {
            loop {
                let now = store.clock().now();
                let pod = store
                    .get(target.gr(), target.ns(), target.name())
                    .ok()
                    .filter(|p| p.uid() == uid)?;
                let lines = logs.lines(&pod, &wanted.container, false, now)?;
                if lines.len() > seen {
                    let text = render(lines.iter().skip(seen), &wanted);
                    return Some((text, (wanted, lines.len())));
                }
                if matches!(pod.value().str_at(&["status", "phase"]), Some("Succeeded" | "Failed")) {
                    return None;
                }
                store.clock().sleep_until(later(now, FOLLOW_EVERY)).await;
            }
        }
    })
}

fn render<'l>(lines: impl Iterator<Item = &'l LogLine>, wanted: &Wanted) -> Bytes {
    let mut out = String::new();
    for line in lines {
        if wanted.timestamps {
            out.push_str(&line.at.strftime("%Y-%m-%dT%H:%M:%S.%9fZ ").to_string());
        }
        out.push_str(&line.text);
        out.push('\n');
    }
    if let Some(limit) = wanted.limit_bytes {
        let end = (0..=limit.min(out.len()))
            .rev()
            .find(|i| out.is_char_boundary(*i))
            .unwrap_or(0);
        out.truncate(end);
    }
    out.into()
}

fn container_names(pod: &Object) -> Vec<&str> {
    ["initContainers", "containers"]
        .iter()
        .flat_map(|list| pod.value().list_at(&["spec", list]))
        .filter_map(|c| c.str_at(&["name"]))
        .collect()
}

fn container_of(pod: &Object, asked: &str) -> Result<String, ApiError> {
    let names = container_names(pod);
    if !asked.is_empty() {
        if names.contains(&asked) {
            return Ok(asked.to_owned());
        }
        return Err(ApiError::bad_request(format!(
            "container {asked} is not valid for pod {}",
            pod.name()
        )));
    }
    match pod.value().list_at(&["spec", "containers"]) {
        [one] => Ok(one.str_at(&["name"]).unwrap_or_default().to_owned()),
        _ => Err(ApiError::bad_request(format!(
            "a container name must be specified for pod {}, choose one of: [{}]",
            pod.name(),
            names.join(" ")
        ))),
    }
}

fn not_started(pod: &Object, wanted: &Wanted) -> ApiError {
    let (name, container) = (pod.name(), &wanted.container);
    if wanted.previous {
        return ApiError::bad_request(format!(
            "previous terminated container {container:?} in pod {name:?} not found"
        ));
    }
    let statuses = pod.value().list_at(&["status", "containerStatuses"]);
    let waiting = statuses
        .iter()
        .find(|s| s.str_at(&["name"]) == Some(container))
        .and_then(|s| s.at(&["state", "waiting", "reason"]))
        .and_then(Value::as_str)
        .unwrap_or("ContainerCreating");
    let why = match waiting {
        "ImagePullBackOff" | "ErrImagePull" => "trying and failing to pull image".to_owned(),
        reason => reason.to_owned(),
    };
    ApiError::bad_request(format!(
        "container {container:?} in pod {name:?} is waiting to start: {why}"
    ))
}
