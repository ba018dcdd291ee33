//! Expected texts are those of `github.com/BurntSushi/toml` v1.6.0.

use super::read;

fn check(text: &str, expected: &str) {
    let said = match read(text.as_bytes()) {
        Ok(value) => pintle_gotmpl::fmt::sprint(&[value]).unwrap().to_str().into_owned(),
        Err(message) => message,
    };
    assert_eq!(said, expected, "{text}");
}

#[test]
fn documents() {
    check("", "map[]");
    check(
        "a.b = 1\n[t]\nx = [1, 'y', [true]]\n",
        "map[a:map[b:1] t:map[x:[1 y [true]]]]",
    );
    check(
        "[[l]]\nn = 1\n[[l]]\nn = 2\n[l.m]\nk = 0x1F\n",
        "map[l:[map[n:1] map[m:map[k:31] n:2]]]",
    );
    check("i = {a = 1, b.c = 2.5} # end", "map[i:map[a:1 b:map[c:2.5]]]");
    check(
        "d = 2024-01-02\nt = 2024-01-02 03:04:05Z",
        "map[d:2024-01-02 00:00:00 +0000 date-local t:2024-01-02 03:04:05 +0000 UTC]",
    );
    check("s = \"\"\"\na\\\n   b\"\"\"", "map[s:ab]");
}

#[test]
fn errors() {
    check("user", "toml: line 1: unexpected EOF; expected key separator '='");
    check(
        "a = 1\na = 2",
        "toml: line 2 (last key \"a\"): Key 'a' has already been defined.",
    );
    check(
        "a = 01",
        "toml: line 1 (last key \"a\"): Invalid integer \"01\": cannot have leading zeroes",
    );
    check(
        "[t]\na = nax",
        "toml: line 2 (last key \"t.a\"): expected value but found \"ax\" instead",
    );
    check(
        "a =\n",
        "toml: line 1 (last key \"a\"): expected value but found '\\n' instead",
    );
}
