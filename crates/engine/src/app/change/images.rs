//! Which images an Application would run instead of which.

use std::collections::{BTreeMap, BTreeSet};

use pintle_model::{Object, Value};

/// One image that another takes the place of, that comes, or that goes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImageChange {
    /// The image before.
    pub before: Option<String>,
    /// The image after.
    pub after: Option<String>,
}

/// Pairs the images that only one state has by their repository: `shop:1.4` becomes `shop:1.5`.
pub(super) fn changes<'a>(
    before: impl Iterator<Item = &'a Object>,
    after: impl Iterator<Item = &'a Object>,
) -> Vec<ImageChange> {
    let all = |objects: &mut dyn Iterator<Item = &'a Object>| {
        let mut images = BTreeSet::new();
        for object in objects {
            collect(object.value(), &mut images);
        }
        images
    };
    let (mut before, mut after) = (before, after);
    let (before, after) = (all(&mut before), all(&mut after));
    let mut by_repository: BTreeMap<&str, (Vec<&str>, Vec<&str>)> = BTreeMap::new();
    for image in before.difference(&after) {
        by_repository.entry(repository(image)).or_default().0.push(image);
    }
    for image in after.difference(&before) {
        by_repository.entry(repository(image)).or_default().1.push(image);
    }
    let mut found = Vec::new();
    for (old, new) in by_repository.values() {
        for i in 0..old.len().max(new.len()) {
            let at = |list: &[&str]| list.get(i).map(|image| (*image).to_owned());
            found.push(ImageChange {
                before: at(old),
                after: at(new),
            });
        }
    }
    found
}

/// Images of the containers of every pod template, whatever kind it is in.
fn collect<'a>(root: &'a Value, images: &mut BTreeSet<&'a str>) {
    let mut todo = vec![root];
    while let Some(value) = todo.pop() {
        if let Some(list) = value.as_list() {
            todo.extend(list);
        }
        for (name, field) in value.as_map().into_iter().flat_map(|map| map.iter()) {
            if matches!(name, "containers" | "initContainers" | "ephemeralContainers") {
                let containers = field.as_list().unwrap_or_default();
                images.extend(containers.iter().filter_map(|c| c.str_at(&["image"])));
            }
            todo.push(field);
        }
    }
}

/// An image without tag and digest. A colon before the last `/` is a port.
fn repository(image: &str) -> &str {
    let image = image.split_once('@').map_or(image, |(name, _)| name);
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => image,
    }
}
