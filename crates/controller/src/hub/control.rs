//! What the control namespace holds: Applications, projects, Secrets, and what a change of one means for the others.

use std::collections::BTreeSet;
use std::sync::Arc;

use pintle_cluster::ServedKind;
use pintle_engine::track::instance_name;
use pintle_model::application::Application;
use pintle_model::project::AppProject;
use pintle_model::{GroupKind, Object};
use tokio::time::Instant;

use super::{Hub, is_older};
use crate::app_state::AppState;
use crate::clock;
use crate::event::AppKey;
use crate::intake;

impl Hub {
    /// The whole of a kind of the control namespace.
    pub(super) fn control_reset(&mut self, kind: &ServedKind, objects: &[Object]) {
        let group_kind = kind.gvk.group_kind();
        let names: BTreeSet<&str> = objects
            .iter()
            .filter(|o| o.namespace() == self.config.control_namespace)
            .map(Object::name)
            .collect();
        match control_kind(&group_kind) {
            Some(Control::Application) => {
                let present: BTreeSet<AppKey> = objects.iter().map(app_key).collect();
                let gone: Vec<AppKey> = self.apps.keys().filter(|k| !present.contains(k)).cloned().collect();
                for key in gone {
                    self.forget(&key);
                }
            }
            Some(Control::Project) => {
                let gone: Vec<String> = self
                    .projects
                    .keys()
                    .filter(|n| !names.contains(n.as_str()))
                    .cloned()
                    .collect();
                for name in gone {
                    self.project_gone(&name);
                }
            }
            Some(Control::Secret) => {
                if self.credentials.keep(&names) {
                    self.config.repositories.set_credentials(self.credentials.book());
                }
            }
            Some(Control::ConfigMap) | None => {}
        }
        for object in objects {
            self.control_applied(object);
        }
    }

    pub(super) fn control_applied(&mut self, object: &Object) {
        let kind = GroupKind::new(object.group(), object.kind());
        let Some(control) = control_kind(&kind) else { return };
        if control == Control::Application {
            return self.application(object);
        }
        if object.namespace() != self.config.control_namespace {
            return;
        }
        match control {
            Control::Application => {}
            Control::Project => self.project(object),
            Control::Secret => {
                if self.credentials.secret(object) {
                    self.config.repositories.set_credentials(self.credentials.book());
                    self.credentials_changed();
                }
            }
            Control::ConfigMap if intake::is_authorities(object) => {
                if self.credentials.authorities(object) {
                    self.config.repositories.set_credentials(self.credentials.book());
                    self.credentials_changed();
                }
            }
            Control::ConfigMap if intake::is_settings(object) => {
                if self.is_started {
                    tracing::warn!(
                        config_map = object.name(),
                        "settings changed; this version reads them at its start, so restart it to use them"
                    );
                }
            }
            Control::ConfigMap => {}
        }
    }

    pub(super) fn control_deleted(&mut self, object: &Object) {
        match control_kind(&GroupKind::new(object.group(), object.kind())) {
            Some(Control::Application) => self.forget(&app_key(object)),
            Some(Control::Project) if object.namespace() == self.config.control_namespace => {
                self.project_gone(object.name())
            }
            Some(Control::Secret)
                if object.namespace() == self.config.control_namespace && self.credentials.remove(object.name()) =>
            {
                self.config.repositories.set_credentials(self.credentials.book());
                self.credentials_changed();
            }
            _ => {}
        }
    }

    /// New credentials may cure what failed: whoever could not render tries now, also where nothing but somebody's change could help.
    fn credentials_changed(&mut self) {
        // A render under way may have asked with the old ones already.
        self.render_again(|state| state.render.has_failed() || state.render.in_flight.is_some());
    }

    pub(super) fn render_again(&mut self, who: impl Fn(&AppState) -> bool) {
        let now = clock::now();
        let all = self.apps.iter_mut().filter(|(_, state)| who(state));
        let keys: Vec<AppKey> = all
            .map(|(key, state)| {
                state.render.ask(Instant::now());
                key.clone()
            })
            .collect();
        for key in keys {
            self.schedule(&key, now);
        }
    }

    fn project(&mut self, object: &Object) {
        match AppProject::from_object(object) {
            Ok(project) => {
                let name = project.metadata.name.clone();
                self.projects_seen
                    .set(name.as_str(), project.metadata.resource_version.as_str());
                let old = self.projects.get(&name);
                let changed = old.is_none_or(|old| old.spec != project.spec);
                let reads_other = old.is_none_or(|old| old.spec.source_repos != project.spec.source_repos);
                self.projects.insert(name.clone(), project);
                if changed {
                    self.project_changed(&name);
                }
                if reads_other && self.is_started {
                    // What a remote base may be is decided by the render.
                    self.render_again(|state| state.app.spec.project_or_default() == name);
                }
            }
            Err(e) => {
                tracing::warn!(project = object.name(), error = %e, "a project cannot be read; it permits nothing");
                self.project_gone(object.name());
            }
        }
    }

    fn project_gone(&mut self, name: &str) {
        self.projects_seen.remove(name);
        if self.projects.remove(name).is_some() {
            self.project_changed(name);
        }
    }

    fn project_changed(&mut self, name: &str) {
        let users: Vec<AppKey> = self
            .apps
            .iter()
            .filter(|(_, s)| s.app.spec.project_or_default() == name)
            .map(|(k, _)| k.clone())
            .collect();
        for key in users {
            self.soon(&key);
        }
    }

    fn application(&mut self, object: &Object) {
        let key = app_key(object);
        let app = match Application::from_object(object) {
            Ok(app) => app,
            Err(e) => {
                tracing::warn!(application = %key.name, error = %e, "an Application cannot be read; it is left alone");
                return self.forget(&key);
            }
        };
        if !self.is_ours(&key.namespace) {
            return;
        }
        match self.apps.get_mut(&key) {
            Some(state) if state.app.metadata.uid == app.metadata.uid => {
                if is_older(&app.metadata.resource_version, &state.app.metadata.resource_version) {
                    return;
                }
                if app.metadata.annotation(pintle_model::annotation::REFRESH).is_some()
                    // Whoever changes them may have pushed before: what was listed until now does not do.
                    || (&state.app.spec.source, &state.app.spec.sources) != (&app.spec.source, &app.spec.sources)
                {
                    state.render.ask(Instant::now());
                }
                let interesting = state.app != app;
                if state.app.spec.ignore_differences != app.spec.ignore_differences {
                    state.cache.clear();
                }
                state.app = app;
                // What a refused write waited for is here.
                state.pause_until = None;
                if interesting {
                    self.schedule(&key, clock::now());
                }
            }
            _ => {
                self.forget(&key);
                let instance: Arc<str> =
                    instance_name(&key.namespace, &key.name, &self.config.control_namespace).into();
                self.by_instance.insert(Arc::clone(&instance), key.clone());
                let mut state = AppState::new(app, instance);
                if self.is_started {
                    // As for changed sources. Those that are there at the start share what is listed then.
                    state.render.ask(Instant::now());
                }
                self.apps.insert(key.clone(), state);
                self.schedule(&key, clock::now());
            }
        }
    }

    /// Whether Applications of a namespace are this installation's [F2.26].
    fn is_ours(&self, namespace: &str) -> bool {
        namespace == self.config.control_namespace
            || self
                .settings
                .application_namespaces
                .iter()
                .any(|p| pintle_model::glob::Glob::new(p).is_ok_and(|g| g.is_match(namespace)))
    }

    pub fn forget(&mut self, key: &AppKey) {
        let Some(state) = self.apps.remove(key) else { return };
        self.by_instance.remove(&state.instance);
        self.claim(&state.instance, &BTreeSet::new());
        self.index.retain_full(&state.instance, []);
        if let Some(at) = self.due_at.remove(key) {
            self.due.remove(&(at, key.clone()));
        }
        self.quiet.remove(key);
        self.writers.forget(key);
    }
}

/// Kinds of the control namespace that mean something to the hub itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Control {
    Application,
    Project,
    Secret,
    ConfigMap,
}

fn control_kind(kind: &GroupKind) -> Option<Control> {
    match (&*kind.group, &*kind.kind) {
        ("argoproj.io", "Application") => Some(Control::Application),
        ("argoproj.io", "AppProject") => Some(Control::Project),
        ("", "Secret") => Some(Control::Secret),
        ("", "ConfigMap") => Some(Control::ConfigMap),
        _ => None,
    }
}

fn app_key(object: &Object) -> AppKey {
    AppKey {
        namespace: object.namespace().into(),
        name: object.name().into(),
    }
}
