//! Label selectors.

use pintle_model::{Map, Object, Value};

/// `metav1.LabelSelector`, or the plain map of a Service.
pub(super) struct Selector {
    equal: Vec<(String, String)>,
    expressions: Vec<Expression>,
    /// Where nothing is required: whether that means everything.
    when_empty: bool,
}

struct Expression {
    key: String,
    operator: String,
    values: Vec<String>,
}

impl Selector {
    /// `spec.selector` of a workload. A missing or empty one selects nothing: the API refuses it, and to own every Pod would be worse.
    pub(super) fn of(workload: &Object) -> Self {
        Self::label_selector(workload.value().at(&["spec", "selector"]))
    }

    fn label_selector(selector: Option<&Value>) -> Self {
        let Some(selector) = selector else {
            return Self::plain(None);
        };
        let texts = |v: &Value| v.as_str().map(str::to_owned);
        let expressions = selector.list_at(&["matchExpressions"]).iter().map(|e| Expression {
            key: e.str_at(&["key"]).unwrap_or_default().into(),
            operator: e.str_at(&["operator"]).unwrap_or_default().into(),
            values: e.list_at(&["values"]).iter().filter_map(texts).collect(),
        });
        Self {
            expressions: expressions.collect(),
            ..Self::plain(selector.get("matchLabels").and_then(Value::as_map))
        }
    }

    /// A map of labels that must all be there, as in a Service or a `nodeSelector`.
    pub(super) fn plain(labels: Option<&Map>) -> Self {
        let pairs = labels.into_iter().flat_map(Map::iter);
        Self {
            equal: pairs
                .filter_map(|(k, v)| Some((k.to_owned(), v.as_str()?.to_owned())))
                .collect(),
            expressions: Vec::new(),
            when_empty: false,
        }
    }

    /// As it is, but with nothing required it selects everything (a `nodeSelector`).
    pub(super) fn or_everything(mut self) -> Self {
        self.when_empty = true;
        self
    }

    /// The labels that must be there.
    pub(super) fn pairs(&self) -> &[(String, String)] {
        &self.equal
    }

    /// Whether the object's labels are selected.
    pub(super) fn matches(&self, object: &Object) -> bool {
        if self.equal.is_empty() && self.expressions.is_empty() {
            return self.when_empty;
        }
        self.equal.iter().all(|(k, v)| object.label(k) == Some(v)) && self.expressions.iter().all(|e| e.matches(object))
    }
}

impl Expression {
    fn matches(&self, object: &Object) -> bool {
        let label = object.label(&self.key);
        match self.operator.as_str() {
            "In" => label.is_some_and(|l| self.values.iter().any(|v| v == l)),
            "NotIn" => label.is_none_or(|l| self.values.iter().all(|v| v != l)),
            "Exists" => label.is_some(),
            "DoesNotExist" => label.is_none(),
            _ => false,
        }
    }
}
