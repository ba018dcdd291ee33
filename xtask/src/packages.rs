//! System packages that tests use. Only CI installs them; elsewhere a test that lacks one steps aside aloud.

use std::path::Path;

use crate::run::command;

/// A program, where it may stand besides the `PATH`, and the Debian package that has it.
const WANTED: [(&str, &str, &str); 2] = [
    ("nginx", "/usr/sbin/nginx", "nginx-light"),
    ("openssl", "/usr/bin/openssl", "openssl"),
];

#[allow(
    clippy::disallowed_methods,
    reason = "xtask is the door: it reads its own environment"
)]
fn variable(name: &str) -> std::ffi::OsString {
    std::env::var_os(name).unwrap_or_default()
}

/// Installs what is missing where `CI=true` and the system has `apt-get`. A package that cannot be had is no error here: its tests say what they
/// lack, and fail.
pub fn install() {
    if variable("CI") != "true" {
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
        let mut apt = command("apt-get");
        apt.arg("-qq").args(&arguments).env("DEBIAN_FRONTEND", "noninteractive");
        match apt.status() {
            Ok(status) if status.success() => {}
            Ok(status) => eprintln!("xtask: apt-get {}: {status}", arguments.join(" ")),
            Err(e) => return eprintln!("xtask: apt-get cannot be started: {e}"),
        }
    }
}

fn is_on_path(program: &str) -> bool {
    std::env::split_paths(&variable("PATH")).any(|directory| directory.join(program).is_file())
}
