//! The same input again (a2): what an Application costs whose commit moved without touching it, through the service that Applications use.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use pintle_model::application::{Helm, Source};
use pintle_repo::{Ask, Repositories};
use serde::{Deserialize, Serialize};

use super::super::{Result, machine};
use super::corpus::{ChartCase, cases};
use crate::process;

/// Charts asked for, in turn: as many as an environment has.
const CHARTS: usize = 12;
/// A commit of some hundred files takes a second.
const GIT_WITHIN: Duration = Duration::from_secs(120);

/// What the repeats cost together.
#[derive(Serialize, Deserialize)]
pub(super) struct Again {
    pub charts: usize,
    pub repeats: u64,
    /// Renders made while the repeats ran: none, if the answers are kept.
    pub renders: u64,
    pub wall_seconds: f64,
    pub cpu_seconds: f64,
}

/// Asks for charts of one Git repository `repeats` times, after they were rendered once; a line of [`Again`].
pub(super) async fn measure(corpus: &Path, scratch: &Path, repeats: u64) -> Result<()> {
    let upstream = scratch.join("upstream");
    fs::create_dir_all(&upstream)?;
    let mut charts: Vec<String> = cases::<ChartCase>(corpus)?
        .into_iter()
        .filter(|case| case.ok && case.deterministic)
        .map(|case| case.chart)
        .collect();
    charts.dedup();
    let step = (charts.len() / CHARTS).max(1);
    let charts: Vec<String> = charts.into_iter().step_by(step).take(CHARTS).collect();
    for chart in &charts {
        copy(&corpus.join(chart), &upstream.join(chart))?;
    }
    for words in [
        &["init", "--quiet", "--initial-branch=main", "."][..],
        &["add", "--all"],
        &["commit", "--quiet", "--message", "charts"],
    ] {
        let mut git = Command::new("git");
        git.current_dir(&upstream)
            .args([
                "-c",
                "user.name=bench",
                "-c",
                "user.email=bench@localhost",
                "-c",
                "core.autocrlf=false",
            ])
            .args(words)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null");
        let done = process::run(&mut git, "", GIT_WITHIN)?;
        if !done.status.success() {
            return Err(format!("git {words:?}: {}", done.stderr).into());
        }
    }
    let repositories = Repositories::new(PathBuf::from(scratch).join("stores"));
    let asks: Vec<Ask> = charts.iter().map(|chart| ask(&upstream, chart)).collect();
    for (ask, chart) in asks.iter().zip(&charts) {
        let rendered = repositories.render(ask).await.pop().ok_or("no answer")??;
        if let Some(problem) = rendered.rendered.diagnostics.first()
            && !rendered.rendered.is_complete()
        {
            return Err(format!("{chart}: {}", problem.message).into());
        }
    }
    let renders = repositories.counts().renders;
    let (began, cpu) = (Instant::now(), machine::cpu_seconds(std::process::id())?);
    for ask in asks.iter().cycle().take(usize::try_from(repeats)?) {
        repositories.render(ask).await.pop().ok_or("no answer")??;
    }
    let again = Again {
        charts: asks.len(),
        repeats,
        renders: repositories.counts().renders - renders,
        wall_seconds: began.elapsed().as_secs_f64(),
        cpu_seconds: machine::cpu_seconds(std::process::id())? - cpu,
    };
    use std::io::Write as _;
    Ok(writeln!(std::io::stdout(), "{}", serde_json::to_string(&again)?)?)
}

fn ask(upstream: &Path, chart: &str) -> Ask {
    let source = Source {
        repo_url: format!("file://{}", upstream.display()),
        path: chart.to_owned(),
        target_revision: "main".to_owned(),
        helm: Some(Helm {
            release_name: "rel".to_owned(),
            namespace: "ns".to_owned(),
            ..Helm::default()
        }),
        ..Source::default()
    };
    Ask::plain(vec![source])
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let into = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &into)?;
        } else {
            fs::copy(entry.path(), into)?;
        }
    }
    Ok(())
}
