//! Small kustomizations from a seed: every field, over objects that name one another.

mod edits;
mod fields;
mod generators;
mod objects;
mod patches;
mod paths;
mod plugins;
mod replacements;
mod rules;
mod spellings;
mod yaml;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::random::Random;
use super::Case;
use yaml::print;

/// What a case is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Category {
    /// Names, namespaces, labels, images, replicas over layers.
    Layers,
    /// Strategic and JSON patches.
    Patches,
    /// ConfigMaps and Secrets made.
    Generators,
    /// Replacements.
    Replacements,
    /// Variables.
    Vars,
    /// Rules of transformers.
    Configurations,
    /// Transformers, generators and validators of built-in kinds.
    Plugins,
    /// Components.
    Components,
    /// Order and notes of the output.
    Output,
    /// Edits of an Application.
    Edits,
    /// Files as they are read: documents, lists, spellings.
    Files,
    /// Kustomizations in other spellings.
    Spellings,
    /// Kustomizations with a fault.
    Faults,
}

impl Category {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Layers,
        Self::Patches,
        Self::Generators,
        Self::Replacements,
        Self::Vars,
        Self::Configurations,
        Self::Plugins,
        Self::Components,
        Self::Output,
        Self::Edits,
        Self::Files,
        Self::Spellings,
        Self::Faults,
    ];

    /// Its name, as cases carry it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Layers => "layers",
            Self::Patches => "patches",
            Self::Generators => "generators",
            Self::Replacements => "replacements",
            Self::Vars => "vars",
            Self::Configurations => "configurations",
            Self::Plugins => "plugins",
            Self::Components => "components",
            Self::Output => "output",
            Self::Edits => "edits",
            Self::Files => "files",
            Self::Spellings => "spellings",
            Self::Faults => "faults",
        }
    }
}

/// One directory: its kustomization and its files.
#[derive(Default)]
struct Layer {
    kustomization: Map<String, Value>,
    files: BTreeMap<String, String>,
}

impl Layer {
    fn set(&mut self, field: &str, value: Value) {
        self.kustomization.insert(field.to_owned(), value);
    }

    fn file(&mut self, path: &str, text: String) {
        self.files.insert(path.to_owned(), text);
    }

    fn write(self, case: &mut Case, folder: &str) {
        for (path, text) in self.files {
            case.files.insert(format!("{folder}/{path}"), text);
        }
        let text = print(&Value::Object(self.kustomization));
        case.files.insert(format!("{folder}/kustomization.yaml"), text);
    }
}

/// The `number`th case of `seed`: always the same one.
pub fn generate(seed: u64, number: u64) -> (Category, Case) {
    let mut random = Random::new(seed, number);
    let random = &mut random;
    let category = random.pick(&Category::ALL);
    let mut case = Case {
        id: format!("{}-{seed}-{number}", category.name()),
        path: "base".to_owned(),
        keep_order: random.chance(8),
        load_anywhere: random.chance(3),
        ..Case::default()
    };
    let mut objects = some_objects(random);
    let mut base = Layer::default();
    resources(random, &mut base, &objects, category == Category::Files);
    fields::common(random, &mut base, if category == Category::Layers { 30 } else { 8 });
    // Half of the cases have a layer above, and what they are about may be in either or both.
    let mut over = (category == Category::Layers || random.chance(50)).then(Layer::default);
    if let Some(over) = &mut over {
        let mut list = vec![json!("../base")];
        if random.chance(20) {
            let more = some_objects(random);
            over.file("more.yaml", documents(&more));
            list.push(json!("more.yaml"));
            objects.extend(more);
        }
        if random.chance(10) {
            let mut second = Layer::default();
            let more = some_objects(random);
            resources(random, &mut second, &more, false);
            fields::common(random, &mut second, 20);
            second.write(&mut case, "second");
            list.push(json!("../second"));
        }
        over.set("resources", Value::Array(list));
        fields::common(random, over, if category == Category::Layers { 30 } else { 10 });
        "over".clone_into(&mut case.path);
    }
    let layers = over.iter_mut().chain([&mut base]);
    let mut done = false;
    for layer in layers {
        if done && random.chance(70) {
            continue;
        }
        done = true;
        about(random, &mut case, layer, category, &objects);
    }
    base.write(&mut case, "base");
    if let Some(over) = over {
        over.write(&mut case, "over");
    }
    (category, case)
}

/// What the category is about, in one layer; sometimes something else too.
fn about(random: &mut Random, case: &mut Case, layer: &mut Layer, category: Category, objects: &[Value]) {
    match category {
        Category::Layers | Category::Files => {}
        Category::Patches => {
            fields::patches(random, layer, objects);
            if random.chance(15) {
                rules::openapi(random, layer);
            }
        }
        Category::Generators => generators::generators(random, layer, 30),
        Category::Replacements => replacements::replacements(random, layer, objects),
        Category::Vars => replacements::vars(random, layer, objects),
        Category::Configurations => {
            if random.chance(35) {
                rules::crds(random, layer);
            } else {
                rules::configurations(random, layer);
            }
            fields::common(random, layer, 30);
            if random.chance(30) {
                replacements::vars(random, layer, objects);
            }
        }
        Category::Plugins => plugins::plugins(random, layer, objects),
        Category::Components => component(random, case, layer, objects),
        Category::Output => edits::output(random, layer),
        Category::Edits => {
            let (edits, patches) = edits::edits(random, objects);
            (case.edits, case.patches) = (edits, patches);
            // Every fourth time the file is looked at, and not what is built of it.
            if case.show || random.chance(25) {
                case.show = true;
                case.patches.clear();
            }
            fields::common(random, layer, 15);
        }
        Category::Spellings => match random.below(5) {
            0 => fields::patches(random, layer, objects),
            1 => generators::generators(random, layer, 30),
            2 => replacements::replacements(random, layer, objects),
            3 => replacements::vars(random, layer, objects),
            _ => fields::common(random, layer, 30),
        },
        Category::Faults => fault(random, layer),
    }
    if random.chance(10) {
        generators::generators(random, layer, 15);
    }
    if random.chance(8) {
        fields::patches(random, layer, objects);
    }
    if category == Category::Spellings {
        spellings::respell(random, &mut layer.kustomization);
    }
}

fn some_objects(random: &mut Random) -> Vec<Value> {
    let count = 1 + random.below(4);
    let mut objects: Vec<Value> = Vec::new();
    for _ in 0..count {
        let object = objects::object(random);
        let id = |o: &Value| {
            (
                o["kind"].clone(),
                o["metadata"]["name"].clone(),
                o["metadata"]["namespace"].clone(),
            )
        };
        // Twins are refused before anything else happens: few of them are enough.
        if objects.iter().all(|o| id(o) != id(&object)) || random.chance(5) {
            objects.push(object);
        }
    }
    objects
}

fn documents(objects: &[Value]) -> String {
    objects.iter().map(print).collect::<Vec<_>>().join("---\n")
}

/// Writes the objects into files and lists them.
fn resources(random: &mut Random, layer: &mut Layer, objects: &[Value], odd: bool) {
    let mut list = Vec::new();
    if random.chance(50) {
        layer.file("all.yaml", documents(objects));
        list.push(json!("all.yaml"));
    } else {
        for (number, object) in objects.iter().enumerate() {
            let path = format!("r{number}.yaml");
            layer.file(&path, print(object));
            list.push(json!(path));
        }
    }
    if odd {
        let (path, text) = odd_file(random);
        layer.file(&path, text);
        list.push(json!(path));
    }
    layer.set(if random.chance(4) { "bases" } else { "resources" }, Value::Array(list));
}

/// A file that is more than documents one after another.
fn odd_file(random: &mut Random) -> (String, String) {
    let objects = [objects::object(random), objects::object(random)];
    let (one, two) = (print(&objects[0]), print(&objects[1]));
    let text = match random.below(32) {
        0 => print(&json!({ "apiVersion": "v1", "kind": "List", "items": objects })),
        1 => print(&json!({ "apiVersion": "apps/v1", "kind": "DeploymentList", "items": objects })),
        2 => print(&json!({ "apiVersion": "v1", "kind": "List", "items": [] })),
        3 => format!("---\n{one}---\n{two}---\n"),
        4 => format!("# comment\n---\n# another\n---\n{one}"),
        5 => format!("---\n---\n{one}"),
        6 => format!("{one}--- # said\n{two}"),
        7 => format!("{one}---\n# nothing\n---\n{two}"),
        8 => one.replace('\n', "\r\n"),
        9 => format!("%YAML 1.1\n---\n{one}"),
        10 => format!("\u{feff}{one}"),
        11 => format!("{one}...\n---\n{two}"),
        12 => objects[0].to_string().replace("\\u0001", ""),
        13 => one
            .replace("metadata:", "metadata: &m")
            .replace("spec:", "copy: *m\nspec:"),
        14 => format!("{one}extra: &e {{a: 1}}\nmore: {{<<: *e, b: 2}}\n"),
        15 => format!("{one}kind: Twice\n"),
        16 => one.replace("kind:", "kin:"),
        17 => one.replace("  name:", "  nam:"),
        18 => one.replace("  name:", "  generateName:"),
        19 => format!("{one}? [complex]\n: 1\n"),
        20 => format!("{one}1: number\ntrue: bool\n"),
        21 => format!("{one}text: |+\n  kept\n\n\nfolded: >-\n  a\n  b\n\n  c\nquoted: \"a\\\n  b\"\n"),
        22 => format!("{one}\ttab: 1\n"),
        23 => format!("{one}null: a\n~: b\n"),
        24 => format!("{one}keys: {{1: a, b: c}}\n"),
        25 => format!("{one}keys:\n  ~: a\n  b: c\n"),
        26 => format!("{one}keys:\n  yes: a\n  \"1\": c\n"),
        27 => format!("{one}list:\n- ~\n- a\n- \n- [~, {{}}]\n"),
        28 => format!("{one}flow: {{a: , b, \"c\": , d: [ , ]}}\n").replace("[ , ]", "[{e: }]"),
        29 => format!("{one}tags: [!!str 1, !!int \"2\", !!null \"\", !!float 1, !!bool \"true\", !x 3]\n"),
        30 => {
            one.replace(
                "  name:",
                "  annotations: {config.kubernetes.io/local-config: \"true\"}\n  name:",
            ) + "1: {2: 3}\n"
        }
        _ => format!("{one}nulls: {{a: null, b: ~, d: []}}\nempty: \n"),
    };
    ("odd.yaml".to_owned(), text)
}

fn component(random: &mut Random, case: &mut Case, layer: &mut Layer, objects: &[Value]) {
    let mut list = Vec::new();
    for name in ["part", "part2"].iter().take(1 + random.below(2)) {
        let mut part = Layer::default();
        if random.chance(95) {
            part.set("kind", json!("Component"));
            part.set("apiVersion", json!("kustomize.config.k8s.io/v1alpha1"));
        }
        if random.chance(40) {
            let more = some_objects(random);
            part.file("more.yaml", documents(&more));
            part.set("resources", json!(["more.yaml"]));
        }
        fields::common(random, &mut part, 15);
        match random.below(5) {
            0 | 1 => fields::patches(random, &mut part, objects),
            2 => generators::generators(random, &mut part, 40),
            3 => replacements::replacements(random, &mut part, objects),
            _ => replacements::vars(random, &mut part, objects),
        }
        part.write(case, name);
        list.push(json!(format!("../{name}")));
    }
    layer.set("components", Value::Array(list));
}

/// One thing that is wrong, or looks so.
fn fault(random: &mut Random, layer: &mut Layer) {
    let yaml = yaml::raw;
    let (field, value) = match random.below(26) {
        0 => ("unknown", json!("x")),
        1 => ("kind", json!("Kustomize")),
        2 => ("apiVersion", json!("v1")),
        3 => ("apiVersion", json!("kustomize.config.k8s.io/v1beta1")),
        4 => ("resources", json!(["missing.yaml"])),
        5 => ("resources", json!(["."])),
        6 => ("resources", json!([""])),
        7 => ("resources", json!(["../base"])),
        8 => ("resources", json!("all.yaml")),
        9 => ("namePrefix", yaml("1")),
        10 => ("namePrefix", json!(["x"])),
        11 => ("commonLabels", json!({ "a": yaml("1") })),
        12 => ("NamePrefix", json!("upper-")),
        13 => ("replicas", json!([{ "name": "a", "count": "2" }])),
        14 => ("images", json!([{ "name": "nginx", "newTag": yaml("1.10") }])),
        15 => ("patches", json!([{}])),
        16 => ("patches", json!([{ "path": "missing.yaml" }])),
        17 => ("patches", json!([{ "path": "all.yaml", "patch": "x" }])),
        18 => (
            "transformers",
            json!(["apiVersion: x/v1\nkind: T\nmetadata:\n  name: t\n"]),
        ),
        19 => ("configurations", json!(["missing.yaml"])),
        20 => ("resources", yaml("null")),
        21 => (
            "metadata",
            json!({ "name": "k", "labels": { "a": "b" }, "annotations": {} }),
        ),
        22 => ("generatorOptions", yaml("null")),
        23 => ("labels", json!([{ "pairs": { "a": "b" }, "unknown": true }])),
        24 => ("components", json!(["../base"])),
        _ => ("helmCharts", json!([{ "name": "c" }])),
    };
    layer.set(field, value);
}
