//! A map that forgets what was not used for longest.

use std::collections::HashMap;
use std::hash::Hash;

/// At most `max` entries.
pub(crate) struct Bounded<K, V> {
    entries: HashMap<K, (u64, V)>,
    uses: u64,
    max: usize,
}

impl<K: Eq + Hash + Clone, V: Clone> Bounded<K, V> {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            entries: HashMap::new(),
            uses: 0,
            max,
        }
    }

    /// The entry of a key, made if there is none.
    pub(crate) fn get_or(&mut self, key: K, make: impl FnOnce() -> V) -> V {
        self.uses += 1;
        if let Some((used, value)) = self.entries.get_mut(&key) {
            *used = self.uses;
            return value.clone();
        }
        if self.entries.len() >= self.max {
            let oldest = self.entries.iter().min_by_key(|(_, (used, _))| *used);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                self.entries.remove(&oldest);
            }
        }
        let value = make();
        self.entries.insert(key, (self.uses, value.clone()));
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forgets_the_least_used() {
        let mut map = Bounded::new(2);
        for key in ["a", "b", "a", "c"] {
            map.get_or(key, || key.to_owned());
        }
        assert_eq!(map.get_or("a", || "new".into()), "a");
        assert_eq!(map.get_or("b", || "new".into()), "new");
    }
}
