//! Runs a chart's templates: in which order, over which values, and how errors read.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock, PoisonError};

use pintle_gotmpl::{Ambient, Error, Executor, Functions, Map, MissingKey, TemplateSet, Value};

use super::chart::Chart;
use super::context;
use super::convert::Shared;
use super::dependency::Instance;
use super::error::HelmError;
use super::funcs::{State, functions, without_no_value};
use super::node::Table;
use super::octets;
use super::render::Options;

/// What marks a text that a chart's author wrote for its user.
pub(crate) const WARN_START: &str = "HELM_ERR_START";
pub(crate) const WARN_END: &str = "HELM_ERR_END";

/// Templates parsed for one choice of dependencies, kept with their chart: the same ones take part in nearly every render.
pub(crate) struct Parsed {
    /// Names and addresses of the texts, in order: what was parsed.
    key: Vec<(String, usize)>,
    set: TemplateSet,
}

/// One file to run.
struct Renderable<'a> {
    /// `chart/charts/sub/templates/x.yaml`.
    name: String,
    text: &'a Arc<[u8]>,
    /// What its chart's templates see; one map for all of them.
    scope: Map,
    /// The chart's `templates` directory.
    base: String,
}

/// Renders every template but partials; gives names and texts.
pub(crate) fn render(
    chart: &Chart,
    instance: &Instance,
    values: &Table,
    options: &Options,
    ambient: &dyn Ambient,
) -> Result<Vec<(String, String)>, HelmError> {
    let mut renderables = collect(instance, values, options);
    sort(&mut renderables);
    let parsed = parsed(chart, &renderables)?;
    let limits = pintle_gotmpl::Options {
        missing_key: MissingKey::Zero,
        max_steps: options.limits.steps,
        max_output_bytes: options.limits.rendered_bytes,
        max_depth: options.limits.template_depth,
    };
    let never = || false;
    let cancelled: &dyn Fn() -> bool = match &options.cancelled {
        Some(cancelled) => &**cancelled,
        None => &never,
    };
    let mut executor = Executor::new(
        &parsed.set,
        limits,
        ambient,
        cancelled,
        Box::new(State::new(options.lint)),
    );
    let mut rendered = Vec::with_capacity(renderables.len());
    for file in renderables {
        if is_partial(&file.name) {
            continue;
        }
        let template = Map::any([
            ("Name", Value::str(file.name.as_str())),
            ("BasePath", Value::str(file.base.as_str())),
        ]);
        let template = Value::Map(template.with_type(&context::VALUES));
        file.scope.insert("Template", template);
        let text = executor
            .output(&file.name, Value::Map(file.scope.with_type(&context::VALUES)))
            .map_err(|e| HelmError::Template(exec_error(&file.name, &e)))?;
        let text = octets::marked(without_no_value(text)).into_owned();
        rendered.push((file.name, text));
    }
    Ok(rendered)
}

/// The templates, parsed now or before.
fn parsed(chart: &Chart, renderables: &[Renderable<'_>]) -> Result<Arc<Parsed>, HelmError> {
    // Texts live as long as the chart, so an address tells which one it is.
    let key: Vec<(String, usize)> = renderables
        .iter()
        .map(|r| (r.name.clone(), Arc::as_ptr(r.text).cast::<u8>().addr()))
        .collect();
    let mut cached = chart.parsed.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = cached.iter().find(|p| p.key == key) {
        return Ok(known.clone());
    }
    let mut set = TemplateSet::new("gotpl", FUNCTIONS.clone());
    for file in renderables {
        set.parse(&file.name, &octets::marked(&**file.text))
            .map_err(|e| HelmError::Template(parse_error(&file.name, &e.message)))?;
    }
    let parsed = Arc::new(Parsed { key, set });
    if cached.len() >= MAX_PARSED {
        cached.clear();
    }
    cached.push(parsed.clone());
    Ok(parsed)
}

/// Choices of dependencies kept parsed for one chart: one for each environment that switches parts of it differently.
const MAX_PARSED: usize = 8;

static FUNCTIONS: LazyLock<Arc<Functions>> = LazyLock::new(|| Arc::new(functions()));

fn is_partial(name: &str) -> bool {
    name.rsplit('/').next().is_some_and(|name| name.starts_with('_'))
}

/// The order templates are parsed and run in: deepest path first, then the last name first.
fn sort(renderables: &mut [Renderable<'_>]) {
    let depth = |name: &str| name.bytes().filter(|b| *b == b'/').count();
    renderables.sort_by(|a, b| (depth(&b.name), &b.name).cmp(&(depth(&a.name), &a.name)));
}

/// Everything there is to run, with the one tree of values all of it sees.
fn collect<'a>(instance: &'a Instance, values: &Table, options: &Options) -> Vec<Renderable<'a>> {
    let values = Shared::default().table(values);
    let release = Value::map([
        ("Name", Value::str(options.release_name.as_str())),
        ("Namespace", Value::str(options.namespace.as_str())),
        ("IsUpgrade", Value::Bool(options.is_upgrade)),
        ("IsInstall", Value::Bool(!options.is_upgrade)),
        ("Revision", Value::Int(1)),
        ("Service", Value::str("Helm")),
    ]);
    let capabilities = context::capabilities(&options.capabilities);
    let mut renderables = Vec::new();
    scope(instance, true, values, &release, &capabilities, &mut renderables);
    if has_alias(instance) {
        // Charts may share one that both hold; its templates stand in Helm's map once, with the values of whoever came last.
        let mut known = HashSet::new();
        renderables.reverse();
        renderables.retain(|template| known.insert(template.name.clone()));
        renderables.reverse();
    }
    renderables
}

fn has_alias(instance: &Instance) -> bool {
    instance.alias.is_some() || instance.dependencies.iter().any(has_alias)
}

fn scope<'a>(
    instance: &'a Instance,
    is_root: bool,
    values: Map,
    release: &Value,
    capabilities: &Value,
    renderables: &mut Vec<Renderable<'a>>,
) -> Map {
    let subcharts = Map::new();
    let scope = Map::any([
        ("Chart", context::chart(instance, is_root)),
        ("Files", context::files(&instance.data.files)),
        ("Release", release.clone()),
        ("Capabilities", capabilities.clone()),
        ("Values", Value::Map(values.with_type(&context::VALUES))),
        ("Subcharts", Value::Map(subcharts.clone())),
    ]);
    for child in &instance.dependencies {
        // A dependency sees the parent's table of its name, the same one; nothing where there is none.
        let inner = context::table(&values, child.name().split('.')).unwrap_or_default();
        let inner = self::scope(child, false, inner, release, capabilities, renderables);
        subcharts.insert(child.name(), Value::Map(inner));
    }
    for file in &instance.data.templates {
        if instance.is_library() && !is_partial(&file.name) {
            continue;
        }
        renderables.push(Renderable {
            name: clean(&format!("{}/{}", instance.path, file.name)),
            text: &file.bytes,
            scope: scope.clone(),
            base: format!("{}/templates", instance.path),
        });
    }
    scope
}

/// Go's `path.Join` for names that hold no `..`.
fn clean(path: &str) -> String {
    path.split('/')
        .filter(|p| !p.is_empty() && *p != ".")
        .collect::<Vec<_>>()
        .join("/")
}

/// The words Helm uses for a template that does not parse.
fn parse_error(file: &str, message: &str) -> String {
    let parts: Vec<&str> = message.split(": ").collect();
    match (parts.get(1), parts.last()) {
        (Some(place), Some(reason)) => format!("parse error at ({place}): {reason}"),
        _ => format!("parse error in ({file}): {message}"),
    }
}

/// The words Helm uses for a template that fails: what its author says alone, or every place the error went through on lines of its own.
fn exec_error(file: &str, error: &Error) -> String {
    let message = error.message.as_str();
    if error.is_exceeded() {
        return message.to_owned();
    }
    let mut parts = message.splitn(3, ": ");
    let (Some(_), Some(place), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return format!("execution error in ({file}): {message}");
    };
    if let Some((_, after)) = rest.split_once(WARN_START)
        && let Some((warning, _)) = after.rsplit_once(WARN_END)
    {
        return format!("execution error at ({place}): {warning}");
    }
    let mut traces: Vec<Trace<'_>> = Vec::new();
    let mut link = Some(message);
    while let Some(text) = link {
        // Something that is not a template's error is in the chain: Helm then shows the whole as it is.
        let Some(trace) = Trace::read(text) else {
            return message.to_owned();
        };
        if traces.last() != Some(&trace) {
            traces.push(trace);
        }
        link = wrapped(text);
    }
    let text: String = traces.iter().map(Trace::print).collect();
    text.trim().to_owned()
}

/// The error of the function whose call failed, if that is why.
fn wrapped(text: &str) -> Option<&str> {
    let (_, after) = text.split_once(": executing \"")?;
    let (_, reason) = after.split_once(">: ")?;
    let (_, inner) = reason.strip_prefix("error calling ")?.split_once(": ")?;
    Some(inner)
}

/// One link of an error's chain, taken apart.
#[derive(PartialEq)]
struct Trace<'a> {
    location: &'a str,
    function: String,
    message: &'a str,
}

impl<'a> Trace<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let rest = text.strip_prefix("template: ")?;
        if rest.starts_with("no template ") {
            return Some(Self {
                location: "",
                function: String::new(),
                message: text,
            });
        }
        // A reason that itself begins with another template's error is shown by the next link.
        let cut = |message: &'a str| message.split(" template:").next().unwrap_or(message);
        if let Some(trace) = Self::executing(rest, cut) {
            return Some(trace);
        }
        let (location, message) = rest.rsplit_once(": ")?;
        Some(Self {
            location,
            function: String::new(),
            message: cut(message),
        })
    }

    fn executing(rest: &'a str, cut: impl Fn(&'a str) -> &'a str) -> Option<Self> {
        let (location, after) = rest.split_once(": executing ")?;
        let (name, after) = after.strip_prefix('"')?.split_once('"')?;
        let (place, message) = after.strip_prefix(" at <")?.split_once(">: ")?;
        Some(Self {
            location,
            function: format!("executing \"{name}\" at <{place}>:"),
            message: cut(message),
        })
    }

    fn print(&self) -> String {
        let mut text = String::new();
        for (part, after) in [
            (self.location, "\n  "),
            (&*self.function, "\n    "),
            (self.message, "\n"),
        ] {
            if !part.is_empty() {
                text.push_str(part);
                text.push_str(after);
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_of_the_author_stands_alone() {
        let message = "template: c/templates/a.yaml:2:9: executing \"c/templates/a.yaml\" at <required>: error calling required: HELM_ERR_STARTset it\nplease HELM_ERR_END";
        assert_eq!(
            exec_error("c/templates/a.yaml", &Error::exec(message)),
            "execution error at (c/templates/a.yaml:2:9): set it\nplease "
        );
    }

    #[test]
    fn every_place_is_on_a_line_of_its_own() {
        let inner = "template: c/templates/_h.tpl:3:5: executing \"c.name\" at <.Values.a.b>: nil pointer evaluating interface {}.b";
        let middle = format!("error calling include: {inner}");
        let outer = format!(
            "template: c/templates/a.yaml:1:4: executing \"c/templates/a.yaml\" at <include \"c.name\" .>: {middle}"
        );
        assert_eq!(
            exec_error("c/templates/a.yaml", &Error::exec(outer.as_str())),
            "c/templates/a.yaml:1:4\n  executing \"c/templates/a.yaml\" at <include \"c.name\" .>:\n    error calling include:\nc/templates/_h.tpl:3:5\n  executing \"c.name\" at <.Values.a.b>:\n    nil pointer evaluating interface {}.b"
        );
    }

    #[test]
    fn a_function_s_own_error_leaves_all_as_it_is() {
        let message = "template: c/templates/a.yaml:1:4: executing \"c/templates/a.yaml\" at <atoi>: error calling atoi: no number";
        assert_eq!(exec_error("c/templates/a.yaml", &Error::exec(message)), message);
    }

    #[test]
    fn a_parse_error_names_its_place() {
        assert_eq!(
            parse_error(
                "c/templates/a.yaml",
                "template: c/templates/a.yaml:3: function \"x\" not defined"
            ),
            "parse error at (c/templates/a.yaml:3): function \"x\" not defined"
        );
    }
}
