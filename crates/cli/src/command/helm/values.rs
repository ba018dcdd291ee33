//! Values from files, standard input and the command line.

use std::io::Read as _;

use pintle_render::helm::ValueOptions;

use super::failed;
use crate::args::ValueFlags;
use crate::exit::CliError;

/// Largest file of values or of `--set-file`, in bytes: etcd takes no object above 1.5 MB, so that values which get anywhere are smaller.
const MAX_BYTES: u64 = 16 << 20;

/// Reads what the flags name. Standard input is read once: who asks a second time finds it empty, as in Helm.
pub(super) fn read(flags: &ValueFlags) -> Result<ValueOptions, CliError> {
    let mut files = Vec::with_capacity(flags.values.len());
    for name in &flags.values {
        files.push((name.clone(), text(name)?));
    }
    let mut from_files = Vec::with_capacity(flags.set_file.len());
    for line in &flags.set_file {
        let mut texts = Vec::new();
        for name in ValueOptions::names_in(line).map_err(failed)? {
            let text = text(&name)?;
            texts.push((name, text));
        }
        from_files.push((line.clone(), texts));
    }
    Ok(ValueOptions {
        files,
        json: flags.set_json.clone(),
        set: flags.set.clone(),
        strings: flags.set_string.clone(),
        from_files,
        literals: flags.set_literal.clone(),
    })
}

fn text(name: &str) -> Result<String, CliError> {
    if name.contains("://") {
        return Err(failed(format!(
            "{name}: values are read from files and standard input only; fetch it first and name the file"
        )));
    }
    let unreadable = |e: std::io::Error| failed(format!("cannot read {name}: {e}"));
    let mut bytes = Vec::new();
    if name.trim() == "-" {
        std::io::stdin().take(MAX_BYTES + 1).read_to_end(&mut bytes)
    } else {
        let file = std::fs::File::open(name).map_err(|e| {
            if e.kind() == std::io::ErrorKind::NotFound {
                failed(format!("open {name}: no such file or directory"))
            } else {
                unreadable(e)
            }
        })?;
        file.take(MAX_BYTES + 1).read_to_end(&mut bytes)
    }
    .map_err(unreadable)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(failed(format!(
            "{name} has more than {MAX_BYTES} bytes, the limit for values"
        )));
    }
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        failed(format!("{name} is not UTF-8 text from byte {at} on, and values are texts; encode it as base64 and decode it in the template"))
    })
}
