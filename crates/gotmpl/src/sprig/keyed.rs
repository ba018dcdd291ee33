//! The two sources of time and randomness a render can have.

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::function::{Ambient, CallSite, Now, Validity};

/// Truly random: entropy comes in as a closure, so that this crate stays pure.
pub struct RandomAmbient<F> {
    now: Now,
    fill: F,
}

impl<F: Fn(&mut [u8])> RandomAmbient<F> {
    /// Returns the Ambient of one render: its time stands still, `fill` is the system's source.
    pub fn new(now: Now, fill: F) -> Self {
        Self { now, fill }
    }
}

impl<F: Fn(&mut [u8])> Ambient for RandomAmbient<F> {
    fn now(&self) -> Now {
        self.now
    }

    fn random(&self, _: &CallSite, _: u32, out: &mut [u8]) {
        (self.fill)(out);
    }
}

/// Repeatable: what a place draws depends on a secret of the installation, the application and the place alone.
///
/// Neither a restart nor another replica nor other values change it. Certificates change once per window of two thirds
/// of their life, so one that is in use always has a third left.
pub struct KeyedAmbient {
    now: Now,
    key: Hmac<Sha256>,
}

impl KeyedAmbient {
    /// Returns the Ambient of an application, named by its UID. The secret may have any length; 32 random bytes do.
    pub fn new(now: Now, secret: &[u8], application_uid: &str) -> Self {
        // HMAC takes keys of any length; an empty one is what an error would fall back to.
        let mut key = Hmac::<Sha256>::new_from_slice(secret).unwrap_or_else(|_| Hmac::new(&Default::default()));
        part(&mut key, b"pintle template randomness v1");
        part(&mut key, application_uid.as_bytes());
        Self { now, key }
    }

    fn block(&self, site: &CallSite, purpose: &[u8], numbers: &[u64]) -> [u8; 32] {
        let mut mac = self.key.clone();
        part(&mut mac, purpose);
        part(&mut mac, site.template.as_bytes());
        mac.update(&site.position.to_be_bytes());
        mac.update(&site.run.to_be_bytes());
        for number in numbers {
            mac.update(&number.to_be_bytes());
        }
        mac.finalize().into_bytes().into()
    }
}

/// Adds a part with its length, so that two parts never read as another two.
fn part(mac: &mut Hmac<Sha256>, bytes: &[u8]) {
    mac.update(&(bytes.len() as u64).to_be_bytes());
    mac.update(bytes);
}

impl Ambient for KeyedAmbient {
    fn now(&self) -> Now {
        self.now
    }

    fn random(&self, site: &CallSite, draw: u32, out: &mut [u8]) {
        for (chunk, at) in out.chunks_mut(32).zip(0_u64..) {
            let block = self.block(site, b"bytes", &[u64::from(draw), at]);
            chunk.iter_mut().zip(block).for_each(|(byte, random)| *byte = random);
        }
    }

    fn validity(&self, site: &CallSite, life_seconds: i64) -> Validity {
        let window = (life_seconds / 3 * 2).max(1);
        // Places change at different times, or every certificate of an installation would renew in one render.
        let block = self.block(site, b"phase", &[]);
        let phase = block
            .first_chunk::<8>()
            .map_or(0, |b| (u64::from_be_bytes(*b) >> 1) as i64)
            % window;
        let index = self.now.seconds.saturating_sub(phase).div_euclid(window);
        Validity {
            not_before_seconds: index.saturating_mul(window).saturating_add(phase),
            window: Some(index),
        }
    }
}
