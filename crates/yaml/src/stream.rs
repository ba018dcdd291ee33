//! Streams of documents, split as Kubernetes splits them.

use std::ops::Range;

use crate::resolve::shorten;
use crate::{Error, ErrorKind, Limits, Yaml, parse_with};

/// One document of a stream, readable or not.
///
/// There is no `Debug`: the value may be a Secret.
#[derive(Clone, PartialEq)]
pub struct Document {
    /// Position among the documents of the stream, from 0.
    pub index: usize,
    /// The line of the stream on which the text begins, from 1. Lines in [`Error`] count from the document's own start.
    pub line: usize,
    /// Where the text stands in the stream, in bytes, without the separator before it.
    pub range: Range<usize>,
    /// The value, `Yaml::Null` for a document of comments only; or why it cannot be read.
    pub result: Result<Yaml, Error>,
}

/// Reads every document of a stream; one that cannot be read leaves the others alone.
///
/// The text is split on lines that begin with `---` before any of it is parsed, as apimachinery's `YAMLReader`
/// does (pkg/util/yaml/decoder.go), so nothing but space or a comment may follow the dashes; where something
/// does, the peer gives up on the stream and we on the document behind it. Nothing between two separators is no document.
///
/// ```
/// let documents = pintle_yaml::parse_all("---\na: 1\n---\nb: c: d\n---\n# nothing\n");
/// let readable: Vec<bool> = documents.iter().map(|document| document.result.is_ok()).collect();
/// assert_eq!(readable, [true, false, true]);
/// ```
pub fn parse_all(text: &str) -> Vec<Document> {
    parse_all_with(text, &Limits::default())
}

/// Reads every document of a stream, each within the given limits; see [`parse_all`].
pub fn parse_all_with(text: &str, limits: &Limits) -> Vec<Document> {
    let mut documents = Vec::new();
    for piece in split(text) {
        let result = match piece.bad_separator {
            Some(after) => Err(Error::at(
                ErrorKind::Syntax,
                format!("invalid Yaml document separator: {}", shorten(after)),
                1,
                1,
            )),
            None => parse_with(text.get(piece.range.clone()).unwrap_or_default(), limits),
        };
        documents.push(Document {
            index: documents.len(),
            line: piece.line,
            range: piece.range,
            result,
        });
    }
    documents
}

/// The byte ranges of the documents of a stream, unparsed; see [`parse_all`] for the rule.
///
/// A document behind a separator that Kubernetes refuses is in the list too.
pub fn split_documents(text: &str) -> Vec<Range<usize>> {
    split(text).into_iter().map(|piece| piece.range).collect()
}

/// A document's place in the stream.
struct Piece<'a> {
    line: usize,
    range: Range<usize>,
    /// What follows the dashes before it, where nothing may.
    bad_separator: Option<&'a str>,
}

fn split(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut open = Piece {
        line: 1,
        range: 0..0,
        bad_separator: None,
    };
    let mut offset = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let end = offset + line.len();
        if let Some(after) = line.strip_prefix("---") {
            let after = after.trim();
            let bad_separator = (!after.is_empty() && !after.starts_with('#')).then_some(after);
            // A refused separator is kept even with nothing behind it: it must not vanish silently.
            let next = Piece {
                line: index + 2,
                range: end..end,
                bad_separator,
            };
            let done = std::mem::replace(&mut open, next);
            if !done.range.is_empty() || done.bad_separator.is_some() {
                pieces.push(done);
            }
        } else {
            open.range.end = end;
        }
        offset = end;
    }
    if !open.range.is_empty() || open.bad_separator.is_some() {
        pieces.push(open);
    }
    pieces
}
