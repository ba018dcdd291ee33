//! The seam between templates and the functions they call.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

use ahash::RandomState;

use crate::error::{Error, ErrorKind, Exceeded};
use crate::text::Str;
use crate::types::Type;
use crate::value::Value;

/// Why a function failed. The executor prints it as `error calling NAME: MESSAGE`.
#[derive(Clone, Debug)]
pub struct FuncError {
    /// [`ErrorKind::Exec`] unless it carries another error through.
    pub kind: ErrorKind,
    /// What Go's function says, without the function's name.
    pub message: String,
}

impl FuncError {
    /// Returns the error with this text.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            kind: ErrorKind::Exec,
            message: message.into(),
        }
    }

    /// Returns the error with text before it, as `fmt.Errorf("…: %w", err)` does; the kind stays.
    #[must_use]
    pub fn context(mut self, before: &str) -> Self {
        self.message.insert_str(0, before);
        self
    }
}

impl From<Error> for FuncError {
    fn from(error: Error) -> Self {
        Self {
            kind: error.kind,
            message: error.message,
        }
    }
}

impl From<FuncError> for Error {
    fn from(error: FuncError) -> Self {
        Self {
            kind: error.kind,
            message: error.message,
        }
    }
}

impl From<Exceeded> for FuncError {
    fn from(limit: Exceeded) -> Self {
        Error::exceeded(limit).into()
    }
}

impl From<String> for FuncError {
    fn from(message: String) -> Self {
        Self::new(message)
    }
}

impl From<&str> for FuncError {
    fn from(message: &str) -> Self {
        Self::new(message)
    }
}

/// The body of a function.
///
/// Arguments are already counted and checked against the parameter types; a missing value arrives as
/// [`Value::Nil`]. A function holds no state: what belongs to one render is in [`Call`].
pub type Body = dyn Fn(&mut Call<'_>, &[Value]) -> Result<Value, FuncError> + Send + Sync;

/// A function of a template, with what Go's reflection would know about it.
#[derive(Clone)]
pub struct Function {
    /// Parameter types. Of a variadic function the last one is the type of the elements.
    pub params: Arc<[Type]>,
    /// Whether the last parameter repeats, zero times included.
    pub variadic: bool,
    /// The result type; [`Type::Any`] where Go's function returns `interface{}`.
    pub result: Type,
    /// The body.
    pub body: Arc<Body>,
}

/// The functions templates may call, by name. Unknown names are errors of parsing, so the set is fixed
/// before the first template is parsed; the executor's builtins (`printf`, `index`, `eq`, …) need no entry,
/// and an entry of the same name replaces them.
#[derive(Clone, Default)]
pub struct Functions {
    names: HashMap<Arc<str>, u32, RandomState>,
    functions: Vec<(Arc<str>, Function)>,
}

impl Functions {
    /// Returns an empty registry: builtins only.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds or replaces a function that takes exactly these parameters and returns `result`.
    pub fn add<F>(&mut self, name: &str, params: &[Type], result: Type, body: F)
    where
        F: Fn(&mut Call<'_>, &[Value]) -> Result<Value, FuncError> + Send + Sync + 'static,
    {
        self.insert(
            name,
            Function {
                params: params.into(),
                variadic: false,
                result,
                body: Arc::new(body),
            },
        );
    }

    /// Adds or replaces a function whose last parameter repeats: `params` ends with the element type.
    pub fn add_variadic<F>(&mut self, name: &str, params: &[Type], result: Type, body: F)
    where
        F: Fn(&mut Call<'_>, &[Value]) -> Result<Value, FuncError> + Send + Sync + 'static,
    {
        self.insert(
            name,
            Function {
                params: params.into(),
                variadic: true,
                result,
                body: Arc::new(body),
            },
        );
    }

    /// Adds or replaces a function.
    pub fn insert(&mut self, name: &str, function: Function) {
        if let Some(slot) = self.id(name).and_then(|id| self.functions.get_mut(id as usize)) {
            slot.1 = function;
            return;
        }
        let name: Arc<str> = name.into();
        let id = self.functions.len() as u32;
        self.names.insert(Arc::clone(&name), id);
        self.functions.push((name, function));
    }

    /// Removes a function: calling it becomes an error of parsing. Not to be used once templates were parsed.
    pub fn remove(&mut self, name: &str) {
        // The slot stays behind, so that the ids of the others do.
        self.names.remove(name);
    }

    /// Returns the function of that name.
    pub fn get(&self, name: &str) -> Option<&Function> {
        self.id(name)
            .and_then(|id| self.by_id(id))
            .map(|(_, function)| function)
    }

    /// Returns the names, unordered.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(AsRef::as_ref)
    }

    pub(crate) fn id(&self, name: &str) -> Option<u32> {
        self.names.get(name).copied()
    }

    pub(crate) fn by_id(&self, id: u32) -> Option<(&str, &Function)> {
        self.functions
            .get(id as usize)
            .map(|(name, function)| (name.as_ref(), function))
    }
}

/// Where in the templates a call stands, and how often this very place has run in this execution.
///
/// Randomness is keyed by it, so that a password does not change when something else in the chart does.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct CallSite {
    /// The name the template's text was parsed under (a file).
    pub template: Arc<str>,
    /// Byte position of the call in that text.
    pub position: u32,
    /// 0 for the first run of this place, 1 for the second, …
    pub run: u32,
}

/// A moment, with the zone templates print it in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Now {
    /// Seconds since the epoch.
    pub seconds: i64,
    /// Nanoseconds within the second, below 10⁹.
    pub nanos: u32,
    /// Seconds east of UTC.
    pub offset_seconds: i32,
}

/// What comes from outside: the clock and randomness.
pub trait Ambient {
    /// Returns the time `now` answers.
    fn now(&self) -> Now;

    /// Fills `out` with bytes that are random for this place and run. Several requests within one run are
    /// told apart by `draw`, which counts from 0.
    fn random(&self, site: &CallSite, draw: u32, out: &mut [u8]);

    /// Answers a function that asks something outside, by its name: Helm's `lookup`. `None`, the default, means that nothing outside is
    /// visible, which is for the function to put into a value; an error is one of the call.
    fn outside(&self, _function: &str, _arguments: &[Value]) -> Result<Option<Value>, FuncError> {
        Ok(None)
    }

    /// Returns from when a certificate made at this place, meant to last so many seconds, is valid.
    fn validity(&self, _site: &CallSite, _life_seconds: i64) -> Validity {
        Validity {
            not_before_seconds: self.now().seconds,
            window: None,
        }
    }
}

/// When a certificate starts to be valid.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Validity {
    /// Seconds since the epoch.
    pub not_before_seconds: i64,
    /// Which of the certificates that follow each other at the place this is; its serial number differs by it.
    /// `None` where every render makes a new one.
    pub window: Option<i64>,
}

/// What a function may ask of the execution it runs in. Implemented by the executor; tests of functions can
/// bring their own.
pub trait Engine {
    /// Runs the named template of the current set and returns what it wrote (not trimmed, `<no value>` kept).
    fn execute(&mut self, name: &str, dot: Value) -> Result<Str, Error>;

    /// Parses `text` into a copy of the current set and runs it there: definitions in the text are seen by the
    /// text, and by what it includes, alone. Errors name it as the set; its randomness is keyed by `place`.
    fn execute_text(&mut self, place: &str, text: &Str, dot: Value) -> Result<Str, TextError>;

    /// Reports whether the current set has a template of that name.
    fn is_defined(&self, name: &str) -> bool;

    /// Returns the clock and the source of randomness.
    fn ambient(&self) -> &dyn Ambient;

    /// Counts this much work against the budget: call it in loops whose length the input decides.
    fn charge_steps(&mut self, steps: u64) -> Result<(), Exceeded>;

    /// Counts bytes about to be produced against the budget: call it before allocating what the input sizes.
    fn charge_bytes(&mut self, bytes: u64) -> Result<(), Exceeded>;

    /// Returns the caller's own state for this execution.
    fn state(&mut self) -> &mut dyn Any;

    /// Returns how often this was asked for this place before.
    fn run_of(&mut self, _template: &Arc<str>, _position: u32) -> u32 {
        0
    }
}

/// How `execute_text` failed: callers word the two differently.
#[derive(Clone, Debug)]
pub enum TextError {
    /// The text is not a template.
    Parse(Error),
    /// It failed while running.
    Exec(Error),
}

/// One call of a function: its place, and a way back into the execution.
pub struct Call<'a> {
    engine: &'a mut dyn Engine,
    site: CallSite,
    /// Whether `site.run` is known; it is counted only where somebody asks.
    counted: bool,
    draws: u32,
}

impl<'a> Call<'a> {
    /// Returns the call of a function standing at `site`.
    pub fn new(engine: &'a mut dyn Engine, site: CallSite) -> Self {
        Self {
            engine,
            site,
            counted: true,
            draws: 0,
        }
    }

    pub(crate) fn at(engine: &'a mut dyn Engine, template: Arc<str>, position: u32) -> Self {
        Self {
            engine,
            site: CallSite {
                template,
                position,
                run: 0,
            },
            counted: false,
            draws: 0,
        }
    }

    /// Returns where the call stands. Runs are counted among those calls of a place that ask for it.
    pub fn site(&mut self) -> &CallSite {
        if !self.counted {
            self.site.run = self.engine.run_of(&self.site.template, self.site.position);
            self.counted = true;
        }
        &self.site
    }

    /// Returns the execution.
    pub fn engine(&mut self) -> &mut dyn Engine {
        self.engine
    }

    /// Returns the current time.
    pub fn now(&self) -> Now {
        self.engine.ambient().now()
    }

    /// Fills `out` with bytes random for this call.
    pub fn random(&mut self, out: &mut [u8]) {
        let draw = self.draws;
        self.draws += 1;
        self.site();
        self.engine.ambient().random(&self.site, draw, out);
    }

    /// Returns from when a certificate made by this call is valid.
    pub fn validity(&self, life_seconds: i64) -> Validity {
        self.engine.ambient().validity(&self.site, life_seconds)
    }

    /// Counts work against the budget.
    pub fn charge_steps(&mut self, steps: u64) -> Result<(), FuncError> {
        self.engine.charge_steps(steps).map_err(FuncError::from)
    }

    /// Counts bytes about to be produced against the budget.
    pub fn charge_bytes(&mut self, bytes: u64) -> Result<(), FuncError> {
        self.engine.charge_bytes(bytes).map_err(FuncError::from)
    }

    /// Returns the caller's own state, if it is of this type.
    pub fn state<T: 'static>(&mut self) -> Option<&mut T> {
        self.engine.state().downcast_mut()
    }
}
