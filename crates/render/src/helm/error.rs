//! Why a chart does not load or render.

use pintle_model::tree::TreeError;

use crate::archive::ArchiveError;

/// Why a chart gives no manifests. `Display` prints what `helm template` prints after `Error: `, where Helm has words for it, without the
/// advice of [`HelmError::advice`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HelmError {
    /// The tree could not be read; trying again may help.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// An archive is refused.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The chart's files are not a chart: `Chart.yaml` missing or invalid, values that are no YAML, a bad `.helmignore`.
    #[error("{0}")]
    Chart(String),
    /// A dependency that `Chart.yaml` names is not in `charts/`. The names are those of the missing charts; `repo` can fetch them.
    #[error(
        "an error occurred while checking for chart dependencies. You may need to run 'helm dependency build' to fetch missing dependencies: found in Chart.yaml, but missing in charts/ directory: {}",
        .0.join(", ")
    )]
    MissingDependencies(Vec<String>),
    /// The values given do not parse or do not fit together.
    #[error("{0}")]
    Values(String),
    /// The values break a chart's `values.schema.json`. The text holds every violation with its path.
    #[error("values don't meet the specifications of the schema(s) in the following chart(s):\n{0}")]
    Schema(String),
    /// The cluster's version is outside of what the chart asks for.
    #[error("chart requires kubeVersion: {constraint} which is incompatible with Kubernetes {version}")]
    KubeVersion {
        /// The chart's constraint.
        constraint: String,
        /// The cluster's version.
        version: String,
    },
    /// An option is unusable: a release name, a version, a file that `--show-only` names.
    #[error("{0}")]
    Option(String),
    /// A template does not parse or fails.
    #[error("{0}")]
    Template(String),
    /// A manifest that came out is no YAML.
    #[error("{message}")]
    Manifest {
        /// What is wrong, and in which template.
        message: String,
    },
    /// One of our bounds was passed; it fails this render and nothing else.
    #[error("{what} exceed the limit of {limit}")]
    Limit {
        /// What there is too much of, in the plural.
        what: &'static str,
        /// The bound, in units of `what`.
        limit: u64,
    },
}

impl HelmError {
    /// What `helm template` prints below the error where templates had begun to run; nothing otherwise.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Template(_) | Self::Manifest { .. } | Self::KubeVersion { .. } => {
                "\n\nUse --debug flag to render out invalid YAML"
            }
            _ => "",
        }
    }
}
