//! A web server that answers as it is told: also wrongly, late, or not to the end.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "called by tests: a panic is how a test fails"
)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Path and query, or the whole URL where the server is used as a proxy.
    pub path: String,
    headers: Vec<(String, String)>,
}

impl Seen {
    /// A header by its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, v)| v.as_str())
    }

    /// Who asks.
    pub fn authorization(&self) -> Option<&str> {
        self.header("authorization")
    }
}

/// What is answered.
#[derive(Clone, Default)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// Headers besides the length.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The connection ends after so many bytes of the body, whatever was announced.
    pub cut_after: Option<usize>,
    /// Nothing is answered at all.
    pub hangs: bool,
}

impl Reply {
    /// 200 with a body.
    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: 200,
            body: body.into(),
            ..Self::default()
        }
    }

    /// A status without a body.
    pub fn status(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    /// A redirect.
    pub fn to(location: &str) -> Self {
        Self::status(302).with("Location", location)
    }

    /// With one more header.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

type Handler = dyn Fn(&Seen) -> Reply + Send + Sync;

/// A server on a free port of loopback, for as long as it is kept.
pub struct Server {
    /// Where it listens.
    pub port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// Starts it in plain text.
    pub async fn start(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_with(None, answer).await
    }

    /// Starts it, behind TLS if it is told how.
    pub async fn start_with(
        tls: Option<tokio_rustls::TlsAcceptor>,
        answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let (log, answer): (_, Arc<Handler>) = (Arc::clone(&seen), Arc::new(answer));
        let task = tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else {
                    return;
                };
                let (tls, log, answer) = (tls.clone(), Arc::clone(&log), Arc::clone(&answer));
                tokio::spawn(async move {
                    match tls {
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, log, answer).await;
                            }
                        }
                        None => serve(stream, log, answer).await,
                    }
                });
            }
        });
        Self { port, seen, task }
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Every request so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Path of every request so far.
    pub fn paths(&self) -> Vec<String> {
        self.seen().into_iter().map(|s| s.path).collect()
    }
}

/// One request per connection.
async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, log: Arc<Mutex<Vec<Seen>>>, answer: Arc<Handler>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.lines();
    let seen = Seen {
        path: lines.next().unwrap().split(' ').nth(1).unwrap().to_owned(),
        headers: lines
            .filter_map(|l| l.split_once(": "))
            .map(|(n, v)| (n.to_owned(), v.to_owned()))
            .collect(),
    };
    let reply = answer(&seen);
    log.lock().unwrap().push(seen);
    if reply.hangs {
        tokio::time::sleep(Duration::from_secs(60)).await;
        return;
    }
    let mut text = format!("HTTP/1.1 {} x\r\nConnection: close\r\n", reply.status);
    if reply.status != 304 {
        text.push_str(&format!("Content-Length: {}\r\n", reply.body.len()));
    }
    for (name, value) in &reply.headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    let sent = reply.cut_after.unwrap_or(reply.body.len());
    let _ = stream.write_all(text.as_bytes()).await;
    let _ = stream.write_all(&reply.body[..sent]).await;
    let _ = stream.flush().await;
    let _ = stream.shutdown().await;
}
