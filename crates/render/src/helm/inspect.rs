//! A chart's files as they are: for commands that show, examine or pack it.

use std::sync::Arc;

use pintle_model::tree::{Reader, TreePath};

use super::chart::{Chart, ChartData, ChartFile, Limits, archive, directory};
use super::error::HelmError;
use super::metadata::Metadata;

/// The files of a chart before anything is made of them: those of a directory that `.helmignore` leaves, or of an archive.
///
/// Names are relative to the chart; contents lack a byte order mark.
pub struct ChartSource {
    files: Vec<ChartFile>,
}

impl ChartSource {
    /// Reads a directory of a tree.
    pub fn from_tree(reader: &Reader<'_>, path: &TreePath, limits: &Limits) -> Result<Self, HelmError> {
        Ok(Self {
            files: directory(reader, path, limits)?,
        })
    }

    /// Unpacks an archive.
    pub fn from_archive(packed: &[u8], limits: &Limits) -> Result<Self, HelmError> {
        Ok(Self {
            files: archive(packed, limits)?,
        })
    }

    /// Names and contents, in the order of the directory or archive.
    pub fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files.iter().map(|file| (&*file.name, &*file.bytes))
    }

    /// The content of one file.
    pub fn file(&self, name: &str) -> Option<&[u8]> {
        self.files().find(|(known, _)| *known == name).map(|(_, bytes)| bytes)
    }

    /// Loads the chart.
    pub fn load(&self, limits: &Limits) -> Result<Arc<Chart>, HelmError> {
        Chart::from_files(self.files.clone(), limits)
    }
}

/// A file of `crds/`.
pub struct CrdFile {
    /// Its path inside its own chart: `crds/x.yaml`.
    pub name: String,
    /// Its path with the names of its chart and the charts that chart is inside of: `a/charts/b/crds/x.yaml`.
    pub path: String,
    /// Its content.
    pub bytes: Arc<[u8]>,
}

impl Chart {
    /// Files that are neither metadata, values nor templates, in order: what `.Files` sees.
    pub fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.data.files.iter().map(|file| (&*file.name, &*file.bytes))
    }

    /// Names of the files below `templates/`, in order.
    pub fn template_names(&self) -> impl Iterator<Item = &str> {
        self.data.templates.iter().map(|file| &*file.name)
    }

    /// The charts of `charts/`, whatever Chart.yaml says of them.
    pub fn dependencies(&self) -> impl Iterator<Item = &Metadata> {
        self.data.dependencies.iter().map(|chart| &chart.metadata)
    }

    /// The files of `crds/`: the chart's own, then those of the charts in `charts/`.
    pub fn crds(&self) -> Vec<CrdFile> {
        let mut found = Vec::new();
        crds(&self.data, &self.data.metadata.name, &mut found);
        found
    }
}

fn crds(chart: &ChartData, path: &str, found: &mut Vec<CrdFile>) {
    for file in chart.files.iter() {
        let extension = file.name.rsplit_once('.').map(|(_, e)| e.to_ascii_lowercase());
        let is_manifest = matches!(extension.as_deref(), Some("yaml" | "yml" | "json"));
        if file.name.starts_with("crds/") && is_manifest {
            found.push(CrdFile {
                name: file.name.to_string(),
                path: format!("{path}/{}", file.name),
                bytes: Arc::clone(&file.bytes),
            });
        }
    }
    for child in &chart.dependencies {
        crds(child, &format!("{path}/charts/{}", child.metadata.name), found);
    }
}
