//! F7: the files a chart consists of, `--set`, and the index of a repository of charts.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use pintle_model::Value;
use pintle_model::tree::{MemoryTree, Reader, TreePath};
use pintle_render::{
    archive::ArchiveLimits,
    helm::{Chart, Limits, Now, Options, RandomAmbient, ValueOptions, template},
};

use pintle_repo::Index;

use super::mutate::mutated;
use crate::oracle::random::{Random, random_bytes};

const FILES: &[(&str, &str)] = &[
    (
        "Chart.yaml",
        "apiVersion: v2\nname: c\nversion: 1.2.3\nappVersion: 1.10\nkubeVersion: \">=1.20.0-0 || ^1.30\"\ntype: application\nkeywords: [a]\nannotations: {a: b}\nmaintainers: [{name: x}]\ndependencies:\n  - name: d\n    version: \"~0.1\"\n    alias: e\n    condition: e.on,tags.x\n    tags: [x]\n    import-values: [data, {child: a.b, parent: c.d}]\n",
    ),
    (
        "values.yaml",
        "a: {b: [1, {c: d}], e: null}\nglobal: {g: 1}\ne: {on: true, x: {y: z}}\ntags: {x: false}\n",
    ),
    (
        "Chart.lock",
        "dependencies:\n- name: d\n  repository: \"\"\n  version: 0.1.0\ndigest: sha256:x\ngenerated: \"2024-01-01T00:00:00Z\"\n",
    ),
    ("requirements.yaml", "dependencies:\n- name: d\n  version: \"*\"\n"),
    (
        "values.schema.json",
        "{\"$schema\": \"http://json-schema.org/draft-07/schema#\", \"type\": \"object\", \"properties\": {\"a\": {\"$ref\": \"#/definitions/x\"}}, \"definitions\": {\"x\": {\"anyOf\": [{\"type\": \"object\"}, {\"pattern\": \"^(a+)+$\"}]}}}",
    ),
    (".helmignore", "# note\n*.bak\n!keep\n/charts/*/x\n[a-\n**/y\n"),
    (
        "templates/a.yaml",
        "kind: A\nmetadata:\n  name: {{ .Values.a.b | toJson | quote }}\n  annotations: {helm.sh/hook: pre-install, helm.sh/hook-weight: \"5\"}\n",
    ),
    ("templates/NOTES.txt", "{{ .Chart.Name }}\n"),
    ("crds/c.yaml", "kind: CustomResourceDefinition\n---\nkind: X\n"),
    ("charts/d/Chart.yaml", "apiVersion: v1\nname: d\nversion: 0.1.5\n"),
    ("charts/d/values.yaml", "exports: {data: {k: v}}\na: {b: {c: 1}}\n"),
    (
        "charts/d/templates/_h.tpl",
        "{{ define \"h\" }}{{ .Values | toYaml }}{{ end }}",
    ),
];

const SETS: &[&str] = &[
    "a.b[0].c=1,d={x,y},e.on=false",
    "a[3][2].x=1",
    "a\\.b=c\\,d",
    "a={1,{2},[3]}",
    "x=null,y=true,z=1e3",
];

const WORDS: &[&str] = &[
    ": ",
    "- ",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "*",
    "^",
    "~",
    ">=",
    "||",
    "..",
    "/",
    "\n",
    "null",
    "&a ",
    "*a",
    "<<: ",
    "=",
    ",",
    "\\",
    "a.",
    "[0]",
    "{{",
    "}}",
    "$ref",
    "#/",
    "\"$ref\": \"#\",",
    "(a+)+",
    "{\"not\": ",
    "1.",
    "x",
];

const INDEX: &str = "\
apiVersion: v1
generated: \"2024-01-01T00:00:00Z\"
entries:
  c:
  - name: c
    version: 1.2.3
    urls: [c-1.2.3.tgz, https://example.com/c.tgz]
    digest: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    annotations:
      a: |
        text
    maintainers: [{name: x}]
  - {version: \"1.2\", urls: [], deprecated: true}
  - version: 1.10
    urls:
    - d.tgz
  d: []
  e:
";

const SPENT_AT_MOST: Duration = Duration::from_secs(10);

pub(super) fn run(random: &mut Random) -> Result<(), String> {
    if random.chance(10) {
        return index(&mutated(random, INDEX, WORDS));
    }
    let mut tree = MemoryTree::new();
    let victim = random.below(FILES.len());
    for (at, (path, text)) in FILES.iter().enumerate() {
        // Requirements belong to old charts; both at once are one case of many.
        if *path == "requirements.yaml" && at != victim {
            continue;
        }
        let text = if at == victim || random.chance(10) {
            mutated(random, text, WORDS)
        } else {
            (*text).to_owned()
        };
        let path = TreePath::new(path).map_err(|e| e.to_string())?;
        tree = tree.with_file(path, text.into_bytes());
    }
    if random.chance(10)
        && let Ok(path) = TreePath::new(&mutated(
            random,
            "charts/d/charts/f/Chart.yaml",
            &["charts/x/", "/", "d"],
        ))
        && !path.is_root()
        && path.as_str().len() < 2000
    {
        tree = tree.with_file(path, b"name: f\nversion: 1.0.0\n".as_slice());
    }
    let line = random.pick(SETS);
    let set = if random.chance(50) {
        vec![mutated(random, line, WORDS)]
    } else {
        Vec::new()
    };
    let limits = Limits {
        archive: ArchiveLimits {
            file_bytes: 1 << 20,
            total_bytes: 4 << 20,
            ..ArchiveLimits::default()
        },
        rendered_bytes: 1 << 20,
        steps: 200_000,
        ..Limits::default()
    };
    let started = Instant::now();
    let said = render(&tree, set, limits);
    if started.elapsed() > SPENT_AT_MOST {
        return Err(format!("took {:?}", started.elapsed()));
    }
    match said {
        Ok(length) if length as u64 > 4 * limits.rendered_bytes => Err(format!("rendered {length} bytes")),
        Err(message) if message.is_empty() => Err("an error without words".to_owned()),
        _ => Ok(()),
    }
}

/// What the reader of an index finds while it walks is in the document that the whole of it composes to.
fn index(text: &str) -> Result<(), String> {
    let started = Instant::now();
    let Ok(index) = Index::parse(text.as_bytes()) else {
        return Ok(());
    };
    if started.elapsed() > SPENT_AT_MOST {
        return Err(format!("took {:?}", started.elapsed()));
    }
    let composed = Value::from_yaml(text).ok();
    for name in index.names() {
        let entries = index.chart(name).ok_or("a name without entries")?;
        if entries.iter().any(|e| e.version.is_empty() || e.urls.is_empty()) {
            return Err(format!("a version of {name:?} that cannot be fetched"));
        }
        let Some(document) = &composed else { continue };
        // A key that is a number or a truth value has another text there; no chart is called so.
        if !matches!(Value::from_yaml(name), Ok(Value::Str(_))) {
            continue;
        }
        let there = document.at(&["entries", name]).and_then(Value::as_list);
        if entries.len() > there.map_or(0, <[Value]>::len) {
            return Err(format!(
                "{name:?} has {} versions that the document has not",
                entries.len()
            ));
        }
    }
    Ok(())
}

fn render(tree: &MemoryTree, set: Vec<String>, limits: Limits) -> Result<usize, String> {
    let chart = Chart::load(&Reader::new(tree), &TreePath::root(), &limits).map_err(|e| e.to_string())?;
    let until = Instant::now() + SPENT_AT_MOST;
    let options = Options {
        values: ValueOptions {
            set: set.clone(),
            strings: set.clone(),
            json: set,
            ..ValueOptions::default()
        },
        include_crds: true,
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
    // A line that one dialect refuses would hide the others.
    for pick in 0..3 {
        let mut one = options.clone();
        if pick != 0 {
            one.values.set.clear();
        }
        if pick != 1 {
            one.values.strings.clear();
        }
        if pick != 2 {
            one.values.json.clear();
        }
        let _ = one.values.check();
    }
    let plain = Options {
        values: ValueOptions::default(),
        ..options.clone()
    };
    template(&chart, &options, &ambient)
        .or_else(|_| template(&chart, &plain, &ambient))
        .map(|output| output.text.len())
        .map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::{INDEX, Index, index};

    #[test]
    fn the_index_that_is_mutated_is_one() {
        let read = Index::parse(INDEX.as_bytes()).unwrap();
        let versions: Vec<&str> = read.chart("c").unwrap().iter().map(|e| &*e.version).collect();
        assert_eq!(versions, ["1.2.3", "1.10"]);
        assert_eq!(index(INDEX), Ok(()));
    }
}
