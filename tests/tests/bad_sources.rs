//! Charts and kustomizations that are wrong, and repositories that answer wrongly: each Application gets a condition that names the file and
//! what to do, its last good state stays, nothing is pruned, the others go on, and recovery needs no restart. On kubesim.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pintle_model::application::{ConditionType, SyncStatusCode};
use pintle_tests::World;
use pintle_tests::chart_files::{ChartFiles, Entry, packed};
use pintle_tests::manifests::config_map;
use pintle_tests::web_server::{Reply, Seen, Server};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// How long something that must not happen is watched for.
const A_WHILE: Duration = Duration::from_secs(1);

fn automated(source: &Value) -> Value {
    json!({"project": "narrow", "source": source, "syncPolicy": {"automated": {"prune": true, "selfHeal": true}}})
}

/// A world on kubesim with a project that permits only what scenarios serve, and the application `other`, which is well.
async fn world_with_another() -> World {
    let mut world = World::simulated().await;
    let project = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject",
        "metadata": {"name": "narrow", "namespace": world.control()},
        "spec": {
            "sourceRepos": ["http://127.0.0.1:*/*", "oci://127.0.0.1:*/*"],
            "destinations": [{"server": "*", "namespace": "*"}],
        },
    });
    world.create(&project.to_string()).await;
    let other = config_map("settings", "0");
    let commit = world.push(&[("other/settings.json", Some(&other))]).await;
    world.application("other", automated(&json!({}))).await;
    world.start().await;
    world.until_settled("other", &commit).await;
    world
}

/// Pushes a change of `other` and waits for it: the others go on.
async fn the_other_goes_on(world: &mut World, value: &str) {
    let other = config_map("settings", value);
    world.push(&[("other/settings.json", Some(&other))]).await;
    until_config(world, "other", "settings", value).await;
}

async fn until_config(world: &World, app: &str, name: &str, value: &str) {
    world
        .until(&format!("{name} of {app} says {value}"), async || {
            let seen = world.config(app, name).await;
            if seen.as_deref() == Some(value) {
                Ok(())
            } else {
                Err(format!("{seen:?}; {}", conditions(world, app).await))
            }
        })
        .await;
}

async fn conditions(world: &World, app: &str) -> String {
    let found = world.app(app).await.status.conditions;
    let said: Vec<String> = found.iter().map(|c| format!("{}: {}", c.kind, c.message)).collect();
    format!("{said:#?}")
}

/// A directory that was good, what becomes of it, and what is said then.
struct Bad {
    /// Application and directory.
    name: &'static str,
    /// Files that are changed or added, below the directory.
    files: Vec<(&'static str, String)>,
    /// A file that becomes a link, and where it leads.
    link: Option<(&'static str, &'static str)>,
    /// What changes in `spec.source`, a merge patch; and what undoes it.
    source: Option<(Value, Value)>,
    /// Parts of the condition's message.
    says: Vec<&'static str>,
}

impl Bad {
    fn files(name: &'static str, files: &[(&'static str, &str)], says: &[&'static str]) -> Self {
        Self {
            name,
            files: files.iter().map(|(path, text)| (*path, (*text).to_owned())).collect(),
            link: None,
            source: None,
            says: says.to_vec(),
        }
    }

    fn helm(name: &'static str, helm: Value, says: &[&'static str]) -> Self {
        Self::spec(name, "helm", &helm, says)
    }

    fn kustomize(name: &'static str, kustomize: Value, says: &[&'static str]) -> Self {
        Self::spec(name, "kustomize", &kustomize, says)
    }

    /// A field of `spec.source` that is bad while it is there.
    fn spec(name: &'static str, field: &str, value: &Value, says: &[&'static str]) -> Self {
        let mut bad = Self::files(name, &[], says);
        bad.source = Some((json!({ field: value }), json!({ field: null })));
        bad
    }
}

/// The good files of a row; `value` is what its ConfigMap `kept` says.
type Good = fn(name: &str, value: &str) -> Vec<(String, String)>;

/// All rows at once, each an application of its own: good, bad, good again.
async fn goes_bad_and_comes_back(mut world: World, good: Good, rows: Vec<Bad>) {
    let mut files = Vec::new();
    for row in &rows {
        files.extend(good(row.name, "good"));
    }
    world.push_files(&files).await;
    for row in &rows {
        world.application(row.name, automated(&json!({"path": row.name}))).await;
    }
    for row in &rows {
        until_config(&world, row.name, "kept", "good").await;
        world
            .until_app(row.name, &format!("{} is Synced", row.name), |app| {
                app.status.sync.status == SyncStatusCode::Synced && app.operation.is_none()
            })
            .await;
    }

    let mut bad = Vec::new();
    for row in &rows {
        let placed = |(path, text): &(&str, String)| (format!("{}/{path}", row.name), text.clone());
        bad.extend(row.files.iter().map(placed));
        if let Some((path, target)) = row.link {
            std::os::unix::fs::symlink(target, world.work_tree().join(row.name).join(path)).unwrap();
        }
        if let Some((source, _)) = &row.source {
            world.respec(row.name, json!({"source": source})).await;
        }
    }
    // A commit needs a change, also where only specs are bad.
    bad.push(("marks/bad".into(), "1\n".into()));
    world.push_files(&bad).await;
    for row in &rows {
        let said = world
            .until_condition(row.name, ConditionType::ComparisonError, &row.says)
            .await;
        assert!(said.len() < 5000, "{}: a person reads this: {said}", row.name);
        world
            .until_app(row.name, &format!("{} is Unknown", row.name), |app| {
                app.status.sync.status == SyncStatusCode::Unknown
            })
            .await;
    }
    the_other_goes_on(&mut world, "while others are bad").await;
    world
        .never("the last good state goes", A_WHILE, async || {
            for row in &rows {
                if world.config(row.name, "kept").await.as_deref() != Some("good") {
                    return true;
                }
            }
            false
        })
        .await;

    // Good again, with something new.
    let mut mended: Vec<(String, String)> = Vec::new();
    for row in &rows {
        mended.extend(good(row.name, "mended"));
    }
    let kept: BTreeSet<&str> = mended.iter().map(|(path, _)| path.as_str()).collect();
    let links = rows.iter().filter_map(|r| Some(format!("{}/{}", r.name, r.link?.0)));
    let gone: Vec<String> = bad
        .iter()
        .map(|(path, _)| path.clone())
        .chain(links)
        .filter(|path| !kept.contains(path.as_str()))
        .collect();
    let mut change: Vec<(&str, Option<&str>)> = mended.iter().map(|(p, c)| (p.as_str(), Some(c.as_str()))).collect();
    change.extend(gone.iter().map(|path| (path.as_str(), None)));
    let commit = world.push(&change).await;
    for row in &rows {
        if let Some((_, undo)) = &row.source {
            world.respec(row.name, json!({"source": undo})).await;
        }
    }
    for row in &rows {
        until_config(&world, row.name, "kept", "mended").await;
        world.until_settled(row.name, &commit).await;
    }
}

fn good_chart(name: &str, value: &str) -> Vec<(String, String)> {
    chart(name, "0.1.0", value).below(name)
}

/// A chart with one ConfigMap `kept`.
fn chart(name: &str, version: &str, value: &str) -> ChartFiles {
    ChartFiles::new(name, version)
        .with("values.yaml", &format!("key: {value}\n"))
        .with(
            "templates/kept.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kept}\ndata:\n  key: {{ .Values.key | quote }}\n",
        )
}

const SCHEMA: &str = r#"{"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "properties": {
    "key": {"type": "string"}, "size": {"type": "integer", "minimum": 1}, "tls": {"type": "object", "required": ["name"]}}}"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn charts_in_git() {
    let dependency = |repository: &str| {
        format!(
            "apiVersion: v2\nname: x\nversion: 0.1.0\ndependencies:\n- {{name: common, version: ~1, repository: \"{repository}\"}}\n"
        )
    };
    let mut symlink = Bad::helm(
        "symlink-out",
        json!({"valueFiles": ["values-link.yaml"]}),
        &["values-link.yaml", "points out of the repository"],
    );
    symlink.link = Some(("values-link.yaml", "../../../../../../etc/hostname"));
    let rows = vec![
        Bad::helm(
            "missing-values",
            json!({"valueFiles": ["values-absent.yaml"]}),
            &["missing-values/values-absent.yaml", "commit the file"],
        ),
        Bad::helm(
            "outside-values",
            json!({"valueFiles": ["../../../../etc/hostname"]}),
            &["../../../../etc/hostname", "outside repository root"],
        ),
        symlink,
        Bad::helm(
            "scheme",
            json!({"valueFiles": ["file:///etc/hostname"]}),
            &["file:///etc/hostname", "helm.valuesFileSchemes", "https"],
        ),
        Bad::files(
            "schema",
            &[
                ("values.schema.json", SCHEMA),
                ("values.yaml", "key: 1\nsize: none\ntls: {}\n"),
            ],
            &["/key", "/size", "/tls", "name"],
        ),
        Bad::files(
            "recursion",
            &[(
                "templates/loop.yaml",
                "{{ define \"loop\" }}{{ include \"loop\" . }}{{ end }}{{ include \"loop\" . }}",
            )],
            &["templates/loop.yaml", "loop"],
        ),
        Bad::files(
            "gigabyte",
            &[("templates/big.yaml", "a: {{ repeat 1000000000 \"x\" | quote }}\n")],
            &["templates/big.yaml:1:", "more bytes than allowed"],
        ),
        Bad::files(
            "syntax",
            &[("templates/typo.yaml", "a: 1\nb: {{ .Values.key }\n")],
            &["templates/typo.yaml:2"],
        ),
        Bad::files(
            "no-yaml",
            &[("templates/typo.yaml", "a: [{{ .Values.key }}\n")],
            &["templates/typo.yaml"],
        ),
        Bad::files(
            "unreachable-dependency",
            &[("Chart.yaml", &dependency("http://127.0.0.1:1/charts"))],
            &["http://127.0.0.1:1/charts", "common"],
        ),
        Bad::files(
            "homeless-dependency",
            &[("Chart.yaml", &dependency(""))],
            &["common", "charts/", "commit it or add its repository"],
        ),
        Bad::files(
            "nameless-repository",
            &[("Chart.yaml", &dependency("@nobody"))],
            &["@nobody", "common", "repository Secret"],
        ),
        Bad::files(
            "broken-chart",
            &[("Chart.yaml", "apiVersion: v2\nname: broken-chart\n")],
            &["broken-chart", "chart.metadata.version is required"],
        ),
    ];
    goes_bad_and_comes_back(world_with_another().await, good_chart, rows).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_template_that_never_ends() {
    let mut world = world_with_another().await;
    world.kill();
    // Far shorter than the steps of this template take, and far longer than a good chart does.
    world
        .create(&format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: argocd-cmd-params-cm, namespace: {}}}\ndata: {{pintle.render.timeout: 2s}}",
            world.control(),
        ))
        .await;
    world.start().await;
    let forever = "{{ $many := until 10000 }}{{ range $many }}{{ range $many }}{{ end }}{{ end }}";
    let rows = vec![Bad::files(
        "endless",
        &[("templates/forever.yaml", forever)],
        &["look for a loop in its templates"],
    )];
    goes_bad_and_comes_back(world, good_chart, rows).await;
}

fn good_kustomization(name: &str, value: &str) -> Vec<(String, String)> {
    vec![
        (
            format!("{name}/kustomization.yaml"),
            "resources: [kept.yaml]\n".to_owned(),
        ),
        (format!("{name}/kept.yaml"), config_map("kept", value)),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kustomizations_in_git() {
    let kustomization = |text: &str| format!("resources: [kept.yaml]\n{text}");
    let deep: Vec<(String, String)> = (0..1000)
        .map(|i| {
            let next = if i == 0 {
                "down/1".into()
            } else {
                format!("../{}", i + 1)
            };
            let at = if i == 0 { String::new() } else { format!("down/{i}/") };
            (format!("{at}kustomization.yaml"), format!("resources: [{next}]\n"))
        })
        .collect();
    let mut chain = Bad::files(
        "deep-chain",
        &[],
        &["more than", "bases inside one another", "deep-chain/down/"],
    );
    chain.files = deep.into_iter().map(|(path, text)| (&*path.leak(), text)).collect();
    let rows = vec![
        Bad::files(
            "cycle",
            &[
                ("kustomization.yaml", "resources: [kept.yaml, base]\n"),
                ("base/kustomization.yaml", "resources: [../base2]\n"),
                ("base2/kustomization.yaml", "resources: [../base]\n"),
            ],
            &["cycle", "cycle/base", "take \"../base\" out"],
        ),
        Bad::files(
            "outside",
            &[("kustomization.yaml", "resources: [kept.yaml, ../../../../etc]\n")],
            &["../../../../etc", "outside"],
        ),
        Bad::files(
            "foreign-base",
            &[(
                "kustomization.yaml",
                "resources: [kept.yaml, \"https://git.example.com/team/base?ref=v1\"]\n",
            )],
            &["https://git.example.com/team/base", "narrow", "sourceRepos"],
        ),
        Bad::files(
            "exec-plugin",
            &[
                (
                    "kustomization.yaml",
                    "resources: [kept.yaml]\ngenerators: [generator.yaml]\n",
                ),
                (
                    "generator.yaml",
                    "apiVersion: team.example/v1\nkind: Teams\nmetadata:\n  name: teams\n  annotations:\n    \
                     config.kubernetes.io/function: |\n      exec: {path: ./generate.sh}\n",
                ),
            ],
            &["generator.yaml", "Teams", "only kinds of apiVersion builtin run here"],
        ),
        Bad::kustomize(
            "spec-overlays",
            json!({"overlays": ["prod"]}),
            &["spec.source.kustomize.overlays", "spec.source.path"],
        ),
        Bad::files(
            "charts-not-enabled",
            &[(
                "kustomization.yaml",
                &kustomization("helmCharts: [{name: kept, repo: \"https://charts.example.com\", version: 1.0.0}]\n"),
            )],
            &["must specify --enable-helm", "kustomize.buildOptions", "argocd-cm"],
        ),
        Bad::files(
            "patch-nothing",
            &[
                ("kustomization.yaml", &kustomization("patches: [{path: patch.yaml}]\n")),
                (
                    "patch.yaml",
                    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: nobody}\nspec: {replicas: 3}\n",
                ),
            ],
            &["nobody", "patch"],
        ),
        Bad::files(
            "twice",
            &[
                ("kustomization.yaml", "resources: [kept.yaml, again.yaml]\n"),
                ("again.yaml", &config_map("kept", "again")),
            ],
            &["again.yaml", "kept", "already registered id"],
        ),
        Bad::files(
            "missing-file",
            &[(
                "kustomization.yaml",
                &kustomization("configMapGenerator: [{name: conf, files: [absent.txt]}]\n"),
            )],
            &["missing-file/absent.txt", "no such file"],
        ),
        Bad::files(
            "unknown-field",
            &[("kustomization.yaml", "resourcez: [kept.yaml]\n")],
            &["unknown-field", "resourcez"],
        ),
        chain,
    ];
    goes_bad_and_comes_back(world_with_another().await, good_kustomization, rows).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plugin_that_is_built_in_is_rendered_with_a_warning() {
    let mut world = world_with_another().await;
    world.push_files(&good_kustomization("shop", "one")).await;
    let plugin = json!({"path": "shop", "plugin": {"name": "kustomize", "env": [{"name": "A", "value": "b"}]}});
    world.application("shop", automated(&plugin)).await;
    until_config(&world, "shop", "kept", "one").await;
    let says = [
        "plugin.name",
        "write spec.source.kustomize",
        "env and parameters have no effect",
    ];
    world.until_condition("shop", ConditionType::SourceWarning, &says).await;

    // Written as told, it is gone.
    world
        .respec("shop", json!({"source": {"plugin": null, "kustomize": {}}}))
        .await;
    world
        .until_app("shop", "shop has no conditions", |app| app.status.conditions.is_empty())
        .await;
}

// --- repositories that answer wrongly -------------------------------------------------------------------------------------------------------

/// How a server answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mood {
    Good,
    Status(u16),
    Page,
    Hangs,
}

/// A chart repository at `/charts` and a registry for the repository `charts/kept`, in one server.
struct Store {
    server: Server,
    state: Arc<Mutex<State>>,
}

struct State {
    mood: Mood,
    /// Version and archive.
    charts: Vec<(String, Vec<u8>)>,
}

impl Store {
    async fn start() -> Self {
        let state = Arc::new(Mutex::new(State {
            mood: Mood::Good,
            charts: vec![("1.0.0".into(), chart("kept", "1.0.0", "good").packed())],
        }));
        let answered = Arc::clone(&state);
        let server = Server::start(move |seen| answer(&answered.lock().unwrap(), seen)).await;
        Self { server, state }
    }

    fn mood(&self, mood: Mood) {
        self.state.lock().unwrap().mood = mood;
    }

    fn publish(&self, version: &str, archive: Vec<u8>) {
        self.state.lock().unwrap().charts.push((version.into(), archive));
    }

    fn withdraw(&self, version: &str) {
        self.state.lock().unwrap().charts.retain(|(v, _)| v != version);
    }

    fn url(&self, kind: Kind) -> String {
        match kind {
            Kind::Index => self.server.url("/charts"),
            Kind::Registry => format!("oci://127.0.0.1:{}/charts", self.server.port),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Index,
    Registry,
}

const PAGE: &str = "<!DOCTYPE html>\n<html><body>Please log in</body></html>\n";

fn answer(state: &State, seen: &Seen) -> Reply {
    match state.mood {
        Mood::Good => {}
        Mood::Status(status) => return Reply::status(status),
        Mood::Page => return Reply::ok(PAGE).with("Content-Type", "text/html"),
        Mood::Hangs => {
            return Reply {
                hangs: true,
                ..Reply::default()
            };
        }
    }
    let digest = |bytes: &[u8]| -> String { Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect() };
    if seen.path == "/charts/index.yaml" {
        let mut text = String::from("apiVersion: v1\nentries:\n  kept:\n");
        for (version, bytes) in &state.charts {
            text.push_str(&format!(
                "  - {{name: kept, version: {version}, digest: {}, urls: [kept-{version}.tgz]}}\n",
                digest(bytes)
            ));
        }
        return Reply::ok(text);
    }
    for (version, bytes) in &state.charts {
        if seen.path == format!("/charts/kept-{version}.tgz")
            || seen.path == format!("/v2/charts/kept/blobs/sha256:{}", digest(bytes))
        {
            return Reply::ok(bytes.clone());
        }
        if seen.path == format!("/v2/charts/kept/manifests/{version}") {
            let manifest = json!({
                "schemaVersion": 2,
                "config": {"mediaType": "application/vnd.cncf.helm.config.v1+json"},
                "layers": [{
                    "mediaType": "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
                    "digest": format!("sha256:{}", digest(bytes)), "size": bytes.len(),
                }],
            });
            return Reply::ok(manifest.to_string()).with("Content-Type", "application/vnd.oci.image.manifest.v1+json");
        }
    }
    if seen.path.starts_with("/v2/charts/kept/tags/list") {
        let tags: Vec<&str> = state.charts.iter().map(|(version, _)| version.as_str()).collect();
        return Reply::ok(json!({"name": "charts/kept", "tags": tags}).to_string());
    }
    Reply::status(404)
}

/// What goes wrong with a store whose application wants `^1`, and what is said.
struct Day {
    name: String,
    kind: Kind,
    mood: Mood,
    source: Value,
    publish: Option<Vec<u8>>,
    says: Vec<&'static str>,
}

fn days() -> Vec<Day> {
    let mut days = Vec::new();
    for kind in [Kind::Index, Kind::Registry] {
        let name = |what: &str| format!("{what}-{}", format!("{kind:?}").to_lowercase());
        let moods = [
            ("unauthorized", Mood::Status(401), vec!["401", "credentials"]),
            ("not-found", Mood::Status(404), vec!["check"]),
            ("too-many", Mood::Status(429), vec!["429"]),
            ("page", Mood::Page, vec!["HTML", "check the URL"]),
            ("hangs", Mood::Hangs, vec!["no complete answer", "may hang"]),
        ];
        days.extend(moods.map(|(what, mood, says)| Day {
            name: name(what),
            kind,
            mood,
            source: json!({}),
            publish: None,
            says,
        }));
        let good = |what: &str, source: Value, says: Vec<&'static str>| Day {
            name: name(what),
            kind,
            mood: Mood::Good,
            source,
            publish: None,
            says,
        };
        days.push(good("no-version", json!({"targetRevision": "^9"}), vec!["^9", "1.0.0"]));
        days.push(good("no-chart", json!({"chart": "keept"}), vec!["no chart \"keept\""]));
        let mut archive = |what: &str, bytes: Vec<u8>, says: Vec<&'static str>| {
            days.push(Day {
                publish: Some(bytes),
                ..good(what, json!({}), says)
            });
        };
        let file = |path: &str, content: Vec<u8>| (path.to_owned(), Entry::File(content));
        let chart_yaml = || {
            file(
                "kept/Chart.yaml",
                b"apiVersion: v2\nname: kept\nversion: 1.1.0\n".to_vec(),
            )
        };
        let link = ("kept/values.yaml".to_owned(), Entry::Link("/etc/hostname".into()));
        archive(
            "link",
            packed([chart_yaml(), link]),
            vec!["1.1.0", "kept/values.yaml", "link", "publish"],
        );
        archive(
            "absolute",
            packed([chart_yaml(), file("/etc/cron.d/kept", b"x".to_vec())]),
            vec!["1.1.0", "/etc/cron.d/kept", "absolute"],
        );
        archive(
            "parent",
            packed([chart_yaml(), file("kept/../../x", b"x".to_vec())]),
            vec!["1.1.0", "kept/../../x", "parent"],
        );
        let zeros = (0..20).map(|i| file(&format!("kept/files/{i}"), vec![0; 4 << 20]));
        archive(
            "bomb",
            packed(std::iter::once(chart_yaml()).chain(zeros)),
            vec!["1.1.0", "times its size"],
        );
        archive("no-archive", b"\x1f\x8bnothing".to_vec(), vec!["1.1.0", "damaged"]);
    }
    days
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn repositories_and_registries() {
    let mut world = world_with_another().await;
    world.kill();
    let http = &mut world.limits().charts.http;
    (http.request, http.stall) = (Duration::from_secs(4), Duration::from_secs(2));
    world.start().await;
    let mut all = Vec::new();
    for day in days() {
        let store = Store::start().await;
        if day.kind == Kind::Registry {
            let url = format!("127.0.0.1:{}/charts", store.server.port);
            let secret = json!({"url": url, "type": "helm", "enableOCI": "true", "insecureOCIForceHttp": "true"});
            world.repository_secret(&day.name, secret).await;
        }
        let source = json!({"path": null, "repoURL": store.url(day.kind), "chart": "kept", "targetRevision": "^1"});
        world.application(&day.name, automated(&source)).await;
        all.push((day, store));
    }
    for (day, _) in &all {
        world.until_settled(&day.name, "1.0.0").await;
    }

    for (day, store) in &all {
        store.mood(day.mood);
        if let Some(archive) = &day.publish {
            store.publish("1.1.0", archive.clone());
        }
        if day.source == json!({}) {
            world.refresh(&day.name).await;
        } else {
            world.respec(&day.name, json!({"source": day.source})).await;
        }
    }
    for (day, store) in &all {
        let place = store.url(day.kind);
        let place = place.rsplit('/').nth(1).unwrap();
        let mut says = day.says.clone();
        says.push(place);
        world
            .until_condition(&day.name, ConditionType::ComparisonError, &says)
            .await;
        world
            .until_app(&day.name, &format!("{} is Unknown", day.name), |app| {
                app.status.sync.status == SyncStatusCode::Unknown
            })
            .await;
    }
    the_other_goes_on(&mut world, "while others are bad").await;
    // Being tried again is no reason to forget what is wrong.
    world
        .never(
            "one of them counts as known again",
            Duration::from_secs(8),
            async || {
                for (day, _) in &all {
                    if world.app(&day.name).await.status.sync.status != SyncStatusCode::Unknown {
                        return true;
                    }
                }
                false
            },
        )
        .await;
    for (day, _) in &all {
        let kept = world.config(&day.name, "kept").await;
        assert_eq!(kept.as_deref(), Some("good"), "{}", day.name);
    }

    for (day, store) in &all {
        store.withdraw("1.1.0");
        store.publish("1.2.0", chart("kept", "1.2.0", "mended").packed());
        store.mood(Mood::Good);
        if day.source != json!({}) {
            let back = json!({"source": {"chart": "kept", "targetRevision": "^1"}});
            world.respec(&day.name, back).await;
        }
        // Somebody tells that there is something new; without that it is found with the next poll.
        world.refresh(&day.name).await;
    }
    for (day, _) in &all {
        world.until_settled(&day.name, "1.2.0").await;
        let kept = world.config(&day.name, "kept").await;
        assert_eq!(kept.as_deref(), Some("mended"), "{}", day.name);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_mended_by_its_secret_alone() {
    let world = world_with_another().await;
    let server = Server::start(|seen| {
        let state = State {
            mood: Mood::Good,
            charts: vec![("1.0.0".into(), chart("kept", "1.0.0", "good").packed())],
        };
        // `me:right`
        if seen.authorization() == Some("Basic bWU6cmlnaHQ=") {
            answer(&state, seen)
        } else {
            Reply::status(401)
        }
    })
    .await;
    let url = server.url("/charts");
    let secret = |password: &str| json!({"url": url, "type": "helm", "username": "me", "password": password});
    world.repository_secret("kept", secret("wrong")).await;
    let source = json!({"path": null, "repoURL": url, "chart": "kept", "targetRevision": "^1"});
    world.application("kept", automated(&source)).await;
    let said = world
        .until_condition(
            "kept",
            ConditionType::ComparisonError,
            &["401", "check username and password"],
        )
        .await;
    assert!(!said.contains("wrong"), "{said}");
    world.repository_secret("kept", secret("right")).await;
    world.until_settled("kept", "1.0.0").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_remote_base_that_the_project_comes_to_permit() {
    let mut world = world_with_another().await;
    world.make_repository("bases.git").await;
    let base = [
        ("kept/kustomization.yaml", Some("resources: [kept.yaml]\n")),
        ("kept/kept.yaml", Some(&*config_map("kept", "of the base"))),
    ];
    world.push_to("bases.git", &base).await;
    let only_the_first = json!({"spec": {"sourceRepos": [world.repo_url()]}});
    world.patch("AppProject", "other", "narrow", &only_the_first).await;
    let remote = world.url_of("bases.git");
    let overlay = format!("resources: [\"{remote}/kept?ref=main\"]\n");
    let commit = world.push(&[("overlay/kustomization.yaml", Some(&overlay))]).await;
    world
        .application("overlay", automated(&json!({"path": "overlay"})))
        .await;
    world
        .until_condition(
            "overlay",
            ConditionType::ComparisonError,
            &[&remote, "narrow", "sourceRepos"],
        )
        .await;
    assert_eq!(world.get("ConfigMap", "overlay", "kept").await, None);

    let both = json!({"spec": {"sourceRepos": [world.repo_url(), remote]}});
    world.patch("AppProject", "other", "narrow", &both).await;
    world.until_settled("overlay", &commit).await;
    assert_eq!(world.config("overlay", "kept").await.as_deref(), Some("of the base"));
}
