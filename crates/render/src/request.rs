//! What a render is given, and what it says it used of that.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use pintle_model::Sensitive;
use pintle_model::application::Source;
use pintle_model::settings::RenderingSettings;
use pintle_model::tree::TreePath;

use crate::helm::{Capabilities, Limits, Now};
use crate::kustomize::Fetch;

/// What to render: everything an Application says, besides the files. Equal requests over equal reads with equal [`Used`] give equal results.
#[derive(Clone)]
pub struct RenderRequest {
    /// The source. Its URL and revision are not looked at: the tree is what they mean.
    pub source: Source,
    /// The application's directory in the tree.
    pub path: TreePath,
    /// Whose source it is.
    pub app: AppIdentity,
    /// Where the files of other sources stand, by the name they are referred to ([`Source::ref`]).
    pub refs: BTreeMap<String, TreePath>,
    /// What earlier rounds asked for.
    pub answers: BTreeMap<Need, Answer>,
    /// Settings of the installation.
    pub settings: RenderSettings,
}

/// The Application a source belongs to, as far as manifests may depend on it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct AppIdentity {
    /// Its name: a release is called so by default, and `.argocd-source-<name>.yaml` is its own.
    pub name: String,
    /// [`AppIdentity::name`], with the namespace in front for applications outside of the control namespace: `team_shop`.
    pub instance: String,
    /// Destination namespace.
    pub namespace: String,
    /// Its UID; what charts draw at random depends on it.
    pub uid: String,
}

/// Settings that change what a source renders to, or what it may cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderSettings {
    /// `helm.enable`.
    pub helm: bool,
    /// `kustomize.enable`.
    pub kustomize: bool,
    /// `helm.valuesFileSchemes`: value files may be URLs with these.
    pub values_file_schemes: Vec<String>,
    /// `kustomize.buildOptions`.
    pub kustomize_build_options: String,
    /// Bytes of manifests read for one directory source; more is an error (`reposerver.max.combined.directory.manifests.size`).
    pub max_manifest_bytes: u64,
    /// What a chart may cost.
    pub chart_limits: Limits,
    /// How long one render may take. 90 s by default: the peer gives its tools as long (`ARGOCD_EXEC_TIMEOUT`).
    pub time: Duration,
}

/// The peer's default bound on manifests of a directory source, 10 MB.
pub const DEFAULT_MAX_MANIFEST_BYTES: u64 = 10_000_000;

impl Default for RenderSettings {
    fn default() -> Self {
        Self {
            helm: true,
            kustomize: true,
            values_file_schemes: vec!["https".into(), "http".into()],
            kustomize_build_options: String::new(),
            max_manifest_bytes: DEFAULT_MAX_MANIFEST_BYTES,
            chart_limits: Limits::default(),
            time: Duration::from_secs(90),
        }
    }
}

impl From<&RenderingSettings> for RenderSettings {
    fn from(given: &RenderingSettings) -> Self {
        let mut settings = Self {
            helm: given.helm,
            kustomize: given.kustomize,
            values_file_schemes: given.values_file_schemes.clone(),
            kustomize_build_options: given.kustomize_build_options.clone(),
            ..Self::default()
        };
        let (limits, charts) = (&given.limits, &mut settings.chart_limits);
        let set = |bound: &mut u64, given: Option<u64>| *bound = given.unwrap_or(*bound);
        set(&mut settings.max_manifest_bytes, limits.manifest_bytes);
        set(&mut charts.archive.total_bytes, limits.extracted_bytes);
        set(&mut charts.archive.entries, limits.archive_entries);
        set(&mut charts.archive.ratio, limits.archive_ratio);
        set(&mut charts.rendered_bytes, limits.rendered_bytes);
        set(&mut charts.steps, limits.steps);
        charts.template_depth = limits.depth.unwrap_or(charts.template_depth);
        settings.time = limits.time.map_or(settings.time, |time| time.to_std());
        settings
    }
}

/// Something a render needs that is not in its tree.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// A file at a URL: values of a chart.
    File {
        /// The URL.
        url: String,
    },
    /// A chart that another depends on, packed.
    Chart {
        /// URL of its repository; `@name` or `alias:name` for one that is known by name.
        repository: String,
        /// Its name.
        name: String,
        /// Its version, or a range where nothing pins it.
        version: String,
    },
    /// A remote file or base of a kustomization.
    Remote(Fetch),
}

impl Need {
    /// Names it, and where it is mounted: see [`pintle_model::tree::MountedTree::place`].
    pub fn name(&self) -> String {
        match self {
            Self::File { url } => format!("file {url}"),
            Self::Chart {
                repository,
                name,
                version,
            } => format!("chart {repository} {name} {version}"),
            Self::Remote(fetch) => format!("remote {}", fetch.url),
        }
    }
}

/// What came of a [`Need`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is mounted under its name: a file, or for a remote base a tree.
    Mounted,
    /// It is not allowed or does not exist, and why.
    Refused(String),
}

/// What a render sees of the world besides files; what it used is told by [`Used`].
pub struct Surroundings<'a> {
    /// Build environment: `ARGOCD_APP_NAME` and so on [F4.12].
    pub environment: &'a BTreeMap<&'static str, String>,
    /// What the destination cluster serves.
    pub capabilities: &'a Arc<Capabilities>,
    /// Secret of the installation that what charts draw at random depends on; `None` where it cannot be read.
    pub secret: Option<&'a Sensitive<Vec<u8>>>,
    /// The time charts see.
    pub now: Now,
    /// Charts parsed earlier.
    pub charts: &'a crate::source::ChartCache,
    /// Asked now and then while templates run: `true` ends the render. The caller owns the clock.
    pub cancelled: Option<Arc<dyn Fn() -> bool + Send + Sync>>,
}

/// What a render used of its [`Surroundings`]. Only a render says so, and who keeps renders puts it back as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// Variables of the build environment that were asked for, with what they were; `None` where there was none.
    pub environment: BTreeMap<String, Option<String>>,
    /// Whose source it is.
    pub application: bool,
    /// What a chart was told of the cluster.
    pub capabilities: Option<Arc<Capabilities>>,
    /// Seconds since the epoch from when on a certificate would be made anew.
    pub until: Option<i64>,
    /// A chart drew at random: passwords and keys that follow from [`Surroundings::secret`] are in the result.
    pub random: bool,
}

impl Used {
    /// Whether another render would see the same.
    pub fn is_same(&self, now: &Surroundings<'_>) -> bool {
        let environment = self
            .environment
            .iter()
            .all(|(name, value)| now.environment.get(name.as_str()) == value.as_ref());
        let capabilities = self
            .capabilities
            .as_ref()
            .is_none_or(|c| Arc::ptr_eq(c, now.capabilities) || c == now.capabilities);
        environment && capabilities && self.until.is_none_or(|until| now.now.seconds < until)
    }

    /// Whether another application with the same source would get something else.
    pub fn depends_on_application(&self) -> bool {
        self.application
    }

    /// Whether it depends on what the cluster serves.
    pub fn depends_on_cluster(&self) -> bool {
        self.capabilities.is_some()
    }
}

/// [`Surroundings`], with a record of what was used.
pub(crate) struct Recorder<'a> {
    surroundings: &'a Surroundings<'a>,
    used: RefCell<Used>,
}

impl<'a> Recorder<'a> {
    pub fn new(surroundings: &'a Surroundings<'a>) -> Self {
        Self {
            surroundings,
            used: RefCell::default(),
        }
    }

    pub fn variable(&self, name: &str) -> Option<&'a str> {
        let value = self.surroundings.environment.get(name);
        self.used
            .borrow_mut()
            .environment
            .insert(name.to_owned(), value.cloned());
        value.map(String::as_str)
    }

    /// The result depends on whose source it is.
    pub fn application(&self) {
        self.used.borrow_mut().application = true;
    }

    pub fn capabilities(&self) -> &'a Arc<Capabilities> {
        self.used.borrow_mut().capabilities = Some(Arc::clone(self.surroundings.capabilities));
        self.surroundings.capabilities
    }

    /// The result holds something that was drawn at random.
    pub fn random(&self) {
        self.used.borrow_mut().random = true;
    }

    /// The result would be another one from then on.
    pub fn until(&self, seconds: i64) {
        let mut used = self.used.borrow_mut();
        used.until = Some(used.until.map_or(seconds, |known| known.min(seconds)));
    }

    /// What is not recorded, for it changes no result: bounds, caches, the secret that never changes.
    pub fn surroundings(&self) -> &'a Surroundings<'a> {
        self.surroundings
    }

    pub fn into_used(self) -> Used {
        self.used.into_inner()
    }
}

impl fmt::Debug for Surroundings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surroundings").finish_non_exhaustive()
    }
}
