//! One file for each verb of each group.

mod app;
pub(crate) mod diff;
mod file;
mod helm;
mod kustomize;
pub(crate) mod preview;
mod proj;
mod render;
mod repo;

use std::process::ExitCode;

use crate::args::{Cli, TopCommand, VersionArgs};
use crate::exit::CliError;
use crate::{daemon, demo, output};

/// Runs a parsed command line.
pub(crate) async fn run(cli: Cli) -> Result<ExitCode, CliError> {
    let Cli { global, command } = cli;
    match command {
        TopCommand::App(command) => app::run(&global, *command).await,
        TopCommand::Proj(command) => proj::run(&global, command).await,
        TopCommand::Repo(command) => repo::run(&global, command).await,
        TopCommand::Helm(args) => helm::run(*args, &global).await,
        TopCommand::Kustomize(command) => kustomize::run(command).await,
        TopCommand::Render(args) => render::run(*args).await,
        TopCommand::Diff(args) => diff::run(*args).await,
        TopCommand::Demo(args) => demo::run(args).await,
        TopCommand::Serve(args) => daemon::serve::run(args).await,
        TopCommand::Kubesim(args) => daemon::kubesim::run(args).await,
        TopCommand::Version(args) => version(&args),
    }
}

/// `version`: only ours; there is no server to ask.
fn version(args: &VersionArgs) -> Result<ExitCode, CliError> {
    let version = concat!("v", env!("CARGO_PKG_VERSION"));
    let text = match args.output.as_str() {
        _ if args.short => format!("pintle: {version}\n"),
        "short" => format!("pintle: {version}\n"),
        "json" | "yaml" => {
            let mut value = pintle_model::Value::map();
            value.set_at(&["client", "Version"], version.into());
            value.set_at(&["client", "Platform"], platform().into());
            output::structured(&value, &args.output)
        }
        _ => format!("pintle: {version}\n  Platform: {}\n", platform()),
    };
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn platform() -> String {
    format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH)
}
