//! The little language of `--set`: `a.b=1,c[0]={x,y}`.
//!
//! One walk for its five dialects. Where Go's parser panics on a value of another type and catches itself, the same words come back as an
//! error.

use std::sync::Arc;

use pintle_gotmpl::{Number, NumberKind, fmt};
use pintle_model::Value;

use super::node::{Node, Table, json_value};

/// Largest list index, as Helm's.
const MAX_INDEX: i64 = 65536;
/// Most dots in one name, as Helm's.
const MAX_NESTED_NAMES: usize = 30;
/// Most `[i][j]…` in a row; Helm has no bound but the stack.
const MAX_NESTED_LISTS: usize = 128;

/// What stands right of `=`.
pub(crate) enum Dialect<'a> {
    /// `--set`: booleans, integers and null are told from text.
    Typed,
    /// `--set-string`: text.
    Text,
    /// `--set-json`: JSON.
    Json,
    /// `--set-file`: the name of a file whose content is the value.
    File(&'a dyn Fn(&str) -> Result<String, String>),
    /// `--set-literal`: everything up to the end, taken as it is.
    Literal,
}

/// Parses a line into `into`.
pub(crate) fn parse_into(line: &str, dialect: &Dialect<'_>, into: &Table) -> Result<(), String> {
    let mut parser = Parser {
        text: line.chars().collect(),
        at: 0,
        dialect,
    };
    loop {
        match parser.key(into, 0) {
            Ok(()) => {}
            Err(Stop::End) => return Ok(()),
            Err(Stop::Failed(message)) => return Err(message),
        }
    }
}

/// Go's `%q` of a list of characters.
fn quoted_letters(text: &str) -> String {
    let letters = text
        .chars()
        .map(|c| Number::signed(NumberKind::Int32, i64::from(u32::from(c))));
    let letters: Vec<String> = letters
        .map(|letter| {
            fmt::sprintf("%q", &[pintle_gotmpl::Value::Number(letter)]).map(|text| text.to_str().into_owned())
        })
        .collect::<Result<_, _>>()
        .unwrap_or_default();
    format!("[{}]", letters.join(" "))
}

fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

/// Why a step stopped.
enum Stop {
    /// The line is used up, which ends it well.
    End,
    Failed(String),
}

impl From<String> for Stop {
    fn from(message: String) -> Self {
        Self::Failed(message)
    }
}

struct Parser<'a> {
    text: Vec<char>,
    at: usize,
    dialect: &'a Dialect<'a>,
}

impl Parser<'_> {
    fn next(&mut self) -> Option<char> {
        let found = self.text.get(self.at).copied();
        self.at += usize::from(found.is_some());
        found
    }

    /// The text up to one of `stop`, and which it was; `None` for the end of the line.
    fn until(&mut self, stop: &[char]) -> (String, Option<char>) {
        let mut text = String::new();
        while let Some(character) = self.next() {
            if stop.contains(&character) {
                return (text, Some(character));
            }
            if character == '\\' && !matches!(self.dialect, Dialect::Literal) {
                match self.next() {
                    Some(escaped) => text.push(escaped),
                    None => return (text, None),
                }
            } else {
                text.push(character);
            }
        }
        (text, None)
    }

    fn key(&mut self, data: &Table, nested: usize) -> Result<(), Stop> {
        let stop: &[char] = if matches!(self.dialect, Dialect::Literal) {
            &['=', '[', '.']
        } else {
            &['=', '[', ',', '.']
        };
        let (key, last) = self.until(stop);
        match last {
            None if key.is_empty() => Err(Stop::End),
            None => Err(format!("key {key:?} has no value").into()),
            Some('[') => {
                let index = self.index()?;
                let list = match data.get(&key) {
                    None => Vec::new(),
                    Some(Node::List(list)) => list,
                    Some(other) => return Err(conversion(&other, "[]interface {}")),
                };
                let (list, result) = self.item(list, index, nested, 0);
                set(data, &key, Node::List(list));
                result
            }
            Some('=') => match self.dialect {
                Dialect::Json => {
                    if self.blank() {
                        set(data, &key, Node::Null);
                        return Ok(());
                    }
                    let value = self.json()?;
                    set(data, &key, value);
                    self.blank();
                    Ok(())
                }
                Dialect::Literal => {
                    let (value, _) = self.until(&[]);
                    set(data, &key, Node::Str(value.into()));
                    Ok(())
                }
                _ => match self.value_list()? {
                    Found::List(list) => {
                        set(data, &key, Node::List(list));
                        Ok(())
                    }
                    Found::End => {
                        set(data, &key, Node::Str("".into()));
                        Err(Stop::End)
                    }
                    Found::NoList => {
                        let (text, _) = self.until(&[',']);
                        let value = self.value(&text);
                        set(data, &key, value.as_ref().map_or(Node::Null, Node::clone));
                        value.map(|_| ()).map_err(Stop::Failed)
                    }
                },
            },
            Some(',') => {
                set(data, &key, Node::Str("".into()));
                Err(format!("key {key:?} has no value (cannot end with ,)").into())
            }
            Some(_) => {
                let nested = nested + 1;
                if nested > MAX_NESTED_NAMES {
                    return Err(format!(
                        "value name nested level is greater than maximum supported nested level of {MAX_NESTED_NAMES}"
                    )
                    .into());
                }
                let inner = match data.get(&key) {
                    None => Table::default(),
                    Some(Node::Table(table)) => table,
                    Some(other) => return Err(conversion(&other, "map[string]interface {}")),
                };
                let result = self.key(&inner, nested);
                if inner.is_empty() {
                    if result.is_ok() {
                        return Err(format!("key map {key:?} has no value").into());
                    }
                } else {
                    set(data, &key, Node::Table(inner));
                }
                result
            }
        }
    }

    fn index(&mut self) -> Result<i64, Stop> {
        let (text, last) = self.until(&[']']);
        if last.is_none() {
            // The end inside an index ends the line, as an end of input anywhere does.
            return Err(Stop::End);
        }
        text.parse::<i64>().map_err(|e| {
            let reason = match e.kind() {
                // Go reads the whole text before it says that it is too large.
                std::num::IntErrorKind::PosOverflow | std::num::IntErrorKind::NegOverflow if is_integer(&text) => {
                    "value out of range"
                }
                _ => "invalid syntax",
            };
            Stop::Failed(format!("error parsing index: strconv.Atoi: parsing {text:?}: {reason}"))
        })
    }

    /// One item of a list; gives the list back also when it fails, for Helm stores it then too.
    fn item(&mut self, mut list: Vec<Node>, index: i64, nested: usize, depth: usize) -> (Vec<Node>, Result<(), Stop>) {
        if index < 0 {
            return (list, Err(format!("negative {index} index not allowed").into()));
        }
        if depth > MAX_NESTED_LISTS {
            let message = format!("lists are nested deeper than {MAX_NESTED_LISTS}");
            return (list, Err(message.into()));
        }
        let at = usize::try_from(index).unwrap_or(usize::MAX);
        let (rest, last) = self.until(&['[', '.', '=']);
        if !rest.is_empty() {
            return (
                list,
                Err(format!("unexpected data at end of array index: {}", quoted_letters(&rest)).into()),
            );
        }
        let value = match last {
            None => return (list, Err(Stop::End)),
            Some('=') => match self.item_value() {
                Ok(value) => value,
                Err(stop) => return (list, Err(stop)),
            },
            Some('[') => {
                let next = match self.index() {
                    Ok(next) => next,
                    Err(stop) => return (list, Err(stop)),
                };
                let current = match list.get(at) {
                    None | Some(Node::Null) => Vec::new(),
                    Some(Node::List(inner)) => inner.clone(),
                    Some(other) => {
                        let stop = conversion(other, "[]interface {}");
                        return (list, Err(stop));
                    }
                };
                let (inner, result) = self.item(current, next, nested, depth + 1);
                if result.is_err() {
                    return (list, result);
                }
                Node::List(inner)
            }
            Some(_) => {
                let inner = match list.get_mut(at) {
                    None => Table::default(),
                    Some(Node::Table(table)) => table.clone(),
                    Some(other) => {
                        let table = Table::default();
                        *other = Node::Table(table.clone());
                        table
                    }
                };
                if let Err(stop) = self.key(&inner, nested) {
                    return (list, Err(stop));
                }
                Node::Table(inner)
            }
        };
        if index > MAX_INDEX {
            let message = format!("index of {index} is greater than maximum supported index of {MAX_INDEX}");
            return (list, Err(message.into()));
        }
        if list.len() <= at {
            list.resize(at + 1, Node::Null);
        }
        if let Some(place) = list.get_mut(at) {
            *place = value;
        }
        (list, Ok(()))
    }

    fn item_value(&mut self) -> Result<Node, Stop> {
        match self.dialect {
            Dialect::Json => {
                if self.blank() {
                    return Ok(Node::Null);
                }
                let value = self.json()?;
                self.blank();
                Ok(value)
            }
            Dialect::Literal => Ok(Node::Str(self.until(&[]).0.into())),
            _ => match self.value_list()? {
                Found::List(list) => Ok(Node::List(list)),
                Found::End => Ok(Node::Str("".into())),
                Found::NoList => {
                    let (text, _) = self.until(&[',']);
                    self.value(&text).map_err(Stop::Failed)
                }
            },
        }
    }

    /// Skips spaces; whether nothing but a comma or the end follows, which is used up.
    fn blank(&mut self) -> bool {
        loop {
            match self.next() {
                None | Some(',') => return true,
                Some(character) if character.is_whitespace() => {}
                Some(_) => {
                    self.at -= 1;
                    return false;
                }
            }
        }
    }

    fn value_list(&mut self) -> Result<Found, Stop> {
        match self.next() {
            None => return Ok(Found::End),
            Some('{') => {}
            Some(_) => {
                self.at -= 1;
                return Ok(Found::NoList);
            }
        }
        let mut list = Vec::new();
        loop {
            let (text, last) = self.until(&[',', '}']);
            match last {
                None => return Err("list must terminate with '}'".to_owned().into()),
                Some('}') => {
                    if self.text.get(self.at) == Some(&',') {
                        self.at += 1;
                    }
                    list.push(self.value(&text)?);
                    return Ok(Found::List(list));
                }
                Some(_) => list.push(self.value(&text)?),
            }
        }
    }

    fn value(&self, text: &str) -> Result<Node, String> {
        Ok(match self.dialect {
            Dialect::Typed => typed(text),
            Dialect::File(read) => Node::Str(read(text)?.into()),
            _ => Node::Str(text.into()),
        })
    }

    /// The JSON value that begins here; what follows it is left.
    fn json(&mut self) -> Result<Node, Stop> {
        let rest: String = self.text.get(self.at..).unwrap_or_default().iter().collect();
        let (text, length) = json_prefix(&rest);
        let value = Value::from_json(text.as_bytes()).map_err(|e| e.to_string())?;
        self.at += length;
        Ok(Node::from(&json_value(&value)))
    }
}

/// What stands where a list may.
enum Found {
    List(Vec<Node>),
    NoList,
    End,
}

/// The first JSON value of a text (or what would be one) and its length in characters.
fn json_prefix(text: &str) -> (&str, usize) {
    let (mut depth, mut in_string, mut escaped, mut count) = (0_usize, false, false, 0);
    for (at, character) in text.char_indices() {
        if in_string {
            if escaped {
                escaped = false;
            } else if character == '\\' {
                escaped = true;
            } else if character == '"' {
                in_string = false;
                if depth == 0 {
                    return (text.get(..=at).unwrap_or(text), count + 1);
                }
            }
        } else {
            match character {
                '"' => in_string = true,
                '{' | '[' => depth += 1,
                '}' | ']' => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return (text.get(..=at).unwrap_or(text), count + 1);
                    }
                }
                // A scalar ends before what cannot be part of it.
                ',' | ' ' | '\t' | '\n' | '\r' if depth == 0 => return (text.get(..at).unwrap_or(text), count),
                _ => {}
            }
        }
        count += 1;
    }
    (text, count)
}

fn set(data: &Table, key: &str, value: Node) {
    if !key.is_empty() {
        data.set(Arc::from(key), value);
    }
}

fn conversion(found: &Node, wanted: &str) -> Stop {
    let found = if found.is_null() { "nil" } else { found.go_type() };
    Stop::Failed(format!(
        "unable to parse key: interface conversion: interface {{}} is {found}, not {wanted}"
    ))
}

fn typed(text: &str) -> Node {
    if text.eq_ignore_ascii_case("true") {
        return Node::Bool(true);
    }
    if text.eq_ignore_ascii_case("false") {
        return Node::Bool(false);
    }
    if text.eq_ignore_ascii_case("null") {
        return Node::Null;
    }
    // `007` stays text; `0` alone is a number.
    if (text == "0" || !text.starts_with('0'))
        && let Ok(number) = text.parse::<i64>()
    {
        return Node::Int(number);
    }
    Node::Str(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(node: &Node) -> String {
        match node {
            Node::Null => "null".into(),
            Node::Bool(b) => b.to_string(),
            Node::Int(i) => i.to_string(),
            Node::Float(f) => format!("{f:?}f"),
            Node::Str(s) => format!("{s:?}"),
            Node::List(items) => format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(",")),
            Node::Table(t) => {
                let entries: Vec<String> = t.entries().iter().map(|(k, v)| format!("{k}:{}", show(v))).collect();
                format!("{{{}}}", entries.join(","))
            }
        }
    }

    fn check(line: &str, dialect: &Dialect<'_>, expected: &str) {
        let table = Table::default();
        let result = match parse_into(line, dialect, &table) {
            Ok(()) => show(&Node::Table(table)),
            Err(e) => format!("error: {e}"),
        };
        assert_eq!(result, expected, "{line}");
    }

    #[test]
    fn names_lists_and_types() {
        check(
            "a.b=1,c=true,d=1.5,e=007,f=null,g=",
            &Dialect::Typed,
            r#"{a:{b:1},c:true,d:"1.5",e:"007",f:null,g:""}"#,
        );
        check("a[1].b=x,a[0]={1,two}", &Dialect::Typed, r#"{a:[[1,"two"],{b:"x"}]}"#);
        check(r"a\.b=c\,d", &Dialect::Typed, r#"{a.b:"c,d"}"#);
        check("a=1", &Dialect::Text, r#"{a:"1"}"#);
        check("a=x,y=z", &Dialect::Literal, r#"{a:"x,y=z"}"#);
        check(r#"a={"b":[1,2]},c=1"#, &Dialect::Json, "{a:{b:[1.0f,2.0f]},c:1.0f}");
    }

    #[test]
    fn errors_have_helms_words() {
        check("a", &Dialect::Typed, r#"error: key "a" has no value"#);
        check(
            "a,b=1",
            &Dialect::Typed,
            r#"error: key "a" has no value (cannot end with ,)"#,
        );
        check("a={1,2", &Dialect::Typed, "error: list must terminate with '}'");
        check("a[-1]=1", &Dialect::Typed, "error: negative -1 index not allowed");
        check(
            "a[70000]=1",
            &Dialect::Typed,
            "error: index of 70000 is greater than maximum supported index of 65536",
        );
        check(
            "a=1,a.b=2",
            &Dialect::Typed,
            "error: unable to parse key: interface conversion: interface {} is int64, not map[string]interface {}",
        );
    }
}
