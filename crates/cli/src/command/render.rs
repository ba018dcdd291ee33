//! `render`: Applications from checkouts, rendered without a cluster.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use pintle_model::application::{Application, Source};
use pintle_model::tree::{Tree, TreePath};
use pintle_model::{Object, Value};
use pintle_render::kustomize::FILE_NAMES;
use pintle_repo::Stand;

use super::kustomize::disk::Disk;
use super::preview::definition::{Definition, Origin};
use super::preview::fleet::{self, Fleet};
use super::preview::found::{Finder, Found, tell_apart};
use super::preview::here::{Here, as_checked_out, mapped, near};
use super::preview::plain;
use super::preview::renderer::Renderer;
use crate::args::{RenderArgs, RenderFormat};
use crate::exit::{CliError, ERROR};
use crate::output::{self, note};

pub(crate) async fn run(args: RenderArgs) -> Result<ExitCode, CliError> {
    let renderer = Renderer::new(&args.preview)?;
    let mut own: Vec<Here> = Vec::new();
    for path in &args.paths {
        // An Application may stand anywhere if its sources do not.
        match Here::around(path) {
            Ok(here)
                if own
                    .iter()
                    .any(|o| o.repository.directory() == here.repository.directory()) => {}
            Ok(here) => own.push(here),
            Err(e) if args.revision.is_some() || !path.exists() => return Err(e),
            Err(_) => {}
        }
    }
    let others = mapped(&args.preview, &mut own)?;
    let mut known = Vec::new();
    let mut states = Vec::new();
    for (index, here) in own.into_iter().enumerate() {
        let state = State::of(here, &args, &renderer.scratch(&format!("files-{index}"))).await?;
        known.push(state.here.near(Some(state.stand.clone())));
        note(&state.said(args.revision.as_deref()));
        states.push(state);
    }
    for other in &others {
        known.push(as_checked_out(other)?);
    }
    let near = near(known, &args.preview);
    let mut finder = Finder::new(&args.preview.control_namespace);
    let mut found = Found::default();
    let mut folders = Vec::new();
    for path in &args.paths {
        let part = search(path, &states, &mut finder, &args, &mut folders)?;
        found.definitions.extend(part.definitions);
        found.unreadable.extend(part.unreadable);
        found.sets.extend(part.sets);
        found.passed_over.extend(part.passed_over);
    }
    let notes = tell_apart(&mut [&mut found]);
    let passed_over = found.passed_over.iter().map(|(file, why)| format!("{file}: {why}"));
    for text in passed_over.chain(notes) {
        note(&format!("note: {}", plain(&text)));
    }
    let with_children = args.children || !folders.is_empty();
    found.definitions.extend(folders);
    let fleet = fleet::render(&found.definitions, &renderer, &near, with_children).await;
    report(&found, &fleet, &args)
}

/// One repository as it is rendered.
struct State {
    here: Here,
    stand: Stand,
}

impl State {
    /// A revision, or the files as they stand. Either means HEAD and the branch it is on, and so does the branch that the remote calls its default.
    async fn of(here: Here, args: &RenderArgs, scratch: &Path) -> Result<Self, CliError> {
        let failed = |e: pintle_repo::git::LocalError| CliError::error(e.to_string());
        let repository = &here.repository;
        let given = args.revision.as_deref().unwrap_or("HEAD");
        let mut branches = repository.branches(given);
        branches.extend(repository.default_branches());
        branches.extend(args.preview.branches.iter().cloned());
        if args.revision.is_some() || repository.work_dir().is_none() {
            let commit = repository.commit(given).map_err(failed)?;
            let stand = Stand {
                revision: commit.clone(),
                commit,
                branches,
                head: None,
            };
            return Ok(Self { here, stand });
        }
        let (with_files, commit) = repository.with_work_tree(scratch).await.map_err(failed)?;
        // A repository without a commit has files all the same.
        let revision = repository.commit("HEAD").unwrap_or_else(|_| commit.clone());
        let stand = Stand {
            commit,
            revision,
            branches,
            head: None,
        };
        let here = Here {
            repository: Arc::new(with_files),
            places: here.places,
        };
        Ok(Self { here, stand })
    }
}

impl State {
    /// What stands for which revisions: an Application of another branch is rendered as it is committed there.
    fn said(&self, revision: Option<&str>) -> String {
        let names: Vec<&str> = ["HEAD"]
            .into_iter()
            .chain(self.stand.branches.iter().map(String::as_str))
            .collect();
        let what = match revision {
            Some(revision) => format!("{revision} of"),
            None if self.here.repository.work_dir().is_none() => "HEAD of".to_owned(),
            None => "the files as they stand in".to_owned(),
        };
        let directory = self.here.repository.directory().display();
        plain(&format!(
            "note: targetRevision {} means {what} {directory}",
            names.join(", ")
        ))
    }
}

/// Applications at one path. A folder that is a chart or a kustomization goes to `folders`: what it renders is looked at for Applications.
fn search(
    path: &Path,
    states: &[State],
    finder: &mut Finder,
    args: &RenderArgs,
    folders: &mut Vec<Arc<Definition>>,
) -> Result<Found, CliError> {
    let failed = |e: &dyn std::fmt::Display| CliError::error(format!("{}: {e}", path.display()));
    // A file that is named is read even where the checkout ignores it.
    if args.revision.is_none() && path.is_file() {
        let text = super::file::text(&path.to_string_lossy())?;
        return some(finder.read(text.as_bytes(), &path.to_string_lossy()), path);
    }
    let Some((state, inside)) = states.iter().find_map(|s| Some((s, s.here.inside(path).ok()?))) else {
        let (disk, top) = Disk::at(path).map_err(|e| failed(&e))?;
        return some(finder.find(&disk, &top).map_err(|e| failed(&e))?, path);
    };
    let tree = state
        .here
        .repository
        .tree(&state.stand.commit)
        .map_err(|e| failed(&e))?;
    let top = TreePath::new(&inside).map_err(|e| failed(&e))?;
    if tree.entry(&top).map_err(|e| failed(&e))?.is_none() {
        return Err(failed(&format_args!(
            "it is not in {}",
            args.revision.as_deref().unwrap_or("the files that Git does not ignore")
        )));
    }
    let listing = tree.list(&top).map_err(|e| failed(&e))?.unwrap_or_default();
    let is_rendered = |name: &str| name == "Chart.yaml" || FILE_NAMES.contains(&name);
    if listing.iter().any(|(name, _)| is_rendered(name)) {
        folders.push(folder(&state.here, &inside, &args.preview.control_namespace)?);
        return Ok(Found::default());
    }
    some(finder.find(&tree, &top).map_err(|e| failed(&e))?, path)
}

/// That nothing is there is worth an error: a mistyped path would look like success.
fn some(found: Found, path: &Path) -> Result<Found, CliError> {
    if found.definitions.is_empty() && found.unreadable.is_empty() {
        let mut message = format!("{} holds no Application", path.display());
        if !found.sets.is_empty() {
            message.push_str("; its ApplicationSets are not expanded");
        }
        return Err(CliError::error(message));
    }
    Ok(found)
}

/// A folder as the source of an Application that nobody wrote.
fn folder(here: &Here, inside: &str, control_namespace: &str) -> Result<Arc<Definition>, CliError> {
    let mut app = Application::default();
    let name = inside.rsplit('/').next().filter(|name| !name.is_empty());
    app.metadata.name = name.unwrap_or("folder").to_owned();
    app.metadata.namespace = control_namespace.to_owned();
    app.spec.destination.namespace = control_namespace.to_owned();
    app.spec.source = Some(Source {
        repo_url: here.url(),
        path: if inside.is_empty() {
            ".".into()
        } else {
            inside.to_owned()
        },
        ..Source::default()
    });
    let origin = Origin::Folder {
        path: inside.to_owned(),
    };
    let definition = Definition::new(app.to_object(), control_namespace, origin);
    let mut definition = definition.map_err(|e| CliError::error(e.to_string()))?;
    // No Application that somebody wrote has this name.
    definition.key.file = Some(format!("folder {inside}").into());
    Ok(Arc::new(definition))
}

fn report(found: &Found, fleet: &Fleet, args: &RenderArgs) -> Result<ExitCode, CliError> {
    let mut failed = !found.unreadable.is_empty();
    let mut text = String::new();
    let mut list = Vec::new();
    for (file, why) in &found.unreadable {
        note(&format!("error: {}: {}", plain(file), plain(why)));
    }
    let mut sets = found.sets.len();
    for (key, member) in &fleet.members {
        let Some(output) = &member.output else {
            failed = true;
            continue;
        };
        sets += output.sets.len();
        for warning in &output.warnings {
            note(&format!("warning: {}: {}", plain(&key.to_string()), plain(warning)));
        }
        let origin = &member.definition.origin;
        if let Some(why) = &output.failure {
            failed = true;
            note(&format!(
                "error: Application {} ({}): {}",
                plain(&key.to_string()),
                plain(&origin.to_string()),
                plain(why)
            ));
        }
        if matches!(origin, Origin::Folder { .. }) {
            continue;
        }
        match args.output {
            RenderFormat::Yaml => yaml(&mut text, key, output),
            RenderFormat::Json => list.push(json(member.definition.as_ref(), output)),
        }
    }
    for text in &fleet.notes {
        note(&format!("note: {}", plain(text)));
    }
    if sets > 0 {
        note(&format!(
            "note: {sets} ApplicationSets are not expanded: what they would generate is not rendered"
        ));
    }
    if args.output == RenderFormat::Json {
        text = output::json(&Value::list(list));
    }
    output::print(&text)?;
    Ok(if failed {
        ExitCode::from(ERROR)
    } else {
        ExitCode::SUCCESS
    })
}

fn yaml(text: &mut String, key: &super::preview::definition::AppKey, rendered: &super::preview::renderer::Output) {
    text.push_str(&format!("# Application: {}\n", plain(&key.to_string())));
    for source in &rendered.sources {
        let [url, what, revision] = &source.shown;
        text.push_str(&format!(
            "# Source: {}\n",
            plain(&format!("{url} {what} at {revision}"))
        ));
    }
    if rendered.failure.is_some() {
        text.push_str("# It could not be rendered.\n");
        return;
    }
    for object in rendered.objects() {
        text.push_str("---\n");
        text.push_str(&output::yaml(object.value()));
    }
}

fn json(definition: &Definition, rendered: &super::preview::renderer::Output) -> Value {
    let mut value = Value::map();
    value.set_at(&["namespace"], (&*definition.key.namespace).into());
    value.set_at(&["name"], (&*definition.key.name).into());
    value.set_at(&["definedIn"], definition.origin.to_string().into());
    let sources = rendered.sources.iter().map(|source| {
        let [url, what, revision] = &source.shown;
        let mut value = Value::map();
        value.set_at(&["repoURL"], url.as_str().into());
        value.set_at(&["pathOrChart"], what.as_str().into());
        value.set_at(&["revision"], revision.as_str().into());
        value
    });
    value.set_at(&["sources"], Value::list(sources.collect()));
    match &rendered.failure {
        Some(why) => value.set_at(&["error"], why.as_str().into()),
        None => {
            let objects: Vec<Value> = rendered
                .objects()
                .into_iter()
                .map(|o: &Object| o.value().clone())
                .collect();
            value.set_at(&["objects"], Value::list(objects));
        }
    }
    value
}
