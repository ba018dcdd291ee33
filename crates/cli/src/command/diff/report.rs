//! What a change does to a fleet, as one value that every format prints. It holds nothing secret.

use std::collections::{BTreeMap, BTreeSet};

use pintle_engine::app::change::{AppChange, Departure, Failure, Fate, ImageChange, ObjectChange, Side, What, change};
use pintle_engine::track::is_crd;
use pintle_model::Object;
use pintle_render::kustomize::is_cluster_scoped;

use super::children::{Lost, staying, unknown};
use crate::command::preview::definition::{AppKey, Origin};
use crate::command::preview::fleet::{Fleet, MAX_DEPTH, Member};
use crate::command::preview::found::Found;
use crate::command::preview::renderer::Output;

/// Applications named where one cannot be rendered and thousands depend on it; JSON names all.
const MAX_DEPENDENTS: usize = 10;

/// A state's revision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Revision {
    /// As it was given.
    pub given: String,
    /// The commit.
    pub commit: String,
}

impl Revision {
    /// As people write it: `main (1a2b3c4)`.
    pub fn shown(&self) -> String {
        let short = self.commit.get(..7).unwrap_or(&self.commit);
        if self.given == self.commit || self.given == short {
            short.to_owned()
        } else {
            format!("{} ({short})", self.given)
        }
    }
}

/// What becomes of one Application.
pub(crate) struct AppReport {
    /// `namespace/name`, with the file where that is needed to tell it apart.
    pub name: String,
    pub key: AppKey,
    /// Where it is described.
    pub origin: Origin,
    pub change: AppChange,
    /// The Application that fails and renders this one, directly or through others: nothing else keeps this one from being compared.
    pub because: Option<AppKey>,
    /// Names of those that cannot be compared because this one fails.
    pub dependents: Vec<String>,
}

/// How much is known of what becomes of an Application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// Everything.
    All,
    /// That it comes or goes; its objects are not known.
    NotItsObjects,
    /// Nothing.
    Nothing,
}

impl AppReport {
    /// How much is known of it.
    pub fn known(&self) -> Known {
        match (self.change.failure.is_none(), self.change.what) {
            (true, _) => Known::All,
            (false, What::Added | What::Removed) => Known::NotItsObjects,
            (false, _) => Known::Nothing,
        }
    }

    /// What there is to say beside its name: why something of it is not known, or why it stays.
    pub fn remark(&self) -> Option<String> {
        let change = &self.change;
        let departure = change.departure.as_ref().map(Departure::sentence);
        let why = || failure(&change.failure);
        let said = match self.known() {
            Known::All if change.what == What::Stays => departure?.into_owned(),
            Known::All => return None,
            Known::NotItsObjects => match departure {
                Some(departure) => format!("{departure}; which objects is not known, {}", why()),
                None => format!("it cannot be rendered, {}", why()),
            },
            Known::Nothing => why(),
        };
        Some(said)
    }

    /// Those that cannot be compared because of this one: `and 3 Applications that it renders: a, b, …`.
    pub fn dependents_line(&self) -> Option<String> {
        let names = &self.dependents;
        let shown: Vec<&str> = names.iter().take(MAX_DEPENDENTS).map(String::as_str).collect();
        let more = if names.len() > shown.len() { ", …" } else { "" };
        (!names.is_empty()).then(|| {
            format!(
                "and {} {} that it renders: {}{more}",
                names.len(),
                plural(names.len(), "Application"),
                shown.join(", ")
            )
        })
    }
}

/// What a change does.
#[derive(Default)]
pub(crate) struct Report {
    pub base: Revision,
    pub head: Revision,
    /// Names of branches that mean the states compared.
    pub tracked: BTreeSet<String>,
    /// Applications that something becomes of, by name.
    pub apps: Vec<AppReport>,
    /// How many stay the same.
    pub unchanged: usize,
    /// Files that should hold an Application and cannot be read, before and after.
    pub unreadable: [BTreeMap<String, String>; 2],
    /// ApplicationSets before and after: what they generate is not known here.
    pub sets: [usize; 2],
    /// Revisions of the repository that Applications read and that are not compared, with how many read each.
    pub pinned: BTreeMap<String, usize>,
    pub notes: BTreeSet<String>,
}

/// Numbers for a summary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub apps_added: usize,
    pub apps_changed: usize,
    pub apps_removed: usize,
    pub apps_failed: usize,
    /// Those that leave Git and that the cluster keeps.
    pub apps_staying: usize,
    /// Those that come or go and whose objects are not known: they are not in the numbers of objects.
    pub apps_without_objects: usize,
    pub objects_added: usize,
    pub objects_changed: usize,
    pub objects_removed: usize,
    pub objects_deleted: usize,
}

impl Report {
    /// Whether some Application is not known at head.
    pub fn has_failed(&self) -> bool {
        let [_, head] = &self.unreadable;
        !head.is_empty() || self.apps.iter().any(|app| app.change.failure.head.is_some())
    }

    /// Whether anything becomes of anything, as far as it is known.
    pub fn has_changes(&self) -> bool {
        !self.apps.is_empty()
    }

    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for app in &self.apps {
            let change = &app.change;
            match app.known() {
                Known::All => {}
                Known::NotItsObjects => totals.apps_without_objects += 1,
                Known::Nothing => {
                    totals.apps_failed += 1;
                    continue;
                }
            }
            match change.what {
                What::Added => totals.apps_added += 1,
                What::Removed => totals.apps_removed += 1,
                What::Stays => totals.apps_staying += 1,
                What::Changed | What::Same => totals.apps_changed += 1,
            }
            let [added, changed, removed] = change.counts();
            totals.objects_added += added;
            totals.objects_changed += changed;
            totals.objects_removed += removed;
            let is_deleted = |object: &&ObjectChange| object.fate.as_ref().is_some_and(Fate::is_deleted);
            totals.objects_deleted += change.objects.iter().filter(is_deleted).count();
        }
        totals
    }

    /// The summary in a line.
    pub fn line(&self) -> String {
        let t = self.totals();
        let apps = self.apps.len() + self.unchanged;
        let mut text = format!(
            "{apps} {}: {} added, {} changed, {} removed, {} unchanged",
            plural(apps, "Application"),
            t.apps_added,
            t.apps_changed,
            t.apps_removed,
            self.unchanged
        );
        if t.apps_failed > 0 {
            text.push_str(&format!(", {} could not be compared", t.apps_failed));
        }
        if t.apps_staying > 0 {
            text.push_str(&format!(", {} no longer in Git and kept", t.apps_staying));
        }
        text.push_str(&format!(
            ". Objects: {} added, {} changed, {} removed, of which {} would be deleted",
            t.objects_added, t.objects_changed, t.objects_removed, t.objects_deleted
        ));
        if t.apps_without_objects > 0 {
            let word = plural(t.apps_without_objects, "Application");
            text.push_str(&format!("; those of {} {word} are not known", t.apps_without_objects));
        }
        text.push('.');
        text
    }

    /// What is worth saying beside the changes, a sentence each.
    pub fn asides(&self) -> Vec<String> {
        let mut asides = Vec::new();
        for (files, state) in self.unreadable.iter().zip(["base", "head"]) {
            asides.extend(
                files
                    .iter()
                    .map(|(file, why)| format!("{file} cannot be read at {state}: {why}")),
            );
        }
        let [before, after] = self.sets;
        if before + after > 0 {
            let count = if before == after {
                after.to_string()
            } else {
                format!("{before} at base, {after} at head")
            };
            asides.push(format!(
                "ApplicationSets are not expanded ({count}): what they generate is not in this comparison."
            ));
        }
        if !self.pinned.is_empty() {
            let names = |list: Vec<&str>| list.join(", ");
            let tracked = names(
                [super::HEAD]
                    .into_iter()
                    .filter(|head| !self.pinned.contains_key(*head))
                    .chain(self.tracked.iter().map(String::as_str))
                    .collect(),
            );
            let pinned: Vec<String> = self
                .pinned
                .iter()
                .map(|(name, count)| format!("{name} ({count})"))
                .collect();
            asides.push(format!(
                "Applications that read this repository at other revisions are not touched by this change: {}. Only {tracked} mean what is compared.",
                pinned.join(", ")
            ));
        }
        asides.extend(self.notes.iter().cloned());
        asides
    }
}

/// `1 Application`, `2 Applications`.
pub(crate) fn plural(count: usize, word: &str) -> String {
    if count == 1 {
        word.to_owned()
    } else {
        format!("{word}s")
    }
}

/// `a:1 → b:2`, or what comes or goes.
pub(crate) fn image(image: &ImageChange) -> String {
    match (&image.before, &image.after) {
        (Some(before), Some(after)) => format!("{before} → {after}"),
        (Some(before), None) => format!("{before} no more"),
        (None, after) => format!("new: {}", after.as_deref().unwrap_or_default()),
    }
}

/// One state of the repository.
#[derive(Clone, Copy)]
pub(super) struct State<'a> {
    pub found: &'a Found,
    pub fleet: &'a Fleet,
}

/// Compares two states, Application by Application.
pub(super) fn of(base: State<'_>, head: State<'_>) -> Report {
    let custom = cluster_scoped([base.fleet, head.fleet]);
    let scope = |object: &Object| {
        is_cluster_scoped(object.api_version(), object.kind())
            || custom.contains(&(object.group().to_owned(), object.kind().to_owned()))
    };
    let lost = [unknown(head, base), unknown(base, head)];
    let mut report = Report {
        unreadable: [base.found.unreadable.clone(), head.found.unreadable.clone()],
        sets: [sets(base), sets(head)],
        ..Report::default()
    };
    for (fleet, other, state) in [(base.fleet, head.fleet, "base"), (head.fleet, base.fleet, "head")] {
        let said = |note: &String| {
            if other.notes.contains(note) {
                note.clone()
            } else {
                format!("{note} (at {state})")
            }
        };
        report.notes.extend(fleet.notes.iter().map(said));
    }
    let keys: BTreeSet<&AppKey> = base.fleet.members.keys().chain(head.fleet.members.keys()).collect();
    for key in keys {
        let (before, after) = (base.fleet.members.get(key), head.fleet.members.get(key));
        let Some(member) = after.or(before) else { continue };
        if let (Some(before), Some(after)) = (before, after)
            && is_untouched(before, after)
        {
            report.unchanged += 1;
            continue;
        }
        let (change, because) = one(before, after, &lost, &scope);
        if change.is_none() {
            report.unchanged += 1;
            continue;
        }
        report.apps.push(AppReport {
            name: key.to_string(),
            key: key.clone(),
            origin: member.definition.origin.clone(),
            change,
            because,
            dependents: Vec::new(),
        });
    }
    let mut stay = staying(base.fleet, &report.apps);
    for app in &mut report.apps {
        if let Some(why) = stay.remove(&app.key) {
            app.change.keep(why);
        }
    }
    super::moves::tell(base, head, &mut report.apps);
    fold(&mut report.apps);
    report
}

/// Names those that only another one's failure keeps from being compared with that one.
fn fold(apps: &mut [AppReport]) {
    let shown: BTreeSet<AppKey> = apps
        .iter()
        .filter(|a| a.because.is_none())
        .map(|a| a.key.clone())
        .collect();
    let mut dependents: BTreeMap<AppKey, Vec<String>> = BTreeMap::new();
    for app in apps.iter_mut() {
        app.because = app.because.take().filter(|cause| shown.contains(cause));
        if let Some(cause) = &app.because {
            dependents.entry(cause.clone()).or_default().push(app.name.clone());
        }
    }
    for app in apps {
        app.dependents = dependents.remove(&app.key).unwrap_or_default();
    }
}

/// Whether two states of an Application are known to be equal without a look at its objects.
fn is_untouched(before: &Member, after: &Member) -> bool {
    let (Some(a), Some(b)) = (&before.output, &after.output) else {
        return false;
    };
    a.is_same(b) && before.definition.is_same(&after.definition)
}

fn one(
    before: Option<&Member>,
    after: Option<&Member>,
    [lost_at_head, lost_at_base]: &[Lost; 2],
    scope: &dyn Fn(&Object) -> bool,
) -> (AppChange, Option<AppKey>) {
    let objects = [before, after].map(|member| member.and_then(|m| m.output.as_deref()).map(Output::objects));
    let side = |member: Option<&'_ Member>| -> Option<(bool, String)> {
        let member = member?;
        let why = match &member.output {
            Some(output) => output.failure.clone(),
            None => Some(format!(
                "not rendered: more than {MAX_DEPTH} Applications stand above it"
            )),
        };
        Some((why.is_some(), why.unwrap_or_default()))
    };
    let failures = [side(before), side(after)];
    let [mut base, mut head] = [(before, 0), (after, 1)].map(|(member, at)| {
        let member = member?;
        let (is_failed, why) = failures.get(at)?.as_ref()?;
        let known = objects.get(at)?.as_deref();
        Some(Side {
            app: &member.definition.app,
            manifest: &member.definition.manifest,
            objects: match (is_failed, known) {
                (false, Some(objects)) => Ok(objects),
                _ => Err(why),
            },
        })
    });
    // Gone with a parent that could not be rendered, or a file that could not be read, is not gone.
    let reason = match (before, after) {
        (Some(member), None) => lost_at_head.reason(member, "head"),
        (None, Some(member)) => lost_at_base.reason(member, "base"),
        // What a file says of it is not what it would be told.
        (Some(before), Some(after)) if after.parents.is_empty() => lost_at_head.reason_by_parent(before, "head"),
        _ => None,
    };
    if let Some((reason, _)) = &reason {
        let known = base.or(head);
        let unknown = known.map(|side| Side {
            objects: Err(reason),
            ..side
        });
        if before.is_some() {
            head = unknown;
        } else {
            base = unknown;
        }
    }
    let mut change = change(base, head, scope);
    let is_only_failure = change.failure.base.is_none() || change.failure.head.is_none();
    let because = reason.and_then(|(_, cause)| cause).filter(|_| is_only_failure);
    let is_shown_by_parent = |member: Option<&Member>| member.is_none_or(|m| !m.parents.is_empty());
    if is_shown_by_parent(before) && is_shown_by_parent(after) {
        change.manifest = None;
        if change.what == What::Changed && change.objects.is_empty() {
            change.what = What::Same;
        }
    }
    (change, because)
}

/// Kinds of definitions in either state whose objects have no namespace.
fn cluster_scoped(fleets: [&Fleet; 2]) -> BTreeSet<(String, String)> {
    let mut kinds = BTreeSet::new();
    for output in fleets
        .iter()
        .flat_map(|f| f.members.values())
        .filter_map(|m| m.output.as_ref())
    {
        for object in output.objects().into_iter().filter(|o| is_crd(o)) {
            let text = |path: &[&str]| object.value().str_at(path).unwrap_or_default().to_owned();
            if text(&["spec", "scope"]) == "Cluster" {
                kinds.insert((text(&["spec", "group"]), text(&["spec", "names", "kind"])));
            }
        }
    }
    kinds
}

fn sets(state: State<'_>) -> usize {
    let outputs = state.fleet.members.values().filter_map(|m| m.output.as_ref());
    let rendered: BTreeSet<&String> = outputs.flat_map(|o| &o.sets).collect();
    state.found.sets.len() + rendered.len()
}

/// Why an Application cannot be compared, in a sentence.
fn failure(failure: &Failure) -> String {
    match (&failure.base, &failure.head) {
        (Some(base), Some(head)) if base == head => format!("at base and head: {base}"),
        (Some(base), Some(head)) => format!("at base: {base}; at head: {head}"),
        (Some(base), None) => format!("at base: {base}"),
        (None, head) => format!("at head: {}", head.as_deref().unwrap_or_default()),
    }
}
