//! What simulated containers print.

use jiff::Timestamp;
use pintle_model::Object;

/// One line of a container's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// When it was printed.
    pub at: Timestamp,
    /// The line, without its end.
    pub text: String,
}

/// Answers `pods/{name}/log`: written by the workloads, read by the API.
pub trait PodLogs: Send + Sync {
    /// The lines that `container` of `pod` has printed by `until`, oldest first, as a function of the Pod alone so that two calls agree.
    ///
    /// `previous` asks for the run before the last restart; `None` means that the container has not run (yet, or before): the API then
    /// answers 400 as kubelet does. Bound: an implementation returns at most some thousands of lines.
    fn lines(&self, pod: &Object, container: &str, previous: bool, until: Timestamp) -> Option<Vec<LogLine>>;
}
