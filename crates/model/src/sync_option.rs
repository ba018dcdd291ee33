//! Sync options: strings of the form `Name=value`, on an Application and on single objects [F3.22–F3.26].

/// What a set of sync options says. The peer compares whole strings, so `validate=false` or `Validate=no` say nothing: they are in `unknown`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncOptions {
    /// `Prune=false|confirm|true`; where several are given, the most cautious counts.
    pub prune: Option<Permission>,
    /// `Delete=false|confirm|true`, whether the object goes with its Application; where several are given, the most cautious counts.
    pub delete: Option<Permission>,
    /// `PruneLast=true`: prune in a last wave, after everything else is healthy.
    pub prune_last: bool,
    /// `PrunePropagationPolicy=…`; absent means foreground. Application only.
    pub prune_propagation: Option<Propagation>,
    /// `Validate=false`: `kubectl apply --validate=false`.
    pub skip_validation: bool,
    /// `SkipDryRunOnMissingResource=true`: no dry run of objects whose kind does not exist yet.
    pub skip_dry_run_on_missing_resource: bool,
    /// `ApplyOutOfSyncOnly=true`: leave objects alone that are in sync. Application only.
    pub apply_out_of_sync_only: bool,
    /// `Replace=true`: replace or create instead of apply.
    pub replace: bool,
    /// `Force=true`: delete and create what cannot be changed. Objects only; for an Application it is `syncStrategy.force`.
    pub force: bool,
    /// `ServerSideApply=true|false`.
    pub server_side_apply: Option<bool>,
    /// `ClientSideApplyMigration=true|false`; absent means true. Application only.
    pub client_side_apply_migration: Option<bool>,
    /// `CreateNamespace=true`. Application only.
    pub create_namespace: bool,
    /// `RespectIgnoreDifferences=true`. Application only.
    pub respect_ignore_differences: bool,
    /// `FailOnSharedResource=true`. Application only.
    pub fail_on_shared_resource: bool,
    /// Known strings that have no effect where they stand: `Replace=false`, or `CreateNamespace=true` on an object.
    pub ignored: Vec<String>,
    /// Strings that neither the peer nor we know, in order.
    pub unknown: Vec<String>,
}

/// Whether something may be deleted. Ordered from cautious to permissive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// Never.
    No,
    /// After a person confirms.
    Confirm,
    /// Yes.
    Yes,
}

/// What becomes of the objects that a deleted object owns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Propagation {
    /// They go first.
    #[default]
    Foreground,
    /// They go after it.
    Background,
    /// They stay.
    Orphan,
}

impl Propagation {
    /// The value of `propagationPolicy` in a delete request.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Foreground => "Foreground",
            Self::Background => "Background",
            Self::Orphan => "Orphan",
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Place {
    Application,
    Object,
}

impl SyncOptions {
    /// Reads the options of an Application or operation, exact strings.
    pub fn of_application<S: AsRef<str>>(options: &[S]) -> Self {
        let mut read = Self::default();
        options
            .iter()
            .for_each(|option| read.add(option.as_ref(), Place::Application));
        read
    }

    /// Reads the value of the annotation [`crate::annotation::SYNC_OPTIONS`] of an object: options with commas between them.
    pub fn of_annotation(value: &str) -> Self {
        let mut read = Self::default();
        value
            .split(',')
            .map(str::trim)
            .filter(|o| !o.is_empty())
            .for_each(|option| read.add(option, Place::Object));
        read
    }

    fn add(&mut self, option: &str, place: Place) {
        let here = |wanted: Place| place == wanted;
        let cautious = |old: Option<Permission>, new| Some(old.map_or(new, |old| old.min(new)));
        match option {
            "Prune=false" => self.prune = cautious(self.prune, Permission::No),
            "Prune=confirm" => self.prune = cautious(self.prune, Permission::Confirm),
            "Prune=true" => self.prune = cautious(self.prune, Permission::Yes),
            "Delete=false" => self.delete = cautious(self.delete, Permission::No),
            "Delete=confirm" => self.delete = cautious(self.delete, Permission::Confirm),
            "Delete=true" => self.delete = cautious(self.delete, Permission::Yes),
            "PruneLast=true" => self.prune_last = true,
            "Validate=false" => self.skip_validation = true,
            "SkipDryRunOnMissingResource=true" => self.skip_dry_run_on_missing_resource = true,
            "Replace=true" => self.replace = true,
            "Force=true" if here(Place::Object) => self.force = true,
            // On an object `false` wins over `true`, in an Application's list `true` does: there only `true` is looked for.
            "ServerSideApply=true" if self.server_side_apply.is_none() || here(Place::Application) => {
                self.server_side_apply = Some(true)
            }
            "ServerSideApply=false" if self.server_side_apply.is_none() || here(Place::Object) => {
                self.server_side_apply = Some(false)
            }
            "PrunePropagationPolicy=foreground" if here(Place::Application) => self.propagate(Propagation::Foreground),
            "PrunePropagationPolicy=background" if here(Place::Application) => self.propagate(Propagation::Background),
            "PrunePropagationPolicy=orphan" if here(Place::Application) => self.propagate(Propagation::Orphan),
            "ApplyOutOfSyncOnly=true" if here(Place::Application) => self.apply_out_of_sync_only = true,
            // Only `false` is looked for: it wins.
            "ClientSideApplyMigration=false" if here(Place::Application) => {
                self.client_side_apply_migration = Some(false)
            }
            "ClientSideApplyMigration=true" if here(Place::Application) => {
                self.client_side_apply_migration.get_or_insert(true);
            }
            "CreateNamespace=true" if here(Place::Application) => self.create_namespace = true,
            "RespectIgnoreDifferences=true" if here(Place::Application) => self.respect_ignore_differences = true,
            "FailOnSharedResource=true" if here(Place::Application) => self.fail_on_shared_resource = true,
            other if is_known(other) => self.ignored.push(other.to_owned()),
            other => self.unknown.push(other.to_owned()),
        }
    }

    fn propagate(&mut self, propagation: Propagation) {
        self.prune_propagation.get_or_insert(propagation);
    }
}

/// Whether an option has a name that exists and a value that its name may have.
fn is_known(option: &str) -> bool {
    let Some((name, value)) = option.split_once('=') else {
        return false;
    };
    match name {
        "PrunePropagationPolicy" => matches!(value, "foreground" | "background" | "orphan"),
        "Prune"
        | "Delete"
        | "PruneLast"
        | "Validate"
        | "SkipDryRunOnMissingResource"
        | "Replace"
        | "Force"
        | "ServerSideApply"
        | "ApplyOutOfSyncOnly"
        | "ClientSideApplyMigration"
        | "CreateNamespace"
        | "RespectIgnoreDifferences"
        | "FailOnSharedResource" => {
            matches!(value, "true" | "false")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_of_an_application() {
        let read = SyncOptions::of_application(&[
            "Prune=false",
            "Delete=confirm",
            "PruneLast=true",
            "PrunePropagationPolicy=background",
            "Validate=false",
            "SkipDryRunOnMissingResource=true",
            "ApplyOutOfSyncOnly=true",
            "Replace=true",
            "ServerSideApply=true",
            "ClientSideApplyMigration=false",
            "CreateNamespace=true",
            "RespectIgnoreDifferences=true",
            "FailOnSharedResource=true",
            "Force=true",
            "Replace=false",
            "Validate=no",
            "createNamespace=true",
            " PruneLast=true",
            "Sideways",
        ]);
        let expected = SyncOptions {
            prune: Some(Permission::No),
            delete: Some(Permission::Confirm),
            prune_last: true,
            prune_propagation: Some(Propagation::Background),
            skip_validation: true,
            skip_dry_run_on_missing_resource: true,
            apply_out_of_sync_only: true,
            replace: true,
            force: false,
            server_side_apply: Some(true),
            client_side_apply_migration: Some(false),
            create_namespace: true,
            respect_ignore_differences: true,
            fail_on_shared_resource: true,
            ignored: vec!["Force=true".into(), "Replace=false".into()],
            unknown: vec![
                "Validate=no".into(),
                "createNamespace=true".into(),
                " PruneLast=true".into(),
                "Sideways".into(),
            ],
        };
        assert_eq!(read, expected);
    }

    #[test]
    fn an_object_hears_only_what_is_for_objects() {
        let read = SyncOptions::of_annotation(
            "Prune=confirm, Force=true,,ServerSideApply=true,ServerSideApply=false,CreateNamespace=true,X=y",
        );
        let expected = SyncOptions {
            prune: Some(Permission::Confirm),
            force: true,
            server_side_apply: Some(false),
            ignored: vec!["CreateNamespace=true".into()],
            unknown: vec!["X=y".into()],
            ..SyncOptions::default()
        };
        assert_eq!(read, expected);
        assert_eq!(SyncOptions::of_annotation(""), SyncOptions::default());
    }

    #[test]
    fn the_most_cautious_counts() {
        for order in [
            ["Prune=true", "Prune=confirm", "Prune=false"],
            ["Prune=false", "Prune=confirm", "Prune=true"],
        ] {
            assert_eq!(SyncOptions::of_application(&order).prune, Some(Permission::No));
        }
    }
}
