//! System packages that tests use. Only CI installs them; elsewhere a test that lacks one steps aside aloud.

use std::path::Path;
use std::process::Command;

/// A program, where it may stand besides the `PATH`, and the Debian package that has it.
const WANTED: [(&str, &str, &str); 2] = [
    ("nginx", "/usr/sbin/nginx", "nginx-light"),
    ("openssl", "/usr/bin/openssl", "openssl"),
];

/// Installs what is missing where `CI=true` and the system has `apt-get`. A package that cannot be had is no error here: its tests say what they
/// lack, and fail.
pub fn install() {
    if std::env::var("CI").as_deref() != Ok("true") {
        return;
    }
    let missing: Vec<&str> = WANTED
        .iter()
        .filter(|(program, place, _)| !Path::new(place).exists() && !is_on_path(program))
        .map(|(.., package)| *package)
        .collect();
    if missing.is_empty() {
        return;
    }
    eprintln!("xtask: installing {}", missing.join(", "));
    for arguments in [vec!["update"], [vec!["install", "--yes"], missing].concat()] {
        let mut apt = Command::new("apt-get");
        apt.arg("-qq").args(&arguments).env("DEBIAN_FRONTEND", "noninteractive");
        match apt.status() {
            Ok(status) if status.success() => {}
            Ok(status) => eprintln!("xtask: apt-get {}: {status}", arguments.join(" ")),
            Err(e) => return eprintln!("xtask: apt-get cannot be started: {e}"),
        }
    }
}

fn is_on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}
