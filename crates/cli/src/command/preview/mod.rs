//! Applications rendered from repositories on this machine, without a cluster: what `render` and `diff` share.
//!
//! ```text
//! Tree ─ found ─> Definitions ─ fleet (pure) ⇄ renderer ─> Fleet: every Application, those that others render included
//! ```

pub(crate) mod definition;
pub(crate) mod fleet;
pub(crate) mod found;
pub(crate) mod here;
pub(crate) mod renderer;

/// Text of a file for one line on a terminal: control characters would move the cursor or hide what follows.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
