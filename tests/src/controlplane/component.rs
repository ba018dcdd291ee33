//! One long-running program of the control plane.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use super::{
    error::{StartError, at},
    watchdog::Watchdog,
};
use crate::process;

/// As much of a log as an error shows: the reason is in the last lines.
const TAIL_LINES: usize = 15;

/// Lines are long; 16 KiB hold well over [`TAIL_LINES`] of them.
const TAIL_BYTES: i64 = 16 * 1024;

/// A running program with its log; killed and reaped on drop.
pub(super) struct Component {
    pub(super) name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Component {
    /// Starts `program` with its output in `<dir>/<name>.log`, in a process group of its own
    /// (a Ctrl-C at the terminal reaches the tests first), known to `watchdog`.
    pub(super) fn spawn(
        name: &'static str,
        program: &Path,
        arguments: Vec<OsString>,
        dir: &Path,
        watchdog: &mut Watchdog,
    ) -> Result<Self, StartError> {
        let log = dir.join(format!("{name}.log"));
        let out = File::create(&log).map_err(at(&log))?;
        let err = out.try_clone().map_err(at(&log))?;
        let spawn = |source| StartError::Spawn {
            component: name,
            source,
        };
        let child = Command::new(program)
            .args(arguments)
            .current_dir(dir)
            // Nothing is read from the user's own configuration (kwok looks there), nothing is left there.
            .env("HOME", dir)
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .process_group(0)
            .spawn()
            .map_err(spawn)?;
        let component = Self { name, child, log };
        watchdog.guard(component.pid()).map_err(spawn)?;
        Ok(component)
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Fails when the program has ended.
    pub(super) fn check_running(&mut self) -> Result<(), StartError> {
        let component = self.name;
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(StartError::Ended {
                component,
                status,
                log: self.log_tail(),
            }),
            Err(source) => Err(StartError::Spawn { component, source }),
        }
    }

    pub(super) fn log_tail(&self) -> String {
        match end_of(&self.log) {
            Ok(text) => process::tail(&text, TAIL_LINES),
            Err(error) => format!("({}: {error})", self.log.display()),
        }
    }
}

impl Drop for Component {
    fn drop(&mut self) {
        // SIGKILL: nothing of it is kept, and waiting for a clean end of etcd would only take time.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn end_of(log: &Path) -> io::Result<String> {
    let mut file = File::open(log)?;
    let length = i64::try_from(fs::metadata(log)?.len()).unwrap_or(i64::MAX);
    file.seek(SeekFrom::End(-length.min(TAIL_BYTES)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
