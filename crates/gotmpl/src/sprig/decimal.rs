//! shopspring/decimal, as far as `addf`, `subf`, `mulf` and `divf` need it: exact decimals, quotients to 16 places.

use num_bigint_dig::{BigInt, Sign};

use crate::float::shortest_scientific;

/// Decimal places of a quotient.
const DIVISION_PLACES: i32 = 16;

#[derive(Clone, Copy)]
pub(super) enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// `digits` times ten to the `exponent`.
pub(super) struct Decimal {
    digits: BigInt,
    exponent: i32,
}

impl Decimal {
    /// The shortest decimal that reads back as the number.
    pub fn from_f64(value: f64) -> Result<Self, String> {
        if !value.is_finite() {
            let name = if value.is_nan() {
                "NaN"
            } else if value > 0.0 {
                "+Inf"
            } else {
                "-Inf"
            };
            return Err(format!("Cannot create a Decimal from {name}"));
        }
        let text = shortest_scientific(value);
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let places = mantissa.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        let digits: String = mantissa.chars().filter(|c| *c != '.').collect();
        let exponent: i32 = exponent.parse().unwrap_or_default();
        Ok(Self {
            digits: digits.parse().unwrap_or_default(),
            exponent: exponent - i32::try_from(places).unwrap_or_default(),
        })
    }

    pub fn apply(&self, operation: Operation, other: &Self) -> Result<Self, String> {
        Ok(match operation {
            Operation::Multiply => Self {
                digits: &self.digits * &other.digits,
                exponent: self.exponent.saturating_add(other.exponent),
            },
            Operation::Divide => self.divide(other)?,
            Operation::Add | Operation::Subtract => {
                let exponent = self.exponent.min(other.exponent);
                let (a, b) = (self.scaled(exponent), other.scaled(exponent));
                Self {
                    digits: if matches!(operation, Operation::Add) {
                        a + b
                    } else {
                        a - b
                    },
                    exponent,
                }
            }
        })
    }

    fn scaled(&self, exponent: i32) -> BigInt {
        &self.digits * power(u32::try_from(self.exponent - exponent).unwrap_or_default())
    }

    fn divide(&self, other: &Self) -> Result<Self, String> {
        if other.digits.sign() == Sign::NoSign {
            return Err("decimal division by 0".to_owned());
        }
        let shift = self.exponent - other.exponent + DIVISION_PLACES;
        let scale = power(shift.unsigned_abs());
        let (a, b) = if shift >= 0 {
            (&self.digits * scale, other.digits.clone())
        } else {
            (self.digits.clone(), &other.digits * scale)
        };
        let (quotient, rest) = (&a / &b, &a % &b);
        let twice = magnitude(&rest) * BigInt::from(2);
        // Halves go away from zero.
        let away = match (
            twice >= magnitude(&b),
            (a.sign() == Sign::Minus) == (b.sign() == Sign::Minus),
        ) {
            (false, _) => 0,
            (true, true) => 1,
            (true, false) => -1,
        };
        Ok(Self {
            digits: quotient + BigInt::from(away),
            exponent: -DIVISION_PLACES,
        })
    }

    pub fn to_f64(&self) -> f64 {
        format!("{}e{}", self.digits, self.exponent).parse().unwrap_or(f64::NAN)
    }
}

fn magnitude(n: &BigInt) -> BigInt {
    if n.sign() == Sign::Minus { -n } else { n.clone() }
}

fn power(exponent: u32) -> BigInt {
    BigInt::parse_bytes(format!("1{}", "0".repeat(exponent as usize)).as_bytes(), 10).unwrap_or_default()
}
