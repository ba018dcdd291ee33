//! What is asked at the moment of a write: does this process still lead, and is the project still the one that permitted it.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use pintle_engine::effect::{Grant, Skipped};
use tokio::sync::watch;
use tokio::time::Instant;

/// Whether this process leads, as its lease says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leadership {
    /// Another process leads, or nobody is known to.
    Standby {
        /// Who holds the lease, as far as is known.
        holder: Option<Arc<str>>,
    },
    /// This process leads.
    Leading {
        /// Until when without another renewal; after this moment nothing is written.
        until: Instant,
    },
}

impl Leadership {
    /// Whether writing is allowed at this moment.
    pub fn is_leading(&self) -> bool {
        matches!(self, Self::Leading { until } if Instant::now() < *until)
    }
}

/// The lease writes depend on.
#[derive(Clone)]
pub struct LeaseGuard {
    lease: Arc<str>,
    /// `None` where no lease is needed.
    leadership: Option<watch::Receiver<Leadership>>,
}

impl LeaseGuard {
    /// For commands that a person runs: they write beside whoever leads, as `kubectl` does.
    pub fn not_needed() -> Self {
        Self {
            lease: "".into(),
            leadership: None,
        }
    }

    /// For controllers: writes only while `leadership` says so. `lease` is its namespace and name, for messages.
    pub fn held(lease: impl Into<Arc<str>>, leadership: watch::Receiver<Leadership>) -> Self {
        Self {
            lease: lease.into(),
            leadership: Some(leadership),
        }
    }

    pub(crate) fn check(&self) -> Result<(), Skipped> {
        match &self.leadership {
            Some(leadership) if !leadership.borrow().is_leading() => Err(Skipped::NotLeader {
                lease: Arc::clone(&self.lease),
            }),
            _ => Ok(()),
        }
    }
}

/// Which resourceVersion of each AppProject is the current one, as the control cluster's watch says.
pub trait ProjectVersions: Send + Sync {
    /// The resourceVersion of a project; `None` where there is no such project, or it is not known.
    fn current(&self, project: &str) -> Option<Arc<str>>;
}

/// [`ProjectVersions`] as a map that the watch of AppProjects keeps up to date.
#[derive(Clone, Default)]
pub struct ProjectVersionMap(Arc<RwLock<BTreeMap<Arc<str>, Arc<str>>>>);

impl ProjectVersionMap {
    /// Notes the resourceVersion of a project.
    pub fn set(&self, project: impl Into<Arc<str>>, resource_version: impl Into<Arc<str>>) {
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(project.into(), resource_version.into());
    }

    /// Forgets a project: nothing it permitted is written any more.
    pub fn remove(&self, project: &str) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(project);
    }

    /// Replaces all of them, as after a new list.
    pub fn reset(&self, projects: impl IntoIterator<Item = (Arc<str>, Arc<str>)>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = projects.into_iter().collect();
    }
}

impl ProjectVersions for ProjectVersionMap {
    fn current(&self, project: &str) -> Option<Arc<str>> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(project)
            .cloned()
    }
}

/// Whether a grant still stands. Unknown projects permit nothing (I-5).
pub(crate) fn check_grant(grant: &Grant, projects: &dyn ProjectVersions) -> Result<(), Skipped> {
    match grant {
        Grant::OwnRecord => Ok(()),
        Grant::Project { name, resource_version } => {
            if projects.current(name).is_some_and(|now| now == *resource_version) {
                Ok(())
            } else {
                Err(Skipped::ProjectChanged {
                    project: Arc::clone(name),
                })
            }
        }
    }
}
