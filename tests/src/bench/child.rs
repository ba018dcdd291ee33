//! The controller in a process of its own, and the lines spoken with it.
//!
//! Down: `hint <url>`, `counts`. Up: `started`, `counts <ls-remotes> <fetches> <renders>`. The end of its input ends it.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use pintle_cluster::{Cluster, KubeconfigSource, LeaseGuard};
use pintle_controller::{Controller, ControllerConfig};
use pintle_engine::ClusterId;
use pintle_repo::{Counts, Repositories};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::stage::CONTROL;
use super::{Result, machine};

/// A controller that does not answer a line for this long has failed.
const ANSWERS_WITHIN: Duration = Duration::from_secs(60);

/// Runs a controller until the input ends: what `bench controller <kubeconfig> <directory>` does.
pub async fn run(kubeconfig: PathBuf, directory: PathBuf) -> Result<()> {
    let source = KubeconfigSource {
        path: Some(kubeconfig),
        context: None,
    };
    let cluster = Cluster::from_kubeconfig(ClusterId::in_cluster(), source, "application-controller").await?;
    let repositories = Repositories::new(directory);
    let controller = Controller::start(ControllerConfig {
        cluster,
        repositories: repositories.clone(),
        control_namespace: CONTROL.into(),
        identity: "bench".into(),
        lease: LeaseGuard::not_needed(),
    })
    .await?;
    say("started")?;
    let mut lines = input();
    while let Some(line) = lines.recv().await {
        match line.split_once(' ') {
            Some(("hint", url)) => controller.hint(url),
            _ if line == "counts" => {
                let Counts {
                    ls_remotes,
                    fetches,
                    renders,
                } = repositories.counts();
                say(&format!("counts {ls_remotes} {fetches} {renders}"))?;
            }
            _ => return Err(format!("{line:?} is no line of the protocol").into()),
        }
    }
    controller.shutdown().await;
    Ok(())
}

/// The lines of standard input, read by a thread of their own.
fn input() -> mpsc::Receiver<String> {
    let (lines, received) = mpsc::channel(16);
    std::thread::spawn(move || {
        for line in std::io::stdin().lines() {
            let Ok(line) = line else { return };
            if lines.blocking_send(line).is_err() {
                return;
            }
        }
    });
    received
}

fn say(line: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

/// The running child, as the benchmark holds it. Killed when dropped; it ends by itself when this process does.
pub(super) struct ControllerProcess {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    log: PathBuf,
}

impl ControllerProcess {
    /// Starts it with its state and its log in `directory`.
    pub(super) async fn start(kubeconfig: &Path, directory: &Path) -> Result<Self> {
        let log = directory.join("controller.log");
        let mut child = Command::new(std::env::current_exe()?)
            .arg("controller")
            .arg(kubeconfig)
            .arg(directory.join("state"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?)
            .kill_on_drop(true)
            .spawn()?;
        let input = child.stdin.take().ok_or("the child has no input")?;
        let output = child.stdout.take().ok_or("the child has no output")?;
        let mut process = Self {
            child,
            input,
            output: BufReader::new(output).lines(),
            log,
        };
        process.hear("started").await?;
        Ok(process)
    }

    /// Says that a repository has moved.
    pub(super) async fn hint(&mut self, url: &str) -> Result<()> {
        self.tell(&format!("hint {url}")).await
    }

    /// What its repositories have done so far.
    pub(super) async fn counts(&mut self) -> Result<Counts> {
        self.tell("counts").await?;
        let answer = self.hear("counts ").await?;
        let numbers = answer
            .split(' ')
            .map(str::parse)
            .collect::<std::result::Result<Vec<u64>, _>>()?;
        let [ls_remotes, fetches, renders] = numbers[..] else {
            return Err(format!("{answer:?} is no answer to counts").into());
        };
        Ok(Counts {
            ls_remotes,
            fetches,
            renders,
        })
    }

    pub(super) fn cpu_seconds(&self) -> Result<f64> {
        machine::cpu_seconds(self.pid()?)
    }

    /// Peak and present resident memory in MiB.
    pub(super) fn memory_mib(&self) -> Result<(f64, f64)> {
        machine::memory_mib(self.pid()?)
    }

    pub(super) fn pid(&self) -> Result<u32> {
        self.child.id().ok_or_else(|| self.failed("has ended"))
    }

    /// An error with the end of its log.
    pub(super) fn failed(&self, why: &str) -> super::Error {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        format!(
            "the controller {why}; its log ends:\n{}",
            crate::process::tail(&log, 20)
        )
        .into()
    }

    async fn tell(&mut self, line: &str) -> Result<()> {
        self.input.write_all(format!("{line}\n").as_bytes()).await?;
        Ok(self.input.flush().await?)
    }

    async fn hear(&mut self, expected: &str) -> Result<String> {
        let line = match timeout(ANSWERS_WITHIN, self.output.next_line()).await {
            Ok(Ok(Some(line))) => line,
            Ok(Ok(None)) => return Err(self.failed("has ended")),
            Ok(Err(e)) => return Err(e.into()),
            Err(_) => return Err(self.failed("does not answer")),
        };
        match line.strip_prefix(expected) {
            Some(rest) => Ok(rest.to_owned()),
            None => Err(format!("the controller said {line:?} instead of {expected:?}").into()),
        }
    }
}
