//! Documents as trees of nodes that keep how scalars are written, in the dialect of go.yaml.in/yaml/v3 that Kustomize reads.
//!
//! `yes`, `on` and `y` are text here, `0o17` is a number, a timestamp becomes a full RFC 3339 time, and a key that stands twice is an
//! error. Scalars keep their text, since renaming and replacing work on text. Comments, styles and the order of keys are not kept:
//! Kustomize prints through JSON, which keeps none of them.

use std::collections::HashMap;

use crate::emit::is_base60;
use crate::event::{Event, Events, Place};
use crate::resolve::{Kind, is_timestamp, resolve_plain, resolve_tagged};
use crate::{Error, ErrorKind, Limits, Yaml};

/// What a scalar is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Int,
    /// Any other number.
    Float,
    /// A time.
    Timestamp,
    /// Text.
    Str,
    /// Bytes, written in base64.
    Binary,
    /// Of a kind that nobody here knows: text, once it is printed.
    Custom,
    /// Nothing in particular: what the text looks like when it is printed.
    Open,
    /// What can be carried along and never be printed; the text says why.
    Unreadable,
}

/// The key of a field that makes its mapping impossible to print, for a key that stands twice or is no text. No document can have it.
const FAULT: &str = "\0";

/// A scalar as written. There is no `Debug`: Secrets pass through here.
#[derive(Clone, PartialEq)]
pub struct Scalar {
    /// The text.
    pub text: String,
    /// What it means.
    pub tag: Tag,
    /// Whether it stands in quotes or in a block. Another value that takes its place keeps them.
    pub quoted: bool,
    /// Whether its tag is written out. Another value that takes its place writes its own.
    pub tagged: bool,
}

/// A node of a document. There is no `Debug`: Secrets pass through here.
#[derive(Clone, PartialEq)]
pub enum Node {
    /// A scalar.
    Scalar(Scalar),
    /// A sequence.
    Seq(Vec<Node>),
    /// A mapping in the order written; keys are unique. A key that is no scalar is the empty text.
    Map(Vec<(String, Node)>),
}

impl Scalar {
    /// A scalar that means what its text looks like.
    pub fn plain(text: impl Into<String>) -> Self {
        let text = text.into();
        let tag = plain_tag(&text);
        Self::tagged(text, tag)
    }

    /// A scalar of a kind, without quotes.
    pub fn tagged(text: impl Into<String>, tag: Tag) -> Self {
        Self {
            text: text.into(),
            tag,
            quoted: false,
            tagged: false,
        }
    }

    /// A scalar that means what its text looks like once it is printed, whatever became of it until then.
    pub fn open(text: impl Into<String>) -> Self {
        Self::tagged(text, Tag::Open)
    }

    /// Text, whatever it looks like; in quotes where it would be something else without.
    pub fn string(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            quoted: looks_like_more(&text),
            ..Self::tagged(text, Tag::Str)
        }
    }

    /// Puts quotes around text that YAML 1.1 reads as something else, unless its way of writing is settled.
    pub fn quote(&mut self) {
        let is_text = matches!(self.tag, Tag::Str | Tag::Open) && !self.text.is_empty() && !self.text.contains('\n');
        self.quoted |= is_text && !self.tagged && !is_text_to_1_1(&self.text);
    }

    /// Puts another scalar here as an edit of the text would: how it is written stays.
    pub fn put(&mut self, new: Self) {
        self.text = new.text;
        self.tag = new.tag;
    }
}

/// Whether a text without quotes is something other than text to YAML 1.1 or 1.2. An empty one gets its quotes when it is printed.
fn looks_like_more(text: &str) -> bool {
    !text.is_empty() && (!is_text_to_1_1(text) || !matches!(plain_tag(text), Tag::Str | Tag::Timestamp))
}

/// Whether go-yaml v2, which Kustomize asks, reads a text without quotes as text. It reads a time as one.
fn is_text_to_1_1(text: &str) -> bool {
    matches!(resolve_plain(text).0, Kind::String | Kind::Timestamp)
}

impl Node {
    /// A string.
    pub fn string(text: impl Into<String>) -> Self {
        Self::Scalar(Scalar::string(text))
    }

    /// A scalar that means what its text looks like.
    pub fn plain(text: impl Into<String>) -> Self {
        Self::Scalar(Scalar::plain(text))
    }

    /// An explicit `null`.
    pub fn null() -> Self {
        Self::plain("null")
    }

    /// Whether this is `null`, explicit or not.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Scalar(s) if s.tag == Tag::Null)
    }

    /// Whether this is `null`, `{}` or `[]`.
    pub fn is_nil_or_empty(&self) -> bool {
        match self {
            Self::Scalar(s) => s.tag == Tag::Null,
            Self::Seq(items) => items.is_empty(),
            Self::Map(fields) => fields.is_empty(),
        }
    }

    /// The text of a scalar.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Scalar(s) => Some(&s.text),
            _ => None,
        }
    }

    /// The value under a key of a mapping.
    pub fn get(&self, key: &str) -> Option<&Node> {
        match self {
            Self::Map(fields) => fields.iter().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        }
    }

    /// The value under a key of a mapping, for change.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        match self {
            Self::Map(fields) => fields.iter_mut().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        }
    }

    /// The items of a sequence; none for other nodes.
    pub fn items(&self) -> &[Node] {
        match self {
            Self::Seq(items) => items,
            _ => &[],
        }
    }

    /// The fields of a mapping; none for other nodes.
    pub fn fields(&self) -> &[(String, Node)] {
        match self {
            Self::Map(fields) => fields,
            _ => &[],
        }
    }

    /// Puts a value under a key; does nothing to a node that is no mapping.
    pub fn set(&mut self, key: &str, value: Node) {
        if let Self::Map(fields) = self {
            match fields.iter_mut().find(|(k, _)| k == key) {
                Some((_, old)) => *old = value,
                None => fields.push((key.to_owned(), value)),
            }
        }
    }

    /// Puts a field into a mapping as Kustomize does: in the way the field is written that is there, if one is; otherwise in quotes where the
    /// text would be something else without. A key that is no text without quotes makes the mapping impossible to print.
    pub fn put(&mut self, key: &str, value: Scalar) {
        let Self::Map(fields) = self else { return };
        match fields.iter_mut().find(|(k, _)| k == key) {
            Some((_, Self::Scalar(old))) => old.put(value),
            Some((_, old)) => {
                *old = Self::Scalar(Scalar { quoted: false, ..value });
            }
            None => {
                let mut value = value;
                value.quote();
                fields.push((key.to_owned(), Self::Scalar(value)));
                if plain_tag(key) != Tag::Str && !fields.iter().any(|(k, _)| k == FAULT) {
                    fields.push(fault(NO_TEXT));
                }
            }
        }
    }

    /// The fields of a mapping but for what only says that it cannot be printed.
    pub fn readable(&self) -> impl Iterator<Item = &(String, Node)> {
        self.fields().iter().filter(|(key, _)| key != FAULT)
    }

    /// Removes and returns the value under a key.
    pub fn remove(&mut self, key: &str) -> Option<Node> {
        match self {
            Self::Map(fields) => {
                let at = fields.iter().position(|(k, _)| k == key)?;
                Some(fields.remove(at).1)
            }
            _ => None,
        }
    }

    /// The value under a key, an empty mapping put there first if there is none or a `null`. `None` if this is no mapping.
    pub fn get_or_map(&mut self, key: &str) -> Option<&mut Node> {
        if self.get(key).is_none_or(Node::is_null) {
            self.set(key, Self::Map(Vec::new()));
        }
        self.get_mut(key)
    }

    /// The value as it is once it was printed and read again, which Kustomize does on the way to JSON.
    pub fn to_yaml(&self) -> Result<Yaml, Error> {
        self.value(&scalar_value)
    }

    /// The value as it is without printing it: nothing inside brackets is nothing.
    pub fn decode(&self) -> Result<Yaml, Error> {
        self.value(&|scalar| match scalar.tag {
            Tag::Null if scalar.text.is_empty() => Ok(Yaml::Null),
            _ => scalar_value(scalar),
        })
    }

    fn value(&self, scalar: &dyn Fn(&Scalar) -> Result<Yaml, Error>) -> Result<Yaml, Error> {
        Ok(match self {
            Self::Scalar(here) => scalar(here)?,
            Self::Seq(items) => Yaml::Seq(items.iter().map(|i| i.value(scalar)).collect::<Result<_, _>>()?),
            Self::Map(fields) => {
                let mut entries = Vec::with_capacity(fields.len());
                for (key, value) in fields {
                    entries.push((key.clone(), value.value(scalar)?));
                }
                entries.sort_by(|a, b| a.0.cmp(&b.0));
                Yaml::Map(entries)
            }
        })
    }
}

impl From<&Yaml> for Node {
    fn from(value: &Yaml) -> Self {
        match value {
            Yaml::Null => Self::null(),
            Yaml::Bool(b) => Self::Scalar(Scalar::tagged(b.to_string(), Tag::Bool)),
            Yaml::Int(i) => Self::Scalar(Scalar::tagged(i.to_string(), Tag::Int)),
            Yaml::Uint(u) => Self::Scalar(Scalar::tagged(u.to_string(), Tag::Int)),
            Yaml::Float(f) => {
                let text = crate::format_json_float(*f);
                Self::plain(text)
            }
            Yaml::String(s) => {
                let scalar = Scalar::string(s.clone());
                let quoted = scalar.quoted || is_timestamp(s) || !is_printed_plain(value, s);
                Self::Scalar(Scalar { quoted, ..scalar })
            }
            Yaml::Seq(items) => Self::Seq(items.iter().map(Self::from).collect()),
            Yaml::Map(fields) => Self::Map(fields.iter().map(|(k, v)| (k.clone(), Self::from(v))).collect()),
        }
    }
}

/// Whether text is printed without quotes and in one piece.
fn is_printed_plain(value: &Yaml, text: &str) -> bool {
    let is_simple = |b: u8| b.is_ascii_alphanumeric() || b"_./-=@+:".contains(&b);
    if text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/')
        && text.bytes().all(is_simple)
        && !text.ends_with(':')
        && !is_base60(text)
    {
        return true;
    }
    !crate::to_string(value).starts_with(['"', '\'', '|', '>'])
}

/// What a scalar without a tag or quotes means.
fn plain_tag(text: &str) -> Tag {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "n" | "N" | "no" | "No" | "NO" | "off" | "Off"
        | "OFF" => Tag::Str,
        _ if octal(text).is_some() => Tag::Int,
        _ => match resolve_plain(text).0 {
            Kind::Null => Tag::Null,
            Kind::Bool => Tag::Bool,
            Kind::Int => Tag::Int,
            Kind::Float => Tag::Float,
            Kind::Timestamp => Tag::Timestamp,
            Kind::String => Tag::Str,
        },
    }
}

/// YAML 1.2's `0o17`.
fn octal(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = digits.strip_prefix("0o")?;
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    i64::from_str_radix(digits, 8).ok().map(|n| sign * n)
}

/// Why a mapping is no mapping of JSON.
const NO_TEXT: &str = "unsupported map: a key is no text; put it in quotes";

fn fault(why: impl Into<String>) -> (String, Node) {
    (FAULT.to_owned(), Node::Scalar(Scalar::tagged(why, Tag::Unreadable)))
}

/// What a scalar becomes when it is printed and read again.
fn scalar_value(scalar: &Scalar) -> Result<Yaml, Error> {
    let fail = |message: String| Error::at(ErrorKind::Decode, message, 0, 0);
    let tagged = |tag: &str| resolve_tagged(&format!("tag:yaml.org,2002:{tag}"), scalar.text.clone()).map_err(fail);
    // A tag that the text suggests anyway is not printed, and what is printed in quotes without a tag is text.
    let is_plain = !scalar.tagged && plain_tag(&scalar.text) == scalar.tag;
    let value = match scalar.tag {
        Tag::Str | Tag::Custom => Yaml::String(scalar.text.clone()),
        Tag::Unreadable => return Err(fail(scalar.text.clone())),
        Tag::Open if scalar.quoted => Yaml::String(scalar.text.clone()),
        Tag::Open => return scalar_value(&Scalar::plain(scalar.text.clone())),
        Tag::Binary => tagged("binary")?,
        _ if is_plain && scalar.quoted => Yaml::String(scalar.text.clone()),
        Tag::Null if plain_tag(&scalar.text) == Tag::Null => Yaml::Null,
        Tag::Null => return Err(fail("cannot decode a scalar as a !!null".to_owned())),
        Tag::Bool if plain_tag(&scalar.text) != Tag::Bool => {
            return Err(fail("cannot decode a scalar as a !!bool".to_owned()));
        }
        Tag::Bool => tagged("bool")?,
        Tag::Int => match octal(&scalar.text) {
            Some(number) => Yaml::Int(number),
            None => tagged("int")?,
        },
        Tag::Float => tagged("float")?,
        Tag::Timestamp if is_timestamp(&scalar.text) => Yaml::String(full_time(&scalar.text)),
        Tag::Timestamp => return Err(fail("cannot decode a scalar as a !!timestamp".to_owned())),
    };
    match value {
        Yaml::Float(f) if !f.is_finite() => Err(Error::at(ErrorKind::Json, "json: unsupported value", 0, 0)),
        other => Ok(other),
    }
}

/// A timestamp as Go's encoder writes a time: RFC 3339, trailing zeros of the fraction left out.
fn full_time(text: &str) -> String {
    if !is_timestamp(text) {
        return text.to_owned();
    }
    let (date, rest) = match text.find(['T', 't', ' ']) {
        Some(at) => (
            text.get(..at).unwrap_or_default(),
            text.get(at + 1..).unwrap_or_default(),
        ),
        None => (text, ""),
    };
    let pad = |part: &str| format!("{part:0>2}");
    let date: Vec<String> = date.split('-').map(pad).collect();
    let date = date.join("-");
    let rest = rest.trim();
    if rest.is_empty() {
        return format!("{date}T00:00:00Z");
    }
    let zone_at = rest.find(['Z', '+', '-']).unwrap_or(rest.len());
    let (clock, zone) = (
        rest.get(..zone_at).unwrap_or_default().trim(),
        rest.get(zone_at..).unwrap_or_default(),
    );
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let clock: Vec<String> = clock.split(':').map(pad).collect();
    let fraction = fraction.trim_end_matches('0');
    let dot = if fraction.is_empty() { "" } else { "." };
    let zone = match zone {
        "" | "+00:00" | "-00:00" => "Z",
        other => other,
    };
    format!("{date}T{}{dot}{fraction}{zone}", clock.join(":"))
}

/// Reads the first document of a text; `None` if there is none, or only comments.
pub fn parse_node(text: &str, limits: &Limits) -> Result<Option<Node>, Error> {
    if text.len() > limits.max_bytes {
        let message = format!(
            "document is {} bytes long, more than the {} allowed",
            text.len(),
            limits.max_bytes
        );
        return Err(Error::at(ErrorKind::Limit, message, 1, 1));
    }
    let mut builder = Builder {
        events: Events::new(text),
        limits: *limits,
        nodes: 0,
        flow: 0,
        anchors: HashMap::new(),
    };
    match builder.events.next()?.0 {
        Event::StreamEnd => return Ok(None),
        Event::DocumentStart => {}
        _ => return Err(Error::syntax("did not find expected <document start>", 1, 1, 0)),
    }
    let (event, place) = builder.events.next()?;
    if matches!(event, Event::DocumentEnd) {
        return Ok(None);
    }
    let node = builder.node(event, place, 0)?;
    builder.events.next()?;
    Ok(Some(node))
}

/// Fields of a mapping above which keys are looked up and not compared.
const FEW: usize = 16;

/// The lines on which the keys of a mapping stand.
#[derive(Default)]
struct Places {
    lines: Vec<usize>,
    by_key: HashMap<String, usize>,
}

impl Places {
    /// Notes a key that is to become the next field; the line of the one that is there already, if there is one.
    fn insert(&mut self, fields: &[(String, Node)], key: &str, line: usize) -> Option<usize> {
        if fields.len() < FEW {
            let known = fields.iter().position(|(k, _)| k == key);
            if let Some(at) = known {
                return Some(self.lines.get(at).copied().unwrap_or_default());
            }
            self.lines.push(line);
            return None;
        }
        if self.by_key.is_empty() {
            let lines = self.lines.iter().copied().chain(std::iter::repeat(0));
            self.by_key = fields.iter().map(|(k, _)| k.clone()).zip(lines).collect();
        }
        match self.by_key.get(key) {
            Some(line) => Some(*line),
            None => {
                self.by_key.insert(key.to_owned(), line);
                None
            }
        }
    }
}

struct Builder<'a> {
    events: Events<'a>,
    limits: Limits,
    nodes: usize,
    /// Brackets and braces around.
    flow: usize,
    /// Finished nodes by anchor, with how many nodes each holds. An open one is not there: it cannot contain itself.
    anchors: HashMap<String, (Node, usize)>,
}

impl Builder<'_> {
    fn count(&mut self, more: usize, place: Place) -> Result<(), Error> {
        self.nodes = self.nodes.saturating_add(more);
        if self.nodes > self.limits.max_nodes {
            let message = format!("more than {} nodes after aliases are expanded", self.limits.max_nodes);
            return Err(Error::at(ErrorKind::Limit, message, place.line, place.column));
        }
        Ok(())
    }

    fn node(&mut self, event: Event<'_>, place: Place, depth: usize) -> Result<Node, Error> {
        if depth > self.limits.max_depth {
            let message = format!("nested deeper than {}", self.limits.max_depth);
            return Err(Error::at(ErrorKind::Limit, message, place.line, place.column));
        }
        self.count(1, place)?;
        let before = self.nodes;
        let (anchor, node) = match event {
            Event::Alias { anchor } => {
                let Some((node, size)) = self.anchors.get(anchor).cloned() else {
                    let message = format!("unknown anchor '{anchor}' referenced");
                    return Err(Error::at(ErrorKind::Decode, message, place.line, place.column));
                };
                self.count(size, place)?;
                return Ok(node);
            }
            Event::Scalar {
                anchor,
                tag,
                value,
                plain,
                quoted,
            } => {
                let tagged = tag.is_some();
                let tag = match tag.as_deref().and_then(|t| t.strip_prefix("tag:yaml.org,2002:")) {
                    Some("null") => Tag::Null,
                    Some("bool") => Tag::Bool,
                    Some("int") => Tag::Int,
                    Some("float") => Tag::Float,
                    Some("timestamp") => Tag::Timestamp,
                    Some("binary") => Tag::Binary,
                    Some("str") => Tag::Str,
                    Some(_) => Tag::Custom,
                    None if plain => plain_tag(&value),
                    None if tagged => Tag::Custom,
                    None => Tag::Str,
                };
                let text = value.into_owned();
                let scalar = Scalar {
                    // Inside brackets, nothing is printed as empty text.
                    quoted: quoted || (self.flow > 0 && text.is_empty()),
                    text,
                    tag,
                    tagged,
                };
                (anchor.map(str::to_owned), Node::Scalar(scalar))
            }
            Event::SequenceStart { anchor, flow } => {
                let anchor = anchor.map(str::to_owned);
                let mut items = Vec::new();
                self.flow += usize::from(flow);
                loop {
                    let (event, place) = self.events.next()?;
                    if matches!(event, Event::SequenceEnd) {
                        break;
                    }
                    items.push(self.node(event, place, depth + 1)?);
                }
                self.flow -= usize::from(flow);
                (anchor, Node::Seq(items))
            }
            Event::MappingStart { anchor, flow } => {
                let anchor = anchor.map(str::to_owned);
                self.flow += usize::from(flow);
                let mapping = self.mapping(depth)?;
                self.flow -= usize::from(flow);
                (anchor, mapping)
            }
            Event::StreamEnd | Event::DocumentStart | Event::DocumentEnd | Event::SequenceEnd | Event::MappingEnd => {
                return Err(Error::syntax(
                    "did not find expected node content",
                    place.line,
                    place.column,
                    place.line,
                ));
            }
        };
        if let Some(anchor) = anchor {
            let size = self.nodes - before + 1;
            self.anchors.insert(anchor, (node.clone(), size));
        }
        Ok(node)
    }

    fn mapping(&mut self, depth: usize) -> Result<Node, Error> {
        let mut fields: Vec<(String, Node)> = Vec::new();
        let mut places = Places::default();
        let mut merged: Vec<Node> = Vec::new();
        let mut wrong = None;
        loop {
            let (event, place) = self.events.next()?;
            if matches!(event, Event::MappingEnd) {
                break;
            }
            let merge = matches!(&event, Event::Scalar { value, plain: true, .. } if value == "<<");
            let (key, tag) = match self.node(event, place, depth + 1)? {
                Node::Scalar(scalar) => {
                    let is_text = scalar.quoted && !scalar.tagged;
                    (scalar.text, if is_text { Tag::Str } else { scalar.tag })
                }
                _ => (String::new(), Tag::Unreadable),
            };
            let (event, value_place) = self.events.next()?;
            let value = self.node(event, value_place, depth + 1)?;
            if merge {
                match value {
                    Node::Seq(items) => merged.extend(items),
                    other => merged.push(other),
                }
                continue;
            }
            match tag {
                Tag::Unreadable => wrong = Some(format!("line {}: invalid map key: a mapping or sequence", place.line)),
                // A null is taken for another key each time it is looked at, and stands there twice in the end.
                Tag::Null => wrong = Some(format!("line {}: mapping key null already defined", place.line)),
                // The outermost mapping takes every other key for text.
                Tag::Str | Tag::Binary => {}
                _ if depth == 0 => {}
                _ => wrong = Some(format!("line {}: {NO_TEXT}", place.line)),
            }
            if let Some(line) = places.insert(&fields, &key, place.line) {
                wrong = Some(format!(
                    "line {}: mapping key {key:?} already defined at line {line}",
                    place.line
                ));
                continue;
            }
            fields.push((key, value));
        }
        fields.extend(wrong.map(fault));
        for source in merged {
            let Node::Map(source) = source else {
                return Err(Error::at(
                    ErrorKind::Decode,
                    "map merge requires map or sequence of maps as the value",
                    0,
                    0,
                ));
            };
            for (key, value) in source {
                if places.insert(&fields, &key, 0).is_none() {
                    fields.push((key, value));
                }
            }
        }
        Ok(Node::Map(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> String {
        let node = parse_node(text, &Limits::default()).ok().flatten();
        let value = node.and_then(|n| n.to_yaml().ok());
        value.map_or("error".into(), |v| crate::to_json_string(&v))
    }

    #[test]
    fn speaks_version_three() {
        assert_eq!(
            json("a: yes\nb: 0o17\nc: 017\nd: 1.0\ne: True\nf:\n"),
            r#"{"a":"yes","b":15,"c":15,"d":1,"e":true,"f":null}"#
        );
        assert_eq!(
            json("a: 2020-01-02\nb: 2001-12-14t21:59:43.10-05:00"),
            r#"{"a":"2020-01-02T00:00:00Z","b":"2001-12-14T21:59:43.1-05:00"}"#
        );
        assert_eq!(
            json("x: &a {b: 1}\ny: {<<: *a, c: 2}\nz: *a"),
            r#"{"x":{"b":1},"y":{"b":1,"c":2},"z":{"b":1}}"#
        );
    }

    #[test]
    fn a_key_may_stand_once() {
        assert_eq!(json("a: 1\na: 2"), "error");
        // Read, and refused only when it is printed.
        assert!(parse_node("a: {{ x }}", &Limits::default()).is_ok());
        assert_eq!(json("a: {{ x }}"), "error");
        assert!(parse_node("# nothing\n", &Limits::default()).is_ok_and(|n| n.is_none()));
    }

    #[test]
    fn aliases_and_depth_are_bounded() {
        let mut text = "a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n".to_owned();
        for i in 1..9 {
            let before = i - 1;
            let row = vec![format!("*a{before}"); 10].join(",");
            text.push_str(&format!("a{i}: &a{i} [{row}]\n"));
        }
        assert!(parse_node(&text, &Limits::default()).is_err());
        assert!(parse_node(&"[".repeat(5000), &Limits::default()).is_err());
    }
}
