//! The whole story of a change, played by itself. Every step is an act and something that must then really be seen through the API.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use pintle_model::application::{HealthStatusCode, SyncStatusCode};
use pintle_model::{GroupKind, ResourceKey, Value};
use tokio::time::Instant;

use super::check::{self, Wanted, describe};
use super::pause::Pause;
use super::say::{Say, seconds};
use super::shop::Environment::{self, Dev, Prod, Staging};
use super::sight::{AppState, Sight};
use super::world::World;

/// How long each sort of thing may take to be seen.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// From a commit or a request to a rollout that has ended.
    pub rollout: Duration,
    /// From a commit or a request to a rollout that has been given up (`progressDeadlineSeconds: 5`).
    pub failing_rollout: Duration,
    /// How long drift in prod must stay as it is to count as not healed.
    pub untouched: Duration,
}

impl Default for Patience {
    /// A rollout of three replicas takes about two seconds and self-heal acts within one; a slow machine gets ten times that.
    fn default() -> Self {
        Self {
            rollout: Duration::from_secs(20),
            failing_rollout: Duration::from_secs(30),
            untouched: Duration::from_secs(2),
        }
    }
}

/// What a person sets by hand, in both environments.
const DRIFTED_REPLICAS: i64 = 5;

/// A step of the story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Begin,
    Push,
    Diff,
    Sync,
    PushBroken,
    SyncBroken,
    RollBack,
    Revert,
    Drift,
    Delete,
}

impl Step {
    const ALL: [Self; 10] = [
        Self::Begin,
        Self::Push,
        Self::Diff,
        Self::Sync,
        Self::PushBroken,
        Self::SyncBroken,
        Self::RollBack,
        Self::Revert,
        Self::Drift,
        Self::Delete,
    ];

    fn title(self) -> &'static str {
        match self {
            Self::Begin => "dev and staging run 1.5; prod runs 1.4 and waits for a person",
            Self::Push => "git push of image 1.6: dev and staging deploy it by themselves, prod waits",
            Self::Diff => "pintle app diff shop-prod: what a sync would change",
            Self::Sync => "pintle app sync shop-prod: the rollout is watched until it is healthy",
            Self::PushBroken => {
                "git push of a broken image: dev follows and says why it is Degraded, prod is untouched"
            }
            Self::SyncBroken => "pintle app sync shop-prod: prod gets the broken image too",
            Self::RollBack => "pintle app rollback shop-prod: prod is back at 1.6",
            Self::Revert => "git revert: dev and staging are back at 1.6, and prod is as Git says",
            Self::Drift => "somebody scales web by hand: healed in dev, reported in prod",
            Self::Delete => "pintle app delete shop-staging: it goes with all it deployed, and nothing else goes",
        }
    }
}

/// A step that was not seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotSeen {
    /// What should have been seen.
    pub expected: String,
    /// What was seen last.
    pub seen: String,
}

impl NotSeen {
    fn new(expected: impl Into<String>, seen: impl fmt::Display) -> Self {
        Self {
            expected: expected.into(),
            seen: seen.to_string(),
        }
    }
}

/// What was seen, in a few words.
type Seen = Result<String, NotSeen>;

/// Plays every step and prints what was seen. Returns whether all of it was.
pub async fn play(world: &World, say: Say, pause: &mut Pause) -> bool {
    let mut story = Story::new(world, say, Patience::default());
    let (count, began) = (Step::ALL.len(), Instant::now());
    for (i, step) in Step::ALL.into_iter().enumerate() {
        let number = i + 1;
        if i > 0 {
            pause.wait(say).await;
        }
        say.title(&format!("[{number}/{count}] {}", step.title()));
        let started = Instant::now();
        match story.step(step).await {
            Ok(seen) => say.good(&format!("  ok {:>6}  {seen}", seconds(started.elapsed()))),
            Err(NotSeen { expected, seen }) => {
                let time = seconds(started.elapsed());
                say.bad(&format!(
                    "  NOT SEEN in {time}, step {number} of {count}: {}",
                    step.title()
                ));
                say.bad(&format!("    expected:  {expected}"));
                say.bad(&format!("    last seen: {seen}"));
                return false;
            }
        }
    }
    say.title(&format!(
        "All {count} steps were seen, in {}.",
        seconds(began.elapsed())
    ));
    true
}

struct Story<'a> {
    world: &'a World,
    say: Say,
    patience: Patience,
    /// The commit of image 1.6.
    good_commit: String,
}

impl<'a> Story<'a> {
    fn new(world: &'a World, say: Say, patience: Patience) -> Self {
        Self {
            world,
            say,
            patience,
            good_commit: String::new(),
        }
    }

    async fn step(&mut self, step: Step) -> Seen {
        match step {
            Step::Begin => self.begin().await,
            Step::Push => self.push().await,
            Step::Diff => self.diff().await,
            Step::Sync => self.sync().await,
            Step::PushBroken => self.push_broken().await,
            Step::SyncBroken => self.sync_broken().await,
            Step::RollBack => self.roll_back().await,
            Step::Revert => self.revert().await,
            Step::Drift => self.drift().await,
            Step::Delete => self.delete().await,
        }
    }

    async fn begin(&mut self) -> Seen {
        for environment in [Dev, Staging] {
            self.see(self.patience.rollout, &Wanted::good(environment, "1.5"))
                .await?;
        }
        self.see(
            self.patience.rollout,
            &Wanted::good(Prod, "1.4").sync(SyncStatusCode::OutOfSync),
        )
        .await?;
        Ok(self.world.lookout.look(check::summary))
    }

    async fn push(&mut self) -> Seen {
        let commit = self.release("1.6").await?;
        for environment in [Dev, Staging] {
            self.see(self.patience.rollout, &Wanted::good(environment, "1.6").at(&commit))
                .await?;
        }
        let waits = Wanted::good(Prod, "1.4").sync(SyncStatusCode::OutOfSync).at(&commit);
        self.see(self.patience.rollout, &waits).await?;
        self.good_commit = commit;
        Ok(self.world.lookout.look(check::summary))
    }

    async fn diff(&mut self) -> Seen {
        let expected = "a diff with the lines `-… image: shop:1.4` and `+… image: shop:1.6`";
        let diff = self.world.console.diff(Prod.application()).await;
        let diff = diff.map_err(|e| NotSeen::new(expected, e))?;
        let has = |sign: char, image: &str| {
            diff.lines()
                .any(|l| l.starts_with(sign) && l.trim_end().ends_with(image))
        };
        if !(has('-', "image: shop:1.4") && has('+', "image: shop:1.6")) {
            return Err(NotSeen::new(
                expected,
                if diff.is_empty() { "no difference" } else { &diff },
            ));
        }
        self.say.diff(&diff);
        let changed = diff
            .lines()
            .filter(|l| l.starts_with(['-', '+']) && !l.starts_with("---") && !l.starts_with("+++"));
        Ok(format!("{} changed lines, 1.4 to 1.6", changed.count()))
    }

    async fn sync(&mut self) -> Seen {
        let mark = self.world.lookout.look(Sight::mark);
        self.ask_sync().await?;
        let commit = self.good_commit.clone();
        self.see(
            self.patience.rollout,
            &Wanted::good(Prod, "1.6").at(&commit).operation_ended(),
        )
        .await?;
        self.went_through(mark, HealthStatusCode::Progressing)
    }

    async fn push_broken(&mut self) -> Seen {
        let commit = self.release("broken").await?;
        self.see(self.patience.failing_rollout, &Wanted::broken(Dev).at(&commit))
            .await?;
        let why = self.why_degraded(Dev).await?;
        let untouched = Wanted::good(Prod, "1.6").sync(SyncStatusCode::OutOfSync).at(&commit);
        self.see(self.patience.rollout, &untouched).await?;
        Ok(why)
    }

    async fn sync_broken(&mut self) -> Seen {
        self.ask_sync().await?;
        self.see(self.patience.failing_rollout, &Wanted::broken(Prod).operation_ended())
            .await?;
        self.why_degraded(Prod).await
    }

    async fn roll_back(&mut self) -> Seen {
        let name = Prod.application();
        let app = self.world.lookout.look(|sight| sight.application(name));
        let history = app
            .map_err(|e| NotSeen::new("shop-prod with its history", e))?
            .status
            .history;
        let Some(entry) = history.iter().rev().find(|h| h.revision == self.good_commit) else {
            let revisions: Vec<&str> = history.iter().map(|h| h.revision.as_str()).collect();
            return Err(NotSeen::new(
                format!("an entry of {} in the history of {name}", self.good_commit),
                format!("revisions {}", revisions.join(", ")),
            ));
        };
        let asked = self.world.console.roll_back(name, entry.id).await;
        asked.map_err(|e| NotSeen::new(format!("the rollback of {name} to {} is taken", entry.id), e))?;
        let back = Wanted::good(Prod, "1.6")
            .sync(SyncStatusCode::OutOfSync)
            .operation_ended();
        self.see(self.patience.rollout, &back).await?;
        Ok(format!(
            "to history entry {}; {}",
            entry.id,
            self.world.lookout.look(|s| describe(s, Prod))
        ))
    }

    async fn revert(&mut self) -> Seen {
        let commit = self
            .world
            .shop
            .revert_last()
            .await
            .map_err(|e| NotSeen::new("git revert and push", e))?;
        for environment in Environment::ALL {
            self.see(self.patience.rollout, &Wanted::good(environment, "1.6").at(&commit))
                .await?;
        }
        Ok(self.world.lookout.look(check::summary))
    }

    async fn drift(&mut self) -> Seen {
        let mut before = BTreeMap::new();
        for environment in [Dev, Prod] {
            let generation = self
                .world
                .lookout
                .look(|sight| check::deployment(sight, environment).map(|d| d.generation()));
            before.insert(
                environment,
                generation.map_err(|e| NotSeen::new("the Deployment web", e))?,
            );
            let mut patch = Value::map();
            patch.set_at(&["spec", "replicas"], DRIFTED_REPLICAS.into());
            let kind = GroupKind::new("apps", "Deployment");
            let done = self
                .world
                .hand
                .merge(&kind, environment.application(), "web", &patch)
                .await;
            done.map_err(|e| NotSeen::new("a Deployment scaled by hand", e))?;
        }
        let generation = before.get(&Dev).copied().flatten();
        // Scaling raised the generation once; only a second write can have put the replicas back.
        let healed = |sight: &Sight| {
            let deployment = check::deployment(sight, Dev)?;
            let twice = deployment.generation() >= generation.map(|g| g + 2);
            check::wanted(sight, &Wanted::good(Dev, "1.6"))?;
            if twice { Ok(()) } else { Err(describe(sight, Dev)) }
        };
        self.until(
            self.patience.rollout,
            "shop-dev has taken the replicas back to 2",
            healed,
        )
        .await?;
        let reported = |sight: &Sight| {
            let app = sight.application(Prod.application())?;
            let named = app
                .status
                .resources
                .iter()
                .any(|r| r.kind == "Deployment" && r.name == "web" && r.status == SyncStatusCode::OutOfSync);
            let drifted =
                check::deployment(sight, Prod)?.value().i64_at(&["spec", "replicas"]) == Some(DRIFTED_REPLICAS);
            let seen = app.status.sync.status == SyncStatusCode::OutOfSync && named && drifted;
            if seen { Ok(()) } else { Err(describe(sight, Prod)) }
        };
        let expected = "shop-prod stays OutOfSync, names Deployment web, and leaves its 5 replicas alone";
        self.until(self.patience.rollout, expected, reported).await?;
        let stayed = self.world.lookout.throughout(self.patience.untouched, reported).await;
        stayed.map_err(|seen| NotSeen::new(expected, seen))?;
        Ok(self
            .world
            .lookout
            .look(|s| format!("{}; {}", describe(s, Dev), describe(s, Prod))))
    }

    async fn delete(&mut self) -> Seen {
        let name = Staging.application();
        let others = |sight: &Sight| -> BTreeMap<ResourceKey, String> {
            [Dev, Prod]
                .into_iter()
                .flat_map(|e| check::deployed(sight, e))
                .collect()
        };
        let (before, gone) = self
            .world
            .lookout
            .look(|sight| (others(sight), check::deployed(sight, Staging)));
        if before.len() != 6 || gone.len() != 3 {
            let seen = format!("{} and {} objects", before.len(), gone.len());
            return Err(NotSeen::new(
                "6 objects of the others and 3 of shop-staging before the deletion",
                seen,
            ));
        }
        let asked = self.world.console.delete(name).await;
        asked.map_err(|e| NotSeen::new(format!("the deletion of {name} is taken"), e))?;
        let all_gone = |sight: &Sight| {
            let left: Vec<String> = check::everything(sight, Staging)
                .iter()
                .map(ToString::to_string)
                .collect();
            if sight.application(name).is_ok() {
                return Err(describe(sight, Staging));
            }
            if left.is_empty() {
                Ok(())
            } else {
                Err(format!("still there: {}", left.join(", ")))
            }
        };
        self.until(
            self.patience.rollout,
            "shop-staging and all its objects are gone",
            all_gone,
        )
        .await?;
        let after = self.world.lookout.look(others);
        if after != before {
            let lost: Vec<String> = before
                .keys()
                .filter(|k| !after.contains_key(*k))
                .map(ToString::to_string)
                .collect();
            return Err(NotSeen::new(
                "the other Applications' objects are untouched",
                format!("lost or replaced: {}", lost.join(", ")),
            ));
        }
        Ok(format!(
            "{} objects and all below them are gone; {} of the others are untouched",
            gone.len(),
            before.len()
        ))
    }

    async fn release(&self, tag: &str) -> Seen {
        let pushed = self.world.shop.release(&Environment::ALL, tag).await;
        pushed.map_err(|e| NotSeen::new(format!("a push of image {tag}"), e))
    }

    async fn ask_sync(&self) -> Result<(), NotSeen> {
        let asked = self.world.console.sync(Prod.application()).await;
        asked.map_err(|e| NotSeen::new("the sync of shop-prod is taken", e))
    }

    async fn see(&self, within: Duration, wanted: &Wanted) -> Result<(), NotSeen> {
        self.until(within, &wanted.to_string(), |sight| check::wanted(sight, wanted))
            .await
    }

    async fn until(
        &self,
        within: Duration,
        expected: &str,
        look: impl FnMut(&Sight) -> Result<(), String>,
    ) -> Result<(), NotSeen> {
        let seen = self.world.lookout.until(within, look).await;
        seen.map_err(|last| NotSeen::new(format!("{expected}, within {}", seconds(within)), last))
    }

    /// The reason the API gives for a Degraded Application: that its Deployment's time is up.
    async fn why_degraded(&self, environment: Environment) -> Seen {
        let name = environment.application();
        let expected = format!("the tree of {name} says that web exceeded its progress deadline");
        let reasons = self.world.console.degraded(name).await;
        let reasons = reasons.map_err(|e| NotSeen::new(expected.clone(), e))?;
        if !reasons
            .iter()
            .any(|r| r.starts_with("Deployment web:") && r.contains("exceeded its progress deadline"))
        {
            return Err(NotSeen::new(expected, format!("{reasons:?}")));
        }
        let pods = self.world.lookout.look(|sight| check::waiting(sight, environment));
        for reason in &reasons {
            self.say.line(&format!("    {reason}"));
        }
        Ok(format!("{name} Degraded; {pods}"))
    }

    /// Whether prod was seen in `health` after `mark`, and the way it went.
    fn went_through(&self, mark: usize, health: HealthStatusCode) -> Seen {
        let way: Vec<AppState> = self.world.lookout.look(|sight| {
            let of_prod = sight.since(mark).filter(|change| change.name == Prod.application());
            of_prod.filter_map(|change| change.state.clone()).collect()
        });
        let text: Vec<String> = way.iter().map(ToString::to_string).collect();
        let text = text.join(" → ");
        if way.iter().any(|state| state.health == health) {
            Ok(text)
        } else {
            Err(NotSeen::new(format!("shop-prod goes through {health}"), text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::world::WorldConfig;

    const IMPATIENT: Patience = Patience {
        rollout: Duration::from_millis(300),
        failing_rollout: Duration::from_millis(300),
        untouched: Duration::from_millis(100),
    };

    /// Without a controller nobody deploys, heals or deletes anything, whatever is pushed and asked: no step that waits for it may pass.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_step_that_does_not_happen_is_not_seen() {
        let config = WorldConfig {
            directory: None,
            api_port: 0,
            git_port: 0,
        };
        let mut world = World::start(config).await.unwrap();
        let mut story = Story::new(&world, Say::new(true), Patience::default());
        story.step(Step::Begin).await.unwrap();
        world.stop_controller().await;
        let mut story = Story::new(&world, Say::new(true), IMPATIENT);
        for step in Step::ALL {
            let seen = story.step(step).await;
            match step {
                // The world has begun; and what a sync would change is computed when asked: not to 1.6 of an unseen commit, though.
                Step::Begin => assert!(seen.is_ok(), "{seen:?}"),
                Step::Diff => {}
                _ => assert!(seen.is_err(), "{step:?} was seen: {seen:?}"),
            }
        }
        world.shut_down().await;
    }
}
