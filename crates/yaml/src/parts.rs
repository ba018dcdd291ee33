//! Which values of a document somebody wants.

/// A choice of values by the keys on the way to them.
///
/// ```
/// use pintle_yaml::{Parts, parse_parts};
/// let head = Parts::Only(&[("kind", Parts::All), ("metadata", Parts::Only(&[("name", Parts::All)]))]);
/// let read = parse_parts("kind: Pod\nmetadata:\n  name: p\n  uid: u\nspec: {}\n", head);
/// assert!(read.is_ok_and(|head| pintle_yaml::to_json_string(&head) == r#"{"kind":"Pod","metadata":{"name":"p"}}"#));
/// ```
#[derive(Clone, Copy)]
pub enum Parts<'p> {
    /// Everything.
    All,
    /// Of a mapping the values of these keys, of which case does not matter; everything of what is no mapping.
    Only(&'p [(&'p str, Parts<'p>)]),
}

impl Parts<'_> {
    /// What is wanted of a key's value; `None` for nothing.
    pub(crate) fn of(self, key: &str) -> Option<Self> {
        match self {
            Parts::All => Some(Parts::All),
            Parts::Only(wanted) => wanted
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(key))
                .map(|(_, parts)| *parts),
        }
    }
}
