//! Every command and every daemon of Pintle as one binary.
//!
//! ```text
//! argv ─> args (clap: the grammar of `argocd`) ─> command/<group>/<verb> ─> pintle_server::api ─> output ─> exit code
//!                                              └> daemon/{serve,kubesim}, demo
//! ```
//!
//! Exit codes are those of the contract [F6.4]: 0 for done, 20 for errors, 1 for wrong usage, a sync that did not succeed, and a diff that is
//! not empty.

mod args;
mod command;
mod daemon;
pub mod demo;
mod exit;
mod local_repositories;
mod output;
mod process;
mod wiring;

use std::ffi::OsString;
use std::process::ExitCode;

pub use exit::CliError;

/// Rendering makes and drops many small values; glibc's allocator takes a quarter of its time for that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs the process's own command line.
pub fn main() -> ExitCode {
    run(std::env::args_os().collect())
}

/// Runs one command line; the first word is the program's name. The name `argocd` is as good as our own: the grammar is the same.
pub fn run(argv: Vec<OsString>) -> ExitCode {
    let cli = match args::parse(argv) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to stdout and are no failure; both printers only fail where nobody reads.
            let _ = error.print();
            return if error.use_stderr() {
                ExitCode::from(exit::USAGE)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    exit::log_to_stderr(&cli.global.loglevel);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return exit::report(&CliError::error(format!("cannot start: {error}"))),
    };
    match runtime.block_on(command::run(cli)) {
        Ok(code) => code,
        Err(error) => exit::report(&error),
    }
}
