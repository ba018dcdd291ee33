//! What the hub remembers of one Application. Losing all of it costs a render and a comparison, nothing else.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use pintle_engine::Outcome;
use pintle_engine::app::compare::{CompareCache, Comparison};
use pintle_engine::app::operation::Wanted;
use pintle_engine::app::targets::Targets;
use pintle_engine::complete::Complete;
use pintle_engine::sync::{Memory, TaskId};
use pintle_model::application::{Application, OperationState};
use pintle_model::{Object, ResourceKey};
use tokio::time::Instant;

use crate::event::SourceResult;

pub(crate) struct AppState {
    /// As last seen or written.
    pub app: Application,
    /// Name in tracking marks.
    pub instance: Arc<str>,
    /// The sources the spec names.
    pub render: RenderSlot,
    /// The sources of the operation, where it pins other ones.
    pub op_render: Option<RenderSlot>,
    /// Targets of `render`.
    pub prepared: Option<Prepared>,
    /// Targets of the operation.
    pub op_prepared: Option<Prepared>,
    pub cache: CompareCache,
    pub comparison: Option<Comparison>,
    pub operation: Option<Running>,
    /// The deletion under way.
    pub deletion: Option<Deletion>,
    /// What the write under way changes, to be told as Events once it is stored.
    pub announced: Option<(Box<Application>, Box<Application>)>,
    /// A write of the Application is under way.
    pub writing: bool,
    /// It had a turn since that write went out.
    pub turned_meanwhile: bool,
    /// Bodies that were asked for.
    pub reading: BTreeSet<ResourceKey>,
    /// When the sources are resolved again without a hint.
    pub poll_at: Option<Timestamp>,
    /// Why automated sync does nothing, for people.
    pub why: String,
    /// Counts writes that failed in a row, for their backoff.
    pub failed_writes: u32,
    /// No turn before then: after a failed write.
    pub pause_until: Option<Timestamp>,
}

/// One operation under way.
pub(crate) struct Running {
    /// Tells answers of this operation from those of an earlier one.
    pub run: u64,
    pub state: OperationState,
    pub memory: Memory,
    /// Effects are under way.
    pub executing: bool,
    /// What the last step applied may be applied again after a crash, so the next one need not wait for its record.
    pub repeatable: bool,
    /// Answers that the next step takes.
    pub outcomes: Vec<(TaskId, Outcome)>,
}

/// A deletion under way.
pub(crate) struct Deletion {
    /// Tells answers of this deletion from those of an operation.
    pub run: u64,
    pub executing: bool,
    pub outcomes: Vec<(TaskId, Outcome)>,
}

/// What was asked of the repositories, and what came.
#[derive(Default)]
pub(crate) struct RenderSlot {
    /// What a result is for; `None` before the first.
    pub result: Option<(Wanted, Vec<SourceResult>)>,
    /// What is being rendered.
    pub in_flight: Option<Wanted>,
    /// Refs must be as of then or later; set by hints, refreshes and polls.
    pub not_before: Option<Instant>,
    /// What the render in flight has to be as of, or the last one if it failed: trying it again with less would hide what a hint told of.
    pub as_of: Option<Instant>,
    /// A failed render is tried again then.
    pub retry_at: Option<Timestamp>,
    /// Failures in a row, for the backoff.
    pub failures: u32,
}

/// Targets and what they were made from.
pub(crate) struct Prepared {
    pub targets: Result<Complete<Targets>, Arc<str>>,
    pub revisions: Vec<String>,
    pub wanted: Wanted,
    /// Destination namespace they were made for.
    pub namespace: String,
    /// Generation of kinds and settings they were made with.
    pub generation: u64,
    /// What the renderer has to say of sources that it rendered all the same; bounded.
    pub warnings: Vec<String>,
    /// Applying them a second time changes nothing.
    pub repeatable: bool,
}

impl AppState {
    pub fn new(app: Application, instance: Arc<str>) -> Self {
        Self {
            app,
            instance,
            render: RenderSlot::default(),
            op_render: None,
            prepared: None,
            op_prepared: None,
            cache: CompareCache::default(),
            comparison: None,
            operation: None,
            deletion: None,
            announced: None,
            writing: false,
            turned_meanwhile: false,
            reading: BTreeSet::new(),
            poll_at: None,
            why: String::new(),
            failed_writes: 0,
            pause_until: None,
        }
    }
}

impl Prepared {
    pub fn objects(&self) -> &[Object] {
        self.targets
            .as_ref()
            .map(|t| t.get().objects.as_slice())
            .unwrap_or_default()
    }
}

impl RenderSlot {
    /// Whether the last render was not whole, for whatever reason.
    pub fn has_failed(&self) -> bool {
        let (_, sources) = match &self.result {
            Some(known) => known,
            None => return false,
        };
        sources.iter().any(|source| match &source.rendered {
            Ok(rendered) => rendered
                .diagnostics
                .iter()
                .any(|d| d.severity == pintle_render::Severity::Error),
            Err(_) => true,
        })
    }

    /// Asks for refs as of `at` or later with the next render.
    pub fn ask(&mut self, at: Instant) {
        self.not_before = Some(self.not_before.map_or(at, |known| known.max(at)));
        self.retry_at = None;
    }
}
