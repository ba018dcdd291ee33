//! TLS of one client: whom it trusts, and who it is.

use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::HttpError;

/// What TLS to one host needs.
#[derive(Default)]
pub(crate) struct TlsNeeds<'a> {
    /// Certificates trusted instead of the system's, PEM.
    pub authority_pem: Option<&'a str>,
    /// Whether nothing is checked.
    pub insecure: bool,
    /// Certificate chain and key, PEM.
    pub identity: Option<(&'a str, &'a str)>,
}

/// Builds the settings of one client.
pub(crate) fn client_config(needs: &TlsNeeds<'_>) -> Result<ClientConfig, HttpError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let versions = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|e| material("TLS provider", &e))?;
    let trusting = if needs.insecure {
        versions
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Unchecked(provider)))
    } else {
        let roots = match needs.authority_pem {
            // Only these, as the peer does: naming an authority for a host narrows whom it may be.
            Some(pem) => Arc::new(authorities(pem)?),
            None => system_authorities(),
        };
        versions.with_root_certificates(roots)
    };
    let Some((chain, key)) = needs.identity else {
        return Ok(trusting.with_no_client_auth());
    };
    let chain = CertificateDer::pem_slice_iter(chain.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| material("tlsClientCertData", &e))?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|e| material("tlsClientCertKey", &e))?;
    trusting
        .with_client_auth_cert(chain, key)
        .map_err(|e| material("tlsClientCertData and tlsClientCertKey", &e))
}

fn authorities(pem: &str) -> Result<RootCertStore, HttpError> {
    const FIELD: &str = "certificate of argocd-tls-certs-cm";
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|e| material(FIELD, &e))?;
        roots.add(certificate).map_err(|e| material(FIELD, &e))?;
    }
    if roots.is_empty() {
        return Err(HttpError::Material {
            field: FIELD,
            message: "it holds no PEM certificate".into(),
        });
    }
    Ok(roots)
}

/// The system's authorities, read once. A system without any trusts nobody, and the handshake then says so.
fn system_authorities() -> Arc<RootCertStore> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    Arc::clone(ROOTS.get_or_init(|| {
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::warn!(%error, "some of the system's certificate authorities cannot be read");
        }
        let mut roots = RootCertStore::empty();
        let (_, unusable) = roots.add_parsable_certificates(found.certs);
        tracing::debug!(usable = roots.len(), unusable, "system certificate authorities read");
        Arc::new(roots)
    }))
}

fn material(field: &'static str, error: &dyn std::fmt::Display) -> HttpError {
    HttpError::Material {
        field,
        message: error.to_string(),
    }
}

/// Believes every certificate, for `insecure: "true"`. The handshake's signature is still checked: the peer holds the key it shows.
#[derive(Debug)]
struct Unchecked(Arc<CryptoProvider>);

impl ServerCertVerifier for Unchecked {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
