//! How Kubernetes objects are compared and combined.
