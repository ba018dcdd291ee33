//! Names, labels, annotations: the rules of every object.

use pintle_model::{Object, Value};

use crate::error::Cause;
use crate::resource::Resource;

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and \
    end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an \
    alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const LABEL_1035: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, \
    and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and \
    end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is \
    '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const QUALIFIED: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric \
    character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

/// How names of a kind are formed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Subdomain,
    Label,
    Label1035,
    /// Anything that fits in a path: RBAC names such as `system:node`.
    Path,
}

fn form_of(resource: &Resource) -> Form {
    match (&*resource.gr.group, &*resource.gr.resource) {
        ("", "namespaces") => Form::Label,
        ("", "services") => Form::Label1035,
        ("rbac.authorization.k8s.io", _) => Form::Path,
        _ => Form::Subdomain,
    }
}

/// Checks name, labels, annotations, finalizers and owner references.
pub(super) fn check(resource: &Resource, object: &Object) -> Vec<Cause> {
    let mut causes = Vec::new();
    let form = form_of(resource);
    let generated = object.name().is_empty();
    let (field, name) = if generated {
        // The suffix makes the last character fine.
        ("metadata.generateName", format!("{}a", object.generate_name()))
    } else {
        ("metadata.name", object.name().to_owned())
    };
    let shown = if generated {
        object.generate_name()
    } else {
        object.name()
    };
    if let Some(why) = name_problem(&name, form) {
        causes.push(Cause::invalid(field, format!("{shown:?}"), &why));
    }
    for (key, value) in entries(object, "labels") {
        check_key(key, "metadata.labels", &mut causes);
        let value = value.as_str().unwrap_or_default();
        if value.len() > 63 {
            causes.push(Cause::invalid(
                "metadata.labels",
                format!("{value:?}"),
                "must be no more than 63 bytes",
            ));
        } else if !value.is_empty() && !is_qualified_part(value) {
            causes.push(Cause::invalid("metadata.labels", format!("{value:?}"), LABEL_VALUE));
        }
    }
    let mut total = 0;
    for (key, value) in entries(object, "annotations") {
        check_key(&key.to_lowercase(), "metadata.annotations", &mut causes);
        total += key.len() + value.as_str().map_or(0, str::len);
    }
    if total > 256 * 1024 {
        causes.push(Cause {
            reason: "FieldValueTooLong",
            message: "Too long: may not be more than 262144 bytes".into(),
            field: "metadata.annotations".into(),
        });
    }
    for (i, owner) in object
        .value()
        .list_at(&["metadata", "ownerReferences"])
        .iter()
        .enumerate()
    {
        for required in ["apiVersion", "kind", "name", "uid"] {
            if owner.str_at(&[required]).is_none_or(str::is_empty) {
                causes.push(Cause::invalid(
                    format!("metadata.ownerReferences[{i}].{required}"),
                    "\"\"",
                    &format!("{required} must not be empty"),
                ));
            }
        }
    }
    causes
}

/// Rules for metadata that replaces other metadata.
pub(super) fn check_update(old: &Object, object: &Object) -> Vec<Cause> {
    let mut causes = Vec::new();
    if old.deletion_timestamp().is_some() {
        let before: Vec<&str> = old.finalizers().collect();
        let added: Vec<&str> = object.finalizers().filter(|f| !before.contains(f)).collect();
        if !added.is_empty() {
            let detail = format!(
                "no new finalizers can be added if the object is being deleted, found new finalizers {added:?}"
            );
            causes.push(Cause::forbidden("metadata.finalizers", &detail));
        }
    }
    causes
}

fn entries<'o>(object: &'o Object, field: &str) -> impl Iterator<Item = (&'o str, &'o Value)> + use<'o> {
    object
        .value()
        .at(&["metadata", field])
        .and_then(Value::as_map)
        .into_iter()
        .flat_map(|m| m.iter())
}

fn check_key(key: &str, field: &str, causes: &mut Vec<Cause>) {
    let (prefix, name) = key.rsplit_once('/').map_or((None, key), |(p, n)| (Some(p), n));
    if let Some(prefix) = prefix
        && let Some(why) = name_problem(prefix, Form::Subdomain)
    {
        causes.push(Cause::invalid(field, format!("{key:?}"), &format!("prefix part {why}")));
    }
    if name.is_empty() {
        causes.push(Cause::invalid(field, format!("{key:?}"), "name part must be non-empty"));
    } else if name.len() > 63 {
        causes.push(Cause::invalid(
            field,
            format!("{key:?}"),
            "name part must be no more than 63 bytes",
        ));
    } else if !is_qualified_part(name) {
        causes.push(Cause::invalid(field, format!("{key:?}"), QUALIFIED));
    }
}

fn is_qualified_part(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    text.bytes().all(inner)
        && text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
        && text.bytes().next_back().is_some_and(|b| b.is_ascii_alphanumeric())
}

fn name_problem(name: &str, form: Form) -> Option<String> {
    match form {
        Form::Path => match name {
            "." | ".." => Some(format!("may not be '{name}'")),
            _ => ["/", "%"]
                .iter()
                .find(|c| name.contains(**c))
                .map(|c| format!("may not contain '{c}'")),
        },
        Form::Subdomain if name.len() > 253 => Some("must be no more than 253 bytes".to_owned()),
        Form::Label | Form::Label1035 if name.len() > 63 => Some("must be no more than 63 bytes".to_owned()),
        Form::Subdomain => (!name.split('.').all(is_label)).then(|| SUBDOMAIN.to_owned()),
        Form::Label => (!is_label(name)).then(|| LABEL.to_owned()),
        Form::Label1035 => {
            (!is_label(name) || name.starts_with(|c: char| c.is_ascii_digit())).then(|| LABEL_1035.to_owned())
        }
    }
}

/// Whether it is an RFC 1123 label, its length aside.
pub(super) fn is_label(text: &str) -> bool {
    text.bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.is_empty()
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// The reason for refusing a container, port or volume name; `None` if it is a label.
pub(super) fn label_problem(name: &str) -> Option<String> {
    name_problem(name, Form::Label)
}
