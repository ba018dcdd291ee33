//! Patches: strategic merge and JSON 6902, inline or from files, with and without targets.

use std::collections::HashSet;

use pintle_model::Value;
use pintle_yaml::{Node, Scalar, Yaml};

use super::error::{Failure, Reason, Result};
use super::kustomization::{Patch, Selector};
use super::loader::Loader;
use super::merge;
use super::resmap::{ensure_unique, find_one};
use super::resource::Resource;
use super::selector::Compiled;
use super::shared::Shared;

/// Applies one entry of `patches`.
pub(super) fn apply(loader: &Loader<'_, '_, '_>, resources: &mut Vec<Resource>, patch: &Patch) -> Result<()> {
    let inline = patch.patch.trim();
    let (text, source) = match (inline.is_empty(), patch.path.is_empty()) {
        (true, true) => return Err(Failure::invalid("patches: must specify one of patch and path")),
        (false, false) => {
            return Err(Failure::invalid(
                "patches: patch and path can't be set at the same time",
            ));
        }
        (false, true) => (inline.to_owned(), "an inline patch".to_owned()),
        (true, false) => {
            let text = loader
                .load_text(&patch.path)
                .map_err(|e| e.within(format_args!("failed to get the patch file from path({})", patch.path)))?;
            (text, format!("patch {}", patch.path))
        }
    };
    let merges = loader.parse(&text);
    let operations = json_operations(&text);
    let merges = match (merges, operations) {
        (Ok(m), Ok(ops)) if !m.is_empty() && !ops.is_empty() => {
            return Err(Failure::invalid(format!(
                "{source} qualifies as both a strategic merge and a JSON patch"
            )));
        }
        (Ok(m), _) => m,
        (Err(_), Ok(ops)) => {
            return json_patch(resources, patch.target.as_ref(), &ops, true).map_err(|e| e.within(source));
        }
        (Err(e), Err(_)) => {
            let message = format!("unable to parse SM or JSON patch: {}", e.message);
            return Err(Failure::invalid(message).within(source));
        }
    };
    merge_patches(loader, resources, patch, merges).map_err(|e| e.within(source))
}

fn merge_patches(
    loader: &Loader<'_, '_, '_>,
    resources: &mut Vec<Resource>,
    patch: &Patch,
    mut merges: Vec<Resource>,
) -> Result<()> {
    let options = patch.options.clone().unwrap_or_default();
    for one in &mut merges {
        one.allow_name_change = options.allow_name_change;
        one.allow_kind_change = options.allow_kind_change;
        // Kustomize notes that in the patch's annotations: they delete nothing then.
        let metadata = one.node.get_mut("metadata");
        if (options.allow_name_change || options.allow_kind_change)
            && let Some(metadata) = metadata
            && metadata.get("annotations").is_some_and(Node::is_null)
        {
            metadata.remove("annotations");
        }
    }
    let Some(target) = &patch.target else {
        for one in &merges {
            let at = find_one(resources, &one.id())
                .map_err(|e| e.within(format_args!("no resource matches strategic merge patch {}", one.id())))?;
            if let Some(resource) = resources.get_mut(at) {
                merge_one(loader, resource, one.node.clone(), one)?;
            }
        }
        return Ok(());
    };
    let [one] = merges.as_slice() else {
        if merges.is_empty() {
            return Ok(());
        }
        return Err(Failure::invalid(
            "several strategic merge patches in one entry cannot have a target: split the entry",
        ));
    };
    let selector = Compiled::new(target)?;
    let mut chosen = HashSet::new();
    for resource in resources.iter() {
        if selector.fits_resource(resource)? {
            chosen.insert(resource.id());
        }
    }
    merge_into(loader, resources, one, |r| chosen.contains(&r.id()))
}

/// Merges a patch into the chosen objects and drops what it deletes.
fn merge_into(
    loader: &Loader<'_, '_, '_>,
    resources: &mut Vec<Resource>,
    patch: &Resource,
    chosen: impl Fn(&Resource) -> bool,
) -> Result<()> {
    for resource in resources.iter_mut().filter(|r| chosen(r)) {
        let mut copy = patch.clone();
        // Kustomize writes labels and annotations of the patch anew, as text.
        for field in ["labels", "annotations"] {
            let map = copy.metadata_map(field);
            copy.set_metadata_map(field, &map);
        }
        copy.node.put("apiVersion", Scalar::open(resource.api_version()));
        merge_one(loader, resource, copy.node, patch)?;
        // Nothing is merged as text, and printed as nothing.
        if resource.api_version().is_empty() && !resource.node.is_nil_or_empty() {
            resource.node.set("apiVersion", Node::plain(""));
        }
    }
    resources.retain(|r| !r.node.is_nil_or_empty());
    ensure_unique(resources)
}

fn merge_one(loader: &Loader<'_, '_, '_>, resource: &mut Resource, patch: Node, options: &Resource) -> Result<()> {
    let (name, namespace, kind) = (
        resource.name().to_owned(),
        resource.namespace().to_owned(),
        resource.kind().to_owned(),
    );
    if options.allow_name_change || options.allow_kind_change {
        resource.store_previous_id();
        resource.allow_name_change |= options.allow_name_change;
        resource.allow_kind_change |= options.allow_kind_change;
    }
    let id = resource.id();
    forget_replaced(&patch, &mut Vec::new(), &mut resource.shared);
    let node = std::mem::replace(&mut resource.node, Node::null());
    let Some(merged) = merge::merge(node, patch, &loader.schema()).map_err(|e| e.within(id))? else {
        return Ok(());
    };
    resource.node = merged;
    if resource.node.is_nil_or_empty() {
        return Ok(());
    }
    if !options.allow_kind_change {
        resource.node.put("kind", Scalar::open(kind));
    }
    if !options.allow_name_change {
        resource.set_name(&name);
    }
    resource.set_namespace(&namespace);
    resource.shared.spread(&mut resource.node);
    Ok(())
}

/// Fields below a map or list that a patch replaces are the patch's own.
fn forget_replaced(patch: &Node, path: &mut Vec<String>, shared: &mut Shared) {
    let replaces = |map: &Node| map.get("$patch").and_then(Node::text) == Some("replace");
    if replaces(patch) || patch.items().iter().any(replaces) {
        shared.forget(path);
        return;
    }
    for (key, value) in patch.fields() {
        path.push(key.clone());
        forget_replaced(value, path, shared);
        path.pop();
    }
}

/// Applies `patchesStrategicMerge`: each entry is a patch or the path of one. A plugin may bring another text with patches.
pub(super) fn apply_legacy_merges(
    loader: &Loader<'_, '_, '_>,
    resources: &mut Vec<Resource>,
    entries: &[String],
    text: &str,
) -> Result<()> {
    if entries.is_empty() && text.is_empty() {
        return Ok(());
    }
    let mut patches = Vec::new();
    for entry in entries {
        match loader.parse(entry) {
            Ok(inline) => patches.extend(inline),
            Err(_) => patches.extend(loader.parse(&loader.load_text(entry)?).map_err(|e| e.within(entry))?),
        }
    }
    patches.extend(loader.parse(text)?);
    if patches.is_empty() {
        return Err(Failure::invalid(
            "patchesStrategicMerge: the patches appear to be empty",
        ));
    }
    for patch in &patches {
        let at = find_one(resources, &patch.id())?;
        let id = resources.get(at).map(Resource::id);
        merge_into(loader, resources, patch, |r| Some(r.id()) == id)?;
    }
    Ok(())
}

/// Applies one entry of `patchesJson6902`.
pub(super) fn apply_legacy_json(loader: &Loader<'_, '_, '_>, resources: &mut [Resource], patch: &Patch) -> Result<()> {
    if patch.target.as_ref().is_none_or(|t| t.name.is_empty()) {
        return Err(Failure::invalid("patchesJson6902: must specify the target name"));
    }
    let text = match (patch.path.is_empty(), patch.patch.is_empty()) {
        (true, true) => return Err(Failure::invalid("patchesJson6902: empty file path and empty patch")),
        (false, false) => {
            return Err(Failure::invalid(
                "patchesJson6902: must specify a file path or a patch, not both",
            ));
        }
        (false, true) => loader.load_text(&patch.path)?,
        (true, false) => patch.patch.clone(),
    };
    let operations = json_operations(&text).map_err(|e| e.within("patchesJson6902"))?;
    if operations.is_empty() {
        return Err(Failure::invalid("patchesJson6902: the patch appears to be empty"));
    }
    json_patch(resources, patch.target.as_ref(), &operations, false)
}

/// The operations of a JSON patch, written as JSON or YAML. What begins as a list of JSON has to be one to its end.
fn json_operations(text: &str) -> Result<Vec<Value>> {
    if text.is_empty() {
        return Err(Failure::invalid("empty json patch operations"));
    }
    let no_list = || Failure::invalid("a JSON patch is a list of operations");
    if text.starts_with('[') {
        let json = Value::from_json(text.as_bytes()).map_err(|e| {
            Failure::invalid(format!(
                "a patch that begins with [ has to be JSON: {e}; quote its keys and texts, or write it as YAML with a line for each operation"
            ))
        })?;
        let operations = json.as_list().filter(|l| l.iter().all(|o| o.as_map().is_some()));
        return Ok(operations.ok_or_else(no_list)?.to_vec());
    }
    let yaml = pintle_yaml::parse(text).map_err(|e| Failure::invalid(e.to_string()))?;
    match yaml {
        Yaml::Null => Ok(Vec::new()),
        Yaml::Seq(items) if items.iter().all(|i| matches!(i, Yaml::Map(_))) => {
            Ok(items.into_iter().map(Value::from).collect())
        }
        _ => Err(no_list()),
    }
}

fn json_patch(resources: &mut [Resource], target: Option<&Selector>, operations: &[Value], store: bool) -> Result<()> {
    let target = target.ok_or_else(|| Failure::invalid("must specify a target for a JSON patch"))?;
    let selector = Compiled::new(target)?;
    let operations = Value::list(operations.to_vec());
    let mut chosen = Vec::with_capacity(resources.len());
    for resource in resources.iter() {
        chosen.push(selector.fits_resource(resource)?);
    }
    for (resource, _) in resources.iter_mut().zip(chosen).filter(|(_, chosen)| *chosen) {
        if store {
            resource.store_previous_id();
        }
        let id = resource.id();
        let fail = |e: String| Failure::new(Reason::NoMatch, format!("{id}: {e}"));
        let mut node = std::mem::replace(&mut resource.node, Node::null());
        // The notes that Kustomize keeps in annotations make the field exist while the patch runs.
        let noted = resource.has_notes() && node.get("metadata").is_some_and(|m| m.get("annotations").is_none());
        if noted && let Some(metadata) = node.get_mut("metadata") {
            metadata.set("annotations", Node::Map(Vec::new()));
        }
        let before = node.to_yaml().map_err(|e| Failure::invalid(format!("{id}: {e}")))?;
        let after =
            pintle_merge::json_patch::apply(&Value::from(before), &operations).map_err(|e| fail(e.to_string()))?;
        node = Node::from(&Yaml::from(&after));
        if !matches!(node, Node::Map(_)) {
            return Err(fail("what the patch leaves is no object".into()));
        }
        if noted
            && let Some(metadata) = node.get_mut("metadata")
            && metadata.get("annotations").is_some_and(Node::is_nil_or_empty)
        {
            metadata.remove("annotations");
        }
        resource.node = node;
        resource.shared.clear();
        if store {
            // Kustomize puts its notes back, and with them writes all annotations anew: what is no map is none.
            resource.settle_annotations()?;
            let annotations = resource.metadata_map("annotations");
            resource.set_metadata_map("annotations", &annotations);
        }
    }
    Ok(())
}
