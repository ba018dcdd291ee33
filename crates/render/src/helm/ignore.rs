//! `.helmignore`.

use super::matcher::{self, Pattern};

/// The rules of one chart.
pub(crate) struct Rules(Vec<Rule>);

struct Rule {
    /// `None` for a line that is malformed without its slash (`a\\/`): Helm takes it, and it matches nothing.
    pattern: Option<Pattern>,
    /// Only directories.
    directory: bool,
    negate: bool,
    /// The whole path is matched, not the last part alone.
    whole: bool,
}

impl Rules {
    /// Reads the file's text; without one, the text is empty.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut rules = Vec::new();
        for line in text.trim_start_matches('\u{feff}').lines() {
            rules.extend(Rule::parse(line)?);
        }
        // Dot files below `templates` are ignored always.
        rules.extend(Rule::parse("templates/.?*")?);
        Ok(Self(rules))
    }

    /// Whether the entry at `path`, relative to the chart, is left out.
    pub(crate) fn ignores(&self, path: &str, is_directory: bool) -> bool {
        for rule in &self.0 {
            if rule.negate {
                // A negated rule takes out everything it does not name.
                if (rule.directory && !is_directory) || !rule.matches(path) {
                    return true;
                }
            } else if (is_directory || !rule.directory) && rule.matches(path) {
                return true;
            }
        }
        false
    }
}

impl Rule {
    fn parse(line: &str) -> Result<Option<Self>, String> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(None);
        }
        if line.contains("**") {
            return Err("double-star (**) syntax is not supported".into());
        }
        matcher::check(line)?;
        let (negate, rest) = line.strip_prefix('!').map_or((false, line), |rest| (true, rest));
        let (directory, rest) = rest.strip_suffix('/').map_or((false, rest), |rest| (true, rest));
        let (rooted, rest) = rest.strip_prefix('/').map_or((false, rest), |rest| (true, rest));
        Ok(Some(Self {
            whole: rooted || rest.contains('/'),
            pattern: Pattern::parse(rest),
            directory,
            negate,
        }))
    }

    fn matches(&self, path: &str) -> bool {
        let name = if self.whole {
            path
        } else {
            path.rsplit_once('/').map_or(path, |(_, name)| name)
        };
        self.pattern.as_ref().is_some_and(|pattern| pattern.matches(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_as_helm_reads_them() {
        let rules = Rules::parse("# comment\n*.swp\n/top.txt\ndocs/\na/b*.yaml\n").expect("good rules");
        for (path, directory, ignored) in [
            ("x/y.swp", false, true),
            ("top.txt", false, true),
            ("sub/top.txt", false, false),
            ("sub/docs", true, true),
            ("docs", false, false),
            ("a/bc.yaml", false, true),
            ("x/a/bc.yaml", false, false),
            ("templates/.hidden", false, true),
            ("templates/.", false, false),
        ] {
            assert_eq!(rules.ignores(path, directory), ignored, "{path}");
        }
        let negated = Rules::parse("!Chart.yaml").expect("good rules");
        assert!(negated.ignores("values.yaml", false));
        assert!(!negated.ignores("Chart.yaml", false));
        assert!(Rules::parse("a/**").is_err());
        assert!(Rules::parse("[a").is_err());
    }
}
