//! `pintle kustomize edit …`: changes the kustomization of the working directory as Kustomize does.

use std::collections::BTreeMap;
use std::path::Path;

use pintle_model::tree::Reader;
use pintle_render::kustomize::{Annotations, FILE_NAMES, FileEdit, Labels, edit_file, expand_patterns};

use super::disk::Disk;
use super::failed;
use crate::args::{AddCommand, EditCommand, RemoveCommand, SetCommand};
use crate::command::file;
use crate::exit::CliError;

pub(super) fn run(command: EditCommand) -> Result<(), CliError> {
    let there: Vec<&str> = FILE_NAMES.into_iter().filter(|name| Path::new(name).exists()).collect();
    let name = match there.as_slice() {
        [name] => *name,
        [] => return Err(failed("Missing kustomization file 'kustomization.yaml'.")),
        several => {
            return Err(failed(format!(
                "Found multiple kustomization file: [{}]",
                several.join(" ")
            )));
        }
    };
    let edit = edit_of(command, name)?;
    let before = file::text(name)?;
    let after = edit_file(&before, &edit).map_err(failed)?;
    if after == before {
        return Ok(());
    }
    super::write(Path::new(name), &after)
}

fn edit_of(command: EditCommand, name: &str) -> Result<FileEdit, CliError> {
    Ok(match command {
        EditCommand::Set(SetCommand::Nameprefix { value }) => FileEdit::NamePrefix(value),
        EditCommand::Set(SetCommand::Namesuffix { value }) => FileEdit::NameSuffix(value),
        EditCommand::Set(SetCommand::Namespace { value }) => FileEdit::Namespace(value),
        EditCommand::Set(SetCommand::Image { images }) => FileEdit::Images(images),
        EditCommand::Set(SetCommand::Replicas { replicas }) => FileEdit::Replicas(counts(&replicas)?),
        EditCommand::Set(SetCommand::Label { pairs }) => FileEdit::SetLabels(split(&pairs)),
        EditCommand::Set(SetCommand::Annotation { pairs }) => FileEdit::SetAnnotations(split(&pairs)),
        EditCommand::Add(AddCommand::Resource { paths }) => FileEdit::AddResources(expand(&paths, name)?),
        EditCommand::Add(AddCommand::Component { paths }) => FileEdit::AddComponents(expand(&paths, name)?),
        EditCommand::Add(AddCommand::Label {
            pairs,
            force,
            without_selector,
            include_templates,
        }) => FileEdit::AddLabels(Labels {
            pairs: split(&pairs),
            force,
            without_selector,
            include_templates,
        }),
        EditCommand::Add(AddCommand::Annotation { pairs, force }) => FileEdit::AddAnnotations(Annotations {
            pairs: split(&pairs),
            force,
        }),
        EditCommand::Remove(RemoveCommand::Resource { patterns }) => FileEdit::RemoveResources(patterns),
    })
}

/// What the patterns match here, without the kustomization itself.
fn expand(patterns: &[String], name: &str) -> Result<Vec<String>, CliError> {
    let (disk, here) = Disk::at(Path::new(".")).map_err(|e| failed(format!("cannot read this directory: {e}")))?;
    let mut found = expand_patterns(&Reader::new(&disk), &here, patterns).map_err(failed)?;
    found.retain(|path| path != name);
    Ok(found)
}

fn counts(words: &[String]) -> Result<Vec<(String, i64)>, CliError> {
    let count = |word: &String| {
        let (name, count) = word.split_once('=')?;
        Some((name.to_owned(), count.parse().ok()?))
    };
    words
        .iter()
        .map(|word| {
            count(word).ok_or_else(|| failed("invalid format of replica, use the following format: <name>=<count>"))
        })
        .collect()
}

/// Keys and values; a key alone has an empty one.
fn split(words: &[String]) -> BTreeMap<String, String> {
    let pair = |word: &String| {
        let (key, value) = word.split_once(':').unwrap_or((word, ""));
        (key.to_owned(), value.to_owned())
    };
    words.iter().map(pair).collect()
}
