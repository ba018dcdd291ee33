//! Layouts: the reference time `Mon Jan 2 15:04:05 MST 2006` spelled as the output should look.

use std::fmt::{self, Write as _};

use super::{Civil, Time, Zone, days_from_civil, days_in, is_leap};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// Why a text does not follow a layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError(String);

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ParseError {}

/// Quotes as the time package's errors do: bytes beyond ASCII and control characters as `\x..`.
pub(super) fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
            out.push(c);
        } else if !(' '..'\u{80}').contains(&c) {
            let mut buffer = [0; 4];
            for byte in c.encode_utf8(&mut buffer).bytes() {
                let _ = write!(out, "\\x{byte:02x}");
            }
        } else {
            out.push(c);
        }
    }
    out.push('"');
    out
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Chunk {
    LongMonth,
    Month,
    NumMonth,
    ZeroMonth,
    LongWeekDay,
    WeekDay,
    Day,
    UnderDay,
    ZeroDay,
    UnderYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    UpperPm,
    LowerPm,
    Zone,
    /// An offset: `Z` for zero, and how the rest is spelled.
    Offset {
        iso: bool,
        form: OffsetForm,
    },
    /// Exactly so many digits after the separator.
    Fraction0 {
        digits: usize,
        comma: bool,
    },
    /// At most so many, trailing zeros dropped.
    Fraction9 {
        digits: usize,
        comma: bool,
    },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum OffsetForm {
    Hours,
    Minutes,
    ColonMinutes,
    Seconds,
    ColonSeconds,
}

/// Longest spellings first: the first that fits at a place is taken.
const FIXED: &[(&str, Chunk)] = &[
    ("January", Chunk::LongMonth),
    ("Jan", Chunk::Month),
    ("Monday", Chunk::LongWeekDay),
    ("Mon", Chunk::WeekDay),
    ("MST", Chunk::Zone),
    ("01", Chunk::ZeroMonth),
    ("02", Chunk::ZeroDay),
    ("03", Chunk::ZeroHour12),
    ("04", Chunk::ZeroMinute),
    ("05", Chunk::ZeroSecond),
    ("06", Chunk::Year),
    ("002", Chunk::ZeroYearDay),
    ("15", Chunk::Hour),
    ("1", Chunk::NumMonth),
    ("2006", Chunk::LongYear),
    ("2", Chunk::Day),
    ("_2", Chunk::UnderDay),
    ("__2", Chunk::UnderYearDay),
    ("3", Chunk::Hour12),
    ("4", Chunk::Minute),
    ("5", Chunk::Second),
    ("PM", Chunk::UpperPm),
    ("pm", Chunk::LowerPm),
    (
        "-070000",
        Chunk::Offset {
            iso: false,
            form: OffsetForm::Seconds,
        },
    ),
    (
        "-07:00:00",
        Chunk::Offset {
            iso: false,
            form: OffsetForm::ColonSeconds,
        },
    ),
    (
        "-0700",
        Chunk::Offset {
            iso: false,
            form: OffsetForm::Minutes,
        },
    ),
    (
        "-07:00",
        Chunk::Offset {
            iso: false,
            form: OffsetForm::ColonMinutes,
        },
    ),
    (
        "-07",
        Chunk::Offset {
            iso: false,
            form: OffsetForm::Hours,
        },
    ),
    (
        "Z070000",
        Chunk::Offset {
            iso: true,
            form: OffsetForm::Seconds,
        },
    ),
    (
        "Z07:00:00",
        Chunk::Offset {
            iso: true,
            form: OffsetForm::ColonSeconds,
        },
    ),
    (
        "Z0700",
        Chunk::Offset {
            iso: true,
            form: OffsetForm::Minutes,
        },
    ),
    (
        "Z07:00",
        Chunk::Offset {
            iso: true,
            form: OffsetForm::ColonMinutes,
        },
    ),
    (
        "Z07",
        Chunk::Offset {
            iso: true,
            form: OffsetForm::Hours,
        },
    ),
];

/// The text before the first chunk of a layout, the chunk with its spelling, and the rest.
fn next_chunk(layout: &str) -> (&str, Option<(Chunk, &str)>, &str) {
    for (at, _) in layout.char_indices() {
        let rest = layout.get(at..).unwrap_or_default();
        let found = if rest.starts_with(['.', ',']) {
            fraction(rest)
        } else if rest.starts_with("_2006") {
            None
        } else {
            FIXED
                .iter()
                .find(|(spelling, chunk)| fits(rest, spelling, *chunk))
                .map(|(s, c)| (*c, s.len()))
        };
        if let Some((chunk, len)) = found {
            let spelling = rest.get(..len).unwrap_or_default();
            return (
                layout.get(..at).unwrap_or_default(),
                Some((chunk, spelling)),
                rest.get(len..).unwrap_or_default(),
            );
        }
    }
    (layout, None, "")
}

fn fits(rest: &str, spelling: &str, chunk: Chunk) -> bool {
    rest.strip_prefix(spelling).is_some_and(|after| {
        // "Janet" and "Month" are words.
        !matches!(chunk, Chunk::Month | Chunk::WeekDay) || !after.starts_with(|c: char| c.is_ascii_lowercase())
    })
}

fn fraction(rest: &str) -> Option<(Chunk, usize)> {
    let comma = rest.starts_with(',');
    let digit = rest.as_bytes().get(1).copied().filter(|b| matches!(b, b'0' | b'9'))?;
    let digits = rest.bytes().skip(1).take_while(|b| *b == digit).count();
    if rest.as_bytes().get(1 + digits).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let chunk = if digit == b'0' {
        Chunk::Fraction0 { digits, comma }
    } else {
        Chunk::Fraction9 { digits, comma }
    };
    Some((chunk, 1 + digits))
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.format("2006-01-02 15:04:05.999999999 -0700 MST"))
    }
}

impl Time {
    /// Prints the moment as the layout shows.
    pub fn format(&self, layout: &str) -> String {
        let civil = self.civil();
        let mut out = String::with_capacity(layout.len() + 10);
        let mut rest = layout;
        loop {
            let (prefix, chunk, suffix) = next_chunk(rest);
            out.push_str(prefix);
            let Some((chunk, _)) = chunk else { return out };
            write_chunk(&mut out, chunk, &civil, self.nanos);
            rest = suffix;
        }
    }

    /// Reads a text by a layout; without a zone in it the moment is in UTC.
    ///
    /// # Errors
    /// As `time.Parse` words them.
    pub fn parse(layout: &str, value: &str) -> Result<Self, ParseError> {
        Parse::default().run(layout, value)
    }
}

fn write_chunk(out: &mut String, chunk: Chunk, c: &Civil, nanos: u32) {
    let hour12 = if c.hour.is_multiple_of(12) { 12 } else { c.hour % 12 };
    let name = |names: &[&'static str], at: u32| names.get(at as usize).copied().unwrap_or_default();
    let month = name(&MONTHS, c.month.saturating_sub(1));
    let weekday = name(&DAYS, c.weekday);
    // Writing to a String cannot fail.
    let _ = match chunk {
        Chunk::LongMonth => write!(out, "{month}"),
        Chunk::Month => write!(out, "{}", month.get(..3).unwrap_or_default()),
        Chunk::NumMonth => write!(out, "{}", c.month),
        Chunk::ZeroMonth => write!(out, "{:02}", c.month),
        Chunk::LongWeekDay => write!(out, "{weekday}"),
        Chunk::WeekDay => write!(out, "{}", weekday.get(..3).unwrap_or_default()),
        Chunk::Day => write!(out, "{}", c.day),
        Chunk::UnderDay => write!(out, "{:2}", c.day),
        Chunk::ZeroDay => write!(out, "{:02}", c.day),
        Chunk::UnderYearDay => write!(out, "{:3}", c.year_day),
        Chunk::ZeroYearDay => write!(out, "{:03}", c.year_day),
        Chunk::Hour => write!(out, "{:02}", c.hour),
        Chunk::Hour12 => write!(out, "{hour12}"),
        Chunk::ZeroHour12 => write!(out, "{hour12:02}"),
        Chunk::Minute => write!(out, "{}", c.minute),
        Chunk::ZeroMinute => write!(out, "{:02}", c.minute),
        Chunk::Second => write!(out, "{}", c.second),
        Chunk::ZeroSecond => write!(out, "{:02}", c.second),
        Chunk::LongYear if c.year < 0 => write!(out, "-{:04}", c.year.unsigned_abs()),
        Chunk::LongYear => write!(out, "{:04}", c.year),
        Chunk::Year => write!(out, "{:02}", c.year.rem_euclid(100)),
        Chunk::UpperPm => write!(out, "{}", if c.hour >= 12 { "PM" } else { "AM" }),
        Chunk::LowerPm => write!(out, "{}", if c.hour >= 12 { "pm" } else { "am" }),
        Chunk::Zone if !c.abbreviation.is_empty() => write!(out, "{}", c.abbreviation),
        Chunk::Zone => {
            let minutes = c.offset / 60;
            let sign = if minutes < 0 { '-' } else { '+' };
            let minutes = minutes.unsigned_abs();
            write!(out, "{sign}{:02}{:02}", minutes / 60, minutes % 60)
        }
        Chunk::Offset { iso: true, .. } if c.offset == 0 => write!(out, "Z"),
        Chunk::Offset { form, .. } => {
            let sign = if c.offset < 0 { '-' } else { '+' };
            let s = c.offset.unsigned_abs();
            let (h, m, s) = (s / 3600, s / 60 % 60, s % 60);
            match form {
                OffsetForm::Hours => write!(out, "{sign}{h:02}"),
                OffsetForm::Minutes => write!(out, "{sign}{h:02}{m:02}"),
                OffsetForm::ColonMinutes => write!(out, "{sign}{h:02}:{m:02}"),
                OffsetForm::Seconds => write!(out, "{sign}{h:02}{m:02}{s:02}"),
                OffsetForm::ColonSeconds => write!(out, "{sign}{h:02}:{m:02}:{s:02}"),
            }
        }
        Chunk::Fraction0 { digits, comma } | Chunk::Fraction9 { digits, comma } => {
            let all = format!("{nanos:09}");
            let mut shown = all.get(..digits.min(9)).unwrap_or_default();
            if matches!(chunk, Chunk::Fraction9 { .. }) {
                shown = shown.trim_end_matches('0');
            }
            let separator = if comma { ',' } else { '.' };
            if shown.is_empty() {
                Ok(())
            } else {
                write!(out, "{separator}{shown}")
            }
        }
    };
}

/// What is wrong with one chunk of a value.
enum Bad {
    Shape,
    Range(&'static str),
}

#[derive(Default)]
struct Parse {
    year: i64,
    month: Option<u32>,
    day: Option<u32>,
    year_day: Option<u32>,
    hour: u32,
    minute: u32,
    second: u32,
    nanos: u32,
    utc: bool,
    offset: Option<i32>,
    zone: String,
    am: bool,
    pm: bool,
}

impl Parse {
    fn run(mut self, whole_layout: &str, whole: &str) -> Result<Time, ParseError> {
        let shape = |element: &str, value: &str| {
            ParseError(format!(
                "parsing time {} as {}: cannot parse {} as {}",
                quote(whole),
                quote(whole_layout),
                quote(value),
                quote(element)
            ))
        };
        let other = |message: String| ParseError(format!("parsing time {}: {message}", quote(whole)));
        let (mut layout, mut value) = (whole_layout, whole);
        loop {
            let (prefix, chunk, suffix) = next_chunk(layout);
            value = skip(value, prefix).map_err(|rest| shape(prefix, rest))?;
            let Some((chunk, spelling)) = chunk else {
                if value.is_empty() {
                    break;
                }
                return Err(other(format!("extra text: {}", quote(value))));
            };
            layout = suffix;
            value = match self.chunk(chunk, value, layout) {
                Ok(rest) => rest,
                Err(Bad::Shape) => return Err(shape(spelling, value)),
                Err(Bad::Range(what)) => return Err(other(format!("{what} out of range"))),
            };
        }
        self.finish().map_err(|message| other(message.to_owned()))
    }

    fn finish(mut self) -> Result<Time, &'static str> {
        if self.pm && self.hour < 12 {
            self.hour += 12;
        } else if self.am && self.hour == 12 {
            self.hour = 0;
        }
        if let Some(year_day) = self.year_day {
            // Go looks the day up in a common year once the leap day is out of the way.
            let leap = is_leap(self.year);
            if year_day < 1 || year_day > 365 + u32::from(leap) {
                return Err("day-of-year out of range");
            }
            let (mut month, mut day) = (1, year_day);
            while day > days_in(self.year, month) {
                day -= days_in(self.year, month);
                month += 1;
            }
            if self.month.is_some_and(|m| m != month) {
                return Err("day-of-year does not match month");
            }
            if self.day.is_some_and(|d| d != day) {
                return Err("day-of-year does not match day");
            }
            (self.month, self.day) = (Some(month), Some(day));
        }
        let (month, day) = (self.month.unwrap_or(1), self.day.unwrap_or(1));
        if day < 1 || day > days_in(self.year, month) {
            return Err("day out of range");
        }
        let clock = i64::from(self.hour * 3600 + self.minute * 60 + self.second);
        let local = days_from_civil(self.year, month, day) * 86_400 + clock;
        let utc = Time::unix(local, self.nanos);
        if self.utc {
            return Ok(utc);
        }
        if let Some(offset) = self.offset {
            let moment = Time::unix(local - i64::from(offset), self.nanos);
            if offset == 0 && matches!(self.zone.as_str(), "" | "UTC") {
                return Ok(moment);
            }
            return Ok(moment.in_zone(Zone::Fixed {
                name: self.zone,
                offset,
            }));
        }
        if !self.zone.is_empty() {
            // An abbreviation alone tells no offset, but for GMT+3; the clock reading is taken as UTC's.
            let hours = self
                .zone
                .strip_prefix("GMT")
                .and_then(|h| h.parse::<i32>().ok())
                .unwrap_or(0);
            return Ok(utc.in_zone(Zone::Fixed {
                offset: hours * 3600,
                name: self.zone,
            }));
        }
        Ok(utc)
    }

    fn chunk<'v>(&mut self, chunk: Chunk, value: &'v str, layout: &str) -> Result<&'v str, Bad> {
        let bad = Bad::Shape;
        let mut rest = value;
        match chunk {
            Chunk::Year => {
                let (digits, after) = value.split_at_checked(2).ok_or(bad)?;
                let year = integer(digits)?;
                self.year = if year >= 69 { year + 1900 } else { year + 2000 };
                rest = after;
            }
            Chunk::LongYear => {
                let (digits, after) = value.split_at_checked(4).ok_or(bad)?;
                if !digits.starts_with(|c: char| c.is_ascii_digit()) {
                    return Err(Bad::Shape);
                }
                self.year = integer(digits)?;
                rest = after;
            }
            Chunk::Month | Chunk::LongMonth => {
                let (at, after) = lookup(&MONTHS, chunk == Chunk::Month, value)?;
                self.month = Some(at + 1);
                rest = after;
            }
            Chunk::NumMonth | Chunk::ZeroMonth => {
                let (month, after) = number(value, chunk == Chunk::ZeroMonth)?;
                self.month = Some(within(month, 1, 12, "month")?);
                rest = after;
            }
            Chunk::WeekDay | Chunk::LongWeekDay => rest = lookup(&DAYS, chunk == Chunk::WeekDay, value)?.1,
            Chunk::Day | Chunk::UnderDay | Chunk::ZeroDay => {
                let value = value
                    .strip_prefix(' ')
                    .filter(|_| chunk == Chunk::UnderDay)
                    .unwrap_or(value);
                let (day, after) = number(value, chunk == Chunk::ZeroDay)?;
                (self.day, rest) = (Some(day), after);
            }
            Chunk::UnderYearDay | Chunk::ZeroYearDay => {
                let mut value = value;
                for _ in 0..2 {
                    value = value
                        .strip_prefix(' ')
                        .filter(|_| chunk == Chunk::UnderYearDay)
                        .unwrap_or(value);
                }
                let len = value.bytes().take(3).take_while(u8::is_ascii_digit).count();
                if len == 0 || chunk == Chunk::ZeroYearDay && len != 3 {
                    return Err(Bad::Shape);
                }
                let (digits, after) = value.split_at_checked(len).ok_or(bad)?;
                self.year_day = Some(u32::try_from(integer(digits)?).map_err(|_| Bad::Shape)?);
                rest = after;
            }
            Chunk::Hour => {
                let (hour, after) = number(value, false)?;
                (self.hour, rest) = (within(hour, 0, 23, "hour")?, after);
            }
            Chunk::Hour12 | Chunk::ZeroHour12 => {
                let (hour, after) = number(value, chunk == Chunk::ZeroHour12)?;
                (self.hour, rest) = (within(hour, 0, 12, "hour")?, after);
            }
            Chunk::Minute | Chunk::ZeroMinute => {
                let (minute, after) = number(value, chunk == Chunk::ZeroMinute)?;
                (self.minute, rest) = (within(minute, 0, 59, "minute")?, after);
            }
            Chunk::Second | Chunk::ZeroSecond => {
                let (second, after) = number(value, chunk == Chunk::ZeroSecond)?;
                (self.second, rest) = (within(second, 0, 59, "second")?, after);
                // A fraction may follow the seconds even where the layout has none.
                let fraction_next = matches!(
                    next_chunk(layout).1,
                    Some((Chunk::Fraction0 { .. } | Chunk::Fraction9 { .. }, _))
                );
                if let Some(len) = fraction_len(rest).filter(|_| !fraction_next) {
                    rest = self.fraction(rest, len)?;
                }
            }
            Chunk::UpperPm | Chunk::LowerPm => {
                let (half, after) = value.split_at_checked(2).ok_or(bad)?;
                let (am, pm) = if chunk == Chunk::UpperPm {
                    ("AM", "PM")
                } else {
                    ("am", "pm")
                };
                if half != am && half != pm {
                    return Err(Bad::Shape);
                }
                (self.am, self.pm) = (self.am || half == am, self.pm || half == pm);
                rest = after;
            }
            Chunk::Zone => {
                if let Some(after) = value.strip_prefix("UTC") {
                    self.utc = true;
                    return Ok(after);
                }
                let (name, after) = zone_len(value).and_then(|len| value.split_at_checked(len)).ok_or(bad)?;
                self.zone = name.to_owned();
                rest = after;
            }
            Chunk::Offset { iso, form } => {
                if let Some(after) = value.strip_prefix('Z').filter(|_| iso) {
                    self.utc = true;
                    return Ok(after);
                }
                rest = self.offset(value, form)?;
            }
            Chunk::Fraction0 { digits, .. } => rest = self.fraction(value, digits + 1)?,
            Chunk::Fraction9 { .. } => {
                if let Some(len) = fraction_len(value) {
                    rest = self.fraction(value, len)?;
                }
            }
        }
        Ok(rest)
    }

    fn offset<'v>(&mut self, value: &'v str, form: OffsetForm) -> Result<&'v str, Bad> {
        let (len, minute_at, second_at) = match form {
            OffsetForm::Hours => (3, None, None),
            OffsetForm::Minutes => (5, Some(3), None),
            OffsetForm::ColonMinutes => (6, Some(4), None),
            OffsetForm::Seconds => (7, Some(3), Some(5)),
            OffsetForm::ColonSeconds => (9, Some(4), Some(7)),
        };
        let (text, rest) = value.split_at_checked(len).ok_or(Bad::Shape)?;
        let colons: &[usize] = match form {
            OffsetForm::ColonMinutes => &[3],
            OffsetForm::ColonSeconds => &[3, 6],
            _ => &[],
        };
        if colons.iter().any(|at| text.as_bytes().get(*at) != Some(&b':')) {
            return Err(Bad::Shape);
        }
        let two = |at: Option<usize>| match at {
            None => Ok(0),
            Some(at) => number(text.get(at..at + 2).unwrap_or_default(), true).map(|(n, _)| n),
        };
        let (h, m, s) = (two(Some(1))?, two(minute_at)?, two(second_at)?);
        let h = within(h, 0, 24, "time zone offset hour")?;
        let m = within(m, 0, 60, "time zone offset minute")?;
        let s = within(s, 0, 60, "time zone offset second")?;
        let seconds = i32::try_from((h * 60 + m) * 60 + s).unwrap_or_default();
        self.offset = Some(match text.as_bytes().first() {
            Some(b'+') => seconds,
            Some(b'-') => -seconds,
            _ => return Err(Bad::Shape),
        });
        Ok(rest)
    }

    /// Reads a separator and digits, `len` bytes together.
    fn fraction<'v>(&mut self, value: &'v str, len: usize) -> Result<&'v str, Bad> {
        let (text, rest) = value.split_at_checked(len).ok_or(Bad::Shape)?;
        let digits = text.strip_prefix(['.', ',']).ok_or(Bad::Shape)?;
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Bad::Shape);
        }
        let nine: String = digits.chars().chain("000000000".chars()).take(9).collect();
        self.nanos = nine.parse().map_err(|_| Bad::Shape)?;
        Ok(rest)
    }
}

fn fraction_len(value: &str) -> Option<usize> {
    let digits = value
        .strip_prefix(['.', ','])?
        .bytes()
        .take_while(u8::is_ascii_digit)
        .count();
    if digits == 0 { None } else { Some(digits + 1) }
}

fn within(n: u32, least: u32, most: u32, what: &'static str) -> Result<u32, Bad> {
    if (least..=most).contains(&n) {
        Ok(n)
    } else {
        Err(Bad::Range(what))
    }
}

fn integer(text: &str) -> Result<i64, Bad> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Bad::Shape);
    }
    let n: i64 = digits.parse().map_err(|_| Bad::Shape)?;
    Ok(if negative { -n } else { n })
}

/// One or two digits; two when `fixed`.
fn number(value: &str, fixed: bool) -> Result<(u32, &str), Bad> {
    let len = value.bytes().take(2).take_while(u8::is_ascii_digit).count();
    if len == 0 || fixed && len == 1 {
        return Err(Bad::Shape);
    }
    let (digits, rest) = value.split_at_checked(len).ok_or(Bad::Shape)?;
    Ok((digits.parse().map_err(|_| Bad::Shape)?, rest))
}

fn lookup<'v>(names: &[&str], short: bool, value: &'v str) -> Result<(u32, &'v str), Bad> {
    names
        .iter()
        .zip(0..)
        .find_map(|(name, at)| {
            let name = if short { name.get(..3)? } else { name };
            let (start, rest) = value.split_at_checked(name.len())?;
            start.eq_ignore_ascii_case(name).then_some((at, rest))
        })
        .ok_or(Bad::Shape)
}

/// Skips a literal of the layout; runs of spaces match runs of any length. The error is what was not matched.
fn skip<'v>(mut value: &'v str, prefix: &str) -> Result<&'v str, &'v str> {
    let mut rest = prefix;
    while let Some(c) = rest.chars().next() {
        if c == ' ' {
            if !value.is_empty() && !value.starts_with(' ') {
                return Err(value);
            }
            rest = rest.trim_start_matches(' ');
            value = value.trim_start_matches(' ');
            continue;
        }
        value = value.strip_prefix(c).ok_or(value)?;
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
    Ok(value)
}

/// The length of what looks like a zone's abbreviation.
fn zone_len(value: &str) -> Option<usize> {
    if value.len() < 3 {
        return None;
    }
    if value.starts_with("ChST") || value.starts_with("MeST") {
        return Some(4);
    }
    if let Some(after) = value.strip_prefix("GMT") {
        return Some(3 + signed_offset_len(after));
    }
    if value.starts_with(['+', '-']) {
        return Some(signed_offset_len(value)).filter(|len| *len > 0);
    }
    let bytes = value.as_bytes();
    match bytes.iter().take(6).take_while(|b| b.is_ascii_uppercase()).count() {
        5 if bytes.get(4) == Some(&b'T') => Some(5),
        4 if bytes.get(3) == Some(&b'T') || value.starts_with("WITA") => Some(4),
        3 => Some(3),
        _ => None,
    }
}

/// `+3` or `-11`: at most 23 hours, zero when there is none.
fn signed_offset_len(value: &str) -> usize {
    let Some(digits) = value.strip_prefix(['+', '-']) else {
        return 0;
    };
    let len = digits.bytes().take_while(u8::is_ascii_digit).count();
    match digits.get(..len).and_then(|d| d.parse::<u32>().ok()) {
        Some(hours) if hours <= 23 => 1 + len,
        _ => 0,
    }
}
