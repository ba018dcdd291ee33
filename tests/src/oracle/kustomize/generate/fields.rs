//! Fields of a kustomization, one function each.

use serde_json::{Map, Value, json};

use super::super::super::random::Random;
use super::Layer;
use super::objects::{NAMES, NAMESPACES, pairs};
use super::patches::{self, target};
use super::yaml::{print, raw};

/// Names, namespace, labels, annotations, images and replicas: each with its own chance.
pub(super) fn common(random: &mut Random, layer: &mut Layer, percent: usize) {
    let fields: [fn(&mut Random, &mut Layer); 7] = [
        prefix,
        suffix,
        namespace,
        labels,
        common_labels,
        common_annotations,
        images,
    ];
    for field in fields {
        if random.chance(percent) {
            field(random, layer);
        }
    }
    // Refused where no object of that name has replicas, and then nothing else is seen.
    if random.chance(percent / 8) {
        replicas(random, layer);
    }
}

fn prefix(random: &mut Random, layer: &mut Layer) {
    layer.set("namePrefix", json!(random.pick(&["pre-", "x-", "p1-"])));
}

fn suffix(random: &mut Random, layer: &mut Layer) {
    layer.set("nameSuffix", json!(random.pick(&["-suf", "-s", "-2"])));
}

fn namespace(random: &mut Random, layer: &mut Layer) {
    layer.set("namespace", json!(random.pick(&NAMESPACES)));
}

fn labels(random: &mut Random, layer: &mut Layer) {
    let count = 1 + random.below(2);
    let list = (0..count).map(|_| {
        let mut label = json!({ "pairs": pairs(random) });
        for (flag, percent) in [("includeSelectors", 35), ("includeTemplates", 35)] {
            if random.chance(percent) {
                label[flag] = json!(random.chance(80));
            }
        }
        if random.chance(12) {
            label["fields"] = json!([field_spec(random, "metadata/labels")]);
        }
        label
    });
    let list = list.collect();
    layer.set("labels", Value::Array(list));
}

fn common_labels(random: &mut Random, layer: &mut Layer) {
    layer.set("commonLabels", pairs(random));
}

fn common_annotations(random: &mut Random, layer: &mut Layer) {
    layer.set("commonAnnotations", pairs(random));
}

fn images(random: &mut Random, layer: &mut Layer) {
    let count = 1 + random.below(2);
    let list = (0..count).map(|_| image(random)).collect();
    layer.set(
        if random.chance(6) { "imageTags" } else { "images" },
        Value::Array(list),
    );
}

/// An entry of `images`.
pub(super) fn image(random: &mut Random) -> Value {
    let mut image = json!({ "name": random.pick(&["nginx", "busybox", "x/busybox", "r.io:5000/x/nginx", "ngin.", "x", "(nginx)"]) });
    if random.chance(40) {
        image["newName"] = json!(random.pick(&["other", "q.io:1/nginx", "nginx"]));
    }
    if random.chance(55) {
        image["newTag"] = if random.chance(15) {
            raw("\"1\"")
        } else {
            json!(random.pick(&["v9", "9.9", "latest"]))
        };
    }
    if random.chance(15) {
        image["digest"] = json!("sha256:aa");
    }
    if random.chance(10) {
        image["tagSuffix"] = json!("-x");
    }
    image
}

fn replicas(random: &mut Random, layer: &mut Layer) {
    let name = random.pick(&NAMES);
    layer.set("replicas", json!([{ "name": name, "count": random.below(9) }]));
}

/// Patches in every field that takes them.
pub(super) fn patches(random: &mut Random, layer: &mut Layer, objects: &[Value]) {
    let mut list = Vec::new();
    for number in 0..=random.below(2) {
        let (entry, file) = patches::entry(random, objects, number);
        if let Some((path, text)) = file {
            layer.file(&path, text);
        }
        list.push(entry);
    }
    if random.chance(85) {
        layer.set("patches", Value::Array(list));
        return;
    }
    let object = &objects[random.below(objects.len())];
    if random.chance(50) {
        let text = print(&patches::strategic(random, object));
        if random.chance(50) {
            layer.file("smp.yaml", text);
            layer.set("patchesStrategicMerge", json!(["smp.yaml"]));
        } else {
            layer.set("patchesStrategicMerge", json!([text]));
        }
    } else {
        let mut target = json!({ "version": "v1", "kind": object["kind"], "name": object["metadata"]["name"] });
        if let Some((group, version)) = object["apiVersion"].as_str().and_then(|v| v.split_once('/')) {
            target["group"] = json!(group);
            target["version"] = json!(version);
        }
        if let Some(namespace) = object["metadata"].get("namespace") {
            target["namespace"] = namespace.clone();
        }
        let patch = print(&patches::json_patch(random, object));
        layer.set("patchesJson6902", json!([{ "target": target, "patch": patch }]));
    }
}

/// ConfigMaps and Secrets to be made.
pub(super) fn generators(random: &mut Random, layer: &mut Layer, percent_behavior: usize) {
    for field in ["configMapGenerator", "secretGenerator"] {
        if !random.chance(65) {
            continue;
        }
        let count = 1 + random.below(2);
        let mut list = Vec::new();
        for number in 0..count {
            list.push(generator(random, layer, field, number, percent_behavior));
        }
        layer.set(field, Value::Array(list));
    }
    if random.chance(30) {
        layer.set("generatorOptions", options(random));
    }
}

fn options(random: &mut Random) -> Value {
    let mut options = Map::new();
    for (field, percent) in [("disableNameSuffixHash", 45), ("immutable", 25)] {
        if random.chance(percent) {
            options.insert(field.into(), json!(random.chance(80)));
        }
    }
    for field in ["labels", "annotations"] {
        if random.chance(35) {
            options.insert(field.into(), text_pairs(random));
        }
    }
    Value::Object(options)
}

fn text_pairs(random: &mut Random) -> Value {
    json!({ random.pick(&["g", "h", "app"]): random.pick(&["1", "true", "x", "", "a b"]) })
}

pub(super) fn generator(
    random: &mut Random,
    layer: &mut Layer,
    field: &str,
    number: usize,
    percent_behavior: usize,
) -> Value {
    let mut generator = json!({ "name": random.pick(&NAMES) });
    if random.chance(12) {
        generator["namespace"] = json!(random.pick(&NAMESPACES));
    }
    if random.chance(percent_behavior) {
        generator["behavior"] = json!(random.pick(&["merge", "replace", "create", "merge", "other"]));
    }
    if random.chance(70) {
        let literals = [
            "k=v",
            "a=1",
            "b=true",
            "c=x=y",
            "quoted=\"v\"",
            "single='v'",
            "empty=",
            "space= v ",
            "d=a\nb",
            "k.dot=z",
            "u=é",
            "bad",
            "=none",
            "e=\"open",
            "dup=1",
            "dup=2",
            "tab=\t",
            "long=0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890",
        ];
        let most = if random.chance(90) { 11 } else { literals.len() };
        let list: Vec<&str> = (0..=random.below(2)).map(|_| literals[random.below(most)]).collect();
        generator["literals"] = json!(list);
    }
    if random.chance(35) {
        let path = format!("f{number}.txt");
        let text = random.pick(&[
            "text\n",
            "no end",
            "",
            "a: b\n  c\n",
            "trail \nx\n",
            "tab\t\n",
            "crlf\r\nx\r\n",
            "é\n",
            "\n\nlead\n",
            "# c\n",
            "--- \n",
            "nul \u{7f} x\n",
        ]);
        layer.file(&path, text.to_owned());
        let entry = match random.below(6) {
            0 => format!("key={path}"),
            1 => format!("k.x={path}"),
            2 => format!("./{path}"),
            3 => format!("bad key={path}"),
            _ => path,
        };
        generator["files"] = json!([entry]);
    }
    if random.chance(25) {
        let path = format!("e{number}.env");
        let text = random.pick(&[
            "A=1\nB=two\n",
            "# c\n\nA=x y\n",
            "A=\"q\"\n",
            "A= lead\n",
            "  A=pad\n",
            "A\n",
            "A=1\nA=2\n",
            "\u{feff}A=bom\n",
            "A=x=y",
            "1A=x\n",
            "A B=x\n",
            "A='s'\r\nB=2\r\n",
            "export A=1\n",
            "=x\n",
        ]);
        layer.file(&path, text.to_owned());
        if random.chance(20) {
            generator["env"] = json!(path);
        } else {
            generator["envs"] = json!([path]);
        }
    }
    if field == "secretGenerator" && random.chance(25) {
        generator["type"] = json!(random.pick(&["kubernetes.io/tls", "Opaque", "x/y"]));
    }
    if random.chance(20) {
        generator["options"] = options(random);
    }
    generator
}

/// A field path of replacements and variables, mostly of something that is there.
fn field_path(random: &mut Random) -> &'static str {
    random.pick(&[
        "metadata.name",
        "metadata.name",
        "metadata.namespace",
        "metadata.labels.app",
        "metadata.annotations.[x.io/k]",
        "metadata.annotations.x\\.io/k",
        "spec.replicas",
        "spec.template.spec.containers.0.image",
        "spec.template.spec.containers.[name=main].image",
        "spec.template.spec.containers.*.image",
        "spec.template.spec.containers.[name=main].env.[name=A].value",
        "spec.template.spec.containers.*.env.[name=A].value",
        "data.k",
        "data.[file.txt]",
        "spec.image",
        "spec.deep.er.value",
        "spec.list",
        "spec.list.0",
        "spec.list.-",
        "spec.any",
        "spec.template.metadata.labels",
        "spec",
        "kind",
        "apiVersion",
        "spec.ports.0.port",
        "spec.selector.app",
        "spec.template.spec.containers.[image=nginx].name",
        "spec.new.field",
        "metadata",
        "spec.containers.0.image",
        "data",
        "metadata.labels",
        "spec.list.*.value",
        "spec.list.[name=a].value",
        "spec.template.spec.containers.[name=new].image",
    ])
}

/// A path of something that an object has.
fn path_in(random: &mut Random, object: &Value) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut here = object;
    for depth in 0..12 {
        if depth > 1 && random.chance(12) {
            break;
        }
        match here {
            Value::Object(map) if !map.is_empty() => {
                let Some((key, value)) = map.iter().nth(random.below(map.len())) else {
                    break;
                };
                parts.push(if key.contains(['.', '/']) {
                    format!("[{key}]")
                } else {
                    key.clone()
                });
                here = value;
            }
            Value::Array(list) if !list.is_empty() => {
                let at = random.below(list.len());
                here = &list[at];
                let name = here.get("name").and_then(Value::as_str);
                parts.push(match (random.below(4), name) {
                    (0, _) => "*".to_owned(),
                    (1, _) | (_, None) => at.to_string(),
                    (_, Some(name)) => format!("[name={name}]"),
                });
            }
            _ => break,
        }
    }
    parts.join(".")
}

/// A path, now and then with a part too many, or one that is none.
fn odd_path(random: &mut Random, path: String, separator: char) -> String {
    if !random.chance(5) {
        return path;
    }
    let mut parts: Vec<&str> = path.split(separator).collect();
    let at = random.below(parts.len());
    let odd = random.pick(&[
        "",
        " ",
        "0",
        "-",
        "*",
        "[a=b]",
        "[name=^main$]",
        "[name=.]",
        "[=a]",
        "[=^a$]",
        "-1",
        "00",
        "[]",
        "x[]",
        "\\",
    ]);
    let padded = format!(" {} ", parts[at]);
    match random.below(4) {
        0 => parts[at] = odd,
        1 => parts[at] = &padded,
        2 => parts.push(odd),
        _ => parts.insert(at, odd),
    }
    parts.join(&separator.to_string())
}

fn field_options(random: &mut Random) -> Value {
    let mut options = Map::new();
    if random.chance(55) {
        options.insert("delimiter".into(), json!(random.pick(&[":", "/", ".", "-", "@"])));
    }
    if random.chance(55) {
        options.insert("index".into(), json!(random.pick(&[0, 1, 2, -1, 9])));
    }
    if random.chance(40) {
        options.insert("create".into(), json!(random.chance(80)));
    }
    if random.chance(6) {
        options.insert("encoding".into(), json!(random.pick(&["base64", "hex"])));
    }
    Value::Object(options)
}

fn one(random: &mut Random, object: &Value) -> Value {
    if random.chance(8) {
        return target(random);
    }
    let mut select = json!({ "kind": object["kind"] });
    if random.chance(75) {
        select["name"] = object["metadata"]["name"].clone();
    }
    if let Some(namespace) = object["metadata"].get("namespace")
        && random.chance(25)
    {
        select["namespace"] = namespace.clone();
    }
    if random.chance(10) {
        let version = object["apiVersion"].as_str().unwrap_or_default();
        let (group, version) = version.split_once('/').unwrap_or(("", version));
        select["group"] = json!(group);
        select["version"] = json!(version);
    }
    select
}

/// Replacements, inline or in files.
pub(super) fn replacements(random: &mut Random, layer: &mut Layer, objects: &[Value]) {
    let count = 1 + random.below(2);
    let mut list = Vec::new();
    for number in 0..count {
        let replacement = replacement(random, objects);
        if random.chance(20) {
            let path = format!("replacement{number}.yaml");
            let both = random.chance(30);
            let content = if both {
                json!([replacement, replacement])
            } else {
                replacement
            };
            layer.file(&path, print(&content));
            list.push(json!({ "path": path }));
        } else {
            list.push(replacement);
        }
    }
    layer.set("replacements", Value::Array(list));
}

fn replacement(random: &mut Random, objects: &[Value]) -> Value {
    let mut replacement = Map::new();
    let value = random.chance(12);
    if value {
        replacement.insert(
            "sourceValue".into(),
            json!(random.pick(&["given", "a:b", "other-value", "given", "5", "true", "~", "012"])),
        );
    }
    if !value || random.chance(5) {
        let object = &objects[random.below(objects.len())];
        let mut source = one(random, object);
        for field in ["labelSelector", "annotationSelector"] {
            if random.chance(90) {
                source.as_object_mut().map(|s| s.remove(field));
            }
        }
        if random.chance(85) {
            let path = if random.chance(70) {
                path_in(random, object).replace("*", "0")
            } else {
                field_path(random).to_owned()
            };
            source["fieldPath"] = json!(odd_path(random, path, '.'));
        }
        if random.chance(20) {
            source["options"] = field_options(random);
        }
        replacement.insert("source".into(), source);
    }
    let targets = 1 + random.below(2);
    let targets = (0..targets).map(|_| {
        let object = &objects[random.below(objects.len())];
        let mut target = json!({ "select": one(random, object) });
        if random.chance(20) {
            let rejected = &objects[random.below(objects.len())];
            target["reject"] = json!([one(random, rejected)]);
        }
        if random.chance(90) {
            let path = if random.chance(70) {
                path_in(random, object)
            } else {
                field_path(random).to_owned()
            };
            // Another kind is another object: nothing more is learnt from those.
            let is_head = matches!(
                path.as_str(),
                "kind" | "apiVersion" | "metadata" | "metadata.annotations"
            );
            if !is_head || random.chance(10) {
                target["fieldPaths"] = json!([odd_path(random, path, '.')]);
            }
        }
        if random.chance(40) {
            target["options"] = field_options(random);
        }
        target
    });
    let targets = targets.collect();
    replacement.insert("targets".into(), Value::Array(targets));
    Value::Object(replacement)
}

/// Variables.
pub(super) fn vars(random: &mut Random, layer: &mut Layer, objects: &[Value]) {
    let names: &[&str] = if random.chance(60) { &["VAR"] } else { &["VAR", "OTHER"] };
    let vars = names.iter().map(|name| {
        let object = &objects[random.below(objects.len())];
        let mut reference =
            json!({ "apiVersion": object["apiVersion"], "kind": object["kind"], "name": object["metadata"]["name"] });
        if let Some(namespace) = object["metadata"].get("namespace")
            && random.chance(40)
        {
            reference["namespace"] = namespace.clone();
        }
        let mut var = json!({ "name": name, "objref": reference });
        if random.chance(60) {
            let path = random.pick(&[
                "metadata.name",
                "metadata.namespace",
                "spec.replicas",
                "data.k",
                "spec.template.spec.containers[0].image",
                "metadata.labels.app",
                "spec.any",
                "spec.list[0]",
                "spec.deep.er.value",
                "spec",
                "spec.ports[0].port",
                "kind",
                "spec.template.spec.containers[0].env[0].value",
            ]);
            var["fieldref"] = json!({ "fieldPath": path });
        }
        var
    });
    let vars = vars.collect();
    layer.set("vars", Value::Array(vars));
}

/// A field spec of any kind.
pub(super) fn field_spec(random: &mut Random, path: &str) -> Value {
    let mut spec = json!({ "path": odd_path(random, path.to_owned(), '/') });
    let (group, version, kind) = patches::group_version(random);
    if random.chance(55) {
        spec["kind"] = json!(kind);
    }
    if random.chance(15) {
        spec["group"] = json!(group);
    }
    if random.chance(15) {
        spec["version"] = json!(version);
    }
    if random.chance(50) {
        spec["create"] = json!(random.chance(80));
    }
    spec
}

/// A file of `configurations`.
pub(super) fn configurations(random: &mut Random, layer: &mut Layer) {
    let mut config = Map::new();
    let paths = |random: &mut Random| {
        random.pick(&[
            "spec/image",
            "spec/any",
            "spec/new/field",
            "spec/list[]/value",
            "spec/list/value",
            "metadata/name",
            "metadata/labels",
            "spec/deep/er/value",
            "spec/template/metadata/labels",
            "data",
            "spec/replicas",
            "metadata/namespace",
            "spec/configRef/name",
            "spec/list[]",
            "spec/new[]/x",
            "spec/template/spec/containers/env/value",
            "subjects/namespace",
        ])
    };
    for section in [
        "namePrefix",
        "nameSuffix",
        "namespace",
        "commonLabels",
        "templateLabels",
        "labels",
        "commonAnnotations",
        "varReference",
        "images",
        "replicas",
    ] {
        if random.chance(25) {
            let list: Vec<Value> = (0..=random.below(1))
                .map(|_| {
                    let path = paths(random);
                    field_spec(random, path)
                })
                .collect();
            config.insert(section.into(), json!(list));
        }
    }
    if random.chance(50) {
        let (_, _, kind) = patches::group_version(random);
        let specs: Vec<Value> = (0..=random.below(1))
            .map(|_| {
                let path = random.pick(&[
                    "spec/configRef/name",
                    "spec/configRef",
                    "spec/list/name",
                    "spec/deep/er/value",
                    "data/k",
                    "spec/image",
                ]);
                field_spec(random, path)
            })
            .collect();
        config.insert(
            "nameReference".into(),
            json!([{ "kind": random.pick(&["ConfigMap", "Secret", "Thing", kind]), "fieldSpecs": specs }]),
        );
    }
    if random.chance(3) {
        config.insert("unknown".into(), json!([]));
    }
    layer.file("config.yaml", print(&Value::Object(config)));
    layer.set("configurations", json!(["config.yaml"]));
}

/// Definitions of custom kinds, with extensions on some of their fields.
pub(super) fn crds(random: &mut Random, layer: &mut Layer) {
    let mut spec = Map::new();
    for field in ["configRef", "image", "any", "template", "deep"] {
        let extension = match random.below(6) {
            0 => json!({ "x-kubernetes-annotation": "" }),
            1 => json!({ "x-kubernetes-label-selector": "" }),
            2 => json!({ "x-kubernetes-identity": "" }),
            3 | 4 => {
                json!({ "x-kubernetes-object-ref-api-version": "v1", "x-kubernetes-object-ref-kind": random.pick(&["ConfigMap", "Secret", "Thing"]),
                "x-kubernetes-object-ref-name-key": random.pick(&["name", "er"]) })
            }
            _ => json!({ "type": "string" }),
        };
        spec.insert(field.into(), extension);
    }
    if random.chance(30) {
        spec.insert(
            "configRef".into(),
            json!({ "x-kubernetes-object-ref-api-version": "v1", "x-kubernetes-object-ref-kind": "ConfigMap" }),
        );
    }
    let mut kind =
        json!({ "kind": { "type": "string" }, "apiVersion": { "type": "string" }, "metadata": { "type": "object" } });
    kind["spec"] = json!({ "$ref": "example.com/v1.Spec" });
    if random.chance(10) {
        kind.as_object_mut().map(|k| k.remove("metadata"));
    }
    let definitions = json!({
        "example.com/v1.Thing": { "Schema": { "properties": kind } },
        "example.com/v1.Spec": { "Schema": { "properties": spec } },
    });
    let text = if random.chance(50) {
        definitions.to_string()
    } else {
        print(&definitions)
    };
    layer.file("crds.json", text);
    layer.set("crds", json!(["crds.json"]));
    if random.chance(20) {
        layer.set(
            "openapi",
            json!({ "version": random.pick(&["v1.21.2", "v1.21.2", "v1.20.4"]) }),
        );
    }
}

/// A schema for custom kinds: lists that merge by element, and kinds that belong to no namespace.
pub(super) fn openapi(random: &mut Random, layer: &mut Layer) {
    let list = json!({
        "type": "array",
        "items": { "$ref": "#/definitions/com.example.v1.Item" },
        "x-kubernetes-patch-strategy": random.pick(&["merge", "merge", "merge,retainKeys", "replace"]),
        "x-kubernetes-patch-merge-key": random.pick(&["name", "name", "value"]),
    });
    let spec = json!({ "properties": {
        "list": list,
        "template": { "$ref": "#/definitions/io.k8s.api.core.v1.PodTemplateSpec" },
        "deep": { "additionalProperties": { "type": "object" } },
    } });
    let inline = random.chance(50);
    let properties = match inline {
        true => json!({ "spec": spec }),
        false => json!({ "spec": { "$ref": "#/definitions/com.example.v1.Spec" } }),
    };
    let kind = random.pick(&[
        ("example.com", "v1", "Thing"),
        ("example.com", "v1", "Thing"),
        ("apps", "v1", "Deployment"),
    ]);
    let gvk = json!({ "group": kind.0, "version": kind.1, "kind": kind.2 });
    let mut document = json!({ "definitions": {
        "com.example.v1.Thing": { "properties": properties, "x-kubernetes-group-version-kind": [gvk] },
        "com.example.v1.Item": { "properties": { "name": { "type": "string" } } },
        "com.example.v1.Spec": spec,
    } });
    if random.chance(40) {
        let path = if random.chance(70) {
            "/apis/g/v/things"
        } else {
            "/apis/g/v/namespaces/{namespace}/things"
        };
        document["paths"] = json!({ path: { "get": { "x-kubernetes-group-version-kind": gvk, "responses": {} } } });
    }
    let text = if random.chance(50) {
        document.to_string()
    } else {
        print(&document)
    };
    layer.file("schema.json", text);
    let mut openapi = json!({ "path": "schema.json" });
    if random.chance(4) {
        openapi["version"] = json!("v1.21.2");
    }
    layer.set("openapi", openapi);
}

/// Transformers, generators and validators of built-in kinds.
pub(super) fn plugins(random: &mut Random, layer: &mut Layer, objects: &[Value]) {
    let mut list = Vec::new();
    for number in 0..=random.below(1) {
        let plugin = transformer(random, objects);
        let text = print(&plugin);
        if random.chance(50) {
            let path = format!("transformer{number}.yaml");
            layer.file(&path, text);
            list.push(json!(path));
        } else {
            list.push(json!(text));
        }
    }
    let field = if random.chance(80) {
        "transformers"
    } else {
        "validators"
    };
    layer.set(field, Value::Array(list));
    if random.chance(30) {
        let field = random.pick(&["configMapGenerator", "secretGenerator"]);
        let kind = if field == "configMapGenerator" {
            "ConfigMapGenerator"
        } else {
            "SecretGenerator"
        };
        let Value::Object(mut generator) = generator(random, layer, field, 7, 20) else {
            return;
        };
        let name = generator.remove("name").unwrap_or_default();
        let mut metadata = json!({ "name": name });
        if let Some(namespace) = generator.remove("namespace") {
            metadata["namespace"] = namespace;
        }
        let mut config = json!({ "apiVersion": "builtin", "kind": kind, "metadata": metadata });
        for (key, value) in generator {
            config[key] = value;
        }
        layer.set("generators", json!([print(&config)]));
    }
}

fn transformer(random: &mut Random, objects: &[Value]) -> Value {
    let object = &objects[random.below(objects.len())];
    let specs = |random: &mut Random, paths: &[&'static str]| {
        let list: Vec<Value> = (0..=random.below(1))
            .map(|_| {
                let path = random.pick(paths);
                field_spec(random, path)
            })
            .collect();
        json!(list)
    };
    let (kind, mut fields) = match random.below(15) {
        13 => ("HashTransformer", json!({})),
        14 => {
            let targets: Vec<Value> = (0..=random.below(1))
                .map(|_| {
                    let mut target = json!({ "fieldPath": random.pick(&[
                        "metadata/namespace", "spec/image", "spec/any", "spec/new/x", "spec/list/0", "spec/list/[name=a]/value",
                        "spec/template/spec/containers/[name=main]/image", "data/k", "metadata/annotations/x.io\\/k", "spec/new/[name=b]/v",
                    ]) });
                    if random.chance(50) {
                        target["selector"] = json!({ "kind": object["kind"] });
                    }
                    if random.chance(40) {
                        target["filePathPosition"] = json!(random.pick(&[0, 1, 2, 9]));
                    }
                    target
                })
                .collect();
            let mut fields = json!({ "targets": targets });
            if random.chance(80) {
                fields["value"] = json!(random.pick(&["added", " x ", "a/b", "5"]));
            }
            ("ValueAddTransformer", fields)
        }
        0 => (
            "NamespaceTransformer",
            json!({ "fieldSpecs": specs(random, &["metadata/namespace", "metadata/name", "subjects", "spec/any"]) }),
        ),
        1 => (
            "PrefixTransformer",
            json!({ "prefix": "t-", "fieldSpecs": specs(random, &["metadata/name", "spec/image"]) }),
        ),
        2 => (
            "SuffixTransformer",
            json!({ "suffix": "-t", "fieldSpecs": specs(random, &["metadata/name", "spec/any"]) }),
        ),
        3 => (
            "LabelTransformer",
            json!({ "labels": { "t": "l" }, "fieldSpecs": specs(random, &["metadata/labels", "spec/selector", "spec/new/x"]) }),
        ),
        4 => (
            "AnnotationsTransformer",
            json!({ "annotations": { "t": "a" }, "fieldSpecs": specs(random, &["metadata/annotations", "spec/x"]) }),
        ),
        5 => (
            "ImageTagTransformer",
            json!({ "imageTag": image(random), "fieldSpecs": specs(random, &["spec/image", "spec/template/spec/containers[]/image", "spec/template/spec/containers/image"]) }),
        ),
        6 => (
            "ReplicaCountTransformer",
            json!({ "replica": { "name": random.pick(&NAMES), "count": 5 }, "fieldSpecs": specs(random, &["spec/replicas", "spec/new/replicas"]) }),
        ),
        7 => (
            "ReplacementTransformer",
            json!({ "replacements": [replacement(random, objects)] }),
        ),
        8 => (
            "PatchTransformer",
            json!({ "patch": print(&patches::strategic(random, object)) }),
        ),
        9 => (
            "PatchTransformer",
            json!({ "patch": print(&patches::json_patch(random, object)), "target": patches::exact(random, object) }),
        ),
        10 => (
            "PatchJson6902Transformer",
            json!({ "jsonOp": print(&patches::json_patch(random, object)),
            "target": { "kind": object["kind"], "name": object["metadata"]["name"], "version": "v1", "group": "apps" } }),
        ),
        11 => (
            "PatchStrategicMergeTransformer",
            json!({ "patches": print(&patches::strategic(random, object)) }),
        ),
        _ => (
            "PrefixSuffixTransformer",
            json!({ "prefix": "q-", "suffix": "-q", "fieldSpecs": specs(random, &["metadata/name"]) }),
        ),
    };
    let mut metadata = json!({ "name": "notes" });
    if kind == "NamespaceTransformer" {
        metadata["namespace"] = json!(random.pick(&NAMESPACES));
        if random.chance(30) {
            fields["unsetOnly"] = json!(true);
        }
        if random.chance(40) {
            fields["setRoleBindingSubjects"] = json!(random.pick(&["none", "allServiceAccounts", "defaultOnly", "x"]));
        }
    }
    if random.chance(15) {
        fields.as_object_mut().map(|f| f.remove("fieldSpecs"));
    }
    let mut config = json!({ "apiVersion": "builtin", "kind": kind, "metadata": metadata });
    for (key, value) in fields.as_object().into_iter().flatten() {
        config[key] = value.clone();
    }
    config
}

/// Order of the output and notes in it.
pub(super) fn output(random: &mut Random, layer: &mut Layer) {
    if random.chance(60) {
        let mut sort = Map::new();
        sort.insert(
            "order".into(),
            json!(random.pick(&["legacy", "fifo", "legacy", "other"])),
        );
        if random.chance(50) {
            sort.insert(
                "legacySortOptions".into(),
                json!({ "orderFirst": [random.pick(&["Deployment", "Service"]), "ConfigMap"], "orderLast": [random.pick(&["Namespace", "Pod"])] }),
            );
        }
        layer.set("sortOptions", Value::Object(sort));
    }
    if random.chance(70) {
        let all = ["originAnnotations", "transformerAnnotations", "managedByLabel"];
        let list: Vec<&str> = all.into_iter().filter(|_| random.chance(55)).collect();
        if !list.is_empty() {
            layer.set("buildMetadata", json!(list));
        }
    }
}

/// Edits as an Application brings them, in the peer's order.
pub(super) fn edits(random: &mut Random, objects: &[Value]) -> (Vec<Vec<String>>, Vec<Value>) {
    let mut edits: Vec<Vec<String>> = Vec::new();
    let mut add = |words: &[&str]| edits.push(words.iter().map(|w| (*w).to_owned()).collect());
    if random.chance(35) {
        add(&["set", "nameprefix", "--", random.pick(&["e-", "-e", "x"])]);
    }
    if random.chance(25) {
        add(&["set", "namesuffix", "--", "-e"]);
    }
    if random.chance(45) {
        let all = [
            "nginx:e",
            "nginx=x/y",
            "nginx=x:*",
            "busybox=*:e",
            "r.io:5000/x/nginx:e",
            "nginx@sha256:e",
            "nginx",
            "x=y:1@sha256:b",
            "*=*",
            "nginx=*@*",
        ];
        let list: Vec<&str> = (0..=random.below(2)).map(|_| random.pick(&all)).collect();
        add(&[&["set", "image"], list.as_slice()].concat());
    }
    if random.chance(25) {
        let count = format!("{}={}", random.pick(&NAMES), random.below(9));
        add(&["set", "replicas", &count]);
    }
    if random.chance(45) {
        let mut words = vec!["add", "label"];
        for flag in ["--force", "--without-selector", "--include-templates"] {
            if random.chance(40) {
                words.push(flag);
            }
        }
        words.push(random.pick(&["app:e", "tier:e", "l:\"q\"", "new:", "x.io/k:a:b"]));
        if random.chance(30) {
            words.push("second:s");
        }
        add(&words);
    }
    if random.chance(35) {
        let mut words = vec!["add", "annotation"];
        if random.chance(40) {
            words.push("--force");
        }
        words.push(random.pick(&["app:e", "x.io/k:e:f", "note:\"q\"", "l:true"]));
        add(&words);
    }
    if random.chance(35) {
        add(&["set", "namespace", "--", random.pick(&NAMESPACES)]);
    }
    let mut patches = Vec::new();
    if random.chance(35) {
        // Paths stay out: the files would have to be there. Spellings that only YAML has, too.
        let object = &objects[random.below(objects.len())];
        let patch = match random.chance(50) {
            true => json!({ "patch": print(&patches::strategic(random, object)) }),
            false => {
                json!({ "patch": print(&patches::json_patch(random, object)), "target": { "kind": object["kind"] } })
            }
        };
        patches.push(patch);
    }
    (edits, patches)
}
