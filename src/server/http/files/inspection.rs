//! Media types of files and dimensions of pictures, read from the contents. The type that a client names is ignored.

use std::io::{self, Cursor, Read};

use exif::{In, Tag};

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
    /// Dimensions of a picture as it is shown, if they can be read. Nothing of the picture itself is decoded.
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
    let dimensions = if is_picture { dimensions(&start, media_type) } else { None };
    Ok(Inspection { media_type, dimensions })
}

fn dimensions(start: &[u8], media_type: &str) -> Option<Dimensions> {
    let size = imagesize::blob_size(start).ok()?;
    let pixels = |count: usize| u32::try_from(count).ok().filter(|_| (1..=MAX_PIXELS).contains(&count));
    let (width, height) = (pixels(size.width)?, pixels(size.height)?);
    // The Exif data of the other types counts for nothing in browsers. That of AVIF says it in a way of its own, which
    // `imagesize` reads.
    let is_turned = matches!(media_type, "image/jpeg" | "image/png") && is_turned(start);
    Some(if is_turned { Dimensions { width: height, height: width } } else { Dimensions { width, height } })
}

/// Returns whether a picture is shown on its side, as cameras write upright ones (Exif 2.32, 4.6.4, Orientation).
fn is_turned(start: &[u8]) -> bool {
    let read = exif::Reader::new().continue_on_error(true).read_from_container(&mut Cursor::new(start));
    let found = read.or_else(|error| error.distill_partial_result(|_| ()));
    let field = found.as_ref().ok().and_then(|found| found.get_field(Tag::Orientation, In::PRIMARY));
    field.and_then(|field| field.value.get_uint(0)).is_some_and(|orientation| (5..=8).contains(&orientation))
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

    /// A JPEG of 40 to 20 pixels: these Exif data and the header of the frame.
    fn jpeg(exif: &[u8]) -> Vec<u8> {
        let length = u16::try_from(8 + exif.len()).expect("a segment").to_be_bytes();
        let frame = b"\xff\xc0\0\x0b\x08\0\x14\0\x28\x01\x01\x11\0";
        [b"\xff\xd8\xff\xe1", &length[..], b"Exif\0\0", exif, frame, b"\xff\xd9"].concat()
    }

    /// Exif data with an orientation in the order of bytes of Intel, with so many entries, and with the next directory at
    /// an offset.
    fn oriented(orientation: u8, entries: u16, next: u32) -> Vec<u8> {
        let entry = [0x12, 1, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0];
        [b"II*\0\x08\0\0\0", &entries.to_le_bytes()[..], &entry, &next.to_le_bytes()].concat()
    }

    fn size(content: &[u8]) -> Option<(u32, u32)> {
        inspect(content).expect("read").dimensions.map(|Dimensions { width, height }| (width, height))
    }

    #[test]
    fn dimensions_are_those_of_the_picture_as_it_is_shown() {
        let (lying, turned) = (Some((40, 20)), Some((20, 40)));
        for (orientation, expected) in
            [(0, lying), (1, lying), (4, lying), (5, turned), (8, turned), (9, lying)]
        {
            assert_eq!(size(&jpeg(&oriented(orientation, 1, 0))), expected, "{orientation}");
        }
        let exif = oriented(6, 1, 0);
        let length = u32::try_from(exif.len()).expect("a chunk").to_be_bytes();
        let header = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x28\0\0\0\x14\x08\x02\0\0\0sum.";
        assert_eq!(size(&[&header[..], &length, b"eXIf", &exif, b"sum."].concat()), turned);
        assert_eq!(size(header), lying);
    }

    #[test]
    fn exif_data_that_are_wrong_turn_nothing_and_end() {
        let (lying, turned) = (Some((40, 20)), Some((20, 40)));
        for (exif, expected) in [
            (&b""[..], lying),
            (b"II*\0\xff\xff\xff\xff", lying),
            (b"MM\0*\0\0\0\x08\0\x01", lying),
            (b"no order of bytes", lying),
            // What was read before the error counts, as it does in browsers: more entries than there are, a directory that
            // leads to itself, and one outside.
            (&oriented(6, 65_535, 0), turned),
            (&oriented(6, 1, 8), turned),
            (&oriented(6, 1, u32::MAX), turned),
        ] {
            assert_eq!(size(&jpeg(exif)), expected, "{exif:?}");
        }
        // Nested directories without end, as many as fit.
        let pointer = [0x69, 0x87, 4, 0, 1, 0, 0, 0, 8, 0, 0, 0];
        let nested = [b"II*\0\x08\0\0\0\x50\x15", &pointer.repeat(0x1550)[..]].concat();
        assert_eq!(size(&jpeg(&nested)), lying);
        // Cut anywhere, and changed anywhere, nothing panics.
        let whole = jpeg(&oriented(6, 1, 0));
        for at in 0..whole.len() {
            let _ = size(&whole[..at]);
            for bits in [0x01, 0x80, 0xff] {
                let mut changed = whole.clone();
                changed[at] ^= bits;
                let _ = size(&changed);
            }
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
