//! Project chores, one command each: `cargo xtask <command>`.

mod bench;
mod check;
mod codegen;
mod fuzz;
mod kustomize;
mod packages;
mod proto;
mod run;
mod schema;
mod test;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask <command>

  test      everything: check, then every test; says what it stepped aside from, and why
  check     formatting, lints, tidy, licences and bans; no tests
  tidy      layers, purity, links, names that docs mention, large files
  codegen   writes files made from code: crds (the default); schema, proto and kustomize, which need Go
  fuzz      generated charts, compared with Helm itself, which needs Go: helm [--minutes N] [--seed S]; hostile input: yaml, merge,
            url, paths, archive, chart, template
  bench     measures on the real control plane, which needs Go: [--apps 300,1000] [--only s0,b1,b3,f1,f2,f3]
            [--sources plain|thirds]
            or beside helm and kustomize: render [helm|kustomize] [--samples N] [--case PART]
            or what a pull request would change: diff [--apps 1000] [--samples N]
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let rest = args.get(1..).unwrap_or_default();
    let result = match args.first().map(String::as_str) {
        Some("test") => test::run_all(rest),
        Some("check") => check::run_all(),
        Some("tidy") => tidy::run(),
        Some("codegen") => codegen::run(rest),
        Some("fuzz") => fuzz::run_all(rest),
        Some("bench") => bench::run_all(rest),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}
