//! The demo and its story, as a newcomer starts them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The story takes well under a minute; a machine that runs every other test at the same time gets two.
const STORY_DEADLINE: Duration = Duration::from_secs(120);
/// The demo is ready after a few seconds, and ends within one.
const DEMO_DEADLINE: Duration = Duration::from_secs(60);

#[test]
fn every_step_of_the_story_is_seen() {
    let directory = tempfile::tempdir().unwrap();
    let mut demo = start(directory.path(), &["--story", "--headless"]);
    let said = collect(demo.stdout.take().unwrap());
    let logged = collect(demo.stderr.take().unwrap());
    let status = end(&mut demo, STORY_DEADLINE);
    let (said, logged) = (said.join().unwrap(), logged.join().unwrap());
    let code = status.and_then(|s| s.code());
    assert_eq!(code, Some(0), "{status:?}\n--- stdout\n{said}\n--- stderr\n{logged}");
    assert!(said.contains("All 10 steps were seen"), "{said}");
    assert_is_empty(directory.path());
}

#[test]
fn the_demo_shows_the_shop_and_cleans_up_when_it_is_stopped() {
    let directory = tempfile::tempdir().unwrap();
    let mut demo = start(directory.path(), &["--headless"]);
    let logged = collect(demo.stderr.take().unwrap());
    let (sender, lines) = mpsc::channel();
    let stdout = BufReader::new(demo.stdout.take().unwrap());
    let reader = thread::spawn(move || {
        for line in stdout.lines().map_while(Result::ok) {
            // Nobody listens any more once the test has seen enough.
            let _ = sender.send(line);
        }
    });
    let mut said = Vec::new();
    while !said.iter().any(|line: &String| line.contains("Ctrl-C ends the demo")) {
        match lines.recv_timeout(DEMO_DEADLINE) {
            Ok(line) => said.push(line),
            Err(e) => {
                demo.kill().unwrap();
                panic!("{e} after {said:?}; {}", logged.join().unwrap());
            }
        }
    }
    for row in [
        ["shop-dev", "Synced", "Healthy", "shop:1.5"],
        ["shop-staging", "Synced", "Healthy", "shop:1.5"],
        ["shop-prod", "OutOfSync", "Healthy", "shop:1.4"],
    ] {
        assert!(
            said.iter().any(|line| line.split_whitespace().eq(row)),
            "{row:?} in {said:#?}"
        );
    }
    let kubeconfig = said
        .iter()
        .find_map(|line| line.trim().strip_prefix("export KUBECONFIG="));
    assert!(Path::new(kubeconfig.unwrap()).is_file());

    terminate(&demo);
    let status = end(&mut demo, DEMO_DEADLINE);
    assert_eq!(
        status.and_then(|s| s.code()),
        Some(0),
        "{status:?}: {}",
        logged.join().unwrap()
    );
    reader.join().unwrap();
    assert_is_empty(directory.path());
}

#[test]
fn a_directory_that_is_in_use_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("mine"), "").unwrap();
    let mut demo = start(directory.path(), &["--directory", directory.path().to_str().unwrap()]);
    let logged = collect(demo.stderr.take().unwrap());
    let status = end(&mut demo, DEMO_DEADLINE);
    assert_eq!(status.and_then(|s| s.code()), Some(20));
    assert!(logged.join().unwrap().contains("is not empty"));
    assert!(directory.path().join("mine").is_file());
}

/// Starts `pintle demo` on free ports, with its temporary directories in `directory`.
#[allow(clippy::disallowed_methods, reason = "the test starts the program as a person would")]
fn start(directory: &Path, arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_pintle"))
        .args(["demo", "--port", "0", "--git-port", "0"])
        .args(arguments)
        .env("TMPDIR", directory)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// As a service manager ends a program.
#[allow(clippy::disallowed_methods, reason = "the standard library sends no signals")]
fn terminate(child: &Child) {
    let sent = Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(sent.success());
}

/// Reads beside the program: a full pipe would stop it.
fn collect(mut from: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut text = String::new();
        from.read_to_string(&mut text).unwrap();
        text
    })
}

/// Waits for the end; `None` if the program had to be killed.
fn end(child: &mut Child, within: Duration) -> Option<ExitStatus> {
    let began = Instant::now();
    while began.elapsed() < within {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        thread::sleep(Duration::from_millis(50));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    None
}

fn assert_is_empty(directory: &Path) {
    let left: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    assert!(left.is_empty(), "left behind: {left:?}");
}
