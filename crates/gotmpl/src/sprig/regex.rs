//! Regular expressions; without `must` a bad one panics in Go, which prints with the expression before the error.

use super::args::Args;
use crate::function::{FuncError, Functions};
use crate::regexp::{Regexp, quote_meta};
use crate::text::Str;
use crate::types::{LIST_STRING, Type as T};
use crate::value::{List, Value};

pub(super) fn register(f: &mut Functions) {
    type Run = fn(&Regexp, Args<'_>) -> Value;
    let functions: [(&str, &str, &[T], T, Run); 5] = [
        (
            "regexFindAll",
            "mustRegexFindAll",
            &[T::String, T::String, T::Int],
            T::List(&LIST_STRING),
            |r, a| strings_or_nil(r.find_all(&a.marked(1), a.int(2))),
        ),
        (
            "regexFind",
            "mustRegexFind",
            &[T::String, T::String],
            T::String,
            |r, a| Value::str(r.find(&a.marked(1)).unwrap_or_default()),
        ),
        (
            "regexReplaceAll",
            "mustRegexReplaceAll",
            &[T::String, T::String, T::String],
            T::String,
            |r, a| Value::str(r.replace_all(&a.marked(1), &a.marked(2))),
        ),
        (
            "regexReplaceAllLiteral",
            "mustRegexReplaceAllLiteral",
            &[T::String, T::String, T::String],
            T::String,
            |r, a| Value::str(r.replace_all_literal(&a.marked(1), &a.marked(2))),
        ),
        (
            "regexSplit",
            "mustRegexSplit",
            &[T::String, T::String, T::Int],
            T::List(&LIST_STRING),
            |r, a| match r.split(&a.marked(1), a.int(2)) {
                Some(parts) => Value::strings(parts),
                None => Value::List(List::nil(&LIST_STRING)),
            },
        ),
    ];
    for (name, must, params, result, run) in functions {
        f.add(name, params, result, move |_, a| {
            let pattern = Args(a).text(0);
            let regexp = Regexp::shared(&pattern)
                .map_err(|e| FuncError::new(format!("regexp: Compile({}): {e}", quoted(&pattern))))?;
            Ok(Args(a).unmarked(run(&regexp, Args(a))))
        });
        f.add(must, params, result, move |_, a| {
            let regexp = Regexp::shared(&Args(a).text(0)).map_err(|e| FuncError::new(e.to_string()))?;
            Ok(Args(a).unmarked(run(&regexp, Args(a))))
        });
    }
    f.add("regexMatch", &[T::String, T::String], T::Bool, |_, a| {
        let matched = Regexp::shared(&Args(a).text(0)).is_ok_and(|r| r.is_match(&Args(a).marked(1)));
        Ok(Value::Bool(matched))
    });
    f.add("mustRegexMatch", &[T::String, T::String], T::Bool, |_, a| {
        let regexp = Regexp::shared(&Args(a).text(0)).map_err(|e| FuncError::new(e.to_string()))?;
        Ok(Value::Bool(regexp.is_match(&Args(a).marked(1))))
    });
    f.add("regexQuoteMeta", &[T::String], T::String, |_, a| {
        Ok(Args(a).unmarked(quote_meta(&Args(a).marked(0)).into()))
    });
}

/// Go has no empty list of matches: it is nil.
fn strings_or_nil<S: Into<Str>>(found: Vec<S>) -> Value {
    if found.is_empty() {
        return Value::List(List::nil(&LIST_STRING));
    }
    Value::strings(found)
}

/// In backquotes where Go can, else quoted.
fn quoted(text: &str) -> String {
    let plain = text
        .chars()
        .all(|c| c != '`' && c != '\u{feff}' && c != '\x7f' && (c >= ' ' || c == '\t'));
    if plain {
        format!("`{text}`")
    } else {
        super::show::quote(text.as_bytes())
    }
}
