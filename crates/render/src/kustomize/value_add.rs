//! Two built-in plugins that few use: ValueAddTransformer writes one value into many fields, IAMPolicyGenerator makes a service account.

use pintle_yaml::{Node, Scalar};
use serde::Deserialize;

use super::decode::{Form, decode};
use super::error::{Failure, Reason, Result};
use super::fieldspec::split_path;
use super::kustomization::Selector;
use super::loader::Loader;
use super::resource::{Resource, parse_resources};
use super::selector::Compiled;
use super::transform::{Subjects, put_into};

/// Fields of some objects.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ValueTarget {
    selector: Option<Selector>,
    field_path: String,
    file_path_position: i64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Targets {
    targets: Vec<ValueTarget>,
}

/// Writes a value into the fields of the targets, or into file paths that stand there. Without a value it is the directory's name.
pub(super) fn apply(
    loader: &Loader<'_, '_, '_>,
    resources: &mut [Resource],
    value: &str,
    mut targets: Vec<ValueTarget>,
    file: &str,
) -> Result<()> {
    let value = match value.trim() {
        "" if loader.root.name().is_empty() => {
            return Err(Failure::invalid(
                "ValueAddTransformer: a value is needed in a directory without a name",
            ));
        }
        "" => loader.root.name(),
        value => value,
    };
    if !file.is_empty() {
        let more: Targets = decode(&loader.load_text(file)?, Form::PLUGIN).map_err(|e| e.within(file))?;
        targets.extend(more.targets);
    }
    if targets.is_empty() {
        return Err(Failure::invalid("must specify at least one target"));
    }
    for target in &targets {
        if target.field_path.is_empty() {
            return Err(Failure::invalid("fieldPath cannot be empty"));
        }
        if target.file_path_position < 0 {
            return Err(Failure::invalid("filePathPosition cannot be negative"));
        }
    }
    for target in &targets {
        let selector = target.selector.as_ref().map(Compiled::new).transpose()?;
        let mut chosen = Vec::with_capacity(resources.len());
        for resource in resources.iter() {
            chosen.push(selector.as_ref().map_or(Ok(true), |s| s.fits_resource(resource))?);
        }
        for (resource, _) in resources.iter_mut().zip(chosen).filter(|(_, chosen)| *chosen) {
            if target.field_path == "metadata/namespace" {
                put_into(resource, value, &[], false, Subjects::Default)?;
                continue;
            }
            let id = resource.id();
            let parts = split_path(&target.field_path, '/');
            let field = find_or_create(&mut resource.node, &parts).map_err(|e| e.within(&id))?;
            let scalar = match field {
                // A list without that element stays as it is.
                None if target.file_path_position == 0 => continue,
                Some(Node::Scalar(scalar)) => scalar,
                _ => return Err(Failure::invalid("wrong node kind: expected a scalar").within(id)),
            };
            let text = match target.file_path_position {
                0 => value.to_owned(),
                at => with_part(&scalar.text, usize::try_from(at - 1).unwrap_or(usize::MAX), value),
            };
            scalar.put(Scalar::open(text));
            resource.shared.spread(&mut resource.node);
        }
    }
    Ok(())
}

/// The field at the end of a path, made where it is missing. `None` where a list has no such element.
fn find_or_create<'n>(node: &'n mut Node, path: &[String]) -> Result<Option<&'n mut Node>> {
    let wrong = |part: &str, wanted: &str| Failure::invalid(format!("wrong node kind: {part:?} needs a {wanted}"));
    let Some((part, rest)) = path.split_first() else {
        return Ok(Some(node));
    };
    let element = part.strip_prefix('[').and_then(|p| p.strip_suffix(']'));
    let index = part.parse::<i64>().ok();
    if element.is_some() || index.is_some() || part == "-" {
        let Node::Seq(items) = node else {
            return Err(wrong(part, "list"));
        };
        let at = match (element, index) {
            (Some(element), _) => {
                let (key, value) = element.split_once('=').ok_or_else(|| {
                    Failure::invalid("list path element must contain fieldName=fieldValue for element to match")
                })?;
                let fits = |item: &Node| match key {
                    "" => item.text() == Some(value),
                    key => item.get(key).and_then(Node::text) == Some(value),
                };
                let found = items.iter().position(fits);
                found.unwrap_or_else(|| {
                    items.push(match key {
                        "" => Node::Scalar(Scalar::open(value)),
                        key => Node::Map(vec![(key.to_owned(), Node::Scalar(Scalar::open(value)))]),
                    });
                    items.len() - 1
                })
            }
            (None, Some(index)) => usize::try_from(index)
                .map_err(|_| Failure::invalid(format!("array index {index} cannot be negative")))?,
            (None, None) => items.len().saturating_sub(1),
        };
        return items.get_mut(at).map_or(Ok(None), |item| find_or_create(item, rest));
    }
    if part == "*" {
        return Err(Failure::invalid("wildcard is not supported here"));
    }
    if node.is_null() {
        return Ok(None);
    }
    if !matches!(node, Node::Map(_)) {
        return Err(wrong(part, "map"));
    }
    if node.get(part).is_none() {
        let is_list = rest
            .first()
            .is_some_and(|next| next.starts_with('[') || next.parse::<u32>().is_ok());
        node.set(
            part,
            match rest.first() {
                None => Node::Scalar(Scalar::open("")),
                Some(_) if is_list => Node::Seq(Vec::new()),
                Some(_) => Node::Map(Vec::new()),
            },
        );
    }
    node.get_mut(part).map_or(Ok(None), |field| find_or_create(field, rest))
}

/// A file path with one more part. A path from the root stays one, and positions behind the end are the end.
fn with_part(path: &str, at: usize, part: &str) -> String {
    let (root, rest) = match path.strip_prefix('/') {
        Some(rest) => ("/", rest),
        None => ("", path),
    };
    let mut parts: Vec<&str> = rest.split('/').filter(|p| !p.is_empty()).collect();
    parts.insert(at.min(parts.len()), part);
    // Go cleans the paths that it joins.
    let mut clean: Vec<&str> = Vec::new();
    for part in parts.into_iter().flat_map(|p| p.split('/')) {
        match part {
            "" | "." => {}
            ".." if clean.last().is_some_and(|last| *last != "..") => {
                clean.pop();
            }
            ".." if !root.is_empty() => {}
            part => clean.push(part),
        }
    }
    format!("{root}{}", clean.join("/"))
}

/// The settings of IAMPolicyGenerator.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Policy {
    cloud: String,
    kubernetes_service: Service,
    service_account: Account,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Service {
    name: String,
    namespace: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Account {
    name: String,
    project_id: String,
}

/// A service account that stands for one of Google's.
pub(super) fn service_account(policy: Policy) -> Result<Vec<Resource>> {
    if policy.cloud != "gke" {
        let message = format!("cloud provider {} not supported yet", policy.cloud);
        return Err(Failure::new(Reason::Invalid, message));
    }
    let Policy {
        kubernetes_service: service,
        service_account: account,
        ..
    } = policy;
    // Kustomize puts the settings into the text of a document, so that they are read as YAML.
    let mut text = format!(
        "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  annotations:\n    iam.gke.io/gcp-service-account: \
         {}@{}.iam.gserviceaccount.com\n  name: {}\n",
        account.name, account.project_id, service.name
    );
    if !service.namespace.is_empty() {
        text.push_str(&format!("  namespace: {}\n", service.namespace));
    }
    parse_resources(&text)
}

#[cfg(test)]
mod tests {
    use super::with_part;

    #[test]
    fn a_part_goes_into_a_path() {
        for (path, at, expected) in [
            ("", 0, "PEACH"),
            ("/", 7, "/PEACH"),
            ("pie", 0, "PEACH/pie"),
            ("/pie", 0, "/PEACH/pie"),
            ("raw", 1, "raw/PEACH"),
            ("/raw", 9, "/raw/PEACH"),
            ("a/nice/warm/pie", 3, "a/nice/warm/PEACH/pie"),
        ] {
            assert_eq!(with_part(path, at, "PEACH"), expected, "{path} {at}");
        }
    }
}
