//! Go's types, as far as templates can tell them apart.

use crate::function::{Call, FuncError};
use crate::value::Value;

/// Go's `reflect.Kind`, without channels, arrays, complex numbers and unsafe pointers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// A nil interface or no value at all.
    Invalid,
    /// `bool`.
    Bool,
    /// `int`.
    Int,
    /// `int8`.
    Int8,
    /// `int16`.
    Int16,
    /// `int32`.
    Int32,
    /// `int64`, also `time.Duration`.
    Int64,
    /// `uint`.
    Uint,
    /// `uint8`.
    Uint8,
    /// `uint16`.
    Uint16,
    /// `uint32`.
    Uint32,
    /// `uint64`.
    Uint64,
    /// `float32`.
    Float32,
    /// `float64`.
    Float64,
    /// A function.
    Func,
    /// Any map.
    Map,
    /// Any pointer.
    Ptr,
    /// Any slice.
    Slice,
    /// `string`.
    String,
    /// Any struct.
    Struct,
}

impl Kind {
    /// Returns the name `reflect.Kind.String` gives, which is what sprig's `kindOf` prints.
    pub fn name(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Int8 => "int8",
            Self::Int16 => "int16",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Uint => "uint",
            Self::Uint8 => "uint8",
            Self::Uint16 => "uint16",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
            Self::Float32 => "float32",
            Self::Float64 => "float64",
            Self::Func => "func",
            Self::Map => "map",
            Self::Ptr => "ptr",
            Self::Slice => "slice",
            Self::String => "string",
            Self::Struct => "struct",
        }
    }

    /// Reports whether this is a signed integer kind.
    pub fn is_int(self) -> bool {
        matches!(self, Self::Int | Self::Int8 | Self::Int16 | Self::Int32 | Self::Int64)
    }

    /// Reports whether this is an unsigned integer kind.
    pub fn is_uint(self) -> bool {
        matches!(
            self,
            Self::Uint | Self::Uint8 | Self::Uint16 | Self::Uint32 | Self::Uint64
        )
    }
}

/// A Go type as a parameter, a result or an element has it.
#[derive(Clone, Copy)]
pub enum Type {
    /// `interface {}`: anything, nil included.
    Any,
    /// `bool`.
    Bool,
    /// `int`.
    Int,
    /// `int64`.
    Int64,
    /// Another sized number: `int8` … `uint64`, `float32`.
    Number(NumberKind),
    /// `float64`.
    Float,
    /// `string`.
    String,
    /// `[]uint8`.
    Bytes,
    /// `time.Duration`.
    Duration,
    /// A slice type.
    List(&'static ListType),
    /// A map type with string keys.
    Map(&'static MapType),
    /// A host type by its Go name, such as `time.Time`.
    Host(&'static str),
    /// `reflect.Value`: anything, and a function that can tell "no value" from nil.
    Reflect,
}

impl Type {
    /// Returns the type's name as `%T` prints it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Any => "interface {}",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Int64 => "int64",
            Self::Number(kind) => kind.name(),
            Self::Float => "float64",
            Self::String => "string",
            Self::Bytes => "[]uint8",
            Self::Duration => "time.Duration",
            Self::List(list) => list.name,
            Self::Map(map) => map.name,
            Self::Host(name) => name,
            Self::Reflect => "reflect.Value",
        }
    }

    /// Reports whether nil is a value of the type, Go's rule for `reflect.Zero` of interfaces, maps, slices.
    /// A host type is taken for a pointer if its name starts with `*`.
    pub fn can_be_nil(self) -> bool {
        match self {
            Self::Any | Self::Bytes | Self::List(_) | Self::Map(_) | Self::Reflect => true,
            Self::Host(name) => name.starts_with('*') || name == "error",
            _ => false,
        }
    }

    /// Returns the zero value of the type. The zero of a host type is nil.
    pub fn zero(self) -> Value {
        match self {
            Self::Any | Self::Host(_) | Self::Reflect => Value::Nil,
            Self::Bool => Value::Bool(false),
            Self::Int => Value::Int(0),
            Self::Int64 => Value::Int64(0),
            Self::Number(kind) => Value::Number(Number { kind, bits: 0 }),
            Self::Float => Value::Float(0.0),
            Self::String => Value::str(""),
            Self::Bytes => Value::bytes(&[]),
            Self::Duration => Value::Duration(0),
            Self::List(list) => Value::List(crate::value::List::nil(list)),
            Self::Map(map) => Value::Map(crate::value::Map::nil(map)),
        }
    }
}

/// A method of a named slice or map type.
pub struct Method {
    /// The Go name, capitalised.
    pub name: &'static str,
    /// Parameters without the receiver.
    pub params: &'static [Type],
    /// Whether the last parameter repeats.
    pub variadic: bool,
    /// The body: receiver, arguments.
    pub call: fn(&mut Call<'_>, &Value, &[Value]) -> Result<Value, FuncError>,
}

/// A slice type.
pub struct ListType {
    /// As `%T` prints it: `[]interface {}`, `common.VersionSet`.
    pub name: &'static str,
    /// Whether it is a named type, which decides what it can be assigned to.
    pub named: bool,
    /// The element type.
    pub elem: Type,
    /// Its methods.
    pub methods: &'static [Method],
}

/// A map type with string keys.
pub struct MapType {
    /// As `%T` prints it: `map[string]interface {}`, `common.Values`.
    pub name: &'static str,
    /// Whether it is a named type, which decides what it can be assigned to.
    pub named: bool,
    /// The element type.
    pub elem: Type,
    /// Its methods.
    pub methods: &'static [Method],
}

macro_rules! unnamed {
    ($kind:ident, $id:ident, $name:literal, $elem:expr) => {
        #[doc = concat!("`", $name, "`.")]
        pub static $id: $kind = $kind {
            name: $name,
            named: false,
            elem: $elem,
            methods: &[],
        };
    };
}

unnamed!(ListType, LIST_ANY, "[]interface {}", Type::Any);
unnamed!(ListType, LIST_STRING, "[]string", Type::String);
unnamed!(ListType, LIST_INT, "[]int", Type::Int);
unnamed!(ListType, LIST_INT64, "[]int64", Type::Int64);
unnamed!(ListType, LIST_FLOAT, "[]float64", Type::Float);
unnamed!(ListType, LIST_BOOL, "[]bool", Type::Bool);
unnamed!(ListType, LIST_MAP, "[]map[string]interface {}", Type::Map(&MAP_ANY));
unnamed!(MapType, MAP_ANY, "map[string]interface {}", Type::Any);
unnamed!(MapType, MAP_STRING, "map[string]string", Type::String);
unnamed!(MapType, MAP_BYTES, "map[string][]uint8", Type::Bytes);

impl ListType {
    /// Reports whether a value of type `self` may be given where `to` is expected: the same type, or equal
    /// element types and at most one of the two named.
    pub fn assignable_to(&self, to: &Self) -> bool {
        self.name == to.name || (self.elem.name() == to.elem.name() && !(self.named && to.named))
    }
}

impl MapType {
    /// Reports whether a value of type `self` may be given where `to` is expected: the same type, or equal
    /// element types and at most one of the two named.
    pub fn assignable_to(&self, to: &Self) -> bool {
        self.name == to.name || (self.elem.name() == to.elem.name() && !(self.named && to.named))
    }
}

/// The number types that are not `int`, `int64` or `float64`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum NumberKind {
    /// `int8`.
    Int8,
    /// `int16`.
    Int16,
    /// `int32`, also `rune`.
    Int32,
    /// `uint`.
    Uint,
    /// `uint8`, also `byte`.
    Uint8,
    /// `uint16`.
    Uint16,
    /// `uint32`.
    Uint32,
    /// `uint64`.
    Uint64,
    /// `float32`.
    Float32,
}

impl NumberKind {
    /// Returns Go's name of the type.
    pub fn name(self) -> &'static str {
        self.kind().name()
    }

    /// Returns the reflect kind.
    pub fn kind(self) -> Kind {
        match self {
            Self::Int8 => Kind::Int8,
            Self::Int16 => Kind::Int16,
            Self::Int32 => Kind::Int32,
            Self::Uint => Kind::Uint,
            Self::Uint8 => Kind::Uint8,
            Self::Uint16 => Kind::Uint16,
            Self::Uint32 => Kind::Uint32,
            Self::Uint64 => Kind::Uint64,
            Self::Float32 => Kind::Float32,
        }
    }
}

/// A number of one of the rarer types.
#[derive(Clone, Copy)]
pub struct Number {
    /// Its type.
    pub kind: NumberKind,
    /// Signed kinds: the value as `i64 as u64`; unsigned: the value; `float32`: `f32::to_bits`.
    pub bits: u64,
}

impl Number {
    /// Returns a signed number; the value is taken to fit the kind.
    pub fn signed(kind: NumberKind, value: i64) -> Self {
        Self {
            kind,
            bits: value as u64,
        }
    }

    /// Returns an unsigned number; the value is taken to fit the kind.
    pub fn unsigned(kind: NumberKind, value: u64) -> Self {
        Self { kind, bits: value }
    }

    /// Returns a `float32`.
    pub fn float32(value: f32) -> Self {
        Self {
            kind: NumberKind::Float32,
            bits: u64::from(value.to_bits()),
        }
    }

    /// Returns the value of a `float32`, `None` for the others.
    pub fn as_f32(self) -> Option<f32> {
        (self.kind == NumberKind::Float32).then(|| f32::from_bits(self.bits as u32))
    }
}
