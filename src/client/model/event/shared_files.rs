//! Files that a message shares, as the server's tag `parlour/files` lists them (docs/files.md).

use crate::client::text::file_address::FileAddress;
use crate::wire::file_name::file_size;

/// Name of the tag.
pub const FILES_TAG: &str = "parlour/files";

/// Limit of the files of a message. A line has room for fewer addresses.
const MAX_FILES: usize = 64;

/// Limit of a media type, in bytes ([RFC 6838, section 4.2](https://www.rfc-editor.org/rfc/rfc6838#section-4.2)).
const MAX_TYPE_BYTES: usize = 255;

/// Media types of pictures that are decoded, without AVIF, which no decoder in Rust alone reads.
const PICTURE_TYPES: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];

/// A file that a message shares. Its name is in the address in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedFile {
    /// Id of the file.
    pub id: String,
    /// Media type of its content.
    pub media_type: String,
    /// Size, in bytes.
    pub size: u64,
    /// Width and height of a picture, in pixels, if the server could read them.
    pub dimensions: Option<(u32, u32)>,
}

impl SharedFile {
    /// Parses the tag's value: entries of `ID;MEDIA/TYPE;BYTES` or `ID;MEDIA/TYPE;BYTES;WIDTHxHEIGHT`, separated by commas, to
    /// which more may be added. Entries of another form are left out.
    pub fn parse_tag(value: &str) -> Vec<Self> {
        value.split(',').take(MAX_FILES).filter_map(Self::parse).collect()
    }

    fn parse(entry: &str) -> Option<Self> {
        let mut fields = entry.split(';');
        let (id, media_type, size) = (fields.next()?, fields.next()?, fields.next()?.parse().ok()?);
        let is_type = media_type.len() <= MAX_TYPE_BYTES
            && media_type.contains('/')
            && media_type.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/!#$&-^_.+".contains(&byte));
        let is_id = FileAddress::is_id(id);
        let dimensions = fields.next().and_then(parse_dimensions);
        (is_id && is_type).then(|| Self {
            id: id.to_owned(),
            media_type: media_type.to_owned(),
            size,
            dimensions,
        })
    }

    /// Returns whether it is a picture of a type that terminals are shown.
    pub fn is_picture(&self) -> bool {
        PICTURE_TYPES.contains(&&*self.media_type)
    }

    /// Describes the file at this address: name, size, type.
    pub fn describe(&self, address: &FileAddress) -> String {
        format!("{} · {} · {}", address.name(), file_size(self.size), self.media_type)
    }
}

fn parse_dimensions(text: &str) -> Option<(u32, u32)> {
    let (width, height) = text.split_once('x')?;
    let (width, height) = (width.parse().ok()?, height.parse().ok()?);
    (width > 0 && height > 0).then_some((width, height))
}

/// Iterates over the addresses in a text that lead to files of this list, as they stand there.
pub fn shared_in<'a>(
    text: &'a str,
    files: &'a [SharedFile],
) -> impl Iterator<Item = (FileAddress, &'a SharedFile)> {
    let addresses = text.split_whitespace().filter_map(|word| FileAddress::parse(word).ok());
    addresses.filter_map(|address| {
        let file = files.iter().find(|file| address.id.as_deref() == Some(&*file.id))?;
        Some((address, file))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "AAAAAAAAAAAAAAAAAAAAA_";

    #[test]
    fn the_tag_lists_files_and_may_grow() {
        let tag = format!("{ID};image/png;2048;10x20,{ID};text/plain;5");
        let files = SharedFile::parse_tag(&tag);
        let found: Vec<_> =
            files.iter().map(|file| (&*file.media_type, file.size, file.dimensions)).collect();
        assert_eq!(found, [("image/png", 2048, Some((10, 20))), ("text/plain", 5, None)]);
        assert!(files[0].is_picture() && !files[1].is_picture());
        let address = FileAddress::parse(&format!("https://a/f/{ID}/my%20photo.png")).expect("an address");
        assert_eq!(files[0].describe(&address), "my photo.png · 2 KiB · image/png");
    }

    #[test]
    fn entries_of_another_form_are_left_out() {
        for entry in [
            "",
            "x",
            ";;",
            "short;a/b;1",
            "ID;a/b",
            "ID;ab;1",
            "ID;a/b;-1",
            "ID;a/b;99999999999999999999",
            "ID;a/\u{1b}[2J;1",
        ] {
            assert!(SharedFile::parse_tag(&entry.replace("ID", ID)).is_empty(), "{entry:?}");
        }
        for dimensions in ["", "0x5", "5x0", "5", "-1x5", "5x5x5", "99999999999x1"] {
            let files = SharedFile::parse_tag(&format!("{ID};image/png;1;{dimensions}"));
            assert_eq!(files[0].dimensions, None, "{dimensions}");
        }
        assert_eq!(SharedFile::parse_tag(&format!("{ID};a/b;1,").repeat(100)).len(), MAX_FILES);
    }
}
