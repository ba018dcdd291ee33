//! Helm charts: what `helm template` of Helm 4.2 makes of them, in process and without reading anything but the chart.
//!
//! ```text
//! Tree ── chart (ignore, metadata, archive) ──► Chart
//! Chart + Options ── dependency, values, schema ──► one value tree ── engine (gotmpl, funcs) ──► texts ── order ──► Output
//! ```
//!
//! Nothing here reads a clock, a file, the network or the environment: what comes from outside is in [`Options`] and the [`Ambient`] of
//! the template engine. Whatever a chart or its user can make large is bounded, and going over a bound fails that render alone.

mod capabilities;
mod chart;
mod context;
mod convert;
mod dependency;
mod engine;
mod error;
mod funcs;
mod ignore;
mod inspect;
mod lint;
pub(crate) mod matcher;
mod metadata;
mod names;
mod node;
mod octets;
mod order;
mod pretty;
mod release_name;
mod render;
mod schema;
mod strvals;
mod toml;
mod values;
mod version;

pub use capabilities::{Capabilities, HELM_VERSION, KubeVersion};
pub use chart::{Chart, Limits, Vendored};
pub use error::HelmError;
pub use inspect::{ChartSource, CrdFile};
pub use lint::{LintMessage, LintSeverity, lint};
pub use metadata::{Dependency, Maintainer, Metadata};
pub(crate) use metadata::{read_lock, scalar_text};
pub use order::{Hook, Manifest};
pub use release_name::release_name;
pub use render::{Options, Output, template};
pub use values::ValueOptions;

pub use pintle_gotmpl::sprig::{KeyedAmbient, RandomAmbient};
pub use pintle_gotmpl::{Ambient, Now};
