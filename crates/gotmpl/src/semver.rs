//! Versions and constraints as Masterminds/semver v3.5 reads and compares them.
//!
//! Helm uses this dialect for chart versions, `kubeVersion` and the template functions `semver` and `semverCompare`.
//! It differs from Cargo's: parts may be missing, `x`, `X` and `*` are wildcards, and a bare version means "equal".

use std::cmp::Ordering;
use std::fmt;

use crate::quote::quoted;

/// Why a version or a constraint cannot be read; the text is the library's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// Not a version at all.
    InvalidSemVer,
    /// The strict reader got an empty string.
    EmptyString,
    /// The strict reader found something other than digits in a number.
    InvalidCharacters,
    /// A number has a leading zero where none is allowed.
    SegmentStartsZero,
    /// The part after `+` is malformed.
    InvalidMetadata,
    /// The part after `-` is malformed.
    InvalidPrerelease,
    /// A number does not fit into 64 bits; the string is the number.
    SegmentRange(String),
    /// The same, as the strict reader words it.
    StrictRange(String),
    /// A constraint that matches no form; the string is the offending `||` branch.
    ImproperConstraint(String),
    /// A version of more than 256 bytes.
    VersionTooLong,
    /// A constraint of more than 512 bytes.
    ConstraintTooLong,
    /// A constraint with more than 32 alternatives.
    TooManyGroups,
    /// A constraint whose version cannot be read.
    ConstraintParser,
}

/// Bytes of a version, of a constraint, and alternatives in one; the library's.
const MAX_VERSION: usize = 256;
const MAX_CONSTRAINT: usize = 512;
const MAX_GROUPS: usize = 32;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidSemVer => f.write_str("invalid semantic version"),
            Self::EmptyString => f.write_str("version string empty"),
            Self::InvalidCharacters => f.write_str("invalid characters in version"),
            Self::SegmentStartsZero => f.write_str("version segment starts with 0"),
            Self::InvalidMetadata => f.write_str("invalid metadata string"),
            Self::InvalidPrerelease => f.write_str("invalid prerelease string"),
            Self::SegmentRange(n) => {
                write!(
                    f,
                    "error parsing version segment: strconv.ParseUint: parsing \"{n}\": value out of range"
                )
            }
            Self::StrictRange(n) => write!(f, "strconv.ParseUint: parsing \"{n}\": value out of range"),
            Self::ImproperConstraint(c) => write!(f, "improper constraint: {}", quoted(c)),
            Self::VersionTooLong => write!(f, "version string is too long (max {MAX_VERSION} bytes)"),
            Self::ConstraintTooLong => write!(f, "constraint string is too long (max {MAX_CONSTRAINT} bytes)"),
            Self::TooManyGroups => write!(f, "too many constraint groups (max {MAX_GROUPS})"),
            Self::ConstraintParser => f.write_str("constraint parser error"),
        }
    }
}

impl std::error::Error for Error {}

/// One version. Equality by `==` compares every part; [`Version::compare`] ignores metadata, as precedence does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Version {
    major: u64,
    minor: u64,
    patch: u64,
    pre: String,
    metadata: String,
    original: String,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)?;
        if !self.pre.is_empty() {
            write!(f, "-{}", self.pre)?;
        }
        if !self.metadata.is_empty() {
            write!(f, "+{}", self.metadata)?;
        }
        Ok(())
    }
}

impl Version {
    /// Reads a version leniently (`NewVersion`): `v` prefix, missing minor and patch and leading zeros are accepted.
    ///
    /// # Errors
    /// When the text is not a version or a number exceeds 64 bits.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > MAX_VERSION {
            return Err(Error::VersionTooLong);
        }
        let loose = Loose::scan(text, is_digit)
            .filter(|l| l.len == text.len())
            .ok_or(Error::InvalidSemVer)?;
        let number = |part: &str| part.parse::<u64>().map_err(|_| Error::SegmentRange(part.to_owned()));
        let version = Self {
            major: number(loose.major)?,
            minor: loose.minor.map_or(Ok(0), number)?,
            patch: loose.patch.map_or(Ok(0), number)?,
            pre: loose.pre.unwrap_or_default().to_owned(),
            metadata: loose.metadata.unwrap_or_default().to_owned(),
            original: text.to_owned(),
        };
        if !version.pre.is_empty() {
            validate_prerelease(&version.pre)?;
        }
        Ok(version)
    }

    /// Reads a version strictly (`StrictNewVersion`): three numbers without leading zeros, no `v`.
    ///
    /// # Errors
    /// Naming the part that is not as the specification has it.
    pub fn parse_strict(text: &str) -> Result<Self, Error> {
        if text.is_empty() {
            return Err(Error::EmptyString);
        }
        if text.len() > MAX_VERSION {
            return Err(Error::VersionTooLong);
        }
        let mut parts = text.splitn(3, '.');
        let (Some(major), Some(minor), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(Error::InvalidSemVer);
        };
        let (rest, metadata) = match rest.split_once('+') {
            Some((rest, metadata)) => {
                validate_metadata(metadata)?;
                (rest, metadata)
            }
            None => (rest, ""),
        };
        let (patch, pre) = match rest.split_once('-') {
            Some((patch, pre)) => {
                validate_prerelease(pre)?;
                (patch, pre)
            }
            None => (rest, ""),
        };
        for part in [major, minor, patch] {
            if !part.bytes().all(|b| b.is_ascii_digit()) {
                return Err(Error::InvalidCharacters);
            }
            if part.len() > 1 && part.starts_with('0') {
                return Err(Error::SegmentStartsZero);
            }
        }
        let number = |part: &str| part.parse::<u64>().map_err(|_| Error::StrictRange(part.to_owned()));
        Ok(Self {
            major: number(major)?,
            minor: number(minor)?,
            patch: number(patch)?,
            pre: pre.to_owned(),
            metadata: metadata.to_owned(),
            original: text.to_owned(),
        })
    }

    /// The first number.
    pub fn major(&self) -> u64 {
        self.major
    }

    /// The second number.
    pub fn minor(&self) -> u64 {
        self.minor
    }

    /// The third number.
    pub fn patch(&self) -> u64 {
        self.patch
    }

    /// What follows `-`, without it; empty when there is none.
    pub fn prerelease(&self) -> &str {
        &self.pre
    }

    /// What follows `+`, without it; empty when there is none.
    pub fn metadata(&self) -> &str {
        &self.metadata
    }

    /// The text the version was read from, or the one an increment derives from it (the `v` stays).
    pub fn original(&self) -> &str {
        &self.original
    }

    /// Precedence, metadata ignored.
    pub fn compare(&self, other: &Self) -> Ordering {
        (self.major, self.minor, self.patch)
            .cmp(&(other.major, other.minor, other.patch))
            .then_with(|| match (self.pre.is_empty(), other.pre.is_empty()) {
                (true, true) => Ordering::Equal,
                (true, false) => Ordering::Greater,
                (false, true) => Ordering::Less,
                (false, false) => compare_prerelease(&self.pre, &other.pre),
            })
    }

    /// The next patch release; a prerelease becomes its release.
    #[must_use]
    pub fn inc_patch(&self) -> Self {
        let patch = if self.pre.is_empty() {
            self.patch.wrapping_add(1)
        } else {
            self.patch
        };
        self.with(self.major, self.minor, patch)
    }

    /// The next minor release.
    #[must_use]
    pub fn inc_minor(&self) -> Self {
        self.with(self.major, self.minor.wrapping_add(1), 0)
    }

    /// The next major release.
    #[must_use]
    pub fn inc_major(&self) -> Self {
        self.with(self.major.wrapping_add(1), 0, 0)
    }

    /// The same version with another prerelease; empty removes it.
    ///
    /// # Errors
    /// When the prerelease is malformed.
    pub fn set_prerelease(&self, pre: &str) -> Result<Self, Error> {
        if !pre.is_empty() {
            validate_prerelease(pre)?;
        }
        let mut next = self.clone();
        next.pre = pre.to_owned();
        next.original = format!("{}{next}", self.v_prefix());
        Ok(next)
    }

    /// The same version with other metadata; empty removes it.
    ///
    /// # Errors
    /// When the metadata is malformed.
    pub fn set_metadata(&self, metadata: &str) -> Result<Self, Error> {
        if !metadata.is_empty() {
            validate_metadata(metadata)?;
        }
        let mut next = self.clone();
        next.metadata = metadata.to_owned();
        next.original = format!("{}{next}", self.v_prefix());
        Ok(next)
    }

    fn with(&self, major: u64, minor: u64, patch: u64) -> Self {
        let mut next = Self {
            major,
            minor,
            patch,
            pre: String::new(),
            metadata: String::new(),
            original: String::new(),
        };
        next.original = format!("{}{next}", self.v_prefix());
        next
    }

    fn v_prefix(&self) -> &'static str {
        if self.original.starts_with('v') { "v" } else { "" }
    }
}

/// A constraint: alternatives (`||`) of conjunctions (space or comma).
#[derive(Debug, Clone)]
pub struct Constraints {
    branches: Vec<Branch>,
    /// Admits prereleases even where no condition names one.
    pub include_prerelease: bool,
}

#[derive(Debug, Clone)]
struct Branch {
    conditions: Vec<Condition>,
    names_prerelease: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterEqual,
    LessEqual,
    Tilde,
    Caret,
}

#[derive(Debug, Clone)]
struct Condition {
    operator: Operator,
    operator_text: &'static str,
    text: String,
    version: Version,
    /// Any part is a wildcard or missing.
    dirty: bool,
    /// Minor (and so patch) is.
    minor_dirty: bool,
    /// Only patch is.
    patch_dirty: bool,
}

impl fmt::Display for Constraints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, branch) in self.branches.iter().enumerate() {
            if i > 0 {
                f.write_str(" || ")?;
            }
            for (j, condition) in branch.conditions.iter().enumerate() {
                let space = if j > 0 { " " } else { "" };
                write!(f, "{space}{}{}", condition.operator_text, condition.text)?;
            }
        }
        Ok(())
    }
}

impl Constraints {
    /// Reads a constraint such as `>=1.2, <2 || ^3.0.0-0` or `1.2 - 1.4`.
    ///
    /// # Errors
    /// [`Error::ImproperConstraint`] or [`Error::ConstraintParser`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > MAX_CONSTRAINT {
            return Err(Error::ConstraintTooLong);
        }
        let text = rewrite_ranges(text);
        if text.split("||").count() > MAX_GROUPS {
            return Err(Error::TooManyGroups);
        }
        let branches = text.split("||").map(Branch::parse).collect::<Result<_, _>>()?;
        Ok(Self {
            branches,
            include_prerelease: false,
        })
    }

    /// Whether the version satisfies any alternative.
    pub fn check(&self, version: &Version) -> bool {
        self.branches.iter().any(|branch| {
            let include = self.include_prerelease || branch.names_prerelease;
            branch
                .conditions
                .iter()
                .all(|condition| condition.check(version, include).is_ok())
        })
    }

    /// As [`Constraints::check`], with a sentence for every condition that is not met.
    ///
    /// # Errors
    /// The sentences, in the order of the conditions, when no alternative is satisfied.
    pub fn validate(&self, version: &Version) -> Result<(), Vec<String>> {
        let mut reasons = Vec::new();
        let mut told_prerelease = false;
        for branch in &self.branches {
            let include = self.include_prerelease || branch.names_prerelease;
            let mut joy = true;
            for condition in &branch.conditions {
                if !include && !version.pre.is_empty() {
                    if !told_prerelease {
                        reasons.push(prerelease_reason(version));
                        told_prerelease = true;
                    }
                    joy = false;
                } else if let Err(reason) = condition.check(version, include) {
                    reasons.push(reason);
                    joy = false;
                }
            }
            if joy {
                return Ok(());
            }
        }
        Err(reasons)
    }
}

impl Branch {
    fn parse(text: &str) -> Result<Self, Error> {
        let improper = || Error::ImproperConstraint(text.to_owned());
        let mut conditions = Vec::new();
        let mut rest = skip_space(text);
        loop {
            let (condition, len) = scan_condition(rest).ok_or_else(improper)?;
            conditions.push(condition);
            let after = rest.get(len..).unwrap_or_default();
            let trimmed = skip_space(after);
            if trimmed.is_empty() {
                break;
            }
            rest = match trimmed.strip_prefix(',') {
                Some(next) => skip_space(next),
                None if trimmed.len() < after.len() => trimmed,
                None => return Err(improper()),
            };
        }
        let conditions: Vec<Condition> = conditions
            .into_iter()
            .map(|scanned| Condition::build(&scanned))
            .collect::<Result<_, _>>()?;
        let names_prerelease = conditions.iter().any(|c| !c.version.pre.is_empty());
        Ok(Self {
            conditions,
            names_prerelease,
        })
    }
}

/// In the order the alternation tries them: a shorter operator is only taken when a version follows it.
const OPERATORS: [(&str, Operator); 12] = [
    ("=", Operator::Equal),
    ("", Operator::Equal),
    ("!=", Operator::NotEqual),
    (">", Operator::Greater),
    ("<", Operator::Less),
    (">=", Operator::GreaterEqual),
    ("=>", Operator::GreaterEqual),
    ("<=", Operator::LessEqual),
    ("=<", Operator::LessEqual),
    ("~", Operator::Tilde),
    ("~>", Operator::Tilde),
    ("^", Operator::Caret),
];

struct Scanned<'a> {
    operator: Operator,
    operator_text: &'static str,
    text: &'a str,
    loose: Loose<'a>,
}

fn scan_condition(text: &str) -> Option<(Scanned<'_>, usize)> {
    OPERATORS.into_iter().find_map(|(operator_text, operator)| {
        let rest = skip_space(text.strip_prefix(operator_text)?);
        let loose = Loose::scan(rest, is_digit_or_wild)?;
        let start = text.len() - rest.len();
        let len = start + loose.len;
        let text = rest.get(..loose.len)?;
        Some((
            Scanned {
                operator,
                operator_text,
                text,
                loose,
            },
            len,
        ))
    })
}

impl Condition {
    fn build(scanned: &Scanned<'_>) -> Result<Self, Error> {
        let loose = &scanned.loose;
        let wild = |part: Option<&str>| part.is_none_or(|p| matches!(p, "x" | "X" | "*"));
        let pre = loose.pre.map(|p| format!("-{p}")).unwrap_or_default();
        let (mut minor_dirty, mut patch_dirty, mut dirty) = (false, false, true);
        let text = if wild(Some(loose.major)) {
            format!("0.0.0{pre}")
        } else if wild(loose.minor) {
            minor_dirty = true;
            format!("{}.0.0{pre}", loose.major)
        } else if wild(loose.patch) {
            patch_dirty = true;
            format!("{}.{}.0{pre}", loose.major, loose.minor.unwrap_or_default())
        } else {
            dirty = false;
            scanned.text.to_owned()
        };
        let version = Version::parse(&text).map_err(|_| Error::ConstraintParser)?;
        Ok(Self {
            operator: scanned.operator,
            operator_text: scanned.operator_text,
            text: scanned.text.to_owned(),
            version,
            dirty,
            minor_dirty,
            patch_dirty,
        })
    }

    fn check(&self, v: &Version, include_prerelease: bool) -> Result<(), String> {
        if !v.pre.is_empty() && !include_prerelease {
            return Err(prerelease_reason(v));
        }
        let c = &self.version;
        let unless = |ok: bool, relation: &str| {
            if ok {
                Ok(())
            } else {
                Err(format!("{} {relation} {}", shown(v), quoted(&self.text)))
            }
        };
        match self.operator {
            Operator::Equal if self.dirty => self.check_tilde(v),
            Operator::Equal => unless(v.compare(c).is_eq(), "is not equal to"),
            Operator::NotEqual => unless(self.differs(v), "is equal to"),
            Operator::Greater => {
                let greater = if !self.dirty {
                    v.compare(c).is_gt()
                } else if v.major != c.major {
                    v.major > c.major
                } else if self.minor_dirty {
                    false
                } else if self.patch_dirty {
                    v.minor > c.minor
                } else {
                    v.compare(c).is_gt()
                };
                unless(greater, "is less than or equal to")
            }
            Operator::Less => unless(v.compare(c).is_lt(), "is greater than or equal to"),
            Operator::GreaterEqual => unless(v.compare(c).is_ge(), "is less than"),
            Operator::LessEqual => {
                let within = if !self.dirty {
                    v.compare(c).is_le()
                } else {
                    v.major < c.major || v.major == c.major && (v.minor <= c.minor || self.minor_dirty)
                };
                unless(within, "is greater than")
            }
            Operator::Tilde => self.check_tilde(v),
            Operator::Caret => self.check_caret(v),
        }
    }

    fn differs(&self, v: &Version) -> bool {
        let c = &self.version;
        if self.dirty {
            if v.major != c.major {
                return true;
            }
            if self.minor_dirty {
                return false;
            }
            if v.minor != c.minor {
                return true;
            }
            if self.patch_dirty {
                return compare_prerelease(&v.pre, &c.pre).is_ne();
            }
            if v.patch != c.patch {
                return true;
            }
        }
        v.compare(c).is_ne()
    }

    fn check_tilde(&self, v: &Version) -> Result<(), String> {
        let (c, text) = (&self.version, quoted(&self.text));
        let v_shown = shown(v);
        if v.compare(c).is_lt() {
            return Err(format!("{v_shown} is less than {text}"));
        }
        // `~0.0.0` and the bare wildcard accept everything from zero on.
        if (c.major, c.minor, c.patch) == (0, 0, 0) && !self.minor_dirty && !self.patch_dirty {
            return Ok(());
        }
        if v.major != c.major {
            return Err(format!("{v_shown} does not have same major version as {text}"));
        }
        if v.minor != c.minor && !self.minor_dirty {
            return Err(format!(
                "{v_shown} does not have same major and minor version as {text}"
            ));
        }
        Ok(())
    }

    fn check_caret(&self, v: &Version) -> Result<(), String> {
        let (c, text) = (&self.version, quoted(&self.text));
        let v_shown = shown(v);
        if v.compare(c).is_lt() {
            return Err(format!("{v_shown} is less than {text}"));
        }
        let other_major = || Err(format!("{v_shown} does not have same major version as {text}"));
        if c.major > 0 || self.minor_dirty {
            return if v.major == c.major { Ok(()) } else { other_major() };
        }
        if v.major > 0 {
            return other_major();
        }
        if c.minor > 0 || self.patch_dirty {
            if v.minor == c.minor {
                return Ok(());
            }
            return Err(format!(
                "{v_shown} does not have same minor version as {text}. Expected minor versions to match when constraint major version is 0"
            ));
        }
        if v.minor > 0 {
            return Err(format!("{v_shown} does not have same minor version as {text}"));
        }
        if v.patch == c.patch {
            return Ok(());
        }
        Err(format!(
            "{v_shown} does not equal {text}. Expect version and constraint to equal when major and minor versions are 0"
        ))
    }
}

/// The version in quotes, as reasons show it.
fn shown(v: &Version) -> String {
    quoted(&v.to_string())
}

fn prerelease_reason(v: &Version) -> String {
    format!(
        "{} is a prerelease version and the constraint is only looking for release versions",
        shown(v)
    )
}

/// The lenient shape `v?N(.N)?(.N)?(-pre)?(+meta)?`, as long as it goes.
struct Loose<'a> {
    major: &'a str,
    minor: Option<&'a str>,
    patch: Option<&'a str>,
    pre: Option<&'a str>,
    metadata: Option<&'a str>,
    len: usize,
}

impl<'a> Loose<'a> {
    fn scan(text: &'a str, number: fn(u8) -> bool) -> Option<Self> {
        let start = usize::from(text.starts_with('v'));
        let run = |from: usize, class: fn(u8) -> bool| {
            let len = text
                .as_bytes()
                .get(from..)
                .unwrap_or_default()
                .iter()
                .take_while(|b| class(**b))
                .count();
            text.get(from..from + len).filter(|part| !part.is_empty())
        };
        let major = run(start, number)?;
        let mut len = start + major.len();
        let mut dotted = || {
            let part = text.get(len..)?.strip_prefix('.').and_then(|_| run(len + 1, number))?;
            len += 1 + part.len();
            Some(part)
        };
        let minor = dotted();
        let patch = if minor.is_some() { dotted() } else { None };
        // Identifiers joined by dots; a dot that nothing follows is not part of it.
        let mut tail = |mark: char| {
            text.get(len..)?.strip_prefix(mark)?;
            let from = len + 1;
            let mut end = from + run(from, is_identifier)?.len();
            while let Some(part) = text
                .get(end..)
                .filter(|t| t.starts_with('.'))
                .and_then(|_| run(end + 1, is_identifier))
            {
                end += 1 + part.len();
            }
            len = end;
            text.get(from..end)
        };
        let pre = tail('-');
        let metadata = tail('+');
        Some(Self {
            major,
            minor,
            patch,
            pre,
            metadata,
            len,
        })
    }
}

fn is_digit(b: u8) -> bool {
    b.is_ascii_digit()
}

// The library's character class has a bar in it, so `1|2` passes here and fails as a version.
fn is_digit_or_wild(b: u8) -> bool {
    b.is_ascii_digit() || matches!(b, b'x' | b'X' | b'*' | b'|')
}

fn is_identifier(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'-'
}

fn skip_space(text: &str) -> &str {
    text.trim_start_matches(['\t', '\n', '\x0c', '\r', ' '])
}

/// Turns every `a - b` into `>= a, <= b `.
fn rewrite_ranges(text: &str) -> String {
    let mut out = text.to_owned();
    let mut rest = text;
    while !rest.is_empty() {
        match scan_range(rest) {
            Some((from, to, len)) => {
                let whole = rest.get(..len).unwrap_or_default();
                out = out.replacen(whole, &format!(">= {from}, <= {to} "), 1);
                rest = rest.get(len..).unwrap_or_default();
            }
            None => {
                rest = rest
                    .get(rest.chars().next().map_or(1, char::len_utf8)..)
                    .unwrap_or_default()
            }
        }
    }
    out
}

fn scan_range(text: &str) -> Option<(&str, &str, usize)> {
    let start = skip_space(text);
    let from = start.get(..Loose::scan(start, is_digit_or_wild)?.len)?;
    let rest = start.get(from.len()..)?;
    let dash = skip_space(rest);
    let after = dash.strip_prefix('-').filter(|_| dash.len() < rest.len())?;
    let second = skip_space(after);
    if second.len() == after.len() {
        return None;
    }
    let to = second.get(..Loose::scan(second, is_digit_or_wild)?.len)?;
    let tail = skip_space(second.get(to.len()..)?);
    Some((from, to, text.len() - tail.len()))
}

fn compare_prerelease(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a.split('.'), b.split('.'));
    loop {
        let (x, y) = (left.next(), right.next());
        if x.is_none() && y.is_none() {
            return Ordering::Equal;
        }
        let (x, y) = (x.unwrap_or_default(), y.unwrap_or_default());
        if x == y {
            continue;
        }
        if x.is_empty() {
            return Ordering::Less;
        }
        if y.is_empty() {
            return Ordering::Greater;
        }
        return match (number(x), number(y)) {
            // Two spellings of one number ("1" and "01") rank the right one higher, as in the library.
            (Some(m), Some(n)) if m > n => Ordering::Greater,
            (Some(_), Some(_) | None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => x.cmp(y),
        };
    }
}

fn number(text: &str) -> Option<u64> {
    if text.bytes().all(|b| b.is_ascii_digit()) {
        text.parse().ok()
    } else {
        None
    }
}

fn validate_prerelease(text: &str) -> Result<(), Error> {
    for part in text.split('.') {
        if part.is_empty() || !part.bytes().all(is_identifier) {
            return Err(Error::InvalidPrerelease);
        }
        if part.len() > 1 && part.starts_with('0') && part.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Error::SegmentStartsZero);
        }
    }
    Ok(())
}

fn validate_metadata(text: &str) -> Result<(), Error> {
    let good = text
        .split('.')
        .all(|part| !part.is_empty() && part.bytes().all(is_identifier));
    if good { Ok(()) } else { Err(Error::InvalidMetadata) }
}
