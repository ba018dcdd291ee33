//! Servers that are programs: they listen on loopback and end with the test process, however that ends.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::process::tail;

/// As much of a log as a failure shows.
const TAIL_LINES: usize = 15;

/// A running program with its log.
pub struct Background {
    shell: Child,
    log: PathBuf,
}

impl Background {
    /// Starts `program` with its output in the file `log` below `directory`.
    pub fn start(program: &Path, arguments: &[&OsStr], directory: &Path) -> io::Result<Self> {
        let log = directory.join("log");
        let out = File::create(&log)?;
        // The shell ends the program when its own standard input closes, which the kernel sees to when this process is gone.
        let shell = Command::new("sh")
            .args(["-c", r#""$@" </dev/null & read -r _; kill $!; wait"#, "pintle-tests"])
            .arg(program)
            .args(arguments)
            .current_dir(directory)
            .env("OTEL_TRACES_EXPORTER", "none")
            .stdin(Stdio::piped())
            .stdout(out.try_clone()?)
            .stderr(out)
            .spawn()?;
        Ok(Self { shell, log })
    }

    /// The end of what it said.
    pub fn said(&self) -> String {
        tail(&fs::read_to_string(&self.log).unwrap_or_default(), TAIL_LINES)
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        // Already gone is as good as ended.
        let _ = self.shell.wait();
    }
}

/// A port of loopback that is free now. Another process may take it before it is used, which has not been seen.
pub fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
