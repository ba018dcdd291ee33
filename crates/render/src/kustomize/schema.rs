//! Where strategic merge patches merge by element: Kubernetes v1.21.2, which Kustomize carries whatever the cluster runs.

use std::collections::HashMap;
use std::sync::LazyLock;

static TABLE: LazyLock<Table> = LazyLock::new(|| read(include_str!("../../schema/kustomize-1.21.2.txt")));

struct Field {
    /// What the field holds.
    shape: Shape,
    merge: bool,
    keys: Vec<&'static str>,
}

#[derive(Clone, Copy)]
enum Shape {
    Other,
    Type(&'static str),
    ListOf(&'static str),
    MapOf(&'static str),
}

#[derive(Default)]
struct Table {
    types: HashMap<&'static str, HashMap<&'static str, Field>>,
    kinds: HashMap<&'static str, &'static str>,
}

/// A place in the schema.
#[derive(Clone, Copy)]
pub(super) struct Place {
    at: Shape,
    merge: bool,
    keys: &'static [&'static str],
}

fn read(text: &'static str) -> Table {
    let mut table = Table::default();
    let mut current = "";
    for line in text.lines().filter(|l| !l.starts_with('#')) {
        let mut words = line.trim_start().split(' ');
        let Some(name) = words.next() else { continue };
        if !line.starts_with(' ') {
            current = name;
            table.types.entry(name).or_default();
            table.kinds.extend(words.map(|kind| (kind, name)));
            continue;
        }
        let shape = match words.next().unwrap_or("-") {
            "-" | "[-" | "{-" => Shape::Other,
            word => match (word.strip_prefix('['), word.strip_prefix('{')) {
                (Some(of), _) => Shape::ListOf(of),
                (_, Some(of)) => Shape::MapOf(of),
                _ => Shape::Type(word),
            },
        };
        let merge = words.next().is_some_and(|s| s.split(',').any(|s| s == "merge"));
        let keys = words.next().map(|k| k.split(',').collect()).unwrap_or_default();
        table
            .types
            .entry(current)
            .or_default()
            .insert(name, Field { shape, merge, keys });
    }
    table
}

impl Place {
    /// The type of a kind, if Kubernetes v1.21.2 has it.
    pub fn of(api_version: &str, kind: &str) -> Option<Self> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let name = TABLE.kinds.get(format!("{group}/{version}/{kind}").as_str())?;
        Some(Self::plain(Shape::Type(name)))
    }

    fn plain(at: Shape) -> Self {
        Self {
            at,
            merge: false,
            keys: &[],
        }
    }

    /// The schema of a field or of a map's value.
    pub fn field(self, name: &str) -> Option<Self> {
        match self.at {
            Shape::Type(of) => {
                let table: &'static Table = &TABLE;
                let field = table.types.get(of)?.get(name)?;
                Some(Self {
                    at: field.shape,
                    merge: field.merge,
                    keys: &field.keys,
                })
            }
            Shape::MapOf(of) => Some(Self::plain(Shape::Type(of))),
            _ => None,
        }
    }

    /// The schema of a list's elements.
    pub fn items(self) -> Option<Self> {
        match self.at {
            Shape::ListOf(of) => Some(Self::plain(Shape::Type(of))),
            _ => None,
        }
    }

    /// Whether the list here is merged by element.
    pub fn merges(self) -> bool {
        self.merge
    }

    /// The fields that tell the elements apart; none for lists of scalars.
    pub fn keys(self) -> &'static [&'static str] {
        self.keys
    }
}
