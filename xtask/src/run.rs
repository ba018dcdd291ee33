//! Runs programs from the workspace root, and knows where that is.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The workspace root: the folder above this crate, as cargo says it at run time. What was compiled in may be the folder of another clone that
/// shares the target directory, as CI's does.
#[allow(
    clippy::disallowed_methods,
    reason = "xtask is the door: it reads its own environment"
)]
pub fn root() -> PathBuf {
    let here = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
    Path::new(&here)
        .parent()
        .map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// A command in the workspace root.
#[allow(clippy::disallowed_methods, reason = "the wrapper itself")]
pub fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}

/// Prints and runs a command; an error if it cannot start or does not exit with 0.
pub fn run(program: &str, args: &[&str]) -> Result<(), String> {
    eprintln!("xtask: {program} {}", args.join(" "));
    let status = command(program)
        .args(args)
        .status()
        .map_err(|e| format!("cannot start {program}: {e}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("`{program} {}` failed: {status}", args.join(" ")))
    }
}

/// Runs a command and returns what it printed; an error if it fails.
pub fn output(program: &str, args: &[&str]) -> Result<String, String> {
    let out = command(program)
        .args(args)
        .output()
        .map_err(|e| format!("cannot start {program}: {e}"))?;
    if !out.status.success() {
        return Err(format!(
            "`{program} {}` failed: {}",
            args.join(" "),
            String::from_utf8_lossy(&out.stderr).trim()
        ));
    }
    String::from_utf8(out.stdout).map_err(|e| format!("{program} printed text that is not UTF-8: {e}"))
}

/// Whether a program answers to `--version` (or the given arguments).
pub fn has(program: &str, args: &[&str]) -> bool {
    command(program)
        .args(args)
        .output()
        .is_ok_and(|out| out.status.success())
}
