//! Files named on the command line.

use std::io::Read as _;
use std::path::Path;

use pintle_model::{Object, yaml_objects};

use crate::exit::CliError;

/// Manifests and keys are small; a larger file is a mistake.
const MAX_BYTES: u64 = 8 << 20;

/// Reads a text file; `-` is standard input.
pub(crate) fn text(path: &str) -> Result<String, CliError> {
    let failed = |e: std::io::Error| CliError::error(format!("cannot read {path}: {e}"));
    let mut text = String::new();
    if path == "-" {
        std::io::stdin()
            .take(MAX_BYTES)
            .read_to_string(&mut text)
            .map_err(failed)?;
    } else {
        let file = std::fs::File::open(Path::new(path)).map_err(failed)?;
        file.take(MAX_BYTES).read_to_string(&mut text).map_err(failed)?;
    }
    Ok(text)
}

/// Reads the one object a file holds.
pub(crate) fn object(path: &str) -> Result<Object, CliError> {
    let mut objects = yaml_objects(&text(path)?);
    match (objects.pop(), objects.pop()) {
        (Some(only), None) => only.result.map_err(|e| CliError::error(format!("{path}: {e}"))),
        (None, _) => Err(CliError::error(format!("{path} holds no object"))),
        (Some(_), Some(_)) => Err(CliError::error(format!(
            "{path} holds several objects; give one for each command"
        ))),
    }
}
