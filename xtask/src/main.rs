//! Project chores.
mod schema;

use std::path::Path;

fn main() -> Result<(), String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .ok_or("xtask has no parent folder")?;
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["codegen", "schema"] => schema::run(root),
        _ => Err("usage: cargo xtask codegen schema".to_owned()),
    }
}
