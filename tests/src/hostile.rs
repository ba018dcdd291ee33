//! Inputs made to hurt: mutated documents, archives, charts, templates and paths.
//!
//! ```text
//! cargo xtask fuzz yaml ─> parent ── starts, watches ──> child: case 0, 1, 2 … of a seed ─> mutate ─> the code under test ─> Verdict
//!                             └─ a child that panics, overflows its stack, hangs or grows is a finding: the case's number makes it again
//! ```
//!
//! Nothing may panic, overflow the stack, take longer or more memory than its limits allow, read outside of its tree, or pass a limit
//! without saying so. The targets are F2, F3, F5, F6, F7, F8 and F18 of the threat model.

mod addresses;
mod archives;
mod charts;
mod documents;
mod merges;
mod mutate;
mod paths;
mod templates;
mod watch;

use std::time::Duration;

use crate::oracle::random::Random;

pub use watch::{Outcome, child, watch};

/// What is given hostile input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// F2: documents of YAML.
    Documents,
    /// F3: patches and comparisons of objects.
    Merges,
    /// F18: URLs of repositories.
    Addresses,
    /// F5: value files, globs and references in a tree full of links.
    Paths,
    /// F6: packed archives.
    Archives,
    /// F7: the files a chart consists of, and `--set`.
    Charts,
    /// F8: templates.
    Templates,
}

impl Target {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Documents,
        Self::Merges,
        Self::Addresses,
        Self::Paths,
        Self::Archives,
        Self::Charts,
        Self::Templates,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Documents => "yaml",
            Self::Merges => "merge",
            Self::Addresses => "url",
            Self::Paths => "paths",
            Self::Archives => "archive",
            Self::Charts => "chart",
            Self::Templates => "template",
        }
    }

    /// The target of that name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|target| target.name() == name)
    }

    /// Runs one case; the error says which promise was broken.
    pub fn run(self, seed: u64, number: u64) -> Result<(), String> {
        let mut random = Random::new(seed ^ 0xf0_22, number);
        match self {
            Self::Documents => documents::run(&mut random),
            Self::Merges => merges::run(&mut random),
            Self::Addresses => addresses::run(&mut random),
            Self::Paths => paths::run(&mut random),
            Self::Archives => archives::run(&mut random),
            Self::Charts => charts::run(&mut random),
            Self::Templates => templates::run(&mut random),
        }
    }
}

/// Longer than any case may take in a build without optimisation: limits are set so that the slowest takes a tenth of it.
const CASE_WITHIN: Duration = Duration::from_secs(20);

/// Resident memory a child may reach, in bytes. Cases run under limits of a few MB each.
const MEMORY_AT_MOST: u64 = 1 << 30;

#[cfg(test)]
mod tests {
    use super::Target;

    #[test]
    fn a_few_cases_of_every_target() {
        for target in Target::ALL {
            // On a stack as charts are rendered on.
            let few = std::thread::Builder::new()
                .stack_size(pintle_render::helm::Limits::default().stack_bytes())
                .spawn(move || (0..40).try_for_each(|number| target.run(1, number)));
            let result = few.map(std::thread::JoinHandle::join);
            assert!(matches!(result, Ok(Ok(Ok(())))), "{}: {result:?}", target.name());
        }
    }
}
