//! One object of a build: its content, the ids it had, and what generators and transformers noted about it.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use pintle_yaml::{Limits, Node, Scalar, Tag, parse_node};

use super::error::{Failure, Result};
use super::id::{Gvk, NO_NAMESPACE, ResId, is_cluster_scoped};
use super::shared::Shared;

/// How a generated object meets one that is there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Behavior {
    #[default]
    Unspecified,
    Create,
    Replace,
    Merge,
}

impl Behavior {
    /// Reads the field `behavior`; whatever is no behaviour says nothing.
    pub fn of(text: &str) -> Self {
        match text {
            "create" => Self::Create,
            "replace" => Self::Replace,
            "merge" => Self::Merge,
            _ => Self::Unspecified,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::Create => "create",
            Self::Replace => "replace",
            Self::Merge => "merge",
        }
    }
}

/// An object under construction.
#[derive(Clone)]
pub(super) struct Resource {
    /// The content; `null` once a patch deleted the object.
    pub node: Node,
    /// Earlier namespaces (effective), names and kinds, oldest first.
    pub previous: Vec<(String, String, String)>,
    pub prefixes: Vec<String>,
    pub suffixes: Vec<String>,
    pub behavior: Behavior,
    pub needs_hash: bool,
    /// The object came out of a generator: it carries build annotations from its start.
    pub generated: bool,
    /// The object came out of a chart, which decides about namespaces.
    pub from_chart: bool,
    pub allow_name_change: bool,
    pub allow_kind_change: bool,
    /// Names of variables that read this object.
    pub vars: Vec<String>,
    /// Fields that are one and the same.
    pub shared: Shared,
    /// Kinds that a schema says to be cluster-scoped.
    pub scopes: Option<Arc<HashSet<(String, String)>>>,
}

impl Resource {
    pub fn new(node: Node) -> Self {
        Self {
            node,
            previous: Vec::new(),
            prefixes: Vec::new(),
            suffixes: Vec::new(),
            behavior: Behavior::default(),
            needs_hash: false,
            generated: false,
            from_chart: false,
            allow_name_change: false,
            allow_kind_change: false,
            vars: Vec::new(),
            shared: Shared::default(),
            scopes: None,
        }
    }

    pub fn kind(&self) -> &str {
        text_at(&self.node, &["kind"])
    }

    pub fn api_version(&self) -> &str {
        text_at(&self.node, &["apiVersion"])
    }

    pub fn name(&self) -> &str {
        self.metadata("name")
    }

    pub fn namespace(&self) -> &str {
        self.metadata("namespace")
    }

    /// A text of the metadata; a `null` is none.
    fn metadata(&self, field: &str) -> &str {
        metadata_of(&self.node, field)
    }

    pub fn gvk(&self) -> Gvk {
        self.gvk_of(self.kind())
    }

    fn gvk_of(&self, kind: &str) -> Gvk {
        let api_version = self.api_version();
        let mut gvk = Gvk::parse(api_version, kind);
        if let Some(scopes) = &self.scopes {
            gvk.said_cluster_scoped = scopes.contains(&(api_version.to_owned(), kind.to_owned()));
        }
        gvk
    }

    pub fn id(&self) -> ResId {
        ResId {
            gvk: self.gvk(),
            name: self.name().to_owned(),
            namespace: self.namespace().to_owned(),
        }
    }

    /// What tells objects apart, as [`ResId::same`] compares it: group, version, kind, name and effective namespace.
    pub fn key(&self) -> [&str; 5] {
        let (api_version, kind) = (self.api_version(), self.kind());
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let is_said = || {
            let scopes = self.scopes.as_ref();
            scopes.is_some_and(|s| s.contains(&(api_version.to_owned(), kind.to_owned())))
        };
        let namespace = match self.namespace() {
            _ if is_cluster_scoped(group, version, kind) || is_said() => NO_NAMESPACE,
            "" => "default",
            namespace => namespace,
        };
        [group, version, kind, self.name(), namespace]
    }

    /// Earlier ids, oldest first; they carry the group and version of today.
    pub fn previous_ids(&self) -> impl Iterator<Item = ResId> + '_ {
        self.previous.iter().map(move |(namespace, name, kind)| ResId {
            gvk: self.gvk_of(kind),
            name: name.clone(),
            namespace: namespace.clone(),
        })
    }

    /// The id the object was loaded with.
    pub fn original_id(&self) -> ResId {
        self.previous_ids().next().unwrap_or_else(|| self.id())
    }

    /// Every id the object has or had, earlier ones first.
    pub fn any_id(&self, matches: impl Fn(&ResId) -> bool) -> bool {
        self.previous_ids().any(|id| matches(&id)) || matches(&self.id())
    }

    pub fn store_previous_id(&mut self) {
        let id = self.id();
        // Kustomize notes it in the annotations, which are a map from then on.
        let metadata = self.node.get_mut("metadata");
        if let Some(annotations @ Node::Scalar(_)) = metadata.and_then(|m| m.get_mut("annotations")) {
            *annotations = Node::Map(Vec::new());
        }
        self.previous
            .push((id.effective_namespace().to_owned(), id.name.clone(), id.gvk.kind));
    }

    pub fn set_name(&mut self, name: &str) {
        if let Some(metadata) = self.node.get_or_map("metadata") {
            metadata.put("name", Scalar::open(name));
        }
    }

    /// Sets the namespace; an empty one is removed.
    pub fn set_namespace(&mut self, namespace: &str) {
        if namespace.is_empty() {
            if let Some(metadata) = self.node.get_mut("metadata") {
                metadata.remove("namespace");
            }
        } else if let Some(metadata) = self.node.get_or_map("metadata") {
            metadata.put("namespace", Scalar::open(namespace));
        }
    }

    /// `labels` or `annotations` as text, values of other types as written.
    pub fn metadata_map(&self, field: &str) -> BTreeMap<String, String> {
        let map = self.node.get("metadata").and_then(|m| m.get(field));
        let text = |value: &Node| value.text().unwrap_or_default().to_owned();
        let fields = map.into_iter().flat_map(Node::readable);
        fields.map(|(k, v)| (k.clone(), text(v))).collect()
    }

    /// Kustomize reads annotations that are a list two by two, as names and values, and fails at a name that is no text; where they are
    /// odd in number it panics.
    pub fn settle_annotations(&mut self) -> Result<()> {
        let list = self.node.get("metadata").and_then(|m| m.get("annotations"));
        let Some(Node::Seq(items)) = list else { return Ok(()) };
        let wrong = || {
            Failure::invalid(format!(
                "{}: metadata.annotations is a list; write a map of texts",
                self.id()
            ))
        };
        let mut annotations = BTreeMap::new();
        for pair in items.chunks(2) {
            match pair {
                [Node::Scalar(name), value] if name.tag == Tag::Str => {
                    let value = value.text().unwrap_or_default();
                    annotations.insert(name.text.clone(), value.to_owned());
                }
                [Node::Scalar(_), _] | [_] => return Err(wrong()),
                _ => {}
            }
        }
        self.set_metadata_map("annotations", &annotations);
        Ok(())
    }

    /// Replaces `labels` or `annotations`; an empty map removes the field.
    pub fn set_metadata_map(&mut self, field: &str, map: &BTreeMap<String, String>) {
        let Some(metadata) = self.node.get_or_map("metadata") else {
            return;
        };
        metadata.remove(field);
        self.shared.forget(&["metadata", field]);
        if !map.is_empty() {
            let mut fields = Node::Map(Vec::new());
            for (key, value) in map {
                fields.put(key, Scalar::string(value.clone()));
            }
            metadata.set(field, fields);
        }
    }

    /// Whether Kustomize would carry notes about this object in annotations by now.
    pub fn has_notes(&self) -> bool {
        self.generated
            || self.from_chart
            || self.needs_hash
            || self.allow_kind_change
            || self.allow_name_change
            || !self.previous.is_empty()
            || !self.prefixes.is_empty()
            || !self.suffixes.is_empty()
    }

    /// The notes that Kustomize carries in annotations while it builds; it takes them out of the annotations at the end.
    fn notes(&self) -> BTreeMap<String, String> {
        let history = |part: fn(&(String, String, String)) -> &str| {
            let parts: Vec<&str> = self.previous.iter().map(part).collect();
            parts.join(",")
        };
        let enabled = |is: bool| if is { "enabled" } else { "" }.to_owned();
        let behavior = if self.generated { self.behavior.name() } else { "" };
        let all = [
            (note::NAMESPACES, history(|(namespace, _, _)| namespace)),
            (note::NAMES, history(|(_, name, _)| name)),
            (note::KINDS, history(|(_, _, kind)| kind)),
            (note::PREFIXES, self.prefixes.join(",")),
            (note::SUFFIXES, self.suffixes.join(",")),
            (note::BEHAVIOR, behavior.to_owned()),
            (note::NEEDS_HASH, enabled(self.needs_hash)),
            (note::NAME_CHANGES, enabled(self.allow_name_change)),
            (note::KIND_CHANGES, enabled(self.allow_kind_change)),
        ];
        let told = all.into_iter().filter(|(_, value)| !value.is_empty());
        told.map(|(key, value)| (key.to_owned(), value)).collect()
    }

    /// Puts the notes into the annotations, for whoever reads or replaces them as a whole.
    pub fn show_notes(&mut self) {
        let notes = self.notes();
        if !notes.is_empty() {
            let mut annotations = self.metadata_map("annotations");
            annotations.extend(notes);
            self.set_metadata_map("annotations", &annotations);
        }
    }

    /// Takes the notes out of the annotations again. What became of them there is what is known of the object from now on.
    pub fn hide_notes(&mut self) {
        let mut annotations = self.metadata_map("annotations");
        let count = annotations.len();
        let mut take = |key: &str| annotations.remove(key).unwrap_or_default();
        let list = |text: String| -> Vec<String> {
            let parts = text.split(',').filter(|part| !part.is_empty());
            parts.map(str::to_owned).collect()
        };
        let (namespaces, names, kinds) = (take(note::NAMESPACES), take(note::NAMES), take(note::KINDS));
        let history = list(namespaces).into_iter().zip(list(names)).zip(list(kinds));
        self.previous = history
            .map(|((namespace, name), kind)| (namespace, name, kind))
            .collect();
        self.prefixes = list(take(note::PREFIXES));
        self.suffixes = list(take(note::SUFFIXES));
        let behavior = take(note::BEHAVIOR);
        self.generated = !behavior.is_empty();
        self.behavior = Behavior::of(&behavior);
        self.needs_hash = take(note::NEEDS_HASH) == "enabled";
        self.allow_name_change = take(note::NAME_CHANGES) == "enabled";
        self.allow_kind_change = take(note::KIND_CHANGES) == "enabled";
        if annotations.len() < count {
            self.set_metadata_map("annotations", &annotations);
        }
    }
}

/// The annotations that Kustomize notes things in.
mod note {
    pub(super) const NAMESPACES: &str = "internal.config.kubernetes.io/previousNamespaces";
    pub(super) const NAMES: &str = "internal.config.kubernetes.io/previousNames";
    pub(super) const KINDS: &str = "internal.config.kubernetes.io/previousKinds";
    pub(super) const PREFIXES: &str = "internal.config.kubernetes.io/prefixes";
    pub(super) const SUFFIXES: &str = "internal.config.kubernetes.io/suffixes";
    pub(super) const BEHAVIOR: &str = "internal.config.kubernetes.io/generatorBehavior";
    pub(super) const NEEDS_HASH: &str = "internal.config.kubernetes.io/needsHashSuffix";
    pub(super) const NAME_CHANGES: &str = "internal.config.kubernetes.io/allowNameChange";
    pub(super) const KIND_CHANGES: &str = "internal.config.kubernetes.io/allowKindChange";
}

fn metadata_of<'n>(node: &'n Node, field: &str) -> &'n str {
    let found = node.get("metadata").and_then(|m| m.get(field));
    found.filter(|n| !n.is_null()).and_then(Node::text).unwrap_or_default()
}

fn text_at<'n>(node: &'n Node, path: &[&str]) -> &'n str {
    path.iter()
        .try_fold(node, |n, key| n.get(key))
        .and_then(Node::text)
        .unwrap_or_default()
}

/// The documents of a file as objects: lists are taken apart, documents of nothing are dropped. Errors do not name the file.
pub(super) fn parse_resources(text: &str) -> Result<Vec<Resource>> {
    let text = text.replace("\r\n", "\n");
    let documents = split_documents(&text)?;
    let single = documents.len() == 1;
    let mut nodes = Vec::new();
    for (at, document) in documents.iter().enumerate() {
        let parsed = parse_node(document, &Limits::default())
            .map_err(|e| Failure::invalid(format!("MalformedYAMLError: document {}: {e}", at + 1)))?;
        let Some(node) = parsed.filter(|n| !n.is_null()) else {
            continue;
        };
        let kind = node.get("kind").and_then(Node::text).unwrap_or_default();
        if single && matches!(kind, "List" | "ResourceList") && node.get("items").is_some() {
            nodes.extend(node.get("items").map(Node::items).unwrap_or_default().iter().cloned());
        } else {
            nodes.push(node);
        }
    }
    let mut queue = std::collections::VecDeque::new();
    for node in nodes {
        check(&node).map(|ok| ok.then(|| queue.push_back(node)))?;
    }
    let mut out = Vec::new();
    while let Some(node) = queue.pop_front() {
        let is_list = node
            .get("kind")
            .and_then(Node::text)
            .is_some_and(|k| k.ends_with("List"));
        match node.get("items") {
            Some(items) if is_list => match items {
                Node::Seq(items) => {
                    for item in items {
                        let item = through_json(item)?;
                        if check(&item)? {
                            queue.push_back(item);
                        }
                    }
                }
                other if other.is_null() => {}
                _ => return Err(Failure::invalid("`items` of a list is no list")),
            },
            _ => out.push(Resource::new(node)),
        }
    }
    Ok(out)
}

/// What Kustomize makes of the items of such a list: they are decoded, written as JSON and read again.
fn through_json(item: &Node) -> Result<Node> {
    let bad = |e: pintle_yaml::Error| Failure::invalid(e.to_string());
    let json = pintle_yaml::to_json_string(&item.decode().map_err(bad)?);
    let node = parse_node(&json, &Limits::default()).map_err(bad)?;
    Ok(node.unwrap_or_else(Node::null))
}

/// Whether a node is an object to keep; an error if it should be one and is not.
pub(super) fn check(node: &Node) -> Result<bool> {
    if node.is_nil_or_empty() {
        return Ok(false);
    }
    let kind = node.get("kind").filter(|n| !n.is_null()).and_then(Node::text);
    let kind = kind.unwrap_or_default();
    if kind.is_empty() {
        return Err(Failure::invalid(
            "missing kind in an object: every document is to be a Kubernetes object",
        ));
    }
    let name = metadata_of(node, "name");
    if name.is_empty() && !kind.ends_with("List") {
        return Err(Failure::invalid(format!(
            "missing metadata.name in an object of kind {kind}"
        )));
    }
    Ok(true)
}

/// The documents of a stream: separators are lines after the first that begin with `---`; only a comment may follow the dashes.
fn split_documents(text: &str) -> Result<Vec<String>> {
    let mut documents = Vec::new();
    let mut current = String::new();
    let mut lines = text.split_inclusive('\n').peekable();
    let mut first = true;
    while let Some(line) = lines.next() {
        // The pattern is a line break, dashes, and a line break behind them: neither the first nor an unfinished last line counts.
        if !first && line.ends_with('\n') && line.starts_with("---") {
            let rest = line.get(3..).unwrap_or_default().trim();
            if !rest.is_empty() && !rest.starts_with('#') {
                return Err(Failure::invalid("invalid document separator: text follows `---`"));
            }
            documents.push(std::mem::take(&mut current));
            // The pattern takes the line break before the next line, so a separator right behind another one is not seen.
            if let Some(next) = lines.next() {
                current.push_str(next);
            }
        } else {
            current.push_str(line);
        }
        first = false;
    }
    documents.push(current);
    Ok(documents)
}
