//! Replacements: a field of one object, or a value, is written to fields of others.

use std::borrow::Cow;

use pintle_yaml::{Node, Scalar, Tag, Yaml};

use super::decode::{Form, decode_yaml};
use super::error::{Failure, Reason, Result};
use super::fieldspec::{names_element, split_path};
use super::id::{Gvk, ResId};
use super::kustomization::{FieldOptions, ReplacementField, Source, Target};
use super::loader::Loader;
use super::resource::Resource;
use super::selector::{Compiled, compile};

/// Applies every replacement in order.
pub(super) fn apply_all(
    loader: &Loader<'_, '_, '_>,
    resources: &mut [Resource],
    entries: &[ReplacementField],
) -> Result<()> {
    for entry in entries {
        if entry.path.is_empty() {
            apply(resources, entry)?;
            continue;
        }
        if entry.source.is_some() || entry.targets.as_ref().is_some_and(|t| !t.is_empty()) {
            return Err(Failure::invalid(
                "replacements: cannot specify both path and inline replacement",
            ));
        }
        let text = loader.load_text(&entry.path)?;
        let yaml = pintle_yaml::parse(&text).map_err(|e| Failure::invalid(e.to_string()).within(&entry.path))?;
        let list: Vec<ReplacementField> = match yaml {
            Yaml::Seq(_) => decode_yaml(yaml, Form::PLUGIN),
            Yaml::Map(_) => decode_yaml(yaml, Form::PLUGIN).map(|one| vec![one]),
            _ => Err(Failure::invalid(
                "a file of replacements holds one replacement or a list",
            )),
        }
        .map_err(|e| e.within(&entry.path))?;
        for one in &list {
            apply(resources, one).map_err(|e| e.within(&entry.path))?;
        }
    }
    Ok(())
}

fn apply(resources: &mut [Resource], entry: &ReplacementField) -> Result<()> {
    let Some(targets) = &entry.targets else {
        return Err(Failure::invalid(
            "replacements must specify a source and at least one target",
        ));
    };
    let (mut value, place) = match (&entry.source, &entry.source_value) {
        (Some(_), Some(_)) => return Err(Failure::invalid("value and resource selectors are mutually exclusive")),
        (None, None) => {
            return Err(Failure::invalid(
                "replacements must specify a source and at least one target",
            ));
        }
        (None, Some(value)) => (Node::Scalar(Scalar::open(value.clone())), None),
        (Some(source), None) => read(resources, source)?,
    };
    targets
        .iter()
        .try_for_each(|target| write(resources, target, &mut value, place.as_ref()))
}

fn no_match(message: impl Into<String>) -> Failure {
    Failure::new(Reason::NoMatch, message)
}

/// Where a value was found: the number of the object, and the path in it.
type Place = (usize, Vec<String>);

/// The value of a source, and its place if it is the field as a whole: a target that changes that field changes the value too.
fn read(resources: &[Resource], source: &Source) -> Result<(Node, Option<Place>)> {
    let wanted = ResId {
        gvk: Gvk {
            group: source.group.clone(),
            version: source.version.clone(),
            kind: source.kind.clone(),
            ..Gvk::default()
        },
        name: source.name.clone(),
        namespace: source.namespace.clone(),
    };
    let mut found = resources
        .iter()
        .enumerate()
        .filter(|(_, r)| r.any_id(|id| is_meant(&wanted, id)));
    let (at, object) = found
        .next()
        .ok_or_else(|| no_match(format!("replacements: nothing selected by {wanted}")))?;
    if found.next().is_some() {
        return Err(no_match(format!(
            "replacements: multiple matches for selector {wanted}"
        )));
    }
    let path = if source.field_path.is_empty() {
        "metadata.name"
    } else {
        &source.field_path
    };
    let missing = || no_match(format!("fieldPath `{path}` is missing for replacement source {wanted}"));
    let parts = split_fields(path).into_iter().map(|part| part.trim().to_owned());
    let parts: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
    let here = seen(object, &parts).ok_or_else(missing)?;
    if here.is_nil_or_empty() {
        return Err(missing());
    }
    let Some(options) = source.options.as_ref().filter(|o| !o.delimiter.is_empty()) else {
        return Ok((here.into_owned(), Some((at, by_number(&object.node, &parts)))));
    };
    let Node::Scalar(scalar) = &*here else {
        return Err(Failure::invalid("delimiter option can only be used with scalar nodes"));
    };
    let index = usize::try_from(options.index).ok();
    let part = index
        .and_then(|i| scalar.text.split(options.delimiter.as_str()).nth(i))
        .ok_or_else(|| {
            no_match(format!(
                "options.index {} is out of bounds for `{path}` of {wanted}",
                options.index
            ))
        })?;
    let part = Scalar {
        text: part.to_owned(),
        ..scalar.clone()
    };
    Ok((Node::Scalar(part), None))
}

/// What a source's path leads to. Annotations as a whole have Kustomize's notes in them.
fn seen<'r>(object: &'r Resource, parts: &[String]) -> Option<Cow<'r, Node>> {
    if has_notes_inside(parts) && object.has_notes() {
        let mut object = object.clone();
        object.show_notes();
        return look(&object.node, parts).cloned().map(Cow::Owned);
    }
    look(&object.node, parts).map(Cow::Borrowed)
}

fn look<'n>(object: &'n Node, parts: &[String]) -> Option<&'n Node> {
    parts.iter().try_fold(object, |node, part| step(node, part))
}

/// The same path with elements of lists by their numbers: it leads to the same place when a target has changed what an element was found by.
fn by_number(object: &Node, parts: &[String]) -> Vec<String> {
    let mut here = Some(object);
    let numbered = parts.iter().map(|part| {
        let node = here;
        here = node.and_then(|node| step(node, part));
        let items = node.map(Node::items).unwrap_or_default();
        let at = here.and_then(|here| items.iter().position(|item| std::ptr::eq(item, here)));
        at.map_or_else(|| part.clone(), |at| at.to_string())
    });
    numbered.collect()
}

fn has_notes_inside(path: &[String]) -> bool {
    path.is_empty() || path == ["metadata"] || path == ["metadata", "annotations"]
}

/// Whether a source selects an id. Here Kustomize takes every object for namespaced.
fn is_meant(wanted: &ResId, id: &ResId) -> bool {
    let or_default = |namespace: &str| match namespace {
        "" => "default".to_owned(),
        other => other.to_owned(),
    };
    (wanted.namespace.is_empty() || or_default(&wanted.namespace) == or_default(&id.namespace))
        && (wanted.name.is_empty() || wanted.name == id.name)
        && id.gvk.is_selected(&wanted.gvk)
}

/// One step of a source's path.
fn step<'n>(node: &'n Node, part: &str) -> Option<&'n Node> {
    if let Some(inner) = part.strip_prefix('[').and_then(|p| p.strip_suffix(']')) {
        let (key, value) = inner.split_once('=')?;
        return node.items().iter().find(|i| match key {
            "" => i.text() == Some(value),
            _ => i.get(key).and_then(Node::text) == Some(value),
        });
    }
    match node {
        Node::Seq(items) if part == "-" => items.last(),
        Node::Seq(items) => items.get(part.parse::<usize>().ok()?),
        Node::Map(_) if names_element(part) => None,
        other => other.get(part),
    }
}

/// The parts of `a.b.[name=x.y].c`: points in brackets do not split.
pub(super) fn split_fields(path: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut parts = split_path(path, '.').into_iter();
    while let Some(mut part) = parts.next() {
        if !part.starts_with('[') || part.ends_with(']') {
            out.push(part);
            continue;
        }
        for more in parts.by_ref() {
            part.push('.');
            part.push_str(&more);
            if more.ends_with(']') {
                break;
            }
        }
        if part.contains('=') {
            out.push(part);
        } else {
            out.push(part.trim_matches(['[', ']']).to_owned());
        }
    }
    out
}

fn write(resources: &mut [Resource], target: &Target, value: &mut Node, place: Option<&Place>) -> Result<()> {
    let Some(select) = &target.select else {
        return Err(Failure::invalid(
            "replacements: target must specify resources to select",
        ));
    };
    let selector = Compiled::new(select)?;
    let rejects: Vec<Compiled> = target.reject.iter().map(Compiled::new).collect::<Result<_>>()?;
    let default = ["metadata.name".to_owned()];
    let paths: &[String] = if target.field_paths.is_empty() {
        &default
    } else {
        &target.field_paths
    };
    let paths: Vec<FieldPath<'_>> = paths.iter().map(|text| FieldPath::new(text)).collect();
    for (number, resource) in resources.iter_mut().enumerate() {
        let mut is_rejected = !selector.fits_labels(resource)?;
        for reject in rejects.iter().filter(|r| r.has_labels()) {
            is_rejected |= reject.fits_labels(resource)?;
        }
        if is_rejected {
            continue;
        }
        if rejects
            .iter()
            .any(|r| !r.has_no_id() && resource.any_id(|id| r.fits_id(id)))
        {
            continue;
        }
        if !resource.any_id(|id| selector.fits_id(id)) {
            continue;
        }
        let id = resource.id();
        for path in &paths {
            let replaces_notes = has_notes_inside(&path.parts);
            if replaces_notes {
                resource.show_notes();
            }
            let here = place.filter(|(at, _)| *at == number).map(|(_, parts)| parts);
            if let Some(parts) = here
                && target.options.as_ref().is_some_and(|o| o.create)
            {
                // What is made for the value may be made inside of it.
                make_field(&mut resource.node, path, value)
                    .map_err(|e| e.within(format_args!("replacement in {id}")))?;
                if let Some(changed) = seen(resource, parts) {
                    *value = changed.into_owned();
                }
            }
            let is_new = write_field(&mut resource.node, path, value, target.options.as_ref())
                .map_err(|e| e.within(format_args!("replacement in {id}")))?;
            if is_new {
                resource.shared.forget(&path.parts);
            }
            resource.shared.spread(&mut resource.node);
            if replaces_notes {
                resource.hide_notes();
            }
            if let Some(parts) = here
                && let Some(changed) = seen(resource, parts)
            {
                *value = changed.into_owned();
            }
        }
    }
    Ok(())
}

/// A path of a target: as it is written, and its parts.
struct FieldPath<'t> {
    text: &'t str,
    parts: Vec<String>,
}

impl<'t> FieldPath<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            text,
            parts: split_fields(text),
        }
    }

    fn visit(&self, node: &mut Node, create: Option<&Node>, set: &mut Set<'_>) -> Result<()> {
        visit(node, &self.parts, create, set).map_err(|e| e.within(format_args!("field {:?}", self.text)))
    }
}

/// Whether a field was written anew, and not changed in place, as a scalar is.
fn write_field(node: &mut Node, path: &FieldPath<'_>, value: &Node, options: Option<&FieldOptions>) -> Result<bool> {
    let create = options.is_some_and(|o| o.create).then(|| empty_like(value));
    let mut count = 0usize;
    let mut is_new = false;
    path.visit(node, create.as_ref(), &mut |field| {
        count += 1;
        is_new |= !matches!(field, Node::Scalar(_));
        set(field, value, options)
    })?;
    if count == 0 {
        let verb = if create.is_some() { "find or create" } else { "find" };
        return Err(no_match(format!(
            "unable to {verb} field {:?} in replacement target",
            path.text
        )));
    }
    Ok(is_new)
}

/// Makes what `create` makes on the way to a field, and leaves the field itself empty.
fn make_field(node: &mut Node, path: &FieldPath<'_>, value: &Node) -> Result<()> {
    path.visit(node, Some(&empty_like(value)), &mut |_| Ok(()))
}

/// What is created where a value will go: an empty node of its kind.
fn empty_like(value: &Node) -> Node {
    match value {
        Node::Scalar(_) => Node::Scalar(Scalar::open("")),
        Node::Seq(_) => Node::Seq(Vec::new()),
        Node::Map(_) => Node::Map(Vec::new()),
    }
}

fn set(field: &mut Node, value: &Node, options: Option<&FieldOptions>) -> Result<()> {
    let delimiter = options.filter(|o| !o.delimiter.is_empty());
    let text = match (delimiter, &*field) {
        (None, _) => value.text().unwrap_or_default().to_owned(),
        (Some(options), Node::Scalar(old)) => {
            let new = value.text().unwrap_or_default();
            let mut parts: Vec<&str> = old.text.split(options.delimiter.as_str()).collect();
            match usize::try_from(options.index) {
                Err(_) => parts.insert(0, new),
                Ok(at) => match parts.get_mut(at) {
                    Some(part) => *part = new,
                    None => parts.push(new),
                },
            }
            parts.join(&options.delimiter)
        }
        (Some(_), _) => return Err(Failure::invalid("delimiter option can only be used with scalar nodes")),
    };
    match field {
        // A scalar keeps its type; one that was just made has no type yet.
        Node::Scalar(scalar) => scalar.text = text,
        other => *other = value.clone(),
    }
    Ok(())
}

type Set<'f> = dyn FnMut(&mut Node) -> Result<()> + 'f;

/// Calls `set` on every node that a path leads to. `create` is put where the last step leads nowhere.
fn visit(node: &mut Node, path: &[String], create: Option<&Node>, set: &mut Set<'_>) -> Result<()> {
    let Some((part, rest)) = path.split_first() else {
        return set(node);
    };
    let made = || {
        create.map(|last| match rest.first() {
            None => last.clone(),
            Some(next) if next.starts_with('[') || number(next).is_some() => Node::Seq(Vec::new()),
            Some(_) => Node::Map(Vec::new()),
        })
    };
    if let Node::Scalar(scalar) = node
        && scalar.tag != Tag::Null
    {
        return inside_text(scalar, path, create, set);
    }
    if let Node::Scalar(null) = node
        && create.is_some()
        && !null.text.is_empty()
    {
        // Kustomize reads the word `null` as a document of its own, and creates the rest of the path in that.
        let mut aside = match part.as_str() {
            "*" => return Ok(()),
            part if part.starts_with('[') || number(part).is_some() => Node::Seq(Vec::new()),
            _ => Node::Map(Vec::new()),
        };
        return visit(&mut aside, path, create, set);
    }
    let not_list = || Failure::invalid(format!("wrong node kind: {part:?} needs a list"));
    if let (Some(index), Node::Seq(items)) = (number(part), &mut *node) {
        if items.len() == index
            && let Some(made) = made()
        {
            items.push(made);
        }
        let count = items.len();
        let item = items
            .get_mut(index)
            .ok_or_else(|| no_match(format!("index {index} specified but only {count} elements found")))?;
        return visit(item, rest, create, set);
    }
    if part == "*" {
        let Node::Seq(items) = node else { return Err(not_list()) };
        return items.iter_mut().try_for_each(|item| visit(item, rest, create, set));
    }
    if let Some(inner) = part.strip_prefix('[').and_then(|p| p.strip_suffix(']')) {
        let Node::Seq(items) = node else { return Err(not_list()) };
        let (key, pattern) = inner
            .split_once('=')
            .ok_or_else(|| Failure::invalid(format!("{part:?} is no [key=value]")))?;
        let regex = compile(pattern)?;
        let fits = |item: &Node| {
            let value = if key.is_empty() { Some(item) } else { item.get(key) };
            value.is_some_and(|value| regex.is_match(&written(value)))
        };
        if create.is_some() && !items.iter().any(fits) {
            items.push(match key {
                "" => Node::plain(pattern),
                _ => Node::Map(vec![(key.to_owned(), Node::plain(pattern))]),
            });
        }
        return items.iter_mut().filter(|i| fits(i)).try_for_each(|item| match key {
            "" => set(item),
            _ => visit(item, rest, create, set),
        });
    }
    match node {
        Node::Map(_) if number(part).is_some() => Err(not_list()),
        Node::Map(_) if part.is_empty() => Err(Failure::invalid("a field without a name in the path")),
        Node::Map(_) => {
            if node.get(part).is_none()
                && let Some(made) = made()
            {
                node.set(part, made);
            }
            node.get_mut(part)
                .map_or(Ok(()), |field| visit(field, rest, create, set))
        }
        Node::Seq(_) => Err(Failure::invalid(format!("wrong node kind: {part:?} needs a map"))),
        Node::Scalar(_) => Ok(()),
    }
}

/// A value as it stands in a file, which Kustomize compares with patterns: with its quotes, and a map or list as YAML.
fn written(value: &Node) -> Cow<'_, str> {
    match value {
        Node::Scalar(scalar) if scalar.quoted => Cow::Owned(format!("\"{}\"", scalar.text)),
        Node::Scalar(scalar) => Cow::Borrowed(&scalar.text),
        other => {
            let yaml = other.to_yaml().map(|yaml| pintle_yaml::to_string(&yaml));
            Cow::Owned(yaml.unwrap_or_default().trim().to_owned())
        }
    }
}

/// The index that a part of a path is, as Go's `Atoi` reads one: `+1` and `-0` too.
fn number(part: &str) -> Option<usize> {
    usize::try_from(part.parse::<i64>().ok()?).ok()
}

/// A path that goes on inside a field's text, which then holds JSON.
fn inside_text(scalar: &mut Scalar, path: &[String], create: Option<&Node>, set: &mut Set<'_>) -> Result<()> {
    let text = scalar.text.trim_start();
    if !text.starts_with(['{', '[']) {
        let parsed = pintle_yaml::parse(&scalar.text);
        if matches!(parsed, Ok(Yaml::Map(_) | Yaml::Seq(_))) {
            return Err(Failure::new(
                Reason::Unsupported,
                "a replacement inside YAML text cannot be rendered natively yet; write the text as JSON",
            ));
        }
        return Err(Failure::invalid("wrong node kind: the path goes on below a scalar"));
    }
    let bad = |e: pintle_yaml::Error| Failure::invalid(e.to_string());
    let parsed = pintle_yaml::parse_node(&scalar.text, &pintle_yaml::Limits::default()).map_err(bad)?;
    let Some(mut node) = parsed else { return Ok(()) };
    visit(&mut node, path, create, set)?;
    let compact = pintle_yaml::to_json_string(&node.to_yaml().map_err(bad)?);
    let pretty = scalar.text.contains('\n') && scalar.text.contains("  ");
    scalar.text = if pretty { indented(&compact) } else { compact };
    Ok(())
}

/// JSON with two spaces per level, as Go's `MarshalIndent` writes it.
fn indented(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    let mut chars = json.chars().peekable();
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.push_str(&"  ".repeat(depth));
    };
    while let Some(c) = chars.next() {
        if quoted {
            out.push(c);
            quoted = escaped || c != '"';
            escaped = c == '\\' && !escaped;
            continue;
        }
        match c {
            '{' | '[' => {
                out.push(c);
                if matches!(chars.peek(), Some('}' | ']')) {
                    out.extend(chars.next());
                } else {
                    depth += 1;
                    line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            '"' => {
                quoted = true;
                out.push(c);
            }
            other => out.push(other),
        }
    }
    out
}
