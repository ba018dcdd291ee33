//! What charts of an Application draw from and see of the world, recorded; and when their rendering ends [F4.6].

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pintle_gotmpl::{CallSite, Validity};

use crate::helm::{Ambient, Capabilities, HelmError, KeyedAmbient, KubeVersion, Now};
use crate::request::Recorder;

/// What the chart is told of the cluster: what the source says, else what the destination serves, which `known` is.
pub(super) fn capabilities(
    kube_version: &str,
    api_versions: &[String],
    known: &Capabilities,
) -> Result<Capabilities, HelmError> {
    let mut capabilities = known.clone();
    if !kube_version.is_empty() {
        capabilities.kube_version = KubeVersion::parse(kube_version)?;
    }
    if !api_versions.is_empty() {
        capabilities.api_versions = Capabilities::default().api_versions;
        capabilities.api_versions.extend(api_versions.iter().cloned());
    }
    Ok(capabilities)
}

/// The question whether a render is to end, with a note of whether it was ever answered with yes.
pub(super) struct Watch {
    fired: Arc<AtomicBool>,
    /// To be asked now and then; `None` where nobody watches.
    pub cancelled: Option<Arc<dyn Fn() -> bool + Send + Sync>>,
}

impl Watch {
    pub fn new(recorder: &Recorder<'_>) -> Self {
        let fired = Arc::new(AtomicBool::new(false));
        let cancelled = recorder.surroundings().cancelled.clone().map(|asked| {
            let fired = Arc::clone(&fired);
            let watch = move || {
                let now = asked();
                fired.fetch_or(now, Ordering::Relaxed);
                now
            };
            Arc::new(watch) as Arc<dyn Fn() -> bool + Send + Sync>
        });
        Self { fired, cancelled }
    }

    /// Whether the render was told to end.
    pub fn fired(&self) -> bool {
        self.fired.load(Ordering::Relaxed)
    }
}

/// What is said of a chart that was told to end.
pub(super) const TOO_LONG: &str = "the chart took longer to render than a render may; look for a loop in its templates";

/// What is said where the secret of the installation is needed and cannot be read.
pub(super) const NO_SECRET: &str = "the chart draws random values, and the secret of this installation that they depend on cannot be read; \
                                    they would change with every render";

/// Randomness of the installation, with a note of whether any was drawn and until when the certificates made are the same.
pub(super) struct Recorded<'a> {
    keyed: KeyedAmbient,
    recorder: &'a Recorder<'a>,
    drew: Cell<bool>,
}

impl<'a> Recorded<'a> {
    pub fn new(recorder: &'a Recorder<'a>, uid: &str) -> Self {
        let surroundings = recorder.surroundings();
        let secret = surroundings.secret.map_or(&[][..], |s| s.expose().as_slice());
        Self {
            keyed: KeyedAmbient::new(surroundings.now, secret, uid),
            recorder,
            drew: Cell::new(false),
        }
    }
}

impl Recorded<'_> {
    /// Whether something was drawn that nothing keeps the same: the secret is not there.
    pub fn is_unsteady(&self) -> bool {
        self.drew.get() && self.recorder.surroundings().secret.is_none()
    }
}

impl Ambient for Recorded<'_> {
    fn now(&self) -> Now {
        self.keyed.now()
    }

    fn random(&self, site: &CallSite, draw: u32, out: &mut [u8]) {
        self.drew.set(true);
        self.recorder.random();
        self.keyed.random(site, draw, out);
    }

    fn validity(&self, site: &CallSite, life_seconds: i64) -> Validity {
        let validity = self.keyed.validity(site, life_seconds);
        let window = (life_seconds / 3 * 2).max(1);
        self.recorder.until(validity.not_before_seconds.saturating_add(window));
        validity
    }
}
