//! Media types of files and dimensions of pictures, read from the contents. The type that a client names is ignored.

use std::io::{self, Read};

use crate::core::record::file::Dimensions;

/// Bytes at the start of a content from which its dimensions are read: more than a camera writes before them.
const DIMENSIONS_WITHIN: u64 = 256 * 1024;

/// Bytes at the start of a content from which its media type is read.
const TYPE_WITHIN: usize = 8 * 1024;

/// Largest width and height that a picture is believed to have, in pixels.
const MAX_PIXELS: usize = 65_535;

/// Type of what is neither known nor a text.
const UNKNOWN: &str = "application/octet-stream";

/// Types that a page may show in place: no SVG and no HTML, because these can hold scripts.
const SHOWN_INLINE: [&str; 13] = [
    "audio/aac",
    "audio/m4a",
    "audio/mpeg",
    "audio/ogg",
    "audio/x-flac",
    "audio/x-wav",
    "image/avif",
    "image/gif",
    "image/jpeg",
    "image/png",
    "image/webp",
    "video/mp4",
    "video/webm",
];

/// Properties of a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Inspection {
    pub media_type: &'static str,
    /// Dimensions of a picture, if they can be read. Nothing of the picture itself is decoded.
    pub dimensions: Option<Dimensions>,
}

/// Looks at the start of a content. Blocks.
///
/// # Errors
/// It cannot be read.
pub(super) fn inspect(content: impl Read) -> io::Result<Inspection> {
    let mut start = Vec::new();
    content.take(DIMENSIONS_WITHIN).read_to_end(&mut start)?;
    let media_type = media_type(start.get(..TYPE_WITHIN).unwrap_or(&start));
    let is_picture = media_type.starts_with("image/") && is_shown_inline(media_type);
    Ok(Inspection { media_type, dimensions: if is_picture { dimensions(&start) } else { None } })
}

fn dimensions(start: &[u8]) -> Option<Dimensions> {
    let size = imagesize::blob_size(start).ok()?;
    let pixels = |count: usize| u32::try_from(count).ok().filter(|_| (1..=MAX_PIXELS).contains(&count));
    Some(Dimensions { width: pixels(size.width)?, height: pixels(size.height)? })
}

/// Returns the media type of a content by its start.
fn media_type(start: &[u8]) -> &'static str {
    if let Some(known) = infer::get(start) {
        // What a browser would run, if it were served as such, is served as what it is not.
        return match known.mime_type() {
            "text/html" | "text/xml" | "image/svg+xml" | "application/xhtml+xml" => "text/plain",
            known => known,
        };
    }
    let is_text = match std::str::from_utf8(start) {
        Ok(text) => is_plain(text),
        // A character may be cut at the end of what is looked at.
        Err(error) => {
            error.error_len().is_none()
                && start
                    .get(..error.valid_up_to())
                    .is_some_and(|whole| std::str::from_utf8(whole).is_ok_and(is_plain))
        }
    };
    if is_text && !start.is_empty() { "text/plain" } else { UNKNOWN }
}

/// Returns whether a page may show a content of this type in place.
pub(in crate::server) fn is_shown_inline(media_type: &str) -> bool {
    SHOWN_INLINE.contains(&media_type)
}

fn is_plain(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{c}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_follow_the_content() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
        for (start, expected) in [
            (&png[..], "image/png"),
            (b"\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg"),
            (b"GIF89a\x01\0", "image/gif"),
            (b"%PDF-1.7\n", "application/pdf"),
            (b"hello, w\xc3\xb6rld\n", "text/plain"),
            (b"cut in a character \xc3", "text/plain"),
            (b"<!DOCTYPE html><script>alert(1)</script>", "text/plain"),
            (b"<html><body>", "text/plain"),
            (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "text/plain"),
            (b"<?xml version='1.0'?><svg/>", "text/plain"),
            (b"\0\x01\x02\x03", UNKNOWN),
            (b"latin \xfc text", UNKNOWN),
            (b"", UNKNOWN),
        ] {
            assert_eq!(media_type(start), expected, "{}", String::from_utf8_lossy(start));
        }
    }

    #[test]
    fn no_type_that_can_hold_a_script_is_shown_inline() {
        for media_type in SHOWN_INLINE {
            assert!(["image/", "audio/", "video/"].iter().any(|kind| media_type.starts_with(kind)));
            assert!(!media_type.contains("svg") && !media_type.contains("xml"));
        }
        assert!(!is_shown_inline("text/plain") && !is_shown_inline("application/pdf"));
    }
}
