//! What `pintle diff` prints of a change, in every format.

use pintle_tests::checkout::git;
use tempfile::TempDir;

use crate::checkout::{AUTOMATED, Checkout, DEPLOYMENT, URL, application, contains, pintle, pintle_words};

#[test]
fn nothing_changes_where_nothing_is_read() {
    let shop = Checkout::shop();
    shop.write("README.md", "hello\n");
    shop.commit("docs");
    let (code, out, err) = shop.diff("");
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(
        out,
        "3 Applications: 0 added, 0 changed, 0 removed, 3 unchanged. Objects: 0 added, 0 changed, 0 removed, of which 0 would be deleted.\n"
    );
}

#[test]
fn what_a_commit_does_is_shown_by_application() {
    let shop = Checkout::shop();
    shop.write("plain/web.yaml", &DEPLOYMENT.replace("1.4", "1.5"));
    shop.remove("plain/old.yaml");
    shop.remove("plain/kept.yaml");
    shop.write("values/prod.yaml", "greeting: good evening\n");
    shop.remove("apps/overlay.yaml");
    shop.app("added", "path: base", "");
    shop.commit("everything");
    let (code, out, err) = shop.diff("");
    assert_eq!(code, 1, "{err}");
    contains(
        &out,
        &[
            "Application argocd/added added  apps/added.yaml:1\n  image new: shop:1.4\n  + apps/Deployment shop/web\n",
            "Application argocd/chart changed  apps/chart.yaml:1\n  ~ ConfigMap shop/chart-greeting\n",
            "-  greeting: good day\n+  greeting: good evening\n",
            "Application argocd/overlay removed",
            "  - apps/Deployment shop/prod-web  (left behind: its Application goes and does not take it along)\n",
            "Application argocd/plain changed  apps/plain.yaml:1\n  image shop:1.4 → shop:1.5\n",
            "  - ConfigMap shop/kept  (stays: Prune=false)\n  - ConfigMap shop/old  (pruned by automated sync)\n",
            "-      - image: shop:1.4\n+      - image: shop:1.5\n",
            "4 Applications: 1 added, 2 changed, 1 removed, 0 unchanged. Objects: 1 added, 2 changed, 3 removed, of which 1 would be deleted.\n",
        ],
    );
    assert!(!out.contains('\x1b'));
    let (_, coloured, _) = shop.diff("--color always");
    contains(&coloured, &["\x1b[32m+"]);
    let (code, json, _) = shop.diff("-o json");
    assert_eq!(code, 1);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["summary"]["applications"]["changed"], 2);
    let plain = json["applications"]
        .as_array()
        .unwrap()
        .iter()
        .find(|a| a["name"] == "plain")
        .unwrap();
    assert_eq!(plain["images"][0]["head"], "shop:1.5");
    let old = plain["objects"]
        .as_array()
        .unwrap()
        .iter()
        .find(|o| o["name"] == "old")
        .unwrap();
    assert_eq!(
        (&old["change"], &old["removal"]["deleted"]),
        (&"removed".into(), &true.into())
    );
    let (code, page, _) = shop.diff("-o markdown");
    assert_eq!(code, 1);
    contains(
        &page,
        &[
            "| argocd/plain | changed |",
            "shop:1.4 → shop:1.5",
            "<details><summary>argocd/plain changed</summary>",
        ],
    );
    // Another part of the repository holds no Application.
    let (code, out, _) = shop.diff("base");
    assert_eq!(code, 0);
    contains(
        &out,
        &["0 Applications", "no file at or below base describes an Application"],
    );
}

#[test]
fn the_policy_of_an_application_is_a_change_of_it() {
    let shop = Checkout::shop();
    shop.app("plain", "path: plain", "");
    shop.commit("by hand");
    let (code, out, _) = shop.diff("");
    assert_eq!(code, 1);
    contains(
        &out,
        &[
            "Application argocd/plain changed",
            "argoproj.io/Application argocd/plain",
            "-      prune: true",
        ],
    );
}

#[test]
fn applications_that_an_application_renders_are_followed() {
    let shop = Checkout::shop();
    let child = application("child", "path: overlay", "");
    shop.write("children/child.yaml", &child);
    // Its own template does not parse as YAML, so only what renders it finds it.
    shop.write("root/Chart.yaml", "apiVersion: v2\nname: root\nversion: 1.0.0\n");
    shop.write("root/values.yaml", "names: [grown]\n");
    shop.write(
        "root/templates/apps.yaml",
        &format!(
            "{{{{- range .Values.names }}}}\n---\n{}{{{{- end }}}}\n",
            application("{{ . }}", "path: base", "")
        ),
    );
    shop.app("root", "path: root", AUTOMATED);
    shop.app("itself", "path: apps", "");
    shop.commit("app of apps");
    shop.write("base/web.yaml", &DEPLOYMENT.replace("1.4", "1.5"));
    shop.write("root/values.yaml", "names: [grown, another]\n");
    shop.commit("change");
    let (code, out, err) = shop.diff("");
    assert_eq!(code, 1, "{err}");
    contains(
        &out,
        &[
            "Application argocd/another added  rendered by argocd/root",
            "Application argocd/grown changed  rendered by argocd/root",
            "Application argocd/child changed",
            "+ argoproj.io/Application argocd/another",
            "note: argocd/itself renders itself",
        ],
    );
    // A parent that cannot be rendered takes no child along.
    shop.write("root/values.yaml", "names: {{\n");
    shop.commit("broken");
    let (code, out, _) = shop.diff("");
    assert_eq!(code, 20);
    contains(
        &out,
        &[
            "Application argocd/root could not be compared",
            "  and 2 Applications that it renders: argocd/another, argocd/grown\n",
            "3 could not be compared",
        ],
    );
    let (_, json, _) = shop.diff("-o json");
    contains(
        &json,
        &[
            "\"causedBy\": \"argocd/root\"",
            "argocd/root, which renders it, could not be rendered at head",
        ],
    );
    assert!(!out.contains("removed  "), "{out}");
}

#[test]
fn what_cannot_be_rendered_is_a_failure_and_never_empty() {
    let shop = Checkout::shop();
    shop.write("chart/templates/config.yaml", "{{ fail \"no\" }}\n");
    shop.write("plain/web.yaml", &DEPLOYMENT.replace("1.4", "1.5"));
    shop.write(
        "apps/overlay.yaml",
        "kind: Application\napiVersion: argoproj.io/v1alpha1\nmetadata: {name: overlay\n",
    );
    shop.commit("broken");
    let (code, out, _) = shop.diff("");
    assert_eq!(code, 20);
    contains(
        &out,
        &[
            "Application argocd/chart could not be compared",
            "at head: ",
            "Application argocd/overlay could not be compared",
            "note: apps/overlay.yaml cannot be read at head",
            "shop:1.4 → shop:1.5",
            "0 removed, of which 0 would be deleted",
        ],
    );
    let (code, page, _) = shop.diff("-o markdown");
    assert_eq!(code, 20);
    contains(&page, &["**could not be compared**"]);
    // What became a template is not gone either.
    shop.app("plain", "path: {{ plain", "");
    shop.commit("template");
    let (_, out, _) = shop.pintle("diff --base HEAD~2 --head HEAD");
    contains(
        &out,
        &[
            "Application argocd/plain could not be compared",
            "looks like a template",
        ],
    );
    shop.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    // And back: it was not known, so nothing is called added.
    shop.git(&["revert", "--no-edit", "HEAD"]);
    let (code, out, _) = shop.diff("");
    assert_eq!(code, 1);
    contains(
        &out,
        &["Application argocd/chart could not be compared", "at base: ", "0 added"],
    );
}

#[test]
fn secrets_are_masked_everywhere() {
    let shop = Checkout::shop();
    let secret = |value: &str| {
        format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData: {{password: {value}}}\n")
    };
    shop.write("plain/secret.yaml", &secret("CANARY1"));
    shop.commit("one");
    shop.write("plain/secret.yaml", &secret("CANARY2"));
    shop.commit("two");
    for format in ["text", "json", "markdown"] {
        let (code, out, err) = shop.diff(&format!("-o {format}"));
        assert_eq!(code, 1);
        contains(&out, &["++++++++"]);
        assert!(!out.contains("CANARY") && !err.contains("CANARY"), "{out}{err}");
    }
}

#[test]
fn a_comment_is_bounded_and_its_fences_hold() {
    let shop = Checkout::shop();
    for i in 0..400 {
        shop.app(&format!("many-{i:03}"), &format!("path: many/{i}"), "");
        let text = format!("ä```` {i} ").repeat(40);
        shop.write(
            &format!("many/{i}/a.yaml"),
            &format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata:\n  text: |-\n    {text}\n"),
        );
    }
    shop.commit("many");
    let (code, page, _) = shop.diff("-o markdown");
    assert_eq!(code, 1);
    let count = page.chars().count();
    assert!(count <= 65_000 && count > 50_000, "{count}");
    contains(
        &page,
        &["**Cut to fit a comment of 65000 characters:**", "the diffs of"],
    );
    assert_eq!(page.matches("<details>").count(), page.matches("</details>").count());
    let blocks = fenced(&page);
    assert!(blocks > 10, "{blocks}");
    contains(&page, &["`````diff"]);
}

/// Counts the blocks of code as Markdown reads them: each ends with the first line of as many backticks, and that has to be the one we wrote.
#[track_caller]
fn fenced(page: &str) -> usize {
    let mut open: Option<String> = None;
    let mut blocks = 0;
    for line in page.lines() {
        let ticks: String = line.trim_start().chars().take_while(|c| *c == '`').collect();
        match &open {
            None if ticks.len() >= 3 => {
                assert_eq!(line, format!("{ticks}diff"));
                open = Some(ticks);
            }
            Some(fence) if ticks.len() >= fence.len() => {
                assert_eq!(line, fence, "a line of the text ends the block");
                open = None;
                blocks += 1;
            }
            Some(_) => assert!(!line.contains("details>"), "{line}"),
            None => {}
        }
    }
    assert!(open.is_none());
    blocks
}

#[test]
fn application_sets_are_counted_aloud() {
    let shop = Checkout::shop();
    shop.write(
        "apps/set.yaml",
        "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: s}\nspec: {}\n",
    );
    shop.commit("set");
    let (code, out, _) = shop.diff("");
    assert_eq!(code, 0);
    contains(&out, &["note: ApplicationSets are not expanded (0 at base, 1 at head)"]);
}

#[test]
fn exit_codes_of_wrong_usage_and_of_what_is_not_there() {
    let shop = Checkout::shop();
    for line in [
        "diff",
        "diff --base main",
        "diff --base main --head main -o xml",
        "render",
        "--loglevel debug diff",
    ] {
        assert_eq!(pintle(shop.dir.path(), line).0, 2, "{line}");
    }
    assert_eq!(shop.pintle("render apps --repo nonsense").0, 2);
    let (code, _, err) = shop.pintle("diff --base nowhere --head main");
    assert_eq!(code, 20);
    contains(&err, &["nowhere", "fetch-depth"]);
    let (code, _, said) = shop.pintle("diff --base HEAD --head HEAD aps");
    assert_eq!(code, 20);
    contains(&said, &["aps is not at HEAD"]);
    assert_eq!(shop.pintle("render nowhere").0, 20);
    assert_eq!(shop.pintle("render plain").0, 20);
    for given in ["", "HEAD~99"] {
        let (code, _, said) = pintle_words(shop.dir.path(), &["diff", "--base", given, "--head", "HEAD"]);
        assert_eq!(code, 20);
        assert!(!said.contains("delegate") && !said.contains("input="), "{said}");
    }
    let bare = TempDir::new().unwrap();
    assert_eq!(pintle(bare.path(), "diff --base a --head b").0, 20);
}

#[test]
fn a_partial_clone_is_told_what_to_fetch() {
    let shop = Checkout::shop();
    shop.git(&["config", "uploadpack.allowFilter", "true"]);
    shop.write("plain/web.yaml", &DEPLOYMENT.replace("1.4", "1.5"));
    shop.remove("plain/old.yaml");
    shop.commit("next");
    let there = TempDir::new().unwrap();
    let url = format!("file://{}", shop.dir.path().display());
    git(there.path(), &["clone", "--quiet", "--filter=blob:none", &url, "clone"]).unwrap();
    let clone = there.path().join("clone");
    git(&clone, &["remote", "add", "shop", URL]).unwrap();
    let line = "diff --base HEAD~1 --head HEAD --offline";
    let (code, _, said) = pintle(&clone, line);
    assert_eq!(code, 20);
    contains(&said, &["partial clone", "git fetch --refetch --no-filter"]);
    git(&clone, &["fetch", "--quiet", "--refetch", "--no-filter", "origin"]).unwrap();
    let (code, out, said) = pintle(&clone, line);
    assert_eq!(code, 1, "{said}");
    contains(&out, &["image shop:1.4 → shop:1.5"]);
}
