//! The parsed text: nodes in tables, and how errors print them.
//!
//! ```text
//! nodes     [ text | {{if P}} L L | {{P}} | … ]      a list L is a run of nodes
//! commands  [ args | args | … ]                      a pipeline P is a run of commands
//! args      [ .A.B | "x" | (P) | … ]                 a command is a run of operands
//! ```
//!
//! A chart's library has thousands of nodes of which few are ever run, so what a node costs is what parsing costs:
//! nodes are copied, not allocated, and a whole text is dropped at once.

use std::fmt::{self, Display, Formatter, Write};
use std::marker::PhantomData;
use std::sync::Arc;

use crate::quote::quoted;

/// Byte position in the text the node was parsed from.
pub type Pos = u32;

/// A name of the text's name table; equal for equal names of variables, fields and functions.
pub type NameId = u32;

/// The name `$`.
pub const DOLLAR: NameId = 0;

/// Neighbours in a table.
#[derive(Debug)]
pub struct Run<T> {
    start: u32,
    length: u32,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for Run<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Run<T> {}

impl<T> Run<T> {
    /// The `length` entries from `start` on. Texts are shorter than 2³² bytes, so tables are too.
    pub fn new(start: usize, length: usize) -> Self {
        Self {
            start: start as u32,
            length: length as u32,
            of: PhantomData,
        }
    }

    /// Reports whether there are none.
    pub fn is_empty(self) -> bool {
        self.length == 0
    }

    /// Returns how many there are.
    pub fn len(self) -> usize {
        self.length as usize
    }

    fn of(self, table: &[T]) -> &[T] {
        let start = self.start as usize;
        table.get(start..start + self.len()).unwrap_or_default()
    }
}

/// A template's body, a branch: in lexical order.
pub type List = Run<Node>;

/// What stands in a body.
#[derive(Clone, Copy, Debug)]
pub enum Node {
    /// Literal text, as a range of the unit's text.
    Text {
        /// Where it starts.
        start: Pos,
        /// Where it ends.
        end: Pos,
    },
    /// `{{pipeline}}`.
    Action(Pipe),
    /// `{{if}}`.
    If(Branch),
    /// `{{with}}`.
    With(Branch),
    /// `{{range}}`.
    Range(Branch),
    /// `{{template}}`, also what is left of a `{{block}}`.
    Template(TemplateCall),
    /// `{{break}}`.
    Break,
    /// `{{continue}}`.
    Continue,
}

/// A control structure.
#[derive(Clone, Copy, Debug)]
pub struct Branch {
    /// What decides.
    pub pipe: Pipe,
    /// Executed if so.
    pub list: List,
    /// Executed if not.
    pub other: Option<List>,
}

/// A call of a template.
#[derive(Clone, Copy, Debug)]
pub struct TemplateCall {
    /// Position of the name.
    pub pos: Pos,
    /// The name.
    pub name: NameId,
    /// What becomes dot.
    pub pipe: Option<Pipe>,
}

/// A pipeline.
#[derive(Clone, Copy, Debug)]
pub struct Pipe {
    /// Its position.
    pub pos: Pos,
    /// Whether the variables are assigned instead of declared.
    pub assign: bool,
    /// Variables that get the value.
    pub decl: Run<NameId>,
    /// The commands.
    pub commands: Run<Command>,
}

/// A command: a function or value and its arguments.
#[derive(Clone, Copy, Debug)]
pub struct Command {
    /// Its position.
    pub pos: Pos,
    /// First word and arguments; never empty.
    pub args: Run<Arg>,
}

/// An operand.
#[derive(Clone, Copy, Debug)]
pub struct Arg {
    /// Its position.
    pub pos: Pos,
    /// What it is.
    pub kind: ArgKind,
}

/// What an operand is.
#[derive(Clone, Copy, Debug)]
pub enum ArgKind {
    /// `.`.
    Dot,
    /// `nil`.
    Nil,
    /// `true` or `false`.
    Bool(bool),
    /// A number, by its place in [`Code::numbers`].
    Number(u32),
    /// A string.
    Text {
        /// Its meaning, by its place in [`Code::texts`].
        text: u32,
        /// Bytes of source from the operand's position on.
        source: u32,
    },
    /// A function, found at parse time.
    Function(FunctionRef),
    /// `.A.B`.
    Field(Run<NameId>),
    /// `$x.A.B`.
    Variable(NameId, Run<NameId>),
    /// `(…)`.
    Pipe(Pipe),
    /// `(…).A.B`, `f.A`: the operand by its place in [`Code::args`].
    Chain(u32, Run<NameId>),
}

/// What a string literal means.
#[derive(Debug)]
pub enum Text {
    /// The usual.
    Utf8(Arc<str>),
    /// With `\xff` and the like.
    Bytes(Arc<[u8]>),
}

/// A function.
#[derive(Clone, Copy, Debug)]
pub struct FunctionRef {
    /// Its name.
    pub name: NameId,
    /// Where it is.
    pub target: Target,
}

/// Where a function is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    /// In the registry.
    Registered(u32),
    /// One of the language's.
    Builtin(crate::builtin::Builtin),
}

/// A number literal: every way Go can read it.
#[derive(Debug, Default)]
pub struct Literal {
    /// As a signed integer.
    pub int: Option<i64>,
    /// As an unsigned integer.
    pub uint: Option<u64>,
    /// As a float.
    pub float: Option<f64>,
    /// Whether it was written as an imaginary number.
    pub complex: bool,
    /// The source text.
    pub text: String,
}

/// Everything parsed from one text.
#[derive(Debug, Default)]
pub struct Code {
    /// Bodies and branches.
    pub nodes: Vec<Node>,
    /// Commands of pipelines.
    pub commands: Vec<Command>,
    /// Operands of commands, and those that chains begin with.
    pub args: Vec<Arg>,
    /// Declared variables, fields of paths.
    pub path: Vec<NameId>,
    /// Names: those of variables (with `$`), fields and functions once each, and those of called templates.
    pub names: Vec<Arc<str>>,
    /// Number literals.
    pub numbers: Vec<Literal>,
    /// String literals.
    pub texts: Vec<Text>,
}

impl Code {
    /// Returns the nodes of a list.
    pub fn list(&self, list: List) -> &[Node] {
        list.of(&self.nodes)
    }

    /// Returns the commands of a pipeline.
    pub fn commands(&self, pipe: &Pipe) -> &[Command] {
        pipe.commands.of(&self.commands)
    }

    /// Returns the operands of a command.
    pub fn args(&self, command: &Command) -> &[Arg] {
        command.args.of(&self.args)
    }

    /// Returns one operand.
    pub fn arg(&self, at: u32) -> Option<&Arg> {
        self.args.get(at as usize)
    }

    /// Returns the names of a path or of declared variables.
    pub fn path(&self, names: Run<NameId>) -> &[NameId] {
        names.of(&self.path)
    }

    /// Returns a name.
    pub fn name(&self, id: NameId) -> &str {
        self.names.get(id as usize).map_or("", AsRef::as_ref)
    }

    /// Returns a number literal.
    pub fn number(&self, at: u32) -> Option<&Literal> {
        self.numbers.get(at as usize)
    }

    /// Returns what a string literal means.
    pub fn text(&self, at: u32) -> Option<&Text> {
        self.texts.get(at as usize)
    }
}

/// A node with what it takes to print it: the text it was parsed from, and its code.
pub struct Shown<'c, T>(pub &'c str, pub &'c Code, pub &'c T);

impl<'c, T> Shown<'c, T> {
    fn with<U>(&self, other: &'c U) -> Shown<'c, U> {
        Shown(self.0, self.1, other)
    }

    fn fields(&self, f: &mut Formatter<'_>, names: Run<NameId>) -> fmt::Result {
        let code = self.1;
        code.path(names)
            .iter()
            .try_for_each(|id| write!(f, ".{}", code.name(*id)))
    }
}

impl Display for Shown<'_, Pipe> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self(_, code, pipe) = self;
        for (at, name) in code.path(pipe.decl).iter().enumerate() {
            if at > 0 {
                f.write_str(", ")?;
            }
            f.write_str(code.name(*name))?;
        }
        if !pipe.decl.is_empty() {
            f.write_str(if pipe.assign { " = " } else { " := " })?;
        }
        for (at, command) in code.commands(pipe).iter().enumerate() {
            if at > 0 {
                f.write_str(" | ")?;
            }
            self.with(command).fmt(f)?;
        }
        Ok(())
    }
}

impl Display for Shown<'_, Command> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (at, arg) in self.1.args(self.2).iter().enumerate() {
            if at > 0 {
                f.write_char(' ')?;
            }
            self.with(arg).in_parens(f)?;
        }
        Ok(())
    }
}

impl Shown<'_, Arg> {
    fn in_parens(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.2.kind {
            ArgKind::Pipe(pipe) => write!(f, "({})", self.with(pipe)),
            _ => self.fmt(f),
        }
    }
}

impl Display for Shown<'_, Arg> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self(text, code, arg) = self;
        match &arg.kind {
            ArgKind::Dot => f.write_char('.'),
            ArgKind::Nil => f.write_str("nil"),
            ArgKind::Bool(value) => value.fmt(f),
            ArgKind::Number(at) => f.write_str(code.number(*at).map_or("", |literal| &literal.text)),
            ArgKind::Text { source, .. } => {
                let start = arg.pos as usize;
                f.write_str(text.get(start..start + *source as usize).unwrap_or_default())
            }
            ArgKind::Function(function) => f.write_str(code.name(function.name)),
            ArgKind::Field(names) => self.fields(f, *names),
            ArgKind::Variable(name, names) => {
                f.write_str(code.name(*name))?;
                self.fields(f, *names)
            }
            ArgKind::Pipe(pipe) => self.with(pipe).fmt(f),
            ArgKind::Chain(first, names) => {
                if let Some(first) = code.arg(*first) {
                    self.with(first).in_parens(f)?;
                }
                self.fields(f, *names)
            }
        }
    }
}

impl Display for Shown<'_, TemplateCall> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self(_, code, call) = self;
        write!(f, "{{{{template {}", quoted(code.name(call.name)))?;
        if let Some(pipe) = &call.pipe {
            write!(f, " {}", self.with(pipe))?;
        }
        f.write_str("}}")
    }
}
