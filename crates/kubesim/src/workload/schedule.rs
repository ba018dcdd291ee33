//! The five fields of a cron schedule, in UTC.

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// When something is to happen: minutes, hours, days, months and weekdays as bit sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Schedule {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Whether the day or the weekday is `*`: then both must fit, otherwise one is enough.
    any_day: bool,
}

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// Minutes that are tried for the next time: four years and a day find every 29 February.
const HORIZON_MINUTES: i64 = 1_461 * 24 * 60;

impl Schedule {
    /// Reads a schedule; the error is a sentence about the field that is wrong.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let text = match text.trim() {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            other => other,
        };
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields.as_slice() else {
            return Err(format!("expected exactly 5 fields, found {}: {text:?}", fields.len()));
        };
        let weekdays = field(weekday, (0, 7), &WEEKDAYS, 0)?;
        let is_any = |f: &str| f.starts_with('*') || f == "?";
        Ok(Self {
            minutes: field(minute, (0, 59), &[], 0)?,
            hours: field(hour, (0, 23), &[], 0)?,
            days: field(day, (1, 31), &[], 0)?,
            months: field(month, (1, 12), &MONTHS, 1)?,
            // 7 is Sunday too.
            weekdays: (weekdays | (weekdays >> 7)) & 0x7f,
            any_day: is_any(day) || is_any(weekday),
        })
    }

    /// The first time after `after`; `None` when there is none within four years.
    pub(super) fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let start = after.as_second().div_euclid(60) + 1;
        let mut minute = start;
        while minute < start + HORIZON_MINUTES {
            let at = Timestamp::from_second(minute * 60).ok()?;
            let time = at.to_zoned(TimeZone::UTC);
            let has = |set: u64, n: i8| set & (1 << u64::try_from(n).unwrap_or(63)) != 0;
            if !has(self.months, time.month()) || !self.is_day(time.day(), time.weekday()) {
                minute = minute.div_euclid(24 * 60) * 24 * 60 + 24 * 60;
            } else if !has(self.hours, time.hour()) {
                minute = minute.div_euclid(60) * 60 + 60;
            } else if !has(self.minutes, time.minute()) {
                minute += 1;
            } else {
                return Some(at);
            }
        }
        None
    }

    fn is_day(&self, day: i8, weekday: Weekday) -> bool {
        let day = self.days & (1 << u64::try_from(day).unwrap_or(63)) != 0;
        let weekday = self.weekdays & (1 << u64::try_from(weekday.to_sunday_zero_offset()).unwrap_or(63)) != 0;
        if self.any_day { day && weekday } else { day || weekday }
    }
}

/// One field as a bit set: lists, ranges, steps and names.
fn field(text: &str, (least, most): (u64, u64), names: &[&str], first_name: u64) -> Result<u64, String> {
    let mut set = 0_u64;
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => {
                let step: u64 = step.parse().map_err(|_| format!("bad step in {part:?}"))?;
                (range, step)
            }
            None => (part, 1),
        };
        let value = |t: &str| {
            let name = names.iter().position(|n| n.eq_ignore_ascii_case(t));
            name.and_then(|i| Some(u64::try_from(i).ok()? + first_name))
                .or_else(|| t.parse().ok())
                .ok_or_else(|| format!("{t:?} is not a number"))
        };
        let (from, to) = match range {
            "*" | "?" => (least, if names.len() == 7 { 6 } else { most }),
            _ => match range.split_once('-') {
                Some((from, to)) => (value(from)?, value(to)?),
                // `5/10` means from 5 on.
                None if part.contains('/') => (value(range)?, most),
                None => (value(range)?, value(range)?),
            },
        };
        if from < least || to > most || from > to || step == 0 {
            return Err(format!("{part:?} is not within {least} to {most}"));
        }
        let mut n = from;
        while n <= to {
            set |= 1 << n;
            n += step;
        }
    }
    Ok(set)
}

/// The last time of the schedule in `(since, until]`, and how many there are (counted up to 100, as the real controller does).
pub(super) fn last_between(schedule: &Schedule, since: Timestamp, until: Timestamp) -> Option<(Timestamp, usize)> {
    let mut found = None;
    let mut count = 0;
    let mut at = schedule.next(since)?;
    while at <= until {
        found = Some(at);
        count += 1;
        if count > 100 {
            // Far behind: look at the last day only.
            let day_before = until.checked_sub(24.hours()).ok()?;
            if at < day_before {
                at = schedule.next(day_before)?;
                continue;
            }
        }
        at = schedule.next(at)?;
    }
    found.map(|f| (f, count))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(schedule: &str, after: &str, expected: &str) {
        let schedule = Schedule::parse(schedule).expect("a schedule");
        let next = schedule.next(after.parse().expect("a time")).expect("some time");
        assert_eq!(next.to_string(), expected);
    }

    #[test]
    fn the_next_time_is_found() {
        check("*/5 * * * *", "2026-01-01T00:00:00Z", "2026-01-01T00:05:00Z");
        check("* * * * *", "2026-01-01T00:00:59Z", "2026-01-01T00:01:00Z");
        check("30 4 1,15 * *", "2026-01-01T04:30:00Z", "2026-01-15T04:30:00Z");
        check("0 9 * * mon-fri", "2026-01-02T09:00:00Z", "2026-01-05T09:00:00Z");
        check("0 0 1 * 7", "2026-01-01T00:00:00Z", "2026-01-04T00:00:00Z");
        check("0 0 29 feb *", "2026-03-01T00:00:00Z", "2028-02-29T00:00:00Z");
        check("10/20 * * * *", "2026-01-01T00:10:00Z", "2026-01-01T00:30:00Z");
        check("@daily", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z");
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert!(Schedule::parse("61 * * * *").is_err_and(|e| e.contains("0 to 59")));
        assert!(Schedule::parse("* * * *").is_err_and(|e| e.contains("5 fields")));
        assert!(Schedule::parse("x * * * *").is_err_and(|e| e.contains("not a number")));
        assert!(Schedule::parse("*/0 * * * *").is_err());
        let never = Schedule::parse("0 0 31 2 *").expect("a schedule");
        assert_eq!(never.next("2026-01-01T00:00:00Z".parse().expect("a time")), None);
    }
}
