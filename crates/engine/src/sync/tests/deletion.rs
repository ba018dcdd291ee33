//! Deleting an Application: the stages, what goes and what stays, and what holds a finalizer.

use std::fmt::Write;
use std::time::Duration;

use jiff::Timestamp;
use pintle_model::{Gvk, ResourceKey, SyncOptions, annotation};

use super::super::delete::abandon;
use super::super::{DeleteOp, TaskId, Verb, delete_step};
use super::scenario::dress;
use super::world::{TRACKING, World, api_version, key, object};
use crate::effect::{Action, ClusterId, Failure, FailureKind, Outcome};

struct Stage {
    op: DeleteOp,
    options: Vec<String>,
    world: World,
    now: Timestamp,
    outcomes: Vec<(TaskId, Outcome)>,
    out: String,
}

impl Stage {
    fn new() -> Self {
        let deleted_at: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        let mut world = World::default();
        world.put(object("Namespace/shop"));
        let op = DeleteOp {
            cluster: ClusterId::in_cluster(),
            namespace: "shop".into(),
            application: ResourceKey::new("argoproj.io", "Application", "argocd", "shop"),
            finalizers: Vec::new(),
            deleted_at,
            kinds: Vec::new(),
            targets: Ok(Vec::new()),
            revision: "0123456789abcdef".into(),
            options: SyncOptions::default(),
            approved_at: None,
        };
        Self {
            op,
            options: Vec::new(),
            world,
            now: deleted_at,
            outcomes: Vec::new(),
            out: String::new(),
        }
    }

    fn line(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["finalizers", ref stages @ ..] => {
                let name = |stage: &&str| {
                    match *stage {
                        "pre" => annotation::FINALIZER_PRE_DELETE,
                        "pre/cleanup" => annotation::FINALIZER_PRE_DELETE_CLEANUP,
                        "resources" => annotation::FINALIZER,
                        "background" => annotation::FINALIZER_BACKGROUND,
                        "post" => annotation::FINALIZER_POST_DELETE,
                        "post/cleanup" => annotation::FINALIZER_POST_DELETE_CLEANUP,
                        other => other,
                    }
                    .to_owned()
                };
                self.op.finalizers = stages.iter().map(name).collect();
            }
            ["target", name, ref rest @ ..] => {
                let mut target = object(name);
                target.set_annotation(annotation::TRACKING_ID, TRACKING);
                dress(&mut target, rest, self.op.deleted_at);
                self.op.targets.as_mut().unwrap().push(target);
            }
            ["no-targets", ref why @ ..] => self.op.targets = Err(why.join(" ")),
            ["live", name, ref rest @ ..] => {
                let mut live = object(name);
                dress(&mut live, rest, self.op.deleted_at);
                self.world.put(live);
            }
            ["kinds", ref kinds @ ..] => {
                let gvk = |kind: &&str| Gvk::from_api_version(api_version(kind), kind);
                self.op.kinds = kinds.iter().map(gvk).collect();
            }
            ["opt", option] => {
                self.options.push(option.into());
                self.op.options = SyncOptions::of_application(&self.options);
            }
            ["linger", name] => {
                self.world.lingering.insert(key(name));
            }
            ["gone", name] => self.world.remove(&key(name)),
            ["health", name, code] => self.world.set_health(&key(name), code),
            ["unreadable", kind, ref why @ ..] => {
                self.world.unreadable.insert(kind.into(), why.join(" "));
            }
            ["readable", kind] => {
                self.world.unreadable.remove(kind);
            }
            ["forbid", kind] => {
                self.world.forbidden.insert(kind.into());
            }
            ["refuse", name, ref message @ ..] => {
                let failure = Failure {
                    kind: FailureKind::Forbidden,
                    message: message.join(" "),
                };
                self.world.refusals.insert((key(name), false), failure);
            }
            ["approve"] => self.op.approved_at = Some(self.now),
            ["tick", seconds] => {
                self.now = self
                    .now
                    .checked_add(Duration::from_secs(seconds.parse().unwrap()))
                    .unwrap();
            }
            ["run"] => self.run(),
            ["abandon"] => writeln!(self.out, "give up: {}", abandon(&self.op).release.join(" ")).unwrap(),
            _ => panic!("cannot read {line:?}"),
        }
    }

    fn run(&mut self) {
        for _ in 0..50 {
            let step = delete_step(&self.op, &self.world, &self.outcomes, self.now);
            self.outcomes.clear();
            if let Some(condition) = &step.condition {
                writeln!(self.out, "DeletionError: {condition}").unwrap();
            }
            if step.done {
                writeln!(self.out, "done").unwrap();
                return;
            }
            if !step.release.is_empty() {
                assert!(step.effects.is_empty() && step.waiting_on.is_none());
                writeln!(self.out, "give up: {}", step.release.join(" ")).unwrap();
                self.op.finalizers.retain(|f| !step.release.contains(f));
                continue;
            }
            let waiting = step.waiting_on.expect("waits, sends or gives up");
            if step.effects.is_empty() {
                assert!(step.wake_at.is_some_and(|at| at > self.now), "someone must wake it");
                writeln!(self.out, "{waiting}").unwrap();
                return;
            }
            for (id, effect) in step.effects {
                if let Action::Delete { uid, propagation, .. } = &effect.action {
                    assert_eq!(&**uid, self.world.objects[&id.key].uid(), "{id} (I-16)");
                    write!(self.out, "{propagation:?} ").unwrap();
                }
                let verb = match id.verb {
                    Verb::Apply => "apply",
                    Verb::Release => "release",
                    Verb::Delete | Verb::Prune => "delete",
                    Verb::DryRun => panic!("no dry run in a deletion"),
                };
                writeln!(self.out, "{verb} {}/{}", id.key.kind, id.key.name).unwrap();
                let outcome = self.world.execute(&effect, self.now);
                self.outcomes.push((id, outcome));
            }
        }
        panic!("does not come to rest:\n{}", self.out);
    }
}

#[track_caller]
fn check(script: &str, expected: &str) {
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

#[test]
fn without_finalizer_everything_stays() {
    check("live ConfigMap/a tracked\nrun", "done");
}

#[test]
fn later_waves_go_first_and_are_waited_for() {
    check(
        "finalizers resources
         live ConfigMap/a tracked wave=0
         live Deployment/b tracked wave=1
         live Secret/c tracked wave=1
         linger Deployment/b
         run
         gone Deployment/b
         run",
        "Foreground delete Secret/c
         Foreground delete Deployment/b
         waiting for deletion of apps/Deployment/b
         Foreground delete ConfigMap/a
         give up: resources-finalizer.argocd.argoproj.io
         done",
    );
}

#[test]
fn what_stays() {
    check(
        "finalizers background other.example.com/finalizer
         live CustomResourceDefinition/crd tracked
         live ConfigMap/kept tracked opt=Delete=false
         live ConfigMap/chart tracked keep
         live ConfigMap/foreign
         live ConfigMap/owned tracked owned
         live Secret/forbidden tracked
         live Job/later tracked hook=PostDelete
         live Job/hook tracked hook=PreSync finalizer
         live ConfigMap/a tracked
         forbid Secret
         run",
        "Background delete ConfigMap/a
         release Job/hook
         Background delete Job/hook
         give up: resources-finalizer.argocd.argoproj.io/background
         done",
    );
    check(
        "finalizers resources
         opt Delete=false
         live ConfigMap/a tracked
         live ConfigMap/b tracked opt=Delete=true
         run",
        "Foreground delete ConfigMap/b
         give up: resources-finalizer.argocd.argoproj.io
         done",
    );
}

#[test]
fn nothing_to_see_is_not_nothing_there() {
    check(
        "finalizers resources
         kinds ConfigMap Secret Widget
         unreadable Secret the watch of secrets failed: forbidden
         unreadable Service the watch of services failed: forbidden
         live ConfigMap/a tracked
         run
         readable Secret
         run",
        "Foreground delete ConfigMap/a
         DeletionError: cannot tell whether any Secret is left to delete: the watch of secrets failed: forbidden
         cannot tell whether any Secret is left to delete: the watch of secrets failed: forbidden
         give up: resources-finalizer.argocd.argoproj.io
         done",
    );
    check(
        "finalizers resources
         kinds Mystery
         run",
        "DeletionError: cannot tell whether any Mystery.example.com is left to delete: discovery of example.com failed
         cannot tell whether any Mystery.example.com is left to delete: discovery of example.com failed",
    );
    check(
        "finalizers resources
         unreadable ConfigMap the watch is behind
         live ConfigMap/a tracked
         run",
        "DeletionError: /ConfigMap/a is not deleted: the watch is behind
         /ConfigMap/a is not deleted: the watch is behind",
    );
}

#[test]
fn a_person_confirms() {
    check(
        "finalizers resources
         live ConfigMap/a tracked opt=Delete=confirm
         live ConfigMap/b tracked wave=3
         run
         approve
         run",
        "waiting for deletion confirmation of /ConfigMap/a
         Foreground delete ConfigMap/b
         Foreground delete ConfigMap/a
         give up: resources-finalizer.argocd.argoproj.io
         done",
    );
}

#[test]
fn a_refused_delete_is_told_and_tried_later() {
    check(
        "finalizers resources
         live ConfigMap/a tracked
         refuse ConfigMap/a configmaps is forbidden
         run
         tick 30
         run",
        "Foreground delete ConfigMap/a
         DeletionError: /ConfigMap/a: configmaps is forbidden
         waiting for deletion of /ConfigMap/a
         Foreground delete ConfigMap/a
         give up: resources-finalizer.argocd.argoproj.io
         done",
    );
}

#[test]
fn hooks_before_and_after() {
    check(
        "finalizers resources pre pre/cleanup post post/cleanup
         target Job/first hook=PreDelete wave=-1 policy=HookSucceeded
         target Job/second hook=PreDelete
         target Job/last hook=PostDelete policy=HookSucceeded
         live ConfigMap/a tracked
         run
         health Job/first Healthy
         run
         health Job/second Healthy
         run
         health Job/last Healthy
         run",
        "apply Job/first
         waiting for completion of hook batch/Job/first
         apply Job/second
         waiting for completion of hook batch/Job/second
         give up: pre-delete-finalizer.argocd.argoproj.io
         release Job/first
         release Job/second
         Foreground delete Job/first
         give up: pre-delete-finalizer.argocd.argoproj.io/cleanup
         Foreground delete ConfigMap/a
         Foreground delete Job/second
         give up: resources-finalizer.argocd.argoproj.io
         apply Job/last
         waiting for completion of hook batch/Job/last
         give up: post-delete-finalizer.argocd.argoproj.io
         release Job/last
         Foreground delete Job/last
         give up: post-delete-finalizer.argocd.argoproj.io/cleanup
         done",
    );
}

#[test]
fn a_failed_hook_is_made_again_after_a_while() {
    check(
        "finalizers pre
         target Job/pre hook=PreDelete
         live Job/pre old made=2026-01-01T00:00:00Z
         run
         live Job/pre hook=PreDelete stamp=PreDelete finalizer made=2026-01-02T03:04:05Z health=Degraded
         run
         tick 10
         run
         health Job/pre Healthy
         run",
        "Foreground delete Job/pre
         apply Job/pre
         waiting for completion of hook batch/Job/pre
         DeletionError: PreDelete hook batch/Job/pre failed: 
         waiting for completion of hook batch/Job/pre
         release Job/pre
         Foreground delete Job/pre
         apply Job/pre
         waiting for completion of hook batch/Job/pre
         give up: pre-delete-finalizer.argocd.argoproj.io
         done",
    );
}

#[test]
fn unknown_hooks_hold_the_deletion() {
    check(
        "finalizers pre resources
         no-targets repository not accessible
         live ConfigMap/a tracked
         run",
        "DeletionError: the PreDelete hooks are not known: repository not accessible
         the PreDelete hooks are not known: repository not accessible",
    );
}

#[test]
fn a_lost_cluster_holds_nothing() {
    check(
        "finalizers resources other post
         live ConfigMap/a tracked
         abandon",
        "give up: resources-finalizer.argocd.argoproj.io post-delete-finalizer.argocd.argoproj.io",
    );
}
