//! Fetching an index, and where an archive is.

use std::sync::Arc;

use reqwest::Url;
use reqwest::header::{ETAG, HeaderMap, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};

use super::{Index, IndexError};
use crate::chart::ChartError;
use crate::chart::access::ChartAccess;
use crate::chart::slot::Slot;
use crate::http::{Ask, Session, shown};

const WANTED: &str = "an index of charts";

/// An index and what the server calls this version of it.
#[derive(Clone)]
pub(crate) struct KnownIndex {
    pub index: Arc<Index>,
    etag: Option<HeaderValue>,
    modified: Option<HeaderValue>,
}

pub(crate) type IndexSlot = Slot<KnownIndex>;

/// Fetches the index of a repository, or learns that `known` still holds.
pub(crate) async fn fetch_index(
    session: &Session,
    access: &ChartAccess,
    limit: u64,
    known: Option<&KnownIndex>,
) -> Result<KnownIndex, ChartError> {
    let url = below(&session.home, "index.yaml")?;
    let mut ask = Ask::new(url, WANTED);
    ask.authorization = match access.bearer()? {
        Some(bearer) => Some(bearer),
        None => access.basic()?,
    };
    if let Some(known) = known {
        conditions(&mut ask.headers, known);
    }
    let answer = session.get(&ask, limit).await?;
    match (answer.status, known) {
        (304, Some(known)) => return Ok(known.clone()),
        (200, _) => {}
        (401 | 403, _) if ask.authorization.is_none() => {
            let hint = "; the repository wants credentials: add them with a repository Secret of type helm (`pintle repo add`)";
            return Err(answer.refused(hint).into());
        }
        (401 | 403, _) => {
            return Err(answer
                .refused("; check username and password in the repository Secret")
                .into());
        }
        (404, _) => {
            let hint = "; there is no index.yaml, so this is no chart repository: check the URL, and write oci:// in front of a registry";
            return Err(answer.refused(hint).into());
        }
        _ => return Err(answer.refused("").into()),
    }
    answer.no_page(WANTED)?;
    let kept = |name| answer.headers.get(name).cloned();
    let (etag, modified, from) = (kept(ETAG), kept(LAST_MODIFIED), shown(&answer.url));
    let body = answer.body;
    // Parsing takes seconds for the largest ones: not on a thread that serves others.
    let parsed = tokio::task::spawn_blocking(move || Index::parse(&body))
        .await
        .map_err(|_| ChartError::Stopped)?;
    let index = parsed.map_err(|reason: IndexError| ChartError::Index { url: from, reason })?;
    Ok(KnownIndex {
        index: Arc::new(index),
        etag,
        modified,
    })
}

fn conditions(headers: &mut HeaderMap, known: &KnownIndex) {
    if let Some(etag) = &known.etag {
        headers.insert(IF_NONE_MATCH, etag.clone());
    } else if let Some(modified) = &known.modified {
        headers.insert(IF_MODIFIED_SINCE, modified.clone());
    }
}

/// Where an archive of the index is. As Helm does: relative to the repository as to a directory, whose query it inherits.
pub(crate) fn archive_url(home: &Url, written: &str) -> Result<Url, ChartError> {
    if let Ok(absolute) = Url::parse(written) {
        return Ok(absolute);
    }
    below(home, written)
}

fn below(home: &Url, relative: &str) -> Result<Url, ChartError> {
    let mut base = home.clone();
    if !base.path().ends_with('/') {
        base.set_path(&format!("{}/", base.path()));
    }
    let mut url = base.join(relative).map_err(|_| ChartError::ArchiveUrl {
        url: shown(home),
        written: relative.chars().take(200).collect(),
    })?;
    if url.query().is_none() {
        url.set_query(home.query());
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_are_found_as_helm_finds_them() {
        for (home, written, url) in [
            ("https://h/charts", "a-1.tgz", "https://h/charts/a-1.tgz"),
            ("https://h/charts/", "sub/a-1.tgz", "https://h/charts/sub/a-1.tgz"),
            ("https://h/charts", "/a-1.tgz", "https://h/a-1.tgz"),
            ("https://h/charts?k=v", "a.tgz", "https://h/charts/a.tgz?k=v"),
            ("https://h/charts", "https://cdn/a.tgz?s=1", "https://cdn/a.tgz?s=1"),
            ("https://h/charts", "//cdn/a.tgz", "https://cdn/a.tgz"),
        ] {
            assert_eq!(archive_url(&Url::parse(home).unwrap(), written).unwrap().as_str(), url);
        }
    }
}
