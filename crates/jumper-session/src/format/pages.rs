//! A look at every page before it is decoded.
//!
//! A page says how many values it has, and the decoder makes room for them before it looks for them: for
//! a dictionary, and for texts whose lengths are stored apart from their bytes. A file of a few hundred
//! bytes could so ask for more memory than there is, which ends the process and cannot be caught.
//! Decompressing each page once more is cheap beside decoding it.

use std::collections::HashSet;
use std::fs::File;
use std::sync::Arc;

use parquet::basic::{Compression, Encoding};
use parquet::column::page::{Page, PageReader};
use parquet::errors::Result as ParquetResult;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::serialized_reader::SerializedPageReader;

/// What is wrong with the pages of the root columns `roots`, if anything is.
pub(super) fn fault(
    file: File,
    metadata: &ParquetMetaData,
    roots: &HashSet<usize>,
) -> ParquetResult<Option<String>> {
    let file = Arc::new(file);
    let schema = metadata.file_metadata().schema_descr();
    for group in metadata.row_groups() {
        for (leaf, chunk) in group.columns().iter().enumerate() {
            if !roots.contains(&schema.get_column_root_idx(leaf)) {
                continue;
            }
            if !matches!(
                chunk.compression(),
                Compression::UNCOMPRESSED | Compression::ZSTD(_)
            ) {
                let detail = "its compression is neither Zstandard nor none";
                return Ok(Some(format!("{detail}, but {}", chunk.compression())));
            }
            let rows = group.num_rows() as usize;
            let mut pages = SerializedPageReader::new(Arc::clone(&file), chunk, rows, None)?;
            while let Some(page) = pages.get_next_page()? {
                if let Some(fault) = fault_of(&page) {
                    return Ok(Some(fault));
                }
            }
        }
    }
    Ok(None)
}

fn fault_of(page: &Page) -> Option<String> {
    match page {
        // No value of a dictionary takes less than a byte.
        Page::DictionaryPage {
            buf, num_values, ..
        } if *num_values as usize > buf.len() => Some(format!(
            "a dictionary of {} bytes claims {num_values} values",
            buf.len()
        )),
        Page::DictionaryPage { .. } => None,
        Page::DataPage { encoding, .. } | Page::DataPageV2 { encoding, .. } => match encoding {
            Encoding::PLAIN
            | Encoding::RLE_DICTIONARY
            // For booleans only.
            | Encoding::RLE
            | Encoding::PLAIN_DICTIONARY
            | Encoding::DELTA_BINARY_PACKED => None,
            other => Some(format!(
                "its encoding is {other}, which sessions do not use"
            )),
        },
    }
}
