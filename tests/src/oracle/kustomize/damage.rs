//! Cases that something went wrong with: bytes lost, doubled, swapped, or replaced by what a parser trips over.

use super::super::random::Random;
use super::{Answer, Case, generate, ours};

/// What means something to one of the parsers on the way.
const PIECES: [&str; 28] = [
    "\n",
    " ",
    "  ",
    ":",
    "-",
    "- ",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "'",
    "#",
    "&a ",
    "*a",
    "|",
    ">",
    "?",
    "!!",
    "<<: ",
    "\t",
    "\0",
    "\u{feff}",
    "é",
    "$(",
    "$patch: delete",
    "9999999999999999999",
    "../",
];

/// The `number`th damaged case of `seed`: always the same one.
pub fn damaged(seed: u64, number: u64) -> Case {
    let (_, mut case) = generate(seed, number);
    let mut random = Random::new(seed, number ^ 0xdead_beef);
    for _ in 0..=random.below(3) {
        let paths: Vec<String> = case.files.keys().cloned().collect();
        let Some(path) = paths.get(random.below(paths.len())) else {
            break;
        };
        let text: Vec<char> = case.files.get(path).map(|t| t.chars().collect()).unwrap_or_default();
        let at = random.below(text.len() + 1);
        let end = (at + random.below(12)).min(text.len());
        let piece = random.pick(&PIECES);
        let middle: String = match random.below(5) {
            0 => String::new(),
            1 => text[at..end].iter().chain(&text[at..end]).collect(),
            2 => text[at..end].iter().rev().collect(),
            3 => piece.repeat(1 + random.below(40)),
            _ => piece.to_owned() + &text[at..end].iter().collect::<String>(),
        };
        let whole = text[..at].iter().collect::<String>() + &middle + &text[end..].iter().collect::<String>();
        case.files.insert(path.clone(), whole);
    }
    case
}

/// Builds damaged cases; what ends in a panic is returned. The renderer has to answer each, with objects or with a failure.
pub fn survive(seed: u64, cases: u64) -> Vec<Case> {
    (0..cases)
        .map(|number| damaged(seed, number))
        .filter(|case| {
            let answer = std::panic::catch_unwind(|| ours(case));
            !matches!(answer, Ok(Answer::Output(_) | Answer::Error(_) | Answer::Nothing(_)))
        })
        .collect()
}
