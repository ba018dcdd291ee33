//! Runs the `git` program for network access: fixed arguments, an environment of its own, a deadline, bounded output.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

/// Largest output read from Git: an advertisement of 500,000 refs of 100 bytes.
const MAX_OUTPUT_BYTES: u64 = 64 * 1024 * 1024;
/// What is kept of Git's complaints for the error message.
const MAX_ERROR_BYTES: u64 = 16 * 1024;

/// Why running Git gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The program is not there or could not be started.
    #[error("cannot start the git program: {0}; install git 2.39 or newer")]
    Start(std::io::Error),
    /// It said no.
    #[error("{what}: {message}")]
    Failed {
        /// What was being done, for example `fetching http://…`.
        what: String,
        /// Git's own words, URLs with credentials excluded by construction.
        message: String,
    },
    /// It did not end in time and was killed.
    #[error("{what}: no answer within {} s", .after.as_secs())]
    TimedOut {
        /// What was being done.
        what: String,
        /// The deadline.
        after: Duration,
    },
    /// It wrote more than anything sensible.
    #[error("{what}: more than {MAX_OUTPUT_BYTES} bytes of answer")]
    TooMuch {
        /// What was being done.
        what: String,
    },
}

/// What one run of Git may take.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// It is killed after this long.
    pub deadline: Duration,
    /// Bytes that each of its processes may fill (`RLIMIT_DATA`): a server that sends without end, which Git would keep in memory, ends Git and
    /// nothing else.
    pub memory_bytes: u64,
}

impl Bounds {
    /// Memory for packs: an index of ten million objects takes a GiB, files above 512 MiB are streamed.
    pub const PACKS: u64 = 4 << 30;
}

/// Takes the first argument for a bound of memory, in KiB, and becomes Git with the others. A lower bound that somebody has set stays.
const BOUNDED_GIT: &str = r#"ulimit -d "$1" 2>/dev/null; shift; exec git "$@""#;
/// What a shell ends with that does not find the program.
const NOT_FOUND: i32 = 127;

/// One run of Git.
pub struct GitRun<'a> {
    /// Directory to run in: a bare store.
    pub directory: &'a Path,
    /// Private configuration file for this run (credentials helper, CA), if any.
    pub config: Option<&'a Path>,
    /// What is being done, for errors.
    pub what: String,
    /// What it may take.
    pub bounds: Bounds,
}

impl GitRun<'_> {
    /// Runs Git and returns its standard output.
    pub async fn output<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Result<Vec<u8>, GitError> {
        let mut command = self.command();
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        // Its own group: helpers that Git starts (git-remote-https) end with it when the group is signalled on drop.
        command.process_group(0);
        let mut child = command.spawn().map_err(GitError::Start)?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let work = async {
            let out = read_bounded(stdout, MAX_OUTPUT_BYTES);
            let err = read_bounded(stderr, MAX_ERROR_BYTES);
            let (out, err) = tokio::join!(out, err);
            (out, err, child.wait().await)
        };
        let Ok((out, err, status)) = tokio::time::timeout(self.bounds.deadline, work).await else {
            return Err(GitError::TimedOut {
                what: self.what.clone(),
                after: self.bounds.deadline,
            });
        };
        let status = status.map_err(GitError::Start)?;
        if status.code() == Some(NOT_FOUND) {
            return Err(GitError::Start(std::io::ErrorKind::NotFound.into()));
        }
        if !status.success() {
            let message = explain(&String::from_utf8_lossy(&err.0));
            return Err(GitError::Failed {
                what: self.what.clone(),
                message,
            });
        }
        if out.1 {
            return Err(GitError::TooMuch {
                what: self.what.clone(),
            });
        }
        Ok(out.0)
    }

    fn command(&self) -> Command {
        #[allow(clippy::disallowed_methods, reason = "the wrapper itself; git must be found on PATH")]
        let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
        // The bound has to be there before Git starts its helpers, which inherit it.
        let mut command = Command::new("sh");
        command
            .args(["-c", BOUNDED_GIT, "git"])
            .arg((self.bounds.memory_bytes >> 10).to_string())
            .current_dir(self.directory)
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.directory)
            .env("LC_ALL", "C")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", self.config.map_or(Path::new("/dev/null"), |c| c))
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_ASKPASS", "")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .env("GIT_PROTOCOL_FROM_USER", "0")
            .args(["-c", "protocol.allow=never"])
            .args(["-c", "protocol.https.allow=always"])
            .args(["-c", "protocol.http.allow=always"])
            .args(["-c", "protocol.file.allow=always"])
            .args(["-c", "core.hooksPath=/dev/null"])
            .args(["-c", "core.fsmonitor=false"])
            .args(["-c", "gc.auto=0"])
            .args(["-c", "maintenance.auto=false"])
            .args(["-c", "fetch.recurseSubmodules=false"])
            // A server that sends nothing for a minute is taken for dead; the deadline bounds the whole.
            .args(["-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=60"]);
        command
    }
}

/// Reads up to `limit` bytes and says whether there were more; the rest is read and dropped so that the writer does not block.
async fn read_bounded(from: Option<impl tokio::io::AsyncRead + Unpin>, limit: u64) -> (Vec<u8>, bool) {
    let mut kept = Vec::new();
    let Some(mut from) = from else { return (kept, false) };
    // A read error ends the stream: the exit status tells the rest.
    let _ = (&mut from).take(limit).read_to_end(&mut kept).await;
    let mut more = false;
    let mut scrap = [0; 8192];
    while let Ok(n) = from.read(&mut scrap).await {
        if n == 0 {
            break;
        }
        more = true;
    }
    (kept, more)
}

/// Git's complaint in one line: its `fatal:` and `remote:` lines, or the last line.
fn explain(stderr: &str) -> String {
    let lines: Vec<&str> = stderr.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    let telling: Vec<&str> = lines
        .iter()
        .copied()
        .filter(|l| l.starts_with("fatal:") || l.starts_with("error:") || l.starts_with("remote:"))
        .collect();
    let text = if telling.is_empty() {
        lines.last().copied().unwrap_or("git said nothing").to_owned()
    } else {
        telling.join("; ")
    };
    if text.contains("could not read Username") || text.contains("terminal prompts disabled") {
        return format!(
            "authentication required: {text}; add credentials with `pintle repo add` or a repository Secret"
        );
    }
    if text.to_lowercase().contains("out of memory") {
        return format!(
            "{text}; what the server sends is larger than any list of refs: does the URL name a Git repository?"
        );
    }
    if text.contains("Authentication failed") {
        return format!("{text}; check the credentials of the repository Secret");
    }
    text
}
