//! Logs of an Application's Pods, merged.

use std::collections::VecDeque;

use bytes::{Buf as _, Bytes, BytesMut};
use futures_util::stream::{self, BoxStream, StreamExt as _};
use jiff::Timestamp;
use pintle_cluster::resources::LogOptions;

use super::delete::roots;
use crate::api::{LogEntry, PodLogsQuery, ResourceNode};
use crate::core::Core;
use crate::error::ApiError;

/// Pods whose logs are shown at once, as at the peer (`server.maxPodLogsToRender`).
const MAX_PODS: usize = 10;
/// A line longer than this is shown in parts; container runtimes cut at 16 KiB.
const MAX_LINE_BYTES: usize = 64 * 1024;
/// Lines held for ordering, over all Pods, where logs are not followed; older ones go first.
const MAX_HELD_LINES: usize = 200_000;

type Entries = BoxStream<'static, Result<LogEntry, ApiError>>;

impl Core {
    pub(super) async fn logs(&self, query: PodLogsQuery) -> Result<Entries, ApiError> {
        let (_, app) = self.read_app(&query.app).await?;
        if !app.spec.destination.is_in_cluster() {
            return Err(ApiError::unsupported("reading logs of other clusters"));
        }
        let tree = self.parts.live.tree(&app, &roots(&app)).await?;
        let pods = pods(&tree.nodes, &query);
        if pods.is_empty() {
            let why = tree.unreadable.first().map(|u| format!(" ({u})")).unwrap_or_default();
            return Err(
                ApiError::not_found(format!("no pods of application {:?} match{why}", app.metadata.name)).with_hint(
                    format!("`app resources {} --output tree` shows its parts", app.metadata.name),
                ),
            );
        }
        if pods.len() > MAX_PODS {
            return Err(ApiError::invalid(format!(
                "max pods to view logs are reached: {} of at most {MAX_PODS}; please provide more granular query",
                pods.len()
            ))
            .with_hint("--kind, --name and --namespace select; the name of a Pod selects it alone"));
        }
        let options = LogOptions {
            container: query.container.clone(),
            follow: query.follow,
            previous: query.previous,
            tail_lines: query.tail_lines,
            since_seconds: query.since_seconds,
            timestamps: true,
            since_time: None,
        };
        let filter = Filter::new(&query);
        let mut streams = Vec::new();
        for pod in pods {
            let key = &pod.reference.key;
            let log = self.store().pod_log(&key.namespace, &key.name, &options).await?;
            let name = key.name.to_string();
            let filter = filter.clone();
            let entries = lines(log).map(move |line| line.map(|line| entry(&line, &name)));
            let entries = entries.filter(move |e| {
                let wanted = e.as_ref().map_or(true, |e| filter.wants(e));
                async move { wanted }
            });
            streams.push(entries.boxed());
        }
        let merged = stream::select_all(streams);
        if query.follow {
            return Ok(merged.boxed());
        }
        // Complete logs are put in the order of their times; lines without one stay where their Pod's log has them.
        let mut held: VecDeque<LogEntry> = VecDeque::new();
        let mut failed = None;
        let mut merged = merged;
        while let Some(line) = merged.next().await {
            match line {
                Ok(line) => {
                    if held.len() == MAX_HELD_LINES {
                        held.pop_front();
                    }
                    held.push_back(line);
                }
                Err(error) => failed = Some(error),
            }
        }
        held.make_contiguous().sort_by_key(|line| line.time);
        let end = failed.map(Err);
        Ok(stream::iter(held.into_iter().map(Ok).chain(end)).boxed())
    }
}

/// The Pods that are meant, or that are below an object that is meant.
fn pods<'a>(nodes: &'a [ResourceNode], query: &PodLogsQuery) -> Vec<&'a ResourceNode> {
    let part = |wanted: &str, is: &str| wanted.is_empty() || wanted == is;
    let meant = |node: &ResourceNode| {
        let key = &node.reference.key;
        part(&query.group, &key.group)
            && part(&query.kind, &key.kind)
            && part(&query.namespace, &key.namespace)
            && part(&query.resource_name, &key.name)
    };
    let below = |pod: &ResourceNode| {
        // Trees are shallow; the bound ends circles.
        let mut level = vec![pod];
        for _ in 0..16 {
            if level.iter().any(|n| meant(n)) {
                return true;
            }
            let is_parent = |n: &&ResourceNode| {
                level
                    .iter()
                    .any(|child| child.parents.iter().any(|p| p.uid == n.reference.uid))
            };
            level = nodes.iter().filter(is_parent).collect();
        }
        false
    };
    nodes
        .iter()
        .filter(|n| &*n.reference.key.kind == "Pod" && n.reference.key.group.is_empty())
        .filter(|n| part(&query.pod_name, &n.reference.key.name))
        .filter(|n| below(n))
        .collect()
}

/// Which lines are wanted.
#[derive(Clone)]
struct Filter {
    text: String,
    exclude: bool,
    match_case: bool,
    until: Option<Timestamp>,
}

impl Filter {
    fn new(query: &PodLogsQuery) -> Self {
        let (exclude, text) = match query.filter.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, query.filter.as_str()),
        };
        Self {
            text: if query.match_case {
                text.to_owned()
            } else {
                text.to_lowercase()
            },
            exclude,
            match_case: query.match_case,
            until: query.until_time,
        }
    }

    fn wants(&self, entry: &LogEntry) -> bool {
        if matches!((self.until, entry.time), (Some(until), Some(time)) if time > until) {
            return false;
        }
        if self.text.is_empty() {
            return true;
        }
        let contains = if self.match_case {
            entry.content.contains(&self.text)
        } else {
            entry.content.to_lowercase().contains(&self.text)
        };
        contains != self.exclude
    }
}

/// Splits `2026-01-02T03:04:05.123456789Z the line` as the API server writes it.
fn entry(line: &str, pod: &str) -> LogEntry {
    let (time, content) = match line.split_once(' ') {
        Some((time, rest)) => (time.parse().ok(), rest),
        None => (line.parse().ok(), ""),
    };
    LogEntry {
        content: if time.is_some() { content } else { line }.to_owned(),
        time,
        pod_name: pod.to_owned(),
    }
}

/// A log's bytes, line by line.
fn lines(
    log: BoxStream<'static, Result<Bytes, ApiError>>,
) -> impl stream::Stream<Item = Result<String, ApiError>> + Send {
    stream::unfold(
        (log, BytesMut::new(), false),
        |(mut log, mut buffer, mut ended)| async move {
            loop {
                let end = buffer.iter().position(|b| *b == b'\n');
                if let Some(end) = end.or_else(|| (buffer.len() >= MAX_LINE_BYTES).then_some(MAX_LINE_BYTES)) {
                    let line = buffer.split_to(end);
                    if buffer.first() == Some(&b'\n') {
                        buffer.advance(1);
                    }
                    return Some((Ok(text(&line)), (log, buffer, ended)));
                }
                if ended {
                    let rest = buffer.split();
                    return (!rest.is_empty()).then(|| (Ok(text(&rest)), (log, buffer, ended)));
                }
                match log.next().await {
                    Some(Ok(part)) => buffer.extend_from_slice(&part),
                    Some(Err(error)) => return Some((Err(error), (log, buffer, true))),
                    None => ended = true,
                }
            }
        },
    )
}

fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(line).trim_end_matches('\r').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_come_whole_however_the_bytes_are_cut() {
        let parts = ["2026-01-02T03:04:05.5Z a\n2026-01", "-02T03:04:06Z \r\nno time", ""];
        let log = stream::iter(parts.map(|p| Ok(Bytes::from_static(p.as_bytes())))).boxed();
        let seen: Vec<String> = lines(log)
            .map(|l| {
                let e = entry(&l.unwrap(), "p");
                format!("{}|{}", e.time.map(|t| t.to_string()).unwrap_or_default(), e.content)
            })
            .collect()
            .await;
        assert_eq!(seen, ["2026-01-02T03:04:05.5Z|a", "2026-01-02T03:04:06Z|", "|no time"]);
    }

    #[test]
    fn filters_tell_in_from_out() {
        let wants = |filter: &str, match_case: bool| {
            let query = PodLogsQuery {
                filter: filter.into(),
                match_case,
                ..PodLogsQuery::default()
            };
            let entry = LogEntry {
                content: "An Error".into(),
                time: None,
                pod_name: String::new(),
            };
            Filter::new(&query).wants(&entry)
        };
        assert!(wants("", false) && wants("error", false) && wants("!warn", false));
        assert!(!wants("error", true) && !wants("!error", false));
    }
}
