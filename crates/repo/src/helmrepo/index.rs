//! `index.yaml`, read once and kept as the little that is needed of it.
//!
//! An index of 20 MB describes tens of thousands of chart versions with their descriptions, maintainers and annotations. It is walked, never
//! composed: what is kept is name, version, where to get it, and the digest.

use std::borrow::Cow;
use std::collections::HashMap;

use pintle_yaml::{Step, Walk};

/// The charts of a repository.
#[derive(Debug, Default)]
pub struct Index {
    charts: HashMap<Box<str>, Box<[Entry]>>,
}

/// One version of a chart.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// The version as written.
    pub version: Box<str>,
    /// Where the archive is, relative to the repository or absolute; the first is used, as Helm does.
    pub urls: Box<[Box<str>]>,
    /// SHA-256 of the archive. `None` where the index has none or one that is no digest.
    pub digest: Option<[u8; 32]>,
}

/// Why a text is no index.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    /// Not UTF-8.
    #[error("it is not UTF-8 text")]
    NotText,
    /// Not YAML.
    #[error("{0}")]
    Yaml(String),
    /// YAML of another shape.
    #[error("line {line}: {problem}")]
    Shape {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// No `apiVersion`: what a misconfigured server answers for any path may be YAML too.
    #[error("it has no apiVersion, so it is no index of charts")]
    NoApiVersion,
}

impl Index {
    /// Reads an index. Versions without a number or a URL are left out, as Helm does.
    pub fn parse(bytes: &[u8]) -> Result<Self, IndexError> {
        let text = std::str::from_utf8(bytes).map_err(|_| IndexError::NotText)?;
        let mut reader = Reader { walk: Walk::new(text) };
        let mut index = Self::default();
        let mut versioned = false;
        let mut charts: HashMap<Box<str>, Vec<Entry>> = HashMap::new();
        match reader.step()? {
            Step::MappingStart => {}
            Step::End => return Err(IndexError::NoApiVersion),
            _ => return Err(reader.wrong("an index is a mapping with apiVersion and entries")),
        }
        while let Some(key) = reader.key()? {
            match &*key {
                "apiVersion" => versioned = reader.scalar("apiVersion")?.is_some_and(|v| !v.is_empty()),
                "entries" => reader.entries(&mut charts)?,
                _ => reader.skip()?,
            }
        }
        if !versioned {
            return Err(IndexError::NoApiVersion);
        }
        index.charts.reserve(charts.len());
        for (name, entries) in charts {
            index.charts.insert(name, entries.into_boxed_slice());
        }
        Ok(index)
    }

    /// The versions of a chart in the order of the index; `None` if there is no such chart.
    pub fn chart(&self, name: &str) -> Option<&[Entry]> {
        self.charts.get(name).map(AsRef::as_ref)
    }

    /// The names of the charts, in no order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.charts.keys().map(AsRef::as_ref)
    }
}

struct Reader<'a> {
    walk: Walk<'a>,
}

impl<'a> Reader<'a> {
    fn step(&mut self) -> Result<Step<'a>, IndexError> {
        self.walk.step().map_err(|e| IndexError::Yaml(e.to_string()))
    }

    fn wrong(&self, problem: impl Into<String>) -> IndexError {
        IndexError::Shape {
            line: self.walk.line(),
            problem: problem.into(),
        }
    }

    /// The next key of a mapping that was begun; `None` at its end.
    fn key(&mut self) -> Result<Option<Cow<'a, str>>, IndexError> {
        match self.step()? {
            Step::Scalar { text, .. } => Ok(Some(text)),
            Step::MappingEnd => Ok(None),
            _ => Err(self.wrong("a key that is no text")),
        }
    }

    /// A scalar; `None` for null.
    fn scalar(&mut self, what: &str) -> Result<Option<Cow<'a, str>>, IndexError> {
        match self.step()? {
            Step::Scalar { text, plain } if plain && is_null(&text) => Ok(None),
            Step::Scalar { text, .. } => Ok(Some(text)),
            Step::Alias => Err(self.alias()),
            _ => Err(self.wrong(format!("{what} is no text"))),
        }
    }

    fn alias(&self) -> IndexError {
        self.wrong("an alias, which is not followed in an index; write it out, or let `helm repo index` write the file")
    }

    /// Whether a collection of the given kind begins; null counts as an empty one.
    fn begins(&mut self, sequence: bool, what: &str) -> Result<bool, IndexError> {
        match self.step()? {
            Step::Scalar { text, plain } if plain && is_null(&text) => Ok(false),
            Step::SequenceStart if sequence => Ok(true),
            Step::MappingStart if !sequence => Ok(true),
            Step::Alias => Err(self.alias()),
            _ => Err(self.wrong(format!("{what} is no {}", if sequence { "list" } else { "mapping" }))),
        }
    }

    /// Passes over one node, however deep.
    fn skip(&mut self) -> Result<(), IndexError> {
        let mut open = 0_usize;
        loop {
            match self.step()? {
                Step::MappingStart | Step::SequenceStart => open += 1,
                Step::MappingEnd | Step::SequenceEnd => open = open.saturating_sub(1),
                Step::Scalar { .. } | Step::Alias => {}
                Step::End => return Err(self.wrong("it ends early")),
            }
            if open == 0 {
                return Ok(());
            }
        }
    }

    fn entries(&mut self, charts: &mut HashMap<Box<str>, Vec<Entry>>) -> Result<(), IndexError> {
        // A later duplicate wins, as everywhere in YAML as Go reads it.
        charts.clear();
        if !self.begins(false, "entries")? {
            return Ok(());
        }
        while let Some(name) = self.key()? {
            let mut versions = Vec::new();
            if self.begins(true, "the list of versions")? {
                loop {
                    match self.step()? {
                        Step::SequenceEnd => break,
                        Step::MappingStart => versions.extend(self.entry()?),
                        // `-` with nothing: Helm passes over it.
                        Step::Scalar { text, plain } if plain && is_null(&text) => {}
                        Step::Alias => return Err(self.alias()),
                        _ => return Err(self.wrong("a version that is no mapping")),
                    }
                }
            }
            charts.insert(name.into(), versions);
        }
        Ok(())
    }

    fn entry(&mut self) -> Result<Option<Entry>, IndexError> {
        let (mut version, mut digest, mut urls) = (None, None, Vec::new());
        while let Some(key) = self.key()? {
            match &*key {
                "version" => version = self.scalar("version")?,
                "digest" => digest = self.scalar("digest")?.as_deref().and_then(sha256_of),
                "urls" => {
                    urls.clear();
                    if self.begins(true, "urls")? {
                        loop {
                            match self.step()? {
                                Step::SequenceEnd => break,
                                Step::Scalar { text, .. } => urls.push(Box::from(&*text)),
                                _ => return Err(self.wrong("a URL that is no text")),
                            }
                        }
                    }
                }
                _ => self.skip()?,
            }
        }
        let version = version.filter(|v| !v.is_empty());
        Ok(version.filter(|_| !urls.is_empty()).map(|version| Entry {
            version: Box::from(&*version),
            urls: urls.into_boxed_slice(),
            digest,
        }))
    }
}

fn is_null(plain: &str) -> bool {
    matches!(plain, "" | "~" | "null" | "Null" | "NULL")
}

/// A digest in hex, with or without `sha256:`.
fn sha256_of(text: &str) -> Option<[u8; 32]> {
    crate::chart::digest::parse_hex(text.strip_prefix("sha256:").unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(text: &str, chart: &str) -> Vec<String> {
        let index = Index::parse(text.as_bytes()).unwrap();
        index
            .chart(chart)
            .unwrap_or_default()
            .iter()
            .map(|e| format!("{} {}", e.version, e.urls[0]))
            .collect()
    }

    #[test]
    fn keeps_versions_urls_and_digests_and_passes_over_the_rest() {
        let hex = "ab".repeat(32);
        let text = format!(
            "apiVersion: v1\ngenerated: \"2026-01-01T00:00:00Z\"\nserverInfo: {{a: [b, {{c: d}}]}}\nentries:\n  web:\n  - annotations:\n      x: |\n        - version: 9.9.9\n    name: web\n    version: 1.2.3+b1\n    digest: {hex}\n    urls:\n    - web-1.2.3.tgz\n    - https://mirror/web.tgz\n    dependencies:\n    - name: d\n      version: 7.0.0\n  -\n  - version: 1.0.0\n    urls: []\n  - urls: [x.tgz]\n  none: null\n"
        );
        assert_eq!(versions(&text, "web"), ["1.2.3+b1 web-1.2.3.tgz"]);
        let index = Index::parse(text.as_bytes()).unwrap();
        assert_eq!(index.chart("web").unwrap()[0].digest, Some([0xab; 32]));
        assert_eq!(index.chart("none").unwrap().len(), 0);
        assert!(index.chart("absent").is_none());
    }

    #[test]
    fn a_later_duplicate_wins() {
        let of = |chart: &str, file: &str| format!("  {chart}: [{{version: 1.0.0, urls: [{file}]}}]\n");
        let text = format!(
            "apiVersion: v1\nentries:\n{}{}entries:\n{}{}",
            of("a", "first"),
            of("b", "gone"),
            of("a", "second"),
            of("a", "last")
        );
        assert_eq!(versions(&text, "a"), ["1.0.0 last"]);
        assert!(Index::parse(text.as_bytes()).unwrap().chart("b").is_none());
    }

    #[test]
    fn json_is_an_index_too() {
        let text = r#"{"apiVersion":"v1","entries":{"a":[{"version":"1.0.0","urls":["a.tgz"],"digest":"nonsense"}]}}"#;
        assert_eq!(versions(text, "a"), ["1.0.0 a.tgz"]);
    }

    #[test]
    fn says_why_a_text_is_no_index() {
        for (text, said) in [
            ("", "no apiVersion"),
            ("entries: {}", "no apiVersion"),
            ("- a", "an index is a mapping"),
            ("apiVersion: v1\nentries: [a]", "line 2: entries is no mapping"),
            (
                "apiVersion: v1\nentries:\n  a: x",
                "line 3: the list of versions is no list",
            ),
            ("apiVersion: v1\nentries:\n  a: &x []\n  b: *x", "line 4: an alias"),
            ("apiVersion: v1\nentries:\n  a: [", "yaml:"),
        ] {
            let error = Index::parse(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(said), "{text:?}: {error}");
        }
        assert_eq!(Index::parse(&[0xff, 0xfe]).unwrap_err(), IndexError::NotText);
    }
}
