//! Ages as kubectl shows them.

/// A number of seconds in at most two units, as apimachinery's `HumanDuration`.
pub fn human_duration(seconds: i64) -> String {
    let (minute, hour, day) = (60, 3600, 86_400);
    let two = |big: i64, big_unit: &str, small: i64, small_unit: &str| {
        if small == 0 {
            format!("{big}{big_unit}")
        } else {
            format!("{big}{big_unit}{small}{small_unit}")
        }
    };
    match seconds {
        s if s < -1 => "<invalid>".to_owned(),
        s if s < 0 => "0s".to_owned(),
        s if s < 2 * minute => format!("{s}s"),
        s if s < 10 * minute => two(s / minute, "m", s % minute, "s"),
        s if s < 3 * hour => format!("{}m", s / minute),
        s if s < 8 * hour => two(s / hour, "h", s % hour / minute, "m"),
        s if s < 48 * hour => format!("{}h", s / hour),
        s if s < 192 * hour => two(s / day, "d", s % day / hour, "h"),
        s if s < 730 * day => format!("{}d", s / day),
        s if s < 2920 * day => two(s / (365 * day), "y", s % (365 * day) / day, "d"),
        s => format!("{}y", s / (365 * day)),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn ages_read_as_kubectls() {
        for (seconds, text) in [
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (125, "2m5s"),
            (600, "10m"),
            (10_800, "3h"),
            (11_000, "3h3m"),
            (200_000, "2d7h"),
            (900_000, "10d"),
        ] {
            assert_eq!(super::human_duration(seconds), text);
        }
    }
}
