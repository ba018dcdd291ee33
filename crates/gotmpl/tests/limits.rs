//! Hostile templates end in named errors, and nothing panics.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

#[path = "go/data.rs"]
mod data;

use pintle_gotmpl::{
    Engine, Error, ErrorKind, Exceeded, Executor, Host, Map, Options, Region, STACK_PER_LEVEL, Str, TemplateSet, Value,
    fmt,
};

fn run_with(text: &str, options: Options, cancelled: &dyn Fn() -> bool) -> Result<String, Error> {
    let mut set = TemplateSet::new("root", data::functions());
    set.parse("x", text)?;
    let mut executor = Executor::new(&set, options, &data::Fixed, cancelled, Box::new(()));
    let out = executor.execute("x", data::data())?;
    Ok(out.to_str().into_owned())
}

fn run(text: &str, options: Options) -> Result<String, Error> {
    run_with(text, options, &|| false)
}

fn kind(text: &str, options: Options) -> ErrorKind {
    run(text, options).unwrap_err().kind
}

/// Runs on a stack sized as the documentation asks for.
fn on_big_stack<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let size = STACK_PER_LEVEL * Options::default().max_depth as usize;
    let thread = std::thread::Builder::new().stack_size(size).spawn(work).unwrap();
    thread.join().unwrap()
}

#[test]
fn endless_loops_run_out_of_steps() {
    let options = Options {
        max_steps: 10_000,
        ..Options::default()
    };
    let text = "{{range 9000000000000000000}}{{end}}";
    assert_eq!(kind(text, options), ErrorKind::Exceeded(Exceeded::Steps));
    let message = run(text, options).unwrap_err().message;
    assert!(
        message.starts_with("template: x:1:8: executing \"x\" at <9000"),
        "{message}"
    );
    assert!(run("{{range 100}}{{end}}", options).is_ok());
}

#[test]
fn a_cancelled_execution_stops() {
    let error = run_with("{{range 9000000000000000000}}{{end}}", Options::default(), &|| true).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Exceeded(Exceeded::Cancelled));
}

#[test]
fn output_is_bounded_however_it_is_made() {
    let options = Options {
        max_output_bytes: 5_000,
        ..Options::default()
    };
    let bombs = [
        "{{range 1000}}0123456789{{end}}",
        "{{range 1000}}{{$.s}}xxxxxxxx{{end}}",
        "{{printf \"%100000d\" 1}}",
        "{{define \"p\"}}{{range 600}}0123456789{{end}}{{end}}{{$x := include \"p\" 1}}",
        "{{$l := list 1 2 3 4 5 6 7 8 9 0}}{{range 6}}{{$l = list $l $l $l $l $l $l $l}}{{end}}{{$l}}",
    ];
    for bomb in bombs {
        assert_eq!(
            kind(bomb, options),
            ErrorKind::Exceeded(Exceeded::OutputBytes),
            "{bomb}"
        );
    }
}

#[test]
fn the_deepest_template_fits_the_stack() {
    on_big_stack(|| {
        let endless = [
            "{{define \"p\"}}{{template \"p\" .}}{{end}}{{template \"p\" .}}",
            "{{define \"p\"}}{{include \"p\" .}}{{end}}{{include \"p\" .}}",
            "{{define \"p\"}}{{if (include \"p\" (any (any .)) | any)}}{{end}}{{end}}{{include \"p\" .}}",
            "{{define \"p\"}}{{with .}}{{range 1}}{{if 1}}{{include \"p\" 1}}{{end}}{{end}}{{end}}{{end}}{{template \"p\" 1}}",
        ];
        for text in endless {
            assert_eq!(
                kind(text, Options::default()),
                ErrorKind::Exceeded(Exceeded::Depth),
                "{text}"
            );
        }
        for (open, close) in [
            ("{{if 1}}", "{{end}}"),
            ("{{with 1}}", "{{end}}"),
            ("{{range 1}}", "{{end}}"),
        ] {
            assert!(
                run(
                    &format!("{}{}", open.repeat(900), close.repeat(900)),
                    Options::default()
                )
                .is_ok()
            );
            let error = run(&open.repeat(100_000), Options::default()).unwrap_err();
            assert_eq!(error.message, "template: x:1: max block depth exceeded");
        }
        let parens = format!("{{{{{}1{}}}}}", "(".repeat(900), ")".repeat(900));
        assert_eq!(run(&parens, Options::default()).unwrap(), "1");
        let parens = format!("{{{{{}1", "(".repeat(100_000));
        let error = run(&parens, Options::default()).unwrap_err();
        assert_eq!(error.message, "template: x:1: max expression depth exceeded");
    });
}

#[test]
fn deep_and_cyclic_values_are_survived() {
    let text = "{{$l := list}}{{range 300000}}{{$l = list $l}}{{end}}ok";
    assert_eq!(run(text, Options::default()).unwrap(), "ok");
    let error = run(&text.replace("ok", "{{$l}}"), Options::default()).unwrap_err();
    assert!(
        error.message.contains("nested too deeply or contains itself"),
        "{error}"
    );
    let map = Map::new();
    map.insert("self", Value::Map(map.clone()));
    assert!(fmt::sprint(&[Value::Map(map.clone())]).is_err());
    map.remove("self");
    assert!(fmt::sprint(&[Value::Map(map)]).ok().unwrap() == "map[]");
}

/// A host that counts how many of it are alive.
struct Counted(std::rc::Rc<()>);

impl Host for Counted {
    fn type_name(&self) -> &str {
        "main.counted"
    }

    fn text(&self) -> Option<String> {
        Some(std::rc::Rc::strong_count(&self.0).to_string())
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

#[test]
fn a_region_frees_maps_that_contain_themselves() {
    let alive = std::rc::Rc::new(());
    let region = Region::begin();
    let map = Map::new();
    map.insert("host", Value::host(Counted(alive.clone())));
    map.insert("self", Value::list(vec![Value::Map(map.clone())]));
    drop(map);
    assert_eq!(std::rc::Rc::strong_count(&alive), 2);
    drop(region);
    assert_eq!(std::rc::Rc::strong_count(&alive), 1);
}

#[test]
fn complex_constants_are_refused() {
    let message = run("{{print 1i}}", Options::default()).unwrap_err().message;
    assert_eq!(
        message,
        "template: x:1:8: executing \"x\" at <1i>: complex numbers are not supported"
    );
}

#[test]
fn texts_run_by_functions_see_their_own_definitions_only() {
    let mut set = TemplateSet::new("root", data::functions());
    set.parse("a", "{{define \"p\"}}outer{{end}}").unwrap();
    let never = || false;
    let mut executor = Executor::new(&set, Options::default(), &data::Fixed, &never, Box::new(()));
    let text = Str::from("{{define \"p\"}}inner{{end}}{{template \"p\"}} {{include \"p\" .}} {{.}}");
    for _ in 0..2 {
        let out = executor.execute_text("root", &text, Value::Int(1)).ok().unwrap();
        assert!(out == "inner inner 1");
        assert!(executor.execute("p", Value::Nil).ok().unwrap() == "outer");
    }
    let failed = executor.execute_text("root", &Str::from("{{nope}}"), Value::Nil);
    assert!(
        matches!(failed, Err(pintle_gotmpl::TextError::Parse(error)) if error.message == "template: root:1: function \"nope\" not defined")
    );
}

/// A small generator: the seed is printed with what fails.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}

#[test]
fn random_templates_never_panic() {
    const PIECES: &[&str] = &[
        "{{",
        "}}",
        "{{-",
        "-}}",
        " ",
        "\n",
        "(",
        ")",
        "|",
        ".",
        "$",
        "$x",
        ":=",
        "=",
        ",",
        "if",
        "else",
        "end",
        "range",
        "with",
        "define",
        "block",
        "template",
        "break",
        "continue",
        "nil",
        "true",
        "\"a\"",
        "`b`",
        "'c'",
        "1",
        "-2",
        "3.5",
        "0x",
        "1e9",
        ".s",
        ".m.a.c",
        ".l",
        ".nope.x",
        ".n.x",
        ".v.Hi",
        ".d.Round",
        "printf",
        "\"%*.*f %[9]d %v\"",
        "index",
        "slice",
        "len",
        "eq",
        "lt",
        "and",
        "or",
        "not",
        "print",
        "html",
        "js",
        "urlquery",
        "call",
        "dict",
        "list",
        "set",
        "include",
        "\"x\"",
        "str",
        "add",
        "/*",
        "*/",
        "é",
        "\u{1F600}",
        "\0",
        "\\",
        "9223372036854775807",
    ];
    on_big_stack(|| {
        let options = Options {
            max_steps: 5_000,
            max_output_bytes: 50_000,
            ..Options::default()
        };
        let (mut parsed, mut seed) = (0, 0);
        while seed < 20_000 {
            seed += 1;
            let mut random = Random(seed);
            let mut text = String::new();
            for _ in 0..=random.below(6) {
                text.push_str(if random.below(4) > 0 { "{{" } else { "x" });
                for _ in 0..random.below(6) {
                    text.push_str(PIECES[random.below(PIECES.len())]);
                    text.push_str([" ", "", " "][random.below(3)]);
                }
                text.push_str(if random.below(8) > 0 { "}}" } else { "" });
            }
            let result = std::panic::catch_unwind(|| run(&text, options));
            assert!(result.is_ok(), "seed {seed}: {text:?}");
            let is_parse_error = matches!(
                result,
                Ok(Err(Error {
                    kind: ErrorKind::Parse,
                    ..
                }))
            );
            parsed += usize::from(!is_parse_error);
        }
        println!("{seed} templates, {parsed} parsed");
        assert!(parsed > 500);
    });
}

#[test]
fn random_formats_never_panic() {
    const PIECES: &[&str] = &[
        "%", "+", "-", "#", " ", "0", "1", "12", ".", "*", "[", "]", "[2]", "v", "d", "s", "q", "x", "X", "f", "e",
        "g", "t", "c", "U", "b", "o", "O", "T", "p", "w", "é", "%%",
    ];
    let data = data::data();
    let values: Vec<Value> = data
        .as_map()
        .unwrap()
        .entries()
        .into_iter()
        .map(|entry| entry.1)
        .collect();
    for seed in 0..20_000 {
        let mut random = Random(seed);
        let mut format = "%".to_owned();
        for _ in 0..random.below(8) {
            format.push_str(PIECES[random.below(PIECES.len())]);
        }
        let args: Vec<Value> = (0..random.below(4))
            .map(|_| values[random.below(values.len())].clone())
            .collect();
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| fmt::sprintf(&format, &args).is_ok()));
        assert!(result.is_ok(), "seed {seed}: {format:?}");
    }
}

#[test]
fn digits_past_what_a_float_has_are_zeros() {
    for (format, length) in [("%.100000f", 100_002), ("%.100000e", 100_006), ("%.100000g", 3)] {
        let out = fmt::sprintf(format, &[Value::Float(1.5)]).unwrap();
        let text = out.to_str();
        assert_eq!(text.len(), length, "{format}");
        assert!(text.starts_with("1.5"), "{format}");
    }
}
