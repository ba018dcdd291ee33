//! What is in one cluster, as far as applications need to know.
//!
//! ```text
//! LIST  -> reset ─┐                                  ┌─> View::live, managed_by      (compare, prune)
//! WATCH -> apply ─┼─> LiveIndex (full | slim) ───────┼─> tree, orphans               (what people see)
//!          delete ┘     └─> Touched: who should look └─> complete_view               (what may be pruned)
//! ```
//!
//! Pure: the feeder (`cluster::watch`) brings the events and the time.

pub mod entry;
pub mod exclusion;
pub mod freshness;
pub mod index;
mod info;
mod intern;
mod link;
pub mod orphan;
pub mod touched;
pub mod tree;

pub use entry::{Entry, InfoItem};
pub use exclusion::{KindFilter, KindPattern};
pub use freshness::{Incomplete, KindState, NotFresh, WatchScope};
pub use index::{IndexRules, LiveIndex};
pub use touched::Touched;
pub use tree::{TreeNode, managed_tree};
