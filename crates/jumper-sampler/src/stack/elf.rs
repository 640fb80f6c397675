//! Finding a symbol in a program or library file, and where that file lies in a process.

use std::fs::File;
use std::path::Path;

use object::read::ReadCache;
use object::read::elf::{ElfFile64, ProgramHeader};
use object::{Endianness, Object, ObjectSection, ObjectSymbol};

use super::memory::Address;

/// An ELF file, read piece by piece: libpython with debug information is 30 MB and more.
pub(crate) struct Elf {
    cache: ReadCache<File>,
}

/// A file of the wrong kind, or a damaged one.
#[derive(Debug)]
pub(crate) struct BadElf(pub(crate) String);

type Parsed<'a> = ElfFile64<'a, Endianness, &'a ReadCache<File>>;

impl Elf {
    pub(crate) fn open(path: &Path) -> std::io::Result<Self> {
        Ok(Self {
            cache: ReadCache::new(File::open(path)?),
        })
    }

    fn parse(&self) -> Result<Parsed<'_>, BadElf> {
        ElfFile64::parse(&self.cache).map_err(|error| BadElf(error.to_string()))
    }

    /// The addresses of `names` in the file's own numbering, `None` for each that it does not define.
    pub(crate) fn symbols<const N: usize>(
        &self,
        names: [&str; N],
    ) -> Result<[Option<u64>; N], BadElf> {
        let file = self.parse()?;
        let mut found = [None; N];
        // A stripped program still exports these dynamically, since extension modules link to them.
        for symbol in file.dynamic_symbols().chain(file.symbols()) {
            if found.iter().all(Option::is_some) {
                break;
            }
            if symbol.is_undefined() {
                continue;
            }
            let Ok(name) = symbol.name() else { continue };
            if let Some(index) = names.iter().position(|&wanted| wanted == name) {
                found[index].get_or_insert(symbol.address());
            }
        }
        Ok(found)
    }

    /// What to add to the file's own numbering when its first page is mapped at `mapped`.
    pub(crate) fn bias(&self, mapped: Address) -> Result<Address, BadElf> {
        let file = self.parse()?;
        let endian = file.endian();
        let loads = file
            .elf_program_headers()
            .iter()
            .filter(|header| header.p_type(endian) == object::elf::PT_LOAD);
        let first = loads
            .map(|header| header.p_vaddr(endian).wrapping_sub(header.p_offset(endian)))
            .next();
        first
            .map(|first| mapped.wrapping_sub(first))
            .ok_or_else(|| BadElf("it has no loadable segment".into()))
    }

    /// The read-only data, in which string constants lie.
    pub(crate) fn constants(&self) -> Result<Vec<u8>, BadElf> {
        let file = self.parse()?;
        let section = file
            .section_by_name(".rodata")
            .ok_or_else(|| BadElf("it has no .rodata section".into()))?;
        section
            .data()
            .map(<[u8]>::to_vec)
            .map_err(|error| BadElf(error.to_string()))
    }
}
