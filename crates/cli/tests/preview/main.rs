//! `pintle render` and `pintle diff`, as a person types them in a checkout.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test starts programs and fails by panicking"
)]

mod checkout;
mod diff;
mod fates;
mod render;
mod states;
