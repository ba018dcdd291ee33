//! `pintle kubesim`: the embedded evaluation control plane alone.

use std::process::ExitCode;

use pintle_kubesim::{Clock, KubeSim};

use super::stopped;
use crate::args::KubesimArgs;
use crate::exit::CliError;

/// Decides UIDs and names, so that two runs show the same.
const SEED: u64 = 1;

/// Runs until it is told to stop. Everything is in memory and goes with the process.
pub async fn run(args: KubesimArgs) -> Result<ExitCode, CliError> {
    let sim = KubeSim::with_workloads(Clock::real(), SEED);
    let server = sim.serve(args.port).await.map_err(|e| {
        CliError::error(format!("cannot listen on 127.0.0.1:{}: {e}", args.port)).with_hint("--port 0 takes a free one")
    })?;
    let kubeconfig = server.kubeconfig();
    match &args.kubeconfig {
        None => print_line(&kubeconfig),
        Some(path) => {
            super::write_private(path, &kubeconfig)
                .map_err(|e| CliError::error(format!("cannot write the kubeconfig {}: {e}", path.display())))?;
            print_line(&format!("export KUBECONFIG={}", path.display()));
        }
    }
    eprintln!("{} serves the Kubernetes API; Ctrl-C ends it", server.url());
    tokio::select! {
        () = sim.run() => {}
        () = stopped() => {}
    }
    Ok(ExitCode::SUCCESS)
}

#[allow(clippy::print_stdout, reason = "the kubeconfig is what the command is for")]
fn print_line(text: &str) {
    println!("{text}");
}
