//! Asking web servers: one place for deadlines, retries, redirects, and who may see credentials.
//!
//! ```text
//! Session (whose credentials, for which origin) ── Ask ──> send, hop by hop ──> Answer ──> bounded body, or file with resume
//! ```
//!
//! Invariants: only `http` and `https`; credentials and client certificates go to the origin they belong to and nowhere else, unless the session
//! was told to pass them, and never from TLS to plain text; every call ends by its deadline; nothing is read without a limit.

mod download;
mod error;
mod tls;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use pintle_model::Sensitive;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::{Client, NoProxy, Proxy, Response, Url};
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

pub(crate) use download::{Downloaded, Ended};
pub use error::HttpError;
pub(crate) use error::shown;

use crate::chart::access::same_origin;
use tls::{TlsNeeds, client_config};

/// Clients kept; one per set of TLS and proxy settings. Past that all are made anew.
const MAX_CLIENTS: usize = 256;
/// Redirects followed for one request, as many as Go's client follows.
const MAX_REDIRECTS: usize = 10;
/// What is read of the body of an error, to say it in a line.
const MAX_ERROR_BODY: u64 = 16 * 1024;
/// What is shown of it.
const MAX_SAID_CHARS: usize = 200;

/// How long the outside may take.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// To connect, TLS included.
    pub connect: Duration,
    /// For one answer that is kept in memory (index, tags, manifest, token), all attempts together. 90 s: what the peer allows its tools.
    pub request: Duration,
    /// For one archive, all attempts together.
    pub download: Duration,
    /// Without a single byte, after which an attempt counts as broken.
    pub stall: Duration,
    /// How often one request is tried.
    pub attempts: u32,
    /// Before the second attempt; doubled for each further one.
    pub pause: Duration,
    /// The longest a server's `Retry-After` is waited for; longer is an error that names it.
    pub longest_pause: Duration,
    /// Whether `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` apply where a Secret names no proxy.
    pub environment_proxy: bool,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            request: Duration::from_secs(90),
            download: Duration::from_secs(10 * 60),
            stall: Duration::from_secs(30),
            attempts: 4,
            pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(30),
            environment_proxy: false,
        }
    }
}

/// How servers are reached, credentials in headers aside.
#[derive(Default)]
pub(crate) struct Reach {
    pub insecure: bool,
    pub proxy: Option<Sensitive<String>>,
    pub no_proxy: String,
    /// Client certificate chain and key, PEM.
    pub identity: Option<(Sensitive<String>, Sensitive<String>)>,
    /// Host name to PEM certificates trusted for it.
    pub authorities: Arc<[(String, String)]>,
}

/// Makes clients and keeps them, so that connections are used again.
pub(crate) struct Http {
    settings: HttpSettings,
    clients: Mutex<HashMap<[u8; 32], Client>>,
}

/// Requests on behalf of one repository.
#[derive(Clone)]
pub(crate) struct Session {
    pub http: Arc<Http>,
    pub reach: Arc<Reach>,
    /// Where the credentials belong.
    pub home: Url,
    /// Whether they may go elsewhere.
    pub pass_credentials: bool,
}

/// One request.
pub(crate) struct Ask {
    pub url: Url,
    pub headers: HeaderMap,
    /// Sent only where the session's credentials may go.
    pub authorization: Option<HeaderValue>,
    /// What is expected, for errors.
    pub wanted: &'static str,
}

impl Ask {
    pub(crate) fn new(url: Url, wanted: &'static str) -> Self {
        Self {
            url,
            headers: HeaderMap::new(),
            authorization: None,
            wanted,
        }
    }
}

/// An answer that was read whole.
pub(crate) struct Answer {
    /// Where it came from, redirects followed.
    pub url: Url,
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }

    /// The error this answer is; `hint` is what to do about it, appended as it is.
    pub(crate) fn refused(&self, hint: &str) -> HttpError {
        HttpError::Status {
            url: shown(&self.url),
            status: self.status,
            said: said(&self.headers, &self.body),
            hint: hint.to_owned(),
        }
    }

    /// Refuses a web page where data is wanted.
    pub(crate) fn no_page(&self, wanted: &'static str) -> Result<(), HttpError> {
        if is_page(&self.headers, &self.body) {
            return Err(HttpError::WebPage {
                url: shown(&self.url),
                wanted,
            });
        }
        Ok(())
    }
}

impl Http {
    pub(crate) fn new(settings: HttpSettings) -> Self {
        Self {
            settings,
            clients: Mutex::default(),
        }
    }

    fn client(&self, reach: &Reach, host: &str, with_identity: bool) -> Result<Client, HttpError> {
        let needs = TlsNeeds {
            authority_pem: reach
                .authorities
                .iter()
                .find(|(h, _)| h.eq_ignore_ascii_case(host))
                .map(|(_, pem)| pem.as_str()),
            insecure: reach.insecure,
            identity: reach
                .identity
                .as_ref()
                .filter(|_| with_identity)
                .map(|(chain, key)| (chain.expose().as_str(), key.expose().as_str())),
        };
        let key = client_key(&needs, reach);
        if let Some(known) = self.clients.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(known.clone());
        }
        let mut builder = Client::builder()
            .tls_backend_preconfigured(client_config(&needs)?)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .connect_timeout(self.settings.connect)
            .pool_idle_timeout(Duration::from_secs(60))
            .user_agent(concat!("pintle/", env!("CARGO_PKG_VERSION")));
        if let Some(proxy) = &reach.proxy {
            let unusable = |message: String| HttpError::Material {
                field: "proxy",
                message,
            };
            let proxy = Proxy::all(proxy.expose().as_str())
                // Its text may quote the URL, which may hold a password.
                .map_err(|_| unusable("it is no URL of an HTTP proxy".into()))?
                .no_proxy(NoProxy::from_string(&reach.no_proxy));
            builder = builder.proxy(proxy);
        } else if !self.settings.environment_proxy {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|e| HttpError::Material {
            field: "TLS or proxy setting",
            message: e.without_url().to_string(),
        })?;
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if clients.len() >= MAX_CLIENTS {
            clients.clear();
        }
        clients.insert(key, client.clone());
        Ok(client)
    }
}

fn client_key(needs: &TlsNeeds<'_>, reach: &Reach) -> [u8; 32] {
    let mut digest = Sha256::new();
    let (chain, key) = needs.identity.unwrap_or_default();
    let proxy = reach.proxy.as_ref().map_or("", |p| p.expose().as_str());
    for part in [
        needs.authority_pem.unwrap_or_default(),
        chain,
        key,
        proxy,
        &reach.no_proxy,
    ] {
        digest.update(part.len().to_le_bytes());
        digest.update(part);
    }
    digest.update([u8::from(needs.insecure)]);
    digest.finalize().into()
}

impl Session {
    /// Whether credentials may go to a URL.
    pub(crate) fn may_carry(&self, url: &Url) -> bool {
        let downgrade = self.home.scheme() == "https" && url.scheme() != "https";
        same_origin(&self.home, url) || (self.pass_credentials && !downgrade)
    }

    /// Asks for something that fits into memory. Statuses that pass by themselves are retried; every other one is the caller's to judge.
    pub(crate) async fn get(&self, ask: &Ask, limit: u64) -> Result<Answer, HttpError> {
        let within = self.http.settings.request;
        let deadline = Instant::now() + within;
        let work = async {
            let mut attempt = 1;
            loop {
                let tried = self.attempt(ask, limit).await;
                let last = attempt >= self.http.settings.attempts;
                match (&tried, self.pause_after(&tried, attempt, deadline)) {
                    (Ok(answer), _) if !error::is_passing(answer.status) => return tried,
                    (Err(e), _) if !e.is_retryable() => return tried,
                    (_, Some(pause)) if !last => tokio::time::sleep(pause).await,
                    (Ok(answer), _) => return Err(self.gave_up(answer)),
                    (Err(_), _) => return tried,
                }
                attempt += 1;
            }
        };
        match tokio::time::timeout_at(deadline, work).await {
            Ok(done) => done,
            Err(_) => Err(HttpError::TimedOut {
                url: shown(&ask.url),
                after: within,
            }),
        }
    }

    async fn attempt(&self, ask: &Ask, limit: u64) -> Result<Answer, HttpError> {
        let (response, url) = self.send(ask).await?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let limit = if status < 400 { limit } else { MAX_ERROR_BODY };
        let body = self.read(response, &url, limit, ask.wanted).await;
        let body = match body {
            // The status says enough; its text is a courtesy.
            Err(_) if status >= 400 => Vec::new(),
            body => body?,
        };
        Ok(Answer {
            url,
            status,
            headers,
            body,
        })
    }

    /// Sends one request and follows its redirects, looking at each hop anew who may see what.
    pub(crate) async fn send(&self, ask: &Ask) -> Result<(Response, Url), HttpError> {
        let mut url = ask.url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let carry = self.may_carry(&url);
            let client = self
                .http
                .client(&self.reach, url.host_str().unwrap_or_default(), carry)?;
            let mut request = client.get(url.clone()).headers(ask.headers.clone());
            if let Some(authorization) = ask.authorization.as_ref().filter(|_| carry) {
                request = request.header(AUTHORIZATION, authorization.clone());
            }
            let stall = self.http.settings.stall + self.http.settings.connect;
            let response = match tokio::time::timeout(stall, request.send()).await {
                Ok(sent) => sent.map_err(|e| HttpError::transport(&url, e))?,
                Err(_) => {
                    return Err(HttpError::TimedOut {
                        url: shown(&url),
                        after: stall,
                    });
                }
            };
            if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Ok((response, url));
            }
            url = redirected(&url, response.headers())?;
        }
        Err(HttpError::Redirect {
            url: shown(&ask.url),
            location: shown(&url),
            reason: "ten redirects were followed already",
        })
    }

    async fn read(
        &self,
        response: Response,
        url: &Url,
        limit: u64,
        wanted: &'static str,
    ) -> Result<Vec<u8>, HttpError> {
        let too_large = || HttpError::TooLarge {
            url: shown(url),
            wanted,
            limit,
        };
        let announced = response.content_length().unwrap_or(0);
        if announced > limit {
            return Err(too_large());
        }
        // What is announced is believed only up to 1 MiB; the rest is allocated as it comes.
        let mut body = Vec::with_capacity(usize::try_from(announced.min(1 << 20)).unwrap_or(0));
        let mut pieces = response.bytes_stream();
        let stall = self.http.settings.stall;
        loop {
            let Ok(piece) = tokio::time::timeout(stall, pieces.next()).await else {
                return Err(HttpError::TimedOut {
                    url: shown(url),
                    after: stall,
                });
            };
            let Some(piece) = piece else { return Ok(body) };
            let piece = piece.map_err(|e| HttpError::transport(url, e))?;
            if (body.len() + piece.len()) as u64 > limit {
                return Err(too_large());
            }
            body.extend_from_slice(&piece);
        }
    }

    /// How long to wait before the next attempt; `None` where waiting is of no use.
    fn pause_after(&self, tried: &Result<Answer, HttpError>, attempt: u32, deadline: Instant) -> Option<Duration> {
        let headers = tried.as_ref().ok().map(|a| &a.headers);
        let asked = headers.and_then(retry_after);
        self.pause(asked, attempt, deadline)
    }

    fn pause(&self, asked: Option<Duration>, attempt: u32, deadline: Instant) -> Option<Duration> {
        let settings = &self.http.settings;
        let own = settings
            .pause
            .saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1)));
        let pause = asked.unwrap_or(own).max(own);
        let left = deadline.saturating_duration_since(Instant::now());
        (pause <= settings.longest_pause && pause < left).then_some(pause)
    }

    fn gave_up(&self, answer: &Answer) -> HttpError {
        answer.refused(&passing_hint(answer.status, &answer.headers))
    }
}

fn passing_hint(status: u16, headers: &HeaderMap) -> String {
    match (status, retry_after(headers)) {
        (_, Some(wait)) => format!(
            "; it asks to come back in {} s, and is asked again later",
            wait.as_secs()
        ),
        (429, None) => "; it is asked too often, and is asked again later; credentials usually raise the limit".into(),
        _ => "; the server is not well, and is asked again later".into(),
    }
}

/// Where a redirect leads.
fn redirected(from: &Url, headers: &HeaderMap) -> Result<Url, HttpError> {
    let location = headers.get(LOCATION).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let refused = |location: &str, reason| HttpError::Redirect {
        url: shown(from),
        location: location.chars().take(MAX_SAID_CHARS).collect(),
        reason,
    };
    if location.is_empty() {
        return Err(refused("", "it has no Location"));
    }
    let to = from
        .join(location)
        .map_err(|_| refused(location.split('?').next().unwrap_or_default(), "it is no URL"))?;
    match to.scheme() {
        "http" | "https" => Ok(to),
        _ => Err(refused(&shown(&to), "only http and https are spoken")),
    }
}

/// What `Retry-After` asks for: seconds, or a date, which is taken against the server's own clock.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = |text: &str| jiff::fmt::rfc2822::parse(text).ok().map(|z| z.timestamp());
    let until = date(text)?;
    let now = date(headers.get(reqwest::header::DATE)?.to_str().ok()?)?;
    Duration::try_from(until.duration_since(now)).ok()
}

/// Whether a body is a page for people.
pub(crate) fn is_page(headers: &HeaderMap, body: &[u8]) -> bool {
    let start: Vec<u8> = body
        .iter()
        .copied()
        .skip_while(|b| b.is_ascii_whitespace() || matches!(b, 0xEF | 0xBB | 0xBF))
        .take(14)
        .collect();
    let start = String::from_utf8_lossy(&start).to_ascii_lowercase();
    // The type alone does not tell: some servers send everything as text/html.
    let typed = headers
        .get(reqwest::header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|t| t.trim_start().starts_with("text/html"));
    start.starts_with("<!doctype html") || start.starts_with("<html") || (typed && start.starts_with('<'))
}

/// What a server said about its refusal, in a line: readable text only, and never a page.
fn said(headers: &HeaderMap, body: &[u8]) -> String {
    if is_page(headers, body) {
        return "with a web page".into();
    }
    let Ok(text) = std::str::from_utf8(body) else {
        return String::new();
    };
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().any(char::is_control) {
        return String::new();
    }
    match text.char_indices().nth(MAX_SAID_CHARS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
