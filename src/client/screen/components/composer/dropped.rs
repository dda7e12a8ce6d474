//! Files that were dropped onto the terminal, which pastes their paths.

use super::{Composer, Context, EventResult, KeyPress};
use crate::client::keys::Action;
use crate::client::screen::workspace::BufferKey;
use crate::client::text::paths::pasted_paths;
use crate::wire::file_name::file_size;

/// Pasted paths of files. The next key says whether they are to be uploaded.
#[derive(Debug)]
pub(super) struct Dropped {
    /// Conversation on the screen at that time.
    key: BufferKey,
    /// The text as it was pasted.
    text: String,
    paths: Vec<String>,
}

impl Composer {
    /// Asks whether a pasted text is to be uploaded, if it consists of the paths of files. Otherwise it is text.
    pub(super) fn offer_upload(&mut self, text: &str, context: &mut Context<'_, '_>) -> bool {
        let Some(key) = context.workspace.current.clone() else { return false };
        let paths = pasted_paths(text);
        if paths.is_empty() || !context.workspace.takes_files(context.models) {
            return false;
        }
        let find = context.workspace.file_access.find;
        let Some(files) = paths.iter().map(|path| find(path).ok()).collect::<Option<Vec<_>>>() else {
            return false;
        };
        let described: Vec<String> =
            files.iter().map(|file| format!("{} ({})", file.name, file_size(file.size))).collect();
        let keys =
            context.workspace.keys().clauses(&[(Action::Enter, "sends"), (Action::Escape, "keeps the text")]);
        context.workspace.show_hint(&format!("upload {}? {keys}", described.join(", ")));
        self.dropped = Some(Dropped { key, text: text.to_owned(), paths });
        true
    }

    /// Handles the first key behind a pasted path. Returns `None` for a key that goes on with the text.
    pub fn answer_drop(&mut self, key: KeyPress, context: &mut Context<'_, '_>) -> Option<EventResult> {
        let dropped = self.dropped.take()?;
        let is_here = context.workspace.current.as_ref() == Some(&dropped.key);
        if !is_here || key.action != Some(Action::Enter) {
            context.workspace.draft_mut().insert(&dropped.text);
            self.handle_composer_change(context);
            return (key.action == Some(Action::Escape)).then_some(EventResult::Consumed);
        }
        // What is written already goes with the first file. A command is not.
        let mut text = String::new();
        if !context.workspace.draft().text().starts_with('/') {
            text = context.workspace.draft_mut().take();
        }
        for path in dropped.paths {
            if let Err(error) = context.workspace.upload(path, std::mem::take(&mut text), context.models) {
                context.workspace.show_error(&error);
            }
        }
        Some(EventResult::Consumed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::keys::KeyMode;
    use crate::client::screen::components::Component as _;
    use crate::client::screen::effects::TransferRequest;
    use crate::client::screen::tests::fixture::Fixture;
    use crate::client::screen::workspace::{FileAccess, ScreenEffect};
    use crate::client::text::paths::FoundFile;

    fn drop_files(text: &str) -> (Fixture, Composer) {
        let (mut fixture, mut composer) = (Fixture::new(), Composer::default());
        fixture.lines(&[":srv 005 alice draft/FILEHOST=https://chat.example:6697/upload :are supported"]);
        let find = |path: &str| {
            let found = FoundFile { name: "a.png".to_owned(), size: 2048 };
            path.ends_with("png").then_some(found).ok_or_else(|| format!("there is no file {path}"))
        };
        fixture.workspace.file_access = FileAccess { find, ..FileAccess::default() };
        fixture.type_text(&mut composer, "look");
        fixture.with(|context| composer.handle_paste(text, context));
        (fixture, composer)
    }

    fn answer(fixture: &mut Fixture, composer: &mut Composer, key: &str) -> Option<EventResult> {
        let press = KeyPress::new(key.parse().expect(key), KeyMode::Composing, fixture.workspace.keys());
        fixture.with(|context| composer.answer_drop(press, context))
    }

    fn uploads(fixture: &Fixture) -> Vec<String> {
        let path = |effect: &ScreenEffect| match effect {
            ScreenEffect::Transfer(TransferRequest::Upload { path, .. }) => Some(path.clone()),
            _ => None,
        };
        fixture.workspace.effects.iter().filter_map(path).collect()
    }

    #[test]
    fn enter_uploads_dropped_files_with_the_text() {
        let (mut fixture, mut composer) = drop_files("'/home/jo/my photo.png' /b.png");
        let hint = fixture.workspace.hint.clone().expect("a question").text;
        assert_eq!(hint, "upload a.png (2 KiB), a.png (2 KiB)? Enter sends, Esc keeps the text");
        assert_eq!(fixture.workspace.draft().text(), "look");
        assert_eq!(answer(&mut fixture, &mut composer, "Enter"), Some(EventResult::Consumed));
        assert_eq!(uploads(&fixture), ["/home/jo/my photo.png", "/b.png"]);
        assert!(fixture.workspace.draft().is_empty());
        assert_eq!(answer(&mut fixture, &mut composer, "Enter"), None, "asked once");
    }

    #[test]
    fn other_keys_keep_the_text() {
        for (key, expected) in [("Esc", Some(EventResult::Consumed)), ("x", None)] {
            let (mut fixture, mut composer) = drop_files("/a.png");
            assert_eq!(answer(&mut fixture, &mut composer, key), expected, "{key}");
            assert_eq!(fixture.workspace.draft().text(), "look/a.png");
            assert!(uploads(&fixture).is_empty());
        }
        // Another conversation is on the screen meanwhile.
        let (mut fixture, mut composer) = drop_files("/a.png");
        fixture.workspace.switch_to(Fixture::key("bob"));
        assert_eq!(answer(&mut fixture, &mut composer, "Enter"), None);
        assert!(uploads(&fixture).is_empty());
    }

    #[test]
    fn other_texts_are_pasted() {
        for text in ["/missing", "see /a.png", "hello"] {
            let (mut fixture, mut composer) = drop_files(text);
            assert_eq!(fixture.workspace.draft().text(), format!("look{text}"));
            assert_eq!(answer(&mut fixture, &mut composer, "Enter"), None);
        }
    }
}
