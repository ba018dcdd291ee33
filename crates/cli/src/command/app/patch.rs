//! `app patch`.

use std::process::ExitCode;

use pintle_engine::record::PatchType;
use pintle_server::api::PatchRequest;

use super::app_ref;
use crate::args::AppPatchArgs;
use crate::exit::CliError;
use crate::output::{self, print};
use crate::wiring::Session;

pub(super) async fn run(session: &Session, args: AppPatchArgs) -> Result<ExitCode, CliError> {
    let patch_type = if args.patch_type == "merge" {
        PatchType::Merge
    } else {
        PatchType::Json
    };
    let request = PatchRequest {
        app: app_ref(&args.name, &args.namespace),
        patch: args.patch,
        patch_type,
    };
    let patched = session.apps.patch(request).await?;
    print(&output::yaml(patched.to_object().value()))?;
    Ok(ExitCode::SUCCESS)
}
