//! The fuzzer of Kustomize that `cargo xtask fuzz kustomize` builds and runs.

#![allow(
    clippy::disallowed_methods,
    reason = "a command: it writes files where it is told to"
)]

use std::{collections::BTreeMap, fs, io::Write as _, path::PathBuf, process::ExitCode, time::Duration};

use pintle_tests::{
    chain::chain,
    oracle::{
        Answer,
        kustomize::{Case, Category, Finding, Fuzz, Kustomize, Tally, fuzz, ours, record_table, survive},
    },
};

const USAGE: &str = "\
usage: cargo xtask fuzz kustomize [--minutes N] [--seed S] [--cases N] [--findings DIR]
       cargo xtask fuzz kustomize --record FILE [--seed S] [--each N]
       cargo xtask fuzz kustomize --replay FILE
       cargo xtask fuzz kustomize --damaged N [--seed S]

  --minutes   how long at most (default 1)
  --seed      names the sequence of cases (default 1)
  --cases     how many at most
  --findings  a folder for what differs: one JSON file per finding, with both answers
  --record    writes cases with Kustomize's answers: per category up to N that build and N that fail (default 12)
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
    damaged: u64,
}

fn parse(arguments: &[String]) -> Result<Options, String> {
    let mut options = Options {
        minutes: 1,
        seed: 1,
        cases: u64::MAX,
        each: 12,
        findings: None,
        record: None,
        replay: None,
        damaged: 0,
    };
    let mut rest = arguments.iter();
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
            "--damaged" => options.damaged = number()?,
            "--replay" => options.replay = Some(value.into()),
            _ => return Err(format!("unknown flag {flag}")),
        }
    }
    Ok(options)
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let options = match parse(&arguments) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("fuzz: {message}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("FAILED: {}", chain(&*error));
            ExitCode::FAILURE
        }
    }
}

/// Returns whether nothing differs.
fn run(options: &Options) -> Result<bool, Error> {
    if options.damaged > 0 {
        let lost = survive(options.seed, options.damaged);
        for case in &lost {
            writeln!(std::io::stdout(), "{}", serde_json::to_string_pretty(case)?)?;
        }
        return Ok(lost.is_empty());
    }
    let mut kustomize = Kustomize::locate_or_build()?;
    if let Some(path) = &options.record {
        let rows = record_table(&mut kustomize, options.seed, options.each, path)?;
        eprintln!("fuzz: {rows} rows in {}", path.display());
        return Ok(true);
    }
    if let Some(path) = &options.replay {
        let mut value: serde_json::Value = serde_json::from_str(&fs::read_to_string(path)?)?;
        let case: Case = serde_json::from_value(value["case"].take())?;
        let finding = Finding {
            theirs: kustomize.ask(&case)?,
            ours: ours(&case),
            case,
        };
        writeln!(std::io::stdout(), "{}", to_json(&finding)?)?;
        return Ok(!pintle_tests::oracle::kustomize::differs(
            &finding.theirs,
            &finding.ours,
        ));
    }
    let limits = Fuzz {
        seed: options.seed,
        within: Duration::from_secs(options.minutes.saturating_mul(60)),
        cases: options.cases,
        findings: 50,
    };
    let (tallies, findings) = fuzz(&mut kustomize, limits, ours)?;
    if let Some(folder) = &options.findings {
        fs::create_dir_all(folder)?;
        for (number, finding) in findings.iter().enumerate() {
            fs::write(folder.join(format!("{number}.json")), to_json(finding)?)?;
        }
    }
    write!(std::io::stdout(), "{}", report(&tallies, &findings)?)?;
    Ok(findings.is_empty())
}

fn to_json(finding: &Finding) -> serde_json::Result<String> {
    let said = |answer: &Answer| match answer {
        Answer::Output(text) => serde_json::json!({ "output": text }),
        Answer::Error(text) => serde_json::json!({ "error": text }),
        Answer::Nothing(text) => serde_json::json!({ "nothing": text }),
    };
    serde_json::to_string_pretty(&serde_json::json!({
        "case": finding.case,
        "kustomize": said(&finding.theirs),
        "ours": said(&finding.ours),
    }))
}

fn report(tallies: &BTreeMap<Category, Tally>, findings: &[Finding]) -> serde_json::Result<String> {
    let mut text = String::from(
        "| category | cases | built | failed | dropped | different |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    let mut row = |name: &str, tally: Tally| {
        text += &format!(
            "| {name} | {} | {} | {} | {} | {} |\n",
            tally.cases, tally.built, tally.failed, tally.dropped, tally.different
        );
    };
    let mut sum = Tally::default();
    for (category, tally) in tallies {
        row(category.name(), *tally);
        sum.cases += tally.cases;
        sum.built += tally.built;
        sum.failed += tally.failed;
        sum.dropped += tally.dropped;
        sum.different += tally.different;
    }
    row("all", sum);
    for finding in findings {
        text += &format!("\n```json\n{}\n```\n", to_json(finding)?);
    }
    Ok(text)
}
