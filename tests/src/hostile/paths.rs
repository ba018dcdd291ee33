//! F5: value files, globs and references, in a tree full of links beside another one.

use std::{collections::BTreeMap, sync::Arc};

use pintle_model::{
    Sensitive,
    application::{Helm, HelmFileParameter, Source},
    tree::{MemoryTree, MountedTree, TreePath},
};
use pintle_render::{
    AppIdentity, ChartCache, RenderRequest, RenderSettings, Round, Surroundings,
    helm::{Limits, Now},
    render,
};

use super::mutate::mutated;
use crate::oracle::random::Random;

const WRITTEN: &[&str] = &[
    "values-dev.yaml",
    "../shared/common.yaml",
    "/shared/common.yaml",
    "../../secret.yaml",
    "/../secret.yaml",
    "$values/env/prod.yaml",
    "$values/../secret.yaml",
    "$values/link/secret.yaml",
    "$values",
    "$values/",
    "$none/x.yaml",
    "env/*.yaml",
    "**/*.yaml",
    "env/**",
    "/**/secret.yaml",
    "{a,b}*.yaml",
    "link/secret.yaml",
    "up/secret.yaml",
    "loop/loop/x.yaml",
    "https://example.com/values.yaml",
    "file:///etc/passwd",
    "git+ssh://x/y",
    "$ARGOCD_APP_NAME.yaml",
    "${ARGOCD_APP_NAME}/../x",
    "env/[a-.yaml",
    "",
    ".",
    "..",
    "/",
];

const LINKS: &[&str] = &[
    "../../..",
    "/",
    "/etc/passwd",
    "..",
    ".",
    "loop",
    "../shared",
    "../../shared/common.yaml",
    "env",
    "../../../../../../../secret.yaml",
    "",
    "a/b/../../..",
    ".pintle/mounts",
];

const WORDS: &[&str] = &[
    "../", "/", "..", "*", "**/", "$values", "[", "{", "link/", "\\", "%2e", "://", "\0", "./",
];

pub(super) fn run(random: &mut Random) -> Result<(), String> {
    let chart = [
        ("charts/shop/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\n"),
        ("charts/shop/values.yaml", "own: true\n"),
        ("charts/shop/values-dev.yaml", "main: a\n"),
        ("charts/shop/env/a.yaml", "main: b\n"),
        ("charts/shop/env/deep/b.yaml", "main: c\n"),
        (
            "charts/shop/templates/a.yaml",
            "kind: ConfigMap\napiVersion: v1\nmetadata: {name: x}\ndata: {all: {{ .Values | toJson | quote }}}\n",
        ),
        ("shared/common.yaml", "main: d\n"),
        ("secret.yaml", "main: secret\n"),
    ];
    let lent = [("env/prod.yaml", "lent: e\n"), ("secret.yaml", "lent: secret\n")];
    let mut main = MemoryTree::new();
    for (path, text) in chart {
        main = main.with_file(path_of(path)?, text.as_bytes());
    }
    let mut other = MemoryTree::new();
    for (path, text) in lent {
        other = other.with_file(path_of(path)?, text.as_bytes());
    }
    let mount = MountedTree::place("values");
    for place in ["link", "up", "loop", "env/l.yaml", "deep/x"] {
        let target = match random.below(8) {
            0 => format!("../../{mount}/secret.yaml"),
            1 => {
                let link = random.pick(LINKS);
                mutated(random, link, WORDS)
            }
            _ => random.pick(LINKS).to_owned(),
        };
        if random.chance(60) {
            main = main.with_symlink(path_of(&format!("charts/shop/{place}"))?, &target);
        }
        if random.chance(60) {
            other = other.with_symlink(path_of(place)?, &target);
        }
    }
    let mut tree = MountedTree::new(Arc::new(main));
    tree.mount("values", Arc::new(other));

    let mut written = Vec::new();
    for _ in 0..=random.below(3) {
        let text = random.pick(WRITTEN);
        written.push(if random.chance(40) {
            mutated(random, text, WORDS)
        } else {
            text.to_owned()
        });
    }
    // `$values..` names no source: it is a variable that is not set, and two dots of this one.
    let is_lent = |text: &String| text == "$values" || text.starts_with("$values/");
    let (any_lent, all_lent) = (written.iter().any(is_lent), written.iter().all(is_lent));
    let in_parameters = random.chance(20);
    let mut helm = Helm {
        ignore_missing_value_files: random.chance(50),
        ..Helm::default()
    };
    if in_parameters {
        helm.file_parameters = written
            .iter()
            .map(|path| HelmFileParameter {
                name: "from".to_owned(),
                path: path.clone(),
                ..HelmFileParameter::default()
            })
            .collect();
    } else {
        helm.value_files = written.clone();
    }
    let said = round(&tree, helm, &mount);
    // Whatever is written, a path that does not name the other source must not see it, and one that does must see nothing else.
    let leaks_lent = !any_lent && (said.contains("\\\"lent\\\"") || said.contains("lent:"));
    let leaks_main = all_lent && (said.contains("\\\"main\\\"") || said.contains("main:"));
    if leaks_lent || leaks_main || said.contains("root:x:0") {
        return Err(format!("{written:?} reached {said}"));
    }
    Ok(())
}

fn path_of(text: &str) -> Result<TreePath, String> {
    TreePath::new(text).map_err(|e| e.to_string())
}

/// The values that reached the chart, and nothing for a refusal: its words may name any path.
fn round(tree: &MountedTree, helm: Helm, mount: &TreePath) -> String {
    let request = RenderRequest {
        source: Source {
            helm: Some(helm),
            ..Source::default()
        },
        path: TreePath::root().child("charts").child("shop"),
        app: AppIdentity {
            name: "shop".into(),
            instance: "shop".into(),
            namespace: "dev".into(),
            uid: "u-1".into(),
        },
        refs: BTreeMap::from([("values".to_owned(), mount.clone())]),
        answers: BTreeMap::new(),
        settings: RenderSettings {
            chart_limits: Limits {
                steps: 200_000,
                rendered_bytes: 1 << 20,
                ..Limits::default()
            },
            ..RenderSettings::default()
        },
    };
    let surroundings = Surroundings {
        environment: &BTreeMap::from([("ARGOCD_APP_NAME", "shop".to_owned())]),
        capabilities: &Arc::default(),
        secret: Some(&Sensitive::new(b"secret".to_vec())),
        now: Now {
            seconds: 1_800_000_000,
            nanos: 0,
            offset_seconds: 0,
        },
        charts: &ChartCache::default(),
        cancelled: None,
    };
    match render(tree, &request, &surroundings) {
        Round::Done(rendered) if rendered.is_complete() => rendered
            .objects
            .iter()
            .map(|o| pintle_model::to_json_string(o.object.value()))
            .collect(),
        _ => String::new(),
    }
}
