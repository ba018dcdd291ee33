//! Our own renderer, asked the way Helm is.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use pintle_model::tree::{MemoryTree, Reader, TreePath};
use pintle_render::helm::{
    Capabilities, Chart, HelmError, KubeVersion, Limits, Now, Options, RandomAmbient, ValueOptions, template,
};

use super::{Answer, Case, random::random_bytes};

/// Longer than Helm itself may take over a case: a case that needs it is a fault of ours.
const ENDS_WITHIN: Duration = Duration::from_secs(15);

/// What our renderer makes of `case`.
///
/// A panic or a render that does not end is an answer of its own, so that it differs from whatever Helm says.
pub fn ours(case: &Case) -> Answer {
    let limits = Limits::default();
    // Memory of a stack is only taken where it is used, so each case can have its own.
    let rendered = thread::scope(|scope| {
        thread::Builder::new()
            .name("ours".into())
            .stack_size(limits.stack_bytes())
            .spawn_scoped(scope, || render(case, limits))
            .map(thread::ScopedJoinHandle::join)
    });
    match rendered {
        Ok(Ok(Ok(text))) => Answer::Output(text),
        Ok(Ok(Err(error))) => Answer::Error(error.to_string()),
        Ok(Err(_)) => Answer::Error("our renderer panicked".to_owned()),
        Err(error) => Answer::Nothing(format!("no thread to render in: {error}")),
    }
}

fn render(case: &Case, limits: Limits) -> Result<String, HelmError> {
    let until = Instant::now() + ENDS_WITHIN;
    let values = ValueOptions {
        files: (0..).map(|n| format!("values[{n}]")).zip(case.values.clone()).collect(),
        set: case.set.clone(),
        strings: case.set_string.clone(),
        ..ValueOptions::default()
    };
    let mut capabilities = Capabilities::default();
    capabilities.api_versions.extend(case.api_versions.iter().cloned());
    let mut tree = MemoryTree::new();
    for (path, text) in &case.files {
        let path = TreePath::new(path).map_err(|e| HelmError::Chart(e.to_string()))?;
        tree = tree.with_file(path, text.clone().into_bytes());
    }
    // Helm reads flags before values and values before the chart, and of two errors tells the first.
    if !case.kube_version.is_empty() {
        capabilities.kube_version = KubeVersion::parse(&case.kube_version)?;
    }
    values.check()?;
    let chart = Chart::load(&Reader::new(&tree), &TreePath::root(), &limits)?;
    let options = Options {
        release_name: case.release.clone(),
        namespace: case.namespace.clone(),
        values,
        capabilities,
        include_crds: case.include_crds,
        is_upgrade: case.is_upgrade,
        limits,
        cancelled: Some(Arc::new(move || Instant::now() > until)),
        ..Options::default()
    };
    // Whatever depends on time or chance is dropped, for Helm does not answer it twice alike.
    let now = Now {
        seconds: 1_780_000_000,
        nanos: 0,
        offset_seconds: 0,
    };
    let ambient = RandomAmbient::new(now, random_bytes());
    Ok(template(&chart, &options, &ambient)?.text)
}
