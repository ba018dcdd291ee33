//! What a person looks for in an environment, in the Application's status and in the live objects both.

use std::collections::BTreeMap;
use std::fmt;

use pintle_model::application::{HealthStatusCode, SyncStatusCode};
use pintle_model::{Object, ResourceKey};

use super::shop::Environment;
use super::sight::{Sight, condition, image, is_ready, waiting_reason};

/// How an environment should look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    environment: Environment,
    tag: String,
    sync: SyncStatusCode,
    health: HealthStatusCode,
    revision: Option<String>,
    operation_ended: bool,
}

impl Wanted {
    /// Synced and Healthy, with as many ready Pods of the image as the environment asks for, and no others.
    pub fn good(environment: Environment, tag: &str) -> Self {
        Self {
            environment,
            tag: tag.to_owned(),
            sync: SyncStatusCode::Synced,
            health: HealthStatusCode::Healthy,
            revision: None,
            operation_ended: false,
        }
    }

    /// Synced and Degraded, because the Deployment's time is up and its new Pod cannot pull `shop:broken`.
    pub fn broken(environment: Environment) -> Self {
        Self {
            health: HealthStatusCode::Degraded,
            ..Self::good(environment, "broken")
        }
    }

    /// With another sync status.
    pub fn sync(mut self, status: SyncStatusCode) -> Self {
        self.sync = status;
        self
    }

    /// Compared with this commit.
    pub fn at(mut self, commit: &str) -> Self {
        self.revision = Some(commit.to_owned());
        self
    }

    /// With its last operation ended well.
    pub fn operation_ended(mut self) -> Self {
        self.operation_ended = true;
        self
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}, {}", self.environment.application(), self.sync, self.health)?;
        if let Some(revision) = &self.revision {
            write!(f, " at commit {}", short(revision))?;
        }
        if self.operation_ended {
            write!(f, ", operation Succeeded")?;
        }
        if self.health == HealthStatusCode::Degraded {
            write!(
                f,
                ", progress deadline exceeded, a Pod that cannot pull shop:{}",
                self.tag
            )
        } else {
            write!(f, ", {} ready Pods of shop:{}", self.environment.replicas(), self.tag)
        }
    }
}

/// Whether the environment looks so; otherwise how it looks.
pub fn wanted(sight: &Sight, wanted: &Wanted) -> Result<(), String> {
    let environment = wanted.environment;
    let status = sight.application(environment.application())?.status;
    let ended = status.operation_state.as_ref().is_some_and(|s| s.phase.is_successful());
    let says_so = status.sync.status == wanted.sync
        && status.health.status == wanted.health
        && wanted.revision.as_ref().is_none_or(|r| *r == status.sync.revision)
        && (ended || !wanted.operation_ended);
    let is_so = if wanted.health == HealthStatusCode::Degraded {
        is_stuck(sight, environment, &wanted.tag)?
    } else {
        runs(sight, environment, &wanted.tag)?
    };
    if says_so && is_so {
        Ok(())
    } else {
        Err(describe(sight, environment))
    }
}

/// The Deployment of an environment.
pub fn deployment(sight: &Sight, environment: Environment) -> Result<&Object, String> {
    let namespace = environment.application();
    let found = sight.object("apps", "Deployment", namespace, "web");
    found.ok_or_else(|| {
        format!(
            "there is no Deployment {namespace}/web; {}",
            app_line(sight, environment)
        )
    })
}

/// Every Pod is ready and of the image, as many as the environment asks for.
fn runs(sight: &Sight, environment: Environment, tag: &str) -> Result<bool, String> {
    let wanted = format!("shop:{tag}");
    let deployment = deployment(sight, environment)?;
    let pods: Vec<&Object> = sight.pods(environment.application()).collect();
    let replicas = environment.replicas();
    Ok(image(deployment) == wanted
        && deployment.value().i64_at(&["spec", "replicas"]) == Some(replicas)
        && i64::try_from(pods.len()) == Ok(replicas)
        && pods.iter().all(|pod| is_ready(pod) && image(pod) == wanted))
}

/// The Deployment has given up, and a Pod of the image waits for it to be pulled.
fn is_stuck(sight: &Sight, environment: Environment, tag: &str) -> Result<bool, String> {
    let wanted = format!("shop:{tag}");
    let deployment = deployment(sight, environment)?;
    let reason = condition(deployment, "Progressing").and_then(|c| c.str_at(&["reason"]));
    let cannot_pull = sight
        .pods(environment.application())
        .any(|pod| image(pod) == wanted && matches!(waiting_reason(pod), Some("ErrImagePull" | "ImagePullBackOff")));
    Ok(image(deployment) == wanted && reason == Some("ProgressDeadlineExceeded") && cannot_pull)
}

/// The Pods of an environment that wait, and for what.
pub fn waiting(sight: &Sight, environment: Environment) -> String {
    let waiting = sight.pods(environment.application()).filter_map(|pod| {
        let reason = waiting_reason(pod)?;
        Some(format!("Pod {} ({}): {reason}", pod.name(), image(pod)))
    });
    waiting.collect::<Vec<_>>().join("; ")
}

/// What an environment's source deploys, with the UIDs.
pub fn deployed(sight: &Sight, environment: Environment) -> BTreeMap<ResourceKey, String> {
    let of_source =
        |key: &ResourceKey| matches!(&*key.kind, "Deployment" | "Service" | "ConfigMap") && !is_clusters_own(key);
    let objects = sight
        .in_namespace(environment.application())
        .filter(|(key, _)| of_source(key));
    objects
        .map(|(key, object)| (key.clone(), object.uid().to_owned()))
        .collect()
}

/// Everything in an environment's namespace that its Application or the workloads put there.
pub fn everything(sight: &Sight, environment: Environment) -> Vec<ResourceKey> {
    let keys = sight.in_namespace(environment.application()).map(|(key, _)| key);
    keys.filter(|key| !is_clusters_own(key)).cloned().collect()
}

/// Every namespace has this ConfigMap from the cluster.
fn is_clusters_own(key: &ResourceKey) -> bool {
    &*key.kind == "ConfigMap" && &*key.name == "kube-root-ca.crt"
}

/// All environments in one line.
pub fn summary(sight: &Sight) -> String {
    let states = Environment::ALL.map(|environment| {
        let app = sight.application(environment.application());
        match app {
            Ok(app) => {
                let image = deployment(sight, environment).map(image).unwrap_or("-");
                let status = &app.status;
                format!(
                    "{environment} {}, {} at {image}",
                    status.sync.status, status.health.status
                )
            }
            Err(e) => e,
        }
    });
    states.join("; ")
}

/// An environment as it looks: Application, Deployment, Pods.
pub fn describe(sight: &Sight, environment: Environment) -> String {
    let namespace = environment.application();
    let mut text = app_line(sight, environment);
    if let Ok(deployment) = deployment(sight, environment) {
        let number = |path: &[&str]| deployment.value().i64_at(path).unwrap_or(0);
        text.push_str(&format!(
            "; Deployment web {}, {} of {} ready",
            image(deployment),
            number(&["status", "readyReplicas"]),
            number(&["spec", "replicas"]),
        ));
        if let Some(reason) = condition(deployment, "Progressing").and_then(|c| c.str_at(&["reason"])) {
            text.push_str(&format!(" ({reason})"));
        }
    }
    let pods: Vec<String> = sight
        .pods(namespace)
        .map(|pod| {
            let state = waiting_reason(pod).unwrap_or(if is_ready(pod) { "ready" } else { "not ready" });
            format!("{} {state}", image(pod))
        })
        .collect();
    format!(
        "{text}; Pods: {}",
        if pods.is_empty() {
            "none".to_owned()
        } else {
            pods.join(", ")
        }
    )
}

fn app_line(sight: &Sight, environment: Environment) -> String {
    let app = match sight.application(environment.application()) {
        Ok(app) => app,
        Err(e) => return e,
    };
    let status = &app.status;
    let mut text = format!(
        "{} {}, {} at commit {}",
        environment.application(),
        unset(status.sync.status.as_str()),
        unset(status.health.status.as_str()),
        short(&status.sync.revision)
    );
    if let Some(state) = &status.operation_state {
        text.push_str(&format!(", operation {}", state.phase));
        if !state.phase.is_successful() && !state.message.is_empty() {
            text.push_str(&format!(" ({})", state.message));
        }
    }
    for condition in &status.conditions {
        text.push_str(&format!(", {}: {}", condition.kind, condition.message));
    }
    text
}

fn unset(text: &str) -> &str {
    if text.is_empty() { "not compared" } else { text }
}

/// A commit as people name it.
fn short(commit: &str) -> &str {
    match commit.get(..7) {
        Some(short) => short,
        None if commit.is_empty() => "none",
        None => commit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::manifests::read;

    /// Dev as it is after a good deployment of `image`, as far as the Application says `sync` and `health`.
    fn dev(sync: &str, health: &str, image: &str, pods: &[(&str, bool)]) -> Sight {
        let app = format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: shop-dev, namespace: argocd}}\nspec: {{}}\n\
             status: {{sync: {{status: {sync}, revision: abc}}, health: {{status: {health}}}}}\n"
        );
        let deployment = format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web, namespace: shop-dev}}\n\
             spec: {{replicas: 2, template: {{spec: {{containers: [{{image: '{image}'}}]}}}}}}\n\
             status: {{conditions: [{{type: Progressing, reason: ProgressDeadlineExceeded}}]}}\n"
        );
        let pods = pods.iter().enumerate().map(|(i, (image, ready))| {
            let state = if *ready {
                "conditions: [{type: Ready, status: 'True'}]"
            } else {
                "containerStatuses: [{state: {waiting: {reason: ErrImagePull}}}]"
            };
            format!(
                "apiVersion: v1\nkind: Pod\nmetadata: {{name: web-{i}, namespace: shop-dev}}\n\
                 spec: {{containers: [{{image: '{image}'}}]}}\nstatus: {{{state}}}\n"
            )
        });
        let texts = [app, deployment].into_iter().chain(pods);
        Sight::of(texts.map(|text| read(&text).unwrap()))
    }

    fn is_seen(sight: &Sight, what: &Wanted) -> bool {
        wanted(sight, what).is_ok()
    }

    #[test]
    fn status_and_live_objects_must_both_say_so() {
        let good = Wanted::good(Environment::Dev, "1.6").at("abc");
        let ready = [("shop:1.6", true), ("shop:1.6", true)];
        assert!(is_seen(&dev("Synced", "Healthy", "shop:1.6", &ready), &good));
        for (not_so, why) in [
            (dev("OutOfSync", "Healthy", "shop:1.6", &ready), "sync status"),
            (dev("Synced", "Progressing", "shop:1.6", &ready), "health"),
            (dev("Synced", "Healthy", "shop:1.5", &ready), "image of the Deployment"),
            (
                dev(
                    "Synced",
                    "Healthy",
                    "shop:1.6",
                    &[("shop:1.6", true), ("shop:1.5", true)],
                ),
                "image of a Pod",
            ),
            (
                dev(
                    "Synced",
                    "Healthy",
                    "shop:1.6",
                    &[("shop:1.6", true), ("shop:1.6", false)],
                ),
                "a Pod is not ready",
            ),
            (dev("Synced", "Healthy", "shop:1.6", &ready[..1]), "a Pod is missing"),
            (Sight::default(), "nothing is there"),
        ] {
            assert!(!is_seen(&not_so, &good), "{why}");
        }
        assert!(
            !is_seen(&dev("Synced", "Healthy", "shop:1.6", &ready), &good.clone().at("def")),
            "commit"
        );
        assert!(
            !is_seen(&dev("Synced", "Healthy", "shop:1.6", &ready), &good.operation_ended()),
            "operation"
        );
    }

    #[test]
    fn degraded_needs_a_pod_that_cannot_pull() {
        let broken = Wanted::broken(Environment::Dev);
        let stuck = [("shop:1.6", true), ("shop:1.6", true), ("shop:broken", false)];
        assert!(is_seen(&dev("Synced", "Degraded", "shop:broken", &stuck), &broken));
        assert!(!is_seen(
            &dev("Synced", "Degraded", "shop:broken", &stuck[..2]),
            &broken
        ));
        assert!(!is_seen(&dev("Synced", "Progressing", "shop:broken", &stuck), &broken));
    }
}
