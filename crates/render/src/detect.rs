//! What sort of source a directory is [F4.1].

use std::fmt;

use pintle_model::application::Source;
use pintle_model::tree::{EntryKind, Reader, TreePath};

use crate::{Diagnostic, RenderSettings, kustomize};

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

/// Which blocks a source has. `None` means that the files tell.
pub(crate) fn explicit(source: &Source) -> Result<Option<SourceType>, String> {
    let blocks = [
        (source.helm.is_some(), SourceType::Helm),
        (source.kustomize.is_some(), SourceType::Kustomize),
        (source.directory.is_some(), SourceType::Directory),
        (source.plugin.is_some(), SourceType::Plugin),
    ];
    let given: Vec<SourceType> = blocks.into_iter().filter_map(|(is, of)| is.then_some(of)).collect();
    match given[..] {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        _ => {
            let names: Vec<String> = given.iter().map(ToString::to_string).collect();
            Err(format!(
                "multiple application sources defined: {}; keep one of these blocks",
                names.join(",")
            ))
        }
    }
}

/// A kustomization; else a file whose name ends with `Chart.yaml`; else plain manifests. What the settings switch off is a directory.
pub(crate) fn detect(
    reader: &Reader<'_>,
    path: &TreePath,
    explicit: Option<SourceType>,
    settings: &RenderSettings,
) -> Result<SourceType, Diagnostic> {
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
    let files = || entries.iter().filter(|e| e.kind == EntryKind::File);
    let found = if let Some(explicit) = explicit {
        explicit
    } else if files().any(|e| kustomize::FILE_NAMES.contains(&&*e.name)) {
        SourceType::Kustomize
    } else if files().any(|e| e.name.ends_with("Chart.yaml")) {
        SourceType::Helm
    } else {
        SourceType::Directory
    };
    let is_off = match found {
        SourceType::Helm => !settings.helm,
        SourceType::Kustomize => !settings.kustomize,
        SourceType::Directory | SourceType::Plugin => false,
    };
    Ok(if is_off { SourceType::Directory } else { found })
}
