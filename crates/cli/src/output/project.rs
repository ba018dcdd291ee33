//! How projects look.

use pintle_model::project::AppProject;

use super::table::table;

/// Columns of `proj list` [F6.12].
const COLUMNS: [&str; 9] = [
    "NAME",
    "DESCRIPTION",
    "DESTINATIONS",
    "SOURCES",
    "CLUSTER-RESOURCE-WHITELIST",
    "NAMESPACE-RESOURCE-BLACKLIST",
    "SIGNATURE-KEYS",
    "ORPHANED-RESOURCES",
    "DESTINATION-SERVICE-ACCOUNTS",
];

/// `proj list`.
pub(crate) fn list(projects: &[AppProject]) -> String {
    table(&COLUMNS, projects.iter().map(row))
}

fn row(project: &AppProject) -> Vec<String> {
    let spec = &project.spec;
    let count = |n: usize, one: Option<String>, many: &str| match (n, one) {
        (0, _) => "<none>".to_owned(),
        (1, Some(one)) => one,
        (n, _) => format!("{n} {many}"),
    };
    vec![
        project.metadata.name.clone(),
        spec.description.clone(),
        count(
            spec.destinations.len(),
            spec.destinations
                .first()
                .map(|d| format!("{},{}", d.server, d.namespace)),
            "destinations",
        ),
        count(spec.source_repos.len(), spec.source_repos.first().cloned(), "repos"),
        count(
            spec.cluster_resource_whitelist.len(),
            spec.cluster_resource_whitelist
                .first()
                .map(|r| format!("{}/{}", r.group, r.kind)),
            "resources",
        ),
        count(spec.namespace_resource_blacklist.len(), None, "resources"),
        count(spec.signature_keys.len(), None, "key(s)"),
        orphaned(project),
        count(
            spec.destination_service_accounts.len(),
            spec.destination_service_accounts
                .first()
                .map(|a| format!("{},{},{}", a.server, a.namespace, a.default_service_account)),
            "destinationServiceAccounts",
        ),
    ]
}

fn orphaned(project: &AppProject) -> String {
    match &project.spec.orphaned_resources {
        None => "disabled".into(),
        Some(settings) => {
            let mut details = vec![format!("warn={}", settings.warn == Some(true))];
            if !settings.ignore.is_empty() {
                details.push(format!("ignored {}", settings.ignore.len()));
            }
            format!("enabled ({})", details.join(","))
        }
    }
}

/// `proj get`.
pub(crate) fn summary(project: &AppProject) -> String {
    let spec = &project.spec;
    let mut text = String::new();
    let mut block = |title: &str, values: Vec<String>| {
        let mut values = values.into_iter();
        let first = values.next().unwrap_or_else(|| "<none>".into());
        text.push_str(format!("{title:<29}{first}").trim_end());
        text.push('\n');
        for value in values {
            text.push_str(&format!("{:<29}{value}\n", ""));
        }
    };
    block("Name:", vec![project.metadata.name.clone()]);
    block("Description:", vec![spec.description.clone()]);
    let destination = |d: &pintle_model::application::Destination| {
        let cluster = if d.server.is_empty() { &d.name } else { &d.server };
        format!("{cluster},{}", d.namespace)
    };
    block("Destinations:", spec.destinations.iter().map(destination).collect());
    block("Repositories:", spec.source_repos.clone());
    block("Source Namespaces:", spec.source_namespaces.clone());
    let cluster_kind = |r: &pintle_model::project::ClusterResource| {
        let name = if r.name.is_empty() {
            String::new()
        } else {
            format!("/{}", r.name)
        };
        format!("{}/{}{name}", r.group, r.kind)
    };
    block(
        "Allowed Cluster Resources:",
        spec.cluster_resource_whitelist.iter().map(cluster_kind).collect(),
    );
    block(
        "Denied Cluster Resources:",
        spec.cluster_resource_blacklist.iter().map(cluster_kind).collect(),
    );
    let kind = |r: &pintle_model::project::ResourceKind| format!("{}/{}", r.group, r.kind);
    let allowed = match &spec.namespace_resource_whitelist {
        None => vec!["*/*".into()],
        Some(list) => list.iter().map(kind).collect(),
    };
    block("Allowed Namespaced Resources:", allowed);
    block(
        "Denied Namespaced Resources:",
        spec.namespace_resource_blacklist.iter().map(kind).collect(),
    );
    block(
        "Signature keys:",
        spec.signature_keys.iter().map(|k| k.key_id.clone()).collect(),
    );
    block("Orphaned Resources:", vec![orphaned(project)]);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_project_as_the_peer_shows_it() {
        let project = AppProject::allow_all("argocd");
        assert_eq!(
            list(&[project]),
            "NAME     DESCRIPTION  DESTINATIONS  SOURCES  CLUSTER-RESOURCE-WHITELIST  NAMESPACE-RESOURCE-BLACKLIST  SIGNATURE-KEYS  ORPHANED-RESOURCES  DESTINATION-SERVICE-ACCOUNTS\n\
             default               *,*           *        */*                         <none>                        <none>          disabled            <none>\n"
        );
    }
}
