//! A Git server over HTTP on loopback: the real `git http-backend` behind a small CGI face.
//!
//! The demo and the acceptance tests use it; a push is reported at once, in process, so nothing has to listen for hooks.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc, watch};

use crate::process;

/// A pushed pack larger than this is refused: the demo's repositories are a few kilobytes.
const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;
/// `git http-backend` answers within milliseconds; a hanging one must not hold a connection for ever.
const BACKEND_DEADLINE: Duration = Duration::from_secs(60);
/// Requests served at once; more wait for a place.
const MAX_BACKENDS: usize = 16;

/// What the server hosts and who may use it.
#[derive(Clone)]
pub struct GitServerConfig {
    /// Directory that holds bare repositories, `<name>.git`.
    pub root: PathBuf,
    /// Where to listen; port 0 takes a free one.
    pub address: SocketAddr,
    /// Basic credentials that every request must bring; `None` lets everyone in. Only loopback is ever listened on.
    pub credentials: Option<(String, String)>,
}

/// A running server; stops when dropped.
pub struct GitServer {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    root: PathBuf,
    requests: Arc<std::sync::atomic::AtomicU64>,
}

impl GitServer {
    /// Starts listening. Each push that Git accepted sends the repository's name (`shop.git`) on `pushed`; if nobody keeps up, hints are
    /// dropped, since polling finds the push anyway.
    pub async fn start(config: GitServerConfig, pushed: mpsc::Sender<String>) -> io::Result<Self> {
        if !config.address.ip().is_loopback() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the demo's Git server listens on loopback only",
            ));
        }
        let listener = TcpListener::bind(config.address).await?;
        let address = listener.local_addr()?;
        let (stop, mut stopped) = watch::channel(false);
        let requests = Arc::new(std::sync::atomic::AtomicU64::new(0));
        let state = Arc::new(State {
            root: config.root.clone(),
            credentials: config.credentials,
            pushed,
            places: Semaphore::new(MAX_BACKENDS),
            requests: Arc::clone(&requests),
        });
        tokio::spawn(async move {
            loop {
                let connection = tokio::select! {
                    accepted = listener.accept() => accepted,
                    _ = stopped.changed() => return,
                };
                let Ok((stream, _)) = connection else { continue };
                let (state, mut stopped) = (Arc::clone(&state), stopped.clone());
                tokio::spawn(async move {
                    let service = hyper::service::service_fn(move |request| {
                        let state = Arc::clone(&state);
                        async move { Ok::<_, std::convert::Infallible>(state.answer(request).await) }
                    });
                    let server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                    tokio::select! {
                        // A broken connection is the client's affair; it reports the failure itself.
                        _ = server.serve_connection(TokioIo::new(stream), service) => {}
                        _ = stopped.changed() => {}
                    }
                });
            }
        });
        Ok(Self {
            address,
            stop,
            root: config.root,
            requests,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The clone URL of a repository.
    pub fn url(&self, repository: &str) -> String {
        format!("http://{}/{repository}", self.address)
    }

    /// The directory of bare repositories.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// How many requests were answered; tests and benchmarks count fetches by it.
    pub fn requests(&self) -> u64 {
        self.requests.load(std::sync::atomic::Ordering::Relaxed)
    }
}

impl Drop for GitServer {
    fn drop(&mut self) {
        // No receiver means the accept loop is gone already.
        let _ = self.stop.send(true);
    }
}

struct State {
    root: PathBuf,
    credentials: Option<(String, String)>,
    pushed: mpsc::Sender<String>,
    places: Semaphore,
    requests: Arc<std::sync::atomic::AtomicU64>,
}

impl State {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        self.requests.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        if !self.allowed(request.headers()) {
            let mut refused = text(StatusCode::UNAUTHORIZED, "credentials are needed\n");
            refused.headers_mut().insert(
                header::WWW_AUTHENTICATE,
                header::HeaderValue::from_static("Basic realm=\"git\""),
            );
            return refused;
        }
        let Some(repository) = repository_of(request.uri().path()) else {
            return text(StatusCode::NOT_FOUND, "no such repository\n");
        };
        let push = request.method() == Method::POST && request.uri().path().ends_with("/git-receive-pack");
        match tokio::time::timeout(BACKEND_DEADLINE, self.backend(request)).await {
            Ok(Ok(response)) => {
                if push && response.status().is_success() {
                    // A full channel already holds a hint; the poll finds anything missed.
                    let _ = self.pushed.try_send(repository);
                }
                response
            }
            Ok(Err(e)) => text(StatusCode::INTERNAL_SERVER_ERROR, &format!("git http-backend: {e}\n")),
            Err(_) => text(StatusCode::GATEWAY_TIMEOUT, "git http-backend did not answer in time\n"),
        }
    }

    fn allowed(&self, headers: &HeaderMap) -> bool {
        use base64::Engine as _;
        let Some((user, password)) = &self.credentials else {
            return true;
        };
        let expected = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
        let given = headers.get(header::AUTHORIZATION).and_then(|h| h.to_str().ok());
        given.and_then(|g| g.strip_prefix("Basic ")) == Some(&expected)
    }

    async fn backend(&self, request: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
        let _place = self.places.acquire().await.map_err(io::Error::other)?;
        let (parts, body) = request.into_parts();
        let body = Limited::new(body, MAX_BODY_BYTES)
            .collect()
            .await
            .map_err(io::Error::other)?
            .to_bytes();
        let header = |name: &str| {
            parts
                .headers
                .get(name)
                .and_then(|h| h.to_str().ok())
                .unwrap_or_default()
        };
        let mut command = process::git(&self.root);
        command
            .arg("http-backend")
            .env("GIT_PROJECT_ROOT", &self.root)
            .env("GIT_HTTP_EXPORT_ALL", "1")
            .env("REQUEST_METHOD", parts.method.as_str())
            .env("PATH_INFO", parts.uri.path())
            .env("QUERY_STRING", parts.uri.query().unwrap_or_default())
            .env("CONTENT_TYPE", header("content-type"))
            .env("CONTENT_LENGTH", body.len().to_string())
            .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
            .env("GIT_PROTOCOL", header("git-protocol"))
            // http-backend lets only named users push.
            .env("REMOTE_USER", "demo")
            .env("REMOTE_ADDR", "127.0.0.1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn()?;
        let mut stdin = child.stdin.take().ok_or_else(|| io::Error::other("no stdin"))?;
        let feed = async move {
            // The backend may stop reading early (a refused push); what it answers tells why.
            let _ = stdin.write_all(&body).await;
        };
        let ((), output) = tokio::join!(feed, child.wait_with_output());
        let output = output?;
        if !output.status.success() && output.stdout.is_empty() {
            return Err(io::Error::other(
                String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            ));
        }
        cgi_response(&output.stdout)
    }
}

/// `/shop.git/info/refs` names `shop.git`. Anything that is not one plain directory name ending in `.git` is refused.
fn repository_of(path: &str) -> Option<String> {
    let name = path.strip_prefix('/')?.split('/').next()?;
    let plain = name
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    (plain && name.ends_with(".git") && !name.starts_with('.')).then(|| name.to_owned())
}

/// Splits a CGI answer into status, headers and body.
fn cgi_response(output: &[u8]) -> io::Result<Response<Full<Bytes>>> {
    let end = output
        .windows(4)
        .position(|w| w == b"\r\n\r\n")
        .ok_or_else(|| io::Error::other("no CGI headers"))?;
    let (head, body) = (
        output.get(..end).unwrap_or_default(),
        output.get(end + 4..).unwrap_or_default(),
    );
    let mut response = Response::builder();
    for line in String::from_utf8_lossy(head).split("\r\n") {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        if name.eq_ignore_ascii_case("status") {
            let code = value
                .trim()
                .split(' ')
                .next()
                .and_then(|c| c.parse::<u16>().ok())
                .unwrap_or(500);
            response = response.status(code);
        } else {
            response = response.header(name.trim(), value.trim());
        }
    }
    response
        .body(Full::new(Bytes::copy_from_slice(body)))
        .map_err(io::Error::other)
}

fn text(status: StatusCode, message: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::copy_from_slice(message.as_bytes())));
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_are_repositories() {
        assert_eq!(repository_of("/shop.git/info/refs").as_deref(), Some("shop.git"));
        for bad in ["/", "/../etc", "/.git/x", "/shop/info", "/a b.git/x", "/..git%2f/x"] {
            assert_eq!(repository_of(bad), None, "{bad}");
        }
    }

    #[test]
    fn cgi_answers_are_taken_apart() {
        let response = cgi_response(b"Status: 403 Forbidden\r\nContent-Type: text/plain\r\n\r\nno").unwrap();
        assert_eq!(response.status(), 403);
        assert_eq!(response.headers()["content-type"], "text/plain");
    }

    #[tokio::test]
    async fn a_push_is_told_and_needs_the_credentials() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("git");
        crate::demo::shop::Shop::init_bare(&root).await.unwrap();
        let config = GitServerConfig {
            root,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            credentials: Some(("demo".to_owned(), "secret".to_owned())),
        };
        let (pushed, mut pushes) = mpsc::channel(4);
        let server = GitServer::start(config, pushed).await.unwrap();
        let refused = crate::demo::shop::Shop::begin(&server.url("shop.git"), &directory.path().join("a"), "1.4").await;
        assert!(refused.is_err());
        assert!(pushes.try_recv().is_err());
        let url = format!("http://demo:secret@{}/shop.git", server.address());
        let before = server.requests();
        crate::demo::shop::Shop::begin(&url, &directory.path().join("b"), "1.4")
            .await
            .unwrap();
        assert_eq!(pushes.try_recv().as_deref(), Ok("shop.git"));
        assert!(server.requests() > before);
    }
}
