//! The resource tree of an application: what it manages, and what came of it by owner references [F3.58, F3.60].

use std::collections::{BTreeMap, BTreeSet};

use pintle_model::ResourceKey;

use super::entry::Entry;
use super::index::LiveIndex;

/// One node: an entry and its owners within the same tree (none for a root).
pub struct TreeNode<'a> {
    /// The object.
    pub entry: &'a Entry,
    /// Its owners that are in the tree, in order of their keys.
    pub parents: Vec<&'a Entry>,
}

/// The tree below `roots` (the managed objects of an application, and those it wants that carry no mark, such as CRDs); keys that are not
/// live are left out. A node that `permitted` refuses (the project does not allow it) is left out with what is only reached through it.
/// Nodes come in order of their keys, each once.
pub fn tree<'a>(
    index: &'a LiveIndex,
    roots: impl IntoIterator<Item = &'a ResourceKey>,
    permitted: impl Fn(&Entry) -> bool,
) -> Vec<TreeNode<'a>> {
    let mut nodes: BTreeMap<&ResourceKey, &Entry> = BTreeMap::new();
    let mut todo: Vec<&Entry> = roots.into_iter().filter_map(|key| index.get(key)).collect();
    // Every entry is taken up once, so circles of owners end too.
    while let Some(entry) = todo.pop() {
        if nodes.contains_key(entry.key()) || !permitted(entry) {
            continue;
        }
        nodes.insert(entry.key(), entry);
        todo.extend(index.children_of(entry));
    }
    let parents = |entry: &'a Entry| -> Vec<&'a Entry> {
        let keys: BTreeSet<&ResourceKey> = index.owners_of(entry).map(Entry::key).collect();
        keys.into_iter().filter_map(|key| nodes.get(key).copied()).collect()
    };
    nodes
        .values()
        .map(|&entry| TreeNode {
            entry,
            parents: parents(entry),
        })
        .collect()
}

/// The tree of everything that carries the mark of `app`.
pub fn managed_tree<'a>(index: &'a LiveIndex, app: &str) -> Vec<TreeNode<'a>> {
    tree(index, index.managed_by(app).map(Entry::key).collect::<Vec<_>>(), |_| {
        true
    })
}
