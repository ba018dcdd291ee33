//! Resource quantities: `100m`, `1.5Gi`, `2e3`. One amount has many spellings; [`Quantity`] prints the canonical one.
//!
//! Follows apimachinery 0.36 (`pkg/api/resource`); `testdata/quantity.json` holds its answers. Two things differ: amounts of more than
//! about 38 digits are refused, and so are amounts past `999E`, which the Go code prints without their suffix.

use std::fmt;

/// An amount and the family of suffixes it is written with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantity {
    /// The amount is `mantissa` · 10^`exponent`, exactly.
    mantissa: i128,
    exponent: i32,
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    /// `n u m k M G T P E`.
    DecimalSi,
    /// `Ki Mi Gi Ti Pi Ei`.
    BinarySi,
    /// `e3`.
    DecimalExponent,
}

/// Why a text is not a quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// The number is malformed.
    #[error("unable to parse numeric part of quantity")]
    Number,
    /// The suffix is unknown.
    #[error("unable to parse quantity's suffix")]
    Suffix,
    /// The amount needs more digits than are kept.
    #[error("quantity has too many digits")]
    TooLong,
}

/// Amounts are kept to billionths; anything finer is rounded away from zero.
const FINEST: i32 = -9;
/// 999E: above it no decimal suffix exists.
const COARSEST: i32 = 18;
/// Mantissas stay below what an `i128` holds by a factor of a hundred, which printing needs.
const MOST: u128 = 10_u128.pow(36);

impl Quantity {
    /// Reads a quantity. White space around it is ignored, as the API server does.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        let text = text.trim();
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let negative = text.starts_with('-');
        let number_end = unsigned
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(unsigned.len());
        let (number, suffix) = unsigned.split_at(number_end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        // A sign or a point without digits is 0 to the API server too.
        if text.is_empty() || fraction.contains('.') {
            return Err(QuantityError::Number);
        }
        let (binary, exponent, format) = suffix_meaning(suffix)?;

        let mut mantissa: i128 = 0;
        for digit in whole.bytes().chain(fraction.bytes()) {
            mantissa = mantissa
                .checked_mul(10)
                .and_then(|m| m.checked_add(i128::from(digit - b'0')))
                .ok_or(QuantityError::TooLong)?;
        }
        mantissa = mantissa.checked_mul(1 << binary).ok_or(QuantityError::TooLong)?;
        let places = i32::try_from(fraction.len()).map_err(|_| QuantityError::TooLong)?;
        let mut parsed = Self {
            mantissa,
            exponent: exponent - places,
            format,
        };
        parsed.round_up_to_finest();
        if format == Format::BinarySi && parsed.ceil() > i128::from(i64::MAX) {
            parsed = Self {
                mantissa: i128::from(i64::MAX),
                exponent: 0,
                format,
            };
        }
        if negative {
            parsed.mantissa = -parsed.mantissa;
        }
        let (mantissa, exponent) = parsed.scientific();
        if mantissa.unsigned_abs() > MOST || (format != Format::DecimalExponent && exponent > COARSEST) {
            return Err(QuantityError::TooLong);
        }
        Ok(parsed)
    }

    /// The amount in thousandths, rounded up; `None` if that does not fit.
    pub fn milli_value(self) -> Option<i64> {
        let exponent = self.exponent + 3;
        let milli = if exponent >= 0 {
            self.mantissa
                .checked_mul(10_i128.checked_pow(exponent.unsigned_abs())?)?
        } else {
            Self { exponent, ..self }.ceil()
        };
        i64::try_from(milli).ok()
    }

    /// Drops what is finer than billionths, away from zero. The mantissa is not negative yet.
    fn round_up_to_finest(&mut self) {
        while self.exponent < FINEST && self.mantissa != 0 {
            let excess = FINEST.abs_diff(self.exponent).min(37);
            let divisor = 10_i128.pow(excess);
            let rest = self.mantissa % divisor;
            self.mantissa = self.mantissa / divisor + i128::from(rest != 0);
            self.exponent += excess.cast_signed();
        }
    }

    /// The amount as an integer, if it is one.
    fn whole(self) -> Option<i128> {
        if self.exponent >= 0 {
            return self
                .mantissa
                .checked_mul(10_i128.checked_pow(self.exponent.unsigned_abs())?);
        }
        let divisor = 10_i128.checked_pow(self.exponent.unsigned_abs())?;
        (self.mantissa % divisor == 0).then(|| self.mantissa / divisor)
    }

    /// The smallest integer not below the amount; for negative exponents only.
    fn ceil(self) -> i128 {
        let Some(divisor) = 10_i128.checked_pow(self.exponent.min(0).unsigned_abs()) else {
            return i128::from(self.mantissa > 0);
        };
        self.mantissa.div_euclid(divisor) + i128::from(self.mantissa.rem_euclid(divisor) != 0)
    }

    /// The amount as an integer without needless zeros, and an exponent that is a multiple of three.
    fn scientific(self) -> (i128, i32) {
        let (mut mantissa, mut exponent) = (self.mantissa, self.exponent);
        if mantissa == 0 {
            return (0, 0);
        }
        while mantissa % 10 == 0 {
            mantissa /= 10;
            exponent += 1;
        }
        for _ in 0..exponent.rem_euclid(3) {
            // Saturates only above `MOST`, which `parse` refuses.
            mantissa = mantissa.saturating_mul(10);
            exponent -= 1;
        }
        (mantissa, exponent)
    }
}

/// The power of two, the power of ten and the family of a suffix.
fn suffix_meaning(suffix: &str) -> Result<(u32, i32, Format), QuantityError> {
    let decimal = |exponent| Ok((0, exponent, Format::DecimalSi));
    let binary = |exponent| Ok((exponent, 0, Format::BinarySi));
    match suffix {
        "n" => decimal(-9),
        "u" => decimal(-6),
        "m" => decimal(-3),
        "" => decimal(0),
        "k" => decimal(3),
        "M" => decimal(6),
        "G" => decimal(9),
        "T" => decimal(12),
        "P" => decimal(15),
        "E" => decimal(18),
        "Ki" => binary(10),
        "Mi" => binary(20),
        "Gi" => binary(30),
        "Ti" => binary(40),
        "Pi" => binary(50),
        "Ei" => binary(60),
        _ => {
            let digits = suffix.strip_prefix(['e', 'E']).ok_or(QuantityError::Suffix)?;
            let exponent: i64 = digits.parse().map_err(|_| QuantityError::Suffix)?;
            // 10^±99 is far past anything that is kept or printed.
            let exponent = i32::try_from(exponent.clamp(-1000, 1000)).map_err(|_| QuantityError::Suffix)?;
            if exponent > 99 {
                Err(QuantityError::TooLong)
            } else {
                Ok((0, exponent, Format::DecimalExponent))
            }
        }
    }
}

impl fmt::Display for Quantity {
    /// The canonical form: the largest suffix that needs no fraction.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.mantissa == 0 {
            return f.write_str("0");
        }
        if self.format == Format::BinarySi
            && let Some(mut whole) = self.whole()
            && whole.unsigned_abs() >= 1024
        {
            let mut suffixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].into_iter();
            let mut suffix = suffixes.next().unwrap_or_default();
            while whole % 1024 == 0
                && let Some(next) = suffixes.next()
            {
                whole /= 1024;
                suffix = next;
            }
            return write!(f, "{whole}{suffix}");
        }
        let (mantissa, exponent) = self.scientific();
        if self.format == Format::DecimalExponent {
            return if exponent == 0 {
                write!(f, "{mantissa}")
            } else {
                write!(f, "{mantissa}e{exponent}")
            };
        }
        let suffix = match exponent {
            -9 => "n",
            -6 => "u",
            -3 => "m",
            3 => "k",
            6 => "M",
            9 => "G",
            12 => "T",
            15 => "P",
            18 => "E",
            _ => "",
        };
        write!(f, "{mantissa}{suffix}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test::json;
    use pintle_model::Value;

    #[test]
    fn canonical_forms_are_those_of_the_go_code() {
        let recorded = json(include_str!("../testdata/quantity.json"));
        let cases = recorded.list_at(&["cases"]);
        assert!(cases.len() > 60);
        let wrong: Vec<String> = cases
            .iter()
            .filter_map(|case| {
                let [text, expected, ..] = case.as_list()? else {
                    return None;
                };
                let got = text
                    .as_str()
                    .and_then(|t| Quantity::parse(t).ok())
                    .map(|q| q.to_string());
                let expected = expected.as_str().map(str::to_owned);
                (got != expected).then(|| format!("{:?}: {got:?}, expected {expected:?}", text.as_str()))
            })
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(
            cases
                .iter()
                .any(|c| c.as_list().is_some_and(|c| c.get(1).is_some_and(Value::is_null)))
        );
    }

    #[test]
    fn amounts_that_cannot_be_kept_are_refused() {
        for text in [
            "1000000E",
            "1e100",
            "1234567890123456789012345678901234567890",
            "1e99999999999999999999",
        ] {
            assert!(Quantity::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn thousandths() {
        let milli = |text: &str| Quantity::parse(text).ok().and_then(Quantity::milli_value);
        assert_eq!(milli("100m"), Some(100));
        assert_eq!(milli("2"), Some(2000));
        assert_eq!(milli("1u"), Some(1));
        assert_eq!(milli("1Ki"), Some(1_024_000));
        assert_eq!(milli("9E"), None);
    }
}
