//! Reads files for one kustomization: relative to its directory, and by default not outside it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use pintle_model::tree::{EntryKind, Reader, TreePath};

use super::error::{Failure, Reason, Result};
use super::remote::{Fetch, is_http};
use super::resource::{Resource, parse_resources};
use super::schema::Table;
use super::{Charts, Options, Remote};

/// The one schema that Kustomize v5.8 has built in.
const BUILT_IN: &str = "v1.21.2";
/// The names of a kustomization file, in the order in which they are looked for.
pub const FILE_NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
/// Bytes of one file; the tree and the YAML reader have the same bound.
const MAX_FILE: u64 = 64 << 20;
/// Bases inside one another. Real overlays stay below ten.
const MAX_DEPTH: usize = 100;
/// Bases of one build, however they are nested: a base may be named many times, which grows exponentially with depth.
const MAX_BASES: usize = 10_000;

/// What every part of one build shares.
pub(super) struct Session<'a, 't> {
    pub reader: &'a Reader<'t>,
    pub options: &'a Options,
    /// There where charts are enabled.
    pub charts: Option<&'a Charts<'a>>,
    /// Remote content that was asked for and is not there.
    pub needs: RefCell<Vec<Fetch>>,
    bases: RefCell<usize>,
    schema: RefCell<Schema>,
}

/// The schema of a build, which Kustomize keeps for its whole process: the first kustomization that names one decides.
struct Schema {
    table: Arc<Table>,
    is_set: bool,
    /// Something was merged by it.
    is_used: bool,
    /// A kind was met that is not built in, which makes Kustomize read the built-in schema later on.
    is_wanted: bool,
}

impl<'a, 't> Session<'a, 't> {
    pub fn new(reader: &'a Reader<'t>, options: &'a Options, charts: Option<&'a Charts<'a>>) -> Self {
        Self {
            reader,
            options,
            charts,
            needs: RefCell::new(Vec::new()),
            bases: RefCell::new(0),
            schema: RefCell::new(Schema {
                table: Table::built_in(),
                is_set: false,
                is_used: false,
                is_wanted: false,
            }),
        }
    }
}

/// A directory of the build.
#[derive(Clone)]
pub(super) struct Loader<'s, 'a, 't> {
    pub session: &'s Session<'a, 't>,
    pub root: TreePath,
    /// The directories that led here, outermost first.
    parents: Vec<TreePath>,
    /// The namespace that the charts of bases get if they name none.
    pub helm_namespace: String,
    /// The root of the repository that this and all further bases must stay in, if it is a fetched one.
    repository: Option<TreePath>,
}

impl<'s, 'a, 't> Loader<'s, 'a, 't> {
    pub fn new(session: &'s Session<'a, 't>, root: TreePath) -> Self {
        Self {
            session,
            root,
            parents: Vec::new(),
            helm_namespace: String::new(),
            repository: None,
        }
    }

    /// Takes the schema that the kustomization of this directory names, unless another one did before.
    pub fn set_schema(&self, openapi: &BTreeMap<String, String>) -> Result<()> {
        let text = openapi.get("path").map(|path| self.load_text(path)).transpose()?;
        let mut schema = self.session.schema.borrow_mut();
        if schema.is_set {
            return Ok(());
        }
        let version = openapi.get("version");
        let Some(text) = text else {
            return match version.map(String::as_str) {
                None | Some("") => Ok(()),
                Some(BUILT_IN) => {
                    schema.is_set = true;
                    Ok(())
                }
                Some(other) => Err(Failure::invalid(format!(
                    "{}: the specified OpenAPI version {other:?} is not built in: only {BUILT_IN} is",
                    self.root
                ))),
            };
        };
        if version.is_some() {
            return Err(Failure::invalid(format!(
                "{}: openapi: builtin version and custom schema provided, cannot use both",
                self.root
            )));
        }
        let custom = Table::parse(&text).map_err(|e| e.within(&self.root))?;
        schema.is_set = true;
        schema.table = Arc::new(match (schema.is_used, schema.is_wanted) {
            (true, _) => schema.table.with(&custom),
            (false, true) => custom.with(&schema.table),
            (false, false) => custom,
        });
        Ok(())
    }

    /// The schema that a patch is merged by.
    pub fn schema(&self) -> Arc<Table> {
        let mut schema = self.session.schema.borrow_mut();
        schema.is_used = true;
        Arc::clone(&schema.table)
    }

    /// The documents of a file as objects that know what the schema says of their kinds.
    pub fn parse(&self, text: &str) -> Result<Vec<Resource>> {
        let mut found = parse_resources(text)?;
        self.mark(&mut found);
        Ok(found)
    }

    /// Tells objects what the schema says of their kinds.
    pub fn mark(&self, resources: &mut [Resource]) {
        let mut schema = self.session.schema.borrow_mut();
        if !schema.is_set && !schema.is_wanted {
            let is_foreign = |r: &Resource| !schema.table.has(r.api_version(), r.kind());
            schema.is_wanted = resources.iter().any(is_foreign);
        }
        let scopes = schema.table.cluster_scoped();
        if !scopes.is_empty() {
            for resource in resources {
                resource.scopes = Some(Arc::clone(scopes));
            }
        }
    }

    /// Whether a directory stands at a path of the tree.
    pub fn is_dir(&self, path: &TreePath) -> Result<bool> {
        Ok(self.session.reader.kind(path).map_err(store)? == Some(EntryKind::Dir))
    }

    /// A path that the kustomization names.
    pub fn resolve(&self, path: &str) -> Result<TreePath> {
        self.root.join(path).map_err(|e| {
            Failure::new(
                Reason::Restricted,
                format!("{path:?}, named in the kustomization of {}: {e}", self.root),
            )
        })
    }

    /// The content of a file that the kustomization names.
    pub fn load(&self, path: &str) -> Result<Arc<[u8]>> {
        if is_http(path) {
            return match self.session.options.remotes.get(path) {
                Some(Remote::File(bytes)) => Ok(Arc::clone(bytes)),
                Some(Remote::Base { .. }) => Err(Failure::invalid(format!("{path:?} is a git repository and no file"))),
                other => Err(self.remote_failure(path, other)),
            };
        }
        let full = self.resolve(path)?;
        let file = self.session.reader.file(&full, MAX_FILE).map_err(store)?;
        let Some(file) = file else {
            let message = match self.session.reader.kind(&full).map_err(store)? {
                Some(EntryKind::Dir) => format!("{full} is a directory and must be a file"),
                _ => format!(
                    "{full}: no such file; it is named in the kustomization of {}",
                    self.root
                ),
            };
            return Err(Failure::new(Reason::Missing, message));
        };
        let restricted = !self.session.options.load_anywhere || self.repository.is_some();
        if restricted && file.path.strip_prefix(&self.root).is_none() {
            return Err(Failure::new(
                Reason::Restricted,
                format!(
                    "security; file {} is not in or below {}: move it there, or make its directory a base",
                    file.path, self.root
                ),
            ));
        }
        Ok(file.bytes)
    }

    /// As [`Loader::load`], of text.
    pub fn load_text(&self, path: &str) -> Result<String> {
        let bytes = self.load(path)?;
        String::from_utf8(bytes.to_vec()).map_err(|_| Failure::invalid(format!("{path}: not UTF-8")))
    }

    /// The kustomization file of this directory: its name and content.
    pub fn kustomization(&mut self) -> Result<(&'static str, String)> {
        let mut found = None;
        for name in FILE_NAMES {
            let path = self.root.child(name);
            let Some(file) = self.session.reader.file(&path, MAX_FILE).map_err(store)? else {
                continue;
            };
            if found.is_some() {
                return Err(Failure::invalid(format!(
                    "Found multiple kustomization files under: {}",
                    self.root
                )));
            }
            let text =
                String::from_utf8(file.bytes.to_vec()).map_err(|_| Failure::invalid(format!("{path}: not UTF-8")))?;
            // The directory may have been reached through a link; what is below it is told by its real path.
            if file.path.name() == name
                && let Some(real) = file.path.parent()
            {
                self.root = real;
            }
            found = Some((name, text));
        }
        found.ok_or_else(|| {
            let message = format!(
                "unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '{}'",
                self.root
            );
            Failure::new(Reason::Missing, message)
        })
    }

    /// The loader of a base or component.
    pub fn base(&self, path: &str) -> Result<Self> {
        if path.is_empty() {
            return Err(Failure::invalid(format!(
                "an empty entry in the kustomization of {}",
                self.root
            )));
        }
        let (root, repository) = match Fetch::of(path) {
            Some(fetch) => match self.session.options.remotes.get(&fetch.url) {
                Some(Remote::Base { repository, path }) => (path.clone(), Some(repository.clone())),
                other => return Err(self.remote_failure(path, other)),
            },
            None => (self.resolve(path)?, self.repository.clone()),
        };
        match self.session.reader.kind(&root).map_err(store)? {
            Some(EntryKind::Dir) => {}
            Some(_) => {
                return Err(Failure::new(
                    Reason::Missing,
                    format!("must build at directory: {root} is a file"),
                ));
            }
            None => {
                return Err(Failure::new(
                    Reason::Missing,
                    format!(
                        "{root}: no such file or directory; it is named in the kustomization of {}",
                        self.root
                    ),
                ));
            }
        }
        if let Some(repository) = &repository
            && root.strip_prefix(repository).is_none()
        {
            return Err(Failure::new(
                Reason::Restricted,
                format!("security; base {root} is outside of the fetched repository {repository}"),
            ));
        }
        let mut parents = self.parents.clone();
        parents.push(self.root.clone());
        if let Some(visited) = parents.iter().find(|p| p.strip_prefix(&root).is_some()) {
            return Err(Failure::new(
                Reason::Cycle,
                format!(
                    "cycle detected: candidate root '{root}' contains visited root '{visited}'; take {path:?} out of the kustomization of {}",
                    self.root
                ),
            ));
        }
        let mut bases = self.session.bases.borrow_mut();
        *bases += 1;
        if parents.len() > MAX_DEPTH || *bases > MAX_BASES {
            return Err(Failure::new(
                Reason::Cycle,
                format!("{root}: more than {MAX_DEPTH} bases inside one another, or {MAX_BASES} in all"),
            ));
        }
        Ok(Self {
            session: self.session,
            root,
            parents,
            helm_namespace: self.helm_namespace.clone(),
            repository,
        })
    }

    /// Notes what is missing, or says why it was refused.
    pub fn remote_failure(&self, url: &str, answer: Option<&Remote>) -> Failure {
        match answer {
            Some(Remote::Refused(why)) => Failure::new(Reason::Remote, format!("{url}: {why}")),
            Some(_) => Failure::new(Reason::Remote, format!("{url}: a file where a directory is needed")),
            None => {
                if let Some(fetch) = Fetch::of(url) {
                    self.session.needs.borrow_mut().push(fetch);
                }
                Failure::new(Reason::Remote, format!("{url}: not fetched"))
            }
        }
    }
}

pub(super) fn store(error: pintle_model::tree::TreeError) -> Failure {
    use pintle_model::tree::TreeError;
    let reason = match error {
        TreeError::SymlinkEscapes { .. } => Reason::Restricted,
        _ => Reason::Store,
    };
    Failure::new(reason, error.to_string())
}
