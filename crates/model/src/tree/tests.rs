use super::*;

fn path(text: &str) -> TreePath {
    TreePath::new(text).unwrap()
}

fn tree() -> MemoryTree {
    MemoryTree::new()
        .with_file(path("a/one.yaml"), *b"1")
        .with_file(path("a/b/two.yaml"), *b"2")
        .with_file(path("c/three.yaml"), *b"3")
        .with_symlink(path("a/link.yaml"), "../c/three.yaml")
        .with_symlink(path("a/dir"), "../c")
        .with_symlink(path("a/out"), "../../etc/passwd")
        .with_symlink(path("a/abs"), "/etc/passwd")
        .with_symlink(path("loop"), "loop")
        .with_symlink(path("dangling"), "nowhere/at/all")
}

fn text(reader: &Reader<'_>, at: &str) -> String {
    match reader.file(&path(at), 100) {
        Ok(Some(file)) => format!("{} at {}", String::from_utf8_lossy(&file.bytes), file.path),
        Ok(None) => "none".to_owned(),
        Err(e) => e.to_string(),
    }
}

#[test]
fn paths_cannot_leave_by_spelling() {
    assert_eq!(path("./a//b/../c").as_str(), "a/c");
    assert_eq!(path("/a").as_str(), "a");
    assert_eq!(TreePath::new("a/../../b"), Err(BadPath::AboveRoot));
    assert_eq!(path("a").join("/b"), Err(BadPath::Absolute));
    assert_eq!(path("a/b").strip_prefix(&path("a")), Some("b"));
    assert_eq!(path("ab").strip_prefix(&path("a")), None);
}

#[test]
fn links_are_followed_inside_and_never_out() {
    let tree = tree();
    let reader = Reader::new(&tree);
    assert_eq!(text(&reader, "a/one.yaml"), "1 at a/one.yaml");
    assert_eq!(text(&reader, "a/link.yaml"), "3 at c/three.yaml");
    assert_eq!(text(&reader, "a/dir/three.yaml"), "3 at c/three.yaml");
    assert_eq!(text(&reader, "a"), "none");
    assert_eq!(text(&reader, "dangling"), "none");
    assert_eq!(
        text(&reader, "a/out"),
        "symbolic link \"a/out\" points out of the repository (to \"../../etc/passwd\")"
    );
    assert_eq!(
        text(&reader, "a/abs"),
        "symbolic link \"a/abs\" points out of the repository (to \"/etc/passwd\")"
    );
    assert_eq!(text(&reader, "loop"), "too many symbolic links at \"loop\"");
}

#[test]
fn dotdot_in_a_target_is_walked_and_not_spelled() {
    let tree = tree()
        .with_symlink(path("d"), "a/b")
        .with_symlink(path("e"), "d/../../c/three.yaml");
    assert_eq!(text(&Reader::new(&tree), "e"), "3 at c/three.yaml");

    // `x` shortens the path, so that by walking the target leads above the root although by spelling it does not; the last link
    // followed is the one named.
    let tree = tree
        .with_symlink(path("x"), ".")
        .with_symlink(path("f"), "x/a/../../c/three.yaml");
    assert_eq!(
        text(&Reader::new(&tree), "f"),
        "symbolic link \"x\" points out of the repository (to \".\")"
    );
}

#[test]
fn a_read_set_tells_exactly_what_matters() {
    let before = tree();
    let reader = Reader::new(&before);
    assert_eq!(text(&reader, "a/link.yaml"), "3 at c/three.yaml");
    assert_eq!(text(&reader, "a/none.yaml"), "none");
    let reads = reader.into_reads();
    let difference = |t: &MemoryTree| reads.first_difference(t).unwrap().map(|p| p.to_string());

    assert_eq!(difference(&before), None);
    assert_eq!(
        difference(&before.clone().with_file(path("README.md"), *b"x")),
        None,
        "an unrelated file"
    );
    assert_eq!(
        difference(&before.clone().with_file(path("a/one.yaml"), *b"x")),
        None,
        "a sibling that was not read"
    );
    assert_eq!(
        difference(&before.clone().with_file(path("c/three.yaml"), *b"x")).as_deref(),
        Some("c/three.yaml")
    );
    assert_eq!(
        difference(&before.clone().with_file(path("a/none.yaml"), *b"x")).as_deref(),
        Some("a/none.yaml")
    );
    assert_eq!(
        difference(&before.clone().with_symlink(path("a/link.yaml"), "one.yaml")).as_deref(),
        Some("a/link.yaml")
    );
}

#[test]
fn limits_fail_and_never_truncate() {
    let tree = tree();
    assert!(matches!(
        Reader::new(&tree).file(&path("a/one.yaml"), 0),
        Err(TreeError::TooLarge { size: 1, .. })
    ));
}

#[test]
fn directories_list_what_links_lead_to() {
    let tree = MemoryTree::new()
        .with_file(path("a/x.yaml"), *b"1")
        .with_symlink(path("a/d"), "../b")
        .with_file(path("b/y.yaml"), *b"2");
    let reader = Reader::new(&tree);
    let names: Vec<String> = reader
        .dir(&path("a"))
        .unwrap()
        .unwrap()
        .iter()
        .map(|e| format!("{} {:?}", e.name, e.kind))
        .collect();
    assert_eq!(names, ["d Dir", "x.yaml File"]);
    assert!(reader.dir(&path("a/x.yaml")).unwrap().is_none());
}
