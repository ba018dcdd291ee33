//! What stands in files: a head that says who wrote it, and a body that only who has the secret of the installation can read or write.
//!
//! ```text
//! format (8 bytes) | renderer (64) | nonce (12) | AES-256-GCM of the body, with its tag (16)
//! ```
//!
//! The head and the file's own name are authenticated with the body: an entry is right for its question, its format and its renderer, or it does
//! not open (I-22).

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;
use pintle_model::Sensitive;

/// Format of files. It changes with what stands in the body or around it.
const FORMAT: &[u8; 8] = b"pintler1";
/// The renderer, by its sources: see `build.rs`.
const RENDERER: &[u8] = env!("PINTLE_RENDERER").as_bytes();
/// Bytes that a file has more than its body.
pub(super) const OVERHEAD: usize = FORMAT.len() + RENDERER.len() + NONCE_LEN + 16;

/// What files are named and encrypted with, made from the secret of an installation.
pub(super) struct Keys {
    names: hmac::Key,
    body: RandomizedNonceKey,
}

/// Names a file: a keyed digest of what was asked, which tells nothing of it.
pub(super) type Name = [u8; 32];

/// What a file turned out to be.
pub(super) enum Opened<'f> {
    /// Whole, and of this renderer.
    Body(&'f [u8]),
    /// Of another format or another build of the renderer; of no use here, perhaps to another process.
    Foreign,
    /// Damaged, or written by somebody without the secret.
    Broken,
}

impl Keys {
    /// `None` if the cipher cannot be set up, which its library says and nothing explains.
    pub fn of(secret: &Sensitive<Vec<u8>>) -> Option<Self> {
        let root = hmac::Key::new(hmac::HMAC_SHA256, secret.expose());
        let derive = |what: &str| hmac::sign(&root, what.as_bytes());
        Some(Self {
            names: hmac::Key::new(hmac::HMAC_SHA256, derive("pintle renders: names").as_ref()),
            body: RandomizedNonceKey::new(&AES_256_GCM, derive("pintle renders: bodies").as_ref()).ok()?,
        })
    }

    pub fn name(&self, asked: &[u8]) -> Option<Name> {
        hmac::sign(&self.names, asked).as_ref().try_into().ok()
    }

    /// The file of a body.
    pub fn seal(&self, name: &Name, mut body: Vec<u8>) -> Option<Vec<u8>> {
        let nonce = self.body.seal_in_place_append_tag(around(name), &mut body).ok()?;
        let nonce: &[u8; NONCE_LEN] = nonce.as_ref();
        let parts: [&[u8]; 4] = [FORMAT, RENDERER, nonce, &body];
        Some(parts.concat())
    }

    /// The body of a file, decrypted in place.
    pub fn open<'f>(&self, name: &Name, file: &'f mut [u8]) -> Opened<'f> {
        let head = FORMAT.len() + RENDERER.len();
        let Some((said, rest)) = file.split_at_mut_checked(head) else {
            return Opened::Broken;
        };
        if *said != *[&FORMAT[..], RENDERER].concat() {
            return Opened::Foreign;
        }
        let Some((nonce, body)) = rest.split_first_chunk_mut::<NONCE_LEN>() else {
            return Opened::Broken;
        };
        match self
            .body
            .open_in_place(Nonce::assume_unique_for_key(*nonce), around(name), body)
        {
            Ok(body) => Opened::Body(body),
            Err(_) => Opened::Broken,
        }
    }
}

fn around(name: &Name) -> Aad<Vec<u8>> {
    Aad::from([&FORMAT[..], RENDERER, name].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(secret: &str) -> Keys {
        Keys::of(&Sensitive::new(secret.as_bytes().to_vec())).unwrap()
    }

    #[test]
    fn only_the_same_secret_and_question_open_it() {
        let (ours, theirs) = (keys("a"), keys("b"));
        let (name, other) = (ours.name(b"asked").unwrap(), ours.name(b"asked too").unwrap());
        assert_ne!(name, theirs.name(b"asked").unwrap());
        let file = ours.seal(&name, b"canary".to_vec()).unwrap();
        assert_eq!(file.len(), b"canary".len() + OVERHEAD);
        assert!(!file.windows(6).any(|w| w == b"canary"));
        let body = |keys: &Keys, name: &Name, file: &[u8]| match keys.open(name, &mut file.to_vec()) {
            Opened::Body(body) => Some(body.to_vec()),
            Opened::Foreign | Opened::Broken => None,
        };
        assert_eq!(body(&ours, &name, &file).as_deref(), Some(&b"canary"[..]));
        assert_eq!(body(&ours, &other, &file), None);
        assert_eq!(body(&theirs, &name, &file), None);
        for at in 0..file.len() {
            let mut damaged = file.clone();
            damaged[at] ^= 1;
            assert_eq!(body(&ours, &name, &damaged), None, "{at}");
            assert_eq!(body(&ours, &name, &file[..at]), None, "{at}");
        }
    }

    #[test]
    fn another_build_is_told_from_damage() {
        let keys = keys("a");
        let name = keys.name(b"asked").unwrap();
        let mut file = keys.seal(&name, Vec::new()).unwrap();
        file[FORMAT.len()] ^= 1;
        assert!(matches!(keys.open(&name, &mut file), Opened::Foreign));
    }
}
