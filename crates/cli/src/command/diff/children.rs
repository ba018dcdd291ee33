//! What becomes of Applications that others render, where those others fail or stay.

use std::collections::{BTreeMap, BTreeSet};

use pintle_engine::app::change::{Fate, What};
use pintle_model::ResourceKey;

use super::report::{AppReport, State};
use crate::command::preview::definition::{AppKey, Origin};
use crate::command::preview::fleet::{Fleet, Member};

/// What one state cannot tell of the other's Applications.
pub(super) struct Lost {
    /// Applications whose children are not known, each with the one whose failure is the cause: itself, or one above it.
    parents: BTreeMap<AppKey, AppKey>,
    /// Files that cannot be read.
    files: BTreeSet<String>,
}

/// Why an Application is not known, and the Application whose failure is the cause.
type Reason = (String, Option<AppKey>);

impl Lost {
    pub fn reason_by_parent(&self, member: &Member, state: &str) -> Option<Reason> {
        let (parent, cause) = member.parents.iter().find_map(|p| self.parents.get_key_value(p))?;
        let why = format!("{parent}, which renders it, could not be rendered at {state}");
        Some((why, Some(cause.clone())))
    }

    pub fn reason(&self, member: &Member, state: &str) -> Option<Reason> {
        let by_parent = self.reason_by_parent(member, state);
        if by_parent.is_some() {
            return by_parent;
        }
        match &member.definition.origin {
            Origin::File { path, .. } if self.files.contains(path) => {
                Some((format!("{path} cannot be read at {state}"), None))
            }
            _ => None,
        }
    }
}

/// What is not known of a state. An Application of the other state that only such a one would render is not known either, nor what that renders.
pub(super) fn unknown(state: State<'_>, other: State<'_>) -> Lost {
    let members = &state.fleet.members;
    let is_unknown = |member: &Member| member.output.as_ref().is_none_or(|o| o.failure.is_some());
    let failing = members.iter().filter(|(_, m)| is_unknown(m));
    let mut parents: BTreeMap<AppKey, AppKey> = failing.map(|(key, _)| (key.clone(), key.clone())).collect();
    loop {
        let lost: Vec<(AppKey, AppKey)> = other
            .fleet
            .members
            .iter()
            .filter(|(key, _)| !members.contains_key(*key) && !parents.contains_key(*key))
            .filter_map(|(key, m)| {
                let cause = m.parents.iter().find_map(|p| parents.get(p))?;
                Some((key.clone(), cause.clone()))
            })
            .collect();
        if lost.is_empty() {
            break;
        }
        parents.extend(lost);
    }
    Lost {
        parents,
        files: [&state.found.unreadable, &state.found.passed_over]
            .into_iter()
            .flat_map(|files| files.keys().cloned())
            .collect(),
    }
}

/// What a parent does to one that it renders no more; `None` where it deletes it.
type Verdicts = BTreeMap<AppKey, BTreeMap<AppKey, Option<String>>>;

/// Applications that Git has no more and the cluster keeps, with the reason: none of those that render them deletes them.
pub(super) fn staying(base: &Fleet, apps: &[AppReport]) -> BTreeMap<AppKey, String> {
    let verdicts = verdicts(base, apps);
    let mut stay = BTreeMap::new();
    // Each round knows of more that stay; the last one only says the reasons anew, now that it is known who stays.
    loop {
        let next: BTreeMap<AppKey, String> = verdicts
            .iter()
            .filter_map(|(child, by_parent)| {
                let reasons: Option<Vec<String>> = by_parent
                    .iter()
                    .map(|(parent, verdict)| {
                        if stay.contains_key(parent) {
                            Some(format!("{parent}, which renders it, stays itself"))
                        } else {
                            verdict.clone()
                        }
                    })
                    .collect();
                Some((child.clone(), reasons?.into_iter().next()?))
            })
            .collect();
        if next == stay {
            return stay;
        }
        stay = next;
    }
}

/// What the parents of each Application that is removed do to it.
fn verdicts(base: &Fleet, apps: &[AppReport]) -> Verdicts {
    let changes: BTreeMap<&AppKey, &AppReport> = apps.iter().map(|app| (&app.key, app)).collect();
    let mut verdicts = Verdicts::new();
    for (parent, member) in &base.members {
        let (Some(output), Some(report)) = (&member.output, changes.get(parent)) else {
            continue;
        };
        let objects = report.change.objects.iter();
        let fates: BTreeMap<&ResourceKey, &Fate> = objects.filter_map(|o| Some((&o.key, o.fate.as_ref()?))).collect();
        for child in &output.children {
            let is_removed = changes.get(&child.key).is_some_and(|c| c.change.what == What::Removed);
            if !is_removed || child.key == *parent {
                continue;
            }
            let mut key = child.manifest.key();
            if key.namespace.is_empty() {
                key.namespace = member.definition.app.spec.destination.namespace.as_str().into();
            }
            let verdict = match fates.get(&key) {
                Some(fate) if !fate.is_deleted() => Some(format!("{parent}, which renders it: {}", fate.sentence())),
                _ => None,
            };
            verdicts
                .entry(child.key.clone())
                .or_default()
                .insert(parent.clone(), verdict);
        }
    }
    verdicts
}
