//! What a pull request would change, over a fleet in one repository: `cargo xtask bench diff`.
//!
//! This process makes the repository; `pintle diff` is a process of its own. It is cold with `--no-cache`: nothing is kept from one run to the
//! next. It is warm where a run before it, not measured, has left its renders in a cache. A run counts only if it exits as it must and tells as
//! many changed Applications as were touched.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use wait4::Wait4 as _;

use super::{Result, machine};
use crate::checkout::Checkout;
use crate::thirds;

/// The URL that the Applications name; the checkout has it as a remote.
const URL: &str = "https://git.example.com/platform/fleet.git";

/// How it is called.
pub const USAGE: &str = "\
usage: cargo xtask bench diff [--apps N] [--samples N]

  --apps     applications in the repository, a third each plain, Helm and Kustomize (default 1000)
  --samples  runs of each case; the fastest and the median are told (default 5)
";

/// What to measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Applications.
    pub apps: usize,
    /// Runs.
    pub samples: usize,
}

impl Options {
    /// Reads the command line.
    pub fn parse(arguments: &[String]) -> std::result::Result<Self, String> {
        let mut options = Self { apps: 1000, samples: 5 };
        let mut rest = arguments.iter();
        while let Some(flag) = rest.next() {
            let number = rest.next().and_then(|text| text.parse().ok()).filter(|n| *n > 0);
            let number = number.ok_or_else(|| format!("{flag} needs a positive number"))?;
            match flag.as_str() {
                "--apps" => options.apps = number,
                "--samples" => options.samples = number,
                _ => return Err(format!("unknown flag {flag}")),
            }
        }
        Ok(options)
    }
}

/// What a run cost.
struct Run {
    wall: Duration,
    cpu: Duration,
    memory_bytes: u64,
}

/// Measures and returns the figures as Markdown.
pub fn run(options: &Options) -> Result<String> {
    let repo = repository(options.apps)?;
    let mut text = String::from("| | |\n| --- | --- |\n");
    for (name, value) in machine::description() {
        text += &format!("| {name} | {value} |\n");
    }
    text += "\n| id | what | fastest, median by the clock | processor time, memory (median) | target |\n| --- | --- | --- | --- | --- |\n";
    let caches = tempfile::tempdir()?;
    for (branch, touched, is_warm, target) in [
        ("none", 0, false, None),
        ("one", 1, false, Some(0.5)),
        ("one", 1, true, Some(0.5)),
        ("all", options.apps, false, Some(5.0)),
        ("all", options.apps, true, Some(5.0)),
    ] {
        let cache = caches.path().join(branch);
        let cache = is_warm.then_some(cache.as_path());
        if is_warm {
            once(repo.directory(), branch, touched, cache)?;
        }
        let mut runs = Vec::with_capacity(options.samples);
        for _ in 0..options.samples {
            runs.push(once(repo.directory(), branch, touched, cache)?);
        }
        runs.sort_by_key(|run| run.wall);
        let (Some(fastest), Some(median)) = (runs.first(), runs.get(runs.len() / 2)) else {
            return Err("nothing was measured".into());
        };
        let seen = format!("{:.2}, {:.2} s", fastest.wall.as_secs_f64(), median.wall.as_secs_f64());
        let verdict = target.map_or_else(String::new, |target: f64| {
            let is_met = median.wall.as_secs_f64() <= target;
            format!("{target} s: {}", if is_met { "met" } else { "**missed**" })
        });
        text += &format!(
            "| h1 | {} applications, {touched} touched, {} | {seen} | {:.2} CPU-s, {} MiB | {verdict} |\n",
            options.apps,
            if is_warm { "renders kept" } else { "cold" },
            median.cpu.as_secs_f64(),
            median.memory_bytes >> 20
        );
    }
    Ok(text)
}

/// Makes the repository: `main`, `none` with a commit that nothing reads, `one` with one application touched, `all` with every one.
fn repository(apps: usize) -> Result<Checkout> {
    let repo = Checkout::empty()?;
    repo.git(&["remote", "add", "origin", URL])?;
    repo.write_all(&thirds::all(apps, "first"))?;
    for index in 0..apps {
        let name = thirds::name(index);
        let application = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": {"name": name, "namespace": "argocd"},
            "spec": {
                "project": "default",
                "source": thirds::source(index, URL),
                "destination": {"server": "https://kubernetes.default.svc", "namespace": "bench"},
                "syncPolicy": {"automated": {"prune": true}},
            },
        });
        repo.write(
            &format!("apps/{name}.yaml"),
            &serde_json::to_string_pretty(&application)?,
        )?;
    }
    repo.commit("all applications")?;
    for (branch, touched) in [("none", 0..0), ("one", 0..1), ("all", 0..apps)] {
        repo.git(&["checkout", "--quiet", "-b", branch, "main"])?;
        repo.write("README.md", &format!("{branch}\n"))?;
        for index in touched {
            repo.write_all(&thirds::files(index, "second"))?;
        }
        repo.commit(branch)?;
    }
    repo.git(&["checkout", "--quiet", "main"])?;
    repo.pack()?;
    Ok(repo)
}

fn once(directory: &Path, branch: &str, touched: usize, cache: Option<&Path>) -> Result<Run> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args([
        "pintle",
        "diff",
        "--offline",
        "--base",
        "main",
        "--head",
        branch,
        "-o",
        "json",
    ]);
    match cache {
        Some(cache) => command.env("XDG_CACHE_HOME", cache),
        None => command.arg("--no-cache"),
    };
    command
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let started = Instant::now();
    let mut child = command.spawn()?;
    let mut out = child.stdout.take().ok_or("no output")?;
    let mut printed = Vec::new();
    std::io::Read::read_to_end(&mut out, &mut printed)?;
    let done = child.wait4()?;
    let wall = started.elapsed();
    let report: serde_json::Value = serde_json::from_slice(&printed)?;
    let changed = report
        .pointer("/summary/applications/changed")
        .and_then(serde_json::Value::as_u64);
    let exit = done.status.code();
    if changed != Some(touched as u64) || exit != Some(i32::from(touched > 0)) {
        return Err(format!("{branch}: {changed:?} applications changed and not {touched}; exit {exit:?}").into());
    }
    Ok(Run {
        wall,
        cpu: done.rusage.utime + done.rusage.stime,
        memory_bytes: done.rusage.maxrss,
    })
}

#[cfg(test)]
mod tests {
    use super::Options;

    #[test]
    fn numbers_are_asked_for() {
        let parse = |line: &str| {
            let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            Options::parse(&words)
        };
        assert_eq!(
            parse("--apps 30 --samples 2").unwrap(),
            Options { apps: 30, samples: 2 }
        );
        for line in ["--apps", "--apps 0", "--frobnicate 1"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
