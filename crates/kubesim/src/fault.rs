//! Breaking writes on purpose, and remembering them: what tests of callers need.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::error::ApiError;
use crate::resource::GroupResource;

/// The kind of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WriteVerb {
    /// POST.
    Create,
    /// PUT.
    Update,
    /// PATCH.
    Patch,
    /// DELETE of one object.
    Delete,
    /// DELETE of a collection.
    DeleteCollection,
}

/// A write as a fault decides on it, before it happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The kind of write.
    pub verb: WriteVerb,
    /// The table.
    pub gr: GroupResource,
    /// `status`, `scale`, …; empty for the object itself.
    pub subresource: String,
    /// Namespace; empty for cluster-scoped resources.
    pub namespace: String,
    /// Name; empty for a collection, the generateName prefix where the server makes the name.
    pub name: String,
    /// Who: the `fieldManager` parameter if there is one, the User-Agent otherwise.
    pub who: String,
    /// Whether it is a dry run.
    pub dry_run: bool,
    /// 0 for the first write this server ever received, dry runs included, 1 for the next, …
    pub nth: u64,
}

/// What goes wrong with a write.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It is refused with this status and does not happen.
    Refuse(ApiError),
    /// It happens, and the connection ends before the answer.
    AnswerLost,
    /// It does not happen, and the connection ends without an answer.
    RequestLost,
    /// It happens after this time on the simulation's clock.
    Delay(Duration),
}

/// Decides what goes wrong with a write; `None`: nothing.
pub trait Faults: Send + Sync {
    /// Called once for every write, before it happens.
    fn on_write(&self, write: &Write) -> Option<Fault>;
}

impl<F: Fn(&Write) -> Option<Fault> + Send + Sync> Faults for F {
    fn on_write(&self, write: &Write) -> Option<Fault> {
        self(write)
    }
}

/// Writes kept in the log: enough for the longest scenario; a longer run loses the oldest and says how many.
const MAX_LOGGED: usize = 65_536;

/// A write and how it was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedWrite {
    /// The write.
    pub write: Write,
    /// The HTTP status it was, or would have been, answered with; 0 if it never happened.
    pub code: u16,
}

/// The fault hook and the write log of one server.
#[derive(Default)]
pub struct WriteGate {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    faults: Option<Arc<dyn Faults>>,
    log: VecDeque<LoggedWrite>,
    forgotten: u64,
    next: u64,
    by_table: HashMap<GroupResource, u64>,
}

impl WriteGate {
    /// Sets or, with `None`, clears what goes wrong.
    pub fn set_faults(&self, faults: Option<Arc<dyn Faults>>) {
        self.lock().faults = faults;
    }

    /// Numbers the write and asks the fault hook.
    pub(crate) fn arrive(&self, write: &mut Write) -> Option<Fault> {
        let faults = {
            let mut inner = self.lock();
            write.nth = inner.next;
            inner.next += 1;
            *inner.by_table.entry(write.gr.clone()).or_default() += 1;
            inner.faults.clone()
        };
        // Asked outside the lock: a hook may read the log.
        faults.and_then(|f| f.on_write(write))
    }

    pub(crate) fn record(&self, write: Write, code: u16) {
        let mut inner = self.lock();
        if inner.log.len() == MAX_LOGGED {
            inner.log.pop_front();
            inner.forgotten += 1;
        }
        inner.log.push_back(LoggedWrite { write, code });
    }

    /// The writes so far, oldest first.
    pub fn log(&self) -> Vec<LoggedWrite> {
        self.lock().log.iter().cloned().collect()
    }

    /// Empties the log and returns what was in it.
    pub fn take_log(&self) -> Vec<LoggedWrite> {
        std::mem::take(&mut self.lock().log).into()
    }

    /// How many writes the log has lost because it was full.
    pub fn forgotten(&self) -> u64 {
        self.lock().forgotten
    }

    /// How many writes to a table have arrived, dry runs included.
    pub fn count(&self, gr: &GroupResource) -> u64 {
        self.lock().by_table.get(gr).copied().unwrap_or(0)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
