//! b3, f1, f2 and f3: pushes to a fleet at rest.

use std::time::Duration;

use tokio::time::Instant;

use super::install::{App, Installed};
use super::options::{Options, Part};
use super::report::{Report, Verdict};
use super::sources::Sources;
use super::{Result, fleet};
use crate::thirds::{self, Sort};

/// One application follows a push within this time, or has failed.
const ONE_WITHIN: Duration = Duration::from_secs(60);
/// The whole fleet is at a new revision within this time, or has failed.
const FLEET_WITHIN: Duration = Duration::from_secs(300);
/// A fleet is at rest when no Application was written for this long: longer than any write is put off.
const REST: Duration = Duration::from_millis(2500);
/// Tags that come with the commit that touches nothing.
const TAGS: usize = 500;

/// One push, and what it took.
struct Pushed {
    /// Where the manifests of the application that it touched come from.
    sort: &'static str,
    /// Until it was Synced and its operation had ended.
    synced: Duration,
    /// Until it was Healthy as well: what it rolled out is there.
    healthy: Duration,
    everyone: Duration,
    renders: u64,
    fetches: u64,
    ls_remotes: u64,
    cpu: f64,
    /// Versions of Applications that were seen until everyone was there and at rest.
    writes: u64,
}

/// Measures pushes one after the other, each to a fleet at rest.
pub(super) async fn measure(installed: &mut Installed, options: &Options, report: &mut Report) -> Result<()> {
    let fleet_size = installed.apps;
    // One of each sort; the indexes below go through all of them.
    let least = if installed.sources == Sources::Thirds { 3 } else { 1 };
    let samples = if options.wants(Part::B3) {
        options.samples.max(least)
    } else {
        least
    };
    let work = &installed.work;
    report.add(
        "install",
        format!("{fleet_size} applications, before any push"),
        format!(
            "{} renders, {} fetches, {} listings of refs",
            work.renders, work.fetches, work.ls_remotes
        ),
        Verdict::Target(
            "a render for each, 1 fetch",
            work.renders == fleet_size as u64 && work.fetches == 1,
        ),
    );
    if options.wants(Part::B3) || options.wants(Part::F1) {
        let mut pushes = Vec::with_capacity(samples);
        for sample in 0..samples {
            // Spread over the fleet: nothing may depend on the first in some order.
            let index = (sample * 37 + 11) % fleet_size;
            pushes.push(touch_one(installed, index, sample).await?);
        }
        if options.wants(Part::B3) {
            latency(&pushes, fleet_size, report);
        }
        if options.wants(Part::F1) {
            exactness(&pushes, fleet_size, report);
        }
    }
    if options.wants(Part::F2) && installed.sources == Sources::Thirds {
        for sort in [Sort::Chart, Sort::Overlay] {
            touch_shared(installed, sort, report).await?;
        }
    }
    if options.wants(Part::F3) {
        touch_none(installed, report).await?;
    }
    Ok(())
}

async fn touch_one(installed: &mut Installed, index: usize, sample: usize) -> Result<Pushed> {
    let (name, note) = (fleet::name(index), format!("push {sample}"));
    installed.sources.write_app(&installed.repository, index, &note)?;
    let commit = installed.repository.commit(&note)?;
    let mut seen = push(installed, &commit, Some(&name)).await?;
    seen.sort = installed.sources.sort(index);
    installed.sources.check_note(&installed.stage, index, &note).await?;
    Ok(seen)
}

/// Waits until the fleet is at rest: a late write of the push before belongs to that one.
async fn come_to_rest(installed: &Installed) -> Result<()> {
    let deadline = Instant::now() + FLEET_WITHIN;
    loop {
        let before = installed.watched.events();
        tokio::time::sleep(REST).await;
        if installed.watched.events() == before {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(format!("the fleet does not come to rest within {FLEET_WITHIN:?}").into());
        }
    }
}

/// Hints the controller, and waits for the application, then for everyone.
async fn push(installed: &mut Installed, commit: &str, name: Option<&str>) -> Result<Pushed> {
    come_to_rest(installed).await?;
    let url = installed.repository.url();
    let counts = installed.controller.counts().await?;
    let (cpu, writes) = (installed.controller.cpu_seconds()?, installed.watched.events());
    let started = Instant::now();
    installed.controller.hint(&url).await?;
    let (mut synced, mut healthy) = (Duration::ZERO, Duration::ZERO);
    if let Some(name) = name {
        let mut reached = async |is_met: fn(&App, &str) -> bool| {
            let watched = &mut installed.watched;
            let done = watched.until_one(name, ONE_WITHIN, |app| is_met(app, commit)).await;
            done.map(|()| started.elapsed())
                .map_err(|e| installed.controller.failed(&format!("did not follow a push: {e}")))
        };
        synced = reached(App::is_synced).await?;
        healthy = reached(App::is_done).await?;
    }
    installed
        .watched
        .until_all(installed.apps, FLEET_WITHIN, |app| app.is_done(commit))
        .await
        .map_err(|e| {
            installed
                .controller
                .failed(&format!("did not bring everyone to {commit}: {e}"))
        })?;
    let everyone = started.elapsed();
    let cpu = installed.controller.cpu_seconds()? - cpu;
    // What comes late counts as well.
    come_to_rest(installed).await?;
    let after = installed.controller.counts().await?;
    Ok(Pushed {
        sort: "",
        synced,
        healthy,
        everyone,
        renders: after.renders - counts.renders,
        fetches: after.fetches - counts.fetches,
        ls_remotes: after.ls_remotes - counts.ls_remotes,
        cpu,
        writes: installed.watched.events() - writes,
    })
}

fn latency(pushes: &[Pushed], fleet_size: usize, report: &mut Report) {
    let mut times: Vec<f64> = pushes.iter().map(|p| p.synced.as_secs_f64() * 1000.0).collect();
    times.sort_by(f64::total_cmp);
    let (p50, p95) = (percentile(&times, 50), percentile(&times, 95));
    report.add(
        "b3",
        format!("from the hint of a push until one application is Synced, {fleet_size} at rest"),
        format!("p50 {p50:.0} ms, p95 {p95:.0} ms ({} pushes)", times.len()),
        Verdict::Target("p50 250 ms", p50 <= 250.0),
    );
}

fn exactness(pushes: &[Pushed], fleet_size: usize, report: &mut Report) {
    let every = |of: fn(&Pushed) -> u64| -> String {
        let mut values: Vec<u64> = pushes.iter().map(of).collect();
        values.sort_unstable();
        values.dedup();
        values.iter().map(u64::to_string).collect::<Vec<_>>().join("/")
    };
    let (renders, fetches, listings) = (every(|p| p.renders), every(|p| p.fetches), every(|p| p.ls_remotes));
    let is_exact = renders == "1" && fetches == "1";
    report.add(
        "f1",
        format!("one commit touches one of {fleet_size}, {} times", pushes.len()),
        format!("{renders} renders, {fetches} fetches, {listings} listings of refs"),
        Verdict::Target("1 render, 1 fetch", is_exact),
    );
    for (index, first) in pushes.iter().enumerate() {
        if pushes.iter().take(index).any(|p| p.sort == first.sort) {
            continue;
        }
        report.add(
            "f1",
            format!(
                "the first of them from {}, until Synced; until Healthy as well; until all are at the new revision",
                first.sort
            ),
            format!(
                "{:.0} ms; {:.0} ms; {:.1} s, {:.2} CPU-s of the controller, {:.2} writes per application",
                first.synced.as_secs_f64() * 1000.0,
                first.healthy.as_secs_f64() * 1000.0,
                first.everyone.as_secs_f64(),
                first.cpu,
                first.writes as f64 / fleet_size as f64
            ),
            Verdict::Target("250 ms", first.synced <= Duration::from_millis(250)),
        );
    }
}

/// A commit that changes the chart or the base that a third of all shares.
async fn touch_shared(installed: &mut Installed, sort: Sort, report: &mut Report) -> Result<()> {
    // Levels of their own: what the one touched stays as it is when the other is.
    let (what, level, files) = match sort {
        Sort::Overlay => ("base", "raised-base", thirds::base("raised-base")),
        _ => ("chart", "raised-chart", thirds::chart("raised-chart")),
    };
    installed.repository.write_all(&files)?;
    let commit = installed.repository.commit(what)?;
    let seen = push(installed, &commit, None).await?;
    installed
        .sources
        .check_level(&installed.stage, installed.apps, sort, level)
        .await?;
    let sharing = sort.among(installed.apps);
    report.add(
        "f2",
        format!(
            "one commit touches the {what} that {sharing} of {} share, until all of them have it and everyone is at the new revision",
            installed.apps
        ),
        format!(
            "{} renders, {} fetches; {:.1} s, {:.2} CPU-s of the controller",
            seen.renders,
            seen.fetches,
            seen.everyone.as_secs_f64(),
            seen.cpu
        ),
        Verdict::Target(
            "a render for each that shares it, 1 fetch",
            seen.renders == sharing as u64 && seen.fetches == 1,
        ),
    );
    Ok(())
}

async fn touch_none(installed: &mut Installed, report: &mut Report) -> Result<()> {
    installed
        .repository
        .write("README.md", "All applications, and a word more.\n")?;
    let commit = installed.repository.commit("readme")?;
    installed.repository.tag(TAGS)?;
    let seen = push(installed, &commit, None).await?;
    let per_app = seen.writes as f64 / installed.apps as f64;
    report.add(
        "f3",
        format!(
            "one commit touches README only, with {TAGS} new tags, until all {} are at the new revision",
            installed.apps
        ),
        format!(
            "{} renders, {} fetches; {:.1} s, {:.2} CPU-s of the controller, {per_app:.2} writes per application",
            seen.renders,
            seen.fetches,
            seen.everyone.as_secs_f64(),
            seen.cpu
        ),
        Verdict::Target(
            "0 renders, 1 fetch, at most 1 write each",
            seen.renders == 0 && seen.fetches == 1 && seen.writes <= installed.apps as u64,
        ),
    );
    Ok(())
}

/// The smallest value that at least `percent` of all are not above. `sorted` ascends.
fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::percentile;

    #[test]
    fn percentiles_are_values_that_were_seen() {
        let values: Vec<f64> = (1..=20).map(f64::from).collect();
        assert_eq!(percentile(&values, 50), 10.0);
        assert_eq!(percentile(&values, 95), 19.0);
        assert_eq!(percentile(&[7.0], 95), 7.0);
        assert!(percentile(&[], 50).is_nan());
    }
}
