//! From a file tree and a source spec to objects and diagnostics.
//!
//! ```text
//! Tree + RenderRequest + Surroundings ─> source (detect ─> directory | helm | kustomize) ─┬─> Rendered { objects, diagnostics, reads, used }
//!                                                                                         └─> Needs: fetch, mount, and ask again
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
mod objects;
mod remotes;
mod request;
mod source;

use std::collections::BTreeMap;

use pintle_model::Object;
use pintle_model::tree::{ReadSet, Reader, Tree, TreePath};

pub use remotes::remotes;
pub use request::{
    Answer, AppIdentity, DEFAULT_MAX_MANIFEST_BYTES, Need, RenderRequest, RenderSettings, Surroundings, Used,
};
pub use source::{ChartCache, own_fields};

pub use detect::SourceType;
pub use diagnostic::{Diagnostic, Severity};

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
    /// What was used of the surroundings.
    pub used: Used,
    /// What had to be fetched, and what came of it.
    pub answers: BTreeMap<Need, Answer>,
    /// It failed for a reason that may go away by itself: the result is not worth keeping.
    pub is_transient: bool,
}

/// How a round of rendering ends.
pub enum Round {
    /// With a result.
    Done(Rendered),
    /// With things to fetch and mount; then it is tried again with the answers. Never empty.
    Needs(Vec<Need>),
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

/// Renders one source of an application. A chart needs the stack of [`helm::Limits::stack_bytes`].
pub fn render(tree: &dyn Tree, request: &RenderRequest, surroundings: &Surroundings<'_>) -> Round {
    let reader = Reader::new(tree);
    let recorder = request::Recorder::new(surroundings);
    let mut out = Output {
        objects: Vec::new(),
        diagnostics: Vec::new(),
    };
    let (source_type, result) = source::render(&reader, request, &recorder, &mut out);
    let mut is_transient = false;
    match result {
        Ok(()) => {}
        Err(source::Ended::Needs(needs)) => return Round::Needs(needs),
        Err(source::Ended::Failed(diagnostic)) => out.diagnostics.push(diagnostic),
        Err(source::Ended::Transient(diagnostic)) => {
            is_transient = true;
            out.diagnostics.push(diagnostic);
        }
    }
    is_transient |= reader.has_store_failed();
    Round::Done(Rendered {
        source_type,
        objects: out.objects,
        diagnostics: out.diagnostics,
        reads: reader.into_reads(),
        used: recorder.into_used(),
        answers: request.answers.clone(),
        is_transient,
    })
}

struct Output {
    objects: Vec<RenderedObject>,
    diagnostics: Vec<Diagnostic>,
}

#[cfg(test)]
mod tests;
