//! Runs templates.

use std::any::Any;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::error::{Error, Exceeded};
use crate::fmt::{self, FormatError};
use crate::function::{Ambient, Engine, TextError};
use crate::parse::parse_at;
use crate::slot::Slot;
use crate::state::State;
use crate::template::{Parsed, Template, TemplateSet};
use crate::text::Str;
use crate::value::Value;

/// What an absent map key means.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum MissingKey {
    /// No value, printed `<no value>`; so is everything below it. Go's default.
    #[default]
    Invalid,
    /// The zero of the element type: nil in `map[string]interface {}`, and a field of nil is an error. Helm's.
    Zero,
    /// An error.
    Error,
}

/// Limits and choices of one execution.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// What an absent map key means.
    pub missing_key: MissingKey,
    /// Executed nodes, loop turns and what functions charge for.
    pub max_steps: u64,
    /// Bytes written, by included templates too, plus what functions charge for.
    pub max_output_bytes: u64,
    /// Templates, blocks and parentheses within each other. The thread needs [`STACK_PER_LEVEL`] bytes of
    /// stack for each.
    pub max_depth: u32,
}

/// Stack one level of nesting may take, functions that call back into templates included: see the test
/// `the_deepest_template_fits_the_stack`. Builds without optimisation take the most.
pub const STACK_PER_LEVEL: usize = 16 << 10;

impl Default for Options {
    /// 100 million steps, 256 MiB, 8000 levels (a stack of 128 MiB).
    fn default() -> Self {
        Self {
            missing_key: MissingKey::default(),
            max_steps: 100_000_000,
            max_output_bytes: 256 << 20,
            max_depth: 8000,
        }
    }
}

/// Asking `cancelled` costs more than a step: once in so many.
const POLL_STEPS: u64 = 4096;

/// Texts that `execute_text` keeps parsed. A chart has some hundred at most; when full it starts over.
const MAX_PARSED_TEXTS: usize = 4096;

/// The templates in force: those of the set, and before them what texts run by functions define.
pub(crate) struct Scope {
    own: HashMap<Arc<str>, Arc<Template>>,
    outer: Option<Rc<Scope>>,
}

/// One execution over one set of templates: budgets, output and the caller's state are kept from run to run.
pub struct Executor<'e> {
    set: &'e TemplateSet,
    scope: Option<Rc<Scope>>,
    ambient: &'e dyn Ambient,
    cancelled: &'e dyn Fn() -> bool,
    state: Box<dyn Any>,
    pub(crate) options: Options,
    pub(crate) out: Vec<u8>,
    pub(crate) variables: Vec<(u32, Slot)>,
    steps: u64,
    next_poll: u64,
    bytes: u64,
    depth: u32,
    runs: HashMap<(Arc<str>, u32), u32>,
    parsed: HashMap<(Arc<str>, Str), Parsed>,
}

impl<'e> Executor<'e> {
    /// Returns an execution. `cancelled` is asked now and then; `state` is what functions find in
    /// [`Call::state`](crate::Call::state).
    pub fn new(
        set: &'e TemplateSet,
        options: Options,
        ambient: &'e dyn Ambient,
        cancelled: &'e dyn Fn() -> bool,
        state: Box<dyn Any>,
    ) -> Self {
        Self {
            set,
            scope: None,
            ambient,
            cancelled,
            state,
            options,
            out: Vec::new(),
            variables: Vec::new(),
            steps: 0,
            next_poll: POLL_STEPS,
            bytes: 0,
            depth: 0,
            runs: HashMap::new(),
            parsed: HashMap::new(),
        }
    }

    /// Returns the caller's state.
    pub fn into_state(self) -> Box<dyn Any> {
        self.state
    }

    /// Runs a template as [`Engine::execute`] does, and returns the bytes it wrote.
    pub fn output(&mut self, name: &str, dot: Value) -> Result<Vec<u8>, Error> {
        match self.find(name) {
            Some(template) => self.written(&template, dot),
            None => Err(self.no_template(name)),
        }
    }

    fn no_template(&self, name: &str) -> Error {
        Error::exec(format!(
            "template: no template {} associated with template {}",
            crate::quoted(name),
            crate::quoted(&self.set.name)
        ))
    }

    /// Returns the steps executed so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    pub(crate) fn set(&self) -> &'e TemplateSet {
        self.set
    }

    pub(crate) fn find(&self, name: &str) -> Option<Arc<Template>> {
        let mut scope = self.scope.as_deref();
        while let Some(inner) = scope {
            if let Some(template) = inner.own.get(name) {
                return Some(Arc::clone(template));
            }
            scope = inner.outer.as_deref();
        }
        self.set.templates.get(name).map(Arc::clone)
    }

    /// Runs a template and returns what it wrote.
    fn run(&mut self, template: &Template, dot: Value) -> Result<Str, Error> {
        self.written(template, dot).map(Str::from_vec)
    }

    fn written(&mut self, template: &Template, dot: Value) -> Result<Vec<u8>, Error> {
        let outer = std::mem::take(&mut self.out);
        let done = self.invoke(template, Slot::concrete(dot));
        let written = std::mem::replace(&mut self.out, outer);
        done.map(|()| written)
    }

    /// Runs a template into the current output.
    pub(crate) fn invoke(&mut self, template: &Template, dot: Slot) -> Result<(), Error> {
        self.enter()?;
        let base = self.variables.len();
        self.variables.push((0, dot.clone()));
        let done = State::new(self, template, base).body(&dot);
        self.variables.truncate(base);
        self.leave();
        done
    }

    pub(crate) fn enter(&mut self) -> Result<(), Error> {
        if self.depth >= self.options.max_depth {
            return Err(Error::exceeded(Exceeded::Depth));
        }
        self.depth += 1;
        Ok(())
    }

    pub(crate) fn leave(&mut self) {
        self.depth -= 1;
    }

    pub(crate) fn step(&mut self) -> Result<(), Exceeded> {
        self.steps += 1;
        if self.steps >= self.next_poll {
            return self.poll();
        }
        Ok(())
    }

    #[cold]
    fn poll(&mut self) -> Result<(), Exceeded> {
        if self.steps > self.options.max_steps {
            return Err(Exceeded::Steps);
        }
        if (self.cancelled)() {
            return Err(Exceeded::Cancelled);
        }
        self.next_poll = self
            .steps
            .saturating_add(POLL_STEPS)
            .min(self.options.max_steps.saturating_add(1));
        Ok(())
    }

    /// Returns how many bytes may still be made.
    pub(crate) fn bytes_left(&self) -> usize {
        usize::try_from(self.options.max_output_bytes.saturating_sub(self.bytes)).unwrap_or(usize::MAX)
    }

    pub(crate) fn write(&mut self, text: &[u8]) -> Result<(), Exceeded> {
        self.charge_bytes(text.len() as u64)?;
        self.out.extend_from_slice(text);
        Ok(())
    }

    pub(crate) fn print(&mut self, value: &Value) -> Result<(), FormatError> {
        let (left, before) = (self.bytes_left(), self.out.len());
        fmt::print_value(&mut self.out, value, left)?;
        self.bytes += (self.out.len() - before) as u64;
        Ok(())
    }
}

impl Engine for Executor<'_> {
    fn execute(&mut self, name: &str, dot: Value) -> Result<Str, Error> {
        match self.find(name) {
            Some(template) => self.run(&template, dot),
            None => Err(self.no_template(name)),
        }
    }

    fn execute_text(&mut self, place: &str, text: &Str, dot: Value) -> Result<Str, TextError> {
        let key: (Arc<str>, Str) = (place.into(), text.clone());
        let parsed = match self.parsed.get(&key) {
            Some(parsed) => parsed.clone(),
            None => {
                let parsed = parse_at(&self.set.name, place, &text.to_str(), &self.set.functions);
                let parsed = parsed.map_err(TextError::Parse)?;
                if self.parsed.len() >= MAX_PARSED_TEXTS {
                    self.parsed.clear();
                }
                self.parsed.insert(key, parsed.clone());
                parsed
            }
        };
        let mut own = HashMap::with_capacity(parsed.templates.len());
        for template in &parsed.templates {
            if !template.empty || self.find(&template.name).is_none() {
                own.insert(Arc::clone(&template.name), Arc::clone(template));
            }
        }
        let outer = self.scope.take();
        self.scope = Some(Rc::new(Scope {
            own,
            outer: outer.clone(),
        }));
        let done = self.run(&parsed.main, dot);
        self.scope = outer;
        done.map_err(TextError::Exec)
    }

    fn is_defined(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    fn ambient(&self) -> &dyn Ambient {
        self.ambient
    }

    fn charge_steps(&mut self, steps: u64) -> Result<(), Exceeded> {
        self.steps = self.steps.saturating_add(steps);
        if self.steps >= self.next_poll {
            return self.poll();
        }
        Ok(())
    }

    fn charge_bytes(&mut self, bytes: u64) -> Result<(), Exceeded> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > self.options.max_output_bytes {
            return Err(Exceeded::OutputBytes);
        }
        Ok(())
    }

    fn state(&mut self) -> &mut dyn Any {
        self.state.as_mut()
    }

    fn run_of(&mut self, template: &Arc<str>, position: u32) -> u32 {
        let run = self.runs.entry((Arc::clone(template), position)).or_insert(0);
        let this = *run;
        *run += 1;
        this
    }
}
