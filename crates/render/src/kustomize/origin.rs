//! `buildMetadata`: which file or generator an object comes from, and which transformers saw it, as annotations.

use pintle_yaml::{Node, Scalar, Yaml};

use super::error::{Failure, Result};
use super::remote::Fetch;
use super::resource::Resource;

/// Where an object comes from.
pub(super) const ORIGIN: &str = "config.kubernetes.io/origin";
/// What has transformed it.
pub(super) const TRANSFORMATIONS: &str = "alpha.config.kubernetes.io/transformations";

/// The place of a kustomization, or of what is configured there.
#[derive(Clone, Default)]
pub(super) struct Origin {
    path: String,
    repository: String,
    revision: String,
}

impl Origin {
    /// The place that an entry of `resources` or `components` leads to from here.
    pub fn append(&self, entry: &str) -> Self {
        let mut out = self.clone();
        match Fetch::of(entry).and_then(|fetch| fetch.git) {
            Some(git) => {
                out.repository = git.repository;
                out.revision = git.revision;
                // What Kustomize calls the root of a repository that it has not cloned yet.
                out.path = if git.path.is_empty() {
                    "notCloned".to_owned()
                } else {
                    clean(&git.path)
                };
            }
            None => out.path = clean(&format!("{}/{entry}", out.path)),
        }
        out
    }

    /// The origin that a plugin's configuration carries, if it carries one.
    pub fn of(config: &Resource) -> Option<Self> {
        let text = config.metadata_map("annotations").remove(ORIGIN)?;
        let yaml = pintle_yaml::parse(&text).ok()?;
        let Yaml::Map(fields) = yaml else { return None };
        let get = |name: &str| match fields.iter().find(|(key, _)| key == name) {
            Some((_, Yaml::String(text))) => text.clone(),
            _ => String::new(),
        };
        Some(Self {
            path: get("path"),
            repository: get("repo"),
            revision: get("ref"),
        })
    }

    fn place(&self) -> Vec<(&'static str, &str)> {
        let fields = [("repo", self.repository.as_str()), ("ref", self.revision.as_str())];
        fields.into_iter().filter(|(_, value)| !value.is_empty()).collect()
    }

    /// Notes the origin of an object of a file.
    pub fn mark(&self, resource: &mut Resource) -> Result<()> {
        let mut text = String::new();
        for (key, value) in [("path", self.path.as_str())].into_iter().chain(self.place()) {
            line(&mut text, key, value);
        }
        annotate(resource, ORIGIN, text)
    }
}

/// What made or changed an object: a kind that is configured in a file.
pub(super) struct By<'c> {
    pub origin: &'c Origin,
    /// The file of the configuration, with the directory that leads to it.
    pub file: String,
    pub api_version: &'c str,
    pub kind: &'c str,
    pub name: &'c str,
    pub namespace: &'c str,
}

impl<'c> By<'c> {
    /// A field of a kustomization file.
    pub fn field(origin: &'c Origin, file: &str, kind: &'c str) -> Self {
        Self {
            origin,
            file: clean(&format!("{}/{file}", origin.path)),
            api_version: "builtin",
            kind,
            name: "",
            namespace: "",
        }
    }

    /// A plugin that is configured as an object.
    pub fn plugin(origin: &'c Origin, config: &'c Resource) -> Self {
        Self {
            origin,
            file: origin.path.clone(),
            api_version: config.api_version(),
            kind: config.kind(),
            name: config.name(),
            namespace: config.namespace(),
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for (key, value) in self.origin.place() {
            line(&mut text, key, value);
        }
        if !self.file.is_empty() {
            line(&mut text, "configuredIn", &self.file);
        }
        text.push_str("configuredBy:\n");
        for (key, value) in [
            ("apiVersion", self.api_version),
            ("kind", self.kind),
            ("name", self.name),
            ("namespace", self.namespace),
        ] {
            if !value.is_empty() {
                text.push_str("  ");
                line(&mut text, key, value);
            }
        }
        text
    }

    /// Notes a generator as the origin of what it made.
    pub fn mark_made(&self, resource: &mut Resource) -> Result<()> {
        match resource.metadata_map("annotations").contains_key(ORIGIN) {
            true => Ok(()),
            false => annotate(resource, ORIGIN, self.text()),
        }
    }

    /// Notes a transformer on everything it saw, whether it changed it or not.
    pub fn mark_seen(&self, resources: &mut [Resource]) -> Result<()> {
        let own = self.text();
        let mut item = String::new();
        for (at, line) in own.lines().enumerate() {
            item.push_str(if at == 0 { "- " } else { "  " });
            item.push_str(line);
            item.push('\n');
        }
        for resource in resources {
            let mut annotations = resource.metadata_map("annotations");
            if annotations.contains_key(ORIGIN) {
                let before = annotations.remove(TRANSFORMATIONS).unwrap_or_default();
                annotations.insert(TRANSFORMATIONS.to_owned(), before + &item);
            } else {
                annotations.insert(ORIGIN.to_owned(), own.clone());
            }
            resource.set_metadata_map("annotations", &annotations);
        }
        Ok(())
    }
}

/// Annotates without writing the other annotations anew.
fn annotate(resource: &mut Resource, key: &str, text: String) -> Result<()> {
    let map = resource
        .node
        .get_or_map("metadata")
        .and_then(|m| m.get_or_map("annotations"));
    match map {
        Some(map @ Node::Map(_)) => map.set(key, Node::Scalar(Scalar::string(text))),
        _ => return Err(Failure::invalid("wrong node kind: annotations are no map")),
    }
    Ok(())
}

fn line(text: &mut String, key: &str, value: &str) {
    text.push_str(key);
    text.push_str(": ");
    text.push_str(&pintle_yaml::to_string(&Yaml::String(value.to_owned())));
}

/// A path as Go's `filepath.Join` leaves it.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    parts.join("/")
}
