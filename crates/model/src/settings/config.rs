//! `argocd-cm` and `argocd-cmd-params-cm` as one value.

use std::fmt;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::document::{CONFIG_NAME, Document, NotActedOn, PARAMS_NAME, SettingsError, SettingsProblem, parse_bool};
use super::filter::{FilteredResource, ResourceFilter};
use crate::annotation::LABEL_INSTANCE;
use crate::duration::GoDuration;
use crate::object::Object;
use crate::typed;
use crate::value::Value;

/// The settings of an installation, one consistent reading of its documents.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Counts readings; what was made with a smaller one may be out of date.
    pub generation: u64,
    /// How objects are known to belong to an Application: `application.resourceTrackingMethod`.
    pub tracking_method: TrackingMethod,
    /// Label that tracks where labels do: `application.instanceLabelKey`.
    pub instance_label_key: String,
    /// Tells installations apart that share a cluster: `installationID`; empty where there is only one.
    pub installation_id: String,
    /// Kinds that are looked at: `resource.exclusions`, `resource.inclusions`.
    pub resource_filter: ResourceFilter,
    /// How objects are compared: `resource.compareoptions`.
    pub compare_options: CompareOptions,
    /// Annotations whose values are hidden on Secrets: `resource.sensitive.mask.annotations`.
    pub sensitive_annotations: Vec<String>,
    /// Whether Applications may deploy to the cluster Pintle runs in: `cluster.inClusterEnabled`.
    pub in_cluster_enabled: bool,
    /// Whether kinds that may not be listed are passed over: `resource.respectRBAC`.
    pub respect_rbac: RespectRbac,
    /// Namespaces besides the control plane's that may hold Applications, globs and `/regex/`: `application.namespaces` [F2.26].
    pub application_namespaces: Vec<String>,
    /// What sources are rendered with.
    pub rendering: RenderingSettings,
    /// The controller's parameters.
    pub controller: ControllerSettings,
    /// Keys that are set and that this version does not act on yet.
    pub not_acted_on: Vec<NotActedOn>,
    /// Keys with texts that cannot be read; each says what counts instead.
    pub problems: Vec<SettingsProblem>,
}

/// What sources are rendered with [F2.9].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderingSettings {
    /// Whether charts are told from other directories: `helm.enable`.
    pub helm: bool,
    /// The same of kustomizations: `kustomize.enable`.
    pub kustomize: bool,
    /// Flags of `kustomize build` for every kustomization: `kustomize.buildOptions`.
    pub kustomize_build_options: String,
    /// Schemes of URLs that value files may be read from: `helm.valuesFileSchemes`.
    pub values_file_schemes: Vec<String>,
    /// What a render may cost.
    pub limits: RenderLimits,
}

/// What a render may cost; `None` where the renderer's own bound counts. Keys of `argocd-cmd-params-cm`, of the peer where it has one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RenderLimits {
    /// Bytes of manifests of a directory: `reposerver.max.combined.directory.manifests.size` [F4.3].
    pub manifest_bytes: Option<u64>,
    /// Bytes that a chart's archive may unpack to: `reposerver.helm.manifest.max.extracted.size`, and no bound at all where
    /// `reposerver.disable.helm.manifest.max.extracted.size` is true.
    pub extracted_bytes: Option<u64>,
    /// Entries of a chart's archive: `pintle.archive.max.entries`.
    pub archive_entries: Option<u64>,
    /// Bytes that may come out of an archive for each that went in: `pintle.archive.max.ratio`.
    pub archive_ratio: Option<u64>,
    /// How long one render may take: `pintle.render.timeout`.
    pub time: Option<GoDuration>,
    /// Bytes that templates may print: `pintle.render.max.size`.
    pub rendered_bytes: Option<u64>,
    /// Executed nodes of templates: `pintle.render.max.steps`.
    pub steps: Option<u64>,
    /// Templates inside one another: `pintle.render.max.depth`.
    pub depth: Option<u32>,
}

impl Default for RenderingSettings {
    fn default() -> Self {
        Self {
            helm: true,
            kustomize: true,
            kustomize_build_options: String::new(),
            values_file_schemes: vec!["https".into(), "http".into()],
            limits: RenderLimits::default(),
        }
    }
}

/// How objects are known to belong to an Application [F1.19].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TrackingMethod {
    /// By annotation.
    #[default]
    Annotation,
    /// By label.
    Label,
    /// By annotation; the label is written too, for others to read.
    AnnotationAndLabel,
}

impl TrackingMethod {
    /// Reads the setting's text.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "annotation" => Some(Self::Annotation),
            "label" => Some(Self::Label),
            "annotation+label" => Some(Self::AnnotationAndLabel),
            _ => None,
        }
    }

    /// The setting's text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Annotation => "annotation",
            Self::Label => "label",
            Self::AnnotationAndLabel => "annotation+label",
        }
    }
}

/// How objects are compared [F2.7].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompareOptions {
    /// Whether rules of aggregated ClusterRoles do not count.
    pub ignore_aggregated_roles: bool,
    /// Of which objects `status` does not count.
    pub ignore_resource_status_field: IgnoreStatus,
    /// Whether `ignoreDifferences` also decide which updates are passed over.
    pub ignore_differences_on_resource_updates: bool,
}

impl Default for CompareOptions {
    fn default() -> Self {
        Self {
            ignore_aggregated_roles: false,
            ignore_resource_status_field: IgnoreStatus::All,
            ignore_differences_on_resource_updates: true,
        }
    }
}

/// Of which objects `status` does not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IgnoreStatus {
    /// Of all.
    #[default]
    All,
    /// Of CustomResourceDefinitions.
    Crd,
    /// Of none.
    None,
}

/// Whether kinds that may not be listed are passed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RespectRbac {
    /// No: they are a failure.
    #[default]
    Off,
    /// Those whose list is refused.
    Normal,
    /// Also those for which a SelfSubjectAccessReview says no.
    Strict,
}

/// The controller's parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ControllerSettings {
    /// How often an Application is compared though nothing is known to have changed: `timeout.reconciliation`; `None` means never [F2.11].
    pub reconciliation: Option<GoDuration>,
    /// At most so much is added to `reconciliation` at random: `timeout.reconciliation.jitter`.
    pub reconciliation_jitter: GoDuration,
    /// How long an operation may take, retries and waits included: `controller.sync.timeout.seconds`; `None` means without end [F3.30].
    pub sync_timeout: Option<GoDuration>,
    /// When self-heal tries again: `controller.self.heal.*` [F3.33].
    pub self_heal: SelfHeal,
    /// Pause between waves: `controller.sync.wave.delay.seconds` [F3.8].
    pub wave_delay: GoDuration,
    /// How long the last good state stands while a repository fails: `controller.repo.error.grace.period.seconds` [F3.35].
    pub repo_error_grace: GoDuration,
}

/// When self-heal tries again at the same revision; the first try is at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SelfHeal {
    /// `controller.self.heal.timeout.seconds`: a fixed wait between tries, where set; the backoff then does not count.
    pub fixed: Option<GoDuration>,
    /// `…backoff.timeout.seconds`: the second try's wait.
    pub backoff: GoDuration,
    /// `…backoff.factor`: by what each wait is multiplied for the next.
    pub factor: i64,
    /// `…backoff.cap.seconds`: the longest wait.
    pub cap: GoDuration,
    /// `…backoff.cooldown.seconds`: the count of tries starts anew after so long; `None` where not set.
    pub cooldown: Option<GoDuration>,
}

impl Default for Settings {
    /// What an installation without documents has.
    fn default() -> Self {
        Self {
            generation: 0,
            tracking_method: TrackingMethod::default(),
            instance_label_key: LABEL_INSTANCE.to_owned(),
            installation_id: String::new(),
            resource_filter: ResourceFilter::default(),
            compare_options: CompareOptions::default(),
            sensitive_annotations: Vec::new(),
            in_cluster_enabled: true,
            respect_rbac: RespectRbac::default(),
            application_namespaces: Vec::new(),
            rendering: RenderingSettings::default(),
            controller: ControllerSettings::default(),
            not_acted_on: Vec::new(),
            problems: Vec::new(),
        }
    }
}

impl Default for ControllerSettings {
    fn default() -> Self {
        Self {
            reconciliation: Some(GoDuration::from_secs(120)),
            reconciliation_jitter: GoDuration::from_secs(60),
            sync_timeout: None,
            self_heal: SelfHeal {
                fixed: None,
                backoff: GoDuration::from_secs(2),
                factor: 3,
                cap: GoDuration::from_secs(300),
                cooldown: None,
            },
            wave_delay: GoDuration::from_secs(2),
            repo_error_grace: GoDuration::from_secs(180),
        }
    }
}

impl Settings {
    /// Reads the two ConfigMaps; `None` where one does not exist. Keys nobody knows are passed over. A text that cannot be read is in
    /// `problems` and the default counts, except for the keys that decide what may be touched: those are an error.
    pub fn parse(config: Option<&Object>, params: Option<&Object>, generation: u64) -> Result<Self, SettingsError> {
        let mut cm = Document::new(CONFIG_NAME, config);
        let mut params = Document::new(PARAMS_NAME, params);
        let defaults = Self::default();
        let text =
            |cm: &Document<'_>, key: &str, default: String| cm.get(key).map_or(default, |text| text.trim().to_owned());
        let mut settings = Self {
            generation,
            tracking_method: tracking_method(&mut cm),
            instance_label_key: text(&cm, "application.instanceLabelKey", defaults.instance_label_key),
            installation_id: text(&cm, "installationID", String::new()),
            resource_filter: ResourceFilter {
                exclusions: yaml_or_fatal::<Vec<FilteredResource>>(&mut cm, "resource.exclusions"),
                inclusions: yaml_or_fatal::<Vec<FilteredResource>>(&mut cm, "resource.inclusions"),
            },
            compare_options: compare_options(&mut cm),
            sensitive_annotations: csv(cm.get("resource.sensitive.mask.annotations")),
            // As in the peer, only the exact text `false` switches it off.
            in_cluster_enabled: cm.get("cluster.inClusterEnabled") != Some("false"),
            respect_rbac: respect_rbac(&mut cm),
            application_namespaces: csv(params.get("application.namespaces")),
            rendering: RenderingSettings {
                helm: cm.parsed("helm.enable", true, parse_bool),
                kustomize: cm.parsed("kustomize.enable", true, parse_bool),
                kustomize_build_options: text(&cm, "kustomize.buildOptions", String::new()),
                values_file_schemes: match cm.get("helm.valuesFileSchemes") {
                    Some(text) => csv(Some(text)),
                    None => defaults.rendering.values_file_schemes,
                },
                limits: super::limits::read(&mut params),
            },
            controller: controller(&mut cm, &mut params),
            not_acted_on: not_acted_on(&cm).chain(not_acted_on(&params)).collect(),
            problems: Vec::new(),
        };
        let fatal: Vec<_> = cm.fatal.into_iter().chain(params.fatal).collect();
        if !fatal.is_empty() {
            return Err(SettingsError { problems: fatal });
        }
        settings.problems = cm.problems.into_iter().chain(params.problems).collect();
        Ok(settings)
    }
}

fn tracking_method(cm: &mut Document<'_>) -> TrackingMethod {
    let key = "application.resourceTrackingMethod";
    let Some(text) = cm.get(key) else {
        return TrackingMethod::default();
    };
    TrackingMethod::parse(text.trim()).unwrap_or_else(|| {
        cm.fatal(key, format!("{text:?} is none of annotation, label, annotation+label"));
        TrackingMethod::default()
    })
}

fn respect_rbac(cm: &mut Document<'_>) -> RespectRbac {
    let key = "resource.respectRBAC";
    match cm.get(key).map(str::trim) {
        None => RespectRbac::Off,
        Some("normal") => RespectRbac::Normal,
        Some("strict") => RespectRbac::Strict,
        Some(other) => {
            cm.problem(key, format!("{other:?} is neither normal nor strict; it is off"));
            RespectRbac::Off
        }
    }
}

fn compare_options(cm: &mut Document<'_>) -> CompareOptions {
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Text {
        ignore_aggregated_roles: bool,
        ignore_resource_status_field: Option<Value>,
        ignore_differences_on_resource_updates: Option<bool>,
    }
    let key = "resource.compareoptions";
    let text: Text = yaml_or_fatal(cm, key);
    let defaults = CompareOptions::default();
    let status = match &text.ignore_resource_status_field {
        None => defaults.ignore_resource_status_field,
        // YAML 1.1 reads a bare `off` as false.
        Some(Value::Bool(false)) => IgnoreStatus::None,
        Some(value) => match value.as_str() {
            Some("" | "all") => IgnoreStatus::All,
            Some("crd") => IgnoreStatus::Crd,
            Some("none" | "off" | "false") => IgnoreStatus::None,
            _ => {
                cm.fatal(key, "ignoreResourceStatusField is none of all, crd, none".to_owned());
                defaults.ignore_resource_status_field
            }
        },
    };
    CompareOptions {
        ignore_aggregated_roles: text.ignore_aggregated_roles,
        ignore_resource_status_field: status,
        ignore_differences_on_resource_updates: text
            .ignore_differences_on_resource_updates
            .unwrap_or(defaults.ignore_differences_on_resource_updates),
    }
}

fn controller(cm: &mut Document<'_>, params: &mut Document<'_>) -> ControllerSettings {
    let defaults = ControllerSettings::default();
    let heal = defaults.self_heal;
    let prefix = "controller.self.heal";
    ControllerSettings {
        reconciliation: {
            let key = "timeout.reconciliation";
            let default = defaults.reconciliation.unwrap_or_default();
            Some(cm.parsed(key, default, GoDuration::parse_lenient)).filter(|d| *d > GoDuration::ZERO)
        },
        reconciliation_jitter: cm.parsed(
            "timeout.reconciliation.jitter",
            defaults.reconciliation_jitter,
            not_negative,
        ),
        sync_timeout: optional(params, "controller.sync.timeout.seconds"),
        self_heal: SelfHeal {
            fixed: optional(params, &format!("{prefix}.timeout.seconds")),
            backoff: seconds(params, &format!("{prefix}.backoff.timeout.seconds"), heal.backoff),
            factor: params.parsed(&format!("{prefix}.backoff.factor"), heal.factor, |text| {
                match text.parse::<i64>() {
                    Ok(factor @ 1..) => Ok(factor),
                    _ => Err(format!("{text:?} is no whole number from 1 up")),
                }
            }),
            cap: seconds(params, &format!("{prefix}.backoff.cap.seconds"), heal.cap),
            cooldown: optional(params, &format!("{prefix}.backoff.cooldown.seconds")),
        },
        wave_delay: seconds(params, "controller.sync.wave.delay.seconds", defaults.wave_delay),
        repo_error_grace: seconds(
            params,
            "controller.repo.error.grace.period.seconds",
            defaults.repo_error_grace,
        ),
    }
}

pub(super) fn not_negative(text: &str) -> Result<GoDuration, String> {
    match GoDuration::parse_lenient(text) {
        Ok(duration) if duration >= GoDuration::ZERO => Ok(duration),
        Ok(_) => Err(format!("{text:?} is negative")),
        Err(e) => Err(e.to_string()),
    }
}

/// Keys that end in `.seconds` hold whole seconds; durations with a unit are taken too.
fn seconds(document: &mut Document<'_>, key: &str, default: GoDuration) -> GoDuration {
    document.parsed(key, default, not_negative)
}

/// As [`seconds`], with 0, the default, meaning "off".
fn optional(document: &mut Document<'_>, key: &str) -> Option<GoDuration> {
    Some(seconds(document, key, GoDuration::ZERO)).filter(|d| *d > GoDuration::ZERO)
}

fn csv(text: Option<&str>) -> Vec<String> {
    text.unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The YAML under `key`, `T`'s default where there is none; a text that does not fit is fatal.
fn yaml_or_fatal<T: Default + DeserializeOwned>(document: &mut Document<'_>, key: &str) -> T {
    let Some(text) = document.get(key) else {
        return T::default();
    };
    let failed: Box<dyn fmt::Display> = match Value::from_yaml(text) {
        Ok(Value::Null) => return T::default(),
        Ok(value) => match typed::read(&value) {
            Ok(read) => return read,
            Err(e) => Box::new(e),
        },
        Err(e) => Box::new(e),
    };
    document.fatal(key, failed.to_string());
    T::default()
}

/// Keys that change what is done, that the peer acts on, and that we do not yet: (document, key or prefix with `*`, default, changes writes).
const NOT_YET: &[(&str, &str, &str, bool)] = &[
    (CONFIG_NAME, "resource.customizations", "", true),
    (CONFIG_NAME, "resource.customizations.*", "", true),
    (CONFIG_NAME, "resource.customLabels", "", false),
    (CONFIG_NAME, "application.sync.impersonation.enabled", "false", true),
    (
        CONFIG_NAME,
        "application.sync.requireOverridePrivilegeForRevisionSync",
        "false",
        false,
    ),
    (CONFIG_NAME, "globalProjects", "", true),
    (CONFIG_NAME, "jsonnet.enable", "true", true),
    (CONFIG_NAME, "kustomize.buildOptions.*", "", true),
    (CONFIG_NAME, "kustomize.path.*", "", true),
    (CONFIG_NAME, "kustomize.version.*", "", true),
    (CONFIG_NAME, "timeout.hard.reconciliation", "0", false),
    (CONFIG_NAME, "resource.ignoreResourceUpdatesEnabled", "true", false),
    (CONFIG_NAME, "resource.includeEventLabelKeys", "", false),
    (CONFIG_NAME, "resource.excludeEventLabelKeys", "", false),
    (PARAMS_NAME, "controller.diff.server.side", "false", false),
    (PARAMS_NAME, "controller.resource.health.persist", "false", false),
    (PARAMS_NAME, "controller.sharding.algorithm", "legacy", false),
    (PARAMS_NAME, "controller.metrics.application.labels", "", false),
    (PARAMS_NAME, "hydrator.enabled", "false", true),
    (PARAMS_NAME, "server.sync.replace.allowed", "true", true),
];

fn not_acted_on<'a>(document: &'a Document<'_>) -> impl Iterator<Item = NotActedOn> + 'a {
    document.keys().filter_map(|key| {
        let (.., default, changes_writes) = NOT_YET.iter().find(|(name, pattern, ..)| {
            let fits = match pattern.strip_suffix('*') {
                Some(prefix) => key.starts_with(prefix),
                None => key == *pattern,
            };
            *name == document.name && fits
        })?;
        let text = document.get(key)?.trim();
        let is_default = text == *default || parse_bool(text).is_ok_and(|b| parse_bool(default) == Ok(b));
        (!is_default).then(|| NotActedOn {
            document: document.name,
            key: key.to_owned(),
            changes_writes: *changes_writes,
        })
    })
}
