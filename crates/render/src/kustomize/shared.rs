//! Fields of one object that are one and the same.
//!
//! Where Kustomize adds a label it puts one node into the labels, the selectors and the templates of an object, and what later changes it
//! in one place in place changes it in all of them. So do a label that is set again on the object alone, a patch and a replacement.

use pintle_yaml::Node;

use super::fieldspec::names_element;

/// One step to a field.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// Into a field of a map.
    Key(String),
    /// Into an element of a list.
    Index(usize),
}

/// The groups of fields of one object that share a node.
#[derive(Clone, Default)]
pub(super) struct Shared(Vec<Group>);

#[derive(Clone)]
struct Group {
    value: Node,
    paths: Vec<Vec<Step>>,
}

impl Shared {
    /// Notes that a node was put at several places.
    pub fn add(&mut self, value: Node, mut paths: Vec<Vec<Step>>) {
        if paths.len() > 1 {
            paths.sort();
            self.0.push(Group { value, paths });
        }
    }

    /// Notes that the fields below a path were written anew. A part that names an element of a list stands for every element.
    pub fn forget<P: AsRef<str>>(&mut self, path: &[P]) {
        let is_step = |(step, part): (&Step, &P)| match step {
            Step::Key(key) => key == part.as_ref(),
            Step::Index(_) => names_element(part.as_ref()),
        };
        let below = |steps: &Vec<Step>| steps.len() >= path.len() && steps.iter().zip(path).all(is_step);
        for group in &mut self.0 {
            group.paths.retain(|steps| !below(steps));
        }
        self.0.retain(|g| g.paths.len() > 1);
    }

    /// Notes that every node was made anew.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Brings a change of one field to those that are the same. Of several changes the last one in order of field names stays, as that
    /// is the order in which patches are merged.
    pub fn spread(&mut self, object: &mut Node) {
        for group in &mut self.0 {
            group.paths.retain(|steps| find(object, steps).is_some());
            let nodes = || group.paths.iter().filter_map(|steps| find(object, steps));
            // A merge may put quotes around what it leaves as it is: that comes after what is said anew.
            let said = nodes().rfind(|node| !means_same(node, &group.value));
            let changed = said.or_else(|| nodes().rfind(|node| **node != group.value));
            let Some(new) = changed.cloned() else { continue };
            for steps in &group.paths {
                if let Some(node) = find_mut(object, steps) {
                    node.clone_from(&new);
                }
            }
            group.value = new;
        }
        self.0.retain(|g| g.paths.len() > 1);
    }
}

/// Whether two nodes are one but for their quotes.
fn means_same(a: &Node, b: &Node) -> bool {
    match (a, b) {
        (Node::Scalar(a), Node::Scalar(b)) => a.text == b.text && a.tag == b.tag,
        (a, b) => a == b,
    }
}

fn find<'n>(object: &'n Node, steps: &[Step]) -> Option<&'n Node> {
    steps.iter().try_fold(object, |node, step| match step {
        Step::Key(key) => node.get(key),
        Step::Index(at) => node.items().get(*at),
    })
}

fn find_mut<'n>(object: &'n mut Node, steps: &[Step]) -> Option<&'n mut Node> {
    steps.iter().try_fold(object, |node, step| match (step, node) {
        (Step::Key(key), node) => node.get_mut(key),
        (Step::Index(at), Node::Seq(items)) => items.get_mut(*at),
        (Step::Index(_), _) => None,
    })
}
