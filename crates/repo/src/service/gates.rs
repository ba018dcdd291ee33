//! Who asks what another is just about to find out waits for that, and renders nothing.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pintle_render::Rendered;
use tokio::sync::OwnedMutexGuard;

use super::kept::Key;

/// What is asked, and of which commit or archive.
type Asked = (Key, String);

/// One gate for each question that is being answered. It goes with the last who asks, so there are never more than rounds under way.
#[derive(Default)]
pub(super) struct Gates {
    gates: Mutex<HashMap<Asked, Arc<Gate>>>,
}

#[derive(Default)]
struct Gate {
    turn: Arc<tokio::sync::Mutex<()>>,
    /// An answer of one is none for the others: nobody waits for anybody any longer.
    is_open: AtomicBool,
}

impl Gates {
    /// Returns when nobody else is about to answer the same question; what is known has to be looked at then.
    pub async fn pass(&self, key: &Key, content: &str) -> Passage<'_> {
        let asked = (key.clone(), content.to_owned());
        let gate = Arc::clone(self.lock().entry(asked.clone()).or_default());
        // Made before the wait: who is dropped while waiting leaves nothing behind.
        let mut passage = Passage {
            gates: self,
            asked,
            gate: Some(Arc::clone(&gate)),
            alone: None,
        };
        if !gate.is_open.load(Ordering::Acquire) {
            let turn = Arc::clone(&gate.turn).lock_owned().await;
            passage.alone = Some(turn).filter(|_| !gate.is_open.load(Ordering::Acquire));
        }
        passage
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Asked, Arc<Gate>>> {
        self.gates.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to answer. Dropping it lets the next in.
pub(super) struct Passage<'a> {
    gates: &'a Gates,
    asked: Asked,
    gate: Option<Arc<Gate>>,
    alone: Option<OwnedMutexGuard<()>>,
}

impl Passage<'_> {
    /// Tells what was rendered: who waits need not go one by one where it is of no use to them.
    pub fn rendered(&self, rendered: &Rendered) {
        if let Some(gate) = self.gate.as_ref()
            && (rendered.is_transient || rendered.used.depends_on_application())
        {
            gate.is_open.store(true, Ordering::Release);
        }
    }
}

impl Drop for Passage<'_> {
    fn drop(&mut self) {
        self.alone = None;
        let mut gates = self.gates.lock();
        // Let go of under the lock, so that of two who leave at once one sees that it is the last.
        self.gate = None;
        if gates.get(&self.asked).is_some_and(|gate| Arc::strong_count(gate) == 1) {
            gates.remove(&self.asked);
        }
    }
}
