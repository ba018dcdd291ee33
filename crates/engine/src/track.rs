//! Whose an object is: the mark that an application leaves on what it manages [F2.6, F3.42].

use std::fmt;
use std::sync::Arc;

use pintle_model::settings::Settings;
pub use pintle_model::settings::TrackingMethod;
use pintle_model::{Object, ResourceKey};

/// The annotation that names the application and the object it was put on.
pub const TRACKING_ANNOTATION: &str = "argocd.argoproj.io/tracking-id";
/// The annotation that names the installation, where several share a cluster.
pub const INSTALLATION_ANNOTATION: &str = "argocd.argoproj.io/installation-id";
/// The label used unless `application.instanceLabelKey` names another.
pub const DEFAULT_LABEL: &str = "app.kubernetes.io/instance";
/// Longest label value Kubernetes accepts.
const LABEL_MAX: usize = 63;

/// How objects are marked, from the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tracking {
    /// Where the mark is.
    pub method: TrackingMethod,
    /// The label's key (`application.instanceLabelKey`).
    pub label: Arc<str>,
    /// `installationID`; empty where there is only one.
    pub installation: Arc<str>,
}

impl Default for Tracking {
    fn default() -> Self {
        Self {
            method: TrackingMethod::default(),
            label: DEFAULT_LABEL.into(),
            installation: "".into(),
        }
    }
}

impl From<&Settings> for Tracking {
    fn from(settings: &Settings) -> Self {
        Self {
            method: settings.tracking_method,
            label: settings.instance_label_key.as_str().into(),
            installation: settings.installation_id.as_str().into(),
        }
    }
}

/// The parsed value of [`TRACKING_ANNOTATION`]: `<app>:<group>/<kind>:<namespace>/<name>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrackingId<'a> {
    /// The application's instance name, see [`instance_name`].
    pub app: &'a str,
    /// API group of the marked object.
    pub group: &'a str,
    /// Kind of the marked object.
    pub kind: &'a str,
    /// Namespace of the marked object; of cluster-scoped objects, the application's destination namespace.
    pub namespace: &'a str,
    /// Name of the marked object.
    pub name: &'a str,
}

impl<'a> TrackingId<'a> {
    /// Parses the annotation's value; `None` if it has another form.
    pub fn parse(value: &'a str) -> Option<Self> {
        let (app, rest) = value.split_once(':')?;
        let (kind, name) = rest.split_once(':')?;
        let (group, kind) = kind.split_once('/')?;
        let (namespace, name) = name.split_once('/')?;
        let well_formed = !kind.contains('/') && !name.contains('/');
        well_formed.then_some(Self {
            app,
            group,
            kind,
            namespace,
            name,
        })
    }

    /// Whether the id was made for this very object: one copied along by another controller is not. The version does not count, and
    /// neither does the namespace of a cluster-scoped object.
    pub fn names(&self, object: &Object) -> bool {
        (object.namespace() == self.namespace || object.namespace().is_empty())
            && object.name() == self.name
            && object.group() == self.group
            && object.kind() == self.kind
    }
}

impl fmt::Display for TrackingId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}/{}:{}/{}",
            self.app, self.group, self.kind, self.namespace, self.name
        )
    }
}

/// Why an object could not be marked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrackError {
    /// The instance name has no valid label value in it.
    #[error("application name {app:?} cannot be cut to a valid value of the label {label:?}")]
    Label {
        /// Instance name of the application.
        app: Arc<str>,
        /// Key of the label.
        label: Arc<str>,
    },
}

/// The name of an application in tracking marks: its name, or `<namespace>_<name>` outside the control namespace [F2.26].
pub fn instance_name(namespace: &str, name: &str, control_namespace: &str) -> String {
    if namespace.is_empty() || namespace == control_namespace {
        name.to_owned()
    } else {
        format!("{namespace}_{name}")
    }
}

/// Whether an object is a CustomResourceDefinition: those carry no mark, since they outlive applications.
pub fn is_crd(object: &Object) -> bool {
    object.group() == "apiextensions.k8s.io" && object.kind() == "CustomResourceDefinition"
}

impl Tracking {
    /// Marks a rendered object as managed by `app` (an instance name). `destination` stands in for a namespace the object does not
    /// have. CRDs are left as they are.
    pub fn set(&self, object: &mut Object, app: &str, destination: &str) -> Result<(), TrackError> {
        if is_crd(object) {
            return Ok(());
        }
        if self.method != TrackingMethod::Label {
            let namespace = if object.namespace().is_empty() {
                destination
            } else {
                object.namespace()
            };
            let id = TrackingId {
                app,
                group: object.group(),
                kind: object.kind(),
                namespace,
                name: object.name(),
            };
            let id = id.to_string();
            object.set_annotation(TRACKING_ANNOTATION, id);
            if self.installation.is_empty() {
                object.remove_annotation(INSTALLATION_ANNOTATION);
            } else {
                object.set_annotation(INSTALLATION_ANNOTATION, Arc::clone(&self.installation));
            }
        }
        match self.method {
            TrackingMethod::Annotation => {}
            // Whole even if too long: a cut name would belong to nobody, and the API server's refusal says what is wrong.
            TrackingMethod::Label => object.set_label(&self.label, app),
            TrackingMethod::AnnotationAndLabel => {
                let value = label_value(app).ok_or_else(|| TrackError::Label {
                    app: app.into(),
                    label: Arc::clone(&self.label),
                })?;
                object.set_label(&self.label, value);
            }
        }
        Ok(())
    }

    /// The instance name of the application that manages a live object; `None` if it carries no mark, a mark of another installation, or one
    /// made for another object.
    pub fn app_of<'a>(&self, object: &'a Object) -> Option<&'a str> {
        let app = match self.method {
            TrackingMethod::Label => object.label(&self.label)?,
            TrackingMethod::Annotation | TrackingMethod::AnnotationAndLabel => {
                self.id_of(object).filter(|id| id.names(object))?.app
            }
        };
        (!app.is_empty()).then_some(app)
    }

    /// The tracking id of an object as it stands there, made for it or not; `None` with the label method.
    pub fn id_of<'a>(&self, object: &'a Object) -> Option<TrackingId<'a>> {
        let installation = object.annotation(INSTALLATION_ANNOTATION).unwrap_or_default();
        if self.method == TrackingMethod::Label
            || (!self.installation.is_empty() && installation != &*self.installation)
        {
            return None;
        }
        TrackingId::parse(object.annotation(TRACKING_ANNOTATION)?)
    }

    /// Whether a live object that is wanted by `app` under the key `desired` may be counted as its own: false if its mark was made for
    /// another object (copied), which excuses it from the sync status [F3.42]. The mark of another *application* does not matter here.
    pub fn is_self_tracked(&self, live: &Object, desired: Option<&ResourceKey>) -> bool {
        if let Some(key) = desired {
            return self.method == TrackingMethod::Label || live.key() == *key || live.namespace().is_empty();
        }
        self.id_of(live).is_none_or(|id| id.names(live))
    }
}

/// At most 63 bytes of a name, ending in a letter or digit.
fn label_value(name: &str) -> Option<&str> {
    if name.len() <= LABEL_MAX {
        return Some(name);
    }
    let cut = (0..=LABEL_MAX).rev().find(|i| name.is_char_boundary(*i))?;
    let value = name.get(..cut)?.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
    (!value.is_empty()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pintle_model::{Gvk, to_json_string};

    fn bare(group: &str, kind: &str, namespace: &str, name: &str) -> Object {
        Object::bare(&Gvk::new(group, "v1", kind), namespace, name)
    }

    fn tracking(method: &str, installation: &str) -> Tracking {
        Tracking {
            method: TrackingMethod::parse(method).unwrap_or_default(),
            installation: installation.into(),
            ..Tracking::default()
        }
    }

    /// Metadata of a marked object.
    fn check(tracking: &Tracking, mut object: Object, app: &str, expected: &str) {
        let metadata = match tracking.set(&mut object, app, "dest") {
            Ok(()) => to_json_string(object.value().get("metadata").unwrap()),
            Err(e) => e.to_string(),
        };
        assert_eq!(metadata, expected);
    }

    #[test]
    fn marks() {
        let web = bare("apps", "Deployment", "ns", "web");
        check(
            &tracking("", ""),
            web.clone(),
            "shop",
            r#"{"annotations":{"argocd.argoproj.io/tracking-id":"shop:apps/Deployment:ns/web"},"name":"web","namespace":"ns"}"#,
        );
        check(
            &tracking("annotation", "blue"),
            bare("", "Namespace", "", "prod"),
            "team_shop",
            r#"{"annotations":{"argocd.argoproj.io/installation-id":"blue","argocd.argoproj.io/tracking-id":"team_shop:/Namespace:dest/prod"},"name":"prod"}"#,
        );
        check(
            &tracking("label", ""),
            web.clone(),
            "shop",
            r#"{"labels":{"app.kubernetes.io/instance":"shop"},"name":"web","namespace":"ns"}"#,
        );
        let long = format!("{}-x", "a".repeat(62));
        check(
            &tracking("annotation+label", ""),
            web.clone(),
            &long,
            &format!(
                r#"{{"annotations":{{"argocd.argoproj.io/tracking-id":"{long}:apps/Deployment:ns/web"}},"labels":{{"app.kubernetes.io/instance":"{}"}},"name":"web","namespace":"ns"}}"#,
                "a".repeat(62)
            ),
        );
        check(
            &tracking("annotation+label", ""),
            web,
            &"-".repeat(70),
            &format!(
                "application name {:?} cannot be cut to a valid value of the label {DEFAULT_LABEL:?}",
                "-".repeat(70)
            ),
        );
        check(
            &tracking("", ""),
            bare("apiextensions.k8s.io", "CustomResourceDefinition", "", "x"),
            "shop",
            r#"{"name":"x"}"#,
        );
    }

    #[test]
    fn an_installation_id_of_another_time_is_taken_off() {
        let mut object = bare("", "Service", "ns", "web");
        object.set_annotation(INSTALLATION_ANNOTATION, "old");
        check(
            &tracking("", ""),
            object,
            "shop",
            r#"{"annotations":{"argocd.argoproj.io/tracking-id":"shop:/Service:ns/web"},"name":"web","namespace":"ns"}"#,
        );
    }

    #[test]
    fn only_the_object_the_mark_was_made_for_is_owned() {
        let blue = tracking("annotation", "blue");
        let mut object = bare("apps", "Deployment", "ns", "web");
        blue.set(&mut object, "shop", "dest").unwrap();
        assert_eq!(blue.app_of(&object), Some("shop"));
        assert_eq!(
            tracking("annotation", "green").app_of(&object),
            None,
            "another installation"
        );
        assert_eq!(tracking("label", "").app_of(&object), None);

        let mut copied = bare("apps", "ReplicaSet", "ns", "web-1");
        copied.set_annotation(INSTALLATION_ANNOTATION, "blue");
        copied.set_annotation(TRACKING_ANNOTATION, object.annotation(TRACKING_ANNOTATION).unwrap());
        assert_eq!(blue.app_of(&copied), None);
        assert!(!blue.is_self_tracked(&copied, None));
        assert!(blue.is_self_tracked(&object, None));

        let mut cluster = bare("", "Namespace", "", "prod");
        blue.set(&mut cluster, "shop", "dest").unwrap();
        assert_eq!(
            blue.app_of(&cluster),
            Some("shop"),
            "the destination namespace in the id does not matter"
        );
    }

    #[test]
    fn malformed_ids_are_no_ids() {
        for value in [
            "",
            "shop",
            "shop:apps/Deployment",
            "shop:apps:ns/web",
            "a:b/c/d:e/f",
            "a:b/c:d/e/f",
        ] {
            assert_eq!(TrackingId::parse(value), None, "{value:?}");
        }
        assert_eq!(
            TrackingId::parse("a:/b:/c").map(|id| id.to_string()).as_deref(),
            Some("a:/b:/c")
        );
        // A name may hold colons (RBAC); only the first two separate.
        assert_eq!(
            TrackingId::parse("a:b/c:d/system:x").map(|id| id.name),
            Some("system:x")
        );
    }

    #[test]
    fn names_of_instances() {
        assert_eq!(instance_name("argocd", "shop", "argocd"), "shop");
        assert_eq!(instance_name("team", "shop", "argocd"), "team_shop");
        assert_eq!(instance_name("", "shop", "argocd"), "shop");
    }
}
