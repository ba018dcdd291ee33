//! CustomResourceDefinitions of our kinds, made from their types.

use schemars::{Schema, SchemaGenerator, json_schema};

/// The schema of a field that holds any JSON object.
pub(crate) fn any_object(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true })
}
