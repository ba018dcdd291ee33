//! Parsing events: libyaml's lineage, with go-yaml v2's stricter rules put back.

use std::io::BufReader;
use std::panic::{AssertUnwindSafe, catch_unwind};

use libyaml_safer::{Encoding, EventData, Parser, ScalarStyle};

use crate::{Error, ErrorKind};

/// go-yaml reads its input in pieces of this many bytes; errors about forbidden characters appear in that order.
const CHUNK_BYTES: usize = 512;

/// One event of the first document.
pub(crate) enum Event {
    StreamEnd,
    DocumentStart,
    DocumentEnd,
    Alias {
        anchor: String,
    },
    /// `plain` is go-yaml's `implicit`: an unquoted scalar without a tag, or any with the tag `!`.
    Scalar {
        anchor: Option<String>,
        tag: Option<String>,
        value: String,
        plain: bool,
    },
    SequenceStart {
        anchor: Option<String>,
    },
    SequenceEnd,
    MappingStart {
        anchor: Option<String>,
    },
    MappingEnd,
}

/// A place in the text, from 1.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub line: usize,
    pub column: usize,
}

/// The events of a text.
pub(crate) struct Events<'a> {
    parser: Parser<BufReader<&'a [u8]>>,
    text: &'a str,
    has_slash_escape: bool,
}

impl<'a> Events<'a> {
    pub(crate) fn new(text: &'a str) -> Events<'a> {
        // A byte order mark is part of the encoding, not of the text.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut parser = Parser::new();
        parser.set_encoding(Encoding::Utf8);
        parser.set_input(BufReader::with_capacity(CHUNK_BYTES, text.as_bytes()));
        Events {
            parser,
            text,
            has_slash_escape: text.contains("\\/"),
        }
    }

    /// The next event and where it begins.
    pub(crate) fn next(&mut self) -> Result<(Event, Place), Error> {
        // libyaml-safer panics on some malformed input (a tag directly before a comma); nothing of the
        // parser is used again after an error, so a half-changed state is never seen.
        let parser = &mut self.parser;
        let event = catch_unwind(AssertUnwindSafe(|| parser.parse()))
            .map_err(|_| Error::syntax("did not find expected whitespace or line break", 0, 0, 0))?
            .map_err(|error| syntax_error(&error))?;
        let place = Place {
            line: event.start_mark.line as usize + 1,
            column: event.start_mark.column as usize + 1,
        };
        let mapped = match event.data {
            EventData::StreamStart { .. } => return self.next(),
            EventData::StreamEnd => Event::StreamEnd,
            EventData::DocumentStart { version_directive, .. } => {
                if version_directive.is_some_and(|version| (version.major, version.minor) != (1, 1)) {
                    return Err(Error::syntax(
                        "found incompatible YAML document",
                        place.line,
                        place.column,
                        place.line - 1,
                    ));
                }
                Event::DocumentStart
            }
            EventData::DocumentEnd { .. } => Event::DocumentEnd,
            EventData::Alias { anchor } => Event::Alias { anchor },
            EventData::Scalar {
                anchor,
                tag,
                value,
                plain_implicit,
                style,
                ..
            } => {
                if self.has_slash_escape && style == ScalarStyle::DoubleQuoted {
                    self.reject_slash_escape(event.start_mark.index as usize, event.end_mark.index as usize, place)?;
                }
                Event::Scalar {
                    anchor,
                    tag,
                    value,
                    plain: plain_implicit,
                }
            }
            EventData::SequenceStart { anchor, .. } => Event::SequenceStart { anchor },
            EventData::SequenceEnd => Event::SequenceEnd,
            EventData::MappingStart { anchor, .. } => Event::MappingStart { anchor },
            EventData::MappingEnd => Event::MappingEnd,
        };
        Ok((mapped, place))
    }

    /// `\/` came with YAML 1.2; go-yaml v2 does not know it.
    fn reject_slash_escape(&self, start: usize, end: usize, place: Place) -> Result<(), Error> {
        let source = self.text.get(start..end).unwrap_or_default().as_bytes();
        let mut line = place.line;
        let mut bytes = source.iter();
        while let Some(byte) = bytes.next() {
            match byte {
                b'\n' => line += 1,
                b'\\' if bytes.as_slice().first() == Some(&b'/') => {
                    return Err(Error::syntax(
                        "found unknown escape character",
                        line,
                        place.column,
                        line,
                    ));
                }
                b'\\' => {
                    if bytes.next() == Some(&b'\n') {
                        line += 1;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// An error in go-yaml's words: it prints a scanner's line from one, a parser's from zero, and never line 0.
fn syntax_error(error: &libyaml_safer::Error) -> Error {
    let problem = error.problem_mark();
    let mark = problem.filter(|mark| mark.line != 0);
    let printed_line = match mark {
        Some(mark) if error.kind() == libyaml_safer::ErrorKind::Scanner => mark.line as usize + 1,
        Some(mark) => mark.line as usize,
        None => error.context_mark().map_or(0, |mark| mark.line as usize),
    };
    let (line, column) = problem.map_or((0, 0), |mark| (mark.line as usize + 1, mark.column as usize + 1));
    let mut error = Error::syntax(error.problem(), line, column, printed_line);
    error.kind = ErrorKind::Syntax;
    error
}
