//! What flags select: applications, objects, revisions.

use pintle_model::ResourceKey;
use pintle_model::application::{Application, SyncResource};
use pintle_server::api::{AppRef, ApplicationQuery};

use super::{app_ref, ref_of};
use crate::args::AppNamespace;
use crate::exit::CliError;
use crate::wiring::Session;

/// The Applications that names, a label selector or projects mean; wrong usage where nothing is given.
pub(super) async fn applications(
    session: &Session,
    names: &[String],
    selector: Option<&String>,
    projects: &[String],
    namespace: &AppNamespace,
) -> Result<Vec<AppRef>, CliError> {
    if names.is_empty() && selector.is_none() && projects.is_empty() {
        return Err(CliError::usage("no application is named").with_hint("name applications, or select them with -l"));
    }
    if !names.is_empty() && (selector.is_some() || !projects.is_empty()) {
        return Err(CliError::usage("Cannot use names and selectors together"));
    }
    if !names.is_empty() {
        return Ok(names.iter().map(|name| app_ref(name, namespace)).collect());
    }
    let query = ApplicationQuery {
        selector: selector.cloned().unwrap_or_default(),
        projects: projects.to_vec(),
        app_namespace: namespace.app_namespace.clone().unwrap_or_default(),
        ..ApplicationQuery::default()
    };
    let found = session.apps.list(query).await?;
    if found.is_empty() {
        return Err(CliError::error("no matching apps found for the selector"));
    }
    Ok(found.iter().map(ref_of).collect())
}

/// One `--resource`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Selected {
    group: String,
    kind: String,
    namespace: String,
    name: String,
    exclude: bool,
}

impl Selected {
    fn matches(&self, key: &ResourceKey) -> bool {
        let part = |wanted: &str, is: &str| wanted == "*" || wanted == is;
        part(&self.group, &key.group)
            && part(&self.kind, &key.kind)
            && part(&self.name, &key.name)
            && (self.namespace.is_empty() || part(&self.namespace, &key.namespace))
    }
}

/// Reads `GROUP:KIND:NAME` and `GROUP:KIND:NAMESPACE/NAME`, with `!` in front for all but that.
pub(super) fn resources(texts: &[String]) -> Result<Vec<Selected>, CliError> {
    texts
        .iter()
        .map(|text| {
            let (exclude, rest) = text
                .strip_prefix('!')
                .map_or((false, text.as_str()), |rest| (true, rest));
            let mut parts = rest.splitn(3, ':');
            let (Some(group), Some(kind), Some(name)) = (parts.next(), parts.next(), parts.next()) else {
                return Err(CliError::usage(format!(
                    "Resource should have GROUP:KIND:NAME or GROUP:KIND:NAMESPACE/NAME, but instead got: {text}"
                )));
            };
            let (namespace, name) = name.split_once('/').unwrap_or(("", name));
            let [group, kind, namespace, name] = [group, kind, namespace, name].map(str::to_owned);
            Ok(Selected {
                group,
                kind,
                namespace,
                name,
                exclude,
            })
        })
        .collect()
}

/// Whether an object is selected; everything is where nothing is given.
pub(super) fn is_selected(selected: &[Selected], key: &ResourceKey) -> bool {
    let (excluded, included): (Vec<&Selected>, Vec<&Selected>) = selected.iter().partition(|s| s.exclude);
    !excluded.iter().any(|s| s.matches(key)) && (included.is_empty() || included.iter().any(|s| s.matches(key)))
}

/// The objects of an Application that a partial sync is about. An object that is named exactly need not be known yet.
pub(super) fn sync_resources(app: &Application, selected: &[Selected]) -> Result<Vec<SyncResource>, CliError> {
    if selected.is_empty() {
        return Ok(Vec::new());
    }
    let keys = app.status.resources.iter().filter(|r| !r.hook).map(|r| r.key());
    let mut chosen: Vec<ResourceKey> = keys.filter(|key| is_selected(selected, key)).collect();
    let is_exact = |s: &&Selected| !s.exclude && [&s.group, &s.kind, &s.namespace, &s.name].iter().all(|p| *p != "*");
    for exact in selected.iter().filter(is_exact) {
        if !chosen.iter().any(|key| exact.matches(key)) {
            chosen.push(ResourceKey::new(
                &*exact.group,
                &*exact.kind,
                &*exact.namespace,
                &*exact.name,
            ));
        }
    }
    if chosen.is_empty() {
        // An empty list would sync everything.
        return Err(CliError::error("No matching resources found to sync").with_hint("`app resources NAME` lists them"));
    }
    Ok(chosen
        .into_iter()
        .map(|key| SyncResource {
            group: key.group.to_string(),
            kind: key.kind.to_string(),
            name: key.name.to_string(),
            namespace: key.namespace.to_string(),
            ..SyncResource::default()
        })
        .collect())
}

/// One revision for each source, empty ones for the target; nothing where no flag is given.
pub(super) fn revisions(
    app: &Application,
    revision: Option<&String>,
    revisions: &[String],
    positions: &[i64],
) -> Result<Vec<String>, CliError> {
    let sources = app.spec.effective_sources().len();
    match (revision, revisions) {
        (None, []) => Ok(Vec::new()),
        (Some(_), [_, ..]) => Err(CliError::usage("--revision and --revisions cannot be used together")),
        (Some(revision), []) if sources <= 1 => Ok(vec![revision.clone()]),
        (Some(_), []) => Err(CliError::usage(
            "the application has several sources; use --revisions and --source-positions",
        )),
        (None, revisions) => {
            if revisions.len() != positions.len() {
                return Err(CliError::usage(
                    "While using --revisions and --source-positions, length of values for both flags should be same.",
                ));
            }
            let mut all = vec![String::new(); sources];
            for (revision, position) in revisions.iter().zip(positions) {
                let place = usize::try_from(*position)
                    .ok()
                    .and_then(|p| p.checked_sub(1))
                    .and_then(|p| all.get_mut(p));
                let place = place.ok_or_else(|| {
                    CliError::usage("source-position cannot be less than 1, or more than there are sources")
                })?;
                place.clone_from(revision);
            }
            Ok(all)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_are_selected_and_left_out() {
        let text = |t: &str| vec![t.to_owned()];
        let key = ResourceKey::new("apps", "Deployment", "dev", "web");
        let selects = |t: &str| is_selected(&resources(&text(t)).unwrap(), &key);
        for yes in [
            "apps:Deployment:web",
            "apps:Deployment:dev/web",
            "*:Deployment:*",
            "!:Service:web",
            "apps:*:web",
        ] {
            assert!(selects(yes), "{yes}");
        }
        for no in [":Deployment:web", "apps:Deployment:prod/web", "!apps:Deployment:web"] {
            assert!(!selects(no), "{no}");
        }
        assert!(is_selected(&[], &key));
        assert_eq!(resources(&text("Deployment:web")).unwrap_err().exit, 1);
    }

    #[test]
    fn a_selection_that_matches_nothing_never_becomes_a_full_sync() {
        let app = Application::default();
        assert!(sync_resources(&app, &resources(&["!apps:Deployment:web".to_owned()]).unwrap()).is_err());
        assert_eq!(
            sync_resources(&app, &resources(&["apps:Deployment:web".to_owned()]).unwrap())
                .unwrap()
                .len(),
            1
        );
        assert_eq!(sync_resources(&app, &[]).unwrap().len(), 0);
    }
}
