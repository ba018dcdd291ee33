//! `.argocd-source.yaml` and `.argocd-source-<application>.yaml`: fields of the source that stand beside the manifests [F4.2].

use pintle_model::application::Source;
use pintle_model::tree::{EntryKind, Reader, TreePath};
use serde_json::Value;

use crate::request::Recorder;
use crate::{Diagnostic, RenderRequest};

/// Bytes of one such file: it holds a few fields.
const MAX_BYTES: u64 = 1 << 20;

/// The source with both files merged over it. What it is read from — URL, path, chart and revision — cannot be changed by them.
pub(super) fn merged(
    reader: &Reader<'_>,
    request: &RenderRequest,
    recorder: &Recorder<'_>,
) -> Result<Source, Diagnostic> {
    let own = own(request);
    let mut merged = request.source.clone();
    for name in [".argocd-source.yaml", own.as_str()] {
        let path = request.path.child(name);
        let failed = |message: String| Diagnostic::error(&path, None, message);
        if reader.kind(&path).map_err(|e| failed(e.to_string()))? != Some(EntryKind::File) {
            continue;
        }
        if name == own {
            recorder.application();
        }
        let Some(file) = reader.file(&path, MAX_BYTES).map_err(|e| failed(e.to_string()))? else {
            continue;
        };
        let text = std::str::from_utf8(&file.bytes).map_err(|_| failed("not UTF-8 text".into()))?;
        let yaml = pintle_yaml::parse(text).map_err(|e| failed(e.to_string()))?;
        let patch = pintle_model::to_json_string(&pintle_model::Value::from(yaml));
        let patch: Value = serde_json::from_str(&patch).map_err(|e| failed(e.to_string()))?;
        let mut fields = serde_json::to_value(&merged).map_err(|e| failed(e.to_string()))?;
        merge(&mut fields, patch);
        merged = serde_json::from_value(fields)
            .map_err(|e| failed(format!("its fields are not those of an Application's source: {e}")))?;
    }
    let source = &request.source;
    merged.chart.clone_from(&source.chart);
    merged.path.clone_from(&source.path);
    merged.repo_url.clone_from(&source.repo_url);
    merged.target_revision.clone_from(&source.target_revision);
    Ok(merged)
}

fn own(request: &RenderRequest) -> String {
    format!(".argocd-source-{}.yaml", request.app.instance)
}

/// Where fields may stand for this application alone.
pub fn own_fields(request: &RenderRequest) -> TreePath {
    request.path.child(&own(request))
}

/// A JSON merge patch (RFC 7386). The depth is bounded by the YAML reader.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(fields) = target else { return };
    for (key, value) in patch {
        if value.is_null() {
            fields.remove(&key);
        } else {
            merge(fields.entry(key).or_insert(Value::Null), value);
        }
    }
}
