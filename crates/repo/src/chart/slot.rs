//! Something that is fetched once for all who want it at the same time.

use tokio::sync::Mutex;
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

impl<T: Clone> Slot<T> {
    /// The value as of a fetch that began at `not_before` or later. `load` gets what was known before, for conditional requests.
    pub(crate) async fn get(
        &self,
        not_before: Instant,
        load: impl AsyncFnOnce(Option<&T>) -> Result<T, ChartError>,
    ) -> Result<T, ChartError> {
        let arrived = Instant::now();
        let mut state = self.state.lock().await;
        if let Some((began, known)) = &state.known
            && *began >= not_before
        {
            return Ok(known.clone());
        }
        if let Some((at, error)) = &state.failed
            && *at > arrived
        {
            return Err(error.clone());
        }
        let began = Instant::now();
        let loaded = load(state.known.as_ref().map(|(_, known)| known)).await;
        match loaded {
            Ok(value) => {
                state.known = Some((began, value.clone()));
                state.failed = None;
                Ok(value)
            }
            Err(error) => {
                state.failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }
}
