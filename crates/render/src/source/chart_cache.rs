//! Charts parsed once and shared by every render of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use pintle_model::tree::{ContentId, ReadSet, Reader, TreePath};

use crate::helm::{Chart, HelmError, Limits, Vendored};

/// Charts kept. With their files and parsed templates a large one takes some MB. Past that the cache starts anew.
const MAX_CHARTS: usize = 500;

type Key = (TreePath, Option<ContentId>, Vec<(String, TreePath)>);
/// What a chart was loaded from, and the chart.
type Loaded = (Arc<ReadSet>, Arc<Chart>);

/// Loaded charts by the content they were loaded from. Losing one costs time only.
#[derive(Default)]
pub struct ChartCache {
    charts: Mutex<HashMap<Key, Loaded>>,
}

impl ChartCache {
    /// Loads a chart, or takes the one that was loaded from the same content.
    pub(super) fn load(
        &self,
        reader: &Reader<'_>,
        path: &TreePath,
        limits: &Limits,
        vendored: &[Vendored],
    ) -> Result<Arc<Chart>, HelmError> {
        let tree = reader.tree();
        let content = tree.entry(path)?.map(|entry| entry.id);
        let names = vendored.iter().map(|v| (v.name.clone(), v.path.clone())).collect();
        let key = (path.clone(), content, names);
        let known = self.lock().get(&key).cloned();
        // The content id covers the directory; links may lead out of it, and what was fetched stands elsewhere.
        if let Some((reads, chart)) = known
            && reads.first_difference(tree)?.is_none()
        {
            reader.note_all(&reads);
            return Ok(chart);
        }
        let recording = Reader::new(tree);
        let loaded = Chart::load_with(&recording, path, limits, vendored);
        let reads = recording.into_reads();
        reader.note_all(&reads);
        let chart = loaded?;
        let mut charts = self.lock();
        if charts.len() >= MAX_CHARTS {
            charts.clear();
        }
        charts.insert(key, (Arc::new(reads), Arc::clone(&chart)));
        Ok(chart)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Key, Loaded>> {
        self.charts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
