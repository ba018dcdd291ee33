//! A handle to one API server: configuration, credentials, deadlines and bounds. Reading is public; writing is `execute`'s alone.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Method, Request, header};
use http_body_util::BodyExt as _;
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};
use pintle_engine::effect::{ClusterId, FailureKind};
use tokio::sync::{Semaphore, SemaphorePermit, watch};
use tokio::time::{Instant, timeout};

use crate::discovery::DiscoveryState;
use crate::error::{ApiError, Asked, Verb, chain};

/// A connection that takes longer than two lost SYN packets is not coming.
const CONNECT_DEADLINE: Duration = Duration::from_secs(10);
/// Reading one object or document; API servers answer in milliseconds, and a hung one must not hold a caller for longer.
pub(crate) const READ_DEADLINE: Duration = Duration::from_secs(30);
/// One page of a LIST: 500 large objects from a busy etcd take seconds.
pub(crate) const LIST_DEADLINE: Duration = Duration::from_secs(60);
/// Asked of the server for each write (`timeout=`), so that it answers for itself where it can.
pub(crate) const WRITE_SERVER_TIMEOUT: &str = "30s";
/// A write is given up this long after it was sent: the server's own deadline and ten seconds for its answer to arrive.
pub(crate) const WRITE_DEADLINE: Duration = Duration::from_secs(40);
/// etcd refuses objects over 1.5 MiB unless told otherwise, and the largest documents (discovery, OpenAPI) are under 16 MiB.
pub(crate) const BODY_LIMIT: usize = 32 << 20;
/// A page of 500 objects of half a MiB each. A page that is larger fails and is asked for again in smaller pages.
pub(crate) const LIST_BODY_LIMIT: usize = 256 << 20;

/// Reads in flight per cluster. More only queue inside the server's own fairness queues.
const MAX_READS: usize = 32;
/// Writes in flight per cluster; a write costs the server an etcd transaction and maybe a webhook call.
const MAX_WRITES: usize = 32;
/// LIST pages in flight per cluster: a start lists a hundred kinds, and each page is held in memory whole.
const MAX_LISTS: usize = 10;
/// Credentials are read again at most this often after a 401, so that a revoked account does not become a loop (I-23).
const REAUTHENTICATE_INTERVAL: Duration = Duration::from_secs(10);

/// One API server. Cheap to clone; clones share connections, bounds and discovery.
#[derive(Clone)]
pub struct Cluster {
    inner: Arc<Inner>,
}

struct Inner {
    id: ClusterId,
    server: Arc<str>,
    default_namespace: String,
    agent: HeaderValue,
    source: Source,
    client: RwLock<kube::Client>,
    /// Counts replacements of `client`; open streams end when it moves, so that nothing goes on over old credentials.
    epoch: watch::Sender<u64>,
    last_rebuild: Mutex<Option<Instant>>,
    reads: Semaphore,
    writes: Semaphore,
    lists: Semaphore,
    discovery: DiscoveryState,
}

/// Where configuration and credentials come from, to be read again when they are refused.
enum Source {
    Kubeconfig(KubeconfigSource),
    InCluster,
    Given,
}

/// Which kubeconfig and which of its contexts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KubeconfigSource {
    /// The file; `None` means `$KUBECONFIG`, else `~/.kube/config`, as kubectl reads them.
    pub path: Option<PathBuf>,
    /// The context; `None` means the file's current one.
    pub context: Option<String>,
}

/// Why there is no handle to a cluster.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The kubeconfig cannot be read, or does not say what is needed.
    #[error("cannot use {place}: {message}")]
    Kubeconfig {
        /// The file, or how it was looked for.
        place: String,
        /// What is wrong with it.
        message: String,
    },
    /// Not inside a Pod, or its service account is not mounted.
    #[error("cannot use the Pod's service account: {0}")]
    InCluster(String),
    /// The configuration cannot be turned into a client: a bad certificate, a proxy of an unknown scheme, …
    #[error("cannot connect to {server}: {message}")]
    Client {
        /// The API server's URL.
        server: String,
        /// What is wrong.
        message: String,
    },
}

impl KubeconfigSource {
    /// The namespace of the context, `default` where it names none.
    pub async fn namespace(&self) -> Result<String, ConnectError> {
        Ok(load_kubeconfig(self).await?.default_namespace)
    }
}

impl Cluster {
    /// Opens the cluster a kubeconfig names. Nothing is sent yet. `component` is part of the User-Agent (`pintle/<version> (<component>)`).
    pub async fn from_kubeconfig(
        id: ClusterId,
        source: KubeconfigSource,
        component: &str,
    ) -> Result<Self, ConnectError> {
        let config = load_kubeconfig(&source).await?;
        Self::build(id, config, Source::Kubeconfig(source), component)
    }

    /// Opens the cluster this process runs in, as its Pod's service account.
    pub fn in_cluster(component: &str) -> Result<Self, ConnectError> {
        let config = kube::Config::incluster().map_err(|e| ConnectError::InCluster(chain(&e)))?;
        Self::build(ClusterId::in_cluster(), config, Source::InCluster, component)
    }

    /// Opens a cluster from a configuration made elsewhere (a cluster Secret). New credentials come in by [`Cluster::replace_config`].
    pub fn from_config(id: ClusterId, config: kube::Config, component: &str) -> Result<Self, ConnectError> {
        Self::build(id, config, Source::Given, component)
    }

    /// Wraps a client made elsewhere, for instance around an API server in this process.
    pub fn from_client(id: ClusterId, server: &str, client: kube::Client, component: &str) -> Self {
        let default_namespace = client.default_namespace().to_owned();
        Self::assemble(id, server.into(), default_namespace, client, Source::Given, component)
    }

    fn build(id: ClusterId, config: kube::Config, source: Source, component: &str) -> Result<Self, ConnectError> {
        let server = server_url(&config);
        let default_namespace = config.default_namespace.clone();
        let client = new_client(config)?;
        Ok(Self::assemble(
            id,
            server.into(),
            default_namespace,
            client,
            source,
            component,
        ))
    }

    fn assemble(
        id: ClusterId,
        server: Arc<str>,
        default_namespace: String,
        client: kube::Client,
        source: Source,
        component: &str,
    ) -> Self {
        let agent = HeaderValue::from_str(&format!("pintle/{} ({component})", env!("CARGO_PKG_VERSION")))
            .unwrap_or(HeaderValue::from_static(concat!("pintle/", env!("CARGO_PKG_VERSION"))));
        Self {
            inner: Arc::new(Inner {
                id,
                server,
                default_namespace,
                agent,
                source,
                client: RwLock::new(client),
                epoch: watch::Sender::new(0),
                last_rebuild: Mutex::new(None),
                reads: Semaphore::new(MAX_READS),
                writes: Semaphore::new(MAX_WRITES),
                lists: Semaphore::new(MAX_LISTS),
                discovery: DiscoveryState::default(),
            }),
        }
    }

    /// The name effects use for this cluster.
    pub fn id(&self) -> &ClusterId {
        &self.inner.id
    }

    /// The API server's URL, for messages.
    pub fn server(&self) -> &str {
        &self.inner.server
    }

    /// The namespace the kubeconfig's context names; `default` where it names none.
    pub fn default_namespace(&self) -> &str {
        &self.inner.default_namespace
    }

    /// Takes new credentials at once; open streams end and come back with them (I-23).
    pub fn replace_config(&self, config: kube::Config) -> Result<(), ConnectError> {
        self.replace_client(new_client(config)?);
        Ok(())
    }

    pub(crate) fn discovery_state(&self) -> &DiscoveryState {
        &self.inner.discovery
    }

    pub(crate) fn asked(&self, verb: Verb, what: impl Into<String>) -> Asked {
        Asked {
            server: Arc::clone(&self.inner.server),
            verb,
            what: what.into(),
        }
    }

    /// Changes when the credentials do.
    pub(crate) fn epoch(&self) -> watch::Receiver<u64> {
        self.inner.epoch.subscribe()
    }

    fn replace_client(&self, client: kube::Client) {
        *self.inner.client.write().unwrap_or_else(PoisonError::into_inner) = client;
        self.inner.epoch.send_modify(|n| *n += 1);
    }

    #[cfg(test)]
    pub(crate) fn replace_client_for_tests(&self, fake: &crate::fake::Fake) {
        self.replace_client(fake.client());
    }

    /// After a 401: reads the credentials again and answers whether they were replaced. At most every ten seconds.
    pub(crate) async fn reauthenticate(&self) -> bool {
        {
            let mut last = self.inner.last_rebuild.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            if last.is_some_and(|t| now.duration_since(t) < REAUTHENTICATE_INTERVAL) {
                return false;
            }
            *last = Some(now);
        }
        let config = match &self.inner.source {
            Source::Kubeconfig(source) => load_kubeconfig(source).await,
            Source::InCluster => kube::Config::incluster().map_err(|e| ConnectError::InCluster(chain(&e))),
            Source::Given => return false,
        };
        match config.and_then(new_client) {
            Ok(client) => {
                tracing::info!(
                    server = self.server(),
                    "credentials were refused and have been read again"
                );
                self.replace_client(client);
                true
            }
            Err(error) => {
                tracing::warn!(server = self.server(), %error, "credentials were refused and cannot be read again");
                false
            }
        }
    }

    /// Waits for a place among the writes in flight. The caller checks its permission after this and before sending.
    pub(crate) async fn write_slot(&self, asked: &Asked) -> Result<SemaphorePermit<'_>, ApiError> {
        self.slot(&self.inner.writes, WRITE_DEADLINE, asked).await
    }

    /// Waits for a place among the LIST pages in flight.
    pub(crate) async fn list_slot(&self, asked: &Asked) -> Result<SemaphorePermit<'_>, ApiError> {
        // A start queues a hundred kinds here; the one at the end waits for ten rounds.
        self.slot(&self.inner.lists, LIST_DEADLINE * 10, asked).await
    }

    async fn slot<'a>(
        &'a self,
        of: &'a Semaphore,
        longest: Duration,
        asked: &Asked,
    ) -> Result<SemaphorePermit<'a>, ApiError> {
        match timeout(longest, of.acquire()).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => {
                let waited = longest.as_secs();
                Err(asked.failed(
                    FailureKind::Unavailable,
                    format!("not sent: earlier requests have not been answered for {waited} s"),
                ))
            }
        }
    }

    /// Reads one document. A place among the reads is held until it is answered: only this cluster's, and only until the deadline (I-12).
    pub(crate) async fn read(&self, asked: &Asked, uri: &str, accept: &'static str) -> Result<Answer, ApiError> {
        let call = Call {
            uri,
            accept,
            deadline: READ_DEADLINE,
            body_limit: BODY_LIMIT,
            ..Call::get()
        };
        let permit = self.slot(&self.inner.reads, READ_DEADLINE, asked).await?;
        let first = self.exchange(asked, &call).await;
        drop(permit);
        match first {
            Err(error) if error.is_unauthorized() && self.reauthenticate().await => self.exchange(asked, &call).await,
            answer => answer,
        }
    }

    /// Sends one request and reads its answer whole, within the call's deadline and body bound.
    pub(crate) async fn exchange(&self, asked: &Asked, call: &Call<'_>) -> Result<Answer, ApiError> {
        let started = Instant::now();
        let work = async {
            let response = self.send(asked, call).await?;
            let content_type = text_header(&response, header::CONTENT_TYPE).to_owned();
            let status = response.status().as_u16();
            let body = collect(asked, response.into_body(), call.body_limit).await?;
            Ok(Answer {
                status,
                content_type,
                body,
            })
        };
        let answer = match timeout(call.deadline, work).await {
            Ok(answer) => answer,
            Err(_) => Err(asked.failed(
                FailureKind::Unknown,
                format!("no answer within {} s", call.deadline.as_secs()),
            )),
        };
        tracing::debug!(
            server = self.server(), verb = %asked.verb, what = asked.what,
            elapsed_ms = started.elapsed().as_millis() as u64, ok = answer.is_ok(), "request"
        );
        answer
    }

    /// Sends one request and hands back the answer's body as a stream; the deadline covers the head only.
    pub(crate) async fn open(&self, asked: &Asked, call: &Call<'_>) -> Result<Body, ApiError> {
        match timeout(call.deadline, self.send(asked, call)).await {
            Ok(response) => Ok(response?.into_body()),
            Err(_) => Err(asked.failed(
                FailureKind::Unknown,
                format!("no answer within {} s", call.deadline.as_secs()),
            )),
        }
    }

    async fn send(&self, asked: &Asked, call: &Call<'_>) -> Result<http::Response<Body>, ApiError> {
        let mut request = Request::builder()
            .method(call.method.clone())
            .uri(call.uri)
            .header(header::USER_AGENT, &self.inner.agent)
            .header(header::ACCEPT, call.accept)
            // Kubernetes compresses watches one gzip member per event, which decoders read badly; nothing here asks for it.
            .header(header::ACCEPT_ENCODING, "identity");
        if let Some(content_type) = call.content_type {
            request = request.header(header::CONTENT_TYPE, content_type);
        }
        let request = request
            .body(Body::from(call.body.clone()))
            .map_err(|e| asked.failed(FailureKind::Invalid, format!("not sent: {e}")))?;
        let client = self.inner.client.read().unwrap_or_else(PoisonError::into_inner).clone();
        let response = client.send(request).await.map_err(|e| asked.lost(&e))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let code = response.status().as_u16();
        let retry_after = text_header(&response, header::RETRY_AFTER)
            .parse()
            .ok()
            .map(Duration::from_secs);
        // The status alone says what happened; a body that breaks off only costs words.
        let body = collect(asked, response.into_body(), BODY_LIMIT)
            .await
            .unwrap_or_default();
        Err(asked.refused(code, retry_after, &body))
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cluster({} at {})", self.inner.id, self.inner.server)
    }
}

/// One request, before it is sent.
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    pub(crate) uri: &'a str,
    pub(crate) accept: &'static str,
    pub(crate) content_type: Option<&'static str>,
    pub(crate) body: Bytes,
    pub(crate) deadline: Duration,
    pub(crate) body_limit: usize,
}

impl Call<'_> {
    /// A GET with nothing filled in but the bounds.
    pub(crate) fn get() -> Self {
        Self {
            method: Method::GET,
            uri: "/",
            accept: JSON,
            content_type: None,
            body: Bytes::new(),
            deadline: READ_DEADLINE,
            body_limit: BODY_LIMIT,
        }
    }
}

/// The media type of nearly everything.
pub(crate) const JSON: &str = "application/json";

/// A good answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) body: Bytes,
}

/// Reads a body whole; one over the limit is an error, never cut (I-3).
async fn collect(asked: &Asked, mut body: Body, limit: usize) -> Result<Bytes, ApiError> {
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|e| asked.lost_midway(&e))?;
        if let Ok(data) = frame.into_data() {
            if whole.len() + data.len() > limit {
                return Err(asked.too_large(limit));
            }
            whole.extend_from_slice(&data);
        }
    }
    Ok(whole.freeze())
}

fn text_header(response: &http::Response<Body>, name: header::HeaderName) -> &str {
    response
        .headers()
        .get(name)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default()
}

async fn load_kubeconfig(source: &KubeconfigSource) -> Result<kube::Config, ConnectError> {
    let failed = |e: kube::config::KubeconfigError| ConnectError::Kubeconfig {
        place: source.path.as_ref().map_or("the default kubeconfig".to_owned(), |p| {
            format!("kubeconfig {}", p.display())
        }),
        message: chain(&e),
    };
    let file = match &source.path {
        Some(path) => Kubeconfig::read_from(path),
        None => Kubeconfig::read(),
    };
    let options = KubeConfigOptions {
        context: source.context.clone(),
        ..KubeConfigOptions::default()
    };
    kube::Config::from_custom_kubeconfig(file.map_err(failed)?, &options)
        .await
        .map_err(failed)
}

fn new_client(mut config: kube::Config) -> Result<kube::Client, ConnectError> {
    // Fails only where another part of the process was first; then that provider serves.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    config.connect_timeout = Some(CONNECT_DEADLINE);
    // Whether a request may be sent again is decided where its meaning is known: never in the transport.
    config.default_retry = false;
    let server = server_url(&config);
    kube::Client::try_from(config).map_err(|e| ConnectError::Client {
        server,
        message: chain(&e),
    })
}

fn server_url(config: &kube::Config) -> String {
    config.cluster_url.to_string().trim_end_matches('/').to_owned()
}
