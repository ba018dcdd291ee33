//! One repository of a registry.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::Url;
use reqwest::header::{ACCEPT, HeaderValue, LINK};
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use super::challenge::{Challenge, challenges};
use super::{Layer, Manifest, OciError};
use crate::chart::ChartError;
use crate::chart::access::{ChartAccess, bearer_header, same_origin};
use crate::chart::address::RegistryAddress;
use crate::chart::digest;
use crate::http::{Answer, Ask, Downloaded, Ended, HttpError, Session, shown};

/// The specification's smallest allowed maximum is 4 MiB, and registries refuse larger ones.
const MAX_MANIFEST: u64 = 4 << 20;
/// One page of 1,000 tags of 128 bytes is a tenth of this.
const MAX_TAG_PAGE: u64 = 2 << 20;
/// Registries with more tags than this are build logs; a range over them means nothing.
const MAX_TAGS: usize = 100_000;
const MAX_TAG_PAGES: usize = 1_000;
/// Tokens are a few KiB.
const MAX_TOKEN: u64 = 256 * 1024;
/// What the token specification says where a token service says nothing.
const TOKEN_LIFE: Duration = Duration::from_secs(60);

const MANIFEST_TYPES: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json, \
     application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json";

/// One repository of a registry, for one set of credentials.
pub(crate) struct Registry {
    session: Session,
    access: ChartAccess,
    address: RegistryAddress,
    /// What the last challenge was answered with, and until when it holds.
    authorization: Mutex<Option<(HeaderValue, Option<Instant>)>>,
}

/// A tag or a digest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Reference {
    Tag(String),
    Digest([u8; 32]),
}

impl Reference {
    /// Reads `sha256:…` or a version as a tag, where `+` is written `_`. `None` if no tag can be called so.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Some(digest) = digest::parse_named(text) {
            return Some(Self::Digest(digest));
        }
        let tag = text.replace('+', "_");
        let first = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let valid =
            tag.len() <= 128 && tag.starts_with(first) && tag.chars().all(|c| first(c) || matches!(c, '.' | '-'));
        valid.then_some(Self::Tag(tag))
    }

    fn text(&self) -> String {
        match self {
            Self::Tag(tag) => tag.clone(),
            Self::Digest(digest) => digest::named(digest),
        }
    }
}

#[derive(serde::Deserialize)]
struct TagList {
    // Registries write null for none.
    tags: Option<Vec<String>>,
}

#[derive(serde::Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<u64>,
}

impl Registry {
    pub(crate) fn new(session: Session, access: ChartAccess, address: RegistryAddress) -> Self {
        Self {
            session,
            access,
            address,
            authorization: Mutex::default(),
        }
    }

    pub(crate) fn address(&self) -> &RegistryAddress {
        &self.address
    }

    /// All tags, `_` read as `+`. `None` if there is no such repository.
    pub(crate) async fn tags(&self) -> Result<Option<Vec<String>>, ChartError> {
        const WANTED: &str = "a list of tags";
        let mut next = Some(self.url("tags/list?n=1000")?);
        let mut tags = Vec::new();
        let mut pages = 0;
        while let Some(url) = next {
            if pages >= MAX_TAG_PAGES || tags.len() > MAX_TAGS {
                return Err(OciError::TooManyTags {
                    url: self.address.shown(),
                    seen: tags.len(),
                    pages,
                }
                .into());
            }
            let answer = self.get(&url, "application/json", WANTED, MAX_TAG_PAGE).await?;
            match answer.status {
                200 => {}
                404 => return Ok(None),
                _ => return Err(self.refused(&answer).into()),
            }
            answer.no_page(WANTED)?;
            let page: TagList = serde_json::from_slice(&answer.body).map_err(|e| OciError::Answer {
                url: shown(&answer.url),
                wanted: "list of tags",
                message: e.to_string(),
            })?;
            tags.extend(
                page.tags
                    .unwrap_or_default()
                    .into_iter()
                    .map(|tag| tag.replace('_', "+")),
            );
            pages += 1;
            next = self.next_page(&url, &answer)?;
        }
        Ok(Some(tags))
    }

    /// A manifest; `None` if there is none of that name.
    pub(crate) async fn manifest(&self, reference: &Reference) -> Result<Option<Manifest>, ChartError> {
        const WANTED: &str = "a manifest";
        let url = self.url(&format!("manifests/{}", reference.text()))?;
        let answer = self.get(&url, MANIFEST_TYPES, WANTED, MAX_MANIFEST).await?;
        match answer.status {
            200 => {}
            404 => return Ok(None),
            _ => return Err(self.refused(&answer).into()),
        }
        answer.no_page(WANTED)?;
        let got: [u8; 32] = Sha256::digest(&answer.body).into();
        let announced = answer.header("docker-content-digest").and_then(digest::parse_named);
        let asked = match reference {
            Reference::Digest(digest) => Some(*digest),
            Reference::Tag(_) => None,
        };
        for expected in [asked, announced].into_iter().flatten() {
            if expected != got {
                return Err(OciError::ManifestDigest {
                    url: shown(&answer.url),
                    expected: digest::named(&expected),
                    got: digest::named(&got),
                }
                .into());
            }
        }
        Ok(Some(Manifest::parse(&answer.body, got, &self.shown(reference))?))
    }

    /// Downloads a layer; the caller compares the digest.
    pub(crate) async fn blob(&self, layer: &Layer, file: &tempfile::NamedTempFile) -> Result<Downloaded, ChartError> {
        let url = self.url(&format!("blobs/{}", digest::named(&layer.digest)))?;
        let mut ask = Ask::new(url, "a layer");
        ask.authorization = self.current()?;
        let mut answered = false;
        loop {
            let file = file.reopen().map_err(|e| {
                ChartError::Http(HttpError::Local {
                    url: shown(&ask.url),
                    message: e.to_string(),
                })
            })?;
            let ended = self
                .session
                .download(&ask, tokio::fs::File::from_std(file), layer.size, true)
                .await?;
            match ended {
                Ended::Whole(downloaded) => return Ok(downloaded),
                Ended::Refused(answer) if answer.status == 401 && !answered => {
                    ask.authorization = self.answer_challenge(&answer).await?;
                    answered = true;
                }
                Ended::Refused(answer) => return Err(self.refused(&answer).into()),
            }
        }
    }

    /// For people.
    pub(crate) fn shown(&self, reference: &Reference) -> String {
        match reference {
            Reference::Tag(tag) => format!("{}:{tag}", self.address.shown()),
            Reference::Digest(digest) => format!("{}@{}", self.address.shown(), digest::named(digest)),
        }
    }

    fn url(&self, what: &str) -> Result<Url, ChartError> {
        let path = format!("v2/{}/{what}", self.address.repository);
        self.address.base.join(&path).map_err(|_| ChartError::ArchiveUrl {
            url: self.address.shown(),
            written: path,
        })
    }

    async fn get(
        &self,
        url: &Url,
        accept: &'static str,
        wanted: &'static str,
        limit: u64,
    ) -> Result<Answer, ChartError> {
        let mut ask = Ask::new(url.clone(), wanted);
        ask.headers.insert(ACCEPT, HeaderValue::from_static(accept));
        ask.authorization = self.current()?;
        let answer = self.session.get(&ask, limit).await?;
        if answer.status != 401 {
            return Ok(answer);
        }
        ask.authorization = self.answer_challenge(&answer).await?;
        Ok(self.session.get(&ask, limit).await?)
    }

    /// What to send without being asked.
    fn current(&self) -> Result<Option<HeaderValue>, HttpError> {
        if let Some(bearer) = self.access.bearer()? {
            return Ok(Some(bearer));
        }
        let mut known = self.authorization.lock().unwrap_or_else(PoisonError::into_inner);
        match &*known {
            Some((value, until)) if until.is_none_or(|until| until > Instant::now()) => return Ok(Some(value.clone())),
            Some(_) => *known = None,
            None => {}
        }
        if self.access.forces_basic() {
            return self.access.basic();
        }
        Ok(None)
    }

    /// What a 401 asks for. An error where it cannot be given.
    async fn answer_challenge(&self, refused: &Answer) -> Result<Option<HeaderValue>, ChartError> {
        *self.authorization.lock().unwrap_or_else(PoisonError::into_inner) = None;
        // A store that a blob was redirected to has no business asking who we are.
        if !same_origin(&refused.url, &self.session.home) || self.access.bearer()?.is_some() {
            return Err(self.refused(refused).into());
        }
        let offered = challenges(&refused.headers);
        let basic = self.access.basic()?;
        let bearer = offered.iter().find_map(|challenge| match challenge {
            Challenge::Bearer { realm, service, scope } => Some((realm, service.as_deref(), scope.as_deref())),
            Challenge::Basic => None,
        });
        let answer = match (bearer, basic) {
            (Some((realm, service, scope)), basic) => self.token(realm, service, scope, basic).await?,
            (None, Some(basic)) if offered.contains(&Challenge::Basic) => (basic, None),
            _ => return Err(self.refused(refused).into()),
        };
        let value = answer.0.clone();
        *self.authorization.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        Ok(Some(value))
    }

    /// Gets a token. The session sends the credentials along only where they may go; elsewhere this asks anonymously, which is enough for
    /// what is public.
    async fn token(
        &self,
        realm: &str,
        service: Option<&str>,
        scope: Option<&str>,
        basic: Option<HeaderValue>,
    ) -> Result<(HeaderValue, Option<Instant>), ChartError> {
        const WANTED: &str = "a token";
        let refused = |reason| OciError::Realm {
            url: self.address.shown(),
            realm: realm.split('?').next().unwrap_or_default().chars().take(200).collect(),
            reason,
        };
        let mut url = Url::parse(realm).map_err(|_| refused("it is no URL"))?;
        match (url.scheme(), self.address.base.scheme()) {
            ("https", _) | ("http", "http") => {}
            ("http", _) => return Err(refused("the registry speaks TLS and the token service does not").into()),
            _ => return Err(refused("only http and https are spoken").into()),
        }
        let own = format!("repository:{}:pull", self.address.repository);
        url.query_pairs_mut().append_pair("scope", scope.unwrap_or(&own));
        if let Some(service) = service {
            url.query_pairs_mut().append_pair("service", service);
        }
        let mut ask = Ask::new(url, WANTED);
        ask.authorization = basic;
        let asked = Instant::now();
        let answer = self.session.get(&ask, MAX_TOKEN).await?;
        if answer.status != 200 {
            return Err(answer.refused(&self.hint(answer.status, Some(&ask.url))).into());
        }
        answer.no_page(WANTED)?;
        let wrong = |message: String| OciError::Answer {
            url: shown(&answer.url),
            wanted: "token",
            message,
        };
        // The parser's own message would quote from an answer that holds a secret.
        let token: Token = serde_json::from_slice(&answer.body)
            .map_err(|e| wrong(format!("no JSON object at line {}, column {}", e.line(), e.column())))?;
        let life = token.expires_in.map_or(TOKEN_LIFE, Duration::from_secs);
        let text = token
            .token
            .filter(|t| !t.is_empty())
            .or(token.access_token)
            .ok_or_else(|| wrong("it holds neither token nor access_token".into()))?;
        // A tenth less: clocks differ, and the answer took time.
        let until = asked.checked_add(life.mul_f32(0.9).min(Duration::from_secs(24 * 3600)));
        Ok((bearer_header(&text)?, until))
    }

    /// The error a status is.
    fn refused(&self, answer: &Answer) -> HttpError {
        let realm = challenges(&answer.headers)
            .into_iter()
            .find_map(|challenge| match challenge {
                Challenge::Bearer { realm, .. } => Url::parse(&realm).ok(),
                Challenge::Basic => None,
            });
        answer.refused(&self.hint(answer.status, realm.as_ref()))
    }

    /// What to do about a refusal; `realm` is the token service, if there is one.
    fn hint(&self, status: u16, realm: Option<&Url>) -> String {
        if !matches!(status, 401 | 403) {
            return String::new();
        }
        let credentials = !matches!((self.access.basic(), self.access.bearer()), (Ok(None), Ok(None)));
        match realm.filter(|realm| !self.session.may_carry(realm)) {
            _ if !credentials => {
                "; the registry wants credentials: add them with a repository Secret with enableOCI (`pintle repo add`)"
                    .into()
            }
            Some(realm) => format!(
                "; its token service is on another host ({}), which gets the credentials only with `passCredentials: true`",
                realm.host_str().unwrap_or_default()
            ),
            None => {
                "; check username and password in the repository Secret, and that they may read this repository".into()
            }
        }
    }

    /// Where the `Link` header says that the list goes on.
    fn next_page(&self, from: &Url, answer: &Answer) -> Result<Option<Url>, OciError> {
        let links = answer.headers.get_all(LINK).iter().filter_map(|v| v.to_str().ok());
        for link in links.flat_map(|v| v.split(',')) {
            let mut parts = link.split(';').map(str::trim);
            let target = parts.next().and_then(|t| t.strip_prefix('<')?.strip_suffix('>'));
            let is_next = parts.any(|p| matches!(p, "rel=\"next\"" | "rel=next"));
            let Some(target) = target.filter(|_| is_next) else {
                continue;
            };
            let elsewhere = || OciError::TagsElsewhere {
                url: self.address.shown(),
                next: target.split('?').next().unwrap_or_default().chars().take(200).collect(),
            };
            let next = from.join(target).map_err(|_| elsewhere())?;
            if !same_origin(&next, from) {
                return Err(elsewhere());
            }
            return Ok(Some(next));
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_tags_with_an_underscore() {
        assert_eq!(Reference::parse("1.2.3+b.1"), Some(Reference::Tag("1.2.3_b.1".into())));
        assert_eq!(
            Reference::parse(&format!("sha256:{}", "0a".repeat(32))),
            Some(Reference::Digest([0x0a; 32]))
        );
        for no in ["^1.2", ">=1, <2", "", "a/b", "-x", "..", "1 - 2", "x?y"] {
            assert_eq!(Reference::parse(no), None, "{no}");
        }
    }
}
