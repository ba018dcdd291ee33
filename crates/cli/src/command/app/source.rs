//! What the `{APPSRC}` flags do to a spec.

use pintle_model::application::{
    ApplicationSpec, Automated, Backoff, Directory, EnvEntry, Helm, HelmFileParameter, HelmParameter, IntOrString,
    JsonnetVar, Kustomize, KustomizeReplica, Plugin, RetryStrategy, Source, SyncPolicy,
};

use super::create::pairs;
use crate::args::AppSourceArgs;
use crate::command::file;
use crate::exit::CliError;

/// Lays the flags that are given over a spec; `position` (from 1) names the source where there are several.
pub(super) fn apply_flags(
    spec: &mut ApplicationSpec,
    args: &AppSourceArgs,
    position: Option<i64>,
) -> Result<(), CliError> {
    refuse_later(args)?;
    set(&mut spec.project, &args.project);
    if let Some(server) = &args.dest_server {
        spec.destination.server.clone_from(server);
        spec.destination.name.clear();
    }
    if let Some(name) = &args.dest_name {
        spec.destination.name.clone_from(name);
        spec.destination.server.clear();
    }
    set(&mut spec.destination.namespace, &args.dest_namespace);
    spec.revision_history_limit = args.revision_history_limit.or(spec.revision_history_limit);
    sync_policy(spec, args)?;
    let mut source = source_at(spec, position)?.cloned().unwrap_or_default();
    let before = source.clone();
    change_source(&mut source, args)?;
    if source != before {
        put_source(spec, position, source);
    }
    Ok(())
}

fn refuse_later(args: &AppSourceArgs) -> Result<(), CliError> {
    for (flag, given) in [
        ("--env", args.env.is_some()),
        ("--dry-source-repo", args.dry_source_repo.is_some()),
        ("--dry-source-revision", args.dry_source_revision.is_some()),
        ("--dry-source-path", args.dry_source_path.is_some()),
        ("--sync-source-branch", args.sync_source_branch.is_some()),
        ("--sync-source-path", args.sync_source_path.is_some()),
        ("--hydrate-to-branch", args.hydrate_to_branch.is_some()),
    ] {
        if given {
            return Err(CliError::unsupported(flag));
        }
    }
    Ok(())
}

fn set(field: &mut String, value: &Option<String>) {
    if let Some(value) = value {
        field.clone_from(value);
    }
}

fn source_at(spec: &ApplicationSpec, position: Option<i64>) -> Result<Option<&Source>, CliError> {
    if spec.sources.is_empty() {
        return match position {
            None | Some(1) => Ok(spec.source.as_ref()),
            Some(other) => Err(CliError::usage(format!("the application has one source, not {other}"))),
        };
    }
    match position {
        None if spec.sources.len() > 1 => Ok(None),
        None => Ok(spec.sources.first()),
        Some(position) => usize::try_from(position)
            .ok()
            .and_then(|p| p.checked_sub(1))
            .and_then(|p| spec.sources.get(p))
            .map(Some)
            .ok_or_else(|| {
                CliError::usage(format!(
                    "there is no source {position}; positions go from 1 to {}",
                    spec.sources.len()
                ))
            }),
    }
}

fn put_source(spec: &mut ApplicationSpec, position: Option<i64>, source: Source) {
    let index = position
        .and_then(|p| usize::try_from(p).ok())
        .map_or(0, |p| p.saturating_sub(1));
    match spec.sources.get_mut(index) {
        Some(place) => *place = source,
        None => spec.source = Some(source),
    }
}

fn sync_policy(spec: &mut ApplicationSpec, args: &AppSourceArgs) -> Result<(), CliError> {
    let mut policy = spec.sync_policy.clone().unwrap_or_default();
    match args.sync_policy.as_deref() {
        None => {}
        Some("none" | "manual" | "") => policy.automated = None,
        Some("auto" | "automated" | "automatic") => {
            let automated = policy.automated.get_or_insert_default();
            automated.enabled = automated.enabled.filter(|enabled| *enabled);
        }
        Some(other) => {
            return Err(CliError::usage(format!("Invalid sync-policy: {other}")).with_hint("none, auto or automated"));
        }
    }
    for (flag, value, field) in [
        (
            "--auto-prune",
            args.auto_prune,
            (|a, v| a.prune = Some(v)) as fn(&mut Automated, bool),
        ),
        ("--self-heal", args.self_heal, |a, v| a.self_heal = Some(v)),
        ("--allow-empty", args.allow_empty, |a, v| a.allow_empty = Some(v)),
    ] {
        if let Some(value) = value {
            let automated = policy.automated.as_mut().ok_or_else(|| {
                CliError::usage(format!(
                    "Cannot set {flag}: application not configured with automatic sync"
                ))
                .with_hint("--sync-policy automated switches it on")
            })?;
            field(automated, value);
        }
    }
    for option in &args.sync_option {
        match option.strip_prefix('!') {
            Some(option) => policy.sync_options.retain(|o| o != option),
            None => {
                let name = option.split('=').next().unwrap_or_default();
                policy.sync_options.retain(|o| o.split('=').next() != Some(name));
                policy.sync_options.push(option.clone());
            }
        }
    }
    retry(&mut policy, args);
    if policy != SyncPolicy::default() || spec.sync_policy.is_some() {
        spec.sync_policy = Some(policy).filter(|p| *p != SyncPolicy::default());
    }
    Ok(())
}

fn retry(policy: &mut SyncPolicy, args: &AppSourceArgs) {
    let backoff = args.sync_retry_backoff_duration.is_some()
        || args.sync_retry_backoff_max_duration.is_some()
        || args.sync_retry_backoff_factor.is_some();
    match args.sync_retry_limit {
        Some(0) => policy.retry = None,
        None if !backoff && args.sync_retry_refresh.is_none() => {}
        limit => {
            let retry = policy.retry.get_or_insert_with(RetryStrategy::default);
            retry.limit = limit.unwrap_or(retry.limit);
            retry.refresh = args.sync_retry_refresh.unwrap_or(retry.refresh);
            if backoff {
                let settings = retry.backoff.get_or_insert_with(Backoff::default);
                set(&mut settings.duration, &args.sync_retry_backoff_duration);
                set(&mut settings.max_duration, &args.sync_retry_backoff_max_duration);
                settings.factor = args.sync_retry_backoff_factor.or(settings.factor);
            }
        }
    }
}

fn change_source(source: &mut Source, args: &AppSourceArgs) -> Result<(), CliError> {
    set(&mut source.repo_url, &args.repo);
    set(&mut source.path, &args.path);
    set(&mut source.target_revision, &args.revision);
    set(&mut source.chart, &args.helm_chart);
    set(&mut source.r#ref, &args.reference);
    set(&mut source.name, &args.source_name);
    set(&mut source.tag_prefix, &args.tag_prefix);
    let mut directory = source.directory.clone().unwrap_or_default();
    change_directory(&mut directory, args)?;
    source.directory = Some(directory).filter(|d| *d != Directory::default());
    let mut helm = source.helm.clone().unwrap_or_default();
    change_helm(&mut helm, args)?;
    source.helm = Some(helm).filter(|h| *h != Helm::default());
    let mut kustomize = source.kustomize.clone().unwrap_or_default();
    change_kustomize(&mut kustomize, args)?;
    source.kustomize = Some(kustomize).filter(|k| *k != Kustomize::default());
    let mut plugin = source.plugin.clone().unwrap_or_default();
    set(&mut plugin.name, &args.config_management_plugin);
    for (name, value) in pairs("--plugin-env", &args.plugin_env)? {
        plugin.env.retain(|e| e.name != name);
        plugin.env.push(EnvEntry {
            name,
            value,
            ..EnvEntry::default()
        });
    }
    source.plugin = Some(plugin).filter(|p| *p != Plugin::default());
    Ok(())
}

fn change_directory(directory: &mut Directory, args: &AppSourceArgs) -> Result<(), CliError> {
    directory.recurse = args.directory_recurse.unwrap_or(directory.recurse);
    directory.disable_extension_filter = args
        .directory_disable_extension_filter
        .unwrap_or(directory.disable_extension_filter);
    set(&mut directory.include, &args.directory_include);
    set(&mut directory.exclude, &args.directory_exclude);
    let jsonnet = &mut directory.jsonnet;
    for (flag, texts, code, list) in [
        (
            "--jsonnet-ext-var-str",
            &args.jsonnet_ext_var_str,
            false,
            &mut jsonnet.ext_vars,
        ),
        ("--jsonnet-tla-str", &args.jsonnet_tla_str, false, &mut jsonnet.tlas),
    ] {
        list.extend(variables(flag, texts, code)?);
    }
    jsonnet
        .ext_vars
        .extend(variables("--jsonnet-ext-var-code", &args.jsonnet_ext_var_code, true)?);
    jsonnet
        .tlas
        .extend(variables("--jsonnet-tla-code", &args.jsonnet_tla_code, true)?);
    jsonnet.libs.extend(args.jsonnet_libs.iter().cloned());
    Ok(())
}

fn variables(flag: &str, texts: &[String], code: bool) -> Result<Vec<JsonnetVar>, CliError> {
    let variable = |(name, value)| JsonnetVar {
        name,
        value,
        code,
        ..JsonnetVar::default()
    };
    Ok(pairs(flag, texts)?.into_iter().map(variable).collect())
}

fn change_helm(helm: &mut Helm, args: &AppSourceArgs) -> Result<(), CliError> {
    if !args.values.is_empty() {
        helm.value_files.clone_from(&args.values);
    }
    if let Some(path) = &args.values_literal_file {
        helm.values = file::text(path)?;
        helm.values_object = None;
    }
    for (flag, texts, force_string) in [
        ("--parameter", &args.parameter, false),
        ("--helm-set", &args.helm_set, false),
        ("--helm-set-string", &args.helm_set_string, true),
    ] {
        for (name, value) in pairs(flag, texts)? {
            helm.parameters.retain(|p| p.name != name);
            helm.parameters.push(HelmParameter {
                name,
                value,
                force_string,
                ..HelmParameter::default()
            });
        }
    }
    for (name, path) in pairs("--helm-set-file", &args.helm_set_file)? {
        helm.file_parameters.retain(|p| p.name != name);
        helm.file_parameters.push(HelmFileParameter {
            name,
            path,
            ..HelmFileParameter::default()
        });
    }
    set(&mut helm.release_name, &args.release_name);
    set(&mut helm.version, &args.helm_version);
    set(&mut helm.namespace, &args.helm_namespace);
    set(&mut helm.kube_version, &args.helm_kube_version);
    if !args.helm_api_versions.is_empty() {
        helm.api_versions.clone_from(&args.helm_api_versions);
    }
    helm.pass_credentials = args.helm_pass_credentials.unwrap_or(helm.pass_credentials);
    helm.skip_crds = args.helm_skip_crds.unwrap_or(helm.skip_crds);
    helm.skip_tests = args.helm_skip_tests.unwrap_or(helm.skip_tests);
    helm.skip_schema_validation = args.helm_skip_schema_validation.unwrap_or(helm.skip_schema_validation);
    helm.ignore_missing_value_files = args
        .ignore_missing_value_files
        .unwrap_or(helm.ignore_missing_value_files);
    Ok(())
}

fn change_kustomize(kustomize: &mut Kustomize, args: &AppSourceArgs) -> Result<(), CliError> {
    set(&mut kustomize.name_prefix, &args.nameprefix);
    set(&mut kustomize.name_suffix, &args.namesuffix);
    set(&mut kustomize.version, &args.kustomize_version);
    set(&mut kustomize.namespace, &args.kustomize_namespace);
    set(&mut kustomize.kube_version, &args.kustomize_kube_version);
    if !args.kustomize_api_versions.is_empty() {
        kustomize.api_versions.clone_from(&args.kustomize_api_versions);
    }
    for image in &args.kustomize_image {
        let of = |image: &str| image_name(image).to_owned();
        kustomize.images.retain(|i| of(i) != of(image));
        kustomize.images.push(image.clone());
    }
    for (name, count) in pairs("--kustomize-replica", &args.kustomize_replica)? {
        let count = count
            .parse()
            .map_err(|_| CliError::usage(format!("--kustomize-replica {name}={count} should be name=number")))?;
        kustomize.replicas.retain(|r| r.name != name);
        kustomize.replicas.push(KustomizeReplica {
            name,
            count: IntOrString::Int(count),
            ..KustomizeReplica::default()
        });
    }
    kustomize
        .common_labels
        .extend(pairs("--kustomize-common-label", &args.kustomize_common_label)?);
    kustomize.common_annotations.extend(pairs(
        "--kustomize-common-annotation",
        &args.kustomize_common_annotation,
    )?);
    kustomize.force_common_labels = args
        .kustomize_force_common_label
        .unwrap_or(kustomize.force_common_labels);
    kustomize.force_common_annotations = args
        .kustomize_force_common_annotation
        .unwrap_or(kustomize.force_common_annotations);
    kustomize.label_without_selector = args
        .kustomize_label_without_selector
        .unwrap_or(kustomize.label_without_selector);
    kustomize.label_include_templates = args
        .kustomize_label_include_templates
        .unwrap_or(kustomize.label_include_templates);
    kustomize.ignore_missing_components = args
        .ignore_missing_components
        .unwrap_or(kustomize.ignore_missing_components);
    Ok(())
}

/// Which image an override is about: the part before `=`, or the image without its tag and digest.
fn image_name(image: &str) -> &str {
    if let Some((old, _)) = image.split_once('=') {
        return old;
    }
    let without_digest = image.split('@').next().unwrap_or(image);
    let name_at = without_digest.rfind('/').map_or(0, |i| i + 1);
    match without_digest.get(name_at..).and_then(|name| name.find(':')) {
        Some(colon) => without_digest.get(..name_at + colon).unwrap_or(without_digest),
        None => without_digest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_build_the_spec_the_peer_builds() {
        let args = AppSourceArgs {
            repo: Some("https://git/shop".into()),
            path: Some("dev".into()),
            dest_name: Some("in-cluster".into()),
            dest_namespace: Some("dev".into()),
            sync_policy: Some("auto".into()),
            self_heal: Some(true),
            sync_option: vec!["CreateNamespace=true".into()],
            kustomize_image: vec!["reg:5000/web:1.5".into(), "reg:5000/web:1.6".into()],
            helm_set: vec!["a.b=1".into()],
            ..AppSourceArgs::default()
        };
        let mut spec = ApplicationSpec::default();
        apply_flags(&mut spec, &args, None).unwrap();
        let object = pintle_model::Application {
            spec,
            ..Default::default()
        }
        .to_object();
        assert_eq!(
            pintle_model::to_json_string(object.value().get("spec").unwrap()),
            r#"{"destination":{"name":"in-cluster","namespace":"dev"},"project":"","source":{"helm":{"parameters":[{"name":"a.b","value":"1"}]},"kustomize":{"images":["reg:5000/web:1.6"]},"path":"dev","repoURL":"https://git/shop"},"syncPolicy":{"automated":{"selfHeal":true},"syncOptions":["CreateNamespace=true"]}}"#
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused_and_none_switches_off() {
        let mut spec = ApplicationSpec::default();
        let prune = AppSourceArgs {
            auto_prune: Some(true),
            ..AppSourceArgs::default()
        };
        assert_eq!(apply_flags(&mut spec, &prune, None).unwrap_err().exit, 1);
        let auto = AppSourceArgs {
            sync_policy: Some("automated".into()),
            ..prune.clone()
        };
        apply_flags(&mut spec, &auto, None).unwrap();
        assert!(spec.automated().is_some_and(Automated::prunes));
        let none = AppSourceArgs {
            sync_policy: Some("none".into()),
            ..AppSourceArgs::default()
        };
        apply_flags(&mut spec, &none, None).unwrap();
        assert_eq!(spec.sync_policy, None);
        let later = AppSourceArgs {
            hydrate_to_branch: Some("x".into()),
            ..AppSourceArgs::default()
        };
        assert_eq!(apply_flags(&mut spec, &later, None).unwrap_err().exit, 20);
    }
}
