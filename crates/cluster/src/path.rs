//! URL paths of the API, from kinds and names. Names come from manifests, so they never choose anything but one path segment (I-30).

use crate::discovery::ServedKind;

/// Why a name cannot be part of a URL path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a name: it may not be empty, `.` or `..`, nor contain `/` or `%`")]
pub(crate) struct BadName(String);

/// `/apis/apps/v1/namespaces/shop/deployments`; `namespace` empty means all namespaces, or a cluster-scoped kind.
pub(crate) fn collection(kind: &ServedKind, namespace: &str) -> Result<String, BadName> {
    let mut path = if kind.gvk.group.is_empty() {
        format!("/api/{}", segment(&kind.gvk.version)?)
    } else {
        format!("/apis/{}/{}", segment(&kind.gvk.group)?, segment(&kind.gvk.version)?)
    };
    if kind.namespaced && !namespace.is_empty() {
        path.push_str("/namespaces/");
        path.push_str(&segment(namespace)?);
    }
    path.push('/');
    path.push_str(&segment(&kind.plural)?);
    Ok(path)
}

/// The path of one object.
pub(crate) fn object(kind: &ServedKind, namespace: &str, name: &str) -> Result<String, BadName> {
    Ok(format!("{}/{}", collection(kind, namespace)?, segment(name)?))
}

/// A query string with its `?`, values escaped; empty without pairs.
pub(crate) fn query(pairs: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (key, value) in pairs {
        text.push(if text.is_empty() { '?' } else { '&' });
        text.push_str(key);
        text.push('=');
        escape(value, &mut text);
    }
    text
}

fn segment(name: &str) -> Result<String, BadName> {
    // The API server's own rule for names in paths (IsValidPathSegmentName). `/` stays refused even escaped: servers unescape first.
    if matches!(name, "" | "." | "..") || name.contains(['/', '%']) {
        return Err(BadName(name.to_owned()));
    }
    let mut text = String::with_capacity(name.len());
    escape(name, &mut text);
    Ok(text)
}

fn escape(text: &str, out: &mut String) {
    for b in text.bytes() {
        if b.is_ascii_alphanumeric() || b"-._~:".contains(&b) {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::kind_for_tests;

    #[test]
    fn names_stay_one_segment() {
        let role = kind_for_tests("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", false);
        assert_eq!(
            object(&role, "", "system:node proxy?").as_deref(),
            Ok("/apis/rbac.authorization.k8s.io/v1/clusterroles/system:node%20proxy%3F")
        );
        for bad in ["", "..", "a/b", "a%2fb"] {
            assert!(object(&role, "", bad).is_err(), "{bad}");
        }
        let pod = kind_for_tests("v1", "Pod", "pods", true);
        assert_eq!(collection(&pod, "shop").as_deref(), Ok("/api/v1/namespaces/shop/pods"));
        assert!(collection(&pod, "../secrets").is_err());
        assert_eq!(query(&[("a", "b=c,d"), ("e", "1")]), "?a=b%3Dc%2Cd&e=1");
    }
}
