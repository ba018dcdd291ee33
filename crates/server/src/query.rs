//! Selecting Applications: label selectors and repository URLs.

use std::collections::BTreeMap;

use pintle_model::Application;

use crate::api::ApplicationQuery;
use crate::error::ApiError;

/// One requirement of a label selector.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    DoesNotExist(String),
}

/// A label selector as kubectl takes it: `a=b,c!=d,e in (f,g),h notin (i),j,!k`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Selector(Vec<Requirement>);

impl Selector {
    /// Parses a selector; empty selects everything.
    pub(crate) fn parse(text: &str) -> Result<Self, ApiError> {
        let bad = |part: &str| {
            ApiError::invalid(format!("label selector {text:?}: cannot read {part:?}"))
                .with_hint("write it like `team=shop,tier in (web,api),!legacy`")
        };
        let mut requirements = Vec::new();
        for part in split_outside_parentheses(text) {
            let part = part.trim();
            if part.is_empty() {
                continue;
            }
            let key_of = |key: &str| -> Result<String, ApiError> {
                let key = key.trim();
                let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
                if key.is_empty() || !key.chars().all(plain) {
                    Err(bad(part))
                } else {
                    Ok(key.to_owned())
                }
            };
            let set_of = |list: &str| -> Result<Vec<String>, ApiError> {
                let list = list
                    .trim()
                    .strip_prefix('(')
                    .and_then(|l| l.strip_suffix(')'))
                    .ok_or_else(|| bad(part))?;
                Ok(list.split(',').map(|v| v.trim().to_owned()).collect())
            };
            requirements.push(if let Some((key, values)) = part.split_once(" notin ") {
                Requirement::NotIn(key_of(key)?, set_of(values)?)
            } else if let Some((key, values)) = part.split_once(" in ") {
                Requirement::In(key_of(key)?, set_of(values)?)
            } else if let Some((key, value)) = part.split_once("!=") {
                Requirement::NotIn(key_of(key)?, vec![value.trim().to_owned()])
            } else if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
                Requirement::In(key_of(key)?, vec![value.trim().to_owned()])
            } else if let Some(key) = part.strip_prefix('!') {
                Requirement::DoesNotExist(key_of(key)?)
            } else {
                Requirement::Exists(key_of(part)?)
            });
        }
        Ok(Self(requirements))
    }

    /// Whether labels satisfy every requirement.
    pub(crate) fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.0.iter().all(|requirement| match requirement {
            Requirement::In(key, values) => labels.get(key).is_some_and(|v| values.contains(v)),
            Requirement::NotIn(key, values) => labels.get(key).is_none_or(|v| !values.contains(v)),
            Requirement::Exists(key) => labels.contains_key(key),
            Requirement::DoesNotExist(key) => !labels.contains_key(key),
        })
    }
}

fn split_outside_parentheses(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_u32, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth = depth.saturating_add(1),
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(text.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
}

/// A query whose selector has been read.
pub(crate) struct Filter {
    query: ApplicationQuery,
    selector: Selector,
}

impl Filter {
    pub(crate) fn new(query: ApplicationQuery) -> Result<Self, ApiError> {
        let selector = Selector::parse(&query.selector)?;
        Ok(Self { query, selector })
    }

    /// Whether an Application is meant.
    pub(crate) fn selects(&self, app: &Application) -> bool {
        let q = &self.query;
        let project = app.spec.project_or_default();
        (q.name.is_empty() || q.name == app.metadata.name)
            && (q.projects.is_empty() || q.projects.iter().any(|p| p == project))
            && (q.repo.is_empty()
                || app
                    .spec
                    .effective_sources()
                    .iter()
                    .any(|s| same_repository(&s.repo_url, &q.repo)))
            && self.selector.matches(&app.metadata.labels)
    }
}

/// Two spellings of one repository: a trailing `/` or `.git`, and the case of letters, do not count.
pub(crate) fn same_repository(a: &str, b: &str) -> bool {
    normal(a) == normal(b)
}

fn normal(url: &str) -> String {
    let url = url.trim().trim_end_matches('/');
    url.strip_suffix(".git").unwrap_or(url).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_select_as_kubectl_does() {
        let labels: BTreeMap<String, String> = [("team", "shop"), ("tier", "web")]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .into();
        for (selector, expected) in [
            ("", true),
            ("team=shop", true),
            ("team==shop,tier!=api", true),
            ("tier in (web, api),!legacy", true),
            ("tier notin (web)", false),
            ("legacy", false),
            ("missing!=x", true),
        ] {
            assert_eq!(
                Selector::parse(selector).unwrap().matches(&labels),
                expected,
                "{selector}"
            );
        }
        for bad in ["team in web", "a b", "=x"] {
            assert!(Selector::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn repositories_are_compared_without_their_endings() {
        assert!(same_repository("https://Git/shop.git", "https://git/shop/"));
        assert!(!same_repository("https://git/shop", "https://git/shops"));
    }
}
