//! Parsed templates and sets of them.

use std::collections::HashMap;
use std::sync::Arc;

use ahash::RandomState;

use crate::function::Functions;
use crate::node::{Code, List, Node, Pos};

/// One parsed text: what its templates share.
#[derive(Debug)]
pub struct Unit {
    /// The name it was parsed under, which errors give as the file.
    pub name: Arc<str>,
    /// The text.
    pub text: Arc<str>,
    /// What randomness is keyed by: the name, unless every text of a kind has the same one.
    pub place: Arc<str>,
    /// What was parsed from it.
    pub(crate) code: Code,
}

impl Unit {
    /// Returns `name:line:column` of the position.
    pub fn location(&self, pos: Pos) -> String {
        let before = self.text.as_bytes().get(..pos as usize).unwrap_or_default();
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let column = before.iter().rev().take_while(|byte| **byte != b'\n').count();
        format!("{}:{line}:{column}", self.name)
    }
}

/// One template: a file's own text, or a `define`.
#[derive(Debug)]
pub struct Template {
    /// Its name.
    pub(crate) name: Arc<str>,
    /// What it was parsed from.
    pub(crate) unit: Arc<Unit>,
    /// Its body.
    pub(crate) root: List,
    /// Whether the body is nothing but white space: such a template never replaces another.
    pub(crate) empty: bool,
}

impl Template {
    /// Returns the name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the name of the text it was parsed from.
    pub fn parse_name(&self) -> &str {
        &self.unit.name
    }

    /// Reports whether there is nothing but white space and comments in it.
    pub fn is_empty(&self) -> bool {
        self.empty
    }
}

/// Reports whether a body is nothing but white space.
pub(crate) fn is_empty(list: &[Node], text: &str) -> bool {
    list.iter().all(|node| match node {
        Node::Text { start, end } => text
            .get(*start as usize..*end as usize)
            .unwrap_or_default()
            .trim()
            .is_empty(),
        _ => false,
    })
}

/// The templates of one parsed text.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The one of the text itself.
    pub main: Arc<Template>,
    /// All, `main` among them unless a definition took its place.
    pub templates: Vec<Arc<Template>>,
}

/// Templates that can call each other, and the functions they were parsed with. Cheap to share between
/// threads; a render only reads it.
#[derive(Clone)]
pub struct TemplateSet {
    pub(crate) name: Arc<str>,
    pub(crate) templates: HashMap<Arc<str>, Arc<Template>, RandomState>,
    pub(crate) functions: Arc<Functions>,
}

impl TemplateSet {
    /// Returns an empty set. `name` is the root template's, as errors about absent templates give it.
    pub fn new(name: &str, functions: Arc<Functions>) -> Self {
        Self {
            name: name.into(),
            templates: HashMap::default(),
            functions,
        }
    }

    /// Returns the functions.
    pub fn functions(&self) -> &Arc<Functions> {
        &self.functions
    }

    /// Parses a text and adds its templates; see [`TemplateSet::add`].
    pub fn parse(&mut self, name: &str, text: &str) -> Result<Parsed, crate::Error> {
        let parsed = crate::parse::parse(name, text, &self.functions)?;
        self.add(&parsed);
        Ok(parsed)
    }

    /// Adds templates: a later one replaces an earlier of the same name, unless it is empty.
    pub fn add(&mut self, parsed: &Parsed) {
        for template in &parsed.templates {
            if template.empty && self.templates.contains_key(&template.name) {
                continue;
            }
            self.templates.insert(Arc::clone(&template.name), Arc::clone(template));
        }
    }

    /// Returns the template of that name.
    pub fn get(&self, name: &str) -> Option<&Arc<Template>> {
        self.templates.get(name)
    }

    /// Returns the names, unordered.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.templates.keys().map(AsRef::as_ref)
    }
}
