//! `diff`: what a change in Git would do to every Application of a repository, without a cluster.
//!
//! ```text
//! base ─ found ─ fleet ─┐
//!                       ├─ engine::change for each ─> Report ─> output::change::{text, json, markdown}
//! head ─ found ─ fleet ─┘     (a render that read nothing of what differs is the same one: nothing to compare)
//! ```

mod children;
mod moves;
pub(crate) mod report;

use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use pintle_model::application::Source;
use pintle_model::tree::{Tree as _, TreePath};
use pintle_repo::git::{GitTree, LocalError};
use pintle_repo::{Near, NearRepository, Stand};

use super::preview::fleet::{self, Fleet};
use super::preview::found::{Finder, Found, tell_apart};
use super::preview::here::{Here, as_checked_out, mapped, near};
use super::preview::renderer::Renderer;
use crate::args::{Color, DiffArgs, DiffFormat};
use crate::exit::{CliError, ERROR};
use crate::output::{self, change};
use report::{Report, Revision, State};

/// What an empty `targetRevision` means.
pub(super) const HEAD: &str = "HEAD";

/// Something changes.
const CHANGES: u8 = 1;

pub(crate) async fn run(args: DiffArgs) -> Result<ExitCode, CliError> {
    let report = compare(&args).await?;
    let text = match args.output {
        DiffFormat::Text => change::text(&report, colours(args.color)),
        DiffFormat::Json => output::json(&change::json(&report)),
        DiffFormat::Markdown => change::markdown(&report),
    };
    output::print(&text)?;
    Ok(if report.has_failed() {
        ExitCode::from(ERROR)
    } else if report.has_changes() {
        ExitCode::from(CHANGES)
    } else {
        ExitCode::SUCCESS
    })
}

async fn compare(args: &DiffArgs) -> Result<Report, CliError> {
    let renderer = Renderer::new(&args.preview)?;
    let mut own = [Here::around(&existing(args.path.as_deref()))?];
    let others = mapped(&args.preview, &mut own)?;
    let [here] = own;
    let path = args
        .path
        .as_deref()
        .map_or_else(|| Ok(String::new()), |path| here.inside(path))?;
    let top = TreePath::new(&path).map_err(|e| CliError::error(format!("{path}: {e}")))?;
    let (base, head) = revisions(&here, args)?;
    let tree = |revision: &Revision| here.repository.tree(&revision.commit).map_err(|e| failed(&e));
    let trees = [tree(&base)?, tree(&head)?];
    there(&trees, &top, [&base, &head])?;
    let branches = branches(&here, args, [&base, &head]);
    let mut elsewhere = Vec::new();
    for other in &others {
        elsewhere.push(as_checked_out(other)?);
    }
    let mut finder = Finder::new(&args.preview.control_namespace);
    let mut found = Vec::new();
    for tree in &trees {
        found.push(finder.find(tree, &top).map_err(|e| CliError::error(e.to_string()))?);
    }
    let (Some(mut after), Some(mut before)) = (found.pop(), found.pop()) else {
        return Err(CliError::error("a state was not read"));
    };
    let mut notes: BTreeSet<String> = tell_apart(&mut [&mut before, &mut after]).into_iter().collect();
    let default = head_elsewhere(&here, &branches);
    let at = |revision: &Revision| -> Arc<Near> {
        let stand = Stand {
            commit: revision.commit.clone(),
            revision: revision.commit.clone(),
            branches: branches.clone(),
            head: default.clone(),
        };
        let mut all: Vec<NearRepository> = vec![here.near(Some(stand))];
        all.extend(elsewhere.iter().cloned());
        near(all, &args.preview)
    };
    let render = async |found: &Found, revision: &Revision| -> Fleet {
        fleet::render(&found.definitions, &renderer, &at(revision), true).await
    };
    let base_fleet = render(&before, &base).await;
    renderer.keep_no_more();
    let head_fleet = render(&after, &head).await;
    tracing::info!(renders = renderer.renders(), "both states rendered");
    for (file, why) in before.passed_over.iter().chain(&after.passed_over) {
        notes.insert(format!("{file}: {why}"));
    }
    let mut report = report::of(
        State {
            found: &before,
            fleet: &base_fleet,
        },
        State {
            found: &after,
            fleet: &head_fleet,
        },
    );
    notes.extend(parted(&here, &base, &head, args));
    notes.extend(warnings(&base_fleet, &head_fleet));
    // What head has no longer is a matter of base.
    before.makers.retain(|folder| !after.makers.contains(folder));
    notes.extend(unused_makers(&before, &base_fleet));
    notes.extend(unused_makers(&after, &head_fleet));
    if before.definitions.is_empty() && after.definitions.is_empty() {
        notes.insert(format!(
            "no file at or below {} describes an Application, at base or at head",
            shown(&top)
        ));
    }
    report.notes.extend(notes);
    report.pinned = pinned(&head_fleet, &at(&head));
    (report.base, report.head) = (base, head);
    report.tracked = branches;
    Ok(report)
}

/// What exists of a path: a folder may be gone from the checkout and still be in a commit.
fn existing(path: Option<&Path>) -> PathBuf {
    let path = path.unwrap_or(Path::new("."));
    let there = path.ancestors().find(|p| !p.as_os_str().is_empty() && p.exists());
    there.unwrap_or(Path::new(".")).to_owned()
}

fn shown(path: &TreePath) -> String {
    if path.is_root() {
        "the top of the repository".to_owned()
    } else {
        path.to_string()
    }
}

/// A path that neither state has is a slip of the pen, and must not pass as "nothing changes".
fn there(trees: &[GitTree], path: &TreePath, revisions: [&Revision; 2]) -> Result<(), CliError> {
    for tree in trees {
        if tree.entry(path).map_err(|e| CliError::error(e.to_string()))?.is_some() {
            return Ok(());
        }
    }
    let [base, head] = revisions.map(|revision| &revision.given);
    let nowhere = if base == head {
        format!("{path} is not at {base}")
    } else {
        format!("{path} is neither at {base} nor at {head}")
    };
    Err(CliError::error(nowhere).with_hint("name a file or a folder of the repository, as either of them has it"))
}

/// Where base went on after head parted from it, what it did since shows as undone.
fn parted(here: &Here, base: &Revision, head: &Revision, args: &DiffArgs) -> Option<String> {
    if args.merge_base {
        return None;
    }
    // Histories that have nothing in common, or are cut off, have no place where they parted.
    let fork = here.repository.merge_base(&base.commit, &head.commit).ok()?;
    (fork != base.commit).then(|| {
        format!(
            "{} has commits that {} has not, and they show here as undone; compare with where they parted, {}, by --merge-base",
            base.given,
            head.given,
            fork.get(..10).unwrap_or(&fork)
        )
    })
}

/// Warnings of renders; a thousand of one sort help nobody.
const MAX_WARNINGS: usize = 20;

/// What renders at head warn of, and those at base do not.
fn warnings(base: &Fleet, head: &Fleet) -> Vec<String> {
    let of = |fleet: &Fleet, key| -> BTreeSet<String> {
        let output = fleet.members.get(key).and_then(|member| member.output.as_ref());
        output
            .into_iter()
            .flat_map(|output| output.warnings.iter().cloned())
            .collect()
    };
    let mut said = Vec::new();
    for key in head.members.keys() {
        let known = of(base, key);
        said.extend(
            of(head, key)
                .difference(&known)
                .map(|warning| format!("{key}: {warning}")),
        );
    }
    if said.len() > MAX_WARNINGS {
        let more = said.len() - MAX_WARNINGS;
        said.truncate(MAX_WARNINGS);
        said.push(format!("{more} more warnings of renders"));
    }
    said
}

/// Charts and kustomizations that make Applications and that none of those found renders.
fn unused_makers(found: &Found, fleet: &Fleet) -> BTreeSet<String> {
    let sources = fleet
        .members
        .values()
        .flat_map(|member| member.definition.app.spec.effective_sources());
    let used: BTreeSet<String> = sources
        .map(|source| source.path.trim_matches('/').trim_start_matches("./").to_owned())
        .collect();
    let unused = found.makers.iter().filter(|folder| !used.contains(*folder));
    unused
        .map(|folder| {
            format!(
                "{folder} makes Applications, or changes those that stand in it, and no Application here renders it: what it makes is not compared"
            )
        })
        .collect()
}

fn revisions(here: &Here, args: &DiffArgs) -> Result<(Revision, Revision), CliError> {
    let find = |given: &str| -> Result<Revision, CliError> {
        let commit = here.repository.commit(given).map_err(|e| failed(&e))?;
        Ok(Revision {
            given: given.to_owned(),
            commit,
        })
    };
    let (mut base, head) = (find(&args.base)?, find(&args.head)?);
    if args.merge_base {
        let repository = &here.repository;
        base.commit = repository
            .merge_base(&base.commit, &head.commit)
            .map_err(|e| failed(&e))?;
    }
    Ok((base, head))
}

fn failed(error: &LocalError) -> CliError {
    CliError::error(error.to_string())
        .with_hint("a clone of CI often has one commit only: fetch both sides (fetch-depth: 0 of actions/checkout)")
}

/// Names of branches that mean the states compared: those that the revisions name. Where the base names none, those that it is the tip of, else the
/// default branch.
fn branches(here: &Here, args: &DiffArgs, [base, head]: [&Revision; 2]) -> BTreeSet<String> {
    let repository = &here.repository;
    let mut names = repository.branches(&base.given);
    if names.is_empty() {
        names = repository.branches_at(&base.commit);
    }
    if names.is_empty() {
        names = repository.default_branches();
    }
    names.extend(repository.branches(&head.given));
    names.extend(args.preview.branches.iter().cloned());
    names
}

/// The default branch, where it is known and none of those compared: `HEAD` is not touched then.
fn head_elsewhere(here: &Here, branches: &BTreeSet<String>) -> Option<String> {
    let known = here.repository.known_default_branches();
    known.is_disjoint(branches).then(|| known.first().cloned()).flatten()
}

/// Revisions of the repository that Applications name and that are not compared, with how many name each.
fn pinned(fleet: &Fleet, near: &Near) -> BTreeMap<String, usize> {
    let mut pinned = BTreeMap::new();
    let Some(own) = near.repositories.first() else {
        return pinned;
    };
    for member in fleet.members.values() {
        let sources = member.definition.app.spec.effective_sources();
        let elsewhere = |source: &&Source| {
            let is_own = !source.is_chart() && own.places.contains(&pintle_repo::url::place(&source.repo_url));
            is_own
                && own
                    .stand
                    .as_ref()
                    .is_some_and(|stand| !stand.is_meant(&source.target_revision))
        };
        let named = sources
            .iter()
            .filter(elsewhere)
            .map(|s| match s.target_revision.as_str() {
                "" => HEAD,
                other => other,
            });
        for revision in named.collect::<BTreeSet<&str>>() {
            *pinned.entry(revision.to_owned()).or_default() += 1;
        }
    }
    pinned
}

fn colours(wanted: Color) -> bool {
    match wanted {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()),
    }
}
