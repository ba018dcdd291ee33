//! Randomness, all of it from the Ambient, by place and run of the call.

use rand_core::{CryptoRng, Error, RngCore, impls};

use super::args::Args;
use crate::function::{Call, FuncError, Functions};
use crate::text::Str;
use crate::types::Type as T;
use crate::value::Value;

pub(super) fn register(f: &mut Functions) {
    let sets: [(&str, fn(u8) -> bool, u8, u8); 4] = [
        ("randAlphaNum", |b| b.is_ascii_alphanumeric(), b' ', b'z' + 1),
        ("randAlpha", |b| b.is_ascii_alphabetic(), b' ', b'z' + 1),
        ("randNumeric", |b| b.is_ascii_digit(), b' ', b'z' + 1),
        ("randAscii", |_| true, 32, 127),
    ];
    for (name, member, start, end) in sets {
        let alphabet: Vec<u8> = (start..end).filter(|b| member(*b)).collect();
        f.add(name, &[T::Int], T::String, move |call, a| {
            // A negative count is an error goutils reports and sprig drops.
            let count = usize::try_from(Args(a).int(0)).unwrap_or_default();
            call.charge_bytes(count as u64)?;
            let mut stream = Stream::new(call);
            let text = (0..count).map(|_| alphabet.get(stream.below(alphabet.len() as u64) as usize).copied());
            Ok(Value::Str(Str::from_vec(text.map(Option::unwrap_or_default).collect())))
        });
    }
    f.add("randBytes", &[T::Int], T::String, |call, a| {
        use base64::Engine as _;
        let count = usize::try_from(Args(a).int(0)).map_err(|_| "runtime error: makeslice: len out of range")?;
        call.charge_bytes((count as u64).saturating_mul(2))?;
        let mut bytes = vec![0; count];
        Stream::new(call).fill_bytes(&mut bytes);
        Ok(base64::engine::general_purpose::STANDARD.encode(bytes).into())
    });
    f.add("randInt", &[T::Int, T::Int], T::Int, |call, a| {
        let (min, max) = (Args(a).int(0), Args(a).int(1));
        let range = u64::try_from(max.wrapping_sub(min)).ok().filter(|r| *r > 0);
        let range = range.ok_or("invalid argument to Intn")?;
        Ok(Value::Int(min.wrapping_add(Stream::new(call).below(range) as i64)))
    });
    f.add("shuffle", &[T::String], T::String, |call, a| {
        let mut chars: Vec<char> = Args(a).text(0).chars().collect();
        let mut stream = Stream::new(call);
        for i in (1..chars.len()).rev() {
            let other = stream.below(i as u64 + 1) as usize;
            chars.swap(i, other);
        }
        Ok(chars.into_iter().collect::<String>().into())
    });
    f.add("uuidv4", &[], T::String, |call, _| {
        let mut bytes = [0; 16];
        Stream::new(call).fill_bytes(&mut bytes);
        // Version 4, variant 10.
        let number = u128::from_be_bytes(bytes) & !(0xf << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62;
        let hex = format!("{number:032x}");
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
        Ok(format!(
            "{}-{}-{}-{}-{}",
            part(0, 8),
            part(8, 12),
            part(12, 16),
            part(16, 20),
            part(20, 32)
        )
        .into())
    });
    // Nothing here reaches a network, so no name has an address.
    f.add("getHostByName", &[T::String], T::String, |_, _| {
        Ok::<Value, FuncError>("".into())
    });
}

/// A stream of random bytes for one call, drawn in blocks.
pub(super) struct Stream<'c, 'e> {
    call: &'c mut Call<'e>,
    block: [u8; 64],
    used: usize,
}

impl<'c, 'e> Stream<'c, 'e> {
    pub fn new(call: &'c mut Call<'e>) -> Self {
        Self {
            call,
            block: [0; 64],
            used: 64,
        }
    }

    /// A number below the bound, all equally likely; zero for a bound of zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 {
            return 0;
        }
        let limit = u64::MAX - u64::MAX % bound;
        loop {
            let n = self.next_u64();
            if n < limit {
                return n % bound;
            }
        }
    }
}

impl RngCore for Stream<'_, '_> {
    fn next_u32(&mut self) -> u32 {
        impls::next_u32_via_fill(self)
    }

    fn next_u64(&mut self) -> u64 {
        impls::next_u64_via_fill(self)
    }

    fn fill_bytes(&mut self, out: &mut [u8]) {
        for byte in out {
            if self.used == self.block.len() {
                self.call.random(&mut self.block);
                self.used = 0;
            }
            *byte = self.block.get(self.used).copied().unwrap_or_default();
            self.used += 1;
        }
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Error> {
        self.fill_bytes(out);
        Ok(())
    }
}

impl CryptoRng for Stream<'_, '_> {}
