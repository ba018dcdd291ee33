//! What hostile input may cost: an error, never the process.

#![allow(clippy::unwrap_used)]

use pintle_yaml::{ErrorKind, Limits, parse, parse_all, parse_with};

fn kind(text: &str) -> Option<ErrorKind> {
    parse(text).err().map(|error| error.kind)
}

#[test]
fn deep_nesting_is_an_error_and_not_a_stack_overflow() {
    let deep = 100_000;
    for opening in [
        "[", "{", "- ", "? ", "{a: ", "[\n", "[? ", "- - a: ", "&a [", "!t [", "\"a\": [", "[a: ",
    ] {
        assert!(parse(&opening.repeat(deep)).is_err(), "{opening:?}");
    }
    let block: String = (0..2_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    assert_eq!(kind(&block), Some(ErrorKind::Limit));
    let closed = format!("{}{}", "[".repeat(deep), "]".repeat(deep));
    assert_eq!(kind(&closed), Some(ErrorKind::Limit));
}

#[test]
fn nesting_is_allowed_up_to_the_limit() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let default = Limits::default().max_depth;
    assert!(parse(&nested(default)).is_ok());
    assert_eq!(kind(&nested(default + 1)), Some(ErrorKind::Limit));
}

#[test]
fn aliases_cannot_nest_deeper_than_the_limit() {
    let limits = Limits {
        max_depth: 5,
        ..Limits::default()
    };
    assert!(parse_with("a: &a [[[1]]]\nb: [*a]", &limits).is_ok());
    let error = parse_with("a: &a [[[1]]]\nb: [[*a]]", &limits).err().unwrap();
    assert_eq!(error.to_string(), "yaml: exceeded max depth of 5");
}

#[test]
fn alias_bombs_are_refused_before_they_go_off() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..40 {
        let before = level - 1;
        bomb.push_str(&format!(
            "a{level}: &a{level} [{}]\n",
            vec![format!("*a{before}"); 10].join(", ")
        ));
    }
    let error = parse(&bomb).err().unwrap();
    assert_eq!(
        (error.kind, error.to_string().as_str()),
        (ErrorKind::Limit, "yaml: document contains excessive aliasing")
    );
    let merges: String = (1..40)
        .map(|level| format!("m{level}: &m{level} {{<<: [*m{0}, *m{0}], k{level}: 1}}\n", level - 1))
        .collect();
    assert_eq!(kind(&format!("m0: &m0 {{a: 1}}\n{merges}")), Some(ErrorKind::Limit));
}

#[test]
fn nodes_and_bytes_are_counted() {
    let limits = Limits {
        max_nodes: 100,
        max_bytes: 1_000,
        ..Limits::default()
    };
    assert!(parse_with(&"- a\n".repeat(98), &limits).is_ok());
    assert_eq!(
        parse_with(&"- a\n".repeat(99), &limits).err().map(|error| error.kind),
        Some(ErrorKind::Limit)
    );
    assert!(
        parse_with(&" ".repeat(1_001), &limits)
            .err()
            .unwrap()
            .message
            .contains("1001 bytes")
    );
    // Anchors around one another would each keep a copy of what is inside.
    let anchors: String = (0..50).map(|level| format!("&a{level} [")).collect();
    let nested = format!("{anchors}{}{}", "x,".repeat(40), "]".repeat(50));
    assert_eq!(
        parse_with(&nested, &limits).err().map(|error| error.kind),
        Some(ErrorKind::Limit)
    );
}

#[test]
fn every_prefix_and_every_odd_character_is_survived() {
    let seed = "%TAG !e! tag:x,2002:\n--- &a !e!b\nk: &x |2-\n   lit\n  <<: *x\n? [a, {b: \"c\\x41\\\n d\", 'e''f': !!str g}]\n: >+\n fold\n\n...\n";
    for end in (0..=seed.len()).filter(|&end| seed.is_char_boundary(end)) {
        let _ = parse(seed.get(..end).unwrap());
        for odd in [
            "\0", "\t", "\u{85}", "\u{2028}", "é", "😀", "\u{feff}", "\"", "'", "[", "}", ",", ": ", "\\", "%", "\r",
        ] {
            let (before, after) = seed.split_at(end);
            let text = format!("{before}{odd}{after}");
            let _ = parse(&text);
            let _ = parse(&format!("{before}{odd}"));
            let _ = parse_all(&text);
        }
    }
}

#[test]
fn errors_do_not_show_the_document() {
    for text in [
        "a: !!int topsecretpassword",
        "{password: topsecretpassword}: x",
        "~: topsecretpassword",
        "password: topsecretpassword: x",
        "password: \"topsecretpassword",
        "--- topsecretpassword\n--- topsecretpassword\n",
    ] {
        let errors = parse_all(text)
            .into_iter()
            .filter_map(|document| document.result.err())
            .chain(parse(text).err());
        for error in errors {
            assert!(!error.to_string().contains("topsecretp"), "{error}");
        }
    }
}
