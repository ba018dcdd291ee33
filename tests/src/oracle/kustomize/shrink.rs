//! How a folder becomes smaller.

use super::{super::reference::Step, Case};

/// The ways of making a folder smaller.
pub(super) const STEPS: [Step<Case>; 5] = [without_file, without_flag, without_block, without_lines, without_word];

fn without_file(case: &Case, at: usize) -> Option<Case> {
    let path = case.files.keys().nth(at)?.clone();
    let mut smaller = case.clone();
    smaller.files.remove(&path);
    Some(smaller)
}

fn without_flag(case: &Case, at: usize) -> Option<Case> {
    let mut ways: Vec<Case> = Vec::new();
    let mut without = |change: &dyn Fn(&mut Case)| {
        let mut smaller = case.clone();
        change(&mut smaller);
        if smaller != *case {
            ways.push(smaller);
        }
    };
    without(&|c| c.load_anywhere = false);
    without(&|c| c.keep_order = false);
    for index in 0..case.patches.len() {
        without(&|c| drop(c.patches.remove(index)));
    }
    for (index, words) in case.edits.iter().enumerate() {
        without(&|c| drop(c.edits.remove(index)));
        for word in 3..words.len() {
            without(&|c| drop(c.edits[index].remove(word)));
        }
    }
    (at < ways.len()).then(|| ways.swap_remove(at))
}

/// A line with all that stands deeper below it: a field with its value, an entry of a list.
fn without_block(case: &Case, at: usize) -> Option<Case> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut at = at;
    for (path, text) in &case.files {
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        if at >= lines.len() {
            at -= lines.len();
            continue;
        }
        let deep = indent(lines[at]);
        let mut end = at + 1;
        while end < lines.len() && (indent(lines[end]) > deep || lines[end].trim().is_empty()) {
            end += 1;
        }
        let mut rest = lines;
        rest.drain(at..end);
        return Some(with_text(case, path, rest.concat()));
    }
    None
}

/// Runs of 4, 2 and 1 lines.
fn without_lines(case: &Case, at: usize) -> Option<Case> {
    let mut at = at;
    for length in [4, 2, 1] {
        for (path, text) in &case.files {
            let lines: Vec<&str> = text.split_inclusive('\n').collect();
            let runs = (lines.len() + 1).saturating_sub(length);
            if at < runs {
                let mut rest = lines;
                rest.drain(at..at + length);
                return Some(with_text(case, path, rest.concat()));
            }
            at -= runs;
        }
    }
    None
}

/// Words of lines, and entries of lists and mappings in one line.
fn without_word(case: &Case, at: usize) -> Option<Case> {
    let mut at = at;
    for (path, text) in &case.files {
        let mut pieces = Vec::new();
        let mut start = 0;
        for word in text.split_inclusive([' ', ',', '{', '[', '.', '/']) {
            if word.trim().len() > 1 {
                pieces.push((start, start + word.len()));
            }
            start += word.len();
        }
        if let Some((start, end)) = pieces.get(at) {
            return Some(with_text(case, path, format!("{}{}", &text[..*start], &text[*end..])));
        }
        at -= pieces.len();
    }
    None
}

fn with_text(case: &Case, path: &str, new: String) -> Case {
    let mut changed = case.clone();
    changed.files.insert(path.to_owned(), new);
    changed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::shrink;

    #[test]
    fn only_what_shows_it_remains() {
        let mut case = Case::default();
        let text = "one:\n  two: 2\n  three: {bad: 1, good: 2}\nfour: 4\n";
        case.files.insert("a".into(), text.into());
        case.files.insert("b".into(), "five\n".into());
        case.keep_order = true;
        let shows = |case: &Case| Ok::<_, ()>(case.files.get("a").is_some_and(|text| text.contains("{bad: 1")));
        let small = shrink(&case, &STEPS, 2000, shows).unwrap();
        let mut expected = Case::default();
        expected.files.insert("a".into(), "  three: {bad: 1, ".into());
        assert_eq!(small.files.len(), 1);
        assert!(small.files["a"].len() <= expected.files["a"].len(), "{:?}", small.files);
    }
}
