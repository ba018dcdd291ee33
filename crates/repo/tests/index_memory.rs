//! What a large index costs. Alone in its program: the measure is the process's own peak.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

use std::fmt::Write as _;

use pintle_repo::Index;

/// The most memory this process ever had resident, in bytes; `None` where the system does not say.
fn peak() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<usize>().ok()? * 1024)
}

#[test]
fn an_index_of_20_mb_is_read_in_less_than_its_own_size_again() {
    let mut text = String::from("apiVersion: v1\nentries:\n");
    let mut versions = 0;
    for chart in 0.. {
        if text.len() > 20_000_000 {
            break;
        }
        writeln!(text, "  chart-{chart}:").unwrap();
        for minor in 0..50 {
            versions += 1;
            writeln!(
                text,
                "  - apiVersion: v2\n    appVersion: 1.{minor}.0\n    annotations:\n      images: |\n        - name: app\n          image: registry.example/chart-{chart}:1.{minor}.0\n    created: \"2026-01-01T00:00:00Z\"\n    description: Chart number {chart}, as wordy as descriptions of charts are, with reasons to use it and not another\n    digest: {:064x}\n    keywords: [database, cache, queue]\n    maintainers:\n    - email: somebody@example.org\n      name: Somebody\n    name: chart-{chart}\n    urls:\n    - https://charts.example.org/archives/chart-{chart}-1.{minor}.0.tgz\n    version: 1.{minor}.0",
                chart * 1000 + minor
            )
            .unwrap();
        }
    }
    let before = peak();
    let index = Index::parse(text.as_bytes()).unwrap();
    let after = peak();
    let read: usize = index.names().map(|name| index.chart(name).unwrap().len()).sum();
    assert_eq!(read, versions);
    let (Some(before), Some(after)) = (before, after) else {
        return;
    };
    let cost = after - before;
    println!("{} versions in {} bytes: {cost} bytes more", versions, text.len());
    assert!(cost < text.len(), "{cost} bytes to read {}", text.len());
}
