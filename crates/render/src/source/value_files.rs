//! Which files `valueFiles` and `fileParameters` mean [F4.6].

use std::collections::BTreeSet;

use pintle_model::glob::Glob;
use pintle_model::tree::{EntryKind, Reader, TreeError, TreePath};

use super::environment::substitute;
use crate::RenderRequest;
use crate::helm::Limits;
use crate::request::{Answer, Need, Recorder};

/// Files looked at for one glob: a repository with more below one directory has a wrong glob.
const MAX_GLOB_ENTRIES: usize = 20_000;

/// Where a file is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// In the tree.
    Path(TreePath),
    /// At a URL; it is mounted once it was fetched.
    Url(String),
}

/// Why a file is not read.
#[derive(Debug)]
pub(super) enum Missing {
    /// It has to be fetched first.
    Needed(Box<Need>),
    /// It is not there or not allowed; the text names the file and what to do.
    Failed(String),
}

/// Finds and reads files for one source.
pub(super) struct Files<'a> {
    pub reader: &'a Reader<'a>,
    pub request: &'a RenderRequest,
    pub recorder: &'a Recorder<'a>,
}

impl Files<'_> {
    /// The value files in order: name and text of each.
    ///
    /// A glob stands for its matches in lexical order, without those that are also written out: these keep the place where they are written.
    pub fn values(&self, written: &[String], ignore_missing: bool) -> Result<Vec<(String, String)>, Missing> {
        let mut places = Vec::with_capacity(written.len());
        for text in written {
            places.push((text, self.place(text)?));
        }
        let explicit: BTreeSet<TreePath> = places
            .iter()
            .filter_map(|(_, place)| match place {
                Place::Path(path) if !is_glob(path.as_str()) => Some(path.clone()),
                _ => None,
            })
            .collect();
        let mut taken = BTreeSet::new();
        let mut out = Vec::new();
        for (text, place) in places {
            match place {
                Place::Path(path) if is_glob(path.as_str()) => {
                    let found = self.glob(&path)?;
                    if found.is_empty() && !ignore_missing {
                        return Err(Missing::Failed(format!(
                            "value files {text:?}: no file matches; correct the pattern, or set ignoreMissingValueFiles"
                        )));
                    }
                    for path in found {
                        if !explicit.contains(&path) && taken.insert(path.clone()) {
                            let content = self.required(text, &Place::Path(path.clone()))?;
                            out.push((path.to_string(), content));
                        }
                    }
                }
                place => match self.read(&place)? {
                    Some(content) => out.push((text.clone(), content)),
                    None if ignore_missing => {}
                    None => return Err(self.absent("value file", text, &place)),
                },
            }
        }
        Ok(out)
    }

    /// The text of a file of `fileParameters`.
    pub fn parameter(&self, written: &str) -> Result<String, Missing> {
        let place = self.place(written)?;
        match self.read(&place)? {
            Some(content) => Ok(content),
            None => Err(self.absent("file parameter", written, &place)),
        }
    }

    fn required(&self, written: &str, place: &Place) -> Result<String, Missing> {
        self.read(place)?
            .ok_or_else(|| self.absent("value file", written, place))
    }

    fn absent(&self, what: &str, written: &str, place: &Place) -> Missing {
        let at = match place {
            Place::Path(path) => match self.lent(path) {
                Some((name, inside)) => format!("no file {inside:?} in the source with ref {name:?}"),
                None => format!("no file {path:?} in the repository"),
            },
            Place::Url(url) => format!("nothing at {url}"),
        };
        Missing::Failed(format!(
            "{what} {written:?}: {at}; correct the path, commit the file, or set ignoreMissingValueFiles"
        ))
    }

    /// Of a path in a lent tree: the name of its source, and the path there.
    fn lent(&self, path: &TreePath) -> Option<(&str, String)> {
        self.request.refs.iter().find_map(|(name, root)| {
            let inside = path.strip_prefix(root)?;
            Some((name.as_str(), inside.to_owned()))
        })
    }

    /// Where a written path is: below the application's directory, below the root with a leading `/`, in another source with a leading
    /// `$name/`, or at a URL with an allowed scheme.
    fn place(&self, written: &str) -> Result<Place, Missing> {
        let first = written.split('/').next().unwrap_or_default();
        let outside = |path: &str, e| {
            Missing::Failed(format!(
                "value file {path:?} resolved to outside repository root: {e}; value files are read from their repository only"
            ))
        };
        if let Some(name) = first.strip_prefix('$') {
            if let Some(root) = self.request.refs.get(name) {
                let rest = substitute(written.get(first.len()..).unwrap_or_default(), self.recorder);
                // Counted from the root of that repository: `..` must not lead above it.
                let inside = TreePath::new(&rest).map_err(|e| outside(written, e))?;
                let path = inside.parts().fold(root.clone(), |path, part| path.child(part));
                return Ok(Place::Path(path));
            }
            let is_name = !name.is_empty()
                && name
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
            let is_variable = self.recorder.variable(name).is_some();
            if is_name && !is_variable && written.len() > first.len() {
                return Err(Missing::Failed(format!(
                    "value file {written:?}: no source has ref {name:?}; add `ref: {name}` to the Git source that holds the file"
                )));
            }
        }
        let text = substitute(written, self.recorder);
        if let Some((scheme, _)) = text.split_once("://") {
            let allowed = &self.request.settings.values_file_schemes;
            if allowed.iter().any(|s| s.eq_ignore_ascii_case(scheme)) {
                return Ok(Place::Url(text));
            }
            return Err(Missing::Failed(format!(
                "value file {text:?}: the URL scheme {scheme:?} is not allowed; allowed are: {} (setting helm.valuesFileSchemes)",
                allowed.join(", ")
            )));
        }
        let path = match text.strip_prefix('/') {
            Some(absolute) => TreePath::new(absolute),
            None => self.request.path.join(&text),
        };
        path.map(Place::Path).map_err(|e| outside(&text, e))
    }

    fn read(&self, place: &Place) -> Result<Option<String>, Missing> {
        let (path, shown) = match place {
            Place::Path(path) => (path.clone(), path.to_string()),
            Place::Url(url) => {
                let need = Need::File { url: url.clone() };
                match self.request.answers.get(&need) {
                    None => return Err(Missing::Needed(Box::new(need))),
                    Some(Answer::Refused(why)) => return Err(Missing::Failed(format!("value file {url:?}: {why}"))),
                    Some(Answer::Mounted) => (pintle_model::tree::MountedTree::place(&need.name()), url.clone()),
                }
            }
        };
        let limits: &Limits = &self.request.settings.chart_limits;
        let failed = |why: String| Missing::Failed(format!("{shown}: {why}"));
        let file = self
            .reader
            .file(&path, limits.archive.file_bytes)
            .map_err(|e| failed(e.to_string()))?;
        let Some(file) = file else { return Ok(None) };
        let text = String::from_utf8(file.bytes.to_vec()).map_err(|_| failed("not UTF-8 text".into()))?;
        Ok(Some(text))
    }

    /// Files that match, in lexical order.
    fn glob(&self, pattern: &TreePath) -> Result<Vec<TreePath>, Missing> {
        let parts: Vec<&str> = pattern.parts().collect();
        let fixed = parts.iter().take_while(|part| !is_glob(part)).count();
        let root = parts
            .iter()
            .take(fixed)
            .fold(TreePath::root(), |path, part| path.child(part));
        let mut matchers = Vec::new();
        for part in parts.iter().skip(fixed) {
            matchers.push(match *part {
                "**" => Part::Any,
                text => Part::One(
                    Glob::new(text)
                        .map_err(|e| Missing::Failed(format!("value files {:?} are no glob: {e}", pattern.as_str())))?,
                ),
            });
        }
        let mut walk = Walk {
            files: self,
            found: BTreeSet::new(),
            seen: 0,
        };
        walk.directory(&root, &matchers)?;
        Ok(walk.found.into_iter().collect())
    }
}

/// One part of a pattern between slashes.
enum Part {
    /// `**`: any number of directories, none too.
    Any,
    One(Glob),
}

struct Walk<'a> {
    files: &'a Files<'a>,
    found: BTreeSet<TreePath>,
    seen: usize,
}

impl Walk<'_> {
    /// Goes down one part of the pattern, or one directory for `**`: no deeper than the tree, which is bounded by the entries looked at.
    fn directory(&mut self, here: &TreePath, pattern: &[Part]) -> Result<(), Missing> {
        let Some((first, rest)) = pattern.split_first() else {
            return Ok(());
        };
        let failed = |e: TreeError| Missing::Failed(e.to_string());
        if matches!(first, Part::Any) {
            self.directory(here, rest)?;
        }
        for entry in self.files.reader.dir(here).map_err(failed)?.unwrap_or_default() {
            self.seen += 1;
            if self.seen > MAX_GLOB_ENTRIES || here.parts().count() > MAX_DEPTH {
                return Err(Missing::Failed(format!(
                    "a glob of value files leads through more than {MAX_GLOB_ENTRIES} files or {MAX_DEPTH} directories; make it narrower"
                )));
            }
            let path = here.child(&entry.name);
            let is_directory = entry.kind == EntryKind::Dir;
            let leads_in = match first {
                Part::Any => true,
                Part::One(glob) => !rest.is_empty() && glob.is_match(&entry.name),
            };
            if entry.kind == EntryKind::Submodule && leads_in {
                return Err(failed(TreeError::Submodule { path }));
            }
            match first {
                Part::Any if is_directory => self.directory(&path, pattern)?,
                // `**` at the end takes every file below.
                Part::Any if rest.is_empty() => {
                    self.found.insert(path);
                }
                Part::Any => {}
                Part::One(glob) if glob.is_match(&entry.name) => {
                    if rest.is_empty() && !is_directory {
                        self.found.insert(path);
                    } else if is_directory {
                        self.directory(&path, rest)?;
                    }
                }
                Part::One(_) => {}
            }
        }
        Ok(())
    }
}

/// Directories inside one another that a glob leads through.
const MAX_DEPTH: usize = 64;

fn is_glob(text: &str) -> bool {
    text.contains(['*', '?', '[', '{'])
}
