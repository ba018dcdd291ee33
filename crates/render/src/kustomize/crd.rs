//! `crds`: OpenAPI definitions of custom kinds, whose extensions say which fields hold names, labels and annotations.

use pintle_yaml::Yaml;

use super::config::{BackReference, Config};
use super::error::{Failure, Reason, Result};
use super::fieldspec::{FieldSpec, merge_all};
use super::id::Gvk;

/// Types inside one another. A type that holds itself would go on for ever, and Kustomize with it.
const MAX_DEPTH: usize = 64;

/// The rules that a file of definitions gives.
pub(super) fn rules(text: &str) -> Result<Config> {
    let yaml = pintle_yaml::parse(text)
        .map_err(|e| Failure::invalid(e.to_string()).within("unable to parse open API definition"))?;
    let Yaml::Map(definitions) = yaml else {
        return Err(Failure::invalid(
            "unable to parse open API definition: a map of definitions is needed",
        ));
    };
    let mut out = Config::default();
    for (name, _) in &definitions {
        let Some(properties) = properties(&definitions, name) else {
            continue;
        };
        // Only what is an object of its own.
        if ["kind", "apiVersion", "metadata"]
            .iter()
            .any(|field| get(properties, field).is_none())
        {
            continue;
        }
        let kind = Gvk {
            kind: name.rsplit('.').next().unwrap_or_default().to_owned(),
            ..Gvk::default()
        };
        let mut one = Config::default();
        collect(&definitions, name, &kind, &mut Vec::new(), &mut one)?;
        out.merge(&one)?;
    }
    Ok(out)
}

type Fields = [(String, Yaml)];

fn get<'y>(fields: &'y Fields, name: &str) -> Option<&'y Yaml> {
    fields
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

fn map<'y>(fields: &'y Fields, name: &str) -> Option<&'y Fields> {
    match get(fields, name) {
        Some(Yaml::Map(fields)) => Some(fields),
        _ => None,
    }
}

fn text<'y>(fields: &'y Fields, name: &str) -> Option<&'y str> {
    match get(fields, name) {
        Some(Yaml::String(text)) => Some(text),
        _ => None,
    }
}

fn properties<'y>(definitions: &'y Fields, name: &str) -> Option<&'y Fields> {
    let (_, Yaml::Map(definition)) = definitions.iter().find(|(key, _)| key == name)? else {
        return None;
    };
    map(map(definition, "Schema")?, "properties")
}

fn collect(definitions: &Fields, name: &str, kind: &Gvk, path: &mut Vec<String>, out: &mut Config) -> Result<()> {
    if path.len() > MAX_DEPTH {
        return Err(Failure::new(
            Reason::Cycle,
            format!("{name}: more than {MAX_DEPTH} types inside one another"),
        ));
    }
    for (property, schema) in properties(definitions, name).unwrap_or_default() {
        let Yaml::Map(schema) = schema else { continue };
        path.push(property.clone());
        let spec = |more: Option<&str>| {
            let parts: Vec<&str> = path.iter().map(String::as_str).chain(more).collect();
            FieldSpec {
                gvk: kind.clone(),
                path: parts.join("/"),
                create: false,
            }
        };
        for (extension, specs) in [
            ("x-kubernetes-annotation", &mut out.common_annotations),
            ("x-kubernetes-label-selector", &mut out.common_labels),
            ("x-kubernetes-identity", &mut out.name_prefix),
        ] {
            if text(schema, extension).is_some() {
                merge_all(specs, &[spec(None)])?;
            }
        }
        if let Some(version) = text(schema, "x-kubernetes-object-ref-api-version")
            && let Some(referred) = text(schema, "x-kubernetes-object-ref-kind")
        {
            let key = text(schema, "x-kubernetes-object-ref-name-key").unwrap_or("name");
            let gvk = Gvk {
                group: String::new(),
                version: version.to_owned(),
                kind: referred.to_owned(),
                ..Gvk::default()
            };
            let referrers = vec![spec(Some(key))];
            match out.name_reference.iter_mut().find(|r| r.gvk == gvk) {
                Some(same) => merge_all(&mut same.referrers, &referrers)?,
                None => out.name_reference.push(BackReference { gvk, referrers }),
            }
        }
        if let Some(reference) = text(schema, "$ref") {
            collect(definitions, reference, kind, path, out)?;
        }
        path.pop();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_become_rules() {
        let file = r#"{"x/v1.Bee": {"Schema": {"properties": {"kind": {}, "apiVersion": {}, "metadata": {}, "spec": {"$ref": "x/v1.Spec"}}}},
            "x/v1.Spec": {"Schema": {"properties": {
                "config": {"x-kubernetes-object-ref-api-version": "v1", "x-kubernetes-object-ref-kind": "ConfigMap"},
                "selector": {"x-kubernetes-label-selector": ""}}}}}"#;
        let config = rules(file).expect("it is read");
        let paths = |specs: &[FieldSpec]| {
            specs
                .iter()
                .map(|s| format!("{} {}", s.gvk.kind, s.path))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            paths(&config.common_labels),
            ["v1.Bee spec/selector".replace("v1.", "")]
        );
        let [reference] = config.name_reference.as_slice() else {
            panic!("one reference")
        };
        assert_eq!(
            (reference.gvk.kind.as_str(), reference.gvk.version.as_str()),
            ("ConfigMap", "v1")
        );
        assert_eq!(paths(&reference.referrers), ["Bee spec/config/name"]);
    }

    #[test]
    fn a_type_that_holds_itself_is_refused() {
        let file = r##"{"Bee": {"Schema": {"properties": {"kind": {}, "apiVersion": {}, "metadata": {}, "self": {"$ref": "Bee"}}}}}"##;
        assert!(rules(file).is_err_and(|e| e.reason == Reason::Cycle));
    }
}
