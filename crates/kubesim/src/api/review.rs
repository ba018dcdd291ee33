//! Access reviews: whoever has the token may do everything.

use pintle_model::Value;

use super::path::Target;

/// Answers a review that was posted.
pub fn answer(target: &Target, mut body: Value) -> Value {
    let kind = &*target.resource.kind;
    body.set_at(&["kind"], kind.into());
    body.set_at(
        &["apiVersion"],
        format!("{}/{}", target.resource.gr.group, target.version).into(),
    );
    if body.get("metadata").is_none() {
        body.set_at(&["metadata"], Value::map());
    }
    match kind {
        "SelfSubjectRulesReview" => {
            body.set_at(
                &["status", "resourceRules"],
                Value::list(vec![everything(&["apiGroups", "resources", "verbs"])]),
            );
            body.set_at(
                &["status", "nonResourceRules"],
                Value::list(vec![everything(&["nonResourceURLs", "verbs"])]),
            );
            body.set_at(&["status", "incomplete"], false.into());
        }
        "SelfSubjectReview" => {
            body.set_at(&["status", "userInfo", "username"], USER.into());
            body.set_at(
                &["status", "userInfo", "groups"],
                Value::list(vec!["system:masters".into(), "system:authenticated".into()]),
            );
        }
        _ => {
            body.set_at(&["status", "allowed"], true.into());
            body.set_at(
                &["status", "reason"],
                "the evaluation control plane allows everything".into(),
            );
        }
    }
    body
}

/// The one user there is.
const USER: &str = "kubernetes-admin";

fn everything(fields: &[&str]) -> Value {
    let mut rule = Value::map();
    for field in fields {
        rule.set_at(&[field], Value::list(vec!["*".into()]));
    }
    rule
}
