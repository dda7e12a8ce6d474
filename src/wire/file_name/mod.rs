//! Names of files, as people and programs give them, in the addresses of files and on disks; sizes in words.

pub mod disposition;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::chars;

/// Maximum length of a name, in bytes: that of a name on most file systems, with room for what a download adds.
pub const MAX_NAME_BYTES: usize = 200;

/// Longest ending that is kept when a name is cut, in bytes.
const MAX_ENDING_BYTES: usize = 10;

/// Name of a file that came without one.
const NAMELESS: &str = "file";

/// Characters that some system has in no name, or that have a meaning in a path or a shell.
const REFUSED: [char; 9] = ['/', '\\', ':', '*', '?', '"', '<', '>', '|'];

/// Names that are devices on Windows, whatever ending they have.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];

/// Characters that stand as they are in an address and in `filename*`
/// ([RFC 8187](https://www.rfc-editor.org/rfc/rfc8187#section-3.2.1)).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Returns a name under which a file may be written on any system: without a path, without characters that some system
/// refuses or that cannot be seen, and neither empty nor hidden nor that of a device.
pub fn safe_name(given: &str) -> String {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let name = chars::strip_refused(last).replace(REFUSED, "_");
    // Windows cuts dots and blanks at the end; a dot at the beginning hides the file elsewhere.
    let name = name.trim().trim_start_matches(['.', ' ']).trim_end_matches(['.', ' ']);
    let (stem, ending) = match name.rsplit_once('.') {
        Some((stem, ending)) if ending.len() <= MAX_ENDING_BYTES => (stem, format!(".{ending}")),
        _ => (name, String::new()),
    };
    let stem = stem.get(..stem.floor_char_boundary(MAX_NAME_BYTES - ending.len())).unwrap_or(stem).trim_end();
    let first = stem.split('.').next().unwrap_or(stem).trim_end().to_ascii_lowercase();
    let is_numbered = matches!(first.get(..3), Some("com" | "lpt")) && first.chars().count() == 4;
    match stem {
        "" => NAMELESS.to_owned(),
        _ if is_numbered || DEVICES.contains(&&*first) => format!("_{stem}{ending}"),
        _ => format!("{stem}{ending}"),
    }
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

/// Returns a name as a part of an address, percent-encoded.
pub fn encode_name(name: &str) -> String {
    utf8_percent_encode(name, ENCODED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_without_paths_and_safe_on_every_system() {
        for (given, expected) in [
            ("photo.png", "photo.png"),
            ("../../etc/passwd", "passwd"),
            (r"C:\Users\Jo\a b.txt", "a b.txt"),
            ("..", "file"),
            ("", "file"),
            ("/", "file"),
            (".bashrc", "bashrc"),
            (". .profile", "profile"),
            ("a:b*c?.txt", "a_b_c_.txt"),
            ("trailing. ", "trailing"),
            ("line\nbreak\0.txt", "linebreak.txt"),
            ("\u{1b}[31ma\u{7}.txt", "[31ma.txt"),
            ("gnp.\u{202e}exe", "gnp.exe"),
            ("nul", "_nul"),
            ("CON.tar.gz", "_CON.tar.gz"),
            ("com1.txt", "_com1.txt"),
            ("command.txt", "command.txt"),
            ("Übersicht – 2026.pdf", "Übersicht – 2026.pdf"),
        ] {
            assert_eq!(safe_name(given), expected, "{given:?}");
        }
        let long = safe_name(&format!("{}.jpeg", "é".repeat(300)));
        assert!(long.len() <= MAX_NAME_BYTES && long.ends_with("é.jpeg"), "{long}");
        assert!(safe_name(&"x".repeat(300)).len() <= MAX_NAME_BYTES);
    }

    #[test]
    fn sizes_are_short() {
        let sizes = [0, 1023, 1024, 1536, 50 << 20, 1_400_000, u64::MAX].map(file_size);
        assert_eq!(sizes, ["0 B", "1023 B", "1 KiB", "1.5 KiB", "50 MiB", "1.3 MiB", "16777215 TiB"]);
    }

    #[test]
    fn names_are_encoded_for_addresses() {
        assert_eq!(encode_name("a b/ü.txt"), "a%20b%2F%C3%BC.txt");
    }
}
