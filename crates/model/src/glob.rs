//! Shell-like patterns as settings, projects and filters write them [F3.52].
//!
//! The syntax is the peer's (gobwas/glob): `*` any run, `**` any run even over separators, `?` one character, `[abc]`, `[a-z]`,
//! `[!a-z]`, `{a,b*}`, and `\` before a character that means itself. Without a separator `*` crosses everything.
//! Matching walks pattern and text once, side by side: its time is at most their lengths multiplied, whatever the pattern.

/// A compiled pattern.
#[derive(Clone, Debug)]
pub struct Glob {
    program: Box<[Op]>,
    separator: Option<char>,
}

/// Why a pattern cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GlobError {
    /// The pattern has more than [`MAX_PATTERN`] characters.
    #[error("the pattern is longer than {MAX_PATTERN} characters")]
    TooLong,
    /// Braces are nested deeper than [`MAX_NESTING`].
    #[error("braces are nested deeper than {MAX_NESTING}")]
    TooDeep,
    /// A `[` has no `]`, or nothing is between them.
    #[error("a '[' is not closed or holds nothing")]
    BadClass,
    /// The pattern ends in a `\`.
    #[error("the pattern ends in a backslash")]
    LoneBackslash,
}

/// Longest pattern: no name, group or URL that could match is longer.
pub const MAX_PATTERN: usize = 2048;
/// Deepest nesting of braces: the parser recurses once per level.
pub const MAX_NESTING: usize = 16;

/// One instruction; jumps are indices into the program.
#[derive(Clone, Debug)]
enum Op {
    Char(char),
    /// Any one character but the separator.
    One,
    /// Any one character.
    Any,
    /// One character of (or, when `negated`, outside) the ranges.
    Class {
        negated: bool,
        ranges: Box<[(char, char)]>,
    },
    /// Goes on at each of these places at once.
    Split(Vec<usize>),
    Jump(usize),
    Accept,
}

impl Glob {
    /// Compiles a pattern in which `*` and `?` match every character.
    pub fn new(pattern: &str) -> Result<Self, GlobError> {
        Self::compile(pattern, None)
    }

    /// Compiles a pattern in which `*` and `?` do not match `separator`.
    pub fn with_separator(pattern: &str, separator: char) -> Result<Self, GlobError> {
        Self::compile(pattern, Some(separator))
    }

    /// Whether the whole of `text` matches.
    pub fn is_match(&self, text: &str) -> bool {
        let mut here = States::new(self.program.len());
        let mut next = States::new(self.program.len());
        self.enter(&mut here, 0);
        for c in text.chars() {
            if here.list.is_empty() {
                return false;
            }
            for &at in &here.list {
                let matches = match self.program.get(at) {
                    Some(Op::Char(want)) => *want == c,
                    Some(Op::One) => Some(c) != self.separator,
                    Some(Op::Any) => true,
                    Some(Op::Class { negated, ranges }) => {
                        ranges.iter().any(|&(lo, hi)| (lo..=hi).contains(&c)) != *negated
                    }
                    _ => false,
                };
                if matches {
                    self.enter(&mut next, at + 1);
                }
            }
            std::mem::swap(&mut here, &mut next);
            next.clear();
        }
        here.list
            .iter()
            .any(|&at| matches!(self.program.get(at), Some(Op::Accept)))
    }

    fn compile(pattern: &str, separator: Option<char>) -> Result<Self, GlobError> {
        let chars: Vec<char> = pattern.chars().take(MAX_PATTERN + 1).collect();
        if chars.len() > MAX_PATTERN {
            return Err(GlobError::TooLong);
        }
        let mut compiler = Compiler {
            chars: &chars,
            at: 0,
            program: Vec::with_capacity(chars.len() + 1),
        };
        compiler.sequence(0)?;
        compiler.program.push(Op::Accept);
        Ok(Self {
            program: compiler.program.into(),
            separator,
        })
    }

    /// Adds the state and all that can be reached from it without a character. Every state is added once, so this ends.
    fn enter(&self, states: &mut States, at: usize) {
        let mut todo = vec![at];
        while let Some(at) = todo.pop() {
            if !states.mark(at) {
                continue;
            }
            match self.program.get(at) {
                Some(Op::Split(targets)) => todo.extend(targets),
                Some(Op::Jump(target)) => todo.push(*target),
                Some(_) => states.list.push(at),
                None => {}
            }
        }
    }
}

/// A set of places in a program.
struct States {
    list: Vec<usize>,
    seen: Vec<bool>,
}

impl States {
    fn new(len: usize) -> Self {
        Self {
            list: Vec::new(),
            seen: vec![false; len],
        }
    }

    /// Whether `at` was not marked before.
    fn mark(&mut self, at: usize) -> bool {
        self.seen.get_mut(at).is_some_and(|seen| !std::mem::replace(seen, true))
    }

    fn clear(&mut self) {
        self.list.clear();
        self.seen.fill(false);
    }
}

struct Compiler<'a> {
    chars: &'a [char],
    at: usize,
    program: Vec<Op>,
}

impl Compiler<'_> {
    fn next(&mut self) -> Option<char> {
        let c = self.chars.get(self.at).copied();
        self.at += usize::from(c.is_some());
        c
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    /// Compiles up to the end or, inside braces, up to the `,` or `}` that ends an alternative (which is left unread). The end
    /// of the pattern closes every brace, as the peer's does.
    fn sequence(&mut self, depth: usize) -> Result<(), GlobError> {
        while let Some(c) = self.peek() {
            if depth > 0 && matches!(c, ',' | '}') {
                return Ok(());
            }
            self.at += 1;
            match c {
                '*' => {
                    let mut step = Op::One;
                    while self.peek() == Some('*') {
                        self.at += 1;
                        step = Op::Any;
                    }
                    let start = self.program.len();
                    self.program.push(Op::Split(vec![start + 1, start + 3]));
                    self.program.push(step);
                    self.program.push(Op::Jump(start));
                }
                '?' => self.program.push(Op::One),
                '[' => self.class()?,
                '{' => self.alternatives(depth + 1)?,
                '\\' => {
                    let literal = self.next().ok_or(GlobError::LoneBackslash)?;
                    self.program.push(Op::Char(literal));
                }
                c => self.program.push(Op::Char(c)),
            }
        }
        Ok(())
    }

    fn alternatives(&mut self, depth: usize) -> Result<(), GlobError> {
        if depth > MAX_NESTING {
            return Err(GlobError::TooDeep);
        }
        let split = self.program.len();
        self.program.push(Op::Split(Vec::new()));
        let (mut starts, mut jumps) = (Vec::new(), Vec::new());
        loop {
            starts.push(self.program.len());
            self.sequence(depth)?;
            jumps.push(self.program.len());
            self.program.push(Op::Jump(0));
            if self.next() != Some(',') {
                break;
            }
        }
        let end = self.program.len();
        for at in jumps {
            if let Some(jump) = self.program.get_mut(at) {
                *jump = Op::Jump(end);
            }
        }
        if let Some(op) = self.program.get_mut(split) {
            *op = Op::Split(starts);
        }
        Ok(())
    }

    fn class(&mut self) -> Result<(), GlobError> {
        let negated = self.peek() == Some('!');
        self.at += usize::from(negated);
        let mut ranges = Vec::new();
        loop {
            let lo = match self.next().ok_or(GlobError::BadClass)? {
                ']' => break,
                '\\' => self.next().ok_or(GlobError::BadClass)?,
                c => c,
            };
            let is_range = self.peek() == Some('-') && self.chars.get(self.at + 1).is_some_and(|c| *c != ']');
            let hi = if is_range {
                self.at += 1;
                self.next().ok_or(GlobError::BadClass)?
            } else {
                lo
            };
            ranges.push((lo, hi));
        }
        if ranges.is_empty() {
            return Err(GlobError::BadClass);
        }
        self.program.push(Op::Class {
            negated,
            ranges: ranges.into(),
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `matches` and `misses` are separated by spaces; `-` stands for the empty text.
    fn check(pattern: &str, separator: Option<char>, matches: &str, misses: &str) {
        let glob = Glob::compile(pattern, separator).unwrap();
        for (texts, expected) in [(matches, true), (misses, false)] {
            for text in texts.split_whitespace().map(|t| if t == "-" { "" } else { t }) {
                assert_eq!(glob.is_match(text), expected, "{pattern:?} on {text:?}");
            }
        }
    }

    #[test]
    fn stars_cross_everything_unless_a_separator_is_given() {
        check("*", None, "- a a/b", "");
        check("a*c", None, "ac abc a/b/c", "acd bc -");
        check("*.k8s.io", None, "events.k8s.io a.b.k8s.io", "k8s.io events.k8s.iox");
        check("a/*/c", Some('/'), "a/b/c a//c", "a/b/b/c a/c");
        check("a/**", Some('/'), "a/b a/b/c a/", "a b/a");
        check("a?c", Some('/'), "abc", "a/c ac");
    }

    #[test]
    fn classes_and_alternatives() {
        check("[abc]x", None, "ax bx", "dx x");
        check("[a-c]", None, "a b c", "d -");
        check("[!a-c]", None, "d 1", "a -");
        check("{foo,ba[rz]*}-{1,2}", None, "foo-1 baz-2 barrr-1", "ba-1 foo-3 foo");
        check("{a,{b,c}d,}x", None, "ax bdx cdx x", "bx adx");
        check("a,b}", None, "a,b}", "a b");
        check("{a,c", None, "a c", "b {a,c");
        check("{a,b}{{*", Some('/'), "a bx", "b/x c");
        check("\\*\\{", None, "*{", "a{");
        check("", None, "-", "a");
        check("é*", None, "é éa", "e");
    }

    #[test]
    fn broken_patterns_are_refused() {
        let error = |pattern: &str| Glob::new(pattern).map(|_| ()).unwrap_err();
        assert_eq!(error("[a"), GlobError::BadClass);
        assert_eq!(error("[]"), GlobError::BadClass);
        assert_eq!(error("a\\"), GlobError::LoneBackslash);
        assert_eq!(error(&"{".repeat(17)), GlobError::TooDeep);
        assert_eq!(error(&"a".repeat(2049)), GlobError::TooLong);
    }

    #[test]
    fn hostile_patterns_take_bounded_time() {
        let glob = Glob::new(&"*a".repeat(500)).unwrap();
        assert!(!glob.is_match(&("a".repeat(3000) + "b")));
        let glob = Glob::new(&"{a,a}".repeat(400)).unwrap();
        assert!(glob.is_match(&"a".repeat(400)) && !glob.is_match(&"a".repeat(401)));
    }

    /// The same language by plain backtracking, for the operators `*`, `?` and letters.
    fn reference(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some((b'*', rest)), _) => {
                reference(rest, text) || text.split_first().is_some_and(|(_, tail)| reference(pattern, tail))
            }
            (Some((p, rest)), Some((t, tail))) => (*p == b'?' || p == t) && reference(rest, tail),
            _ => false,
        }
    }

    #[test]
    fn agrees_with_backtracking() {
        let mut seed = 7u64;
        let mut word = |alphabet: &[u8], max: u64| {
            let mut next = || {
                seed = seed
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                seed >> 33
            };
            let len = next() % max;
            (0..len)
                .map(|_| char::from(alphabet[(next() % alphabet.len() as u64) as usize]))
                .collect::<String>()
        };
        for _ in 0..5000 {
            let (pattern, text) = (word(b"ab*?", 7), word(b"ab", 8));
            // Two stars in a row mean the same as one where there is no separator.
            let expected = reference(pattern.as_bytes(), text.as_bytes());
            assert_eq!(
                Glob::new(&pattern).unwrap().is_match(&text),
                expected,
                "{pattern:?} on {text:?}"
            );
        }
    }
}
