//! The parser, the printer and the masks against third-party test vectors (`tests/vectors/README.md`).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use parlour::wire::message::escape;
use parlour::wire::{Glob, Mask, Message};

/// A file of vectors.
#[derive(Deserialize)]
struct VectorFile<T> {
    tests: Vec<T>,
}

/// The expected parts of a line. A missing one is not in the line.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Atoms {
    tags: BTreeMap<String, String>,
    source: Option<String>,
    verb: String,
    params: Vec<String>,
}

impl Atoms {
    fn from_message(message: &Message<'_>) -> Self {
        let value = |key| message.tags.get(key).unwrap_or_default().into_owned();
        Self {
            tags: message.tags.iter().map(|(key, _)| (key.to_owned(), value(key))).collect(),
            source: message.source.map(Into::into),
            verb: message.command.into(),
            params: message.params().iter().map(|&param| param.into()).collect(),
        }
    }
}

/// Parses the vectors of a file, and checks that there are at least `min_count`.
fn load_vectors<T: DeserializeOwned>(yaml: &str, min_count: usize) -> Vec<T> {
    let file: VectorFile<T> =
        serde_norway::from_str(yaml).expect("the vectors are YAML of the expected shape");
    assert!(file.tests.len() >= min_count, "only {} vectors", file.tests.len());
    file.tests
}

fn parse(line: &str) -> Message<'_> {
    Message::parse(line).unwrap_or_else(|| panic!("{line:?} is not a message"))
}

#[test]
fn message_split_vectors_pass() {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Split {
        input: String,
        atoms: Atoms,
    }
    for Split { input, atoms } in load_vectors(include_str!("../../vectors/msg-split.yaml"), 35) {
        assert_eq!(Atoms::from_message(&parse(&input)), atoms, "{input:?}");
    }
}

/// The product has no function that joins a message from parts. So each line with the expected parts is parsed and
/// printed, and the result must be one of these lines again.
#[test]
fn message_join_vectors_pass() {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Join {
        desc: String,
        atoms: Atoms,
        matches: Vec<String>,
    }
    for Join { desc, atoms, matches } in load_vectors(include_str!("../../vectors/msg-join.yaml"), 18) {
        for line in &matches {
            let message = parse(line);
            assert_eq!(Atoms::from_message(&message), atoms, "{desc} {line:?}");
            let printed = message.to_string();
            assert_eq!(parse(&printed), message, "{desc} {line:?} is printed as {printed:?}");
            assert!(matches.contains(&printed), "{desc} {line:?} is printed as {printed:?}");
        }
        // Only the values of tags are joined by the product.
        for (key, value) in &atoms.tags {
            let tag = format!("{key}={}", escape(value));
            let known = matches.iter().any(|line| parse(line).tags.0.split(';').any(|other| other == tag));
            assert!(known || value.is_empty(), "{desc} {tag:?}");
        }
    }
}

/// The product splits a source only for its nick. Masks match user and host, so a mask of the three parts must match
/// the source; vectors with a missing part are skipped, because the product's sources always have all three.
#[test]
fn userhost_split_vectors_pass() {
    #[derive(Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Parts {
        nick: String,
        user: String,
        host: String,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Userhost {
        source: String,
        atoms: Parts,
    }
    for Userhost { source, atoms } in load_vectors(include_str!("../../vectors/userhost-split.yaml"), 7) {
        assert_eq!(parse(&format!(":{source} PING")).nick(), Some(&*atoms.nick), "{source:?}");
        // Control characters may occur in a source but not in a mask, which people type: `?` matches one of them.
        let typed = |part: &str| part.replace(char::is_control, "?");
        let (user, host) = (typed(&atoms.user), typed(&atoms.host));
        if !user.is_empty() && !host.is_empty() {
            for mask in
                [format!("{}!{user}@{host}", atoms.nick), format!("{user}@{host}"), format!("@{host}")]
            {
                assert!(Mask::parse(&mask).expect(&mask).matches(&source), "{mask:?} {source:?}");
            }
        }
    }
}

/// Every vector applies to a [`Glob`]. A [`Mask`] typed without a nick is first completed: `cool*@*` becomes the *user*
/// mask `*!cool*@*`. So the masks without `!` here are only those of a host.
#[test]
fn mask_match_vectors_pass() {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Matching {
        mask: String,
        matches: Vec<String>,
        fails: Vec<String>,
    }
    let mut as_masks = 0;
    for Matching { mask: text, matches, fails } in
        load_vectors(include_str!("../../vectors/mask-match.yaml"), 6)
    {
        let (glob, mask) = (Glob::new(&text), Mask::parse(&text).expect(&text));
        let applies = text.contains('!') || text.starts_with("*@");
        as_masks += usize::from(applies);
        for (sources, expected) in [(matches, true), (fails, false)] {
            for source in sources {
                assert_eq!(glob.matches(&source), expected, "{text:?} {source:?}");
                assert!(!applies || mask.matches(&source) == expected, "{mask:?} {source:?}");
            }
        }
    }
    assert_eq!(as_masks, 5, "a new vector: does it apply to masks that are completed?");
}
