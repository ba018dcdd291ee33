//! The settings documents, read from the YAML a person writes.

// Test helpers outside a test function may stop the test too.
#![allow(clippy::expect_used, clippy::panic)]

use pintle_model::settings::*;
use pintle_model::{GoDuration, Object, Settings, yaml_objects};

fn object(yaml: &str) -> Object {
    yaml_objects(yaml).remove(0).result.expect("test input is an object")
}

fn config(data: &str) -> Object {
    object(&format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: argocd-cm}}\ndata:\n{data}"
    ))
}

fn parse(cm: &str, params: &str) -> Result<Settings, SettingsError> {
    Settings::parse(Some(&config(cm)), Some(&config(params)), 7)
}

#[test]
fn nothing_written_means_the_defaults() {
    let none = Settings::parse(None, None, 0).expect("defaults");
    assert_eq!(none, Settings::default());
    assert_eq!(none.instance_label_key, "app.kubernetes.io/instance");
    assert!(none.in_cluster_enabled && none.problems.is_empty());
    let blank =
        parse("  installationID: ''\n  resource.exclusions: ' '\n", "  x: y\n").expect("blank counts as absent");
    assert_eq!(Settings { generation: 0, ..blank }, none);
}

#[test]
fn every_key_is_read() {
    let settings = parse(
        r"
  application.resourceTrackingMethod: annotation+label
  application.instanceLabelKey: argocd.argoproj.io/instance
  installationID: east
  resource.exclusions: |
    - apiGroups: ['*.crossplane.io']
      kinds: [ProviderConfigUsage]
      clusters: ['https://*']
  resource.inclusions: '[{apiGroups: [apps]}]'
  resource.compareoptions: |
    ignoreAggregatedRoles: true
    ignoreResourceStatusField: crd
    ignoreDifferencesOnResourceUpdates: false
  resource.sensitive.mask.annotations: a/token, b/token
  cluster.inClusterEnabled: 'false'
  resource.respectRBAC: strict
  timeout.reconciliation: 300s
  timeout.reconciliation.jitter: 30s
",
        r"
  application.namespaces: team-*, /shop-.+/
  controller.sync.timeout.seconds: '600'
  controller.self.heal.timeout.seconds: '5'
  controller.self.heal.backoff.timeout.seconds: '3'
  controller.self.heal.backoff.factor: '4'
  controller.self.heal.backoff.cap.seconds: '100'
  controller.self.heal.backoff.cooldown.seconds: '330'
  controller.sync.wave.delay.seconds: '0'
  controller.repo.error.grace.period.seconds: '60'
",
    )
    .expect("reads");
    let secs = GoDuration::from_secs;
    let expected = Settings {
        generation: 7,
        tracking_method: TrackingMethod::AnnotationAndLabel,
        instance_label_key: "argocd.argoproj.io/instance".into(),
        installation_id: "east".into(),
        resource_filter: ResourceFilter {
            exclusions: vec![FilteredResource {
                api_groups: vec!["*.crossplane.io".into()],
                kinds: vec!["ProviderConfigUsage".into()],
                clusters: vec!["https://*".into()],
            }],
            inclusions: vec![FilteredResource {
                api_groups: vec!["apps".into()],
                ..FilteredResource::default()
            }],
        },
        compare_options: CompareOptions {
            ignore_aggregated_roles: true,
            ignore_resource_status_field: IgnoreStatus::Crd,
            ignore_differences_on_resource_updates: false,
        },
        sensitive_annotations: vec!["a/token".into(), "b/token".into()],
        in_cluster_enabled: false,
        respect_rbac: RespectRbac::Strict,
        application_namespaces: vec!["team-*".into(), "/shop-.+/".into()],
        rendering: Default::default(),
        controller: ControllerSettings {
            reconciliation: Some(secs(300)),
            reconciliation_jitter: secs(30),
            sync_timeout: Some(secs(600)),
            self_heal: SelfHeal {
                fixed: Some(secs(5)),
                backoff: secs(3),
                factor: 4,
                cap: secs(100),
                cooldown: Some(secs(330)),
            },
            wave_delay: secs(0),
            repo_error_grace: secs(60),
        },
        not_acted_on: vec![],
        problems: vec![],
    };
    assert_eq!(settings, expected);
}

#[test]
fn what_cannot_be_read_is_said_and_the_default_counts() {
    let settings = parse(
        "  timeout.reconciliation: soon\n  timeout.reconciliation.jitter: -1s\n  resource.respectRBAC: maybe\n",
        "  controller.self.heal.backoff.factor: '0'\n  controller.sync.timeout.seconds: x\n",
    )
    .expect("none of these is fatal");
    assert_eq!(settings.controller, ControllerSettings::default());
    let said: Vec<_> = settings.problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "argocd-cm: resource.respectRBAC: \"maybe\" is neither normal nor strict; it is off",
            "argocd-cm: timeout.reconciliation: \"soon\" is not a duration: a number is missing; write it like 90s, 5m or 1h30m; 2m0s counts instead",
            "argocd-cm: timeout.reconciliation.jitter: \"-1s\" is negative; 1m0s counts instead",
            "argocd-cmd-params-cm: controller.sync.timeout.seconds: \"x\" is not a duration: a number is missing; write it like 90s, 5m or 1h30m; 0s counts instead",
            "argocd-cmd-params-cm: controller.self.heal.backoff.factor: \"0\" is no whole number from 1 up; 3 counts instead",
        ]
    );
}

#[test]
fn what_decides_what_may_be_touched_is_fatal() {
    for (data, expected) in [
        (
            "  application.resourceTrackingMethod: labels\n",
            "argocd-cm: application.resourceTrackingMethod: \"labels\" is none of annotation, label, annotation+label",
        ),
        (
            "  resource.exclusions: '[{kinds: Pod}]'\n",
            "argocd-cm: resource.exclusions: [0].kinds: invalid type: string \"Pod\", expected a sequence",
        ),
        (
            "  resource.inclusions: 'a: b: c'\n",
            "argocd-cm: resource.inclusions: yaml: mapping values are not allowed in this context",
        ),
        (
            "  resource.compareoptions: 'ignoreResourceStatusField: some'\n",
            "argocd-cm: resource.compareoptions: ignoreResourceStatusField is none of all, crd, none",
        ),
    ] {
        assert_eq!(parse(data, "  a: b\n").expect_err(data).to_string(), expected);
    }
    let off = parse(
        "  resource.compareoptions: 'ignoreResourceStatusField: off'\n",
        "  a: b\n",
    )
    .expect("reads");
    assert_eq!(off.compare_options.ignore_resource_status_field, IgnoreStatus::None);
    assert_eq!(
        parse("  timeout.reconciliation: '0'\n", "  a: b\n")
            .expect("reads")
            .controller
            .reconciliation,
        None
    );
}

#[test]
fn keys_not_acted_on_are_listed() {
    let settings = parse(
        "  resource.customizations.health.apps_Deployment: return {}\n  jsonnet.enable: 'false'\n  kustomize.enable: 'true'\n  helm.enable: 'false'\n  ui.cssurl: x\n  unheard.of: y\n",
        "  controller.diff.server.side: 'TRUE'\n  hydrator.enabled: 'f'\n",
    )
    .expect("reads");
    let listed: Vec<_> = settings
        .not_acted_on
        .iter()
        .map(|n| (n.key.as_str(), n.changes_writes))
        .collect();
    assert_eq!(
        listed,
        [
            ("jsonnet.enable", true),
            ("resource.customizations.health.apps_Deployment", true),
            ("controller.diff.server.side", false)
        ]
    );
}

#[test]
fn rendering() {
    let of = |config: &str| parse(config, "  a: b\n").expect("reads").rendering;
    assert_eq!(of("  a: b\n"), Default::default());
    let set =
        of("  helm.enable: 'false'\n  kustomize.buildOptions: --reorder none\n  helm.valuesFileSchemes: s3, https\n");
    assert!(!set.helm && set.kustomize);
    assert_eq!(set.kustomize_build_options, "--reorder none");
    assert_eq!(set.values_file_schemes, ["s3", "https"]);
}

#[test]
fn the_shipped_exclusions_can_be_read() {
    let indented: String = SHIPPED_EXCLUSIONS.lines().map(|line| format!("    {line}\n")).collect();
    let settings = parse(&format!("  resource.exclusions: |\n{indented}"), "  a: b\n").expect("reads");
    assert_eq!(settings.resource_filter.exclusions.len(), 7);
    assert!(
        settings
            .resource_filter
            .exclusions
            .iter()
            .all(|e| !e.kinds.is_empty() && !e.api_groups.is_empty())
    );
}

fn secret(kind: &str, data: &str) -> Object {
    object(&format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: s, namespace: argocd, resourceVersion: '5', labels: {{argocd.argoproj.io/secret-type: {kind}}}}}\nstringData:\n{data}"
    ))
}

#[test]
fn repositories() {
    let read = |kind: &str, data: &str| RepositorySecret::from_secret(&secret(kind, data));
    let repository = read(
        "repository",
        "  url: https://git.example.com/shop.git\n  username: ada\n  password: CANARY\n  insecure: 'true'\n  enableLfs: 'true'\n  githubAppID: '42'\n  githubAppPrivateKey: CANARY\n  proxy: http://u:CANARY@proxy\n  project: shop\n  depth: '1'\n  azureServicePrincipalClientId: a\n  sshPrivateKey: CANARY\n  bearerToken: CANARY\n  tlsClientCertData: CANARY\n  tlsClientCertKey: CANARY\n  gcpServiceAccountKey: CANARY\n  azureServicePrincipalClientSecret: CANARY\n",
    )
    .expect("reads")
    .expect("is a repository");
    assert!(!format!("{repository:?}").contains("CANARY"), "Debug shows no secret");
    assert_eq!(
        repository.credentials.password.as_ref().map(|p| p.expose().as_str()),
        Some("CANARY")
    );
    assert_eq!(
        (repository.credentials.github_app_id, repository.depth),
        (Some(42), Some(1))
    );
    assert!(repository.insecure && repository.enable_lfs && !repository.is_prefix());
    assert_eq!(repository.kind, RepositoryType::Unset);
    assert_eq!(repository.credentials.azure_client_id, "a");

    let creds = read(
        "repo-creds",
        "  url: https://git.example.com\n  type: oci\n  azureServicePrincipalTenantID: t\n",
    );
    let creds = creds.expect("reads").expect("is a prefix");
    assert!(creds.is_prefix() && creds.kind == RepositoryType::Oci && creds.credentials.azure_tenant_id == "t");

    assert_eq!(read("cluster", "  url: x\n"), Ok(None));
    let error = read("repository", "  name: x\n").expect_err("no URL");
    assert_eq!(error.to_string(), "Secret argocd/s: url: is missing");
    let error = read("repository", "  url: x\n  insecure: CANARY\n").expect_err("no boolean");
    assert_eq!(
        error.to_string(),
        "Secret argocd/s: insecure: is neither true nor false"
    );

    let encoded = object(
        "{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: ns, labels: {argocd.argoproj.io/secret-type: repository}}, data: {url: aHR0cHM6Ly9h, password: '*CANARY'}}",
    );
    assert_eq!(
        RepositorySecret::from_secret(&encoded)
            .expect_err("no base64")
            .to_string(),
        "Secret ns/s: password: is not base64"
    );
}

#[test]
fn clusters() {
    let read = |data: &str| ClusterSecret::from_secret(&secret("cluster", data));
    let cluster = read(
        r#"  server: https://10.0.0.1/
  namespaces: a, b
  clusterResources: 'true'
  shard: '2'
  config: '{"bearerToken":"CANARY","password":"CANARY","proxyUrl":"CANARY","tlsClientConfig":{"insecure":false,"serverName":"n","keyData":"Q0FOQVJZ","caData":null},
    "execProviderConfig":{"command":"aws","args":["CANARY"],"env":{"A":"CANARY"},"apiVersion":"v1"},"awsAuthConfig":{"roleARN":"r"},"unheardOf":1}'
"#,
    )
    .expect("reads")
    .expect("is a cluster");
    let shown = format!("{cluster:?}");
    assert!(!shown.contains("CANARY") && !shown.contains("67, 65, 78"), "{shown}");
    assert_eq!(
        (cluster.server.as_str(), cluster.name.as_str()),
        ("https://10.0.0.1", "https://10.0.0.1")
    );
    assert_eq!(
        (cluster.namespaces, cluster.shard, cluster.cluster_resources),
        (vec!["a".into(), "b".into()], Some(2), true)
    );
    assert_eq!(
        cluster.config.tls.key_data.map(|k| k.expose().clone()),
        Some(b"CANARY".to_vec())
    );
    assert_eq!(cluster.config.exec.map(|e| e.env.expose().len()), Some(1));
    assert_eq!(cluster.config.aws.map(|a| a.role_arn), Some("r".into()));

    for (data, expected) in [
        ("  name: a\n", "Secret argocd/s: server: is missing"),
        (
            "  server: a\n  config: '{CANARY'\n",
            "Secret argocd/s: config: is not JSON",
        ),
        (
            "  server: a\n  config: '[1]'\n",
            "Secret argocd/s: config: is not a JSON object",
        ),
        (
            "  server: a\n  config: '{\"tlsClientConfig\":{\"keyData\":\"*CANARY\"}}'\n",
            "Secret argocd/s: config.tlsClientConfig.keyData: is not base64",
        ),
        (
            "  server: a\n  config: '{\"password\":7}'\n",
            "Secret argocd/s: config.password: is not a string",
        ),
    ] {
        assert_eq!(read(data).expect_err(data).to_string(), expected);
    }
}

#[test]
fn what_a_render_may_cost_has_keys() {
    let settings = parse(
        "  x: y\n",
        r"
  reposerver.max.combined.directory.manifests.size: 20M
  reposerver.helm.manifest.max.extracted.size: 2Gi
  pintle.archive.max.entries: '100'
  pintle.archive.max.ratio: '50'
  pintle.render.timeout: 30s
  pintle.render.max.size: 64Mi
  pintle.render.max.steps: '1000'
  pintle.render.max.depth: '200'
",
    )
    .expect("readable");
    let expected = RenderLimits {
        manifest_bytes: Some(20_000_000),
        extracted_bytes: Some(2 << 30),
        archive_entries: Some(100),
        archive_ratio: Some(50),
        time: Some(GoDuration::from_secs(30)),
        rendered_bytes: Some(64 << 20),
        steps: Some(1000),
        depth: Some(200),
    };
    assert_eq!(settings.rendering.limits, expected);
    assert!(settings.problems.is_empty());

    let settings = parse(
        "  x: y\n",
        r"
  reposerver.helm.manifest.max.extracted.size: lots
  reposerver.disable.helm.manifest.max.extracted.size: 'true'
  pintle.render.timeout: '0'
  pintle.render.max.depth: '1000000'
",
    )
    .expect("readable");
    assert_eq!(
        settings.rendering.limits,
        RenderLimits {
            extracted_bytes: Some(u64::MAX),
            ..RenderLimits::default()
        }
    );
    let keys: Vec<_> = settings.problems.iter().map(|p| p.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "reposerver.helm.manifest.max.extracted.size",
            "pintle.render.timeout",
            "pintle.render.max.depth"
        ]
    );
}
