//! Enums on the wire that tolerate strings they do not know.

/// Declares an enum over strings. The empty string is `Unset` (Go's zero value, left out by `omitempty`); a string without a variant is kept
/// in `Other`, so that a value of a newer peer never makes an object unreadable (invariant I-19).
macro_rules! open_enum {
    (
        $(#[$meta:meta])*
        $name:ident { $( $(#[$vmeta:meta])* $variant:ident = $text:literal, )+ }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            /// Not set: the empty string, or the field is absent.
            #[default]
            Unset,
            $( $(#[$vmeta])* $variant, )+
            /// A string this version does not know, kept as it is.
            Other(Box<str>),
        }

        impl $name {
            /// Every value with a name, in the order of declaration.
            pub const KNOWN: &[Self] = &[$(Self::$variant),+];

            /// The string on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    Self::Unset => "",
                    $( Self::$variant => $text, )+
                    Self::Other(text) => text,
                }
            }

            /// Whether there is no value.
            pub fn is_unset(&self) -> bool {
                matches!(self, Self::Unset)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    "" => Self::Unset,
                    $( $text => Self::$variant, )+
                    other => Self::Other(other.into()),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                struct Text;
                impl serde::de::Visitor<'_> for Text {
                    type Value = $name;
                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("a string")
                    }
                    fn visit_str<E>(self, text: &str) -> Result<$name, E> {
                        Ok(text.into())
                    }
                }
                d.deserialize_str(Text)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn inline_schema() -> bool {
                true
            }
            // Any string: the peer's schemas do not list the values either, except where `crd` says so.
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string" })
            }
        }
    };
}

pub(crate) use open_enum;
