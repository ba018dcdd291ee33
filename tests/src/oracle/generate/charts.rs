//! Cases about the chart around the templates.

use super::{
    HEAD,
    data::{broken, flow, scalar},
};
use crate::oracle::{Case, random::Random};

/// A ConfigMap that shows everything the values became.
fn dump(name: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  values: {{{{ .Values | toYaml | quote }}}}\n"
    )
}

fn put(case: &mut Case, path: impl Into<String>, text: impl Into<String>) {
    case.files.insert(path.into(), text.into());
}

/// Values files with scalars as people write them, printed in every way a chart prints them.
pub(super) fn scalars(random: &mut Random, case: &mut Case) {
    let mut values = String::new();
    let mut text = HEAD.to_owned();
    for number in 0..=random.below(4) {
        let value = match random.below(100) {
            0..8 => broken(random).to_owned(),
            8..20 => format!(
                "\n  nested: {}\n  ? {}\n  : x",
                scalar(random),
                random.pick(&["1", "true", "~", "1.5", "0x10", "\"q\"", "2024-01-01"])
            ),
            20..30 => format!("[{}, {}]", flow(random, 1), flow(random, 0)),
            30..40 => random
                .pick(&[
                    "|\n  one\n   two\n",
                    "|-\n  one\n\n",
                    "|+\n  one\n\n",
                    ">\n  one\n  two\n\n  three\n",
                    ">-\n  a\n    b\n  c",
                    "|2\n   x\n",
                    "\"a\\\n  b\"",
                    "plain\n  over lines",
                ])
                .to_string(),
            40..45 => "&anchor {a: 1}\nz: *anchor\ny: {<<: *anchor, b: 2}".to_owned(),
            _ => scalar(random),
        };
        values += &format!("q{number}: {value}\n");
        let show = random.pick(&[
            "toJson",
            "toYaml | quote",
            "quote",
            "typeOf",
            "kindOf",
            "printf \"%v\" | quote",
            "toString | quote",
            "int64",
            "float64",
            "squote",
            "toYamlPretty | quote",
            "dict \"k\" | toToml | quote",
        ]);
        text += &format!("  p{number}: {{{{ .Values.q{number} | {show} }}}}\n");
    }
    if random.chance(50) {
        case.values.push(values);
    } else {
        put(case, "values.yaml", values);
    }
    if random.chance(30) {
        text += "  all: {{ .Values | toYaml | quote }}\n";
    }
    put(case, "templates/a.yaml", text);
}

/// Templates that change what others see, in Helm's order of execution.
pub(super) fn mutation(random: &mut Random, case: &mut Case) {
    const CHANGES: &[&str] = &[
        "$_ := set .Values \"s0\" \"changed\"",
        "$_ := set .Values.m1 \"new\" (list 1 2)",
        "$_ := unset .Values \"m0\"",
        "$_ := unset .Values.m1.deep \"a\"",
        "$_ := merge .Values.m0 .Values.m1",
        "$_ := mergeOverwrite .Values.m0 .Values.m1",
        "$_ := mergeOverwrite .Values (dict \"m1\" (dict \"deep\" (dict \"a\" \"over\")))",
        "$_ := merge .Values (dict \"s0\" \"lost\" \"fresh\" \"kept\")",
        "$c := deepCopy .Values.m1 }}{{ $_ := set $c \"copy\" true",
        "$c := .Values.m1.deep }}{{ $_ := set $c \"alias\" true",
        "$_ := set .Values \"self\" (.Values | toJson | fromJson)",
        "$_ := set (index .Values.l2 0) \"a\" \"in list\"",
        "$_ := set .Values \"l0\" (append .Values.l0 \"more\")",
        "$_ := set .Values.m0 \"sum\" (add 1 (.Values.m0.sum | default 0))",
        "range $k, $v := .Values.m0 }}{{ $_ := set $.Values.m1 $k (printf \"%v!\" $v) }}{{ end",
        "$_ := set . \"extra\" \"on the root\"",
        "$_ := set .Release \"Name\" \"renamed\"",
        "$_ := set .Chart \"Name\" \"renamed\"",
        "$d := dict \"a\" 1 }}{{ $e := $d }}{{ $_ := set $e \"a\" 2 }}{{ $_ := set .Values \"shared\" $d }}{{ $_ := set $d \"b\" 3",
        "$_ := set .Values \"dug\" (dig \"deep\" \"b\" \"c\" \"none\" .Values.m1)",
        "$_ := set .Values \"picked\" (pick .Values.m1 \"deep\") }}{{ $_ := set .Values.picked.deep \"through\" 1",
        "$_ := set .Values \"m2\" (merge (dict) .Values.m1) }}{{ $_ := set .Values.m2.deep \"merged\" 1",
        "$_ := set .Values.none \"a\" 1",
        "$_ := set .Values.s0 \"a\" 1",
        "$_ := set .Values.global \"g\" 1",
    ];
    for name in ["a.yaml", "b.yaml", "z.yaml", "sub/deep.yaml"] {
        let mut text = HEAD.replace("name: a", &format!("name: {}", name.replace(['/', '.'], "-")));
        text += &format!(
            "  before: {{{{ .Values.{} | toJson }}}}\n",
            random.pick(&["m0", "m1", "s0", "l2", "shared", "fresh"])
        );
        if random.chance(70) {
            text += &format!("  {{{{- {} }}}}\n", random.pick(CHANGES));
        }
        text += &format!(
            "  after: {{{{ {} | toJson }}}}\n",
            random.pick(&[
                ".Values.m0",
                ".Values.m1",
                ".Values",
                ".extra",
                ".Release",
                ".Values.shared",
                ".Chart.Name"
            ])
        );
        put(case, format!("templates/{name}"), text);
    }
}

/// A parent with one or two children, and a grandchild.
pub(super) fn subcharts(random: &mut Random, case: &mut Case) {
    let mut dependency = "  - name: child\n    version: \"*\"\n".to_owned();
    for line in [
        "    alias: kid\n",
        "    condition: child.enabled\n",
        "    condition: none.here,child.enabled\n",
        "    condition: kid.enabled\n",
        "    tags: [front, back]\n",
        "    import-values: [data]\n",
        "    import-values: [{child: nested, parent: got}]\n",
        "    import-values: [{child: missing, parent: got}, data]\n",
    ] {
        if random.chance(20) && !dependency.contains(line.split(':').next().unwrap_or_default()) {
            dependency += line;
        }
    }
    let mut chart = "apiVersion: v2\nname: c\nversion: 1.2.3\ndependencies:\n".to_owned() + &dependency;
    if random.chance(20) {
        chart += "  - name: child\n    version: \">=0.1.0\"\n    alias: second\n";
    }
    if random.chance(8) {
        chart += "  - name: absent\n    version: 1.0.0\n    repository: https://example.com\n";
    }
    if random.chance(10) {
        chart = chart.replace(
            "version: \"*\"",
            random.pick(&["version: \"^9\"", "version: bad", "version: \"~0.1\""]),
        );
    }
    put(case, "Chart.yaml", chart);

    let mut values = format!(
        "own: {}\nglobal: {{g: parent, list: [1], nested: {{a: 1}}}}\n",
        flow(random, 1)
    );
    for line in [
        "tags: {front: false}\n",
        "tags: {front: false, back: true}\n",
        "child: {enabled: false}\n",
        "child: {enabled: true, x: over, nested: {a: null}, global: {g: own}}\n",
        "child: {x: null, deep: {map: {k: null}}, grandchild: {y: from the top}}\n",
        "child: null\n",
        "child: text\n",
        "child: {nested: text}\n",
        "kid: {x: by alias, enabled: \"yes\"}\n",
        "kid: {enabled: false}\n",
        "second: {x: two}\n",
        "child: {enabled: \"false\"}\n",
        "child: {deep: {map: 1}, x: {now: a map}}\n",
    ] {
        if random.chance(15) && !values.contains(line.split(':').next().unwrap_or_default()) {
            values += line;
        }
    }
    put(case, "values.yaml", values);
    put(
        case,
        "templates/a.yaml",
        dump("parent")
            + "  subcharts: {{ .Subcharts | keys | sortAlpha | toJson }}\n  child: {{ with .Subcharts.child }}{{ .Values | toJson | quote }}{{ end }}\n",
    );
    let _ = case.files.remove("templates/_helpers.tpl");

    let child_type = if random.chance(12) { "type: library\n" } else { "" };
    put(
        case,
        "charts/child/Chart.yaml",
        format!("apiVersion: v2\nname: child\nversion: 0.1.0\n{child_type}"),
    );
    put(
        case,
        "charts/child/values.yaml",
        format!(
            "x: default\nenabled: true\nnested: {{a: {}, b: 2}}\ndeep: {{map: {{k: v, l: [1]}}}}\nglobal: {{g: child, c: only here}}\nexports: {{data: {{imported: {}}}}}\n",
            scalar(random),
            flow(random, 1)
        ),
    );
    put(
        case,
        "charts/child/templates/b.yaml",
        dump("child")
            + "  name: {{ .Chart.Name }} {{ .Template.Name }} {{ .Chart.IsRoot }}\n  helper: {{ include \"who\" . }}\n",
    );
    put(
        case,
        "charts/child/templates/_h.tpl",
        "{{ define \"who\" }}child {{ .Values.global.g }}{{ end }}",
    );
    if random.chance(30) {
        put(
            case,
            "templates/_h.tpl",
            "{{ define \"who\" }}parent {{ .Values.global.g }}{{ end }}",
        );
    }
    if random.chance(40) {
        put(
            case,
            "charts/child/charts/grandchild/Chart.yaml",
            "apiVersion: v1\nname: grandchild\nversion: 1.0.0\n",
        );
        put(
            case,
            "charts/child/charts/grandchild/values.yaml",
            "y: default\nglobal: {g: grandchild}\n",
        );
        put(
            case,
            "charts/child/charts/grandchild/templates/c.yaml",
            dump("grandchild"),
        );
    }
    if random.chance(25) {
        case.values.push(
            random
                .pick(&[
                    "child: {x: file}\n",
                    "global: {g: file, list: null}\n",
                    "child: {nested: null}\n",
                    "own: null\n",
                    "child:\n",
                ])
                .to_string(),
        );
    }
    if random.chance(25) {
        case.set.push(
            random
                .pick(&[
                    "child.x=set",
                    "global.g=set",
                    "child.enabled=false",
                    "child.nested=null",
                    "tags.front=true",
                    "child.x=null",
                ])
                .to_string(),
        );
    }
}

/// The grammar of `--set`.
pub(super) fn set(random: &mut Random, case: &mut Case) {
    const KEYS: &[&str] = &[
        "s0",
        "m1.deep.a",
        "new",
        "new.deep.key",
        "l0[0]",
        "l0[5]",
        "l1[1].x",
        "a\\.b",
        "m0.with\\,comma",
        "m1",
        "l2[0].a",
        "l2[2].z",
        "x[0][1]",
        "",
        "k k",
        "m0.a.b",
        "s0[0]",
        "x[-1]",
        "x[a]",
        "x[",
        "é",
        "\"q\"",
        "a=b",
        "m0[0]",
        ".",
        "a..b",
        "x[70000]",
    ];
    const VALUES: &[&str] = &[
        "1",
        "1.5",
        "text",
        "",
        "null",
        "true",
        "false",
        "\"quoted\"",
        "a\\,b",
        "{a,b}",
        "{}",
        "{1,{2}}",
        "[1]",
        "01",
        "0x10",
        "1e3",
        "a b",
        "-1",
        "+1",
        "9223372036854775808",
        "9007199254740993",
        "a=b",
        "{a",
        "a\\",
        "TRUE",
        "~",
        "0",
        "00",
        "yes",
        "{null,1,x}",
        "\\{a}",
        "{a=1}",
        " lead",
    ];
    let mut text = String::new();
    for number in 0..=random.below(3) {
        if number > 0 {
            text.push(',');
        }
        text += random.pick(KEYS);
        if !random.chance(4) {
            text.push('=');
        }
        text += random.pick(VALUES);
    }
    let list = if random.chance(25) {
        &mut case.set_string
    } else {
        &mut case.set
    };
    list.push(text);
    if random.chance(30) {
        case.set.push(format!("{}={}", random.pick(KEYS), random.pick(VALUES)));
    }
    let text = HEAD.to_owned()
        + "  all: {{ .Values | toYaml | quote }}\n  kinds: {{ range $k, $v := .Values }}{{ $k }}:{{ typeOf $v }} {{ end }}\n";
    put(case, "templates/a.yaml", text.replace("kinds: ", "kinds: >-\n    "));
}

/// Documents, their order, and what is a hook.
pub(super) fn manifests(random: &mut Random, case: &mut Case) {
    const KINDS: &[&str] = &[
        "ConfigMap",
        "Secret",
        "Deployment",
        "Service",
        "Namespace",
        "Job",
        "CustomResourceDefinition",
        "ClusterRole",
        "Role",
        "RoleBinding",
        "ServiceAccount",
        "Ingress",
        "Widget",
        "Pod",
        "StatefulSet",
        "PriorityClass",
        "APIService",
        "Zebra",
        "List",
        "NetworkPolicy",
        "",
    ];
    const HOOKS: &[&str] = &[
        "helm.sh/hook: pre-install",
        "helm.sh/hook: post-install,pre-upgrade",
        "helm.sh/hook: test",
        "helm.sh/hook: test-success",
        "helm.sh/hook: crd-install",
        "helm.sh/hook: unknown",
        "helm.sh/hook: \"\"",
        "helm.sh/hook: pre-install, bad",
        "helm.sh/hook: pre-install\n    helm.sh/hook-weight: \"5\"",
        "helm.sh/hook: pre-install\n    helm.sh/hook-weight: \"-5\"",
        "helm.sh/hook: pre-install\n    helm.sh/hook-weight: 5",
        "helm.sh/hook: post-delete\n    helm.sh/hook-weight: x",
        "helm.sh/hook: pre-install\n    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded",
        "helm.sh/hook-weight: \"1\"",
        "helm.sh/resource-policy: keep",
    ];
    for name in ["b.yaml", "a.yaml", "z/c.yaml", "d.txt", "NOTES.txt", "e.yml"] {
        if random.chance(45) {
            continue;
        }
        let mut text = String::new();
        for document in 0..=random.below(4) {
            let kind = random.pick(KINDS);
            text += random.pick(&[
                "---\n",
                "---\n",
                "\n---\n# comment\n",
                "--- \n",
                "---\n\n\n",
                "---\n---\n",
                "  ---\n",
                "--- # c\n",
                "\n",
            ]);
            text += &match random.below(16) {
                0 => String::new(),
                1 => "# only a comment\n".to_owned(),
                2 => "plain text\n".to_owned(),
                3 => random
                    .pick(&[
                        "a: [1\n",
                        "a: b: c\n",
                        "\ta: 1\n",
                        "{{ 1 }}\n",
                        "- 1\n- 2\n",
                        "kind: [a]\n",
                        "metadata: text\n",
                        "a: 1\na: 2\n",
                        "kind: null\nmetadata: {annotations: {a: 1}}\n",
                    ])
                    .to_string(),
                _ => {
                    let annotations = if random.chance(35) {
                        format!("  annotations:\n    {}\n", random.pick(HOOKS))
                    } else {
                        String::new()
                    };
                    format!(
                        "apiVersion: v1\nkind: {kind}\nmetadata:\n  name: n{document}-{}\n{annotations}",
                        random.below(3)
                    )
                }
            };
        }
        put(case, format!("templates/{name}"), text);
    }
    if random.chance(30) {
        case.include_crds = random.chance(70);
        put(
            case,
            "crds/b.yaml",
            "---\nkind: CustomResourceDefinition\nmetadata: {name: b}\n---\nkind: CustomResourceDefinition\nmetadata: {name: c}\n",
        );
        put(
            case,
            "crds/a.yaml",
            "# {{ untouched }}\nkind: CustomResourceDefinition\nmetadata: {name: a}",
        );
        put(case, "crds/readme.md", "text\n");
    }
}

/// Chart.yaml, right and wrong, and the cluster's version.
pub(super) fn chart_file(random: &mut Random, case: &mut Case) {
    let mut text = String::new();
    let mut line = |random: &mut Random, key: &str, often: usize, values: &[&str]| {
        if random.chance(often) {
            text.push_str(&format!("{key}: {}\n", random.pick(values)));
        }
    };
    line(
        random,
        "apiVersion",
        97,
        &["v2", "v2", "v2", "v1", "v1", "v3", "\"\"", "2"],
    );
    line(
        random,
        "name",
        98,
        &["c", "c", "c", "\"c\"", "n", "on", "12", "c/d", "", "C_x", "null"],
    );
    line(
        random,
        "version",
        97,
        &[
            "1.2.3",
            "1.2.3",
            "0.1.0-rc.1+b",
            "1.10",
            "1",
            "v1.2.3",
            "\"1.2\"",
            "bad",
            "01.2.3",
            "1.2.3.4",
        ],
    );
    line(
        random,
        "appVersion",
        70,
        &[
            "1.10",
            "\"1.10\"",
            "1.2.3",
            "v1",
            "2024-01-01",
            "0x10",
            "1e3",
            "null",
            "true",
            "007",
            "[a]",
            "1_000",
            "12345678901234567890",
        ],
    );
    line(
        random,
        "description",
        30,
        &["text", "n", "1.0", "~", "{a: b}", "\"multi\\nline\""],
    );
    line(random, "type", 25, &["application", "library", "other", "\"\""]);
    line(
        random,
        "kubeVersion",
        40,
        &[
            ">=1.20.0",
            ">=1.20.0-0",
            "^1.30",
            "<1.0",
            "bad",
            "\"*\"",
            ">= 1.25 < 1.40",
            "1.36.x",
            ">1.36.1",
            "",
        ],
    );
    line(random, "keywords", 15, &["[a, b]", "[1, true]", "text"]);
    line(
        random,
        "annotations",
        20,
        &["{a: b}", "{a: 1}", "{a: true, b: 1.50}", "[a]"],
    );
    line(
        random,
        "maintainers",
        10,
        &["[{name: x, email: y}]", "[{name: 1}]", "[text]", "[null]"],
    );
    line(random, "deprecated", 10, &["true", "false", "yes", "1", "\"true\""]);
    line(random, "unknown", 10, &["1"]);
    line(random, "icon", 8, &["http://x/y.png"]);
    put(case, "Chart.yaml", text);
    if random.chance(40) {
        case.kube_version = random
            .pick(&["1.36.1", "v1.27.4-gke.100", "1.20", "v1.19.0", "bad", "2.0.0"])
            .to_string();
    }
    if random.chance(25) {
        case.api_versions.push("example.com/v1".to_owned());
    }
    let body = HEAD.to_owned()
        + "  chart: {{ list .Chart.Name .Chart.Version .Chart.AppVersion .Chart.Description .Chart.Type .Chart.Annotations .Chart.Keywords .Chart.Deprecated | toJson | quote }}\n\
           \x20 kube: {{ list .Capabilities.KubeVersion.Version .Capabilities.KubeVersion.Major .Capabilities.KubeVersion.Minor (semverCompare \">=1.27-0\" .Capabilities.KubeVersion.Version) | toJson | quote }}\n\
           \x20 api: {{ .Capabilities.APIVersions.Has \"example.com/v1\" }}\n";
    put(case, "templates/a.yaml", body);
    if random.chance(15) {
        put(
            case,
            random
                .pick(&[
                    ".helmignore",
                    "templates/.hidden.yaml",
                    "templates/x.yaml~",
                    "values.schema.json",
                    "README.md",
                ])
                .to_string(),
            random
                .pick(&[
                    "*.txt\nconf/\n",
                    "templates/a.yaml\n",
                    "!a\n",
                    "{\"type\": \"object\", \"required\": [\"none\"]}",
                    "{\"properties\": {\"i0\": {\"type\": \"string\"}}}",
                ])
                .to_string(),
        );
    }
}

/// Breaks a template in one or two places.
pub(super) fn damage(random: &mut Random, case: &mut Case) {
    const PIECES: &[&str] = &[
        "{{",
        "}}",
        "{{ end }}",
        "{{ else }}",
        "(",
        ")",
        "|",
        "\"",
        "`",
        "'",
        ".",
        "..",
        "$",
        "$x",
        ":=",
        ",",
        "{{ break }}",
        "{{ if }}",
        "{{ range }}",
        "{{ define }}",
        "{{ template }}",
        "{{/*",
        "*/",
        "{{- -}}",
        "nofunc ",
        "=",
        "1a",
        "0x",
        "'ab'",
        "\\",
        "\n",
        "{{ end",
        "{{ block \"x\" }}",
        "{{ with $a, $b := . }}",
        "nil",
        "{{ nil }}",
        "{{ . | 1 }}",
        "{{ 1 . }}",
        "{{ \"a\".b }}",
        "{{ $ := 1 }}",
        "é",
        "@",
        "{{ range $i, $j, $k := . }}",
        "{{ else if }}",
        "{{ define \"a\" \"b\" }}x{{ end }}",
        "{{ . (1) }}",
        "{{ (1).x }}",
        "{{ true.x }}",
        "{{ | upper }}",
        "{{ upper | }}",
        "{{ -}}",
        "{{- }}",
        "{{  -}}",
        "{{5-}}",
        "\u{0}",
    ];
    let Some(text) = case.files.get_mut("templates/a.yaml") else {
        return;
    };
    for _ in 0..=random.below(2) {
        let chars: Vec<char> = text.chars().collect();
        let at = random.below(chars.len() + 1);
        let (head, tail) = chars.split_at(at);
        let (head, tail): (String, String) = (head.iter().collect(), tail.iter().collect());
        *text = match random.below(4) {
            0 => {
                head + tail
                    .get(tail.chars().next().map_or(0, char::len_utf8)..)
                    .unwrap_or_default()
            }
            1 => head,
            _ => head + random.pick(PIECES) + &tail,
        };
    }
}
