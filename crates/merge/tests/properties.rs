//! What holds for all values: checked on random ones, made from a printed seed.
#![allow(clippy::expect_used)] // A test: what it expects holds, or it fails.

use pintle_merge::{Kind, Schema, TypeRef, json_merge, strategic};
use pintle_model::{Map, Value, to_json_string};

/// A small generator (xorshift64*), so that a seed means the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound
    }

    fn text(&mut self) -> Value {
        ["", "a", "b", "c"][self.below(4) as usize].into()
    }

    /// A value of type `of`, nested at most `depth` deep.
    fn value(&mut self, of: TypeRef<'_>, depth: u32) -> Value {
        match of.kind() {
            Kind::Bool => (self.below(2) == 0).into(),
            Kind::Int32 | Kind::Int64 | Kind::Float => Value::Int(self.below(3) as i64),
            Kind::List => {
                let Some(items) = of.items() else {
                    return Value::list(Vec::new());
                };
                let mut list: Vec<Value> = (0..self.below(4))
                    .map(|_| self.value(items, depth.saturating_sub(1)))
                    .collect();
                if of.patch().merge {
                    // Merged lists are sets by their key.
                    let key = of.patch().key.as_deref();
                    let mut seen = Vec::new();
                    for item in &mut list {
                        if let (Some(key), Some(map)) = (key, item.as_map_mut()) {
                            let kind = items.field(key).expect("the key is a field");
                            let id = self.value(kind, 0);
                            map.insert(key, id);
                        }
                    }
                    list.retain(|item| {
                        let id = to_json_string(key.map_or(item, |key| item.get(key).expect("just set")));
                        let new = !seen.contains(&id);
                        seen.push(id);
                        new
                    });
                }
                list.into()
            }
            Kind::Struct => {
                let mut map = Map::new();
                let fields: Vec<_> = of.fields().collect();
                for _ in 0..if depth == 0 || fields.is_empty() {
                    0
                } else {
                    self.below(7)
                } {
                    let (name, field) = fields[self.below(fields.len() as u64) as usize];
                    map.insert(name, self.value(field, depth - 1));
                }
                map.into()
            }
            Kind::Map => {
                let Some(items) = of.items() else { return Value::map() };
                (0..self.below(3))
                    .map(|_| (["x", "y", "z"][self.below(3) as usize], self.value(items, 0)))
                    .collect::<Map>()
                    .into()
            }
            _ => self.text(),
        }
    }

    /// `value` with some parts taken from `other`.
    fn mixed(&mut self, value: &Value, other: &Value) -> Value {
        match (value, other) {
            (Value::Map(a), Value::Map(b)) => {
                let mut mixed = Map::clone(a);
                for (key, other) in b.iter() {
                    match (self.below(4), a.get(key)) {
                        (0, _) => mixed.insert(key, other.clone()),
                        (1, _) => mixed.remove(key),
                        (_, Some(own)) => mixed.insert(key, self.mixed(own, other)),
                        _ => None,
                    };
                }
                mixed.into()
            }
            _ if self.below(3) == 0 => other.clone(),
            _ => value.clone(),
        }
    }
}

#[test]
fn a_patch_made_from_two_values_turns_one_into_the_other() {
    let schema = Schema::builtin();
    let mut compared = 0;
    for seed in 1..=4000_u64 {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let names = [
            "core.v1.PodSpec",
            "apps.v1.DeploymentSpec",
            "core.v1.ServiceSpec",
            "meta.v1.ObjectMeta",
            "core.v1.Node",
        ];
        let of = schema.type_named(names[random.below(5) as usize]).expect("known type");
        let (a, other) = (random.value(of, 6), random.value(of, 6));
        let b = random.mixed(&a, &other);
        let show = || format!("seed {seed}\na {}\nb {}", to_json_string(&a), to_json_string(&b));

        let patch = json_merge::diff(&a, &b).expect("both are maps");
        let merged = json_merge::apply(&a, &patch).expect("both are maps");
        assert_eq!(to_json_string(&merged), to_json_string(&b), "merge patch, {}", show());

        // A map of maps is the one thing that strategic patches cannot reach into.
        let Ok(patch) = strategic::diff(&a, &b, of) else {
            continue;
        };
        match strategic::apply(&a, &patch, of) {
            Ok(merged) => assert_eq!(to_json_string(&merged), to_json_string(&b), "strategic, {}", show()),
            Err(error) => panic!("{error}, {}", show()),
        }
        compared += 1;
    }
    assert!(compared > 3900, "{compared} strategic patches were compared");
}

#[test]
fn a_three_way_patch_sets_what_is_desired_and_keeps_what_is_foreign() {
    let of = Schema::builtin().type_named("core.v1.PodSpec").expect("known type");
    for seed in 1..=2000_u64 {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let (last, other, foreign) = (random.value(of, 5), random.value(of, 5), random.value(of, 5));
        let desired = random.mixed(&last, &other);
        let live = random.mixed(&last, &foreign);
        let show = || {
            format!(
                "seed {seed}\nlast {}\ndesired {}\nlive {}",
                to_json_string(&last),
                to_json_string(&desired),
                to_json_string(&live)
            )
        };
        let Ok(patch) = strategic::create_three_way(Some(&last), &desired, &live, of) else {
            continue;
        };
        let once = strategic::apply(&live, &patch, of).unwrap_or_else(|e| panic!("{e}, {}", show()));
        for (key, value) in once.as_map().expect("a map").iter() {
            let (want, had) = (desired.get(key), live.get(key));
            let scalar = !matches!(value, Value::Map(_) | Value::List(_));
            assert!(!scalar || Some(value) == want.or(had), "{key}, {}", show());
        }
        // Applying again finds nothing to do.
        let again = strategic::create_three_way(Some(&desired), &desired, &once, of).expect("the same shapes");
        let twice = strategic::apply(&once, &again, of).expect("the same shapes");
        assert_eq!(to_json_string(&twice), to_json_string(&once), "{}", show());
    }
}
