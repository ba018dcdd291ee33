//! Cases one after another, until the time is over.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::{Answer, OracleError, reference::Reference, shrink::shrink};

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

/// What the reference made of the cases of a category.
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
pub struct Finding<Case> {
    /// The case.
    pub case: Case,
    /// The reference's answer to it.
    pub theirs: Answer,
    /// The renderer's.
    pub ours: Answer,
}

/// Tallies by category, and what differs.
pub type Compared<R> = (
    BTreeMap<<R as Reference>::Category, Tally>,
    Vec<Finding<<R as Reference>::Case>>,
);

/// Renders generated cases with the reference and with ours, and returns what differs, made small.
pub fn fuzz<R: Reference>(reference: &mut R, options: Fuzz) -> Result<Compared<R>, OracleError> {
    let started = Instant::now();
    let mut tallies: BTreeMap<R::Category, Tally> = BTreeMap::new();
    let mut findings = Vec::new();
    for number in 0..options.cases {
        if started.elapsed() >= options.within || findings.len() >= options.findings {
            break;
        }
        let (category, case) = R::generate(options.seed, number);
        let tally = tallies.entry(category).or_default();
        tally.cases += 1;
        let theirs = reference.ask(&case)?;
        match &theirs {
            Answer::Output(_) => tally.rendered += 1,
            Answer::Error(_) => tally.failed += 1,
            Answer::Nothing(_) => {
                tally.dropped += 1;
                continue;
            }
        }
        let own = R::ours(&case);
        tally.compared += u64::from(!matches!(own, Answer::Nothing(_)));
        if !R::differs(&theirs, &own) {
            continue;
        }
        if !is_stable(reference, &case, &theirs)? {
            tally.dropped += 1;
            continue;
        }
        tally.different += 1;
        let shape = R::shape(&theirs, &own);
        let small = shrink(&case, R::STEPS, R::MAX_TRIES, |candidate| {
            let theirs = reference.ask(candidate)?;
            let own = R::ours(candidate);
            Ok::<_, OracleError>(
                shape == R::shape(&theirs, &own)
                    && R::differs(&theirs, &own)
                    && is_stable(reference, candidate, &theirs)?,
            )
        })?;
        let finding = Finding {
            theirs: reference.ask(&small)?,
            ours: R::ours(&small),
            case: small,
        };
        // One cause shrinks to one case again and again; once is enough.
        if !findings.iter().any(|known| shows_the_same::<R>(known, &finding)) {
            findings.push(finding);
        }
    }
    Ok((tallies, findings))
}

fn shows_the_same<R: Reference>(known: &Finding<R::Case>, other: &Finding<R::Case>) -> bool {
    let (mut a, mut b) = (known.case.clone(), other.case.clone());
    R::id_of(&mut a).clear();
    R::id_of(&mut b).clear();
    a == b && known.theirs == other.theirs && known.ours == other.ours
}

/// An answer that depends on the order of a map, an address or the time differs sooner or later.
pub(super) fn is_stable<R: Reference>(reference: &mut R, case: &R::Case, answer: &Answer) -> Result<bool, OracleError> {
    for _ in 0..R::ASKED_AGAIN {
        if !R::is_same(answer, &reference.ask(case)?) {
            return Ok(false);
        }
    }
    Ok(true)
}
