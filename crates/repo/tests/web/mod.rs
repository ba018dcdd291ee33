//! A web server that answers as it is told: also wrongly, late, or not to the end.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use pintle_model::Object;
use pintle_model::settings::RepositorySecret;
use pintle_repo::{ChartRef, ChartSettings, Charts, CredentialBook, HttpSettings};
use sha2::{Digest as _, Sha256};
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
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, v)| v.as_str())
    }

    pub fn authorization(&self) -> Option<&str> {
        self.header("authorization")
    }
}

/// What is answered.
#[derive(Clone, Default)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// The connection ends after so many bytes of the body, whatever was announced.
    pub cut_after: Option<usize>,
    /// Nothing is answered at all.
    pub hangs: bool,
}

impl Reply {
    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: 200,
            body: body.into(),
            ..Self::default()
        }
    }

    pub fn status(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    pub fn to(location: &str) -> Self {
        Self::status(302).with("Location", location)
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

type Handler = dyn Fn(&Seen) -> Reply + Send + Sync;

/// A server on a free port of loopback, for as long as it is kept.
pub struct Server {
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
    pub async fn start(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_with(None, answer).await
    }

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

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

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

/// Deadlines for a loopback that answers in a millisecond.
pub fn settings() -> ChartSettings {
    ChartSettings {
        http: HttpSettings {
            request: Duration::from_secs(5),
            download: Duration::from_secs(5),
            stall: Duration::from_millis(700),
            connect: Duration::from_millis(300),
            pause: Duration::from_millis(10),
            longest_pause: Duration::from_secs(2),
            ..HttpSettings::default()
        },
        ..ChartSettings::default()
    }
}

pub struct Client {
    pub charts: Charts,
    pub directory: tempfile::TempDir,
}

/// Charts with repository Secrets, each given as its fields in JSON.
pub fn client(secrets: &[String]) -> Client {
    client_with(secrets, Vec::new(), settings())
}

pub fn client_with(secrets: &[String], authorities: Vec<(String, String)>, settings: ChartSettings) -> Client {
    let directory = tempfile::tempdir().unwrap();
    let charts = Charts::new(directory.path().to_owned(), settings);
    charts.set_credentials(Arc::new(book(secrets, authorities)));
    Client { charts, directory }
}

pub fn book(secrets: &[String], authorities: Vec<(String, String)>) -> CredentialBook {
    let secret = |fields: &String| {
        let json = format!(
            r#"{{"apiVersion":"v1","kind":"Secret","metadata":{{"name":"s","labels":{{"argocd.argoproj.io/secret-type":"repository"}}}},"stringData":{{{fields}}}}}"#
        );
        let object = Object::from_json(json.as_bytes()).ok().unwrap();
        RepositorySecret::from_secret(&object).unwrap().unwrap()
    };
    CredentialBook::new(secrets.iter().map(secret), authorities)
}

/// Fields of a Secret with the user `me`.
pub fn secret(url: &str, password: &str, more: &str) -> String {
    format!(r#""url":"{url}","type":"helm","username":"me","password":"{password}"{more}"#)
}

pub fn chart(repo_url: &str, chart: &str) -> ChartRef {
    ChartRef {
        repo_url: repo_url.into(),
        chart: chart.into(),
        ..ChartRef::default()
    }
}

/// Bytes that begin as an archive does.
pub fn archive(size: usize) -> Vec<u8> {
    let mut bytes = vec![0x1f, 0x8b];
    bytes.extend((2..size).map(|i| u8::try_from(i * 7 % 251).unwrap()));
    bytes
}

pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// An index of one chart, `web`: version, URL and digest (`-` for none) each.
pub fn index(versions: &[(&str, &str, &str)]) -> String {
    let mut text = String::from("apiVersion: v1\nentries:\n  web:\n");
    for (version, url, digest) in versions {
        text.push_str(&format!(
            "  - name: web\n    version: \"{version}\"\n    urls: [\"{url}\"]\n"
        ));
        if *digest != "-" {
            text.push_str(&format!("    digest: {digest}\n"));
        }
    }
    text
}

/// `me:<password>` as it goes over the wire.
pub fn basic(password: &str) -> String {
    use base64::Engine as _;
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("me:{password}"));
    format!("Basic {pair}")
}
