//! `codegen schema`: writes `crates/merge/schema/builtin.txt`, the table of Kubernetes' built-in types.
//!
//! ```text
//! k8s.io/kubernetes   swagger.json (v2)   types, fields, patch and list keys, kinds
//!                     v3/*.json           defaults                                    -> builtin.txt
//! k8s.io/api, …       *types*.go          which fields are pointers
//! ```
//!
//! Which fields are pointers is in no OpenAPI document, yet it decides whether an absent field and a zero mean the same:
//! `hostNetwork: false` is dropped by the server, `automountServiceAccountToken: false` is kept.
//! The format of the table is described where it is read, in `crates/merge/src/schema/table.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

/// The release the table is made from; the same one that `tests/controlplane/` runs.
const KUBERNETES: &str = "1.36.3";
/// The staging modules of that release that define types.
pub(crate) const STAGING: &str = "0.36.3";

/// Where the Go packages of types lie: prefix of the definition's name, module, folder of the packages in it.
const PACKAGES: &[(&str, &str, &str)] = &[
    ("io.k8s.api.", "k8s.io/api", ""),
    ("io.k8s.apimachinery.pkg.apis.", "k8s.io/apimachinery", "pkg/apis"),
    ("io.k8s.apimachinery.pkg.", "k8s.io/apimachinery", "pkg"),
    (
        "io.k8s.apiextensions-apiserver.pkg.apis.",
        "k8s.io/apiextensions-apiserver",
        "pkg/apis",
    ),
    ("io.k8s.kube-aggregator.pkg.apis.", "k8s.io/kube-aggregator", "pkg/apis"),
];

/// Types that mean more than their JSON type says, with their short names in the table.
const SPECIAL: &[(&str, &str)] = &[
    ("io.k8s.apimachinery.pkg.api.resource.Quantity", "q"),
    ("io.k8s.apimachinery.pkg.util.intstr.IntOrString", "x"),
    ("io.k8s.apimachinery.pkg.apis.meta.v1.Time", "t"),
    ("io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime", "u"),
    ("io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1", "a"),
    ("io.k8s.apimachinery.pkg.apis.meta.v1.Patch", "a"),
    ("io.k8s.apimachinery.pkg.runtime.RawExtension", "a"),
];

/// Writes the table under `root`, the workspace's folder. Needs the `go` command and, once, its module proxy.
pub fn run(root: &Path) -> Result<(), String> {
    let kubernetes = module("k8s.io/kubernetes", KUBERNETES)?;
    let spec = kubernetes.join("api/openapi-spec");
    let swagger = read_json(&spec.join("swagger.json"))?;
    let definitions = swagger["definitions"]
        .as_object()
        .ok_or("swagger.json has no definitions")?;
    let defaults = defaults(&spec.join("v3"))?;
    let mut go = GoTypes::default();

    let mut out = format!(
        "# Types of Kubernetes {KUBERNETES}, written by `cargo xtask codegen schema`. Read by crates/merge/src/schema/table.rs.\n"
    );
    for (name, definition) in definitions {
        if SPECIAL.iter().any(|(special, _)| special == name) {
            continue;
        }
        write_type(&mut out, name, definition, &defaults, &mut go)?;
    }
    let path = root.join("crates/merge/schema/builtin.txt");
    fs::write(&path, &out).map_err(|e| format!("write {}: {e}", path.display()))
}

fn write_type(
    out: &mut String,
    name: &str,
    definition: &Json,
    defaults: &BTreeMap<(String, String), Json>,
    go: &mut GoTypes,
) -> Result<(), String> {
    let _ = write!(out, "{}", short(name));
    if definition["x-kubernetes-map-type"] == "atomic" {
        out.push_str(" atomic");
    }
    // Types that belong to every group (DeleteOptions, WatchEvent) are never objects of their own.
    let kinds = definition["x-kubernetes-group-version-kind"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    if kinds.len() <= 2 {
        for kind in kinds {
            let part = |key: &str| kind[key].as_str().unwrap_or_default().to_owned();
            let _ = write!(out, " {}/{}/{}", part("group"), part("version"), part("kind"));
        }
    }
    out.push('\n');
    let required: BTreeSet<&str> = definition["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Json::as_str)
        .collect();
    let Some(properties) = definition["properties"].as_object() else {
        return Ok(());
    };
    let go_fields = go.fields(name)?;
    for (field, property) in properties {
        let _ = write!(out, " {field}");
        if required.contains(field.as_str()) {
            out.push('*');
        }
        match go_fields.get(field) {
            Some(GoField { pointer: true }) => {}
            Some(GoField { pointer: false }) => out.push('='),
            None => return Err(format!("{name}.{field} is in swagger.json and not in the Go source")),
        }
        let _ = write!(out, " {}", shape(name, property));
        let list = |key: &str| {
            let items = property[key]
                .as_array()?
                .iter()
                .filter_map(Json::as_str)
                .collect::<Vec<_>>();
            Some(items.join(","))
        };
        if let Some(kind) = property["x-kubernetes-list-type"].as_str() {
            match list("x-kubernetes-list-map-keys") {
                Some(keys) => write!(out, " list={kind}:{keys}"),
                None => write!(out, " list={kind}"),
            }
            .map_err(|e| e.to_string())?;
        }
        if let Some(map) = property["x-kubernetes-map-type"].as_str() {
            let _ = write!(out, " map={map}");
        }
        if let Some(strategy) = property["x-kubernetes-patch-strategy"].as_str() {
            let _ = write!(out, " patch={strategy}");
        }
        if let Some(key) = property["x-kubernetes-patch-merge-key"].as_str() {
            let _ = write!(out, " key={key}");
        }
        if let Some(default) = defaults.get(&(name.to_owned(), field.clone())) {
            let _ = write!(out, " default={default}");
        }
        out.push('\n');
    }
    Ok(())
}

/// The shape of a field as the table writes it.
fn shape(of: &str, property: &Json) -> String {
    if let Some(reference) = property["$ref"].as_str() {
        let name = reference.trim_start_matches("#/definitions/");
        if let Some((_, letter)) = SPECIAL.iter().find(|(special, _)| *special == name) {
            return (*letter).to_owned();
        }
        // A type of the same package is named by its last part only.
        return match (name.rsplit_once('.'), of.rsplit_once('.')) {
            (Some((package, last)), Some((own, _))) if package == own => format!(".{last}"),
            _ => short(name),
        };
    }
    match (property["type"].as_str(), property["format"].as_str()) {
        (Some("array"), _) => format!("[{}", shape(of, &property["items"])),
        (Some("object"), _) if property["additionalProperties"].is_object() => {
            format!("{{{}", shape(of, &property["additionalProperties"]))
        }
        (Some("string"), Some("byte")) => "y".to_owned(),
        (Some("string"), Some("date-time")) => "t".to_owned(),
        (Some("string"), _) => "s".to_owned(),
        (Some("integer"), Some("int64")) => "l".to_owned(),
        (Some("integer"), _) => "i".to_owned(),
        (Some("number"), _) => "f".to_owned(),
        (Some("boolean"), _) => "b".to_owned(),
        _ => "a".to_owned(),
    }
}

/// `io.k8s.api.core.v1.Pod` -> `core.v1.Pod`.
pub(crate) fn short(name: &str) -> String {
    PACKAGES
        .iter()
        .find_map(|(prefix, _, _)| name.strip_prefix(prefix))
        .unwrap_or(name)
        .to_owned()
}

/// The defaults that the v3 documents state, those that are zero values left out.
fn defaults(v3: &Path) -> Result<BTreeMap<(String, String), Json>, String> {
    let mut found = BTreeMap::new();
    let entries = fs::read_dir(v3).map_err(|e| format!("read {}: {e}", v3.display()))?;
    for entry in entries {
        let path = entry.map_err(|e| e.to_string())?.path();
        if path.extension().is_none_or(|e| e != "json") {
            continue;
        }
        let document = read_json(&path)?;
        let schemas = document["components"]["schemas"].as_object();
        for (name, schema) in schemas.into_iter().flatten() {
            for (field, property) in schema["properties"].as_object().into_iter().flatten() {
                let default = &property["default"];
                let zero = match default {
                    Json::Null | Json::Bool(false) => true,
                    Json::Number(n) => n.as_f64() == Some(0.0),
                    Json::String(s) => s.is_empty(),
                    Json::Array(a) => a.is_empty(),
                    Json::Object(o) => o.is_empty(),
                    Json::Bool(true) => false,
                };
                if !zero {
                    found.insert((name.clone(), field.clone()), default.clone());
                }
            }
        }
    }
    Ok(found)
}

/// One field of a Go struct.
#[derive(Clone, Copy)]
struct GoField {
    pointer: bool,
}

/// One Go struct as written: its JSON fields and the structs it inlines.
#[derive(Clone, Default)]
struct GoStruct {
    fields: BTreeMap<String, GoField>,
    inlined: Vec<String>,
}

/// Go packages of types, read once each.
#[derive(Default)]
struct GoTypes {
    modules: BTreeMap<&'static str, PathBuf>,
    packages: BTreeMap<String, BTreeMap<String, GoStruct>>,
}

impl GoTypes {
    /// The JSON fields of the struct behind a definition, inlined structs included.
    fn fields(&mut self, definition: &str) -> Result<BTreeMap<String, GoField>, String> {
        let (package, name) = definition
            .rsplit_once('.')
            .ok_or_else(|| format!("no package in {definition}"))?;
        let own = self
            .package(package)?
            .get(name)
            .cloned()
            .ok_or_else(|| format!("no struct {definition}"))?;
        let mut fields = own.fields;
        for inlined in own.inlined {
            fields.extend(self.inlined(package, &inlined)?);
        }
        Ok(fields)
    }

    /// The fields of a struct named in `package`: `metav1.TypeMeta` is of another package, a bare name is of this one.
    fn inlined(&mut self, package: &str, name: &str) -> Result<BTreeMap<String, GoField>, String> {
        let group = package.rsplit_once('.').map_or(package, |(group, _)| group);
        match name.split_once('.') {
            None => self.fields(&format!("{package}.{name}")),
            Some(("metav1", last)) => self.fields(&format!("io.k8s.apimachinery.pkg.apis.meta.v1.{last}")),
            // `v1` is the group's own v1 where it has that type, and core/v1 elsewhere.
            Some(("v1", last)) => self
                .fields(&format!("{group}.v1.{last}"))
                .or_else(|_| self.fields(&format!("io.k8s.api.core.v1.{last}"))),
            Some(("corev1", last)) => self.fields(&format!("io.k8s.api.core.v1.{last}")),
            Some(_) => Err(format!("{name} in {package} is of an unknown package")),
        }
    }

    fn package(&mut self, package: &str) -> Result<&BTreeMap<String, GoStruct>, String> {
        if !self.packages.contains_key(package) {
            let (rest, name, folder) = PACKAGES
                .iter()
                .find_map(|(prefix, module, folder)| Some((package.strip_prefix(prefix)?, *module, *folder)))
                .ok_or_else(|| format!("no module for {package}"))?;
            if !self.modules.contains_key(name) {
                self.modules.insert(name, module(name, STAGING)?);
            }
            let folder = self
                .modules
                .get(name)
                .ok_or("module")?
                .join(folder)
                .join(rest.replace('.', "/"));
            let mut structs = BTreeMap::new();
            for entry in fs::read_dir(&folder).map_err(|e| format!("read {}: {e}", folder.display()))? {
                let path = entry.map_err(|e| e.to_string())?.path();
                let file = path.file_name().and_then(|f| f.to_str()).unwrap_or_default();
                if file.ends_with(".go") && !file.ends_with("_test.go") && !file.contains("generated") {
                    read_structs(&fs::read_to_string(&path).map_err(|e| e.to_string())?, &mut structs);
                }
            }
            self.packages.insert(package.to_owned(), structs);
        }
        self.packages
            .get(package)
            .ok_or_else(|| format!("no package {package}"))
    }
}

/// Collects the structs of one Go file. The files are formatted by gofmt, so a struct starts and ends at the line's start.
fn read_structs(source: &str, structs: &mut BTreeMap<String, GoStruct>) {
    let mut current: Option<(String, GoStruct)> = None;
    for line in source.lines() {
        if let Some(name) = line.strip_prefix("type ").and_then(|l| l.strip_suffix(" struct {")) {
            current = Some((name.to_owned(), GoStruct::default()));
        } else if line == "}" {
            structs.extend(current.take());
        } else if let Some((name, target)) = alias(line) {
            // A type that is another one under a new name has that one's fields.
            structs.insert(
                name.to_owned(),
                GoStruct {
                    inlined: vec![target.to_owned()],
                    ..GoStruct::default()
                },
            );
        } else if let Some((_, body)) = &mut current
            && let Some((before, tag)) = line.trim().split_once('`')
            && let Some((_, json)) = tag.split_once("json:\"")
            && let Some((json, _)) = json.split_once('"')
        {
            let words: Vec<&str> = before.split_whitespace().collect();
            match (json.split(',').next().unwrap_or_default(), words.as_slice()) {
                ("-", _) => {}
                ("", [embedded]) => body.inlined.push(embedded.trim_start_matches('*').to_owned()),
                (name, [_, kind, ..]) => {
                    body.fields.insert(
                        name.to_owned(),
                        GoField {
                            pointer: kind.starts_with('*'),
                        },
                    );
                }
                // An embedded struct with a name of its own in JSON.
                (name, [kind]) => {
                    body.fields.insert(
                        name.to_owned(),
                        GoField {
                            pointer: kind.starts_with('*'),
                        },
                    );
                }
                _ => {}
            }
        }
    }
}

/// Reads `type A B`, `type A = p.B`, and the same inside a `type ( … )` group.
fn alias(line: &str) -> Option<(&str, &str)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        ["type", name, "=", target] | ["type", name, target] | [name, "=", target] => Some((*name, *target)),
        _ => None,
    }
    .filter(|(_, target)| target.ends_with(|c: char| c.is_ascii_alphanumeric()))
}

/// The folder of a Go module, downloaded if it is not there.
pub(crate) fn module(name: &str, version: &str) -> Result<PathBuf, String> {
    #[allow(clippy::disallowed_methods)] // A chore on the developer's machine: nothing to limit.
    let output = std::process::Command::new("go")
        .args(["mod", "download", "-json", &format!("{name}@v{version}")])
        .current_dir(std::env::temp_dir())
        .output()
        .map_err(|e| format!("run go: {e}"))?;
    let answer: Json = serde_json::from_slice(&output.stdout).map_err(|e| format!("go mod download {name}: {e}"))?;
    match (answer["Dir"].as_str(), answer["Error"].as_str()) {
        (Some(dir), None) => Ok(PathBuf::from(dir)),
        (_, error) => Err(format!(
            "go mod download {name}@v{version}: {}",
            error.unwrap_or("no folder")
        )),
    }
}

fn read_json(path: &Path) -> Result<Json, String> {
    let text = fs::read(path).map_err(|e| format!("read {}: {e}", path.display()))?;
    serde_json::from_slice(&text).map_err(|e| format!("{}: {e}", path.display()))
}
