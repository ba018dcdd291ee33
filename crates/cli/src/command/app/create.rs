//! `app create`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use pintle_model::annotation::FINALIZER;
use pintle_model::application::Application;
use pintle_server::api::AppRef;

use super::source::apply_flags;
use crate::args::AppCreateArgs;
use crate::command::file;
use crate::exit::CliError;
use crate::output::print;
use crate::wiring::Session;

pub(super) async fn run(session: &Session, args: AppCreateArgs) -> Result<ExitCode, CliError> {
    let app = application(&args)?;
    let name = app.metadata.name.clone();
    let before = session.apps.get(
        AppRef {
            name: name.clone(),
            namespace: app.metadata.namespace.clone(),
            project: String::new(),
        },
        None,
    );
    // Only for the word in the answer; the service itself decides what happens.
    let before = before.await.ok().map(|app| app.metadata.resource_version);
    let created = session
        .apps
        .create(app, args.upsert, args.source.validate != Some(false))
        .await?;
    let action = match before {
        None => "created",
        Some(version) if version == created.metadata.resource_version => "unchanged",
        Some(_) => "updated",
    };
    print(&format!("application '{name}' {action}\n"))?;
    Ok(ExitCode::SUCCESS)
}

/// The Application that the file and the flags describe; flags win.
fn application(args: &AppCreateArgs) -> Result<Application, CliError> {
    let mut app = match &args.file {
        Some(path) => {
            let object = file::object(path)?;
            Application::from_object(&object).map_err(|e| CliError::error(format!("{path}: {e}")))?
        }
        None => Application::default(),
    };
    let name = match (&args.app_name, &args.name) {
        (Some(a), Some(b)) if a != b => {
            return Err(CliError::usage(format!(
                "--name argument '{b}' does not match app name {a}"
            )));
        }
        (a, b) => a.as_ref().or(b.as_ref()),
    };
    if let Some(name) = name {
        match name.split_once('/') {
            Some((namespace, name)) => {
                app.metadata.namespace = namespace.into();
                app.metadata.name = name.into();
            }
            None => app.metadata.name.clone_from(name),
        }
    }
    if app.metadata.name.is_empty() {
        return Err(CliError::usage("the name of the application is missing")
            .with_hint("`app create NAME --repo URL --path PATH --dest-server https://kubernetes.default.svc --dest-namespace NAMESPACE`"));
    }
    if let Some(namespace) = &args.namespace.app_namespace {
        app.metadata.namespace.clone_from(namespace);
    }
    app.metadata.labels.extend(pairs("--label", &args.label)?);
    app.metadata
        .annotations
        .extend(pairs("--annotations", &args.annotations)?);
    if args.set_finalizer && !app.metadata.finalizers.iter().any(|f| f == FINALIZER) {
        app.metadata.finalizers.push(FINALIZER.into());
    }
    apply_flags(&mut app.spec, &args.source, None)?;
    Ok(app)
}

/// `key=value` texts.
pub(super) fn pairs(flag: &str, texts: &[String]) -> Result<BTreeMap<String, String>, CliError> {
    texts
        .iter()
        .map(|text| match text.split_once('=') {
            Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
            _ => Err(CliError::usage(format!("{flag} {text:?} should be key=value"))),
        })
        .collect()
}
