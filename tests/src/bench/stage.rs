//! A fresh control plane with what an installation of Pintle finds: CRDs, namespaces, a project.

use std::collections::BTreeMap;
use std::time::Duration;

use pintle_cluster::{Cluster, KubeconfigSource, Scope};
use pintle_engine::ClusterId;
use pintle_model::project::AppProject;
use pintle_model::{GroupKind, Object, crd, to_json_string};

use super::plain::Plain;
use super::{Result, machine};
use crate::{ControlPlane, Tools, wait_until};

/// A definition takes a fraction of a second to be served.
const ESTABLISHED_WITHIN: Duration = Duration::from_secs(60);

/// Where Applications live.
pub(super) const CONTROL: &str = "argocd";
/// Where their objects live.
pub(super) const TARGET: &str = "bench";

pub(super) struct Stage {
    pub(super) plane: ControlPlane,
    /// Reads and watches for the benchmark itself.
    pub(super) cluster: Cluster,
    pub(super) plain: Plain,
}

impl Stage {
    pub(super) async fn new(tools: &Tools) -> Result<Self> {
        let plane = tokio::task::block_in_place(|| ControlPlane::start_in_scratch(tools))?;
        let source = KubeconfigSource {
            path: Some(plane.kubeconfig_path()),
            context: None,
        };
        let cluster = Cluster::from_kubeconfig(ClusterId::in_cluster(), source, "bench").await?;
        let plain = Plain::connect(&plane.kubeconfig_path()).await?;
        tokio::task::block_in_place(|| prepare(&plane))?;
        Ok(Self { plane, cluster, plain })
    }

    /// Processor time of one of the control plane's programs.
    pub(super) fn cpu_of(&self, program: &str) -> Result<f64> {
        let found = self.plane.processes().into_iter().find(|(name, _)| *name == program);
        let (_, pid) = found.ok_or_else(|| format!("no {program} in the control plane"))?;
        machine::cpu_seconds(pid)
    }

    /// All objects of a kind in the namespace of the applications' objects.
    pub(super) async fn objects(&self, kind: &GroupKind) -> Result<Vec<Object>> {
        Ok(self.cluster.list_kind(kind, &Scope::namespace(TARGET)).await?.objects)
    }

    /// What the API server has answered so far, by verb and resource.
    pub(super) async fn requests(&self) -> Result<Requests> {
        Ok(Requests::parse(&self.plain.get("/metrics").await?))
    }
}

fn prepare(plane: &ControlPlane) -> Result<()> {
    let definitions: Vec<String> = crd::crds().into_iter().map(|(_, yaml)| yaml).collect();
    plane.kubectl_with_input(&["create", "-f", "-"], &definitions.join("\n---\n"))?;
    for name in ["applications.argoproj.io", "appprojects.argoproj.io"] {
        // A wait that comes before the first condition fails instead of waiting.
        wait_until(format!("{name} is established"), ESTABLISHED_WITHIN, || {
            plane.kubectl(&["wait", "--for=condition=Established", "--timeout=60s", "crd", name])
        })?;
    }
    for name in [CONTROL, TARGET] {
        plane.kubectl(&["create", "namespace", name])?;
    }
    let project = AppProject::allow_all(CONTROL).to_object();
    plane.kubectl_with_input(&["create", "-f", "-"], &to_json_string(project.value()))?;
    Ok(())
}

/// Counts of requests by verb and resource, from `apiserver_request_total`.
#[derive(Clone, Debug, Default)]
pub(super) struct Requests(BTreeMap<(String, String), f64>);

impl Requests {
    fn parse(metrics: &str) -> Self {
        let mut counts: BTreeMap<(String, String), f64> = BTreeMap::new();
        for line in metrics.lines() {
            let Some(rest) = line.strip_prefix("apiserver_request_total{") else {
                continue;
            };
            let Some((labels, count)) = rest.rsplit_once("} ") else {
                continue;
            };
            let label = |name: &str| {
                let found = labels
                    .split(',')
                    .find_map(|l| l.strip_prefix(name)?.strip_prefix("=\""));
                found.unwrap_or_default().trim_end_matches('"').to_owned()
            };
            let resource = match (label("resource"), label("subresource")) {
                (resource, subresource) if subresource.is_empty() => resource,
                (resource, subresource) => format!("{resource}/{subresource}"),
            };
            if let Ok(count) = count.parse::<f64>() {
                *counts.entry((label("verb"), resource)).or_default() += count;
            }
        }
        Self(counts)
    }

    /// What was added since `before`.
    pub(super) fn since(&self, before: &Self) -> Self {
        let added = self.0.iter().map(|(key, now)| {
            let was = before.0.get(key).copied().unwrap_or_default();
            (key.clone(), now - was)
        });
        Self(added.filter(|(_, n)| *n > 0.0).collect())
    }

    /// A table of requests per application beside those of the floor, the largest difference first.
    pub(super) fn table(&self, floor: &Self, apps: usize) -> String {
        let per_app = |counts: &Self, key: &(String, String)| counts.0.get(key).copied().unwrap_or(0.0) / apps as f64;
        let mut rows: Vec<_> = self
            .0
            .keys()
            .map(|key| (key, per_app(self, key), per_app(floor, key)))
            .filter(|(_, ours, floor)| (ours - floor).abs() >= 0.1)
            .collect();
        rows.sort_by(|a, b| (b.1 - b.2).total_cmp(&(a.1 - a.2)));
        let mut text = format!(
            "Requests to the API server per application, of everyone, while {apps} applications were installed:\n\n\
             | verb | resource | b1 | floor |\n| --- | --- | --- | --- |\n"
        );
        for ((verb, resource), ours, floor) in rows {
            text += &format!("| {verb} | {resource} | {ours:.2} | {floor:.2} |\n");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::Requests;

    #[test]
    fn requests_are_counted_by_verb_and_resource() {
        let line = |verb: &str, code: u16, n: u64| {
            format!(
                "apiserver_request_total{{code=\"{code}\",component=\"apiserver\",dry_run=\"\",group=\"apps\",resource=\"deployments\",\
                 scope=\"namespace\",subresource=\"status\",verb=\"{verb}\",version=\"v1\"}} {n}\n"
            )
        };
        let before = Requests::parse(&line("PUT", 200, 5));
        let after = Requests::parse(&format!(
            "# HELP x\n{}{}{}",
            line("PUT", 200, 7),
            line("PUT", 409, 1),
            line("GET", 200, 2)
        ));
        let added = after.since(&before);
        let key = |verb: &str| (verb.to_owned(), "deployments/status".to_owned());
        assert_eq!(added.0.get(&key("PUT")), Some(&3.0));
        assert_eq!(added.0.get(&key("GET")), Some(&2.0));
        assert!(
            added
                .table(&Requests::default(), 1)
                .contains("| PUT | deployments/status | 3.00 | 0.00 |")
        );
    }
}
