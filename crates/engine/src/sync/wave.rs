//! Sync waves [F3.1].

use pintle_model::{Object, annotation};

/// The wave of an object: its annotation, else Helm's hook weight, else 0. What is not an integer counts as absent.
pub fn wave_of(object: &Object) -> i64 {
    [annotation::SYNC_WAVE, annotation::HELM_HOOK_WEIGHT]
        .into_iter()
        .find_map(|name| object.annotation(name)?.parse().ok())
        .unwrap_or(0)
}
