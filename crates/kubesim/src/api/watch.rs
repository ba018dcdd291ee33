//! Watches: one JSON line per event, from the store's history.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, stream};
use jiff::Timestamp;
use pintle_model::{Object, Value, write_json};
use tokio::sync::watch::Receiver;

use super::path::Target;
use super::query::Query;
use super::read::{Selection, revision_of, too_large};
use super::shape::Shape;
use crate::clock::later;
use crate::error::ApiError;
use crate::store::{Event, EventKind, Store};

/// A watch ends by itself after this time unless `timeoutSeconds` says otherwise; kube-apiserver takes 30 to 60 minutes.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(45 * 60);
/// Between two bookmarks when nothing happens, as in kube-apiserver.
const BOOKMARK_EVERY: Duration = Duration::from_secs(60);

/// Starts a watch; the stream yields chunks of whole lines.
pub fn start(
    store: &Store,
    target: &Target,
    query: &Query,
    shape: Shape,
) -> Result<impl Stream<Item = Bytes> + Send + use<>, ApiError> {
    let selection = Selection::parse(query, target)?;
    let asked = revision_of(query.get("resourceVersion"))?;
    let bookmarks = query.flag("allowWatchBookmarks");
    let streaming_list = query.flag("sendInitialEvents");
    if streaming_list && query.get("resourceVersionMatch") != "NotOlderThan" {
        return Err(ApiError::invalid(
            "meta.k8s.io",
            "ListOptions",
            "",
            vec![crate::error::Cause::forbidden(
                "resourceVersionMatch",
                "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
            )],
        ));
    }
    let now = store.clock().now();
    let timeout = query
        .number("timeoutSeconds")?
        .and_then(|s| u64::try_from(s).ok())
        .filter(|s| *s > 0);
    let ends_at = later(now, timeout.map_or(DEFAULT_TIMEOUT, Duration::from_secs));
    let changes = store.subscribe();
    let mut watch = Watch {
        store: store.clone(),
        changes,
        target: target.clone(),
        selection,
        shape,
        bookmarks,
        revision: 0,
        ends_at,
        next_bookmark: later(now, BOOKMARK_EVERY),
        first: true,
        pending: VecDeque::new(),
        ended: false,
    };
    let initial = match (asked, streaming_list, query.has("sendInitialEvents")) {
        (_, true, _) => true,
        // `sendInitialEvents=false` with version 0 means "from now".
        (None | Some(0), false, says_no) => !says_no,
        (Some(_), false, _) => false,
    };
    match asked {
        Some(revision) if revision > store.resource_version() => {
            return Err(too_large(revision, store.resource_version()));
        }
        Some(revision) if !initial && revision > 0 => watch.revision = revision,
        _ if initial => watch.send_current(streaming_list && bookmarks),
        _ => watch.revision = store.resource_version(),
    }
    Ok(stream::unfold(watch, |mut watch| async move {
        watch.next().await.map(|chunk| (chunk, watch))
    }))
}

struct Watch {
    store: Store,
    changes: Receiver<u64>,
    target: Target,
    selection: Selection,
    shape: Shape,
    bookmarks: bool,
    /// Everything up to here has been sent.
    revision: u64,
    ends_at: Timestamp,
    next_bookmark: Timestamp,
    first: bool,
    /// Chunks not sent yet. Bound: filled only when empty, by one pass over the history.
    pending: VecDeque<Bytes>,
    ended: bool,
}

/// Events per chunk: lines are handed on in chunks of about this many so that a long pass does not become one huge buffer.
const EVENTS_PER_CHUNK: usize = 64;

impl Watch {
    fn send_current(&mut self, mark_end: bool) {
        let listing = self.store.list(self.target.gr(), self.target.namespace.as_deref());
        let now = self.store.clock().now();
        self.revision = listing.revision;
        let mut lines = Lines::default();
        for object in listing
            .objects
            .into_iter()
            .filter(|o| self.selection.matches(o, &self.target))
        {
            lines.add(
                "ADDED",
                &self.shape.watched(object, std::mem::take(&mut self.first), now),
            );
        }
        if mark_end {
            lines.add("BOOKMARK", &self.shape.bookmark(self.revision, true));
        }
        self.pending.extend(lines.finish());
    }

    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(chunk) = self.pending.pop_front() {
                return Some(chunk);
            }
            if self.ended {
                return None;
            }
            // Marked first: a write between the read and the wait is seen by the wait.
            self.changes.mark_unchanged();
            self.read_history();
            if !self.pending.is_empty() || self.ended {
                continue;
            }
            let clock = self.store.clock().clone();
            let bookmark_at = if self.bookmarks {
                self.next_bookmark
            } else {
                Timestamp::MAX
            };
            tokio::select! {
                changed = self.changes.changed() => if changed.is_err() { return None },
                () = clock.sleep_until(self.ends_at.min(bookmark_at)) => {
                    let now = clock.now();
                    if now >= self.ends_at {
                        return None;
                    }
                    self.next_bookmark = later(now, BOOKMARK_EVERY);
                    let mut lines = Lines::default();
                    lines.add("BOOKMARK", &self.shape.bookmark(self.revision, false));
                    self.pending.extend(lines.finish());
                }
            }
        }
    }

    fn read_history(&mut self) {
        let mut lines = Lines::default();
        match self.store.events_of_since(self.target.gr(), self.revision) {
            Ok((events, revision)) => {
                let now = self.store.clock().now();
                for event in events {
                    if let Some((name, object)) = self.visible(event) {
                        lines.add(name, &self.shape.watched(object, std::mem::take(&mut self.first), now));
                    }
                }
                self.revision = revision;
            }
            Err(compacted) => {
                lines.add("ERROR", &ApiError::expired(compacted.to_string()).to_status());
                self.ended = true;
            }
        }
        self.pending.extend(lines.finish());
    }

    /// What an event looks like through the selection: an object that stops matching is deleted for this watcher.
    fn visible(&self, event: Event) -> Option<(&'static str, Object)> {
        if self.target.namespace.as_deref().is_some_and(|ns| ns != &*event.key.0) {
            return None;
        }
        let before = event
            .previous
            .as_ref()
            .is_some_and(|o| self.selection.matches(o, &self.target));
        if event.kind == EventKind::Deleted {
            return before.then_some(("DELETED", event.object));
        }
        match (before, self.selection.matches(&event.object, &self.target)) {
            (false, true) => Some(("ADDED", event.object)),
            (true, true) => Some(("MODIFIED", event.object)),
            (true, false) => {
                // The last state that matched, at the version of the change.
                let mut object = event.previous?;
                object
                    .value_mut()
                    .set_at(&["metadata", "resourceVersion"], event.revision.to_string().into());
                Some(("DELETED", object))
            }
            (false, false) => None,
        }
    }
}

/// Event lines, in chunks.
#[derive(Default)]
struct Lines {
    chunks: Vec<Bytes>,
    current: Vec<u8>,
    count: usize,
}

impl Lines {
    fn add(&mut self, kind: &str, object: &Value) {
        // The type comes first, as from kube-apiserver: clients that decode adjacently tagged events rely on it.
        self.current.extend_from_slice(b"{\"type\":\"");
        self.current.extend_from_slice(kind.as_bytes());
        self.current.extend_from_slice(b"\",\"object\":");
        write_json(object, &mut self.current);
        self.current.extend_from_slice(b"}\n");
        self.count += 1;
        if self.count.is_multiple_of(EVENTS_PER_CHUNK) {
            self.chunks.push(std::mem::take(&mut self.current).into());
        }
    }

    fn finish(mut self) -> Vec<Bytes> {
        if !self.current.is_empty() {
            self.chunks.push(self.current.into());
        }
        self.chunks
    }
}
