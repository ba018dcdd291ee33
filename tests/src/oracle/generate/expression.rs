//! Expressions of a kind, good ones mostly.

use super::{
    data::{VALUE_KEYS, literal},
    functions::{FUNCTIONS, Signature},
};
use crate::oracle::random::Random;

/// Arguments of another kind than the function takes, of 100.
const BAD_ARGUMENTS: usize = 4;

/// What an expression can see.
#[derive(Clone, Default)]
pub(super) struct Scope {
    /// Variables with their kinds.
    pub(super) variables: Vec<(String, char)>,
    /// Whether `.` is the root; otherwise only `$` is.
    pub(super) dot_moved: bool,
}

/// An expression; an atom needs no brackets as an argument.
pub(super) struct Expression {
    pub(super) text: String,
    pub(super) is_atom: bool,
}

impl Expression {
    fn atom(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            is_atom: true,
        }
    }

    pub(super) fn operand(self) -> String {
        if self.is_atom {
            self.text
        } else {
            format!("({})", self.text)
        }
    }
}

/// An expression of `kind`, nested at most `depth` deep.
pub(super) fn expression(random: &mut Random, scope: &Scope, kind: char, depth: usize) -> Expression {
    if depth == 0 || random.chance(30) {
        return atom(random, scope, kind);
    }
    match random.below(20) {
        0 if "sa".contains(kind) => printf(random, scope, depth),
        1 | 2 if "sa".contains(kind) => object(random, scope),
        3 if kind == 's' => {
            let inner = expression(random, scope, 'd', depth - 1).operand();
            let order = random.pick(&["keys", "values"]);
            Expression {
                text: format!("{order} {inner} | sortAlpha | join \",\""),
                is_atom: false,
            }
        }
        4 if kind == 's' => {
            let name = random.pick(&["shared", "echo", "shared", "none"]);
            Expression {
                text: format!("include \"{name}\" {}", atom(random, scope, 'a').operand()),
                is_atom: false,
            }
        }
        5 if kind == 'a' => path(random, scope),
        _ => {
            let fitting: Vec<&Signature> = FUNCTIONS
                .iter()
                .filter(|(name, _, result)| {
                    (*result == kind || (kind == 'f' && *result == 'i') || (kind == 'a' && *result != 't'))
                        && *name != "fail"
                })
                .collect();
            match fitting.get(random.below(fitting.len())) {
                Some(signature) => call(random, scope, signature, depth),
                None => atom(random, scope, kind),
            }
        }
    }
}

/// A call of one function, written plainly or as a pipeline.
pub(super) fn call(random: &mut Random, scope: &Scope, signature: &Signature, depth: usize) -> Expression {
    let (name, kinds, _) = signature;
    let mut arguments = Vec::new();
    let mut kinds = kinds.chars().peekable();
    while let Some(kind) = kinds.next() {
        let times = if kinds.next_if_eq(&'*').is_some() {
            random.below(4)
        } else {
            1
        };
        for _ in 0..times {
            let kind = if random.chance(BAD_ARGUMENTS) { 'a' } else { kind };
            arguments.push(expression(random, scope, kind, depth.saturating_sub(1)));
        }
    }
    if random.chance(1) {
        arguments.pop();
    }
    if random.chance(1) {
        arguments.push(atom(random, scope, 'a'));
    }
    let piped = if random.chance(35) { arguments.pop() } else { None };
    let mut text = (*name).to_owned();
    for argument in arguments {
        text.push(' ');
        text += &argument.operand();
    }
    if let Some(piped) = piped {
        text = format!("{} | {text}", piped.text);
    }
    if text == *name {
        return Expression::atom(format!("({text})"));
    }
    Expression { text, is_atom: false }
}

/// A literal, a variable or a value.
pub(super) fn atom(random: &mut Random, scope: &Scope, kind: char) -> Expression {
    let fitting: Vec<&(String, char)> = scope
        .variables
        .iter()
        .filter(|(_, k)| *k == kind || kind == 'a')
        .collect();
    if !fitting.is_empty() && random.chance(40) {
        return Expression::atom(random.pick(&fitting).0.clone());
    }
    if scope.dot_moved && kind == 'a' && random.chance(30) {
        return Expression::atom(".");
    }
    let root = root(random, scope);
    let keys = VALUE_KEYS.iter().find(|(k, _)| *k == kind).map(|(_, keys)| *keys);
    match (keys, kind) {
        (Some(keys), 'l' | 'd') => Expression::atom(format!("{root}.Values.{}", random.pick(keys))),
        (Some(keys), 'a') if random.chance(75) => Expression::atom(format!("{root}.Values.{}", random.pick(keys))),
        (Some(keys), _) if random.chance(50) => Expression::atom(format!("{root}.Values.{}", random.pick(keys))),
        (_, 'a') if random.chance(8) => Expression::atom("nil"),
        _ => Expression::atom(literal(random, kind)),
    }
}

/// A path into the values that may or may not be there.
pub(super) fn path(random: &mut Random, scope: &Scope) -> Expression {
    let root = root(random, scope);
    let start = match random.below(8) {
        0 => format!("({root}.Values.m1)"),
        1 => format!(
            "(index {root}.Values.l2 {})",
            random.pick(&["0", "1", "2", "-1", "\"x\""])
        ),
        2 => format!("(dict \"a\" (dict \"b\" {}))", literal(random, 'a')),
        3 => format!(
            "(default dict {root}.Values.{})",
            random.pick(&["none", "n0", "em", "m1"])
        ),
        4 => match scope.variables.as_slice() {
            [] => format!("{root}.Values"),
            variables => variables[random.below(variables.len())].0.clone(),
        },
        _ => format!(
            "{root}.Values.{}",
            random.pick(&["m1", "m1", "m0", "none", "n0", "s0", "l0", "em", "i0", "b0"])
        ),
    };
    let mut text = start;
    for _ in 0..random.below(4) {
        text.push('.');
        text += random.pick(&["a", "deep", "b", "c", "missing", "x", "Name"]);
    }
    if random.chance(4) {
        text += &format!(" {}", literal(random, 'a'));
        return Expression { text, is_atom: false };
    }
    Expression::atom(text)
}

/// What a chart sees beside its values.
pub(super) fn object(random: &mut Random, scope: &Scope) -> Expression {
    let root = root(random, scope);
    let call = |text: String| Expression { text, is_atom: false };
    match random.below(9) {
        0 => call(format!(
            "{root}.Files.Get {}",
            random.pick(&["\"a.txt\"", "\"conf/b.yaml\"", "\"none\"", "\"../Chart.yaml\"", "1"])
        )),
        1 => {
            let glob = random.pick(&["*", "conf/*", "**", "*.txt", "conf/**.yaml", "{a,c}*", "[a", "none*"]);
            let method = random.pick(&["AsConfig", "AsSecrets", "Get \"a.txt\"", "AsConfig | fromYaml | toJson"]);
            call(format!("({root}.Files.Glob \"{glob}\").{method}"))
        }
        2 => call(format!(
            "{root}.Files.{} | {}",
            random.pick(&[
                "Lines \"conf/b.yaml\"",
                "Lines \"none\"",
                "GetBytes \"a.txt\"",
                "Lines \"a.txt\""
            ]),
            random.pick(&["toJson", "len", "typeOf", "printf \"%v\"", "printf \"%s\""])
        )),
        3 => call(format!(
            "{root}.Capabilities.APIVersions.Has \"{}\"",
            random.pick(&[
                "v1",
                "apps/v1",
                "apps/v1/Deployment",
                "example.com/v1",
                "batch/v1beta1",
                "policy/v1"
            ])
        )),
        4 => Expression::atom(format!(
            "{root}.Capabilities.{}",
            random.pick(&[
                "KubeVersion",
                "KubeVersion.Version",
                "KubeVersion.Major",
                "KubeVersion.Minor",
                "KubeVersion.GitVersion",
                "HelmVersion.Version",
                "KubeVersion.Nope",
                "Nope"
            ])
        )),
        5 => Expression::atom(format!(
            "{root}.Chart.{}",
            random.pick(&[
                "Name",
                "Version",
                "AppVersion",
                "Type",
                "Description",
                "Keywords",
                "Annotations",
                "Annotations.note",
                "IsRoot",
                "KubeVersion",
                "Nope",
                "name",
                "Home",
                "Deprecated"
            ])
        )),
        6 => Expression::atom(format!(
            "{root}.Release.{}",
            random.pick(&[
                "Name",
                "Namespace",
                "IsUpgrade",
                "IsInstall",
                "Revision",
                "Service",
                "Nope",
                "Name.x"
            ])
        )),
        7 => Expression::atom(format!(
            "{root}.Template.{}",
            random.pick(&["Name", "BasePath", "Nope"])
        )),
        _ => call(format!(
            "({root}.Files.Glob \"conf/*\") | {}",
            random.pick(&["len", "typeOf", "kindOf", "toYaml", "empty"])
        )),
    }
}

const VERBS: &[&str] = &[
    "%v",
    "%+v",
    "%#v",
    "%T",
    "%d",
    "%5d",
    "%-5d|",
    "%05d",
    "%+d",
    "% d",
    "%x",
    "%X",
    "%#x",
    "% x",
    "%o",
    "%O",
    "%b",
    "%c",
    "%q",
    "%#q",
    "%+q",
    "%U",
    "%#U",
    "%e",
    "%E",
    "%f",
    "%F",
    "%g",
    "%G",
    "%.2f",
    "%8.3f|",
    "%-8.1f|",
    "%+.1e",
    "%06.1f",
    "%s",
    "%10s|",
    "%-10s|",
    "%.3s",
    "%.0s",
    "%t",
    "%%",
    "%z",
    "%!",
    "%",
    "%[2]v %[1]v",
    "%[3]d",
    "%[x]d",
    "%*d",
    "%.*f",
    "%-+5d|",
    "%6.2f%%",
    "%020x",
    "%#o",
    "%+v|",
    "%10v|",
    "%-10v|",
    "%08.3f",
    "%2c|",
    "%.1q",
];

pub(super) fn printf(random: &mut Random, scope: &Scope, depth: usize) -> Expression {
    let mut format = String::new();
    let mut arguments = String::new();
    for _ in 0..=random.below(2) {
        let verb = random.pick(VERBS);
        format += random.pick(&["", " ", "a=", "é "]);
        format += verb;
        let kind = match verb.chars().last() {
            Some('d' | 'o' | 'b' | 'c' | 'U') => 'i',
            Some('f' | 'e' | 'E' | 'F' | 'g' | 'G') => 'f',
            Some('s' | 'q') => 's',
            _ => 'a',
        };
        let kind = if random.chance(30) { 'a' } else { kind };
        for _ in 0..if random.chance(5) { random.below(3) } else { 1 } {
            arguments.push(' ');
            arguments += &expression(random, scope, kind, depth.min(1)).operand();
        }
    }
    Expression {
        text: format!("printf \"{format}\"{arguments}"),
        is_atom: false,
    }
}

fn root(random: &mut Random, scope: &Scope) -> &'static str {
    if scope.dot_moved || random.chance(15) { "$" } else { "" }
}
