//! Custom resources: what a CustomResourceDefinition says, ready for use.

use std::collections::BTreeMap;
use std::sync::Arc;

use pintle_model::Value;

/// One custom kind, as its definition describes it.
pub struct CustomKind {
    /// The served versions.
    pub versions: BTreeMap<Arc<str>, CustomVersion>,
}

/// One version of a custom kind.
pub struct CustomVersion {
    /// `schema.openAPIV3Schema`.
    pub schema: Value,
    /// `additionalPrinterColumns`.
    pub columns: Value,
    /// `subresources.scale`, if there is one.
    pub scale: Option<Value>,
}
