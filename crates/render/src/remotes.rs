//! What builds of kustomizations ask for, as needs; and what came of those, as builds know it.

use std::collections::BTreeMap;

use pintle_model::tree::{EntryKind, MountedTree, Reader, TreePath};

use crate::kustomize::{ChartBase, Fetch, Remote};
use crate::request::{Answer, Need};

/// Bytes of one remote file.
const MAX_REMOTE_FILE: u64 = 64 << 20;

impl From<Fetch> for Need {
    /// What is to be fetched: a chart under the rules of charts, all else under those of remote bases.
    fn from(fetch: Fetch) -> Self {
        match fetch.chart {
            Some(chart) => Self::Chart {
                repository: chart.repository,
                name: chart.name,
                version: chart.version,
            },
            None => Self::Remote(fetch),
        }
    }
}

/// What was fetched, as a build knows it: the answers to [`crate::kustomize::Built::Needs`], for [`crate::kustomize::Options::remotes`].
/// `reader` reads the tree that it was mounted in.
///
/// # Errors
///
/// What was mounted and cannot be read, in words.
pub fn remotes(reader: &Reader<'_>, answers: &BTreeMap<Need, Answer>) -> Result<BTreeMap<String, Remote>, String> {
    let mut remotes = BTreeMap::new();
    for (need, answer) in answers {
        let place = MountedTree::place(&need.name());
        let fetch = match need {
            Need::Remote(fetch) => fetch,
            Need::Chart {
                repository,
                name,
                version,
            } => {
                let remote = match answer {
                    Answer::Refused(why) => Remote::Refused(why.clone()),
                    // Packed, or a directory: charts are loaded from either.
                    Answer::Mounted => Remote::Base {
                        repository: place.clone(),
                        path: place,
                    },
                };
                remotes.insert(ChartBase::url_of(repository, name, version), remote);
                continue;
            }
            Need::File { .. } => continue,
        };
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
