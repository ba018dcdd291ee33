//! The one place where the command line starts other programs.

use std::path::Path;

use tokio::process::Command;

/// The `git` program in a directory, with an environment of its own: no user or system configuration, no prompts.
pub fn git(directory: &Path) -> Command {
    #[allow(
        clippy::disallowed_methods,
        reason = "the wrapper itself; only PATH and HOME's absence matter to git"
    )]
    let path = std::env::var("PATH").unwrap_or_else(|_| "/usr/bin:/bin".to_owned());
    let mut command = Command::new("git");
    command
        .current_dir(directory)
        .env_clear()
        .env("PATH", path)
        .env("HOME", directory)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0");
    command
}
