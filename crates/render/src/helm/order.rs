//! From rendered text to manifests in the order Helm installs them, and to the text `helm template` prints.

use memchr::memmem;

use super::error::HelmError;
use super::matcher;
use super::metadata::Head;

/// One manifest that is not a hook.
pub struct Manifest {
    /// The template it comes from, with the chart's name in front; for a CRD its file.
    pub path: String,
    /// Its text.
    pub text: String,
    /// Its kind; empty for files of `crds/`, which are taken as they are.
    pub kind: String,
}

/// One hook.
pub struct Hook {
    /// The template it comes from.
    pub path: String,
    /// Its text.
    pub text: String,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// When it runs: `pre-install`, `test` and so on.
    pub events: Vec<String>,
    /// `helm.sh/hook-weight`.
    pub weight: i64,
    /// `helm.sh/hook-delete-policy`.
    pub delete_policies: Vec<String>,
    /// `helm.sh/hook-output-log-policy`.
    pub output_log_policies: Vec<String>,
}

impl Hook {
    /// Whether it is a test.
    pub fn is_test(&self) -> bool {
        self.events.iter().any(|event| event == "test")
    }
}

/// The order in which kinds are installed; others follow, by name.
const INSTALL_ORDER: [&str; 38] = [
    "PriorityClass",
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "SecretList",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleList",
    "ClusterRoleBinding",
    "ClusterRoleBindingList",
    "Role",
    "RoleList",
    "RoleBinding",
    "RoleBindingList",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
];

const EVENTS: [&str; 9] = [
    "pre-install",
    "post-install",
    "pre-delete",
    "post-delete",
    "pre-upgrade",
    "post-upgrade",
    "pre-rollback",
    "post-rollback",
    "test",
];

fn rank(kind: &str) -> (usize, &str) {
    match INSTALL_ORDER.iter().position(|&known| known == kind) {
        Some(place) => (place, ""),
        None => (INSTALL_ORDER.len(), kind),
    }
}

/// Splits rendered files, in order of their names, into hooks and other manifests, each in install order.
pub(crate) fn sort(files: &[(String, String)]) -> Result<(Vec<Hook>, Vec<Manifest>), HelmError> {
    let mut sorted: Vec<&(String, String)> = files.iter().collect();
    sorted.sort_by(|a, b| a.0.cmp(&b.0));
    let (mut hooks, mut manifests) = (Vec::new(), Vec::new());
    for (path, content) in sorted {
        let partial = path.rsplit('/').next().is_some_and(|name| name.starts_with('_'));
        if partial || content.trim().is_empty() {
            continue;
        }
        for text in split(content) {
            let head = Head::read(text).map_err(|e| HelmError::Manifest {
                message: format!("YAML parse error on {path}: {e}"),
            })?;
            match head.annotation("helm.sh/hook") {
                None => manifests.push(Manifest {
                    path: path.clone(),
                    text: text.to_owned(),
                    kind: head.kind,
                }),
                Some(events) => hooks.extend(hook(path, text, events, &head)),
            }
        }
    }
    hooks.sort_by(|a: &Hook, b| rank(&a.kind).cmp(&rank(&b.kind)));
    manifests.sort_by(|a: &Manifest, b| rank(&a.kind).cmp(&rank(&b.kind)));
    Ok((hooks, manifests))
}

/// A hook with an event nobody knows is left out, as in Helm.
fn hook(path: &str, text: &str, events: &str, head: &Head) -> Option<Hook> {
    let events = lower_list(events)
        .map(|event| match &*event {
            "test-success" => Some("test".to_owned()),
            known if EVENTS.contains(&known) => Some(event),
            _ => None,
        })
        .collect::<Option<Vec<_>>>()?;
    let policies = |key: &str| {
        head.annotation(key)
            .map(|v| lower_list(v).collect())
            .unwrap_or_default()
    };
    let weight = head.annotation("helm.sh/hook-weight").unwrap_or_default();
    Some(Hook {
        path: path.to_owned(),
        text: text.to_owned(),
        kind: head.kind.clone(),
        name: head.name.clone(),
        events,
        weight: weight.parse().unwrap_or(0),
        delete_policies: policies("helm.sh/hook-delete-policy"),
        output_log_policies: policies("helm.sh/hook-output-log-policy"),
    })
}

fn lower_list(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(',').map(|item| item.trim().to_lowercase())
}

/// The documents of a text: split at `---` where a line begins, whatever follows it, and without blank ones.
pub(crate) fn split(text: &str) -> Vec<&str> {
    let text = text.trim_start();
    let bytes = text.as_bytes();
    let mut documents = Vec::new();
    let mut start = 0;
    let dashes = text.starts_with("---").then_some(0);
    for at in dashes
        .into_iter()
        .chain(memmem::find_iter(bytes, "\n---").map(|at| at + 1))
    {
        documents.push(text.get(start..at).unwrap_or_default());
        let after = bytes.get(at + 3..).unwrap_or_default();
        let blank = after.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        start = at + 3 + blank;
    }
    documents.push(text.get(start..).unwrap_or_default());
    documents
        .into_iter()
        .map(str::trim_start)
        .filter(|document| !document.is_empty())
        .collect()
}

/// The text `helm template` prints.
pub(crate) fn print(
    manifests: &[Manifest],
    hooks: &[Hook],
    no_hooks: bool,
    skip_tests: bool,
    show_only: &[String],
) -> Result<String, HelmError> {
    let parts = manifests.iter().map(|manifest| (&manifest.path, &manifest.text));
    let parts = parts.chain(hooks.iter().map(|hook| (&hook.path, &hook.text)));
    let bytes = parts
        .map(|(path, text)| SOURCE.len() + path.len() + text.len() + 2)
        .sum::<usize>()
        + 1;
    let mut text = String::with_capacity(bytes);
    for manifest in manifests {
        push(&mut text, &manifest.path, &manifest.text);
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    if !no_hooks {
        for hook in hooks.iter().filter(|h| !(skip_tests && h.is_test())) {
            push(&mut text, &hook.path, &hook.text);
        }
    }
    if show_only.is_empty() {
        return Ok(text);
    }
    let documents = split(&text);
    let mut shown = String::new();
    for pattern in show_only {
        let pattern = pattern.replace('\\', "/");
        let before = shown.len();
        for document in &documents {
            if source(document).is_some_and(|name| matcher::matches(&pattern, name)) {
                shown.push_str("---\n");
                shown.push_str(document);
                shown.push('\n');
            }
        }
        if shown.len() == before {
            return Err(HelmError::Option(format!("could not find template {pattern} in chart")));
        }
    }
    Ok(shown)
}

/// What stands before a manifest's path.
const SOURCE: &str = "---\n# Source: ";

fn push(text: &mut String, path: &str, manifest: &str) {
    for part in [SOURCE, path, "\n", manifest, "\n"] {
        text.push_str(part);
    }
}

/// The file named in a document's first `# Source:`, without the chart's name.
fn source(document: &str) -> Option<&str> {
    document.split("# Source: ").skip(1).find_map(|after| {
        let line = after.lines().next()?;
        let (chart, name) = line.split_once('/')?;
        (!chart.is_empty() && !name.is_empty()).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_split_where_a_line_begins_with_dashes() {
        assert_eq!(
            split("\n---\na: 1\n--- \nb: 2\n---c: 3\n---\n\n"),
            ["a: 1\n", "b: 2\n", "c: 3\n"]
        );
        assert_eq!(split("a: |\n  ---\n"), ["a: |\n  ---\n"]);
    }

    #[test]
    fn hooks_and_kinds_are_sorted() {
        let files = [
            ("c/templates/b.yaml".to_owned(), "kind: Zebra\n---\nkind: Deployment\n---\nkind: Alpha\n".to_owned()),
            ("c/templates/a.yaml".to_owned(), "kind: Service\n".to_owned()),
            (
                "c/templates/t.yaml".to_owned(),
                "kind: Pod\nmetadata:\n  name: t\n  annotations:\n    helm.sh/hook: test-success, post-install\n    helm.sh/hook-weight: \"5\"\n".to_owned(),
            ),
        ];
        let (hooks, manifests) = sort(&files).map_err(|e| e.to_string()).expect("sorts");
        let kinds: Vec<&str> = manifests.iter().map(|m| &*m.kind).collect();
        assert_eq!(kinds, ["Service", "Deployment", "Alpha", "Zebra"]);
        assert_eq!(hooks.len(), 1);
        assert_eq!(
            (&*hooks[0].events.join(" "), hooks[0].weight, hooks[0].is_test()),
            ("test post-install", 5, true)
        );
        let shown = print(&manifests, &hooks, false, false, &["templates/t*".to_owned()]);
        assert!(shown.is_ok_and(|text| text.starts_with("---\n# Source: c/templates/t.yaml\nkind: Pod\n")));
        let missing = print(&manifests, &hooks, false, true, &["templates/t*".to_owned()]);
        assert!(missing.is_err());
    }

    #[test]
    fn a_manifest_that_is_no_yaml_names_its_template() {
        let files = [("c/templates/x.yaml".to_owned(), "a: b: c\n".to_owned())];
        let message = sort(&files).err().map(|e| e.to_string()).unwrap_or_default();
        assert!(
            message.starts_with("YAML parse error on c/templates/x.yaml: error converting YAML to JSON: yaml: "),
            "{message}"
        );
    }
}
