//! Short-lived programs, run with a deadline.

use std::{
    io::{self, Read, Write},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

/// What a program that ended by itself left behind.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// All of its standard output, lossily as UTF-8.
    pub stdout: String,
    /// All of its standard error, lossily as UTF-8.
    pub stderr: String,
}

/// Why a program's answer is not known.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The program could not be started, or its pipes broke.
    #[error("run {program}")]
    Io {
        /// The program as it was named.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// The program was still running at its deadline; it has been killed.
    #[error("{program} did not end within {within:?}; it said: {said}")]
    TimedOut {
        /// The program as it was named.
        program: String,
        /// The time it was given.
        within: Duration,
        /// The end of its standard error.
        said: String,
    },
}

/// Runs `command` to its end with `stdin` as its input, and kills it when `within` has passed.
///
/// A non-zero exit is an answer, not an error. Output is kept whole: for programs that
/// say a bounded amount.
pub fn run(command: &mut Command, stdin: &str, within: Duration) -> Result<Finished, RunError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let io = |source| RunError::Io {
        program: program.clone(),
        source,
    };
    let started = Instant::now();
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(io)?;

    // One thread per pipe: a program blocked on a full pipe would never end.
    let input = stdin.to_owned();
    let writer = child
        .stdin
        .take()
        .map(|mut pipe| thread::spawn(move || pipe.write_all(input.as_bytes())));
    let stdout = child.stdout.take().map(|pipe| thread::spawn(move || read_all(pipe)));
    let stderr = child.stderr.take().map(|pipe| thread::spawn(move || read_all(pipe)));
    let collect = |reader: Option<thread::JoinHandle<String>>| reader.and_then(|r| r.join().ok()).unwrap_or_default();

    let status = wait_within(&mut child, started, within).map_err(io)?;
    if status.is_none() {
        // Already gone is as good as killed.
        let _ = child.kill();
        child.wait().map_err(io)?;
    }
    // The program may not read all of its input (it failed early): its exit tells.
    drop(writer.map(thread::JoinHandle::join));
    let (stdout, stderr) = (collect(stdout), collect(stderr));
    match status {
        Some(status) => Ok(Finished { status, stdout, stderr }),
        None => Err(RunError::TimedOut {
            program,
            within,
            said: tail(&stderr, 10),
        }),
    }
}

/// Returns the last `lines` lines of `text`.
pub fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    all.get(all.len().saturating_sub(lines)..)
        .unwrap_or_default()
        .join("\n")
}

fn wait_within(child: &mut Child, started: Instant, within: Duration) -> io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if started.elapsed() >= within {
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(5));
    }
}

fn read_all(mut pipe: impl Read) -> String {
    let mut bytes = Vec::new();
    // What came before a broken pipe is still worth showing.
    let _ = pipe.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_goes_in_and_output_comes_out() {
        let done = run(
            Command::new("sh").args(["-c", "cat; echo err >&2; exit 3"]),
            "hello",
            Duration::from_secs(10),
        );
        let done = done.expect("sh runs");
        assert_eq!(
            (done.stdout.as_str(), done.stderr.as_str(), done.status.code()),
            ("hello", "err\n", Some(3))
        );
    }

    #[test]
    fn a_program_that_hangs_is_killed_and_named() {
        let error = run(Command::new("sleep").arg("60"), "", Duration::from_millis(50)).expect_err("must time out");
        assert!(
            matches!(error, RunError::TimedOut { ref program, .. } if program == "sleep"),
            "{error}"
        );
    }

    #[test]
    fn tail_keeps_the_end() {
        assert_eq!(tail("a\nb\nc\n", 2), "b\nc");
        assert_eq!(tail("a", 5), "a");
    }
}
