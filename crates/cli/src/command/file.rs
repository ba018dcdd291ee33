//! Files named on the command line.

use std::io::Read as _;
use std::path::Path;

use pintle_model::{Object, yaml_objects};

use crate::exit::CliError;

/// Manifests and keys are small; a larger file is a mistake.
const MAX_BYTES: u64 = 8 << 20;

/// Reads a text file; `-` is standard input. A longer one is an error: half a manifest is another manifest (I-3).
pub(crate) fn text(path: &str) -> Result<String, CliError> {
    let failed = |e: std::io::Error| CliError::error(format!("cannot read {path}: {e}"));
    if path == "-" {
        return limited(std::io::stdin(), "standard input").map_err(failed)?;
    }
    let file = std::fs::File::open(Path::new(path)).map_err(failed)?;
    limited(file, path).map_err(failed)?
}

/// Reads to the end, at most [`MAX_BYTES`].
fn limited(source: impl std::io::Read, name: &str) -> std::io::Result<Result<String, CliError>> {
    let mut bytes = Vec::new();
    source.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        let message = format!("{name} is longer than {} MiB", MAX_BYTES >> 20);
        return Ok(Err(CliError::error(message).with_hint("split it, or name another file")));
    }
    let text = String::from_utf8(bytes).map_err(|_| std::io::Error::other("it is not UTF-8"))?;
    Ok(Ok(text))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_too_long_is_refused_by_name() {
        let most = usize::try_from(MAX_BYTES).unwrap_or(usize::MAX);
        let whole = limited(std::io::repeat(b'a').take(MAX_BYTES), "a.yaml");
        assert_eq!(whole.ok().and_then(Result::ok).map(|text| text.len()), Some(most));
        let longer = limited(std::io::repeat(b'a').take(MAX_BYTES + 1), "a.yaml");
        let said = longer.ok().and_then(Result::err).map(|e| e.message);
        assert_eq!(said.as_deref(), Some("a.yaml is longer than 8 MiB"));
    }
}
