//! A repository of Applications, a third each plain manifests, one chart with values of their own, and overlays over one base.

use super::Result;
use super::monorepo::Monorepo;

/// The URL that the Applications name; the checkout has it as a remote.
const URL: &str = "https://git.example.com/platform/fleet.git";
const IMAGE: &str = "registry.example/app";

/// Name of the `index`th application.
fn name(index: usize) -> String {
    format!("app-{index:04}")
}

/// Makes the repository: `main`, `none` with a commit that nothing reads, `one` with one application touched, `all` with every one.
pub(super) fn repository(apps: usize) -> Result<Monorepo> {
    let repo = Monorepo::empty()?;
    repo.git(&["remote", "add", "origin", URL])?;
    shared(&repo)?;
    for index in 0..apps {
        let app = name(index);
        repo.write(&format!("apps/{app}.yaml"), &application(index))?;
        write(&repo, index, "first")?;
    }
    repo.commit("all applications")?;
    for (branch, touched) in [("none", 0..0), ("one", 0..1), ("all", 0..apps)] {
        repo.git(&["checkout", "--quiet", "-b", branch, "main"])?;
        repo.write("README.md", &format!("{branch}\n"))?;
        for index in touched {
            write(&repo, index, "second")?;
        }
        repo.commit(branch)?;
    }
    repo.git(&["checkout", "--quiet", "main"])?;
    repo.pack()?;
    Ok(repo)
}

/// What each application has to itself; `note` ends up in its ConfigMap.
fn write(repo: &Monorepo, index: usize, note: &str) -> Result<()> {
    let app = name(index);
    let replicas = 1 + index % 3;
    match index % 3 {
        0 => {
            for (file, text) in manifests(&app, note, &replicas.to_string(), &format!("{IMAGE}:1.0")) {
                repo.write(&format!("src/{app}/{file}.yaml"), &text)?;
            }
            Ok(())
        }
        1 => repo.write(
            &format!("src/{app}/values.yaml"),
            &format!("note: {note}\nreplicas: {replicas}\nimage: {{repository: {IMAGE}, tag: '1.0'}}\n"),
        ),
        _ => repo.write(
            &format!("src/{app}/kustomization.yaml"),
            &format!(
                "resources: [../../base]\nnamePrefix: {app}-\nlabels: [{{pairs: {{app: {app}}}, includeSelectors: true}}]\nimages: [{{name: {IMAGE}, \
                 newTag: '1.0'}}]\nconfigMapGenerator:\n- {{name: settings, literals: [note={note}]}}\npatches:\n- patch: |-\n    apiVersion: \
                 apps/v1\n    kind: Deployment\n    metadata: {{name: web}}\n    spec: {{replicas: {replicas}}}\n"
            ),
        ),
    }
}

/// The chart and the base.
fn shared(repo: &Monorepo) -> Result<()> {
    repo.write(
        "charts/service/Chart.yaml",
        "apiVersion: v2\nname: service\nversion: 1.0.0\n",
    )?;
    repo.write(
        "charts/service/values.yaml",
        "note: none\nreplicas: 1\nimage: {repository: x, tag: y}\n",
    )?;
    let image = "{{ .Values.image.repository }}:{{ .Values.image.tag }}";
    for (file, text) in manifests(
        "{{ .Release.Name }}",
        "{{ .Values.note }}",
        "{{ .Values.replicas }}",
        image,
    ) {
        repo.write(&format!("charts/service/templates/{file}.yaml"), &text)?;
    }
    for (file, text) in manifests("web", "", "1", IMAGE) {
        if file != "configmap" {
            repo.write(
                &format!("base/{file}.yaml"),
                &text.replace("name: web # settings", "name: settings"),
            )?;
        }
    }
    repo.write(
        "base/kustomization.yaml",
        "resources: [serviceaccount.yaml, service.yaml, deployment.yaml]\n",
    )
}

fn manifests(name: &str, note: &str, replicas: &str, image: &str) -> [(&'static str, String); 4] {
    let head = |api: &str, kind: &str| {
        format!("apiVersion: {api}\nkind: {kind}\nmetadata:\n  name: {name}\n  labels:\n    app: {name}\n")
    };
    let settings = "    level=info\n    colour=blue\n".repeat(8);
    [
        ("serviceaccount", head("v1", "ServiceAccount")),
        (
            "configmap",
            format!(
                "{}data:\n  note: {note}\n  settings: |\n{settings}",
                head("v1", "ConfigMap")
            ),
        ),
        (
            "service",
            format!(
                "{}spec:\n  selector:\n    app: {name}\n  ports:\n  - name: http\n    port: 80\n    targetPort: 8080\n",
                head("v1", "Service")
            ),
        ),
        (
            "deployment",
            format!(
                "{}spec:\n  replicas: {replicas}\n  selector:\n    matchLabels:\n      app: {name}\n  template:\n    metadata:\n      labels:\n        \
                 app: {name}\n    spec:\n      serviceAccountName: {name}\n      containers:\n      - name: main\n        image: {image}\n        \
                 ports:\n        - name: http\n          containerPort: 8080\n        envFrom:\n        - configMapRef:\n            name: {name} # \
                 settings\n        resources:\n          requests:\n            cpu: 1m\n            memory: 1Mi\n",
                head("apps/v1", "Deployment")
            ),
        ),
    ]
}

fn application(index: usize) -> String {
    let app = name(index);
    let source = match index % 3 {
        1 => format!("path: charts/service\n    helm: {{valueFiles: [../../src/{app}/values.yaml]}}"),
        _ => format!("path: src/{app}"),
    };
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {app}, namespace: argocd}}\nspec:\n  project: default\n  destination: \
         {{server: 'https://kubernetes.default.svc', namespace: bench}}\n  syncPolicy: {{automated: {{prune: true}}}}\n  source:\n    repoURL: \
         {URL}\n    targetRevision: main\n    {source}\n"
    )
}
