//! The demo's AppProject, Applications and namespaces, as anyone would write them.

use pintle_model::{Gvk, Object, Value};

use super::shop::{BRANCH, CHART, Environment};

/// The namespace of Applications and AppProjects.
pub const CONTROL_NAMESPACE: &str = "argocd";
/// The AppProject of the shop.
pub const PROJECT: &str = "shop";

/// A namespace.
pub fn namespace(name: &str) -> Object {
    Object::bare(&Gvk::new("", "v1", "Namespace"), "", name)
}

/// The AppProject: the shop's repository into the shop's namespaces, and nothing that belongs to the whole cluster.
pub fn project(repo_url: &str) -> Result<Object, BadManifest> {
    read(&format!(
        "apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata:
  name: {PROJECT}
  namespace: {CONTROL_NAMESPACE}
spec:
  description: The shop and nothing else
  sourceRepos:
    - {repo_url}
  destinations:
    - server: https://kubernetes.default.svc
      namespace: shop-*
"
    ))
}

/// The Application of one environment: automated with prune and self-heal, or, in prod, waiting for a person.
pub fn application(environment: Environment, repo_url: &str) -> Result<Object, BadManifest> {
    let name = environment.application();
    let values = environment.values_file();
    let policy = if environment.is_automated() {
        "  syncPolicy:\n    automated:\n      prune: true\n      selfHeal: true\n"
    } else {
        ""
    };
    read(&format!(
        "apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: {name}
  namespace: {CONTROL_NAMESPACE}
  finalizers:
    - resources-finalizer.argocd.argoproj.io
spec:
  project: {PROJECT}
  source:
    repoURL: {repo_url}
    targetRevision: {BRANCH}
    path: {CHART}
    helm:
      valueFiles:
        - {values}
  destination:
    server: https://kubernetes.default.svc
    namespace: {name}
{policy}"
    ))
}

/// A manifest of ours cannot be read: a mistake in this file, or a repository URL that YAML reads as something else.
#[derive(Debug, thiserror::Error)]
#[error("a manifest of the demo cannot be read: {0}")]
pub struct BadManifest(String);

/// The object of a YAML or JSON document.
pub fn read(text: &str) -> Result<Object, BadManifest> {
    let value = Value::from_yaml(text).map_err(|e| BadManifest(e.to_string()))?;
    Object::new(value).map_err(|e| BadManifest(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pintle_model::{AppProject, Application};

    #[test]
    fn what_we_write_is_what_we_read() {
        let url = "http://127.0.0.1:1/shop.git";
        let project = AppProject::from_object(&project(url).unwrap()).unwrap();
        assert_eq!(project.spec.source_repos, [url]);
        assert!(project.unknown.is_empty() && project.spec.unknown.is_empty());
        for environment in Environment::ALL {
            let app = Application::from_object(&application(environment, url).unwrap()).unwrap();
            assert!(app.spec.unknown.is_empty());
            assert!(app.metadata.has_finalizer("resources-finalizer.argocd.argoproj.io"));
            assert_eq!(
                app.spec.automated().is_some_and(|a| a.self_heals()),
                environment != Environment::Prod
            );
            assert_eq!(app.spec.destination.namespace, environment.application());
        }
    }
}
