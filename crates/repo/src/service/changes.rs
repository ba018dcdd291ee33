//! What differs between two commits of a repository, found once for all who ask whether it concerns them.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use pintle_model::tree::{Entry, EntryKind, ReadSet, Tree, TreeError, TreePath};
use tokio::sync::OnceCell;

/// Paths of one difference. A commit that changes more is compared read by read: that costs time only.
const MAX_TOUCHED: usize = 50_000;
/// Pairs of commits remembered: applications of one repository stand at one or two. Past that all are forgotten.
const MAX_PAIRS: usize = 256;

/// Every path at which two trees answer differently: changed, added and removed files, the directories above them, and all that stands below an
/// added or removed directory.
pub(super) struct Touched {
    paths: HashSet<TreePath>,
}

impl Touched {
    /// The difference, or `None` where it is too large to be worth it.
    fn between(a: &dyn Tree, b: &dyn Tree) -> Result<Option<Self>, TreeError> {
        let mut paths = HashSet::new();
        let root = TreePath::root();
        // Directories whose entries have to be compared, by whether each tree has them.
        let mut todo = vec![(root.clone(), true, true)];
        paths.insert(root);
        while let Some((path, in_a, in_b)) = todo.pop() {
            let list = |tree: &dyn Tree, has: bool| -> Result<HashMap<Arc<str>, Entry>, TreeError> {
                let listing = if has { tree.list(&path)? } else { None };
                Ok(listing.unwrap_or_default().into_iter().collect())
            };
            let (old, new) = (list(a, in_a)?, list(b, in_b)?);
            let names: BTreeSet<&Arc<str>> = old.keys().chain(new.keys()).collect();
            for name in names {
                let (before, after) = (old.get(name), new.get(name));
                if before == after {
                    continue;
                }
                if paths.len() >= MAX_TOUCHED {
                    return Ok(None);
                }
                let path = path.child(name);
                let is_dir = |e: Option<&Entry>| e.is_some_and(|e| e.kind == EntryKind::Dir);
                if is_dir(before) || is_dir(after) {
                    todo.push((path.clone(), is_dir(before), is_dir(after)));
                }
                paths.insert(path);
            }
        }
        Ok(Some(Self { paths }))
    }

    /// Whether nothing of what was read differs. `false` may be wrong: a directory whose names are the same counts as different where something
    /// below it is.
    pub fn leaves(&self, reads: &ReadSet) -> bool {
        reads.iter().all(|(path, _)| !self.paths.contains(path))
    }

    pub fn holds(&self, path: &TreePath) -> bool {
        self.paths.contains(path)
    }
}

type Slot = Arc<OnceCell<Option<Arc<Touched>>>>;

/// Differences by repository and pair of commits.
#[derive(Default)]
pub(super) struct Changes {
    pairs: Mutex<HashMap<(String, String, String), Slot>>,
}

impl Changes {
    /// The difference between two commits; whoever asks first finds it, and the others wait for that.
    pub async fn between(
        &self,
        place: &str,
        from: (&str, Arc<dyn Tree>),
        to: (&str, Arc<dyn Tree>),
    ) -> Option<Arc<Touched>> {
        let slot = {
            let mut pairs = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
            let key = (place.to_owned(), from.0.to_owned(), to.0.to_owned());
            if pairs.len() >= MAX_PAIRS && !pairs.contains_key(&key) {
                pairs.clear();
            }
            Arc::clone(pairs.entry(key).or_default())
        };
        let find = || async {
            let work = move || Touched::between(&*from.1, &*to.1);
            // What cannot be read, or not be finished, is compared read by read, where the failure is said.
            let found = tokio::task::spawn_blocking(work).await;
            found.ok().and_then(Result::ok).flatten().map(Arc::new)
        };
        slot.get_or_init(find).await.clone()
    }
}

#[cfg(test)]
mod tests {
    use pintle_model::tree::{FixedTree, Reader};

    use super::*;

    fn tree(files: &[(&str, &str)]) -> FixedTree {
        FixedTree::new(
            files
                .iter()
                .map(|(path, text)| (TreePath::new(path).unwrap(), Arc::from(text.as_bytes()))),
        )
    }

    /// What an application at `path` reads: its directory, its files, and one that may be there.
    fn reads(tree: &dyn Tree, path: &str) -> ReadSet {
        let reader = Reader::new(tree);
        let path = TreePath::new(path).unwrap();
        for entry in reader.dir(&path).unwrap().unwrap_or_default() {
            reader.file(&path.child(&entry.name), 100).unwrap();
        }
        reader.kind(&path.child(".argocd-source.yaml")).unwrap();
        reader.into_reads()
    }

    const BEFORE: [(&str, &str); 4] = [("a/x", "1"), ("a/y", "2"), ("b/x", "1"), ("README", "r")];

    #[test]
    fn only_who_read_what_differs_is_concerned() {
        let before = tree(&BEFORE);
        let check = |after: &[(&str, &str)], a: bool, b: bool| {
            let after = tree(after);
            let touched = Touched::between(&before, &after).unwrap().unwrap();
            for (path, expected) in [("a", a), ("b", b)] {
                let reads = reads(&before, path);
                assert_eq!(touched.leaves(&reads), expected, "{path}");
                // Never less careful than a look at every read.
                assert!(!expected || reads.first_difference(&after).unwrap().is_none());
            }
        };
        check(&BEFORE, true, true);
        check(
            &[("a/x", "1"), ("a/y", "2"), ("b/x", "1"), ("README", "new")],
            true,
            true,
        );
        check(
            &[("a/x", "9"), ("a/y", "2"), ("b/x", "1"), ("README", "r")],
            false,
            true,
        );
        check(&[("a/x", "1"), ("a/y", "2"), ("b", "a file now")], true, false);
        check(&[("b/x", "1"), ("README", "r")], false, true);
        let own = [&BEFORE[..], &[("b/.argocd-source.yaml", "{}")]].concat();
        check(&own, true, false);
    }

    #[tokio::test]
    async fn is_found_once() {
        let changes = Changes::default();
        let (a, b): (Arc<dyn Tree>, Arc<dyn Tree>) = (Arc::new(tree(&BEFORE)), Arc::new(tree(&BEFORE[..1])));
        let ask = async || {
            let found = changes.between("r", ("1", Arc::clone(&a)), ("2", Arc::clone(&b))).await;
            found.unwrap()
        };
        assert!(Arc::ptr_eq(&ask().await, &ask().await));
    }
}
