//! Nothing half-written under the final name, nothing of others overwritten.

use std::fs;
use std::path::Path;

use jumper_session::*;

use crate::support::{open_error, rich_session, saved};

fn empty_session() -> Session {
    SessionBuilder::new().finish(Manifest::default())
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = entries.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn saving_leaves_the_session_and_nothing_else() {
    let (dir, path) = saved(&rich_session());
    assert_eq!(names(dir.path()), ["x.jumper"]);
    assert_eq!(
        names(&path),
        [
            "cells.parquet",
            "frames.parquet",
            "manifest.json",
            "metrics.parquet",
            "processes.parquet",
            "samples.parquet",
            "stacks.parquet",
            "threads.parquet",
        ]
    );
}

#[test]
fn a_session_is_replaced_as_a_whole() {
    let (dir, path) = saved(&rich_session());
    fs::write(path.join("marks.parquet"), "of another recording").unwrap();
    empty_session().save(&path).unwrap();
    assert_eq!(Session::open(&path).unwrap().samples().len(), 0);
    assert_eq!((names(dir.path()).len(), names(&path).len()), (1, 8));
}

#[test]
fn a_session_that_is_replaced_while_it_is_read_is_one_or_the_other() {
    let (_dir, path) = saved(&rich_session());
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let sessions = [empty_session(), rich_session()];
            for session in sessions.iter().cycle() {
                session.save(&path).unwrap();
                if stop.load(std::sync::atomic::Ordering::Relaxed) {
                    break;
                }
            }
        });
        for _ in 0..200 {
            // For the moment between two renames there is nothing.
            if let Ok(session) = Session::open(&path) {
                let read = (session.samples().len(), session.frames().len());
                assert!([(0, 0), (3000, 8)].contains(&read), "{read:?}");
            }
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

#[test]
fn an_empty_directory_is_filled() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.jumper");
    fs::create_dir(&path).unwrap();
    empty_session().save(&path).unwrap();
    Session::open(&path).unwrap();
}

#[test]
fn what_is_not_a_session_is_not_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("thesis.tex");
    fs::write(&file, "years of work").unwrap();
    let folder = dir.path().join("folder");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("manifest.json"), r#"{"name": "a web app"}"#).unwrap();
    for path in [&file, &folder, &dir.path().join("."), Path::new("/")] {
        let error = empty_session().save(path).unwrap_err();
        assert!(matches!(error, Error::Occupied { .. }), "{error}");
    }
    assert_eq!(fs::read(&file).unwrap(), b"years of work");
    assert_eq!(names(dir.path()), ["folder", "thesis.tex"]);
}

#[test]
fn a_place_that_is_not_there_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("missing/x.jumper");
    let message = empty_session().save(&path).unwrap_err().to_string();
    assert!(
        message.ends_with("create the directory around it first"),
        "{message}"
    );
}

#[test]
fn what_is_no_session_is_not_opened() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(
        open_error(&dir.path().join("nothing")),
        Error::Read { .. }
    ));
    let file = dir.path().join("file");
    fs::write(&file, "text").unwrap();
    assert!(
        open_error(&file)
            .to_string()
            .contains("it is not a directory")
    );
    assert!(
        open_error(dir.path())
            .to_string()
            .contains("it has no manifest.json")
    );
}

#[test]
fn a_half_written_directory_is_not_a_session() {
    // The manifest is written last, so that tables alone are what an interrupted copy leaves.
    let (_dir, path) = saved(&rich_session());
    fs::remove_file(path.join("manifest.json")).unwrap();
    assert!(matches!(open_error(&path), Error::NotASession { .. }));
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_pipes_are_not_waited_for() {
    let (dir, path) = saved(&rich_session());
    let link = dir.path().join("latest.jumper");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    empty_session().save(&link).unwrap();
    assert!(link.is_symlink() && Session::open(&path).unwrap().samples().is_empty());

    let dangling = dir.path().join("dangling");
    std::os::unix::fs::symlink(dir.path().join("nothing"), &dangling).unwrap();
    assert!(matches!(
        empty_session().save(&dangling),
        Err(Error::Occupied { .. })
    ));

    let table = path.join("samples.parquet");
    fs::remove_file(&table).unwrap();
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&table)
            .status()
            .unwrap()
            .success()
    );
    assert!(
        open_error(&path)
            .to_string()
            .contains("it is not a regular file")
    );
}

#[cfg(unix)]
#[test]
fn a_session_is_as_open_as_other_files() {
    use std::os::unix::fs::PermissionsExt;
    let (dir, path) = saved(&empty_session());
    let plain = dir.path().join("plain");
    fs::create_dir(&plain).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&path), mode(&plain));
}
