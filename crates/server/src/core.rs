//! What every service shares: the cluster that holds the records, who asks, and the careful update.

use std::sync::Arc;

use jiff::Timestamp;
use pintle_cluster::{Scope, ServedKind};
use pintle_engine::effect::{Effect, Permitted};
use pintle_engine::record;
use pintle_engine::track::{Tracking, instance_name};
use pintle_model::application::{Application, GROUP};
use pintle_model::project::AppProject;
use pintle_model::{GroupKind, Object, Time};

use crate::api::{AppRef, LiveState, ManifestSource, RepoAccess};
use crate::error::{ApiError, Code, written};
use crate::store::Store;

/// A record is read and written again this often when others write it at the same time: the controller writes status in bursts, and
/// each attempt is one round trip.
const UPDATE_ATTEMPTS: usize = 5;

/// What a [`Core`] is told about the installation.
#[derive(Clone, Debug)]
pub struct CoreConfig {
    /// Where Applications, projects and settings live.
    pub control_namespace: String,
    /// Who asks: the name in operations and events.
    pub username: String,
    /// How managed objects are marked.
    pub tracking: Tracking,
}

/// What a [`Core`] works with.
#[derive(Clone)]
pub struct Parts {
    /// The cluster that holds the records.
    pub store: Arc<dyn Store>,
    /// Live objects of destinations.
    pub live: Arc<dyn LiveState>,
    /// Renders manifests.
    pub manifests: Arc<dyn ManifestSource>,
    /// Tries repositories.
    pub repositories: Arc<dyn RepoAccess>,
}

/// The services' one implementation. Cheap to clone.
#[derive(Clone)]
pub struct Core {
    pub(crate) parts: Parts,
    pub(crate) config: Arc<CoreConfig>,
}

impl Core {
    /// Joins the parts.
    pub fn new(parts: Parts, config: CoreConfig) -> Self {
        Self {
            parts,
            config: Arc::new(config),
        }
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &*self.parts.store
    }

    /// The instance name that marks this Application's objects.
    pub(crate) fn instance(&self, app: &Application) -> String {
        instance_name(
            &app.metadata.namespace,
            &app.metadata.name,
            &self.config.control_namespace,
        )
    }

    /// The namespace a request means.
    pub(crate) fn namespace<'a>(&'a self, given: &'a str) -> &'a str {
        if given.is_empty() {
            &self.config.control_namespace
        } else {
            given
        }
    }

    pub(crate) async fn kind(&self, group: &str, kind: &str) -> Result<Arc<ServedKind>, ApiError> {
        self.store().served(&GroupKind::new(group, kind)).await
    }

    /// Reads one Application. `NotFound` suggests the nearest name; so does one that is in another project than the request says.
    pub(crate) async fn read_app(&self, app: &AppRef) -> Result<(Object, Application), ApiError> {
        let kind = self.kind(GROUP, Application::KIND).await?;
        let namespace = self.namespace(&app.namespace);
        let Some(object) = self.store().find(&kind, namespace, &app.name).await? else {
            return Err(self.no_such_app(&kind, namespace, &app.name).await);
        };
        let read = Application::from_object(&object)?;
        if !app.project.is_empty() && read.spec.project_or_default() != app.project {
            return Err(ApiError::not_found(format!(
                "application {:?} is not in project {:?} but in {:?}",
                app.name,
                app.project,
                read.spec.project_or_default()
            )));
        }
        Ok((object, read))
    }

    async fn no_such_app(&self, kind: &ServedKind, namespace: &str, name: &str) -> ApiError {
        let error = ApiError::not_found(format!("application {name:?} not found in namespace {namespace:?}"));
        // Only a help; where the names cannot be read the answer is the same.
        let Ok(listed) = self.store().list(kind, &Scope::namespace(namespace)).await else {
            return error;
        };
        let names: Vec<&str> = listed.objects.iter().map(Object::name).collect();
        match nearest(name, &names) {
            Some(near) => error.with_hint(format!("Did you mean {near:?}?")),
            None if names.is_empty() => error.with_hint(format!(
                "there are no applications in namespace {namespace:?}; -n names another control namespace"
            )),
            None => error.with_hint("`app list` shows the applications"),
        }
    }

    /// Reads one project.
    pub(crate) async fn read_project(&self, name: &str) -> Result<(Object, AppProject), ApiError> {
        let kind = self.kind(GROUP, AppProject::KIND).await?;
        let namespace = &self.config.control_namespace;
        let Some(object) = self.store().find(&kind, namespace, name).await? else {
            return Err(
                ApiError::not_found(format!("project {name:?} not found in namespace {namespace:?}"))
                    .with_hint("`proj list` shows the projects"),
            );
        };
        let project = AppProject::from_object(&object)?;
        Ok((object, project))
    }

    /// The project an Application is in; `default` is made where it is missing [F1.20].
    pub(crate) async fn project_of(&self, app: &Application) -> Result<AppProject, ApiError> {
        let name = app.spec.project_or_default();
        match self.read_project(name).await {
            Ok((_, project)) => Ok(project),
            Err(error) if error.code == Code::NotFound && name == AppProject::DEFAULT => {
                let project = AppProject::allow_all(&self.config.control_namespace);
                let made = self.write_record(record::create(project.to_object())).await;
                match made {
                    Ok(_) => Ok(self.read_project(name).await?.1),
                    Err(e) if e.code == Code::AlreadyExists => Ok(self.read_project(name).await?.1),
                    Err(e) => Err(e),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// Carries out a write to one of our own records.
    pub(crate) async fn write_record(&self, effect: Effect) -> Result<Option<Object>, ApiError> {
        let permitted = Permitted::own_record(effect).map_err(|e| {
            ApiError::new(
                Code::Internal,
                format!("{} is not one of Pintle's own records", e.key()),
            )
        })?;
        written(self.store().execute(permitted).await)
    }

    /// Changes an Application: reads it, lets `change` work on it, and writes what differs under the version that was read; again, a few
    /// times, where somebody else wrote in between. `change` sees each fresh state and may refuse it.
    pub(crate) async fn update_app(
        &self,
        app: &AppRef,
        mut change: impl FnMut(&mut Application) -> Result<(), ApiError> + Send,
    ) -> Result<Application, ApiError> {
        let mut last = None;
        for _ in 0..UPDATE_ATTEMPTS {
            let (object, before) = self.read_app(app).await?;
            let mut after = before.clone();
            change(&mut after)?;
            let (from, to) = (before.to_object(), after.to_object());
            let Some(effect) = record::update(&from, &to) else {
                return Ok(before);
            };
            debug_assert_eq!(object.resource_version(), before.metadata.resource_version);
            match self.write_record(effect).await {
                Ok(Some(object)) => return Ok(Application::from_object(&object)?),
                Ok(None) => return Ok(after),
                Err(error) if error.code == Code::Aborted => last = Some(error),
                Err(error) => return Err(error),
            }
        }
        let why = last.map(|e| e.message).unwrap_or_default();
        Err(ApiError::new(
            Code::Aborted,
            format!(
                "application {:?} was changed by others {UPDATE_ATTEMPTS} times in a row: {why}",
                app.name
            ),
        )
        .with_hint("run the command again"))
    }

    /// Leaves an Event on one of our records, as the peer's audit log does [F5.24]. A failure costs the Event and nothing else.
    pub(crate) async fn audit(&self, about: &Object, reason: &str, what: &str) {
        let who = if self.config.username.is_empty() {
            "Unknown user"
        } else {
            &self.config.username
        };
        let now = now();
        let mut event = Object::bare(&pintle_model::Gvk::new("", "v1", "Event"), about.namespace(), "");
        // Names of the peer's form; nanoseconds keep two Events of one second apart.
        let name = format!("{}.{:x}", about.name(), now.as_nanosecond());
        let at = Time::new(now).to_string();
        let value = event.value_mut();
        for (path, text) in [
            (&["metadata", "name"][..], name.as_str()),
            (&["reason"], reason),
            (&["type"], "Normal"),
            (&["message"], &format!("{who} {what}")),
            (&["firstTimestamp"], &at),
            (&["lastTimestamp"], &at),
            (&["source", "component"], "pintle-server"),
            (&["involvedObject", "apiVersion"], about.api_version()),
            (&["involvedObject", "kind"], about.kind()),
            (&["involvedObject", "namespace"], about.namespace()),
            (&["involvedObject", "name"], about.name()),
            (&["involvedObject", "uid"], about.uid()),
            (&["involvedObject", "resourceVersion"], about.resource_version()),
        ] {
            value.set_at(path, text.into());
        }
        value.set_at(&["count"], pintle_model::Value::Int(1));
        if let Err(error) = self.write_record(record::create(event)).await {
            tracing::debug!(%error, reason, "an Event could not be written");
        }
    }
}

/// The crate's one reading of the wall clock.
#[allow(
    clippy::disallowed_methods,
    reason = "the shell's one reading of the clock; everything else takes `now`"
)]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// The name most like `wanted`, if any is like it at all: at most a third of its letters differ, or it begins with it.
fn nearest<'a>(wanted: &str, names: &[&'a str]) -> Option<&'a str> {
    let limit = (wanted.chars().count() / 3).max(1);
    let near = names.iter().map(|name| (distance(wanted, name), *name)).min();
    near.filter(|(d, _)| *d <= limit).map(|(_, name)| name).or_else(|| {
        names
            .iter()
            .copied()
            .find(|name| !wanted.is_empty() && name.starts_with(wanted))
    })
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for ((j, y), above) in b.iter().enumerate().zip(row.windows(2)) {
            let (diagonal, up) = (above.first().copied().unwrap_or(0), above.get(1).copied().unwrap_or(0));
            let left = next.get(j).copied().unwrap_or(0);
            next.push((diagonal + usize::from(x != *y)).min(up + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested_and_a_far_one_is_not() {
        let names = ["guestbook", "shop-prod", "shop-dev"];
        assert_eq!(nearest("guestbok", &names), Some("guestbook"));
        assert_eq!(nearest("shop-dve", &names), Some("shop-dev"));
        assert_eq!(nearest("guest", &names), Some("guestbook"));
        assert_eq!(nearest("billing", &names), None);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
