//! The secret of this installation that what charts draw at random depends on: made once, read by every process.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pintle_cluster::Executor;
use pintle_engine::effect::{INSTALLATION_KEY, INSTALLATION_SECRET};
use pintle_engine::{Action, Effect, FailureKind, Outcome, Permitted};
use pintle_model::{GroupKind, Gvk, Map, Object, Sensitive, Value};
use tokio::sync::mpsc;

use crate::config::ControllerConfig;
use crate::event::Event;

/// Bytes of a new secret.
const LENGTH: usize = 32;
/// A secret that cannot be read or made is tried again after this long, doubled up to [`RETRY_LONGEST`].
const RETRY: Duration = Duration::from_secs(2);
const RETRY_LONGEST: Duration = Duration::from_secs(60);

/// Reads the secret, or makes it, and tells the hub. Tries until it works: charts that draw nothing do not wait for it.
pub(crate) async fn find(config: ControllerConfig, executor: Executor, events: mpsc::Sender<Event>) {
    let mut wait = RETRY;
    loop {
        match read_or_make(&config, &executor).await {
            Ok(secret) => {
                // A closed channel: the process ends.
                let _ = events.send(Event::Installation(Arc::new(secret))).await;
                return;
            }
            Err(message) => {
                tracing::warn!(
                    secret = INSTALLATION_SECRET,
                    namespace = config.control_namespace,
                    message,
                    "charts that draw random values are not rendered until this Secret can be read or made"
                );
            }
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(RETRY_LONGEST);
    }
}

async fn read_or_make(config: &ControllerConfig, executor: &Executor) -> Result<Sensitive<Vec<u8>>, String> {
    let cluster = &config.cluster;
    let namespace = config.control_namespace.as_str();
    let kind = GroupKind::new("", "Secret");
    let read = async || {
        cluster
            .find_kind(&kind, namespace, INSTALLATION_SECRET)
            .await
            .map_err(|e| e.to_string())
    };
    if let Some(known) = read().await? {
        return key_of(&known);
    }
    let effect = Effect {
        cluster: cluster.id().clone(),
        gvk: Gvk::new("", "v1", "Secret"),
        namespace: namespace.into(),
        name: INSTALLATION_SECRET.into(),
        action: Action::Create {
            object: fresh(namespace)?,
        },
        dry_run: false,
    };
    let permitted = Permitted::installation_secret(effect, namespace)
        .map_err(|_| "the Secret to be made is not the one that may be made".to_owned())?;
    match executor.execute(permitted).await {
        // Another process was quicker, and its secret counts.
        Outcome::Failed(failure) if failure.kind != FailureKind::AlreadyExists => Err(failure.to_string()),
        _ => match read().await? {
            Some(made) => key_of(&made),
            None => Err("it was made and is not there".into()),
        },
    }
}

/// The key in the Secret.
fn key_of(secret: &Object) -> Result<Sensitive<Vec<u8>>, String> {
    let text = secret.value().str_at(&["data", INSTALLATION_KEY]).unwrap_or_default();
    match STANDARD.decode(text) {
        Ok(key) if key.len() >= LENGTH => Ok(Sensitive::new(key)),
        _ => Err(format!(
            "its field {INSTALLATION_KEY} holds no key of {LENGTH} bytes in base64"
        )),
    }
}

fn fresh(namespace: &str) -> Result<Object, String> {
    let mut key = [0; LENGTH];
    aws_lc_rs::rand::fill(&mut key).map_err(|_| "the system gives no random bytes".to_owned())?;
    let mut object = Object::bare(&Gvk::new("", "v1", "Secret"), namespace, INSTALLATION_SECRET);
    object.set_label("app.kubernetes.io/part-of", "argocd");
    let data: Map = [(INSTALLATION_KEY, Value::from(STANDARD.encode(key)))]
        .into_iter()
        .collect();
    object.value_mut().set_at(&["data"], Value::Map(data.into()));
    Ok(object)
}
