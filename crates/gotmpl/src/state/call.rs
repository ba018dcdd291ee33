//! Calls of functions, and what their arguments may be.

use std::sync::Arc;

use super::{At, Result, State};
use crate::builtin::{self, Builtin};
use crate::error::Error;
use crate::function::{Call, FuncError, Function};
use crate::node::{Arg, ArgKind, FunctionRef, Pos, Target};
use crate::quote::quoted;
use crate::slot::{Form, Slot};
use crate::types::{Kind, Number, Type};
use crate::value::Value;

impl<'t> State<'_, '_, 't> {
    pub(super) fn function(
        &mut self,
        dot: &Slot,
        function: &'t FunctionRef,
        node: At<'t>,
        pos: Pos,
        args: &'t [Arg],
        last: Option<Slot>,
    ) -> Result<Slot> {
        match function.target {
            Target::Builtin(builtin) => {
                self.builtin(dot, builtin, self.code.name(function.name), node, pos, args, last)
            }
            Target::Registered(id) => {
                let set = self.exec.set();
                let Some((name, known)) = set.functions.by_id(id) else {
                    return self.fail(format!(
                        "{} is not a defined function",
                        quoted(self.code.name(function.name))
                    ));
                };
                let Function {
                    params, variadic, body, ..
                } = known;
                let argv = self.arguments(dot, name, params, *variadic, args, last)?;
                let read = argv.iter().map(text_length).sum::<usize>() as u64;
                let result = self.call(name, node, pos, |call| {
                    // A function reads its texts at least once, and few say so: without this a step could cost as much as a text is long.
                    call.charge_steps(read / BYTES_PER_STEP)?;
                    body(call, &argv)
                })?;
                Ok(Slot::of(result.value, known.result))
            }
        }
    }

    /// Runs the body of a function or method and words its error.
    pub(super) fn call(
        &mut self,
        name: &str,
        node: At<'t>,
        pos: Pos,
        body: impl FnOnce(&mut Call<'_>) -> std::result::Result<Value, FuncError>,
    ) -> Result<Slot> {
        let template = Arc::clone(&self.template.unit.place);
        let mut call = Call::at(self.exec, template, pos);
        match body(&mut call) {
            Ok(value) => Ok(Slot {
                value,
                form: Form::Interface,
            }),
            Err(error) => Err(self.call_failed(name, node, error)),
        }
    }

    #[cold]
    fn call_failed(&mut self, name: &str, node: At<'t>, error: FuncError) -> Error {
        self.at = node;
        self.wrap(error.context(&format!("error calling {name}: ")).into())
    }

    fn check_count(&self, name: &str, params: &[Type], variadic: bool, given: usize, has_last: bool) -> Result<()> {
        let total = given + usize::from(has_last);
        if variadic {
            let fixed = params.len().saturating_sub(1);
            if total < fixed {
                return self.fail(format!(
                    "wrong number of args for {name}: want at least {fixed} got {given}"
                ));
            }
        } else if total != params.len() {
            let want = params.len();
            return self.fail(format!("wrong number of args for {name}: want {want} got {total}"));
        }
        Ok(())
    }

    pub(super) fn arguments(
        &mut self,
        dot: &Slot,
        name: &str,
        params: &[Type],
        variadic: bool,
        args: &'t [Arg],
        last: Option<Slot>,
    ) -> Result<Vec<Value>> {
        self.check_count(name, params, variadic, args.len(), last.is_some())?;
        let mut values = Vec::with_capacity(args.len() + usize::from(last.is_some()));
        for (at, arg) in args.iter().enumerate() {
            let value = self.argument(dot, parameter(params, at), arg)?;
            values.push(value);
        }
        if let Some(last) = last {
            values.push(self.checked(last, parameter(params, args.len()))?);
        }
        Ok(values)
    }

    #[allow(clippy::too_many_arguments)]
    fn builtin(
        &mut self,
        dot: &Slot,
        builtin: Builtin,
        name: &str,
        node: At<'t>,
        pos: Pos,
        args: &'t [Arg],
        last: Option<Slot>,
    ) -> Result<Slot> {
        let (params, variadic) = builtin.signature();
        self.check_count(name, params, variadic, args.len(), last.is_some())?;
        if matches!(builtin, Builtin::And | Builtin::Or) {
            let mut value = Slot::absent();
            for arg in args {
                value = self.operand(dot, arg)?;
                if value.value.truth() == (builtin == Builtin::Or) {
                    return Ok(value);
                }
            }
            return Ok(last.unwrap_or(value));
        }
        let mut slots = Vec::with_capacity(args.len() + usize::from(last.is_some()));
        for (at, arg) in args.iter().enumerate() {
            slots.push(match parameter(params, at) {
                Type::Reflect => self.operand(dot, arg)?,
                ty => Slot::of(self.argument(dot, ty, arg)?, Type::Any),
            });
        }
        if let Some(last) = last {
            slots.push(match parameter(params, args.len()) {
                Type::Reflect => last,
                ty => Slot::of(self.checked(last, ty)?, Type::Any),
            });
        }
        if builtin == Builtin::Call {
            return self.call_value(name, node, pos, args, &slots);
        }
        let limit = self.exec.bytes_left();
        builtin::call(builtin, &slots, limit).map_err(|error| self.call_failed(name, node, error))
    }

    /// `call f args…` over a host of kind function.
    fn call_value(&mut self, name: &str, node: At<'t>, pos: Pos, args: &'t [Arg], slots: &[Slot]) -> Result<Slot> {
        let Some((callee, given)) = slots.split_first() else {
            return self.fail("call of nil");
        };
        // A callee that comes through the pipe has no expression: Go shows the value itself.
        let what = match (args.first(), &callee.value) {
            (Some(arg), _) => self.shown(arg),
            (None, Value::Str(text)) => text.to_str().into_owned(),
            (None, other) => format!("<{} Value>", other.type_name()),
        };
        let failed = match &callee.value {
            Value::Nil => "call of nil".to_owned(),
            Value::Host(host) if host.kind() == Kind::Func => {
                let signature = host.method("");
                let params = signature.map_or(&[][..], |signature| signature.params);
                let variadic = signature.is_some_and(|signature| signature.variadic);
                let fixed = params.len().saturating_sub(usize::from(variadic));
                let got = given.len();
                if variadic && got < fixed {
                    format!("wrong number of args for {what}: got {got} want at least {fixed}")
                } else if !variadic && got != params.len() {
                    format!("wrong number of args for {what}: got {got} want {}", params.len())
                } else {
                    let mut values = Vec::with_capacity(got);
                    for slot in given {
                        values.push(slot.value.clone());
                    }
                    return self.call(name, node, pos, |call| host.call(call, "", &values));
                }
            }
            other => format!("non-function {what} of type {}", other.type_name()),
        };
        Err(self.call_failed(name, node, FuncError::new(failed)))
    }

    // Arguments.

    /// Evaluates an operand where any value will do.
    pub(super) fn operand(&mut self, dot: &Slot, arg: &'t Arg) -> Result<Slot> {
        self.at = At::Arg(arg);
        match &arg.kind {
            ArgKind::Dot => Ok(dot.clone()),
            ArgKind::Nil => Ok(Slot::absent()),
            ArgKind::Bool(value) => Ok(Slot::concrete(Value::Bool(*value))),
            ArgKind::Number(at) => self.constant(*at),
            ArgKind::Text { text, .. } => Ok(Slot::concrete(self.text(*text))),
            ArgKind::Function(function) => self.function(dot, function, At::Arg(arg), arg.pos, &[], None),
            ArgKind::Field(_) | ArgKind::Variable(..) | ArgKind::Chain(..) => self.path(dot, arg, &[], None),
            ArgKind::Pipe(pipe) => self.parenthesised(dot, pipe),
        }
    }

    fn argument(&mut self, dot: &Slot, ty: Type, arg: &'t Arg) -> Result<Value> {
        if !matches!(ty, Type::Any | Type::Reflect) {
            self.at = At::Arg(arg);
            match &arg.kind {
                ArgKind::Nil if ty.can_be_nil() => return Ok(ty.zero()),
                ArgKind::Nil => return self.fail(format!("cannot assign nil to {}", ty.name())),
                ArgKind::Bool(_) | ArgKind::Number(_) | ArgKind::Text { .. } => return self.typed_constant(ty, arg),
                _ => {}
            }
        }
        let slot = self.operand(dot, arg)?;
        self.checked(slot, ty)
    }

    /// A literal where the parameter has a type: it takes that type or is an error.
    fn typed_constant(&self, ty: Type, arg: &Arg) -> Result<Value> {
        let literal = self.literal(arg);
        let int = literal.and_then(|literal| literal.int);
        let value = match (ty, &arg.kind) {
            (Type::Bool, ArgKind::Bool(value)) => Some(Value::Bool(*value)),
            (Type::String, ArgKind::Text { text, .. }) => Some(self.text(*text)),
            (Type::Int, _) => int.map(Value::Int),
            (Type::Int64, _) => int.map(Value::Int64),
            (Type::Duration, _) => int.map(Value::Duration),
            (Type::Float, _) => literal.and_then(|literal| literal.float).map(Value::Float),
            (Type::Number(kind), _) => {
                let bits = match kind.kind() {
                    Kind::Float32 => literal
                        .and_then(|literal| literal.float)
                        .map(|value| u64::from((value as f32).to_bits())),
                    kind if kind.is_uint() => literal.and_then(|literal| literal.uint),
                    _ => int.map(|value| value as u64),
                };
                bits.map(|bits| Value::Number(Number { kind, bits }))
            }
            _ => None,
        };
        if let Some(value) = value {
            return Ok(value);
        }
        let expected = match ty {
            Type::Bool => "bool",
            Type::String => "string",
            Type::Int | Type::Int64 | Type::Duration => "integer",
            Type::Float => "float",
            Type::Number(kind) if kind.kind() == Kind::Float32 => "float",
            Type::Number(kind) if kind.kind().is_uint() => "unsigned integer",
            Type::Number(_) => "integer",
            _ => {
                let shown = self.shown(arg);
                return self.fail(format!("can't handle {shown} for arg of type {}", ty.name()));
            }
        };
        self.fail(format!("expected {expected}; found {}", self.shown(arg)))
    }

    /// Checks a value against a parameter type.
    fn checked(&self, mut slot: Slot, ty: Type) -> Result<Value> {
        match (ty, slot.value) {
            (Type::Any, Value::Host(host)) => return Ok(Value::Host(host.copied().unwrap_or(host))),
            (Type::Any | Type::Reflect, value) => return Ok(value),
            (_, value) => slot.value = value,
        }
        if slot.is_absent() {
            if ty.can_be_nil() {
                return Ok(ty.zero());
            }
            return self.fail(format!("invalid value; expected {}", ty.name()));
        }
        if !slot.is_nil_interface() && slot.value.assignable_to(ty) {
            return Ok(match (slot.value, ty) {
                (Value::Map(map), Type::Map(ty)) => Value::Map(map.with_type(ty)),
                (Value::List(list), Type::List(ty)) => Value::List(list.with_type(ty)),
                (value, _) => value,
            });
        }
        let got = if slot.is_nil_interface() {
            "interface {}"
        } else {
            slot.value.type_name()
        };
        self.fail(format!("wrong type for value; expected {}; got {got}", ty.name()))
    }
}

/// Bytes of arguments that count as a step of their own.
const BYTES_PER_STEP: u64 = 256;

fn text_length(value: &Value) -> usize {
    match value {
        Value::Str(text) => text.len(),
        _ => 0,
    }
}

/// Returns the type of the parameter an argument is for; past the last one it repeats.
fn parameter(params: &[Type], at: usize) -> Type {
    params.get(at).or(params.last()).copied().unwrap_or(Type::Any)
}
