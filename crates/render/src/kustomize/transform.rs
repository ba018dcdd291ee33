//! The transformers that write one thing to the fields their specs name: names, namespace, labels, annotations, images, replicas.

use pintle_yaml::{Node, Scalar, Tag};

use super::error::{Failure, Reason, Result};
use super::fieldspec::{Create, FieldSpec, apply, apply_at};
use super::id::{Gvk, ResId};
use super::kustomization::{Image, Pairs, Replica};
use super::resource::Resource;
use super::selector::compile;
use super::shared::Step;

/// Which side of a name text is added to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Prefix,
    Suffix,
}

fn skips_names(id: &ResId) -> bool {
    match id.gvk.kind.as_str() {
        "CustomResourceDefinition" | "Namespace" => true,
        "APIService" => id.gvk.group == "apiregistration.k8s.io",
        _ => false,
    }
}

/// Adds a prefix or suffix to names.
pub(super) fn names(resources: &mut [Resource], side: Side, text: &str, specs: &[FieldSpec]) -> Result<()> {
    for resource in resources {
        let id = resource.original_id();
        if skips_names(&id) {
            continue;
        }
        for spec in specs.iter().filter(|s| id.gvk.is_selected(&s.gvk)) {
            if spec.path == "metadata/name" && !text.is_empty() {
                match side {
                    Side::Prefix => resource.prefixes.push(text.to_owned()),
                    Side::Suffix => resource.suffixes.push(text.to_owned()),
                }
                resource.store_previous_id();
            }
            apply(resource, spec, Create::Scalar, &mut |node| {
                let old = scalar(node)?;
                let new = match side {
                    Side::Prefix => format!("{text}{old}"),
                    Side::Suffix => format!("{old}{text}"),
                };
                put_plain(node, new);
                Ok(())
            })?;
        }
    }
    Ok(())
}

fn scalar(node: &Node) -> Result<&str> {
    node.text()
        .ok_or_else(|| Failure::invalid("wrong node kind: expected a scalar"))
}

/// Which subjects of role bindings get the namespace.
#[derive(Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
pub(super) enum Subjects {
    /// Those named `default`.
    #[default]
    #[serde(rename = "defaultOnly", alias = "")]
    Default,
    /// All service accounts.
    #[serde(rename = "allServiceAccounts")]
    ServiceAccounts,
    /// None.
    #[serde(rename = "none")]
    None,
}

/// Puts objects into a namespace.
pub(super) fn namespace(
    resources: &mut [Resource],
    namespace: &str,
    specs: &[FieldSpec],
    unset_only: bool,
    subjects: Subjects,
) -> Result<()> {
    if namespace.is_empty() {
        return Ok(());
    }
    let mut ids = std::collections::HashMap::new();
    for resource in resources.iter() {
        *ids.entry(key(&resource.id())).or_insert(0usize) += 1;
    }
    for resource in resources
        .iter_mut()
        .filter(|r| !r.node.is_nil_or_empty() && !r.from_chart)
    {
        let before = key(&resource.id());
        resource.store_previous_id();
        put_into(resource, namespace, specs, unset_only, subjects)?;
        let id = resource.id();
        if let Some(count) = ids.get_mut(&before) {
            *count -= 1;
        }
        let count = ids.entry(key(&id)).or_insert(0);
        *count += 1;
        if *count > 1 {
            return Err(Failure::new(
                Reason::Conflict,
                format!("namespace transformation produces ID conflict: {id}"),
            ));
        }
    }
    Ok(())
}

/// Puts one object into a namespace.
pub(super) fn put_into(
    resource: &mut Resource,
    namespace: &str,
    specs: &[FieldSpec],
    unset_only: bool,
    subjects: Subjects,
) -> Result<()> {
    let set = |node: &mut Node| -> Result<()> {
        let old = scalar(node).map_err(|e| e.within("namespace field specs must target scalar nodes"))?;
        if !unset_only || old.is_empty() || node.is_null() {
            put_over(node, Scalar::tagged(namespace, Tag::Str));
        }
        Ok(())
    };
    let gvk = resource.gvk();
    if !gvk.is_cluster_scoped() {
        let spec = FieldSpec {
            path: "metadata/namespace".into(),
            create: true,
            ..FieldSpec::default()
        };
        apply(resource, &spec, Create::Untyped, &mut |n| set(n))?;
    }
    let is_binding = |kind: &str| matches!(kind, "RoleBinding" | "ClusterRoleBinding");
    let binding = is_binding(&gvk.kind);
    if binding && let Some(list) = resource.node.get_mut("subjects") {
        bind(list, subjects, &mut |n| set(n))?;
    }
    for spec in specs {
        let hard_coded = spec.path == "metadata/namespace"
            || (spec.path == "metadata/name" && resource.api_version() != "v1")
            || (binding && spec.path == "subjects/namespace" && is_binding(&spec.gvk.kind));
        if !hard_coded {
            apply(resource, spec, Create::Scalar, &mut |n| set(n))?;
        }
    }
    Ok(())
}

fn key(id: &ResId) -> (Gvk, String, String) {
    (id.gvk.clone(), id.name.clone(), id.effective_namespace().to_owned())
}

fn bind(list: &mut Node, subjects: Subjects, set: &mut dyn FnMut(&mut Node) -> Result<()>) -> Result<()> {
    let (field, wanted) = match subjects {
        Subjects::Default => ("name", "default"),
        Subjects::ServiceAccounts => ("kind", "ServiceAccount"),
        Subjects::None => return Ok(()),
    };
    let wrong = |what: &str| {
        Failure::invalid(format!(
            "setting namespace on role binding subjects: wrong node kind: {what}"
        ))
    };
    let items = match list {
        Node::Seq(items) => items,
        list if list.is_null() => return Ok(()),
        _ => return Err(wrong("`subjects` is no list")),
    };
    for item in items.iter_mut().filter(|item| !item.is_null()) {
        if !matches!(item, Node::Map(_)) {
            return Err(wrong("a subject is no map"));
        }
        let is_wanted = match item.get(field) {
            Some(Node::Scalar(scalar)) => scalar.tag != Tag::Null && scalar.text == wanted,
            Some(_) => return Err(wrong("the name or kind of a subject is no scalar")),
            None => false,
        };
        if is_wanted {
            if item.get("namespace").is_none() {
                item.set("namespace", Node::Scalar(Scalar::open("")));
            }
            item.get_mut("namespace").map_or(Ok(()), &mut *set)?;
        }
    }
    Ok(())
}

/// Sets labels or annotations.
pub(super) fn pairs(resources: &mut [Resource], pairs: &Pairs, specs: &[FieldSpec]) -> Result<()> {
    if pairs.is_empty() {
        return Ok(());
    }
    for resource in resources {
        for (key, value) in pairs {
            let mut added = Vec::new();
            for spec in specs {
                apply_at(resource, spec, Create::Map, &mut |node, steps| match node {
                    Node::Map(_) => {
                        if node.get(key).is_none() {
                            added.push([steps, &[Step::Key(key.clone())]].concat());
                        }
                        put(node, key, Scalar::string(value.clone()));
                        Ok(())
                    }
                    _ if node.is_null() => Ok(()),
                    _ => Err(Failure::invalid("wrong node kind: expected a map")),
                })?;
                resource.shared.spread(&mut resource.node);
            }
            resource.shared.add(Node::string(value.clone()), added);
        }
    }
    Ok(())
}

/// Puts text where a scalar is; it means what it looks like, unless it stands in quotes.
pub(super) fn put_plain(node: &mut Node, text: String) {
    put_over(node, Scalar::open(text));
}

fn put_over(node: &mut Node, new: Scalar) {
    match node {
        Node::Scalar(old) => old.put(new),
        other => *other = Node::Scalar(new),
    }
}

/// Sets a field of a map, in the quotes of the one that is there.
fn put(map: &mut Node, key: &str, value: Scalar) {
    map.put(key, value);
}

/// Rewrites images.
pub(super) fn images(resources: &mut [Resource], image: &Image, specs: &[FieldSpec]) -> Result<()> {
    let pattern = format!("^{}(:[a-zA-Z0-9_.{{}}-]*)?(@sha256:[a-zA-Z0-9_.{{}}-]*)?$", image.name);
    let pattern = compile(&pattern).map_err(|e| e.within("images"))?;
    let mut set = |node: &mut Node| -> Result<()> {
        let old = scalar(node)?;
        if pattern.is_match(old) {
            let new = with_image(old, image);
            put_plain(node, new);
        }
        Ok(())
    };
    for resource in resources.iter_mut().filter(|r| r.kind() != "CustomResourceDefinition") {
        containers(&mut resource.node, &mut set).map_err(|e| e.within(resource.id()))?;
    }
    for resource in resources.iter_mut().filter(|r| r.kind() != "CustomResourceDefinition") {
        for spec in specs {
            apply(resource, spec, Create::Nothing, &mut set)?;
        }
    }
    Ok(())
}

/// Calls `set` on the image of every element of a list called `containers` or `initContainers`, wherever it stands.
fn containers(node: &mut Node, set: &mut dyn FnMut(&mut Node) -> Result<()>) -> Result<()> {
    match node {
        Node::Map(fields) => {
            for (key, value) in fields {
                containers(value, set)?;
                let Node::Seq(items) = value else { continue };
                if !matches!(key.as_str(), "containers" | "initContainers") {
                    continue;
                }
                for item in items.iter_mut().filter(|item| !item.is_null()) {
                    if !matches!(item, Node::Map(_)) {
                        return Err(Failure::invalid(format!(
                            "wrong node kind: an element of `{key}` is no map"
                        )));
                    }
                    item.get_mut("image").map_or(Ok(()), &mut *set)?;
                }
            }
            Ok(())
        }
        Node::Seq(items) => items.iter_mut().try_for_each(|item| containers(item, set)),
        Node::Scalar(_) => Ok(()),
    }
}

fn with_image(old: &str, image: &Image) -> String {
    let (name, mut tag, mut digest) = split_image(old);
    let name = if image.new_name.is_empty() {
        name
    } else {
        &image.new_name
    };
    let suffixed;
    match (image.new_tag.as_str(), image.digest.as_str()) {
        ("", "") if !image.tag_suffix.is_empty() => {
            suffixed = format!("{tag}{}", image.tag_suffix);
            (tag, digest) = (&suffixed, "");
        }
        ("", "") => {}
        (new_tag, new_digest) => (tag, digest) = (new_tag, new_digest),
    }
    let mut out = name.to_owned();
    for (mark, part) in [(":", tag), ("@", digest)] {
        if !part.is_empty() {
            out.push_str(mark);
            out.push_str(part);
        }
    }
    out
}

/// Name, tag and digest of an image; a colon before the first `/` is a port.
pub(super) fn split_image(image: &str) -> (&str, &str, &str) {
    let from = image.find('/').filter(|at| *at > 0).unwrap_or(0);
    let find = |c: char| image.get(from..).and_then(|rest| rest.find(c)).map(|at| at + from);
    let part = |range: std::ops::Range<usize>| image.get(range).unwrap_or_default();
    match (find('@'), find(':')) {
        (None, None) => (image, "", ""),
        (Some(at), colon) if colon.is_none_or(|c| at < c) => (part(0..at), "", part(at + 1..image.len())),
        (Some(at), Some(colon)) => (part(0..colon), part(colon + 1..at), part(at + 1..image.len())),
        (_, Some(colon)) => (part(0..colon), part(colon + 1..image.len()), ""),
        (Some(at), None) => (part(0..at), "", part(at + 1..image.len())),
    }
}

/// Sets replica counts.
pub(super) fn replicas(resources: &mut [Resource], replica: &Replica, specs: &[FieldSpec]) -> Result<()> {
    let mut found = false;
    for spec in specs {
        for resource in resources.iter_mut() {
            if !resource.any_id(|id| id.name == replica.name && id.gvk.is_selected(&spec.gvk)) {
                continue;
            }
            found = true;
            apply(resource, spec, Create::Scalar, &mut |node| {
                let count = Scalar::tagged(replica.count.to_string(), Tag::Int);
                let Node::Scalar(scalar) = node else {
                    return Err(Failure::invalid("wrong node kind: expected a scalar"));
                };
                scalar.put(count);
                Ok(())
            })?;
        }
    }
    if found {
        return Ok(());
    }
    Err(Failure::new(
        Reason::NoMatch,
        format!(
            "resource with name {} does not match a config for replicas: no object of that name has a replica count",
            replica.name
        ),
    ))
}
