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

/// Whether the pattern is well formed.
pub(crate) fn check(pattern: &str) -> Result<(), String> {
    parse(pattern)
        .map(|_| ())
        .ok_or_else(|| "syntax error in pattern".into())
}

/// Whether the pattern matches the whole text; a malformed one matches nothing.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let Some(pieces) = parse(pattern) else { return false };
    // Positions in the pattern that are reached; one step for each character, so the time is bounded by the lengths multiplied.
    let mut reached = vec![false; pieces.len() + 1];
    if let Some(start) = reached.first_mut() {
        *start = true;
    }
    skip_stars(&pieces, &mut reached);
    for character in text.chars() {
        let mut next = vec![false; reached.len()];
        for (at, piece) in pieces.iter().enumerate() {
            if !reached.get(at).copied().unwrap_or(false) {
                continue;
            }
            let (takes, to) = match piece {
                Piece::Star => (character != '/', at),
                Piece::One => (character != '/', at + 1),
                Piece::Char(c) => (*c == character, at + 1),
                Piece::Class(negated, ranges) => {
                    let inside = ranges.iter().any(|(lo, hi)| (*lo..=*hi).contains(&character));
                    (inside != *negated && character != '/', at + 1)
                }
            };
            if takes && let Some(place) = next.get_mut(to) {
                *place = true;
            }
        }
        skip_stars(&pieces, &mut next);
        reached = next;
    }
    reached.last().copied().unwrap_or(false)
}

/// A star may stand for nothing.
fn skip_stars(pieces: &[Piece], reached: &mut [bool]) {
    for (at, piece) in pieces.iter().enumerate() {
        if matches!(piece, Piece::Star)
            && reached.get(at) == Some(&true)
            && let Some(next) = reached.get_mut(at + 1)
        {
            *next = true;
        }
    }
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
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
        assert!(check("[]a]").is_err() && check("a\\").is_err());
    }
}
