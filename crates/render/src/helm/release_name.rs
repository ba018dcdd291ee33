//! `--name-template`: the name of a release as a template gives it.

use std::sync::Arc;

use pintle_gotmpl::{Ambient, Engine as _, Executor, Functions, TemplateSet, Value};

use super::chart::Limits;
use super::error::HelmError;

/// The name that a template gives, which sees nothing and has the functions of sprig. Needs the stack of [`Limits::stack_bytes`].
pub fn release_name(template: &str, ambient: &dyn Ambient, limits: &Limits) -> Result<String, HelmError> {
    let mut functions = Functions::new();
    pintle_gotmpl::sprig::register(&mut functions);
    let mut set = TemplateSet::new("name-template", Arc::new(functions));
    set.parse("name-template", template)
        .map_err(|e| HelmError::Template(e.message))?;
    let options = pintle_gotmpl::Options {
        max_steps: limits.steps,
        max_output_bytes: limits.rendered_bytes,
        max_depth: limits.template_depth,
        ..pintle_gotmpl::Options::default()
    };
    let never = || false;
    let mut executor = Executor::new(&set, options, ambient, &never, Box::new(()));
    let name = executor
        .execute("name-template", Value::Nil)
        .map_err(|e| HelmError::Template(e.message))?;
    Ok(name.to_str().into_owned())
}
