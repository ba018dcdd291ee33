//! F18: URLs of repositories.

use pintle_repo::{RepoUrl, Scheme, normalize_url};

use super::mutate::mutated;
use crate::oracle::random::Random;

const SEEDS: &[&str] = &[
    "https://host.example/org/repo.git",
    "HTTPS://User@Host.Example:8443/Org/Repo/",
    "http://127.0.0.1:3000/a/b",
    "file:///srv/git/a.git",
    "https://user:s3cr3t-canary@host/a",
    "ssh://git@host/a/b.git",
    "git@host:a/b.git",
    "oci://registry.example/charts/app",
    "ext::sh -c touch% /tmp/x",
    "https://[::1]:8443/a",
    "-oProxyCommand=x",
    "https://host/a/.git",
    "https://host/a/b?x=1#y",
];

const WORDS: &[&str] = &[
    "://",
    "::",
    "@",
    ":",
    "/",
    "//",
    "..",
    "/../",
    ".git",
    "%2e",
    "%00",
    "-",
    "--upload-pack=x",
    "file://",
    "ext::",
    "git@",
    "\n",
    " ",
    "\t",
    "\u{85}",
    "\u{a0}",
    "\u{202e}",
    "İ",
    "#",
    "?",
    "[",
    "]",
    "\\",
    "user:s3cr3t-canary@",
];

/// Stands where a password would.
const CANARY: &str = "s3cr3t-canary";

pub(super) fn run(random: &mut Random) -> Result<(), String> {
    // What went wrong is to be read: the case's number makes all of it again.
    let few = |why: String| match why.char_indices().nth(400) {
        Some((at, _)) => format!(
            "{} … {}",
            &why[..at],
            &why[why.ceil_char_boundary(why.len().saturating_sub(100))..]
        ),
        None => why,
    };
    checked(random).map_err(few)
}

fn checked(random: &mut Random) -> Result<(), String> {
    let seed = random.pick(SEEDS);
    let text = mutated(random, seed, WORDS);
    let plain = normalize_url(&text);
    let twice = normalize_url(&plain);
    // One `.git` goes, and a name that ends so has two.
    if twice != plain && !plain.ends_with(".git") {
        return Err(format!("{text:?} becomes {plain:?}, and that {twice:?}"));
    }
    match RepoUrl::parse(&text) {
        Err(refused) => told(&text, &refused.to_string()),
        Ok(url) => accepted(&text, &url),
    }
}

/// A password is not repeated in the reason why it is refused.
fn told(text: &str, said: &str) -> Result<(), String> {
    let is_scheme = |part: &str| part.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    let rest = match text.split_once("://") {
        Some((scheme, rest)) if is_scheme(scheme) => rest,
        _ => text,
    };
    let user = rest.rsplit_once('@').map(|(user, _)| user);
    let is_password = user.is_some_and(|user| user.contains(&format!(":{CANARY}")));
    // What stands before the first colon, or behind the host, is no password.
    let hidden = user
        .and_then(|user| user.split_once(':'))
        .map_or("", |(_, hidden)| hidden);
    let is_elsewhere = text.matches(CANARY).count() > hidden.matches(CANARY).count();
    if is_password && !is_elsewhere && said.contains(CANARY) {
        return Err(format!("the reason tells the password: {said}"));
    }
    if said.len() > 2000 {
        return Err(format!("a reason of {} bytes", said.len()));
    }
    Ok(())
}

fn accepted(text: &str, url: &RepoUrl) -> Result<(), String> {
    let shown = url.to_string();
    let (scheme, rest) = shown
        .split_once("://")
        .ok_or_else(|| format!("{shown:?} without a scheme"))?;
    let known = match url.scheme() {
        Scheme::Https => "https",
        Scheme::Http => "http",
        Scheme::File => "file",
    };
    if !scheme.eq_ignore_ascii_case(known) {
        return Err(format!("{shown:?} is said to be {known}"));
    }
    if shown.starts_with('-') || rest.starts_with('-') || shown.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(format!("{text:?} went through as {shown:?}"));
    }
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    if authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':')) {
        return Err(format!("{shown:?} went through with a password"));
    }
    let again = RepoUrl::parse(&shown).map_err(|e| format!("{shown:?} is refused the second time: {e}"))?;
    if again != *url {
        return Err(format!("{shown:?} becomes another URL"));
    }
    // Spellings of one repository are one, and another scheme is another repository.
    let same = |other: String| match RepoUrl::parse(&other) {
        Ok(parsed) if parsed.normalized() != url.normalized() => Err(format!(
            "{shown:?} and {other:?} are two: {:?}, {:?}",
            url.normalized(),
            parsed.normalized()
        )),
        _ => Ok(()),
    };
    same(format!("{shown}/"))?;
    same(format!("{}://{rest}", scheme.to_ascii_uppercase()))?;
    if !shown.ends_with('/') && !shown.ends_with(".git") {
        same(format!("{shown}.git"))?;
    }
    if !authority.contains('@') && !authority.is_empty() && url.scheme() != Scheme::File {
        same(format!("{scheme}://me@{rest}"))?;
    }
    let other = match url.scheme() {
        Scheme::Https => "http",
        _ => "https",
    };
    if let Ok(other) = RepoUrl::parse(&format!("{other}://{rest}"))
        && other.normalized() == url.normalized()
    {
        return Err(format!("{shown:?} is the same as {other}"));
    }
    Ok(())
}
