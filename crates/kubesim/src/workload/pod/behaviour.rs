//! What a simulated container does, decided by its image tag and its Pod's restart policy.

use pintle_model::{Object, Value};

use crate::workload::timing::{self, Span};

/// How one container behaves. A tag counts when it is the word itself or ends in `-word` (`shop:broken`, `shop:1.7-broken`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::workload) enum Behaviour {
    /// `broken`: the image cannot be pulled.
    NoImage,
    /// `crash`: panics soon after every start, never ready.
    Crash,
    /// `fail`: ends with exit code 1.
    Fail,
    /// `slow`: serves, but is ready late.
    Slow,
    /// Serves until it is stopped.
    Serve,
    /// Runs for a short time and succeeds: containers of Pods that are not restarted always, and init containers.
    Task,
}

/// Which list of a Pod a container is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::workload) enum Role {
    /// `spec.initContainers`.
    Init,
    /// `spec.initContainers` with `restartPolicy: Always`: starts in its turn and stays.
    Sidecar,
    /// `spec.containers`.
    Main,
}

impl Role {
    /// The role of an init container.
    pub(in crate::workload) fn of_init(container: &Value) -> Self {
        if container.str_at(&["restartPolicy"]) == Some("Always") {
            Self::Sidecar
        } else {
            Self::Init
        }
    }
}

impl Behaviour {
    pub(in crate::workload) fn of(container: &Value, pod: &Object, role: Role) -> Self {
        let tag = tag(container.str_at(&["image"]).unwrap_or_default());
        let is = |word: &str| tag == word || tag.strip_suffix(word).is_some_and(|t| t.ends_with('-'));
        let ends = match role {
            Role::Init => true,
            Role::Sidecar => false,
            Role::Main => restart_policy(pod) != "Always",
        };
        match () {
            () if is("broken") => Self::NoImage,
            () if is("crash") => Self::Crash,
            () if is("fail") => Self::Fail,
            () if ends => Self::Task,
            () if is("slow") => Self::Slow,
            () => Self::Serve,
        }
    }

    /// For how long it runs and how it exits; `None` for what serves.
    pub(in crate::workload) fn end(self, role: Role) -> Option<(Span, i64)> {
        match self {
            Self::Crash => Some((timing::CRASH_RUN, 2)),
            Self::Fail if role == Role::Init => Some((timing::INIT_RUN, 1)),
            Self::Fail => Some((timing::TASK_RUN, 1)),
            Self::Task if role == Role::Init => Some((timing::INIT_RUN, 0)),
            Self::Task => Some((timing::TASK_RUN, 0)),
            Self::NoImage | Self::Slow | Self::Serve => None,
        }
    }

    /// How long it takes from the start until it is ready.
    pub(in crate::workload) fn ready_after(self) -> Span {
        if self == Self::Slow {
            timing::READY_SLOW
        } else {
            timing::READY
        }
    }
}

/// `spec.restartPolicy`.
pub(in crate::workload) fn restart_policy(pod: &Object) -> &str {
    pod.value().str_at(&["spec", "restartPolicy"]).unwrap_or("Always")
}

/// The tag of an image reference; `latest` where there is none.
pub(in crate::workload) fn tag(image: &str) -> &str {
    let image = image.split_once('@').map_or(image, |(name, _)| name);
    let last = image.rsplit_once('/').map_or(image, |(_, last)| last);
    last.split_once(':').map_or("latest", |(_, tag)| tag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pintle_model::Gvk;

    #[test]
    fn a_tag_decides() {
        let mut pod = Object::bare(&Gvk::new("", "v1", "Pod"), "default", "p");
        let of = |pod: &Object, image: &str| {
            let mut c = Value::map();
            c.set_at(&["image"], image.into());
            Behaviour::of(&c, pod, Role::Main)
        };
        assert_eq!(of(&pod, "shop:broken"), Behaviour::NoImage);
        assert_eq!(
            of(&pod, "reg.example:5000/a/shop:1.7-broken@sha256:00"),
            Behaviour::NoImage
        );
        assert_eq!(of(&pod, "reg.example:5000/broken"), Behaviour::Serve);
        assert_eq!(of(&pod, "shop:unbroken"), Behaviour::Serve);
        assert_eq!(of(&pod, "shop:slow"), Behaviour::Slow);
        pod.value_mut().set_at(&["spec", "restartPolicy"], "Never".into());
        assert_eq!(of(&pod, "shop:1"), Behaviour::Task);
        assert_eq!(of(&pod, "shop:fail"), Behaviour::Fail);
    }
}
