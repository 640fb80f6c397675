//! What code objects say of themselves, copied while the thread that runs them holds still.
//!
//! A code object lives as long as a frame runs it, and its names and line table with it. Read a moment
//! later they may be gone: code made by `exec` or a template engine often is. So the texts of every code object
//! that is not known yet are copied together with the stack, as they lie in memory. Making sense of them can wait.

use super::class::{self, MAX_NAME};
use super::layout::WalkLayout;
use super::memory::{Address, Fault, Memory, u64_at};
use super::objects;

/// Room for the copies of one stack. Line tables of the largest modules have a few hundred kilobytes.
pub(crate) const CAPACITY: usize = 1 << 20;
/// Room for this many copies: a few for each new code object.
pub(crate) const BLOCKS: usize = 1 << 10;

/// One piece of memory, and where its copy lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Block {
    address: Address,
    offset: usize,
    len: usize,
}

/// The place that copies are made in.
pub(crate) struct Space<'a> {
    blocks: &'a mut [Block],
    bytes: &'a mut [u8],
    count: usize,
    used: usize,
}

/// A piece did not fit, could not be read, or is not what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct NotCopied;

impl<'a> Space<'a> {
    pub(crate) fn new(blocks: &'a mut [Block], bytes: &'a mut [u8]) -> Self {
        Self {
            blocks,
            bytes,
            count: 0,
            used: 0,
        }
    }

    /// How many blocks and bytes are in use.
    pub(crate) fn filled(&self) -> (usize, usize) {
        (self.count, self.used)
    }

    /// Copies all that a code object with this front refers to and that is of interest. What does not fit or cannot
    /// be read is left out. Allocates nothing.
    pub(crate) fn copy_code(&mut self, memory: &impl Memory, layout: &WalkLayout, head: &[u8]) {
        for offset in layout.code_texts {
            if offset != WalkLayout::NONE {
                let address = u64_at(head, offset as usize);
                let _ = self.copy_object(memory, address, |front| objects::text_len(layout, front));
            }
        }
        let line_table = u64_at(head, layout.line_table as usize);
        let _ = self.copy_object(memory, line_table, objects::bytes_len);
    }

    /// Copies the name of the type with this front.
    pub(crate) fn copy_type_name(&mut self, memory: &impl Memory, head: &[u8]) {
        let address = class::name_address(head);
        let copied = self.blocks.iter().take(self.count);
        if copied.into_iter().any(|block| block.address == address) {
            return;
        }
        let end = self.used.saturating_add(MAX_NAME);
        let end = end.min(self.bytes.len());
        let (Some(space), Some(block)) = (
            self.bytes.get_mut(self.used..end),
            self.blocks.get_mut(self.count),
        ) else {
            return;
        };
        if let Some(len) = class::read_c_string(memory, address, space) {
            let (offset, len) = (self.used, len + 1);
            *block = Block {
                address,
                offset,
                len,
            };
            self.count += 1;
            self.used += len;
        }
    }

    /// Copies an object whose front tells its whole length.
    fn copy_object(
        &mut self,
        memory: &impl Memory,
        address: Address,
        whole_len: impl FnOnce(&[u8]) -> Option<u64>,
    ) -> Result<(), NotCopied> {
        let copied = self.blocks.iter().take(self.count);
        if copied.into_iter().any(|block| block.address == address) {
            return Ok(());
        }
        let mut front = [0; objects::FRONT];
        memory.read(address, &mut front).map_err(|_| NotCopied)?;
        let len = usize::try_from(whole_len(&front).ok_or(NotCopied)?).map_err(|_| NotCopied)?;
        // The front may be longer than the object; what follows it is then its neighbour's, and does no harm.
        let len = len.max(objects::FRONT);
        let rest = self.bytes.get_mut(self.used..).ok_or(NotCopied)?;
        let space = rest.get_mut(..len).ok_or(NotCopied)?;
        let block = self.blocks.get_mut(self.count).ok_or(NotCopied)?;
        memory.read(address, space).map_err(|_| NotCopied)?;
        *block = Block {
            address,
            offset: self.used,
            len,
        };
        self.count += 1;
        self.used += len;
        Ok(())
    }
}

/// Pieces of memory as they were. Reading from it is reading from then.
pub(crate) struct Snapshot<'a> {
    blocks: &'a [Block],
    bytes: &'a [u8],
}

impl<'a> Snapshot<'a> {
    pub(crate) fn new(blocks: &'a [Block], bytes: &'a [u8]) -> Self {
        Self { blocks, bytes }
    }

    /// The text that ends in a null and was copied from `address`.
    pub(crate) fn c_string(&self, address: Address) -> Option<&[u8]> {
        let block = self.blocks.iter().find(|block| block.address == address)?;
        let end = block.offset.checked_add(block.len)?;
        let bytes = self.bytes.get(block.offset..end)?;
        bytes.split(|&byte| byte == 0).next()
    }

    fn find(&self, address: Address, len: usize) -> Option<&[u8]> {
        let inside = |block: &Block| {
            let from = usize::try_from(address.checked_sub(block.address)?).ok()?;
            let end = from.checked_add(len)?;
            (end <= block.len).then_some((
                block.offset.checked_add(from)?,
                block.offset.checked_add(end)?,
            ))
        };
        let (start, end) = self.blocks.iter().find_map(inside)?;
        self.bytes.get(start..end)
    }
}

impl Memory for Snapshot<'_> {
    fn read(&self, address: Address, buffer: &mut [u8]) -> Result<(), Fault> {
        let bytes = self.find(address, buffer.len()).ok_or(Fault::Unmapped)?;
        buffer.copy_from_slice(bytes);
        Ok(())
    }
}
