//! Conditions of an Application: which are set, and since when [F1.13].

use pintle_model::Time;
use pintle_model::application::{ApplicationCondition, ConditionType};

/// Conditions that one evaluation found, in the order found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Conditions(Vec<(ConditionType, String)>);

impl Conditions {
    /// Adds one; an equal one is not repeated.
    pub fn add(&mut self, kind: ConditionType, message: impl Into<String>) {
        let entry = (kind, message.into());
        if !self.0.contains(&entry) {
            self.0.push(entry);
        }
    }

    /// The conditions, in the order found.
    pub fn iter(&self) -> impl Iterator<Item = (&ConditionType, &str)> {
        self.0.iter().map(|(kind, message)| (kind, message.as_str()))
    }

    /// Adds those of another evaluation.
    pub fn extend(&mut self, other: Self) {
        for (kind, message) in other.0 {
            self.add(kind, message);
        }
    }

    /// Whether one of this type was found.
    pub fn has(&self, kind: &ConditionType) -> bool {
        self.0.iter().any(|(k, _)| k == kind)
    }

    /// Whether desired or live state cannot be trusted because of one of these.
    pub fn forbid_sync(&self) -> bool {
        self.0.iter().any(|(k, _)| k.forbids_sync())
    }

    /// The messages of the conditions that [`Conditions::forbid_sync`], as one line.
    pub fn error_message(&self) -> String {
        let errors = self.0.iter().filter(|(k, _)| k.is_error());
        errors.map(|(k, m)| format!("{k}: {m}")).collect::<Vec<_>>().join("; ")
    }

    /// The list for the status: types in `evaluated` are replaced by what was found, others stay; an unchanged condition keeps its time.
    pub fn merge_into(
        self,
        old: &[ApplicationCondition],
        evaluated: &[ConditionType],
        now: Time,
    ) -> Vec<ApplicationCondition> {
        let mut merged: Vec<ApplicationCondition> =
            old.iter().filter(|c| !evaluated.contains(&c.kind)).cloned().collect();
        for (kind, message) in self.0 {
            let since = old
                .iter()
                .find(|c| c.kind == kind && c.message == message)
                .and_then(|c| c.last_transition_time);
            merged.push(ApplicationCondition {
                kind,
                message,
                last_transition_time: Some(since.unwrap_or(now)),
                ..ApplicationCondition::default()
            });
        }
        merged.sort_by(|a, b| {
            a.kind
                .as_str()
                .cmp(b.kind.as_str())
                .then_with(|| a.message.cmp(&b.message))
        });
        merged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unchanged_conditions_keep_their_time_and_foreign_ones_stay() {
        let at = |t: &str| t.parse::<Time>().unwrap();
        let mut first = Conditions::default();
        first.add(ConditionType::ComparisonError, "no such path");
        let old = first
            .clone()
            .merge_into(&[], &[ConditionType::ComparisonError], at("2026-01-01T00:00:00Z"));
        let mut old = old;
        old.push(ApplicationCondition {
            kind: ConditionType::SyncError,
            message: "x".into(),
            ..ApplicationCondition::default()
        });

        let again = first.merge_into(&old, &[ConditionType::ComparisonError], at("2026-01-02T00:00:00Z"));
        assert_eq!(again, old);
        let cured =
            Conditions::default().merge_into(&old, &[ConditionType::ComparisonError], at("2026-01-02T00:00:00Z"));
        assert_eq!(cured.len(), 1);
    }
}
