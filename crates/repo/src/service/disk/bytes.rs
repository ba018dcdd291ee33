//! Numbers, texts and values as bytes, and back.
//!
//! This is one more way out of a [`Value`], beside the writers to the API server and to YAML. Its bytes go to [`super::seal`] and nowhere else:
//! they may hold what a person wrote into a manifest. It is exact where JSON text is not: a float keeps its bits.

use std::collections::HashSet;
use std::sync::Arc;

use pintle_model::Value;
use pintle_model::value::Map;

/// Values inside one another. Objects that an API server takes stay far below; what is deeper is rendered again.
const MAX_DEPTH: usize = 200;

/// What is written so far.
#[derive(Default)]
pub(super) struct Writer {
    out: Vec<u8>,
}

impl Writer {
    pub fn len(&self) -> usize {
        self.out.len()
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    pub fn byte(&mut self, byte: u8) {
        self.out.push(byte);
    }

    pub fn flag(&mut self, flag: bool) {
        self.byte(u8::from(flag));
    }

    /// Seven bits at a time, the lowest first: nearly every number here is a small length.
    pub fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.byte((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.byte(number as u8);
    }

    pub fn length(&mut self, length: usize) {
        self.number(length as u64);
    }

    pub fn signed(&mut self, number: i64) {
        self.out.extend_from_slice(&number.to_le_bytes());
    }

    pub fn text(&mut self, text: &str) {
        self.length(text.len());
        self.out.extend_from_slice(text.as_bytes());
    }

    /// Several texts, one behind the other.
    pub fn texts<'t>(&mut self, texts: impl IntoIterator<Item = &'t String>) {
        texts.into_iter().for_each(|text| self.text(text));
    }

    pub fn maybe<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.flag(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
    }

    /// `None` if it is nested too deeply.
    pub fn value(&mut self, value: &Value) -> Option<()> {
        self.value_within(value, MAX_DEPTH)
    }

    fn value_within(&mut self, value: &Value, depth: usize) -> Option<()> {
        match value {
            Value::Null => self.byte(0),
            Value::Bool(false) => self.byte(1),
            Value::Bool(true) => self.byte(2),
            Value::Int(number) => {
                self.byte(3);
                self.signed(*number);
            }
            Value::Float(number) => {
                self.byte(4);
                self.out.extend_from_slice(&number.to_bits().to_le_bytes());
            }
            Value::Str(text) => {
                self.byte(5);
                self.text(text);
            }
            Value::List(items) => {
                self.byte(6);
                self.length(items.len());
                for item in items.iter() {
                    self.value_within(item, depth.checked_sub(1)?)?;
                }
            }
            Value::Map(map) => {
                self.byte(7);
                self.length(map.len());
                for (key, item) in map.iter() {
                    self.text(key);
                    self.value_within(item, depth.checked_sub(1)?)?;
                }
            }
        }
        Some(())
    }
}

/// What is still to be read. Every answer is `None` where the bytes are not what was written.
pub(super) struct Bytes<'b> {
    rest: &'b [u8],
    /// Keys of maps repeat, so each is there once.
    keys: HashSet<Arc<str>>,
}

impl<'b> Bytes<'b> {
    pub fn new(bytes: &'b [u8]) -> Self {
        Self {
            rest: bytes,
            keys: HashSet::new(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub fn flag(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    pub fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            // The tenth byte has room for one bit.
            if bits.leading_zeros() < shift {
                return None;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    /// A number of things that take a byte each at least: never more than there are bytes, so that nothing is reserved for what cannot come.
    pub fn length(&mut self) -> Option<usize> {
        let length = usize::try_from(self.number()?).ok()?;
        (length <= self.rest.len()).then_some(length)
    }

    pub fn signed(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }

    pub fn text(&mut self) -> Option<&'b str> {
        let length = self.length()?;
        std::str::from_utf8(self.take(length)?).ok()
    }

    pub fn string(&mut self) -> Option<String> {
        self.text().map(str::to_owned)
    }

    pub fn maybe<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        Some(if self.flag()? { Some(read(self)?) } else { None })
    }

    pub fn value(&mut self) -> Option<Value> {
        self.value_within(MAX_DEPTH)
    }

    fn value_within(&mut self, depth: usize) -> Option<Value> {
        Some(match self.byte()? {
            0 => Value::Null,
            1 => Value::Bool(false),
            2 => Value::Bool(true),
            3 => Value::Int(self.signed()?),
            4 => Value::Float(f64::from_bits(self.array().map(u64::from_le_bytes)?)),
            5 => Value::str(self.text()?),
            6 => {
                let length = self.length()?;
                // A byte may stand for a value many times its size, so room is made as values come.
                let mut items = Vec::with_capacity(length.min(64));
                for _ in 0..length {
                    items.push(self.value_within(depth.checked_sub(1)?)?);
                }
                Value::list(items)
            }
            7 => {
                let length = self.length()?;
                let mut entries = Vec::with_capacity(length.min(64));
                for _ in 0..length {
                    let key = self.key()?;
                    entries.push((key, self.value_within(depth.checked_sub(1)?)?));
                }
                Map::from_iter(entries).into()
            }
            _ => return None,
        })
    }

    fn key(&mut self) -> Option<Arc<str>> {
        let key = self.text()?;
        if let Some(known) = self.keys.get(key) {
            return Some(Arc::clone(known));
        }
        let new: Arc<str> = key.into();
        self.keys.insert(Arc::clone(&new));
        Some(new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: &Value) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.value(value).unwrap();
        writer.into_bytes()
    }

    #[test]
    fn values_come_back_as_they_were() {
        let floats = [0.1, -0.0, 1e300, f64::MIN_POSITIVE, 9.223_372_036_854_776e18].map(Value::Float);
        let value = Value::list(vec![
            Value::from_json(br#"{"a":[1,-1,9223372036854775807,"",null,true,false,{}],"b":{"a":"\u00e9"}}"#).unwrap(),
            Value::list(floats.to_vec()),
            Value::Float(1.0),
        ]);
        let bytes = written(&value);
        let mut reader = Bytes::new(&bytes);
        let again = reader.value().unwrap();
        assert!(again == value && reader.is_empty());
        assert!(matches!(again.as_list().unwrap().last(), Some(Value::Float(_))));
        // Whatever is cut off is missed.
        for end in 0..bytes.len() {
            assert!(Bytes::new(&bytes[..end]).value().is_none(), "{end}");
        }
    }

    #[test]
    fn numbers_of_every_size() {
        for number in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX - 1, u64::MAX] {
            let mut writer = Writer::default();
            writer.number(number);
            assert_eq!(Bytes::new(&writer.into_bytes()).number(), Some(number));
        }
        assert_eq!(Bytes::new(&[0xff; 10]).number(), None);
        assert_eq!(Bytes::new(&[0x80; 11]).number(), None);
    }

    #[test]
    fn lengths_and_depths_are_bounded() {
        let mut huge = Writer::default();
        huge.byte(6);
        huge.number(u64::MAX);
        assert!(Bytes::new(&huge.into_bytes()).value().is_none());
        let nested = |depth: usize| (0..depth).fold(Value::Null, |value, _| Value::list(vec![value]));
        assert!(Bytes::new(&written(&nested(MAX_DEPTH))).value().is_some());
        assert!(Writer::default().value(&nested(MAX_DEPTH + 1)).is_none());
        let deep = [[6, 1]; 5_000].concat();
        assert!(Bytes::new(&deep).value().is_none());
    }
}
