//! One copy of strings that many entries share.

use std::collections::HashSet;
use std::sync::Arc;

use pintle_model::ResourceKey;

/// Most strings held: a large cluster has some thousand namespaces and images; this is under 4 MiB. Past it, strings nobody uses any more are
/// dropped, and if that does not help, new ones are simply not shared.
const MAX_STRINGS: usize = 32_768;
/// Longer strings seldom repeat.
const MAX_BYTES: usize = 128;

/// A bounded set of shared strings.
#[derive(Default)]
pub(super) struct Interner {
    strings: HashSet<Arc<str>>,
    /// How many strings were turned away since the last sweep.
    refused: usize,
}

impl Interner {
    /// The shared copy of `text`.
    pub(super) fn get(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.strings.get(text) {
            return Arc::clone(known);
        }
        let new: Arc<str> = text.into();
        if text.len() > MAX_BYTES {
            return new;
        }
        if self.strings.len() >= MAX_STRINGS {
            // A sweep looks at every string, so it has to be earned.
            if self.refused < MAX_STRINGS / 4 && self.refused > 0 {
                self.refused += 1;
                return new;
            }
            self.strings.retain(|s| Arc::strong_count(s) > 1);
            self.refused = 1;
            if self.strings.len() >= MAX_STRINGS {
                return new;
            }
            self.refused = 0;
        }
        self.strings.insert(Arc::clone(&new));
        new
    }

    /// A key whose group, kind and namespace are shared.
    pub(super) fn key(&mut self, group: &str, kind: &str, namespace: &str, name: &str) -> ResourceKey {
        ResourceKey::new(self.get(group), self.get(kind), self.get(namespace), name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_stays_bounded() {
        let mut interner = Interner::default();
        let kept = interner.get("kept");
        assert!(Arc::ptr_eq(&kept, &interner.get("kept")));
        for i in 0..3 * MAX_STRINGS {
            interner.get(&format!("s{i}"));
            assert!(interner.strings.len() <= MAX_STRINGS);
        }
        assert!(
            Arc::ptr_eq(&kept, &interner.get("kept")),
            "a sweep keeps what is in use"
        );
        let all: Vec<Arc<str>> = (0..2 * MAX_STRINGS).map(|i| interner.get(&format!("u{i}"))).collect();
        assert!(interner.strings.len() <= MAX_STRINGS);
        drop(all);
    }
}
