//! `lookup` asks the Ambient, and sees nothing where that has no answer.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use pintle_gotmpl::{Ambient, CallSite, FuncError, Now, Value};
use pintle_model::tree::{MemoryTree, Reader, TreePath};
use pintle_render::helm::{Chart, Limits, Options, template};

/// A cluster with one Secret, where Secrets of one namespace may be read.
struct Cluster;

impl Ambient for Cluster {
    fn now(&self) -> Now {
        Now {
            seconds: 0,
            nanos: 0,
            offset_seconds: 0,
        }
    }

    fn random(&self, _: &CallSite, _: u32, out: &mut [u8]) {
        out.fill(0);
    }

    fn outside(&self, function: &str, arguments: &[Value]) -> Result<Option<Value>, FuncError> {
        let text = |at: usize| {
            arguments
                .get(at)
                .and_then(Value::as_text)
                .map(|t| t.to_str().into_owned())
        };
        assert_eq!(
            (function, text(0).as_deref(), text(1).as_deref()),
            ("lookup", Some("v1"), Some("Secret"))
        );
        match text(2).as_deref() {
            Some("mine") => Ok(Some(Value::map([(
                "data",
                Value::map([("key", Value::str("dmFsdWU="))]),
            )]))),
            Some("empty") => Ok(None),
            _ => Err(FuncError::new("secrets is forbidden")),
        }
    }
}

fn check(namespace: &str, expected: &str) {
    let file =
        |tree: MemoryTree, path: &str, text: String| tree.with_file(TreePath::new(path).unwrap(), text.into_bytes());
    let tree = file(
        MemoryTree::new(),
        "Chart.yaml",
        "apiVersion: v2\nname: c\nversion: 1.0.0\n".into(),
    );
    let text = format!("found: {{{{ (lookup \"v1\" \"Secret\" \"{namespace}\" \"s\").data | toJson }}}}\n");
    let tree = file(tree, "templates/a.yaml", text);
    let chart = Chart::load(&Reader::new(&tree), &TreePath::root(), &Limits::default()).unwrap();
    let limits = Limits {
        template_depth: 100,
        ..Limits::default()
    };
    let options = Options {
        limits,
        ..Options::default()
    };
    let said = match template(&chart, &options, &Cluster) {
        Ok(output) => output.text,
        Err(error) => error.to_string(),
    };
    assert!(said.contains(expected), "{said}");
}

#[test]
fn lookup_answers_what_the_ambient_does() {
    check("mine", "found: {\"key\":\"dmFsdWU=\"}");
    check("empty", "found: null");
    check("other", "error calling lookup: secrets is forbidden");
}
