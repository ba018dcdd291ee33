//! YAML into types as Go's JSON decoder reads it: fields in any case, `null` as good as nothing, and unknown fields refused or passed over.

use std::fmt;

use pintle_yaml::Yaml;
use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, Expected, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;

use super::error::{Failure, Result};
use crate::helm::scalar_text;

/// How a file is read: Kustomize has more than one decoder.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Form {
    /// A field that the type does not have fails the whole, and is passed over otherwise.
    refuses_unknown: bool,
    /// A number or boolean becomes text where text is needed.
    makes_text: bool,
    /// Of the spellings of a field, the one to read alone.
    only: Option<usize>,
}

impl Form {
    /// Of kustomization files.
    pub const KUSTOMIZATION: Self = Self {
        refuses_unknown: true,
        makes_text: false,
        only: None,
    };
    /// Of files of `configurations`.
    pub const CONFIGURATION: Self = Self {
        refuses_unknown: true,
        makes_text: true,
        only: None,
    };
    /// Of configurations of plugins, and of files that these name.
    pub const PLUGIN: Self = Self {
        refuses_unknown: false,
        makes_text: true,
        only: None,
    };

    /// Within a type. In Go these are embedded in others, and nothing becomes text in them.
    fn inside(self, name: &str) -> Self {
        const EMBEDDED: [&str; 5] = [
            "Selector",
            "ReplacementField",
            "GeneratorArgs",
            "HelmChart",
            "HelmGlobals",
        ];
        Self {
            makes_text: self.makes_text && !EMBEDDED.contains(&name),
            ..self
        }
    }
}

/// Reads a text; what is wrong is told with its path.
pub(super) fn decode<T: DeserializeOwned>(text: &str, form: Form) -> Result<T> {
    let yaml = pintle_yaml::parse(text).map_err(|e| Failure::invalid(e.to_string()))?;
    decode_yaml(yaml, form)
}

/// As [`decode`], of a value.
pub(super) fn decode_yaml<T: DeserializeOwned>(yaml: Yaml, form: Form) -> Result<T> {
    // What another spelling takes the place of is read too, and is wrong all the same.
    for at in 0..most_spellings(&yaml) {
        let form = Form { only: Some(at), ..form };
        T::deserialize(Decoder::new(yaml.clone(), form)).map_err(|e| Failure::invalid(e.to_string()))?;
    }
    T::deserialize(Decoder::new(yaml, form)).map_err(|e| Failure::invalid(e.to_string()))
}

/// How often a field stands in one map, in different spellings; none if none does twice.
fn most_spellings(yaml: &Yaml) -> usize {
    match yaml {
        Yaml::Map(fields) => {
            let mut keys: Vec<String> = fields.iter().map(|(key, _)| folded(key)).collect();
            keys.sort_unstable();
            let here = keys.chunk_by(|a, b| a == b).map(<[String]>::len).max();
            let below = fields.iter().map(|(_, value)| most_spellings(value)).max();
            here.filter(|count| *count > 1).max(below).unwrap_or(0)
        }
        Yaml::Seq(items) => items.iter().map(most_spellings).max().unwrap_or(0),
        _ => 0,
    }
}

/// What is wrong, and where: `patches[0].target`.
#[derive(Debug)]
struct Mistake {
    path: String,
    message: String,
}

impl Mistake {
    fn below(mut self, step: &str) -> Self {
        let point = if self.path.is_empty() || self.path.starts_with('[') {
            ""
        } else {
            "."
        };
        self.path = format!("{step}{point}{}", self.path);
        self
    }

    fn kinds(found: &str, needed: &str) -> Self {
        Self::custom(format_args!("{found} where {needed} is needed"))
    }
}

fn kind(yaml: &Yaml) -> &'static str {
    match yaml {
        Yaml::Null => "null",
        Yaml::Bool(_) => "a boolean",
        Yaml::Int(_) | Yaml::Uint(_) => "an integer",
        Yaml::Float(_) => "a number",
        Yaml::String(_) => "a string",
        Yaml::Seq(_) => "a list",
        Yaml::Map(_) => "a map",
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Mistake {}

impl serde::de::Error for Mistake {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self {
            path: String::new(),
            message: message.to_string(),
        }
    }

    /// Kinds alone: the value may be a secret.
    fn invalid_type(found: Unexpected<'_>, needed: &dyn Expected) -> Self {
        let found = match found {
            Unexpected::Bool(_) => "a boolean",
            Unexpected::Unsigned(_) | Unexpected::Signed(_) => "an integer",
            Unexpected::Float(_) => "a number",
            Unexpected::Str(_) => "a string",
            Unexpected::Seq => "a list",
            Unexpected::Map => "a map",
            _ => "null",
        };
        let needed = match needed.to_string().as_str() {
            "i64" => "an integer".to_owned(),
            "a sequence" => "a list".to_owned(),
            other => other.to_owned(),
        };
        Self::kinds(found, &needed)
    }

    fn unknown_variant(_: &str, known: &'static [&'static str]) -> Self {
        Self::custom(format_args!("it must be one of {}", known.join(", ")))
    }
}

/// A value, behind those that were written for the same field in other spellings, which it is read over.
struct Decoder {
    yaml: Yaml,
    /// Nearly always none.
    earlier: Vec<Yaml>,
    form: Form,
}

impl Decoder {
    fn new(yaml: Yaml, form: Form) -> Self {
        let earlier = Vec::new();
        Self { yaml, earlier, form }
    }

    /// Reads another value over this one.
    fn over(&mut self, later: Yaml) {
        self.earlier.push(std::mem::replace(&mut self.yaml, later));
    }

    /// Keeps one of what was written.
    fn choose(&mut self, at: usize) {
        let mut earlier = std::mem::take(&mut self.earlier);
        if at < earlier.len() {
            self.yaml = earlier.swap_remove(at);
        }
    }

    /// All that was written, in the order it is read.
    fn all(self) -> impl Iterator<Item = Yaml> {
        self.earlier.into_iter().chain([self.yaml])
    }

    /// What was written of a kind, since `null` took the field away.
    fn since_null<T>(
        self,
        needed: &str,
        of_kind: fn(Yaml) -> std::result::Result<T, Yaml>,
    ) -> std::result::Result<Vec<T>, Mistake> {
        let mut said = Vec::with_capacity(1);
        for yaml in self.all() {
            match of_kind(yaml) {
                Ok(value) => said.push(value),
                Err(Yaml::Null) => said.clear(),
                Err(other) => return Err(Mistake::kinds(kind(&other), needed)),
            }
        }
        Ok(said)
    }

    /// What a scalar is in the end: `null` leaves what it was. That each spelling is of the kind is found where each is read alone.
    fn scalar<'de, V: Visitor<'de>>(self, nothing: Yaml, visitor: V) -> std::result::Result<V::Value, Mistake> {
        let form = self.form;
        let said = self.all().filter(|yaml| *yaml != Yaml::Null).last();
        Self::new(said.unwrap_or(nothing), form).deserialize_any(visitor)
    }
}

impl<'de> Deserializer<'de> for Decoder {
    type Error = Mistake;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> std::result::Result<V::Value, Mistake> {
        // Between YAML and the types stands JSON, where these are written without a fraction.
        const INTEGERS: std::ops::Range<f64> = -9.2e18..9.2e18;
        let form = self.form;
        match self.yaml {
            Yaml::Null => visitor.visit_unit(),
            Yaml::Bool(b) => visitor.visit_bool(b),
            Yaml::Int(i) => visitor.visit_i64(i),
            Yaml::Uint(u) => visitor.visit_u64(u),
            Yaml::Float(f) if f.fract() == 0.0 && INTEGERS.contains(&f) => visitor.visit_i64(f as i64),
            Yaml::Float(f) => visitor.visit_f64(f),
            Yaml::String(text) => visitor.visit_string(text),
            Yaml::Seq(items) => {
                let items = items.into_iter().map(|item| Self::new(item, form));
                visitor.visit_seq(Items::new(items.collect()))
            }
            Yaml::Map(fields) => {
                let fields = fields.into_iter().map(|(key, value)| (key, Self::new(value, form)));
                visitor.visit_map(Fields::new(fields.collect()))
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(mut self, visitor: V) -> std::result::Result<V::Value, Mistake> {
        match self.yaml {
            Yaml::Null => visitor.visit_none(),
            _ => {
                let last = self.earlier.iter().rposition(|yaml| *yaml == Yaml::Null);
                self.earlier.drain(..last.map_or(0, |at| at + 1));
                visitor.visit_some(self)
            }
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> std::result::Result<V::Value, Mistake> {
        let form = self.form.inside(name);
        let mut fields: Vec<(String, Self)> = Vec::new();
        for yaml in self.all() {
            let mut written = match yaml {
                Yaml::Null => continue,
                Yaml::Map(written) => written,
                other => return Err(Mistake::kinds(kind(&other), "a map")),
            };
            // JSON has them in this order.
            written.sort_by(|(a, _), (b, _)| a.cmp(b));
            for (key, value) in written {
                let exact = known.iter().find(|name| **name == key);
                let in_any_case = || {
                    let key = folded(&key);
                    known.iter().find(|name| name.eq_ignore_ascii_case(&key))
                };
                let Some(name) = exact.or_else(in_any_case) else {
                    if form.refuses_unknown {
                        return Err(Mistake::unknown_field(&key, known));
                    }
                    continue;
                };
                // These are of an embedded type wherever they stand.
                let is_kind = matches!(*name, "group" | "version" | "kind");
                if is_kind
                    && form.makes_text
                    && matches!(value, Yaml::Bool(_) | Yaml::Int(_) | Yaml::Uint(_) | Yaml::Float(_))
                {
                    return Err(Mistake::kinds(kind(&value), "a string").below(name));
                }
                match fields.iter_mut().find(|(there, _)| there == name) {
                    Some((_, there)) => there.over(value),
                    None => fields.push(((*name).to_owned(), Self::new(value, form))),
                }
            }
        }
        if let Some(at) = form.only {
            fields.iter_mut().for_each(|(_, value)| value.choose(at));
        }
        fields.retain(|(_, value)| value.yaml != Yaml::Null || !value.earlier.is_empty());
        visitor.visit_map(Fields::new(fields))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> std::result::Result<V::Value, Mistake> {
        let mut said = String::new();
        for yaml in self.all() {
            match yaml {
                Yaml::Null => {}
                Yaml::String(text) => said = text,
                other => return Err(Mistake::kinds(kind(&other), "a string")),
            }
        }
        visitor.visit_enum(said.into_deserializer())
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> std::result::Result<V::Value, Mistake> {
        self.scalar(Yaml::Bool(false), visitor)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> std::result::Result<V::Value, Mistake> {
        self.scalar(Yaml::Int(0), visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(mut self, visitor: V) -> std::result::Result<V::Value, Mistake> {
        if self.form.makes_text {
            for yaml in self.earlier.iter_mut().chain([&mut self.yaml]) {
                if !matches!(yaml, Yaml::String(_))
                    && let Some(text) = scalar_text(yaml)
                {
                    *yaml = Yaml::String(text);
                }
            }
        }
        self.scalar(Yaml::String(String::new()), visitor)
    }

    /// An item is read over the one in its place.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> std::result::Result<V::Value, Mistake> {
        let form = self.form;
        let mut items: Vec<Self> = Vec::new();
        let of_kind = |yaml| match yaml {
            Yaml::Seq(items) => Ok(items),
            other => Err(other),
        };
        for written in self.since_null("a list", of_kind)? {
            items.truncate(written.len());
            for (at, item) in written.into_iter().enumerate() {
                match items.get_mut(at) {
                    Some(there) => there.over(item),
                    None => items.push(Self::new(item, form)),
                }
            }
        }
        visitor.visit_seq(Items::new(items))
    }

    /// An entry takes the place of the one with its key.
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> std::result::Result<V::Value, Mistake> {
        let form = self.form;
        let mut entries: Vec<(String, Self)> = Vec::new();
        let of_kind = |yaml| match yaml {
            Yaml::Map(entries) => Ok(entries),
            other => Err(other),
        };
        for written in self.since_null("a map", of_kind)? {
            for (key, value) in written {
                let value = Self::new(value, form);
                match entries.iter_mut().find(|(there, _)| *there == key) {
                    Some((_, there)) => *there = value,
                    None => entries.push((key, value)),
                }
            }
        }
        visitor.visit_map(Fields::new(entries))
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u16 u32 u64 u128 f32 f64 char str bytes byte_buf unit unit_struct newtype_struct tuple tuple_struct identifier
        ignored_any
    }
}

/// A key as Go's decoder compares it with fields: in any case, and with the two letters that are a `k` and an `s` in lower case.
pub(super) fn folded(key: &str) -> String {
    let fold = |c: char| match c {
        '\u{212a}' => 'k',
        '\u{17f}' => 's',
        c => c.to_ascii_lowercase(),
    };
    key.chars().map(fold).collect()
}

struct Items {
    items: std::vec::IntoIter<Decoder>,
    next: usize,
}

impl Items {
    fn new(items: Vec<Decoder>) -> Self {
        Self {
            items: items.into_iter(),
            next: 0,
        }
    }
}

impl<'de> SeqAccess<'de> for Items {
    type Error = Mistake;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> std::result::Result<Option<T::Value>, Mistake> {
        let Some(item) = self.items.next() else {
            return Ok(None);
        };
        let at = self.next;
        self.next += 1;
        let item = seed.deserialize(item);
        item.map(Some).map_err(|e| e.below(&format!("[{at}]")))
    }
}

struct Fields {
    fields: std::vec::IntoIter<(String, Decoder)>,
    value: Option<(String, Decoder)>,
}

impl Fields {
    fn new(fields: Vec<(String, Decoder)>) -> Self {
        Self {
            fields: fields.into_iter(),
            value: None,
        }
    }
}

impl<'de> MapAccess<'de> for Fields {
    type Error = Mistake;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> std::result::Result<Option<K::Value>, Mistake> {
        self.value = self.fields.next();
        let Some((key, _)) = &self.value else {
            return Ok(None);
        };
        seed.deserialize(StrDeserializer::new(key)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> std::result::Result<V::Value, Mistake> {
        let (key, value) = self.value.take().ok_or_else(|| Mistake::custom("no value"))?;
        seed.deserialize(value).map_err(|e| e.below(&key))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct All {
        name_prefix: String,
        count: i64,
        is_there: bool,
        pairs: BTreeMap<String, String>,
        inner: Option<Box<All>>,
        list: Vec<All>,
        texts: Vec<String>,
        free: serde_json::Value,
    }

    fn read(text: &str) -> std::result::Result<All, String> {
        decode(text, Form::KUSTOMIZATION).map_err(|e| e.message)
    }

    #[test]
    fn fields_in_any_case_and_nothing_for_null() {
        let expected = All {
            name_prefix: "b".into(),
            count: 3,
            pairs: [("A".to_owned(), String::new())].into(),
            list: vec![All::default()],
            texts: vec![String::new()],
            free: serde_json::json!({"Deep": null, "count": 1}),
            ..All::default()
        };
        let text = "nameprefix: b\nnamePrefix: a\nCOUNT: 3.0\nisThere: null\npairs: {A: null}\ninner: null\nli\u{17f}t: [null]\ntexts: [null]\n\
                    free: {Deep: null, count: 1.0}\n";
        assert_eq!(read(text), Ok(expected));
        assert_eq!(read(""), Ok(All::default()));
    }

    #[test]
    fn a_field_that_stands_twice_is_read_over_itself() {
        for (text, expected) in [
            (
                "namePrefix: a\nnameprefix: null",
                All {
                    name_prefix: "a".into(),
                    ..All::default()
                },
            ),
            (
                "pairs: {a: x, b: w}\nPairs: {c: z}",
                All {
                    pairs: [("a", "x"), ("b", "w"), ("c", "z")]
                        .map(|(k, v)| (k.into(), v.into()))
                        .into(),
                    ..All::default()
                },
            ),
            (
                "pairs: {a: x}\nPAIRS: {b: x}\npAIRS: {b: null}",
                All {
                    pairs: [("a", "x"), ("b", "")].map(|(k, v)| (k.into(), v.into())).into(),
                    ..All::default()
                },
            ),
            ("pairs: null\nPairs: {a: x}", All::default()),
            (
                "texts: [null]\nTexts: [a, b]",
                All {
                    texts: vec!["a".into()],
                    ..All::default()
                },
            ),
            (
                "list: [{Count: 3, isThere: true}]\nLIST: [{count: 2, namePrefix: a}, {count: 1}]",
                All {
                    list: vec![All {
                        count: 3,
                        is_there: true,
                        name_prefix: "a".into(),
                        ..All::default()
                    }],
                    ..All::default()
                },
            ),
            (
                "inner: {count: 1}\nInner: {namePrefix: a}",
                All {
                    inner: Some(Box::new(All {
                        count: 1,
                        name_prefix: "a".into(),
                        ..All::default()
                    })),
                    ..All::default()
                },
            ),
            (
                "free: {a: 1}\nFree: {b: 1}",
                All {
                    free: serde_json::json!({"a": 1}),
                    ..All::default()
                },
            ),
        ] {
            assert_eq!(read(text), Ok(expected), "{text}");
        }
        for text in [
            "count: null\nCount: x",
            "texts: null\nTexts: x",
            "isThere: true\nIsThere: 1",
            "pairs: {a: b}\nPairs: []",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_path() {
        for (text, expected) in [
            (
                "inner: {list: [{}, {count: a}]}",
                "inner.list[1].count: a string where an integer is needed",
            ),
            ("count: 1.5", "count: a number where an integer is needed"),
            ("texts: [1]", "texts[0]: an integer where a string is needed"),
            (
                "list: [{nmae: null}]",
                "list[0]: unknown field `nmae`, expected one of `namePrefix`",
            ),
            ("list: [[a]]", "list[0]: a list where a map is needed"),
            ("texts: a=b", "texts: a string where a list is needed"),
            ("isThere: no-way", "isThere: a string where a boolean is needed"),
        ] {
            let Err(said) = read(text) else { panic!("{text}") };
            assert!(said.starts_with(expected), "{text}: {said}");
        }
        let loose: Result<All> = decode("list: [{nmae: 1, count: 2}]", Form::PLUGIN);
        assert_eq!(loose.map_err(|e| e.message).map(|all| all.list[0].count), Ok(2));
    }
}
