//! What templates compute with: Go's values behind an `interface {}`.

use std::cell::{Cell, OnceCell, RefCell};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

use crate::host::Host;
use crate::text::Str;
use crate::types::{Kind, LIST_ANY, LIST_STRING, ListType, MAP_ANY, MAP_STRING, MapType, Number, NumberKind, Type};

/// A Go value of dynamic type.
///
/// Single-threaded and cheap to clone; maps are shared and mutable as Go's are, lists and strings are
/// immutable. There is no `Debug`: Secrets pass through (`fmt::sprintf("%#v", …)` prints one on purpose).
///
/// `Nil` is a nil interface. The "no value" of an absent field (Go's zero `reflect.Value`) exists only
/// inside the executor; functions receive nil for it, as Go's do.
#[derive(Clone, Default)]
pub enum Value {
    /// A nil interface.
    #[default]
    Nil,
    /// `bool`.
    Bool(bool),
    /// `int`: integer literals, `len`, sprig's `int`-free arithmetic is `int64`.
    Int(i64),
    /// `int64`: `--set x=1`, sprig arithmetic.
    Int64(i64),
    /// Any other number type.
    Number(Number),
    /// `float64`: every number read from YAML or JSON.
    Float(f64),
    /// `string`.
    Str(Str),
    /// `[]uint8`.
    Bytes(Rc<[u8]>),
    /// A slice.
    List(List),
    /// A map with string keys.
    Map(Map),
    /// `time.Duration`, nanoseconds.
    Duration(i64),
    /// A struct, pointer, function or named type with methods, implemented outside.
    Host(Rc<dyn Host>),
}

impl Value {
    /// Returns a `string`.
    pub fn str(text: impl Into<Str>) -> Self {
        Self::Str(text.into())
    }

    /// Returns a `[]uint8`.
    pub fn bytes(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.into())
    }

    /// Returns a `[]interface {}`.
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(List::any(items))
    }

    /// Returns a `[]string`.
    pub fn strings<S: Into<Str>>(items: impl IntoIterator<Item = S>) -> Self {
        Self::List(List::of(&LIST_STRING, items.into_iter().map(Self::str).collect()))
    }

    /// Returns a `map[string]interface {}`.
    pub fn map<K: Into<Str>>(entries: impl IntoIterator<Item = (K, Self)>) -> Self {
        Self::Map(Map::any(entries))
    }

    /// Returns a host value.
    pub fn host(host: impl Host) -> Self {
        Self::Host(Rc::new(host))
    }

    /// Reports whether this is a nil interface or a nil host pointer.
    pub fn is_nil(&self) -> bool {
        match self {
            Self::Nil => true,
            Self::Host(host) => host.is_nil(),
            _ => false,
        }
    }

    /// Returns the dynamic type's name as `%T` prints it; `<nil>` for nil.
    pub fn type_name(&self) -> &str {
        match self {
            Self::Nil => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Int64(_) => "int64",
            Self::Number(number) => number.kind.name(),
            Self::Float(_) => "float64",
            Self::Str(_) => "string",
            Self::Bytes(_) => "[]uint8",
            Self::List(list) => list.ty.name,
            Self::Map(map) => map.ty.name,
            Self::Duration(_) => "time.Duration",
            Self::Host(host) => host.type_name(),
        }
    }

    /// Returns the reflect kind of the dynamic type.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Nil => Kind::Invalid,
            Self::Bool(_) => Kind::Bool,
            Self::Int(_) => Kind::Int,
            Self::Int64(_) | Self::Duration(_) => Kind::Int64,
            Self::Number(number) => number.kind.kind(),
            Self::Float(_) => Kind::Float64,
            Self::Str(_) => Kind::String,
            Self::Bytes(_) | Self::List(_) => Kind::Slice,
            Self::Map(_) => Kind::Map,
            Self::Host(host) => host.kind(),
        }
    }

    /// Returns what the value is true as in `if`, `and`, `not`: not the zero of its kind, not empty.
    pub fn truth(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(value) => *value,
            Self::Int(value) | Self::Int64(value) | Self::Duration(value) => *value != 0,
            Self::Number(number) => number.as_f32().map_or(number.bits != 0, |value| value != 0.0),
            Self::Float(value) => *value != 0.0,
            Self::Str(text) => !text.is_empty(),
            Self::Bytes(bytes) => !bytes.is_empty(),
            Self::List(list) => !list.is_empty(),
            Self::Map(map) => !map.is_empty(),
            Self::Host(host) => host.truth(),
        }
    }

    /// Returns the signed integer of any signed kind (durations and hosts over an integer included).
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(value) | Self::Int64(value) | Self::Duration(value) => Some(*value),
            Self::Number(number) if number.kind.kind().is_int() => Some(number.bits as i64),
            Self::Host(host) => host.underlying().and_then(|value| value.as_int()),
            _ => None,
        }
    }

    /// Returns the unsigned integer of any unsigned kind.
    pub fn as_uint(&self) -> Option<u64> {
        match self {
            Self::Number(number) if number.kind.kind().is_uint() => Some(number.bits),
            Self::Host(host) => host.underlying().and_then(|value| value.as_uint()),
            _ => None,
        }
    }

    /// Returns the number of a float kind.
    pub fn as_float(&self) -> Option<f64> {
        match self {
            Self::Float(value) => Some(*value),
            Self::Number(number) => number.as_f32().map(f64::from),
            Self::Host(host) => host.underlying().and_then(|value| value.as_float()),
            _ => None,
        }
    }

    /// Returns the string if it is one.
    pub fn as_text(&self) -> Option<&Str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the list if it is one.
    pub fn as_list(&self) -> Option<&List> {
        match self {
            Self::List(list) => Some(list),
            _ => None,
        }
    }

    /// Returns the map if it is one.
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// Returns a `uint8`.
    pub fn byte(value: u8) -> Self {
        Self::Number(Number::unsigned(NumberKind::Uint8, u64::from(value)))
    }

    /// Reports whether the value's dynamic type can be assigned to `to`, Go's `AssignableTo`.
    pub fn assignable_to(&self, to: Type) -> bool {
        match (to, self) {
            (Type::Any | Type::Reflect, _) => true,
            (Type::List(to), Self::List(list)) => list.ty.assignable_to(to),
            (Type::List(to), Self::Bytes(_)) => to.name == "[]uint8",
            (Type::Map(to), Self::Map(map)) => map.ty.assignable_to(to),
            (Type::Host("error"), Self::Host(host)) => host.is_error(),
            (to, value) => value.type_name() == to.name(),
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Str(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Str(text.into())
    }
}

impl From<Str> for Value {
    fn from(text: Str) -> Self {
        Self::Str(text)
    }
}

/// A Go slice. What appends makes a new one; what sorts a slice of texts sorts it for everyone who holds it.
#[derive(Clone)]
pub struct List {
    ty: &'static ListType,
    body: Rc<ListBody>,
}

struct ListBody {
    items: Vec<Value>,
    /// Whether it is Go's nil slice: as good as an empty one, but for how JSON and `%#v` show it.
    nil: bool,
    /// The items as [`List::sort`] left them.
    sorted: OnceCell<Vec<Value>>,
}

impl List {
    /// Returns a `[]interface {}`.
    pub fn any(items: Vec<Value>) -> Self {
        Self::of(&LIST_ANY, items)
    }

    /// Returns a slice of the given type; the items are taken to be of its element type.
    pub fn of(ty: &'static ListType, items: Vec<Value>) -> Self {
        let body = ListBody {
            items,
            nil: false,
            sorted: OnceCell::new(),
        };
        Self {
            ty,
            body: Rc::new(body),
        }
    }

    /// Returns the nil slice of a type: empty, and null in JSON.
    pub fn nil(ty: &'static ListType) -> Self {
        let body = ListBody {
            items: Vec::new(),
            nil: true,
            sorted: OnceCell::new(),
        };
        Self {
            ty,
            body: Rc::new(body),
        }
    }

    /// Reports whether it is a nil slice.
    pub fn is_nil(&self) -> bool {
        self.body.nil
    }

    /// Returns the slice type.
    pub fn ty(&self) -> &'static ListType {
        self.ty
    }

    /// Returns the same slice under another type, as assigning to an unnamed type does.
    pub fn with_type(&self, ty: &'static ListType) -> Self {
        Self {
            ty,
            body: Rc::clone(&self.body),
        }
    }

    /// Returns the elements.
    pub fn as_slice(&self) -> &[Value] {
        self.body.sorted.get().unwrap_or(&self.body.items)
    }

    /// Sorts the elements by the texts they are, for everyone who holds this slice. Nothing else changes elements, so once is enough.
    pub fn sort(&self) {
        self.body.sorted.get_or_init(|| {
            let mut sorted = self.body.items.clone();
            sorted.sort_by(|a, b| match (a, b) {
                (Value::Str(a), Value::Str(b)) => a.cmp(b),
                _ => Ordering::Equal,
            });
            sorted
        });
    }

    /// Returns the elements, without cloning them if nobody else holds the list.
    pub fn into_vec(self) -> Vec<Value> {
        match Rc::try_unwrap(self.body) {
            Ok(mut body) => body.sorted.take().unwrap_or_else(|| std::mem::take(&mut body.items)),
            Err(body) => Self { ty: self.ty, body }.as_slice().to_vec(),
        }
    }

    /// Returns one element.
    pub fn get(&self, index: usize) -> Option<&Value> {
        self.as_slice().get(index)
    }

    /// Returns the elements in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Value> {
        self.as_slice().iter()
    }

    /// Returns the number of elements.
    pub fn len(&self) -> usize {
        self.body.items.len()
    }

    /// Reports whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.body.items.is_empty()
    }
}

/// A Go map with string keys: shared and mutable through every clone.
#[derive(Clone)]
pub struct Map {
    ty: &'static MapType,
    body: Rc<MapBody>,
}

#[derive(Default)]
struct MapBody {
    entries: RefCell<BTreeMap<Str, Value>>,
    /// Whether the region knows this map.
    watched: Cell<bool>,
    /// Whether it is Go's nil map: as good as an empty one to read from, and not to be written to.
    nil: Cell<bool>,
}

thread_local! {
    /// Maps that got other containers after they were made, since the region began. `None` outside regions.
    static WATCHED: RefCell<Option<Vec<Weak<MapBody>>>> = const { RefCell::new(None) };
}

/// While it lives, maps that come to contain themselves are remembered; its end empties them.
///
/// `set $d "self" $d` makes a map that counts itself as a holder and would never be freed, so a server that
/// renders such a chart again and again would leak it each time. The caller puts a region around a render and
/// keeps no value made or changed inside it. Within another region of the same thread it does nothing.
pub struct Region {
    outermost: bool,
}

impl Region {
    /// Begins a region of this thread.
    pub fn begin() -> Self {
        WATCHED.with_borrow_mut(|watched| {
            let outermost = watched.is_none();
            watched.get_or_insert_default();
            Self { outermost }
        })
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        if !self.outermost {
            return;
        }
        for map in WATCHED.take().unwrap_or_default() {
            if let Some(body) = map.upgrade() {
                let entries = body.entries.take();
                unravel(entries.into_values().collect());
            }
        }
    }
}

impl Map {
    /// Returns an empty `map[string]interface {}`.
    pub fn new() -> Self {
        Self::of(&MAP_ANY)
    }

    /// Returns an empty map of the given type.
    pub fn of(ty: &'static MapType) -> Self {
        Self {
            ty,
            body: Rc::default(),
        }
    }

    /// Returns the nil map of a type: empty, null in JSON, and an error to assign to.
    pub fn nil(ty: &'static MapType) -> Self {
        let map = Self::of(ty);
        map.body.nil.set(true);
        map
    }

    /// Reports whether it is a nil map.
    pub fn is_nil(&self) -> bool {
        self.body.nil.get()
    }

    /// Returns a `map[string]interface {}` of these entries; a later one wins over an earlier.
    pub fn any<K: Into<Str>>(entries: impl IntoIterator<Item = (K, Value)>) -> Self {
        Self::typed(&MAP_ANY, entries)
    }

    /// Returns a `map[string]string` of these entries.
    pub fn strings<K: Into<Str>, V: Into<Str>>(entries: impl IntoIterator<Item = (K, V)>) -> Self {
        Self::typed(
            &MAP_STRING,
            entries.into_iter().map(|(key, text)| (key, Value::str(text))),
        )
    }

    /// Returns a map of the given type and entries; the values are taken to be of its element type.
    pub fn typed<K: Into<Str>>(ty: &'static MapType, entries: impl IntoIterator<Item = (K, Value)>) -> Self {
        let entries = entries.into_iter().map(|(key, value)| (key.into(), value)).collect();
        Self {
            ty,
            body: Rc::new(MapBody {
                entries: RefCell::new(entries),
                watched: Cell::new(false),
                nil: Cell::new(false),
            }),
        }
    }

    /// Returns the map type.
    pub fn ty(&self) -> &'static MapType {
        self.ty
    }

    /// Returns the same map (shared, not copied) under another type, as assigning to an unnamed type does.
    pub fn with_type(&self, ty: &'static MapType) -> Self {
        Self {
            ty,
            body: Rc::clone(&self.body),
        }
    }

    /// Reports whether both are the same map, not merely equal.
    pub fn is_same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.body, &other.body)
    }

    /// Returns an address that is equal for clones of the same map, for cycle checks.
    pub fn address(&self) -> usize {
        Rc::as_ptr(&self.body).addr()
    }

    /// Returns the value under the key, `None` if the key is absent (`Some(Value::Nil)` if it holds nil).
    pub fn get(&self, key: impl AsRef<[u8]>) -> Option<Value> {
        self.body.entries.borrow().get(key.as_ref()).cloned()
    }

    /// Reports whether the key is there.
    pub fn contains(&self, key: impl AsRef<[u8]>) -> bool {
        self.body.entries.borrow().contains_key(key.as_ref())
    }

    /// Sets the key, for every holder of the map; returns what was there. A nil map becomes a real one: functions that Go lets panic
    /// here ask [`Map::is_nil`] first.
    pub fn insert(&self, key: impl Into<Str>, value: Value) -> Option<Value> {
        let may_cycle = matches!(value, Value::Map(_) | Value::List(_) | Value::Host(_));
        if may_cycle && !self.body.watched.get() {
            WATCHED.with_borrow_mut(|watched| {
                if let Some(watched) = watched {
                    watched.push(Rc::downgrade(&self.body));
                    self.body.watched.set(true);
                }
            });
        }
        self.body.nil.set(false);
        self.body.entries.borrow_mut().insert(key.into(), value)
    }

    /// Removes the key, for every holder of the map; returns what was there.
    pub fn remove(&self, key: impl AsRef<[u8]>) -> Option<Value> {
        self.body.entries.borrow_mut().remove(key.as_ref())
    }

    /// Returns the number of keys.
    pub fn len(&self) -> usize {
        self.body.entries.borrow().len()
    }

    /// Reports whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.body.entries.borrow().is_empty()
    }

    /// Returns the keys, sorted by bytes.
    pub fn keys(&self) -> Vec<Str> {
        self.body.entries.borrow().keys().cloned().collect()
    }

    /// Returns the entries as they are now, sorted by key: later changes of the map do not show.
    pub fn entries(&self) -> Vec<(Str, Value)> {
        let entries = self.body.entries.borrow();
        entries
            .iter()
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }
}

impl Default for Map {
    fn default() -> Self {
        Self::new()
    }
}

/// Takes deep values apart without recursion: a template can nest lists a million deep, and the compiler's
/// drop would recurse as deep.
fn unravel(mut pending: Vec<Value>) {
    while let Some(value) = pending.pop() {
        match value {
            Value::List(list) => {
                if let Ok(mut body) = Rc::try_unwrap(list.body) {
                    pending.append(&mut body.items);
                    pending.append(&mut body.sorted.take().unwrap_or_default());
                }
            }
            Value::Map(map) => {
                if let Ok(body) = Rc::try_unwrap(map.body) {
                    pending.extend(body.entries.take().into_values());
                }
            }
            _ => {}
        }
    }
}

fn holds_others(value: &Value) -> bool {
    matches!(value, Value::List(_) | Value::Map(_))
}

impl Drop for ListBody {
    fn drop(&mut self) {
        if self.items.iter().any(holds_others) {
            unravel(std::mem::take(&mut self.items));
        }
    }
}

impl Drop for MapBody {
    fn drop(&mut self) {
        let entries = self.entries.get_mut();
        if entries.values().any(holds_others) {
            unravel(std::mem::take(entries).into_values().collect());
        }
    }
}
