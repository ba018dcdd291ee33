//! From a source spec to rendered manifests: Git, credentials, caches.
