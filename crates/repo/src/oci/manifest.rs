//! Manifests, and which of their layers is the chart.

use super::OciError;
use crate::chart::digest;

/// Layers of charts: what Helm pushes now, and what it pushed at first.
pub(crate) const CHART_LAYERS: [&str; 2] = [
    "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
    "application/tar+gzip",
];

/// What of a manifest is used.
#[derive(Clone, Debug)]
pub(crate) struct Manifest {
    /// SHA-256 of its bytes: its name.
    pub digest: [u8; 32],
    pub layers: Vec<Layer>,
}

/// One layer that can be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layer {
    pub media_type: String,
    pub digest: [u8; 32],
    pub size: u64,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<serde::de::IgnoredAny>>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    #[serde(default)]
    media_type: String,
    digest: String,
    size: u64,
}

impl Manifest {
    /// Reads a manifest; `url` is for errors.
    pub(crate) fn parse(bytes: &[u8], digest: [u8; 32], url: &str) -> Result<Self, OciError> {
        let wrong = |message: String| OciError::Answer {
            url: url.to_owned(),
            wanted: "manifest",
            message,
        };
        let written: Written = serde_json::from_slice(bytes).map_err(|e| wrong(e.to_string()))?;
        if let Some(manifests) = &written.manifests
            && written.layers.is_none()
        {
            return Err(OciError::ImageIndex {
                url: url.to_owned(),
                count: manifests.len(),
            });
        }
        let mut layers = Vec::new();
        for layer in written.layers.unwrap_or_default() {
            let digest = digest::parse_named(&layer.digest)
                .ok_or_else(|| wrong(format!("a layer has digest {:?}, which is no sha256", layer.digest)))?;
            layers.push(Layer {
                media_type: layer.media_type,
                digest,
                size: layer.size,
            });
        }
        Ok(Self { digest, layers })
    }

    /// The layer with the chart; others, such as its provenance, may stand beside it.
    pub(crate) fn chart_layer(&self, url: &str) -> Result<&Layer, OciError> {
        // The current type goes before the old one.
        CHART_LAYERS
            .iter()
            .find_map(|wanted| self.layers.iter().find(|layer| layer.media_type == *wanted))
            .ok_or_else(|| self.no_layer(url, &CHART_LAYERS))
    }

    /// The one layer of an artifact that is a source by itself [F4.9].
    pub(crate) fn only_layer(&self, url: &str, allowed: &[String]) -> Result<&Layer, OciError> {
        match self.layers.as_slice() {
            [layer] if allowed.contains(&layer.media_type) => Ok(layer),
            [] | [_] => Err(self.no_layer(url, allowed)),
            many => Err(OciError::ManyLayers {
                url: url.to_owned(),
                count: many.len(),
            }),
        }
    }

    fn no_layer(&self, url: &str, wanted: &[impl AsRef<str>]) -> OciError {
        /// Types named in the error.
        const SHOWN: usize = 10;
        let found: Vec<&str> = self.layers.iter().take(SHOWN).map(|l| l.media_type.as_str()).collect();
        OciError::NoLayer {
            url: url.to_owned(),
            wanted: wanted.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(" or "),
            found: if found.is_empty() {
                "none".into()
            } else {
                found.join(", ")
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(layers: &[&str]) -> Manifest {
        let layers: Vec<String> = layers
            .iter()
            .map(|t| {
                format!(
                    r#"{{"mediaType":"{t}","digest":"sha256:{}","size":3}}"#,
                    "ab".repeat(32)
                )
            })
            .collect();
        let text = format!(r#"{{"schemaVersion":2,"layers":[{}]}}"#, layers.join(","));
        Manifest::parse(text.as_bytes(), [0; 32], "oci://h/a:1").unwrap()
    }

    #[test]
    fn the_chart_is_found_beside_its_provenance() {
        let prov = "application/vnd.cncf.helm.chart.provenance.v1.prov";
        let manifest = parse(&[prov, CHART_LAYERS[0]]);
        assert_eq!(manifest.chart_layer("u").unwrap().media_type, CHART_LAYERS[0]);
        let error = parse(&[prov]).chart_layer("oci://h/a:1").unwrap_err().to_string();
        assert!(error.contains(prov) && error.contains(CHART_LAYERS[0]), "{error}");
    }

    #[test]
    fn an_artifact_has_one_layer_of_an_allowed_type() {
        let allowed = vec!["application/vnd.oci.image.layer.v1.tar+gzip".to_owned()];
        assert!(parse(&[&allowed[0]]).only_layer("u", &allowed).is_ok());
        assert!(matches!(
            parse(&[&allowed[0], &allowed[0]]).only_layer("u", &allowed),
            Err(OciError::ManyLayers { count: 2, .. })
        ));
        assert!(matches!(
            parse(&["x/y"]).only_layer("u", &allowed),
            Err(OciError::NoLayer { .. })
        ));
    }

    #[test]
    fn what_is_no_chart_says_so() {
        let parse = |text: &str| Manifest::parse(text.as_bytes(), [0; 32], "u").map(drop).unwrap_err();
        assert!(matches!(
            parse(r#"{"manifests":[{},{}]}"#),
            OciError::ImageIndex { count: 2, .. }
        ));
        assert!(matches!(parse("[]"), OciError::Answer { .. }));
        assert!(matches!(
            parse(r#"{"layers":[{"digest":"md5:x","size":1}]}"#),
            OciError::Answer { .. }
        ));
    }
}
