//! Counts with their nouns, in the singular and the plural.

use std::fmt::Display;

/// Formats a count and what is counted: `1 channel`, `2 channels`.
pub fn counted(count: impl Display, noun: &str) -> String {
    let count = count.to_string();
    let ending = if count == "1" { "" } else { "s" };
    format!("{count} {noun}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_singular_and_all_others_are_plural() {
        let texts = ["0", "1", "2", "11", "1+"].map(|count| counted(count, "channel"));
        assert_eq!(texts, ["0 channels", "1 channel", "2 channels", "11 channels", "1+ channels"]);
    }
}
