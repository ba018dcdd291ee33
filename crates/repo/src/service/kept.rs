//! Renders that were made, by what was asked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use pintle_model::tree::{Tree, TreeError};
use pintle_render::{AppIdentity, Need, RenderRequest, Rendered, Surroundings};

/// Renders kept. Past that the cache starts anew: what is lost costs one render each.
pub(super) const MAX_RENDERS: usize = 20_000;

/// What was asked: where from, and everything the source says. Whose it is counts only where the result depends on it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    place: String,
    source: String,
}

impl Key {
    pub fn new(place: &str, request: &RenderRequest) -> Self {
        let mut source = request.source.clone();
        // Neither is looked at by a render: the tree is what they mean, and the environment is recorded where it is used.
        source.target_revision = String::new();
        source.repo_url = String::new();
        Self {
            place: format!("{place}\n{}\n{:?}", request.path, request.settings),
            // A document that was read from JSON can be written as JSON.
            source: serde_json::to_string(&source).unwrap_or_default(),
        }
    }

    /// The same, as bytes that tell it from every other.
    pub fn bytes(&self, whose: Option<&AppIdentity>) -> Vec<u8> {
        let mut parts = vec![&self.place, &self.source];
        if let Some(AppIdentity {
            name,
            instance,
            namespace,
            uid,
        }) = whose
        {
            parts.extend([name, instance, namespace, uid]);
        }
        let mut bytes = Vec::with_capacity(self.place.len() + self.source.len() + 64);
        for part in parts {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        bytes
    }
}

/// What was asked, and by whom where that matters.
type Asked = (Key, Option<AppIdentity>);

#[derive(Default)]
pub(super) struct Kept {
    renders: Mutex<HashMap<Asked, Arc<Rendered>>>,
    /// Which content each application's render was found to be right for, last.
    stands: Mutex<HashMap<(Key, AppIdentity), Stand>>,
}

/// A render and the content it is right for: a commit or an archive's digest.
#[derive(Clone)]
pub(super) struct Stand {
    pub content: String,
    pub rendered: Arc<Rendered>,
}

impl Kept {
    /// What had to be fetched for this the last time; the tree to compare with has it mounted.
    pub fn needs(&self, key: &Key, app: &AppIdentity) -> Vec<Need> {
        let known = self.get(key, Some(app)).or_else(|| self.get(key, None));
        known
            .map(|rendered| rendered.answers.keys().cloned().collect())
            .unwrap_or_default()
    }

    /// The render that would be made again from this tree, if there is one.
    pub fn find(
        &self,
        key: &Key,
        app: &AppIdentity,
        tree: &dyn Tree,
        request: &RenderRequest,
        surroundings: &Surroundings<'_>,
    ) -> Result<Option<Arc<Rendered>>, TreeError> {
        for whose in [Some(app), None] {
            let Some(known) = self.get(key, whose) else { continue };
            let fits = known.used.is_same(surroundings)
                && known.answers == request.answers
                && known.reads.first_difference(tree)?.is_none()
                // What another application rendered says nothing of fields that stand beside the manifests for this one alone.
                && (whose.is_some() || tree.entry(&pintle_render::own_fields(request))?.is_none());
            if fits {
                return Ok(Some(known));
            }
        }
        Ok(None)
    }

    /// Whether there is any render of this to compare with.
    pub fn has(&self, key: &Key, app: &AppIdentity) -> bool {
        self.get(key, Some(app)).or_else(|| self.get(key, None)).is_some()
    }

    /// Keeps a render that was just made.
    pub fn keep(&self, key: &Key, app: &AppIdentity, rendered: &Arc<Rendered>) {
        if !rendered.is_transient {
            let asked = (key.clone(), whose(rendered, app).cloned());
            self.room().insert(asked, Arc::clone(rendered));
        }
    }

    /// Keeps a render of an earlier process, unless one was made meanwhile.
    pub fn recall(&self, key: &Key, whose: Option<&AppIdentity>, rendered: Rendered) {
        let asked = (key.clone(), whose.cloned());
        self.room().entry(asked).or_insert_with(|| Arc::new(rendered));
    }

    fn room(&self) -> std::sync::MutexGuard<'_, HashMap<Asked, Arc<Rendered>>> {
        let mut renders = self.lock();
        if renders.len() >= MAX_RENDERS {
            renders.clear();
        }
        renders
    }

    /// Where an application stood when it was looked at last.
    pub fn stand(&self, key: &Key, app: &AppIdentity) -> Option<Stand> {
        let stands = self.stands.lock().unwrap_or_else(PoisonError::into_inner);
        stands.get(&(key.clone(), app.clone())).cloned()
    }

    pub fn stands(&self, key: &Key, app: &AppIdentity, stand: Stand) {
        if stand.rendered.is_transient {
            return;
        }
        let mut stands = self.stands.lock().unwrap_or_else(PoisonError::into_inner);
        if stands.len() >= MAX_RENDERS {
            stands.clear();
        }
        stands.insert((key.clone(), app.clone()), stand);
    }

    fn get(&self, key: &Key, whose: Option<&AppIdentity>) -> Option<Arc<Rendered>> {
        self.lock().get(&(key.clone(), whose.cloned())).cloned()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Asked, Arc<Rendered>>> {
        self.renders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The application that a render is right for alone; `None` if it is right for all with the same source.
pub(super) fn whose<'a>(rendered: &Rendered, app: &'a AppIdentity) -> Option<&'a AppIdentity> {
    rendered.used.depends_on_application().then_some(app)
}
