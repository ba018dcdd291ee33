//! The parent that watches a child run cases, since an overflowing stack ends a whole process.

use std::{
    env, fs,
    io::{self, BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
    sync::mpsc::{RecvTimeoutError, sync_channel},
    thread,
    time::{Duration, Instant},
};

use super::{CASE_WITHIN, MEMORY_AT_MOST, Target};

/// What a run came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Cases that ended.
    pub cases: u64,
    /// Broken promises: the case's number, and what happened.
    pub findings: Vec<(u64, String)>,
}

/// Findings after which nothing more is to be learnt.
const MAX_FINDINGS: usize = 20;

/// Runs the cases of a seed in child processes for a time.
pub fn watch(target: Target, seed: u64, within: Duration) -> io::Result<Outcome> {
    let until = Instant::now() + within;
    let mut outcome = Outcome {
        cases: 0,
        findings: Vec::new(),
    };
    let mut next = 0;
    let mut retried = None;
    while Instant::now() < until && outcome.findings.len() < MAX_FINDINGS {
        let mut running = Command::new(env::current_exe()?)
            .args(["child", target.name(), &seed.to_string(), &next.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (current, finding) = follow(&mut running, next, until, &mut outcome.cases);
        let _ = running.kill();
        let status = running.wait()?;
        let Some(message) = finding else { continue };
        let is_slow = message.starts_with("took") || message.starts_with("did not end");
        if is_slow && retried != Some(current) {
            // A machine that is busy elsewhere makes anything slow: once more, before it counts.
            (retried, next) = (Some(current), current);
            continue;
        }
        let mut said = String::new();
        if let Some(errors) = running.stderr.take() {
            said.extend(
                BufReader::new(errors)
                    .lines()
                    .map_while(Result::ok)
                    .take(6)
                    .flat_map(|line| [line, " ".into()]),
            );
        }
        outcome.findings.push((current, format!("{message} ({status}) {said}")));
        next = current + 1;
    }
    Ok(outcome)
}

/// Follows a child until the time is over or something happens; gives the case it was at.
fn follow(child: &mut Child, first: u64, until: Instant, cases: &mut u64) -> (u64, Option<String>) {
    let mut current = first;
    let Some(output) = child.stdout.take() else {
        return (current, Some("no pipe to the child".to_owned()));
    };
    let (sender, lines) = sync_channel(1024);
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    let mut looked = Instant::now();
    loop {
        match lines.recv_timeout(CASE_WITHIN) {
            Ok(line) => match line.split_once(' ') {
                Some((_, broken)) => return (current, Some(broken.to_owned())),
                None => {
                    current = line.parse().unwrap_or(current);
                    *cases += 1;
                }
            },
            Err(RecvTimeoutError::Timeout) => return (current, Some(format!("did not end within {CASE_WITHIN:?}"))),
            Err(RecvTimeoutError::Disconnected) => return (current, Some("the process ended".to_owned())),
        }
        if Instant::now() >= until {
            return (current, None);
        }
        if looked.elapsed() > Duration::from_millis(200) {
            looked = Instant::now();
            let bytes = resident(child.id());
            if bytes > MEMORY_AT_MOST {
                return (current, Some(format!("holds {bytes} bytes")));
            }
        }
    }
}

/// Resident memory of a process in bytes; 0 where the system does not tell.
fn resident(id: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").trim().parse::<u64>().ok());
    kilobytes.unwrap_or_default() * 1024
}

/// The child: says each case's number before it runs it, and stops at the first broken promise.
pub fn child(target: Target, seed: u64, first: u64) -> io::Result<()> {
    let run = move || -> io::Result<()> {
        let mut out = io::stdout().lock();
        for number in first.. {
            writeln!(out, "{number}")?;
            out.flush()?;
            if let Err(broken) = target.run(seed, number) {
                writeln!(out, "{number} {}", broken.replace('\n', " "))?;
                return out.flush();
            }
        }
        Ok(())
    };
    let stack = pintle_render::helm::Limits::default().stack_bytes();
    thread::Builder::new()
        .stack_size(stack)
        .spawn(run)?
        .join()
        .unwrap_or_else(|_| Err(io::Error::other("a panic")))
}
