//! How Applications look [F6.6–F6.9].

use std::collections::BTreeMap;

use jiff::Timestamp;
use pintle_model::application::{Application, OperationState, Source, SyncStatusCode};
use pintle_model::{ResourceKey, revision};

use super::table::{Layout, TABLE, align, table};
use super::time;

/// `argocd/guestbook`: how lists name Applications.
pub(crate) fn qualified(app: &Application) -> String {
    app.qualified_name()
}

fn cluster(app: &Application) -> String {
    let destination = &app.spec.destination;
    if destination.server.is_empty() {
        destination.name.clone()
    } else {
        destination.server.clone()
    }
}

/// `app list`; `wide` adds repository, path and target.
pub(crate) fn list(apps: &[Application], wide: bool) -> String {
    let mut header = vec![
        "NAME",
        "CLUSTER",
        "NAMESPACE",
        "PROJECT",
        "STATUS",
        "HEALTH",
        "SYNCPOLICY",
        "CONDITIONS",
    ];
    if wide {
        header.extend(["REPO", "PATH", "TARGET"]);
    }
    table(&header, apps.iter().map(|app| list_row(app, wide)))
}

fn list_row(app: &Application, wide: bool) -> Vec<String> {
    let mut row = vec![
        qualified(app),
        cluster(app),
        app.spec.destination.namespace.clone(),
        app.spec.project_or_default().to_owned(),
        app.status.sync.status.to_string(),
        app.status.health.status.to_string(),
        match app.spec.automated() {
            Some(automated) if automated.prunes() => "Auto-Prune",
            Some(_) => "Auto",
            None => "Manual",
        }
        .to_owned(),
        conditions_summary(app),
    ];
    if wide {
        let source = app.spec.effective_sources().first().cloned().unwrap_or_default();
        row.extend([source.repo_url, source.path, source.target_revision]);
    }
    row
}

fn conditions_summary(app: &Application) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for condition in &app.status.conditions {
        *counts.entry(condition.kind.as_str()).or_default() += 1;
    }
    if counts.is_empty() {
        return "<none>".into();
    }
    let said = counts.iter().map(|(kind, n)| {
        if *n > 1 {
            format!("{kind}({n})")
        } else {
            (*kind).to_owned()
        }
    });
    said.collect::<Vec<_>>().join(",")
}

fn field(text: &mut String, name: &str, value: impl std::fmt::Display) {
    text.push_str(format!("{name:<20}{value}").trim_end());
    text.push('\n');
}

/// The block that `app get` begins with.
pub(crate) fn summary(app: &Application) -> String {
    let mut text = String::new();
    let sources = app.spec.effective_sources();
    field(&mut text, "Name:", qualified(app));
    field(&mut text, "Project:", app.spec.project_or_default());
    field(&mut text, "Server:", cluster(app));
    field(&mut text, "Namespace:", &app.spec.destination.namespace);
    text.push_str(if app.spec.has_multiple_sources() {
        "Sources:\n"
    } else {
        "Source:\n"
    });
    for source in &sources {
        source_details(&mut text, source);
    }
    field(&mut text, "SyncWindow:", "Sync Allowed");
    let policy = match app.spec.automated() {
        Some(automated) if automated.prunes() => "Automated (Prune)",
        Some(_) => "Automated",
        None => "Manual",
    };
    field(&mut text, "Sync Policy:", policy);
    field(&mut text, "Sync Status:", sync_status(app, sources.first()));
    let health = &app.status.health;
    let health = if health.message.is_empty() {
        health.status.to_string()
    } else {
        format!("{} ({})", health.status, health.message)
    };
    field(&mut text, "Health Status:", health);
    text
}

fn source_details(text: &mut String, source: &Source) {
    field(text, "- Repo:", &source.repo_url);
    field(text, "  Target:", &source.target_revision);
    if !source.path.is_empty() {
        field(text, "  Path:", &source.path);
    }
    if !source.r#ref.is_empty() {
        field(text, "  Ref:", &source.r#ref);
    }
    if let Some(helm) = source.helm.as_ref().filter(|h| !h.value_files.is_empty()) {
        field(text, "  Helm Values:", helm.value_files.join(","));
    }
    if let Some(kustomize) = source.kustomize.as_ref().filter(|k| !k.name_prefix.is_empty()) {
        field(text, "  Name Prefix:", &kustomize.name_prefix);
    }
}

fn sync_status(app: &Application, source: Option<&Source>) -> String {
    let sync = &app.status.sync;
    let target = source.map(|s| s.target_revision.as_str()).unwrap_or_default();
    let mut said = match sync.status {
        SyncStatusCode::Synced => format!("Synced to {target}"),
        SyncStatusCode::OutOfSync => format!("OutOfSync from {target}"),
        ref other => other.to_string(),
    };
    let is_sha = (7..=40).contains(&target.len()) && target.bytes().all(|b| b.is_ascii_hexdigit());
    if !is_sha
        && sync.revision.len() > 7
        && let Some(short) = sync.revision.get(..7)
    {
        said.push_str(&format!(" ({short})"));
    }
    said
}

/// The conditions, where there are any, with the blank lines around them.
pub(crate) fn conditions(app: &Application) -> String {
    if app.status.conditions.is_empty() {
        return String::new();
    }
    let rows = app.status.conditions.iter().map(|c| {
        vec![
            c.kind.to_string(),
            c.message.clone(),
            time::long(c.last_transition_time),
        ]
    });
    format!("\n{}\n", table(&["CONDITION", "MESSAGE", "LAST TRANSITION"], rows))
}

/// The last operation.
pub(crate) fn operation(state: &OperationState, now: Timestamp) -> String {
    let mut text = String::new();
    if let Some(result) = &state.sync_result {
        field(&mut text, "Operation:", "Sync");
        if result.revisions.is_empty() {
            field(&mut text, "Sync Revision:", &result.revision);
        } else {
            for (index, revision) in result.revisions.iter().enumerate() {
                let name = if index == 0 { "Sync Revisions:" } else { "" };
                field(&mut text, name, revision);
            }
        }
    }
    field(&mut text, "Phase:", &state.phase);
    field(&mut text, "Start:", time::long(state.started_at));
    field(&mut text, "Finished:", time::long(state.finished_at));
    if let Some(started) = state.started_at {
        let end = state.finished_at.map_or(now, |t| t.timestamp());
        field(
            &mut text,
            "Duration:",
            time::duration(end.duration_since(started.timestamp()).as_secs().max(0)),
        );
    }
    if !state.message.is_empty() {
        field(&mut text, "Message:", &state.message);
    }
    text
}

/// One object in tables and progress lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ResourceState {
    pub key: ResourceKey,
    pub status: String,
    pub health: String,
    pub hook: String,
    pub message: String,
}

impl ResourceState {
    fn cells(&self) -> [&str; 8] {
        let key = &self.key;
        [
            &key.group,
            &key.kind,
            &key.namespace,
            &key.name,
            &self.status,
            &self.health,
            &self.hook,
            &self.message,
        ]
    }
}

/// Objects of the last operation in its order, with what is known of them now, then all others in order of their keys.
pub(crate) fn resource_states(app: &Application) -> Vec<ResourceState> {
    let mut rest: BTreeMap<ResourceKey, _> = app.status.resources.iter().map(|r| (r.key(), r)).collect();
    let mut states = Vec::new();
    let results = app
        .status
        .operation_state
        .iter()
        .filter_map(|s| s.sync_result.as_ref())
        .flat_map(|r| &r.resources);
    for result in results {
        let key = ResourceKey::new(&*result.group, &*result.kind, &*result.namespace, &*result.name);
        let (mut status, mut health) = (result.hook_phase.to_string(), result.status.to_string());
        if let Some(now) = rest.get(&key).filter(|_| result.hook_type.is_unset()) {
            status = now.status.to_string();
            health = now.health.as_ref().map(|h| h.status.to_string()).unwrap_or_default();
        }
        rest.remove(&key);
        states.push(ResourceState {
            key,
            status,
            health,
            hook: result.hook_type.to_string(),
            message: result.message.clone(),
        });
    }
    states.extend(rest.into_iter().map(|(key, resource)| {
        ResourceState {
            key,
            status: resource.status.to_string(),
            health: resource
                .health
                .as_ref()
                .map(|h| h.status.to_string())
                .unwrap_or_default(),
            hook: String::new(),
            message: String::new(),
        }
    }));
    states
}

/// The table of objects that ends `app get` and `app sync`.
pub(crate) fn resources(app: &Application) -> String {
    let states = resource_states(app);
    let rows = states.iter().map(|s| s.cells().map(str::to_owned));
    table(
        &[
            "GROUP",
            "KIND",
            "NAMESPACE",
            "NAME",
            "STATUS",
            "HEALTH",
            "HOOK",
            "MESSAGE",
        ],
        rows,
    )
}

/// Header of progress lines [F6.8].
pub(crate) fn progress_header() -> String {
    progress_text([
        "TIMESTAMP",
        "GROUP",
        "KIND",
        "NAMESPACE",
        "NAME",
        "STATUS",
        "HEALTH",
        "HOOK",
        "MESSAGE",
    ])
}

/// One progress line [F6.8].
pub(crate) fn progress_line(state: &ResourceState, now: Timestamp) -> String {
    let [group, kind, namespace, name, status, health, hook, message] = state.cells();
    progress_text([
        &time::line(now),
        group,
        kind,
        namespace,
        name,
        status,
        health,
        hook,
        message,
    ])
}

fn progress_text(cells: [&str; 9]) -> String {
    let [time, group, kind, namespace, name, status, health, hook, message] = cells;
    let message = message.replace(['\t', '\n'], " ");
    let line = format!(
        "{time}\t{group:>5}\t{kind:>10}\t{namespace:>10}\t{name:>20}\t{status:>8}\t{health:>7}\t{hook:>10}\t{message}\n"
    );
    align(
        &line,
        Layout {
            min_width: 5,
            padding: 2,
        },
    )
}

/// `app history`: a block for each source.
pub(crate) fn history(app: &Application) -> String {
    let mut blocks: Vec<(String, Vec<String>)> = Vec::new();
    for entry in &app.status.history {
        let sources = if entry.sources.is_empty() {
            std::slice::from_ref(&entry.source)
        } else {
            &entry.sources[..]
        };
        for (index, source) in sources.iter().enumerate() {
            let commit = entry.revisions.get(index).unwrap_or(&entry.revision);
            let target = &source.target_revision;
            let said = match (target.is_empty(), revision::short(commit)) {
                (true, short) => short.to_owned(),
                (false, short) if short == target => target.clone(),
                (false, short) => format!("{target} ({short})"),
            };
            let line = format!("{}\t{}\t{said}\n", entry.id, time::long(entry.deployed_at));
            match blocks.iter_mut().find(|(url, _)| *url == source.repo_url) {
                Some((_, lines)) => lines.push(line),
                None => blocks.push((source.repo_url.clone(), vec![line])),
            }
        }
    }
    let text: Vec<String> = blocks
        .into_iter()
        .map(|(url, lines)| align(&format!("SOURCE\t{url}\nID\tDATE\tREVISION\n{}", lines.concat()), TABLE))
        .collect();
    text.join("\n")
}

#[cfg(test)]
mod tests {
    use pintle_model::Object;

    use super::*;

    /// An Application in the middle of its life, as a controller writes it.
    fn application() -> Application {
        let text = include_str!("../../testdata/application.yaml");
        let object = pintle_model::yaml_objects(text).remove(0).result.ok().unwrap();
        Application::from_object(&Object::new(object.into_value()).ok().unwrap()).unwrap()
    }

    #[test]
    fn a_list() {
        let app = application();
        assert_eq!(
            list(std::slice::from_ref(&app), false),
            "NAME             CLUSTER                         NAMESPACE  PROJECT  STATUS     HEALTH    SYNCPOLICY  CONDITIONS\n\
             argocd/shop-dev  https://kubernetes.default.svc  dev        default  OutOfSync  Degraded  Auto-Prune  ComparisonError,OrphanedResourceWarning(2)\n"
        );
        let wide = list(&[app], true);
        assert!(wide.contains("REPO                  PATH  TARGET\n"), "{wide}");
        assert!(wide.ends_with("https://git/shop.git  dev   main\n"), "{wide}");
        assert_eq!(
            list(&[], false),
            "NAME  CLUSTER  NAMESPACE  PROJECT  STATUS  HEALTH  SYNCPOLICY  CONDITIONS\n"
        );
    }

    #[test]
    fn one_application() {
        assert_eq!(
            summary(&application()),
            "Name:               argocd/shop-dev\n\
             Project:            default\n\
             Server:             https://kubernetes.default.svc\n\
             Namespace:          dev\n\
             Source:\n\
             - Repo:             https://git/shop.git\n\
             \x20 Target:           main\n\
             \x20 Path:             dev\n\
             SyncWindow:         Sync Allowed\n\
             Sync Policy:        Automated (Prune)\n\
             Sync Status:        OutOfSync from main (53e28ff)\n\
             Health Status:      Degraded (web: image :broken)\n"
        );
    }

    #[test]
    fn an_operation_and_its_objects() {
        let app = application();
        let now = "2026-01-02T03:05:05Z".parse().unwrap();
        assert_eq!(
            operation(app.status.operation_state.as_ref().unwrap(), now),
            "Operation:          Sync\n\
             Sync Revision:      53e28ff20cc530b9ada2173fbbd64d48338583ba\n\
             Phase:              Succeeded\n\
             Start:              2026-01-02 03:04:05 +0000 UTC\n\
             Finished:           2026-01-02 03:04:07 +0000 UTC\n\
             Duration:           2s\n\
             Message:            successfully synced (all tasks run)\n"
        );
        // Hooks show how they ended; objects what they are now, wherever the operation mentions them; the others follow.
        assert_eq!(
            resources(&app),
            "GROUP  KIND        NAMESPACE  NAME      STATUS     HEALTH    HOOK     MESSAGE\n\
             batch  Job         dev        migrate   Succeeded  Synced    PreSync  Reached expected number of succeeded pods\n\
             apps   Deployment  dev        web       OutOfSync  Degraded           deployment.apps/web configured\n\
             \x20      ConfigMap   dev        settings  Synced                        \n"
        );
    }

    #[test]
    fn progress_has_the_widths_of_the_peer() {
        let now = "2026-01-02T03:04:05Z".parse().unwrap();
        let state = resource_states(&application()).remove(1);
        assert_eq!(
            progress_line(&state, now),
            "2026-01-02T03:04:05+00:00   apps  Deployment         dev                   web  OutOfSync  Degraded              deployment.apps/web configured\n"
        );
    }

    #[test]
    fn a_history() {
        assert_eq!(
            history(&application()),
            "SOURCE  https://git/shop.git\n\
             ID      DATE                           REVISION\n\
             3       2026-01-01 00:00:00 +0000 UTC  main (aaaaaaa)\n\
             4       2026-01-02 03:04:07 +0000 UTC  main (53e28ff)\n"
        );
    }
}
