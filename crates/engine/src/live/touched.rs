//! Who should look again after a change.

use std::collections::BTreeSet;
use std::sync::Arc;

/// Instance names of the applications a change matters to. Empty for changes nobody needs to know of (a bare resourceVersion, managedFields,
/// a status that changes neither health nor what a tree shows).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// A managed object, or one the application asked to be kept, came, went or changed: compare again.
    pub managed: BTreeSet<Arc<str>>,
    /// Something below a managed object changed: the tree and what it shows are different.
    pub tree: BTreeSet<Arc<str>>,
    /// Namespaces in which an object changed that belongs to no application's tree; whoever watches orphans there should look.
    pub unclaimed: BTreeSet<Arc<str>>,
}

impl Touched {
    /// Whether nobody needs to look.
    pub fn is_empty(&self) -> bool {
        self.managed.is_empty() && self.tree.is_empty() && self.unclaimed.is_empty()
    }

    /// Every application named, in order.
    pub fn apps(&self) -> BTreeSet<&Arc<str>> {
        self.managed.union(&self.tree).collect()
    }

    /// Adds what another change touched.
    pub fn merge(&mut self, other: Self) {
        self.managed.extend(other.managed);
        self.tree.extend(other.tree);
        self.unclaimed.extend(other.unclaimed);
    }
}
