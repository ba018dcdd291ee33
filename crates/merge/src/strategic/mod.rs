//! Strategic merge patch: a JSON merge patch that knows which lists are merged by element.
//!
//! ```text
//! apply(original, patch)                     -> modified          what an API server does
//! diff(original, modified)                   -> patch             two-way
//! create_three_way(last, modified, current)  -> patch             what `kubectl apply` sends
//! ```
//!
//! Follows apimachinery 0.36 (`pkg/util/strategicpatch`), including its order of list elements; `testdata/strategic.json` holds its
//! answers. Two things differ. Where Go's result depends on the random order of its maps, this goes in key order. And where a list
//! of scalars repeats what is to be deleted, the repetitions are dropped from the end.
//! Recursion follows the nesting of the values, which [`pintle_model::value::MAX_DEPTH`] bounds.

mod apply;
mod diff;
mod order;

use pintle_model::{Map, Value};

use crate::schema::{Kind, TypeRef};

pub use apply::apply;
pub use diff::{create_three_way, diff};

const PATCH: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const DELETE_FROM: &str = "$deleteFromPrimitiveList";
const SET_ORDER: &str = "$setElementOrder";

/// Why a patch cannot be made or applied. Names fields, never values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StrategicError {
    /// A document is not an object.
    #[error("expected an object, found {0}")]
    NotAnObject(&'static str),
    /// The type has no such field.
    #[error("unable to find api field in struct {of} for the json field {field:?}")]
    UnknownField {
        /// The type as the schema table names it.
        of: String,
        /// The field.
        field: String,
    },
    /// A map of maps, or untyped content: strategic merge patch cannot reach into it.
    #[error("merging an object in json but data type is not struct, at the json field {0:?}")]
    NotAStruct(String),
    /// A list where the type has none.
    #[error("expected slice or array type for the json field {0:?}")]
    NotAList(String),
    /// An element of a merged list lacks the field that tells elements apart.
    #[error("map does not contain declared merge key: {0}")]
    NoMergeKey(String),
    /// A list of objects is to be merged and the schema names no key.
    #[error("cannot merge lists without merge key")]
    NoKeyForList,
    /// Elements of different types in one list.
    #[error("list element types are not identical")]
    MixedList,
    /// An order is given for a list that is empty on both sides.
    #[error("no elements in any of the given lists")]
    NoElements,
    /// Lists of lists are not supported.
    #[error("lists of lists are not supported")]
    ListOfLists,
    /// `$patch` holds something other than `delete` or `replace`.
    #[error("unknown patch type found in $patch")]
    BadDirective,
    /// `$deleteFromPrimitiveList/…` is malformed.
    #[error("invalid patch format of primitive list")]
    BadDeleteList,
    /// `$setElementOrder/…` is malformed.
    #[error("invalid patch format of setElementOrder list")]
    BadOrderList,
    /// `$retainKeys` is malformed, or the patch sets a field that it does not name.
    #[error("invalid patch format of retainKeys")]
    BadRetainKeys,
    /// `$setElementOrder/…` does not hold the patch's elements in their order.
    #[error("the order in patch list doesn't match $setElementOrder list")]
    OrderMismatch,
}

/// A field's type, if `of` is a struct that has it.
fn field<'s>(of: TypeRef<'s>, name: &str) -> Result<TypeRef<'s>, StrategicError> {
    if of.kind() != Kind::Struct {
        return Err(StrategicError::NotAStruct(name.to_owned()));
    }
    of.field(name).ok_or_else(|| StrategicError::UnknownField {
        of: of.name().unwrap_or_default().to_owned(),
        field: name.to_owned(),
    })
}

/// A list field's type and the type of its elements.
fn list_field<'s>(of: TypeRef<'s>, name: &str) -> Result<(TypeRef<'s>, TypeRef<'s>), StrategicError> {
    let list = field(of, name)?;
    match (list.kind(), list.items()) {
        (Kind::List, Some(items)) if items.kind() == Kind::List => Err(StrategicError::ListOfLists),
        (Kind::List, Some(items)) => Ok((list, items)),
        _ => Err(StrategicError::NotAList(name.to_owned())),
    }
}

/// The field a parallel list belongs to: `$setElementOrder/ports` -> `ports`.
fn parallel_field<'k>(key: &'k str, prefix: &str) -> Option<&'k str> {
    key.strip_prefix(prefix)?.strip_prefix('/')
}

/// Whether both values are of one JSON type, integers and floats told apart.
fn same_type(a: &Value, b: &Value) -> bool {
    a.type_name() == b.type_name()
}

/// What the elements of lists are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Elements {
    Maps,
    Scalars,
}

/// What the elements of `lists` are; all must be of one type.
fn elements(lists: &[&[Value]]) -> Result<Elements, StrategicError> {
    let mut all = lists.iter().flat_map(|l| l.iter());
    let first = all.next().ok_or(StrategicError::NoElements)?;
    if all.any(|v| !same_type(v, first)) || first.is_null() {
        return Err(StrategicError::MixedList);
    }
    match first {
        Value::List(_) => Err(StrategicError::ListOfLists),
        Value::Map(_) => Ok(Elements::Maps),
        _ => Ok(Elements::Scalars),
    }
}

/// Moves a map out of a value, copying its top level if it is shared.
fn into_map(value: Value) -> Result<Map, StrategicError> {
    match value {
        Value::Map(map) => Ok(std::sync::Arc::unwrap_or_clone(map)),
        other => Err(StrategicError::NotAnObject(other.type_name())),
    }
}

/// Moves a list out of a value; empty for other values.
fn into_list(value: Value) -> Vec<Value> {
    match value {
        Value::List(list) => std::sync::Arc::unwrap_or_clone(list),
        _ => Vec::new(),
    }
}
