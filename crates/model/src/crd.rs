//! CustomResourceDefinitions of our kinds, made from their types.
//!
//! ```text
//! types ── schemars ──► JSON Schema ── structural ──► openAPIV3Schema ── names, columns ──► CustomResourceDefinition ──► YAML
//! ```
//!
//! `cargo xtask codegen crds` writes them to `manifests/crds/`; a test compares. Unknown fields that our types keep are pruned by the API server as
//! the peer's schemas have it; places that hold anything (`valuesObject`) are open.

mod structural;

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema};
use serde_json::{Value as Json, json};

use crate::application::{Application, GROUP, VERSION};
use crate::project::AppProject;
use crate::typed::from_json_value;
use crate::value::Value;

/// Largest CRD, in bytes: `kubectl apply` keeps a copy as JSON in an annotation, and annotations together may not be larger. The YAML texts are
/// smaller than this too, which is easier to see.
pub const MAX_SIZE: usize = 262_144;

/// The CustomResourceDefinitions: file name under `manifests/crds/` and YAML text.
pub fn crds() -> Vec<(&'static str, String)> {
    definitions()
        .map(|(file, crd)| (file, pintle_yaml::to_string(&(&crd).into())))
        .into()
}

/// As [`crds`], as values: what a client creates.
pub fn definitions() -> [(&'static str, Value); 2] {
    let column = |name: &str, path: &str| json!({ "name": name, "jsonPath": path, "type": "string" });
    let wide_column =
        |name: &str, path: &str| json!({ "name": name, "jsonPath": path, "type": "string", "priority": 10 });
    [
        (
            "application-crd.yaml",
            definition::<Application>(
                &Names {
                    kind: Application::KIND,
                    plural: "applications",
                    singular: "application",
                    short: &["app", "apps"],
                },
                vec![
                    column("Sync Status", ".status.sync.status"),
                    column("Health Status", ".status.health.status"),
                    wide_column("Revision", ".status.sync.revision"),
                    wide_column("Project", ".spec.project"),
                ],
            ),
        ),
        (
            "appproject-crd.yaml",
            definition::<AppProject>(
                &Names {
                    kind: AppProject::KIND,
                    plural: "appprojects",
                    singular: "appproject",
                    short: &["appproj", "appprojs"],
                },
                Vec::new(),
            ),
        ),
    ]
}

struct Names {
    kind: &'static str,
    plural: &'static str,
    singular: &'static str,
    short: &'static [&'static str],
}

/// One definition. No status subresource: both kinds are written whole [F1.2].
fn definition<T: JsonSchema>(names: &Names, columns: Vec<Json>) -> Value {
    let Names {
        kind,
        plural,
        singular,
        short,
    } = names;
    let mut version = json!({
        "name": VERSION,
        "served": true,
        "storage": true,
        "schema": { "openAPIV3Schema": schema::<T>() },
    });
    if !columns.is_empty() {
        version["additionalPrinterColumns"] = columns.into();
    }
    from_json_value(json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": format!("{plural}.{GROUP}"),
            "labels": { "app.kubernetes.io/name": format!("{plural}.{GROUP}"), "app.kubernetes.io/part-of": "argocd" },
        },
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": { "kind": kind, "listKind": format!("{kind}List"), "plural": plural, "singular": singular, "shortNames": short },
            "versions": [version],
        },
    }))
}

/// The structural schema of a kind.
fn schema<T: JsonSchema>() -> Json {
    let generator = SchemaSettings::openapi3()
        .with(|s| s.inline_subschemas = true)
        .into_generator();
    let mut schema = structural::structural(generator.into_root_schema_for::<T>().to_value());
    for (field, about) in [
        ("apiVersion", "Group and version of the object."),
        ("kind", "Kind of the object."),
    ] {
        schema["properties"][field] = json!({ "type": "string", "description": about });
    }
    // The API server describes metadata itself and refuses a schema that says anything about it, a description included.
    schema["properties"]["metadata"] = json!({ "type": "object" });
    // Sources come back eight times in `status` and `operation`; described there again, the definition would be too large.
    for field in ["status", "operation"] {
        if let Some(below) = schema["properties"].get_mut(field) {
            structural::describe_once(below, &["source", "sources", "sourceHydrator"]);
        }
    }
    schema
}

/// The schema of a field that holds whatever stands there.
pub(crate) fn anything(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "x-kubernetes-preserve-unknown-fields": true })
}

/// The schema of a field that holds any JSON object.
pub(crate) fn any_object(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true })
}
