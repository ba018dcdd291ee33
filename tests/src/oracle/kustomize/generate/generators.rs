//! Generators of ConfigMaps and Secrets.

use serde_json::{Map, Value, json};

use super::super::super::random::Random;
use super::Layer;
use super::objects::{NAMES, NAMESPACES};

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
