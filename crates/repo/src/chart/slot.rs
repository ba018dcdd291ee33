//! Something that is fetched once for all who want it at the same time.

use tokio::sync::{Mutex, MutexGuard};
use tokio::time::Instant;

use super::ChartError;

/// A value from outside and when the fetching of it began. The lock is held while fetching: whoever comes meanwhile waits for that answer, good or
/// bad, instead of asking again.
pub(crate) struct Slot<T> {
    state: Mutex<State<T>>,
}

struct State<T> {
    known: Option<(Instant, T)>,
    /// The last failure and when it was known.
    failed: Option<(Instant, ChartError)>,
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self {
            state: Mutex::new(State {
                known: None,
                failed: None,
            }),
        }
    }
}

/// What a slot has for a caller.
pub(crate) enum Entered<'a, T> {
    /// The answer.
    Known(Result<T, ChartError>),
    /// The caller's turn to fetch.
    Turn(Turn<'a, T>),
}

/// The right to fetch; others wait until it is over.
pub(crate) struct Turn<'a, T> {
    state: MutexGuard<'a, State<T>>,
    began: Instant,
}

impl<T: Clone> Slot<T> {
    /// The value as of a fetch that began at `not_before` or later, or the turn to make one.
    pub(crate) async fn enter(&self, not_before: Instant) -> Entered<'_, T> {
        let arrived = Instant::now();
        let state = self.state.lock().await;
        if let Some((began, known)) = &state.known
            && *began >= not_before
        {
            return Entered::Known(Ok(known.clone()));
        }
        if let Some((at, error)) = &state.failed
            && *at > arrived
        {
            return Entered::Known(Err(error.clone()));
        }
        Entered::Turn(Turn {
            state,
            began: Instant::now(),
        })
    }
}

impl<T: Clone> Turn<'_, T> {
    /// What was known before, for conditional requests.
    pub(crate) fn before(&self) -> Option<&T> {
        self.state.known.as_ref().map(|(_, known)| known)
    }

    /// Tells everyone who waits. A turn that is dropped instead leaves things as they were.
    pub(crate) fn end(mut self, loaded: Result<T, ChartError>) -> Result<T, ChartError> {
        match &loaded {
            Ok(value) => {
                self.state.known = Some((self.began, value.clone()));
                self.state.failed = None;
            }
            Err(error) => self.state.failed = Some((Instant::now(), error.clone())),
        }
        loaded
    }
}
