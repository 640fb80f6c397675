//! Changed sessions, and what must hold of whatever is read from them. For the tests and for `examples/fuzz_readers.rs`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use jumper_session::*;

/// What is changed: files of a session, by the end of their names.
pub(crate) const TARGETS: [Target; 7] = [
    Target {
        name: "parquet",
        corpus: "session",
        files: ".parquet",
    },
    Target {
        name: "manifest",
        corpus: "session",
        files: "manifest.json",
    },
    Target {
        name: "journal",
        corpus: "journal",
        files: "",
    },
    Target {
        name: "zip",
        corpus: "zip",
        files: "",
    },
    Target {
        name: "pyisession",
        corpus: "pyisession",
        files: "",
    },
    Target {
        name: "jumper-extension",
        corpus: "jumper-extension",
        files: "",
    },
    Target {
        name: "jumper-extension-zip",
        corpus: "jumper-extension-zip",
        files: "",
    },
];

#[derive(Clone, Copy)]
pub(crate) struct Target {
    pub(crate) name: &'static str,
    /// The directory below `tests/corpus`.
    corpus: &'static str,
    files: &'static str,
}

/// A session: its files by their path below it. One that is a file has that alone, under no path.
#[derive(Clone)]
pub(crate) struct Input(Vec<(PathBuf, Vec<u8>)>);

impl Input {
    pub(crate) fn read(path: &Path) -> Self {
        let mut files = Vec::new();
        let mut directories = vec![PathBuf::new()];
        if path.is_file() {
            return Self(vec![(PathBuf::new(), fs::read(path).unwrap())]);
        }
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(path.join(&directory)).unwrap() {
                let entry = entry.unwrap();
                let name = directory.join(entry.file_name());
                match entry.file_type().unwrap().is_dir() {
                    true => directories.push(name),
                    false => files.push((name, fs::read(entry.path()).unwrap())),
                }
            }
        }
        files.sort();
        Self(files)
    }

    /// Writes it where nothing is yet.
    pub(crate) fn write(&self, path: &Path) {
        for (name, bytes) in &self.0 {
            let is_session_itself = name.as_os_str().is_empty();
            let file = if is_session_itself {
                path.into()
            } else {
                path.join(name)
            };
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, bytes).unwrap();
        }
    }
}

impl Target {
    /// The sessions that are changed, by name.
    pub(crate) fn corpus(&self) -> Vec<(PathBuf, Input)> {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/corpus")
            .join(self.corpus);
        let entries = fs::read_dir(directory).expect("the corpus is there");
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
            .into_iter()
            .map(|path| (path.clone(), Input::read(&path)))
            .collect()
    }

    /// One session of the corpus with one to four changes to one of its files.
    pub(crate) fn changed(&self, corpus: &[(PathBuf, Input)], random: &mut Random) -> Input {
        let (path, mut input) = corpus[random.below(corpus.len())].clone();
        let ours = |name: &Path| {
            name.as_os_str().is_empty() || name.to_string_lossy().ends_with(self.files)
        };
        let mut files: Vec<_> = input.0.iter_mut().filter(|(name, _)| ours(name)).collect();
        let at = random.below(files.len());
        let (name, bytes) = &mut *files[at];
        let (_, other) = &corpus[random.below(corpus.len())];
        let other = &other.0[random.below(other.0.len())].1;
        let is_text = [&path, name].iter().any(|path| {
            path.extension()
                .is_some_and(|end| end == "json" || end == "csv" || end == "pyisession")
        });
        for _ in 0..=random.below(4) {
            match is_text && random.below(4) > 0 {
                true => change_token(bytes, random),
                false => change_bytes(bytes, other, random),
            }
        }
        input
    }
}

/// Numbers that look random and are the same for the same seed.
pub(crate) struct Random(u64);

impl Random {
    /// SplitMix64, so that seeds that differ little begin differently.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}

/// Values at which programs decide.
const INTERESTING: [i64; 16] = [
    0,
    1,
    -1,
    2,
    127,
    128,
    255,
    256,
    32_767,
    65_535,
    1 << 20,
    i32::MAX as i64,
    i32::MIN as i64,
    u32::MAX as i64,
    i64::MAX,
    i64::MIN,
];

fn change_bytes(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    // Half of the time near the end, where Parquet and zip files say where everything is.
    let at = random.below(bytes.len());
    let at = match random.below(2) {
        0 => at,
        _ => bytes.len().saturating_sub(1 + random.below(800)),
    };
    let end = bytes.len().min(at + 1 + random.below(60));
    match random.below(8) {
        0 | 1 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
        2 if at < bytes.len() => bytes[at] = random.next() as u8,
        3 | 4 => {
            let value = INTERESTING[random.below(INTERESTING.len())].to_le_bytes();
            let width = [1, 2, 4, 8][random.below(4)].min(bytes.len() - at);
            bytes[at..at + width].copy_from_slice(&value[..width]);
        }
        5 => drop(bytes.drain(at..end)),
        6 => {
            let part = bytes[at..end].to_vec();
            let to = random.below(bytes.len());
            bytes.splice(to..to, part);
        }
        _ if random.below(2) == 0 => bytes.truncate(at),
        _ => {
            bytes.truncate(at);
            bytes.extend_from_slice(&other[random.below(other.len())..]);
        }
    }
}

/// What may stand in JSON or between commas, in good faith or not.
const TOKENS: [&str; 24] = [
    "null",
    "true",
    "-1",
    "0",
    "0.5",
    "-0.0",
    "1e400",
    "1e308",
    "1e-320",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551615",
    "99999999999999999999",
    "\"\"",
    "\"\\ud800\"",
    "\"\\u0000\"",
    "[]",
    "{}",
    "[[[[[[[[",
    "\"9999-12-31T23:59:59\"",
    "nan",
    ",\n",
];

/// Replaces, removes or repeats a number, a text, a word or a sign.
fn change_token(bytes: &mut Vec<u8>, random: &mut Random) {
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        at += 1;
        if bytes[start] == b'"' {
            while at < bytes.len() && bytes[at] != b'"' {
                at += if bytes[at] == b'\\' { 2 } else { 1 };
            }
            at = bytes.len().min(at + 1);
        } else if is_word(bytes[start]) {
            while at < bytes.len() && is_word(bytes[at]) {
                at += 1;
            }
        }
        if !bytes[start].is_ascii_whitespace() {
            tokens.push(start..at);
        }
    }
    if tokens.is_empty() {
        return;
    }
    let [token, other] = [0, 1].map(|_| tokens[random.below(tokens.len())].clone());
    let new = match random.below(5) {
        0 => Vec::new(),
        1 => bytes[other].to_vec(),
        2 => bytes[token.clone()].repeat(2),
        _ => TOKENS[random.below(TOKENS.len())].into(),
    };
    bytes.splice(token, new);
}

/// Reads what may be a session and checks what must hold of one. `room` is a directory to write to. Returns whether
/// it is one.
///
/// # Panics
/// If something does not hold.
pub(crate) fn check(path: &Path, room: &Path) -> bool {
    let session = match formats::open(path) {
        Ok(session) => session,
        Err(error) => {
            assert!(!error.to_string().contains('\n'), "{error:?}");
            return false;
        }
    };
    for found in MetricStatistics::of(&session) {
        assert!(found.min <= found.max && found.count <= found.rows);
    }
    assert!(
        Signature::of(&session)
            .iter()
            .all(|signature| !signature.tags.is_empty())
    );
    for timeline in [false, true] {
        let shape = TreeOptions {
            timeline,
            resources: true,
            ..TreeOptions::default()
        };
        let tree = FrameTree::build_with(&session, &shape);
        assert_eq!(
            tree.total(),
            session.samples().total(),
            "the tree has another time"
        );
        for (id, _) in tree.walk() {
            let node = tree.node(id);
            let below = tree.children(id).map(|child| tree.node(child).time());
            let parts = below.fold(node.self_time() + node.absorbed_time(), |sum, time| {
                sum + time
            });
            assert_eq!(parts, node.time(), "a node has another time than its parts");
        }
        let total = tree.total();
        let tree = remove_irrelevant_nodes(tree, &ProcessorOptions::default());
        assert_eq!(tree.total(), total, "a processor changed the time");
    }
    let again = room.join("again.jumper");
    session.save(&again).expect("what was read can be written");
    let read = Session::open(&again).expect("what was written can be read");
    assert!(
        shown(&session).eq(shown(&read)),
        "other samples are read than were written"
    );
    through_jumper_extension(&session, room);
    if Session::is_unfinished(path) {
        let repaired = Session::repair(path).expect("what can be read can be repaired");
        assert!(
            shown(&session).eq(shown(&repaired.session)),
            "a repaired session has other samples"
        );
    }
    true
}

/// What JUmPER's files have room for comes back from them.
fn through_jumper_extension(session: &Session, room: &Path) {
    let format = formats::FileFormat::find("jumper-extension").expect("there is this format");
    let pass = |session: &Session| {
        let path = room.join("exported");
        match format.save(session, &path) {
            Ok(()) => {}
            Err(Error::Inexpressible { .. }) => return None,
            Err(error) => panic!("{error}"),
        }
        Some(formats::open(&path).expect("what was written can be read"))
    };
    // Compressed tables may have more rows than there is time for.
    if session.metrics().len() > 10_000 {
        return;
    }
    let Some(once) = pass(session) else { return };
    let twice = pass(&once).expect("what was read can be written");
    let (first, second) = (measured(session), measured(&once));
    let counts = |measured: &Measured| measured.values().map(Vec::len).collect::<Vec<_>>();
    assert!(
        first.keys().eq(second.keys()) && counts(&first) == counts(&second),
        "other measurements are read than were written"
    );
    assert_eq!(session.cells().len(), once.cells().len(), "other cells");
    // What floating-point numbers have no room for is gone by now.
    assert!(second == measured(&twice), "measurements change each time");
    assert!(ran(&once).eq(ran(&twice)), "cells change each time");
}

fn ran(session: &Session) -> impl Iterator<Item = (&str, Timestamp, Option<Timestamp>)> {
    let cells = session.cells().iter();
    cells.map(|(_, cell)| (session.string(cell.source), cell.start, cell.end))
}

/// Times and values by level and metric.
type Measured = BTreeMap<(String, String), Vec<(Timestamp, u64)>>;

fn measured(session: &Session) -> Measured {
    let metrics = session.metrics();
    let mut measured = Measured::new();
    for column in metrics.columns() {
        let metric = metrics.find(&column.name).expect("it is declared");
        let rows = metrics.times().iter().zip(metrics.levels());
        for (value, (&time, &level)) in metrics.values(metric).iter().zip(rows) {
            // In bytes it may be too large for a number.
            let value = value.filter(|value| (value * 1e10).is_finite());
            if let Some(value) = value.filter(|_| column.name != "cell_index") {
                let key = (session.string(level).into(), column.name.clone());
                measured
                    .entry(key)
                    .or_default()
                    .push((time, value.to_bits()));
            }
        }
    }
    measured
}

fn shown(session: &Session) -> impl Iterator<Item = String> {
    let samples = session.samples().iter().map(|sample| format!("{sample:?}"));
    let stacks = session.stacks().iter().map(|(_, stack)| {
        let function = session.function(stack.function);
        let class = stack.class.map(|class| session.string(class));
        format!(
            "{:?} {function:?} {} {:?} {class:?}",
            stack.parent, stack.line, stack.extent
        )
    });
    samples.chain(stacks)
}
