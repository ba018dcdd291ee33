//! What rendering costs beside `helm template` and `kustomize build`, case by case of the corpora: `cargo xtask bench render`.
//!
//! ```text
//! this process (small) ─┬─> itself as `charts`, `kustomizations`: one thread renders every case, cold; a line of JSON each
//!                       ├─> itself as `chart`, `kustomization`: one case in a process of its own, for its memory
//!                       └─> helm, kustomize: the same case with the same flags
//! ```
//!
//! Everything is processor time: of the thread that renders, or of a whole process. A case counts only if both give the same text; where
//! Helm's own differs from run to run, the lines count that two renders of ours have in common.

mod again;
mod corpus;
mod figures;
mod large;
mod options;
mod ours;
mod reference;
mod usage;

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

pub use options::{Options, USAGE};

use super::{Result, machine};
use corpus::{ChartCase, KustomizeCase, cases, unpacked};
use figures::{Pair, median, ms, over_a_fifth, percentile, table, worst};
use ours::{Measured, on_a_render_thread};
use reference::{References, Runs, repeat};

/// An RSA key takes thousands of random bytes, and a password less than a quarter of this.
const KEY_BYTES: usize = 256;

/// Times the same input is asked for again: some tenths of a second.
const REPEATS: u64 = 5000;

/// Does the part of the work that has a process of its own, if the arguments say so; `None` if they are a person's.
pub fn child(arguments: &[&str]) -> Option<Result<()>> {
    let number = |text: &str| text.parse::<usize>().unwrap_or(1);
    Some(match *arguments {
        ["again", corpus, scratch, repeats] => {
            let measured = again::measure(Path::new(corpus), Path::new(scratch), number(repeats) as u64);
            tokio::runtime::Runtime::new()
                .map_err(Into::into)
                .and_then(|runtime| runtime.block_on(measured))
        }
        ["charts", corpus, out, samples] => {
            on_a_render_thread(|| ours::charts(Path::new(corpus), Path::new(out), number(samples)))
        }
        ["chart", corpus, case] => on_a_render_thread(|| ours::one_chart(Path::new(corpus), case)),
        ["kustomizations", corpus, out, samples] => {
            on_a_render_thread(|| ours::kustomizations(Path::new(corpus), Path::new(out), number(samples)))
        }
        ["kustomization", repository, inside] => {
            on_a_render_thread(|| ours::one_kustomization(Path::new(repository), inside))
        }
        ["directory", directory, out, samples] => {
            on_a_render_thread(|| ours::one_directory(Path::new(directory), Path::new(out), number(samples)))
        }
        _ => return None,
    })
}

/// Measures what `options` ask for and returns it as Markdown.
pub fn run(options: &Options) -> Result<String> {
    let bench = Bench {
        me: env::current_exe()?,
        references: References::locate_or_build()?,
        scratch: tempfile::tempdir()?,
        samples: options.samples,
    };
    let mut text = String::from("| | |\n| --- | --- |\n");
    for (name, value) in machine::description() {
        text += &format!("| {name} | {value} |\n");
    }
    text += &format!(
        "| beside | helm {}, kustomize {}; medians of {} runs each |\n",
        bench.references.helm_version, bench.references.kustomize_version, options.samples
    );
    if options.helm {
        text += &bench.charts(&options.only)?;
        text += &bench.again()?;
    }
    if options.kustomize {
        text += &bench.kustomizations(&options.only)?;
        text += &bench.large()?;
    }
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text += &format!(
        "\nLoad after: {}\n",
        load.split(' ').take(3).collect::<Vec<_>>().join(" ")
    );
    Ok(text)
}

struct Bench {
    me: PathBuf,
    references: References,
    scratch: tempfile::TempDir,
    samples: usize,
}

impl Bench {
    fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// Runs this program as a child that measures, and reads what it says.
    fn measured(&self, arguments: &[&str]) -> Result<BTreeMap<String, Measured>> {
        let out = self.path("measured");
        let mut child = Command::new(&self.me);
        child.args(arguments);
        let text = {
            let output = child.output()?;
            fs::write(&out, &output.stdout)?;
            if !output.status.success() {
                return Err(format!("{arguments:?}: {}", String::from_utf8_lossy(&output.stderr)).into());
            }
            String::from_utf8(output.stdout)?
        };
        let mut all = BTreeMap::new();
        for line in text.lines() {
            let measured: Measured = serde_json::from_str(line)?;
            all.insert(measured.name.clone(), measured);
        }
        Ok(all)
    }

    fn own_process(&self, arguments: &[&str]) -> Result<Runs> {
        repeat(self.samples, &self.path("process"), || {
            let mut me = Command::new(&self.me);
            me.args(arguments);
            me
        })
    }

    fn charts(&self, only: &str) -> Result<String> {
        let corpus = unpacked("helm")?;
        let (corpus_text, out) = (corpus.display().to_string(), self.path("charts"));
        fs::create_dir_all(&out)?;
        let samples = self.samples.to_string();
        eprintln!("bench: every chart here");
        let all = self.measured(&["charts", &corpus_text, &out.display().to_string(), &samples])?;
        let (mut plain, mut keys) = (Vec::new(), Vec::new());
        let mut same = Same::default();
        let mut changed: Vec<(Duration, String)> = Vec::new();
        let cases: Vec<ChartCase> = cases(&corpus)?;
        for (number, case) in cases.iter().enumerate().filter(|(_, c)| c.name.contains(only)) {
            let measured = all.get(&case.name).ok_or("a case was not measured")?;
            let theirs = repeat(self.samples, &self.path("helm"), || {
                self.references.helm_template(&corpus, case, self.scratch.path())
            })?;
            let own = self.own_process(&["chart", &corpus_text, &case.name])?;
            let ours = fs::read_to_string(out.join(format!("{}.0", case.name)))?;
            let other = fs::read_to_string(out.join(format!("{}.1", case.name)))?;
            same.compare(case, &ours, &other, &theirs);
            if !measured.changed.is_empty() {
                changed.push((median(durations(&measured.changed)), case.name.clone()));
            }
            let pair = Pair {
                name: case.name.clone(),
                ours: median(durations(&measured.cold)),
                theirs: median(theirs.cpu),
                our_process: Some(median(own.cpu)),
                our_memory: own.memory_bytes,
                their_memory: theirs.memory_bytes,
            };
            if number % 20 == 19 {
                eprintln!("bench: {} of {} charts", number + 1, cases.len());
            }
            if measured.drawn >= KEY_BYTES || measured.may_hash {
                keys.push(pair);
            } else {
                plain.push(pair);
            }
        }
        let tool = "`helm template`";
        let mut text = format!("\n### Charts (a1), each cold, beside {tool}\n\n{}", table(&plain, tool));
        text += &format!("\n{}\n", named("Over a fifth of Helm's", &over_a_fifth(&plain)));
        text += &format!(
            "\nThe ten that cost most here, and the ten with the lowest ratio:\n\n{}",
            worst(&plain, tool, 10)
        );
        if !keys.is_empty() {
            text += &format!(
                "\nCases that make private keys or bcrypt hashes stand apart (a call draws {KEY_BYTES} random bytes, or any are drawn and a template \
                 speaks of bcrypt):\n\n{}",
                worst(&keys, tool, keys.len())
            );
        }
        let times: Vec<Duration> = changed.iter().map(|(time, _)| *time).collect();
        let slowest = changed.iter().max();
        text += &format!(
            "\n### The same chart with one value changed (a3)\n\n{} cases: median {}, 90th percentile {}, worst {} ({})\n",
            times.len(),
            ms(median(times.clone())),
            ms(percentile(times.clone(), 90)),
            ms(slowest.map_or(Duration::ZERO, |(time, _)| *time)),
            slowest.map_or("none", |(_, name)| name)
        );
        text += &format!("\n### Against Helm (a5)\n\n{}", same.text());
        Ok(text)
    }

    fn again(&self) -> Result<String> {
        let corpus = unpacked("helm")?.display().to_string();
        let scratch = self.path("again");
        fs::create_dir_all(&scratch)?;
        eprintln!("bench: the same input again");
        let mut child = Command::new(&self.me);
        child.args(["again", &corpus, &scratch.display().to_string(), &REPEATS.to_string()]);
        let output = child.output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into());
        }
        let again: again::Again = serde_json::from_slice(&output.stdout)?;
        Ok(format!(
            "\n### The same input again (a2)\n\n{} charts of one Git repository, asked for {} times through the service of Applications, {} rendered: \
             {:.0} a second by the clock, {:.0} for each second of the processor\n",
            again.charts,
            again.repeats,
            again.renders,
            again.repeats as f64 / again.wall_seconds.max(1e-9),
            again.repeats as f64 / again.cpu_seconds.max(1e-9)
        ))
    }

    fn kustomizations(&self, only: &str) -> Result<String> {
        let corpus = unpacked("kustomize")?;
        let (corpus_text, out) = (corpus.display().to_string(), self.path("kustomizations"));
        fs::create_dir_all(&out)?;
        let samples = self.samples.to_string();
        eprintln!("bench: every kustomization here");
        let all = self.measured(&["kustomizations", &corpus_text, &out.display().to_string(), &samples])?;
        let mut pairs = Vec::new();
        let mut same = Same::default();
        let cases: Vec<KustomizeCase> = cases(&corpus)?;
        for case in cases.iter().filter(|c| c.ok && c.name.contains(only)) {
            let measured = all.get(&case.name).ok_or("a case was not measured")?;
            let theirs = repeat(self.samples, &self.path("kustomize"), || {
                let directory = corpus.join(&case.path);
                self.references.kustomize_build(&directory, self.scratch.path())
            })?;
            let (repository, inside) = case.split()?;
            let repository = corpus.join(repository).display().to_string();
            let own = self.own_process(&["kustomization", &repository, inside.as_str()])?;
            let ours = fs::read_to_string(out.join(format!("{}.0", case.name)))?;
            same.text_of(&case.name, &ours, &theirs);
            pairs.push(Pair {
                name: case.name.clone(),
                ours: median(durations(&measured.cold)),
                theirs: median(theirs.cpu),
                our_process: Some(median(own.cpu)),
                our_memory: own.memory_bytes,
                their_memory: theirs.memory_bytes,
            });
        }
        let tool = "`kustomize build`";
        let mut text = format!(
            "\n### Kustomizations (a4), each cold, beside {tool}\n\n{}",
            table(&pairs, tool)
        );
        text += &format!("\n{}\n", named("Over a fifth of Kustomize's", &over_a_fifth(&pairs)));
        text += &format!(
            "\nThe five that cost most here, and the five with the lowest ratio:\n\n{}",
            worst(&pairs, tool, 5)
        );
        text += &format!("\nAgainst Kustomize (a5): {}", same.text());
        Ok(text)
    }

    fn large(&self) -> Result<String> {
        let mut text = String::from("\n### Large kustomizations\n\n");
        for (resources, is_beside) in [(large::RESOURCES_BESIDE, true), (large::RESOURCES, false)] {
            text += &self.one_large(resources, is_beside)?;
        }
        Ok(text)
    }

    fn one_large(&self, resources: usize, is_beside: bool) -> Result<String> {
        eprintln!("bench: a kustomization of {resources} resources");
        let directory = self.path(&format!("large-{resources}"));
        fs::create_dir_all(&directory)?;
        large::write(&directory, resources)?;
        let mut bytes = 0;
        for file in fs::read_dir(&directory)? {
            bytes += file?.metadata()?.len();
        }
        let shown = directory.display().to_string();
        let out = self.scratch.path().display().to_string();
        let all = self.measured(&["directory", &shown, &out, &self.samples.to_string()])?;
        let measured = all.get("large").ok_or("the large build was not measured")?;
        let own = self.own_process(&["kustomization", &shown, ""])?;
        let mib = |bytes: u64| format!("{:.0} MiB", bytes as f64 / f64::from(1 << 20));
        let ours = median(durations(&measured.cold));
        let mut text = format!(
            "- {resources} resources, {:.1} MB: {} here, {} of memory",
            bytes as f64 / 1e6,
            ms(ours),
            mib(own.memory_bytes)
        );
        if is_beside {
            let theirs = repeat(self.samples, &self.path("kustomize"), || {
                self.references.kustomize_build(&directory, self.scratch.path())
            })?;
            let mut same = Same::default();
            same.text_of("large", &fs::read_to_string(self.path("large.0"))?, &theirs);
            let cost = median(theirs.cpu.clone());
            text += &format!(
                "; `kustomize build` {}, {:.0} times as much, and {}. {}",
                ms(cost),
                cost.as_secs_f64() / ours.as_secs_f64().max(1e-9),
                mib(theirs.memory_bytes),
                same.text()
            );
        } else {
            text.push('\n');
        }
        Ok(text)
    }
}

/// How many texts are the same as the reference's.
#[derive(Default)]
struct Same {
    to_the_byte: usize,
    but_for_random: usize,
    failing: usize,
    differing: Vec<String>,
}

impl Same {
    fn compare(&mut self, case: &ChartCase, ours: &str, other: &str, theirs: &Runs) {
        if case.ok != theirs.success {
            self.differing
                .push(format!("{} (helm itself does not do as the corpus says)", case.name));
        } else if ours == theirs.text || (!case.ok && theirs.text.starts_with(ours.trim_end())) {
            if case.ok {
                self.to_the_byte += 1;
            } else {
                self.failing += 1;
            }
        } else if !case.deterministic && common_lines(ours, other, &theirs.text) {
            self.but_for_random += 1;
        } else {
            self.differing.push(case.name.clone());
        }
    }

    fn text_of(&mut self, name: &str, ours: &str, theirs: &Runs) {
        if theirs.success && ours == theirs.text {
            self.to_the_byte += 1;
        } else {
            self.differing.push(name.to_owned());
        }
    }

    fn text(&self) -> String {
        let mut text = format!("{} equal to the byte", self.to_the_byte);
        if self.but_for_random > 0 {
            text += &format!(", {} equal but for random values", self.but_for_random);
        }
        if self.failing > 0 {
            text += &format!(", {} failing with the same words", self.failing);
        }
        text + &format!(
            ". {}\n",
            named("Different", &self.differing.iter().map(|s| &**s).collect::<Vec<_>>())
        )
    }
}

/// Whether the lines that two renders of ours share are the reference's too, and the others begin alike.
fn common_lines(ours: &str, other: &str, theirs: &str) -> bool {
    let lines = |text: &str| text.lines().count();
    let before = |line: &str| match line.split_once(": ") {
        Some((key, _)) => key.to_owned(),
        None => line.chars().take_while(|c| *c == ' ').collect(),
    };
    lines(ours) == lines(other)
        && lines(ours) == lines(theirs)
        && ours
            .lines()
            .zip(other.lines())
            .zip(theirs.lines())
            .all(|((ours, other), theirs)| {
                if ours == other {
                    ours == theirs
                } else {
                    before(ours) == before(theirs)
                }
            })
}

fn named(what: &str, names: &[&str]) -> String {
    match names {
        [] => format!("{what}: none."),
        names => format!("{what}: {} ({}).", names.len(), names.join(", ")),
    }
}

fn durations(nanos: &[u64]) -> Vec<Duration> {
    nanos.iter().copied().map(Duration::from_nanos).collect()
}

#[cfg(test)]
mod tests {
    use super::common_lines;

    #[test]
    fn only_what_is_random_may_differ() {
        let (ours, other) = ("a: 1\npassword: x1\n", "a: 1\npassword: y2\n");
        assert!(common_lines(ours, other, "a: 1\npassword: z3\n"));
        assert!(!common_lines(ours, other, "a: 2\npassword: z3\n"));
        assert!(!common_lines(ours, other, "a: 1\nsecret: z3\n"));
        assert!(!common_lines(ours, other, "a: 1\npassword: z3\nb: 1\n"));
    }
}
