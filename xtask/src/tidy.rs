//! What the compiler cannot check: layers, purity, bans, links, names, large files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use crate::run::{output, root};

/// Which of our crates each crate may use: the drawing in ARCHITECTURE.md. Dev-dependencies are free.
const LAYERS: &[(&str, &[&str])] = &[
    ("pintle-yaml", &[]),
    ("pintle-gotmpl", &[]),
    ("pintle-model", &["pintle-yaml"]),
    ("pintle-merge", &["pintle-model"]),
    (
        "pintle-render",
        &["pintle-gotmpl", "pintle-merge", "pintle-model", "pintle-yaml"],
    ),
    ("pintle-engine", &["pintle-merge", "pintle-model"]),
    (
        "pintle-repo",
        &["pintle-render", "pintle-gotmpl", "pintle-model", "pintle-yaml"],
    ),
    ("pintle-cluster", &["pintle-engine", "pintle-merge", "pintle-model"]),
    ("pintle-kubesim", &["pintle-merge", "pintle-model", "pintle-yaml"]),
    (
        "pintle-controller",
        &[
            "pintle-repo",
            "pintle-cluster",
            "pintle-engine",
            "pintle-render",
            "pintle-merge",
            "pintle-model",
        ],
    ),
    (
        "pintle-server",
        &[
            "pintle-repo",
            "pintle-cluster",
            "pintle-engine",
            "pintle-merge",
            "pintle-model",
        ],
    ),
];

/// Crates that may reach no runtime, client or clock.
const PURE: &[&str] = &[
    "pintle-yaml",
    "pintle-gotmpl",
    "pintle-model",
    "pintle-merge",
    "pintle-render",
    "pintle-engine",
];
const IMPURE: &[&str] = &["tokio", "hyper", "reqwest", "kube-client", "mio", "async-std", "gix"];

/// Crates that must not be in the lock file at all.
const BANNED: &[&str] = &[
    "openssl-sys",
    "native-tls",
    "serde_yaml",
    "serde_yml",
    "yaml-rust",
    "ring",
];
/// Features that change what JSON means for the whole binary.
const BANNED_FEATURES: &[(&str, &str)] = &[("serde_json", "preserve_order"), ("serde_json", "arbitrary_precision")];

const LICENCES: &[&str] = &[
    "MIT",
    "MIT-0",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Unicode-3.0",
    "Zlib",
    "Unlicense",
    "CC0-1.0",
    "OpenSSL",
    "CDLA-Permissive-2.0",
    "0BSD",
    "BSL-1.0",
];

/// Larger tracked files than this are almost always a mistake; goldens and tables stay below it.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// Runs every check and reports all findings at once.
pub fn run() -> Result<(), String> {
    // For this machine's platform only: what never gets compiled cannot do harm.
    let version = output("rustc", &["-vV"])?;
    let host = version
        .lines()
        .find_map(|l| l.strip_prefix("host: "))
        .ok_or("rustc -vV names no host")?;
    let arguments = [
        "metadata",
        "--format-version",
        "1",
        "--locked",
        "--filter-platform",
        host,
    ];
    let metadata: Value = serde_json::from_str(&output("cargo", &arguments)?)
        .map_err(|e| format!("cargo metadata printed no JSON: {e}"))?;
    let mut findings = Vec::new();
    layers(&metadata, &mut findings);
    bans_and_licences(&metadata, &mut findings)?;
    files(&mut findings)?;
    if findings.is_empty() {
        eprintln!("xtask: tidy: fine");
        return Ok(());
    }
    for finding in &findings {
        eprintln!("tidy: {finding}");
    }
    Err(format!("tidy found {} thing(s)", findings.len()))
}

fn str_of<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn list_of<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The dependency drawing, and what pure crates reach through normal dependencies.
fn layers(metadata: &Value, findings: &mut Vec<String>) {
    let members: BTreeSet<&str> = list_of(metadata, "workspace_members")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let names: BTreeMap<&str, &str> = list_of(metadata, "packages")
        .iter()
        .map(|p| (str_of(p, "id"), str_of(p, "name")))
        .collect();
    let mut edges: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for node in metadata.get("resolve").map_or(&[][..], |r| list_of(r, "nodes")) {
        let normal = list_of(node, "deps")
            .iter()
            .filter(|d| {
                list_of(d, "dep_kinds")
                    .iter()
                    .any(|k| k.get("kind").is_some_and(Value::is_null))
            })
            .map(|d| str_of(d, "pkg"));
        edges.insert(str_of(node, "id"), normal.collect());
    }
    for id in &members {
        let name = names.get(id).copied().unwrap_or_default();
        let Some((_, allowed)) = LAYERS.iter().find(|(n, _)| *n == name) else {
            continue;
        };
        for dependency in edges.get(id).into_iter().flatten().filter(|d| members.contains(*d)) {
            let dependency = names.get(dependency).copied().unwrap_or_default();
            if !allowed.contains(&dependency) {
                findings.push(format!(
                    "{name} may not depend on {dependency}: see the drawing in ARCHITECTURE.md"
                ));
            }
        }
        if PURE.contains(&name) {
            for reached in reach(id, &edges) {
                let reached = names.get(reached).copied().unwrap_or_default();
                if IMPURE.contains(&reached) {
                    findings.push(format!("{name} is pure and must not reach {reached}"));
                }
            }
        }
    }
}

fn reach<'a>(from: &'a str, edges: &BTreeMap<&'a str, Vec<&'a str>>) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut todo = vec![from];
    while let Some(id) = todo.pop() {
        for next in edges.get(id).into_iter().flatten() {
            if seen.insert(*next) {
                todo.push(next);
            }
        }
    }
    seen
}

/// Banned crates and features, and licences nobody has looked at.
fn bans_and_licences(metadata: &Value, findings: &mut Vec<String>) -> Result<(), String> {
    for package in list_of(metadata, "packages") {
        let (name, licence) = (str_of(package, "name"), str_of(package, "license"));
        // A file instead of an expression is looked at by hand once and listed in deny.toml.
        let by_hand = licence.is_empty() && !str_of(package, "license_file").is_empty();
        if !by_hand && !licence_ok(licence) {
            findings.push(format!(
                "licence {licence:?} of {name} is not in the list of xtask/src/tidy.rs and deny.toml"
            ));
        }
    }
    // `cargo metadata` lists weak optional dependencies that nothing turns on; `cargo tree` says what is really built.
    let tree = [
        "tree",
        "--workspace",
        "--locked",
        "--edges",
        "normal,build",
        "--prefix",
        "none",
        "--format",
        "{p}|{f}",
    ];
    for line in output("cargo", &tree)?.lines() {
        let (package, features) = line.split_once('|').unwrap_or((line, ""));
        let name = package.split(' ').next().unwrap_or(package);
        if BANNED.contains(&name) {
            findings.push(format!("{name} is banned: see deny.toml for the reason"));
        }
        for feature in features.trim_end_matches(" (*)").split(',') {
            if BANNED_FEATURES.contains(&(name, feature)) {
                findings.push(format!(
                    "feature {feature} of {name} is banned: it changes JSON for the whole binary"
                ));
            }
        }
    }
    Ok(())
}

/// An SPDX expression is fine if one arm of every `OR` consists of licences in the list.
fn licence_ok(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ").replace(['(', ')'], "");
    expression
        .split(" OR ")
        .any(|arm| arm.split(" AND ").all(|l| LICENCES.contains(&l.trim())))
}

/// Conflict markers, large files, dead links, names in ARCHITECTURE.md that no longer exist, machine paths.
fn files(findings: &mut Vec<String>) -> Result<(), String> {
    let root = root();
    let tracked = output("git", &["ls-files", "-z"])?;
    let mut sources = String::new();
    for path in tracked.split('\0').filter(|p| !p.is_empty()) {
        let file = root.join(path);
        let Ok(meta) = std::fs::metadata(&file) else { continue };
        if meta.len() > MAX_FILE_BYTES {
            findings.push(format!(
                "{path} has {} bytes; the limit is {MAX_FILE_BYTES}",
                meta.len()
            ));
            continue;
        }
        let Ok(text) = std::fs::read_to_string(&file) else {
            continue;
        };
        for (n, line) in text.lines().enumerate() {
            if line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> ") {
                findings.push(format!("{path}:{}: conflict marker", n + 1));
            }
        }
        if path.ends_with(".md") {
            dead_links(&root, path, &text, findings);
        }
        if path.ends_with(".rs") {
            sources.push_str(&text);
        }
    }
    let architecture = std::fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap_or_default();
    for name in architecture.split('`').skip(1).step_by(2).filter(|n| is_type_path(n)) {
        let last = name.rsplit("::").next().unwrap_or(name).trim_end_matches("()");
        if !sources.contains(last) {
            findings.push(format!("ARCHITECTURE.md names `{name}`, which no source file mentions"));
        }
    }
    Ok(())
}

/// Whether a code span looks like a Rust path or type: `Tree`, `engine::sync::step`.
fn is_type_path(span: &str) -> bool {
    let word = |w: &str| !w.is_empty() && w.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let last = span.rsplit("::").next().unwrap_or(span).trim_end_matches("()");
    let parts = span.trim_end_matches("()").split("::").all(word);
    parts && (span.contains("::") || last.starts_with(|c: char| c.is_ascii_uppercase()))
}

fn dead_links(root: &Path, path: &str, text: &str, findings: &mut Vec<String>) {
    for link in text.split("](").skip(1) {
        let Some(target) = link.split([')', '#']).next().filter(|t| !t.is_empty()) else {
            continue;
        };
        if target.contains("://") || target.starts_with("mailto:") || target.contains(' ') {
            continue;
        }
        let base = Path::new(path).parent().unwrap_or(Path::new(""));
        if !root.join(base).join(target).exists() {
            findings.push(format!("{path}: link to {target}, which does not exist"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licences_are_read_as_expressions() {
        assert!(licence_ok("MIT OR Apache-2.0"));
        assert!(licence_ok("MIT/Apache-2.0"));
        assert!(licence_ok("(MIT OR Apache-2.0) AND Unicode-3.0"));
        assert!(licence_ok("GPL-3.0 OR MIT"));
        assert!(!licence_ok("GPL-3.0"));
        assert!(!licence_ok("MIT AND GPL-3.0"));
        assert!(!licence_ok(""));
    }

    #[test]
    fn code_spans_that_name_types_are_told_from_words() {
        assert!(is_type_path("Tree"));
        assert!(is_type_path("engine::sync::step"));
        assert!(!is_type_path("kubectl apply"));
        assert!(!is_type_path("git"));
    }
}
