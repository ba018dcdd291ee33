//! Variables: `$(NAME)` in the fields that the rules name is replaced by a field of an object.

use std::collections::BTreeMap;

use pintle_yaml::{Node, Scalar, Tag};

use super::error::{Failure, Reason, Result};
use super::fieldspec::{Create, FieldSpec, apply};
use super::id::ResId;
use super::kustomization::Var;
use super::replacement::split_fields;
use super::resource::Resource;

/// The variables of a build by name.
#[derive(Default)]
pub(super) struct Vars(BTreeMap<String, Var>);

impl Vars {
    /// Adds variables; a name may stand once.
    pub fn merge(&mut self, more: Self) -> Result<()> {
        for (name, var) in more.0 {
            if self.0.contains_key(&name) {
                return Err(Failure::new(
                    Reason::Conflict,
                    format!("var '{name}' already encountered"),
                ));
            }
            self.0.insert(name, var);
        }
        Ok(())
    }

    /// Adds the variables of one kustomization and notes at the objects they read that they do.
    pub fn bind(&mut self, resources: &mut [Resource], vars: &[Var]) -> Result<()> {
        for var in vars {
            let target = ResId {
                gvk: var.objref.gvk(),
                name: var.objref.name.clone(),
                namespace: var.objref.namespace.clone(),
            };
            // The target is never taken for cluster-scoped: with a namespace it finds only what is in one.
            let fits = |id: &ResId| {
                target.name == id.name
                    && target.gvk == id.gvk
                    && (target.namespace.is_empty() || target.namespace == id.effective_namespace())
            };
            let mut found = resources.iter_mut().filter(|r| r.any_id(fits));
            if let Some(resource) = found.next() {
                if found.next().is_some() {
                    let name = &var.name;
                    return Err(Failure::new(
                        Reason::NoMatch,
                        format!("found several resId matches for var {name} (unable to disambiguate)"),
                    ));
                }
                resource.vars.push(var.name.clone());
            }
            let one = Self(BTreeMap::from([(var.name.clone(), var.clone())]));
            self.merge(one)?;
        }
        Ok(())
    }

    /// Replaces every use.
    pub fn resolve(&self, resources: &mut [Resource], specs: &[FieldSpec]) -> Result<()> {
        let mut values = BTreeMap::new();
        for (name, var) in &self.0 {
            let path = match var.fieldref.field_path.as_str() {
                "" => "metadata.name",
                path => path,
            };
            let object = resources.iter().find(|r| r.vars.contains(name)).ok_or_else(|| {
                Failure::new(
                    Reason::NoMatch,
                    format!("var '{name}' cannot be mapped to a field in the set of known resources"),
                )
            })?;
            let value = lookup(&object.node, path).ok_or_else(|| {
                Failure::new(
                    Reason::NoMatch,
                    format!("field specified in var '{name}' not found in corresponding resource"),
                )
            })?;
            if let Some(value) = primitive(value).map_err(|e| e.within(format_args!("var '{name}'")))? {
                values.insert(name.as_str(), value);
            }
        }
        if self.0.is_empty() {
            return Ok(());
        }
        for resource in resources {
            for spec in specs {
                apply(resource, spec, Create::Nothing, &mut |node| set(node, &values))?;
                resource.shared.spread(&mut resource.node);
            }
        }
        Ok(())
    }
}

/// A field at `a.b[0].c`; list elements by number or `[key=value]`.
fn lookup<'n>(node: &'n Node, path: &str) -> Option<&'n Node> {
    let mut here = node;
    for part in split_fields(path) {
        // `name[0]` is two steps.
        let (name, index) = match part.strip_suffix(']').and_then(|p| p.split_once('[')) {
            Some((name, index)) => (name, Some(index)),
            None => (part.as_str(), None),
        };
        if !name.is_empty() {
            here = match here {
                Node::Seq(items) => items.get(name.parse::<usize>().ok()?)?,
                other => other.get(name)?,
            };
        }
        if let Some(index) = index {
            here = match index.split_once('=') {
                Some((key, value)) => here
                    .items()
                    .iter()
                    .find(|i| i.get(key).and_then(Node::text) == Some(value))?,
                None => here.items().get(index.parse::<usize>().ok()?)?,
            };
        }
    }
    Some(here)
}

/// A value that can stand in for a variable: as its type, a number in its shortest spelling. `None` for maps and lists, which stay as
/// they are.
fn primitive(node: &Node) -> Result<Option<Scalar>> {
    let Node::Scalar(scalar) = node else {
        return Ok(None);
    };
    let bad = || {
        Failure::new(
            Reason::NoMatch,
            "field specified in var not found in corresponding resource",
        )
    };
    let text = match scalar.tag {
        Tag::Int => scalar.text.parse::<i64>().map_err(|_| bad())?.to_string(),
        Tag::Float => {
            let number: f64 = scalar.text.parse().map_err(|_| bad())?;
            number.to_string()
        }
        Tag::Bool => match scalar.text.as_str() {
            "true" | "True" | "TRUE" => "true".to_owned(),
            _ => "false".to_owned(),
        },
        Tag::Str => scalar.text.clone(),
        _ => return Ok(Some(Scalar::string(scalar.text.clone()))),
    };
    Ok(Some(Scalar::tagged(text, scalar.tag)))
}

fn set(node: &mut Node, values: &BTreeMap<&str, Scalar>) -> Result<()> {
    if node.readable().count() < node.fields().len() {
        return Err(Failure::invalid("invalid map key: it is no text"));
    }
    match node {
        _ if node.is_null() => {}
        Node::Scalar(scalar) => expand(scalar, values),
        // One level only.
        Node::Map(fields) => fields.iter_mut().for_each(|(_, v)| {
            if let Node::Scalar(scalar) = v {
                expand(scalar, values);
            }
        }),
        Node::Seq(items) => {
            for item in items {
                match item {
                    Node::Scalar(scalar) if matches!(scalar.tag, Tag::Str | Tag::Open) => expand(scalar, values),
                    _ => return Err(Failure::invalid("invalid value type expect a string")),
                }
            }
        }
    }
    Ok(())
}

fn expand(scalar: &mut Scalar, values: &BTreeMap<&str, Scalar>) {
    if !matches!(scalar.tag, Tag::Str | Tag::Open) {
        return;
    }
    // Whatever it was written like, it is text from now on.
    (scalar.tag, scalar.quoted, scalar.tagged) = (Tag::Str, false, false);
    let name = scalar
        .text
        .strip_prefix("$(")
        .and_then(|t| t.split_once(')'))
        .filter(|(_, rest)| rest.is_empty());
    if let Some((name, _)) = name {
        if let Some(value) = values.get(name) {
            // The only content keeps its type.
            *scalar = value.clone();
        }
        return;
    }
    let mut out = String::with_capacity(scalar.text.len());
    let mut rest = scalar.text.as_str();
    while let Some(at) = rest.find('$') {
        out.push_str(rest.get(..at).unwrap_or_default());
        let after = rest.get(at + 1..).unwrap_or_default();
        if let Some(tail) = after.strip_prefix('$') {
            out.push('$');
            rest = tail;
        } else if let Some((name, tail)) = after.strip_prefix('(').and_then(|t| t.split_once(')')) {
            match values.get(name) {
                Some(value) => out.push_str(&value.text),
                None => {
                    out.push_str("$(");
                    out.push_str(name);
                    out.push(')');
                }
            }
            rest = tail;
        } else {
            out.push('$');
            rest = after;
        }
    }
    out.push_str(rest);
    scalar.text = out;
}
