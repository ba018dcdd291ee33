//! A document as steps, for what is too large to become a [`Yaml`](crate::Yaml) value.

use std::borrow::Cow;

use crate::event::{Event, Events};
use crate::{Error, ErrorKind};

/// One step through a document. A mapping is its keys and values in turn.
pub enum Step<'a> {
    /// A scalar, unresolved.
    Scalar {
        /// Its text, without quotes.
        text: Cow<'a, str>,
        /// Whether it stood without quotes, so that `~`, `null` and nothing at all mean null.
        plain: bool,
    },
    /// `*name`: stands for a node that was named before. Nothing is expanded here.
    Alias,
    /// A sequence begins.
    SequenceStart,
    /// The innermost sequence ends.
    SequenceEnd,
    /// A mapping begins.
    MappingStart,
    /// The innermost mapping ends.
    MappingEnd,
    /// The document is over; every later step is this one.
    End,
}

/// Walks the first document of a text, in memory that grows with its depth and not with its length.
///
/// ```
/// use pintle_yaml::{Step, Walk};
/// let mut walk = Walk::new("a: [1, 'b']");
/// let mut texts = Vec::new();
/// loop {
///     match walk.step() {
///         Ok(Step::End) | Err(_) => break,
///         Ok(Step::Scalar { text, .. }) => texts.push(text.into_owned()),
///         Ok(_) => {}
///     }
/// }
/// assert_eq!(texts, ["a", "1", "b"]);
/// ```
pub struct Walk<'a> {
    events: Events<'a>,
    line: usize,
    depth: usize,
    ended: bool,
}

/// Collections inside one another. No file of bookkeeping is deeper than a few; 1,000 leaves room and bounds the scanner's stack.
const MAX_DEPTH: usize = 1_000;

impl<'a> Walk<'a> {
    /// Starts before the first document. The caller bounds the length of the text.
    pub fn new(text: &'a str) -> Self {
        Self {
            events: Events::new(text),
            line: 1,
            depth: 0,
            ended: false,
        }
    }

    /// Takes the next step. After an error the walk is of no use.
    pub fn step(&mut self) -> Result<Step<'a>, Error> {
        loop {
            if self.ended {
                return Ok(Step::End);
            }
            let (event, place) = self.events.next()?;
            self.line = place.line;
            return Ok(match event {
                Event::DocumentStart => continue,
                Event::StreamEnd | Event::DocumentEnd => {
                    self.ended = true;
                    Step::End
                }
                Event::Alias { .. } => Step::Alias,
                Event::Scalar { value, plain, .. } => Step::Scalar { text: value, plain },
                Event::SequenceStart { .. } => self.open(Step::SequenceStart)?,
                Event::MappingStart { .. } => self.open(Step::MappingStart)?,
                Event::SequenceEnd => self.close(Step::SequenceEnd),
                Event::MappingEnd => self.close(Step::MappingEnd),
            });
        }
    }

    /// The line of the last step, from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    fn open(&mut self, step: Step<'a>) -> Result<Step<'a>, Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let message = format!("more than {MAX_DEPTH} collections inside one another");
            return Err(Error::at(ErrorKind::Limit, message, self.line, 1));
        }
        Ok(step)
    }

    fn close(&mut self, step: Step<'a>) -> Step<'a> {
        self.depth = self.depth.saturating_sub(1);
        step
    }
}
