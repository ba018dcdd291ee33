//! Get and list.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pintle_model::{Object, Value, to_json};

use super::path::Target;
use super::query::Query;
use super::selector::{FieldSelector, LabelSelector};
use crate::convert::to_served;
use crate::error::ApiError;
use crate::store::{Compacted, Listing, Store};

/// Which objects of a collection a request means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// By labels.
    pub labels: LabelSelector,
    /// By fields.
    pub fields: FieldSelector,
}

impl Selection {
    /// Reads `labelSelector` and `fieldSelector`.
    pub fn parse(query: &Query, target: &Target) -> Result<Self, ApiError> {
        Ok(Self {
            labels: LabelSelector::parse(query.get("labelSelector"))?,
            fields: FieldSelector::parse(query.get("fieldSelector"), &target.resource)?,
        })
    }

    /// Whether it means all of them.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    /// Whether a stored object is meant.
    pub fn matches(&self, stored: &Object, target: &Target) -> bool {
        if !self.labels.matches(stored.value().at(&["metadata", "labels"])) {
            return false;
        }
        self.fields.is_empty()
            || self
                .fields
                .matches(&to_served(stored.clone(), &target.resource, &target.version))
    }
}

/// One page of a list.
pub struct Page {
    /// Stored objects.
    pub objects: Vec<Object>,
    /// The resourceVersion of the list.
    pub revision: u64,
    /// The token of the next page, and how many objects remain where that is known.
    pub next: Option<(String, Option<i64>)>,
}

/// Lists what `query` asks for.
pub fn list(store: &Store, target: &Target, query: &Query) -> Result<Page, ApiError> {
    let selection = Selection::parse(query, target)?;
    let limit = query
        .number("limit")?
        .and_then(|l| usize::try_from(l).ok())
        .filter(|l| *l > 0);
    let token = match query.get("continue") {
        "" => None,
        text => Some(Token::parse(text).ok_or_else(|| ApiError::bad_request("continue key is not valid"))?),
    };
    let namespace = target.namespace.as_deref();
    let Listing { objects, revision } = match &token {
        Some(token) => store
            .list_at(target.gr(), namespace, token.revision)
            .map_err(continue_expired)?,
        None => at_version(store, target, query)?,
    };
    let all = objects.len();
    let mut skipped = 0;
    let mut page = Vec::new();
    let mut next = None;
    for object in objects {
        if token
            .as_ref()
            .is_some_and(|t| (object.namespace(), object.name()) <= (t.namespace.as_str(), t.name.as_str()))
        {
            skipped += 1;
            continue;
        }
        if !selection.matches(&object, target) {
            continue;
        }
        if limit.is_some_and(|l| page.len() == l) {
            let last: Option<&Object> = page.last();
            let token = last.map(|o| Token {
                revision,
                namespace: o.namespace().into(),
                name: o.name().into(),
            });
            // What a selector leaves out is not counted in advance, as in kube-apiserver.
            let remaining = selection
                .is_empty()
                .then(|| i64::try_from(all - skipped - page.len()).unwrap_or(0));
            next = token.map(|t| (t.to_text(), remaining));
            break;
        }
        page.push(object);
    }
    Ok(Page {
        objects: page,
        revision,
        next,
    })
}

fn at_version(store: &Store, target: &Target, query: &Query) -> Result<Listing, ApiError> {
    let namespace = target.namespace.as_deref();
    let asked = revision_of(query.get("resourceVersion"))?.unwrap_or(0);
    let now = store.resource_version();
    if asked > now {
        return Err(too_large(asked, now));
    }
    match query.get("resourceVersionMatch") {
        "Exact" if asked > 0 => store
            .list_at(target.gr(), namespace, asked)
            .map_err(|c| ApiError::expired(c.to_string())),
        "" | "NotOlderThan" => Ok(store.list(target.gr(), namespace)),
        other => Err(ApiError::bad_request(format!(
            "resourceVersionMatch {other:?} is forbidden with resourceVersion \"0\" or none"
        ))),
    }
}

/// Reads a resourceVersion parameter; `None` if it is empty.
pub fn revision_of(text: &str) -> Result<Option<u64>, ApiError> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse()
        .map(Some)
        .map_err(|_| ApiError::bad_request(format!("Invalid value: {text:?}: invalid resource version")))
}

/// 504 for a resourceVersion from the future.
pub fn too_large(asked: u64, now: u64) -> ApiError {
    let mut error = ApiError::timeout(format!("Too large resource version: {asked}, current: {now}"));
    error.details.retry_after_seconds = 1;
    error
}

fn continue_expired(_: Compacted) -> ApiError {
    ApiError::expired(
        "The provided continue parameter is too old to display a consistent list result. You must start a new list without the continue parameter.",
    )
}

/// Where a paged list goes on.
struct Token {
    revision: u64,
    namespace: String,
    name: String,
}

impl Token {
    fn to_text(&self) -> String {
        let mut value = Value::map();
        value.set_at(&["v"], "meta.k8s.io/v1".into());
        value.set_at(&["rv"], i64::try_from(self.revision).unwrap_or(i64::MAX).into());
        value.set_at(&["ns"], self.namespace.as_str().into());
        value.set_at(&["start"], self.name.as_str().into());
        URL_SAFE_NO_PAD.encode(to_json(&value))
    }

    fn parse(text: &str) -> Option<Self> {
        let value = Value::from_json(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        Some(Self {
            revision: u64::try_from(value.i64_at(&["rv"])?).ok()?,
            namespace: value.str_at(&["ns"])?.into(),
            name: value.str_at(&["start"])?.into(),
        })
    }
}
