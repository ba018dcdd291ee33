//! The listener: TLS on loopback, a bearer token on every request.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, HeaderMap};
use http::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use crate::api::{ApiService, Body};
use crate::error::ApiError;
use crate::sim::KubeSim;

/// Connections at a time; the next one waits. A client holds one or a few, a kubectl one.
const MAX_CONNECTIONS: usize = 256;
/// Streams of one HTTP/2 connection: a controller watches about a hundred kinds on one.
const MAX_STREAMS: u32 = 1000;
/// A TLS handshake on loopback takes milliseconds.
const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(10);

/// Certificates and token of one server.
pub(crate) struct Identity {
    ca_pem: String,
    certificate: CertificateDer<'static>,
    key: Vec<u8>,
    token: String,
}

impl Identity {
    fn generate() -> Result<Self, rcgen::Error> {
        let ca_key = KeyPair::generate()?;
        let mut ca = CertificateParams::new(Vec::<String>::new())?;
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        ca.distinguished_name.push(DnType::CommonName, "pintle kubesim");
        let ca_pem = ca.self_signed(&ca_key)?.pem();
        let issuer = Issuer::new(ca, ca_key);
        let key = KeyPair::generate()?;
        let names = ["localhost", "127.0.0.1", "kubernetes.default.svc"].map(str::to_owned);
        let mut leaf = CertificateParams::new(names)?;
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        leaf.distinguished_name.push(DnType::CommonName, "kube-apiserver");
        let certificate = leaf.signed_by(&key, &issuer)?.der().clone();
        // The token is as unguessable as a fresh private key that nothing else uses.
        let seed = KeyPair::generate()?.serialize_der();
        let token = Sha256::digest(seed).iter().map(|b| format!("{b:02x}")).collect();
        Ok(Self {
            ca_pem,
            certificate,
            key: key.serialize_der(),
            token,
        })
    }

    pub(crate) fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    fn tls(&self) -> io::Result<ServerConfig> {
        let key = PrivateKeyDer::try_from(self.key.clone()).map_err(io::Error::other)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate.clone()], key)
            .map_err(io::Error::other)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}

/// A running listener. Dropping it ends it and its connections.
pub struct Server {
    address: SocketAddr,
    identity: KubeSim,
    task: AbortHandle,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `https://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.address.port())
    }

    /// A kubeconfig with the certificate authority and the token: whoever reads it may do everything, so keep it at mode 0600.
    pub fn kubeconfig(&self) -> String {
        let Some(identity) = self.identity.identity.get() else {
            return String::new();
        };
        format!(
            "apiVersion: v1\n\
             kind: Config\n\
             clusters:\n\
             - name: kubesim\n\
             \x20 cluster:\n\
             \x20   server: {}\n\
             \x20   certificate-authority-data: {}\n\
             users:\n\
             - name: admin\n\
             \x20 user:\n\
             \x20   token: {}\n\
             contexts:\n\
             - name: kubesim\n\
             \x20 context:\n\
             \x20   cluster: kubesim\n\
             \x20   user: admin\n\
             current-context: kubesim\n",
            self.url(),
            STANDARD.encode(&identity.ca_pem),
            identity.token,
        )
    }
}

impl KubeSim {
    /// Listens on loopback; port 0 takes a free one. Errors: the port is taken, or there is no randomness for keys.
    pub async fn serve(&self, port: u16) -> io::Result<Server> {
        if self.identity.get().is_none() {
            let made = Identity::generate().map_err(io::Error::other)?;
            // Another call may have been faster: then its identity counts.
            let _ = self.identity.set(made);
        }
        let Some(identity) = self.identity.get() else {
            return Err(io::Error::other("no identity"));
        };
        let acceptor = TlsAcceptor::from(Arc::new(identity.tls()?));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let guarded = Guarded {
            api: self.service(),
            token: identity.token.as_str().into(),
        };
        let task = tokio::spawn(accept(listener, acceptor, guarded)).abort_handle();
        Ok(Server {
            address,
            identity: self.clone(),
            task,
        })
    }
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, service: Guarded) {
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    // Ends with this task: the connections are aborted when the set is dropped.
    let mut connections = JoinSet::new();
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else {
            return;
        };
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, _)) => {
                let (acceptor, service) = (acceptor.clone(), service.clone());
                connections.spawn(async move {
                    connection(stream, acceptor, service).await;
                    drop(slot);
                });
            }
            Err(e) => {
                tracing::warn!(error = %e, "a connection could not be accepted");
                // Out of file descriptors: trying again at once would only spin.
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, acceptor: TlsAcceptor, service: Guarded) {
    // Small answers and watch lines must not wait for more.
    let _ = stream.set_nodelay(true);
    let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_DEADLINE, acceptor.accept(stream)).await else {
        return;
    };
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new());
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS);
    // A client that goes away ends in an error here, which is no news.
    let _ = builder
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
        .await;
}

/// The API behind its token.
#[derive(Clone)]
struct Guarded {
    api: ApiService,
    token: Arc<str>,
}

impl tower::Service<Request<hyper::body::Incoming>> for Guarded {
    type Response = Response<Body>;
    type Error = crate::api::ConnectionLost;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Self::Error>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<hyper::body::Incoming>) -> Self::Future {
        if !has_token(request.headers(), &self.token) {
            return Box::pin(async { Ok(crate::api::refusal(&ApiError::unauthorized())) });
        }
        Box::pin(self.api.clone().oneshot(request))
    }
}

fn has_token(headers: &HeaderMap, token: &str) -> bool {
    let sent = headers
        .get(AUTHORIZATION)
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.strip_prefix("Bearer "));
    // Digests are compared, so that the time taken tells nothing about the token.
    sent.is_some_and(|sent| Sha256::digest(sent.trim()) == Sha256::digest(token))
}
