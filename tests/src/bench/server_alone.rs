//! S0: how many requests a second the API server answers when nothing else is asked of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::Result;
use super::plain::Plain;
use super::report::{Report, Verdict};
use super::stage::{Stage, TARGET};
use crate::Tools;

const CLIENTS: u64 = 64;
const MEASURED_FOR: Duration = Duration::from_secs(5);

#[derive(Clone, Copy)]
enum What {
    Create,
    Patch,
    Get,
}

pub(super) async fn measure(tools: &Tools, report: &mut Report) -> Result<()> {
    let stage = Stage::new(tools).await?;
    let created = per_second(&stage, What::Create, 1).await?;
    // Patches and gets go to objects that are there.
    let known = ((created * MEASURED_FOR.as_secs_f64()) as u64).max(1) / 2;
    let patched = per_second(&stage, What::Patch, known).await?;
    let read = per_second(&stage, What::Get, known).await?;
    let what = format!("API server alone, {CLIENTS} clients, 1 KiB ConfigMaps");
    let seen = format!("{created:.0} create/s · {patched:.0} merge-patch/s · {read:.0} get/s");
    report.add("S0", what, seen, Verdict::None);
    Ok(())
}

async fn per_second(stage: &Stage, what: What, known: u64) -> Result<f64> {
    let next = Arc::new(AtomicU64::new(0));
    let kubeconfig = stage.plane.kubeconfig_path();
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(Plain::connect(&kubeconfig).await?);
    }
    let started = Instant::now();
    let mut running: JoinSet<Result<u64>> = JoinSet::new();
    for client in clients {
        let next = Arc::clone(&next);
        running.spawn(async move {
            let collection = format!("/api/v1/namespaces/{TARGET}/configmaps");
            let mut done = 0;
            while started.elapsed() < MEASURED_FOR {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let path = format!("{collection}/s0-{}", index % known);
                match what {
                    What::Create => {
                        let object = json!({
                            "apiVersion": "v1", "kind": "ConfigMap",
                            "metadata": {"name": format!("s0-{index}")}, "data": {"filling": "x".repeat(1024)},
                        });
                        client.create(&collection, &object).await?;
                    }
                    What::Patch => {
                        client
                            .merge_patch(&path, &json!({"data": {"turn": index.to_string()}}))
                            .await?
                    }
                    What::Get => drop(client.get(&path).await?),
                }
                done += 1;
            }
            Ok(done)
        });
    }
    let mut done = 0;
    while let Some(client) = running.join_next().await {
        done += client??;
    }
    Ok(done as f64 / started.elapsed().as_secs_f64())
}
