//! A render as bytes, and back. What may not leave the process has no bytes: see [`may_leave`].

use std::collections::BTreeMap;
use std::sync::Arc;

use pintle_model::Object;
use pintle_model::tree::{ContentId, EntryKind, Read, ReadSet, TreePath};
use pintle_render::helm::{Capabilities, KubeVersion};
use pintle_render::kustomize::{ChartBase, Fetch, GitBase};
use pintle_render::{Answer, Diagnostic, Need, Rendered, RenderedObject, Severity, SourceType, Used};
use sha2::{Digest as _, Sha256};

use super::bytes::{Bytes, Writer};

/// Whether a render may be written to a disk at all: it holds no Secret (of whatever API group), nothing was drawn at random, and it did not
/// fail for a reason that may go away. Encryption does not change that: keys get lost, disks are copied (I-26).
pub(super) fn may_leave(rendered: &Rendered) -> bool {
    let has_secret = rendered.objects.iter().any(|o| o.object.kind() == "Secret");
    !has_secret && !rendered.used.random && !rendered.is_transient
}

/// The bytes of a render; `None` if it may not leave, has more than `limit` bytes, or nests deeper than is written.
pub(super) fn write(rendered: &Rendered, limit: usize) -> Option<Vec<u8>> {
    if !may_leave(rendered) {
        return None;
    }
    // Named one by one, so that what is new is not forgotten here.
    let Rendered {
        source_type,
        objects,
        diagnostics,
        reads,
        used,
        answers,
        is_transient: _,
    } = rendered;
    let mut to = Writer::default();
    to.byte(match source_type {
        SourceType::Directory => 0,
        SourceType::Helm => 1,
        SourceType::Kustomize => 2,
        SourceType::Plugin => 3,
    });
    write_used(&mut to, used);
    to.length(answers.len());
    for (need, answer) in answers {
        write_need(&mut to, need);
        to.maybe(refusal(answer), Writer::text);
    }
    to.length(reads.len());
    for (path, read) in reads.iter() {
        to.text(path.as_str());
        write_read(&mut to, read);
    }
    to.length(diagnostics.len());
    for diagnostic in diagnostics {
        let Diagnostic {
            severity,
            path,
            line,
            message,
        } = diagnostic;
        to.flag(*severity == Severity::Error);
        to.text(path.as_str());
        to.maybe(*line, Writer::length);
        to.text(message);
    }
    to.length(objects.len());
    for RenderedObject { object, path, line } in objects {
        to.text(path.as_str());
        to.length(*line);
        to.value(object.value())?;
        if to.len() > limit {
            return None;
        }
    }
    (to.len() <= limit).then(|| to.into_bytes())
}

/// What bytes turned out to be.
pub(super) enum Record {
    /// A render.
    Render(Rendered),
    /// A render for a cluster that serves something else than the one that is asked for.
    OtherCluster,
    /// No render.
    Broken,
}

/// Reads what [`write()`] wrote. Of what the cluster served only a digest is there, so it has to be `now` what it was then.
pub(super) fn read(bytes: &[u8], now: &Arc<Capabilities>) -> Record {
    let mut from = Bytes::new(bytes);
    match read_render(&mut from, now) {
        Some(Ok(rendered)) if from.is_empty() && may_leave(&rendered) => Record::Render(rendered),
        Some(Err(OtherCluster)) => Record::OtherCluster,
        Some(Ok(_)) | None => Record::Broken,
    }
}

struct OtherCluster;

fn read_render(from: &mut Bytes<'_>, now: &Arc<Capabilities>) -> Option<Result<Rendered, OtherCluster>> {
    let source_type = match from.byte()? {
        0 => SourceType::Directory,
        1 => SourceType::Helm,
        2 => SourceType::Kustomize,
        3 => SourceType::Plugin,
        _ => return None,
    };
    let used = match read_used(from, now)? {
        Ok(used) => used,
        Err(other) => return Some(Err(other)),
    };
    let mut answers = BTreeMap::new();
    for _ in 0..from.length()? {
        let need = read_need(from)?;
        let answer = from.maybe(Bytes::string)?.map_or(Answer::Mounted, Answer::Refused);
        answers.insert(need, answer);
    }
    let mut reads = ReadSet::default();
    for _ in 0..from.length()? {
        let path = read_path(from)?;
        reads.note(&path, read_read(from)?);
    }
    let mut diagnostics = Vec::new();
    for _ in 0..from.length()? {
        diagnostics.push(Diagnostic {
            severity: if from.flag()? {
                Severity::Error
            } else {
                Severity::Warning
            },
            path: read_path(from)?,
            line: from.maybe(read_line)?,
            message: from.string()?,
        });
    }
    let mut objects = Vec::new();
    for _ in 0..from.length()? {
        objects.push(RenderedObject {
            path: read_path(from)?,
            line: read_line(from)?,
            object: Object::new(from.value()?).ok()?,
        });
    }
    Some(Ok(Rendered {
        source_type,
        objects,
        diagnostics,
        reads,
        used,
        answers,
        is_transient: false,
    }))
}

fn write_used(to: &mut Writer, used: &Used) {
    let Used {
        environment,
        application,
        capabilities,
        until,
        random: _,
    } = used;
    to.length(environment.len());
    for (name, value) in environment {
        to.text(name);
        to.maybe(value.as_deref(), Writer::text);
    }
    to.flag(*application);
    to.maybe(capabilities.as_deref(), |to, served| {
        // Some tens of kB of names in every chart's record, and no use for any of them but to be compared.
        digest(served).into_iter().for_each(|byte| to.byte(byte));
    });
    to.maybe(*until, Writer::signed);
}

fn read_used(from: &mut Bytes<'_>, now: &Arc<Capabilities>) -> Option<Result<Used, OtherCluster>> {
    let mut environment = BTreeMap::new();
    for _ in 0..from.length()? {
        let name = from.string()?;
        environment.insert(name, from.maybe(Bytes::string)?);
    }
    let application = from.flag()?;
    let served = from.maybe(Bytes::array::<32>)?;
    if served.is_some_and(|served| served != digest(now)) {
        return Some(Err(OtherCluster));
    }
    Some(Ok(Used {
        environment,
        application,
        capabilities: served.map(|_| Arc::clone(now)),
        until: from.maybe(Bytes::signed)?,
        random: false,
    }))
}

fn digest(capabilities: &Capabilities) -> [u8; 32] {
    let Capabilities {
        kube_version:
            KubeVersion {
                version,
                normalized,
                major,
                minor,
            },
        api_versions,
    } = capabilities;
    let mut text = Writer::default();
    text.texts([version, normalized, major, minor].into_iter().chain(api_versions));
    Sha256::digest(text.into_bytes()).into()
}

fn refusal(answer: &Answer) -> Option<&str> {
    match answer {
        Answer::Mounted => None,
        Answer::Refused(reason) => Some(reason),
    }
}

fn write_need(to: &mut Writer, need: &Need) {
    match need {
        Need::File { url } => {
            to.byte(0);
            to.text(url);
        }
        Need::Chart {
            repository,
            name,
            version,
        } => {
            to.byte(1);
            to.texts([repository, name, version]);
        }
        Need::Remote(Fetch { url, http, git, chart }) => {
            to.byte(2);
            to.text(url);
            to.flag(*http);
            to.maybe(git.as_ref(), |to, git| {
                let GitBase {
                    repository,
                    path,
                    revision,
                } = git;
                to.texts([repository, path, revision]);
            });
            to.maybe(chart.as_ref(), |to, chart| {
                let ChartBase {
                    repository,
                    name,
                    version,
                } = chart;
                to.texts([repository, name, version]);
            });
        }
    }
}

fn read_need(from: &mut Bytes<'_>) -> Option<Need> {
    Some(match from.byte()? {
        0 => Need::File { url: from.string()? },
        1 => Need::Chart {
            repository: from.string()?,
            name: from.string()?,
            version: from.string()?,
        },
        2 => Need::Remote(Fetch {
            url: from.string()?,
            http: from.flag()?,
            git: from.maybe(|from| {
                Some(GitBase {
                    repository: from.string()?,
                    path: from.string()?,
                    revision: from.string()?,
                })
            })?,
            chart: from.maybe(|from| {
                Some(ChartBase {
                    repository: from.string()?,
                    name: from.string()?,
                    version: from.string()?,
                })
            })?,
        }),
        _ => return None,
    })
}

fn write_read(to: &mut Writer, read: &Read) {
    match read {
        Read::File(id) => {
            to.byte(0);
            to.text(&id.0);
        }
        Read::Listing { content, names } => {
            to.byte(1);
            to.text(&content.0);
            to.text(&names.0);
        }
        Read::Symlink(id) => {
            to.byte(2);
            to.text(&id.0);
        }
        Read::Kind(kind) => {
            to.byte(3);
            to.byte(match kind {
                EntryKind::File => 0,
                EntryKind::Dir => 1,
                EntryKind::Symlink => 2,
                EntryKind::Submodule => 3,
            });
        }
        Read::Missing { below } => {
            to.byte(4);
            to.text(below.as_str());
        }
    }
}

fn read_read(from: &mut Bytes<'_>) -> Option<Read> {
    Some(match from.byte()? {
        0 => Read::File(read_id(from)?),
        1 => Read::Listing {
            content: read_id(from)?,
            names: read_id(from)?,
        },
        2 => Read::Symlink(read_id(from)?),
        3 => Read::Kind(match from.byte()? {
            0 => EntryKind::File,
            1 => EntryKind::Dir,
            2 => EntryKind::Symlink,
            3 => EntryKind::Submodule,
            _ => return None,
        }),
        4 => Read::Missing {
            below: read_path(from)?,
        },
        _ => return None,
    })
}

fn read_id(from: &mut Bytes<'_>) -> Option<ContentId> {
    Some(ContentId(from.text()?.into()))
}

/// A path that is spelled as paths are.
fn read_path(from: &mut Bytes<'_>) -> Option<TreePath> {
    let text = from.text()?;
    let path = TreePath::new(text).ok()?;
    (path.as_str() == text).then_some(path)
}

fn read_line(from: &mut Bytes<'_>) -> Option<usize> {
    usize::try_from(from.number()?).ok()
}

#[cfg(test)]
mod tests {
    use pintle_model::value::to_json_string;

    use super::*;

    fn path(text: &str) -> TreePath {
        TreePath::new(text).unwrap()
    }

    fn id(text: &str) -> ContentId {
        ContentId(text.into())
    }

    fn object(json: &str) -> RenderedObject {
        RenderedObject {
            object: Object::from_json(json.as_bytes()).unwrap(),
            path: path("a/x.yaml"),
            line: 7,
        }
    }

    /// A render with one of everything.
    fn rendered() -> Rendered {
        let mut reads = ReadSet::default();
        for (at, read) in [
            ("", Read::Kind(EntryKind::Dir)),
            (
                "a",
                Read::Listing {
                    content: id("1"),
                    names: id("2"),
                },
            ),
            ("a/x.yaml", Read::File(id("3"))),
            ("a/l", Read::Symlink(id("4"))),
            ("a/none", Read::Missing { below: path("a") }),
            ("sub", Read::Kind(EntryKind::Submodule)),
        ] {
            reads.note(&path(at), read);
        }
        let text = |text: &str| text.to_owned();
        Rendered {
            source_type: SourceType::Helm,
            objects: vec![object(
                r#"{"apiVersion":"v1","kind":"ConfigMap","data":{"n":1,"f":1.5}}"#,
            )],
            diagnostics: vec![Diagnostic {
                severity: Severity::Warning,
                path: path(""),
                line: Some(3),
                message: text("said"),
            }],
            reads,
            used: Used {
                environment: [(text("ARGOCD_APP_NAME"), Some(text("web"))), (text("NONE"), None)].into(),
                application: true,
                capabilities: Some(Arc::default()),
                until: Some(-5),
                random: false,
            },
            answers: [
                (
                    Need::File {
                        url: text("https://h/f"),
                    },
                    Answer::Mounted,
                ),
                (
                    Need::Chart {
                        repository: text("https://c"),
                        name: text("n"),
                        version: text("^1"),
                    },
                    Answer::Refused(text("no")),
                ),
                (
                    Need::Remote(Fetch {
                        url: text("u"),
                        http: true,
                        git: Some(GitBase {
                            repository: text("r"),
                            path: text("p"),
                            revision: text("v"),
                        }),
                        chart: Some(ChartBase {
                            repository: text("r"),
                            name: text("n"),
                            version: text("v"),
                        }),
                    }),
                    Answer::Mounted,
                ),
            ]
            .into(),
            is_transient: false,
        }
    }

    const LIMIT: usize = 1 << 20;

    #[test]
    fn a_render_comes_back_as_it_was() {
        let before = rendered();
        let bytes = write(&before, LIMIT).unwrap();
        let Record::Render(after) = read(&bytes, &Arc::default()) else {
            panic!("not read");
        };
        assert_eq!(after.source_type, before.source_type);
        assert_eq!(after.reads, before.reads);
        assert_eq!(after.used, before.used);
        assert_eq!(after.answers, before.answers);
        assert_eq!(after.diagnostics, before.diagnostics);
        let objects = |r: &Rendered| {
            let all = r.objects.iter();
            all.map(|o| format!("{} {} {}", o.path, o.line, to_json_string(o.object.value())))
                .collect::<Vec<_>>()
        };
        assert_eq!(objects(&after), objects(&before));
        for end in 0..bytes.len() {
            assert!(matches!(read(&bytes[..end], &Arc::default()), Record::Broken), "{end}");
        }
        let longer = [&bytes[..], b"x"].concat();
        assert!(matches!(read(&longer, &Arc::default()), Record::Broken));
    }

    #[test]
    fn a_cluster_that_serves_something_else_is_another_one() {
        let bytes = write(&rendered(), LIMIT).unwrap();
        let mut other = Capabilities::default();
        other.api_versions.push("x.example/v1".into());
        assert!(matches!(read(&bytes, &Arc::new(other)), Record::OtherCluster));
    }

    #[test]
    fn what_may_not_leave_has_no_bytes() {
        let check = |change: &dyn Fn(&mut Rendered)| {
            let mut changed = rendered();
            change(&mut changed);
            write(&changed, LIMIT).is_some()
        };
        assert!(check(&|_| ()));
        for secret in ["v1", "generators.example/v1"] {
            let secret = format!(r#"{{"apiVersion":"{secret}","kind":"Secret","data":{{"p":"Y2FuYXJ5"}}}}"#);
            assert!(!check(&|r| r.objects.push(object(&secret))));
        }
        assert!(!check(&|r| r.used.random = true));
        assert!(!check(&|r| r.is_transient = true));
        assert!(write(&rendered(), 10).is_none());
    }
}
