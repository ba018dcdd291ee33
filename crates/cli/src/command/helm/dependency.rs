//! `pintle helm dependency`: what a chart depends on, and filling `charts/` with it.
//!
//! ```text
//! Chart.yaml ── update: resolve (registry, repository, file://) ──> locked versions ── save ──> charts/*.tgz, Chart.lock
//! Chart.lock ── build: digest as Helm computes it ────────────────> locked versions ── save ──> charts/*.tgz
//! ```
//!
//! Repositories are reached by the URLs that `Chart.yaml` names. There are no named repositories as `helm repo add` keeps them.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;

use pintle_gotmpl::semver::{Constraints, Version};
use pintle_render::helm::{Chart, Dependency, Limits, Metadata};
use pintle_repo::{ChartError, ChartRef};

use super::chart::{Loaded, from_archive, load, read_directory};
use super::failed;
use super::fetch::{Fetcher, is_oci};
use super::lock::{Lock, digest, digest_of_helm_2};
use super::pack::pack;
use crate::args::{AccessFlags, HelmDependencyArgs, HelmDependencyCommand};
use crate::exit::CliError;
use crate::output;

mod list;

/// Runs one of the commands.
pub(super) async fn run(command: HelmDependencyCommand) -> Result<ExitCode, CliError> {
    match command {
        HelmDependencyCommand::List(args) => output::print(&list::list(&args)?)?,
        HelmDependencyCommand::Build(args) => {
            refuse_verify(&args)?;
            build(Path::new(&args.chart), &args.access).await?;
        }
        HelmDependencyCommand::Update(args) => {
            refuse_verify(&args)?;
            update(Path::new(&args.chart), &args.access).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn refuse_verify(args: &HelmDependencyArgs) -> Result<(), CliError> {
    match args.verify {
        true => Err(CliError::unsupported("checking signatures of charts (--verify)")),
        false => Ok(()),
    }
}

/// Fills `charts/` with what the lock names; without one, with the latest that fits.
async fn build(at: &Path, access: &AccessFlags) -> Result<(), CliError> {
    let loaded = directory(at)?;
    let metadata = loaded.chart.metadata();
    let is_old = metadata.api_version == "v1";
    let file = ["Chart.lock", "requirements.lock"]
        .into_iter()
        .find(|name| at.join(name).exists());
    let Some(file) = file else {
        return update(at, access).await;
    };
    let text = std::fs::read_to_string(at.join(file)).map_err(|e| failed(format!("cannot read {file}: {e}")))?;
    let lock = Lock::parse(&text).map_err(|e| failed(format!("cannot load {file}: {e}")))?;
    let asked = metadata.dependencies.as_deref();
    check_repositories(at, asked.unwrap_or_default())?;
    if digest(asked, lock.dependencies.as_deref()) != lock.digest {
        if !is_old {
            return Err(failed(
                "the lock file (Chart.lock) is out of sync with the dependencies file (Chart.yaml). Please update the dependencies with 'helm \
                 dependency update'",
            ));
        }
        if digest_of_helm_2(asked) != lock.digest {
            return Err(failed(
                "the lock file (requirements.lock) is out of sync with the dependencies file (requirements.yaml). Please update the dependencies",
            ));
        }
    }
    let mut chosen = lock.dependencies.unwrap_or_default();
    let fetcher = fetcher(&chosen, access)?;
    save(at, &mut chosen, &fetcher).await
}

/// Fills `charts/` with the latest versions that fit, and writes the lock if it changes.
pub(super) async fn update(at: &Path, access: &AccessFlags) -> Result<(), CliError> {
    let loaded = directory(at)?;
    let metadata = loaded.chart.metadata();
    let Some(asked) = &metadata.dependencies else {
        return Ok(());
    };
    check_repositories(at, asked)?;
    let fetcher = fetcher(asked, access)?;
    list_repositories(asked, &fetcher).await?;
    let mut chosen = choose(at, asked, &fetcher).await?;
    save(at, &mut chosen, &fetcher).await?;
    let digest = digest(Some(asked), Some(&chosen));
    let file = if metadata.api_version == "v1" {
        "requirements.lock"
    } else {
        "Chart.lock"
    };
    let path = at.join(file);
    let before = ["Chart.lock", "requirements.lock"]
        .into_iter()
        .find_map(|name| std::fs::read_to_string(at.join(name)).ok())
        .and_then(|text| Lock::parse(&text).ok());
    if before.is_some_and(|lock| lock.digest == digest) {
        return Ok(());
    }
    if let Ok(link) = std::fs::read_link(&path) {
        return Err(failed(format!(
            "the {file} file is a symlink to {:?}",
            link.display().to_string()
        )));
    }
    let lock = Lock {
        digest,
        dependencies: Some(chosen),
    };
    std::fs::write(&path, lock.to_yaml(&output::time::now().to_string()))
        .map_err(|e| failed(format!("cannot write {}: {e}", path.display())))
}

fn directory(at: &Path) -> Result<Loaded, CliError> {
    let metadata = std::fs::metadata(at).map_err(|e| failed(format!("could not find {}: {e}", at.display())))?;
    if !metadata.is_dir() {
        return Err(failed("only unpacked charts can be updated"));
    }
    load(at, &Limits::default())
}

/// Refuses repositories that are no URL: names and aliases live in Helm's own configuration.
fn check_repositories(at: &Path, dependencies: &[Dependency]) -> Result<(), CliError> {
    let mut unknown = Vec::new();
    for dependency in dependencies {
        let repository = &*dependency.repository;
        if repository.starts_with("file://") {
            local(at, repository)?;
        } else if !repository.is_empty() && !repository.contains("://") {
            unknown.push(repository);
        }
    }
    if unknown.is_empty() {
        return Ok(());
    }
    Err(failed(format!("no repository definition for {}", unknown.join(", ")))
        .with_hint("this version knows no named repositories; write the URL into Chart.yaml, with https:// or oci://"))
}

/// The directory that `file://…` names; relative to the chart.
fn local(at: &Path, repository: &str) -> Result<PathBuf, CliError> {
    // An absolute path replaces the chart's.
    let path = cleaned(&at.join(repository.strip_prefix("file://").unwrap_or(repository)));
    match path.is_dir() {
        true => Ok(path),
        false => Err(failed(format!("directory {} not found", path.display()))),
    }
}

/// Go's `filepath.Clean`: `..` takes the name before it away, links or not.
fn cleaned(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(clean.components().next_back(), Some(Component::Normal(_))) => {
                clean.pop();
            }
            part => clean.push(part),
        }
    }
    match clean.as_os_str().is_empty() {
        true => PathBuf::from("."),
        false => clean,
    }
}

fn is_remote(dependency: &Dependency) -> bool {
    !dependency.repository.is_empty() && !dependency.repository.starts_with("file://")
}

fn fetcher(dependencies: &[Dependency], access: &AccessFlags) -> Result<Fetcher, CliError> {
    let urls: BTreeSet<&str> = dependencies
        .iter()
        .filter(|d| is_remote(d))
        .map(|d| &*d.repository)
        .collect();
    // As in Helm, user and password of the command line are those of a registry: repositories would each get them, whoever they belong to.
    Fetcher::new(urls, access, is_oci)
}

fn reference(dependency: &Dependency) -> ChartRef {
    ChartRef {
        repo_url: dependency.repository.clone(),
        chart: dependency.name.clone(),
        ..ChartRef::default()
    }
}

/// Says which repositories answer, as Helm does; one that does not is an error only if something is wanted of it later.
async fn list_repositories(asked: &[Dependency], fetcher: &Fetcher) -> Result<(), CliError> {
    let mut known = BTreeSet::new();
    for dependency in asked.iter().filter(|d| is_remote(d) && !is_oci(&d.repository)) {
        let url = &dependency.repository;
        if !known.insert(url.trim_end_matches('/')) {
            continue;
        }
        if known.len() == 1 {
            output::print("Getting updates for unmanaged Helm repositories...\n")?;
        }
        let said = match fetcher.version(&reference(dependency), "").await {
            Err(error @ (ChartError::Http(_) | ChartError::Index { .. } | ChartError::Address(_))) => {
                format!("...Unable to get an update from the {url:?} chart repository:\n\t{error}\n")
            }
            _ => format!("...Successfully got an update from the {url:?} chart repository\n"),
        };
        output::print(&said)?;
    }
    Ok(())
}

/// Which version of each dependency fits best.
async fn choose(at: &Path, asked: &[Dependency], fetcher: &Fetcher) -> Result<Vec<Dependency>, CliError> {
    let (mut chosen, mut missing) = (Vec::new(), Vec::new());
    for dependency in asked {
        let Dependency {
            name,
            version,
            repository,
            ..
        } = dependency;
        let constraint = constraint(dependency)?;
        let version = if repository.is_empty() {
            let path = at.join("charts").join(name);
            if !path.exists() {
                return Err(failed(format!("directory {} not found", path.display())));
            }
            Some(version.clone())
        } else if repository.starts_with("file://") {
            let found = directory(&local(at, repository)?)?;
            let found = &found.chart.metadata().version;
            fits(&constraint, found).then(|| found.clone())
        } else if is_oci(repository) && Version::parse(version).is_ok() {
            Some(version.clone())
        } else {
            match fetcher.version(&reference(dependency), version).await {
                Ok(found) => Some(found),
                Err(ChartError::NoVersion { .. }) => None,
                Err(ChartError::NoChart { .. }) => {
                    return Err(failed(format!("{name} chart not found in repo {repository}")));
                }
                Err(other) => return Err(failed(other)),
            }
        };
        match version {
            Some(version) => chosen.push(Dependency::on(name, version, repository)),
            None => missing.push(format!(
                "{name:?} (repository {repository:?}, version {:?})",
                dependency.version
            )),
        }
    }
    if missing.is_empty() {
        return Ok(chosen);
    }
    Err(failed(format!(
        "can't get a valid version for {} subchart(s): {}. Make sure a matching chart version exists in the repo, or change the version constraint in \
         Chart.yaml",
        missing.len(),
        missing.join(", ")
    )))
}

fn constraint(dependency: &Dependency) -> Result<Constraints, CliError> {
    Constraints::parse(&dependency.version).map_err(|e| {
        failed(format!(
            "dependency {:?} has an invalid version/constraint format: {e}",
            dependency.name
        ))
    })
}

fn fits(constraint: &Constraints, version: &str) -> bool {
    Version::parse(version).is_ok_and(|version| constraint.check(&version))
}

/// Puts every chosen version into `charts/`, and takes away archives that nothing asks for. Nothing is moved there unless all are had.
async fn save(at: &Path, chosen: &mut [Dependency], fetcher: &Fetcher) -> Result<(), CliError> {
    let into = at.join("charts");
    let unwritable = |e: std::io::Error| failed(format!("cannot write below {}: {e}", at.display()));
    if into.exists() && !into.is_dir() {
        return Err(failed(format!("{:?} is not a directory", into.display().to_string())));
    }
    std::fs::create_dir_all(&into).map_err(unwritable)?;
    // On the same file system, so that moving is renaming.
    let fresh = tempfile::Builder::new()
        .prefix("tmpcharts-")
        .tempdir_in(at)
        .map_err(unwritable)?;
    output::print(&format!("Saving {} charts\n", chosen.len()))?;
    let (mut names, mut seen) = (BTreeSet::new(), BTreeSet::new());
    for dependency in chosen.iter_mut() {
        let Dependency { name, repository, .. } = &*dependency;
        if repository.is_empty() {
            output::print(&format!(
                "Dependency {name} did not declare a repository. Assuming it exists in the charts directory\n"
            ))?;
            let path = into.join(name);
            let found = load(&path, &Limits::default())
                .map_err(|e| failed(format!("unable to load chart '{}': {e}", path.display())))?;
            let version = &found.chart.metadata().version;
            if !fits(&constraint(dependency)?, version) {
                return Err(stopped(&format!(
                    "dependency {name} at version {version} does not satisfy the constraint {}",
                    dependency.version
                )));
            }
            continue;
        }
        let packed = if repository.starts_with("file://") {
            let (version, packed) = pack_local(at, dependency).map_err(|e| stopped(&e.message))?;
            dependency.version = version;
            packed
        } else {
            if !seen.insert((name.clone(), repository.clone(), dependency.version.clone())) {
                output::print(&format!("Already downloaded {name} from repo {repository}\n"))?;
                continue;
            }
            output::print(&format!("Downloading {name} from repo {repository}\n"))?;
            let fetched = fetcher.fetch(&reference(dependency), &dependency.version).await;
            let archive = fetched.map_err(|e| stopped(&format!("could not download {name}: {e}")))?;
            let metadata = from_archive(&archive.bytes, &Limits::default())?;
            check_name(metadata.chart.metadata(), name)?;
            archive.bytes.to_vec()
        };
        let file = format!("{}-{}.tgz", dependency.name, dependency.version);
        if file.contains(['/', '\\']) {
            return Err(failed(format!("{file:?} is no name of a file")));
        }
        std::fs::write(fresh.path().join(&file), packed).map_err(unwritable)?;
        names.insert(file);
    }
    for file in &names {
        std::fs::rename(fresh.path().join(file), into.join(file)).map_err(unwritable)?;
    }
    output::print("Deleting outdated charts\n")?;
    let kept: BTreeSet<&str> = chosen
        .iter()
        .filter(|d| d.repository.is_empty())
        .map(|d| &*d.name)
        .collect();
    delete_outdated(&into, &names, &kept).map_err(unwritable)
}

/// What Helm says before the error itself where fetching stops half way.
fn stopped(message: &str) -> CliError {
    // Standard output may be closed; the error is printed all the same.
    let _ = output::print(&format!("Save error occurred:  {message}\n"));
    failed(message)
}

/// An archive in a repository under one name that holds another chart would be found missing by the next render.
fn check_name(found: &Metadata, wanted: &str) -> Result<(), CliError> {
    if found.name == wanted {
        return Ok(());
    }
    Err(stopped(&format!(
        "the archive of {wanted} holds a chart with the name {:?}",
        found.name
    )))
}

fn pack_local(at: &Path, dependency: &Dependency) -> Result<(String, Vec<u8>), CliError> {
    let from = local(at, &dependency.repository)?;
    let limits = Limits::default();
    let source = read_directory(&from, &limits)?;
    let chart = source.load(&limits).map_err(failed)?;
    let metadata = chart.metadata();
    if !fits(&constraint(dependency)?, &metadata.version) {
        return Err(failed(format!(
            "can't get a valid version for dependency {}",
            dependency.name
        )));
    }
    check_name(metadata, &dependency.name)?;
    let now = u64::try_from(output::time::now().as_second()).unwrap_or_default();
    Ok((metadata.version.clone(), pack(&source, &metadata.name, now)?))
}

/// Removes archives of charts that were not saved now, but for those that stand for a dependency without a repository.
fn delete_outdated(charts: &Path, saved: &BTreeSet<String>, kept: &BTreeSet<&str>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(charts)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() || saved.contains(&name) {
            continue;
        }
        match load(&path, &Limits::default()) {
            Ok(found) if !kept.contains(&*found.chart.metadata().name) => std::fs::remove_file(&path)?,
            Ok(_) => {}
            // Not a chart: somebody else's file.
            Err(error) => {
                let _ = output::print(&format!(
                    "Could not verify {} for deletion: {error} (Skipping)\n",
                    path.display()
                ));
            }
        }
    }
    Ok(())
}

/// Whether a chart in `charts/` is what a dependency asks for; the words of the table.
fn status(found: &Metadata, dependency: &Dependency, good: &'static str) -> &'static str {
    if found.version == dependency.version {
        return good;
    }
    match (Constraints::parse(&dependency.version), Version::parse(&found.version)) {
        (Ok(constraint), Ok(version)) if constraint.check(&version) => good,
        (Ok(_), Ok(_)) => "wrong version",
        _ => "invalid version",
    }
}

/// The chart of `charts/` with a name, however it lies there.
fn inside<'a>(chart: &'a Chart, name: &str) -> Option<&'a Metadata> {
    chart.dependencies().filter(|d| d.name == name).last()
}
