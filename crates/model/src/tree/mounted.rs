//! Several trees seen as one: what a render needs from elsewhere stands at paths that no repository can have.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{ContentId, Entry, EntryKind, Listing, Tree, TreeError, TreePath};

/// The directory below which things are mounted. Git refuses entries of this name in a commit; what an archive holds there is not seen.
const MOUNTS: &str = ".git";

/// A tree with others mounted in it.
///
/// Mounts stand at [`MountedTree::place`]s and are not listed: only who knows what was mounted finds it. Symbolic links of one part never lead
/// into another: [`Tree::jail`] tells the [`super::Reader`] where each part ends.
pub struct MountedTree {
    main: Arc<dyn Tree>,
    mounts: BTreeMap<TreePath, Mount>,
}

#[derive(Clone)]
enum Mount {
    Tree(Arc<dyn Tree>),
    File(ContentId, Arc<[u8]>),
}

impl MountedTree {
    /// Returns `main` with nothing mounted.
    pub fn new(main: Arc<dyn Tree>) -> Self {
        Self {
            main,
            mounts: BTreeMap::new(),
        }
    }

    /// Where the thing called `name` is mounted: the same name gives the same place, different names different ones.
    pub fn place(name: &str) -> TreePath {
        let digest = super::memory::digest([name].iter());
        TreePath::root().child(MOUNTS).child(&digest.0)
    }

    /// Mounts a tree.
    pub fn mount(&mut self, name: &str, tree: Arc<dyn Tree>) {
        self.mounts.insert(Self::place(name), Mount::Tree(tree));
    }

    /// Mounts a file.
    pub fn mount_file(&mut self, name: &str, bytes: Arc<[u8]>) {
        let id = super::memory::digest([&bytes].iter());
        self.mounts.insert(Self::place(name), Mount::File(id, bytes));
    }

    /// Which part `path` belongs to, and where in it; `None` for a place between: above or beside what is mounted.
    fn part<'a>(&'a self, path: &'a TreePath) -> Option<Part<'a>> {
        let mut parts = path.parts();
        if parts.next() != Some(MOUNTS) {
            return Some(Part::Main);
        }
        let place = TreePath::root().child(MOUNTS).child(parts.next()?);
        let mount = self.mounts.get(&place)?;
        let inside = path.strip_prefix(&place)?;
        // What is left of a path is a path.
        Some(Part::Mounted(mount, place.clone(), TreePath::new(inside).ok()?))
    }

    /// An error of a part names the path where the part stands.
    fn at(place: &TreePath, error: TreeError) -> TreeError {
        let moved = |path: TreePath| path.parts().fold(place.clone(), |p, name| p.child(name));
        match error {
            TreeError::Store { path, message } => TreeError::Store {
                path: moved(path),
                message,
            },
            TreeError::TooLarge { path, size, limit } => TreeError::TooLarge {
                path: moved(path),
                size,
                limit,
            },
            other => other,
        }
    }
}

enum Part<'a> {
    Main,
    Mounted(&'a Mount, TreePath, TreePath),
}

impl Tree for MountedTree {
    fn id(&self) -> ContentId {
        let mounts = self.mounts.iter().map(|(place, mount)| match mount {
            Mount::Tree(tree) => format!("{place} {}", tree.id()),
            Mount::File(id, _) => format!("{place} {id}"),
        });
        super::memory::digest(std::iter::once(self.main.id().0.to_string()).chain(mounts))
    }

    fn entry(&self, path: &TreePath) -> Result<Option<Entry>, TreeError> {
        match self.part(path) {
            Some(Part::Main) => self.main.entry(path),
            Some(Part::Mounted(Mount::Tree(tree), place, inside)) => {
                tree.entry(&inside).map_err(|e| Self::at(&place, e))
            }
            Some(Part::Mounted(Mount::File(id, _), _, inside)) => Ok(inside.is_root().then(|| Entry {
                kind: EntryKind::File,
                id: id.clone(),
            })),
            // The directory of all mounts is walked through and has no content of its own.
            None => Ok((path.parts().count() == 1).then(|| Entry {
                kind: EntryKind::Dir,
                id: ContentId("mounts".into()),
            })),
        }
    }

    fn list(&self, path: &TreePath) -> Result<Option<Listing>, TreeError> {
        match self.part(path) {
            Some(Part::Main) => self.main.list(path),
            Some(Part::Mounted(Mount::Tree(tree), place, inside)) => {
                tree.list(&inside).map_err(|e| Self::at(&place, e))
            }
            Some(Part::Mounted(Mount::File(..), ..)) | None => Ok(None),
        }
    }

    fn read(&self, path: &TreePath, limit: u64) -> Result<Option<Arc<[u8]>>, TreeError> {
        match self.part(path) {
            Some(Part::Main) => self.main.read(path, limit),
            Some(Part::Mounted(Mount::Tree(tree), place, inside)) => {
                tree.read(&inside, limit).map_err(|e| Self::at(&place, e))
            }
            Some(Part::Mounted(Mount::File(_, bytes), _, inside)) if inside.is_root() => {
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
            Some(Part::Mounted(Mount::File(..), ..)) | None => Ok(None),
        }
    }

    fn jail(&self, path: &TreePath) -> TreePath {
        match self.part(path) {
            Some(Part::Mounted(_, place, _)) => place,
            Some(Part::Main) | None => TreePath::root(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{MemoryTree, Reader};
    use super::*;

    fn path(text: &str) -> TreePath {
        TreePath::new(text).unwrap()
    }

    fn tree() -> MountedTree {
        let main = MemoryTree::new()
            .with_file(path("app/a.yaml"), *b"main")
            .with_symlink(path("app/peek"), &format!("../{}/secret", MountedTree::place("values")));
        let values = MemoryTree::new()
            .with_file(path("secret"), *b"of the other")
            .with_file(path("x/values.yaml"), *b"v: 1")
            .with_symlink(path("x/up"), "../secret")
            .with_symlink(path("x/out"), "../../../app/a.yaml");
        let mut tree = MountedTree::new(Arc::new(main));
        tree.mount("values", Arc::new(values));
        tree.mount_file("https://h/f", (*b"f: 1").into());
        tree
    }

    #[test]
    fn parts_are_read_where_they_stand() {
        let tree = tree();
        let reader = Reader::new(&tree);
        let read = |at: &TreePath| {
            let file = reader.file(at, 100).unwrap();
            file.map(|f| String::from_utf8(f.bytes.to_vec()).unwrap())
        };
        let values = MountedTree::place("values");
        assert_eq!(read(&path("app/a.yaml")).as_deref(), Some("main"));
        assert_eq!(read(&values.join("x/values.yaml").unwrap()).as_deref(), Some("v: 1"));
        assert_eq!(read(&values.join("x/up").unwrap()).as_deref(), Some("of the other"));
        assert_eq!(read(&MountedTree::place("https://h/f")).as_deref(), Some("f: 1"));
        assert_eq!(read(&MountedTree::place("absent")), None);
        // Nobody comes upon a mount by looking around.
        let names: Vec<_> = reader.dir(&TreePath::root()).unwrap().unwrap();
        assert_eq!(names.iter().map(|e| &*e.name).collect::<Vec<_>>(), ["app"]);
        assert!(reader.into_reads().first_difference(&tree).unwrap().is_none());
    }

    #[test]
    fn links_do_not_leave_their_part() {
        let tree = tree();
        let reader = Reader::new(&tree);
        let refused = |at: &TreePath| reader.file(at, 100).map(|_| ()).unwrap_err().to_string();
        assert!(refused(&path("app/peek")).contains("points out of the repository"));
        assert!(refused(&MountedTree::place("values").join("x/out").unwrap()).contains("points out of the repository"));
    }

    #[test]
    fn another_content_is_another_tree() {
        let (a, mut b) = (tree(), tree());
        assert_eq!(a.id(), b.id());
        b.mount_file("https://h/f", (*b"f: 2").into());
        assert_ne!(a.id(), b.id());
        let reader = Reader::new(&a);
        reader.file(&MountedTree::place("https://h/f"), 9).unwrap();
        assert!(reader.into_reads().first_difference(&b).unwrap().is_some());
    }
}
