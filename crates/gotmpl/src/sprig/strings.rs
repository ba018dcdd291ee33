//! Strings: trimming, case, cutting, joining. Go's strings are bytes, and so is every index here.

use super::args::{Args, items};
use super::show::{quote, sprint, strval};
use crate::function::{Call, FuncError, Functions};
use crate::text::Str;
use crate::types::{LIST_STRING, MAP_STRING, Type as T};
use crate::unicode::decode;
use crate::value::{Map, Value};
use crate::words;

type Answer = Result<Value, FuncError>;

pub(super) fn register(f: &mut Functions) {
    f.add("hello", &[], T::String, |_, _| Ok("Hello!".into()));
    f.add("trim", &[T::String], T::String, |_, a| {
        Ok(Args(a).unmarked(Args(a).marked(0).trim_matches(char::is_whitespace).into()))
    });
    let by_text: [(&str, fn(&str) -> String); 7] = [
        ("upper", words::to_upper),
        ("lower", words::to_lower),
        ("title", words::title),
        ("untitle", words::uncapitalize),
        ("swapcase", words::swap_case),
        ("camelcase", words::pascal_case),
        ("initials", |s| words::initials(s.as_bytes())),
    ];
    for (name, convert) in by_text {
        f.add(name, &[T::String], T::String, move |_, a| {
            Ok(convert(&Args(a).text(0)).into())
        });
    }
    for (name, connector) in [("snakecase", '_'), ("kebabcase", '-')] {
        f.add(name, &[T::String], T::String, move |_, a| {
            let text = words::connected_case(&Args(a).marked(0), connector);
            Ok(Args(a).unmarked(text.into()))
        });
    }
    f.add("nospace", &[T::String], T::String, |_, a| {
        from_vec(words::delete_white_space(Args(a).bytes(0)))
    });
    f.add("abbrev", &[T::Int, T::String], T::String, |_, a| {
        let (width, text) = (Args(a).int(0), Args(a).bytes(1));
        if width < 4 {
            Ok(Args(a).str(1).into())
        } else {
            from_vec(words::abbreviate(text, 0, width))
        }
    });
    f.add("abbrevboth", &[T::Int, T::Int, T::String], T::String, |_, a| {
        let (left, right) = (Args(a).int(0), Args(a).int(1));
        if right < 4 || left > 0 && right < 7 {
            return Ok(Args(a).str(2).into());
        }
        from_vec(words::abbreviate(Args(a).bytes(2), left, right))
    });
    f.add("trunc", &[T::Int, T::String], T::String, |_, a| {
        trunc(Args(a).int(0), &Args(a).str(1))
    });
    f.add("substr", &[T::Int, T::Int, T::String], T::String, |_, a| {
        substr(Args(a).int(0), Args(a).int(1), Args(a).bytes(2))
    });
    f.add("repeat", &[T::Int, T::String], T::String, repeat);
    for name in ["trimall", "trimAll"] {
        f.add(name, &[T::String, T::String], T::String, |_, a| {
            Ok(Value::Str(Str::from_bytes(trim_set(
                Args(a).bytes(1),
                Args(a).bytes(0),
            ))))
        });
    }
    let by_bytes: [(&str, fn(&[u8], &[u8]) -> Value); 5] = [
        ("trimSuffix", |x, s| {
            Value::Str(Str::from_bytes(s.strip_suffix(x).unwrap_or(s)))
        }),
        ("trimPrefix", |x, s| {
            Value::Str(Str::from_bytes(s.strip_prefix(x).unwrap_or(s)))
        }),
        ("contains", |x, s| Value::Bool(find(s, x).is_some())),
        ("hasPrefix", |x, s| Value::Bool(s.starts_with(x))),
        ("hasSuffix", |x, s| Value::Bool(s.ends_with(x))),
    ];
    for (name, call) in by_bytes {
        let result = if name.starts_with("trim") { T::String } else { T::Bool };
        f.add(name, &[T::String, T::String], result, move |_, a| {
            Ok(call(Args(a).bytes(0), Args(a).bytes(1)))
        });
    }
    f.add("wrap", &[T::Int, T::String], T::String, |_, a| {
        from_vec(words::wrap(Args(a).bytes(1), Args(a).int(0), b"", false))
    });
    f.add("wrapWith", &[T::Int, T::String, T::String], T::String, |call, a| {
        let (width, separator, text) = (Args(a).int(0), Args(a).bytes(1), Args(a).bytes(2));
        let lines = text.len() as u64 / u64::try_from(width.max(1)).unwrap_or(1) + 1;
        call.charge_bytes((text.len() as u64).saturating_add(lines.saturating_mul(separator.len() as u64)))?;
        from_vec(words::wrap(text, width, separator, true))
    });
    f.add_variadic("quote", &[T::Any], T::String, |_, a| {
        Ok(spaced(a, |v| quote(strval(v).as_bytes()).into_bytes()))
    });
    f.add_variadic("squote", &[T::Any], T::String, |_, a| {
        Ok(spaced(a, |v| [b"'".as_slice(), sprint(v).as_bytes(), b"'"].concat()))
    });
    f.add_variadic("cat", &[T::Any], T::String, |_, a| {
        // The format string is trimmed, not its result.
        Ok(spaced(a, |v| sprint(v).as_bytes().to_vec()))
    });
    f.add("indent", &[T::Int, T::String], T::String, |call, a| {
        indent(call, "", Args(a))
    });
    f.add("nindent", &[T::Int, T::String], T::String, |call, a| {
        indent(call, "\n", Args(a))
    });
    f.add("replace", &[T::String, T::String, T::String], T::String, replace);
    f.add("plural", &[T::String, T::String, T::Int], T::String, |_, a| {
        Ok(Args(a).str(usize::from(Args(a).int(2) != 1)).into())
    });
    f.add("toString", &[T::Any], T::String, |_, a| {
        Ok(strval(Args(a).value(0)).into())
    });
    f.add("toStrings", &[T::Any], T::List(&LIST_STRING), |_, a| {
        Ok(match Args(a).value(0) {
            // A list of strings stays what it is, and a nil one nil.
            Value::List(list) if list.ty().name == LIST_STRING.name => Value::List(list.clone()),
            other => Value::strings(strslice(other)),
        })
    });
    f.add("join", &[T::String, T::Any], T::String, |_, a| {
        let parts = strslice(Args(a).value(1));
        let parts: Vec<&[u8]> = parts.iter().map(Str::as_bytes).collect();
        from_vec(parts.join(Args(a).bytes(0)))
    });
    f.add("splitList", &[T::String, T::String], T::List(&LIST_STRING), |_, a| {
        Ok(Value::strings(split(Args(a).bytes(0), Args(a).bytes(1), -1)))
    });
    f.add("split", &[T::String, T::String], T::Map(&MAP_STRING), |_, a| {
        Ok(numbered(split(Args(a).bytes(0), Args(a).bytes(1), -1)))
    });
    f.add(
        "splitn",
        &[T::String, T::Int, T::String],
        T::Map(&MAP_STRING),
        |_, a| Ok(numbered(split(Args(a).bytes(0), Args(a).bytes(2), Args(a).int(1)))),
    );
    f.add("fail", &[T::String], T::String, |_, a| {
        Err(FuncError::new(Args(a).text(0)))
    });
}

/// `strings.Trim`: a byte that begins no character is one of the set if the set has such a byte or U+FFFD.
fn trim_set<'a>(mut bytes: &'a [u8], set: &[u8]) -> &'a [u8] {
    let has = |wanted: char| {
        let mut rest = set;
        while let Some((c, size, _)) = decode(rest) {
            if c == wanted {
                return true;
            }
            rest = rest.get(size..).unwrap_or_default();
        }
        false
    };
    while let Some((c, size, _)) = decode(bytes)
        && has(c)
    {
        bytes = bytes.get(size..).unwrap_or_default();
    }
    while let Some((c, size)) = decode_last(bytes)
        && has(c)
    {
        bytes = bytes.get(..bytes.len() - size).unwrap_or_default();
    }
    bytes
}

/// The last character and its length; U+FFFD and 1 for a byte that ends none.
fn decode_last(bytes: &[u8]) -> Option<(char, usize)> {
    bytes.last()?;
    for size in 1..=bytes.len().min(4) {
        let tail = bytes.get(bytes.len() - size..)?;
        if let Some((c, length, true)) = decode(tail)
            && length == size
        {
            return Some((c, size));
        }
    }
    Some(('\u{fffd}', 1))
}

fn from_vec(bytes: Vec<u8>) -> Answer {
    Ok(Value::Str(Str::from_vec(bytes)))
}

/// The values that are not nil, printed, with a space between.
fn spaced(values: &[Value], print: impl Fn(&Value) -> Vec<u8>) -> Value {
    let parts: Vec<Vec<u8>> = values.iter().filter(|v| !matches!(v, Value::Nil)).map(print).collect();
    Value::Str(Str::from_vec(parts.join(b" ".as_slice())))
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    if part.is_empty() {
        return Some(0);
    }
    if let (Ok(text), Ok(part)) = (std::str::from_utf8(text), std::str::from_utf8(part)) {
        return text.find(part);
    }
    text.windows(part.len()).position(|w| w == part)
}

fn trunc(count: i64, text: &Str) -> Answer {
    let bytes = text.as_bytes();
    let len = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
    let cut = if count < 0 && len + count > 0 {
        bytes.get(usize::try_from(len + count).unwrap_or_default()..)
    } else if count >= 0 && len > count {
        bytes.get(..usize::try_from(count).unwrap_or_default())
    } else {
        return Ok(text.clone().into());
    };
    Ok(Str::from_bytes(cut.unwrap_or_default()).into())
}

fn substr(start: i64, end: i64, text: &[u8]) -> Answer {
    let len = i64::try_from(text.len()).unwrap_or(i64::MAX);
    let (from, to, written) = if start < 0 {
        (0, end, 'e')
    } else if end < 0 || end > len {
        (start, len, 's')
    } else {
        (start, end, 'b')
    };
    let range = usize::try_from(from).ok().zip(usize::try_from(to).ok());
    let cut = range.and_then(|(from, to)| text.get(from..to));
    cut.map(|bytes| Str::from_bytes(bytes).into()).ok_or_else(|| {
        // As the runtime words the bounds of the expression that was written.
        let what = match written {
            'e' if to < 0 => format!("[:{to}]"),
            'e' => format!("[:{to}] with length {len}"),
            's' => format!("[{from}:{len}]"),
            _ => format!("[{from}:{to}]"),
        };
        FuncError::new(format!("runtime error: slice bounds out of range {what}"))
    })
}

fn repeat(call: &mut Call<'_>, a: &[Value]) -> Answer {
    let (count, text) = (Args(a).int(0), Args(a).bytes(1));
    let count = usize::try_from(count).map_err(|_| FuncError::new("strings: negative Repeat count"))?;
    let size = count
        .checked_mul(text.len())
        .filter(|size| i64::try_from(*size).is_ok())
        .ok_or_else(|| FuncError::new("strings: Repeat output length overflow"))?;
    fits(size)?;
    call.charge_bytes(size as u64)?;
    from_vec(text.repeat(count))
}

/// Go has no slice larger than its address space, 2⁴⁸ bytes, and says so before it asks for memory.
fn fits(size: usize) -> Result<(), FuncError> {
    match size as u64 {
        0..=0x1_0000_0000_0000 => Ok(()),
        _ => Err(FuncError::new("runtime error: makeslice: len out of range")),
    }
}

fn indent(call: &mut Call<'_>, before: &str, args: Args<'_>) -> Answer {
    let (spaces, text) = (args.int(0), args.bytes(1));
    let spaces = usize::try_from(spaces).map_err(|_| FuncError::new("strings: negative Repeat count"))?;
    let lines = text.iter().filter(|b| **b == b'\n').count() + 1;
    let size = lines.saturating_mul(spaces).saturating_add(text.len());
    fits(spaces)?;
    call.charge_bytes(size as u64)?;
    let pad = vec![b' '; spaces];
    let mut out = Vec::with_capacity(size + before.len());
    out.extend_from_slice(before.as_bytes());
    for (i, line) in text.split(|b| *b == b'\n').enumerate() {
        if i > 0 {
            out.push(b'\n');
        }
        out.extend_from_slice(&pad);
        out.extend_from_slice(line);
    }
    from_vec(out)
}

fn replace(call: &mut Call<'_>, a: &[Value]) -> Answer {
    let (old, new, text) = (Args(a).bytes(0), Args(a).bytes(1), Args(a).bytes(2));
    if old.is_empty() {
        // Go inserts before every character and at the end.
        let (new, text) = (Args(a).marked(1), Args(a).marked(2));
        call.charge_bytes((text.chars().count() as u64 + 1).saturating_mul(new.len() as u64))?;
        let mut out = new.to_string();
        for c in text.chars() {
            out.push(c);
            out.push_str(&new);
        }
        return Ok(Args(a).unmarked(out.into()));
    }
    let parts = split(old, text, -1);
    call.charge_bytes(
        (parts.len() as u64)
            .saturating_mul(new.len() as u64)
            .saturating_add(text.len() as u64),
    )?;
    let parts: Vec<&[u8]> = parts.iter().map(Str::as_bytes).collect();
    from_vec(parts.join(new))
}

/// `strings.SplitN`: negative means all, zero none.
fn split(separator: &[u8], text: &[u8], limit: i64) -> Vec<Str> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if limit == 0 {
        return Vec::new();
    }
    let mut out = Vec::new();
    let mut rest = text;
    if separator.is_empty() {
        for chunk in text.utf8_chunks() {
            for c in chunk.valid().char_indices().map(|(at, c)| (at, c.len_utf8())) {
                if out.len() + 1 >= limit {
                    break;
                }
                let bytes = chunk.valid().as_bytes().get(c.0..c.0 + c.1).unwrap_or_default();
                out.push(Str::from_bytes(bytes));
                rest = rest.get(c.1..).unwrap_or_default();
            }
            for byte in chunk.invalid().chunks(1) {
                if out.len() + 1 >= limit {
                    break;
                }
                out.push(Str::from_bytes(byte));
                rest = rest.get(1..).unwrap_or_default();
            }
        }
        if !rest.is_empty() {
            out.push(Str::from_bytes(rest));
        }
        return out;
    }
    while out.len() + 1 < limit
        && let Some(at) = find(rest, separator)
    {
        out.push(Str::from_bytes(rest.get(..at).unwrap_or_default()));
        rest = rest.get(at + separator.len()..).unwrap_or_default();
    }
    out.push(Str::from_bytes(rest));
    out
}

fn numbered(parts: Vec<Str>) -> Value {
    Value::Map(Map::strings(
        parts.into_iter().enumerate().map(|(i, part)| (format!("_{i}"), part)),
    ))
}

/// The strings of a list without its nils; of anything else the one string it prints as.
pub(super) fn strslice(value: &Value) -> Vec<Str> {
    match items(value) {
        Some(items) => items.iter().filter(|v| !matches!(v, Value::Nil)).map(strval).collect(),
        None if matches!(value, Value::Nil) => Vec::new(),
        None => vec![strval(value)],
    }
}
