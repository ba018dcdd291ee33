//! Values that live outside: structs, pointers and named types with methods.

use std::any::Any;
use std::rc::Rc;

use crate::function::{Call, FuncError};
use crate::types::{Kind, Type};
use crate::value::Value;

/// What a method takes.
#[derive(Clone, Copy)]
pub struct Signature {
    /// Parameter types; of a variadic one the last is the element type.
    pub params: &'static [Type],
    /// Whether the last parameter repeats.
    pub variadic: bool,
}

/// A Go value that templates reach into but do not own: `.Capabilities`, `.Files`, `time.Time`,
/// `*semver.Version`, a certificate, an error.
///
/// Looking up `.Name` asks [`Host::method`] first and [`Host::field`] second, as Go does.
pub trait Host: 'static {
    /// Returns the type as `%T` prints it: `time.Time`, `*semver.Version`, `engine.files`.
    fn type_name(&self) -> &str;

    /// Returns the reflect kind.
    fn kind(&self) -> Kind {
        if self.type_name().starts_with('*') {
            Kind::Ptr
        } else {
            Kind::Struct
        }
    }

    /// Returns an exported field of the struct (or of the struct pointed to). A nil pointer answers with any
    /// value for a field its type has: the error then names the nil pointer and not the field.
    fn field(&self, _name: &str) -> Option<Value> {
        None
    }

    /// Returns the struct's fields in order, for printing one that has no text of its own and for
    /// marshalling. Names are Go's.
    fn fields(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    /// Returns the string the value marshals to as JSON; `None` if it marshals as its fields.
    fn json_text(&self) -> Option<String> {
        None
    }

    /// Returns the fields as JSON names and shows them: by default [`Host::fields`].
    fn json_fields(&self) -> Vec<(&'static str, Value)> {
        self.fields()
    }

    /// Returns what the named method takes; `None` if there is no such method.
    fn method(&self, _name: &str) -> Option<Signature> {
        None
    }

    /// Calls a method that [`Host::method`] knows, with arguments already checked against its signature.
    fn call(&self, _call: &mut Call<'_>, name: &str, _args: &[Value]) -> Result<Value, FuncError> {
        Err(FuncError::new(format!(
            "{} is not a method of {}",
            name,
            self.type_name()
        )))
    }

    /// Returns what `Error()` or `String()` gives; `None` if the type has neither and prints as its fields.
    fn text(&self) -> Option<String> {
        None
    }

    /// Reports whether `String()` belongs to the pointer alone: an action prints a field of such a type by it, `fmt` its parts.
    fn text_is_of_pointer(&self) -> bool {
        false
    }

    /// Returns the same value as a copy that nothing points to, which is what functions are given; `None` where that is no different.
    fn copied(&self) -> Option<Rc<dyn Host>> {
        None
    }

    /// Returns what `deepCopy` makes of it, which sees exported fields alone; `None` if that is the same.
    fn deep_copied(&self) -> Option<Rc<dyn Host>> {
        None
    }

    /// Reports whether the type is a Go `error`.
    fn is_error(&self) -> bool {
        false
    }

    /// Reports whether this is a nil pointer.
    fn is_nil(&self) -> bool {
        false
    }

    /// Returns the value under a named type that is neither struct nor pointer (`type Month int`,
    /// `type files map[string][]byte`): used for `len`, `range`, `index`, comparison and truth.
    fn underlying(&self) -> Option<Value> {
        None
    }

    /// Returns the value's truth: that of what is under it, and for structs and pointers not being nil.
    fn truth(&self) -> bool {
        self.underlying().map_or(!self.is_nil(), |value| value.truth())
    }

    /// Reports whether both are equal as Go's `==` sees them. Called only for hosts of the same type name;
    /// the same object is equal without asking.
    fn equal(&self, _other: &dyn Host) -> bool {
        false
    }

    /// Returns the object, for functions that know the type behind a host.
    fn as_any(&self) -> &dyn Any;
}
