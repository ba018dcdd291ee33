//! Go's `text/template`, exact.
//!
//! ```text
//! text ── lex ──► tokens ── parse ──► Template (arena of nodes, shared between threads)
//! Template + Value + Functions + Ambient ── exec ──► text, or Go's error
//! ```
//!
//! ```
//! use pintle_gotmpl::{Ambient, CallSite, Engine, Executor, Functions, Now, Options, TemplateSet, Type, Value};
//!
//! struct Still;
//! impl Ambient for Still {
//!     fn now(&self) -> Now {
//!         Now { seconds: 0, nanos: 0, offset_seconds: 0 }
//!     }
//!     fn random(&self, _: &CallSite, _: u32, out: &mut [u8]) {
//!         out.fill(4);
//!     }
//! }
//!
//! let mut functions = Functions::new();
//! functions.add("upper", &[Type::String], Type::String, |_, args| {
//!     let text = args.first().and_then(Value::as_text).cloned().unwrap_or_default();
//!     Ok(Value::str(text.to_str().to_uppercase()))
//! });
//! let mut set = TemplateSet::new("root", functions.into());
//! set.parse("greeting", "Hello {{ .name | upper }}")?;
//! let never = || false;
//! let mut executor = Executor::new(&set, Options::default(), &Still, &never, Box::new(()));
//! let out = executor.execute("greeting", Value::map([("name", Value::str("you"))]))?;
//! assert!(out == "Hello YOU");
//! # Ok::<(), pintle_gotmpl::Error>(())
//! ```
//!
//! What differs from Go: complex constants are refused when they run; blocks and parentheses nest 1000 deep
//! ([`MAX_NESTING`]); the capacity of a slice is its length; printing a value nested 500 deep or containing
//! itself is an error where Go dies; addresses (`%p`) are ours.
//!
//! Invariants: no input makes a function here panic or recurse without bound; nothing here reads a clock,
//! a file or a random number except through [`Ambient`]; map iteration and printing are sorted, as Go's are.

pub mod gotime;
pub mod paths;
pub mod regexp;
pub mod semver;
pub mod sprig;
pub mod words;

mod builtin;
mod duration;
mod error;
mod exec;
mod float;
pub mod fmt;
mod function;
mod host;
mod lex;
mod node;
mod number;
mod parse;
mod quote;
mod slot;
mod state;
mod template;
mod text;
mod types;
mod unicode;
mod value;

pub use error::{Error, ErrorKind, Exceeded};
pub use exec::{Executor, MissingKey, Options, STACK_PER_LEVEL};
pub use function::{Ambient, Body, Call, CallSite, Engine, FuncError, Function, Functions, Now, TextError, Validity};
pub use host::{Host, Signature};
pub use parse::{MAX_NESTING, parse};
pub use quote::{quoted, unquote};
pub use template::{Parsed, Template, TemplateSet};
pub use text::Str;
pub use types::{
    Kind, LIST_ANY, LIST_BOOL, LIST_FLOAT, LIST_INT, LIST_INT64, LIST_MAP, LIST_STRING, ListType, MAP_ANY, MAP_BYTES,
    MAP_STRING, MapType, Method, Number, NumberKind, Type,
};
pub use value::{List, Map, Region, Value};
