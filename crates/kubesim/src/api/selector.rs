//! Label and field selectors.

use pintle_model::{Object, Value};

use crate::error::ApiError;
use crate::resource::Resource;

/// A parsed label selector: every requirement must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelSelector(Vec<Requirement>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    operator: Operator,
    values: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    In,
    NotIn,
    Exists,
    Absent,
}

impl LabelSelector {
    /// Reads `a=b,c!=d,e in (f,g),h notin (i),j,!k`.
    pub fn parse(text: &str) -> Result<Self, ApiError> {
        let mut requirements = Vec::new();
        for part in split_outside_parentheses(text) {
            let part = part.trim();
            if part.is_empty() {
                continue;
            }
            let bad = || ApiError::bad_request(format!("unable to parse requirement: {part:?}"));
            let requirement = if let Some(open) = part.find('(') {
                let inside = part.get(open + 1..).and_then(|t| t.strip_suffix(')')).ok_or_else(bad)?;
                let mut words = part.get(..open).unwrap_or_default().split_whitespace();
                let (key, word) = (words.next().ok_or_else(bad)?, words.next().ok_or_else(bad)?);
                let operator = match word {
                    "in" => Operator::In,
                    "notin" => Operator::NotIn,
                    _ => return Err(bad()),
                };
                let values = inside.split(',').map(|v| v.trim().to_owned()).collect();
                Requirement {
                    key: key.into(),
                    operator,
                    values,
                }
            } else if let Some((key, value)) = part.split_once("!=") {
                Requirement {
                    key: key.trim().into(),
                    operator: Operator::NotIn,
                    values: vec![value.trim().into()],
                }
            } else if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
                Requirement {
                    key: key.trim().into(),
                    operator: Operator::In,
                    values: vec![value.trim().into()],
                }
            } else if let Some(key) = part.strip_prefix('!') {
                Requirement {
                    key: key.trim().into(),
                    operator: Operator::Absent,
                    values: Vec::new(),
                }
            } else {
                Requirement {
                    key: part.into(),
                    operator: Operator::Exists,
                    values: Vec::new(),
                }
            };
            if requirement.key.is_empty() || requirement.key.contains(char::is_whitespace) {
                return Err(bad());
            }
            requirements.push(requirement);
        }
        Ok(Self(requirements))
    }

    /// Reads a `metav1.LabelSelector` value; an empty one matches everything.
    pub fn from_value(selector: &Value) -> Self {
        let mut requirements = Vec::new();
        for (key, value) in selector
            .get("matchLabels")
            .and_then(Value::as_map)
            .into_iter()
            .flat_map(|m| m.iter())
        {
            let values = vec![value.as_str().unwrap_or_default().to_owned()];
            requirements.push(Requirement {
                key: key.into(),
                operator: Operator::In,
                values,
            });
        }
        for expression in selector.list_at(&["matchExpressions"]) {
            let operator = match expression.str_at(&["operator"]) {
                Some("In") => Operator::In,
                Some("NotIn") => Operator::NotIn,
                Some("Exists") => Operator::Exists,
                _ => Operator::Absent,
            };
            requirements.push(Requirement {
                key: expression.str_at(&["key"]).unwrap_or_default().into(),
                operator,
                values: expression
                    .list_at(&["values"])
                    .iter()
                    .filter_map(|v| v.as_str().map(str::to_owned))
                    .collect(),
            });
        }
        Self(requirements)
    }

    /// Whether it selects everything.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `labels` (a map, or nothing) satisfy every requirement.
    pub fn matches(&self, labels: Option<&Value>) -> bool {
        self.0.iter().all(|r| {
            let value = labels.and_then(|l| l.get(&r.key)).and_then(Value::as_str);
            match r.operator {
                Operator::In => value.is_some_and(|v| r.values.iter().any(|x| x == v)),
                Operator::NotIn => value.is_none_or(|v| r.values.iter().all(|x| x != v)),
                Operator::Exists => value.is_some(),
                Operator::Absent => value.is_none(),
            }
        })
    }
}

fn split_outside_parentheses(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0_usize);
    for (i, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(text.get(start..i).unwrap_or_default());
                start = i + 1;
            }
            _ => {}
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
}

/// A parsed field selector: every term must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldSelector(Vec<Term>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    path: Vec<String>,
    equal: bool,
    value: String,
}

/// Fields that can be selected on besides metadata.name and metadata.namespace, by group and resource, as kube-apiserver registers them.
const FIELDS: &[(&str, &str, &[&str])] = &[
    (
        "",
        "pods",
        &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        ],
    ),
    (
        "",
        "events",
        &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
    ),
    (
        "events.k8s.io",
        "events",
        &[
            "reason",
            "reportingController",
            "regarding.kind",
            "regarding.namespace",
            "regarding.name",
            "regarding.uid",
            "type",
        ],
    ),
    ("", "namespaces", &["status.phase", "name"]),
    ("", "nodes", &["spec.unschedulable"]),
    ("", "secrets", &["type"]),
    ("", "services", &["spec.clusterIP", "spec.type"]),
    ("", "replicationcontrollers", &["status.replicas"]),
    ("apps", "replicasets", &["status.replicas"]),
    ("batch", "jobs", &["status.successful"]),
];

impl FieldSelector {
    /// Reads `a.b=c,d!=e`; a field the resource does not support is refused as kube-apiserver does.
    pub fn parse(text: &str, resource: &Resource) -> Result<Self, ApiError> {
        let mut terms = Vec::new();
        for part in text.split(',').map(str::trim).filter(|p| !p.is_empty()) {
            let (path, equal, value) = if let Some((p, v)) = part.split_once("!=") {
                (p, false, v)
            } else if let Some((p, v)) = part.split_once("==").or_else(|| part.split_once('=')) {
                (p, true, v)
            } else {
                return Err(ApiError::bad_request(format!(
                    "invalid selector: '{text}'; can't understand '{part}'"
                )));
            };
            if !supported(path, resource) {
                return Err(ApiError::bad_request(format!("field label not supported: {path}")));
            }
            let path = path.split('.').map(str::to_owned).collect();
            terms.push(Term {
                path,
                equal,
                value: value.into(),
            });
        }
        Ok(Self(terms))
    }

    /// Whether it selects everything.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an object in the served version satisfies every term; an absent field counts as empty.
    pub fn matches(&self, object: &Object) -> bool {
        self.0.iter().all(|term| {
            let path: Vec<&str> = term.path.iter().map(String::as_str).collect();
            let found = match path.as_slice() {
                ["name"] => object.name().to_owned(),
                ["source"] => text_of(object.value().at(&["source", "component"])),
                ["spec", "unschedulable" | "hostNetwork"] => object.value().bool_at(&path).unwrap_or(false).to_string(),
                ["status", "successful"] => object.value().i64_at(&["status", "succeeded"]).unwrap_or(0).to_string(),
                path => text_of(object.value().at(path)),
            };
            (found == term.value) == term.equal
        })
    }
}

fn supported(path: &str, resource: &Resource) -> bool {
    if path == "metadata.name" || (path == "metadata.namespace" && resource.namespaced) {
        return true;
    }
    if let Some(custom) = &resource.custom {
        return custom.selectable.iter().any(|f| f == path);
    }
    FIELDS
        .iter()
        .any(|(g, r, fields)| resource.gr.is(g, r) && fields.contains(&path))
}

fn text_of(value: Option<&Value>) -> String {
    match value {
        Some(Value::Str(s)) => s.to_string(),
        Some(Value::Int(i)) => i.to_string(),
        Some(Value::Bool(b)) => b.to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(selector: &str, labels: &str, expected: bool) {
        let labels = Value::from_json(labels.as_bytes()).ok();
        let selector = LabelSelector::parse(selector).expect("parses");
        assert_eq!(selector.matches(labels.as_ref()), expected);
    }

    #[test]
    fn label_selectors_match_as_in_apimachinery() {
        let labels = r#"{"app":"web","tier":"front"}"#;
        check("", labels, true);
        check("app=web", labels, true);
        check("app==web,tier!=back", labels, true);
        check("app in (web, api),tier", labels, true);
        check("app notin (web)", labels, false);
        check("missing notin (web)", labels, true);
        check("!missing", labels, true);
        check("missing", labels, false);
        assert!(LabelSelector::parse("a in b").is_err_and(|e| e.code == 400));
    }

    #[test]
    fn field_selectors_know_their_resource() {
        let resources = crate::resource::Resources::built_in();
        let pods = resources
            .get(&crate::resource::GroupResource::new("", "pods"))
            .expect("pods");
        let pod = Object::from_json(
            br#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"status":{"phase":"Running"}}"#,
        )
        .expect("a pod");
        let check = |s: &str| FieldSelector::parse(s, pods).expect("parses").matches(&pod);
        assert!(check("status.phase=Running,spec.nodeName="));
        assert!(!check("status.phase!=Running"));
        assert!(!check("metadata.name=b"));
        assert_eq!(
            FieldSelector::parse("spec.x=1", pods).expect_err("refused").message,
            "field label not supported: spec.x"
        );
    }
}
