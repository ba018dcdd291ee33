//! YAML as Go's `sigs.k8s.io/yaml` reads and writes it.

/// One YAML value as `sigs.k8s.io/yaml` would hand it to JSON.
#[derive(Clone, PartialEq)]
pub enum Yaml {
    /// Null.
    Null,
    /// Boolean.
    Bool(bool),
    /// Integer.
    Int(i64),
    /// Integer above `i64::MAX`.
    Uint(u64),
    /// Float.
    Float(f64),
    /// String.
    String(String),
    /// Sequence.
    Seq(Vec<Yaml>),
    /// Mapping; keys sorted, unique.
    Map(Vec<(String, Yaml)>),
}
