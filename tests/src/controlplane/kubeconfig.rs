//! The kubeconfig text: one cluster, one user, everything inside it.

use base64::{Engine, prelude::BASE64_STANDARD};

use super::certificates::Identity;

/// Returns a kubeconfig for `server` (a URL), which presents a certificate of `authority_pem`.
pub(super) fn kubeconfig(server: &str, authority_pem: &str, identity: &Identity) -> String {
    let data = |pem: &str| BASE64_STANDARD.encode(pem);
    format!(
        "\
apiVersion: v1
kind: Config
current-context: pintle-tests
clusters:
- name: pintle-tests
  cluster:
    server: {server}
    certificate-authority-data: {authority}
users:
- name: pintle-tests
  user:
    client-certificate-data: {certificate}
    client-key-data: {key}
contexts:
- name: pintle-tests
  context:
    cluster: pintle-tests
    user: pintle-tests
",
        authority = data(authority_pem),
        certificate = data(&identity.certificate_pem),
        key = data(&identity.key_pem),
    )
}
