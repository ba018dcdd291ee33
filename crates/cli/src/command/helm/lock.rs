//! `Chart.lock`: which versions were chosen, and the digest that ties them to `Chart.yaml`.

use pintle_model::Value;
use pintle_render::helm::Dependency;
use pintle_yaml::Yaml;
use sha2::{Digest as _, Sha256};

/// A lock file.
#[derive(Clone, Default)]
pub(super) struct Lock {
    pub digest: String,
    /// `None` where the file has no list, which hashes otherwise than an empty one.
    pub dependencies: Option<Vec<Dependency>>,
}

impl Lock {
    /// Reads `Chart.lock` or `requirements.lock`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let field = |entries: &[(String, Yaml)], name: &str| -> Result<String, String> {
            match entries.iter().find(|(key, _)| key == name) {
                None | Some((_, Yaml::Null)) => Ok(String::new()),
                Some((_, Yaml::String(text))) => Ok(text.clone()),
                Some((_, Yaml::Int(number))) => Ok(number.to_string()),
                Some((_, Yaml::Float(number))) => Ok(number.to_string()),
                Some(_) => Err(format!("{name} is no text")),
            }
        };
        let entries = match pintle_yaml::parse(text).map_err(|e| e.to_string())? {
            Yaml::Map(entries) => entries,
            Yaml::Null => Vec::new(),
            _ => return Err("it is no mapping".to_owned()),
        };
        let dependencies = match entries.iter().find(|(key, _)| key == "dependencies") {
            None | Some((_, Yaml::Null)) => None,
            Some((_, Yaml::Seq(items))) => {
                let read = items.iter().map(|item| {
                    let Yaml::Map(entries) = item else {
                        return Err("a dependency is no mapping".to_owned());
                    };
                    Ok(Dependency::on(
                        field(entries, "name")?,
                        field(entries, "version")?,
                        field(entries, "repository")?,
                    ))
                });
                Some(read.collect::<Result<Vec<_>, _>>()?)
            }
            Some(_) => return Err("dependencies is no list".to_owned()),
        };
        Ok(Self {
            digest: field(&entries, "digest")?,
            dependencies,
        })
    }

    /// As Helm writes it. `generated` is a time as RFC 3339 has it.
    pub(super) fn to_yaml(&self, generated: &str) -> String {
        let dependencies = match &self.dependencies {
            None => Yaml::Null,
            Some(all) => Yaml::Seq(all.iter().map(dependency_yaml).collect()),
        };
        pintle_yaml::to_string(&Yaml::Map(vec![
            ("dependencies".to_owned(), dependencies),
            ("digest".to_owned(), Yaml::String(self.digest.clone())),
            ("generated".to_owned(), Yaml::String(generated.to_owned())),
        ]))
    }
}

/// The digest of a lock: of what is asked for and what was chosen, as Go writes both to JSON.
pub(super) fn digest(asked: Option<&[Dependency]>, chosen: Option<&[Dependency]>) -> String {
    sha256(&format!("[{},{}]", list(asked), list(chosen)))
}

/// What Helm 2 put there instead, for charts of version 1.
pub(super) fn digest_of_helm_2(asked: Option<&[Dependency]>) -> String {
    sha256(&format!("{{\"dependencies\":{}}}", list(asked)))
}

fn sha256(json: &str) -> String {
    let digest = Sha256::digest(json);
    digest
        .iter()
        .fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

/// A dependency as a document, fields in the order of their names. The repository is there even if empty.
pub(super) fn dependency_yaml(dependency: &Dependency) -> Yaml {
    let mut fields = Vec::new();
    let mut text = |name: &str, value: &str, always: bool| {
        if always || !value.is_empty() {
            fields.push((name.to_owned(), Yaml::String(value.to_owned())));
        }
    };
    text("alias", &dependency.alias, false);
    text("condition", &dependency.condition, false);
    text("name", &dependency.name, true);
    text("repository", &dependency.repository, true);
    text("version", &dependency.version, false);
    if dependency.enabled {
        fields.push(("enabled".to_owned(), Yaml::Bool(true)));
    }
    if !dependency.import_values.is_empty() {
        let values = dependency.import_values.iter().map(yaml).collect();
        fields.push(("import-values".to_owned(), Yaml::Seq(values)));
    }
    if !dependency.tags.is_empty() {
        let tags = dependency.tags.iter().map(|tag| Yaml::String(tag.clone())).collect();
        fields.push(("tags".to_owned(), Yaml::Seq(tags)));
    }
    fields.sort_by(|a, b| a.0.cmp(&b.0));
    Yaml::Map(fields)
}

fn yaml(value: &Value) -> Yaml {
    match value {
        Value::Null => Yaml::Null,
        Value::Bool(b) => Yaml::Bool(*b),
        Value::Int(i) => Yaml::Int(*i),
        Value::Float(f) => Yaml::Float(*f),
        Value::Str(s) => Yaml::String(s.to_string()),
        Value::List(items) => Yaml::Seq(items.iter().map(yaml).collect()),
        Value::Map(map) => {
            let mut entries: Vec<_> = map.iter().map(|(k, v)| (k.to_owned(), yaml(v))).collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Yaml::Map(entries)
        }
    }
}

/// Go's JSON of a list of dependencies: fields in the order of its struct, empty ones left out but for name and repository.
fn list(dependencies: Option<&[Dependency]>) -> String {
    let Some(dependencies) = dependencies else {
        return "null".to_owned();
    };
    let one = |dependency: &Dependency| {
        let mut fields = vec![format!("\"name\":{}", go_json(&dependency.name))];
        let mut text = |name: &str, value: &str| {
            if !value.is_empty() {
                fields.push(format!("\"{name}\":{}", go_json(value)));
            }
        };
        text("version", &dependency.version);
        fields.push(format!("\"repository\":{}", go_json(&dependency.repository)));
        let mut text = |name: &str, value: &str| {
            if !value.is_empty() {
                fields.push(format!("\"{name}\":{}", go_json(value)));
            }
        };
        text("condition", &dependency.condition);
        if !dependency.tags.is_empty() {
            let tags: Vec<String> = dependency.tags.iter().map(|tag| go_json(tag)).collect();
            fields.push(format!("\"tags\":[{}]", tags.join(",")));
        }
        if dependency.enabled {
            fields.push("\"enabled\":true".to_owned());
        }
        if !dependency.import_values.is_empty() {
            let values: Vec<String> = dependency.import_values.iter().map(go_value).collect();
            fields.push(format!("\"import-values\":[{}]", values.join(",")));
        }
        if !dependency.alias.is_empty() {
            fields.push(format!("\"alias\":{}", go_json(&dependency.alias)));
        }
        format!("{{{}}}", fields.join(","))
    };
    let all: Vec<String> = dependencies.iter().map(one).collect();
    format!("[{}]", all.join(","))
}

fn go_value(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(b) => b.to_string(),
        Value::Int(i) => i.to_string(),
        Value::Float(f) => pintle_yaml::format_json_float(*f),
        Value::Str(s) => go_json(s),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(go_value).collect();
            format!("[{}]", items.join(","))
        }
        Value::Map(map) => {
            let mut entries: Vec<(&str, &Value)> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            let entries: Vec<String> = entries
                .into_iter()
                .map(|(key, value)| format!("{}:{}", go_json(key), go_value(value)))
                .collect();
            format!("{{{}}}", entries.join(","))
        }
    }
}

/// A text as Go's encoder writes it: what could end a script in a web page is escaped too.
fn go_json(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if u32::from(c) < 0x20 || matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}') => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dependency(name: &str, version: &str, repository: &str) -> Dependency {
        Dependency::on(name, version, repository)
    }

    #[test]
    fn json_is_what_go_writes() {
        let mut asked = dependency("a", ">=1 <2", "");
        asked.tags = vec!["x".into()];
        asked.alias = "b".into();
        assert_eq!(
            list(Some(&[asked])),
            r#"[{"name":"a","version":"\u003e=1 \u003c2","repository":"","tags":["x"],"alias":"b"}]"#
        );
        assert_eq!((list(None), list(Some(&[]))), ("null".to_owned(), "[]".to_owned()));
    }

    #[test]
    fn a_lock_is_read_as_it_was_written() {
        let lock = Lock {
            digest: "sha256:1".into(),
            dependencies: Some(vec![
                dependency("a", "1.0.0", "https://h/c"),
                dependency("b", "2.0.0", ""),
            ]),
        };
        let text = lock.to_yaml("2026-01-02T03:04:05Z");
        assert_eq!(
            text,
            "dependencies:\n- name: a\n  repository: https://h/c\n  version: 1.0.0\n- name: b\n  repository: \"\"\n  version: 2.0.0\n\
             digest: sha256:1\ngenerated: \"2026-01-02T03:04:05Z\"\n"
        );
        let read = Lock::parse(&text).unwrap();
        assert_eq!(read.digest, "sha256:1");
        let same = digest(None, read.dependencies.as_deref()) == digest(None, lock.dependencies.as_deref());
        assert!(same);
        for bad in ["- a", "dependencies: x", "dependencies: [x]", "a: [", "digest: {}"] {
            assert!(Lock::parse(bad).is_err(), "{bad}");
        }
    }
}
