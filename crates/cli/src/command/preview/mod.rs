//! Applications rendered from repositories on this machine, without a cluster: what `render` and `diff` share.
//!
//! ```text
//! Tree ─ found ─> Definitions ─ fleet (pure) ⇄ renderer ─> Fleet: every Application, those that others render included
//! ```

pub(super) mod definition;
pub(super) mod fleet;
pub(super) mod found;
pub(super) mod here;
pub(super) mod renderer;

/// Text of a file for one line on a terminal: control characters would move the cursor or hide what follows.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
