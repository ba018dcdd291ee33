//! What a thread or a child process cost, as the kernel counts it: clocks on the wall lie on a shared machine.

use std::{
    fs::File,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::time::{ClockId, clock_gettime};
use wait4::Wait4 as _;

use super::super::Result;

/// The slowest case takes a reference program two seconds alone, and thousands of resources take Kustomize minutes; more means that it hangs.
const ENDS_WITHIN: Duration = Duration::from_secs(900);

/// What a process cost from start to end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Used {
    /// User and system time of all its threads.
    pub cpu: Duration,
    /// Most resident memory, in bytes. The kernel counts what the parent had when it started the child, so the parent must be small.
    pub memory_bytes: u64,
    /// Whether it exited with 0.
    pub success: bool,
}

/// Runs a program to its end; its output goes to one file, its complaints to another.
pub(super) fn run(command: &mut Command, output: &Path, complaints: &Path) -> Result<Used> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(File::create(output)?)
        .stderr(File::create(complaints)?)
        .spawn()
        .map_err(|e| format!("cannot start {}: {e}", command.get_program().display()))?;
    let started = Instant::now();
    loop {
        if let Some(done) = child.try_wait4()? {
            return Ok(Used {
                cpu: done.rusage.utime + done.rusage.stime,
                memory_bytes: done.rusage.maxrss,
                success: done.status.success(),
            });
        }
        if started.elapsed() > ENDS_WITHIN {
            child.kill()?;
            child.wait()?;
            return Err(format!("{command:?} did not end within {ENDS_WITHIN:?}").into());
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// Processor time of this thread so far.
pub(super) fn thread_cpu() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        u64::try_from(now.tv_sec).unwrap_or_default(),
        u32::try_from(now.tv_nsec).unwrap_or_default(),
    )
}

/// What work cost this thread.
pub(super) fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let before = thread_cpu();
    let done = work();
    (thread_cpu().saturating_sub(before), done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_s_time_and_memory_are_its_own() {
        let directory = tempfile::tempdir().unwrap();
        let out = directory.path().join("out");
        let busy = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo done";
        let complaints = directory.path().join("complaints");
        let used = run(Command::new("sh").args(["-c", busy]), &out, &complaints).unwrap();
        assert!(used.success && used.memory_bytes > 100_000);
        assert!(used.cpu > Duration::from_millis(1), "{used:?}");
        assert_eq!(std::fs::read_to_string(&out).unwrap(), "done\n");
        let failed = run(
            Command::new("sh").args(["-c", "echo no >&2; exit 3"]),
            &out,
            &complaints,
        )
        .unwrap();
        assert!(!failed.success);
        assert_eq!(std::fs::read_to_string(&complaints).unwrap(), "no\n");
    }

    #[test]
    fn sleeping_costs_nothing() {
        let (asleep, ()) = timed(|| thread::sleep(Duration::from_millis(50)));
        assert!(asleep < Duration::from_millis(25), "{asleep:?}");
        let (busy, ()) = timed(|| while thread_cpu() < asleep + Duration::from_millis(30) {});
        assert!(busy > Duration::from_millis(5), "{busy:?}");
    }
}
