//! Runs the control plane alone: `cargo run -p pintle-kubesim --example serve -- KUBECONFIG [PORT]`.

use pintle_kubesim::{Clock, KubeSim};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let mut args = std::env::args().skip(1);
    let path = args.next().unwrap_or_else(|| "kubesim.kubeconfig".to_owned());
    let port = args.next().and_then(|p| p.parse().ok()).unwrap_or(0);
    let sim = KubeSim::with_workloads(Clock::real(), 1);
    let server = sim.serve(port).await?;
    std::fs::write(&path, server.kubeconfig())?;
    eprintln!("listening on {}: export KUBECONFIG={path}", server.url());
    tokio::select! {
        () = sim.run() => {}
        end = tokio::signal::ctrl_c() => end?,
    }
    Ok(())
}
