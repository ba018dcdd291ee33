//! Values to text: what go-yaml v2's encoder prints when `sigs.k8s.io/yaml.Marshal` calls it.
//!
//! Block style, indent 2, sequences not indented under their key, lines folded after column 80.

mod scalar;

use std::cmp::Ordering;

use crate::Yaml;
use crate::number::{format_json_float, format_yaml_float};
use crate::resolve::resolve_plain;

pub(crate) use scalar::is_base60;

/// Writes a value, byte for byte as `sigs.k8s.io/yaml.Marshal` does, with a line break at the end.
///
/// Three deliberate differences, where the peer fails or loses data: control characters (Go: an error) and
/// U+0085 (Go: turned into a space) are written as escapes, and the key `<<` is quoted (Go: a merge key when read back).
/// Recurses over the value; [`parse`](crate::parse) bounds the depth of what it returns.
///
/// ```
/// use pintle_yaml::{Yaml, to_string};
/// let value = Yaml::Map(vec![("on".into(), Yaml::Seq(vec![Yaml::Int(1), Yaml::String("yes".into())]))]);
/// assert_eq!(to_string(&value), "\"on\":\n- 1\n- \"yes\"\n");
/// ```
pub fn to_string(value: &Yaml) -> String {
    let mut emitter = Emitter {
        out: String::new(),
        column: 0,
        indent: -1,
        whitespace: true,
        indention: true,
    };
    emitter.node(value, Context::Root);
    emitter.write_indent();
    emitter.out
}

/// Where a node stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Context {
    Root,
    Item,
    /// A key short enough to stand before its colon on one line.
    SimpleKey,
    /// A key after `? `, or any value of a mapping.
    Mapping,
}

/// libyaml's emitter state, as far as block style needs it.
struct Emitter {
    out: String,
    /// Characters since the line began.
    column: usize,
    /// Spaces before a line of the current node; -1 outside of any.
    indent: i32,
    /// The last thing written was white space.
    whitespace: bool,
    /// Only indentation and indicators stand on this line so far.
    indention: bool,
}

impl Emitter {
    fn node(&mut self, value: &Yaml, context: Context) {
        match value {
            Yaml::Null => self.plain_word("null"),
            Yaml::Bool(true) => self.plain_word("true"),
            Yaml::Bool(false) => self.plain_word("false"),
            Yaml::Int(int) => self.plain_word(&int.to_string()),
            Yaml::Uint(uint) => self.plain_word(&uint.to_string()),
            Yaml::Float(float) => self.plain_word(&float_text(*float)),
            Yaml::String(text) => self.string(text, context),
            Yaml::Seq(items) if items.is_empty() => self.indicator("[]", true, false),
            Yaml::Map(entries) if entries.is_empty() => self.indicator("{}", true, false),
            Yaml::Seq(items) => self.sequence(items, context),
            Yaml::Map(entries) => self.mapping(entries),
        }
    }

    fn sequence(&mut self, items: &[Yaml], context: Context) {
        let outer = self.indent;
        // Under a key the dashes stand below the key itself.
        if context != Context::Mapping || self.indention || outer < 0 {
            self.indent_block();
        }
        for item in items {
            self.write_indent();
            self.indicator("-", true, true);
            self.node(item, Context::Item);
        }
        self.indent = outer;
    }

    fn mapping(&mut self, entries: &[(String, Yaml)]) {
        let outer = self.indent;
        self.indent_block();
        for (key, value) in in_key_order(entries) {
            self.write_indent();
            if scalar::is_simple_key(key) {
                self.string(key, Context::SimpleKey);
                self.indicator(":", false, false);
            } else {
                self.indicator("?", true, true);
                self.string(key, Context::Mapping);
                self.write_indent();
                self.indicator(":", true, true);
            }
            self.node(value, Context::Mapping);
        }
        self.indent = outer;
    }

    fn indent_block(&mut self) {
        self.indent = if self.indent < 0 { 0 } else { self.indent + 2 };
    }

    /// A scalar that needs no quotes wherever it stands.
    fn plain_word(&mut self, text: &str) {
        if !self.whitespace {
            self.put(' ');
        }
        self.out.push_str(text);
        self.column += text.len();
        self.whitespace = false;
        self.indention = false;
    }

    /// Begins a line at the current indentation, unless one has just begun.
    fn write_indent(&mut self) {
        let indent = self.indent.max(0) as usize;
        if !self.indention || self.column > indent || self.column == indent && !self.whitespace {
            self.line_break();
        }
        while self.column < indent {
            self.put(' ');
        }
        self.whitespace = true;
        self.indention = true;
    }

    fn indicator(&mut self, text: &str, need_whitespace: bool, is_indention: bool) {
        if need_whitespace && !self.whitespace {
            self.put(' ');
        }
        self.out.push_str(text);
        self.column += text.len();
        self.whitespace = false;
        self.indention = self.indention && is_indention;
    }

    fn put(&mut self, character: char) {
        self.out.push(character);
        self.column += 1;
    }

    fn line_break(&mut self) {
        self.out.push('\n');
        self.column = 0;
    }
}

/// `Marshal` goes through JSON: an integral float is written to JSON without a fraction and comes back an integer.
fn float_text(float: f64) -> String {
    if !float.is_finite() {
        return format_yaml_float(float);
    }
    match resolve_plain(&format_json_float(float)) {
        (_, Some(Yaml::Int(int))) => int.to_string(),
        (_, Some(Yaml::Uint(uint))) => uint.to_string(),
        _ => format_yaml_float(float),
    }
}

/// The entries in go-yaml's order, by merging.
///
/// That order is not transitive (`v2` < `v10` < `v1alpha1` < `v2`), for which `slice::sort_by` may panic.
/// The peer's own output for such keys changes from run to run; ours does not.
fn in_key_order(entries: &[(String, Yaml)]) -> Vec<&(String, Yaml)> {
    let mut sorted: Vec<&(String, Yaml)> = entries.iter().collect();
    let mut merged = Vec::with_capacity(sorted.len());
    let mut width = 1;
    while width < sorted.len() {
        for pair in sorted.chunks(width * 2) {
            let (left, right) = pair.split_at(width.min(pair.len()));
            let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
            loop {
                let next = match (left.peek(), right.peek()) {
                    (Some(a), Some(b)) if compare_keys(&b.0, &a.0).is_lt() => right.next(),
                    (Some(_), _) => left.next(),
                    (None, _) => right.next(),
                };
                let Some(next) = next else { break };
                merged.push(*next);
            }
        }
        std::mem::swap(&mut sorted, &mut merged);
        merged.clear();
        width *= 2;
    }
    sorted
}

/// go-yaml's order of keys: numbers inside by their value (`a2` before `a10`), letters after everything else.
///
/// Digits outside ASCII count as no digits here; in Go they do.
fn compare_keys(a: &str, b: &str) -> Ordering {
    let shared = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    // Back to where both begin a character: they may share the first bytes of different ones.
    let shared = (0..=shared)
        .rev()
        .find(|&at| a.is_char_boundary(at) && b.is_char_boundary(at))
        .unwrap_or(0);
    let (before, a_rest) = a.split_at(shared);
    let b_rest = b.get(shared..).unwrap_or_default();
    let (Some(a_first), Some(b_first)) = (a_rest.chars().next(), b_rest.chars().next()) else {
        return a_rest.len().cmp(&b_rest.len());
    };
    match (a_first.is_alphabetic(), b_first.is_alphabetic()) {
        (true, true) => return a_first.cmp(&b_first),
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    // A zero inside a number must not make it shorter: `a10` and `a1`, not `a1` and `a`.
    let inside_number = (a_first == '0' || b_first == '0')
        && before
            .bytes()
            .rev()
            .take_while(u8::is_ascii_digit)
            .any(|digit| digit != b'0');
    let start = i64::from(inside_number);
    let (a_number, a_digits) = leading_number(a_rest, start);
    let (b_number, b_digits) = leading_number(b_rest, start);
    a_number
        .cmp(&b_number)
        .then(a_digits.cmp(&b_digits))
        .then(a_first.cmp(&b_first))
}

/// The number at the start of a text, wrapping as Go's `int64` does, and how many digits it has.
fn leading_number(text: &str, start: i64) -> (i64, usize) {
    text.bytes()
        .take_while(u8::is_ascii_digit)
        .fold((start, 0), |(number, digits), digit| {
            (
                number.wrapping_mul(10).wrapping_add(i64::from(digit - b'0')),
                digits + 1,
            )
        })
}
