//! Tags of messages beside those that the capabilities bring.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::core::record::file::StoredFile;

/// Tag of a message that shares files (docs/files.md), with what [`describe_file`] returns for each.
const FILES_TAG: &str = "parlour/files";

/// Returns the tag of the files that a message shares, if it shares any.
pub fn files_tag<'a>(files: impl IntoIterator<Item = &'a StoredFile>) -> Option<String> {
    let mut tag = String::new();
    for file in files {
        tag.push_str(if tag.is_empty() { FILES_TAG } else { "," });
        if tag == FILES_TAG {
            tag.push('=');
        }
        // A semicolon is written as `\:` in the value of a tag.
        tag.push_str(&describe_file(file).replace(';', "\\:"));
    }
    (!tag.is_empty()).then_some(tag)
}

/// Returns what a client is told about a file: its id, media type, size in bytes and, of a picture, its dimensions.
pub fn describe_file(file: &StoredFile) -> String {
    let mut described = format!("{};{};{}", file.id, file.media_type, file.size);
    if let Some(dimensions) = file.dimensions {
        let _ = write!(described, ";{}x{}", dimensions.width, dimensions.height);
    }
    described
}

/// Joins lists of tags, some of which may be empty.
pub fn join_tags<const N: usize>(lists: [&str; N]) -> Arc<str> {
    let lists: Vec<&str> = lists.into_iter().filter(|list| !list.is_empty()).collect();
    lists.join(";").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::record::AccountId;
    use crate::core::record::file::{Dimensions, FileId};
    use crate::wire::{Tags, Timestamp};

    #[test]
    fn files_are_listed_with_what_is_known_of_them() {
        let file = |n, dimensions| StoredFile {
            id: FileId([n; 16]),
            owner: AccountId(16),
            name: "a".into(),
            media_type: "image/png".into(),
            size: 10 + u64::from(n),
            hash: [n; 32],
            dimensions,
            added: Timestamp(0),
            link: None,
        };
        let (one, other) = (file(1, Some(Dimensions { width: 640, height: 480 })), file(2, None));
        let tag = files_tag([&one, &other]).expect("a tag");
        assert_eq!(
            Tags(&tag).get(FILES_TAG).as_deref(),
            Some("AQEBAQEBAQEBAQEBAQEBAQ;image/png;11;640x480,AgICAgICAgICAgICAgICAg;image/png;12")
        );
        assert_eq!(files_tag([]), None);
        assert_eq!(&*join_tags(["a", "", "b"]), "a;b");
    }
}
