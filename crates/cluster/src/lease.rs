//! Leadership by a `coordination.k8s.io/v1` Lease, as client-go elects leaders: so that ours and others' see the same record.
//!
//! ```text
//! Standby --lease free, or its holder silent for its duration--> Leading --renewed every 2 s--> Leading
//!    ^                                                              | no renewal for 10 s, or another holder
//!    +--------------------------------------------------------------+
//! ```
//!
//! Every change of the Lease names the resourceVersion it was decided on, so of two who try at once one loses. Clocks of other machines
//! are never compared: a holder is silent when its record has not changed for its duration as measured here.

use std::sync::Arc;
use std::time::Duration;

use pintle_engine::effect::{Action, Effect, FailureKind, Outcome, Permitted};
use pintle_model::{Gvk, Object, Value};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};

use crate::backoff::spread;
use crate::client::Cluster;
use crate::clock;
use crate::clusters::Clusters;
use crate::execute::Executor;
use crate::guard::{Leadership, LeaseGuard, ProjectVersionMap};

/// How long a holder may be silent before another takes over; client-go's default for controllers.
const LEASE_DURATION: Duration = Duration::from_secs(15);
/// A leader that could not renew for this long stops leading: five seconds before anyone else may begin.
const RENEW_DEADLINE: Duration = Duration::from_secs(10);
/// Between renewals, and between looks at another's lease.
const RETRY_PERIOD: Duration = Duration::from_secs(2);
/// One look or renewal; longer ones are useless within [`RENEW_DEADLINE`].
const ATTEMPT_DEADLINE: Duration = Duration::from_secs(5);

/// Which lease, and as whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseConfig {
    /// Namespace of the Lease.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// This process, unlike any other: host name and something random.
    pub identity: Arc<str>,
}

/// Takes part in an election until it is dropped or released.
pub struct Elector {
    config: LeaseConfig,
    cluster: Cluster,
    leadership: watch::Receiver<Leadership>,
    task: JoinHandle<()>,
}

impl Elector {
    /// Begins to stand for leadership. Call it within a tokio runtime. The cluster must be the one Pintle runs in: the Lease is an own record.
    pub fn start(cluster: Cluster, config: LeaseConfig) -> Self {
        let (tx, leadership) = watch::channel(Leadership::Standby { holder: None });
        let candidate = Candidate::new(&cluster, &config);
        Self {
            task: tokio::spawn(candidate.run(tx)),
            config,
            cluster,
            leadership,
        }
    }

    /// Follows whether this process leads.
    pub fn leadership(&self) -> watch::Receiver<Leadership> {
        self.leadership.clone()
    }

    /// The guard for an [`Executor`] that may write only while this process leads.
    pub fn guard(&self) -> LeaseGuard {
        LeaseGuard::held(
            format!("{}/{}", self.config.namespace, self.config.name),
            self.leadership(),
        )
    }

    /// Stops, and gives the lease up if it is held, so that the next one need not wait for it to run out. Finish all writes before.
    pub async fn release(self) {
        self.task.abort();
        let candidate = Candidate::new(&self.cluster, &self.config);
        if let Err(reason) = candidate.give_up().await {
            tracing::warn!(lease = %self.config.name, reason, "the lease could not be given up; it runs out by itself");
        }
    }
}

impl Drop for Elector {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What is known of the Lease.
struct Observed {
    /// Its `spec` as last read; a change of it is a sign of life.
    spec: Value,
    since: Instant,
}

struct Candidate {
    cluster: Cluster,
    executor: Executor,
    config: LeaseConfig,
    observed: Option<Observed>,
}

impl Candidate {
    fn new(cluster: &Cluster, config: &LeaseConfig) -> Self {
        // The lease itself is written by whoever wants it, leader or not.
        let clusters = Clusters::of(cluster.clone());
        let executor = Executor::new(
            clusters,
            Arc::new(ProjectVersionMap::default()),
            LeaseGuard::not_needed(),
        );
        Self {
            cluster: cluster.clone(),
            executor,
            config: config.clone(),
            observed: None,
        }
    }

    async fn run(mut self, leadership: watch::Sender<Leadership>) {
        let mut leading_until: Option<Instant> = None;
        loop {
            let asked_at = Instant::now();
            // A leader learns in time that its time is up, even while the server hangs.
            let longest = leading_until.map_or(ATTEMPT_DEADLINE, |until| (until - asked_at).min(ATTEMPT_DEADLINE));
            let attempt = match timeout(longest, self.try_once()).await {
                Ok(attempt) => attempt,
                Err(_) => Err(format!("no answer within {} s", longest.as_secs())),
            };
            let state = match attempt {
                Ok(Holder::Me) => {
                    if leading_until.is_none() {
                        tracing::info!(lease = %self.config.name, identity = %self.config.identity, "leading");
                    }
                    // Counted from before the request: the server may have taken it at once.
                    leading_until = Some(asked_at + RENEW_DEADLINE);
                    Leadership::Leading {
                        until: asked_at + RENEW_DEADLINE,
                    }
                }
                Ok(Holder::Other(holder)) => {
                    if leading_until.take().is_some() {
                        tracing::warn!(lease = %self.config.name, %holder, "another process has taken the lease");
                    }
                    Leadership::Standby { holder: Some(holder) }
                }
                Err(reason) => {
                    tracing::warn!(lease = %self.config.name, reason, "the lease cannot be read or renewed");
                    match leading_until {
                        Some(until) if Instant::now() < until => Leadership::Leading { until },
                        _ => {
                            leading_until = None;
                            Leadership::Standby { holder: None }
                        }
                    }
                }
            };
            leadership.send_if_modified(|now| {
                let is_changed = *now != state;
                *now = state;
                is_changed
            });
            let next = Instant::now() + spread(RETRY_PERIOD, 0.1);
            sleep_until(leading_until.map_or(next, |until| next.min(until))).await;
        }
    }

    /// Renews the lease if it is ours, takes it if it is free, and says who holds it then.
    async fn try_once(&mut self) -> Result<Holder, String> {
        let Some(lease) = self.read().await? else {
            let spec = self.spec(None);
            return match self
                .write(Action::Create {
                    object: self.lease_object(spec),
                })
                .await
            {
                Outcome::Created(lease) => Ok(self.note(&lease)),
                Outcome::Failed(f) if f.kind == FailureKind::AlreadyExists => {
                    Err("another process was first".to_owned())
                }
                other => Err(words(&other)),
            };
        };
        let holder = holder_of(&lease);
        self.note(&lease);
        if !holder.is_empty() && *holder != *self.config.identity && !self.is_silent(&lease) {
            return Ok(Holder::Other(holder.into()));
        }
        let mut patch = Value::map();
        patch.set_at(&["spec"], self.spec(Some(&lease)));
        let resource_version = Some(lease.resource_version().into());
        match self
            .write(Action::MergePatch {
                patch,
                resource_version,
            })
            .await
        {
            Outcome::Configured(lease) | Outcome::Unchanged(lease) => Ok(self.note(&lease)),
            // Someone else wrote in between: the next look shows who.
            other => Err(words(&other)),
        }
    }

    async fn give_up(&self) -> Result<(), String> {
        let Some(lease) = self.read().await? else { return Ok(()) };
        if *holder_of(&lease) != *self.config.identity {
            return Ok(());
        }
        let mut patch = Value::map();
        // As client-go leaves a lease that it releases.
        patch.set_at(&["spec", "holderIdentity"], "".into());
        patch.set_at(&["spec", "leaseDurationSeconds"], Value::Int(1));
        let resource_version = Some(lease.resource_version().into());
        match self
            .write(Action::MergePatch {
                patch,
                resource_version,
            })
            .await
        {
            Outcome::Configured(_) | Outcome::Unchanged(_) => Ok(()),
            other => Err(words(&other)),
        }
    }

    async fn read(&self) -> Result<Option<Object>, String> {
        let kind = self.cluster.served(&lease_kind()).await.map_err(|e| e.to_string())?;
        self.cluster
            .find(&kind, &self.config.namespace, &self.config.name)
            .await
            .map_err(|e| e.to_string())
    }

    async fn write(&self, action: Action) -> Outcome {
        let effect = Effect {
            cluster: self.cluster.id().clone(),
            gvk: lease_kind(),
            namespace: Arc::clone(&self.config.namespace),
            name: Arc::clone(&self.config.name),
            action,
            dry_run: false,
        };
        match Permitted::own_record(effect) {
            Ok(permitted) => self.executor.execute(permitted).await,
            Err(effect) => {
                let message = format!("the lease is not in Pintle's own cluster but in {}", effect.cluster);
                Outcome::Failed(pintle_engine::effect::Failure {
                    kind: FailureKind::Invalid,
                    message,
                })
            }
        }
    }

    /// Notes the record as seen now, and says who holds it.
    fn note(&mut self, lease: &Object) -> Holder {
        let spec = lease.value().get("spec").cloned().unwrap_or(Value::Null);
        if self.observed.as_ref().is_none_or(|o| o.spec != spec) {
            self.observed = Some(Observed {
                spec,
                since: Instant::now(),
            });
        }
        let holder = holder_of(lease);
        if *holder == *self.config.identity {
            Holder::Me
        } else {
            Holder::Other(holder.into())
        }
    }

    /// Whether the holder has not renewed for as long as its own record says it may.
    fn is_silent(&self, lease: &Object) -> bool {
        let seconds = lease
            .value()
            .i64_at(&["spec", "leaseDurationSeconds"])
            .and_then(|s| u64::try_from(s).ok());
        let duration = seconds.map_or(LEASE_DURATION, Duration::from_secs);
        self.observed.as_ref().is_some_and(|o| o.since.elapsed() >= duration)
    }

    /// The `spec` that says: held by this process, as of now.
    fn spec(&self, before: Option<&Object>) -> Value {
        // `metav1.MicroTime` has six digits.
        let now = format!("{:.6}", clock::now());
        let is_mine = before.is_some_and(|l| *holder_of(l) == *self.config.identity);
        let field = |name| before.and_then(|l| l.value().at(&["spec", name]).cloned());
        let transitions = before.map_or(0, |l| l.value().i64_at(&["spec", "leaseTransitions"]).unwrap_or(0));
        let acquired = field("acquireTime").filter(|v| is_mine && !v.is_null());
        let mut spec = Value::map();
        spec.set_at(&["holderIdentity"], Value::str(Arc::clone(&self.config.identity)));
        spec.set_at(
            &["leaseDurationSeconds"],
            Value::Int(LEASE_DURATION.as_secs().cast_signed()),
        );
        spec.set_at(&["acquireTime"], acquired.unwrap_or_else(|| now.clone().into()));
        spec.set_at(&["renewTime"], now.into());
        let step = i64::from(before.is_some() && !is_mine);
        spec.set_at(&["leaseTransitions"], Value::Int(transitions.saturating_add(step)));
        spec
    }

    fn lease_object(&self, spec: Value) -> Object {
        let mut lease = Object::bare(&lease_kind(), &self.config.namespace, &self.config.name);
        lease.value_mut().set_at(&["spec"], spec);
        lease
    }
}

/// Who holds the lease; empty where it was given up.
enum Holder {
    Me,
    Other(Arc<str>),
}

fn holder_of(lease: &Object) -> &str {
    lease.value().str_at(&["spec", "holderIdentity"]).unwrap_or_default()
}

fn lease_kind() -> Gvk {
    Gvk::new("coordination.k8s.io", "v1", "Lease")
}

/// Why a write of the lease did not happen.
fn words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Failed(failure) => failure.to_string(),
        Outcome::Skipped(why) => why.to_string(),
        _ => "an unexpected answer".to_owned(),
    }
}
