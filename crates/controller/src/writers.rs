//! Who writes its Application next.
//!
//! Writes that have no place yet wait here and not in the client: an application is called when a place is free, has a turn, and writes what
//! is so then. What has changed meanwhile, an operation that ended or a Deployment that became available, is one write instead of two.
//!
//! The queue is in order of arrival and holds an application once, so it is bounded by their number and nobody waits for good.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::AppKey;

/// Writes of Applications under way at once. With the effects of operations ([`crate::jobs::EFFECTS`]), the low lane and the Events they fill
/// the client's own bound and no more, so that nothing waits inside the client, where nobody can be overtaken.
const PLACES: usize = 8;

/// Who waits, and who writes.
#[derive(Default)]
pub(crate) struct Writers {
    tickets: u64,
    waiting: BTreeMap<u64, AppKey>,
    tickets_of: BTreeMap<AppKey, u64>,
    writing: BTreeSet<AppKey>,
    /// Who has been called and has its turn.
    called: Option<AppKey>,
}

impl Writers {
    /// Takes a place for a write; `false` if the application has to wait until it is called.
    pub fn begin(&mut self, key: &AppKey) -> bool {
        let is_next = self.waiting.is_empty() || self.called.as_ref() == Some(key);
        if self.has_place() && is_next {
            self.forget(key);
            self.writing.insert(key.clone());
            return true;
        }
        if !self.tickets_of.contains_key(key) {
            self.tickets += 1;
            self.waiting.insert(self.tickets, key.clone());
            self.tickets_of.insert(key.clone(), self.tickets);
        }
        false
    }

    /// A write was answered.
    pub fn end(&mut self, key: &AppKey) {
        self.writing.remove(key);
    }

    /// It has nothing to write any more.
    pub fn forget(&mut self, key: &AppKey) {
        if let Some(ticket) = self.tickets_of.remove(key) {
            self.waiting.remove(&ticket);
        }
    }

    /// Calls the next: give it a turn, then [`Writers::dismiss`] it.
    pub fn call(&mut self) -> Option<AppKey> {
        let next = self.waiting.values().next().filter(|_| self.has_place()).cloned();
        self.called.clone_from(&next);
        next
    }

    /// The turn of the one called is over; if it has not written, it had no reason to any more.
    pub fn dismiss(&mut self) {
        if let Some(key) = self.called.take() {
            self.forget(&key);
        }
    }

    /// Whether somebody waits and could be called.
    pub fn can_call(&self) -> bool {
        self.has_place() && !self.waiting.is_empty()
    }

    /// Whether nobody waits, and half of the places are free.
    pub fn has_time(&self) -> bool {
        self.waiting.is_empty() && self.writing.len() <= PLACES / 2
    }

    fn has_place(&self) -> bool {
        self.writing.len() < PLACES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(index: usize) -> AppKey {
        AppKey {
            namespace: "argocd".into(),
            name: format!("app-{index:04}").into(),
        }
    }

    #[test]
    fn who_waits_is_called_in_order_and_nobody_goes_before() {
        let mut writers = Writers::default();
        for i in 0..PLACES + 3 {
            assert_eq!(writers.begin(&key(i)), i < PLACES);
        }
        assert!(!writers.can_call());
        assert_eq!(writers.call(), None);
        writers.end(&key(2));
        assert!(!writers.begin(&key(99)), "others have waited longer");
        assert!(!writers.begin(&key(PLACES)), "it was not called yet");
        assert_eq!(writers.call(), Some(key(PLACES)));
        assert!(writers.begin(&key(PLACES)));
        writers.dismiss();
        assert_eq!(writers.call(), None, "the place is taken");
    }

    #[test]
    fn who_has_nothing_to_write_any_more_leaves_its_place_to_the_next() {
        let mut writers = Writers::default();
        for i in 0..PLACES + 4 {
            writers.begin(&key(i));
        }
        writers.end(&key(0));
        writers.forget(&key(PLACES));
        assert_eq!(writers.call(), Some(key(PLACES + 1)));
        writers.dismiss();
        assert_eq!(writers.call(), Some(key(PLACES + 2)));
        assert!(writers.begin(&key(PLACES + 2)));
        writers.dismiss();
        writers.end(&key(1));
        assert_eq!(writers.call(), Some(key(PLACES + 3)));
        writers.dismiss();
        assert!(!writers.can_call());
        assert!(!writers.has_time(), "all places but one are taken");
    }
}
