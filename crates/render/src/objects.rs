//! From documents to objects: what counts as one, and lists in a row [F4.14].

use pintle_model::tree::TreePath;
use pintle_model::{Object, Value};

use crate::{Diagnostic, Output, RenderedObject};

/// Adds the object that a document is, or the objects of a list. `hint` tells what to do about a document that is none.
pub(crate) fn object(path: &TreePath, line: usize, value: Value, hint: &str, out: &mut Output) {
    let object = match Object::new(value) {
        Ok(object) => object,
        Err(e) => {
            let message = format!("not a Kubernetes object: {e}; {hint}");
            return out.diagnostics.push(Diagnostic::error(path, Some(line), message));
        }
    };
    // `List` kinds: anything called …List with an `items` field.
    let is_list = object.kind().ends_with("List") && object.value().get("items").is_some();
    if is_list {
        for item in object.value().list_at(&["items"]) {
            match Object::new(item.clone()) {
                Ok(object) => out.push(object, path, line),
                Err(e) => out.diagnostics.push(Diagnostic::error(
                    path,
                    Some(line),
                    format!("an item of this list is no Kubernetes object: {e}"),
                )),
            }
        }
        return;
    }
    if object.name().is_empty() && object.generate_name().is_empty() {
        let message = format!("{} has neither metadata.name nor metadata.generateName", object.kind());
        return out.diagnostics.push(Diagnostic::error(path, Some(line), message));
    }
    out.push(object, path, line);
}

impl Output {
    fn push(&mut self, object: Object, path: &TreePath, line: usize) {
        let path = path.clone();
        self.objects.push(RenderedObject { object, path, line });
    }
}
