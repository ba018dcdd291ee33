//! The parsed template: nodes, and how errors print them.

use std::fmt::{self, Display, Formatter, Write};
use std::sync::Arc;

use crate::quote::quoted;

/// Byte position in the text the node was parsed from.
pub type Pos = u32;

/// A list of nodes: a template's body, a branch.
#[derive(Debug, Default)]
pub struct List {
    /// In lexical order.
    pub nodes: Vec<Node>,
}

/// What stands in a body.
#[derive(Debug)]
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
#[derive(Debug)]
pub struct Branch {
    /// What decides.
    pub pipe: Pipe,
    /// Executed if so.
    pub list: List,
    /// Executed if not.
    pub other: Option<List>,
}

/// A call of a template.
#[derive(Debug)]
pub struct TemplateCall {
    /// Position of the name.
    pub pos: Pos,
    /// The name.
    pub name: Arc<str>,
    /// What becomes dot.
    pub pipe: Option<Pipe>,
}

/// A pipeline.
#[derive(Debug)]
pub struct Pipe {
    /// Its position.
    pub pos: Pos,
    /// Whether the variables are assigned instead of declared.
    pub assign: bool,
    /// Variables that get the value.
    pub decl: Vec<Name>,
    /// The commands.
    pub commands: Vec<Command>,
}

/// A name of the unit's name table.
#[derive(Clone, Debug)]
pub struct Name {
    /// Equal for equal names of one unit.
    pub id: u32,
    /// With the `$` of variables.
    pub text: Arc<str>,
}

/// A command: a function or value and its arguments.
#[derive(Debug)]
pub struct Command {
    /// Its position.
    pub pos: Pos,
    /// First word and arguments; never empty.
    pub args: Vec<Arg>,
}

/// An operand.
#[derive(Debug)]
pub struct Arg {
    /// Its position.
    pub pos: Pos,
    /// What it is.
    pub kind: ArgKind,
}

/// What an operand is.
#[derive(Debug)]
pub enum ArgKind {
    /// `.`.
    Dot,
    /// `nil`.
    Nil,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Box<Literal>),
    /// A string: meaning and source text.
    Text(Text, Arc<str>),
    /// A function's name.
    Function(FunctionRef),
    /// `.A.B`.
    Field(Vec<Arc<str>>),
    /// `$x.A.B`.
    Variable(Name, Vec<Arc<str>>),
    /// `(…)`.
    Pipe(Box<Pipe>),
    /// `(…).A.B`, `f.A`.
    Chain(Box<Arg>, Vec<Arc<str>>),
}

/// What a string literal means.
#[derive(Debug)]
pub enum Text {
    /// The usual.
    Utf8(Arc<str>),
    /// With `\xff` and the like.
    Bytes(Arc<[u8]>),
}

/// A function, found at parse time.
#[derive(Debug)]
pub struct FunctionRef {
    /// Its name.
    pub name: Arc<str>,
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

impl Display for Pipe {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (at, name) in self.decl.iter().enumerate() {
            if at > 0 {
                f.write_str(", ")?;
            }
            f.write_str(&name.text)?;
        }
        if !self.decl.is_empty() {
            f.write_str(if self.assign { " = " } else { " := " })?;
        }
        for (at, command) in self.commands.iter().enumerate() {
            if at > 0 {
                f.write_str(" | ")?;
            }
            command.fmt(f)?;
        }
        Ok(())
    }
}

impl Display for Command {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (at, arg) in self.args.iter().enumerate() {
            if at > 0 {
                f.write_char(' ')?;
            }
            arg.in_parens(f)?;
        }
        Ok(())
    }
}

impl Arg {
    fn in_parens(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ArgKind::Pipe(pipe) => write!(f, "({pipe})"),
            _ => self.fmt(f),
        }
    }
}

impl Display for Arg {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ArgKind::Dot => f.write_char('.'),
            ArgKind::Nil => f.write_str("nil"),
            ArgKind::Bool(value) => value.fmt(f),
            ArgKind::Number(literal) => f.write_str(&literal.text),
            ArgKind::Text(_, source) => f.write_str(source),
            ArgKind::Function(function) => f.write_str(&function.name),
            ArgKind::Field(names) => fields(f, names),
            ArgKind::Variable(name, names) => {
                f.write_str(&name.text)?;
                fields(f, names)
            }
            ArgKind::Pipe(pipe) => pipe.fmt(f),
            ArgKind::Chain(first, names) => {
                first.in_parens(f)?;
                fields(f, names)
            }
        }
    }
}

fn fields(f: &mut Formatter<'_>, names: &[Arc<str>]) -> fmt::Result {
    names.iter().try_for_each(|name| write!(f, ".{name}"))
}

impl Display for TemplateCall {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{{{{template {}", quoted(&self.name))?;
        if let Some(pipe) = &self.pipe {
            write!(f, " {pipe}")?;
        }
        f.write_str("}}")
    }
}
