//! Fields that could change what is written and that this version does not act on: said by name, and automated sync stops.

use std::fmt;

use pintle_model::annotation;
use pintle_model::application::{Application, Source};
use pintle_model::project::AppProject;
use pintle_model::settings::Settings;
use pintle_model::sync_option::SyncOptions;

/// A field in use that is not acted on yet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NotActedOn {
    /// The field, as a path from the resource it stands in.
    pub field: String,
    /// What would have to be done about it.
    pub what: &'static str,
    /// It protects: a sync by hand would break it as well, so that is refused too.
    pub protects: bool,
}

impl fmt::Display for NotActedOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not acted on by this version ({})", self.field, self.what)
    }
}

/// Whether the owner of an Application has suspended it with `argocd.argoproj.io/skip-reconcile`: nothing is done for it, not even its deletion.
pub fn is_suspended(app: &Application) -> bool {
    app.metadata
        .annotation(annotation::SKIP_RECONCILE)
        .is_some_and(annotation::is_true)
}

/// Lists the fields of an Application and its project that are in use and not acted on, sorted.
pub fn not_acted_on(app: &Application, project: Option<&AppProject>) -> Vec<NotActedOn> {
    let mut found = Vec::new();
    let mut say = |field: String, what: &'static str| {
        found.push(NotActedOn {
            field,
            what,
            protects: false,
        })
    };
    let spec = &app.spec;

    if spec.source_hydrator.is_some() {
        say(
            "spec.sourceHydrator".into(),
            "sync from the hydrated branch with spec.source",
        );
    }
    for (i, rule) in spec.ignore_differences.iter().enumerate() {
        if !rule.jq_path_expressions.is_empty() {
            say(
                format!("spec.ignoreDifferences[{i}].jqPathExpressions"),
                "use jsonPointers",
            );
        }
        if !rule.managed_fields_managers.is_empty() {
            say(
                format!("spec.ignoreDifferences[{i}].managedFieldsManagers"),
                "use jsonPointers",
            );
        }
    }
    for (i, source) in spec.sources().iter().enumerate() {
        let at = if spec.has_multiple_sources() {
            format!("spec.sources[{i}]")
        } else {
            "spec.source".to_owned()
        };
        source_fields(&at, source, &mut say);
    }
    if let Some(policy) = &spec.sync_policy {
        let options = SyncOptions::of_application(&policy.sync_options);
        for option in options.unknown {
            say(
                format!("spec.syncPolicy.syncOptions {option:?}"),
                "nobody knows this option; remove it",
            );
        }
        if options.respect_ignore_differences {
            say(
                "spec.syncPolicy.syncOptions \"RespectIgnoreDifferences=true\"".into(),
                "ignored fields would be written",
            );
        }
    }
    if let Some(project) = project {
        if !project.spec.sync_windows.is_empty() {
            say(
                format!("AppProject {} spec.syncWindows", project.metadata.name),
                "sync by hand inside the window",
            );
        }
        if !project.spec.signature_keys.is_empty() {
            say(
                format!("AppProject {} spec.signatureKeys", project.metadata.name),
                "commits are not verified",
            );
        }
        if project.spec.source_integrity.is_some() {
            say(
                format!("AppProject {} spec.sourceIntegrity", project.metadata.name),
                "commits are not verified",
            );
        }
        if project.spec.permit_only_project_scoped_clusters {
            say(
                format!(
                    "AppProject {} spec.permitOnlyProjectScopedClusters",
                    project.metadata.name
                ),
                "clusters are not scoped to projects",
            );
        }
        if !project.spec.destination_service_accounts.is_empty() {
            say(
                format!("AppProject {} spec.destinationServiceAccounts", project.metadata.name),
                "writes are not impersonated",
            );
        }
    }
    for rule in &mut found {
        rule.protects = PROTECTIONS.iter().any(|field| rule.field.ends_with(field));
    }
    found.sort();
    found
}

/// Rules about which commits may be deployed, and by whom.
const PROTECTIONS: [&str; 3] = ["spec.signatureKeys", "spec.sourceIntegrity", IMPERSONATION];
const IMPERSONATION: &str = "application.sync.impersonation.enabled";

/// Why nothing at all may be written for an application: what protects it cannot be kept by this version.
pub fn refusal(fields: &[NotActedOn]) -> Option<String> {
    let rules: Vec<String> = fields.iter().filter(|f| f.protects).map(ToString::to_string).collect();
    (!rules.is_empty()).then(|| rules.join("; "))
}

/// The settings that are in use, not acted on, and could change what is written.
pub fn settings_not_acted_on(settings: &Settings) -> Vec<NotActedOn> {
    let keys = settings.not_acted_on.iter().filter(|k| k.changes_writes);
    keys.map(|k| {
        let protects = k.key == IMPERSONATION;
        NotActedOn {
            field: format!("setting {}", k.key),
            what: if protects {
                "writes are not impersonated; remove it from the settings"
            } else {
                "remove it from the settings, or sync by hand"
            },
            protects,
        }
    })
    .collect()
}

fn source_fields(at: &str, source: &Source, say: &mut impl FnMut(String, &'static str)) {
    // A plugin of these names is rendered natively.
    if source
        .plugin
        .as_ref()
        .is_some_and(|p| !matches!(p.name.as_str(), "helm" | "kustomize"))
    {
        say(format!("{at}.plugin"), "plugins are not run yet");
    }
    if let Some(directory) = &source.directory {
        let jsonnet = &directory.jsonnet;
        if !(jsonnet.ext_vars.is_empty() && jsonnet.tlas.is_empty() && jsonnet.libs.is_empty()) {
            say(format!("{at}.directory.jsonnet"), "Jsonnet is not rendered yet");
        }
    }
}

#[cfg(test)]
mod tests {
    use pintle_model::application::{IgnoreDifferences, SyncPolicy};

    use super::*;

    #[test]
    fn plain_applications_use_nothing_unknown() {
        assert_eq!(not_acted_on(&Application::default(), None), []);
    }

    #[test]
    fn what_protects_refuses_a_sync_by_hand_too() {
        let with = |change: fn(&mut AppProject)| {
            let mut project = AppProject::default();
            project.metadata.name = "shop".into();
            change(&mut project);
            let fields = not_acted_on(&Application::default(), Some(&project));
            (fields.len(), refusal(&fields))
        };
        let windows = |p: &mut AppProject| p.spec.sync_windows.push(Default::default());
        assert_eq!(with(windows), (1, None));
        let keys = |p: &mut AppProject| p.spec.signature_keys.push(Default::default());
        let said = "AppProject shop spec.signatureKeys is not acted on by this version (commits are not verified)";
        assert_eq!(with(keys), (1, Some(said.to_owned())));
    }

    #[test]
    fn each_field_is_named() {
        let mut app = Application::default();
        app.spec.ignore_differences = vec![IgnoreDifferences {
            jq_path_expressions: vec![".spec".into()],
            ..IgnoreDifferences::default()
        }];
        app.spec.sync_policy = Some(SyncPolicy {
            sync_options: vec!["Prune=always".into(), "PruneLast=true".into()],
            ..SyncPolicy::default()
        });
        let said: Vec<String> = not_acted_on(&app, None).iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "spec.ignoreDifferences[0].jqPathExpressions is not acted on by this version (use jsonPointers)",
                "spec.syncPolicy.syncOptions \"Prune=always\" is not acted on by this version (nobody knows this option; remove it)",
            ]
        );
    }
}
