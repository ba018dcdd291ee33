//! Names and addresses that `helm lint` looks at: those of Kubernetes objects by kind, e-mail addresses, URLs.

/// What is wrong with the name of an object, in the words of Kubernetes.
pub(crate) fn problems(kind: &str, name: &str) -> Vec<String> {
    match &*kind.to_lowercase() {
        "service" => {
            let good = name.starts_with(|c: char| c.is_ascii_lowercase()) && is_label(name);
            checked(
                name,
                63,
                good,
                "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
            )
        }
        "namespace" => checked(
            name,
            63,
            is_label(name),
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
        ),
        "certificatesigningrequest" => Vec::new(),
        "role" | "clusterrole" | "rolebinding" | "clusterrolebinding" => match name {
            "." => vec!["may not be '.'".to_owned()],
            ".." => vec!["may not be '..'".to_owned()],
            name => ['/', '%']
                .into_iter()
                .filter(|c| name.contains(*c))
                .map(|c| format!("may not contain '{c}'"))
                .collect(),
        },
        _ => checked(
            name,
            253,
            name.split('.').all(is_label),
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
        ),
    }
}

fn checked(name: &str, longest: usize, good: bool, problem: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if name.len() > longest {
        problems.push(format!("must be no more than {longest} characters"));
    }
    if !good {
        problems.push(problem.to_owned());
    }
    problems
}

fn is_label(part: &str) -> bool {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    edge(part.chars().next())
        && edge(part.chars().next_back())
        && part
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// Whether a text looks like an e-mail address.
pub(crate) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let plain = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    !local.is_empty()
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && local.chars().all(plain)
        && is_domain(domain)
        && domain.contains('.')
}

/// Whether a text looks like a URL, with or without a scheme.
pub(crate) fn is_url(text: &str) -> bool {
    if text.len() <= 3 || text.len() >= 2083 || text.starts_with('.') || text.contains(char::is_whitespace) {
        return false;
    }
    let rest = match text.split_once("://") {
        Some((scheme, rest)) => {
            let schemes = ["http", "https", "ftp", "tcp", "udp", "ws", "wss", "irc", "rtmp"];
            if !schemes.contains(&scheme) {
                return false;
            }
            rest
        }
        None => text,
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (host, port) = host.rsplit_once(':').unwrap_or((host, "80"));
    port.parse::<u16>().is_ok() && (host == "localhost" || (is_domain(host) && host.contains('.')))
}

/// Whether a text is a URL with a scheme, as a request has one.
pub(crate) fn is_request_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(plain)
        && rest.starts_with('/')
        && !rest.chars().any(|c| c.is_control() || c == ' ')
}

fn is_domain(text: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
    };
    !text.is_empty() && text.trim_end_matches('.').split('.').all(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rules_of_their_kind() {
        for (kind, name, good) in [
            ("ConfigMap", "a.b-1", true),
            ("ConfigMap", "A", false),
            ("ConfigMap", "", false),
            ("Service", "1a", false),
            ("Service", "a-1", true),
            ("Namespace", "a.b", false),
            ("ClusterRole", "system:x", true),
            ("Role", "a/b", false),
            ("CertificateSigningRequest", "", true),
        ] {
            assert_eq!(problems(kind, name).is_empty(), good, "{kind} {name:?}");
        }
        assert_eq!(
            problems("Service", &"a".repeat(64)),
            ["must be no more than 63 characters"]
        );
    }

    #[test]
    fn addresses() {
        for (text, good) in [
            ("a@b.io", true),
            ("a b@c.io", false),
            ("a@b", false),
            ("@b.io", false),
            ("a", false),
        ] {
            assert_eq!(is_email(text), good, "{text}");
        }
        for (text, good) in [
            ("https://example.com/x", true),
            ("example.com", true),
            ("gopher://example.com", false),
            ("nowhere", false),
            ("http://localhost:8080", true),
        ] {
            assert_eq!(is_url(text), good, "{text}");
        }
        for (text, good) in [
            ("https://h/x", true),
            ("example.com", false),
            ("file:///x", true),
            ("git+ssh://h/x", true),
        ] {
            assert_eq!(is_request_url(text), good, "{text}");
        }
    }
}
