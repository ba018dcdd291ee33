//! What expressions are made of: literals, and the values a chart has.

use crate::oracle::random::Random;

/// Contents of string literals, as Go's quoted strings hold them.
const STRINGS: &[&str] = &[
    "",
    " ",
    "a",
    "hello",
    "Hello World",
    "foo-bar_baz qux",
    "fooBarBaz",
    "HTTPServer",
    "x,y,,z",
    "a.b.c",
    "  padded\\t ",
    "line1\\nline2",
    "line1\\n\\n  line3\\n",
    "ünïcödé ßtraße",
    "日本語",
    "tab\\there",
    "quote\\\"inside",
    "it's",
    "back\\\\slash",
    "<b>&amp;</b>",
    "$1 ${1}x",
    "true",
    "false",
    "null",
    "~",
    "0",
    "1",
    "-7",
    "3.5",
    "1e3",
    "0x1F",
    "017",
    "1_000",
    "abc123def",
    "AAAA",
    "aGVsbG8=",
    "key=value",
    "a: b",
    "- item",
    "#comment",
    "{{ x }}",
    "%d%%",
    "1.2.3",
    "\\u00e9\\x41",
    "one two three four five six",
    "\\r\\n",
    "é́",
    "😀",
    "2024-01-02",
    "apple",
    "user",
    "NaN",
    "Inf",
    "9223372036854775807",
    "9223372036854775808",
    "1.0",
    "100Mi",
    "{\\\"a\\\":1}",
    "[1,2]",
    "yes",
    "off",
];

const INTEGERS: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "7",
    "10",
    "42",
    "-1",
    "-3",
    "100",
    "1000000",
    "0x1F",
    "0o17",
    "017",
    "0b101",
    "1_000",
    "'a'",
    "2147483648",
    "9007199254740993",
    "9223372036854775807",
    "-9223372036854775808",
    "+5",
];

const FLOATS: &[&str] = &[
    "0.0",
    "1.5",
    "-2.5",
    "3.14159",
    "1e3",
    "1e21",
    "1e-7",
    "0.1",
    "2.0",
    "1e6",
    "123456789.125",
    ".5",
    "1.",
    "0x1p4",
];

const REGEXES: &[&str] = &[
    "a",
    "[a-z]+",
    "^h",
    "o$",
    "(\\\\w+)-(\\\\w+)",
    "[0-9]{2,}",
    ".*",
    "x*",
    "(?i)HELLO",
    "\\\\s+",
    "[",
    "(?P<n>a+)",
    "(a|b)+?",
    "\\\\bfoo\\\\b",
    "",
    "[^,]*",
    "\\\\p{L}+",
    "(?=x)",
    "a{1001}",
    "\\\\d",
    ",",
];

const KEYS: &[&str] = &["a", "b", "c", "x", "name", "missing", "deep", "list", "0", "a.b", ""];

const VERSIONS: &[&str] = &[
    "1.2.3",
    "v1.2.3",
    "1.2",
    "1",
    "1.2.3-alpha.1",
    "1.2.3+build5",
    "0.0.1",
    "10.20.30",
    "1.2.3-0",
    "bad",
    "",
    "1.2.3.4",
    "01.2.3",
    "v1.27.4-gke.100",
    "1.2.3-rc.1+x",
    "2.0.0",
];

const CONSTRAINTS: &[&str] = &[
    "^1.2",
    "~1.2.3",
    ">=1.0.0",
    ">=1.0.0-0",
    "<2",
    "1.x",
    "*",
    "1.2.3 - 2.0.0",
    ">1 <2 || 3.x",
    "!=1.2.3",
    "=1.2.3",
    "^0.0.1",
    "~0",
    "bad",
    "",
    ">= 1.19-0",
    ">=1.2.3, <2.0.0",
    "=>1.0",
    "~>1.2",
    "1.2.x",
    "<=1.2",
    ">1.2",
];

const JSONS: &[&str] = &[
    "{}",
    "[]",
    "null",
    "1",
    "1.5",
    "true",
    "{\\\"a\\\":1,\\\"b\\\":[1,2.5,\\\"x\\\",null,true]}",
    "{\\\"a\\\":{\\\"b\\\":{\\\"c\\\":\\\"d\\\"}}}",
    "[1,\\\"a\\\",{}]",
    "{bad",
    "\\\"s\\\"",
    "{\\\"big\\\":12345678901234567890,\\\"f\\\":1e400}",
    "{\\\"u\\\":\\\"\\\\u00e9\\\\u003c\\\"}",
    "",
    "{\\\"a\\\":1,\\\"a\\\":2}",
    "[1] 2",
    "{\\\"n\\\":1e3,\\\"z\\\":-0}",
];

const YAMLS: &[&str] = &[
    "a: 1",
    "a: 1\\nb: [1, 2.5, x, null, true]",
    "a:\\n  b:\\n    c: d",
    "- 1\\n- a\\n- {}",
    "{}",
    "[]",
    "null",
    "",
    "a: b: c",
    "a: yes\\nb: on\\nc: ~",
    "a: 0x1F\\nb: 0o17\\nc: 017\\nd: 1_000",
    "a: 1.0\\nb: 1e3\\nc: .inf",
    "a: &x {b: 1}\\nc: *x",
    "a: &x {b: 1}\\nc: {<<: *x, d: 2}",
    "a: |\\n  text\\n  more\\n",
    "a: >-\\n  text\\n  more",
    "1: a\\ntrue: b",
    "a: 2024-01-01",
    "a: 'q'\\n\\tb: 1",
    "---\\na: 1",
    "a: 1\\n---\\nb: 2",
    "just text",
    "a: 1\\na: 2",
    "[1, 2",
    "a: !!str 1",
    "a: 12345678901234567890",
    "? a\\n: b",
];

const TYPES: &[&str] = &[
    "string",
    "int",
    "int64",
    "float64",
    "bool",
    "[]interface {}",
    "map[string]interface {}",
    "*semver.Version",
    "nil",
    "chartutil.Values",
];

const GO_KINDS: &[&str] = &[
    "string", "int", "int64", "float64", "bool", "slice", "map", "invalid", "ptr", "struct",
];

const URLS: &[&str] = &[
    "http://example.com",
    "https://user:pa%20ss@host.local:8443/a/b?q=1&r=2#frag",
    "/just/path",
    "mailto:a@b.c",
    "oci://reg/x",
    "",
    "//host/x",
    "host:80",
    "http://[::1]:80/",
    "http://a b",
    "ftp://h/%zz",
    "?q",
    "http://h/a%2Fb",
];

const PATHS: &[&str] = &[
    "",
    "/",
    "a",
    "a/b/c.txt",
    "/a//b/../c/",
    "./x.tar.gz",
    "..",
    "a/..",
    ".hidden",
    "/a/b/",
    "a/./b",
    "C:\\\\x",
    "//",
];

const LAYOUTS: &[&str] = &[
    "2006-01-02",
    "2006-01-02T15:04:05Z07:00",
    "Jan 2, 2006 at 3:04pm (MST)",
    "02/01/06",
    "15:04:05.000",
    "Monday, January _2",
    "2006-002",
    "3PM",
    "",
];

const DATES: &[&str] = &[
    "2024-02-29",
    "2023-02-29",
    "2024-01-02T03:04:05Z",
    "2024-01-02T03:04:05+02:00",
    "03/04/05",
    "",
    "12:30:45.250",
];

const TEMPLATES: &[&str] = &[
    "plain",
    "{{ . }}",
    "{{ .Values.s0 }}",
    "{{ .a }}",
    "{{ if true }}y{{ end }}",
    "{{ define \\\"t\\\" }}T{{ end }}{{ include \\\"t\\\" . }}",
    "{{ bad }}",
    "{{ .x.y.z }}",
    "{{",
    "",
    "{{ include \\\"shared\\\" . }}",
    "{{ fail \\\"no\\\" }}",
    "{{ range .l }}{{ . }}{{ end }}",
    "{{ $x := 1 }}{{ $x }}",
    "{{ $ }}",
    "{{ template \\\"none\\\" }}",
    "{{ tpl \\\"{{ . }}\\\" . }}",
    "{{- /* c */ -}} x",
    "{{ .Template.Name }}",
    "a{{ required \\\"need\\\" .none }}",
    "{{ index . 5 }}",
];

/// Scalars that YAML readers are known to disagree about, unquoted.
const TRICKY: &[&str] = &[
    "yes",
    "No",
    "on",
    "OFF",
    "y",
    "n",
    "~",
    "null",
    "Null",
    "NULL",
    "",
    "true",
    "True",
    "TRUE",
    "0",
    "-0",
    "+1",
    "007",
    "08",
    "0o17",
    "0x1F",
    "0b11",
    "1_000",
    "-0x1F",
    "0x",
    "1e3",
    "1E3",
    "1e-7",
    "1e21",
    "1.",
    ".5",
    "-.5",
    "1.0",
    "1.10",
    "123456789.0",
    "1.5e300",
    "0.1",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "-9223372036854775809",
    "2024-01-01",
    "2024-01-01T00:00:00Z",
    "12:30:45",
    "1:2",
    "'single ''q'''",
    "\"dbl \\n \\u00e9 \\x41\"",
    "!!str 1",
    "!!int \"7\"",
    "!!float 1",
    "!!bool \"yes\"",
    "!!binary aGVsbG8=",
    "!!null x",
    "!custom v",
    "a b",
    "a#b",
    "a #b",
    "\"#\"",
    "&anchor v",
    "[]",
    "{}",
    "{a}",
    "[a, ]",
    "{a: }",
    "\"\"",
    "''",
    "=",
    "<<",
    "a:b",
    "0.0",
    "-1.5",
    "1__0",
    "1e",
    "e1",
    "0e0",
    "00",
    "0.",
    "1,000",
    "0o8",
    "é",
    "\"\\0\"",
    "0777",
    "1e+3",
    "1000000",
    "1e6",
    "123456789012",
    "99999999999999999999.5",
    "\"\\ud83d\\ude00\"",
];

pub(super) fn literal(random: &mut Random, kind: char) -> String {
    let quoted = |text: &str| format!("\"{text}\"");
    match kind {
        's' if random.chance(10) => format!("`{}`", random.pick(&["raw", "a\\n", "{{", "\"q\"", "two words"])),
        's' => quoted(random.pick(STRINGS)),
        'i' => random.pick(INTEGERS).to_owned(),
        'n' => random
            .pick(&["0", "1", "2", "3", "4", "5", "8", "-1", "12"])
            .to_string(),
        'f' if random.chance(50) => random.pick(INTEGERS).to_owned(),
        'f' => random.pick(FLOATS).to_owned(),
        'b' => random.pick(&["true", "false"]).to_string(),
        'r' => quoted(random.pick(REGEXES)),
        'k' => quoted(random.pick(KEYS)),
        'V' => quoted(random.pick(VERSIONS)),
        'C' => quoted(random.pick(CONSTRAINTS)),
        'J' => quoted(random.pick(JSONS)),
        'Y' => quoted(random.pick(YAMLS)),
        'T' => quoted(random.pick(TYPES)),
        'K' => quoted(random.pick(GO_KINDS)),
        'U' => quoted(random.pick(URLS)),
        'P' => quoted(random.pick(PATHS)),
        'D' => quoted(random.pick(LAYOUTS)),
        'G' => quoted(random.pick(DATES)),
        'X' => quoted(random.pick(TEMPLATES)),
        _ => {
            let kind = random.pick(&['s', 'i', 'f', 'b']);
            literal(random, kind)
        }
    }
}

/// Scalars, or what looks like one, that make the file unreadable, or unrepresentable as JSON.
const BROKEN: &[&str] = &[
    "@x",
    "`x`",
    "%x",
    "*",
    "*none",
    "a: b",
    "- x",
    "? x",
    ".inf",
    "-.Inf",
    "+.inf",
    "1e400",
    ".nan",
    "\"open",
    "'open",
    "[1, 2",
    "{a: 1",
    "!!int x",
    "\"\\q\"",
    "\tx",
    "&",
    "!!binary %",
    "{a: 1, a: 2}",
    "{[a]: 1}",
    "{1: a, \"1\": b}",
    "|x",
];

/// Where a scalar should be, something broken.
pub(super) fn broken(random: &mut Random) -> &'static str {
    random.pick(BROKEN)
}

/// A YAML scalar without a line break, tricky or plain.
pub(super) fn scalar(random: &mut Random) -> String {
    match random.below(4) {
        0 => random
            .pick(&["1", "8080", "-5", "2.5", "true", "false", "word", "\"quoted\""])
            .to_string(),
        1 => format!(
            "\"{}\"",
            random.pick(&["text", "with space", "80", "1.5", "true", "a: b", "ü"])
        ),
        _ => random.pick(TRICKY).to_owned(),
    }
}

/// A YAML value in flow style, on one line, that reads without an error.
pub(super) fn flow(random: &mut Random, depth: usize) -> String {
    match random.below(if depth == 0 { 3 } else { 6 }) {
        0 => random
            .pick(&["1", "0", "-5", "2.5", "1e3", "123456789", "0.1"])
            .to_string(),
        1 => format!(
            "\"{}\"",
            random.pick(&["text", "", "with space", "80", "true", "a: b", "ü", "x\\ny"])
        ),
        2 => random
            .pick(&["true", "false", "null", "word", "yes", "0x10", "1.10"])
            .to_string(),
        3 | 4 => {
            let mut entries = Vec::new();
            for key in ["a", "b", "c", "x", "name", "deep", "list"] {
                if random.chance(40) {
                    entries.push(format!("{key}: {}", flow(random, depth - 1)));
                }
            }
            format!("{{{}}}", entries.join(", "))
        }
        _ => {
            let items: Vec<String> = (0..random.below(4)).map(|_| flow(random, depth - 1)).collect();
            format!("[{}]", items.join(", "))
        }
    }
}

/// Keys of the values that every generated chart has, by kind.
pub(super) const VALUE_KEYS: &[(char, &[&str])] = &[
    ('s', &["s0", "s1", "s2"]),
    ('i', &["i0", "i1"]),
    ('f', &["f0", "i0"]),
    ('b', &["b0", "b1"]),
    ('l', &["l0", "l1", "l2", "el"]),
    ('d', &["m0", "m1", "em"]),
    (
        'a',
        &["t0", "t1", "t2", "n0", "s0", "i0", "f0", "b0", "l1", "m1", "none"],
    ),
];

/// The text of a `values.yaml` with these keys, one line each.
pub(super) fn values(random: &mut Random) -> String {
    let mut text = String::new();
    let mut line = |key: &str, value: String| text.push_str(&format!("{key}: {value}\n"));
    for key in ["s0", "s1", "s2"] {
        line(key, format!("\"{}\"", random.pick(STRINGS).replace("\\x41", "A")));
    }
    line(
        "i0",
        random
            .pick(&["0", "1", "3", "-4", "8080", "1000000", "10000000000"])
            .to_string(),
    );
    line("i1", random.pick(&["2", "5", "0x10", "100"]).to_string());
    line(
        "f0",
        random
            .pick(&["0.5", "1.5", "-2.25", "1e3", "1e21", "3.0", "0.1"])
            .to_string(),
    );
    line("b0", "true".to_owned());
    line("b1", "false".to_owned());
    line("n0", "null".to_owned());
    line(
        "l0",
        random
            .pick(&["[a, b, c]", "[b, a, b]", "[\"x\"]", "[z, Y, x, \"1\"]"])
            .to_string(),
    );
    line(
        "l1",
        format!("[{}, {}, {}]", flow(random, 0), flow(random, 1), flow(random, 0)),
    );
    line("l2", "[{a: 1, name: n1}, {a: 2, name: n2, deep: {b: c}}]".to_owned());
    line("el", "[]".to_owned());
    line(
        "m0",
        random
            .pick(&[
                "{a: x, b: y, name: z}",
                "{a: \"\", c: q}",
                "{x: \"1\", a: a, b: B, deep: d}",
            ])
            .to_string(),
    );
    line(
        "m1",
        format!(
            "{{a: {}, deep: {{a: {}, b: {{c: {}}}}}, list: [{}]}}",
            flow(random, 0),
            flow(random, 1),
            flow(random, 0),
            flow(random, 1)
        ),
    );
    line("em", "{}".to_owned());
    for key in ["t0", "t1", "t2"] {
        line(key, scalar(random));
    }
    text
}
