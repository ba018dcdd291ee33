//! Applications of one repository: a third each plain manifests, one chart with values of their own, and overlays over one base.

use serde_json::{Value, json};

const IMAGE: &str = "registry.example/app";

/// Every Service has the level of what it was made from.
pub const LEVEL: &str = "fleet.example.com/level";

/// Path and text.
pub type File = (String, String);

/// Where an application's manifests come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// Manifests of its own.
    Plain,
    /// The chart that a third shares.
    Chart,
    /// The base that a third shares.
    Overlay,
}

impl Sort {
    /// All of them, in the order in which applications take turns.
    pub const ALL: [Self; 3] = [Self::Plain, Self::Chart, Self::Overlay];

    /// The sort of the `index`th application.
    pub fn of(index: usize) -> Self {
        match index % 3 {
            0 => Self::Plain,
            1 => Self::Chart,
            _ => Self::Overlay,
        }
    }

    /// How many of `apps` applications are of this sort.
    pub fn among(self, apps: usize) -> usize {
        (0..apps).filter(|index| Self::of(*index) == self).count()
    }
}

/// Name of the `index`th application.
pub fn name(index: usize) -> String {
    format!("app-{index:04}")
}

/// What the `index`th application has to itself; `note` ends up in its ConfigMap.
pub fn files(index: usize, note: &str) -> Vec<File> {
    let app = name(index);
    match Sort::of(index) {
        Sort::Plain => manifests(&Texts {
            name: &app,
            note,
            level: "own",
            replicas: "1",
            image: &format!("{IMAGE}:1.0"),
            settings: &app,
        })
        .into_iter()
        .map(|(file, text)| (format!("src/{app}/{file}.yaml"), text))
        .collect(),
        Sort::Chart => vec![(
            format!("src/{app}/values.yaml"),
            format!("note: {note}\nimage: {{repository: {IMAGE}, tag: '1.0'}}\n"),
        )],
        Sort::Overlay => vec![(
            format!("src/{app}/kustomization.yaml"),
            format!(
                "resources: [../../base]\nnamePrefix: {app}-\nlabels: [{{pairs: {{app: {app}}}, includeSelectors: true}}]\nimages: [{{name: {IMAGE}, \
                 newTag: '1.0'}}]\nconfigMapGenerator:\n- {{name: settings, literals: ['note={note}']}}\npatches:\n- patch: |-\n    apiVersion: \
                 apps/v1\n    kind: Deployment\n    metadata: {{name: web}}\n    spec: {{replicas: 1}}\n"
            ),
        )],
    }
}

/// The chart. `level` ends up in every Service of a third.
pub fn chart(level: &str) -> Vec<File> {
    let mut files = vec![
        (
            "charts/service/Chart.yaml".to_owned(),
            "apiVersion: v2\nname: service\nversion: 1.0.0\n".to_owned(),
        ),
        (
            "charts/service/values.yaml".to_owned(),
            "note: none\nreplicas: 1\nimage: {repository: x, tag: y}\n".to_owned(),
        ),
    ];
    let templates = manifests(&Texts {
        name: "{{ .Release.Name }}",
        note: "{{ .Values.note }}",
        level,
        replicas: "{{ .Values.replicas }}",
        image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}",
        settings: "{{ .Release.Name }}",
    });
    files.extend(templates.map(|(file, text)| (format!("charts/service/templates/{file}.yaml"), text)));
    files
}

/// The base. `level` ends up in every Service of a third.
pub fn base(level: &str) -> Vec<File> {
    let mut files = vec![(
        "base/kustomization.yaml".to_owned(),
        "resources: [serviceaccount.yaml, service.yaml, deployment.yaml]\n".to_owned(),
    )];
    let manifests = manifests(&Texts {
        name: "web",
        note: "",
        level,
        replicas: "2",
        image: IMAGE,
        settings: "settings",
    });
    // Each overlay generates its own ConfigMap.
    let kept = manifests.into_iter().filter(|(file, _)| *file != "configmap");
    files.extend(kept.map(|(file, text)| (format!("base/{file}.yaml"), text)));
    files
}

/// Everything that `apps` applications are made from.
pub fn all(apps: usize, note: &str) -> Vec<File> {
    let own = (0..apps).flat_map(|index| files(index, note));
    own.chain(chart("first")).chain(base("first")).collect()
}

/// The source of the `index`th application: `spec.source`.
pub fn source(index: usize, url: &str) -> Value {
    let app = name(index);
    let mut source = json!({"repoURL": url, "targetRevision": "main", "path": format!("src/{app}")});
    if Sort::of(index) == Sort::Chart {
        source["path"] = "charts/service".into();
        source["helm"] = json!({"valueFiles": [format!("../../src/{app}/values.yaml")]});
    }
    source
}

struct Texts<'a> {
    name: &'a str,
    note: &'a str,
    level: &'a str,
    replicas: &'a str,
    image: &'a str,
    /// Name of the ConfigMap that the Deployment uses.
    settings: &'a str,
}

fn manifests(texts: &Texts<'_>) -> [(&'static str, String); 4] {
    let Texts {
        name,
        note,
        level,
        replicas,
        image,
        settings,
    } = texts;
    let head = |api: &str, kind: &str| {
        format!("apiVersion: {api}\nkind: {kind}\nmetadata:\n  name: {name}\n  labels:\n    app: {name}\n")
    };
    let lines = "    level=info\n    colour=blue\n".repeat(8);
    [
        ("serviceaccount", head("v1", "ServiceAccount")),
        (
            "configmap",
            format!(
                "{}data:\n  note: {note}\n  settings: |\n{lines}",
                head("v1", "ConfigMap")
            ),
        ),
        (
            "service",
            format!(
                "{}  annotations:\n    {LEVEL}: {level}\nspec:\n  selector:\n    app: {name}\n  ports:\n  - name: http\n    port: 80\n    \
                 targetPort: 8080\n",
                head("v1", "Service")
            ),
        ),
        (
            "deployment",
            format!(
                "{}spec:\n  replicas: {replicas}\n  selector:\n    matchLabels:\n      app: {name}\n  template:\n    metadata:\n      labels:\n        \
                 app: {name}\n    spec:\n      serviceAccountName: {name}\n      containers:\n      - name: main\n        image: {image}\n        \
                 ports:\n        - name: http\n          containerPort: 8080\n        envFrom:\n        - configMapRef:\n            name: {settings}\n        \
                 resources:\n          requests:\n            cpu: 1m\n            memory: 1Mi\n",
                head("apps/v1", "Deployment")
            ),
        ),
    ]
}
