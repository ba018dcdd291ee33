//! F8: templates that recurse, repeat, grow and fail.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use pintle_model::tree::{MemoryTree, Reader, TreePath};
use pintle_render::helm::{Chart, Limits, Now, Options, RandomAmbient, template};

use super::mutate::mutated;
use crate::oracle::{
    generate::template_seed,
    random::{Random, random_bytes},
};

const BOMBS: &[&str] = &[
    "{{ define \"r\" }}{{ include \"r\" . }}{{ end }}{{ include \"r\" . }}",
    "{{ define \"r\" }}{{ template \"r\" . }}{{ end }}{{ template \"r\" . }}",
    "{{ define \"r\" }}{{ tpl \"{{ include \\\"r\\\" . }}\" . }}{{ end }}{{ include \"r\" . }}",
    "{{ tpl .Values.self . }}",
    "{{ range until 100000 }}{{ range until 100000 }}x{{ end }}{{ end }}",
    "{{ repeat 1000000 (repeat 1000000 \"x\") }}",
    "{{ $s := \"x\" }}{{ range until 100 }}{{ $s = printf \"%s%s\" $s $s }}{{ end }}{{ $s }}",
    "{{ $d := dict }}{{ $_ := set $d \"a\" $d }}{{ $d | toJson }}{{ $d | toYaml }}{{ $d | toToml }}{{ $d | toYamlPretty }}{{ $d }}",
    "{{ $l := list 1 }}{{ range until 60 }}{{ $l = list $l $l }}{{ end }}{{ $l | toJson }}",
    "{{ $l := list 1 }}{{ range until 60 }}{{ $l = list $l $l }}{{ end }}{{ $l | toPrettyJson }}",
    "{{ $l := list 1 }}{{ range until 60 }}{{ $l = list $l $l }}{{ end }}{{ $l | toYamlPretty }}",
    "{{ $l := list 1 }}{{ range until 60 }}{{ $l = list $l $l }}{{ end }}{{ dict \"a\" $l | toToml }}",
    "{{ $l := list 1 }}{{ range until 60 }}{{ $l = list $l $l }}{{ end }}{{ deepCopy $l | len }}",
    "{{ $l := list 1 }}{{ range until 60 }}{{ $l = list $l $l }}{{ end }}{{ printf \"%v\" $l | len }}",
    "{{ $l := list 1 }}{{ range until 60 }}{{ $l = list $l $l }}{{ end }}{{ deepEqual $l (deepCopy $l) }}",
    "{{ $l := list }}{{ range until 5000 }}{{ $l = list $l }}{{ end }}{{ $l | toJson | len }}{{ $l | toToml }}{{ $l }}",
    "{{ $m := dict }}{{ range until 5000 }}{{ $m = dict \"a\" $m }}{{ end }}{{ merge $m $m | toYaml | len }}{{ deepCopy $m | len }}",
    "{{ regexReplaceAll \"(a*)*b\" (repeat 5000 \"a\") \"x\" }}",
    "{{ regexMatch \"(((((a{1,100}){1,100}){1,100}){1,100}){1,100})\" \"a\" }}",
    "{{ (until 1000000000) | len }}",
    "{{ untilStep 0 1000000000 1 | len }}{{ seq 1 1000000000 }}",
    "{{ indent 1000000000 \"x\" }}{{ nindent 100000000 \"a\\nb\" }}",
    "{{ printf \"%1000000d\" 1 }}{{ printf \"%.1000000f\" 1.5 }}{{ printf \"%*d\" 100000000 1 }}",
    "{{ randAlphaNum 1000000000 }}{{ randBytes 1000000000 | len }}",
    "{{ wrap 1 (repeat 100000 \"a b \") | len }}{{ abbrevboth 1 100000000 (repeat 1000 \"x\") }}",
    "{{ fromYaml \"a: &a [x, x]\\nb: &b [*a, *a]\\nc: &c [*b, *b]\\nd: [*c, *c]\" | toJson }}",
    "{{ fromJson (repeat 5000 \"[\") }}{{ fromYaml (repeat 5000 \"[\") }}{{ fromToml (printf \"a = %s\" (repeat 5000 \"[\")) }}",
    "{{ fromToml (repeat 3000 \"a.\") }}{{ fromToml (printf \"[%sa]\" (repeat 3000 \"a.\")) }}",
    "{{ semverCompare (repeat 1000 \">1 || \") \"1.2.3\" }}{{ splitList \"\" (repeat 100000 \"a\") | len }}",
    "{{ genPrivateKey \"ed25519\" | len }}{{ derivePassword 1 \"long\" \"p\" \"u\" \"s\" | len }}",
    "{{ dateInZone (repeat 10000 \"2006\") 0 \"UTC\" | len }}{{ duration (repeat 100 \"9\") }}",
    "{{ chunk 1 (until 100000) | len }}{{ uniq (until 20000) | len }}{{ without (until 100000) 1 2 | len }}",
    "{{ range $i, $e := .Values.list }}{{ $_ := set $.Values (toString $i) (append $.Values.list $e) }}{{ end }}",
    "{{ .Values.none.x.y }}{{ index .Values.list 5 }}{{ slice .Values.list 1 9 }}",
    "{{ ((((((((((((((((((((.)))))))))))))))))))) }}",
    "{{ if true }}{{ if true }}{{ if true }}{{ with . }}{{ range until 2 }}x{{ end }}{{ end }}{{ end }}{{ end }}{{ end }}",
];

const WORDS: &[&str] = &[
    "{{",
    "}}",
    "{{ end }}",
    "{{ if . }}",
    "{{ range . }}",
    "{{ with . }}",
    "(",
    ")",
    "|",
    "$",
    ".",
    "\"",
    "`",
    ":=",
    "1000000000",
    "-1",
    "repeat 1000 ",
    "include \"r\" . ",
    "tpl . . ",
    "list ",
    "dict ",
    "until ",
    "{{ define \"x\" }}",
    "{{- ",
    " -}}",
    "/*",
    "*/",
    "nil ",
    "toJson",
    "$x",
    "printf ",
];

const SPENT_AT_MOST: Duration = Duration::from_secs(10);

pub(super) fn run(random: &mut Random) -> Result<(), String> {
    let mut text = if random.chance(60) {
        random.pick(BOMBS).to_owned()
    } else {
        template_seed(random)
    };
    if random.chance(30) {
        text += random.pick(BOMBS);
    }
    if random.chance(80) {
        text = mutated(random, &text, WORDS);
    }
    let values = "self: \"{{ tpl .Values.self . }}\"\nlist: [1, a, {b: c}]\nm1: {deep: {a: 1}}\n";
    let mut tree = MemoryTree::new();
    for (path, text) in [
        ("Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n"),
        ("values.yaml", values),
        ("templates/a.yaml", text.as_str()),
    ] {
        let path = TreePath::new(path).map_err(|e| e.to_string())?;
        tree = tree.with_file(path, text.as_bytes());
    }
    let limits = Limits {
        rendered_bytes: 1 << 20,
        steps: 200_000,
        ..Limits::default()
    };
    let until = Instant::now() + SPENT_AT_MOST;
    let options = Options {
        limits,
        cancelled: Some(Arc::new(move || Instant::now() > until)),
        ..Options::default()
    };
    let now = Now {
        seconds: 0,
        nanos: 0,
        offset_seconds: 0,
    };
    let ambient = RandomAmbient::new(now, random_bytes());
    let started = Instant::now();
    let chart = Chart::load(&Reader::new(&tree), &TreePath::root(), &limits).map_err(|e| format!("loading: {e}"))?;
    let said = template(&chart, &options, &ambient);
    // An RSA key is the one thing that takes long by itself.
    let allowed = if text.contains("gen") {
        4 * SPENT_AT_MOST
    } else {
        SPENT_AT_MOST / 2
    };
    if started.elapsed() > allowed {
        return Err(format!("took {:?} under {} steps", started.elapsed(), limits.steps));
    }
    match said {
        Ok(output) if output.text.len() as u64 > limits.rendered_bytes + 4096 => {
            Err(format!("rendered {} bytes", output.text.len()))
        }
        Err(error) if error.to_string().is_empty() => Err("an error without words".to_owned()),
        _ => Ok(()),
    }
}
