//! Counts with their nouns, in the singular and the plural.

use std::fmt::Display;

/// Formats a count and what is counted: `1 channel`, `2 channels`.
pub fn counted(count: impl Display, noun: &str) -> String {
    let count = count.to_string();
    let ending = if count == "1" { "" } else { "s" };
    format!("{count} {noun}{ending}")
}

/// Returns a size for people: `999 B`, `1.5 KiB`, `50 MiB`.
pub fn file_size(bytes: u64) -> String {
    let mut unit_bytes = 1_u64;
    let mut unit = "B";
    for larger in ["KiB", "MiB", "GiB", "TiB"] {
        if bytes / unit_bytes < 1024 {
            break;
        }
        (unit_bytes, unit) = (unit_bytes * 1024, larger);
    }
    let (whole, tenths) = (bytes / unit_bytes, bytes % unit_bytes * 10 / unit_bytes);
    if tenths == 0 || whole >= 100 { format!("{whole} {unit}") } else { format!("{whole}.{tenths} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_singular_and_all_others_are_plural() {
        let texts = ["0", "1", "2", "11", "1+"].map(|count| counted(count, "channel"));
        assert_eq!(texts, ["0 channels", "1 channel", "2 channels", "11 channels", "1+ channels"]);
    }

    #[test]
    fn sizes_are_short() {
        let sizes = [0, 1023, 1024, 1536, 50 << 20, 1_400_000, u64::MAX].map(file_size);
        assert_eq!(sizes, ["0 B", "1023 B", "1 KiB", "1.5 KiB", "50 MiB", "1.3 MiB", "16777215 TiB"]);
    }
}
