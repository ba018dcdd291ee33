//! Runs the real control plane until Enter or Ctrl-C: to look at, or to measure against.
//!
//! `cargo run -p pintle-tests --example controlplane`

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program for a person at a terminal"
)]

use std::{io, process::ExitCode, time::Instant};

use pintle_tests::{ControlPlane, Tools, chain::chain};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let tools = Tools::locate_or_build()?;
    let started = Instant::now();
    let plane = ControlPlane::start_in_scratch(&tools)?;
    println!(
        "Kubernetes {} at {} is ready after {:.1?}",
        plane.version(),
        plane.server_url(),
        started.elapsed()
    );
    println!("export KUBECONFIG={}", plane.kubeconfig_path().display());
    println!(
        "kubectl: {}\nlogs:    {}",
        plane.kubectl_path().display(),
        plane.dir().display()
    );
    println!("Enter ends it.");
    io::stdin().read_line(&mut String::new())?;
    Ok(())
}
