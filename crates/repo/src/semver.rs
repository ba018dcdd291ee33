//! Semantic versions and ranges as Masterminds/semver v3 reads them: Git tags and charts are chosen by them.

use std::cmp::Ordering;

/// A version; `v` in front and missing minor or patch are allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    major: u64,
    minor: u64,
    patch: u64,
    pre: Vec<Identifier>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Identifier {
    // Numbers sort before words.
    Number(u64),
    Word(String),
}

/// Not a version, or not a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a semantic version or range")]
pub struct NotSemver;

impl Version {
    /// Reads a version.
    pub fn parse(text: &str) -> Result<Self, NotSemver> {
        let (partial, rest) = Partial::parse(text)?;
        if !rest.is_empty() || partial.major.is_none() || partial.wild {
            return Err(NotSemver);
        }
        Ok(partial.floor())
    }

    fn triple(&self) -> (u64, u64, u64) {
        (self.major, self.minor, self.patch)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.triple()
            .cmp(&other.triple())
            .then_with(|| match (self.pre.is_empty(), other.pre.is_empty()) {
                (true, true) => Ordering::Equal,
                // A release is above its own pre-releases.
                (true, false) => Ordering::Greater,
                (false, true) => Ordering::Less,
                (false, false) => self.pre.cmp(&other.pre),
            })
    }
}

/// A version in a range: parts may be missing or wild.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Partial {
    major: Option<u64>,
    minor: Option<u64>,
    patch: Option<u64>,
    /// Some part was written `x`, `X` or `*`.
    wild: bool,
    pre: Vec<Identifier>,
}

impl Partial {
    /// Reads a version at the start of `text` and returns what follows it.
    fn parse(text: &str) -> Result<(Self, &str), NotSemver> {
        let end = text
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+' | '*')))
            .unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        let word = word.strip_prefix('v').unwrap_or(word);
        let (word, build) = word.split_once('+').map_or((word, None), |(w, b)| (w, Some(b)));
        let (core, pre) = word.split_once('-').map_or((word, None), |(c, p)| (c, Some(p)));
        let words = |list: &str| {
            list.split('.')
                .all(|w| !w.is_empty() && w.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'))
        };
        if core.is_empty() || build.is_some_and(|b| !words(b)) || pre.is_some_and(|p| !words(p)) {
            return Err(NotSemver);
        }
        let mut partial = Self {
            major: None,
            minor: None,
            patch: None,
            wild: false,
            pre: Vec::new(),
        };
        let mut parts = core.split('.');
        for slot in [&mut partial.major, &mut partial.minor, &mut partial.patch] {
            match parts.next() {
                None => break,
                Some("x" | "X" | "*") => partial.wild = true,
                Some(digits) => {
                    let number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
                    let padded = digits.len() > 1 && digits.starts_with('0');
                    if !number || padded || partial.wild {
                        return Err(NotSemver);
                    }
                    *slot = Some(digits.parse().map_err(|_| NotSemver)?);
                }
            }
        }
        if parts.next().is_some() {
            return Err(NotSemver);
        }
        if let Some(pre) = pre {
            for word in pre.split('.') {
                let digits = word.bytes().all(|b| b.is_ascii_digit());
                if digits && word.len() > 1 && word.starts_with('0') {
                    return Err(NotSemver);
                }
                partial.pre.push(if digits {
                    Identifier::Number(word.parse().map_err(|_| NotSemver)?)
                } else {
                    Identifier::Word(word.to_owned())
                });
            }
        }
        Ok((partial, rest))
    }

    /// The lowest version it means.
    fn floor(&self) -> Version {
        Version {
            major: self.major.unwrap_or(0),
            minor: self.minor.unwrap_or(0),
            patch: self.patch.unwrap_or(0),
            pre: self.pre.clone(),
        }
    }

    fn is_whole(&self) -> bool {
        self.patch.is_some()
    }

    /// Whether the parts that are written are the version's.
    fn covers(&self, v: &Version) -> bool {
        self.major.is_none_or(|n| n == v.major)
            && self.minor.is_none_or(|n| n == v.minor)
            && self.patch.is_none_or(|n| n == v.patch)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Tilde,
    Caret,
}

/// A range: groups joined by `||`, comparisons in a group joined by `,` or blanks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constraint {
    any_of: Vec<Vec<(Operator, Partial)>>,
}

impl Constraint {
    /// Reads a range, for example `>=1.2, <2`, `~1.4`, `^1`, `1.x`, `1.2 - 2.3`, `*`.
    pub fn parse(text: &str) -> Result<Self, NotSemver> {
        let any_of = text.split("||").map(group).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { any_of })
    }

    /// Whether it is one whole version and nothing else.
    pub fn is_exact(&self) -> bool {
        matches!(self.any_of.as_slice(), [group] if matches!(group.as_slice(), [(Operator::Equal, p)] if p.is_whole() && !p.wild))
    }

    /// Whether a version lies in the range. Pre-releases only do where the comparison itself names one.
    pub fn matches(&self, version: &Version) -> bool {
        self.any_of.iter().any(|group| {
            group
                .iter()
                .all(|(operator, partial)| holds(*operator, partial, version))
        })
    }
}

fn group(text: &str) -> Result<Vec<(Operator, Partial)>, NotSemver> {
    // `a - b` with blanks around the dash is a closed interval.
    if let Some((low, high)) = text.split_once(" - ") {
        let whole = |t: &str| match Partial::parse(t.trim())? {
            (partial, "") => Ok(partial),
            _ => Err(NotSemver),
        };
        return Ok(vec![
            (Operator::GreaterOrEqual, whole(low)?),
            (Operator::LessOrEqual, whole(high)?),
        ]);
    }
    let mut comparisons = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (operator, after) = operator(rest);
        let (partial, after) = Partial::parse(after.trim_start())?;
        comparisons.push((operator, partial));
        rest = after.trim_start().strip_prefix(',').unwrap_or(after).trim_start();
    }
    if comparisons.is_empty() {
        Err(NotSemver)
    } else {
        Ok(comparisons)
    }
}

fn operator(text: &str) -> (Operator, &str) {
    const SPELLINGS: [(&str, Operator); 12] = [
        ("!=", Operator::NotEqual),
        (">=", Operator::GreaterOrEqual),
        ("=>", Operator::GreaterOrEqual),
        ("<=", Operator::LessOrEqual),
        ("=<", Operator::LessOrEqual),
        ("~>", Operator::Tilde),
        ("==", Operator::Equal),
        ("=", Operator::Equal),
        (">", Operator::Greater),
        ("<", Operator::Less),
        ("~", Operator::Tilde),
        ("^", Operator::Caret),
    ];
    SPELLINGS
        .iter()
        .find_map(|(spelling, operator)| text.strip_prefix(spelling).map(|rest| (*operator, rest)))
        .unwrap_or((Operator::Equal, text))
}

fn holds(operator: Operator, partial: &Partial, v: &Version) -> bool {
    if !v.pre.is_empty() && partial.pre.is_empty() {
        return operator == Operator::NotEqual && !partial.wild && partial.is_whole();
    }
    let floor = partial.floor();
    match operator {
        Operator::Equal if partial.is_whole() => *v == floor,
        Operator::Equal => partial.covers(v),
        Operator::NotEqual if partial.is_whole() => *v != floor,
        Operator::NotEqual => !partial.covers(v),
        // `>1.2` means above every 1.2.x.
        Operator::Greater if partial.is_whole() => *v > floor,
        Operator::Greater => *v > floor && !partial.covers(v),
        Operator::GreaterOrEqual => *v >= floor,
        Operator::Less => *v < floor,
        Operator::LessOrEqual if partial.is_whole() => *v <= floor,
        Operator::LessOrEqual => *v < floor || partial.covers(v),
        Operator::Tilde => {
            let same_minor = partial.minor.is_none_or(|n| n == v.minor);
            *v >= floor && partial.major.is_none_or(|n| n == v.major) && same_minor
        }
        Operator::Caret => {
            if *v < floor {
                return false;
            }
            // The leftmost number that is not zero must stay, or the last one that is written.
            match (partial.major, partial.minor, partial.patch) {
                (None, ..) => true,
                (Some(major), ..) if major > 0 => v.major == major,
                (Some(_), None, _) => v.major == 0,
                (Some(_), Some(minor), _) if minor > 0 => v.major == 0 && v.minor == minor,
                (Some(_), Some(_), None) => v.major == 0 && v.minor == 0,
                (Some(_), Some(_), Some(patch)) => v.triple() == (0, 0, patch),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_as_in_masterminds() {
        let table = [
            ("1.2.3", "1.2.3 v1.2.3", "1.2.4 1.2.3-rc1"),
            ("*", "0.0.1 9.9.9", "1.0.0-rc1"),
            ("1.x", "1.0.0 1.9.9", "2.0.0 0.9.0"),
            ("1", "1.0.0 1.9.9", "2.0.0"),
            ("1.2", "1.2.0 1.2.9", "1.3.0"),
            ("~1.2.3", "1.2.3 1.2.9", "1.3.0 1.2.2"),
            ("~1.2", "1.2.0 1.2.9", "1.3.0"),
            ("~1", "1.0.0 1.9.0", "2.0.0"),
            ("^1.2.3", "1.2.3 1.9.0", "2.0.0 1.2.2"),
            ("^0.2.3", "0.2.3 0.2.9", "0.3.0 0.2.2"),
            ("^0.0.3", "0.0.3", "0.0.4 0.1.0"),
            ("^0.0", "0.0.0 0.0.9", "0.1.0"),
            ("^0", "0.0.1 0.9.0", "1.0.0"),
            (">1.2", "1.3.0 2.0.0", "1.2.9 1.2.0"),
            (">1.2.3", "1.2.4", "1.2.3"),
            (">=1.2", "1.2.0 3.0.0", "1.1.9 1.3.0-rc1"),
            (">=1.2.0-0", "1.2.0 1.3.0-rc1", "1.1.0"),
            ("<=1.2", "1.2.9 0.1.0", "1.3.0"),
            ("<2", "1.9.9", "2.0.0"),
            (">=1, <2", "1.0.0 1.9.0", "2.0.0 0.9.0"),
            (">=1 <2", "1.0.0 1.9.0", "2.0.0 0.9.0"),
            ("1.2 - 1.4.5", "1.2.0 1.4.5", "1.4.6 1.1.9"),
            ("<1 || >=3", "0.9.0 3.0.0", "1.0.0 2.9.9"),
            ("!=1.2.3", "1.2.4", "1.2.3"),
        ];
        for (range, yes, no) in table {
            let range_ = Constraint::parse(range).unwrap();
            for v in yes.split(' ') {
                assert!(
                    range_.matches(&Version::parse(v).unwrap()),
                    "{range} should hold for {v}"
                );
            }
            for v in no.split(' ') {
                assert!(
                    !range_.matches(&Version::parse(v).unwrap()),
                    "{range} should not hold for {v}"
                );
            }
        }
    }

    #[test]
    fn words_are_no_ranges() {
        for text in ["main", "feature/x", "release-1.2", "", "1.2.3.4", "01.2", "v"] {
            assert_eq!(Constraint::parse(text), Err(NotSemver), "{text}");
        }
    }

    #[test]
    fn versions_are_ordered() {
        let order = [
            "1.0.0-1",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-beta",
            "1.0.0",
            "1.0.1",
            "1.1.0",
            "2.0.0",
        ];
        for pair in order.windows(2) {
            assert!(
                Version::parse(pair[0]).unwrap() < Version::parse(pair[1]).unwrap(),
                "{pair:?}"
            );
        }
    }
}
