//! `$NAME` and `${NAME}` in fields of a source [F4.12].

use crate::request::Recorder;

/// Replaces variables of the build environment as the peer does: a name nobody knows becomes nothing, `$$` is one dollar, and a dollar
/// that no name follows stays.
pub(super) fn substitute(text: &str, recorder: &Recorder<'_>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let after = after.get(1..).unwrap_or_default();
        if after.is_empty() {
            rest = "$";
            break;
        }
        let (name, width) = name(after);
        match name {
            Some("$") => out.push('$'),
            Some(name) => out.push_str(recorder.variable(name).unwrap_or_default()),
            None if width == 0 => out.push('$'),
            // Braces without a name or without an end are swallowed.
            None => {}
        }
        rest = after.get(width..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// The name at the start of what follows a dollar, and how many bytes it takes.
fn name(text: &str) -> (Option<&str>, usize) {
    let special = |c: u8| matches!(c, b'*' | b'#' | b'$' | b'@' | b'!' | b'?' | b'-' | b'0'..=b'9');
    if let Some(inner) = text.strip_prefix('{') {
        return match inner.find('}') {
            Some(0) => (None, 2),
            Some(end) => (inner.get(..end), end + 2),
            None => (None, 1),
        };
    }
    let first = text.bytes().next().unwrap_or_default();
    if special(first) {
        return (text.get(..1), 1);
    }
    let length = text
        .bytes()
        .take_while(|c| c.is_ascii_alphanumeric() || *c == b'_')
        .count();
    (text.get(..length).filter(|n| !n.is_empty()), length)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::*;
    use crate::request::Surroundings;

    #[test]
    fn as_the_shell_writes_them() {
        let environment = BTreeMap::from([("ARGOCD_APP_NAME", "shop".to_owned())]);
        let charts = super::super::ChartCache::default();
        let surroundings = Surroundings {
            environment: &environment,
            capabilities: &Arc::default(),
            secret: None,
            now: crate::helm::Now {
                seconds: 0,
                nanos: 0,
                offset_seconds: 0,
            },
            charts: &charts,
            cancelled: None,
        };
        let recorder = Recorder::new(&surroundings);
        for (text, expected) in [
            ("", ""),
            ("plain", "plain"),
            ("$ARGOCD_APP_NAME-x", "shop-x"),
            ("a/${ARGOCD_APP_NAME}.yaml", "a/shop.yaml"),
            ("$$ARGOCD_APP_NAME", "$ARGOCD_APP_NAME"),
            ("$NOBODY!", "!"),
            ("5 $", "5 $"),
            ("$ 5", "$ 5"),
            ("${}x", "x"),
            ("${open", "open"),
            ("$1x", "x"),
            ("ä$ARGOCD_APP_NAME€", "äshop€"),
        ] {
            assert_eq!(substitute(text, &recorder), expected, "{text}");
        }
        let used = recorder.into_used();
        assert!(used.is_same(&surroundings));
        let other = BTreeMap::from([("ARGOCD_APP_NAME", "other".to_owned())]);
        let changed = Surroundings {
            environment: &other,
            ..surroundings
        };
        assert!(!used.is_same(&changed));
    }
}
