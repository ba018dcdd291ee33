//! `urlParse` and `urlJoin`, by the rules of Go's `net/url`.

use super::args::Args;
use super::show::quote;
use crate::function::{FuncError, Functions};
use crate::text::Str;
use crate::types::{Kind, MAP_ANY, Type as T};
use crate::value::{Map, Value};

pub(super) fn register(f: &mut Functions) {
    f.add("urlParse", &[T::String], T::Map(&MAP_ANY), |_, a| {
        let text = Args(a).bytes(0);
        let url = Url::parse(text).map_err(|e| FuncError::new(format!("unable to parse url: {e}")))?;
        let hostname = url.hostname().to_vec();
        let userinfo = url.user.as_ref().map(user_text).unwrap_or_default();
        let fields = [
            ("scheme", url.scheme),
            ("host", url.host),
            ("hostname", hostname),
            ("path", url.path),
            ("query", url.query),
            ("opaque", url.opaque),
            ("fragment", url.fragment),
            ("userinfo", userinfo),
        ];
        Ok(Value::map(
            fields
                .into_iter()
                .map(|(name, bytes)| (name, Value::Str(Str::from_vec(bytes)))),
        ))
    });
    f.add("urlJoin", &[T::Map(&MAP_ANY)], T::String, |_, a| {
        let empty = Map::new();
        let map = Args(a).map(0).unwrap_or(&empty);
        let field = |key: &str| -> Result<Vec<u8>, FuncError> {
            match map.get(key) {
                None => Ok(Vec::new()),
                Some(Value::Str(text)) => Ok(text.as_bytes().to_vec()),
                Some(Value::Nil) => Err(super::NIL_DEREFERENCE.into()),
                Some(other) if other.kind() == Kind::String => Ok(super::show::sprint(&other).as_bytes().to_vec()),
                Some(other) => Err(FuncError::new(format!(
                    "unable to parse {key} key, must be of type string, but {} found",
                    other.kind().name()
                ))),
            }
        };
        let mut url = Url {
            scheme: field("scheme")?,
            host: field("host")?,
            path: field("path")?,
            query: field("query")?,
            opaque: field("opaque")?,
            fragment: field("fragment")?,
            ..Url::default()
        };
        let userinfo = field("userinfo")?;
        if !userinfo.is_empty() {
            let text = [b"proto://".as_slice(), &userinfo, b"@host"].concat();
            let parsed = Url::parse(&text);
            url.user = parsed
                .map_err(|e| FuncError::new(format!("unable to parse userinfo in dict: {e}")))?
                .user;
        }
        Ok(Value::Str(Str::from_vec(url.print())))
    });
}

#[derive(Default)]
struct Url {
    scheme: Vec<u8>,
    opaque: Vec<u8>,
    /// Name and, if there is a colon, password; both decoded.
    user: Option<(Vec<u8>, Option<Vec<u8>>)>,
    host: Vec<u8>,
    path: Vec<u8>,
    query: Vec<u8>,
    force_query: bool,
    fragment: Vec<u8>,
    omit_host: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Path,
    Host,
    Zone,
    User,
    Fragment,
}

impl Url {
    fn parse(text: &[u8]) -> Result<Self, String> {
        let (before, fragment) = cut(text, b'#');
        let failed = |part: &[u8], error: String| format!("parse {}: {error}", quote(part));
        let mut url = Self::parse_without_fragment(before).map_err(|e| failed(before, e))?;
        if let Some(fragment) = fragment.filter(|f| !f.is_empty()) {
            url.fragment = unescape(fragment, Part::Fragment).map_err(|e| failed(text, e))?;
        }
        Ok(url)
    }

    fn parse_without_fragment(text: &[u8]) -> Result<Self, String> {
        if text.iter().any(|b| *b < b' ' || *b == 0x7f) {
            return Err("net/url: invalid control character in URL".to_owned());
        }
        let mut url = Self::default();
        if text == b"*" {
            url.path = text.to_vec();
            return Ok(url);
        }
        let (scheme, mut rest) = split_scheme(text)?;
        url.scheme = scheme.to_ascii_lowercase();
        if rest.ends_with(b"?") && rest.iter().filter(|b| **b == b'?').count() == 1 {
            url.force_query = true;
            rest = rest.strip_suffix(b"?").unwrap_or(rest);
        } else if let (before, Some(query)) = cut(rest, b'?') {
            rest = before;
            url.query = query.to_vec();
        }
        if !rest.starts_with(b"/") {
            if !url.scheme.is_empty() {
                url.opaque = rest.to_vec();
                return Ok(url);
            }
            if cut(rest, b'/').0.contains(&b':') {
                return Err("first path segment in URL cannot contain colon".to_owned());
            }
        }
        if let Some(after) = rest
            .strip_prefix(b"//")
            .filter(|_| !url.scheme.is_empty() || !rest.starts_with(b"///"))
        {
            let end = after.iter().position(|b| *b == b'/').unwrap_or(after.len());
            let (authority, path) = after.split_at_checked(end).unwrap_or((after, b""));
            url.parse_authority(authority)?;
            rest = path;
        } else if !url.scheme.is_empty() && rest.starts_with(b"/") {
            url.omit_host = true;
        }
        url.path = unescape(rest, Part::Path)?;
        Ok(url)
    }

    fn parse_authority(&mut self, authority: &[u8]) -> Result<(), String> {
        let at = authority.iter().rposition(|b| *b == b'@');
        let host = authority.get(at.map_or(0, |at| at + 1)..).unwrap_or_default();
        self.host = parse_host(host)?;
        let Some(user) = at.and_then(|at| authority.get(..at)) else {
            return Ok(());
        };
        let allowed = |b: &u8| b.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(b);
        if !user.iter().all(allowed) {
            return Err("net/url: invalid userinfo".to_owned());
        }
        let (name, password) = cut(user, b':');
        let password = password.map(|p| unescape(p, Part::User)).transpose()?;
        self.user = Some((unescape(name, Part::User)?, password));
        Ok(())
    }

    fn hostname(&self) -> &[u8] {
        let host = self.host.as_slice();
        let end = host.iter().rposition(|b| *b == b':');
        let without_port = end
            .filter(|at| {
                host.get(at + 1..)
                    .is_some_and(|port| port.iter().all(u8::is_ascii_digit))
            })
            .and_then(|at| host.get(..at))
            .unwrap_or(host);
        without_port
            .strip_prefix(b"[")
            .and_then(|h| h.strip_suffix(b"]"))
            .unwrap_or(without_port)
    }

    fn print(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if !self.scheme.is_empty() {
            out.extend_from_slice(&self.scheme);
            out.push(b':');
        }
        if self.opaque.is_empty() {
            let authority = !self.scheme.is_empty() || !self.host.is_empty() || self.user.is_some();
            if authority && !(self.omit_host && self.host.is_empty() && self.user.is_none()) {
                if !self.host.is_empty() || !self.path.is_empty() || self.user.is_some() {
                    out.extend_from_slice(b"//");
                }
                if let Some(user) = &self.user {
                    out.extend_from_slice(&user_text(user));
                    out.push(b'@');
                }
                out.extend_from_slice(&escape(&self.host, Part::Host));
            }
            let path = if self.path == b"*" {
                self.path.clone()
            } else {
                escape(&self.path, Part::Path)
            };
            if !path.is_empty() && !path.starts_with(b"/") && !self.host.is_empty() {
                out.push(b'/');
            }
            if out.is_empty() && cut(&path, b'/').0.contains(&b':') {
                out.extend_from_slice(b"./");
            }
            out.extend_from_slice(&path);
        } else {
            out.extend_from_slice(&self.opaque);
        }
        if self.force_query || !self.query.is_empty() {
            out.push(b'?');
            out.extend_from_slice(&self.query);
        }
        if !self.fragment.is_empty() {
            out.push(b'#');
            out.extend_from_slice(&escape(&self.fragment, Part::Fragment));
        }
        out
    }
}

fn user_text((name, password): &(Vec<u8>, Option<Vec<u8>>)) -> Vec<u8> {
    let mut out = escape(name, Part::User);
    if let Some(password) = password {
        out.push(b':');
        out.extend_from_slice(&escape(password, Part::User));
    }
    out
}

fn cut(text: &[u8], at: u8) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|b| *b == at) {
        Some(i) => (text.get(..i).unwrap_or_default(), text.get(i + 1..)),
        None => (text, None),
    }
}

fn split_scheme(text: &[u8]) -> Result<(&[u8], &[u8]), String> {
    for (i, b) in text.iter().enumerate() {
        match b {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if i > 0 => {}
            b':' if i == 0 => return Err("missing protocol scheme".to_owned()),
            b':' => return Ok((text.get(..i).unwrap_or_default(), text.get(i + 1..).unwrap_or_default())),
            _ => break,
        }
    }
    Ok((b"", text))
}

fn parse_host(host: &[u8]) -> Result<Vec<u8>, String> {
    let port_error = |part: &[u8]| Err(format!("invalid port {} after host", quote(part)));
    let good_port = |port: &[u8]| {
        port.is_empty()
            || port
                .strip_prefix(b":")
                .is_some_and(|p| p.iter().all(u8::is_ascii_digit))
    };
    if host.starts_with(b"[") {
        let Some(end) = host.iter().rposition(|b| *b == b']') else {
            return Err("missing ']' in host".to_owned());
        };
        let port = host.get(end + 1..).unwrap_or_default();
        if !good_port(port) {
            return port_error(port);
        }
        let inner = host.get(..end).unwrap_or_default();
        if let Some(zone) = inner.windows(3).position(|w| w == b"%25") {
            let first = unescape(inner.get(..zone).unwrap_or_default(), Part::Host)?;
            let second = unescape(inner.get(zone..).unwrap_or_default(), Part::Zone)?;
            let third = unescape(host.get(end..).unwrap_or_default(), Part::Host)?;
            return Ok([first, second, third].concat());
        }
    } else if let Some(colon) = host.iter().rposition(|b| *b == b':') {
        let port = host.get(colon..).unwrap_or_default();
        if !good_port(port) {
            return port_error(port);
        }
    }
    unescape(host, Part::Host)
}

fn unescape(text: &[u8], part: Part) -> Result<Vec<u8>, String> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&b, after)) = rest.split_first() {
        if b == b'%' {
            let digit = |at: usize| after.get(at).and_then(|b| char::from(*b).to_digit(16));
            let code = digit(0).zip(digit(1)).and_then(|(h, l)| u8::try_from(h * 16 + l).ok());
            let bad = || {
                format!(
                    "invalid URL escape {}",
                    quote(rest.get(..rest.len().min(3)).unwrap_or_default())
                )
            };
            let code = code.ok_or_else(bad)?;
            let percent = rest.starts_with(b"%25");
            if part == Part::Host && code < 0x80 && !percent {
                return Err(bad());
            }
            if part == Part::Zone && !percent && code != b' ' && must_escape(code, Part::Host) {
                return Err(bad());
            }
            out.push(code);
            rest = after.get(2..).unwrap_or_default();
            continue;
        }
        if matches!(part, Part::Host | Part::Zone) && b < 0x80 && must_escape(b, part) {
            return Err(format!("invalid character {} in host name", quote(&[b])));
        }
        out.push(b);
        rest = after;
    }
    Ok(out)
}

fn escape(text: &[u8], part: Part) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for &b in text {
        if must_escape(b, part) {
            out.extend_from_slice(format!("%{b:02X}").as_bytes());
        } else {
            out.push(b);
        }
    }
    out
}

fn must_escape(b: u8, part: Part) -> bool {
    if b.is_ascii_alphanumeric() || b"-_.~".contains(&b) {
        return false;
    }
    match part {
        Part::Host | Part::Zone => !b"!$&'()*+,;=:[]<>\"".contains(&b),
        Part::Path => !b"$&+,/:;=@".contains(&b),
        Part::User => !b"$&+,;=".contains(&b),
        Part::Fragment => !b"$&+,/:;=?@!()*".contains(&b),
    }
}
