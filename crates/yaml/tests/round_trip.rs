//! What is written reads back as the same value.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use pintle_yaml::{Yaml, parse, to_json_string, to_string};

/// A small generator of pseudo-random numbers (xorshift64*), so that a failing seed can be run again.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 33) as usize % bound
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

const PIECES: &[&str] = &[
    "a",
    "b",
    "Z",
    "0",
    "1",
    "9",
    " ",
    "  ",
    "\n",
    "\n\n",
    "\t",
    "\r",
    ":",
    ": ",
    "#",
    " #",
    "-",
    "- ",
    "?",
    "? ",
    ",",
    "[",
    "]",
    "{",
    "}",
    "&",
    "*",
    "!",
    "|",
    ">",
    "'",
    "\"",
    "\\",
    "%",
    "@",
    "`",
    "<<",
    "=",
    "~",
    ".",
    "_",
    "é",
    "中",
    "😀",
    "\u{a0}",
    "\u{85}",
    "\u{2028}",
    "\u{feff}",
    "\u{0}",
    "\u{1b}",
    "\u{7f}",
    "\u{fffe}",
    "---",
    "...",
    "yes",
    "null",
    "true",
    "0x",
    "e+",
    ".inf",
    "1:30",
    "2001-01-01",
    "lorem ipsum dolor sit amet ",
];

fn text(random: &mut Random) -> String {
    let count = match random.below(10) {
        0 => 0,
        1..=6 => 1 + random.below(4),
        7..=8 => 1 + random.below(20),
        _ => 1 + random.below(120),
    };
    (0..count).map(|_| random.pick(PIECES)).collect()
}

fn value(random: &mut Random, depth: usize) -> Yaml {
    match random.below(if depth == 0 { 8 } else { 12 }) {
        0 => Yaml::Null,
        1 => Yaml::Bool(random.below(2) == 0),
        2 => Yaml::Int((random.next() as i64) >> random.below(64)),
        3 => Yaml::Uint(random.next() | 1 << 63),
        4 => match f64::from_bits(random.next()) {
            // An integral float below 1e21 reads back as an integer, as it does in Go.
            float if float.is_finite() && (float.fract() != 0.0 || float.abs() >= 1e21) => Yaml::Float(float),
            _ => Yaml::Float(0.5),
        },
        5..=7 => Yaml::String(text(random)),
        8..=9 => Yaml::Seq((0..random.below(5)).map(|_| value(random, depth - 1)).collect()),
        _ => {
            let mut entries: Vec<(String, Yaml)> = (0..random.below(6))
                .map(|_| (text(random), value(random, depth - 1)))
                .collect();
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            entries.dedup_by(|(a, _), (b, _)| a == b);
            Yaml::Map(entries)
        }
    }
}

#[test]
fn written_values_read_back() {
    for seed in 1..=4_000u64 {
        let value = value(&mut Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)), 4);
        let text = to_string(&value);
        let back = parse(&text);
        let same = back.as_ref().is_ok_and(|back| *back == value);
        let read = back.as_ref().map_or_else(|error| error.to_string(), to_json_string);
        assert!(
            same,
            "seed {seed}\nvalue {}\nread  {read}\ntext\n{text}\n{text:?}",
            to_json_string(&value)
        );
    }
}

/// Whether a value and its JSON, read by serde_json, say the same.
fn says_the_same(value: &Yaml, json: &serde_json::Value) -> bool {
    match value {
        Yaml::Null => json.is_null(),
        Yaml::Bool(bool) => json.as_bool() == Some(*bool),
        Yaml::Int(int) => json.as_i64() == Some(*int),
        Yaml::Uint(uint) => json.as_u64() == Some(*uint),
        // serde_json rounds the last digit in its own way.
        Yaml::Float(float) => json
            .as_f64()
            .is_some_and(|read| ((read - float) / float).abs() < 1e-15 || read == *float),
        Yaml::String(text) => json.as_str() == Some(text),
        Yaml::Seq(items) => json.as_array().is_some_and(|read| {
            items.len() == read.len() && items.iter().zip(read).all(|(item, read)| says_the_same(item, read))
        }),
        Yaml::Map(entries) => json.as_object().is_some_and(|read| {
            entries.len() == read.len()
                && entries
                    .iter()
                    .all(|(key, value)| read.get(key).is_some_and(|read| says_the_same(value, read)))
        }),
    }
}

#[test]
fn json_says_the_same() {
    for seed in 1..=2_000u64 {
        let value = value(&mut Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)), 4);
        let json = to_json_string(&value);
        let read: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert!(says_the_same(&value, &read), "seed {seed}: {json}");
    }
}
