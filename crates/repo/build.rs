//! Names the renderer by its sources: a digest of everything in this workspace that decides what a render gives.
//!
//! Renders that outlive a process are taken again only by a process with the same digest (`src/service/disk`). A version would not do: it stays
//! the same through many changes of the code. A digest of the executable would, and costs every start a read of all of it.

use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// Crates from a file's text to what is stored of a render, without their tests.
const CRATES: [&str; 6] = ["yaml", "model", "gotmpl", "merge", "render", "repo"];
/// What of a crate is built in.
const PARTS: [&str; 4] = ["src", "schema", "Cargo.toml", "build.rs"];
/// Which libraries, and which standard library, it is built with.
const SHARED: [&str; 3] = ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml"];

fn main() -> io::Result<()> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let crates = CRATES.iter().flat_map(|name| {
        let directory = workspace.join("crates").join(name);
        PARTS.map(|part| directory.join(part))
    });
    let mut files = Vec::new();
    for path in crates.chain(SHARED.map(|name| workspace.join(name))) {
        if path.exists() {
            println!("cargo:rerun-if-changed={}", path.display());
            gather(&path, &mut files)?;
        }
    }
    files.sort();
    let mut digest = Sha256::new();
    for file in files {
        let name = file
            .strip_prefix(&workspace)
            .unwrap_or(&file)
            .to_string_lossy()
            .into_owned();
        let bytes = std::fs::read(&file)?;
        for part in [name.as_bytes(), &bytes] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
    }
    let hex: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    println!("cargo:rustc-env=PINTLE_RENDERER={hex}");
    Ok(())
}

fn gather(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in std::fs::read_dir(path)? {
        gather(&entry?.path(), files)?;
    }
    Ok(())
}
