use std::collections::BTreeMap;
use std::sync::Arc;

use pintle_model::application::{Directory, Source};
use pintle_model::tree::{MemoryTree, TreeError, TreePath};

use super::helm::Now;
use super::*;

/// Files as `--- path` headers followed by their content.
pub(crate) fn tree(fixture: &str) -> MemoryTree {
    let mut tree = MemoryTree::new();
    for file in fixture.split("=== ").skip(1) {
        let (name, content) = file.split_once('\n').unwrap();
        tree = tree.with_file(TreePath::new(name).unwrap(), content.as_bytes());
    }
    tree
}

pub(crate) fn request(path: &str) -> RenderRequest {
    RenderRequest {
        source: Source::default(),
        path: TreePath::new(path).unwrap(),
        app: AppIdentity {
            name: "shop".into(),
            instance: "shop".into(),
            namespace: "dev".into(),
            uid: "u-1".into(),
        },
        refs: BTreeMap::new(),
        answers: BTreeMap::new(),
        settings: RenderSettings::default(),
    }
}

/// One round in surroundings that know nothing but the application's name.
pub(crate) fn round(tree: &dyn Tree, request: &RenderRequest) -> Round {
    let surroundings = Surroundings {
        environment: &BTreeMap::from([("ARGOCD_APP_NAME", "shop".to_owned())]),
        capabilities: &Arc::default(),
        secret: Some(&pintle_model::Sensitive::new(b"secret".to_vec())),
        now: Now {
            seconds: 1_800_000_000,
            nanos: 0,
            offset_seconds: 0,
        },
        charts: &ChartCache::default(),
        cancelled: None,
    };
    super::render(tree, request, &surroundings)
}

fn render(tree: &MemoryTree, request: &RenderRequest) -> Rendered {
    match round(tree, request) {
        Round::Done(rendered) => rendered,
        Round::Needs(needs) => panic!("asks for {needs:?}"),
    }
}

/// What came out, a line for each thing.
pub(crate) fn told(round: &Round) -> String {
    match round {
        Round::Needs(needs) => needs
            .iter()
            .map(|need| format!("Needs {}", need.name()))
            .collect::<Vec<_>>()
            .join("\n"),
        Round::Done(rendered) => {
            let objects = rendered
                .objects
                .iter()
                .map(|o| format!("{}/{} {}:{}", o.object.kind(), o.object.name(), o.path, o.line));
            let said = rendered.diagnostics.iter().map(|d| format!("{:?}: {d}", d.severity));
            objects.chain(said).collect::<Vec<_>>().join("\n")
        }
    }
}

fn check(fixture: &str, request: &RenderRequest, expected: &str) {
    assert_eq!(told(&round(&tree(fixture), request)), expected);
}

const APP: &str = "\
=== app/a.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: one}
---
# nothing here
---
apiVersion: v1
kind: ConfigMap
metadata: {name: two}
=== app/b.json
{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"three\"}}
=== app/notes.txt
not: [yaml
=== app/sub/c.yml
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Secret, metadata: {name: four}}
- {apiVersion: v1, kind: Secret, metadata: {name: five}}
";

#[test]
fn plain_manifests() {
    check(
        APP,
        &request("app"),
        "ConfigMap/one app/a.yaml:1\nConfigMap/two app/a.yaml:7\nService/three app/b.json:1",
    );
}

#[test]
fn recurse_include_exclude() {
    let with = |change: fn(&mut Directory)| {
        let mut directory = Directory::default();
        change(&mut directory);
        let mut request = request("app");
        request.source.directory = Some(directory);
        request
    };
    let r = with(|d| (d.recurse, d.exclude) = (true, "a.*".into()));
    check(
        APP,
        &r,
        "Service/three app/b.json:1\nSecret/four app/sub/c.yml:1\nSecret/five app/sub/c.yml:1",
    );
    let r = with(|d| (d.recurse, d.include) = (true, "{sub/*,b.json}".into()));
    check(
        APP,
        &r,
        "Service/three app/b.json:1\nSecret/four app/sub/c.yml:1\nSecret/five app/sub/c.yml:1",
    );
    let r = with(|d| d.include = "[".into());
    check(
        APP,
        &r,
        "Error: app: spec.source.directory.include \"[\" is no glob: a '[' is not closed or holds nothing",
    );
}

#[test]
fn one_bad_file_does_not_hide_the_others_and_makes_the_result_incomplete() {
    let fixture = "\
=== app/a.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: [oops
=== app/b.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: good}
=== app/values.yaml
just: values
=== app/w.yaml
broken: [
";
    let rendered = render(&tree(fixture), &request("app"));
    assert_eq!(rendered.objects.len(), 1);
    assert!(!rendered.is_complete());
    let text: Vec<String> = rendered
        .diagnostics
        .iter()
        .map(|d| format!("{:?} {}", d.severity, d.path))
        .collect();
    assert_eq!(
        text,
        ["Error app/a.yaml", "Error app/values.yaml", "Warning app/w.yaml"]
    );
}

#[test]
fn a_missing_path_is_an_error_and_not_an_empty_result() {
    check(
        APP,
        &request("nope"),
        "Error: nope: nope: app path does not exist at this revision; check spec.source.path and targetRevision",
    );
}

#[test]
fn an_empty_directory_of_manifests_is_complete() {
    let rendered = render(&tree("=== app/README.md\nhello\n"), &request("app"));
    assert!(rendered.objects.is_empty() && rendered.is_complete());
}

#[test]
fn files_tell_the_type_and_a_block_wins() {
    let chart = "=== app/Chart.yaml\napiVersion: v2\nname: x\nversion: 1.0.0\n";
    let both = format!("{chart}=== app/kustomization.yaml\nnamePrefix: a-\n");
    assert_eq!(render(&tree(chart), &request("app")).source_type, SourceType::Helm);
    assert_eq!(render(&tree(&both), &request("app")).source_type, SourceType::Kustomize);
    let mut forced = request("app");
    forced.source.helm = Some(Default::default());
    assert_eq!(render(&tree(&both), &forced).source_type, SourceType::Helm);
    forced.source.kustomize = Some(Default::default());
    check(
        &both,
        &forced,
        "Error: app: multiple application sources defined: Helm,Kustomize; keep one of these blocks",
    );
    let mut off = request("app");
    off.settings.helm = false;
    assert_eq!(render(&tree(chart), &off).source_type, SourceType::Directory);
}

#[test]
fn a_submodule_where_manifests_are_looked_for_is_named() {
    let tree = tree(APP).with_submodule(TreePath::new("app/lib").unwrap(), "c0ffee");
    let with = |recurse: bool, exclude: &str| {
        let mut request = request("app");
        request.source.directory = Some(Directory {
            recurse,
            exclude: exclude.into(),
            ..Directory::default()
        });
        render(&tree, &request)
    };
    assert!(
        with(false, "").is_complete(),
        "only what stands beside it was asked for"
    );
    let recursive = with(true, "");
    assert!(!recursive.is_complete());
    let said = told(&Round::Done(recursive));
    assert!(said.contains("app/lib: a submodule, which is not fetched"), "{said}");
    assert!(with(true, "lib").is_complete());
    assert!(with(true, "{sub,lib}/**").is_complete());
}

#[test]
fn a_chart_that_helm_does_not_load_is_not_rendered() {
    let chart =
        |head: &str| format!("=== app/Chart.yaml\n{head}name: shop\nversion: 1.0.0\n=== app/templates/a.yaml\n");
    for (head, expected) in [
        ("", ""),
        ("apiVersion: v1\n", ""),
        ("apiVersion: v3\n", "invalid chart apiVersion"),
        ("apiVersion: 1\n", "unsupported chart version"),
        ("description: \"\u{fffe}\"\n", "cannot load Chart.yaml"),
    ] {
        let said = told(&round(&tree(&chart(head)), &request("app")));
        assert!(
            said.contains(expected) && said.is_empty() == expected.is_empty(),
            "{head}: {said}"
        );
    }
}

#[test]
fn a_submodule_in_a_chart_is_named_too() {
    let chart = "=== app/Chart.yaml\napiVersion: v2\nname: shop\nversion: 1.0.0\n=== app/templates/a.yaml\n";
    let lib = TreePath::new("app/charts/lib").unwrap();
    let said = told(&round(
        &tree(chart).with_submodule(lib.clone(), "c0ffee"),
        &request("app"),
    ));
    assert!(said.contains("\"app/charts/lib\" is a submodule"), "{said}");
    let ignored = format!("{chart}=== app/.helmignore\ncharts/lib/\n");
    assert!(render(&tree(&ignored).with_submodule(lib, "c0ffee"), &request("app")).is_complete());
}

#[test]
fn the_size_limit_fails_the_source() {
    let mut r = request("app");
    r.settings.max_manifest_bytes = 100;
    let rendered = render(&tree(APP), &r);
    assert!(!rendered.is_complete());
}

#[test]
fn settings_of_what_a_render_may_cost_are_taken_one_by_one() {
    use pintle_model::GoDuration;
    use pintle_model::settings::{RenderLimits, RenderingSettings};

    let of = |limits| {
        RenderSettings::from(&RenderingSettings {
            limits,
            ..RenderingSettings::default()
        })
    };
    assert_eq!(of(RenderLimits::default()), RenderSettings::default());
    let settings = of(RenderLimits {
        manifest_bytes: Some(1),
        extracted_bytes: Some(2),
        archive_entries: Some(3),
        archive_ratio: Some(4),
        time: Some(GoDuration::from_secs(5)),
        rendered_bytes: Some(6),
        steps: Some(7),
        depth: Some(8),
    });
    let charts = settings.chart_limits;
    let archive = charts.archive;
    assert_eq!(
        [
            settings.max_manifest_bytes,
            archive.total_bytes,
            archive.entries,
            archive.ratio
        ],
        [1, 2, 3, 4]
    );
    assert_eq!(
        [
            settings.time.as_secs(),
            charts.rendered_bytes,
            charts.steps,
            charts.template_depth.into()
        ],
        [5, 6, 7, 8]
    );
}

#[test]
fn files_marked_to_skip_are_skipped() {
    check(
        "=== app/a.yaml\n# +argocd:skip-file-rendering\napiVersion: v1\nkind: ConfigMap\n",
        &request("app"),
        "",
    );
}

#[test]
fn reads_are_recorded() {
    let before = tree(APP);
    let reads = render(&before, &request("app")).reads;
    let same = |t: &MemoryTree| reads.first_difference(t).unwrap().is_none();
    assert!(same(
        &before.clone().with_file(TreePath::new("README.md").unwrap(), *b"x")
    ));
    assert!(!same(
        &before.clone().with_file(TreePath::new("app/new.yaml").unwrap(), *b"x")
    ));
    assert!(!same(
        &before.clone().with_file(TreePath::new("app/a.yaml").unwrap(), *b"x")
    ));
}

/// A tree whose store loses one file.
struct Damaged(MemoryTree);

impl Tree for Damaged {
    fn id(&self) -> pintle_model::tree::ContentId {
        self.0.id()
    }
    fn entry(&self, path: &TreePath) -> Result<Option<pintle_model::tree::Entry>, TreeError> {
        self.0.entry(path)
    }
    fn list(&self, path: &TreePath) -> Result<Option<pintle_model::tree::Listing>, TreeError> {
        self.0.list(path)
    }
    fn read(&self, path: &TreePath, limit: u64) -> Result<Option<Arc<[u8]>>, TreeError> {
        if path.as_str() == "app/a.yaml" {
            return Err(TreeError::Store {
                path: path.clone(),
                message: "object not found".into(),
            });
        }
        self.0.read(path, limit)
    }
}

#[test]
fn a_store_that_fails_is_asked_again() {
    let told = |tree: &dyn Tree| match round(tree, &request("app")) {
        Round::Done(rendered) => (rendered.is_complete(), rendered.is_transient),
        Round::Needs(_) => panic!("nothing is needed"),
    };
    assert_eq!(told(&tree(APP)), (true, false));
    assert_eq!(told(&Damaged(tree(APP))), (false, true));
}
