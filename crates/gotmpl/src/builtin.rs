//! The functions of the language itself.

use crate::fmt::{self, FormatError};
use crate::function::FuncError;
use crate::slot::{Form, Slot};
use crate::text::Str;
use crate::types::{Kind, Type};
use crate::unicode::{decode, is_print};
use crate::value::{List, Value};

macro_rules! builtins {
    ($($variant:ident $name:literal $params:expr, $variadic:literal;)*) => {
        /// A function every template has.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Builtin { $(#[doc = concat!("`", $name, "`.")] $variant,)* }

        impl Builtin {
            /// Returns the builtin of that name.
            pub fn named(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }

            /// Returns the parameter types and whether the last one repeats.
            pub fn signature(self) -> (&'static [Type], bool) {
                match self { $(Self::$variant => (&$params, $variadic),)* }
            }
        }
    };
}

builtins! {
    And "and" [Type::Reflect, Type::Reflect], true;
    Call "call" [Type::Reflect, Type::Reflect], true;
    Html "html" [Type::Any], true;
    Index "index" [Type::Reflect, Type::Reflect], true;
    Slice "slice" [Type::Reflect, Type::Reflect], true;
    Js "js" [Type::Any], true;
    Len "len" [Type::Reflect], false;
    Not "not" [Type::Reflect], false;
    Or "or" [Type::Reflect, Type::Reflect], true;
    Print "print" [Type::Any], true;
    Printf "printf" [Type::String, Type::Any], true;
    Println "println" [Type::Any], true;
    UrlQuery "urlquery" [Type::Any], true;
    Eq "eq" [Type::Reflect, Type::Reflect], true;
    Ge "ge" [Type::Reflect, Type::Reflect], false;
    Gt "gt" [Type::Reflect, Type::Reflect], false;
    Le "le" [Type::Reflect, Type::Reflect], false;
    Lt "lt" [Type::Reflect, Type::Reflect], false;
    Ne "ne" [Type::Reflect, Type::Reflect], false;
}

type Result<T> = std::result::Result<T, FuncError>;

impl From<FormatError> for FuncError {
    fn from(error: FormatError) -> Self {
        match error {
            FormatError::TooLong => crate::Exceeded::OutputBytes.into(),
            FormatError::TooDeep => Self::new(error.to_string()),
        }
    }
}

/// Calls a builtin with its arguments; `and`, `or` and `call` are the executor's. `limit` bounds the bytes
/// of a text it makes.
pub fn call(builtin: Builtin, args: &[Slot], limit: usize) -> Result<Slot> {
    let nothing = Slot::absent();
    let first = args.first().unwrap_or(&nothing);
    let second = args.get(1).unwrap_or(&nothing);
    let truth = |value: bool| Ok(Slot::concrete(Value::Bool(value)));
    match builtin {
        Builtin::And | Builtin::Or | Builtin::Call => Err(FuncError::new("not callable here")),
        Builtin::Not => truth(!first.value.truth()),
        Builtin::Len => length(first).map(|len| Slot::concrete(Value::Int(len as i64))),
        Builtin::Index => index(first, args.get(1..).unwrap_or_default()),
        Builtin::Slice => slice(first, args.get(1..).unwrap_or_default()),
        Builtin::Eq => truth(equals(first, args.get(1..).unwrap_or_default())?),
        Builtin::Ne => truth(!equals(first, std::slice::from_ref(second))?),
        Builtin::Lt => truth(less(first, second)?),
        Builtin::Le => truth(less(first, second)? || equals(first, std::slice::from_ref(second))?),
        Builtin::Gt => truth(!(less(first, second)? || equals(first, std::slice::from_ref(second))?)),
        Builtin::Ge => truth(!less(first, second)?),
        Builtin::Print | Builtin::Println | Builtin::Html | Builtin::Js | Builtin::UrlQuery => {
            let mut values: Vec<Value> = args.iter().map(|slot| slot.value.clone()).collect();
            let mut out = Vec::new();
            if !matches!(builtin, Builtin::Print | Builtin::Println) {
                // The escapers see arguments as an action would print them.
                let nils = values.iter_mut().filter(|value| matches!(value, Value::Nil));
                nils.for_each(|value| *value = Value::str("<no value>"));
            }
            if builtin == Builtin::Println {
                fmt::println(&mut out, &values, limit)?;
            } else {
                fmt::print(&mut out, &values, limit)?;
            }
            let out = match builtin {
                Builtin::Html => html(&out),
                Builtin::Js => js(&out),
                Builtin::UrlQuery => url_query(&out),
                _ => out,
            };
            Ok(Slot::concrete(Value::Str(Str::from_vec(out))))
        }
        Builtin::Printf => {
            let values: Vec<Value> = args.iter().skip(1).map(|slot| slot.value.clone()).collect();
            let mut out = Vec::new();
            let format = first.value.as_text().cloned().unwrap_or_default();
            fmt::printf(&mut out, format.as_bytes(), &values, limit)?;
            Ok(Slot::concrete(Value::Str(Str::from_vec(out))))
        }
    }
}

/// Opens a host over a list, a map or a number.
fn under(value: &Value) -> Value {
    match value {
        Value::Host(host) => host.underlying().unwrap_or_else(|| value.clone()),
        value => value.clone(),
    }
}

const ZERO_VALUE: &str = "reflect: call of reflect.Value.Type on zero Value";

fn length(slot: &Slot) -> Result<usize> {
    if slot.is_nil_interface() {
        return Err("len of nil pointer".into());
    }
    match under(&slot.value) {
        Value::Nil => Err(ZERO_VALUE.into()),
        Value::Str(text) => Ok(text.len()),
        Value::Bytes(bytes) => Ok(bytes.len()),
        Value::List(list) => Ok(list.len()),
        Value::Map(map) => Ok(map.len()),
        Value::Host(host) if host.is_nil() => Err("len of nil pointer".into()),
        value => Err(format!("len of type {}", value.type_name().trim_start_matches('*')).into()),
    }
}

fn index_number(index: &Value, cap: usize) -> Result<usize> {
    let number = match (index.as_int(), index.as_uint()) {
        (Some(number), _) => number,
        (None, Some(number)) => number as i64,
        (None, None) if matches!(index, Value::Nil) => return Err("cannot index slice/array with nil".into()),
        (None, None) => {
            return Err(format!("cannot index slice/array with type {}", index.type_name()).into());
        }
    };
    match usize::try_from(number) {
        Ok(number) if number <= cap => Ok(number),
        _ => Err(format!("index out of range: {number}").into()),
    }
}

fn index(item: &Slot, indexes: &[Slot]) -> Result<Slot> {
    if matches!(item.value, Value::Nil) {
        return Err("index of untyped nil".into());
    }
    let mut item = Slot::concrete(item.value.clone());
    for index in indexes {
        if matches!(item.value, Value::Nil) {
            return Err("index of nil pointer".into());
        }
        let past = |kind: &str| FuncError::new(format!("reflect: {kind} index out of range"));
        item = match under(&item.value) {
            Value::Str(text) => {
                let at = index_number(&index.value, text.len())?;
                let byte = text.as_bytes().get(at).ok_or_else(|| past("string"))?;
                Slot::concrete(Value::byte(*byte))
            }
            Value::Bytes(bytes) => {
                let at = index_number(&index.value, bytes.len())?;
                Slot::concrete(Value::byte(*bytes.get(at).ok_or_else(|| past("slice"))?))
            }
            Value::List(list) => {
                let at = index_number(&index.value, list.len())?;
                let element = list.get(at).ok_or_else(|| past("slice"))?;
                Slot::of(element.clone(), list.ty().elem)
            }
            Value::Map(map) => {
                let key = match &index.value {
                    Value::Str(key) => key,
                    Value::Nil => return Err("value is nil; should be of type string".into()),
                    other => {
                        let name = other.type_name();
                        return Err(format!("value has type {name}; should be string").into());
                    }
                };
                let elem = map.ty().elem;
                Slot::of(map.get(key).unwrap_or_else(|| elem.zero()), elem)
            }
            other => {
                let name = other.type_name().trim_start_matches('*');
                return Err(format!("can't index item of type {name}").into());
            }
        };
    }
    Ok(item)
}

fn slice(item: &Slot, indexes: &[Slot]) -> Result<Slot> {
    let value = under(&item.value);
    if matches!(value, Value::Nil) {
        return Err("slice of untyped nil".into());
    }
    if indexes.len() > 3 {
        return Err(format!("too many slice indexes: {}", indexes.len()).into());
    }
    let len = match &value {
        Value::Str(_) if indexes.len() == 3 => return Err("cannot 3-index slice a string".into()),
        Value::Str(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(list) => list.len(),
        other => return Err(format!("can't slice item of type {}", other.type_name()).into()),
    };
    let mut bounds = [0, len, len];
    for (bound, index) in bounds.iter_mut().zip(indexes) {
        // Unlike `index`, Go's `slice` does not look into an interface.
        if index.form == Form::Interface {
            return Err("cannot index slice/array with type interface {}".into());
        }
        *bound = index_number(&index.value, len)?;
    }
    let [low, high, max] = bounds;
    if low > high {
        return Err(format!("invalid slice index: {low} > {high}").into());
    }
    if indexes.len() == 3 && high > max {
        return Err(format!("invalid slice index: {high} > {max}").into());
    }
    Ok(Slot::concrete(match &value {
        Value::Str(text) => Value::Str(Str::from_bytes(text.as_bytes().get(low..high).unwrap_or_default())),
        Value::Bytes(bytes) => Value::bytes(bytes.get(low..high).unwrap_or_default()),
        Value::List(list) => {
            let items = list.as_slice().get(low..high).unwrap_or_default().to_vec();
            Value::List(List::of(list.ty(), items))
        }
        _ => Value::Nil,
    }))
}

/// Go's groups of kinds for comparison.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Basic {
    Other,
    Bool,
    Int,
    Uint,
    Float,
    String,
}

fn basic(value: &Value) -> Basic {
    match value.kind() {
        Kind::Bool => Basic::Bool,
        Kind::Float32 | Kind::Float64 => Basic::Float,
        Kind::String => Basic::String,
        kind if kind.is_int() => Basic::Int,
        kind if kind.is_uint() => Basic::Uint,
        _ => Basic::Other,
    }
}

fn equals(first: &Slot, others: &[Slot]) -> Result<bool> {
    if others.is_empty() {
        return Err("missing argument for comparison".into());
    }
    for other in others {
        if equal(&first.value, &other.value)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Reports whether both are equal, as `eq` of two arguments does.
fn equal(a: &Value, b: &Value) -> Result<bool> {
    let (kind_a, kind_b) = (basic(a), basic(b));
    if kind_a != kind_b {
        return match (kind_a, kind_b) {
            (Basic::Int, Basic::Uint) => Ok(same_number(a, b)),
            (Basic::Uint, Basic::Int) => Ok(same_number(b, a)),
            _ if matches!(a, Value::Nil) || matches!(b, Value::Nil) => Ok(false),
            _ => Err(incompatible(a, b)),
        };
    }
    let (left, right) = (under(a), under(b));
    Ok(match kind_a {
        Basic::Bool => left.truth() == right.truth(),
        Basic::Int => left.as_int() == right.as_int(),
        Basic::Uint => left.as_uint() == right.as_uint(),
        Basic::Float => left.as_float() == right.as_float(),
        Basic::String => left.as_text() == right.as_text(),
        Basic::Other => return equal_others(a, b),
    })
}

fn same_number(int: &Value, uint: &Value) -> bool {
    int.as_int().and_then(|value| u64::try_from(value).ok()) == uint.as_uint()
}

fn incompatible(a: &Value, b: &Value) -> FuncError {
    let (a, b) = (a.type_name(), b.type_name());
    format!("incompatible types for comparison: {a} and {b}").into()
}

fn equal_others(a: &Value, b: &Value) -> Result<bool> {
    let nil = (is_nil(a), is_nil(b));
    if a.kind() != b.kind() && !matches!(a, Value::Nil) && !matches!(b, Value::Nil) {
        let args = [
            a.clone(),
            Value::str(a.type_name()),
            Value::str(b.type_name()),
            b.clone(),
        ];
        let text = fmt::sprintf("non-comparable types %s: %v, %s: %v", &args)?;
        return Err(text.to_str().into_owned().into());
    }
    if nil.0 || nil.1 {
        return Ok(nil.0 == nil.1);
    }
    match (a, b) {
        (Value::Host(a), Value::Host(b)) if a.underlying().is_none() => {
            let same = std::rc::Rc::ptr_eq(a, b);
            Ok(same || (a.type_name() == b.type_name() && a.equal(b.as_ref())))
        }
        _ => {
            let text = fmt::sprintf("non-comparable type %s: %v", &[b.clone(), Value::str(b.type_name())])?;
            Err(text.to_str().into_owned().into())
        }
    }
}

/// Nil as Go's `reflect.Value.IsNil` has it: slices and maps can be too.
fn is_nil(value: &Value) -> bool {
    match value {
        Value::List(list) => list.is_nil(),
        Value::Map(map) => map.is_nil(),
        other => other.is_nil(),
    }
}

fn less(a: &Slot, b: &Slot) -> Result<bool> {
    const BAD: &str = "invalid type for comparison";
    let (a, b) = (&a.value, &b.value);
    let (kind_a, kind_b) = (basic(a), basic(b));
    if kind_a == Basic::Other || kind_b == Basic::Other {
        return Err(BAD.into());
    }
    let (left, right) = (under(a), under(b));
    match (kind_a, kind_b) {
        (Basic::Int, Basic::Uint) => {
            let value = left.as_int().unwrap_or(0);
            Ok(value < 0 || Some(value as u64) < right.as_uint())
        }
        (Basic::Uint, Basic::Int) => {
            let value = right.as_int().unwrap_or(0);
            Ok(value >= 0 && left.as_uint() < Some(value as u64))
        }
        (a_kind, b_kind) if a_kind != b_kind => Err(incompatible(a, b)),
        (Basic::Int, _) => Ok(left.as_int() < right.as_int()),
        (Basic::Uint, _) => Ok(left.as_uint() < right.as_uint()),
        (Basic::Float, _) => Ok(left.as_float() < right.as_float()),
        (Basic::String, _) => Ok(left.as_text() < right.as_text()),
        _ => Err(BAD.into()),
    }
}

fn html(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        let escaped: &[u8] = match byte {
            0 => "\u{fffd}".as_bytes(),
            b'"' => b"&#34;",
            b'\'' => b"&#39;",
            b'&' => b"&amp;",
            b'<' => b"&lt;",
            b'>' => b"&gt;",
            byte => std::slice::from_ref(byte),
        };
        out.extend_from_slice(escaped);
    }
    out
}

fn js(mut text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    while let Some((c, size, _)) = decode(text) {
        let (head, rest) = text.split_at(size);
        text = rest;
        match c {
            '\\' | '\'' | '"' => {
                out.push(b'\\');
                out.extend_from_slice(head);
            }
            '<' | '>' | '&' | '=' | '\0'..='\x1f' => {
                out.extend_from_slice(format!("\\u{:04X}", u32::from(c)).as_bytes());
            }
            c if c.is_ascii() || is_print(c) => out.extend_from_slice(head),
            c => out.extend_from_slice(format!("\\u{:04X}", u32::from(c)).as_bytes()),
        }
    }
    out
}

fn url_query(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(*byte),
            b' ' => out.push(b'+'),
            byte => out.extend_from_slice(format!("%{byte:02X}").as_bytes()),
        }
    }
    out
}
