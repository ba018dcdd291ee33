//! Why a control plane did not start.

use std::{
    io,
    path::{Path, PathBuf},
    process::ExitStatus,
    time::Duration,
};

use crate::process::RunError;

/// Why a control plane did not start. Whatever had been started is ended again.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A component could not be spawned.
    #[error("start {component}")]
    Spawn {
        /// The component.
        component: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A component ended by itself.
    #[error("{component} ended ({status}); its log ends with:\n{log}")]
    Ended {
        /// The component.
        component: &'static str,
        /// How it ended.
        status: ExitStatus,
        /// The end of its log.
        log: String,
    },
    /// A component runs and did not become ready.
    #[error("{component} was not ready within {within:?} ({last_seen}); its log ends with:\n{log}")]
    NotReady {
        /// The component.
        component: &'static str,
        /// The time it was given.
        within: Duration,
        /// What the last probe saw instead.
        last_seen: String,
        /// The end of its log.
        log: String,
    },
    /// The first objects (nodes, the simulator's rights) were refused.
    #[error("create the first objects")]
    FirstObjects(#[from] KubectlError),
    /// A certificate could not be made.
    #[error("make a certificate")]
    Certificate(#[from] rcgen::Error),
    /// A file of the plane's folder cannot be written.
    #[error("{path}: {source}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No free loopback port was to be had.
    #[error("find a free port")]
    Port(#[source] io::Error),
}

impl StartError {
    /// Returns whether another process took a port between finding it free and using it: worth another try.
    pub(super) fn is_port_taken(&self) -> bool {
        matches!(self, Self::Ended { log, .. } if log.contains("address already in use"))
    }
}

/// Why `kubectl` gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum KubectlError {
    /// It said no.
    #[error("kubectl {arguments}: {said}")]
    Refused {
        /// What it was asked.
        arguments: String,
        /// Its standard error.
        said: String,
    },
    /// It did not run, or not to its end.
    #[error("run kubectl")]
    Run(#[from] RunError),
}

pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> StartError {
    let path = path.to_owned();
    move |source| StartError::File { path, source }
}
