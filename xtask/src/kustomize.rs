//! `codegen kustomize`: writes `crates/render/schema/kustomize-*.txt`, what is built into the Kustomize that `tests/kustomize/go.mod` pins.
//!
//! ```text
//! kyaml's OpenAPI definitions (tests/kustomize/definitions)   patch strategies and what leads to them -> kustomize-1.21.2.txt
//! sigs.k8s.io/kustomize/api, builtinpluginconsts/*.go         field specs of the transformers         -> kustomize-fields.txt
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value as Json;

use crate::schema::{module, short as short_name};

/// The release of Kubernetes whose types Kustomize carries.
const KUBERNETES: &str = "1.21.2";
/// The files with field specs, in the order in which Kustomize reads them.
const FIELD_SPECS: [&str; 10] = [
    "nameprefix",
    "namesuffix",
    "commonlabels",
    "templatelabels",
    "commonannotations",
    "namespace",
    "varreference",
    "namereference",
    "images",
    "replicas",
];
/// The file that others end with.
const METADATA_LABELS: &str = "metadatalabels";

/// Writes both tables under `root`, the workspace's folder. Needs the `go` command and, once, its module proxy.
pub fn run(root: &Path) -> Result<(), String> {
    let pins = root.join("tests/kustomize");
    let text = fs::read_to_string(pins.join("go.mod")).map_err(|e| format!("go.mod: {e}"))?;
    let pinned = |name: &str| {
        let mut lines = text.lines().map(str::trim);
        lines
            .find_map(|line| line.strip_prefix(name)?.trim().strip_prefix('v'))
            .map(str::to_owned)
            .ok_or_else(|| format!("tests/kustomize/go.mod does not name {name}"))
    };
    let definitions = definitions(&pins)?;
    write(root, &format!("kustomize-{KUBERNETES}.txt"), &types(&definitions)?)?;
    let api = module("sigs.k8s.io/kustomize/api", &pinned("sigs.k8s.io/kustomize/api ")?)?;
    let release = pinned("sigs.k8s.io/kustomize/kustomize/v5 ")?;
    let fields = field_specs(&api.join("internal/konfig/builtinpluginconsts"), &release)?;
    write(root, "kustomize-fields.txt", &fields)
}

fn write(root: &Path, file: &str, text: &str) -> Result<(), String> {
    let path = root.join("crates/render/schema").join(file);
    fs::write(&path, text).map_err(|e| format!("write {}: {e}", path.display()))
}

fn definitions(pins: &Path) -> Result<Json, String> {
    #[allow(clippy::disallowed_methods)] // A chore on the developer's machine: nothing to limit.
    let output = std::process::Command::new("go")
        .args(["run", "./definitions"])
        .current_dir(pins)
        .output()
        .map_err(|e| format!("run go: {e}"))?;
    if !output.status.success() {
        return Err(format!(
            "go run ./definitions: {}",
            String::from_utf8_lossy(&output.stderr)
        ));
    }
    serde_json::from_slice(&output.stdout).map_err(|e| format!("go run ./definitions: {e}"))
}

/// One field of a type: what it holds, and how a patch merges it.
struct Field {
    /// `[` for a list, `{` for a map.
    mark: &'static str,
    /// The type that it holds; `None` for a scalar.
    of: Option<String>,
    strategy: Option<String>,
    keys: Vec<String>,
}

impl Field {
    fn read(property: &Json) -> Self {
        let (mark, inner) = match property["type"].as_str() {
            Some("array") => ("[", &property["items"]),
            Some("object") if property["additionalProperties"].is_object() => ("{", &property["additionalProperties"]),
            _ => ("", property),
        };
        let texts = |list: &Json| {
            let list = list.as_array()?;
            Some(list.iter().filter_map(Json::as_str).map(str::to_owned).collect())
        };
        let key = || property["x-kubernetes-patch-merge-key"].as_str().map(str::to_owned);
        Self {
            mark,
            of: inner["$ref"].as_str().map(short),
            strategy: property["x-kubernetes-patch-strategy"].as_str().map(str::to_owned),
            keys: texts(&property["x-kubernetes-list-map-keys"]).unwrap_or_else(|| key().into_iter().collect()),
        }
    }

    fn merges(&self) -> bool {
        let strategy = self.strategy.as_deref().unwrap_or_default();
        strategy.split(',').any(|s| s == "merge")
    }

    /// Whether a merge goes on inside: into lists only where they are merged by element.
    fn leads_on(&self, kept: &BTreeSet<String>) -> bool {
        (self.mark != "[" || self.merges()) && self.of.as_ref().is_some_and(|of| kept.contains(of))
    }
}

/// `#/definitions/io.k8s.api.core.v1.Pod` -> `core.v1.Pod`.
fn short(reference: &str) -> String {
    short_name(reference.strip_prefix("#/definitions/").unwrap_or(reference))
}

/// The table of types.
fn types(definitions: &Json) -> Result<String, String> {
    let definitions = definitions.as_object().ok_or("the definitions are no object")?;
    let mut fields: BTreeMap<String, BTreeMap<&str, Field>> = BTreeMap::new();
    let mut kinds: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, definition) in definitions {
        let properties = definition["properties"].as_object().into_iter().flatten();
        let own = properties.map(|(field, property)| (field.as_str(), Field::read(property)));
        fields.insert(short(name), own.collect());
        let list = definition["x-kubernetes-group-version-kind"].as_array();
        let list = list.map_or(&[][..], Vec::as_slice);
        let part = |kind: &Json, key: &str| kind[key].as_str().unwrap_or_default().to_owned();
        let list = list.iter().map(|kind| {
            format!(
                "{}/{}/{}",
                part(kind, "group"),
                part(kind, "version"),
                part(kind, "kind")
            )
        });
        kinds.insert(short(name), list.collect());
    }
    // Types with a merge in them, then those that lead to one.
    let mut kept: BTreeSet<String> = BTreeSet::new();
    loop {
        let more: Vec<String> = fields
            .iter()
            .filter(|(name, own)| {
                !kept.contains(*name) && own.values().any(|f| f.strategy.is_some() || f.leads_on(&kept))
            })
            .map(|(name, _)| name.clone())
            .collect();
        if more.is_empty() {
            break;
        }
        kept.extend(more);
    }
    let mut out = format!(
        "# Where strategic merge patches of Kustomize merge by element: the fields of the OpenAPI document of Kubernetes v{KUBERNETES} that carry a\n\
         # patch strategy, and those that lead to one. A line per type with its group/version/kind names; below it `field type [strategy [keys]]`,\n\
         # `[` for a list, `{{` for a map, `-` for a scalar. Written by `cargo xtask codegen kustomize`.\n"
    );
    for (name, own) in fields.iter().filter(|(name, _)| kept.contains(*name)) {
        let kinds = kinds.get(name).map(Vec::as_slice).unwrap_or_default();
        // Types that belong to every group (DeleteOptions, WatchEvent) are never objects of their own.
        let kinds: &[String] = if kinds.len() <= 2 { kinds } else { &[] };
        let mut words = vec![name.as_str()];
        words.extend(kinds.iter().map(String::as_str));
        let _ = writeln!(out, "{}", words.join(" "));
        for (field, value) in own {
            if value.strategy.is_none() && !value.leads_on(&kept) {
                continue;
            }
            let _ = write!(out, " {field} {}{}", value.mark, value.of.as_deref().unwrap_or("-"));
            if let Some(strategy) = &value.strategy {
                let _ = write!(out, " {strategy}");
                if !value.keys.is_empty() {
                    let _ = write!(out, " {}", value.keys.join(","));
                }
            }
            out.push('\n');
        }
    }
    Ok(out)
}

/// The table of field specs.
fn field_specs(folder: &Path, release: &str) -> Result<String, String> {
    let mut out = format!(
        "# The field specs built into Kustomize v{release}: `section group version kind path create`, `-` for any or none. A name reference\n\
         # starts with the group, version and kind of the object that is referred to. Written by `cargo xtask codegen kustomize`.\n"
    );
    let (labels, _) = constant(folder, METADATA_LABELS)?;
    for file in FIELD_SPECS {
        let (mut text, goes_on) = constant(folder, file)?;
        if goes_on {
            text.push_str(&labels);
        }
        let yaml = pintle_yaml::parse(&text).map_err(|e| format!("{file}.go: {e}"))?;
        let json: Json = serde_json::from_str(&pintle_yaml::to_json_string(&yaml)).map_err(|e| e.to_string())?;
        for (section, list) in json.as_object().ok_or_else(|| format!("{file}.go holds no map"))? {
            for entry in list.as_array().into_iter().flatten() {
                match entry["fieldSpecs"].as_array() {
                    Some(specs) => {
                        for spec in specs {
                            let _ = writeln!(out, "{section} {} {}", gvk(entry), spec_line(spec));
                        }
                    }
                    None => {
                        let _ = writeln!(out, "{section} {}", spec_line(entry));
                    }
                }
            }
        }
    }
    Ok(out)
}

fn gvk(entry: &Json) -> String {
    let part = |key: &str| entry[key].as_str().unwrap_or("-");
    format!("{} {} {}", part("group"), part("version"), part("kind"))
}

fn spec_line(spec: &Json) -> String {
    let create = if spec["create"] == true { "create" } else { "-" };
    format!("{} {} {create}", gvk(spec), spec["path"].as_str().unwrap_or_default())
}

/// The text of the one constant of a Go file, and whether the labels of metadata are put behind it.
fn constant(folder: &Path, file: &str) -> Result<(String, bool), String> {
    let path = folder.join(format!("{file}.go"));
    let source = fs::read_to_string(&path).map_err(|e| format!("read {}: {e}", path.display()))?;
    let parts: Vec<&str> = source.split('`').collect();
    let [_, text, rest] = parts.as_slice() else {
        return Err(format!("{} holds other than one text", path.display()));
    };
    Ok(((*text).to_owned(), rest.contains("+ metadataLabelsFieldSpecs")))
}
