//! A chart's directory as an archive, for `charts/` of another.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use pintle_render::helm::ChartSource;

use super::failed;
use crate::exit::CliError;

/// Packs the files below a directory of the chart's name, as they are. `seconds` is the time that every file gets.
pub(super) fn pack(source: &ChartSource, name: &str, seconds: u64) -> Result<Vec<u8>, CliError> {
    let unpackable = |e: std::io::Error| failed(format!("cannot pack {name}: {e}"));
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    for (file, bytes) in source.files() {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(bytes.len() as u64);
        header.set_mtime(seconds);
        archive
            .append_data(&mut header, format!("{name}/{file}"), bytes)
            .map_err(unpackable)?;
    }
    let mut packed = archive.into_inner().map_err(unpackable)?;
    packed.flush().map_err(unpackable)?;
    packed.finish().map_err(unpackable)
}
