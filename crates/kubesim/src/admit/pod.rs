//! Pod specs, wherever they stand.

use std::collections::BTreeSet;

use pintle_model::Value;

use super::metadata::label_problem;
use crate::error::Cause;

/// Checks a pod spec at `path`; `restart_policies` are the allowed ones.
pub(super) fn check(spec: Option<&Value>, path: &str, restart_policies: &[&str]) -> Vec<Cause> {
    let mut causes = Vec::new();
    let Some(spec) = spec.filter(|s| s.as_map().is_some()) else {
        return vec![Cause::required(format!("{path}.containers"), "")];
    };
    let volumes: BTreeSet<&str> = spec
        .list_at(&["volumes"])
        .iter()
        .filter_map(|v| v.str_at(&["name"]))
        .collect();
    check_volumes(spec, path, &mut causes);
    if spec.list_at(&["containers"]).is_empty() {
        causes.push(Cause::required(format!("{path}.containers"), ""));
    }
    let mut names = BTreeSet::new();
    for list in ["initContainers", "containers"] {
        for (i, container) in spec.list_at(&[list]).iter().enumerate() {
            check_container(
                container,
                &format!("{path}.{list}[{i}]"),
                &volumes,
                &mut names,
                &mut causes,
            );
        }
    }
    let policy = spec.str_at(&["restartPolicy"]).unwrap_or("Always");
    if !restart_policies.contains(&policy) {
        causes.push(Cause::unsupported(
            format!("{path}.restartPolicy"),
            format!("{policy:?}"),
            restart_policies,
        ));
    }
    let grace = spec.i64_at(&["terminationGracePeriodSeconds"]).unwrap_or(30);
    if grace < 0 {
        causes.push(Cause::invalid(
            format!("{path}.terminationGracePeriodSeconds"),
            grace,
            "must be greater than or equal to 0",
        ));
    }
    causes
}

fn check_volumes(spec: &Value, path: &str, causes: &mut Vec<Cause>) {
    let mut seen = BTreeSet::new();
    for (i, volume) in spec.list_at(&["volumes"]).iter().enumerate() {
        let at = format!("{path}.volumes[{i}]");
        match volume.str_at(&["name"]).unwrap_or_default() {
            "" => causes.push(Cause::required(format!("{at}.name"), "")),
            name if !seen.insert(name) => causes.push(Cause::duplicate(format!("{at}.name"), format!("{name:?}"))),
            name => {
                if let Some(why) = label_problem(name) {
                    causes.push(Cause::invalid(format!("{at}.name"), format!("{name:?}"), &why));
                }
            }
        }
        if volume.as_map().is_some_and(|m| m.len() > 2) {
            causes.push(Cause::forbidden(at, "may not specify more than 1 volume type"));
        }
    }
}

fn check_container<'s>(
    container: &'s Value,
    at: &str,
    volumes: &BTreeSet<&str>,
    names: &mut BTreeSet<&'s str>,
    causes: &mut Vec<Cause>,
) {
    match container.str_at(&["name"]).unwrap_or_default() {
        "" => causes.push(Cause::required(format!("{at}.name"), "")),
        name if !names.insert(name) => causes.push(Cause::duplicate(format!("{at}.name"), format!("{name:?}"))),
        name => {
            if let Some(why) = label_problem(name) {
                causes.push(Cause::invalid(format!("{at}.name"), format!("{name:?}"), &why));
            }
        }
    }
    let image = container.str_at(&["image"]).unwrap_or_default();
    if image.is_empty() {
        causes.push(Cause::required(format!("{at}.image"), ""));
    } else if image.trim() != image {
        causes.push(Cause::invalid(
            format!("{at}.image"),
            format!("{image:?}"),
            "must not have leading or trailing whitespace",
        ));
    }
    let policy = container.str_at(&["imagePullPolicy"]).unwrap_or("Always");
    if !matches!(policy, "Always" | "IfNotPresent" | "Never") {
        causes.push(Cause::unsupported(
            format!("{at}.imagePullPolicy"),
            format!("{policy:?}"),
            &["Always", "IfNotPresent", "Never"],
        ));
    }
    for (i, port) in container.list_at(&["ports"]).iter().enumerate() {
        let number = port.i64_at(&["containerPort"]).unwrap_or(0);
        if number == 0 {
            causes.push(Cause::required(format!("{at}.ports[{i}].containerPort"), ""));
        } else if !(1..=65_535).contains(&number) {
            let field = format!("{at}.ports[{i}].containerPort");
            causes.push(Cause::invalid(field, number, "must be between 1 and 65535, inclusive"));
        }
    }
    for (i, mount) in container.list_at(&["volumeMounts"]).iter().enumerate() {
        let name = mount.str_at(&["name"]).unwrap_or_default();
        if !volumes.contains(name) {
            causes.push(Cause {
                reason: "FieldValueNotFound",
                message: format!("Not found: {name:?}"),
                field: format!("{at}.volumeMounts[{i}].name"),
            });
        }
        if mount.str_at(&["mountPath"]).is_none_or(str::is_empty) {
            causes.push(Cause::required(format!("{at}.volumeMounts[{i}].mountPath"), ""));
        }
    }
    for (i, env) in container.list_at(&["env"]).iter().enumerate() {
        if env.str_at(&["name"]).is_none_or(str::is_empty) {
            causes.push(Cause::required(format!("{at}.env[{i}].name"), ""));
        }
    }
    for (kind, quantities) in container
        .at(&["resources", "requests"])
        .and_then(Value::as_map)
        .into_iter()
        .flat_map(|m| m.iter())
    {
        let number = |v: &Value| v.as_str().and_then(crate::quantity::millis);
        let limit = container.at(&["resources", "limits", kind]).and_then(number);
        if let (Some(request), Some(limit)) = (number(quantities), limit)
            && request > limit
        {
            let shown = format!("{:?}", quantities.as_str().unwrap_or_default());
            let detail = format!(
                "must be less than or equal to {kind} limit of {}",
                container.str_at(&["resources", "limits", kind]).unwrap_or_default()
            );
            causes.push(Cause::invalid(format!("{at}.resources.requests"), shown, &detail));
        }
    }
}
