//! Tokens to events: libyaml's state machine, in go-yaml's words.
//!
//! The stack of states lives on the heap: nesting costs no thread stack here.

use std::borrow::Cow;

use crate::Error;
use crate::scan::{Mark, Scanner, Token, TokenKind};

/// One event of a document.
pub(crate) enum Event<'a> {
    StreamEnd,
    DocumentStart,
    DocumentEnd,
    Alias {
        anchor: &'a str,
    },
    /// `plain` is go-yaml's `implicit`: an unquoted scalar without a tag, or any with the tag `!`.
    Scalar {
        anchor: Option<&'a str>,
        tag: Option<String>,
        value: Cow<'a, str>,
        plain: bool,
        /// In quotes or in a block.
        quoted: bool,
    },
    /// `flow`: in brackets.
    SequenceStart {
        anchor: Option<&'a str>,
        flow: bool,
    },
    SequenceEnd,
    /// `flow`: in braces.
    MappingStart {
        anchor: Option<&'a str>,
        flow: bool,
    },
    MappingEnd,
}

/// A place in the text, from 1.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub line: usize,
    pub column: usize,
}

impl From<Mark> for Place {
    fn from(mark: Mark) -> Place {
        Place {
            line: mark.line + 1,
            column: mark.column + 1,
        }
    }
}

/// What is expected next.
#[derive(Clone, Copy)]
enum State {
    /// The first document, which needs no `---`.
    ImplicitDocument,
    Document,
    DocumentContent,
    DocumentEnd,
    BlockSequenceFirst,
    BlockSequence,
    IndentlessSequence,
    BlockMappingFirst,
    BlockMappingKey,
    BlockMappingValue,
    FlowSequenceFirst,
    FlowSequence,
    /// Inside the one-pair mapping of `[a: b]`.
    FlowPairKey,
    FlowPairValue,
    FlowPairEnd,
    FlowMappingFirst,
    FlowMappingKey,
    FlowMappingValue,
    FlowMappingEmptyValue,
    BlockNode,
    End,
}

/// What stands before a node.
struct Properties<'a> {
    start: Mark,
    anchor: Option<&'a str>,
    tag: Option<String>,
}

type Next<'a> = Result<(Event<'a>, Mark), Error>;

/// The events of a text.
pub(crate) struct Events<'a> {
    scanner: Scanner<'a>,
    state: State,
    states: Vec<State>,
    /// Where each open collection began.
    marks: Vec<Mark>,
    /// Handles and prefixes of `%TAG`.
    tags: Vec<(String, String)>,
}

impl<'a> Events<'a> {
    pub(crate) fn new(text: &'a str) -> Events<'a> {
        // A byte order mark is part of the encoding, not of the text.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Events {
            scanner: Scanner::new(text),
            state: State::ImplicitDocument,
            states: Vec::new(),
            marks: Vec::new(),
            tags: Vec::new(),
        }
    }

    /// The next event and where it begins.
    pub(crate) fn next(&mut self) -> Result<(Event<'a>, Place), Error> {
        let (event, mark) = match self.state {
            State::ImplicitDocument => self.document(true),
            State::Document => self.document(false),
            State::DocumentContent => self.document_content(),
            State::DocumentEnd => self.document_end(),
            State::BlockNode => self.node(true, false),
            State::BlockSequenceFirst => self.first(Self::block_sequence),
            State::BlockSequence => self.block_sequence(),
            State::IndentlessSequence => self.indentless_sequence(),
            State::BlockMappingFirst => self.first(Self::block_mapping_key),
            State::BlockMappingKey => self.block_mapping_key(),
            State::BlockMappingValue => self.block_mapping_value(),
            State::FlowSequenceFirst => self.first(|events| events.flow_sequence(true)),
            State::FlowSequence => self.flow_sequence(false),
            State::FlowPairKey => self.flow_pair_key(),
            State::FlowPairValue => self.flow_pair_value(),
            State::FlowPairEnd => self.flow_pair_end(),
            State::FlowMappingFirst => self.first(|events| events.flow_mapping_key(true)),
            State::FlowMappingKey => self.flow_mapping_key(false),
            State::FlowMappingValue => self.flow_mapping_value(),
            State::FlowMappingEmptyValue => self.flow_mapping_empty_value(),
            State::End => Ok((Event::StreamEnd, Mark::default())),
        }?;
        Ok((event, mark.into()))
    }

    fn peek(&mut self) -> Result<&Token<'a>, Error> {
        self.scanner.peek()
    }

    /// Takes the token that was peeked at and shows the next one.
    fn take_and_peek(&mut self) -> Result<&Token<'a>, Error> {
        self.scanner.take();
        self.scanner.peek()
    }

    fn pop_state(&mut self) {
        self.state = self.states.pop().unwrap_or(State::End);
    }

    /// An error of the parser: go-yaml prints its line from zero.
    fn error(context: Mark, problem: &str, mark: Mark) -> Error {
        let printed = if mark.line != 0 { mark.line } else { context.line };
        Error::syntax(problem, mark.line + 1, mark.column + 1, printed)
    }

    /// An error inside the innermost open collection.
    fn error_inside(&mut self, problem: &str, mark: Mark) -> Error {
        let context = self.marks.pop().unwrap_or_default();
        Self::error(context, problem, mark)
    }

    fn empty(&mut self, mark: Mark) -> Next<'a> {
        Ok((
            Event::Scalar {
                anchor: None,
                tag: None,
                value: Cow::Borrowed(""),
                plain: true,
                quoted: false,
            },
            mark,
        ))
    }

    /// Takes the token that opens a collection, then goes on inside it.
    fn first(&mut self, then: impl FnOnce(&mut Self) -> Next<'a>) -> Next<'a> {
        let mark = self.peek()?.start;
        self.marks.push(mark);
        self.scanner.take();
        then(self)
    }

    /// Ends a collection with the token that was peeked at.
    fn end(&mut self, event: Event<'a>, mark: Mark) -> Next<'a> {
        self.pop_state();
        self.marks.pop();
        self.scanner.take();
        Ok((event, mark))
    }

    fn document(&mut self, implicit: bool) -> Next<'a> {
        if !implicit {
            while matches!(self.peek()?.kind, TokenKind::DocumentEnd) {
                self.scanner.take();
            }
        }
        let token = self.peek()?;
        let mark = token.start;
        match token.kind {
            TokenKind::StreamEnd => {
                self.state = State::End;
                self.scanner.take();
                return Ok((Event::StreamEnd, mark));
            }
            TokenKind::Version { .. } | TokenKind::TagDirective { .. } | TokenKind::DocumentStart => {}
            _ if implicit => {
                self.directives()?;
                self.states.push(State::DocumentEnd);
                self.state = State::BlockNode;
                return Ok((Event::DocumentStart, mark));
            }
            _ => {}
        }
        self.directives()?;
        let token = self.peek()?;
        if !matches!(token.kind, TokenKind::DocumentStart) {
            return Err(Self::error(
                Mark::default(),
                "did not find expected <document start>",
                token.start,
            ));
        }
        self.scanner.take();
        self.states.push(State::DocumentEnd);
        self.state = State::DocumentContent;
        Ok((Event::DocumentStart, mark))
    }

    fn directives(&mut self) -> Result<(), Error> {
        let mut versioned = false;
        loop {
            let token = self.peek()?;
            let mark = token.start;
            let problem = match token.kind {
                TokenKind::Version { .. } if versioned => Some("found duplicate %YAML directive"),
                TokenKind::Version { major: 1, minor: 1 } => {
                    versioned = true;
                    None
                }
                TokenKind::Version { .. } => Some("found incompatible YAML document"),
                TokenKind::TagDirective { ref handle, ref prefix } => {
                    let (handle, prefix) = (handle.clone(), prefix.clone());
                    let known = self.tags.iter().any(|(known, _)| *known == handle);
                    self.tags.push((handle, prefix));
                    known.then_some("found duplicate %TAG directive")
                }
                _ => break,
            };
            if let Some(problem) = problem {
                return Err(Self::error(Mark::default(), problem, mark));
            }
            self.scanner.take();
        }
        Ok(())
    }

    fn document_content(&mut self) -> Next<'a> {
        let token = self.peek()?;
        match token.kind {
            TokenKind::Version { .. }
            | TokenKind::TagDirective { .. }
            | TokenKind::DocumentStart
            | TokenKind::DocumentEnd
            | TokenKind::StreamEnd => {
                let mark = token.start;
                self.pop_state();
                self.empty(mark)
            }
            _ => self.node(true, false),
        }
    }

    fn document_end(&mut self) -> Next<'a> {
        let token = self.peek()?;
        let mark = token.start;
        if matches!(token.kind, TokenKind::DocumentEnd) {
            self.scanner.take();
        }
        self.tags.clear();
        self.state = State::Document;
        Ok((Event::DocumentEnd, mark))
    }

    fn node(&mut self, block: bool, indentless: bool) -> Next<'a> {
        let token = self.peek()?;
        if let TokenKind::Alias(anchor) = token.kind {
            let mark = token.start;
            self.pop_state();
            self.scanner.take();
            return Ok((Event::Alias { anchor }, mark));
        }
        let Properties { start, anchor, tag } = self.properties()?;
        let token = self.peek()?;
        let at = token.start;
        let (state, event) = match token.kind {
            TokenKind::BlockEntry if indentless => {
                (State::IndentlessSequence, Event::SequenceStart { anchor, flow: false })
            }
            TokenKind::Scalar { .. } => {
                self.pop_state();
                return self.scalar(start, anchor, tag);
            }
            TokenKind::FlowSequenceStart => (State::FlowSequenceFirst, Event::SequenceStart { anchor, flow: true }),
            TokenKind::FlowMappingStart => (State::FlowMappingFirst, Event::MappingStart { anchor, flow: true }),
            TokenKind::BlockSequenceStart if block => {
                (State::BlockSequenceFirst, Event::SequenceStart { anchor, flow: false })
            }
            TokenKind::BlockMappingStart if block => {
                (State::BlockMappingFirst, Event::MappingStart { anchor, flow: false })
            }
            _ if anchor.is_some() || tag.is_some() => {
                self.pop_state();
                // Nothing but an anchor or a tag: an empty scalar, plain only without a tag.
                let plain = tag.is_none();
                return Ok((
                    Event::Scalar {
                        anchor,
                        tag,
                        value: Cow::Borrowed(""),
                        plain,
                        quoted: false,
                    },
                    start,
                ));
            }
            _ => return Err(Self::error(start, "did not find expected node content", at)),
        };
        self.state = state;
        Ok((event, start))
    }

    /// An anchor and a tag, in either order, one of each at most.
    fn properties(&mut self) -> Result<Properties<'a>, Error> {
        let start = self.peek()?.start;
        let mut anchor = None;
        let mut tag = None;
        loop {
            let token = self.peek()?;
            match token.kind {
                TokenKind::Anchor(name) if anchor.is_none() => anchor = Some(name),
                TokenKind::Tag { ref handle, ref suffix } if tag.is_none() => {
                    tag = Some((handle.clone(), suffix.clone(), token.start));
                }
                _ => break,
            }
            self.scanner.take();
        }
        let tag = match tag {
            Some((handle, suffix, mark)) => Some(self.full_tag(&handle, suffix, start, mark)?),
            None => None,
        };
        Ok(Properties { start, anchor, tag })
    }

    fn full_tag(&self, handle: &str, suffix: String, start: Mark, mark: Mark) -> Result<String, Error> {
        if handle.is_empty() {
            return Ok(suffix);
        }
        let declared = self
            .tags
            .iter()
            .find(|(known, _)| known == handle)
            .map(|(_, prefix)| prefix.as_str());
        match (declared, handle) {
            (Some(prefix), _) => Ok(format!("{prefix}{suffix}")),
            (None, "!") => Ok(format!("!{suffix}")),
            (None, "!!") => Ok(format!("tag:yaml.org,2002:{suffix}")),
            (None, _) => Err(Self::error(start, "found undefined tag handle", mark)),
        }
    }

    fn scalar(&mut self, start: Mark, anchor: Option<&'a str>, tag: Option<String>) -> Next<'a> {
        match self.scanner.take().map(|token| token.kind) {
            Some(TokenKind::Scalar { value, plain }) => {
                // go-yaml keeps the tag `!`, and calls the scalar implicit all the same.
                let quoted = !plain;
                let plain = plain && tag.is_none() || tag.as_deref() == Some("!");
                Ok((
                    Event::Scalar {
                        anchor,
                        tag,
                        value,
                        plain,
                        quoted,
                    },
                    start,
                ))
            }
            _ => Err(Self::error(start, "did not find expected node content", start)),
        }
    }

    /// A value, unless one of the tokens that say there is none comes first.
    fn node_or_empty(&mut self, empty: bool, mark: Mark, block: bool, indentless: bool, then: State) -> Next<'a> {
        if empty {
            self.state = then;
            self.empty(mark)
        } else {
            self.states.push(then);
            self.node(block, indentless)
        }
    }

    fn block_sequence(&mut self) -> Next<'a> {
        let token = self.peek()?;
        let (start, mark) = (token.start, token.end);
        match token.kind {
            TokenKind::BlockEntry => {
                let next = &self.take_and_peek()?.kind;
                let empty = matches!(next, TokenKind::BlockEntry | TokenKind::BlockEnd);
                self.node_or_empty(empty, mark, true, false, State::BlockSequence)
            }
            TokenKind::BlockEnd => self.end(Event::SequenceEnd, start),
            _ => Err(self.error_inside("did not find expected '-' indicator", start)),
        }
    }

    fn indentless_sequence(&mut self) -> Next<'a> {
        let token = self.peek()?;
        let (start, mark) = (token.start, token.end);
        if !matches!(token.kind, TokenKind::BlockEntry) {
            self.pop_state();
            return Ok((Event::SequenceEnd, start));
        }
        let next = &self.take_and_peek()?.kind;
        let empty = matches!(
            next,
            TokenKind::BlockEntry | TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd
        );
        self.node_or_empty(empty, mark, true, false, State::IndentlessSequence)
    }

    fn block_mapping_key(&mut self) -> Next<'a> {
        let token = self.peek()?;
        let (start, mark) = (token.start, token.end);
        match token.kind {
            TokenKind::Key => {
                let next = &self.take_and_peek()?.kind;
                let empty = matches!(next, TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd);
                self.node_or_empty(empty, mark, true, true, State::BlockMappingValue)
            }
            TokenKind::BlockEnd => self.end(Event::MappingEnd, start),
            _ => Err(self.error_inside("did not find expected key", start)),
        }
    }

    fn block_mapping_value(&mut self) -> Next<'a> {
        let token = self.peek()?;
        let (start, mark) = (token.start, token.end);
        if !matches!(token.kind, TokenKind::Value) {
            self.state = State::BlockMappingKey;
            return self.empty(start);
        }
        let next = &self.take_and_peek()?.kind;
        let empty = matches!(next, TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd);
        self.node_or_empty(empty, mark, true, true, State::BlockMappingKey)
    }

    fn flow_sequence(&mut self, first: bool) -> Next<'a> {
        if !matches!(self.peek()?.kind, TokenKind::FlowSequenceEnd) {
            if !first {
                self.flow_comma("did not find expected ',' or ']'")?;
            }
            let token = self.peek()?;
            let mark = token.start;
            match token.kind {
                TokenKind::Key => {
                    self.state = State::FlowPairKey;
                    self.scanner.take();
                    return Ok((
                        Event::MappingStart {
                            anchor: None,
                            flow: true,
                        },
                        mark,
                    ));
                }
                TokenKind::FlowSequenceEnd => {}
                _ => {
                    self.states.push(State::FlowSequence);
                    return self.node(false, false);
                }
            }
        }
        let mark = self.peek()?.start;
        self.end(Event::SequenceEnd, mark)
    }

    fn flow_comma(&mut self, problem: &str) -> Result<(), Error> {
        let token = self.peek()?;
        let mark = token.start;
        if !matches!(token.kind, TokenKind::FlowEntry) {
            return Err(self.error_inside(problem, mark));
        }
        self.scanner.take();
        Ok(())
    }

    fn flow_pair_key(&mut self) -> Next<'a> {
        let token = self.peek()?;
        let mark = token.end;
        match token.kind {
            TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowSequenceEnd => {
                // go-yaml takes the token here, even the comma or the bracket.
                self.scanner.take();
                self.state = State::FlowPairValue;
                self.empty(mark)
            }
            _ => {
                self.states.push(State::FlowPairValue);
                self.node(false, false)
            }
        }
    }

    fn flow_pair_value(&mut self) -> Next<'a> {
        let token = self.peek()?;
        let mark = token.start;
        if matches!(token.kind, TokenKind::Value) {
            let next = &self.take_and_peek()?.kind;
            let empty = matches!(next, TokenKind::FlowEntry | TokenKind::FlowSequenceEnd);
            return self.node_or_empty(empty, mark, false, false, State::FlowPairEnd);
        }
        self.state = State::FlowPairEnd;
        self.empty(mark)
    }

    fn flow_pair_end(&mut self) -> Next<'a> {
        let mark = self.peek()?.start;
        self.state = State::FlowSequence;
        Ok((Event::MappingEnd, mark))
    }

    fn flow_mapping_key(&mut self, first: bool) -> Next<'a> {
        if !matches!(self.peek()?.kind, TokenKind::FlowMappingEnd) {
            if !first {
                self.flow_comma("did not find expected ',' or '}'")?;
            }
            match self.peek()?.kind {
                TokenKind::Key => {
                    let next = self.take_and_peek()?;
                    let mark = next.start;
                    let empty = matches!(
                        next.kind,
                        TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowMappingEnd
                    );
                    return self.node_or_empty(empty, mark, false, false, State::FlowMappingValue);
                }
                TokenKind::FlowMappingEnd => {}
                _ => {
                    self.states.push(State::FlowMappingEmptyValue);
                    return self.node(false, false);
                }
            }
        }
        let mark = self.peek()?.start;
        self.end(Event::MappingEnd, mark)
    }

    fn flow_mapping_value(&mut self) -> Next<'a> {
        let token = self.peek()?;
        let mark = token.start;
        if matches!(token.kind, TokenKind::Value) {
            let next = &self.take_and_peek()?.kind;
            let empty = matches!(next, TokenKind::FlowEntry | TokenKind::FlowMappingEnd);
            return self.node_or_empty(empty, mark, false, false, State::FlowMappingKey);
        }
        self.state = State::FlowMappingKey;
        self.empty(mark)
    }

    fn flow_mapping_empty_value(&mut self) -> Next<'a> {
        let mark = self.peek()?.start;
        self.state = State::FlowMappingKey;
        self.empty(mark)
    }
}
