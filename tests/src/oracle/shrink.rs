//! Makes a case smaller for as long as what it shows stays; and how a chart becomes smaller.

use super::{Case, reference::Step};

/// Returns the smallest case found for which `still` holds, as it does for `case`.
pub fn shrink<C: Clone + PartialEq, E>(
    case: &C,
    steps: &[Step<C>],
    max_tries: usize,
    mut still: impl FnMut(&C) -> Result<bool, E>,
) -> Result<C, E> {
    let mut best = case.clone();
    let mut tries = 0;
    loop {
        let mut is_smaller = false;
        for step in steps {
            let mut at = 0;
            while let Some(candidate) = step(&best, at) {
                if tries >= max_tries {
                    return Ok(best);
                }
                tries += 1;
                // An equal case would be taken for a smaller one for ever.
                if candidate != best && still(&candidate)? {
                    best = candidate;
                    is_smaller = true;
                } else {
                    at += 1;
                }
            }
        }
        if !is_smaller {
            return Ok(best);
        }
    }
}

/// The ways of making a chart smaller.
pub(super) const STEPS: [Step<Case>; 5] = [without_file, without_flag, without_lines, without_action, without_piece];

fn without_file(case: &Case, at: usize) -> Option<Case> {
    let path = case.files.keys().nth(at)?.clone();
    let mut smaller = case.clone();
    smaller.files.remove(&path);
    Some(smaller)
}

fn without_flag(case: &Case, at: usize) -> Option<Case> {
    let mut ways = Vec::new();
    let mut without = |change: &dyn Fn(&mut Case)| {
        let mut smaller = case.clone();
        change(&mut smaller);
        if smaller != *case {
            ways.push(smaller);
        }
    };
    let lists: [fn(&mut Case) -> &mut Vec<String>; 4] = [
        |case| &mut case.values,
        |case| &mut case.set,
        |case| &mut case.set_string,
        |case| &mut case.api_versions,
    ];
    for list in lists {
        for index in 0..list(&mut case.clone()).len() {
            without(&|smaller| drop(list(smaller).remove(index)));
        }
    }
    without(&|smaller| smaller.is_upgrade = false);
    without(&|smaller| smaller.include_crds = false);
    without(&|smaller| smaller.kube_version.clear());
    (at < ways.len()).then(|| ways.swap_remove(at))
}

/// Runs of 8, 4, 2 and 1 lines, in every file and values file.
fn without_lines(case: &Case, at: usize) -> Option<Case> {
    let mut at = at;
    for length in [8, 4, 2, 1] {
        for text in texts(case) {
            let lines: Vec<&str> = case_text(case, text).split_inclusive('\n').collect();
            let runs = if lines.len() < length {
                0
            } else {
                lines.len() + 1 - length
            };
            if at < runs {
                let mut rest = lines;
                rest.drain(at..at + length);
                return Some(with_text(case, text, rest.concat()));
            }
            at -= runs;
        }
    }
    None
}

/// Whole `{{…}}` actions.
fn without_action(case: &Case, at: usize) -> Option<Case> {
    let mut at = at;
    for text in texts(case) {
        let whole = case_text(case, text);
        let actions: Vec<(usize, usize)> = whole
            .match_indices("{{")
            .filter_map(|(start, _)| Some((start, start + whole.get(start..)?.find("}}")? + 2)))
            .collect();
        if let Some((start, end)) = actions.get(at) {
            return Some(with_text(case, text, format!("{}{}", &whole[..*start], &whole[*end..])));
        }
        at -= actions.len();
    }
    None
}

/// Words and brackets inside lines: `(f x) | g` becomes `f x | g`, `| g` goes, one argument goes.
fn without_piece(case: &Case, at: usize) -> Option<Case> {
    let mut at = at;
    for text in texts(case) {
        let whole = case_text(case, text);
        let mut pieces = Vec::new();
        let mut start = 0;
        for word in whole.split_inclusive([' ', '(', ')', '|']) {
            pieces.push((start, start + word.len()));
            start += word.len();
        }
        // Two neighbours: a pipe goes with its function.
        let pairs = pieces.windows(2).map(|two| (two[0].0, two[1].1)).collect::<Vec<_>>();
        let all: Vec<(usize, usize)> = pairs.into_iter().chain(pieces).collect();
        if let Some((start, end)) = all.get(at) {
            return Some(with_text(case, text, format!("{}{}", &whole[..*start], &whole[*end..])));
        }
        at -= all.len();
    }
    None
}

#[derive(Clone, Copy)]
enum Text<'a> {
    File(&'a str),
    Values(usize),
}

fn texts(case: &Case) -> Vec<Text<'_>> {
    let files = case.files.keys().map(|path| Text::File(path));
    files.chain((0..case.values.len()).map(Text::Values)).collect()
}

fn case_text<'a>(case: &'a Case, text: Text<'_>) -> &'a str {
    match text {
        Text::File(path) => case.files.get(path).map_or("", String::as_str),
        Text::Values(index) => case.values.get(index).map_or("", String::as_str),
    }
}

fn with_text(case: &Case, text: Text<'_>, new: String) -> Case {
    let mut changed = case.clone();
    match text {
        Text::File(path) => {
            changed.files.insert(path.to_owned(), new);
        }
        Text::Values(index) => changed.values[index] = new,
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_shows_it_remains() {
        let mut case = Case::default();
        case.files
            .insert("a".into(), "one\ntwo\n{{ bad }} {{ good }}\nthree\n".into());
        case.files.insert("b".into(), "four\n".into());
        case.values.push("x: 1\n".into());
        case.set.push("y=2".into());
        case.is_upgrade = true;
        let shows = |case: &Case| Ok::<_, ()>(case.files.get("a").is_some_and(|text| text.contains("{{ bad }}")));
        let small = shrink(&case, &STEPS, 3000, shows).unwrap();
        let mut expected = Case::default();
        // The blank belongs to the last word.
        expected.files.insert("a".into(), "{{ bad }} ".into());
        assert_eq!(small, expected);
    }
}
