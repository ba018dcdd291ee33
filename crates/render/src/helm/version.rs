//! Versions and constraints, as Masterminds reads them.

use pintle_gotmpl::semver::{Constraints, Version};

/// Whether a text is a version.
pub(crate) fn is_version(text: &str) -> bool {
    Version::parse(text).is_ok()
}

/// Whether the version fits the constraint; neither does if one cannot be read.
pub(crate) fn is_compatible(constraint: &str, version: &str) -> bool {
    match (Constraints::parse(constraint), Version::parse(version)) {
        (Ok(constraint), Ok(version)) => constraint.check(&version),
        _ => false,
    }
}
