//! Charts that scenarios put into Git, into chart repositories and into registries.

#![allow(clippy::expect_used, reason = "called by tests, with files of their own")]

use std::collections::BTreeMap;

use flate2::Compression;
use flate2::write::GzEncoder;

/// A chart, file by file.
#[derive(Clone)]
pub struct ChartFiles {
    /// Its name, which is the directory it is packed in.
    pub name: String,
    files: BTreeMap<String, String>,
}

impl ChartFiles {
    /// A chart of a `Chart.yaml` alone.
    pub fn new(name: &str, version: &str) -> Self {
        let chart = Self {
            name: name.into(),
            files: BTreeMap::new(),
        };
        chart.with(
            "Chart.yaml",
            &format!("apiVersion: v2\nname: {name}\nversion: {version}\n"),
        )
    }

    /// The chart `shop`: a Deployment `web` and a ConfigMap `settings` with one key, all of it by values.
    pub fn shop(version: &str) -> Self {
        Self::new("shop", version)
            .with("values.yaml", "image: shop:1.4\nreplicas: 2\ngreeting: hello\n")
            .with("templates/web.yaml", WEB)
            .with("templates/settings.yaml", SETTINGS)
    }

    /// With one more file, or another content of one.
    pub fn with(mut self, path: &str, content: &str) -> Self {
        self.files.insert(path.into(), content.into());
        self
    }

    /// Its files below a directory, as they are pushed into Git.
    pub fn below(&self, directory: &str) -> Vec<(String, String)> {
        let placed = |(path, content): (&String, &String)| (format!("{directory}/{path}"), content.clone());
        self.files.iter().map(placed).collect()
    }

    /// The archive that `helm package` makes of it.
    pub fn packed(&self) -> Vec<u8> {
        packed(self.files.iter().map(|(path, content)| {
            let path = format!("{}/{path}", self.name);
            (path, Entry::File(content.clone().into_bytes()))
        }))
    }
}

/// What an archive holds under a path.
pub enum Entry {
    /// A regular file.
    File(Vec<u8>),
    /// A symbolic link.
    Link(String),
}

/// A gzipped tar archive with these entries, their paths unchecked: also one that nobody should unpack.
pub fn packed(entries: impl IntoIterator<Item = (String, Entry)>) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (path, entry) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        // Not `set_path`, which refuses what archives of strangers may hold.
        let name = header.as_old_mut().name.get_mut(..path.len());
        name.expect("a short path").copy_from_slice(path.as_bytes());
        let content = match entry {
            Entry::File(content) => content,
            Entry::Link(target) => {
                header.set_entry_type(tar::EntryType::Symlink);
                header.set_link_name(target).expect("a short path");
                Vec::new()
            }
        };
        header.set_size(u64::try_from(content.len()).expect("it is in memory"));
        header.set_cksum();
        tar.append(&header, content.as_slice()).expect("memory takes it");
    }
    let gzip = tar.into_inner().expect("memory takes it");
    gzip.finish().expect("memory takes it")
}

const WEB: &str = r#"apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: {{ .Values.replicas }}
  progressDeadlineSeconds: 5
  selector:
    matchLabels: {app: {{ .Release.Name }}}
  template:
    metadata:
      labels: {app: {{ .Release.Name }}}
    spec:
      containers:
      - name: web
        image: {{ .Values.image | quote }}
"#;

const SETTINGS: &str = r#"apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
data:
  key: {{ .Values.greeting | quote }}
"#;
