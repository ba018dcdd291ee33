//! Directory sources: plain manifests in YAML and JSON [F4.3, F4.14].

use pintle_model::Value;
use pintle_model::application::Directory;
use pintle_model::glob::Glob;
use pintle_model::tree::{EntryKind, File, Reader, TreeError, TreePath};

use crate::{Diagnostic, Output};

/// A file that holds this line somewhere is not rendered.
const SKIP_MARKER: &str = "# +argocd:skip-file-rendering";

/// Directories deeper than this below the application's own are refused: nobody lays manifests out like that, but a generator gone wrong does.
const MAX_DIRECTORY_DEPTH: usize = 64;

/// What of a source concerns a directory of manifests.
pub(crate) struct Request<'a> {
    pub path: &'a TreePath,
    pub directory: &'a Directory,
    pub max_manifest_bytes: u64,
}

pub(crate) fn render(reader: &Reader<'_>, request: &Request<'_>, out: &mut Output) {
    let filter = match Filter::new(request) {
        Ok(filter) => filter,
        Err(diagnostic) => return out.diagnostics.push(diagnostic),
    };
    let mut budget = request.max_manifest_bytes;
    walk(reader, request, &filter, request.path, 0, &mut budget, out);
}

/// Which files take part.
struct Filter {
    include: Option<Glob>,
    exclude: Option<Glob>,
    any_extension: bool,
}

impl Filter {
    fn new(request: &Request<'_>) -> Result<Self, Diagnostic> {
        let glob = |field: &str, pattern: &str| {
            if pattern.is_empty() {
                return Ok(None);
            }
            Glob::new(pattern).map(Some).map_err(|e| {
                Diagnostic::error(
                    request.path,
                    None,
                    format!("spec.source.directory.{field} {pattern:?} is no glob: {e}"),
                )
            })
        };
        Ok(Self {
            include: glob("include", &request.directory.include)?,
            exclude: glob("exclude", &request.directory.exclude)?,
            any_extension: request.directory.disable_extension_filter,
        })
    }

    /// `relative` is the path below the application's directory.
    fn takes(&self, relative: &str) -> bool {
        let extension = [".yaml", ".yml", ".json", ".jsonnet"]
            .iter()
            .any(|e| relative.ends_with(e));
        (self.any_extension || extension)
            && self.exclude.as_ref().is_none_or(|g| !g.is_match(relative))
            && self.include.as_ref().is_none_or(|g| g.is_match(relative))
    }

    /// Whether `exclude` names a directory, or whatever stands in it.
    fn leaves_out(&self, directory: &TreePath, root: &TreePath) -> bool {
        let relative = directory.strip_prefix(root).unwrap_or_default();
        let exclude = self.exclude.as_ref();
        exclude.is_some_and(|g| g.is_match(relative) || g.is_match(&format!("{relative}/manifest.yaml")))
    }
}

fn walk(
    reader: &Reader<'_>,
    request: &Request<'_>,
    filter: &Filter,
    dir: &TreePath,
    depth: usize,
    budget: &mut u64,
    out: &mut Output,
) {
    let entries = match reader.dir(dir) {
        Ok(entries) => entries.unwrap_or_default(),
        Err(e) => return out.diagnostics.push(Diagnostic::error(dir, None, e.to_string())),
    };
    for entry in entries {
        let path = dir.child(&entry.name);
        match entry.kind {
            EntryKind::Dir if request.directory.recurse && depth >= MAX_DIRECTORY_DEPTH => {
                let message = format!("directories are nested deeper than {MAX_DIRECTORY_DEPTH}");
                out.diagnostics.push(Diagnostic::error(&path, None, message));
            }
            EntryKind::Dir if request.directory.recurse => {
                walk(reader, request, filter, &path, depth + 1, budget, out);
            }
            EntryKind::File if filter.takes(path.strip_prefix(request.path).unwrap_or_default()) => {
                match reader.file(&path, *budget) {
                    Ok(Some(file)) => {
                        *budget = budget.saturating_sub(file.bytes.len() as u64);
                        manifest(&path, &file, out);
                    }
                    // The listing said there is a file; that it cannot be read is said, never passed over.
                    Ok(None) => {
                        out.diagnostics
                            .push(Diagnostic::error(&path, None, "listed, but not readable as a file"))
                    }
                    Err(TreeError::TooLarge { .. }) => {
                        let limit = request.max_manifest_bytes;
                        let message = format!(
                            "the manifests of this application exceed the limit of {limit} bytes for one directory source"
                        );
                        return out.diagnostics.push(Diagnostic::error(&path, None, message));
                    }
                    Err(e) => out.diagnostics.push(Diagnostic::error(&path, None, e.to_string())),
                }
            }
            EntryKind::Submodule if request.directory.recurse && !filter.leaves_out(&path, request.path) => {
                let message = "a submodule, which is not fetched, so its manifests would be missing; make it an Application of its own, or exclude it with spec.source.directory.exclude";
                out.diagnostics.push(Diagnostic::error(&path, None, message));
            }
            _ => {}
        }
    }
}

fn manifest(path: &TreePath, file: &File, out: &mut Output) {
    let Ok(text) = std::str::from_utf8(&file.bytes) else {
        return out.diagnostics.push(Diagnostic::error(
            path,
            None,
            "not UTF-8 text; exclude it with spec.source.directory.exclude",
        ));
    };
    if text.contains(SKIP_MARKER) {
        return;
    }
    let name = path.name();
    if name.ends_with(".jsonnet") {
        out.diagnostics.push(Diagnostic::error(
            path,
            None,
            "Jsonnet cannot be rendered yet; exclude it with spec.source.directory.exclude",
        ));
    } else if name.ends_with(".json") {
        json(path, text, out);
    } else {
        yaml(path, text, out);
    }
}

/// A `.json` file holds exactly one object.
fn json(path: &TreePath, text: &str, out: &mut Output) {
    match Value::from_json(text.as_bytes()) {
        Ok(value) => object(path, 1, value, out),
        Err(e) => out.diagnostics.push(Diagnostic::error(path, None, e.to_string())),
    }
}

fn yaml(path: &TreePath, text: &str, out: &mut Output) {
    for document in pintle_yaml::parse_all(text) {
        let line = document.line;
        match document.result {
            Ok(pintle_yaml::Yaml::Null) => {}
            Ok(value) => object(path, line, Value::from(value), out),
            Err(e) => {
                // As the peer: a file that does not parse counts only if it looks like a manifest. It is said all the same.
                let looks_like_one = ["apiVersion:", "kind:", "metadata:"]
                    .iter()
                    .all(|word| text.contains(word));
                let diagnostic = if looks_like_one {
                    Diagnostic::error
                } else {
                    Diagnostic::warning
                };
                // Lines of an error count from the start of its document.
                out.diagnostics.push(diagnostic(
                    path,
                    Some(line + e.line.saturating_sub(1)),
                    e.message.clone(),
                ));
            }
        }
    }
}

fn object(path: &TreePath, line: usize, value: Value, out: &mut Output) {
    if value.as_map().is_some_and(pintle_model::Map::is_empty) {
        return;
    }
    let hint = "exclude the file with spec.source.directory.exclude if it is not meant to be one";
    crate::objects::object(path, line, value, hint, out);
}
