//! An AppProject goes through its type and comes back as it was.

// Test helpers outside a test function may stop the test too.
#![allow(clippy::expect_used, clippy::panic)]

use pintle_model::{AppProject, Value, to_json_string, yaml_objects};

const WHOLE: &str = "
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata: {name: shop, namespace: argocd, annotations: {a: b}}
futureTop: 1
spec:
  description: the shop
  sourceRepos: ['https://git.example.com/*', '!https://git.example.com/secret']
  sourceNamespaces: [shop-*, /team-.+/]
  destinations:
  - {server: https://kubernetes.default.svc, namespace: 'shop-*', futureHere: [1.5]}
  - {name: '!prod', namespace: '*'}
  clusterResourceWhitelist: [{group: '*', kind: Namespace, name: shop-*}]
  clusterResourceBlacklist: [{group: '', kind: Node}]
  namespaceResourceBlacklist: [{group: '', kind: ResourceQuota}]
  namespaceResourceWhitelist: []
  permitOnlyProjectScopedClusters: true
  orphanedResources: {warn: false, ignore: [{group: apps, kind: Deployment, name: x*}]}
  destinationServiceAccounts: [{server: '*', namespace: a, defaultServiceAccount: 'ns:sa'}]
  signatureKeys: [{keyID: ABCDEF}]
  sourceIntegrity: {git: {policies: [{repos: [{url: '*'}], gpg: {mode: strict, keys: [K1]}}]}}
  roles:
  - name: dev
    description: d
    policies: ['p, proj:shop:dev, applications, get, shop/*, allow']
    groups: [team]
    jwtTokens: [{iat: 1535390316, exp: 1535390999, id: t1}]
  syncWindows:
  - {kind: deny, schedule: '0 22 * * *', duration: 1h, applications: ['*'], namespaces: [ns], clusters: [c], manualSync: true,
     timeZone: Europe/Berlin, andOperator: true, description: night, syncOverrun: true}
status:
  jwtTokensByRole: {dev: {items: [{iat: 1535390316}]}}
";

#[test]
fn every_field_comes_back() {
    let before = yaml_objects(WHOLE).remove(0).result.expect("an object");
    let project = AppProject::from_object(&before).expect("decodes");
    assert_eq!(
        to_json_string(project.to_object().value()),
        to_json_string(before.value())
    );
    assert_eq!(
        project.spec.namespace_resource_whitelist,
        Some(vec![]),
        "empty is not absent"
    );
    assert!(project.unknown.get("futureTop").is_some());
    assert!(project.spec.unknown.is_empty() && project.spec.sync_windows.iter().all(|w| w.unknown.is_empty()));
}

#[test]
fn the_default_project_allows_all() {
    let expected = Value::from_yaml(
        "{apiVersion: argoproj.io/v1alpha1, kind: AppProject, metadata: {name: default, namespace: argocd},
          spec: {sourceRepos: ['*'], destinations: [{server: '*', namespace: '*'}], clusterResourceWhitelist: [{group: '*', kind: '*'}]}}",
    )
    .expect("yaml");
    assert_eq!(
        to_json_string(AppProject::allow_all("argocd").to_object().value()),
        to_json_string(&expected)
    );
}
