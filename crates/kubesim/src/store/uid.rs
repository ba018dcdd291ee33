//! UIDs and name suffixes that repeat when the seed repeats.

/// A splitmix64 sequence: uids need to be unique within one store, not secret.
pub(super) struct UidSource(u64);

/// What `generateName` appends: no vowels, as apimachinery, so that no words come out.
const SUFFIX: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

impl UidSource {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A UID in the shape of a version 4 UUID.
    pub(super) fn uid(&mut self) -> String {
        let (a, b) = (self.next(), self.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            a >> 32,
            (a >> 16) & 0xffff,
            a & 0xfff,
            ((b >> 48) & 0x3fff) | 0x8000,
            b & 0xffff_ffff_ffff
        )
    }

    /// Five characters for a generated name.
    pub(super) fn suffix(&mut self) -> String {
        let mut bits = self.next();
        (0..5)
            .map(|_| {
                let i = (bits % SUFFIX.len() as u64) as usize;
                bits /= SUFFIX.len() as u64;
                SUFFIX.get(i).copied().map_or('x', char::from)
            })
            .collect()
    }
}
