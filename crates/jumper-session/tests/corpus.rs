//! The corpus of the fuzzer, `tests/corpus`: what it begins with, and what it has found.

use std::fs;
use std::io::Write;
use std::path::Path;

use jumper_session::*;

use crate::fuzz::{Input, Random, TARGETS, check};
use crate::support::rich_session;

#[test]
fn every_file_of_the_corpus_is_a_session_or_an_error() {
    for target in TARGETS {
        let mut opened = 0;
        for (_, input) in target.corpus() {
            let room = tempfile::tempdir().unwrap();
            let path = room.path().join("input");
            input.write(&path);
            opened += usize::from(check(&path, room.path()));
        }
        assert!(opened > 0, "no good session for `{}`", target.name);
    }
}

#[test]
fn changed_sessions_are_sessions_or_errors() {
    for target in TARGETS {
        let corpus = target.corpus();
        for seed in 0..20 {
            let room = tempfile::tempdir().unwrap();
            let path = room.path().join("input");
            target.changed(&corpus, &mut Random::new(seed)).write(&path);
            check(&path, room.path());
        }
    }
}

/// For a change of the format: `cargo test -p jumper-session the_corpus_is_made_anew -- --ignored`. Its journal comes from the
/// test of that name in `format/journal/write.rs`.
#[test]
#[ignore = "writes into the source tree"]
fn the_corpus_is_made_anew() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    for directory in ["session", "zip"] {
        fs::create_dir_all(corpus.join(directory)).unwrap();
    }
    let room = tempfile::tempdir().unwrap();
    let path = room.path().join("rich.jumper");
    for (name, session) in [
        ("rich", rich_session()),
        ("empty", SessionBuilder::new().finish(Manifest::default())),
    ] {
        session.save(&path).unwrap();
        let to = corpus.join("session").join(name);
        let _ = fs::remove_dir_all(&to);
        Input::read(&path).write(&to);
        formats::save(&session, &corpus.join(format!("zip/{name}.zip"))).unwrap();
    }
    // As other programs pack it.
    let mut archive =
        zip::ZipWriter::new(fs::File::create(corpus.join("zip/deflated.zip")).unwrap());
    for entry in fs::read_dir(&path).unwrap() {
        let entry = entry.unwrap();
        let options = zip::write::SimpleFileOptions::default();
        archive
            .start_file(entry.file_name().to_str().unwrap(), options)
            .unwrap();
        archive.write_all(&fs::read(entry.path()).unwrap()).unwrap();
    }
    archive.finish().unwrap();
}
