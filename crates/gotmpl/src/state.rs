//! The walk over one template: Go's `exec.go`.

mod call;

use std::sync::Arc;

use crate::error::Error;
use crate::exec::{Executor, MissingKey};
use crate::fmt::FormatError;
use crate::function::FuncError;
use crate::node::{
    Arg, ArgKind, Branch, Code, Command, List, Literal, NameId, Node, Pipe, Pos, Shown, TemplateCall, Text,
};
use crate::quote::quoted;
use crate::slot::Slot;
use crate::template::{Template, Unit};
use crate::text::Str;
use crate::types::{Kind, Number, Type};
use crate::value::Value;

/// The node an error is reported at: the one evaluated last.
#[derive(Clone, Copy)]
enum At<'t> {
    Nowhere,
    Action(&'t Pipe),
    Pipe(&'t Pipe),
    Command(&'t Command),
    Arg(&'t Arg),
    Template(&'t TemplateCall),
}

impl At<'_> {
    fn pos(self) -> Pos {
        match self {
            At::Nowhere => 0,
            At::Action(pipe) | At::Pipe(pipe) => pipe.pos,
            At::Command(command) => command.pos,
            At::Arg(arg) => arg.pos,
            At::Template(call) => call.pos,
        }
    }

    fn text(self, unit: &Unit) -> String {
        let (text, code) = (&*unit.text, &unit.code);
        match self {
            At::Nowhere => String::new(),
            At::Action(pipe) => format!("{{{{{}}}}}", Shown(text, code, pipe)),
            At::Pipe(pipe) => Shown(text, code, pipe).to_string(),
            At::Command(command) => Shown(text, code, command).to_string(),
            At::Arg(arg) => Shown(text, code, arg).to_string(),
            At::Template(call) => Shown(text, code, call).to_string(),
        }
    }
}

/// How a node ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Next,
    Break,
    Continue,
}

type Result<T> = std::result::Result<T, Error>;

/// The execution of one template: its own variables and place of error.
pub(crate) struct State<'x, 'e, 't> {
    exec: &'x mut Executor<'e>,
    template: &'t Template,
    code: &'t Code,
    at: At<'t>,
    /// Where this template's variables start on the stack.
    base: usize,
}

impl<'x, 'e, 't> State<'x, 'e, 't> {
    pub(crate) fn new(exec: &'x mut Executor<'e>, template: &'t Template, base: usize) -> Self {
        Self {
            exec,
            template,
            code: &template.unit.code,
            at: At::Nowhere,
            base,
        }
    }

    pub(crate) fn body(mut self, dot: &Slot) -> Result<()> {
        let template = self.template;
        self.list(dot, template.root).map(|_| ())
    }

    /// Returns the error at the current node.
    #[cold]
    fn error(&self, message: impl AsRef<str>) -> Error {
        self.wrap(Error::exec(message.as_ref()))
    }

    #[cold]
    fn wrap(&self, mut error: Error) -> Error {
        let location = self.template.unit.location(self.at.pos());
        let name = quoted(&self.template.name);
        error.message = format!(
            "template: {location}: executing {name} at <{}>: {}",
            self.at.text(&self.template.unit),
            error.message
        );
        error
    }

    fn shown(&self, arg: &Arg) -> String {
        Shown(&self.template.unit.text, self.code, arg).to_string()
    }

    fn fail<T>(&self, message: impl AsRef<str>) -> Result<T> {
        Err(self.error(message))
    }

    fn step(&mut self) -> Result<()> {
        self.exec.step().map_err(|limit| self.wrap(Error::exceeded(limit)))
    }

    fn enter(&mut self) -> Result<()> {
        self.exec.enter().map_err(|error| self.wrap(error))
    }

    fn list(&mut self, dot: &Slot, list: List) -> Result<Flow> {
        for node in self.code.list(list) {
            let flow = self.node(dot, node)?;
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn node(&mut self, dot: &Slot, node: &'t Node) -> Result<Flow> {
        match node {
            Node::Text { start, end } => {
                let text = self.template.unit.text.as_bytes();
                let text = text.get(*start as usize..*end as usize).unwrap_or_default();
                self.exec
                    .write(text)
                    .map_err(|limit| self.wrap(Error::exceeded(limit)))?;
            }
            Node::Action(pipe) => {
                self.at = At::Action(pipe);
                let value = self.pipeline(dot, pipe)?;
                if pipe.decl.is_empty() {
                    self.at = At::Action(pipe);
                    self.print(&value)?;
                }
            }
            Node::If(branch) | Node::With(branch) => {
                self.enter()?;
                let mark = self.exec.variables.len();
                let flow = self.decide(dot, branch, matches!(node, Node::With(_)));
                self.exec.variables.truncate(mark);
                self.exec.leave();
                return flow;
            }
            Node::Range(branch) => {
                self.enter()?;
                let mark = self.exec.variables.len();
                let flow = self.range(dot, branch);
                self.exec.variables.truncate(mark);
                self.exec.leave();
                return flow;
            }
            Node::Template(call) => self.call_template(dot, call)?,
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::Next)
    }

    fn print(&mut self, slot: &Slot) -> Result<()> {
        let done = if slot.is_absent() {
            self.exec.write(b"<no value>").map_err(Error::exceeded)
        } else if slot.value.kind() == Kind::Func {
            let At::Action(pipe) = self.at else {
                return Ok(());
            };
            let shown = At::Action(pipe).text(&self.template.unit);
            return self.fail(format!("can't print {shown} of type {}", slot.value.type_name()));
        } else {
            self.exec
                .print(&slot.value)
                .map_err(|error: FormatError| FuncError::from(error).into())
        };
        done.map_err(|error| self.wrap(error))
    }

    fn decide(&mut self, dot: &Slot, branch: &'t Branch, sets_dot: bool) -> Result<Flow> {
        let value = self.pipeline(dot, &branch.pipe)?;
        if value.value.truth() {
            self.list(if sets_dot { &value } else { dot }, branch.list)
        } else {
            match branch.other {
                Some(other) => self.list(dot, other),
                None => Ok(Flow::Next),
            }
        }
    }

    fn call_template(&mut self, dot: &Slot, call: &'t TemplateCall) -> Result<()> {
        self.at = At::Template(call);
        let name = self.code.name(call.name);
        let Some(template) = self.exec.find(name) else {
            return self.fail(format!("template {} not defined", quoted(name)));
        };
        let dot = match &call.pipe {
            Some(pipe) => self.pipeline(dot, pipe)?,
            None => Slot::absent(),
        };
        // Errors inside are reported as of the inner template alone; of ours there is only the depth.
        self.exec.invoke(&template, dot).map_err(|error| {
            if error.is_exceeded() && !error.message.starts_with("template: ") {
                self.wrap(error)
            } else {
                error
            }
        })
    }

    // Loops.

    fn range(&mut self, dot: &Slot, branch: &'t Branch) -> Result<Flow> {
        let slot = self.pipeline(dot, &branch.pipe)?;
        let mark = self.exec.variables.len();
        let over = match &slot.value {
            Value::Host(host) => host.underlying().unwrap_or_else(|| slot.value.clone()),
            value => value.clone(),
        };
        let mut turns = false;
        match &over {
            Value::Nil => {}
            Value::List(list) => {
                let ty = list.ty().elem;
                // Item by item: what the loop does may sort them.
                let mut at = 0;
                while let Some(item) = list.get(at) {
                    turns = true;
                    let index = Slot::concrete(Value::Int(at as i64));
                    if self.turn(branch, mark, index, Slot::of(item.clone(), ty))? {
                        break;
                    }
                    at += 1;
                }
            }
            Value::Bytes(bytes) => {
                for (at, byte) in bytes.iter().enumerate() {
                    turns = true;
                    let index = Slot::concrete(Value::Int(at as i64));
                    if self.turn(branch, mark, index, Slot::concrete(Value::byte(*byte)))? {
                        break;
                    }
                }
            }
            Value::Map(map) => {
                let ty = map.ty().elem;
                for (key, item) in map.entries() {
                    turns = true;
                    if self.turn(branch, mark, Slot::concrete(Value::Str(key)), Slot::of(item, ty))? {
                        break;
                    }
                }
            }
            value if value.kind().is_int() || value.kind().is_uint() => {
                turns = self.count(branch, mark, value)?;
            }
            value => {
                let text =
                    crate::fmt::sprint(std::slice::from_ref(value)).map_err(|error| self.error(error.to_string()))?;
                let text = text.to_str();
                // Go has followed the pointer by now.
                let is_pointer = value.kind() == Kind::Ptr;
                let text = if is_pointer {
                    text.trim_start_matches('&')
                } else {
                    &text
                };
                return self.fail(format!("range can't iterate over {text}"));
            }
        }
        match branch.other {
            // `break` in here belongs to the loop around for the parser, and still ends no more than this one.
            Some(other) if !turns => Ok(match self.list(dot, other)? {
                Flow::Break => Flow::Next,
                flow => flow,
            }),
            _ => Ok(Flow::Next),
        }
    }

    /// Ranges over `0..n` in the type of `n`; reports whether there was a turn.
    fn count(&mut self, branch: &'t Branch, mark: usize, value: &Value) -> Result<bool> {
        let end = match (value.as_int(), value.as_uint()) {
            (Some(end), _) => i128::from(end),
            (None, end) => i128::from(end.unwrap_or(0)),
        };
        if branch.pipe.decl.len() > 1 {
            let text =
                crate::fmt::sprint(std::slice::from_ref(value)).map_err(|error| self.error(error.to_string()))?;
            let text = text.to_str();
            return self.fail(format!("can't use {text} to iterate over more than one variable"));
        }
        let mut at: i128 = 0;
        while at < end {
            let item = match value {
                Value::Int64(_) => Value::Int64(at as i64),
                Value::Duration(_) => Value::Duration(at as i64),
                Value::Number(number) => Value::Number(Number {
                    kind: number.kind,
                    bits: at as u64,
                }),
                _ => Value::Int(at as i64),
            };
            at += 1;
            if self.turn(branch, mark, Slot::absent(), Slot::concrete(item))? {
                break;
            }
        }
        Ok(at > 0)
    }

    /// Runs the body once; reports whether it broke out.
    fn turn(&mut self, branch: &'t Branch, mark: usize, index: Slot, item: Slot) -> Result<bool> {
        self.step()?;
        let decl = self.code.path(branch.pipe.decl);
        if branch.pipe.assign {
            match decl {
                [one] => self.assign(*one, item.clone())?,
                [first, second] => {
                    self.assign(*first, index)?;
                    self.assign(*second, item.clone())?;
                }
                _ => {}
            }
        } else if !decl.is_empty() {
            let top = self.exec.variables.len();
            if let Some(variable) = self.exec.variables.get_mut(top.wrapping_sub(1)) {
                variable.1 = item.clone();
            }
            if decl.len() > 1
                && let Some(variable) = self.exec.variables.get_mut(top.wrapping_sub(2))
            {
                variable.1 = index;
            }
        }
        let flow = self.list(&item, branch.list)?;
        self.exec.variables.truncate(mark);
        Ok(flow == Flow::Break)
    }

    // Pipelines.

    fn assign(&mut self, name: NameId, value: Slot) -> Result<()> {
        let own = self.exec.variables.get_mut(self.base..).unwrap_or_default();
        match own.iter_mut().rev().find(|(id, _)| *id == name) {
            Some(variable) => {
                variable.1 = value;
                Ok(())
            }
            None => self.fail(format!("undefined variable: {}", self.code.name(name))),
        }
    }

    fn variable(&self, name: NameId) -> Result<Slot> {
        let own = self.exec.variables.get(self.base..).unwrap_or_default();
        match own.iter().rev().find(|(id, _)| *id == name) {
            Some((_, value)) => Ok(value.clone()),
            None => self.fail(format!("undefined variable: {}", self.code.name(name))),
        }
    }

    fn pipeline(&mut self, dot: &Slot, pipe: &'t Pipe) -> Result<Slot> {
        self.at = At::Pipe(pipe);
        let mut value: Option<Slot> = None;
        for command in self.code.commands(pipe) {
            value = Some(self.command(dot, command, value)?.opened());
        }
        let value = value.unwrap_or_else(Slot::absent);
        for name in self.code.path(pipe.decl) {
            if pipe.assign {
                self.assign(*name, value.clone())?;
            } else {
                self.exec.variables.push((*name, value.clone()));
            }
        }
        Ok(value)
    }

    fn command(&mut self, dot: &Slot, command: &'t Command, last: Option<Slot>) -> Result<Slot> {
        self.step()?;
        let Some((first, args)) = self.code.args(command).split_first() else {
            return self.fail("empty command");
        };
        match &first.kind {
            ArgKind::Field(_) | ArgKind::Chain(..) | ArgKind::Variable(..) => self.path(dot, first, args, last),
            ArgKind::Function(function) => {
                self.at = At::Arg(first);
                self.function(dot, function, At::Command(command), first.pos, args, last)
            }
            ArgKind::Pipe(pipe) => {
                self.not_a_function(first, args, &last)?;
                self.parenthesised(dot, pipe)
            }
            _ => {
                self.at = At::Arg(first);
                self.not_a_function(first, args, &last)?;
                match &first.kind {
                    ArgKind::Bool(value) => Ok(Slot::concrete(Value::Bool(*value))),
                    ArgKind::Dot => Ok(dot.clone()),
                    ArgKind::Number(at) => self.constant(*at),
                    ArgKind::Text { text, .. } => Ok(Slot::concrete(self.text(*text))),
                    _ => self.fail("nil is not a command"),
                }
            }
        }
    }

    fn parenthesised(&mut self, dot: &Slot, pipe: &'t Pipe) -> Result<Slot> {
        self.enter()?;
        let value = self.pipeline(dot, pipe);
        self.exec.leave();
        value
    }

    fn not_a_function(&self, first: &Arg, args: &[Arg], last: &Option<Slot>) -> Result<()> {
        if args.is_empty() && last.is_none() {
            return Ok(());
        }
        self.fail(format!("can't give argument to non-function {}", self.shown(first)))
    }

    fn literal(&self, arg: &Arg) -> Option<&'t Literal> {
        match arg.kind {
            ArgKind::Number(at) => self.code.number(at),
            _ => None,
        }
    }

    fn text(&self, at: u32) -> Value {
        match self.code.text(at) {
            Some(Text::Utf8(text)) => Value::Str(Str::from(Arc::clone(text))),
            Some(Text::Bytes(bytes)) => Value::Str(Str::from_bytes(bytes)),
            None => Value::Nil,
        }
    }

    fn constant(&self, at: u32) -> Result<Slot> {
        let Some(literal) = self.code.number(at) else {
            return self.fail("internal error: no such number");
        };
        if literal.complex {
            return self.fail("complex numbers are not supported");
        }
        let text = literal.text.as_str();
        let hex = (text.starts_with("0x") || text.starts_with("0X")) && text.len() > 2 && !text.contains(['p', 'P']);
        let value = match (literal.float, literal.int) {
            (Some(float), _) if !hex && !text.starts_with('\'') && text.contains(['.', 'e', 'E', 'p', 'P']) => {
                Value::Float(float)
            }
            (_, Some(int)) => Value::Int(int),
            _ => return self.fail(format!("{text} overflows int")),
        };
        Ok(Slot::concrete(value))
    }

    // Fields and variables.

    /// Evaluates `.A.B`, `$x.A.B` or `(…).A.B`, the last name with arguments.
    fn path(&mut self, dot: &Slot, arg: &'t Arg, args: &'t [Arg], last: Option<Slot>) -> Result<Slot> {
        self.at = At::Arg(arg);
        let (mut receiver, names) = match &arg.kind {
            ArgKind::Field(names) => (dot.clone(), *names),
            ArgKind::Variable(name, names) => {
                let value = self.variable(*name)?;
                if names.is_empty() {
                    self.not_a_function(arg, args, &last)?;
                    return Ok(value);
                }
                (value, *names)
            }
            ArgKind::Chain(first, names) => {
                let Some(first) = self.code.arg(*first) else {
                    return self.fail("internal error: no such operand");
                };
                if let ArgKind::Nil = first.kind {
                    return self.fail(format!("indirection through explicit nil in {}", self.shown(arg)));
                }
                (self.operand(dot, first)?, *names)
            }
            _ => return self.fail("internal error: not a path"),
        };
        let code = self.code;
        let Some((method, before)) = code.path(names).split_last() else {
            return Ok(receiver);
        };
        for name in before {
            receiver = self.field(dot, code.name(*name), arg, &[], None, receiver)?;
        }
        self.field(dot, code.name(*method), arg, args, last, receiver)
    }

    fn field(
        &mut self,
        dot: &Slot,
        name: &str,
        node: &'t Arg,
        args: &'t [Arg],
        last: Option<Slot>,
        receiver: Slot,
    ) -> Result<Slot> {
        let missing_key = self.exec.options.missing_key;
        if receiver.is_absent() {
            if missing_key == MissingKey::Error {
                return self.fail(format!("nil data; no entry for key {}", quoted(name)));
            }
            return Ok(receiver);
        }
        if receiver.is_nil_interface() {
            return self.fail(format!("nil pointer evaluating interface {{}}.{name}"));
        }
        let has_args = !args.is_empty() || last.is_some();
        match &receiver.value {
            Value::Map(map) => {
                if let Some(method) = map.ty().methods.iter().find(|method| method.name == name) {
                    let argv = self.arguments(dot, name, method.params, method.variadic, args, last)?;
                    return self.call(name, At::Arg(node), node.pos, |call| {
                        (method.call)(call, &receiver.value, &argv)
                    });
                }
                return self.entry(map, name, has_args);
            }
            Value::List(list) => {
                if let Some(method) = list.ty().methods.iter().find(|method| method.name == name) {
                    let argv = self.arguments(dot, name, method.params, method.variadic, args, last)?;
                    return self.call(name, At::Arg(node), node.pos, |call| {
                        (method.call)(call, &receiver.value, &argv)
                    });
                }
            }
            Value::Duration(nanos) => {
                if let Some(params) = crate::duration::method(name) {
                    let argv = self.arguments(dot, name, params, false, args, last)?;
                    return Ok(Slot::concrete(crate::duration::call(*nanos, name, &argv)));
                }
            }
            Value::Host(host) => {
                if let Some(signature) = host.method(name) {
                    let argv = self.arguments(dot, name, signature.params, signature.variadic, args, last)?;
                    return self.call(name, At::Arg(node), node.pos, |call| host.call(call, name, &argv));
                }
                if host.is_nil() && host.field(name).is_some() {
                    return self.fail(format!("nil pointer evaluating {}.{name}", receiver.type_name()));
                }
                if let Some(field) = host.field(name) {
                    if has_args {
                        return self.fail(format!("{name} has arguments but cannot be invoked as function"));
                    }
                    return Ok(Slot::of(
                        field.clone(),
                        if field.is_nil() { Type::Any } else { Type::Reflect },
                    ));
                }
                if let Some(Value::Map(map)) = host.underlying() {
                    return self.entry(&map, name, has_args);
                }
            }
            _ => {}
        }
        self.fail(format!("can't evaluate field {name} in type {}", receiver.type_name()))
    }

    fn entry(&self, map: &crate::value::Map, name: &str, has_args: bool) -> Result<Slot> {
        if has_args {
            return self.fail(format!("{name} is not a method but has arguments"));
        }
        let ty = map.ty().elem;
        match (map.get(name), self.exec.options.missing_key) {
            (Some(value), _) => Ok(Slot::of(value, ty)),
            (None, MissingKey::Invalid) => Ok(Slot::absent()),
            (None, MissingKey::Zero) => Ok(Slot::of(ty.zero(), ty)),
            (None, MissingKey::Error) => self.fail(format!("map has no entry for key {}", quoted(name))),
        }
    }
}
