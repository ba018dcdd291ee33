//! YAML texts as values and objects.

use crate::object::{NotAnObject, Object};
use crate::value::Value;

/// One document of a YAML stream that should hold an object.
pub struct YamlObject {
    /// Position among the stream's documents, from 0; empty ones count.
    pub index: usize,
    /// Line of the stream the document begins on, from 1.
    pub line: usize,
    /// The object, or why there is none.
    pub result: Result<Object, YamlObjectError>,
}

/// Why a document holds no object. Never quotes scalars: the document may be a Secret.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct YamlObjectError {
    /// Line of the stream, from 1: where the problem is or, if the document as a whole is wrong, where it begins.
    pub line: usize,
    /// What is wrong.
    pub reason: YamlObjectReason,
}

/// What is wrong with a document.
#[derive(Debug, thiserror::Error)]
pub enum YamlObjectReason {
    /// It is not YAML. Only the parser's message; the line is in [`YamlObjectError`].
    #[error("{0}")]
    Yaml(String),
    /// It is YAML, but no object.
    #[error(transparent)]
    NotAnObject(#[from] NotAnObject),
}

impl Value {
    /// Parses one YAML document as `sigs.k8s.io/yaml` does; JSON is YAML.
    pub fn from_yaml(text: &str) -> Result<Self, pintle_yaml::Error> {
        pintle_yaml::parse(text).map(Self::from)
    }
}

/// Reads every object of a YAML stream, documents without content left out. A document that cannot be read leaves the others alone.
pub fn yaml_objects(text: &str) -> Vec<YamlObject> {
    pintle_yaml::parse_all(text)
        .into_iter()
        .filter_map(|document| {
            let (index, line) = (document.index, document.line);
            let result = match document.result.map(Value::from) {
                Ok(Value::Null) => return None,
                Ok(value) => Object::new(value).map_err(|e| YamlObjectError { line, reason: e.into() }),
                Err(e) => {
                    let in_stream = line + e.line.saturating_sub(1);
                    Err(YamlObjectError {
                        line: in_stream,
                        reason: YamlObjectReason::Yaml(e.message),
                    })
                }
            };
            Some(YamlObject { index, line, result })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_names_lines_and_keeps_the_good_documents() {
        let text = "# only a comment\n---\nkind: A\napiVersion: v1\n---\nkind: B\n---\na: b\n  c: d\n---\n---\napiVersion: v1\nkind: C\n";
        let seen: Vec<_> = yaml_objects(text)
            .into_iter()
            .map(|d| match d.result {
                Ok(object) => format!("{}: {}", d.line, object.kind()),
                Err(e) => e.to_string(),
            })
            .collect();
        assert_eq!(
            seen,
            [
                "3: A",
                "line 6: field \"apiVersion\" is missing or not a string",
                "line 9: mapping values are not allowed in this context",
                "12: C"
            ]
        );
    }

    #[test]
    fn whole_floats_are_integers_as_in_go() {
        let value = Value::from_yaml("a: 1e3\nb: 1.5\nc: 2.0\nd: 1e300\n").expect("yaml");
        assert!(matches!(value.get("a"), Some(Value::Int(1000))));
        assert!(matches!(value.get("b"), Some(Value::Float(_))));
        assert!(matches!(value.get("c"), Some(Value::Int(2))));
        assert!(matches!(value.get("d"), Some(Value::Float(_))));
    }
}
