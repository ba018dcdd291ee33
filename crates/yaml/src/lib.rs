//! YAML as Go's `sigs.k8s.io/yaml` v1.6 reads and writes it.
//!
//! ```text
//! text ── split ──► documents ── scan ──► tokens ── event ──► events ── compose (resolve, merge, budget) ──► Yaml
//!          a document in the style of nearly every manifest ── simple (line by line) ───────────────────► Yaml
//! Yaml ── emit ──► text, byte for byte what sigs.k8s.io/yaml.Marshal prints
//! ```
//!
//! Kubernetes tools written in Go read YAML 1.1 with go-yaml's own ideas: `y` and `on` are booleans
//! (even as mapping keys), `0777` is 511, `<<` merges, a later duplicate key wins. A file that means one
//! thing to `kubectl` and another to us is a wrong deployment, so this crate follows the peer and not a
//! YAML specification: scanner and parser keep libyaml's rules with go-yaml v2's changes. No library does: the
//! safe port of libyaml panics on a block scalar without a final line break and knows none of the changes. Where it deliberately differs, the place says so.
//!
//! Invariants:
//! - No input makes a function here panic or recurse without bound: nesting is at most
//!   [`Limits::max_depth`], nodes (after alias expansion) at most [`Limits::max_nodes`].
//! - [`Yaml`] has no `Debug`: Secrets pass through. Errors never quote scalar contents beyond the few
//!   bytes go-yaml itself quotes.

mod compose;
mod emit;
mod error;
mod event;
mod json;
mod limits;
mod node;
mod number;
mod parts;
mod resolve;
mod scan;
mod simple;
mod stream;
mod walk;

pub use compose::{parse, parse_parts, parse_with};
pub use emit::to_string;
pub use error::{Error, ErrorKind};
pub use json::to_json_string;
pub use limits::Limits;
pub use node::{Node, Scalar, Tag, parse_node};
pub use number::{format_json_float, shortest_scientific};
pub use parts::Parts;
pub use stream::{Document, parse_all, parse_all_with, split_documents};
pub use walk::{Step, Walk};

/// One YAML value as `sigs.k8s.io/yaml` would hand it to JSON.
///
/// There is no `Debug` on purpose: Secrets pass through here.
#[derive(Clone, PartialEq)]
pub enum Yaml {
    /// `null`, `~`, or nothing at all.
    Null,
    /// A YAML 1.1 boolean.
    Bool(bool),
    /// An integer that fits into `i64`.
    Int(i64),
    /// An integer greater than `i64::MAX`; smaller ones are [`Yaml::Int`].
    Uint(u64),
    /// Any other number. Always finite when it comes from [`parse`].
    ///
    /// Go writes an integral one below 1e21 to JSON without a fraction, so `1e3` reaches a Kubernetes
    /// decoder as the integer 1000; [`format_json_float`] shows that spelling.
    Float(f64),
    /// Text, also from `!!binary` (decoded, bytes that are not UTF-8 replaced by U+FFFD).
    String(String),
    /// A sequence.
    Seq(Vec<Yaml>),
    /// A mapping: sorted by the bytes of the key, keys unique (the last one in the text won).
    Map(Vec<(String, Yaml)>),
}
