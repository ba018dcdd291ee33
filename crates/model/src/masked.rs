//! Objects as people may see them: Secrets with their values hidden.

use std::fmt;

use crate::annotation::LAST_APPLIED;
use crate::object::Object;
use crate::value::{Value, to_json_string};

/// What stands for a hidden value [F3.49].
pub const MASK: &str = "++++++++";

/// An object that is safe to show: of a Secret, the values of `data` and `stringData`, its last-applied copy and the annotations that settings name
/// are hidden. `Display` prints JSON.
///
/// One object alone: that two versions of a value differ shows nowhere here. A diff gives each distinct value a longer mask instead.
#[derive(Clone, PartialEq)]
pub struct Masked(Value);

impl Masked {
    /// Hides what `object` keeps secret. `annotations` are the names of `resource.sensitive.mask.annotations` [F2.7]; they count on Secrets only, as
    /// in the peer.
    pub fn new(object: &Object, annotations: &[String]) -> Self {
        let mut value = object.value().clone();
        if object.group().is_empty() && object.kind() == "Secret" {
            mask_secret(&mut value, annotations);
        } else {
            mask_items(&mut value, annotations);
        }
        Self(value)
    }

    /// Two states of one object, masked so that a secret value that differs between them still differs: in the second, it has one more `+`.
    pub fn pair(first: &Object, second: &Object, annotations: &[String]) -> (Self, Self) {
        let (masked_first, mut masked_second) = (Self::new(first, annotations), Self::new(second, annotations));
        if second.group().is_empty() && second.kind() == "Secret" {
            let fields = second.value().as_map().into_iter().flat_map(|map| map.iter());
            for field in fields.map(|(field, _)| field).filter(|field| !is_told(field)) {
                let (Some(before), Some(after)) = (first.value().get(field), second.value().get(field)) else {
                    continue;
                };
                let Some(shown) = masked_second.0.at_mut(&[field]).and_then(Value::as_map_mut) else {
                    continue;
                };
                for (key, value) in shown.iter_mut() {
                    if before.get(key).is_some_and(|old| Some(old) != after.get(key)) {
                        *value = format!("{MASK}+").into();
                    }
                }
            }
        }
        (masked_first, masked_second)
    }

    /// The value with everything secret hidden.
    pub fn value(&self) -> &Value {
        &self.0
    }

    /// As [`Masked::value`], moved out.
    pub fn into_value(self) -> Value {
        self.0
    }
}

impl fmt::Display for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&to_json_string(&self.0))
    }
}

/// Lists (`SecretList`, `v1/List`) carry Secrets as items, down to the depth a value may have.
fn mask_items(value: &mut Value, annotations: &[String]) {
    let list_of_secrets = value.str_at(&["kind"]) == Some("SecretList");
    let Some(items) = value.at_mut(&["items"]).and_then(Value::as_list_mut) else {
        return;
    };
    for item in items {
        let api_version = item.str_at(&["apiVersion"]).unwrap_or("v1");
        if list_of_secrets || (item.str_at(&["kind"]) == Some("Secret") && api_version == "v1") {
            mask_secret(item, annotations);
        } else {
            mask_items(item, annotations);
        }
    }
}

/// Whether a field of a Secret is shown. `data` and `stringData` are not, nor is a field that no Secret has: it may be one of them misspelt.
fn is_told(field: &str) -> bool {
    matches!(field, "apiVersion" | "kind" | "metadata" | "type" | "immutable")
}

fn mask_secret(secret: &mut Value, annotations: &[String]) {
    let fields = secret.as_map_mut().into_iter().flat_map(|map| map.iter_mut());
    for (_, content) in fields.filter(|(field, _)| !is_told(field)) {
        match content.as_map_mut() {
            Some(map) => map.iter_mut().for_each(|(_, value)| *value = MASK.into()),
            // A Secret whose data is no map is malformed; what it holds instead may still be secret.
            None => *content = MASK.into(),
        }
    }
    let Some(found) = secret.at_mut(&["metadata", "annotations"]).and_then(Value::as_map_mut) else {
        return;
    };
    for (name, value) in found.iter_mut() {
        if annotations.iter().any(|a| a == name) {
            *value = MASK.into();
        } else if name == LAST_APPLIED {
            *value = masked_copy(value, annotations);
        }
    }
}

/// The last-applied copy with its own values hidden; hidden whole where it cannot be read.
fn masked_copy(copy: &Value, annotations: &[String]) -> Value {
    match copy.as_str().map(|text| Value::from_json(text.as_bytes())) {
        Some(Ok(mut secret)) if secret.as_map().is_some() => {
            mask_secret(&mut secret, annotations);
            to_json_string(&secret).into()
        }
        _ => MASK.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(object: &str, expected: &str) {
        let object = Object::from_json(object.as_bytes()).expect("an object");
        let shown = Masked::new(&object, &["team/token".to_owned()]).to_string();
        assert_eq!(shown, expected);
        assert!(!shown.contains("CANARY"));
    }

    #[test]
    fn secrets_are_hidden_everywhere() {
        check(
            r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s","annotations":{"a":"shown","team/token":"CANARY1",
                "kubectl.kubernetes.io/last-applied-configuration":"{\"kind\":\"Secret\",\"data\":{\"k\":\"CANARY2\"},\"metadata\":{\"annotations\":{\"team/token\":\"CANARY3\"}}}"}},
                "data":{"k":"CANARY4","n":null},"stringData":{"k":"CANARY5","m":{"x":"CANARY6"}},"type":"Opaque"}"#,
            r#"{"apiVersion":"v1","data":{"k":"++++++++","n":"++++++++"},"kind":"Secret","metadata":{"annotations":{"a":"shown","kubectl.kubernetes.io/last-applied-configuration":"{\"data\":{\"k\":\"++++++++\"},\"kind\":\"Secret\",\"metadata\":{\"annotations\":{\"team/token\":\"++++++++\"}}}","team/token":"++++++++"},"name":"s"},"stringData":{"k":"++++++++","m":"++++++++"},"type":"Opaque"}"#,
        );
    }

    #[test]
    fn a_changed_secret_value_shows_that_it_changed_and_nothing_else() {
        let secret = |text: &str| Object::from_json(text.as_bytes()).unwrap_or_else(|e| panic!("{e}"));
        let one = secret(r#"{"apiVersion":"v1","kind":"Secret","data":{"a":"CANARY1","b":"CANARY2","gone":"x"}}"#);
        let two = secret(r#"{"apiVersion":"v1","kind":"Secret","data":{"a":"CANARY1","b":"CANARY3","new":"x"}}"#);
        let (one, two) = Masked::pair(&one, &two, &[]);
        let prefix = r#"{"apiVersion":"v1","data":{"a":"++++++++","b":"#;
        assert_eq!(
            one.to_string(),
            format!(r#"{prefix}"++++++++","gone":"++++++++"}},"kind":"Secret"}}"#)
        );
        assert_eq!(
            two.to_string(),
            format!(r#"{prefix}"+++++++++","new":"++++++++"}},"kind":"Secret"}}"#)
        );
    }

    #[test]
    fn malformed_secrets_are_hidden_too() {
        check(
            r#"{"apiVersion":"v1","kind":"Secret","data":["CANARY"],"metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{CANARY"}}}"#,
            r#"{"apiVersion":"v1","data":"++++++++","kind":"Secret","metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"++++++++"}}}"#,
        );
    }

    #[test]
    fn a_field_that_no_secret_has_may_be_one_misspelt() {
        check(
            r#"{"apiVersion":"v1","kind":"Secret","stringdata":{"k":"CANARY"},"spec":"CANARY","type":"Opaque","immutable":true}"#,
            r#"{"apiVersion":"v1","immutable":true,"kind":"Secret","spec":"++++++++","stringdata":{"k":"++++++++"},"type":"Opaque"}"#,
        );
    }

    #[test]
    fn secrets_in_lists_are_hidden_and_other_kinds_are_shown() {
        check(
            r#"{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Secret","data":{"k":"CANARY"}},{"apiVersion":"v1","kind":"ConfigMap","data":{"k":"shown"}}]}"#,
            r#"{"apiVersion":"v1","items":[{"apiVersion":"v1","data":{"k":"++++++++"},"kind":"Secret"},{"apiVersion":"v1","data":{"k":"shown"},"kind":"ConfigMap"}],"kind":"List"}"#,
        );
        check(
            r#"{"apiVersion":"v1","kind":"SecretList","items":[{"data":{"k":"CANARY"}}]}"#,
            r#"{"apiVersion":"v1","items":[{"data":{"k":"++++++++"}}],"kind":"SecretList"}"#,
        );
        check(
            r#"{"apiVersion":"bitnami.com/v1","kind":"Secret","data":{"k":"shown"}}"#,
            r#"{"apiVersion":"bitnami.com/v1","data":{"k":"shown"},"kind":"Secret"}"#,
        );
    }
}
