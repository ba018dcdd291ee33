//! Chart repositories over HTTP(S): `index.yaml`, and archives beside it or elsewhere [F4.7].

mod index;
mod repository;

pub use index::{Entry, Index, IndexError};
pub(crate) use repository::{IndexSlot, archive_url, fetch_index};
