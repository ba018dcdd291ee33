//! `values.schema.json`: whether the values are what the chart says they must be.

use std::collections::BTreeMap;

use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::{Retrieve, Uri, ValidationError};
use serde_json::Value as Json;

use super::dependency::Instance;
use super::error::HelmError;
use super::metadata::shortest_g;
use super::node::{Node, Table};

/// Most violations listed for one chart; a table of thousands of bad rows says nothing more.
const MAX_VIOLATIONS: usize = 200;

/// Checks the values of a chart and of its dependencies; the error holds every violation, with its path.
pub(crate) fn validate(chart: &Instance, values: &Table) -> Result<(), HelmError> {
    let mut problems = String::new();
    check(chart, values, &mut problems);
    if problems.is_empty() {
        Ok(())
    } else {
        Err(HelmError::Schema(problems))
    }
}

fn check(chart: &Instance, values: &Table, problems: &mut String) {
    if let Some(schema) = &chart.data.schema
        && let Err(message) = check_one(schema, values)
    {
        problems.push_str(&format!("{}:\n{message}", chart.name()));
    }
    for child in &chart.dependencies {
        match values.get(child.name()) {
            None | Some(Node::Null) => {}
            Some(Node::Table(values)) => check(child, &values, problems),
            Some(other) => problems.push_str(&format!(
                "{}:\ninvalid type for values: expected object (map), got {}\n",
                child.name(),
                other.go_type()
            )),
        }
    }
}

/// Nothing outside of the chart is ever read for a schema.
struct Nothing;

impl Retrieve for Nothing {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Json, Box<dyn std::error::Error + Send + Sync>> {
        if uri.scheme().as_str() == "urn" {
            // Helm lets everything pass where it cannot resolve a URN.
            return Ok(Json::Bool(true));
        }
        Err(format!("{uri} is outside of the chart, and rendering fetches nothing").into())
    }
}

pub(crate) fn check_one(schema: &[u8], values: &Table) -> Result<(), String> {
    let schema = parse(schema)?;
    let validator = jsonschema::options()
        .with_retriever(Nothing)
        // From 2019-09 on a format is a note and no rule; without `$schema` a schema is of the newest draft.
        .should_validate_formats(is_old(&schema))
        .build(&schema)
        .map_err(|e| format!("values.schema.json: {e}\n"))?;
    let instance = json(&Node::Table(values.clone()));
    let mut lines: Vec<String> = Vec::new();
    // Helm says in one line what is missing from one object.
    let mut missing: BTreeMap<(String, String), (usize, Vec<String>)> = BTreeMap::new();
    let errors: Vec<ValidationError<'_>> = validator.iter_errors(&instance).take(MAX_VIOLATIONS).collect();
    // Where a value is of the wrong type, or not one of those wanted, nothing else of that schema is looked at.
    let decided: Vec<(String, String)> = errors
        .iter()
        .filter(|error| is_decisive(error.kind()))
        .map(|error| (error.instance_path().as_str().to_owned(), parent(error).to_owned()))
        .collect();
    for error in &errors {
        let is_below = |(instance, schema): &(String, String)| {
            is_inside(error.instance_path().as_str(), instance)
                && is_inside(error.schema_path().as_str(), schema)
                && (parent(error) != schema || !is_decisive(error.kind()))
        };
        if decided.iter().any(is_below) {
            continue;
        }
        if let Kind::Required { property } = error.kind() {
            let place = (
                error.instance_path().as_str().to_owned(),
                error.schema_path().as_str().to_owned(),
            );
            let name = property.as_str().unwrap_or_default().to_owned();
            let line = lines.len();
            let (_, names) = missing.entry(place).or_insert_with(|| (line, Vec::new()));
            if names.is_empty() {
                lines.push(String::new());
            }
            names.push(name);
        } else if let Some(names) = additional(error, &instance) {
            let path = quote(error.instance_path().as_str());
            lines.push(format!(
                "- at {path}: additional properties {} not allowed",
                quoted(&names)
            ));
        } else {
            describe(error, 1, &mut lines);
        }
    }
    for ((path, _), (line, names)) in missing {
        let what = if names.len() == 1 { "property" } else { "properties" };
        if let Some(place) = lines.get_mut(line) {
            *place = format!("- at {}: missing {what} {}", quote(&path), quoted(&names));
        }
    }
    if lines.is_empty() {
        return Ok(());
    }
    Err(lines.join("\n") + "\n")
}

/// Reads a schema; a text that is none is told in the words of Go's decoder.
fn parse(schema: &[u8]) -> Result<Json, String> {
    if schema.trim_ascii().is_empty() {
        return Err("EOF".into());
    }
    if let Err(message) = pintle_gotmpl::sprig::from_json(schema) {
        return Err(if message == "unexpected end of JSON input" {
            "unexpected EOF".into()
        } else if message.ends_with(" after top-level value") {
            "invalid character after top-level value".into()
        } else {
            message
        });
    }
    serde_json::from_slice(schema).map_err(|e| e.to_string())
}

/// Whether the schema says it is of a draft before 2019-09.
fn is_old(schema: &Json) -> bool {
    let named = schema.get("$schema").and_then(Json::as_str).unwrap_or_default();
    ["draft-04", "draft-06", "draft-07"]
        .iter()
        .any(|draft| named.contains(draft))
}

/// Adds the lines of one violation, with those that led to it below.
fn describe(error: &ValidationError<'_>, depth: usize, lines: &mut Vec<String>) {
    let indent = "  ".repeat(depth - 1);
    let path = quote(error.instance_path().as_str());
    lines.push(format!("{indent}- at {path}: {}", words(error)));
    let context = match error.kind() {
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => context,
        _ => return,
    };
    // Contexts nest as schemas do, which their parser bounds.
    for inner in context.iter().flatten() {
        if lines.len() < MAX_VIOLATIONS {
            describe(inner, depth + 1, lines);
        }
    }
}

/// Whether a JSON pointer leads to the same place as another, or to one below it.
fn is_inside(pointer: &str, other: &str) -> bool {
    pointer
        .strip_prefix(other)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Where no property is allowed, all that are there: the crate names none of them.
fn additional(error: &ValidationError<'_>, values: &Json) -> Option<Vec<String>> {
    let is_one =
        matches!(error.kind(), Kind::FalseSchema) && error.schema_path().as_str().ends_with("/additionalProperties");
    let place = values.pointer(error.instance_path().as_str()).filter(|_| is_one)?;
    Some(place.as_object()?.keys().cloned().collect())
}

fn is_decisive(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::Type { .. } | Kind::Constant { .. } | Kind::Enum { .. } | Kind::Format { .. }
    )
}

/// The place of the schema an error's keyword stands in.
fn parent<'a>(error: &'a ValidationError<'_>) -> &'a str {
    let path = error.schema_path().as_str();
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn words(error: &ValidationError<'_>) -> String {
    let instance: &Json = error.instance();
    let count = || match instance {
        Json::Array(items) => items.len(),
        Json::Object(fields) => fields.len(),
        Json::String(text) => text.chars().count(),
        _ => 0,
    };
    let compared = |keyword: &str, limit: &Json| format!("{keyword}: got {}, want {}", number(instance), number(limit));
    match error.kind() {
        Kind::AdditionalItems { limit } => {
            format!("last {} additionalItem(s) not allowed", count().saturating_sub(*limit))
        }
        Kind::AdditionalProperties { unexpected } => {
            format!("additional properties {} not allowed", quoted(unexpected))
        }
        Kind::AnyOf { .. } => "'anyOf' failed".into(),
        Kind::Constant { expected_value } => match &**expected_value {
            Json::Array(_) | Json::Object(_) => "'const' failed".into(),
            scalar => format!("value must be {}", display(scalar)),
        },
        Kind::Contains => "no items match contains schema".into(),
        Kind::Enum { options } => match options.as_array().map(Vec::as_slice) {
            Some([one]) if !one.is_array() && !one.is_object() => format!("value must be {}", display(one)),
            Some(all) if !all.iter().any(|o| o.is_array() || o.is_object()) => {
                let all: Vec<String> = all.iter().map(display).collect();
                format!("value must be one of {}", all.join(", "))
            }
            _ => "'enum' failed".into(),
        },
        Kind::ExclusiveMaximum { limit } => compared("exclusiveMaximum", limit),
        Kind::ExclusiveMinimum { limit } => compared("exclusiveMinimum", limit),
        Kind::Maximum { limit } => compared("maximum", limit),
        Kind::Minimum { limit } => compared("minimum", limit),
        Kind::MultipleOf { multiple_of } => format!(
            "multipleOf: got {}, want {}",
            number(instance),
            multiple_of
                .to_string()
                .parse()
                .map_or_else(|_| multiple_of.to_string(), |n: f64| english(&shortest_g(n)))
        ),
        Kind::FalseSchema => "false schema".into(),
        Kind::Format { format } => format!("{} is not valid {format}", display(instance)),
        Kind::MaxItems { limit } => format!("maxItems: got {}, want {}", counted(count()), counted(limit)),
        Kind::MinItems { limit } => format!("minItems: got {}, want {}", counted(count()), counted(limit)),
        Kind::MaxLength { limit } => format!("maxLength: got {}, want {}", counted(count()), counted(limit)),
        Kind::MinLength { limit } => format!("minLength: got {}, want {}", counted(count()), counted(limit)),
        Kind::MaxProperties { limit } => format!("maxProperties: got {}, want {}", counted(count()), counted(limit)),
        Kind::MinProperties { limit } => format!("minProperties: got {}, want {}", counted(count()), counted(limit)),
        Kind::Not { .. } => "'not' failed".into(),
        Kind::OneOfNotValid { .. } => "'oneOf' failed, none matched".into(),
        Kind::OneOfMultipleValid { context } => {
            let mut matched = context
                .iter()
                .enumerate()
                .filter(|(_, errors)| errors.is_empty())
                .map(|(index, _)| index.to_string());
            match (matched.next(), matched.next()) {
                (Some(first), Some(second)) => format!("'oneOf' failed, subschemas {first}, {second} matched"),
                _ => "'oneOf' failed, more than one subschema matched".into(),
            }
        }
        Kind::Pattern { pattern } => format!(
            "{} does not match pattern {}",
            quote(instance.as_str().unwrap_or_default()),
            quote(pattern)
        ),
        Kind::PropertyNames { error } => {
            format!(
                "invalid propertyName {}",
                quote(error.instance().as_str().unwrap_or_default())
            )
        }
        Kind::Required { property } => format!("missing property {}", quote(property.as_str().unwrap_or_default())),
        Kind::Type { kind } => format!("got {}, want {}", json_type(instance), wanted(kind)),
        Kind::UniqueItems => "items are not unique".into(),
        _ => error.to_string(),
    }
}

fn wanted(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(one) => one.to_string(),
        TypeKind::Multiple(all) => all.iter().map(|t| t.to_string()).collect::<Vec<_>>().join(" or "),
    }
}

fn json_type(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}

fn number(value: &Json) -> String {
    match value.as_f64() {
        Some(number) => english(&shortest_g(number)),
        None => display(value),
    }
}

/// A number as Helm's validator prints it for English readers: `12,345.5`, `1.5×10⁰⁶`.
fn english(text: &str) -> String {
    if let Some((mantissa, exponent)) = text.split_once('e') {
        let raised: String = exponent
            .chars()
            .filter_map(|c| match c {
                '-' => Some('⁻'),
                '+' => None,
                digit => digit.to_digit(10).and_then(|d| "⁰¹²³⁴⁵⁶⁷⁸⁹".chars().nth(d as usize)),
            })
            .collect();
        return format!("{mantissa}×10{raised}");
    }
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(w, f)| (w, Some(f)));
    let mut grouped = String::new();
    let digits = whole.trim_start_matches('-');
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let sign = if whole.starts_with('-') { "-" } else { "" };
    match fraction {
        Some(fraction) => format!("{sign}{grouped}.{fraction}"),
        None => format!("{sign}{grouped}"),
    }
}

/// A count in the same way.
fn counted(count: impl std::fmt::Display) -> String {
    english(&count.to_string())
}

fn display(value: &Json) -> String {
    match value {
        Json::Null => "<nil>".into(),
        Json::String(text) => quote(text),
        Json::Array(_) | Json::Object(_) => "value".into(),
        other => other.to_string(),
    }
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| quote(name)).collect::<Vec<_>>().join(", ")
}

/// Go's `%q` in single quotes.
fn quote(text: &str) -> String {
    let quoted = pintle_gotmpl::quoted(text);
    let inner = quoted
        .strip_prefix('"')
        .and_then(|q| q.strip_suffix('"'))
        .unwrap_or(&quoted);
    format!("'{}'", inner.replace("\\\"", "\"").replace('\'', "\\'"))
}

/// Values as the validator wants them; a whole float is an integer there, as JSON Schema says.
fn json(node: &Node) -> Json {
    match node {
        Node::Null => Json::Null,
        Node::Bool(b) => Json::Bool(*b),
        Node::Int(i) => Json::from(*i),
        Node::Float(f) if f.fract() == 0.0 && f.abs() < 9_007_199_254_740_992.0 => Json::from(*f as i64),
        Node::Float(f) => Json::from(*f),
        Node::Str(s) => Json::String(s.to_string()),
        Node::List(items) => Json::Array(items.iter().map(json).collect()),
        Node::Table(table) => Json::Object(
            table
                .entries()
                .iter()
                .map(|(key, value)| (key.to_string(), json(value)))
                .collect(),
        ),
    }
}
