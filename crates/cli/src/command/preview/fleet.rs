//! Every Application of one state: those in files, and those that others render.
//!
//! What an Application renders wins over what a file says of one with the same name: it is what a cluster gets. Deciding that is pure and asked
//! again until nothing is left to render: [`fleet`] says what is missing.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use pintle_model::tree::Read;
use pintle_render::SourceType;
use pintle_repo::Near;

use super::definition::{AppKey, Definition, Origin};
use super::renderer::{Output, Outputs, Renderer};

/// Applications that render Applications that render Applications; nobody nests them deeper than three or four.
pub(crate) const MAX_DEPTH: usize = 16;

/// One Application of a state.
pub(crate) struct Member {
    pub definition: Arc<Definition>,
    /// The Applications that render it.
    pub parents: BTreeSet<AppKey>,
    /// What it renders to; `None` where it is too deep to be rendered.
    pub output: Option<Arc<Output>>,
}

/// Every Application of a state.
#[derive(Default)]
pub(crate) struct Fleet {
    pub members: BTreeMap<AppKey, Member>,
    /// What is worth saying: circles, contradictions.
    pub notes: BTreeSet<String>,
}

/// A fleet, as far as it is known.
pub(crate) struct Settled {
    pub fleet: Fleet,
    /// What has to be rendered before it can be known.
    pub missing: Vec<Arc<Definition>>,
}

/// Renders until every Application is known. `with_children`: those that others render count.
pub(crate) async fn render(
    found: &[Arc<Definition>],
    renderer: &Renderer,
    near: &Arc<Near>,
    with_children: bool,
) -> Fleet {
    let mut outputs = Outputs::default();
    // Files are found in the first repository.
    let first = near.repositories.first();
    let is_here = |url: &str| {
        let both = near.repository(url).zip(first);
        both.is_some_and(|(meant, first)| Arc::ptr_eq(&meant.repository, &first.repository))
    };
    loop {
        let Settled { fleet, missing } = fleet(found, &|d| outputs.get(d).cloned(), &is_here, with_children);
        // Every round renders something that was not; chains end at `MAX_DEPTH`.
        if missing.is_empty() {
            return fleet;
        }
        let rendered = renderer.render(missing.clone(), near).await;
        for (definition, output) in missing.into_iter().zip(rendered) {
            outputs.insert(definition, output);
        }
    }
}

/// Puts a fleet together from what was found in files and what is known of renders. `is_here`: whether a URL means the repository of the files.
pub(crate) fn fleet(
    found: &[Arc<Definition>],
    known: &dyn Fn(&Definition) -> Option<Arc<Output>>,
    is_here: &dyn Fn(&str) -> bool,
    with_children: bool,
) -> Settled {
    let mut in_files: Definitions = found.iter().map(|d| (d.key.clone(), Arc::clone(d))).collect();
    let mut notes = BTreeSet::new();
    let mut made = Definitions::new();
    if with_children {
        made = settled(&in_files, known, &mut notes);
        let inputs = inputs(&in_files, &made, known, is_here);
        if !inputs.is_empty() {
            in_files.retain(|key, _| !inputs.contains_key(key));
            made = settled(&in_files, known, &mut notes);
            notes.extend(not_applications(&inputs));
        }
    }
    let all = together(&in_files, &made);
    let outputs: BTreeMap<&AppKey, Option<Arc<Output>>> = all.iter().map(|(key, d)| (key, known(d))).collect();
    let parents = parents(&outputs, with_children);
    let depths = depths(&in_files, &outputs, &parents);
    let mut missing = Vec::new();
    let mut members = BTreeMap::new();
    for (key, definition) in &all {
        let is_shallow = depths.get(key).is_some_and(|depth| *depth <= MAX_DEPTH);
        let output = outputs.get(key).cloned().flatten().filter(|_| is_shallow);
        if output.is_none() && is_shallow {
            missing.push(Arc::clone(definition));
        }
        if !is_shallow {
            notes.insert(format!(
                "{key} is not rendered: Applications that render each other are followed {MAX_DEPTH} levels deep"
            ));
        }
        let member = Member {
            definition: Arc::clone(definition),
            parents: parents.get(key).cloned().unwrap_or_default(),
            output,
        };
        members.insert(key.clone(), member);
    }
    notes.extend(circles(&parents));
    Settled {
        fleet: Fleet { members, notes },
        missing,
    }
}

type Definitions = BTreeMap<AppKey, Arc<Definition>>;

/// What Applications render, and what these render. It depends on what renders, one level further each time.
fn settled(
    in_files: &Definitions,
    known: &dyn Fn(&Definition) -> Option<Arc<Output>>,
    notes: &mut BTreeSet<String>,
) -> Definitions {
    let mut made = Definitions::new();
    for _ in 0..=MAX_DEPTH {
        notes.clear();
        let next = children(&together(in_files, &made), known, notes);
        let is_settled =
            next.len() == made.len() && next.iter().zip(&made).all(|((k, a), (l, b))| k == l && a.is_same(b));
        made = next;
        if is_settled {
            break;
        }
    }
    made
}

/// Definitions in files that another Application's kustomization reads and makes something else of, with that Application: bases that overlays
/// patch, for example. A cluster never gets them as they stand.
fn inputs(
    in_files: &Definitions,
    made: &Definitions,
    known: &dyn Fn(&Definition) -> Option<Arc<Output>>,
    is_here: &dyn Fn(&str) -> bool,
) -> BTreeMap<AppKey, (String, AppKey)> {
    let mut by_path: HashMap<&str, Vec<&AppKey>> = HashMap::new();
    for (key, definition) in in_files {
        if let Origin::File { path, .. } = &definition.origin {
            by_path.entry(path).or_default().push(key);
        }
    }
    let mut inputs = BTreeMap::new();
    for (reader, definition) in &together(in_files, made) {
        let Some(output) = known(definition) else { continue };
        let kustomizations = output
            .sources
            .iter()
            .filter(|s| s.rendered.source_type == SourceType::Kustomize && is_here(&s.shown[0]));
        for (path, read) in kustomizations.flat_map(|s| s.rendered.reads.iter()) {
            let described = by_path.get(path.as_str()).filter(|_| matches!(read, Read::File(_)));
            for key in described.into_iter().flatten().filter(|key| **key != reader) {
                inputs.insert((*key).clone(), (path.to_string(), reader.clone()));
            }
        }
    }
    // What is rendered under the same name is that Application. What is an input itself says nothing of others.
    inputs.retain(|key, _| !made.contains_key(key));
    let itself: BTreeSet<AppKey> = inputs.keys().cloned().collect();
    inputs.retain(|_, (_, reader)| !itself.contains(reader));
    inputs
}

/// A sentence for each Application that has inputs which are none.
fn not_applications(inputs: &BTreeMap<AppKey, (String, AppKey)>) -> BTreeSet<String> {
    /// Files that are named.
    const SHOWN: usize = 5;
    let mut files: BTreeMap<&AppKey, BTreeSet<&str>> = BTreeMap::new();
    for (path, reader) in inputs.values() {
        files.entry(reader).or_default().insert(path);
    }
    let sentence = |(reader, files): (&AppKey, BTreeSet<&str>)| {
        let shown: Vec<&str> = files.iter().take(SHOWN).copied().collect();
        let more = if files.len() > SHOWN { ", …" } else { "" };
        format!(
            "not taken for Applications, for the kustomization of {reader} makes others of them: {}{more}",
            shown.join(", ")
        )
    };
    files.into_iter().map(sentence).collect()
}

fn together(in_files: &Definitions, made: &Definitions) -> Definitions {
    let mut all = in_files.clone();
    all.extend(made.iter().map(|(key, d)| (key.clone(), Arc::clone(d))));
    all
}

/// What `all` render, by name. Of two that render one the first counts.
fn children(
    all: &Definitions,
    known: &dyn Fn(&Definition) -> Option<Arc<Output>>,
    notes: &mut BTreeSet<String>,
) -> Definitions {
    let mut made = Definitions::new();
    for (parent, definition) in all {
        for child in known(definition).iter().flat_map(|output| &output.children) {
            match made.get(&child.key) {
                None => {
                    made.insert(child.key.clone(), Arc::clone(child));
                }
                Some(first) if !first.is_same(child) => {
                    notes.insert(format!(
                        "{} is rendered differently by {parent} and is {}; the latter is shown",
                        child.key, first.origin
                    ));
                }
                Some(_) => {}
            }
        }
    }
    made
}

fn parents(
    outputs: &BTreeMap<&AppKey, Option<Arc<Output>>>,
    with_children: bool,
) -> BTreeMap<AppKey, BTreeSet<AppKey>> {
    let mut parents: BTreeMap<AppKey, BTreeSet<AppKey>> = BTreeMap::new();
    for (key, output) in outputs.iter().filter(|_| with_children) {
        for child in output.iter().flat_map(|o| &o.children) {
            parents.entry(child.key.clone()).or_default().insert((*key).clone());
        }
    }
    parents
}

/// How many Applications stand above each: 0 for one in a file.
fn depths(
    in_files: &Definitions,
    outputs: &BTreeMap<&AppKey, Option<Arc<Output>>>,
    parents: &BTreeMap<AppKey, BTreeSet<AppKey>>,
) -> BTreeMap<AppKey, usize> {
    let mut depths: BTreeMap<AppKey, usize> = in_files.keys().map(|key| (key.clone(), 0)).collect();
    let mut level: Vec<AppKey> = in_files.keys().cloned().collect();
    let mut depth = 0;
    while !level.is_empty() {
        depth += 1;
        let mut next = Vec::new();
        for key in &level {
            let output = outputs.get(key).and_then(Option::as_ref);
            for child in output.iter().flat_map(|o| &o.children) {
                let is_new = parents.contains_key(&child.key) && !depths.contains_key(&child.key);
                if is_new {
                    depths.insert(child.key.clone(), depth);
                    next.push(child.key.clone());
                }
            }
        }
        level = next;
    }
    depths
}

/// Applications that render themselves, by way of others or not. They are shown once.
fn circles(parents: &BTreeMap<AppKey, BTreeSet<AppKey>>) -> BTreeSet<String> {
    let mut said = BTreeSet::new();
    for key in parents.keys() {
        let mut above: BTreeSet<&AppKey> = BTreeSet::new();
        let mut todo: Vec<&AppKey> = parents.get(key).into_iter().flatten().collect();
        while let Some(parent) = todo.pop() {
            if above.insert(parent) {
                todo.extend(parents.get(parent).into_iter().flatten());
            }
        }
        if above.contains(key) {
            said.insert(format!(
                "{key} renders itself, directly or through others; it is shown once"
            ));
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use pintle_model::{Object, Value};

    use super::*;

    fn definition(name: &str, note: &str) -> Arc<Definition> {
        let text = format!(
            "{{apiVersion: argoproj.io/v1alpha1, kind: Application, metadata: {{name: {name}, labels: {{note: '{note}'}}}}, spec: {{}}}}"
        );
        let object = Object::new(Value::from_yaml(&text).unwrap()).ok().unwrap();
        let origin = Origin::File {
            path: format!("{name}.yaml"),
            line: 1,
        };
        Arc::new(Definition::new(object, "argocd", origin).unwrap())
    }

    /// Settles with renders that give these children, by name: `name` or `name=note`.
    fn settled(files: &[&str], renders: &dyn Fn(&str) -> Vec<String>) -> (String, BTreeSet<String>) {
        let parse = |text: &str| {
            let (name, note) = text.split_once('=').unwrap_or((text, ""));
            definition(name, note)
        };
        let found: Vec<Arc<Definition>> = files.iter().map(|f| parse(f)).collect();
        let known = std::cell::RefCell::new(Outputs::default());
        loop {
            let Settled { fleet, missing } = fleet(&found, &|d| known.borrow().get(d).cloned(), &|_| true, true);
            if missing.is_empty() {
                let said: Vec<String> = fleet
                    .members
                    .values()
                    .map(|m| {
                        let note = m.definition.manifest.label("note").unwrap_or_default();
                        let by: Vec<&str> = m.parents.iter().map(|p| &*p.name).collect();
                        format!("{}{note}<{}", m.definition.key.name, by.join("+"))
                    })
                    .collect();
                return (said.join(" "), fleet.notes);
            }
            for d in missing {
                let children = renders(&d.key.name).iter().map(|c| parse(c)).collect();
                let output = Output {
                    sources: vec![],
                    failure: None,
                    warnings: vec![],
                    children,
                    sets: vec![],
                };
                known.borrow_mut().insert(d, Arc::new(output));
            }
        }
    }

    fn check(files: &[&str], renders: &[(&str, &[&str])], expected: &str, notes: &[&str]) {
        let table = |name: &str| {
            let row = renders.iter().find(|(n, _)| *n == name);
            row.map(|(_, c)| c.iter().map(|c| (*c).to_owned()).collect())
                .unwrap_or_default()
        };
        let (said, noted) = settled(files, &table);
        assert_eq!(said, expected);
        assert_eq!(noted.iter().map(String::as_str).collect::<Vec<_>>(), notes);
    }

    #[test]
    fn children_join_and_win_over_files() {
        check(&["a", "b"], &[("a", &["c"]), ("c", &["d"])], "a< b< c<a d<c", &[]);
        check(&["a", "b=file"], &[("a", &["b=made"])], "a< bmade<a", &[]);
    }

    #[test]
    fn circles_end_and_are_said() {
        let itself = |name| format!("argocd/{name} renders itself, directly or through others; it is shown once");
        check(&["a"], &[("a", &["a"])], "a<a", &[&itself("a")]);
        check(
            &["a"],
            &[("a", &["b"]), ("b", &["a", "c"])],
            "a<b b<a c<b",
            &[&itself("a"), &itself("b")],
        );
    }

    #[test]
    fn two_that_render_one_differently_are_said() {
        check(
            &["a", "b"],
            &[("a", &["c=1"]), ("b", &["c=2"])],
            "a< b< c1<a+b",
            &["argocd/c is rendered differently by argocd/b and is c.yaml:1; the latter is shown"],
        );
    }

    #[test]
    fn a_chain_without_end_is_cut() {
        let endless = |name: &str| vec![format!("n{}", name.trim_start_matches('n').parse::<u32>().unwrap() + 1)];
        let (said, notes) = settled(&["n0"], &endless);
        assert_eq!(said.split(' ').count(), MAX_DEPTH + 2);
        assert_eq!(notes.len(), 1);
    }
}
