//! What went wrong with a request, in words that name the server, the verb and the object.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use pintle_engine::effect::{Failure, FailureKind};
use serde::Deserialize;

/// Messages are cut here: they go into conditions and logs, and a server's HTML page helps nobody.
const MAX_MESSAGE_BYTES: usize = 4 * 1024;

/// `reason` of an answer that exceeded its bound on this side.
const TOO_LARGE: &str = "AnswerTooLarge";

/// What a request does, in the API's own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// GET of one object or of a document that is not an object.
    Get,
    /// GET of a collection.
    List,
    /// GET of a stream of changes.
    Watch,
    /// POST.
    Create,
    /// PUT.
    Update,
    /// PATCH.
    Patch,
    /// DELETE of one object.
    Delete,
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
        })
    }
}

/// A request that got no good answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{verb} {what} on {server}: {message}")]
pub struct ApiError {
    /// The API server's URL.
    pub server: Arc<str>,
    /// What was asked.
    pub verb: Verb,
    /// Of what: `Deployment.apps shop/web`, `discovery of /apis`.
    pub what: String,
    /// The HTTP status; `None` where no answer came.
    pub status: Option<u16>,
    /// The server's `reason` (`NotFound`, `Conflict`, `Expired`, …); empty where it gave none.
    pub reason: String,
    /// The server's own words, or what could not be reached.
    pub message: String,
    /// What sort of failure, by what can be done about it.
    pub kind: FailureKind,
    /// How long the server asks to wait (`Retry-After`, `retryAfterSeconds`).
    pub retry_after: Option<Duration>,
    /// Whether the answer was a Kubernetes `Status`: a proxy's error page is not, and proves nothing about the object.
    pub is_status: bool,
}

impl ApiError {
    /// Whether the server no longer has the resourceVersion or continue token: list again.
    pub fn is_expired(&self) -> bool {
        self.status == Some(410) || matches!(&*self.reason, "Expired" | "Gone")
    }

    /// Whether the answer exceeded the bound on its size: ask for less at a time.
    pub(crate) fn is_too_large(&self) -> bool {
        self.reason == TOO_LARGE
    }

    /// Whether the credentials are refused (401), as distinct from what they may do (403).
    pub fn is_unauthorized(&self) -> bool {
        self.status == Some(401)
    }

    /// Whether the API server itself said that the object is not there; a 404 that comes from something in between is none.
    pub fn says_object_is_gone(&self) -> bool {
        self.status == Some(404) && self.is_status && self.reason == "NotFound"
    }

    /// The same for a read on the way to a write: whatever became of the read, nothing has been written.
    pub(crate) fn before_writing(self) -> Self {
        let kind = if self.kind == FailureKind::Unknown {
            FailureKind::Unavailable
        } else {
            self.kind
        };
        Self { kind, ..self }
    }

    /// This error as the outcome of an effect.
    pub fn into_failure(self) -> Failure {
        Failure {
            kind: self.kind,
            message: self.to_string(),
        }
    }
}

/// What a request is about, for errors.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) server: Arc<str>,
    pub(crate) verb: Verb,
    pub(crate) what: String,
}

impl Asked {
    /// An error found on this side.
    pub(crate) fn failed(&self, kind: FailureKind, message: impl Into<String>) -> ApiError {
        ApiError {
            server: Arc::clone(&self.server),
            verb: self.verb,
            what: self.what.clone(),
            status: None,
            reason: String::new(),
            message: shorten(message.into()),
            kind,
            retry_after: None,
            is_status: false,
        }
    }

    /// An answer with an error status.
    pub(crate) fn refused(&self, code: u16, retry_after: Option<Duration>, body: &[u8]) -> ApiError {
        let status = serde_json::from_slice::<Status>(body)
            .ok()
            .filter(|s| s.kind == "Status");
        let is_status = status.is_some();
        let status = status.unwrap_or_default();
        let message = if is_status {
            status.message
        } else {
            // Plain text from the server's mux or from a proxy: its first line says enough.
            let text = String::from_utf8_lossy(body.get(..512).unwrap_or(body)).into_owned();
            let line = text.lines().next().unwrap_or_default().trim().to_owned();
            if line.is_empty() {
                format!("HTTP status {code}")
            } else {
                format!("HTTP status {code}: {line}")
            }
        };
        let retry_after = retry_after.or_else(|| {
            status
                .details
                .and_then(|d| d.retry_after_seconds)
                .map(Duration::from_secs)
        });
        ApiError {
            kind: classify(code, &status.reason, &message),
            status: Some(code),
            reason: status.reason,
            retry_after,
            is_status,
            ..self.failed(FailureKind::Unknown, message)
        }
    }

    /// The answer broke off after its head had arrived.
    pub(crate) fn lost_midway(&self, error: &(dyn StdError + 'static)) -> ApiError {
        self.failed(FailureKind::Unknown, format!("the answer broke off: {}", chain(error)))
    }

    /// The answer is larger than is read.
    pub(crate) fn too_large(&self, limit: usize) -> ApiError {
        ApiError {
            reason: TOO_LARGE.to_owned(),
            ..self.failed(
                FailureKind::Unknown,
                format!("the answer is larger than {} MiB", limit >> 20),
            )
        }
    }

    /// No answer. Only an error from before the request left is certain to have changed nothing.
    pub(crate) fn lost(&self, error: &(dyn StdError + 'static)) -> ApiError {
        let kind = if is_before_sending(error) {
            FailureKind::Unavailable
        } else {
            FailureKind::Unknown
        };
        self.failed(kind, chain(error))
    }
}

/// The parts of a `v1.Status` that are acted on.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    kind: String,
    message: String,
    reason: String,
    details: Option<StatusDetails>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct StatusDetails {
    retry_after_seconds: Option<u64>,
}

/// Reads the code and reason of an error inside a watch stream.
pub(crate) fn status_code_of(status: &[u8]) -> u16 {
    #[derive(Deserialize)]
    struct Code {
        #[serde(default)]
        code: u16,
    }
    serde_json::from_slice::<Code>(status).map_or(0, |c| c.code)
}

fn classify(code: u16, reason: &str, message: &str) -> FailureKind {
    match code {
        401 | 403 => FailureKind::Forbidden,
        404 => FailureKind::NotFound,
        409 if reason == "AlreadyExists" => FailureKind::AlreadyExists,
        409 => FailureKind::Conflict,
        // Expired continue tokens: the same question from the start may be answered.
        410 => FailureKind::Unavailable,
        408 => FailureKind::Unknown,
        429 | 503 => FailureKind::Unavailable,
        // A 500 tells of a webhook or of storage; when storage timed out the write may still be carried out.
        500 if !["etcdserver", "timed out", "timeout", "deadline exceeded"]
            .iter()
            .any(|w| message.contains(w)) =>
        {
            FailureKind::Unavailable
        }
        501 => FailureKind::Invalid,
        400..=499 => FailureKind::Invalid,
        _ => FailureKind::Unknown,
    }
}

/// Whether the request cannot have reached the server: no connection was made, or credentials could not be prepared.
fn is_before_sending(error: &(dyn StdError + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(e) = next {
        if e.downcast_ref::<hyper_util::client::legacy::Error>()
            .is_some_and(|e| e.is_connect())
        {
            return true;
        }
        if matches!(
            e.downcast_ref::<kube::Error>(),
            Some(kube::Error::Auth(_) | kube::Error::HttpError(_))
        ) {
            return true;
        }
        next = e.source();
    }
    false
}

/// The whole chain of causes in one line, without repeating what an outer message already quotes.
pub(crate) fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(e) = next {
        let more = e.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        next = e.source();
    }
    text
}

fn shorten(mut message: String) -> String {
    if message.len() > MAX_MESSAGE_BYTES {
        let end = (0..=MAX_MESSAGE_BYTES)
            .rev()
            .find(|i| message.is_char_boundary(*i))
            .unwrap_or(0);
        message.truncate(end);
        message.push_str("… (shortened)");
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> Asked {
        Asked {
            server: "https://api".into(),
            verb: Verb::Patch,
            what: "Deployment.apps shop/web".to_owned(),
        }
    }

    #[test]
    fn statuses_are_sorted_by_what_can_be_done() {
        let check = |code, body: &str, expected| {
            let error = asked().refused(code, None, body.as_bytes());
            assert_eq!(error.kind, expected, "{error}");
        };
        check(
            409,
            r#"{"kind":"Status","reason":"AlreadyExists","message":"m"}"#,
            FailureKind::AlreadyExists,
        );
        check(
            409,
            r#"{"kind":"Status","reason":"Conflict","message":"m"}"#,
            FailureKind::Conflict,
        );
        check(
            422,
            r#"{"kind":"Status","reason":"Invalid","message":"m"}"#,
            FailureKind::Invalid,
        );
        check(503, "", FailureKind::Unavailable);
        check(504, "", FailureKind::Unknown);
        check(
            500,
            r#"{"kind":"Status","message":"etcdserver: request timed out"}"#,
            FailureKind::Unknown,
        );
        check(
            500,
            r#"{"kind":"Status","message":"failed calling webhook"}"#,
            FailureKind::Unavailable,
        );
    }

    #[test]
    fn a_proxys_404_does_not_say_that_the_object_is_gone() {
        let page = asked().refused(404, None, b"<html>no such site</html>\n<body>");
        assert!(!page.says_object_is_gone());
        assert_eq!(
            page.to_string(),
            "patch Deployment.apps shop/web on https://api: HTTP status 404: <html>no such site</html>"
        );
        let status = br#"{"kind":"Status","reason":"NotFound","message":"deployments.apps \"web\" not found"}"#;
        assert!(asked().refused(404, None, status).says_object_is_gone());
    }
}
