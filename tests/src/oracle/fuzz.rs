//! Cases one after another, until the time is over.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::{Answer, Case, Category, Helm, HelmError, generate, shrink};

/// How long, and which cases.
#[derive(Clone, Copy, Debug)]
pub struct Fuzz {
    /// Names the sequence of cases.
    pub seed: u64,
    /// When to stop.
    pub within: Duration,
    /// When to stop at the latest, in cases.
    pub cases: u64,
    /// Differences after which nothing more is to be learnt.
    pub findings: usize,
}

/// What Helm made of the cases of a category.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Cases asked.
    pub cases: u64,
    /// Rendered.
    pub rendered: u64,
    /// Refused with an error.
    pub failed: u64,
    /// No answer to compare: panics, hangs, or another answer when asked again.
    pub dropped: u64,
    /// Answered by the renderer under test too; without any, a quiet run says nothing.
    pub compared: u64,
    /// The renderer under test gave another answer.
    pub different: u64,
}

/// A difference, as small as it became.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The case.
    pub case: Case,
    /// Helm's answer to it.
    pub helm: Answer,
    /// The renderer's.
    pub ours: Answer,
}

impl Finding {
    fn shows_the_same(&self, other: &Self) -> bool {
        let mut case = other.case.clone();
        case.id.clone_from(&self.case.id);
        self.case == case && self.helm == other.helm && self.ours == other.ours
    }
}

/// Renders generated cases with Helm and with `ours`, and returns what differs, made small.
pub fn fuzz(
    helm: &mut Helm,
    options: Fuzz,
    mut ours: impl FnMut(&Case) -> Answer,
) -> Result<(BTreeMap<Category, Tally>, Vec<Finding>), HelmError> {
    let started = Instant::now();
    let mut tallies: BTreeMap<Category, Tally> = BTreeMap::new();
    let mut findings = Vec::new();
    for number in 0..options.cases {
        if started.elapsed() >= options.within || findings.len() >= options.findings {
            break;
        }
        let (category, case) = generate(options.seed, number);
        let tally = tallies.entry(category).or_default();
        tally.cases += 1;
        let theirs = helm.ask(&case)?;
        match &theirs {
            Answer::Output(_) => tally.rendered += 1,
            Answer::Error(_) => tally.failed += 1,
            Answer::Nothing(_) => {
                tally.dropped += 1;
                continue;
            }
        }
        let own = ours(&case);
        tally.compared += u64::from(!matches!(own, Answer::Nothing(_)));
        if !theirs.differs(&own) {
            continue;
        }
        if !is_stable(helm, &case, &theirs)? {
            tally.dropped += 1;
            continue;
        }
        tally.different += 1;
        let shape = shape(&theirs);
        let small = shrink(&case, |candidate| {
            let theirs = helm.ask(candidate)?;
            Ok::<_, HelmError>(
                shape == self::shape(&theirs)
                    && theirs.differs(&ours(candidate))
                    && is_stable(helm, candidate, &theirs)?,
            )
        })?;
        let finding = Finding {
            helm: helm.ask(&small)?,
            ours: ours(&small),
            case: small,
        };
        // One cause shrinks to one case again and again; once is enough.
        if !findings.iter().any(|known: &Finding| known.shows_the_same(&finding)) {
            findings.push(finding);
        }
    }
    Ok((tallies, findings))
}

/// An answer that depends on the order of a map, an address or the time differs sooner or later.
pub(super) fn is_stable(helm: &mut Helm, case: &Case, answer: &Answer) -> Result<bool, HelmError> {
    for _ in 0..4 {
        if helm.ask(case)? != *answer {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A smaller case must still be the same kind of case, or every difference shrinks to the same trivial one.
fn shape(answer: &Answer) -> u8 {
    match answer {
        Answer::Output(_) => 0,
        Answer::Error(_) => 1,
        Answer::Nothing(_) => 2,
    }
}
