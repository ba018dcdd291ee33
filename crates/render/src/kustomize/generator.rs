//! ConfigMaps and Secrets made of files, lines and literals, and the hash in their names.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use base64::Engine as _;
use pintle_yaml::{Node, Yaml, to_json_string};
use sha2::{Digest, Sha256};

use super::error::{Failure, Reason, Result};
use super::kustomization::{GeneratorArgs, GeneratorOptions};
use super::loader::Loader;
use super::resource::{Behavior, Resource};

/// Makes a ConfigMap or a Secret.
pub(super) fn generate(
    loader: &Loader<'_, '_, '_>,
    kind: &str,
    args: &GeneratorArgs,
    global: Option<&GeneratorOptions>,
) -> Result<Resource> {
    if args.name.is_empty() {
        return Err(Failure::invalid(
            "a configmap must have a name: set `name` of the generator",
        ));
    }
    let options = GeneratorOptions::merged(args.options.as_ref(), global);
    let data = load(loader, args).map_err(|e| e.within("loading KV pairs"))?;
    let mut node = Node::Map(vec![
        ("apiVersion".into(), Node::string("v1")),
        ("kind".into(), Node::string(kind)),
        (
            "metadata".into(),
            Node::Map(vec![("name".into(), Node::plain(args.name.clone()))]),
        ),
    ]);
    if let Some(metadata) = node.get_mut("metadata") {
        if !args.namespace.is_empty() {
            metadata.set("namespace", Node::plain(args.namespace.clone()));
        }
        for (field, pairs) in [("labels", &options.labels), ("annotations", &options.annotations)] {
            if !pairs.is_empty() {
                let pairs = pairs
                    .iter()
                    .map(|(k, v)| (k.clone(), Node::string(v.clone())))
                    .collect();
                metadata.set(field, Node::Map(pairs));
            }
        }
    }
    if kind == "Secret" {
        let secret_type = if args.secret_type.is_empty() {
            "Opaque"
        } else {
            &args.secret_type
        };
        node.set("type", Node::string(secret_type));
        let data = data
            .into_iter()
            .map(|(k, v)| (k, Node::string(base64_lines(&v))))
            .collect();
        node.set("data", Node::Map(data));
    } else {
        for (key, value) in data {
            let (field, text) = match String::from_utf8(value) {
                Ok(text) => ("data", text),
                Err(bytes) => ("binaryData", base64_lines(bytes.as_bytes())),
            };
            if let Some(map) = node.get_or_map(field) {
                map.set(&key, Node::string(text));
            }
        }
    }
    if options.immutable {
        node.set("immutable", Node::plain("true"));
    }
    let mut resource = Resource::new(node);
    resource.generated = true;
    resource.needs_hash = !options.disable_name_suffix_hash;
    resource.behavior = Behavior::of(&args.behavior);
    Ok(resource)
}

/// Base64 in lines of 70 characters, where there is more than one.
fn base64_lines(bytes: &[u8]) -> String {
    const LINE: usize = 70;
    let text = base64::engine::general_purpose::STANDARD.encode(bytes);
    if text.len() < LINE {
        return text;
    }
    let mut out = String::with_capacity(text.len() + text.len() / LINE + 1);
    for line in text.as_bytes().chunks(LINE) {
        out.push_str(&String::from_utf8_lossy(line));
        out.push('\n');
    }
    out
}

fn load(loader: &Loader<'_, '_, '_>, args: &GeneratorArgs) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut pairs: Vec<(String, Vec<u8>)> = Vec::new();
    for path in &args.envs {
        let content = loader
            .load(path)
            .map_err(|e| e.within(format_args!("env source files: {:?}", args.envs)))?;
        lines(&content, &mut pairs).map_err(|e| e.within(path))?;
    }
    for literal in &args.literals {
        let (key, value) = literal
            .split_once('=')
            .filter(|(key, _)| !key.is_empty())
            .ok_or_else(|| Failure::invalid("invalid literal source, expected key=value"))?;
        pairs.push((key.to_owned(), unquoted(value).as_bytes().to_vec()));
    }
    for source in &args.files {
        let (key, path) = file_source(source)?;
        let content = loader
            .load(path)
            .map_err(|e| e.within(format_args!("file sources: {:?}", args.files)))?;
        pairs.push((key.to_owned(), content.to_vec()));
    }
    let mut map = BTreeMap::new();
    for (key, value) in pairs {
        if map.insert(key.clone(), value).is_some() {
            let name = &args.name;
            return Err(Failure::invalid(format!(
                "configmap {name} illegally repeats the key `{key}`"
            )));
        }
    }
    Ok(map)
}

fn unquoted(value: &str) -> &str {
    ['"', '\'']
        .iter()
        .find_map(|q| value.strip_prefix(*q).and_then(|v| v.strip_suffix(*q)))
        .unwrap_or(value)
}

/// `key=path`, or a path whose last part is the key.
fn file_source(source: &str) -> Result<(&str, &str)> {
    match source.split_once('=') {
        None => {
            let path = source.trim_end_matches('/');
            Ok((path.rsplit_once('/').map_or(path, |(_, name)| name), source))
        }
        Some((key, path)) if key.is_empty() || path.is_empty() || path.contains('=') => {
            let problem = if key.is_empty() {
                "missing key name"
            } else if path.is_empty() {
                "missing file path"
            } else {
                "key name or file path contains '='"
            };
            Err(Failure::invalid(format!(
                "{problem} in file source {source:?}; write `key=path`"
            )))
        }
        Some(pair) => Ok(pair),
    }
}

fn lines(content: &[u8], pairs: &mut Vec<(String, Vec<u8>)>) -> Result<()> {
    for (at, line) in content.split(|b| *b == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = std::str::from_utf8(line)
            .map_err(|_| Failure::invalid(format!("line {} has invalid utf8 bytes", at + 1)))?;
        let line = if at == 0 {
            line.trim_start_matches('\u{feff}')
        } else {
            line
        };
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (key, value) = line.split_once('=').unwrap_or((line, ""));
        if !key.is_empty() {
            pairs.push((key.to_owned(), value.as_bytes().to_vec()));
        }
    }
    Ok(())
}

/// Puts the hash of its content behind the name of an object that wants it.
pub(super) fn add_hash(resource: &mut Resource) -> Result<()> {
    if resource.needs_hash {
        let hash = hash(resource)?;
        resource.store_previous_id();
        let name = format!("{}-{hash}", resource.name());
        resource.set_name(&name);
    }
    Ok(())
}

/// The hash of a generated object's content.
pub(super) fn hash(resource: &Resource) -> Result<String> {
    let bad = |e: pintle_yaml::Error| Failure::invalid(format!("{}: {e}", resource.id()));
    let node = &resource.node;
    let value = |field: &str| match node.get(field) {
        None => Ok(Yaml::String(String::new())),
        Some(Node::Scalar(s)) => Ok(Yaml::String(s.text.clone())),
        Some(other) => other.to_yaml(),
    };
    let kind = resource.kind();
    // Kustomize looks the name up in the wrong place and hashes an empty one.
    let name = ("name".to_owned(), Yaml::String(String::new()));
    let named = ("kind".to_owned(), Yaml::String(kind.to_owned()));
    let mut fields = match kind {
        "ConfigMap" => vec![named, name, ("data".to_owned(), value("data").map_err(bad)?)],
        "Secret" => vec![
            named,
            name,
            ("data".to_owned(), value("data").map_err(bad)?),
            ("type".to_owned(), value("type").map_err(bad)?),
        ],
        // Kustomize hashes what it keeps of the text, places of lines and ways of writing among it.
        _ => {
            let message = format!(
                "{}: a generated object became another kind, whose hash cannot be made natively; set disableNameSuffixHash",
                resource.id()
            );
            return Err(Failure::new(Reason::Unsupported, message));
        }
    };
    let extra = if kind == "Secret" { "stringData" } else { "binaryData" };
    if let Some(map @ Node::Map(_)) = node.get(extra) {
        fields.push((extra.to_owned(), map.to_yaml().map_err(bad)?));
    }
    fields.sort_by(|a, b| a.0.cmp(&b.0));
    let text = to_json_string(&Yaml::Map(fields));
    let mut hex = String::with_capacity(10);
    for byte in Sha256::digest(text.as_bytes()).iter().take(5) {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    let letter = |c: char| match c {
        '0' => 'g',
        '1' => 'h',
        '3' => 'k',
        'a' => 'm',
        'e' => 't',
        other => other,
    };
    Ok(hex.chars().map(letter).collect())
}
