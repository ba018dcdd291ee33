//! What is known about the fields of Kubernetes' built-in types: their shapes, and how patches and comparisons treat them.
//!
//! ```text
//! schema/builtin.txt -> Schema::builtin() -> type_of(gvk) -> TypeRef --field("spec")--> TypeRef --items()--> TypeRef
//! ```

mod table;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use pintle_model::{Gvk, Value};

pub use table::TableError;

/// A set of types and the kinds they belong to.
#[derive(Default)]
pub struct Schema {
    types: Vec<Type>,
    /// `group/version/kind` to the index of its type.
    kinds: BTreeMap<Box<str>, u32>,
}

/// One struct type.
#[derive(Default)]
struct Type {
    name: Box<str>,
    /// Ordered by name.
    fields: Vec<Field>,
    atomic: bool,
}

/// One field of a struct type.
struct Field {
    name: Box<str>,
    shape: Shape,
    required: bool,
    nilable: bool,
    atomic_map: bool,
    list: Option<ListType>,
    patch: Patch,
    default: Option<Value>,
}

/// What a value of a field looks like.
enum Shape {
    Scalar(Kind),
    Struct(u32),
    List(Box<Shape>),
    Map(Box<Shape>),
}

/// The kinds of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A string without further meaning.
    String,
    /// An integer of 32 bits.
    Int32,
    /// An integer of 64 bits.
    Int64,
    /// A floating point number.
    Float,
    /// A boolean.
    Bool,
    /// Bytes, written in base64.
    Bytes,
    /// A resource quantity such as `100m` or `1Gi`.
    Quantity,
    /// An integer, or a string (a port's name, a percentage).
    IntOrString,
    /// A time with seconds (RFC 3339).
    Time,
    /// A time with microseconds.
    MicroTime,
    /// Anything: embedded objects and JSON.
    Any,
    /// A struct with named fields.
    Struct,
    /// A list.
    List,
    /// A map from strings.
    Map,
}

/// How structured merge treats a list (`x-kubernetes-list-type`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListType {
    /// One value, replaced as a whole.
    Atomic,
    /// Scalars without order or repetition.
    Set,
    /// Structs, told apart by these fields.
    Map(Vec<Box<str>>),
}

/// How strategic merge patch treats a field (`x-kubernetes-patch-strategy`, `-merge-key`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patch {
    /// Lists are merged by element; a list of another strategy is replaced.
    pub merge: bool,
    /// Maps are replaced as a whole.
    pub replace: bool,
    /// Fields that the patch does not name are cleared (`$retainKeys`): for unions such as a volume's source.
    pub retain_keys: bool,
    /// The field that tells elements of a merged list apart; `None` for lists of scalars.
    pub key: Option<Box<str>>,
}

static NO_PATCH: Patch = Patch {
    merge: false,
    replace: false,
    retain_keys: false,
    key: None,
};

static BUILTIN: LazyLock<Schema> = LazyLock::new(|| {
    // The table is part of this crate and the test `the_committed_table_parses` reads it whole. Were it broken all the same,
    // every kind would count as a custom one, which is less exact and never wrong to apply.
    table::parse(include_str!("../../schema/builtin.txt")).unwrap_or_default()
});

impl Schema {
    /// Returns the types of the Kubernetes release that the table was made from; read once.
    pub fn builtin() -> &'static Self {
        &BUILTIN
    }

    /// Reads a table in the format of `schema/builtin.txt`.
    pub fn from_table(text: &str) -> Result<Self, TableError> {
        table::parse(text)
    }

    /// Returns the type of a kind; `None` for custom and unknown kinds.
    pub fn type_of(&self, gvk: &Gvk) -> Option<TypeRef<'_>> {
        let key = format!("{}/{}/{}", gvk.group, gvk.version, gvk.kind);
        self.kinds.get(key.as_str()).map(|index| TypeRef {
            schema: self,
            at: At::Type(*index),
            field: None,
        })
    }

    /// Returns the type with that name as the table writes it, for example `core.v1.Container`.
    pub fn type_named(&self, name: &str) -> Option<TypeRef<'_>> {
        let index = self.types.binary_search_by(|t| (*t.name).cmp(name)).ok()?;
        Some(TypeRef {
            schema: self,
            at: At::Type(u32::try_from(index).ok()?),
            field: None,
        })
    }

    fn get(&self, index: u32) -> Option<&Type> {
        self.types.get(index as usize)
    }
}

/// A place in a schema: a type, and how the field that led to it is treated. Cheap to copy.
#[derive(Clone, Copy)]
pub struct TypeRef<'s> {
    schema: &'s Schema,
    at: At<'s>,
    field: Option<&'s Field>,
}

#[derive(Clone, Copy)]
enum At<'s> {
    Type(u32),
    Shape(&'s Shape),
}

impl<'s> TypeRef<'s> {
    /// The kind of value.
    pub fn kind(self) -> Kind {
        match self.at {
            At::Type(_) | At::Shape(Shape::Struct(_)) => Kind::Struct,
            At::Shape(Shape::Scalar(kind)) => *kind,
            At::Shape(Shape::List(_)) => Kind::List,
            At::Shape(Shape::Map(_)) => Kind::Map,
        }
    }

    /// The type of a struct's field, or of a map's values whatever `name` is. `None` if there is no such field.
    pub fn field(self, name: &str) -> Option<Self> {
        if let At::Shape(Shape::Map(values)) = self.at {
            return Some(Self {
                schema: self.schema,
                at: At::Shape(values),
                field: None,
            });
        }
        let fields = &self.struct_type()?.fields;
        let found = fields
            .binary_search_by(|f| (*f.name).cmp(name))
            .ok()
            .and_then(|i| fields.get(i))?;
        Some(self.step(found))
    }

    /// The type of a list's elements or a map's values; `None` for other kinds.
    pub fn items(self) -> Option<Self> {
        match self.at {
            At::Shape(Shape::List(items) | Shape::Map(items)) => Some(Self {
                schema: self.schema,
                at: At::Shape(items),
                field: None,
            }),
            _ => None,
        }
    }

    /// The fields of a struct in order of their names; empty for other kinds.
    pub fn fields(self) -> impl Iterator<Item = (&'s str, Self)> {
        let fields = self.struct_type().map_or(&[][..], |t| &t.fields);
        fields.iter().map(move |f| (&*f.name, self.step(f)))
    }

    /// The name of a struct's type as the table writes it, for example `core.v1.Container`.
    pub fn name(self) -> Option<&'s str> {
        self.struct_type().map(|t| &*t.name)
    }

    /// How strategic merge patch treats the field that led here.
    pub fn patch(self) -> &'s Patch {
        self.field.map_or(&NO_PATCH, |f| &f.patch)
    }

    /// How structured merge treats the list at the field that led here.
    pub fn list_type(self) -> Option<&'s ListType> {
        self.field?.list.as_ref()
    }

    /// Whether structured merge treats the map or struct here as one value.
    pub fn is_atomic(self) -> bool {
        self.field.is_some_and(|f| f.atomic_map) || self.struct_type().is_some_and(|t| t.atomic)
    }

    /// Whether the field that led here must be there.
    pub fn is_required(self) -> bool {
        self.field.is_some_and(|f| f.required)
    }

    /// Whether the field that led here tells an absent value from a zero one (a Go pointer). A server drops or adds `false`, `0`,
    /// `""`, `[]` and `{}` at other fields as it likes. True where nothing is known.
    pub fn is_nilable(self) -> bool {
        self.field.is_none_or(|f| f.nilable)
    }

    /// The default that the API documents for the field that led here; zero values are not listed.
    pub fn default_value(self) -> Option<&'s Value> {
        self.field?.default.as_ref()
    }

    /// The schema this place is in.
    pub fn schema(self) -> &'s Schema {
        self.schema
    }

    fn struct_type(self) -> Option<&'s Type> {
        match self.at {
            At::Type(index) | At::Shape(&Shape::Struct(index)) => self.schema.get(index),
            At::Shape(_) => None,
        }
    }

    fn step(self, field: &'s Field) -> Self {
        Self {
            schema: self.schema,
            at: At::Shape(&field.shape),
            field: Some(field),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walks_from_a_kind_to_a_list_element() {
        let deployment = Schema::builtin()
            .type_of(&Gvk::new("apps", "v1", "Deployment"))
            .expect("known kind");
        let pod = deployment
            .field("spec")
            .and_then(|t| t.field("template"))
            .and_then(|t| t.field("spec"))
            .expect("pod");
        assert_eq!(pod.name(), Some("core.v1.PodSpec"));
        let containers = pod.field("containers").expect("containers");
        assert_eq!(containers.kind(), Kind::List);
        assert!(containers.patch().merge);
        assert_eq!(containers.patch().key.as_deref(), Some("name"));
        assert_eq!(containers.list_type(), Some(&ListType::Map(vec!["name".into()])));
        let ports = containers.items().and_then(|c| c.field("ports")).expect("ports");
        assert_eq!(ports.patch().key.as_deref(), Some("containerPort"));
        let protocol = ports.items().and_then(|p| p.field("protocol")).expect("protocol");
        assert_eq!(protocol.default_value().and_then(Value::as_str), Some("TCP"));
        let limits = containers
            .items()
            .and_then(|c| c.field("resources"))
            .and_then(|r| r.field("limits"));
        assert_eq!(limits.and_then(TypeRef::items).map(TypeRef::kind), Some(Kind::Quantity));
    }

    #[test]
    fn tells_pointers_from_values() {
        let pod = Schema::builtin().type_named("core.v1.PodSpec").expect("known type");
        let nilable = |name: &str| pod.field(name).expect("known field").is_nilable();
        assert!(nilable("automountServiceAccountToken"));
        assert!(!nilable("hostNetwork"));
        let volumes = pod.field("volumes").expect("volumes").patch();
        assert!(volumes.merge && volumes.retain_keys);
    }

    #[test]
    fn the_committed_table_parses() {
        let schema = table::parse(include_str!("../../schema/builtin.txt")).expect("the table is well formed");
        assert!(schema.types.len() > 700);
        assert!(schema.kinds.len() > 150);
        assert!(
            schema.types.windows(2).all(|w| matches!(w, [a, b] if a.name < b.name)),
            "types are in order"
        );
        for kind in [
            "core.v1.Pod",
            "batch.v1.CronJob",
            "apiextensions.v1.CustomResourceDefinition",
        ] {
            assert!(schema.type_named(kind).is_some(), "{kind}");
        }
    }
}
