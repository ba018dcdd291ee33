//! Applications written down in the files of a tree.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use pintle_model::tree::{ContentId, Entry, EntryKind, Listing, Tree, TreeError, TreePath};
use pintle_model::{Object, Value, yaml_objects};
use pintle_render::kustomize::FILE_NAMES;

use super::definition::{AppKey, Definition, Origin, is_application, is_application_set};

/// A file that is longer holds no Application that anybody wrote.
const MAX_FILE_BYTES: u64 = 4 << 20;
/// Folders within each other; deeper ones are left out aloud.
const MAX_DEPTH: usize = 100;

/// A file with its content.
type FileId = (TreePath, ContentId);
/// What it holds.
type ReadFile<'f> = (&'f FileId, Result<Found, TreeError>);

/// What a tree holds.
#[derive(Default, Clone)]
pub(crate) struct Found {
    pub definitions: Vec<Arc<Definition>>,
    /// Applications that cannot be read, by file, and why.
    pub unreadable: BTreeMap<String, String>,
    /// ApplicationSets, by file and name.
    pub sets: BTreeSet<String>,
    /// Files and folders that were passed over, and why.
    pub passed_over: BTreeMap<String, String>,
    /// Folders of charts and kustomizations that make Applications, or change those that stand in them.
    pub makers: BTreeSet<String>,
}

impl Found {
    fn add(&mut self, other: &Self) {
        self.definitions.extend(other.definitions.iter().cloned());
        self.unreadable.extend(other.unreadable.clone());
        self.sets.extend(other.sets.iter().cloned());
        self.passed_over.extend(other.passed_over.clone());
        self.makers.extend(other.makers.iter().cloned());
    }
}

/// Finds Applications, reading a file once however many trees hold it.
pub(crate) struct Finder {
    control_namespace: String,
    known: HashMap<FileId, Arc<Found>>,
    /// Whether a template of a chart prints Applications.
    templates: HashMap<FileId, bool>,
}

impl Finder {
    pub fn new(control_namespace: &str) -> Self {
        Self {
            control_namespace: control_namespace.to_owned(),
            known: HashMap::new(),
            templates: HashMap::new(),
        }
    }

    /// Every Application at or below `path`: those of a folder's files before those of its folders.
    pub fn find(&mut self, tree: &dyn Tree, path: &TreePath) -> Result<Found, TreeError> {
        let mut found = Found::default();
        let mut templates = Vec::new();
        let files = match tree.entry(path)? {
            Some(entry) if entry.kind == EntryKind::File => vec![(path.clone(), entry.id)],
            Some(entry) if entry.kind == EntryKind::Dir => files(tree, path, &mut templates, &mut found)?,
            _ => Vec::new(),
        };
        for (chart, template) in templates {
            if !found.makers.contains(chart.as_str()) && self.makes_application(tree, template) {
                found.makers.insert(chart.to_string());
            }
        }
        let new: Vec<&FileId> = files.iter().filter(|file| !self.known.contains_key(*file)).collect();
        for (file, read) in self.read_all(tree, &new) {
            self.known.insert(file.clone(), Arc::new(read?));
        }
        let mut folders = BTreeSet::new();
        for file in &files {
            if let Some(read) = self.known.get(file) {
                found.add(read);
                if !read.definitions.is_empty() {
                    folders.insert(file.0.parent().unwrap_or_else(TreePath::root));
                }
            }
        }
        folders.retain(|folder| changes_what_it_holds(tree, folder));
        found.makers.extend(folders.iter().map(ToString::to_string));
        Ok(found)
    }

    /// Whether a template prints Applications.
    fn makes_application(&mut self, tree: &dyn Tree, template: FileId) -> bool {
        if let Some(known) = self.templates.get(&template) {
            return *known;
        }
        // One that is too large, or gone, makes no Application that anybody wrote.
        let text = tree.read(&template.0, MAX_FILE_BYTES).ok().flatten();
        let makes =
            text.is_some_and(|text| holds(&text, b"argoproj.io/") && says_application(&String::from_utf8_lossy(&text)));
        self.templates.insert(template, makes);
        makes
    }

    /// Reads files on every processor: thousands of small ones are work for all of them.
    fn read_all<'f>(&self, tree: &dyn Tree, files: &[&'f FileId]) -> Vec<ReadFile<'f>> {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let share = files.len().div_ceil(threads).max(1);
        let read = |file: &'f FileId| (file, self.file(tree, &file.0));
        std::thread::scope(|scope| {
            let shares: Vec<_> = files
                .chunks(share)
                .map(|share| {
                    (
                        share,
                        scope.spawn(move || share.iter().map(|file| read(file)).collect::<Vec<_>>()),
                    )
                })
                .collect();
            let mut all = Vec::with_capacity(files.len());
            for (share, thread) in shares {
                match thread.join() {
                    Ok(part) => all.extend(part),
                    // Whatever ended the thread would end this one, where it is told.
                    Err(_) => all.extend(share.iter().map(|file| read(file))),
                }
            }
            all
        })
    }

    fn file(&self, tree: &dyn Tree, path: &TreePath) -> Result<Found, TreeError> {
        let shown = path.to_string();
        match tree.read(path, MAX_FILE_BYTES) {
            Ok(bytes) => Ok(self.read(&bytes.unwrap_or_default(), &shown)),
            Err(e @ TreeError::TooLarge { .. }) => Ok(Found {
                passed_over: [(shown, format!("{e}; it is not searched for Applications"))].into(),
                ..Found::default()
            }),
            Err(e) => Err(e),
        }
    }

    /// Applications of one file, called `shown`.
    pub fn read(&self, bytes: &[u8], shown: &str) -> Found {
        let mut found = Found::default();
        if !holds(bytes, b"argoproj.io/") || !holds(bytes, b"Application") {
            return found;
        }
        let text = String::from_utf8_lossy(bytes);
        for document in yaml_objects(&text) {
            match document.result {
                Ok(object) => self.object(object, shown, document.line, &mut found),
                Err(_) if !says_application(&text) => {}
                Err(_) if text.contains("{{") => {
                    let why = "it looks like a template and is passed over".to_owned();
                    found.passed_over.insert(shown.to_owned(), why);
                }
                Err(e) => {
                    found.unreadable.insert(shown.to_owned(), e.to_string());
                }
            }
        }
        found
    }

    fn object(&self, object: Object, shown: &str, line: usize, found: &mut Found) {
        if is_application_set(&object) {
            found.sets.insert(format!("{shown}: {}", object.name()));
        } else if is_application(&object) {
            let origin = Origin::File {
                path: shown.to_owned(),
                line,
            };
            match Definition::new(object, &self.control_namespace, origin) {
                Ok(definition) if definition.key.name.is_empty() => {
                    let message = format!("line {line}: the Application has no metadata.name");
                    found.unreadable.insert(shown.to_owned(), message);
                }
                Ok(definition) => found.definitions.push(Arc::new(definition)),
                Err(e) => {
                    found.unreadable.insert(shown.to_owned(), format!("line {line}: {e}"));
                }
            }
        } else if object.kind().ends_with("List") {
            // Items that are no objects hold no Application.
            for item in object.value().list_at(&["items"]) {
                if let Ok(item) = Object::new(item.clone())
                    && !item.kind().ends_with("List")
                {
                    self.object(item, shown, line, found);
                }
            }
        }
    }
}

/// Whether a folder's kustomization does more than list what stands there.
fn changes_what_it_holds(tree: &dyn Tree, folder: &TreePath) -> bool {
    let text = FILE_NAMES
        .iter()
        .find_map(|name| tree.read(&folder.child(name), MAX_FILE_BYTES).ok().flatten());
    let Some(kustomization) = text.and_then(|text| Value::from_yaml(&String::from_utf8_lossy(&text)).ok()) else {
        return false;
    };
    let mut fields = kustomization.as_map().into_iter().flat_map(|map| map.iter());
    fields.any(|(field, _)| !matches!(field, "apiVersion" | "kind" | "metadata" | "resources"))
}

/// Manifests at or below a folder, and the templates of charts, each with its chart; what is left out goes to `found`.
fn files(
    tree: &dyn Tree,
    top: &TreePath,
    templates: &mut Vec<(TreePath, FileId)>,
    found: &mut Found,
) -> Result<Vec<FileId>, TreeError> {
    let mut files = Vec::new();
    let mut todo = vec![(top.clone(), 0)];
    while let Some((folder, depth)) = todo.pop() {
        let listing: Listing = tree.list(&folder)?.unwrap_or_default();
        let is_chart = listing.iter().any(|(name, _)| &**name == "Chart.yaml");
        let mut below = Vec::new();
        for (name, entry) in listing {
            let path = folder.child(&name);
            match entry.kind {
                // Templates of a chart are no manifests until they are rendered.
                EntryKind::Dir if is_chart && &*name == "templates" => {
                    let below = tree.list(&path)?.unwrap_or_default().into_iter();
                    let is_file = |(_, entry): &(_, Entry)| entry.kind == EntryKind::File;
                    let template = |(name, entry): (Arc<str>, Entry)| (path.child(&name), entry.id);
                    let found = below.filter(is_file).map(template);
                    templates.extend(found.map(|template| (folder.clone(), template)));
                }
                EntryKind::Dir if is_chart && &*name == "charts" => {}
                EntryKind::Dir if &*name == ".git" => {}
                EntryKind::Dir if depth >= MAX_DEPTH => {
                    let why = format!("folders deeper than {MAX_DEPTH} are not searched");
                    found.passed_over.insert(path.to_string(), why);
                }
                EntryKind::Dir => below.push((path, depth + 1)),
                EntryKind::File if is_manifest(&name) => files.push((path, entry.id)),
                _ => {}
            }
        }
        todo.extend(below.into_iter().rev());
    }
    Ok(files)
}

/// Where several files of either state describe an Application of one name, the file tells which is which.
pub(crate) fn tell_apart(states: &mut [&mut Found]) -> Vec<String> {
    let mut several: BTreeMap<AppKey, BTreeSet<String>> = BTreeMap::new();
    for state in states.iter() {
        let mut count: BTreeMap<&AppKey, BTreeSet<String>> = BTreeMap::new();
        for definition in &state.definitions {
            count
                .entry(&definition.key)
                .or_default()
                .insert(definition.origin.to_string());
        }
        for (key, places) in count.into_iter().filter(|(_, places)| places.len() > 1) {
            several.entry(key.clone()).or_default().extend(places);
        }
    }
    for state in states.iter_mut() {
        for definition in &mut state.definitions {
            if !several.contains_key(&definition.key) {
                continue;
            }
            let file = match &definition.origin {
                Origin::File { path, .. } => path.clone(),
                other => other.to_string(),
            };
            *definition = Arc::new(Definition {
                key: AppKey {
                    file: Some(file.into()),
                    ..definition.key.clone()
                },
                app: definition.app.clone(),
                manifest: definition.manifest.clone(),
                origin: definition.origin.clone(),
            });
        }
    }
    let said = |(key, places): (AppKey, BTreeSet<String>)| {
        let places: Vec<String> = places.into_iter().collect();
        format!(
            "{key} is described several times ({}); they are told apart by their files",
            places.join(", ")
        )
    };
    several.into_iter().map(said).collect()
}

fn is_manifest(name: &str) -> bool {
    [".yaml", ".yml", ".json"].iter().any(|end| name.ends_with(end))
}

fn holds(bytes: &[u8], word: &[u8]) -> bool {
    let Some((first, rest)) = word.split_first() else {
        return true;
    };
    let mut from = bytes;
    while let Some(at) = from.iter().position(|b| b == first) {
        from = from.get(at + 1..).unwrap_or_default();
        if from.starts_with(rest) {
            return true;
        }
    }
    false
}

/// Whether a text that cannot be read means to describe an Application.
fn says_application(text: &str) -> bool {
    text.lines().any(|line| {
        let line: String = line
            .chars()
            .filter(|c| !c.is_whitespace() && !matches!(c, '"' | '\'' | ',' | '{' | '}'))
            .collect();
        let line = line.split('#').next().unwrap_or_default();
        line == "kind:Application" || line == "-kind:Application"
    })
}

#[cfg(test)]
mod tests {
    use pintle_model::tree::FixedTree;

    use super::*;

    const WEB: &str = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: web}\nspec: {source: {repoURL: 'https://h/r', path: web}}\n";

    fn found(files: &[(&str, &str)]) -> Found {
        let tree = FixedTree::new(
            files
                .iter()
                .map(|(path, text)| (TreePath::new(path).unwrap(), Arc::from(text.as_bytes()))),
        );
        Finder::new("argocd").find(&tree, &TreePath::root()).unwrap()
    }

    fn names(found: &Found) -> Vec<String> {
        found
            .definitions
            .iter()
            .map(|d| format!("{} {}", d.key, d.origin))
            .collect()
    }

    #[test]
    fn applications_are_found_in_every_document() {
        let both = format!(
            "# two\n---\n{WEB}---\nkind: Service\napiVersion: v1\n---\n{}",
            WEB.replace("web", "api")
        );
        let json = r#"{"apiVersion":"argoproj.io/v1alpha1","kind":"Application","metadata":{"name":"j","namespace":"team"},"spec":{}}"#;
        let list = format!(
            "apiVersion: v1\nkind: List\nitems:\n- {}",
            json.replace("\"j\"", "\"l\"")
        );
        let found = found(&[
            ("apps/both.yaml", &both),
            ("apps/deep/er/j.json", json),
            ("list.yml", &list),
            ("README.md", WEB),
            ("chart/Chart.yaml", "name: c"),
            ("chart/templates/app.yaml", WEB),
            (
                "set.yaml",
                "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: s}\n",
            ),
        ]);
        assert_eq!(
            names(&found),
            [
                "team/l list.yml:1",
                "argocd/web apps/both.yaml:3",
                "argocd/api apps/both.yaml:11",
                "team/j apps/deep/er/j.json:1"
            ]
        );
        assert_eq!(found.sets.iter().collect::<Vec<_>>(), ["set.yaml: s"]);
        assert!(found.unreadable.is_empty() && found.passed_over.is_empty());
    }

    #[test]
    fn folders_that_make_applications_are_known() {
        let templated = WEB.replace("name: web", "name: {{ .Values.name }}");
        let found = found(&[
            ("boot/Chart.yaml", "name: boot"),
            ("boot/templates/app.yaml", &templated),
            ("other/Chart.yaml", "name: other"),
            ("other/templates/a.yaml", "kind: ConfigMap\n"),
            ("plain/kustomization.yaml", "resources: [web.yaml]\n"),
            ("plain/web.yaml", WEB),
            ("prod/kustomization.yaml", "resources: [web.yaml]\nnamePrefix: prod-\n"),
            ("prod/web.yaml", WEB),
        ]);
        assert_eq!(found.makers.iter().collect::<Vec<_>>(), ["boot", "prod"]);
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let broken = WEB.replace("metadata: {name: web}", "metadata: {name: web");
        let wrong = WEB.replace("path: web", "path: [1]");
        let template = WEB.replace("name: web", "name: {{ .Values.name");
        let found = found(&[
            ("broken.yaml", &broken),
            ("nameless.yaml", &WEB.replace("name: web", "labels: {}")),
            ("other.yaml", "argoproj.io/ is no Application: [\n"),
            ("template.yaml", &template),
            ("wrong.yaml", &wrong),
        ]);
        let unreadable: Vec<&String> = found.unreadable.keys().collect();
        assert_eq!(unreadable, ["broken.yaml", "nameless.yaml", "wrong.yaml"]);
        assert!(found.unreadable["wrong.yaml"].contains("spec.source.path"));
        assert_eq!(found.passed_over.keys().collect::<Vec<_>>(), ["template.yaml"]);
    }

    #[test]
    fn two_files_with_one_name_stay_two_applications() {
        let mut before = found(&[("dev/web.yaml", WEB), ("prod/web.yaml", WEB)]);
        let mut after = found(&[("dev/web.yaml", WEB)]);
        let notes = tell_apart(&mut [&mut before, &mut after]);
        assert_eq!(notes.len(), 1);
        assert_eq!(after.definitions[0].key, before.definitions[0].key);
        assert_ne!(before.definitions[0].key, before.definitions[1].key);
        assert_eq!(before.definitions[1].key.to_string(), "argocd/web (prod/web.yaml)");
    }
}
