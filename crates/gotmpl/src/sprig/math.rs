//! Numbers: integers are `int64`, except where sprig says `int`; those with `f` count in decimals.

use super::args::Args;
use super::cast::{to_float64, to_int64};
use super::decimal::{Decimal, Operation};
use super::show::sprint;
use crate::function::{Call, FuncError, Functions};
use crate::types::{LIST_INT, Type as T};
use crate::value::{List, Value};

type Answer = Result<Value, FuncError>;

pub(super) fn register(f: &mut Functions) {
    f.add("atoi", &[T::String], T::Int, |_, a| {
        Ok(Value::Int(atoi(&Args(a).text(0))))
    });
    f.add("int64", &[T::Any], T::Int64, |_, a| {
        Ok(Value::Int64(to_int64(Args(a).value(0))))
    });
    f.add("int", &[T::Any], T::Int, |_, a| {
        Ok(Value::Int(to_int64(Args(a).value(0))))
    });
    f.add("float64", &[T::Any], T::Float, |_, a| {
        Ok(Value::Float(to_float64(Args(a).value(0))))
    });
    f.add("toDecimal", &[T::Any], T::Int64, |_, a| {
        let text = sprint(Args(a).value(0));
        Ok(Value::Int64(
            text.as_str()
                .and_then(|t| i64::from_str_radix(t, 8).ok())
                .unwrap_or_default(),
        ))
    });
    f.add("add1", &[T::Any], T::Int64, |_, a| {
        Ok(Value::Int64(to_int64(Args(a).value(0)).wrapping_add(1)))
    });
    f.add_variadic("add", &[T::Any], T::Int64, |_, a| {
        Ok(Value::Int64(
            a.iter().fold(0, |sum: i64, v| sum.wrapping_add(to_int64(v))),
        ))
    });
    f.add_variadic("mul", &[T::Any, T::Any], T::Int64, |_, a| {
        Ok(Value::Int64(
            a.iter().fold(1, |product: i64, v| product.wrapping_mul(to_int64(v))),
        ))
    });
    f.add("sub", &[T::Any, T::Any], T::Int64, |_, a| {
        Ok(Value::Int64(
            to_int64(Args(a).value(0)).wrapping_sub(to_int64(Args(a).value(1))),
        ))
    });
    let dividing: [(&str, fn(i64, i64) -> i64); 2] = [("div", i64::wrapping_div), ("mod", i64::wrapping_rem)];
    for (name, divide) in dividing {
        f.add(name, &[T::Any, T::Any], T::Int64, move |_, a| {
            let (x, y) = (to_int64(Args(a).value(0)), to_int64(Args(a).value(1)));
            if y == 0 {
                Err("runtime error: integer divide by zero".into())
            } else {
                Ok(Value::Int64(divide(x, y)))
            }
        });
    }
    let choosing: [(&str, fn(i64, i64) -> i64); 3] = [("max", i64::max), ("biggest", i64::max), ("min", i64::min)];
    for (name, choose) in choosing {
        f.add_variadic(name, &[T::Any, T::Any], T::Int64, move |_, a| {
            Ok(Value::Int64(a.iter().map(to_int64).reduce(choose).unwrap_or_default()))
        });
    }
    f.add_variadic("maxf", &[T::Any, T::Any], T::Float, |_, a| extreme(a, f64::max));
    f.add_variadic("minf", &[T::Any, T::Any], T::Float, |_, a| extreme(a, f64::min));
    f.add("ceil", &[T::Any], T::Float, |_, a| {
        Ok(Value::Float(to_float64(Args(a).value(0)).ceil()))
    });
    f.add("floor", &[T::Any], T::Float, |_, a| {
        Ok(Value::Float(to_float64(Args(a).value(0)).floor()))
    });
    f.add_variadic("round", &[T::Any, T::Int, T::Float], T::Float, |_, a| {
        let limit = a.get(2).and_then(Value::as_float).unwrap_or(0.5);
        let power = 10_f64.powf(Args(a).int(1) as f64);
        let digit = power * to_float64(Args(a).value(0));
        let rounded = if digit.fract() >= limit {
            digit.ceil()
        } else {
            digit.floor()
        };
        Ok(Value::Float(rounded / power))
    });
    f.add("add1f", &[T::Any], T::Float, |_, a| {
        decimal(&Args(a).0[..a.len().min(1)], &[Value::Int(1)], Operation::Add)
    });
    f.add_variadic("addf", &[T::Any], T::Float, |_, a| {
        decimal(&[Value::Int(0)], a, Operation::Add)
    });
    for (name, operation) in [
        ("subf", Operation::Subtract),
        ("mulf", Operation::Multiply),
        ("divf", Operation::Divide),
    ] {
        f.add_variadic(name, &[T::Any, T::Any], T::Float, move |_, a| {
            let (first, rest) = a.split_at_checked(1).unwrap_or_default();
            decimal(first, rest, operation)
        });
    }
    f.add("until", &[T::Int], T::List(&LIST_INT), |call, a| {
        let count = Args(a).int(0);
        ints(until_step(call, 0, count, if count < 0 { -1 } else { 1 })?)
    });
    f.add("untilStep", &[T::Int, T::Int, T::Int], T::List(&LIST_INT), |call, a| {
        ints(until_step(call, Args(a).int(0), Args(a).int(1), Args(a).int(2))?)
    });
    f.add_variadic("seq", &[T::Int], T::String, seq);
}

fn atoi(text: &str) -> i64 {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    // Go reports what is out of range and gives the nearest number all the same; what comes behind that it does not look at.
    let nearest = if text.starts_with('-') { i64::MIN } else { i64::MAX };
    let mut magnitude = 0u64;
    for byte in digits.bytes() {
        if !byte.is_ascii_digit() {
            return 0;
        }
        let more = magnitude
            .checked_mul(10)
            .and_then(|m| m.checked_add(u64::from(byte - b'0')));
        let Some(more) = more else { return nearest };
        magnitude = more;
    }
    if text.starts_with('-') {
        0i64.checked_sub_unsigned(magnitude).unwrap_or(nearest)
    } else {
        i64::try_from(magnitude).unwrap_or(nearest)
    }
}

fn extreme(a: &[Value], choose: fn(f64, f64) -> f64) -> Answer {
    let mut numbers = a.iter().map(to_float64);
    let first = numbers.next().unwrap_or_default();
    // Go's math.Max is NaN when either is.
    let combine = |x: f64, y: f64| {
        if x.is_nan() || y.is_nan() {
            f64::NAN
        } else {
            choose(x, y)
        }
    };
    Ok(Value::Float(numbers.fold(first, combine)))
}

fn decimal(first: &[Value], rest: &[Value], operation: Operation) -> Answer {
    let mut sum = Decimal::from_f64(first.first().map(to_float64).unwrap_or_default())?;
    for value in rest {
        sum = sum.apply(operation, &Decimal::from_f64(to_float64(value))?)?;
    }
    Ok(Value::Float(sum.to_f64()))
}

fn ints(numbers: Vec<i64>) -> Answer {
    Ok(Value::List(List::of(
        &LIST_INT,
        numbers.into_iter().map(Value::Int).collect(),
    )))
}

/// From `start` in steps until `stop` is reached or passed. As in Go, a step beyond the largest integer goes on from the smallest.
fn until_step(call: &mut Call<'_>, start: i64, stop: i64, step: i64) -> Result<Vec<i64>, FuncError> {
    let mut numbers = Vec::new();
    let up = stop >= start;
    if step == 0 || up != (step > 0) {
        return Ok(numbers);
    }
    let mut next = start;
    while next != stop && (next < stop) == up {
        let distance = next.abs_diff(stop);
        let count = distance.div_ceil(step.unsigned_abs());
        call.charge_steps(count)?;
        call.charge_bytes(count.saturating_mul(8))?;
        numbers.extend((0..count).map(|i| next.wrapping_add(step.wrapping_mul(i as i64))));
        let beyond = i128::from(next) + i128::from(step) * i128::from(count);
        match i64::try_from(beyond) {
            Ok(_) => break,
            Err(_) => next = beyond as i64,
        }
    }
    Ok(numbers)
}

fn seq(call: &mut Call<'_>, a: &[Value]) -> Answer {
    let at = |i: usize| Args(a).int(i);
    let (start, end, step) = match a.len() {
        1 => (1, at(0), if at(0) < 1 { -1 } else { 1 }),
        2 => (at(0), at(1), if at(1) < at(0) { -1 } else { 1 }),
        3 if at(2) < at(0) && at(1) > 0 => return Ok("".into()),
        3 => (at(0), at(2), at(1)),
        _ => return Ok("".into()),
    };
    // The end belongs to the sequence.
    let beyond = end.wrapping_add(if end < start { -1 } else { 1 });
    let numbers = until_step(call, start, beyond, step)?;
    Ok(numbers.iter().map(i64::to_string).collect::<Vec<_>>().join(" ").into())
}
