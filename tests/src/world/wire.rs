//! The wire between one Pintle process and kubesim: it remembers writes, and it can be cut.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use pintle_kubesim::{ApiService, Body, ConnectionLost};
use tokio::sync::watch;

/// A write that reached the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentWrite {
    /// Which Pintle process sent it, counted from 1.
    pub process: u32,
    /// `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: String,
    /// Path without the query.
    pub path: String,
    /// As sent.
    pub body: String,
    /// Status of the answer; 0 if it never arrived at the server.
    pub code: u16,
}

/// When a process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Death {
    /// At its write number this, from 0; Events and dry runs do not count.
    pub at: usize,
    /// Whether that write still happens. Its answer never arrives.
    pub after: bool,
}

/// What all wires of one world share.
#[derive(Default)]
pub struct WireLog {
    writes: Mutex<Vec<SentWrite>>,
}

impl WireLog {
    /// Every write so far, of every process, Events and dry runs left out.
    pub fn writes(&self) -> Vec<SentWrite> {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<SentWrite>> {
        self.writes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The state of the wire, for whoever cuts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// Everything passes.
    Up,
    /// The API server refuses connections, and open watches have ended.
    Down,
    /// The process is dead: nothing it sends arrives, and nothing answers.
    Dead,
}

/// One process's connection to kubesim.
#[derive(Clone)]
pub struct Wire {
    process: u32,
    service: ApiService,
    log: Arc<WireLog>,
    death: Option<Death>,
    sent: Arc<AtomicUsize>,
    line: Arc<watch::Sender<Line>>,
}

impl Wire {
    /// Connects process number `process`, to die as `death` says.
    pub fn new(
        process: u32,
        service: ApiService,
        log: Arc<WireLog>,
        death: Option<Death>,
        line: Arc<watch::Sender<Line>>,
    ) -> Self {
        Self {
            process,
            service,
            log,
            death,
            sent: Arc::default(),
            line,
        }
    }

    async fn pass(mut self, request: Request<kube::client::Body>) -> Result<Response<CutBody>, ConnectionLost> {
        let (parts, body) = request.into_parts();
        // A body that cannot be read is a connection that broke.
        let body = body.collect().await.map_err(|_| ConnectionLost)?.to_bytes();
        let line = *self.line.borrow();
        match line {
            Line::Up => {}
            Line::Down => return Err(ConnectionLost),
            Line::Dead => std::future::pending().await,
        }
        let path = parts.uri.path().to_owned();
        let dry_run = parts.uri.query().is_some_and(|q| q.contains("dryRun="));
        let counts = parts.method != Method::GET && !path.ends_with("/events") && !dry_run;
        let mut dies_after = false;
        if counts {
            let number = self.sent.fetch_add(1, Ordering::SeqCst);
            if let Some(death) = self.death.filter(|d| d.at == number) {
                if !death.after {
                    self.line.send_replace(Line::Dead);
                    self.remember(&parts, &body, 0);
                    std::future::pending().await
                }
                dies_after = true;
            }
        }
        let again = (parts.method.clone(), parts.uri.clone());
        let answer = tower::Service::call(&mut self.service, Request::from_parts(parts, Full::new(body.clone()))).await;
        if counts {
            let code = answer.as_ref().map_or(0, |r| r.status().as_u16());
            let mut sent = Request::new(());
            (*sent.method_mut(), *sent.uri_mut()) = again;
            self.remember(&sent.into_parts().0, &body, code);
        }
        if dies_after {
            self.line.send_replace(Line::Dead);
        }
        if *self.line.borrow() == Line::Dead {
            std::future::pending().await
        }
        let mut line = self.line.subscribe();
        let cut = async move {
            // The sender lives as long as the world.
            let _ = line.wait_for(|l| *l != Line::Up).await;
        };
        answer.map(|r| {
            r.map(|inner| CutBody {
                inner,
                cut: Box::pin(cut),
            })
        })
    }

    fn remember(&self, parts: &http::request::Parts, body: &Bytes, code: u16) {
        self.log.lock().push(SentWrite {
            process: self.process,
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            body: String::from_utf8_lossy(body).into_owned(),
            code,
        });
    }
}

impl tower::Service<Request<kube::client::Body>> for Wire {
    type Response = Response<CutBody>;
    type Error = ConnectionLost;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ConnectionLost>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectionLost>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<kube::client::Body>) -> Self::Future {
        Box::pin(self.clone().pass(request))
    }
}

/// An answer that breaks off when the wire is cut.
pub struct CutBody {
    inner: Body,
    cut: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// The wire was cut in the middle of an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection was cut")]
pub struct Cut;

impl http_body::Body for CutBody {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Cut>>> {
        if self.cut.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Some(Err(Cut)));
        }
        Pin::new(&mut self.inner)
            .poll_frame(cx)
            .map_err(|never: Infallible| match never {})
    }
}

/// Whether a status is a refusal.
pub fn is_refusal(code: u16) -> bool {
    !StatusCode::from_u16(code).is_ok_and(|c| c.is_success())
}
