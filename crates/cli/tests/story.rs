//! The whole story, played by the program as a newcomer would start it.

use std::io::Read as _;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The story takes well under a minute; a machine that runs every other test at the same time gets two.
const DEADLINE: Duration = Duration::from_secs(120);

#[test]
#[allow(clippy::disallowed_methods, reason = "the test starts the program as a person would")]
fn every_step_of_the_story_is_seen() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_pintle"))
        .args(["demo", "--story", "--headless"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Read beside the program: a full pipe would stop it.
    let mut stdout = child.stdout.take().unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let said = thread::spawn(move || {
        let mut text = String::new();
        stdout.read_to_string(&mut text).map(|_| text)
    });
    let logged = thread::spawn(move || {
        let mut text = String::new();
        stderr.read_to_string(&mut text).map(|_| text)
    });
    let began = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break Some(status);
        }
        if began.elapsed() > DEADLINE {
            child.kill().unwrap();
            child.wait().unwrap();
            break None;
        }
        thread::sleep(Duration::from_millis(50));
    };
    let (said, logged) = (said.join().unwrap().unwrap(), logged.join().unwrap().unwrap());
    let how = status.map_or_else(|| format!("no end within {} s", DEADLINE.as_secs()), |s| s.to_string());
    assert_eq!(
        status.and_then(|s| s.code()),
        Some(0),
        "{how}\n--- stdout\n{said}\n--- stderr\n{logged}"
    );
    assert!(said.contains("All 10 steps were seen"), "{said}");
}
