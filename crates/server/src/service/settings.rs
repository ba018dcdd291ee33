//! Settings of the installation.

use crate::api::{Answer, InstallationSettings, SettingsService};
use crate::core::Core;

impl SettingsService for Core {
    fn get(&self) -> Answer<'_, InstallationSettings> {
        Box::pin(async move {
            let kind = self.kind("", "ConfigMap").await?;
            let found = self
                .store()
                .find(&kind, &self.config.control_namespace, "argocd-cm")
                .await?;
            let text = |key: &str| {
                let map = found.as_ref().map(|o| o.value());
                map.and_then(|v| v.str_at(&["data", key]))
                    .unwrap_or_default()
                    .to_owned()
            };
            let method = match text("application.resourceTrackingMethod") {
                known if matches!(known.as_str(), "label" | "annotation+label") => known,
                // Anything else means the annotation, as at the peer [F2.6].
                _ => "annotation".to_owned(),
            };
            let label = text("application.instanceLabelKey");
            Ok(InstallationSettings {
                controller_namespace: self.config.control_namespace.clone(),
                app_label_key: if label.is_empty() {
                    pintle_engine::track::DEFAULT_LABEL.to_owned()
                } else {
                    label
                },
                tracking_method: method,
                url: text("url"),
            })
        })
    }
}
