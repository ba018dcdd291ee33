//! What templates see beside the values: `.Chart`, `.Files`, `.Capabilities`, `.Release`.

use std::any::Any;
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pintle_gotmpl::{
    Call, FuncError, Host, LIST_STRING, List, ListType, MAP_ANY, MAP_STRING, Map, MapType, Method, Signature, Str,
    Type, Value, quoted,
};
use pintle_model::glob::Glob;
use pintle_yaml::Yaml;

use super::capabilities::{Capabilities, GO_VERSION, HELM_VERSION, KUBE_CLIENT_VERSION, KubeVersion, UNREADABLE};
use super::chart::ChartFile;
use super::convert::{from_model, to_data};
use super::dependency::Instance;
use super::metadata::Dependency;
use super::octets;

/// `.Chart`: the fields of `Chart.yaml` under their Go names.
pub(crate) fn chart(instance: &Instance, is_root: bool) -> Value {
    let data = &instance.data.metadata;
    let text = |text: &str| Value::str(text);
    // Helm makes untyped lists of them, empty where there are none.
    let texts = |items: &[String]| Value::list(items.iter().map(|item| Value::str(item.as_str())).collect());
    Value::map([
        ("Name", text(instance.name())),
        ("Home", text(&data.home)),
        ("Sources", texts(&data.sources)),
        ("Version", text(&data.version)),
        ("Description", text(&data.description)),
        ("Keywords", texts(&data.keywords)),
        (
            "Maintainers",
            Value::list(
                data.maintainers
                    .iter()
                    .map(|m| {
                        Value::map([
                            ("Name", text(&m.name)),
                            ("Email", text(&m.email)),
                            ("URL", text(&m.url)),
                        ])
                    })
                    .collect(),
            ),
        ),
        ("Icon", text(&data.icon)),
        ("APIVersion", text(&data.api_version)),
        ("Condition", text(&data.condition)),
        ("Tags", text(&data.tags)),
        ("AppVersion", text(&data.app_version)),
        ("Deprecated", Value::Bool(data.deprecated)),
        (
            "Annotations",
            Value::Map(match &data.annotations {
                Some(entries) => Map::strings(entries.iter().map(|(k, v)| (k.as_str(), v.as_str()))),
                None => Map::nil(&MAP_STRING),
            }),
        ),
        ("KubeVersion", text(&data.kube_version)),
        (
            "Dependencies",
            Value::list(instance.wanted.iter().flatten().map(dependency).collect()),
        ),
        ("Type", text(&data.chart_type)),
        ("IsRoot", Value::Bool(is_root)),
    ])
}

fn dependency(data: &Dependency) -> Value {
    let text = |text: &str| Value::str(text);
    Value::map([
        ("Name", text(&data.name)),
        ("Version", text(&data.version)),
        ("Repository", text(&data.repository)),
        ("Condition", text(&data.condition)),
        ("Tags", Value::list(data.tags.iter().map(|tag| text(tag)).collect())),
        ("Enabled", Value::Bool(data.enabled)),
        (
            "ImportValues",
            Value::list(data.import_values.iter().map(from_model).collect()),
        ),
        ("Alias", text(&data.alias)),
    ])
}

/// `.Files`: names to contents, with methods.
pub(crate) fn files(files: &[ChartFile]) -> Value {
    Value::Map(Map::typed(
        &FILES,
        files.iter().map(|f| (f.name.clone(), Value::bytes(&f.bytes))),
    ))
}

static FILES: MapType = MapType {
    name: "engine.files",
    named: true,
    elem: Type::Bytes,
    methods: &[
        Method {
            name: "Get",
            params: &[Type::String],
            variadic: false,
            call: |_, files, args| Ok(Value::Str(Str::from_bytes(&contents(files, args)))),
        },
        Method {
            name: "GetBytes",
            params: &[Type::String],
            variadic: false,
            call: |_, files, args| Ok(Value::bytes(&contents(files, args))),
        },
        Method {
            name: "Glob",
            params: &[Type::String],
            variadic: false,
            call: glob,
        },
        Method {
            name: "AsConfig",
            params: &[],
            variadic: false,
            call: |call, files, _| as_yaml(call, files, |bytes| octets::lossy(bytes).into_owned()),
        },
        Method {
            name: "AsSecrets",
            params: &[],
            variadic: false,
            call: |call, files, _| as_yaml(call, files, |bytes| STANDARD.encode(bytes)),
        },
        Method {
            name: "Lines",
            params: &[Type::String],
            variadic: false,
            call: lines,
        },
    ],
};

fn argument(args: &[Value]) -> Str {
    args.first().and_then(Value::as_text).cloned().unwrap_or_default()
}

fn contents(files: &Value, args: &[Value]) -> Vec<u8> {
    match files.as_map().and_then(|map| map.get(argument(args))) {
        Some(Value::Bytes(bytes)) => bytes.to_vec(),
        _ => Vec::new(),
    }
}

fn glob(call: &mut Call<'_>, files: &Value, args: &[Value]) -> Result<Value, FuncError> {
    let pattern = argument(args);
    // A pattern that is none matches everything, as in Helm.
    let glob = Glob::with_separator(&pattern.to_str(), '/')
        .or_else(|_| Glob::with_separator("**", '/'))
        .map_err(|e| FuncError::new(e.to_string()))?;
    let entries = files.as_map().map(Map::entries).unwrap_or_default();
    call.charge_steps(entries.len() as u64)?;
    let matching = entries.into_iter().filter(|(name, _)| glob.is_match(&name.to_str()));
    Ok(Value::Map(Map::typed(&FILES, matching)))
}

fn as_yaml(call: &mut Call<'_>, files: &Value, write: fn(&[u8]) -> String) -> Result<Value, FuncError> {
    let mut entries = std::collections::BTreeMap::new();
    for (name, content) in files.as_map().map(Map::entries).unwrap_or_default() {
        if let Value::Bytes(bytes) = content {
            call.charge_bytes(bytes.len() as u64)?;
            let name = name.to_str();
            let base = name.rsplit('/').next().unwrap_or_default().to_owned();
            // Of equal names the last path counts; in Helm any one does.
            entries.insert(base, Yaml::String(write(&bytes)));
        }
    }
    let mut text = pintle_yaml::to_string(&Yaml::Map(entries.into_iter().collect()));
    if text.ends_with('\n') {
        text.pop();
    }
    Ok(Value::str(text))
}

fn lines(_: &mut Call<'_>, files: &Value, args: &[Value]) -> Result<Value, FuncError> {
    let bytes = match files.as_map().and_then(|map| map.get(argument(args))) {
        Some(Value::Bytes(bytes)) => bytes,
        _ => return Ok(Value::strings(Vec::<String>::new())),
    };
    if bytes.is_empty() {
        // Helm looks at the last byte without asking whether there is one.
        return Err("runtime error: index out of range [-1]".into());
    }
    let text = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let lines = text
        .split(|b| *b == b'\n')
        .map(|line| Value::Str(Str::from_bytes(line)));
    Ok(Value::List(List::of(&LIST_STRING, lines.collect())))
}

/// The type of `.`, `.Values` and `.Template`.
pub(crate) static VALUES: MapType = MapType {
    name: "common.Values",
    named: true,
    elem: Type::Any,
    methods: &[
        Method {
            name: "AsMap",
            params: &[],
            variadic: false,
            call: |_, values, _| {
                Ok(match values {
                    Value::Map(map) if !map.is_empty() => Value::Map(map.with_type(&MAP_ANY)),
                    _ => Value::Map(Map::new()),
                })
            },
        },
        Method {
            name: "Table",
            params: &[Type::String],
            variadic: false,
            call: |_, values, args| {
                let values = values.as_map().cloned().unwrap_or_default();
                table(&values, argument(args).to_str().split('.')).map(|map| Value::Map(map.with_type(&VALUES)))
            },
        },
        Method {
            name: "PathValue",
            params: &[Type::String],
            variadic: false,
            call: |_, values, args| path_value(values, &argument(args).to_str()),
        },
        Method {
            name: "Encode",
            // Nothing a template can reach is one.
            params: &[Type::Host("io.Writer")],
            variadic: false,
            call: |_, _, _| Ok(Value::Nil),
        },
        Method {
            name: "YAML",
            params: &[],
            variadic: false,
            call: |call, values, _| {
                let text = pintle_yaml::to_string(&to_data(call, values)?);
                call.charge_bytes(text.len() as u64)?;
                Ok(Value::str(text))
            },
        },
    ],
};

pub(crate) fn table<'a>(values: &Map, path: impl Iterator<Item = &'a str>) -> Result<Map, FuncError> {
    let mut table = values.clone();
    for name in path {
        table = match table.get(name) {
            Some(Value::Map(inner)) if matches!(inner.ty().name, "map[string]interface {}" | "common.Values") => inner,
            _ => return Err(FuncError::new(format!("{} is not a table", quoted(name)))),
        };
    }
    Ok(table)
}

fn path_value(values: &Value, path: &str) -> Result<Value, FuncError> {
    if path.is_empty() {
        return Err("YAML path cannot be empty".into());
    }
    let no_value = |key: &str| FuncError::new(format!("{} is not a value", quoted(key)));
    let is_table = |value: &Value| matches!(value, Value::Map(map) if map.ty().name == "map[string]interface {}");
    let values = values.as_map().cloned().unwrap_or_default();
    let Some((parents, last)) = path.rsplit_once('.') else {
        return values
            .get(path)
            .filter(|value| !is_table(value))
            .ok_or_else(|| no_value(path));
    };
    let table = table(&values, parents.split('.')).map_err(|_| no_value(last))?;
    table
        .get(last)
        .filter(|value| !is_table(value))
        .ok_or_else(|| no_value(last))
}

/// `.Capabilities`.
pub(crate) fn capabilities(capabilities: &Capabilities) -> Value {
    Value::host(CapabilitiesHost {
        kube_version: Value::host(KubeVersionHost {
            version: capabilities.kube_version.clone(),
            is_pointed_to: true,
        }),
        api_versions: Value::List(List::of(
            &VERSION_SET,
            capabilities
                .api_versions
                .iter()
                .map(|v| Value::str(v.as_str()))
                .collect(),
        )),
        helm_version: Value::host(HelmVersionHost),
    })
}

static VERSION_SET: ListType = ListType {
    name: "common.VersionSet",
    named: true,
    elem: Type::String,
    methods: &[Method {
        name: "Has",
        params: &[Type::String],
        variadic: false,
        call: |_, set, args| {
            let wanted = argument(args).to_str().into_owned();
            let lists = |text: &str| {
                set.as_list()
                    .is_some_and(|list| list.iter().any(|v| v.as_text().is_some_and(|v| v.to_str() == text)))
            };
            let has = lists(&wanted);
            // The kind of a group that did not answer: neither yes nor no is known.
            if !has
                && let Some((group_version, kind)) = wanted.rsplit_once('/')
                && lists(&format!("{UNREADABLE}{group_version}"))
            {
                return Err(FuncError::new(format!(
                    "the cluster does not say now whether {group_version} has the kind {kind}: discovery of that API group failed"
                )));
            }
            Ok(Value::Bool(has))
        },
    }],
};

/// Whether Go shows a field outside of its package.
fn is_exported(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
}

struct CapabilitiesHost {
    kube_version: Value,
    api_versions: Value,
    helm_version: Value,
}

impl Host for CapabilitiesHost {
    fn type_name(&self) -> &str {
        "*common.Capabilities"
    }

    fn field(&self, name: &str) -> Option<Value> {
        self.fields().into_iter().find(|(n, _)| *n == name).map(|(_, v)| v)
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("KubeVersion", self.kube_version.clone()),
            ("APIVersions", self.api_versions.clone()),
            ("HelmVersion", self.helm_version.clone()),
        ]
    }

    fn deep_copied(&self) -> Option<Rc<dyn Host>> {
        let kube_version = match &self.kube_version {
            Value::Host(host) => host.as_any().downcast_ref::<KubeVersionHost>()?,
            _ => return None,
        };
        Some(Rc::new(Self {
            kube_version: Value::host(kube_version.exported()),
            api_versions: self.api_versions.clone(),
            helm_version: self.helm_version.clone(),
        }))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

struct KubeVersionHost {
    version: KubeVersion,
    /// Whether it stands in `.Capabilities`, so that methods of the pointer are its own.
    is_pointed_to: bool,
}

impl KubeVersionHost {
    /// A copy of the fields that Go shows outside of its package.
    fn exported(&self) -> Self {
        Self {
            version: KubeVersion {
                normalized: String::new(),
                ..self.version.clone()
            },
            is_pointed_to: self.is_pointed_to,
        }
    }

    /// What `String` gives.
    fn said(&self) -> &str {
        match self.version.normalized.as_str() {
            "" => &self.version.version,
            normalized => normalized,
        }
    }
}

impl Host for KubeVersionHost {
    fn type_name(&self) -> &str {
        "common.KubeVersion"
    }

    fn field(&self, name: &str) -> Option<Value> {
        self.json_fields().into_iter().find(|(n, _)| *n == name).map(|(_, v)| v)
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("Version", Value::str(self.version.version.as_str())),
            ("normalizedVersion", Value::str(self.version.normalized.as_str())),
            ("Major", Value::str(self.version.major.as_str())),
            ("Minor", Value::str(self.version.minor.as_str())),
        ]
    }

    fn json_fields(&self) -> Vec<(&'static str, Value)> {
        self.fields()
            .into_iter()
            .filter(|(name, _)| is_exported(name))
            .collect()
    }

    fn text_is_of_pointer(&self) -> bool {
        self.is_pointed_to
    }

    fn copied(&self) -> Option<Rc<dyn Host>> {
        Some(Rc::new(Self {
            version: self.version.clone(),
            is_pointed_to: false,
        }))
    }

    fn deep_copied(&self) -> Option<Rc<dyn Host>> {
        Some(Rc::new(self.exported()))
    }

    fn method(&self, name: &str) -> Option<Signature> {
        (self.is_pointed_to && matches!(name, "String" | "GitVersion")).then_some(Signature {
            params: &[],
            variadic: false,
        })
    }

    fn call(&self, _: &mut Call<'_>, name: &str, _: &[Value]) -> Result<Value, FuncError> {
        Ok(Value::str(match name {
            "GitVersion" => self.version.version.as_str(),
            _ => self.said(),
        }))
    }

    fn text(&self) -> Option<String> {
        self.is_pointed_to.then(|| self.said().to_owned())
    }

    fn equal(&self, other: &dyn Host) -> bool {
        other
            .as_any()
            .downcast_ref::<Self>()
            .is_some_and(|other| other.version == self.version)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

struct HelmVersionHost;

impl Host for HelmVersionHost {
    fn type_name(&self) -> &str {
        "version.BuildInfo"
    }

    fn field(&self, name: &str) -> Option<Value> {
        self.fields().into_iter().find(|(n, _)| *n == name).map(|(_, v)| v)
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("Version", Value::str(HELM_VERSION)),
            // A build of ours has no commit of Helm's.
            ("GitCommit", Value::str("")),
            ("GitTreeState", Value::str("")),
            ("GoVersion", Value::str(GO_VERSION)),
            ("KubeClientVersion", Value::str(KUBE_CLIENT_VERSION)),
        ]
    }

    fn json_fields(&self) -> Vec<(&'static str, Value)> {
        // Empty ones are left out.
        vec![
            ("version", Value::str(HELM_VERSION)),
            ("go_version", Value::str(GO_VERSION)),
            ("kube_client_version", Value::str(KUBE_CLIENT_VERSION)),
        ]
    }

    fn equal(&self, other: &dyn Host) -> bool {
        other.as_any().is::<Self>()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
