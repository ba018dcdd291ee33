//! `kustomize build` of Kustomize v5.8.1, natively: nothing is executed and nothing is dialled.
//!
//! ```text
//! Reader + directory ── Target (kustomization file) ── accumulate (bases, generators, components, transformers)
//!                    ── hash names ── name_reference ── vars ── order ──> objects + the text that `kustomize build` prints
//! ```
//!
//! What is remote is answered with [`Built::Needs`]; the caller fetches under its own rules and builds again with the answers in
//! [`Options::remotes`].

mod accumulate;
mod chart;
mod config;
mod crd;
mod decode;
mod document;
mod edit;
mod error;
mod fieldspec;
mod generator;
mod id;
mod kustomization;
mod loader;
mod merge;
mod name_reference;
mod order;
mod origin;
mod patch;
mod plugin;
mod remote;
mod replacement;
mod resmap;
mod resource;
mod schema;
mod selector;
mod shared;
mod spelling;
mod transform;
mod value_add;
mod vars;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use pintle_model::Value;
use pintle_model::tree::{Reader, TreePath};
use pintle_yaml::Yaml;

pub use document::{FileEdit, edit_file};
pub use edit::{Annotations, Edits, Labels, PatchEdit, PatchTarget, expand_patterns};
pub use error::{Failure, Reason};
pub use loader::FILE_NAMES;
pub use remote::{ChartBase, Fetch, GitBase};

use accumulate::{Accumulator, Target};
use loader::{Loader, Session};

/// The flags of `kustomize build`, and what was fetched for it.
#[derive(Clone, Default)]
pub struct Options {
    /// `--load-restrictor LoadRestrictionsNone`: files may stand outside the directory of their kustomization. Never outside the tree.
    pub load_anywhere: bool,
    /// `--reorder none`: without `sortOptions`, objects stay in the order of loading.
    pub keep_order: bool,
    /// `--enable-managedby-label`: as `buildMetadata: [managedByLabel]`.
    pub managed_by_label: bool,
    /// What is done to the kustomization before it is built.
    pub edits: Edits,
    /// Answers to [`Built::Needs`] by [`Fetch::url`].
    pub remotes: BTreeMap<String, Remote>,
}

/// An answer to a [`Fetch`].
#[derive(Clone)]
pub enum Remote {
    /// The content of a file.
    File(Arc<[u8]>),
    /// A fetched repository, mounted in the tree.
    Base {
        /// Where its root is mounted; nothing in it may read outside.
        repository: TreePath,
        /// The directory of the base, at or below `repository`.
        path: TreePath,
    },
    /// Not allowed or not reachable, and why.
    Refused(String),
}

/// What a build gave.
pub enum Built {
    /// The objects in order, and the text `kustomize build` prints for them.
    Ok {
        /// Kubernetes objects, as values with keys in byte order.
        objects: Vec<Value>,
        /// YAML documents separated by `---`.
        text: String,
    },
    /// Remote content is needed; build again with it. Never empty, without repetitions. Further rounds may ask for more.
    Needs(Vec<Fetch>),
    /// The build fails.
    Failed(Failure),
}

/// `--enable-helm`: what charts are rendered with.
pub struct Charts<'c> {
    /// Where time and randomness come from.
    pub ambient: &'c dyn pintle_gotmpl::Ambient,
    /// `--helm-kube-version`; wins over what a kustomization says.
    pub kube_version: Option<String>,
    /// `--helm-api-versions`; win over what a kustomization says.
    pub api_versions: Vec<String>,
    /// Stands in the place of the time in the names of releases that have none; `None` for the time itself.
    pub generated_suffix: Option<String>,
    /// Bounds of charts.
    pub limits: crate::helm::Limits,
    /// Asked now and then while templates run: `true` ends the build with a failure.
    pub cancelled: Option<Arc<dyn Fn() -> bool + Send + Sync>>,
    /// Set once a chart is rendered: then the build depends on all that stands here.
    pub rendered: Cell<bool>,
}

/// Whether Kustomize knows a kind to be cluster-scoped. Unknown kinds count as namespaced.
pub fn is_cluster_scoped(api_version: &str, kind: &str) -> bool {
    id::Gvk::parse(api_version, kind).is_cluster_scoped()
}

/// Builds the kustomization in a directory.
pub fn build(reader: &Reader<'_>, path: &TreePath, options: &Options) -> Built {
    build_with(reader, path, options, None)
}

/// As [`build`], with charts where they are enabled. Charts nest on the caller's stack: [`crate::helm::Limits::stack_bytes`] is enough.
pub fn build_with(reader: &Reader<'_>, path: &TreePath, options: &Options, charts: Option<&Charts<'_>>) -> Built {
    let session = Session::new(reader, options, charts);
    let result = run(Loader::new(&session, path.clone()));
    let mut needs = session.needs.take();
    if !needs.is_empty() {
        // What failed after something was missing may have failed because of that.
        needs.sort();
        needs.dedup();
        return Built::Needs(needs);
    }
    match result {
        Ok((objects, text)) => Built::Ok { objects, text },
        Err(failure) => Built::Failed(Failure {
            message: with_names(failure.message, &options.remotes),
            ..failure
        }),
    }
}

/// Says where something was fetched from instead of where it is mounted.
fn with_names(mut message: String, remotes: &BTreeMap<String, Remote>) -> String {
    for (url, remote) in remotes {
        let Remote::Base { repository, .. } = remote else {
            continue;
        };
        if message.contains(repository.as_str()) {
            let git = Fetch::of(url).and_then(|fetch| fetch.git);
            message = message.replace(repository.as_str(), git.as_ref().map_or(url, |g| &g.repository));
        }
    }
    message
}

fn run(loader: Loader<'_, '_, '_>) -> error::Result<(Vec<Value>, String)> {
    let target = Target::load_edited(loader)?;
    let Accumulator {
        mut resources,
        config,
        vars,
    } = target.accumulate(Accumulator::default())?;
    resources.iter_mut().try_for_each(generator::add_hash)?;
    name_reference::fix(&mut resources, &config.name_reference)?;
    vars.resolve(&mut resources, &config.var_reference)?;
    drop_local(&mut resources)?;
    order::sort(
        &mut resources,
        target.kustomization.sort_options.as_ref(),
        target.loader.session.options.keep_order,
    )?;
    let by_flag = target.loader.session.options.managed_by_label;
    if by_flag
        || target
            .kustomization
            .build_metadata
            .iter()
            .any(|m| m == "managedByLabel")
    {
        let label = BTreeMap::from([("app.kubernetes.io/managed-by".to_owned(), "kustomize-v5.8.1".to_owned())]);
        let spec = fieldspec::FieldSpec {
            path: "metadata/labels".into(),
            create: true,
            ..fieldspec::FieldSpec::default()
        };
        transform::pairs(&mut resources, &label, &[spec])?;
    }
    let mut objects = Vec::with_capacity(resources.len());
    let mut text = String::new();
    for resource in &mut resources {
        // Kustomize takes its notes out of the annotations by writing them anew: all values are text then, and none means no field.
        resource.settle_annotations()?;
        let mut annotations = resource.metadata_map("annotations");
        for (option, key) in [
            ("originAnnotations", origin::ORIGIN),
            ("transformerAnnotations", origin::TRANSFORMATIONS),
        ] {
            if !target.kustomization.build_metadata.iter().any(|m| m == option) {
                annotations.remove(key);
            }
        }
        resource.set_metadata_map("annotations", &annotations);
        let yaml = resource
            .node
            .to_yaml()
            .map_err(|e| Failure::invalid(format!("{}: {e}", resource.id())))?;
        if has_control(&yaml) {
            return Err(Failure::invalid(format!(
                "{}: control characters are not allowed",
                resource.id()
            )));
        }
        if !text.is_empty() {
            text.push_str("---\n");
        }
        text.push_str(&pintle_yaml::to_string(&yaml));
        objects.push(Value::from(yaml));
    }
    Ok((objects, text))
}

/// Drops what is for local use alone. An object that has the id of one that stays is taken for that one.
fn drop_local(resources: &mut Vec<resource::Resource>) -> error::Result<()> {
    let mut kept = std::collections::HashSet::with_capacity(resources.len());
    for resource in resources.iter() {
        if !resource::check(&resource.node)? {
            continue;
        }
        // Kustomize notes names one after another, and an empty one leaves no trace.
        let nameless = resource.previous.iter().filter(|(_, name, _)| name.is_empty()).count();
        if nameless > 0 && nameless < resource.previous.len() {
            let message = format!("{}: renamed after its name was made empty", resource.id());
            return Err(Failure::invalid(message));
        }
        let annotations = resource.metadata_map("annotations");
        let mark = annotations.get("config.kubernetes.io/local-config");
        if mark.is_none_or(|mark| mark == "false") {
            kept.insert(resource.id());
        }
    }
    resources.retain(|r| kept.contains(&r.id()));
    Ok(())
}

/// Whether a text holds a character that JSON leaves as it is and YAML does not allow; Kustomize goes from the one to the other.
fn has_control(yaml: &Yaml) -> bool {
    let bad = |text: &String| {
        text.chars()
            .any(|c| matches!(c, '\u{7f}'..='\u{84}' | '\u{86}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}'))
    };
    match yaml {
        Yaml::String(text) => bad(text),
        Yaml::Seq(items) => items.iter().any(has_control),
        Yaml::Map(fields) => fields.iter().any(|(key, value)| bad(key) || has_control(value)),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
