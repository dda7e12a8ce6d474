//! Replays the committed corpora of the fuzz targets, one test for each target, so that past failures stay tested.

use std::fs;
use std::path::Path;

#[path = "../../../fuzz/src/lib.rs"]
mod targets;

/// Runs a target over every file of its corpus.
#[track_caller]
fn replay_corpus(name: &str, target: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let mut count = 0;
    for entry in fs::read_dir(&corpus).expect("the corpus") {
        let path = entry.expect("an entry").path();
        eprintln!("{}", path.display());
        target(&fs::read(&path).expect("an input"));
        count += 1;
    }
    assert!(count > 0, "{name} has a corpus");
}

macro_rules! targets {
    ($($name:ident),*) => {
        $(#[test]
        fn $name() {
            replay_corpus(stringify!($name), targets::$name);
        })*

        #[test]
        fn every_corpus_has_a_target() {
            let corpora = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus")).expect("the corpora");
            for corpus in corpora {
                let name = corpus.expect("an entry").file_name();
                assert!([$(stringify!($name)),*].iter().any(|target| name == *target), "{name:?} has no target");
            }
        }
    };
}

targets!(framer, message, sasl, links, config, servers, metadata, chathistory, login, core);
