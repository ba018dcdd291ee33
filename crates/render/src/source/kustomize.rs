//! An Application's kustomization [F4.8].

use std::collections::BTreeMap;

use pintle_model::application::Source;
use pintle_model::tree::{EntryKind, MountedTree, Reader, TreePath};

use super::Ended;
use crate::kustomize::{Built, Options, Reason, Remote, build};
use crate::request::{Answer, Need, Recorder};
use crate::{Diagnostic, Output, RenderRequest, objects};

/// Bytes of one remote file.
const MAX_REMOTE_FILE: u64 = 64 << 20;

/// Builds the kustomization at `path`.
pub(super) fn render(
    reader: &Reader<'_>,
    request: &RenderRequest,
    _source: &Source,
    _recorder: &Recorder<'_>,
    out: &mut Output,
) -> Result<(), Ended> {
    let path = &request.path;
    let failed = |message: String| Ended::Failed(Diagnostic::error(path, None, message));
    let options = Options {
        remotes: remotes(reader, request).map_err(failed)?,
        ..Options::default()
    };
    match build(reader, path, &options) {
        Built::Ok { objects, .. } => {
            for value in objects {
                objects::object(path, 1, value, "a resource of the kustomization is something else", out);
            }
            Ok(())
        }
        Built::Needs(fetches) => Err(Ended::Needs(fetches.into_iter().map(Need::Remote).collect())),
        Built::Failed(failure) if failure.reason == Reason::Store => {
            Err(Ended::Transient(Diagnostic::error(path, None, failure.message)))
        }
        Built::Failed(failure) => Err(failed(failure.message)),
    }
}

/// What was fetched, as the build knows it.
fn remotes(reader: &Reader<'_>, request: &RenderRequest) -> Result<BTreeMap<String, Remote>, String> {
    let mut remotes = BTreeMap::new();
    for (need, answer) in &request.answers {
        let Need::Remote(fetch) = need else { continue };
        let place = MountedTree::place(&need.name());
        let remote = match answer {
            Answer::Refused(why) => Remote::Refused(why.clone()),
            Answer::Mounted => match reader.kind(&place).map_err(|e| e.to_string())? {
                Some(EntryKind::File) => {
                    let file = reader.file(&place, MAX_REMOTE_FILE).map_err(|e| e.to_string())?;
                    let file = file.ok_or_else(|| format!("{}: fetched, but not readable", fetch.url))?;
                    Remote::File(file.bytes)
                }
                _ => Remote::Base {
                    path: below(&place, fetch.git.as_ref().map_or("", |g| g.path.as_str())),
                    repository: place,
                },
            },
        };
        remotes.insert(fetch.url.clone(), remote);
    }
    Ok(remotes)
}

/// The directory of a base; its parts were checked not to lead above the repository.
fn below(root: &TreePath, path: &str) -> TreePath {
    let inside = TreePath::new(path).unwrap_or_else(|_| TreePath::root());
    inside.parts().fold(root.clone(), |path, part| path.child(part))
}
