//! Values that must not leave the process by accident.

use std::fmt;

/// A secret. It cannot be serialised, printed or logged; [`Sensitive::expose`] is the one way to it, and says so where it is used (I-26).
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Sensitive<T>(T);

impl<T> Sensitive<T> {
    /// Wraps a secret.
    pub fn new(secret: T) -> Self {
        Self(secret)
    }

    /// The secret itself: for the call that needs it, never for text a person or a log sees.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> From<T> for Sensitive<T> {
    fn from(secret: T) -> Self {
        Self(secret)
    }
}

impl<T> fmt::Debug for Sensitive<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sensitive(++++++++)")
    }
}

#[cfg(test)]
mod tests {
    use super::Sensitive;

    #[test]
    fn debug_shows_nothing() {
        let secret = Sensitive::new("canary".to_owned());
        assert_eq!(
            format!("{secret:?} {secret:#?}"),
            "Sensitive(++++++++) Sensitive(++++++++)"
        );
        assert_eq!(secret.expose(), "canary");
    }
}
