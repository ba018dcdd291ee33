//! What `kustomize edit …` does to the kustomization of a build before it is built, in memory.
//!
//! The settings of `spec.source.kustomize` reach a build this way [F4.8]: as edits, in this order, of the kustomization file of the
//! Application's directory. A setting meets what the file says as the command of the same name would have it.

use std::collections::BTreeMap;

use pintle_model::tree::{EntryKind, Reader, TreePath};

use super::Options;
use super::error::{Failure, Reason, Result};
use super::kustomization::{Image, Kustomization, Label, Pairs, Patch, PatchOptions, Replica, Selector};
use super::loader::{Loader, Session, store};
use super::remote::Fetch;
use super::transform::split_image;
use crate::helm::matcher;

/// Edits of the kustomization that is built; empty ones change nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Edits {
    /// `edit set nameprefix`.
    pub name_prefix: String,
    /// `edit set namesuffix`.
    pub name_suffix: String,
    /// `edit set image`: `[old=]new[:tag][@digest]` each, or `image:tag` and `image@digest`; `*` keeps what the file says.
    pub images: Vec<String>,
    /// `edit set replicas`: names and counts.
    pub replicas: Vec<(String, i64)>,
    /// `edit add label`.
    pub labels: Labels,
    /// `edit add annotation`.
    pub annotations: Annotations,
    /// `edit set namespace`.
    pub namespace: String,
    /// Added behind the patches of the file.
    pub patches: Vec<PatchEdit>,
    /// `edit add component`: directories, globs, or remote bases; each once.
    pub components: Vec<String>,
    /// Only those of [`Edits::components`] that exist in the tree are added.
    pub ignore_missing_components: bool,
}

/// Labels for every object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Labels {
    /// Keys and values.
    pub pairs: BTreeMap<String, String>,
    /// `--force`: labels of the file are overwritten; otherwise they are an error.
    pub force: bool,
    /// `--without-selector`: the labels go into `labels` and stay out of selectors.
    pub without_selector: bool,
    /// `--include-templates`: into pod templates too; only with `without_selector`.
    pub include_templates: bool,
}

/// Annotations for every object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Annotations {
    /// Keys and values.
    pub pairs: BTreeMap<String, String>,
    /// `--force`: annotations of the file are overwritten; otherwise they are an error.
    pub force: bool,
}

/// An entry of `patches`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PatchEdit {
    /// The file of the patch, relative to the kustomization; empty for an inline one.
    pub path: String,
    /// The patch itself.
    pub patch: String,
    /// What it is for; `None` means what the patch names.
    pub target: Option<PatchTarget>,
    /// `allowNameChange`, `allowKindChange`.
    pub options: BTreeMap<String, bool>,
}

/// What a patch is for: regular expressions that all match, and selectors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the fields are those of `patches[].target`")]
pub struct PatchTarget {
    pub group: String,
    pub version: String,
    pub kind: String,
    pub name: String,
    pub namespace: String,
    pub annotation_selector: String,
    pub label_selector: String,
}

/// Edits the kustomization of a directory.
pub(super) fn apply(k: &mut Kustomization, edits: &Edits, loader: &Loader<'_, '_, '_>) -> Result<()> {
    for (field, value) in [
        (&mut k.name_prefix, &edits.name_prefix),
        (&mut k.name_suffix, &edits.name_suffix),
        (&mut k.namespace, &edits.namespace),
    ] {
        if !value.is_empty() {
            field.clone_from(value);
        }
    }
    if !edits.images.is_empty() {
        images(&mut k.images, &edits.images).map_err(|e| e.within("edit set image"))?;
    }
    if !edits.replicas.is_empty() {
        replicas(&mut k.replicas, &edits.replicas).map_err(|e| e.within("edit set replicas"))?;
    }
    if !edits.labels.pairs.is_empty() {
        labels(k, &edits.labels).map_err(|e| e.within("edit add label"))?;
    }
    if !edits.annotations.pairs.is_empty() {
        add_pairs(
            &mut k.common_annotations,
            &edits.annotations.pairs,
            edits.annotations.force,
            "annotation",
        )
        .map_err(|e| e.within("edit add annotation"))?;
    }
    for patch in &edits.patches {
        k.patches.push(entry(patch)?);
    }
    components(k, edits, loader).map_err(|e| e.within("edit add component"))
}

/// Stands for what the file says.
const KEEP: &str = "*";

pub(super) fn images(images: &mut Vec<Image>, edits: &[String]) -> Result<()> {
    let mut by_name: BTreeMap<String, Image> = BTreeMap::new();
    for edit in edits {
        let image = parse_image(edit)?;
        by_name.insert(image.name.clone(), image);
    }
    // What is kept comes from the first entry of that name; a `*` that finds nothing is empty.
    for old in images.drain(..) {
        match by_name.get_mut(&old.name) {
            Some(new) => {
                for (field, kept) in [
                    (&mut new.new_name, old.new_name),
                    (&mut new.new_tag, old.new_tag),
                    (&mut new.digest, old.digest),
                ] {
                    if field == KEEP {
                        *field = kept;
                    }
                }
            }
            None => {
                by_name.insert(old.name.clone(), old);
            }
        }
    }
    for image in by_name.values_mut() {
        for field in [&mut image.new_name, &mut image.new_tag, &mut image.digest] {
            if field == KEEP {
                field.clear();
            }
        }
    }
    images.extend(by_name.into_values());
    Ok(())
}

fn parse_image(text: &str) -> Result<Image> {
    let (key, value) = match text.split_once('=') {
        Some((key, value)) => (key, value),
        None => ("", text),
    };
    let (name, tag, digest) = split_image(value);
    if name == text {
        return Err(Failure::invalid(format!(
            "invalid format of image {text:?}, use one of the following options: <image>=<newimage>:<newtag>, \
             <image>=<newimage>@<digest>, <image>=<newimage>:<newtag>@<digest>, <image>=<newimage>, <image>:<newtag>, \
             <image>:<newtag>@<digest>, <image>@<digest>"
        )));
    }
    let (name, new_name) = if key.is_empty() { (name, "") } else { (key, name) };
    Ok(Image {
        name: name.to_owned(),
        new_name: new_name.to_owned(),
        new_tag: tag.to_owned(),
        digest: digest.to_owned(),
        ..Image::default()
    })
}

pub(super) fn replicas(replicas: &mut Vec<Replica>, edits: &[(String, i64)]) -> Result<()> {
    let mut by_name: BTreeMap<String, Replica> = BTreeMap::new();
    for (name, count) in edits {
        if name.contains('=') {
            return Err(Failure::invalid(
                "invalid format of replica, use the following format: <name>=<count>",
            ));
        }
        let (name, count) = (name.clone(), *count);
        by_name.insert(name.clone(), Replica { name, count });
    }
    let edited: Vec<String> = by_name.keys().cloned().collect();
    // Of entries of the file with one name, the last one stays.
    for old in replicas.drain(..).filter(|old| !edited.contains(&old.name)) {
        by_name.insert(old.name.clone(), old);
    }
    replicas.extend(by_name.into_values());
    Ok(())
}

pub(super) fn labels(k: &mut Kustomization, edit: &Labels) -> Result<()> {
    if !edit.without_selector {
        if edit.include_templates {
            return Err(Failure::invalid(
                "--without-selector flag must be specified for --include-templates to work: set `labelWithoutSelector`",
            ));
        }
        return add_pairs(&mut k.common_labels, &edit.pairs, edit.force, "label");
    }
    // The first entry with the same settings takes them, or a new one.
    let same = |label: &&mut Label| !label.include_selectors && label.include_templates == edit.include_templates;
    if let Some(label) = k.labels.iter_mut().find(same) {
        return add_pairs(&mut label.pairs, &edit.pairs, edit.force, "label");
    }
    let mut label = Label {
        include_templates: edit.include_templates,
        ..Label::default()
    };
    add_pairs(&mut label.pairs, &edit.pairs, edit.force, "label")?;
    k.labels.push(label);
    Ok(())
}

pub(super) fn add_pairs(pairs: &mut Pairs, more: &BTreeMap<String, String>, force: bool, what: &str) -> Result<()> {
    for (key, value) in more {
        // Each goes through an argument `key:value`.
        let argument = format!("{key}:{value}");
        let (key, value) = match argument.split_once(':') {
            Some(("", _)) | None => {
                return Err(Failure::invalid(format!(
                    "invalid {what}: {key:?} (need k:v pair where v may be quoted)"
                )));
            }
            Some((key, value)) => (key, value),
        };
        let value = value
            .strip_prefix('"')
            .and_then(|v| v.strip_suffix('"'))
            .unwrap_or(value);
        if !force && pairs.contains_key(key) {
            return Err(Failure::new(
                Reason::Conflict,
                format!("{what} {key} already in kustomization file. Use --force to override."),
            ));
        }
        pairs.insert(key.to_owned(), value.to_owned());
    }
    Ok(())
}

fn entry(edit: &PatchEdit) -> Result<Patch> {
    let mut options = PatchOptions::default();
    for (name, value) in &edit.options {
        match name.to_ascii_lowercase().as_str() {
            "allownamechange" => options.allow_name_change = *value,
            "allowkindchange" => options.allow_kind_change = *value,
            _ => {
                return Err(Failure::invalid(format!(
                    "patches: unknown option {name:?}: there are allowNameChange and allowKindChange"
                )));
            }
        }
    }
    Ok(Patch {
        path: edit.path.clone(),
        patch: edit.patch.clone(),
        target: edit.target.as_ref().map(|t| Selector {
            group: t.group.clone(),
            version: t.version.clone(),
            kind: t.kind.clone(),
            name: t.name.clone(),
            namespace: t.namespace.clone(),
            annotation_selector: t.annotation_selector.clone(),
            label_selector: t.label_selector.clone(),
        }),
        options: (!edit.options.is_empty()).then_some(options),
    })
}

fn components(k: &mut Kustomization, edits: &Edits, loader: &Loader<'_, '_, '_>) -> Result<()> {
    for pattern in &edits.components {
        let found = if edits.ignore_missing_components {
            // Looked for as written: neither a glob nor a remote base exists under its own name.
            exists(loader, pattern)?.then(|| pattern.clone()).into_iter().collect()
        } else {
            expand(loader, pattern)?
        };
        for component in found {
            if !k.components.contains(&component) {
                k.components.push(component);
            }
        }
    }
    Ok(())
}

/// What `edit add resource` or `edit add component` makes of patterns, in a directory of a tree.
pub fn expand_patterns(
    reader: &Reader<'_>,
    directory: &TreePath,
    patterns: &[String],
) -> std::result::Result<Vec<String>, Failure> {
    let options = Options::default();
    let session = Session::new(reader, &options, None);
    let loader = Loader::new(&session, directory.clone());
    let mut out = Vec::new();
    for pattern in patterns {
        out.extend(expand(&loader, pattern)?);
    }
    Ok(out)
}

fn exists(loader: &Loader<'_, '_, '_>, path: &str) -> Result<bool> {
    // What leads out of the tree does not exist in it.
    match loader.root.join(path) {
        Ok(path) => Ok(loader.session.reader.kind(&path).map_err(store)?.is_some()),
        Err(_) => Ok(false),
    }
}

/// What a pattern names: paths in the tree, or itself where it is remote.
fn expand(loader: &Loader<'_, '_, '_>, pattern: &str) -> Result<Vec<String>> {
    let mut found = glob(loader, pattern, 0)?;
    let hidden = |path: &str| {
        path.rsplit('/')
            .next()
            .is_some_and(|name| name.starts_with('.') && name != "." && name != "..")
    };
    if !hidden(pattern) {
        found.retain(|path| !hidden(path));
    }
    if found.is_empty() {
        if Fetch::of(pattern).is_some() {
            return Ok(vec![pattern.to_owned()]);
        }
        return Err(Failure::new(
            Reason::Missing,
            format!("{pattern} has no match: no such directory, named from {}", loader.root),
        ));
    }
    Ok(found)
}

/// Parts of a pattern. Each is one recursion; paths in repositories stay far below.
const MAX_PARTS: usize = 64;

/// The paths in the tree that a pattern of Go's `filepath.Glob` matches, in order of names.
fn glob(loader: &Loader<'_, '_, '_>, pattern: &str, depth: usize) -> Result<Vec<String>> {
    let is_pattern = |text: &str| text.contains(['*', '?', '[', '\\']);
    if !is_pattern(pattern) {
        return Ok(exists(loader, pattern)?
            .then(|| pattern.to_owned())
            .into_iter()
            .collect());
    }
    if depth > MAX_PARTS {
        return Err(Failure::invalid(format!("{pattern:?}: more than {MAX_PARTS} parts")));
    }
    let (folder, name) = match pattern.rsplit_once('/') {
        Some((folder, name)) => (Some(folder), name),
        None => (None, pattern),
    };
    let folders = match folder {
        None => vec![String::new()],
        Some(folder) => glob(loader, folder, depth + 1)?,
    };
    let mut out = Vec::new();
    for folder in folders {
        let Ok(path) = loader.root.join(if folder.is_empty() { "." } else { &folder }) else {
            continue;
        };
        if loader.session.reader.kind(&path).map_err(store)? != Some(EntryKind::Dir) {
            continue;
        }
        for entry in children(loader, &path)? {
            if matcher::matches(name, &entry) {
                out.push(if folder.is_empty() {
                    entry
                } else {
                    format!("{folder}/{entry}")
                });
            }
        }
    }
    Ok(out)
}

fn children(loader: &Loader<'_, '_, '_>, path: &TreePath) -> Result<Vec<String>> {
    let listing = loader.session.reader.dir(path).map_err(store)?.unwrap_or_default();
    let mut names: Vec<String> = listing.iter().map(|e| e.name.to_string()).collect();
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests;
