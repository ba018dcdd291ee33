//! What fuzzing, shrinking and recording need to know of a program that is compared with.

use std::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};

use super::{Answer, OracleError};
use crate::go_tools::ToolsError;

/// The `at`th way of making a case smaller; `None` after the last.
pub type Step<Case> = fn(&Case, usize) -> Option<Case>;

/// A program whose answers a renderer of ours is held to.
pub trait Reference: Sized {
    /// What it is called on the command line and in findings.
    const NAME: &'static str;
    /// What is rendered, and how.
    type Case: Clone + PartialEq + Debug + Serialize + DeserializeOwned + 'static;
    /// Sorts of cases.
    type Category: Copy + Ord + 'static;
    /// A case with the program's answer, as a table keeps it.
    type Row: Serialize + DeserializeOwned;
    /// All sorts of cases.
    const CATEGORIES: &'static [Self::Category];
    /// Ways to make a case smaller.
    const STEPS: &'static [Step<Self::Case>];
    /// Tries to make one case smaller; each asks both sides.
    const MAX_TRIES: usize;
    /// How many times an answer must come again to be believed.
    const ASKED_AGAIN: usize;

    /// Builds the program if need be. It starts with the first case.
    fn locate_or_build() -> Result<Self, ToolsError>;

    /// What it makes of a case. A case that ends the program is answered with [`Answer::Nothing`], and the next starts a new one.
    fn ask(&mut self, case: &Self::Case) -> Result<Answer, OracleError>;

    /// What our renderer makes of a case.
    fn ours(case: &Self::Case) -> Answer;

    /// The case of that number in the sequence that the seed names.
    fn generate(seed: u64, number: u64) -> (Self::Category, Self::Case);

    /// What a category is called.
    fn name_of(category: Self::Category) -> &'static str;

    /// The name of a case, which says nothing about what it shows.
    fn id_of(case: &mut Self::Case) -> &mut String;

    /// Whether our answer differs from the program's.
    fn differs(theirs: &Answer, ours: &Answer) -> bool;

    /// Whether the program has said the same again.
    fn is_same(first: &Answer, again: &Answer) -> bool;

    /// In what way two answers differ: a smaller case must do so in the same, or every difference shrinks to the same trivial one.
    fn shape(theirs: &Answer, ours: &Answer) -> (bool, bool);

    /// The row of a table; `None` where the answer is too long for a small case, or none.
    fn row(case: Self::Case, answer: &Answer) -> Option<Self::Row>;
}
