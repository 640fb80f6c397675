//! The line tables of the whole standard library of every CPython at hand, against CPython's own answer for
//! every instruction.

use std::process::Stdio;

use super::{LineTable, Location, known};
use crate::stack::layout::LineFormat;
use crate::stack::memory::i32_at;

#[allow(dead_code, reason = "shared with the tests of the whole crate")]
#[path = "../../../tests/support/pythons.rs"]
mod pythons;

/// What `tests/targets/line_tables.py` wrote, from here on.
struct Dump<'a>(&'a [u8]);

impl<'a> Dump<'a> {
    fn bytes(&mut self, length: usize) -> &'a [u8] {
        let (front, rest) = self.0.split_at(length);
        self.0 = rest;
        front
    }

    fn numbers<const N: usize>(&mut self) -> [i32; N] {
        let bytes = self.bytes(N * 4);
        std::array::from_fn(|index| i32_at(bytes, index * 4))
    }
}

/// Compares one code object, and returns how many instructions it has.
fn compare(dump: &mut Dump<'_>, format: LineFormat, version: &str) -> usize {
    let [first_line, length, runs] = dump.numbers();
    let table = dump.bytes(length as usize);
    let decoded = LineTable::new(format, table.to_vec(), first_line);
    let mut unit = 0;
    for _ in 0..runs {
        let [count, line, end_line, column, end_column] = dump.numbers();
        let expected = Location {
            line: known(line),
            end_line: known(end_line),
            column: known(column),
            end_column: known(end_column),
        };
        for _ in 0..count {
            assert_eq!(
                decoded.location_at(unit * 2),
                expected,
                "instruction {unit} of code from line {first_line}, {version}: {table:?}"
            );
            unit += 1;
        }
    }
    assert_eq!(
        decoded.location_at(-2).line,
        known(first_line),
        "before the code from line {first_line}, {version}"
    );
    unit as usize
}

/// Compares everything that one interpreter has, and prints how much it was.
#[allow(
    clippy::print_stdout,
    reason = "the figures are for whoever reads the output"
)]
fn compare_standard_library(version: &str, format: LineFormat) {
    let Some(python) = pythons::python(version) else {
        println!("  {version:<5} NOT COMPARED: this machine has no python{version}");
        return;
    };
    let output = python
        .script("line_tables.py")
        .stderr(Stdio::inherit())
        .output()
        .expect("it starts");
    assert!(
        output.status.success(),
        "{} contradicts itself",
        python.full
    );
    let mut dump = Dump(&output.stdout);
    let (mut codes, mut instructions) = (0, 0);
    while !dump.0.is_empty() {
        instructions += compare(&mut dump, format, &python.full);
        codes += 1;
    }
    println!(
        "  {version:<5} {codes} code objects, {instructions} instructions compared with {}",
        python.full
    );
    assert!(codes > 5000, "only {codes} code objects in {}", python.full);
}

macro_rules! version_matrix {
    ($($name:ident: $version:literal, $format:ident;)*) => {
        $(
            #[test]
            fn $name() {
                compare_standard_library($version, LineFormat::$format);
            }
        )*

        #[test]
        fn no_version_is_forgotten() {
            assert_eq!([$($version),*], pythons::VERSIONS);
        }
    };
}

version_matrix! {
    version_matrix_of_line_tables_3_9: "3.9", Lnotab;
    version_matrix_of_line_tables_3_10: "3.10", Linetable;
    version_matrix_of_line_tables_3_11: "3.11", Locations;
    version_matrix_of_line_tables_3_12: "3.12", Locations;
    version_matrix_of_line_tables_3_13: "3.13", Locations;
    version_matrix_of_line_tables_3_14: "3.14", Locations;
    version_matrix_of_line_tables_3_15: "3.15", Locations;
}
