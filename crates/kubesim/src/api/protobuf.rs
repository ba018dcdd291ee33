//! Bodies in Kubernetes' protobuf form, as typed clients (`kubectl create namespace`, client-go) send them.
//!
//! Answers stay JSON: those clients accept it too. The field numbers come from `proto/builtin.txt`, which `cargo xtask codegen proto` makes:
//! one line per message, not indented; one line per field, indented by one space: number, name, shape. Shapes: `s` string, `y` bytes,
//! `b` bool, `i` integer, `f` double, `[…` a list, `{…` a map from strings, `.Name` a message of the same package, otherwise a message's
//! full name.

use std::collections::HashMap;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use pintle_merge::{Schema, TypeRef};
use pintle_model::Value;

use crate::clock::{rfc3339, rfc3339_micro};
use crate::error::ApiError;

/// The media type.
pub const MEDIA_TYPE: &str = "application/vnd.kubernetes.protobuf";

/// Messages nest at most this deep, as JSON values do.
const MAX_DEPTH: usize = 100;

struct Field {
    name: &'static str,
    repeat: Repeat,
    shape: Shape,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Repeat {
    One,
    List,
    Map,
}

enum Shape {
    String,
    Bytes,
    Bool,
    Int,
    Double,
    Message(String),
}

type Messages = HashMap<&'static str, HashMap<u64, Field>>;

static MESSAGES: LazyLock<Messages> = LazyLock::new(|| table(include_str!("../../proto/builtin.txt")));

fn table(text: &'static str) -> Messages {
    let mut messages = Messages::new();
    let mut current = "";
    for line in text.lines().filter(|l| !l.starts_with('#')) {
        let Some(field) = line.strip_prefix(' ') else {
            current = line;
            messages.entry(current).or_default();
            continue;
        };
        let mut words = field.split(' ');
        let (Some(number), Some(name), Some(shape)) =
            (words.next().and_then(|n| n.parse().ok()), words.next(), words.next())
        else {
            continue;
        };
        let (repeat, shape) = match shape.as_bytes().first() {
            Some(b'[') => (Repeat::List, shape.get(1..).unwrap_or_default()),
            Some(b'{') => (Repeat::Map, shape.get(1..).unwrap_or_default()),
            _ => (Repeat::One, shape),
        };
        let shape = match shape {
            "s" => Shape::String,
            "y" => Shape::Bytes,
            "b" => Shape::Bool,
            "i" => Shape::Int,
            "f" => Shape::Double,
            name if name.starts_with('.') => Shape::Message(format!(
                "{}{name}",
                current.rsplit_once('.').map_or("", |(package, _)| package)
            )),
            name => Shape::Message(name.to_owned()),
        };
        messages
            .entry(current)
            .or_default()
            .insert(number, Field { name, repeat, shape });
    }
    messages
}

/// Reads a whole body: the magic bytes, the envelope with `apiVersion` and `kind`, and the object in it.
pub fn decode(body: &[u8]) -> Result<Value, ApiError> {
    let bad = |why: &str| ApiError::bad_request(format!("the protobuf body cannot be read: {why}"));
    let envelope = body
        .strip_prefix(b"k8s\0")
        .ok_or_else(|| bad("it does not begin with k8s"))?;
    let (mut api_version, mut kind, mut raw) = (String::new(), String::new(), &[][..]);
    for item in Reader(envelope) {
        match item.map_err(bad)? {
            (1, Wire::Bytes(meta)) => {
                for item in Reader(meta) {
                    match item.map_err(bad)? {
                        (1, Wire::Bytes(text)) => api_version = utf8(text).map_err(bad)?,
                        (2, Wire::Bytes(text)) => kind = utf8(text).map_err(bad)?,
                        _ => {}
                    }
                }
            }
            (2, Wire::Bytes(bytes)) => raw = bytes,
            _ => {}
        }
    }
    let group = api_version
        .split_once('/')
        .map_or("core", |(group, _)| group.split('.').next().unwrap_or(group));
    let version = api_version.rsplit('/').next().unwrap_or_default();
    // Options are sent under the group of what they are for.
    let name = if kind == "DeleteOptions" {
        "meta.v1.DeleteOptions".to_owned()
    } else {
        format!("{group}.{version}.{kind}")
    };
    if !MESSAGES.contains_key(name.as_str()) {
        return Err(ApiError::unsupported_media_type(format!(
            "{kind} in {api_version} is not known as protobuf here - accepted media types include: application/json"
        )));
    }
    let mut value = message(raw, &name, 0).map_err(bad)?;
    value.set_at(&["apiVersion"], api_version.into());
    value.set_at(&["kind"], kind.into());
    Ok(value)
}

fn message(bytes: &[u8], name: &str, depth: usize) -> Result<Value, &'static str> {
    if depth > MAX_DEPTH {
        return Err("it is nested too deeply");
    }
    if let Some(special) = special(bytes, name)? {
        return Ok(special);
    }
    let mut map = Value::map();
    fields(bytes, name, Schema::builtin().type_named(name), &mut map, depth)?;
    Ok(map)
}

/// Reads the fields of a message into `out`; what Go embeds (`volumeSource`, `localObjectReference`) has no name in JSON and goes there too.
fn fields(
    bytes: &[u8],
    name: &str,
    of: Option<TypeRef<'_>>,
    out: &mut Value,
    depth: usize,
) -> Result<(), &'static str> {
    if depth > MAX_DEPTH {
        return Err("it is nested too deeply");
    }
    let Some(known) = MESSAGES.get(name) else {
        return Err("a message is not known");
    };
    for item in Reader(bytes) {
        let (number, wire) = item?;
        // A field from a newer release.
        let Some(field) = known.get(&number) else { continue };
        match field.repeat {
            Repeat::One => {
                if let (Shape::Message(inner), Wire::Bytes(bytes)) = (&field.shape, &wire)
                    && of.is_some_and(|of| of.field(field.name).is_none())
                {
                    fields(bytes, inner, of, out, depth + 1)?;
                    continue;
                }
                let value = single(&wire, &field.shape, depth)?;
                // Empty times and quantities are absent ones.
                if !value.is_null() {
                    out.set_at(&[field.name], value);
                }
            }
            Repeat::List => {
                let value = single(&wire, &field.shape, depth)?;
                if out.get(field.name).is_none() {
                    out.set_at(&[field.name], Value::list(Vec::new()));
                }
                if let Some(list) = out.at_mut(&[field.name]).and_then(Value::as_list_mut) {
                    list.push(value);
                }
            }
            Repeat::Map => {
                let Wire::Bytes(entry) = wire else {
                    return Err("a map entry is not a message");
                };
                let (mut key, mut value) = (String::new(), None);
                for item in Reader(entry) {
                    match item? {
                        (1, Wire::Bytes(text)) => key = utf8(text)?,
                        (2, wire) => value = Some(single(&wire, &field.shape, depth)?),
                        _ => {}
                    }
                }
                out.set_at(&[field.name, &key], value.unwrap_or_else(|| "".into()));
            }
        }
    }
    Ok(())
}

fn single(wire: &Wire<'_>, shape: &Shape, depth: usize) -> Result<Value, &'static str> {
    Ok(match (shape, wire) {
        (Shape::String, Wire::Bytes(bytes)) => utf8(bytes)?.into(),
        (Shape::Bytes, Wire::Bytes(bytes)) => STANDARD.encode(bytes).into(),
        (Shape::Bool, Wire::Varint(n)) => (*n != 0).into(),
        // Negative numbers are sent as their 64 bit two's complement.
        (Shape::Int, Wire::Varint(n)) => n.cast_signed().into(),
        (Shape::Double, Wire::Fixed64(bits)) => Value::Float(f64::from_bits(*bits)),
        (Shape::Message(name), Wire::Bytes(bytes)) => message(bytes, name, depth + 1)?,
        _ => return Err("a field has another wire type than its message says"),
    })
}

/// The numbers and the byte strings of a message, by field.
type Scalars<'b> = (HashMap<u64, i64>, HashMap<u64, &'b [u8]>);

/// Messages that are written otherwise in JSON; `None` for all others.
fn special(bytes: &[u8], name: &str) -> Result<Option<Value>, &'static str> {
    let get = || -> Result<Scalars<'_>, &'static str> {
        let (mut numbers, mut texts) = (HashMap::new(), HashMap::new());
        for item in Reader(bytes) {
            match item? {
                (number, Wire::Varint(n)) => drop(numbers.insert(number, n.cast_signed())),
                (number, Wire::Bytes(b)) => drop(texts.insert(number, b)),
                _ => {}
            }
        }
        Ok((numbers, texts))
    };
    Ok(match name {
        "meta.v1.Time" | "meta.v1.MicroTime" => {
            let (numbers, _) = get()?;
            let Some(seconds) = numbers.get(&1) else {
                return Ok(Some(Value::Null));
            };
            let nanos = numbers.get(&2).and_then(|n| i32::try_from(*n).ok()).unwrap_or(0);
            let at = Timestamp::new(*seconds, nanos).map_err(|_| "a time is out of range")?;
            Some(
                if name.ends_with("MicroTime") {
                    rfc3339_micro(at)
                } else {
                    rfc3339(at)
                }
                .into(),
            )
        }
        "api.resource.Quantity" => {
            let (_, texts) = get()?;
            Some(
                texts
                    .get(&1)
                    .map(|t| utf8(t))
                    .transpose()?
                    .map_or(Value::Null, Value::from),
            )
        }
        "util.intstr.IntOrString" => {
            let (numbers, texts) = get()?;
            Some(if numbers.get(&1) == Some(&1) {
                texts.get(&3).map(|t| utf8(t)).transpose()?.unwrap_or_default().into()
            } else {
                numbers.get(&2).copied().unwrap_or(0).into()
            })
        }
        "runtime.RawExtension" | "meta.v1.FieldsV1" => {
            let (_, texts) = get()?;
            let json = texts.get(&1).copied().unwrap_or_default();
            Some(if json.is_empty() {
                Value::Null
            } else {
                Value::from_json(json).map_err(|_| "an embedded object is not JSON")?
            })
        }
        "meta.v1.Verbs" | "authorization.v1.ExtraValue" | "authentication.v1.ExtraValue" => {
            let items = Reader(bytes).filter_map(|item| match item {
                Ok((1, Wire::Bytes(text))) => Some(utf8(text).map(Value::from)),
                Ok(_) => None,
                Err(e) => Some(Err(e)),
            });
            Some(Value::list(items.collect::<Result<_, _>>()?))
        }
        _ => None,
    })
}

fn utf8(bytes: &[u8]) -> Result<String, &'static str> {
    std::str::from_utf8(bytes)
        .map(str::to_owned)
        .map_err(|_| "a string is not UTF-8")
}

/// One field as it stands on the wire.
enum Wire<'b> {
    Varint(u64),
    Fixed64(u64),
    Fixed32,
    Bytes(&'b [u8]),
}

/// The fields of a message in the order they come.
struct Reader<'b>(&'b [u8]);

impl<'b> Iterator for Reader<'b> {
    type Item = Result<(u64, Wire<'b>), &'static str>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let item = self.field();
        if item.is_err() {
            self.0 = &[];
        }
        Some(item)
    }
}

impl<'b> Reader<'b> {
    fn field(&mut self) -> Result<(u64, Wire<'b>), &'static str> {
        let tag = self.varint()?;
        let wire = match tag & 7 {
            0 => Wire::Varint(self.varint()?),
            1 => {
                let bytes: [u8; 8] = self.take(8)?.try_into().map_err(|_| ENDS_EARLY)?;
                Wire::Fixed64(u64::from_le_bytes(bytes))
            }
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| ENDS_EARLY)?;
                Wire::Bytes(self.take(length)?)
            }
            5 => {
                self.take(4)?;
                Wire::Fixed32
            }
            _ => return Err("a wire type is not known"),
        };
        Ok((tag >> 3, wire))
    }

    fn varint(&mut self) -> Result<u64, &'static str> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let (first, rest) = self.0.split_first().ok_or(ENDS_EARLY)?;
            self.0 = rest;
            value |= u64::from(first & 0x7f) << shift;
            if first & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err("a number is too long")
    }

    fn take(&mut self, length: usize) -> Result<&'b [u8], &'static str> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(ENDS_EARLY)?;
        self.0 = rest;
        Ok(taken)
    }
}

const ENDS_EARLY: &str = "it ends early";

#[cfg(test)]
mod tests {
    use pintle_model::to_json_string;

    use super::*;

    fn bytes(number: u64, content: &[u8]) -> Vec<u8> {
        let mut out = vec![(number << 3 | 2) as u8, content.len() as u8];
        out.extend_from_slice(content);
        out
    }

    fn body(api_version: &str, kind: &str, raw: &[u8]) -> Vec<u8> {
        let meta = [bytes(1, api_version.as_bytes()), bytes(2, kind.as_bytes())].concat();
        [b"k8s\0".to_vec(), bytes(1, &meta), bytes(2, raw)].concat()
    }

    #[test]
    fn the_committed_table_is_whole() {
        for fields in MESSAGES.values() {
            for field in fields.values() {
                if let Shape::Message(name) = &field.shape {
                    assert!(MESSAGES.contains_key(name.as_str()), "{name}");
                }
            }
        }
        // Every stored kind with a Go type can be sent.
        for resource in crate::resource::Resources::built_in()
            .iter()
            .filter(|r| !r.gr.group.starts_with("api"))
        {
            let group = if resource.gr.group.is_empty() {
                "core"
            } else {
                resource.gr.group.split('.').next().unwrap_or_default()
            };
            for version in &resource.versions {
                assert!(
                    MESSAGES.contains_key(format!("{group}.{version}.{}", resource.kind).as_str()),
                    "{}",
                    resource.gr
                );
            }
        }
    }

    #[test]
    fn objects_are_read_with_maps_lists_times_and_embedded_structs() {
        let meta = [
            bytes(1, b"p"),
            bytes(8, &[]),
            bytes(11, &[bytes(1, b"k"), bytes(2, b"v")].concat()),
        ]
        .concat();
        let secret = bytes(6, &bytes(1, b"creds"));
        let volume = [bytes(1, b"vol"), bytes(2, &secret)].concat();
        let container = [bytes(1, b"c"), bytes(3, b"a"), bytes(3, b"b")].concat();
        let spec = [bytes(1, &volume), bytes(2, &container), vec![4 << 3, 5]].concat();
        let pod = [bytes(1, &meta), bytes(2, &spec)].concat();
        let value = decode(&body("v1", "Pod", &pod)).expect("decodes");
        assert_eq!(
            to_json_string(&value),
            r#"{"apiVersion":"v1","kind":"Pod","metadata":{"labels":{"k":"v"},"name":"p"},"spec":{"containers":[{"command":["a","b"],"name":"c"}],"terminationGracePeriodSeconds":5,"volumes":[{"name":"vol","secret":{"secretName":"creds"}}]}}"#
        );
    }

    #[test]
    fn broken_bodies_are_refused() {
        assert_eq!(decode(b"nope").err().expect("refused").code, 400);
        let mut cut = body("v1", "Pod", &bytes(1, b"abc"));
        cut.pop();
        assert_eq!(decode(&cut).err().expect("refused").code, 400);
        assert_eq!(decode(&body("x.y/v1", "Thing", &[])).err().expect("refused").code, 415);
    }
}
