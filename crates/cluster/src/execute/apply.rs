//! Apply, replace and recreate.

use std::time::Duration;

use pintle_engine::effect::{ApplyMode, FailureKind, Outcome};
use pintle_model::{Map, Object, Value};
use tokio::time::{Instant, sleep};

use super::last_applied::{MERGE, is_about_immutability, recreatable, three_way_patch, with_last_applied};
use super::request::{Stop, Write};
use super::{Run, Seen};
use crate::client::JSON;
use crate::error::Verb;

/// A merge that met a concurrent change is made again from a fresh read this often, as kubectl does.
const CONFLICT_TRIES: usize = 5;
/// Between those tries.
const CONFLICT_PAUSE: Duration = Duration::from_millis(200);
/// A forced replacement waits this long for the old object to be gone; finalizers may hold it for longer, and then a person should look.
const GONE_DEADLINE: Duration = Duration::from_secs(60);
/// Between looks at whether it is gone.
const GONE_POLL: Duration = Duration::from_millis(500);

/// The media type of server-side apply. JSON is YAML.
const APPLY: &str = "application/apply-patch+yaml";

impl Run<'_> {
    pub(super) async fn apply(
        &self,
        object: &Object,
        mode: ApplyMode,
        validate: bool,
        live: Seen,
    ) -> Result<Outcome, Stop> {
        let validation = ("fieldValidation", if validate { "Strict" } else { "Ignore" });
        match mode {
            ApplyMode::ServerSide => self.apply_server_side(object, validation, live).await,
            ApplyMode::ClientSide { force } => self.apply_client_side(object, force, validation, live).await,
        }
    }

    async fn apply_server_side(
        &self,
        object: &Object,
        validation: (&'static str, &'static str),
        live: Seen,
    ) -> Result<Outcome, Stop> {
        let mut body = object.clone();
        // The server refuses an apply that says who owns what; a resourceVersion would turn it into a conditional one.
        body.value_mut().remove_at(&["metadata", "managedFields"]);
        body.value_mut().remove_at(&["metadata", "resourceVersion"]);
        let query = [validation, ("force", "true")];
        let write = Write {
            verb: Verb::Patch,
            media_type: APPLY,
            body: body.value(),
            query: &query,
        };
        let written = self.write(&write).await?;
        let now = self.object_of(&written)?;
        Ok(match live {
            _ if written.is_new => Outcome::Created(now),
            Seen::Present(before) => self.changed_or_not(&before, now),
            Seen::Absent | Seen::Unknown => Outcome::Configured(now),
        })
    }

    /// What the caller saw, once; after that what is there.
    async fn known(&self, hint: &mut Seen) -> Result<Option<Object>, Stop> {
        match std::mem::take(hint) {
            Seen::Present(live) => Ok(Some(live)),
            Seen::Absent => Ok(None),
            Seen::Unknown => self.look().await,
        }
    }

    async fn apply_client_side(
        &self,
        object: &Object,
        force: bool,
        validation: (&'static str, &'static str),
        mut hint: Seen,
    ) -> Result<Outcome, Stop> {
        let modified = with_last_applied(object);
        let mut tries = 0;
        loop {
            tries += 1;
            let is_hint = matches!(hint, Seen::Present(_));
            let live = self.known(&mut hint).await?;
            let result = match live {
                None => self.create(&modified, &[validation]).await,
                Some(live) => self.patch_three_way(&live, &modified, is_hint, force, validation).await,
            };
            match result {
                Err(stop) if tries < CONFLICT_TRIES && is_overtaken(&stop) => sleep(CONFLICT_PAUSE).await,
                result => return result,
            }
        }
    }

    async fn patch_three_way(
        &self,
        live: &Object,
        modified: &Object,
        is_hint: bool,
        force: bool,
        validation: (&'static str, &'static str),
    ) -> Result<Outcome, Stop> {
        let mut patch = three_way_patch(live, modified).map_err(|message| {
            let asked = self.cluster.asked(
                Verb::Patch,
                self.kind.describe(&self.effect.namespace, &self.effect.name),
            );
            Stop::Failed(asked.failed(
                FailureKind::Invalid,
                format!("not sent: no patch can be made: {message}"),
            ))
        })?;
        if patch.body.as_map().is_none_or(Map::is_empty) {
            return Ok(Outcome::Unchanged(live.clone()));
        }
        // The patch was made from this incarnation and means nothing to another (I-16). A hint may be old: then only from this very state.
        patch.body.set_at(&["metadata", "uid"], live.uid().into());
        if is_hint {
            patch
                .body
                .set_at(&["metadata", "resourceVersion"], live.resource_version().into());
        }
        let write = Write {
            verb: Verb::Patch,
            media_type: patch.media_type,
            body: &patch.body,
            query: &[validation],
        };
        match self.write(&write).await {
            Ok(written) => Ok(self.changed_or_not(live, self.object_of(&written)?)),
            Err(stop) if force && is_immutable(&stop) => {
                if self.effect.dry_run {
                    // The new object cannot be checked beside the old one of the same name.
                    return Ok(Outcome::Configured(live.clone()));
                }
                self.recreate(live, modified, &[validation]).await
            }
            Err(stop) => Err(stop),
        }
    }

    /// POST.
    pub(super) async fn create(
        &self,
        object: &Object,
        query: &[(&'static str, &'static str)],
    ) -> Result<Outcome, Stop> {
        let mut body = object.clone();
        // The server refuses to create an object that claims to exist.
        body.value_mut().remove_at(&["metadata", "resourceVersion"]);
        body.value_mut().remove_at(&["metadata", "uid"]);
        let write = Write {
            verb: Verb::Create,
            media_type: JSON,
            body: body.value(),
            query,
        };
        let written = self.write(&write).await?;
        Ok(Outcome::Created(self.object_of(&written)?))
    }

    pub(super) async fn replace(&self, object: &Object, force: bool, mut hint: Seen) -> Result<Outcome, Stop> {
        let mut tries = 0;
        loop {
            tries += 1;
            let live = self.known(&mut hint).await?;
            let result = match live {
                None => self.create(object, &[]).await,
                // A dry run changes nothing, so the old object cannot make room: that much is checked as an update.
                Some(live) if force && !self.effect.dry_run => self.recreate(&live, object, &[]).await,
                Some(live) => self.put(&live, object).await,
            };
            match result {
                Err(stop) if tries < CONFLICT_TRIES && is_overtaken(&stop) => sleep(CONFLICT_PAUSE).await,
                Err(stop) if force && self.effect.dry_run && is_immutable(&stop) => {
                    return Ok(Outcome::Configured(object.clone()));
                }
                result => return result,
            }
        }
    }

    async fn put(&self, live: &Object, object: &Object) -> Result<Outcome, Stop> {
        let mut body = object.clone();
        for (field, value) in [("resourceVersion", live.resource_version()), ("uid", live.uid())] {
            body.value_mut().set_at(&["metadata", field], value.into());
        }
        let write = Write {
            verb: Verb::Update,
            media_type: JSON,
            body: body.value(),
            query: &[],
        };
        let written = self.write(&write).await?;
        Ok(self.changed_or_not(live, self.object_of(&written)?))
    }

    /// Deletes that incarnation, waits until it is gone, creates the new one; puts the old one back where that fails, as kubectl does.
    async fn recreate(
        &self,
        live: &Object,
        object: &Object,
        query: &[(&'static str, &'static str)],
    ) -> Result<Outcome, Stop> {
        let mut options = Value::map();
        options.set_at(&["apiVersion"], "v1".into());
        options.set_at(&["kind"], "DeleteOptions".into());
        options.set_at(&["preconditions", "uid"], live.uid().into());
        options.set_at(&["propagationPolicy"], "Background".into());
        let delete = Write {
            verb: Verb::Delete,
            media_type: JSON,
            body: &options,
            query: &[],
        };
        match self.write(&delete).await {
            Err(Stop::Failed(error)) if error.says_object_is_gone() => {}
            result => drop(result?),
        }
        self.wait_until_gone(live.uid()).await?;
        let refused = match self.create(object, query).await {
            Ok(Outcome::Created(now)) => return Ok(Outcome::Configured(now)),
            Ok(outcome) => return Ok(outcome),
            Err(Stop::Failed(error)) => error,
            // Not permitted any more between the two halves. Putting the old one back is not permitted either.
            Err(skipped) => return Err(skipped),
        };
        if refused.kind == FailureKind::Unknown {
            return Err(refused.into());
        }
        let note = match self.create(&recreatable(live), &[]).await {
            Ok(_) => "the object as it was before has been created again".to_owned(),
            Err(Stop::Skipped(why)) => format!("the object is deleted and was not created again: {why}"),
            Err(Stop::Failed(error)) => format!("the object is deleted and could not be created again: {error}"),
        };
        let message = format!("{}; {note}", refused.message);
        Err(crate::ApiError { message, ..refused }.into())
    }

    async fn wait_until_gone(&self, uid: &str) -> Result<(), Stop> {
        let end = Instant::now() + GONE_DEADLINE;
        loop {
            let live = self
                .cluster
                .find(&self.kind, &self.effect.namespace, &self.effect.name)
                .await?;
            if live.is_none_or(|live| live.uid() != uid) {
                return Ok(());
            }
            if Instant::now() >= end {
                let asked = self.cluster.asked(
                    Verb::Delete,
                    self.kind.describe(&self.effect.namespace, &self.effect.name),
                );
                let message = format!(
                    "deleted to be created anew, but still there after {} s",
                    GONE_DEADLINE.as_secs()
                );
                return Err(asked.failed(FailureKind::Conflict, message).into());
            }
            sleep(GONE_POLL).await;
        }
    }

    /// The server keeps the resourceVersion where a write changed nothing; in a dry run it keeps it always, so there the contents tell.
    fn changed_or_not(&self, before: &Object, now: Object) -> Outcome {
        let is_same_version = !now.resource_version().is_empty()
            && before.resource_version() == now.resource_version()
            && before.uid() == now.uid();
        let is_same = is_same_version && (!self.effect.dry_run || before.value() == now.value());
        if is_same {
            Outcome::Unchanged(now)
        } else {
            Outcome::Configured(now)
        }
    }

    pub(super) async fn merge_patch(&self, patch: &Value, resource_version: Option<&str>) -> Result<Outcome, Stop> {
        let mut body = patch.clone();
        if let Some(version) = resource_version {
            body.set_at(&["metadata", "resourceVersion"], version.into());
        }
        let write = Write {
            verb: Verb::Patch,
            media_type: MERGE,
            body: &body,
            query: &[],
        };
        let now = self.object_of(&self.write(&write).await?)?;
        let is_same = resource_version.is_some_and(|before| before == now.resource_version());
        Ok(if is_same {
            Outcome::Unchanged(now)
        } else {
            Outcome::Configured(now)
        })
    }
}

/// Whether someone else was faster: changed, created or deleted the object between the read and the write.
fn is_overtaken(stop: &Stop) -> bool {
    stop.error().is_some_and(|e| match e.kind {
        FailureKind::Conflict | FailureKind::AlreadyExists => true,
        FailureKind::NotFound => e.verb == Verb::Patch && e.says_object_is_gone(),
        _ => false,
    })
}

fn is_immutable(stop: &Stop) -> bool {
    stop.error()
        .is_some_and(|e| e.kind == FailureKind::Invalid && is_about_immutability(&e.message))
}
