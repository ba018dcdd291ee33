//! Private keys and certificates: made out of the call's random stream, written as PEM.

use std::any::Any;

use rand_core::RngCore;
use rsa::traits::{PrivateKeyParts, PublicKeyParts};
use rsa::{BigUint, Pkcs1v15Sign, RsaPrivateKey};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::args::Args;
use super::encoding::decode64;
use super::random::Stream;
use super::show::sprint;
use crate::function::{Call, FuncError, Functions};
use crate::gotime::Time;
use crate::host::Host;
use crate::types::{Kind, LIST_ANY, Type as T};
use crate::value::Value;

const CERTIFICATE: T = T::Host("sprig.certificate");
const LIST: T = T::List(&LIST_ANY);
/// What making a key counts as, in executed steps.
const KEY_STEPS: u64 = 1_000_000;
/// Larger keys in a chart are refused: their arithmetic has no bound otherwise.
const MAX_KEY_BYTES: usize = 16 << 10;

/// sprig's `certificate`: `.Cert` and `.Key`, both PEM.
#[derive(Clone)]
pub struct CertificateHost {
    /// The certificate.
    pub cert: String,
    /// Its private key.
    pub key: String,
}

impl Host for CertificateHost {
    fn type_name(&self) -> &str {
        "sprig.certificate"
    }

    fn kind(&self) -> Kind {
        Kind::Struct
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "Cert" => Some(self.cert.as_str().into()),
            "Key" => Some(self.key.as_str().into()),
            _ => None,
        }
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        vec![("Cert", self.cert.as_str().into()), ("Key", self.key.as_str().into())]
    }

    fn equal(&self, other: &dyn Host) -> bool {
        other
            .as_any()
            .downcast_ref::<Self>()
            .is_some_and(|o| o.cert == self.cert && o.key == self.key)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

pub(super) fn register(f: &mut Functions) {
    f.add("genPrivateKey", &[T::String], T::String, |call, a| {
        call.charge_steps(KEY_STEPS)?;
        let kind = Args(a).text(0);
        let mut stream = Stream::new(call);
        let key = match kind.as_ref() {
            "" | "rsa" => match PrivateKey::rsa(&mut stream, 4096) {
                Ok(key) => key,
                Err(error) => return Ok(format!("failed to generate private key: {error}").into()),
            },
            "ecdsa" => PrivateKey::Ec(p256::SecretKey::random(&mut stream)),
            "ed25519" => {
                let mut seed = [0; 32];
                stream.fill_bytes(&mut seed);
                PrivateKey::Ed(Box::new(ed25519_dalek::SigningKey::from_bytes(&seed)))
            }
            "dsa" => return Err("DSA keys are not supported".into()),
            other => return Ok(format!("Unknown type {other}").into()),
        };
        Ok(key.to_pem().into())
    });
    f.add("buildCustomCert", &[T::String, T::String], CERTIFICATE, |_, a| {
        let cert = decode64(Args(a).bytes(0)).map_err(|_| "unable to decode base64 certificate")?;
        let key = decode64(Args(a).bytes(1)).map_err(|_| "unable to decode base64 private key")?;
        let (cert, key) = (String::from_utf8_lossy(&cert), String::from_utf8_lossy(&key));
        let (_, der) = pem_decode(&cert).ok_or("unable to decode certificate")?;
        Parent::parse(&der).ok_or("error parsing certificate: decodedCert.Bytes: x509: malformed certificate")?;
        PrivateKey::from_pem(&key).map_err(|e| format!("error parsing private key: {e}"))?;
        Ok(Value::host(CertificateHost {
            cert: cert.into_owned(),
            key: key.into_owned(),
        }))
    });
    for (name, with_key) in [("genCA", false), ("genCAWithKey", true)] {
        let params: &[T] = if with_key {
            &[T::String, T::Int, T::String]
        } else {
            &[T::String, T::Int]
        };
        f.add(name, params, CERTIFICATE, move |call, a| {
            let request = Request {
                cn: Args(a).text(0).into_owned(),
                days: Args(a).int(1),
                names: Vec::new(),
                ca: true,
            };
            let key = subject_key(call, with_key.then(|| Args(a).text(2)).as_deref())?;
            issue(call, &request, &key, None)
        });
    }
    for (name, with_key) in [("genSelfSignedCert", false), ("genSelfSignedCertWithKey", true)] {
        let params: &[T] = if with_key {
            &[T::String, LIST, LIST, T::Int, T::String]
        } else {
            &[T::String, LIST, LIST, T::Int]
        };
        f.add(name, params, CERTIFICATE, move |call, a| {
            let key = subject_key(call, with_key.then(|| Args(a).text(4)).as_deref())?;
            issue(call, &Request::leaf(Args(a))?, &key, None)
        });
    }
    for (name, with_key) in [("genSignedCert", false), ("genSignedCertWithKey", true)] {
        let params: &[T] = if with_key {
            &[T::String, LIST, LIST, T::Int, CERTIFICATE, T::String]
        } else {
            &[T::String, LIST, LIST, T::Int, CERTIFICATE]
        };
        f.add(name, params, CERTIFICATE, move |call, a| {
            let key = subject_key(call, with_key.then(|| Args(a).text(5)).as_deref())?;
            let ca = match Args(a).value(4) {
                Value::Host(host) => host.as_any().downcast_ref::<CertificateHost>(),
                _ => None,
            };
            let ca = ca.ok_or("unable to decode certificate")?;
            let (_, der) = pem_decode(&ca.cert).ok_or("unable to decode certificate")?;
            let parent = Parent::parse(&der)
                .ok_or("error parsing certificate: decodedSignerCert.Bytes: x509: malformed certificate")?;
            let signer = PrivateKey::from_pem(&ca.key).map_err(|e| format!("error parsing private key: {e}"))?;
            let request = Request::leaf(Args(a))?;
            if signer.public_der() != parent.public_key {
                let reason = "x509: provided PrivateKey doesn't match parent's PublicKey";
                return Err(format!("error creating certificate: {reason}").into());
            }
            issue(call, &request, &key, Some((&parent, &signer)))
        });
    }
}

fn subject_key(call: &mut Call<'_>, pem: Option<&str>) -> Result<PrivateKey, FuncError> {
    match pem {
        Some(pem) => PrivateKey::from_pem(pem).map_err(|e| format!("parsing private key: {e}").into()),
        None => {
            call.charge_steps(KEY_STEPS)?;
            let key = PrivateKey::rsa(&mut Stream::new(call), 2048);
            key.map_err(|e| format!("error generating rsa key: {e}").into())
        }
    }
}

/// What a certificate is to say.
struct Request {
    cn: String,
    days: i64,
    /// Alternative names, encoded.
    names: Vec<u8>,
    ca: bool,
}

impl Request {
    fn leaf(a: Args<'_>) -> Result<Self, FuncError> {
        let list = |at: usize| a.value(at).as_list().map(|l| l.as_slice().to_vec()).unwrap_or_default();
        let mut ips = Vec::new();
        for ip in list(1) {
            let Some(text) = ip.as_text() else {
                return Err(format!("error parsing ip: {} is not a string", sprint(&ip).to_str()).into());
            };
            let text = text.to_str();
            match text.parse::<std::net::IpAddr>().map(|ip| ip.to_canonical()) {
                Ok(std::net::IpAddr::V4(ip)) => ips.extend(tlv(0x87, &[&ip.octets()])),
                Ok(std::net::IpAddr::V6(ip)) => ips.extend(tlv(0x87, &[&ip.octets()])),
                Err(_) => return Err(format!("error parsing ip: {text}").into()),
            }
        }
        let mut names = Vec::new();
        for name in list(2) {
            let Some(text) = name.as_text() else {
                let shown = sprint(&name);
                return Err(format!(
                    "error processing alternate dns name: {} is not a string",
                    shown.to_str()
                )
                .into());
            };
            names.extend(tlv(0x82, &[text.as_bytes()]));
        }
        names.extend(ips);
        Ok(Self {
            cn: a.text(0).into_owned(),
            days: a.int(3),
            names,
            ca: false,
        })
    }
}

/// Writes and signs the certificate; without a parent the subject signs itself.
fn issue(
    call: &mut Call<'_>,
    request: &Request,
    key: &PrivateKey,
    signer: Option<(&Parent, &PrivateKey)>,
) -> Result<Value, FuncError> {
    let life = request.days.saturating_mul(86_400);
    let validity = call.validity(life);
    let mut serial = [0_u8; 16];
    Stream::new(call).fill_bytes(&mut serial);
    // The successor of a keyed certificate draws the same bytes, and must not have the same number.
    let window = validity.window.unwrap_or_default().to_be_bytes();
    serial
        .iter_mut()
        .rev()
        .zip(window.iter().rev())
        .for_each(|(s, w)| *s ^= w);

    let subject = name(&request.cn);
    let issuer = signer.map_or(&subject, |(parent, _)| &parent.subject);
    let signing = signer.map_or(key, |(_, key)| key);
    let algorithm = signing.signature_algorithm();
    let from = Time::unix(validity.not_before_seconds, 0);
    let until = Time::unix(validity.not_before_seconds.saturating_add(life), 0);
    let usage: &[u8] = if request.ca { &[2, 0xa4] } else { &[5, 0xa0] };
    let purposes = [oid(&[1, 3, 6, 1, 5, 5, 7, 3, 1]), oid(&[1, 3, 6, 1, 5, 5, 7, 3, 2])].concat();
    let constraint: Vec<u8> = if request.ca { tlv(1, &[&[0xff]]) } else { Vec::new() };
    let mut extensions = extension(&[2, 5, 29, 15], true, &tlv(3, &[usage]));
    extensions.extend(extension(&[2, 5, 29, 37], false, &tlv(0x30, &[&purposes])));
    extensions.extend(extension(&[2, 5, 29, 19], true, &tlv(0x30, &[&constraint])));
    if request.ca {
        extensions.extend(extension(&[2, 5, 29, 14], false, &tlv(4, &[&key.key_id()])));
    }
    if let Some(id) = signer
        .and_then(|(parent, _)| parent.key_id.as_ref())
        .filter(|_| *issuer != subject)
    {
        extensions.extend(extension(&[2, 5, 29, 35], false, &tlv(0x30, &[&tlv(0x80, &[id])])));
    }
    if !request.names.is_empty() {
        extensions.extend(extension(
            &[2, 5, 29, 17],
            request.cn.is_empty(),
            &tlv(0x30, &[&request.names]),
        ));
    }
    let body = tlv(
        0x30,
        &[
            &tlv(0xa0, &[&integer(&[2])]),
            &integer(&serial),
            &algorithm,
            issuer,
            &tlv(0x30, &[&moment(&from), &moment(&until)]),
            &subject,
            &key.public_der(),
            &tlv(0xa3, &[&tlv(0x30, &[&extensions])]),
        ],
    );
    let signature = signing
        .sign(&body)
        .map_err(|e| format!("error creating certificate: {e}"))?;
    let cert = tlv(0x30, &[&body, &algorithm, &tlv(3, &[&[0], &signature])]);
    Ok(Value::host(CertificateHost {
        cert: pem_encode("CERTIFICATE", &cert),
        key: key.to_pem(),
    }))
}

fn extension(id: &[u64], critical: bool, value: &[u8]) -> Vec<u8> {
    let mark = if critical { tlv(1, &[&[0xff]]) } else { Vec::new() };
    tlv(0x30, &[&oid(id), &mark, &tlv(4, &[value])])
}

fn name(cn: &str) -> Vec<u8> {
    if cn.is_empty() {
        return tlv(0x30, &[]);
    }
    let printable = cn
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&b));
    let text = tlv(if printable { 0x13 } else { 0x0c }, &[cn.as_bytes()]);
    tlv(0x30, &[&tlv(0x31, &[&tlv(0x30, &[&oid(&[2, 5, 4, 3]), &text])])])
}

fn moment(time: &Time) -> Vec<u8> {
    // Two digits of the year mean 1950 to 2049.
    if (1950..2050).contains(&time.civil().year) {
        tlv(0x17, &[time.format("060102150405Z").as_bytes()])
    } else {
        tlv(0x18, &[time.format("20060102150405Z").as_bytes()])
    }
}

enum PrivateKey {
    Rsa(Box<RsaPrivateKey>),
    Ec(p256::SecretKey),
    Ed(Box<ed25519_dalek::SigningKey>),
}

const RSA: [u64; 7] = [1, 2, 840, 113_549, 1, 1, 1];
const EC: [u64; 6] = [1, 2, 840, 10_045, 2, 1];
const P256: [u64; 7] = [1, 2, 840, 10_045, 3, 1, 7];
const ED25519: [u64; 4] = [1, 3, 101, 112];

impl PrivateKey {
    fn rsa(stream: &mut Stream<'_, '_>, bits: usize) -> Result<Self, String> {
        RsaPrivateKey::new(stream, bits)
            .map(|key| Self::Rsa(Box::new(key)))
            .map_err(|e| e.to_string())
    }

    fn to_pem(&self) -> String {
        match self {
            Self::Rsa(key) => {
                let number = |n: &BigUint| integer(&n.to_bytes_be());
                let one = BigUint::from(1_u8);
                let mut parts = vec![integer(&[0]), number(key.n()), number(key.e()), number(key.d())];
                parts.extend(key.primes().iter().map(number));
                parts.extend(key.primes().iter().map(|p| number(&(key.d() % (p - &one)))));
                parts.extend(key.crt_coefficient().as_ref().map(number));
                pem_encode("RSA PRIVATE KEY", &tlv(0x30, &[&parts.concat()]))
            }
            Self::Ec(key) => {
                let point = tlv(3, &[&[0], &ec_point(key)]);
                let parts = [
                    integer(&[1]),
                    tlv(4, &[&key.to_bytes()]),
                    tlv(0xa0, &[&oid(&P256)]),
                    tlv(0xa1, &[&point]),
                ];
                pem_encode("EC PRIVATE KEY", &tlv(0x30, &[&parts.concat()]))
            }
            Self::Ed(key) => {
                let seed = tlv(4, &[&tlv(4, &[key.as_bytes()])]);
                let parts = [integer(&[0]), tlv(0x30, &[&oid(&ED25519)]), seed];
                pem_encode("PRIVATE KEY", &tlv(0x30, &[&parts.concat()]))
            }
        }
    }

    fn from_pem(text: &str) -> Result<Self, String> {
        if text.len() > MAX_KEY_BYTES {
            return Err("private key is too large".to_owned());
        }
        let (label, der) = pem_decode(text).ok_or("no PEM data in input")?;
        let malformed = "asn1: structure error: malformed key";
        match label.as_str() {
            "PRIVATE KEY" => Self::pkcs8(&der).ok_or_else(|| format!("decoding PEM as PKCS#8: {malformed}")),
            "RSA PRIVATE KEY" => {
                Self::pkcs1(&der).ok_or_else(|| format!("parsing RSA private key from PEM: {malformed}"))
            }
            "EC PRIVATE KEY" => Self::sec1(&der).ok_or_else(|| format!("parsing EC private key from PEM: {malformed}")),
            other => match other.strip_suffix(" PRIVATE KEY") {
                Some("DSA") => Err("DSA keys are not supported".to_owned()),
                Some(kind) => Err(format!("invalid private key type {kind}")),
                None => Err(format!("no private key data in PEM block of type {other}")),
            },
        }
    }

    fn pkcs1(der: &[u8]) -> Option<Self> {
        let mut reader = Der(der).enter(0x30)?;
        reader.next(2)?;
        let mut number = || Some(BigUint::from_bytes_be(reader.next(2)?));
        let (n, e, d, p, q) = (number()?, number()?, number()?, number()?, number()?);
        RsaPrivateKey::from_components(n, e, d, vec![p, q])
            .ok()
            .map(|key| Self::Rsa(Box::new(key)))
    }

    fn sec1(der: &[u8]) -> Option<Self> {
        let mut reader = Der(der).enter(0x30)?;
        reader.next(2)?;
        p256::SecretKey::from_slice(reader.next(4)?).ok().map(Self::Ec)
    }

    fn pkcs8(der: &[u8]) -> Option<Self> {
        let mut reader = Der(der).enter(0x30)?;
        reader.next(2)?;
        let algorithm = reader.next(0x30)?;
        let key = reader.next(4)?;
        if algorithm.starts_with(&oid(&RSA)) {
            Self::pkcs1(key)
        } else if algorithm.starts_with(&oid(&EC)) {
            Self::sec1(key)
        } else if algorithm.starts_with(&oid(&ED25519)) {
            let seed: [u8; 32] = Der(key).next(4)?.try_into().ok()?;
            Some(Self::Ed(Box::new(ed25519_dalek::SigningKey::from_bytes(&seed))))
        } else {
            None
        }
    }

    /// The bits of the public key, without its algorithm.
    fn public_bits(&self) -> Vec<u8> {
        match self {
            Self::Rsa(key) => tlv(
                0x30,
                &[&integer(&key.n().to_bytes_be()), &integer(&key.e().to_bytes_be())],
            ),
            Self::Ec(key) => ec_point(key),
            Self::Ed(key) => key.verifying_key().to_bytes().to_vec(),
        }
    }

    fn public_der(&self) -> Vec<u8> {
        let algorithm = match self {
            Self::Rsa(_) => tlv(0x30, &[&oid(&RSA), &[5, 0]]),
            Self::Ec(_) => tlv(0x30, &[&oid(&EC), &oid(&P256)]),
            Self::Ed(_) => tlv(0x30, &[&oid(&ED25519)]),
        };
        tlv(0x30, &[&algorithm, &tlv(3, &[&[0], &self.public_bits()])])
    }

    fn key_id(&self) -> Vec<u8> {
        Sha1::digest(self.public_bits()).to_vec()
    }

    fn signature_algorithm(&self) -> Vec<u8> {
        match self {
            Self::Rsa(_) => tlv(0x30, &[&oid(&[1, 2, 840, 113_549, 1, 1, 11]), &[5, 0]]),
            Self::Ec(_) => tlv(0x30, &[&oid(&[1, 2, 840, 10_045, 4, 3, 2])]),
            Self::Ed(_) => tlv(0x30, &[&oid(&ED25519)]),
        }
    }

    fn sign(&self, body: &[u8]) -> Result<Vec<u8>, String> {
        match self {
            Self::Rsa(key) => {
                let sha256 = oid(&[2, 16, 840, 1, 101, 3, 4, 2, 1]);
                let digest = tlv(
                    0x30,
                    &[&tlv(0x30, &[&sha256, &[5, 0]]), &tlv(4, &[&Sha256::digest(body)])],
                );
                key.sign(Pkcs1v15Sign::new_unprefixed(), &digest)
                    .map_err(|e| e.to_string())
            }
            Self::Ec(key) => {
                use p256::ecdsa::signature::Signer as _;
                let signature: p256::ecdsa::Signature = p256::ecdsa::SigningKey::from(key).sign(body);
                Ok(signature.to_der().as_bytes().to_vec())
            }
            Self::Ed(key) => {
                use ed25519_dalek::Signer as _;
                Ok(key.sign(body).to_bytes().to_vec())
            }
        }
    }
}

fn ec_point(key: &p256::SecretKey) -> Vec<u8> {
    use p256::elliptic_curve::sec1::ToEncodedPoint as _;
    key.public_key().to_encoded_point(false).as_bytes().to_vec()
}

/// What is needed of a certificate that signs.
struct Parent {
    subject: Vec<u8>,
    public_key: Vec<u8>,
    key_id: Option<Vec<u8>>,
}

impl Parent {
    fn parse(der: &[u8]) -> Option<Self> {
        let mut body = Der(der).enter(0x30)?.enter(0x30)?;
        if body.peek() == Some(0xa0) {
            body.next(0xa0)?;
        }
        body.next(2)?;
        body.next(0x30)?;
        body.next(0x30)?;
        body.next(0x30)?;
        let subject = body.whole(0x30)?.to_vec();
        let public_key = body.whole(0x30)?.to_vec();
        let mut key_id = None;
        while let Some(tag) = body.peek() {
            let content = body.next(tag)?;
            if tag != 0xa3 {
                continue;
            }
            let mut extensions = Der(content).enter(0x30)?;
            while extensions.peek().is_some() {
                let mut extension = extensions.enter(0x30)?;
                let id = extension.whole(6)?;
                if extension.peek() == Some(1) {
                    extension.next(1)?;
                }
                let value = extension.next(4)?;
                if id == oid(&[2, 5, 29, 14]) {
                    key_id = Some(Der(value).next(4)?.to_vec());
                }
            }
        }
        Some(Self {
            subject,
            public_key,
            key_id,
        })
    }
}

/// A reader of DER with lengths of up to three bytes.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// The element at the cursor with its header.
    fn whole(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (&[found, first], rest) = self.0.split_first_chunk::<2>()?;
        if found != tag {
            return None;
        }
        let (header, len) = match first {
            0..=0x7f => (2, usize::from(first)),
            0x81..=0x83 => {
                let count = usize::from(first & 0x7f);
                let len = rest.get(..count)?.iter().fold(0, |len, b| len << 8 | usize::from(*b));
                (2 + count, len)
            }
            _ => return None,
        };
        let (element, after) = self.0.split_at_checked(header + len)?;
        self.0 = after;
        Some(element)
    }

    /// The contents of the element at the cursor.
    fn next(&mut self, tag: u8) -> Option<&'a [u8]> {
        let element = self.whole(tag)?;
        let header = match *element.get(1)? {
            long @ 0x81.. => 2 + usize::from(long & 0x7f),
            _ => 2,
        };
        element.get(header..)
    }

    fn enter(&mut self, tag: u8) -> Option<Self> {
        self.next(tag).map(Self)
    }
}

fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let len: usize = parts.iter().map(|p| p.len()).sum();
    let bytes = len.to_be_bytes();
    let significant = bytes
        .iter()
        .position(|b| *b != 0)
        .and_then(|at| bytes.get(at..))
        .unwrap_or(&[0]);
    let mut out = vec![tag];
    if len >= 0x80 {
        out.push(0x80 | u8::try_from(significant.len()).unwrap_or_default());
    }
    out.extend_from_slice(significant);
    parts.iter().for_each(|p| out.extend_from_slice(p));
    out
}

/// A number that is not negative, from big-endian bytes.
fn integer(bytes: &[u8]) -> Vec<u8> {
    let start = bytes
        .iter()
        .position(|b| *b != 0)
        .unwrap_or(bytes.len().saturating_sub(1));
    let bytes = bytes.get(start..).unwrap_or(&[0]);
    let sign: &[u8] = if bytes.first().is_none_or(|b| *b >= 0x80) {
        &[0]
    } else {
        &[]
    };
    tlv(2, &[sign, bytes])
}

fn oid(parts: &[u64]) -> Vec<u8> {
    let mut out = Vec::new();
    if let [first, second, ..] = parts {
        out.push(u8::try_from(first * 40 + second).unwrap_or_default());
    }
    for part in parts.iter().skip(2) {
        let groups = (0..9).rev().map(|i| (part >> (7 * i)) as u8 & 0x7f);
        let mut digits: Vec<u8> = groups.skip_while(|d| *d == 0).collect();
        if digits.is_empty() {
            digits.push(0);
        }
        let last = digits.len() - 1;
        out.extend(
            digits
                .into_iter()
                .enumerate()
                .map(|(i, d)| if i < last { d | 0x80 } else { d }),
        );
    }
    tlv(6, &[&out])
}

fn pem_encode(label: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let mut out = format!("-----BEGIN {label}-----\n");
    for line in text.as_bytes().chunks(64) {
        out.extend(line.iter().map(|b| char::from(*b)));
        out.push('\n');
    }
    out.push_str(&format!("-----END {label}-----\n"));
    out
}

/// The first PEM block of a text: its label and contents. Headers inside a block are skipped.
fn pem_decode(text: &str) -> Option<(String, Vec<u8>)> {
    let mut lines = text.lines().map(str::trim_end);
    let label = lines.find_map(|line| line.strip_prefix("-----BEGIN ")?.strip_suffix("-----"))?;
    let end = format!("-----END {label}-----");
    let mut body = String::new();
    for line in lines {
        if line == end {
            return decode64(body.as_bytes()).ok().map(|der| (label.to_owned(), der));
        }
        if !line.contains(':') {
            body.push_str(line);
        }
    }
    None
}
