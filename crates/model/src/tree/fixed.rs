//! Files of an unpacked archive: a chart, an OCI layer. Every content id is made once, when the tree is.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::memory::digest;
use super::{ContentId, Entry, EntryKind, Listing, Tree, TreeError, TreePath};

/// An immutable tree of regular files.
pub struct FixedTree {
    nodes: BTreeMap<TreePath, Node>,
}

enum Node {
    File(ContentId, Arc<[u8]>),
    Dir(ContentId, Listing),
}

impl Node {
    fn entry(&self) -> Entry {
        let (kind, id) = match self {
            Self::File(id, _) => (EntryKind::File, id),
            Self::Dir(id, _) => (EntryKind::Dir, id),
        };
        Entry { kind, id: id.clone() }
    }
}

impl FixedTree {
    /// Builds the tree; of two files with one path the last counts, and what would stand below a file is left out.
    pub fn new(files: impl IntoIterator<Item = (TreePath, Arc<[u8]>)>) -> Self {
        let mut nodes: BTreeMap<TreePath, Node> = files
            .into_iter()
            .filter(|(path, _)| !path.is_root())
            .map(|(path, bytes)| (path, Node::File(digest([&bytes].iter()), bytes)))
            .collect();
        let mut children: BTreeMap<TreePath, Listing> = BTreeMap::from([(TreePath::root(), Vec::new())]);
        for path in nodes.keys() {
            let mut above = path.parent();
            while let Some(directory) = above {
                above = directory.parent();
                children.entry(directory).or_default();
            }
        }
        // Deepest first, so that a directory's entries are known when its own id is made.
        let mut directories: Vec<TreePath> = children.keys().cloned().collect();
        directories.sort_by_key(|path| std::cmp::Reverse(path.parts().count()));
        let files: Vec<TreePath> = nodes.keys().cloned().collect();
        for path in files {
            if let (Some(parent), Some(node)) = (path.parent(), nodes.get(&path))
                && !children.contains_key(&path)
                && let Some(listing) = children.get_mut(&parent)
            {
                listing.push((path.name().into(), node.entry()));
            }
        }
        for path in directories {
            let mut listing = children.remove(&path).unwrap_or_default();
            listing.sort_by(|a, b| a.0.cmp(&b.0));
            let parts = listing.iter().map(|(name, e)| format!("{name}\0{}", e.id));
            let node = Node::Dir(digest(parts), listing);
            if let Some(parent) = path.parent()
                && let Some(above) = children.get_mut(&parent)
            {
                above.push((path.name().into(), node.entry()));
            }
            nodes.insert(path, node);
        }
        Self { nodes }
    }
}

impl Tree for FixedTree {
    fn id(&self) -> ContentId {
        self.nodes
            .get(&TreePath::root())
            .map_or_else(|| ContentId("".into()), |n| n.entry().id)
    }

    fn entry(&self, path: &TreePath) -> Result<Option<Entry>, TreeError> {
        Ok(self.nodes.get(path).map(Node::entry))
    }

    fn list(&self, path: &TreePath) -> Result<Option<Listing>, TreeError> {
        Ok(match self.nodes.get(path) {
            Some(Node::Dir(_, listing)) => Some(listing.clone()),
            _ => None,
        })
    }

    fn read(&self, path: &TreePath, limit: u64) -> Result<Option<Arc<[u8]>>, TreeError> {
        let Some(Node::File(_, bytes)) = self.nodes.get(path) else {
            return Ok(None);
        };
        let size = bytes.len() as u64;
        if size > limit {
            return Err(TreeError::TooLarge {
                path: path.clone(),
                size,
                limit,
            });
        }
        Ok(Some(Arc::clone(bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> FixedTree {
        FixedTree::new(
            files
                .iter()
                .map(|(path, text)| (TreePath::new(path).unwrap(), Arc::from(text.as_bytes()))),
        )
    }

    #[test]
    fn directories_follow_from_files() {
        let fixed = tree(&[
            ("web/Chart.yaml", "name: web"),
            ("web/templates/a/b.yaml", "x"),
            ("web/values.yaml", ""),
        ]);
        let names = |at: &str| {
            let listing = fixed.list(&TreePath::new(at).unwrap()).unwrap().unwrap();
            listing
                .iter()
                .map(|(name, e)| format!("{name}:{:?}", e.kind))
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(names(""), "web:Dir");
        assert_eq!(names("web"), "Chart.yaml:File templates:Dir values.yaml:File");
        assert_eq!(names("web/templates"), "a:Dir");
        let read = fixed
            .read(&TreePath::new("web/templates/a/b.yaml").unwrap(), 10)
            .unwrap();
        assert_eq!(read.as_deref(), Some(b"x".as_slice()));
        assert!(fixed.entry(&TreePath::new("web/none").unwrap()).unwrap().is_none());
    }

    #[test]
    fn ids_cover_what_is_below_and_nothing_else() {
        let id = |files: &[(&str, &str)], at: &str| {
            let entry = tree(files).entry(&TreePath::new(at).unwrap()).unwrap();
            entry.unwrap().id
        };
        let (a, b) = ([("x/a", "1"), ("y/b", "2")], [("x/a", "1"), ("y/b", "3")]);
        assert_eq!(id(&a, "x"), id(&b, "x"));
        assert_ne!(id(&a, "y"), id(&b, "y"));
        assert_ne!(id(&a, ""), id(&b, ""));
        assert_ne!(id(&[("x/a", "1")], "x"), id(&[("x/b", "1")], "x"));
    }
}
