//! What is measured here: our renderers, in a process of their own.
//!
//! The measuring process stays small, because the kernel counts a parent's memory as its child's; so whatever loads a chart is a child.

use std::{cell::RefCell, collections::BTreeMap, fs, io::Write as _, path::Path, thread, time::Duration};

use pintle_gotmpl::{Ambient, CallSite, Now};
use pintle_model::tree::{Reader, TreePath};
use pintle_render::{
    helm::{Capabilities, Chart, KubeVersion, Limits, Options, ValueOptions, template},
    kustomize::{self, Built},
};
use serde::{Deserialize, Serialize};

use super::super::Result;
use super::corpus::{ChartCase, KustomizeCase, Snapshot, cases};
use super::usage::timed;

/// Values tried before a chart counts as one in which no value can be changed: their schemas refuse most of what is no name.
const TRIED_VALUES: usize = 40;

/// One case, as a line of JSON.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Measured {
    /// The case.
    pub name: String,
    /// Nanoseconds of one thread: from the files of the tree to the text, and everything dropped again.
    pub cold: Vec<u64>,
    /// The same chart again with one value changed each time; empty where the case fails or no value can be changed.
    pub changed: Vec<u64>,
    /// Most random bytes that one call of a function drew: a password takes some, a key hundreds.
    pub drawn: usize,
    /// Whether it drew any, and the chart's templates speak of bcrypt.
    pub may_hash: bool,
}

/// What random numbers a render asks for, and numbers that depend on a seed.
struct Seeded {
    seed: u64,
    /// By template, place and which run of it.
    drawn: RefCell<BTreeMap<(String, u32, u32), usize>>,
}

impl Seeded {
    fn new(seed: u64) -> Self {
        Self {
            seed,
            drawn: RefCell::default(),
        }
    }

    fn most_drawn(&self) -> usize {
        self.drawn.borrow().values().copied().max().unwrap_or_default()
    }
}

impl Ambient for Seeded {
    fn now(&self) -> Now {
        Now {
            seconds: 1_780_000_000 + i64::try_from(self.seed).unwrap_or_default() * 86_400,
            nanos: 0,
            offset_seconds: 0,
        }
    }

    fn random(&self, site: &CallSite, draw: u32, out: &mut [u8]) {
        let place = (site.template.to_string(), site.position, site.run);
        *self.drawn.borrow_mut().entry(place).or_default() += out.len();
        let mut state = self.seed << 32 ^ u64::from(site.position) ^ u64::from(site.run) << 48 ^ u64::from(draw) << 40;
        for byte in out {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            *byte = (mixed >> 32).to_le_bytes()[0];
        }
    }
}

/// Renders every chart of the corpus `samples` times: a line of [`Measured`] each on standard output, and two renders' texts in `out`.
pub(super) fn charts(corpus: &Path, out: &Path, samples: usize) -> Result<()> {
    let mut trees: BTreeMap<String, Snapshot> = BTreeMap::new();
    for case in cases::<ChartCase>(corpus)? {
        if !trees.contains_key(&case.chart) {
            trees.insert(case.chart.clone(), Snapshot::of(&corpus.join(&case.chart))?);
        }
        let tree = trees.get(&case.chart).ok_or("just put there")?;
        let options = chart_options(&case, corpus)?;
        let measured = chart(&case, tree, &options, out, samples)?;
        line(&measured)?;
    }
    Ok(())
}

fn chart(case: &ChartCase, tree: &Snapshot, options: &Options, out: &Path, samples: usize) -> Result<Measured> {
    let mut measured = Measured {
        name: case.name.clone(),
        ..Measured::default()
    };
    // Two at least: what differs between them is random.
    for sample in 0..samples.max(2) {
        let ambient = Seeded::new(sample as u64);
        let (cost, text) = timed(|| {
            let chart = Chart::load(&Reader::new(tree), &TreePath::root(), &options.limits)?;
            template(&chart, options, &ambient).map(|output| output.text)
        });
        measured.cold.push(nanos(cost));
        measured.drawn = ambient.most_drawn();
        measured.may_hash = measured.drawn > 0 && tree.mentions(&["htpasswd", "bcrypt"]);
        if sample < 2 {
            let text = text.unwrap_or_else(|e| format!("Error: {e}\n"));
            fs::write(out.join(format!("{}.{sample}", case.name)), text)?;
        }
    }
    if !case.ok {
        return Ok(measured);
    }
    let chart = Chart::load(&Reader::new(tree), &TreePath::root(), &options.limits)?;
    let with = |path: &str, number: usize| {
        let mut options = options.clone();
        options.values.set.push(format!("{path}=v{number}"));
        options
    };
    let ambient = Seeded::new(0);
    let usable = changeable(&chart)
        .into_iter()
        .find(|path| template(&chart, &with(path, 0), &ambient).is_ok());
    if let Some(path) = usable {
        for sample in 1..=samples {
            let options = with(&path, sample);
            let (cost, done) = timed(|| template(&chart, &options, &ambient).is_ok());
            if done {
                measured.changed.push(nanos(cost));
            }
        }
    }
    Ok(measured)
}

/// Texts among the chart's own values, as `--set` names them: names first, for charts let people change those.
fn changeable(chart: &Chart) -> Vec<String> {
    let mut paths = vec!["fullnameOverride".to_owned(), "nameOverride".to_owned()];
    let values = chart.default_values();
    paths.retain(|path| values.get(path).is_some());
    let is_plain = |key: &str| key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    for (key, value) in values.iter().filter(|(key, _)| is_plain(key)) {
        if value.as_str().is_some() {
            paths.push(key.to_string());
        }
        for (inner, value) in value.as_map().into_iter().flat_map(|map| map.iter()) {
            if value.as_str().is_some() && is_plain(inner) {
                paths.push(format!("{key}.{inner}"));
            }
        }
    }
    paths.truncate(TRIED_VALUES);
    paths
}

/// Renders one chart once and prints it: what a process costs that does nothing else.
pub(super) fn one_chart(corpus: &Path, name: &str) -> Result<()> {
    let cases = cases::<ChartCase>(corpus)?;
    let case = cases.iter().find(|c| c.name == name).ok_or("no case of that name")?;
    let tree = Snapshot::of(&corpus.join(&case.chart))?;
    let options = chart_options(case, corpus)?;
    let chart = Chart::load(&Reader::new(&tree), &TreePath::root(), &options.limits)?;
    let output = template(&chart, &options, &Seeded::new(0))?;
    Ok(std::io::stdout().write_all(output.text.as_bytes())?)
}

/// The flags of the corpus: `helm template rel CHART --namespace ns --include-crds --kube-version 1.36.1 [-f VALUES]`.
fn chart_options(case: &ChartCase, corpus: &Path) -> Result<Options> {
    let mut files = Vec::new();
    if let Some(file) = &case.values {
        files.push((file.clone(), fs::read_to_string(corpus.join(file))?));
    }
    Ok(Options {
        release_name: "rel".into(),
        namespace: "ns".into(),
        include_crds: true,
        values: ValueOptions {
            files,
            ..ValueOptions::default()
        },
        capabilities: Capabilities {
            kube_version: KubeVersion::parse("1.36.1")?,
            ..Capabilities::default()
        },
        ..Options::default()
    })
}

/// Builds every kustomization that Kustomize builds too.
pub(super) fn kustomizations(corpus: &Path, out: &Path, samples: usize) -> Result<()> {
    let mut trees: BTreeMap<String, Snapshot> = BTreeMap::new();
    for case in cases::<KustomizeCase>(corpus)?.into_iter().filter(|case| case.ok) {
        let (repository, inside) = case.split()?;
        if !trees.contains_key(&repository) {
            trees.insert(repository.clone(), Snapshot::of(&corpus.join(&repository))?);
        }
        let tree = trees.get(&repository).ok_or("just put there")?;
        let measured = kustomization(&case.name, tree, &inside, out, samples)?;
        line(&measured)?;
    }
    Ok(())
}

/// Builds the kustomization in a directory; a line of [`Measured`], and the text in `out`.
pub(super) fn one_directory(directory: &Path, out: &Path, samples: usize) -> Result<()> {
    let tree = Snapshot::of(directory)?;
    line(&kustomization("large", &tree, &TreePath::root(), out, samples)?)
}

fn kustomization(name: &str, tree: &Snapshot, inside: &TreePath, out: &Path, samples: usize) -> Result<Measured> {
    let mut measured = Measured {
        name: name.to_owned(),
        ..Measured::default()
    };
    for sample in 0..samples {
        let (cost, text) =
            timed(
                || match kustomize::build(&Reader::new(tree), inside, &kustomize::Options::default()) {
                    Built::Ok { text, .. } => text,
                    Built::Needs(needs) => format!("Error: {} remote resources\n", needs.len()),
                    Built::Failed(failure) => format!("Error: {failure}\n"),
                },
            );
        measured.cold.push(nanos(cost));
        if sample == 0 {
            fs::write(out.join(format!("{name}.0")), text)?;
        }
    }
    Ok(measured)
}

/// Builds one kustomization once and prints it.
pub(super) fn one_kustomization(repository: &Path, inside: &str) -> Result<()> {
    let tree = Snapshot::of(repository)?;
    let inside = TreePath::new(inside)?;
    match kustomize::build(&Reader::new(&tree), &inside, &kustomize::Options::default()) {
        Built::Ok { text, .. } => Ok(std::io::stdout().write_all(text.as_bytes())?),
        Built::Needs(needs) => Err(format!("{} remote resources", needs.len()).into()),
        Built::Failed(failure) => Err(failure.to_string().into()),
    }
}

fn line(measured: &Measured) -> Result<()> {
    let mut text = serde_json::to_string(measured)?;
    text.push('\n');
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}

fn nanos(cost: Duration) -> u64 {
    u64::try_from(cost.as_nanos()).unwrap_or(u64::MAX)
}

/// Templates nest on the stack, and their depth is bounded so that this is enough. One thread does everything, as those of the service
/// stay for the next render.
pub(super) fn on_a_render_thread(work: impl FnOnce() -> Result<()> + Send) -> Result<()> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(Limits::default().stack_bytes());
        let done = thread.spawn_scoped(scope, work)?.join();
        done.map_err(|_| "a render panicked")?
    })
}
