//! The order of the output.

use std::cmp::Reverse;

use super::config::{ORDER_FIRST, ORDER_LAST, places};
use super::error::{Failure, Result};
use super::kustomization::SortOptions;
use super::resmap::ensure_unique;
use super::resource::Resource;

/// Sorts as `sortOptions` says; without them by kind, unless the caller keeps the order of loading.
pub(super) fn sort(resources: &mut [Resource], options: Option<&SortOptions>, keep: bool) -> Result<()> {
    let Some(options) = options else {
        if !keep {
            legacy(resources, ORDER_FIRST, ORDER_LAST)?;
        }
        return Ok(());
    };
    match (options.order.as_str(), &options.legacy_sort_options) {
        ("fifo", None) => Ok(()),
        ("legacy", None) => legacy(resources, ORDER_FIRST, ORDER_LAST),
        ("legacy", Some(lists)) => {
            let first: Vec<&str> = lists.order_first.iter().map(String::as_str).collect();
            let last: Vec<&str> = lists.order_last.iter().map(String::as_str).collect();
            legacy(resources, &first, &last)
        }
        ("fifo", Some(_)) => Err(Failure::invalid(
            "the field 'sortOptions.legacySortOptions' is set but the selected sort order is 'fifo', not 'legacy'",
        )),
        _ => Err(Failure::invalid(
            "the field 'sortOptions.order' must be one of [fifo, legacy]",
        )),
    }
}

/// Group, version and kind as one text. Namespaces of the core group come before those of others, and in the opposite order.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Namespace(Reverse<String>),
    Other(String),
}

fn legacy(resources: &mut [Resource], first: &[&str], last: &[&str]) -> Result<()> {
    let order = places(first, last);
    // Kustomize adds them to a new list one by one.
    ensure_unique(resources).map_err(|e| e.within("sorting"))?;
    resources.sort_by_cached_key(|r| {
        let id = r.id();
        let (place, kind) = id.gvk.sort_key(&order);
        let kind = if place != 0 && id.gvk.kind == "Namespace" && id.gvk.group.is_empty() {
            Kind::Namespace(Reverse(kind))
        } else {
            Kind::Other(kind)
        };
        let or = |text: &str, none: &str| {
            if text.is_empty() {
                none.to_owned()
            } else {
                text.to_owned()
            }
        };
        // As one text: the namespace `shop-dev` comes before `shop`.
        (
            place,
            kind,
            format!("{}|{}", or(&id.namespace, "~X"), or(&id.name, "~N")),
        )
    });
    Ok(())
}
