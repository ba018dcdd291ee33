//! The resource tree with its branches drawn.

use std::collections::BTreeSet;

use jiff::Timestamp;
use pintle_model::application::Application;
use pintle_server::api::{ApplicationTree, ResourceNode};

use super::table::{TABLE, align};
use super::time;

/// Deeper than any real tree; ends circles.
const MAX_DEPTH: usize = 64;

/// `KIND/NAME STATUS HEALTH MESSAGE`, or with `detailed` `KIND/NAME STATUS HEALTH AGE MESSAGE REASON` [F6.7].
pub(crate) fn tree(app: &Application, tree: &ApplicationTree, detailed: bool, now: Timestamp) -> String {
    let header = if detailed {
        "KIND/NAME\tSTATUS\tHEALTH\tAGE\tMESSAGE\tREASON\n"
    } else {
        "KIND/NAME\tSTATUS\tHEALTH\tMESSAGE\n"
    };
    let mut drawing = Drawing {
        app,
        tree,
        detailed,
        now,
        text: header.to_owned(),
        seen: BTreeSet::new(),
    };
    for root in tree.nodes.iter().filter(|n| n.parents.is_empty()) {
        drawing.node(root, "", "", 0);
    }
    // What the cluster does not have is part of the picture too.
    for status in &app.status.resources {
        let key = status.key();
        if !tree.nodes.iter().any(|n| n.reference.key == key) {
            drawing.line(
                &format!("{}/{}", key.kind, key.name),
                [status.status.as_str(), "Missing", "", ""],
                None,
            );
        }
    }
    align(&drawing.text, TABLE)
}

struct Drawing<'a> {
    app: &'a Application,
    tree: &'a ApplicationTree,
    detailed: bool,
    now: Timestamp,
    text: String,
    seen: BTreeSet<&'a str>,
}

impl<'a> Drawing<'a> {
    fn node(&mut self, node: &'a ResourceNode, branch: &str, below: &str, depth: usize) {
        let key = &node.reference.key;
        let status = self
            .app
            .status
            .resources
            .iter()
            .find(|r| r.key() == *key)
            .map(|r| r.status.as_str().to_owned());
        let health = node.health.as_ref();
        let reason = node
            .info
            .iter()
            .find(|(name, _)| &**name == "Status Reason")
            .map(|(_, value)| value.to_string());
        let message = self
            .app
            .status
            .operation_state
            .iter()
            .filter_map(|s| s.sync_result.as_ref())
            .flat_map(|r| &r.resources)
            .find(|r| {
                *r.group == *key.group && *r.kind == *key.kind && *r.namespace == *key.namespace && *r.name == *key.name
            })
            .map(|r| r.message.clone());
        let said = health
            .map(|h| h.message.clone())
            .filter(|m| !m.is_empty())
            .or(message)
            .unwrap_or_default();
        self.line(
            &format!("{branch}{}/{}", key.kind, key.name),
            [
                &status.unwrap_or_default(),
                health.map(|h| h.status.as_str()).unwrap_or_default(),
                &said,
                &reason.unwrap_or_default(),
            ],
            Some(node),
        );
        if depth == MAX_DEPTH || !self.seen.insert(&node.reference.uid) {
            return;
        }
        let children: Vec<&'a ResourceNode> = self
            .tree
            .nodes
            .iter()
            .filter(|n| n.parents.first().is_some_and(|p| p.uid == node.reference.uid))
            .collect();
        for (index, child) in children.iter().enumerate() {
            let is_last = index + 1 == children.len();
            let (branch, next) = if is_last { ("└─", "  ") } else { ("├─", "│ ") };
            self.node(child, &format!("{below}{branch}"), &format!("{below}{next}"), depth + 1);
        }
    }

    fn line(&mut self, name: &str, cells: [&str; 4], node: Option<&ResourceNode>) {
        let [status, health, message, reason] = cells;
        let message = message.replace(['\t', '\n'], " ");
        let line = if self.detailed {
            let age = time::age(node.and_then(|n| n.created_at), self.now);
            format!("{name}\t{status}\t{health}\t{age}\t{message}\t{reason}\n")
        } else {
            format!("{name}\t{status}\t{health}\t{message}\n")
        };
        self.text.push_str(&line);
    }
}
