//! References by name follow the objects they name when those are renamed.

use std::collections::HashMap;

use pintle_yaml::{Node, Scalar, Tag, Yaml};

use super::config::BackReference;
use super::error::{Failure, Reason, Result};
use super::fieldspec::{Create, FieldSpec, apply};
use super::id::{Gvk, ResId};
use super::resource::Resource;
use super::transform::put_plain;

/// What matching needs to know of an object, taken before any reference is rewritten.
struct Card {
    id: ResId,
    original_namespace: String,
    previous: Vec<ResId>,
    prefixes: Vec<String>,
    suffixes: Vec<String>,
    cluster_scoped: bool,
}

/// Rewrites every reference.
pub(super) fn fix(resources: &mut [Resource], references: &[BackReference]) -> Result<()> {
    let cards: Vec<Card> = resources
        .iter()
        .map(|r| {
            let id = r.id();
            Card {
                cluster_scoped: id.gvk.is_cluster_scoped(),
                original_namespace: r.original_id().effective_namespace().to_owned(),
                previous: r.previous_ids().collect(),
                prefixes: r.prefixes.clone(),
                suffixes: r.suffixes.clone(),
                id,
            }
        })
        .collect();
    let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, card) in cards.iter().enumerate() {
        for id in &card.previous {
            let list = by_name.entry(&id.name).or_default();
            if list.last() != Some(&at) {
                list.push(at);
            }
        }
    }
    // Which rules are for a kind, found once for each kind.
    let mut rules: HashMap<Gvk, Vec<(&Gvk, FieldSpec)>> = HashMap::new();
    for (at, resource) in resources.iter_mut().enumerate() {
        let Some(card) = cards.get(at) else { continue };
        let original = resource.original_id();
        let mut referrer = Referrer {
            cards: &cards,
            by_name: &by_name,
            card,
            bound_namespaces: bound_namespaces(resource)?,
            role: role_ref(resource),
            target: &Gvk::default(),
            to_role: false,
        };
        let rules = rules
            .entry(original.gvk.clone())
            .or_insert_with(|| rules_for(references, &original.gvk));
        if !rules.is_empty() && !is_plain_kind(resource) {
            let message = format!("{original}: apiVersion or kind is none, where a name may be referred to");
            return Err(Failure::new(Reason::NoMatch, message));
        }
        for (target, spec) in rules {
            referrer.target = target;
            referrer.to_role = spec.path.ends_with("roleRef/name");
            apply(resource, spec, Create::Nothing, &mut |node| referrer.set(node, true))
                .map_err(|e| e.within("updating a name reference"))?;
        }
    }
    Ok(())
}

/// The kinds that objects of a kind may refer to, and where: the rules apply to what the object was, and are followed in what it is.
fn rules_for<'r>(references: &'r [BackReference], kind: &Gvk) -> Vec<(&'r Gvk, FieldSpec)> {
    let of_one = |reference: &'r BackReference| {
        let specs = reference.referrers.iter().filter(|s| kind.is_selected(&s.gvk));
        specs.map(|spec| {
            let spec = FieldSpec {
                gvk: Gvk::default(),
                path: spec.path.clone(),
                create: spec.create,
            };
            (&reference.gvk, spec)
        })
    };
    references.iter().flat_map(of_one).collect()
}

/// Whether the kind of an object is what it reads as: no explicit `null`, and no group without a name.
fn is_plain_kind(resource: &Resource) -> bool {
    let is_told = |field: &str| match resource.node.get(field) {
        Some(value) if value.is_null() => value.text() == Some(""),
        _ => true,
    };
    is_told("apiVersion") && is_told("kind") && !resource.api_version().starts_with('/')
}

/// The namespaces of the service accounts that a role binding names.
fn bound_namespaces(resource: &Resource) -> Result<Vec<String>> {
    if resource.kind() != "RoleBinding" {
        return Ok(Vec::new());
    }
    let subjects = resource.node.get("subjects").map(Node::items).unwrap_or_default();
    let accounts = subjects
        .iter()
        .filter(|s| s.get("kind").and_then(Node::text) == Some("ServiceAccount"));
    let is_time = |node: &Node| matches!(node, Node::Scalar(scalar) if scalar.tag == Tag::Timestamp);
    let text = |namespace: &Node| match namespace.to_yaml() {
        Ok(Yaml::String(text)) if !is_time(namespace) => Ok(text),
        _ => Err(Failure::invalid(format!(
            "{}: the namespace of a service account in `subjects` is no text",
            resource.id()
        ))),
    };
    accounts.filter_map(|s| s.get("namespace")).map(text).collect()
}

fn role_ref(resource: &Resource) -> Option<Gvk> {
    let role = resource.node.get("roleRef")?;
    Some(Gvk {
        group: role.get("apiGroup")?.text()?.to_owned(),
        version: String::new(),
        kind: role.get("kind")?.text()?.to_owned(),
        ..Gvk::default()
    })
}

struct Referrer<'c> {
    cards: &'c [Card],
    by_name: &'c HashMap<&'c str, Vec<usize>>,
    card: &'c Card,
    bound_namespaces: Vec<String>,
    role: Option<Gvk>,
    /// The kind that is referred to.
    target: &'c Gvk,
    to_role: bool,
}

impl Referrer<'_> {
    fn set(&self, node: &mut Node, lists: bool) -> Result<()> {
        match node {
            _ if node.is_null() => Ok(()),
            Node::Scalar(scalar) => {
                if let Some(found) = self.find(&scalar.text, None)?
                    && found.id.name != scalar.text
                {
                    put_plain(node, found.id.name.clone());
                }
                Ok(())
            }
            Node::Map(_) => self.set_map(node),
            Node::Seq(items) if lists => items.iter_mut().try_for_each(|item| self.set(item, false)),
            Node::Seq(_) => Err(Failure::invalid("a list of lists where names are expected")),
        }
    }

    fn set_map(&self, node: &mut Node) -> Result<()> {
        let Some(name) = node.get("name") else {
            return Err(Failure::invalid("path config error; no 'name' field in node"));
        };
        // What is there and no text is the name of nothing.
        let name = name.text().unwrap_or_default().to_owned();
        let namespace = node.get("namespace").map(|n| n.text().unwrap_or_default().to_owned());
        let Some(found) = self.find(&name, Some(namespace.as_deref()))? else {
            return Ok(());
        };
        if found.id.name == name && found.id.namespace.is_empty() {
            return Ok(());
        }
        node.put("name", Scalar::open(found.id.name.clone()));
        if !found.id.namespace.is_empty() {
            node.put("namespace", Scalar::open(found.id.namespace.clone()));
        }
        Ok(())
    }

    /// Whether the referrer could mean an object at all: its own namespace, or one its subjects name.
    fn could_mean(&self, card: &Card) -> bool {
        self.card.cluster_scoped
            || card.cluster_scoped
            || card.id.effective_namespace() == self.card.id.effective_namespace()
            || self.bound_namespaces.contains(&card.id.namespace)
    }

    /// The object that a name means. `map` is there for references that may name a namespace beside the name, with it if they do.
    fn find(&self, name: &str, map: Option<Option<&str>>) -> Result<Option<&Card>> {
        let named = self.by_name.get(name).map(Vec::as_slice).unwrap_or_default();
        let mut found: Vec<&Card> = named
            .iter()
            .filter_map(|at| self.cards.get(*at))
            .filter(|c| self.could_mean(c))
            .collect();
        if found.is_empty() {
            return Ok(None);
        }
        if let Some(Some(namespace)) = map {
            let first = |c: &Card| !c.cluster_scoped && c.original_namespace == namespace;
            if self.cards.iter().any(|c| self.could_mean(c) && first(c)) {
                found.retain(|c| first(c));
            } else {
                found.retain(|c| !c.cluster_scoped && c.id.effective_namespace() == namespace);
            }
        }
        found.retain(|c| c.previous.iter().any(|id| id.gvk.is_selected(self.target)));
        if self.to_role
            && let Some(role) = &self.role
        {
            found.retain(|c| c.previous.iter().any(|id| id.gvk.is_selected(role)));
        }
        if !self.card.cluster_scoped {
            let here = self.card.id.effective_namespace();
            found.retain(|c| {
                c.cluster_scoped || c.id.gvk.kind == "ServiceAccount" || c.id.effective_namespace() == here
            });
        }
        if let [only] = found.as_slice() {
            return Ok(Some(only));
        }
        found.retain(|c| self.same_affixes(c, true));
        if found.len() > 1 {
            found.retain(|c| self.same_affixes(c, false));
        }
        let Some((first, rest)) = found.split_first() else {
            return Ok(None);
        };
        let identical = rest
            .iter()
            .all(|c| c.id.name == first.id.name && (map.is_none() || c.id.namespace == first.id.namespace));
        if identical {
            return Ok(Some(first));
        }
        let ids: Vec<String> = found.iter().map(|c| c.id.to_string()).collect();
        Err(Failure::new(
            Reason::NoMatch,
            format!("found multiple possible referrals: {}", ids.join(", ")),
        ))
    }

    fn same_affixes(&self, card: &Card, allow_empty: bool) -> bool {
        let same = |a: &[String], b: &[String]| (allow_empty && (a.is_empty() || b.is_empty())) || same_end(a, b);
        same(&card.prefixes, &self.card.prefixes) && same(&card.suffixes, &self.card.suffixes)
    }
}

/// Whether the shorter list ends the longer one; an empty list ends only an empty one.
fn same_end(a: &[String], b: &[String]) -> bool {
    if a.is_empty() || b.is_empty() {
        return a.is_empty() && b.is_empty();
    }
    a.iter().rev().zip(b.iter().rev()).all(|(x, y)| x == y)
}
