//! The one place where a write leaves: a slot, then the questions of the moment, then the request.

use bytes::Bytes;
use http::Method;
use pintle_engine::effect::{Failure, FailureKind, Outcome, Skipped};
use pintle_model::{Object, Value, to_json};

use super::Run;
use crate::client::{Call, WRITE_DEADLINE, WRITE_SERVER_TIMEOUT};
use crate::error::{ApiError, Verb};
use crate::guard::check_grant;
use crate::list::decode;
use crate::path;

/// Who owns the fields that are written, in `managedFields` [F3.25]: the peer's name, so that ownership carries over.
const FIELD_MANAGER: &str = "argocd-controller";

/// Why a run ends without the write it was to make.
pub(super) enum Stop {
    Skipped(Skipped),
    Failed(ApiError),
}

impl From<ApiError> for Stop {
    fn from(error: ApiError) -> Self {
        Self::Failed(error)
    }
}

impl Stop {
    pub(super) fn into_outcome(self) -> Outcome {
        match self {
            Self::Skipped(why) => Outcome::Skipped(why),
            Self::Failed(error) => Outcome::Failed(error.into_failure()),
        }
    }

    /// The error, if the server or the way to it was the reason.
    pub(super) fn error(&self) -> Option<&ApiError> {
        match self {
            Self::Failed(error) => Some(error),
            Self::Skipped(_) => None,
        }
    }
}

/// One write request.
pub(super) struct Write<'a> {
    pub(super) verb: Verb,
    pub(super) media_type: &'static str,
    pub(super) body: &'a Value,
    /// Added to `timeout`, `fieldManager` and `dryRun`.
    pub(super) query: &'a [(&'static str, &'static str)],
}

/// A good answer to a write.
pub(super) struct Written {
    /// Whether the answer was 201.
    pub(super) is_new: bool,
    body: Bytes,
}

impl Run<'_> {
    /// Sends one write, if at this moment this process leads and the project permits it.
    pub(super) async fn write(&self, write: &Write<'_>) -> Result<Written, Stop> {
        let (namespace, name) = (&*self.effect.namespace, &*self.effect.name);
        let asked = self.cluster.asked(write.verb, self.kind.describe(namespace, name));
        let is_create = write.verb == Verb::Create;
        let path = if is_create {
            path::collection(&self.kind, namespace)
        } else {
            path::object(&self.kind, namespace, name)
        };
        let path = path.map_err(|e| asked.failed(FailureKind::Invalid, format!("not sent: {e}")))?;
        let mut query = vec![("timeout", WRITE_SERVER_TIMEOUT)];
        if write.verb != Verb::Delete {
            query.push(("fieldManager", FIELD_MANAGER));
        }
        if self.effect.dry_run && write.verb != Verb::Delete {
            query.push(("dryRun", "All"));
        }
        query.extend_from_slice(write.query);
        let uri = format!("{path}{}", path::query(&query));
        let method = match write.verb {
            Verb::Create => Method::POST,
            Verb::Update => Method::PUT,
            Verb::Patch => Method::PATCH,
            Verb::Delete => Method::DELETE,
            Verb::Get | Verb::List | Verb::Watch => {
                return Err(asked
                    .failed(FailureKind::Invalid, "not sent: this is not a write")
                    .into());
            }
        };
        let call = Call {
            method,
            uri: &uri,
            content_type: Some(write.media_type),
            body: to_json(write.body).into(),
            deadline: WRITE_DEADLINE,
            ..Call::get()
        };
        let slot = self.cluster.write_slot(&asked).await?;
        self.check_now()?;
        let mut answer = self.cluster.exchange(&asked, &call).await;
        if let Err(error) = &answer
            && error.is_unauthorized()
            && self.cluster.reauthenticate().await
        {
            // 401 comes before anything is done, so the same write may go out again.
            self.check_now()?;
            answer = self.cluster.exchange(&asked, &call).await;
        }
        drop(slot);
        let answer = answer?;
        Ok(Written {
            is_new: answer.status == 201,
            body: answer.body,
        })
    }

    /// The object a write's answer holds. It has been written by then: an answer that cannot be read leaves that unknown.
    pub(super) fn object_of(&self, written: &Written) -> Result<Object, Stop> {
        decode(&self.kind, &written.body).map_err(|message| {
            let asked = self
                .cluster
                .asked(Verb::Get, self.kind.describe(&self.effect.namespace, &self.effect.name));
            Stop::Failed(asked.failed(
                FailureKind::Unknown,
                format!("written, but the answer is unreadable: {message}"),
            ))
        })
    }

    fn check_now(&self) -> Result<(), Stop> {
        self.executor
            .lease
            .check()
            .and_then(|()| check_grant(self.grant, &*self.executor.projects))
            .map_err(Stop::Skipped)
    }
}

/// An outcome for what is refused before anything is asked.
pub(super) fn refuse(kind: FailureKind, message: String) -> Outcome {
    Outcome::Failed(Failure { kind, message })
}
