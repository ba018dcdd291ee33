//! The command line of the benchmark of rendering.

/// How it is called.
pub const USAGE: &str = "\
usage: cargo xtask bench render [helm|kustomize] [--samples N] [--case PART]

  --samples  runs of each case, here and there; medians are compared (default 3)
  --case     only cases whose name holds this
";

/// What to measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Charts.
    pub helm: bool,
    /// Kustomizations.
    pub kustomize: bool,
    /// Runs of each case.
    pub samples: usize,
    /// A part of the names of the cases; empty means all.
    pub only: String,
}

impl Options {
    /// Reads the command line.
    pub fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self {
            helm: true,
            kustomize: true,
            samples: 3,
            only: String::new(),
        };
        let mut rest = arguments.iter().map(String::as_str);
        while let Some(word) = rest.next() {
            match word {
                "helm" => options.kustomize = false,
                "kustomize" => options.helm = false,
                "--case" => options.only = rest.next().ok_or("--case needs a value")?.to_owned(),
                "--samples" => {
                    let number = rest.next().and_then(|text| text.parse().ok());
                    options.samples = number.filter(|n| *n > 0).ok_or("--samples needs a positive number")?;
                }
                _ => return Err(format!("unknown argument {word:?}")),
            }
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::Options;

    #[test]
    fn what_is_asked_for() {
        let parse = |line: &str| {
            let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            Options::parse(&words)
        };
        let all = parse("").unwrap();
        assert!(all.helm && all.kustomize && all.samples == 3);
        let one = parse("kustomize --samples 5 --case x").unwrap();
        assert!(!one.helm && one.kustomize && one.samples == 5 && one.only == "x");
        for line in ["--samples 0", "--samples", "--case", "argo"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
