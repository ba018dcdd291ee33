//! What one document may cost.

/// Bounds on one document.
///
/// ```
/// let limits = pintle_yaml::Limits { max_depth: 4, ..Default::default() };
/// assert!(pintle_yaml::parse_with("[[[[1]]]]", &limits).is_ok());
/// assert!(pintle_yaml::parse_with("[[[[[1]]]]]", &limits).is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most nodes (scalars, sequences, mappings; keys too) after aliases are expanded.
    ///
    /// 1,000,000 by default: about a 15 MB manifest, ten times what etcd can hold in one object.
    pub max_nodes: usize,
    /// The most sequences and mappings inside one another.
    ///
    /// 128 by default, where `serde_json` stops too: every consumer of a value recurses over it, and
    /// a thread's stack is what pays (dropping it recurses too, so raise this with care). go-yaml stops at 10,000.
    pub max_depth: usize,
    /// The longest text in bytes. 64 MiB by default; larger input is refused before it is looked at.
    pub max_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            max_nodes: 1_000_000,
            max_depth: 128,
            max_bytes: 64 << 20,
        }
    }
}
