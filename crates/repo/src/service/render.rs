//! Rounds of rendering and fetching, until a source is whole.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use pintle_model::Sensitive;
use pintle_model::tree::{MountedTree, ReadSet, Tree};
use pintle_render::helm::Now;
use pintle_render::{AppIdentity, Need, RenderRequest, Rendered, Round, SourceType, Surroundings};
use tokio::time::Instant;

use super::disk::Question;
use super::kept::{Key, Stand, whose};
use super::parts::Part;
use super::{Ask, RepoError, Repositories, SourceRender};

/// Rounds of one source: each brings the remote bases that the last one's named. Nobody chains more than a few.
pub const MAX_ROUNDS: usize = 16;
/// Names that sources may be referred to by.
const MAX_REFS: usize = 100;

/// The trees other sources lend, by name; or why one cannot be lent.
type Refs = BTreeMap<String, Arc<dyn Tree>>;

impl Repositories {
    /// Resolves, fetches and renders every source of an Application; one answer per source, in order.
    pub async fn render(&self, ask: &Ask) -> Vec<Result<SourceRender, RepoError>> {
        let refs = self.refs(ask).await;
        let mut answers = Vec::with_capacity(ask.sources.len());
        for index in 0..ask.sources.len() {
            answers.push(match &refs {
                Ok(refs) => self.source(ask, index, refs).await,
                Err(e) => Err(e.clone()),
            });
        }
        answers
    }

    /// The trees of sources that others refer to [F4.13].
    async fn refs(&self, ask: &Ask) -> Result<Refs, RepoError> {
        let mut refs = Refs::new();
        for (index, source) in ask.sources.iter().enumerate().filter(|(_, s)| !s.r#ref.is_empty()) {
            let refused = |reason: &str| RepoError::Ref {
                name: source.r#ref.clone(),
                reason: reason.to_owned(),
            };
            let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
            if !source.r#ref.chars().all(is_name) {
                return Err(refused("only letters, digits, `_` and `-` make a name; rename it"));
            }
            if source.is_chart() {
                return Err(refused("only Git sources can be referred to, and this one is a chart"));
            }
            if refs.len() >= MAX_REFS {
                return Err(refused("an application has too many sources that others refer to"));
            }
            let part = self.part(ask, index).await?;
            if refs.insert(source.r#ref.clone(), part.tree).is_some() {
                return Err(refused("two sources have this name; rename one of them"));
            }
        }
        Ok(refs)
    }

    async fn source(&self, ask: &Ask, index: usize, refs: &Refs) -> Result<SourceRender, RepoError> {
        let Some(source) = ask.sources.get(index) else {
            return Err(RepoError::Stopped);
        };
        let part = self.part(ask, index).await?;
        // A source that only lends its files to others renders nothing itself [F4.13].
        if source.is_ref_only() {
            return Ok(SourceRender {
                revision: part.revision,
                rendered: Arc::clone(&self.shared.nothing),
                is_known: true,
            });
        }
        let place = |name: &str| MountedTree::place(&mount_name(name));
        let mut request = RenderRequest {
            source: source.clone(),
            path: part.path.clone(),
            app: ask.app.clone(),
            refs: refs.keys().map(|name| (name.clone(), place(name))).collect(),
            answers: BTreeMap::new(),
            settings: (*ask.settings).clone(),
        };
        let environment = Arc::new(ask.environment(source, &part.revision));
        let key = Key::new(&part.place, &request);
        let stands = |rendered: &Arc<Rendered>| Stand {
            content: part.content.clone(),
            rendered: Arc::clone(rendered),
        };
        self.recall(ask, &key).await;
        let alone = refs.is_empty();
        if alone && let Some(rendered) = self.untouched(ask, &key, &request, &part, &environment).await {
            self.shared.kept.stands(&key, &ask.app, stands(&rendered));
            return Ok(SourceRender {
                revision: part.revision,
                rendered,
                is_known: true,
            });
        }
        let mut tree = MountedTree::new(Arc::clone(&part.tree));
        for (name, lent) in refs {
            tree.mount(&mount_name(name), Arc::clone(lent));
        }
        let mut needs = self.shared.kept.needs(&key, &ask.app);
        for _ in 0..MAX_ROUNDS {
            for need in needs {
                let answer = self.answer(ask, &need, &mut tree).await?;
                request.answers.insert(need, answer);
            }
            let round = self.round(ask, &key, &part.content, tree, request, Arc::clone(&environment));
            match round.await? {
                Turn::Done(rendered, is_known) => {
                    if alone && rendered.answers.is_empty() {
                        self.shared.kept.stands(&key, &ask.app, stands(&rendered));
                    }
                    return Ok(SourceRender {
                        revision: part.revision,
                        rendered,
                        is_known,
                    });
                }
                Turn::Needs(asked, again, for_it) => {
                    needs = asked.into_iter().filter(|n| !for_it.answers.contains_key(n)).collect();
                    (tree, request) = (again, *for_it);
                    if needs.is_empty() {
                        break;
                    }
                }
            }
        }
        let asked: Vec<String> = request.answers.keys().map(Need::name).collect();
        Err(RepoError::Endless {
            rounds: MAX_ROUNDS,
            what: asked.last().cloned().unwrap_or_default(),
        })
    }

    /// Brings back what an earlier process kept, where this one has nothing to compare with yet.
    async fn recall(&self, ask: &Ask, key: &Key) {
        let shared = &self.shared;
        if shared.disk.is_none() || ask.secret.is_none() || shared.kept.has(key, &ask.app) {
            return;
        }
        // It is read, decrypted and parsed, which is work as rendering is. That nothing comes of it means one render more.
        let Ok(_place) = shared.places.acquire().await else {
            return;
        };
        let (shared, ask, key) = (Arc::clone(shared), ask.clone(), key.clone());
        let look = move || {
            let (Some(disk), Some(secret)) = (&shared.disk, &ask.secret) else {
                return;
            };
            // Others with the same source may have waited for the same.
            if shared.kept.has(&key, &ask.app) {
                return;
            }
            for whose in [Some(&ask.app), None] {
                if let Some(rendered) = disk.find(&question(&key, whose, secret), &ask.capabilities) {
                    shared.kept.recall(&key, whose, rendered);
                }
            }
        };
        if tokio::task::spawn_blocking(look).await.is_err() {
            tracing::error!("looking for kept renders stopped unexpectedly; please report it");
        }
    }

    /// The render of the commit where this application stood, if nothing that it read differs from there to here. Most applications of a
    /// repository are done with this when a commit comes, so it is a few lookups in what was found out once for all of them.
    async fn untouched(
        &self,
        ask: &Ask,
        key: &Key,
        request: &RenderRequest,
        part: &Part,
        environment: &BTreeMap<&'static str, String>,
    ) -> Option<Arc<Rendered>> {
        let stand = self.shared.kept.stand(key, &ask.app)?;
        let surroundings = surroundings(ask, environment, &self.shared, None);
        if !stand.rendered.used.is_same(&surroundings) {
            return None;
        }
        if stand.content != part.content {
            let before: Arc<dyn Tree> = self.known_tree(&part.place, &stand.content)?;
            let from = (stand.content.as_str(), before);
            let to = (part.content.as_str(), Arc::clone(&part.tree));
            let touched = self.shared.changes.between(&part.place, from, to).await?;
            let own = pintle_render::own_fields(request);
            if !touched.leaves(&stand.rendered.reads) || touched.holds(&own) {
                return None;
            }
        }
        Some(stand.rendered)
    }

    /// One round: the render that is known, or a new one on a thread of its own.
    async fn round(
        &self,
        ask: &Ask,
        key: &Key,
        content: &str,
        tree: MountedTree,
        request: RenderRequest,
        environment: Arc<BTreeMap<&'static str, String>>,
    ) -> Result<Turn, RepoError> {
        let shared = Arc::clone(&self.shared);
        // Before a place is taken: who waits for another's render keeps no processor from its work.
        let passage = self.shared.gates.pass(key, content).await;
        let _place = self.shared.places.acquire().await.map_err(|_| RepoError::Stopped)?;
        let (ask, key) = (ask.clone(), key.clone());
        let deadline = Instant::now() + request.settings.time;
        let stack = request.settings.chart_limits.stack_bytes();
        let look = move || -> Result<Result<Turn, (Work, MountedTree, RenderRequest)>, RepoError> {
            let work = Work {
                shared,
                ask,
                key,
                environment,
                deadline,
            };
            let known = work.with(|surroundings| {
                work.shared
                    .kept
                    .find(&work.key, &work.ask.app, &tree, &request, surroundings)
            })?;
            Ok(match known {
                Some(known) => Ok(Turn::Done(known, true)),
                None => Err((work, tree, request)),
            })
        };
        // Looking reads Git objects, which is work for a disk; rendering needs a stack of its own.
        let looked = tokio::task::spawn_blocking(look)
            .await
            .map_err(|_| RepoError::Stopped)??;
        let (work, tree, request) = match looked {
            Ok(known) => return Ok(known),
            Err(work) => work,
        };
        let threads = &self.shared.threads;
        let turn = threads
            .run(stack, move || work.render(tree, request))
            .await
            .ok_or(RepoError::Stopped)?;
        if let Turn::Done(rendered, _) = &turn {
            passage.rendered(rendered);
        }
        Ok(turn)
    }
}

/// How a round ended.
enum Turn {
    /// With a render, and whether it was known.
    Done(Arc<Rendered>, bool),
    Needs(Vec<Need>, MountedTree, Box<RenderRequest>),
}

/// One round, on its way to another thread.
struct Work {
    shared: Arc<super::Shared>,
    ask: Ask,
    key: Key,
    environment: Arc<BTreeMap<&'static str, String>>,
    deadline: Instant,
}

impl Work {
    fn with<T>(&self, see: impl FnOnce(&Surroundings<'_>) -> T) -> T {
        let deadline = self.deadline;
        let cancelled = Arc::new(move || Instant::now() >= deadline);
        see(&surroundings(
            &self.ask,
            &self.environment,
            &self.shared,
            Some(cancelled),
        ))
    }

    fn render(self, tree: MountedTree, request: RenderRequest) -> Turn {
        match self.with(|surroundings| pintle_render::render(&tree, &request, surroundings)) {
            Round::Needs(needs) => Turn::Needs(needs, tree, Box::new(request)),
            Round::Done(rendered) => {
                self.shared.rendered.fetch_add(1, Ordering::Relaxed);
                let rendered = Arc::new(rendered);
                self.shared.kept.keep(&self.key, &self.ask.app, &rendered);
                self.keep_on_disk(&rendered);
                Turn::Done(rendered, false)
            }
        }
    }

    /// On the thread that rendered, before it answers: a process that ends when all is rendered has kept all.
    fn keep_on_disk(&self, rendered: &Rendered) {
        if let (Some(disk), Some(secret)) = (&self.shared.disk, &self.ask.secret) {
            disk.keep(&question(&self.key, whose(rendered, &self.ask.app), secret), rendered);
        }
    }
}

/// What a render of this may see besides its files.
fn surroundings<'a>(
    ask: &'a Ask,
    environment: &'a BTreeMap<&'static str, String>,
    shared: &'a super::Shared,
    cancelled: Option<Arc<dyn Fn() -> bool + Send + Sync>>,
) -> Surroundings<'a> {
    Surroundings {
        environment,
        capabilities: &ask.capabilities,
        secret: ask.secret.as_deref(),
        now: ask.now.unwrap_or_else(now),
        charts: &shared.parsed,
        cancelled,
    }
}

/// What the directory of renders is asked.
fn question<'a>(key: &Key, whose: Option<&AppIdentity>, secret: &'a Sensitive<Vec<u8>>) -> Question<'a> {
    Question {
        asked: key.bytes(whose),
        secret,
        now: clock().into(),
    }
}

fn mount_name(r#ref: &str) -> String {
    format!("ref {}", r#ref)
}

#[allow(
    clippy::disallowed_methods,
    reason = "the one place where this shell reads the clock"
)]
fn clock() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// The time charts see.
fn now() -> Now {
    let now = clock();
    Now {
        seconds: now.as_second(),
        nanos: now.subsec_nanosecond().unsigned_abs(),
        offset_seconds: 0,
    }
}

/// What a source renders that only lends its files to others.
pub(super) fn nothing() -> Rendered {
    Rendered {
        source_type: SourceType::Directory,
        objects: Vec::new(),
        diagnostics: Vec::new(),
        reads: ReadSet::default(),
        used: Default::default(),
        answers: BTreeMap::new(),
        is_transient: false,
    }
}
