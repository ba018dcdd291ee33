//! From effects to API calls: client, discovery, watches, execute.
