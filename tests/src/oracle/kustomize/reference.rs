//! Kustomize as a reference: the program that builds with its own packages, and what makes two builds the same.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use super::super::{
    OracleError,
    program::Program,
    reference::{Reference, Step},
};
use super::{Answer, Case, Category, Row, differs, generate, ours, shrink};
use crate::go_tools::{GoTools, ToolsError, pinned_version};

/// The program gives up on a case after 8 s by itself; more means that it is gone.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);

/// A longer answer is no small case.
const LONGEST_ANSWER: usize = 6000;

/// Where the oracle is kept: `$XDG_CACHE_HOME/pintle/kustomize/<pins>/bin/oracle`.
///
/// The first use builds it from `tests/kustomize/go.mod`, half a minute of CPU.
pub fn kustomize_tools() -> Result<PathBuf, ToolsError> {
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("kustomize");
    let version = pinned_version(&module, "sigs.k8s.io/kustomize/kustomize/v5")?;
    GoTools {
        what: format!("Kustomize {version} as an oracle"),
        cache: "kustomize",
        ldflags: "-s -w".to_owned(),
        module,
        sources: &["oracle/main.go", "oracle/build.go"],
        programs: &[("./oracle", "oracle")],
    }
    .locate_or_build()
}

/// Kustomize, ready to build.
pub struct Kustomize {
    program: Program,
}

impl Reference for Kustomize {
    const NAME: &'static str = "kustomize";
    type Case = Case;
    type Category = Category;
    type Row = Row;
    const CATEGORIES: &'static [Category] = &Category::ALL;
    const STEPS: &'static [Step<Case>] = &shrink::STEPS;
    const MAX_TRIES: usize = 2000;
    const ASKED_AGAIN: usize = 3;

    fn locate_or_build() -> Result<Self, ToolsError> {
        let program = kustomize_tools()?.join("oracle");
        // No git, no plugins, no home; the folders of cases are temporary.
        let environment = vec![("TMPDIR", std::env::temp_dir().into_os_string())];
        Ok(Self {
            program: Program::new(program, ANSWERS_WITHIN, environment),
        })
    }

    fn ask(&mut self, case: &Case) -> Result<Answer, OracleError> {
        self.program.ask(&case.id, case)
    }

    fn ours(case: &Case) -> Answer {
        ours(case)
    }

    fn generate(seed: u64, number: u64) -> (Category, Case) {
        generate(seed, number)
    }

    fn name_of(category: Category) -> &'static str {
        category.name()
    }

    fn id_of(case: &mut Case) -> &mut String {
        &mut case.id
    }

    fn differs(theirs: &Answer, ours: &Answer) -> bool {
        differs(theirs, ours)
    }

    fn is_same(first: &Answer, again: &Answer) -> bool {
        // Errors name the temporary folder.
        first == again || matches!((first, again), (Answer::Error(_), Answer::Error(_)))
    }

    fn shape(theirs: &Answer, ours: &Answer) -> (bool, bool) {
        let is_output = |answer: &Answer| matches!(answer, Answer::Output(_));
        (is_output(theirs), is_output(ours))
    }

    fn row(case: Case, answer: &Answer) -> Option<Row> {
        let output = match answer {
            Answer::Output(text) if text.len() <= LONGEST_ANSWER => Some(text.clone()),
            Answer::Error(_) => None,
            _ => return None,
        };
        Some(Row { case, output })
    }
}
