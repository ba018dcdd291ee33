//! The fuzzer that `cargo xtask fuzz` builds and runs.

#![allow(
    clippy::disallowed_methods,
    reason = "a command: it writes files where it is told to"
)]

use std::{fs, io::Write as _, path::PathBuf, process::ExitCode, time::Duration};

use pintle_tests::{
    chain::chain,
    hostile::{Target, child, watch},
    oracle::{
        Answer, Compared, Finding, Fuzz, Helm, Reference, Tally, add_to_table, fuzz,
        kustomize::{Kustomize, survive},
        record_table,
    },
};

const USAGE: &str = "\
usage: cargo xtask fuzz helm|kustomize [--minutes N] [--seed S] [--cases N] [--findings DIR]
       cargo xtask fuzz helm|kustomize --record FILE [--seed S] [--each N]
       cargo xtask fuzz helm|kustomize --record FILE --findings DIR
       cargo xtask fuzz helm|kustomize --replay FILE
       cargo xtask fuzz kustomize --damaged N [--seed S]
       cargo xtask fuzz yaml|merge|url|paths|archive|chart|template [--minutes N] [--seed S]

  --minutes   how long at most (default 1)
  --seed      names the sequence of cases (default 1)
  --cases     how many at most
  --findings  a folder for what differs: one JSON file per finding, with both answers
  --record    writes cases with the reference's answers: per category up to N that render and N that fail (default 12)
              with --findings, adds what was found there to the table
  --replay    shows both answers to the case of a finding
  --damaged   builds so many cases with damaged files, without Kustomize: none may end in a panic
";

type Error = Box<dyn std::error::Error + Send + Sync>;

struct Options {
    minutes: u64,
    seed: u64,
    cases: u64,
    each: usize,
    findings: Option<PathBuf>,
    record: Option<PathBuf>,
    replay: Option<PathBuf>,
    damaged: Option<u64>,
}

fn parse(flags: &[String]) -> Result<Options, String> {
    let mut options = Options {
        minutes: 1,
        seed: 1,
        cases: u64::MAX,
        each: 12,
        findings: None,
        record: None,
        replay: None,
        damaged: None,
    };
    let mut rest = flags.iter();
    while let Some(flag) = rest.next() {
        let value = rest.next().ok_or_else(|| format!("{flag} needs a value"))?;
        let number = || {
            value
                .parse::<u64>()
                .map_err(|_| format!("{flag}: {value:?} is no number"))
        };
        match flag.as_str() {
            "--minutes" => options.minutes = number()?,
            "--seed" => options.seed = number()?,
            "--cases" => options.cases = number()?,
            "--each" => options.each = usize::try_from(number()?).map_err(|e| e.to_string())?,
            "--findings" => options.findings = Some(value.into()),
            "--record" => options.record = Some(value.into()),
            "--replay" => options.replay = Some(value.into()),
            "--damaged" => options.damaged = Some(number()?),
            _ => return Err(format!("unknown flag {flag}")),
        }
    }
    Ok(options)
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(code) = hostile(&arguments) {
        return code;
    }
    let (what, flags) = match arguments.split_first() {
        Some((what, flags)) => (what.as_str(), flags),
        None => ("", &[][..]),
    };
    let ended = match (what, parse(flags)) {
        (Helm::NAME, Ok(Options { damaged: Some(_), .. })) => return usage("--damaged is for kustomize"),
        (Helm::NAME, Ok(options)) => run::<Helm>(&options),
        (Kustomize::NAME, Ok(options)) => match options.damaged {
            Some(cases) => damaged(options.seed, cases),
            None => run::<Kustomize>(&options),
        },
        (Helm::NAME | Kustomize::NAME, Err(message)) => return usage(&message),
        _ => return usage("what to fuzz: helm, kustomize, yaml, merge, url, paths, archive, chart or template"),
    };
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("FAILED: {}", chain(&*error));
            ExitCode::FAILURE
        }
    }
}

fn usage(message: &str) -> ExitCode {
    eprintln!("fuzz: {message}\n{USAGE}");
    ExitCode::from(2)
}

/// Input made to hurt; `None` where the arguments name no such target. `child` is how the command starts itself.
fn hostile(arguments: &[String]) -> Option<ExitCode> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let ["child", name, seed, first] = words.as_slice() {
        let (target, seed, first) = (Target::of(name)?, seed.parse().ok()?, first.parse().ok()?);
        return Some(match child(target, seed, first) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        });
    }
    let (name, flags) = words.split_first()?;
    let target = Target::of(name)?;
    let (mut minutes, mut seed) = (1, 1);
    for pair in flags.chunks(2) {
        match pair {
            ["--minutes", number] => minutes = number.parse().ok()?,
            ["--seed", number] => seed = number.parse().ok()?,
            _ => return None,
        }
    }
    Some(
        match watch(target, seed, Duration::from_secs(60_u64.saturating_mul(minutes))) {
            Ok(outcome) => {
                for (number, broken) in &outcome.findings {
                    eprintln!("fuzz: {} --seed {seed}, case {number}: {broken}", target.name());
                }
                eprintln!(
                    "fuzz: {}: {} cases, {} findings",
                    target.name(),
                    outcome.cases,
                    outcome.findings.len()
                );
                if outcome.findings.is_empty() && outcome.cases > 0 {
                    ExitCode::SUCCESS
                } else {
                    ExitCode::FAILURE
                }
            }
            Err(error) => {
                eprintln!("FAILED: {}", chain(&error));
                ExitCode::FAILURE
            }
        },
    )
}

/// Returns whether no case ended in a panic.
fn damaged(seed: u64, cases: u64) -> Result<bool, Error> {
    let lost = survive(seed, cases);
    for case in &lost {
        writeln!(std::io::stdout(), "{}", serde_json::to_string_pretty(case)?)?;
    }
    Ok(lost.is_empty())
}

/// Returns whether there was something to compare, and nothing differs.
fn run<R: Reference>(options: &Options) -> Result<bool, Error> {
    let mut reference = R::locate_or_build()?;
    if let (Some(path), Some(folder)) = (&options.record, &options.findings) {
        let mut files: Vec<PathBuf> = fs::read_dir(folder)?
            .map(|e| Ok(e?.path()))
            .collect::<Result<_, Error>>()?;
        files.sort();
        let mut cases = Vec::new();
        for file in files {
            let mut value: serde_json::Value = serde_json::from_str(&fs::read_to_string(file)?)?;
            cases.push(serde_json::from_value(value["case"].take())?);
        }
        let rows = add_to_table(&mut reference, cases, path)?;
        eprintln!("fuzz: {rows} more rows in {}", path.display());
        return Ok(true);
    }
    if let Some(path) = &options.record {
        let rows = record_table(&mut reference, options.seed, options.each, path)?;
        eprintln!("fuzz: {rows} rows in {}", path.display());
        return Ok(true);
    }
    if let Some(path) = &options.replay {
        let mut value: serde_json::Value = serde_json::from_str(&fs::read_to_string(path)?)?;
        let case: R::Case = serde_json::from_value(value["case"].take())?;
        let finding = Finding {
            theirs: reference.ask(&case)?,
            ours: R::ours(&case),
            case,
        };
        writeln!(std::io::stdout(), "{}", to_json::<R>(&finding)?)?;
        return Ok(!R::differs(&finding.theirs, &finding.ours));
    }
    let limits = Fuzz {
        seed: options.seed,
        within: Duration::from_secs(options.minutes.saturating_mul(60)),
        cases: options.cases,
        findings: 50,
    };
    let compared = fuzz(&mut reference, limits)?;
    let (tallies, findings) = &compared;
    if let Some(folder) = &options.findings {
        fs::create_dir_all(folder)?;
        for (number, finding) in findings.iter().enumerate() {
            fs::write(folder.join(format!("{number}.json")), to_json::<R>(finding)?)?;
        }
    }
    write!(std::io::stdout(), "{}", report::<R>(&compared)?)?;
    if tallies.values().all(|tally| tally.compared == 0) {
        eprintln!("fuzz: nothing was compared");
        return Ok(false);
    }
    Ok(findings.is_empty())
}

fn to_json<R: Reference>(finding: &Finding<R::Case>) -> serde_json::Result<String> {
    let said = |answer: &Answer| match answer {
        Answer::Output(text) => serde_json::json!({ "output": text }),
        Answer::Error(text) => serde_json::json!({ "error": text }),
        Answer::Nothing(text) => serde_json::json!({ "nothing": text }),
    };
    serde_json::to_string_pretty(&serde_json::json!({
        "case": finding.case,
        R::NAME: said(&finding.theirs),
        "ours": said(&finding.ours),
    }))
}

fn report<R: Reference>((tallies, findings): &Compared<R>) -> serde_json::Result<String> {
    let mut text = String::from(
        "| category | cases | rendered | failed | dropped | compared | different |\n| --- | --- | --- | --- | --- | --- | --- |\n",
    );
    let mut row = |name: &str, tally: Tally| {
        let share = (tally.rendered * 100).checked_div(tally.cases).unwrap_or_default();
        text += &format!(
            "| {name} | {} | {} ({share} %) | {} | {} | {} | {} |\n",
            tally.cases, tally.rendered, tally.failed, tally.dropped, tally.compared, tally.different
        );
    };
    let mut sum = Tally::default();
    for (category, tally) in tallies {
        row(R::name_of(*category), *tally);
        sum.cases += tally.cases;
        sum.rendered += tally.rendered;
        sum.failed += tally.failed;
        sum.dropped += tally.dropped;
        sum.compared += tally.compared;
        sum.different += tally.different;
    }
    row("all", sum);
    for finding in findings {
        text += &format!("\n```json\n{}\n```\n", to_json::<R>(finding)?);
    }
    Ok(text)
}
