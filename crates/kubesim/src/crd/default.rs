//! Structural defaults: absent fields with a `default` get it.

use pintle_model::Value;

/// Fills in the defaults of a schema, outermost first, so that a defaulted object is filled in itself.
pub fn apply(here: &mut Value, schema: &Value) {
    match here {
        Value::Map(_) => {
            let properties = schema.get("properties").and_then(Value::as_map);
            for (key, property) in properties.into_iter().flat_map(|p| p.iter()) {
                let absent = here.get(key).is_none();
                if absent && let Some(default) = property.get("default") {
                    here.set_at(&[key], default.clone());
                }
                if here
                    .get(key)
                    .is_some_and(|v| matches!(v, Value::Map(_) | Value::List(_)))
                    && let Some(item) = here.at_mut(&[key])
                {
                    apply(item, property);
                }
            }
            if let Some(additional) = schema.get("additionalProperties").filter(|a| a.as_map().is_some()) {
                let named = |key: &str| properties.is_some_and(|p| p.contains_key(key));
                for (key, item) in here.as_map_mut().into_iter().flat_map(|m| m.iter_mut()) {
                    if !named(key) {
                        apply(item, additional);
                    }
                }
            }
        }
        Value::List(_) => {
            let Some(items) = schema.get("items") else { return };
            here.as_list_mut()
                .into_iter()
                .flatten()
                .for_each(|item| apply(item, items));
        }
        _ => {}
    }
}
