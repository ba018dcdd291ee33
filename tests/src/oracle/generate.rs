//! Small charts from a seed: every part of the template language and of what Helm makes of a chart.

mod charts;
mod data;
mod expression;
mod functions;
mod statement;
mod texts;

use super::{Case, random::Random};
use expression::{Scope, call, expression, object, path, printf};
use functions::FUNCTIONS;
use statement::Writer;

/// What a case is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Category {
    /// Literals and expressions of any kind.
    Actions,
    /// White space, trim markers, comments.
    Trim,
    /// `if`, `with`, `range`, variables, nested templates.
    Control,
    /// Each function by its signature.
    Functions,
    /// `printf` and its verbs.
    Printf,
    /// Comparisons and logic over mixed kinds.
    Compare,
    /// Paths that may end in nothing.
    Paths,
    /// Scalars of YAML, read and printed.
    Scalars,
    /// Values changed by templates, seen by others.
    Mutation,
    /// Files, capabilities, release, chart.
    Objects,
    /// Subcharts: globals, aliases, conditions, imports.
    Subcharts,
    /// `--set` and `--set-string`.
    Set,
    /// Hooks, order, several documents, CRDs.
    Manifests,
    /// Chart.yaml in all forms.
    ChartFile,
    /// Templates that do not parse.
    Syntax,
    /// TOML and pretty YAML, read and written.
    Toml,
    /// Templates that call themselves: `include`, `template`, `tpl`.
    Recursion,
    /// Dates and durations.
    Dates,
    /// Line breaks, byte order marks, notes, odd files.
    Encodings,
    /// values.schema.json.
    Schema,
}

impl Category {
    /// All of them.
    pub const ALL: [Self; 20] = [
        Self::Actions,
        Self::Trim,
        Self::Control,
        Self::Functions,
        Self::Printf,
        Self::Compare,
        Self::Paths,
        Self::Scalars,
        Self::Mutation,
        Self::Objects,
        Self::Subcharts,
        Self::Set,
        Self::Manifests,
        Self::ChartFile,
        Self::Syntax,
        Self::Toml,
        Self::Recursion,
        Self::Dates,
        Self::Encodings,
        Self::Schema,
    ];

    /// Its name, as cases carry it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Actions => "actions",
            Self::Trim => "trim",
            Self::Control => "control",
            Self::Functions => "functions",
            Self::Printf => "printf",
            Self::Compare => "compare",
            Self::Paths => "paths",
            Self::Scalars => "scalars",
            Self::Mutation => "mutation",
            Self::Objects => "objects",
            Self::Subcharts => "subcharts",
            Self::Set => "set",
            Self::Manifests => "manifests",
            Self::ChartFile => "chartfile",
            Self::Syntax => "syntax",
            Self::Toml => "toml",
            Self::Recursion => "recursion",
            Self::Dates => "dates",
            Self::Encodings => "encodings",
            Self::Schema => "schema",
        }
    }
}

/// Functions and control flow are most of what there is to get wrong.
const WEIGHTED: [Category; 32] = [
    Category::Actions,
    Category::Actions,
    Category::Trim,
    Category::Control,
    Category::Control,
    Category::Control,
    Category::Functions,
    Category::Functions,
    Category::Functions,
    Category::Functions,
    Category::Functions,
    Category::Functions,
    Category::Printf,
    Category::Compare,
    Category::Paths,
    Category::Scalars,
    Category::Scalars,
    Category::Mutation,
    Category::Objects,
    Category::Subcharts,
    Category::Set,
    Category::Manifests,
    Category::ChartFile,
    Category::Syntax,
    Category::Toml,
    Category::Toml,
    Category::Recursion,
    Category::Recursion,
    Category::Dates,
    Category::Encodings,
    Category::Encodings,
    Category::Schema,
];

/// The `number`th case of `seed`: always the same one.
pub fn generate(seed: u64, number: u64) -> (Category, Case) {
    let mut random = Random::new(seed, number);
    let category = random.pick(&WEIGHTED);
    let mut case = chart(&mut random);
    case.id = format!("{}-{seed}-{number}", category.name());
    let random = &mut random;
    let scope = Scope::default();
    match category {
        Category::Actions => lines(random, &mut case, |random| {
            let kind = random.pick(&['s', 'i', 'f', 'b', 'l', 'd', 'a']);
            expression(random, &scope, kind, 3).text
        }),
        Category::Functions => lines(random, &mut case, |random| {
            let signature = random.pick(FUNCTIONS);
            call(random, &scope, &signature, 1).text
        }),
        Category::Printf => lines(random, &mut case, |random| printf(random, &scope, 1).text),
        Category::Compare => lines(random, &mut case, |random| compare(random, &scope)),
        Category::Paths => lines(random, &mut case, |random| path(random, &scope).text),
        Category::Objects => lines(random, &mut case, |random| object(random, &scope).text),
        Category::Trim | Category::Control => blocks(random, &mut case, category == Category::Trim),
        Category::Syntax => {
            blocks(random, &mut case, false);
            charts::damage(random, &mut case);
        }
        Category::Scalars => charts::scalars(random, &mut case),
        Category::Mutation => charts::mutation(random, &mut case),
        Category::Subcharts => charts::subcharts(random, &mut case),
        Category::Set => charts::set(random, &mut case),
        Category::Manifests => charts::manifests(random, &mut case),
        Category::ChartFile => charts::chart_file(random, &mut case),
        Category::Toml => texts::toml(random, &mut case),
        Category::Recursion => texts::recursion(random, &mut case),
        Category::Dates => texts::dates(random, &mut case),
        Category::Encodings => texts::encodings(random, &mut case),
        Category::Schema => texts::schema(random, &mut case),
    }
    (category, case)
}

/// Templates every chart has: one that reads values, one that prints its argument, one that says what kind it is.
const HELPERS: &str = "\
{{- define \"shared\" -}}
shared: {{ . | typeOf }}
{{- end -}}
{{- define \"echo\" }}{{ . }}{{ end -}}
{{- define \"counts\" }}
{{ len . }}
{{ end -}}
";

/// Templates that parse, mostly: seeds for what damages them further.
pub(crate) fn template_seed(random: &mut Random) -> String {
    let mut case = chart(random);
    let trims = random.chance(20);
    blocks(random, &mut case, trims);
    case.files.remove("templates/a.yaml").unwrap_or_default()
}

fn chart(random: &mut Random) -> Case {
    let mut case = Case {
        release: "rel".to_owned(),
        namespace: "ns".to_owned(),
        is_upgrade: random.chance(10),
        ..Case::default()
    };
    let files = [
        (
            "Chart.yaml",
            "apiVersion: v2\nname: c\nversion: 1.2.3\nappVersion: \"4.5\"\ndescription: A chart\nkeywords: [k1, k2]\nannotations: {note: text}\n".to_owned(),
        ),
        ("values.yaml", data::values(random)),
        ("templates/_helpers.tpl", HELPERS.to_owned()),
        ("a.txt", "first line\nsecond ü line\n".to_owned()),
        ("conf/b.yaml", "b: [1, 2]\nc: {{ not a template }}\n".to_owned()),
        ("conf/c.json", "{\"a\": 1}".to_owned()),
    ];
    case.files.extend(files.map(|(path, text)| (path.to_owned(), text)));
    case
}

const HEAD: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n";

/// One to four expressions, each a line of a ConfigMap that reads as YAML whatever it prints.
fn lines(random: &mut Random, case: &mut Case, mut make: impl FnMut(&mut Random) -> String) {
    let mut text = HEAD.to_owned();
    for number in 0..=random.below(3) {
        let made = make(random);
        text += &match random.below(8) {
            0 | 1 => format!("  p{number}: {{{{ {made} | toJson }}}}\n"),
            2 | 3 => format!("  p{number}: {{{{ printf \"%v\" ({made}) | toJson }}}}\n"),
            4 => format!("  p{number}: {{{{ typeOf ({made}) }}}}\n"),
            5 => format!("  p{number}: {{{{ {made} | toString | quote }}}}\n"),
            // As charts do it: whatever it prints is YAML, or not.
            6 => format!("  p{number}: {{{{ {made} }}}}\n"),
            _ => {
                let helper = format!("{{{{- define \"p{number}\" }}}}{{{{ {made} }}}}{{{{ end -}}}}\n");
                case.files
                    .entry("templates/_helpers.tpl".to_owned())
                    .or_default()
                    .push_str(&helper);
                format!("  p{number}: {{{{ include \"p{number}\" . | toJson }}}}\n")
            }
        };
    }
    case.files.insert("templates/a.yaml".to_owned(), text);
}

/// Statements inside a named template, printed as one JSON string so that white space is compared too.
fn blocks(random: &mut Random, case: &mut Case, trims: bool) {
    let mut writer = Writer::new(random);
    writer.trims = trims;
    let body = if trims {
        writer.block(&mut Scope::default(), 5, 1)
    } else {
        writer.block(&mut Scope::default(), 3, 3)
    };
    let text = format!(
        "{{{{- define \"body\" }}}}\n{body}\n{{{{- end }}}}\n{HEAD}  body: {{{{ include \"body\" . | toJson }}}}\n"
    );
    case.files.insert("templates/a.yaml".to_owned(), text);
}

fn compare(random: &mut Random, scope: &Scope) -> String {
    let operators = [
        "eq",
        "eq",
        "ne",
        "lt",
        "le",
        "gt",
        "ge",
        "and",
        "or",
        "not",
        "ternary 1 2",
        "empty",
        "default 7",
        "coalesce nil 0",
    ];
    let operator = random.pick(&operators);
    let same = random.pick(&['s', 'i', 'f', 'b', 'l', 'd', 'a']);
    let mut text = operator.to_owned();
    let count = if "not empty ternary 1 2 default 7".contains(operator) {
        1
    } else {
        2 + usize::from(random.chance(15))
    };
    for _ in 0..count {
        let kind = if random.chance(20) { 'a' } else { same };
        text.push(' ');
        text += &expression(random, scope, kind, 1).operand();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_cases() {
        for number in 0..200 {
            assert_eq!(generate(7, number), generate(7, number));
        }
        assert_ne!(generate(7, 1).1.files, generate(8, 1).1.files);
    }

    #[test]
    fn every_category_comes_up() {
        let mut seen: Vec<Category> = (0..500).map(|number| generate(1, number).0).collect();
        seen.sort();
        seen.dedup();
        assert_eq!(seen, Category::ALL);
    }
}
