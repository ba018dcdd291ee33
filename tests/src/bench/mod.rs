//! What Pintle costs, beside what the machine allows, on the real control plane: `cargo xtask bench`.
//!
//! ```text
//! this process: control plane ─ Git repository ─ plain clients ─ watch of Applications ─ /proc of everyone
//!      │ stdin: hint <url>, counts                                     │
//!      └─> child: the same program as `bench controller`: Controller::start, nothing else
//! ```
//!
//! The controller has a process of its own so that its CPU and memory are its own. Every part has a fresh control plane. A number is only
//! printed if the end state is right: Applications Synced and Healthy at the commit, their objects there; anything else is an error.

mod child;
pub mod diff;
mod fleet;
mod floor;
mod install;
mod machine;
mod options;
mod plain;
mod push;
pub mod render;
mod report;
mod server_alone;
mod sources;
mod stage;
mod watched;

pub use child::run as run_controller;
pub use options::{Options, Part, USAGE};
pub use sources::Sources;

use std::process::ExitCode;

use report::Report;

/// Why there is no number.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
/// A number, or why there is none.
pub type Result<T> = std::result::Result<T, Error>;

/// How a benchmark's process ends: 2 for words it does not know, 1 where it has no number, and says why.
pub fn ended(outcome: std::result::Result<Result<()>, String>, usage: &str) -> ExitCode {
    match outcome {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => {
            eprintln!("FAILED: {error}");
            ExitCode::FAILURE
        }
        Err(message) => {
            eprintln!("bench: {message}\n{usage}");
            ExitCode::from(2)
        }
    }
}

/// Measures what `options` ask for and returns it as Markdown.
pub async fn run(options: &Options) -> Result<String> {
    let tools = tokio::task::block_in_place(crate::Tools::locate_or_build)?;
    let mut report = Report::new(&tools);
    if options.wants(Part::S0) {
        server_alone::measure(&tools, &mut report).await?;
    }
    let largest = options.apps.iter().copied().max().unwrap_or_default();
    for apps in options.apps.iter().copied() {
        let measures_pushes = apps == largest && options.wants_pushes();
        if !options.wants(Part::B1) && !measures_pushes {
            continue;
        }
        let floor = if options.wants(Part::B1) {
            Some(floor::measure(&tools, apps, &mut report).await?)
        } else {
            None
        };
        let mut installed = install::install(&tools, options.sources, apps).await?;
        if let Some(floor) = floor {
            installed.report(&floor, &mut report);
        }
        if measures_pushes {
            push::measure(&mut installed, options, &mut report).await?;
        }
    }
    Ok(report.markdown())
}
