//! Charts that a chart depends on and that do not stand in its `charts/`: where each comes from [F4.5].

use pintle_model::tree::{MountedTree, Reader, TreePath};

use crate::RenderRequest;
use crate::helm::{Chart, Dependency, Vendored, read_lock};
use crate::request::{Answer, Need};

/// Bytes of a lock file.
const MAX_LOCK: u64 = 1 << 20;

/// Why the dependencies cannot be had yet, or at all.
pub(super) enum Missing {
    Needed(Vec<Need>),
    Failed(String),
}

/// Where every missing dependency stands, in the order of `Chart.yaml`.
///
/// The lock's version counts where there is a lock; otherwise the newest that fits. A `file://` dependency is a directory of the same tree.
pub(super) fn vendored(
    reader: &Reader<'_>,
    request: &RenderRequest,
    chart: &Chart,
    path: &TreePath,
) -> Result<Vec<Vendored>, Missing> {
    let missing = chart.missing_dependencies();
    let locked = lock(reader, path).map_err(Missing::Failed)?;
    let (mut found, mut needs) = (Vec::new(), Vec::new());
    let wanted = chart.metadata().dependencies.iter().flatten();
    for wanted in wanted.filter(|d| missing.contains(&d.name)) {
        let name = wanted.name.as_str();
        if found.iter().any(|v: &Vendored| v.name == name) {
            continue;
        }
        if let Some(relative) = wanted.repository.strip_prefix("file://") {
            let at = path.join(relative).map_err(|e| {
                Missing::Failed(format!(
                    "dependency {name:?}: {:?} is no path in the repository: {e}",
                    wanted.repository
                ))
            })?;
            found.push(Vendored {
                name: name.to_owned(),
                path: at,
            });
            continue;
        }
        if wanted.repository.is_empty() {
            return Err(Missing::Failed(format!(
                "dependency {name:?} is not in charts/ and Chart.yaml names no repository for it; commit it or add its repository"
            )));
        }
        let need = Need::Chart {
            repository: wanted.repository.clone(),
            name: name.to_owned(),
            version: version(wanted, locked.as_deref()).map_err(Missing::Failed)?,
        };
        match request.answers.get(&need) {
            None => needs.push(need),
            Some(Answer::Mounted) => found.push(Vendored {
                name: name.to_owned(),
                path: MountedTree::place(&need.name()),
            }),
            Some(Answer::Refused(why)) => {
                return Err(Missing::Failed(format!(
                    "dependency {name:?} of {}: {why}",
                    wanted.repository
                )));
            }
        }
    }
    if needs.is_empty() {
        Ok(found)
    } else {
        Err(Missing::Needed(needs))
    }
}

/// What `Chart.lock`, or `requirements.lock` of older charts, pins; `None` without one.
fn lock(reader: &Reader<'_>, path: &TreePath) -> Result<Option<Vec<Dependency>>, String> {
    for name in ["Chart.lock", "requirements.lock"] {
        let at = path.child(name);
        if let Some(file) = reader.file(&at, MAX_LOCK).map_err(|e| e.to_string())? {
            let text = String::from_utf8_lossy(&file.bytes).into_owned();
            return read_lock(&text).map(Some).map_err(|e| format!("{at}: {e}"));
        }
    }
    Ok(None)
}

fn version(wanted: &Dependency, locked: Option<&[Dependency]>) -> Result<String, String> {
    let Some(locked) = locked else {
        return Ok(wanted.version.clone());
    };
    locked
        .iter()
        .find(|d| d.name == wanted.name && d.repository == wanted.repository)
        .map(|d| d.version.clone())
        .ok_or_else(|| {
            format!(
                "the lock file (Chart.lock) is out of sync with the dependencies file (Chart.yaml): {:?} of {} is not in it. Please update \
                 the dependencies",
                wanted.name, wanted.repository
            )
        })
}
