//! Scenarios as text: lines that set up and move the world, and the transcript they give.
//!
//! `step` makes one step and carries out its effects; `run` steps until a step sends none. Each prints a line for each batch
//! (`verb: objects`) and a last line with phase and message.

use std::fmt::Write;
use std::time::Duration;

use jiff::Timestamp;
use pintle_model::annotation;
use pintle_model::application::{ManagedNamespaceMetadata, ResourceResult, SyncResource};
use pintle_model::{SyncOptions, Value};

use super::super::hook::{STAMP_ANNOTATION, stamp};
use super::super::{Memory, SyncOp, SyncView, TaskId, Terminate, Verb, WaitingOn, step};
use super::lint::Linter;
use super::world::{TRACKING, World, key, object};
use crate::effect::{ClusterId, Failure, FailureKind, Outcome};

/// An operation with nothing in it.
pub fn bare_op() -> SyncOp {
    SyncOp {
        cluster: ClusterId::in_cluster(),
        namespace: "shop".into(),
        targets: Vec::new(),
        revision: "0123456789abcdef".into(),
        started_at: "2026-01-02T03:04:05Z".parse().unwrap(),
        attempt: 0,
        prune: false,
        dry_run: false,
        skip_hooks: false,
        force: false,
        automated: false,
        allow_empty: false,
        options: SyncOptions::default(),
        selected: Vec::new(),
        namespace_metadata: None,
        shared_resource: None,
        approved_at: None,
        terminate: None,
    }
}

struct Stage {
    op: SyncOp,
    options: Vec<String>,
    world: World,
    results: Vec<ResourceResult>,
    /// As they were before the last step.
    before: Vec<ResourceResult>,
    memory: Memory,
    now: Timestamp,
    delay: Duration,
    linter: Linter,
    outcomes: Vec<(TaskId, Outcome)>,
    out: String,
}

impl Stage {
    fn new() -> Self {
        let op = bare_op();
        let now = op.started_at;
        let mut world = World::default();
        world.put(object("Namespace/shop"));
        Self {
            op,
            options: Vec::new(),
            world,
            results: Vec::new(),
            before: Vec::new(),
            memory: Memory::default(),
            now,
            delay: Duration::ZERO,
            linter: Linter::default(),
            outcomes: Vec::new(),
            out: String::new(),
        }
    }

    fn line(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["target", name, ref rest @ ..] => {
                let mut target = object(name);
                target.set_annotation(annotation::TRACKING_ID, TRACKING);
                dress(&mut target, rest, self.op.started_at);
                self.op.targets.push(target);
            }
            ["live", name, ref rest @ ..] => {
                let mut live = object(name);
                dress(&mut live, rest, self.op.started_at);
                self.world.put(live);
            }
            ["mirror", name, group] => self.world.mirror(&key(name), group),
            ["op", ref flags @ ..] => flags.iter().for_each(|flag| self.flag(flag)),
            ["refuse", verb, name, kind, ref message @ ..] => {
                let kind = match kind {
                    "Invalid" => FailureKind::Invalid,
                    "Forbidden" => FailureKind::Forbidden,
                    "Conflict" => FailureKind::Conflict,
                    "Unavailable" => FailureKind::Unavailable,
                    other => panic!("no failure {other}"),
                };
                let failure = Failure {
                    kind,
                    message: message.join(" "),
                };
                self.world.refusals.insert((key(name), verb == "dry-run"), failure);
            }
            ["health", name, code] => self.world.set_health(&key(name), code),
            ["message", name, ref text @ ..] => {
                let mut live = self.world.objects[&key(name)].clone();
                live.value_mut().set_at(&["status", "message"], text.join(" ").into());
                self.world.put(live);
            }
            ["gone", name] => self.world.remove(&key(name)),
            ["unreadable", kind, ref why @ ..] => {
                self.world.unreadable.insert(kind.into(), why.join(" "));
            }
            ["readable", kind] => {
                self.world.unreadable.remove(kind);
            }
            ["forbid", kind] => {
                self.world.forbidden.insert(kind.into());
            }
            ["in-sync", name] => {
                self.world.in_sync.insert(key(name));
            }
            ["linger", name] => {
                self.world.lingering.insert(key(name));
            }
            ["quick"] => self.world.is_quick = true,
            ["established", name] => {
                let mut crd = self.world.objects[&key(name)].clone();
                let condition = Value::from_json(br#"[{"type":"Established","status":"True"}]"#).unwrap();
                crd.value_mut().set_at(&["status", "conditions"], condition);
                self.world.put(crd);
            }
            ["tick", seconds] => {
                self.now = self
                    .now
                    .checked_add(Duration::from_secs_f64(seconds.parse().unwrap()))
                    .unwrap();
            }
            // The process dies: what it remembers and the answers it has not recorded are gone.
            ["crash"] => {
                self.memory = Memory::default();
                self.outcomes.clear();
            }
            // As a crash, and what the last step recorded was not persisted although its effects were carried out.
            ["forget"] => {
                self.results = self.before.clone();
                self.memory = Memory::default();
                self.outcomes.clear();
            }
            ["step"] => self.step(),
            ["run"] => self.run(),
            ["results"] => self.print_results(),
            ["content", name] => {
                let live = &self.world.objects[&key(name)];
                let text = pintle_model::to_json_string(live.value());
                writeln!(self.out, "{text}").unwrap();
            }
            _ => panic!("cannot read {line:?}"),
        }
    }

    fn flag(&mut self, flag: &str) {
        let (name, value) = flag.split_once(':').unwrap_or((flag, ""));
        match name {
            "prune" => self.op.prune = true,
            "dry-run" => self.op.dry_run = true,
            "skip-hooks" => self.op.skip_hooks = true,
            "force" => self.op.force = true,
            "automated" => self.op.automated = true,
            "allow-empty" => self.op.allow_empty = true,
            "delay" => self.delay = Duration::from_secs(value.parse().unwrap()),
            "opt" => {
                self.options.push(value.into());
                self.op.options = SyncOptions::of_application(&self.options);
            }
            "select" => {
                let key = key(value);
                let (group, kind, name) = (key.group.to_string(), key.kind.to_string(), key.name.to_string());
                self.op.selected.push(SyncResource {
                    group,
                    kind,
                    name,
                    ..SyncResource::default()
                });
            }
            "label" => {
                let metadata = self
                    .op
                    .namespace_metadata
                    .get_or_insert_with(ManagedNamespaceMetadata::default);
                metadata.labels.insert(value.into(), "yes".into());
            }
            "shared" => self.op.shared_resource = Some(value.into()),
            "approve" => self.op.approved_at = Some(self.now),
            "terminate" => self.op.terminate = Some(Terminate::Asked),
            "timeout" => self.op.terminate = Some(Terminate::TimedOut),
            "retry" => {
                self.op.attempt += 1;
                self.results.clear();
                self.memory = Memory::default();
                self.linter = Linter::default();
            }
            _ => panic!("no flag {flag:?}"),
        }
    }

    /// One step; its effects carried out. Prints the batch, or the last line if there is none.
    fn step(&mut self) {
        let view = SyncView {
            cluster: &self.world,
            results: &self.results,
            memory: self.memory,
            wave_delay: self.delay,
        };
        let next = step(&self.op, &view, &self.outcomes, self.now);
        self.outcomes.clear();
        self.linter.check(&self.op, &self.world, &view, &next);
        self.memory = next.memory;
        self.before = std::mem::replace(&mut self.results, next.results);
        if next.waiting_on == Some(WaitingOn::Recording) {
            // Recorded just now.
            assert_eq!(next.wake_at, Some(self.now));
            return self.step();
        }
        if next.effects.is_empty() {
            writeln!(self.out, "{}: {}", next.phase, next.message).unwrap();
            if let Some(WaitingOn::WaveDelay { until } | WaitingOn::CrdEstablished { until, .. }) = next.waiting_on {
                assert!(next.wake_at.is_some_and(|at| at <= until));
            }
            return;
        }
        let mut verbs: Vec<(&str, Vec<String>)> = Vec::new();
        for (id, _) in &next.effects {
            let verb = match id.verb {
                Verb::DryRun => "dry-run",
                Verb::Apply => "apply",
                Verb::Prune => "prune",
                Verb::Release => "release",
                Verb::Delete => "delete",
            };
            let name = format!("{}/{}", id.key.kind, id.key.name);
            match verbs.last_mut() {
                Some((last, names)) if *last == verb => names.push(name),
                _ => verbs.push((verb, vec![name])),
            }
        }
        let batch: Vec<String> = verbs
            .iter()
            .map(|(verb, names)| format!("{verb}: {}", names.join(" ")))
            .collect();
        writeln!(self.out, "{}", batch.join("; ")).unwrap();
        let now = self.now;
        self.outcomes = next
            .effects
            .into_iter()
            .map(|(id, effect)| (id, self.world.execute(&effect, now)))
            .collect();
    }

    fn run(&mut self) {
        for _ in 0..50 {
            self.step();
            if self.outcomes.is_empty() {
                return;
            }
        }
        panic!("does not come to rest:\n{}", self.out);
    }

    fn print_results(&mut self) {
        for r in &self.results {
            let hook = if r.hook_type.is_unset() {
                String::new()
            } else {
                format!(" hook {}", r.hook_type)
            };
            let images = if r.images.is_empty() {
                String::new()
            } else {
                format!(" [{}]", r.images.join(" "))
            };
            let (kind, name, phase) = (&r.kind, &r.name, &r.sync_phase);
            let line = format!(
                "{kind}/{name}{hook} {phase} {} {} {}{images}",
                r.status, r.hook_phase, r.message
            );
            writeln!(self.out, "  {}", line.trim_end()).unwrap();
        }
    }
}

/// Plays a script and compares the transcript, line by line, blanks at the ends aside.
#[track_caller]
pub fn check(script: &str, expected: &str) {
    let mut stage = Stage::new();
    script
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty())
        .for_each(|line| stage.line(line));
    let tidy = |text: &str| {
        text.lines()
            .map(str::trim)
            .filter(|l| !l.is_empty())
            .collect::<Vec<_>>()
            .join("\n")
    };
    let (actual, expected) = (tidy(&stage.out), tidy(expected));
    assert!(
        actual == expected,
        "script:\n{}\n\nexpected:\n{expected}\n\nactual:\n{actual}\n",
        tidy(script)
    );
}

/// Puts annotations and fields on an object, as the words of a script say.
pub fn dress(object: &mut pintle_model::Object, words: &[&str], started_at: Timestamp) {
    for word in words {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        match name {
            "tracked" => object.set_annotation(annotation::TRACKING_ID, TRACKING),
            "hook" => object.set_annotation(annotation::HOOK, value),
            "helm" => object.set_annotation(annotation::HELM_HOOK, value),
            "policy" => object.set_annotation(annotation::HOOK_DELETE_POLICY, value),
            "helm-policy" => object.set_annotation(annotation::HELM_HOOK_DELETE_POLICY, value),
            "keep" => object.set_annotation(annotation::HELM_RESOURCE_POLICY, "keep"),
            "made" => object
                .value_mut()
                .set_at(&["metadata", "creationTimestamp"], value.into()),
            "wave" => object.set_annotation(annotation::SYNC_WAVE, value),
            "weight" => object.set_annotation(annotation::HELM_HOOK_WEIGHT, value),
            "opt" => object.set_annotation(annotation::SYNC_OPTIONS, value),
            "stamp" => object.set_annotation(STAMP_ANNOTATION, stamp(started_at, 0, value)),
            "old" => object.set_annotation(STAMP_ANNOTATION, "1.0.PreSync"),
            "namespace" => object.set_namespace(value),
            "health" => object.value_mut().set_at(&["status", "health"], value.into()),
            "image" => {
                let container = Value::from_json(format!(r#"[{{"image":"{value}"}}]"#).as_bytes()).unwrap();
                object
                    .value_mut()
                    .set_at(&["spec", "template", "spec", "containers"], container);
            }
            "finalizer" => {
                let list = Value::list(vec![annotation::FINALIZER_HOOK.into()]);
                object.value_mut().set_at(&["metadata", "finalizers"], list);
            }
            "owned" => {
                let owner = br#"[{"apiVersion":"v1","kind":"X","name":"x","uid":"x"}]"#;
                object
                    .value_mut()
                    .set_at(&["metadata", "ownerReferences"], Value::from_json(owner).unwrap());
            }
            "deleting" => object
                .value_mut()
                .set_at(&["metadata", "deletionTimestamp"], value.into()),
            "defines" => {
                let spec = format!(r#"{{"group":"example.com","names":{{"kind":"{value}"}},"scope":"Namespaced"}}"#);
                object
                    .value_mut()
                    .set_at(&["spec"], Value::from_json(spec.as_bytes()).unwrap());
            }
            "generate" => {
                object.value_mut().remove_at(&["metadata", "name"]);
                object.value_mut().set_at(&["metadata", "generateName"], value.into());
            }
            _ => panic!("cannot dress with {word:?}"),
        }
    }
}
