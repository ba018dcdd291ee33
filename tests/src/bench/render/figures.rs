//! Medians, shares and tables.

use std::{fmt::Write as _, time::Duration};

/// One case, here and there.
pub(super) struct Pair {
    pub name: String,
    pub ours: Duration,
    pub theirs: Duration,
    /// A process of ours that does only this.
    pub our_process: Option<Duration>,
    pub our_memory: u64,
    pub their_memory: u64,
}

impl Pair {
    /// How many times less processor time it takes here.
    pub(super) fn ratio(&self) -> f64 {
        self.theirs.as_secs_f64() / self.ours.as_secs_f64().max(1e-9)
    }
}

/// Of several samples the middle one; zero of none.
pub(super) fn median(mut samples: Vec<Duration>) -> Duration {
    samples.sort_unstable();
    samples.get(samples.len() / 2).copied().unwrap_or_default()
}

/// The sample that `percent` of all are not above; zero of none.
pub(super) fn percentile(mut samples: Vec<Duration>, percent: usize) -> Duration {
    samples.sort_unstable();
    let place = (samples.len() * percent).div_ceil(100).saturating_sub(1);
    samples.get(place).copied().unwrap_or_default()
}

/// Milliseconds with as many digits as are worth reading.
pub(super) fn ms(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1e3;
    match ms {
        ms if ms >= 100.0 => format!("{ms:.0} ms"),
        ms if ms >= 10.0 => format!("{ms:.1} ms"),
        ms => format!("{ms:.2} ms"),
    }
}

fn mib(bytes: u64) -> String {
    format!("{:.0} MiB", bytes as f64 / f64::from(1 << 20))
}

/// The table of one corpus. `tool` is what stands beside us.
pub(super) fn table(pairs: &[Pair], tool: &str) -> String {
    let ours = || pairs.iter().map(|p| p.ours);
    let theirs = || pairs.iter().map(|p| p.theirs);
    let processes = || pairs.iter().filter_map(|p| p.our_process);
    let mut text = format!(
        "| processor time, {} cases | here | {tool} | times less |\n| --- | --- | --- | --- |\n",
        pairs.len()
    );
    let mut row = |what: &str, ours: Duration, theirs: Duration| {
        let ratio = theirs.as_secs_f64() / ours.as_secs_f64().max(1e-9);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "| {what} | {} | {} | {ratio:.0} |", ms(ours), ms(theirs));
    };
    row("median", median(ours().collect()), median(theirs().collect()));
    row(
        "90th percentile",
        percentile(ours().collect(), 90),
        percentile(theirs().collect(), 90),
    );
    row(
        "worst",
        ours().max().unwrap_or_default(),
        theirs().max().unwrap_or_default(),
    );
    row("sum", ours().sum(), theirs().sum());
    if processes().next().is_some() {
        row("sum, each in a process of its own", processes().sum(), theirs().sum());
    }
    let mut ratios: Vec<f64> = pairs.iter().map(Pair::ratio).collect();
    ratios.sort_by(f64::total_cmp);
    let _ = writeln!(
        text,
        "| of each case: lowest, median, highest | | | {:.1}, {:.0}, {:.0} |",
        ratios.first().copied().unwrap_or_default(),
        ratios.get(ratios.len() / 2).copied().unwrap_or_default(),
        ratios.last().copied().unwrap_or_default()
    );
    let memory = |of: fn(&Pair) -> u64| {
        let mut all: Vec<u64> = pairs.iter().map(of).collect();
        all.sort_unstable();
        (
            all.get(all.len() / 2).copied().unwrap_or_default(),
            all.last().copied().unwrap_or_default(),
        )
    };
    let ((our_median, our_worst), (their_median, their_worst)) = (memory(|p| p.our_memory), memory(|p| p.their_memory));
    let _ = writeln!(
        text,
        "| peak memory of a process: median, worst | {}, {} | {}, {} | {:.1}, {:.1} |",
        mib(our_median),
        mib(our_worst),
        mib(their_median),
        mib(their_worst),
        their_median as f64 / our_median.max(1) as f64,
        their_worst as f64 / our_worst.max(1) as f64
    );
    text
}

/// The cases that cost most here, or least times less than there.
pub(super) fn worst(pairs: &[Pair], tool: &str, count: usize) -> String {
    let mut text = format!("| case | here | {tool} | times less |\n| --- | --- | --- | --- |\n");
    let mut by_cost: Vec<&Pair> = pairs.iter().collect();
    by_cost.sort_by_key(|p| std::cmp::Reverse(p.ours));
    let mut by_ratio: Vec<&Pair> = pairs.iter().collect();
    by_ratio.sort_by(|a, b| a.ratio().total_cmp(&b.ratio()));
    let mut shown: Vec<&str> = Vec::new();
    for pair in by_cost.into_iter().take(count).chain(by_ratio.into_iter().take(count)) {
        if shown.contains(&&*pair.name) {
            continue;
        }
        shown.push(&pair.name);
        let _ = writeln!(
            text,
            "| {} | {} | {} | {:.1} |",
            pair.name,
            ms(pair.ours),
            ms(pair.theirs),
            pair.ratio()
        );
    }
    text
}

/// Names of the cases that take more than a fifth of what they take there.
pub(super) fn over_a_fifth(pairs: &[Pair]) -> Vec<&str> {
    pairs.iter().filter(|p| p.ratio() < 5.0).map(|p| &*p.name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(all: &[u64]) -> Vec<Duration> {
        all.iter().copied().map(Duration::from_millis).collect()
    }

    #[test]
    fn the_middle_and_the_ninetieth() {
        assert_eq!(median(of(&[9, 1, 5])), Duration::from_millis(5));
        assert_eq!(median(Vec::new()), Duration::ZERO);
        let hundred: Vec<u64> = (1..=100).rev().collect();
        assert_eq!(percentile(of(&hundred), 90), Duration::from_millis(90));
        assert_eq!(percentile(of(&[7]), 90), Duration::from_millis(7));
    }

    fn pair(name: &str, ours: u64, theirs: u64) -> Pair {
        Pair {
            name: name.into(),
            ours: Duration::from_millis(ours),
            theirs: Duration::from_millis(theirs),
            our_process: None,
            our_memory: 1 << 20,
            their_memory: 4 << 20,
        }
    }

    #[test]
    fn a_fifth_is_the_limit() {
        let pairs = [pair("quick", 1, 100), pair("just", 20, 100), pair("slow", 21, 100)];
        assert_eq!(over_a_fifth(&pairs), ["slow"]);
        let text = table(&pairs, "helm");
        assert!(text.contains("| sum | 42.0 ms | 300 ms | 7 |"), "{text}");
        assert!(text.contains("| 1 MiB, 1 MiB | 4 MiB, 4 MiB | 4.0, 4.0 |"), "{text}");
    }
}
