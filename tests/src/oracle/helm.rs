//! The program that renders with Helm's own packages: built, started, asked, started again.

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

/// The program gives up on a case after 5 s by itself; more means that it is gone.
const ANSWERS_WITHIN: Duration = Duration::from_secs(20);

/// Where Helm and the oracle are kept: `$XDG_CACHE_HOME/pintle/helm/<pins>/bin/{helm,oracle}`.
///
/// The first use builds them from `tests/helm/go.mod`, about a minute of CPU.
pub fn helm_tools() -> Result<PathBuf, ToolsError> {
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("helm");
    let version = pinned_version(&module, "helm.sh/helm/v4")?;
    GoTools {
        what: format!("Helm {version} and the oracle"),
        cache: "helm",
        // Charts can read the version: both programs must report the one they are.
        ldflags: format!("-s -w -X helm.sh/helm/v4/internal/version.version={version}"),
        module,
        sources: &["oracle/main.go", "oracle/render.go"],
        programs: &[("helm.sh/helm/v4/cmd/helm", "helm"), ("./oracle", "oracle")],
    }
    .locate_or_build()
}

/// Why Helm gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum HelmError {
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

/// Helm, ready to render.
pub struct Helm {
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

impl Helm {
    /// Builds the program if need be. It starts with the first case.
    pub fn locate_or_build() -> Result<Self, ToolsError> {
        Ok(Self {
            program: helm_tools()?.join("oracle"),
            running: None,
        })
    }

    /// What Helm makes of `case`. A case that ends the program is answered with [`Answer::Nothing`], and the next starts a new one.
    pub fn ask(&mut self, case: &Case) -> Result<Answer, HelmError> {
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
        let line: Line = serde_json::from_str(&said).map_err(|source| HelmError::NoAnswer {
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
            // Nothing of the user's or the machine's: dates are formatted in local time.
            .env_clear()
            .env("TZ", "UTC")
            .env("GOMAXPROCS", "2")
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
