//! `cargo xtask codegen [part]`: files that are made from code and committed. Tests compare them.

use std::path::Path;

use crate::run::root;
use crate::{kustomize, proto, schema};

/// Writes one part, or those that need nothing but this repository.
pub fn run(args: &[String]) -> Result<(), String> {
    let root = &root();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] | ["crds"] => crds(root),
        ["schema"] => schema::run(root),
        ["proto"] => proto::run(root),
        ["kustomize"] => kustomize::run(root),
        other => Err(format!(
            "codegen: {}: no such part; there are crds, and schema, proto and kustomize, which need Go",
            other.join(" ")
        )),
    }
}

/// The CustomResourceDefinitions, out of the types in `pintle-model`.
fn crds(root: &Path) -> Result<(), String> {
    let folder = root.join("manifests/crds");
    std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    for (file, text) in pintle_model::crd::crds() {
        let path = folder.join(file);
        std::fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    Ok(())
}
