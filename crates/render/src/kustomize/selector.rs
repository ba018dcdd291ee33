//! Which objects a patch or replacement means: anchored regular expressions, and label and annotation selectors.

use std::collections::BTreeMap;
use std::sync::Arc;

use pintle_gotmpl::regexp::Regexp;

use super::error::{Failure, Result};
use super::id::{Gvk, ResId};
use super::kustomization::Selector;
use super::resource::Resource;

/// A selector, compiled.
pub(super) struct Compiled {
    group: Option<Arc<Regexp>>,
    version: Option<Arc<Regexp>>,
    kind: Option<Arc<Regexp>>,
    name: Option<Arc<Regexp>>,
    namespace: Option<Arc<Regexp>>,
    /// A selector that cannot be read matters only once an object is to be compared with it.
    labels: Result<Vec<Requirement>>,
    annotations: Result<Vec<Requirement>>,
}

/// A pattern of Go's `regexp`.
pub(super) fn compile(pattern: &str) -> Result<Arc<Regexp>> {
    Regexp::shared(pattern).map_err(|e| Failure::invalid(format!("{pattern:?} is no regular expression: {e}")))
}

fn anchored(pattern: &str) -> Result<Option<Arc<Regexp>>> {
    if pattern.is_empty() {
        return Ok(None);
    }
    compile(&format!("^(?:{pattern})$")).map(Some)
}

fn fits(pattern: Option<&Arc<Regexp>>, text: &str) -> bool {
    pattern.is_none_or(|p| p.is_match(text))
}

impl Compiled {
    pub fn new(selector: &Selector) -> Result<Self> {
        Ok(Self {
            group: anchored(&selector.group)?,
            version: anchored(&selector.version)?,
            kind: anchored(&selector.kind)?,
            name: anchored(&selector.name)?,
            namespace: anchored(&selector.namespace)?,
            labels: requirements(&selector.label_selector),
            annotations: requirements(&selector.annotation_selector),
        })
    }

    fn fits_kind(&self, gvk: &Gvk) -> bool {
        fits(self.group.as_ref(), &gvk.group)
            && fits(self.version.as_ref(), &gvk.version)
            && fits(self.kind.as_ref(), &gvk.kind)
    }

    /// Whether one id fits, its namespace taken as written.
    pub fn fits_id(&self, id: &ResId) -> bool {
        self.fits_kind(&id.gvk) && fits(self.name.as_ref(), &id.name) && fits(self.namespace.as_ref(), &id.namespace)
    }

    /// Whether the selector names no part of an id.
    pub fn has_no_id(&self) -> bool {
        [&self.group, &self.version, &self.kind, &self.name, &self.namespace]
            .iter()
            .all(|p| p.is_none())
    }

    /// Whether the selector looks at labels or annotations.
    pub fn has_labels(&self) -> bool {
        [&self.labels, &self.annotations]
            .iter()
            .any(|l| l.as_ref().map_or(true, |l| !l.is_empty()))
    }

    pub fn fits_labels(&self, resource: &Resource) -> Result<bool> {
        for (wanted, field) in [(&self.labels, "labels"), (&self.annotations, "annotations")] {
            let wanted = wanted.as_ref().map_err(Clone::clone)?;
            if wanted.is_empty() {
                continue;
            }
            let map = resource.metadata_map(field);
            if !wanted.iter().all(|r| r.holds(&map)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether an object fits as the target of a patch: by its first or its current name and namespace.
    pub fn fits_resource(&self, resource: &Resource) -> Result<bool> {
        let (now, first) = (resource.id(), resource.original_id());
        let either = |pattern: Option<&Arc<Regexp>>, a: &str, b: &str| fits(pattern, a) || fits(pattern, b);
        let fits = either(
            self.namespace.as_ref(),
            first.effective_namespace(),
            now.effective_namespace(),
        ) && either(self.name.as_ref(), &first.name, &now.name)
            && self.fits_kind(&now.gvk);
        if fits { self.fits_labels(resource) } else { Ok(false) }
    }
}

/// One condition of a label selector.
struct Requirement {
    key: String,
    test: Test,
}

enum Test {
    Exists,
    Absent,
    In(Vec<String>),
    NotIn(Vec<String>),
    Greater(i64),
    Less(i64),
}

impl Requirement {
    fn holds(&self, map: &BTreeMap<String, String>) -> bool {
        let value = map.get(&self.key);
        let number = || value.and_then(|v| v.parse::<i64>().ok());
        match &self.test {
            Test::Exists => value.is_some(),
            Test::Absent => value.is_none(),
            Test::In(values) => value.is_some_and(|v| values.contains(v)),
            Test::NotIn(values) => value.is_none_or(|v| !values.contains(v)),
            Test::Greater(than) => number().is_some_and(|n| n > *than),
            Test::Less(than) => number().is_some_and(|n| n < *than),
        }
    }
}

/// Reads a label selector: `a=b`, `a==b`, `a!=b`, `a in (b,c)`, `a notin (b)`, `a`, `!a`, `a>1`, `a<1`, joined by commas.
fn requirements(text: &str) -> Result<Vec<Requirement>> {
    let bad = || Failure::invalid(format!("{text:?} is no label selector"));
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0usize, 0usize);
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.checked_sub(1).ok_or_else(bad)?,
            ',' if depth == 0 => {
                parts.push(text.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    if parts.len() == 1 && text.trim().is_empty() {
        return Ok(Vec::new());
    }
    parts
        .into_iter()
        .map(|part| requirement(part.trim()).ok_or_else(bad))
        .collect()
}

fn requirement(part: &str) -> Option<Requirement> {
    let make = |key: &str, test: Test| {
        let key = key.trim();
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
        (!key.is_empty() && key.chars().all(plain)).then(|| Requirement {
            key: key.to_owned(),
            test,
        })
    };
    if let Some(set) = part.strip_suffix(')') {
        let (head, values) = set.split_once('(')?;
        let values = values.split(',').map(|v| v.trim().to_owned()).collect();
        let (key, word) = head.trim().rsplit_once(char::is_whitespace)?;
        return match word {
            "in" => make(key, Test::In(values)),
            "notin" => make(key, Test::NotIn(values)),
            _ => None,
        };
    }
    if let Some(key) = part.strip_prefix('!') {
        return make(key, Test::Absent);
    }
    let one = |v: &str| vec![v.trim().to_owned()];
    if let Some((key, value)) = part.split_once("!=") {
        return make(key, Test::NotIn(one(value)));
    }
    if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
        return make(key, Test::In(one(value)));
    }
    if let Some((key, value)) = part.split_once('>') {
        return make(key, Test::Greater(value.trim().parse().ok()?));
    }
    if let Some((key, value)) = part.split_once('<') {
        return make(key, Test::Less(value.trim().parse().ok()?));
    }
    make(part, Test::Exists)
}
