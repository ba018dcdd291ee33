//! Query strings and paths, percent-decoded.

use crate::error::ApiError;

/// The parameters of a request, in order.
#[derive(Clone, Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads what stands after `?`.
    pub fn parse(text: &str) -> Self {
        let pairs = text.split('&').filter(|p| !p.is_empty()).map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key, true), decode(value, true))
        });
        Self(pairs.collect())
    }

    /// The first value of a parameter; empty if it is absent.
    pub fn get(&self, key: &str) -> &str {
        self.0.iter().find(|(k, _)| k == key).map_or("", |(_, v)| v.as_str())
    }

    /// Whether a parameter is there at all.
    pub fn has(&self, key: &str) -> bool {
        self.0.iter().any(|(k, _)| k == key)
    }

    /// A boolean parameter; Go's parser also takes `1` and `t`. A bare key counts as true, as in kube-apiserver.
    pub fn flag(&self, key: &str) -> bool {
        self.has(key) && !matches!(self.get(key), "false" | "0" | "f" | "False" | "FALSE" | "F")
    }

    /// A whole number; `None` if absent or empty.
    pub fn number(&self, key: &str) -> Result<Option<i64>, ApiError> {
        match self.get(key) {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| {
                ApiError::bad_request(format!(
                    "strconv.ParseInt: parsing {text:?}: invalid syntax (parameter {key})"
                ))
            }),
        }
    }

    /// Whether `dryRun=All` was asked for; any other value is refused.
    pub fn dry_run(&self) -> Result<bool, ApiError> {
        match self.get("dryRun") {
            "" => Ok(false),
            "All" => Ok(true),
            other => Err(ApiError::invalid(
                "meta.k8s.io",
                "WriteOptions",
                "",
                vec![crate::error::Cause::unsupported(
                    "dryRun",
                    format!("{other:?}"),
                    &["All"],
                )],
            )),
        }
    }
}

/// Decodes `%xx`, and `+` as a space in queries. Bytes that are not UTF-8 become U+FFFD.
pub fn decode(text: &str, plus_is_space: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while let Some(&b) = bytes.get(i) {
        let hex = bytes
            .get(i + 1..i + 3)
            .and_then(|h| std::str::from_utf8(h).ok())
            .and_then(|h| u8::from_str_radix(h, 16).ok());
        match (b, hex) {
            (b'%', Some(byte)) => {
                out.push(byte);
                i += 2;
            }
            (b'+', _) if plus_is_space => out.push(b' '),
            _ => out.push(b),
        }
        i += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded() {
        let q = Query::parse("labelSelector=a%3Db%2Cc+in+%28d%29&watch&limit=5&x=false");
        assert_eq!(q.get("labelSelector"), "a=b,c in (d)");
        assert!(q.flag("watch") && !q.flag("x") && !q.flag("absent"));
        assert_eq!(q.number("limit"), Ok(Some(5)));
        assert!(Query::parse("limit=x").number("limit").is_err());
    }
}
