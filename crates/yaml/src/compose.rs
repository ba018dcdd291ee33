//! Events to values: anchors, aliases, merge keys, duplicate keys, and what they may cost.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::event::{Event, Events, Place};
use crate::number::format_key_float;
use crate::resolve::{resolve_plain, resolve_tagged};
use crate::{Error, ErrorKind, Limits, Parts, Yaml, simple};

/// Reads the first document of a text, as `sigs.k8s.io/yaml.Unmarshal` does; an empty text is [`Yaml::Null`].
///
/// What follows the first document is not looked at; [`parse_all`](crate::parse_all) reads a stream.
///
/// ```
/// use pintle_yaml::{Yaml, parse};
/// assert!(parse("on").is_ok_and(|value| value == Yaml::Bool(true)));
/// let error = parse("a: 1\nb: c: 2").err().map(|error| error.to_string());
/// assert_eq!(error.as_deref(), Some("yaml: line 2: mapping values are not allowed in this context"));
/// ```
pub fn parse(text: &str) -> Result<Yaml, Error> {
    parse_with(text, &Limits::default())
}

/// Reads the first document of a text within the given limits; see [`parse`].
pub fn parse_with(text: &str, limits: &Limits) -> Result<Yaml, Error> {
    read(text, limits, Parts::All)
}

/// Reads the first document of a text for some of its values; it fails as [`parse`] does, whatever is wanted.
///
/// Values that are not wanted may be there or not.
pub fn parse_parts(text: &str, parts: Parts<'_>) -> Result<Yaml, Error> {
    read(text, &Limits::default(), parts)
}

fn read(text: &str, limits: &Limits, parts: Parts<'_>) -> Result<Yaml, Error> {
    if text.len() > limits.max_bytes {
        let message = format!(
            "document is {} bytes long, more than the {} allowed",
            text.len(),
            limits.max_bytes
        );
        return Err(Error::at(ErrorKind::Limit, message, 1, 1));
    }
    match simple::read(text, limits, parts) {
        Some(value) => Ok(value),
        None => compose(text, limits),
    }
}

/// Reads any text: what [`simple::read`] does not answer.
pub(crate) fn compose(text: &str, limits: &Limits) -> Result<Yaml, Error> {
    let mut events = Events::new(text);
    match events.next()?.0 {
        Event::StreamEnd => return Ok(Yaml::Null),
        Event::DocumentStart => {}
        _ => return Err(Error::syntax("did not find expected <document start>", 1, 1, 0)),
    }
    let mut composer = Composer::new(limits);
    loop {
        let (event, place) = events.next()?;
        if matches!(event, Event::DocumentEnd | Event::StreamEnd) {
            break;
        }
        if composer.failure.is_some() {
            // go-yaml reads the whole document before it decodes: a later syntax error is the one it reports.
            composer.check_names(&event, place)?;
            continue;
        }
        match composer.accept(event, place) {
            Ok(()) => {}
            Err(error) if matches!(error.kind, ErrorKind::Limit | ErrorKind::Syntax) => return Err(error),
            Err(error) => composer.failure = Some(error),
        }
    }
    match composer.failure.or(composer.bad_key) {
        Some(error) => Err(error),
        None => finish(composer.root.unwrap_or(Yaml::Null), composer.saw_not_finite),
    }
}

/// Rejects what JSON cannot say. The walk happens only when such a number was seen: a later duplicate key may have dropped it.
fn finish(value: Yaml, saw_not_finite: bool) -> Result<Yaml, Error> {
    match saw_not_finite.then(|| first_not_finite(&value)).flatten() {
        Some(float) => {
            let name = if float.is_nan() {
                "NaN"
            } else if float > 0.0 {
                "+Inf"
            } else {
                "-Inf"
            };
            Err(Error::at(
                ErrorKind::Json,
                format!("json: unsupported value: {name}"),
                0,
                0,
            ))
        }
        None => Ok(value),
    }
}

fn first_not_finite(value: &Yaml) -> Option<f64> {
    match value {
        Yaml::Float(float) => (!float.is_finite()).then_some(*float),
        Yaml::Seq(items) => items.iter().find_map(first_not_finite),
        Yaml::Map(entries) => entries.iter().find_map(|(_, value)| first_not_finite(value)),
        _ => None,
    }
}

/// A finished value and what it costs to have it again.
#[derive(Clone)]
struct Node {
    value: Yaml,
    /// Decode operations inside, this one included: what an alias to it costs.
    nodes: usize,
    /// Sequences and mappings inside one another, this one included.
    height: usize,
    /// It stands here through an alias.
    from_alias: bool,
}

/// What an anchor names.
enum Anchor {
    /// The node is still open: an alias here would contain itself.
    Open,
    Done(Node),
}

/// A sequence or mapping that is still open.
struct Frame {
    content: Content,
    anchor: Option<String>,
    /// [`Composer::decoded`] before this node.
    decoded_before: usize,
    height: usize,
}

enum Content {
    Seq(Vec<Yaml>),
    Map {
        entries: Vec<(String, Yaml)>,
        sorted: bool,
        key: Key,
    },
}

/// What a mapping waits for.
enum Key {
    /// A key.
    Wanted,
    /// The value of this key.
    Of(String),
    /// The value of a `<<`.
    Merge,
}

/// Builds the value of one document.
struct Composer<'a> {
    limits: &'a Limits,
    stack: Vec<Frame>,
    anchors: HashMap<String, Anchor>,
    root: Option<Yaml>,
    /// The first error that is not a syntax error.
    failure: Option<Error>,
    /// The first key that JSON has no form for.
    bad_key: Option<Error>,
    saw_not_finite: bool,
    /// go-yaml's decode operations: every node, those behind aliases each time.
    decoded: usize,
    /// Those of them that came from aliases.
    decoded_by_alias: usize,
    /// Nodes copied for anchors: nested anchors over one large value would multiply it.
    anchored: usize,
}

impl<'a> Composer<'a> {
    fn new(limits: &'a Limits) -> Composer<'a> {
        Composer {
            limits,
            stack: Vec::new(),
            anchors: HashMap::new(),
            root: None,
            failure: None,
            bad_key: None,
            saw_not_finite: false,
            // The document itself is go-yaml's first operation.
            decoded: 1,
            decoded_by_alias: 0,
            anchored: 0,
        }
    }

    fn accept(&mut self, event: Event<'_>, place: Place) -> Result<(), Error> {
        match event {
            Event::Scalar {
                anchor,
                tag,
                value,
                plain,
                ..
            } => self.scalar(anchor, tag, value, plain, place),
            Event::SequenceStart { anchor, .. } => self.open(Content::Seq(Vec::new()), anchor, place),
            Event::MappingStart { anchor, .. } => {
                let content = Content::Map {
                    entries: Vec::new(),
                    sorted: true,
                    key: Key::Wanted,
                };
                self.open(content, anchor, place)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(place),
            Event::Alias { anchor } => self.alias(anchor, place),
            Event::StreamEnd | Event::DocumentStart | Event::DocumentEnd => Ok(()),
        }
    }

    fn scalar(
        &mut self,
        anchor: Option<&str>,
        tag: Option<String>,
        text: Cow<'_, str>,
        plain: bool,
        place: Place,
    ) -> Result<(), Error> {
        if text == "<<"
            && (plain || tag.as_deref() == Some("tag:yaml.org,2002:merge"))
            && let Some(Frame {
                content: Content::Map {
                    key: key @ Key::Wanted, ..
                },
                ..
            }) = self.stack.last_mut()
        {
            *key = Key::Merge;
            if let Some(anchor) = anchor {
                let value = Yaml::String(text.into_owned());
                self.anchors.insert(
                    anchor.to_owned(),
                    Anchor::Done(Node {
                        value,
                        nodes: 1,
                        height: 0,
                        from_alias: false,
                    }),
                );
            }
            return Ok(());
        }
        self.count(1, 0, place)?;
        let value = match tag {
            None if !plain => Yaml::String(text.into_owned()),
            None => match resolve_plain(&text) {
                (_, Some(value)) => value,
                (_, None) => Yaml::String(text.into_owned()),
            },
            Some(tag) => resolve_tagged(&tag, text.into_owned())
                .map_err(|message| Error::at(ErrorKind::Decode, message, place.line, place.column))?,
        };
        if let Yaml::Float(float) = value {
            self.saw_not_finite |= !float.is_finite();
        }
        let node = Node {
            value,
            nodes: 1,
            height: 0,
            from_alias: false,
        };
        if let Some(anchor) = anchor {
            self.remember(anchor.to_owned(), &node, place)?;
        }
        self.put(node, place)
    }

    fn open(&mut self, content: Content, anchor: Option<&str>, place: Place) -> Result<(), Error> {
        if self.stack.len() >= self.limits.max_depth {
            return Err(self.too_deep(place));
        }
        let decoded_before = self.decoded;
        self.count(1, 0, place)?;
        let anchor = anchor.map(str::to_owned);
        if let Some(anchor) = &anchor {
            self.anchors.insert(anchor.clone(), Anchor::Open);
        }
        self.stack.push(Frame {
            content,
            anchor,
            decoded_before,
            height: 1,
        });
        Ok(())
    }

    fn close(&mut self, place: Place) -> Result<(), Error> {
        let Some(frame) = self.stack.pop() else { return Ok(()) };
        let value = match frame.content {
            Content::Seq(items) => Yaml::Seq(items),
            Content::Map {
                entries, sorted: true, ..
            } => Yaml::Map(entries),
            Content::Map { entries, .. } => Yaml::Map(sort_last_wins(entries)),
        };
        let node = Node {
            value,
            nodes: self.decoded - frame.decoded_before,
            height: frame.height,
            from_alias: false,
        };
        if let Some(anchor) = frame.anchor {
            self.remember(anchor, &node, place)?;
        }
        self.put(node, place)
    }

    fn alias(&mut self, name: &str, place: Place) -> Result<(), Error> {
        let decode_error = |message| Error::at(ErrorKind::Decode, message, place.line, place.column);
        let node = match self.anchors.get(name) {
            None => return Err(unknown_anchor(name, place)),
            Some(Anchor::Open) => return Err(decode_error(format!("anchor '{name}' value contains itself"))),
            Some(Anchor::Done(node)) => node,
        };
        let (nodes, height) = (node.nodes, node.height);
        if self.stack.len() + height > self.limits.max_depth {
            return Err(self.too_deep(place));
        }
        // Counted before the copy is made: the count is what keeps a bomb from going off.
        self.count(nodes + 1, nodes, place)?;
        match self.anchors.get(name) {
            Some(Anchor::Done(node)) => {
                let node = Node {
                    from_alias: true,
                    ..node.clone()
                };
                self.put(node, place)
            }
            _ => Ok(()),
        }
    }

    /// After a failure: only what go-yaml checks while it reads, that an alias has an anchor before it.
    fn check_names(&mut self, event: &Event<'_>, place: Place) -> Result<(), Error> {
        match *event {
            Event::Alias { anchor } if !self.anchors.contains_key(anchor) => Err(unknown_anchor(anchor, place)),
            Event::Scalar {
                anchor: Some(anchor), ..
            }
            | Event::SequenceStart {
                anchor: Some(anchor), ..
            }
            | Event::MappingStart {
                anchor: Some(anchor), ..
            } => {
                self.anchors.insert(anchor.to_owned(), Anchor::Open);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Counts decode operations, and refuses what go-yaml refuses and what our limits refuse.
    fn count(&mut self, nodes: usize, by_alias: usize, place: Place) -> Result<(), Error> {
        self.decoded += nodes;
        self.decoded_by_alias += by_alias;
        let limit_error = |message: String| Err(Error::at(ErrorKind::Limit, message, place.line, place.column));
        if self.decoded_by_alias > 100
            && self.decoded > 1000
            && self.decoded_by_alias as f64 / self.decoded as f64 > allowed_alias_ratio(self.decoded)
        {
            return limit_error("document contains excessive aliasing".to_owned());
        }
        if self.decoded > self.limits.max_nodes {
            return limit_error(format!("document has more than {} nodes", self.limits.max_nodes));
        }
        Ok(())
    }

    fn too_deep(&self, place: Place) -> Error {
        let message = format!("exceeded max depth of {}", self.limits.max_depth);
        Error::at(ErrorKind::Limit, message, place.line, place.column)
    }

    fn remember(&mut self, anchor: String, node: &Node, place: Place) -> Result<(), Error> {
        self.anchored += node.nodes;
        if self.anchored > self.limits.max_nodes {
            let message = format!("document has more than {} nodes under anchors", self.limits.max_nodes);
            return Err(Error::at(ErrorKind::Limit, message, place.line, place.column));
        }
        self.anchors.insert(anchor, Anchor::Done(node.clone()));
        Ok(())
    }

    /// Gives a finished value to what waits for it.
    fn put(&mut self, node: Node, place: Place) -> Result<(), Error> {
        let Some(frame) = self.stack.last_mut() else {
            self.root = Some(node.value);
            return Ok(());
        };
        frame.height = frame.height.max(node.height + 1);
        match &mut frame.content {
            Content::Seq(items) => items.push(node.value),
            Content::Map { entries, sorted, key } => match std::mem::replace(key, Key::Wanted) {
                Key::Wanted => {
                    *key = Key::Of(match key_text(node.value, place) {
                        Ok(text) => text,
                        Err(error) if error.kind == ErrorKind::Json => {
                            // The peer reads the whole document before it turns keys into strings.
                            self.bad_key.get_or_insert(error);
                            String::new()
                        }
                        Err(error) => return Err(error),
                    });
                }
                Key::Of(key) => push(entries, sorted, key, node.value),
                Key::Merge => merge(entries, sorted, node, place)?,
            },
        }
        Ok(())
    }
}

/// go-yaml meets an alias without an anchor while it still reads, so this goes before every decode error.
fn unknown_anchor(name: &str, place: Place) -> Error {
    Error::at(
        ErrorKind::Syntax,
        format!("unknown anchor '{name}' referenced"),
        place.line,
        place.column,
    )
}

fn push(entries: &mut Vec<(String, Yaml)>, sorted: &mut bool, key: String, value: Yaml) {
    *sorted = *sorted && entries.last().is_none_or(|(last, _)| *last < key);
    entries.push((key, value));
}

/// Sorts entries by key; of equal keys the last one in the text stays.
pub(crate) fn sort_last_wins(mut entries: Vec<(String, Yaml)>) -> Vec<(String, Yaml)> {
    // Stable, so equal keys stay in the order of the text.
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    entries.dedup_by(|later, earlier| {
        let same = later.0 == earlier.0;
        if same {
            std::mem::swap(later, earlier);
        }
        same
    });
    entries
}

/// `<<`: the entries go in as if they stood here. go-yaml lets them override keys before, and keys after override them.
fn merge(entries: &mut Vec<(String, Yaml)>, sorted: &mut bool, node: Node, place: Place) -> Result<(), Error> {
    let not_a_map = || {
        let message = "map merge requires map or sequence of maps as the value";
        Error::at(ErrorKind::Decode, message, place.line, place.column)
    };
    let maps = match node.value {
        map @ Yaml::Map(_) => vec![map],
        // A list has to stand here itself.
        Yaml::Seq(items) if !node.from_alias => items,
        _ => return Err(not_a_map()),
    };
    // Earlier maps of the list take precedence, so they go in last.
    for map in maps.into_iter().rev() {
        let Yaml::Map(merged) = map else {
            return Err(not_a_map());
        };
        for (key, value) in merged {
            push(entries, sorted, key, value);
        }
    }
    Ok(())
}

/// A key as `sigs.k8s.io/yaml` turns it into a string.
pub(crate) fn key_text(value: Yaml, place: Place) -> Result<String, Error> {
    let error = |kind, message: &str| Err(Error::at(kind, message, place.line, place.column));
    match value {
        Yaml::String(text) => Ok(text),
        Yaml::Int(int) => Ok(int.to_string()),
        Yaml::Float(float) => Ok(format_key_float(float)),
        Yaml::Bool(true) => Ok("true".to_owned()),
        Yaml::Bool(false) => Ok("false".to_owned()),
        // Go prints key and value after these words; the value may be a secret.
        Yaml::Null => error(ErrorKind::Json, "unsupported map key of type: %!s(<nil>)"),
        Yaml::Uint(_) => error(ErrorKind::Json, "unsupported map key of type: uint64"),
        Yaml::Seq(_) | Yaml::Map(_) => error(ErrorKind::Decode, "invalid map key"),
    }
}

/// The share of decode operations that go-yaml lets aliases have: 99 % up to 400,000 operations, 10 % from 4,000,000 on.
fn allowed_alias_ratio(decoded: usize) -> f64 {
    const LOW: usize = 400_000;
    const HIGH: usize = 4_000_000;
    if decoded <= LOW {
        0.99
    } else if decoded >= HIGH {
        0.10
    } else {
        0.99 - 0.89 * ((decoded - LOW) as f64 / (HIGH - LOW) as f64)
    }
}
