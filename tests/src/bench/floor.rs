//! The floor of b1: plain clients create the same objects and see them ready.

use std::time::Duration;

use pintle_model::{GroupKind, Object};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::plain::Plain;
use super::report::{Report, Verdict};
use super::stage::{Requests, Stage, TARGET};
use super::watched::Watched;
use super::{Result, fleet};
use crate::Tools;

/// What the machine allows.
pub(super) struct Floor {
    /// One client, one request at a time.
    pub(super) one_client: Duration,
    pub(super) server_cpu: f64,
    pub(super) requests: Requests,
}

/// Measures one client, which the target counts from, and eight, which the machine can do at best.
pub(super) async fn measure(tools: &Tools, apps: usize, report: &mut Report) -> Result<Floor> {
    let floor = with_clients(tools, apps, 1).await?;
    let eight = with_clients(tools, apps, 8).await?;
    for (clients, seen) in [("one plain client", &floor), ("eight plain clients", &eight)] {
        report.add(
            "floor",
            format!("{apps} x 4 objects by {clients}, until every Deployment is available"),
            format!(
                "{:.1} s; API server {:.1} CPU-s",
                seen.one_client.as_secs_f64(),
                seen.server_cpu
            ),
            Verdict::None,
        );
    }
    Ok(floor)
}

async fn with_clients(tools: &Tools, apps: usize, clients: usize) -> Result<Floor> {
    let stage = Stage::new(tools).await?;
    let kind = GroupKind::new("apps", "Deployment");
    let mut deployments = Watched::start(&stage.cluster, &kind, TARGET, is_available).await?;
    let (before, cpu) = (stage.requests().await?, stage.cpu_of("kube-apiserver")?);
    let started = Instant::now();
    let mut running: JoinSet<Result<()>> = JoinSet::new();
    for client in 0..clients {
        let plain = Plain::connect(&stage.plane.kubeconfig_path()).await?;
        running.spawn(async move {
            for index in (client..apps).step_by(clients) {
                for (object, (_, _, collection)) in fleet::objects(index, "first").iter().zip(fleet::KINDS) {
                    plain.create(collection, object).await?;
                }
            }
            Ok(())
        });
    }
    while let Some(done) = running.join_next().await {
        done??;
    }
    deployments
        .until_all(apps, Duration::from_secs(600), |available| *available)
        .await?;
    let took = started.elapsed();
    Ok(Floor {
        one_client: took,
        server_cpu: stage.cpu_of("kube-apiserver")? - cpu,
        requests: stage.requests().await?.since(&before),
    })
}

fn is_available(deployment: &Object) -> bool {
    deployment.value().i64_at(&["status", "availableReplicas"]).unwrap_or(0) >= 1
}
