//! A chart from where the command line says: a directory, an archive, a repository, a registry.

use std::path::Path;
use std::sync::Arc;

use pintle_model::tree::{FixedTree, Reader, TreePath};
use pintle_render::helm::{Chart, ChartSource, Limits};

use super::{failed, fetch};
use crate::args::ChartFlags;
use crate::exit::CliError;

/// Directories inside a chart; a deeper one is a link that leads back.
const MAX_DEPTH: usize = 64;

/// A chart with its files as they are.
pub(super) struct Loaded {
    pub chart: Arc<Chart>,
    pub source: ChartSource,
}

/// Loads the chart that `name` means under the flags. In Helm's order: what exists on disk goes before what could be fetched.
pub(super) async fn locate(name: &str, flags: &ChartFlags, limits: &Limits) -> Result<Loaded, CliError> {
    if flags.verify {
        return Err(CliError::unsupported("checking signatures of charts (--verify)"));
    }
    let name = name.trim();
    if flags.repo.is_none() {
        if Path::new(name).exists() {
            return load(Path::new(name), limits);
        }
        if name.starts_with(['/', '.']) {
            return Err(failed(format!("path {name:?} not found")));
        }
    }
    let archive = fetch::chart(name, flags).await?;
    from_archive(&archive, limits)
}

/// Loads a directory or an archive of this machine.
pub(super) fn load(at: &Path, limits: &Limits) -> Result<Loaded, CliError> {
    let unreadable = |e: std::io::Error| failed(format!("cannot read the chart {}: {e}", at.display()));
    let metadata = std::fs::metadata(at).map_err(unreadable)?;
    if metadata.is_dir() {
        return with_chart(read_directory(at, limits)?, limits);
    }
    if metadata.len() > limits.archive.total_bytes {
        return Err(failed(format!(
            "{} has {} bytes, more than the limit of {} for a chart",
            at.display(),
            metadata.len(),
            limits.archive.total_bytes
        )));
    }
    from_archive(&std::fs::read(at).map_err(unreadable)?, limits)
}

/// Loads a packed chart.
pub(super) fn from_archive(packed: &[u8], limits: &Limits) -> Result<Loaded, CliError> {
    with_chart(ChartSource::from_archive(packed, limits).map_err(failed)?, limits)
}

/// The files of a chart's directory that its `.helmignore` leaves.
pub(super) fn read_directory(at: &Path, limits: &Limits) -> Result<ChartSource, CliError> {
    let mut files = Files {
        found: Vec::new(),
        left: limits.archive.total_bytes,
    };
    files.walk(at, &TreePath::root(), 0)?;
    ChartSource::from_tree(&Reader::new(&FixedTree::new(files.found)), &TreePath::root(), limits).map_err(failed)
}

fn with_chart(source: ChartSource, limits: &Limits) -> Result<Loaded, CliError> {
    let chart = source.load(limits).map_err(failed)?;
    chart.check_api_version().map_err(failed)?;
    Ok(Loaded { chart, source })
}

/// A directory on its way into memory. Links are followed, as Helm follows them on the user's own machine.
struct Files {
    found: Vec<(TreePath, Arc<[u8]>)>,
    left: u64,
}

impl Files {
    fn walk(&mut self, directory: &Path, at: &TreePath, depth: usize) -> Result<(), CliError> {
        if depth > MAX_DEPTH {
            return Err(failed(format!(
                "{}: more than {MAX_DEPTH} directories inside one another",
                directory.display()
            )));
        }
        let unreadable = |path: &Path, e: std::io::Error| failed(format!("cannot read {}: {e}", path.display()));
        for entry in std::fs::read_dir(directory).map_err(|e| unreadable(directory, e))? {
            let entry = entry.map_err(|e| unreadable(directory, e))?;
            let path = entry.path();
            let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
                return Err(failed(format!("{}: its name is not UTF-8", path.display())));
            };
            let metadata = std::fs::metadata(&path).map_err(|e| unreadable(&path, e))?;
            let inside = at.child(&name);
            if metadata.is_dir() {
                self.walk(&path, &inside, depth + 1)?;
            } else if !metadata.is_file() {
                return Err(failed(format!(
                    "cannot load irregular file {} as it has file mode type bits set",
                    path.display()
                )));
            } else {
                let Some(left) = self.left.checked_sub(metadata.len()) else {
                    return Err(failed(format!(
                        "{}: the chart's files exceed the limit for a chart",
                        path.display()
                    )));
                };
                self.left = left;
                let bytes = std::fs::read(&path).map_err(|e| unreadable(&path, e))?;
                self.found.push((inside, bytes.into()));
            }
        }
        Ok(())
    }
}
