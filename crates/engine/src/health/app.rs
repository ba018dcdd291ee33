//! The health of an application, from that of its resources [F3.54].

use pintle_model::{Object, ResourceKey};

use super::{Health, HealthCode};

/// How many resources a message names; more are counted.
const CAUSES_SHOWN: usize = 3;

/// One resource of an application, hooks and skipped ones left out by the caller.
#[derive(Clone, Copy)]
pub struct Member<'a> {
    /// Which one.
    pub key: &'a ResourceKey,
    /// The live object, if there is one.
    pub live: Option<&'a Object>,
    /// Its health, where its kind has one; of no meaning without `live`.
    pub health: Option<&'a Health>,
}

/// Aggregates: the worst resource decides. `own` is the key of the application itself, which may be among its resources and then does
/// not count. No member at all is `Healthy`.
///
/// Missing resources do not count one by one (they show as OutOfSync); only when nothing at all is live the application is `Missing`.
pub fn aggregate(members: &[Member<'_>], own: &ResourceKey) -> Health {
    let mut worst = HealthCode::Healthy;
    let mut causes: Vec<&ResourceKey> = Vec::new();
    for member in members {
        let Some(status) = counted(member, own) else { continue };
        if status > worst {
            worst = status;
            causes.clear();
        }
        if status == worst && status != HealthCode::Healthy {
            causes.push(member.key);
        }
    }
    let nothing_lives = !members.is_empty() && members.iter().all(|m| m.live.is_none());
    if nothing_lives && worst < HealthCode::Missing {
        return Health::bare(HealthCode::Missing);
    }
    Health::new(worst, message(&causes))
}

/// The status with which a resource counts, if it does.
fn counted(member: &Member<'_>, own: &ResourceKey) -> Option<HealthCode> {
    let live = member.live?;
    if live.annotation("argocd.argoproj.io/ignore-healthcheck") == Some("true") || member.key == own {
        return None;
    }
    let status = member.health?.status;
    let child = &*member.key.group == "argoproj.io" && &*member.key.kind == "Application";
    (!child || !matches!(status, HealthCode::Missing | HealthCode::Unknown)).then_some(status)
}

fn message(causes: &[&ResourceKey]) -> String {
    if causes.is_empty() {
        return String::new();
    }
    let shown: Vec<String> = causes.iter().take(CAUSES_SHOWN).map(|key| cause(key)).collect();
    let more = causes.len().saturating_sub(CAUSES_SHOWN);
    let rest = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!("Caused by {}{rest}", shown.join(", "))
}

/// `[group/]kind:[namespace/]name`.
fn cause(key: &ResourceKey) -> String {
    let slash = |part: &str| {
        if part.is_empty() {
            String::new()
        } else {
            format!("{part}/")
        }
    };
    format!(
        "{}{}:{}{}",
        slash(&key.group),
        key.kind,
        slash(&key.namespace),
        key.name
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::health;

    /// Words `Kind/name=Status`; `-` as status means not live, `?` a kind without health, `!` after it the annotation that ignores it.
    fn check(members: &str, expected: &str) {
        let own = ResourceKey::new("argoproj.io", "Application", "argocd", "self");
        let parsed: Vec<(ResourceKey, Option<Object>, Option<Health>)> = members
            .split_whitespace()
            .map(|word| {
                let (id, status) = word.split_once('=').unwrap();
                let (kind, name) = id.split_once('/').unwrap();
                let (group, namespace) = if kind == "Application" {
                    ("argoproj.io", "argocd")
                } else {
                    ("", "ns")
                };
                let mut object = Object::bare(&pintle_model::Gvk::new(group, "v1", kind), namespace, name);
                if status.ends_with('!') {
                    object.set_annotation("argocd.argoproj.io/ignore-healthcheck", "true");
                }
                let code = match status.trim_end_matches('!') {
                    "-" => return (object.key(), None, None),
                    "?" => return (object.key(), Some(object), None),
                    "ok" => HealthCode::Healthy,
                    "prog" => HealthCode::Progressing,
                    "susp" => HealthCode::Suspended,
                    "bad" => HealthCode::Degraded,
                    "unknown" => HealthCode::Unknown,
                    "missing" => HealthCode::Missing,
                    other => panic!("{other}"),
                };
                (object.key(), Some(object), Some(Health::bare(code)))
            })
            .collect();
        let members: Vec<Member<'_>> = parsed
            .iter()
            .map(|(key, live, health)| Member {
                key,
                live: live.as_ref(),
                health: health.as_ref(),
            })
            .collect();
        assert_eq!(aggregate(&members, &own).to_string(), expected);
    }

    #[test]
    fn the_worst_speaks() {
        check("", "Healthy");
        check("A/a=ok B/b=?", "Healthy");
        check("A/a=ok B/b=prog", "Progressing: Caused by B:ns/b");
        check("A/a=bad B/b=prog C/c=bad", "Degraded: Caused by A:ns/a, C:ns/c");
        check(
            "A/a=bad B/b=bad C/c=bad D/d=bad E/e=bad",
            "Degraded: Caused by A:ns/a, B:ns/b, C:ns/c and 2 more",
        );
        check("A/a=susp B/b=ok", "Suspended: Caused by A:ns/a");
        check("A/a=unknown B/b=bad", "Unknown: Caused by A:ns/a");
    }

    #[test]
    fn missing_counts_only_when_nothing_lives() {
        check("A/a=- B/b=ok", "Healthy");
        check("A/a=- B/b=-", "Missing");
        check("A/a=- B/b=?", "Healthy");
    }

    #[test]
    fn some_do_not_count() {
        check("A/a=bad! B/b=ok", "Healthy");
        check("Application/child=unknown A/a=ok", "Healthy");
        check("Application/child=missing A/a=ok", "Healthy");
        check(
            "Application/child=bad A/a=ok",
            "Degraded: Caused by argoproj.io/Application:argocd/child",
        );
        check("Application/self=bad A/a=ok", "Healthy");
    }

    #[test]
    fn health_of_unknown_kinds_is_none() {
        assert!(health(&Object::bare(&pintle_model::Gvk::new("x", "v1", "Y"), "", "a")).is_none());
    }
}
