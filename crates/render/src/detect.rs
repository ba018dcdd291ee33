//! What sort of source a directory is [F4.1].

use std::fmt;

use pintle_model::tree::{EntryKind, Reader};

use crate::{Diagnostic, RenderRequest};

/// How a source is turned into objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SourceType {
    /// Plain manifests.
    Directory,
    /// A Helm chart.
    Helm,
    /// A kustomization.
    Kustomize,
    /// A config management plugin.
    Plugin,
}

impl fmt::Display for SourceType {
    /// As `status.sourceType` writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Directory => "Directory",
            Self::Helm => "Helm",
            Self::Kustomize => "Kustomize",
            Self::Plugin => "Plugin",
        })
    }
}

const KUSTOMIZATIONS: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// An explicit block wins; then a kustomization; then a file whose name ends with `Chart.yaml`; else plain manifests.
pub(crate) fn detect(reader: &Reader<'_>, request: &RenderRequest) -> Result<SourceType, Diagnostic> {
    let path = &request.path;
    let unreadable = |e: pintle_model::tree::TreeError| Diagnostic::error(path, None, e.to_string());
    let Some(entries) = reader.dir(path).map_err(unreadable)? else {
        let message = match reader.kind(path).map_err(unreadable)? {
            Some(_) => {
                format!("{path}: app path is not a directory; point spec.source.path at the directory that holds it")
            }
            None => {
                format!("{path}: app path does not exist at this revision; check spec.source.path and targetRevision")
            }
        };
        return Err(Diagnostic::error(path, None, message));
    };
    if let Some(explicit) = request.explicit {
        return Ok(explicit);
    }
    let files = || entries.iter().filter(|e| e.kind == EntryKind::File);
    if files().any(|e| KUSTOMIZATIONS.contains(&&*e.name)) {
        return Ok(SourceType::Kustomize);
    }
    if files().any(|e| e.name.ends_with("Chart.yaml")) {
        return Ok(SourceType::Helm);
    }
    Ok(SourceType::Directory)
}
