//! Renders Applications, many at once, and keeps what they gave.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::StreamExt as _;
use pintle_engine::track::instance_name;
use pintle_model::{Object, Sensitive};
use pintle_render::helm::{Capabilities, KubeVersion, Now};
use pintle_render::{AppIdentity, RenderSettings, Rendered, Severity};
use pintle_repo::{Ask, Near, Repositories, RepositoryLimits};
use tempfile::TempDir;

use super::definition::{AppKey, Definition, Origin, is_application, is_application_set};
use crate::args::PreviewArgs;
use crate::exit::{CliError, PREVIEW_USAGE};
use crate::local_repositories::explain;

/// Applications on their way at once: enough to keep every processor busy while some wait for the network.
const AT_ONCE: usize = 64;
/// Charts that draw at random draw from this: a preview shows the same every time, and never what a cluster has. Renders kept from run to run are
/// sealed with it, which guards them against damage and not against who may read this user's files; none with a Secret is kept.
const PREVIEW_SECRET: &[u8] = b"pintle preview, not a secret";

/// The time that charts see in a preview, 2026-01-01T00:00:00Z: it stands still from run to run, or every chart that prints it would change with each.
const PREVIEW_TIME: Now = Now {
    seconds: 1_767_225_600,
    nanos: 0,
    offset_seconds: 0,
};

/// What one Application renders to.
pub(crate) struct Output {
    pub sources: Vec<SourceOutput>,
    /// Why it is not known.
    pub failure: Option<String>,
    pub warnings: Vec<String>,
    /// Applications among the objects.
    pub children: Vec<Arc<Definition>>,
    /// ApplicationSets among the objects.
    pub sets: Vec<String>,
}

/// One source of it.
pub(crate) struct SourceOutput {
    /// URL, path or chart, and the revision that was rendered.
    pub shown: [String; 3],
    pub rendered: Arc<Rendered>,
}

impl Output {
    fn failed(reason: String) -> Self {
        Self {
            sources: Vec::new(),
            failure: Some(reason),
            warnings: Vec::new(),
            children: Vec::new(),
            sets: Vec::new(),
        }
    }

    /// The objects in order; none where a source failed.
    pub fn objects(&self) -> Vec<&Object> {
        let sources = self.sources.iter();
        sources
            .flat_map(|s| s.rendered.objects.iter().map(|o| &o.object))
            .collect()
    }

    /// Whether nothing had to be rendered anew to know that both are equal.
    pub fn is_same(&self, other: &Self) -> bool {
        self.failure.is_none()
            && other.failure.is_none()
            && self.sources.len() == other.sources.len()
            && self
                .sources
                .iter()
                .zip(&other.sources)
                .all(|(a, b)| Arc::ptr_eq(&a.rendered, &b.rendered))
    }
}

/// Renders with one set of repositories, whichever state of them is looked at: what two states have in common is rendered once.
pub(crate) struct Renderer {
    repositories: Repositories,
    capabilities: Arc<Capabilities>,
    settings: Arc<RenderSettings>,
    control_namespace: Arc<str>,
    directory: TempDir,
}

impl Renderer {
    pub fn new(args: &PreviewArgs) -> Result<Self, CliError> {
        let directory = TempDir::with_prefix("pintle-preview-")
            .map_err(|e| CliError::error(format!("no directory for repositories: {e}")))?;
        let mut capabilities = Capabilities::default();
        if let Some(version) = &args.kube_version {
            capabilities.kube_version = KubeVersion::parse(version).map_err(|e| CliError {
                exit: PREVIEW_USAGE,
                ..CliError::usage(e.to_string())
            })?;
        }
        capabilities.api_versions.extend(args.api_versions.iter().cloned());
        let settings = RenderSettings {
            kustomize_build_options: args.kustomize_build_options.clone(),
            ..RenderSettings::default()
        };
        let limits = RepositoryLimits {
            renders: if args.no_cache { None } else { cache() },
            ..RepositoryLimits::default()
        };
        Ok(Self {
            repositories: Repositories::with_limits(directory.path().join("repositories"), limits),
            capabilities: Arc::new(capabilities),
            settings: Arc::new(settings),
            control_namespace: args.control_namespace.as_str().into(),
            directory,
        })
    }

    /// A directory that goes with this process.
    pub fn scratch(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// What is rendered from here on is not kept for later runs: the state after a change, for the one before it is asked for with every other
    /// change and every commit to this one.
    pub fn keep_no_more(&self) {
        self.repositories.leave_no_more_renders();
    }

    /// How many renders were really made.
    pub fn renders(&self) -> u64 {
        self.repositories.counts().renders
    }

    /// Renders each; in order.
    pub async fn render(&self, definitions: Vec<Arc<Definition>>, near: &Arc<Near>) -> Vec<Arc<Output>> {
        let jobs = definitions.into_iter().map(|definition| {
            let (repositories, ask) = (self.repositories.clone(), self.ask(&definition, near));
            let control_namespace = Arc::clone(&self.control_namespace);
            tokio::spawn(async move { one(&repositories, &ask, &definition, &control_namespace).await })
        });
        // A job that panicked says nothing; its Application is not known then.
        let stopped = |_| {
            Arc::new(Output::failed(
                "rendering stopped unexpectedly; please report it".into(),
            ))
        };
        futures_util::stream::iter(jobs)
            .buffered(AT_ONCE)
            .map(|done| done.map_or_else(stopped, Arc::new))
            .collect()
            .await
    }

    fn ask(&self, definition: &Definition, near: &Arc<Near>) -> Ask {
        let app = &definition.app;
        let metadata = &app.metadata;
        Ask {
            app: AppIdentity {
                name: metadata.name.clone(),
                instance: instance_name(&metadata.namespace, &metadata.name, &self.control_namespace),
                namespace: app.spec.destination.namespace.clone(),
                uid: metadata.uid.clone(),
            },
            project: app.spec.project_or_default().to_owned(),
            capabilities: Arc::clone(&self.capabilities),
            settings: Arc::clone(&self.settings),
            secret: Some(Arc::new(Sensitive::new(PREVIEW_SECRET.to_vec()))),
            now: Some(PREVIEW_TIME),
            near: Arc::clone(near),
            ..Ask::plain(app.spec.effective_sources())
        }
    }
}

/// Where renders are kept from run to run, as the XDG Base Directory Specification says: a path that is not absolute counts for nothing.
#[allow(clippy::disallowed_methods, reason = "the door of the command line")]
fn cache() -> Option<PathBuf> {
    let absolute = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let caches = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))?;
    Some(caches.join("pintle").join("renders"))
}

async fn one(repositories: &Repositories, ask: &Ask, definition: &Definition, control_namespace: &str) -> Output {
    if ask.sources.is_empty() {
        return Output::failed(
            "spec.source and spec.sources are both missing; say where the manifests come from".into(),
        );
    }
    let mut output = Output {
        failure: None,
        ..Output::failed(String::new())
    };
    let mut failures = Vec::new();
    for (source, answer) in ask.sources.iter().zip(repositories.render(ask).await) {
        let render = match answer {
            Ok(render) => render,
            Err(e) => {
                failures.push(explain(source, &e));
                continue;
            }
        };
        for diagnostic in &render.rendered.diagnostics {
            match diagnostic.severity {
                Severity::Error => failures.push(diagnostic.to_string()),
                Severity::Warning => output.warnings.push(diagnostic.to_string()),
            }
        }
        let what = if source.is_chart() { &source.chart } else { &source.path };
        output.sources.push(SourceOutput {
            shown: [source.repo_url.clone(), what.clone(), render.revision],
            rendered: render.rendered,
        });
    }
    if failures.is_empty() {
        children(definition, control_namespace, &mut output, &mut failures);
    }
    if !failures.is_empty() {
        output.failure = Some(failures.join("; "));
        output.children.clear();
    }
    output
}

/// Applications among the objects. One that names no namespace goes where its parent's objects go.
fn children(definition: &Definition, control_namespace: &str, output: &mut Output, failures: &mut Vec<String>) {
    let namespace = match definition.app.spec.destination.namespace.as_str() {
        "" => control_namespace,
        namespace => namespace,
    };
    let (mut children, mut sets) = (Vec::new(), Vec::new());
    for object in output.objects() {
        if is_application_set(object) {
            sets.push(format!("rendered by {}: {}", definition.key, object.name()));
        } else if is_application(object) {
            let origin = Origin::Rendered {
                by: definition.key.clone(),
            };
            match Definition::new(object.clone(), namespace, origin) {
                Ok(child) => children.push(Arc::new(child)),
                Err(e) => failures.push(e.to_string()),
            }
        }
    }
    (output.children, output.sets) = (children, sets);
}

/// What was rendered, and what it gave.
type Known = (Arc<Definition>, Arc<Output>);

/// Outputs by what was rendered. One state of the repositories has one.
#[derive(Default)]
pub(crate) struct Outputs {
    known: HashMap<AppKey, Vec<Known>>,
}

impl Outputs {
    pub fn get(&self, definition: &Definition) -> Option<&Arc<Output>> {
        let known = self.known.get(&definition.key)?;
        known
            .iter()
            .find(|(other, _)| other.is_same(definition))
            .map(|(_, output)| output)
    }

    pub fn insert(&mut self, definition: Arc<Definition>, output: Arc<Output>) {
        self.known
            .entry(definition.key.clone())
            .or_default()
            .push((definition, output));
    }
}
