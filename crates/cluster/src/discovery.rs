//! What kinds a server serves, at which versions, under which names, in which scope, with which verbs.
//!
//! Aggregated discovery (two requests) where the server has it, else one request per group and version. A group that cannot be read (its
//! aggregated API server is down) is reported and keeps the kinds last known of it: "could not ask" is never "serves nothing".

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _, Shared};
use futures_util::stream::{self, StreamExt as _};
use pintle_engine::effect::FailureKind;
use pintle_engine::kinds;
use pintle_model::{GroupKind, Gvk};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until};

use crate::client::{Cluster, JSON};
use crate::error::{ApiError, Asked, Verb};

/// Asks for aggregated discovery and says that the old form will do.
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
                          application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";
/// Groups asked at once where discovery is not aggregated; as many as kubectl, roughly.
const PARALLEL_GROUPS: usize = 10;
/// Unknown kinds make the server be asked again no more often than this; a miss in between waits for its turn.
const MISS_INTERVAL: Duration = Duration::from_millis(500);

/// One kind at one version, as served now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedKind {
    /// Group, version and kind.
    pub gvk: Gvk,
    /// The name in URLs: `deployments`.
    pub plural: Arc<str>,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// What can be done with it: `create`, `delete`, `get`, `list`, `patch`, `update`, `watch`, …
    pub verbs: Vec<Arc<str>>,
    /// Whether this is the version of its group and kind that the server prefers.
    pub preferred: bool,
}

impl ServedKind {
    /// Whether the kind has this verb.
    pub fn can(&self, verb: &str) -> bool {
        self.verbs.iter().any(|v| &**v == verb)
    }

    /// Whether its objects can be listed and watched.
    pub fn is_watchable(&self) -> bool {
        self.can("list") && self.can("watch")
    }

    /// `Deployment.apps shop/web`, for messages; `name` empty names the collection.
    pub(crate) fn describe(&self, namespace: &str, name: &str) -> String {
        let kind = self.gvk.group_kind();
        match (namespace, name) {
            ("", "") => kind.to_string(),
            ("", name) => format!("{kind} {name}"),
            (namespace, "") => format!("{kind} in {namespace}"),
            (namespace, name) => format!("{kind} {namespace}/{name}"),
        }
    }
}

/// A group and version that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedGroup {
    /// API group.
    pub group: Arc<str>,
    /// Its version.
    pub version: Arc<str>,
    /// What the server said.
    pub message: String,
}

/// Everything a server serves: a snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KindTable {
    /// Every kind at every served version, ordered by group, kind and the server's preference of versions.
    pub kinds: Vec<Arc<ServedKind>>,
    /// Groups whose present kinds are unknown; their entries in `kinds` are the last known ones.
    pub failed: Vec<FailedGroup>,
    /// The server's version, for example `v1.36.1`.
    pub version: Arc<str>,
}

impl KindTable {
    /// The kind at exactly that version.
    pub fn get(&self, gvk: &Gvk) -> Option<&Arc<ServedKind>> {
        self.kinds.iter().find(|k| k.gvk == *gvk)
    }

    /// The kind at the version the server prefers.
    pub fn preferred(&self, kind: &GroupKind) -> Option<&Arc<ServedKind>> {
        self.kinds
            .iter()
            .find(|k| k.preferred && kind.is(&k.gvk.group, &k.gvk.kind))
    }

    /// Each group and kind once, at its preferred version, that can be listed and watched.
    pub fn watchable(&self) -> impl Iterator<Item = &Arc<ServedKind>> {
        self.kinds.iter().filter(|k| k.preferred && k.is_watchable())
    }

    /// Whether what is known of a group may be out of date because it could not be read.
    pub fn is_group_failed(&self, group: &str) -> bool {
        self.failed.iter().any(|f| &*f.group == group)
    }

    /// Every `group/version` and `group/version/Kind` that is served, as charts ask for them, and the group versions of which nothing is known.
    pub fn api_versions(&self) -> (BTreeSet<String>, BTreeSet<String>) {
        let name = |group: &str, version: &str| match group {
            "" => version.to_owned(),
            group => format!("{group}/{version}"),
        };
        let mut served = BTreeSet::new();
        for kind in &self.kinds {
            let group_version = name(&kind.gvk.group, &kind.gvk.version);
            served.insert(format!("{group_version}/{}", kind.gvk.kind));
            served.insert(group_version);
        }
        let failed = self.failed.iter().map(|f| name(&f.group, &f.version));
        let unknown = failed.filter(|group_version| !served.contains(group_version)).collect();
        (served, unknown)
    }

    /// The same as decisions see it: by group and kind, with all versions.
    pub fn to_engine(&self) -> kinds::KindTable {
        let served = self.kinds.iter().filter(|k| k.preferred).map(|preferred| {
            let kind = preferred.gvk.group_kind();
            let versions = self.kinds.iter().filter(|k| kind.is(&k.gvk.group, &k.gvk.kind));
            let scope = if preferred.namespaced {
                kinds::Scope::Namespaced
            } else {
                kinds::Scope::Cluster
            };
            let served = kinds::ServedKind {
                scope,
                version: Arc::clone(&preferred.gvk.version),
                versions: versions.map(|k| Arc::clone(&k.gvk.version)).collect(),
                plural: Arc::clone(&preferred.plural),
                verbs: preferred.verbs.clone(),
            };
            (kind, served)
        });
        kinds::KindTable::new(
            served,
            self.failed
                .iter()
                .map(|f| (Arc::clone(&f.group), f.message.as_str().into())),
        )
    }

    /// Takes over the last known kinds of the groups that failed this time.
    fn keep_failed_from(&mut self, before: &Self) {
        for failed in &self.failed {
            let lost = before
                .kinds
                .iter()
                .filter(|k| k.gvk.group == failed.group && k.gvk.version == failed.version);
            for kind in lost {
                if !self.kinds.iter().any(|k| k.gvk == kind.gvk) {
                    self.kinds.push(Arc::clone(kind));
                }
            }
        }
        self.tidy();
    }

    /// Groups the entries and marks exactly one preferred version per group and kind: the first that can be watched, else the first.
    fn tidy(&mut self) {
        // Stable: the server's order of versions within a kind is its preference.
        self.kinds
            .sort_by(|a, b| (&a.gvk.group, &a.gvk.kind).cmp(&(&b.gvk.group, &b.gvk.kind)));
        let mut start = 0;
        while let Some(first) = self.kinds.get(start) {
            let kind = first.gvk.group_kind();
            let rest = self.kinds.get(start..).unwrap_or_default();
            let len = rest
                .iter()
                .take_while(|k| kind.is(&k.gvk.group, &k.gvk.kind))
                .count()
                .max(1);
            let run = self.kinds.get_mut(start..start + len).unwrap_or_default();
            let chosen = run.iter().position(|k| k.is_watchable()).unwrap_or(0);
            for (i, kind) in run.iter_mut().enumerate() {
                if kind.preferred != (i == chosen) {
                    Arc::make_mut(kind).preferred = i == chosen;
                }
            }
            start += len;
        }
    }
}

/// What a cluster handle remembers of discovery.
pub(crate) struct DiscoveryState {
    table: watch::Sender<Option<Arc<KindTable>>>,
    flight: Mutex<Flight>,
    hint: Notify,
}

#[derive(Default)]
struct Flight {
    /// The refresh under way, joined by everyone who asks meanwhile.
    running: Option<Refresh>,
    last_start: Option<Instant>,
}

type Refresh = Shared<BoxFuture<'static, Result<Arc<KindTable>, ApiError>>>;

impl Default for DiscoveryState {
    fn default() -> Self {
        Self {
            table: watch::Sender::new(None),
            flight: Mutex::default(),
            hint: Notify::new(),
        }
    }
}

impl Cluster {
    /// The kinds as last read, without asking; `None` before the first time.
    pub fn kinds(&self) -> Option<Arc<KindTable>> {
        self.discovery_state().table.borrow().clone()
    }

    /// Follows the kinds as they are read.
    pub fn kinds_changes(&self) -> watch::Receiver<Option<Arc<KindTable>>> {
        self.discovery_state().table.subscribe()
    }

    /// Asks the server for its kinds now. Callers at the same time share one round of requests. On an error the last table stays.
    pub async fn discover(&self) -> Result<Arc<KindTable>, ApiError> {
        self.refresh().0.await
    }

    /// Finds a kind at exactly the version of `gvk`, asking the server again if it is not known.
    ///
    /// Errors: `NotFound` where the server does not serve it; `Unavailable` where its group could not be read, so nobody knows.
    pub async fn served(&self, gvk: &Gvk) -> Result<Arc<ServedKind>, ApiError> {
        self.lookup(&format!("kind {gvk}"), &gvk.group, |table| table.get(gvk).cloned())
            .await
    }

    /// Finds a kind at the version the server prefers, asking the server again if it is not known. Errors as [`Cluster::served`].
    pub async fn served_kind(&self, kind: &GroupKind) -> Result<Arc<ServedKind>, ApiError> {
        self.lookup(&format!("kind {kind}"), &kind.group, |table| {
            table.preferred(kind).cloned()
        })
        .await
    }

    async fn lookup(
        &self,
        what: &str,
        group: &str,
        find: impl Fn(&KindTable) -> Option<Arc<ServedKind>>,
    ) -> Result<Arc<ServedKind>, ApiError> {
        if let Some(found) = self.kinds().and_then(|t| find(&t)) {
            return Ok(found);
        }
        let (refresh, is_joined) = self.refresh_after_miss().await;
        let mut table = refresh.await?;
        if is_joined && find(&table).is_none() {
            // That round may have asked before the kind was there.
            table = self.refresh_after_miss().await.0.await?;
        }
        if let Some(found) = find(&table) {
            return Ok(found);
        }
        let asked = self.asked(Verb::Get, what);
        Err(match table.failed.iter().find(|f| &*f.group == group) {
            Some(f) => asked.failed(
                FailureKind::Unavailable,
                format!("group {group} cannot be read: {}", f.message),
            ),
            None => asked.failed(
                FailureKind::NotFound,
                "the server does not serve it; is its CustomResourceDefinition installed?",
            ),
        })
    }

    /// Says that discovery may have changed: a CustomResourceDefinition or APIService did, or a request found its path gone.
    pub(crate) fn hint_discovery(&self) {
        self.discovery_state().hint.notify_one();
    }

    /// Waits for the next [`Cluster::hint_discovery`].
    pub(crate) async fn discovery_hinted(&self) {
        self.discovery_state().hint.notified().await;
    }

    /// Makes a table the current one, completed from the one before.
    fn publish(&self, mut table: KindTable) -> Arc<KindTable> {
        if let Some(before) = self.kinds() {
            table.keep_failed_from(&before);
            if table == *before {
                return before;
            }
        }
        let table = Arc::new(table);
        self.discovery_state().table.send_replace(Some(Arc::clone(&table)));
        table
    }

    async fn refresh_after_miss(&self) -> (Refresh, bool) {
        let earliest = {
            let flight = self
                .discovery_state()
                .flight
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            if flight.running.is_some() {
                None
            } else {
                flight.last_start.map(|t| t + MISS_INTERVAL)
            }
        };
        if let Some(earliest) = earliest {
            sleep_until(earliest).await;
        }
        self.refresh()
    }

    /// Joins the refresh under way or starts one; answers whether it was joined.
    fn refresh(&self) -> (Refresh, bool) {
        let mut flight = self
            .discovery_state()
            .flight
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = &flight.running {
            return (running.clone(), true);
        }
        let cluster = self.clone();
        // A task of its own: it ends by the deadlines of its requests even when every caller has gone.
        let task = tokio::spawn(async move {
            let landing = Landing(cluster.clone());
            let result = read_table(&cluster).await.map(|table| cluster.publish(table));
            drop(landing);
            result
        });
        let asked = self.asked(Verb::Get, "discovery");
        let refresh: Refresh = async move {
            match task.await {
                Ok(result) => result,
                Err(e) => Err(asked.failed(FailureKind::Unavailable, format!("discovery was broken off: {e}"))),
            }
        }
        .boxed()
        .shared();
        flight.running = Some(refresh.clone());
        flight.last_start = Some(Instant::now());
        (refresh, false)
    }
}

/// Ends the shared refresh when it goes out of scope, also by a panic.
struct Landing(Cluster);

impl Drop for Landing {
    fn drop(&mut self) {
        self.0
            .discovery_state()
            .flight
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .running = None;
    }
}

/// Reads `/api` and `/apis`.
async fn read_table(cluster: &Cluster) -> Result<KindTable, ApiError> {
    let (core, groups, version) = tokio::join!(
        read_root(cluster, "/api"),
        read_root(cluster, "/apis"),
        read_version(cluster)
    );
    let mut table = KindTable {
        version: version?,
        ..KindTable::default()
    };
    for part in [core?, groups?] {
        table.kinds.extend(part.kinds);
        table.failed.extend(part.failed);
    }
    table.tidy();
    for failed in &table.failed {
        tracing::warn!(server = cluster.server(), group = %failed.group, version = %failed.version, message = failed.message, "an API group cannot be read");
    }
    Ok(table)
}

async fn read_version(cluster: &Cluster) -> Result<Arc<str>, ApiError> {
    let asked = cluster.asked(Verb::Get, "the server's version");
    let answer = cluster.read(&asked, "/version", JSON).await?;
    let version: ServerVersion = parse(&asked, &answer.body)?;
    Ok(version.git_version.into())
}

/// What `/version` says, as far as it matters.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ServerVersion {
    git_version: String,
}

async fn read_root(cluster: &Cluster, root: &str) -> Result<KindTable, ApiError> {
    let asked = cluster.asked(Verb::Get, format!("discovery of {root}"));
    let answer = cluster.read(&asked, root, AGGREGATED).await?;
    if answer.content_type.contains("apidiscovery.k8s.io") {
        return Ok(aggregated(parse(&asked, &answer.body)?));
    }
    // The old form: a list of groups, then one request for each version of each.
    let versions: Vec<(String, String)> = if root == "/api" {
        let core: CoreVersions = parse(&asked, &answer.body)?;
        core.versions
            .into_iter()
            .map(|version| (String::new(), version))
            .collect()
    } else {
        let groups: GroupList = parse(&asked, &answer.body)?;
        groups
            .groups
            .into_iter()
            .flat_map(Group::versions_by_preference)
            .collect()
    };
    let parts: Vec<KindTable> = stream::iter(versions)
        .map(|(group, version)| read_group_version(cluster, group, version))
        .buffered(PARALLEL_GROUPS)
        .collect()
        .await;
    let mut table = KindTable::default();
    for part in parts {
        table.kinds.extend(part.kinds);
        table.failed.extend(part.failed);
    }
    Ok(table)
}

async fn read_group_version(cluster: &Cluster, group: String, version: String) -> KindTable {
    let path = if group.is_empty() {
        format!("/api/{version}")
    } else {
        format!("/apis/{group}/{version}")
    };
    let asked = cluster.asked(Verb::Get, format!("discovery of {path}"));
    let list = match cluster.read(&asked, &path, JSON).await {
        Ok(answer) => parse::<ResourceList>(&asked, &answer.body),
        Err(error) => Err(error),
    };
    let (group, version): (Arc<str>, Arc<str>) = (group.into(), version.into());
    match list {
        Ok(list) => {
            let kinds = list
                .resources
                .into_iter()
                .filter(|r| !r.name.contains('/') && !r.kind.is_empty());
            let kinds = kinds
                .map(|r| served(&group, &version, &r.kind, r.name, r.namespaced, r.verbs))
                .collect();
            KindTable {
                kinds,
                ..KindTable::default()
            }
        }
        Err(error) => {
            let failed = FailedGroup {
                group,
                version,
                message: error.message,
            };
            KindTable {
                failed: vec![failed],
                ..KindTable::default()
            }
        }
    }
}

fn aggregated(list: GroupDiscoveryList) -> KindTable {
    let mut table = KindTable::default();
    for item in list.items {
        let group: Arc<str> = item.metadata.name.into();
        for v in item.versions {
            let version: Arc<str> = v.version.into();
            if v.freshness == "Stale" {
                let message = "the API server behind this group does not answer".to_owned();
                table.failed.push(FailedGroup {
                    group: Arc::clone(&group),
                    version: Arc::clone(&version),
                    message,
                });
            }
            for r in v.resources {
                if let Some(kind) = r.response_kind.map(|k| k.kind).filter(|k| !k.is_empty()) {
                    let is_namespaced = r.scope == "Namespaced";
                    table
                        .kinds
                        .push(served(&group, &version, &kind, r.resource, is_namespaced, r.verbs));
                }
            }
        }
    }
    table
}

fn served(
    group: &Arc<str>,
    version: &Arc<str>,
    kind: &str,
    plural: String,
    namespaced: bool,
    verbs: BTreeSet<String>,
) -> Arc<ServedKind> {
    let gvk = Gvk::new(Arc::clone(group), Arc::clone(version), kind);
    let verbs = verbs.into_iter().map(Arc::from).collect();
    Arc::new(ServedKind {
        gvk,
        plural: plural.into(),
        namespaced,
        verbs,
        preferred: false,
    })
}

fn parse<T: DeserializeOwned>(asked: &Asked, body: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(body).map_err(|e| asked.failed(FailureKind::Unavailable, format!("unreadable answer: {e}")))
}

#[derive(Deserialize)]
struct GroupDiscoveryList {
    #[serde(default)]
    items: Vec<GroupDiscovery>,
}

#[derive(Deserialize)]
struct GroupDiscovery {
    #[serde(default)]
    metadata: NameOnly,
    #[serde(default)]
    versions: Vec<VersionDiscovery>,
}

#[derive(Default, Deserialize)]
struct NameOnly {
    /// Absent for the core group.
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct VersionDiscovery {
    version: String,
    #[serde(default)]
    freshness: String,
    #[serde(default)]
    resources: Vec<ResourceDiscovery>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResourceDiscovery {
    resource: String,
    response_kind: Option<ResponseKind>,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    verbs: BTreeSet<String>,
}

#[derive(Deserialize)]
struct ResponseKind {
    #[serde(default)]
    kind: String,
}

#[derive(Deserialize)]
struct CoreVersions {
    #[serde(default)]
    versions: Vec<String>,
}

#[derive(Deserialize)]
struct GroupList {
    #[serde(default)]
    groups: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    name: String,
    #[serde(default)]
    versions: Vec<GroupVersion>,
    preferred_version: Option<GroupVersion>,
}

impl Group {
    fn versions_by_preference(self) -> Vec<(String, String)> {
        let preferred = self.preferred_version.map(|v| v.version).unwrap_or_default();
        let mut versions: Vec<String> = self.versions.into_iter().map(|v| v.version).collect();
        versions.sort_by_key(|v| *v != preferred);
        versions.into_iter().map(|v| (self.name.clone(), v)).collect()
    }
}

#[derive(Deserialize)]
struct GroupVersion {
    version: String,
}

#[derive(Deserialize)]
struct ResourceList {
    #[serde(default)]
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
struct Resource {
    name: String,
    #[serde(default)]
    namespaced: bool,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    verbs: BTreeSet<String>,
}

/// A kind with every verb.
#[cfg(test)]
pub(crate) fn kind_for_tests(api_version: &str, kind: &str, plural: &str, namespaced: bool) -> Arc<ServedKind> {
    let verbs = ["create", "delete", "get", "list", "patch", "update", "watch"]
        .map(Arc::from)
        .to_vec();
    let gvk = Gvk::from_api_version(api_version, kind);
    Arc::new(ServedKind {
        gvk,
        plural: plural.into(),
        namespaced,
        verbs,
        preferred: true,
    })
}
