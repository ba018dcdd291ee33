//! Where the manifests of the benchmarked applications come from.

use std::collections::BTreeMap;

use pintle_model::{GroupKind, Object};
use serde_json::{Value, json};

use super::stage::{CONTROL, Stage, TARGET};
use super::{Result, fleet};
use crate::checkout::Checkout;
use crate::thirds::{self, LEVEL, Sort};

/// One repository in either case; each application has the same four objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sources {
    /// A directory of manifests each.
    Plain,
    /// A third each plain manifests, one chart with values of their own, and overlays over one base.
    Thirds,
}

impl Sources {
    /// Makes the repository with one commit.
    pub(super) fn repository(self, apps: usize) -> Result<Checkout> {
        let repo = Checkout::empty()?;
        repo.write("README.md", "All applications.\n")?;
        match self {
            Self::Plain => (0..apps).try_for_each(|index| self.write_app(&repo, index, "first"))?,
            Self::Thirds => repo.write_all(&thirds::all(apps, "first"))?,
        }
        repo.commit("all applications")?;
        Ok(repo)
    }

    /// Writes what one application has to itself; `note` ends up in its ConfigMap.
    pub(super) fn write_app(self, repo: &Checkout, index: usize, note: &str) -> Result<()> {
        match self {
            Self::Plain => {
                for object in fleet::objects(index, note) {
                    let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default();
                    let path = format!("apps/{}/{}.yaml", fleet::name(index), kind.to_lowercase());
                    // JSON is YAML; a person's YAML has a line for each field as well.
                    repo.write(&path, &serde_json::to_string_pretty(&object)?)?;
                }
                Ok(())
            }
            Self::Thirds => repo.write_all(&thirds::files(index, note)),
        }
    }

    /// The Application.
    pub(super) fn application(self, index: usize, url: &str) -> Value {
        let name = fleet::name(index);
        let source = match self {
            Self::Plain => json!({"repoURL": url, "path": format!("apps/{name}"), "targetRevision": "main"}),
            Self::Thirds => thirds::source(index, url),
        };
        json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": {"name": name, "namespace": CONTROL},
            "spec": {
                "project": "default",
                "source": source,
                "destination": {"server": "https://kubernetes.default.svc", "namespace": TARGET},
                "syncPolicy": {"automated": {"prune": true, "selfHeal": true}},
            },
        })
    }

    /// Where manifests come from, by what one application's sort is called.
    pub(super) fn sort(self, index: usize) -> &'static str {
        match (self, Sort::of(index)) {
            (Self::Plain, _) | (_, Sort::Plain) => "plain manifests",
            (_, Sort::Chart) => "a chart",
            (_, Sort::Overlay) => "an overlay",
        }
    }

    /// Checks that every object of every application is there as Git says, and every Deployment available.
    pub(super) async fn check(self, stage: &Stage, apps: usize, note: &str) -> Result<()> {
        for (group, kind, _) in fleet::KINDS {
            let objects = stage.objects(&GroupKind::new(group, kind)).await?;
            let good = by_application(objects.iter().filter(|o| match o.kind() {
                "Deployment" => o.value().i64_at(&["status", "availableReplicas"]) == Some(1),
                "ConfigMap" => o.value().str_at(&["data", "note"]) == Some(note),
                _ => true,
            }));
            missing(
                apps,
                kind,
                (0..apps).filter(|index| good.contains_key(&fleet::name(*index))),
            )?;
        }
        Ok(())
    }

    /// Checks that the ConfigMap of one application says `note`.
    pub(super) async fn check_note(self, stage: &Stage, index: usize, note: &str) -> Result<()> {
        let objects = stage.objects(&GroupKind::new("", "ConfigMap")).await?;
        let name = fleet::name(index);
        let found = by_application(objects.iter());
        let own = found.get(&name).map(Vec::as_slice).unwrap_or_default();
        if own.iter().any(|o| o.value().str_at(&["data", "note"]) == Some(note)) {
            return Ok(());
        }
        Err(format!("{name} says it is Synced, and its ConfigMap is not as Git says").into())
    }

    /// Checks that the Services of all applications of a sort, and of no others, are of this level.
    pub(super) async fn check_level(self, stage: &Stage, apps: usize, sort: Sort, level: &str) -> Result<()> {
        let objects = stage.objects(&GroupKind::new("", "Service")).await?;
        let of_level = |o: &&Object| o.value().str_at(&["metadata", "annotations", LEVEL]) == Some(level);
        let found = by_application(objects.iter().filter(of_level));
        if found.len() > sort.among(apps) {
            return Err(format!("{} Services are of level {level}", found.len()).into());
        }
        let is_right = |index: &usize| Sort::of(*index) != sort || found.contains_key(&fleet::name(*index));
        missing(apps, "Service", (0..apps).filter(is_right))
    }
}

/// Objects by the application that they belong to: what an overlay makes has the application's name in front, everything else has it alone.
fn by_application<'a>(objects: impl Iterator<Item = &'a Object>) -> BTreeMap<String, Vec<&'a Object>> {
    let length = fleet::name(0).len();
    let mut found: BTreeMap<String, Vec<&Object>> = BTreeMap::new();
    for object in objects {
        let name = object.name();
        let app = name
            .get(..length)
            .filter(|_| matches!(name.get(length..=length), None | Some("-")));
        if let Some(app) = app {
            found.entry(app.to_owned()).or_default().push(object);
        }
    }
    found
}

fn missing(apps: usize, kind: &str, good: impl Iterator<Item = usize>) -> Result<()> {
    let good: std::collections::BTreeSet<usize> = good.collect();
    match (0..apps).find(|index| !good.contains(index)) {
        None => Ok(()),
        Some(first) => Err(format!(
            "{} of {apps} {kind}s are not there as Git says, the first is {}",
            apps - good.len(),
            fleet::name(first)
        )
        .into()),
    }
}
