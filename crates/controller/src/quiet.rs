//! The low lane: applications whose stored status lags by nothing that a program waits for, only by a revision or by how far an operation is.
//!
//! A commit in a repository that a thousand applications share changes one of them and moves the revision of all. Those writes wait until
//! nothing else is to be done, and only [`PLACES`] of them are under way at once, so that the API server and the bounds on writes stay free
//! for whoever really changes.
//!
//! Nobody waits for good: who has waited for [`PATIENCE`] is taken with every round of the hub, however busy it is, and a place is free again
//! with the answer to a write, which comes within the client's deadline.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use crate::event::AppKey;

/// Writes of this lane under way at once: enough to keep one busy while the other is answered.
const PLACES: usize = 2;
/// Who has waited this long beyond its time no longer waits for an idle moment.
const PATIENCE: Duration = Duration::from_secs(10);

/// Who waits, and whose write is under way.
#[derive(Default)]
pub(crate) struct Quiet {
    due: BTreeSet<(Timestamp, AppKey)>,
    due_at: BTreeMap<AppKey, Timestamp>,
    writing: BTreeSet<AppKey>,
}

impl Quiet {
    /// Lets an application wait for a turn at `at` or later; one that waits already keeps its earlier time.
    pub fn add(&mut self, key: &AppKey, at: Timestamp) {
        let at = self.due_at.get(key).map_or(at, |known| at.min(*known));
        self.remove(key);
        self.due.insert((at, key.clone()));
        self.due_at.insert(key.clone(), at);
    }

    /// It no longer waits: there is nothing to write, or it was written with something else.
    pub fn remove(&mut self, key: &AppKey) {
        if let Some(at) = self.due_at.remove(key) {
            self.due.remove(&(at, key.clone()));
        }
    }

    /// The next that may have its turn: the hub is idle, or this one has waited for too long.
    pub fn take(&mut self, now: Timestamp, is_idle: bool) -> Option<AppKey> {
        let (at, key) = self.due.first().filter(|_| self.has_place()).cloned()?;
        let has_waited = now.duration_since(at);
        let is_next = !has_waited.is_negative() && (is_idle || has_waited.unsigned_abs() >= PATIENCE);
        is_next.then(|| {
            self.remove(&key);
            key
        })
    }

    /// When there may be somebody to take, if nothing happens until then; `None` as long as an answer has to come first.
    pub fn next_due(&self, has_time: bool) -> Option<Timestamp> {
        let (at, _) = self.due.first().filter(|_| self.has_place())?;
        let patience = if has_time { Duration::ZERO } else { PATIENCE };
        Some(at.checked_add(patience).unwrap_or(Timestamp::MAX))
    }

    /// A write of this lane goes out.
    pub fn begin(&mut self, key: &AppKey) {
        self.writing.insert(key.clone());
    }

    /// A write was answered; whether it was one of this lane.
    pub fn end(&mut self, key: &AppKey) -> bool {
        self.writing.remove(key)
    }

    fn has_place(&self) -> bool {
        self.writing.len() < PLACES
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::writers::Writers;

    fn key(index: usize) -> AppKey {
        AppKey {
            namespace: "argocd".into(),
            name: format!("app-{index:04}").into(),
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn only_an_idle_hub_takes_them_and_only_two_at_once() {
        let mut quiet = Quiet::default();
        (0..1000).for_each(|i| quiet.add(&key(i), at(2)));
        assert_eq!(quiet.take(at(1), true), None, "too early");
        assert_eq!(quiet.take(at(2), false), None, "something else is to be done");
        for i in 0..2 {
            assert_eq!(quiet.take(at(2), true), Some(key(i)));
            quiet.begin(&key(i));
        }
        assert_eq!(quiet.take(at(2), true), None, "both places are taken");
        assert_eq!(quiet.next_due(true), None, "nothing to wake up for before an answer");
        assert!(!quiet.end(&key(7)), "somebody else's write");
        assert!(quiet.end(&key(0)));
        assert_eq!(quiet.next_due(true), Some(at(2)));
        assert_eq!(
            quiet.next_due(false),
            Some(at(12)),
            "until then only an event changes anything"
        );
        assert_eq!(quiet.take(at(2), true), Some(key(2)));
    }

    #[test]
    fn an_operation_writes_at_once_however_many_revisions_have_moved() {
        let (mut quiet, mut writers) = (Quiet::default(), Writers::default());
        (0..1000).for_each(|i| quiet.add(&key(i), at(2)));
        while let Some(next) = quiet.take(at(2), true) {
            quiet.begin(&next);
        }
        assert!(writers.begin(&key(500)), "the places of the low lane are its own");
        quiet.remove(&key(500));
        quiet.end(&key(0));
        assert_eq!(quiet.take(at(3), false), None, "while it runs, none of them is next");
    }

    #[test]
    fn a_busy_hub_takes_them_in_the_end() {
        let mut quiet = Quiet::default();
        (0..3).for_each(|i| quiet.add(&key(i), at(2)));
        let mut done = Vec::new();
        for second in 0..20 {
            while let Some(next) = quiet.take(at(second), false) {
                quiet.begin(&next);
                done.push((second, next.clone()));
            }
            for (_, written) in &done {
                quiet.end(written);
            }
        }
        assert_eq!(done, [(12, key(0)), (12, key(1)), (13, key(2))]);
    }

    #[test]
    fn a_second_push_does_not_put_off_the_first() {
        let mut quiet = Quiet::default();
        quiet.add(&key(1), at(2));
        quiet.add(&key(1), at(5));
        assert_eq!(quiet.next_due(true), Some(at(2)));
        quiet.add(&key(1), at(1));
        assert_eq!(quiet.take(at(1), true), Some(key(1)));
        assert_eq!(quiet.take(at(9), true), None, "it waits once");
        quiet.add(&key(1), at(2));
        quiet.remove(&key(1));
        assert_eq!(quiet.next_due(true), None);
    }
}
