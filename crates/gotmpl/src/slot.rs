//! What the executor computes with: a value, and how Go's reflection would hold it.

use crate::types::Type;
use crate::value::Value;

/// How `reflect` holds a value, which decides how errors word it and what nil means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The zero `reflect.Value`: no value at all, printed `<no value>`.
    Absent,
    /// An `interface {}` as it comes out of a map, a slice or a function.
    Interface,
    /// A value of its own type.
    Concrete,
}

/// A value inside the executor.
#[derive(Clone)]
pub struct Slot {
    /// Nil where absent.
    pub value: Value,
    /// How it is held.
    pub form: Form,
}

impl Slot {
    /// No value.
    pub fn absent() -> Self {
        Self {
            value: Value::Nil,
            form: Form::Absent,
        }
    }

    /// A value of its own type; nil has none and is absent.
    pub fn concrete(value: Value) -> Self {
        let form = if matches!(value, Value::Nil) {
            Form::Absent
        } else {
            Form::Concrete
        };
        Self { value, form }
    }

    /// A value of static type `ty`.
    pub fn of(value: Value, ty: Type) -> Self {
        match ty {
            Type::Any => Self {
                value,
                form: Form::Interface,
            },
            _ => Self::concrete(value),
        }
    }

    /// What a pipeline makes of it: the interface is opened.
    pub fn opened(self) -> Self {
        match self.form {
            Form::Interface => Self::concrete(self.value),
            _ => self,
        }
    }

    /// Reports whether there is no value.
    pub fn is_absent(&self) -> bool {
        self.form == Form::Absent
    }

    /// Reports whether it is a nil interface.
    pub fn is_nil_interface(&self) -> bool {
        self.form == Form::Interface && matches!(self.value, Value::Nil)
    }

    /// The static type's name.
    pub fn type_name(&self) -> &str {
        match self.form {
            Form::Interface => "interface {}",
            _ => self.value.type_name(),
        }
    }
}
