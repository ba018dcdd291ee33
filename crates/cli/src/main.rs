//! The `pintle` command.

mod demo;
mod process;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// GitOps for Kubernetes.
#[derive(Parser)]
#[command(name = "pintle", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Show the main job on an embedded control plane: a shop in Git, three Applications, a controller
    Demo(demo::DemoArgs),
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(tracing_subscriber::EnvFilter::try_from_env("PINTLE_LOG").unwrap_or_else(|_| "warn".into()))
        .init();
    match Arguments::parse().command {
        Command::Demo(args) => demo::run(args).await,
    }
}
