//! An Application as one revision describes it, and where it says so.

use std::fmt;
use std::sync::Arc;

use pintle_model::application::{Application, GROUP};
use pintle_model::{DecodeError, Object};

/// Which Application: two revisions mean the same one by it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct AppKey {
    pub namespace: Arc<str>,
    pub name: Arc<str>,
    /// The file, where several files describe one of this name.
    pub file: Option<Arc<str>>,
}

impl fmt::Display for AppKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)?;
        match &self.file {
            Some(file) => write!(f, " ({file})"),
            None => Ok(()),
        }
    }
}

/// Where an Application is described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// In a file, from a line on.
    File { path: String, line: usize },
    /// By what another Application renders.
    Rendered { by: AppKey },
    /// Nowhere: a folder is rendered as if one asked for it.
    Folder { path: String },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line } => write!(f, "{path}:{line}"),
            Self::Rendered { by } => write!(f, "rendered by {by}"),
            Self::Folder { path } => write!(f, "{path}"),
        }
    }
}

/// One Application.
pub(crate) struct Definition {
    pub key: AppKey,
    pub app: Application,
    pub manifest: Object,
    pub origin: Origin,
}

impl Definition {
    /// Reads an Application. `namespace` is where it goes if it names none.
    pub fn new(manifest: Object, namespace: &str, origin: Origin) -> Result<Self, DecodeError> {
        let mut app = Application::from_object(&manifest)?;
        if app.metadata.namespace.is_empty() {
            app.metadata.namespace = namespace.to_owned();
        }
        let key = AppKey {
            namespace: app.metadata.namespace.as_str().into(),
            name: app.metadata.name.as_str().into(),
            file: None,
        };
        Ok(Self {
            key,
            app,
            manifest,
            origin,
        })
    }

    /// Whether both say the same, wherever they say it.
    pub fn is_same(&self, other: &Self) -> bool {
        std::ptr::eq(self, other) || (self.key == other.key && self.manifest == other.manifest)
    }
}

/// Whether an object is an Application, of any version.
pub(crate) fn is_application(object: &Object) -> bool {
    object.group() == GROUP && object.kind() == Application::KIND
}

/// Whether an object makes Applications that nobody here can know.
pub(crate) fn is_application_set(object: &Object) -> bool {
    object.group() == GROUP && object.kind() == "ApplicationSet"
}
