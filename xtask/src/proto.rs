//! `codegen proto`: writes `crates/kubesim/proto/builtin.txt`, the field numbers of Kubernetes' built-in messages.
//!
//! Clients that send typed objects (`kubectl create namespace`, client-go) send them as protobuf. The format of the table is described
//! where it is read, in `crates/kubesim/src/api/protobuf.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::schema::{STAGING, module};

/// Packages of `k8s.io/api` that kubesim serves.
const SERVED: &[&str] = &[
    "admissionregistration/v1",
    "apps/v1",
    "authentication/v1",
    "authorization/v1",
    "autoscaling/v1",
    "autoscaling/v2",
    "batch/v1",
    "coordination/v1",
    "core/v1",
    "discovery/v1",
    "events/v1",
    "networking/v1",
    "policy/v1",
    "rbac/v1",
    "scheduling/v1",
    "storage/v1",
];
/// Packages of `k8s.io/apimachinery` that those use.
const MACHINERY: &[&str] = &["pkg/apis/meta/v1", "pkg/runtime", "pkg/util/intstr", "pkg/api/resource"];

type Messages = BTreeMap<String, Vec<Field>>;

struct Field {
    number: u32,
    name: String,
    /// A scalar's letter or a message's full name, after `[` or `{` for lists and maps.
    shape: String,
    /// The message that is used, if any.
    uses: Option<String>,
}

/// Writes the table under `root`, the workspace's folder.
pub fn run(root: &Path) -> Result<(), String> {
    let mut messages = Messages::new();
    for (path, packages) in [("k8s.io/api", SERVED), ("k8s.io/apimachinery", MACHINERY)] {
        let folder = module(path, STAGING)?;
        for package in packages {
            let file = folder.join(package).join("generated.proto");
            let text = fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))?;
            read(&text, &mut messages)?;
        }
    }
    let mut out = format!(
        "# Made by `cargo xtask codegen proto` from the generated.proto files of Kubernetes staging {STAGING}; not for editing.\n"
    );
    for name in reachable(&messages) {
        let Some(fields) = messages.get(&name) else { continue };
        let _ = writeln!(out, "{name}");
        let package = name.rsplit_once('.').map_or("", |(p, _)| p);
        for field in fields {
            let shape = match &field.uses {
                Some(used) if used.rsplit_once('.').is_some_and(|(p, _)| p == package) => {
                    field.shape.replace(&format!("{package}."), ".")
                }
                _ => field.shape.clone(),
            };
            let _ = writeln!(out, " {} {} {shape}", field.number, field.name);
        }
    }
    let file = root.join("crates/kubesim/proto/builtin.txt");
    fs::create_dir_all(root.join("crates/kubesim/proto")).map_err(|e| e.to_string())?;
    fs::write(&file, out).map_err(|e| format!("{}: {e}", file.display()))
}

/// Everything that objects (messages with ObjectMeta), reviews and delete options are made of.
fn reachable(messages: &Messages) -> BTreeSet<String> {
    let is_object = |fields: &Vec<Field>| {
        fields
            .iter()
            .any(|f| f.name == "metadata" && f.uses.as_deref() == Some("meta.v1.ObjectMeta"))
    };
    let mut open: Vec<String> = messages
        .iter()
        .filter(|(_, f)| is_object(f))
        .map(|(n, _)| n.clone())
        .collect();
    open.push("meta.v1.DeleteOptions".to_owned());
    let mut found = BTreeSet::new();
    while let Some(name) = open.pop() {
        if found.insert(name.clone()) {
            open.extend(messages.get(&name).into_iter().flatten().filter_map(|f| f.uses.clone()));
        }
    }
    found
}

fn read(text: &str, messages: &mut Messages) -> Result<(), String> {
    let mut package = String::new();
    let mut current: Option<String> = None;
    for line in text.lines().map(str::trim).filter(|l| !l.starts_with("//")) {
        if let Some(name) = line.strip_prefix("package ") {
            package = short(name.trim_end_matches(';'));
        } else if let Some(name) = line.strip_prefix("message ") {
            let name = format!("{package}.{}", name.trim_end_matches('{').trim());
            messages.entry(name.clone()).or_default();
            current = Some(name);
        } else if line == "}" {
            current = None;
        } else if let (Some(message), Some((left, number))) = (&current, line.trim_end_matches(';').rsplit_once(" = "))
        {
            let number = number.parse().map_err(|_| format!("{message}: {line}"))?;
            let (kind, name) = left.rsplit_once(' ').ok_or_else(|| format!("{message}: {line}"))?;
            let (wrap, kind) = if let Some(kind) = kind.strip_prefix("repeated ") {
                ("[", kind)
            } else if let Some(kind) = kind.strip_prefix("map<string, ").and_then(|k| k.strip_suffix('>')) {
                ("{", kind)
            } else {
                ("", kind.trim_start_matches("optional "))
            };
            let scalar = match kind {
                "string" => Some("s"),
                "bytes" => Some("y"),
                "bool" => Some("b"),
                "int32" | "int64" | "uint32" | "uint64" => Some("i"),
                "double" => Some("f"),
                _ => None,
            };
            let uses = scalar.is_none().then(|| {
                let kind = kind.trim_start_matches('.');
                if kind.contains('.') {
                    short(kind)
                } else {
                    format!("{package}.{kind}")
                }
            });
            let shape = format!(
                "{wrap}{}",
                scalar.map_or_else(|| uses.clone().unwrap_or_default(), str::to_owned)
            );
            messages.entry(message.clone()).or_default().push(Field {
                number,
                name: name.to_owned(),
                shape,
                uses,
            });
        }
    }
    Ok(())
}

/// `core.v1.Container` for `k8s.io.api.core.v1.Container`: the names of the schema table.
fn short(name: &str) -> String {
    let prefixes = [
        "k8s.io.api.",
        "k8s.io.apimachinery.pkg.apis.",
        "k8s.io.apimachinery.pkg.",
    ];
    prefixes
        .iter()
        .find_map(|p| name.strip_prefix(p))
        .unwrap_or(name)
        .to_owned()
}
