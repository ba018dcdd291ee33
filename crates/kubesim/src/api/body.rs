//! Bodies: bounded on the way in, whole or streamed on the way out.

use std::convert::Infallible;

use bytes::{Buf, Bytes};
use futures_util::{Stream, StreamExt};
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use pintle_model::{Value, to_json};

use crate::error::ApiError;

/// A response body.
pub type Body = UnsyncBoxBody<Bytes, Infallible>;

/// Largest request body, as kube-apiserver's: 3 MiB.
pub const MAX_BODY_BYTES: usize = 3 * 1024 * 1024;

/// Reads a request body whole.
pub async fn read<B>(body: B) -> Result<Bytes, ApiError>
where
    B: http_body::Body + Send,
    B::Data: Buf,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    match Limited::new(body, MAX_BODY_BYTES).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(e) if e.is::<http_body_util::LengthLimitError>() => Err(ApiError::too_large(MAX_BODY_BYTES)),
        Err(_) => Err(ApiError::bad_request("the request body ended early")),
    }
}

/// A JSON response.
pub fn json(code: u16, value: &Value) -> Response<Body> {
    bytes(code, "application/json", to_json(value).into())
}

/// A whole response of any type.
pub fn bytes(code: u16, content_type: &'static str, content: Bytes) -> Response<Body> {
    finish(
        code,
        content_type,
        Full::new(content).map_err(|never| match never {}).boxed_unsync(),
    )
}

/// A response that goes on until `chunks` ends.
pub fn stream(content_type: &'static str, chunks: impl Stream<Item = Bytes> + Send + 'static) -> Response<Body> {
    let body = StreamBody::new(chunks.map(|chunk| Ok(Frame::data(chunk))));
    finish(200, content_type, BodyExt::boxed_unsync(body))
}

/// The Status of a refusal.
pub fn refusal(error: &ApiError) -> Response<Body> {
    let mut response = json(error.code, &error.to_status());
    if error.details.retry_after_seconds > 0 {
        response.headers_mut().insert(
            http::header::RETRY_AFTER,
            HeaderValue::from(error.details.retry_after_seconds),
        );
    }
    response
}

fn finish(code: u16, content_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(
        http::header::CACHE_CONTROL,
        HeaderValue::from_static("no-cache, private"),
    );
    response
}
