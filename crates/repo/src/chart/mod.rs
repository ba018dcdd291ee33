//! Charts from repositories and registries: which versions there are, which one a revision means, and its archive.
//!
//! ```text
//! ChartRef ─> Address (door) ─┬─> index.yaml (helmrepo) ─┬─> Resolved ─> archive, by digest from disk or from the server
//!                             └─> tags, manifest (oci) ──┘
//! ```
//!
//! Nothing is unpacked here. Invariants: an archive with a promised digest is given out only with that digest; what one project's credentials
//! brought here is given to that project only; everything that is kept is bounded, and losing it costs time only.

pub(crate) mod access;
pub(crate) mod address;
mod bounded;
mod cache;
pub(crate) mod digest;
mod error;
pub(crate) mod slot;
mod version;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use reqwest::Url;
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;
use tokio::time::Instant;

pub use access::ChartAccess;
pub use address::AddressRefused;
pub use error::ChartError;

use crate::credential::CredentialBook;
use crate::helmrepo::{IndexSlot, archive_url, fetch_index};
use crate::http::{Ask, Ended, Http, HttpSettings, Session, shown};
use crate::oci::{Layer, Manifest, Reference, Registry};
use access::normalize;
use address::{Address, RegistryAddress};
use bounded::Bounded;
use cache::{DiskCache, Key};
use slot::{Entered, Slot};
pub(crate) use version::is_whole;

/// Indexes kept; each takes some MB at most. Past that the least used goes.
const MAX_INDEXES: usize = 64;
/// Repositories of registries, lists of tags, manifests, archives in flight: some KB each at most.
const MAX_KEPT: usize = 2_000;
/// Single files kept, each at most as large as its caller allows.
const MAX_FILES: usize = 200;
/// Archives downloaded at once; more only share the same line.
const DOWNLOADS: usize = 8;
/// How long an archive stands for its URL where the index promises no digest: the peer keeps charts that long.
const UNPINNED_AGE: Duration = Duration::from_secs(24 * 3600);

/// How long lists of versions are believed by default (the peer's revision cache expiration): callers pass `now` less this as `not_before`.
pub const REVISION_CACHE: Duration = Duration::from_secs(3 * 60);

/// Limits and deadlines.
#[derive(Clone, Debug)]
pub struct ChartSettings {
    /// Deadlines and retries.
    pub http: HttpSettings,
    /// The largest index in bytes (`--helm-registry-max-index-size`, 1 GiB).
    pub max_index_bytes: u64,
    /// The largest archive in bytes, packed. 256 MiB: what is unpacked is bounded by its reader.
    pub max_archive_bytes: u64,
    /// What archives may take on disk, in bytes.
    pub cache_bytes: u64,
    /// Layers that are read where the URL names an artifact of a registry rather than a chart (`--oci-layer-media-types`).
    pub oci_layer_media_types: Vec<String>,
}

impl Default for ChartSettings {
    fn default() -> Self {
        Self {
            http: HttpSettings::default(),
            max_index_bytes: 1 << 30,
            max_archive_bytes: 256 << 20,
            cache_bytes: 2 << 30,
            oci_layer_media_types: [
                "application/vnd.oci.image.layer.v1.tar",
                "application/vnd.oci.image.layer.v1.tar+gzip",
                "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
            ]
            .map(String::from)
            .to_vec(),
        }
    }
}

/// A chart of a repository, on behalf of a project.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ChartRef {
    /// Chart repository or registry: `https://…`, `oci://…`, or a registry without a scheme whose Secret says `enableOCI`.
    pub repo_url: String,
    /// Name of the chart. Empty means that the URL names an artifact of a registry itself [F4.9].
    pub chart: String,
    /// Project on whose behalf it is fetched; chooses the Secret.
    pub project: String,
    /// Whether credentials also go to other hosts that the repository names.
    pub pass_credentials: bool,
}

impl ChartRef {
    /// An archive at a URL of its own, which no index lists: nothing promises its version or digest. [`Charts::fetch`] it with this reference,
    /// whose `repo_url` chooses the credentials.
    pub fn archive(&self) -> Result<Resolved, ChartError> {
        let url = Url::parse(&self.repo_url).map_err(|_| AddressRefused::NoUrl(self.repo_url.clone()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(AddressRefused::Scheme(self.repo_url.clone()).into());
        }
        Ok(Resolved {
            version: String::new(),
            digest: None,
            pin: Pin::Archive { url, digest: None },
        })
    }
}

/// One version of a chart, pinned: fetching it later gives this one or an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The version as published. For an artifact named by digest, the digest.
    pub version: String,
    /// `sha256:…` of the manifest, or of the archive as the index promises it. `None` where an index promises nothing.
    pub digest: Option<String>,
    pin: Pin,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pin {
    Archive {
        url: Url,
        digest: Option<[u8; 32]>,
    },
    Layer {
        /// What its credentials are chosen by.
        repo_url: String,
        address: RegistryAddress,
        layer: Layer,
    },
}

/// Where the bytes of an archive come from.
#[derive(Clone, Copy)]
enum Origin<'a> {
    Server {
        session: &'a Session,
        access: &'a ChartAccess,
        url: &'a Url,
    },
    Registry {
        registry: &'a Registry,
        layer: &'a Layer,
    },
}

/// An archive, whole and verified. [`pintle_render`] unpacks it.
#[derive(Clone)]
pub struct ChartArchive {
    /// Its bytes.
    pub bytes: Arc<[u8]>,
    /// `sha256:…` of the bytes.
    pub digest: String,
    /// Version it was published as.
    pub version: String,
    /// Type of the layer it was; empty for archives of chart repositories, which are gzipped tar files.
    pub media_type: String,
}

/// What was done so far, for metrics and tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChartCounts {
    /// Indexes, lists of tags and manifests asked for.
    pub listings: u64,
    /// Archives downloaded.
    pub downloads: u64,
}

/// Every chart repository and registry this process knows. Cheap to clone.
#[derive(Clone)]
pub struct Charts {
    shared: Arc<Shared>,
}

type Fingerprint = [u8; 32];
/// What is kept per key, shared with those who wait for it.
type Kept<K, V> = Mutex<Bounded<K, Arc<V>>>;

struct Shared {
    settings: ChartSettings,
    http: Arc<Http>,
    book: RwLock<Arc<CredentialBook>>,
    disk: Arc<DiskCache>,
    indexes: Kept<(Url, Fingerprint), IndexSlot>,
    registries: Kept<(RegistryAddress, Fingerprint, bool), KnownRegistry>,
    /// Archives on their way, so that they are fetched once.
    downloads: Kept<(String, Fingerprint), Slot<[u8; 32]>>,
    /// Single files: values of charts, remote resources of kustomizations.
    files: Kept<Url, Slot<Arc<[u8]>>>,
    places: Semaphore,
    started: Instant,
    listings: AtomicU64,
    downloaded: AtomicU64,
}

/// A repository of a registry and what it said.
struct KnownRegistry {
    registry: Registry,
    tags: Slot<Option<Arc<[String]>>>,
    manifests: Kept<Reference, Slot<Option<Arc<Manifest>>>>,
}

impl Charts {
    /// Keeps archives below `directory`, which belongs to this process alone.
    pub fn new(directory: PathBuf, settings: ChartSettings) -> Self {
        Self {
            shared: Arc::new(Shared {
                http: Arc::new(Http::new(settings.http.clone())),
                book: RwLock::default(),
                disk: Arc::new(DiskCache::new(directory, settings.cache_bytes)),
                indexes: Mutex::new(Bounded::new(MAX_INDEXES)),
                registries: Mutex::new(Bounded::new(MAX_KEPT)),
                downloads: Mutex::new(Bounded::new(MAX_KEPT)),
                files: Mutex::new(Bounded::new(MAX_FILES)),
                places: Semaphore::new(DOWNLOADS),
                started: Instant::now(),
                listings: AtomicU64::new(0),
                downloaded: AtomicU64::new(0),
                settings,
            }),
        }
    }

    /// Replaces what is known about access; the next request uses it (I-23).
    pub fn set_credentials(&self, book: Arc<CredentialBook>) {
        *self.shared.book.write().unwrap_or_else(PoisonError::into_inner) = book;
    }

    /// What was done so far.
    pub fn counts(&self) -> ChartCounts {
        ChartCounts {
            listings: self.shared.listings.load(Ordering::Relaxed),
            downloads: self.shared.downloaded.load(Ordering::Relaxed),
        }
    }

    /// The names of the charts of a repository, sorted; registries cannot tell, which is `None`.
    pub async fn names(&self, of: &ChartRef, not_before: Instant) -> Result<Option<Vec<String>>, ChartError> {
        let (address, access) = self.address(of)?;
        let Address::Repository(home) = address else {
            return Ok(None);
        };
        let known = self.index(&home, &access, of.pass_credentials, not_before).await?;
        let mut names: Vec<String> = known.names().map(str::to_owned).collect();
        names.sort();
        Ok(Some(names))
    }

    /// The versions of a chart as listed, in no order, as of a listing that began at `not_before` or later.
    pub async fn versions(&self, of: &ChartRef, not_before: Instant) -> Result<Vec<String>, ChartError> {
        let (address, access) = self.address(of)?;
        match address {
            Address::Repository(home) => {
                let index = self.index(&home, &access, of.pass_credentials, not_before).await?;
                let entries = index.chart(&of.chart).ok_or_else(|| no_chart(of, index.names()))?;
                Ok(entries.iter().map(|e| e.version.to_string()).collect())
            }
            Address::Registry(address) => {
                let known = self.registry(&address, &access, of.pass_credentials);
                Ok(self.tags(&known, not_before).await?.to_vec())
            }
        }
    }

    /// Which version a revision means: exact, a digest (registries only), or the highest in a range.
    pub async fn resolve(&self, of: &ChartRef, revision: &str, not_before: Instant) -> Result<Resolved, ChartError> {
        let (address, access) = self.address(of)?;
        let home = match address {
            Address::Registry(address) => {
                let allowed = of.chart.is_empty();
                return self
                    .resolve_in_registry(
                        &of.repo_url,
                        address,
                        &access,
                        of.pass_credentials,
                        revision,
                        allowed,
                        not_before,
                    )
                    .await;
            }
            Address::Repository(home) => home,
        };
        let index = self.index(&home, &access, of.pass_credentials, not_before).await?;
        let entries = index.chart(&of.chart).ok_or_else(|| no_chart(of, index.names()))?;
        let versions = entries.iter().map(|e| &*e.version);
        let chosen = version::choose(versions.clone(), revision)
            .and_then(|chosen| entries.iter().find(|e| *e.version == *chosen))
            .ok_or_else(|| ChartError::NoVersion {
                url: shown(&home),
                chart: format!("chart {:?}", of.chart),
                revision: revision.to_owned(),
                existing: version::existing(versions),
            })?;
        let written = chosen.urls.first().map_or("", |url| &**url);
        if let Some(reference) = access::strip_oci(written) {
            // Some repositories list what a registry holds. Its digest is the manifest's or the archive's, nobody says which: the registry's own count.
            return self.resolve_listed(of, reference, &chosen.version, not_before).await;
        }
        let url = archive_url(&home, written)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(ChartError::ArchiveUrl {
                url: shown(&home),
                written: shown(&url),
            });
        }
        Ok(Resolved {
            version: chosen.version.to_string(),
            digest: chosen.digest.as_ref().map(digest::named),
            pin: Pin::Archive {
                url,
                digest: chosen.digest,
            },
        })
    }

    /// A single file at a URL, without credentials, as of a request that began at `not_before` or later. More than `limit` bytes, a web page,
    /// and any status but 200 are errors.
    pub async fn file(&self, url: &str, limit: u64, not_before: Instant) -> Result<Arc<[u8]>, ChartError> {
        let refused = || AddressRefused::NoUrl(url.to_owned());
        let parsed = Url::parse(url).map_err(|_| refused())?;
        if !matches!(parsed.scheme(), "http" | "https") {
            return Err(AddressRefused::Scheme(url.to_owned()).into());
        }
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(AddressRefused::Password.into());
        }
        let slot = lock(&self.shared.files).get_or(parsed.clone(), Arc::default);
        match slot.enter(not_before).await {
            Entered::Known(known) => known,
            Entered::Turn(turn) => {
                let access = self.access(url, "")?;
                let session = self.session(&parsed, &access, false);
                let ask = Ask::new(parsed, "a file");
                let loaded = async {
                    let answer = session.get(&ask, limit).await?;
                    if answer.status != 200 {
                        return Err(answer.refused("").into());
                    }
                    answer.no_page("a file")?;
                    Ok(Arc::from(answer.body))
                };
                turn.end(loaded.await)
            }
        }
    }

    /// The archive of a version that was resolved: from disk, or downloaded once for all who want it.
    pub async fn fetch(&self, of: &ChartRef, resolved: &Resolved) -> Result<ChartArchive, ChartError> {
        match &resolved.pin {
            Pin::Archive { url, digest } => {
                let (address, access) = self.address(of)?;
                let home = match address {
                    Address::Repository(home) => home,
                    Address::Registry(address) => address.base,
                };
                let session = self.session(&home, &access, of.pass_credentials);
                let scope = scope(&of.repo_url, &access);
                let key = format!("{url}\n{}", digest.map(|d| digest::named(&d)).unwrap_or_default());
                let from = Origin::Server {
                    session: &session,
                    access: &access,
                    url,
                };
                self.archive(resolved, key, *digest, scope, access.fingerprint(), from)
                    .await
            }
            Pin::Layer {
                repo_url,
                address,
                layer,
            } => {
                let access = self.access(repo_url, &of.project)?;
                let known = self.registry(address, &access, of.pass_credentials);
                let scope = scope(repo_url, &access);
                let key = format!("{}\n{}", address.shown(), digest::named(&layer.digest));
                let from = Origin::Registry {
                    registry: &known.registry,
                    layer,
                };
                self.archive(resolved, key, Some(layer.digest), scope, access.fingerprint(), from)
                    .await
            }
        }
    }

    async fn archive(
        &self,
        resolved: &Resolved,
        key: String,
        expected: Option<[u8; 32]>,
        scope: [u8; 32],
        fingerprint: Fingerprint,
        from: Origin<'_>,
    ) -> Result<ChartArchive, ChartError> {
        let slot = lock(&self.shared.downloads).get_or((key, fingerprint), Arc::default);
        // Where the digest is promised any archive with it will do; else the download must not be too old.
        let mut not_before = match expected {
            Some(_) => self.shared.started,
            None => Instant::now().checked_sub(UNPINNED_AGE).unwrap_or(self.shared.started),
        };
        for _ in 0..2 {
            let digest = match slot.enter(not_before).await {
                Entered::Known(known) => known?,
                Entered::Turn(turn) => {
                    let loaded = self.on_disk_or_download(expected, scope, from).await;
                    turn.end(loaded)?
                }
            };
            if let Some(bytes) = self.read(Key { digest, scope }).await? {
                let media_type = match from {
                    Origin::Server { .. } => String::new(),
                    Origin::Registry { layer, .. } => layer.media_type.clone(),
                };
                return Ok(ChartArchive {
                    bytes,
                    digest: digest::named(&digest),
                    version: resolved.version.clone(),
                    media_type,
                });
            }
            // It was there once and is gone: made room for others, or changed on disk. Once more, from the server.
            not_before = Instant::now();
        }
        Err(ChartError::Local {
            directory: PathBuf::from("archives"),
            message:
                "an archive vanished twice right after it was downloaded; the cache may be too small or the disk faulty"
                    .into(),
        })
    }

    async fn on_disk_or_download(
        &self,
        expected: Option<[u8; 32]>,
        scope: [u8; 32],
        from: Origin<'_>,
    ) -> Result<[u8; 32], ChartError> {
        // A file of an earlier process, or one whose download this process has forgotten.
        if let Some(digest) = expected
            && self.read(Key { digest, scope }).await?.is_some()
        {
            return Ok(digest);
        }
        match from {
            Origin::Server { session, access, url } => {
                self.download_archive(session, access, url, expected, scope).await
            }
            Origin::Registry { registry, layer } => self.download_layer(registry, layer, scope).await,
        }
    }

    async fn read(&self, key: Key) -> Result<Option<Arc<[u8]>>, ChartError> {
        let disk = Arc::clone(&self.shared.disk);
        tokio::task::spawn_blocking(move || disk.get(&key))
            .await
            .map_err(|_| ChartError::Stopped)
    }

    async fn unfinished(&self) -> Result<tempfile::NamedTempFile, ChartError> {
        let disk = Arc::clone(&self.shared.disk);
        tokio::task::spawn_blocking(move || disk.unfinished())
            .await
            .map_err(|_| ChartError::Stopped)?
    }

    async fn keep(&self, file: tempfile::NamedTempFile, key: Key) -> Result<[u8; 32], ChartError> {
        let disk = Arc::clone(&self.shared.disk);
        let digest = key.digest;
        tokio::task::spawn_blocking(move || disk.keep(file, &key))
            .await
            .map_err(|_| ChartError::Stopped)??;
        Ok(digest)
    }

    async fn download_archive(
        &self,
        session: &Session,
        access: &ChartAccess,
        url: &Url,
        expected: Option<[u8; 32]>,
        scope: [u8; 32],
    ) -> Result<[u8; 32], ChartError> {
        let _place = self.shared.places.acquire().await.map_err(|_| ChartError::Stopped)?;
        self.shared.downloaded.fetch_add(1, Ordering::Relaxed);
        let file = self.unfinished().await?;
        let handle = file.reopen().map_err(|e| ChartError::Local {
            directory: file.path().to_owned(),
            message: e.to_string(),
        })?;
        let mut ask = Ask::new(url.clone(), "a chart archive");
        ask.authorization = match access.bearer()? {
            Some(bearer) => Some(bearer),
            None => access.basic()?,
        };
        let limit = self.shared.settings.max_archive_bytes;
        let handle = tokio::fs::File::from_std(handle);
        let downloaded = match session.download(&ask, handle, limit, expected.is_some()).await? {
            Ended::Whole(downloaded) => downloaded,
            Ended::Refused(answer) => {
                let credentials = ask.authorization.is_some();
                let hint = match answer.status {
                    401 | 403 if credentials && !session.may_carry(&answer.url) => {
                        "; the archive is on another host than the repository, which gets the credentials only with `passCredentials: true`"
                    }
                    401 | 403 if credentials => "; check username and password in the repository Secret",
                    401 | 403 => {
                        "; the repository wants credentials: add them with a repository Secret of type helm (`pintle repo add`)"
                    }
                    404 => {
                        "; the index lists this archive and it is not there: the repository is broken, or still publishing"
                    }
                    _ => "",
                };
                return Err(answer.refused(hint).into());
            }
        };
        verified(&downloaded.sha256, expected, url)?;
        if !downloaded.start.starts_with(GZIP) {
            return Err(ChartError::NotAnArchive { url: shown(url) });
        }
        tracing::debug!(url = %shown(url), "chart archive downloaded");
        let digest = downloaded.sha256;
        self.keep(file, Key { digest, scope }).await
    }

    async fn download_layer(
        &self,
        registry: &Registry,
        layer: &Layer,
        scope: [u8; 32],
    ) -> Result<[u8; 32], ChartError> {
        let limit = self.shared.settings.max_archive_bytes;
        if layer.size > limit {
            return Err(crate::http::HttpError::TooLarge {
                url: registry.address().shown(),
                wanted: "a layer",
                limit,
            }
            .into());
        }
        let _place = self.shared.places.acquire().await.map_err(|_| ChartError::Stopped)?;
        self.shared.downloaded.fetch_add(1, Ordering::Relaxed);
        let file = self.unfinished().await?;
        let downloaded = registry.blob(layer, &file).await?;
        verified(&downloaded.sha256, Some(layer.digest), &registry.address().base)?;
        let digest = downloaded.sha256;
        self.keep(file, Key { digest, scope }).await
    }

    fn address(&self, of: &ChartRef) -> Result<(Address, ChartAccess), ChartError> {
        let access = self.access(&of.repo_url, &of.project)?;
        Ok((Address::parse(&of.repo_url, &of.chart, &access)?, access))
    }

    fn access(&self, repo_url: &str, project: &str) -> Result<ChartAccess, ChartError> {
        let book = Arc::clone(&self.shared.book.read().unwrap_or_else(PoisonError::into_inner));
        let access = book.chart_access(repo_url, project);
        match access.unsupported() {
            Some(what) => Err(ChartError::CredentialsNotYet {
                url: normalize(repo_url),
                what,
            }),
            None => Ok(access),
        }
    }

    fn session(&self, home: &Url, access: &ChartAccess, pass_credentials: bool) -> Session {
        Session {
            http: Arc::clone(&self.shared.http),
            reach: Arc::clone(access.reach()),
            home: home.clone(),
            pass_credentials,
        }
    }

    async fn index(
        &self,
        home: &Url,
        access: &ChartAccess,
        pass_credentials: bool,
        not_before: Instant,
    ) -> Result<Arc<crate::helmrepo::Index>, ChartError> {
        let slot = lock(&self.shared.indexes).get_or((home.clone(), access.fingerprint()), Arc::default);
        let session = self.session(home, access, pass_credentials);
        let limit = self.shared.settings.max_index_bytes;
        let known = match slot.enter(not_before).await {
            Entered::Known(known) => known?,
            Entered::Turn(turn) => {
                self.shared.listings.fetch_add(1, Ordering::Relaxed);
                let loaded = fetch_index(&session, access, limit, turn.before()).await;
                turn.end(loaded)?
            }
        };
        Ok(known.index)
    }

    fn registry(&self, address: &RegistryAddress, access: &ChartAccess, pass_credentials: bool) -> Arc<KnownRegistry> {
        let key = (address.clone(), access.fingerprint(), pass_credentials);
        lock(&self.shared.registries).get_or(key, || {
            let session = self.session(&address.base, access, pass_credentials);
            Arc::new(KnownRegistry {
                registry: Registry::new(session, access.clone(), address.clone()),
                tags: Slot::default(),
                manifests: Mutex::new(Bounded::new(MAX_KEPT)),
            })
        })
    }

    async fn tags(&self, known: &KnownRegistry, not_before: Instant) -> Result<Arc<[String]>, ChartError> {
        let tags = match known.tags.enter(not_before).await {
            Entered::Known(tags) => tags?,
            Entered::Turn(turn) => {
                self.shared.listings.fetch_add(1, Ordering::Relaxed);
                let loaded = known.registry.tags().await;
                turn.end(loaded.map(|tags| tags.map(Into::into)))?
            }
        };
        tags.ok_or_else(|| {
            let shown = known.registry.address().shown();
            let (url, chart) = shown.rsplit_once('/').unwrap_or_default();
            ChartError::NoChart {
                url: url.to_owned(),
                chart: chart.to_owned(),
                hint:
                    "; check the name and the path of the registry (some registries answer so without credentials, too)"
                        .into(),
            }
        })
    }

    async fn manifest(
        &self,
        known: &KnownRegistry,
        reference: &Reference,
        not_before: Instant,
    ) -> Result<Option<Arc<Manifest>>, ChartError> {
        let slot = lock(&known.manifests).get_or(reference.clone(), Arc::default);
        let not_before = match reference {
            // A digest means the same manifest for ever.
            Reference::Digest(_) => self.shared.started,
            Reference::Tag(_) => not_before,
        };
        match slot.enter(not_before).await {
            Entered::Known(known) => known,
            Entered::Turn(turn) => {
                self.shared.listings.fetch_add(1, Ordering::Relaxed);
                let loaded = known.registry.manifest(reference).await;
                turn.end(loaded.map(|manifest| manifest.map(Arc::new)))
            }
        }
    }

    #[allow(
        clippy::too_many_arguments,
        reason = "what charts of registries and of indexes share"
    )]
    async fn resolve_in_registry(
        &self,
        repo_url: &str,
        address: RegistryAddress,
        access: &ChartAccess,
        pass_credentials: bool,
        revision: &str,
        is_artifact: bool,
        not_before: Instant,
    ) -> Result<Resolved, ChartError> {
        let known = self.registry(&address, access, pass_credentials);
        let revision = revision.trim();
        // A digest or a whole version is asked for directly: some registries list no tags, and long lists take time.
        let direct =
            Reference::parse(revision).filter(|r| matches!(r, Reference::Digest(_)) || version::is_whole(revision));
        let mut found = None;
        if let Some(reference) = direct {
            let manifest = self.manifest(&known, &reference, not_before).await?;
            found = manifest.map(|manifest| (revision.to_owned(), reference, manifest));
        }
        let (version, reference, manifest) = match found {
            Some(found) => found,
            None => {
                let tags = self.tags(&known, not_before).await?;
                let no_version = || ChartError::NoVersion {
                    url: address.shown(),
                    chart: "the chart".into(),
                    revision: revision.to_owned(),
                    existing: version::existing(tags.iter().map(String::as_str)),
                };
                let chosen = version::choose(tags.iter().map(String::as_str), revision).ok_or_else(no_version)?;
                let reference = Reference::parse(chosen).ok_or_else(no_version)?;
                let manifest = self.manifest(&known, &reference, not_before).await?;
                (chosen.to_owned(), reference, manifest.ok_or_else(no_version)?)
            }
        };
        let url = known.registry.shown(&reference);
        let layer = if is_artifact {
            manifest.only_layer(&url, &self.shared.settings.oci_layer_media_types)?
        } else {
            manifest.chart_layer(&url)?
        };
        Ok(Resolved {
            version,
            digest: Some(digest::named(&manifest.digest)),
            pin: Pin::Layer {
                repo_url: repo_url.to_owned(),
                address,
                layer: layer.clone(),
            },
        })
    }

    /// An archive that an index says is in a registry: `host/path:tag`. The registry's own Secret serves it.
    async fn resolve_listed(
        &self,
        of: &ChartRef,
        reference: &str,
        version: &str,
        not_before: Instant,
    ) -> Result<Resolved, ChartError> {
        let (path, tag) = match reference.split_once('@') {
            Some((path, digest)) => (path, digest),
            // A colon before the last slash is the port's.
            None => match reference.rsplit_once(':') {
                Some((path, tag)) if !tag.contains('/') => (path, tag),
                _ => (reference, version),
            },
        };
        let repo_url = format!("oci://{path}");
        let access = self.access(&repo_url, &of.project)?;
        let address = RegistryAddress::parse(path, "", access.is_plain_http())?;
        let mut resolved = self
            .resolve_in_registry(&repo_url, address, &access, of.pass_credentials, tag, false, not_before)
            .await?;
        resolved.version = version.to_owned();
        Ok(resolved)
    }
}

/// How gzip files begin.
const GZIP: &[u8] = &[0x1f, 0x8b];

fn verified(got: &[u8; 32], expected: Option<[u8; 32]>, url: &Url) -> Result<(), ChartError> {
    match expected {
        Some(expected) if expected != *got => Err(ChartError::Digest {
            url: shown(url),
            expected: digest::named(&expected),
            got: digest::named(got),
        }),
        _ => Ok(()),
    }
}

fn no_chart<'a>(of: &ChartRef, names: impl Iterator<Item = &'a str>) -> ChartError {
    ChartError::NoChart {
        url: of.repo_url.clone(),
        chart: of.chart.clone(),
        hint: version::did_you_mean(&of.chart, names),
    }
}

/// For whom an archive is kept: the repository, and the project whose credentials fetched it. No secret is part of it, for it names a file.
fn scope(repo_url: &str, access: &ChartAccess) -> [u8; 32] {
    Sha256::new()
        .chain_update(normalize(repo_url))
        .chain_update("\n")
        .chain_update(access.project())
        .finalize()
        .into()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
