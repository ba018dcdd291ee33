//! Where strategic merge patches merge by element: Kubernetes v1.21.2, which Kustomize carries whatever the cluster runs, and the schemas
//! that kustomizations bring (`openapi.path`).

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock};

use pintle_model::Value;

use super::error::{Failure, Result};

static BUILT_IN: LazyLock<Arc<Table>> =
    LazyLock::new(|| Arc::new(read(include_str!("../../schema/kustomize-1.21.2.txt"))));

/// Schemas inside one another in a file; deeper ones say nothing. Those that refer to themselves do so by name.
const MAX_DEPTH: usize = 100;

/// Types and their fields.
#[derive(Clone, Default)]
pub(super) struct Table {
    types: Vec<Type>,
    /// The types that have names.
    names: HashMap<String, Reference>,
    /// The types of kinds, by `apiVersion` and `kind`.
    kinds: HashMap<String, HashMap<String, usize>>,
    /// Kinds beside the built-in ones that a schema has paths for, and none in a namespace.
    cluster_scoped: Arc<HashSet<(String, String)>>,
}

#[derive(Clone, Default)]
struct Type {
    fields: HashMap<String, Reference>,
    /// The type of values under any other name.
    values: Option<Reference>,
    /// The type of the elements of a list.
    items: Option<Reference>,
    merge: bool,
    keys: Vec<String>,
}

#[derive(Clone)]
enum Reference {
    At(usize),
    Named(String),
}

/// A place in a schema.
#[derive(Clone, Copy)]
pub(super) struct Place<'t> {
    table: &'t Table,
    here: &'t Type,
}

/// `io.k8s.api.core.v1.Pod` -> `core.v1.Pod`, as the built-in table writes it.
fn short(name: &str) -> &str {
    let prefixes = [
        "io.k8s.api.",
        "io.k8s.apimachinery.pkg.apis.",
        "io.k8s.apimachinery.pkg.",
        "io.k8s.apiextensions-apiserver.pkg.apis.",
        "io.k8s.kube-aggregator.pkg.apis.",
    ];
    prefixes.iter().find_map(|p| name.strip_prefix(p)).unwrap_or(name)
}

fn read(text: &str) -> Table {
    let mut table = Table::default();
    let mut current = 0;
    for line in text.lines().filter(|l| !l.starts_with('#')) {
        let mut words = line.trim_start().split(' ');
        let Some(name) = words.next() else { continue };
        if !line.starts_with(' ') {
            current = table.add(Type::default());
            table.names.insert(name.to_owned(), Reference::At(current));
            for kind in words {
                let mut parts = kind.split('/');
                let (group, version) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
                table.add_kind(group, version, parts.next().unwrap_or_default(), current);
            }
            continue;
        }
        let reference = |word: &str| (word != "-").then(|| Reference::Named(word.to_owned()));
        let shape = words.next().unwrap_or("-");
        let mut field = Type {
            merge: words.next().is_some_and(merges),
            keys: words
                .next()
                .map(|k| k.split(',').map(str::to_owned).collect())
                .unwrap_or_default(),
            ..Type::default()
        };
        let to = match (shape.strip_prefix('['), shape.strip_prefix('{')) {
            (Some(of), _) => {
                field.items = reference(of);
                Some(Reference::At(table.add(field)))
            }
            (_, Some(of)) => {
                field.values = reference(of);
                Some(Reference::At(table.add(field)))
            }
            _ => reference(shape),
        };
        if let (Some(to), Some(of)) = (to, table.types.get_mut(current)) {
            of.fields.insert(name.to_owned(), to);
        }
    }
    table
}

/// Whether a patch strategy merges lists by element.
fn merges(strategy: &str) -> bool {
    strategy.split(',').any(|s| s == "merge")
}

impl Table {
    /// The schema that is built into Kustomize.
    pub fn built_in() -> Arc<Self> {
        Arc::clone(&BUILT_IN)
    }

    /// Reads an OpenAPI document, JSON or YAML.
    pub fn parse(text: &str) -> Result<Self> {
        let yaml = pintle_yaml::parse(text).map_err(|e| Failure::invalid(format!("invalid schema file: {e}")))?;
        let document = Value::from(yaml);
        let mut table = Self::default();
        let definitions = document.get("definitions").and_then(Value::as_map);
        for (name, definition) in definitions.into_iter().flat_map(|d| d.iter()) {
            let to = table.schema(definition, 0);
            let at = match to {
                Reference::At(at) => at,
                // As a kind, a definition that is another one has no fields.
                Reference::Named(_) => table.add(Type::default()),
            };
            table.names.insert(short(name).to_owned(), to);
            let kinds = definition.get(GROUP_VERSION_KIND).and_then(Value::as_list);
            for kind in kinds.unwrap_or_default() {
                let (group, version, kind) = gvk(kind);
                table.add_kind(&group, &version, &kind, at);
            }
        }
        table.cluster_scoped = Arc::new(cluster_scoped(&document));
        Ok(table)
    }

    /// This schema with those of another one added, which win.
    pub fn with(&self, more: &Self) -> Self {
        let mut table = self.clone();
        let offset = table.types.len();
        let moved = |reference: &Reference| match reference {
            Reference::At(at) => Reference::At(at + offset),
            named => named.clone(),
        };
        for one in &more.types {
            let mut one = one.clone();
            for reference in one.fields.values_mut().chain(&mut one.values).chain(&mut one.items) {
                *reference = moved(reference);
            }
            table.types.push(one);
        }
        for (name, to) in &more.names {
            table.names.insert(name.clone(), moved(to));
        }
        for (api_version, kinds) in &more.kinds {
            let own = table.kinds.entry(api_version.clone()).or_default();
            own.extend(kinds.iter().map(|(kind, at)| (kind.clone(), at + offset)));
        }
        let both = self.cluster_scoped.union(&more.cluster_scoped);
        table.cluster_scoped = Arc::new(both.cloned().collect());
        table
    }

    /// Kinds beside the built-in ones that are cluster-scoped.
    pub fn cluster_scoped(&self) -> &Arc<HashSet<(String, String)>> {
        &self.cluster_scoped
    }

    /// Whether the schema has a kind.
    pub fn has(&self, api_version: &str, kind: &str) -> bool {
        self.kinds
            .get(api_version)
            .is_some_and(|kinds| kinds.contains_key(kind))
    }

    fn add(&mut self, one: Type) -> usize {
        self.types.push(one);
        self.types.len() - 1
    }

    fn add_kind(&mut self, group: &str, version: &str, kind: &str, at: usize) {
        let api_version = match group {
            "" => version.to_owned(),
            group => format!("{group}/{version}"),
        };
        self.kinds.entry(api_version).or_default().insert(kind.to_owned(), at);
    }

    /// Adds a schema and those inside it.
    fn schema(&mut self, schema: &Value, depth: usize) -> Reference {
        if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
            return Reference::Named(short(name.strip_prefix("#/definitions/").unwrap_or(name)).to_owned());
        }
        let mut one = Type::default();
        if depth < MAX_DEPTH {
            let properties = schema.get("properties").and_then(Value::as_map);
            for (name, property) in properties.into_iter().flat_map(|p| p.iter()) {
                let to = self.schema(property, depth + 1);
                one.fields.insert(name.to_string(), to);
            }
            let inner = |field| schema.get(field).filter(|s| s.as_map().is_some());
            one.values = inner("additionalProperties").map(|s| self.schema(s, depth + 1));
            let is_list = schema.get("type").and_then(Value::as_str) == Some("array");
            one.items = inner("items").filter(|_| is_list).map(|s| self.schema(s, depth + 1));
        }
        if let Some(strategy) = schema.get("x-kubernetes-patch-strategy").and_then(Value::as_str) {
            one.merge = merges(strategy);
            let keys = schema.get("x-kubernetes-list-map-keys").and_then(Value::as_list);
            let key = schema.get("x-kubernetes-patch-merge-key").and_then(Value::as_str);
            one.keys = match keys {
                Some(keys) => keys.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
                None => key.map(str::to_owned).into_iter().collect(),
            };
        }
        Reference::At(self.add(one))
    }

    fn at(&self, reference: &Reference) -> Option<Place<'_>> {
        let mut reference = reference;
        for _ in 0..MAX_DEPTH {
            match reference {
                Reference::At(at) => {
                    return Some(Place {
                        table: self,
                        here: self.types.get(*at)?,
                    });
                }
                Reference::Named(name) => reference = self.names.get(name)?,
            }
        }
        None
    }

    /// The type of a kind, if the schema has it.
    pub fn of(&self, api_version: &str, kind: &str) -> Option<Place<'_>> {
        let at = *self.kinds.get(api_version)?.get(kind)?;
        self.at(&Reference::At(at))
    }
}

const GROUP_VERSION_KIND: &str = "x-kubernetes-group-version-kind";

fn gvk(value: &Value) -> (String, String, String) {
    let part = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    (part("group"), part("version"), part("kind"))
}

/// The kinds that have paths, and none in a namespace.
fn cluster_scoped(document: &Value) -> HashSet<(String, String)> {
    let (mut anywhere, mut namespaced) = (HashSet::new(), HashSet::new());
    let paths = document.get("paths").and_then(Value::as_map);
    for (path, item) in paths.into_iter().flat_map(|p| p.iter()) {
        let Some(kind) = item.get("get").and_then(|get| get.get(GROUP_VERSION_KIND)) else {
            continue;
        };
        let (group, version, kind) = gvk(kind);
        let api_version = if group.is_empty() {
            version
        } else {
            format!("{group}/{version}")
        };
        // What is built in stays what it is.
        if BUILT_IN.has(&api_version, &kind) {
            continue;
        }
        let key = (api_version, kind);
        if path.contains("namespaces/{namespace}") {
            namespaced.insert(key);
        } else {
            anywhere.insert(key);
        }
    }
    anywhere.retain(|kind| !namespaced.contains(kind));
    anywhere
}

impl<'t> Place<'t> {
    /// The schema of a field or of a map's value.
    pub fn field(self, name: &str) -> Option<Self> {
        let to = self.here.fields.get(name).or(self.here.values.as_ref())?;
        self.table.at(to)
    }

    /// The schema of a list's elements.
    pub fn items(self) -> Option<Self> {
        self.table.at(self.here.items.as_ref()?)
    }

    /// Whether the list here is merged by element.
    pub fn merges(self) -> bool {
        self.here.merge
    }

    /// The fields that tell the elements apart; none for lists of scalars.
    pub fn keys(self) -> &'t [String] {
        &self.here.keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CUSTOM: &str = r##"{"definitions": {
        "x.Thing": {
            "properties": {
                "list": {"type": "array", "items": {"$ref": "#/definitions/x.Item"},
                         "x-kubernetes-patch-strategy": "merge", "x-kubernetes-patch-merge-key": "id"},
                "template": {"$ref": "#/definitions/io.k8s.api.core.v1.PodTemplateSpec"},
                "inline": {"properties": {"deep": {"additionalProperties": {"type": "array",
                    "x-kubernetes-patch-strategy": "merge,retainKeys", "x-kubernetes-list-map-keys": ["a", "b"]}}}}
            },
            "x-kubernetes-group-version-kind": [{"group": "x.io", "version": "v1", "kind": "Thing"}]
        },
        "x.Item": {"properties": {"self": {"$ref": "#/definitions/x.Item"}}}
    }, "paths": {
        "/apis/x.io/v1/things": {"get": {"x-kubernetes-group-version-kind": {"group": "x.io", "version": "v1", "kind": "Thing"}}},
        "/apis/x.io/v1/namespaces/{namespace}/in": {"get": {"x-kubernetes-group-version-kind": {"group": "x.io", "version": "v1", "kind": "In"}}},
        "/apis/x.io/v1/in": {"get": {"x-kubernetes-group-version-kind": {"group": "x.io", "version": "v1", "kind": "In"}}}
    }}"##;

    #[test]
    fn a_schema_of_a_file_is_read_as_the_built_in_one() {
        let built_in = Table::built_in();
        let containers = |table: &Table, api_version, kind| {
            let spec = table.of(api_version, kind)?.field("spec")?.field("template")?;
            let list = spec.field("spec")?.field("containers")?;
            Some((list.merges(), list.keys().join(",")))
        };
        assert_eq!(
            containers(&built_in, "apps/v1", "Deployment"),
            Some((true, "name".into()))
        );
        let custom = Table::parse(CUSTOM).unwrap();
        assert!(containers(&custom, "apps/v1", "Deployment").is_none());
        let both = built_in.with(&custom);
        for table in [&custom, &both] {
            let thing = table.of("x.io/v1", "Thing").unwrap();
            let list = thing.field("list").unwrap();
            assert_eq!((list.merges(), list.keys()), (true, &["id".to_owned()][..]));
            assert!(list.items().and_then(|i| i.field("self")?.field("self")).is_some());
            let deep = thing
                .field("inline")
                .and_then(|i| i.field("deep")?.field("any"))
                .unwrap();
            assert_eq!((deep.merges(), deep.keys().len()), (true, 2));
            assert_eq!(table.cluster_scoped().len(), 1);
        }
        assert!(containers(&both, "apps/v1", "Deployment").is_some());
        let spec = |table: &Table| {
            let spec = table.of("x.io/v1", "Thing")?.field("template")?.field("spec")?;
            spec.field("containers").map(Place::merges)
        };
        assert_eq!((spec(&custom), spec(&both)), (None, Some(true)));
        assert!(Table::parse("a: [").is_err());
    }
}
