//! Reading objects: one by name, or a collection page by page, straight from the answer's bytes into [`Object`]s.

use std::sync::Arc;

use pintle_engine::effect::FailureKind;
use pintle_model::{Object, Value};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::client::{Call, Cluster, JSON, LIST_BODY_LIMIT, LIST_DEADLINE};
use crate::discovery::ServedKind;
use crate::error::{ApiError, Asked, Verb};
use crate::path;

/// Objects per page, as Argo CD asks for: bounds what one answer costs in memory here and in etcd there.
const PAGE_LIMIT: usize = 500;
/// A page over the body bound is asked for again with a tenth of the objects, down to this.
const SMALLEST_PAGE: usize = 5;
/// How often a listing starts over because its continue token expired, before the caller hears of it.
const RESTARTS: usize = 2;

/// Which objects of a kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// One namespace; empty means all.
    pub namespace: String,
    /// `labelSelector`; empty means all.
    pub label_selector: String,
    /// `fieldSelector`; empty means all.
    pub field_selector: String,
}

impl Scope {
    /// Everything in one namespace.
    pub fn namespace(namespace: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            ..Self::default()
        }
    }

    /// The same with a label selector.
    pub fn with_labels(mut self, selector: impl Into<String>) -> Self {
        self.label_selector = selector.into();
        self
    }

    /// The pairs of the query string that select objects.
    pub(crate) fn query(&self) -> Vec<(&'static str, &str)> {
        [
            ("labelSelector", &*self.label_selector),
            ("fieldSelector", &*self.field_selector),
        ]
        .into_iter()
        .filter(|(_, v)| !v.is_empty())
        .collect()
    }
}

/// A collection, complete at one resourceVersion.
pub struct Listed {
    /// The objects, with `apiVersion` and `kind` filled in.
    pub objects: Vec<Object>,
    /// Objects that exist but cannot be read: whoever needs the collection complete does not have it.
    pub unreadable: Vec<Unreadable>,
    /// Where a watch goes on from.
    pub resource_version: Arc<str>,
}

/// An object that exists and cannot be read, for instance because it is nested too deeply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Its namespace; empty for cluster-scoped kinds.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Why; never what it holds.
    pub message: String,
}

/// Changes an object where it arrives, before it is kept: drops what nobody will ask for.
pub type Trim = dyn Fn(&ServedKind, Object) -> Object + Send + Sync;

impl Cluster {
    /// Reads one object. `namespace` is ignored for cluster-scoped kinds.
    pub async fn get(&self, kind: &ServedKind, namespace: &str, name: &str) -> Result<Object, ApiError> {
        let asked = self.asked(Verb::Get, kind.describe(namespace, name));
        if kind.namespaced && namespace.is_empty() {
            return Err(asked.failed(
                FailureKind::Invalid,
                "not sent: the kind is namespaced and no namespace is given",
            ));
        }
        let uri = path::object(kind, namespace, name).map_err(|e| asked.failed(FailureKind::Invalid, e.to_string()))?;
        let answer = self.read(&asked, &uri, JSON).await?;
        decode(kind, &answer.body)
            .map_err(|m| asked.failed(FailureKind::Unavailable, format!("unreadable answer: {m}")))
    }

    /// Reads one object, or `None` where the server itself says that it is not there.
    pub async fn find(&self, kind: &ServedKind, namespace: &str, name: &str) -> Result<Option<Object>, ApiError> {
        match self.get(kind, namespace, name).await {
            Ok(object) => Ok(Some(object)),
            Err(error) if error.says_object_is_gone() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads a collection whole, page by page. Any page that fails fails the whole (I-3).
    pub async fn list(&self, kind: &ServedKind, scope: &Scope) -> Result<Listed, ApiError> {
        self.list_trimmed(kind, scope, None).await
    }

    pub(crate) async fn list_trimmed(
        &self,
        kind: &ServedKind,
        scope: &Scope,
        trim: Option<&Trim>,
    ) -> Result<Listed, ApiError> {
        let asked = self.asked(Verb::List, kind.describe(&scope.namespace, ""));
        let mut limit = PAGE_LIMIT;
        let mut restarts = 0;
        let mut listed = Listed {
            objects: Vec::new(),
            unreadable: Vec::new(),
            resource_version: "".into(),
        };
        let mut token = String::new();
        loop {
            match self.list_page(&asked, kind, scope, limit, &token).await {
                Ok(body) => {
                    let page = Page::parse(&asked, &body)?;
                    page.decode_into(kind, trim, &mut listed);
                    if page.metadata.resource_version.is_empty() {
                        return Err(asked.failed(
                            FailureKind::Unavailable,
                            "unreadable answer: a list without resourceVersion",
                        ));
                    }
                    listed.resource_version = page.metadata.resource_version.as_ref().into();
                    if page.metadata.token.is_empty() {
                        return Ok(listed);
                    }
                    token = page.metadata.token.into_owned();
                }
                Err(error) if error.is_too_large() && limit > SMALLEST_PAGE => limit = (limit / 10).max(SMALLEST_PAGE),
                Err(error) if error.is_expired() && !token.is_empty() && restarts < RESTARTS => {
                    // The pages read so far belong to a state that is gone.
                    restarts += 1;
                    token.clear();
                    listed.objects.clear();
                    listed.unreadable.clear();
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn list_page(
        &self,
        asked: &Asked,
        kind: &ServedKind,
        scope: &Scope,
        limit: usize,
        token: &str,
    ) -> Result<bytes::Bytes, ApiError> {
        let limit = limit.to_string();
        let mut query = scope.query();
        query.push(("limit", &limit));
        if !token.is_empty() {
            query.push(("continue", token));
        }
        let path =
            path::collection(kind, &scope.namespace).map_err(|e| asked.failed(FailureKind::Invalid, e.to_string()))?;
        let uri = format!("{path}{}", path::query(&query));
        let call = Call {
            uri: &uri,
            deadline: LIST_DEADLINE,
            body_limit: LIST_BODY_LIMIT,
            ..Call::get()
        };
        // Held for one page only, so that a kind of a hundred pages does not keep the others waiting.
        let slot = self.list_slot(asked).await?;
        let mut answer = self.exchange(asked, &call).await;
        if let Err(error) = &answer
            && error.is_unauthorized()
            && self.reauthenticate().await
        {
            answer = self.exchange(asked, &call).await;
        }
        drop(slot);
        Ok(answer?.body)
    }
}

/// One page as it arrives. Items stay text, so that each is decoded on its own and one bad object is one bad object (I-19).
#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow, default)]
    metadata: PageMetadata<'a>,
    /// `null` where Go had no slice.
    #[serde(borrow, default)]
    items: Option<Vec<&'a RawValue>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PageMetadata<'a> {
    #[serde(borrow)]
    resource_version: std::borrow::Cow<'a, str>,
    #[serde(borrow, rename = "continue")]
    token: std::borrow::Cow<'a, str>,
}

impl<'a> Page<'a> {
    fn parse(asked: &Asked, body: &'a [u8]) -> Result<Self, ApiError> {
        serde_json::from_slice(body)
            .map_err(|e| asked.failed(FailureKind::Unavailable, format!("unreadable answer: {e}")))
    }

    fn decode_into(&self, kind: &ServedKind, trim: Option<&Trim>, listed: &mut Listed) {
        let items = self.items.as_deref().unwrap_or_default();
        listed.objects.reserve(items.len());
        for item in items {
            match decode(kind, item.get().as_bytes()) {
                Ok(object) => listed.objects.push(match trim {
                    Some(trim) => trim(kind, object),
                    None => object,
                }),
                Err(message) => listed.unreadable.push(unreadable(item.get().as_bytes(), message)),
            }
        }
    }
}

/// Decodes one object. Items of built-in lists come without `apiVersion` and `kind`, which the request already named.
pub(crate) fn decode(kind: &ServedKind, text: &[u8]) -> Result<Object, String> {
    let mut value = Value::from_json(text).map_err(|e| e.to_string())?;
    if value.as_map().is_none() {
        return Err(format!("expected an object, found {}", value.type_name()));
    }
    for (field, expected) in [
        ("apiVersion", kind.gvk.api_version().into()),
        ("kind", Arc::clone(&kind.gvk.kind)),
    ] {
        if value.get(field).is_none() {
            value.set_at(&[field], Value::Str(expected));
        }
    }
    let object = Object::new(value).map_err(|e| e.to_string())?;
    if object.name().is_empty() {
        Err("metadata.name is missing".to_owned())
    } else {
        Ok(object)
    }
}

/// Says which object it is that cannot be read, as far as that can be seen.
pub(crate) fn unreadable(text: &[u8], message: String) -> Unreadable {
    let identity = identity(text).unwrap_or_default();
    Unreadable {
        namespace: identity.namespace,
        name: identity.name,
        message,
    }
}

/// The identity of an object without the rest of it; `None` where not even that can be read.
pub(crate) fn identity(text: &[u8]) -> Option<Identity> {
    #[derive(Deserialize)]
    struct Slim {
        metadata: Identity,
    }
    serde_json::from_slice::<Slim>(text).ok().map(|s| s.metadata)
}

/// See [`identity`].
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Identity {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) resource_version: String,
}
