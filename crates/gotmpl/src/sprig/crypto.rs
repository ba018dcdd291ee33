//! Digests, passwords, keys and ciphers.

use aes::Aes256;
use aes::cipher::{BlockDecrypt, BlockEncrypt, KeyInit};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use rand_core::RngCore;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use super::args::Args;
use super::encoding::decode64;
use super::random::Stream;
use super::x509;
use crate::function::{Call, FuncError, Functions};
use crate::text::Str;
use crate::types::{NumberKind, Type as T};
use crate::value::Value;

/// Go's default; 2^10 rounds.
const BCRYPT_COST: u32 = 10;
/// What an expensive function counts as, in executed steps: some milliseconds of work.
const EXPENSIVE_STEPS: u64 = 100_000;

pub(super) fn register(f: &mut Functions) {
    let sums: [(&str, fn(&[u8]) -> String); 4] = [
        ("sha1sum", |b| hex(&Sha1::digest(b))),
        ("sha256sum", |b| hex(&Sha256::digest(b))),
        ("sha512sum", |b| hex(&Sha512::digest(b))),
        ("adler32sum", |b| adler32(b).to_string()),
    ];
    for (name, sum) in sums {
        f.add(name, &[T::String], T::String, move |_, a| {
            Ok(sum(Args(a).bytes(0)).into())
        });
    }
    f.add("bcrypt", &[T::String], T::String, |call, a| {
        Ok(bcrypt_hash(call, Args(a).bytes(0))?.into())
    });
    f.add("htpasswd", &[T::String, T::String], T::String, |call, a| {
        let user = Args(a).text(0);
        if user.contains(':') {
            return Ok(format!("invalid username: {user}").into());
        }
        Ok(format!("{user}:{}", bcrypt_hash(call, Args(a).bytes(1))?).into())
    });
    let text = T::String;
    f.add(
        "derivePassword",
        &[T::Number(NumberKind::Uint32), text, text, text, text],
        text,
        |call, a| {
            call.charge_steps(EXPENSIVE_STEPS)?;
            let counter = Args(a)
                .value(0)
                .as_uint()
                .and_then(|n| u32::try_from(n).ok())
                .unwrap_or_default();
            let a = Args(a);
            Ok(derive_password(counter, &a.text(1), a.bytes(2), a.bytes(3), a.bytes(4)).into())
        },
    );
    f.add("encryptAES", &[text, text], text, |call, a| {
        Ok(encrypt(call, Args(a).bytes(0), Args(a).bytes(1)).into())
    });
    f.add("decryptAES", &[text, text], text, |_, a| {
        Ok(Value::Str(Str::from_vec(decrypt(Args(a).bytes(0), Args(a).bytes(1))?)))
    });
    x509::register(f);
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn adler32(bytes: &[u8]) -> u32 {
    let (a, b) = bytes.iter().fold((1_u32, 0_u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (a + b) % 65_521)
    });
    b << 16 | a
}

fn bcrypt_hash(call: &mut Call<'_>, password: &[u8]) -> Result<String, FuncError> {
    if password.len() > 72 {
        let reason = "bcrypt: password length exceeds 72 bytes";
        return Ok(format!("failed to encrypt string with bcrypt: {reason}"));
    }
    call.charge_steps(EXPENSIVE_STEPS)?;
    let mut salt = [0; 16];
    Stream::new(call).fill_bytes(&mut salt);
    Ok(match bcrypt::hash_with_salt(password, BCRYPT_COST, salt) {
        Ok(parts) => parts.format_for_version(bcrypt::Version::TwoA),
        Err(error) => format!("failed to encrypt string with bcrypt: {error}"),
    })
}

/// The Master Password algorithm: what kind of character stands where.
fn derive_password(counter: u32, kind: &str, password: &[u8], user: &[u8], site: &[u8]) -> String {
    const SEED: &[u8] = b"com.lyndir.masterpassword";
    let templates: &[&str] = match kind {
        "maximum" => &["anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"],
        "long" => &[
            "CvcvnoCvcvCvcv",
            "CvcvCvcvnoCvcv",
            "CvcvCvcvCvcvno",
            "CvccnoCvcvCvcv",
            "CvccCvcvnoCvcv",
            "CvccCvcvCvcvno",
            "CvcvnoCvccCvcv",
            "CvcvCvccnoCvcv",
            "CvcvCvccCvcvno",
            "CvcvnoCvcvCvcc",
            "CvcvCvcvnoCvcc",
            "CvcvCvcvCvccno",
            "CvccnoCvccCvcv",
            "CvccCvccnoCvcv",
            "CvccCvccCvcvno",
            "CvcvnoCvccCvcc",
            "CvcvCvccnoCvcc",
            "CvcvCvccCvccno",
            "CvccnoCvcvCvcc",
            "CvccCvcvnoCvcc",
            "CvccCvcvCvccno",
        ],
        "medium" => &["CvcnoCvc", "CvcCvcno"],
        "short" => &["Cvcn"],
        "basic" => &["aaanaaan", "aannaaan", "aaannaaa"],
        "pin" => &["nnnn"],
        other => return format!("cannot find password template {other}"),
    };
    let len = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes();
    let salt = [SEED, &len(user), user].concat();
    let mut key = [0; 64];
    let derived = scrypt::Params::new(15, 8, 2, 64)
        .map_err(|e| e.to_string())
        .and_then(|params| scrypt::scrypt(password, &salt, &params, &mut key).map_err(|e| e.to_string()));
    if let Err(error) = derived {
        return format!("failed to derive password: {error}");
    }
    let Ok(mut mac) = <Hmac<Sha256> as Mac>::new_from_slice(&key) else {
        return String::new();
    };
    mac.update(&[SEED, &len(site), site, &counter.to_be_bytes()].concat());
    let seed: [u8; 32] = mac.finalize().into_bytes().into();
    let (first, rest) = seed.split_first().map_or((0, [].as_slice()), |(f, r)| (*f, r));
    let template = templates
        .get(usize::from(first) % templates.len())
        .copied()
        .unwrap_or_default();
    template
        .bytes()
        .zip(rest)
        .filter_map(|(class, byte)| {
            let set: &[u8] = match class {
                b'V' => b"AEIOU",
                b'C' => b"BCDFGHJKLMNPQRSTVWXYZ",
                b'v' => b"aeiou",
                b'c' => b"bcdfghjklmnpqrstvwxyz",
                b'A' => b"AEIOUBCDFGHJKLMNPQRSTVWXYZ",
                b'a' => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz",
                b'n' => b"0123456789",
                b'o' => b"@&%?,=[]_:-+*$#!'^~;()/.",
                _ => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
            };
            set.get(usize::from(*byte) % set.len()).map(|b| char::from(*b))
        })
        .collect()
}

/// AES-256 with the password's first 32 bytes, padded with zeros, as the key.
fn cipher(password: &[u8]) -> Aes256 {
    let mut key = [0; 32];
    key.iter_mut().zip(password).for_each(|(k, p)| *k = *p);
    Aes256::new(&key.into())
}

fn encrypt(call: &mut Call<'_>, password: &[u8], text: &[u8]) -> String {
    if text.is_empty() {
        return String::new();
    }
    let mut previous = [0_u8; 16];
    Stream::new(call).fill_bytes(&mut previous);
    let padding = 16 - text.len() % 16;
    let mut content = text.to_vec();
    content.resize(text.len() + padding, u8::try_from(padding).unwrap_or_default());
    let cipher = cipher(password);
    let mut out = previous.to_vec();
    for chunk in content.chunks(16) {
        previous.iter_mut().zip(chunk).for_each(|(p, c)| *p ^= c);
        let mut block = previous.into();
        cipher.encrypt_block(&mut block);
        previous = block.into();
        out.extend_from_slice(&previous);
    }
    STANDARD.encode(out)
}

fn decrypt(password: &[u8], text: &[u8]) -> Result<Vec<u8>, FuncError> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let bytes = decode64(text)?;
    let Some((iv, body)) = bytes.split_first_chunk::<16>() else {
        let capacity = text.len() / 4 * 3;
        return Err(format!("runtime error: slice bounds out of range [:16] with capacity {capacity}").into());
    };
    if body.len() % 16 != 0 {
        return Err("crypto/cipher: input not full blocks".into());
    }
    let cipher = cipher(password);
    let mut previous = *iv;
    let mut out = Vec::with_capacity(body.len());
    for chunk in body.chunks_exact(16) {
        let mut current = [0; 16];
        current.copy_from_slice(chunk);
        let mut block = current.into();
        cipher.decrypt_block(&mut block);
        let plain: [u8; 16] = block.into();
        out.extend(plain.iter().zip(previous).map(|(a, b)| a ^ b));
        previous = current;
    }
    let Some(padding) = out.last().map(|b| i64::from(*b)) else {
        return Err("runtime error: index out of range [-1]".into());
    };
    let end = i64::try_from(out.len()).unwrap_or(i64::MAX) - padding;
    let end = usize::try_from(end).map_err(|_| format!("runtime error: slice bounds out of range [:{end}]"))?;
    out.truncate(end);
    Ok(out)
}
