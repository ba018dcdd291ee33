//! Host values: as Go 1.26.8 answers for `type Point struct { X int; Name string; Next *Point }` with
//! `func (p Point) Sum(a, b int) int`, `func (p *Point) Fail() (string, error)` and, where a case says so, `String()`.

use std::any::Any;
use std::rc::Rc;

use pintle_gotmpl::{
    Ambient, Call, CallSite, Engine, Executor, FuncError, Functions, Host, Kind, MissingKey, Now, Options, Signature,
    TemplateSet, Type, Value,
};

struct Point {
    x: i64,
    pointer: bool,
    nil: bool,
    text: Option<&'static str>,
}

impl Host for Point {
    fn type_name(&self) -> &str {
        if self.pointer { "*main.Point" } else { "main.Point" }
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "X" => Some(Value::Int(self.x)),
            "Name" => Some(Value::str("p")),
            _ => None,
        }
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        vec![("X", Value::Int(self.x)), ("Name", Value::str("p"))]
    }

    fn method(&self, name: &str) -> Option<Signature> {
        let params: &'static [Type] = match name {
            "Sum" => &[Type::Int, Type::Int],
            "Fail" => &[],
            _ => return None,
        };
        Some(Signature {
            params,
            variadic: false,
        })
    }

    fn call(&self, _call: &mut Call<'_>, name: &str, args: &[Value]) -> Result<Value, FuncError> {
        match name {
            "Sum" => Ok(Value::Int(args.iter().filter_map(Value::as_int).sum())),
            _ => Err("failed".into()),
        }
    }

    fn text(&self) -> Option<String> {
        self.text.map(str::to_owned)
    }

    fn is_nil(&self) -> bool {
        self.nil
    }

    fn equal(&self, other: &dyn Host) -> bool {
        other
            .as_any()
            .downcast_ref::<Self>()
            .is_some_and(|other| other.x == self.x)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// `type Month int` with a `String` method.
struct Month;

impl Host for Month {
    fn type_name(&self) -> &str {
        "time.Month"
    }

    fn kind(&self) -> Kind {
        Kind::Int
    }

    fn text(&self) -> Option<String> {
        Some("March".to_owned())
    }

    fn underlying(&self) -> Option<Value> {
        Some(Value::Int(3))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

struct Sites;

impl Ambient for Sites {
    fn now(&self) -> Now {
        Now {
            seconds: 1,
            nanos: 2,
            offset_seconds: 3600,
        }
    }

    fn random(&self, site: &CallSite, draw: u32, out: &mut [u8]) {
        let text = format!("{}:{}:{}:{draw} ", site.template, site.position, site.run);
        for (to, from) in out.iter_mut().zip(text.bytes().cycle()) {
            *to = from;
        }
    }
}

fn run(text: &str) -> String {
    let mut functions = Functions::new();
    functions.add("draw", &[], Type::String, |call, _| {
        let mut bytes = [0; 8];
        call.random(&mut bytes);
        Ok(Value::str(String::from_utf8_lossy(&bytes).into_owned()))
    });
    functions.add("count", &[], Type::Int, |call, _| {
        let count = call.state::<i64>().ok_or("no state")?;
        *count += 1;
        Ok(Value::Int(*count))
    });
    let mut set = TemplateSet::new("root", functions.into());
    if let Err(error) = set.parse("x", text) {
        return error.message;
    }
    let options = Options {
        missing_key: MissingKey::Zero,
        ..Options::default()
    };
    let never = || false;
    let mut executor = Executor::new(&set, options, &Sites, &never, Box::new(0_i64));
    let point = |pointer, nil, text| Point {
        x: 7,
        pointer,
        nil,
        text,
    };
    let shared: Rc<dyn Host> = Rc::new(point(true, false, None));
    let data = Value::map([
        ("p", Value::host(point(false, false, None))),
        ("q", Value::host(point(false, false, None))),
        ("ptr", Value::Host(Rc::clone(&shared))),
        ("same", Value::Host(shared)),
        ("nil", Value::host(point(true, true, None))),
        ("str", Value::host(point(false, false, Some("I am")))),
        ("month", Value::host(Month)),
    ]);
    match executor.execute("x", data) {
        Ok(out) => out.to_str().into_owned(),
        Err(error) => error.message,
    }
}

#[test]
fn hosts_behave_as_go_values() {
    let cases = [
        ("{{.p.X}} {{.p.Name}} {{.p.Sum 1 2}} {{2 | .p.Sum 1}}", "7 p 3 3"),
        (
            "{{.p}} {{printf \"%+v %#v %T\" .p .p .p}}",
            "{7 p} {X:7 Name:p} main.Point{X:7, Name:\"p\"} main.Point",
        ),
        ("{{.ptr.X}} {{printf \"%v %+v\" .ptr .ptr}}", "7 &{7 p} &{X:7 Name:p}"),
        (
            "{{.str}} {{printf \"%s %q %d\" .str .str .str}}",
            "I am I am \"I am\" {7 %!d(string=p)}",
        ),
        (
            "{{.month}} {{printf \"%d %s %5d|\" .month .month .month}} {{eq .month 3}} {{lt .month 4}}",
            "March 3 March     3| true true",
        ),
        (
            "{{eq .p .q}} {{eq .ptr .same}} {{if .p}}y{{end}}{{if .nil}}y{{else}}n{{end}}",
            "true true yn",
        ),
        (
            "{{.p.Nope}}",
            "template: x:1:4: executing \"x\" at <.p.Nope>: can't evaluate field Nope in type interface {}",
        ),
        (
            "{{(.p).Nope}}",
            "template: x:1:3: executing \"x\" at <.p>: can't evaluate field Nope in type main.Point",
        ),
        (
            "{{.nil.X}}",
            "template: x:1:6: executing \"x\" at <.nil.X>: nil pointer evaluating interface {}.X",
        ),
        (
            "{{.p.X 1}}",
            "template: x:1:4: executing \"x\" at <.p.X>: X has arguments but cannot be invoked as function",
        ),
        (
            "{{.p.Sum 1}}",
            "template: x:1:4: executing \"x\" at <.p.Sum>: wrong number of args for Sum: want 2 got 1",
        ),
        (
            "{{.p.Sum 1 \"a\"}}",
            "template: x:1:11: executing \"x\" at <\"a\">: expected integer; found \"a\"",
        ),
        (
            "{{.p.Fail | print}}",
            "template: x:1:4: executing \"x\" at <.p.Fail>: error calling Fail: failed",
        ),
        (
            "{{len .p}}",
            "template: x:1:2: executing \"x\" at <len .p>: error calling len: len of type main.Point",
        ),
        (
            "{{eq .p .ptr}}",
            "template: x:1:2: executing \"x\" at <eq .p .ptr>: error calling eq: non-comparable types {%!s(int=7) p}: main.Point, *main.Point: &{7 p}",
        ),
        (
            "{{range .p}}{{end}}",
            "template: x:1:8: executing \"x\" at <.p>: range can't iterate over {7 p}",
        ),
        (
            "{{range .ptr}}{{end}}",
            "template: x:1:8: executing \"x\" at <.ptr>: range can't iterate over {7 p}",
        ),
        (
            "{{.nil.Nope}}",
            "template: x:1:6: executing \"x\" at <.nil.Nope>: can't evaluate field Nope in type interface {}",
        ),
        (
            "{{(.nil).X}}",
            "template: x:1:3: executing \"x\" at <.nil>: nil pointer evaluating *main.Point.X",
        ),
        (
            "{{len .nil}}",
            "template: x:1:2: executing \"x\" at <len .nil>: error calling len: len of nil pointer",
        ),
        (
            "{{index .ptr 1}}",
            "template: x:1:2: executing \"x\" at <index .ptr 1>: error calling index: can't index item of type main.Point",
        ),
        ("{{.nil}} {{eq .nil nil}} {{eq .nil .ptr}}", "<nil> true false"),
        (
            "{{(.month).x}}",
            "template: x:1:3: executing \"x\" at <.month>: can't evaluate field x in type time.Month",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(run(text), expected, "{text}");
    }
}

#[test]
fn randomness_is_keyed_by_place_and_run() {
    let text = "{{range 2}}{{draw}}|{{end}}\n{{draw}}";
    assert_eq!(run(text), "x:13:0:0|x:13:1:0|\nx:30:0:0");
}

#[test]
fn functions_share_the_state_of_one_execution() {
    assert_eq!(run("{{count}}{{count}}{{count}}"), "123");
}
