//! Dates. `Local` is UTC; the clock is the Ambient's.

use std::any::Any;

use super::args::Args;
use crate::function::{Call, FuncError, Functions};
use crate::gotime::{Time, Zone, format_duration, parse_duration, round_duration};
use crate::host::{Host, Signature};
use crate::types::{Kind, NumberKind, Type as T};
use crate::value::Value;

const TIME: T = T::Host("time.Time");
const SECOND: i64 = 1_000_000_000;

/// A `time.Time` in a template.
#[derive(Clone, Debug)]
pub struct TimeHost(pub Time);

/// A `time.Month` or `time.Weekday`.
struct Named {
    ty: &'static str,
    number: i64,
    name: String,
}

impl Host for Named {
    fn type_name(&self) -> &str {
        self.ty
    }

    fn kind(&self) -> Kind {
        Kind::Int
    }

    fn text(&self) -> Option<String> {
        Some(self.name.clone())
    }

    fn method(&self, name: &str) -> Option<Signature> {
        (name == "String").then_some(Signature {
            params: &[],
            variadic: false,
        })
    }

    fn call(&self, _: &mut Call<'_>, _: &str, _: &[Value]) -> Result<Value, FuncError> {
        Ok(self.name.as_str().into())
    }

    fn underlying(&self) -> Option<Value> {
        Some(Value::Int(self.number))
    }

    fn equal(&self, other: &dyn Host) -> bool {
        other.underlying().and_then(|v| v.as_int()) == Some(self.number)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Host for TimeHost {
    fn type_name(&self) -> &str {
        "time.Time"
    }

    fn kind(&self) -> Kind {
        Kind::Struct
    }

    fn text(&self) -> Option<String> {
        Some(self.0.to_string())
    }

    fn json_text(&self) -> Option<String> {
        Some(self.0.format("2006-01-02T15:04:05.999999999Z07:00"))
    }

    fn method(&self, name: &str) -> Option<Signature> {
        let params: &'static [T] = match name {
            "Year" | "Month" | "Day" | "Hour" | "Minute" | "Second" | "Nanosecond" | "YearDay" | "Weekday" | "Unix"
            | "UnixMilli" | "UnixMicro" | "UnixNano" | "String" | "UTC" | "Local" | "IsZero" => &[],
            "Format" => &[T::String],
            "Add" | "Truncate" | "Round" => &[T::Duration],
            "AddDate" => &[T::Int, T::Int, T::Int],
            "Sub" | "Before" | "After" | "Equal" | "Compare" => &[TIME],
            _ => return None,
        };
        Some(Signature {
            params,
            variadic: false,
        })
    }

    fn call(&self, _: &mut Call<'_>, name: &str, a: &[Value]) -> Result<Value, FuncError> {
        let time = &self.0;
        let civil = time.civil();
        let other = || as_time(Args(a).value(0)).map_or_else(Time::zero, |t| t.0.clone());
        let order = |t: &Time| (time.seconds, time.nanos).cmp(&(t.seconds, t.nanos));
        let int = |n: u32| Value::Int(i64::from(n));
        let in_zone = |t: Time| Value::host(Self(t));
        // Multiples are counted from the zero time.
        let since_zero =
            || i128::from(time.seconds - Time::zero().seconds) * i128::from(SECOND) + i128::from(time.nanos);
        Ok(match name {
            "Year" => Value::Int(civil.year),
            "Month" => Value::host(Named {
                ty: "time.Month",
                number: civil.month.into(),
                name: time.format("January"),
            }),
            "Weekday" => Value::host(Named {
                ty: "time.Weekday",
                number: civil.weekday.into(),
                name: time.format("Monday"),
            }),
            "Day" => int(civil.day),
            "Hour" => int(civil.hour),
            "Minute" => int(civil.minute),
            "Second" => int(civil.second),
            "Nanosecond" => int(time.nanos),
            "YearDay" => int(civil.year_day),
            "Unix" => Value::Int64(time.seconds),
            "UnixMilli" => Value::Int64(time.seconds.wrapping_mul(1000) + i64::from(time.nanos / 1_000_000)),
            "UnixMicro" => Value::Int64(time.seconds.wrapping_mul(1_000_000) + i64::from(time.nanos / 1000)),
            "UnixNano" => Value::Int64(time.seconds.wrapping_mul(SECOND).wrapping_add(i64::from(time.nanos))),
            "String" => time.to_string().into(),
            "UTC" | "Local" => in_zone(time.in_zone(Zone::Utc)),
            "IsZero" => Value::Bool(time.is_zero()),
            "Format" => time.format(&Args(a).text(0)).into(),
            "Add" => in_zone(time.add(Args(a).int(0))),
            "AddDate" => in_zone(time.add_date(Args(a).int(0), Args(a).int(1), Args(a).int(2))),
            "Truncate" | "Round" => {
                let unit = Args(a).int(0);
                if unit <= 0 {
                    return Ok(in_zone(time.clone()));
                }
                let rest = i64::try_from(since_zero().rem_euclid(i128::from(unit))).unwrap_or_default();
                let up = name == "Round" && rest >= unit - rest;
                in_zone(time.add(if up { unit - rest } else { -rest }))
            }
            "Sub" => Value::Duration(time.since(&other())),
            "Before" => Value::Bool(order(&other()).is_lt()),
            "After" => Value::Bool(order(&other()).is_gt()),
            "Equal" => Value::Bool(order(&other()).is_eq()),
            "Compare" => Value::Int(order(&other()) as i64),
            _ => return Err(FuncError::new(format!("time.Time has no method {name}"))),
        })
    }

    fn equal(&self, other: &dyn Host) -> bool {
        let other = other.as_any().downcast_ref::<Self>();
        other.is_some_and(|o| self.0.seconds == o.0.seconds && self.0.nanos == o.0.nanos)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

pub(super) fn register(f: &mut Functions) {
    f.add("now", &[], TIME, |call, _| Ok(Value::host(TimeHost(now(call)))));
    f.add("date", &[T::String, T::Any], T::String, |call, a| {
        in_zone(call, &Args(a).text(0), Args(a).value(1), "Local")
    });
    f.add("htmlDate", &[T::Any], T::String, |call, a| {
        in_zone(call, "2006-01-02", Args(a).value(0), "Local")
    });
    f.add("htmlDateInZone", &[T::Any, T::String], T::String, |call, a| {
        in_zone(call, "2006-01-02", Args(a).value(0), &Args(a).text(1))
    });
    for name in ["dateInZone", "date_in_zone"] {
        f.add(name, &[T::String, T::Any, T::String], T::String, |call, a| {
            in_zone(call, &Args(a).text(0), Args(a).value(1), &Args(a).text(2))
        });
    }
    for (name, must) in [
        ("dateModify", false),
        ("date_modify", false),
        ("mustDateModify", true),
        ("must_date_modify", true),
    ] {
        f.add(name, &[T::String, TIME], TIME, move |_, a| {
            let time = as_time(Args(a).value(1)).map_or_else(Time::zero, |t| t.0.clone());
            match parse_duration(&Args(a).text(0)) {
                Ok(nanos) => Ok(Value::host(TimeHost(time.add(nanos)))),
                Err(error) if must => Err(error.into()),
                Err(_) => Ok(Value::host(TimeHost(time))),
            }
        });
    }
    f.add("toDate", &[T::String, T::String], TIME, |_, a| {
        Ok(Value::host(TimeHost(
            Time::parse(&Args(a).text(0), &Args(a).text(1)).unwrap_or_else(|_| Time::zero()),
        )))
    });
    f.add("mustToDate", &[T::String, T::String], TIME, |_, a| {
        let time = Time::parse(&Args(a).text(0), &Args(a).text(1));
        time.map(|t| Value::host(TimeHost(t)))
            .map_err(|e| FuncError::new(e.to_string()))
    });
    f.add("unixEpoch", &[TIME], T::String, |_, a| {
        let time = as_time(Args(a).value(0)).map_or_else(Time::zero, |t| t.0.clone());
        Ok(time.seconds.to_string().into())
    });
    f.add("ago", &[T::Any], T::String, |call, a| {
        let now = now(call);
        let then = match Args(a).value(0) {
            Value::Int(n) | Value::Int64(n) => Time::unix(*n, 0),
            other => as_time(other).map_or_else(|| now.clone(), |t| t.0.clone()),
        };
        Ok(format_duration(round_duration(now.since(&then), SECOND)).into())
    });
    f.add("duration", &[T::Any], T::String, |_, a| {
        let seconds = match Args(a).value(0) {
            Value::Int64(n) => *n,
            Value::Str(text) => integer(&text.to_str()),
            _ => 0,
        };
        Ok(format_duration(seconds.wrapping_mul(SECOND)).into())
    });
    f.add("durationRound", &[T::Any], T::String, |call, a| {
        let nanos = match Args(a).value(0) {
            Value::Int64(n) => *n,
            Value::Str(text) => parse_duration(&text.to_str()).unwrap_or_default(),
            other => as_time(other).map_or(0, |t| now(call).since(&t.0)),
        };
        let (n, hour) = (nanos.unsigned_abs(), 3_600_000_000_000);
        let units = [
            (hour * 24 * 365, "y"),
            (hour * 24 * 30, "mo"),
            (hour * 24, "d"),
            (hour, "h"),
            (60_000_000_000, "m"),
            (1_000_000_000, "s"),
        ];
        let found = units.into_iter().find(|(unit, _)| n > *unit);
        Ok(found
            .map_or_else(|| "0s".to_owned(), |(unit, name)| format!("{}{name}", n / unit))
            .into())
    });
}

/// `strconv.ParseInt(text, 10, 64)`, whose answer out of range is the nearest number.
fn integer(text: &str) -> i64 {
    match text.parse::<i64>() {
        Ok(n) => n,
        Err(e) => match e.kind() {
            std::num::IntErrorKind::PosOverflow => i64::MAX,
            std::num::IntErrorKind::NegOverflow => i64::MIN,
            _ => 0,
        },
    }
}

pub(super) fn now(call: &Call<'_>) -> Time {
    let now = call.now();
    let zone = match now.offset_seconds {
        0 => Zone::Utc,
        offset => Zone::Fixed {
            name: String::new(),
            offset,
        },
    };
    Time {
        seconds: now.seconds,
        nanos: now.nanos,
        zone,
    }
}

fn as_time(value: &Value) -> Option<&TimeHost> {
    match value {
        Value::Host(host) => host.as_any().downcast_ref(),
        _ => None,
    }
}

fn in_zone(call: &mut Call<'_>, layout: &str, date: &Value, zone: &str) -> Result<Value, FuncError> {
    let time = match date {
        Value::Int(n) | Value::Int64(n) => Time::unix(*n, 0),
        Value::Number(n) if n.kind == NumberKind::Int32 => Time::unix(n.bits as i64, 0),
        other => as_time(other).map_or_else(|| now(call), |t| t.0.clone()),
    };
    let zone = Zone::load(zone).unwrap_or(Zone::Utc);
    Ok(time.in_zone(zone).format(layout).into())
}
