//! Kubernetes objects, ids, custom resources and settings as values.
