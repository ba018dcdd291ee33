//! Lists. None of these changes the list it is given.

use super::NIL_DEREFERENCE;
use super::args::{Args, items};
use super::cast::to_int64;
use super::defaults::is_empty;
use super::reflect::deep_equal;
use super::strings::strslice;
use crate::function::{Call, FuncError, Functions};
use crate::types::{LIST_ANY, LIST_STRING, ListType, Type as T};
use crate::value::{List, Value};

/// `[][]interface {}`, which `chunk` returns.
static LIST_OF_LISTS: ListType = ListType {
    name: "[][]interface {}",
    named: false,
    elem: T::List(&LIST_ANY),
    methods: &[],
};

type Items<'a> = &'a [Value];

pub(super) fn register(f: &mut Functions) {
    for name in ["list", "tuple"] {
        f.add_variadic(name, &[T::Any], T::List(&LIST_ANY), |_, a| Ok(Value::list(a.to_vec())));
    }
    for name in ["append", "push", "mustAppend", "mustPush"] {
        f.add(name, &[T::Any, T::Any], T::List(&LIST_ANY), |call, a| {
            let items = listed(call, a, 0, "Cannot push on type")?;
            Ok(Value::list(items.iter().chain([Args(a).value(1)]).cloned().collect()))
        });
    }
    for name in ["prepend", "mustPrepend"] {
        f.add(name, &[T::Any, T::Any], T::List(&LIST_ANY), |call, a| {
            let items = listed(call, a, 0, "Cannot prepend on type")?;
            Ok(Value::list(
                [Args(a).value(1)].into_iter().chain(items.iter()).cloned().collect(),
            ))
        });
    }
    let one: [(&str, &str, fn(Items<'_>) -> Option<&Value>); 2] = [
        ("first", "Cannot find first on type", |l| l.first()),
        ("last", "Cannot find last on type", |l| l.last()),
    ];
    for (name, error, pick) in one {
        for name in [name.to_owned(), must(name)] {
            f.add(&name, &[T::Any], T::Any, move |call, a| {
                Ok(pick(&listed(call, a, 0, error)?).cloned().unwrap_or_default())
            });
        }
    }
    let many: [(&str, &str, fn(Items<'_>) -> Vec<Value>); 5] = [
        ("rest", "Cannot find rest on type", |l| {
            l.get(1..).unwrap_or_default().to_vec()
        }),
        ("initial", "Cannot find initial on type", |l| {
            l.split_last().map(|(_, l)| l.to_vec()).unwrap_or_default()
        }),
        ("reverse", "Cannot find reverse on type", |l| {
            l.iter().rev().cloned().collect()
        }),
        ("compact", "Cannot compact on type", |l| {
            l.iter().filter(|v| !is_empty(v)).cloned().collect()
        }),
        ("uniq", "Cannot find uniq on type", |_| Vec::new()),
    ];
    for (name, error, convert) in many {
        for name in [name.to_owned(), must(name)] {
            let uniq = name.to_ascii_lowercase().ends_with("uniq");
            let nil_of_none = matches!(&*name, "rest" | "mustRest" | "initial" | "mustInitial");
            f.add(&name, &[T::Any], T::List(&LIST_ANY), move |call, a| {
                let items = listed(call, a, 0, error)?;
                if uniq {
                    unique(call, &items)
                } else if items.is_empty() && nil_of_none {
                    Ok(Value::List(List::nil(&LIST_ANY)))
                } else {
                    Ok(Value::list(convert(&items)))
                }
            });
        }
    }
    for name in ["without", "mustWithout"] {
        f.add_variadic(name, &[T::Any, T::Any], T::List(&LIST_ANY), |call, a| {
            let items = listed(call, a, 0, "Cannot find without on type")?;
            let omit = Args(a).rest(1);
            call.charge_steps((items.len() as u64).saturating_mul(omit.len() as u64))?;
            let kept = items.iter().filter(|v| !omit.iter().any(|o| deep_equal(o, v))).cloned();
            Ok(Value::list(kept.collect()))
        });
    }
    for name in ["has", "mustHas"] {
        f.add(name, &[T::Any, T::Any], T::Bool, |call, a| {
            if matches!(Args(a).value(1), Value::Nil) {
                return Ok(Value::Bool(false));
            }
            let items = listed(call, a, 1, "Cannot find has on type")?;
            Ok(Value::Bool(items.iter().any(|v| deep_equal(Args(a).value(0), v))))
        });
    }
    for name in ["slice", "mustSlice"] {
        f.add_variadic(name, &[T::Any, T::Any], T::Any, slice);
    }
    for name in ["chunk", "mustChunk"] {
        f.add(name, &[T::Int, T::Any], T::List(&LIST_OF_LISTS), |call, a| {
            let items = listed(call, a, 1, "Cannot chunk type")?;
            let size = Args(a).int(0);
            let size = match usize::try_from(size) {
                Ok(size) if size > 0 => size,
                _ if is_taken_for_a_size(size, items.len()) => items.len(),
                _ => return Err("runtime error: makeslice: len out of range".into()),
            };
            let chunks = if items.len() == 1 || Args(a).int(0) > 0 {
                items.chunks(size).map(|c| Value::list(c.to_vec())).collect()
            } else {
                Vec::new()
            };
            Ok(Value::List(List::of(&LIST_OF_LISTS, chunks)))
        });
    }
    f.add_variadic("concat", &[T::Any], T::Any, |call, a| {
        let mut out = Vec::new();
        for at in 0..a.len() {
            let kind = Args(a).value(at).kind().name();
            let found = listed(call, a, at, "").map_err(|e| {
                if e.message == NIL_DEREFERENCE {
                    e
                } else {
                    format!("Cannot concat type {kind} as list").into()
                }
            })?;
            out.extend_from_slice(&found);
        }
        if out.is_empty() {
            return Ok(Value::List(List::nil(&LIST_ANY)));
        }
        Ok(Value::list(out))
    });
    f.add("sortAlpha", &[T::Any], T::List(&LIST_STRING), |_, a| {
        if matches!(Args(a).value(0), Value::Nil) {
            // What is no list is sorted as the text it prints as, nothing too.
            return Ok(Value::strings(["<nil>"]));
        }
        if let Value::List(list) = Args(a).value(0)
            && std::ptr::eq(list.ty(), &LIST_STRING)
        {
            // Sorted where it is; the items of any other list are copied.
            list.sort();
            return Ok(Value::List(list.clone()));
        }
        let mut strings = strslice(Args(a).value(0));
        strings.sort();
        Ok(Value::strings(strings))
    });
}

/// Sprig divides before it looks at the sign: of some negative sizes no chunks come out, or a single one of a single item.
fn is_taken_for_a_size(size: i64, items: usize) -> bool {
    match items {
        0 => false,
        1 => size < -1,
        // Rounded down, the last item's place is in the chunk before the first.
        more => size < 0 && (more as i64 - 1) <= size.saturating_neg(),
    }
}

fn must(name: &str) -> String {
    let (first, rest) = name.split_at_checked(1).unwrap_or((name, ""));
    format!("must{}{rest}", first.to_ascii_uppercase())
}

/// The elements of an argument, or the function's error with the kind of what is not a list. Counted as work.
fn listed<'a>(
    call: &mut Call<'_>,
    a: &'a [Value],
    at: usize,
    error: &str,
) -> Result<std::borrow::Cow<'a, [Value]>, FuncError> {
    let value = Args(a).value(at);
    if matches!(value, Value::Nil) {
        return Err(NIL_DEREFERENCE.into());
    }
    let items = items(value).ok_or_else(|| format!("{error} {}", value.kind().name()))?;
    call.charge_steps(items.len() as u64 / 8)?;
    Ok(items)
}

fn unique(call: &mut Call<'_>, items: &[Value]) -> Result<Value, FuncError> {
    let mut out: Vec<Value> = Vec::new();
    for item in items {
        call.charge_steps(out.len() as u64 / 8)?;
        if !out.iter().any(|o| deep_equal(item, o)) {
            out.push(item.clone());
        }
    }
    Ok(Value::list(out))
}

fn slice(call: &mut Call<'_>, a: &[Value]) -> Result<Value, FuncError> {
    let items = listed(call, a, 0, "list should be type of slice or array but")?;
    if items.is_empty() {
        return Ok(Value::Nil);
    }
    let start = a.get(1).map_or(0, to_int64);
    let end = a.get(2).map_or(items.len() as i64, to_int64);
    let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    let part = range
        .and_then(|(s, e)| items.get(s..e))
        .ok_or("reflect.Value.Slice: slice index out of bounds")?;
    Ok(match Args(a).value(0) {
        Value::List(list) => Value::List(List::of(list.ty(), part.to_vec())),
        Value::Bytes(bytes) => range
            .and_then(|(s, e)| bytes.get(s..e))
            .map(Value::bytes)
            .unwrap_or_default(),
        _ => Value::list(part.to_vec()),
    })
}
