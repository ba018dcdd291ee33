//! ConfigMaps as keys and texts, and what can be wrong with them.

use std::fmt;

use crate::object::Object;

/// Name of the ConfigMap with the settings [F2.1].
pub const CONFIG_NAME: &str = "argocd-cm";
/// Name of the ConfigMap with the processes' parameters.
pub const PARAMS_NAME: &str = "argocd-cmd-params-cm";

/// One thing that is wrong with a settings document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsProblem {
    /// Name of the ConfigMap.
    pub document: &'static str,
    /// The key in it.
    pub key: String,
    /// What is wrong, and what counts instead if something does.
    pub message: String,
}

impl fmt::Display for SettingsProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.document, self.key, self.message)
    }
}

/// Why the documents make no settings: a key that decides what may be touched cannot be read. Whoever has older settings goes on with
/// those; nobody goes on with defaults in their place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct SettingsError {
    /// Everything that must be mended, at least one.
    pub problems: Vec<SettingsProblem>,
}

/// A key that is set to other than its default, and that this version does not act on yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotActedOn {
    /// Name of the ConfigMap.
    pub document: &'static str,
    /// The key in it.
    pub key: String,
    /// Whether the setting could change what is rendered, compared, written or deleted: automated sync must not go on without it.
    pub changes_writes: bool,
}

/// One ConfigMap's `data`; absent documents have no keys.
pub(super) struct Document<'a> {
    pub(super) name: &'static str,
    pub(super) object: Option<&'a Object>,
    pub(super) problems: Vec<SettingsProblem>,
    pub(super) fatal: Vec<SettingsProblem>,
}

impl<'a> Document<'a> {
    pub(super) fn new(name: &'static str, object: Option<&'a Object>) -> Self {
        Self {
            name,
            object,
            problems: Vec::new(),
            fatal: Vec::new(),
        }
    }

    /// The text under `key`; blank ones count as absent.
    pub(super) fn get(&self, key: &str) -> Option<&'a str> {
        self.object?
            .value()
            .str_at(&["data", key])
            .filter(|text| !text.trim().is_empty())
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &'a str> {
        let data = self
            .object
            .and_then(|o| o.value().at(&["data"]))
            .and_then(crate::Value::as_map);
        data.into_iter().flat_map(|map| map.iter().map(|(key, _)| key))
    }

    /// The parsed text under `key`. A text that cannot be parsed is a problem, and `default` counts.
    pub(super) fn parsed<T: Clone + fmt::Display, E: fmt::Display>(
        &mut self,
        key: &str,
        default: T,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> T {
        self.parsed_or(key, &default, parse).unwrap_or(default)
    }

    /// The parsed text under `key`; `None` where there is none, or one that cannot be parsed, which is a problem. `instead` says what counts then.
    pub(super) fn parsed_or<T, E: fmt::Display>(
        &mut self,
        key: &str,
        instead: &dyn fmt::Display,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        match parse(self.get(key)?.trim()) {
            Ok(value) => Some(value),
            Err(e) => {
                self.problem(key, format!("{e}; {instead} counts instead"));
                None
            }
        }
    }

    pub(super) fn problem(&mut self, key: &str, message: String) {
        self.problems.push(SettingsProblem {
            document: self.name,
            key: key.to_owned(),
            message,
        });
    }

    pub(super) fn fatal(&mut self, key: &str, message: String) {
        self.fatal.push(SettingsProblem {
            document: self.name,
            key: key.to_owned(),
            message,
        });
    }
}

pub(super) fn parse_bool(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err(format!("{text:?} is neither true nor false")),
    }
}
