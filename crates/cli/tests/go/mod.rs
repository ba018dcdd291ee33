//! The real `helm`, built once with Go from the pins of `tests/helm`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The program, or `None` where Go or the modules are missing: said aloud, and a failure in CI.
pub fn helm(test: &str) -> Option<PathBuf> {
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/helm");
    let pins = std::fs::read(module.join("go.sum")).unwrap();
    let version = {
        let text = std::fs::read_to_string(module.join("go.mod")).unwrap();
        let line = text.lines().find_map(|l| l.strip_prefix("require helm.sh/helm/v4 "));
        line.unwrap().to_owned()
    };
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")))?
        .join("pintle/helm-program");
    std::fs::create_dir_all(&cache).unwrap();
    let program = cache.join(format!("helm-{}", &sha256(&pins)[..12]));
    let lock = std::fs::File::create(cache.join("build.lock")).unwrap();
    lock.lock().unwrap();
    if program.exists() {
        return Some(program);
    }
    // First only the sources: if this fails the machine lacks something, if the build fails the pins are wrong.
    let lacking = match go(&module, &["list", "-deps", "-f", ""]) {
        Ok(out) if out.status.success() => None,
        Ok(out) => Some(String::from_utf8_lossy(&out.stderr).into_owned()),
        Err(e) => Some(e.to_string()),
    };
    if let Some(reason) = lacking {
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "helm cannot be built, and with CI=true nothing steps aside: {reason}"
        );
        // Past the test runner's capture.
        let _ = writeln!(std::io::stderr(), "stepped aside: {test}: {reason}");
        return None;
    }
    let flags = format!("-s -w -X helm.sh/helm/v4/internal/version.version={version}");
    // Beside its final place, then renamed: a killed build leaves nothing that looks whole.
    let fresh = program.with_extension("building");
    let out = fresh.to_str().unwrap();
    let built = go(&module, &["build", "-buildvcs=false", "-ldflags", &flags, "-o", out]).unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    std::fs::rename(&fresh, &program).unwrap();
    Some(program)
}

fn go(module: &Path, arguments: &[&str]) -> std::io::Result<Output> {
    Command::new("go")
        .current_dir(module)
        .args(arguments)
        .arg("helm.sh/helm/v4/cmd/helm")
        .env("GOFLAGS", "-mod=readonly")
        .env("GOWORK", "off")
        .env("CGO_ENABLED", "0")
        .output()
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}
