//! How long simulated things take: slow enough to be seen by `kubectl get -w`, quick enough that a rollout of two or three replicas takes
//! one to two seconds.

use std::time::Duration;

/// A time with a spread: an object gets its own value in between, always the same for one seed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    least: Duration,
    most: Duration,
}

const fn millis(least: u64, most: u64) -> Span {
    Span {
        least: Duration::from_millis(least),
        most: Duration::from_millis(most),
    }
}

/// From the creation of a Pod until it is bound to a node.
pub(super) const SCHEDULE: Span = millis(20, 60);
/// Until an image is pulled and the containers start.
pub(super) const PULL: Span = millis(100, 250);
/// From the start of the containers until they are ready.
pub(super) const READY: Span = millis(100, 250);
/// As [`READY`], for images tagged `slow`.
pub(super) const READY_SLOW: Span = millis(8_000, 9_000);
/// How long an init container runs.
pub(super) const INIT_RUN: Span = millis(80, 200);
/// How long a container runs that is meant to end (Pods of Jobs).
pub(super) const TASK_RUN: Span = millis(400, 900);
/// How long a container tagged `crash` lives.
pub(super) const CRASH_RUN: Span = millis(200, 400);
/// From `ErrImagePull` to `ImagePullBackOff`.
pub(super) const PULL_BACK_OFF: Span = millis(300, 500);
/// From the request to terminate until the containers are gone, unless the grace period is shorter.
pub(super) const TERMINATE: Span = millis(150, 300);
/// Until a PersistentVolumeClaim is bound.
pub(super) const BIND_VOLUME: Span = millis(100, 200);
/// Until a load balancer has an address.
pub(super) const LOAD_BALANCER: Span = millis(500, 900);
/// Between looks at something that a Pod waits for and that sends no event to its controller (volumes, nodes).
pub(super) const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// After a write that failed.
pub(super) const RETRY: Duration = Duration::from_millis(200);
/// The first pause of a crash loop; it doubles up to [`CRASH_PAUSE_MOST`], as kubelet's does.
pub(super) const CRASH_PAUSE: Duration = Duration::from_secs(10);
/// The longest pause of a crash loop.
pub(super) const CRASH_PAUSE_MOST: Duration = Duration::from_secs(300);
/// The first pause before a failed Pod of a Job is replaced (10 s in kube-controller-manager); it doubles up to [`JOB_PAUSE_MOST`].
pub(super) const JOB_PAUSE: Duration = Duration::from_millis(500);
/// The longest pause before a failed Pod of a Job is replaced.
pub(super) const JOB_PAUSE_MOST: Duration = Duration::from_secs(60);

/// The spread, decided by a seed so that a run repeats.
#[derive(Clone, Copy, Debug)]
pub(super) struct Jitter(u64);

impl Jitter {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The time within `span` that belongs to `who`.
    pub(super) fn pick(self, span: Span, who: &str) -> Duration {
        let room = span.most.saturating_sub(span.least).as_millis().max(1);
        let extra = u128::from(self.number(who)) % room;
        span.least + Duration::from_millis(u64::try_from(extra).unwrap_or(0))
    }

    /// A number that belongs to `who`: FNV-1a over the text, stirred with the seed.
    pub(super) fn number(self, who: &str) -> u64 {
        let hash = who.bytes().fold(0xcbf2_9ce4_8422_2325, |h: u64, b| {
            (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)
        });
        let mut z = hash ^ self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z ^ (z >> 31)
    }
}
