//! The command line of the benchmark.

use super::Sources;

/// How it is called.
pub const USAGE: &str = "\
usage: cargo xtask bench [--apps N[,N]] [--only PART[,PART]] [--samples N] [--sources plain|thirds]

  --apps     applications, of four objects each (default 300,1000); pushes are measured on the largest fleet
  --only     s0: the API server alone; b1: install, with its floor; b3, f1, f2, f3: pushes (default: all)
  --samples  pushes that b3 measures (default 15)
  --sources  plain: manifests for each application (default); thirds: a third each plain, one chart, one base; f2 is of thirds only
";

/// A part that can be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The API server alone.
    S0,
    /// Installing N applications, with the floor.
    B1,
    /// From a push to one application Synced.
    B3,
    /// One commit that touches one application.
    F1,
    /// One commit that touches what a third shares.
    F2,
    /// One commit that touches none, and many tags.
    F3,
}

/// What to measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Sizes of the fleet.
    pub apps: Vec<usize>,
    /// Empty means everything.
    pub only: Vec<Part>,
    /// Pushes.
    pub samples: usize,
    /// Where manifests come from.
    pub sources: Sources,
}

impl Options {
    /// Reads the command line.
    pub fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self {
            apps: vec![300, 1000],
            only: Vec::new(),
            samples: 15,
            sources: Sources::Plain,
        };
        let mut rest = arguments.iter();
        while let Some(flag) = rest.next() {
            let value = rest.next().ok_or_else(|| format!("{flag} needs a value"))?;
            match flag.as_str() {
                "--apps" => options.apps = value.split(',').map(positive).collect::<Result<_, _>>()?,
                "--only" => options.only = value.split(',').map(part).collect::<Result<_, _>>()?,
                "--samples" => options.samples = positive(value)?,
                "--sources" => options.sources = sources(value)?,
                _ => return Err(format!("unknown flag {flag}")),
            }
        }
        if options.only.contains(&Part::F2) && options.sources != Sources::Thirds {
            return Err("f2 touches what many share: it needs --sources thirds".into());
        }
        Ok(options)
    }

    /// Whether a part is asked for.
    pub fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }

    /// Whether any part is asked for that pushes to a fleet at rest.
    pub fn wants_pushes(&self) -> bool {
        [Part::B3, Part::F1, Part::F2, Part::F3]
            .into_iter()
            .any(|part| self.wants(part))
    }
}

fn positive(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|n| *n > 0)
        .ok_or_else(|| format!("{text:?} is no positive number"))
}

fn part(text: &str) -> Result<Part, String> {
    Ok(match text {
        "s0" => Part::S0,
        "b1" => Part::B1,
        "b3" => Part::B3,
        "f1" => Part::F1,
        "f2" => Part::F2,
        "f3" => Part::F3,
        _ => return Err(format!("{text:?} is no part: s0, b1, b3, f1, f2, f3")),
    })
}

fn sources(text: &str) -> Result<Sources, String> {
    match text {
        "plain" => Ok(Sources::Plain),
        "thirds" => Ok(Sources::Thirds),
        _ => Err(format!("{text:?} is neither plain nor thirds")),
    }
}

#[cfg(test)]
mod tests {
    use super::{Options, Part, Sources};

    fn parse(line: &str) -> Result<Options, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Options::parse(&words)
    }

    #[test]
    fn everything_is_measured_unless_told_otherwise() {
        let options = parse("").unwrap();
        assert_eq!(options.apps, [300, 1000]);
        assert!(options.wants(Part::S0) && options.wants(Part::B1) && options.wants_pushes());
    }

    #[test]
    fn one_part_with_one_size() {
        let options = parse("--apps 20 --only b1").unwrap();
        assert_eq!(options.apps, [20]);
        assert!(options.wants(Part::B1) && !options.wants(Part::S0) && !options.wants_pushes());
    }

    #[test]
    fn what_many_share_is_touched_where_something_is_shared() {
        let options = parse("--only f1,f2 --sources thirds").unwrap();
        assert_eq!(options.sources, Sources::Thirds);
        assert!(options.wants(Part::F2) && options.wants_pushes());
        assert!(parse("--only f1,f2").unwrap_err().contains("--sources thirds"));
    }

    #[test]
    fn nonsense_is_refused() {
        for line in [
            "--apps 0",
            "--apps x",
            "--only b9",
            "--apps",
            "--frobnicate 1",
            "--sources x",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
