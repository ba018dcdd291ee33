//! From a file tree and a source spec to objects and diagnostics.
//!
//! ```text
//! Tree + RenderRequest ─> detect ─> directory (helm, kustomize: not yet) ─> Rendered { objects, diagnostics, reads }
//! ```
//!
//! `render` never fetches, never writes, and never fails as a whole: one bad file does not hide the others. Whether a result may be
//! acted on is told by [`Rendered::is_complete`].

pub mod archive;
mod detect;
mod diagnostic;
mod directory;
pub mod helm;
pub mod kustomize;

use pintle_model::Object;
use pintle_model::tree::{ReadSet, Reader, Tree, TreePath};

pub use detect::SourceType;
pub use diagnostic::{Diagnostic, Severity};

/// What to render: everything but the tree that the result depends on. Equal requests over equal reads give equal results.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RenderRequest {
    /// The application's directory in the tree.
    pub path: TreePath,
    /// The type the source names explicitly (`helm`, `kustomize`, `directory`, `plugin` block); `None` means detect [F4.1].
    pub explicit: Option<SourceType>,
    /// Settings of directory sources.
    pub directory: DirectoryOptions,
    /// Bytes of manifests read for one directory source; more is an error. The peer's `reposerver.max.combined.directory.manifests.size`
    /// is 10 MB.
    pub max_manifest_bytes: u64,
}

/// `spec.source.directory` [F4.3].
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct DirectoryOptions {
    /// Descend into subdirectories.
    pub recurse: bool,
    /// Only files whose path, relative to the application's directory, matches this glob; empty means all.
    pub include: String,
    /// No files whose path matches this glob; empty means none.
    pub exclude: String,
    /// Read files of any name.
    pub disable_extension_filter: bool,
}

/// The peer's default bound on manifests of a directory source, 10 MB.
pub const DEFAULT_MAX_MANIFEST_BYTES: u64 = 10_000_000;

/// What a render gave.
pub struct Rendered {
    /// How the source was read.
    pub source_type: SourceType,
    /// Objects in the order found, `List`s flattened.
    pub objects: Vec<RenderedObject>,
    /// What is wrong or worth saying, in the order found.
    pub diagnostics: Vec<Diagnostic>,
    /// Everything read.
    pub reads: ReadSet,
}

impl Rendered {
    /// Whether nothing went wrong: only then may something missing from `objects` be taken for removed (I-1).
    pub fn is_complete(&self) -> bool {
        self.diagnostics.iter().all(|d| d.severity != Severity::Error)
    }
}

/// An object and where it was written down.
#[derive(Clone)]
pub struct RenderedObject {
    /// The object.
    pub object: Object,
    /// The file.
    pub path: TreePath,
    /// The line its document starts on, from 1.
    pub line: usize,
}

/// Renders one source of an application.
pub fn render(tree: &dyn Tree, request: &RenderRequest) -> Rendered {
    let reader = Reader::new(tree);
    let mut out = Output {
        objects: Vec::new(),
        diagnostics: Vec::new(),
    };
    let source_type = match detect::detect(&reader, request) {
        Ok(source_type) => {
            match source_type {
                SourceType::Directory => directory::render(&reader, request, &mut out),
                other => out
                    .diagnostics
                    .push(Diagnostic::error(&request.path, None, not_yet(other, &request.path))),
            }
            source_type
        }
        Err(diagnostic) => {
            out.diagnostics.push(diagnostic);
            SourceType::Directory
        }
    };
    Rendered {
        source_type,
        objects: out.objects,
        diagnostics: out.diagnostics,
        reads: reader.into_reads(),
    }
}

fn not_yet(source_type: SourceType, path: &TreePath) -> String {
    format!(
        "{source_type} source at {path:?} cannot be rendered yet: this version of Pintle renders directories of plain manifests; nothing is \
         changed in the cluster for this application"
    )
}

struct Output {
    objects: Vec<RenderedObject>,
    diagnostics: Vec<Diagnostic>,
}

#[cfg(test)]
mod tests;
