//! Times and durations as Go prints them.

use jiff::Timestamp;
use pintle_model::Time;

/// `2026-01-02 03:04:05 +0000 UTC`, as Go's `Time.String`.
pub(crate) fn long(time: Option<Time>) -> String {
    time.map(|t| t.timestamp().strftime("%Y-%m-%d %H:%M:%S +0000 UTC").to_string())
        .unwrap_or_default()
}

/// `2026-01-02T03:04:05+00:00`, as progress lines have it.
pub(crate) fn line(now: Timestamp) -> String {
    now.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}

/// `1h2m3s`, `2m3s`, `3s`: whole seconds as Go's `Duration.String`.
pub(crate) fn duration(seconds: i64) -> String {
    let (h, m, s) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (h, m) {
        (0, 0) => format!("{s}s"),
        (0, _) => format!("{m}m{s}s"),
        _ => format!("{h}h{m}m{s}s"),
    }
}

/// How long ago, in at most two units, as kubectl's AGE.
#[allow(
    clippy::match_overlapping_arm,
    reason = "read from top to bottom, each line is one step of kubectl's"
)]
pub(crate) fn age(since: Option<Time>, now: Timestamp) -> String {
    let Some(since) = since else { return String::new() };
    let seconds = now.duration_since(since.timestamp()).as_secs().max(0);
    let (d, h, m) = (seconds / 86_400, seconds / 3600, seconds / 60);
    match seconds {
        ..120 => format!("{seconds}s"),
        ..600 if seconds % 60 > 0 => format!("{m}m{}s", seconds % 60),
        ..10_800 => format!("{m}m"),
        ..28_800 if m % 60 > 0 => format!("{h}h{}m", m % 60),
        ..172_800 => format!("{h}h"),
        ..691_200 if h % 24 > 0 => format!("{d}d{}h", h % 24),
        ..63_072_000 => format!("{d}d"),
        _ => format!("{}y{}d", d / 365, d % 365),
    }
}

/// The process's one reading of the wall clock for what is shown.
#[allow(
    clippy::disallowed_methods,
    reason = "the command line's one reading of the clock; everything else takes `now`"
)]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_look_like_go_and_kubectl() {
        let time: Time = "2026-01-02T03:04:05Z".parse().unwrap();
        assert_eq!(long(Some(time)), "2026-01-02 03:04:05 +0000 UTC");
        assert_eq!(line(time.timestamp()), "2026-01-02T03:04:05+00:00");
        let durations: Vec<String> = [0, 59, 61, 3600, 90_061].into_iter().map(duration).collect();
        assert_eq!(durations, ["0s", "59s", "1m1s", "1h0m0s", "25h1m1s"]);
        let ages: Vec<String> = [5, 119, 150, 600, 11_000, 90_000, 200_000, 8_000_000]
            .into_iter()
            .map(|s| age(Some(time), time.timestamp() + jiff::SignedDuration::from_secs(s)))
            .collect();
        assert_eq!(ages, ["5s", "119s", "2m30s", "10m", "3h3m", "25h", "2d7h", "92d"]);
    }
}
