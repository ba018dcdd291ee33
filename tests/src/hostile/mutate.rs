//! Changes bytes the way that finds faults: flips, cuts, copies, splices, numbers at their edges, deep nesting.

use crate::oracle::random::Random;

/// Largest input; what grows past it is cut.
pub(super) const LONGEST: usize = 64 << 10;

/// Changes `bytes` in one to five places, with words of the target's own language.
pub(super) fn mutate(random: &mut Random, bytes: &mut Vec<u8>, words: &[&str]) {
    for _ in 0..=random.below(5) {
        let at = random.below(bytes.len() + 1);
        match random.below(12) {
            0 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << random.below(8);
                }
            }
            1 => {
                let end = (at + random.below(20)).min(bytes.len());
                bytes.drain(at..end);
            }
            2 => {
                let end = (at + 1 + random.below(40)).min(bytes.len());
                let piece: Vec<u8> = bytes.get(at..end).unwrap_or_default().to_vec();
                let to = random.below(bytes.len() + 1);
                bytes.splice(to..to, piece);
            }
            3 => bytes.truncate(at),
            4 => {
                let byte = random.pick(&[
                    0, 9, 10, 13, 0x20, 0x7f, 0x80, 0xc2, 0xff, b'"', b'\'', b'\\', b'{', b'[',
                ]);
                bytes.insert(at, byte);
            }
            5 => {
                let number = random.pick(&[
                    "0",
                    "-1",
                    "9223372036854775807",
                    "1e999",
                    "0x7fffffff",
                    "65536",
                    "1_0",
                    "-0",
                    ".5",
                ]);
                bytes.splice(at..at, number.bytes());
            }
            6 => {
                // The same again and again: nesting, or a long run of one thing.
                let word = random.pick(words);
                let times = random.pick(&[3, 20, 500, 5000]);
                bytes.splice(at..at, word.repeat(times).into_bytes());
            }
            7 => {
                let end = (at + 1 + random.below(200)).min(bytes.len());
                let piece: Vec<u8> = bytes.get(at..end).unwrap_or_default().to_vec();
                let times = random.pick(&[2, 10, 200]);
                bytes.splice(at..at, piece.repeat(times));
            }
            _ => {
                let word = random.pick(words);
                bytes.splice(at..at, word.bytes());
            }
        }
        bytes.truncate(LONGEST);
    }
}

/// The same for text.
pub(super) fn mutated(random: &mut Random, text: &str, words: &[&str]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    mutate(random, &mut bytes, words);
    String::from_utf8_lossy(&bytes).into_owned()
}
