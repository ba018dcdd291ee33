//! A reference program: started, asked one case after another, started again after a case that it did not survive.

use std::{
    ffi::OsString,
    io::{self, BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, sync_channel},
    thread,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::Answer;
use crate::go_tools::ToolsError;

/// Why a reference program gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum OracleError {
    /// The program is not there.
    #[error(transparent)]
    Tools(#[from] ToolsError),
    /// It could not be started or written to.
    #[error("the oracle")]
    Io(#[from] io::Error),
    /// It said something that is no answer.
    #[error("the oracle said {said:?}: {source}")]
    NoAnswer {
        /// The start of what it said.
        said: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

/// A program that reads a case per line and writes an answer per line.
pub(super) struct Program {
    path: PathBuf,
    answers_within: Duration,
    environment: Vec<(&'static str, OsString)>,
    running: Option<Running>,
}

struct Running {
    child: Child,
    input: ChildStdin,
    lines: Receiver<io::Result<String>>,
}

#[derive(Deserialize)]
struct Line {
    id: String,
    #[serde(default)]
    output: String,
    #[serde(default)]
    error: String,
    #[serde(default)]
    panic: String,
    #[serde(default)]
    hung: bool,
}

impl Program {
    /// Starts with the first case. Of the environment it sees only what is given here and a few settings of its own.
    pub fn new(path: PathBuf, answers_within: Duration, environment: Vec<(&'static str, OsString)>) -> Self {
        Self {
            path,
            answers_within,
            environment,
            running: None,
        }
    }

    /// What the program makes of `case`. A case that ends the program is answered with [`Answer::Nothing`]; the next starts a new one.
    pub fn ask(&mut self, id: &str, case: &impl Serialize) -> Result<Answer, OracleError> {
        let running = match &mut self.running {
            Some(running) => running,
            none => none.insert(Running::start(&self.path, &self.environment)?),
        };
        let mut line = serde_json::to_string(case).map_err(io::Error::other)?;
        line.push('\n');
        running.input.write_all(line.as_bytes())?;
        running.input.flush()?;
        let said = match running.lines.recv_timeout(self.answers_within) {
            Ok(said) => said?,
            Err(reason) => {
                self.running = None;
                return Ok(Answer::Nothing(match reason {
                    RecvTimeoutError::Timeout => format!("no answer within {:?}", self.answers_within),
                    RecvTimeoutError::Disconnected => "the program ended".to_owned(),
                }));
            }
        };
        let line: Line = serde_json::from_str(&said).map_err(|source| OracleError::NoAnswer {
            said: said.chars().take(200).collect(),
            source,
        })?;
        if line.id != id {
            return Err(io::Error::other(format!("an answer to {} instead of {id}", line.id)).into());
        }
        if line.hung {
            self.running = None;
            return Ok(Answer::Nothing("did not end".to_owned()));
        }
        Ok(if !line.panic.is_empty() {
            Answer::Nothing(line.panic)
        } else if line.error.is_empty() {
            Answer::Output(line.output)
        } else {
            Answer::Error(line.error)
        })
    }
}

impl Running {
    fn start(program: &PathBuf, environment: &[(&'static str, OsString)]) -> io::Result<Self> {
        let mut child = Command::new(program)
            // Nothing of the user's or the machine's: dates are formatted in local time.
            .env_clear()
            .env("TZ", "UTC")
            .env("GOMAXPROCS", "2")
            .envs(environment.iter().cloned())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let missing = || io::Error::other("a pipe of the oracle is missing");
        let input = child.stdin.take().ok_or_else(missing)?;
        let output = child.stdout.take().ok_or_else(missing)?;
        // One answer is under way at most.
        let (sender, lines) = sync_channel(1);
        thread::spawn(move || {
            for line in BufReader::new(output).lines() {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self { child, input, lines })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Without input it would end by itself, unless it hangs.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
