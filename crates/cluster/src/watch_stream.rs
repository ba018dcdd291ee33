//! One WATCH request: the answer's bytes, line by line, into changes.

use std::borrow::Cow;
use std::time::Duration;

use bytes::{Buf as _, BytesMut};
use http_body_util::BodyExt as _;
use kube::client::Body;
use pintle_engine::effect::FailureKind;
use pintle_model::Object;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::timeout;

use crate::discovery::ServedKind;
use crate::error::{ApiError, Asked, status_code_of};
use crate::list::{Unreadable, decode, identity, unreadable};

/// One event carries one object; etcd's own limit is 1.5 MiB and aggregated servers stay in that order.
const LINE_LIMIT: usize = 16 << 20;

/// What a watch says.
pub(crate) enum Change {
    /// The object is new or different.
    Applied(Object),
    /// The object is gone; this is its last state.
    Deleted(Object),
    /// Nothing happened up to this resourceVersion.
    Bookmark(String),
    /// The object changed and cannot be read; the watch is at the resourceVersion.
    Unreadable(Unreadable, String),
}

/// What came next in a watch.
pub(crate) enum Next {
    Change(Change),
    /// The server ended the watch.
    Ended,
    /// Nothing for as long as was waited.
    Silent,
}

/// An open watch.
pub(crate) struct WatchStream<'a> {
    asked: Asked,
    kind: &'a ServedKind,
    body: Body,
    buffer: BytesMut,
    /// How much of the buffer is known to hold no line end.
    scanned: usize,
}

impl<'a> WatchStream<'a> {
    pub(crate) fn new(asked: Asked, kind: &'a ServedKind, body: Body) -> Self {
        Self {
            asked,
            kind,
            body,
            buffer: BytesMut::new(),
            scanned: 0,
        }
    }

    /// What comes next within `idle`; an error where the server said one or the connection broke.
    pub(crate) async fn next(&mut self, idle: Duration) -> Result<Next, ApiError> {
        loop {
            let unscanned = self.buffer.get(self.scanned..).unwrap_or_default();
            if let Some(at) = unscanned.iter().position(|b| *b == b'\n') {
                let line = self.buffer.split_to(self.scanned + at);
                self.buffer.advance(1);
                self.scanned = 0;
                if line.iter().all(u8::is_ascii_whitespace) {
                    continue;
                }
                return self.read_line(&line).map(Next::Change);
            }
            self.scanned = self.buffer.len();
            if self.buffer.len() > LINE_LIMIT {
                return Err(self.asked.too_large(LINE_LIMIT));
            }
            let Ok(frame) = timeout(idle, self.body.frame()).await else {
                return Ok(Next::Silent);
            };
            match frame {
                // Half a line at the end is an event that did not arrive; the next watch brings it.
                None => return Ok(Next::Ended),
                Some(Err(e)) => return Err(self.asked.lost_midway(&e)),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.buffer.extend_from_slice(&data);
                    }
                }
            }
        }
    }

    fn read_line(&self, line: &[u8]) -> Result<Change, ApiError> {
        let broken = |why: String| {
            self.asked
                .failed(FailureKind::Unavailable, format!("unreadable event: {why}"))
        };
        let event: Event<'_> = serde_json::from_slice(line).map_err(|e| broken(e.to_string()))?;
        let text = event.object.get().as_bytes();
        match &*event.change {
            "ERROR" => Err(self.asked.refused(status_code_of(text), None, text)),
            "BOOKMARK" => match identity(text) {
                Some(id) if !id.resource_version.is_empty() => Ok(Change::Bookmark(id.resource_version)),
                _ => Err(broken("a bookmark without resourceVersion".to_owned())),
            },
            change @ ("ADDED" | "MODIFIED" | "DELETED") => match decode(self.kind, text) {
                Ok(object) if change == "DELETED" => Ok(Change::Deleted(object)),
                Ok(object) => Ok(Change::Applied(object)),
                Err(message) => match identity(text) {
                    Some(id) if !id.resource_version.is_empty() => {
                        Ok(Change::Unreadable(unreadable(text, message), id.resource_version))
                    }
                    _ => Err(broken(message)),
                },
            },
            other => Err(broken(format!("unknown type {other:?}"))),
        }
    }
}

/// One line of a watch.
#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow, rename = "type")]
    change: Cow<'a, str>,
    #[serde(borrow)]
    object: &'a RawValue,
}
