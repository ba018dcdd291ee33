//! Go's `filepath.Match`: `*`, `?`, `[a-z]`, `[^a-z]` and `\`, none of which crosses a `/`.

/// One piece of a pattern.
enum Piece {
    /// Any run of characters but `/`.
    Star,
    /// Any character but `/`.
    One,
    Char(char),
    Class(bool, Vec<(char, char)>),
}

/// A pattern, read once.
pub(crate) struct Pattern {
    pieces: Vec<Piece>,
    /// The text it stands for, if it stands for one only: nearly every line of a `.helmignore` does.
    literal: Option<String>,
}

impl Pattern {
    /// Reads a pattern; `None` for a malformed one.
    pub(crate) fn parse(pattern: &str) -> Option<Self> {
        let pieces = parse(pattern)?;
        let literal = pieces
            .iter()
            .map(|piece| match piece {
                Piece::Char(c) => Some(*c),
                _ => None,
            })
            .collect();
        Some(Self { pieces, literal })
    }

    /// Whether it matches the whole text.
    ///
    /// Where a piece does not fit, the last star takes a character more: what an earlier one would take instead never helps, so the time
    /// is bounded by the lengths multiplied.
    pub(crate) fn matches(&self, text: &str) -> bool {
        if let Some(literal) = &self.literal {
            return literal == text;
        }
        let mut rest = text.chars();
        let mut at = 0;
        // Behind the last star, and what it left.
        let mut star: Option<(usize, std::str::Chars<'_>)> = None;
        loop {
            if let Some(Piece::Star) = self.pieces.get(at) {
                at += 1;
                star = Some((at, rest.clone()));
                continue;
            }
            let mut after = rest.clone();
            let fits = match (self.pieces.get(at), after.next()) {
                (None, None) => return true,
                (Some(piece), Some(character)) => piece.takes(character),
                _ => false,
            };
            if fits {
                (at, rest) = (at + 1, after);
                continue;
            }
            let Some((behind, left)) = &mut star else { return false };
            if left.next().is_none_or(|character| character == '/') {
                return false;
            }
            (at, rest) = (*behind, left.clone());
        }
    }
}

impl Piece {
    fn takes(&self, character: char) -> bool {
        match self {
            Piece::Star | Piece::One => character != '/',
            Piece::Char(c) => *c == character,
            Piece::Class(negated, ranges) => {
                let inside = ranges.iter().any(|(lo, hi)| (*lo..=*hi).contains(&character));
                inside != *negated && character != '/'
            }
        }
    }
}

/// Whether the pattern is well formed.
pub(crate) fn check(pattern: &str) -> Result<(), String> {
    match parse(pattern) {
        Some(_) => Ok(()),
        None => Err("syntax error in pattern".into()),
    }
}

/// Whether the pattern matches the whole text; a malformed one matches nothing.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    Pattern::parse(pattern).is_some_and(|pattern| pattern.matches(text))
}

fn parse(pattern: &str) -> Option<Vec<Piece>> {
    let mut characters = pattern.chars().peekable();
    let mut pieces = Vec::new();
    while let Some(character) = characters.next() {
        pieces.push(match character {
            '*' => Piece::Star,
            '?' => Piece::One,
            '\\' => Piece::Char(characters.next()?),
            '[' => {
                let negated = characters.next_if_eq(&'^').is_some();
                let mut ranges = Vec::new();
                loop {
                    if !ranges.is_empty() && characters.next_if_eq(&']').is_some() {
                        break;
                    }
                    let low = class_character(&mut characters)?;
                    let high = if characters.next_if_eq(&'-').is_some() {
                        class_character(&mut characters)?
                    } else {
                        low
                    };
                    ranges.push((low, high));
                }
                Piece::Class(negated, ranges)
            }
            other => Piece::Char(other),
        });
    }
    Some(pieces)
}

fn class_character(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<char> {
    match characters.next()? {
        '-' | ']' => None,
        '\\' => characters.next(),
        other => Some(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_gos_filepath_match() {
        for (pattern, text, expected) in [
            ("*.yaml", "a.yaml", true),
            ("*.yaml", "a/b.yaml", false),
            ("templates/*/x?.yaml", "templates/a/x1.yaml", true),
            ("[a-c]b", "bb", true),
            ("[^a-c]b", "bb", false),
            (r"\*", "*", true),
            ("a*b*c", "aXbYc", true),
            ("", "", true),
            ("*", "", true),
            ("*a*/b", "aaxa/b", true),
            ("*a*/b", "aax/a/b", false),
            ("a*bc*bd", "abcbbcbbd", true),
            ("*?", "", false),
            ("é*é", "éxé", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
        assert!(check("[]a]").is_err() && check("a\\").is_err());
    }
}
