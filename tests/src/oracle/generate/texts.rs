//! Cases about texts: templates in templates, TOML, dates, schemas, line breaks.

use super::{
    HEAD,
    data::{flow, scalar},
};
use crate::oracle::{Case, random::Random};

fn put(case: &mut Case, path: &str, text: impl Into<String>) {
    case.files.insert(path.to_owned(), text.into());
}

/// Documents of TOML, whole and damaged, and values written as TOML and as pretty YAML.
pub(super) fn toml(random: &mut Random, case: &mut Case) {
    const LINES: &[&str] = &[
        "a = 1",
        "a.b = 2",
        "b = 'raw'",
        "c = \"esc \\t \\u00e9 \\\"\"",
        "\"quoted key\" = true",
        "'' = 0",
        "d = [1, 2.5, \"x\"]",
        "e = [\n  1,\n  # note\n  2,\n]",
        "f = {x = 1, y.z = \"w\"}",
        "g = [{a = 1}, {a = 2, b = []}]",
        "[t]",
        "[t.u]",
        "[ t . \"v w\" ]",
        "[[l]]",
        "[[l.m]]",
        "n = -0.5e3",
        "n = +1_000",
        "n = 0xFF",
        "n = 0o17",
        "n = 0b101",
        "n = inf",
        "n = -nan",
        "n = 1e400",
        "n = 9223372036854775808",
        "n = 01",
        "n = 1__0",
        "n = 1.",
        "n = .5",
        "n = +0x1",
        "n = 1.5_",
        "dt = 2024-01-02T03:04:05Z",
        "dt = 2024-01-02 03:04:05.25+02:00",
        "dt = 2024-01-02T03:04:05",
        "dt = 2024-01-02",
        "dt = 03:04:05.5",
        "dt = 03:04",
        "dt = 2024-13-01",
        "dt = 2024-1-2",
        "s = \"\"\"\none\n  two \\\n    three\"\"\"",
        "s = '''\nraw \\ ''quotes'''",
        "s = \"\"\"a\"\"\"\"\"",
        "s = \"\\x41\\e\"",
        "s = \"\\q\"",
        "s = \"\\u12\"",
        "s = \"\\ud800\"",
        "s = \"open",
        "s = 'open",
        "s = \"\"\"open",
        "# comment",
        "  indented = 1",
        "x = 1 # after",
        "x = 1 y",
        "x = true",
        "x = True",
        "x = nope",
        "x =",
        "x",
        "= 1",
        ".a = 1",
        "a. = 1",
        "[]",
        "[a",
        "[a]]",
        "[[a]",
        "[a.]",
        "x = [1 2]",
        "x = [1,,2]",
        "x = [1",
        "x = {a = 1",
        "x = {a = 1,}",
        "x = {,}",
        "x = {a = 1, a = 2}",
        "x = {}",
        "x = [[], [[1]], {}]",
        "é = 1",
        "a = 1\ta = 2",
    ];
    let mut text = String::new();
    for _ in 0..random.below(6) {
        text += random.pick(LINES);
        text += random.pick(&["\n", "\n", "\n", "\r\n", "\n\n", ""]);
    }
    put(case, "conf/t.toml", text);
    let mut template = HEAD.to_owned();
    let show = random.pick(&["toJson | quote", "toToml | quote", "toYamlPretty | quote", "quote"]);
    template += &format!("  read: {{{{ .Files.Get \"conf/t.toml\" | fromToml | {show} }}}}\n");
    let value = match random.below(4) {
        0 => "$.Values".to_owned(),
        1 => "(omit $.Values \"n0\" | merge (dict \"l\" (list (dict \"a\" 1) (dict))))".to_owned(),
        2 => format!("$.Values.{}", random.pick(&["m1", "l2", "l1", "m0", "t0", "t1", "em"])),
        _ => format!(
            "(dict \"k\" $.Values.t0 \"a b\" (list $.Values.t1 1 2.5 true) \"n\" nil \"d\" (duration 90) \"v\" (semver \"1.2.3\") \"in\" (list (dict \"x\" nil \"y\" {}) 1))",
            random.pick(&["1", "$.Values.m0", "nil", "(list)"])
        ),
    };
    for function in ["toToml", "toYamlPretty", "mustToToml"] {
        if random.chance(60) {
            template += &format!("  {}: {{{{ {function} {value} | quote }}}}\n", function.to_lowercase());
        }
    }
    if random.chance(50) {
        let value = flow(random, 2);
        case.values.push(format!("m1: {value}\nt0: {}\n", scalar(random)));
    }
    put(case, "templates/a.yaml", template);
}

/// Templates that call themselves and each other, through `include`, `template` and `tpl`.
pub(super) fn recursion(random: &mut Random, case: &mut Case) {
    const BODIES: &[&str] = &[
        "{{ if gt (int .) 0 }}{{ . }}{{ include \"again\" (sub (int .) 1) }}{{ end }}",
        "{{ if gt (int .) 0 }}{{ tpl \"<{{ include \\\"again\\\" . }}>\" (sub (int .) 1) }}{{ end }}",
        "{{ if gt (int .) 0 }}{{ template \"again\" (sub (int .) 1) }}{{ else }}{{ .Values.none.x }}{{ end }}",
        "{{ if gt (int .) 0 }}{{ include \"other\" (sub (int .) 1) }}{{ else }}{{ fail \"at the bottom\" }}{{ end }}",
        "{{ range $i := until (int . | min 3) }}{{ include \"again\" $i }}{{ end }}.",
        "{{ with . }}{{ tpl \"{{ define \\\"inner\\\" }}[{{ . }}]{{ end }}{{ include \\\"inner\\\" . }}\" . }}{{ end }}",
        "{{ tpl \"{{ .nope.x }}\" (dict \"a\" .) }}",
        "{{ tpl \"{{ required \\\"say it\\\" .nope }}\" (dict \"a\" .) }}",
        "{{ tpl \"a\\n{{ if }}\" . }}",
        "{{ tpl \"{{ template \\\"again\\\" }}{{ end }}\" . }}",
        "{{ tpl (printf \"{{ tpl %q . }}\" \"{{ . | quote }}\") . }}",
        "{{ include \"absent\" . }}",
        "{{ template \"absent\" . }}",
        "{{ tpl \"{{ include \\\"absent\\\" . }}\" . }}",
        "{{ tpl \"{{ template \\\"absent\\\" . }}\" . }}",
        "{{ tpl \"{{ $x := 1 }}{{ $x }}{{ . }}{{ $ }}\" . }}",
        "{{ tpl .Values.s0 . }}",
        "{{ tpl 1 . }}",
        "{{ include \"echo\" (tpl \"{{ block \\\"b\\\" . }}{{ . }}{{ end }}\" .) }}",
        "{{- /* nothing */ -}}",
        "{{ $a := tpl \"{{ . }}\" . }}{{ $a = printf \"%s!\" $a }}{{ $a }}",
        "{{ .Values.deep.deeper }}",
        "{{ index . 0 }}",
        "{{ required \"needs\\na value\" nil }}",
    ];
    let helpers = format!(
        "{{{{ define \"again\" }}}}{}{{{{ end }}}}\n{{{{ define \"other\" -}}}} {} {{{{- end }}}}\n",
        random.pick(BODIES),
        random.pick(BODIES)
    );
    case.files
        .entry("templates/_helpers.tpl".to_owned())
        .or_default()
        .push_str(&helpers);
    let argument = random.pick(&["3", "2", "0", "\"x\"", ".", "(dict \"a\" 1)", "nil", "(list 1 2)"]);
    let mut text = HEAD.to_owned();
    for number in 0..=random.below(2) {
        let call = random.pick(&[
            "include \"again\"",
            "include \"other\"",
            "tpl \"{{ include \\\"again\\\" . }}\"",
            "tpl \"{{ template \\\"other\\\" . }}\"",
        ]);
        text += &format!("  p{number}: {{{{ {call} {argument} | toJson }}}}\n");
    }
    if random.chance(20) {
        text += &format!("  q: {{{{ template \"again\" {argument} }}}}\n");
    }
    put(case, "templates/a.yaml", text);
}

/// Dates and durations; nothing that reads the clock.
pub(super) fn dates(random: &mut Random, case: &mut Case) {
    const TIMES: &[&str] = &[
        "(toDate \"2006-01-02\" \"2024-02-29\")",
        "(toDate \"2006-01-02T15:04:05Z07:00\" \"2023-12-31T23:59:59+05:30\")",
        "(toDate \"2006-01-02 15:04:05\" \"1999-01-01 00:00:00\")",
        "(toDate \"2006-01-02\" \"no date\")",
        "(toDate \"15:04\" \"07:08\")",
        "(mustToDate \"2006-01-02\" \"2024-2-3\")",
        "(toDate \"Jan _2 2006\" \"Mar  4 2021\")",
        "0",
        "1700000000",
        "(int64 -1)",
    ];
    const LAYOUTS: &[&str] = &[
        "2006-01-02",
        "2006-01-02T15:04:05Z07:00",
        "Mon Jan _2 15:04:05.000 MST 2006",
        "3:04PM",
        "January 2, 06 002 .999",
        "Monday",
        "",
        "2006é01",
        "05.000000 -0700",
    ];
    const DURATIONS: &[&str] = &["24h", "-1h30m", "1.5s", "bad", "", "2w", "100ms", "8760h"];
    let mut text = HEAD.to_owned();
    for number in 0..=random.below(3) {
        let time = random.pick(TIMES);
        let layout = random.pick(LAYOUTS);
        let duration = random.pick(DURATIONS);
        let zone = random.pick(&[
            "UTC",
            "Europe/Berlin",
            "America/New_York",
            "Nope/Zone",
            "Asia/Kolkata",
            "Local",
            "",
        ]);
        let call = match random.below(13) {
            0..3 => format!("dateInZone \"{layout}\" {time} \"{zone}\""),
            3 => format!("htmlDateInZone {time} \"{zone}\""),
            4 => format!("dateModify \"{duration}\" {time} | toJson"),
            5 => format!("mustDateModify \"{duration}\" {time} | toString"),
            6 => format!("unixEpoch {time}"),
            7 => format!(
                "duration {}",
                random.pick(&["90", "\"3600\"", "0", "-5", "1e3", "86400", "\"x\""])
            ),
            8 => format!(
                "durationRound {}",
                random.pick(&[
                    "\"2h3m4s\"",
                    "7200000000000",
                    "\"x\"",
                    "90061000000000",
                    "0",
                    "-3600000000000"
                ])
            ),
            9 => format!(
                "printf \"%v\" {time}.{}",
                random.pick(&[
                    "Year",
                    "Month",
                    "Weekday",
                    "YearDay",
                    "Unix",
                    "Nanosecond",
                    "IsZero",
                    "Nope"
                ])
            ),
            10 => format!("{time}.Format \"{layout}\""),
            11 => format!("{time}.{} 1 2 3", random.pick(&["AddDate", "Before", "Hour"])),
            _ => format!("typeOf {time}"),
        };
        text += &format!("  p{number}: {{{{ {call} | quote }}}}\n");
    }
    put(case, "templates/a.yaml", text);
}

/// Line breaks of Windows, marks at the beginning, notes, and files that are hardly texts.
pub(super) fn encodings(random: &mut Random, case: &mut Case) {
    let mut text = format!(
        "{HEAD}  a: {{{{ .Values.s0 | quote }}}}\n  {{{{- if true }}}}\n  b: |\n    one\n      two\n  {{{{- end }}}}\n  c: {{{{ .Files.Get \"a.txt\" | toJson }}}}\n  d: {{{{ .Files.Lines \"a.txt\" | toJson | quote }}}}\n  {{{{ (.Files.Glob \"*.txt\").AsConfig | nindent 2 }}}}\n"
    );
    if random.chance(25) {
        text += random.pick(&[
            "---\n{{- /* nothing */ -}}\n",
            "---\nkind: {{ .Values.none }}\n",
            "\t\n",
            "---\n---\n",
        ]);
    }
    if random.chance(40) {
        text = text.replace('\n', "\r\n");
    }
    if random.chance(25) {
        text.insert(0, '\u{feff}');
    }
    put(case, "templates/a.yaml", text);
    for path in ["values.yaml", "Chart.yaml", "a.txt", "templates/_helpers.tpl"] {
        let Some(file) = case.files.get_mut(path) else { continue };
        if random.chance(20) {
            *file = file.replace('\n', "\r\n");
        }
        if random.chance(15) {
            file.insert(0, '\u{feff}');
        }
    }
    if random.chance(30) {
        put(
            case,
            "a.txt",
            random.pick(&[
                "",
                "\n",
                "\n\n",
                "no end",
                "one\n\ntwo\n",
                "\u{0}\u{1}",
                "tab\there\n",
                "a\rb\r\n",
                " lead\n",
            ]),
        );
    }
    if random.chance(40) {
        put(
            case,
            "templates/NOTES.txt",
            random.pick(&[
                "plain",
                "{{ .Release.Name }} is here",
                "{{ fail \"no notes\" }}",
                "{{ .Values.a.b }}",
                "kind: [",
                "",
            ]),
        );
    }
    if random.chance(15) {
        case.values.push(
            random
                .pick(&[
                    "\u{feff}s0: marked\n",
                    "s0: a\r\nl0: []\r\n",
                    "",
                    "# nothing\n",
                    "s0: |\r\n  a\r\n",
                ])
                .to_owned(),
        );
    }
    if random.chance(10) {
        put(
            case,
            random.pick(&[
                "templates/sub dir/b.yaml",
                "templates/ü.yaml",
                "templates/b",
                "templates/b.json",
                "templates/deep/er/_p.yaml",
            ]),
            "kind: X\nmetadata: {name: {{ .Template.Name | quote }}}\n",
        );
    }
}

/// A schema with one thing to break, for the chart or its child.
pub(super) fn schema(random: &mut Random, case: &mut Case) {
    const RULES: &[&str] = &[
        "{\"type\": \"string\"}",
        "{\"type\": \"integer\"}",
        "{\"type\": [\"boolean\", \"null\"]}",
        "{\"type\": \"object\"}",
        "{\"type\": \"array\"}",
        "{\"type\": \"number\"}",
        "{\"minimum\": 3}",
        "{\"maximum\": 2}",
        "{\"exclusiveMinimum\": 5}",
        "{\"minLength\": 3}",
        "{\"maxLength\": 1}",
        "{\"minItems\": 4}",
        "{\"maxItems\": 1}",
        "{\"minProperties\": 3}",
        "{\"pattern\": \"^a+$\"}",
        "{\"enum\": [\"x\"]}",
        "{\"enum\": [\"x\", 1, null]}",
        "{\"const\": 5}",
        "{\"const\": \"y\"}",
        "{\"required\": [\"zzz\"]}",
        "{\"required\": [\"zzz\", \"yyy\"]}",
        "{\"additionalProperties\": false}",
        "{\"multipleOf\": 2}",
        "{\"not\": {}}",
        "false",
        "true",
        "{\"$ref\": \"#/definitions/d\"}",
    ];
    let key = random.pick(&["s0", "i0", "f0", "b0", "l0", "m0", "t0", "none", "n0"]);
    let rule = random.pick(RULES);
    let draft = random.pick(&[
        "",
        "\"$schema\": \"http://json-schema.org/draft-07/schema#\", ",
        "\"$schema\": \"https://json-schema.org/draft/2020-12/schema\", ",
        "\"$schema\": \"http://json-schema.org/draft-04/schema#\", ",
    ]);
    let text = format!(
        "{{{draft}\"definitions\": {{\"d\": {{\"type\": \"string\"}}}}, \"properties\": {{\"{key}\": {rule}}}}}"
    );
    let mut path = "values.schema.json";
    if random.chance(25) {
        path = "charts/child/values.schema.json";
        put(
            case,
            "charts/child/Chart.yaml",
            "apiVersion: v2\nname: child\nversion: 0.1.0\n",
        );
        put(
            case,
            "charts/child/values.yaml",
            case.files.get("values.yaml").cloned().unwrap_or_default(),
        );
    }
    put(case, path, text);
    put(
        case,
        "templates/a.yaml",
        format!("{HEAD}  a: {{{{ .Values.s0 | toJson }}}}\n"),
    );
    if random.chance(30) {
        case.set.push(format!(
            "{key}={}",
            random.pick(&["1", "text", "null", "true", "{a,b}"])
        ));
    }
}
