//! Sources of Applications: which renderer a source wants, and what it is given.
//!
//! ```text
//! RenderRequest + Reader ── overrides ── detect ─┬─ directory
//!                                                ├─ helm (value_files, dependencies, environment, ambient, chart_cache) ─ crate::helm
//!                                                └─ kustomize (ambient) ─ crate::kustomize
//! ```

mod ambient;
mod chart_cache;
mod dependencies;
mod environment;
mod helm;
mod kustomize;
mod overrides;
mod value_files;

#[cfg(test)]
mod tests;

use pintle_model::application::Source;
use pintle_model::tree::Reader;

pub use chart_cache::ChartCache;
pub use overrides::own_fields;

use crate::detect::{detect, explicit};
use crate::request::{Need, Recorder};
use crate::{Diagnostic, Output, RenderRequest, SourceType, directory};

/// Why a source gave no objects.
pub(crate) enum Ended {
    /// Something has to be fetched first.
    Needs(Vec<Need>),
    /// The input is wrong.
    Failed(Diagnostic),
    /// Trying again may help: a store that failed, a time that ran out.
    Transient(Diagnostic),
}

/// Renders one source; tells how it was read even where it fails.
pub(crate) fn render(
    reader: &Reader<'_>,
    request: &RenderRequest,
    recorder: &Recorder<'_>,
    out: &mut Output,
) -> (SourceType, Result<(), Ended>) {
    let path = &request.path;
    let unknown = SourceType::Directory;
    let source = match overrides::merged(reader, request, recorder) {
        Ok(source) => source,
        Err(diagnostic) => return (unknown, Err(Ended::Failed(diagnostic))),
    };
    let wanted = match explicit(&source) {
        Ok(wanted) => wanted,
        Err(message) => return (unknown, Err(Ended::Failed(Diagnostic::error(path, None, message)))),
    };
    // A chart of a repository is a chart, whatever files it holds.
    let wanted = wanted.or(source.is_chart().then_some(SourceType::Helm));
    let wanted = native(&source, wanted, out, request);
    let source_type = match detect(reader, path, wanted, &request.settings) {
        Ok(found) => found,
        Err(diagnostic) => return (wanted.unwrap_or(unknown), Err(Ended::Failed(diagnostic))),
    };
    let result = match source_type {
        SourceType::Directory => {
            let default = pintle_model::application::Directory::default();
            let request = directory::Request {
                path,
                directory: source.directory.as_ref().unwrap_or(&default),
                max_manifest_bytes: request.settings.max_manifest_bytes,
            };
            directory::render(reader, &request, out);
            Ok(())
        }
        SourceType::Helm => helm::render(reader, request, &source, recorder, out),
        SourceType::Kustomize => kustomize::render(reader, request, &source, recorder, out),
        SourceType::Plugin => Err(Ended::Failed(Diagnostic::error(
            path,
            None,
            "config management plugins are not run by this version; nothing is changed in the cluster for this application",
        ))),
    };
    (source_type, result)
}

/// `plugin: {name: helm}` and `{name: kustomize}` are found in real repositories: they mean what they say, with a word on how to say it.
fn native(
    source: &Source,
    wanted: Option<SourceType>,
    out: &mut Output,
    request: &RenderRequest,
) -> Option<SourceType> {
    let Some(plugin) = source.plugin.as_ref().filter(|_| wanted == Some(SourceType::Plugin)) else {
        return wanted;
    };
    let native = match plugin.name.as_str() {
        "helm" => SourceType::Helm,
        "kustomize" => SourceType::Kustomize,
        _ => return wanted,
    };
    let field = plugin.name.as_str();
    let unused = if plugin.env.is_empty() && plugin.parameters.is_empty() {
        ""
    } else {
        ". Its env and parameters have no effect"
    };
    out.diagnostics.push(Diagnostic::warning(
        &request.path,
        None,
        format!(
            "spec.source.plugin.name: {field} is rendered natively; write spec.source.{field}: {{}} instead{unused}"
        ),
    ));
    Some(native)
}
