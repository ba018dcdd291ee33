//! Builds every case of the Kustomize corpus and compares with what `kustomize build` v5.8.1 printed, or why it failed.
//!
//! The corpus is an archive beside the repository (`shared/corpus/kustomize.tar.xz` in a directory above); without it the test steps
//! aside and says so. `KUSTOMIZE_CASE=part-of-a-name` runs and explains single cases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::panic,
    clippy::disallowed_methods
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use pintle_model::tree::{ContentId, Entry, EntryKind, Listing, Reader, Tree, TreeError, TreePath};
use pintle_render::kustomize::{Built, Options, Reason, build};

fn archive() -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = here.ancestors().map(|d| d.join("shared/corpus/kustomize.tar.xz"));
    found.into_iter().find(|p| p.is_file())
}

/// Unpacks the archive once; its size and time name the directory.
fn unpacked(archive: &Path) -> Option<PathBuf> {
    let meta = fs::metadata(archive).ok()?;
    let age = meta.modified().ok()?.duration_since(UNIX_EPOCH).ok()?.as_secs();
    let cache = PathBuf::from(std::env::var_os("HOME")?).join(".cache/pintle/corpus");
    let dir = cache.join(format!("kustomize-{}-{age}", meta.len()));
    if dir.is_dir() {
        return Some(dir);
    }
    let part = cache.join(format!("kustomize-{}.part", std::process::id()));
    fs::create_dir_all(&part).ok()?;
    let done = Command::new("tar")
        .arg("-xJf")
        .arg(archive)
        .arg("-C")
        .arg(&part)
        .status()
        .ok()?;
    assert!(done.success(), "the corpus archive unpacks");
    // Another test run may have been first.
    if fs::rename(&part, &dir).is_err() {
        let _ = fs::remove_dir_all(&part);
    }
    Some(dir)
}

/// The directory that holds `cases.json`.
fn root_of(dir: &Path) -> Option<PathBuf> {
    if dir.join("cases.json").is_file() {
        return Some(dir.to_owned());
    }
    let mut below = fs::read_dir(dir).ok()?.filter_map(|e| Some(e.ok()?.path()));
    below.find(|p| p.join("cases.json").is_file())
}

/// The files of a directory. Ids are of paths: nothing here compares contents.
struct DirTree(PathBuf);

impl DirTree {
    fn at(&self, path: &TreePath) -> PathBuf {
        self.0.join(path.as_str())
    }
}

impl Tree for DirTree {
    fn id(&self) -> ContentId {
        ContentId("directory".into())
    }

    fn entry(&self, path: &TreePath) -> Result<Option<Entry>, TreeError> {
        let Ok(meta) = fs::symlink_metadata(self.at(path)) else {
            return Ok(None);
        };
        let kind = match meta.file_type() {
            t if t.is_dir() => EntryKind::Dir,
            t if t.is_symlink() => EntryKind::Symlink,
            _ => EntryKind::File,
        };
        let id = ContentId(path.as_str().into());
        Ok(Some(Entry { kind, id }))
    }

    fn list(&self, _: &TreePath) -> Result<Option<Listing>, TreeError> {
        Ok(None)
    }

    fn read(&self, path: &TreePath, _: u64) -> Result<Option<Arc<[u8]>>, TreeError> {
        let full = self.at(path);
        if full.is_symlink() {
            let target = fs::read_link(full).unwrap();
            return Ok(Some(target.to_string_lossy().as_bytes().into()));
        }
        Ok(fs::read(full).ok().map(Into::into))
    }
}

fn reason_name(reason: Reason) -> &'static str {
    match reason {
        Reason::Missing => "missing",
        Reason::Empty => "empty",
        Reason::Invalid => "invalid",
        Reason::Plugins => "plugins",
        Reason::Helm => "helm",
        Reason::Remote => "remote",
        Reason::Restricted => "restricted",
        _ => "other",
    }
}

fn first_difference(got: &str, wanted: &str) -> String {
    let (mut g, mut w) = (got.lines(), wanted.lines());
    for line in 1.. {
        match (g.next(), w.next()) {
            (a, b) if a == b && a.is_some() => {}
            (None, None) => break,
            (a, b) => return format!("line {line}: got {a:?}, wanted {b:?}"),
        }
    }
    "line ends".to_owned()
}

#[test]
fn every_case_is_equal() {
    let Some(root) = archive().and_then(|a| unpacked(&a)).and_then(|d| root_of(&d)) else {
        println!("skipped: no shared/corpus/kustomize.tar.xz in a directory above the repository");
        return;
    };
    let cases: serde_json::Value = serde_json::from_slice(&fs::read(root.join("cases.json")).unwrap()).unwrap();
    let only = std::env::var("KUSTOMIZE_CASE").ok();
    let (mut equal, mut differing) = (0usize, Vec::new());
    let cases = cases.as_array().unwrap();
    for case in cases {
        let name = case["case"].as_str().unwrap();
        if only.as_deref().is_some_and(|o| !name.contains(o)) {
            continue;
        }
        // Each repository of the corpus is a tree of its own.
        let path = case["path"].as_str().unwrap();
        let mut parts = path.splitn(3, '/');
        let repository = format!("{}/{}", parts.next().unwrap(), parts.next().unwrap());
        let inside = TreePath::new(parts.next().unwrap_or_default()).unwrap();
        let tree = DirTree(root.join(&repository));
        let built = build(&Reader::new(&tree), &inside, &Options::default());
        let problem = match (case["ok"].as_bool().unwrap(), built) {
            (true, Built::Ok { text, .. }) => {
                let wanted = fs::read_to_string(root.join(format!("expected/{name}.yaml"))).unwrap();
                (text != wanted).then(|| first_difference(&text, &wanted))
            }
            (true, Built::Failed(e)) => Some(format!("fails: {e}")),
            (true, Built::Needs(n)) => Some(format!("needs {n:?}")),
            (false, Built::Ok { .. }) => Some("does not fail".to_owned()),
            (false, Built::Needs(_)) => {
                (case["reason"] != "remote").then(|| format!("needs, wanted {}", case["reason"]))
            }
            (false, Built::Failed(e)) => (case["reason"] != reason_name(e.reason)).then(|| {
                format!(
                    "fails for {:?} ({e}), wanted {}: {}",
                    e.reason, case["reason"], case["error"]
                )
            }),
        };
        match problem {
            None => equal += 1,
            Some(problem) => differing.push(format!("{name}: {problem}")),
        }
    }
    for line in &differing {
        println!("DIFFERS {line}");
    }
    println!("cases {} equal {equal} differing {}", cases.len(), differing.len());
    assert!(differing.is_empty(), "{} cases differ", differing.len());
}
