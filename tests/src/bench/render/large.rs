//! A kustomization of thousands of resources: what rendering costs where there is much of it.

use std::{fmt::Write as _, fs, path::Path};

use super::super::Result;

/// Resources of the large build, and of the one that Kustomize is asked for too: each name is looked for in every other resource there, so
/// that ten times the resources take it a hundred times as long.
pub(super) const RESOURCES: usize = 4000;
/// See [`RESOURCES`].
pub(super) const RESOURCES_BESIDE: usize = 400;
/// Files they are in.
const FILES: usize = 40;

/// Writes it: Deployments that read ConfigMaps, in a namespace, with a prefix, labels, another image tag and a patch.
pub(super) fn write(directory: &Path, resources: usize) -> Result<()> {
    let mut kustomization = String::from(
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: large\nnamePrefix: prod-\nlabels:\n- pairs:\n    team: shop\n  includeSelectors: true\nimages:\n- name: registry.example.com/app\n  newTag: \"2.0\"\npatches:\n- target:\n    kind: Deployment\n  patch: |-\n    - op: replace\n      path: /spec/replicas\n      value: 3\nresources:\n",
    );
    for file in 0..FILES {
        let mut text = String::new();
        for number in (file * resources / FILES)..((file + 1) * resources / FILES) {
            // Each Deployment reads the ConfigMap before it, so that names are to be followed.
            if number % 2 == 0 {
                config_map(&mut text, number);
            } else {
                deployment(&mut text, number);
            }
        }
        fs::write(directory.join(format!("part-{file}.yaml")), text)?;
        let _ = writeln!(kustomization, "- part-{file}.yaml");
    }
    Ok(fs::write(directory.join("kustomization.yaml"), kustomization)?)
}

fn config_map(text: &mut String, number: usize) {
    let _ = write!(
        text,
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings-{number}\n  labels:\n    app: app-{number}\n  annotations:\n    example.com/owner: team-{}\ndata:\n",
        number % 17
    );
    for line in 0..8 {
        let _ = writeln!(
            text,
            "  setting-{line}: \"value {line} of resource {number}, long enough to be one\""
        );
    }
}

fn deployment(text: &mut String, number: usize) {
    let settings = number - 1;
    let _ = write!(
        text,
        "---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app-{number}\n  labels:\n    app: app-{number}\nspec:\n  replicas: 1\n  selector:\n    matchLabels:\n      app: app-{number}\n  template:\n    metadata:\n      labels:\n        app: app-{number}\n    spec:\n      containers:\n      - name: app\n        image: registry.example.com/app:1.0\n        args: [\"--port=8080\", \"--name=app-{number}\"]\n        envFrom:\n        - configMapRef:\n            name: settings-{settings}\n        ports:\n        - containerPort: 8080\n          name: http\n        resources:\n          limits:\n            memory: 128Mi\n          requests:\n            cpu: 100m\n            memory: 64Mi\n"
    );
}
