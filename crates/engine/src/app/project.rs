//! What a project lets its Applications do, and the one place that permits a write to a managed object (I-5).

use std::sync::Arc;

use pintle_model::application::{Application, Destination};
use pintle_model::glob::Glob;
use pintle_model::project::{AppProject, ResourceKind};
use pintle_model::{Gvk, ResourceKey};

use crate::effect::{Action, Effect, Permitted};
pub use crate::kinds::Scope;

/// Why a project refuses, in the peer's words where it has some [F3.10].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The kind may not be deployed.
    #[error("resource {group}:{kind} is not permitted in project {project}")]
    Kind {
        /// API group.
        group: Arc<str>,
        /// Kind.
        kind: Arc<str>,
        /// Project.
        project: String,
    },
    /// The namespace (in that cluster) is none of the project's destinations.
    #[error("namespace {namespace} is not permitted in project '{project}'")]
    Namespace {
        /// Namespace.
        namespace: String,
        /// Project.
        project: String,
    },
    /// The scope of the kind is not known, so nothing can be permitted (fail closed).
    #[error("{group}/{kind}: the cluster does not say whether it is namespaced; nothing is written until it does")]
    UnknownScope {
        /// API group.
        group: Arc<str>,
        /// Kind.
        kind: Arc<str>,
    },
}

/// Why an Application does not fit its project, for `InvalidSpecError`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpecProblem {
    /// The project does not exist.
    #[error("Application referencing project {0} which does not exist")]
    NoProject(String),
    /// The repository is not one of the project's.
    #[error("application repo {repo} is not permitted in project '{project}'")]
    Source {
        /// Repository.
        repo: String,
        /// Project.
        project: String,
    },
    /// The destination is not one of the project's.
    #[error(
        "application destination server '{server}' and namespace '{namespace}' do not match any of the allowed destinations in project '{project}'"
    )]
    Destination {
        /// Cluster.
        server: String,
        /// Namespace.
        namespace: String,
        /// Project.
        project: String,
    },
    /// The Application lives in a namespace that the project does not allow.
    #[error("application '{app}' in namespace '{namespace}' is not permitted to use project '{project}'")]
    SourceNamespace {
        /// Application.
        app: String,
        /// Its namespace.
        namespace: String,
        /// Project.
        project: String,
    },
    /// Something is missing or contradicts itself.
    #[error("{0}")]
    Invalid(String),
}

/// A cluster as projects name it: by URL and, if it has one, by name.
#[derive(Clone, Copy, Debug)]
pub struct ClusterNames<'a> {
    /// API server URL.
    pub server: &'a str,
    /// Name; empty if none.
    pub name: &'a str,
}

/// Whether `text` matches a glob; an unreadable pattern matches nothing, so that a typo never allows.
fn matches(pattern: &str, text: &str) -> bool {
    pattern == text || Glob::new(pattern).is_ok_and(|g| g.is_match(text))
}

/// As [`matches`], with `/` as separator: `https://host/*` does not reach into deeper paths.
fn matches_url(pattern: &str, text: &str) -> bool {
    pattern == "*" || pattern == text || Glob::with_separator(pattern, '/').is_ok_and(|g| g.is_match(text))
}

/// Checks an Application's spec against its project; every problem is returned, not just the first.
pub fn check_spec(
    app: &Application,
    project: &AppProject,
    cluster: ClusterNames<'_>,
    control_namespace: &str,
) -> Vec<SpecProblem> {
    let mut problems = Vec::new();
    let project_name = &project.metadata.name;
    let own = &app.metadata.namespace;
    if own != control_namespace && !project.spec.source_namespaces.iter().any(|p| matches(p, own)) {
        problems.push(SpecProblem::SourceNamespace {
            app: app.metadata.name.clone(),
            namespace: own.clone(),
            project: project_name.clone(),
        });
    }
    let sources = app.spec.effective_sources();
    if sources.is_empty() {
        problems.push(SpecProblem::Invalid(
            "spec.source and spec.sources are both missing; say where the manifests come from".into(),
        ));
    }
    for source in &sources {
        if source.repo_url.is_empty() {
            problems.push(SpecProblem::Invalid("spec.source.repoURL is required".into()));
        } else if !source_permitted(project, &source.repo_url) {
            problems.push(SpecProblem::Source {
                repo: source.repo_url.clone(),
                project: project_name.clone(),
            });
        }
        if source.path.is_empty() && source.chart.is_empty() && source.r#ref.is_empty() {
            problems.push(SpecProblem::Invalid(
                "spec.source.path is required (or spec.source.chart); `.` is the root of the repository".into(),
            ));
        }
    }
    // Whoever asks for signatures would rather have nothing than an unverified commit, by hand too.
    if !project.spec.signature_keys.is_empty() || project.spec.source_integrity.is_some() {
        problems.push(SpecProblem::Invalid(format!(
            "project {project_name} asks for signed commits, which this version cannot verify; nothing is deployed for it"
        )));
    }
    if !destination_permitted(project, cluster, &app.spec.destination.namespace) {
        problems.push(SpecProblem::Destination {
            server: cluster.server.to_owned(),
            namespace: app.spec.destination.namespace.clone(),
            project: project_name.clone(),
        });
    }
    problems
}

/// Whether a project allows a repository: a matching pattern, and no matching `!` pattern [F1.22].
pub fn source_permitted(project: &AppProject, repo_url: &str) -> bool {
    let normal = normal_repo(repo_url);
    let hit = |pattern: &str| {
        matches_url(pattern, repo_url) || normal_repo(pattern) == normal || matches_url(pattern, &normal)
    };
    let patterns = &project.spec.source_repos;
    let denied = patterns.iter().filter_map(|p| p.strip_prefix('!')).any(hit);
    !denied && patterns.iter().filter(|p| !p.starts_with('!')).any(|p| hit(p))
}

/// Two spellings of one Git URL compare equal: case of the host, a trailing `/` or `.git`.
fn normal_repo(url: &str) -> String {
    let url = url.trim().trim_end_matches('/');
    let url = url.strip_suffix(".git").unwrap_or(url);
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            format!("{}://{}/{path}", scheme.to_lowercase(), host.to_lowercase())
        }
        None => url.to_owned(),
    }
}

/// Whether a project allows a namespace of a cluster: a matching destination, and no destination whose denial matches [F1.22].
pub fn destination_permitted(project: &AppProject, cluster: ClusterNames<'_>, namespace: &str) -> bool {
    let destinations = &project.spec.destinations;
    !destinations.iter().any(|d| denies(d, cluster, namespace))
        && destinations.iter().any(|d| allows(d, cluster, namespace))
}

/// Whether a destination says `!` to this place. A `!` in one field denies where the other fields match as they stand.
fn denies(d: &Destination, cluster: ClusterNames<'_>, namespace: &str) -> bool {
    let server_no = d.server.strip_prefix('!').is_some_and(|p| matches(p, cluster.server));
    let name_no = d.name.strip_prefix('!').is_some_and(|p| matches(p, cluster.name));
    let namespace_no = d.namespace.strip_prefix('!').is_some_and(|p| matches(p, namespace));
    let cluster_no = server_no || name_no;
    let cluster_yes = place_matches(d, cluster);
    (cluster_no && (matches(&d.namespace, namespace) || namespace_no)) || (namespace_no && cluster_yes)
}

fn allows(d: &Destination, cluster: ClusterNames<'_>, namespace: &str) -> bool {
    place_matches(d, cluster) && !d.namespace.starts_with('!') && matches(&d.namespace, namespace)
}

/// Whether the server or name of a destination names the cluster.
fn place_matches(d: &Destination, cluster: ClusterNames<'_>) -> bool {
    let by_server = !d.server.is_empty() && !d.server.starts_with('!') && matches(&d.server, cluster.server);
    let by_name =
        !d.name.is_empty() && !d.name.starts_with('!') && !cluster.name.is_empty() && matches(&d.name, cluster.name);
    by_server || by_name
}

/// Whether a project lets this object be written: by kind, by scope, and for namespaced ones by namespace [F1.22].
///
/// `scope` `None` means the cluster does not serve the kind or could not say: nothing is permitted then.
pub fn check_resource(
    project: &AppProject,
    cluster: ClusterNames<'_>,
    gvk: &Gvk,
    key: &ResourceKey,
    scope: Option<Scope>,
) -> Result<(), Denied> {
    let (group, kind) = (&*gvk.group, &*gvk.kind);
    let spec = &project.spec;
    let refused = || Denied::Kind {
        group: Arc::clone(&gvk.group),
        kind: Arc::clone(&gvk.kind),
        project: project.metadata.name.clone(),
    };
    let in_list = |list: &[ResourceKind]| list.iter().any(|r| matches(&r.group, group) && matches(&r.kind, kind));
    match scope {
        None => Err(Denied::UnknownScope {
            group: Arc::clone(&gvk.group),
            kind: Arc::clone(&gvk.kind),
        }),
        Some(Scope::Namespaced) => {
            let white = spec.namespace_resource_whitelist.as_deref().is_none_or(in_list);
            if !white || in_list(&spec.namespace_resource_blacklist) {
                return Err(refused());
            }
            if !destination_permitted(project, cluster, &key.namespace) {
                return Err(Denied::Namespace {
                    namespace: key.namespace.to_string(),
                    project: project.metadata.name.clone(),
                });
            }
            Ok(())
        }
        Some(Scope::Cluster) => {
            let listed = |list: &[pintle_model::project::ClusterResource]| {
                list.iter().any(|r| {
                    matches(&r.group, group)
                        && matches(&r.kind, kind)
                        && (r.name.is_empty() || matches(&r.name, &key.name))
                })
            };
            if !listed(&spec.cluster_resource_whitelist) || listed(&spec.cluster_resource_blacklist) {
                return Err(refused());
            }
            Ok(())
        }
    }
}

/// Permits one write to a managed object, or says why not. The only maker of project grants.
///
/// `own_namespace` is the destination namespace where the Application asks for it to be made (`CreateNamespace=true`): that one may be created
/// wherever the project allows deploying into it, as at the peer, without Namespaces being whitelisted; it may not be deleted so.
pub fn permit(
    effect: Effect,
    project: &AppProject,
    cluster: ClusterNames<'_>,
    scope: Option<Scope>,
    own_namespace: Option<&str>,
) -> Result<Permitted<Effect>, Denied> {
    let makes_own = scope == Some(Scope::Cluster)
        && &*effect.gvk.kind == "Namespace"
        && effect.gvk.group.is_empty()
        && own_namespace == Some(&*effect.name)
        && matches!(effect.action, Action::Create { .. } | Action::Apply { .. })
        && destination_permitted(project, cluster, &effect.name);
    if !makes_own {
        check_resource(project, cluster, &effect.gvk, &effect.key(), scope)?;
    }
    let name = project.metadata.name.as_str().into();
    let version = project.metadata.resource_version.as_str().into();
    Ok(Permitted::by_project(effect, name, version))
}

#[cfg(test)]
mod tests {
    use pintle_model::project::ClusterResource;

    use super::*;

    const HERE: ClusterNames<'static> = ClusterNames {
        server: "https://kubernetes.default.svc",
        name: "in-cluster",
    };

    fn project(destinations: &[(&str, &str)]) -> AppProject {
        let mut project = AppProject::default();
        project.metadata.name = "shop".into();
        project.spec.source_repos = vec!["http://git/*".into(), "!http://git/secret".into()];
        project.spec.destinations = destinations
            .iter()
            .map(|(server, namespace)| Destination {
                server: (*server).into(),
                namespace: (*namespace).into(),
                ..Destination::default()
            })
            .collect();
        project
    }

    fn place(destinations: &[(&str, &str)], namespace: &str) -> bool {
        destination_permitted(&project(destinations), HERE, namespace)
    }

    #[test]
    fn destinations_are_globs_and_denials_win() {
        assert!(place(&[("*", "*")], "dev"));
        assert!(place(&[("https://kubernetes.default.svc", "shop-*")], "shop-dev"));
        assert!(!place(&[("https://kubernetes.default.svc", "shop-*")], "kube-system"));
        assert!(!place(&[("https://other", "*")], "dev"));
        assert!(!place(&[("*", "*"), ("*", "!kube-system")], "kube-system"));
        assert!(place(&[("*", "*"), ("*", "!kube-system")], "dev"));
        assert!(!place(&[("*", "*"), ("!https://kubernetes.default.svc", "*")], "dev"));
        assert!(!place(&[("*", "!kube-system")], "dev"), "a denial alone allows nothing");
    }

    #[test]
    fn repositories_are_globs_and_denials_win() {
        let p = project(&[]);
        assert!(source_permitted(&p, "http://git/shop"));
        assert!(source_permitted(&p, "http://GIT/shop.git"));
        assert!(!source_permitted(&p, "http://git/secret"));
        assert!(
            !source_permitted(&p, "http://git/secret.git"),
            "another spelling of a denied repository is denied"
        );
        assert!(!source_permitted(&p, "http://git/a/b"));
        assert!(!source_permitted(&p, "http://elsewhere/shop"));
    }

    fn write(p: &AppProject, group: &str, kind: &str, namespace: &str, scope: Option<Scope>) -> String {
        let gvk = Gvk::new(group, "v1", kind);
        match check_resource(p, HERE, &gvk, &ResourceKey::new(group, kind, namespace, "x"), scope) {
            Ok(()) => "yes".to_owned(),
            Err(e) => e.to_string(),
        }
    }

    #[test]
    fn kinds_are_checked_by_the_served_scope_and_unknown_scope_fails_closed() {
        let mut p = project(&[("*", "dev")]);
        let (ns, cl) = (Some(Scope::Namespaced), Some(Scope::Cluster));
        assert_eq!(write(&p, "", "ConfigMap", "dev", ns), "yes");
        assert_eq!(
            write(&p, "", "ConfigMap", "prod", ns),
            "namespace prod is not permitted in project 'shop'"
        );
        assert_eq!(
            write(&p, "", "Namespace", "", cl),
            "resource :Namespace is not permitted in project shop"
        );
        assert!(write(&p, "x.io", "Thing", "dev", None).contains("nothing is written until it does"));
        p.spec.cluster_resource_whitelist = vec![ClusterResource {
            group: String::new(),
            kind: "Namespace".into(),
            name: "x*".into(),
            ..ClusterResource::default()
        }];
        assert_eq!(write(&p, "", "Namespace", "", cl), "yes");
        p.spec.namespace_resource_whitelist = Some(vec![]);
        assert_eq!(
            write(&p, "", "ConfigMap", "dev", ns),
            "resource :ConfigMap is not permitted in project shop"
        );
        p.spec.namespace_resource_whitelist = None;
        p.spec.namespace_resource_blacklist = vec![ResourceKind {
            group: String::new(),
            kind: "Config*".into(),
            ..ResourceKind::default()
        }];
        assert_eq!(
            write(&p, "", "ConfigMap", "dev", ns),
            "resource :ConfigMap is not permitted in project shop"
        );
    }

    #[test]
    fn every_problem_of_a_spec_is_named() {
        let app = Application::default();
        let said: Vec<String> = check_spec(&app, &project(&[("*", "dev")]), HERE, "argocd")
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(said.len(), 3, "{said:?}");
    }
}
