//! What a running operation waits for: the message, the log line and the test print this value [F3.28].

use std::fmt;

use jiff::Timestamp;

use super::task::Task;

/// The first object waited for, how many more there are, and whether all of them are hooks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waited {
    /// `group/kind/name` of the first.
    pub first: String,
    /// Whether the first is a hook.
    pub is_hook: bool,
    /// How many more.
    pub more: usize,
    /// Whether any of them is not a hook.
    pub any_plain: bool,
}

impl Waited {
    /// Names tasks in their order; `None` if there are none.
    pub fn of<'a>(tasks: impl IntoIterator<Item = &'a Task>) -> Option<Self> {
        let mut tasks = tasks.into_iter();
        let first = tasks.next()?;
        let mut waited = Self {
            first: first.display_name(),
            is_hook: first.is_hook(),
            more: 0,
            any_plain: !first.is_hook(),
        };
        for task in tasks {
            waited.more += 1;
            waited.any_plain |= !task.is_hook();
        }
        Some(waited)
    }

    fn and_more(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.first)?;
        match self.more {
            0 => Ok(()),
            n => write!(
                f,
                " and {n} more {}",
                if self.any_plain { "resources" } else { "hooks" }
            ),
        }
    }
}

/// Why an operation is not further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WaitingOn {
    /// The answers of so many effects.
    Outcomes(usize),
    /// That the results are persisted, because what is done next destroys the evidence or builds on it (I-11). Step again at once.
    Recording,
    /// Hooks that run.
    HookRunning(Waited),
    /// Applied objects that are not healthy yet.
    Healthy(Waited),
    /// Deleted objects that are still there.
    Deletion(Waited),
    /// A person who approves deletions.
    PruneConfirmation(Waited),
    /// A person who approves that an Application's objects go with it.
    DeleteConfirmation(Waited),
    /// Something that must be put right first; the condition tells what.
    Condition(String),
    /// The pause between waves.
    WaveDelay {
        /// When it is over.
        until: Timestamp,
    },
    /// A CustomResourceDefinition that is not served yet.
    CrdEstablished {
        /// Its name.
        name: String,
        /// When it is no longer waited for.
        until: Timestamp,
    },
    /// The view of one object's kind.
    View {
        /// `group/kind/name`.
        name: String,
        /// Why it is not known.
        why: String,
    },
    /// A write that was answered with "not now"; it is decided again.
    Again {
        /// `group/kind/name`.
        name: String,
        /// The answer.
        why: String,
    },
}

impl fmt::Display for WaitingOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outcomes(_) | Self::Recording => f.write_str("one or more tasks are running"),
            Self::HookRunning(waited) | Self::Healthy(waited) => {
                let what = if waited.is_hook {
                    "completion of hook"
                } else {
                    "healthy state of"
                };
                write!(f, "waiting for {what} ")?;
                waited.and_more(f)
            }
            Self::Deletion(waited) => {
                write!(
                    f,
                    "waiting for deletion of {}",
                    if waited.is_hook { "hook " } else { "" }
                )?;
                waited.and_more(f)
            }
            Self::PruneConfirmation(waited) => {
                f.write_str("waiting for pruning confirmation of ")?;
                waited.and_more(f)
            }
            Self::DeleteConfirmation(waited) => {
                f.write_str("waiting for deletion confirmation of ")?;
                waited.and_more(f)
            }
            Self::Condition(message) => f.write_str(message),
            Self::WaveDelay { until } => write!(f, "waiting until {until:.0} before the next wave"),
            Self::CrdEstablished { name, .. } => {
                write!(f, "waiting for CustomResourceDefinition {name} to be established")
            }
            Self::View { name, why } => write!(f, "waiting to see {name}: {why}"),
            Self::Again { name, why } => write!(f, "trying {name} again: {why}"),
        }
    }
}
