//! `pintle demo`: the main job on an embedded control plane, with nothing but this program and git.
//!
//! ```text
//! shop (clone) ── git push ──► git_server ── hint ──► controller ──► kubesim ◄── hand (what people do past Pintle)
//!                                                        ▲              │
//!                             story ── console (core API)┘              └─► sight (watches) ──► story, printed changes
//! ```

mod check;
mod console;
pub mod git_server;
mod hand;
mod manifests;
mod pause;
mod say;
mod shop;
mod sight;
mod story;
mod world;

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use pintle_model::application::SyncStatusCode;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;

use self::check::Wanted;
use self::pause::Pause;
use self::say::{Say, columns, seconds};
use self::shop::Environment;
use self::sight::{Sight, image};
use self::world::{World, WorldConfig};
use crate::args::DemoArgs;
use crate::exit::CliError;

/// A start takes a few seconds; what is not there by then is shown as it is.
const READY_WITHIN: Duration = Duration::from_secs(30);
/// What shells report of a program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

/// Runs the demo until it is interrupted, or the story to its end.
pub(crate) async fn run(args: DemoArgs) -> Result<ExitCode, CliError> {
    let say = Say::new(args.headless);
    // Caught from the beginning: whatever has been started is ended and removed.
    let (mut terminated, mut interrupted) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stopped = async move {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = interrupted.recv() => {}
        }
    };
    tokio::pin!(stopped);

    let began = Instant::now();
    let config = WorldConfig {
        directory: args.directory.clone(),
        api_port: args.port,
        git_port: args.git_port,
    };
    say.note("Starting a control plane, a Git server and the controller …");
    let started = tokio::select! {
        started = World::start(config) => started,
        () = &mut stopped => return Ok(ExitCode::from(INTERRUPTED)),
    };
    let world = started.map_err(|error| CliError::error(format!("the demo could not start: {}", chain(&error))))?;
    let mut pause = Pause::new(args.headless);
    let code = tokio::select! {
        code = perform(&world, &args, say, &mut pause, began) => code,
        () = &mut stopped => {
            say.note("Stopping.");
            // Without a story, Ctrl-C is how the demo is meant to end.
            if args.story { ExitCode::from(INTERRUPTED) } else { ExitCode::SUCCESS }
        }
    };
    world.shut_down().await;
    Ok(code)
}

async fn perform(world: &World, args: &DemoArgs, say: Say, pause: &mut Pause, began: Instant) -> ExitCode {
    if args.story {
        say.note(&format!(
            "Ready after {}: {}",
            seconds(began.elapsed()),
            world.api_url()
        ));
        return match story::play(world, say, pause).await {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        };
    }
    let ready = world.lookout.until(READY_WITHIN, |sight| {
        check::wanted(sight, &Wanted::good(Environment::Dev, "1.5"))?;
        check::wanted(sight, &Wanted::good(Environment::Staging, "1.5"))?;
        check::wanted(
            sight,
            &Wanted::good(Environment::Prod, "1.4").sync(SyncStatusCode::OutOfSync),
        )
    });
    match ready.await {
        Ok(()) => say.good(&format!("Ready after {}.", seconds(began.elapsed()))),
        Err(seen) => say.bad(&format!("Not all is as it should be: {seen}")),
    }
    let mark = world.lookout.look(Sight::mark);
    say.line(&world.lookout.look(table));
    invite(world, say);
    follow(world, say, mark, began).await;
    ExitCode::FAILURE
}

fn table(sight: &Sight) -> String {
    let mut rows = vec![["NAME", "SYNC", "HEALTH", "IMAGE"].map(str::to_owned)];
    for environment in Environment::ALL {
        let name = environment.application();
        let status = sight.application(name).map(|app| app.status).unwrap_or_default();
        let image = check::deployment(sight, environment).map(image).unwrap_or("-");
        rows.push([
            name.to_owned(),
            status.sync.status.to_string(),
            status.health.status.to_string(),
            image.to_owned(),
        ]);
    }
    format!("\n{}\n", columns(&rows))
}

/// What to try next.
fn invite(world: &World, say: Say) {
    let (directory, stays) = world.directory();
    let fate = if stays { "stays" } else { "goes when the demo ends" };
    let url = world.clone_url();
    say.line(&format!("  Kubernetes API  {}", world.api_url()));
    say.line(&format!("  Git repository  {url}"));
    say.line(&format!("  Directory       {} ({fate})", directory.display()));
    say.title("\nIn another terminal:");
    let kubeconfig = world.kubeconfig().display();
    for command in [
        format!("export KUBECONFIG={kubeconfig}"),
        "pintle app list".to_owned(),
        "pintle app diff shop-prod          # what waits for a person".to_owned(),
        "pintle app sync shop-prod".to_owned(),
        "kubectl -n shop-prod get pods -w".to_owned(),
        format!("git clone {url} && cd shop"),
        "sed -i s/1.5/1.6/ chart/values-dev.yaml && git commit -am 'image 1.6' && git push".to_owned(),
        "sed -i s/1.6/broken/ chart/values-dev.yaml && git commit -am oops && git push".to_owned(),
    ] {
        say.line(&format!("  {command}"));
    }
    say.note("\nA push is picked up at once. `pintle demo --story` plays all of it by itself. Ctrl-C ends the demo.\n");
}

/// Prints every change of an Application until the watch ends.
async fn follow(world: &World, say: Say, mut mark: usize, began: Instant) {
    let mut sight = world.lookout.watch();
    loop {
        let lines: Vec<String> = {
            let now = sight.borrow_and_update();
            let lines = now.since(mark).map(|change| match &change.state {
                Some(state) => format!("{:<13} {state}", change.name),
                None => format!("{:<13} deleted", change.name),
            });
            let lines = lines.collect();
            mark = now.mark();
            lines
        };
        for line in lines {
            say.line(&format!("{:>8}  {line}", seconds(began.elapsed())));
        }
        if sight.changed().await.is_err() {
            say.bad("the cluster can no longer be watched");
            return;
        }
    }
}

/// An error with its causes, on one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
