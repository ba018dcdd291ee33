//! The program that builds with Kustomize's own packages: built, started, asked, started again.

use std::{
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, sync_channel},
    thread,
    time::Duration,
};

use serde::Deserialize;

use super::{Answer, Case};
use crate::go_tools::{GoTools, ToolsError, pinned_version};

/// The program gives up on a case after 8 s by itself; more means that it is gone.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);

/// Where the oracle is kept: `$XDG_CACHE_HOME/pintle/kustomize/<pins>/bin/oracle`.
///
/// The first use builds it from `tests/kustomize/go.mod`, half a minute of CPU.
pub fn kustomize_tools() -> Result<PathBuf, ToolsError> {
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("kustomize");
    let version = pinned_version(&module, "sigs.k8s.io/kustomize/kustomize/v5")?;
    GoTools {
        what: format!("Kustomize {version} as an oracle"),
        cache: "kustomize",
        ldflags: "-s -w".to_owned(),
        module,
        sources: &["oracle/main.go", "oracle/build.go"],
        programs: &[("./oracle", "oracle")],
    }
    .locate_or_build()
}

/// Why Kustomize gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum KustomizeError {
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

/// Kustomize, ready to build.
pub struct Kustomize {
    program: PathBuf,
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

impl Kustomize {
    /// Builds the program if need be. It starts with the first case.
    pub fn locate_or_build() -> Result<Self, ToolsError> {
        Ok(Self {
            program: kustomize_tools()?.join("oracle"),
            running: None,
        })
    }

    /// What Kustomize makes of `case`. A case that ends the program is answered with [`Answer::Nothing`]; the next starts a new one.
    pub fn ask(&mut self, case: &Case) -> Result<Answer, KustomizeError> {
        let running = match &mut self.running {
            Some(running) => running,
            none => none.insert(Running::start(&self.program)?),
        };
        let mut line = serde_json::to_string(case).map_err(io::Error::other)?;
        line.push('\n');
        running.input.write_all(line.as_bytes())?;
        running.input.flush()?;
        let said = match running.lines.recv_timeout(ANSWERS_WITHIN) {
            Ok(said) => said?,
            Err(reason) => {
                self.running = None;
                return Ok(Answer::Nothing(match reason {
                    RecvTimeoutError::Timeout => format!("no answer within {ANSWERS_WITHIN:?}"),
                    RecvTimeoutError::Disconnected => "the program ended".to_owned(),
                }));
            }
        };
        let line: Line = serde_json::from_str(&said).map_err(|source| KustomizeError::NoAnswer {
            said: said.chars().take(200).collect(),
            source,
        })?;
        if line.id != case.id {
            return Err(io::Error::other(format!("an answer to {} instead of {}", line.id, case.id)).into());
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
    fn start(program: &Path) -> io::Result<Self> {
        let mut child = Command::new(program)
            // Nothing of the user's or the machine's: no git, no plugins, no home. The folders of cases are temporary.
            .env_clear()
            .env("TZ", "UTC")
            .env("GOMAXPROCS", "2")
            .env("TMPDIR", std::env::temp_dir())
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
