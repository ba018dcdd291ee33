//! A large body into a file: bounded, hashed on the way, and taken up again where it broke off.

use futures_util::StreamExt as _;
use reqwest::Response;
use reqwest::header::{CONTENT_RANGE, ETAG, HeaderMap, HeaderValue, IF_RANGE, LAST_MODIFIED, RANGE};
use sha2::{Digest as _, Sha256};
use tokio::fs::File;
use tokio::io::{AsyncSeekExt as _, AsyncWriteExt as _};
use tokio::time::Instant;

use super::{Answer, Ask, HttpError, MAX_ERROR_BODY, Session, error, is_page, passing_hint, retry_after, shown};

/// A body that was written whole.
pub(crate) struct Downloaded {
    /// Its digest.
    pub sha256: [u8; 32],
    /// The first bytes, by which kinds of files are told apart.
    pub start: Vec<u8>,
}

/// How a download ended that did not fail.
pub(crate) enum Ended {
    Whole(Downloaded),
    /// A status that is the caller's to judge: 401, 404, ….
    Refused(Answer),
}

/// What has come so far.
struct Progress {
    file: File,
    received: u64,
    digest: Sha256,
    start: Vec<u8>,
    /// What tells this version of the body from another: without it a broken download starts anew, for two versions must not be mixed.
    validator: Option<HeaderValue>,
}

impl Progress {
    async fn restart(&mut self) -> std::io::Result<()> {
        self.file.set_len(0).await?;
        self.file.rewind().await?;
        self.received = 0;
        self.digest = Sha256::new();
        self.start.clear();
        Ok(())
    }
}

/// Why one attempt gave no whole body.
enum Broke {
    Retry(HttpError, Option<std::time::Duration>),
    Final(HttpError),
}

impl Session {
    /// Downloads into `file`, which is empty. A content-addressed body may be continued without a validator (`immutable`).
    pub(crate) async fn download(
        &self,
        ask: &Ask,
        file: File,
        limit: u64,
        immutable: bool,
    ) -> Result<Ended, HttpError> {
        let within = self.http.settings.download;
        let deadline = Instant::now() + within;
        match tokio::time::timeout_at(deadline, self.download_attempts(ask, file, limit, immutable, deadline)).await {
            Ok(done) => done,
            Err(_) => Err(HttpError::TimedOut {
                url: shown(&ask.url),
                after: within,
            }),
        }
    }

    async fn download_attempts(
        &self,
        ask: &Ask,
        file: File,
        limit: u64,
        immutable: bool,
        deadline: Instant,
    ) -> Result<Ended, HttpError> {
        let mut progress = Progress {
            file,
            received: 0,
            digest: Sha256::new(),
            start: Vec::new(),
            validator: None,
        };
        let mut attempt = 1;
        loop {
            let (error, asked) = match self.download_once(ask, &mut progress, limit, immutable).await {
                Ok(ended) => return Ok(ended),
                Err(Broke::Final(error)) => return Err(error),
                Err(Broke::Retry(error, asked)) => (error, asked),
            };
            let pause = self.pause(asked, attempt, deadline);
            let Some(pause) = pause.filter(|_| attempt < self.http.settings.attempts) else {
                return Err(match error {
                    HttpError::Transport { message, .. } if progress.received > 0 => HttpError::Broken {
                        url: shown(&ask.url),
                        received: progress.received,
                        attempts: attempt,
                        message,
                    },
                    error => error,
                });
            };
            tokio::time::sleep(pause).await;
            attempt += 1;
        }
    }

    async fn download_once(
        &self,
        ask: &Ask,
        progress: &mut Progress,
        limit: u64,
        immutable: bool,
    ) -> Result<Ended, Broke> {
        let local = |e: std::io::Error| {
            Broke::Final(HttpError::Local {
                url: shown(&ask.url),
                message: e.to_string(),
            })
        };
        if !immutable && progress.validator.is_none() {
            progress.restart().await.map_err(local)?;
        }
        let mut headers = ask.headers.clone();
        if progress.received > 0 {
            if let Ok(range) = HeaderValue::from_str(&format!("bytes={}-", progress.received)) {
                headers.insert(RANGE, range);
            }
            if let Some(validator) = &progress.validator {
                headers.insert(IF_RANGE, validator.clone());
            }
        }
        let part = Ask {
            url: ask.url.clone(),
            headers,
            authorization: ask.authorization.clone(),
            wanted: ask.wanted,
        };
        let (response, url) = self.send(&part).await.map_err(retry_if_useful)?;
        let status = response.status().as_u16();
        match status {
            206 if progress.received > 0 && begins_at(response.headers(), progress.received) => {}
            200 => {
                progress.restart().await.map_err(local)?;
                progress.validator = validator(response.headers());
            }
            // The server has another idea of the ranges: from the start, without one.
            206 | 416 if progress.received > 0 => {
                progress.restart().await.map_err(local)?;
                progress.validator = None;
                let error = HttpError::Transport {
                    url: shown(&url),
                    message: format!("the server answered {status} with another range than was asked for"),
                };
                return Err(Broke::Retry(error, None));
            }
            _ => {
                let headers = response.headers().clone();
                // The status says enough; its text is a courtesy.
                let body = self
                    .read(response, &url, MAX_ERROR_BODY, ask.wanted)
                    .await
                    .unwrap_or_default();
                let answer = Answer {
                    url,
                    status,
                    headers,
                    body,
                };
                if error::is_passing(status) {
                    let hint = passing_hint(status, &answer.headers);
                    return Err(Broke::Retry(answer.refused(&hint), retry_after(&answer.headers)));
                }
                return Ok(Ended::Refused(answer));
            }
        }
        let headers = response.headers().clone();
        self.pour(response, progress, &url, limit, ask.wanted).await?;
        progress.file.flush().await.map_err(local)?;
        if is_page(&headers, &progress.start) {
            return Err(Broke::Final(HttpError::WebPage {
                url: shown(&url),
                wanted: ask.wanted,
            }));
        }
        Ok(Ended::Whole(Downloaded {
            sha256: std::mem::take(&mut progress.digest).finalize().into(),
            start: std::mem::take(&mut progress.start),
        }))
    }

    async fn pour(
        &self,
        response: Response,
        progress: &mut Progress,
        url: &reqwest::Url,
        limit: u64,
        wanted: &'static str,
    ) -> Result<(), Broke> {
        /// Enough to tell an archive from a page.
        const START: usize = 64;
        let too_large = || {
            Broke::Final(HttpError::TooLarge {
                url: shown(url),
                wanted,
                limit,
            })
        };
        if progress.received.saturating_add(response.content_length().unwrap_or(0)) > limit {
            return Err(too_large());
        }
        let stall = self.http.settings.stall;
        let mut pieces = response.bytes_stream();
        loop {
            let piece = match tokio::time::timeout(stall, pieces.next()).await {
                Ok(None) => return Ok(()),
                Ok(Some(piece)) => piece.map_err(|e| retry_if_useful(HttpError::transport(url, e)))?,
                Err(_) => {
                    let error = HttpError::TimedOut {
                        url: shown(url),
                        after: stall,
                    };
                    return Err(Broke::Retry(error, None));
                }
            };
            if progress.received.saturating_add(piece.len() as u64) > limit {
                return Err(too_large());
            }
            progress.file.write_all(&piece).await.map_err(|e| {
                Broke::Final(HttpError::Local {
                    url: shown(url),
                    message: e.to_string(),
                })
            })?;
            progress.digest.update(&piece);
            progress.received += piece.len() as u64;
            let room = START.saturating_sub(progress.start.len());
            progress.start.extend(piece.iter().take(room));
        }
    }
}

fn retry_if_useful(error: HttpError) -> Broke {
    if error.is_retryable() {
        Broke::Retry(error, None)
    } else {
        Broke::Final(error)
    }
}

/// A strong ETag, or else a date: what `If-Range` accepts.
fn validator(headers: &HeaderMap) -> Option<HeaderValue> {
    let strong = headers.get(ETAG).filter(|v| !v.as_bytes().starts_with(b"W/"));
    strong.or_else(|| headers.get(LAST_MODIFIED)).cloned()
}

/// Whether `Content-Range: bytes N-…` begins where the file ends.
fn begins_at(headers: &HeaderMap, offset: u64) -> bool {
    headers
        .get(CONTENT_RANGE)
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.strip_prefix("bytes "))
        .and_then(|v| v.split_once('-'))
        .and_then(|(from, _)| from.trim().parse::<u64>().ok())
        == Some(offset)
}
