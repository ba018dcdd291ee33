//! The rule for tests that need something a machine may lack.

use std::{
    borrow::Borrow,
    env,
    io::{self, Write},
};

use crate::{chain::chain, controlplane::ToolsError};

/// Returns the tools, or `None` when the test must step aside on this machine.
///
/// Stepping aside is said aloud (`stepped aside: <test>: <reason>` on the real standard
/// error, which the test runner does not capture). With `CI=true` nothing steps aside.
///
/// # Panics
/// When `CI=true` and the tools are not there, and whenever they should be there but
/// could not be made ([`ToolsError::is_unavailable`] is false): that is a fault, not a lack.
pub fn require_or_step_aside<T>(test: &str, found: Result<T, impl Borrow<ToolsError>>) -> Option<T> {
    let in_ci = env::var("CI").is_ok_and(|value| value == "true");
    decide(test, found, in_ci, &mut io::stderr())
}

#[expect(clippy::panic, reason = "called by tests: a panic is how a test fails")]
fn decide<T>(test: &str, found: Result<T, impl Borrow<ToolsError>>, in_ci: bool, aloud: &mut impl Write) -> Option<T> {
    let error = match found {
        Ok(tools) => return Some(tools),
        Err(error) => error,
    };
    let error: &ToolsError = error.borrow();
    let reason = chain(error);
    if !error.is_unavailable() {
        panic!("{test}: {reason}");
    }
    if in_ci {
        panic!("{test}: {reason} (CI=true: nothing steps aside)");
    }
    // Nobody to tell if standard error is closed.
    let _ = writeln!(aloud, "stepped aside: {test}: {reason}");
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controlplane::Unavailable;

    fn missing() -> Result<(), ToolsError> {
        Err(Unavailable::GoMissing.into())
    }

    #[test]
    fn a_machine_without_go_steps_aside_aloud() {
        let mut said = Vec::new();
        assert_eq!(decide("deploys", missing(), false, &mut said), None);
        let said = String::from_utf8_lossy(&said);
        assert!(said.starts_with("stepped aside: deploys: "), "{said}");
    }

    #[test]
    #[should_panic(expected = "nothing steps aside")]
    fn in_ci_it_is_a_failure() {
        decide("deploys", missing(), true, &mut Vec::new());
    }

    #[test]
    #[should_panic(expected = "go build")]
    fn a_failed_build_never_steps_aside() {
        let failed: Result<(), _> = Err(ToolsError::Build {
            said: "undefined: x".into(),
        });
        decide("deploys", failed, false, &mut Vec::new());
    }
}
