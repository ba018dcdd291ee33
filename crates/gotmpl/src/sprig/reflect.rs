//! Types, kinds and deep equality.

use super::args::Args;
use crate::function::Functions;
use crate::types::Type as T;
use crate::value::Value;

pub(super) fn register(f: &mut Functions) {
    f.add("typeOf", &[T::Any], T::String, |_, a| {
        Ok(Args(a).value(0).type_name().into())
    });
    f.add("typeIs", &[T::String, T::Any], T::Bool, |_, a| {
        Ok(Value::Bool(Args(a).bytes(0) == Args(a).value(1).type_name().as_bytes()))
    });
    f.add("typeIsLike", &[T::String, T::Any], T::Bool, |_, a| {
        let (target, name) = (Args(a).bytes(0), Args(a).value(1).type_name().as_bytes());
        Ok(Value::Bool(target == name || name.strip_prefix(b"*") == Some(target)))
    });
    f.add("kindOf", &[T::Any], T::String, |_, a| {
        Ok(Args(a).value(0).kind().name().into())
    });
    f.add("kindIs", &[T::String, T::Any], T::Bool, |_, a| {
        Ok(Value::Bool(
            Args(a).bytes(0) == Args(a).value(1).kind().name().as_bytes(),
        ))
    });
    f.add("deepEqual", &[T::Any, T::Any], T::Bool, |_, a| {
        Ok(Value::Bool(deep_equal(Args(a).value(0), Args(a).value(1))))
    });
}

/// `reflect.DeepEqual`: the same types and the same contents. Walks with a stack of its own, so depth is no matter;
/// two maps met as a pair once are not walked again, which ends cycles.
pub(super) fn deep_equal(a: &Value, b: &Value) -> bool {
    let mut pending = vec![(a.clone(), b.clone())];
    let mut seen = std::collections::HashSet::new();
    while let Some((a, b)) = pending.pop() {
        let equal = match (&a, &b) {
            (Value::Nil, Value::Nil) => true,
            (Value::Bool(x), Value::Bool(y)) => x == y,
            (Value::Int(x), Value::Int(y))
            | (Value::Int64(x), Value::Int64(y))
            | (Value::Duration(x), Value::Duration(y)) => x == y,
            (Value::Float(x), Value::Float(y)) => x == y,
            (Value::Number(x), Value::Number(y)) => {
                x.kind == y.kind && x.as_f32().zip(y.as_f32()).map_or(x.bits == y.bits, |(x, y)| x == y)
            }
            (Value::Str(x), Value::Str(y)) => x == y,
            (Value::Bytes(x), Value::Bytes(y)) => x == y,
            (Value::List(x), Value::List(y)) => {
                let same = x.ty().name == y.ty().name && x.len() == y.len() && x.is_nil() == y.is_nil();
                if same {
                    pending.extend(x.iter().cloned().zip(y.iter().cloned()));
                }
                same
            }
            (Value::Map(x), Value::Map(y)) => {
                if x.ty().name != y.ty().name || x.len() != y.len() || x.is_nil() != y.is_nil() {
                    return false;
                }
                if !x.is_same(y) && seen.insert((x.address(), y.address())) {
                    for ((left, value), (right, other)) in x.entries().into_iter().zip(y.entries()) {
                        if left != right {
                            return false;
                        }
                        pending.push((value, other));
                    }
                }
                true
            }
            (Value::Host(x), Value::Host(y)) => {
                std::rc::Rc::ptr_eq(x, y) || x.type_name() == y.type_name() && x.equal(y.as_ref())
            }
            _ => false,
        };
        if !equal {
            return false;
        }
    }
    true
}
