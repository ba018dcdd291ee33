//! Text with actions: what stands between `define` and `end`.

use super::{
    data::literal,
    expression::{Scope, atom, expression, path},
};
use crate::oracle::random::Random;

/// Writes statements; names of variables and nested templates are counted so that they differ.
pub(super) struct Writer<'a> {
    pub(super) random: &'a mut Random,
    /// Whether most actions trim white space.
    pub(super) trims: bool,
    names: usize,
    loops: usize,
}

impl<'a> Writer<'a> {
    pub(super) fn new(random: &'a mut Random) -> Self {
        Self {
            random,
            trims: false,
            names: 0,
            loops: 0,
        }
    }

    /// `count` statements, each on a line of its own.
    pub(super) fn block(&mut self, scope: &mut Scope, count: usize, depth: usize) -> String {
        let mut text = String::new();
        for _ in 0..count {
            text += &self.statement(scope, depth);
            text += self.random.pick(&["\n", "\n", "\n  ", "", " \n\n"]);
        }
        text
    }

    fn action(&mut self, inside: &str) -> String {
        let percent = if self.trims { 40 } else { 12 };
        let left = if self.random.chance(percent) {
            "{{- "
        } else {
            self.random.pick(&["{{ ", "{{"])
        };
        let right = if self.random.chance(percent) {
            " -}}"
        } else {
            self.random.pick(&[" }}", "}}"])
        };
        format!("{left}{inside}{right}")
    }

    fn statement(&mut self, scope: &mut Scope, depth: usize) -> String {
        let nested = depth.saturating_sub(1);
        match self.random.below(if depth == 0 { 8 } else { 16 }) {
            0 | 1 => (self.random.pick(&[
                "text",
                "key: value",
                "  indented",
                "- item",
                "a { b } c",
                "é",
                "\t",
                "}} x",
                "# c",
                "{ {",
            ]))
            .to_owned(),
            2 | 3 => {
                let kind = self.random.pick(&['s', 's', 'i', 'f', 'b', 'a']);
                let text = expression(self.random, scope, kind, 2).text;
                self.action(&text)
            }
            4 => {
                let comment = self
                    .random
                    .pick(&["/* note */", "/* two\nlines */", "/**/", "/* {{ x }} */"]);
                let (left, right) = self
                    .random
                    .pick(&[("{{", "}}"), ("{{- ", " -}}"), ("{{- ", "}}"), ("{{", " -}}")]);
                format!("{left}{comment}{right}")
            }
            5 => self.declare(scope),
            6 => self.assign(scope),
            7 if self.loops > 0 => {
                let word = self.random.pick(&["break", "continue"]);
                let test = atom(self.random, scope, 'a').operand();
                format!(
                    "{}{}{}",
                    self.action(&format!("if {test}")),
                    self.action(word),
                    self.action("end")
                )
            }
            7 => self.declare(scope),
            8 | 9 => self.condition(scope, nested),
            10 => self.with(scope, nested),
            11..=13 => self.range(scope, nested),
            14 => self.nested_template(scope, nested),
            _ => {
                let text = path(self.random, scope).text;
                self.action(&text)
            }
        }
    }

    fn declare(&mut self, scope: &mut Scope) -> String {
        self.names += 1;
        let name = format!("$v{}", self.names);
        let kind = self.random.pick(&['s', 'i', 'l', 'd', 'b', 'a']);
        let value = expression(self.random, scope, kind, 2).text;
        scope.variables.push((name.clone(), kind));
        self.action(&format!("{name} := {value}"))
    }

    fn assign(&mut self, scope: &mut Scope) -> String {
        let Some((name, kind)) =
            (!scope.variables.is_empty()).then(|| scope.variables[self.random.below(scope.variables.len())].clone())
        else {
            return self.declare(scope);
        };
        let value = expression(self.random, scope, kind, 2).text;
        self.action(&format!("{name} = {value}"))
    }

    fn condition(&mut self, scope: &mut Scope, depth: usize) -> String {
        let test = self.test(scope);
        let mut text = self.action(&format!("if {test}"));
        text += &self.body(scope, depth);
        if self.random.chance(30) {
            let test = self.test(scope);
            text += &self.action(&format!("else if {test}"));
            text += &self.body(scope, depth);
        }
        if self.random.chance(50) {
            text += &self.action("else");
            text += &self.body(scope, depth);
        }
        text + &self.action("end")
    }

    fn test(&mut self, scope: &mut Scope) -> String {
        let kind = self.random.pick(&['b', 'b', 'a', 's', 'd', 'l', 'i']);
        let test = expression(self.random, scope, kind, 2).text;
        if self.random.chance(10) {
            self.names += 1;
            return format!("$v{} := {test}", self.names);
        }
        test
    }

    fn with(&mut self, scope: &Scope, depth: usize) -> String {
        let mut inner = scope.clone();
        let kind = self.random.pick(&['d', 'a', 's', 'l']);
        let value = expression(self.random, scope, kind, 1).text;
        let mut head = value;
        if self.random.chance(25) {
            self.names += 1;
            let name = format!("$v{}", self.names);
            head = format!("{name} := {head}");
            inner.variables.push((name, kind));
        }
        inner.dot_moved = true;
        let mut text = self.action(&format!("with {head}"));
        text += &self.body(&inner, depth);
        if self.random.chance(20) {
            let other = atom(self.random, scope, 'a').text;
            text += &self.action(&format!("else with {other}"));
            text += &self.body(&inner, depth);
        }
        if self.random.chance(40) {
            text += &self.action("else");
            text += &self.body(scope, depth);
        }
        text + &self.action("end")
    }

    fn range(&mut self, scope: &Scope, depth: usize) -> String {
        let mut inner = scope.clone();
        let over = match self.random.below(10) {
            0 => literal(self.random, 'n'),
            1 => expression(self.random, scope, 'a', 1).text,
            2 => format!("until {}", self.random.pick(&["0", "3", "5"])),
            3..=5 => expression(self.random, scope, 'd', 1).text,
            _ => expression(self.random, scope, 'l', 1).text,
        };
        let head = match self.random.below(4) {
            0 => {
                self.names += 2;
                let (key, value) = (format!("$k{}", self.names - 1), format!("$v{}", self.names));
                let head = format!("{key}, {value} := {over}");
                inner.variables.extend([(key, 'a'), (value, 'a')]);
                head
            }
            1 => {
                self.names += 1;
                let value = format!("$v{}", self.names);
                let head = format!("{value} := {over}");
                inner.variables.push((value, 'a'));
                head
            }
            _ => over,
        };
        inner.dot_moved = true;
        self.loops += 1;
        let mut text = self.action(&format!("range {head}"));
        text += &self.body(&inner, depth);
        self.loops -= 1;
        if self.random.chance(30) {
            text += &self.action("else");
            text += &self.body(scope, depth);
        }
        text + &self.action("end")
    }

    /// A template inside a template: called, defined in place, or text that `tpl` reads.
    fn nested_template(&mut self, scope: &Scope, depth: usize) -> String {
        let argument = match self.random.below(4) {
            0 => atom(self.random, scope, 'a').operand(),
            1 => format!("(dict \"root\" $ \"a\" {})", atom(self.random, scope, 'a').operand()),
            2 => ".".to_owned(),
            _ => "$".to_owned(),
        };
        match self.random.below(6) {
            0 => {
                let name = self.random.pick(&["shared", "echo", "none"]);
                self.action(&format!("template \"{name}\" {argument}"))
            }
            1 => self.action("template \"shared\""),
            2 => {
                self.names += 1;
                let head = self.action(&format!("block \"block{}\" {argument}", self.names));
                let inner = Scope {
                    dot_moved: true,
                    ..Scope::default()
                };
                // Loops outside are not seen from inside.
                let loops = std::mem::take(&mut self.loops);
                let body = self.body(&inner, depth.min(1));
                self.loops = loops;
                head + &body + &self.action("end")
            }
            3 => {
                let name = self.random.pick(&["shared", "echo", "counts", "none"]);
                let after = self.random.pick(&[
                    "",
                    " | trim",
                    " | nindent 2",
                    " | upper | quote",
                    " | fromYaml | toJson",
                    " | indent 4",
                ]);
                self.action(&format!("include \"{name}\" {argument}{after}"))
            }
            4 => {
                let text = literal(self.random, 'X');
                self.action(&format!("tpl {text} {argument}"))
            }
            _ => {
                let inner = atom(self.random, &Scope::default(), 's').text;
                self.action(&format!(
                    "tpl (printf \"{{{{ %s }}}}\" {}) $",
                    format_args!("`{}`", inner.replace('`', ""))
                ))
            }
        }
    }

    fn body(&mut self, scope: &Scope, depth: usize) -> String {
        // What a body declares ends with it.
        let mut inner = scope.clone();
        let count = 1 + self.random.below(2);
        self.block(&mut inner, count, depth)
    }
}
