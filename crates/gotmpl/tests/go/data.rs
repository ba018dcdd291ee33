//! The data and functions that the recorded cases were run with in Go.

use std::sync::Arc;

use pintle_gotmpl::{
    Ambient, Call, CallSite, Functions, LIST_ANY, LIST_INT, LIST_STRING, List, MAP_ANY, Map, MapType, Method, Now,
    Number, NumberKind, Str, Type, Value, fmt,
};

/// An ambient of fixed answers.
pub struct Fixed;

impl Ambient for Fixed {
    fn now(&self) -> Now {
        Now {
            seconds: 0,
            nanos: 0,
            offset_seconds: 0,
        }
    }

    fn random(&self, site: &CallSite, draw: u32, out: &mut [u8]) {
        out.fill((site.position + site.run + draw) as u8);
    }
}

static VALUES: MapType = MapType {
    name: "main.Values",
    named: true,
    elem: Type::Any,
    methods: &[Method {
        name: "Hi",
        params: &[Type::String],
        variadic: false,
        call: |_, receiver, args| {
            let len = receiver.as_map().map_or(0, Map::len);
            let name = args[0].as_text().unwrap().to_str().into_owned();
            Ok(Value::str(format!("hi {name} {len}")))
        },
    }],
};

pub fn data() -> Value {
    let strings = |items: &[&str]| Value::strings(items.iter().copied());
    Value::map([
        ("s", Value::str("hello")),
        ("e", Value::str("")),
        ("i", Value::Int(42)),
        ("i64", Value::Int64(-7)),
        ("f", Value::Float(3.0)),
        ("big", Value::Float(12_345_678.0)),
        ("pi", Value::Float(3.14159)),
        ("t", Value::Bool(true)),
        ("fa", Value::Bool(false)),
        ("n", Value::Nil),
        ("zero", Value::Float(0.0)),
        (
            "l",
            Value::list(vec![Value::str("a"), Value::Float(1.0), Value::Nil, Value::Bool(true)]),
        ),
        ("el", Value::list(vec![])),
        ("ls", strings(&["x", "y", "z"])),
        (
            "li",
            Value::List(List::of(&LIST_INT, vec![Value::Int(1), Value::Int(2), Value::Int(3)])),
        ),
        (
            "m",
            Value::map([
                ("b", Value::Float(1.0)),
                ("a", Value::map([("c", Value::str("deep"))])),
                ("z", Value::Nil),
            ]),
        ),
        ("em", Value::Map(Map::new())),
        ("ms", Value::Map(Map::strings([("k", "v"), ("j", "w")]))),
        ("by", Value::bytes(b"hi")),
        ("u8", Value::byte(200)),
        ("i32", Value::Number(Number::signed(NumberKind::Int32, -5))),
        ("u", Value::Number(Number::unsigned(NumberKind::Uint, 9))),
        ("f32", Value::Number(Number::float32(0.1))),
        ("d", Value::Duration(90_500_000_000)),
        (
            "v",
            Value::Map(Map::typed(
                &VALUES,
                [
                    ("x", Value::Map(Map::typed(&VALUES, [("y", Value::str("z"))]))),
                    ("n", Value::Int(2)),
                ],
            )),
        ),
        ("q", Value::str("a\"b\\c\n\t<é>☺\x01")),
        ("raw", Value::Str(Str::from_bytes(b"\xff\xfea"))),
        ("inf", Value::Float(f64::INFINITY)),
        ("nan", Value::Float(f64::NAN)),
        ("ninf", Value::Float(f64::NEG_INFINITY)),
        ("small", Value::Float(1e-7)),
        ("huge", Value::Float(1.5e300)),
        ("neg", Value::Float(-2.5)),
        (
            "lm",
            Value::list(vec![
                Value::map([("k", Value::str("v1"))]),
                Value::str("str"),
                Value::map([("k", Value::str("v2"))]),
            ]),
        ),
        ("big64", Value::Int64(9_007_199_254_740_993)),
        ("u64", Value::Number(Number::unsigned(NumberKind::Uint64, u64::MAX))),
    ])
}

pub fn functions() -> Arc<Functions> {
    let mut all = Functions::new();
    let list = Type::List(&LIST_ANY);
    let map = Type::Map(&MAP_ANY);
    all.add("str", &[Type::String], Type::String, |_, args| {
        let text = args[0].as_text().unwrap();
        Ok(Value::str(format!("<{}>", text.to_str())))
    });
    all.add("add", &[Type::Int64, Type::Int64], Type::Int64, |_, args| {
        Ok(Value::Int64(args[0].as_int().unwrap() + args[1].as_int().unwrap()))
    });
    all.add("i", &[Type::Int], Type::Int, |_, args| {
        Ok(Value::Int(args[0].as_int().unwrap() * 2))
    });
    all.add("fl", &[Type::Float], Type::Float, |_, args| {
        Ok(Value::Float(args[0].as_float().unwrap() / 2.0))
    });
    all.add("b", &[Type::Bool], Type::Bool, |_, args| {
        Ok(Value::Bool(!args[0].truth()))
    });
    all.add("any", &[Type::Any], Type::Any, |_, args| Ok(args[0].clone()));
    all.add_variadic("vari", &[Type::String, Type::Any], Type::String, |_, args| {
        let text = args[0].as_text().unwrap().to_str();
        Ok(Value::str(format!("{text}{}", args.len() - 1)))
    });
    all.add_variadic("varint", &[Type::Int], Type::Int, |_, args| {
        Ok(Value::Int(args.len() as i64))
    });
    all.add("bad", &[], Type::String, |_, _| Err("boom %d".into()));
    all.add("nilf", &[], Type::Any, |_, _| Ok(Value::Nil));
    all.add("ml", &[list], Type::Int, |_, args| {
        Ok(Value::Int(args[0].as_list().unwrap().len() as i64))
    });
    all.add("mm", &[map], Type::Int, |_, args| {
        Ok(Value::Int(args[0].as_map().unwrap().len() as i64))
    });
    all.add("ls", &[Type::List(&LIST_STRING)], Type::String, |_, args| {
        let items = args[0].as_list().unwrap();
        let texts: Vec<String> = items
            .iter()
            .map(|item| item.as_text().unwrap().to_str().into_owned())
            .collect();
        Ok(Value::str(texts.join("+")))
    });
    all.add_variadic("dict", &[Type::Any], map, |_, args| {
        let dict = Map::new();
        for pair in args.chunks_exact(2) {
            let Some(key) = pair[0].as_text() else {
                let got = pair[0].type_name();
                return Err(format!("interface conversion: interface {{}} is {got}, not string").into());
            };
            dict.insert(key.clone(), pair[1].clone());
        }
        Ok(Value::Map(dict))
    });
    all.add_variadic("list", &[Type::Any], list, |_, args| Ok(Value::list(args.to_vec())));
    all.add("set", &[map, Type::String, Type::Any], map, |_, args| {
        let map = args[0].as_map().unwrap();
        map.insert(args[1].as_text().unwrap().clone(), args[2].clone());
        Ok(args[0].clone())
    });
    all.add("typ", &[Type::Any], Type::String, |_, args| {
        Ok(Value::Str(fmt::sprintf("%T", args)?))
    });
    all.add("now", &[], Type::String, |_, _| Ok(Value::str("now")));
    all.add(
        "include",
        &[Type::String, Type::Any],
        Type::String,
        |call: &mut Call<'_>, args| {
            let name = args[0].as_text().unwrap().to_str().into_owned();
            Ok(Value::Str(call.engine().execute(&name, args[1].clone())?))
        },
    );
    Arc::new(all)
}
