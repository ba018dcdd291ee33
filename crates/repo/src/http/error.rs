//! Why a server gave nothing usable.

use std::error::Error as _;
use std::time::Duration;

use reqwest::Url;

/// Why a server gave nothing usable. URLs in it hold neither user nor password nor query: signed URLs are secrets too.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// No connection, or it broke.
    #[error("{url}: {message}")]
    Transport {
        /// What was asked for.
        url: String,
        /// What went wrong, innermost cause last.
        message: String,
    },
    /// Nothing, or not everything, in time.
    #[error(
        "{url}: no complete answer within {after:?}; the server may hang, or a proxy or firewall drops the connection"
    )]
    TimedOut {
        /// What was asked for.
        url: String,
        /// The deadline that passed.
        after: Duration,
    },
    /// A status that is no success.
    #[error("{url}: the server answered {status}{}{hint}", if .said.is_empty() { String::new() } else { format!(" ({})", .said) })]
    Status {
        /// What was asked for.
        url: String,
        /// The status.
        status: u16,
        /// What the server said in a line, if it said something readable.
        said: String,
        /// What to do about it, with what joins it to the rest; may be empty.
        hint: String,
    },
    /// 200 with a page for people: a login page, a proxy's excuse, the wrong path.
    #[error(
        "{url}: the server answered with a web page (HTML) instead of {wanted}; check the URL, and whether a login page or proxy stands before it"
    )]
    WebPage {
        /// What was asked for.
        url: String,
        /// What was expected.
        wanted: &'static str,
    },
    /// More than is allowed.
    #[error("{url}: more than {limit} bytes, which is the limit for {wanted}")]
    TooLarge {
        /// What was asked for.
        url: String,
        /// What was expected.
        wanted: &'static str,
        /// The limit in bytes.
        limit: u64,
    },
    /// A redirect that is not followed.
    #[error("{url}: redirects to {location:?}, which is not followed: {reason}")]
    Redirect {
        /// Who redirected.
        url: String,
        /// Where to.
        location: String,
        /// Why not.
        reason: &'static str,
    },
    /// The body ended early more often than it is worth trying.
    #[error("{url}: the download broke off {attempts} times, the last time after {received} bytes: {message}")]
    Broken {
        /// What was asked for.
        url: String,
        /// Bytes that had come by then.
        received: u64,
        /// How often it was tried.
        attempts: u32,
        /// What went wrong the last time.
        message: String,
    },
    /// A certificate, key or proxy from a Secret or ConfigMap that cannot be used.
    #[error("the {field} cannot be used: {message}")]
    Material {
        /// Which one, such as `tlsClientCertData`.
        field: &'static str,
        /// Why, without its content.
        message: String,
    },
    /// The local disk.
    #[error("cannot keep the download of {url}: {message}")]
    Local {
        /// What was asked for.
        url: String,
        /// What the system said.
        message: String,
    },
}

impl HttpError {
    /// Whether trying again later may help without anyone changing anything.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Transport { .. } | Self::TimedOut { .. } | Self::Broken { .. } | Self::Local { .. } => true,
            Self::Status { status, .. } => is_passing(*status),
            Self::WebPage { .. } | Self::TooLarge { .. } | Self::Redirect { .. } | Self::Material { .. } => false,
        }
    }

    /// The status, if that is what is wrong.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// From the client, with its causes in one line.
    pub(crate) fn transport(url: &Url, error: reqwest::Error) -> Self {
        // The client's own text names the URL, with what must not be shown.
        let error = error.without_url();
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            let text = inner.to_string();
            if !message.ends_with(&text) {
                message.push_str(": ");
                message.push_str(&text);
            }
            cause = inner.source();
        }
        if message.contains("UnknownIssuer") {
            message.push_str(
                "; add the authority to argocd-tls-certs-cm under the host name, or set `insecure` in the repository Secret",
            );
        }
        Self::Transport {
            url: shown(url),
            message,
        }
    }
}

/// Statuses that pass by themselves: asked too often, or the server is not well.
pub(crate) fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
}

/// A URL for people and logs.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    // Fails for URLs that cannot have a user, which then have none.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    let query = url.query().is_some();
    url.set_query(None);
    url.set_fragment(None);
    if query { format!("{url}?…") } else { url.to_string() }
}
