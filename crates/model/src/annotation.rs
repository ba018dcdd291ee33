//! Well-known annotations, labels and finalizers [F1.18, F1.32, F1.33].

/// Asks for a refresh; taken away once it is done. See [`Refresh`].
pub const REFRESH: &str = "argocd.argoproj.io/refresh";
/// When a refresh was asked for.
pub const REFRESH_TIMESTAMP: &str = "argocd.argoproj.io/refresh-timestamp";
/// Asks for a hydration.
pub const HYDRATE: &str = "argocd.argoproj.io/hydrate";
/// When a hydration was asked for.
pub const HYDRATE_TIMESTAMP: &str = "argocd.argoproj.io/hydrate-timestamp";
/// Paths whose changes count for webhooks, `;` between them.
pub const MANIFEST_GENERATE_PATHS: &str = "argocd.argoproj.io/manifest-generate-paths";
/// URL of the installation that manages an Application.
pub const MANAGED_BY_URL: &str = "argocd.argoproj.io/managed-by-url";
/// Which Application manages an object, and as what: `app:group/Kind:namespace/name`.
pub const TRACKING_ID: &str = "argocd.argoproj.io/tracking-id";
/// Which installation manages an object.
pub const INSTALLATION_ID: &str = "argocd.argoproj.io/installation-id";
/// How an object is compared.
pub const COMPARE_OPTIONS: &str = "argocd.argoproj.io/compare-options";
/// How an object is synced; see [`crate::sync_option`].
pub const SYNC_OPTIONS: &str = "argocd.argoproj.io/sync-options";
/// The wave an object is synced in, an integer.
pub const SYNC_WAVE: &str = "argocd.argoproj.io/sync-wave";
/// The phases an object is a hook of, commas between them.
pub const HOOK: &str = "argocd.argoproj.io/hook";
/// When a hook's object is deleted, commas between the policies.
pub const HOOK_DELETE_POLICY: &str = "argocd.argoproj.io/hook-delete-policy";
/// Confirms a deletion or pruning; its value is the time of the confirmation.
pub const DELETION_APPROVED: &str = "argocd.argoproj.io/deletion-approved";
/// `true`: the object's health does not count.
pub const IGNORE_HEALTHCHECK: &str = "argocd.argoproj.io/ignore-healthcheck";
/// `true`: a pod's restart policy does not matter to its health.
pub const IGNORE_RESTART_POLICY: &str = "argocd.argoproj.io/ignore-restart-policy";
/// `true`: URLs found on the object are not shown.
pub const IGNORE_DEFAULT_LINKS: &str = "argocd.argoproj.io/ignore-default-links";
/// `true`: ignored updates do not refresh the Application.
pub const IGNORE_RESOURCE_UPDATES: &str = "argocd.argoproj.io/ignore-resource-updates";
/// `true`, on an Application or cluster Secret: nothing is reconciled [F3.36].
pub const SKIP_RECONCILE: &str = "argocd.argoproj.io/skip-reconcile";
/// Asks for a refresh of an ApplicationSet.
pub const APPLICATION_SET_REFRESH: &str = "argocd.argoproj.io/application-set-refresh";
/// Field manager whose fields move to ours on the first server-side apply.
pub const CLIENT_SIDE_APPLY_MIGRATION_MANAGER: &str = "argocd.argoproj.io/client-side-apply-migration-manager";
/// Prefix of links shown with an object.
pub const LINK_PREFIX: &str = "link.argocd.argoproj.io/";
/// Prefix of notices shown with an Application.
pub const NOTICE_PREFIX: &str = "notice.argocd.argoproj.io/";
/// Prefix of preferences of the user interface.
pub const PREFERENCE_PREFIX: &str = "pref.argocd.argoproj.io/";
/// Helm's hook types.
pub const HELM_HOOK: &str = "helm.sh/hook";
/// Helm's order of hooks.
pub const HELM_HOOK_WEIGHT: &str = "helm.sh/hook-weight";
/// Helm's hook deletion policies.
pub const HELM_HOOK_DELETE_POLICY: &str = "helm.sh/hook-delete-policy";
/// Helm's policy for objects that leave a release; `keep` keeps them.
pub const HELM_RESOURCE_POLICY: &str = "helm.sh/resource-policy";
/// Prefix of subscriptions to notifications.
pub const NOTIFICATIONS_SUBSCRIBE_PREFIX: &str = "notifications.argoproj.io/subscribe.";
/// What was notified already.
pub const NOTIFIED: &str = "notified.notifications.argoproj.io";
/// What a client-side apply sent last, as JSON.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// On Secrets of ours: who made them; see [`MANAGED_BY_VALUE`].
pub const MANAGED_BY: &str = "managed-by";
/// Value of [`MANAGED_BY`] on Secrets made through the API.
pub const MANAGED_BY_VALUE: &str = "argocd.argoproj.io";

/// Label that says what a Secret of ours is; see [`crate::settings::SecretType`].
pub const LABEL_SECRET_TYPE: &str = "argocd.argoproj.io/secret-type";
/// Label on cluster Secrets: `true` keeps the version label up to date.
pub const LABEL_AUTO_CLUSTER_INFO: &str = "argocd.argoproj.io/auto-label-cluster-info";
/// Label with a cluster's Kubernetes version.
pub const LABEL_KUBERNETES_VERSION: &str = "argocd.argoproj.io/kubernetes-version";
/// Label that tracks by default where labels do.
pub const LABEL_INSTANCE: &str = "app.kubernetes.io/instance";
/// Label on documents of ours, with the value `argocd`.
pub const LABEL_PART_OF: &str = "app.kubernetes.io/part-of";
/// Label with an Application's name on objects made for it.
pub const LABEL_APP_NAME: &str = "applications.argoproj.io/app-name";

/// Deletes the managed objects with the Application, in the foreground.
pub const FINALIZER: &str = "resources-finalizer.argocd.argoproj.io";
/// As [`FINALIZER`], said in full.
pub const FINALIZER_FOREGROUND: &str = "resources-finalizer.argocd.argoproj.io/foreground";
/// Deletes the managed objects with the Application, in the background.
pub const FINALIZER_BACKGROUND: &str = "resources-finalizer.argocd.argoproj.io/background";
/// Runs `PreDelete` hooks before the Application's objects are deleted.
pub const FINALIZER_PRE_DELETE: &str = "pre-delete-finalizer.argocd.argoproj.io";
/// Cleans `PreDelete` hooks up.
pub const FINALIZER_PRE_DELETE_CLEANUP: &str = "pre-delete-finalizer.argocd.argoproj.io/cleanup";
/// Runs `PostDelete` hooks after the Application's objects are deleted.
pub const FINALIZER_POST_DELETE: &str = "post-delete-finalizer.argocd.argoproj.io";
/// Cleans `PostDelete` hooks up.
pub const FINALIZER_POST_DELETE_CLEANUP: &str = "post-delete-finalizer.argocd.argoproj.io/cleanup";
/// Holds hook objects until their end was seen [F3.18].
pub const FINALIZER_HOOK: &str = "argocd.argoproj.io/hook-finalizer";

/// How thorough a refresh is asked for by [`REFRESH`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refresh {
    /// Resolve revisions and compare again.
    Normal,
    /// Render anew as well, past every cache.
    Hard,
}

impl Refresh {
    /// Reads the annotation's value: `hard` is hard, anything else normal, as the peer reads it.
    pub fn parse(value: &str) -> Self {
        if value == "hard" { Self::Hard } else { Self::Normal }
    }

    /// The annotation's value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Hard => "hard",
        }
    }
}

/// What becomes of managed objects when their Application is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cascade {
    /// They are deleted; owners wait for what they own.
    Foreground,
    /// They are deleted; what they own goes after them.
    Background,
    /// They stay.
    Orphan,
}

impl Cascade {
    /// Reads the first of the resource finalizers among `finalizers`; none means [`Cascade::Orphan`] [F1.18, F3.37].
    pub fn from_finalizers<'a>(finalizers: impl IntoIterator<Item = &'a str>) -> Self {
        finalizers
            .into_iter()
            .find_map(|finalizer| match finalizer {
                FINALIZER | FINALIZER_FOREGROUND => Some(Self::Foreground),
                FINALIZER_BACKGROUND => Some(Self::Background),
                _ => None,
            })
            .unwrap_or(Self::Orphan)
    }
}

/// Whether an annotation's value is one that Go's `strconv.ParseBool` reads as true.
pub fn is_true(value: &str) -> bool {
    matches!(value, "1" | "t" | "T" | "TRUE" | "true" | "True")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refresh_and_cascade() {
        assert_eq!(Refresh::parse("hard"), Refresh::Hard);
        assert_eq!(Refresh::parse("normal"), Refresh::Normal);
        assert_eq!(Refresh::parse("yes"), Refresh::Normal);
        assert_eq!(Cascade::from_finalizers([]), Cascade::Orphan);
        assert_eq!(Cascade::from_finalizers(["x", FINALIZER]), Cascade::Foreground);
        assert_eq!(Cascade::from_finalizers([FINALIZER_BACKGROUND]), Cascade::Background);
        assert_eq!(Cascade::from_finalizers([FINALIZER_POST_DELETE]), Cascade::Orphan);
        assert!(is_true("True") && !is_true("yes"));
    }
}
