//! OCI registries, as far as charts need them: tags, manifests, blobs, and the three ways of proving who one is [F4.9].

mod challenge;
mod manifest;
mod registry;

pub(crate) use manifest::{Layer, Manifest};
pub(crate) use registry::{Reference, Registry};

/// A registry answered something that is not what registries answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OciError {
    /// Not the JSON that was expected.
    #[error("{url}: the registry's answer is no {wanted}: {message}")]
    Answer {
        /// What was asked for.
        url: String,
        /// What was expected.
        wanted: &'static str,
        /// What is wrong with it.
        message: String,
    },
    /// The manifest is not the one that was asked for.
    #[error("{url}: the manifest has digest {got}, but {expected} was asked for or announced")]
    ManifestDigest {
        /// The manifest.
        url: String,
        /// What was asked for or announced.
        expected: String,
        /// Digest of what came.
        got: String,
    },
    /// Several manifests, one per platform.
    #[error(
        "{url} is an index of {count} images, not a chart; name the digest of one of them, or push the chart with `helm push`"
    )]
    ImageIndex {
        /// The reference.
        url: String,
        /// How many.
        count: usize,
    },
    /// No layer that can be read.
    #[error("{url} holds no layer of type {wanted}; its layers are: {found}")]
    NoLayer {
        /// The reference.
        url: String,
        /// Types that are read.
        wanted: String,
        /// Types that there are.
        found: String,
    },
    /// More than one layer where exactly one is read.
    #[error("{url} has {count} layers; exactly one is read")]
    ManyLayers {
        /// The reference.
        url: String,
        /// How many.
        count: usize,
    },
    /// A list of tags that does not end.
    #[error(
        "{url}: the list of tags goes on after {seen} tags in {pages} pages, which is the limit; name an exact version"
    )]
    TooManyTags {
        /// The repository.
        url: String,
        /// Tags seen.
        seen: usize,
        /// Pages read.
        pages: usize,
    },
    /// The next page of tags is elsewhere.
    #[error("{url}: the next page of tags is at {next:?}, which is not on this registry")]
    TagsElsewhere {
        /// The repository.
        url: String,
        /// Where.
        next: String,
    },
    /// The token service's address is none, or is worse protected than the registry.
    #[error("{url}: the registry names {realm:?} as its token service, which is not used: {reason}")]
    Realm {
        /// The registry.
        url: String,
        /// What it named.
        realm: String,
        /// Why not.
        reason: &'static str,
    },
}
