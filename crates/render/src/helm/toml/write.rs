//! Values as TOML.

use std::rc::Rc;

use pintle_gotmpl::sprig::TimeHost;
use pintle_gotmpl::{Call, FuncError, Host, Map, Value};

use super::super::metadata::shortest_g;
use super::{MAX_DEPTH, dotted, quoted, quoted_key};

/// How Go's reflection fails on a nil interface.
const NIL_TYPE: &str = "reflect: call of reflect.Value.Type on zero Value";
const NIL_IN_LIST: &str = "toml: cannot encode array with nil element";
const NO_KEY: &str = "toml: top-level values must be Go maps or structs";

/// Why a value has no form as TOML.
pub(in super::super) enum Unwritable {
    /// The library's own error, which `toToml` gives as its text.
    Toml(String),
    /// A panic in Go, or a bound of ours: the function fails.
    Fatal(FuncError),
}

impl From<FuncError> for Unwritable {
    fn from(error: FuncError) -> Self {
        Self::Fatal(error)
    }
}

/// Writes a value: a document if it is a map or a struct, else the value alone.
pub(in super::super) fn write(call: &mut Call<'_>, value: &Value) -> Result<String, Unwritable> {
    if matches!(value, Value::Nil) {
        return Err(Unwritable::Fatal(NIL_TYPE.into()));
    }
    let mut writer = Writer {
        call,
        out: String::new(),
    };
    writer.item(&mut Vec::new(), value)?;
    Ok(writer.out)
}

/// What decides where a value stands: in its table's own lines, or below as a table or a list of tables.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Absent,
    Plain,
    Table,
    Tables,
}

impl Form {
    fn is_below(self) -> bool {
        matches!(self, Self::Table | Self::Tables)
    }
}

/// A table's entries: of a map sorted, of a struct in the order of its fields.
struct Entries {
    entries: Vec<(String, Value)>,
    is_struct: bool,
}

struct Writer<'a, 'c> {
    call: &'a mut Call<'c>,
    out: String,
}

impl Writer<'_, '_> {
    fn check_depth(depth: usize) -> Result<(), Unwritable> {
        if depth > MAX_DEPTH {
            return Err(Unwritable::Fatal("the value is nested too deeply for TOML".into()));
        }
        Ok(())
    }

    fn form(&mut self, value: &Value, depth: usize) -> Result<Form, Unwritable> {
        Self::check_depth(depth)?;
        self.call.charge_steps(1)?;
        Ok(match value {
            Value::Nil => Form::Absent,
            Value::Map(map) if map.is_nil() => Form::Absent,
            Value::Map(_) => Form::Table,
            Value::List(list) if list.is_nil() => Form::Absent,
            Value::List(list) => {
                let mut form = if list.is_empty() { Form::Plain } else { Form::Tables };
                for item in list.iter() {
                    match self.form(item, depth + 1)? {
                        Form::Absent => return Err(Unwritable::Toml(NIL_IN_LIST.into())),
                        Form::Table => {}
                        Form::Plain | Form::Tables => form = Form::Plain,
                    }
                }
                form
            }
            Value::Host(host) if host.is_nil() => Form::Absent,
            Value::Host(host) if is_text(host) => Form::Plain,
            Value::Host(host) => match host.underlying() {
                Some(inner) => self.form(&inner, depth + 1)?,
                None => Form::Table,
            },
            _ => Form::Plain,
        })
    }

    fn newline(&mut self) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
    }

    /// One item of a document, under `key`; the document itself has an empty one.
    fn item(&mut self, key: &mut Vec<String>, value: &Value) -> Result<(), Unwritable> {
        Self::check_depth(key.len())?;
        match value {
            Value::Host(host) if !is_text(host) => {
                if let Some(inner) = host.underlying() {
                    return self.item(key, &inner);
                }
            }
            _ => {}
        }
        match self.form(value, 0)? {
            Form::Absent => Ok(()),
            Form::Plain => self.line(key, value),
            Form::Table => {
                if key.len() == 1 {
                    self.newline();
                }
                if !key.is_empty() {
                    self.indent(key.len() - 1);
                    self.out.push_str(&format!("[{}]", dotted(key)));
                    self.newline();
                }
                self.table(key, value)
            }
            Form::Tables => {
                if key.is_empty() {
                    return Err(Unwritable::Toml(NO_KEY.into()));
                }
                for table in value.as_list().into_iter().flat_map(|list| list.iter()) {
                    self.newline();
                    self.indent(key.len() - 1);
                    self.out.push_str(&format!("[[{}]]", dotted(key)));
                    self.newline();
                    self.table(key, table)?;
                }
                Ok(())
            }
        }
    }

    fn indent(&mut self, levels: usize) {
        self.out.push_str(&"  ".repeat(levels));
    }

    fn line(&mut self, key: &[String], value: &Value) -> Result<(), Unwritable> {
        let Some(last) = key.last() else {
            return self.element(value, 0);
        };
        self.indent(key.len() - 1);
        self.out.push_str(&quoted_key(last));
        self.out.push_str(" = ");
        self.element(value, 0)?;
        self.newline();
        self.call.charge_bytes(last.len() as u64)?;
        Ok(())
    }

    fn table(&mut self, key: &mut Vec<String>, value: &Value) -> Result<(), Unwritable> {
        let entries = entries(value).entries;
        let mut below = Vec::new();
        for (name, value) in entries {
            match self.form(&value, 0)? {
                Form::Absent => {}
                form if form.is_below() => below.push((name, value)),
                _ => {
                    key.push(name);
                    self.line(key, &value)?;
                    key.pop();
                }
            }
        }
        for (name, value) in below {
            key.push(name);
            self.item(key, &value)?;
            key.pop();
        }
        Ok(())
    }

    /// A value on one line.
    fn element(&mut self, value: &Value, depth: usize) -> Result<(), Unwritable> {
        Self::check_depth(depth)?;
        let text = match value {
            Value::Nil => {
                return Err(Unwritable::Fatal(
                    "reflect: call of reflect.Value.Interface on zero Value".into(),
                ));
            }
            Value::Bool(b) => b.to_string(),
            Value::Int(int) | Value::Int64(int) => int.to_string(),
            Value::Duration(_) => quoted(&printed(value)),
            Value::Float(float) => with_point(*float, || shortest_g(*float)),
            Value::Number(number) => match number.as_f32() {
                Some(float) => with_point(f64::from(float), || shortest_g(float)),
                None => printed(value),
            },
            Value::Str(text) => quoted(&text.to_str()),
            Value::Bytes(bytes) => {
                let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
                format!("[{}]", numbers.join(", "))
            }
            Value::List(list) => {
                self.out.push('[');
                for (at, item) in list.iter().enumerate() {
                    if at > 0 {
                        self.out.push_str(", ");
                    }
                    self.element(item, depth + 1)?;
                }
                "]".to_owned()
            }
            Value::Map(_) => return self.inline(value, depth),
            Value::Host(host) => match host.as_any().downcast_ref::<TimeHost>() {
                Some(time) => time.0.format(time_layout(&time.0.format("MST"))),
                None => match (host.json_text(), host.underlying()) {
                    (Some(text), _) => quoted(&text),
                    (None, Some(inner)) => return self.element(&inner, depth + 1),
                    (None, None) => return self.inline(value, depth),
                },
            },
        };
        self.call.charge_bytes(text.len() as u64)?;
        self.out.push_str(&text);
        Ok(())
    }

    /// A table on one line. A comma follows every entry but the last of all, whether or not something is written after it.
    fn inline(&mut self, value: &Value, depth: usize) -> Result<(), Unwritable> {
        let Entries { entries, is_struct } = entries(value);
        let count = entries.len();
        let (mut plain, mut below) = (Vec::new(), Vec::new());
        for (at, (name, value)) in entries.into_iter().enumerate() {
            let form = self.form(&value, depth)?;
            let part = if form.is_below() { &mut below } else { &mut plain };
            part.push((at, name, value, form));
        }
        self.out.push('{');
        let trailing = !below.is_empty();
        for (part, trailing) in [(plain, trailing), (below, false)] {
            let last = part.len().saturating_sub(1);
            for (place, (at, name, value, form)) in part.into_iter().enumerate() {
                if form == Form::Absent {
                    continue;
                }
                self.out.push_str(&quoted_key(&name));
                self.out.push_str(" = ");
                self.element(&value, depth + 1)?;
                let comma = if is_struct {
                    at + 1 != count
                } else {
                    trailing || place != last
                };
                if comma {
                    self.out.push_str(", ");
                }
            }
        }
        self.out.push('}');
        Ok(())
    }
}

fn entries(value: &Value) -> Entries {
    let map = |map: &Map| {
        map.entries()
            .into_iter()
            .map(|(k, v)| (k.to_str().into_owned(), v))
            .collect()
    };
    match value {
        Value::Map(inner) => Entries {
            entries: map(inner),
            is_struct: false,
        },
        Value::Host(host) => match host.underlying() {
            Some(Value::Map(inner)) => Entries {
                entries: map(&inner),
                is_struct: false,
            },
            _ => Entries {
                entries: exported(host),
                is_struct: true,
            },
        },
        _ => Entries {
            entries: Vec::new(),
            is_struct: false,
        },
    }
}

fn exported(host: &Rc<dyn Host>) -> Vec<(String, Value)> {
    let fields = host.fields().into_iter();
    fields
        .filter(|(name, _)| name.starts_with(|c: char| c.is_ascii_uppercase()))
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// Whether the library writes the host as one string.
fn is_text(host: &Rc<dyn Host>) -> bool {
    host.json_text().is_some()
}

fn printed(value: &Value) -> String {
    let mut text = Vec::new();
    // A number prints within any limit.
    let _ = pintle_gotmpl::fmt::print_value(&mut text, value, 64);
    String::from_utf8_lossy(&text).into_owned()
}

/// Times without a zone carry the name of what they lack.
fn time_layout(zone: &str) -> &'static str {
    match zone {
        "datetime-local" => "2006-01-02T15:04:05.999999999",
        "date-local" => "2006-01-02",
        "time-local" => "15:04:05.999999999",
        _ => "2006-01-02T15:04:05.999999999Z07:00",
    }
}

/// A float shows that it is one.
fn with_point(float: f64, print: impl FnOnce() -> String) -> String {
    if float.is_nan() {
        return if float.is_sign_negative() { "-nan" } else { "nan" }.to_owned();
    }
    if float.is_infinite() {
        return if float < 0.0 { "-inf" } else { "inf" }.to_owned();
    }
    let text = print();
    if text.contains(['e', '.']) { text } else { text + ".0" }
}
