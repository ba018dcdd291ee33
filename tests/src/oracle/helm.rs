//! Helm as a reference: the program that renders with its own packages, and what makes two renders of a chart the same.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    Answer, Case, Category, OracleError, Row, generate, ours,
    program::Program,
    reference::{Reference, Step},
    shrink,
};
use crate::go_tools::{GoTools, ToolsError, pinned_version};

/// The program gives up on a case after 5 s by itself; more means that it is gone.
const ANSWERS_WITHIN: Duration = Duration::from_secs(20);

/// A longer answer is no small case.
const LONGEST_ANSWER: usize = 6000;

/// Where Helm and the oracle are kept: `$XDG_CACHE_HOME/pintle/helm/<pins>/bin/{helm,oracle}`.
///
/// The first use builds them from `tests/helm/go.mod`, about a minute of CPU.
pub fn helm_tools() -> Result<PathBuf, ToolsError> {
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("helm");
    let version = pinned_version(&module, "helm.sh/helm/v4")?;
    GoTools {
        what: format!("Helm {version} and the oracle"),
        cache: "helm",
        // Charts can read the version: both programs must report the one they are.
        ldflags: format!("-s -w -X helm.sh/helm/v4/internal/version.version={version}"),
        module,
        sources: &["oracle/main.go", "oracle/render.go"],
        programs: &[("helm.sh/helm/v4/cmd/helm", "helm"), ("./oracle", "oracle")],
    }
    .locate_or_build()
}

/// Helm, ready to render.
pub struct Helm {
    program: Program,
}

impl Reference for Helm {
    const NAME: &'static str = "helm";
    type Case = Case;
    type Category = Category;
    type Row = Row;
    const CATEGORIES: &'static [Category] = &Category::ALL;
    const STEPS: &'static [Step<Case>] = &shrink::STEPS;
    const MAX_TRIES: usize = 3000;
    const ASKED_AGAIN: usize = 12;

    fn locate_or_build() -> Result<Self, ToolsError> {
        let program = helm_tools()?.join("oracle");
        Ok(Self {
            program: Program::new(program, ANSWERS_WITHIN, Vec::new()),
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
        theirs.differs(ours)
    }

    fn is_same(first: &Answer, again: &Answer) -> bool {
        first == again
    }

    fn shape(theirs: &Answer, _: &Answer) -> (bool, bool) {
        (matches!(theirs, Answer::Output(_)), false)
    }

    fn row(case: Case, answer: &Answer) -> Option<Row> {
        let (output, error) = match answer {
            Answer::Output(text) if text.len() <= LONGEST_ANSWER => (Some(text.clone()), None),
            Answer::Error(text) if text.len() <= LONGEST_ANSWER => (None, Some(text.clone())),
            _ => return None,
        };
        Some(Row { case, output, error })
    }
}
