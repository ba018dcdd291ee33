//! The HTTP face: a [`tower::Service`] that speaks the Kubernetes API.

mod body;
mod discovery;
mod log;
mod openapi;
mod patch;
mod path;
mod protobuf;
mod query;
mod read;
mod review;
mod scale;
pub(crate) mod selector;
mod shape;
mod table;
mod watch;
mod write;

#[cfg(test)]
mod tests;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use bytes::{Buf, Bytes};
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue, USER_AGENT};
use http::{Method, Request, Response};
use pintle_model::Value;

pub(crate) use body::refusal;
pub use body::{Body, MAX_BODY_BYTES};

use self::patch::PatchKind;
use self::path::{Route, Target, route};
use self::query::Query;
use self::shape::{Form, Include, Shape};
use self::write::{Answer, Context, Written};
use crate::error::ApiError;
use crate::fault::{Fault, Write, WriteGate, WriteVerb};
use crate::logs::PodLogs;
use crate::store::Store;

/// The API over one store. Cheap to clone; every clone serves the same objects.
#[derive(Clone)]
pub struct ApiService {
    pub(crate) store: Store,
    pub(crate) gate: Arc<WriteGate>,
    pub(crate) logs: Arc<std::sync::RwLock<Arc<dyn PodLogs>>>,
}

/// The connection ended without an answer: only an injected fault does that.
#[derive(Debug, thiserror::Error)]
#[error("connection reset (injected fault)")]
pub struct ConnectionLost;

impl<B> tower::Service<Request<B>> for ApiService
where
    B: http_body::Body + Send + 'static,
    B::Data: Buf + Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<Body>;
    type Error = ConnectionLost;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, ConnectionLost>> + Send>>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), ConnectionLost>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = match body::read(body).await {
                Ok(body) => body,
                Err(e) => return Ok(body::refusal(&e)),
            };
            let query = Query::parse(parts.uri.query().unwrap_or_default());
            let call = Call {
                method: parts.method,
                path: parts.uri.path().to_owned(),
                query,
                headers: parts.headers,
                body,
            };
            service.handle(call).await
        })
    }
}

struct Call {
    method: Method,
    path: String,
    query: Query,
    headers: HeaderMap,
    body: Bytes,
}

impl Call {
    fn header(&self, name: http::HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }

    fn accept(&self) -> Option<&str> {
        self.header(ACCEPT)
    }

    /// The body as JSON; `None` if there is none.
    fn json(&self) -> Result<Option<Value>, ApiError> {
        if self.body.is_empty() {
            return Ok(None);
        }
        let media = self
            .header(CONTENT_TYPE)
            .and_then(|c| c.split(';').next())
            .unwrap_or("application/json")
            .trim();
        if media == protobuf::MEDIA_TYPE {
            return protobuf::decode(&self.body).map(Some);
        }
        if !media.ends_with("json") {
            return Err(ApiError::unsupported_media_type(
                "the body of the request was in an unknown format - accepted media types include: application/json, \
                 application/vnd.kubernetes.protobuf",
            ));
        }
        Value::from_json(&self.body)
            .map(Some)
            .map_err(|e| ApiError::bad_request(format!("couldn't get version/kind; json parse error: {e}")))
    }

    fn required_json(&self) -> Result<Value, ApiError> {
        self.json()?
            .ok_or_else(|| ApiError::bad_request("the request body is empty"))
    }
}

impl ApiService {
    async fn handle(&self, call: Call) -> Result<Response<Body>, ConnectionLost> {
        let resources = self.store.resources();
        let found = match route(&call.path, &resources) {
            Route::Resource(target) => return self.resource(&call, target).await,
            Route::Health => Some(body::bytes(200, "text/plain; charset=utf-8", Bytes::from_static(b"ok"))),
            Route::Version => Some(body::json(200, &discovery::version())),
            Route::Core | Route::Groups if discovery::wants_aggregated(call.accept()) => {
                let document = discovery::aggregated(&resources, call.path.trim_end_matches('/') == "/api");
                Some(body::bytes(
                    200,
                    discovery::AGGREGATED,
                    pintle_model::to_json(&document).into(),
                ))
            }
            Route::Core => Some(body::json(200, &discovery::core_versions())),
            Route::Groups => Some(body::json(200, &discovery::group_list(&resources))),
            Route::Group(group) => discovery::group(&resources, &group).map(|v| body::json(200, &v)),
            Route::GroupVersion(group, version) => {
                discovery::resource_list(&resources, &group, &version).map(|v| body::json(200, &v))
            }
            Route::OpenApiV2 => Some(body::json(200, &openapi::v2())),
            Route::OpenApiV3 => Some(body::json(200, &openapi::index(&resources))),
            Route::OpenApiV3Group(group, version) => {
                openapi::group_version(&resources, &group, &version).map(|v| body::json(200, &v))
            }
            Route::Unknown => None,
        };
        let found = found.filter(|_| call.method == Method::GET || call.method == Method::HEAD);
        Ok(found.unwrap_or_else(|| body::refusal(&ApiError::no_such_path())))
    }

    async fn resource(&self, call: &Call, target: Target) -> Result<Response<Body>, ConnectionLost> {
        if call.method == Method::GET || call.method == Method::HEAD {
            return Ok(self.read(call, &target).unwrap_or_else(|e| body::refusal(&e)));
        }
        let Some(verb) = write_verb(call, &target) else {
            return Ok(body::refusal(&ApiError::method_not_allowed()));
        };
        let mut write = describe(call, &target, verb);
        let fault = if target.resource.review {
            None
        } else {
            self.gate.arrive(&mut write)
        };
        match fault {
            Some(Fault::Refuse(error)) => {
                self.gate.record(write, error.code);
                return Ok(body::refusal(&error));
            }
            Some(Fault::RequestLost) => {
                self.gate.record(write, 0);
                return Err(ConnectionLost);
            }
            Some(Fault::Delay(time)) => self.store.clock().sleep(time).await,
            Some(Fault::AnswerLost) | None => {}
        }
        let answered = self.write(call, &target, verb);
        let response = match answered {
            Ok(written) => self.show(call, &target, written),
            Err(e) => body::refusal(&e),
        };
        if !target.resource.review {
            self.gate.record(write, response.status().as_u16());
        }
        if matches!(fault, Some(Fault::AnswerLost)) {
            Err(ConnectionLost)
        } else {
            Ok(response)
        }
    }

    fn read(&self, call: &Call, target: &Target) -> Result<Response<Body>, ApiError> {
        if target.resource.review {
            return Err(ApiError::method_not_allowed());
        }
        let now = self.store.clock().now();
        let shape = || -> Result<Shape, ApiError> {
            let include = Include::parse(call.query.get("includeObject"));
            Ok(Shape {
                form: Form::negotiate(call.accept())?,
                include,
                target: target.clone(),
            })
        };
        match (target.name.as_deref(), target.subresource.as_deref()) {
            (None, _) if call.query.flag("watch") => Ok(body::stream(
                "application/json",
                watch::start(&self.store, target, &call.query, shape()?)?,
            )),
            (None, _) => {
                let page = read::list(&self.store, target, &call.query)?;
                Ok(body::json(
                    200,
                    &shape()?.list(page.objects, page.revision, page.next, now),
                ))
            }
            (Some(_), Some("log")) if target.gr().is("", "pods") => {
                let logs = Arc::clone(&self.logs.read().unwrap_or_else(std::sync::PoisonError::into_inner));
                Ok(body::stream(
                    "text/plain; charset=utf-8",
                    log::read(&self.store, logs, target, &call.query)?,
                ))
            }
            (Some(_), Some("scale")) if target.resource.has_scale => {
                Ok(body::json(200, &scale::get(&self.store, target)?))
            }
            (Some(_), None) | (Some(_), Some("status"))
                if target.subresource.is_none() || target.resource.has_status =>
            {
                let object = self.store.get(target.gr(), target.ns(), target.name())?;
                Ok(body::json(200, &shape()?.one(object, now)))
            }
            _ => Err(ApiError::no_such_path()),
        }
    }

    fn write(&self, call: &Call, target: &Target, verb: WriteVerb) -> Result<Written, ApiError> {
        let context = Context {
            store: &self.store,
            target,
            query: &call.query,
        };
        if target.resource.review {
            let answer = Answer::Value(review::answer(target, call.required_json()?));
            return Ok(Written {
                code: 201,
                answer,
                warnings: Vec::new(),
            });
        }
        let patch_kind = || PatchKind::parse(call.header(CONTENT_TYPE).unwrap_or_default());
        match (target.subresource.as_deref(), verb) {
            (Some("scale"), WriteVerb::Update) if target.resource.has_scale => {
                scale::update(&context, &call.required_json()?)
            }
            (Some("scale"), WriteVerb::Patch) if target.resource.has_scale => {
                scale::patch(&context, patch_kind()?, &call.required_json()?)
            }
            (Some("finalize"), WriteVerb::Update) if target.gr().is("", "namespaces") => {
                context.finalize(call.required_json()?)
            }
            (Some("status"), WriteVerb::Update | WriteVerb::Patch) if !target.resource.has_status => {
                Err(ApiError::no_such_path())
            }
            (None, WriteVerb::Create) => context.create(call.required_json()?),
            (None | Some("status"), WriteVerb::Update) => context.update(call.required_json()?),
            (None | Some("status"), WriteVerb::Patch) => {
                // The kind of patch first: an apply patch is YAML, which is no reason to complain of.
                let kind = patch_kind()?;
                context.patch(kind, &call.required_json()?)
            }
            (None, WriteVerb::Delete) => context.delete(call.json()?.as_ref()),
            (None, WriteVerb::DeleteCollection) => context.delete_collection(call.json()?.as_ref()),
            _ => Err(ApiError::no_such_path()),
        }
    }

    fn show(&self, call: &Call, target: &Target, written: Written) -> Response<Body> {
        let now = self.store.clock().now();
        let form = Form::negotiate(call.accept()).unwrap_or(Form::Plain);
        let include = Include::parse(call.query.get("includeObject"));
        let shape = Shape {
            form,
            include,
            target: target.clone(),
        };
        let value = match written.answer {
            Answer::Object(stored) => shape.one(stored, now),
            Answer::List(objects) => shape.list(objects, self.store.resource_version(), None, now),
            Answer::Value(value) => value,
        };
        let mut response = body::json(written.code, &value);
        for warning in written.warnings {
            let text = format!("299 - \"{}\"", warning.replace('\\', "\\\\").replace('"', "\\\""));
            if let Ok(value) = HeaderValue::from_str(&text) {
                response.headers_mut().append(http::header::WARNING, value);
            }
        }
        response
    }
}

fn write_verb(call: &Call, target: &Target) -> Option<WriteVerb> {
    let named = target.name.is_some();
    match call.method {
        Method::POST if !named => Some(WriteVerb::Create),
        Method::PUT if named => Some(WriteVerb::Update),
        Method::PATCH if named => Some(WriteVerb::Patch),
        Method::DELETE if named => Some(WriteVerb::Delete),
        Method::DELETE => Some(WriteVerb::DeleteCollection),
        _ => None,
    }
}

fn describe(call: &Call, target: &Target, verb: WriteVerb) -> Write {
    let sent = (verb == WriteVerb::Create)
        .then(|| Value::from_json(&call.body).ok())
        .flatten();
    let sent_name = |field: &str| {
        sent.as_ref()
            .and_then(|v| v.str_at(&["metadata", field]))
            .filter(|n| !n.is_empty())
    };
    let name = target
        .name
        .as_deref()
        .or_else(|| sent_name("name"))
        .or_else(|| sent_name("generateName"));
    let who = match call.query.get("fieldManager") {
        "" => call.header(USER_AGENT).unwrap_or_default(),
        manager => manager,
    };
    Write {
        verb,
        gr: target.gr().clone(),
        subresource: target.subresource.clone().unwrap_or_default(),
        namespace: target.ns().to_owned(),
        name: name.unwrap_or_default().to_owned(),
        who: who.to_owned(),
        dry_run: call.query.get("dryRun") == "All",
        nth: 0,
    }
}

/// Logs of Pods when no workloads are simulated: nothing has run.
pub(crate) struct NoLogs;

impl PodLogs for NoLogs {
    fn lines(
        &self,
        _: &pintle_model::Object,
        _: &str,
        _: bool,
        _: jiff::Timestamp,
    ) -> Option<Vec<crate::logs::LogLine>> {
        None
    }
}
