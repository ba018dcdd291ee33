//! Cases one after another, until the time is over.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::{Answer, Case, Category, Kustomize, KustomizeError, differs, generate, shrink};

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

/// What was made of the cases of a category.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Cases asked.
    pub cases: u64,
    /// Built by Kustomize.
    pub built: u64,
    /// Refused by it with an error.
    pub failed: u64,
    /// No answer to compare: panics, hangs, another answer when asked again, or what the renderer says it does not do.
    pub dropped: u64,
    /// The renderer under test gave another answer.
    pub different: u64,
}

/// A difference, as small as it became.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The case.
    pub case: Case,
    /// Kustomize's answer to it.
    pub theirs: Answer,
    /// The renderer's.
    pub ours: Answer,
}

/// Builds generated cases with Kustomize and with `ours`, and returns what differs, made small.
pub fn fuzz(
    kustomize: &mut Kustomize,
    options: Fuzz,
    mut ours: impl FnMut(&Case) -> Answer,
) -> Result<(BTreeMap<Category, Tally>, Vec<Finding>), KustomizeError> {
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
        let theirs = kustomize.ask(&case)?;
        match &theirs {
            Answer::Output(_) => tally.built += 1,
            Answer::Error(_) => tally.failed += 1,
            Answer::Nothing(_) => {
                tally.dropped += 1;
                continue;
            }
        }
        let own = ours(&case);
        if !differs(&theirs, &own) {
            tally.dropped += u64::from(matches!(own, Answer::Nothing(_)));
            continue;
        }
        if !is_stable(kustomize, &case, &theirs)? {
            tally.dropped += 1;
            continue;
        }
        tally.different += 1;
        let kind = kind(&theirs, &own);
        let small = shrink(&case, |candidate| {
            let theirs = kustomize.ask(candidate)?;
            let own = ours(candidate);
            Ok::<_, KustomizeError>(
                kind == self::kind(&theirs, &own)
                    && differs(&theirs, &own)
                    && is_stable(kustomize, candidate, &theirs)?,
            )
        })?;
        findings.push(Finding {
            theirs: kustomize.ask(&small)?,
            ours: ours(&small),
            case: small,
        });
    }
    Ok((tallies, findings))
}

/// An answer that depends on the order of a map differs sooner or later.
pub(super) fn is_stable(kustomize: &mut Kustomize, case: &Case, answer: &Answer) -> Result<bool, KustomizeError> {
    for _ in 0..3 {
        let again = kustomize.ask(case)?;
        // Errors name the temporary folder.
        let both_fail = matches!((&again, answer), (Answer::Error(_), Answer::Error(_)));
        if !both_fail && again != *answer {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A smaller case must still differ in the same way, or every difference shrinks to the same trivial one.
fn kind(theirs: &Answer, own: &Answer) -> (bool, bool) {
    let is_output = |answer: &Answer| matches!(answer, Answer::Output(_));
    (is_output(theirs), is_output(own))
}
