//! The services, one file for each.

mod application;
mod project;
mod repository;
mod settings;
