//! A document of TOML as values.

use std::collections::HashSet;

use pintle_gotmpl::gotime::{Time, Zone};
use pintle_gotmpl::{LIST_MAP, List, Map, Value};

use super::scan::{Result, Scanner, Wrong, quoted_char, quoted_go};
use super::{MAX_DEPTH, dotted, is_bare};

/// Reads a document; the error is worded as the library words it.
pub(in super::super) fn read(bytes: &[u8]) -> std::result::Result<Value, String> {
    let bytes = [&b"\xff\xfe"[..], b"\xfe\xff", b"\xef\xbb\xbf"]
        .iter()
        .find_map(|mark| bytes.strip_prefix(*mark))
        .unwrap_or(bytes);
    if bytes.iter().take(6).any(|b| *b == 0) {
        return Err(
            "toml: line 1: files cannot contain NULL bytes; probably using UTF-16; TOML files must be UTF-8".into(),
        );
    }
    let mut reader = Reader {
        scanner: Scanner::new(bytes),
        root: Map::new(),
        context: Vec::new(),
        key: String::new(),
        key_line: 1,
        implicit: HashSet::new(),
        arrays: HashSet::new(),
    };
    match reader.document() {
        Ok(()) => Ok(Value::Map(reader.root)),
        Err(wrong) => Err(match reader.current() {
            key if key.is_empty() => format!("toml: line {}: {}", wrong.line, wrong.message),
            key => format!(
                "toml: line {} (last key {}): {}",
                wrong.line,
                quoted_go(&key),
                wrong.message
            ),
        }),
    }
}

struct Reader<'a> {
    scanner: Scanner<'a>,
    root: Map,
    /// The table that keys are set in.
    context: Vec<String>,
    /// The last part of the key whose value is read; empty where none is.
    key: String,
    key_line: usize,
    /// Tables that exist only because a longer key names them; they may be opened once more.
    implicit: HashSet<String>,
    /// Keys whose value is a list in brackets.
    arrays: HashSet<String>,
}

/// White space inside a line.
fn blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

fn line_break(c: char) -> bool {
    matches!(c, '\n' | '\r')
}

impl Reader<'_> {
    /// The key that errors name.
    fn current(&self) -> String {
        match (self.key.as_str(), self.context.is_empty()) {
            ("", _) => dotted(&self.context),
            (key, true) => key.to_owned(),
            (key, false) => format!("{}.{key}", dotted(&self.context)),
        }
    }

    fn wrong_key(&self, message: String) -> Wrong {
        Wrong {
            line: self.key_line,
            message,
        }
    }

    fn document(&mut self) -> Result<()> {
        loop {
            self.scanner.skip(|c| blank(c) || line_break(c))?;
            match self.scanner.peek()? {
                None => return Ok(()),
                Some('#') => {
                    self.comment()?;
                    continue;
                }
                Some('[') => {
                    self.scanner.next()?;
                    self.header()?;
                }
                Some(_) => self.pair_at_top()?,
            }
            self.end_of_line()?;
        }
    }

    fn comment(&mut self) -> Result<()> {
        self.scanner.skip(|c| !line_break(c))
    }

    /// Nothing but a comment follows a header or a value on its line.
    fn end_of_line(&mut self) -> Result<()> {
        self.scanner.skip(blank)?;
        match self.scanner.next()? {
            None => Ok(()),
            Some('#') => self.comment(),
            Some(c) if line_break(c) => Ok(()),
            other => Err(self.scanner.wrong_char(
                other,
                format!(
                    "expected a top-level item to end with a newline, comment, or EOF, but got {} instead",
                    quoted_char(other)
                ),
            )),
        }
    }

    /// `[a.b]` or `[[a.b]]`, its first bracket taken.
    fn header(&mut self) -> Result<()> {
        let is_list = self.scanner.accept('[')?;
        let mut key = Vec::new();
        loop {
            self.scanner.skip(blank)?;
            match self.scanner.peek()? {
                None | Some(']') => {
                    let message = "unexpected end of table name (table names cannot be empty)";
                    return Err(self.scanner.wrong(message));
                }
                Some('.') => {
                    let message = "unexpected table separator (table names cannot be empty)";
                    return Err(self.scanner.wrong(message));
                }
                Some(_) => {}
            }
            self.key_part(&mut key)?;
            self.scanner.skip(blank)?;
            match self.scanner.next()? {
                Some('.') => {}
                Some(']') => break,
                other => {
                    let message = format!(
                        "expected '.' or ']' to end table name, but got {} instead",
                        quoted_char(other)
                    );
                    return Err(self.scanner.wrong_char(other, message));
                }
            }
        }
        if is_list {
            let found = self.scanner.next()?;
            if found != Some(']') {
                let message = format!(
                    "expected end of table array name delimiter ']', but got {} instead",
                    quoted_char(found)
                );
                return Err(self.scanner.wrong_char(found, message));
            }
        }
        self.open(&key, is_list)?;
        self.arrays.remove(&dotted(&self.context));
        Ok(())
    }

    /// One part of a key, bare or quoted; a bare one may turn out empty, which what follows it shows.
    fn key_part(&mut self, key: &mut Vec<String>) -> Result<()> {
        if key.len() >= MAX_DEPTH {
            return Err(self.scanner.wrong("the key has too many parts"));
        }
        let start = self.scanner.at();
        let part = match self.scanner.peek()? {
            Some('"') => {
                self.scanner.next()?;
                self.scanner.string()?
            }
            Some('\'') => {
                self.scanner.next()?;
                self.scanner.raw_string()?
            }
            _ => {
                self.scanner.skip(is_bare)?;
                self.scanner.since(start).to_owned()
            }
        };
        if key.is_empty() {
            self.key_line = self.scanner.line();
        }
        key.push(part);
        Ok(())
    }

    /// A key up to and with its `=`.
    fn read_key(&mut self) -> Result<Vec<String>> {
        self.scanner.skip(blank)?;
        match self.scanner.peek()? {
            None | Some('=') => return Err(self.scanner.wrong("unexpected '=': key name appears blank")),
            Some('.') => return Err(self.scanner.wrong("unexpected '.': keys cannot start with a '.'")),
            Some(_) => {}
        }
        let mut key = Vec::new();
        loop {
            self.scanner.skip(blank)?;
            match self.scanner.peek()? {
                None | Some('=') => return Err(self.scanner.wrong("unexpected '='")),
                Some('.') => return Err(self.scanner.wrong("unexpected '.'")),
                Some(_) => {}
            }
            self.key_part(&mut key)?;
            self.scanner.skip(blank)?;
            match self.scanner.next()? {
                Some('=') => return Ok(key),
                Some('.') => {}
                None => {
                    let message = "unexpected EOF; expected key separator '='";
                    return Err(self.scanner.wrong_char(None, message));
                }
                other => {
                    let message = format!("expected '.' or '=', but got {} instead", quoted_char(other));
                    return Err(self.scanner.wrong_break(other, message));
                }
            }
        }
    }

    fn pair_at_top(&mut self) -> Result<()> {
        let outside = self.context.clone();
        self.pair(0)?;
        self.context = outside;
        self.key.clear();
        Ok(())
    }

    /// A key and its value, set where they belong; gives them for a table that is written on one line.
    fn pair(&mut self, depth: usize) -> Result<(Vec<String>, Value)> {
        let key = self.read_key()?;
        let (last, parents) = key
            .split_last()
            .map(|(l, p)| (l.clone(), p.to_vec()))
            .unwrap_or_default();
        self.key = last.clone();
        for parent in parents {
            let mut context = self.context.clone();
            context.push(parent);
            if context.len() > MAX_DEPTH {
                return Err(self.scanner.wrong("tables are nested too deeply"));
            }
            self.implicit.insert(dotted(&context));
            self.open(&context, false)?;
        }
        let (value, is_list) = self.value(depth, false)?;
        self.set(&last, value.clone())?;
        self.mark_list(&last, is_list);
        Ok((key, value))
    }

    fn mark_list(&mut self, key: &str, is_list: bool) {
        let mut path = self.context.clone();
        if !key.is_empty() || path.is_empty() {
            path.push(key.to_owned());
        }
        let path = dotted(&path);
        if is_list {
            self.arrays.insert(path);
        } else {
            self.arrays.remove(&path);
        }
    }

    /// A value, and whether it is a list.
    fn value(&mut self, depth: usize, in_list: bool) -> Result<(Value, bool)> {
        if depth > MAX_DEPTH {
            return Err(self.scanner.wrong("values are nested too deeply"));
        }
        self.scanner.skip(blank)?;
        if self.scanner.peek()?.is_some_and(|c| c.is_ascii_digit()) {
            return Ok((self.scanner.number_or_date()?, false));
        }
        let start = self.scanner.at();
        let found = self.scanner.next()?;
        let value = match found {
            Some('[') => return Ok((self.list(depth)?, true)),
            Some('{') => self.inline(depth, in_list)?,
            Some(quote @ ('"' | '\'')) => self.text(quote)?,
            Some('.') => return Err(self.scanner.wrong("floats must start with a digit, not '.'")),
            Some('-' | '+') => self.scanner.signed()?,
            Some(c) if c.is_alphabetic() => self.word(start, c)?,
            None => return Err(self.scanner.wrong_char(None, "unexpected EOF; expected value")),
            other => {
                let message = format!("expected value but found {} instead", quoted_char(other));
                return Err(self.scanner.wrong_break(other, message));
            }
        };
        Ok((value, false))
    }

    fn text(&mut self, quote: char) -> Result<Value> {
        let mut is_long = false;
        if self.scanner.accept(quote)? {
            if !self.scanner.accept(quote)? {
                return Ok(Value::str(""));
            }
            is_long = true;
        }
        let text = match (is_long, quote) {
            (true, quote) => self.scanner.long_string(quote)?,
            (false, '"') => self.scanner.string()?,
            (false, _) => self.scanner.raw_string()?,
        };
        Ok(Value::str(text))
    }

    /// `true`, `false`, `inf` or `nan`.
    fn word(&mut self, start: usize, first: char) -> Result<Value> {
        if matches!(first, 'i' | 'n') {
            let whole = (self.scanner.accept('n')? && self.scanner.accept('f')?)
                || (self.scanner.accept('a')? && self.scanner.accept('n')?);
            if whole {
                return self.scanner.finish_float(start);
            }
        }
        // Of letters that were tried for these two only the last is in the error.
        let last = if self.scanner.at() > start + first.len_utf8() {
            1
        } else {
            first.len_utf8()
        };
        let from = self.scanner.at() - last;
        self.scanner.skip(char::is_alphabetic)?;
        match self.scanner.since(from) {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            other => {
                let message = format!("expected value but found {} instead", quoted_go(other));
                Err(self.scanner.wrong(message))
            }
        }
    }

    /// The rest of `[…]`.
    fn list(&mut self, depth: usize) -> Result<Value> {
        let key = self.key.clone();
        self.mark_list(&key, true);
        let mut items = Vec::new();
        let mut after_value = false;
        loop {
            self.scanner.skip(|c| blank(c) || line_break(c))?;
            match self.scanner.peek()? {
                Some('#') => self.comment()?,
                Some(']') => {
                    self.scanner.next()?;
                    return Ok(Value::list(items));
                }
                Some(',') => {
                    self.scanner.next()?;
                    if !after_value {
                        return Err(self.scanner.wrong("unexpected comma"));
                    }
                    after_value = false;
                }
                other if after_value => {
                    self.scanner.next()?;
                    let shown = or_end(other);
                    let message = format!("expected a comma (',') or array terminator (']'), but got {shown}");
                    return Err(self.scanner.wrong_char(other, message));
                }
                _ => {
                    items.push(self.value(depth + 1, true)?.0);
                    after_value = true;
                }
            }
        }
    }

    /// The rest of `{…}`. The keys are set in the document as well, which is how one set twice is found.
    fn inline(&mut self, depth: usize, in_list: bool) -> Result<Value> {
        let table = Map::new();
        let (outer_context, outer_key) = (self.context.clone(), std::mem::take(&mut self.key));
        self.context.push(outer_key.clone());
        if self.context.len() > MAX_DEPTH {
            return Err(self.scanner.wrong("tables are nested too deeply"));
        }
        let context = self.context.clone();
        self.implicit.insert(dotted(&context));
        self.open(&context, in_list)?;
        let mut after_value = false;
        loop {
            self.scanner.skip(|c| blank(c) || line_break(c))?;
            match self.scanner.peek()? {
                Some('#') => self.comment()?,
                Some('}') => {
                    self.scanner.next()?;
                    break;
                }
                Some(',') => {
                    self.scanner.next()?;
                    if !after_value {
                        return Err(self.scanner.wrong("unexpected comma"));
                    }
                    after_value = false;
                }
                other if after_value => {
                    self.scanner.next()?;
                    let shown = or_end(other);
                    let message =
                        format!("expected a comma or an inline table terminator '}}', but got {shown} instead");
                    return Err(self.scanner.wrong_char(other, message));
                }
                _ => {
                    let (key, value) = self.pair(depth + 1)?;
                    self.put(&table, &key, value)?;
                    self.context.clone_from(&context);
                    after_value = true;
                }
            }
        }
        self.context = outer_context;
        self.key = outer_key;
        Ok(Value::Map(table))
    }

    /// Sets a dotted key in the value of an inline table.
    fn put(&self, table: &Map, key: &[String], value: Value) -> Result<()> {
        let Some((last, parents)) = key.split_last() else {
            return Ok(());
        };
        let mut table = table.clone();
        for parent in parents {
            let inner = match table.get(parent) {
                Some(Value::Map(inner)) => inner,
                None => {
                    let inner = Map::new();
                    table.insert(parent.as_str(), Value::Map(inner.clone()));
                    inner
                }
                Some(_) => {
                    let parts: Vec<String> = self.context.iter().map(|part| quoted_go(part)).collect();
                    return Err(self.wrong_key(format!("[{}] is not a table", parts.join(" "))));
                }
            };
            table = inner;
        }
        table.insert(last.as_str(), value);
        Ok(())
    }

    /// Makes a table the one that keys are set in; those on the way to it come into being.
    fn open(&mut self, key: &[String], is_list: bool) -> Result<()> {
        let Some((last, parents)) = key.split_last() else {
            return Ok(());
        };
        let mut table = self.root.clone();
        for (at, part) in parents.iter().enumerate() {
            let way = parents.get(..=at).unwrap_or_default();
            let found = table.get(part).unwrap_or_else(|| {
                let new = Value::Map(Map::new());
                self.implicit.insert(dotted(way));
                table.insert(part.as_str(), new.clone());
                new
            });
            table = innermost(&found)
                .ok_or_else(|| self.wrong_key(format!("Key '{}' was already created as a hash.", dotted(way))))?;
        }
        self.context = parents.to_vec();
        if is_list {
            let tables = match table.get(last) {
                None => Vec::new(),
                Some(Value::List(list)) if is_tables(&list) => list.iter().cloned().collect(),
                Some(_) => {
                    let message = format!(
                        "Key '{}' was already created and cannot be used as an array.",
                        dotted(key)
                    );
                    return Err(self.wrong_key(message));
                }
            };
            let tables = tables.into_iter().chain([Value::Map(Map::new())]).collect();
            table.insert(last.as_str(), Value::List(List::of(&LIST_MAP, tables)));
        } else {
            self.set(last, Value::Map(Map::new()))?;
        }
        self.context.push(last.clone());
        Ok(())
    }

    /// Sets a key of the current table, once.
    fn set(&mut self, key: &str, value: Value) -> Result<()> {
        let mut table = self.root.clone();
        for (at, part) in self.context.iter().enumerate() {
            let found = table.get(part).and_then(|found| innermost(&found));
            table = found.ok_or_else(|| {
                let way = self.context.get(..=at).unwrap_or_default();
                self.wrong_key(format!("Key '{}' has already been defined.", dotted(way)))
            })?;
        }
        if table.contains(key) {
            let mut path = self.context.clone();
            path.push(key.to_owned());
            let path = dotted(&path);
            if !self.implicit.remove(&path) {
                return Err(self.wrong_key(format!("Key '{path}' has already been defined.")));
            }
            // The tables of a list were set one by one; the list itself takes their place.
            if !self.arrays.contains(&path) {
                return Ok(());
            }
        }
        table.insert(key, value);
        Ok(())
    }
}

fn or_end(c: Option<char>) -> String {
    c.map_or_else(|| "end of file".to_owned(), |c| format!("'{c}'"))
}

fn is_tables(list: &List) -> bool {
    list.ty().name == LIST_MAP.name
}

/// The table a key leads into: itself, or the last of a list of tables.
fn innermost(value: &Value) -> Option<Map> {
    match value {
        Value::Map(map) => Some(map.clone()),
        Value::List(list) if is_tables(list) => list.as_slice().last().and_then(Value::as_map).cloned(),
        _ => None,
    }
}

/// Dates and times: with a zone, and without one in three forms.
pub(super) fn date(text: &str) -> Option<Time> {
    const FORMS: [(&str, &str); 7] = [
        ("2006-01-02T15:04:05.999999999Z07:00", ""),
        ("2006-01-02T15:04:05.999999999", "datetime-local"),
        ("2006-01-02", "date-local"),
        ("15:04:05.999999999", "time-local"),
        ("2006-01-02T15:04Z07:00", ""),
        ("2006-01-02T15:04", "datetime-local"),
        ("15:04", "time-local"),
    ];
    let (layout, zone, time) = FORMS
        .iter()
        .find_map(|(layout, zone)| Time::parse(layout, text).ok().map(|time| (*layout, *zone, time)))?;
    // Go takes numbers without their leading zero, TOML does not.
    let fits = layout
        .bytes()
        .zip(text.bytes())
        .take_while(|(wanted, _)| !matches!(wanted, b'.' | b'Z'))
        .all(|(wanted, found)| wanted.is_ascii_digit() || wanted == found);
    if !fits {
        return None;
    }
    Some(match zone {
        "" => time,
        name => time.in_zone(Zone::Fixed {
            name: name.to_owned(),
            offset: 0,
        }),
    })
}
