//! Real charts, rendered and compared with what the real Helm prints.
//!
//! The corpus lies beside the repository and is not part of it; without it the test steps aside and says so.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use pintle_gotmpl::{Ambient, CallSite, Now};
use pintle_model::Value;
use pintle_model::tree::{MemoryTree, Reader, TreePath};
use pintle_render::helm::{Capabilities, Chart, KubeVersion, Limits, Options, ValueOptions, template};

/// A clock and a source of randomness that depend on one number.
struct Seeded(u8);

impl Ambient for Seeded {
    fn now(&self) -> Now {
        Now {
            seconds: 1_780_000_000 + i64::from(self.0) * 86_400 * 400,
            nanos: 0,
            offset_seconds: 0,
        }
    }

    fn random(&self, site: &CallSite, draw: u32, out: &mut [u8]) {
        let mut state =
            u64::from(self.0) << 32 | u64::from(site.position) ^ u64::from(site.run) << 48 ^ u64::from(draw) << 40;
        for byte in out {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            *byte = (mixed >> 32) as u8;
        }
    }
}

#[test]
fn every_case_is_what_helm_prints() {
    let Some(corpus) = corpus() else { return };
    let cases = std::fs::read(corpus.join("cases.json")).unwrap();
    let cases = Value::from_json(&cases).unwrap();
    let only = std::env::var("PINTLE_CORPUS_CASE").unwrap_or_default();
    let mut charts: BTreeMap<String, Result<Arc<Chart>, String>> = BTreeMap::new();
    let (mut count, mut byte_equal, mut masked_equal, mut failed_alike) = (0, 0, 0, 0);
    let mut differing = Vec::new();
    for case in cases.as_list().unwrap() {
        let text = |key: &str| case.str_at(&[key]).map(str::to_owned);
        let name = text("case").unwrap();
        if !name.contains(&only) {
            continue;
        }
        count += 1;
        let path = text("chart").unwrap();
        let chart = charts
            .entry(path.clone())
            .or_insert_with(|| load(&corpus.join(&path)))
            .clone();
        let values = text("values").map(|file| {
            let text = std::fs::read_to_string(corpus.join(&file)).unwrap();
            (file, text)
        });
        let ours = |seed: u8| {
            let chart = chart.clone();
            let values = values.clone();
            on_a_big_stack(move || chart.and_then(|chart| render(&chart, values, seed)))
        };
        let first = ours(1);
        let wanted_error = text("error");
        match (
            case.bool_at(&["ok"]) == Some(true),
            case.bool_at(&["deterministic"]) == Some(true),
        ) {
            (false, _) => match first {
                Err(message) if Some(format!("Error: {message}\n")) == wanted_error => failed_alike += 1,
                Err(message) => differing.push(format!("{name}: another error: {message}")),
                Ok(_) => differing.push(format!("{name}: renders, and should fail")),
            },
            (true, deterministic) => {
                let expected = std::fs::read_to_string(corpus.join("expected").join(format!("{name}.yaml"))).unwrap();
                match first {
                    Err(message) => differing.push(format!("{name}: {message}")),
                    Ok(text) if text == expected => byte_equal += 1,
                    Ok(text) if deterministic => differing.push(format!("{name}: {}", difference(&text, &expected))),
                    Ok(text) => match ours(2).and_then(|second| same_masked(&text, &second, &expected)) {
                        Ok(()) => masked_equal += 1,
                        Err(message) => differing.push(format!("{name}: {message}")),
                    },
                }
            }
        }
    }
    println!(
        "{count} cases: {byte_equal} equal to the byte, {masked_equal} equal but for random scalars, {failed_alike} failing alike, {} differing",
        differing.len()
    );
    for line in &differing {
        println!("  {}", line.chars().take(700).collect::<String>());
    }
    assert!(count > 0, "no case of that name");
    assert!(differing.is_empty(), "{} of {count} cases differ", differing.len());
}

fn render(chart: &Chart, values: Option<(String, String)>, seed: u8) -> Result<String, String> {
    let options = Options {
        release_name: "rel".into(),
        namespace: "ns".into(),
        include_crds: true,
        values: ValueOptions {
            files: values.into_iter().collect(),
            ..ValueOptions::default()
        },
        capabilities: Capabilities {
            kube_version: KubeVersion::parse("1.36.1").unwrap(),
            ..Capabilities::default()
        },
        ..Options::default()
    };
    template(chart, &options, &Seeded(seed))
        .map(|output| output.text)
        .map_err(|e| e.to_string())
}

fn on_a_big_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(Limits::default().stack_bytes());
        thread.spawn_scoped(scope, work).unwrap().join().unwrap()
    })
}

fn load(directory: &Path) -> Result<Arc<Chart>, String> {
    let mut tree = MemoryTree::new();
    add(&mut tree, directory, &TreePath::root());
    Chart::load(&Reader::new(&tree), &TreePath::root(), &Limits::default()).map_err(|e| e.to_string())
}

fn add(tree: &mut MemoryTree, directory: &Path, at: &TreePath) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let path = at.child(entry.file_name().to_str().unwrap());
        if entry.path().is_dir() {
            add(tree, &entry.path(), &path);
        } else {
            *tree = std::mem::take(tree).with_file(path, std::fs::read(entry.path()).unwrap());
        }
    }
}

/// Lines in which two renders of our own differ are compared up to their value only.
fn same_masked(first: &str, second: &str, expected: &str) -> Result<(), String> {
    let lines: [Vec<&str>; 3] = [first, second, expected].map(|t| t.split('\n').collect());
    let [first_lines, second_lines, expected_lines] = &lines;
    if first_lines.len() != second_lines.len() || first_lines.len() != expected_lines.len() {
        return Err(difference(first, expected));
    }
    for ((ours, other), theirs) in first_lines.iter().zip(second_lines).zip(expected_lines) {
        let same = if ours == other {
            ours == theirs
        } else {
            before_value(ours) == before_value(theirs)
        };
        if !same {
            return Err(format!("\n    ours   {ours}\n    helm's {theirs}"));
        }
    }
    Ok(())
}

/// Indentation and key of a line; of a line of a block scalar its indentation.
fn before_value(line: &str) -> &str {
    match line.split_once(": ") {
        Some((key, _)) => key,
        None => &line[..line.len() - line.trim_start().len()],
    }
}

fn difference(ours: &str, expected: &str) -> String {
    let place = ours.split('\n').zip(expected.split('\n')).position(|(a, b)| a != b);
    match place {
        None => format!("{} lines, helm has {}", ours.lines().count(), expected.lines().count()),
        Some(place) => {
            let around = |text: &str| {
                let lines: Vec<&str> = text.split('\n').skip(place.saturating_sub(1)).take(4).collect();
                lines.join("\n           ")
            };
            format!(
                "line {}\n    ours   {}\n    helm's {}",
                place + 1,
                around(ours),
                around(expected)
            )
        }
    }
}

/// The unpacked corpus, or `None` where there is none to unpack.
fn corpus() -> Option<PathBuf> {
    let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/helm.tar.xz");
    let named = std::env::var_os("PINTLE_CORPUS").map(|dir| PathBuf::from(dir).join("helm.tar.xz"));
    let archive = named.filter(|path| path.exists()).unwrap_or(archive);
    let Ok(metadata) = std::fs::metadata(&archive) else {
        println!("stepping aside: {} is not there", archive.display());
        return None;
    };
    let modified = metadata
        .modified()
        .unwrap()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let cache = PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache/pintle/corpus");
    let unpacked = cache.join(format!("helm-{}-{modified}", metadata.len()));
    if !unpacked.exists() {
        let temporary = cache.join(format!("helm-{}.part", std::process::id()));
        std::fs::create_dir_all(&temporary).unwrap();
        let done = Command::new("tar")
            .arg("-xJf")
            .arg(&archive)
            .arg("-C")
            .arg(&temporary)
            .status()
            .unwrap();
        assert!(done.success(), "tar could not unpack {}", archive.display());
        // Whoever comes second finds the first one's.
        let _ = std::fs::rename(&temporary, &unpacked);
    }
    Some(unpacked.join("helm"))
}
