//! `app logs`.

use std::process::ExitCode;

use futures_util::StreamExt as _;
use pintle_server::api::PodLogsQuery;

use super::app_ref_in;
use crate::args::AppLogsArgs;
use crate::exit::CliError;
use crate::output::print;
use crate::wiring::Session;

pub(super) async fn run(session: &Session, args: AppLogsArgs) -> Result<ExitCode, CliError> {
    let until_time =
        match &args.until_time {
            Some(text) => {
                let time = text.parse();
                Some(time.map_err(|_| {
                    CliError::usage(format!("--until-time {text:?} should be like 2026-01-02T03:04:05Z"))
                })?)
            }
            None => None,
        };
    let query = PodLogsQuery {
        app: app_ref_in(&args.app_name, args.app_namespace.as_ref()),
        group: args.group,
        kind: args.kind,
        namespace: args.namespace,
        resource_name: args.name,
        pod_name: String::new(),
        container: args.container,
        follow: args.follow,
        previous: args.previous,
        tail_lines: Some(args.tail).filter(|n| *n > 0),
        since_seconds: Some(args.since_seconds).filter(|n| *n > 0),
        until_time,
        filter: args.filter,
        match_case: args.match_case,
    };
    let mut lines = session.apps.pod_logs(query).await?;
    while let Some(line) = lines.next().await {
        print(&format!("{}\n", line?.content))?;
    }
    Ok(ExitCode::SUCCESS)
}
