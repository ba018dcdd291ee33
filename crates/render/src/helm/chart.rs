//! A chart as its files say: read from a directory of a tree or an archive, checked, and shared by every render.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use pintle_model::Map;
use pintle_model::tree::{EntryKind, Reader, TreeError, TreePath};

use super::engine::Parsed;
use super::error::HelmError;
use super::ignore::Rules;
use super::metadata::{Metadata, check_lock, read_map};
use super::node::Entries;
use super::octets;
use crate::archive::{ArchiveLimits, unpack};

/// Charts inside charts: nobody nests deeper than four, and loading recurses once for each level.
const MAX_CHART_DEPTH: usize = 16;
/// Directories inside a chart.
const MAX_DIRECTORY_DEPTH: usize = 64;

/// What a chart and its render may cost. A setting; the defaults are Helm's where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    /// Bounds on archives, and on the files of a directory: each one's bytes, and entries and bytes of all.
    pub archive: ArchiveLimits,
    /// Bytes of rendered text, all templates together. 256 MiB by default; intermediate texts count too.
    pub rendered_bytes: u64,
    /// Executed nodes of templates and what functions charge for. 100 million by default: minutes, where real charts take milliseconds.
    pub steps: u64,
    /// Templates and blocks inside one another. 4,000 by default: Helm stops at 1,000 includes
    /// of one name, each of which takes about three levels; see
    /// [`Limits::stack_bytes`].
    pub template_depth: u32,
}

impl Limits {
    /// The stack the thread that renders must have for these limits, in bytes.
    pub fn stack_bytes(&self) -> usize {
        // A quarter of a megabyte for what is not templates: values nest at most as deep as YAML may.
        (self.template_depth as usize + 64).saturating_mul(pintle_gotmpl::STACK_PER_LEVEL)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            archive: ArchiveLimits::default(),
            rendered_bytes: 256 << 20,
            steps: 100_000_000,
            template_depth: 4000,
        }
    }
}

/// A loaded chart with its dependencies. Immutable; templates are parsed when they are first rendered and kept.
pub struct Chart {
    pub(crate) data: Arc<ChartData>,
    /// By the set of charts that take part, for conditions change it.
    pub(crate) parsed: Mutex<Vec<Arc<Parsed>>>,
}

/// A chart that another depends on and that does not stand in its `charts/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vendored {
    /// Name of the chart.
    pub name: String,
    /// Its directory or archive in the same tree.
    pub path: TreePath,
}

impl Vendored {
    fn files(&self, reader: &Reader<'_>, limits: &Limits, files: &mut Vec<ChartFile>) -> Result<(), HelmError> {
        let Self { name, path } = self;
        match reader.kind(path)? {
            Some(EntryKind::Dir) => {
                files.extend(directory(reader, path, limits)?.into_iter().map(|file| ChartFile {
                    name: format!("charts/{name}/{}", file.name).into(),
                    bytes: file.bytes,
                }));
                Ok(())
            }
            Some(_) => {
                let file = reader.file(path, limits.archive.total_bytes)?;
                let file = file.ok_or_else(|| HelmError::Chart(format!("{path}: not readable as a file")))?;
                files.push(ChartFile {
                    name: format!("charts/{name}.tgz").into(),
                    bytes: file.bytes,
                });
                Ok(())
            }
            None => Err(HelmError::Chart(format!(
                "dependency {name:?}: directory {path} not found"
            ))),
        }
    }
}

/// One chart's own files.
pub(crate) struct ChartData {
    pub(crate) metadata: Metadata,
    /// Numbers as floats.
    pub(crate) values: Map,
    pub(crate) schema: Option<Arc<[u8]>>,
    /// Below `templates/`, names relative to the chart.
    pub(crate) templates: Vec<ChartFile>,
    /// Everything that has no other role, names relative to the chart.
    pub(crate) files: Arc<Vec<ChartFile>>,
    /// In the order of their directory or archive names; Helm's own order is random.
    pub(crate) dependencies: Vec<Arc<ChartData>>,
}

/// One file of a chart.
#[derive(Clone)]
pub(crate) struct ChartFile {
    pub(crate) name: Arc<str>,
    pub(crate) bytes: Arc<[u8]>,
}

impl Chart {
    /// Loads the chart in a directory of a tree, or in the archive at a path. Every read is recorded by the reader.
    pub fn load(reader: &Reader<'_>, path: &TreePath, limits: &Limits) -> Result<Arc<Self>, HelmError> {
        Self::load_with(reader, path, limits, &[])
    }

    /// As [`Chart::load`], with charts in `charts/` that stand elsewhere: what `helm dependency build` puts there. A packed chart has them all.
    pub fn load_with(
        reader: &Reader<'_>,
        path: &TreePath,
        limits: &Limits,
        vendored: &[Vendored],
    ) -> Result<Arc<Self>, HelmError> {
        match reader.kind(path)? {
            Some(EntryKind::Dir) => {
                let mut files = directory(reader, path, limits)?;
                for chart in vendored {
                    chart.files(reader, limits, &mut files)?;
                }
                Self::from_files(files, limits)
            }
            Some(_) => {
                // Packed bytes are bounded as the unpacked ones are.
                let file = reader.file(path, limits.archive.total_bytes)?;
                let file = file.ok_or_else(|| HelmError::Chart(format!("{path}: not readable as a file")))?;
                Self::from_archive(&file.bytes, limits)
            }
            None => Err(HelmError::Chart(format!("path {:?} not found", path.as_str()))),
        }
    }

    /// Loads the chart in a packed archive.
    pub fn from_archive(packed: &[u8], limits: &Limits) -> Result<Arc<Self>, HelmError> {
        Self::from_files(archive(packed, limits)?, limits)
    }

    pub(crate) fn from_files(files: Vec<ChartFile>, limits: &Limits) -> Result<Arc<Self>, HelmError> {
        Ok(Arc::new(Self {
            data: Arc::new(load_files(files, limits, 0)?),
            parsed: Mutex::default(),
        }))
    }

    /// The chart's `Chart.yaml`.
    pub fn metadata(&self) -> &Metadata {
        &self.data.metadata
    }

    /// The chart's own values before anything is merged into them.
    pub fn default_values(&self) -> &Map {
        &self.data.values
    }

    /// Whether Helm renders a chart of this `apiVersion`. It looks at that of the chart itself only.
    pub fn check_api_version(&self) -> Result<(), HelmError> {
        let said = match &*self.data.metadata.api_version {
            "v1" | "v2" => return Ok(()),
            "v3" => "invalid chart apiVersion",
            _ => "unsupported chart version",
        };
        Err(HelmError::Chart(said.into()))
    }

    /// Names of dependencies that `Chart.yaml` asks for and `charts/` does not hold.
    pub fn missing_dependencies(&self) -> Vec<String> {
        let has = |name: &str| self.data.dependencies.iter().any(|d| d.metadata.name == name);
        self.data
            .metadata
            .dependencies
            .iter()
            .flatten()
            .filter(|d| !has(&d.name))
            .map(|d| d.name.clone())
            .collect()
    }
}

/// The files of an archive; the directory they are packed in is stripped.
pub(crate) fn archive(packed: &[u8], limits: &Limits) -> Result<Vec<ChartFile>, HelmError> {
    let unpacked = unpack(packed, &limits.archive)?;
    let mut files = Vec::with_capacity(unpacked.files.len());
    for (path, bytes) in unpacked.files {
        let Some((_, name)) = path.as_str().split_once('/') else {
            let message = if path.as_str() == "Chart.yaml" {
                "chart yaml not in base directory".to_owned()
            } else {
                format!(
                    "chart illegally contains content outside the base directory: {:?}",
                    path.as_str()
                )
            };
            return Err(HelmError::Chart(message));
        };
        files.push(ChartFile {
            name: name.into(),
            bytes: without_mark(bytes),
        });
    }
    Ok(files)
}

/// The files of a directory that `.helmignore` leaves, in the order of a walk.
pub(crate) fn directory(reader: &Reader<'_>, root: &TreePath, limits: &Limits) -> Result<Vec<ChartFile>, HelmError> {
    let ignore = match reader.file(&root.child(".helmignore"), limits.archive.file_bytes)? {
        Some(file) => Rules::parse(&octets::lossy(&file.bytes)),
        None => Rules::parse(""),
    };
    let mut walk = Walk {
        reader,
        root,
        rules: ignore.map_err(HelmError::Chart)?,
        limits,
        entries: 0,
        bytes: 0,
        files: Vec::new(),
    };
    walk.directory(root, 0)?;
    Ok(walk.files)
}

struct Walk<'a> {
    reader: &'a Reader<'a>,
    root: &'a TreePath,
    rules: Rules,
    limits: &'a Limits,
    entries: u64,
    bytes: u64,
    files: Vec<ChartFile>,
}

impl Walk<'_> {
    fn directory(&mut self, here: &TreePath, depth: usize) -> Result<(), HelmError> {
        if depth > MAX_DIRECTORY_DEPTH {
            return Err(HelmError::Limit {
                what: "directories inside one another in a chart",
                limit: MAX_DIRECTORY_DEPTH as u64,
            });
        }
        for entry in self.reader.dir(here)?.unwrap_or_default() {
            let path = here.child(&entry.name);
            let name = path.strip_prefix(self.root).unwrap_or_default().to_owned();
            let is_directory = entry.kind == EntryKind::Dir;
            let is_submodule = entry.kind == EntryKind::Submodule;
            if self.rules.ignores(&name, is_directory || is_submodule) {
                continue;
            }
            if is_submodule {
                return Err(TreeError::Submodule { path }.into());
            }
            self.entries += 1;
            if self.entries > self.limits.archive.entries {
                return Err(HelmError::Limit {
                    what: "files of a chart",
                    limit: self.limits.archive.entries,
                });
            }
            if is_directory {
                self.directory(&path, depth + 1)?;
            } else {
                self.file(&path, name)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &TreePath, name: String) -> Result<(), HelmError> {
        let limit = self.limits.archive.file_bytes;
        let file = match self.reader.file(path, limit) {
            Ok(Some(file)) => file,
            // The listing said there is a file.
            Ok(None) => return Err(HelmError::Chart(format!("{path}: listed, but not readable as a file"))),
            Err(TreeError::TooLarge { .. }) => {
                return Err(HelmError::Chart(format!(
                    "chart file {:?} is larger than the maximum file size {limit}",
                    path.name()
                )));
            }
            Err(other) => return Err(other.into()),
        };
        self.bytes += file.bytes.len() as u64;
        if self.bytes > self.limits.archive.total_bytes {
            return Err(HelmError::Limit {
                what: "bytes of a chart's files",
                limit: self.limits.archive.total_bytes,
            });
        }
        self.files.push(ChartFile {
            name: name.into(),
            bytes: without_mark(file.bytes),
        });
        Ok(())
    }
}

/// A byte order mark is not part of any file.
fn without_mark(bytes: Arc<[u8]>) -> Arc<[u8]> {
    match bytes.strip_prefix(b"\xef\xbb\xbf") {
        Some(rest) => rest.into(),
        None => bytes,
    }
}

fn load_files(files: Vec<ChartFile>, limits: &Limits, depth: usize) -> Result<ChartData, HelmError> {
    if depth > MAX_CHART_DEPTH {
        return Err(HelmError::Limit {
            what: "charts inside one another",
            limit: MAX_CHART_DEPTH as u64,
        });
    }
    let failed = |message: String| HelmError::Chart(message);
    let mut metadata: Option<Metadata> = None;
    for file in files.iter().filter(|f| &*f.name == "Chart.yaml") {
        let metadata = metadata.get_or_insert_default();
        read(file, |text| metadata.read(text))?;
        if metadata.api_version.is_empty() {
            metadata.api_version = "v1".into();
        }
    }
    let mut data = ChartData {
        metadata: Metadata::default(),
        values: Map::new(),
        schema: None,
        templates: Vec::new(),
        files: Arc::default(),
        dependencies: Vec::new(),
    };
    let mut others = Vec::new();
    // By first part below `charts/`; a chart's own files lose that part.
    let mut inner: BTreeMap<String, Vec<ChartFile>> = BTreeMap::new();
    for file in files {
        match &*file.name {
            "Chart.yaml" => {}
            "Chart.lock" => {
                read(&file, check_lock)?;
            }
            "values.yaml" => {
                data.values = read(&file, read_values)?;
            }
            "values.schema.json" => data.schema = Some(file.bytes),
            "requirements.yaml" => {
                let metadata = metadata.get_or_insert_default();
                read(&file, |text| metadata.read(text))?;
                if metadata.api_version == "v1" {
                    others.push(file);
                }
            }
            "requirements.lock" => {
                read(&file, check_lock)?;
                if metadata.get_or_insert_default().api_version == "v1" {
                    others.push(file);
                }
            }
            name if name.starts_with("templates/") => data.templates.push(file),
            name => match name.strip_prefix("charts/") {
                Some(below) if !below.ends_with(".prov") => {
                    let first = below.split('/').next().unwrap_or_default().to_owned();
                    let below = ChartFile {
                        name: below.into(),
                        bytes: file.bytes,
                    };
                    inner.entry(first).or_default().push(below);
                }
                _ => others.push(file),
            },
        }
    }
    data.metadata = metadata.ok_or_else(|| failed("Chart.yaml file is missing".into()))?;
    data.metadata.validate().map_err(failed)?;
    data.files = Arc::new(others);
    for (name, files) in inner {
        if name.starts_with(['_', '.']) {
            continue;
        }
        let chart = subchart(&name, files, limits, depth + 1, &data.metadata.name).map_err(|e| match e {
            HelmError::Tree(_) | HelmError::Limit { .. } => e,
            other => failed(format!(
                "error unpacking subchart {name} in {}: {other}",
                data.metadata.name
            )),
        })?;
        data.dependencies.push(Arc::new(chart));
    }
    Ok(data)
}

/// A chart below `charts/`: an archive, or a directory.
fn subchart(
    name: &str,
    files: Vec<ChartFile>,
    limits: &Limits,
    depth: usize,
    parent: &str,
) -> Result<ChartData, HelmError> {
    if name.ends_with(".tgz") {
        return match files.first() {
            Some(file) if &*file.name == name => load_files(archive(&file.bytes, limits)?, limits, depth),
            other => Err(HelmError::Chart(format!(
                "error unpacking subchart tar in {parent}: expected {name}, got {}",
                other.map_or("", |f| &*f.name)
            ))),
        };
    }
    let files = files
        .into_iter()
        .filter_map(|file| {
            let name = file.name.split_once('/')?.1.into();
            Some(ChartFile {
                name,
                bytes: file.bytes,
            })
        })
        .collect();
    load_files(files, limits, depth)
}

/// What a file says. Bytes that are no text are an error of the reader, as in Helm.
fn read<T, E: std::fmt::Display>(file: &ChartFile, read: impl FnOnce(&str) -> Result<T, E>) -> Result<T, HelmError> {
    let text = octets::marked(&*file.bytes);
    read(&text).map_err(|e| {
        let error = octets::words(&text, e.to_string());
        HelmError::Chart(format!("cannot load {}: {error}", file.name))
    })
}

/// Values as files hold them: one document or several, later ones over earlier ones.
pub(crate) fn read_values(text: &str) -> Result<Map, String> {
    let mut values = Map::new();
    for range in pintle_yaml::split_documents(text) {
        let document = read_map(text.get(range).unwrap_or_default())
            .map_err(|e| format!("cannot unmarshal yaml document: {e}"))?;
        values = merge_maps(values, document);
    }
    Ok(values)
}

/// Merges `over` into `base`: maps key by key, anything else replaced, null included.
pub(crate) fn merge_maps(mut base: Map, over: Map) -> Map {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(pintle_model::Value::Map(old)), pintle_model::Value::Map(new)) => {
                let merged = merge_maps(old.as_ref().clone(), new.as_ref().clone());
                *old = Arc::new(merged);
            }
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
    base
}

/// The values of a map for merging, sharing nothing.
pub(crate) fn entries(map: &Map) -> Entries {
    super::node::Table::from(map).0.take()
}
