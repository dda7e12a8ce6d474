//! Findings, and their output.

use serde_json::json;

use crate::client::text::clean::clean;

/// The severity of a finding, lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// No problem was found.
    Ok,
    /// It works, but not permanently or not for everybody.
    Warning,
    /// It does not work, or is not secure.
    Problem,
}

/// The result of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub level: Level,
    /// Name of the check, in one word.
    pub check: &'static str,
    pub summary: String,
    /// The remedy, which every warning and every problem has.
    pub remedy: Option<String>,
}

impl Finding {
    pub fn ok(check: &'static str, summary: impl Into<String>) -> Self {
        Self { level: Level::Ok, check, summary: summary.into(), remedy: None }
    }

    pub fn warning(check: &'static str, summary: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { level: Level::Warning, check, summary: summary.into(), remedy: Some(remedy.into()) }
    }

    pub fn problem(check: &'static str, summary: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { level: Level::Problem, check, summary: summary.into(), remedy: Some(remedy.into()) }
    }

    /// Makes a problem of an error whose message ends with its remedy, after one of the separators `ends`.
    pub fn from_error(check: &'static str, error: impl std::fmt::Display, ends: &[&str]) -> Self {
        let text = error.to_string();
        let (summary, remedy) = ends
            .iter()
            .find_map(|end| text.split_once(end))
            .map_or((text.as_str(), "see the README"), |(what, remedy)| (what, remedy));
        let mut start = remedy.chars();
        let remedy = start.next().into_iter().flat_map(char::to_lowercase).chain(start).collect::<String>();
        Self::problem(check, summary, remedy)
    }

    /// Formats the finding on one line, and its remedy on the next.
    fn to_text(&self) -> String {
        let level = match self.level {
            Level::Ok => "ok",
            Level::Warning => "warning",
            Level::Problem => "problem",
        };
        let line = format!("{level:<8} {:<14} {}\n", self.check, clean(&self.summary));
        match &self.remedy {
            Some(remedy) => format!("{line}{:>24}{}\n", "-> ", clean(remedy)),
            None => line,
        }
    }

    fn to_json(&self) -> String {
        let level = match self.level {
            Level::Ok => "ok",
            Level::Warning => "warning",
            Level::Problem => "problem",
        };
        format!(
            "{}\n",
            json!({ "level": level, "check": self.check, "what": self.summary, "remedy": self.remedy })
        )
    }
}

/// Formats all findings, as text or as one JSON object on each line.
pub fn render(findings: &[Finding], as_json: bool) -> String {
    findings.iter().map(|finding| if as_json { finding.to_json() } else { finding.to_text() }).collect()
}

/// The exit code of a problem.
pub const PROBLEM_CODE: u8 = 2;

/// Returns the exit code of the worst finding.
pub fn exit_code(findings: &[Finding]) -> u8 {
    match findings.iter().map(|finding| finding.level).max() {
        None | Some(Level::Ok) => 0,
        Some(Level::Warning) => 1,
        Some(Level::Problem) => PROBLEM_CODE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_render_with_their_remedies() {
        let all = [
            Finding::ok("disk", "plenty"),
            Finding::warning("names", "a\u{1b}[31mb", "do this"),
            Finding::from_error("keys", "others can read it. Keep it to yourself: chmod 600 x", &[". "]),
        ];
        assert_eq!(
            render(&all, false),
            "ok       disk           plenty\n\
             warning  names          ab\n                     -> do this\n\
             problem  keys           others can read it\n                     -> keep it to yourself: chmod 600 x\n"
        );
        assert_eq!(
            render(&all[..1], true),
            "{\"check\":\"disk\",\"level\":\"ok\",\"remedy\":null,\"what\":\"plenty\"}\n"
        );
        let codes: Vec<u8> = (0..=3).map(|n| exit_code(&all[..n])).collect();
        assert_eq!(codes, [0, 0, 1, 2]);
    }
}
