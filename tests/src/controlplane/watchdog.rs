//! The one who ends the components when the test process cannot.
//!
//! `Drop` does not run when a process is killed, exits, or keeps its control plane in a
//! static. So a small shell reads the components' process ids from a pipe; the kernel
//! closes the pipe with the test process, however that ends, and the shell then kills
//! what it was told. (A parent-death signal would follow the *thread* that spawned, which
//! in a test runner ends long before the process.)

use std::{
    io::{self, Write},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
};

/// `$1` is the folder to remove, or empty.
const SCRIPT: &str = r#"
pids=
while read -r pid; do pids="$pids $pid"; done
[ -n "$pids" ] && kill -KILL $pids 2>/dev/null
[ -n "$1" ] && sleep 0.2 && rm -rf -- "$1"
exit 0
"#;

pub(super) struct Watchdog {
    child: Child,
    pipe: Option<ChildStdin>,
}

impl Watchdog {
    /// Starts a watchdog that also removes `scratch`, if given, once the test process is gone.
    pub(super) fn start(scratch: Option<&Path>) -> io::Result<Self> {
        let mut child = Command::new("sh")
            .args(["-c", SCRIPT, "pintle-tests-watchdog"])
            .arg(scratch.unwrap_or(Path::new("")))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let pipe = child.stdin.take();
        Ok(Self { child, pipe })
    }

    /// Adds a process to be ended.
    pub(super) fn guard(&mut self, pid: u32) -> io::Result<()> {
        match &mut self.pipe {
            Some(pipe) => writeln!(pipe, "{pid}"),
            None => Err(io::Error::new(io::ErrorKind::BrokenPipe, "the watchdog has no pipe")),
        }
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        // Before the pipe closes: the components have been reaped, their ids may be others' by now.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use std::{path::PathBuf, time::Duration};

    use super::*;
    use crate::wait_until;

    #[test]
    fn when_the_pipe_closes_the_guarded_process_ends_and_the_folder_goes() {
        let scratch = tempfile::tempdir().expect("a scratch folder").keep();
        let mut guarded = Command::new("sleep").arg("600").spawn().expect("sleep runs");
        let mut watchdog = Watchdog::start(Some(&scratch)).expect("sh runs");
        watchdog.guard(guarded.id()).expect("the watchdog listens");

        // What the kernel does when the test process dies.
        drop(watchdog.pipe.take());

        let ended = wait_until("the guarded process to end", Duration::from_secs(10), || {
            guarded.try_wait().ok().flatten().ok_or("still running")
        });
        let gone = |path: &PathBuf| if path.exists() { Err("still there") } else { Ok(()) };
        let removed = wait_until("the folder to go", Duration::from_secs(10), || gone(&scratch));
        let _ = guarded.kill();
        assert!(!ended.expect("ended").success());
        removed.expect("removed");
    }

    #[test]
    fn dropped_in_order_it_kills_no_one() {
        let mut guarded = Command::new("sleep").arg("600").spawn().expect("sleep runs");
        let mut watchdog = Watchdog::start(None).expect("sh runs");
        watchdog.guard(guarded.id()).expect("the watchdog listens");
        drop(watchdog);
        assert!(guarded.try_wait().expect("a child of ours").is_none());
        guarded.kill().and_then(|()| guarded.wait()).expect("ended by us");
    }
}
